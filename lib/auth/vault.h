/*
 * vault.h: what must be read again and not be seen in a copy of the database: keys of second factors,
 * credentials of observatories and brokers.
 *
 * Each value is sealed with AES-256-GCM (NIST SP 800-38D) under a key of VAULT_KEY_FILE and bound to
 * its place: the same bytes in another row, column or table do not open. A sealed value is
 *
 *	1 byte	the version, 1
 *	8	which key: the beginning of an HMAC of its own
 *	12	the nonce, random
 *	n	the text, encrypted
 *	16	the tag
 *
 * so while keys change, values under the old and under the new one open side by side (keyring.h).
 */
#ifndef MERIDIAN_VAULT_H
#define MERIDIAN_VAULT_H

#include "auth/keyring.h"

#define VAULT_ID 8 /* bytes of a key's name */
#define VAULT_EXTRA 37 /* bytes that a sealed value has more than its text */
#define VAULT_MAX KIB(64) /* bytes of a text */

struct vault;

/*
 * Reads VAULT_KEY_FILE. NULL with a sentence in err where it cannot be read, is too short, or others
 * may read it; NULL and an empty err where none is named. A value of a key that it does not know makes
 * it read the file again: so keys can change while workers run. The caller frees it with
 * vault_free(); the configuration is borrowed till then.
 */
struct vault *vault_load(const struct config *, char *err, size_t errsize);
/* The same with keys at hand. */
struct vault *vault_new(const struct keyring *);
void vault_free(struct vault *);

/* Where a sealed value stands. */
struct vault_place {
	const char *table, *column;
	int64_t row;
};

/* Seals up to VAULT_MAX bytes under the key in use now. Absent where there are more. */
struct str vault_seal(struct vault *, struct arena *, const struct vault_place *, struct str text);

enum vault_answer {
	VAULT_OPEN,
	VAULT_NO_KEY, /* well-formed, of a key that the file does not have */
	VAULT_WRONG /* no sealed value, one of another place, or one that was changed */
};
enum vault_answer vault_open(struct vault *, struct arena *, const struct vault_place *,
    struct str sealed, struct str *text) MUST_CHECK;

/* Is it sealed under the newest key, in use or to come: is there nothing to do for it? */
bool vault_is_newest(const struct vault *, struct str sealed);

/* Seals under that key, for rotation. */
struct str
vault_seal_newest(struct vault *, struct arena *, const struct vault_place *, struct str text);

#endif
