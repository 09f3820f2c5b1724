/*
 * hash: the texts of stored passwords, read byte by byte, and what is said where a library has no memory.
 * The libraries' functions are wrapped: they fail where a test says so, and scrypt answers at once.
 */
#include "unit.h"

#include <argon2.h>
#include <crypt.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>
#include <utf8proc.h>

#include "auth/password_hash.h"
#include "auth/slot.h"
#include "base/clock.h"
#include "heard.h"
#include "passwords.h"

/* --- what fails --- */

static int failing; /* the how-manieth call from now on fails; 0: none */

static bool
fails(void)
{
	return failing > 0 && --failing == 0;
}

#define WRAP(type, name, parameters, arguments, failure) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails() ? (failure) : __real_##name arguments; \
	}

WRAP(int, PKCS5_PBKDF2_HMAC,
    (const char *p, int n, const unsigned char *salt, int nsalt, int iterations, const EVP_MD *md,
        int nkey, unsigned char *key),
    (p, n, salt, nsalt, iterations, md, nkey, key), 0)
WRAP(int, argon2_ctx, (argon2_context * c, argon2_type type), (c, type),
    ARGON2_MEMORY_ALLOCATION_ERROR)
WRAP(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), NULL)
WRAP(int, EVP_DigestInit_ex, (EVP_MD_CTX * c, const EVP_MD *md, ENGINE *e), (c, md, e), 0)
WRAP(int, EVP_DigestUpdate, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n), 0)
WRAP(int, EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *key, unsigned *n), (c, key, n), 0)
WRAP(int, EVP_Digest,
    (const void *p, size_t n, unsigned char *key, unsigned *size, const EVP_MD *md, ENGINE *e),
    (p, n, key, size, md, e), 0)
WRAP(char *, crypt_r, (const char *p, const char *setting, struct crypt_data *data),
    (p, setting, data), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(utf8proc_ssize_t, utf8proc_map,
    (const utf8proc_uint8_t *p, utf8proc_ssize_t n, utf8proc_uint8_t **out,
        utf8proc_option_t options),
    (p, n, out, options), UTF8PROC_ERROR_NOMEM)

/* What it was asked for, and how often; its key is made of what it was given. */
static struct {
	int calls;
	uint64_t n;
	uint32_t r, p;
	double cost; /* of all calls, where one of today's is 1 */
	int64_t us; /* of the processor that one of today's takes; 0: none */
} scrypt;

static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static void
take_time(double cost)
{
	int64_t end = cpu_us() + (int64_t)(cost * (double)scrypt.us);

	scrypt.cost += cost;
	while (cpu_us() < end)
		;
}

int __wrap_libscrypt_scrypt(const uint8_t *, size_t, const uint8_t *, size_t, uint64_t, uint32_t,
    uint32_t, uint8_t *, size_t);
int
__wrap_libscrypt_scrypt(const uint8_t *password, size_t npassword, const uint8_t *salt,
    size_t nsalt, uint64_t n, uint32_t r, uint32_t p, uint8_t *key, size_t nkey)
{
	unsigned char digest[32];

	scrypt.calls++;
	scrypt.n = n;
	scrypt.r = r;
	scrypt.p = p;
	take_time((double)(n * r * p) / (PASSWORD_N * PASSWORD_R * PASSWORD_P));
	errno = ENOMEM;
	if (fails())
		return -1;
	assert_int_equal(nkey, 64);
	assert_int_equal(
	    __real_EVP_Digest(password, npassword, digest, NULL, EVP_sha256(), NULL), 1);
	memcpy(key, digest, 32);
	memset(key + 32, (int)nsalt, 32);
	if (nsalt > 0)
		key[63] = salt[0];
	return 0;
}

/* --- the pieces of a text --- */

static void
texts_are_divided_at_dollars(void **state)
{
	struct str part[3];

	(void)state;
	assert_int_equal(password_split(STR("a$b$c"), 3, part), 3);
	assert_str(part[2], "c");
	assert_int_equal(part[0].n, 1);
	assert_int_equal(password_split(STR("a$b"), 3, part), 2);
	assert_int_equal(password_split(STR("a$b$c$"), 3, part), 4);
	assert_int_equal(password_split(STR("$$"), 3, part), 3);
	assert_int_equal(part[1].n, 0);
	assert_int_equal(password_split(STR(""), 3, part), 1);
	assert_int_equal(password_split((struct str){ "a$b$c", 3 }, 3, part), 2);
}

static void
numbers_are_decimal_and_bounded(void **state)
{
	static const char *const bad[] = { "", "0", "01", "-1", "+1", " 1", "1 ", "1x", ":", "/",
		"10000000000", "99999999999" };
	uint64_t n = 0;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(password_number(str_of(bad[i]), UINT64_MAX >> 1, &n));
	for (int i = 1; i <= 9; i++) {
		char digit[2] = { (char)('0' + i), '\0' };

		assert_true(password_number(str_of(digit), 9, &n));
		assert_int_equal(n, i);
	}
	assert_true(password_number(STR("9999999999"), UINT64_C(9999999999), &n));
	assert_true(n == UINT64_C(9999999999));
	assert_false(password_number(STR("9999999999"), UINT64_C(9999999998), &n));
	assert_true(password_number(STR("10"), 10, &n));
}

static void
salts_are_printing_ascii(void **state)
{
	char text[200];

	(void)state;
	for (int i = 0; i < 256; i++) {
		char c[3] = { 'a', (char)i, 'b' };

		assert_int_equal(password_is_salt((struct str){ c, 3 }), i > ' ' && i <= '~');
	}
	memset(text, 'a', sizeof(text));
	assert_false(password_is_salt((struct str){ text, 0 }));
	assert_true(password_is_salt((struct str){ text, 1 }));
	assert_true(password_is_salt((struct str){ text, 128 }));
	assert_false(password_is_salt((struct str){ text, 129 }));
}

static void
base64_is_read_as_it_is_written(void **state)
{
	static const char *const bad[] = { "", "=", "====", "A===", "AAA",
		"AA=", "AB==", "AAB=", "A=AA", "AA=A", "AAAA=", "AA AA", " AAA", "AAA\n", "AAAA\n",
		"-AAA", "_AAA", "AA-=", "AAAAAA==AAAA", "AAA=AAA=" };
	static const char *const bare[] = { "A", "AB", "AAB", "AA==", "AAA=", "AAAAA", "AA=", "=" };
	uint8_t bytes[64], out[64];
	unsigned char text[100];
	size_t n;

	(void)state;
	for (int i = 0; i < 64; i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (int size = 1; size <= 64; size++) {
		size_t length = (size_t)EVP_EncodeBlock(text, bytes, size), plain = length;

		assert_true(password_base64((struct str){ (char *)text, length }, true, out, &n));
		assert_int_equal(n, size);
		assert_memory_equal(out, bytes, (size_t)size);
		while (text[plain - 1] == '=')
			plain--;
		assert_true(password_base64((struct str){ (char *)text, plain }, false, out, &n));
		assert_int_equal(n, size);
		assert_memory_equal(out, bytes, (size_t)size);
		if (plain < length) {
			assert_false(
			    password_base64((struct str){ (char *)text, plain }, true, out, &n));
			assert_false(
			    password_base64((struct str){ (char *)text, length }, false, out, &n));
		}
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(password_base64(str_of(bad[i]), true, out, &n));
	for (size_t i = 0; i < NELEM(bare); i++)
		assert_false(password_base64(str_of(bare[i]), false, out, &n));
	/* 65 and 66 bytes fit into the text of 64, and not into the key */
	memset(text, 'A', sizeof(text));
	assert_false(password_base64((struct str){ (char *)text, 88 }, true, out, &n));
	assert_false(password_base64((struct str){ (char *)text, 87 }, false, out, &n));
	assert_false(password_base64((struct str){ (char *)text, 92 }, true, out, &n));
	assert_true(password_base64((struct str){ (char *)text, 86 }, false, out, &n));
}

/* --- the forms --- */

static bool
reads(const struct password_form *form, const char *rest)
{
	struct password_hash h = { .form = form };

	return form->read(str_of(rest), &h);
}

#define KEY_64 \
	"Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="
#define KEY_32 "JJtIAJC9KWvQ9WDM4y9WhU2C66Nvmo3lk51VIde/Fkg="
#define KEY_20 "3EiDDj/gnJCE6+wPibArerVhyDw="
#define BCRYPT "$2b$04$qBrOm.NNr4sP2FETwuWr4OzRmHfRBL7mQ9ylOUfTPksyFsjhHXLfO"

/* Each byte of a text that is read, replaced by each other byte. */
static void
bcrypt_is_of_60_letters_of_its_own(void **state)
{
	static const char letters[] =
	    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char text[] = BCRYPT "x";

	(void)state;
	text[60] = '\0';
	assert_true(reads(&password_bcrypt, text));
	assert_true(reads(&password_bcrypt_sha256, text));
	for (size_t at = 0; at < 60; at++)
		for (int i = 1; i < 256; i++) {
			char was = text[at], c = (char)i;
			bool good = at == 2 ? strchr("aby", i) != NULL
			    : at == 4       ? c == '0'
			    : at == 5       ? c >= '4' && c <= '9'
			    : at < 7        ? c == was
			                    : strchr(letters, i) != NULL;

			text[at] = c;
			if (at == 4 && c == '1')
				good = true; /* 14 rounds */
			assert_int_equal(reads(&password_bcrypt, text), good);
			text[at] = was;
		}
	text[4] = '1';
	for (char c = '0'; c <= '9'; c++) {
		text[5] = c;
		assert_int_equal(reads(&password_bcrypt, text), c <= '5');
	}
	text[59] = '\0';
	assert_false(reads(&password_bcrypt, text));
	assert_false(reads(&password_bcrypt, BCRYPT "x"));
}

static void
md5_is_32_digits(void **state)
{
	char text[] = "0123456789abcdef0123456789abcdef", salted[100];
	struct password_hash h = { .n = 0 };

	(void)state;
	assert_true(password_md5_bare.read(str_of(text), &h));
	assert_int_equal(h.key_size, 16);
	for (int i = 0; i < 8; i++)
		assert_int_equal(h.key[i], 0x01 + 0x22 * i);
	for (size_t at = 0; at < 32; at += 31)
		for (int i = 1; i < 256; i++) {
			char was = text[at];

			text[at] = (char)i;
			assert_int_equal(reads(&password_md5_bare, text),
			    (i >= '0' && i <= '9') || (i >= 'a' && i <= 'f'));
			text[at] = was;
		}
	assert_false(reads(&password_md5_bare, "0123456789abcdef0123456789abcde"));
	assert_false(reads(&password_md5_bare, "0123456789abcdef0123456789abcdef0"));
	snprintf(salted, sizeof(salted), "salt$%s", text);
	assert_true(reads(&password_md5, salted));
	snprintf(salted, sizeof(salted), "$%s", text);
	assert_true(reads(&password_md5, salted));
	snprintf(salted, sizeof(salted), "s lt$%s", text);
	assert_false(reads(&password_md5, salted));
	snprintf(salted, sizeof(salted), "salt$%s$", text);
	assert_false(reads(&password_md5, salted));
	assert_false(reads(&password_md5, text));
	assert_false(reads(&password_md5, "salt$0123"));
}

static void
keys_are_as_long_as_their_form_says(void **state)
{
	static const struct {
		const struct password_form *form;
		const char *rest;
		bool good;
	} all[] = { { &password_pbkdf2_sha256, "1$s$" KEY_32, true },
		{ &password_pbkdf2_sha256, "1$s$" KEY_20, false },
		{ &password_pbkdf2_sha256, "10000000$s$" KEY_32, true },
		{ &password_pbkdf2_sha256, "10000001$s$" KEY_32, false },
		{ &password_pbkdf2_sha256, "1$s$x" KEY_32, false },
		{ &password_pbkdf2_sha256, "1$s", false },
		{ &password_pbkdf2_sha256, "1$$" KEY_32, false },
		{ &password_pbkdf2_sha1, "1$s$" KEY_20, true },
		{ &password_pbkdf2_sha1, "1$s$" KEY_32, false },
		{ &password_scrypt, "2$s$1$1$" KEY_64, true },
		{ &password_scrypt, "1$s$1$1$" KEY_64, false },
		{ &password_scrypt, "3$s$1$1$" KEY_64, false },
		{ &password_scrypt, "2$s$1$1$" KEY_32, false },
		{ &password_scrypt, "2$s$1024$1$" KEY_64, true },
		{ &password_scrypt, "2$s$1025$1$" KEY_64, false },
		{ &password_scrypt, "2$s$1$16$" KEY_64, true },
		{ &password_scrypt, "2$s$1$17$" KEY_64, false },
		{ &password_scrypt, "1048576$s$2$4$" KEY_64, true },
		{ &password_scrypt, "1048576$s$2$5$" KEY_64, false },
		{ &password_scrypt, "1048576$s$3$1$" KEY_64, false },
		{ &password_scrypt, "2097152$s$1$1$" KEY_64, false },
		{ &password_scrypt, "2$s$0$1$" KEY_64, false },
		{ &password_scrypt, "2$s$1$0$" KEY_64, false },
		{ &password_scrypt, "2$s$1$1$x", false }, { &password_scrypt, "2$s$1$1", false },
		{ &password_scrypt, "2$ $1$1$" KEY_64, false } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++)
		if (reads(all[i].form, all[i].rest) != all[i].good)
			fail_msg("%s", all[i].rest);
}

#define SALT "QWJjZGVmZ2g"
#define KEY_16 "MgbVCdcxZb6NYu1PDvusCg"

static void
argon2_is_read_in_its_versions(void **state)
{
	static const char *const good[] = { "argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY_16,
		"argon2i$v=16$m=8,t=1,p=1$" SALT "$" KEY_16, "argon2i$m=8,t=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m=262144,t=8,p=16$" SALT "$" KEY_16,
		"argon2id$v=19$m=2048,t=1024,p=16$" SALT "$" KEY_16 };
	static const char *const bad[] = { "argon2id$v=18$m=8,t=1,p=1$" SALT "$" KEY_16,
		"argon2d$m=8,t=1,p=1$" SALT "$" KEY_16, "argon2id$v=19$m=8,t=1,p=1$" SALT,
		"argon2id$v=19$m=7,t=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m=15,t=1,p=2$" SALT "$" KEY_16,
		"argon2id$v=19$m=2049,t=1024,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m=1024,t=1025,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$$" SALT "$" KEY_16, "argon2id$v=19$m=8,t=1,p=1,$" SALT "$" KEY_16,
		"argon2id$v=19$m=,t=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m8,t=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m=8,x=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m=8,t=1,p=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m:8,t=1,p=1$" SALT "$" KEY_16,
		"argon2id$v=19$m=8,t=1,p=1$QWJjZGVmZw$" KEY_16,
		"argon2id$v=19$m=8,t=1,p=1$" SALT "$!", "argon2id$v=19$m=8,t=1,p=1$!$" KEY_16,
		"argon2id$v=19$m=8,t=1,p=1$" SALT "$MgbVCdcxZb6NYu1PDvus",
		"argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY_16 "$", "argon2id" };

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		if (!reads(&password_argon2, good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (reads(&password_argon2, bad[i]))
			fail_msg("%s", bad[i]);
}

/* --- keys --- */

static int
derive(const struct password_form *form, const char *rest, struct str password, uint8_t *key)
{
	static char text[200];
	struct password_hash h = { .form = form };

	snprintf(text, sizeof(text), "%s", rest);
	assert_true(form->read(str_of(text), &h));
	memset(key, 0xee, 64);
	return form->derive(&h, password, key);
}

static const struct {
	const char *name, *password, *encoded;
} django[] = {
#include "django_hashes.inc"
};

/* Those of scrypt apart, which is wrapped here. */
static void
every_hash_of_django_has_the_key_of_its_password(void **state)
{
	static const struct password_form *const forms[] = { &password_pbkdf2_sha256,
		&password_pbkdf2_sha1, &password_argon2, &password_bcrypt_sha256, &password_bcrypt,
		&password_md5, &password_md5_bare };
	char p[200];
	int n = 0;

	(void)state;
	for (size_t i = 0; i < NELEM(django); i++)
		for (size_t k = 0; k < NELEM(forms); k++) {
			struct password_hash h = { .form = forms[k] };
			size_t word = strlen(forms[k]->word),
			       dollar = strcspn(django[i].encoded, "$");
			struct str rest = str_of(django[i].encoded + (word == 0 ? 0 : word + 1));
			uint8_t key[64];

			if (word != (django[i].encoded[dollar] == '\0' ? 0 : dollar) ||
			    strncmp(django[i].encoded, forms[k]->word, word) != 0)
				continue;
			n++;
			snprintf(p, sizeof(p), "%s", django[i].password);
			assert_true(h.form->read(rest, &h));
			assert_int_equal(h.form->derive(&h, str_of(p), key), 0);
			assert_memory_equal(key, h.key, h.key_size);
			p[0] ^= 1;
			assert_int_equal(h.form->derive(&h, str_of(p), key), 0);
			assert_memory_not_equal(key, h.key, h.key_size);
		}
	assert_int_equal(n, NELEM(django) - 2);
}

/* Right where all goes well, -1 whichever call fails: never a key that might be compared. */
static void
libraries_that_fail_make_no_key(void **state)
{
	static const struct {
		const struct password_form *form;
		const char *rest;
		int calls; /* that may fail */
		const char *said; /* of the last; NULL: nothing */
	} all[] = { { &password_pbkdf2_sha256, "1$s$" KEY_32, 1, NULL },
		{ &password_pbkdf2_sha1, "1$s$" KEY_20, 1, NULL },
		{ &password_argon2, "argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY_16, 1,
		    "\"event\":\"a password hash could not be "
		    "computed\",\"memory\":8192,\"error\":\"M" },
		{ &password_md5, "s$0123456789abcdef0123456789abcdef", 5, NULL },
		{ &password_bcrypt_sha256, BCRYPT, 2, "\"error\":\"no memory\"" },
		{ &password_bcrypt, BCRYPT, 1, "\"error\":\"no memory\"" },
		{ &password_scrypt, "2$s$1$1$" KEY_64, 1,
		    "\"event\":\"a password hash could not be "
		    "computed\",\"memory\":256,\"error\":\"C" } };
	uint8_t key[64];

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		assert_int_equal(derive(all[i].form, all[i].rest, STR("a"), key), 0);
		for (int call = 1; call <= all[i].calls; call++) {
			const char *said;

			failing = call;
			hear();
			assert_int_equal(derive(all[i].form, all[i].rest, STR("a"), key), -1);
			said = heard();
			assert_int_equal(failing, 0);
			if (all[i].said != NULL && call == all[i].calls)
				assert_non_null(strstr(said, all[i].said));
		}
	}
	/* libcrypt says no by NULL: then the key is one that no hash has */
	failing = 2;
	assert_int_equal(derive(&password_bcrypt, BCRYPT, STR("a"), key), 0);
	assert_int_equal(failing, 0);
	for (int i = 0; i < 31; i++)
		assert_int_equal(key[i], 0);
}

/* 72 bytes, and none with a NUL. */
static void
bcrypt_sees_72_bytes(void **state)
{
	uint8_t one[64], other[64];
	char p[80];

	(void)state;
	memset(p, 'a', sizeof(p));
	assert_int_equal(derive(&password_bcrypt, BCRYPT, (struct str){ p, 72 }, one), 0);
	p[72] = 'b';
	assert_int_equal(derive(&password_bcrypt, BCRYPT, (struct str){ p, 80 }, other), 0);
	assert_memory_equal(one, other, 31);
	p[71] = 'b';
	assert_int_equal(derive(&password_bcrypt, BCRYPT, (struct str){ p, 72 }, other), 0);
	assert_memory_not_equal(one, other, 31);
	p[71] = '\0';
	assert_int_equal(derive(&password_bcrypt, BCRYPT, (struct str){ p, 72 }, other), 0);
	for (int i = 0; i < 31; i++)
		assert_int_equal(other[i], 0);
	assert_int_equal(derive(&password_bcrypt, BCRYPT, STR(""), other), 0);
	assert_int_not_equal(other[0], 0);
}

static void
weak_is_what_falls_short_in_anything(void **state)
{
	static const struct {
		const char *rest;
		bool weak;
	} all[] = { { "131072$0123456789abcdef$8$1$" KEY_64, false },
		{ "65536$0123456789abcdef$8$1$" KEY_64, true },
		{ "131072$0123456789abcde$8$1$" KEY_64, true },
		{ "131072$0123456789abcdef$7$1$" KEY_64, true },
		{ "262144$0123456789abcdef$8$1$" KEY_64, false },
		{ "131072$0123456789abcdef$8$2$" KEY_64, false },
		{ "131072$0123456789abcdef$9$1$" KEY_64, false } };
	struct password_hash h = { .form = &password_md5 };

	(void)state;
	assert_true(password_scrypt_is_weak(&h));
	for (size_t i = 0; i < NELEM(all); i++) {
		h.form = &password_scrypt;
		assert_true(password_scrypt.read(str_of(all[i].rest), &h));
		assert_int_equal(password_scrypt_is_weak(&h), all[i].weak);
		/* and what is asked of scrypt is what stands there */
		scrypt.calls = 0;
		assert_int_equal(password_scrypt.derive(&h, STR("x"), h.key), 0);
		assert_int_equal(scrypt.calls, 1);
		assert_true(scrypt.n == h.n && scrypt.r == h.r && scrypt.p == h.p);
	}
	h.p = 0;
	assert_true(password_scrypt_is_weak(&h));
}

/* --- the whole check, where scrypt takes as long as it is told to --- */

/* What it costs to be wrong about this hash, in hashes of today's. */
static double
cost_of_wrong(const char *encoded)
{
	bool weak;

	scrypt.cost = 0;
	scrypt.calls = 0;
	assert_int_equal(password_check(str_of(encoded), STR("wrong"), &weak), PASSWORD_WRONG);
	return scrypt.cost;
}

/* First of all: nobody knows yet what one of today's takes. */
static void
wrong_costs_one_of_todays_whatever_is_stored(void **state)
{
	static const int shares[] = { 2, 8, 16, 64 }; /* at 4 it may be a little more or less */
	char text[200];
	bool weak;

	(void)state;
	scrypt.us = 4000;
	/* three spellings, the weaker hash, and the first of today's, for which there is no memory */
	failing = 5;
	assert_int_equal(
	    password_check(STR("scrypt$2$s$1$1$" KEY_64), STR("x"), &weak), PASSWORD_BUSY);
	assert_int_equal(failing, 0);
	(void)cost_of_wrong("scrypt$2$s$1$1$" KEY_64);
	assert_int_equal(scrypt.calls, 3); /* it, one to know what it takes, one to take it */
	for (int i = 0; i < 12; i++)
		(void)cost_of_wrong("");
	assert_int_equal(scrypt.calls, 1);
	assert_true(scrypt.cost == 1.0);
	(void)cost_of_wrong("scrypt$2$s$1$1$" KEY_64);
	assert_int_equal(scrypt.calls, 2);
	for (size_t i = 0; i < NELEM(shares); i++) {
		double cost;

		snprintf(
		    text, sizeof(text), "scrypt$%d$salt$8$1$%s", (1 << 17) / shares[i], KEY_64);
		cost = cost_of_wrong(text);
		if (cost < 0.95 || cost > 1.2)
			fail_msg("1/%d: %g", shares[i], cost);
	}
	/* one that is stronger costs what it costs, and is what is asked */
	assert_true(cost_of_wrong("scrypt$262144$0123456789abcdef$8$1$" KEY_64) == 2.0);
	assert_true(scrypt.calls == 1 && scrypt.n == 262144);
	assert_true(cost_of_wrong("scrypt$131072$0123456789abcdef$9$1$" KEY_64) == 9.0 / 8);
	assert_true(scrypt.calls == 1 && scrypt.r == 9);
	assert_true(cost_of_wrong("scrypt$131072$0123456789abcdef$8$2$" KEY_64) == 2.0);
	assert_true(scrypt.calls == 1 && scrypt.p == 2);
	scrypt.us = 0;
}

/* A clock that stands, but for what a hash takes by it and what is slept; 0: the real one. */
static int64_t clock_now_us, clock_step_us, slept_us;

int64_t __real_clock_monotonic(void);
int64_t __wrap_clock_monotonic(void);
int64_t
__wrap_clock_monotonic(void)
{
	return clock_now_us == 0 ? __real_clock_monotonic()
	                         : clock_now_us + clock_step_us * scrypt.calls;
}

int __wrap_nanosleep(const struct timespec *, struct timespec *);
int
__wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	slept_us += wanted->tv_sec * SECOND + wanted->tv_nsec / 1000;
	return 0;
}

/* How long the answer to a wrong password waits with that floor, where a hash takes so long. */
static int64_t
wait_of_wrong(const char *floor_ms, int64_t hash_us, const char *password)
{
	bool weak;

	setenv("MERIDIAN_PASSWORD_FLOOR_MS", floor_ms, 1);
	assert_int_equal(configure(), 0);
	slept_us = 0;
	scrypt.calls = 0;
	clock_now_us = DAY;
	clock_step_us = hash_us;
	assert_int_equal(password_check(STR_NONE, str_of(password), &weak), PASSWORD_WRONG);
	clock_now_us = 0;
	return slept_us;
}

static void
wrong_takes_as_long_as_the_floor(void **state)
{
	(void)state;
	scrypt.us = 2000;
	for (int i = 0; i < 20; i++)
		(void)cost_of_wrong("");
	assert_int_equal(wait_of_wrong("2000", 0, "x"), 2 * SECOND);
	assert_int_equal(wait_of_wrong("2000", 300000, "x"), 1700000);
	assert_int_equal(wait_of_wrong("2000", 2 * SECOND, "x"), 0);
	assert_int_equal(wait_of_wrong("2000", 3 * SECOND, "x"), 0);
	/* once for each spelling: here in compatible letters, as typed, composed */
	assert_int_equal(wait_of_wrong("2000", 300000, "e\xcc\x81 \xef\xac\x81"), 5100000);
	/* where a hash takes longer than the floor, that of the hash and a quarter */
	assert_in_range(wait_of_wrong("1", 0, "x"), 2500, 7500);
	assert_int_equal(wait_of_wrong("0", 0, "x"), 0);
	scrypt.us = 0;
}

static int random_byte = -1; /* the next one; -1: those of the kernel */

ssize_t __real_getrandom(void *, size_t, unsigned);
ssize_t __wrap_getrandom(void *, size_t, unsigned);
ssize_t
__wrap_getrandom(void *to, size_t n, unsigned flags)
{
	if (random_byte < 0)
		return __real_getrandom(to, n, flags);
	for (size_t i = 0; i < n; i++, random_byte = (random_byte + 1) % 256)
		((uint8_t *)to)[i] = (uint8_t)random_byte;
	return (ssize_t)n;
}

/* Bytes that would make the first letters likelier than others are passed over. */
static void
each_letter_of_a_salt_is_as_likely(void **state)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct arena *a = fresh();
	struct str e, part[5];

	(void)state;
	random_byte = 236;
	assert_int_equal(password_hash(a, STR("x"), &e), PASSWORD_RIGHT);
	random_byte = -1;
	assert_int_equal(password_split((struct str){ e.p + 7, e.n - 7 }, 5, part), 5);
	/* 236 to 247, then 0 to 9 */
	assert_str(arena_copy(a, part[1].p, part[1].n),
	    arena_printf(a, "%.12s%.10s", letters + 50, letters).p);
}

static long cores; /* that this machine says it has; 0: those it has */

long __real_sysconf(int);
long __wrap_sysconf(int);
long
__wrap_sysconf(int name)
{
	return cores > 0 && name == _SC_NPROCESSORS_ONLN ? cores : __real_sysconf(name);
}

/* As many as there are cores but one, unless another number is set. */
static void
machine_computes_so_many_at_once(void **state)
{
	static const struct {
		const char *set;
		long cores;
		int turns;
	} all[] = { { "0", 1, 1 }, { "0", 2, 1 }, { "0", 3, 2 }, { "0", 4, 3 }, { "2", 4, 2 },
		{ "1", 4, 1 } };

	(void)state;
	setenv("MERIDIAN_PASSWORD_HASH_WAIT_MS", "1", 1);
	for (size_t i = 0; i < NELEM(all); i++) {
		struct str e;
		int fd[4];

		cores = all[i].cores;
		setenv("MERIDIAN_PASSWORD_HASHES", all[i].set, 1);
		assert_int_equal(configure(), 0);
		for (int n = 0; n <= all[i].turns; n++) {
			assert_int_equal(password_hash(fresh(), STR("x"), &e),
			    n < all[i].turns ? PASSWORD_RIGHT : PASSWORD_BUSY);
			if (n < all[i].turns)
				assert_int_equal(slot_take(dir, "passwords.lock",
				                     (unsigned)all[i].turns, 0, &fd[n]),
				    SLOT_MINE);
		}
		for (int n = 0; n < all[i].turns; n++)
			slot_release(fd[n]);
	}
	cores = 0;
	unsetenv("MERIDIAN_PASSWORD_HASHES");
	unsetenv("MERIDIAN_PASSWORD_HASH_WAIT_MS");
	assert_int_equal(configure(), 0);
}

/* The directory of before stays: turns are taken there. */
static void
directory_that_is_too_long_for_a_socket_is_passed_over(void **state)
{
	char directory[1100], name[1100];
	struct str e;

	(void)state;
	memset(directory, 'x', sizeof(directory) - 1);
	directory[0] = '/';
	directory[sizeof(directory) - 1] = '\0';
	setenv("MERIDIAN_RUN_DIR", directory, 1);
	assert_int_equal(configure(), 0);
	snprintf(name, sizeof(name), "%s/passwords.lock", dir);
	unlink(name);
	assert_int_equal(password_hash(fresh(), STR("x"), &e), PASSWORD_RIGHT);
	assert_int_equal(access(name, F_OK), 0);
	setenv("MERIDIAN_RUN_DIR", dir, 1);
	assert_int_equal(configure(), 0);
}

/* --- the whole check, where memory runs out --- */

static void
no_memory_is_busy_at_each_call(void **state)
{
	struct arena *a = fresh();
	struct str e, weaker, odd = STR("\xff\xfe");
	char text[300];
	bool weak;
	int n;

	(void)state;
	assert_int_equal(password_hash(a, STR("caf\xc3\xa9"), &e), PASSWORD_RIGHT);
	assert_int_equal(password_check(e, STR("caf\xc3\xa9"), &weak), PASSWORD_RIGHT);
	assert_false(weak);
	assert_int_equal(password_check(e, STR("coffee"), &weak), PASSWORD_WRONG);
	for (n = 1; n < 100; n++) {
		enum password_verdict v;

		failing = n;
		v = password_check(e, STR("caf\xc3\xa9"), &weak);
		if (failing > 0)
			break;
		assert_int_equal(v, PASSWORD_BUSY);
	}
	assert_int_equal(n, 5); /* three forms of Unicode, one hash */
	for (n = 1;; n++) {
		failing = n;
		if (password_hash(a, STR("caf\xc3\xa9"), &weaker) == PASSWORD_RIGHT && failing > 0)
			break;
		assert_int_equal(failing, 0);
	}
	assert_int_equal(n, 3);
	failing = 0;
	/* a weaker one, which costs another hash of today's */
	snprintf(text, sizeof(text), "scrypt$2$s$1$1$%s", KEY_64);
	weaker = str_of(text);
	for (n = 1; n < 100; n++) {
		enum password_verdict v;

		failing = n;
		v = password_check(weaker, STR("cafe\xcc\x81"), &weak);
		if (failing > 0)
			break;
		assert_int_equal(v, PASSWORD_BUSY);
	}
	assert_in_range(n, 4, 99);
	failing = 0;
	for (n = 1; n < 100; n++) {
		enum password_verdict v;

		failing = n;
		v = password_check(STR_NONE, STR("caf\xc3\xa9"), &weak);
		if (failing > 0)
			break;
		assert_int_equal(v, PASSWORD_BUSY);
	}
	failing = 0;
	/* what is no UTF-8 has no other spelling, and no hash of ours */
	assert_int_equal(password_hash(a, odd, &e), PASSWORD_WRONG);
	assert_int_equal(password_check(weaker, odd, &weak), PASSWORD_WRONG);
	assert_int_equal(password_check(weaker, STR_NONE, &weak), PASSWORD_WRONG);
	assert_int_equal(password_hash(a, STR_NONE, &e), PASSWORD_WRONG);
}

/* Ours are of the form NFKC, and not weak for that, however they are typed. */
static void
letters_that_are_compatible_are_as_good(void **state)
{
	struct str e;
	bool weak;

	(void)state;
	assert_int_equal(
	    password_hash(fresh(), STR("\xef\xac\x81 cafe\xcc\x81"), &e), PASSWORD_RIGHT);
	assert_int_equal(
	    password_check(e, STR("\xef\xac\x81 cafe\xcc\x81"), &weak), PASSWORD_RIGHT);
	assert_false(weak);
	assert_int_equal(password_check(e, STR("fi caf\xc3\xa9"), &weak), PASSWORD_RIGHT);
	assert_false(weak);
}

static void
passwords_end_at_their_longest(void **state)
{
	static char p[PASSWORD_MAX + 1];
	bool weak = true;
	struct str e;

	(void)state;
	memset(p, 'x', sizeof(p));
	assert_int_equal(
	    password_hash(fresh(), (struct str){ p, PASSWORD_MAX }, &e), PASSWORD_RIGHT);
	assert_int_equal(password_check(e, (struct str){ p, PASSWORD_MAX }, &weak), PASSWORD_RIGHT);
	scrypt.calls = 0;
	assert_int_equal(
	    password_check(e, (struct str){ p, PASSWORD_MAX + 1 }, &weak), PASSWORD_WRONG);
	assert_int_equal(scrypt.calls, 0);
	assert_false(weak);
	assert_false(password_readable(STR_NONE));
	assert_false(password_readable(STR("")));
	assert_false(password_readable(STR("scrypt")));
	assert_false(password_readable((struct str){ p, 600 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_costs_one_of_todays_whatever_is_stored), /* first */
		cmocka_unit_test(texts_are_divided_at_dollars),
		cmocka_unit_test(numbers_are_decimal_and_bounded),
		cmocka_unit_test(salts_are_printing_ascii),
		cmocka_unit_test(base64_is_read_as_it_is_written),
		cmocka_unit_test(bcrypt_is_of_60_letters_of_its_own),
		cmocka_unit_test(md5_is_32_digits),
		cmocka_unit_test(keys_are_as_long_as_their_form_says),
		cmocka_unit_test(argon2_is_read_in_its_versions),
		cmocka_unit_test(every_hash_of_django_has_the_key_of_its_password),
		cmocka_unit_test(libraries_that_fail_make_no_key),
		cmocka_unit_test(bcrypt_sees_72_bytes),
		cmocka_unit_test(weak_is_what_falls_short_in_anything),
		cmocka_unit_test(wrong_takes_as_long_as_the_floor),
		cmocka_unit_test(each_letter_of_a_salt_is_as_likely),
		cmocka_unit_test(machine_computes_so_many_at_once),
		cmocka_unit_test(directory_that_is_too_long_for_a_socket_is_passed_over),
		cmocka_unit_test(no_memory_is_busy_at_each_call),
		cmocka_unit_test(letters_that_are_compatible_are_as_good),
		cmocka_unit_test(passwords_end_at_their_longest),
	};

	return cmocka_run_group_tests_name("hash", tests, set_up, tear_down);
}
