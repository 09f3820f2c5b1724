/*
 * proxy: whose word is taken for where a request came from.
 */
#include "unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "http/proxy.h"

static struct arena *a;
static struct config *config;

static int
open_arena(void **state)
{
	(void)state;
	a = arena_new();
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	config_free(config);
	arena_free(a);
	return 0;
}

static void
trust(const char *proxies)
{
	char err[200];

	setenv("MERIDIAN_TRUSTED_PROXIES", proxies, 1);
	config_free(config);
	config = config_load(err, sizeof(err));
	assert_non_null(config);
}

static const char *
address(const char *peer, const char *forwarded)
{
	struct str list = str_of(forwarded);

	return arena_str(a, proxy_address(a, config, str_of(peer), &list, 1)).p;
}

static void
networks_are_compared_bit_by_bit(void **state)
{
	static const struct {
		const char *trusted, *peer;
		bool yes;
	} all[] = { { "10.0.0.0/8", "10.255.0.1", true }, { "10.0.0.0/8", "11.0.0.1", false },
		{ "10.0.0.1", "10.0.0.1", true }, { "10.0.0.1", "10.0.0.2", false },
		{ "10.0.0.1", "10.0.0.0", false }, { "10.128.0.0/9", "10.129.0.1", true },
		{ "2001:db8:8000::/33", "2001:db8:8000::1", true },
		{ "10.0.0.0/31", "10.0.0.1", true }, { "10.0.0.0/31", "10.0.0.2", false },
		{ "10.0.0.0/25", "10.0.0.127", true }, { "10.0.0.0/25", "10.0.0.128", false },
		{ "10.0.0.0/9", "10.127.0.1", true }, { "10.0.0.0/9", "10.128.0.1", false },
		{ "0.0.0.0/0", "192.0.2.1", true }, { "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "192.0.2.1", true }, { "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false }, { "::1/128", "::1", true },
		{ "::1/128", "::2", false }, { "::ffff:10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "10.0.0.0/8", "::ffff:11.1.2.3", false }, { "10.0.0.0/8", "::10.1.2.3", false },
		{ "10.0.0.0/8", "unix:", false }, { "unix:", "unix:", true },
		{ "unix:", "10.0.0.1", false }, { "unix: 10.0.0.0/8", "10.0.0.1", true },
		{ "10.0.0.0/8, unix:", "unix:", true },
		{ "192.0.2.1 10.0.0.0/8", "10.0.0.1", true }, { "10.0.0.0/8", "", false },
		{ "10.0.0.0/32", "10.0.0.0", true }, { "::/1", "7fff::1", true },
		{ "::/1", "8000::1", false }, { "10.0.0.0/8", "a.test", false },
		{ "10.0.0.0/8", "0000:0000:0000:0000:0000:0000:0000:0000:00010.0.0.1", false } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		trust(all[i].trusted);
		if ((strcmp(address(all[i].peer, "198.51.100.7"), all[i].peer) != 0) != all[i].yes)
			fail_msg("%s in %s", all[i].peer, all[i].trusted);
	}
}

static void
what_is_no_network_is_named(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/",
		"10.0.0.0/x", "10.0.0/8", "a.test", "unix", "::1/", "/8", "10.0.0.0/8/8",
		/* written as IPv6, but IPv4 all the same */
		"::ffff:10.0.0.0/104" };
	static const char *const good[] = { "", "unix:", "10.0.0.0/0 ::/0", "10.0.0.1/32 ::1/128",
		"unix:,10.0.0.1" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		trust(bad[i]);
		assert_non_null(strstr(proxy_config_wrong(a, config).p, bad[i]));
		trust(arena_printf(a, "10.0.0.1, %s", bad[i]).p);
		assert_non_null(strstr(proxy_config_wrong(a, config).p, bad[i]));
	}
	for (size_t i = 0; i < NELEM(good); i++) {
		trust(good[i]);
		assert_null(proxy_config_wrong(a, config).p);
	}
	/* what is wrong trusts nobody */
	trust("10.0.0.0/33");
	assert_string_equal(address("10.0.0.1", "198.51.100.7"), "10.0.0.1");
}

static void
a_list_of_its_own_says_who_may_ask(void **state)
{
	char err[200];

	(void)state;
	trust("10.0.0.0/8");
	assert_true(address_is_listed(config, "METRICS_FROM", STR("127.0.0.7")));
	assert_true(address_is_listed(config, "METRICS_FROM", STR("::1")));
	assert_false(address_is_listed(config, "METRICS_FROM", STR("10.0.0.1")));
	assert_false(address_is_listed(config, "METRICS_FROM", STR("")));
	setenv("MERIDIAN_METRICS_FROM", "10.0.0.0/33", 1);
	config_free(config);
	config = config_load(err, sizeof(err));
	assert_non_null(strstr(proxy_config_wrong(a, config).p, "METRICS_FROM: \"10.0.0.0/33\""));
	assert_false(address_is_listed(config, "METRICS_FROM", STR("127.0.0.1")));
	unsetenv("MERIDIAN_METRICS_FROM");
}

static void
hops_are_read_in_every_form(void **state)
{
	static const char *const all[][2] = { { "198.51.100.7", "198.51.100.7" },
		{ " 198.51.100.7\t", "198.51.100.7" }, { "198.51.100.7:4711", "198.51.100.7" },
		{ "2001:DB8::1", "2001:db8::1" }, { "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:80", "2001:db8::1" }, { "[2001:db8::1", "2001:db8::1" },
		{ "::ffff:198.51.100.7", "198.51.100.7" },
		{ "1.1.1.1,198.51.100.7", "198.51.100.7" },
		{ "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7" }, { "10.0.0.2", "10.0.0.2" },
		{ "x, 10.0.0.2", "10.0.0.2" }, { "1.1.1.1, x", "10.0.0.1" }, { "", "10.0.0.1" },
		{ "1.1.1.1,", "10.0.0.1" }, { ",1.1.1.1", "1.1.1.1" }, { "[", "10.0.0.1" },
		{ "[]", "10.0.0.1" }, { "unknown", "10.0.0.1" }, { "_hidden", "10.0.0.1" },
		{ "1.1.1.1.1", "10.0.0.1" }, { ":80", "10.0.0.1" }, { "1.2.3.4:5:6", "1.2.3.4" } };

	(void)state;
	trust("10.0.0.0/8");
	for (size_t i = 0; i < NELEM(all); i++)
		assert_string_equal(address("10.0.0.1", all[i][0]), all[i][1]);
	/* its bytes and no more */
	assert_str(proxy_address(a, config, STR("10.0.0.1"), &(struct str){ "1.1.1.12", 7 }, 1),
	    "1.1.1.1");
	assert_str(proxy_address(a, config, STR("10.0.0.1"), &STR("1.1.1.1\0"), 1), "10.0.0.1");
	assert_str(proxy_address(a, config, STR("10.0.0.1"), NULL, 0), "10.0.0.1");
}

/* 50 hops are more than anybody has. */
static void
long_chains_end(void **state)
{
	(void)state;
	trust("10.0.0.0/8");
	for (int hops = 49; hops <= 51; hops++) {
		struct buf b = { 0 };

		buf_puts(&b, "1.1.1.1");
		for (int i = 1; i < hops; i++)
			buf_printf(&b, ",10.0.0.%d", i);
		assert_string_equal(
		    address("10.0.0.200", b.p), hops <= 50 ? "1.1.1.1" : "10.0.0.1");
		buf_free(&b);
	}
}

/* Two headers are one list: the last hop of the last header is the nearest. */
static void
several_headers_are_one_list(void **state)
{
	const struct str two[] = { STR("1.1.1.1, 2.2.2.2"), STR("10.0.0.2,10.0.0.3") };

	(void)state;
	trust("10.0.0.0/8");
	assert_str(proxy_address(a, config, STR("10.0.0.1"), two, 2), "2.2.2.2");
	assert_str(proxy_address(a, config, STR("10.0.0.1"), two, 1), "2.2.2.2");
	assert_str(proxy_address(a, config, STR("3.3.3.3"), two, 2), "3.3.3.3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_compared_bit_by_bit),
		cmocka_unit_test(what_is_no_network_is_named),
		cmocka_unit_test(a_list_of_its_own_says_who_may_ask),
		cmocka_unit_test(hops_are_read_in_every_form),
		cmocka_unit_test(long_chains_end),
		cmocka_unit_test(several_headers_are_one_list),
	};

	return cmocka_run_group_tests_name("proxy", tests, open_arena, close_arena);
}
