/*
 * peer.h: a web server's side of FastCGI, for tests: it writes records as it likes and reads answers.
 */
#ifndef MERIDIAN_PEER_H
#define MERIDIAN_PEER_H

#include "unit.h"

#include "base/buf.h"

enum { PEER_BEGIN = 1, PEER_ABORT = 2, PEER_END = 3, PEER_PARAMS = 4, PEER_STDIN = 5 };

/* Appends one record of request 1. */
void peer_record(struct buf *, int type, struct str content);
/* Appends BEGIN (keep the connection?), PARAMS for GET or, with a body, POST, and their end. */
void peer_head(struct buf *, bool keep, const char *path, struct str body);
/* All of a request. */
void peer_request(struct buf *, bool keep, const char *path, struct str body);

/* Connects; waits up to a second for somebody to listen. */
int peer_connect(const char *path);
void peer_send(int fd, const struct buf *);

/*
 * Reads one answer: its status; 0 where the connection ended before END_REQUEST, -1 where nothing
 * came for `ms`. The body is left in `text` (NULL: not wanted).
 */
int peer_receive(int fd, struct buf *text, int ms);

/* Sends a request and receives the answer (5 s). */
int peer_ask(int fd, bool keep, const char *path, struct str body, struct buf *text);

/* Does the connection end within so many milliseconds? */
bool peer_ends(int fd, int ms);

#endif
