/*
 * orphan.h: connections that change hands between workers.
 *
 * A worker that leaves (new configuration) or crashes has connections on which the web server may
 * send the next request at any moment. It puts them into a socket pair that all workers of a parent
 * share; a sibling takes them on. Nothing was read from them, so no request is lost.
 */
#ifndef MERIDIAN_ORPHAN_H
#define MERIDIAN_ORPHAN_H

/* Gives fd to a sibling; does not wait; may be called in a signal handler. 0 or -1. */
int orphan_give(int to, int fd);

/* A connection that was given, or -1. Does not wait. */
int orphan_take(int from);

#endif
