/*
 * object: packets find their object, the object its target, by name and by place; each alert counts
 * once; a stream makes the targets that it is to make and no others.
 */
#include "unit.h"

#include <math.h>

#include "alert/batch.h"
#include "alert/object.h"
#include "engines.h"
#include "scratch.h"

#define ARCSECOND (1 / 3600.0)

struct scratch {
	struct db *db;
	struct arena *arena;
	struct ingest_options options;
	struct ingest_tally tally; /* of the last batch */
};

static int
set_up(void **state)
{
	static struct scratch s;

	s = (struct scratch){ .db = scratch_open(),
		.arena = arena_new(),
		.options = { .create = CREATE_ALL,
		    .permissions = TARGET_PRIVATE,
		    .match_radius = 2,
		    .stream = STR("night") } };
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

/* A packet of one detection. */
static struct alert_packet
packet(struct scratch *s, const char *object, int64_t alert, double ra, double dec)
{
	struct datum *d = arena_alloc(s->arena, sizeof(*d));

	*d = (struct datum){ .source = STR("ZTF"),
		.band = STR("g"),
		.kind = DATUM_DETECTION,
		.sign = 1,
		.mjd = 60000 + (double)alert,
		.survey_id = alert,
		.flux = NAN,
		.flux_error = NAN,
		.magnitude = 18,
		.magnitude_error = 0.1,
		.limit_mag = NAN };
	return (struct alert_packet){ .survey = &survey_ztf,
		.object = str_of(object),
		.alert_id = alert,
		.ra = ra,
		.dec = dec,
		.mjd = d->mjd,
		.reliability = 0.9,
		.points = d,
		.npoints = 1 };
}

static enum db_result
write_batch(struct db *db, void *arg)
{
	bool fenced;

	return batch_write(db, arg, &fenced);
}

static void
take_all(struct scratch *s, const struct alert_packet *packets, size_t n)
{
	struct batch b = {
		.options = &s->options, .scratch = arena_new(), .packets = packets, .n = n
	};

	for (size_t i = 0; i < n; i++)
		b.npoints += packets[i].npoints;
	assert_int_equal(db_transaction(s->db, DB_WRITE, write_batch, &b), DB_END);
	s->tally = b.tally;
	arena_free(b.scratch);
}

static void
take(struct scratch *s, const char *object, int64_t alert, double ra, double dec)
{
	struct alert_packet p = packet(s, object, alert, ra, dec);

	take_all(s, &p, 1);
}

/* What is stored of an object; id 0: it is not there. */
static struct object
stored(struct scratch *s, const char *name)
{
	const struct audience u = audience_of(
	    s->arena, s->options.permissions, s->options.groups, s->options.ngroups);
	struct object o = { .name = str_of(name) };

	assert_int_equal(objects_find(s->db, s->arena, STR("ZTF"), &u, &o, 1), DB_END);
	return o;
}

static int64_t
target_of(struct scratch *s, const char *name)
{
	return stored(s, name).known_target;
}

struct making {
	struct target_wanted wanted;
	int permissions;
	struct arena *arena;
};

static enum db_result
make_one(struct db *db, void *arg)
{
	struct making *m = arg;

	return target_find_or_add_many(db, m->arena, &m->wanted, 1, m->permissions, NULL, 0);
}

static int64_t
make_target(struct scratch *s, const char *name, double ra, double dec, int permissions)
{
	struct making m = { { .name = str_of(name), .ra = ra, .dec = dec }, permissions, s->arena };

	assert_int_equal(db_transaction(s->db, DB_WRITE, make_one, &m), DB_END);
	return m.wanted.id;
}

static int
count_one(void *arg, const struct datum *d)
{
	(void)d;
	++*(size_t *)arg;
	return 0;
}

static size_t
points_of(struct scratch *s, int64_t target)
{
	size_t n = 0;

	assert_int_equal(datum_each(s->db, NULL, target, DATUM_ALL_TIME, count_one, &n), DB_END);
	return n;
}

static int64_t
target_named(struct scratch *s, const char *name)
{
	struct target_wanted w = { .name = str_of(name) };

	assert_int_equal(target_find_many(s->db, s->arena, &w, 1), DB_END);
	return w.id;
}

static void
an_alert_counts_once(void **state)
{
	struct scratch *s = *state;
	struct alert_packet twice[] = { packet(s, "ZTF1a", 5, 10, 20),
		packet(s, "ZTF1a", 5, 10, 20), packet(s, "ZTF1a", 3, 10.1, 20) };
	struct object o;

	take_all(s, twice, 3);
	assert_int_equal(s->tally.new_objects, 1);
	assert_int_equal(s->tally.new_alerts, 2);
	take_all(s, twice, 3);
	assert_int_equal(s->tally.new_alerts, 0);
	take(s, "ZTF1a", 4, 10, 20); /* one that was late */
	take(s, "ZTF1a", 9, 10.2, 20);
	o = stored(s, "ZTF1a");
	assert_int_equal(o.known_alerts, 4);
	assert_true(o.known_first == 60003 && o.known_last == 60009);
	assert_int_equal(points_of(s, o.known_target), 4);
}

static void
an_object_joins_the_target_of_its_name_wherever_it_is(void **state)
{
	struct scratch *s = *state;
	int64_t far = make_target(s, "ztf 1a", 100, 20, TARGET_PRIVATE);

	make_target(s, "near", 10, 20, TARGET_PRIVATE);
	take(s, "ZTF1a", 1, 10, 20);
	assert_int_equal(target_of(s, "ZTF1a"), far);
	assert_int_equal(s->tally.new_targets, 0);
}

static void
an_object_joins_the_target_near_it_and_gives_it_its_name(void **state)
{
	struct scratch *s = *state;
	int64_t near = make_target(s, "SN 2026abc", 359.9999, 20, TARGET_PRIVATE);

	make_target(s, "another", 0.01, 20, TARGET_PRIVATE);
	take(s, "ZTF1a", 1, 0.0001, 20); /* 0.7 arcseconds, across RA 0 */
	assert_int_equal(target_of(s, "ZTF1a"), near);
	assert_int_equal(s->tally.joined, 1);
	assert_int_equal(target_named(s, "ZTF 1A"), near);
	assert_int_equal(points_of(s, near), 1);
	/* out of the radius */
	take(s, "ZTF1b", 2, 359.9999, 20 + 2.1 * ARCSECOND);
	assert_int_equal(s->tally.new_targets, 1);
	/* by the name alone where there is no radius */
	s->options.match_radius = 0;
	take(s, "ZTF1c", 3, 359.9999, 20);
	assert_int_equal(s->tally.new_targets, 1);
}

/* How many targets these are the names of. */
static size_t
count_named(struct scratch *s, const struct alert_packet *packets, size_t n)
{
	struct target_wanted *wanted = arena_array(s->arena, n, sizeof(*wanted));
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		wanted[i].name = packets[i].object;
	assert_int_equal(target_find_many(s->db, s->arena, wanted, n), DB_END);
	for (size_t i = 0; i < n; i++)
		found += wanted[i].id != 0;
	return found;
}

static void
a_target_takes_so_many_names_and_measurements_without_end(void **state)
{
	struct scratch *s = *state;
	struct alert_packet packets[TARGET_ALIASES_MAX + 20];
	int64_t id = make_target(s, "SN 2026ab", 120, 30, TARGET_PRIVATE);
	size_t first = TARGET_ALIASES_MAX - 10, all = NELEM(packets);

	for (size_t i = 0; i < all; i++)
		packets[i] = packet(s, arena_printf(s->arena, "ZTF26%05zu", i).p, (int64_t)i + 1,
		    120, 30 + ARCSECOND);
	take_all(s, packets, first);
	assert_int_equal(count_named(s, packets, all), first);
	/* within one batch, too */
	take_all(s, packets + first, all - first);
	assert_int_equal(s->tally.joined, all - first);
	assert_int_equal(s->tally.new_points, all - first);
	assert_int_equal(count_named(s, packets, all), TARGET_ALIASES_MAX);
	for (size_t i = 0; i < all; i++)
		assert_int_equal(target_of(s, packets[i].object.p), id);
	/* what has no name there is found by its object */
	take(s, packets[all - 1].object.p, 5000, 120, 30 + ARCSECOND);
	assert_int_equal(s->tally.new_targets, 0);
	assert_int_equal(s->tally.new_points, 1);
}

static void
of_two_targets_the_much_nearer_one_is_joined_and_else_none(void **state)
{
	struct scratch *s = *state;
	int64_t left = make_target(s, "left", 10, 20, TARGET_PRIVATE);

	make_target(s, "right", 10, 20 + 2.4 * ARCSECOND, TARGET_PRIVATE);
	take(s, "ZTF1a", 1, 10, 20 + 0.9 * ARCSECOND);
	assert_int_equal(target_of(s, "ZTF1a"), left);
	take(s, "ZTF1b", 2, 10, 20 + 1.1 * ARCSECOND);
	assert_int_equal(target_of(s, "ZTF1b"), 0);
	assert_true(str_is(stored(s, "ZTF1b").known_note, OBJECT_SEVERAL));
	assert_int_equal(s->tally.new_targets, 0);
	assert_int_equal(stored(s, "ZTF1b").known_alerts, 1);
}

static void
objects_of_a_batch_within_the_radius_are_one_target(void **state)
{
	struct scratch *s = *state;
	struct alert_packet list[] = { packet(s, "ZTF1a", 1, 10, 20),
		packet(s, "ZTF1b", 2, 10, 20 + ARCSECOND), packet(s, "ZTF1c", 3, 10, 21) };

	take_all(s, list, 3);
	assert_int_equal(s->tally.new_targets, 2);
	assert_int_equal(target_of(s, "ZTF1a"), target_of(s, "ZTF1b"));
	assert_int_equal(target_named(s, "ZTF1a"), target_named(s, "ZTF1b"));
	assert_int_not_equal(target_of(s, "ZTF1a"), target_of(s, "ZTF1c"));
	assert_int_equal(points_of(s, target_of(s, "ZTF1a")), 2);
}

static void
a_private_target_is_passed_over_by_what_all_are_to_see(void **state)
{
	struct scratch *s = *state;
	int64_t hidden = make_target(s, "hidden", 10, 20, TARGET_PRIVATE);

	s->options.permissions = TARGET_PUBLIC;
	take(s, "ZTF1a", 1, 10, 20);
	assert_int_equal(s->tally.new_targets, 1);
	assert_int_not_equal(target_of(s, "ZTF1a"), hidden);
	/* who makes none lets it grow */
	s->options.create = CREATE_MATCH;
	make_target(s, "other", 30, 20, TARGET_PRIVATE);
	take(s, "ZTF1b", 2, 30, 20);
	assert_int_equal(target_of(s, "ZTF1b"), target_named(s, "other"));
}

static void
a_stream_that_matches_makes_no_target_and_brings_the_history_later(void **state)
{
	struct scratch *s = *state;
	struct alert_packet p = packet(s, "ZTF1a", 2, 10, 20),
	                    first = packet(s, "ZTF1a", 1, 10, 20);
	struct datum both[2] = { *p.points, *first.points };
	int64_t target;

	s->options.create = CREATE_MATCH;
	take_all(s, &first, 1);
	assert_int_equal(s->tally.new_targets + s->tally.new_points, 0);
	assert_int_equal(s->tally.new_objects, 1);
	target = make_target(s, "mine", 10, 20, TARGET_PRIVATE);
	p.points = both;
	p.npoints = 2;
	take_all(s, &p, 1);
	assert_int_equal(target_of(s, "ZTF1a"), target);
	assert_int_equal(points_of(s, target), 2);
	assert_int_equal(stored(s, "ZTF1a").known_alerts, 2);
	assert_int_equal(stored(s, "ZTF1a").known_detections, 2);
}

static void
a_stream_that_makes_nothing_matches_nothing(void **state)
{
	struct scratch *s = *state;

	s->options.create = CREATE_NEVER;
	make_target(s, "ZTF1a", 10, 20, TARGET_PRIVATE);
	take(s, "ZTF1a", 1, 10, 20);
	assert_int_equal(target_of(s, "ZTF1a"), 0);
	assert_int_equal(stored(s, "ZTF1a").known_alerts, 1);
}

static void
cuts_keep_an_object_from_becoming_a_target(void **state)
{
	struct scratch *s = *state;
	const struct ingest_cuts none = { NAN, NAN, NAN, NAN, NAN };
	struct ingest_cuts cuts;
	int64_t n = 0;
	char name[20];

	s->options.cuts = &cuts;
	/* galactic latitude of (266.4, -28.9) is 0.0, of (192.9, 27.1) 90 */
	const struct {
		struct ingest_cuts cuts;
		double dec;
		bool passes;
	} cases[] = {
		{ none, 20, true },
		{ { 17.9, NAN, NAN, NAN, NAN }, 20, false },
		{ { 18, NAN, NAN, NAN, NAN }, 20, true },
		{ { NAN, 0.91, NAN, NAN, NAN }, 20, false },
		{ { NAN, 0.9, NAN, NAN, NAN }, 20, true },
		{ { NAN, NAN, 21, NAN, NAN }, 20, false },
		{ { NAN, NAN, NAN, 19, NAN }, 20, false },
		{ { NAN, NAN, 19, 21, NAN }, 20, true },
		{ { NAN, NAN, NAN, NAN, 10 }, -28.9, false },
		{ { NAN, NAN, NAN, NAN, 10 }, 27.1, true },
	};
	for (size_t i = 0; i < NELEM(cases); i++) {
		double ra = cases[i].dec == 27.1 ? 192.9 : 266.4;

		cuts = cases[i].cuts;
		s->options.match_radius = 0;
		snprintf(name, sizeof(name), "ZTF%zu", i);
		take(s, arena_strdup(s->arena, name), ++n, ra, cases[i].dec);
		if (s->tally.new_targets != cases[i].passes)
			fail_msg("case %zu", i);
		assert_true(str_is(stored(s, name).known_note, cases[i].passes ? "" : OBJECT_CUT));
	}
	/* what an object grows into is seen later */
	cuts = none;
	take(s, "ZTF1", ++n, 266.4, 20);
	assert_int_equal(s->tally.new_targets, 1);
	assert_true(str_is(stored(s, "ZTF1").known_note, ""));
}

static void
a_deleted_target_is_made_anew_by_streams_that_make_all(void **state)
{
	struct scratch *s = *state;
	const struct user root = { .id = 1, .is_superuser = true };

	take(s, "ZTF1a", 1, 10, 20);
	assert_int_equal(target_delete(s->db, &root, target_of(s, "ZTF1a"), false), DB_END);
	assert_int_equal(target_of(s, "ZTF1a"), 0);
	s->options.create = CREATE_MATCH;
	take(s, "ZTF1a", 2, 10, 20);
	assert_int_equal(target_of(s, "ZTF1a"), 0);
	assert_int_equal(stored(s, "ZTF1a").known_alerts, 2);
	s->options.create = CREATE_ALL;
	take(s, "ZTF1a", 3, 10, 20);
	assert_int_equal(s->tally.new_targets, 1);
	assert_int_not_equal(target_of(s, "ZTF1a"), 0);
}

static void
what_moves_is_found_by_name_only(void **state)
{
	struct scratch *s = *state;
	struct alert_packet p = packet(s, "2026 AB1", 1, 10, 20);

	p.moving = true;
	make_target(s, "near", 10, 20, TARGET_PRIVATE);
	take_all(s, &p, 1);
	assert_int_equal(s->tally.new_targets, 1);
	assert_int_equal(target_of(s, "2026 AB1"), target_named(s, "2026AB1"));
	/* and nothing finds it by its place */
	take(s, "ZTF1a", 2, 10, 20);
	assert_int_equal(target_of(s, "ZTF1a"), target_named(s, "near"));
}

struct fenced_batch {
	struct batch batch;
	bool fenced;
};

static enum db_result
write_fenced(struct db *db, void *arg)
{
	struct fenced_batch *b = arg;

	return batch_write(db, &b->batch, &b->fenced);
}

/* Tries to write a packet and the position it came from. */
static enum db_result
write_from(struct scratch *s, struct position *at, const char *object, bool *fenced)
{
	struct alert_packet p = packet(s, object, 1, 10, 20);
	struct position *const list[] = { at };
	struct letter letter = { .position = at,
		.place = at->next - 1,
		.bytes = STR("what is this?"),
		.size = 13,
		.reason = STR("it cannot be read") };
	struct fenced_batch b = { { .options = &s->options,
		                      .scratch = arena_new(),
		                      .packets = &p,
		                      .n = 1,
		                      .npoints = 1,
		                      .positions = list,
		                      .npositions = 1,
		                      .letters = &letter,
		                      .nletters = 1 },
		false };
	enum db_result r = db_transaction(s->db, DB_WRITE, write_fenced, &b);

	position_settle(at, r == DB_END);
	*fenced = b.fenced;
	arena_free(b.batch.scratch);
	return r;
}

static void
who_finds_the_place_moved_writes_nothing(void **state)
{
	struct scratch *s = *state;
	struct position ours = { .topic = STR("ztf"), .part = 3 }, theirs = ours;
	bool fenced;

	s->options.match_radius = 0;
	/* neither knows of the other: the row is not there yet */
	assert_int_equal(position_read(s->db, STR("night"), &ours), DB_END);
	assert_int_equal(position_read(s->db, STR("night"), &theirs), DB_END);
	assert_int_equal(ours.stored, POSITION_NEW);
	ours.next = theirs.next = 5;
	assert_int_equal(write_from(s, &ours, "ZTF1a", &fenced), DB_END);
	assert_int_equal(write_from(s, &theirs, "ZTF1b", &fenced), DB_REFUSED);
	assert_true(fenced);
	assert_int_equal(stored(s, "ZTF1b").id, 0);
	/* ... and now that it is */
	assert_int_equal(position_read(s->db, STR("night"), &theirs), DB_END);
	assert_int_equal(theirs.next, 5);
	ours.next = 6;
	assert_int_equal(write_from(s, &ours, "ZTF1c", &fenced), DB_END);
	theirs.next = 6;
	assert_int_equal(write_from(s, &theirs, "ZTF1d", &fenced), DB_REFUSED);
	assert_true(fenced);
	assert_int_equal(theirs.next, 5);
	assert_int_equal(stored(s, "ZTF1d").id, 0);
	/* another stream has places of its own */
	s->options.stream = STR("day");
	theirs.stored = POSITION_NEW;
	theirs.next = 6;
	assert_int_equal(write_from(s, &theirs, "ZTF1e", &fenced), DB_END);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(an_alert_counts_once),
	TEST(an_object_joins_the_target_of_its_name_wherever_it_is),
	TEST(an_object_joins_the_target_near_it_and_gives_it_its_name),
	TEST(a_target_takes_so_many_names_and_measurements_without_end),
	TEST(of_two_targets_the_much_nearer_one_is_joined_and_else_none),
	TEST(objects_of_a_batch_within_the_radius_are_one_target),
	TEST(a_private_target_is_passed_over_by_what_all_are_to_see),
	TEST(a_stream_that_matches_makes_no_target_and_brings_the_history_later),
	TEST(a_stream_that_makes_nothing_matches_nothing),
	TEST(cuts_keep_an_object_from_becoming_a_target),
	TEST(a_deleted_target_is_made_anew_by_streams_that_make_all),
	TEST(what_moves_is_found_by_name_only),
	TEST(who_finds_the_place_moved_writes_nothing),
};

int
main(void)
{
	return engines_run("object", tests, NELEM(tests), NULL, NULL);
}
