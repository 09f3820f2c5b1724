/*
 * fetch.h: one question over HTTP, and its answer.
 */
#ifndef MERIDIAN_FETCH_H
#define MERIDIAN_FETCH_H

#include "base/buf.h"

struct fetch {
	const char *url; /* one that registry_url_will_do() lets pass */
	long seconds; /* it may take */
	size_t most; /* bytes of an answer */
	const char *accept;
	const char *user, *password; /* HTTP's own way; NULL: none */
	const char *form; /* is sent, as of a form; NULL: nothing is, a GET */
};

/*
 * Appends the answer, whatever its status; 0 where there was none. False with what went wrong on the way,
 * or that it is longer than it may be. No redirection is followed.
 */
bool fetch(const struct fetch *, struct buf *answer, long *status, char *why, size_t size);

#endif
