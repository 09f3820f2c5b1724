/*
 * mariadb: the driver for MariaDB, and for MySQL: one kept connection a process, statements prepared
 * once on it (mariadb_statement.c). Where the two servers differ, the server is asked which it is.
 *
 * Each statement of a migration commits by itself there. Nothing here depends on the server's settings
 * or the database's defaults: the session says its own.
 */
#include "db/mariadb_driver.h"

#include <mysqld_error.h>
#include <errmsg.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"

/* After a failure the server is left in peace for so long: requests that come now fail at once. */
#define CONNECT_PAUSE (200 * SECOND / 1000)
/* How much longer than the statement's time limit the server may be silent, in seconds. */
#define PATIENCE 2

/* Names of migrations/ that MySQL has otherwise. */
#define COLLATION "utf8mb4_nopad_bin"
#define COLLATION_OF_MYSQL "utf8mb4_0900_bin"

/*
 * Failures
 */

enum db_result
mariadb_result_of(unsigned error)
{
	static const struct {
		unsigned error;
		enum db_result result;
	} known[] = {
		{ ER_DUP_ENTRY, DB_TAKEN },
		{ ER_DUP_ENTRY_WITH_KEY_NAME, DB_TAKEN },
		{ ER_NO_REFERENCED_ROW_2, DB_REFUSED },
		{ ER_ROW_IS_REFERENCED_2, DB_REFUSED },
		{ ER_BAD_NULL_ERROR, DB_REFUSED },
		{ ER_WARN_DATA_OUT_OF_RANGE, DB_REFUSED },
		{ ER_DATA_TOO_LONG, DB_REFUSED },
		{ ER_TRUNCATED_WRONG_VALUE, DB_REFUSED },
		{ ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, DB_REFUSED },
		{ ER_DATA_OUT_OF_RANGE, DB_REFUSED },
		{ 4025, DB_REFUSED }, /* MariaDB: a CHECK */
		{ 3819, DB_REFUSED }, /* MySQL: a CHECK */
		{ ER_LOCK_DEADLOCK, DB_RETRY },
		{ ER_LOCK_WAIT_TIMEOUT, DB_RETRY },
		{ ER_CHECKREAD, DB_RETRY }, /* a row changed since it was read */
		{ ER_NEED_REPREPARE, DB_RETRY },
		{ 1969, DB_SLOW }, /* MariaDB: max_statement_time */
		{ 3024, DB_SLOW }, /* MySQL: max_execution_time */
		{ ER_QUERY_INTERRUPTED, DB_SLOW },
		{ ER_DISK_FULL, DB_FULL },
		{ ER_RECORD_FILE_FULL, DB_FULL },
		{ ER_CON_COUNT_ERROR, DB_AWAY },
		{ ER_MAX_PREPARED_STMT_COUNT_REACHED, DB_AWAY },
		{ ER_UNKNOWN_COM_ERROR, DB_AWAY }, /* Galera: the node is not ready */
		{ ER_USER_LIMIT_REACHED, DB_AWAY },
		{ ER_TOO_MANY_USER_CONNECTIONS, DB_AWAY },
		{ ER_ACCESS_DENIED_ERROR, DB_AWAY },
		{ ER_DBACCESS_DENIED_ERROR, DB_AWAY },
		{ ER_BAD_DB_ERROR, DB_AWAY },
		{ ER_SERVER_SHUTDOWN, DB_AWAY },
		{ ER_CONNECTION_KILLED, DB_AWAY },
		{ ER_OPTION_PREVENTS_STATEMENT, DB_AWAY }, /* read only: a replica */
		{ CR_SERVER_GONE_ERROR, DB_AWAY },
		{ CR_SERVER_LOST, DB_AWAY },
		{ CR_CONNECTION_ERROR, DB_AWAY },
		{ CR_CONN_HOST_ERROR, DB_AWAY },
	};

	for (size_t i = 0; i < NELEM(known); i++)
		if (error == known[i].error)
			return known[i].result;
	/* the other failures of the client are those of the line */
	return error >= CR_MIN_ERROR && error <= CR_MAX_ERROR ? DB_AWAY : DB_FAILED;
}

/* The connection is of no use any more; inside a transaction that is the transaction's end. */
static void
lost(struct connection *c)
{
	c->broken = true;
}

enum db_result
mariadb_fail(struct connection *c, unsigned error, const char *message, const char *statement)
{
	enum db_result r = mariadb_result_of(error);
	char why[400];

	if (c->broken && r == DB_AWAY)
		return r; /* told already */
	snprintf(why, sizeof(why), "%s (%u)", message, error);
	/* what the server itself says leaves the line as it is; the transaction is rolled back */
	if (r == DB_AWAY &&
	    (error >= CR_MIN_ERROR || error == ER_SERVER_SHUTDOWN || error == ER_CONNECTION_KILLED))
		lost(c);
	return db_fail(c->db, r, statement, why);
}

/*
 * Connecting
 */

const char *
mariadb_too_old(bool is_mysql, unsigned long version)
{
	if (is_mysql)
		return version < 80022 ? "this MySQL is too old: 8.0.22 or newer is needed" : NULL;
	return version < 100600 ? "this MariaDB is too old: 10.6 or newer is needed" : NULL;
}

/* The session's settings; those with a second text differ on MySQL. */
static enum db_result
set_session(struct connection *c)
{
	double seconds = (double)c->db->timeout / 1e6;
	struct buf settings = { 0 };
	enum db_result r = DB_END;

	buf_puts(&settings,
	    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
	    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES,PIPES_AS_CONCAT', "
	    "time_zone = '+00:00', default_storage_engine = InnoDB, autocommit = 1, "
	    "foreign_key_checks = 1, unique_checks = 1, completion_type = NO_CHAIN, ");
	buf_printf(&settings, "innodb_lock_wait_timeout = %d, ", LOCK_WAIT);
	/* a look at rights is a look-up a row, not a join that reads them all */
	buf_printf(&settings, "optimizer_switch = 'semijoin=off,materialization=off%s', ",
	    c->is_mysql ? "" : ",exists_to_in=off");
	if (c->is_mysql)
		buf_printf(&settings,
		    "transaction_isolation = 'READ-COMMITTED', transaction_read_only = 0, "
		    "max_execution_time = %.0f",
		    seconds * 1000);
	else
		buf_printf(&settings,
		    "tx_isolation = 'READ-COMMITTED', tx_read_only = 0, max_statement_time = %.3f",
		    seconds);
	if (mysql_real_query(c->handle, settings.p, settings.n) != 0)
		r = mariadb_fail(c, mysql_errno(c->handle), mysql_error(c->handle), "connect");
	buf_free(&settings);
	return r;
}

/* NULL, or why this server will not do however long one waits. */
static const char *
unfit(struct connection *c)
{
	static const char sql[] = "SELECT @@log_bin AND @@binlog_format = 'STATEMENT', "
	                          "@@max_allowed_packet < 4194304";
	const char *wrong = mariadb_too_old(c->is_mysql, mysql_get_server_version(c->handle));
	MYSQL_RES *result = NULL;
	MYSQL_ROW row = NULL;

	if (wrong == NULL && mysql_real_query(c->handle, sql, strlen(sql)) == 0 &&
	    (result = mysql_store_result(c->handle)) != NULL)
		row = mysql_fetch_row(result);
	if (row != NULL && row[0] != NULL && strcmp(row[0], "1") == 0)
		wrong =
		    "the server's binlog_format is STATEMENT, under which it refuses our writes: "
		    "set it to ROW or MIXED";
	else if (row != NULL && row[1] != NULL && strcmp(row[1], "1") == 0)
		wrong = "the server's max_allowed_packet is too small: set it to 4M or more";
	if (result != NULL)
		mysql_free_result(result);
	return wrong;
}

static void
set_options(struct connection *c, const struct mariadb_url *u)
{
	MYSQL *h = c->handle;
	/* connecting is quick or hopeless; statements have their own limit */
	unsigned connect = 2, silent = (unsigned)(c->db->timeout / SECOND) + PATIENCE;
	unsigned tcp = MYSQL_PROTOCOL_TCP, none = 0;
	my_bool verify = u->verify_tls;

	if (c->db->timeout > HOUR)
		silent = 24 * 3600;
	mysql_optionsv(h, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	mysql_optionsv(h, MYSQL_OPT_READ_TIMEOUT, &silent);
	mysql_optionsv(h, MYSQL_OPT_WRITE_TIMEOUT, &silent);
	/* a server must not be able to ask for files of ours */
	mysql_optionsv(h, MYSQL_OPT_LOCAL_INFILE, &none);
	mysql_optionsv(h, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_optionsv(h, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "meridian");
	if (u->host != NULL) /* "localhost" is the socket otherwise, whatever the port */
		mysql_optionsv(h, MYSQL_OPT_PROTOCOL, &tcp);
	/* said also where it is not wanted: later libraries verify unless told otherwise */
	mysql_optionsv(h, MYSQL_OPT_SSL_ENFORCE, &verify);
	mysql_optionsv(h, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (verify)
		mysql_optionsv(h, MYSQL_OPT_SSL_CA, u->ssl_ca);
}

static enum db_result
connect_to(struct connection *c)
{
	struct db *db = c->db;
	struct mariadb_url u;
	const char *wrong = mariadb_url_read(db->arena, db->url, &u);
	const char *password = db->password[0] != '\0' ? db->password : u.password;

	if (wrong != NULL)
		return db_fail(db, DB_AWAY, "connect", wrong);
	c->handle = mysql_init(NULL);
	if (c->handle == NULL)
		arena_exhausted();
	set_options(c, &u);
	if (mysql_real_connect(c->handle, u.host, db->user != NULL ? db->user : u.user, password,
	        u.database, u.port, u.socket, 0) == NULL) {
		char why[400];

		snprintf(
		    why, sizeof(why), "%s (%u)", mysql_error(c->handle), mysql_errno(c->handle));
		return db_fail(db, DB_AWAY, "connect", why);
	}
	c->is_mysql = !mariadb_connection(c->handle);
	c->broken = false;
	if ((wrong = unfit(c)) == NULL)
		return set_session(c);
	log_error("the database server cannot be used", LOG_TEXT("why", wrong));
	return db_fail(db, DB_REFUSED, "connect", wrong);
}

/* Sets the connection up, for the first time or again. */
static enum db_result
establish(struct connection *c)
{
	enum db_result r;

	if (clock_monotonic() < c->not_before)
		return DB_AWAY;
	r = connect_to(c);
	if (r == DB_END) {
		c->generation++;
		db_is_there(c->db);
		return DB_END;
	}
	c->broken = true;
	c->not_before = clock_monotonic() + CONNECT_PAUSE;
	if (c->handle != NULL)
		mysql_close(c->handle);
	c->handle = NULL;
	return r;
}

static const char *
mariadb_wrong_url(struct arena *a, const char *url)
{
	struct mariadb_url u;

	return mariadb_url_read(a, url, &u);
}

static const char *
mariadb_name(struct arena *a, const char *url)
{
	struct mariadb_url u = { 0 };

	return mariadb_url_read(a, url, &u) == NULL ? u.database : NULL;
}

static void
mariadb_needs(const struct db *db, struct sandbox *box)
{
	struct arena *a = arena_new();
	struct mariadb_url u = { 0 };

	if (mariadb_url_read(a, db->url, &u) == NULL && u.host != NULL)
		sandbox_tcp(box, u.port != 0 ? (int)u.port : MYSQL_PORT);
	else
		sandbox_local(box);
	sandbox_read(box, u.ssl_ca);
	arena_free(a);
}

static enum db_result
mariadb_open(struct db *db)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		arena_exhausted();
	c->db = db;
	/* kept also where it fails: it knows when to try again */
	c->broken = true;
	db->conn = c;
	return establish(c);
}

static void
mariadb_close(struct db *db)
{
	struct connection *c = db->conn;

	if (c->handle != NULL)
		mysql_close(c->handle);
	free(c);
}

/* The child of a fork: a word of it on the socket would be the parent's. The memory is left. */
static void
mariadb_abandon(struct db *db)
{
	struct connection *c = db->conn;

	if (c->handle != NULL)
		close((int)mysql_get_socket(c->handle));
}

/* Did the server hang up while nothing was asked? It never speaks first. */
static void
look_at_socket(struct connection *c)
{
	char byte;
	ssize_t n = recv((int)mysql_get_socket(c->handle), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (mysql_get_ssl_cipher(c->handle) != NULL && n > 0)
		return; /* TLS may have something to say of its own */
	lost(c);
	db_fail(c->db, DB_AWAY, "connection", "the server closed the connection");
}

enum db_result
mariadb_ready(struct connection *c)
{
	if (!c->broken && c->db->depth == 0)
		look_at_socket(c);
	if (!c->broken)
		return DB_END;
	if (c->db->depth > 0)
		return DB_AWAY;
	if (c->handle != NULL)
		mysql_close(c->handle);
	c->handle = NULL;
	return establish(c);
}

/*
 * Transactions and migrations
 */

enum db_result
mariadb_run_text(struct connection *c, const char *sql, size_t n)
{
	MYSQL_RES *result;

	if (mysql_real_query(c->handle, sql, n) != 0)
		return mariadb_fail(c, mysql_errno(c->handle), mysql_error(c->handle), sql);
	if ((result = mysql_store_result(c->handle)) != NULL)
		mysql_free_result(result);
	return DB_END;
}

/* A step of a migration, with the names that this server has. */
static enum db_result
run_step(struct connection *c, const char *sql)
{
	struct buf text = { 0 };
	enum db_result r;
	const char *at;

	for (; c->is_mysql && (at = strstr(sql, COLLATION)) != NULL; sql = at + strlen(COLLATION)) {
		buf_put(&text, sql, (size_t)(at - sql));
		buf_puts(&text, COLLATION_OF_MYSQL);
	}
	buf_puts(&text, sql);
	r = mariadb_run_text(c, text.p, text.n);
	buf_free(&text);
	return r;
}

/* The lock of migrations: two that run at once would trip over each other. */
static enum db_result
lock_migrations(struct connection *c, const char *sql)
{
	MYSQL_RES *result = NULL;
	MYSQL_ROW row = NULL;
	bool locked;

	if (mysql_real_query(c->handle, sql, strlen(sql)) != 0)
		return mariadb_fail(c, mysql_errno(c->handle), mysql_error(c->handle), "lock");
	if ((result = mysql_store_result(c->handle)) != NULL)
		row = mysql_fetch_row(result);
	locked = row != NULL && row[0] != NULL && strcmp(row[0], "1") == 0;
	if (result != NULL)
		mysql_free_result(result);
	return locked ? DB_END
	              : db_fail(c->db, DB_SLOW, "lock", "another migration is still running");
}

static enum db_result
mariadb_control(struct db *db, const char *sql, bool later)
{
	static const char one_moment[] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
	struct connection *c = db->conn;
	enum db_result r;

	(void)later;
	if ((r = mariadb_ready(c)) != DB_END)
		return r;
	if (sql == mariadb_driver.migration_begin[0])
		return lock_migrations(c, sql);
	if (sql == mariadb_driver.begin[DB_READ] &&
	    (r = mariadb_run_text(c, one_moment, strlen(one_moment))) != DB_END)
		return r;
	return run_step(c, sql);
}

const struct driver mariadb_driver = {
	.begin = { [DB_READ] = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	    [DB_WRITE] = "START TRANSACTION" },
	.migration_begin = { "SELECT GET_LOCK(CONCAT('meridian.', MD5(DATABASE())), 3600)" },
	.wrong_url = mariadb_wrong_url,
	.name = mariadb_name,
	.needs = mariadb_needs,
	.open = mariadb_open,
	.close = mariadb_close,
	.abandon = mariadb_abandon,
	.forget = mariadb_forget,
	.start = mariadb_start,
	.step = mariadb_step,
	.finish = mariadb_finish,
	.is_null = mariadb_is_null,
	.get_int = mariadb_get_int,
	.get_real = mariadb_get_real,
	.get_text = mariadb_get_text,
	.last_id = mariadb_last_id,
	.control = mariadb_control,
	.bulk = mariadb_bulk,
};
