/*
 * bearer: what a provider of tokens answers.
 */
#include <stdlib.h>
#include <string.h>

#include "alert/bearer.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const int64_t now = INT64_C(1795000000000);
	struct arena *a = arena_new();
	struct bearer b = { 0 };
	char err[200] = "";

	if (bearer_read_reply(
	        (struct str){ (const char *)data, n }, now, a, &b, err, sizeof(err))) {
		if (b.token[0] == '\0' || b.expires <= now || b.subject == NULL)
			abort();
	} else if (err[0] == '\0')
		abort();
	arena_free(a);
	return 0;
}
