/*
 * password: scrypt in Django's form, its checking, and passwords made by us.
 *
 * The form is "scrypt$N$salt$r$p$key": N, r and p decimal, the salt its own ASCII bytes (Django
 * draws 22 letters and digits, 131 bits), the key 64 bytes in base64. Parameters come from the
 * database and are bounded before anything is computed, so a hostile row cannot take the machine.
 */
#include "auth/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <errno.h>
#include <libscrypt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include "auth/secret.h"
#include "auth/slot.h"
#include "base/log.h"

#define N_NOW (UINT64_C(1) << 17)
#define R_NOW 8
#define P_NOW 1
#define N_MAX (UINT64_C(1) << 20)
#define MEMORY_MAX (UINT64_C(256) << 20) /* bytes: 128 * N * r */
#define WORK_MAX (UINT64_C(8) * N_NOW * R_NOW * P_NOW)
#define P_MAX 16
#define SALT_CHARS 22
#define SALT_STRONG 16 /* bytes; a shorter one makes a hash weak */
#define SALT_MAX 128
#define KEY_SIZE 64
#define KEY_TEXT 88 /* base64 of the key */
#define ENCODED_MAX 512

struct form {
	uint64_t n;
	uint32_t r, p;
	struct str salt;
	uint8_t key[KEY_SIZE];
};

static const char alphanumerics[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static struct {
	char dir[1024];
	unsigned slots; /* 0: cores but one */
	int64_t wait_ms;
} limit = { "/run/meridian", 0, 3000 };

void
password_configure(const struct config *c)
{
	struct str dir = str_of(config_text(c, "RUN_DIR"));

	limit.slots = (unsigned)config_int(c, "PASSWORD_HASHES");
	limit.wait_ms = config_int(c, "PASSWORD_HASH_WAIT_MS");
	if (dir.n < sizeof(limit.dir)) /* a longer one is no socket's directory either */
		memcpy(limit.dir, dir.p, dir.n + 1);
}

static unsigned
slots(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (limit.slots > 0)
		return limit.slots;
	return cores > 2 ? (unsigned)cores - 1 : 1;
}

/* n characters of the set and a NUL. */
static void
random_chars(char *to, size_t n, const char *set, size_t nset)
{
	size_t whole = 256 - 256 % nset; /* bytes from here on would favour the first ones */
	unsigned char byte;

	for (size_t i = 0; i < n;) {
		secret_random(&byte, 1);
		if (byte < whole)
			to[i++] = set[byte % nset];
	}
	to[n] = '\0';
}

static bool
number(struct str s, uint64_t max, uint64_t *out)
{
	int64_t n;

	if (s.n == 0 || s.n > 10 || s.p[0] < '1' || s.p[0] > '9' || !str_to_int64(s, &n))
		return false;
	*out = (uint64_t)n;
	return *out <= max;
}

/* 64 bytes of canonical base64: what does not encode to the same text again is refused. */
static bool
decode_key(struct str text, uint8_t key[KEY_SIZE])
{
	unsigned char bytes[KEY_TEXT], again[KEY_TEXT + 1];

	if (text.n != KEY_TEXT ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text.p, KEY_TEXT) != KEY_TEXT / 4 * 3)
		return false;
	EVP_EncodeBlock(again, bytes, KEY_SIZE);
	if (memcmp(again, text.p, KEY_TEXT) != 0)
		return false;
	memcpy(key, bytes, KEY_SIZE);
	return true;
}

/* Printing ASCII, as all that make such hashes draw it. */
static bool
is_salt(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= SALT_MAX;
}

static bool
decode(struct str encoded, struct form *f)
{
	struct str part[6];
	uint64_t r, p;
	size_t n = 0;

	if (encoded.p == NULL || encoded.n > ENCODED_MAX)
		return false;
	for (struct str rest = encoded; n < NELEM(part); n++) {
		size_t end = str_find(rest, '$');

		part[n] = (struct str){ rest.p, end };
		if (end == rest.n)
			break;
		rest = (struct str){ rest.p + end + 1, rest.n - end - 1 };
	}
	if (n != NELEM(part) - 1 || !str_is(part[0], "scrypt") || !is_salt(part[2]))
		return false;
	if (!number(part[1], N_MAX, &f->n) || f->n < 2 || (f->n & (f->n - 1)) != 0 ||
	    !number(part[3], 1024, &r) || !number(part[4], P_MAX, &p) ||
	    128 * f->n * r > MEMORY_MAX || f->n * r * p > WORK_MAX)
		return false;
	f->r = (uint32_t)r;
	f->p = (uint32_t)p;
	f->salt = part[2];
	return decode_key(part[5], f->key);
}

bool
password_readable(struct str encoded)
{
	struct form f;

	return decode(encoded, &f);
}

static bool
is_weak(const struct form *f)
{
	return f->n < N_NOW || f->r < R_NOW || f->p < P_NOW || f->salt.n < SALT_STRONG;
}

static int
derive(
    struct str password, struct str salt, uint64_t n, uint32_t r, uint32_t p, uint8_t key[KEY_SIZE])
{
	if (libscrypt_scrypt((const uint8_t *)password.p, password.n, (const uint8_t *)salt.p,
	        salt.n, n, r, p, key, KEY_SIZE) == 0)
		return 0;
	log_warn("a password hash could not be computed", LOG_INT("memory", (int64_t)(128 * n * r)),
	    LOG_TEXT("error", strerror(errno)));
	return -1;
}

/*
 * What a check of smaller parameters did not cost is spent here. The time of 2^k grows by a little
 * more than two with k (caches): the weights are times relative to today's hash, measured with
 * libscrypt at r = 8.
 */
static int
spend_rest(const struct form *f)
{
	static const struct {
		uint64_t n;
		double share;
	} cost[] = { { N_NOW, 1.0 }, { N_NOW / 2, 0.46 }, { N_NOW / 4, 0.22 }, { N_NOW / 8, 0.105 },
		{ N_NOW / 16, 0.05 }, { N_NOW / 32, 0.024 } };
	double left = 1.0;
	uint8_t key[KEY_SIZE];

	for (size_t i = 0; i < NELEM(cost); i++)
		if (f->n >= cost[i].n || i == NELEM(cost) - 1) {
			left -= cost[i].share * (double)f->n / (double)cost[i].n * f->r * f->p /
			    8.0;
			break;
		}
	for (size_t i = 0; i < NELEM(cost); i++)
		for (; left >= cost[i].share * 0.75; left -= cost[i].share)
			if (derive(STR("x"), STR("x"), cost[i].n, R_NOW, P_NOW, key) != 0)
				return -1;
	return 0;
}

/*
 * The NFKC form in *out, which the caller wipes and frees with forget(): a lack of memory is BUSY
 * here and no reason to leave, so this is not unicode_nfkc(). 0; 1 not UTF-8; -1 no memory.
 */
static int
normalise(struct str password, struct str *out)
{
	utf8proc_uint8_t *p = NULL;
	utf8proc_ssize_t n;

	n = utf8proc_map((const utf8proc_uint8_t *)password.p, (utf8proc_ssize_t)password.n, &p,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
	*out = (struct str){ (const char *)p, n < 0 ? 0 : (size_t)n };
	if (n >= 0)
		return 0;
	free(p);
	*out = STR_NONE;
	return n == UTF8PROC_ERROR_NOMEM ? -1 : 1;
}

static void
forget(struct str s)
{
	if (s.p == NULL)
		return;
	OPENSSL_cleanse((void *)(uintptr_t)s.p, s.n);
	free((void *)(uintptr_t)s.p);
}

static bool
turn(int *fd)
{
	if (slot_take(limit.dir, "passwords.lock", slots(), limit.wait_ms, fd) == SLOT_MINE)
		return true;
	log_warn("too many password hashes at once", LOG_INT("at_once", slots()),
	    LOG_INT("waited_ms", limit.wait_ms));
	return false;
}

enum password_verdict
password_hash(struct arena *a, struct str password, struct str *encoded)
{
	enum password_verdict verdict = PASSWORD_BUSY;
	char salt[SALT_CHARS + 1];
	unsigned char text[KEY_TEXT + 1];
	uint8_t key[KEY_SIZE];
	struct str normal;
	int fd, r;

	if (password.p == NULL || password.n > PASSWORD_MAX)
		return PASSWORD_WRONG;
	r = normalise(password, &normal);
	if (r != 0)
		return r > 0 ? PASSWORD_WRONG : PASSWORD_BUSY;
	if (!turn(&fd))
		goto normal;
	random_chars(salt, SALT_CHARS, alphanumerics, sizeof(alphanumerics) - 1);
	if (derive(normal, str_of(salt), N_NOW, R_NOW, P_NOW, key) == 0) {
		EVP_EncodeBlock(text, key, KEY_SIZE);
		*encoded = arena_printf(
		    a, "scrypt$%u$%s$%d$%d$%s", (unsigned)N_NOW, salt, R_NOW, P_NOW, (char *)text);
		verdict = PASSWORD_RIGHT;
	}
	slot_release(fd);
	OPENSSL_cleanse(key, sizeof(key));
normal:
	forget(normal);
	return verdict;
}

/* One comparison, within a turn. f is NULL where there is no hash to compare with. */
static enum password_verdict
compare(const struct form *f, struct str password)
{
	uint8_t key[KEY_SIZE];
	bool same;

	if (f == NULL)
		return derive(password, STR("nobody"), N_NOW, R_NOW, P_NOW, key) == 0
		    ? PASSWORD_WRONG
		    : PASSWORD_BUSY;
	if (derive(password, f->salt, f->n, f->r, f->p, key) != 0)
		return PASSWORD_BUSY;
	same = CRYPTO_memcmp(key, f->key, KEY_SIZE) == 0;
	OPENSSL_cleanse(key, sizeof(key));
	/* also where it is right: of a disabled account that must look like a wrong one */
	if (spend_rest(f) != 0 && !same)
		return PASSWORD_BUSY;
	return same ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

/*
 * Hashes of ours are of the NFKC form; Django takes what was typed. Where the two differ both are
 * tried, for every user and for none, right or wrong, so that the time says nothing.
 */
enum password_verdict
password_check(struct str encoded, struct str password, bool *weak)
{
	enum password_verdict verdict, raw;
	struct form form;
	const struct form *f = decode(encoded, &form) ? &form : NULL;
	struct str normal;
	int fd, r;

	*weak = false;
	if (password.p == NULL || password.n > PASSWORD_MAX)
		return PASSWORD_WRONG;
	r = normalise(password, &normal);
	if (r < 0)
		return PASSWORD_BUSY;
	if (!turn(&fd)) {
		forget(normal);
		return PASSWORD_BUSY;
	}
	verdict = compare(f, r == 0 ? normal : password);
	if (verdict != PASSWORD_BUSY && r == 0 && !str_eq(normal, password)) {
		raw = compare(f, password);
		*weak = verdict == PASSWORD_WRONG;
		verdict = *weak ? raw : verdict;
	}
	slot_release(fd);
	forget(normal);
	*weak = verdict == PASSWORD_RIGHT && (*weak || is_weak(&form));
	return verdict;
}

struct str
password_generate(struct arena *a)
{
	static const char set[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: five bits each */
	struct str why[PASSWORD_RULES], made;
	char c[21];

	do {
		random_chars(c, sizeof(c) - 1, set, sizeof(set) - 1);
		made = arena_printf(a, "%.5s-%.5s-%.5s-%.5s", c, c + 5, c + 10, c + 15);
	} while (password_problems(
	             a, made, &(struct password_owner){ .username = STR_NONE }, 15, why) > 0);
	OPENSSL_cleanse(c, sizeof(c));
	return made;
}
