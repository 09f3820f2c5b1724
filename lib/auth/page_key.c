/*
 * page_key: the vault's way of sealing, for what a link carries.
 */
#include "auth/page_key.h"

#include <string.h>

#include "auth/vault.h"

#define BLOCK 128 /* a name's length is no one else's matter either: keys are filled up to it */

static const struct vault_place place = { "page", "key", 0 };

/* What opens the keys of this list. The caller frees it with vault_free(). */
static struct vault *
vault_of(struct secret *secret, const struct str *about, size_t n)
{
	uint8_t key[SECRET_SIZE];
	struct keyring ring = { .n = 1,
		.keys = { { .text = { (const char *)key, sizeof(key) } } } };

	secret_sign(secret, about, n, key);
	return vault_new(&ring);
}

struct str
page_key_seal(
    struct secret *secret, const struct str *about, size_t nabout, struct str key, struct arena *a)
{
	size_t n = (key.n / BLOCK + 1) * BLOCK;
	char *filled;
	struct vault *v;
	struct str sealed;

	if (secret == NULL)
		return STR_NONE;
	filled = arena_alloc(a, n); /* zeroed; no key holds a NUL */
	memcpy(filled, key.p, key.n);
	v = vault_of(secret, about, nabout);
	sealed = vault_seal(v, a, &place, (struct str){ filled, n });
	vault_free(v);
	return secret_encode(a, sealed.p, sealed.n);
}

struct str
page_key_open(
    struct secret *secret, const struct str *about, size_t nabout, struct str text, struct arena *a)
{
	size_t n = text.n * 6 / 8;
	char *sealed;
	struct vault *v;
	struct str key;

	if (secret == NULL || n < VAULT_EXTRA)
		return STR_NONE;
	sealed = arena_alloc(a, n);
	if (!secret_decode(text, sealed, n))
		return STR_NONE;
	v = vault_of(secret, about, nabout);
	if (vault_open(v, a, &place, (struct str){ sealed, n }, &key) == VAULT_OPEN)
		key.n = strnlen(key.p, key.n);
	else
		key = STR_NONE;
	vault_free(v);
	return key;
}
