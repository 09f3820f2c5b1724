/*
 * json: what programs send as JSON is read whole or refused with a sentence.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/json_read.h"

static struct arena *a;

static const char *
again(struct str text)
{
	struct buf out = { 0 };
	const char *why, *written;
	struct value *v = json_read(a, text, &why);

	if (v == NULL)
		return why;
	value_json(v, &out);
	written = arena_str(a, buf_text(&out)).p;
	buf_free(&out);
	return written;
}

static void
every_kind_of_value_is_read(void **state)
{
	static const char text[] =
	    "{\"a\":[1,-2.5,true,false,null,\"\\u00e9\"],\"b\":{\"c\":\"\"},\"d\":{}}";

	(void)state;
	assert_string_equal(again(str_of(text)),
	    "{\"a\":[1,-2.5,true,false,null,\"\xc3\xa9\"],\"b\":{\"c\":\"\"},\"d\":{}}");
	assert_string_equal(again(STR(" 9007199254740993 ")), "9007199254740993");
	assert_string_equal(again(STR("\"alone\"")), "\"alone\"");
}

static void
what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[1,]", "{'a':1}", "{\"a\":1}x", "nul",
		"\"\\u0000\"", "{\"\\u0000\":1}", "NaN", "\"\xff\"", "\"\xed\xa0\x80\"", "1e999",
		"99999999999999999999", "\xef\xbb\xbf{}" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_string_equal(again(str_of(bad[i])), "The body is no JSON.");
	assert_string_equal(again(STR_NONE), "The body is no JSON.");
	assert_string_equal(again(STR("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}")),
	    "A key stands twice in an object of the JSON.");
}

/* n of `open`, then n of `close`. */
static struct str
nested(size_t n, char open, char close)
{
	char text[2 * JSON_DEPTH + 4];

	memset(text, open, n);
	memset(text + n, close, n);
	return arena_copy(a, text, 2 * n);
}

static void
depth_and_members_have_a_limit(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(again(nested(JSON_DEPTH, '[', ']'))[0], '[');
	assert_string_equal(again(nested(JSON_DEPTH + 1, '[', ']')),
	    "The JSON has lists and objects too deep inside each other.");
	/* brackets in a text are no depth */
	assert_string_equal(
	    again(arena_printf(a, "\"\\\"%s\"", nested(JSON_DEPTH + 1, '[', '[').p)),
	    arena_printf(a, "\"\\\"%s\"", nested(JSON_DEPTH + 1, '[', '[').p).p);
	for (int n = JSON_MEMBERS; n <= JSON_MEMBERS + 1; n++) {
		buf_clear(&b);
		for (int i = 0; i < n; i++)
			buf_printf(&b, "%c\"%d\":1", i == 0 ? '{' : ',', i);
		buf_putc(&b, '}');
		assert_int_equal(again(buf_text(&b))[0], n > JSON_MEMBERS ? 'A' : '{');
	}
	buf_free(&b);
}

static long before_failing = -1; /* -1: never */

/* The program's own malloc, until it is told to fail. */
void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *
__wrap_malloc(size_t n)
{
	if (before_failing == 0)
		return NULL;
	if (before_failing > 0)
		before_failing--;
	return __real_malloc(n);
}

/* What a process does whose n-th malloc and all later ones fail: its exit status. */
static int
read_with(long n)
{
	static const char text[] = "{\"a\":[1,2.5,\"a longer text\"],\"b\":{\"c\":true}}";
	const char *why;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		before_failing = n;
		_exit(json_read(a, str_of(text), &why) == NULL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Memory that runs out here is not called a mistake in what was sent. */
static void
short_memory_is_no_mistake_of_the_sender(void **state)
{
	long n = 0;
	int status;

	(void)state;
	while ((status = read_with(n)) != 0) {
		assert_int_equal(status, 70); /* arena_exhausted */
		n++;
	}
	assert_true(n > 10);
}

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_is_read),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(depth_and_members_have_a_limit),
		cmocka_unit_test(short_memory_is_no_mistake_of_the_sender),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
