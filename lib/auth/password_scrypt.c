/*
 * password_scrypt: "scrypt$N$salt$r$p$key", the form that hashes are made in: N, r and p decimal, the
 * salt its own ASCII bytes (Django draws 22 letters and digits, 131 bits), the key 64 bytes in base64.
 */
#include <errno.h>
#include <libscrypt.h>
#include <string.h>

#include "auth/password_hash.h"
#include "base/log.h"

#define N_MAX (UINT64_C(1) << 20)
#define MEMORY_MAX (UINT64_C(256) << 20) /* bytes: 128 * N * r */
#define WORK_MAX (UINT64_C(8) * PASSWORD_N * PASSWORD_R * PASSWORD_P)
#define P_MAX 16
#define SALT_STRONG 16 /* bytes; a shorter one makes a hash weak */

static bool
read_scrypt(struct str rest, struct password_hash *h)
{
	struct str part[5];
	uint64_t r, p;

	if (password_split(rest, NELEM(part), part) != NELEM(part) || !password_is_salt(part[1]))
		return false;
	if (!password_number(part[0], N_MAX, &h->n) || h->n < 2 || (h->n & (h->n - 1)) != 0 ||
	    !password_number(part[2], 1024, &r) || !password_number(part[3], P_MAX, &p) ||
	    128 * h->n * r > MEMORY_MAX || h->n * r * p > WORK_MAX)
		return false;
	h->r = (uint32_t)r;
	h->p = (uint32_t)p;
	h->salt = part[1];
	return password_base64(part[4], true, h->key, &h->key_size) &&
	    h->key_size == PASSWORD_KEY_MAX;
}

int
password_scrypt_derive(struct str password, struct str salt, uint64_t n, uint32_t r, uint32_t p,
    uint8_t key[PASSWORD_KEY_MAX])
{
	if (libscrypt_scrypt((const uint8_t *)password.p, password.n, (const uint8_t *)salt.p,
	        salt.n, n, r, p, key, PASSWORD_KEY_MAX) == 0)
		return 0;
	log_warn("a password hash could not be computed", LOG_INT("memory", (int64_t)(128 * n * r)),
	    LOG_TEXT("error", strerror(errno)));
	return -1;
}

static int
derive(const struct password_hash *h, struct str password, uint8_t *key)
{
	return password_scrypt_derive(password, h->salt, h->n, h->r, h->p, key);
}

bool
password_scrypt_is_weak(const struct password_hash *h)
{
	return h->form != &password_scrypt || h->n < PASSWORD_N || h->r < PASSWORD_R ||
	    h->p < PASSWORD_P || h->salt.n < SALT_STRONG;
}

const struct password_form password_scrypt = { "scrypt", read_scrypt, derive };
