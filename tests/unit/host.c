/*
 * host: what may stand in a Host header, and ALLOWED_HOSTS.
 */
#include "web.h"

#include <stdlib.h>

static void
hosts_are_lowered_and_kept_whole(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_str(host_parse(a, STR("Tom.Example:8080")), "tom.example:8080");
	assert_str(host_parse(a, STR("tom.example.")), "tom.example");
	assert_str(host_parse(a, STR("tom.example.:80")), "tom.example:80");
	assert_str(host_parse(a, STR("[::1]:8080")), "[::1]:8080");
	assert_str(host_parse(a, STR("[2001:DB8::ffff:192.0.2.1]")), "[2001:db8::ffff:192.0.2.1]");
	assert_str(host_parse(a, STR("127.0.0.1")), "127.0.0.1");
	assert_str(host_parse(a, STR("xn--bcher-kva.example")), "xn--bcher-kva.example");
	assert_str(host_parse(a, STR("my_tom")), "my_tom");
	arena_free(a);
}

/* The first five are Django's HostValidation (security.md A.3 row 8). */
static void
poisoned_hosts_are_refused(void **state)
{
	static const char *const bad[] = { "example.com@evil.tld", "example.com:@evil.tld",
		"example.com:dr.frankenstein@evil.tld", "example.com:80/badpath",
		"example.com: recovermypassword.com", "", ".", "..", "a..b", ".example.com",
		"example.com..", "exa mple.com", "example.com:", "example.com:0",
		"example.com:65536", "example.com:80:80", "example.com:+80", "example.com:-1",
		"example.com\r\nX: y", "example.com/", "/etc/passwd", "../x", "a\\b", "a%2eb",
		"http://a", "[::1", "::1", "[::1]x", "[]", "[:]", "[g::]", "[::::9..9::]",
		"[1::2::3]", "[fe80::1%eth0]", "[127.0.0.1]", "[::1.2.3.4.5]",
		"\xc3\xa9t\xc3\xa9.example", "a,b", "a;b", "a?b", "a#b", "a\tb", "a*", "\"a\"",
		"<script>" };
	struct arena *a = arena_new();
	char longest[300];

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		if (host_parse(a, str_of(bad[i])).p != NULL)
			fail_msg("\"%s\" is no host", bad[i]);
	assert_null(host_parse(a, STR_NONE).p);
	assert_null(host_parse(a, STR("a\0b")).p);
	memset(longest, 'a', sizeof(longest));
	assert_null(host_parse(a, (struct str){ longest, 64 }).p);
	for (size_t i = 60; i < sizeof(longest); i += 60)
		longest[i] = '.';
	assert_non_null(host_parse(a, (struct str){ longest, 253 }).p);
	assert_null(host_parse(a, (struct str){ longest, 254 }).p);
	arena_free(a);
}

static void
allowed_hosts_without_port_match_any(void **state)
{
	struct config *c;
	char err[200];

	(void)state;
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_ALLOWED_HOSTS", "localhost, Tom.Example:8443 .observatory.test [::1]", 1);
	c = config_load(err, sizeof(err));
	assert_non_null(c);
	assert_true(host_allowed(c, STR("localhost")));
	assert_true(host_allowed(c, STR("localhost:8080")));
	assert_true(host_allowed(c, STR("tom.example:8443")));
	assert_false(host_allowed(c, STR("tom.example")));
	assert_false(host_allowed(c, STR("tom.example:80")));
	assert_true(host_allowed(c, STR("observatory.test")));
	assert_true(host_allowed(c, STR("a.observatory.test:80")));
	assert_false(host_allowed(c, STR("evilobservatory.test")));
	assert_true(host_allowed(c, STR("[::1]:80")));
	assert_false(host_allowed(c, STR("localhost.evil.test")));
	assert_false(host_allowed(c, STR("")));
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_lowered_and_kept_whole),
		cmocka_unit_test(poisoned_hosts_are_refused),
		cmocka_unit_test(allowed_hosts_without_port_match_any),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
