/*
 * mapping: packets of a survey that is described by a file become the same measurements as those of one
 * known by heart; what is wrong in such a file is told with its line.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alert/mapping.h"
#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"

static char err[600];

/* Two that must be the same to the last bit. */
static void
same(double a, double b)
{
	if (isnan(a) || isnan(b))
		assert_int_equal(isnan(a), isnan(b));
	else
		assert_memory_equal(&a, &b, sizeof(a));
}

static struct alert_packet
read_with(const struct avro_shape *const *shapes, struct str bytes, struct arena *a)
{
	struct avro_file *f = avro_file_new(shapes);
	struct alert_packet p = { .lost = 0 };

	if (avro_file_open_memory(f, bytes, err, sizeof(err)) != 0 ||
	    packet_next(f, a, &p, err, sizeof(err)) != AVRO_RECORD)
		fail_msg("%s", err);
	avro_file_free(f);
	return p;
}

static const char ztf[] = "[survey]\n"
                          "name = ZTF2\n"
                          "object = objectId\n"
                          "alert = candid\n"
                          "ra = candidate.ra\n"
                          "dec = candidate.dec\n"
                          "reliability = candidate.drb\n"
                          "[detection]\n"
                          "time = candidate.jd\n"
                          "time_is = jd utc\n"
                          "band = candidate.fid\n"
                          "id = candid\n"
                          "magnitude = candidate.magpsf\n"
                          "magnitude_error = candidate.sigmapsf\n"
                          "sign = candidate.isdiffpos\n"
                          "[history prv_candidates]\n"
                          "time = jd\n"
                          "band = fid\n"
                          "id = candid\n"
                          "magnitude = magpsf\n"
                          "magnitude_error = sigmapsf\n"
                          "limit = diffmaglim\n"
                          "sign = isdiffpos\n"
                          "[history fp_hists]\n"
                          "kind = forced\n"
                          "time = jd\n"
                          "band = fid\n"
                          "flux = forcediffimflux\n"
                          "flux_error = forcediffimfluxunc\n"
                          "unit = ADU\n"
                          "zero_point = magzpsci\n"
                          "none = -99999\n"
                          "[bands]\n"
                          "1 = g\n"
                          "2 = r\n"
                          "3 = i\n";

static void
a_described_survey_reads_as_the_one_known_by_heart(void **state)
{
	static const struct alerts made = { .seed = 9, .points = 30, .v4 = true };
	struct mapping *m = mapping_new(str_of(ztf), "ztf.conf", err, sizeof(err));
	struct arena *a = arena_new();
	struct buf record = { 0 }, file = { 0 };
	struct alert_packet known, described;

	(void)state;
	if (m == NULL)
		fail_msg("%s", err);
	alerts_put(&made, 3, 2, &record, NULL);
	put_header(&file, alerts_schema(&made), "null", alerts_sync);
	put_block(&file, 1, buf_text(&record), false, alerts_sync);
	known = read_with(packet_shapes(), buf_text(&file), a);
	described = read_with(mapping_shapes(m), buf_text(&file), a);
	assert_true(str_is(described.survey->name, "ZTF2"));
	assert_true(str_eq(described.object, known.object));
	assert_int_equal(described.alert_id, known.alert_id);
	same(described.ra, known.ra);
	same(described.dec, known.dec);
	same(described.mjd, known.mjd);
	assert_int_equal(described.npoints, known.npoints);
	assert_int_equal(described.empty, known.empty);
	assert_true(known.npoints > 10);
	for (size_t i = 0; i < known.npoints; i++) {
		const struct datum *d = &described.points[i], *k = &known.points[i];

		assert_true(str_is(d->source, "ZTF2"));
		assert_true(str_eq(d->band, k->band));
		assert_int_equal(d->kind, k->kind);
		assert_int_equal(d->sign, k->sign);
		assert_int_equal(d->survey_id, k->survey_id);
		same(d->mjd, k->mjd);
		same(d->flux, k->flux);
		same(d->flux_error, k->flux_error);
		if (d->kind == DATUM_FORCED)
			continue; /* ZTF's have neither magnitude nor limit */
		same(d->magnitude, k->magnitude);
		same(d->magnitude_error, k->magnitude_error);
		same(d->limit_mag, k->limit_mag);
	}
	buf_free(&record);
	buf_free(&file);
	arena_free(a);
	mapping_free(m);
}

/* One record {object, number, mjd, filter, flux, error} as a container. */
static void
made_record(struct buf *file, double mjd, const char *band, double flux, double error)
{
	static const char schema[] =
	    "{\"type\":\"record\",\"name\":\"alert\",\"fields\":["
	    "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"s\",\"fields\":["
	    "{\"name\":\"number\",\"type\":\"long\"},{\"name\":\"ra\",\"type\":\"double\"},"
	    "{\"name\":\"dec\",\"type\":\"double\"}]}},"
	    "{\"name\":\"mjd\",\"type\":\"double\"},{\"name\":\"filter\",\"type\":\"string\"},"
	    "{\"name\":\"flux\",\"type\":\"double\"},{\"name\":\"error\",\"type\":\"double\"}]}";
	struct buf record = { 0 };

	put_long(&record, 77);
	put_double(&record, 10.5);
	put_double(&record, -5.25);
	put_double(&record, mjd);
	put_string(&record, str_of(band));
	put_double(&record, flux);
	put_double(&record, error);
	buf_clear(file);
	put_header(file, str_of(schema), "null", alerts_sync);
	put_block(file, 1, buf_text(&record), false, alerts_sync);
	buf_free(&record);
}

#define FLUXES(more) \
	"[survey]\nname = X\nobject_number = source.number\nprefix = X-\nalert = source.number\n" \
	"ra = source.ra\ndec = source.dec\n[detection]\ntime = mjd\nband = filter\nflux = flux\n" \
	"flux_error = error\n" more

static void
units_and_times_are_as_they_are_said(void **state)
{
	static const struct {
		const char *map;
		double flux; /* nJy of 2 +- 0.5 */
		double days; /* that UTC is behind */
	} cases[] = {
		{ FLUXES("time_is = mjd utc\nunit = nJy\n"), 2, 0 },
		{ FLUXES("time_is = mjd utc\nunit = uJy\n"), 2e3, 0 },
		{ FLUXES("time_is = mjd utc\nunit = mJy\n"), 2e6, 0 },
		{ FLUXES("time_is = mjd tai\nunit = Jy\n"), 2e9, 37.0 / 86400 },
		{ FLUXES("time_is = mjd utc\nunit = ADU\nzero_point = 26.4\n"), 200, 0 },
	};
	struct arena *a = arena_new();
	struct buf file = { 0 };

	(void)state;
	made_record(&file, 60000.25, "g", 2, 0.5);
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct mapping *m = mapping_new(str_of(cases[i].map), "x", err, sizeof(err));
		struct alert_packet p;

		if (m == NULL)
			fail_msg("%s", err);
		p = read_with(mapping_shapes(m), buf_text(&file), a);
		assert_true(str_is(p.object, "X-77"));
		assert_int_equal(p.npoints, 1);
		assert_true(str_is(p.points[0].band, "g"));
		assert_true(fabs(p.points[0].flux / cases[i].flux - 1) < 1e-12);
		assert_true(fabs(p.points[0].flux_error / cases[i].flux - 0.25) < 1e-12);
		assert_true(
		    fabs(p.points[0].magnitude - (31.4 - 2.5 * log10(cases[i].flux))) < 1e-9);
		assert_true(fabs(60000.25 - p.mjd - cases[i].days) < 1e-9);
		mapping_free(m);
	}
	buf_free(&file);
	arena_free(a);
}

static void
what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct {
		const char *map, *why;
	} cases[] = {
		{ "", "m.conf: [survey] needs name" },
		{ "name = X\n", "m.conf:1: a key before any section" },
		{ "[survey\n", "m.conf:1: this section has no end" },
		{ "# one\n[sky]\n", "m.conf:2: there is no section sky" },
		{ "[survey]\nnames = X\n", "m.conf:2: [survey] has no key names" },
		{ "[survey]\nname = X\nname = Y\n", "m.conf:3: name is given a second time" },
		{ "[survey]\nname\n", "m.conf:2: this line is no \"key = value\"" },
		{ "[survey]\nra = a..b\n", "m.conf:2: \"a..b\" names no field" },
		{ "[survey]\nra = a\nobject = a\n",
		    "m.conf:3: the field a is wanted as two things" },
		{ "[detection]\n[detection]\n", "m.conf:2: [detection] stands a second time" },
		{ "[history a]\n[history a]\n", "m.conf:2: the list a stands a second time" },
		{ "[detection]\nkind = forced\n", "m.conf:2: [detection] has no key kind" },
		{ "[detection]\ntime_is = mjd\n", "m.conf:2: time_is is one of jd utc, mjd utc" },
		{ "[detection]\nunit = Kelvin\n", "m.conf:2: unit is one of nJy, uJy" },
		{ FLUXES("unit = ADU\n"), "m.conf:8: ADU have a zero_point" },
		{ FLUXES(""), "m.conf:8: a flux has a unit" },
		{ FLUXES("unit = nJy\n[history h]\nkind = forced\ntime = t\nband = b\nflux = "
		         "f\nunit = nJy\n"),
		    "m.conf:14: the flux of forced points has a flux_error" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		assert_null(mapping_new(str_of(cases[i].map), "m.conf", err, sizeof(err)));
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err, cases[i].why);
	}
	assert_null(mapping_read("/nowhere/m.conf", err, sizeof(err)));
	assert_non_null(strstr(err, "/nowhere/m.conf: No such file"));
}

static void
what_a_record_holds_is_checked(void **state)
{
	static const struct {
		double mjd;
		const char *band, *why;
	} cases[] = {
		{ 60000, "x", "filter is \"x\": it is not in [bands]" },
		{ 2460000, "g", "mjd is 2.46e+06: a date (MJD) from 1972 on would be right" },
	};
	struct mapping *m = mapping_new(
	    STR(FLUXES("time_is = mjd utc\nunit = nJy\n[bands]\ng = g\n")), "m.conf", err,
	    sizeof(err));
	struct arena *a = arena_new();
	struct buf file = { 0 };

	(void)state;
	assert_non_null(m);
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct avro_file *f = avro_file_new(mapping_shapes(m));
		struct alert_packet p;

		made_record(&file, cases[i].mjd, cases[i].band, 1, 1);
		assert_int_equal(avro_file_open_memory(f, buf_text(&file), err, sizeof(err)), 0);
		assert_int_equal(packet_next(f, a, &p, err, sizeof(err)), AVRO_BAD);
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err, cases[i].why);
		avro_file_free(f);
	}
	buf_free(&file);
	arena_free(a);
	mapping_free(m);
}

static void
the_mappings_that_are_shipped_can_be_read(void **state)
{
	static const char *const names[] = { "decam", "winter" };
	const char *top = getenv("srcdir");

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		struct mapping *m;
		char path[500];

		snprintf(path, sizeof(path), "%s/share/mappings/%s.conf", top != NULL ? top : "..",
		    names[i]);
		m = mapping_read(path, err, sizeof(err));
		if (m == NULL)
			fail_msg("%s", err);
		mapping_free(m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_described_survey_reads_as_the_one_known_by_heart),
		cmocka_unit_test(units_and_times_are_as_they_are_said),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(what_a_record_holds_is_checked),
		cmocka_unit_test(the_mappings_that_are_shipped_can_be_read),
	};

	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
