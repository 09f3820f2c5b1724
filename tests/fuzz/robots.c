/*
 * robots: the look over a robots.txt tells lines that are there, and not too many.
 */
#include <stdlib.h>
#include <string.h>

#include "http/robots.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct seen {
	unsigned last;
	size_t n;
};

static void
check(void *arg, unsigned line, const char *what)
{
	struct seen *s = arg;

	if (line == 0 || line < s->last || what == NULL || ++s->n > ROBOTS_FINDINGS)
		abort();
	s->last = line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct seen s = { 0, 0 };
	size_t told = robots_lint(arena_copy(a, (const char *)data, size), check, &s);

	if (told < s.n || s.last > size + 1)
		abort();
	(void)robots_etag(a, (struct str){ (const char *)data, size });
	arena_free(a);
	return 0;
}
