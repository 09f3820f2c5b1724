/*
 * url: what is decoded, what is refused, and where a redirect may lead.
 */
#include "web.h"

static struct arena *a;

static int
open_arena(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void
decoding_is_exact(void **state)
{
	(void)state;
	assert_str(url_decode(a, STR("a%20b+c%2B"), true), "a b c+");
	assert_str(url_decode(a, STR("a+b"), false), "a+b");
	assert_str(url_decode(a, STR("%2525"), false), "%25");
	assert_str(url_decode(a, STR(""), true), "");
	assert_null(url_decode(a, STR("%"), true).p);
	assert_null(url_decode(a, STR("%4"), true).p);
	assert_null(url_decode(a, STR("%4g"), true).p);
	assert_null(url_decode(a, STR("%%41"), true).p);
}

static void
encoding_round_trips_every_byte(void **state)
{
	char all[256];
	struct str back;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	back = url_decode(a, url_encode(a, (struct str){ all, 256 }), true);
	assert_int_equal(back.n, 256);
	assert_memory_equal(back.p, all, 256);
	assert_str(url_path_encode(a, STR("/targets/M 31/?\r\n")), "/targets/M%2031/%3F%0D%0A");
}

static void
pairs_keep_order_and_repeats(void **state)
{
	struct pairs p = { NULL, 0 };

	(void)state;
	assert_int_equal(pairs_parse(a, STR("b=2&a=1&&b=%C3%A9&flag&=x&e="), &p).status, 0);
	assert_int_equal(p.n, 6);
	assert_str(pairs_get(&p, "b"), "2");
	assert_str(pairs_nth(&p, "b", 1), "\xc3\xa9");
	assert_int_equal(pairs_count(&p, "b"), 2);
	assert_str(pairs_get(&p, "flag"), "");
	assert_str(pairs_get(&p, "e"), "");
	assert_null(pairs_get(&p, "none").p);
}

static void
pairs_that_are_no_text_are_refused(void **state)
{
	struct pairs p = { NULL, 0 };

	(void)state;
	assert_int_equal(pairs_parse(a, STR("a=%ff"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("a=%00"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("%=1"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("a=\xed\xa0\x80"), &p).status, 400);
}

static void
pairs_are_limited(void **state)
{
	struct pairs p = { NULL, 0 };
	struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < PAIRS_MAX; i++)
		buf_puts(&b, "a&");
	assert_int_equal(pairs_parse(a, buf_text(&b), &p).status, 0);
	assert_int_equal(p.n, PAIRS_MAX);
	p = (struct pairs){ NULL, 0 };
	buf_puts(&b, "a");
	assert_int_equal(pairs_parse(a, buf_text(&b), &p).status, 400);
	buf_free(&b);
}

static void
only_paths_of_this_site_are_local(void **state)
{
	static const char *const good[] = { "/", "/targets/", "/targets/?page=2&sort=-name",
		"/targets/name/M%2031/", "/a%2Fb", "/\xc3\xa9", "/a//b" };
	static const char *const bad[] = { "", "targets/", "//evil.test", "//evil.test/targets/",
		"/\\evil.test", "\\/evil.test", "https://evil.test", "javascript:alert(1)",
		"/%2Fevil.test", "/%5Cevil.test", "/%5cevil.test/x", "/a\r\nSet-Cookie: x",
		"/a%0d%0ab", "/a\tb", "/%", "/%zz", "/a%00", "/\x7f", "/\xff", "/%ff", " /",
		"/a\\b", "?x=/", "/\t/evil.test", "/%09/evil.test" };

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		if (!url_is_local(str_of(good[i])))
			fail_msg("\"%s\" is local", good[i]);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (url_is_local(str_of(bad[i])))
			fail_msg("\"%s\" is not local", bad[i]);
	assert_false(url_is_local(STR_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_is_exact),
		cmocka_unit_test(encoding_round_trips_every_byte),
		cmocka_unit_test(pairs_keep_order_and_repeats),
		cmocka_unit_test(pairs_that_are_no_text_are_refused),
		cmocka_unit_test(pairs_are_limited),
		cmocka_unit_test(only_paths_of_this_site_are_local),
	};

	return cmocka_run_group_tests_name("url", tests, open_arena, close_arena);
}
