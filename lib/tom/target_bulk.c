/*
 * target_bulk: many new targets at once, for streams and CSV: each table gets its rows in one go. The
 * database numbers the targets; the numbers are read back by their names, which are unique.
 */
#include "tom/target_bulk.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

/* A target by its name or the key of that, to be sorted. */
struct by_key {
	struct str key;
	size_t index;
};

/* By key; among equal ones the first comes first. */
static int
compare(const void *x, const void *y)
{
	const struct by_key *l = x, *r = y;
	int order = target_compare(l->key, r->key);

	return order != 0 ? order : (l->index > r->index) - (l->index < r->index);
}

/* The first of the sorted with that key; n where there is none. */
static size_t
find(const struct by_key *sorted, size_t n, struct str key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (target_compare(sorted[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && str_eq(sorted[low].key, key) ? low : n;
}

/* Has any of them that number? What none has is left out: a file has few of all columns. */
static bool
is_given(const struct target_new *list, size_t n, const struct target_field *f)
{
	if (!target_is_number(f))
		return true;
	for (size_t i = 0; i < n; i++)
		if (!isnan(target_real(&list[i].target, f)))
			return true;
	return false;
}

static enum db_result
add_targets(struct db *db, const struct target_new *list, size_t n)
{
	const struct target_field *given[TARGET_NFIELDS_MAX];
	const char *columns[TARGET_NFIELDS_MAX + 2];
	size_t ncolumns = 0, ngiven = 0;
	enum db_result r;
	int64_t added;

	columns[ncolumns++] = "creator_id";
	columns[ncolumns++] = "zone";
	for (size_t i = 0; i < target_nfields; i++)
		if (is_given(list, n, &target_fields[i])) {
			given[ngiven++] = &target_fields[i];
			columns[ncolumns++] = target_fields[i].name;
		}
	struct bulk *b = db_bulk(db, "target", ncolumns, columns);

	db_bulk_expect_new(b);
	for (size_t i = 0; i < n; i++) {
		const struct target *t = &list[i].target;
		int zone = target_zone(t);

		if (t->creator == 0)
			db_bulk_null(b);
		else
			db_bulk_int(b, t->creator);
		if (zone < 0)
			db_bulk_null(b);
		else
			db_bulk_int(b, zone);
		for (size_t k = 0; k < ngiven; k++) {
			const struct target_field *f = given[k];

			if (target_is_number(f))
				db_bulk_real(b, target_real(t, f));
			else if (f->kind == TARGET_TIME)
				db_bulk_int(b,
				    f->offset == offsetof(struct target, created) ? t->created
				                                                  : t->modified);
			else
				db_bulk_text(
				    b, f->kind == TARGET_TEXT ? t->name : target_choice(t, f));
		}
	}
	r = db_bulk_end(b, &added);
	return r == DB_END && (size_t)added != n ? DB_RETRY : r;
}

/* Sets the ids of what add_targets wrote. */
static enum db_result
read_ids(struct db *db, struct arena *a, struct target_new *list, size_t n)
{
	struct by_key *sorted = arena_array(a, n, sizeof(*sorted));
	struct str *names = arena_array(a, n, sizeof(*names));
	struct query *q = db_query(db, QUERY_TARGET_IDS_OF_NEW);
	size_t found = 0;
	enum db_result r;

	for (size_t i = 0; i < n; i++) {
		names[i] = list[i].target.name;
		sorted[i] = (struct by_key){ names[i], i };
	}
	qsort(sorted, n, sizeof(*sorted), compare);
	db_text(q, "names", target_json_texts(a, names, n));
	while (db_step(q) == DB_ROW) {
		int64_t id = db_col_int(q, "id");
		size_t i = find(sorted, n, db_col_text(q, "name"));

		if (i == n)
			continue;
		list[sorted[i].index].target.id = id;
		found++;
	}
	r = db_done(q);
	return r == DB_END && found != n ? DB_RETRY : r;
}

static enum db_result
add_names(struct db *db, struct arena *a, const struct target_new *list, size_t n)
{
	static const char *const columns[] = { "target_id", "name", "match_key", "is_primary",
		"created", "modified" };
	struct bulk *b = db_bulk(db, "target_name", NELEM(columns), columns);
	int64_t *ids = arena_array(a, n, sizeof(*ids)), added;
	size_t total = 0;
	enum db_result r;

	db_bulk_expect_new(b);
	for (size_t i = 0; i < n; i++) {
		ids[i] = list[i].target.id;
		total += list[i].nkeys;
		for (size_t k = 0; k < list[i].nkeys; k++) {
			db_bulk_int(b, list[i].target.id);
			db_bulk_text(b, list[i].keys[k].name);
			db_bulk_text(b, list[i].keys[k].key);
			db_bulk_int(b, k == 0);
			db_bulk_int(b, list[i].target.modified);
			db_bulk_int(b, list[i].target.modified);
		}
	}
	if ((r = db_bulk_end(b, &added)) != DB_END)
		return r;
	if ((size_t)added != total)
		return DB_RETRY;
	struct query *q = db_query(db, QUERY_NAME_PART_ADD_MANY);
	db_ints(q, "targets", ids, n);
	return db_run(q);
}

static enum db_result
add_extras(struct db *db, const struct target_new *list, size_t n)
{
	static const char *const columns[] = { "target_id", "key", "value", "float_value",
		"bool_value", "time_value" };
	struct bulk *b = db_bulk(db, "target_extra", NELEM(columns), columns);
	int64_t added;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < list[i].nextras; k++) {
			const struct target_extra *e = &list[i].extras[k];
			struct extra_forms forms = target_extra_forms(e->value);

			db_bulk_int(b, list[i].target.id);
			db_bulk_text(b, e->key);
			db_bulk_text(b, e->value);
			db_bulk_real(b, forms.number);
			db_bulk_int(b, forms.truth);
			if (forms.is_time)
				db_bulk_int(b, forms.time);
			else
				db_bulk_null(b);
		}
	return db_bulk_end(b, &added);
}

static void
bulk_right(struct bulk *b, const struct target *t, int64_t principal, int verbs)
{
	db_bulk_int(b, principal);
	db_bulk_int(b, t->id);
	db_bulk_int(b, verbs);
	db_bulk_int(b, t->created);
}

static enum db_result
add_rights(struct db *db, const struct target_new *list, size_t n)
{
	static const char *const columns[] = { "principal", "target_id", "verbs", "created" };
	struct bulk *b = db_bulk(db, "rights", NELEM(columns), columns);
	int64_t added;

	for (size_t i = 0; i < n; i++) {
		const struct target *t = &list[i].target;
		int64_t public = target_public_principal(t->permissions);

		if (t->creator != 0)
			bulk_right(b, t, PRINCIPAL_USER(t->creator), ALL_VERBS);
		for (size_t k = 0; k < list[i].ngroups; k++)
			bulk_right(b, t, PRINCIPAL_GROUP(list[i].groups[k]), ALL_VERBS);
		if (public != 0)
			bulk_right(b, t, public, VIEW);
	}
	return db_bulk_end(b, &added);
}

static enum db_result
add_members(struct db *db, const struct target_new *list, size_t n)
{
	static const char *const columns[] = { "list_id", "target_id" };
	struct bulk *b = db_bulk(db, "target_list_member", NELEM(columns), columns);
	int64_t added;

	for (size_t i = 0; i < n; i++)
		if (list[i].list != 0) {
			db_bulk_int(b, list[i].list);
			db_bulk_int(b, list[i].target.id);
		}
	return db_bulk_end(b, &added);
}

enum db_result
target_bulk_add(struct db *db, struct arena *a, struct target_new *list, size_t n)
{
	enum db_result r;

	if (n == 0)
		return DB_END;
	r = add_targets(db, list, n);
	if (r == DB_END)
		r = read_ids(db, a, list, n);
	if (r == DB_END)
		r = add_names(db, a, list, n);
	if (r == DB_END)
		r = add_extras(db, list, n);
	if (r == DB_END)
		r = add_rights(db, list, n);
	return r == DB_END ? add_members(db, list, n) : r;
}

static enum db_result
find_known(struct db *db, struct arena *a, struct target_wanted *wanted,
    const struct by_key *sorted, size_t n)
{
	struct str *keys = arena_array(a, n, sizeof(*keys));
	size_t nkeys = 0;

	for (size_t i = 0; i < n; i++)
		if (i == 0 || !str_eq(sorted[i].key, sorted[i - 1].key))
			keys[nkeys++] = sorted[i].key;
	struct query *q = db_query(db, QUERY_TARGET_IDS_OF_NAMES);
	db_text(q, "keys", target_json_texts(a, keys, nkeys));
	while (db_step(q) == DB_ROW) {
		int64_t id = db_col_int(q, "target_id");
		struct str key = db_col_text(q, "match_key");

		for (size_t i = find(sorted, n, key); i < n && str_eq(sorted[i].key, key); i++)
			wanted[sorted[i].index].id = id;
	}
	return db_done(q);
}

static void
sort_wanted(struct arena *a, struct target_wanted *wanted, struct by_key *sorted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		wanted[i].id = 0;
		wanted[i].is_new = false;
		sorted[i] = (struct by_key){ target_match_key(a, wanted[i].name), i };
	}
	qsort(sorted, n, sizeof(*sorted), compare);
}

enum db_result
target_find_many(struct db *db, struct arena *a, struct target_wanted *wanted, size_t n)
{
	struct by_key *sorted = arena_array(a, n, sizeof(*sorted));

	if (n == 0)
		return DB_END;
	sort_wanted(a, wanted, sorted, n);
	return find_known(db, a, wanted, sorted, n);
}

/* A target that is to get names, and how many more it may. */
struct room {
	int64_t target;
	int64_t left;
};

static int
compare_rooms(const void *left, const void *right)
{
	const struct room *a = left, *b = right;

	return (a->target > b->target) - (a->target < b->target);
}

/* The rooms of the targets, sorted, each once; *n of them. */
static enum db_result
measure(struct db *db, struct arena *a, struct room *rooms, size_t *n)
{
	int64_t *ids = arena_array(a, *n, sizeof(*ids));
	size_t distinct = 0;
	struct query *q;

	qsort(rooms, *n, sizeof(*rooms), compare_rooms);
	for (size_t i = 0; i < *n; i++) {
		if (distinct > 0 && rooms[distinct - 1].target == rooms[i].target)
			continue;
		rooms[distinct] = (struct room){ rooms[i].target, TARGET_ALIASES_MAX };
		ids[distinct++] = rooms[i].target;
	}
	*n = distinct;
	q = db_query(db, QUERY_ALIASES_COUNT);
	db_ints(q, "ids", ids, distinct);
	while (db_step(q) == DB_ROW) {
		struct room key = { db_col_int(q, "target_id"), 0 }, *room;

		room = bsearch(&key, rooms, distinct, sizeof(*rooms), compare_rooms);
		if (room != NULL)
			room->left -= db_col_int(q, "n");
	}
	return db_done(q);
}

enum db_result
target_alias_many(struct db *db, struct arena *a, const struct target_alias *list, size_t n)
{
	struct str *keys = arena_array(a, n, sizeof(*keys));
	struct by_key *sorted = arena_array(a, n, sizeof(*sorted));
	struct target_wanted *wanted = arena_array(a, n, sizeof(*wanted));
	static const char *const columns[] = { "target_id", "name", "match_key", "is_primary",
		"created", "modified" };
	struct room *rooms = arena_array(a, n, sizeof(*rooms)), *room;
	int64_t now = clock_now(), added;
	size_t nkeys = 0, nrooms = 0;
	struct bulk *b;
	enum db_result r;

	if (n == 0)
		return DB_END;
	for (size_t i = 0; i < n; i++)
		wanted[i].name = list[i].name;
	sort_wanted(a, wanted, sorted, n);
	if ((r = find_known(db, a, wanted, sorted, n)) != DB_END)
		return r;
	for (size_t i = 0; i < n; i++)
		if (wanted[i].id == 0)
			rooms[nrooms++].target = list[i].target_id;
	if (nrooms == 0)
		return DB_END;
	if ((r = measure(db, a, rooms, &nrooms)) != DB_END)
		return r;
	b = db_bulk(db, "target_name", NELEM(columns), columns);
	for (size_t i = 0; i < n; i++) {
		const struct target_alias *one = &list[sorted[i].index];

		if (wanted[sorted[i].index].id != 0 ||
		    (i > 0 && str_eq(sorted[i].key, sorted[i - 1].key)))
			continue;
		room = bsearch(&(struct room){ one->target_id, 0 }, rooms, nrooms, sizeof(*rooms),
		    compare_rooms);
		if (room == NULL || room->left-- <= 0)
			continue;
		db_bulk_int(b, one->target_id);
		db_bulk_text(b, str_trim(one->name));
		db_bulk_text(b, sorted[i].key);
		db_bulk_int(b, 0);
		db_bulk_int(b, now);
		db_bulk_int(b, now);
		keys[nkeys++] = sorted[i].key;
	}
	if ((r = db_bulk_end(b, &added)) != DB_END || nkeys == 0)
		return r;
	if ((size_t)added != nkeys)
		return DB_RETRY;
	struct query *q = db_query(db, QUERY_ALIASES_INDEXED);
	db_text(q, "keys", target_json_texts(a, keys, nkeys));
	return db_run(q);
}

enum db_result
target_find_or_add_many(struct db *db, struct arena *a, struct target_wanted *wanted, size_t n,
    int permissions, const int64_t *groups, size_t ngroups)
{
	struct by_key *sorted = arena_array(a, n, sizeof(*sorted));
	struct target_new *list = arena_array(a, n, sizeof(*list));
	struct target_key *keys = arena_array(a, n, sizeof(*keys));
	size_t *from = arena_array(a, n, sizeof(*from)); /* list[i] is sorted[from[i]] */
	int64_t now = clock_now();
	size_t nnew = 0;
	enum db_result r;

	if (n == 0)
		return DB_END;
	sort_wanted(a, wanted, sorted, n);
	if ((r = find_known(db, a, wanted, sorted, n)) != DB_END)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct target_wanted *w = &wanted[sorted[i].index];

		if (w->id != 0 || (i > 0 && str_eq(sorted[i].key, sorted[i - 1].key)))
			continue;
		struct target t = target_none();
		t.name = str_trim(w->name);
		t.type = isnan(w->ra) ? TARGET_NON_SIDEREAL : TARGET_SIDEREAL;
		t.permissions = permissions;
		t.created = t.modified = now;
		t.ra = w->ra == 360 ? 0 : w->ra;
		t.dec = w->dec;
		keys[nnew] = (struct target_key){ t.name, sorted[i].key };
		from[nnew] = i;
		list[nnew] = (struct target_new){ .target = t,
			.keys = &keys[nnew],
			.nkeys = 1,
			.groups = groups,
			.ngroups = ngroups };
		nnew++;
	}
	if ((r = target_bulk_add(db, a, list, nnew)) != DB_END)
		return r;
	for (size_t i = 0; i < nnew; i++) {
		wanted[sorted[from[i]].index].is_new = true;
		for (size_t k = from[i]; k < n && str_eq(sorted[k].key, sorted[from[i]].key); k++)
			wanted[sorted[k].index].id = list[i].target.id;
	}
	return DB_END;
}
