/*
 * driver.h: what db.c and the drivers share. Nobody else includes it.
 *
 * db.c keeps the queries, their bound values, transactions and counting; a driver connects, runs
 * one statement and reads its columns. Both keep their own things behind the void pointers.
 */
#ifndef MERIDIAN_DRIVER_H
#define MERIDIAN_DRIVER_H

#include "base/buf.h"
#include "db/db.h"

enum query_flag {
	QUERY_IS_INSERT = 1,
	QUERY_IS_OR_NOTHING = 2,
	QUERY_IS_FRAGMENT = 4,
	QUERY_IS_STREAM = 8,
	QUERY_IS_CUSTOM_PLAN = 16,
	QUERY_IS_READ = 32 /* changes nothing: may be sent again */
};

/* Marks a parameter in the text of a fragment: this byte, then a letter of QUERY_LETTERS. */
#define QUERY_MARK '\001'
#define QUERY_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* The table that queries.awk makes; arrays are indexed by enum db_engine. */
struct query_def {
	const char *name;
	const char *where; /* file and line below sql/query/ */
	unsigned flags;
	const char *sql[DB_ENGINES];
	const char *params[DB_ENGINES]; /* names in order of their numbers, divided by blanks */
};
extern const struct query_def query_defs[];

/* The migrations of each engine in order, made by migrations.awk; the last name is NULL. */
struct migration {
	int64_t version;
	const char *name;
	const struct migration_step {
		unsigned line; /* of the file */
		const char *sql; /* one statement; NULL past the last */
	} * steps;
};
extern const struct migration *const migrations[DB_ENGINES];
/* What is run after the migrations and may come to nothing: extensions of the engine. */
extern const struct migration_step *const optional_steps[DB_ENGINES];

/* A bound value. Texts lie in the query's bytes, followed by a NUL. */
struct value {
	enum { VALUE_UNBOUND, VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BYTES } kind;
	int64_t integer;
	double real;
	size_t at, n;
};

/* A statement of one connection, prepared when it is first run. */
struct statement {
	struct statement *next; /* of those that sql.h joined, last used first */
	const char *name;
	unsigned flags;
	char *sql; /* of a joined one it is ours to free */
	size_t nparams;
	const char **params; /* NULL: a joined one, bound by number */
	size_t ncolumns;
	char **columns; /* names; set by db_statement_columns */
	const char **asked; /* the name a column was last asked by: a literal, the same again */
	unsigned users; /* open queries */
	void *prepared; /* the driver's */
};

struct query {
	struct query *next;
	struct db *db;
	struct statement *st;
	enum { QUERY_BINDING, QUERY_STARTED, QUERY_ROW, QUERY_ENDED } state;
	enum db_result failed; /* the first failure, or DB_END */
	struct value *values;
	size_t nvalues, room;
	struct buf bytes;
	size_t param_hint, column_hint;
	size_t steps; /* so far */
	bool wants_result; /* db_start was called */
	bool sent; /* the driver has it */
	bool
	    given; /* the driver had it once: where the line broke then, a read may be tried again */
	bool again; /* was sent again once */
	bool no_wait; /* db_no_wait() */
	void *run; /* the driver's */
};

struct driver {
	bool pipelines; /* a query may be sent before its result is wanted */
	const char *begin[2]; /* by enum db_mode */
	const char *migration_begin[3]; /* run first in a migration's transaction, up to NULL */

	/* NULL, or what is wrong with the URL of a server, without repeating it; borrowed or in `a`. */
	const char *(*wrong_url)(struct arena *a, const char *url);
	/* The database that the URL of a server names; NULL where it names none. In `a`. */
	const char *(*name)(struct arena *a, const char *url);
	/* Says what connecting needs. */
	void (*needs)(const struct db *, struct sandbox *);
	/* Connects. The result says why not; the text goes to db_fail. */
	enum db_result (*open)(struct db *);
	void (*close)(struct db *);
	/* After a fork, in the child: forgets the connection without a word to the other side. */
	void (*abandon)(struct db *);
	/* A statement is given up: frees ->prepared. */
	void (*forget)(struct db *, struct statement *);
	/* NULL, or: is what is connected to no longer what the URL names? Asked while nothing is open. */
	bool (*stale)(struct db *);

	/* Sends the query, whose values are all bound; where the engine has no wire, nothing. */
	enum db_result (*start)(struct query *);
	enum db_result (*step)(struct query *);
	/* Ends it wherever it is; sets db->changes. */
	void (*finish)(struct query *);

	bool (*is_null)(struct query *, size_t column);
	int64_t (*get_int)(struct query *, size_t column);
	double (*get_real)(struct query *, size_t column);
	struct str (*get_text)(struct query *, size_t column);
	int64_t (*last_id)(struct db *); /* NULL: the id is the row's first column */

	/*
	 * BEGIN, COMMIT, ROLLBACK, SAVEPOINT and the like, and a step of a migration. With `later` it
	 * may travel with the next statement, whose failure it then becomes.
	 */
	enum db_result (*control)(struct db *, const char *sql, bool later);
	enum db_result (*bulk)(struct bulk *, int64_t *added);
};
extern const struct driver sqlite_driver, postgresql_driver, mariadb_driver;

/* Rows that wait to be written by the driver's bulk. */
struct bulk {
	struct db *db;
	const char *table;
	size_t ncolumns;
	const char *const *columns;
	struct value *values; /* row by row */
	size_t n, room;
	struct buf bytes;
	int64_t added;
	enum db_result failed;
	bool expect_new; /* db_bulk_expect_new() */
	struct statement st; /* the driver's, while the bulk lives */
};

struct db {
	const struct driver *driver;
	enum db_engine engine;
	unsigned number; /* db_number() */
	struct arena *arena; /* what the configuration said */
	const char *url; /* of a server */
	const char *path; /* SQLite's */
	const char *user; /* the role's own account; NULL: the URL's */
	const char *password; /* "" for none */
	int64_t timeout; /* microseconds of one statement */
	bool create; /* make the file */
	bool much; /* db_expect_much() */
	const char *role; /* whose rights it has (roles.h); NULL: all there are */

	void *conn; /* the driver's; NULL: closed */
	unsigned forks; /* when it was opened */
	int64_t last_used; /* clock_monotonic() */
	struct statement *named[QUERY_NAMES];
	struct statement *joined;
	size_t njoined;
	struct query *open, *idle;

	unsigned depth; /* of transactions */
	unsigned attempt; /* how often this one was begun before */
	enum db_result spoiled; /* the failure that spoiled the transaction, or DB_END */
	int64_t changes;
	unsigned count;
	int64_t microseconds;
	uint64_t random;
	bool away; /* was said in the log */
	bool closing;
	char error[400];
};

/* engine.c: the driver for DATABASE_URL, and what it needs to know. 0, or -1 with a sentence. */
int db_engine_choose(struct db *, const struct config *, char *err, size_t errsize);

/* Notes why (one line, logged where it is nobody's answer) and gives r back. */
enum db_result db_fail(struct db *, enum db_result r, const char *statement, const char *why);

/* A connection was made. */
void db_is_there(struct db *);

/* Before anything is said to the engine: the connection, ours and open. DB_END, or why there is none. */
enum db_result db_enter(struct db *);
/* Was it opened by the process that this one was forked from? */
bool db_is_parents(const struct db *);
/* The driver's control(), its time counted. */
enum db_result db_control(struct db *, const char *sql, bool later);
/* The query's first failure, which spoils an open transaction. */
void db_query_fail(struct query *, enum db_result);

/* The memory that was asked for, or arena_exhausted(). */
void *db_need(void *);

/* statement.c */

/* The statement of that name, or of a joined text with that many values, which is kept for the next time. */
struct statement *db_statement_named(struct db *, enum query_name);
struct statement *
db_statement_joined(struct db *, const char *name, struct str sql, size_t nparams, unsigned flags);
/* The names of a statement's columns, once they are known. They are copied. */
void
db_statement_columns(struct statement *, size_t n, const char *(*name)(void *, size_t), void *);
/* The connection ends: gives up what was prepared on it, and joined statements. */
void db_statements_forget(struct db *);
/* In a child: what was prepared is the parent's, and is left. */
void db_statements_abandon(struct db *);
/* Frees them, once they are forgotten. */
void db_statements_free(struct db *);

/* A query of the statement for a joined text. */
struct query *
db_query_joined(struct db *, const char *name, struct str sql, size_t nparams, unsigned flags);
struct value *db_query_value(struct query *, size_t index);
void db_value_text(struct buf *, struct value *, struct str, bool bytes);
void db_value_ints(struct buf *, struct value *, enum db_engine, const int64_t *, size_t n);

/* A pause before another try, longer each time, of random length; false when it would end late. */
bool db_pause(struct db *, unsigned attempt, int64_t deadline);

#endif
