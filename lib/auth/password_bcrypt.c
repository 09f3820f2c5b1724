/*
 * password_bcrypt: "bcrypt$" and "bcrypt_sha256$" before bcrypt's own "$2b$rounds$salt+key", computed
 * by libcrypt. The second takes the SHA-256 of the password in hexadecimal, since bcrypt itself sees
 * 72 bytes only, and none behind a NUL.
 */
#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "auth/password_hash.h"
#include "base/log.h"

#define TEXT 60 /* of the whole; the last 31 characters are the key */
#define KEY 31
#define SETTING (TEXT - KEY)
#define ROUNDS_MIN 4 /* as powers of two */
#define ROUNDS_MAX 15 /* some two seconds */
#define SEEN 72

static const char letters[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static bool
read_bcrypt(struct str rest, struct password_hash *h)
{
	int rounds;

	if (rest.n != TEXT || memcmp(rest.p, "$2", 2) != 0 || memchr("aby", rest.p[2], 3) == NULL ||
	    rest.p[3] != '$' || rest.p[4] < '0' || rest.p[4] > '9' || rest.p[5] < '0' ||
	    rest.p[5] > '9' || rest.p[6] != '$')
		return false;
	rounds = (rest.p[4] - '0') * 10 + (rest.p[5] - '0');
	if (rounds < ROUNDS_MIN || rounds > ROUNDS_MAX)
		return false;
	for (size_t i = 7; i < TEXT; i++)
		if (memchr(letters, rest.p[i], sizeof(letters) - 1) == NULL)
			return false;
	h->salt = (struct str){ rest.p, SETTING };
	h->n = (uint64_t)rounds;
	h->key_size = KEY;
	memcpy(h->key, rest.p + SETTING, KEY);
	return true;
}

/* The key where the password cannot have one is of NUL bytes: no hash has that. */
static int
derive(const struct password_hash *h, struct str password, uint8_t *key)
{
	struct crypt_data *data;
	char seen[SEEN + 1] = "", setting[TEXT + 1];
	const char *made;

	memset(key, 0, KEY);
	if (password.n > SEEN)
		password.n = SEEN;
	if (password.n > 0 && memchr(password.p, '\0', password.n) != NULL)
		return 0;
	data = calloc(1, sizeof(*data));
	if (data == NULL) {
		log_warn("a password hash could not be computed", LOG_TEXT("error", "no memory"));
		return -1;
	}
	memcpy(seen, password.p, password.n);
	memcpy(setting, h->salt.p, SETTING);
	setting[SETTING] = '\0';
	made = crypt_r(seen, setting, data);
	if (made != NULL && strlen(made) == TEXT)
		memcpy(key, made + SETTING, KEY);
	OPENSSL_cleanse(seen, sizeof(seen));
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return 0;
}

static int
derive_sha256(const struct password_hash *h, struct str password, uint8_t *key)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t digest[32];
	char text[2 * sizeof(digest)];
	int r = -1;

	if (EVP_Digest(password.p, password.n, digest, NULL, EVP_sha256(), NULL) == 1) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = hex[i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15];
		r = derive(h, (struct str){ text, sizeof(text) }, key);
	}
	OPENSSL_cleanse(digest, sizeof(digest));
	OPENSSL_cleanse(text, sizeof(text));
	return r;
}

const struct password_form password_bcrypt = { "bcrypt", read_bcrypt, derive };
const struct password_form password_bcrypt_sha256 = { "bcrypt_sha256", read_bcrypt, derive_sha256 };
