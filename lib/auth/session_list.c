/*
 * session_list: lists of sessions, and ending them by name.
 */
#include "auth/session_list.h"

#include <string.h>

static void
read_entry(struct query *q, struct arena *a, struct session_entry *e)
{
	struct str hash = db_col_bytes(q, "token_hash");

	if (hash.n == SECRET_SIZE)
		memcpy(e->token_hash, hash.p, SECRET_SIZE);
	e->user_id = db_col_int(q, "user_id");
	e->username = db_col_copy(q, "username", a);
	e->created = db_col_int(q, "created");
	e->last_seen = db_col_int(q, "last_seen");
	e->factor = db_col_int(q, "factor");
	e->address = db_col_copy(q, "address", a);
	e->agent = db_col_copy(q, "agent", a);
}

/* The rows of the query, those that ended by disuse left out; how many rows there were in *rows. */
static enum db_result
read_list(struct query *q, struct arena *a, const struct session_limits *limits, int64_t now,
    size_t most, struct session_entry *list, size_t *n, size_t *rows, struct session_place *last)
{
	*n = *rows = 0;
	while (db_step(q) == DB_ROW) {
		struct session s;

		if (*n == most)
			continue;
		++*rows;
		read_entry(q, a, &list[*n]);
		last->created = list[*n].created;
		memcpy(last->token_hash, list[*n].token_hash, SECRET_SIZE);
		s = (struct session){ .created = list[*n].created,
			.last_seen = list[*n].last_seen,
			.expires = db_col_int(q, "expires") };
		if (!session_has_ended(&s, limits,
		        db_col_bool(q, "is_staff") || db_col_bool(q, "is_superuser"), now))
			++*n;
	}
	return db_done(q);
}

enum db_result
session_list_user(struct db *db, struct arena *a, const struct session_limits *limits, int64_t user,
    int64_t now, size_t most, struct session_entry **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_SESSION_LIST_USER);
	struct session_place last;
	size_t rows;

	*list = arena_array(a, most + 1, sizeof(**list));
	db_int(q, "user", user);
	db_int(q, "now", now);
	db_int(q, "limit", (int64_t)most);
	return read_list(q, a, limits, now, most, *list, n, &rows, &last);
}

enum db_result
session_list_all(struct db *db, struct arena *a, const struct session_limits *limits, int64_t now,
    const struct session_place *after, size_t most, struct session_entry **list, size_t *n,
    bool *more, struct session_place *next)
{
	struct query *q = db_query(db, QUERY_SESSION_LIST_ALL);
	enum db_result result;
	size_t rows;

	*list = arena_array(a, most + 1, sizeof(**list));
	db_int(q, "created", after == NULL ? INT64_MAX : after->created);
	db_bytes(q, "token", after == NULL ? (const void *)"" : after->token_hash,
	    after == NULL ? 0 : SECRET_SIZE);
	db_int(q, "now", now);
	db_int(q, "limit", (int64_t)most);
	result = read_list(q, a, limits, now, most, *list, n, &rows, next);
	*more = rows == most;
	return result;
}

struct str
session_name(struct arena *a, const uint8_t token_hash[SECRET_SIZE])
{
	return secret_encode(a, token_hash, SECRET_SIZE);
}

bool
session_of_name(struct str name, uint8_t token_hash[SECRET_SIZE])
{
	return secret_decode(name, token_hash, SECRET_SIZE);
}

enum db_result
session_owner(struct db *db, struct arena *a, const uint8_t token_hash[SECRET_SIZE], int64_t *user,
    struct str *username)
{
	struct query *q = db_query(db, QUERY_SESSION_OWNER);
	enum db_result done;
	bool found = false;

	db_bytes(q, "token", token_hash, SECRET_SIZE);
	while (db_step(q) == DB_ROW) {
		*user = db_col_int(q, "user_id");
		*username = db_col_copy(q, "username", a);
		found = true;
	}
	done = db_done(q);
	return done == DB_END && found ? DB_ROW : done;
}

static enum db_result
count_ended(struct db *db, struct query *q, int64_t *ended)
{
	enum db_result result = db_run(q);

	*ended = result == DB_END ? db_changes(db) : 0;
	return result;
}

enum db_result
session_end_named(struct db *db, int64_t user, const uint8_t token_hash[SECRET_SIZE])
{
	struct query *q = db_query(db, user == 0 ? QUERY_SESSION_END : QUERY_SESSION_END_OF_USER);
	enum db_result result;
	int64_t ended;

	db_bytes(q, "token", token_hash, SECRET_SIZE);
	if (user != 0)
		db_int(q, "user", user);
	result = count_ended(db, q, &ended);
	return result == DB_END && ended > 0 ? DB_ROW : result;
}

enum db_result
session_end_all(struct db *db, int64_t *ended)
{
	return count_ended(db, db_query(db, QUERY_SESSION_END_ALL), ended);
}

/* --- what a browser calls itself --- */

struct word {
	const char *mark; /* stands in the agent */
	const char *name;
};

/* The first that is found counts: those that call themselves by others' names too come first. */
static const char *
named(struct str agent, const struct word *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(agent.p, agent.n, words[i].mark, strlen(words[i].mark)) != NULL)
			return words[i].name;
	return NULL;
}

struct str
session_device(struct arena *a, struct str agent)
{
	static const struct word browsers[] = { { "Edg", "Edge" }, { "OPR/", "Opera" },
		{ "SamsungBrowser", "Samsung Internet" }, { "Firefox/", "Firefox" },
		{ "FxiOS/", "Firefox" }, { "CriOS/", "Chrome" }, { "Chromium/", "Chromium" },
		{ "Chrome/", "Chrome" }, { "Safari/", "Safari" }, { "curl/", "curl" },
		{ "Wget/", "Wget" }, { "python", "Python" }, { "Python", "Python" } };
	static const struct word systems[] = { { "Android", "Android" }, { "iPhone", "iPhone" },
		{ "iPad", "iPad" }, { "Windows", "Windows" }, { "Mac OS X", "macOS" },
		{ "CrOS", "ChromeOS" }, { "Linux", "Linux" }, { "BSD", "BSD" } };
	const char *browser, *system;

	if (agent.n == 0)
		return STR("Unknown browser");
	browser = named(agent, browsers, NELEM(browsers));
	system = named(agent, systems, NELEM(systems));
	if (browser != NULL && system != NULL)
		return arena_printf(a, "%s on %s", browser, system);
	if (browser != NULL)
		return str_of(browser);
	return system == NULL ? STR("Unknown browser")
	                      : arena_printf(a, "Unknown browser on %s", system);
}
