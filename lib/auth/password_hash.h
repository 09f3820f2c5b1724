/*
 * password_hash.h: the forms of hashes that password.c reads, one a file: password_FORM.c. Only they
 * and password.c include it.
 *
 * A stored hash is Django's text, "word$..."; all of them can be checked, one is made (scrypt). Each
 * form bounds its numbers while it reads them, before anything is computed: a row of an imported
 * database must not take the machine.
 */
#ifndef MERIDIAN_PASSWORD_HASH_H
#define MERIDIAN_PASSWORD_HASH_H

#include "base/base.h"

#define PASSWORD_KEY_MAX 64
#define PASSWORD_SALT_MAX 128

struct password_form;

struct password_hash {
	const struct password_form *form;
	uint64_t n; /* scrypt's N; iterations; argon2's KiB */
	uint32_t r, p; /* scrypt's; argon2's lanes are p */
	uint32_t passes, version; /* argon2's */
	bool is_argon2id;
	struct str salt; /* in the text; bcrypt: all before the key; argon2: in salt_bytes */
	uint8_t salt_bytes[PASSWORD_KEY_MAX];
	uint8_t key[PASSWORD_KEY_MAX];
	size_t key_size;
};

struct password_form {
	const char *word; /* before the first '$'; "" where there is none */
	/* What follows the word and its '$': false where it is not of the form, or beyond its bounds. */
	bool (*read)(struct str rest, struct password_hash *);
	/* The key of a password: key_size bytes. 0, or -1 where memory cannot be had. */
	int (*derive)(const struct password_hash *, struct str password, uint8_t *key);
};

extern const struct password_form password_scrypt, password_pbkdf2_sha256, password_pbkdf2_sha1,
    password_argon2, password_bcrypt_sha256, password_bcrypt, password_md5, password_md5_bare;

/* Today's cost, what spends the time that another form left over, and what makes new hashes. */
#define PASSWORD_N (UINT64_C(1) << 17)
#define PASSWORD_R 8
#define PASSWORD_P 1
int password_scrypt_derive(struct str password, struct str salt, uint64_t n, uint32_t r, uint32_t p,
    uint8_t key[PASSWORD_KEY_MAX]);
bool password_scrypt_is_weak(const struct password_hash *);

/* The text divided at each '$': returns how many, `most` + 1 where there are more than `most`. */
size_t password_split(struct str, size_t most, struct str *part);

/* A decimal number of 1 to max without sign or leading zeros. */
bool password_number(struct str, uint64_t max, uint64_t *out);

/* Printing ASCII without blanks, 1 to PASSWORD_SALT_MAX. */
bool password_is_salt(struct str);

/*
 * Canonical base64 of at most PASSWORD_KEY_MAX bytes, with its padding or without; what would not be
 * written like that again is refused.
 */
bool password_base64(struct str, bool padded, uint8_t *out, size_t *n);

#endif
