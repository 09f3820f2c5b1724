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
names_are_letters_digits_and_two_signs(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (int i = 1; i < 256; i++) {
		char text[4] = { 'a', (char)i, 'b', '\0' },
		     lowered[4] = { 'a', (char)i, 'b', '\0' };
		bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
		struct str host = host_parse(a, str_of(text));

		if (i >= 'A' && i <= 'Z')
			lowered[1] = (char)(i + 32);
		if (letter || (i >= '0' && i <= '9') || strchr("-_.", i) != NULL)
			assert_str(host, lowered);
		else
			assert_null(host.p);
	}
	arena_free(a);
}

static void
ports_are_1_to_65535(void **state)
{
	static const char *const good[] = { "a:1", "a:9", "a:65535", "a:00080", "[::1]:1",
		"10:10" };
	static const char *const bad[] = { "a:0", "a:65536", "a:99999", "a:000080", "a:100000",
		"a:-1", "a:/", "a:;", "[::1]:0", "[::1]:", ":80", "[::1]80", "a:.", "80:" };
	char longest[300];
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		assert_str(host_parse(a, str_of(good[i])), good[i]);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (host_parse(a, str_of(bad[i])).p != NULL)
			fail_msg("\"%s\" is no host", bad[i]);
	/* the longest name with the longest port */
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 60; i < 253; i += 60)
		longest[i] = '.';
	memcpy(longest + 253, ":65535", 7);
	assert_str(host_parse(a, (struct str){ longest, 259 }), longest);
	assert_null(host_parse(a, (struct str){ longest, 260 }).p);
	memset(longest, 'a', 63);
	longest[63] = '.';
	assert_int_equal(host_parse(a, (struct str){ longest, 65 }).n, 65);
	arena_free(a);
}

static void
a_name_is_what_stands_before_the_port(void **state)
{
	static const struct {
		const char *host, *name;
	} all[] = { { "tom.example:8080", "tom.example" }, { "tom.example", "tom.example" },
		{ "10.0.0.1", "10.0.0.1" }, { "a:", "a" }, { "[::1]:80", "[::1]" }, { "80", "80" },
		{ ":80", "" }, { "", "" }, { "a:x", "a:x" }, { "a:/0", "a:/0" }, { "a:09", "a" },
		{ "a::90", "a:" } };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++)
		assert_str(arena_str(a, host_name(str_of(all[i].host))), all[i].name);
	/* nothing before the text is looked at */
	assert_str(host_name((struct str){ &":80"[1], 2 }), "80");
	assert_str(host_name((struct str){ &"1"[1], 0 }), "");
	arena_free(a);
}

/* Whoever reads "[...]" keeps to its bytes. */
static void
addresses_in_brackets_are_whole(void **state)
{
	static const char longest[] = "[abcd:abcd:abcd:abcd:abcd:abcd:192.168.100.200]";
	struct arena *a = arena_new();

	(void)state;
	assert_str(host_parse(a, str_of(longest)), longest);
	assert_str(host_parse(a, STR("[::]")), "[::]");
	assert_null(host_parse(a, STR("[abcd:abcd:abcd:abcd:abcd:abcd:192.168.100.2000]")).p);
	assert_null(host_parse(a, STR("[::1\0]")).p);
	assert_null(host_parse(a, STR("[::1].")).p);
	assert_null(host_parse(a, STR("x::1]")).p);
	assert_null(host_parse(a, STR("[::1")).p);
	assert_null(host_parse(a, STR("[:]")).p);
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
	assert_false(host_allowed(c, STR("localhos")));
	assert_false(host_allowed(c, STR("localhost2")));
	assert_false(host_allowed(c, STR("tom.example:8444")));
	assert_false(host_allowed(c, STR("bservatory.test")));
	assert_false(host_allowed(c, STR(".observatory.tesx")));
	assert_false(host_allowed(c, STR("xobservatory.test")));
	assert_true(host_allowed(c, STR("a.b.observatory.test")));
	assert_true(host_allowed(c, STR("a.OBSERVATORY.test")));
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_lowered_and_kept_whole),
		cmocka_unit_test(poisoned_hosts_are_refused),
		cmocka_unit_test(names_are_letters_digits_and_two_signs),
		cmocka_unit_test(ports_are_1_to_65535),
		cmocka_unit_test(a_name_is_what_stands_before_the_port),
		cmocka_unit_test(addresses_in_brackets_are_whole),
		cmocka_unit_test(allowed_hosts_without_port_match_any),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
