/*
 * loop.h: the loop of a worker over its connections. It knows where a request begins and ends in a
 * socket, not what is in it.
 */
#ifndef MERIDIAN_LOOP_H
#define MERIDIAN_LOOP_H

#include <signal.h>

#include "http/serve.h"

enum loop_fate { LOOP_KEEP, LOOP_CLOSE, LOOP_CLOSED /* it is closed already */ };

/*
 * Reads the request that lies in fd, and answers it. `whole`: all of it is there; else its body is
 * still coming, and how long that may take is to be limited.
 */
typedef enum loop_fate loop_serve(void *arg, int fd, bool whole);

/*
 * Serves p->listener, and what siblings leave, until *stopping, which a handler of SIGTERM sets; the
 * signal comes only between requests. Then answers who has asked already and leaves the other
 * connections to the siblings. 0, or 1 where it could not begin.
 */
int loop_run(struct server *, const struct prefork *, loop_serve *, void *arg,
    volatile sig_atomic_t *stopping);

/*
 * From now on SIGTERM and SIGINT come only under the mask that is filled in, while a worker waits:
 * a request under way is finished first.
 */
void loop_block_signals(sigset_t *while_waiting);

/* Leaves all connections but one to the siblings, at once: for the handler of a crash. */
void loop_abandon(int except);

#endif
