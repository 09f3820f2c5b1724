/*
 * cookie: what of a Cookie header is believed.
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

static struct pairs
parse(struct str header)
{
	struct pairs p = { NULL, 0 };

	cookies_parse(a, header, &p);
	return p;
}

static void
pairs_are_divided_by_semicolons(void **state)
{
	struct pairs p = parse(STR("a=1; b=2;c=3 ; \td = 4\t;e=a=b;f="));

	(void)state;
	assert_int_equal(p.n, 6);
	assert_str(pairs_get(&p, "a"), "1");
	assert_str(pairs_get(&p, "b"), "2");
	assert_str(pairs_get(&p, "c"), "3");
	assert_str(pairs_get(&p, "d"), "4");
	assert_str(pairs_get(&p, "e"), "a=b");
	assert_str(pairs_get(&p, "f"), "");
	assert_int_equal(parse(STR("")).n, 0);
	assert_int_equal(parse(STR(";;; ;")).n, 0);
	assert_int_equal(parse(STR("=1; a; ; =")).n, 0);
	assert_int_equal(parse(STR("a=1;")).n, 1);
	/* nothing behind the header is read */
	p = parse((struct str){ "a=12; b=3", 3 });
	assert_int_equal(p.n, 1);
	assert_str(pairs_get(&p, "a"), "1");
}

static void
quotes_around_a_value_are_none_of_it(void **state)
{
	struct pairs p = parse(STR("a=\"1\"; b=\"; c=\"\"; d=\"x; e=x\"; f=\"\"\"; g=\"a b\""));

	(void)state;
	assert_int_equal(p.n, 7);
	assert_str(pairs_get(&p, "a"), "1");
	assert_str(pairs_get(&p, "b"), "\"");
	assert_str(pairs_get(&p, "c"), "");
	assert_str(pairs_get(&p, "d"), "\"x");
	assert_str(pairs_get(&p, "e"), "x\"");
	assert_str(pairs_get(&p, "f"), "\"");
	assert_str(pairs_get(&p, "g"), "a b");
}

/* RFC 6265 4.1.1: a name is a token of RFC 2616; values are taken with blanks and quotes, as they come. */
static void
names_are_tokens_and_values_are_printable(void **state)
{
	(void)state;
	for (int i = 1; i < 256; i++) {
		char name[6] = { 'a', (char)i, 'b', '=', '1', '\0' };
		char value[6] = { 'a', '=', 'x', (char)i, 'y', '\0' };
		bool token = i > ' ' && i < 0x7f && strchr("()<>@,;:\\\"/[]?={}", i) == NULL;

		if (i != ';' && i != '=')
			assert_int_equal(parse(str_of(name)).n, token);
		if (i != ';')
			assert_int_equal(parse(str_of(value)).n, i >= ' ' && i < 0x7f);
	}
	assert_int_equal(parse(STR("a\0b=1")).n, 0);
	assert_int_equal(parse(STR("a=1\0002")).n, 0);
}

static void
only_so_many_are_read(void **state)
{
	struct buf b = { 0 };
	struct pairs p;

	(void)state;
	for (int i = 0; i < COOKIES_MAX + 5; i++)
		buf_printf(&b, "c%d=%d; ", i, i);
	p = parse(buf_text(&b));
	assert_int_equal(p.n, COOKIES_MAX);
	assert_str(p.list[COOKIES_MAX - 1].value, arena_printf(a, "%d", COOKIES_MAX - 1).p);
	buf_free(&b);
}

static void
a_cookie_that_stands_twice_is_none(void **state)
{
	struct app_state app = { .insecure_http = true };
	struct request r = { .app = &app, .arena = a };

	(void)state;
	r.cookies = parse(STR("sid=1; __Host-sid=2; other=3; other=4"));
	assert_str(request_cookie(&r, "sid"), "1");
	assert_null(request_cookie(&r, "other").p);
	assert_null(request_cookie(&r, "none").p);
	/* over TLS only the name that nobody but this host can set */
	app.insecure_http = false;
	assert_str(request_cookie(&r, "sid"), "2");
	r.cookies = parse(STR("sid=1"));
	assert_null(request_cookie(&r, "sid").p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_divided_by_semicolons),
		cmocka_unit_test(quotes_around_a_value_are_none_of_it),
		cmocka_unit_test(names_are_tokens_and_values_are_printable),
		cmocka_unit_test(only_so_many_are_read),
		cmocka_unit_test(a_cookie_that_stands_twice_is_none),
	};

	return cmocka_run_group_tests_name("cookie", tests, open_arena, close_arena);
}
