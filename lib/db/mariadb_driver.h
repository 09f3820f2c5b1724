/*
 * mariadb_driver.h: what the two halves of MariaDB's driver share. Nobody else includes it.
 */
#ifndef MERIDIAN_MARIADB_DRIVER_H
#define MERIDIAN_MARIADB_DRIVER_H

#include "db/driver.h"
#include "db/mariadb.h"

/* The longest a statement waits for another's lock before it is tried again, in seconds. */
#define LOCK_WAIT 3

struct connection {
	struct db *db;
	MYSQL *handle;
	unsigned generation;
	bool broken;
	bool is_mysql;
	int64_t
	    not_before; /* clock_monotonic() of the next try to connect, after one that failed */
	int64_t last_id;
};

/* mariadb.c */

/* Notes what the server or the client said; a connection that is lost is of no use any more. */
enum db_result
mariadb_fail(struct connection *, unsigned error, const char *message, const char *statement);
/*
 * Before something is sent: is there a connection? Outside a transaction it is made anew. DB_END, or
 * why there is none.
 */
enum db_result mariadb_ready(struct connection *);
/* Runs a text without values; its rows are thrown away. */
enum db_result mariadb_run_text(struct connection *, const char *sql, size_t n);

/* mariadb_statement.c: what the driver's table asks for */
void mariadb_forget(struct db *, struct statement *);
enum db_result mariadb_start(struct query *);
enum db_result mariadb_step(struct query *);
void mariadb_finish(struct query *);
bool mariadb_is_null(struct query *, size_t column);
int64_t mariadb_get_int(struct query *, size_t column);
double mariadb_get_real(struct query *, size_t column);
struct str mariadb_get_text(struct query *, size_t column);
int64_t mariadb_last_id(struct db *);
enum db_result mariadb_bulk(struct bulk *, int64_t *added);

#endif
