/*
 * lsst: Rubin's packets read into measurements: made ones against what their maker says, each rule by
 * a packet of the least schema, wrong ones refused. Real ones and every number: tests/suite/alerts.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alert/packet.h"
#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"

static char err[512];

#define assert_says(text) \
	do { \
		if (strstr(err, (text)) == NULL) \
			fail_msg("\"%s\" does not say \"%s\"", err, (text)); \
	} while (0)

static void
made_packets_read_as_they_were_made(void **state)
{
	struct avro_file *f = packet_file_new();
	struct arena *a = arena_new();

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		struct alerts maker = { .seed = i / 4,
			.points = 1 + i % 90,
			.lsst = true,
			.cutout = i % 3 * 1000,
			.moving = i % 7 == 0 };
		static const char *const codecs[] = { "null", "deflate", "snappy" };
		unsigned detections = 0, forced = 0, negative = 0;
		struct buf b = { 0 }, record = { 0 };
		struct made_alert made;
		struct alert_packet p;

		alerts_put(&maker, i, i % 5, &record, &made);
		put_header(&b, alerts_schema(&maker), codecs[i % 3], alerts_sync);
		put_block(&b, 1, buf_text(&record), (enum packing)(i % 3), alerts_sync);
		assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
		if (packet_next(f, a, &p, err, sizeof(err)) != AVRO_RECORD)
			fail_msg("%s", err);
		for (size_t k = 0; k < p.npoints; k++) {
			detections += p.points[k].kind == DATUM_DETECTION;
			forced += p.points[k].kind == DATUM_FORCED;
			negative += p.points[k].kind == DATUM_DETECTION && p.points[k].sign < 0;
			assert_str(p.points[k].source, "LSST");
		}
		assert_ptr_equal(p.survey, &survey_lsst);
		assert_str(p.object, made.object_id);
		assert_true(p.alert_id == made.candid && p.ra == made.ra && p.dec == made.dec);
		assert_true(p.points[0].survey_id == made.candid && p.moving == maker.moving);
		assert_int_equal(detections, made.detections);
		assert_int_equal(forced, made.forced);
		assert_int_equal(p.empty, made.empty);
		assert_int_equal(negative, made.negative);
		assert_int_equal(packet_next(f, a, &p, err, sizeof(err)), AVRO_END);
		buf_free(&b);
		buf_free(&record);
	}
	arena_free(a);
	avro_file_free(f);
}

/* A packet of the least schema, whose values a test sets. */
struct row {
	int64_t id;
	double mjd;
	const char *band; /* NULL: null, as is what is NAN */
	double flux, error, withdrawn;
};
struct least {
	struct row own;
	double ra, dec;
	struct row previous, forced; /* id 0: there is none */
	int64_t object_id, ss_object_id; /* 0: null */
	const char *designation, *packed; /* NULL: null */
};

static const struct row good_row = { 11, 60961.25, "r", 1000, 100, NAN };
static const struct least good = {
	.own = { 10, 60961.23309222222, "g", 1230.5, 120, NAN },
	.ra = 10,
	.dec = -20,
	.object_id = 7,
};

#define REAL "[\"null\",\"double\"]"
#define ROW(name, id, more) \
	"{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[{\"name\":\"" id \
	"\",\"type\":\"long\"},{\"name\":\"midpointMjdTai\",\"type\":\"double\"}," \
	"{\"name\":\"band\",\"type\":[\"null\",\"string\"]},{\"name\":\"psfFlux\",\"type\":" REAL \
	"},{\"name\":\"psfFluxErr\",\"type\":" REAL \
	"},{\"name\":\"timeWithdrawnMjdTai\",\"type\":" REAL "}" more "]}"
#define NULLABLE(name, record, field, type) \
	",{\"name\":\"" name "\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"" record \
	"\",\"fields\":[{\"name\":\"" field "\",\"type\":" type "}]}]}"
#define LIST(name, item) \
	",{\"name\":\"" name "\",\"type\":[\"null\",{\"type\":\"array\",\"items\":" item "}]}"

static const char least_schema[] =
    "{\"type\":\"record\",\"name\":\"alert\",\"fields\":[{\"name\":"
    "\"alertId\",\"type\":\"long\"},"
    "{\"name\":\"diaSource\",\"type\":" ROW("s", "diaSourceId",
        ",{\"name\":\"ra\",\"type\":\"double\"},{\"name\":\"dec\","
        "\"type\":\"double\"}") "}" LIST("prvDiaSources", ROW("p", "diaSourceId", ""))
        LIST("prvDiaForcedSources", ROW("f", "diaForcedSourceId", ""))
            NULLABLE("diaObject", "o", "diaObjectId", "\"long\"")
                NULLABLE("ssSource", "m", "ssObjectId", "[\"null\",\"long\"]")
                    NULLABLE("mpc_orbits", "d", "designation", "\"string\"")
                        NULLABLE("MPCORB", "e", "mpcDesignation", "\"string\"") "]}";

static void
put_nullable(struct buf *b, double v)
{
	put_long(b, !isnan(v));
	if (!isnan(v))
		put_double(b, v);
}

static void
put_row(struct buf *b, const struct row *r)
{
	put_long(b, r->id), put_double(b, r->mjd), put_long(b, r->band != NULL);
	if (r->band != NULL)
		put_string(b, str_of(r->band));
	put_nullable(b, r->flux), put_nullable(b, r->error), put_nullable(b, r->withdrawn);
}

static void
put_list(struct buf *b, const struct row *r)
{
	put_long(b, r->id != 0);
	if (r->id != 0) {
		put_long(b, 1);
		put_row(b, r);
		put_long(b, 0);
	}
}

static void
put_least(struct buf *b, const struct least *l)
{
	put_long(b, 77);
	put_row(b, &l->own), put_double(b, l->ra), put_double(b, l->dec);
	put_list(b, &l->previous), put_list(b, &l->forced);
	put_long(b, l->object_id != 0);
	if (l->object_id != 0)
		put_long(b, l->object_id);
	put_long(b, 1), put_long(b, l->ss_object_id != 0);
	if (l->ss_object_id != 0)
		put_long(b, l->ss_object_id);
	put_long(b, l->designation != NULL);
	if (l->designation != NULL)
		put_string(b, str_of(l->designation));
	put_long(b, l->packed != NULL);
	if (l->packed != NULL)
		put_string(b, str_of(l->packed));
}

static enum avro_result
read_least(const struct least *l, struct arena *a, struct alert_packet *p)
{
	struct avro_file *f = packet_file_new();
	struct buf b = { 0 }, record = { 0 };
	enum avro_result r;

	put_header(&b, str_of(least_schema), "null", alerts_sync);
	put_least(&record, l);
	put_block(&b, 1, buf_text(&record), PLAIN, alerts_sync);
	if (avro_file_open_memory(f, buf_text(&b), err, sizeof(err)) != 0)
		fail_msg("%s", err);
	r = packet_next(f, a, p, err, sizeof(err));
	buf_free(&b);
	buf_free(&record);
	avro_file_free(f);
	return r;
}

static void
assert_real(double got, double want)
{
	if (!(got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= 1e-13 * fabs(want)))
		fail_msg("%.17g is not %.17g", got, want);
}

/* The magnitudes and errors are astropy's: (flux * u.nJy).to(u.ABmag). */
static void
flux_sign_magnitude_and_time_are_kept(void **state)
{
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l = good;
	const struct datum *d;

	(void)state;
	l.ra = 360, l.dec = -90, l.previous = good_row, l.forced = good_row;
	l.previous.flux = -1230, l.forced.id = 12;
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_true(p.ra == 0 && p.dec == -90 && p.alert_id == 77);
	assert_str(p.object, "LSST-AP-DO-7");
	assert_int_equal(p.npoints, 3);
	d = p.points;
	assert_true(d->kind == DATUM_DETECTION && d->survey_id == 10 && d->sign == 1);
	assert_str(d->band, "g");
	assert_true(d->flux == 1230.5 && d->flux_error == 120);
	assert_real(d->magnitude, 23.674795954902944);
	assert_real(d->magnitude_error, 0.10588244174805);
	assert_real(d->mjd, 60961.23266398148);
	assert_true(isnan(d->limit_mag));
	d++; /* below the reference: no magnitude */
	assert_true(d->kind == DATUM_DETECTION && d->survey_id == 11 && d->sign == -1);
	assert_true(d->flux == -1230 && isnan(d->magnitude) && isnan(d->magnitude_error));
	assert_true(isnan(d->limit_mag));
	d++;
	assert_true(d->kind == DATUM_FORCED && d->survey_id == 12 && d->sign == 1);
	assert_real(d->magnitude, 23.9);
	assert_true(isnan(d->limit_mag));
	arena_free(a);
}

static void
a_forced_point_within_5_sigma_has_a_limit(void **state)
{
	static const struct {
		double flux, error, magnitude, limit;
		int sign;
	} cases[] = {
		{ 500, 100, 24.652574989159952, NAN, 1 },
		{ 499.9, 100, NAN, 24.652574989159952, 1 },
		{ 0, 100, NAN, 24.652574989159952, 1 },
		{ -499.9, 100, NAN, 24.652574989159952, -1 },
		{ -500, 100, NAN, NAN, -1 },
		{ 10, 0, 28.9, NAN, 1 },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct alert_packet p;
		struct least l = good;

		l.forced = good_row;
		l.forced.flux = cases[i].flux, l.forced.error = cases[i].error;
		assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
		assert_int_equal(p.npoints, 2);
		assert_int_equal(p.points[1].kind, DATUM_FORCED);
		assert_real(p.points[1].magnitude, cases[i].magnitude);
		assert_real(p.points[1].limit_mag, cases[i].limit);
		assert_int_equal(p.points[1].sign, cases[i].sign);
		assert_true(p.points[1].flux == cases[i].flux);
	}
	arena_free(a);
}

static void
points_without_a_measurement_are_counted(void **state)
{
	static const struct row none[] = {
		{ 12, 60961, "r", NAN, 1, NAN },
		{ 12, 60961, "r", INFINITY, 1, NAN },
		{ 12, 60961, NULL, 1, 1, NAN },
		{ 12, 60961, "r", 1, 1, 60990 },
		{ 12, 60961, "r", 1, NAN, NAN },
		{ 12, 60961, "r", 1, -1, NAN },
		{ 12, 60961, "r", 1, INFINITY, NAN },
	};
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l;

	(void)state;
	for (size_t i = 0; i < NELEM(none); i++) {
		l = good;
		l.forced = none[i];
		assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
		assert_int_equal(p.npoints, 1);
		assert_int_equal(p.empty, 1);
	}
	/* a detection needs no error, and a packet no measurement of its own */
	l = good;
	l.previous = none[4];
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_int_equal(p.npoints, 2);
	assert_true(isnan(p.points[1].flux_error) && isnan(p.points[1].magnitude_error));
	assert_real(p.points[1].magnitude, 31.4);
	l.own.flux = NAN;
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_int_equal(p.npoints, 1);
	assert_int_equal(p.empty, 1);
	assert_int_equal(p.points[0].survey_id, 12);
	arena_free(a);
}

static void
what_moves_is_named_by_the_minor_planet_center(void **state)
{
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l = good;

	(void)state;
	l.ss_object_id = 42, l.designation = "2025 AB1", l.packed = "K25A01B";
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_str(p.object, "LSST-AP-DO-7");
	assert_false(p.moving);
	l.object_id = 0;
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_str(p.object, "2025 AB1");
	assert_true(p.moving);
	l.designation = NULL;
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_str(p.object, "K25A01B");
	l.packed = "";
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_str(p.object, "LSST-SSO-42");
	assert_true(p.moving);
	l.ss_object_id = 0;
	assert_int_equal(read_least(&l, a, &p), AVRO_BAD);
	assert_says("diaObject is null, and there is neither designation nor ssObjectId");
	l.designation = "a\nb";
	assert_int_equal(read_least(&l, a, &p), AVRO_BAD);
	assert_says("mpc_orbits.designation \"a\nb\": ");
	arena_free(a);
}

static void
impossible_packets_are_refused_by_field(void **state)
{
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l;

	(void)state;
#define REFUSED(change, text) \
	do { \
		l = good; \
		l.previous = l.forced = good_row; \
		change; \
		assert_int_equal(read_least(&l, a, &p), AVRO_BAD); \
		assert_int_equal(p.lost, 1); \
		assert_says("offset "); \
		assert_says(text); \
	} while (0)
	REFUSED(l.ra = 360.1, "diaSource.ra is 360.1: degrees from 0 to 360 would be right");
	REFUSED(l.dec = NAN, "diaSource.dec is nan");
	REFUSED(l.own.mjd = NAN, "diaSource.midpointMjdTai is nan: a date between");
	REFUSED(l.own.mjd = 2460961.7, "diaSource.midpointMjdTai is 2.46096e+06");
	REFUSED(l.own.band = "R", "diaSource.band is \"R\": u, g, r, i, z or y would be right");
	REFUSED(l.previous.band = "", "prvDiaSources[0].band is \"\"");
	REFUSED(l.previous.mjd = 0, "prvDiaSources[0].midpointMjdTai is 0");
	REFUSED(l.forced.band = "ug", "prvDiaForcedSources[0].band is \"ug\"");
	REFUSED(l.forced.mjd = -1e300, "prvDiaForcedSources[0].midpointMjdTai is -1e+300");
#undef REFUSED
	arena_free(a);
}

/* The least schema with one name spoilt. */
static void
assert_missing(const char *field, const char *says)
{
	struct avro_file *f = packet_file_new();
	char schema[sizeof(least_schema)], *at;
	struct buf b = { 0 };

	memcpy(schema, least_schema, sizeof(schema));
	at = strstr(schema, field);
	assert_non_null(at);
	at[0] = '_';
	put_header(&b, str_of(schema), "null", alerts_sync);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), -1);
	assert_says(says);
	buf_free(&b);
	avro_file_free(f);
}

static void
a_schema_without_a_needed_field_is_refused_by_its_name(void **state)
{
	(void)state;
	assert_missing("diaSource\"", "it is no alert's");
	assert_missing("diaSourceId\"", "schema: diaSource: there is no field \"diaSourceId\"");
	assert_missing(
	    "midpointMjdTai\"", "schema: diaSource: there is no field \"midpointMjdTai\"");
	assert_missing("psfFluxErr\"", "schema: diaSource: there is no field \"psfFluxErr\"");
	assert_missing("ra\"", "schema: diaSource: there is no field \"ra\"");
	assert_missing("diaForcedSourceId\"",
	    "schema: prvDiaForcedSources: there is no field \"diaForcedSourceId\"");
	assert_missing("diaObject\"", "schema: there is no field \"diaObject\"");
	assert_missing("diaObjectId\"", "schema: diaObject: there is no field \"diaObjectId\"");
	assert_missing("prvDiaSources\"", "schema: there is no field \"prvDiaSources\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_packets_read_as_they_were_made),
		cmocka_unit_test(flux_sign_magnitude_and_time_are_kept),
		cmocka_unit_test(a_forced_point_within_5_sigma_has_a_limit),
		cmocka_unit_test(points_without_a_measurement_are_counted),
		cmocka_unit_test(what_moves_is_named_by_the_minor_planet_center),
		cmocka_unit_test(impossible_packets_are_refused_by_field),
		cmocka_unit_test(a_schema_without_a_needed_field_is_refused_by_its_name),
	};

	return cmocka_run_group_tests_name("lsst", tests, NULL, NULL);
}
