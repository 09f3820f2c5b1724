/*
 * log: one line an event, whatever the input holds.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"

/* Writes a line and returns what reached stderr. */
static char *
logged_with(
    enum log_level level, const char *event, size_t n_fields, const struct log_field *fields)
{
	static char got[4096];
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_write(level, event, n_fields, fields);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], got, sizeof(got) - 1);
	close(fds[0]);
	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static char *
logged_at(enum log_level level, const char *event)
{
	return logged_with(level, event, LOG_FIELDS());
}

/* A warning with the text, and one field of each other kind. */
static char *
logged(struct str text)
{
	return logged_with(LOG_LEVEL_WARN, "host refused",
	    LOG_FIELDS(LOG_STR("host", text), LOG_INT("count", -3), LOG_REAL("seconds", 0.25),
	        LOG_BOOL("known", false)));
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

/* Every code point up to U+FFFF, as it is or by its number. */
static void
dangerous_characters_are_numbers(void **state)
{
	(void)state;
	for (unsigned c = 1; c < 0x10000; c += c < 0x100 || (c >= 0x600 && c < 0x620) ||
	             (c >= 0x2000 && c < 0x2070) || c >= 0xfe00
	         ? 1
	         : 0x10) {
		bool dangerous = c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c ||
		    c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
		char text[5] = "", want[40];

		if (c == '"' || c == '\\' || (c >= 0xd800 && c < 0xe000))
			continue;
		if (c < 0x80)
			text[0] = (char)c;
		else if (c < 0x800)
			memcpy(
			    text, (char[]){ (char)(0xc0 | c >> 6), (char)(0x80 | (c & 63)), 0 }, 3);
		else
			memcpy(text,
			    (char[]){ (char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 63)),
			        (char)(0x80 | (c & 63)), 0 },
			    4);
		if (dangerous)
			snprintf(want, sizeof(want), "\"host\":\"\\u%04x\",", c);
		else
			snprintf(want, sizeof(want), "\"host\":\"%s\",", text);
		if (strstr(logged(str_of(text)), want) == NULL)
			fail_msg("U+%04X", c);
	}
	assert_non_null(strstr(logged(STR("\"\\")), "\"host\":\"\\\"\\\\\","));
	assert_non_null(strstr(logged(STR("\xf0\x9f\x98\x80")), "\"\xf0\x9f\x98\x80\""));
	assert_non_null(strstr(logged(STR("\xf0\x9f\x98")), "\"\\\\xF0\\\\x9F\\\\x98\""));
	assert_non_null(strstr(logged((struct str){ "\xc3\xa9", 1 }), "\"\\\\xC3\""));
	assert_non_null(strstr(logged(STR("a\0b")), "\"a\\u0000b\""));
}

static void
a_log_that_cannot_be_written_stops_nothing(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO);
	errno = ENOENT;
	log_warn("nobody hears", LOG_BOOL("known", true));
	assert_int_equal(errno, ENOENT);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void
absent_text_is_null(void **state)
{
	(void)state;
	assert_non_null(strstr(logged(STR_NONE), "\"host\":null"));
}

/* Lines below the level are dropped, those of it are not. */
static void
levels_are_told_and_kept_to(void **state)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	(void)state;
	for (enum log_level lowest = LOG_LEVEL_DEBUG; lowest <= LOG_LEVEL_NONE; lowest++)
		for (enum log_level level = LOG_LEVEL_DEBUG; level < LOG_LEVEL_NONE; level++) {
			char want[40];
			char *line;

			log_set_level(lowest);
			line = logged_at(level, "said");
			log_set_level(LOG_LEVEL_INFO);
			snprintf(want, sizeof(want), "\"level\":\"%s\",\"event\":", names[level]);
			assert_int_equal(strstr(line, want) != NULL, level >= lowest);
			assert_int_equal(line[0] == '\0', level < lowest);
		}
	assert_string_equal(logged_at(LOG_LEVEL_DEBUG, "at first"), "");
}

static void
a_line_names_the_program_and_the_request(void **state)
{
	(void)state;
	log_set_program("targets");
	log_set_request("0123\"");
	assert_non_null(strstr(logged_at(LOG_LEVEL_INFO, "said"),
	    "\"level\":\"info\",\"program\":\"targets\",\"request\":\"0123\\\"\",\"event\":"));
	log_set_request(NULL);
	assert_non_null(strstr(
	    logged_at(LOG_LEVEL_INFO, "said"), "\"program\":\"targets\",\"event\":\"said\"}\n"));
	log_set_program(NULL);
	assert_non_null(
	    strstr(logged_at(LOG_LEVEL_INFO, "said"), "\"level\":\"info\",\"event\":\"said\"}\n"));
	assert_null(strstr(logged_at(LOG_LEVEL_INFO, "said"), "true"));
}

static int log_end; /* of a pipe that is full */
static volatile sig_atomic_t times;

/* Makes room in the pipe, from the second time on. */
static void
make_room(int signal)
{
	static char rest[KIB(64)];

	(void)signal;
	if (++times > 1 && read(log_end, rest, sizeof(rest)) < 0)
		abort();
}

/* Signals come while the line waits for a reader that is slow: it is written all the same, once. */
static void
a_signal_takes_no_line(void **state)
{
	static const struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never;
	static char got[KIB(64)];
	int saved = dup(STDERR_FILENO), fds[2], flags;
	struct sigaction act = { .sa_handler = make_room }, before;
	ssize_t n;
	char *line;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	log_end = fds[0];
	flags = fcntl(fds[1], F_GETFL);
	assert_int_equal(fcntl(fds[1], F_SETFL, flags | O_NONBLOCK), 0);
	while (write(fds[1], got, sizeof(got)) > 0)
		;
	assert_int_equal(fcntl(fds[1], F_SETFL, flags), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	log_warn("slow reader");
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_true(times > 1);
	n = read(fds[0], got, sizeof(got) - 1);
	close(fds[0]);
	assert_true(n > 0);
	got[n] = '\0';
	line = memchr(got, '{', (size_t)n);
	assert_non_null(line);
	assert_non_null(strstr(line, "\"event\":\"slow reader\"}\n"));
	assert_null(strchr(line + 1, '{'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_one_json_object),
		cmocka_unit_test(no_byte_forges_a_line),
		cmocka_unit_test(bidirectional_controls_are_escaped),
		cmocka_unit_test(dangerous_characters_are_numbers),
		cmocka_unit_test(a_log_that_cannot_be_written_stops_nothing),
		cmocka_unit_test(absent_text_is_null),
		cmocka_unit_test(levels_are_told_and_kept_to),
		cmocka_unit_test(a_line_names_the_program_and_the_request),
		cmocka_unit_test(a_signal_takes_no_line),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
