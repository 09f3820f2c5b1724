/*
 * scratch.h: a database of its own for a unit test: SQLite in a temporary folder, or, where
 * MERIDIAN_TEST_DATABASE is a URL of PostgreSQL, an emptied schema there.
 */
#ifndef MERIDIAN_SCRATCH_H
#define MERIDIAN_SCRATCH_H

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"

static struct config *scratch_config;
static struct db *scratch_db;
static char scratch_dir[100];

static inline void
scratch_fail(const char *what, const char *err)
{
	fprintf(stderr, "%s: %s\n", what, err);
	abort();
}

static inline void
scratch_empty(const char *url)
{
	PGconn *pg = PQconnectdb(url);
	PGresult *r = PQexec(pg,
	    "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public");

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		scratch_fail(url, PQerrorMessage(pg));
	PQclear(r);
	PQfinish(pg);
}

/* Opens an empty database with the schema. */
static inline struct db *
scratch_open(void)
{
	const char *tmp = getenv("TMPDIR"), *url = getenv("MERIDIAN_TEST_DATABASE");
	char err[500] = "", text[200];

	snprintf(
	    scratch_dir, sizeof(scratch_dir), "%s/meridian-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(scratch_dir) == NULL)
		scratch_fail("mkdtemp", scratch_dir);
	snprintf(text, sizeof(text), "sqlite:%s/test.db", scratch_dir);
	if (url != NULL)
		scratch_empty(url);
	setenv("MERIDIAN_DATABASE_URL", url == NULL ? text : url, 1);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	if ((scratch_config = config_load(err, sizeof(err))) == NULL)
		scratch_fail("config_load", err);
	if ((scratch_db = db_new(scratch_config, err, sizeof(err))) == NULL)
		scratch_fail("db_new", err);
	if (db_migrate(scratch_db, NULL, NULL, err, sizeof(err)) != 0)
		scratch_fail("db_migrate", err);
	return scratch_db;
}

static inline void
scratch_close(void)
{
	static const char *const files[] = { "test.db", "test.db-wal", "test.db-shm" };
	char path[200];

	db_free(scratch_db);
	config_free(scratch_config);
	for (size_t i = 0; i < NELEM(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", scratch_dir, files[i]);
		unlink(path);
	}
	rmdir(scratch_dir);
}

#endif
