/*
 * password_pbkdf2: "pbkdf2_sha256$iterations$salt$key", Django's own form for most of its life, and
 * pbkdf2_sha1 before it: the key 32 or 20 bytes in base64.
 */
#include <openssl/evp.h>

#include "auth/password_hash.h"
#include "base/log.h"

#define ITERATIONS_MAX 10000000

static bool
read_pbkdf2(struct str rest, struct password_hash *h, size_t key_size)
{
	struct str part[3];

	if (password_split(rest, NELEM(part), part) != NELEM(part) || !password_is_salt(part[1]) ||
	    !password_number(part[0], ITERATIONS_MAX, &h->n))
		return false;
	h->salt = part[1];
	return password_base64(part[2], true, h->key, &h->key_size) && h->key_size == key_size;
}

static bool
read_sha256(struct str rest, struct password_hash *h)
{
	return read_pbkdf2(rest, h, 32);
}

static bool
read_sha1(struct str rest, struct password_hash *h)
{
	return read_pbkdf2(rest, h, 20);
}

static int
derive(const struct password_hash *h, struct str password, const EVP_MD *digest, uint8_t *key)
{
	if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)h->salt.p,
	        (int)h->salt.n, (int)h->n, digest, (int)h->key_size, key) == 1)
		return 0;
	log_warn("a password hash could not be computed", LOG_INT("iterations", (int64_t)h->n));
	return -1;
}

static int
derive_sha256(const struct password_hash *h, struct str password, uint8_t *key)
{
	return derive(h, password, EVP_sha256(), key);
}

static int
derive_sha1(const struct password_hash *h, struct str password, uint8_t *key)
{
	return derive(h, password, EVP_sha1(), key);
}

const struct password_form password_pbkdf2_sha256 = { "pbkdf2_sha256", read_sha256, derive_sha256 };
const struct password_form password_pbkdf2_sha1 = { "pbkdf2_sha1", read_sha1, derive_sha1 };
