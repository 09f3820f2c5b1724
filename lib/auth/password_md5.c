/*
 * password_md5: "md5$salt$key", and without salt "md5$$key" or the key alone, as the oldest sites have
 * them: the key in hexadecimal. A billion guesses a second: password.c takes it only where PASSWORD_IMPORT_MD5 says so,
 * until its owner has signed in once.
 */
#include <openssl/evp.h>

#include "auth/password_hash.h"
#include "base/log.h"

#define KEY 16

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_bare(struct str text, struct password_hash *h)
{
	if (text.n != (size_t)2 * KEY)
		return false;
	for (size_t i = 0; i < KEY; i++) {
		int high = digit(text.p[2 * i]), low = digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		h->key[i] = (uint8_t)(high << 4 | low);
	}
	h->salt = STR("");
	h->key_size = KEY;
	return true;
}

static bool
read_md5(struct str rest, struct password_hash *h)
{
	struct str part[2];

	if (password_split(rest, NELEM(part), part) != NELEM(part) ||
	    (part[0].n > 0 && !password_is_salt(part[0])) || !read_bare(part[1], h))
		return false;
	h->salt = part[0];
	return true;
}

static int
derive(const struct password_hash *h, struct str password, uint8_t *key)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	int r = -1;

	if (c != NULL && EVP_DigestInit_ex(c, EVP_md5(), NULL) == 1 &&
	    EVP_DigestUpdate(c, h->salt.p, h->salt.n) == 1 &&
	    EVP_DigestUpdate(c, password.p, password.n) == 1 &&
	    EVP_DigestFinal_ex(c, key, NULL) == 1)
		r = 0;
	else
		log_warn("a password hash could not be computed", LOG_TEXT("form", "md5"));
	EVP_MD_CTX_free(c);
	return r;
}

const struct password_form password_md5_bare = { "", read_bare, derive };
const struct password_form password_md5 = { "md5", read_md5, derive };
