/*
 * serve: one request through all steps: paths, hosts, methods, bodies, hooks, and their order.
 */
#include "web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "config.h"
#include "heard.h"

static char trail[256]; /* the hooks that were called */
static int known = 1, identity, refuse_permit, refuse_csrf;
static uint64_t busy; /* what the counter said in a handler */

static void
note(const char *what)
{
	snprintf(trail + strlen(trail), sizeof(trail) - strlen(trail), "%s ", what);
}

static int
host(struct request *r)
{
	note("host");
	return str_is(host_name(r->host), "tom.example") ? known : 0;
}

static int
identify(struct request *r)
{
	(void)r;
	note("identify");
	return identity;
}

static int
permit(struct request *r, struct response *s)
{
	note(access_name(r->route->access));
	if (!refuse_permit || r->route->access == ANYONE)
		return 0;
	(void)respond_redirect(r, s, STR("/accounts/login/"));
	return 1;
}

static int
csrf(struct request *r, struct response *s)
{
	note("csrf");
	if (refuse_csrf)
		return respond_error(r, s, 403, NULL) + 1;
	return 0;
}

static void
finish(struct request *r)
{
	(void)r;
	note("finish");
}

static const struct hooks hooks = {
	.host = host, .identify = identify, .permit = permit, .csrf = csrf, .finish = finish
};

static int
show(struct request *r, struct response *s)
{
	note("show");
	return respond_text(r, s, 200, "text/plain",
	    arena_printf(r->arena, "%s|%s|%lld|%s", r->path.p, r->capture[0].p, (long long)r->id[0],
	        r->query.p));
}

static int
take(struct request *r, struct response *s)
{
	struct upload *u = request_upload(r, "file");
	struct str name = pairs_get(&r->post, "name");
	char text[64] = "";

	note("take");
	if (u != NULL && read(u->fd, text, sizeof(text) - 1) < 0)
		return -1;
	return respond_text(r, s, 200, "text/plain",
	    arena_printf(r->arena, "%s|%s|%s", name.p == NULL ? "" : name.p,
	        u == NULL ? "" : u->filename.p, text));
}

static int
fail_quietly(struct request *r, struct response *s)
{
	(void)r;
	response_set(s, "X-Half", STR("done"));
	return -1;
}

static int
show_much(struct request *r, struct response *s)
{
	char *text = arena_alloc(r->arena, KIB(300));

	memset(text, 'x', KIB(300));
	return respond_text(r, s, 200, "text/plain", (struct str){ text, KIB(300) });
}

static int
say_something_wrong(struct request *r, struct response *s)
{
	(void)r;
	response_set(s, "X-Bad", STR("a\r\nSet-Cookie: x=1"));
	return 0;
}

static int
say_nothing(struct request *r, struct response *s)
{
	(void)r;
	(void)s;
	return 0;
}

static int
show_cookies(struct request *r, struct response *s)
{
	struct str sid = request_cookie(r, "sid");

	return respond_text(r, s, 200, "text/plain",
	    arena_printf(r->arena, "%s %zu", sid.p == NULL ? "none" : sid.p, r->cookies.n));
}

static const struct route routes[] = {
	ROUTE(GET, "/targets/", READER, NO_BODY, show),
	ROUTE(GET, "/targets/<id>/", READER, NO_BODY, show),
	ROUTE(POST, "/targets/<id>/", LOGIN, KIB(4), take),
	ROUTE(GET, "/targets/name/<text>/", READER, NO_BODY, show),
	ROUTE(POST, "/upload/", LOGIN, MIB(1), take),
	ROUTE(GET, "/open/", ANYONE, NO_BODY, show),
	ROUTE(GET, "/fail/", READER, NO_BODY, fail_quietly),
	ROUTE(GET, "/nothing/", READER, NO_BODY, say_nothing),
	ROUTE(GET, "/wrong/", READER, NO_BODY, say_something_wrong),
	ROUTE(GET, "/much/", READER, NO_BODY, show_much),
	ROUTE(GET, "/cookies/", READER, NO_BODY, show_cookies),
};
static const struct app app = { .name = "targets",
	.routes = routes,
	.nroutes = NELEM(routes),
	.hooks = &hooks,
	.no_pages = true };

static struct web w;

static uint64_t
counted(size_t index)
{
	return w.server.counters.at[index];
}

static int
open_web(void **state)
{
	(void)state;
	known = 1;
	identity = refuse_permit = refuse_csrf = 0;
	trail[0] = '\0';
	web_open(&w, &app);
	return 0;
}

static int
close_web(void **state)
{
	(void)state;
	web_close(&w);
	unsetenv("MERIDIAN_URL_PREFIX");
	unsetenv("MERIDIAN_INSECURE_HTTP");
	return 0;
}

static int
get(const char *path)
{
	char what[1024];

	trail[0] = '\0';
	snprintf(what, sizeof(what), "GET %s", path);
	return web_ask(&w, what, STR_NONE, NULL);
}

static void
hooks_are_called_in_order(void **state)
{
	(void)state;
	assert_int_equal(get("/targets/7/?a=1"), 200);
	assert_string_equal(web_text(&w), "/targets/7/|7|7|a=1");
	assert_string_equal(trail, "host identify READER show finish ");
	trail[0] = '\0';
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("name=M+31"), NULL), 200);
	assert_string_equal(web_text(&w), "M 31||");
	assert_string_equal(trail, "host identify LOGIN csrf take finish ");
	assert_int_equal(w.sends, 1);
	assert_true(w.ended);
}

static void
a_hook_that_refuses_answers(void **state)
{
	(void)state;
	refuse_csrf = 1;
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR(""), NULL), 403);
	assert_null(strstr(trail, "take"));
	refuse_permit = 1;
	assert_int_equal(get("/targets/7/"), 302);
	assert_null(strstr(trail, "show"));
	assert_string_equal(web_header(&w, "Location"), "/accounts/login/");
	identity = -1;
	assert_int_equal(get("/targets/7/"), 503);
	assert_string_equal(web_header(&w, "Retry-After"), "5");
	known = -1;
	assert_int_equal(get("/targets/7/"), 503);
	known = 0;
	assert_int_equal(get("/targets/7/"), 400);
	assert_string_equal(trail, "host finish ");
}

static void
count_statements(struct request *r, unsigned *n, int64_t *microseconds)
{
	(void)r;
	*n = 3;
	*microseconds = 70;
}

static int
show_busy(struct request *r, struct response *s)
{
	busy = counted(COUNTER_BUSY);
	return respond_text(r, s, 200, "text/plain", STR("eight by"));
}

static void
each_request_and_why_it_was_refused_is_counted(void **state)
{
	static const struct route busy_routes[] = {
		ROUTE(GET, "/", READER, NO_BODY, show_busy),
		ROUTE(POST, "/", LOGIN, KIB(1), show_busy),
	};
	/* static, as others: they are stopped after the test */
	static struct hooks with_count;
	static const struct app busy_app = { .name = "test",
		.routes = busy_routes,
		.nroutes = NELEM(busy_routes),
		.hooks = &with_count,
		.no_pages = true };
	uint64_t before;

	(void)state;
	web_close(&w);
	with_count = hooks;
	with_count.count = count_statements;
	web_open(&w, &busy_app);
	assert_int_equal(get("/"), 200);
	assert_int_equal(busy, 1);
	assert_int_equal(counted(COUNTER_BUSY), 0);
	assert_int_equal(counted(COUNTER_REQUESTS + 2), 1);
	assert_int_equal(counted(COUNTER_BYTES), 8);
	assert_int_equal(counted(COUNTER_STATEMENTS), 3);
	assert_int_equal(counted(COUNTER_STATEMENT_US), 70);
	assert_in_range(counted(COUNTER_DURATION), 0, 10000000);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_CSRF), 0);
	assert_int_equal(web_ask(&w, "POST /", STR(""), NULL), 200);
	assert_int_equal(counted(COUNTER_REQUESTS + COUNTERS_CLASSES + 2), 1);
	refuse_csrf = 1;
	assert_int_equal(web_ask(&w, "POST /", STR(""), NULL), 403);
	assert_int_equal(counted(COUNTER_REQUESTS + COUNTERS_CLASSES + 4), 1);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_CSRF), 1);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_ACCESS), 0);
	refuse_permit = 1;
	assert_int_equal(get("/"), 302);
	assert_int_equal(counted(COUNTER_REQUESTS + 3), 1);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_ACCESS), 1);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_HOST), 0);
	known = 0;
	assert_int_equal(get("/"), 400);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_HOST), 1);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_AWAY), 0);
	known = -1;
	before = counted(COUNTER_BUCKETS);
	for (size_t i = 1; i < COUNTERS_BUCKETS; i++)
		before += counted(COUNTER_BUCKETS + i);
	assert_int_equal(before, 5); /* one for each request so far */
	assert_int_equal(get("/"), 503);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_AWAY), 1);
	assert_int_equal(counted(COUNTER_REFUSED + REFUSED_HOST), 1);
	server_stop(&w.server);
	assert_int_equal(counted(COUNTER_HELD), 0);
}

/* What a stranger sends is not spooled to a disk, nor looked at. */
static void
who_may_not_use_a_row_has_no_body_parsed(void **state)
{
	static const char form[] = "multipart/form-data; boundary=b";
	const struct str body = STR(
	    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n"
	    "\r\nno end of it");
	char type[64];

	(void)state;
	snprintf(type, sizeof(type), "CONTENT_TYPE=%s", form);
	assert_int_equal(web_ask(&w, "POST /upload/", body, type, NULL), 400);
	refuse_permit = 1;
	trail[0] = '\0';
	assert_int_equal(web_ask(&w, "POST /upload/", body, type, NULL), 302);
	assert_string_equal(trail, "host identify LOGIN finish ");
	assert_int_equal(w.at, body.n); /* but it does not stay in the connection */
	assert_int_equal(web_ask(&w, "POST /upload/", body, "CONTENT_LENGTH=999999999", NULL), 302);
	assert_int_equal(web_ask(&w, "POST /upload/?a=%zz", body, type, NULL), 302);
}

static void
a_locked_site_hides_which_paths_exist(void **state)
{
	(void)state;
	refuse_permit = 1;
	assert_int_equal(get("/targets/7/"), 302);
	assert_int_equal(get("/nowhere/"), 302);
	assert_int_equal(get("/targets"), 302);
	assert_int_equal(web_ask(&w, "DELETE /targets/7/", STR_NONE, NULL), 302);
	assert_int_equal(web_ask(&w, "OPTIONS /targets/7/", STR_NONE, NULL), 302);
	assert_int_equal(web_ask(&w, "OPTIONS /nowhere/", STR_NONE, NULL), 302);
	assert_int_equal(get("/targets/7/?a=%zz"), 302);
	assert_int_equal(get("/nowhere/?a=%zz"), 302);
	assert_int_equal(get("/open"), 301);
	assert_int_equal(get("/open/"), 200);
}

static void
ids_are_plain_numbers(void **state)
{
	static const char *const bad[] = { "/targets/07/", "/targets/-7/", "/targets/7x/",
		"/targets/1234567890123456789/", "/targets/+7/", "/targets//" };

	(void)state;
	assert_int_equal(get("/targets/123456789012345678/"), 200);
	assert_int_equal(get("/targets/0/"), 200);
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_int_equal(get(bad[i]), 404);
}

static void
paths_match_exactly_and_texts_hold_any_character(void **state)
{
	(void)state;
	assert_int_equal(get("/targets/name/M 31 \xc3\xa9%25/"), 200);
	assert_string_equal(web_text(&w), "/targets/name/M 31 \xc3\xa9%25/|M 31 \xc3\xa9%25|0|");
	assert_int_equal(get("/targets/name//"), 404);
	assert_int_equal(get("/Targets/"), 404);
	assert_int_equal(get("/x/targets/"), 404);
	assert_int_equal(get("/targets/7/x"), 404);
	assert_int_equal(get("//targets/"), 404);
}

static void
a_missing_slash_is_a_redirect_here(void **state)
{
	(void)state;
	assert_int_equal(get("/targets?page=2&n=%20"), 301);
	assert_string_equal(web_header(&w, "Location"), "/targets/?page=2&n=%20");
	assert_int_equal(get("/targets/name/a b"), 301);
	assert_string_equal(web_header(&w, "Location"), "/targets/name/a%20b/");
	assert_int_equal(web_ask(&w, "HEAD /targets", STR_NONE, NULL), 301);
	assert_int_equal(web_ask(&w, "POST /targets/7", STR("a=1"), NULL), 404);
	assert_int_equal(get("//evil.test"), 404);
	assert_int_equal(get("/upload"), 404);
}

static void
paths_come_divided_in_every_way(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "GET /targets", STR_NONE, "PATH_INFO=/7/", NULL), 200);
	assert_int_equal(web_ask(&w, "GET /", STR_NONE, "SCRIPT_NAME=", "PATH_INFO=/targets/7/",
	                     "SCRIPT_FILENAME=proxy:fcgi://targets/targets/7/", NULL),
	    200);
	assert_int_equal(
	    web_ask(&w, "GET /targets/7/", STR_NONE, "REQUEST_URI=//evil.test/x", NULL), 200);
	assert_int_equal(web_ask(&w, "GET *", STR_NONE, NULL), 400);
	assert_int_equal(get("/a\x01"), 400);
	assert_int_equal(get("/a\r\nSet-Cookie: x=1"), 400);
	assert_int_equal(get("/\xff/"), 400);
}

static void
a_prefix_is_taken_off_and_put_back(void **state)
{
	(void)state;
	web_close(&w);
	setenv("MERIDIAN_URL_PREFIX", "/tom/", 1);
	web_open(&w, &app);
	assert_int_equal(get("/tom/targets/7/"), 200);
	assert_int_equal(strncmp(web_text(&w), "/targets/7/|", 12), 0);
	hear();
	assert_int_equal(get("/targets/7/"), 404);
	assert_string_equal(heard(), ""); /* what is not there is no line of the log */
	assert_int_equal(get("/tomtargets/7/"), 404);
	assert_int_equal(get("/tom/targets"), 301);
	assert_string_equal(web_header(&w, "Location"), "/tom/targets/");
	refuse_permit = 1;
	assert_int_equal(get("/tom/targets/7/"), 302);
	assert_string_equal(web_header(&w, "Location"), "/tom/accounts/login/");
}

static void
other_methods_get_405_and_the_list(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "DELETE /targets/7/", STR_NONE, NULL), 405);
	assert_string_equal(web_header(&w, "Allow"), "GET, HEAD, POST, OPTIONS");
	assert_int_equal(web_ask(&w, "TRACE /targets/", STR_NONE, NULL), 405);
	assert_int_equal(web_ask(&w, "get /targets/", STR_NONE, NULL), 405);
	assert_int_equal(web_ask(&w, "OPTIONS /open/", STR_NONE, NULL), 204);
	assert_string_equal(web_header(&w, "Allow"), "GET, HEAD, OPTIONS");
	assert_int_equal(web_ask(&w, "OPTIONS /targets/7/", STR_NONE, NULL), 204);
	assert_string_equal(web_header(&w, "Allow"), "GET, HEAD, POST, OPTIONS");
	assert_string_equal(web_text(&w), "");
}

static void
head_is_get_without_the_body(void **state)
{
	char length[32];

	(void)state;
	assert_int_equal(get("/targets/7/"), 200);
	snprintf(length, sizeof(length), "%s", web_header(&w, "Content-Length"));
	assert_int_equal(web_ask(&w, "HEAD /targets/7/", STR_NONE, NULL), 200);
	assert_string_equal(web_header(&w, "Content-Length"), length);
	assert_string_equal(web_text(&w), "");
}

static void
parameters_that_came_twice_are_refused(void **state)
{
	static const char *const twice[] = { "+HTTP_HOST=tom.example",
		"+CONTENT_LENGTH=", "+REQUEST_METHOD=GET", "+SCRIPT_NAME=/targets/",
		"+QUERY_STRING=" };

	(void)state;
	for (size_t i = 0; i < NELEM(twice); i++)
		assert_int_equal(web_ask(&w, "GET /targets/", STR_NONE, twice[i], NULL), 400);
	assert_int_equal(web_ask(&w, "GET /targets/", STR_NONE, "HTTP_ORIGIN=https://tom.example",
	                     "+HTTP_ORIGIN=https://evil.test", NULL),
	    400);
	assert_int_equal(web_ask(&w, "GET /targets/", STR_NONE, "HTTP_X_CSRFTOKEN=a",
	                     "+HTTP_X_CSRFTOKEN=b", NULL),
	    400);
	assert_int_equal(
	    web_ask(&w, "GET /targets/", STR_NONE, "HTTP_X_A=a", "+HTTP_X_A=b", NULL), 200);
	/* nginx passes on both; they may only say the same */
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "HTTP_CONTENT_LENGTH=3", NULL), 200);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "HTTP_CONTENT_LENGTH=4", NULL), 400);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "HTTP_CONTENT_TYPE=text/plain", NULL), 400);
}

static void
cookies_are_joined_and_a_planted_session_is_none(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "GET /cookies/", STR_NONE, "HTTP_COOKIE=a=1; __Host-sid=\"x\"",
	                     "+HTTP_COOKIE=b=2", NULL),
	    200);
	assert_string_equal(web_text(&w), "x 3");
	(void)web_ask(
	    &w, "GET /cookies/", STR_NONE, "HTTP_COOKIE=__Host-sid=x; __Host-sid=y", NULL);
	assert_string_equal(web_text(&w), "none 2");
	(void)web_ask(&w, "GET /cookies/", STR_NONE, "HTTP_COOKIE=__Host-sid=x",
	    "+HTTP_COOKIE=__Host-sid=x", NULL);
	assert_string_equal(web_text(&w), "none 2");
	(void)web_ask(&w, "GET /cookies/", STR_NONE,
	    "HTTP_COOKIE=sid=x;;=; \"q\"=1; a b=2; c\x01=3; d=\x02; e", NULL);
	assert_string_equal(web_text(&w), "none 1");
}

static void
bodies_are_as_long_as_they_say(void **state)
{
	(void)state;
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "CONTENT_LENGTH=4", NULL), 400);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "CONTENT_LENGTH=2", NULL), 400);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("a=1"), "CONTENT_LENGTH=", NULL), 411);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "CONTENT_LENGTH=-1", NULL), 400);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "CONTENT_LENGTH=3x", NULL), 400);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("a=1"),
	                     "CONTENT_LENGTH=99999999999999999999", NULL),
	    400);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("a=1"), "HTTP_TRANSFER_ENCODING=chunked", NULL),
	    200);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR(""), NULL), 200);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR_NONE, NULL), 200);
	w.breaks = 0;
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("a=1"), NULL), 400);
	w.breaks = SIZE_MAX;
}

static void
bodies_above_the_limit_of_the_row_are_refused_and_drained(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "name=");
	while (b.n < KIB(4))
		buf_putc(&b, 'x');
	assert_int_equal(web_ask(&w, "POST /targets/7/", buf_text(&b), NULL), 200);
	buf_putc(&b, 'x');
	assert_int_equal(web_ask(&w, "POST /targets/7/", buf_text(&b), NULL), 413);
	assert_int_equal(w.at, b.n);
	assert_int_equal(web_ask(&w, "GET /targets/7/", STR("a"), NULL), 413);
	assert_int_equal(w.at, 1);
	assert_int_equal(web_ask(&w, "POST /nowhere/", buf_text(&b), NULL), 404);
	assert_int_equal(w.at, b.n);
	buf_free(&b);
}

static void
bodies_of_other_types_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("{}"), "CONTENT_TYPE=application/json", NULL), 415);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("{}"), "CONTENT_TYPE=text/plain", NULL), 415);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("{}"), "CONTENT_TYPE=", NULL), 415);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("name=a"),
	                     "CONTENT_TYPE=Application/X-WWW-Form-Urlencoded; charset=utf-8", NULL),
	    200);
	assert_int_equal(web_ask(&w, "POST /targets/7/", STR("name=%zz"), NULL), 400);
}

static void
multipart_files_are_read_from_the_start(void **state)
{
	(void)state;
	assert_int_equal(
	    web_ask(&w, "POST /upload/",
	        STR("--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nM 31\r\n"
	            "--b\r\nContent-Disposition: form-data; name=\"file\"; "
	            "filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\nname,ra\r\n"
	            "\r\n--b--\r\n"),
	        "CONTENT_TYPE=multipart/form-data; boundary=b", NULL),
	    200);
	assert_string_equal(web_text(&w), "M 31|a.csv|name,ra\r\n");
	assert_int_equal(web_ask(&w, "POST /upload/", STR("--b\r\n"),
	                     "CONTENT_TYPE=multipart/form-data; boundary=b", NULL),
	    400);
	assert_int_equal(web_ask(&w, "POST /upload/", STR("--b--\r\n"),
	                     "CONTENT_TYPE=multipart/form-data", NULL),
	    400);
}

static void
handlers_that_fail_give_a_clean_500(void **state)
{
	(void)state;
	hear();
	assert_int_equal(get("/fail/"), 500);
	assert_non_null(
	    strstr(heard(), "\"event\":\"handler failed\",\"handler\":\"fail_quietly\""));
	assert_string_equal(web_header(&w, "X-Half"), "");
	assert_non_null(strstr(web_text(&w), "Something went wrong"));
	assert_int_equal(get("/nothing/"), 500);
	assert_int_equal(get("/wrong/"), 500);
	assert_string_equal(web_header(&w, "X-Bad"), "");
	assert_null(strstr(w.head.p, "Set-Cookie"));
}

static void
unknown_hosts_are_refused_and_not_echoed(void **state)
{
	static const char *const bad[] = { "HTTP_HOST=evil.test", "HTTP_HOST=tom.example@evil.test",
		"HTTP_HOST=", "HTTP_HOST=tom.example:80/x" };
	const char *said;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		hear();
		assert_int_equal(web_ask(&w, "GET /targets/7/", STR_NONE, bad[i], NULL), 400);
		said = heard();
		assert_non_null(
		    strstr(said, "\"event\":\"request refused\",\"status\":400,\"why\":\""));
		assert_int_equal(strstr(said, "does not answer to that host name") != NULL, i == 0);
		assert_null(strstr(web_text(&w), "evil"));
		assert_null(strstr(w.head.p, "evil"));
	}
	assert_int_equal(
	    web_ask(&w, "GET /targets/7/", STR_NONE, "HTTP_HOST=TOM.example:8080", NULL), 200);
	assert_int_equal(web_ask(&w, "GET /targets/7/", STR_NONE, "HTTP_HOST=evil.test",
	                     "HTTP_X_FORWARDED_HOST=tom.example", NULL),
	    400);
}

static void
insecure_http_serves_loopback_only(void **state)
{
	(void)state;
	web_close(&w);
	setenv("MERIDIAN_INSECURE_HTTP", "yes", 1);
	web_open(&w, &app);
	assert_int_equal(get("/targets/7/"), 200);
	hear();
	assert_int_equal(
	    web_ask(&w, "GET /targets/7/", STR_NONE, "SERVER_ADDR=192.0.2.1", NULL), 403);
	assert_non_null(strstr(heard(), "\"event\":\"request refused\",\"status\":403"));
	assert_int_equal(web_ask(&w, "GET /targets/7/", STR_NONE, "SERVER_ADDR=", NULL), 403);
	assert_int_equal(web_ask(&w, "GET /targets/7/", STR_NONE, "SERVER_ADDR=::1", NULL), 200);
	assert_int_equal(
	    web_ask(&w, "GET /targets/7/", STR_NONE, "SERVER_ADDR=192.0.2.1", "HTTPS=on", NULL),
	    200);
	(void)web_ask(&w, "GET /cookies/", STR_NONE, "HTTP_COOKIE=sid=x", NULL);
	assert_string_equal(web_text(&w), "x 1");
}

static void
tables_without_access_are_refused(void **state)
{
	static const struct route bad[] = {
		{ .method = GET, .path = "/", .handler = show, .name = "show" },
	};
	const struct app lax = { .name = "lax", .routes = bad, .nroutes = 1 };

	(void)state;
	assert_non_null(route_check(&lax));
	assert_null(route_check(&app));
}

static int starts; /* what the start hook of an executable says */

static int
start(struct app_state *state)
{
	(void)state;
	return starts;
}

static unsigned idles;

static void
idle(struct app_state *state)
{
	(void)state;
	idles++;
}

/* Hooks may be missing, one by one or all: what they would say is taken for granted. */
static void
an_app_without_hooks_serves_who_it_may(void **state)
{
	static const struct hooks none = { .identify = NULL },
	                          some = { .start = start, .idle = idle };
	static struct app plain;
	const struct hooks *const all[] = { NULL, &none, &some };

	(void)state;
	setenv("MERIDIAN_ALLOWED_HOSTS", "tom.example", 1);
	starts = 0;
	idles = 0;
	plain = app;
	plain.start = start;
	for (size_t i = 0; i < NELEM(all); i++) {
		web_close(&w);
		plain.hooks = all[i];
		web_open(&w, &plain);
		assert_int_equal(get("/targets/7/"), 200);
		assert_int_equal(web_ask(&w, "POST /targets/7/", STR("name=a"), NULL), 200);
		assert_int_equal(get("/nowhere/"), 404);
		server_rest(&w.server);
	}
	assert_int_equal(idles, 1);
	unsetenv("MERIDIAN_ALLOWED_HOSTS");
	/* nobody says which other hosts are known: none is */
	web_close(&w);
	for (size_t i = 0; i < NELEM(all); i++) {
		plain.hooks = i == 0 ? NULL : &none;
		web_open(&w, &plain);
		assert_int_equal(
		    web_ask(&w, "GET /targets/7/", STR_NONE, "HTTP_HOST=a.test", NULL), 400);
		if (i + 1 < NELEM(all))
			web_close(&w);
	}
}

static void
what_a_request_took_is_given_back(void **state)
{
	(void)state;
	assert_int_equal(get("/targets/7/"), 200);
	assert_int_equal(arena_used(w.server.arena), 0);
	assert_true(w.server.body.room > 0); /* for the next one */
	assert_int_equal(get("/much/"), 200);
	assert_int_equal(w.body.n, KIB(300));
	assert_int_equal(arena_used(w.server.arena), 0);
	assert_int_equal(w.server.body.room, 0);
}

/* Whatever query and body come: they are not looked at, nor refused. */
static void
a_bare_app_reads_nothing(void **state)
{
	static struct app bare;

	(void)state;
	web_close(&w);
	bare = app;
	bare.bare = bare.any_host = true;
	web_open(&w, &bare);
	assert_int_equal(
	    web_ask(&w, "GET /targets/7/?a=%zz", STR("x"), "HTTP_HOST=a.test", NULL), 200);
	assert_int_equal(
	    web_ask(&w, "POST /targets/7/", STR("{}"), "CONTENT_TYPE=text/plain", NULL), 200);
	assert_string_equal(web_text(&w), "||");
	assert_int_equal(w.at, 2); /* but it does not stay in the connection */
}

static void
count(struct request *r, unsigned *statements, int64_t *microseconds)
{
	(void)r;
	*statements = 3;
	*microseconds = 45;
}

static void
a_request_is_a_line_of_the_log_where_that_is_wished(void **state)
{
	static const struct hooks counting = { .count = count };
	static struct app counted;
	const char *said;

	(void)state;
	setenv("MERIDIAN_ALLOWED_HOSTS", "tom.example", 1);
	for (int i = 0; i < 2; i++) {
		web_close(&w);
		counted = app;
		counted.hooks = i == 0 ? NULL : &counting;
		web_open(&w, &counted);
		hear();
		assert_int_equal(get("/targets/7/"), 200);
		assert_string_equal(heard(), "");
		w.server.log_requests = true;
		hear();
		assert_int_equal(get("/targets/7/"), 200);
		said = heard();
		assert_non_null(strstr(said,
		    "\"event\":\"request\",\"route\":\"/targets/<id>/\",\"method\":\"GET\","
		    "\"status\":200,\"bytes\":16,\"microseconds\":"));
		assert_non_null(strstr(said,
		    i == 0 ? ",\"statements\":0,\"statement_us\":0}"
		           : ",\"statements\":3,\"statement_us\":45}"));
		assert_non_null(strstr(said, "\"request\":\""));
		hear();
		assert_int_equal(web_ask(&w, "GET *", STR_NONE, NULL), 400);
		assert_non_null(
		    strstr(heard(), "\"route\":\"\",\"method\":\"GET\",\"status\":400"));
	}
	unsetenv("MERIDIAN_ALLOWED_HOSTS");
}

static void
stop_of_app(struct app_state *state)
{
	(void)state;
	note("app");
}

static void
stop_of_hooks(struct app_state *state)
{
	(void)state;
	note("hooks");
}

static void
what_was_started_last_is_stopped_first(void **state)
{
	static const struct hooks stopping = { .stop = stop_of_hooks };
	static struct app stopped;

	(void)state;
	web_close(&w);
	stopped = app;
	stopped.hooks = &stopping;
	stopped.stop = stop_of_app;
	web_open(&w, &stopped);
	trail[0] = '\0';
	server_stop(&w.server);
	assert_string_equal(trail, "app hooks ");
}

/* What the hooks and the executable say they need. */
static void
needs_group(const struct app_state *state, struct sandbox *box)
{
	(void)state;
	sandbox_read(box, "/etc/group");
}

static void
needs_hosts(const struct app_state *state, struct sandbox *box)
{
	(void)state;
	sandbox_read(box, "/etc/hosts");
}

static bool
opens(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The exit status of a worker that is confined: a bit for each file that it can open. */
static int
files_of(const struct app *of)
{
	const char *directory = multipart_directory();
	struct web worker;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		web_open(&worker, of);
		if (server_confine(&worker.server) != 0)
			_exit(99);
		_exit((opens("/etc/group") ? 1 : 0) | (opens("/etc/hosts") ? 2 : 0) |
		    (opens("/etc/passwd") ? 4 : 0) |
		    (open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) >= 0 ? 8 : 0));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
a_confined_worker_keeps_what_each_says_it_needs(void **state)
{
	static const struct hooks needing = { .needs = needs_group }, none = { .needs = NULL };
	static const struct route small[] = { ROUTE(GET, "/", READER, NO_BODY, show) };
	static struct app confined;
	struct sandbox box;

	(void)state;
#ifdef SANITIZED
	skip(); /* nothing is given up there */
#endif
	sandbox_begin(&box);
	if (box.abi == 0)
		skip(); /* the kernel has no Landlock */
	close(box.rules);
	confined = app;
	confined.hooks = &needing;
	confined.needs = needs_hosts;
	assert_int_equal(files_of(&confined), 1 | 2 | 8);
	confined.needs = NULL;
	assert_int_equal(files_of(&confined), 1 | 8);
	confined.hooks = &none;
	assert_int_equal(files_of(&confined), 8);
	confined.hooks = NULL;
	confined.needs = needs_hosts;
	confined.routes = small;
	confined.nroutes = NELEM(small);
	assert_int_equal(files_of(&confined), 2);
	setenv("MERIDIAN_SANDBOX", "no", 1);
	assert_int_equal(files_of(&confined), 15);
	unsetenv("MERIDIAN_SANDBOX");
}

static void
a_worker_that_cannot_start_says_so(void **state)
{
	static const struct hooks some = { .start = start };
	struct app broken = app;
	struct server server;

	(void)state;
	for (int i = 0; i < 2; i++) {
		broken.hooks = i == 0 ? &some : &hooks;
		broken.start = i == 0 ? NULL : start;
		starts = -1;
		assert_int_equal(server_start(&server, &broken, w.config, NULL), -1);
		server_free(&server);
		starts = 0;
		assert_int_equal(server_start(&server, &broken, w.config, NULL), 0);
		server_free(&server);
	}
}

static void
who_is_unknown_is_not_told_what_exists(void **state)
{
	(void)state;
	identity = -1;
	assert_int_equal(get("/nowhere/"), 503);
	assert_int_equal(get("/targets"), 503);
	assert_string_equal(trail, "host identify finish ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hooks_are_called_in_order, open_web, close_web),
		cmocka_unit_test_setup_teardown(a_hook_that_refuses_answers, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    who_may_not_use_a_row_has_no_body_parsed, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    a_locked_site_hides_which_paths_exist, open_web, close_web),
		cmocka_unit_test_setup_teardown(ids_are_plain_numbers, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    each_request_and_why_it_was_refused_is_counted, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    paths_match_exactly_and_texts_hold_any_character, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    a_missing_slash_is_a_redirect_here, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    paths_come_divided_in_every_way, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    a_prefix_is_taken_off_and_put_back, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    other_methods_get_405_and_the_list, open_web, close_web),
		cmocka_unit_test_setup_teardown(head_is_get_without_the_body, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    parameters_that_came_twice_are_refused, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    cookies_are_joined_and_a_planted_session_is_none, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    bodies_are_as_long_as_they_say, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    bodies_above_the_limit_of_the_row_are_refused_and_drained, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    bodies_of_other_types_are_refused, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    multipart_files_are_read_from_the_start, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    handlers_that_fail_give_a_clean_500, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    unknown_hosts_are_refused_and_not_echoed, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    insecure_http_serves_loopback_only, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    tables_without_access_are_refused, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    an_app_without_hooks_serves_who_it_may, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    what_a_request_took_is_given_back, open_web, close_web),
		cmocka_unit_test_setup_teardown(a_bare_app_reads_nothing, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    a_request_is_a_line_of_the_log_where_that_is_wished, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    what_was_started_last_is_stopped_first, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    a_confined_worker_keeps_what_each_says_it_needs, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    a_worker_that_cannot_start_says_so, open_web, close_web),
		cmocka_unit_test_setup_teardown(
		    who_is_unknown_is_not_told_what_exists, open_web, close_web),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
