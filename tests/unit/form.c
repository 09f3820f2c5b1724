/*
 * form: each field is valid, wrong with a sentence, or absent; and what was typed comes back.
 */
#include "unit.h"

#include <math.h>

#include "base/buf.h"
#include "http/form.h"

enum { TEXT, LINES, SECRET, REAL, INT, CHOICE, BOOL, SHORT, COUNT, FREE, NFIELDS };
static const struct field fields[NFIELDS] = {
	[TEXT] = { .name = "text", .type = FIELD_TEXT, .max = 5, .label = "Name", .help = "Help." },
	[LINES] = { .name = "lines", .type = FIELD_LINES },
	[SECRET] = { .name = "secret", .type = FIELD_SECRET },
	[REAL] = { .name = "real", .type = FIELD_REAL, .min = -90, .max = 90, .label = "Dec" },
	[INT] = { .name = "int", .type = FIELD_INT },
	[CHOICE] = { .name = "choice", .type = FIELD_CHOICE, .choices = "A|B=Label of B|C" },
	[BOOL] = { .name = "bool", .type = FIELD_BOOL },
	[SHORT] = { .name = "short", .type = FIELD_TEXT, .min = 3, .label = "Short" },
	[COUNT] = { .name = "count", .type = FIELD_INT, .min = 1, .max = 9, .label = "Count" },
	[FREE] = { .name = "free", .type = FIELD_REAL, .label = "Free" },
};

static struct arena *arena;

static int
make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* What becomes of one field when this was sent. */
static struct input
read_one(int field, const char *sent)
{
	struct pair pair = { str_of(fields[field].name), str_of(sent) };
	struct pairs pairs = { &pair, 1 };
	struct input in[NFIELDS];

	form_read(&pairs, fields, NFIELDS, in, arena);
	return in[field];
}

static void
texts_are_trimmed_and_bounded_in_code_points(void **state)
{
	(void)state;
	assert_int_equal(read_one(TEXT, "  a b\t ").state, VALID);
	assert_str(read_one(TEXT, "  a b\t ").text, "a b");
	assert_int_equal(read_one(TEXT, "   ").state, ABSENT);
	assert_int_equal(read_one(TEXT, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9").state, VALID);
	assert_int_equal(read_one(TEXT, "123456").state, WRONG);
	assert_str(
	    read_one(TEXT, "123456").why, "Name must have at most 5 characters; this has 6.");
	assert_str(read_one(TEXT, "123456").text, "123456");
	assert_str(read_one(TEXT, "a\nb").why, "Name must not contain control characters.");
	assert_int_equal(read_one(TEXT, "a\x7f").state, WRONG);
}

static void
lines_have_one_kind_of_end(void **state)
{
	(void)state;
	assert_str(read_one(LINES, "a\r\nb\rc\nd").text, "a\nb\nc\nd");
	assert_int_equal(read_one(LINES, "a\tb").state, VALID);
	assert_int_equal(read_one(LINES, "a\x01").state, WRONG);
}

static void
secrets_are_neither_trimmed_nor_given_back(void **state)
{
	struct input in[NFIELDS] = { [SECRET] = read_one(SECRET, " p\x01 ") };
	struct value *page = value_object(arena);
	struct buf json = { NULL, 0, 0 };

	(void)state;
	assert_int_equal(in[SECRET].state, VALID);
	assert_str(in[SECRET].text, " p\x01 ");
	form_show(page, fields, in, NFIELDS, arena);
	value_json(page, &json);
	assert_null(strstr(json.p, " p\\u0001 "));
	buf_free(&json);
}

static void
numbers_are_finite_and_in_their_bounds(void **state)
{
	(void)state;
	assert_true(read_one(REAL, " -12.5 ").real == -12.5);
	assert_true(read_one(REAL, "+38.2").real == 38.2);
	assert_true(read_one(REAL,
	                "\xe2\x88\x92"
	                "8.5")
	                .real == -8.5);
	assert_true(read_one(REAL, "90").state == VALID);
	assert_str(read_one(REAL, "90.001").why, "Dec must be a number from -90 to 90.");
	for (size_t i = 0; i < 8; i++) {
		static const char *const bad[] = { "x", "1,5", "nan", "inf", "1e999", "+-3", "0x10",
			"1 2" };

		assert_int_equal(read_one(REAL, bad[i]).state, WRONG);
		assert_true(isnan(read_one(REAL, bad[i]).real));
		assert_str(read_one(REAL, bad[i]).text, bad[i]);
	}
	assert_true(read_one(INT, "-7").integer == -7);
	assert_str(read_one(INT, "1.5").why, "int must be a whole number, such as 12.");
	assert_int_equal(read_one(REAL, "").state, ABSENT);
}

static void
each_control_byte_has_its_place(void **state)
{
	(void)state;
	for (int i = 1; i < 0x80; i++) {
		char sent[4] = { 'a', (char)i, 'b', '\0' };
		bool control = i < 0x20 || i == 0x7f, line = i == '\n' || i == '\t' || i == '\r';

		assert_int_equal(read_one(TEXT, sent).state, control ? WRONG : VALID);
		assert_int_equal(read_one(LINES, sent).state, control && !line ? WRONG : VALID);
		assert_int_equal(read_one(SECRET, sent).state, VALID);
	}
	assert_str(read_one(LINES, "a\rb\r\nc\n\rd").text, "a\nb\nc\n\nd");
	assert_str(read_one(LINES, "a\r\r\nb").text, "a\n\nb");
}

static void
bounds_are_told_in_words(void **state)
{
	(void)state;
	assert_int_equal(read_one(SHORT, "abc").state, VALID);
	assert_int_equal(read_one(LINES, "a").state, VALID); /* no bounds at all */
	assert_str(read_one(SHORT, "\xc3\xa9\xc3\xa9").why,
	    "Short must have at least 3 characters; this has 2.");
	assert_str(
	    read_one(TEXT, "123456").why, "Name must have at most 5 characters; this has 6.");
	assert_int_equal(read_one(COUNT, "1").integer, 1);
	assert_int_equal(read_one(COUNT, "+9").integer, 9);
	assert_str(read_one(COUNT, "0").why, "Count must be a whole number from 1 to 9.");
	assert_str(read_one(COUNT, "10").why, "Count must be a whole number from 1 to 9.");
	assert_int_equal(read_one(COUNT, "10").integer, 0);
	assert_str(read_one(REAL, "90.5").why, "Dec must be a number from -90 to 90.");
	assert_true(isnan(read_one(REAL, "90.5").real));
	assert_int_equal(read_one(REAL, "-90").state, VALID);
	assert_int_equal(read_one(REAL, "90").state, VALID);
	assert_str(read_one(FREE, "x").why, "Free must be a number, such as -12.5 or 1.5e-3.");
	assert_true(read_one(FREE, "1e300").real > 9e299);
	assert_true(read_one(FREE,
	                "\xe2\x88\x92"
	                "2.5")
	                .real == -2.5);
	assert_int_equal(read_one(FREE, "+").state, WRONG);
	assert_int_equal(read_one(FREE, "+-1").state, WRONG);
	assert_int_equal(read_one(FREE, "++1").state, WRONG);
	assert_int_equal(read_one(FREE, "+1").state, VALID);
}

static void
a_choice_is_one_of_the_list(void **state)
{
	(void)state;
	assert_int_equal(read_one(CHOICE, "B").state, VALID);
	assert_int_equal(read_one(CHOICE, "").state, ABSENT);
	assert_str(read_one(CHOICE, "D").why, "choice must be one of these: A, Label of B, C.");
	assert_int_equal(read_one(CHOICE, "A|B").state, WRONG);
	assert_int_equal(read_one(CHOICE, "Label of B").state, WRONG);
}

static void
a_checkbox_is_on_or_off(void **state)
{
	(void)state;
	assert_int_equal(read_one(BOOL, "on").integer, 1);
	assert_int_equal(read_one(BOOL, "True").integer, 1);
	assert_int_equal(read_one(BOOL, "false").integer, 0);
	assert_int_equal(read_one(BOOL, "false").state, VALID);
	assert_int_equal(read_one(BOOL, "maybe").state, WRONG);
	assert_int_equal(read_one(TEXT, "x").state, VALID);
}

static void
a_required_field_that_is_not_there_is_wrong(void **state)
{
	static const struct field needed = {
		.name = "n", .type = FIELD_TEXT, .required = true, .label = "Name"
	};
	struct pairs none = { NULL, 0 };
	struct input in;

	(void)state;
	assert_int_equal(form_read(&none, &needed, 1, &in, arena), 1);
	assert_str(in.why, "Name is needed.");
}

static void
all_that_are_wrong_are_counted(void **state)
{
	struct pair sent[] = { { STR("lines"), STR("\x01") }, { STR("int"), STR("x") },
		{ STR("free"), STR("y") }, { STR("text"), STR("good") } };
	struct pairs pairs = { sent, NELEM(sent) };
	struct input in[NFIELDS];

	(void)state;
	assert_int_equal(form_read(&pairs, fields, NFIELDS, in, arena), 3);
	form_wrong(&in[TEXT], STR("No."));
	assert_int_equal(form_count_wrong(in, NFIELDS), 4);
	assert_int_equal(form_count_wrong(in, 1), 1);
	assert_int_equal(form_count_wrong(in, 0), 0);
}

static void
a_field_that_came_twice_is_wrong(void **state)
{
	struct pair twice[] = { { STR("text"), STR("a") }, { STR("text"), STR("a") } };
	struct pairs pairs = { twice, 2 };
	struct input in[NFIELDS];

	(void)state;
	assert_int_equal(form_read(&pairs, fields, NFIELDS, in, arena), 1);
	assert_str(in[TEXT].why, "Name came more than once; give it once.");
}

static struct str
member_text(const struct value *page, const char *field, const char *key)
{
	const struct value *form = value_get(page, "form", 4);

	return value_text(value_get(value_get(form, field, strlen(field)), key, strlen(key)));
}

static void
what_was_typed_is_shown_with_what_is_wrong(void **state)
{
	struct input in[NFIELDS] = {
		[TEXT] = read_one(TEXT, "<too long>"), [CHOICE] = read_one(CHOICE, "B")
	};
	struct value *page = value_object(arena);
	const struct value *options;

	(void)state;
	form_show(page, fields, in, NFIELDS, arena);
	assert_str(member_text(page, "text", "value"), "<too long>");
	assert_str(member_text(page, "text", "described"), "text-e text-h");
	assert_non_null(member_text(page, "text", "error").p);
	assert_null(member_text(page, "lines", "error").p);
	assert_true(value_is_true(value_get(page, "has_errors", 10)));
	assert_int_equal(value_count(value_get(page, "errors", 6)), 1);
	options = value_get(value_get(value_get(page, "form", 4), "choice", 6), "options", 7);
	assert_int_equal(value_count(options), 3);
	assert_true(value_is_true(value_get(value_at(options, 1), "selected", 8)));
	assert_str(value_text(value_get(value_at(options, 1), "label", 5)), "Label of B");
}

/* How each is drawn: one kind alone, the keys of a phone, what it says of itself. */
static void
each_kind_is_drawn_as_itself(void **state)
{
	static const char *const kinds[] = { "is_text", "is_lines", "is_secret", "is_choice",
		"is_bool" };
	static const char *const want[NFIELDS] = { [TEXT] = "is_text",
		[LINES] = "is_lines",
		[SECRET] = "is_secret",
		[REAL] = "is_text",
		[INT] = "is_text",
		[CHOICE] = "is_choice",
		[BOOL] = "is_bool",
		[SHORT] = "is_text",
		[COUNT] = "is_text",
		[FREE] = "is_text" };
	static const struct field more[] = { { .name = "mail",
		                                 .type = FIELD_TEXT,
		                                 .required = true,
		                                 .placeholder = "you@example.org",
		                                 .autocomplete = "email",
		                                 .inputmode = "email" },
		{ .name = "agreed", .type = FIELD_BOOL, .required = true } };
	struct input in[2] = { { .state = WRONG, .why = STR("No.") }, { .state = ABSENT } };
	struct value *page = value_object(arena);

	(void)state;
	form_show(page, fields, NULL, NFIELDS, arena);
	for (int i = 0; i < NFIELDS; i++)
		for (size_t k = 0; k < NELEM(kinds); k++) {
			const struct value *form = value_get(page, "form", 4),
			                   *field = value_get(
			                       form, fields[i].name, strlen(fields[i].name));

			assert_int_equal(
			    value_is_true(value_get(field, kinds[k], strlen(kinds[k]))),
			    strcmp(kinds[k], want[i]) == 0);
			assert_false(value_is_true(value_get(field, "required", 8)));
			assert_false(value_is_true(value_get(field, "checked", 7)));
		}
	assert_str(member_text(page, "int", "inputmode"), "numeric");
	assert_str(member_text(page, "real", "inputmode"), "decimal");
	assert_null(member_text(page, "text", "inputmode").p);
	assert_str(member_text(page, "text", "label"), "Name");
	assert_str(member_text(page, "lines", "label"), "lines");
	assert_str(member_text(page, "text", "help"), "Help.");
	assert_null(member_text(page, "lines", "described").p);

	/* another table beside it, and mistakes of both */
	form_show(page, more, in, 2, arena);
	assert_str(member_text(page, "text", "name"), "text");
	assert_str(member_text(page, "mail", "inputmode"), "email");
	assert_str(member_text(page, "mail", "placeholder"), "you@example.org");
	assert_str(member_text(page, "mail", "autocomplete"), "email");
	assert_str(member_text(page, "mail", "described"), "mail-e");
	assert_int_equal(value_count(value_get(page, "errors", 6)), 1);
	form_show(page, more, in, 1, arena);
	assert_int_equal(value_count(value_get(page, "errors", 6)), 2);
	assert_true(value_is_true(
	    value_get(value_get(value_get(page, "form", 4), "mail", 4), "required", 8)));
}

static void
boxes_are_shown_as_they_were_left(void **state)
{
	struct value *page = value_object(arena);
	struct input in[NFIELDS] = { [BOOL] = read_one(BOOL, "1"), [INT] = read_one(INT, "5") };
	const struct value *form;

	(void)state;
	form_show(page, fields, in, NFIELDS, arena);
	form = value_get(page, "form", 4);
	assert_true(value_is_true(value_get(value_get(form, "bool", 4), "checked", 7)));
	assert_false(value_is_true(value_get(value_get(form, "int", 3), "checked", 7)));
	in[BOOL] = read_one(BOOL, "0");
	form_show(page, fields, in, NFIELDS, arena);
	form = value_get(page, "form", 4);
	assert_false(value_is_true(value_get(value_get(form, "bool", 4), "checked", 7)));
}

static void
a_field_is_filled_with_what_is_there(void **state)
{
	struct input in;

	(void)state;
	form_fill(&in, STR("M 31"));
	assert_int_equal(in.state, VALID);
	assert_str(in.text, "M 31");
	form_fill(&in, STR(""));
	assert_int_equal(in.state, ABSENT);
	form_wrong(&in, STR("No."));
	assert_int_equal(form_count_wrong(&in, 1), 1);
	assert_str(in.why, "No.");
}

static void
an_empty_form_has_no_errors(void **state)
{
	struct value *page = value_object(arena);

	(void)state;
	form_show(page, fields, NULL, NFIELDS, arena);
	assert_false(value_is_true(value_get(page, "has_errors", 10)));
	assert_false(value_is_true(value_get(page, "errors", 6)));
	assert_str(member_text(page, "text", "described"), "text-h");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts_are_trimmed_and_bounded_in_code_points),
		TEST(lines_have_one_kind_of_end),
		TEST(secrets_are_neither_trimmed_nor_given_back),
		TEST(numbers_are_finite_and_in_their_bounds),
		TEST(each_control_byte_has_its_place),
		TEST(bounds_are_told_in_words),
		TEST(a_choice_is_one_of_the_list),
		TEST(a_checkbox_is_on_or_off),
		TEST(a_required_field_that_is_not_there_is_wrong),
		TEST(all_that_are_wrong_are_counted),
		TEST(a_field_that_came_twice_is_wrong),
		TEST(what_was_typed_is_shown_with_what_is_wrong),
		TEST(each_kind_is_drawn_as_itself),
		TEST(boxes_are_shown_as_they_were_left),
		TEST(a_field_is_filled_with_what_is_there),
		TEST(an_empty_form_has_no_errors),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
