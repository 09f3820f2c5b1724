/*
 * db: the side of the database that every engine shares: queries with their bound values, the first
 * failure of each, transactions and their repetition, the counting of statements. What differs is
 * in the drivers, behind struct driver.
 */
#include "db/db.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/driver.h"

#define JOINED_MAX 48 /* joined statements kept prepared */

/* Counts the forks of this process, so that a child never uses its parent's connection. */
static unsigned forks;

static void
note_fork(void)
{
	forks++;
}

static void *
need(void *p)
{
	if (p == NULL)
		arena_exhausted();
	return p;
}

struct db *
db_new(const struct config *config, char *err, size_t errsize)
{
	static bool watching;
	struct arena *a = arena_new();
	struct db *db = arena_alloc(a, sizeof(*db));

	if (!watching && pthread_atfork(NULL, NULL, note_fork) == 0)
		watching = true;
	db->arena = a;
	db->timeout = config_int(config, "DATABASE_TIMEOUT_MS") * 1000;
	db->random = (uint64_t)clock_monotonic() * UINT64_C(0x9e3779b97f4a7c15) + 1;
	if (db_engine_choose(db, config, err, errsize) == 0)
		return db;
	arena_free(a);
	return NULL;
}

enum db_engine
db_engine(const struct db *db)
{
	return db->engine;
}

void
db_expect_much(struct db *db)
{
	db->much = true;
}

const char *
db_error(const struct db *db)
{
	return db->error;
}

void
db_is_there(struct db *db)
{
	if (db->away)
		log_info("database is back");
	db->away = false;
}

/* What is an answer, or will be tried again, is not an event. */
enum db_result
db_fail(struct db *db, enum db_result r, const char *statement, const char *why)
{
	size_t n = strcspn(why, "\n");
	/* a step of a migration has no name: its first words will do */
	struct str name = { statement, strcspn(statement, "\n") };

	snprintf(db->error, sizeof(db->error), "%.*s", (int)n, why);
	if (r == DB_AWAY && db->away)
		return r;
	if (r == DB_AWAY)
		db->away = true;
	if (r == DB_AWAY || r == DB_FULL || r == DB_SLOW || r == DB_FAILED)
		log_error(r == DB_AWAY ? "database is away"
		        : r == DB_FULL ? "database has no space"
		        : r == DB_SLOW ? "database took too long"
		                       : "database statement failed",
		    LOG_STR("statement", name), LOG_TEXT("error", db->error));
	else
		log_debug(
		    "database refused", LOG_STR("statement", name), LOG_TEXT("error", db->error));
	return r;
}

/*
 * Connection
 */

static void
statement_release(struct db *db, struct statement *st)
{
	if (st->prepared != NULL)
		db->driver->forget(db, st);
	st->prepared = NULL;
	for (size_t i = 0; i < st->ncolumns; i++)
		free(st->columns[i]);
	free(st->columns);
	free(st->asked);
	st->asked = NULL;
	st->columns = NULL;
	st->ncolumns = 0;
}

static void
joined_free(struct db *db, struct statement *st)
{
	statement_release(db, st);
	free(st->sql);
	free(st);
	db->njoined--;
}

static void
take_back(struct query *q)
{
	if (q->sent)
		q->db->driver->finish(q);
	q->sent = false;
}

static void
query_release(struct query *q)
{
	take_back(q);
	q->st->users--;
	q->nvalues = 0;
	buf_clear(&q->bytes);
	if (q->bytes.room > KIB(64))
		buf_free(&q->bytes);
}

static void
end_queries(struct db *db)
{
	while (db->open != NULL) {
		struct query *q = db->open;

		query_release(q);
		db->open = q->next;
		q->next = db->idle;
		db->idle = q;
	}
}

static void
forget_statements(struct db *db)
{
	for (size_t i = 0; i < QUERY_NAMES; i++)
		if (db->named[i] != NULL)
			statement_release(db, db->named[i]);
	while (db->joined != NULL) {
		struct statement *st = db->joined;

		db->joined = st->next;
		joined_free(db, st);
	}
}

static void
disconnect(struct db *db)
{
	end_queries(db);
	db->closing = true;
	forget_statements(db);
	if (db->conn != NULL)
		db->driver->close(db);
	db->closing = false;
	db->conn = NULL;
	db->depth = 0;
	db->spoiled = DB_END;
}

/* In a child: what the parent opened is the parent's. */
static void
leave_parents_connection(struct db *db)
{
	for (struct query *q = db->open; q != NULL; q = q->next) {
		q->sent = false;
		q->run = NULL;
	}
	if (db->conn != NULL)
		db->driver->abandon(db);
	db->conn = NULL;
	for (size_t i = 0; i < QUERY_NAMES; i++)
		if (db->named[i] != NULL)
			db->named[i]->prepared = NULL;
	for (struct statement *st = db->joined; st != NULL; st = st->next)
		st->prepared = NULL;
	disconnect(db);
	db->random ^= (uint64_t)getpid();
}

/* Before a query or transaction begins: is the connection ours, and to what the URL names? */
static void
look_at_connection(struct db *db)
{
	if (db->forks != forks) {
		leave_parents_connection(db);
		db->forks = forks;
	}
	if (db->conn == NULL || db->depth > 0 || db->open != NULL || db->driver->stale == NULL ||
	    !db->driver->stale(db))
		return;
	log_warn("the database was replaced: opening it anew");
	disconnect(db);
}

/* Before anything is said to the engine. */
static enum db_result
enter(struct db *db)
{
	look_at_connection(db);
	db->last_used = clock_monotonic();
	if (db->conn != NULL)
		return DB_END;
	return db->driver->open(db);
}

void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	if (db->forks != forks)
		leave_parents_connection(db);
	if (db->depth > 0)
		db_reset(db);
	disconnect(db);
	for (size_t i = 0; i < QUERY_NAMES; i++) {
		if (db->named[i] != NULL)
			free(db->named[i]->params);
		free(db->named[i]);
	}
	while (db->idle != NULL) {
		struct query *q = db->idle;

		db->idle = q->next;
		buf_free(&q->bytes);
		free(q->values);
		free(q);
	}
	arena_free(db->arena);
}

void
db_close_idle(struct db *db, int64_t microseconds)
{
	if (db->conn == NULL || clock_monotonic() - db->last_used < microseconds)
		return;
	if (db->forks != forks)
		leave_parents_connection(db);
	else
		disconnect(db);
}

void
db_count_start(struct db *db)
{
	db->count = 0;
	db->microseconds = 0;
}

void
db_count(const struct db *db, unsigned *statements, int64_t *microseconds)
{
	*statements = db->count;
	*microseconds = db->microseconds;
}

int64_t
db_changes(const struct db *db)
{
	return db->changes;
}

/*
 * Queries
 */

/* Divides "a b c" into names, in one piece of memory with the pointers to them. */
static void
split_params(struct statement *st, const char *list)
{
	size_t n = strlen(list) + 1, count = list[0] != '\0';
	char *p;

	for (size_t i = 0; list[i] != '\0'; i++)
		count += list[i] == ' ';
	st->params = need(malloc(count * sizeof(*st->params) + n));
	p = memcpy(st->params + count, list, n);
	while (st->nparams < count) {
		st->params[st->nparams++] = p;
		p += strcspn(p, " ");
		*p++ = '\0';
	}
}

static struct statement *
named(struct db *db, enum query_name name)
{
	const struct query_def *def = &query_defs[name];
	struct statement *st = db->named[name];

	if (st != NULL)
		return st;
	if (def->flags & QUERY_IS_FRAGMENT) {
		log_error("a fragment is no statement", LOG_TEXT("statement", def->name));
		abort();
	}
	st = need(calloc(1, sizeof(*st)));
	st->name = def->name;
	st->flags = def->flags;
	/* never written to: only the sql of joined statements is freed */
	st->sql = (char *)(uintptr_t)def->sql[db->engine];
	split_params(st, def->params[db->engine]);
	db->named[name] = st;
	return st;
}

struct value *
db_query_value(struct query *q, size_t index)
{
	if (index >= q->room) {
		q->room = index < 16 ? 16 : index * 2;
		q->values = need(realloc(q->values, q->room * sizeof(*q->values)));
	}
	while (q->nvalues <= index)
		q->values[q->nvalues++] = (struct value){ .kind = VALUE_UNBOUND };
	return &q->values[index];
}

static struct query *
query_open(struct db *db, struct statement *st)
{
	struct query *q = db->idle;

	if (q != NULL)
		db->idle = q->next;
	else
		q = need(calloc(1, sizeof(*q)));
	q->db = db;
	q->st = st;
	q->state = QUERY_BINDING;
	q->failed = DB_END;
	q->param_hint = q->column_hint = 0;
	q->wants_result = q->sent = q->again = q->no_wait = false;
	q->run = NULL;
	q->next = db->open;
	db->open = q;
	st->users++;
	if (st->nparams > 0)
		(void)db_query_value(q, st->nparams - 1);
	return q;
}

struct query *
db_query(struct db *db, enum query_name name)
{
	look_at_connection(db);
	return query_open(db, named(db, name));
}

static struct statement *
joined(struct db *db, const char *name, struct str sql, size_t nparams, unsigned flags)
{
	struct statement *st, **at, *old = NULL, **old_at = NULL;

	for (at = &db->joined; (st = *at) != NULL; at = &st->next) {
		if (strcmp(st->sql, sql.p) == 0) {
			*at = st->next;
			goto front;
		}
		if (st->users == 0) {
			old = st;
			old_at = at;
		}
	}
	if (db->njoined >= JOINED_MAX && old != NULL) {
		*old_at = old->next;
		joined_free(db, old);
	}
	st = need(calloc(1, sizeof(*st)));
	st->name = name;
	st->sql = need(strdup(sql.p));
	st->nparams = nparams;
	st->flags = flags;
	db->njoined++;
front:
	st->next = db->joined;
	db->joined = st;
	return st;
}

struct query *
db_query_joined(struct db *db, const char *name, struct str sql, size_t nparams, unsigned flags)
{
	look_at_connection(db);
	return query_open(db, joined(db, name, sql, nparams, flags));
}

void
db_statement_columns(struct statement *st, size_t n, const char *(*name)(void *, size_t), void *arg)
{
	st->columns = need(calloc(n > 0 ? n : 1, sizeof(*st->columns)));
	st->asked = need(calloc(n > 0 ? n : 1, sizeof(*st->asked)));
	for (st->ncolumns = 0; st->ncolumns < n; st->ncolumns++)
		st->columns[st->ncolumns] = need(strdup(name(arg, st->ncolumns)));
}

static void
query_fail(struct query *q, enum db_result r)
{
	if (q->failed == DB_END)
		q->failed = r;
	if (q->db->depth > 0 && q->db->spoiled == DB_END)
		q->db->spoiled = r;
}

/* The value of a parameter, or NULL: the mistake is the query's failure then. */
static struct value *
param(struct query *q, const char *name)
{
	const struct statement *st = q->st;
	char why[120];

	for (size_t tries = 0; st->params != NULL && tries < st->nparams; tries++) {
		size_t i = q->param_hint;

		q->param_hint = i + 1 < st->nparams ? i + 1 : 0;
		if (strcmp(st->params[i], name) == 0)
			return &q->values[i];
	}
	snprintf(why, sizeof(why), "there is no parameter :%s", name);
	query_fail(q, db_fail(q->db, DB_FAILED, st->name, why));
	return NULL;
}

void
db_value_text(struct buf *bytes, struct value *v, struct str s, bool is_bytes)
{
	if (s.p == NULL) {
		v->kind = VALUE_NULL;
		return;
	}
	v->kind = is_bytes ? VALUE_BYTES : VALUE_TEXT;
	v->at = bytes->n;
	v->n = s.n;
	buf_put(bytes, s.p, s.n);
	buf_putc(bytes, '\0');
}

void
db_value_ints(
    struct buf *bytes, struct value *v, enum db_engine engine, const int64_t *ints, size_t n)
{
	v->kind = VALUE_TEXT;
	v->at = bytes->n;
	buf_putc(bytes, engine == DB_POSTGRESQL ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(bytes, ',');
		buf_int64(bytes, ints[i]);
	}
	buf_putc(bytes, engine == DB_POSTGRESQL ? '}' : ']');
	v->n = bytes->n - v->at;
	buf_putc(bytes, '\0');
}

void
db_text(struct query *q, const char *name, struct str s)
{
	struct value *v = param(q, name);

	if (v == NULL)
		return;
	if (s.n > 0 && (memchr(s.p, '\0', s.n) != NULL || !str_is_utf8(s))) {
		query_fail(q, db_fail(q->db, DB_REFUSED, q->st->name, "the text is not UTF-8"));
		return;
	}
	db_value_text(&q->bytes, v, s, false);
}

void
db_bytes(struct query *q, const char *name, const void *p, size_t n)
{
	struct value *v = param(q, name);

	if (v != NULL)
		db_value_text(&q->bytes, v, (struct str){ p, n }, true);
}

void
db_int(struct query *q, const char *name, int64_t i)
{
	struct value *v = param(q, name);

	if (v != NULL)
		*v = (struct value){ .kind = VALUE_INT, .integer = i };
}

void
db_bool(struct query *q, const char *name, bool b)
{
	db_int(q, name, b);
}

void
db_real(struct query *q, const char *name, double d)
{
	struct value *v = param(q, name);

	if (v != NULL)
		*v = (struct value){ .kind = __builtin_isfinite(d) ? VALUE_REAL : VALUE_NULL,
			.real = d };
}

void
db_null(struct query *q, const char *name)
{
	struct value *v = param(q, name);

	if (v != NULL)
		v->kind = VALUE_NULL;
}

void
db_ints(struct query *q, const char *name, const int64_t *ints, size_t n)
{
	struct value *v = param(q, name);

	if (v != NULL)
		db_value_ints(&q->bytes, v, q->db->engine, ints, n);
}

void
db_part(struct query *q, const char *name, struct str part)
{
	enum db_engine engine = q->db->engine;
	bool phrase = engine == DB_SQLITE;
	struct buf b = { 0 };

	buf_puts(&b, phrase ? "\"" : engine == DB_POSTGRESQL ? "%" : "");
	for (size_t i = 0; i < part.n; i++) {
		if (phrase ? part.p[i] == '"' : strchr("%_\\", part.p[i]) != NULL)
			buf_putc(&b, phrase ? '"' : '\\');
		buf_putc(&b, part.p[i]);
	}
	buf_puts(&b, phrase ? "\"" : "%");
	db_text(q, name, buf_text(&b));
	buf_free(&b);
}

/*
 * Running
 */

/* Gives the query, all of whose values must be bound, to the driver. */
static enum db_result
send_query(struct query *q)
{
	struct db *db = q->db;
	enum db_result r;

	if (q->failed != DB_END)
		return q->failed;
	if (db->spoiled != DB_END)
		return db->spoiled;
	if (q->st->sql == NULL) { /* `only` for another engine */
		db->changes = 0;
		return DB_END;
	}
	for (size_t i = 0; i < q->nvalues; i++)
		if (q->values[i].kind == VALUE_UNBOUND) {
			char why[120];

			snprintf(why, sizeof(why), "parameter :%s is not bound",
			    q->st->params != NULL ? q->st->params[i] : "of a fragment");
			return db_fail(db, DB_FAILED, q->st->name, why);
		}
	if ((r = enter(db)) != DB_END)
		return r;
	if (!q->again)
		db->count++;
	q->sent = true;
	if ((r = db->driver->start(q)) != DB_END)
		take_back(q);
	return r;
}

void
db_start(struct query *q)
{
	int64_t t = clock_monotonic();
	enum db_result r;

	if (q->state != QUERY_BINDING)
		return;
	q->state = QUERY_STARTED;
	q->wants_result = true;
	/* where there is no wire it runs when its rows are wanted */
	if (q->db->driver->pipelines && (r = send_query(q)) != DB_END && r != DB_AWAY)
		query_fail(q, r);
	q->db->microseconds += clock_monotonic() - t;
}

void
db_no_wait(struct query *q)
{
	q->no_wait = true;
}

bool
db_pause(struct db *db, unsigned attempt, int64_t deadline)
{
	int64_t longest = INT64_C(1000) << (attempt < 7 ? attempt : 7), wait;
	struct timespec ts;

	db->random ^= db->random << 13;
	db->random ^= db->random >> 7;
	db->random ^= db->random << 17;
	wait = 200 + (int64_t)(db->random % (uint64_t)longest);
	if (clock_monotonic() + wait > deadline)
		return false;
	ts = (struct timespec){ .tv_sec = 0, .tv_nsec = wait * 1000 };
	nanosleep(&ts, NULL);
	return true;
}

/*
 * The first step. Outside a transaction a single statement is its own: it is tried again as
 * db_transaction would, and one that changes nothing also after the connection was lost.
 */
static enum db_result
first_step(struct query *q)
{
	int64_t deadline = clock_monotonic() + q->db->timeout;

	for (unsigned attempt = 0;; attempt++) {
		enum db_result r = q->sent ? DB_END : send_query(q);

		if (r == DB_END && q->sent)
			r = q->db->driver->step(q);
		if (r >= DB_END || q->db->depth > 0 || q->failed != DB_END)
			return r;
		if (r == DB_RETRY && q->no_wait)
			return r;
		if (r == DB_RETRY) {
			if (!db_pause(q->db, attempt, deadline))
				return db_fail(
				    q->db, DB_SLOW, q->st->name, "the database stayed busy");
		} else if (r != DB_AWAY || !q->sent || !(q->st->flags & QUERY_IS_READ) || q->again)
			return r;
		take_back(q);
		q->again = true;
	}
}

enum db_result
db_step(struct query *q)
{
	enum db_result r;
	int64_t t;

	if (q->failed != DB_END || q->state == QUERY_ENDED)
		return q->failed;
	t = clock_monotonic();
	r = q->state == QUERY_ROW ? q->db->driver->step(q) : first_step(q);
	q->db->microseconds += clock_monotonic() - t;
	q->state = r == DB_ROW ? QUERY_ROW : QUERY_ENDED;
	q->column_hint = 0;
	if (r < 0)
		query_fail(q, r);
	return r;
}

enum db_result
db_done(struct query *q)
{
	struct db *db = q->db;
	struct query **at = &db->open;
	enum db_result r;

	if (q->state == QUERY_STARTED)
		(void)!db_step(q);
	r = q->failed;
	query_release(q);
	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->next = db->idle;
	db->idle = q;
	return r;
}

enum db_result
db_run(struct query *q)
{
	while (db_step(q) == DB_ROW)
		;
	return db_done(q);
}

enum db_result
db_insert(struct query *q, int64_t *id)
{
	enum db_result r = db_step(q);
	struct db *db = q->db;

	*id = 0;
	if (r == DB_ROW)
		*id = db->driver->get_int(q, 0);
	while (r == DB_ROW)
		r = db_step(q);
	r = db_done(q);
	if (r == DB_END && db->driver->last_id != NULL && db->changes > 0)
		*id = db->driver->last_id(db);
	return r;
}

/*
 * Columns
 */

/* Rows are mostly read in the order of their columns, by the same literals: that is one look. */
static size_t
column(struct query *q, const char *name)
{
	const struct statement *st = q->st;

	for (size_t tries = 0; q->state == QUERY_ROW && tries < st->ncolumns; tries++) {
		size_t i = q->column_hint++;

		if (q->column_hint == st->ncolumns)
			q->column_hint = 0;
		if (st->asked[i] == name)
			return i;
		if (strcmp(st->columns[i], name) == 0) {
			st->asked[i] = name;
			return i;
		}
	}
	log_error(q->state == QUERY_ROW ? "there is no such column" : "there is no row to read",
	    LOG_TEXT("statement", st->name), LOG_TEXT("column", name));
	abort();
}

bool
db_col_null(struct query *q, const char *name)
{
	return q->db->driver->is_null(q, column(q, name));
}

int64_t
db_col_int(struct query *q, const char *name)
{
	return q->db->driver->get_int(q, column(q, name));
}

bool
db_col_bool(struct query *q, const char *name)
{
	return db_col_int(q, name) != 0;
}

double
db_col_real(struct query *q, const char *name)
{
	return q->db->driver->get_real(q, column(q, name));
}

struct str
db_col_text(struct query *q, const char *name)
{
	return q->db->driver->get_text(q, column(q, name));
}

struct str
db_col_bytes(struct query *q, const char *name)
{
	return db_col_text(q, name);
}

struct str
db_col_copy(struct query *q, const char *name, struct arena *a)
{
	return arena_str(a, db_col_text(q, name));
}

/*
 * Transactions
 */

static enum db_result
control(struct db *db, const char *sql, bool later)
{
	int64_t t = clock_monotonic();
	enum db_result r = db->driver->control(db, sql, later);

	db->microseconds += clock_monotonic() - t;
	return r;
}

/* A transaction within another: only its own work is undone. */
static enum db_result
nested(struct db *db, enum db_result (*work)(struct db *, void *), void *arg)
{
	char sql[48];
	enum db_result r;

	if (db->spoiled != DB_END)
		return db->spoiled;
	snprintf(sql, sizeof(sql), "SAVEPOINT s%u", db->depth);
	if ((r = control(db, sql, true)) != DB_END) {
		db->spoiled = r;
		return r;
	}
	db->depth++;
	r = work(db, arg);
	db->depth--;
	if (r == DB_END)
		r = db->spoiled;
	/* there is nothing left to go back to: SQLite may have undone all when it was full or slow */
	if (db->conn == NULL || db->spoiled == DB_AWAY || db->spoiled == DB_RETRY ||
	    db->spoiled == DB_FULL || db->spoiled == DB_SLOW)
		return r;
	if (r != DB_END) {
		snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT s%u", db->depth);
		db->spoiled = control(db, sql, false);
	}
	snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT s%u", db->depth);
	if (db->spoiled == DB_END)
		db->spoiled = control(db, sql, true);
	return r != DB_END ? r : db->spoiled;
}

/* One try. *sent says that COMMIT was sent: what became of it may be unknown. */
static enum db_result
try_transaction(struct db *db, enum db_mode mode, enum db_result (*work)(struct db *, void *),
    void *arg, bool *sent)
{
	enum db_result r;

	*sent = false;
	if ((r = enter(db)) == DB_END)
		r = control(db, db->driver->begin[mode], true);
	if (r != DB_END)
		return r;
	db->depth = 1;
	db->spoiled = DB_END;
	r = work(db, arg);
	if (r == DB_END)
		r = db->spoiled;
	if (db->conn == NULL || db->depth == 0) /* db_reset was called, or the process forked */
		return r == DB_END ? DB_FAILED : r;
	if (r == DB_END) {
		*sent = true;
		r = control(db, "COMMIT", false);
	}
	if (r != DB_END && db->conn != NULL)
		(void)control(db, "ROLLBACK", false);
	db->depth = 0;
	db->spoiled = DB_END;
	return r;
}

enum db_result
db_transaction(
    struct db *db, enum db_mode mode, enum db_result (*work)(struct db *, void *arg), void *arg)
{
	int64_t deadline = clock_monotonic() + db->timeout;
	bool sent = false, lost = false;
	enum db_result r;

	if (db->depth > 0 && db->forks == forks)
		return nested(db, work, arg);
	for (unsigned attempt = 0;; attempt++) {
		bool was_open = db->conn != NULL;

		r = try_transaction(db, mode, work, arg, &sent);
		if (r == DB_AWAY && was_open && !sent && !lost)
			lost =
			    true; /* nothing can have been kept: once more, on a new connection */
		else if (r == DB_RETRY && !db_pause(db, attempt, deadline))
			return db_fail(db, DB_SLOW, "transaction", "the database stayed busy");
		else if (r != DB_RETRY)
			return r;
	}
}

void
db_reset(struct db *db)
{
	if (db->forks != forks) {
		leave_parents_connection(db);
		db->forks = forks;
		return;
	}
	end_queries(db);
	if (db->depth > 0 && db->conn != NULL)
		(void)control(db, "ROLLBACK", false);
	db->depth = 0;
	db->spoiled = DB_END;
}
