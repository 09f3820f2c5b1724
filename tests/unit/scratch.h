/*
 * scratch.h: a database of its own for a unit test: SQLite in a temporary folder, or, where
 * MERIDIAN_TEST_DATABASE is a URL of PostgreSQL, an emptied schema there. Locks lie in that folder.
 */
#ifndef MERIDIAN_SCRATCH_H
#define MERIDIAN_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"
#include "server.h"

static struct config *scratch_config;
static struct db *scratch_db;
static char scratch_dir[100];

/* Opens an empty database with the schema. */
static inline struct db *
scratch_open(void)
{
	const char *tmp = getenv("TMPDIR"), *url = getenv("MERIDIAN_TEST_DATABASE");
	char err[500] = "", text[200];

	snprintf(
	    scratch_dir, sizeof(scratch_dir), "%s/meridian-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(scratch_dir) == NULL)
		server_die("mkdtemp", scratch_dir);
	snprintf(text, sizeof(text), "sqlite:%s/test.db", scratch_dir);
	if (url != NULL)
		server_empty(url);
	setenv("MERIDIAN_DATABASE_URL", url == NULL ? text : url, 1);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_RUN_DIR", scratch_dir, 1);
	if ((scratch_config = config_load(err, sizeof(err))) == NULL)
		server_die("config_load", err);
	if ((scratch_db = db_new(scratch_config, err, sizeof(err))) == NULL)
		server_die("db_new", err);
	if (db_migrate(scratch_db, NULL, NULL, err, sizeof(err)) != 0)
		server_die("db_migrate", err);
	return scratch_db;
}

static inline void
scratch_close(void)
{
	char lock[200];

	db_free(scratch_db);
	config_free(scratch_config);
	if (getenv("MERIDIAN_TEST_DATABASE") == NULL)
		server_empty(getenv("MERIDIAN_DATABASE_URL"));
	snprintf(lock, sizeof(lock), "%s/passwords.lock", scratch_dir);
	unlink(lock);
	rmdir(scratch_dir);
}

/* From here on the table takes no row, or takes them again. */
static inline void
scratch_refuse(struct db *db, const char *table, bool refuse)
{
	static const char *const ways[DB_ENGINES][2] = {
		[DB_SQLITE] = { "DROP TRIGGER refused",
		    "CREATE TRIGGER refused BEFORE INSERT ON %s "
		    "BEGIN SELECT RAISE(ABORT, 'refused'); END" },
		[DB_POSTGRESQL] = { "ALTER TABLE %s DROP CONSTRAINT refused",
		    "ALTER TABLE %s ADD CONSTRAINT refused CHECK (false) NOT VALID" },
		[DB_MARIADB] = { "DROP TRIGGER refused",
		    "CREATE TRIGGER refused BEFORE INSERT ON %s FOR EACH ROW SIGNAL SQLSTATE "
		    "'45000'" },
	};
	const char *way = ways[db_engine(db)][refuse], *mark = strstr(way, "%s");
	char sql[200];

	if (mark == NULL)
		snprintf(sql, sizeof(sql), "%s", way);
	else
		snprintf(sql, sizeof(sql), "%.*s%s%s", (int)(mark - way), way, table, mark + 2);
	if (db_run_text(db, (const char *const[]){ sql }, 1) != DB_END)
		server_die(sql, db_error(db));
}

/* The table is no more from here on, or is there again: every statement that names it fails. */
static inline void
scratch_hide(struct db *db, const char *table, bool hide)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "ALTER TABLE %s%s RENAME TO %s%s", table, hide ? "" : "_hidden",
	    table, hide ? "_hidden" : "");
	if (db_run_text(db, (const char *const[]){ sql }, 1) != DB_END)
		server_die(sql, db_error(db));
}

#endif
