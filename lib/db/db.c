/*
 * db: the side of the database that every engine shares: the connection, queries and how they are run,
 * the first failure of each, their counting. Statements are in statement.c, values and columns in
 * query.c, transactions in transaction.c; what differs between engines is in the drivers, behind struct
 * driver.
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
#include "base/sandbox.h"
#include "db/driver.h"
#include "db/roles.h"

/* Counts the forks of this process, so that a child never uses its parent's connection. */
static unsigned forks;

static void
note_fork(void)
{
	forks++;
}

bool
db_is_parents(const struct db *db)
{
	return db->forks != forks;
}

void *
db_need(void *p)
{
	if (p == NULL)
		arena_exhausted();
	return p;
}

static struct db *
new_db(const struct config *config, const char *role, char *err, size_t errsize)
{
	static bool watching;
	static unsigned made;
	struct arena *a = arena_new();
	struct db *db = arena_alloc(a, sizeof(*db));

	if (!watching && pthread_atfork(NULL, NULL, note_fork) == 0)
		watching = true;
	db->number = ++made;
	db->arena = a;
	db->role = role;
	db->timeout = config_int(config, "DATABASE_TIMEOUT_MS") * 1000;
	db->random = (uint64_t)clock_monotonic() * UINT64_C(0x9e3779b97f4a7c15) + 1;
	if (db_engine_choose(db, config, err, errsize) == 0)
		return db;
	arena_free(a);
	return NULL;
}

struct db *
db_new(const struct config *config, char *err, size_t errsize)
{
	return new_db(config, NULL, err, errsize);
}

struct db *
db_new_as(const struct config *config, const char *executable, char *err, size_t errsize)
{
	const char *role = role_find(executable);

	if (role != NULL)
		return new_db(config, role, err, errsize);
	snprintf(err, errsize, "sql/roles gives %s no rights to the database", executable);
	return NULL;
}

enum db_engine
db_engine(const struct db *db)
{
	return db->engine;
}

unsigned
db_number(const struct db *db)
{
	return db->number;
}

void
db_needs(const struct db *db, struct sandbox *box)
{
	sandbox_libraries(box);
	db->driver->needs(db, box);
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
disconnect(struct db *db)
{
	end_queries(db);
	db->closing = true;
	db_statements_forget(db);
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
	db_statements_abandon(db);
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

enum db_result
db_enter(struct db *db)
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
	db_statements_free(db);
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

struct value *
db_query_value(struct query *q, size_t index)
{
	if (index >= q->room) {
		q->room = index < 16 ? 16 : index * 2;
		q->values = db_need(realloc(q->values, q->room * sizeof(*q->values)));
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
		q = db_need(calloc(1, sizeof(*q)));
	q->db = db;
	q->st = st;
	q->state = QUERY_BINDING;
	q->failed = DB_END;
	q->param_hint = q->column_hint = q->steps = 0;
	q->wants_result = q->sent = q->given = q->again = q->no_wait = false;
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
	return query_open(db, db_statement_named(db, name));
}

struct query *
db_query_joined(struct db *db, const char *name, struct str sql, size_t nparams, unsigned flags)
{
	look_at_connection(db);
	return query_open(db, db_statement_joined(db, name, sql, nparams, flags));
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
	if ((r = db_enter(db)) != DB_END)
		return r;
	if (!q->again)
		db->count++;
	q->sent = q->given = true;
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
		db_query_fail(q, r);
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
		} else if (r != DB_AWAY || !q->given || !(q->st->flags & QUERY_IS_READ) || q->again)
			return r;
		take_back(q);
		q->again = true;
	}
}

/*
 * For how many steps the next one is timed. To look at the clock costs as much as a column: of many
 * rows each sixteenth stands for sixteen.
 */
static int64_t
timed_for(struct query *q)
{
	size_t steps = q->steps++;

	return steps < 16 ? 1 : steps % 16 == 0 ? 16 : 0;
}

enum db_result
db_step(struct query *q)
{
	enum db_result r;
	int64_t t = 0, steps;

	if (q->failed != DB_END || q->state == QUERY_ENDED)
		return q->failed;
	if ((steps = timed_for(q)) > 0)
		t = clock_monotonic();
	r = q->state == QUERY_ROW ? q->db->driver->step(q) : first_step(q);
	if (steps > 0)
		q->db->microseconds += (clock_monotonic() - t) * steps;
	q->state = r == DB_ROW ? QUERY_ROW : QUERY_ENDED;
	q->column_hint = 0;
	if (r < 0)
		db_query_fail(q, r);
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

enum db_result
db_control(struct db *db, const char *sql, bool later)
{
	int64_t t = clock_monotonic();
	enum db_result r = db->driver->control(db, sql, later);

	db->microseconds += clock_monotonic() - t;
	return r;
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
		(void)db_control(db, "ROLLBACK", false);
	db->depth = 0;
	db->spoiled = DB_END;
}
