/*
 * response: headers, conditions, cookies, streams.
 */
#include "web.h"

#include <stdio.h>
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

static int
headers(struct request *r, struct response *s)
{
	for (int i = 0; i < 40; i++)
		response_add(
		    s, arena_printf(r->arena, "X-%d", i).p, arena_printf(r->arena, "%d", i));
	response_set(s, "x-7", STR("seven"));
	response_set(s, "X-New", STR(""));
	return respond_text(r, s, status_wanted, "text/plain", STR("text"));
}

/* A header whose name is no name, in a page and in a stream. */
static const char *header_name;

static int
odd_name(struct request *r, struct response *s)
{
	response_add(s, header_name, STR("a"));
	return respond_text(r, s, 200, "text/plain", STR("text"));
}

static int
odd_stream(struct request *r, struct response *s)
{
	response_add(s, header_name, STR("a"));
	return response_stream(r, s, 200, "text/csv", STR_NONE) == 0 ? 0 : -1;
}

static int
moved(struct request *r, struct response *s)
{
	return respond_moved(r, s, str_of(location));
}

static int64_t modified_at, cookie_age;

static int
tagged(struct request *r, struct response *s)
{
	if (response_not_modified(r, s, STR("v1"), modified_at))
		return 0;
	return respond_text(r, s, 200, "text/plain", STR("text"));
}

static int
cookies(struct request *r, struct response *s)
{
	response_cookie(r, s, "sid", STR("x"), cookie_age);
	return respond_text(r, s, 200, "text/plain", STR("text"));
}

static int written; /* what the last response_write said */

static int
long_stream(struct request *r, struct response *s)
{
	(void)response_stream(r, s, 200, "text/csv", STR_NONE);
	for (int i = 0; i < stream_writes; i++)
		written = response_write(s, "0123456789", 10);
	return 0;
}

/* Another answer than the one that was begun. */
static int
begun(struct request *r, struct response *s)
{
	struct str how = pairs_get(&r->get, "how");

	response_set(s, "X-Begun", STR("yes"));
	response_cookie(r, s, "begun", STR("1"), -1);
	(void)respond_text(r, s, 200, "text/html", STR("<p>begun"));
	s->bytes = 7;
	if (str_is(how, "redirect"))
		return respond_redirect(r, s, STR("/"));
	if (str_is(how, "condition")) {
		assert_true(response_not_modified(r, s, STR("a"), 0));
		return 0;
	}
	response_reset(s);
	assert_int_equal(s->status, 0);
	assert_int_equal(s->type.n, 0);
	assert_int_equal(s->bytes, 0);
	assert_int_equal(s->nheaders, 0);
	assert_false(s->has_cookie);
	return respond_text(r, s, 200, "text/plain", STR("other"));
}

static size_t body_wanted;

static int
of_length(struct request *r, struct response *s)
{
	char *text = arena_alloc(r->arena, body_wanted + 1);

	memset(text, 'x', body_wanted);
	return respond_text(r, s, 200, "text/plain", (struct str){ text, body_wanted });
}

static const struct route routes[] = {
	ROUTE(GET, "/length/", ANYONE, NO_BODY, of_length),
	ROUTE(GET, "/begun/", ANYONE, NO_BODY, begun),
	ROUTE(GET, "/headers/", ANYONE, NO_BODY, headers),
	ROUTE(GET, "/odd/", ANYONE, NO_BODY, odd_name),
	ROUTE(GET, "/odd/stream/", ANYONE, NO_BODY, odd_stream),
	ROUTE(GET, "/moved/", ANYONE, NO_BODY, moved),
	ROUTE(GET, "/tagged/", ANYONE, NO_BODY, tagged),
	ROUTE(GET, "/cookies/", ANYONE, NO_BODY, cookies),
	ROUTE(GET, "/long/", ANYONE, NO_BODY, long_stream),
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

static void
every_status_has_its_words(void **state)
{
	static const struct {
		int status;
		const char *line;
	} all[] = { { 200, "200 OK" }, { 201, "201 Created" }, { 204, "204 No Content" },
		{ 301, "301 Moved Permanently" }, { 302, "302 Found" }, { 303, "303 See Other" },
		{ 304, "304 Not Modified" }, { 400, "400 Bad Request" },
		{ 401, "401 Unauthorized" }, { 403, "403 Forbidden" }, { 404, "404 Not Found" },
		{ 405, "405 Method Not Allowed" }, { 409, "409 Conflict" },
		{ 411, "411 Length Required" }, { 412, "412 Precondition Failed" },
		{ 413, "413 Content Too Large" }, { 415, "415 Unsupported Media Type" },
		{ 429, "429 Too Many Requests" }, { 500, "500 Internal Server Error" },
		{ 503, "503 Service Unavailable" }, { 507, "507 Insufficient Storage" },
		{ 299, "299 Status" } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		bool none = all[i].status == 204 || all[i].status == 304;

		status_wanted = all[i].status;
		assert_int_equal(web_ask(&w, "GET /page/", STR_NONE, NULL), all[i].status);
		assert_string_equal(web_header(&w, "Status"), all[i].line);
		assert_string_equal(
		    web_header(&w, "X-Robots-Tag"), all[i].status >= 400 ? "noindex" : "");
		assert_string_equal(web_header(&w, "Content-Length"), none ? "" : "3");
		assert_string_equal(web_text(&w), none ? "" : "<p>");
	}
	status_wanted = 200;
}

static void
ready_answers_are_as_long_as_they_say(void **state)
{
	static const char *const all[] = { response_no_memory, response_too_long, response_crash };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		const char *length = strstr(all[i], "Content-Length: "),
		           *end = strstr(all[i], "\r\n\r\n");

		assert_non_null(length);
		assert_non_null(end);
		assert_int_equal(strtol(length + 16, NULL, 10), strlen(end + 4));
	}
}

static void
headers_are_kept_however_many(void **state)
{
	char name[16], value[16];

	(void)state;
	assert_int_equal(web_ask(&w, "GET /headers/", STR_NONE, NULL), 200);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "X-%d", i);
		snprintf(value, sizeof(value), "%d", i);
		assert_string_equal(web_header(&w, name), i == 7 ? "seven" : value);
	}
	/* the one that was set anew stands once, and an empty one stands too */
	assert_null(strstr(w.head.p, "X-7:"));
	assert_non_null(strstr(w.head.p, "\r\nX-New: \r\n"));
}

static void
names_of_headers_are_letters_digits_and_dashes(void **state)
{
	static const char *const bad[] = { "", "X Y", "X:", "X\r\nY", "X_Y", "\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		header_name = bad[i];
		assert_int_equal(web_ask(&w, "GET /odd/", STR_NONE, NULL), 500);
		assert_int_equal(web_ask(&w, "GET /odd/stream/", STR_NONE, NULL), 500);
	}
	header_name = "Az09-";
	assert_int_equal(web_ask(&w, "GET /odd/", STR_NONE, NULL), 200);
	assert_int_equal(web_ask(&w, "GET /odd/stream/", STR_NONE, NULL), 200);
	for (int i = 1; i < 256; i++) {
		char text[4] = { 'a', (char)i, 'b', '\0' };

		header_value = text;
		assert_int_equal(
		    web_ask(&w, "GET /header/", STR_NONE, NULL), i < 0x20 || i == 0x7f ? 500 : 200);
	}
}

static void
places_of_redirects_are_ascii(void **state)
{
	(void)state;
	for (int i = 1; i < 256; i++) {
		char text[16], want[16];

		snprintf(text, sizeof(text), "/?a%cb", i);
		snprintf(want, sizeof(want),
		    i <= ' ' || i >= 0x7f || strchr("\"<>\\^`{|}", i) != NULL ? "/?a%%%02Xb"
		                                                              : "/?a%cb",
		    i);
		location = text;
		assert_int_equal(web_ask(&w, "GET /redirect/", STR_NONE, NULL), 302);
		assert_string_equal(web_header(&w, "Location"), i < 0x20 || i == 0x7f ? "/" : want);
	}
	location = NULL;
	assert_int_equal(web_ask(&w, "GET /moved/", STR_NONE, NULL), 301);
	assert_string_equal(web_header(&w, "Location"), "/");
	assert_string_equal(web_header(&w, "Content-Type"), "");
	location = "/a?";
	assert_int_equal(web_ask(&w, "GET /moved/", STR_NONE, NULL), 301);
	assert_string_equal(web_header(&w, "Location"), "/a?");
	location = "//a?b";
	assert_int_equal(web_ask(&w, "GET /moved/", STR_NONE, NULL), 301);
	assert_string_equal(web_header(&w, "Location"), "/");
}

static void
lists_of_tags_are_read_to_their_end(void **state)
{
	static const char *const hit[] = { "\"v1\"", "  \"v1\"  ", "\"a\",\"v1\"", "\"a\" , \"v1\"",
		"W/\"a\",\t,\t\"v1\"", "\"\", \"v1\"", "*", " * ", "W/\"v1\"", "\"v1\" x",
		"\"v1\",", "\"a\",W/\"v1\"" };
	static const char *const miss[] = { "\"v1", "v1\"", "\"v\"", "\"v11\"", "\"a\" \"v1\"",
		"\"a\"x,\"v1\"", "**", "\"*\"", "w/\"v1\"", "W\"v1\"", "W/", "W/\"", "\"",
		",\"v1\"", "\"a\",x,\"v1\"", "X/\"v1\"", "\"V1\"", "\"a\"," };
	char param[64];

	(void)state;
	modified_at = 0;
	for (size_t i = 0; i < NELEM(hit) + NELEM(miss); i++) {
		const char *list = i < NELEM(hit) ? hit[i] : miss[i - NELEM(hit)];
		/* strong comparison: of what is weak nothing is the same */
		bool strong = strstr(list, "W/\"v1\"") == NULL;

		snprintf(param, sizeof(param), "HTTP_IF_NONE_MATCH=%s", list);
		if (web_ask(&w, "GET /tagged/", STR_NONE, param, NULL) !=
		    (i < NELEM(hit) ? 304 : 200))
			fail_msg("If-None-Match: %s", list);
		assert_string_equal(web_header(&w, "Last-Modified"), "");
		snprintf(param, sizeof(param), "HTTP_IF_MATCH=%s", list);
		if (web_ask(&w, "GET /tagged/", STR_NONE, param, NULL) !=
		    (i < NELEM(hit) && strong ? 200 : 412))
			fail_msg("If-Match: %s", list);
	}
	/* without a date no condition of dates holds */
	assert_int_equal(web_ask(&w, "GET /tagged/", STR_NONE,
	                     "HTTP_IF_MODIFIED_SINCE=Sun, 06 Nov 2094 08:49:37 GMT", NULL),
	    200);
	assert_int_equal(web_ask(&w, "GET /tagged/", STR_NONE,
	                     "HTTP_IF_UNMODIFIED_SINCE=Sun, 06 Nov 1994 08:49:37 GMT", NULL),
	    200);
	/* what fails is not asked whether it is the same */
	assert_int_equal(web_ask(&w, "GET /tagged/", STR_NONE, "HTTP_IF_MATCH=\"v0\"",
	                     "HTTP_IF_NONE_MATCH=\"v1\"", NULL),
	    412);
	assert_int_equal(web_ask(&w, "GET /tagged/", STR_NONE, "HTTP_IF_MATCH=\"v1\"",
	                     "HTTP_IF_NONE_MATCH=\"v1\"", NULL),
	    304);
	assert_string_equal(web_text(&w), "");
	assert_string_equal(web_header(&w, "Content-Type"), "");
}

static void
what_may_be_kept_is_said_plainly(void **state)
{
	(void)state;
	cache = "private, max-age=60";
	assert_int_equal(ask_if(NULL, NULL), 200);
	assert_string_equal(web_header(&w, "Cache-Control"), cache);
	assert_string_equal(web_header(&w, "Vary"), "Cookie");
	cache = "publi";
	assert_int_equal(ask_if(NULL, NULL), 200);
	assert_string_equal(web_header(&w, "Vary"), "Cookie");
	cache = "public";
	cookie_value = "x";
	assert_int_equal(ask_if(NULL, NULL), 200);
	assert_string_equal(web_header(&w, "Vary"), "Cookie");
	assert_string_equal(web_header(&w, "Cache-Control"), "private, no-store");
	cookie_value = NULL;
	assert_int_equal(ask_if(NULL, NULL), 200);
	assert_string_equal(web_header(&w, "Vary"), "");
}

static void
cookies_say_how_long_they_live(void **state)
{
	(void)state;
	cookie_age = -1;
	(void)web_ask(&w, "GET /cookies/", STR_NONE, NULL);
	assert_string_equal(
	    web_header(&w, "Set-Cookie"), "__Host-sid=x; Path=/; HttpOnly; SameSite=Lax; Secure");
	cookie_age = 0;
	(void)web_ask(&w, "GET /cookies/", STR_NONE, NULL);
	assert_string_equal(web_header(&w, "Set-Cookie"),
	    "__Host-sid=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
	/* none for who says in every request who asks */
	(void)web_ask(&w, "GET /cookies/", STR_NONE, "HTTP_AUTHORIZATION=Token x", NULL);
	assert_string_equal(web_header(&w, "Set-Cookie"), "");
	w.server.app.insecure_http = true;
	(void)web_ask(&w, "GET /cookies/", STR_NONE, NULL);
	assert_string_equal(
	    web_header(&w, "Set-Cookie"), "sid=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
	w.server.app.insecure_http = false;
}

static void
a_stream_leaves_at_64_KiB(void **state)
{
	(void)state;
	stream_writes = 6553; /* 65,530 bytes */
	(void)web_ask(&w, "GET /long/", STR_NONE, NULL);
	assert_int_equal(w.sends, 1);
	assert_int_equal(w.body.n, 65530);
	stream_writes = 6554;
	(void)web_ask(&w, "GET /long/", STR_NONE, NULL);
	assert_int_equal(w.sends, 2);
	assert_int_equal(w.body.n, 65540);
	assert_int_equal(written, 0);
}

/* The handler is told that nobody listens any more, and nothing is sent after that. */
static void
lengths_are_told_in_decimal(void **state)
{
	static const size_t some[] = { 0, 1, 9, 10, 11, 15, 19, 20, 99, 100, 101, 110, 199, 1000,
		1999, 10000, 123456 };
	char want[20];

	(void)state;
	for (size_t i = 0; i < NELEM(some); i++) {
		body_wanted = some[i];
		assert_int_equal(web_ask(&w, "GET /length/", STR_NONE, NULL), 200);
		snprintf(want, sizeof(want), "%zu", body_wanted);
		assert_string_equal(web_header(&w, "Content-Length"), want);
		assert_int_equal(w.body.n, body_wanted);
	}
}

/* However many pieces it has. */
static void
a_stream_has_one_head(void **state)
{
	(void)state;
	stream_writes = 30000;
	assert_int_equal(web_ask(&w, "GET /long/", STR_NONE, NULL), 200);
	assert_true(w.sends > 2);
	assert_null(strstr(w.head.p + 1, "Status: "));
	assert_int_equal(w.body.n, 300000);
	stream_writes = 10;
}

static void
an_answer_that_was_begun_leaves_nothing_to_another(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "GET /begun/?how=reset", STR_NONE, NULL), 200);
	assert_string_equal(web_text(&w), "other");
	assert_null(strstr(w.head.p, "egun"));
	assert_int_equal(web_ask(&w, "GET /begun/?how=redirect", STR_NONE, NULL), 302);
	assert_string_equal(web_text(&w), "");
	assert_string_equal(web_header(&w, "Content-Type"), "");
	assert_string_equal(web_header(&w, "X-Begun"), "yes");
	assert_int_equal(
	    web_ask(&w, "GET /begun/?how=condition", STR_NONE, "HTTP_IF_NONE_MATCH=\"a\"", NULL),
	    304);
	assert_string_equal(web_text(&w), "");
	assert_string_equal(web_header(&w, "Content-Type"), "");
}

static void
a_stream_to_nobody_ends(void **state)
{
	(void)state;
	stream_writes = 30000;
	w.deaf = true;
	(void)web_ask(&w, "GET /long/", STR_NONE, NULL);
	assert_int_equal(w.sends, 1);
	assert_int_equal(written, -1);
	stream_writes = 10;
	(void)web_ask(&w, "GET /long/", STR_NONE, NULL);
	assert_int_equal(w.sends, 1);
	w.deaf = false;
}

static void
names_of_files_are_written_twice(void **state)
{
	(void)state;
	for (int i = 1; i < 256; i++) {
		char text[4] = { 'a', (char)i, 'b', '\0' }, want[40];
		bool plain = i >= ' ' && i < 0x7f && strchr("\"\\/;%", i) == NULL;

		filename = text;
		(void)web_ask(&w, "HEAD /stream/", STR_NONE, NULL);
		snprintf(want, sizeof(want), "attachment; filename=\"a%cb\"; ", plain ? i : '_');
		assert_int_equal(
		    strncmp(web_header(&w, "Content-Disposition"), want, strlen(want)), 0);
	}
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
		cmocka_unit_test(every_status_has_its_words),
		cmocka_unit_test(ready_answers_are_as_long_as_they_say),
		cmocka_unit_test(headers_are_kept_however_many),
		cmocka_unit_test(names_of_headers_are_letters_digits_and_dashes),
		cmocka_unit_test(places_of_redirects_are_ascii),
		cmocka_unit_test(lists_of_tags_are_read_to_their_end),
		cmocka_unit_test(what_may_be_kept_is_said_plainly),
		cmocka_unit_test(cookies_say_how_long_they_live),
		cmocka_unit_test(a_stream_leaves_at_64_KiB),
		cmocka_unit_test(lengths_are_told_in_decimal),
		cmocka_unit_test(a_stream_has_one_head),
		cmocka_unit_test(an_answer_that_was_begun_leaves_nothing_to_another),
		cmocka_unit_test(a_stream_to_nobody_ends),
		cmocka_unit_test(names_of_files_are_written_twice),
	};

	return cmocka_run_group_tests_name("response", tests, open_web, close_web);
}
