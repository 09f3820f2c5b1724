/*
 * buf.h: a growing run of bytes, for what is written piece by piece: pages, JSON, log lines.
 */
#ifndef MERIDIAN_BUF_H
#define MERIDIAN_BUF_H

#include <string.h>

#include "base/base.h"

/* Plain, so that it may stand in other structures; zeroed is empty and valid. Memory is malloc'ed. */
struct buf {
	char *p; /* n bytes and a NUL, or NULL while nothing was written */
	size_t n; /* bytes written */
	size_t room; /* bytes allocated */
};

/* All of these grow the buffer as needed; when memory runs out arena_exhausted() is called. */
void buf_put_more(struct buf *, const void *, size_t n);

/* Mostly there is room: pages are made of thousands of pieces. */
static inline void
buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || n >= b->room - b->n) {
		buf_put_more(b, p, n);
		return;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

static inline void
buf_str(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

void buf_puts(struct buf *, const char *);
void buf_putc(struct buf *, char);
void buf_printf(struct buf *, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Shortest decimal text that reads back as the same double; "null" for what is not finite. */
void buf_double(struct buf *, double);
void buf_int64(struct buf *, int64_t);

/* Makes room for n more bytes and returns where they go; the caller adds to ->n what it wrote. */
char *buf_room(struct buf *, size_t n);

/* What was written, borrowed until the next change; never absent. */
struct str buf_text(const struct buf *);

/* Empties it and keeps the memory; gives the memory back. */
void buf_clear(struct buf *);
void buf_free(struct buf *);

#endif
