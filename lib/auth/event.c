/*
 * event: a line and a row for each event of the security log, and the counting of those that come in
 * floods.
 */
#include "auth/event.h"

#include <stdlib.h>
#include <string.h>

#include "auth/access.h"
#include "auth/visit.h"
#include "base/clock.h"
#include "base/log.h"

#define USERNAME_BYTES 150
#define DETAIL_BYTES 900
#define ADDRESS_BYTES 100

static const struct {
	const char *word;
	enum log_level level;
	bool flood; /* strangers cause it, as often as they like */
} kinds[EVENT_KINDS] = {
	[EVENT_SIGNED_IN] = { "signed_in", LOG_LEVEL_INFO, false },
	[EVENT_SIGN_IN_REFUSED] = { "sign_in_refused", LOG_LEVEL_WARN, true },
	[EVENT_SIGN_IN_THROTTLED] = { "sign_in_throttled", LOG_LEVEL_WARN, true },
	[EVENT_SIGNED_OUT] = { "signed_out", LOG_LEVEL_INFO, false },
	[EVENT_PASSWORD_CHANGED] = { "password_changed", LOG_LEVEL_INFO, false },
	[EVENT_PASSWORD_REFUSED] = { "password_refused", LOG_LEVEL_WARN, true },
	[EVENT_RESET_ASKED] = { "reset_asked", LOG_LEVEL_INFO, true },
	[EVENT_RESET_DONE] = { "reset_done", LOG_LEVEL_INFO, false },
	[EVENT_FACTOR_ADDED] = { "factor_added", LOG_LEVEL_INFO, false },
	[EVENT_FACTOR_REMOVED] = { "factor_removed", LOG_LEVEL_WARN, false },
	[EVENT_FACTOR_REFUSED] = { "factor_refused", LOG_LEVEL_WARN, true },
	[EVENT_RECOVERY_CODE_USED] = { "recovery_code_used", LOG_LEVEL_WARN, false },
	[EVENT_TOKEN_MADE] = { "token_made", LOG_LEVEL_INFO, false },
	[EVENT_TOKEN_REVOKED] = { "token_revoked", LOG_LEVEL_INFO, false },
	[EVENT_TOKEN_REFUSED] = { "token_refused", LOG_LEVEL_WARN, true },
	[EVENT_SESSION_ENDED] = { "session_ended", LOG_LEVEL_INFO, false },
	[EVENT_REGISTERED] = { "registered", LOG_LEVEL_INFO, true },
	[EVENT_EMAIL_VERIFIED] = { "email_verified", LOG_LEVEL_INFO, false },
	[EVENT_TERMS_ACCEPTED] = { "terms_accepted", LOG_LEVEL_INFO, false },
	[EVENT_USER_ADDED] = { "user_added", LOG_LEVEL_INFO, false },
	[EVENT_USER_CHANGED] = { "user_changed", LOG_LEVEL_INFO, false },
	[EVENT_USER_DELETED] = { "user_deleted", LOG_LEVEL_WARN, false },
	[EVENT_GROUP_CHANGED] = { "group_changed", LOG_LEVEL_INFO, false },
	[EVENT_RIGHTS_CHANGED] = { "rights_changed", LOG_LEVEL_INFO, false },
	[EVENT_SITE_CHANGED] = { "site_changed", LOG_LEVEL_INFO, false },
	[EVENT_ACCESS_REFUSED] = { "access_refused", LOG_LEVEL_WARN, true },
	[EVENT_CHANGE_REFUSED] = { "change_refused", LOG_LEVEL_WARN, true },
	[EVENT_CSRF_REFUSED] = { "csrf_refused", LOG_LEVEL_WARN, true },
	[EVENT_HOST_REFUSED] = { "host_refused", LOG_LEVEL_WARN, true },
	[EVENT_SECRET_ROTATED] = { "secret_rotated", LOG_LEVEL_WARN, false },
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
log_event(const struct event *e)
{
	log_write(kinds[e->kind].level, kinds[e->kind].word,
	    LOG_FIELDS(LOG_INT("user", e->user),
	        LOG_STR("username", cut(e->username, DETAIL_BYTES)), LOG_INT("actor", e->actor),
	        LOG_STR("address", cut(e->address, DETAIL_BYTES)),
	        LOG_STR("detail", cut(e->detail, DETAIL_BYTES))));
}

/* Every engine keeps it: what is no UTF-8 becomes '?', and so does a NUL. */
static struct str
kept(struct arena *a, struct str s)
{
	char *p;

	if (s.p == NULL || (str_is_utf8(s) && str_find(s, '\0') == s.n))
		return s;
	p = (char *)(uintptr_t)arena_str(a, s).p;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)p[i] >= 0x80 || p[i] == '\0')
			p[i] = '?';
	return (struct str){ p, s.n };
}

/* wait: for other writers, where they hold the database. */
static enum db_result
add_row(
    struct db *db, int64_t now, const struct event *e, struct str request, int64_t times, bool wait)
{
	struct query *q = db_query(db, QUERY_EVENT_ADD);
	enum db_result result;

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
	db_text(q, "address", cut(e->address, ADDRESS_BYTES));
	db_text(q, "detail", cut(e->detail, DETAIL_BYTES));
	db_text(q, "request", cut(request, 50));
	db_int(q, "times", times);
	if (!wait)
		db_no_wait(q);
	result = db_run(q);
	if (result != DB_END && (wait || result != DB_RETRY))
		log_warn("an event could not be kept", LOG_TEXT("kind", kinds[e->kind].word),
		    LOG_TEXT("error", db_error(db)));
	return result;
}

/* --- floods --- */

#define SLOTS 64

struct event_flood {
	int64_t minute;
	int rows; /* written in this minute */
	size_t n;
	struct slot {
		enum event_kind kind;
		char address[ADDRESS_BYTES + 1]; /* "": many */
		int rows;
		int64_t beyond; /* not written */
	} slot[SLOTS + EVENT_KINDS];
};

struct event_flood *
event_flood_new(void)
{
	struct event_flood *f = calloc(1, sizeof(*f));

	if (f == NULL)
		arena_exhausted();
	return f;
}

void
event_flood_free(struct event_flood *f)
{
	free(f);
}

void
event_flood_flush(struct event_flood *f, struct db *db, int64_t now, bool all)
{
	if (f->n == 0 || (now / MINUTE == f->minute && !all))
		return;
	for (size_t i = 0; i < f->n; i++) {
		const struct slot *s = &f->slot[i];
		struct event e = { .kind = s->kind,
			.address = str_of(s->address),
			.detail = s->address[0] == '\0' ? STR("many more, from many addresses")
			                                : STR("as many more in this minute") };

		if (s->beyond > 0)
			(void)add_row(db, f->minute * MINUTE, &e, STR(""), s->beyond, true);
	}
	f->n = 0;
	f->rows = 0;
}

/* Where events of this kind from this address are counted; past SLOTS addresses all together. */
static struct slot *
find_slot(struct event_flood *f, enum event_kind kind, struct str address)
{
	struct slot *s;

	if (f->n >= SLOTS)
		address = STR("");
	address = cut(address, ADDRESS_BYTES);
	for (size_t i = 0; i < f->n; i++)
		if (f->slot[i].kind == kind && str_is(address, f->slot[i].address))
			return &f->slot[i];
	s = &f->slot[f->n++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	memcpy(s->address, address.p, address.n);
	return s;
}

static void
add_of_flood(struct request *r, struct event_flood *f, const struct event *e)
{
	struct slot *s;

	event_flood_flush(f, r->app->db, r->now, false);
	if (f->n == 0)
		f->minute = r->now / MINUTE;
	s = find_slot(f, e->kind, e->address);
	if (s->rows < EVENT_ROWS && f->rows < EVENT_ROWS_ALL) {
		s->rows++;
		f->rows++;
		if (add_row(r->app->db, r->now, e, str_of(r->request_id), 1, false) == DB_END)
			return;
	}
	s->beyond++;
}

void
event_note(struct request *r, struct event e)
{
	struct auth *auth = auth_of(r);

	if (e.actor == 0 && r->user != NULL)
		e.actor = r->user->id;
	e.address = kept(r->arena, r->remote_addr);
	e.username = kept(r->arena, e.username);
	e.detail = kept(r->arena, e.detail);
	log_event(&e);
	if (kinds[e.kind].flood && auth != NULL && auth->flood != NULL)
		add_of_flood(r, auth->flood, &e);
	else
		(void)add_row(r->app->db, r->now, &e, str_of(r->request_id), 1, true);
}

void
event_note_command(struct db *db, int64_t now, struct event e)
{
	e.address = STR("");
	log_event(&e);
	(void)add_row(db, now, &e, STR(""), 1, true);
}

enum db_result
event_purge(struct db *db, int64_t old, int64_t most, int64_t *removed)
{
	struct query *q = db_query(db, QUERY_EVENT_PURGE);
	enum db_result result;

	db_int(q, "old", old);
	db_int(q, "limit", most);
	result = db_run(q);
	*removed = result == DB_END ? db_changes(db) : 0;
	return result;
}
