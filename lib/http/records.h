/*
 * records.h: the wire format of FastCGI 1.0, as far as we look at it ourselves: what lies in a
 * socket before libfcgi may read it, and the records of an answer.
 */
#ifndef MERIDIAN_RECORDS_H
#define MERIDIAN_RECORDS_H

#include <sys/uio.h>

#include "base/base.h"

/* All parameters of a request must fit in this. */
#define RECORDS_LOOKED_AT KIB(96)

enum records_state {
	RECORDS_BAD, /* no request that we take: the connection must go */
	RECORDS_MORE, /* the parameters have not come whole */
	RECORDS_PARAMS, /* the parameters are here, the body is not */
	RECORDS_PIECES, /* so it is, and comes in so many records that a socket may hold no more */
	RECORDS_WHOLE /* all of it is here */
};

/*
 * What are these bytes, the first that were not read of a connection? Refused are other roles than
 * responder, abort and management records, parameters longer than what holds them or with a NUL,
 * and records that do not follow one another as they must: libfcgi would abort, leak or wait for
 * some of them (spec/libraries.md 3.7).
 */
enum records_state records_look(const unsigned char *, size_t n);

/* Room for the records of one write: 4 MiB. */
#define RECORDS_CHUNKS 64
struct records {
	unsigned char headers[RECORDS_CHUNKS + 3][8];
	struct iovec iov[RECORDS_CHUNKS * 3 + 1];
};

/*
 * Takes as much as fits from the front of head, then body, makes STDOUT records of it for request
 * `id`, and, with `last` when both are used up, the end of STDOUT and of the request. Returns how
 * many of ->iov are to be written.
 */
size_t records_make(struct records *, uint16_t id, struct str *head, struct str *body, bool last);

#endif
