/*
 * angle: what people write as RA and Dec is read right or refused with a reason, and what pages
 * show never has a 60 in it.
 */
#include "unit.h"

#include <math.h>

#include "sky/angle.h"

static double
ra(const char *text)
{
	double d = NAN;
	const char *why = angle_parse(str_of(text), ANGLE_RA, &d);

	if (why != NULL)
		print_error("%s: %s\n", text, why);
	return d;
}

static double
dec(const char *text)
{
	double d = NAN;
	const char *why = angle_parse(str_of(text), ANGLE_DEC, &d);

	if (why != NULL)
		print_error("%s: %s\n", text, why);
	return d;
}

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-10)

static void
right_ascension_is_read(void **state)
{
	(void)state;
	assert_near(ra("265.345"), 265.345);
	assert_near(ra(" 1e1 "), 10);
	assert_near(ra("0"), 0);
	assert_near(ra("360"), 0);
	assert_near(ra("17:41:22.84"), (17 + 41 / 60. + 22.84 / 3600) * 15);
	assert_near(ra("17 41 22.84"), (17 + 41 / 60. + 22.84 / 3600) * 15);
	assert_near(ra("17h41m22.84s"), (17 + 41 / 60. + 22.84 / 3600) * 15);
	assert_near(ra("17h 41m 22.84"), (17 + 41 / 60. + 22.84 / 3600) * 15);
	assert_near(ra("17H41.5"), (17 + 41.5 / 60) * 15);
	assert_near(ra("17.5h"), 17.5 * 15);
	assert_near(ra("265.3d"), 265.3);
	assert_near(ra("265\xc2\xb0 30'"), 265.5);
	assert_near(ra("24:00:00"), 0);
	assert_near(ra("+10"), 10);
	assert_near(ra("17\xca\xb0"
	               "41\xe1\xb5\x90"
	               "22\xcb\xa2"),
	    (17 + 41 / 60. + 22 / 3600.) * 15);
}

static void
declination_is_read(void **state)
{
	(void)state;
	assert_near(dec("-38.235"), -38.235);
	assert_near(dec("-0.5e-3"), -0.5e-3);
	assert_near(dec("+38 14 07.3"), 38 + 14 / 60. + 7.3 / 3600);
	assert_near(dec("-00:30:00"), -0.5);
	assert_near(dec("- 0 30"), -0.5);
	assert_near(dec("\xe2\x88\x92"
	                "38.5"),
	    -38.5);
	assert_near(dec("\xe2\x88\x92"
	                "38 30"),
	    -38.5);
	assert_near(dec("-5d23'28\""), -(5 + 23 / 60. + 28 / 3600.));
	assert_near(dec("-5d23m28.5s"), -(5 + 23 / 60. + 28.5 / 3600.));
	assert_near(dec("-5\xc2\xb0"
	                "23\xe2\x80\xb2"
	                "28\xe2\x80\xb3"),
	    -(5 + 23 / 60. + 28 / 3600.));
	assert_near(dec("5 23'28''"), 5 + 23 / 60. + 28 / 3600.);
	assert_near(dec("90"), 90);
	assert_near(dec("-90 00 00"), -90);
	assert_false(signbit(dec("-0")));
}

static void
nonsense_is_refused_with_a_reason(void **state)
{
	static const char *const bad_ra[] = { "", " ", "nan", "inf", "-inf", "25h", "25:00:00",
		"24:00:01", "17:61:00", "17:00:60", "17h61m", "-1", "360.0001", "17 41 22 5", "17x",
		"17:41:", "17:", ":17", "17:41:22.8 east", "17m30s", "17h30h", "17h30s", "17.5:30",
		"17:30.5:10", "1.2.3", ".", "+-5", "--5", "1e999", "0x10", "12,5", "17h-5m",
		("17 \xe2\x88\x92"
		 "41 22"),
		"h", "s", "\xff" };
	static const char *const bad_dec[] = { "90.0001", "-90 00 00.1", "+91", "17h", "5:60",
		"5:0:60", "", "nan", "5'30\"", "5d30\"" };
	double d = 7;

	(void)state;
	for (size_t i = 0; i < NELEM(bad_ra); i++) {
		const char *why = angle_parse(str_of(bad_ra[i]), ANGLE_RA, &d);
		if (why == NULL)
			fail_msg("RA %s was taken as %g", bad_ra[i], d);
		assert_true(why[strlen(why) - 1] == '.');
	}
	for (size_t i = 0; i < NELEM(bad_dec); i++)
		if (angle_parse(str_of(bad_dec[i]), ANGLE_DEC, &d) == NULL)
			fail_msg("Dec %s was taken as %g", bad_dec[i], d);
	assert_non_null(angle_parse((struct str){ "1\0002", 3 }, ANGLE_RA, &d));
	assert_true(d == 7);
}

static void
rounding_carries(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_str(angle_ra_text(a, (17 + 41 / 60. + 22.84 / 3600) * 15), "17 41 22.84");
	assert_str(angle_ra_text(a, (17 + 59 / 60. + 59.996 / 3600) * 15), "18 00 00.00");
	assert_str(angle_ra_text(a, 359.99999999), "00 00 00.00");
	assert_str(angle_ra_text(a, 360), "00 00 00.00");
	assert_str(angle_ra_text(a, -15), "23 00 00.00");
	assert_str(angle_ra_text(a, 0), "00 00 00.00");
	assert_str(angle_dec_text(a, -(5 + 59 / 60. + 59.96 / 3600)), "-06 00 00.0");
	assert_str(angle_dec_text(a, 89.9999999), "+90 00 00.0");
	assert_str(angle_dec_text(a, -0.00001), "+00 00 00.0");
	assert_str(angle_dec_text(a, -0.5), "-00 30 00.0");
	assert_true(angle_ra_text(a, NAN).p == NULL);
	assert_true(angle_dec_text(a, INFINITY).p == NULL);
	arena_free(a);
}

static void
what_is_shown_reads_back(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		double want = i * 0.018000123, got;

		assert_null(angle_parse(angle_ra_text(a, want), ANGLE_RA, &got));
		assert_true(fabs(remainder(got - want, 360)) <= 0.0051 * 15 / 3600);
		want = want / 2 - 90;
		assert_null(angle_parse(angle_dec_text(a, want), ANGLE_DEC, &got));
		assert_true(fabs(got - want) <= 0.051 / 3600);
		assert_null(strstr(angle_dec_text(a, want).p, " 60"));
	}
	arena_free(a);
}

static void
positions_are_read_however_they_are_divided(void **state)
{
	static const struct {
		const char *text;
		double ra, dec;
	} rows[] = { { "10.684 41.269", 10.684, 41.269 }, { "10.684,41.269", 10.684, 41.269 },
		{ "10.684, +41.269", 10.684, 41.269 }, { "10.684;41.269", 10.684, 41.269 },
		{ "265.3\t-38.2", 265.3, -38.2 }, { "265.3-38.2", 265.3, -38.2 },
		{ "10.684 \xe2\x88\x92"
		  "41.2",
		    10.684, -41.2 },
		{ "359.99 -0", 359.99, 0 }, { "10 20", 10, 20 }, { "10 , -20", 10, -20 },
		{ "17:41:22.8+38:14:07", 265.345, 38 + 14 / 60. + 7 / 3600. },
		{ "17h41m22.8s-38d14m07s", 265.345, -38 - 14 / 60. - 7 / 3600. },
		{ "17 41 22.8-38 14 07", 265.345, -38 - 14 / 60. - 7 / 3600. },
		{ "17 41 22.8 38 14 07", 265.345, 38 + 14 / 60. + 7 / 3600. },
		{ "17h 41m 22.8s 38d 14m 07s", 265.345, 38 + 14 / 60. + 7 / 3600. },
		{ "00 00 00 - 5 30", 0, -5.5 }, { "1e1 1e-1", 10, 0.1 }, { "1.5e-1+1", 0.15, 1 },
		{ "  0,0 ", 0, 0 },
		{ "265\xc2\xb0 30' -5\xc2\xb0 23\xe2\x80\xb2", 265.5, -5 - 23 / 60. } };

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		double x = NAN, y = NAN;
		const char *why;

		if (position_parse(str_of(rows[i].text), &x, &y, &why) != POSITION)
			fail_msg("%s: %s", rows[i].text, why == NULL ? "a name" : why);
		assert_near(x, rows[i].ra);
		assert_near(y, rows[i].dec);
	}
}

static void
a_position_is_told_from_a_name(void **state)
{
	static const char *const names[] = { "M 31", "51 Peg", "10 Hygiea",
		"2MASS J00424433+4116085", "J004244.3+411609", "PSR B1919+21", "4U 1700-37",
		"3C 273", "2021 S3", "2021S3", "433", "5949-2777-1", "20090101", "2023-04-05",
		"comma, name", "Barnard's star", "1ES 1959+650", "h", "12h", "\xce\xb1 Cen", "-",
		"", "17h41m22s" };
	static const struct {
		const char *text, *why;
	} wrong[] = { { "25:00:00 +10:00:00", "0 to 24 hours" }, { "10 -91", "-90 to 90" },
		{ "1741 0", "0 to 360" }, { "17:60:00 1", "below 60" },
		{ "10 20 30", "Write right" }, { "17:41:22.8", "Write right" },
		{ "1,2,3", "Write right" }, { "10.684,", "Write degrees" },
		{ ",41", "Write degrees" }, { "400.5+10", "0 to 360" },
		{ "10.5 -5 -30", "Write degrees" } };
	double x, y;
	const char *why;

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++)
		if (position_parse(str_of(names[i]), &x, &y, &why) != POSITION_NONE)
			fail_msg("%s is taken for a position", names[i]);
	for (size_t i = 0; i < NELEM(wrong); i++) {
		assert_int_equal(
		    position_parse(str_of(wrong[i].text), &x, &y, &why), POSITION_WRONG);
		if (strstr(why, wrong[i].why) == NULL)
			fail_msg("%s: %s", wrong[i].text, why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_ascension_is_read),
		cmocka_unit_test(declination_is_read),
		cmocka_unit_test(nonsense_is_refused_with_a_reason),
		cmocka_unit_test(rounding_carries),
		cmocka_unit_test(what_is_shown_reads_back),
		cmocka_unit_test(positions_are_read_however_they_are_divided),
		cmocka_unit_test(a_position_is_told_from_a_name),
	};

	return cmocka_run_group_tests_name("angle", tests, NULL, NULL);
}
