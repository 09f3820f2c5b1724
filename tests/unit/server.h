/*
 * server.h: what tests say to a database around our own statements and transactions.
 */
#ifndef MERIDIAN_SERVER_H
#define MERIDIAN_SERVER_H

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/mariadb.h"

static inline void
server_die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static inline PGconn *
server_postgresql(const char *url)
{
	PGconn *pg = PQconnectdb(url);

	if (PQstatus(pg) != CONNECTION_OK)
		server_die(url, PQerrorMessage(pg));
	return pg;
}

static inline MYSQL *
server_mariadb(const char *url)
{
	struct arena *a = arena_new();
	MYSQL *my = mysql_init(NULL);
	struct mariadb_url u;
	const char *wrong = mariadb_url_read(a, url, &u);

	if (wrong != NULL)
		server_die(url, wrong);
	if (mysql_real_connect(my, u.host, u.user, u.password, u.database, u.port, u.socket, 0) ==
	    NULL)
		server_die(url, mysql_error(my));
	arena_free(a);
	return my;
}

/* Runs a statement on the server of a URL. */
static inline void
server_run(const char *url, const char *sql)
{
	if (url[0] == 'm') {
		MYSQL *my = server_mariadb(url);

		if (mysql_query(my, sql) != 0)
			server_die(sql, mysql_error(my));
		mysql_close(my);
	} else {
		PGconn *pg = server_postgresql(url);
		PGresult *r = PQexec(pg, sql);

		if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
			server_die(sql, PQerrorMessage(pg));
		PQclear(r);
		PQfinish(pg);
	}
}

static inline void
server_empty_mariadb(const char *url)
{
	struct arena *a = arena_new();
	struct mariadb_url u;
	char sql[200];

	(void)mariadb_url_read(a, url, &u);
	snprintf(sql, sizeof(sql), "DROP DATABASE %s", u.database);
	server_run(url, sql);
	/* in another database of the same server, since this one is not there */
	snprintf(sql, sizeof(sql), "mariadb://%s@/mysql?socket=%s", u.user, u.socket);
	char create[200];
	snprintf(create, sizeof(create), "CREATE DATABASE %s", u.database);
	server_run(sql, create);
	arena_free(a);
}

/* Removes all that the database of a URL has; of SQLite, the file. */
static inline void
server_empty(const char *url)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	char path[700];

	if (url[0] == 'p')
		server_run(url,
		    "SET client_min_messages = error; DROP SCHEMA public CASCADE; "
		    "CREATE SCHEMA public");
	else if (url[0] == 'm')
		server_empty_mariadb(url);
	else
		for (size_t i = 0; i < NELEM(files); i++) {
			snprintf(path, sizeof(path), "%s%s", url + 7, files[i]);
			unlink(path);
		}
}

#endif
