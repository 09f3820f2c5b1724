/*
 * mariadb_statement: prepared statements of MariaDB's driver, their values in the binary form.
 *
 * A result is fetched whole, so that other statements may run while it is read; one that streams is
 * kept by the server and fetched by the hundred rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/mariadb_driver.h"

/* Rows of a stream that are fetched at a time. */
#define STREAM_ROWS 100
/* Rows of a bulk that one statement inserts; more are no quicker. Fewer where they are long. */
#define BULK_ROWS 256
#define BULK_BYTES MIB(1)

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

/* How long a statement waits for what another transaction holds. */
static enum db_result
wait_for_locks(struct connection *c, int seconds)
{
	char sql[80];
	int n = snprintf(sql, sizeof(sql), "SET SESSION innodb_lock_wait_timeout = %d", seconds);

	return mariadb_run_text(c, sql, (size_t)n);
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

void
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
	return mariadb_fail(c, mysql_stmt_errno(p->stmt), mysql_stmt_error(p->stmt), name);
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

enum db_result
mariadb_start(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = NULL;
	enum db_result r;

	if ((r = mariadb_ready(c)) != DB_END)
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

enum db_result
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

void
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

bool
mariadb_is_null(struct query *q, size_t column)
{
	return cell_of(q, column)->is_null;
}

int64_t
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

double
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

struct str
mariadb_get_text(struct query *q, size_t column)
{
	const struct cell *cell = cell_of(q, column);

	if (cell->is_null || cell->text == NULL)
		return cell->is_null ? STR_NONE : STR("");
	cell->text[cell->length] = '\0';
	return (struct str){ cell->text, cell->length };
}

int64_t
mariadb_last_id(struct db *db)
{
	return ((const struct connection *)db->conn)->last_id;
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

enum db_result
mariadb_bulk(struct bulk *b, int64_t *added)
{
	size_t nrows = b->n / b->ncolumns, rows = BULK_ROWS, at = 0;
	enum db_result r;

	/* long rows are mixed with short ones: half the room is for that */
	while (rows > 1 && b->bytes.n / nrows * rows > BULK_BYTES / 2)
		rows /= 2;
	*added = 0;
	if ((r = mariadb_ready(b->db->conn)) != DB_END)
		return r;
	r = insert_rows(b, rows, &at, added);
	return r == DB_END ? insert_rows(b, (b->n - at) / b->ncolumns, &at, added) : r;
}
