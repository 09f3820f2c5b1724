/*
 * token: find, use, add and revoke rows of api_token.
 */
#include "auth/token.h"

#include "auth/who.h"
#include "base/clock.h"

bool
token_parse(struct str header, struct str *text)
{
	uint8_t bytes[SECRET_SIZE];
	struct str scheme, rest;

	*text = STR_NONE;
	header = str_trim(header);
	scheme = str_cut(&header, ' ');
	rest = str_trim(header);
	if (!str_is_nocase(scheme, "token") && !str_is_nocase(scheme, "bearer"))
		return false;
	if (rest.n != TOKEN_TEXT || !str_starts(rest, TOKEN_PREFIX))
		return false;
	*text = rest;
	rest.p += rest.n - SECRET_TEXT;
	rest.n = SECRET_TEXT;
	if (secret_decode(rest, bytes, sizeof(bytes)))
		return true;
	*text = STR_NONE;
	return false;
}

int64_t
token_end(const struct token *t, int64_t max_age)
{
	int64_t latest = max_age == 0 ? 0 : t->created + max_age;

	return t->expires == 0 || (latest != 0 && latest < t->expires) ? latest : t->expires;
}

int64_t
token_latest_end(const struct config *c, int64_t now)
{
	int64_t days = config_int(c, "TOM_API_TOKEN_EXPIRY_DAYS");

	return days == 0 ? 0 : now + days * DAY;
}

struct query *
token_ask(struct db *db, struct secret *secret, struct str text)
{
	struct query *q = db_query(db, QUERY_TOKEN_FIND);
	uint8_t hash[SECRET_SIZE];

	secret_hash(secret, text, hash);
	db_bytes(q, "token", hash, SECRET_SIZE);
	db_start(q);
	return q;
}

static void
read_token(struct query *q, struct arena *a, struct token *t)
{
	t->id = db_col_int(q, "id");
	t->user_id = db_col_int(q, "user_id");
	t->name = db_col_copy(q, "name", a);
	t->scopes = db_col_copy(q, "scopes", a);
	t->created = db_col_int(q, "created");
	t->expires = db_col_int(q, "expires");
	t->last_used = db_col_int(q, "last_used");
	t->automatic = db_col_bool(q, "automatic");
}

enum db_result
token_read(struct query *q, struct arena *a, int64_t max_age, int64_t now, struct token **token,
    const struct user **user, const char **why)
{
	struct who who = { .user = NULL };
	struct token *t = NULL;
	bool active = false;
	int64_t end;

	*token = NULL;
	*user = NULL;
	*why = "unknown";
	while (db_step(q) == DB_ROW) {
		if (t == NULL) {
			t = arena_alloc(a, sizeof(*t));
			read_token(q, a, t);
			active = db_col_bool(q, "is_active");
		}
		who_row(q, a, &who);
	}
	if (t != NULL) {
		*token = t;
		end = token_end(t, max_age);
		*why = !active ? "of an inactive user" : end != 0 && now >= end ? "expired" : NULL;
		if (*why == NULL)
			*user = who_user(a, &who);
	}
	return db_done(q);
}

enum db_result
token_touch(struct db *db, const struct token *t, int64_t now)
{
	struct query *q;

	if (now - t->last_used < TOKEN_TOUCH)
		return DB_END;
	q = db_query(db, QUERY_TOKEN_TOUCH);
	db_int(q, "id", t->id);
	db_int(q, "now", now);
	db_no_wait(q);
	return db_run(q);
}

/* What a transaction that adds one works on. */
struct adding {
	struct arena *arena;
	struct token *token;
	const struct proof *proof; /* of an automatic one */
	uint8_t hash[SECRET_SIZE];
};

/* A text that was never there; what is kept of it goes to a->hash. */
static struct str
make_text(struct secret *secret, struct adding *a)
{
	uint8_t bytes[SECRET_SIZE];
	struct str text;

	secret_random(bytes, sizeof(bytes));
	text = arena_printf(
	    a->arena, TOKEN_PREFIX "%s", secret_encode(a->arena, bytes, sizeof(bytes)).p);
	secret_hash(secret, text, a->hash);
	return text;
}

static enum db_result
insert(struct db *db, struct adding *a)
{
	struct token *t = a->token;
	struct query *q = db_query(db, QUERY_TOKEN_COUNT);
	enum db_result r;
	int64_t n = 0;

	db_int(q, "user", t->user_id);
	while (db_step(q) == DB_ROW)
		n = db_col_int(q, "n");
	if ((r = db_done(q)) != DB_END)
		return r;
	if (n >= TOKENS_MAX)
		return DB_REFUSED;
	q = db_query(db, QUERY_TOKEN_ADD);
	db_int(q, "user", t->user_id);
	db_text(q, "name", t->name);
	db_bytes(q, "token", a->hash, SECRET_SIZE);
	db_text(q, "scopes", t->scopes);
	db_int(q, "now", t->created);
	if (t->expires != 0)
		db_int(q, "expires", t->expires);
	else
		db_null(q, "expires");
	db_bool(q, "automatic", t->automatic);
	return db_insert(q, &t->id);
}

static enum db_result
add(struct db *db, void *arg)
{
	return insert(db, arg);
}

enum db_result
token_add(struct db *db, struct arena *a, struct secret *secret, struct token *t, struct str *text)
{
	struct adding adding = { .arena = a, .token = t };

	*text = make_text(secret, &adding);
	return db_transaction(db, DB_WRITE, add, &adding);
}

static int64_t
last_seen(const struct token *t)
{
	return t->last_used > t->created ? t->last_used : t->created;
}

/* Makes room among the automatic ones: those idle for longest go. */
static enum db_result
add_automatic(struct db *db, void *arg)
{
	struct adding *a = arg;
	struct token *list, *idle;
	enum db_result r;
	size_t n, kept;
	bool staff;

	if ((r = proof_holds(db, a->proof, &staff)) != DB_ROW)
		return r == DB_END ? DB_TAKEN : r;
	if ((r = token_list(db, a->arena, a->token->user_id, &list, &n)) != DB_END)
		return r;
	do {
		kept = 0;
		idle = NULL;
		for (size_t i = 0; i < n; i++) {
			if (!list[i].automatic)
				continue;
			kept++;
			if (idle == NULL || last_seen(&list[i]) < last_seen(idle))
				idle = &list[i];
		}
		if (kept < TOKENS_AUTOMATIC)
			break;
		if ((r = token_revoke(db, a->arena, idle->user_id, idle->id, &idle->name)) !=
		        DB_END &&
		    r != DB_REFUSED)
			return r;
		idle->automatic = false;
	} while (true);
	return insert(db, a);
}

enum db_result
token_add_automatic(struct db *db, struct arena *a, struct secret *secret,
    const struct proof *proof, int64_t now, int64_t expires, struct str *text)
{
	struct token t = { .user_id = proof->user,
		.scopes = STR("read write"),
		.created = now,
		.expires = expires,
		.automatic = true };
	struct adding adding = { .arena = a, .token = &t, .proof = proof };

	*text = make_text(secret, &adding);
	/* the beginning of the hash tells those of one minute apart, and says nothing of the text */
	t.name = arena_printf(a, "token-auth %s %02x%02x%02x%02x", clock_minute(a, now).p,
	    adding.hash[0], adding.hash[1], adding.hash[2], adding.hash[3]);
	return db_transaction(db, DB_WRITE, add_automatic, &adding);
}

enum db_result
token_end_automatic(struct db *db, int64_t user)
{
	struct query *q = db_query(db, QUERY_TOKEN_END_AUTOMATIC);

	db_int(q, "user", user);
	return db_run(q);
}

static enum db_result
regenerate(struct db *db, void *arg)
{
	struct adding *a = arg;
	struct query *q = db_query(db, QUERY_TOKEN_REVOKE_NAME);
	enum db_result r;

	db_int(q, "user", a->token->user_id);
	db_text(q, "name", a->token->name);
	r = db_run(q);
	return r != DB_END ? r : insert(db, a);
}

enum db_result
token_regenerate(struct db *db, struct arena *a, struct secret *secret, int64_t user, int64_t now,
    int64_t expires, struct str *text)
{
	struct token t = { .user_id = user,
		.name = STR(TOKEN_REGENERATED),
		.scopes = STR("read write"),
		.created = now,
		.expires = expires };
	struct adding adding = { .arena = a, .token = &t };

	*text = make_text(secret, &adding);
	return db_transaction(db, DB_WRITE, regenerate, &adding);
}

enum db_result
token_list(struct db *db, struct arena *a, int64_t user, struct token **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_TOKEN_LIST);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_int(q, "user", user);
	while (db_step(q) == DB_ROW) {
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		read_token(q, a, &(*list)[(*n)++]);
	}
	return db_done(q);
}

struct revoking {
	struct arena *arena;
	int64_t user, id;
	struct str name;
};

static enum db_result
revoke(struct db *db, void *arg)
{
	struct revoking *v = arg;
	struct query *q = db_query(db, QUERY_TOKEN_GET);
	enum db_result r;

	v->name = STR_NONE;
	db_int(q, "id", v->id);
	db_int(q, "user", v->user);
	while (db_step(q) == DB_ROW)
		v->name = db_col_copy(q, "name", v->arena);
	if ((r = db_done(q)) != DB_END)
		return r;
	q = db_query(db, QUERY_TOKEN_REVOKE);
	db_int(q, "id", v->id);
	db_int(q, "user", v->user);
	r = db_run(q);
	return r != DB_END ? r : v->name.p != NULL && db_changes(db) > 0 ? DB_END : DB_REFUSED;
}

enum db_result
token_revoke(struct db *db, struct arena *a, int64_t user, int64_t id, struct str *name)
{
	struct revoking v = { .arena = a, .user = user, .id = id };
	enum db_result r = db_transaction(db, DB_WRITE, revoke, &v);

	*name = v.name;
	return r;
}

enum db_result
token_revoke_all(struct db *db, int64_t user, int64_t *n)
{
	struct query *q = db_query(db, QUERY_TOKEN_REVOKE_ALL);
	enum db_result r;

	db_int(q, "user", user);
	r = db_run(q);
	*n = r == DB_END ? db_changes(db) : 0;
	return r;
}
