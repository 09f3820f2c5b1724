/*
 * ztf: packets read into measurements: the real ones of ../shared/data against numbers found once
 * with another reader (fastavro), made ones against what their maker says, wrong ones refused.
 */
#include "unit.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alert/packet.h"
#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"

static char err[512];

#define assert_says(text) \
	do { \
		if (strstr(err, (text)) == NULL) \
			fail_msg("\"%s\" does not say \"%s\"", err, (text)); \
	} while (0)

/* Sums over a packet, in the units of struct datum. */
static const struct known {
	const char *object_id;
	int64_t candid;
	double ra, dec;
	unsigned detections, limits, forced, empty, negative;
	double mjd, magnitude, magnitude_error, limit_mag, flux, flux_error;
} real[] = {
	{ "ZTF20aaelulu", INT64_C(1105522281015015000), 185.7288484, 15.8236168, 3, 10, 0, 0, 0,
	    764982.9244677, 46.964827, 0.117259, 196.802298, 0.0000, 0.0000 },
	{ "ZTF19abzrhgq", INT64_C(1127107111615015007), 71.6577756, -10.2263957, 12, 4, 0, 0, 0,
	    941886.9764236, 228.307486, 1.698180, 75.223200, 0.0000, 0.0000 },
	{ "ZTF17aaaaaas", INT64_C(1127174604415015005), 68.578209, 49.0871395, 19, 18, 0, 0, 7,
	    2178085.5650692, 357.073500, 2.451017, 359.397699, 0.0000, 0.0000 },
	{ "ZTF20aajcdad", INT64_C(1127495406315015005), 201.6235643, 36.0086571, 4, 12, 0, 0, 0,
	    941856.0432639, 73.665661, 0.352659, 242.436501, 0.0000, 0.0000 },
	{ "ZTF20aajcdad", INT64_C(1127536316315015004), 201.6235627, 36.0086524, 5, 12, 0, 0, 0,
	    1000737.5795833, 91.171543, 0.407443, 242.436501, 0.0000, 0.0000 },
	{ "ZTF20aahgyet", INT64_C(1127561440015015001), 212.7867456, 59.8409095, 46, 20, 0, 0, 0,
	    3885665.5668403, 923.823418, 9.171868, 398.966600, 0.0000, 0.0000 },
	{ "ZTF20aafcnby", INT64_C(1127561441415015002), 200.0761232, 58.9247957, 56, 12, 0, 0, 0,
	    4003354.5725811, 1079.357862, 6.930285, 236.486500, 0.0000, 0.0000 },
	{ "ZTF20aalseuk", INT64_C(1127561442115015003), 207.8402872, 61.8610302, 1, 31, 0, 0, 0,
	    1883955.9096875, 20.127220, 0.212549, 627.830496, 0.0000, 0.0000 },
	{ "ZTF20aafsnpp", INT64_C(1127561442515015001), 204.336886, 61.9860006, 28, 4, 0, 0, 0,
	    1883955.9096875, 517.892807, 2.485628, 77.847700, 0.0000, 0.0000 },
	{ "ZTF20aadyyvk", INT64_C(1127561443215015014), 214.7245537, 63.1625402, 62, 5, 0, 0, 0,
	    3944521.9359838, 1189.944727, 7.574297, 94.598398, 0.0000, 0.0000 },
	{ "ZTF20aakyoez", INT64_C(1127561444715015009), 200.8709614, 62.4461779, 17, 51, 0, 0, 0,
	    4003354.5725811, 337.018755, 3.229938, 1033.617001, 0.0000, 0.0000 },
	{ "ZTF20aajcbhr", INT64_C(1127561445515015011), 210.1037407, 64.2197152, 21, 11, 0, 0, 0,
	    1883955.9096875, 413.612051, 3.558693, 218.418200, 0.0000, 0.0000 },
	{ "ZTF17aadcvhq", INT64_C(2475433850015010009), 46.9973747, 9.3679347, 5, 16, 7, 14, 3,
	    1686039.9389119, 89.582222, 0.370509, 325.288502, -289203.7339, 46970.3017 },
	{ "ZTF17aacymkh", INT64_C(2475433850015015000), 47.3641868, 9.7002819, 3, 40, 9, 12, 0,
	    3131167.5282291, 54.269821, 0.342509, 811.333702, -1552077.7625, 53182.3393 },
	{ "ZTF23abjjnqm", INT64_C(2475433850015015001), 46.9971262, 9.6634871, 1, 20, 7, 14, 0,
	    1686039.9389119, 19.315722, 0.115304, 405.132704, -25500.2760, 43325.0938 },
	{ "ZTF23abjjnqk", INT64_C(2475433850015015010), 47.277689, 9.567524, 1, 42, 12, 9, 0,
	    3311841.6939583, 18.417723, 0.066699, 850.881903, 17077.0177, 61409.3342 },
	{ "ZTF17aacymkf", INT64_C(2475433850015015022), 46.9904845, 9.2927585, 18, 3, 7, 14, 0,
	    1686039.9389119, 330.351120, 1.740906, 62.408501, 1120516.5546, 48956.6802 },
	{ "ZTF23abjjnql", INT64_C(2475433850015015041), 47.2912671, 9.1560082, 1, 42, 12, 9, 0,
	    3311841.6939583, 18.493723, 0.070957, 850.881903, 32935.3015, 61748.1831 },
	{ "ZTF17aadhsbk", INT64_C(2475433850215010007), 46.0389999, 8.0523476, 4, 38, 15, 5, 4,
	    3432274.1838197, 72.921249, 0.580044, 771.595999, -1388851.3745, 84485.4708 },
	{ "ZTF19aainpua", INT64_C(2475433850215010008), 46.0461417, 8.1481493, 30, 12, 15, 5, 30,
	    3432274.1838197, 594.973450, 5.350706, 236.649399, -613939.4700, 77936.6129 },
};

static struct known
sum(const struct alert_packet *p)
{
	struct known k = {
		.candid = p->alert_id, .ra = p->ra, .dec = p->dec, .empty = (unsigned)p->empty
	};

	for (size_t i = 0; i < p->npoints; i++) {
		const struct datum *d = &p->points[i];

		assert_str(d->source, "ZTF");
		k.mjd += d->mjd;
		if (d->kind == DATUM_DETECTION) {
			k.detections++;
			k.negative += d->sign < 0;
			assert_int_equal(abs(d->sign), 1);
			assert_true(d->survey_id != 0 && isnan(d->flux) && isnan(d->limit_mag));
			k.magnitude += d->magnitude;
			k.magnitude_error += d->magnitude_error;
		} else if (d->kind == DATUM_LIMIT) {
			k.limits++;
			assert_true(d->sign == 0 && d->survey_id == 0 && isnan(d->magnitude));
			k.limit_mag += d->limit_mag;
		} else {
			k.forced++;
			assert_true(d->survey_id == 0 && isnan(d->magnitude));
			assert_int_equal(d->sign, d->flux < 0 ? -1 : 1);
			k.flux += d->flux;
			k.flux_error += d->flux_error;
		}
	}
	return k;
}

static void
assert_close(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%.9f is not %.9f", got, want);
}

static void
real_packets_read_as_another_reader_reads_them(void **state)
{
	const char *srcdir = getenv("srcdir");
	struct avro_file *f = packet_file_new();
	struct arena *a = arena_new();
	char dir[400];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/../shared/data/alerts/ztf", srcdir != NULL ? srcdir : ".");
	if (access(dir, R_OK) != 0) {
		print_message("%s is not here: the real packets are not read\n", dir);
		arena_free(a);
		avro_file_free(f);
		skip();
	}
	for (size_t i = 0; i < NELEM(real); i++) {
		const struct known *want = &real[i];
		struct alert_packet p;
		struct known got;
		char path[512];
		int fd;

		snprintf(path, sizeof(path), "%s/%lld.avro", dir, (long long)want->candid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(avro_file_open(f, fd, err, sizeof(err)), 0);
		assert_int_equal(packet_next(f, a, &p, err, sizeof(err)), AVRO_RECORD);
		got = sum(&p);
		assert_str(p.object, want->object_id);
		assert_true(got.candid == want->candid && p.points[0].survey_id == want->candid);
		assert_true(got.ra == want->ra && got.dec == want->dec);
		assert_int_equal(got.detections, want->detections);
		assert_int_equal(got.limits, want->limits);
		assert_int_equal(got.forced, want->forced);
		assert_int_equal(got.empty, want->empty);
		assert_int_equal(got.negative, want->negative);
		assert_close(got.mjd, want->mjd, 2e-7);
		assert_close(got.magnitude, want->magnitude, 1e-6);
		assert_close(got.magnitude_error, want->magnitude_error, 1e-6);
		assert_close(got.limit_mag, want->limit_mag, 1e-6);
		assert_close(got.flux, want->flux, 2e-4);
		assert_close(got.flux_error, want->flux_error, 2e-4);
		assert_int_equal(packet_next(f, a, &p, err, sizeof(err)), AVRO_END);
		close(fd);
	}
	arena_free(a);
	avro_file_free(f);
}

static void
made_packets_read_as_they_were_made(void **state)
{
	struct avro_file *f = packet_file_new();
	struct arena *a = arena_new();

	(void)state;
	for (unsigned i = 0; i < 4 * 50; i++) {
		struct alerts maker = { .seed = i / 4,
			.points = 1 + i % 40,
			.v4 = i % 2 == 1,
			.cutout = i % 3 * 1000 };
		struct buf b = { 0 }, record = { 0 };
		struct made_alert made;
		struct alert_packet p;
		struct known got;

		alerts_put(&maker, i, i % 5, &record, &made);
		put_header(&b, alerts_schema(&maker), i % 4 < 2 ? "null" : "deflate", alerts_sync);
		put_block(&b, 1, buf_text(&record), i % 4 >= 2, alerts_sync);
		assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
		if (packet_next(f, a, &p, err, sizeof(err)) != AVRO_RECORD)
			fail_msg("%s", err);
		got = sum(&p);
		assert_str(p.object, made.object_id);
		assert_true(p.alert_id == made.candid && p.ra == made.ra && p.dec == made.dec);
		assert_int_equal(got.detections, made.detections);
		assert_int_equal(got.limits, made.limits);
		assert_int_equal(got.forced, made.forced);
		assert_int_equal(got.empty, made.empty);
		assert_int_equal(got.negative, made.negative);
		assert_int_equal(packet_next(f, a, &p, err, sizeof(err)), AVRO_END);
		buf_free(&b);
		buf_free(&record);
	}
	arena_free(a);
	avro_file_free(f);
}

/* A packet of the least schema, whose values a test sets. */
struct least {
	const char *object_id;
	double jd, ra, dec, magpsf;
	int64_t fid;
	const char *isdiffpos;
	struct { /* one row of history; jd 0: none */
		double jd, magpsf, limit;
		int64_t fid, candid;
		const char *isdiffpos;
	} previous;
	struct { /* and a forced one */
		double jd, flux, error, zero_point;
		int64_t fid;
	} forced;
};

static const struct least good = { .object_id = "ZTF1",
	.jd = 2460000.5,
	.ra = 10,
	.dec = -20,
	.magpsf = 18,
	.fid = 1,
	.isdiffpos = "t" };

static const char least_schema[] =
    "{\"type\":\"record\",\"name\":\"alert\",\"fields\":["
    "{\"name\":\"objectId\",\"type\":\"string\"},{\"name\":\"candid\",\"type\":\"long\"},"
    "{\"name\":\"candidate\",\"type\":{\"type\":\"record\",\"name\":\"c\",\"fields\":["
    "{\"name\":\"jd\",\"type\":\"double\"},{\"name\":\"fid\",\"type\":\"long\"},"
    "{\"name\":\"isdiffpos\",\"type\":\"string\"},{\"name\":\"magpsf\",\"type\":\"double\"},"
    "{\"name\":\"ra\",\"type\":\"double\"},{\"name\":\"dec\",\"type\":\"double\"}]}},"
    "{\"name\":\"prv_candidates\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
    "\"name\":\"p\",\"fields\":["
    "{\"name\":\"jd\",\"type\":\"double\"},{\"name\":\"fid\",\"type\":\"long\"},"
    "{\"name\":\"candid\",\"type\":\"long\"},"
    "{\"name\":\"isdiffpos\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"magpsf\",\"type\":\"double\"},{\"name\":\"diffmaglim\",\"type\":\"double\"}]}}},"
    "{\"name\":\"fp_hists\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
    "\"name\":\"f\",\"fields\":["
    "{\"name\":\"jd\",\"type\":\"double\"},{\"name\":\"fid\",\"type\":\"long\"},"
    "{\"name\":\"forcediffimflux\",\"type\":\"double\"},"
    "{\"name\":\"forcediffimfluxunc\",\"type\":\"double\"},"
    "{\"name\":\"magzpsci\",\"type\":\"double\"}]}}}]}";

static void
put_least(struct buf *b, const struct least *l)
{
	put_string(b, str_of(l->object_id)), put_long(b, 77);
	put_double(b, l->jd), put_long(b, l->fid), put_string(b, str_of(l->isdiffpos));
	put_double(b, l->magpsf), put_double(b, l->ra), put_double(b, l->dec);
	if (l->previous.jd != 0) {
		put_long(b, 1), put_double(b, l->previous.jd), put_long(b, l->previous.fid);
		put_long(b, l->previous.candid), put_long(b, l->previous.isdiffpos != NULL);
		if (l->previous.isdiffpos != NULL)
			put_string(b, str_of(l->previous.isdiffpos));
		put_double(b, l->previous.magpsf), put_double(b, l->previous.limit);
	}
	put_long(b, 0);
	if (l->forced.jd != 0) {
		put_long(b, 1), put_double(b, l->forced.jd), put_long(b, l->forced.fid);
		put_double(b, l->forced.flux), put_double(b, l->forced.error);
		put_double(b, l->forced.zero_point);
	}
	put_long(b, 0);
}

static enum avro_result
read_least(const struct least *l, struct arena *a, struct alert_packet *p)
{
	struct avro_file *f = packet_file_new();
	struct buf b = { 0 }, record = { 0 };
	struct alert_packet next;
	enum avro_result r;

	put_header(&b, str_of(least_schema), "null", alerts_sync);
	put_least(&record, l);
	put_least(&record, &good);
	put_block(&b, 2, buf_text(&record), false, alerts_sync);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	r = packet_next(f, a, p, err, sizeof(err));
	if (r == AVRO_BAD) {
		char other[sizeof(err)];

		/* what follows it is not lost */
		assert_int_equal(p->lost, 1);
		assert_int_equal(packet_next(f, a, &next, other, sizeof(other)), AVRO_RECORD);
	}
	buf_free(&b);
	buf_free(&record);
	avro_file_free(f);
	return r;
}

static void
impossible_packets_are_refused_by_field(void **state)
{
	char longest[102];
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l;

	(void)state;
	assert_int_equal(read_least(&good, a, &p), AVRO_RECORD);
	assert_int_equal(p.npoints, 1);
#define REFUSED(change, text) \
	do { \
		l = good; \
		change; \
		assert_int_equal(read_least(&l, a, &p), AVRO_BAD); \
		assert_says("offset "); \
		assert_says(text); \
	} while (0)
	REFUSED(l.object_id = " ", "objectId \"\": A name is required");
	REFUSED(l.object_id = "a\nb", "must not hold control or invisible characters");
	REFUSED(l.object_id = "\xff", "must be UTF-8");
	memset(longest, 'a', 101);
	longest[101] = '\0';
	REFUSED(l.object_id = longest, "at most 100 characters");
	REFUSED(l.ra = 360.1, "candidate.ra is 360.1: degrees from 0 to 360 would be right");
	REFUSED(l.ra = NAN, "candidate.ra is nan");
	REFUSED(l.ra = -1e-9, "candidate.ra is");
	REFUSED(l.dec = -90.5, "candidate.dec is -90.5: degrees from -90 to 90 would be right");
	REFUSED(l.magpsf = NAN, "candidate.magpsf is nan");
	REFUSED(l.magpsf = -999, "candidate.magpsf is -999");
	REFUSED(l.jd = 60000, "candidate.jd is 60000: a Julian date");
	REFUSED(l.jd = NAN, "candidate.jd is nan");
	REFUSED(l.fid = 4, "candidate.fid is 4: 1 (g), 2 (r) or 3 (i) would be right");
	REFUSED(l.isdiffpos = "x", "candidate.isdiffpos is \"x\": t, 1, f or 0 would be right");
	REFUSED(l.isdiffpos = "", "candidate.isdiffpos is \"\"");
	REFUSED((l.previous.jd = 2460000.5, l.previous.fid = 9), "prv_candidates[0].fid is 9");
	REFUSED((l.previous.jd = 1, l.previous.fid = 1), "prv_candidates[0].jd is 1");
	REFUSED((l.previous.jd = 2460000.5, l.previous.fid = 1, l.previous.magpsf = 18),
	    "prv_candidates[0].isdiffpos is null");
	REFUSED((l.forced.jd = 2460000.5, l.forced.fid = -1), "fp_hists[0].fid is -1");
#undef REFUSED
	arena_free(a);
}

static void
sign_band_time_and_limit_are_kept(void **state)
{
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l = good;

	(void)state;
	l.ra = 360, l.dec = 90, l.fid = 3, l.isdiffpos = "0", l.jd = 2460000.1234567;
	l.previous.jd = 2459999.5, l.previous.fid = 2, l.previous.magpsf = NAN;
	l.previous.limit = 20.5;
	l.forced.jd = 2459999.5, l.forced.fid = 1, l.forced.flux = -10, l.forced.error = 2;
	l.forced.zero_point = 26.4;
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_true(p.ra == 0 && p.dec == 90);
	assert_int_equal(p.npoints, 3);
	assert_int_equal(p.empty, 0);
	assert_true(p.points[0].mjd == 2460000.1234567 - 2400000.5);
	assert_int_equal(p.points[0].sign, -1);
	assert_int_equal(p.points[0].survey_id, 77);
	assert_true(isnan(p.points[0].magnitude_error));
	assert_str(p.points[0].band, "i");
	assert_int_equal(p.points[1].kind, DATUM_LIMIT);
	assert_str(p.points[1].band, "r");
	assert_true(p.points[1].limit_mag == 20.5 && p.points[1].mjd == 59999);
	assert_int_equal(p.points[2].kind, DATUM_FORCED);
	assert_str(p.points[2].band, "g");
	/* 5 magnitudes from 26.4 to 31.4: a count is 100 nJy */
	assert_close(p.points[2].flux, -1000, 1e-9);
	assert_close(p.points[2].flux_error, 200, 1e-9);
	assert_int_equal(p.points[2].sign, -1);
	arena_free(a);
}

static void
rows_without_a_measurement_are_counted(void **state)
{
	static const double none[][3] = { { -99999, -99999, 26 }, { -99999, 1, 26 }, { NAN, 1, 26 },
		{ 1, NAN, 26 }, { 1, -1, 26 }, { 1, 1, NAN }, { 1, 1, -999 }, { INFINITY, 1, 26 } };
	struct arena *a = arena_new();
	struct alert_packet p;
	struct least l;

	(void)state;
	for (size_t i = 0; i < NELEM(none); i++) {
		l = good;
		l.forced.jd = 2459999.5, l.forced.fid = 1;
		l.forced.flux = none[i][0], l.forced.error = none[i][1];
		l.forced.zero_point = none[i][2];
		assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
		assert_int_equal(p.npoints, 1);
		assert_int_equal(p.empty, 1);
	}
	l = good;
	l.previous.jd = 2459999.5, l.previous.fid = 2;
	l.previous.magpsf = l.previous.limit = NAN;
	assert_int_equal(read_least(&l, a, &p), AVRO_RECORD);
	assert_int_equal(p.npoints, 1);
	assert_int_equal(p.empty, 1);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_packets_read_as_another_reader_reads_them),
		cmocka_unit_test(made_packets_read_as_they_were_made),
		cmocka_unit_test(impossible_packets_are_refused_by_field),
		cmocka_unit_test(sign_band_time_and_limit_are_kept),
		cmocka_unit_test(rows_without_a_measurement_are_counted),
	};

	return cmocka_run_group_tests_name("ztf", tests, NULL, NULL);
}
