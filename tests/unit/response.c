/*
 * response: headers, conditions, cookies, streams.
 */
#include "web.h"

#include <stdlib.h>

#include "base/clock.h"

static int status_wanted = 200, stream_writes;
static const char *location, *header_value, *cookie_value, *cache, *filename;

static int
page(struct request *r, struct response *s)
{
	(void)r;
	buf_puts(&s->server->body, "<p>");
	return response_body(s, status_wanted, "text/html; charset=utf-8");
}

static int
redirect(struct request *r, struct response *s)
{
	return respond_redirect(r, s, str_of(location));
}

static int
header(struct request *r, struct response *s)
{
	response_set(s, "X-Test", str_of(header_value));
	return respond_text(r, s, 200, "text/plain", STR("secret"));
}

static int
cached(struct request *r, struct response *s)
{
	response_cache(s, cache);
	if (cookie_value != NULL)
		response_cookie(r, s, "sid", str_of(cookie_value), 60);
	/* Sun, 06 Nov 1994 08:49:37 GMT */
	if (response_not_modified(r, s, STR("v1"), INT64_C(784111777) * SECOND + 5))
		return 0;
	return respond_text(r, s, 200, "text/plain", STR("text"));
}

static int
stream(struct request *r, struct response *s)
{
	if (response_stream(r, s, 200, "text/csv; charset=utf-8", str_of(filename)) != 0)
		return 0;
	for (int i = 0; i < 100000; i++)
		if (response_write(s, "0123456789", 10) != 0)
			return 0;
	return 0;
}

static int
broken_stream(struct request *r, struct response *s)
{
	(void)response_stream(r, s, 200, "text/csv", STR_NONE);
	for (int i = 0; i < stream_writes; i++)
		(void)response_write(s, "0123456789", 10);
	return -1;
}

static const struct route routes[] = {
	ROUTE(GET, "/page/", ANYONE, NO_BODY, page),
	ROUTE(GET, "/redirect/", ANYONE, NO_BODY, redirect),
	ROUTE(GET, "/header/", ANYONE, NO_BODY, header),
	ROUTE(GET, "/cached/", ANYONE, NO_BODY, cached),
	ROUTE(GET, "/stream/", ANYONE, NO_BODY, stream),
	ROUTE(GET, "/broken/", ANYONE, NO_BODY, broken_stream),
};
static const struct app app = { .name = "test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.any_host = true,
	.no_pages = true };
static struct web w;

static int
open_web(void **state)
{
	(void)state;
	web_open(&w, &app);
	return 0;
}

static int
close_web(void **state)
{
	(void)state;
	web_close(&w);
	return 0;
}

static void
html_carries_the_whole_header_set(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "GET /page/", STR_NONE, NULL), 200);
	assert_string_equal(web_header(&w, "Content-Security-Policy"),
	    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
	assert_string_equal(web_header(&w, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(web_header(&w, "Referrer-Policy"), "same-origin");
	assert_string_equal(web_header(&w, "Cross-Origin-Opener-Policy"), "same-origin");
	assert_string_equal(web_header(&w, "Cross-Origin-Resource-Policy"), "same-origin");
	assert_string_equal(web_header(&w, "X-Frame-Options"), "DENY");
	assert_string_not_equal(web_header(&w, "Permissions-Policy"), "");
	assert_string_equal(web_header(&w, "Cache-Control"), "private, no-store");
	assert_string_equal(web_header(&w, "Vary"), "Cookie");
	assert_string_equal(web_header(&w, "X-Robots-Tag"), "");
	assert_string_equal(web_header(&w, "Strict-Transport-Security"), "");
	assert_int_equal(web_ask(&w, "GET /page/", STR_NONE, "HTTPS=on", NULL), 200);
	assert_string_equal(
	    web_header(&w, "Strict-Transport-Security"), "max-age=63072000; includeSubDomains");
	assert_int_equal(web_ask(&w, "GET /none/", STR_NONE, NULL), 404);
	assert_string_equal(web_header(&w, "X-Robots-Tag"), "noindex");
	assert_string_not_equal(web_header(&w, "Content-Security-Policy"), "");
}

static void
redirects_stay_on_the_site(void **state)
{
	static const char *const away[] = { "//evil.test/", "https://evil.test/", "/\\evil.test",
		"/%2Fevil.test/", "/a\r\nSet-Cookie: x=1", "targets/", "" };

	(void)state;
	for (size_t i = 0; i < NELEM(away); i++) {
		location = away[i];
		assert_int_equal(web_ask(&w, "GET /redirect/", STR_NONE, NULL), 302);
		assert_string_equal(web_header(&w, "Location"), "/");
	}
	location = "/targets/M 31/\xc3\xa9?next=//x&a=%2F";
	assert_int_equal(web_ask(&w, "GET /redirect/", STR_NONE, NULL), 302);
	assert_string_equal(web_header(&w, "Location"), "/targets/M%2031/%C3%A9?next=//x&a=%2F");
}

static void
headers_with_control_bytes_become_500(void **state)
{
	static const char *const bad[] = { "a\r\nSet-Cookie: x=1", "a\nb", "a\rb", "a\tb", "\x7f" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		header_value = bad[i];
		assert_int_equal(web_ask(&w, "GET /header/", STR_NONE, NULL), 500);
		assert_string_equal(web_header(&w, "X-Test"), "");
		assert_string_equal(web_header(&w, "Set-Cookie"), "");
		assert_null(strstr(web_text(&w), "secret"));
	}
	header_value = "plain";
	assert_int_equal(web_ask(&w, "GET /header/", STR_NONE, NULL), 200);
	assert_string_equal(web_header(&w, "X-Test"), "plain");
}

static int
ask_if(const char *a, const char *b)
{
	return web_ask(&w, "GET /cached/", STR_NONE, a, b, NULL);
}

static void
conditions_are_judged_in_their_order(void **state)
{
	static const char same[] = "HTTP_IF_MODIFIED_SINCE=Sun, 06 Nov 1994 08:49:37 GMT";
	static const char older[] = "HTTP_IF_MODIFIED_SINCE=Sun, 06 Nov 1994 08:49:36 GMT";

	(void)state;
	cache = "public, max-age=3600";
	assert_int_equal(ask_if(NULL, NULL), 200);
	assert_string_equal(web_header(&w, "ETag"), "\"v1\"");
	assert_string_equal(web_header(&w, "Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(web_header(&w, "Vary"), "");
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=\"v1\"", NULL), 304);
	assert_string_equal(web_header(&w, "ETag"), "\"v1\"");
	assert_string_equal(web_header(&w, "Content-Length"), "");
	assert_string_equal(web_header(&w, "Cache-Control"), "public, max-age=3600");
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=W/\"v1\"", NULL), 304);
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=\"v0\", \"v1\"", NULL), 304);
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=*", NULL), 304);
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=v1", NULL), 200);
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=\"v1", NULL), 200);
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=\"v0\"", NULL), 200);
	assert_int_equal(ask_if(same, NULL), 304);
	assert_int_equal(ask_if(older, NULL), 200);
	assert_int_equal(ask_if("HTTP_IF_MODIFIED_SINCE=yesterday", NULL), 200);
	/* the tag wins over the date */
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=\"v0\"", same), 200);
	assert_int_equal(ask_if("HTTP_IF_NONE_MATCH=\"v1\"", older), 304);
	assert_int_equal(ask_if("HTTP_IF_MATCH=\"v0\"", NULL), 412);
	assert_int_equal(ask_if("HTTP_IF_MATCH=W/\"v1\"", NULL), 412);
	assert_int_equal(ask_if("HTTP_IF_MATCH=\"v1\"", NULL), 200);
	assert_int_equal(
	    ask_if("HTTP_IF_UNMODIFIED_SINCE=Sun, 06 Nov 1994 08:49:36 GMT", NULL), 412);
	assert_int_equal(
	    ask_if("HTTP_IF_UNMODIFIED_SINCE=Sun, 06 Nov 1994 08:49:37 GMT", NULL), 200);
}

static void
an_answer_with_a_cookie_is_not_cached(void **state)
{
	(void)state;
	cache = "public, max-age=3600";
	cookie_value = "token";
	assert_int_equal(ask_if(NULL, NULL), 200);
	assert_string_equal(web_header(&w, "Cache-Control"), "private, no-store");
	assert_string_equal(web_header(&w, "Set-Cookie"),
	    "__Host-sid=token; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60");
	cookie_value = NULL;
}

static void
streams_leave_piece_by_piece(void **state)
{
	(void)state;
	filename = "t\xc3\xa4rgets\"\r\n.csv";
	assert_int_equal(web_ask(&w, "GET /stream/", STR_NONE, NULL), 200);
	assert_string_equal(web_header(&w, "Content-Disposition"),
	    "attachment; filename=\"t__rgets___.csv\"; filename*=UTF-8''t%C3%A4rgets%22%0D%0A.csv");
	assert_string_equal(web_header(&w, "Content-Length"), "");
	assert_int_equal(w.body.n, 1000000);
	assert_in_range(w.sends, 10, 20);
	assert_true(w.server.body.room <= KIB(256));
	assert_true(w.ended);
	assert_int_equal(web_ask(&w, "HEAD /stream/", STR_NONE, NULL), 200);
	assert_int_equal(w.body.n, 0);
	assert_true(w.ended);
}

static void
a_stream_that_fails_late_has_no_end(void **state)
{
	(void)state;
	stream_writes = 10000;
	assert_int_equal(web_ask(&w, "GET /broken/", STR_NONE, NULL), 200);
	assert_true(w.body.n > 60000);
	assert_false(w.ended);
	stream_writes = 10;
	assert_int_equal(web_ask(&w, "GET /broken/", STR_NONE, NULL), 500);
	assert_null(strstr(web_text(&w), "0123456789"));
	assert_true(w.ended);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_carries_the_whole_header_set),
		cmocka_unit_test(redirects_stay_on_the_site),
		cmocka_unit_test(headers_with_control_bytes_become_500),
		cmocka_unit_test(conditions_are_judged_in_their_order),
		cmocka_unit_test(an_answer_with_a_cookie_is_not_cached),
		cmocka_unit_test(streams_leave_piece_by_piece),
		cmocka_unit_test(a_stream_that_fails_late_has_no_end),
	};

	return cmocka_run_group_tests_name("response", tests, open_web, close_web);
}
