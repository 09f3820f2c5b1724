/*
 * sqlite_statement: statements of SQLite's driver: prepared, bound, stepped and read, and the inserts
 * of many rows.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "db/sqlite.h"

#define BULK_VALUES 400 /* of one INSERT of many rows */

/* A prepared form of a statement; a second one is made while the first is in use. */
struct prepared {
	struct prepared *next;
	sqlite3_stmt *stmt;
	bool used;
	int64_t deadline; /* clock_monotonic() */
};

void
sqlite_forget(struct db *db, struct statement *st)
{
	(void)db;
	for (struct prepared *p = st->prepared, *next; p != NULL; p = next) {
		next = p->next;
		sqlite3_finalize(p->stmt);
		free(p);
	}
	st->prepared = NULL;
}

static const char *
column_name(void *stmt, size_t i)
{
	return sqlite3_column_name(stmt, (int)i);
}

/* A prepared form of the statement that nobody uses. */
static enum db_result
prepare(struct connection *c, struct statement *st, struct prepared **out)
{
	struct prepared *p = NULL;
	int rc;

	for (p = st->prepared; p != NULL; p = p->next)
		if (!p->used) {
			*out = p;
			return DB_END;
		}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		arena_exhausted();
	rc = sqlite3_prepare_v3(c->handle, st->sql, -1, SQLITE_PREPARE_PERSISTENT, &p->stmt, NULL);
	if (rc != SQLITE_OK) {
		free(p);
		return sqlite_fail(c, rc, st->name);
	}
	if (st->columns == NULL)
		db_statement_columns(
		    st, (size_t)sqlite3_column_count(p->stmt), column_name, p->stmt);
	p->next = st->prepared;
	st->prepared = p;
	*out = p;
	return DB_END;
}

static int
bind(sqlite3_stmt *stmt, int at, const struct value *v, const char *bytes)
{
	switch (v->kind) {
	case VALUE_INT:
		return sqlite3_bind_int64(stmt, at, v->integer);
	case VALUE_REAL:
		return sqlite3_bind_double(stmt, at, v->real);
	case VALUE_TEXT:
		return sqlite3_bind_text(stmt, at, bytes + v->at, (int)v->n, SQLITE_STATIC);
	case VALUE_BYTES:
		return sqlite3_bind_blob(stmt, at, bytes + v->at, (int)v->n, SQLITE_STATIC);
	case VALUE_NULL:
	case VALUE_UNBOUND:
		break;
	}
	return sqlite3_bind_null(stmt, at);
}

enum db_result
sqlite_start(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = NULL;
	enum db_result r = prepare(c, q->st, &p);

	if (r != DB_END || p == NULL)
		return r;
	p->used = true;
	p->deadline = clock_monotonic() + q->db->timeout;
	q->run = p;
	for (size_t i = 0; i < q->nvalues; i++) {
		int rc = q->bytes.n > INT32_MAX
		    ? SQLITE_TOOBIG
		    : bind(p->stmt, (int)i + 1, &q->values[i], q->bytes.p);

		if (rc != SQLITE_OK)
			return sqlite_fail(c, rc, q->st->name);
	}
	return DB_END;
}

enum db_result
sqlite_step(struct query *q)
{
	struct connection *c = q->db->conn;
	struct prepared *p = q->run;
	int rc;

	/* who reads a stream takes their time between rows */
	if (q->st->flags & QUERY_IS_STREAM)
		p->deadline = clock_monotonic() + q->db->timeout;
	c->deadline = p->deadline;
	c->no_wait = q->no_wait;
	rc = sqlite3_step(p->stmt);
	c->deadline = 0;
	c->no_wait = false;
	if (rc == SQLITE_ROW)
		return DB_ROW;
	if (rc == SQLITE_DONE) {
		q->db->changes = q->st->flags & QUERY_IS_READ ? 0 : sqlite3_changes(c->handle);
		return DB_END;
	}
	return sqlite_fail(c, rc, q->st->name);
}

void
sqlite_finish(struct query *q)
{
	struct prepared *p = q->run;

	if (p == NULL)
		return;
	sqlite3_reset(p->stmt);
	if (q->st->nparams > 0)
		sqlite3_clear_bindings(p->stmt);
	p->used = false;
	q->run = NULL;
}

bool
sqlite_is_null(struct query *q, size_t column)
{
	return sqlite3_column_type(((struct prepared *)q->run)->stmt, (int)column) == SQLITE_NULL;
}

int64_t
sqlite_get_int(struct query *q, size_t column)
{
	return sqlite3_column_int64(((struct prepared *)q->run)->stmt, (int)column);
}

/* One look at the column instead of several, here and below; only this thread uses the connection. */
double
sqlite_get_real(struct query *q, size_t column)
{
	sqlite3_value *v = sqlite3_column_value(((struct prepared *)q->run)->stmt, (int)column);

	return sqlite3_value_type(v) == SQLITE_NULL ? __builtin_nan("") : sqlite3_value_double(v);
}

struct str
sqlite_get_text(struct query *q, size_t column)
{
	sqlite3_value *v = sqlite3_column_value(((struct prepared *)q->run)->stmt, (int)column);
	const char *p;

	switch (sqlite3_value_type(v)) {
	case SQLITE_NULL:
		return STR_NONE;
	case SQLITE_BLOB:
		p = sqlite3_value_blob(v);
		break;
	default:
		p = (const char *)sqlite3_value_text(v);
	}
	return (struct str){ p != NULL ? p : "", (size_t)sqlite3_value_bytes(v) };
}

int64_t
sqlite_last_id(struct db *db)
{
	struct connection *c = db->conn;

	return sqlite3_last_insert_rowid(c->handle);
}

/*
 * INSERT with a place for each column of `rows` rows, prepared once for a bulk: a statement of many
 * rows costs little more than one of a single row.
 */
static enum db_result
prepare_bulk(struct bulk *b, size_t rows, struct statement *st, struct prepared **p)
{
	struct buf sql = { 0 };
	enum db_result r;

	buf_printf(&sql, "INSERT INTO %s (", b->table);
	for (size_t i = 0; i < b->ncolumns; i++)
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", b->columns[i]);
	buf_puts(&sql, ") VALUES ");
	for (size_t row = 0; row < rows; row++)
		for (size_t i = 0; i < b->ncolumns; i++)
			buf_puts(&sql, i > 0 ? ", ?" : row > 0 ? "), (?" : "(?");
	buf_puts(&sql, ") ON CONFLICT DO NOTHING");
	st->name = b->table;
	st->sql = sql.p;
	r = prepare(b->db->conn, st, p);
	st->sql = NULL;
	buf_free(&sql);
	return r;
}

/* Runs the statement for rows from *at on, as many times as it fits. */
static enum db_result
insert_rows(struct bulk *b, struct statement *st, size_t rows, size_t *at, int64_t *added)
{
	struct connection *c = b->db->conn;
	size_t nvalues = rows * b->ncolumns;
	struct prepared *p = NULL;
	enum db_result r = DB_END;

	if (b->n - *at < nvalues)
		return DB_END;
	r = prepare_bulk(b, rows, st, &p);
	for (; r == DB_END && p != NULL && b->n - *at >= nvalues; *at += nvalues) {
		for (size_t i = 0; i < nvalues; i++)
			(void)bind(p->stmt, (int)i + 1, &b->values[*at + i], b->bytes.p);
		c->deadline = clock_monotonic() + b->db->timeout;
		(void)sqlite3_step(p->stmt);
		c->deadline = 0;
		if (sqlite3_reset(p->stmt) != SQLITE_OK)
			r = sqlite_fail(c, sqlite3_extended_errcode(c->handle), b->table);
		else
			*added += sqlite3_changes(c->handle);
	}
	if (r == DB_END && p != NULL)
		sqlite3_clear_bindings(p->stmt);
	return r;
}

enum db_result
sqlite_bulk(struct bulk *b, int64_t *added)
{
	struct statement wide = { 0 };
	size_t at = 0;
	enum db_result r = DB_END;
	size_t rows = BULK_VALUES / b->ncolumns;

	*added = 0;
	if (rows > 1 && b->n >= 4 * BULK_VALUES)
		r = insert_rows(b, &wide, rows, &at, added);
	if (r == DB_END)
		r = insert_rows(b, &b->st, 1, &at, added);
	sqlite_forget(b->db, &wide);
	free(wide.columns);
	free(wide.asked);
	return r;
}
