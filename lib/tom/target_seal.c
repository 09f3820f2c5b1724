/*
 * target_seal: the vault's way of sealing, for what a link carries.
 */
#include "tom/target_seal.h"

#include <inttypes.h>
#include <string.h>

#include "auth/vault.h"

#define BLOCK 128 /* a name's length is no one else's matter either: keys are filled up to it */

static const struct vault_place place = { "target", "list", 0 };

/* What opens the keys of this list for this user. The caller frees it with vault_free(). */
static struct vault *
vault_of(const struct target_query *q, const struct user *u, struct arena *a)
{
	struct str parts[] = { STR("list of targets"),
		arena_printf(a, "%" PRId64 " %d %d %" PRId64 " %d %a %a %a %a", u->id, q->by_type,
		    q->type, q->list, q->by_cone, q->cone.ra, q->cone.dec, q->cone.radius,
		    q->cone_radius),
		q->name, q->name_fuzzy, q->query, q->key, q->value, q->cone_target };
	uint8_t key[SECRET_SIZE];
	struct keyring ring = { .n = 1,
		.keys = { { .text = { (const char *)key, sizeof(key) } } } };

	secret_sign(q->secret, parts, NELEM(parts), key);
	return vault_new(&ring);
}

struct str
target_seal(const struct target_query *q, const struct user *u, struct str key, struct arena *a)
{
	size_t n = (key.n / BLOCK + 1) * BLOCK;
	char *filled;
	struct vault *v;
	struct str sealed;

	if (q->secret == NULL)
		return STR_NONE;
	filled = arena_alloc(a, n); /* zeroed; no key holds a NUL */
	memcpy(filled, key.p, key.n);
	v = vault_of(q, u, a);
	sealed = vault_seal(v, a, &place, (struct str){ filled, n });
	vault_free(v);
	return secret_encode(a, sealed.p, sealed.n);
}

struct str
target_unseal(const struct target_query *q, const struct user *u, struct str text, struct arena *a)
{
	size_t n = text.n * 6 / 8;
	char *sealed;
	struct vault *v;
	struct str key;

	if (q->secret == NULL || n < VAULT_EXTRA)
		return STR_NONE;
	sealed = arena_alloc(a, n);
	if (!secret_decode(text, sealed, n))
		return STR_NONE;
	v = vault_of(q, u, a);
	if (vault_open(v, a, &place, (struct str){ sealed, n }, &key) == VAULT_OPEN)
		key.n = strnlen(key.p, key.n);
	else
		key = STR_NONE;
	vault_free(v);
	return key;
}
