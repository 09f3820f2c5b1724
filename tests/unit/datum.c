/*
 * datum: what is the same measurement, that it is stored once, and that a page reads it in order.
 */
#include "unit.h"

#include <math.h>

#include "engines.h"
#include "base/clock.h"
#include "scratch.h"
#include "tom/datum.h"
#include "tom/target.h"

struct scratch {
	struct db *db;
	struct arena *arena;
};

/* A database with the targets 1, 2 and 3. */
static enum db_result
add_targets(struct db *db, void *arg)
{
	static const char *const columns[] = { "id", "name", "type", "permissions", "created",
		"modified" };
	struct bulk *b = db_bulk(db, "target", NELEM(columns), columns);
	int64_t added;

	(void)arg;
	for (int64_t id = 1; id <= 3; id++) {
		char name[16];

		snprintf(name, sizeof(name), "T%d", (int)id);
		db_bulk_int(b, id);
		db_bulk_text(b, str_of(name));
		db_bulk_text(b, STR("SIDEREAL"));
		db_bulk_text(b, STR("PRIVATE"));
		db_bulk_int(b, id);
		db_bulk_int(b, id);
	}
	return db_bulk_end(b, &added);
}

static int
set_up(void **state)
{
	static struct scratch s;

	s.db = scratch_open();
	s.arena = arena_new();
	assert_int_equal(db_transaction(s.db, DB_WRITE, add_targets, NULL), DB_END);
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

struct batch {
	struct arena *arena;
	const struct datum *rows;
	size_t n, added, present;
};

static enum db_result
store(struct db *db, void *arg)
{
	struct batch *b = arg;
	struct datum *copy = arena_array(b->arena, b->n + 1, sizeof(*copy));

	memcpy(copy, b->rows, b->n * sizeof(*copy));
	return datum_store_batch(db, b->arena, copy, b->n, &b->added, &b->present);
}

static void
stores(struct scratch *s, const struct datum *rows, size_t n, size_t added)
{
	struct batch b = { s->arena, rows, n, 0, 0 };

	assert_int_equal(db_transaction(s->db, DB_WRITE, store, &b), DB_END);
	assert_int_equal(b.added, added);
	assert_int_equal(b.present, n - added);
}

static struct datum
detection(int64_t target, double mjd, const char *band, int64_t survey_id)
{
	return (struct datum){ .target_id = target,
		.source = STR("ZTF"),
		.band = str_of(band),
		.kind = DATUM_DETECTION,
		.sign = 1,
		.mjd = mjd,
		.survey_id = survey_id,
		.flux = NAN,
		.flux_error = NAN,
		.magnitude = 18.5,
		.magnitude_error = 0.1,
		.limit_mag = NAN };
}

static struct datum
limit(int64_t target, double mjd, const char *band)
{
	return (struct datum){ .target_id = target,
		.source = STR("ZTF"),
		.band = str_of(band),
		.kind = DATUM_LIMIT,
		.mjd = mjd,
		.flux = NAN,
		.flux_error = NAN,
		.magnitude = NAN,
		.magnitude_error = NAN,
		.limit_mag = 20.5 };
}

static struct datum
forced(int64_t target, double mjd, const char *band)
{
	return (struct datum){ .target_id = target,
		.source = STR("ZTF"),
		.band = str_of(band),
		.kind = DATUM_FORCED,
		.sign = -1,
		.mjd = mjd,
		.flux = -1234.5,
		.flux_error = 7,
		.magnitude = NAN,
		.magnitude_error = NAN,
		.limit_mag = NAN };
}

/* The number that a statement gives first. */
static int64_t
ask(const char *sql)
{
	return server_ask(getenv("MERIDIAN_DATABASE_URL"), sql);
}

static struct datum
told(struct datum d, double magnitude, double mjd, int64_t alert)
{
	d.magnitude = magnitude;
	d.told = mjd;
	d.alert_id = alert;
	return d;
}

static void
a_correction_takes_the_place_of_what_it_corrects_and_leaves_a_trace(void **state)
{
	struct scratch *s = *state;
	const struct datum first = detection(1, 60000.1, "g", 5);
	struct datum moved = told(detection(1, 60000.1 + 1e-6, "r", 5), 18.7, 60002, 78);
	struct datum rows[2];

	stores(s, &first, 1, 1);
	/* nobody's word, and the same again, correct nothing */
	rows[0] = told(first, 18.7, 0, 76);
	stores(s, rows, 1, 0);
	rows[0] = told(first, 18.5, 60001, 76);
	stores(s, rows, 1, 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum_correction"), 0);
	rows[0] = told(first, 18.7, 60001, 77);
	rows[1] = limit(1, 60001.1, "g");
	stores(s, rows, 2, 1);
	assert_int_equal(
	    ask("SELECT COUNT(*) FROM datum WHERE survey_id = 5 AND magnitude = 18.7"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 2);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum_correction WHERE magnitude = 18.5 AND "
	                     "alert_id = 77 AND survey_id = 5 AND target_id = 1"),
	    1);
	/* told again it is no correction any more; of its time and band it is one */
	stores(s, rows, 2, 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum_correction"), 1);
	stores(s, &moved, 1, 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE survey_id = 5 AND band = 'r'"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE survey_id = 5"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum_correction"), 2);
	/* only the error */
	moved.magnitude_error = 0.2;
	stores(s, &moved, 1, 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE magnitude_error = 0.2"), 1);
}

static void
of_two_words_in_a_batch_the_later_counts(void **state)
{
	struct scratch *s = *state;
	struct datum rows[3];

	for (int64_t turn = 0; turn < 2; turn++) {
		rows[turn] = told(detection(1, 60000.1, "g", 5 + turn), 19, 60001, 1);
		rows[1 - turn] = told(detection(1, 60000.1, "g", 5 + turn), 20, 60002, 2);
		rows[2] = told(detection(1, 60000.1, "g", 5 + turn), 21, 60000, 3);
		stores(s, rows, 3, 1);
	}
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE magnitude = 20"), 2);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 2);
}

/* Copies of rows, in the order they were given. */
struct rows {
	struct arena *arena;
	struct datum *list;
	size_t n, room;
};

static int
collect(void *arg, const struct datum *d)
{
	struct rows *r = arg;
	struct datum *at;

	r->list = arena_more(r->arena, r->list, r->n, &r->room, sizeof(*r->list));
	at = &r->list[r->n++];
	*at = *d;
	at->source = arena_str(r->arena, d->source);
	at->band = arena_str(r->arena, d->band);
	return 0;
}

/* All of a target, by time. */
static enum db_result
read_all(struct scratch *s, int64_t target, struct datum **rows, size_t *n)
{
	struct rows r = { .arena = s->arena };
	enum db_result result = datum_each(s->db, NULL, target, DATUM_ALL_TIME, collect, &r);

	*rows = r.list;
	*n = r.n;
	return result;
}

/* The newest of a span, newest first. */
static enum db_result
read_newest(struct scratch *s, int64_t target, struct datum_span span, size_t limit,
    struct datum **rows, size_t *n, bool *more)
{
	struct rows r = { .arena = s->arena };
	struct query *q = datum_read_start(s->db, NULL, target, span, limit);
	struct datum_found found;
	enum db_result result = datum_read_end(q, limit, true, collect, &r, &found);

	*more = found.more;
	*rows = r.list;
	*n = r.n;
	return result;
}

static size_t
count(struct scratch *s, int64_t target)
{
	struct datum *rows;
	size_t n;

	assert_int_equal(read_all(s, target, &rows, &n), DB_END);
	return n;
}

static void
a_second_run_adds_nothing(void **state)
{
	struct scratch *s = *state;
	struct datum rows[] = { detection(1, 60000.5, "g", 11), limit(1, 60001.5, "r"),
		forced(1, 60001.5, "r"), detection(2, 60000.5, "g", 12) };

	stores(s, rows, NELEM(rows), 4);
	stores(s, rows, NELEM(rows), 0);
	assert_int_equal(count(s, 1), 3);
	assert_int_equal(count(s, 2), 1);
	stores(s, rows, 0, 0);
}

static void
two_detections_of_one_exposure_are_two_rows(void **state)
{
	struct scratch *s = *state;
	struct datum first[] = { limit(1, 59990.5, "g"), detection(1, 60000.5, "g", 11) };
	struct datum second[] = { limit(1, 59990.5, "g"), detection(1, 60000.5, "g", 12) };

	/* the second packet has as many rows up to the same newest time: a count would not tell */
	stores(s, first, NELEM(first), 2);
	stores(s, second, NELEM(second), 1);
	assert_int_equal(count(s, 1), 3);
}

static void
a_detection_is_known_by_its_number_alone(void **state)
{
	struct scratch *s = *state;
	struct datum first[] = { limit(1, 59999.5, "g"), detection(1, 60000.5, "g", 11) };
	struct datum again[] = { first[0], first[1], first[1] };

	again[1].mjd = nextafter(first[1].mjd, 1e9);
	again[2].mjd = nextafter(again[1].mjd, 1e9);
	again[2].magnitude = 18.6;
	stores(s, first, NELEM(first), 2);
	stores(s, again, NELEM(again), 0);
	assert_int_equal(count(s, 1), 2);
	/* within a batch, too */
	for (size_t i = 0; i < NELEM(again); i++)
		again[i].target_id = 2;
	stores(s, again, NELEM(again), 2);
}

static void
a_forced_point_with_a_number_is_known_by_it_alone(void **state)
{
	struct scratch *s = *state;
	struct datum first = forced(1, 60000.5, "g"), second = first;

	first.survey_id = 21;
	second.survey_id = 22;
	stores(s, &first, 1, 1);
	stores(s, &second, 1, 1);
	first.mjd = nextafter(first.mjd, 1e9);
	stores(s, &first, 1, 0);
	/* and is no detection of that number */
	second = detection(1, 60000.5, "g", 21);
	stores(s, &second, 1, 1);
}

static void
many_detections_of_one_exposure_are_told_apart(void **state)
{
	struct scratch *s = *state;
	struct datum rows[2000];

	for (size_t i = 0; i < NELEM(rows); i++)
		rows[i] = detection(1, 60000.5, "g", 1 + (int64_t)i);
	stores(s, rows, 1000, 1000);
	stores(s, rows, NELEM(rows), 1000);
	stores(s, rows, NELEM(rows), 0);
}

static void
kinds_bands_and_targets_are_told_apart(void **state)
{
	struct scratch *s = *state;
	struct datum rows[] = { detection(1, 60000.5, "g", 0), detection(1, 60000.5, "r", 0),
		limit(1, 60000.5, "g"), forced(1, 60000.5, "g"), limit(1, 60000.5, "i"),
		limit(2, 60000.5, "g"), limit(1, nextafter(60000.5, 0), "g") };

	for (size_t i = 0; i < NELEM(rows); i++)
		stores(s, &rows[i], 1, 1);
	stores(s, rows, NELEM(rows), 0);
}

static void
rows_that_come_twice_in_a_batch_are_stored_once(void **state)
{
	struct scratch *s = *state;
	struct datum rows[] = { detection(1, 60000.5, "g", 11), limit(1, 59999.5, "g"),
		detection(1, 60000.5, "g", 11), limit(1, 59999.5, "g"), limit(1, 59999.5, "g") };

	stores(s, rows, NELEM(rows), 2);
	assert_int_equal(count(s, 1), 2);
}

static void
a_gap_in_what_is_stored_is_filled(void **state)
{
	struct scratch *s = *state;
	struct datum rows[40];

	for (size_t i = 0; i < NELEM(rows); i++)
		rows[i] = limit(1, 60000.5 + (double)i, i % 2 == 0 ? "g" : "r");
	stores(s, &rows[0], 10, 10);
	stores(s, &rows[30], 10, 10);
	stores(s, rows, NELEM(rows), 20);
	assert_int_equal(count(s, 1), 40);
}

static void
spans_far_apart_are_asked_for_apart(void **state)
{
	struct scratch *s = *state;
	struct datum rows[3 * 20];

	for (size_t i = 0; i < NELEM(rows); i++)
		rows[i] = limit(
		    1 + (int64_t)i % 3, 50000 + 1000 * (double)(i % 3) + (double)i, "g");
	stores(s, rows, NELEM(rows), NELEM(rows));
	stores(s, rows, NELEM(rows), 0);
	db_count_start(s->db);
	stores(s, rows, NELEM(rows), 0);
	{
		unsigned statements;
		int64_t us;

		db_count(s->db, &statements, &us);
		assert_in_range(statements, 1, 3);
	}
}

static void
another_source_is_another_measurement(void **state)
{
	struct scratch *s = *state;
	struct datum d = limit(1, 60000.5, "g");

	stores(s, &d, 1, 1);
	d.source = STR("ATLAS");
	stores(s, &d, 1, 1);
	stores(s, &d, 1, 0);
	assert_int_equal(count(s, 1), 2);
}

static void
values_come_back_as_they_went(void **state)
{
	struct scratch *s = *state;
	struct datum in[] = { detection(1, 59000.1234567891, "g", INT64_MAX),
		limit(1, 58000.0000000001, "r"), forced(1, 60000.99999999, "i") };
	struct datum *rows;
	size_t n;

	in[0].sign = -1;
	stores(s, in, NELEM(in), 3);
	assert_int_equal(read_all(s, 1, &rows, &n), DB_END);
	assert_int_equal(n, 3);
	/* by time: the limit, the detection, the forced point */
	assert_true(
	    rows[0].mjd == in[1].mjd && rows[1].mjd == in[0].mjd && rows[2].mjd == in[2].mjd);
	assert_str(rows[0].band, "r");
	assert_true(rows[0].kind == DATUM_LIMIT && rows[0].limit_mag == 20.5 && rows[0].sign == 0);
	assert_true(isnan(rows[0].flux) && isnan(rows[0].magnitude) && rows[0].survey_id == 0);
	assert_true(rows[1].kind == DATUM_DETECTION && rows[1].survey_id == INT64_MAX);
	assert_true(rows[1].magnitude == 18.5 && rows[1].magnitude_error == 0.1);
	assert_true(rows[1].sign == -1 && isnan(rows[1].limit_mag));
	assert_true(rows[2].kind == DATUM_FORCED && rows[2].flux == -1234.5);
	assert_true(rows[2].flux_error == 7 && rows[2].sign == -1 && rows[2].target_id == 1);
	assert_str(rows[2].source, "ZTF");
	assert_str(rows[2].band, "i");
}

static void
a_limited_read_gives_the_newest_by_time(void **state)
{
	struct scratch *s = *state;
	struct datum in[300], *rows;
	size_t n;
	bool more;

	for (size_t i = 0; i < NELEM(in); i++)
		in[i] = limit(1, 60000 + (double)((i * 7) % NELEM(in)), "g");
	stores(s, in, NELEM(in), NELEM(in));
	assert_int_equal(read_newest(s, 1, DATUM_ALL_TIME, 200, &rows, &n, &more), DB_END);
	assert_int_equal(n, 200);
	assert_true(more);
	for (size_t i = 0; i < n; i++)
		assert_true(rows[i].mjd == 60299 - (double)i);
	assert_int_equal(read_newest(s, 1, DATUM_ALL_TIME, 300, &rows, &n, &more), DB_END);
	assert_int_equal(n, 300);
	assert_false(more);
	assert_int_equal(read_newest(s, 3, DATUM_ALL_TIME, 300, &rows, &n, &more), DB_END);
	assert_int_equal(n, 0);
}

/* Is the row what a curve needs of the other? */
static void
is_read(const struct datum *got, const struct datum *want)
{
	assert_true(got->mjd == want->mjd && got->kind == want->kind && got->sign == want->sign);
	assert_true(str_eq(got->source, want->source) && str_eq(got->band, want->band));
	assert_true(
	    isnan(want->magnitude) ? isnan(got->magnitude) : got->magnitude == want->magnitude);
	assert_true(isnan(want->flux) ? isnan(got->flux) : got->flux == want->flux);
}

static int
stop_at_1500(void *arg, const struct datum *d)
{
	size_t *n = arg;

	(void)d;
	return ++*n == 1500;
}

static void
a_walk_gives_all_by_time(void **state)
{
	enum { N = 3000 };
	struct scratch *s = *state;
	struct datum *in = arena_array(s->arena, N, sizeof(*in)), *rows, *newest;
	struct datum_found found;
	size_t n, again;
	bool more;

	/* more than are read at once, and at a border several of one time */
	for (size_t i = 0; i < N; i++)
		in[i] = i % 3 == 0 ? detection(1, 60000 + (double)(i / 100), "g", (int64_t)i + 1)
		    : i % 3 == 1   ? limit(1, 60000 + (double)i, i % 2 ? "g" : "r")
		                   : forced(1, 60000 + (double)i / 7, "i");
	stores(s, in, N, N);
	assert_int_equal(read_all(s, 1, &rows, &n), DB_END);
	assert_int_equal(n, N);
	assert_int_equal(read_newest(s, 1, DATUM_ALL_TIME, N, &newest, &again, &more), DB_END);
	assert_int_equal(again, N);
	assert_false(more);
	for (size_t i = 0; i < N; i++) {
		is_read(&newest[N - 1 - i], &rows[i]);
		assert_true(rows[i].target_id == 1);
		assert_int_equal(rows[i].kind == DATUM_DETECTION, rows[i].survey_id != 0);
	}
	n = 0;
	assert_int_equal(datum_each(s->db, NULL, 1, DATUM_ALL_TIME, stop_at_1500, &n), DB_REFUSED);
	assert_int_equal(n, 1500);
	n = 0;
	assert_int_equal(datum_read_end(datum_read_start(s->db, NULL, 1, DATUM_ALL_TIME, N), N,
	                     true, stop_at_1500, &n, &found),
	    DB_REFUSED);
	assert_int_equal(n, 1500);
	assert_int_equal(read_all(s, 3, &rows, &n), DB_END);
	assert_int_equal(n, 0);
}

static void
a_span_has_both_its_ends(void **state)
{
	struct scratch *s = *state;
	struct datum in[] = { limit(1, 60000.25, "g"), limit(1, 60001.5, "g"),
		limit(1, 60001.5, "r"), limit(1, 60002.75, "g"), limit(1, 60003, "g") };
	const struct datum_span span = { 60001.5, 60002.75 };
	struct rows r = { .arena = s->arena };
	struct datum *rows;
	size_t n;
	bool more;

	stores(s, in, NELEM(in), NELEM(in));
	assert_int_equal(read_newest(s, 1, span, 10, &rows, &n, &more), DB_END);
	assert_int_equal(n, 3);
	assert_false(more);
	assert_true(rows[0].mjd == 60002.75 && rows[2].mjd == 60001.5);
	assert_int_equal(datum_each(s->db, NULL, 1, span, collect, &r), DB_END);
	assert_int_equal(r.n, 3);
	assert_true(r.list[0].mjd == 60001.5 && r.list[2].mjd == 60002.75);
}

static void
the_first_detection_is_neither_limit_nor_forced(void **state)
{
	struct scratch *s = *state;
	struct datum in[] = { limit(1, 60000, "g"), forced(1, 60001, "g"),
		detection(1, 60002.5, "g", 1), detection(1, 60003.5, "g", 2),
		limit(2, 60000, "g") };
	double mjd;

	stores(s, in, NELEM(in), NELEM(in));
	assert_int_equal(datum_first_end(datum_first_start(s->db, NULL, 1), &mjd), DB_END);
	assert_true(mjd == 60002.5);
	assert_int_equal(datum_first_end(datum_first_start(s->db, NULL, 2), &mjd), DB_END);
	assert_true(isnan(mjd));
}

static void
a_measurement_of_no_target_is_refused(void **state)
{
	struct scratch *s = *state;
	struct datum d = limit(99, 60000.5, "g");
	struct batch b = { s->arena, &d, 1, 0, 0 };

	assert_int_equal(db_transaction(s->db, DB_WRITE, store, &b), DB_REFUSED);
}

static void
sql(struct scratch *s, const char *text)
{
	assert_int_equal(db_run_text(s->db, &text, 1), DB_END);
}

static void
measurements_go_with_their_target(void **state)
{
	struct scratch *s = *state;
	struct datum in[] = { detection(1, 60000.5, "g", 1), limit(1, 60001.5, "g"),
		detection(2, 60000.5, "g", 2) };

	stores(s, in, NELEM(in), NELEM(in));
	sql(s, "DELETE FROM target WHERE id = 1");
	assert_int_equal(count(s, 1), 0);
	assert_int_equal(count(s, 2), 1);
}

static void
one_of_a_batch_of_no_target_refuses_all(void **state)
{
	struct scratch *s = *state;
	struct datum in[] = { detection(1, 60000.5, "g", 1), limit(99, 60001.5, "g"),
		detection(2, 60000.5, "g", 2) };
	struct batch b = { s->arena, in, NELEM(in), 0, 0 };
	const char *const moved[] = { "UPDATE datum SET target_id = 99 WHERE target_id = 2" };

	assert_int_equal(db_transaction(s->db, DB_WRITE, store, &b), DB_REFUSED);
	assert_int_equal(count(s, 1), 0);
	stores(s, &in[2], 1, 1);
	assert_int_equal(db_run_text(s->db, moved, 1), DB_REFUSED);
	assert_int_equal(count(s, 2), 1);
}

/* Stores a batch, and before that is committed another connection deletes its target. */
static enum db_result
store_and_delete(struct db *db, void *arg)
{
	static const char *const text[] = { "SET LOCAL lock_timeout = '10ms'",
		"DELETE FROM target WHERE id = 1" };
	struct batch *b = arg;
	char err[200];
	struct db *other = db_new(scratch_config, err, sizeof(err));
	enum db_result r = store(db, arg);

	assert_non_null(other);
	if (r == DB_END)
		assert_int_equal(db_run_text(other, text, NELEM(text)), DB_SLOW);
	db_free(other);
	assert_int_equal(b->added, 1);
	return r;
}

static void
who_deletes_a_target_waits_for_what_it_gets(void **state)
{
	struct scratch *s = *state;
	struct datum d = detection(1, 60000.5, "g", 1);
	struct batch b = { s->arena, &d, 1, 0, 0 };

	/* on SQLite nobody else writes at all; MariaDB waits for no less than a second */
	if (db_engine(s->db) != DB_POSTGRESQL)
		return;
	assert_int_equal(db_transaction(s->db, DB_WRITE, store_and_delete, &b), DB_END);
	assert_int_equal(count(s, 1), 1);
}

/* The revision of a target; what is read along with its rows is the same. */
static int64_t
revision(struct scratch *s, int64_t target)
{
	static const struct user superuser = { .id = 1, .is_superuser = true };
	struct rows r = { .arena = s->arena };
	struct query *q = datum_read_start(s->db, NULL, target, DATUM_ALL_TIME, 10);
	struct datum_found found;
	struct target_whole w;

	assert_int_equal(datum_read_end(q, 10, true, collect, &r, &found), DB_END);
	assert_int_equal(target_load(s->db, s->arena, &superuser, target, 0, &w), DB_ROW);
	if (r.n > 0)
		assert_true(found.revision == w.revision);
	return w.revision;
}

static void
a_revision_changes_with_what_is_stored(void **state)
{
	struct scratch *s = *state;
	struct datum one[] = { detection(1, 60000.5, "g", 1), detection(2, 60000.5, "g", 2) };
	struct datum two[] = { detection(1, 60001.5, "g", 3), detection(2, 60000.5, "g", 2) };
	int64_t first, second;

	assert_int_equal(revision(s, 1), 0);
	stores(s, one, NELEM(one), NELEM(one));
	first = revision(s, 1);
	second = revision(s, 2);
	assert_true(first > 0 && second > 0);
	assert_int_equal(revision(s, 3), 0);
	stores(s, two, NELEM(two), 1);
	assert_true(revision(s, 1) > first);
	assert_true(revision(s, 2) == second);
	first = revision(s, 1);
	stores(s, two, NELEM(two), 0);
	assert_true(revision(s, 1) == first);
	assert_int_equal(datum_touch(s->db, (const int64_t[]){ 1, 3 }, 2), DB_END);
	assert_true(revision(s, 1) > first);
	assert_true(revision(s, 3) > 0);
}

/* Also where the clock of who comes second is behind. */
static void
a_revision_never_comes_again(void **state)
{
	struct scratch *s = *state;
	const int64_t target = 1;
	struct datum d = detection(1, 60000.5, "g", 1);
	int64_t before;

	stores(s, &d, 1, 1);
	sql(s, "UPDATE datum_revision SET revision = 4000000000000000");
	assert_int_equal(datum_touch(s->db, &target, 1), DB_END);
	assert_true(revision(s, 1) == INT64_C(4000000000000001));
	assert_int_equal(datum_forget(s->db, target), DB_END);
	assert_int_equal(revision(s, 1), 0);
	before = clock_now();
	assert_int_equal(datum_touch(s->db, &target, 1), DB_END);
	assert_true(revision(s, 1) >= before);
}

static void
some_of_the_measurements_have_no_revision(void **state)
{
	struct scratch *s = *state;
	int64_t principal = PRINCIPAL_ANYONE;
	const struct user reader = { .principals = &principal, .nprincipals = 1 };
	struct datum d = detection(1, 60000.5, "g", 1);
	struct rows r = { .arena = s->arena };
	struct datum_found found;

	stores(s, &d, 1, 1);
	sql(s,
	    "INSERT INTO datum_rights (target_id, source, principal, verbs) VALUES (1, 'ZTF', 1, "
	    "1)");
	assert_int_equal(datum_read_end(datum_read_start(s->db, &reader, 1, DATUM_ALL_TIME, 10), 10,
	                     true, collect, &r, &found),
	    DB_END);
	assert_int_equal(r.n, 1);
	assert_int_equal(found.revision, 0);
}

/* A correction over midnight finds its like where both lie in what an alert tells. */
static void
what_is_only_taken_away_changes_the_revision(void **state)
{
	struct scratch *s = *state;
	const struct datum first = detection(1, 60000.1, "g", 4);
	const struct datum was = detection(1, 60000.99, "g", 5);
	const struct datum is = told(detection(1, 60001.01, "g", 5), 18.5, 60002, 78);
	const struct datum both[] = { first, is };
	int64_t before;

	stores(s, &first, 1, 1);
	stores(s, &was, 1, 1);
	stores(s, &is, 1, 1);
	before = revision(s, 1);
	stores(s, both, 2, 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE survey_id = 5"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE mjd = 60001.01"), 1);
	assert_true(revision(s, 1) > before);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(a_second_run_adds_nothing),
	TEST(two_detections_of_one_exposure_are_two_rows),
	TEST(a_detection_is_known_by_its_number_alone),
	TEST(a_forced_point_with_a_number_is_known_by_it_alone),
	TEST(many_detections_of_one_exposure_are_told_apart),
	TEST(kinds_bands_and_targets_are_told_apart),
	TEST(rows_that_come_twice_in_a_batch_are_stored_once),
	TEST(a_gap_in_what_is_stored_is_filled),
	TEST(spans_far_apart_are_asked_for_apart),
	TEST(another_source_is_another_measurement),
	TEST(values_come_back_as_they_went),
	TEST(a_limited_read_gives_the_newest_by_time),
	TEST(a_walk_gives_all_by_time),
	TEST(a_span_has_both_its_ends),
	TEST(the_first_detection_is_neither_limit_nor_forced),
	TEST(a_measurement_of_no_target_is_refused),
	TEST(measurements_go_with_their_target),
	TEST(one_of_a_batch_of_no_target_refuses_all),
	TEST(who_deletes_a_target_waits_for_what_it_gets),
	TEST(a_revision_changes_with_what_is_stored),
	TEST(a_revision_never_comes_again),
	TEST(some_of_the_measurements_have_no_revision),
	TEST(what_is_only_taken_away_changes_the_revision),
	TEST(a_correction_takes_the_place_of_what_it_corrects_and_leaves_a_trace),
	TEST(of_two_words_in_a_batch_the_later_counts),
};

int
main(void)
{
	return engines_run("datum", tests, NELEM(tests), NULL, NULL);
}
