/*
 * url: what is decoded, what is refused, and where a redirect may lead.
 */
#include "web.h"

#include <stdio.h>

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

/* Which bytes stand for themselves: RFC 3986 2.3, and in a path 2.2 but for '?', '#' and brackets. */
static void
only_what_is_plain_stays_plain(void **state)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                                 "0123456789-._~";
	static const char of_paths[] = "/:@!$&'()*+,;=";

	(void)state;
	for (int i = 0; i < 256; i++) {
		char c = (char)i, code[4], itself[2] = { c, '\0' };
		struct str one = { &c, 1 };
		bool plain = c != '\0' && strchr(unreserved, c) != NULL;
		bool path = plain || (c != '\0' && strchr(of_paths, c) != NULL);

		snprintf(code, sizeof(code), "%%%02X", (unsigned)i);
		assert_str(url_encode(a, one), plain ? itself : code);
		assert_str(url_path_encode(a, one), path ? itself : code);
	}
	assert_str(url_encode(a, STR("")), "");
	assert_str(url_path_encode(a, STR("")), "");
}

static void
hexadecimal_digits_are_22(void **state)
{
	(void)state;
	for (int i = 1; i < 256; i++) {
		char low[4] = { '%', '4', (char)i, '\0' }, high[4] = { '%', (char)i, '1', '\0' };
		struct str one = url_decode(a, str_of(low), false);
		struct str other = url_decode(a, str_of(high), false);
		const char *digits = "0123456789abcdef", *at = strchr(digits, i);

		if (at == NULL && i >= 'A' && i <= 'F')
			at = digits + 10 + (i - 'A');
		if (at == NULL) {
			assert_null(one.p);
			assert_null(other.p);
			continue;
		}
		assert_int_equal(one.n, 1);
		assert_int_equal(one.p[0], 0x40 + (at - digits));
		assert_int_equal((unsigned char)other.p[0], 0x10 * (at - digits) + 1);
	}
}

static void
what_is_cut_short_is_not_read_on(void **state)
{
	(void)state;
	assert_null(url_decode(a, (struct str){ "%41", 2 }, false).p);
	assert_null(url_decode(a, (struct str){ "%41", 1 }, false).p);
	assert_null(url_decode(a, (struct str){ "a%41", 3 }, false).p);
	assert_int_equal(url_decode(a, (struct str){ "%4142", 3 }, false).n, 1);
	assert_true(url_is_local((struct str){ "//", 1 }));
	assert_false(url_is_local((struct str){ "/", 0 }));
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
	assert_str(pairs_get(&p, ""), "x");
	assert_null(pairs_nth(&p, "b", 2).p);
	assert_int_equal(pairs_count(&p, "fla"), 0);
}

/* However many there are, and with nothing behind the text's end. */
static void
pairs_stay_as_the_list_grows(void **state)
{
	(void)state;
	for (size_t many = 1; many <= 40; many++) {
		struct pairs p = { NULL, 0 };
		struct buf b = { 0 };
		char name[24];

		for (size_t i = 0; i < many; i++)
			buf_printf(&b, "%sn%zu=%zu", i == 0 ? "" : "&", i, i);
		assert_int_equal(pairs_parse(a, buf_text(&b), &p).status, 0);
		assert_int_equal(p.n, many);
		for (size_t i = 0; i < many; i++) {
			snprintf(name, sizeof(name), "n%zu", i);
			assert_str(p.list[i].name, name);
			assert_str(p.list[i].value, name + 1);
		}
		buf_free(&b);
	}
}

static void
pairs_that_are_no_text_are_refused(void **state)
{
	struct pairs p = { NULL, 0 };

	(void)state;
	assert_int_equal(pairs_parse(a, STR("a=%ff"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("a=%00"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("%=1"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("a%00=1"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("\xff=1"), &p).status, 400);
	assert_int_equal(pairs_parse(a, STR("a=%"), &p).status, 400);
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

	char longest[4098];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		if (!url_is_local(str_of(good[i])))
			fail_msg("\"%s\" is local", good[i]);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (url_is_local(str_of(bad[i])))
			fail_msg("\"%s\" is not local", bad[i]);
	assert_false(url_is_local(STR_NONE));
	memset(longest, '/', 1);
	memset(longest + 1, 'a', sizeof(longest) - 1);
	assert_true(url_is_local((struct str){ longest, 4096 }));
	assert_false(url_is_local((struct str){ longest, 4097 }));
	for (int i = 1; i < 0x80; i++) {
		char text[4] = { '/', 'a', (char)i, '\0' };
		bool good_byte = i >= 0x20 && i != 0x7f && i != '\\' && i != '%';

		if (url_is_local(str_of(text)) != good_byte)
			fail_msg("\"/a\" and byte 0x%02x", (unsigned)i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_is_exact),
		cmocka_unit_test(encoding_round_trips_every_byte),
		cmocka_unit_test(only_what_is_plain_stays_plain),
		cmocka_unit_test(hexadecimal_digits_are_22),
		cmocka_unit_test(what_is_cut_short_is_not_read_on),
		cmocka_unit_test(pairs_keep_order_and_repeats),
		cmocka_unit_test(pairs_stay_as_the_list_grows),
		cmocka_unit_test(pairs_that_are_no_text_are_refused),
		cmocka_unit_test(pairs_are_limited),
		cmocka_unit_test(only_paths_of_this_site_are_local),
	};

	return cmocka_run_group_tests_name("url", tests, open_arena, close_arena);
}
