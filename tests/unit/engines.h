/*
 * engines.h: every engine there is, each with an empty database of the test's own: SQLite in a
 * temporary folder; the others in the server that a variable names (tests/run sets it; empty: not at
 * all), else in one that a script of tests/tools starts, else not at all, with a notice.
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
	const char *name, *tool, *variable;
	const char *force; /* behind DROP DATABASE: also one in use */
	char server[300], url[400];
	bool started;
	struct config *config;
};

static struct engine engines[] = {
	{ .name = "sqlite" },
	{ .name = "postgresql",
	    .tool = "pg",
	    .variable = "MERIDIAN_TEST_PG",
	    .force = "WITH (FORCE)" },
	{ .name = "mariadb", .tool = "mariadb", .variable = "MERIDIAN_TEST_MARIADB", .force = "" },
};
static char engines_dir[100];

/* The output of a command's first line; 0 where it succeeded. */
static inline int
engines_command(const struct engine *e, const char *what, char *line, size_t size)
{
	const char *srcdir = getenv("srcdir");
	char command[400];
	FILE *f;

	snprintf(command, sizeof(command), "'%s/tests/tools/%s' %s '%s/%s'",
	    srcdir != NULL ? srcdir : ".", e->tool, what, engines_dir, e->tool);
	if ((f = popen(command, "r")) == NULL)
		server_die("popen", command);
	if (fgets(line, (int)size, f) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return pclose(f);
}

static inline const char *
engines_name(char name[60])
{
	snprintf(name, 60, "unit_%ld", (long)getpid());
	return name;
}

/* A database of our own in a server that there is, or that is started now. */
static inline void
engines_open_server(struct engine *e)
{
	const char *given = getenv(e->variable), *slash;
	char name[60], sql[100];

	if (given != NULL && given[0] == '\0')
		return;
	if (given != NULL)
		snprintf(e->server, sizeof(e->server), "%s", given);
	else if (engines_command(e, "start", e->server, sizeof(e->server)) != 0) {
		fprintf(stderr, "NOTICE: no %s here: its part of the tests is skipped\n", e->name);
		return;
	} else
		e->started = true;
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s%s", engines_name(name),
	    strcmp(e->tool, "pg") == 0 ? " TEMPLATE template0" : "");
	server_run(e->server, sql);
	slash = strchr(strstr(e->server, "//") + 2, '/');
	snprintf(e->url, sizeof(e->url), "%.*s/%s%s", (int)(slash - e->server), e->server, name,
	    slash + strcspn(slash, "?"));
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
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	for (struct engine *e = engines; e < engines + NELEM(engines); e++) {
		if (e->tool != NULL)
			engines_open_server(e);
		if (e->url[0] == '\0')
			continue;
		setenv("MERIDIAN_DATABASE_URL", e->url, 1);
		if ((e->config = config_load(err, sizeof(err))) == NULL)
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
	char path[200], sql[400], name[60];

	for (struct engine *e = engines; e < engines + NELEM(engines); e++) {
		if (e->config == NULL)
			continue;
		config_free(e->config);
		if (e->tool == NULL)
			server_empty(e->url);
		else if (e->started)
			(void)!engines_command(e, "stop", path, sizeof(path));
		else {
			snprintf(
			    sql, sizeof(sql), "DROP DATABASE %s %s", engines_name(name), e->force);
			server_run(e->server, sql);
		}
		if (e->tool != NULL) {
			snprintf(path, sizeof(path), "%s/%s", engines_dir, e->tool);
			(void)remove(path);
		}
	}
	(void)remove(engines_dir);
	return failed;
}

/*
 * The whole main of a test with scratch.h: its tests on each engine, which MERIDIAN_TEST_DATABASE names
 * then (not for SQLite, where scratch.h makes a file).
 */
static inline int
engines_run(const char *what, const struct CMUnitTest *tests, size_t n, CMFixtureFunction set_up,
    CMFixtureFunction tear_down)
{
	int failed = 0;

	engines_open();
	for (size_t i = 0; i < NELEM(engines); i++) {
		char group[60];

		if (engines[i].config == NULL)
			continue;
		if (engines[i].tool != NULL)
			setenv("MERIDIAN_TEST_DATABASE", engines[i].url, 1);
		else
			unsetenv("MERIDIAN_TEST_DATABASE");
		snprintf(group, sizeof(group), "%s, %s", what, engines[i].name);
		failed += _cmocka_run_group_tests(group, tests, n, set_up, tear_down);
	}
	return engines_close(failed);
}

#endif
