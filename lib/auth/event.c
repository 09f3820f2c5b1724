/*
 * event: a line and a row for each event of the security log.
 */
#include "auth/event.h"

#include "auth/access.h"
#include "base/log.h"

#define USERNAME_BYTES 150
#define DETAIL_BYTES 900

static const struct {
	const char *word;
	enum log_level level;
} kinds[EVENT_KINDS] = {
	[EVENT_SIGNED_IN] = { "signed_in", LOG_LEVEL_INFO },
	[EVENT_SIGN_IN_REFUSED] = { "sign_in_refused", LOG_LEVEL_WARN },
	[EVENT_SIGN_IN_THROTTLED] = { "sign_in_throttled", LOG_LEVEL_WARN },
	[EVENT_SIGNED_OUT] = { "signed_out", LOG_LEVEL_INFO },
	[EVENT_PASSWORD_CHANGED] = { "password_changed", LOG_LEVEL_INFO },
	[EVENT_PASSWORD_REFUSED] = { "password_refused", LOG_LEVEL_WARN },
	[EVENT_RESET_ASKED] = { "reset_asked", LOG_LEVEL_INFO },
	[EVENT_RESET_DONE] = { "reset_done", LOG_LEVEL_INFO },
	[EVENT_FACTOR_ADDED] = { "factor_added", LOG_LEVEL_INFO },
	[EVENT_FACTOR_REMOVED] = { "factor_removed", LOG_LEVEL_WARN },
	[EVENT_FACTOR_REFUSED] = { "factor_refused", LOG_LEVEL_WARN },
	[EVENT_RECOVERY_CODE_USED] = { "recovery_code_used", LOG_LEVEL_WARN },
	[EVENT_TOKEN_MADE] = { "token_made", LOG_LEVEL_INFO },
	[EVENT_TOKEN_REVOKED] = { "token_revoked", LOG_LEVEL_INFO },
	[EVENT_TOKEN_REFUSED] = { "token_refused", LOG_LEVEL_WARN },
	[EVENT_SESSION_ENDED] = { "session_ended", LOG_LEVEL_INFO },
	[EVENT_REGISTERED] = { "registered", LOG_LEVEL_INFO },
	[EVENT_EMAIL_VERIFIED] = { "email_verified", LOG_LEVEL_INFO },
	[EVENT_TERMS_ACCEPTED] = { "terms_accepted", LOG_LEVEL_INFO },
	[EVENT_USER_ADDED] = { "user_added", LOG_LEVEL_INFO },
	[EVENT_USER_CHANGED] = { "user_changed", LOG_LEVEL_INFO },
	[EVENT_USER_DELETED] = { "user_deleted", LOG_LEVEL_WARN },
	[EVENT_GROUP_CHANGED] = { "group_changed", LOG_LEVEL_INFO },
	[EVENT_RIGHTS_CHANGED] = { "rights_changed", LOG_LEVEL_INFO },
	[EVENT_SITE_CHANGED] = { "site_changed", LOG_LEVEL_INFO },
	[EVENT_ACCESS_REFUSED] = { "access_refused", LOG_LEVEL_WARN },
	[EVENT_CSRF_REFUSED] = { "csrf_refused", LOG_LEVEL_WARN },
	[EVENT_HOST_REFUSED] = { "host_refused", LOG_LEVEL_WARN },
	[EVENT_SECRET_ROTATED] = { "secret_rotated", LOG_LEVEL_WARN },
};

const char *
event_word(enum event_kind kind)
{
	return kinds[kind].word;
}

static struct str
cut(struct str s, size_t n)
{
	if (s.p == NULL)
		return STR("");
	if (s.n <= n)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ s.p, n };
}

static void
write_event(struct db *db, int64_t now, const struct event *e, struct str request)
{
	struct query *q;

	log_write(kinds[e->kind].level, kinds[e->kind].word,
	    LOG_FIELDS(LOG_INT("user", e->user),
	        LOG_STR("username", cut(e->username, DETAIL_BYTES)), LOG_INT("actor", e->actor),
	        LOG_STR("address", cut(e->address, DETAIL_BYTES)),
	        LOG_STR("detail", cut(e->detail, DETAIL_BYTES))));
	q = db_query(db, QUERY_EVENT_ADD);
	db_int(q, "now", now);
	db_text(q, "kind", str_of(kinds[e->kind].word));
	if (e->user != 0)
		db_int(q, "user", e->user);
	else
		db_null(q, "user");
	db_text(q, "username", cut(e->username, USERNAME_BYTES));
	if (e->actor != 0)
		db_int(q, "actor", e->actor);
	else
		db_null(q, "actor");
	db_text(q, "address", cut(e->address, 100));
	db_text(q, "detail", cut(e->detail, DETAIL_BYTES));
	db_text(q, "request", cut(request, 50));
	if (db_run(q) != DB_END)
		log_warn("an event could not be kept", LOG_TEXT("event", kinds[e->kind].word),
		    LOG_TEXT("error", db_error(db)));
}

void
event_note(struct request *r, struct event e)
{
	if (e.actor == 0 && r->user != NULL)
		e.actor = r->user->id;
	e.address = r->remote_addr;
	write_event(r->app->db, r->now, &e, str_of(r->request_id));
}

void
event_note_command(struct db *db, int64_t now, struct event e)
{
	write_event(db, now, &e, STR(""));
}
