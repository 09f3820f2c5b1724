/*
 * page: what every page can show, messages that are shown once, error pages with and without
 * templates, static files by their manifest.
 */
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/template.h"

static char dir[] = "/tmp/meridian-unit-XXXXXX";
static struct web w;

static int
show(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena);

	value_set_cstr(page, "own", "<mine>");
	return respond_page(r, s, 200, "page", page);
}

static int
missing(struct request *r, struct response *s)
{
	return respond_page(r, s, 200, "none", NULL);
}

static int
message(struct request *r, struct response *s)
{
	respond_message(r, s, "ok", STR("Saved \xc3\xa9 & <b>."));
	respond_message(r, s, "bad", STR("But; that."));
	return respond_redirect(r, s, STR("/"));
}

static int
json(struct request *r, struct response *s)
{
	struct value *v = value_object(r->arena);

	value_set_int(v, "n", 1);
	return respond_json(r, s, 200, v);
}

static void
context(struct request *r, struct value *page)
{
	(void)r;
	value_set_cstr(page, "csrf", "token");
}

static const struct route routes[] = {
	ROUTE(GET, "/", ANYONE, NO_BODY, show),
	ROUTE(GET, "/missing/", ANYONE, NO_BODY, missing),
	ROUTE(GET, "/json/", ANYONE, NO_BODY, json),
	ROUTE(POST, "/message/", ANYONE, KIB(1), message),
};
static const struct hooks hooks = { .context = context };
static const struct app app = { .name = "admin-sites",
	.routes = routes,
	.nroutes = NELEM(routes),
	.hooks = &hooks,
	.any_host = true };

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)remove(path);
}

static int
open_web(void **state)
{
	char err[256] = "", path[128];

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file("page.html",
	    "{{own}}|{{tom_name}}|{{prefix}}|{{path}}|{{csrf}}|{{#nav.admin}}admin{{/nav.admin}}|"
	    "{{asset.style_css}}|{{#messages}}{{kind}}:{{text}};{{/messages}}|{{now}}|"
	    "{{request_id}}");
	write_file("error.html", "<h1>{{title}}</h1>{{status}} {{why}} {{request_id}}");
	snprintf(path, sizeof(path), "%s/static", dir);
	mkdir(path, 0700);
	write_file(
	    "static/manifest", "style.css style.0123.css\nlight-curve.js light-curve.4567.js\n");
	setenv("MERIDIAN_SHARE_DIR", dir, 1);
	setenv("MERIDIAN_URL_PREFIX", "/tom", 1);
	setenv("MERIDIAN_TOM_NAME", "T&M", 1);
	web_open(&w, &app);
	w.server.app.templates = templates_new(dir, NULL);
	assert_int_equal(templates_compile_all(w.server.app.templates, err, sizeof(err)), 0);
	return 0;
}

static int
close_web(void **state)
{
	(void)state;
	templates_free(w.server.app.templates);
	web_close(&w);
	remove_file("page.html");
	remove_file("error.html");
	remove_file("static/manifest");
	remove_file("static");
	rmdir(dir);
	return 0;
}

static void
pages_know_their_context(void **state)
{
	char *at;

	(void)state;
	assert_int_equal(web_ask(&w, "GET /tom/", STR_NONE, NULL), 200);
	at = strstr(web_text(&w), "||");
	assert_non_null(at);
	assert_int_equal(strncmp(web_text(&w),
	                     "&lt;mine&gt;|T&amp;M|/tom|/|token|admin|/tom/static/style.0123.css||",
	                     strlen("&lt;mine&gt;|T&amp;M|/tom|/|token|admin|"
	                            "/tom/static/style.0123.css||")),
	    0);
	assert_string_equal(web_header(&w, "Content-Type"), "text/html; charset=utf-8");
}

static void
messages_are_shown_once(void **state)
{
	char cookie[512];

	(void)state;
	assert_int_equal(web_ask(&w, "POST /tom/message/", STR(""), NULL), 302);
	snprintf(cookie, sizeof(cookie), "HTTP_COOKIE=%.*s",
	    (int)strcspn(web_header(&w, "Set-Cookie"), ";"), web_header(&w, "Set-Cookie"));
	assert_non_null(strstr(cookie, "__Host-messages=ok:Saved%20"));
	/* one cookie, not one a message */
	assert_null(strstr(strstr(w.head.p, "Set-Cookie") + 1, "Set-Cookie"));
	assert_int_equal(web_ask(&w, "GET /tom/", STR_NONE, cookie, NULL), 200);
	assert_non_null(
	    strstr(web_text(&w), "|ok:Saved \xc3\xa9 &amp; &lt;b&gt;.;bad:But; that.;|"));
	assert_non_null(strstr(web_header(&w, "Set-Cookie"), "Max-Age=0"));
	assert_int_equal(web_ask(&w, "GET /tom/", STR_NONE,
	                     "HTTP_COOKIE=__Host-messages=evil:%ff&&x&ok&:%", NULL),
	    200);
}

static void
error_pages_quote_their_request(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "GET /tom/none/", STR_NONE, NULL), 404);
	assert_non_null(strstr(web_text(&w), "<h1>Not found</h1>404 There is nothing"));
	assert_int_equal(strlen(strrchr(web_text(&w), ' ') + 1), 13);
}

static void
a_page_that_fails_is_a_500(void **state)
{
	struct templates *kept = w.server.app.templates;

	(void)state;
	assert_int_equal(web_ask(&w, "GET /tom/missing/", STR_NONE, NULL), 500);
	assert_non_null(strstr(web_text(&w), "<h1>Error</h1>500"));
	w.server.app.templates = NULL;
	assert_int_equal(web_ask(&w, "GET /tom/", STR_NONE, NULL), 500);
	assert_non_null(strstr(web_text(&w), "<!doctype html>"));
	w.server.app.templates = kept;
}

static void
json_is_json(void **state)
{
	(void)state;
	assert_int_equal(web_ask(&w, "GET /tom/json/", STR_NONE, NULL), 200);
	assert_string_equal(web_header(&w, "Content-Type"), "application/json");
	assert_string_equal(web_header(&w, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(web_text(&w), "{\"n\":1}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_know_their_context),
		cmocka_unit_test(messages_are_shown_once),
		cmocka_unit_test(error_pages_quote_their_request),
		cmocka_unit_test(a_page_that_fails_is_a_500),
		cmocka_unit_test(json_is_json),
	};

	return cmocka_run_group_tests_name("page", tests, open_web, close_web);
}
