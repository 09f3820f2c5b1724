/*
 * postgresql_wire: the pipeline. Statements are sent without waiting, in groups that end in a
 * synchronisation; answers come in the same order, and what comes before the one that is wanted is
 * kept for who will ask. A page that starts its queries together pays for one round trip.
 *
 * The socket does not block: while it does not take what is to be sent, answers are read, so that
 * neither side waits for the other.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/postgresql.h"

/* How much longer than the statement's time limit the server may be silent. */
#define PATIENCE (2 * SECOND)

struct run *
pg_sent(struct connection *c, enum run_kind kind, struct statement *st)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		arena_exhausted();
	run->kind = kind;
	run->st = st;
	run->row = -1;
	*c->last = run;
	c->last = &run->next;
	if (kind != RUN_SYNC)
		c->unsynced++;
	return run;
}

static void
drop_results(struct run *run)
{
	for (; run->at < run->nresults; run->at++)
		PQclear(run->results[run->at]);
}

static void
run_free(struct run *run)
{
	drop_results(run);
	free(run->results);
	free(run);
}

void
pg_run_leave(struct run *run)
{
	run->held = false;
	if (run->complete)
		run_free(run);
	else
		drop_results(run);
}

void
pg_sync(struct connection *c)
{
	if (c->unsynced == 0 || c->broken)
		return;
	if (PQpipelineSync(c->pg) != 1) {
		pg_lost(c, PQerrorMessage(c->pg));
		return;
	}
	pg_sent(c, RUN_SYNC, NULL);
	c->unsynced = 0;
}

/* The first in the line is answered. */
static void
pop(struct connection *c)
{
	struct run *run = c->first;

	c->first = run->next;
	if (c->first == NULL)
		c->last = &c->first;
	run->next = NULL;
	run->complete = true;
	if (!run->held)
		run_free(run);
}

void
pg_runs_lost(struct connection *c)
{
	while (c->first != NULL) {
		if (c->first->result == DB_END) {
			c->first->result = DB_AWAY;
			c->first->lost = true;
		}
		pop(c);
	}
	c->unsynced = 0;
}

/* Waits until a result can be taken. False: the connection is lost. */
static bool
wait_for_result(struct connection *c)
{
	int64_t deadline = clock_monotonic() + c->db->timeout + PATIENCE;

	for (;;) {
		int more = PQflush(c->pg);
		struct pollfd p = { .fd = PQsocket(c->pg),
			.events = (short)(POLLIN | (more == 1 ? POLLOUT : 0)) };
		int64_t left = deadline - clock_monotonic();
		int n;

		if (more < 0)
			break;
		if (!PQisBusy(c->pg))
			return true;
		n = left <= 0 ? 0
		              : poll(&p, 1, (int)(left / 1000 < 60000 ? left / 1000 + 1 : 60000));
		if (n == 0 && left <= 0) {
			pg_lost(c, "the server is silent");
			return false;
		}
		if (n > 0 && (p.revents & ~POLLOUT) != 0 && PQconsumeInput(c->pg) != 1)
			break;
	}
	pg_lost(c, PQerrorMessage(c->pg));
	return false;
}

static void
keep_result(struct run *run, PGresult *result)
{
	if (!run->held) {
		PQclear(result);
		return;
	}
	if (run->nresults == run->room) {
		size_t n = run->nresults - run->at;

		/* a stream: what was read makes room */
		if (run->at > 0)
			memmove(run->results, run->results + run->at, n * sizeof(PGresult *));
		run->at = 0;
		run->nresults = n;
		if (n == run->room) {
			run->room = run->room == 0 ? 2 : run->room * 2;
			run->results = realloc(run->results, run->room * sizeof(PGresult *));
			if (run->results == NULL)
				arena_exhausted();
		}
	}
	run->results[run->nresults++] = result;
}

/* A statement failed: who asked for it gets to know; a transaction remembers. */
static void
note_failure(struct connection *c, struct run *run, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	struct prepared *p = run->st != NULL ? run->st->prepared : NULL;

	run->result = state == NULL ? DB_AWAY : pg_result_of(state);
	snprintf(run->why, sizeof(run->why), "%s (%s)",
	    why != NULL ? why : PQresultErrorMessage(result), state != NULL ? state : "no state");
	if (run->kind == RUN_PREPARE && p != NULL)
		p->generation = 0;
	else if (state != NULL && p != NULL && !run->fresh &&
	    (strcmp(state, "26000") == 0 || strcmp(state, "0A000") == 0)) {
		/* it is gone (a pooler), or a changed table made it useless */
		p->generation = 0;
		run->result = DB_RETRY;
	}
	if (c->db->depth > 0 && c->failed == DB_END)
		c->failed = run->result;
	if (run->user != NULL) {
		run->user->result = run->result;
		memcpy(run->user->why, run->why, sizeof(run->why));
	}
}

static void
take_result(struct connection *c, struct run *run, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_ABORTED:
		run->aborted = true;
		if (run->kind == RUN_PREPARE && run->st->prepared != NULL)
			((struct prepared *)run->st->prepared)->generation = 0;
		PQclear(result);
		break;
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_COMMAND_OK:
		if (run->commit && strcmp(PQcmdStatus(result), "COMMIT") != 0)
			run->result = c->failed != DB_END ? c->failed : DB_FAILED;
		keep_result(run, result);
		break;
	default:
		note_failure(c, run, result);
		PQclear(result);
		if (run->result == DB_AWAY)
			pg_lost(c, run->why);
	}
}

/* Takes one result, of the first in the line. */
static enum db_result
advance(struct connection *c)
{
	struct run *run = c->first;
	PGresult *result;

	if (c->broken || run == NULL)
		return DB_AWAY;
	if (run->stream && run->nresults == 0)
		(void)PQsetSingleRowMode(c->pg);
	if (!wait_for_result(c))
		return DB_AWAY;
	result = PQgetResult(c->pg);
	if (run->kind == RUN_SYNC) {
		PQclear(result);
		pop(c);
	} else if (result == NULL)
		pop(c);
	else
		take_result(c, run, result);
	if (PQstatus(c->pg) != CONNECTION_BAD)
		return DB_END;
	pg_lost(c, PQerrorMessage(c->pg));
	return DB_AWAY;
}

enum db_result
pg_fetch(struct connection *c, struct run *wanted)
{
	while (!wanted->complete && !(wanted->stream && wanted->nresults > wanted->at))
		if (advance(c) != DB_END)
			return DB_AWAY;
	/* the end of a group comes in the same packet, mostly */
	while (!c->broken && c->first != NULL && c->first->kind == RUN_SYNC && !PQisBusy(c->pg))
		(void)advance(c);
	return DB_END;
}

enum db_result
pg_drain(struct connection *c)
{
	pg_sync(c);
	while (!c->broken && c->first != NULL)
		if (advance(c) != DB_END)
			break;
	return c->broken ? DB_AWAY : DB_END;
}
