/*
 * app: how an executable is started decides what it does; what is wrong is said and has its status.
 * Asked is robots of this build, in a shell.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char program[4200], output[8192];

/* Its exit status; both outputs are kept. */
static int
run(const char *environment, const char *arguments)
{
	char command[9000];
	size_t n;
	FILE *f;
	int status;

	snprintf(command, sizeof(command),
	    "env -i MERIDIAN_CONFIG=/dev/null MERIDIAN_LOG_REQUESTS=no %s '%s' %s 2>&1 </dev/null",
	    environment, program, arguments);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
options_print_and_end(void **state)
{
	(void)state;
	assert_int_equal(run("", "-h"), 0);
	assert_non_null(strstr(output, "usage: robots"));
	assert_int_equal(run("", "-R"), 0);
	assert_string_equal(output, "GET\t/robots.txt\tANYONE\t0\n");
	assert_int_equal(run("", "-V"), 0);
	assert_non_null(strstr(output, "meridian"));
	/* also where the configuration is wrong */
	assert_int_equal(run("MERIDIAN_CONFIG=/nonexistent", "-R"), 0);
}

static void
wrong_use_is_2(void **state)
{
	(void)state;
	assert_int_equal(run("", ""), 2);
	assert_non_null(strstr(output, "usage:"));
	assert_int_equal(run("", "-x"), 2);
	assert_int_equal(run("", "-s /tmp/s -w 0"), 2);
	assert_int_equal(run("", "-s /tmp/s -w many"), 2);
	assert_int_equal(run("", "-s /tmp/s extra"), 2);
}

static void
wrong_configuration_is_78_and_names_the_key(void **state)
{
	(void)state;
	assert_int_equal(run("REQUEST_METHOD=GET MERIDIAN_CONFIG=/nonexistent", ""), 78);
	assert_non_null(strstr(output, "/nonexistent"));
	assert_int_equal(run("REQUEST_METHOD=GET MERIDIAN_REQUEST_TIMEOUT_MS=soon", ""), 78);
	assert_non_null(strstr(output, "REQUEST_TIMEOUT_MS"));
	assert_int_equal(run("REQUEST_METHOD=GET MERIDIAN_URL_PREFIX=tom", ""), 78);
	assert_non_null(strstr(output, "URL_PREFIX"));
	assert_int_equal(run("REQUEST_METHOD=GET MERIDIAN_URL_PREFIX=//evil.test", ""), 78);
}

static void
cgi_variables_get_one_answer(void **state)
{
	(void)state;
	assert_int_equal(run("REQUEST_METHOD=GET SCRIPT_NAME=/robots.txt", ""), 0);
	assert_int_equal(strncmp(output, "Status: 200 OK\r\n", 16), 0);
	assert_int_equal(run("GATEWAY_INTERFACE=CGI/1.1", ""), 0);
	assert_non_null(strstr(output, "Status: 400 "));
}

static void
a_socket_that_cannot_be_is_1(void **state)
{
	(void)state;
	assert_int_equal(run("", "-s /nonexistent/dir/s"), 1);
	assert_non_null(strstr(output, "/nonexistent/dir/s"));
	assert_int_equal(run("", "-s /dev/null"), 1);
	assert_non_null(strstr(output, "no socket"));
}

static int
find_program(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 20);
	char *tests;

	(void)state;
	assert_true(n > 0);
	program[n] = '\0';
	tests = strstr(program, "/tests/unit/");
	assert_non_null(tests);
	memcpy(tests, "/robots", 8);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_print_and_end),
		cmocka_unit_test(wrong_use_is_2),
		cmocka_unit_test(wrong_configuration_is_78_and_names_the_key),
		cmocka_unit_test(cgi_variables_get_one_answer),
		cmocka_unit_test(a_socket_that_cannot_be_is_1),
	};

	return cmocka_run_group_tests_name("app", tests, find_program, NULL);
}
