/*
 * mariadb: the driver for MariaDB, and for MySQL: one kept connection a process, statements prepared
 * once on it, values in the binary form. Where the two servers differ, the server is asked which it is.
 *
 * A result is fetched whole, so that other statements may run while it is read; one that streams is
 * kept by the server and fetched by the hundred rows.
 *
 * Each statement of a migration commits by itself there. Nothing here depends on the server's settings
 * or the database's defaults: the session says its own.
 */
#include "db/mariadb.h"

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
#include "db/driver.h"

/* After a failure the server is left in peace for so long: requests that come now fail at once. */
#define CONNECT_PAUSE (200 * SECOND / 1000)
/* How much longer than the statement's time limit the server may be silent, in seconds. */
#define PATIENCE 2
/* The longest a statement waits for another's lock before it is tried again, in seconds. */
#define LOCK_WAIT 3
/* Rows of a stream that are fetched at a time. */
#define STREAM_ROWS 100
/* Rows of a bulk that one statement inserts; more are no quicker. */
#define BULK_ROWS 256

/* Names of migrations/ that MySQL has otherwise. */
#define COLLATION "utf8mb4_nopad_bin"
#define COLLATION_OF_MYSQL "utf8mb4_0900_bin"

/* A cell of the row fetched last. */
struct cell {
	union {
		long long integer;
		double real;
	} number;
	char *text;
	unsigned long length;
	size_t room;
	my_bool is_null;
};

/* A prepared form of a statement; a second one is made while the first is in use. */
struct prepared {
	struct prepared *next;
	MYSQL_STMT *stmt;
	unsigned generation; /* of the connection it was made on */
	bool used;
	unsigned *places; /* which value each '?' of the text is, from 0 */
	size_t nplaces;
	MYSQL_BIND *params, *columns;
	struct cell *cells;
	size_t ncells;
};

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

static enum db_result
fail(struct connection *c, unsigned error, const char *message, const char *statement)
{
	enum db_result r = mariadb_result_of(error);
	char why[400];

	if (c->broken && r == DB_AWAY)
		return r; /* told already */
	snprintf(why, sizeof(why), "%s (%u)", message, error);
	if (r == DB_AWAY)
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
		return version < 80021 ? "this MySQL is too old: 8.0.21 or newer is needed" : NULL;
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
	    "foreign_key_checks = 1, unique_checks = 1, ");
	buf_printf(&settings, "innodb_lock_wait_timeout = %d, ", LOCK_WAIT);
	/* a look at rights is a look-up a row, not a join that reads them all */
	buf_printf(&settings, "optimizer_switch = 'semijoin=off,materialization=off%s', ",
	    c->is_mysql ? "" : ",exists_to_in=off");
	if (c->is_mysql)
		buf_printf(&settings,
		    "transaction_isolation = 'READ-COMMITTED', max_execution_time = %.0f",
		    seconds * 1000);
	else
		buf_printf(&settings, "tx_isolation = 'READ-COMMITTED', max_statement_time = %.3f",
		    seconds);
	if (mysql_real_query(c->handle, settings.p, settings.n) != 0)
		r = fail(c, mysql_errno(c->handle), mysql_error(c->handle), "connect");
	buf_free(&settings);
	return r;
}

/* Does the server keep a log of statements, which it does not for READ COMMITTED? Writes would fail. */
static bool
logs_statements(struct connection *c)
{
	static const char sql[] = "SELECT @@log_bin AND @@binlog_format = 'STATEMENT'";
	MYSQL_RES *result = NULL;
	MYSQL_ROW row = NULL;
	bool does;

	if (mysql_real_query(c->handle, sql, strlen(sql)) == 0 &&
	    (result = mysql_store_result(c->handle)) != NULL)
		row = mysql_fetch_row(result);
	does = row != NULL && row[0] != NULL && strcmp(row[0], "1") == 0;
	if (result != NULL)
		mysql_free_result(result);
	return does;
}

/* NULL, or why this server will not do however long one waits. */
static const char *
unfit(struct connection *c)
{
	const char *wrong = mariadb_too_old(c->is_mysql, mysql_get_server_version(c->handle));

	if (wrong == NULL && logs_statements(c))
		wrong =
		    "the server's binlog_format is STATEMENT, under which it refuses our writes: "
		    "set it to ROW or MIXED";
	return wrong;
}

static void
set_options(struct connection *c, const struct mariadb_url *u)
{
	MYSQL *h = c->handle;
	/* connecting is quick or hopeless; statements have their own limit */
	unsigned connect = 2, silent = (unsigned)(c->db->timeout / SECOND) + PATIENCE;
	unsigned none = 0, on = 1, tcp = MYSQL_PROTOCOL_TCP;

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
	if (!u->verify_tls)
		return;
	mysql_optionsv(h, MYSQL_OPT_SSL_ENFORCE, &on);
	mysql_optionsv(h, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
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
	if (mysql_real_connect(
	        c->handle, u.host, u.user, password, u.database, u.port, u.socket, 0) == NULL) {
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

/*
 * Before something is sent: is there a connection? Outside a transaction it is made anew. DB_END, or
 * why there is none.
 */
static enum db_result
ready(struct connection *c)
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
 * Statements
 */

static enum db_result
run_text(struct connection *c, const char *sql, size_t n)
{
	MYSQL_RES *result;

	if (mysql_real_query(c->handle, sql, n) != 0)
		return fail(c, mysql_errno(c->handle), mysql_error(c->handle), sql);
	if ((result = mysql_store_result(c->handle)) != NULL)
		mysql_free_result(result);
	return DB_END;
}

/* How long a statement waits for what another transaction holds. */
static enum db_result
wait_for_locks(struct connection *c, int seconds)
{
	char sql[80];
	int n = snprintf(sql, sizeof(sql), "SET SESSION innodb_lock_wait_timeout = %d", seconds);

	return run_text(c, sql, (size_t)n);
}

static void
prepared_free(struct prepared *p)
{
	for (size_t i = 0; i < p->ncells; i++)
		free(p->cells[i].text);
	if (p->stmt != NULL)
		mysql_stmt_close(p->stmt);
	free(p->places);
	free(p->params);
	free(p->columns);
	free(p->cells);
	free(p);
}

static void
mariadb_forget(struct db *db, struct statement *st)
{
	(void)db;
	for (struct prepared *p = st->prepared, *next; p != NULL; p = next) {
		next = p->next;
		prepared_free(p);
	}
	st->prepared = NULL;
}

static void *
array_of(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size);

	if (p == NULL)
		arena_exhausted();
	return p;
}

/* "?2" becomes "?", and which value it is is noted: the wire knows places only. */
static void
number_places(struct prepared *p, const char *sql, struct buf *out)
{
	size_t most = 0;

	for (const char *s = sql; *s != '\0'; s++)
		most += *s == '?';
	p->places = array_of(most, sizeof(*p->places));
	while (*sql != '\0') {
		size_t n = strcspn(sql, "?'\"");

		buf_put(out, sql, n);
		sql += n;
		if (*sql == '?') {
			char *end;

			p->places[p->nplaces++] = (unsigned)strtoul(sql + 1, &end, 10) - 1;
			buf_putc(out, '?');
			sql = end;
		} else if (*sql != '\0') {
			/* quoted, with its quotes */
			n = strcspn(sql + 1, sql[0] == '"' ? "\"" : "'") + 2;
			n = strnlen(sql, n);
			buf_put(out, sql, n);
			sql += n;
		}
	}
}

static bool
is_integer(enum enum_field_types type)
{
	return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
	    type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG;
}

static bool
is_real(enum enum_field_types type)
{
	return type == MYSQL_TYPE_DOUBLE || type == MYSQL_TYPE_FLOAT ||
	    type == MYSQL_TYPE_NEWDECIMAL;
}

static const char *
field_name(void *fields, size_t i)
{
	return ((const MYSQL_FIELD *)fields)[i].name;
}

/* Where the cells of a row go. Texts have no room yet: it is made when their length is known. */
static void
make_cells(struct prepared *p, const MYSQL_FIELD *fields, size_t n)
{
	p->ncells = n;
	p->cells = array_of(n, sizeof(*p->cells));
	p->columns = array_of(n, sizeof(*p->columns));
	for (size_t i = 0; i < n; i++) {
		struct cell *cell = &p->cells[i];
		MYSQL_BIND *b = &p->columns[i];

		b->is_null = &cell->is_null;
		b->length = &cell->length;
		if (is_integer(fields[i].type)) {
			b->buffer_type = MYSQL_TYPE_LONGLONG;
			b->buffer = &cell->number.integer;
		} else if (is_real(fields[i].type)) {
			b->buffer_type = MYSQL_TYPE_DOUBLE;
			b->buffer = &cell->number.real;
		} else {
			cell->room = 64;
			cell->text = array_of(cell->room, 1);
			b->buffer_type = MYSQL_TYPE_STRING;
			b->buffer = cell->text;
			b->buffer_length = cell->room - 1;
		}
	}
}

static enum db_result
fail_statement(struct connection *c, struct prepared *p, const char *name)
{
	return fail(c, mysql_stmt_errno(p->stmt), mysql_stmt_error(p->stmt), name);
}

static enum db_result
make_prepared(struct connection *c, const char *sql, const char *name, struct prepared **out)
{
	struct prepared *p = array_of(1, sizeof(*p));
	struct buf text = { 0 };
	enum db_result r = DB_END;

	*out = NULL;
	p->generation = c->generation;
	number_places(p, sql, &text);
	p->params = array_of(p->nplaces, sizeof(*p->params));
	p->stmt = mysql_stmt_init(c->handle);
	if (p->stmt == NULL)
		arena_exhausted();
	if (mysql_stmt_prepare(p->stmt, text.p, text.n) != 0)
		r = fail_statement(c, p, name);
	buf_free(&text);
	if (r != DB_END) {
		prepared_free(p);
		return r;
	}
	make_cells(p, mariadb_stmt_fetch_fields(p->stmt), mysql_stmt_field_count(p->stmt));
	*out = p;
	return DB_END;
}

/* A prepared form of the statement that nobody uses, made on this connection. */
static enum db_result
prepare(struct connection *c, struct statement *st, struct prepared **out)
{
	struct prepared **at = (struct prepared **)&st->prepared, *p;
	enum db_result r;

	while ((p = *at) != NULL) {
		if (p->generation != c->generation && !p->used) {
			*at = p->next;
			prepared_free(p);
		} else if (p->used)
			at = &p->next;
		else {
			*out = p;
			return DB_END;
		}
	}
	if ((r = make_prepared(c, st->sql, st->name, &p)) != DB_END)
		return r;
	if (st->columns == NULL)
		db_statement_columns(st, p->ncells, field_name, mariadb_stmt_fetch_fields(p->stmt));
	p->next = st->prepared;
	st->prepared = p;
	*out = p;
	return DB_END;
}

static void
bind_value(MYSQL_BIND *b, const struct value *v, const char *bytes)
{
	memset(b, 0, sizeof(*b));
	switch (v->kind) {
	case VALUE_INT:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = (void *)(uintptr_t)&v->integer;
		return;
	case VALUE_REAL:
		b->buffer_type = MYSQL_TYPE_DOUBLE;
		b->buffer = (void *)(uintptr_t)&v->real;
		return;
	case VALUE_TEXT:
	case VALUE_BYTES:
		b->buffer_type = v->kind == VALUE_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		b->buffer = (void *)(uintptr_t)(bytes + v->at);
		b->buffer_length = b->length_value = v->n;
		return;
	case VALUE_NULL:
	case VALUE_UNBOUND:
		break;
	}
	b->buffer_type = MYSQL_TYPE_NULL;
}

/* Runs it and makes its result ready to be read. */
static enum db_result
execute(struct connection *c, struct prepared *p, const char *name, bool stream)
{
	unsigned long cursor = stream ? CURSOR_TYPE_READ_ONLY : CURSOR_TYPE_NO_CURSOR;
	unsigned long rows = STREAM_ROWS;

	if (p->ncells > 0) {
		mysql_stmt_attr_set(p->stmt, STMT_ATTR_CURSOR_TYPE, &cursor);
		if (stream)
			mysql_stmt_attr_set(p->stmt, STMT_ATTR_PREFETCH_ROWS, &rows);
	}
	if ((p->nplaces > 0 && mysql_stmt_bind_param(p->stmt, p->params) != 0) ||
	    mysql_stmt_execute(p->stmt) != 0)
		return fail_statement(c, p, name);
	if (p->ncells > 0 &&
	    (mysql_stmt_bind_result(p->stmt, p->columns) != 0 ||
	        (!stream && mysql_stmt_store_result(p->stmt) != 0)))
		return fail_statement(c, p, name);
	return DB_END;
}

static enum db_result
mariadb_start(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = NULL;
	enum db_result r;

	if ((r = ready(c)) != DB_END)
		return r;
	if ((r = prepare(c, q->st, &p)) != DB_END)
		return r;
	p->used = true;
	q->run = p;
	for (size_t i = 0; i < p->nplaces; i++)
		bind_value(&p->params[i], &q->values[p->places[i]], q->bytes.p);
	/* MySQL knows no shorter wait than a second */
	if (q->no_wait && (r = wait_for_locks(c, c->is_mysql ? 1 : 0)) != DB_END)
		return r;
	return execute(c, p, q->st->name, q->st->flags & QUERY_IS_STREAM);
}

/* A text was longer than its room: more is made, and it is fetched again. */
static bool
fetch_long_texts(struct prepared *p)
{
	bool grew = false;

	for (size_t i = 0; i < p->ncells; i++) {
		struct cell *cell = &p->cells[i];

		if (cell->text == NULL || cell->is_null || cell->length < cell->room)
			continue;
		free(cell->text);
		cell->room = cell->length + cell->length / 4 + 1;
		cell->text = array_of(cell->room, 1);
		p->columns[i].buffer = cell->text;
		p->columns[i].buffer_length = cell->room - 1;
		if (mysql_stmt_fetch_column(p->stmt, &p->columns[i], (unsigned)i, 0) != 0)
			return false;
		grew = true;
	}
	/* the statement keeps its own copy of where cells go */
	return !grew || mysql_stmt_bind_result(p->stmt, p->columns) == 0;
}

/* Rows that an UPDATE found, also where they had the new values already. */
static int64_t
rows_changed(struct connection *c, struct prepared *p)
{
	const char *info = mysql_info(c->handle);
	unsigned long long n = mysql_stmt_affected_rows(p->stmt);

	if (info != NULL && strncmp(info, "Rows matched: ", 14) == 0)
		n = strtoull(info + 14, NULL, 10);
	return n == (unsigned long long)-1 ? 0 : (int64_t)n;
}

static enum db_result
mariadb_step(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = q->run;

	if (p->ncells == 0) {
		q->db->changes = rows_changed(c, p);
		c->last_id = (int64_t)mysql_stmt_insert_id(p->stmt);
		return DB_END;
	}
	switch (mysql_stmt_fetch(p->stmt)) {
	case MYSQL_DATA_TRUNCATED:
		if (!fetch_long_texts(p))
			break;
		return DB_ROW;
	case 0:
		return DB_ROW;
	case MYSQL_NO_DATA:
		q->db->changes = 0;
		return DB_END;
	}
	return fail_statement(c, p, q->st->name);
}

static void
mariadb_finish(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = q->run;

	if (p == NULL)
		return;
	if (!c->broken && p->generation == c->generation) {
		if (p->ncells > 0)
			mysql_stmt_free_result(p->stmt);
		if (q->no_wait)
			(void)wait_for_locks(c, LOCK_WAIT);
	}
	p->used = false;
	q->run = NULL;
}

static const struct cell *
cell_of(struct query *q, size_t column)
{
	return &((const struct prepared *)q->run)->cells[column];
}

static bool
mariadb_is_null(struct query *q, size_t column)
{
	return cell_of(q, column)->is_null;
}

static int64_t
mariadb_get_int(struct query *q, size_t column)
{
	const struct cell *cell = cell_of(q, column);
	int64_t n = 0;

	if (cell->is_null)
		return 0;
	if (cell->text != NULL)
		(void)str_to_int64((struct str){ cell->text, cell->length }, &n);
	else
		n = ((const struct prepared *)q->run)->columns[column].buffer_type ==
		        MYSQL_TYPE_DOUBLE
		    ? (int64_t)cell->number.real
		    : cell->number.integer;
	return n;
}

static double
mariadb_get_real(struct query *q, size_t column)
{
	const struct cell *cell = cell_of(q, column);

	if (cell->is_null)
		return __builtin_nan("");
	if (cell->text != NULL)
		return strtod(cell->text, NULL);
	return ((const struct prepared *)q->run)->columns[column].buffer_type == MYSQL_TYPE_DOUBLE
	    ? cell->number.real
	    : (double)cell->number.integer;
}

static struct str
mariadb_get_text(struct query *q, size_t column)
{
	const struct cell *cell = cell_of(q, column);

	if (cell->is_null || cell->text == NULL)
		return cell->is_null ? STR_NONE : STR("");
	cell->text[cell->length] = '\0';
	return (struct str){ cell->text, cell->length };
}

static int64_t
mariadb_last_id(struct db *db)
{
	return ((const struct connection *)db->conn)->last_id;
}

/*
 * Transactions and migrations
 */

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
	r = run_text(c, text.p, text.n);
	buf_free(&text);
	return r;
}

static enum db_result
mariadb_control(struct db *db, const char *sql, bool later)
{
	static const char one_moment[] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
	struct connection *c = db->conn;
	enum db_result r;

	(void)later;
	if ((r = ready(c)) != DB_END)
		return r;
	if (sql == mariadb_driver.begin[DB_READ] &&
	    (r = run_text(c, one_moment, strlen(one_moment))) != DB_END)
		return r;
	return run_step(c, sql);
}

/*
 * Bulk: INSERT with a place for each column of many rows, prepared once.
 */

static enum db_result
prepare_bulk(struct bulk *b, size_t rows, struct prepared **p)
{
	struct buf sql = { 0 };
	enum db_result r;

	buf_printf(&sql, "INSERT INTO %s (", b->table);
	for (size_t i = 0; i < b->ncolumns; i++)
		buf_printf(&sql, "%s\"%s\"", i > 0 ? ", " : "", b->columns[i]);
	buf_puts(&sql, ") VALUES ");
	for (size_t i = 0; i < rows * b->ncolumns; i++)
		buf_printf(&sql, "%s?%zu",
		    i == 0                     ? "("
		        : i % b->ncolumns == 0 ? "), ("
		                               : ", ",
		    i + 1);
	buf_printf(&sql, ") ON DUPLICATE KEY UPDATE \"%s\" = %s.\"%s\"", b->columns[0], b->table,
	    b->columns[0]);
	r = make_prepared(b->db->conn, buf_text(&sql).p, b->table, p);
	buf_free(&sql);
	return r;
}

/* Runs the statement for rows from *at on, as many times as it fits. */
static enum db_result
insert_rows(struct bulk *b, size_t rows, size_t *at, int64_t *added)
{
	struct connection *c = b->db->conn;
	size_t nvalues = rows * b->ncolumns;
	struct prepared *p = NULL;
	enum db_result r = DB_END;

	if (rows == 0 || b->n - *at < nvalues)
		return DB_END;
	if ((r = prepare_bulk(b, rows, &p)) != DB_END)
		return r;
	for (; r == DB_END && b->n - *at >= nvalues; *at += nvalues) {
		for (size_t i = 0; i < nvalues; i++)
			bind_value(&p->params[i], &b->values[*at + i], b->bytes.p);
		r = execute(c, p, b->table, false);
		if (r == DB_END)
			*added += (int64_t)mysql_stmt_affected_rows(p->stmt);
	}
	prepared_free(p);
	return r;
}

static enum db_result
mariadb_bulk(struct bulk *b, int64_t *added)
{
	size_t at = 0;
	enum db_result r;

	*added = 0;
	if ((r = ready(b->db->conn)) != DB_END)
		return r;
	r = insert_rows(b, BULK_ROWS, &at, added);
	return r == DB_END ? insert_rows(b, (b->n - at) / b->ncolumns, &at, added) : r;
}

const struct driver mariadb_driver = {
	.begin = { [DB_READ] = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	    [DB_WRITE] = "START TRANSACTION" },
	.migration_begin = { "SELECT GET_LOCK(CONCAT('meridian.', MD5(DATABASE())), 3600)" },
	.wrong_url = mariadb_wrong_url,
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
