/*
 * Fuzz target: the header Authorization, and the words of scopes. What passes for a token must have
 * its form; what scopes become must stay so, and let no more than they did.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_header(struct arena *a, struct str header)
{
	uint8_t bytes[SECRET_SIZE];
	struct str text, tail;

	if (!token_parse(header, &text)) {
		if (text.p != NULL)
			abort();
		return;
	}
	if (text.n != TOKEN_TEXT || text.p < header.p || text.p + text.n > header.p + header.n ||
	    !str_starts(text, TOKEN_PREFIX))
		abort();
	tail = (struct str){ text.p + text.n - SECRET_TEXT, SECRET_TEXT };
	if (!secret_decode(tail, bytes, sizeof(bytes)) ||
	    !str_eq(tail, secret_encode(a, bytes, sizeof(bytes))))
		abort();
}

static void
check_scopes(struct arena *a, struct str words)
{
	struct str scopes = token_scopes(a, words);

	(void)token_allows(words, "targets", true);
	if (scopes.p == NULL)
		return;
	if (!str_eq(scopes, token_scopes(a, scopes)))
		abort();
	for (int safe = 0; safe <= 1; safe++)
		if (token_allows(words, "targets", safe) != token_allows(scopes, "targets", safe) ||
		    token_allows(words, "other", safe) != token_allows(scopes, "other", safe) ||
		    token_allows(scopes, NULL, safe))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = arena_copy(a, (const char *)data, size);

	check_header(a, text);
	check_scopes(a, text);
	arena_free(a);
	return 0;
}
