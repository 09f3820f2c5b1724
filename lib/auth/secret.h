/*
 * secret.h: the site's secret key and what is made with it: random tokens, their hashes, HMACs.
 */
#ifndef MERIDIAN_SECRET_H
#define MERIDIAN_SECRET_H

#include "base/arena.h"
#include "base/config.h"

#define SECRET_SIZE 32 /* bytes of a token, of its SHA-256 and of an HMAC-SHA256 */
#define SECRET_TEXT 43 /* characters of these in base64url without padding */

struct secret;

/*
 * Reads SECRET_KEY_FILE (keyring.h; 32 bytes or more of any text; `meridian init` makes one). NULL
 * with a sentence in err where none is named, it cannot be read, is too short, or others than its
 * owner and group may read it. The caller frees it with secret_free().
 */
struct secret *secret_load(const struct config *, char *err, size_t errsize);
/* The same with a key at hand. */
struct secret *secret_new(const void *key, size_t n);
void secret_free(struct secret *);

/* n bytes from the kernel. A kernel that has none ends the process. */
void secret_random(void *to, size_t n);

/* A new key for a SECRET_KEY_FILE: 86 characters, 512 bits. */
struct str secret_make_key(struct arena *);

/* SHA-256: what stands in the database for a token. */
void secret_hash(struct secret *, struct str token, uint8_t out[SECRET_SIZE]);

/*
 * HMAC-SHA256 of the parts, each preceded by its length, so that none can shift, under the key that
 * is in use now.
 */
void secret_sign(struct secret *, const struct str *parts, size_t nparts, uint8_t out[SECRET_SIZE]);

/*
 * Is it what secret_sign made of these parts, now or with an earlier key that is still taken? The one
 * way to check a signature: a comparison of one's own knows nothing of keys that come and go.
 */
bool secret_signed(
    struct secret *, const struct str *parts, size_t nparts, const uint8_t mac[SECRET_SIZE]);

/* Constant time in n. */
bool secret_same(const void *, const void *, size_t n);

/* base64url without padding; decoding refuses what does not encode to the same text again. */
struct str secret_encode(struct arena *, const void *, size_t n);
bool secret_decode(struct str text, void *to, size_t n);

#endif
