/*
 * scout_store: on every engine: what was told twice stands once; who is missing twice has left; what
 * comes of an object that has a target, or is cut; whose place was taken writes nothing.
 */
#include "unit.h"

#include <math.h>

#include "alert/scout_store.h"
#include "base/clock.h"
#include "engines.h"
#include "scratch.h"
#include "tom/target.h"

struct scratch {
	struct db *db;
	struct arena *arena;
	struct scout_rules rules;
	struct scout_tally tally;
};

static int
set_up(void **state)
{
	static struct scratch s;

	s = (struct scratch){ .db = scratch_open(),
		.arena = arena_new(),
		.rules = { .stream = STR("scout"),
		    .create = CREATE_ALL,
		    .permissions = TARGET_PRIVATE,
		    .cuts = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN } } };
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

#define RUN(n) (clock_from_mjd(61000) + (n)*HOUR)

static struct scout_object
object(const char *name, int run)
{
	struct scout_object o = scout_none();

	o.name = str_of(name);
	o.last_run = RUN(run);
	o.neo_score = 90;
	o.v_mag = 20.5;
	o.dec = -19;
	return o;
}

static void
tell(struct scratch *s, const struct scout_object *objects, size_t n)
{
	struct scout_list list = { .rows = arena_array(s->arena, n + 1, sizeof(*list.rows)),
		.n = n };

	for (size_t i = 0; i < n; i++)
		list.rows[i].object = objects[i];
	s->tally = (struct scout_tally){ 0 };
	assert_int_equal(
	    scout_store_list(s->db, s->arena, &s->rules, NULL, &list, &s->tally), DB_END);
}

static size_t
due(struct scratch *s, struct scout_known **list)
{
	size_t n;

	assert_int_equal(scout_due(s->db, s->arena, &s->rules, list, &n), DB_END);
	return n;
}

/* A text, and a number, of a row of scout_object. */
static struct str
column(struct scratch *s, const char *name, const char *column)
{
	struct query *q = db_query(s->db, QUERY_SCOUT_FIND);
	struct str text = STR_NONE;

	db_text(q, "name", str_of(name));
	if (db_step(q) == DB_ROW)
		text = db_col_copy(q, column, s->arena);
	assert_int_equal(db_done(q), DB_END);
	return text;
}

static int64_t
number(struct scratch *s, const char *name, const char *column)
{
	struct query *q = db_query(s->db, QUERY_SCOUT_FIND);
	int64_t n = 0;

	db_text(q, "name", str_of(name));
	if (db_step(q) == DB_ROW)
		n = db_col_int(q, column);
	assert_int_equal(db_done(q), DB_END);
	return n;
}

static int64_t
target_of(struct scratch *s, const char *name)
{
	return number(s, name, "target_id");
}

static struct target_whole
load(struct scratch *s, int64_t id)
{
	static const struct user superuser = { .is_superuser = true };
	struct target_whole whole;

	assert_int_equal(target_load(s->db, s->arena, &superuser, id, WITH_ALL, &whole), DB_ROW);
	return whole;
}

static void
answer(struct scratch *s, struct scout_object o, double eccentricity)
{
	struct scout_orbit orbit = { .number = 3,
		.epoch = 61001,
		.eccentricity = eccentricity,
		.perihelion = 0.9,
		.perihelion_time = 61050,
		.node = -10,
		.peri = 380,
		.inclination = 5,
		.abs_mag = 21 };
	struct scout_single single = { .object = o, .orbits = &orbit, .n = 1 };

	s->tally = (struct scout_tally){ 0 };
	assert_int_equal(
	    scout_store_single(s->db, s->arena, &s->rules, NULL, &single, &s->tally), DB_END);
}

static void
what_is_told_twice_stands_once(void **state)
{
	struct scratch *s = *state;
	struct scout_object list[] = { object("A1", 1), object("A2", 1) };
	struct scout_known *known;

	tell(s, list, 2);
	assert_int_equal(s->tally.new_objects, 2);
	assert_int_equal(s->tally.new_runs, 2);
	tell(s, list, 2);
	assert_int_equal(s->tally.new_objects + s->tally.new_runs, 0);
	assert_int_equal(due(s, &known), 2);
	answer(s, list[0], 0.5);
	assert_int_equal(s->tally.new_targets, 1);
	assert_int_equal(due(s, &known), 1);
	assert_str(known[0].object.name, "A2");
	answer(s, list[0], 0.5);
	assert_int_equal(s->tally.new_targets + s->tally.new_runs, 0);
	list[0].last_run = RUN(2);
	list[0].v_mag = 19;
	tell(s, list, 2);
	assert_int_equal(s->tally.new_runs, 1);
	assert_int_equal(due(s, &known), 2);
	/* all fields came back */
	assert_true(known[0].object.v_mag == 19 || known[1].object.v_mag == 19);
	assert_true(known[0].object.neo_score == 90 && isnan(known[0].object.rating));
	/* an older word changes nothing */
	list[0].last_run = RUN(1);
	list[0].v_mag = 5;
	tell(s, list, 2);
	due(s, &known);
	assert_true(known[0].object.v_mag != 5 && known[1].object.v_mag != 5);
}

static void
who_is_missing_twice_has_left_and_may_come_back(void **state)
{
	struct scratch *s = *state;
	struct scout_object list[] = { object("A1", 1), object("A2", 1) };
	struct mpc_fate fates[] = { { STR("A2"), MPC_UNCONFIRMED, STR_NONE },
		{ STR("A1"), MPC_CONFIRMED, STR("2026 AB1") },
		{ STR("A1"), MPC_NONEXISTENT, STR_NONE } };
	struct target_whole whole;
	size_t n;

	tell(s, list, 2);
	answer(s, list[0], 0.5);
	clock_freeze(clock_now() + SECOND);
	tell(s, list + 1, 1);
	assert_str(column(s, "A1", "state"), "active");
	clock_freeze(clock_now() + SECOND);
	tell(s, list, 2);
	clock_freeze(clock_now() + SECOND);
	tell(s, list + 1, 1);
	assert_str(column(s, "A1", "state"), "active");
	clock_freeze(clock_now() + SECOND);
	tell(s, list + 1, 1);
	assert_str(column(s, "A1", "state"), "left");
	assert_int_equal(scout_unsettled(s->db, 0, &n), DB_END);
	assert_int_equal(n, 1);
	assert_int_equal(scout_store_fates(s->db, s->arena, &s->rules, NULL, fates, 3, 0), DB_END);
	assert_str(column(s, "A1", "state"), "confirmed");
	assert_str(column(s, "A1", "designation"), "2026 AB1");
	assert_str(column(s, "A2", "state"), "active"); /* it is in the list still */
	whole = load(s, target_of(s, "A1"));
	assert_str(whole.target.name, "A1");
	assert_int_equal(whole.naliases, 1);
	assert_str(whole.aliases[0].name, "2026 AB1");
	assert_int_equal(scout_unsettled(s->db, 0, &n), DB_END);
	assert_int_equal(n, 0);
	clock_freeze(clock_now() + SECOND);
	tell(s, list, 2);
	assert_str(column(s, "A1", "state"), "active");
	clock_freeze(0);
}

static void
cuts_keep_an_object_from_becoming_a_target(void **state)
{
	struct scratch *s = *state;
	struct scout_object list[] = { object("A1", 1), object("A2", 1), object("A3", 1) };
	struct scout_known *known;

	list[1].rating = 1;
	list[2].rating = 3;
	s->rules.cuts.min_rating = 2;
	tell(s, list, 3);
	assert_int_equal(due(s, &known), 1);
	assert_str(known[0].object.name, "A3");
	assert_str(column(s, "A1", "note"), "cut"); /* what is not told fails */
	assert_str(column(s, "A2", "note"), "cut");
	/* the answer is newer than the list: it is cut now */
	list[2].rating = 0;
	answer(s, list[2], 0.5);
	assert_int_equal(s->tally.new_targets, 0);
	assert_true(target_of(s, "A3") == 0);
	s->rules.cuts.min_rating = NAN;
	s->rules.cuts.max_magnitude = 20;
	assert_false(scout_passes(&s->rules.cuts, &list[0]));
	s->rules.cuts.max_magnitude = 20.5;
	assert_true(scout_passes(&s->rules.cuts, &list[0]));
	s->rules.cuts.max_uncertainty = 10;
	assert_false(scout_passes(&s->rules.cuts, &list[0]));
	list[0].uncertainty = 10;
	s->rules.cuts.max_geocentric_score = 5;
	assert_false(scout_passes(&s->rules.cuts, &list[0]));
	list[0].geocentric_score = 5;
	s->rules.cuts.min_declination = -18;
	assert_false(scout_passes(&s->rules.cuts, &list[0]));
}

struct making {
	struct target_wanted wanted;
	struct arena *arena;
};

static enum db_result
make_one(struct db *db, void *arg)
{
	struct making *m = arg;

	return target_find_or_add_many(db, m->arena, &m->wanted, 1, TARGET_PRIVATE, NULL, 0);
}

static int64_t
make(struct scratch *s, const char *name, double ra)
{
	struct making m = { .wanted = { .name = str_of(name), .ra = ra, .dec = isnan(ra) ? ra : 0 },
		.arena = s->arena };

	assert_int_equal(db_transaction(s->db, DB_WRITE, make_one, &m), DB_END);
	return m.wanted.id;
}

static void
elements_are_those_of_one_sample_as_the_scheme_wants_them(void **state)
{
	struct scratch *s = *state;
	struct target t;

	answer(s, object("A1", 1), 0.5);
	t = load(s, target_of(s, "A1")).target;
	assert_int_equal(t.type, TARGET_NON_SIDEREAL);
	assert_int_equal(t.scheme, SCHEME_MINOR_PLANET);
	assert_true(t.eccentricity == 0.5 && t.perihdist == 0.9 && t.semimajor_axis == 1.8);
	assert_true(t.lng_asc_node == 350 && t.arg_of_perihelion == 20 && t.inclination == 5);
	assert_true(t.epoch_of_elements == 61001 && t.epoch_of_perihelion == 61050);
	/* 49 days before the perihelion */
	assert_true(fabs(t.mean_daily_motion - 0.9856076686 / (1.8 * sqrt(1.8))) < 1e-9);
	assert_true(fabs(t.mean_anomaly - (360 - 49 * t.mean_daily_motion)) < 1e-9);
	assert_true(t.abs_mag == 21 && t.slope == 0.15 && isnan(t.ra));
	assert_int_equal(number(s, "A1", "orbit"), 3);
	/* the next analysis finds it a comet */
	answer(s, object("A1", 2), 1.25);
	t = load(s, target_of(s, "A1")).target;
	assert_int_equal(t.scheme, SCHEME_COMET);
	assert_true(t.eccentricity == 1.25 && t.semimajor_axis == -3.6);
	assert_true(isnan(t.mean_anomaly) && isnan(t.mean_daily_motion));
	answer(s, object("A1", 3), 1);
	t = load(s, target_of(s, "A1")).target;
	assert_true(t.eccentricity == 1 && isnan(t.semimajor_axis));
}

static void
target_of_that_name_is_joined_and_a_sidereal_one_left_as_it_is(void **state)
{
	struct scratch *s = *state;
	struct scout_object list[] = { object("A1", 1), object("A2", 1), object("A3", 1) };
	int64_t moving = make(s, "a-1", NAN), fixed = make(s, "A2", 10);
	struct scout_known *known;
	struct target t;

	s->rules.create = CREATE_MATCH;
	tell(s, list, 3);
	assert_int_equal(due(s, &known), 2);
	answer(s, list[0], 0.5);
	answer(s, list[1], 0.5);
	answer(s, list[2], 0.5);
	assert_true(target_of(s, "A1") == moving && target_of(s, "A2") == fixed);
	assert_true(target_of(s, "A3") == 0);
	assert_true(load(s, moving).target.eccentricity == 0.5);
	t = load(s, fixed).target;
	assert_int_equal(t.type, TARGET_SIDEREAL);
	assert_true(isnan(t.eccentricity) && t.ra == 10);
	s->rules.create = CREATE_NEVER;
	list[0].last_run = RUN(2);
	list[2].name = STR("A4");
	tell(s, list, 3);
	answer(s, list[2], 0.5);
	assert_true(target_of(s, "A4") == 0);
}

static void
whose_place_was_taken_writes_nothing(void **state)
{
	struct scratch *s = *state;
	struct scout_object one = object("A1", 1);
	struct scout_row row = { .object = one };
	struct scout_list list = { .rows = &row, .n = 1 };
	struct position ours = { .topic = STR("list"), .next = 5 }, theirs;

	assert_int_equal(position_begin(s->db, STR("scout"), &ours), DB_END);
	theirs = ours;
	theirs.next = 6;
	assert_int_equal(
	    scout_store_list(s->db, s->arena, &s->rules, &theirs, &list, NULL), DB_END);
	row.object.name = STR("A2");
	ours.next = 7;
	assert_int_equal(
	    scout_store_list(s->db, s->arena, &s->rules, &ours, &list, NULL), DB_REFUSED);
	assert_int_equal(ours.next, 5);
	assert_null(column(s, "A2", "state").p);
	assert_non_null(column(s, "A1", "state").p);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(what_is_told_twice_stands_once),
	TEST(who_is_missing_twice_has_left_and_may_come_back),
	TEST(cuts_keep_an_object_from_becoming_a_target),
	TEST(elements_are_those_of_one_sample_as_the_scheme_wants_them),
	TEST(target_of_that_name_is_joined_and_a_sidereal_one_left_as_it_is),
	TEST(whose_place_was_taken_writes_nothing),
};

int
main(void)
{
	return engines_run("scout_store", tests, NELEM(tests), NULL, NULL);
}
