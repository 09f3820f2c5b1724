/*
 * sqlite: the driver for SQLite: one file in WAL mode, one connection a process.
 *
 * The connection trusts neither the schema nor what is written to it: defensive mode, no double
 * quoted strings, no extensions, lowered limits. Commits are synced (synchronous=FULL). Writers wait
 * for each other in busy(): who has waited longer asks more often, so that nobody starves.
 */
#include <sqlite3.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sandbox.h"
#include "db/driver.h"
#include "db/roles.h"

#define BULK_VALUES 400 /* of one INSERT of many rows */
#define LOOK_PAUSE (SECOND / 50) /* between looks at the file: a page has several statements */
#define PROGRESS_OPS 4000 /* steps of the virtual machine between looks at the clock: ~0.1 ms */

/* A prepared form of a statement; a second one is made while the first is in use. */
struct prepared {
	struct prepared *next;
	sqlite3_stmt *stmt;
	bool used;
	int64_t deadline; /* clock_monotonic() */
};

struct connection {
	sqlite3 *handle;
	struct db *db;
	int64_t deadline; /* of the statement that runs; 0: none */
	int64_t waiting; /* since when for a lock */
	dev_t device; /* of the file that was opened */
	ino_t inode;
	int64_t looked; /* at the file, clock_monotonic() */
	bool no_wait; /* of the statement that runs */
	sqlite3_stmt *begin[2], *commit, *rollback;
	char denied[160]; /* what the role may not, of the statement prepared last */
};

static enum db_result
result_of(sqlite3 *handle, int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return DB_TAKEN;
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_SHMOPEN:
	case SQLITE_IOERR_SHMSIZE:
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_TRUNCATE:
		if (sqlite3_system_errno(handle) == ENOSPC ||
		    sqlite3_system_errno(handle) == EDQUOT)
			return DB_FULL;
		return DB_FAILED;
	}
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return DB_END;
	case SQLITE_ROW:
		return DB_ROW;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return DB_REFUSED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return DB_RETRY;
	case SQLITE_FULL:
		return DB_FULL;
	case SQLITE_CANTOPEN:
		if (sqlite3_system_errno(handle) == ENOSPC ||
		    sqlite3_system_errno(handle) == EDQUOT)
			return DB_FULL;
		return DB_AWAY;
	case SQLITE_READONLY:
		return DB_AWAY;
	case SQLITE_INTERRUPT:
		return DB_SLOW;
	default:
		return DB_FAILED;
	}
}

static enum db_result
fail(struct connection *c, int code, const char *statement)
{
	char why[400];

	if ((code & 0xff) == SQLITE_AUTH)
		snprintf(why, sizeof(why), "%s", c->denied);
	else
		snprintf(why, sizeof(why), "%s (SQLite %d)", sqlite3_errmsg(c->handle), code);
	return db_fail(c->db, result_of(c->handle, code), statement, why);
}

/* 1 goes on: the statement may still run. */
static int
progress(void *arg)
{
	const struct connection *c = arg;

	return c->deadline != 0 && clock_monotonic() > c->deadline;
}

/*
 * Another process holds the lock: waits a little and asks again (1), until the statement's time is
 * over (0). Pauses are random and get shorter with the wait: from 4 ms down to 0.25.
 */
static int
busy(void *arg, int tries)
{
	struct connection *c = arg;
	struct db *db = c->db;
	int64_t now = clock_monotonic(), longest;
	struct timespec ts;

	if (tries == 0)
		c->waiting = now;
	if (c->no_wait || now - c->waiting > db->timeout)
		return 0;
	longest = 4000 - (now - c->waiting) / 25;
	if (longest < 250)
		longest = 250;
	if (tries == 0)
		longest = 500;
	db->random ^= db->random << 13;
	db->random ^= db->random >> 7;
	db->random ^= db->random << 17;
	ts = (struct timespec){ .tv_nsec = (50 + (long)(db->random % (uint64_t)longest)) * 1000 };
	nanosleep(&ts, NULL);
	return 1;
}

/*
 * The name of the table of sql/roles that a table of the file stands for: FTS5 keeps an index in tables
 * NAME_data and so on, which defensive mode keeps from everybody else's hands.
 */
static const char *
table_of_role(const char *table)
{
	static const char index[] = "name_part";
	size_t n = sizeof(index) - 1;

	return strncmp(table, index, n) == 0 && table[n] == '_' ? index : table;
}

/* May the role do this? (sqlite3_set_authorizer(3): asked while a statement is prepared.) */
static int
authorize(void *arg, int action, const char *table, const char *column, const char *database,
    const char *within)
{
	static const char schema[] = "sqlite_master", list[] = "json_each";
	struct connection *c = arg;
	const char *role = c->db->role;
	enum role_verb verb;

	(void)database;
	(void)within;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
	case SQLITE_FUNCTION: /* load_extension is switched off */
		return SQLITE_OK;
	case SQLITE_PRAGMA: /* FTS5 asks whether another process has written */
		if (strcmp(table, "data_version") == 0 && column == NULL)
			return SQLITE_OK;
		snprintf(
		    c->denied, sizeof(c->denied), "executable %s may not PRAGMA %s", role, table);
		return SQLITE_DENY;
	case SQLITE_READ:
		if (strcmp(table, schema) == 0 || strcmp(table, list) == 0)
			return SQLITE_OK;
		verb = ROLE_READ;
		break;
	case SQLITE_INSERT:
		verb = ROLE_ADD;
		break;
	case SQLITE_UPDATE: /* a virtual table seems to; in truth the schema is not to be written */
		if (strcmp(table, schema) == 0)
			return SQLITE_OK;
		verb = ROLE_CHANGE;
		break;
	case SQLITE_DELETE:
		verb = ROLE_DELETE;
		break;
	default:
		snprintf(c->denied, sizeof(c->denied),
		    "executable %s may not change the schema or attach a file (SQLite %d)", role,
		    action);
		return SQLITE_DENY;
	}
	/* the columns of INSERT and DELETE are none; ROWID is nobody's secret */
	if ((verb != ROLE_READ && verb != ROLE_CHANGE) || strcmp(column, "ROWID") == 0)
		column = "";
	if (role_may(role, verb, table_of_role(table), column))
		return SQLITE_OK;
	snprintf(c->denied, sizeof(c->denied), "executable %s may not %s %s%s%s: see sql/roles",
	    role, role_verb_name(verb), table, column[0] != '\0' ? "." : "", column);
	return SQLITE_DENY;
}

static void
set_limits(sqlite3 *h)
{
	static const struct {
		int which, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, 16 << 20 },
		{ SQLITE_LIMIT_SQL_LENGTH, 200000 },
		{ SQLITE_LIMIT_COLUMN, 200 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 200 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 100 },
		{ SQLITE_LIMIT_VDBE_OP, 100000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 32 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 1000 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 10 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	static const struct {
		int which, value;
	} settings[] = {
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	};

	for (size_t i = 0; i < NELEM(settings); i++)
		sqlite3_db_config(h, settings[i].which, settings[i].value, NULL);
	for (size_t i = 0; i < NELEM(limits); i++)
		sqlite3_limit(h, limits[i].which, limits[i].value);
}

static void
sqlite_close(struct db *db)
{
	struct connection *c = db->conn;

	for (size_t i = 0; i < NELEM(c->begin); i++)
		sqlite3_finalize(c->begin[i]);
	sqlite3_finalize(c->commit);
	sqlite3_finalize(c->rollback);
	/* the last one to close writes the log back: that may take its time */
	c->deadline = 0;
	sqlite3_close(c->handle);
	free(c);
}

/* Makes the file, readable by its owner only: it holds password hashes. */
static void
make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

static void
note_file(struct connection *c)
{
	struct stat st;

	if (stat(c->db->path, &st) == 0) {
		c->device = st.st_dev;
		c->inode = st.st_ino;
	}
}

/*
 * Was the file replaced, as by a backup that is put back? What is written to the old one would be
 * lost. A file that is gone is left to be missed: the old one is as good as any.
 */
static bool
sqlite_stale(struct db *db)
{
	struct connection *c = db->conn;
	int64_t now = clock_monotonic();
	struct stat st;

	if (now - c->looked < LOOK_PAUSE)
		return false;
	c->looked = now;
	return stat(db->path, &st) == 0 && (st.st_ino != c->inode || st.st_dev != c->device);
}

/* Why it was not opened. That there is no file yet is for an operator to mend: waiting does not help. */
static enum db_result
fail_open(struct connection *c, int code)
{
	enum db_result r = result_of(c->handle, code);
	char why[400];

	if (r == DB_AWAY && access(c->db->path, F_OK) != 0 && errno == ENOENT) {
		r = DB_REFUSED;
		snprintf(why, sizeof(why), "%s: there is no such file; `meridian migrate` makes it",
		    c->db->path);
	} else
		snprintf(why, sizeof(why), "%s: %s (SQLite %d)", c->db->path,
		    sqlite3_errmsg(c->handle), code);
	return db_fail(c->db, r, "open", why);
}

static enum db_result
sqlite_open(struct db *db)
{
	/*
	 * No map: a mapped page is unpacked and, with cell_size_check, looked through at every access,
	 * a cached one once. A page of 20 targets takes half the time so.
	 */
	static const char setup[] = "PRAGMA cell_size_check = ON;"
	                            "PRAGMA synchronous = FULL;"
	                            "PRAGMA temp_store = MEMORY;"
	                            "PRAGMA cache_size = -1024;"
	                            "PRAGMA mmap_size = 0;"
	                            "PRAGMA journal_size_limit = 33554432;"
	                            "PRAGMA journal_mode = WAL;";
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct connection *c;
	int rc;

	/* no statistics of memory: they cost a lock each time; refused after the first call */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (db->create) {
		make_file(db->path);
		flags |= SQLITE_OPEN_CREATE;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		arena_exhausted();
	c->db = db;
	db->conn = c;
	rc = sqlite3_open_v2(db->path, &c->handle, flags, NULL);
	if (c->handle == NULL)
		arena_exhausted();
	if (rc == SQLITE_OK) {
		set_limits(c->handle);
		sqlite3_busy_handler(c->handle, busy, c);
		sqlite3_progress_handler(c->handle, PROGRESS_OPS, progress, c);
		rc = sqlite3_exec(c->handle, setup, NULL, NULL, NULL);
		if (rc == SQLITE_OK && db->much)
			rc = sqlite3_exec(
			    c->handle, "PRAGMA cache_size = -65536;", NULL, NULL, NULL);
		if (rc == SQLITE_OK && db->role != NULL)
			rc = sqlite3_set_authorizer(c->handle, authorize, c);
	}
	note_file(c);
	if (rc != SQLITE_OK) {
		enum db_result r = fail_open(c, rc);

		sqlite_close(db);
		db->conn = NULL;
		return r;
	}
	db_is_there(db);
	return DB_END;
}

/* The child of a fork: closing would drop the parent's locks and delete its log, so it is left. */
static void
sqlite_abandon(struct db *db)
{
	(void)db;
}

static void
sqlite_forget(struct db *db, struct statement *st)
{
	(void)db;
	for (struct prepared *p = st->prepared, *next; p != NULL; p = next) {
		next = p->next;
		sqlite3_finalize(p->stmt);
		free(p);
	}
	st->prepared = NULL;
}

static const char *
column_name(void *stmt, size_t i)
{
	return sqlite3_column_name(stmt, (int)i);
}

/* A prepared form of the statement that nobody uses. */
static enum db_result
prepare(struct connection *c, struct statement *st, struct prepared **out)
{
	struct prepared *p = NULL;
	int rc;

	for (p = st->prepared; p != NULL; p = p->next)
		if (!p->used) {
			*out = p;
			return DB_END;
		}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		arena_exhausted();
	rc = sqlite3_prepare_v3(c->handle, st->sql, -1, SQLITE_PREPARE_PERSISTENT, &p->stmt, NULL);
	if (rc != SQLITE_OK) {
		free(p);
		return fail(c, rc, st->name);
	}
	if (st->columns == NULL)
		db_statement_columns(
		    st, (size_t)sqlite3_column_count(p->stmt), column_name, p->stmt);
	p->next = st->prepared;
	st->prepared = p;
	*out = p;
	return DB_END;
}

static int
bind(sqlite3_stmt *stmt, int at, const struct value *v, const char *bytes)
{
	switch (v->kind) {
	case VALUE_INT:
		return sqlite3_bind_int64(stmt, at, v->integer);
	case VALUE_REAL:
		return sqlite3_bind_double(stmt, at, v->real);
	case VALUE_TEXT:
		return sqlite3_bind_text(stmt, at, bytes + v->at, (int)v->n, SQLITE_STATIC);
	case VALUE_BYTES:
		return sqlite3_bind_blob(stmt, at, bytes + v->at, (int)v->n, SQLITE_STATIC);
	case VALUE_NULL:
	case VALUE_UNBOUND:
		break;
	}
	return sqlite3_bind_null(stmt, at);
}

static enum db_result
sqlite_start(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = NULL;
	enum db_result r = prepare(c, q->st, &p);

	if (r != DB_END || p == NULL)
		return r;
	p->used = true;
	p->deadline = clock_monotonic() + q->db->timeout;
	q->run = p;
	for (size_t i = 0; i < q->nvalues; i++) {
		int rc = q->bytes.n > INT32_MAX
		    ? SQLITE_TOOBIG
		    : bind(p->stmt, (int)i + 1, &q->values[i], q->bytes.p);

		if (rc != SQLITE_OK)
			return fail(c, rc, q->st->name);
	}
	return DB_END;
}

static enum db_result
sqlite_step(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = q->run;
	int rc;

	/* who reads a stream takes their time between rows */
	if (q->st->flags & QUERY_IS_STREAM)
		p->deadline = clock_monotonic() + q->db->timeout;
	c->deadline = p->deadline;
	c->no_wait = q->no_wait;
	rc = sqlite3_step(p->stmt);
	c->deadline = 0;
	c->no_wait = false;
	if (rc == SQLITE_ROW)
		return DB_ROW;
	if (rc == SQLITE_DONE) {
		q->db->changes = q->st->flags & QUERY_IS_READ ? 0 : sqlite3_changes(c->handle);
		return DB_END;
	}
	return fail(c, rc, q->st->name);
}

static void
sqlite_finish(struct query *q)
{
	struct prepared *p = q->run;

	if (p == NULL)
		return;
	sqlite3_reset(p->stmt);
	if (q->st->nparams > 0)
		sqlite3_clear_bindings(p->stmt);
	p->used = false;
	q->run = NULL;
}

static bool
sqlite_is_null(struct query *q, size_t column)
{
	return sqlite3_column_type(((struct prepared *)q->run)->stmt, (int)column) == SQLITE_NULL;
}

static int64_t
sqlite_get_int(struct query *q, size_t column)
{
	return sqlite3_column_int64(((struct prepared *)q->run)->stmt, (int)column);
}

static double
sqlite_get_real(struct query *q, size_t column)
{
	/* one look at the column instead of two; only this thread uses the connection */
	sqlite3_value *v = sqlite3_column_value(((struct prepared *)q->run)->stmt, (int)column);

	return sqlite3_value_type(v) == SQLITE_NULL ? __builtin_nan("") : sqlite3_value_double(v);
}

static struct str
sqlite_get_text(struct query *q, size_t column)
{
	sqlite3_stmt *stmt = ((struct prepared *)q->run)->stmt;
	const char *p;

	if (sqlite3_column_type(stmt, (int)column) == SQLITE_NULL)
		return STR_NONE;
	if (sqlite3_column_type(stmt, (int)column) == SQLITE_BLOB)
		p = sqlite3_column_blob(stmt, (int)column);
	else
		p = (const char *)sqlite3_column_text(stmt, (int)column);
	return (struct str){ p != NULL ? p : "", (size_t)sqlite3_column_bytes(stmt, (int)column) };
}

static int64_t
sqlite_last_id(struct db *db)
{
	struct connection *c = db->conn;

	return sqlite3_last_insert_rowid(c->handle);
}

/* The text of BEGIN, COMMIT or ROLLBACK is kept prepared, *out says where; savepoints are not. */
static bool
is_kept(struct connection *c, const char *sql, sqlite3_stmt ***out)
{
	for (size_t i = 0; i < NELEM(c->begin); i++)
		if (sql == sqlite_driver.begin[i]) {
			*out = &c->begin[i];
			return true;
		}
	*out = strcmp(sql, "COMMIT") == 0 ? &c->commit : &c->rollback;
	return strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0;
}

static enum db_result
sqlite_control(struct db *db, const char *sql, bool later)
{
	struct connection *c = db->conn;
	sqlite3_stmt **stmt;
	int rc = SQLITE_OK;

	(void)later;
	if (strcmp(sql, "ROLLBACK") == 0 && sqlite3_get_autocommit(c->handle))
		return DB_END; /* the failure undid it already */
	if (!is_kept(c, sql, &stmt))
		rc = sqlite3_exec(c->handle, sql, NULL, NULL, NULL);
	else {
		if (*stmt == NULL)
			rc = sqlite3_prepare_v3(
			    c->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
		if (rc == SQLITE_OK) {
			(void)sqlite3_step(*stmt);
			rc = sqlite3_reset(*stmt);
		}
	}
	return rc == SQLITE_OK ? DB_END : fail(c, rc, sql);
}

/*
 * INSERT with a place for each column of `rows` rows, prepared once for a bulk: a statement of many
 * rows costs little more than one of a single row.
 */
static enum db_result
prepare_bulk(struct bulk *b, size_t rows, struct statement *st, struct prepared **p)
{
	struct buf sql = { 0 };
	enum db_result r;

	buf_printf(&sql, "INSERT INTO %s (", b->table);
	for (size_t i = 0; i < b->ncolumns; i++)
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", b->columns[i]);
	buf_puts(&sql, ") VALUES ");
	for (size_t row = 0; row < rows; row++)
		for (size_t i = 0; i < b->ncolumns; i++)
			buf_puts(&sql, i > 0 ? ", ?" : row > 0 ? "), (?" : "(?");
	buf_puts(&sql, ") ON CONFLICT DO NOTHING");
	st->name = b->table;
	st->sql = sql.p;
	r = prepare(b->db->conn, st, p);
	st->sql = NULL;
	buf_free(&sql);
	return r;
}

/* Runs the statement for rows from *at on, as many times as it fits. */
static enum db_result
insert_rows(struct bulk *b, struct statement *st, size_t rows, size_t *at, int64_t *added)
{
	struct connection *c = b->db->conn;
	size_t nvalues = rows * b->ncolumns;
	struct prepared *p = NULL;
	enum db_result r = DB_END;

	if (b->n - *at < nvalues)
		return DB_END;
	r = prepare_bulk(b, rows, st, &p);
	for (; r == DB_END && p != NULL && b->n - *at >= nvalues; *at += nvalues) {
		for (size_t i = 0; i < nvalues; i++)
			(void)bind(p->stmt, (int)i + 1, &b->values[*at + i], b->bytes.p);
		c->deadline = clock_monotonic() + b->db->timeout;
		(void)sqlite3_step(p->stmt);
		c->deadline = 0;
		if (sqlite3_reset(p->stmt) != SQLITE_OK)
			r = fail(c, sqlite3_extended_errcode(c->handle), b->table);
		else
			*added += sqlite3_changes(c->handle);
	}
	if (r == DB_END && p != NULL)
		sqlite3_clear_bindings(p->stmt);
	return r;
}

static enum db_result
sqlite_bulk(struct bulk *b, int64_t *added)
{
	struct statement wide = { 0 };
	size_t at = 0;
	enum db_result r = DB_END;
	size_t rows = BULK_VALUES / b->ncolumns;

	*added = 0;
	if (rows > 1 && b->n >= 4 * BULK_VALUES)
		r = insert_rows(b, &wide, rows, &at, added);
	if (r == DB_END)
		r = insert_rows(b, &b->st, 1, &at, added);
	sqlite_forget(b->db, &wide);
	free(wide.columns);
	free(wide.asked);
	return r;
}

/* It makes, and removes, a log and a table of locks beside the file. */
static void
sqlite_needs(const struct db *db, struct sandbox *box)
{
	char *directory = strdup(db->path), *slash;

	if (directory == NULL)
		arena_exhausted();
	slash = strrchr(directory, '/');
	slash[slash == directory] = '\0';
	sandbox_write(box, directory);
	free(directory);
}

const struct driver sqlite_driver = {
	.begin = { [DB_READ] = "BEGIN", [DB_WRITE] = "BEGIN IMMEDIATE" },
	.needs = sqlite_needs,
	.open = sqlite_open,
	.close = sqlite_close,
	.abandon = sqlite_abandon,
	.forget = sqlite_forget,
	.stale = sqlite_stale,
	.start = sqlite_start,
	.step = sqlite_step,
	.finish = sqlite_finish,
	.is_null = sqlite_is_null,
	.get_int = sqlite_get_int,
	.get_real = sqlite_get_real,
	.get_text = sqlite_get_text,
	.last_id = sqlite_last_id,
	.control = sqlite_control,
	.bulk = sqlite_bulk,
};
