/*
 * db.h: the database: named statements on one connection, whatever the engine.
 *
 * Statements are written in sql/query/NAME.sql in the common dialect with :name parameters:
 *
 *	--: session_find
 *	-- The live session of a token, with its user.
 *	SELECT user_id, created FROM session WHERE token = :token
 *	--: session_find postgresql
 *	SELECT ...			(only where the engines differ)
 *
 * Words after the name: `insert` (db_insert gives the new id), `or-nothing` (a row whose unique key
 * is taken is passed over; db_changes says 0), `fragment` (a piece for sql.h, never run alone),
 * `stream` (rows are fetched one by one: for results too long to hold, not for pages),
 * `custom-plan` (PostgreSQL plans it anew for each set of values: where a plan made for any value
 * is bad, such as LIKE), `only` (for the engine it names; elsewhere it does nothing and gives no
 * rows). An entry for one engine wins over the common one and repeats its words.
 * The build makes QUERY_SESSION_FIND and the table of it. A test prepares every one on every engine.
 *
 * The common dialect: CAST(x AS type), never '::'; no ?, no $; a bare parameter whose type nothing
 * says (:x IS NULL) is cast; count() and sum() are CAST(... AS BIGINT); an INSERT ... SELECT that
 * is `or-nothing` ends in WHERE (WHERE true will do); "key" and "dec" are quoted, being words of
 * MariaDB, unless a table stands before them. A list of numbers is bound with db_ints:
 *	... IN (SELECT value FROM json_each(:ids))		on SQLite
 *	... = ANY (CAST(:ids AS BIGINT[]))			on PostgreSQL
 *	... JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$'))	on MariaDB, texts with CHARACTER SET utf8mb4
 *
 *	struct query *q = db_query(db, QUERY_SESSION_FIND);
 *	db_bytes(q, "token", hash, 32);
 *	while (db_step(q) == DB_ROW)
 *		id = db_col_int(q, "user_id");
 *	r = db_done(q);
 *
 * A query remembers its first failure (a bind, too) and db_step and db_done report it: one check.
 * The connection opens on first use, opens again after it was lost, and closes when long idle.
 */
#ifndef MERIDIAN_DB_H
#define MERIDIAN_DB_H

#include "base/arena.h"
#include "base/config.h"
#include "db/queries.h" /* generated: enum query_name */

struct db;
struct query;
struct sandbox;

enum db_result {
	DB_END = 0, /* done: no (more) rows; it worked */
	DB_ROW = 1, /* a row is there */
	DB_TAKEN = -1, /* a unique key is in use: an answer, not an error */
	DB_REFUSED = -2, /* a foreign key or check refuses the value: an answer too */
	DB_AWAY = -3, /* the database cannot be reached: 503 with Retry-After */
	DB_FULL = -4, /* no space for the write: 507 */
	DB_RETRY = -5, /* busy, deadlock, serialization: db_transaction repeats it */
	DB_SLOW = -6, /* the statement's time limit: 503 */
	DB_FAILED = -7 /* anything else: logged, 500 */
};

enum db_engine { DB_SQLITE, DB_POSTGRESQL, DB_MARIADB, DB_ENGINES /* how many */ };

/*
 * A connection for DATABASE_URL ("sqlite:/path", "postgresql://user@host/name?...",
 * "mariadb://user@host/name?...", with DATABASE_PASSWORD_FILE). Opens nothing yet. NULL with a sentence in err where the URL is wrong.
 */
struct db *db_new(const struct config *, char *err, size_t errsize);
/*
 * The same for an executable of cgi/, which gets what sql/roles gives it and nothing else: on SQLite
 * the connection refuses the rest (DB_FAILED, with a line in the log that says what was wanted); in a
 * server, with DATABASE_ROLES_DIR, it has an account of its own, whose password stands there. NULL also where sql/roles does not know its name.
 */
struct db *db_new_as(const struct config *, const char *executable, char *err, size_t errsize);
/* The account of an executable in a server: the database's name, '_' and its own, in `a`. */
const char *db_role_account(const struct db *, struct arena *a, const char *executable);
/* Runs SQL that is no named statement, of one transaction. Its first line may stand in the log. */
enum db_result db_run_text(struct db *, const char *const sql[], size_t n) MUST_CHECK;
void db_free(struct db *);
enum db_engine db_engine(const struct db *);
/* Of this struct db and no other of the process, also where another comes to stand in its place. */
unsigned db_number(const struct db *);
/* "SQLite", "PostgreSQL", "MariaDB": for people. */
const char *db_engine_name(const struct db *);

/*
 * For a command that writes much in each transaction: the connection, once it opens, may use some
 * 64 MiB to hold it. Workers leave it.
 */
void db_expect_much(struct db *);

/* Says what connecting needs, now and later: the file's directory, or the server's sockets or port. */
void db_needs(const struct db *, struct sandbox *);

/* Closes the connection when it was idle for that long; forgets open queries. */
void db_close_idle(struct db *, int64_t microseconds);

/* Why the last call that failed did ("": none has), for the log; never for visitors. Borrowed. */
const char *db_error(const struct db *);

/* A query to bind and step. It belongs to the db and is given back with db_done. */
struct query *db_query(struct db *, enum query_name);

/* Binds a parameter by name (without ':'); each must be bound once. Texts and bytes are copied. */
void db_text(struct query *, const char *name, struct str); /* absent binds NULL */
void db_int(struct query *, const char *name, int64_t);
void db_bool(struct query *, const char *name, bool); /* stored as 0 or 1 everywhere */
void db_real(struct query *, const char *name, double); /* not finite binds NULL */
void db_bytes(struct query *, const char *name, const void *, size_t);
void db_null(struct query *, const char *name);
/* A list: the text of an array on PostgreSQL, a JSON array elsewhere. */
void db_ints(struct query *, const char *name, const int64_t *, size_t n);

/*
 * A pattern for texts that have this one in them, as the engine's index of parts wants it: a phrase
 * of FTS5 on SQLite, one of LIKE elsewhere (on MariaDB for the beginning of an ending).
 */
void db_part(struct query *, const char *name, struct str);

/*
 * Says that all is bound and the result will be wanted: PostgreSQL sends it now, so that several
 * queries started one after the other travel as one pipeline. Elsewhere it does nothing.
 */
void db_start(struct query *);

/*
 * The query, before its first step, waits for no other writer: where one holds the database it ends
 * with DB_RETRY at once and is not tried again. For a write that may be left undone. On PostgreSQL
 * writers hold rows: there the statement itself passes over them (SKIP LOCKED).
 */
void db_no_wait(struct query *);

enum db_result db_step(struct query *) MUST_CHECK;

/*
 * Columns of the row stepped to, by name; a name that is not there aborts (a mistake of ours).
 * Names are literals or otherwise last as long as the program: they are told apart by address.
 */
bool db_col_null(struct query *, const char *name);
int64_t db_col_int(struct query *, const char *name); /* NULL is 0 */
bool db_col_bool(struct query *, const char *name);
double db_col_real(struct query *, const char *name); /* NULL is NAN */
struct str db_col_text(struct query *, const char *name); /* borrowed until the next step */
struct str db_col_bytes(struct query *, const char *name); /* borrowed until the next step */
struct str db_col_copy(struct query *, const char *name, struct arena *);

/* Ends the query: DB_END where all went well, else its first failure. Needed after db_query. */
enum db_result db_done(struct query *);

/* Runs it to the end without looking at rows: db_step until DB_END, then db_done. */
enum db_result db_run(struct query *) MUST_CHECK;
/* The same for an `insert` statement; *id is the new row's. */
enum db_result db_insert(struct query *, int64_t *id) MUST_CHECK;
/* Rows the last db_run or db_insert of this connection changed. */
int64_t db_changes(const struct db *);

/*
 * Runs work(db, arg) between BEGIN and COMMIT. DB_END from work commits; anything else rolls back
 * and is returned. DB_RETRY (and a connection lost before anything was sent) runs it again, some
 * times, with pauses; then it is DB_SLOW. work must be repeatable: it must not keep state of a run
 * that was undone. For reading several statements at one moment use DB_READ.
 *
 * A statement that fails (DB_TAKEN, too) spoils its transaction: what follows in it fails likewise
 * and it is rolled back, as PostgreSQL has it. A nested call is a savepoint: only its own work is
 * undone when it fails, and the outer transaction goes on.
 */
enum db_mode { DB_READ, DB_WRITE };
enum db_result db_transaction(struct db *, enum db_mode,
    enum db_result (*work)(struct db *, void *arg), void *arg) MUST_CHECK;

/* Rolls back whatever is open and ends every query: the end of a request. */
void db_reset(struct db *);

/* Number and microseconds of statements since the last db_count_start(). */
void db_count_start(struct db *);
void db_count(const struct db *, unsigned *statements, int64_t *microseconds);

/*
 * Many rows at once into `table` (COPY on PostgreSQL, a prepared insert elsewhere), rows whose key
 * is taken passed over, inside the caller's transaction. Columns are given by name, then each row
 * by one db_bulk_* a column in that order. db_bulk_end gives the number of rows that are new.
 */
struct bulk;
struct bulk *db_bulk(struct db *, const char *table, size_t ncolumns, const char *const columns[]);
/*
 * Says, before its first row, that all are new: somebody else may just have added one, no more.
 * PostgreSQL writes them for less then, and where one is taken the end is DB_RETRY: the transaction's
 * next try passes over it.
 */
void db_bulk_expect_new(struct bulk *);
void db_bulk_int(struct bulk *, int64_t);
void db_bulk_real(struct bulk *, double); /* not finite: NULL */
void db_bulk_text(struct bulk *, struct str); /* absent: NULL */
void db_bulk_null(struct bulk *);
enum db_result db_bulk_end(struct bulk *, int64_t *added) MUST_CHECK;

/*
 * Compares the schema these sources know with the one found. DB_END: the same. Else with a sentence
 * for people in err: DB_AWAY, the database cannot be asked now; DB_REFUSED, it is empty, older, half
 * migrated ("run meridian migrate"), newer, or another program's.
 */
enum db_result db_schema_check(struct db *, char *err, size_t errsize);
/*
 * Brings the schema to ours, making the file of SQLite where there is none: the migrations of
 * sql/migrations/, which are part of the program. Each is a transaction. `tell` (NULL: nobody) hears
 * of each statement before it runs: the migration's name, the statement's number from 0, how many
 * there are. 0, also where nothing was to do, or -1 with a sentence in err that names file and line.
 */
typedef void db_tell_fn(void *arg, const char *name, size_t step, size_t nsteps);
int db_migrate(struct db *, db_tell_fn *tell, void *arg, char *err, size_t errsize);

#endif
