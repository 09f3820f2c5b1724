/*
 * arena: blocks of memory taken from malloc, handed out from the front, given back together.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)16 << 10)
#define ALIGN 16

/*
 * Blocks kept from one use to the next: freed, they would go back to the kernel and come again page
 * by page, for every request. The sanitizers must see what is used after its time, so none then.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SPARES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARES 0
#endif
#endif
#ifndef SPARES
#define SPARES 16
#endif

struct block {
	struct block *next;
	size_t size, used; /* of the bytes that follow this header */
	_Alignas(ALIGN) char bytes[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *blocks; /* the one in use first; the first ever is last and is kept */
	struct block *spare; /* of BLOCK bytes each */
	unsigned nspare;
	struct deferred *deferred;
	size_t used;
};

static void (*exhaustion_handler)(void);

void
arena_on_exhaustion(void (*handler)(void))
{
	exhaustion_handler = handler;
}

void
arena_exhausted(void)
{
	static const char message[] = "{\"level\":\"error\",\"event\":\"out of memory\"}\n";

	if (exhaustion_handler != NULL)
		exhaustion_handler();
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(71);
	_exit(70);
}

static struct block *
block_new(size_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	if (b == NULL)
		arena_exhausted();
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *
arena_new(void)
{
	struct arena *a = malloc(sizeof(*a));

	if (a == NULL)
		arena_exhausted();
	a->blocks = block_new(BLOCK);
	a->spare = NULL;
	a->nspare = 0;
	a->deferred = NULL;
	a->used = 0;
	return a;
}

void
arena_reset(struct arena *a)
{
	while (a->deferred != NULL) {
		struct deferred *d = a->deferred;

		a->deferred = d->next;
		d->fn(d->arg);
	}
	while (a->blocks->next != NULL) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		if (b->size == BLOCK && a->nspare + 1 <= SPARES) {
			b->next = a->spare;
			a->spare = b;
			a->nspare++;
		} else {
			free(b);
		}
	}
	a->blocks->used = 0;
	a->used = 0;
}

/* A block with room for n bytes. */
static struct block *
block_get(struct arena *a, size_t n)
{
	struct block *b = a->spare;

	if (n > BLOCK / 4 || b == NULL)
		return block_new(n > BLOCK / 4 ? n : BLOCK);
	a->spare = b->next;
	a->nspare--;
	b->used = 0;
	return b;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	while (a->spare != NULL) {
		struct block *b = a->spare;

		a->spare = b->next;
		free(b);
	}
	free(a->blocks);
	free(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	void *p;

	if (n > SIZE_MAX / 2)
		arena_exhausted();
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (n > b->size - b->used) {
		b = block_get(a, n);
		if (n > BLOCK / 4 && a->blocks->size - a->blocks->used > BLOCK / 4 &&
		    a->blocks->next != NULL) {
			/* a big piece goes behind a block that still has room */
			b->next = a->blocks->next;
			a->blocks->next = b;
		} else {
			b->next = a->blocks;
			a->blocks = b;
		}
	}
	p = b->bytes + b->used;
	b->used += n;
	a->used += n;
	return memset(p, 0, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		arena_exhausted();
	return arena_alloc(a, n);
}

void *
arena_more(struct arena *a, void *list, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return list;
	*room = *room * 2 + 8;
	more = arena_array(a, *room, size);
	if (n > 0)
		memcpy(more, list, n * size);
	return more;
}

struct str
arena_copy(struct arena *a, const char *p, size_t n)
{
	char *copy;

	if (n >= SIZE_MAX / 2)
		arena_exhausted();
	copy = arena_alloc(a, n + 1);
	if (n > 0)
		memcpy(copy, p, n);
	return (struct str){ copy, n };
}

struct str
arena_str(struct arena *a, struct str s)
{
	return s.p == NULL ? STR_NONE : arena_copy(a, s.p, s.n);
}

char *
arena_strdup(struct arena *a, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(arena_alloc(a, n), s, n);
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return STR("");
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct str){ p, (size_t)n };
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->fn = fn;
	d->arg = arg;
	d->next = a->deferred;
	a->deferred = d;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
