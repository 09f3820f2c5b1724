/*
 * secret: libcrypto behind eight small functions. The algorithms are fetched once: OpenSSL 3 looks
 * them up anew in every one-shot call, which costs more than the hash.
 */
#include "auth/secret.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "auth/keyring.h"
#include "base/clock.h"
#include "base/log.h"

struct secret {
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	EVP_MAC *hmac;
	struct keyring ring; /* without the keys themselves */
	EVP_MAC_CTX *keyed[KEYRING_KEYS]; /* of each key of the ring */
};

/* libcrypto fails here only without memory: the request is answered so, and the worker leaves. */
static void
must(bool worked)
{
	if (worked)
		return;
	log_error("libcrypto failed");
	arena_exhausted();
}

static struct secret *
new_of(const struct keyring *ring)
{
	char name[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end() };
	struct secret *s = calloc(1, sizeof(*s));

	must(s != NULL);
	must((s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL);
	must((s->digest = EVP_MD_CTX_new()) != NULL);
	must((s->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) != NULL);
	s->ring = *ring;
	for (size_t i = 0; i < ring->n; i++) {
		struct str key = ring->keys[i].text;

		must((s->keyed[i] = EVP_MAC_CTX_new(s->hmac)) != NULL);
		must(EVP_MAC_init(s->keyed[i], (const uint8_t *)key.p, key.n, params));
		s->ring.keys[i].text = STR_NONE;
	}
	return s;
}

struct secret *
secret_new(const void *key, size_t n)
{
	return new_of(&(struct keyring){ .n = 1, .keys = { { .text = { key, n } } } });
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->ring.n; i++)
		EVP_MAC_CTX_free(s->keyed[i]);
	EVP_MAC_free(s->hmac);
	EVP_MD_CTX_free(s->digest);
	EVP_MD_free(s->sha256);
	free(s);
}

struct secret *
secret_load(const struct config *c, char *err, size_t errsize)
{
	struct arena *a = arena_new();
	struct secret *s = NULL;
	struct keyring ring;

	if (keyring_load(c, "SECRET_KEY_FILE", a, &ring, err, errsize) == 0) {
		if (ring.n > 0)
			s = new_of(&ring);
		else
			snprintf(err, errsize,
			    "SECRET_KEY_FILE is not set: name a file and run `meridian init`, "
			    "which makes one");
		for (size_t i = 0; i < ring.n; i++)
			OPENSSL_cleanse(
			    (void *)(uintptr_t)ring.keys[i].text.p, ring.keys[i].text.n);
	}
	arena_free(a);
	return s;
}

void
secret_random(void *to, size_t n)
{
	char *p = to;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			log_error("getrandom failed", LOG_TEXT("error", strerror(errno)));
			abort();
		}
		p += got;
		n -= (size_t)got;
	}
}

struct str
secret_make_key(struct arena *a)
{
	uint8_t key[64];
	struct str text;

	secret_random(key, sizeof(key));
	text = secret_encode(a, key, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	return text;
}

void
secret_hash(struct secret *s, struct str token, uint8_t out[SECRET_SIZE])
{
	must(EVP_DigestInit_ex2(s->digest, s->sha256, NULL));
	must(EVP_DigestUpdate(s->digest, token.p, token.n));
	must(EVP_DigestFinal_ex(s->digest, out, NULL));
}

static void
sign_with(EVP_MAC_CTX *keyed, const struct str *parts, size_t nparts, uint8_t out[SECRET_SIZE])
{
	size_t n;

	must(EVP_MAC_init(keyed, NULL, 0, NULL));
	for (size_t i = 0; i < nparts; i++) {
		uint8_t length[8];

		for (size_t k = 0; k < sizeof(length); k++)
			length[k] = (uint8_t)((uint64_t)parts[i].n >> (8 * k));
		must(EVP_MAC_update(keyed, length, sizeof(length)));
		must(EVP_MAC_update(keyed, (const uint8_t *)parts[i].p, parts[i].n));
	}
	must(EVP_MAC_final(keyed, out, &n, SECRET_SIZE));
}

void
secret_sign(struct secret *s, const struct str *parts, size_t nparts, uint8_t out[SECRET_SIZE])
{
	size_t i = s->ring.n == 1 ? 0 : keyring_current(&s->ring, clock_now());

	sign_with(s->keyed[i], parts, nparts, out);
}

bool
secret_signed(
    struct secret *s, const struct str *parts, size_t nparts, const uint8_t mac[SECRET_SIZE])
{
	uint8_t want[SECRET_SIZE];
	bool is = false;

	for (size_t i = 0; i < s->ring.n; i++) {
		int64_t until = s->ring.keys[i].until;

		if (until != 0 && until <= clock_now())
			continue;
		sign_with(s->keyed[i], parts, nparts, want);
		is |= secret_same(want, mac, SECRET_SIZE);
	}
	return is;
}

bool
secret_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str
secret_encode(struct arena *a, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t len = (n * 8 + 5) / 6;
	char *out = arena_alloc(a, len + 1);

	for (size_t i = 0; i < len; i++) {
		size_t bit = i * 6, at = bit / 8;
		unsigned pair = (unsigned)p[at] << 8 | (at + 1 < n ? p[at + 1] : 0U);

		out[i] = alphabet[pair >> (10 - bit % 8) & 63];
	}
	return (struct str){ out, len };
}

static int
digit(char c)
{
	const char *p = c == '\0' ? NULL : strchr(alphabet, c);

	return p == NULL ? -1 : (int)(p - alphabet);
}

bool
secret_decode(struct str text, void *to, size_t n)
{
	uint8_t *out = to;
	unsigned bits = 0, have = 0;
	size_t k = 0;

	if (text.p == NULL || text.n != (n * 8 + 5) / 6)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int d = digit(text.p[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (unsigned)d;
		have += 6;
		if (have >= 8 && k < n) {
			have -= 8;
			out[k++] = (uint8_t)(bits >> have);
		}
		bits &= 0xfff;
	}
	return (bits & ((1U << have) - 1)) == 0; /* what is left over must be nothing */
}
