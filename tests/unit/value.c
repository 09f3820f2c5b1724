/*
 * value: what a handler sets is found again, and the JSON written of it is strict: another
 * library's parser reads the same back.
 */
#include "unit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "http/value.h"

static struct str
json_of(struct arena *a, const struct value *v)
{
	struct buf out = { NULL, 0, 0 };
	struct str text;

	value_json(v, &out);
	text = arena_str(a, buf_text(&out));
	buf_free(&out);
	return text;
}

static void
members_keep_their_order_and_the_last_set_counts(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a);

	(void)state;
	value_set_int(v, "b", 1);
	value_set_cstr(v, "a", "x");
	value_set_bool(v, "b", true);
	assert_str(json_of(a, v), "{\"b\":true,\"a\":\"x\"}");
	assert_null(value_get(v, "c", 1));
	assert_null(value_get(NULL, "c", 1));
	assert_null(value_get(value_get(v, "a", 1), "c", 1));
	assert_int_equal(value_count(v), 2);
	arena_free(a);
}

static void
thousands_of_members_are_found(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a);

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 20000; i++)
			value_set_int(v, arena_printf(a, "key%d", i).p, i + round);
	assert_int_equal(value_count(v), 20000);
	for (int i = 0; i < 20000; i++) {
		struct str key = arena_printf(a, "key%d", i);
		struct buf b = { NULL, 0, 0 };

		value_print(value_get(v, key.p, key.n), &b);
		assert_string_equal(b.p, arena_printf(a, "%d", i + 1).p);
		buf_free(&b);
	}
	assert_null(value_get(v, "key20000", 8));
	arena_free(a);
}

static void
truth_is_mustaches(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a);

	(void)state;
	value_set_int(v, "zero", 0);
	value_set_cstr(v, "empty", "");
	value_set_cstr(v, "null", NULL);
	value_set_real(v, "nan", NAN);
	value_set_list(v, "list");
	value_set_object(v, "object");
	assert_true(value_is_true(value_get(v, "zero", 4)));
	assert_false(value_is_true(value_get(v, "empty", 5)));
	assert_false(value_is_true(value_get(v, "null", 4)));
	assert_false(value_is_true(value_get(v, "nan", 3)));
	assert_false(value_is_true(value_get(v, "list", 4)));
	assert_true(value_is_true(value_get(v, "object", 6)));
	assert_false(value_is_true(NULL));
	arena_free(a);
}

/* Every byte and many a code point comes back from another parser as it went in. */
static void
texts_come_back_from_json(void **state)
{
	static const char *const texts[] = { "", "plain", "\"\\/\b\f\n\r\t", "\x01\x1f\x7f",
		"<script>&'", "\xc3\xa9\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac", "\xf0\x9f\x8c\x8c",
		"\xef\xbf\xbf" };
	struct arena *a = arena_new();
	struct value *v = value_list(a);
	json_t *j;

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++)
		value_add_text(v, str_of(texts[i]));
	j = json_loads(json_of(a, v).p, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	for (size_t i = 0; i < NELEM(texts); i++)
		assert_string_equal(json_string_value(json_array_get(j, i)), texts[i]);
	json_decref(j);
	arena_free(a);
}

static void
json_may_stand_in_a_page(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_list(a);

	(void)state;
	value_add_text(v, STR("</script>&\xe2\x80\xa8"));
	assert_str(json_of(a, v), "[\"\\u003c/script\\u003e\\u0026\\u2028\"]");
	arena_free(a);
}

static void
invalid_utf8_becomes_the_replacement_character(void **state)
{
	static const char *const texts[] = { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82",
		"\xf0\x9f", "\x80" };
	struct arena *a = arena_new();
	struct value *v = value_list(a);
	json_t *j;

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++)
		value_add_text(v, str_of(texts[i]));
	value_add_text(v, (struct str){ "a\0b", 3 });
	j = json_loads(json_of(a, v).p, JSON_ALLOW_NUL, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_array_get(j, 0)), "\xef\xbf\xbd");
	assert_string_equal(json_string_value(json_array_get(j, 3)), "\xef\xbf\xbd\xef\xbf\xbd");
	json_decref(j);
	arena_free(a);
}

/* The UTF-8 of a code point, of 5 bytes with the NUL. */
static void
utf8_of(unsigned c, char to[5])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	memset(to, '\0', 5);
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(n == 1 ? c : (0xf00U >> n & 0xf0) | c);
}

/* As it is, but for what JSON has a letter for, and what would do harm in a page: by its number. */
static void
characters_are_written_in_one_way(void **state)
{
	static const unsigned points[] = { 0x80, 0x7ff, 0x800, 0x2027, 0x2028, 0x2029, 0x202a,
		0x20a8, 0x3028, 0xd7ff, 0xe000, 0xe0a8, 0xffff, 0x10000, 0x100a8, 0x10ffff };
	static const char letters[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	struct arena *a = arena_new();

	(void)state;
	for (unsigned i = 1; i < 0x80 + NELEM(points); i++) {
		unsigned c = i < 0x80 ? i : points[i - 0x80];
		const char *letter = i < 0x80 ? strchr(letters, (int)c) : NULL;
		struct value *v = value_list(a);
		char one[5];

		utf8_of(c, one);
		value_add_text(v, arena_printf(a, "a%sb", one));
		if (letter != NULL && (letter - letters) % 2 == 0)
			assert_str(json_of(a, v), arena_printf(a, "[\"a\\%cb\"]", letter[1]).p);
		else if (c < 0x20 || c == 0x7f || (c < 0x80 && strchr("<>&", (int)c) != NULL) ||
		    c == 0x2028 || c == 0x2029)
			assert_str(json_of(a, v), arena_printf(a, "[\"a\\u%04xb\"]", c).p);
		else
			assert_str(json_of(a, v), arena_printf(a, "[\"a%sb\"]", one).p);
	}
	arena_free(a);
}

static void
each_byte_that_is_no_utf8_is_replaced_by_itself(void **state)
{
	static const struct {
		const char *text;
		int replaced;
		const char *rest;
	} cases[] = { { "\x80z", 1, "z" }, { "\xc0\x80", 2, "" }, { "\xc1\xbf", 2, "" },
		{ "\xc2", 1, "" }, { "\xc2z", 1, "z" }, { "\xdf\xc3\xa9", 1, "\xc3\xa9" },
		{ "\xe0\x9f\xbf", 3, "" }, { "\xe2\x82", 2, "" }, { "\xe2\x82z", 2, "z" },
		{ "\xed\xa0\x80", 3, "" }, { "\xf0\x9f\x8c", 3, "" }, { "\xf0\x8f\xbf\xbf", 4, "" },
		{ "\xf4\x90\x80\x80", 4, "" }, { "\xf5\x80\x80\x80", 4, "" }, { "\xffz", 1, "z" } };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		static const char marks[] = "\\ufffd\\ufffd\\ufffd\\ufffd";
		struct value *v = value_list(a);

		value_add_text(v, str_of(cases[i].text));
		assert_str(json_of(a, v),
		    arena_printf(a, "[\"%.*s%s\"]", 6 * cases[i].replaced, marks, cases[i].rest).p);
		/* what stands behind the text is not looked at */
		v = value_list(a);
		value_add_text(v, (struct str){ "\xe2\x82\xac", i % 3 });
		assert_str(json_of(a, v), arena_printf(a, "[\"%.*s\"]", 6 * (int)(i % 3), marks).p);
	}
	arena_free(a);
}

static void
numbers_come_back_from_json(void **state)
{
	static const double reals[] = { 0, -0.0, 5, 0.1, 1e300, 5e-324, -12.5, 1.0 / 3, 1e15,
		123456789.125 };
	struct arena *a = arena_new();
	struct value *v = value_object(a), *l = value_set_list(v, "reals");
	json_t *j;

	(void)state;
	value_set_int(v, "least", INT64_MIN);
	value_set_int(v, "most", INT64_MAX);
	value_set_real(v, "nan", NAN);
	value_set_real(v, "inf", INFINITY);
	value_set_number(v, "shown", 12.3456, STR("12.3 <b>"));
	for (size_t i = 0; i < NELEM(reals); i++)
		value_add_real(l, reals[i]);
	j = json_loads(json_of(a, v).p, 0, NULL);
	assert_non_null(j);
	assert_true(json_integer_value(json_object_get(j, "least")) == INT64_MIN);
	assert_true(json_integer_value(json_object_get(j, "most")) == INT64_MAX);
	assert_true(json_is_null(json_object_get(j, "nan")));
	assert_true(json_is_null(json_object_get(j, "inf")));
	assert_true(json_real_value(json_object_get(j, "shown")) == 12.3456);
	for (size_t i = 0; i < NELEM(reals); i++) {
		json_t *r = json_array_get(json_object_get(j, "reals"), i);

		assert_true(json_is_real(r)); /* a real stays one: 5 is written 5.0 */
		assert_true(json_real_value(r) == reals[i]);
	}
	json_decref(j);
	v = value_list(a);
	value_add_real(v, 5);
	value_add_real(v, 0.5);
	value_add_real(v, 1e300);
	value_add_real(v, -1.5e-9);
	value_add_int(v, 10);
	value_add_real(v, 7);
	assert_str(json_of(a, v), "[5.0,0.5,1e+300,-1.5e-09,10,7.0]");
	arena_free(a);
}

static void
trees_nest(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a), *l = value_set_list(v, "rows");

	(void)state;
	for (int i = 0; i < 20; i++)
		value_set_int(value_add_object(l), "id", i);
	value_add_int(value_add_list(l), 7);
	value_add(l, NULL);
	value_set(v, "none", NULL);
	assert_int_equal(value_count(l), 22);
	assert_null(value_at(l, 22));
	assert_non_null(strstr(json_of(a, v).p, "{\"id\":19},[7],null],\"none\":null}"));
	arena_free(a);
}

/* Of one form they share what they have in common, but for what is done to one of them later. */
static void
objects_of_one_form_are_objects_of_their_own(void **state)
{
	struct arena *a = arena_new();
	struct value *l = value_list(a), *second;
	const struct value_form *form = value_form(a, 3, (const char *const[]){ "x", "y", "day" });

	(void)state;
	value_add_formed(l, form, (const struct str[]){ STR("1"), STR("2"), STR_NONE });
	second = value_add_formed(l, form, (const struct str[]){ STR("3"), STR("4"), STR("5") });
	value_add_formed(l, form, (const struct str[]){ STR("6"), STR("7"), STR("8") });
	value_set_text(second, "y", STR("other"));
	for (int i = 0; i < 30; i++)
		value_set_int(second, arena_printf(a, "more%d", i).p, i);
	assert_int_equal(value_count(second), 33);
	assert_str(value_text(value_get(second, "x", 1)), "3");
	assert_str(value_text(value_get(second, "y", 1)), "other");
	value_add(l, NULL);
	assert_str(json_of(a, value_at(l, 0)), "{\"x\":\"1\",\"y\":\"2\",\"day\":null}");
	assert_str(json_of(a, value_at(l, 2)), "{\"x\":\"6\",\"y\":\"7\",\"day\":\"8\"}");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_their_order_and_the_last_set_counts),
		cmocka_unit_test(thousands_of_members_are_found),
		cmocka_unit_test(truth_is_mustaches),
		cmocka_unit_test(texts_come_back_from_json),
		cmocka_unit_test(json_may_stand_in_a_page),
		cmocka_unit_test(invalid_utf8_becomes_the_replacement_character),
		cmocka_unit_test(characters_are_written_in_one_way),
		cmocka_unit_test(each_byte_that_is_no_utf8_is_replaced_by_itself),
		cmocka_unit_test(numbers_come_back_from_json),
		cmocka_unit_test(trees_nest),
		cmocka_unit_test(objects_of_one_form_are_objects_of_their_own),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
