/*
 * keyring.h: the keys of a key file, of which one is in use while others come or go.
 *
 * A key file is one key of any text, or lines
 *
 *	KEY [from TIME] [until TIME]		(TIME as in 2026-11-27T12:00:00Z)
 *
 * of which at least one names a time. A key is 32 to KEYRING_KEY_MAX printable characters without a
 * blank. New things are made with the newest key whose `from` has come; what was made is taken with
 * any key whose `until` has not. So a key that will be in use is known everywhere before it is, and
 * one that was in use is known for a while after.
 */
#ifndef MERIDIAN_KEYRING_H
#define MERIDIAN_KEYRING_H

#include "base/arena.h"
#include "base/config.h"

#define KEYRING_KEYS 16
#define KEYRING_KEY_MIN 32 /* bytes */
#define KEYRING_KEY_MAX 512 /* bytes, of a key in a file of several */

struct keyring_key {
	struct str text;
	int64_t from; /* microseconds UTC; 0: always was */
	int64_t until; /* 0: for ever */
};

struct keyring {
	size_t n;
	struct keyring_key keys[KEYRING_KEYS]; /* in the order of the file; texts in the arena */
};

/* Reads the text of a key file. 0, or -1 with what is wrong in err, without a key in it. */
int keyring_parse(struct arena *, struct str text, struct keyring *, char *err, size_t errsize);

/*
 * Reads the file that a configuration key names. 0, or -1 with a sentence in err that names the file;
 * where none is named n is 0.
 */
int keyring_load(const struct config *, const char *name, struct arena *, struct keyring *,
    char *err, size_t errsize);

/* The index of the key that new things are made with at that time; there is always one. */
size_t keyring_current(const struct keyring *, int64_t now);

/* The text of the file. */
struct str keyring_text(const struct keyring *, struct arena *);

#endif
