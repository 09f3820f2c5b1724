/*
 * target_query: what is asked of the list, read from a query string (spec/tom-interfaces.md 5.2).
 */
#include "tom/target_plan.h"

#include <string.h>

#define TEXT_MAX 2000 /* bytes of a filter */
#define CHEAP_RADIUS 10 /* degrees */

static const struct {
	const char *name;
	enum target_sort sort;
} sorts[] = {
	{ "created", SORT_CREATED },
	{ "modified", SORT_MODIFIED },
	{ "name", SORT_NAME },
	{ "type", SORT_TYPE },
	{ "ra", SORT_RA },
	{ "dec", SORT_DEC },
};

static void
wrong(struct problems *ps, struct arena *a, const char *key, const char *why)
{
	problem_add(ps, a, key, str_of(why));
}

/* The trimmed value of a key, "" where it was not given or is too long (a problem). */
static struct str
text_of(const struct pairs *get, const char *key, struct problems *ps, struct arena *a)
{
	struct str s = str_trim(pairs_get(get, key));

	if (s.n > TEXT_MAX) {
		wrong(ps, a, key, "This is too long: use at most 2,000 characters.");
		return STR("");
	}
	return arena_copy(a, s.p == NULL ? "" : s.p, s.n);
}

static void
read_names(struct target_query *q, const struct pairs *get, struct problems *ps, struct arena *a)
{
	static const char *const many = "Give at most 20 names, divided by commas.";
	struct terms t = { 0 };

	q->name = text_of(get, "name", ps, a);
	if (!target_terms(a, q->name, &t)) {
		wrong(ps, a, "name", many);
		q->name = STR("");
	}
	t.n = 0;
	q->name_fuzzy = text_of(get, "name_fuzzy", ps, a);
	if (!target_terms(a, q->name_fuzzy, &t)) {
		wrong(ps, a, "name_fuzzy", many);
		q->name_fuzzy = STR("");
	}
	q->query = text_of(get, "query", ps, a);
}

static void
read_choices(struct target_query *q, const struct pairs *get, struct problems *ps, struct arena *a)
{
	struct str s = text_of(get, "type", ps, a);

	if (s.n > 0) {
		q->by_type = target_choice_read(target_field_find(STR("type")), s, &q->type);
		if (!q->by_type)
			wrong(ps, a, "type", "The type must be SIDEREAL or NON_SIDEREAL.");
	}
	s = text_of(get, "targetlist__name", ps, a);
	if (s.n > 0 && (!str_to_int64(s, &q->list) || q->list <= 0)) {
		wrong(ps, a, "targetlist__name", "There is no such list.");
		q->list = 0;
	}
	q->key = text_of(get, "key", ps, a);
	q->value = text_of(get, "value", ps, a);
}

static void
read_cones(struct target_query *q, const struct pairs *get, struct problems *ps, struct arena *a)
{
	struct str s = text_of(get, "cone_search", ps, a);
	const char *why;
	double radius;

	if (s.n > 0) {
		if ((why = cone_parse(s, &q->cone)) != NULL)
			wrong(ps, a, "cone_search", why);
		q->by_cone = why == NULL;
	}
	s = text_of(get, "target_cone_search", ps, a);
	if (s.n == 0)
		return;
	const char *comma = memrchr(s.p, ',', s.n);
	struct str name = { 0 }, tail = { 0 };

	if (comma != NULL) {
		name = str_trim((struct str){ s.p, (size_t)(comma - s.p) });
		tail = (struct str){ comma + 1, (size_t)(s.p + s.n - comma - 1) };
	}
	if (name.n == 0 || !str_to_double(str_trim(tail), &radius) || !(radius > 0) ||
	    radius > 180) {
		wrong(ps, a, "target_cone_search",
		    "Write a target's name, a comma, and a radius in degrees up to 180: M31,0.5.");
		return;
	}
	if (q->by_cone) {
		wrong(ps, a, "target_cone_search", "Give one cone: about a position or a target.");
		return;
	}
	q->cone_target = arena_copy(a, name.p, name.n);
	q->cone_radius = radius;
}

static void
read_order(struct target_query *q, const struct pairs *get, struct problems *ps, struct arena *a)
{
	struct str s = text_of(get, "sort", ps, a), name = s;
	size_t i = 0;

	q->sort = SORT_CREATED;
	q->descending = true;
	if (s.n > 0) {
		bool minus = s.p[0] == '-';

		if (minus)
			name = (struct str){ s.p + 1, s.n - 1 };
		while (i < NELEM(sorts) && !str_is_nocase(name, sorts[i].name))
			i++;
		if (i == NELEM(sorts)) {
			wrong(ps, a, "sort", "The list cannot be sorted by that.");
		} else {
			q->sort = sorts[i].sort;
			q->descending = minus;
		}
	}
	q->after = text_of(get, "after", ps, a);
	s = text_of(get, "page", ps, a);
	if (s.n > 0 && (!str_to_int64(s, &q->page) || q->page < 1))
		q->page = 1;
}

size_t
target_query_read(
    struct target_query *q, const struct pairs *get, struct problems *ps, struct arena *a)
{
	size_t before = ps->n;

	*q = (struct target_query){ .limit = TARGET_PAGE };
	read_names(q, get, ps, a);
	read_choices(q, get, ps, a);
	read_cones(q, get, ps, a);
	read_order(q, get, ps, a);
	return ps->n - before;
}

bool
target_query_filters(const struct target_query *q)
{
	return q->name.n > 0 || q->name_fuzzy.n > 0 || q->query.n > 0 || q->key.n > 0 ||
	    q->value.n > 0 || q->by_type || q->list != 0 || q->by_cone || q->cone_target.n > 0 ||
	    q->nothing;
}

/* The letters of the shortest of the names looked for: an index knows three and more. */
static size_t
shortest(struct arena *a, struct str list)
{
	struct terms t = { 0 };
	size_t least = SIZE_MAX;

	target_terms(a, list, &t);
	for (size_t i = 0; i < t.n; i++)
		least = str_code_points(t.key[i]) < least ? str_code_points(t.key[i]) : least;
	return least;
}

bool
target_query_is_cheap(const struct target_query *q)
{
	struct arena *a = arena_new();
	struct str text = str_trim(q->query);
	bool cheap = shortest(a, q->name) >= 3 &&
	    (text.n == 0 || str_code_points(target_match_key(a, text)) >= 3) &&
	    (!q->by_cone || q->cone.radius <= CHEAP_RADIUS) &&
	    (q->cone_target.n == 0 || q->cone_radius <= CHEAP_RADIUS) &&
	    (q->value.n == 0 || q->key.n > 0);

	arena_free(a);
	return cheap;
}
