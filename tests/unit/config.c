/*
 * config: the file, the environment over it, and mistakes that name their place.
 */
#include "unit.h"

#include <math.h>
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

/* The floor of a password by itself; lower only where something else is said on purpose. */
static void
a_short_password_needs_a_second_factor_or_django(void **state)
{
	static const struct {
		const char *text;
		bool is_right;
	} v[] = { { "PASSWORD_MIN_LENGTH = 15\n", true }, { "PASSWORD_MIN_LENGTH = 14\n", false },
		{ "PASSWORD_MIN_LENGTH = 8\nTOM_MFA_REQUIRED = superusers\n", false },
		{ "PASSWORD_MIN_LENGTH = 8\nTOM_MFA_REQUIRED = all\n", true },
		{ "PASSWORD_POLICY = django-compatible\nPASSWORD_MIN_LENGTH = 8\n", true },
		{ "PASSWORD_POLICY = django-compatible\nPASSWORD_MIN_LENGTH = 7\n", false },
		{ "PASSWORD_POLICY = django\n", false } };

	(void)state;
	for (size_t i = 0; i < NELEM(v); i++) {
		struct config *c = load(v[i].text);

		assert_true((c != NULL) == v[i].is_right);
		config_free(c);
	}
	assert_null(load("PASSWORD_MIN_LENGTH = 8\n"));
	assert_non_null(strstr(err, "PASSWORD_MIN_LENGTH is 8: less than 15"));
	assert_non_null(strstr(err, "TOM_MFA_REQUIRED = all"));
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
a_section_other_than_ours_is_refused(void **state)
{
	struct config *c = load("[meridian]\nAUTH_STRATEGY = LOCKED\n");

	(void)state;
	assert_non_null(c);
	assert_string_equal(config_text(c, "AUTH_STRATEGY"), "LOCKED");
	config_free(c);
	assert_null(load("TOM_NAME = x\n[meridain]\nAUTH_STRATEGY = LOCKED\n"));
	assert_non_null(strstr(err, ":2: there is no section [meridain]"));
	assert_null(load("[meridian\n"));
	assert_non_null(strstr(err, ":1: there is no section [meridian"));
}

static void
an_indented_line_is_a_key_of_its_own(void **state)
{
	struct config *c = load("TOM_NAME = x\n  AUTH_STRATEGY = LOCKED\n\t# a comment\n");

	(void)state;
	assert_non_null(c);
	assert_string_equal(config_text(c, "TOM_NAME"), "x");
	assert_string_equal(config_text(c, "AUTH_STRATEGY"), "LOCKED");
	config_free(c);
	/* and not more of the value above it */
	assert_null(load("ALLOWED_HOSTS = a.example,\n    b.example\n"));
	assert_non_null(strstr(err, ":2: this line is no \"KEY = value\"; a value ends with"));
	assert_null(load("TOM_NAME\n"));
	assert_null(load("= x\n"));
}

static void
a_line_may_be_long(void **state)
{
	char text[12000], comment[4000], hosts[6000] = "";
	struct config *c;

	(void)state;
	memset(comment, 'x', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	memcpy(comment + 199, "AUTH_STRATEGY = LOCKED ", 23); /* a buffer of 200 set this key */
	for (int i = 0; i < 300; i++)
		snprintf(hosts + strlen(hosts), 20, "host%03d.example, ", i);
	snprintf(text, sizeof(text), "# %s\nALLOWED_HOSTS = %s\nNO_KEY = 1\n", comment, hosts);
	assert_null(load(text));
	assert_non_null(strstr(err, ":3: there is no key NO_KEY"));
	*strstr(text, "NO_KEY") = '#';
	c = load(text);
	assert_non_null(c);
	assert_string_equal(config_text(c, "AUTH_STRATEGY"), "READ_ONLY");
	assert_str(config_item(c, "ALLOWED_HOSTS", 299), "host299.example");
	config_free(c);
}

static void
the_first_sign_of_a_long_line_ends_its_name(void **state)
{
	char value[400] = "https://example.org/?a=", text[500];
	struct config *c;

	(void)state;
	memset(value + strlen(value), 'x', 300);
	snprintf(text, sizeof(text), "ROBOTS_SITEMAP: %s\n", value);
	c = load(text);
	assert_non_null(c);
	assert_string_equal(config_text(c, "ROBOTS_SITEMAP"), value);
	config_free(c);
	snprintf(text, sizeof(text), "ROBOTS_SITEMAP = %s\n", value);
	c = load(text);
	assert_non_null(c);
	assert_string_equal(config_text(c, "ROBOTS_SITEMAP"), value);
	config_free(c);
}

static void
values_lose_blanks_and_comments_only(void **state)
{
	struct config *c = load("\xef\xbb\xbfTOM_NAME =  \"a = b\";c  ; said here\r\n"
	                        "CONTACT:\t; none\n"
	                        "OPEN_URLS=/a;b");

	(void)state;
	assert_non_null(c);
	assert_string_equal(config_text(c, "TOM_NAME"), "\"a = b\";c");
	assert_string_equal(config_text(c, "CONTACT"), "");
	assert_string_equal(config_text(c, "OPEN_URLS"), "/a;b");
	config_free(c);
}

static void
a_key_that_stands_twice_is_refused(void **state)
{
	(void)state;
	assert_null(load("AUTH_STRATEGY = LOCKED\nTOM_NAME = x\nAUTH_STRATEGY = READ_ONLY\n"));
	assert_non_null(strstr(err, ":3: AUTH_STRATEGY is given a second time"));
}

static void
a_directory_is_no_configuration(void **state)
{
	(void)state;
	setenv("MERIDIAN_CONFIG", "/tmp", 1);
	assert_null(config_load(err, sizeof(err)));
	setenv("MERIDIAN_CONFIG", path, 1);
	assert_non_null(strstr(err, "/tmp: "));
}

static void
stray_variables_are_found(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	/* what tests/run sets */
	unsetenv("MERIDIAN_TEST_PG");
	unsetenv("MERIDIAN_TEST_MARIADB");
	assert_null(config_stray(a, 0).p);
	setenv("MERIDIAN_AUTH_STRATEGIE", "LOCKED", 1);
	assert_str(config_stray(a, 0), "MERIDIAN_AUTH_STRATEGIE");
	assert_null(config_stray(a, 1).p);
	unsetenv("MERIDIAN_AUTH_STRATEGIE");
	arena_free(a);
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

static void
streams_are_sections_of_their_own(void **state)
{
	const struct config_stream *s;
	struct config *c = load("TOM_NAME = x\n"
	                        "[stream ztf]\n"
	                        "source = kafka\n"
	                        "brokers = a:9092, b:9092\n"
	                        "topics = ztf_*_programid1\n"
	                        "consumer_group = tom\n"
	                        "max_magnitude = 19.5\n"
	                        "permissions =\n"
	                        "[meridian]\n"
	                        "SITE_ID = 3\n"
	                        "[stream a-very-long-name-of-a-stream-that-inih-would-have-cut.x]\n"
	                        "source = files\n"
	                        "path = /data\n"
	                        "watch = no\n");

	(void)state;
	if (c == NULL)
		fail_msg("%s", err);
	assert_int_equal(config_int(c, "SITE_ID"), 3);
	s = config_stream(c, 0);
	assert_string_equal(config_stream_name(s), "ztf");
	assert_string_equal(config_stream_text(s, "create"), "match");
	assert_string_equal(config_stream_text(s, "permissions"), "");
	assert_str(config_stream_item(s, "brokers", 1), "b:9092");
	assert_null(config_stream_item(s, "brokers", 2).p);
	assert_null(config_stream_item(s, "group", 0).p);
	assert_true(config_stream_real(s, "max_magnitude") == 19.5);
	assert_true(config_stream_real(s, "match_radius") == 1.5);
	assert_true(isnan(config_stream_real(s, "min_reliability")));
	s = config_stream(c, 1);
	assert_string_equal(
	    config_stream_name(s), "a-very-long-name-of-a-stream-that-inih-would-have-cut.x");
	assert_false(config_stream_bool(s, "watch"));
	assert_null(config_stream(c, 2));
	config_free(c);
}

static void
a_wrong_stream_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "[stream]\n", ":1: the name of a stream is" },
		{ "[stream a b]\n", ":1: the name of a stream is" },
		{ "[streams a]\n", ":1: there is no section [streams a]" },
		{ "\n[stream a]\nsource = files\npath = /x\n[stream a]\n",
		    ":5: the stream a stands a second time" },
		{ "[stream a]\nTOM_NAME = x\n", ":2: a stream has no key TOM_NAME" },
		{ "[stream a]\nsource = nothing\n", ":2: source is one of kafka|files" },
		{ "[stream a]\nsource = files\nsource = files\n", ":3: source is given a second" },
		{ "[stream a]\nmatch_radius = 61\n", ":2: match_radius is a number in 0..60" },
		{ "\n[stream a]\ncreate = all\n", ":2: the stream a needs source" },
		{ "[stream a]\nsource = files\n", ":1: the stream a needs path" },
		{ "[stream a]\nsource = files\npath = /x\nbrokers = y\n",
		    ":1: the stream a: brokers is no key of source = files" },
		{ "[stream a]\nsource = kafka\nbrokers = b\ntopics = t\nconsumer_group = g\n"
		  "security = sasl_ssl\n",
		    ":1: the stream a needs user and password_file" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		assert_null(load(cases[i].text));
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("%s", err);
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
		cmocka_unit_test(a_short_password_needs_a_second_factor_or_django),
		cmocka_unit_test(a_file_that_is_named_must_exist),
		cmocka_unit_test(lists_are_divided_by_commas_and_blanks),
		cmocka_unit_test(a_section_other_than_ours_is_refused),
		cmocka_unit_test(streams_are_sections_of_their_own),
		cmocka_unit_test(a_wrong_stream_is_named_with_its_line),
		cmocka_unit_test(an_indented_line_is_a_key_of_its_own),
		cmocka_unit_test(a_line_may_be_long),
		cmocka_unit_test(the_first_sign_of_a_long_line_ends_its_name),
		cmocka_unit_test(values_lose_blanks_and_comments_only),
		cmocka_unit_test(a_key_that_stands_twice_is_refused),
		cmocka_unit_test(a_directory_is_no_configuration),
		cmocka_unit_test(stray_variables_are_found),
		cmocka_unit_test(every_default_is_valid),
	};

	return cmocka_run_group_tests_name("config", tests, make_file, drop_file);
}
