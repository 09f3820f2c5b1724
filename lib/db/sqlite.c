/*
 * sqlite: the driver for SQLite: one file in WAL mode, one connection a process.
 *
 * The connection trusts neither the schema nor what is written to it: defensive mode, no double
 * quoted strings, no extensions, lowered limits. Commits are synced (synchronous=FULL). Writers wait
 * for each other in busy(): who has waited longer asks more often, so that nobody starves.
 */
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
#include "db/sqlite.h"

#define LOOK_PAUSE (SECOND / 50) /* between looks at the file: a page has several statements */
#define PROGRESS_OPS 4000 /* steps of the virtual machine between looks at the clock: ~0.1 ms */

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

enum db_result
sqlite_fail(struct connection *c, int code, const char *statement)
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
			rc = sqlite3_set_authorizer(c->handle, sqlite_authorize, c);
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
	return rc == SQLITE_OK ? DB_END : sqlite_fail(c, rc, sql);
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
