/*
 * password: hashes made, checked, and passwords made by us.
 *
 * Made are scrypt's, in Django's form. Checked are all that Django makes (password_hash.h), so that
 * the users of an imported site sign in with what they have; the first time they do, the hash becomes
 * one of ours.
 *
 * What a check tells by its time is nothing: it costs today's hash whatever is stored, also where
 * nothing is, and a wrong password is answered at a set time after its turn came.
 */
#include "auth/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

#include "auth/password_hash.h"
#include "auth/policy_list.h"
#include "auth/secret.h"
#include "auth/slot.h"
#include "base/clock.h"
#include "base/log.h"

#define LOCK_FILE "passwords.lock" /* in RUN_DIR */
#define SALT_CHARS 22
#define KEY_TEXT 88 /* base64 of the key */
#define ENCODED_MAX 512
#define SPELLINGS 3 /* of one password that are tried */

static const char alphanumerics[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static struct {
	char dir[1024];
	unsigned slots; /* 0: cores but one */
	int64_t wait_ms;
	int64_t floor_ms; /* 0: none */
	bool md5; /* is it read? */
} limit = { "/run/meridian", 0, 3000, 600, false };

/* Microseconds of the processor that a hash of today's cost takes here; 0: none was made yet. */
static int64_t full_cost;

void
password_configure(const struct config *c)
{
	struct str dir = str_of(config_text(c, "RUN_DIR"));

	limit.slots = (unsigned)config_int(c, "PASSWORD_HASHES");
	limit.wait_ms = config_int(c, "PASSWORD_HASH_WAIT_MS");
	limit.floor_ms = config_int(c, "PASSWORD_FLOOR_MS");
	policy_list_configure(c);
	limit.md5 = config_bool(c, "PASSWORD_IMPORT_MD5");
	if (dir.n < sizeof(limit.dir)) /* a longer one is no socket's directory either */
		memcpy(limit.dir, dir.p, dir.n + 1);
}

void
password_needs(struct sandbox *box)
{
	slot_needs(box, limit.dir, LOCK_FILE);
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
decode(struct str encoded, struct password_hash *h)
{
	static const struct password_form *const forms[] = { &password_scrypt,
		&password_pbkdf2_sha256, &password_pbkdf2_sha1, &password_argon2,
		&password_bcrypt_sha256, &password_bcrypt, &password_md5, &password_md5_bare };
	struct str word, rest = encoded;

	if (encoded.p == NULL || encoded.n > ENCODED_MAX)
		return false;
	word = (struct str){ encoded.p, str_find(encoded, '$') };
	if (word.n < encoded.n)
		rest = (struct str){ encoded.p + word.n + 1, encoded.n - word.n - 1 };
	else
		word.n = 0;
	for (size_t i = 0; i < NELEM(forms); i++)
		if (str_is(word, forms[i]->word)) {
			h->form = forms[i];
			return (limit.md5 || forms[i]->derive != password_md5.derive) &&
			    forms[i]->read(rest, h);
		}
	return false;
}

bool
password_readable(struct str encoded)
{
	struct password_hash h;

	return decode(encoded, &h);
}

static int64_t
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

/* One hash of today's cost; measures what that is. */
static int
derive_now(struct str password, struct str salt, uint8_t key[PASSWORD_KEY_MAX])
{
	int64_t before = cpu_now(), took;

	if (password_scrypt_derive(password, salt, PASSWORD_N, PASSWORD_R, PASSWORD_P, key) != 0)
		return -1;
	took = cpu_now() - before;
	full_cost = full_cost == 0 ? took : (3 * full_cost + took) / 4;
	return 0;
}

/*
 * What a check did not cost of today's hash is spent here, by hashes of ever smaller N. The time of
 * 2^k grows by a little more than two with k (caches): the shares are times relative to today's hash,
 * measured with libscrypt at r = 8.
 */
static int
spend_rest(int64_t took)
{
	static const double share[] = { 1.0, 0.46, 0.22, 0.105, 0.05, 0.024 };
	uint8_t key[PASSWORD_KEY_MAX];
	double left;

	if (full_cost == 0 && derive_now(STR("x"), STR("x"), key) != 0)
		return -1;
	left = 1.0 - (double)took / (double)full_cost;
	for (size_t i = 0; i < NELEM(share); i++)
		for (; left >= share[i] * 0.75; left -= share[i])
			if (password_scrypt_derive(STR("x"), STR("x"), PASSWORD_N >> i, PASSWORD_R,
			        PASSWORD_P, key) != 0)
				return -1;
	return 0;
}

/* --- the spellings of a password --- */

struct spelling {
	struct str text; /* malloc'ed, but for the raw one */
	bool is_nfkc;
};

struct spellings {
	struct spelling tried[SPELLINGS];
	size_t n;
};

/*
 * A form of Unicode in *out, which the caller wipes and frees with forget(): a lack of memory is BUSY
 * here and no reason to leave, so this is not unicode_nfkc(). 0; 1 not UTF-8; -1 no memory.
 */
static int
normalise(struct str password, utf8proc_option_t options, struct str *out)
{
	utf8proc_uint8_t *p = NULL;
	utf8proc_ssize_t n;

	n = utf8proc_map((const utf8proc_uint8_t *)password.p, (utf8proc_ssize_t)password.n, &p,
	    UTF8PROC_STABLE | options);
	*out = (struct str){ (const char *)p, n < 0 ? 0 : (size_t)n };
	if (n >= 0)
		return 0;
	free(p);
	*out = STR_NONE;
	return n == UTF8PROC_ERROR_NOMEM ? -1 : 1;
}

#define NFC UTF8PROC_COMPOSE
#define NFD UTF8PROC_DECOMPOSE
#define NFKC (UTF8PROC_COMPOSE | UTF8PROC_COMPAT)

static void
forget(struct str s)
{
	OPENSSL_cleanse((void *)(uintptr_t)s.p, s.n);
	free((void *)(uintptr_t)s.p);
}

static void
forget_spellings(struct spellings *s, struct str raw)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->tried[i].text.p != raw.p)
			forget(s->tried[i].text);
}

/* Takes the text, unless it is there already. */
static void
add_spelling(struct spellings *s, struct str text, bool is_nfkc, struct str raw)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->tried[i].text, text)) {
			s->tried[i].is_nfkc |= is_nfkc;
			if (text.p != raw.p)
				forget(text);
			return;
		}
	if (s->n < SPELLINGS)
		s->tried[s->n++] = (struct spelling){ text, is_nfkc };
	else /* never the raw one, which is among the first two */
		forget(text);
}

/*
 * What may have been hashed when this was typed. Ours are of the NFKC form. Django takes the bytes as
 * they come, and one keyboard sends composed letters where another sends them in parts: so as typed,
 * composed, decomposed. How many there are depends on the password alone, never on what is stored.
 * 0; -1 no memory.
 */
static int
spell(struct str raw, bool ours, struct spellings *s)
{
	static const struct {
		utf8proc_option_t form;
		bool is_raw;
	} order[2][4] = { { { 0, true }, { NFC, false }, { NFD, false }, { NFKC, false } },
		{ { NFKC, false }, { 0, true }, { NFC, false }, { NFD, false } } };

	s->n = 0;
	for (size_t i = 0; i < NELEM(order[0]); i++) {
		struct str text = raw;
		int r = order[ours][i].is_raw ? 0 : normalise(raw, order[ours][i].form, &text);

		if (r < 0) {
			forget_spellings(s, raw);
			return -1;
		}
		if (r == 0)
			add_spelling(s, text, order[ours][i].form == NFKC, raw);
	}
	return 0;
}

/* --- turns --- */

static bool
turn(int *fd)
{
	if (slot_take(limit.dir, LOCK_FILE, slots(), limit.wait_ms, fd) == SLOT_MINE)
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
	uint8_t key[PASSWORD_KEY_MAX];
	struct str normal;
	int fd, r;

	if (password.p == NULL || password.n > PASSWORD_MAX)
		return PASSWORD_WRONG;
	r = normalise(password, NFKC, &normal);
	if (r != 0)
		return r > 0 ? PASSWORD_WRONG : PASSWORD_BUSY;
	if (!turn(&fd))
		goto normal;
	random_chars(salt, SALT_CHARS, alphanumerics, sizeof(alphanumerics) - 1);
	if (derive_now(normal, str_of(salt), key) == 0) {
		EVP_EncodeBlock(text, key, sizeof(key));
		*encoded = arena_printf(a, "scrypt$%u$%s$%d$%d$%s", (unsigned)PASSWORD_N, salt,
		    PASSWORD_R, PASSWORD_P, (char *)text);
		verdict = PASSWORD_RIGHT;
	}
	slot_release(fd);
	OPENSSL_cleanse(key, sizeof(key));
normal:
	forget(normal);
	return verdict;
}

/* One comparison, within a turn. h is NULL where there is no hash to compare with. */
static enum password_verdict
compare(const struct password_hash *h, struct str password)
{
	uint8_t key[PASSWORD_KEY_MAX];
	int64_t before = cpu_now();
	bool same;

	if (h == NULL)
		return derive_now(password, STR("nobody"), key) == 0 ? PASSWORD_WRONG
		                                                     : PASSWORD_BUSY;
	if (!password_scrypt_is_weak(h) && h->n == PASSWORD_N && h->r == PASSWORD_R &&
	    h->p == PASSWORD_P) {
		if (derive_now(password, h->salt, key) != 0)
			return PASSWORD_BUSY;
	} else if (h->form->derive(h, password, key) != 0) {
		return PASSWORD_BUSY;
	}
	same = CRYPTO_memcmp(key, h->key, h->key_size) == 0;
	OPENSSL_cleanse(key, sizeof(key));
	if (same)
		return PASSWORD_RIGHT;
	if (password_scrypt_is_weak(h) && spend_rest(cpu_now() - before) != 0)
		return PASSWORD_BUSY;
	return PASSWORD_WRONG;
}

/*
 * Until `began` is the floor's time ago, once for each spelling that was tried. On a machine so slow
 * that a hash takes longer than the configured time, that of the hash and a quarter.
 */
static void
wait_for_floor(int64_t began, size_t spellings)
{
	int64_t floor = limit.floor_ms * 1000, left;

	if (floor == 0)
		return;
	if (floor < full_cost + full_cost / 4)
		floor = full_cost + full_cost / 4;
	left = began + floor * (int64_t)spellings - clock_monotonic();
	if (left > 0)
		nanosleep(&(struct timespec){ left / SECOND, left % SECOND * 1000 }, NULL);
}

enum password_verdict
password_check(struct str encoded, struct str password, bool *weak)
{
	enum password_verdict verdict = PASSWORD_WRONG;
	struct password_hash hash = { .form = NULL };
	const struct password_hash *h = decode(encoded, &hash) ? &hash : NULL;
	struct spellings s;
	int64_t began;
	size_t i;
	int fd;

	*weak = false;
	if (password.p == NULL || password.n > PASSWORD_MAX)
		return PASSWORD_WRONG;
	if (spell(password, h == NULL || !password_scrypt_is_weak(h), &s) != 0)
		return PASSWORD_BUSY;
	if (!turn(&fd)) {
		forget_spellings(&s, password);
		return PASSWORD_BUSY;
	}
	began = clock_monotonic();
	for (i = 0; i < s.n && verdict == PASSWORD_WRONG; i++)
		verdict = compare(h, s.tried[i].text);
	slot_release(fd);
	if (verdict == PASSWORD_RIGHT)
		*weak = password_scrypt_is_weak(h) || !s.tried[i - 1].is_nfkc;
	forget_spellings(&s, password);
	if (verdict == PASSWORD_WRONG)
		wait_for_floor(began, s.n);
	return verdict;
}

struct str
password_generate(struct arena *a)
{
	static const char set[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: five bits each */
	struct str why[PASSWORD_RULES], made;
	char c[21];

	/* where a list cannot be read none would do: what sets it says so */
	for (int i = 0; i < 100; i++) {
		random_chars(c, sizeof(c) - 1, set, sizeof(set) - 1);
		made = arena_printf(a, "%.5s-%.5s-%.5s-%.5s", c, c + 5, c + 10, c + 15);
		if (password_problems(
		        a, made, &(struct password_owner){ .username = STR_NONE }, 15, why) == 0)
			break;
	}
	OPENSSL_cleanse(c, sizeof(c));
	return made;
}
