/*
 * server.h: what tests say to a database around our own statements and transactions.
 */
#ifndef MERIDIAN_SERVER_H
#define MERIDIAN_SERVER_H

#include <libpq-fe.h>
#include <sqlite3.h>

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

static inline int64_t
server_number(const char *text)
{
	return text == NULL ? -1 : strtoll(text, NULL, 10);
}

static inline int64_t
server_ask_sqlite(const char *url, const char *sql)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t n = -1;
	int rc = sqlite3_open(url + 7, &handle);

	sqlite3_busy_timeout(handle, 5000);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		server_die(sql, sqlite3_errmsg(handle));
	sqlite3_finalize(stmt);
	sqlite3_close(handle);
	return n;
}

static inline int64_t
server_ask_mariadb(const char *url, const char *sql)
{
	MYSQL *my = server_mariadb(url);
	MYSQL_RES *rows;
	MYSQL_ROW row = NULL;
	int64_t n;

	if (mysql_query(my, sql) != 0)
		server_die(sql, mysql_error(my));
	if ((rows = mysql_store_result(my)) != NULL)
		row = mysql_fetch_row(rows);
	n = server_number(row != NULL ? row[0] : NULL);
	mysql_free_result(rows);
	mysql_close(my);
	return n;
}

static inline int64_t
server_ask_postgresql(const char *url, const char *sql)
{
	PGconn *pg = server_postgresql(url);
	PGresult *r = PQexec(pg, sql);
	int64_t n;

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		server_die(sql, PQerrorMessage(pg));
	n = server_number(PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : NULL);
	PQclear(r);
	PQfinish(pg);
	return n;
}

/* Runs a statement on the database of a URL; the number it gives first, -1 for none. */
static inline int64_t
server_ask(const char *url, const char *sql)
{
	return url[0] == 's' ? server_ask_sqlite(url, sql)
	    : url[0] == 'm'  ? server_ask_mariadb(url, sql)
	                     : server_ask_postgresql(url, sql);
}

static inline void
server_run(const char *url, const char *sql)
{
	(void)server_ask(url, sql);
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
