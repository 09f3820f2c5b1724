/*
 * Fuzz target: sealed values, and the offer of a key, which a browser keeps in a cookie. The first
 * byte says what is done to a good one: laid over its bytes from there on, what follows must open
 * nothing unless it changes nothing. The rest alone is no sealed value either, nor an offer, and what
 * reads as a file of keys must be written and read the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/factor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vault_place place = { "factor", "secret", 7 };

static void
overlay(struct vault *v, struct arena *a, const uint8_t *data, size_t size)
{
	struct str sealed = vault_seal(v, a, &place, STR("a credential of an observatory")), text;
	char *copy = arena_alloc(a, sealed.n + size + 256);
	size_t at = data[0] % (sealed.n + 1), end;

	memcpy(copy, sealed.p, sealed.n);
	memcpy(copy + at, data + 1, size - 1);
	end = at + size - 1 > sealed.n ? at + size - 1 : sealed.n;
	if (vault_open(v, a, &place, (struct str){ copy, end }, &text) == VAULT_OPEN &&
	    (end != sealed.n || memcmp(copy, sealed.p, end) != 0))
		abort();
}

static void
ring(struct arena *a, struct str text)
{
	struct keyring one, two;
	char err[300];

	if (keyring_parse(a, text, &one, err, sizeof(err)) != 0)
		return;
	if (one.n == 0 || keyring_current(&one, 0) >= one.n)
		abort();
	if (one.n == 1)
		return; /* any text is one key */
	if (keyring_parse(a, keyring_text(&one, a), &two, err, sizeof(err)) != 0 || two.n != one.n)
		abort();
	for (size_t i = 0; i < one.n; i++)
		if (!str_eq(one.keys[i].text, two.keys[i].text) ||
		    one.keys[i].from != two.keys[i].from || one.keys[i].until != two.keys[i].until)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vault *v;
	struct keyring keys = { .n = 1,
		.keys = { { .text = STR("the key of the fuzz target, 32 bytes") } } };
	struct arena *a = arena_new();
	uint8_t key[TOTP_KEY];
	struct str rest, text;

	if (v == NULL)
		v = vault_new(&keys);
	if (size > 0) {
		rest = arena_copy(a, (const char *)data + 1, size - 1);
		overlay(v, a, data, size);
		if (vault_open(v, a, &place, rest, &text) == VAULT_OPEN ||
		    factor_offer_read(v, a, 7, rest, 0, key))
			abort();
		ring(a, rest);
	}
	arena_free(a);
	return 0;
}
