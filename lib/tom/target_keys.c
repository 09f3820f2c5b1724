/*
 * target_keys: the names and extras of a draft, made ready to be written, and names that are in
 * use.
 */
#include "tom/target_store.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "http/value.h"

int
target_compare(struct str x, struct str y)
{
	int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

/* A trimmed copy, NUL-terminated. */
static struct str
trimmed(struct arena *a, struct str s)
{
	s = str_trim(s);
	return arena_copy(a, s.p == NULL ? "" : s.p, s.n);
}

/* The same with line ends of every kind made '\n'. */
static struct str
trimmed_lines(struct arena *a, struct str s)
{
	struct str copy = trimmed(a, s);
	char *to = (char *)(uintptr_t)copy.p;
	size_t n = 0;

	for (size_t i = 0; i < copy.n; i++)
		if (copy.p[i] != '\r')
			to[n++] = copy.p[i];
		else if (copy.p[i + 1] != '\n')
			to[n++] = '\n';
	to[n] = '\0';
	return (struct str){ copy.p, n };
}

static bool
has_key(const struct target_key *keys, size_t n, struct str key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(keys[i].key, key))
			return true;
	return false;
}

/* A finding about one of the draft's aliases or extras. */
static void
item_wrong(struct problems *ps, struct arena *a, const char *field, size_t index, struct str why)
{
	problem_add(ps, a, field, why);
	ps->list[ps->n - 1].item = index + 1;
}

/* Are these few enough to be compared with each other? Else it is said. */
static bool
are_few(
    size_t n, size_t max, const char *field, const char *what, struct problems *ps, struct arena *a)
{
	if (n > max)
		problem_add(
		    ps, a, field, arena_printf(a, "A target has at most %zu %s.", max, what));
	return n <= max;
}

struct target_key *
target_keys(struct target_draft *d, size_t *n, struct problems *ps, struct arena *a)
{
	struct target_key *keys;
	size_t given = 0;

	for (size_t i = 0; i < d->naliases; i++)
		given += !str_empty(str_trim(d->aliases[i]));
	keys = arena_array(a, given + 1, sizeof(*keys));
	d->target.name = trimmed(a, d->target.name);
	keys[0] = (struct target_key){ d->target.name, target_match_key(a, d->target.name) };
	*n = 1;
	if (!are_few(given, TARGET_ALIASES_MAX, "aliases", "aliases", ps, a))
		return keys;
	for (size_t i = 0; i < d->naliases; i++) {
		struct str alias = d->aliases[i] = trimmed(a, d->aliases[i]);
		const char *why;

		if (alias.n == 0)
			continue;
		if ((why = target_name_wrong(alias, a)) != NULL) {
			item_wrong(
			    ps, a, "aliases", i, arena_printf(a, "Alias %zu: %s", i + 1, why));
			continue;
		}
		struct str key = target_match_key(a, alias);
		if (str_eq(key, keys[0].key))
			item_wrong(ps, a, "aliases", i,
			    arena_printf(a,
			        "Target name and target aliases must be different: %.*s is the "
			        "name.",
			        STR_ARG(alias)));
		else if (!has_key(keys, *n, key))
			keys[(*n)++] = (struct target_key){ alias, key };
	}
	return keys;
}

enum column_kind
target_column_kind(struct str name, const struct target_field **field)
{
	*field = NULL;
	for (size_t i = 0; i < target_nfields; i++)
		if (str_is_nocase(name, target_fields[i].name))
			*field = &target_fields[i];
	if (name.n == 0)
		return COLUMN_NAMELESS;
	if (str_is_nocase(name, "id") || str_is_nocase(name, "modified"))
		return COLUMN_PASSED;
	if (*field != NULL)
		return COLUMN_FIELD;
	if (str_is_nocase(name, "groups"))
		return COLUMN_GROUPS;
	if (name.n > 4 && str_is_nocase((struct str){ name.p, 4 }, "name"))
		return COLUMN_ALIAS;
	return COLUMN_EXTRA;
}

bool
target_key_is_own(struct str key)
{
	const struct target_field *field;

	return target_column_kind(key, &field) != COLUMN_EXTRA;
}

const char *
target_extra_wrong(const struct target_extra *e)
{
	if (e->key.n == 0)
		return "A value needs a field name beside it.";
	if (!str_is_utf8(e->key) || !str_is_utf8(e->value) || strlen(e->key.p) != e->key.n ||
	    strlen(e->value.p) != e->value.n)
		return "Fields and values must be UTF-8 text.";
	if (str_code_points(e->key) > TARGET_KEY_MAX)
		return "The name of a field must have at most 200 characters.";
	if (target_key_is_own(e->key))
		return "A further field must not be called as one of the target's own, nor begin "
		       "with \"name\", in capitals or not.";
	if (str_code_points(e->value) > TARGET_VALUE_MAX)
		return "A value must have at most 10,000 characters.";
	for (size_t i = 0; i < e->key.n; i++)
		if ((unsigned char)e->key.p[i] < 0x20 || e->key.p[i] == 0x7f)
			return "The name of a field must not hold control characters.";
	return NULL;
}

void
target_check_extras(struct target_draft *d, struct problems *ps, struct arena *a)
{
	size_t n = 0, given = 0;

	for (size_t i = 0; i < d->nextras; i++)
		given += !str_empty(str_trim(d->extras[i].key)) ||
		    !str_empty(str_trim(d->extras[i].value));
	if (!are_few(given, TARGET_EXTRAS_MAX, "extras", "further fields", ps, a))
		return;
	for (size_t i = 0; i < d->nextras; i++) {
		struct target_extra e = { .key = trimmed(a, d->extras[i].key),
			.value = trimmed_lines(a, d->extras[i].value) };
		const char *why;
		bool twice = false;

		if (e.key.n == 0 && e.value.n == 0)
			continue;
		for (size_t j = 0; j < n; j++)
			twice = twice || str_eq(d->extras[j].key, e.key);
		if ((why = target_extra_wrong(&e)) != NULL)
			item_wrong(ps, a, "extras", i, str_of(why));
		else if (twice)
			item_wrong(ps, a, "extras", i,
			    arena_printf(a, "The field %.*s is given twice.", STR_ARG(e.key)));
		else
			d->extras[n++] = e;
	}
	d->nextras = n;
}

struct extra_forms
target_extra_forms(struct str value)
{
	struct extra_forms f = { .number = NAN, .truth = value.n > 0 };

	if (!str_to_double(value, &f.number)) {
		f.number = NAN;
		f.is_time = clock_from_iso(value, &f.time);
	}
	return f;
}

struct str
target_json_texts(struct arena *a, const struct str *texts, size_t n)
{
	struct value *list = value_list(a);
	struct buf b = { 0 };
	struct str s;

	for (size_t i = 0; i < n; i++)
		value_add_text(list, texts[i]);
	value_json(list, &b);
	s = arena_copy(a, b.p, b.n);
	buf_free(&b);
	return s;
}

struct str
target_json_keys(struct arena *a, const struct target_key *keys, size_t n)
{
	struct str *texts = arena_array(a, n, sizeof(*texts));

	for (size_t i = 0; i < n; i++)
		texts[i] = keys[i].key;
	return target_json_texts(a, texts, n);
}

struct query *
target_names_taken(struct db *db, const struct user *u, struct str keys)
{
	struct query *q = db_query(db, QUERY_TARGET_NAMES_TAKEN);

	db_text(q, "keys", keys);
	db_int(q, "everything", target_sees_all(u));
	db_ints(q, "principals", u->principals, u->nprincipals);
	return q;
}

/* The finding about keys[i], which `q` has a row of. */
static void
say_taken(struct query *q, const struct target_key *name, bool primary, struct problems *ps,
    struct arena *a)
{
	struct str other = db_col_copy(q, "name", a);
	const char *field = primary ? "name" : "aliases";

	if (!db_col_bool(q, "visible")) {
		problem_add(ps, a, field,
		    arena_printf(a, "The name %.*s is already in use.", STR_ARG(name->name)));
		return;
	}
	problem_add(ps, a, field,
	    arena_printf(a,
	        primary ? "A Target matching %.*s already exists. (%.*s)"
	                : "Target with Name or alias similar to %.*s already exists. (%.*s)",
	        STR_ARG(name->name), STR_ARG(other)));
	ps->list[ps->n - 1].other = db_col_int(q, "target_id");
	ps->list[ps->n - 1].other_name = other;
}

enum db_result
target_find_taken(struct db *db, struct arena *a, const struct user *u, int64_t self,
    bool keeps_aliases, const struct target_key *keys, size_t n, struct problems *ps)
{
	struct query *q = target_names_taken(db, u, target_json_keys(a, keys, n));

	while (db_step(q) == DB_ROW) {
		struct str key = db_col_text(q, "match_key");
		bool own = db_col_int(q, "target_id") == self;
		size_t i = 0;

		while (i < n && !str_eq(keys[i].key, key))
			i++;
		if (i == n)
			continue;
		if (!own)
			say_taken(q, &keys[i], i == 0, ps, a);
		else if (i == 0 && keeps_aliases && !db_col_bool(q, "is_primary"))
			problem_add(ps, a, "name",
			    STR("Target name and target aliases must be different."));
	}
	return db_done(q);
}
