/*
 * login_sessions: where one is signed in, and ending that.
 */
#include <string.h>

#include "auth/event.h"
#include "auth/session_list.h"
#include "base/clock.h"
#include "login.h"

#define SESSIONS "/accounts/sessions/"
#define SESSIONS_SHOWN 200

static bool
is_this(const struct request *r, const struct session_entry *s)
{
	return memcmp(s->token_hash, auth_session(r)->token_hash, SECRET_SIZE) == 0;
}

int
show_sessions(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "sessions"), *v;
	struct session_entry *s;
	enum db_result done;
	size_t n;

	done = session_list_user(r->app->db, r->arena, auth_session_limits(r), r->user->id, r->now,
	    SESSIONS_SHOWN, &s, &n);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	for (size_t i = 0; i < n; i++) {
		v = value_add_object(list);
		value_set_text(v, "session", session_name(r->arena, s[i].token_hash));
		value_set_text(v, "device", session_device(r->arena, s[i].agent));
		value_set_text(v, "address", s[i].address);
		value_set_text(v, "since", clock_minute(r->arena, s[i].created));
		value_set_text(v, "seen", clock_minute(r->arena, s[i].last_seen));
		value_set_bool(v, "factor", s[i].factor != 0);
		value_set_bool(v, "here", is_this(r, &s[i]));
	}
	value_set_cstr(page, "title", "Sessions");
	value_set_bool(page, "others", n > 1);
	return respond_page(r, res, 200, "sessions", page);
}

static int
ended(struct request *r, struct response *res, struct str what)
{
	event_note(r,
	    (struct event){ .kind = EVENT_SESSION_ENDED,
	        .user = r->user->id,
	        .username = r->user->username,
	        .detail = what });
	respond_message(r, res, "ok", what);
	return respond_redirect(r, res, STR(SESSIONS));
}

int
end_session(struct request *r, struct response *res)
{
	uint8_t hash[SECRET_SIZE];
	enum db_result done = DB_END;

	if (session_of_name(pairs_get(&r->post, "session"), hash)) {
		if (memcmp(hash, auth_session(r)->token_hash, SECRET_SIZE) == 0)
			return respond_error(
			    r, res, 400, "This is the session you are in: sign out to end it.");
		done = session_end_named(r->app->db, r->user->id, hash);
	}
	if (done == DB_END)
		return respond_error(
		    r, res, 404, "You have no such session; it may have ended already.");
	if (done != DB_ROW)
		return auth_db_failed(r, res, done);
	return ended(r, res, STR("One session was ended: who used it is signed out."));
}

int
end_other_sessions(struct request *r, struct response *res)
{
	enum db_result done;
	int64_t n;

	done = session_end_others(r->app->db, r->user->id, auth_session(r), &n);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	return ended(r, res,
	    n == 1 ? STR("The other session was ended. You are signed in here only.")
	           : arena_printf(r->arena,
	                 "%d other sessions were ended. You are signed in here only.", (int)n));
}
