/*
 * authorization: requests that come with the header of that name, in one process against a scratch
 * database: whose they are, what they may, and that cookies and form tokens have no part in it.
 */
#include "web.h"

#include <stdio.h>

#include "account.h"
#include "auth/auth.h"
#include "auth/token.h"
#include "base/clock.h"
#include "heard.h"
#include "scratch.h"
#include "visited.h"

#define ADDED INT64_C(1700000000000000) /* when the users were */
#define INVALID "{\"detail\":\"Invalid token.\"}"

static struct arena *a;
static struct web w;
static struct secret *secret;
static int64_t ada, super;
static char session[200]; /* "HTTP_COOKIE=..." of ada's */
static int changes;

static int
show(struct request *r, struct response *res)
{
	respond_message(r, res, "ok", STR("Seen."));
	return respond_text(r, res, 200, "text/plain", auth_user(r)->username);
}

static int
change(struct request *r, struct response *res)
{
	changes++;
	return show(r, res);
}

static int
enter(struct request *r, struct response *res)
{
	if (auth_sign_in(r, res, &(struct proof){ .user = ada, .password_changed = ADDED }) != 0)
		return 0;
	return respond_redirect(r, res, STR("/"));
}

static const struct route routes[] = {
	ROUTE(GET, "/enter/", ANYONE, NO_BODY, enter),
	ROUTE(GET, "/any/", ANYONE, NO_BODY, show),
	ROUTE(GET, "/read/", READER, NO_BODY, show),
	ROUTE(GET, "/mine/", LOGIN, NO_BODY, show),
	ROUTE(GET, "/super/", SUPERUSER, NO_BODY, show),
	ROUTE(POST, "/any/", ANYONE, KIB(4), change),
	ROUTE(POST, "/mine/", LOGIN, KIB(4), change),
	API_ROUTE(POST, "/api/", ANYONE, KIB(4), change),
};
static const struct app app = { .name = "login", /* what it may do with the database */
	.what = "test",
	.area = "targets",
	.routes = routes,
	.nroutes = NELEM(routes),
	.no_pages = true,
	.hooks = &auth_hooks };
static const struct app closed = { .name = "login", /* what it may do with the database */
	.what = "test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.no_pages = true,
	.hooks = &auth_hooks };

static void
start_again(const struct app *which)
{
	if (w.config != NULL)
		web_close(&w);
	web_open(&w, which);
}

static int
set_up(void **state)
{
	int64_t site;

	(void)state;
	a = arena_new();
	secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	scratch_open();
	ada = add_account(scratch_db, &(struct account){ .username = STR("ada") }, ADDED);
	super = add_account(scratch_db,
	    &(struct account){ .username = STR("super"), .is_staff = true, .is_superuser = true },
	    ADDED);
	web_key(scratch_dir);
	start_again(&app);
	return site_add(scratch_db, STR("tom.example"), STR("Tom"), &site) == DB_END ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	visited_close(&w);
	secret_free(secret);
	arena_free(a);
	return 0;
}

/* "HTTP_AUTHORIZATION=Token mrd_..." of a new one. */
static const char *
header_of(int64_t user, const char *scopes, int64_t expires)
{
	static int n;
	struct token t = { .user_id = user,
		.name = arena_printf(a, "token %d", n++),
		.scopes = str_of(scopes),
		.created = clock_now(),
		.expires = expires };
	struct str text;

	assert_int_equal(token_add(scratch_db, a, secret, &t, &text), DB_END);
	return arena_printf(a, "HTTP_AUTHORIZATION=Token %s", text.p).p;
}

static int
ask(const char *what, const char *header, const char *p1, const char *p2)
{
	return web_ask(&w, what, strncmp(what, "POST", 4) == 0 ? STR("a=1") : STR_NONE, "HTTPS=on",
	    header, p1, p2, NULL);
}

static void
take_session(void)
{
	const char *p;

	assert_int_equal(web_ask(&w, "GET /enter/", STR_NONE, "HTTPS=on", NULL), 302);
	p = strstr(w.head.p, "Set-Cookie: __Host-sid=");
	assert_non_null(p);
	snprintf(session, sizeof(session), "HTTP_COOKIE=%.*s", (int)strcspn(p + 12, ";\r"), p + 12);
}

static void
token_is_its_user_by_either_word(void **state)
{
	const char *token = header_of(ada, "read", 0);
	const char *bearer =
	    arena_printf(a, "HTTP_AUTHORIZATION=Bearer %s", strstr(token, TOKEN_PREFIX)).p;

	(void)state;
	assert_int_equal(ask("GET /mine/", token, NULL, NULL), 200);
	assert_string_equal(web_text(&w), "ada");
	assert_int_equal(ask("GET /mine/", bearer, NULL, NULL), 200);
	assert_string_equal(web_text(&w), "ada");
	assert_int_equal(ask("GET /read/", bearer, NULL, NULL), 200);
	assert_string_equal(web_text(&w), "ada");
	assert_int_equal(ask("GET /super/", token, NULL, NULL), 403);
}

static void
what_is_no_good_token_is_nobody_and_never_a_visitor(void **state)
{
	static const char *const bad[] = { "HTTP_AUTHORIZATION=Token",
		"HTTP_AUTHORIZATION=Basic YWRhOnB3", "HTTP_AUTHORIZATION=x",
		"HTTP_AUTHORIZATION=Token mrd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"HTTP_AUTHORIZATION=Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b" };
	static const char *const paths[] = { "GET /any/", "GET /read/", "GET /mine/", "POST /any/",
		"POST /mine/", "POST /api/", "GET /nothing/", "OPTIONS /any/" };
	int before = changes;

	(void)state;
	take_session();
	for (size_t i = 0; i < NELEM(bad); i++)
		for (size_t k = 0; k < NELEM(paths); k++) {
			assert_int_equal(ask(paths[k], bad[i], session, NULL), 401);
			assert_string_equal(web_text(&w), INVALID);
			assert_string_equal(web_header(&w, "WWW-Authenticate"), "Token");
			assert_string_equal(web_header(&w, "Content-Type"), "application/json");
			assert_string_equal(web_header(&w, "Set-Cookie"), "");
		}
	assert_int_equal(changes, before);
	/* a server that passes on what was not sent */
	assert_int_equal(ask("GET /mine/", "HTTP_AUTHORIZATION=", session, NULL), 200);
	assert_int_equal(ask("GET /any/", bad[0], "+HTTP_AUTHORIZATION=x", NULL), 400);
}

static void
token_ends_at_its_time_and_with_its_row(void **state)
{
	int64_t now = clock_now(), n;
	const char *token, *other;

	(void)state;
	clock_freeze(now);
	token = header_of(ada, "read", now + DAY);
	other = header_of(ada, "read", 0);
	clock_freeze(now + DAY - 1);
	assert_int_equal(ask("GET /mine/", token, NULL, NULL), 200);
	clock_freeze(now + DAY);
	assert_int_equal(ask("GET /mine/", token, NULL, NULL), 401);
	assert_string_equal(web_text(&w), INVALID);
	/* 365 days are the most where nothing else is set */
	clock_freeze(now + 365 * DAY - 1);
	assert_int_equal(ask("GET /mine/", other, NULL, NULL), 200);
	clock_freeze(now + 365 * DAY);
	assert_int_equal(ask("GET /mine/", other, NULL, NULL), 401);
	clock_freeze(now);
	assert_int_equal(ask("GET /mine/", other, NULL, NULL), 200);
	assert_int_equal(token_revoke_all(scratch_db, ada, &n), DB_END);
	assert_int_equal(ask("GET /mine/", other, NULL, NULL), 401);
	clock_freeze(0);
}

static void
cookies_have_no_part_in_it(void **state)
{
	const char *token = header_of(super, "read write", 0);

	(void)state;
	take_session();
	assert_int_equal(ask("GET /mine/", token, session, NULL), 200);
	assert_string_equal(web_text(&w), "super");
	/* show() leaves a message, which is a cookie */
	assert_string_equal(web_header(&w, "Set-Cookie"), "");
	assert_int_equal(ask("GET /mine/", "HTTP_AUTHORIZATION=", session, NULL), 200);
	assert_string_not_equal(web_header(&w, "Set-Cookie"), "");
	assert_int_equal(ask("GET /mine/", token, NULL, NULL), 200);
}

static void
form_of_a_token_needs_nothing_else(void **state)
{
	const char *token = header_of(ada, "write", 0);
	int before = changes;

	(void)state;
	assert_int_equal(ask("POST /mine/", token, NULL, NULL), 200);
	assert_int_equal(changes, before + 1);
	/* a cookie does not do for it */
	take_session();
	assert_int_equal(ask("POST /mine/", "HTTP_AUTHORIZATION=", session, NULL), 403);
	assert_int_equal(changes, before + 1);
}

static void
scopes_hold_at_every_row(void **state)
{
	static const struct {
		const char *scopes;
		int read, write;
	} rows[] = {
		{ "read", 200, 403 },
		{ "write", 403, 200 },
		{ "targets:read", 200, 403 },
		{ "targets:write", 403, 200 },
		{ "targets:read write", 200, 200 },
		{ "other:read other:write", 403, 403 },
	};
	const char *token;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		token = header_of(super, rows[i].scopes, 0);
		assert_int_equal(ask("GET /any/", token, NULL, NULL), rows[i].read);
		assert_int_equal(ask("GET /read/", token, NULL, NULL), rows[i].read);
		assert_int_equal(ask("GET /super/", token, NULL, NULL), rows[i].read);
		assert_int_equal(ask("HEAD /super/", token, NULL, NULL), rows[i].read);
		assert_int_equal(ask("POST /mine/", token, NULL, NULL), rows[i].write);
		if (rows[i].write == 403)
			assert_non_null(strstr(web_text(&w), "targets:write"));
		assert_int_equal(ask("POST /any/", token, NULL, NULL), rows[i].write);
		assert_int_equal(ask("GET /nothing/", token, NULL, NULL), 404);
		assert_int_equal(ask("PUT /mine/", token, NULL, NULL), 405);
	}
	/* an executable without an area */
	start_again(&closed);
	token = header_of(super, "read write", 0);
	assert_int_equal(ask("GET /any/", token, NULL, NULL), 403);
	assert_int_equal(ask("POST /mine/", token, NULL, NULL), 403);
	assert_non_null(strstr(web_text(&w), "No token opens"));
	assert_int_equal(ask("GET /nothing/", token, NULL, NULL), 404);
	start_again(&app);
}

static void
locked_site_is_open_to_its_tokens(void **state)
{
	const char *token = header_of(ada, "read", 0);

	(void)state;
	setenv("MERIDIAN_AUTH_STRATEGY", "LOCKED", 1);
	start_again(&app);
	assert_int_equal(ask("GET /read/", token, NULL, NULL), 200);
	assert_int_equal(ask("GET /nothing/", token, NULL, NULL), 404);
	assert_int_equal(ask("GET /read/", "HTTP_ACCEPT=application/json", NULL, NULL), 401);
	assert_non_null(strstr(web_text(&w), "Authentication credentials were not provided."));
	assert_int_equal(ask("GET /nothing/", "HTTP_ACCEPT=application/json", NULL, NULL), 401);
	assert_int_equal(ask("GET /read/", "HTTP_ACCEPT=text/html", NULL, NULL), 302);
	unsetenv("MERIDIAN_AUTH_STRATEGY");
	start_again(&app);
}

static void
programs_are_answered_in_json(void **state)
{
	(void)state;
	assert_int_equal(ask("GET /mine/", "HTTP_ACCEPT=application/json", NULL, NULL), 401);
	assert_string_equal(web_header(&w, "WWW-Authenticate"), "Token");
	assert_int_equal(
	    ask("GET /mine/", "HTTP_ACCEPT=text/html,application/json;q=0.5", NULL, NULL), 302);
	assert_int_equal(ask("GET /nothing/", "HTTP_ACCEPT=application/json", NULL, NULL), 404);
	assert_string_equal(web_header(&w, "Content-Type"), "application/json");
	assert_non_null(strstr(web_text(&w), "{\"detail\":\"There is nothing"));
}

static void
api_row_needs_no_form_but_refuses_a_foreign_page(void **state)
{
	int before = changes;

	(void)state;
	assert_int_equal(ask("POST /api/", "HTTP_X=", NULL, NULL), 200);
	assert_int_equal(changes, ++before);
	assert_int_equal(ask("POST /api/", "HTTP_ORIGIN=https://tom.example", NULL, NULL), 200);
	assert_int_equal(changes, ++before);
	assert_int_equal(ask("POST /api/", "HTTP_ORIGIN=https://evil.example", NULL, NULL), 403);
	assert_int_equal(ask("POST /api/", "HTTP_ORIGIN=null", NULL, NULL), 403);
	assert_int_equal(ask("POST /api/", "HTTP_REFERER=https://evil.example/", NULL, NULL), 403);
	assert_int_equal(ask("POST /api/", "HTTP_SEC_FETCH_SITE=cross-site", NULL, NULL), 403);
	assert_string_equal(web_header(&w, "Content-Type"), "application/json");
	/* with a session, that is what vouches: its form's token is needed */
	take_session();
	assert_int_equal(ask("POST /api/", "HTTP_ORIGIN=https://tom.example", session, NULL), 403);
	assert_int_equal(changes, before);
	/* other rows take no JSON */
	assert_int_equal(ask("POST /any/", "HTTP_X=", "CONTENT_TYPE=application/json", NULL), 415);
	assert_int_equal(ask("POST /api/", "HTTP_X=", "CONTENT_TYPE=application/json", NULL), 200);
}

static void
use_is_noted_once_a_minute_and_costs_nothing_else(void **state)
{
	int64_t now = clock_now(), us;
	const char *token;
	unsigned n;

	(void)state;
	clock_freeze(now);
	token = header_of(ada, "read", 0);
	for (int i = 0; i < 4; i++) {
		clock_freeze(now + i * 30 * SECOND);
		assert_int_equal(ask("GET /mine/", token, NULL, NULL), 200);
		db_count(w.server.app.db, &n, &us);
		assert_int_equal(n, i % 2 == 0 ? 3 : 2);
	}
	clock_freeze(0);
}

/* Nobody is there who could follow a redirection, and the password had no part in it. */
static void
token_is_told_of_terms_and_asked_for_no_password(void **state)
{
	const char *token = header_of(ada, "read", 0);

	(void)state;
	setenv("MERIDIAN_TOM_PASSWORD_EXPIRY_DAYS", "1", 1);
	start_again(&app);
	assert_int_equal(ask("GET /mine/", token, NULL, NULL), 200);
	setenv("MERIDIAN_TOM_TERMS_OF_SERVICE_VERSION", "2026-01", 1);
	start_again(&app);
	assert_int_equal(ask("GET /mine/", token, "HTTP_ACCEPT=text/html", NULL), 403);
	assert_non_null(strstr(web_text(&w), "Accept the terms of service first"));
	unsetenv("MERIDIAN_TOM_TERMS_OF_SERVICE_VERSION");
	unsetenv("MERIDIAN_TOM_PASSWORD_EXPIRY_DAYS");
	start_again(&app);
}

static void
use_that_cannot_be_noted_costs_a_line_and_no_answer(void **state)
{
	static const char *const sql[] = { "CREATE TRIGGER frozen BEFORE UPDATE ON api_token "
		                           "BEGIN SELECT RAISE(ABORT, 'frozen'); END",
		"DROP TRIGGER frozen" };
	const char *token = header_of(ada, "read", 0);

	(void)state;
	assert_int_equal(db_run_text(scratch_db, &sql[0], 1), DB_END);
	hear();
	assert_int_equal(ask("GET /mine/", token, NULL, NULL), 200);
	assert_non_null(strstr(heard(), "the use of a token could not be noted"));
	assert_string_equal(web_text(&w), "ada");
	assert_int_equal(db_run_text(scratch_db, &sql[1], 1), DB_END);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_is_its_user_by_either_word),
		cmocka_unit_test(what_is_no_good_token_is_nobody_and_never_a_visitor),
		cmocka_unit_test(token_ends_at_its_time_and_with_its_row),
		cmocka_unit_test(cookies_have_no_part_in_it),
		cmocka_unit_test(form_of_a_token_needs_nothing_else),
		cmocka_unit_test(scopes_hold_at_every_row),
		cmocka_unit_test(locked_site_is_open_to_its_tokens),
		cmocka_unit_test(programs_are_answered_in_json),
		cmocka_unit_test(api_row_needs_no_form_but_refuses_a_foreign_page),
		cmocka_unit_test(use_is_noted_once_a_minute_and_costs_nothing_else),
		cmocka_unit_test(token_is_told_of_terms_and_asked_for_no_password),
		cmocka_unit_test(use_that_cannot_be_noted_costs_a_line_and_no_answer),
	};

	return cmocka_run_group_tests_name("authorization", tests, set_up, tear_down);
}
