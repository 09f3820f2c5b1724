/*
 * request: the web server's parameters and a body become a struct request, or a refusal.
 */
#include "web.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena *a;
static struct config *config;
static struct app app;
static struct app_state state_of_app;
static struct request r;
static struct route route;

/* What the peer sends: its bytes, over and over where `endless`; then an end, or nothing where `lost`. */
static struct {
	struct str bytes;
	size_t at, piece;
	bool endless, lost, hurried;
	int reads;
} peer;

static ssize_t
peer_read(void *arg, void *to, size_t n)
{
	size_t left = peer.bytes.n - peer.at;

	(void)arg;
	peer.reads++;
	if (peer.endless)
		return memset(to, 'x', n) == NULL ? -1 : (ssize_t)n;
	if (left == 0)
		return peer.lost ? -1 : 0;
	if (n > left)
		n = left;
	if (peer.piece > 0 && n > peer.piece)
		n = peer.piece;
	memcpy(to, peer.bytes.p + peer.at, n);
	peer.at += n;
	return (ssize_t)n;
}

static void
peer_hurry(void *arg)
{
	(void)arg;
	peer.hurried = true;
}

static const struct transport transport = { .read = peer_read };
static const struct transport hurried = { .read = peer_read, .hurry = peer_hurry };

static void
fresh(void)
{
	arena_reset(a);
	memset(&r, 0, sizeof(r));
	r.app = &state_of_app;
	r.arena = a;
	r.transport = &transport;
	r.route = &route;
	memset(&peer, 0, sizeof(peer));
}

/* Parses the usual parameters and those given, ended by NULL, which replace those of their name. */
static int
parse(const char *param, ...)
{
	static const char *const usual[] = { "REQUEST_METHOD=GET", "SCRIPT_NAME=/a/",
		"SERVER_ADDR=127.0.0.1", "REMOTE_ADDR=192.0.2.1", "HTTP_HOST=tom.example" };
	char *list[64];
	size_t n = 0;
	va_list ap;

	fresh();
	va_start(ap, param);
	for (; param != NULL; param = va_arg(ap, const char *))
		list[n++] = (char *)(uintptr_t)param;
	va_end(ap);
	for (size_t i = 0, given = n; i < NELEM(usual); i++) {
		size_t k = 0;

		while (k < given && strncmp(list[k], usual[i], strcspn(usual[i], "=") + 1) != 0)
			k++;
		if (k == given)
			list[n++] = (char *)(uintptr_t)usual[i];
	}
	list[n] = NULL;
	return request_parse(&r, list).status;
}

static void
set(const char *name, const char *value)
{
	char err[200];

	if (value == NULL)
		unsetenv(name);
	else
		setenv(name, value, 1);
	config_free(config);
	config = config_load(err, sizeof(err));
	assert_non_null(config);
	state_of_app.config = config;
}

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	app = (struct app){ .name = "test" };
	state_of_app = (struct app_state){ .app = &app, .prefix = STR("") };
	set("MERIDIAN_TRUSTED_PROXIES", NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unsetenv("MERIDIAN_TRUSTED_PROXIES");
	config_free(config);
	config = NULL;
	arena_free(a);
	return 0;
}

/* --- parameters --- */

static void
each_parameter_that_decides_stands_once(void **state)
{
	static const char *const names[] = { "REQUEST_METHOD", "REQUEST_URI", "SCRIPT_NAME",
		"PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "CONTENT_TYPE",
		"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_HOST", "HTTPS", "SERVER_ADDR",
		"REMOTE_ADDR", "REMOTE_USER", "HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_REFERER",
		"HTTP_SEC_FETCH_SITE", "HTTP_X_CSRFTOKEN" };
	static const char *const other[] = { "HTTP_COOKIE", "HTTP_ACCEPT", "HTTP_X_CSR",
		"HTTP_HOST2", "HTTP_ORIGI" };
	char once[64], empty[64];

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		snprintf(empty, sizeof(empty), "%s=", names[i]);
		assert_int_equal(parse(empty, empty, NULL), 400);
		/* two that differ */
		snprintf(once, sizeof(once), "%s=/1", names[i]);
		assert_int_equal(parse(once, empty, NULL), 400);
	}
	for (size_t i = 0; i < NELEM(other); i++) {
		snprintf(once, sizeof(once), "%s=1", other[i]);
		assert_int_equal(parse(once, once, NULL), 0);
	}
	/* all headers of that kind are one */
	assert_int_equal(parse("HTTP_X_CSRFTOKEN=a", "HTTP_X_CSRF_TOKEN=a", NULL), 400);
	assert_int_equal(parse("HTTP_X_CSRFTOKEN=a", "HTTP_ORIGIN=https://a", NULL), 0);
}

static void
what_is_no_pair_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(parse("NOTHING", "HTTP_A=b=c", "=x", NULL), 0);
	assert_int_equal(r.params.n, 7);
	assert_str(request_header(&r, "HTTP_A"), "b=c");
	assert_null(request_header(&r, "NOTHING").p);
	assert_null(request_header(&r, "HTTP_B").p);
	/* nothing at all */
	fresh();
	assert_int_equal(
	    request_parse(&r, (char *[]){ NULL, (char *)(uintptr_t) "HTTP_A=b" }).status, 400);
	assert_int_equal(r.params.n, 0);
}

static void
methods_are_known_by_their_exact_name(void **state)
{
	static const struct {
		const char *param;
		enum method method;
	} all[] = { { "REQUEST_METHOD=GET", GET }, { "REQUEST_METHOD=HEAD", HEAD },
		{ "REQUEST_METHOD=POST", POST }, { "REQUEST_METHOD=PUT", PUT },
		{ "REQUEST_METHOD=PATCH", PATCH }, { "REQUEST_METHOD=DELETE", DELETE },
		{ "REQUEST_METHOD=OPTIONS", OPTIONS }, { "REQUEST_METHOD=", 0 },
		{ "REQUEST_METHOD=get", 0 }, { "REQUEST_METHOD=GETS", 0 },
		{ "REQUEST_METHOD=TRACE", 0 }, { "REQUEST_METHOD=?", 0 } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		assert_int_equal(parse(all[i].param, NULL), 0);
		assert_int_equal(r.method, all[i].method);
		assert_int_equal(
		    request_is_safe(&r), all[i].method == GET || all[i].method == HEAD);
	}
}

static void
the_first_refusal_answers_and_the_rest_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse("CONTENT_LENGTH=x", "SCRIPT_NAME=a", "HTTP_HOST=tom.example",
	                     "QUERY_STRING=q=1", "HTTPS=on", NULL),
	    400);
	assert_str(r.host, "tom.example");
	assert_str(r.query, "q=1");
	assert_str(r.scheme, "https");
	assert_str(r.path, "");
	assert_int_equal(parse("SCRIPT_NAME=", NULL), 400);
	assert_str(r.query, "");
	assert_str(r.content_type, "");
}

/* --- the path --- */

static void
paths_hold_no_control_byte(void **state)
{
	(void)state;
	for (int i = 1; i < 0x80; i++) {
		char script[32];

		snprintf(script, sizeof(script), "SCRIPT_NAME=/a%cb", i);
		assert_int_equal(parse(script, NULL), i < 0x20 || i == 0x7f ? 400 : 0);
		if (i >= 0x20 && i != 0x7f)
			assert_str(r.path, script + 12);
	}
	assert_int_equal(parse("SCRIPT_NAME=/\xc3\xa9", NULL), 0);
	assert_int_equal(parse("SCRIPT_NAME=/\xc3", NULL), 400);
	assert_int_equal(parse("SCRIPT_NAME=a/", NULL), 400);
	assert_int_equal(parse("SCRIPT_NAME=", "PATH_INFO=", NULL), 400);
	assert_int_equal(parse("SCRIPT_NAME=/x", "PATH_INFO=/y", NULL), 0);
	assert_str(r.path, "/x/y");
	assert_int_equal(parse("SCRIPT_NAME=", "PATH_INFO=/y", NULL), 0);
	assert_str(r.path, "/y");
	assert_int_equal(parse("SCRIPT_NAME=/", "PATH_INFO=y", NULL), 0);
	assert_str(r.path, "/y");
}

static void
paths_are_8_KiB_at_most(void **state)
{
	static char script[KIB(8) + 32] = "SCRIPT_NAME=/";

	(void)state;
	memset(script + 13, 'a', KIB(8));
	script[12 + KIB(8)] = '\0';
	assert_int_equal(parse(script, NULL), 0);
	assert_int_equal(r.path.n, KIB(8));
	assert_int_equal(parse(script, "PATH_INFO=b", NULL), 400);
	script[12 + KIB(8)] = 'a';
	script[13 + KIB(8)] = '\0';
	assert_int_equal(parse(script, NULL), 400);
	script[12 + KIB(4)] = '\0';
	memcpy(script, "PATH_INFO=/a", 12);
	assert_int_equal(parse("SCRIPT_NAME=/", script, NULL), 0);
}

static void
a_prefix_ends_at_a_slash(void **state)
{
	(void)state;
	state_of_app.prefix = STR("/tom");
	assert_int_equal(parse("SCRIPT_NAME=/tom/a/", NULL), 0);
	assert_str(r.path, "/a/");
	assert_int_equal(parse("SCRIPT_NAME=/tom/", NULL), 0);
	assert_str(r.path, "/");
	assert_int_equal(parse("SCRIPT_NAME=/tom", NULL), 0);
	assert_str(r.path, "/");
	assert_int_equal(parse("SCRIPT_NAME=/to", NULL), 404);
	assert_int_equal(parse("SCRIPT_NAME=/toms/", NULL), 404);
	assert_int_equal(parse("SCRIPT_NAME=/a/tom/", NULL), 404);
	assert_int_equal(parse("SCRIPT_NAME=/Tom/", NULL), 404);
	assert_str(request_url(&r, "/x"), "/tom/x");
}

/* --- length and type --- */

static void
lengths_are_plain_numbers(void **state)
{
	static const char *const bad[] = { "CONTENT_LENGTH=-1", "CONTENT_LENGTH=-0",
		"CONTENT_LENGTH=+1", "CONTENT_LENGTH=1 ", "CONTENT_LENGTH= 1", "CONTENT_LENGTH=1,1",
		"CONTENT_LENGTH=0x1", "CONTENT_LENGTH=9223372036854775808", "CONTENT_LENGTH=a" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_int_equal(parse(bad[i], NULL), 400);
	assert_int_equal(parse("CONTENT_LENGTH=", NULL), 0);
	assert_true(r.content_length == -1);
	assert_int_equal(parse(NULL), 0);
	assert_true(r.content_length == -1);
	assert_int_equal(parse("CONTENT_LENGTH=9223372036854775807", NULL), 0);
	assert_true(r.content_length == INT64_MAX);
	assert_int_equal(parse("CONTENT_LENGTH=3", "HTTP_CONTENT_LENGTH=3", NULL), 0);
	assert_int_equal(parse("CONTENT_LENGTH=3", "HTTP_CONTENT_LENGTH=", NULL), 0);
	assert_int_equal(parse("CONTENT_LENGTH=3", "HTTP_CONTENT_LENGTH=03", NULL), 400);
	assert_int_equal(parse("CONTENT_LENGTH=", "HTTP_CONTENT_LENGTH=3", NULL), 0);
	assert_true(r.content_length == -1);
	assert_int_equal(parse("CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=a/b", NULL), 0);
	assert_int_equal(parse("CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=", NULL), 0);
	assert_int_equal(parse("CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=a/c", NULL), 400);
	assert_int_equal(parse("CONTENT_TYPE=", "HTTP_CONTENT_TYPE=a/c", NULL), 0);
}

/* --- host, scheme, address --- */

static void
a_host_must_be_one(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP_HOST=Tom.Example:8080", NULL), 0);
	assert_str(r.host, "tom.example:8080");
	assert_int_equal(parse("HTTP_HOST=", NULL), 400);
	assert_str(r.host, "");
	assert_int_equal(parse("HTTP_HOST=a/b", NULL), 400);
	app.any_host = true;
	assert_int_equal(parse("HTTP_HOST=a/b", NULL), 0);
	assert_str(r.host, "");
	assert_int_equal(parse("HTTP_HOST=b.test", NULL), 0);
	assert_str(r.host, "b.test");
}

static void
https_is_what_the_server_says(void **state)
{
	static const struct {
		const char *param;
		bool https;
	} all[] = { { "HTTPS=on", true }, { "HTTPS=1", true }, { "HTTPS=off", false },
		{ "HTTPS=OFF", false }, { "HTTPS=0", false }, { "HTTPS=", false },
		{ "A=b", false } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		assert_int_equal(parse(all[i].param, NULL), 0);
		assert_int_equal(r.https, all[i].https);
		assert_str(r.scheme, all[i].https ? "https" : "http");
	}
}

static void
without_tls_only_this_machine_is_served(void **state)
{
	static const char *const near[] = { "SERVER_ADDR=127.0.0.1", "SERVER_ADDR=127.1.2.3",
		"SERVER_ADDR=::1", "SERVER_ADDR=[::1]", "SERVER_ADDR=::ffff:127.0.0.1" };
	static const char *const far[] = { "SERVER_ADDR=192.0.2.1", "SERVER_ADDR=::2",
		"SERVER_ADDR=", "SERVER_ADDR=::ffff:192.0.2.1", "SERVER_ADDR=128.0.0.1",
		"SERVER_ADDR=::11" };

	(void)state;
	for (size_t i = 0; i < NELEM(far); i++)
		assert_int_equal(parse(far[i], NULL), 0);
	state_of_app.insecure_http = true;
	for (size_t i = 0; i < NELEM(near); i++)
		assert_int_equal(parse(near[i], NULL), 0);
	for (size_t i = 0; i < NELEM(far); i++) {
		assert_int_equal(parse(far[i], NULL), 403);
		assert_int_equal(parse(far[i], "HTTPS=on", NULL), 0);
	}
	app.any_host = true;
	assert_int_equal(parse(far[0], NULL), 0);
}

static void
addresses_come_from_trusted_proxies_only(void **state)
{
	(void)state;
	(void)parse("REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED_FOR=198.51.100.7", NULL);
	assert_str(r.remote_addr, "192.0.2.1");
	(void)parse("REMOTE_ADDR=", NULL);
	assert_str(r.remote_addr, "");
	set("MERIDIAN_TRUSTED_PROXIES", "192.0.2.0/24 203.0.113.9");
	(void)parse("REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED_FOR=198.51.100.7", NULL);
	assert_str(r.remote_addr, "198.51.100.7");
	(void)parse("REMOTE_ADDR=198.51.100.1", "HTTP_X_FORWARDED_FOR=198.51.100.7", NULL);
	assert_str(r.remote_addr, "198.51.100.1");
	(void)parse("REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED=198.51.100.7", NULL);
	assert_str(r.remote_addr, "192.0.2.1");
	/* one list in two parts, the last hop last */
	(void)parse("REMOTE_ADDR=192.0.2.1", "HTTP_X_FORWARDED_FOR=1.1.1.1, 198.51.100.7",
	    "HTTP_X_FORWARDED_FOR=192.0.2.2", NULL);
	assert_str(r.remote_addr, "198.51.100.7");
}

/* Of more than eight parts the first are cut off; what is known of the last stays right. */
static void
many_headers_of_hops_keep_the_last(void **state)
{
	(void)state;
	set("MERIDIAN_TRUSTED_PROXIES", "10.0.0.0/8");
#define HOP(n) "HTTP_X_FORWARDED_FOR=10.0.0." #n
	(void)parse("REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=1.1.1.1", HOP(2), HOP(3), HOP(4),
	    HOP(5), HOP(6), HOP(7), HOP(8), NULL);
	assert_str(r.remote_addr, "1.1.1.1");
	(void)parse("REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=1.1.1.1", HOP(2), HOP(3), HOP(4),
	    HOP(5), HOP(6), HOP(7), HOP(8), HOP(9), NULL);
	assert_str(r.remote_addr, "10.0.0.2");
	(void)parse("REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=1.1.1.1",
	    "HTTP_X_FORWARDED_FOR=2.2.2.2", HOP(2), HOP(3), HOP(4), HOP(5), HOP(6), HOP(7), HOP(8),
	    HOP(9), NULL);
	assert_str(r.remote_addr, "10.0.0.2");
}

static void
with_authorization_no_cookie_counts(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP_COOKIE=a=1; b=2", "HTTP_COOKIE=c=3", NULL), 0);
	assert_int_equal(r.cookies.n, 3);
	assert_false(r.cookieless);
	assert_int_equal(parse("HTTP_COOKIE=a=1", "HTTP_AUTHORIZATION=Token x", NULL), 0);
	assert_int_equal(r.cookies.n, 0);
	assert_true(r.cookieless);
	assert_int_equal(parse("HTTP_COOKIE=a=1", "HTTP_AUTHORIZATION=", NULL), 0);
	assert_int_equal(r.cookies.n, 1);
	assert_int_equal(parse("HTTP_COOKIES=a=1", NULL), 0);
	assert_int_equal(r.cookies.n, 0);
}

static void
programs_are_known_by_what_they_accept(void **state)
{
	(void)state;
	(void)parse("HTTP_ACCEPT=text/html,application/json", NULL);
	assert_false(request_wants_json(&r));
	(void)parse("HTTP_ACCEPT=Application/JSON", NULL);
	assert_true(request_wants_json(&r));
	(void)parse("HTTP_ACCEPT=*/*", NULL);
	assert_false(request_wants_json(&r));
	(void)parse("HTTP_ACCEPT=", NULL);
	assert_false(request_wants_json(&r));
	(void)parse(NULL);
	assert_false(request_wants_json(&r));
	route.api = true;
	assert_true(request_wants_json(&r));
	r.route = NULL;
	assert_false(request_wants_json(&r));
	route.api = false;
	(void)parse("HTTP_AUTHORIZATION=Token x", "HTTP_ACCEPT=text/html", NULL);
	assert_true(request_wants_json(&r));
}

static void
a_query_is_optional(void **state)
{
	(void)state;
	(void)parse("QUERY_STRING=a=1&b=%20", NULL);
	assert_int_equal(request_read_query(&r).status, 0);
	assert_str(pairs_get(&r.get, "b"), " ");
	(void)parse("QUERY_STRING=a=%", NULL);
	assert_int_equal(request_read_query(&r).status, 400);
	(void)parse(NULL);
	assert_int_equal(request_read_query(&r).status, 0);
	assert_int_equal(r.get.n, 0);
}

/* --- bodies --- */

/* What comes of a body of that type and length (-1: not said). */
static int
body(const char *type, int64_t length, struct str bytes)
{
	char of_type[128], of_length[64];

	snprintf(of_type, sizeof(of_type), "CONTENT_TYPE=%s", type);
	snprintf(of_length, sizeof(of_length), "CONTENT_LENGTH=%lld", (long long)length);
	(void)parse(
	    "REQUEST_METHOD=POST", of_type, length < 0 ? "CONTENT_LENGTH=" : of_length, NULL);
	peer.bytes = bytes;
	return request_read_body(&r).status;
}

static const char form[] = "application/x-www-form-urlencoded";

static void
bodies_are_as_long_as_was_said(void **state)
{
	(void)state;
	route = (struct route){ .body = 100 };
	assert_int_equal(body(form, 3, STR("a=1")), 0);
	assert_str(pairs_get(&r.post, "a"), "1");
	assert_str(r.content_type, form);
	assert_true(r.received == 3);
	assert_true(r.body_ended);
	assert_int_equal(body(form, 4, STR("a=1")), 400);
	assert_int_equal(body(form, 2, STR("a=1")), 400);
	assert_int_equal(body(form, 0, STR("")), 0);
	assert_int_equal(body("text/plain", 0, STR("")), 0);
	assert_int_equal(body(form, 0, STR("a")), 400);
	assert_int_equal(body(form, -1, STR("")), 0);
	assert_int_equal(body(form, -1, STR("a")), 411);
	assert_int_equal(body(form, 100,
	                     STR("a=0123456789012345678901234567890123456789012345678"
	                         "9012345678901234567890123456789012345678901234567")),
	    0);
	assert_int_equal(body(form, 101, STR("")), 413);
	assert_int_equal(peer.reads, 0);
	assert_int_equal(body(form, INT64_MAX, STR("")), 413);
}

static void
bodies_that_break_off_are_refused(void **state)
{
	(void)state;
	route = (struct route){ .body = 100 };
	(void)parse("CONTENT_LENGTH=3", "CONTENT_TYPE=application/x-www-form-urlencoded", NULL);
	peer.bytes = STR("a=");
	peer.lost = true;
	assert_int_equal(request_read_body(&r).status, 400);
	(void)parse("CONTENT_LENGTH=3", "CONTENT_TYPE=application/x-www-form-urlencoded", NULL);
	peer.bytes = STR("a=1");
	peer.lost = true;
	assert_int_equal(request_read_body(&r).status, 400);
	(void)parse(NULL);
	peer.lost = true;
	assert_int_equal(request_read_body(&r).status, 400);
	/* in pieces */
	(void)parse("CONTENT_LENGTH=7", "CONTENT_TYPE=application/x-www-form-urlencoded", NULL);
	peer.bytes = STR("a=1&b=2");
	peer.piece = 2;
	assert_int_equal(request_read_body(&r).status, 0);
	assert_str(pairs_get(&r.post, "b"), "2");
}

static void
types_are_read_without_their_parameters(void **state)
{
	(void)state;
	route = (struct route){ .body = 100 };
	assert_int_equal(
	    body("APPLICATION/X-www-FORM-urlencoded ; charset=UTF-8", 3, STR("a=1")), 0);
	assert_str(r.content_type, form);
	assert_int_equal(body("AZ[@`{", 3, STR("a=1")), 415);
	assert_str(r.content_type, "az[@`{");
	assert_int_equal(body("", 3, STR("a=1")), 415);
	assert_str(r.content_type, "");
	assert_int_equal(body("application/json", 2, STR("{}")), 415);
	assert_null(r.body.p);
	route.api = true;
	assert_int_equal(body("application/json", 2, STR("{}")), 0);
	assert_str(r.body, "{}");
	assert_int_equal(body("text/json", 2, STR("{}")), 415);
	route.api = false;
	assert_int_equal(body(form, 3, STR("a=%")), 400);
}

/* 2,621,440 bytes, for a form and for JSON, whatever the row takes of files. */
static void
what_is_held_in_memory_is_limited(void **state)
{
	static char much[2621441];

	(void)state;
	memset(much, 'a', sizeof(much));
	route = (struct route){ .body = MIB(100) };
	assert_int_equal(body(form, 2621440, (struct str){ much, 2621440 }), 0);
	assert_int_equal(r.post.n, 1);
	assert_int_equal(r.post.list[0].name.n, 2621440);
	assert_int_equal(body(form, 2621441, (struct str){ much, 2621441 }), 413);
	assert_int_equal(peer.reads, 0);
}

static void
multipart_bodies_are_counted_too(void **state)
{
	static const char type[] = "Multipart/Form-Data; boundary=b";
	const struct str good = STR("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
	                            "--b--");
	struct buf large = { 0 };

	(void)state;
	route = (struct route){ .body = MIB(10) };
	assert_int_equal(body(type, (int64_t)good.n, good), 0);
	assert_str(pairs_get(&r.post, "a"), "1");
	assert_int_equal(body(type, (int64_t)good.n - 1, good), 400);
	assert_int_equal(body(type, (int64_t)good.n + 1, good), 400);
	assert_int_equal(body(type, (int64_t)good.n, (struct str){ good.p, good.n - 1 }), 400);
	assert_int_equal(body("multipart/form-data", (int64_t)good.n, good), 400);
	assert_int_equal(peer.reads, 0);
	assert_int_equal(body(type, 5, STR("hello")), 400);
	(void)parse("CONTENT_LENGTH=99", "CONTENT_TYPE=multipart/form-data; boundary=b", NULL);
	peer.bytes = good;
	peer.lost = true;
	assert_int_equal(request_read_body(&r).status, 400);
	/* a file beyond what a form may be, read in pieces */
	buf_puts(&large, "--b\r\nContent-Disposition: form-data; name=f; filename=g\r\n\r\n");
	for (int i = 0; i < 300000; i++)
		buf_puts(&large, "0123456789");
	buf_puts(&large, "\r\n--b--");
	assert_int_equal(body(type, (int64_t)large.n, buf_text(&large)), 0);
	assert_true(request_upload(&r, "f")->size == 3000000);
	assert_null(request_upload(&r, "g"));
	assert_in_range(peer.reads, 90, 95);
	buf_free(&large);
}

static void
uploads_are_found_by_their_field(void **state)
{
	struct upload list[2] = { { .name = STR("a") }, { .name = STR("b") } };

	(void)state;
	fresh();
	r.uploads = list;
	r.nuploads = 2;
	assert_ptr_equal(request_upload(&r, "a"), &list[0]);
	assert_ptr_equal(request_upload(&r, "b"), &list[1]);
	assert_null(request_upload(&r, "c"));
	r.nuploads = 1;
	assert_null(request_upload(&r, "b"));
}

static void
what_nobody_reads_is_drained_up_to_a_limit(void **state)
{
	(void)state;
	(void)parse(NULL);
	peer.bytes = STR("0123456789");
	peer.piece = 3;
	assert_int_equal(request_drain(&r), 0);
	assert_int_equal(peer.at, 10);
	assert_int_equal(request_drain(&r), 0);
	assert_int_equal(peer.reads, 5); /* the end was seen once */
	(void)parse(NULL);
	peer.lost = true;
	assert_int_equal(request_drain(&r), -1);
	(void)parse(NULL);
	peer.endless = true;
	assert_int_equal(request_drain(&r), -1);
	assert_true(r.received > INT64_C(268435456));
	assert_true(r.received <= INT64_C(268435456) + 4096);
	/* who waits for more is told that nobody wants it */
	(void)parse(NULL);
	r.transport = &hurried;
	assert_int_equal(request_drain(&r), 0);
	assert_true(peer.hurried);
	peer.hurried = false;
	assert_int_equal(request_drain(&r), 0);
	assert_false(peer.hurried);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_parameter_that_decides_stands_once),
		TEST(what_is_no_pair_is_passed_over),
		TEST(methods_are_known_by_their_exact_name),
		TEST(the_first_refusal_answers_and_the_rest_is_read),
		TEST(paths_hold_no_control_byte),
		TEST(paths_are_8_KiB_at_most),
		TEST(a_prefix_ends_at_a_slash),
		TEST(lengths_are_plain_numbers),
		TEST(a_host_must_be_one),
		TEST(https_is_what_the_server_says),
		TEST(without_tls_only_this_machine_is_served),
		TEST(addresses_come_from_trusted_proxies_only),
		TEST(many_headers_of_hops_keep_the_last),
		TEST(with_authorization_no_cookie_counts),
		TEST(programs_are_known_by_what_they_accept),
		TEST(a_query_is_optional),
		TEST(bodies_are_as_long_as_was_said),
		TEST(bodies_that_break_off_are_refused),
		TEST(types_are_read_without_their_parameters),
		TEST(what_is_held_in_memory_is_limited),
		TEST(multipart_bodies_are_counted_too),
		TEST(uploads_are_found_by_their_field),
		TEST(what_nobody_reads_is_drained_up_to_a_limit),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
