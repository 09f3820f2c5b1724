/*
 * Fuzz target: the first line as a stored hash, the rest as a password for the policy. A hash that is
 * accepted must be what its own fields say again; the policy must end and say at most so much.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/password.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_hash(struct arena *a, struct str encoded)
{
	uint64_t n, r, p;
	char salt[200], key[200], again[600];

	if (!password_readable(encoded))
		return;
	/* an independent reading, which agrees in every field */
	encoded = arena_str(a, encoded);
	if (sscanf(encoded.p,
	        "scrypt$%" SCNu64 "$%199[^$]$%" SCNu64 "$%" SCNu64 "$%199[A-Za-z0-9+/=]", &n, salt,
	        &r, &p, key) != 5)
		abort();
	snprintf(again, sizeof(again), "scrypt$%" PRIu64 "$%s$%" PRIu64 "$%" PRIu64 "$%s", n, salt,
	    r, p, key);
	if (encoded.n > 512 || 128 * n * r > (uint64_t)256 << 20 || p > 16 || (n & (n - 1)) != 0 ||
	    !str_is(encoded, again))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct password_owner who = { .username = { "tokafor", 7 },
		.first_name = { "", 0 },
		.email = { "t.okafor@palomar.example", 24 },
		.site_name = { "Zwicky Follow-up", 16 },
		.host = { "tom.example:8080", 16 } };
	struct arena *a = arena_new();
	struct str all = arena_copy(a, (const char *)data, size), why[PASSWORD_RULES];
	size_t line = str_find(all, '\n'), n;

	check_hash(a, (struct str){ all.p, line });
	if (line < all.n) {
		n = password_problems(
		    a, (struct str){ all.p + line + 1, all.n - line - 1 }, &who, 8, why);
		for (size_t i = 0; i < n; i++)
			if (why[i].n == 0 || why[i].p[why[i].n - 1] != '.')
				abort();
		if (n > PASSWORD_RULES)
			abort();
	}
	arena_free(a);
	return 0;
}
