/*
 * postgresql: the driver for PostgreSQL: one kept connection a process, statements prepared once on
 * it, sent in a pipeline (postgresql_wire.c), values in the binary form (postgresql_value.c).
 *
 * A connection that was lost is made anew when the next statement comes. Before a statement is sent
 * to a server that was silent for long, the socket is looked at: what was lost in the meantime is
 * noticed before anything is at stake.
 */
#include "db/postgresql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* After a failure the server is left in peace for so long: requests that come now fail at once. */
#define CONNECT_PAUSE (200 * SECOND / 1000)

/* Classes of SQLSTATE (the first two letters) and single codes; the first that fits counts. */
enum db_result
pg_result_of(const char *state)
{
	static const struct {
		const char *state;
		enum db_result result;
	} known[] = {
		{ "23505", DB_TAKEN }, /* unique key */
		{ "23", DB_REFUSED }, /* foreign key, check, not null */
		{ "22", DB_REFUSED }, /* a value out of range, or no such number */
		{ "40003", DB_AWAY }, /* nobody knows whether it was done */
		{ "40", DB_RETRY }, /* serialization, deadlock */
		{ "55P03", DB_RETRY }, /* a lock was not to be had */
		{ "57014", DB_SLOW }, /* statement_timeout */
		{ "53100", DB_FULL }, { "53300", DB_AWAY }, /* too many connections */
		{ "25006", DB_AWAY }, /* read only: a standby */
		{ "25P03", DB_AWAY }, /* idle in a transaction for too long */
		{ "57P", DB_AWAY }, /* shutting down, starting, the database was dropped */
		{ "08", DB_AWAY }, { "28", DB_AWAY }, /* not let in */
	};

	for (size_t i = 0; i < NELEM(known); i++)
		if (strncmp(state, known[i].state, strlen(known[i].state)) == 0)
			return known[i].result;
	return DB_FAILED;
}

static void
take_notice(void *arg, const char *message)
{
	(void)arg;
	if (strncmp(message, "WARNING:", 8) == 0)
		log_warn("database warning", LOG_TEXT("text", message));
	else
		log_debug("database notice", LOG_TEXT("text", message));
}

void
pg_lost(struct connection *c, const char *why)
{
	if (c->broken)
		return;
	c->broken = true;
	db_fail(c->db, DB_AWAY, "connection", why[0] != '\0' ? why : "the connection was lost");
	if (c->db->depth > 0)
		c->failed = DB_AWAY;
	pg_runs_lost(c);
}

/*
 * Connecting
 */

/* Texts are Unicode; a database that cannot keep them would refuse some of them, here and there. */
static bool
keeps_unicode(struct connection *c)
{
	const char *encoding = PQparameterStatus(c->pg, "server_encoding");
	char why[160];

	if (encoding == NULL || strcmp(encoding, "UTF8") == 0)
		return true;
	snprintf(why, sizeof(why),
	    "the database's encoding is %s: make one with CREATE DATABASE ... ENCODING 'UTF8' "
	    "TEMPLATE template0",
	    encoding);
	db_fail(c->db, DB_REFUSED, "connect", why);
	return false;
}

/* Sets c->pg up, for the first time or again. */
static enum db_result
establish(struct connection *c)
{
	if (clock_monotonic() < c->not_before)
		return DB_AWAY;
	c->pg = pg_connect(c->db);
	if (c->pg == NULL) {
		c->not_before = clock_monotonic() + CONNECT_PAUSE;
		return DB_AWAY;
	}
	c->generation++;
	c->broken = false;
	c->unsynced = 0;
	c->failed = DB_END;
	PQsetNoticeProcessor(c->pg, take_notice, NULL);
	if (!keeps_unicode(c)) {
		c->broken = true;
		return DB_REFUSED;
	}
	if (PQsetnonblocking(c->pg, 1) == 0 && PQenterPipelineMode(c->pg) == 1) {
		db_is_there(c->db);
		return DB_END;
	}
	c->broken = true;
	db_fail(c->db, DB_AWAY, "connect", PQerrorMessage(c->pg));
	return DB_AWAY;
}

static enum db_result
pg_open(struct db *db)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		arena_exhausted();
	c->db = db;
	c->last = &c->first;
	/* kept also where it fails: it knows when to try again */
	c->broken = true;
	db->conn = c;
	return establish(c);
}

static void
pg_close(struct db *db)
{
	struct connection *c = db->conn;

	pg_runs_lost(c);
	PQfinish(c->pg);
	free(c);
}

/* The child of a fork: a word of it on the socket would be the parent's. The memory is left. */
static void
pg_abandon(struct db *db)
{
	struct connection *c = db->conn;

	if (c->pg != NULL)
		close(PQsocket(c->pg));
}

/* Did the server hang up while nothing was asked? */
static void
look_at_socket(struct connection *c)
{
	char byte;

	for (int tries = 0; tries < 3 && !c->broken; tries++) {
		ssize_t n = recv(PQsocket(c->pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* a notice, a parameter, or the end: libpq knows which */
		if (PQconsumeInput(c->pg) != 1 || PQstatus(c->pg) == CONNECTION_BAD)
			pg_lost(c, PQerrorMessage(c->pg));
	}
}

/* Before something is sent: is there a connection? Outside a transaction it is made anew. */
enum db_result
pg_ready(struct connection *c)
{
	if (!c->broken && c->first == NULL && c->db->depth == 0)
		look_at_socket(c);
	if (!c->broken)
		return DB_END;
	if (c->db->depth > 0)
		return DB_AWAY;
	PQfinish(c->pg);
	c->pg = NULL;
	return establish(c);
}

/*
 * Statements
 */

static void
pg_forget(struct db *db, struct statement *st)
{
	struct connection *c = db->conn;
	struct prepared *p = st->prepared;

	if (c != NULL && !db->closing && !c->broken && p->generation == c->generation) {
		char sql[48];

		/* what was sent before may still name it */
		(void)pg_drain(c);
		snprintf(sql, sizeof(sql), "DEALLOCATE %s", p->name);
		if (!c->broken && PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1) == 1)
			pg_sent(c, RUN_CONTROL, NULL);
		pg_sync(c);
	}
	free(p);
	st->prepared = NULL;
}

/* Sends the statement to be prepared where this connection does not have it yet. */
static enum db_result
prepare(struct connection *c, struct statement *st, struct run **out)
{
	struct prepared *p = st->prepared;

	*out = NULL;
	if (p == NULL) {
		p = st->prepared = calloc(1, sizeof(*p));
		if (p == NULL)
			arena_exhausted();
	}
	if (p->generation == c->generation)
		return DB_END;
	snprintf(p->name, sizeof(p->name), "m%llu", (unsigned long long)++c->names);
	if (PQsendPrepare(c->pg, p->name, st->sql, 0, NULL) != 1) {
		pg_lost(c, PQerrorMessage(c->pg));
		return DB_AWAY;
	}
	p->generation = c->generation;
	*out = pg_sent(c, RUN_PREPARE, st);
	return DB_END;
}

/* One that may change something is a group of its own when no transaction is open. */
static bool
stands_alone(const struct query *q)
{
	return q->db->depth == 0 && !(q->st->flags & QUERY_IS_READ);
}

static enum db_result
pg_start(struct query *q)
{
	struct connection *c = q->db->conn;
	bool custom = q->st->flags & QUERY_IS_CUSTOM_PLAN;
	struct run *made = NULL, *run;
	struct pg_params p;
	enum db_result r;
	int sent;

	if ((r = pg_ready(c)) != DB_END)
		return r;
	if (c->db->depth > 0 && c->failed != DB_END)
		return c->failed;
	if (stands_alone(q))
		pg_sync(c);
	if (!custom && prepare(c, q->st, &made) != DB_END)
		return DB_AWAY;
	pg_params_make(&p, q);
	if (custom)
		sent = PQsendQueryParams(
		    c->pg, q->st->sql, p.n, NULL, p.values, p.lengths, p.formats, 1);
	else
		sent = PQsendQueryPrepared(c->pg, ((struct prepared *)q->st->prepared)->name, p.n,
		    p.values, p.lengths, p.formats, 1);
	pg_params_free(&p);
	if (sent != 1) {
		pg_lost(c, PQerrorMessage(c->pg));
		return DB_AWAY;
	}
	run = pg_sent(c, RUN_QUERY, q->st);
	run->held = true;
	run->fresh = made != NULL;
	run->stream = q->st->flags & QUERY_IS_STREAM;
	if (made != NULL)
		made->user = run;
	q->run = run;
	if (stands_alone(q))
		pg_sync(c);
	return DB_END;
}

static const char *
column_name(void *result, size_t i)
{
	return PQfname(result, (int)i);
}

/* The next row of what was fetched, if there is one. */
static bool
next_row(struct query *q, struct run *run)
{
	for (; run->at < run->nresults; run->at++) {
		PGresult *result = run->results[run->at];

		if (++run->row < PQntuples(result)) {
			if (q->st->columns == NULL)
				db_statement_columns(
				    q->st, (size_t)PQnfields(result), column_name, result);
			return true;
		}
		if (PQresultStatus(result) == PGRES_COMMAND_OK || !(q->st->flags & QUERY_IS_READ)) {
			int64_t n = 0;

			(void)str_to_int64(str_of(PQcmdTuples(result)), &n);
			q->db->changes = n;
		} else
			q->db->changes = 0;
		PQclear(result);
		run->row = -1;
	}
	return false;
}

static enum db_result
failure(struct query *q, const struct run *run)
{
	if (run->lost)
		return DB_AWAY; /* told when the connection broke */
	return db_fail(q->db, run->result, q->st->name, run->why);
}

static enum db_result
pg_step(struct query *q)
{
	struct connection *c = q->db->conn;
	struct run *run = q->run;

	for (;;) {
		if (next_row(q, run))
			return DB_ROW;
		if (run->complete && run->result != DB_END)
			return failure(q, run);
		if (run->complete && !run->aborted)
			return DB_END;
		if (run->complete && c->db->depth > 0)
			return c->failed != DB_END ? c->failed : DB_FAILED;
		if (run->complete) {
			/* one of its group failed and took it along: it was not run */
			enum db_result r;

			pg_run_leave(run);
			q->run = NULL;
			if ((r = pg_start(q)) != DB_END)
				return r;
			run = q->run;
		}
		pg_sync(c);
		if (pg_fetch(c, run) != DB_END && !run->complete)
			return DB_AWAY;
	}
}

static void
pg_finish(struct query *q)
{
	if (q->run != NULL)
		pg_run_leave(q->run);
	q->run = NULL;
}

/*
 * Transactions
 */

static enum db_result
pg_control(struct db *db, const char *sql, bool later)
{
	struct connection *c = db->conn;
	struct run *run;
	enum db_result r;

	if ((r = pg_ready(c)) != DB_END)
		return r;
	if (db->depth == 0) {
		pg_sync(c);
		c->failed = DB_END;
	}
	/* a transaction's end waits for all that was sent in it; a way back must not be passed over */
	if (strncmp(sql, "ROLLBACK", 8) == 0)
		pg_sync(c);
	if (PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1) != 1) {
		pg_lost(c, PQerrorMessage(c->pg));
		return DB_AWAY;
	}
	run = pg_sent(c, RUN_CONTROL, NULL);
	run->commit = strcmp(sql, "COMMIT") == 0;
	if (later)
		return DB_END;
	run->held = true;
	pg_sync(c);
	r = pg_fetch(c, run);
	if (r == DB_END && run->result != DB_END)
		r = db_fail(db, run->result, sql, run->why);
	else if (r == DB_END && run->aborted)
		r = c->failed != DB_END ? c->failed : DB_FAILED;
	pg_run_leave(run);
	if (r == DB_END && strncmp(sql, "ROLLBACK", 8) == 0)
		c->failed = DB_END;
	return r;
}

const struct driver postgresql_driver = {
	.pipelines = true,
	.begin = { [DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
	    /* whatever the server's own: triggers see what was committed while they waited */
	    [DB_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED" },
	.migration_begin = { "SET LOCAL statement_timeout = 0",
	    "SELECT pg_advisory_xact_lock(5206744372)" },
	.wrong_url = pg_wrong_url,
	.name = pg_name,
	.needs = pg_needs,
	.open = pg_open,
	.close = pg_close,
	.abandon = pg_abandon,
	.forget = pg_forget,
	.start = pg_start,
	.step = pg_step,
	.finish = pg_finish,
	.is_null = pg_is_null,
	.get_int = pg_get_int,
	.get_real = pg_get_real,
	.get_text = pg_get_text,
	.control = pg_control,
	.bulk = pg_bulk,
};
