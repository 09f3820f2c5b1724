/*
 * Goal: the light curve shows what was measured: scales that are round and hold every point, the
 * brightest on top, no extreme lost when there are too many points, and words that say it all.
 */
#include "tom/lightcurve.h"

#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "tom/axis.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The text of a path such as "series", 0, "points", 1, "x": keys and indexes by turns. */
static const struct value *
get(const struct value *v, const char *key)
{
	return value_get(v, key, strlen(key));
}

static struct str
text_of(const struct value *v)
{
	struct buf b = { 0 };
	struct str s;

	value_print(v, &b);
	s = arena_str(arena, buf_text(&b));
	buf_free(&b);
	return s;
}

static double
number_of(const struct value *v)
{
	double d;

	assert_non_null(v);
	assert_true(str_to_double(text_of(v), &d));
	return d;
}

#define NUMBER(v, key) number_of(get((v), (key)))
#define TEXT(v, key) text_of(get((v), (key)))

static struct lightcurve_point
point(double mjd, double magnitude, const char *band)
{
	return (struct lightcurve_point){
		.mjd = mjd,
		.value = magnitude,
		.error = 0.05,
		.band = str_of(band),
		.source = STR("ZTF"),
	};
}

static struct lightcurve_view
plain_view(void)
{
	return (struct lightcurve_view){
		.name = STR("SN 2026kqz"), .zero = NAN, .from = NAN, .to = NAN, .now = NAN
	};
}

static struct value *
draw(const struct lightcurve_point *p, size_t n)
{
	struct lightcurve_view view = plain_view();

	return lightcurve_value(arena, &view, p, n);
}

static void
numbers_are_written_with_fixed_decimals(void **state)
{
	static const struct {
		double value;
		unsigned decimals;
		const char *want;
	} cases[] = {
		{ 0, 0, "0" },
		{ 0, 2, "0.00" },
		{ -0.001, 2, "0.00" },
		{ -0.005, 2, "-0.01" },
		{ 18.705, 1, "18.7" },
		{ 99.999, 2, "100.00" },
		{ 0.05, 3, "0.050" },
		{ -12.5, 0, "-13" },
		{ 359.123456789, 9, "359.123456789" },
		{ 123456789, 0, "123456789" },
		{ NAN, 2, "-" },
		{ INFINITY, 2, "-" },
		{ 1e300, 2, "1.00e+300" },
	};
	char text[NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		size_t n = number_fixed(text, cases[i].value, cases[i].decimals);

		assert_string_equal(text, cases[i].want);
		assert_int_equal(n, strlen(text));
	}
	for (int i = 0; i < 20000; i++) {
		double v = (i - 10000) * 0.0377;
		char want[NUMBER_MAX];
		size_t n = number_fixed(text, v, 3);

		snprintf(want, sizeof(want), "%.3f", v);
		if (fabs(fabs(v * 1000) - floor(fabs(v * 1000)) - 0.5) > 1e-6 && fabs(v) >= 0.0005)
			assert_string_equal(text, want);
		assert_int_equal(n, strlen(text));
	}
	assert_str(number_text(arena, 38.2353611, 6, true), "+38.235361");
	assert_str(number_text(arena, -0.5, 1, true), "-0.5");
	assert_str(number_count(arena, 0), "0");
	assert_str(number_count(arena, 999), "999");
	assert_str(number_count(arena, 1000), "1,000");
	assert_str(number_count(arena, 12003045), "12,003,045");
	assert_str(number_count(arena, INT64_MIN), "-9,223,372,036,854,775,808");
}

static void
steps_are_one_two_or_five(void **state)
{
	(void)state;
	assert_true(fabs(axis_step(5, 5) - 1) < 1e-12);
	assert_true(fabs(axis_step(5.1, 5) - 2) < 1e-12);
	assert_true(fabs(axis_step(0.2, 5) - 0.05) < 1e-12);
	assert_true(fabs(axis_step(3000, 8) - 500) < 1e-9);
	assert_int_equal(axis_decimals(1), 0);
	assert_int_equal(axis_decimals(20), 0);
	assert_int_equal(axis_decimals(0.5), 1);
	assert_int_equal(axis_decimals(0.05), 2);
	for (double span = 1e-6; span < 1e7; span *= 1.37) {
		double ticks[AXIS_TICKS_MAX];
		size_t n = axis_ticks(17, 17 + span, axis_step(span, 8), ticks);

		assert_in_range(n, 2, 9);
	}
}

static void
dates_fit_the_range(void **state)
{
	struct axis_date d[AXIS_TICKS_MAX];
	size_t n;

	(void)state;
	n = axis_dates(61212, 61280, 8, d);
	assert_in_range(n, 5, 9);
	assert_string_equal(d[0].label, "29 Jun 2026");
	assert_string_equal(d[1].label, "9 Jul");
	assert_true(d[0].mjd == 61220);
	/* the year with the first date of each */
	n = axis_dates(61000, 61070, 8, d);
	assert_string_equal(d[0].label, "21 Nov 2025");
	assert_string_equal(d[1].label, "1 Dec");
	assert_string_equal(d[4].label, "31 Dec");
	assert_string_equal(d[5].label, "10 Jan 2026");
	assert_string_equal(d[6].label, "20 Jan");
	n = axis_dates(61000, 61365, 8, d);
	assert_in_range(n, 3, 9);
	assert_string_equal(d[0].label, "Jan 2026");
	assert_true(d[0].mjd == 61041);
	n = axis_dates(50000, 61365, 8, d);
	assert_in_range(n, 3, 9);
	assert_string_equal(d[0].label, "2000");
	assert_true(d[0].mjd == 51544);
	n = axis_dates(61212.1, 61212.6, 8, d);
	assert_in_range(n, 3, 9);
	assert_string_equal(d[0].label, "21 Jun 2026 04h");
	assert_string_equal(d[1].label, "21 Jun 06h");
	/* Before 1970 and at the ends of the calendar. */
	n = axis_dates(10000, 10010, 8, d);
	assert_in_range(n, 3, 9);
	assert_int_equal(axis_dates(AXIS_MJD_MIN - 1, 0, 8, d), 0);
	assert_int_equal(axis_dates(0, AXIS_MJD_MAX + 1, 8, d), 0);
	assert_int_equal(axis_dates(10, 10, 8, d), 0);
	assert_int_equal(axis_dates(NAN, 10, 8, d), 0);
	n = axis_dates(AXIS_MJD_MIN, AXIS_MJD_MAX - 1, 8, d);
	assert_in_range(n, 4, 9);
}

static void
bands_have_their_mark(void **state)
{
	static const struct {
		const char *band;
		char mark;
	} cases[] = { { "g", 'g' }, { "zg", 'g' }, { "r", 'r' }, { "R", 'r' }, { "V", 'r' },
		{ "B", 'g' }, { "I", 'i' }, { "i'", 'i' }, { "gp", 'g' }, { "sdss u", 'u' },
		{ "z", 'z' }, { "zs", 'z' }, { "y", 'y' }, { "Y", 'y' }, { "c", 'c' }, { "o", 'o' },
		{ "orange", 'o' }, { "G", 'w' }, { "clear", 'w' }, { "w", 'w' }, { "J", 'w' },
		{ "", 'w' }, { "F606W", 'w' }, { "uvw1", 'w' }, { "r_ps1", 'r' }, { "sdss ", 'w' },
		{ "U", 'u' }, { "Z", 'z' }, { "u*", 'u' }, { "gx", 'w' }, { "g1", 'w' } };

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		assert_int_equal(lightcurve_band(str_of(cases[i].band)), cases[i].mark);
	assert_int_equal(lightcurve_band(STR("\0")), 'w');
	assert_int_equal(lightcurve_band(STR_NONE), 'w');
}

static void
an_empty_curve_says_so(void **state)
{
	struct lightcurve_point p = point(NAN, 18, "g");
	const struct value *v = draw(NULL, 0);

	(void)state;
	assert_true(value_is_true(get(v, "empty")));
	assert_null(get(v, "series"));
	v = draw(&p, 1);
	assert_true(value_is_true(get(v, "empty")));
	assert_str(TEXT(v, "title"), "Light curve of SN 2026kqz");
}

static void
brighter_is_higher_and_all_is_inside(void **state)
{
	struct lightcurve_point p[] = { point(61225.3, 19.5, "g"), point(61241.2, 16.33, "r"),
		point(61272.3, 18.71, "g"), point(61215.0, 20.9, "g") };
	const struct value *v, *series, *points;

	(void)state;
	p[3].limit = true;
	v = draw(p, NELEM(p));
	series = get(v, "series");
	assert_int_equal(value_count(series), 2);
	assert_str(TEXT(value_at(series, 0), "band"), "g");
	points = get(value_at(series, 0), "points");
	assert_int_equal(value_count(points), 2);
	/* 16 to 21 at whole ticks; 19.5 stands at 70 %, 18.71 above it. */
	assert_str(TEXT(value_at(points, 0), "y"), "70.00");
	assert_str(TEXT(value_at(points, 1), "y"), "54.20");
	assert_int_equal(value_count(get(v, "values")), 6);
	assert_str(TEXT(value_at(get(v, "values"), 0), "label"), "16");
	assert_str(TEXT(value_at(get(v, "values"), 0), "y"), "0.00");
	assert_str(TEXT(value_at(get(v, "values"), 5), "label"), "21");
	assert_true(NUMBER(value_at(points, 0), "x") < NUMBER(value_at(points, 1), "x"));
	assert_int_equal(value_count(get(value_at(series, 0), "limits")), 1);
	assert_str(TEXT(value_at(series, 0), "limits_say"), "g > 20.90, MJD 61215.0000");
	assert_str(TEXT(value_at(series, 0), "points_say"),
	    "g 19.50 \xc2\xb1 0.05, MJD 61225.3000\ng 18.71 \xc2\xb1 0.05, MJD 61272.3000");
	assert_null(get(v, "today"));
}

static void
error_bars_count_in_the_scale_within_reason(void **state)
{
	struct lightcurve_point p[] = { point(1000, 18, "g"), point(1010, 20, "g"),
		point(1005, 19, "g"), point(1006, 19, "g") };
	const struct value *v;
	struct str bars;
	double top, bottom;

	(void)state;
	p[0].error = 90; /* widens by what the points span, and is clipped beyond */
	p[1].error = NAN;
	p[2].error = 0.001; /* behind its mark */
	p[3].error = 0.5;
	v = draw(p, NELEM(p));
	assert_str(TEXT(value_at(get(v, "values"), 0), "label"), "16");
	assert_str(TEXT(value_at(get(v, "values"), 4), "label"), "20");
	bars = TEXT(value_at(get(v, "series"), 0), "bars");
	assert_true(str_starts(bars, "M2830 0V10000M"));
	assert_non_null(strrchr(bars.p, ' '));
	assert_int_equal(sscanf(strrchr(bars.p, ' '), "%lfV%lf", &top, &bottom), 2);
	assert_true(fabs(top - 6250) < 1 && fabs(bottom - 8750) < 1);
	/* one point with a long bar: all of it is seen */
	p[0].error = 0.9;
	v = draw(p, 1);
	bars = TEXT(value_at(get(v, "series"), 0), "bars");
	assert_int_equal(sscanf(bars.p, "M50000 %lfV%lf", &top, &bottom), 2);
	assert_true(top >= 100 && bottom <= 9900 && bottom - top > 5000);
	/* limits have none */
	p[0].limit = true;
	assert_null(get(value_at(get(draw(p, 1), "series"), 0), "bars"));
}

static void
forced_and_negative_points_are_marked(void **state)
{
	struct lightcurve_point p[] = { point(61225.3, 19.5, "r"), point(61226.3, 19.6, "r"),
		point(61227.3, 19.7, "r") };
	const struct value *v, *s;

	(void)state;
	p[1].forced = true;
	p[2].negative = true;
	v = draw(p, NELEM(p));
	s = value_at(get(v, "series"), 0);
	assert_int_equal(value_count(get(s, "points")), 2);
	assert_int_equal(value_count(get(s, "forced")), 1);
	assert_int_equal(value_count(get(s, "minus")), 1);
	assert_str(
	    TEXT(value_at(get(s, "minus"), 0), "x"), TEXT(value_at(get(s, "points"), 1), "x").p);
	assert_str(TEXT(v, "forced_count"), "1");
	assert_str(TEXT(v, "minus_count"), "1");
	assert_null(get(v, "limit_count"));
	/* A negative one is no peak, yet may be the latest. */
	assert_str(TEXT(get(v, "peak"), "text"), "19.50 \xc2\xb1 0.05 r, MJD 61225.30");
	assert_str(TEXT(get(v, "last"), "text"),
	    "19.70 \xc2\xb1 0.05 r, MJD 61227.30, fainter than the reference");
	assert_non_null(strstr(
	    TEXT(v, "desc").p, "Latest 19.70 in r at MJD 61227.3, fainter than the reference."));
	assert_non_null(strstr(TEXT(s, "points_say").p, "61227.3000, fainter than the reference"));
}

static void
differences_are_said_to_be_some(void **state)
{
	struct lightcurve_point p[] = { point(61225.3, 19.5, "r"), point(61226.3, 19.6, "r"),
		point(61227.3, 20.7, "r") };

	(void)state;
	p[2].limit = true;
	assert_true(str_starts(TEXT(draw(p, NELEM(p)), "caption"), "AB magnitude against MJD;"));
	p[0].difference = true;
	assert_non_null(strstr(TEXT(draw(p, NELEM(p)), "caption").p,
	    " Of the difference to a reference image: 1 magnitude."));
	p[1].difference = true;
	assert_true(str_starts(TEXT(draw(p, NELEM(p)), "caption"),
	    "AB magnitude of the difference to the reference image against MJD;"));
}

static void
names_that_share_a_mark_share_a_key(void **state)
{
	struct lightcurve_point p[] = { point(1, 15, "V"), point(2, 15, "R"), point(3, 15, "r"),
		point(4, 16, "R"), point(5, 16, "c"), point(6, 17, "o") };
	const struct value *keys, *names;

	(void)state;
	p[5].limit = true; /* a band with limits alone has a key, and no count */
	keys = get(draw(p, NELEM(p)), "keys");
	assert_int_equal(value_count(keys), 3);
	names = get(value_at(keys, 0), "names");
	assert_int_equal(value_count(names), 3);
	assert_str(TEXT(value_at(names, 1), "name"), "R");
	assert_str(TEXT(value_at(names, 1), "count"), "2");
	assert_str(TEXT(value_at(keys, 1), "band"), "c");
	assert_str(TEXT(value_at(keys, 2), "band"), "o");
	names = get(value_at(keys, 2), "names");
	assert_str(TEXT(value_at(names, 0), "name"), "o");
	assert_false(value_is_true(get(value_at(names, 0), "count")));
}

static size_t
marks_of(const struct value *v)
{
	static const char *const lists[] = { "points", "forced", "limits" };
	size_t n = 0;

	for (size_t i = 0; i < value_count(get(v, "series")); i++)
		for (size_t k = 0; k < NELEM(lists); k++) {
			const struct value *list = get(value_at(get(v, "series"), i), lists[k]);

			n += list ? value_count(list) : 0;
		}
	return n;
}

static void
five_thousand_points_are_thinned_without_losing_extremes(void **state)
{
	enum { N = 5000 };
	static const char *const bands[] = { "g", "r", "i", "o" };
	struct lightcurve_point *p = calloc(N, sizeof(*p));
	const struct value *v;
	struct str say;
	bool outburst, dip;

	(void)state;
	srand(7);
	for (size_t i = 0; i < N; i++) {
		p[i] = point(58000 + (double)i * 0.6, 19 + (rand() % 100) / 100.0, bands[i % 4]);
		p[i].forced = i % 3 == 0;
		p[i].limit = i % 5 == 0;
	}
	p[2222].value = 12.25; /* one night of outburst, in i */
	p[2226].value = 22.75; /* and one of eclipse */
	for (size_t i = 2222; i <= 2226; i += 4) {
		p[i].limit = p[i].forced = false;
		p[i].band = STR("i");
	}
	v = draw(p, N);
	assert_in_range(marks_of(v), 300, LIGHTCURVE_MARKS);
	say = TEXT(value_at(get(v, "series"), 2), "points_say");
	outburst = strstr(say.p, "\ni 12.25 ") != NULL;
	dip = strstr(say.p, "\ni 22.75 ") != NULL;
	assert_true(outburst);
	assert_true(dip);
	assert_non_null(strstr(TEXT(v, "caption").p, "5,000 points drawn as "));
	/* All are counted, also those that are not drawn. */
	assert_str(TEXT(v, "limit_count"), "1000");
	free(p);
}

/* The marks of the first series that stand left of `x` percent. */
static size_t
marks_before(const struct value *v, double x)
{
	const struct value *points = get(value_at(get(v, "series"), 0), "points");
	size_t n = 0;

	for (size_t i = 0; i < value_count(points); i++)
		n += NUMBER(value_at(points, i), "x") < x;
	return n;
}

static void
a_burst_keeps_its_shape(void **state)
{
	enum { N = 1200 };
	struct lightcurve_point *p = calloc(N, sizeof(*p));
	const struct value *v;

	(void)state;
	/* a thousand in a day, two hundred in the five hundred days after */
	for (size_t i = 0; i < N; i++)
		p[i] = i < 1000 ? point(60000 + (double)i / 1000, 18 + sin((double)i / 50), "r")
		                : point(60002.5 + ((double)i - 1000) * 2.5, 20, "r");
	v = draw(p, N);
	assert_in_range(marks_of(v), 300, LIGHTCURVE_MARKS);
	assert_in_range(marks_before(v, 3.2), 150, 400);
	assert_in_range(marks_of(v) - marks_before(v, 3.2), 80, 200);
	/* the same in any order */
	for (size_t i = 0; i < N / 2; i++) {
		struct lightcurve_point q = p[i];

		p[i] = p[N - 1 - i];
		p[N - 1 - i] = q;
	}
	assert_int_equal(marks_before(draw(p, N), 3.2), marks_before(v, 3.2));
	/* nine hundred in a day and one long after: the day is not a handful of marks */
	p = realloc(p, 901 * sizeof(*p));
	for (size_t i = 0; i < 900; i++)
		p[i] = point(60000 + (double)i / 900, 18 + (double)(i % 90) / 45, "r");
	p[900] = point(60500, 19, "g");
	assert_in_range(marks_of(draw(p, 901)), 300, LIGHTCURVE_MARKS);
	free(p);
}

static void
what_the_words_name_is_drawn(void **state)
{
	enum { N = 900 };
	struct lightcurve_point *p = calloc(N, sizeof(*p));
	struct str say;

	(void)state;
	/* brighter in size, but negative: the others are thinned apart from them */
	for (size_t i = 0; i < N; i++) {
		p[i] = point(60000 + (double)i / 1000, i % 2 ? 15 : 18.5, "r");
		p[i].negative = i % 2;
	}
	p[500].value = 18.25;
	p[N - 1].value = 15.5; /* neither the brightest nor the faintest of its interval */
	p[N - 3].value = 15.25;
	p[N - 5].value = 15.75;
	say = TEXT(value_at(get(draw(p, N), "series"), 0), "points_say");
	assert_non_null(strstr(say.p, "r 18.25 "));
	assert_non_null(strstr(say.p, "r 15.50 "));
	free(p);
}

static void
the_same_place_and_time_make_a_plot(void **state)
{
	struct lightcurve_point p[] = { point(61000.5, 18, "g"), point(61000.5, 18, "g") };
	const struct value *points;

	(void)state;
	points = get(value_at(get(draw(p, 2), "series"), 0), "points");
	assert_str(TEXT(value_at(points, 0), "x"), "50.000");
	assert_str(TEXT(value_at(points, 0), "y"), "50.00");
}

static void
points_that_are_not_numbers_are_counted_only(void **state)
{
	struct lightcurve_point p[] = { point(61000.5, 18, "g"), point(INFINITY, 18, "g"),
		point(61001, NAN, "r"), point(1e15, 17, "g"), point(61001, 1e9, "g") };
	const struct value *v = draw(p, NELEM(p));

	(void)state;
	assert_int_equal(marks_of(v), 1);
	assert_non_null(strstr(TEXT(v, "caption").p, "4 rows without a magnitude"));
}

static void
rows_that_are_left_out_are_said(void **state)
{
	struct lightcurve_point p[] = { point(61000, 18, "g"), point(61100, 19, "g") };
	struct lightcurve_view view = plain_view();

	(void)state;
	assert_null(strstr(TEXT(draw(p, 2), "caption").p, "newest"));
	view.older = true;
	assert_non_null(strstr(TEXT(lightcurve_value(arena, &view, p, 2), "caption").p,
	    "These are the newest 2 rows; older ones are to be seen in a range before them"));
}

static void
now_is_drawn_when_it_is_near(void **state)
{
	struct lightcurve_point p[] = { point(61000, 18, "g"), point(61100, 19, "g") };
	struct lightcurve_view view = plain_view();
	const struct value *v;

	(void)state;
	view.now = 61110;
	v = lightcurve_value(arena, &view, p, 2);
	assert_in_range((unsigned)(NUMBER(get(v, "today"), "x") * 100), 9000, 9900);
	view.now = 61050;
	v = lightcurve_value(arena, &view, p, 2);
	assert_str(TEXT(get(v, "today"), "x"), "50.00");
	view.now = 61500;
	v = lightcurve_value(arena, &view, p, 2);
	assert_null(get(v, "today"));
}

static void
the_description_carries_the_finding(void **state)
{
	struct lightcurve_point p[] = { point(61225.3, 19.5, "g"), point(61241.2, 16.33, "r"),
		point(61272.3, 18.71, "g"), point(61215.0, 20.9, "g") };

	(void)state;
	p[3].limit = true;
	assert_str(TEXT(draw(p, NELEM(p)), "desc"),
	    "3 measurements and 1 upper limit from MJD 61215.0 to 61272.3. "
	    "Brightest 16.33 in r at MJD 61241.2. Latest 18.71 in g at MJD 61272.3. "
	    "Deepest limit 20.90 in g. The table below holds the numbers.");
	assert_str(TEXT(draw(p + 3, 1), "desc"),
	    "1 upper limit at MJD 61215.0. Deepest limit 20.90 in g. "
	    "The table below holds the numbers.");
}

static void
numbers_show_their_error(void **state)
{
	static const struct {
		double value, error;
		bool limit, flux;
		const char *amount, *bar;
	} cases[] = {
		{ 18.714, 0.087, false, false, "18.71", "0.09" },
		{ 18.7141, 0.004, false, false, "18.714", "0.004" },
		{ 18.7141, NAN, false, false, "18.71", "" },
		{ 20.5, NAN, true, false, "> 20.50", "" },
		{ NAN, 0.1, false, false, "", "" },
		{ 1234.5678, 56.4, false, true, "1235", "56" },
		{ -1234.5678, 5.64, false, true, "-1234.6", "5.6" },
		{ -12.345, 0.5, false, true, "-12.35", "0.50" },
		{ 12345, NAN, false, true, "12345", "" },
		{ 230.4, 3, true, true, "< 230.4", "" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct lightcurve_point p = {
			.value = cases[i].value, .error = cases[i].error, .limit = cases[i].limit
		};

		assert_str(lightcurve_amount(arena, &p, cases[i].flux), cases[i].amount);
		assert_str(lightcurve_error(arena, &p, cases[i].flux), cases[i].bar);
	}
}

static struct lightcurve_point
flux(double mjd, double value, double error)
{
	return (struct lightcurve_point){ .mjd = mjd,
		.value = value,
		.error = error,
		.band = STR("r"),
		.source = STR("LSST"),
		.difference = true,
		.negative = value < 0 };
}

static void
fluxes_grow_upward_from_a_line_at_zero(void **state)
{
	struct lightcurve_point p[] = { flux(61000, -250, 50), flux(61010, 4000, 100),
		flux(61020, 1000, 60), flux(61030, 2000, NAN) };
	struct lightcurve_view view = plain_view();
	const struct value *v, *points, *values;

	(void)state;
	view.flux = true;
	p[3].limit = true;
	v = lightcurve_value(arena, &view, p, NELEM(p));
	assert_true(value_is_true(get(v, "flux")));
	values = get(v, "values");
	/* -300 to 4100 with their bars, and a margin */
	assert_str(TEXT(value_at(values, 0), "label"), "0");
	assert_str(TEXT(value_at(values, value_count(values) - 1), "label"), "4,000");
	assert_str(TEXT(value_at(values, 0), "y"), "89.98");
	assert_str(TEXT(v, "zero"), "M0 8998H100000");
	points = get(value_at(get(v, "series"), 0), "points");
	assert_true(NUMBER(value_at(points, 0), "y") > NUMBER(value_at(points, 2), "y"));
	assert_true(NUMBER(value_at(points, 2), "y") > NUMBER(value_at(points, 1), "y"));
	assert_str(TEXT(value_at(points, 0), "y"), "95.24");
	/* the sign stands with the number, and no mark of a minus is needed */
	assert_str(TEXT(value_at(get(v, "series"), 0), "points_say"),
	    "r -250 \xc2\xb1 50 nJy, MJD 61000.0000, fainter than the reference\n"
	    "r 4000 \xc2\xb1 100 nJy, MJD 61010.0000\nr 1000 \xc2\xb1 60 nJy, MJD 61020.0000");
	assert_str(
	    TEXT(value_at(get(v, "series"), 0), "limits_say"), "r < 2000 nJy, MJD 61030.0000");
	assert_int_equal(value_count(get(value_at(get(v, "series"), 0), "minus")), 0);
	assert_str(TEXT(get(v, "peak"), "text"), "4000 \xc2\xb1 100 nJy r, MJD 61010.00");
	assert_true(str_starts(TEXT(v, "caption"), "Flux in nJy "));
	/* far from zero there is no line, and the variation is what fills the plot */
	p[0].value = 4100;
	p[2].value = 4050;
	p[3].value = 4000;
	v = lightcurve_value(arena, &view, p, NELEM(p));
	assert_null(get(v, "zero"));
	/* what is all zero has a scale, too */
	p[0] = flux(61000, 0, NAN);
	v = lightcurve_value(arena, &view, p, 1);
	assert_non_null(get(v, "zero"));
}

static void
an_error_beyond_reason_stretches_no_axis(void **state)
{
	static const double errors[] = { 1e15, 1e300, INFINITY };

	(void)state;
	for (size_t e = 0; e < NELEM(errors); e++) {
		struct lightcurve_point p = flux(61000, 100, errors[e]);
		struct lightcurve_view view = plain_view();
		const struct value *values;

		view.flux = true;
		values = get(lightcurve_value(arena, &view, &p, 1), "values");
		assert_in_range(value_count(values), 2, 8);
		for (size_t i = 0; i < value_count(values); i++)
			assert_true(fabs(NUMBER(value_at(values, i), "label") - 100) < 10);
	}
}

static void
days_are_counted_from_the_first_detection(void **state)
{
	struct lightcurve_point p[] = { point(61000.5, 18, "g"), point(61100.5, 19, "g") };
	struct lightcurve_view view = plain_view();
	const struct value *v, *times;

	(void)state;
	view.zero = 61000.5;
	v = lightcurve_value(arena, &view, p, 2);
	times = get(v, "times");
	assert_str(TEXT(v, "unit"), "days");
	assert_str(TEXT(v, "zero_mjd"), "61000.500000");
	assert_str(TEXT(value_at(times, 0), "label"), "0");
	/* the margin is 3 of 106 days */
	assert_str(TEXT(value_at(times, 0), "x"), "2.83");
	assert_true(str_starts(TEXT(v, "ticks"), "M2830 10000v-200M"));
	assert_str(TEXT(value_at(times, 1), "label"), "20");
	assert_str(TEXT(value_at(get(v, "series"), 0), "points_say"),
	    "g 18.00 \xc2\xb1 0.05, MJD 61000.5000, day 0.000\n"
	    "g 19.00 \xc2\xb1 0.05, MJD 61100.5000, day 100.000");
	assert_non_null(strstr(TEXT(v, "caption").p,
	    "against days since the first detection, MJD 61000.5000; dates above are UTC."));
	assert_str(TEXT(draw(p, 2), "unit"), "MJD");
}

static void
surveys_are_told_apart_by_their_marks(void **state)
{
	struct lightcurve_point p[] = { point(61000, 18, "g"), point(61001, 18.5, "g"),
		point(61002, 19, "r"), point(61003, 18.2, "g"), point(61004, 18.2, "g") };
	const struct value *v, *series, *surveys;

	(void)state;
	p[0].source = STR("LSST");
	p[1].source = STR("ZTF");
	p[2].source = STR("ATLAS");
	p[3].source = STR("LSST");
	p[3].forced = true;
	p[4].source = STR("another");
	v = draw(p, NELEM(p));
	series = get(v, "series");
	/* g of LSST; of ZTF and "another", who share the last look; r of ATLAS */
	assert_int_equal(value_count(series), 3);
	assert_str(TEXT(value_at(series, 0), "mark"), "g2");
	assert_str(TEXT(value_at(series, 0), "band"), "g");
	assert_int_equal(value_count(get(value_at(series, 0), "points")), 1);
	assert_int_equal(value_count(get(value_at(series, 0), "forced")), 1);
	assert_str(TEXT(value_at(series, 1), "mark"), "g3");
	assert_str(TEXT(value_at(series, 2), "mark"), "r");
	assert_str(TEXT(value_at(series, 2), "survey"), "1");
	assert_str(TEXT(value_at(series, 2), "points_say"),
	    "r 19.00 \xc2\xb1 0.05, MJD 61002.0000, ATLAS");
	surveys = get(v, "surveys");
	assert_int_equal(value_count(surveys), 3);
	assert_str(TEXT(value_at(get(value_at(surveys, 0), "names"), 0), "name"), "ATLAS");
	assert_str(TEXT(value_at(get(value_at(surveys, 1), "names"), 0), "count"), "2");
	assert_int_equal(value_count(get(value_at(surveys, 2), "names")), 2);
	/* the look is the name's, not the order's */
	p[0].source = STR("ZTF");
	p[1].source = STR("LSST");
	assert_str(TEXT(value_at(get(draw(p, 2), "series"), 0), "mark"), "g");
	assert_str(TEXT(value_at(get(draw(p, 2), "series"), 1), "mark"), "g2");
	/* one alone needs no legend */
	assert_null(get(draw(p, 1), "surveys"));
	assert_null(strstr(TEXT(value_at(get(draw(p, 1), "series"), 0), "points_say").p, "ZTF"));
}

static void
a_range_is_drawn_from_edge_to_edge(void **state)
{
	struct lightcurve_point p[] = { point(61010, 18, "g"), point(61030, 19, "g") };
	struct lightcurve_view view = plain_view();
	const struct value *v, *points;

	(void)state;
	view.from = 61000;
	view.to = 61040;
	v = lightcurve_value(arena, &view, p, 2);
	points = get(value_at(get(v, "series"), 0), "points");
	assert_str(TEXT(value_at(points, 0), "x"), "25.000");
	assert_str(TEXT(value_at(points, 1), "x"), "75.000");
	assert_str(TEXT(v, "from"), "61000.000000");
	assert_str(TEXT(v, "to"), "61040.000000");
}

static void
each_series_keeps_its_ends_and_what_it_has_few_of(void **state)
{
	enum { N = 3000 };
	struct lightcurve_point *p = calloc(N, sizeof(*p));
	const struct value *v, *series;

	(void)state;
	for (size_t i = 0; i < N; i++)
		p[i] = point(60000 + (double)i, 18 + 0.001 * (double)((i * 37) % 100), "r");
	/* neither end is an extreme of its interval */
	p[0].value = p[N - 1].value = 18.0505;
	for (size_t i = 100; i < 105; i++) {
		p[i].limit = true;
		p[i].band = STR("g");
	}
	v = draw(p, N);
	series = get(v, "series");
	assert_int_equal(value_count(get(value_at(series, 0), "limits")), 5);
	assert_str(TEXT(value_at(get(value_at(series, 1), "points"), 0), "x"), "2.830");
	assert_non_null(strstr(TEXT(value_at(series, 1), "points_say").p, "MJD 60000.0000\n"));
	assert_non_null(strstr(TEXT(value_at(series, 1), "points_say").p, "MJD 62999.0000"));
	assert_str(TEXT(v, "count"), "3,000");
	assert_in_range((int)NUMBER(v, "drawn"), 400, LIGHTCURVE_MARKS);
	assert_int_equal(marks_of(v), (int)NUMBER(v, "drawn"));
	free(p);
}

static void
what_is_not_too_much_is_drawn_whole(void **state)
{
	struct lightcurve_point p[LIGHTCURVE_MARKS];
	const struct value *v;

	(void)state;
	for (size_t i = 0; i < NELEM(p); i++)
		p[i] = point(60000 + (double)i, 18, i % 2 ? "r" : "g");
	v = draw(p, NELEM(p));
	assert_int_equal(marks_of(v), LIGHTCURVE_MARKS);
	assert_null(get(v, "drawn"));
	assert_null(strstr(TEXT(v, "caption").p, "drawn as"));
}

static void
no_number_of_points_or_series_is_too_much(void **state)
{
	enum { N = 100000 };
	static const char *const bands[] = { "u", "g", "r", "i", "z", "y", "c", "o", "w" };
	static const char *const sources[] = { "A", "B", "C" };
	struct lightcurve_point *p = calloc(N, sizeof(*p));
	const struct value *v;
	size_t brightest = 0;

	(void)state;
	srand(11);
	for (size_t i = 0; i < N; i++) {
		p[i] = point(50000 + (double)i * 0.1, 17 + (rand() % 10000) / 2500.0,
		    bands[(size_t)rand() % NELEM(bands)]);
		p[i].source = str_of(sources[(size_t)rand() % NELEM(sources)]);
		p[i].forced = rand() % 2;
		p[i].limit = rand() % 3 == 0;
		p[i].negative = rand() % 4 == 0;
		if (!p[i].limit && !p[i].negative && p[i].value < p[brightest].value)
			brightest = i;
	}
	p[brightest].value = 11;
	p[brightest].limit = p[brightest].negative = false;
	/* the latest is no extreme, where there is room for those alone */
	p[N - 1] = point(59999.9, 19, "u");
	p[N - 1].source = STR("A");
	v = draw(p, N);
	assert_non_null(strstr(TEXT(value_at(get(v, "series"), 0), "points_say").p,
	    "u 19.00 \xc2\xb1 0.05, MJD 59999.9000, A"));
	/* 162 kinds of points: two marks each */
	assert_in_range(marks_of(v), 300, LIGHTCURVE_MARKS);
	assert_non_null(strstr(TEXT(get(v, "peak"), "text").p, "11.00"));
	assert_str(TEXT(v, "count"), "100,000");
	/* the brightest stands at the top: 10 to 22 */
	assert_non_null(strstr(text_of(get(v, "caption")).p, "100,000 points drawn as "));
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_with_fixed_decimals),
		cmocka_unit_test(steps_are_one_two_or_five),
		cmocka_unit_test(dates_fit_the_range),
		cmocka_unit_test(bands_have_their_mark),
		cmocka_unit_test(an_empty_curve_says_so),
		cmocka_unit_test(brighter_is_higher_and_all_is_inside),
		cmocka_unit_test(error_bars_count_in_the_scale_within_reason),
		cmocka_unit_test(forced_and_negative_points_are_marked),
		cmocka_unit_test(differences_are_said_to_be_some),
		cmocka_unit_test(names_that_share_a_mark_share_a_key),
		cmocka_unit_test(five_thousand_points_are_thinned_without_losing_extremes),
		cmocka_unit_test(a_burst_keeps_its_shape),
		cmocka_unit_test(what_the_words_name_is_drawn),
		cmocka_unit_test(the_same_place_and_time_make_a_plot),
		cmocka_unit_test(points_that_are_not_numbers_are_counted_only),
		cmocka_unit_test(rows_that_are_left_out_are_said),
		cmocka_unit_test(now_is_drawn_when_it_is_near),
		cmocka_unit_test(the_description_carries_the_finding),
		cmocka_unit_test(numbers_show_their_error),
		cmocka_unit_test(fluxes_grow_upward_from_a_line_at_zero),
		cmocka_unit_test(an_error_beyond_reason_stretches_no_axis),
		cmocka_unit_test(days_are_counted_from_the_first_detection),
		cmocka_unit_test(surveys_are_told_apart_by_their_marks),
		cmocka_unit_test(a_range_is_drawn_from_edge_to_edge),
		cmocka_unit_test(each_series_keeps_its_ends_and_what_it_has_few_of),
		cmocka_unit_test(what_is_not_too_much_is_drawn_whole),
		cmocka_unit_test(no_number_of_points_or_series_is_too_much),
	};

	return cmocka_run_group_tests_name("lightcurve", tests, setup, teardown);
}
