/*
 * base: strings, arena, buffers, clock. Each test is a claim.
 */
#include "unit.h"

#include <math.h>

#include "base/buf.h"
#include "base/clock.h"

static void
numbers_are_whole_texts(void **state)
{
	int64_t i;
	double d;

	(void)state;
	assert_true(str_to_int64(STR("-9223372036854775808"), &i));
	assert_true(i == INT64_MIN);
	assert_false(str_to_int64(STR("9223372036854775808"), &i));
	assert_false(str_to_int64(STR(""), &i));
	assert_false(str_to_int64(STR("-"), &i));
	assert_false(str_to_int64(STR("1 "), &i));
	assert_true(str_to_double(STR("-12.5e-3"), &d));
	assert_true(d == -12.5e-3);
	assert_false(str_to_double(STR("nan"), &d));
	assert_false(str_to_double(STR("inf"), &d));
	assert_false(str_to_double(STR("1e999"), &d));
	assert_false(str_to_double(STR("0x10"), &d));
	assert_false(str_to_double(STR("1,5"), &d));
}

static void
pieces_are_cut_off_the_front(void **state)
{
	struct str rest = STR("one,,two,"), none = STR_NONE;

	(void)state;
	assert_true(str_is(str_cut(&rest, ','), "one"));
	assert_true(str_is(str_cut(&rest, ','), ""));
	assert_true(str_is(rest, "two,"));
	assert_true(str_is(str_cut(&rest, ';'), "two,"));
	assert_int_equal(rest.n, 0);
	assert_true(str_is(str_cut(&rest, ','), ""));
	assert_null(str_cut(&none, ',').p);
}

static void
utf8_is_strict(void **state)
{
	(void)state;
	assert_true(str_is_utf8(STR("\xc3\xa9\xf0\x9f\x98\x80")));
	assert_false(str_is_utf8(STR("\xc0\x80")));
	assert_false(str_is_utf8(STR("\xed\xa0\x80")));
	assert_false(str_is_utf8(STR("\xf4\x90\x80\x80")));
	assert_false(str_is_utf8(STR("\xe2\x82")));
	assert_int_equal(str_code_points(STR("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
}

static void
what_is_no_utf8_is_made_so(void **state)
{
	char text[] = "a\xc3\xa9\xff\xe2\x82+\xf0\x9f\x98\x80\xf0\x9f";

	(void)state;
	str_make_utf8(text, strlen(text));
	assert_string_equal(text, "a\xc3\xa9???+\xf0\x9f\x98\x80??");
	str_make_utf8(NULL, 0);
}

static void
count_up(void *arg)
{
	(*(int *)arg)++;
}

static void
arena_reset_runs_what_was_deferred(void **state)
{
	struct arena *a = arena_new();
	int calls = 0;

	(void)state;
	arena_defer(a, count_up, &calls);
	memset(arena_alloc(a, 100000), 1, 100000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(*(char *)arena_alloc(a, 40), 0);
	arena_reset(a);
	assert_int_equal(calls, 1);
	assert_int_equal(arena_used(a), 0);
	assert_str(arena_printf(a, "%s-%d", "M", 31), "M-31");
	arena_free(a);
	assert_int_equal(calls, 1);
}

static void
a_list_in_an_arena_grows_and_keeps_what_it_has(void **state)
{
	struct arena *a = arena_new();
	int64_t *list = NULL;
	size_t room = 0, grown = 0;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		size_t before = room;

		list = arena_more(a, list, n, &room, sizeof(*list));
		grown += room != before;
		assert_true(room > n);
		list[n] = (int64_t)n;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(list[n], n);
	assert_true(grown < 10);
	arena_free(a);
}

static void
doubles_are_printed_short_and_exact(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_double(&b, 0.1);
	buf_putc(&b, ' ');
	buf_double(&b, 1.0 / 3.0);
	buf_putc(&b, ' ');
	buf_double(&b, (double)NAN);
	assert_str(buf_text(&b), "0.1 0.3333333333333333 null");
	buf_free(&b);
}

static void
dates_round_trip(void **state)
{
	struct arena *a = arena_new();
	int64_t t;

	(void)state;
	assert_true(clock_from_iso(STR("2012-02-12T01:40:47.5Z"), &t));
	assert_str(clock_iso(a, t), "2012-02-12T01:40:47.500000Z");
	assert_true(clock_from_iso(STR("2024-02-29 23:30+01:30"), &t));
	assert_str(clock_iso(a, t), "2024-02-29T22:00:00Z");
	assert_false(clock_from_iso(STR("2023-02-29"), &t));
	assert_false(clock_from_iso(STR("2023-02-28T10"), &t));
	assert_false(clock_from_iso(STR("2023-02-28T10:00:00x"), &t));
	assert_true(clock_from_http(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &t));
	assert_str(clock_http(a, t), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_false(clock_from_http(STR("Sun, 06 Nov 1994 08:49:37 CET"), &t));
	assert_true(fabs(clock_to_mjd(clock_from_mjd(60000.25)) - 60000.25) < 1e-9);
	assert_true(clock_jd_to_mjd(2451545.0) == 51544.5);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_texts),
		cmocka_unit_test(pieces_are_cut_off_the_front),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(what_is_no_utf8_is_made_so),
		cmocka_unit_test(arena_reset_runs_what_was_deferred),
		cmocka_unit_test(a_list_in_an_arena_grows_and_keeps_what_it_has),
		cmocka_unit_test(doubles_are_printed_short_and_exact),
		cmocka_unit_test(dates_round_trip),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
