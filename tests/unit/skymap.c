/*
 * skymap: edges, poles and the Sun are where they belong.
 */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "tom/skymap.h"

#define assert_near(got, want, within) \
	do { \
		double got_ = (got), want_ = (want); \
		if (!(fabs(got_ - want_) <= (within))) \
			fail_msg("%s is %.9g, not %.9g", #got, got_, want_); \
	} while (0)

static void
positions_fall_where_the_projection_says(void **state)
{
	static const struct {
		double ra, dec, x, y;
	} cases[] = {
		{ 180, 0, 180, 90 }, /* the middle */
		{ 0, 0, 360, 90 }, /* the right edge */
		{ 359.999999, 0, 0, 90 }, /* the left one */
		{ 360, 0, 360, 90 }, { -90, 0, 90, 90 },
		{ 120, 0, 240, 90 }, /* 8h, right of the middle: east is left */
		{ 77, 90, 180, 0 }, /* the poles are points */
		{ 77, -90, 180, 180 }, { 0, 91, 180, 0 },
		{ 180, 37.517071, 180, 45 }, /* 2t + sin 2t = pi sin(dec) at t = 30 degrees */
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		double x, y;

		skymap_project(cases[i].ra, cases[i].dec, &x, &y);
		assert_near(x, cases[i].x, 0.01);
		assert_near(y, cases[i].y, 0.01);
	}
}

static void
every_position_lies_inside_the_rim(void **state)
{
	(void)state;
	for (double dec = -90; dec <= 90; dec += 0.25)
		for (double ra = 0; ra < 360; ra += 15) {
			double x, y;

			skymap_project(ra, dec, &x, &y);
			assert_true(hypot((x - 180) / 180, (y - 90) / 90) <= 1.000001);
		}
}

static void
the_sun_keeps_the_almanac(void **state)
{
	static const struct {
		const char *when;
		double ra, dec;
	} cases[] = {
		/* equinoxes and solstices of 2026 (IMCCE), where ICRS differs from the date by
		   26 years of precession: 0.34 degrees of RA */
		{ "2026-03-20T14:46:00", 359.66, -0.15 },
		{ "2026-06-21T08:25:00", 89.61, 23.44 },
		{ "2026-09-23T00:06:00", 179.66, 0.15 },
		{ "2026-12-21T20:50:00", 269.60, -23.44 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		int64_t when = 0;
		double ra, dec;

		assert_true(clock_from_iso(str_of(cases[i].when), &when));
		skymap_sun(when, &ra, &dec);
		assert_near(ra, cases[i].ra, 0.05);
		assert_near(dec, cases[i].dec, 0.02);
	}
}

static void
targets_without_position_are_left_out(void **state)
{
	struct arena *a = arena_new();
	struct value *page = value_object(a);
	const struct skymap_point points[] = { { 1, STR("a"), NAN, 0 }, { 2, STR("b"), 180, 0 } };

	(void)state;
	skymap_show(page, points, NELEM(points), 0, a);
	assert_int_equal(value_count(value_get(value_get(page, "sky", 3), "points", 6)), 1);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_fall_where_the_projection_says),
		cmocka_unit_test(every_position_lies_inside_the_rim),
		cmocka_unit_test(the_sun_keeps_the_almanac),
		cmocka_unit_test(targets_without_position_are_left_out),
	};

	return cmocka_run_group_tests_name("skymap", tests, NULL, NULL);
}
