/*
 * query: the values that a query is bound to, and the columns of its row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/driver.h"

void
db_query_fail(struct query *q, enum db_result r)
{
	if (q->failed == DB_END)
		q->failed = r;
	if (q->db->depth > 0 && q->db->spoiled == DB_END)
		q->db->spoiled = r;
}

/* The value of a parameter, or NULL: the mistake is the query's failure then. */
static struct value *
param(struct query *q, const char *name)
{
	const struct statement *st = q->st;
	char why[120];

	for (size_t tries = 0; st->params != NULL && tries < st->nparams; tries++) {
		size_t i = q->param_hint;

		q->param_hint = i + 1 < st->nparams ? i + 1 : 0;
		if (strcmp(st->params[i], name) == 0)
			return &q->values[i];
	}
	snprintf(why, sizeof(why), "there is no parameter :%s", name);
	db_query_fail(q, db_fail(q->db, DB_FAILED, st->name, why));
	return NULL;
}

void
db_value_text(struct buf *bytes, struct value *v, struct str s, bool is_bytes)
{
	if (s.p == NULL) {
		v->kind = VALUE_NULL;
		return;
	}
	v->kind = is_bytes ? VALUE_BYTES : VALUE_TEXT;
	v->at = bytes->n;
	v->n = s.n;
	buf_put(bytes, s.p, s.n);
	buf_putc(bytes, '\0');
}

void
db_value_ints(
    struct buf *bytes, struct value *v, enum db_engine engine, const int64_t *ints, size_t n)
{
	v->kind = VALUE_TEXT;
	v->at = bytes->n;
	buf_putc(bytes, engine == DB_POSTGRESQL ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(bytes, ',');
		buf_int64(bytes, ints[i]);
	}
	buf_putc(bytes, engine == DB_POSTGRESQL ? '}' : ']');
	v->n = bytes->n - v->at;
	buf_putc(bytes, '\0');
}

void
db_text(struct query *q, const char *name, struct str s)
{
	struct value *v = param(q, name);

	if (v == NULL)
		return;
	if (s.n > 0 && (memchr(s.p, '\0', s.n) != NULL || !str_is_utf8(s))) {
		db_query_fail(q, db_fail(q->db, DB_REFUSED, q->st->name, "the text is not UTF-8"));
		return;
	}
	db_value_text(&q->bytes, v, s, false);
}

void
db_bytes(struct query *q, const char *name, const void *p, size_t n)
{
	struct value *v = param(q, name);

	if (v != NULL)
		db_value_text(&q->bytes, v, (struct str){ p, n }, true);
}

void
db_int(struct query *q, const char *name, int64_t i)
{
	struct value *v = param(q, name);

	if (v != NULL)
		*v = (struct value){ .kind = VALUE_INT, .integer = i };
}

void
db_bool(struct query *q, const char *name, bool b)
{
	db_int(q, name, b);
}

void
db_real(struct query *q, const char *name, double d)
{
	struct value *v = param(q, name);

	if (v != NULL)
		*v = (struct value){ .kind = __builtin_isfinite(d) ? VALUE_REAL : VALUE_NULL,
			.real = d };
}

void
db_null(struct query *q, const char *name)
{
	struct value *v = param(q, name);

	if (v != NULL)
		v->kind = VALUE_NULL;
}

void
db_ints(struct query *q, const char *name, const int64_t *ints, size_t n)
{
	struct value *v = param(q, name);

	if (v != NULL)
		db_value_ints(&q->bytes, v, q->db->engine, ints, n);
}

void
db_part(struct query *q, const char *name, struct str part)
{
	enum db_engine engine = q->db->engine;
	bool phrase = engine == DB_SQLITE;
	struct buf b = { 0 };

	buf_puts(&b, phrase ? "\"" : engine == DB_POSTGRESQL ? "%" : "");
	for (size_t i = 0; i < part.n; i++) {
		if (phrase ? part.p[i] == '"' : strchr("%_\\", part.p[i]) != NULL)
			buf_putc(&b, phrase ? '"' : '\\');
		buf_putc(&b, part.p[i]);
	}
	buf_puts(&b, phrase ? "\"" : "%");
	db_text(q, name, buf_text(&b));
	buf_free(&b);
}

/*
 * Columns
 */

static size_t
column_named(struct query *q, const char *name)
{
	const struct statement *st = q->st;

	for (size_t tries = 0; q->state == QUERY_ROW && tries < st->ncolumns; tries++) {
		size_t i = q->column_hint++;

		if (q->column_hint == st->ncolumns)
			q->column_hint = 0;
		if (st->asked[i] == name)
			return i;
		if (strcmp(st->columns[i], name) == 0) {
			st->asked[i] = name;
			return i;
		}
	}
	log_error(q->state == QUERY_ROW ? "there is no such column" : "there is no row to read",
	    LOG_TEXT("statement", st->name), LOG_TEXT("column", name));
	abort();
}

/* Rows are mostly read in the order of their columns, by the same literals: that is one look. */
static inline size_t
column(struct query *q, const char *name)
{
	size_t i = q->column_hint;

	if (q->state != QUERY_ROW || q->st->asked[i] != name)
		return column_named(q, name);
	q->column_hint = i + 1 == q->st->ncolumns ? 0 : i + 1;
	return i;
}

bool
db_col_null(struct query *q, const char *name)
{
	return q->db->driver->is_null(q, column(q, name));
}

int64_t
db_col_int(struct query *q, const char *name)
{
	return q->db->driver->get_int(q, column(q, name));
}

bool
db_col_bool(struct query *q, const char *name)
{
	return db_col_int(q, name) != 0;
}

double
db_col_real(struct query *q, const char *name)
{
	return q->db->driver->get_real(q, column(q, name));
}

struct str
db_col_text(struct query *q, const char *name)
{
	return q->db->driver->get_text(q, column(q, name));
}

struct str
db_col_bytes(struct query *q, const char *name)
{
	return db_col_text(q, name);
}

struct str
db_col_copy(struct query *q, const char *name, struct arena *a)
{
	return arena_str(a, db_col_text(q, name));
}
