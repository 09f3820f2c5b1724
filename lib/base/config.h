/*
 * config.h: meridian.conf and the environment.
 *
 * The file is named by MERIDIAN_CONFIG, else /etc/meridian/meridian.conf where that exists; without
 * either, the environment and the defaults serve. MERIDIAN_<KEY> in the environment wins over the
 * file. Only keys of the table in config.c exist: an unknown one is an error naming file and line.
 *
 * A line is `KEY = value` or `KEY: value`, a comment (begun by # or ;), blank, [meridian], or
 * [stream NAME], behind which stand keys of a stream (config_stream.c has their table); anything
 * else, another section, and a key that stands twice are errors. A line may be long; a
 * value ends with its line, or with a blank and a ';' where a comment follows. Blanks before a key
 * mean nothing, and quotes are part of the value.
 *
 * A secret is read from the file its key's *_FILE names, which others must not be able to read.
 */
#ifndef MERIDIAN_CONFIG_H
#define MERIDIAN_CONFIG_H

#include "base/arena.h"

struct config;

/*
 * Reads the configuration. NULL with a sentence for people in err (file, line, key, what is wrong)
 * where it is not right. The caller frees it with config_free().
 */
struct config *config_load(char *err, size_t errsize);
void config_free(struct config *);

/*
 * The value of a known key, or its default; "" where there is neither. Asking for a key that is
 * not in the table is a mistake of the program and aborts. Borrowed from the config.
 */
const char *config_text(const struct config *, const char *key);
bool config_bool(const struct config *, const char *key);
int64_t config_int(const struct config *, const char *key);

/*
 * The secret in the file that a *_FILE key names, without the newline at its end, in `a`; absent
 * where the key is not given. 0, or -1 with a sentence in err: it cannot be read, others than owner
 * and group may read it, it is no regular file, empty or longer than 64 KiB.
 */
int config_secret(const struct config *, struct arena *a, const char *key, struct str *secret,
    char *err, size_t errsize);
/* The same for a file of that path, which belongs to the key. */
int config_secret_at(struct arena *a, const char *path, const char *key, struct str *secret,
    char *err, size_t errsize);

/* The items of a list value, divided by commas or white space: 0-based; absent past the end. */
struct str config_item(const struct config *, const char *key, size_t index);

/*
 * The variables MERIDIAN_... of the environment that are no key, mistyped ones perhaps: 0-based;
 * absent past the end.
 */
struct str config_stray(struct arena *, size_t index);

/* The keys that exist, for the tests: 0-based; NULL past the end. */
struct config_key {
	const char *name;
	enum { CONFIG_TEXT, CONFIG_BOOL, CONFIG_INT, CONFIG_REAL, CONFIG_LIST, CONFIG_CHOICE } kind;
	const char *fallback; /* the default, "" for none */
	const char *choices; /* CONFIG_CHOICE: "A|B|C"; CONFIG_INT, CONFIG_REAL: "min..max" */
	const char *what; /* one sentence */
};
const struct config_key *config_key(size_t index);

/*
 * The streams of the file, in its order: 0-based; NULL past the end. They live as long as the config.
 * Their values are asked for as those of the config are; a number that is not given is NAN.
 */
struct config_stream;
const struct config_stream *config_stream(const struct config *, size_t index);
const char *config_stream_name(const struct config_stream *);
const char *config_stream_text(const struct config_stream *, const char *key);
bool config_stream_bool(const struct config_stream *, const char *key);
double config_stream_real(const struct config_stream *, const char *key); /* CONFIG_INT, too */
struct str config_stream_item(const struct config_stream *, const char *key, size_t index);
const struct config_key *config_stream_key(size_t index);

/* The file that was read, "" for none. */
const char *config_path(const struct config *);

#endif
