/*
 * postgresql.h: what the four files of PostgreSQL's driver share.
 *
 * postgresql.c keeps the connection, maps errors and has the driver's table; postgresql_connect.c makes
 * one of a URL; postgresql_wire.c keeps the pipeline; postgresql_value.c turns values into parameters
 * and results into values.
 */
#ifndef MERIDIAN_POSTGRESQL_H
#define MERIDIAN_POSTGRESQL_H

#include <libpq-fe.h>

#include "db/driver.h"

/* Something that was sent and is to be answered, in the order of sending. */
struct run {
	struct run *next; /* sent after this */
	enum run_kind { RUN_PREPARE, RUN_QUERY, RUN_CONTROL, RUN_SYNC } kind;
	bool held; /* somebody waits for the answer, and frees it with pg_run_leave */
	struct statement *st; /* of RUN_PREPARE and RUN_QUERY */
	struct run *user; /* RUN_PREPARE: the query it is made for, which comes next */
	bool commit; /* RUN_CONTROL: a COMMIT, which may turn out to be a ROLLBACK */
	bool stream; /* its rows come one by one */
	bool complete; /* all of the answer is here */
	bool fresh; /* its statement was prepared just for it */
	bool aborted; /* not run, because one before it failed */
	bool lost; /* the connection broke before it was answered */
	enum db_result result; /* its failure, or DB_END */
	char why[200];
	PGresult **results; /* those with rows, or a command's; the first is being read */
	size_t nresults, room, at;
	int row;
};

struct connection {
	struct db *db;
	PGconn *pg;
	struct run *first, **last; /* sent and not completely answered */
	unsigned unsynced; /* sent since the last synchronisation */
	unsigned generation; /* of the connection: prepared statements belong to one */
	uint64_t names; /* of prepared statements so far */
	bool broken;
	int64_t
	    not_before; /* clock_monotonic() of the next try to connect, after one that failed */
	enum db_result failed; /* what spoiled the open transaction, or DB_END */
};

/* A statement on the server. */
struct prepared {
	unsigned generation;
	char name[24];
};

/* postgresql.c */
enum db_result pg_ready(struct connection *);
enum db_result pg_result_of(const char *sqlstate);
void pg_lost(struct connection *, const char *why);

/* postgresql_connect.c */

/* A connection to what the URL names, or NULL: db_fail knows why. */
PGconn *pg_connect(struct db *);
/* What the driver's table asks for. */
const char *pg_wrong_url(struct arena *, const char *url);
const char *pg_name(struct arena *, const char *url);
void pg_needs(const struct db *, struct sandbox *);

/* postgresql_wire.c */

/* Ends the group of statements that fail together; they run now. */
void pg_sync(struct connection *);
/* Notes that something was sent. */
struct run *pg_sent(struct connection *, enum run_kind kind, struct statement *);
/* Reads until the run is complete, or has a row where it streams. DB_AWAY: the connection is lost. */
enum db_result pg_fetch(struct connection *, struct run *);
/* Reads everything that is still to come. */
enum db_result pg_drain(struct connection *);
/* Nobody waits for it any more: freed now or when its answer has come. */
void pg_run_leave(struct run *);
/* The connection is lost: nothing more will be answered. */
void pg_runs_lost(struct connection *);

/* postgresql_value.c */
#define PG_SMALLINT 21
#define PG_INTEGER 23
#define PG_BIGINT 20
#define PG_BOOL 16
#define PG_BYTEA 17
#define PG_NAME 19
#define PG_TEXT 25
#define PG_OID 26
#define PG_DOUBLE 701
#define PG_CHAR 1042
#define PG_VARCHAR 1043

/* Parameters for PQsendQuery...: arrays of n, to be freed with pg_params_free. */
struct pg_params {
	int n;
	const char **values;
	int *lengths, *formats;
	struct buf numbers;
};
void pg_params_make(struct pg_params *, const struct query *);
void pg_params_free(struct pg_params *);
bool pg_is_null(struct query *, size_t column);
int64_t pg_get_int(struct query *, size_t column);
double pg_get_real(struct query *, size_t column);
struct str pg_get_text(struct query *, size_t column);
enum db_result pg_bulk(struct bulk *, int64_t *added);

/* Can values of that type be read by pg_get_*? */
bool pg_is_known(Oid type);

#endif
