/*
 * admin-security: what happened to accounts, and who is signed in.
 *
 *	GET  /admin/security/			the security log, filtered by the query string
 *	GET  /admin/sessions/			the sessions of everybody, or of ?user=
 *	POST /admin/sessions/end/		session: one; user: all of theirs
 *	GET  /admin/sessions/end-all/		asks
 *	POST /admin/sessions/end-all/		all=yes: ends everybody's, one's own too
 *
 * Staff look; superusers end. Rows of the log older than SECURITY_LOG_DAYS are removed here, some
 * after each look: only this executable (and a command) may remove any.
 */
#include "auth/auth.h"
#include "auth/event_list.h"
#include "auth/session_list.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/form.h"
#include "tom/user.h"

#define LOG "/admin/security/"
#define SESSIONS "/admin/sessions/"
#define ROWS 50
#define PURGE 500 /* rows removed after a look */

static int show_log(struct request *, struct response *);
static int show_sessions(struct request *, struct response *);
static int end_sessions(struct request *, struct response *);
static int ask_end_all(struct request *, struct response *);
static int end_all(struct request *, struct response *);

static const struct route routes[] = {
	ROUTE(GET, LOG, STAFF, NO_BODY, show_log),
	ROUTE(GET, SESSIONS, STAFF, NO_BODY, show_sessions),
	ROUTE(POST, SESSIONS "end/", SUPERUSER, KIB(4), end_sessions),
	ROUTE(GET, SESSIONS "end-all/", SUPERUSER, NO_BODY, ask_end_all),
	ROUTE(POST, SESSIONS "end-all/", SUPERUSER, KIB(4), end_all),
};

/* What a stranger sent, with what could hide or turn it around made visible. */
static struct str
visible(struct arena *a, struct str s)
{
	struct buf b = { 0 };
	struct str out;

	for (size_t i = 0; i < s.n; i++) {
		const unsigned char *p = (const unsigned char *)s.p + i;
		unsigned point = 0;

		if (s.n - i >= 3 && p[0] == 0xe2 && (p[1] == 0x80 || p[1] == 0x81))
			point = 0x2000U | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
		else if (s.n - i >= 2 && p[0] == 0xd8 && p[1] == 0x9c)
			point = 0x61c;
		if (p[0] < ' ' || p[0] == 0x7f)
			buf_printf(&b, "\\x%02x", p[0]);
		else if (point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
		    (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x2069)) {
			buf_printf(&b, "\\u%04x", point);
			i += point == 0x61c ? 1 : 2;
		} else
			buf_putc(&b, *(const char *)p);
	}
	out = arena_copy(a, b.p == NULL ? "" : b.p, b.n);
	buf_free(&b);
	return out;
}

/* "sign_in_refused" -> "Sign in refused" */
static struct str
words(struct arena *a, struct str kind)
{
	char *p = (char *)(uintptr_t)arena_str(a, kind).p;

	for (size_t i = 0; i < kind.n; i++)
		if (p[i] == '_')
			p[i] = ' ';
	if (kind.n > 0 && p[0] >= 'a' && p[0] <= 'z')
		p[0] = (char)(p[0] - 'a' + 'A');
	return (struct str){ p, kind.n };
}

/* --- the log --- */

enum { KIND, USERNAME, ADDRESS, FROM, TO, FILTERS };
static const struct field filter_fields[FILTERS] = {
	[KIND] = { "kind", FIELD_TEXT, .max = 50, .label = "Event" },
	[USERNAME] = { "user", FIELD_TEXT, .max = USERNAME_MAX, .label = "User name" },
	[ADDRESS] = { "address", FIELD_TEXT, .max = 100, .label = "Address" },
	[FROM] = { "from", FIELD_TEXT, .max = 30, .label = "From" },
	[TO] = { "to", FIELD_TEXT, .max = 30, .label = "To" },
};

static void
read_day(struct input *in, int64_t *at)
{
	if (in->state == VALID && !clock_from_iso(in->text, at))
		form_wrong(
		    in, STR("Give a day as 2026-11-24, or a time as 2026-11-24T03:13 (UTC)."));
}

/* "AT.ID": where the page before ended. What is no such thing is passed over. */
static void
read_place(struct str text, struct event_filter *f)
{
	size_t dot = str_find(text, '.');
	int64_t at, id;

	if (dot < text.n && str_to_int64((struct str){ text.p, dot }, &at) &&
	    str_to_int64((struct str){ text.p + dot + 1, text.n - dot - 1 }, &id) && at > 0) {
		f->before = at;
		f->before_id = id;
	}
}

/* The filter of the query string; how many of its fields are wrong. */
static size_t
read_filter(struct request *r, struct input *in, struct event_filter *f)
{
	form_read(&r->get, filter_fields, FILTERS, in, r->arena);
	read_day(&in[FROM], &f->from);
	read_day(&in[TO], &f->to);
	if (in[TO].state == VALID && in[TO].text.n <= 10)
		f->to += DAY; /* a day is meant to its end */
	f->kind = in[KIND].state == VALID ? in[KIND].text : STR("");
	f->username = in[USERNAME].state == VALID ? in[USERNAME].text : STR("");
	f->address = in[ADDRESS].state == VALID ? in[ADDRESS].text : STR("");
	read_place(pairs_get(&r->get, "before"), f);
	return form_count_wrong(in, FILTERS);
}

static void
show_kinds(struct request *r, struct value *page, struct str chosen)
{
	struct value *list = value_set_list(page, "kinds");

	for (int i = 0; i < EVENT_KINDS; i++) {
		struct str word = str_of(event_word((enum event_kind)i));
		struct value *v = value_add_object(list);

		value_set_text(v, "value", word);
		value_set_text(v, "label", words(r->arena, word));
		value_set_bool(v, "selected", str_eq(word, chosen));
	}
}

/* "?kind=...&": the filter as a query string, to which more is added. */
static struct str
query_of(struct request *r, const struct input *in)
{
	struct str out = STR("?");

	for (size_t i = 0; i < FILTERS; i++)
		if (in[i].state == VALID)
			out = arena_printf(r->arena, "%s%s=%s&", out.p, filter_fields[i].name,
			    url_encode(r->arena, in[i].text).p);
	return out;
}

static void
show_event(struct request *r, struct value *v, const struct event_row *e)
{
	value_set_text(v, "at", clock_minute(r->arena, e->at));
	value_set_text(v, "exactly", clock_iso(r->arena, e->at));
	value_set_text(v, "kind", words(r->arena, e->kind));
	value_set_text(v, "username", visible(r->arena, e->username));
	value_set_text(v, "user_link", url_encode(r->arena, e->username));
	if (e->actor != 0 && e->actor != e->user)
		value_set_text(v, "actor",
		    e->actor_name.p != NULL
		        ? e->actor_name
		        : arena_printf(r->arena, "user %lld", (long long)e->actor));
	value_set_text(v, "address", visible(r->arena, e->address));
	value_set_text(v, "address_link", url_encode(r->arena, e->address));
	value_set_text(v, "detail", visible(r->arena, e->detail));
	value_set_text(v, "request", e->request_id);
	if (e->times > 1)
		value_set_int(v, "times", e->times);
}

/* What is too old goes, some at a time; nobody waits for it who does not look at the log. */
static void
purge(struct request *r)
{
	int64_t days = config_int(r->app->config, "SECURITY_LOG_DAYS"), removed;

	if (event_purge(r->app->db, r->now - days * DAY, PURGE, &removed) != DB_END)
		log_warn(
		    "old events could not be removed", LOG_TEXT("error", db_error(r->app->db)));
}

static int
show_log(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena), *list;
	struct event_filter f = { .from = 0 };
	struct input in[FILTERS];
	struct event_row *rows;
	enum db_result done;
	size_t n = 0;
	bool more = false, wrong = read_filter(r, in, &f) > 0;

	if (!wrong &&
	    (done = event_list(r->app->db, r->arena, &f, ROWS, &rows, &n, &more)) != DB_END)
		return auth_db_failed(r, s, done);
	list = value_set_list(page, "events");
	for (size_t i = 0; i < n; i++)
		show_event(r, value_add_object(list), &rows[i]);
	value_set_bool(page, "has_events", n > 0);
	value_set_cstr(page, "title", "Security log");
	show_kinds(r, page, f.kind);
	form_show(page, filter_fields, in, FILTERS, r->arena);
	value_set_bool(page, "wrong", wrong);
	value_set_bool(page, "filtered", query_of(r, in).n > 1);
	if (f.before != 0)
		value_set_text(page, "newest", query_of(r, in));
	if (more)
		value_set_text(page, "older",
		    arena_printf(r->arena, "%sbefore=%lld.%lld", query_of(r, in).p,
		        (long long)rows[n - 1].at, (long long)rows[n - 1].id));
	value_set_int(page, "days", config_int(r->app->config, "SECURITY_LOG_DAYS"));
	purge(r);
	return respond_page(r, s, wrong ? 400 : 200, "admin-security", page);
}

/* --- sessions --- */

static void
show_session(struct request *r, struct value *v, const struct session_entry *e)
{
	const struct session *mine = auth_session(r);

	value_set_text(v, "id", session_name(r->arena, e->token_hash));
	value_set_text(v, "username", e->username);
	value_set_text(v, "user_link", url_encode(r->arena, e->username));
	value_set_text(v, "device", session_device(r->arena, e->agent));
	value_set_text(v, "agent", e->agent);
	value_set_text(v, "address", visible(r->arena, e->address));
	value_set_text(v, "created", clock_minute(r->arena, e->created));
	value_set_text(v, "last_seen", clock_minute(r->arena, e->last_seen));
	value_set_bool(v, "factor", e->factor != 0);
	value_set_bool(
	    v, "here", mine != NULL && secret_same(mine->token_hash, e->token_hash, SECRET_SIZE));
	value_set_bool(v, "may_end", r->user->is_superuser);
}

/* The user that the form or the query names, or id 0. */
static enum user_result
find_named(struct request *r, struct str name, struct account *account)
{
	*account = (struct account){ .id = 0 };
	return name.n == 0 ? USER_DONE : user_find(r->app->db, r->arena, name, account);
}

/* "AT.NAME" of the session that the page before ended with. */
static bool
read_session_place(struct str text, struct session_place *place)
{
	size_t dot = str_find(text, '.');

	return dot < text.n && str_to_int64((struct str){ text.p, dot }, &place->created) &&
	    session_of_name((struct str){ text.p + dot + 1, text.n - dot - 1 }, place->token_hash);
}

static int
show_sessions(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "sessions");
	struct str name = pairs_get(&r->get, "user");
	struct session_place after, next;
	struct session_entry *rows;
	struct account account;
	enum db_result done;
	bool more = false, goes_on;
	size_t n = 0;

	switch (find_named(r, name, &account)) {
	case USER_DONE:
		break;
	case USER_UNKNOWN:
		account.id = -1; /* has none */
		break;
	default:
		return respond_error(r, s, 503, NULL);
	}
	goes_on = read_session_place(pairs_get(&r->get, "after"), &after);
	if (account.id != 0)
		done = session_list_user(r->app->db, r->arena, auth_session_limits(r), account.id,
		    r->now, 200, &rows, &n);
	else
		done = session_list_all(r->app->db, r->arena, auth_session_limits(r), r->now,
		    goes_on ? &after : NULL, ROWS, &rows, &n, &more, &next);
	if (done != DB_END)
		return auth_db_failed(r, s, done);
	for (size_t i = 0; i < n; i++)
		show_session(r, value_add_object(list), &rows[i]);
	value_set_bool(page, "has_sessions", n > 0);
	value_set_cstr(page, "title", "Sessions");
	value_set_text(page, "user_name", name);
	value_set_bool(page, "all", account.id == 0);
	value_set_bool(page, "unknown", account.id < 0);
	value_set_bool(page, "may_end", r->user->is_superuser);
	value_set_bool(page, "goes_on", goes_on);
	if (more)
		value_set_text(page, "next",
		    arena_printf(r->arena, "?after=%lld.%s", (long long)next.created,
		        session_name(r->arena, next.token_hash).p));
	return respond_page(r, s, 200, "admin-sessions", page);
}

static void
note_end(struct request *r, const struct account *of, int64_t ended)
{
	event_note(r,
	    (struct event){ .kind = EVENT_SESSION_ENDED,
	        .user = of->id,
	        .username = of->id == 0 ? STR("") : of->username,
	        .detail = of->id == 0
	            ? arena_printf(r->arena, "all of everybody: %lld", (long long)ended)
	            : arena_printf(r->arena, "by an administrator: %lld", (long long)ended) });
}

/* All of a user's. */
static int
end_of_user(struct request *r, struct response *s, struct str name)
{
	struct account account;
	enum db_result done;
	int64_t ended;

	switch (find_named(r, name, &account)) {
	case USER_DONE:
		break;
	case USER_UNKNOWN:
		return respond_error(
		    r, s, 404, "There is no such user; they may have been deleted.");
	default:
		return respond_error(r, s, 503, NULL);
	}
	done = session_end_others(r->app->db, account.id, NULL, &ended);
	if (done != DB_END)
		return auth_db_failed(r, s, done);
	note_end(r, &account, ended);
	respond_message(r, s, "ok",
	    arena_printf(r->arena, "%.*s is signed out everywhere.", STR_ARG(account.username)));
	return respond_redirect(r, s, STR(SESSIONS));
}

static int
end_sessions(struct request *r, struct response *s)
{
	struct str name = pairs_get(&r->post, "session"), user = pairs_get(&r->post, "user");
	struct account of = { .id = 0 };
	uint8_t hash[SECRET_SIZE];
	enum db_result done;

	if (name.p == NULL && user.n > 0)
		return end_of_user(r, s, user);
	if (name.p == NULL || !session_of_name(name, hash))
		return respond_error(r, s, 400, "The form does not say which session is to end.");
	done = session_owner(r->app->db, r->arena, hash, &of.id, &of.username);
	if (done == DB_ROW)
		done = session_end_named(r->app->db, 0, hash);
	if (done != DB_ROW && done != DB_END)
		return auth_db_failed(r, s, done);
	if (done == DB_ROW)
		note_end(r, &of, 1);
	respond_message(r, s, "ok",
	    done == DB_ROW ? STR("The session has ended.") : STR("It had ended already."));
	return respond_redirect(r, s, STR(SESSIONS));
}

static int
ask_end_all(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena);

	value_set_cstr(page, "title", "End all sessions");
	return respond_page(r, s, 200, "admin-sessions-end", page);
}

static int
end_all(struct request *r, struct response *s)
{
	enum db_result done;
	int64_t ended;

	if (!str_is(pairs_get(&r->post, "all"), "yes"))
		return respond_error(r, s, 400, "The form does not say that all are to end.");
	done = session_end_all(r->app->db, &ended);
	if (done != DB_END)
		return auth_db_failed(r, s, done);
	note_end(r, &(struct account){ .id = 0 }, ended);
	return respond_redirect(r, s, STR("/accounts/login/?next=/admin/sessions/"));
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "admin-security",
	        .what = "the security log, and who is signed in, for staff",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks });
}
