/*
 * log: one line an event, whatever the input holds.
 */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

/* Calls log_warn with the text and returns what reached stderr. */
static char *
logged(struct str text)
{
	static char got[4096];
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_warn("host refused", LOG_STR("host", text), LOG_INT("count", -3),
	    LOG_REAL("seconds", 0.25), LOG_BOOL("known", false));
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], got, sizeof(got) - 1);
	close(fds[0]);
	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static void
a_line_is_one_json_object(void **state)
{
	char *line = logged(STR("tom.example"));

	(void)state;
	assert_int_equal(strncmp(line, "{\"time\":\"", 9), 0);
	assert_non_null(strstr(line,
	    "\"level\":\"warn\",\"event\":\"host refused\","
	    "\"host\":\"tom.example\",\"count\":-3,\"seconds\":0.25,"
	    "\"known\":false}\n"));
}

static void
no_byte_forges_a_line(void **state)
{
	char all[256];
	char *line;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	line = logged((struct str){ all, sizeof(all) });
	for (char *p = line; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20 || (*p == '\n' && p[1] == '\0'));
	assert_non_null(strstr(line, "\\u000a"));
	assert_non_null(strstr(line, "\\\\xFF"));
}

static void
bidirectional_controls_are_escaped(void **state)
{
	(void)state;
	assert_non_null(strstr(logged(STR("a\xe2\x80\xae"
	                                  "b")),
	    "a\\u202eb"));
	assert_non_null(strstr(logged(STR("\xc3\xa9t\xc3\xa9")), "\xc3\xa9t\xc3\xa9"));
}

static void
absent_text_is_null(void **state)
{
	(void)state;
	assert_non_null(strstr(logged(STR_NONE), "\"host\":null"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_one_json_object),
		cmocka_unit_test(no_byte_forges_a_line),
		cmocka_unit_test(bidirectional_controls_are_escaped),
		cmocka_unit_test(absent_text_is_null),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
