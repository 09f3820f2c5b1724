/*
 * keyring: the lines of a key file, read and written.
 */
#include "auth/keyring.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

/* Takes the first word off; absent where there is none. */
static struct str
next_word(struct str *s)
{
	*s = str_trim(*s);
	return s->n == 0 ? STR_NONE : str_cut(s, ' ');
}

static bool
is_key(struct str s)
{
	if (s.n < KEYRING_KEY_MIN || s.n > KEYRING_KEY_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* A line of several; *timed says that it names a time. */
static bool
read_key(struct str line, struct keyring_key *key, bool *timed)
{
	struct str word = next_word(&line);

	*key = (struct keyring_key){ .text = word };
	if (word.p == NULL || !is_key(word))
		return false;
	while ((word = next_word(&line)).p != NULL) {
		int64_t *at = str_is(word, "from") ? &key->from
		    : str_is(word, "until")        ? &key->until
		                                   : NULL;

		word = next_word(&line);
		if (at == NULL || *at != 0 || word.p == NULL || !clock_from_iso(word, at) ||
		    *at <= 0)
			return false;
		*timed = true;
	}
	return true;
}

/* The line that is none of a file of several, from 1; 0 where all are. */
static size_t
read_lines(struct arena *a, struct str text, struct keyring *ring, bool *timed)
{
	ring->n = 0;
	*timed = false;
	for (size_t number = 1; text.n > 0; number++) {
		struct str line = str_trim(str_cut(&text, '\n'));
		bool names_time = false;

		if (line.n == 0)
			continue;
		if (ring->n == KEYRING_KEYS || !read_key(line, &ring->keys[ring->n], &names_time))
			return number;
		*timed |= names_time;
		ring->keys[ring->n].text = arena_str(a, ring->keys[ring->n].text);
		ring->n++;
	}
	return 0;
}

/* Does a line end as one that names a time? Then the file means to be one of several keys. */
static bool
means_times(struct str text)
{
	while (text.n > 0) {
		struct str line = str_trim(str_cut(&text, '\n'));

		(void)next_word(&line);
		line = next_word(&line);
		if (line.p != NULL && (str_is(line, "from") || str_is(line, "until")))
			return true;
	}
	return false;
}

int
keyring_parse(struct arena *a, struct str text, struct keyring *ring, char *err, size_t errsize)
{
	bool timed, always = false;
	size_t wrong = read_lines(a, text, ring, &timed);

	if (wrong != 0 && means_times(text)) {
		snprintf(err, errsize,
		    "line %zu is not \"KEY [from TIME] [until TIME]\" with a key of %d characters "
		    "or "
		    "more",
		    wrong, KEYRING_KEY_MIN);
		return -1;
	}
	if (wrong != 0 || !timed) {
		if (text.n < KEYRING_KEY_MIN) {
			snprintf(err, errsize, "it has %zu bytes, fewer than %d", text.n,
			    KEYRING_KEY_MIN);
			return -1;
		}
		*ring = (struct keyring){ .n = 1, .keys = { { .text = arena_str(a, text) } } };
		return 0;
	}
	for (size_t i = 0; i < ring->n; i++)
		always |= ring->keys[i].from <= clock_now();
	if (!always) {
		snprintf(err, errsize, "none of its keys is in use yet");
		return -1;
	}
	return 0;
}

int
keyring_load(const struct config *c, const char *name, struct arena *a, struct keyring *ring,
    char *err, size_t errsize)
{
	char why[200];
	struct str text;
	int result = 0;

	ring->n = 0;
	if (config_secret(c, a, name, &text, err, errsize) != 0)
		return -1;
	if (text.p == NULL)
		return 0;
	if (keyring_parse(a, text, ring, why, sizeof(why)) != 0) {
		snprintf(err, errsize, "%s, the file of %s: %s", config_text(c, name), name, why);
		result = -1;
	}
	explicit_bzero((void *)(uintptr_t)text.p, text.n);
	return result;
}

size_t
keyring_current(const struct keyring *ring, int64_t now)
{
	size_t best = 0;

	for (size_t i = 1; i < ring->n; i++) {
		const struct keyring_key *k = &ring->keys[i], *b = &ring->keys[best];

		if (k->from <= now ? b->from > now || k->from > b->from
		                   : b->from > now && k->from < b->from)
			best = i;
	}
	return best;
}

struct str
keyring_text(const struct keyring *ring, struct arena *a)
{
	struct str text = STR("");

	for (size_t i = 0; i < ring->n; i++) {
		const struct keyring_key *k = &ring->keys[i];

		text = arena_printf(a, "%s%.*s%s%s%s%s\n", text.p, STR_ARG(k->text),
		    k->from > 0 ? " from " : "", k->from > 0 ? clock_iso(a, k->from).p : "",
		    k->until > 0 ? " until " : "", k->until > 0 ? clock_iso(a, k->until).p : "");
	}
	return text;
}
