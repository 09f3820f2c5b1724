/*
 * target_list: every page of every order shows what a plain model says, forwards and backwards, for
 * everybody; filters find what they should and nothing that someone may not see.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engines.h"
#include "scratch.h"
#include "sky.h"

#include "auth/vault.h"
#include "tom/target_bulk.h"
#include "tom/target_list.h"

#define MANY 260

static struct db *db;
static struct arena *a;

/* The model: what stands in the database. */
static struct item {
	struct target t;
	char name[40], alias[40];
	bool in_group, listed;
} items[MANY];
static int64_t list_id;

static const int64_t member_is[] = { PRINCIPAL_ANYONE, PRINCIPAL_SIGNED_IN, PRINCIPAL_USER(1),
	PRINCIPAL_GROUP(1) };
static const int64_t other_is[] = { PRINCIPAL_ANYONE, PRINCIPAL_SIGNED_IN, PRINCIPAL_USER(2) };
static const int64_t visitor_is[] = { PRINCIPAL_ANYONE };
static const struct user people[] = {
	{ .id = 1, .nprincipals = 4, .principals = member_is },
	{ .id = 2, .nprincipals = 3, .principals = other_is },
	{ .nprincipals = 1, .principals = visitor_is },
	{ .id = 3, .is_superuser = true, .nprincipals = 3, .principals = other_is },
};

static bool
may_see(const struct user *u, const struct item *it)
{
	return u->is_superuser || it->t.permissions == TARGET_OPEN ||
	    (it->t.permissions == TARGET_PUBLIC && u->id != 0) || (it->in_group && u->id == 1);
}

static uint64_t seed = 7;

static double
chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static void
make_item(struct item *it, size_t i)
{
	it->t = target_none();
	snprintf(it->name, sizeof(it->name), "%s %zu%s", i % 3 ? "SN" : "ZTF", i * 7919 % 1000,
	    i % 5 ? "abc" : "Xyz");
	snprintf(it->alias, sizeof(it->alias), "Alias-%zu", i);
	it->t.name = str_of(it->name);
	it->t.permissions = (int)(chance() * 3);
	it->in_group = chance() < 0.3;
	it->listed = i % 11 == 0;
	/* times repeat, so that the id must decide */
	it->t.created = 1000 + (int64_t)(chance() * 50);
	it->t.modified = 2000 + (int64_t)(chance() * 50);
	if (i % 10 != 3) {
		it->t.ra = i % 4 ? chance() * 360 : 359.9 + chance() * 0.1;
		it->t.dec = i % 6 ? asin(chance() * 2 - 1) * 180 / M_PI : 45;
		if (i % 17 == 0)
			it->t.ra = chance() * 0.1;
	} else {
		it->t.type = TARGET_NON_SIDEREAL;
	}
}

static enum db_result
fill(struct db *d, void *arg)
{
	static const int64_t group = 1;
	static const char *const group_columns[] = { "id", "name" };
	static struct target_extra extra = { .key = STR("class"), .value = STR("Ia") };
	struct target_new *list = arena_array(a, MANY, sizeof(*list));
	struct bulk *b = db_bulk(d, "user_group", 2, group_columns);
	int64_t n;
	enum db_result r;

	(void)arg;
	db_bulk_int(b, 1);
	db_bulk_text(b, STR("g"));
	if ((r = db_bulk_end(b, &n)) != DB_END ||
	    (r = target_list_named(d, STR("Mine"), &list_id)) != DB_END)
		return r;
	for (size_t i = 0; i < MANY; i++) {
		struct target_key *keys = arena_array(a, 2, sizeof(*keys));

		make_item(&items[i], i);
		keys[0].name = items[i].t.name;
		keys[1].name = str_of(items[i].alias);
		for (size_t k = 0; k < 2; k++)
			keys[k].key = target_match_key(a, keys[k].name);
		list[i] = (struct target_new){ .target = items[i].t,
			.keys = keys,
			.nkeys = 2,
			.groups = &group,
			.ngroups = items[i].in_group,
			.list = items[i].listed ? list_id : 0,
			.extras = &extra,
			.nextras = i % 13 == 0 };
	}
	if ((r = target_bulk_add(d, a, list, MANY)) != DB_END)
		return r;
	for (size_t i = 0; i < MANY; i++)
		items[i].t.id = list[i].target.id;
	return DB_END;
}

static int
open_database(void **state)
{
	(void)state;
	a = arena_new();
	db = scratch_open();
	if (db_transaction(db, DB_WRITE, fill, NULL) != DB_END)
		return -1;
	arena_reset(a);
	/* with statistics a server plans otherwise, as it would after a night */
	if (db_engine(db) == DB_POSTGRESQL)
		server_run(getenv("MERIDIAN_DATABASE_URL"), "ANALYZE");
	if (db_engine(db) == DB_MARIADB)
		server_run(getenv("MERIDIAN_DATABASE_URL"),
		    "ANALYZE TABLE target, target_name, rights, target_extra, target_list_member");
	return 0;
}

static int
close_database(void **state)
{
	(void)state;
	arena_free(a);
	scratch_close();
	return 0;
}

static enum target_sort model_sort;
static bool model_down;

static int
by(double x, double y, bool down)
{
	int order = (x > y) - (x < y);

	return down ? -order : order;
}

static int
model_compare(const void *x, const void *y)
{
	const struct target *l = &(*(const struct item *const *)x)->t;
	const struct target *r = &(*(const struct item *const *)y)->t;
	double lv, rv;
	int order = 0;

	switch (model_sort) {
	case SORT_CREATED:
		order = by((double)l->created, (double)r->created, model_down);
		break;
	case SORT_MODIFIED:
		order = by((double)l->modified, (double)r->modified, model_down);
		break;
	case SORT_NAME:
		order = strcmp(l->name.p, r->name.p);
		return model_down ? -order : order;
	case SORT_TYPE:
		order = by(-l->type, -r->type, model_down);
		if (order == 0)
			order = by((double)l->created, (double)r->created, true);
		return order != 0 ? order : by((double)l->id, (double)r->id, true);
	case SORT_RA:
	case SORT_DEC:
		lv = model_sort == SORT_RA ? l->ra : l->dec;
		rv = model_sort == SORT_RA ? r->ra : r->dec;
		if (isnan(lv) || isnan(rv)) {
			order = isnan(lv) - isnan(rv);
			return order != 0 ? order : by((double)l->id, (double)r->id, true);
		}
		order = by(lv, rv, model_down);
		break;
	}
	return order != 0 ? order : by((double)l->id, (double)r->id, model_down);
}

static const struct item *expected[MANY];
static size_t nexpected;

/* What a query should give: those that pass the test and that the user may see, in order. */
static void
expect(const struct user *u, const struct target_query *q, bool (*passes)(const struct item *))
{
	nexpected = 0;
	for (size_t i = 0; i < MANY; i++)
		if (may_see(u, &items[i]) && (passes == NULL || passes(&items[i])))
			expected[nexpected++] = &items[i];
	model_sort = q->sort;
	model_down = q->descending;
	qsort(expected, nexpected, sizeof(expected[0]), model_compare);
}

/* Walks all pages there and back again, comparing. */
static void
compare_pages(const struct user *u, struct target_query q)
{
	struct target_page page;
	struct str keys_back[MANY];
	size_t at = 0, pages = 0;

	for (;;) {
		assert_int_equal(target_find(db, a, u, &q, &page), DB_END);
		assert_false(page.partial);
		assert_int_equal(page.count, nexpected);
		for (size_t i = 0; i < page.n; i++) {
			assert_true(at < nexpected);
			if (page.rows[i].target.id != expected[at]->t.id)
				fail_msg("sort %d %s user %d: at %zu is %s, not %s", (int)q.sort,
				    q.descending ? "down" : "up", (int)u->id, at,
				    page.rows[i].target.name.p, expected[at]->name);
			at++;
		}
		keys_back[pages++] = page.previous;
		if (page.next.p == NULL)
			break;
		assert_int_equal(page.n, q.limit);
		q.after = page.next;
	}
	assert_int_equal(at, nexpected);
	assert_null(keys_back[0].p);
	if (pages > 1) {
		/* back: the page before the last */
		at -= page.n;
		while (page.previous.p != NULL) {
			q.after = page.previous;
			assert_int_equal(target_find(db, a, u, &q, &page), DB_END);
			assert_int_equal(page.n, q.limit);
			assert_non_null(page.next.p);
			at -= q.limit;
			for (size_t i = 0; i < page.n; i++)
				assert_true(page.rows[i].target.id == expected[at + i]->t.id);
		}
		assert_int_equal(at, 0);
	}
	arena_reset(a);
}

static void
every_page_is_the_models(void **state)
{
	(void)state;
	for (size_t p = 0; p < NELEM(people); p++)
		for (int sort = SORT_CREATED; sort <= SORT_DEC; sort++)
			for (int down = 0; down < 2; down++) {
				struct target_query q = { .sort = (enum target_sort)sort,
					.descending = down,
					.limit = p % 2 ? 20 : 7 };

				expect(&people[p], &q, NULL);
				assert_true(nexpected > 20);
				compare_pages(&people[p], q);
			}
}

static bool
is_moving(const struct item *it)
{
	return it->t.type == TARGET_NON_SIDEREAL;
}

static bool
is_xyz_or_alias_12(const struct item *it)
{
	return strstr(it->name, "Xyz") != NULL || strncmp(it->alias, "Alias-12", 8) == 0;
}

static bool
has_9(const struct item *it)
{
	return strchr(it->name, '9') != NULL || strchr(it->alias, '9') != NULL;
}

static bool
is_listed(const struct item *it)
{
	return it->listed;
}

static bool
is_ia(const struct item *it)
{
	return (it - items) % 13 == 0;
}

static struct cone cone;

static bool
is_in_cone(const struct item *it)
{
	return !isnan(it->t.ra) && holds(&cone, it->t.ra, it->t.dec);
}

static bool
is_listed_sidereal_xyz(const struct item *it)
{
	return it->listed && it->t.type == TARGET_SIDEREAL && strstr(it->name, "Xyz") != NULL;
}

static void
filters_find_what_they_should(void **state)
{
	const struct {
		struct target_query q;
		bool (*passes)(const struct item *);
	} rows[] = {
		{ { .by_type = true, .type = TARGET_NON_SIDEREAL }, is_moving },
		{ { .name = STR(" xYZ , alias 12") }, is_xyz_or_alias_12 },
		{ { .name = STR("9") }, has_9 },
		{ { .query = STR("9") }, has_9 },
		{ { .list = list_id }, is_listed },
		{ { .key = STR("class"), .value = STR("Ia") }, is_ia },
		{ { .key = STR("class") }, is_ia },
		{ { .value = STR("Ia") }, is_ia },
		{ { .list = list_id, .by_type = true, .type = TARGET_SIDEREAL, .name = STR("xyz") },
		    is_listed_sidereal_xyz },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		for (size_t p = 0; p < NELEM(people); p++)
			for (int sort = SORT_CREATED; sort <= SORT_DEC; sort++)
				for (int down = 0; down < 2; down++) {
					struct target_query q = rows[i].q;

					q.sort = (enum target_sort)sort;
					q.descending = down;
					q.limit = db_engine(db) == DB_SQLITE
					    ? 5
					    : 25; /* a round trip each */
					expect(&people[p], &q, rows[i].passes);
					compare_pages(&people[p], q);
				}
}

static void
cones_hold_across_ra_0_and_the_poles(void **state)
{
	static const struct cone about[] = { { .ra = 0, .dec = 45, .radius = 3 },
		{ .ra = 0.05, .dec = 0, .radius = 30 }, { .ra = 120, .dec = 89, .radius = 40 },
		{ .ra = 359.95, .dec = 45, .radius = 0.03 }, { .ra = 10, .dec = -90, .radius = 30 },
		{ .ra = 77, .dec = 5, .radius = 180 } };
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < NELEM(about); i++)
		for (size_t p = 0; p < NELEM(people); p++) {
			struct target_query q = {
				.descending = true, .by_cone = true, .limit = 20
			};

			q.cone = cone = cone_about(about[i].ra, about[i].dec, about[i].radius);
			expect(&people[p], &q, is_in_cone);
			found += nexpected;
			compare_pages(&people[p], q);
		}
	assert_true(found > 300);
}

static bool
is_first(const struct item *it)
{
	return it == &items[0] || it == &items[1];
}

static void
fuzzy_names_are_a_list(void **state)
{
	char text[100];

	(void)state;
	snprintf(text, sizeof(text), "alias 0, %s,no such name", items[1].name);
	for (char *c = text; *c != '\0'; c++)
		*c = *c == ' ' && c[1] != 'n' ? '_' : *c;
	for (size_t p = 0; p < NELEM(people); p++) {
		struct target_query q = {
			.name_fuzzy = str_of(text), .descending = true, .limit = 5
		};

		expect(&people[p], &q, is_first);
		compare_pages(&people[p], q);
	}
}

/* One item that a visitor may see, and one that only the group may. */
static const struct item *
find_item(bool open, bool in_group)
{
	for (size_t i = 0; i < MANY; i++)
		if (!isnan(items[i].t.ra) && (items[i].t.permissions == TARGET_OPEN) == open &&
		    items[i].in_group == in_group &&
		    (open || items[i].t.permissions == TARGET_PRIVATE))
			return &items[i];
	fail();
	return NULL;
}

static void
a_name_leads_to_the_one_target(void **state)
{
	const struct item *open = find_item(true, false), *hidden = find_item(false, true);
	int64_t id;

	(void)state;
	assert_int_equal(target_find_named(db, a, &people[2], str_of(open->name), &id), DB_ROW);
	assert_true(id == open->t.id);
	assert_int_equal(target_find_named(db, a, &people[2], str_of(hidden->name), &id), DB_END);
	assert_int_equal(target_find_named(db, a, &people[0], str_of(hidden->alias), &id), DB_ROW);
	assert_true(id == hidden->t.id);
	assert_int_equal(target_find_named(db, a, &people[3], STR("abc"), &id), DB_END);
	assert_int_equal(target_find_named(db, a, &people[3], STR("lias-25"), &id), DB_END);
	assert_int_equal(target_find_named(db, a, &people[3], STR("lias-259"), &id), DB_ROW);
	assert_true(id == items[259].t.id);
	assert_int_equal(target_find_named(db, a, &people[3], STR("  "), &id), DB_END);
}

static void
a_cone_may_be_about_a_target(void **state)
{
	const struct item *it = find_item(false, true);
	struct target_query q = {
		.cone_target = str_of(it->name), .cone_radius = 20, .descending = true, .limit = 20
	};
	struct target_page page;

	(void)state;
	cone = cone_about(it->t.ra, it->t.dec, 20);
	expect(&people[0], &q, is_in_cone);
	assert_true(nexpected > 0);
	compare_pages(&people[0], q);
	/* to one who may not see it, it is not there */
	assert_int_equal(target_find(db, a, &people[1], &q, &page), DB_END);
	assert_int_equal(page.n, 0);
	assert_non_null(page.why.p);
	q.cone_target = str_of(items[3].name); /* has no position */
	assert_int_equal(target_find(db, a, &people[3], &q, &page), DB_END);
	assert_true(page.n == 0 && strstr(page.why.p, "position") != NULL);
}

static int
take_id(void *arg, const struct target_whole *w)
{
	size_t *n = arg;

	assert_true(*n < nexpected && w->target.id == expected[*n]->t.id);
	(*n)++;
	return 0;
}

/* target_each() gives what target_find() does, by id; items were given ids in their order. */
static void
compare_walk(
    const struct user *u, const struct target_query *q, bool (*passes)(const struct item *))
{
	size_t n = 0;

	nexpected = 0;
	for (size_t i = 0; i < MANY; i++)
		if (may_see(u, &items[i]) && passes(&items[i]))
			expected[nexpected++] = &items[i];
	for (int names_only = 0; names_only < 2; names_only++, n = 0) {
		assert_int_equal(target_each(db, u, q, names_only, take_id, &n), DB_END);
		assert_int_equal(n, nexpected);
	}
}

static bool
is_none(const struct item *it)
{
	(void)it;
	return false;
}

static void
a_walk_over_all_keeps_to_every_filter(void **state)
{
	const struct item *it = find_item(false, true);
	struct target_query about = { .cone_target = str_of(it->name), .cone_radius = 20 };

	(void)state;
	cone = cone_about(it->t.ra, it->t.dec, 20);
	compare_walk(&people[0], &about, is_in_cone);
	assert_true(nexpected > 0 && nexpected < MANY / 2);
	compare_walk(&people[1], &about, is_none); /* to whom it is not there */
	compare_walk(
	    &people[3], &(struct target_query){ .by_cone = true, .cone = cone }, is_in_cone);
	compare_walk(&people[0],
	    &(struct target_query){
	        .list = list_id, .by_type = true, .type = TARGET_SIDEREAL, .name = STR("xyz") },
	    is_listed_sidereal_xyz);
	compare_walk(&people[2], &(struct target_query){ .nothing = true }, is_none);
}

static void
the_newest_are_for_the_home_page(void **state)
{
	struct target_query q = { .descending = true };
	struct target_page page;

	(void)state;
	expect(&people[1], &q, NULL);
	assert_int_equal(target_newest(db, a, &people[1], &page), DB_END);
	assert_int_equal(page.n, 10);
	assert_int_equal(page.count, nexpected);
	for (size_t i = 0; i < 10; i++)
		assert_true(page.rows[i].target.id == expected[i]->t.id);
	assert_str(page.rows[0].aliases, expected[0]->alias);
}

/* A list of one page is its own count; of more pages it is asked for. */
static void
what_is_on_one_page_is_not_counted(void **state)
{
	struct target_query q = { .descending = true, .list = list_id, .by_type = true };
	struct target_page page;
	unsigned one, more;
	int64_t us;

	(void)state;
	db_count_start(db);
	assert_int_equal(target_find(db, a, &people[2], &q, &page), DB_END);
	db_count(db, &one, &us);
	assert_in_range(page.n, 4, TARGET_PAGE);
	assert_int_equal(page.count, page.n);
	assert_null(page.next.p);
	q.limit = page.n - 1;
	db_count_start(db);
	assert_int_equal(target_find(db, a, &people[2], &q, &page), DB_END);
	db_count(db, &more, &us);
	assert_int_equal(page.count, page.n + 1);
	assert_int_equal(more, one + 1);
	/* the last page is not the only one */
	q.after = page.next;
	assert_int_equal(target_find(db, a, &people[2], &q, &page), DB_END);
	assert_int_equal(page.n, 1);
	assert_int_equal(page.count, q.limit + 1);
}

static void
old_links_with_page_numbers_work(void **state)
{
	struct target_query q = { .descending = true, .page = 3 };
	struct target_page page;

	(void)state;
	for (size_t p = 0; p < NELEM(people); p++) {
		expect(&people[p], &q, NULL);
		q.page = 3;
		assert_int_equal(target_find(db, a, &people[p], &q, &page), DB_END);
		assert_true(page.rows[0].target.id == expected[40]->t.id);
		assert_non_null(page.previous.p);
		q.after = page.previous;
		assert_int_equal(target_find(db, a, &people[p], &q, &page), DB_END);
		assert_true(page.rows[0].target.id == expected[20]->t.id);
		q.after = STR_NONE;
		q.page = INT64_MAX;
		assert_int_equal(target_find(db, a, &people[p], &q, &page), DB_END);
		assert_int_equal(page.n, 0);
	}
}

static void
keys_that_are_nonsense_show_the_first_page(void **state)
{
	static const char *const bad[] = { "x", "n0d0", "n0d0.", "n0d0.1", "n0d0.1.x", "n0d9.1.1",
		"n5d0.1.1", "n0a0.1.1", "p0d0..1", "n0d0.99999999999999999999.1" };
	struct target_query q = { .descending = true };
	struct target_page page;

	(void)state;
	expect(&people[3], &q, NULL);
	for (size_t i = 0; i < NELEM(bad); i++) {
		q.after = str_of(bad[i]);
		assert_int_equal(target_find(db, a, &people[3], &q, &page), DB_END);
		assert_true(page.rows[0].target.id == expected[0]->t.id);
	}
}

#define HIDDEN 11000 /* more than TARGET_WALK */
#define SEEN 6000 /* more than TARGET_VISIBLE */

/* Those that nobody has a right to first, by name, then those that everybody signed in sees. */
static enum db_result
fill_with_hidden(struct db *d, void *arg)
{
	static struct target_extra extra = { .key = STR("class"), .value = STR("seen") };
	struct target_new *list = arena_array(a, 500, sizeof(*list));
	enum db_result r = DB_END;

	(void)arg;
	for (size_t i = 0; i < HIDDEN + SEEN && r == DB_END; i += 500) {
		for (size_t k = 0; k < 500; k++) {
			struct target_key *key = arena_array(a, 1, sizeof(*key));
			struct target t = target_none();
			bool hidden = i + k < HIDDEN;

			t.name = arena_printf(a, "%s %05zu", hidden ? "Hidden" : "Zeen", i + k);
			t.permissions = hidden ? TARGET_PRIVATE : TARGET_PUBLIC;
			t.ra = t.dec = 1;
			t.created = t.modified = 3000;
			*key = (struct target_key){ t.name, target_match_key(a, t.name) };
			list[k] = (struct target_new){ .target = t,
				.keys = key,
				.nkeys = 1,
				.extras = &extra,
				.nextras = !hidden && (i + k) % 1000 == 0 };
		}
		r = target_bulk_add(d, a, list, 500);
	}
	return r;
}

/* No link of the page tells of what is hidden, as it stands or as what base64url makes of it. */
static void
expect_no_word_of_hidden(const struct target_page *page)
{
	const struct str links[] = { page->next, page->previous };

	for (size_t i = 0; i < NELEM(links); i++) {
		size_t n = links[i].n * 6 / 8;
		uint8_t *bytes = arena_alloc(a, n);

		if (links[i].p == NULL)
			continue;
		assert_null(strstr(links[i].p, "Hidden"));
		assert_true(secret_decode(links[i], bytes, n));
		assert_null(memmem(bytes, n, "Hidden", 6));
		assert_int_equal(n, VAULT_EXTRA + 128); /* however long the name is */
	}
}

/* Is that page the first of the list? */
static void
expect_first(const struct user *u, const struct target_query *q)
{
	struct target_query from_start = *q;
	struct target_page page, first;

	from_start.after = STR_NONE;
	assert_int_equal(target_find(db, a, u, q, &page), DB_END);
	assert_int_equal(target_find(db, a, u, &from_start, &first), DB_END);
	assert_null(page.previous.p);
	assert_int_equal(page.n, first.n);
	if (first.n > 0)
		assert_true(page.rows[0].target.id == first.rows[0].target.id);
}

static void
no_link_tells_of_a_target_that_one_may_not_see(void **state)
{
	struct secret *secret = secret_new("a", 1);
	struct target_query q = {
		.sort = SORT_NAME, .value = STR("seen"), .limit = 4, .secret = secret
	};
	struct target_page page;
	size_t n = 0, turns = 0;

	(void)state;
	assert_int_equal(db_transaction(db, DB_WRITE, fill_with_hidden, NULL), DB_END);
	do {
		assert_int_equal(target_find(db, a, &people[1], &q, &page), DB_END);
		n += page.n;
		expect_no_word_of_hidden(&page);
		assert_true(++turns < 20);
		q.after = page.next;
	} while (page.next.p != NULL);
	assert_int_equal(n, SEEN / 1000);
	assert_non_null(page.previous.p);
	while (page.previous.p != NULL) {
		q.after = page.previous;
		assert_int_equal(target_find(db, a, &people[1], &q, &page), DB_END);
		expect_no_word_of_hidden(&page);
		assert_true(++turns < 20);
	}
	assert_str(page.rows[0].target.name, "Zeen 11000");
	secret_free(secret);
}

/* What a window shows that begins at a place of one's choice would tell what stands before its end. */
static void
no_place_of_ones_choice_begins_a_walk(void **state)
{
	static const char *const by_hand[] = { "n2a0.1.Hidden 05000", "n2a0.1.Zeen 11500",
		"p2a0.1.Zeen 99999" };
	struct secret *secret = secret_new("a", 1), *other = secret_new("b", 1);
	struct target_query q = {
		.sort = SORT_NAME, .value = STR("seen"), .limit = 4, .secret = secret
	};
	struct target_query changed;
	struct target_page page;

	(void)state;
	assert_int_equal(target_find(db, a, &people[1], &q, &page), DB_END);
	assert_int_equal(page.n, 4);
	assert_non_null(page.next.p);
	for (size_t i = 0; i < NELEM(by_hand); i++) {
		q.after = str_of(by_hand[i]);
		expect_first(&people[1], &q);
	}
	/* some of them: tests/unit/vault changes each byte */
	for (size_t i = 0; i < page.next.n; i += 17) {
		char *text = arena_strdup(a, page.next.p);

		text[i] = text[i] == 'A' ? 'B' : 'A';
		q.after = str_of(text);
		expect_first(&people[1], &q);
	}
	q.after = page.next;
	expect_first(&people[0], &q);
	changed = q;
	changed.query = STR("n");
	expect_first(&people[1], &changed);
	changed = q;
	changed.sort = SORT_RA;
	expect_first(&people[1], &changed);
	changed = q;
	changed.secret = other;
	expect_first(&people[1], &changed);
	assert_int_equal(target_find(db, a, &people[1], &q, &page), DB_END);
	assert_non_null(page.previous.p); /* as it is, it goes on */
	secret_free(secret);
	secret_free(other);
}

/*
 * PostgreSQL plans a statement five times for its values; where a plan for any seems dearer then, it goes
 * on so, and planning these takes longer than running them.
 */
static void
pages_are_not_planned_each_time(void **state)
{
	static const char *const analyze = "ANALYZE";
	/* nothing of the connection is planned anew, else a division by zero */
	static const char *const none =
	    "SELECT 1 / CASE WHEN EXISTS (SELECT 1 FROM pg_prepared_statements"
	    " WHERE custom_plans > 5) THEN 0 ELSE 1 END";
	struct target_query q = { .descending = true };
	struct target_page page;
	struct target t;

	(void)state;
	if (db_engine(db) != DB_POSTGRESQL)
		skip();
	db_close_idle(db, 0);
	assert_int_equal(db_run_text(db, &analyze, 1), DB_END);
	for (size_t i = 0; i < 24; i++) {
		const struct user *u = &people[i % NELEM(people)];

		assert_int_equal(target_newest(db, a, u, &page), DB_END);
		assert_int_equal(target_find(db, a, u, &q, &page), DB_END);
		assert_int_equal(target_get(db, a, u, page.rows[0].target.id, VIEW, &t), DB_ROW);
	}
	assert_int_equal(db_run_text(db, &none, 1), DB_END);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_is_the_models),
		cmocka_unit_test(filters_find_what_they_should),
		cmocka_unit_test(cones_hold_across_ra_0_and_the_poles),
		cmocka_unit_test(fuzzy_names_are_a_list),
		cmocka_unit_test(a_name_leads_to_the_one_target),
		cmocka_unit_test(a_cone_may_be_about_a_target),
		cmocka_unit_test(a_walk_over_all_keeps_to_every_filter),
		cmocka_unit_test(the_newest_are_for_the_home_page),
		cmocka_unit_test(what_is_on_one_page_is_not_counted),
		cmocka_unit_test(old_links_with_page_numbers_work),
		cmocka_unit_test(keys_that_are_nonsense_show_the_first_page),
		cmocka_unit_test(no_link_tells_of_a_target_that_one_may_not_see), /* adds many */
		cmocka_unit_test(no_place_of_ones_choice_begins_a_walk), /* of those */
		cmocka_unit_test(pages_are_not_planned_each_time),
	};

	return engines_run("target_list", tests, NELEM(tests), open_database, close_database);
}
