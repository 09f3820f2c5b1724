/*
 * target: targets are added, changed and deleted whole or not at all, names stay apart, and nobody
 * sees or touches what is not theirs.
 */
#include "unit.h"

#include <math.h>
#include <time.h>

#include "people.h"
#include "engines.h"
#include "race.h"
#include "scratch.h"

#include "base/clock.h"
#include "tom/target_list.h"

static struct db *db;
static struct arena *a;

static int
open_database(void **state)
{
	(void)state;
	db = scratch_open();
	return db_transaction(db, DB_WRITE, add_people, NULL) == DB_END ? 0 : -1;
}

static int
close_database(void **state)
{
	(void)state;
	scratch_close();
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	clock_freeze(0);
	arena_free(a);
	return 0;
}

static struct target_draft
star(const char *name)
{
	struct target_draft d = { .target = target_none() };

	d.target.name = str_of(name);
	d.target.ra = 10.5;
	d.target.dec = -20.25;
	return d;
}

/* Adds a target that must be taken; its id. */
static int64_t
add(const struct user *u, struct target_draft d)
{
	struct problems ps = { 0 };
	enum db_result r = target_add(db, a, u, &d, &ps);

	if (r != DB_END)
		fail_msg("%s: %d %s", d.target.name.p, r, ps.n > 0 ? ps.list[0].why.p : "");
	assert_int_equal(ps.n, 0);
	return d.target.id;
}

static void
a_target_comes_back_as_it_was_given(void **state)
{
	struct str aliases[] = { STR(" ZTF26abc "), STR(""), STR("sn-2026X") };
	struct target_extra extras[] = { { .key = STR("redshift"), .value = STR("0.5") },
		{ .key = STR("seen"), .value = STR("2026-01-02") } };
	int64_t groups[] = { 1 }, list;
	struct target_draft d = star("  SN 2026x ");
	struct target_whole w;

	(void)state;
	assert_int_equal(target_list_named(db, STR("Supernovae"), &list), DB_END);
	d.aliases = aliases;
	d.naliases = NELEM(aliases);
	d.extras = extras;
	d.nextras = NELEM(extras);
	d.groups = groups;
	d.ngroups = 1;
	d.lists = &list;
	d.nlists = 1;
	d.target.parallax = -0.0125;
	d.target.epoch = 2000;
	clock_freeze(INT64_C(1795490009123456));
	/* the second alias has the same key as the name */
	struct problems ps = { 0 };
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
	aliases[2] = STR("ATLAS26xyz");
	int64_t id = add(&alice, d);
	assert_int_equal(target_load(db, a, &alice, id, WITH_ALL, &w), DB_ROW);
	assert_str(w.target.name, "SN 2026x");
	assert_true(w.target.ra == 10.5 && w.target.dec == -20.25 && w.target.parallax == -0.0125);
	assert_true(isnan(w.target.pm_ra) && isnan(w.target.slope));
	assert_int_equal(w.target.permissions, TARGET_PRIVATE);
	assert_true(w.target.created == INT64_C(1795490009123456));
	assert_true(w.target.modified == w.target.created);
	assert_int_equal(w.target.creator, 1);
	assert_str(w.creator, "alice");
	assert_true(w.may_change && w.may_delete);
	assert_int_equal(w.naliases, 2);
	assert_str(w.aliases[0].name, "ZTF26abc");
	assert_str(w.aliases[1].name, "ATLAS26xyz");
	assert_int_equal(w.nextras, 2);
	assert_str(w.extras[0].key, "redshift");
	assert_str(w.extras[0].value, "0.5");
	assert_int_equal(w.ngroups, 1);
	assert_str(w.groups[0].name, "follow-up");
	assert_int_equal(w.nlists, 1);
	assert_str(w.lists[0].name, "Supernovae");
}

static void
nobody_sees_what_is_not_theirs(void **state)
{
	static const struct {
		int permissions;
		bool visitor, carol;
	} rows[] = { { TARGET_OPEN, true, true }, { TARGET_PUBLIC, false, true },
		{ TARGET_PRIVATE, false, false } };
	static const char *const names[] = { "open", "public", "private" };
	struct target t;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct target_draft d = star(names[i]);
		struct target_whole w;

		d.target.permissions = rows[i].permissions;
		int64_t id = add(&alice, d);
		assert_int_equal(
		    target_get(db, a, &visitor, id, VIEW, &t), rows[i].visitor ? DB_ROW : DB_END);
		assert_int_equal(
		    target_load(db, a, &carol, id, WITH_ALL, &w), rows[i].carol ? DB_ROW : DB_END);
		/* sight is all that OPEN and PUBLIC give */
		assert_false(w.may_change || w.may_delete);
		assert_int_equal(w.naliases + w.ngroups, 0);
		assert_int_equal(target_get(db, a, &carol, id, CHANGE, &t), DB_END);
		assert_int_equal(target_get(db, a, &carol, id, REMOVE, &t), DB_END);
		assert_int_equal(target_get(db, a, &root, id, ALL_VERBS, &t), DB_ROW);
		assert_int_equal(target_get(db, a, &alice, id, ALL_VERBS, &t), DB_ROW);
		assert_int_equal(target_delete(db, &carol, id, false), DB_REFUSED);
		struct problems ps = { 0 };
		d.target.id = id;
		assert_int_equal(target_change(db, a, &carol, &d, 0, &ps), DB_REFUSED);
		assert_int_equal(ps.n, 0);
		assert_int_equal(target_get(db, a, &bob, id, CHANGE, &t), DB_END);
	}
	assert_int_equal(target_get(db, a, &root, 999999, VIEW, &t), DB_END);
	assert_int_equal(target_delete(db, &root, 999999, false), DB_REFUSED);
}

static void
a_group_may_do_all(void **state)
{
	int64_t groups[] = { 1 };
	struct target_draft d = star("shared");
	struct problems ps = { 0 };
	struct target t;

	(void)state;
	d.groups = groups;
	d.ngroups = 1;
	d.target.id = add(&alice, d);
	assert_int_equal(target_get(db, a, &bob, d.target.id, ALL_VERBS, &t), DB_ROW);
	assert_int_equal(target_get(db, a, &carol, d.target.id, VIEW, &t), DB_END);
	assert_int_equal(target_change(db, a, &bob, &d, 0, &ps), DB_END);
	assert_int_equal(target_delete(db, &bob, d.target.id, false), DB_END);
	assert_int_equal(target_get(db, a, &root, d.target.id, VIEW, &t), DB_END);
}

static void
people_give_only_their_own_groups(void **state)
{
	int64_t groups[] = { 1, 2 }, none[] = { 77 };
	struct target_draft d = star("groups");
	struct problems ps = { 0 };
	struct target_whole w;

	(void)state;
	d.groups = groups;
	d.ngroups = 2;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
	assert_string_equal(ps.list[0].field, "groups");
	ps.n = 0;
	d.groups = none;
	d.ngroups = 1;
	assert_int_equal(target_add(db, a, &root, &d, &ps), DB_REFUSED);
	assert_string_equal(ps.list[0].field, "groups");
	d.groups = groups;
	d.ngroups = 2;
	d.target.id = add(&bob, d);
	/* alice takes her own group away; that of others stays */
	ps.n = 0;
	d.ngroups = 0;
	assert_int_equal(target_change(db, a, &alice, &d, SET_GROUPS, &ps), DB_END);
	assert_int_equal(target_load(db, a, &root, d.target.id, WITH_GROUPS, &w), DB_ROW);
	assert_int_equal(w.ngroups, 1);
	assert_str(w.groups[0].name, "other");
	assert_int_equal(target_change(db, a, &alice, &d, SET_GROUPS, &ps), DB_REFUSED);
	assert_int_equal(target_change(db, a, &root, &d, SET_GROUPS, &ps), DB_END);
	assert_int_equal(target_load(db, a, &root, d.target.id, WITH_GROUPS, &w), DB_ROW);
	assert_int_equal(w.ngroups, 0);
}

static void
a_name_in_use_is_refused(void **state)
{
	struct str alias[] = { STR("NGC 7000") };
	struct target_draft d = star("North America");
	struct problems ps = { 0 };

	(void)state;
	d.aliases = alias;
	d.naliases = 1;
	int64_t id = add(&alice, d);
	d = star("ngc-7000");
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_TAKEN);
	assert_int_equal(ps.n, 1);
	assert_string_equal(ps.list[0].field, "name");
	assert_str(ps.list[0].why, "A Target matching ngc-7000 already exists. (North America)");
	assert_true(ps.list[0].other == id);
	/* to one who may not see it, it is not named */
	ps.n = 0;
	assert_int_equal(target_add(db, a, &carol, &d, &ps), DB_TAKEN);
	assert_str(ps.list[0].why, "The name ngc-7000 is already in use.");
	assert_true(ps.list[0].other == 0 && ps.list[0].other_name.p == NULL);
	/* an alias */
	ps.n = 0;
	d = star("something else");
	alias[0] = STR("north(america)");
	d.aliases = alias;
	d.naliases = 1;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_TAKEN);
	assert_string_equal(ps.list[0].field, "aliases");
	assert_str(ps.list[0].why,
	    "Target with Name or alias similar to north(america) already exists. (North America)");
	/* nothing of it was kept */
	ps.n = 0;
	d.naliases = 0;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_END);
}

static void
what_breaks_a_rule_is_not_written(void **state)
{
	struct target_draft d = star("wrong");
	struct target_extra extras[] = { { .key = STR("k"), .value = STR("1") },
		{ .key = STR(" k"), .value = STR("2") } };
	struct problems ps = { 0 };

	(void)state;
	d.target.dec = NAN;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
	assert_non_null(problem_about(&ps, "dec"));
	ps.n = 0;
	d.target.dec = 0;
	d.extras = extras;
	d.nextras = 2;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
	assert_non_null(problem_about(&ps, "extras"));
	ps.n = 0;
	d = star("");
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
	assert_non_null(problem_about(&ps, "name"));
}

static void
more_than_a_target_may_have_is_refused_at_once(void **state)
{
	enum { MANY = 70000 };
	struct str *aliases = arena_array(a, MANY, sizeof(*aliases));
	struct target_extra *extras = arena_array(a, MANY, sizeof(*extras));
	struct target_draft d = star("too much");
	struct problems ps = { 0 };
	clock_t begun = clock();

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		aliases[i] = arena_printf(a, "alias %zu", i);
		extras[i] = (struct target_extra){ .key = aliases[i], .value = aliases[i] };
	}
	d.aliases = aliases;
	d.naliases = MANY;
	d.extras = extras;
	d.nextras = MANY;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
	assert_int_equal(ps.n, 2);
	assert_str(problem_about(&ps, "aliases")->why, "A target has at most 200 aliases.");
	assert_str(problem_about(&ps, "extras")->why, "A target has at most 500 further fields.");
	/* comparing each with each takes half a minute */
	assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
	/* as many as are allowed are taken; empty lines do not count */
	ps.n = 0;
	aliases[3] = STR("  ");
	d.naliases = 201;
	d.nextras = 500;
	assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_END);
}

static void
names_may_change_places(void **state)
{
	struct str aliases[] = { STR("B"), STR("C") };
	struct target_draft d = star("Alpha");
	struct problems ps = { 0 };
	struct target_whole w;
	int64_t kept;

	(void)state;
	d.aliases = aliases;
	d.naliases = 2;
	d.target.id = add(&alice, d);
	assert_int_equal(target_load(db, a, &alice, d.target.id, WITH_ALIASES, &w), DB_ROW);
	kept = w.aliases[1].id;
	/* renamed onto its own alias: refused while that stays */
	d.target.name = STR("b");
	d.naliases = 0;
	assert_int_equal(target_change(db, a, &alice, &d, KEEP_PARTS, &ps), DB_TAKEN);
	assert_str(ps.list[0].why, "Target name and target aliases must be different.");
	ps.n = 0;
	aliases[0] = STR("alpha");
	d.naliases = 2;
	assert_int_equal(target_change(db, a, &alice, &d, SET_ALIASES, &ps), DB_END);
	assert_int_equal(target_load(db, a, &alice, d.target.id, WITH_ALIASES, &w), DB_ROW);
	assert_str(w.target.name, "b");
	assert_int_equal(w.naliases, 2);
	assert_str(w.aliases[0].name, "C");
	assert_true(w.aliases[0].id == kept);
	assert_str(w.aliases[1].name, "alpha");
	/* a name given up is free */
	ps.n = 0;
	d.naliases = 0;
	assert_int_equal(target_change(db, a, &alice, &d, SET_ALIASES, &ps), DB_END);
	add(&carol, star("ALPHA"));
	/* and one that is not is not */
	ps.n = 0;
	d.target.name = STR("a(lpha)");
	assert_int_equal(target_change(db, a, &alice, &d, KEEP_PARTS, &ps), DB_TAKEN);
}

/* Is the target found in a cone about its position: by the cone's index, and row by row? */
static bool
is_in_cones(const char *name)
{
	struct target_query q = { .by_cone = true, .descending = true };
	struct target_page by_cone, by_name;

	q.cone = cone_about(10.5, -20.25, 0.01);
	q.name_fuzzy = STR("");
	assert_int_equal(target_find(db, a, &alice, &q, &by_cone), DB_END);
	q.name_fuzzy = str_of(name);
	assert_int_equal(target_find(db, a, &alice, &q, &by_name), DB_END);
	for (size_t i = 0; i < by_cone.n; i++)
		if (str_is(by_cone.rows[i].target.name, name)) {
			assert_int_equal(by_name.n, 1);
			return true;
		}
	assert_int_equal(by_name.n, 0);
	return false;
}

static void
what_moves_is_in_no_cone_and_keeps_its_fields(void **state)
{
	struct target_draft d = star("turns out to move");
	struct problems ps = { 0 };
	struct target t;

	(void)state;
	d.target.id = add(&alice, d);
	assert_true(is_in_cones("turns out to move"));
	/* the form of the other type leaves position and proper motion as they are */
	d.target.type = TARGET_NON_SIDEREAL;
	d.target.scheme = SCHEME_COMET;
	d.target.epoch_of_elements = d.target.epoch_of_perihelion = 60000;
	d.target.inclination = d.target.lng_asc_node = d.target.arg_of_perihelion = 1;
	d.target.eccentricity = d.target.perihdist = 0.5;
	assert_int_equal(target_change(db, a, &alice, &d, KEEP_PARTS, &ps), DB_END);
	assert_false(is_in_cones("turns out to move"));
	assert_int_equal(target_get(db, a, &alice, d.target.id, VIEW, &t), DB_ROW);
	assert_true(t.ra == 10.5 && t.dec == -20.25);
	/* and back */
	d.target.type = TARGET_SIDEREAL;
	assert_int_equal(target_change(db, a, &alice, &d, KEEP_PARTS, &ps), DB_END);
	assert_true(is_in_cones("turns out to move"));
	/* one that is added with a position is not found by it either */
	d.target.type = TARGET_NON_SIDEREAL;
	d.target.name = STR("moves");
	add(&alice, d);
	assert_false(is_in_cones("moves"));
}

static void
a_change_keeps_what_it_does_not_name(void **state)
{
	struct target_extra extras[] = { { .key = STR("k"), .value = STR("1") } };
	struct str aliases[] = { STR("kept alias") };
	struct target_draft d = star("keeper");
	struct problems ps = { 0 };
	struct target_whole w;

	(void)state;
	d.extras = extras;
	d.nextras = 1;
	d.aliases = aliases;
	d.naliases = 1;
	clock_freeze(INT64_C(1700000000000000));
	d.target.id = add(&alice, d);
	clock_freeze(INT64_C(1800000000000000));
	struct target_draft e = star("keeper 2");
	e.target.id = d.target.id;
	e.target.ra = 360;
	e.target.permissions = TARGET_OPEN;
	e.target.created = 5;
	assert_int_equal(target_change(db, a, &root, &e, KEEP_PARTS, &ps), DB_END);
	assert_int_equal(target_load(db, a, &alice, d.target.id, WITH_ALL, &w), DB_ROW);
	assert_str(w.target.name, "keeper 2");
	assert_true(w.target.ra == 0);
	assert_true(w.target.created == INT64_C(1700000000000000));
	assert_true(w.target.modified == INT64_C(1800000000000000));
	assert_str(w.creator, "alice");
	assert_int_equal(w.naliases, 1);
	assert_int_equal(w.nextras, 1);
	struct target t;
	assert_int_equal(target_get(db, a, &visitor, d.target.id, VIEW, &t), DB_ROW);
	e.target.permissions = TARGET_PUBLIC;
	assert_int_equal(target_change(db, a, &alice, &e, SET_EXTRAS, &ps), DB_END);
	assert_int_equal(target_get(db, a, &visitor, d.target.id, VIEW, &t), DB_END);
	assert_int_equal(target_load(db, a, &carol, d.target.id, WITH_ALL, &w), DB_ROW);
	assert_int_equal(w.nextras, 0);
}

static void
a_deleted_target_leaves_its_names_free(void **state)
{
	struct str aliases[] = { STR("gone too") };
	struct target_draft d = star("gone");

	(void)state;
	d.aliases = aliases;
	d.naliases = 1;
	int64_t id = add(&alice, d);
	assert_int_equal(target_delete(db, &alice, id, false), DB_END);
	assert_true(add(&alice, d) > id);
}

struct many {
	struct target_wanted *wanted;
	size_t n;
	int permissions;
	const int64_t *groups;
	size_t ngroups;
};

static enum db_result
find_or_add(struct db *d, void *arg)
{
	struct many *m = arg;

	return target_find_or_add_many(
	    d, a, m->wanted, m->n, m->permissions, m->groups, m->ngroups);
}

static void
streams_find_or_add_by_any_name(void **state)
{
	static const int64_t groups[] = { 2 };
	struct str aliases[] = { STR("ZTF20known") };
	struct target_draft d = star("SN known");
	struct target_wanted w[] = { { .name = STR("ZTF20new"), .ra = 1, .dec = 2 },
		{ .name = STR("ztf20 KNOWN"), .ra = 1, .dec = 2 },
		{ .name = STR("ZTF-20-new"), .ra = 3, .dec = 4 },
		{ .name = STR("ZTF20other"), .ra = 360, .dec = 90 } };
	struct many m = { w, NELEM(w), TARGET_PRIVATE, groups, 1 };
	struct target t;

	(void)state;
	d.aliases = aliases;
	d.naliases = 1;
	int64_t id = add(&alice, d);
	assert_int_equal(db_transaction(db, DB_WRITE, find_or_add, &m), DB_END);
	assert_true(w[1].id == id && !w[1].is_new);
	assert_true(w[0].is_new && !w[2].is_new && w[0].id == w[2].id);
	assert_true(w[3].is_new && w[3].id != w[0].id);
	assert_int_equal(target_get(db, a, &bob, w[0].id, CHANGE, &t), DB_ROW);
	assert_str(t.name, "ZTF20new");
	assert_true(t.ra == 1 && t.dec == 2 && t.creator == 0);
	assert_int_equal(target_get(db, a, &alice, w[0].id, VIEW, &t), DB_END);
	assert_int_equal(target_get(db, a, &bob, w[3].id, CHANGE, &t), DB_ROW);
	assert_true(t.ra == 0 && t.dec == 90);
	int64_t first = w[0].id;
	assert_int_equal(db_transaction(db, DB_WRITE, find_or_add, &m), DB_END);
	assert_true(w[0].id == first && !w[0].is_new && !w[3].is_new);
	m.n = 0;
	assert_int_equal(db_transaction(db, DB_WRITE, find_or_add, &m), DB_END);
}

static void
messier_is_seeded_once(void **state)
{
	struct str aliases[] = { STR("NGC 1976") };
	struct target_draft d = star("Great nebula");
	struct target_seeded seeded;
	struct target_whole w;
	struct target_wanted m[] = { { .name = STR("M 31") }, { .name = STR("Great nebula") },
		{ .name = STR("crab nebula") }, { .name = STR("M 13") } };
	struct many many = { m, NELEM(m), TARGET_PRIVATE, NULL, 0 };

	(void)state;
	add(&alice, star("m-13")); /* private: bob does not see it */
	d.aliases = aliases;
	d.naliases = 1;
	d.target.permissions = TARGET_PUBLIC;
	int64_t orion = add(&carol, d);
	d = star("Some star");
	aliases[0] = STR("CRAB nebula");
	d.aliases = aliases;
	d.naliases = 1;
	add(&carol, d);
	assert_int_equal(target_seed_messier(db, a, &bob, &seeded), DB_END);
	assert_int_equal(seeded.added, 108);
	assert_int_equal(seeded.present, 1);
	assert_int_equal(seeded.unseen, 1);
	assert_int_equal(target_load(db, a, &bob, orion, WITH_ALL, &w), DB_ROW);
	assert_int_equal(w.nlists, 1);
	assert_str(w.lists[0].name, "Messier Catalog");
	assert_int_equal(db_transaction(db, DB_WRITE, find_or_add, &many), DB_END);
	assert_false(m[0].is_new || m[2].is_new || m[3].is_new);
	assert_int_equal(target_load(db, a, &carol, m[0].id, WITH_ALL, &w), DB_ROW);
	assert_str(w.target.name, "M31");
	assert_true(fabs(w.target.ra - 10.6847) < 0.01 && fabs(w.target.dec - 41.2689) < 0.01);
	assert_int_equal(w.naliases, 2);
	assert_false(w.may_change);
	assert_int_equal(target_seed_messier(db, a, &bob, &seeded), DB_END);
	assert_int_equal(seeded.added, 0);
	assert_int_equal(seeded.present, 109);
}

static int64_t raced;

/* One makes it PUBLIC under another name, the other saves a form that says neither. */
static int
change_at_once(struct db *own, int which)
{
	static const struct user boss = { .is_superuser = true };
	struct arena *mine = arena_new();
	struct target_draft d = star(which == 0 ? "Raced 1" : "Raced 0");
	struct problems ps = { 0 };

	d.target.id = raced;
	d.target.permissions = which == 0 ? TARGET_PUBLIC : TARGET_PRIVATE;
	return target_change(own, mine, &boss, &d, 0, &ps) != DB_END;
}

static void
changes_at_once_leave_one_of_them_whole(void **state)
{
	struct target_draft d = star("Raced 0");

	(void)state;
	d.target.permissions = TARGET_PRIVATE;
	raced = add(NULL, d);
	for (int round = 0; round < 20; round++) {
		const char *url = getenv("MERIDIAN_DATABASE_URL");
		char sql[300];
		int64_t public;

		db_close_idle(db, 0);
		race_run(scratch_config, change_at_once);
		snprintf(sql, sizeof(sql),
		    "SELECT CASE WHEN permissions = 'PUBLIC' THEN 1 ELSE 0 END AS n FROM target "
		    "WHERE id = %lld",
		    (long long)raced);
		public = server_ask(url, sql);
		snprintf(sql, sizeof(sql),
		    "SELECT verbs AS n FROM rights WHERE principal = %d AND target_id = %lld",
		    (int)PRINCIPAL_SIGNED_IN, (long long)raced);
		assert_int_equal(server_ask(url, sql), public ? VIEW : -1);
		snprintf(sql, sizeof(sql),
		    "SELECT t.id AS n FROM target t JOIN target_name n ON n.target_id = t.id AND "
		    "n.is_primary = 1 AND n.name = t.name WHERE t.id = %lld",
		    (long long)raced);
		assert_int_equal(server_ask(url, sql), raced);
	}
}

int
main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CLAIM(a_target_comes_back_as_it_was_given),
		CLAIM(nobody_sees_what_is_not_theirs),
		CLAIM(a_group_may_do_all),
		CLAIM(people_give_only_their_own_groups),
		CLAIM(a_name_in_use_is_refused),
		CLAIM(what_breaks_a_rule_is_not_written),
		CLAIM(more_than_a_target_may_have_is_refused_at_once),
		CLAIM(names_may_change_places),
		CLAIM(what_moves_is_in_no_cone_and_keeps_its_fields),
		CLAIM(a_change_keeps_what_it_does_not_name),
		CLAIM(a_deleted_target_leaves_its_names_free),
		CLAIM(streams_find_or_add_by_any_name),
		CLAIM(messier_is_seeded_once),
		CLAIM(changes_at_once_leave_one_of_them_whole),
	};

	return engines_run("target", tests, NELEM(tests), open_database, close_database);
}
