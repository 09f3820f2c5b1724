/*
 * arena.h: memory that is released all at once. A request has one; what it makes lives until the
 * answer is sent.
 */
#ifndef MERIDIAN_ARENA_H
#define MERIDIAN_ARENA_H

#include "base/base.h"

struct arena;

/* A new, empty arena. The caller frees it with arena_free(). Never NULL (see arena_exhausted). */
struct arena *arena_new(void);

/*
 * Runs what arena_defer() registered, newest first, and forgets everything; up to 272 KiB of memory
 * are kept for the next use.
 */
void arena_reset(struct arena *);

/* As arena_reset, and the arena itself is gone. */
void arena_free(struct arena *);

/* n zeroed bytes, aligned for any type. Never NULL: when memory runs out the handler is called. */
void *arena_alloc(struct arena *, size_t n) __attribute__((malloc, alloc_size(2)));

/* count * size zeroed bytes; an overflow of the product counts as memory run out. */
void *arena_array(struct arena *, size_t count, size_t size) __attribute__((malloc));

/*
 * Room for one more behind the n things of a list: the list itself where n is less than *room, else a
 * copy of it with twice the room, which *room becomes. NULL and 0 begin one.
 */
void *arena_more(struct arena *, void *list, size_t n, size_t *room, size_t size)
    __attribute__((returns_nonnull));

/* Copies in the arena, always followed by a NUL. */
struct str arena_copy(struct arena *, const char *, size_t n);
struct str arena_str(struct arena *, struct str);
char *arena_strdup(struct arena *, const char *);
struct str arena_printf(struct arena *, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Calls fn(arg) when the arena is reset or freed, newest first: files to close, rows to release. */
void arena_defer(struct arena *, void (*fn)(void *), void *arg);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *);

/*
 * Memory ran out: calls the handler set by arena_on_exhaustion(), which must not return (a worker
 * answers 503 from static memory and leaves); without one a line on stderr and _exit(70).
 * Other modules call it when their own malloc fails.
 */
void arena_exhausted(void) NORETURN;
void arena_on_exhaustion(void (*handler)(void));

#endif
