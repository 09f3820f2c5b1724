/*
 * cone: the strips of a cone lose no point of it, wherever it lies, and the exact test agrees with
 * ERFA's separation. Judged by brute force over random points and nasty ones.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "sky.h"

static uint64_t seed = 42;

/* Uniform in [0, 1): a small generator of our own, the same everywhere. */
static double
chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static bool
in_strips(const struct cone *c, double ra, double dec)
{
	static struct cone_strip strips[CONE_STRIPS];
	size_t n = cone_strips(c, strips);
	int zone = cone_zone(dec);

	assert_true(n <= CONE_STRIPS);
	for (size_t i = 0; i < n; i++) {
		assert_true(strips[i].from >= 0 && strips[i].to <= 360);
		assert_true(strips[i].from <= strips[i].to);
		if (strips[i].zone == zone && ra >= strips[i].from && ra <= strips[i].to)
			return true;
	}
	return false;
}

/* A point at a distance and position angle from another. */
static void
offset(double ra, double dec, double distance, double angle, double *ra2, double *dec2)
{
	double r = M_PI / 180, d = distance * r, p = angle * r;
	double s = sin(dec * r) * cos(d) + cos(dec * r) * sin(d) * cos(p);
	double y = sin(p) * sin(d), x = cos(d) * cos(dec * r) - sin(d) * sin(dec * r) * cos(p);

	*dec2 = asin(fmax(-1, fmin(1, s))) / r;
	*ra2 = fmod(ra + atan2(y, x) / r + 720, 360);
}

static const double nasty_ra[] = { 0, 1e-12, 0.01, 90, 179.99, 180, 359.99, 360 - 1e-12 };
static const double nasty_dec[] = { -90, -90 + 1e-9, -89.999, -89.75, -60, -0.25, 0, 1e-9, 0.25, 45,
	60.1, 89.75, 89.999, 90 - 1e-9, 90 };
static const double nasty_radius[] = { 0, 1e-9, 1e-6, 10 / 3600., 0.01, 0.25, 1, 5, 29.999, 45,
	89.9, 90, 90.1, 135, 179.9, 180 };

static void
judge(const struct cone *c, double ra, double dec)
{
	double far = separation(c->ra, c->dec, ra, dec);

	if (far < c->radius - 1e-7) {
		assert_true(holds(c, ra, dec));
	} else if (far > c->radius + 1e-7 && c->radius < 179.9) {
		assert_false(holds(c, ra, dec));
	}
	if (holds(c, ra, dec) && !in_strips(c, ra, dec))
		fail_msg(
		    "cone %.12g %.12g %.12g loses %.12g %.12g", c->ra, c->dec, c->radius, ra, dec);
}

static void
no_point_of_a_cone_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(nasty_ra); i++)
		for (size_t j = 0; j < NELEM(nasty_dec); j++)
			for (size_t k = 0; k < NELEM(nasty_radius); k++) {
				struct cone c = cone_about(
				    nasty_ra[i], nasty_dec[j], nasty_radius[k]);

				judge(&c, c.ra, c.dec);
				for (int p = 0; p < 24; p++) {
					double r = c.radius * (p % 3 == 0 ? 1 : chance()), ra, dec;

					offset(c.ra, c.dec, r, chance() * 360, &ra, &dec);
					judge(&c, ra, dec);
				}
				judge(&c, chance() * 360, asin(chance() * 2 - 1) * 180 / M_PI);
			}
	for (int i = 0; i < 20000; i++) {
		double dec = asin(chance() * 2 - 1) * 180 / M_PI, ra2, dec2;
		struct cone c = cone_about(chance() * 360, dec, pow(10, chance() * 8 - 6));

		offset(c.ra, c.dec, c.radius * sqrt(chance()), chance() * 360, &ra2, &dec2);
		judge(&c, ra2, dec2);
	}
}

static void
the_edge_points_of_ra_are_covered(void **state)
{
	(void)state;
	/* where the circle is widest in RA: beside a pole that it just misses */
	for (double dec = -89.9; dec < 90; dec += 0.7)
		for (double r = 0.001; r < 90 - fabs(dec); r *= 1.7) {
			struct cone c = cone_about(359.9, dec, r);
			double t = asin(sin(dec * M_PI / 180) / cos(r * M_PI / 180));
			double h = asin(sin(r * M_PI / 180) / cos(dec * M_PI / 180)) * 180 / M_PI;

			t *= 180 / M_PI;
			assert_true(in_strips(&c, fmod(c.ra + h * (1 - 1e-12), 360), t));
			assert_true(in_strips(&c, fmod(c.ra - h * (1 - 1e-12) + 360, 360), t));
		}
}

static void
small_cones_touch_few_strips(void **state)
{
	static struct cone_strip s[CONE_STRIPS];
	struct cone c = cone_about(120, 45.1, 10 / 3600.);

	(void)state;
	assert_int_equal(cone_strips(&c, s), 1);
	assert_true(s[0].to - s[0].from < 4 * 10 / 3600.);
	c = cone_about(0, 45.25, 10 / 3600.);
	assert_int_equal(cone_strips(&c, s), 4);
	c = cone_about(10, 90, 1);
	assert_int_equal(cone_strips(&c, s), 5);
	assert_true(s[4].from == 0 && s[4].to == 360);
}

static void
every_declination_has_a_zone(void **state)
{
	(void)state;
	assert_int_equal(cone_zone(-90), 0);
	assert_int_equal(cone_zone(-89.7500001), 0);
	assert_int_equal(cone_zone(-89.75), 1);
	assert_int_equal(cone_zone(0), 360);
	assert_int_equal(cone_zone(89.9), 719);
	assert_int_equal(cone_zone(90), 719);
}

static void
cones_are_read_or_refused(void **state)
{
	static const char *const bad[] = { "abc", "", "1,2", "1,2,3,4", "1,2,nan", "1,2,0",
		"1,2,-1", "1,91,1", "361,0,1", "1,2,181", ",,", "1,2," };
	struct cone c;

	(void)state;
	assert_null(cone_parse(STR("10.5, -20.25 ,0.5"), &c));
	assert_true(c.ra == 10.5 && c.dec == -20.25 && c.radius == 0.5);
	assert_null(cone_parse(STR("12:00:00,-20 30,1"), &c));
	assert_true(c.ra == 180 && c.dec == -20.5);
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_non_null(cone_parse(str_of(bad[i]), &c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_point_of_a_cone_is_lost),
		cmocka_unit_test(the_edge_points_of_ra_are_covered),
		cmocka_unit_test(small_cones_touch_few_strips),
		cmocka_unit_test(every_declination_has_a_zone),
		cmocka_unit_test(cones_are_read_or_refused),
	};

	return cmocka_run_group_tests_name("cone", tests, NULL, NULL);
}
