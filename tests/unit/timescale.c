/*
 * timescale: TAI to UTC. The right-hand numbers are astropy's (Time(mjd, format='mjd', scale='tai').utc).
 */
#include "unit.h"

#include <math.h>

#include "sky/timescale.h"

static const struct {
	double tai, utc;
} known[] = {
	{ 60961.23309222222, 60961.23266398148 },
	{ 60902.993305483615, 60902.992877242876 },
	{ 41317.5, 41317.49988425926 },
	{ 51544.5, 51544.49962962963 },
	{ 62000.75, 62000.74957175926 },
	{ 66000.123456789, 66000.12302854826 },
	/* the leap second that ended 2016, and the days around it */
	{ 57753.0002, 57752.99978333333 },
	{ 57753.0005, 57753.00008333237 },
	{ 57753.5, 57753.499577551185 },
	{ 57754.0, 57753.999571764216 },
	{ 57754.0001, 57753.99967176306 },
	{ 57754.0004282407, 57753.99999999996 },
	{ 57754.25, 57754.24957175926 },
	{ 57755.1, 57755.09957175926 },
};

static void
tai_becomes_utc_as_astropy_has_it(void **state)
{
	(void)state;
	/* twice: the second time from what was kept */
	for (size_t i = 0; i < 2 * NELEM(known); i++) {
		double want = known[i % NELEM(known)].utc;
		double got = timescale_tai_to_utc(known[i % NELEM(known)].tai);

		if (!(fabs(got - want) <= 7.3e-12)) /* the last bit */
			fail_msg("%.17g is not %.17g", got, want);
	}
}

/* 37 s and 32.184 s, and what astropy says of 1999. */
static void
utc_becomes_tt(void **state)
{
	(void)state;
	assert_true(fabs(timescale_utc_to_tt(61000.25) - 61000.25 - 69.184 / 86400) < 1e-11);
	assert_true(fabs(timescale_utc_to_tt(51300) - 51300.000742870367) < 1e-11);
	assert_true(isnan(timescale_utc_to_tt(NAN)));
	assert_true(isnan(timescale_utc_to_tt(1e300)));
}

static void
what_is_no_date_stays_none(void **state)
{
	(void)state;
	assert_true(isnan(timescale_tai_to_utc(NAN)));
	assert_true(isnan(timescale_tai_to_utc(INFINITY)));
	assert_true(isnan(timescale_tai_to_utc(-1e300)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tai_becomes_utc_as_astropy_has_it),
		cmocka_unit_test(utc_becomes_tt),
		cmocka_unit_test(what_is_no_date_stays_none),
	};

	return cmocka_run_group_tests_name("timescale", tests, NULL, NULL);
}
