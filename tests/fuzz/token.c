/*
 * Fuzz target: what a browser sends to prove itself. The first line is a session's token and a form's
 * token, the second an Origin or Referer. None of it can be right but by knowing the key.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/csrf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What decodes must encode to the same text. */
static void
check_token(struct secret *secret, struct arena *a, struct str token)
{
	uint8_t bytes[2 * SECRET_SIZE];

	if (secret_decode(token, bytes, SECRET_SIZE) &&
	    !str_eq(token, secret_encode(a, bytes, SECRET_SIZE)))
		abort();
	if (secret_decode(token, bytes, sizeof(bytes)) &&
	    !str_eq(token, secret_encode(a, bytes, sizeof(bytes))))
		abort();
	if (csrf_token_is(secret, token, "session", STR("someone")))
		abort();
}

/* What passes for our origin must begin with it, and go on with a path, its own port or nothing. */
static void
check_origin(struct arena *a, struct str url)
{
	static const char ours[] = "https://tom.example";
	size_t n = sizeof(ours) - 1;
	struct str copy = arena_str(a, url);

	if (!csrf_same_origin(url, STR("https"), STR("tom.example")))
		return;
	for (size_t i = 0; i < copy.n; i++)
		if (i >= n)
			break;
		else if (copy.p[i] != ours[i] && (copy.p[i] | 0x20) != ours[i])
			abort();
	/* a dot at the end is the host's own, too */
	if (copy.n > n && copy.p[n] == '.')
		n++;
	if (copy.n < n || (copy.n > n && copy.p[n] != '/' && strncmp(copy.p + n, ":443", 4) != 0))
		abort();
	if (copy.n > n + 4 && copy.p[n] == ':' && copy.p[n + 4] != '/')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret *secret;
	struct arena *a = arena_new();
	struct str all = arena_copy(a, (const char *)data, size);
	size_t line = str_find(all, '\n');

	if (secret == NULL)
		secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	check_token(secret, a, (struct str){ all.p, line });
	if (line < all.n) {
		struct str url = { all.p + line + 1, all.n - line - 1 };

		check_origin(a, url);
		(void)csrf_foreign(STR_NONE, url, STR_NONE, STR("https"), STR("tom.example"));
		(void)csrf_foreign(STR_NONE, STR_NONE, url, STR("https"), STR("tom.example"));
	}
	arena_free(a);
	return 0;
}
