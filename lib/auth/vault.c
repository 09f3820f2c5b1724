/*
 * vault: AES-256-GCM by libcrypto, and nothing else that knows what a sealed value looks like.
 */
#include "auth/vault.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secret.h"
#include "base/clock.h"
#include "base/log.h"

#define VERSION 1
#define NONCE 12
#define TAG 16
#define HEAD (1 + VAULT_ID + NONCE)
_Static_assert(HEAD + TAG == VAULT_EXTRA, "what a sealed value has more");

struct key {
	uint8_t id[VAULT_ID];
	uint8_t aes[32];
};

struct vault {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *context;
	const struct config *config; /* whose file is read again; NULL: none */
	struct keyring ring; /* without the keys themselves */
	struct key keys[KEYRING_KEYS]; /* of each key of the ring */
};

/* libcrypto fails here only without memory or without its own files. */
static void
must(bool worked)
{
	if (worked)
		return;
	log_error("libcrypto failed");
	arena_exhausted();
}

static void
derive(struct str key, const char *what, uint8_t out[32])
{
	unsigned n;

	must(HMAC(EVP_sha256(), key.p, (int)key.n, (const uint8_t *)what, strlen(what), out, &n) !=
	    NULL);
}

static void
take_keys(struct vault *v, const struct keyring *ring)
{
	uint8_t id[32];

	v->ring = *ring;
	for (size_t i = 0; i < ring->n; i++) {
		derive(ring->keys[i].text, "meridian vault 1 key", v->keys[i].aes);
		derive(ring->keys[i].text, "meridian vault 1 name", id);
		memcpy(v->keys[i].id, id, VAULT_ID);
		v->ring.keys[i].text = STR_NONE;
	}
}

struct vault *
vault_new(const struct keyring *ring)
{
	struct vault *v = calloc(1, sizeof(*v));

	must(v != NULL);
	must((v->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) != NULL);
	must((v->context = EVP_CIPHER_CTX_new()) != NULL);
	take_keys(v, ring);
	return v;
}

void
vault_free(struct vault *v)
{
	if (v == NULL)
		return;
	EVP_CIPHER_CTX_free(v->context);
	EVP_CIPHER_free(v->cipher);
	OPENSSL_cleanse(v, sizeof(*v));
	free(v);
}

/* Gives the keys of the file to *v, which is made where it is NULL. */
static void
read_file(const struct config *c, struct vault **v, char *err, size_t errsize)
{
	struct arena *a = arena_new();
	struct keyring ring;

	if (keyring_load(c, "VAULT_KEY_FILE", a, &ring, err, errsize) == 0 && ring.n > 0) {
		if (*v == NULL)
			*v = vault_new(&ring);
		else
			take_keys(*v, &ring);
		(*v)->config = c;
	}
	for (size_t i = 0; i < ring.n; i++)
		OPENSSL_cleanse((void *)(uintptr_t)ring.keys[i].text.p, ring.keys[i].text.n);
	arena_free(a);
}

struct vault *
vault_load(const struct config *c, char *err, size_t errsize)
{
	struct vault *v = NULL;

	err[0] = '\0';
	read_file(c, &v, err, errsize);
	return v;
}

/* Says where the value stands: each part with its length, so that none can shift. */
static void
bind_place(EVP_CIPHER_CTX *c, const uint8_t *head, const struct vault_place *place)
{
	char row[24];
	struct str parts[] = { { (const char *)head, 1 + VAULT_ID }, str_of(place->table),
		str_of(place->column),
		{ row, (size_t)snprintf(row, sizeof(row), "%" PRId64, place->row) } };
	int n;

	for (size_t i = 0; i < NELEM(parts); i++) {
		uint8_t length = (uint8_t)parts[i].n;

		must(parts[i].n < 256);
		must(EVP_CipherUpdate(c, NULL, &n, &length, 1) == 1);
		must(EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)parts[i].p, (int)parts[i].n) ==
		    1);
	}
}

static struct str
seal_with(
    struct vault *v, size_t key, struct arena *a, const struct vault_place *place, struct str text)
{
	EVP_CIPHER_CTX *c = v->context;
	uint8_t *out;
	int n;

	if (text.n > VAULT_MAX)
		return STR_NONE;
	out = arena_alloc(a, text.n + VAULT_EXTRA + 1);
	out[0] = VERSION;
	memcpy(out + 1, v->keys[key].id, VAULT_ID);
	secret_random(out + 1 + VAULT_ID, NONCE);
	must(EVP_EncryptInit_ex2(c, v->cipher, v->keys[key].aes, out + 1 + VAULT_ID, NULL) == 1);
	bind_place(c, out, place);
	must(EVP_EncryptUpdate(c, out + HEAD, &n, (const uint8_t *)text.p, (int)text.n) == 1);
	must(EVP_EncryptFinal_ex(c, out + HEAD + text.n, &n) == 1);
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, out + HEAD + text.n) == 1);
	return (struct str){ (const char *)out, text.n + VAULT_EXTRA };
}

struct str
vault_seal(struct vault *v, struct arena *a, const struct vault_place *place, struct str text)
{
	return seal_with(v, keyring_current(&v->ring, clock_now()), a, place, text);
}

static size_t
newest(const struct vault *v)
{
	return keyring_current(&v->ring, INT64_MAX);
}

struct str
vault_seal_newest(
    struct vault *v, struct arena *a, const struct vault_place *place, struct str text)
{
	return seal_with(v, newest(v), a, place, text);
}

static bool
is_sealed(struct str s)
{
	return s.p != NULL && s.n >= VAULT_EXTRA && s.n <= VAULT_MAX + VAULT_EXTRA &&
	    s.p[0] == VERSION;
}

bool
vault_is_newest(const struct vault *v, struct str sealed)
{
	return is_sealed(sealed) && memcmp(sealed.p + 1, v->keys[newest(v)].id, VAULT_ID) == 0;
}

static bool
open_with(const struct vault *v, const struct key *key, const struct vault_place *place,
    const uint8_t *sealed, size_t length, uint8_t *out)
{
	uint8_t tag[TAG];
	int n;

	memcpy(tag, sealed + HEAD + length, TAG);
	must(
	    EVP_DecryptInit_ex2(v->context, v->cipher, key->aes, sealed + 1 + VAULT_ID, NULL) == 1);
	bind_place(v->context, sealed, place);
	must(EVP_DecryptUpdate(v->context, out, &n, sealed + HEAD, (int)length) == 1);
	must(EVP_CIPHER_CTX_ctrl(v->context, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1);
	return EVP_DecryptFinal_ex(v->context, out + length, &n) == 1;
}

static enum vault_answer
try_keys(struct vault *v, struct arena *a, const struct vault_place *place, struct str sealed,
    struct str *text)
{
	size_t length = sealed.n - VAULT_EXTRA;
	uint8_t *out = arena_alloc(a, length + TAG + 1);

	for (size_t i = 0; i < v->ring.n; i++) {
		if (memcmp(sealed.p + 1, v->keys[i].id, VAULT_ID) != 0)
			continue;
		if (!open_with(v, &v->keys[i], place, (const uint8_t *)sealed.p, length, out)) {
			OPENSSL_cleanse(out, length);
			return VAULT_WRONG;
		}
		*text = (struct str){ (const char *)out, length };
		return VAULT_OPEN;
	}
	return VAULT_NO_KEY;
}

enum vault_answer
vault_open(struct vault *v, struct arena *a, const struct vault_place *place, struct str sealed,
    struct str *text)
{
	enum vault_answer answer;
	char err[300] = "";

	*text = STR_NONE;
	if (!is_sealed(sealed))
		return VAULT_WRONG;
	answer = try_keys(v, a, place, sealed, text);
	if (answer != VAULT_NO_KEY || v->config == NULL)
		return answer;
	read_file(v->config, &v, err, sizeof(err));
	if (err[0] != '\0')
		log_warn("the vault's keys could not be read again", LOG_TEXT("why", err));
	return try_keys(v, a, place, sealed, text);
}
