/*
 * session: find, add, touch and end rows of the table of sessions.
 */
#include "auth/session.h"

#include <inttypes.h>
#include <string.h>

#include "auth/who.h"

/* What of a session's origin is kept. */
#define ADDRESS_BYTES 100
#define AGENT_BYTES 300

void
session_limits(const struct config *c, struct session_limits *l)
{
	l->idle = config_int(c, "SESSION_IDLE_HOURS") * HOUR;
	l->absolute = config_int(c, "SESSION_DAYS") * DAY;
	l->staff_idle = config_int(c, "STAFF_SESSION_IDLE_HOURS") * HOUR;
	l->staff_absolute = config_int(c, "STAFF_SESSION_HOURS") * HOUR;
}

bool
session_has_ended(
    const struct session *s, const struct session_limits *l, bool is_staff, int64_t now)
{
	int64_t idle = is_staff ? l->staff_idle : l->idle;
	int64_t absolute = is_staff ? l->staff_absolute : l->absolute;

	return now >= s->expires || now - s->created >= absolute || now - s->last_seen >= idle;
}

/* What a row is signed over. */
struct signed_parts {
	int64_t numbers[5];
	struct str list[3];
};

static void
parts_of(const struct session *s, int64_t password_changed, struct signed_parts *p)
{
	*p = (struct signed_parts){
		.numbers = { s->user_id, s->created, s->expires, password_changed, s->factor },
		.list = { STR("session"), { (const char *)s->token_hash, SECRET_SIZE },
		    { (const char *)p->numbers, sizeof(p->numbers) } },
	};
}

struct query *
session_ask(struct db *db, struct secret *secret, struct str token, int64_t now,
    uint8_t token_hash[SECRET_SIZE])
{
	uint8_t bytes[SECRET_SIZE];
	struct query *q;

	if (!secret_decode(token, bytes, sizeof(bytes)))
		return NULL;
	secret_hash(secret, (struct str){ (const char *)bytes, sizeof(bytes) }, token_hash);
	q = db_query(db, QUERY_SESSION_FIND);
	db_bytes(q, "token", token_hash, SECRET_SIZE);
	db_int(q, "now", now);
	db_start(q);
	return q;
}

/* Is the row signed by us, for the password of today? */
static bool
is_ours(struct secret *secret, const struct session *s, struct query *q)
{
	struct str mac = db_col_bytes(q, "auth_hash");
	struct signed_parts parts;

	parts_of(s, db_col_int(q, "password_changed"), &parts);
	return mac.n == SECRET_SIZE &&
	    secret_signed(secret, parts.list, NELEM(parts.list), (const uint8_t *)mac.p);
}

enum db_result
session_read(struct query *q, struct secret *secret, const struct session_limits *limits,
    const uint8_t token_hash[SECRET_SIZE], int64_t now, struct arena *a, struct session **session,
    const struct user **user)
{
	struct who who = { .user = NULL };
	struct session *s = NULL;
	bool ours = false;

	*session = NULL;
	*user = NULL;
	while (db_step(q) == DB_ROW) {
		if (s == NULL) {
			s = arena_alloc(a, sizeof(*s));
			memcpy(s->token_hash, token_hash, SECRET_SIZE);
			s->user_id = db_col_int(q, "user_id");
			s->created = db_col_int(q, "created");
			s->last_seen = db_col_int(q, "last_seen");
			s->expires = db_col_int(q, "expires");
			s->factor = db_col_int(q, "factor");
			s->password_changed = db_col_int(q, "password_changed");
			ours = is_ours(secret, s, q);
		}
		if (ours)
			who_row(q, a, &who);
	}
	if (ours &&
	    !session_has_ended(s, limits, who.user->is_staff || who.user->is_superuser, now)) {
		*session = s;
		*user = who_user(a, &who);
	}
	return db_done(q);
}

static enum db_result
has_factor(struct db *db, int64_t user, bool *has)
{
	struct query *q = db_query(db, QUERY_FACTOR_THERE);

	*has = false;
	db_int(q, "user", user);
	while (db_step(q) == DB_ROW)
		*has = true;
	return db_done(q);
}

enum db_result
proof_holds(struct db *db, const struct proof *proof, bool *staff)
{
	struct query *q = db_query(db, QUERY_USER_BINDING);
	bool found = false, lacks = false;
	enum db_result r;

	*staff = false;
	db_int(q, "id", proof->user);
	db_int(q, "password_changed", proof->password_changed);
	while (db_step(q) == DB_ROW) {
		found = true;
		*staff = db_col_bool(q, "is_staff") || db_col_bool(q, "is_superuser");
	}
	r = db_done(q);
	if (r == DB_END && found && proof->factor == 0)
		r = has_factor(db, proof->user, &lacks);
	return r == DB_END && found && !lacks ? DB_ROW : r;
}

/* What a stranger sent, as a text that every engine keeps: what is not printing ASCII becomes '?'. */
static struct str
plain(struct arena *a, struct str s, size_t most)
{
	char *p = arena_alloc(a, most + 1);
	size_t n = s.n < most ? s.n : most;

	for (size_t i = 0; i < n; i++)
		p[i] = s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?';
	return (struct str){ p, n };
}

/* A right password costs no allowance, so sign-ins without end would fill the table. */
static enum db_result
end_crowd(struct db *db, const struct session *s)
{
	struct query *q = db_query(db, QUERY_SESSION_CROWD);

	db_int(q, "user", s->user_id);
	db_bytes(q, "keep", s->token_hash, SECRET_SIZE);
	db_int(q, "most", SESSIONS_MAX);
	return db_run(q);
}

enum db_result
session_add(struct db *db, struct arena *a, struct secret *secret,
    const struct session_limits *limits, const struct proof *proof, struct session_origin origin,
    int64_t now, struct str *token, struct session *s)
{
	uint8_t bytes[SECRET_SIZE], mac[SECRET_SIZE];
	struct signed_parts parts;
	enum db_result r;
	struct query *q;
	bool staff;

	if ((r = proof_holds(db, proof, &staff)) != DB_ROW)
		return r == DB_END ? DB_REFUSED : r;
	secret_random(bytes, sizeof(bytes));
	secret_hash(secret, (struct str){ (const char *)bytes, sizeof(bytes) }, s->token_hash);
	s->user_id = proof->user;
	s->created = s->last_seen = now;
	s->expires = now + (staff ? limits->staff_absolute : limits->absolute);
	s->factor = proof->factor;
	parts_of(s, proof->password_changed, &parts);
	secret_sign(secret, parts.list, NELEM(parts.list), mac);
	q = db_query(db, QUERY_SESSION_ADD);
	db_bytes(q, "token", s->token_hash, SECRET_SIZE);
	db_int(q, "user", proof->user);
	db_int(q, "now", now);
	db_int(q, "expires", s->expires);
	db_bytes(q, "auth_hash", mac, SECRET_SIZE);
	if (proof->factor != 0)
		db_int(q, "factor", proof->factor);
	else
		db_null(q, "factor");
	db_text(q, "address", plain(a, origin.address, ADDRESS_BYTES));
	db_text(q, "agent", plain(a, origin.agent, AGENT_BYTES));
	r = db_run(q);
	*token = secret_encode(a, bytes, sizeof(bytes));
	return r == DB_END ? end_crowd(db, s) : r;
}

enum db_result
session_touch(struct db *db, const struct session *s, int64_t now)
{
	struct query *q;

	if (now - s->last_seen < SESSION_TOUCH)
		return DB_END;
	q = db_query(db, QUERY_SESSION_TOUCH);
	db_bytes(q, "token", s->token_hash, SECRET_SIZE);
	db_int(q, "now", now);
	db_no_wait(q);
	return db_run(q);
}

enum db_result
session_end(struct db *db, const struct session *s)
{
	struct query *q = db_query(db, QUERY_SESSION_END);

	db_bytes(q, "token", s->token_hash, SECRET_SIZE);
	return db_run(q);
}

enum db_result
session_end_others(struct db *db, int64_t user, const struct session *keep, int64_t *n)
{
	static const uint8_t none[SECRET_SIZE]; /* no token has this hash */
	struct query *q = db_query(db, QUERY_SESSION_END_OTHERS);
	enum db_result r;

	db_int(q, "user", user);
	db_bytes(q, "keep", keep == NULL ? none : keep->token_hash, SECRET_SIZE);
	r = db_run(q);
	if (n != NULL)
		*n = r == DB_END ? db_changes(db) : 0;
	return r;
}
