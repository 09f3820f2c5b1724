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

static bool
is_scrypt(const char *e)
{
	uint64_t n, r, p;
	char salt[200], key[200], again[600];

	if (sscanf(e, "scrypt$%" SCNu64 "$%199[^$]$%" SCNu64 "$%" SCNu64 "$%199[A-Za-z0-9+/=]", &n,
	        salt, &r, &p, key) != 5)
		return false;
	snprintf(again, sizeof(again), "scrypt$%" PRIu64 "$%s$%" PRIu64 "$%" PRIu64 "$%s", n, salt,
	    r, p, key);
	return 128 * n * r <= (uint64_t)256 << 20 && p <= 16 && (n & (n - 1)) == 0 &&
	    strcmp(e, again) == 0;
}

static bool
is_pbkdf2(const char *e)
{
	uint64_t n;
	char digest[7], salt[200], key[50], again[600];

	if (sscanf(e, "pbkdf2_%6[sha1256]$%" SCNu64 "$%199[^$]$%49[A-Za-z0-9+/=]", digest, &n, salt,
	        key) != 4)
		return false;
	snprintf(again, sizeof(again), "pbkdf2_%s$%" PRIu64 "$%s$%s", digest, n, salt, key);
	return n <= 10000000 && strlen(key) == (strcmp(digest, "sha1") == 0 ? 28 : 44) &&
	    strcmp(e, again) == 0;
}

static bool
is_argon2(const char *e)
{
	uint64_t m, t, p;
	char kind[9], version[6] = "", salt[100], key[100], again[600];

	if (sscanf(e,
	        "argon2$%8[argon2id]$%5[v=169]$m=%" SCNu64 ",t=%" SCNu64 ",p=%" SCNu64
	        "$%99[A-Za-z0-9+/]$%99[A-Za-z0-9+/]",
	        kind, version, &m, &t, &p, salt, key) != 7) {
		version[0] = '\0';
		if (sscanf(e,
		        "argon2$%8[argon2id]$m=%" SCNu64 ",t=%" SCNu64 ",p=%" SCNu64
		        "$%99[A-Za-z0-9+/]$%99[A-Za-z0-9+/]",
		        kind, &m, &t, &p, salt, key) != 6)
			return false;
	}
	snprintf(again, sizeof(again),
	    "argon2$%s$%s%sm=%" PRIu64 ",t=%" PRIu64 ",p=%" PRIu64 "$%s$%s", kind, version,
	    version[0] != '\0' ? "$" : "", m, t, p, salt, key);
	return m <= 262144 && m >= 8 * p && p >= 1 && p <= 16 && t >= 1 && m * t <= 2097152 &&
	    (strcmp(kind, "argon2id") == 0 || strcmp(kind, "argon2i") == 0) &&
	    strcmp(e, again) == 0;
}

static bool
is_bcrypt(const char *e)
{
	const char *text = strstr(e, "$$2");
	int rounds = 0;

	return (strncmp(e, "bcrypt$$", 8) == 0 || strncmp(e, "bcrypt_sha256$$", 15) == 0) &&
	    text != NULL && strlen(text) == 61 && sscanf(text + 4, "$%2d$", &rounds) == 1 &&
	    rounds >= 4 && rounds <= 15 &&
	    strspn(text + 8,
	        "./0123456789"
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	        "abcdefghijklmnopqrstuvwxyz") == 53;
}

static bool
is_md5(const char *e)
{
	const char *last = strrchr(e, '$');

	return strspn(last != NULL ? last + 1 : e, "0123456789abcdef") == 32 &&
	    (last == NULL || strncmp(e, "md5$", 4) == 0);
}

/* An independent reading agrees on whatever is accepted. */
static void
check_hash(struct arena *a, struct str encoded)
{
	if (!password_readable(encoded))
		return;
	encoded = arena_str(a, encoded);
	if (encoded.n > 512 || strlen(encoded.p) != encoded.n ||
	    (!is_scrypt(encoded.p) && !is_pbkdf2(encoded.p) && !is_argon2(encoded.p) &&
	        !is_bcrypt(encoded.p) && !is_md5(encoded.p)))
		abort();
}

/* md5 is read, too. */
static void
configure(void)
{
	char err[200];
	struct config *c;

	setenv("MERIDIAN_PASSWORD_IMPORT_MD5", "yes", 1);
	unsetenv("MERIDIAN_CONFIG");
	c = config_load(err, sizeof(err));
	if (c == NULL)
		abort();
	password_configure(c);
	config_free(c);
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
	static bool ready;

	if (!ready)
		configure();
	ready = true;
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
