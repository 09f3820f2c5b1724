/*
 * curve_cache: a few light curves in one block of memory each: the points, then their texts.
 */
#include "tom/curve_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define CURVES 64
#define NAMES 64 /* bandpasses and sources of one curve */

struct kept {
	struct curve_key key;
	struct curve_points points; /* list NULL: free */
	struct lightcurve_point *block; /* what list is */
	size_t bytes;
	uint64_t used; /* when it was looked at last, in looks */
};

struct curve_cache {
	size_t most, bytes;
	uint64_t looks;
	struct kept kept[CURVES];
};

/* The texts of a curve, each once, and where their copies are. */
struct names {
	struct str text[NAMES], copy[NAMES];
	size_t n, bytes;
};

struct curve_cache *
curve_cache_new(size_t bytes)
{
	struct curve_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		arena_exhausted();
	c->most = bytes;
	return c;
}

static void
drop(struct curve_cache *c, struct kept *k)
{
	c->bytes -= k->bytes;
	free(k->block);
	*k = (struct kept){ 0 };
}

void
curve_cache_free(struct curve_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CURVES; i++)
		drop(c, &c->kept[i]);
	free(c);
}

bool
curve_cache_find(struct curve_cache *c, const struct curve_key *key, struct curve_points *out)
{
	for (struct kept *k = c->kept; k < c->kept + CURVES; k++)
		if (k->block != NULL && k->key.target == key->target &&
		    k->key.revision == key->revision && k->key.flux == key->flux) {
			k->used = ++c->looks;
			*out = k->points;
			return true;
		}
	return false;
}

/* The index of a text among the names, which may be new; NAMES: there are too many. */
static size_t
name_index(struct names *names, struct str s)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->text[i].p == s.p && names->text[i].n == s.n)
			return i;
	if (names->n == NAMES)
		return NAMES;
	names->text[names->n] = s;
	names->bytes += s.n + 1;
	return names->n++;
}

static bool
gather(struct names *names, const struct curve_points *points)
{
	for (size_t i = 0; i < points->n; i++)
		if (name_index(names, points->list[i].band) == NAMES ||
		    name_index(names, points->list[i].source) == NAMES)
			return false;
	return true;
}

static void
copy(struct names *names, struct lightcurve_point *block, const struct curve_points *points)
{
	char *w = (char *)(block + points->n);

	for (size_t i = 0; i < names->n; i++) {
		struct str s = names->text[i];

		names->copy[i] = (struct str){ s.p == NULL ? NULL : w, s.n };
		memcpy(w, str_bytes(s), s.n);
		w[s.n] = '\0';
		w += s.n + 1;
	}
	for (size_t i = 0; i < points->n; i++) {
		block[i] = points->list[i];
		block[i].band = names->copy[name_index(names, points->list[i].band)];
		block[i].source = names->copy[name_index(names, points->list[i].source)];
	}
}

static struct kept *
longest_unused(struct curve_cache *c)
{
	struct kept *found = NULL;

	for (struct kept *k = c->kept; k < c->kept + CURVES; k++)
		if (k->block != NULL && (found == NULL || k->used < found->used))
			found = k;
	return found;
}

static struct kept *
free_place(struct curve_cache *c)
{
	for (struct kept *k = c->kept; k < c->kept + CURVES; k++)
		if (k->block == NULL)
			return k;
	return NULL;
}

/* What a key makes old, or stands under it already. */
static void
drop_older(struct curve_cache *c, const struct curve_key *key)
{
	for (struct kept *k = c->kept; k < c->kept + CURVES; k++)
		if (k->block != NULL && k->key.target == key->target &&
		    (k->key.revision != key->revision || k->key.flux == key->flux))
			drop(c, k);
}

/* A free place, with room for so many bytes. */
static struct kept *
make_room(struct curve_cache *c, size_t bytes)
{
	struct kept *place, *oldest;

	while (((place = free_place(c)) == NULL || c->bytes + bytes > c->most) &&
	    (oldest = longest_unused(c)) != NULL)
		drop(c, oldest);
	return place;
}

void
curve_cache_keep(
    struct curve_cache *c, const struct curve_key *key, const struct curve_points *points)
{
	struct names names = { .n = 0 };
	size_t bytes;
	struct kept *k;
	struct lightcurve_point *block;

	if (key->revision == 0 || points->n > c->most / sizeof(*block) || !gather(&names, points))
		return;
	bytes = points->n * sizeof(*block) + names.bytes + 1;
	if (bytes > c->most / 2)
		return;
	drop_older(c, key);
	k = make_room(c, bytes);
	if (k == NULL || (block = malloc(bytes)) == NULL)
		return;
	copy(&names, block, points);
	*k = (struct kept){ .key = *key,
		.points = { block, points->n, points->first },
		.block = block,
		.bytes = bytes,
		.used = ++c->looks };
	c->bytes += bytes;
}

size_t
curve_cache_size(const struct curve_cache *c)
{
	return c->bytes;
}
