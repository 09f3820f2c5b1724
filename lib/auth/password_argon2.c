/*
 * password_argon2: "argon2$argon2id$v=19$m=KiB,t=passes,p=lanes$salt$key" and argon2i, which older
 * versions of Django made; salt and key in base64 without padding. The oldest lack "v=19$".
 */
#include <argon2.h>

#include "auth/password_hash.h"
#include "base/log.h"

#define KIB_MAX (UINT64_C(256) << 10)
#define WORK_MAX (8 * KIB_MAX) /* KiB times passes: some two seconds */
#define PASSES_MAX 1024
#define LANES_MAX 16

/* "m=" and a number up to the comma or the end. */
static bool
parameter(struct str *rest, char name, uint64_t max, uint64_t *out)
{
	struct str one = str_cut(rest, ',');

	return one.n > 2 && one.p[0] == name && one.p[1] == '=' &&
	    password_number((struct str){ one.p + 2, one.n - 2 }, max, out);
}

/* A comma at the end would be lost, so what was read must be what stands there. */
static bool
read_costs(struct str text, struct password_hash *h)
{
	uint64_t t, p;

	if (text.n == 0 || text.p[text.n - 1] == ',' || !parameter(&text, 'm', KIB_MAX, &h->n) ||
	    !parameter(&text, 't', PASSES_MAX, &t) || !parameter(&text, 'p', LANES_MAX, &p) ||
	    text.n != 0 || h->n < 8 * p || h->n * t > WORK_MAX)
		return false;
	h->passes = (uint32_t)t;
	h->p = (uint32_t)p;
	return true;
}

static bool
read_argon2(struct str rest, struct password_hash *h)
{
	struct str part[5];
	size_t n = password_split(rest, NELEM(part), part), salt;

	if (n != 4 && n != NELEM(part))
		return false;
	if (!str_is(part[0], "argon2id") && !str_is(part[0], "argon2i"))
		return false;
	h->version = ARGON2_VERSION_10;
	if (n == NELEM(part) && str_is(part[1], "v=19"))
		h->version = ARGON2_VERSION_13;
	else if (n == NELEM(part) && !str_is(part[1], "v=16"))
		return false;
	if (!read_costs(part[n - 3], h) ||
	    !password_base64(part[n - 2], false, h->salt_bytes, &salt) ||
	    salt < ARGON2_MIN_SALT_LENGTH ||
	    !password_base64(part[n - 1], false, h->key, &h->key_size) || h->key_size < 16)
		return false;
	h->salt = (struct str){ (const char *)h->salt_bytes, salt };
	h->is_argon2id = str_is(part[0], "argon2id");
	return true;
}

/*
 * One thread for all lanes: the result is the same, and a worker may not start threads.
 */
static int
derive(const struct password_hash *h, struct str password, uint8_t *key)
{
	argon2_context c = { .out = key,
		.outlen = (uint32_t)h->key_size,
		.pwd = (uint8_t *)(uintptr_t)password.p,
		.pwdlen = (uint32_t)password.n,
		.salt = (uint8_t *)(uintptr_t)h->salt.p,
		.saltlen = (uint32_t)h->salt.n,
		.t_cost = h->passes,
		.m_cost = (uint32_t)h->n,
		.lanes = h->p,
		.threads = 1,
		.version = h->version };
	int r = argon2_ctx(&c, h->is_argon2id ? Argon2_id : Argon2_i);

	if (r == ARGON2_OK)
		return 0;
	log_warn("a password hash could not be computed", LOG_INT("memory", (int64_t)h->n * 1024),
	    LOG_TEXT("error", argon2_error_message(r)));
	return -1;
}

const struct password_form password_argon2 = { "argon2", read_argon2, derive };
