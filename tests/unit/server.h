/*
 * server.h: what tests say to a database without our own library.
 */
#ifndef MERIDIAN_SERVER_H
#define MERIDIAN_SERVER_H

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void
server_die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* Runs statements on the server of a URL. */
static inline void
server_run(const char *url, const char *sql)
{
	PGconn *pg = PQconnectdb(url);
	PGresult *r = PQexec(pg, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		server_die(sql, PQerrorMessage(pg));
	PQclear(r);
	PQfinish(pg);
}

/* Removes all that the database of a URL has; of SQLite, the file. */
static inline void
server_empty(const char *url)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	char path[700];

	if (strncmp(url, "sqlite:", 7) != 0) {
		server_run(url,
		    "SET client_min_messages = error; DROP SCHEMA public CASCADE; "
		    "CREATE SCHEMA public");
		return;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", url + 7, files[i]);
		unlink(path);
	}
}

#endif
