/*
 * hooks: requests of an executable with accounts, in one process against a scratch database: hosts,
 * sessions and their cookies, who may use a row, and what a form must carry.
 */
#include "web.h"

#include "account.h"
#include "auth/auth.h"
#include "auth/event_list.h"
#include "auth/session.h"
#include "heard.h"
#include "scratch.h"
#include "visited.h"
#include "tom/user.h"

#define HTTPS "HTTPS=on"
#define ADDED INT64_C(1700000000000000) /* when the users were */
#define ORIGIN "HTTP_ORIGIN=https://tom.example"
#define JSON "HTTP_ACCEPT=application/json"

static struct arena *a;
static struct web w;
static int64_t ada, staff, super, here; /* here: the site */
static char session[200], visitor[200]; /* "HTTP_COOKIE=..." */
static int changes; /* how often a form was let through */

/* The token that a page of this request would carry. */
static int
show_token(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct buf text = { .n = 0 };
	const struct value *token;

	auth_form_cookie(r, res);
	r->app->app->hooks->context(r, page);
	token = value_get(page, "csrf", 4);
	if (token != NULL)
		value_print(token, &text);
	respond_text(r, res, 200, "text/plain", buf_text(&text));
	buf_free(&text);
	return 0;
}

static int
show(struct request *r, struct response *res)
{
	return respond_text(r, res, 200, "text/plain", auth_user(r)->username);
}

/* What every page is given, and what OPEN and PUBLIC give to who asks. */
static int
show_context(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct buf text = { .n = 0 };

	value_set_int(page, "verbs", auth_user(r)->open_verbs);
	r->app->app->hooks->context(r, page);
	value_set(page, "csrf", NULL);
	value_json(page, &text);
	respond_text(r, res, 200, "text/plain", buf_text(&text));
	buf_free(&text);
	return 0;
}

static int
change(struct request *r, struct response *res)
{
	changes++;
	return respond_redirect(r, res, STR("/"));
}

static int
enter(struct request *r, struct response *res)
{
	if (auth_sign_in(r, res,
	        &(struct proof){
	            .user = r->id[0], .password_changed = ADDED, .factor = r->id[1] }) != 0)
		return 0;
	return respond_redirect(r, res, STR("/"));
}

static int
leave(struct request *r, struct response *res)
{
	if (auth_sign_out(r, res) != 0)
		return 0;
	return respond_redirect(r, res, STR("/"));
}

static const struct route routes[] = {
	ROUTE(GET, "/enter/<id>/", ANYONE, NO_BODY, enter),
	ROUTE(GET, "/enter/<id>/<id>/", ANYONE, NO_BODY, enter), /* with a second factor */
	ROUTE(GET, "/leave/", ANYONE, NO_BODY, leave),
	ROUTE(GET, "/context/", READER, NO_BODY, show_context),
	ROUTE(POST, "/context/", READER, KIB(4), show_context),
	ROUTE(GET, "/accounts/context/", ANYONE, NO_BODY, show_context),
	ROUTE(GET, "/accounts/password/", LOGIN, NO_BODY, show),
	ROUTE(GET, "/accounts/password/check/", LOGIN, NO_BODY, show),
	ROUTE(GET, "/accounts/logout/", LOGIN, NO_BODY, show),
	ROUTE(POST, "/accounts/logout/", LOGIN, KIB(4), change),
	ROUTE(GET, "/terms/", LOGIN, NO_BODY, show),
	ROUTE(GET, "/link/<text>/", STAFF, NO_BODY, show),
	ROUTE(GET, "/token/", ANYONE, NO_BODY, show_token),
	ROUTE(GET, "/read/", READER, NO_BODY, show),
	ROUTE(GET, "/mine/", LOGIN, NO_BODY, show),
	ROUTE(GET, "/staff/", STAFF, NO_BODY, show),
	ROUTE(GET, "/super/", SUPERUSER, NO_BODY, show),
	ROUTE(POST, "/mine/", LOGIN, KIB(4), change),
	ROUTE(POST, "/open/", ANYONE, KIB(4), change),
};
static const struct app app = { .name = "login",
	.what = "test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.no_pages = true,
	.hooks = &auth_hooks };

/* Another worker, with the settings of the environment. */
static void
start_again(void)
{
	if (w.config != NULL)
		web_close(&w);
	web_open(&w, &app);
}

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	scratch_open();
	ada = add_account(scratch_db, &(struct account){ .username = STR("ada") }, ADDED);
	staff = add_account(
	    scratch_db, &(struct account){ .username = STR("staff"), .is_staff = true }, ADDED);
	super = add_account(
	    scratch_db, &(struct account){ .username = STR("super"), .is_superuser = true }, ADDED);
	web_key(scratch_dir);
	setenv("MERIDIAN_ALLOWED_HOSTS", "other.example", 1);
	start_again();
	return site_add(scratch_db, STR("tom.example"), STR("Tom"), &here) == DB_END ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	visited_close(&w);
	arena_free(a);
	return 0;
}

static int
get(const char *path, const char *cookie)
{
	char what[200];

	snprintf(what, sizeof(what), "GET %s", path);
	return web_ask(&w, what, STR_NONE, HTTPS, cookie == NULL ? "HTTP_COOKIE=" : cookie, NULL);
}

/* The cookie that the answer sets, as a parameter of the next request. */
static void
take_cookie(const char *name, char *to, size_t size)
{
	const char *p = w.head.p;

	for (to[0] = '\0'; (p = strstr(p, "Set-Cookie: ")) != NULL; p++)
		if (strncmp(p + 12, name, strlen(name)) == 0)
			snprintf(to, size, "HTTP_COOKIE=%.*s", (int)strcspn(p + 12, ";\r"), p + 12);
	assert_true(to[0] != '\0');
}

static void
sign_in(int64_t user, const char *cookie)
{
	char path[50];

	snprintf(path, sizeof(path), "/enter/%d/", (int)user);
	assert_int_equal(get(path, cookie), 302);
	take_cookie("__Host-sid=", session, sizeof(session));
}

static const char *
token_for(const char *cookie)
{
	assert_int_equal(get("/token/", cookie), 200);
	return arena_strdup(a, web_text(&w));
}

/* Sends a form with this token; how often it changed something (0 or 1). */
static int
post(const char *path, const char *cookie, const char *token, const char *p1, const char *p2)
{
	char what[100], body[300];
	int before = changes;

	snprintf(what, sizeof(what), "POST %s", path);
	snprintf(body, sizeof(body), "a=1%s%s",
	    token == NULL ? "" : "&csrfmiddlewaretoken=", token == NULL ? "" : token);
	web_ask(
	    &w, what, str_of(body), HTTPS, cookie == NULL ? "HTTP_COOKIE=" : cookie, p1, p2, NULL);
	return changes - before;
}

static void
host_of_the_table_counts_at_once(void **state)
{
	struct site site = { here, STR("tom.example:8443"), STR("Tom") };

	(void)state;
	assert_int_equal(get("/read/", NULL), 200);
	assert_int_equal(
	    web_ask(&w, "GET /read/", STR_NONE, "HTTP_HOST=tom.example:99", NULL), 200);
	assert_int_equal(web_ask(&w, "GET /read/", STR_NONE, "HTTP_HOST=TOM.Example", NULL), 200);
	assert_int_equal(web_ask(&w, "GET /read/", STR_NONE, "HTTP_HOST=other.example", NULL), 200);
	assert_int_equal(web_ask(&w, "GET /read/", STR_NONE, "HTTP_HOST=evil.example", NULL), 400);
	assert_int_equal(site_change(scratch_db, &site), DB_ROW);
	assert_int_equal(get("/read/", NULL), 400);
	assert_int_equal(
	    web_ask(&w, "GET /read/", STR_NONE, "HTTP_HOST=tom.example:8443", NULL), 200);
	site.domain = STR("tom.example");
	assert_int_equal(site_change(scratch_db, &site), DB_ROW);
	assert_int_equal(get("/read/", NULL), 200);
}

static void
poisoned_hosts_are_refused(void **state)
{
	/* Django's five (requests_tests.HostValidationTests), and relatives */
	static const char *const hosts[] = { "tom.example@evil.tld",
		"tom.example:dr.frankenstein@evil.tld", "tom.example:dr.frankenstein@evil.tld:80",
		"tom.example:80/badpath", "tom.example: recovermypassword.com", "tom.example:80:80",
		"tom.example.evil.tld", "evil.tld#tom.example", "evil.tld?tom.example",
		"tom.example\\", "tom.example,evil.tld", "tom.example ", "", "tom.example:0",
		"tom.example:99999" };
	char param[200];

	(void)state;
	for (size_t i = 0; i < NELEM(hosts); i++) {
		snprintf(param, sizeof(param), "HTTP_HOST=%s", hosts[i]);
		if (web_ask(&w, "GET /read/", STR_NONE, param, NULL) != 400)
			print_error("%s\n", hosts[i]);
		assert_int_equal(web_ask(&w, "GET /read/", STR_NONE, param, NULL), 400);
		assert_null(strstr(w.head.p, "evil"));
	}
	assert_int_equal(web_ask(&w, "GET /read/", STR_NONE, "+HTTP_HOST=tom.example", NULL), 400);
}

static void
session_cookie_is_bound_to_the_host_and_secure(void **state)
{
	(void)state;
	assert_int_equal(get("/enter/1/", NULL), 302);
	assert_non_null(strstr(w.head.p, "Set-Cookie: __Host-sid="));
	assert_non_null(strstr(w.head.p, "; Secure"));
	assert_non_null(strstr(w.head.p, "; HttpOnly"));
	assert_non_null(strstr(w.head.p, "; SameSite=Lax"));
	assert_non_null(strstr(w.head.p, "; Path=/"));
	assert_null(strstr(w.head.p, "Domain="));
}

static void
signing_in_makes_a_new_session_and_ends_the_old(void **state)
{
	char first[200];

	(void)state;
	sign_in(ada, NULL);
	memcpy(first, session, sizeof(first));
	assert_int_equal(get("/mine/", first), 200);
	assert_string_equal(web_text(&w), "ada");
	sign_in(staff, first);
	assert_string_not_equal(first, session);
	assert_int_equal(get("/mine/", first), 302);
	assert_int_equal(get("/mine/", session), 200);
	assert_string_equal(web_text(&w), "staff");
}

static void
chosen_token_is_never_adopted(void **state)
{
	static const char chosen[] =
	    "HTTP_COOKIE=__Host-sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	(void)state;
	assert_int_equal(get("/mine/", chosen), 302);
	sign_in(ada, chosen);
	assert_string_not_equal(session, chosen);
	assert_int_equal(get("/mine/", chosen), 302);
}

static void
cookie_that_came_twice_is_no_session(void **state)
{
	char twice[500];

	(void)state;
	sign_in(ada, NULL);
	snprintf(twice, sizeof(twice), "%s; %s", session, session + strlen("HTTP_COOKIE="));
	assert_int_equal(get("/mine/", twice), 302);
	assert_int_equal(get("/mine/", session), 200);
}

static void
signing_out_ends_it_on_the_server(void **state)
{
	(void)state;
	sign_in(ada, NULL);
	assert_int_equal(get("/leave/", session), 302);
	assert_non_null(strstr(w.head.p, "Max-Age=0"));
	assert_int_equal(get("/mine/", session), 302);
	assert_int_equal(get("/leave/", session), 302); /* once more does no harm */
}

static void
rows_ask_for_sign_in_or_refuse(void **state)
{
	const int64_t users[] = { ada, staff, super };
	static const int want[][3] = { { 200, 403, 403 }, { 200, 200, 403 }, { 200, 200, 200 } };
	static const char *const paths[] = { "/mine/", "/staff/", "/super/" };

	(void)state;
	for (size_t k = 0; k < NELEM(paths); k++) {
		assert_int_equal(get(paths[k], NULL), 302);
		assert_true(
		    strncmp(web_header(&w, "Location"), "/accounts/login/?next=%2F", 25) == 0);
	}
	assert_int_equal(web_ask(&w, "GET /mine/?a=b%20c&d", STR_NONE, HTTPS, NULL), 302);
	assert_string_equal(
	    web_header(&w, "Location"), "/accounts/login/?next=%2Fmine%2F%3Fa%3Db%2520c%26d");
	for (size_t i = 0; i < NELEM(users); i++) {
		sign_in(users[i], NULL);
		for (size_t k = 0; k < NELEM(paths); k++)
			assert_int_equal(get(paths[k], session), want[i][k]);
	}
	assert_int_equal(get("/nowhere/", NULL), 404);
}

static void
sign_in_page_lies_below_the_prefix(void **state)
{
	(void)state;
	setenv("MERIDIAN_URL_PREFIX", "/tom/", 1);
	start_again();
	assert_int_equal(get("/tom/mine/", NULL), 302);
	assert_string_equal(
	    web_header(&w, "Location"), "/tom/accounts/login/?next=%2Ftom%2Fmine%2F");
	unsetenv("MERIDIAN_URL_PREFIX");
	start_again();
}

static void
locked_site_opens_named_paths_only(void **state)
{
	(void)state;
	setenv("MERIDIAN_AUTH_STRATEGY", "LOCKED", 1);
	setenv("MERIDIAN_OPEN_URLS", "/sta*", 1);
	start_again();
	assert_int_equal(get("/read/", NULL), 302);
	assert_int_equal(get("/nowhere/", NULL), 302);
	assert_int_equal(get("/token/", NULL), 200);
	assert_int_equal(get("/staff/", NULL), 302); /* open to readers is not open to all */
	assert_int_equal(get("/stairs/", NULL), 404);
	sign_in(ada, NULL);
	assert_int_equal(get("/read/", session), 200);
	unsetenv("MERIDIAN_AUTH_STRATEGY");
	unsetenv("MERIDIAN_OPEN_URLS");
	start_again();
}

static void
form_of_a_session_needs_its_own_token(void **state)
{
	const char *token, *other, *early;
	char theirs[200], cut[100];

	(void)state;
	assert_int_equal(get("/token/", NULL), 200);
	take_cookie("__Host-visitor=", visitor, sizeof(visitor));
	early = token_for(visitor);
	sign_in(staff, NULL);
	memcpy(theirs, session, sizeof(theirs));
	other = token_for(theirs);
	sign_in(ada, visitor);
	token = token_for(session);
	snprintf(cut, sizeof(cut), "%.*s", 85, token);

	assert_int_equal(post("/mine/", session, token, ORIGIN, NULL), 1);
	assert_int_equal(post("/mine/", session, token_for(session), ORIGIN, NULL), 1);
	assert_int_equal(post("/open/", session, token, ORIGIN, NULL), 1);
	assert_int_equal(post("/mine/", session, NULL, ORIGIN, NULL), 0);
	assert_non_null(strstr(w.head.p, "Status: 403"));
	assert_non_null(strstr(web_text(&w), "csrfmiddlewaretoken"));
	assert_int_equal(post("/mine/", session, "", ORIGIN, NULL), 0);
	assert_int_equal(post("/mine/", session, other, ORIGIN, NULL), 0);
	assert_int_equal(post("/mine/", session, early, ORIGIN, NULL), 0);
	assert_int_equal(post("/mine/", session, cut, ORIGIN, NULL), 0);
	assert_int_equal(post("/mine/", theirs, token, ORIGIN, NULL), 0);
	assert_int_equal(post("/mine/", NULL, token, ORIGIN, NULL), 0);
	assert_non_null(strstr(web_text(&w), "not signed in"));
	assert_int_equal(get("/leave/", session), 302);
	assert_int_equal(post("/mine/", session, token, ORIGIN, NULL), 0);
}

static void
form_of_a_visitor_needs_the_visitors_cookie(void **state)
{
	const char *token;

	(void)state;
	assert_int_equal(get("/token/", NULL), 200);
	take_cookie("__Host-visitor=", visitor, sizeof(visitor));
	token = arena_strdup(a, web_text(&w));
	assert_int_equal(strlen(token), 86);
	assert_int_equal(post("/open/", visitor, token, ORIGIN, NULL), 1);
	assert_int_equal(post("/open/", NULL, token, ORIGIN, NULL), 0);
	assert_non_null(strstr(web_text(&w), "cookie"));
	assert_int_equal(post("/open/", "HTTP_COOKIE=__Host-visitor=x", token, ORIGIN, NULL), 0);
	/* one that is none is replaced, one that is good is kept */
	assert_int_equal(get("/token/", "HTTP_COOKIE=__Host-visitor=x"), 200);
	assert_non_null(strstr(w.head.p, "Set-Cookie: __Host-visitor="));
	assert_int_equal(get("/token/", visitor), 200);
	assert_null(strstr(w.head.p, "Set-Cookie"));
	assert_int_equal(
	    post("/open/", "HTTP_COOKIE=__Host-visitor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	        token, ORIGIN, NULL),
	    0);
}

static void
token_may_come_in_the_header(void **state)
{
	char header[120];

	(void)state;
	sign_in(ada, NULL);
	snprintf(header, sizeof(header), "HTTP_X_CSRFTOKEN=%s", token_for(session));
	assert_int_equal(post("/mine/", session, NULL, ORIGIN, header), 1);
	header[20]++;
	assert_int_equal(post("/mine/", session, NULL, ORIGIN, header), 0);
}

static void
form_of_another_site_is_refused_whatever_its_token(void **state)
{
	static const char *const bad[][2] = {
		{ "HTTP_ORIGIN=https://evil.example", NULL },
		{ "HTTP_ORIGIN=http://tom.example", NULL },
		{ "HTTP_ORIGIN=https://sub.tom.example", NULL },
		{ "HTTP_ORIGIN=https://tom.example:444", NULL },
		{ "HTTP_ORIGIN=https://tom.example/", NULL },
		{ "HTTP_ORIGIN=null", NULL },
		{ "HTTP_ORIGIN=null", "HTTP_REFERER=https://tom.example/" },
		{ ORIGIN, "HTTP_SEC_FETCH_SITE=cross-site" },
		{ ORIGIN, "HTTP_SEC_FETCH_SITE=same-site" },
		{ "HTTP_REFERER=http://tom.example/", NULL },
		{ "HTTP_REFERER=https://evil.example/tom.example", NULL },
		{ "HTTP_SEC_FETCH_SITE=same-origin", NULL }, /* neither Origin nor Referer */
		{ ORIGIN, "+HTTP_ORIGIN=https://tom.example" },
	};
	const char *token;

	(void)state;
	sign_in(ada, NULL);
	token = token_for(session);
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_int_equal(post("/mine/", session, token, bad[i][0], bad[i][1]), 0);
	assert_int_equal(
	    post("/mine/", session, token, "HTTP_REFERER=https://tom.example/x", NULL), 1);
	assert_int_equal(
	    post("/mine/", session, token, ORIGIN, "HTTP_SEC_FETCH_SITE=same-origin"), 1);
	assert_int_equal(
	    post("/mine/", session, token, ORIGIN, "HTTP_X_HTTP_METHOD_OVERRIDE=GET"), 1);
	/* a body that no form sends */
	assert_int_equal(post("/mine/", session, token, ORIGIN, "CONTENT_TYPE=text/plain"), 0);
	/* the token twice */
	assert_int_equal(post("/mine/", session,
	                     arena_printf(a, "%s&csrfmiddlewaretoken=x", token).p, ORIGIN, NULL),
	    0);
}

/* Of the last request, with what came after its answer. */
static unsigned
statements(void)
{
	struct request r = { .app = &w.server.app };
	unsigned n;
	int64_t us;

	r.session = &r; /* count asks only whether there is one */
	auth_hooks.count(&r, &n, &us);
	return n;
}

static void
page_costs_two_statements(void **state)
{
	(void)state;
	sign_in(ada, NULL);
	get("/mine/", session);
	assert_int_equal(statements(), 2);
	get("/read/", NULL);
	assert_int_equal(statements(), 1);
}

static void
use_is_written_after_a_minute_and_not_before(void **state)
{
	int64_t now = clock_now();
	struct query *q;

	(void)state;
	clock_freeze(now);
	sign_in(ada, NULL);
	for (int64_t at = 0; at <= 90; at += 30) {
		clock_freeze(now + at * SECOND);
		assert_int_equal(get("/mine/", session), 200);
	}
	clock_freeze(now + 12 * HOUR + 30 * SECOND); /* 60 s were noted, 90 s were not */
	assert_int_equal(get("/mine/", session), 200);
	clock_freeze(now + 25 * HOUR);
	assert_int_equal(get("/mine/", session), 302);
	clock_freeze(0);
	q = db_query(scratch_db, QUERY_SESSION_PURGE);
	db_int(q, "now", INT64_MAX);
	assert_int_equal(db_run(q), DB_END);
}

/* With a writer at the database: the session's row is deleted, and the deletion undone. */
static enum db_result
ask_meanwhile(struct db *db, void *arg)
{
	int64_t now = clock_now(), began = clock_monotonic();

	(void)arg;
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
	for (int i = 1; i <= 3; i++) {
		clock_freeze(now + i * 2 * MINUTE);
		assert_int_equal(get("/mine/", session), 200);
	}
	assert_true(clock_monotonic() - began < SECOND);
	return DB_REFUSED;
}

static void
use_is_noted_without_waiting_for_a_writer(void **state)
{
	int64_t now = clock_now();

	(void)state;
	start_again();
	clock_freeze(now);
	sign_in(ada, NULL);
	assert_int_equal(db_transaction(scratch_db, DB_WRITE, ask_meanwhile, NULL), DB_REFUSED);
	/* on SQLite, where that failed, the worker leaves it for a while; another one notes it */
	clock_freeze(now + 20 * MINUTE);
	assert_int_equal(get("/mine/", session), 200);
	assert_int_equal(statements(), db_engine(scratch_db) == DB_SQLITE ? 2 : 3);
	start_again();
	clock_freeze(now + 30 * MINUTE);
	assert_int_equal(get("/mine/", session), 200);
	assert_int_equal(statements(), 3);
	clock_freeze(now + 12 * HOUR + 20 * MINUTE);
	assert_int_equal(get("/mine/", session), 200);
	clock_freeze(0);
}

/* Who asks is not known then, and nobody is let in, thrown out or told another reason. */
static void
a_database_that_fails_is_503_and_ends_no_session(void **state)
{
	static const char *const tables[] = { "session", "users", "site" };

	(void)state;
	start_again();
	sign_in(ada, NULL);
	for (size_t i = 0; i < NELEM(tables); i++) {
		scratch_hide(scratch_db, tables[i], true);
		assert_int_equal(get("/mine/", session), 503);
		assert_null(strstr(w.head.p, "Set-Cookie"));
		assert_int_equal(get("/read/", session), 503);
		scratch_hide(scratch_db, tables[i], false);
		assert_int_equal(get("/mine/", session), 200);
	}
	/* a host that the configuration has is asked for nowhere */
	scratch_hide(scratch_db, "site", true);
	assert_int_equal(
	    web_ask(&w, "GET /mine/", STR_NONE, HTTPS, "HTTP_HOST=other.example", session, NULL),
	    200);
	scratch_hide(scratch_db, "session", true);
	assert_int_equal(
	    web_ask(&w, "GET /mine/", STR_NONE, HTTPS, "HTTP_HOST=other.example", session, NULL),
	    503);
	assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS, "HTTP_HOST=other.example",
	                     "HTTP_COOKIE=", NULL),
	    302);
	scratch_hide(scratch_db, "session", false);
	scratch_hide(scratch_db, "site", false);
}

/* A worker that was started before `meridian migrate`, or beside a newer one, answers no page. */
static void
a_schema_that_is_not_ours_is_503(void **state)
{
	(void)state;
	start_again();
	scratch_hide(scratch_db, "schema_migration", true);
	hear();
	assert_int_equal(get("/read/", NULL), 503);
	assert_non_null(strstr(heard(), "\"event\":\"the database cannot be used\""));
	scratch_hide(scratch_db, "schema_migration", false);
	assert_int_equal(get("/read/", NULL), 200);
}

/* Another worker with this setting beside those there are. */
static void
start_with(const char *key, const char *value)
{
	if (value == NULL)
		unsetenv(key);
	else
		setenv(key, value, 1);
	start_again();
}

/* A session from before it was asked for is none any more; nor is it ended. */
static void
session_without_the_factor_that_is_required_is_nobodys(void **state)
{
	char with[200], path[60];

	(void)state;
	setenv("MERIDIAN_VAULT_KEY_FILE", "/nonexistent/vault", 1);
	sign_in(super, NULL);
	snprintf(path, sizeof(path), "/enter/%d/%lld/", (int)super, (long long)ADDED);
	assert_int_equal(get(path, NULL), 302);
	take_cookie("__Host-sid=", with, sizeof(with));
	start_with("MERIDIAN_TOM_MFA_REQUIRED", "superusers");
	assert_int_equal(get("/mine/", session), 302);
	assert_int_equal(get("/read/", session), 200);
	assert_string_equal(web_text(&w), "");
	/* a visitor's forms, for signing in anew */
	assert_int_equal(get("/token/", session), 200);
	take_cookie("__Host-visitor=", visitor, sizeof(visitor));
	assert_int_equal(get("/mine/", with), 200);
	assert_string_equal(web_text(&w), "super");
	sign_in(ada, NULL);
	assert_int_equal(get("/mine/", session), 200);
	start_with("MERIDIAN_TOM_MFA_REQUIRED", "all");
	assert_int_equal(get("/mine/", session), 302);
	assert_int_equal(get("/mine/", with), 200);
	start_with("MERIDIAN_TOM_MFA_REQUIRED", NULL);
	assert_int_equal(get("/mine/", session), 200);
	unsetenv("MERIDIAN_VAULT_KEY_FILE");
}

static void
pages_are_told_who_is_there_and_what_is_open_to_them(void **state)
{
	(void)state;
	sign_in(ada, NULL);
	assert_int_equal(get("/context/", session), 200);
	assert_string_equal(web_text(&w),
	    "{\"verbs\":0,\"user\":{\"username\":\"ada\",\"is_staff\":false,\"is_superuser\":false}"
	    ","
	    "\"csrf\":null}");
	start_with("MERIDIAN_TARGET_OPEN_CHANGE", "yes");
	assert_int_equal(get("/context/", session), 200);
	assert_non_null(strstr(web_text(&w), "\"verbs\":6,"));
	sign_in(staff, NULL);
	assert_int_equal(get("/context/", session), 200);
	assert_non_null(strstr(web_text(&w), "\"is_staff\":true,\"is_superuser\":false"));
	sign_in(super, NULL);
	assert_int_equal(get("/context/", session), 200);
	assert_non_null(strstr(web_text(&w), "\"is_staff\":true,\"is_superuser\":true"));
	assert_int_equal(get("/context/?a=1", NULL), 200);
	assert_string_equal(web_text(&w),
	    "{\"verbs\":0,\"sign_in\":\"/accounts/login/"
	    "?next=%2Fcontext%2F%3Fa%3D1\",\"csrf\":null}");
	start_with("MERIDIAN_TARGET_OPEN_CHANGE", NULL);
	/* back to the page itself leads neither from there nor from what was sent */
	assert_int_equal(get("/accounts/context/", NULL), 200);
	assert_non_null(strstr(web_text(&w), "\"sign_in\":\"/accounts/login/\","));
	assert_int_equal(get("/token/", NULL), 200);
	take_cookie("__Host-visitor=", visitor, sizeof(visitor));
	post("/context/", visitor, token_for(visitor), ORIGIN, NULL);
	assert_non_null(strstr(web_text(&w), "\"sign_in\":\"/accounts/login/\","));
}

static void
password_that_is_too_old_is_changed_first(void **state)
{
	static const char *const open[] = { "/accounts/password/", "/accounts/password/check/",
		"/accounts/logout/" };
	const char *token;

	(void)state;
	start_with("MERIDIAN_TOM_PASSWORD_EXPIRY_DAYS", "30");
	clock_freeze(ADDED + 30 * DAY - MINUTE);
	sign_in(ada, NULL);
	token = token_for(session);
	clock_freeze(ADDED + 30 * DAY - 1);
	assert_int_equal(get("/mine/", session), 200);
	clock_freeze(ADDED + 30 * DAY);
	assert_int_equal(get("/mine/?a=1", session), 302);
	assert_string_equal(
	    web_header(&w, "Location"), "/accounts/password/?next=%2Fmine%2F%3Fa%3D1");
	assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS, session, JSON, NULL), 403);
	assert_non_null(strstr(web_text(&w), "/accounts/password/"));
	assert_int_equal(post("/mine/", session, token, ORIGIN, NULL), 0);
	assert_non_null(strstr(w.head.p, "Status: 403"));
	assert_non_null(strstr(web_text(&w), "older than this site allows"));
	for (size_t i = 0; i < NELEM(open); i++)
		assert_int_equal(get(open[i], session), 200);
	assert_int_equal(get("/read/", NULL), 200); /* a visitor has no password */
	start_with("MERIDIAN_TOM_PASSWORD_EXPIRY_DAYS", "31");
	assert_int_equal(get("/mine/", session), 200);
	start_with("MERIDIAN_TOM_PASSWORD_EXPIRY_DAYS", NULL);
	assert_int_equal(get("/mine/", session), 200);
	clock_freeze(0);
}

static void
terms_of_today_are_accepted_first(void **state)
{
	const char *token;
	struct query *q;

	(void)state;
	start_with("MERIDIAN_TOM_TERMS_OF_SERVICE_VERSION", "2026-01");
	sign_in(ada, NULL);
	assert_int_equal(get("/mine/", session), 302);
	assert_string_equal(web_header(&w, "Location"), "/terms/?next=%2Fmine%2F");
	assert_int_equal(get("/read/", session), 302);
	assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS, session, JSON, NULL), 403);
	assert_int_equal(get("/terms/", session), 200);
	assert_int_equal(get("/accounts/logout/", session), 200);
	assert_int_equal(get("/read/", NULL), 200);
	assert_int_equal(post("/mine/", session, "", ORIGIN, NULL), 0);
	assert_non_null(strstr(web_text(&w), "Accept the terms of service first"));
	for (int i = 1; i <= 2; i++) {
		q = db_query(scratch_db, QUERY_USER_ACCEPT_TERMS);
		db_int(q, "id", ada);
		db_text(q, "version", i == 1 ? STR("2025-12") : STR("2026-01"));
		db_int(q, "now", ADDED);
		assert_int_equal(db_run(q), DB_END);
		assert_int_equal(get("/mine/", session), i == 1 ? 302 : 200);
	}
	token = token_for(session);
	assert_int_equal(post("/mine/", session, token, ORIGIN, NULL), 1);
	start_with("MERIDIAN_TOM_TERMS_OF_SERVICE_VERSION", NULL);
}

static void
who_is_out_already_signs_out(void **state)
{
	(void)state;
	for (int locked = 0; locked < 2; locked++) {
		start_with("MERIDIAN_AUTH_STRATEGY", locked ? "LOCKED" : "READ_ONLY");
		assert_int_equal(post("/accounts/logout/", NULL, NULL, ORIGIN, NULL), 0);
		assert_non_null(strstr(w.head.p, "Status: 302"));
		assert_string_equal(web_header(&w, "Location"), "/");
		assert_null(strstr(w.head.p, "Set-Cookie"));
		post("/mine/", NULL, NULL, ORIGIN, NULL);
		assert_non_null(strstr(w.head.p, locked ? "Status: 302" : "Status: 403"));
	}
	assert_int_equal(strncmp(web_header(&w, "Location"), "/accounts/login/", 16), 0);
	start_with("MERIDIAN_AUTH_STRATEGY", NULL);
}

/* The newest row of the security log. */
static struct event_row
last_event(void)
{
	struct event_row *rows;
	size_t n;
	bool more;

	assert_int_equal(
	    event_list(scratch_db, a, &(struct event_filter){ .from = 0 }, 1, &rows, &n, &more),
	    DB_END);
	assert_int_equal(n, 1);
	return rows[0];
}

static void
refusals_are_told_without_what_was_in_a_link(void **state)
{
	struct event_row row;

	(void)state;
	sign_in(ada, NULL);
	clock_freeze(clock_now() + HOUR); /* a minute without events before */
	assert_int_equal(get("/link/c2VjcmV0/", session), 403);
	row = last_event();
	assert_str(row.kind, "access_refused");
	assert_str(row.detail, "GET /link/<text>/");
	assert_str(row.username, "ada");
	assert_int_equal(row.user, ada);
	clock_freeze(clock_now() + HOUR);
	assert_int_equal(get("/super/", session), 403);
	assert_str(last_event().detail, "GET /super/");
	assert_non_null(strstr(web_text(&w), "Only superusers"));
	assert_int_equal(get("/staff/", session), 403);
	assert_non_null(strstr(web_text(&w), "Only staff"));
	clock_freeze(clock_now() + HOUR);
	post("/mine/", NULL, NULL, ORIGIN, NULL);
	row = last_event();
	assert_str(row.detail, "POST /mine/, not signed in");
	assert_int_equal(row.user, 0);
	assert_str(row.username, "");
	clock_freeze(clock_now() + HOUR);
	post("/mine/", session, "x", ORIGIN, NULL);
	row = last_event();
	assert_str(row.kind, "csrf_refused");
	assert_int_equal(row.user, ada);
	assert_int_equal(strncmp(row.detail.p, "/mine/, Origin https://tom.example: ", 36), 0);
	clock_freeze(clock_now() + HOUR);
	web_ask(&w, "GET /read/", STR_NONE, HTTPS, "HTTP_HOST=evil.example", NULL);
	row = last_event();
	assert_str(row.kind, "host_refused");
	assert_str(row.detail, "evil.example");
	clock_freeze(0);
}

/* Cookies travel over https only: that is the reason, and not what the browser allows. */
static void
form_over_http_is_told_why_its_cookie_is_missing(void **state)
{
	(void)state;
	web_ask(&w, "POST /open/", STR("a=1&csrfmiddlewaretoken=x"),
	    "HTTP_ORIGIN=http://tom.example", NULL);
	assert_non_null(strstr(w.head.p, "Status: 403"));
	assert_non_null(strstr(web_text(&w), "This page came over http"));
	web_ask(&w, "POST /open/", STR("a=1&csrfmiddlewaretoken=x"), HTTPS, ORIGIN, NULL);
	assert_non_null(strstr(web_text(&w), "did not send this site's cookie"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schema_that_is_not_ours_is_503), /* first: a worker looks once */
		cmocka_unit_test(host_of_the_table_counts_at_once),
		cmocka_unit_test(poisoned_hosts_are_refused),
		cmocka_unit_test(session_cookie_is_bound_to_the_host_and_secure),
		cmocka_unit_test(signing_in_makes_a_new_session_and_ends_the_old),
		cmocka_unit_test(chosen_token_is_never_adopted),
		cmocka_unit_test(cookie_that_came_twice_is_no_session),
		cmocka_unit_test(signing_out_ends_it_on_the_server),
		cmocka_unit_test(rows_ask_for_sign_in_or_refuse),
		cmocka_unit_test(sign_in_page_lies_below_the_prefix),
		cmocka_unit_test(locked_site_opens_named_paths_only),
		cmocka_unit_test(form_of_a_session_needs_its_own_token),
		cmocka_unit_test(form_of_a_visitor_needs_the_visitors_cookie),
		cmocka_unit_test(token_may_come_in_the_header),
		cmocka_unit_test(form_of_another_site_is_refused_whatever_its_token),
		cmocka_unit_test(page_costs_two_statements),
		cmocka_unit_test(use_is_written_after_a_minute_and_not_before),
		cmocka_unit_test(use_is_noted_without_waiting_for_a_writer),
		cmocka_unit_test(a_database_that_fails_is_503_and_ends_no_session),
		cmocka_unit_test(session_without_the_factor_that_is_required_is_nobodys),
		cmocka_unit_test(pages_are_told_who_is_there_and_what_is_open_to_them),
		cmocka_unit_test(password_that_is_too_old_is_changed_first),
		cmocka_unit_test(terms_of_today_are_accepted_first),
		cmocka_unit_test(who_is_out_already_signs_out),
		cmocka_unit_test(refusals_are_told_without_what_was_in_a_link),
		cmocka_unit_test(form_over_http_is_told_why_its_cookie_is_missing),
	};

	return cmocka_run_group_tests_name("hooks", tests, set_up, tear_down);
}
