/*
 * audience: what a stream brings is seen by those whom it lets see it, whatever targets there are, were,
 * or are put in its way.
 */
#include "unit.h"

#include <math.h>

#include "alert/batch.h"
#include "alert/object_list.h"
#include "engines.h"
#include "people.h"
#include "scratch.h"
#include "tom/audience.h"
#include "tom/rights.h"

struct scratch {
	struct db *db;
	struct arena *arena;
	struct ingest_options options;
	struct ingest_tally tally; /* of the last batch */
	int64_t alerts; /* made so far */
};

static const int64_t follow_up[] = { 1 }, other[] = { 2 }, both[] = { 2, 1, 2 };

/* As the users of people.h say it of themselves. */
static enum db_result
add_members(struct db *db, void *arg)
{
	static const char *const columns[] = { "user_id", "group_id" };
	struct bulk *b = db_bulk(db, "membership", NELEM(columns), columns);
	const struct user *const users[] = { &alice, &bob };
	int64_t n;

	(void)arg;
	for (size_t i = 0; i < NELEM(users); i++)
		for (size_t k = 0; k < users[i]->ngroups; k++) {
			db_bulk_int(b, users[i]->id);
			db_bulk_int(b, users[i]->groups[k]);
		}
	return db_bulk_end(b, &n);
}

static int
set_up(void **state)
{
	static struct scratch s;

	s = (struct scratch){ .db = scratch_open(),
		.arena = arena_new(),
		.options = { .create = CREATE_ALL, .match_radius = 2, .stream = STR("night") } };
	assert_int_equal(db_transaction(s.db, DB_WRITE, add_people, NULL), DB_END);
	assert_int_equal(db_transaction(s.db, DB_WRITE, add_members, NULL), DB_END);
	*state = &s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scratch *s = *state;

	arena_free(s->arena);
	scratch_close();
	return 0;
}

/* From here on alerts come by another stream. NULL: PUBLIC; else PRIVATE, for those groups. */
static void
stream_is(struct scratch *s, const char *name, const int64_t *groups, size_t n)
{
	s->options.stream = str_of(name);
	s->options.permissions = groups == NULL ? TARGET_PUBLIC : TARGET_PRIVATE;
	s->options.groups = groups;
	s->options.ngroups = n;
}

static enum db_result
write_batch(struct db *db, void *arg)
{
	bool fenced;

	return batch_write(db, arg, &fenced);
}

/* An alert of one detection. */
static void
take(struct scratch *s, const char *object, double ra, double dec)
{
	struct datum d = { .source = STR("ZTF"),
		.band = STR("g"),
		.kind = DATUM_DETECTION,
		.sign = 1,
		.mjd = 60000 + (double)++s->alerts,
		.survey_id = s->alerts,
		.flux = NAN,
		.flux_error = NAN,
		.magnitude = 18,
		.magnitude_error = 0.1,
		.limit_mag = NAN };
	struct alert_packet p = { .survey = &survey_ztf,
		.object = str_of(object),
		.alert_id = s->alerts,
		.ra = ra,
		.dec = dec,
		.mjd = d.mjd,
		.points = &d,
		.npoints = 1 };
	struct batch b = {
		.options = &s->options, .scratch = arena_new(), .packets = &p, .n = 1, .npoints = 1
	};

	assert_int_equal(db_transaction(s->db, DB_WRITE, write_batch, &b), DB_END);
	s->tally = b.tally;
	arena_free(b.scratch);
}

/* How many objects of the name somebody sees; *row: the first. */
static size_t
seen(struct scratch *s, const struct user *u, const char *name, struct object_row *row)
{
	const struct user *reader = u->is_superuser || !s->options.shares_data ? NULL : u;
	struct object_row *rows;
	size_t n;

	assert_int_equal(
	    object_get(s->db, s->arena, u, reader, STR("ZTF"), str_of(name), &rows, &n), DB_END);
	if (n > 0 && row != NULL)
		*row = rows[0];
	return n;
}

/* Of the object of the name, as one who sees it. */
static int64_t
target_of(struct scratch *s, const struct user *u, const char *name)
{
	struct object_row row = { 0 };

	assert_int_equal(seen(s, u, name, &row), 1);
	return row.target;
}

static int64_t
make_target(struct scratch *s, const struct user *u, const char *name, double ra, int permissions,
    const int64_t *groups, size_t n)
{
	struct target_draft d = { .target = target_none() };
	struct problems problems = { 0 };

	d.target.name = str_of(name);
	d.target.type = TARGET_SIDEREAL;
	d.target.permissions = permissions;
	d.target.ra = ra;
	d.target.dec = 20;
	d.groups = arena_array(s->arena, n + 1, sizeof(*d.groups));
	for (size_t i = 0; i < n; i++)
		d.groups[d.ngroups++] = groups[i];
	assert_int_equal(target_add(s->db, s->arena, u, &d, &problems), DB_END);
	return d.target.id;
}

static int
count_one(void *arg, const struct datum *d)
{
	(void)d;
	++*(size_t *)arg;
	return 0;
}

static size_t
points_of(struct scratch *s, const struct user *reader, int64_t target)
{
	size_t n = 0;

	assert_int_equal(datum_each(s->db, reader, target, DATUM_ALL_TIME, count_one, &n), DB_END);
	return n;
}

static struct str
name_of(struct scratch *s, int64_t target)
{
	struct target t = { 0 };

	assert_int_equal(target_get(s->db, s->arena, &root, target, VIEW, &t), DB_ROW);
	return t.name;
}

static void
object_without_a_target_is_seen_by_whom_its_stream_lets(void **state)
{
	struct scratch *s = *state;

	s->options.create = CREATE_NEVER;
	stream_is(s, "group's", follow_up, 1);
	take(s, "ZTF1a", 10, 20);
	stream_is(s, "groups'", both, 3);
	take(s, "ZTF1b", 10, 20);
	stream_is(s, "nobody's", other, 0);
	take(s, "ZTF1c", 10, 20);
	stream_is(s, "all's", NULL, 0);
	take(s, "ZTF1d", 10, 20);
	const struct {
		const struct user *user;
		size_t seen[4];
	} cases[] = { { &alice, { 1, 1, 0, 1 } }, { &bob, { 1, 1, 0, 1 } },
		{ &carol, { 0, 0, 0, 1 } }, { &root, { 1, 1, 1, 1 } } };
	for (size_t i = 0; i < NELEM(cases); i++) {
		static const char *const names[] = { "ZTF1a", "ZTF1b", "ZTF1c", "ZTF1d" };

		for (size_t k = 0; k < NELEM(names); k++)
			assert_int_equal(seen(s, cases[i].user, names[k], NULL), cases[i].seen[k]);
	}
}

static void
deleting_a_target_lets_nobody_see_more(void **state)
{
	struct scratch *s = *state;
	int64_t target;

	/* one that all of the audience saw */
	stream_is(s, "group's", follow_up, 1);
	take(s, "ZTF1a", 10, 20);
	target = target_of(s, &alice, "ZTF1a");
	assert_int_equal(target_delete(s->db, &alice, target, false), DB_END);
	assert_int_equal(target_of(s, &alice, "ZTF1a"), 0);
	assert_int_equal(seen(s, &carol, "ZTF1a", NULL), 0);
	/* one that its owner alone saw */
	stream_is(s, "all's", NULL, 0);
	s->options.create = CREATE_MATCH;
	target = make_target(s, &alice, "ZTF1b", 10, TARGET_PRIVATE, NULL, 0);
	take(s, "ZTF1b", 10, 20);
	assert_int_equal(target_of(s, &alice, "ZTF1b"), target);
	assert_int_equal(seen(s, &carol, "ZTF1b", NULL), 0);
	assert_int_equal(target_delete(s->db, &alice, target, false), DB_END);
	assert_int_equal(seen(s, &alice, "ZTF1b", NULL), 0);
	assert_int_equal(seen(s, &carol, "ZTF1b", NULL), 0);
	assert_int_equal(target_of(s, &root, "ZTF1b"), 0);
	/* until it has one again */
	target = make_target(s, &carol, "ZTF1b", 10, TARGET_PUBLIC, NULL, 0);
	take(s, "ZTF1b", 10, 20);
	assert_int_equal(target_of(s, &alice, "ZTF1b"), target);
	assert_int_equal(target_delete(s->db, &carol, target, false), DB_END);
	assert_int_equal(seen(s, &carol, "ZTF1b", NULL), 1);
}

static void
deleting_a_target_does_not_show_whose_measurements_were_withheld(void **state)
{
	struct scratch *s = *state;
	struct rights_wish wish = {
		.source = STR("ZTF"), .principal = PRINCIPAL_SIGNED_IN, .was = VIEW
	};
	enum db_result r;
	int64_t target;

	s->options.shares_data = true;
	stream_is(s, "all's", NULL, 0);
	take(s, "ZTF1a", 10, 20);
	wish.target = target = target_of(s, &carol, "ZTF1a");
	assert_int_equal(rights_change(s->db, s->arena, &root, &wish, &r), RIGHTS_DONE);
	assert_int_equal(seen(s, &carol, "ZTF1a", NULL), 0);
	assert_int_equal(target_delete(s->db, &root, target, true), DB_END);
	assert_int_equal(seen(s, &carol, "ZTF1a", NULL), 0);
	assert_int_equal(seen(s, &root, "ZTF1a", NULL), 1);
}

static void
streams_of_different_audiences_share_neither_objects_nor_targets(void **state)
{
	struct scratch *s = *state;
	struct object_row row;
	int64_t shown, held;

	for (int own = 0; own < 2; own++) {
		const char *name = own == 0 ? "ZTF1a" : "ZTF2a";
		double ra = 10 + 10 * own;

		s->options.shares_data = own == 1;
		stream_is(s, "public", NULL, 0);
		take(s, name, ra, 20);
		shown = target_of(s, &carol, name);
		stream_is(s, "partners", follow_up, 1);
		take(s, name, ra, 20);
		take(s, name, ra, 20);
		assert_int_equal(seen(s, &carol, name, &row), 1);
		assert_int_equal(row.alerts, 1);
		assert_int_equal(seen(s, &alice, name, &row), 2);
		assert_int_equal(row.alerts, 2);
		held = row.target;
		assert_int_not_equal(held, shown);
		assert_str(name_of(s, held), own == 0 ? "ZTF1a (partners)" : "ZTF2a (partners)");
		assert_int_equal(points_of(s, NULL, shown), 1);
		assert_int_equal(points_of(s, NULL, held), 2);
		/* whichever comes first */
		stream_is(s, "public", NULL, 0);
		take(s, name, ra, 20);
		assert_int_equal(points_of(s, NULL, shown), 2);
		assert_int_equal(points_of(s, NULL, held), 2);
		/* and who has the same audience shares all */
		stream_is(s, "backfill", NULL, 0);
		take(s, name, ra, 20);
		assert_int_equal(points_of(s, NULL, shown), 3);
	}
	assert_int_equal(points_of(s, &alice, held), 2);
	assert_int_equal(points_of(s, &carol, held), 0);
	assert_int_equal(points_of(s, &carol, shown), 3);
}

static void
a_private_target_does_not_take_an_object_in_by_its_name(void **state)
{
	struct scratch *s = *state;
	int64_t squat = make_target(s, &carol, "ztf 1a", 10, TARGET_PRIVATE, NULL, 0), target;
	struct object_row row;

	stream_is(s, "night", NULL, 0);
	take(s, "ZTF1a", 10, 20);
	assert_int_equal(points_of(s, NULL, squat), 0);
	target = target_of(s, &alice, "ZTF1a");
	assert_str(name_of(s, target), "ZTF1a (night)");
	assert_int_equal(points_of(s, NULL, target), 1);
	/* who has that name as well keeps it from being a target, not from being seen */
	make_target(s, &carol, "ZTF1b", 40, TARGET_PRIVATE, NULL, 0);
	make_target(s, &carol, "ZTF1b (night)", 50, TARGET_PRIVATE, NULL, 0);
	take(s, "ZTF1b", 30, 20);
	assert_int_equal(s->tally.new_targets + s->tally.new_points, 0);
	assert_int_equal(seen(s, &alice, "ZTF1b", &row), 1);
	assert_int_equal(row.target, 0);
	assert_true(str_is(row.note, OBJECT_TAKEN));
}

static void
a_target_that_others_see_takes_nothing_of_a_private_stream(void **state)
{
	struct scratch *s = *state;

	for (int create = CREATE_ALL; create <= CREATE_MATCH; create++) {
		double ra = 10 + 40 * create;
		const char *names[2][2] = { { "ZTF1a", "ZTF1b" }, { "ZTF2a", "ZTF2b" } };
		int64_t named = make_target(
		    s, &carol, names[create][0], ra, TARGET_PUBLIC, NULL, 0);
		int64_t near = make_target(
		    s, &carol, create == 0 ? "near" : "nearer", ra + 10, TARGET_PRIVATE, NULL, 0);

		s->options.create = (enum create)create;
		stream_is(s, "partners", follow_up, 1);
		take(s, names[create][0], ra, 20);
		take(s, names[create][1], ra + 10, 20);
		assert_int_equal(points_of(s, NULL, named) + points_of(s, NULL, near), 0);
		for (size_t k = 0; k < 2; k++)
			assert_int_equal(
			    target_of(s, &alice, names[create][k]) != 0, create == CREATE_ALL);
	}
}

static void
a_target_of_the_streams_group_takes_it_in(void **state)
{
	struct scratch *s = *state;
	int64_t near = make_target(s, &alice, "SN 2026ab", 10, TARGET_PRIVATE, follow_up, 1);
	int64_t own = make_target(s, &alice, "ZTF1b", 20, TARGET_PRIVATE, NULL, 0);

	stream_is(s, "partners", follow_up, 1);
	take(s, "ZTF1a", 10, 20);
	assert_int_equal(target_of(s, &bob, "ZTF1a"), near);
	/* the group does not see this one */
	take(s, "ZTF1b", 20, 20);
	assert_int_not_equal(target_of(s, &bob, "ZTF1b"), own);
	assert_int_equal(points_of(s, NULL, own), 0);
	/* who makes no targets lets it grow: its owner is of the group */
	s->options.create = CREATE_MATCH;
	make_target(s, &alice, "ZTF1c", 30, TARGET_PRIVATE, NULL, 0);
	take(s, "ZTF1c", 30, 20);
	assert_int_equal(s->tally.new_points, 1);
}

static void
names_of_objects_are_given_to_no_target_that_others_see(void **state)
{
	struct scratch *s = *state;
	int64_t target = make_target(s, &carol, "SN 2026ab", 10, TARGET_PUBLIC, NULL, 0);
	struct target_wanted w = { .name = STR("ZTF1a") };

	/* measurements have rights of their own, and go there; the name would be everybody's */
	s->options.shares_data = true;
	stream_is(s, "partners", follow_up, 1);
	take(s, "ZTF1a", 10, 20);
	assert_int_equal(target_of(s, &alice, "ZTF1a"), target);
	assert_int_equal(points_of(s, &alice, target), 1);
	assert_int_equal(points_of(s, &carol, target), 0);
	assert_int_equal(target_find_many(s->db, s->arena, &w, 1), DB_END);
	assert_int_equal(w.id, 0);
}

static void
what_is_behind_a_target_is_for_those_who_see_both(void **state)
{
	struct scratch *s = *state;
	const struct user *const users[] = { &alice, &carol, &root, &visitor };
	static const size_t want[] = { 1, 0, 1, 0 };
	int64_t target;

	stream_is(s, "partners", follow_up, 1);
	take(s, "ZTF1a", 10, 20);
	target = target_of(s, &alice, "ZTF1a");
	for (size_t i = 0; i < NELEM(users); i++) {
		const struct alert_place from = alert_place_read(STR_NONE);
		struct object_row *rows;
		struct alert_row *alerts;
		int64_t objects, count;
		size_t n;
		bool more;

		assert_int_equal(
		    objects_of_target(s->db, s->arena, users[i], NULL, target, 9, &rows, &n),
		    DB_END);
		assert_int_equal(n, want[i]);
		assert_int_equal(alerts_of_target(s->db, s->arena, users[i], NULL, target, from, 9,
		                     &alerts, &n, &more),
		    DB_END);
		assert_int_equal(n, want[i]);
		assert_int_equal(
		    objects_count_end(
		        objects_count_start(s->db, users[i], NULL, target), &objects, &count),
		    DB_END);
		assert_int_equal(objects, want[i]);
	}
}

static enum db_result
forget_group(struct db *db, void *arg)
{
	(void)arg;
	return rights_forget(db, PRINCIPAL_GROUP(1));
}

static void
who_gets_the_number_of_a_deleted_group_sees_nothing_of_its(void **state)
{
	struct scratch *s = *state;

	s->options.create = CREATE_NEVER;
	stream_is(s, "groups'", both, 3);
	take(s, "ZTF1a", 10, 20);
	stream_is(s, "group's", follow_up, 1);
	take(s, "ZTF1b", 10, 20);
	assert_int_equal(db_transaction(s->db, DB_WRITE, forget_group, NULL), DB_END);
	assert_int_equal(seen(s, &alice, "ZTF1a", NULL), 0);
	assert_int_equal(seen(s, &bob, "ZTF1a", NULL), 1);
	take(s, "ZTF1c", 10, 20);
	assert_int_equal(seen(s, &alice, "ZTF1b", NULL), 0);
	assert_int_equal(seen(s, &alice, "ZTF1c", NULL), 1);
}

static void
alerts_of_one_number_and_moment_are_walked_one_by_one(void **state)
{
	struct scratch *s = *state;
	struct alert_place at = alert_place_read(STR_NONE);
	struct alert_row *rows;
	int64_t target, met = 0;
	size_t n;
	bool more = true;

	stream_is(s, "night", NULL, 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "ZTF1a", "ZTF1b", "ZTF1c" };

		s->alerts = 0;
		take(s, names[i], 10, 20);
	}
	target = target_of(s, &root, "ZTF1a");
	for (size_t i = 0; more; i++) {
		assert_int_equal(
		    alerts_of_target(s->db, s->arena, &root, NULL, target, at, 1, &rows, &n, &more),
		    DB_END);
		assert_int_equal(n, 1);
		met |= INT64_C(1) << rows[0].object;
		at = alert_place_read(
		    (struct str){ alert_place_link(s->arena, &rows[0]).p + strlen("?before="),
		        alert_place_link(s->arena, &rows[0]).n - strlen("?before=") });
		assert_int_equal(more, i < 2);
	}
	assert_int_equal(__builtin_popcountll((unsigned long long)met), 3);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(object_without_a_target_is_seen_by_whom_its_stream_lets),
	TEST(deleting_a_target_lets_nobody_see_more),
	TEST(deleting_a_target_does_not_show_whose_measurements_were_withheld),
	TEST(streams_of_different_audiences_share_neither_objects_nor_targets),
	TEST(a_private_target_does_not_take_an_object_in_by_its_name),
	TEST(a_target_that_others_see_takes_nothing_of_a_private_stream),
	TEST(a_target_of_the_streams_group_takes_it_in),
	TEST(names_of_objects_are_given_to_no_target_that_others_see),
	TEST(what_is_behind_a_target_is_for_those_who_see_both),
	TEST(who_gets_the_number_of_a_deleted_group_sees_nothing_of_its),
	TEST(alerts_of_one_number_and_moment_are_walked_one_by_one),
};

int
main(void)
{
	return engines_run("audience", tests, NELEM(tests), NULL, NULL);
}
