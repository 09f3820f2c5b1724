/*
 * config: the file, the environment over it, and mistakes that name their place.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"

static char path[] = "/tmp/meridian-config-XXXXXX";
static char err[512];

static struct config *
load(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	err[0] = '\0';
	return config_load(err, sizeof(err));
}

static void
the_environment_wins_over_the_file(void **state)
{
	struct config *c;

	(void)state;
	setenv("MERIDIAN_TOM_NAME", "From outside", 1);
	c = load("TOM_NAME = From the file\nSITE_ID = 3\n");
	unsetenv("MERIDIAN_TOM_NAME");
	assert_non_null(c);
	assert_string_equal(config_text(c, "TOM_NAME"), "From outside");
	assert_int_equal(config_int(c, "SITE_ID"), 3);
	assert_true(config_given(c, "SITE_ID"));
	assert_false(config_given(c, "AUTH_STRATEGY"));
	assert_string_equal(config_text(c, "AUTH_STRATEGY"), "READ_ONLY");
	config_free(c);
}

static void
an_unknown_key_is_named_with_its_line(void **state)
{
	(void)state;
	assert_null(load("# a comment\nTOM_NAME = x\nTOM_NAMES = y\n"));
	assert_non_null(strstr(err, ":3: there is no key TOM_NAMES"));
}

static void
a_wrong_value_is_named_with_its_line(void **state)
{
	(void)state;
	assert_null(load("AUTH_STRATEGY = OPEN\n"));
	assert_non_null(strstr(err, ":1: AUTH_STRATEGY is one of READ_ONLY|LOCKED"));
	assert_null(load("\nSITE_ID = 0\n"));
	assert_non_null(strstr(err, ":2: SITE_ID is a number in"));
	assert_null(load("LOG_REQUESTS = perhaps\n"));
	assert_non_null(strstr(err, ":1: LOG_REQUESTS is yes or no"));
	assert_null(load("TOM_NAME = x\njust words\n"));
	assert_non_null(strstr(err, ":2:"));
}

static void
a_wrong_value_of_the_environment_is_named(void **state)
{
	(void)state;
	setenv("MERIDIAN_SITE_ID", "one", 1);
	assert_null(load(""));
	unsetenv("MERIDIAN_SITE_ID");
	assert_non_null(strstr(err, "environment: MERIDIAN_SITE_ID"));
}

static void
a_file_that_is_named_must_exist(void **state)
{
	(void)state;
	setenv("MERIDIAN_CONFIG", "/nonexistent/meridian.conf", 1);
	assert_null(config_load(err, sizeof(err)));
	setenv("MERIDIAN_CONFIG", path, 1);
	assert_non_null(strstr(err, "/nonexistent/meridian.conf: "));
}

static void
lists_are_divided_by_commas_and_blanks(void **state)
{
	struct config *c = load("ALLOWED_HOSTS = a.example, b.example:8080  c.example\n");

	(void)state;
	assert_non_null(c);
	assert_str(config_item(c, "ALLOWED_HOSTS", 0), "a.example");
	assert_str(config_item(c, "ALLOWED_HOSTS", 1), "b.example:8080");
	assert_str(config_item(c, "ALLOWED_HOSTS", 2), "c.example");
	assert_null(config_item(c, "ALLOWED_HOSTS", 3).p);
	config_free(c);
}

static void
count_pairs(void *arg, const char *name, const char *key, const char *value)
{
	assert_string_equal(name, "ztf");
	assert_string_equal(key, "kind");
	assert_string_equal(value, "files");
	(*(int *)arg)++;
}

static void
named_sections_are_walked(void **state)
{
	struct config *c = load("TOM_NAME = x\n[stream ztf]\nkind = files\n");
	int n = 0;

	(void)state;
	assert_non_null(c);
	config_each(c, "stream", count_pairs, &n);
	assert_int_equal(n, 1);
	config_free(c);
}

static void
every_default_is_valid(void **state)
{
	(void)state;
	for (size_t i = 0; config_key(i) != NULL; i++) {
		const struct config_key *k = config_key(i);
		char name[80];
		struct config *c;

		snprintf(name, sizeof(name), "MERIDIAN_%s", k->name);
		setenv(name, k->fallback, 1);
		c = load("");
		unsetenv(name);
		if (c == NULL)
			fail_msg("%s: %s", k->name, err);
		config_free(c);
	}
}

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return setenv("MERIDIAN_CONFIG", path, 1);
}

static int
drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_wins_over_the_file),
		cmocka_unit_test(an_unknown_key_is_named_with_its_line),
		cmocka_unit_test(a_wrong_value_is_named_with_its_line),
		cmocka_unit_test(a_wrong_value_of_the_environment_is_named),
		cmocka_unit_test(a_file_that_is_named_must_exist),
		cmocka_unit_test(lists_are_divided_by_commas_and_blanks),
		cmocka_unit_test(named_sections_are_walked),
		cmocka_unit_test(every_default_is_valid),
	};

	return cmocka_run_group_tests_name("config", tests, make_file, drop_file);
}
