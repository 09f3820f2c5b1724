/*
 * buf: bytes in one malloc'ed run that doubles as it grows.
 */
#include "base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

char *
buf_room(struct buf *b, size_t n)
{
	size_t want, room = b->room;
	char *p;

	if (__builtin_add_overflow(b->n, n, &want) || __builtin_add_overflow(want, 1, &want))
		arena_exhausted();
	if (want > room) {
		if (room < 256)
			room = 256;
		while (room < want)
			if (__builtin_mul_overflow(room, 2, &room))
				arena_exhausted();
		p = realloc(b->p, room);
		if (p == NULL)
			arena_exhausted();
		b->p = p;
		b->room = room;
	}
	return b->p + b->n;
}

void
buf_put_more(struct buf *b, const void *p, size_t n)
{
	char *at = buf_room(b, n);

	if (n > 0)
		memcpy(at, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t need;
	char *at;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	need = (size_t)n + 1;
	at = buf_room(b, need);
	va_start(ap, fmt);
	vsnprintf(at, need, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_double(struct buf *b, double v)
{
	char text[32];

	if (!isfinite(v)) {
		buf_puts(b, "null");
		return;
	}
	/* 15 digits are enough for most numbers people wrote; 17 always are */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (digits == 17 || strtod(text, NULL) == v)
			break;
	}
	buf_puts(b, text);
}

void
buf_int64(struct buf *b, int64_t v)
{
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char text[24];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		text[--at] = '-';
	buf_put(b, text + at, sizeof(text) - at);
}

struct str
buf_text(const struct buf *b)
{
	return b->p == NULL ? STR("") : (struct str){ b->p, b->n };
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ NULL, 0, 0 };
}
