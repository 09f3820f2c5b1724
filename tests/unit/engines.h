/*
 * engines.h: every engine there is, each with an empty database of the test's own: SQLite in a
 * temporary folder; PostgreSQL in the server that MERIDIAN_TEST_PG names (tests/run sets it), else
 * in one that tests/tools/pg starts, else not at all, with a notice.
 */
#ifndef MERIDIAN_ENGINES_H
#define MERIDIAN_ENGINES_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"
#include "server.h"

struct engine {
	const char *name;
	char url[300];
	struct config *config;
};

static struct engine engines[] = { { .name = "sqlite" }, { .name = "postgresql" } };
static char engines_dir[100];
static bool engines_own_server;

/* The output of a command's first line; 0 where it succeeded. */
static inline int
engines_command(const char *what, char *line, size_t size)
{
	const char *srcdir = getenv("srcdir");
	char command[400];
	FILE *f;

	snprintf(command, sizeof(command), "'%s/tests/tools/pg' %s '%s/pg'",
	    srcdir != NULL ? srcdir : ".", what, engines_dir);
	if ((f = popen(command, "r")) == NULL)
		server_die("popen", command);
	if (fgets(line, (int)size, f) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return pclose(f);
}

/* The URL with the name of the database replaced; the part before and after it stay. */
static inline void
engines_database(const char *server, const char *name, char *url, size_t size)
{
	const char *slash = strchr(strstr(server, "//") + 2, '/');

	snprintf(url, size, "%.*s/%s%s", (int)(slash - server), server, name,
	    slash + strcspn(slash, "?"));
}

static inline void
engines_open_postgresql(struct engine *e)
{
	const char *given = getenv("MERIDIAN_TEST_PG");
	char server[300], name[60], sql[100];

	if (given != NULL)
		snprintf(server, sizeof(server), "%s", given);
	else if (engines_command("start", server, sizeof(server)) != 0) {
		fprintf(stderr, "NOTICE: no PostgreSQL here: its half of the tests is skipped\n");
		return;
	} else
		engines_own_server = true;
	snprintf(name, sizeof(name), "unit_%ld", (long)getpid());
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0", name);
	server_run(server, sql);
	engines_database(server, name, e->url, sizeof(e->url));
}

/* Call first in main. */
static inline void
engines_open(void)
{
	const char *tmp = getenv("TMPDIR");
	char err[300];

	snprintf(
	    engines_dir, sizeof(engines_dir), "%s/meridian-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(engines_dir) == NULL || chmod(engines_dir, 0755) != 0)
		server_die("mkdtemp", engines_dir);
	snprintf(engines[0].url, sizeof(engines[0].url), "sqlite:%s/test.db", engines_dir);
	engines_open_postgresql(&engines[1]);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	for (size_t i = 0; i < NELEM(engines) && engines[i].url[0] != '\0'; i++) {
		setenv("MERIDIAN_DATABASE_URL", engines[i].url, 1);
		if ((engines[i].config = config_load(err, sizeof(err))) == NULL)
			server_die("config_load", err);
	}
}

/* A connection of its own; NULL where the engine is missing. */
static inline struct db *
engines_connect(const struct engine *e)
{
	char err[300];
	struct db *db;

	if (e->config == NULL)
		return NULL;
	if ((db = db_new(e->config, err, sizeof(err))) == NULL)
		server_die("db_new", err);
	return db;
}

/* Call last; gives `failed` back. */
static inline int
engines_close(int failed)
{
	char path[200], sql[400];

	if (engines[1].url[0] != '\0' && !engines_own_server) {
		snprintf(sql, sizeof(sql), "DROP DATABASE unit_%ld WITH (FORCE)", (long)getpid());
		server_run(getenv("MERIDIAN_TEST_PG"), sql);
	}
	if (engines_own_server)
		(void)!engines_command("stop", path, sizeof(path));
	for (size_t i = 0; i < NELEM(engines); i++)
		config_free(engines[i].config);
	server_empty(engines[0].url);
	snprintf(path, sizeof(path), "%s/pg", engines_dir);
	(void)remove(path);
	(void)remove(engines_dir);
	return failed;
}

#endif
