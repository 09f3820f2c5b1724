/*
 * coordinates: known directions come out where catalogues have them.
 */
#include "unit.h"

#include <math.h>

#include "sky/coordinates.h"

#define assert_within(a, b, eps) assert_true(fabs((a) - (b)) <= (eps))

static void
galactic_poles_and_centre_are_right(void **state)
{
	double l, b;

	(void)state;
	sky_galactic(192.85948, 27.12825, &l, &b); /* the north galactic pole */
	assert_within(b, 90, 1e-4);
	sky_galactic(266.40499, -28.93617, &l, &b); /* the centre */
	assert_within(b, 0, 1e-4);
	assert_within(remainder(l, 360), 0, 1e-4);
	sky_galactic(83.633083, 22.014500, &l, &b); /* Crab: SIMBAD 184.5575 -5.7844 */
	assert_within(l, 184.5575, 1e-3);
	assert_within(b, -5.7844, 1e-3);
}

static void
ecliptic_is_that_of_j2000(void **state)
{
	double lon, lat;

	(void)state;
	sky_ecliptic(0, 0, &lon, &lat);
	assert_within(remainder(lon, 360), 0, 1e-4);
	assert_within(lat, 0, 1e-4);
	sky_ecliptic(90, 23.4392911, &lon, &lat); /* the summer solstice */
	assert_within(lon, 90, 1e-4);
	assert_within(lat, 0, 1e-4);
	sky_ecliptic(270, 66.5607, &lon, &lat); /* the pole of the ecliptic */
	assert_within(lat, 90, 1e-3);
}

static void
longitudes_stay_below_a_full_turn(void **state)
{
	double l, b;

	(void)state;
	for (int i = 0; i < 3600; i++) {
		sky_galactic(i * 0.1 - 1e-13, i * 0.05 - 90, &l, &b);
		assert_true(l >= 0 && l < 360 && b >= -90 && b <= 90);
		sky_ecliptic(i * 0.1 - 1e-13, i * 0.05 - 90, &l, &b);
		assert_true(l >= 0 && l < 360 && b >= -90 && b <= 90);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(galactic_poles_and_centre_are_right),
		cmocka_unit_test(ecliptic_is_that_of_j2000),
		cmocka_unit_test(longitudes_stay_below_a_full_turn),
	};

	return cmocka_run_group_tests_name("coordinates", tests, NULL, NULL);
}
