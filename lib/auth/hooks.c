/*
 * hooks: the questions that lib/http asks before a handler runs, answered from the database.
 *
 * The first of them that needs it loads the visit: host, unless ALLOWED_HOSTS has it, session or token,
 * user and groups, in two statements that travel together. Nothing of it is kept for the next request,
 * so a site, a right or a session that changes counts at once in every process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/csrf.h"
#include "auth/event.h"
#include "auth/factor.h"
#include "auth/password.h"
#include "auth/visit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"

#define TOUCH_PAUSE (5 * SECOND)

/* The schema was seen to be ours, by this worker. (The check before it ran in a process of its own.) */
static bool schema_known;

static int
check(struct app_state *app)
{
	char err[1024] = "";
	const char *wrong = factor_config_wrong(app->config);
	struct secret *secret = wrong == NULL ? secret_load(app->config, err, sizeof(err)) : NULL;
	struct db *db = secret == NULL ? NULL
	                               : db_new_as(app->config, app->app->name, err, sizeof(err));
	enum db_result r = db == NULL ? DB_REFUSED : db_schema_check(db, err, sizeof(err));
	int result = -1;

	/* a database that is away comes back: the workers look before they first use it */
	if (r == DB_END || r == DB_AWAY)
		result = 0;
	else
		fprintf(stderr, "%s: %s\n", app->app->name, wrong != NULL ? wrong : err);
	db_free(db);
	secret_free(secret);
	return result;
}

static int
start(struct app_state *app)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	char err[1024] = "";

	if (auth == NULL)
		arena_exhausted();
	if (app->app->area != NULL && !token_is_area(app->app->area))
		abort(); /* a mistake of ours: no scope could name it */
	password_configure(app->config);
	session_limits(app->config, &auth->limits);
	auth->locked = strcmp(config_text(app->config, "AUTH_STRATEGY"), "LOCKED") == 0;
	auth->token_age = config_int(app->config, "TOM_API_TOKEN_EXPIRY_DAYS") * DAY;
	auth->password_age = config_int(app->config, "TOM_PASSWORD_EXPIRY_DAYS") * DAY;
	auth->terms = str_of(config_text(app->config, "TOM_TERMS_OF_SERVICE_VERSION"));
	auth->open_change = config_bool(app->config, "TARGET_OPEN_CHANGE");
	auth->db_idle = config_int(app->config, "DATABASE_IDLE_SECONDS") * SECOND;
	auth->secret = secret_load(app->config, err, sizeof(err));
	if (auth->secret != NULL)
		app->db = db_new_as(app->config, app->app->name, err, sizeof(err));
	if (app->db == NULL) {
		log_error("cannot start", LOG_TEXT("why", err));
		secret_free(auth->secret);
		free(auth);
		return -1;
	}
	auth->flood = event_flood_new();
	app->auth = auth;
	return 0;
}

static void
stop(struct app_state *app)
{
	struct auth *auth = app->auth;

	if (auth == NULL)
		return;
	event_flood_flush(auth->flood, app->db, clock_now(), true);
	event_flood_free(auth->flood);
	db_free(app->db);
	app->db = NULL;
	secret_free(auth->secret);
	free(auth);
	app->auth = NULL;
}

static void
needs(const struct app_state *app, struct sandbox *box)
{
	db_needs(app->db, box);
}

void
auth_needs_hashes(const struct app_state *app, struct sandbox *box)
{
	(void)app;
	password_needs(box);
}

static void
idle(struct app_state *app)
{
	const struct auth *auth = app->auth;

	event_flood_flush(auth->flood, app->db, clock_now(), false);
	db_close_idle(app->db, auth->db_idle);
}

/* The query for the token of a cookieless request; NULL where it shows none of ours. */
static struct query *
ask_token(struct request *r, struct visit *v)
{
	struct str text;

	v->token_wrong = "malformed";
	if (!token_parse(request_header(r, "HTTP_AUTHORIZATION"), &text))
		return NULL;
	return token_ask(r->app->db, auth_of(r)->secret, text);
}

/* The query for the request's host among the sites. */
static struct query *
ask_site(struct request *r)
{
	struct query *q = db_query(r->app->db, QUERY_SITE_OF_REQUEST);

	db_text(q, "host", r->host);
	db_text(q, "bare", host_name(r->host));
	db_start(q);
	return q;
}

static enum db_result
ask(struct request *r, struct visit *v, bool with_site)
{
	const struct auth *auth = auth_of(r);
	struct str cookie = request_cookie(r, SESSION_COOKIE);
	uint8_t token_hash[SECRET_SIZE];
	struct query *site = with_site ? ask_site(r) : NULL, *who;
	enum db_result result = DB_END, other = DB_END;

	who = r->cookieless ? ask_token(r, v)
	                    : session_ask(r->app->db, auth->secret, cookie, r->now, token_hash);
	while (site != NULL && db_step(site) == DB_ROW)
		v->host_is_ours = true;
	if (site != NULL)
		result = db_done(site);
	if (who != NULL && r->cookieless)
		other = token_read(
		    who, r->arena, auth->token_age, r->now, &v->token, &v->user, &v->token_wrong);
	else if (who != NULL)
		other = session_read(who, auth->secret, &auth->limits, token_hash, r->now, r->arena,
		    &v->session, &v->user);
	return result != DB_END ? result : other;
}

/* A worker that was started while the database was away has yet to look at it. */
static bool
is_schema_ours(struct request *r)
{
	char err[1024] = "";
	enum db_result result;

	if (schema_known)
		return true;
	result = db_schema_check(r->app->db, err, sizeof(err));
	schema_known = result == DB_END;
	if (result == DB_REFUSED)
		log_error("the database cannot be used", LOG_TEXT("why", err));
	return schema_known;
}

/* 0, or -1 where the database cannot answer: the visit is empty then. */
static int
load(struct request *r, bool with_site)
{
	struct visit *v = arena_alloc(r->arena, sizeof(*v));
	struct str visitor = request_cookie(r, VISITOR_COOKIE);
	uint8_t bytes[SECRET_SIZE];
	enum db_result result;

	r->session = v;
	if (!is_schema_ours(r))
		return -1;
	db_count_start(r->app->db);
	result = ask(r, v, with_site);
	if (result != DB_END) {
		log_error("who asks is not known: the database did not answer",
		    LOG_TEXT("error", db_error(r->app->db)));
		*v = (struct visit){ .session = NULL };
		return -1;
	}
	if (v->session != NULL && v->session->factor == 0 &&
	    factor_required(r->app->config, v->user)) {
		/* from before it was asked for: they sign in anew */
		v->session = NULL;
		v->user = NULL;
	}
	if (v->token != NULL && v->token_wrong == NULL && v->token->automatic &&
	    factor_required(r->app->config, v->user)) {
		/* likewise: the password that got it is not enough any more */
		v->token_wrong = "got by a password alone";
		v->user = NULL;
	}
	if (v->session == NULL && secret_decode(visitor, bytes, sizeof(bytes)))
		v->visitor = visitor;
	return 0;
}

static int
host(struct request *r)
{
	if (load(r, true) != 0)
		return -1;
	if (!visit_of(r)->host_is_ours)
		event_note(r, (struct event){ .kind = EVENT_HOST_REFUSED, .detail = r->host });
	return visit_of(r)->host_is_ours;
}

static int
identify(struct request *r)
{
	struct user *u;

	/* whether the host is ours was not asked: ALLOWED_HOSTS has it */
	if (visit_of(r) == NULL && load(r, false) != 0)
		return -1;
	r->user = visit_of(r)->user;
	if (r->user != NULL && auth_of(r)->open_change) {
		u = arena_alloc(r->arena, sizeof(*u));
		*u = *r->user;
		u->open_verbs = CHANGE | REMOVE;
		r->user = u;
	}
	return 0;
}

/* "PAGE?next=" and where they wanted to go. */
static struct str
page_with_next(struct request *r, const char *page)
{
	struct str next = url_path_encode(r->arena, request_url(r, r->path.p));

	if (r->query.n > 0)
		next = arena_printf(r->arena, "%s?%s", next.p, r->query.p);
	return arena_printf(r->arena, "%s?next=%s", page, url_encode(r->arena, next).p);
}

static struct str
sign_in_page(struct request *r)
{
	return page_with_next(r, "/accounts/login/");
}

bool
auth_password_is_old(const struct request *r)
{
	const struct visit *v = visit_of(r);
	int64_t age = auth_of(r)->password_age;

	return age != 0 && v->session != NULL && r->now - v->session->password_changed >= age;
}

/* Whose password is older than this site wants changes it before all but signing out. */
static int
ask_for_new_password(struct request *r, struct response *res)
{
	if (str_is(r->path, "/accounts/password/") ||
	    str_is(r->path, "/accounts/password/check/") || str_is(r->path, "/accounts/logout/"))
		return 0;
	if (request_is_safe(r) && !request_wants_json(r))
		respond_redirect(r, res, page_with_next(r, "/accounts/password/"));
	else
		respond_error(r, res, 403,
		    "Your password is older than this site allows. Change it first, at "
		    "/accounts/password/ of this site; then send this again.");
	return -1;
}

/* Those who are signed in accept the terms of today before all but reading them and signing out. */
static int
ask_for_terms(struct request *r, struct response *res)
{
	struct str terms = auth_of(r)->terms;

	if (terms.n == 0 || r->user == NULL || str_eq(r->user->terms_version, terms) ||
	    str_is(r->path, "/terms/") || str_is(r->path, "/accounts/logout/"))
		return 0;
	if (request_is_safe(r) && visit_of(r)->token == NULL && !request_wants_json(r))
		respond_redirect(r, res, page_with_next(r, "/terms/"));
	else
		respond_error(r, res, 403,
		    "Accept the terms of service first, at /terms/ of this site; then send this "
		    "again.");
	return -1;
}

/*
 * Who shows a token that is none is never taken for a visitor: a script whose token ended would go
 * on with half of the data. The log says what is wrong with it, the answer does not.
 */
static int
refuse_token(struct request *r, struct response *res)
{
	const struct visit *v = visit_of(r);

	event_note(r,
	    (struct event){ .kind = EVENT_TOKEN_REFUSED,
	        .user = v->token == NULL ? 0 : v->token->user_id,
	        .detail = v->token == NULL
	            ? str_of(v->token_wrong)
	            : arena_printf(r->arena, "%s: %s", v->token_wrong, v->token->name.p) });
	response_set(res, "WWW-Authenticate", STR("Token"));
	respond_error(r, res, 401, "Invalid token.");
	return -1;
}

/* What was asked for, for the log: a text in a path may be a link for one use, and is left out. */
static const char *
asked_path(const struct request *r)
{
	return strstr(r->route->path, "<text>") != NULL ? r->route->path : r->path.p;
}

/* Does the token's scopes let it use the row? Where there is no row, there is nothing to refuse. */
static bool
is_in_scope(struct request *r, struct response *res)
{
	const struct token *token = visit_of(r)->token;
	const char *area = r->app->app->area, *why = "No token opens this page: sign in to use it.";
	bool safe = request_is_safe(r);

	if (token == NULL || r->route->handler == NULL || token_allows(token->scopes, area, safe))
		return true;
	if (area != NULL)
		why = arena_printf(r->arena,
		    "This token may not do that: it needs the scope \"%s\" or \"%s:%s\".",
		    safe ? "read" : "write", area, safe ? "read" : "write")
		          .p;
	event_note(r,
	    (struct event){ .kind = EVENT_ACCESS_REFUSED,
	        .user = token->user_id,
	        .detail = arena_printf(r->arena, "token \"%s\" at %s %s", token->name.p,
	            safe ? "GET" : "POST", asked_path(r)) });
	respond_error(r, res, 403, why);
	return false;
}

/* A program is told that it must show a token, with the word of Django REST framework. */
static int
ask_for_token(struct request *r, struct response *res)
{
	response_set(res, "WWW-Authenticate", STR("Token"));
	respond_error(r, res, 401, "Authentication credentials were not provided.");
	return -1;
}

static void
note_refused(struct request *r)
{
	event_note(r,
	    (struct event){ .kind = EVENT_ACCESS_REFUSED,
	        .user = r->user == NULL ? 0 : r->user->id,
	        .username = r->user == NULL ? STR("") : r->user->username,
	        .detail = arena_printf(r->arena, "%s %s%s", request_is_safe(r) ? "GET" : "POST",
	            asked_path(r), r->user == NULL ? ", not signed in" : "") });
}

static int
permit(struct request *r, struct response *res)
{
	bool locked = auth_of(r)->locked && !access_is_open(r->app->config, r->path.p);

	if (visit_of(r)->token_wrong != NULL)
		return refuse_token(r, res);
	if (!is_in_scope(r, res))
		return -1;
	switch (access_decide(r->route->access, r->user, locked)) {
	case ACCESS_GRANTED:
		return auth_password_is_old(r) ? ask_for_new_password(r, res)
		                               : ask_for_terms(r, res);
	case ACCESS_SIGN_IN:
		if (request_wants_json(r))
			return ask_for_token(r, res);
		/* a locked site says the same of every path, to every method */
		if (request_is_safe(r) || (locked && !str_is(r->path, "/accounts/logout/"))) {
			respond_redirect(r, res, sign_in_page(r));
			return -1;
		}
		/*
		 * Who wants to sign out is out already. The cookie is left: a form of another site
		 * comes without it, and must not sign anybody out.
		 */
		if (str_is(r->path, "/accounts/logout/")) {
			respond_redirect(r, res, STR("/"));
			return -1;
		}
		note_refused(r);
		respond_error(r, res, 403,
		    "You are not signed in, or your session has ended. Sign in, then send the form "
		    "again.");
		return -1;
	case ACCESS_REFUSED:
		break;
	}
	note_refused(r);
	respond_error(r, res, 403,
	    r->route->access == SUPERUSER
	        ? "Only superusers may use this page. Ask one of them, or sign in as one."
	        : "Only staff may use this page. Ask an administrator of this site to make you "
	          "staff, or sign in as somebody who is.");
	return -1;
}

bool
visit_base(const struct visit *v, const char **purpose, struct str *id)
{
	if (v->session != NULL) {
		*purpose = "session";
		*id = (struct str){ (const char *)v->session->token_hash, SECRET_SIZE };
		return true;
	}
	*purpose = "visitor";
	*id = v->visitor;
	return v->visitor.p != NULL;
}

/* The third check: NULL where the token is one of this visit's, else a sentence. */
static const char *
wrong_token(struct request *r)
{
	struct str token = pairs_get(&r->post, "csrfmiddlewaretoken"), id;
	const char *purpose;

	if (pairs_count(&r->post, "csrfmiddlewaretoken") > 1)
		return "The form came with two tokens. Open the page again and send it once.";
	if (token.p == NULL)
		token = request_header(r, "HTTP_X_CSRFTOKEN");
	if (token.p == NULL)
		return "The form came without its token (csrfmiddlewaretoken, or the header "
		       "X-CSRFToken). Open the page again and send the form from there.";
	if (!visit_base(visit_of(r), &purpose, &id))
		return auth_cookies_are_lost(r)
		    ? "This page came over http, and this site's cookies travel over https only. "
		      "Open "
		      "it with https://."
		    : "Your browser did not send this site's cookie. Allow cookies for it, open "
		      "the page again, and send the form from there.";
	return csrf_token_is(auth_of(r)->secret, token, purpose, id)
	    ? NULL
	    : "This form is from before you signed in, or from a session that has ended. Open the "
	      "page again and send it from there; what you typed is still in your browser if you "
	      "go "
	      "back.";
}

static int
csrf(struct request *r, struct response *res)
{
	/* what no cookie vouches for, nobody else's page can borrow; but a page has no business there */
	bool program = r->route->api && visit_of(r)->session == NULL;
	struct str origin = request_header(r, "HTTP_ORIGIN");
	struct str referer = request_header(r, "HTTP_REFERER");
	bool no_page = program && origin.p == NULL && referer.p == NULL;
	const char *why = NULL;

	if (!r->cookieless)
		why = csrf_foreign(request_header(r, "HTTP_SEC_FETCH_SITE"), origin, referer,
		    no_page ? STR("http") : r->scheme, r->host);
	if (!r->cookieless && why == NULL && !program)
		why = wrong_token(r);
	if (why == NULL)
		return 0;
	event_note(r,
	    (struct event){ .kind = EVENT_CSRF_REFUSED,
	        .user = r->user == NULL ? 0 : r->user->id,
	        .username = r->user == NULL ? STR("") : r->user->username,
	        .detail = arena_printf(r->arena, "%s, Origin %.*s: %s", asked_path(r),
	            STR_ARG(origin.p == NULL ? STR("absent") : origin), why) });
	respond_error(r, res, 403, why);
	return -1;
}

static void
context(struct request *r, struct value *page)
{
	const struct visit *v = visit_of(r);
	const char *purpose;
	struct str id;

	if (v == NULL)
		return;
	if (r->user != NULL) {
		struct value *user = value_set_object(page, "user");

		value_set_text(user, "username", r->user->username);
		value_set_bool(user, "is_staff", r->user->is_staff || r->user->is_superuser);
		value_set_bool(user, "is_superuser", r->user->is_superuser);
	} else {
		value_set_text(page, "sign_in",
		    request_is_safe(r) && !str_starts(r->path, "/accounts/")
		        ? sign_in_page(r)
		        : STR("/accounts/login/"));
	}
	if (visit_base(v, &purpose, &id))
		value_set_text(page, "csrf", csrf_token(auth_of(r)->secret, r->arena, purpose, id));
}

static void
count(struct request *r, unsigned *statements, int64_t *microseconds)
{
	if (visit_of(r) != NULL)
		db_count(r->app->db, statements, microseconds);
}

/*
 * A session or token that was used says so, if it can: what cannot be written ends it earlier, no more. So
 * nobody waits for it, and where it failed the worker leaves it for a while.
 */
static void
finish(struct request *r)
{
	const struct visit *v = visit_of(r);
	struct auth *auth = auth_of(r);
	enum db_result result;

	if (v == NULL)
		return;
	db_reset(r->app->db);
	if (v->user == NULL || clock_monotonic() < auth->touch_after)
		return;
	if (v->session != NULL)
		result = session_touch(r->app->db, v->session, r->now);
	else
		result = v->token == NULL ? DB_END : token_touch(r->app->db, v->token, r->now);
	if (result == DB_END)
		return;
	auth->touch_after = clock_monotonic() + TOUCH_PAUSE;
	log_write(result == DB_RETRY ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    v->session != NULL ? "the use of a session could not be noted"
	                       : "the use of a token could not be noted",
	    LOG_FIELDS(LOG_TEXT("error", db_error(r->app->db))));
}

const struct hooks auth_hooks = {
	.start = start,
	.check = check,
	.needs = needs,
	.idle = idle,
	.stop = stop,
	.host = host,
	.identify = identify,
	.permit = permit,
	.csrf = csrf,
	.context = context,
	.count = count,
	.finish = finish,
};
