/*
 * postgresql_value: parameters go as text, whose type the server infers, bytes and the arrays of a
 * bulk in binary; results come in binary, which needs no parsing on either side.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/postgresql.h"

/* The longest text of a double, "-2.2250738585072014e-308", or of an integer, with its NUL. */
#define NUMBER_SIZE 32

void
pg_params_make(struct pg_params *p, const struct query *q)
{
	size_t n = q->nvalues;
	char *number = buf_room(memset(&p->numbers, 0, sizeof(p->numbers)), n * NUMBER_SIZE + 1);

	p->n = (int)n;
	p->values = calloc(n + 1, sizeof(*p->values) + 2 * sizeof(int));
	if (p->values == NULL)
		arena_exhausted();
	p->lengths = (int *)(p->values + n + 1);
	p->formats = p->lengths + n;
	for (size_t i = 0; i < n; i++, number += NUMBER_SIZE) {
		const struct value *v = &q->values[i];

		switch (v->kind) {
		case VALUE_INT:
			snprintf(number, NUMBER_SIZE, "%lld", (long long)v->integer);
			p->values[i] = number;
			break;
		case VALUE_REAL:
			snprintf(number, NUMBER_SIZE, "%.17g", v->real);
			p->values[i] = number;
			break;
		case VALUE_BYTES:
			p->formats[i] = 1;
			/* FALLTHROUGH */
		case VALUE_TEXT:
			p->values[i] = q->bytes.p + v->at;
			p->lengths[i] = (int)v->n;
			break;
		case VALUE_NULL:
		case VALUE_UNBOUND:
			break;
		}
	}
}

void
pg_params_free(struct pg_params *p)
{
	buf_free(&p->numbers);
	free(p->values);
}

/*
 * Results
 */

bool
pg_is_known(Oid type)
{
	static const Oid known[] = { PG_BOOL, PG_BYTEA, PG_NAME, PG_BIGINT, PG_SMALLINT, PG_INTEGER,
		PG_TEXT, PG_OID, PG_DOUBLE, PG_CHAR, PG_VARCHAR };

	for (size_t i = 0; i < NELEM(known); i++)
		if (type == known[i])
			return true;
	return false;
}

static PGresult *
current(struct query *q, int *row)
{
	struct run *run = q->run;

	*row = run->row;
	return run->results[run->at];
}

static void
unreadable(struct query *q, PGresult *r, int column, const char *as)
{
	log_error("the column is of another type: CAST it", LOG_TEXT("statement", q->st->name),
	    LOG_TEXT("column", PQfname(r, column)), LOG_TEXT("read as", as),
	    LOG_INT("type", PQftype(r, column)));
	abort();
}

static uint64_t
big_endian(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

bool
pg_is_null(struct query *q, size_t column)
{
	int row;
	PGresult *r = current(q, &row);

	return PQgetisnull(r, row, (int)column);
}

static double
to_double(const char *p)
{
	uint64_t bits = big_endian(p, 8);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

int64_t
pg_get_int(struct query *q, size_t column)
{
	int row, c = (int)column;
	PGresult *r = current(q, &row);
	const char *p = PQgetvalue(r, row, c);

	if (PQgetisnull(r, row, c))
		return 0;
	switch (PQftype(r, c)) {
	case PG_BIGINT:
		return (int64_t)big_endian(p, 8);
	case PG_INTEGER:
		return (int32_t)big_endian(p, 4);
	case PG_OID:
		return (int64_t)big_endian(p, 4);
	case PG_SMALLINT:
		return (int16_t)big_endian(p, 2);
	case PG_BOOL:
		return p[0];
	}
	unreadable(q, r, c, "integer");
	return 0;
}

double
pg_get_real(struct query *q, size_t column)
{
	int row, c = (int)column;
	PGresult *r = current(q, &row);

	if (PQgetisnull(r, row, c))
		return __builtin_nan("");
	if (PQftype(r, c) == PG_DOUBLE)
		return to_double(PQgetvalue(r, row, c));
	return (double)pg_get_int(q, column);
}

struct str
pg_get_text(struct query *q, size_t column)
{
	int row, c = (int)column;
	PGresult *r = current(q, &row);

	if (PQgetisnull(r, row, c))
		return STR_NONE;
	switch (PQftype(r, c)) {
	case PG_TEXT:
	case PG_VARCHAR:
	case PG_CHAR:
	case PG_NAME:
	case PG_BYTEA:
		return (struct str){ PQgetvalue(r, row, c), (size_t)PQgetlength(r, row, c) };
	}
	unreadable(q, r, c, "text");
	return STR_NONE;
}

/*
 * Bulk: an array a column, which the server unfolds to rows. Against COPY to a temporary table and
 * INSERT ... SELECT from there this writes everything once less and needs one round trip.
 */

static void
put32(struct buf *b, uint32_t v)
{
	v = htobe32(v);
	buf_put(b, &v, sizeof(v));
}

static void
put_element(struct buf *b, const struct value *v, Oid type, const char *bytes)
{
	uint64_t bits;
	double d;

	if (v->kind == VALUE_NULL || v->kind == VALUE_UNBOUND) {
		put32(b, UINT32_MAX);
		return;
	}
	switch (type) {
	case PG_DOUBLE:
		d = v->kind == VALUE_INT ? (double)v->integer : v->real;
		memcpy(&bits, &d, sizeof(bits));
		break;
	case PG_BIGINT:
	case PG_INTEGER:
	case PG_SMALLINT:
		bits = (uint64_t)(v->kind == VALUE_INT ? v->integer : (int64_t)v->real);
		break;
	default:
		put32(b, (uint32_t)v->n);
		buf_put(b, bytes + v->at, v->n);
		return;
	}
	if (type == PG_SMALLINT) {
		put32(b, 2);
		buf_put(b, &(uint16_t){ htobe16((uint16_t)bits) }, 2);
	} else if (type == PG_INTEGER) {
		put32(b, 4);
		put32(b, (uint32_t)bits);
	} else {
		put32(b, 8);
		buf_put(b, &(uint64_t){ htobe64(bits) }, 8);
	}
}

static const char *
type_name(Oid type)
{
	switch (type) {
	case PG_BIGINT:
		return "bigint";
	case PG_INTEGER:
		return "integer";
	case PG_SMALLINT:
		return "smallint";
	case PG_DOUBLE:
		return "double precision";
	case PG_BYTEA:
		return "bytea";
	default:
		return "text";
	}
}

/* The types of the columns, asked by a query that gives no rows. */
static enum db_result
find_types(struct bulk *b, Oid *types)
{
	struct buf sql = { 0 };
	struct query *q;
	struct run *run;

	buf_puts(&sql, "SELECT ");
	for (size_t i = 0; i < b->ncolumns; i++)
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", b->columns[i]);
	buf_printf(&sql, " FROM %s LIMIT 0", b->table);
	q = db_query_joined(b->db, b->table, buf_text(&sql), 0, QUERY_IS_READ);
	buf_free(&sql);
	db_start(q);
	if ((run = q->run) != NULL) {
		pg_sync(b->db->conn);
		(void)pg_fetch(b->db->conn, run);
		for (size_t i = 0; run->nresults > 0 && i < b->ncolumns; i++)
			types[i] = PQftype(run->results[0], (int)i);
	}
	return db_done(q);
}

static enum db_result
insert(struct bulk *b, const Oid *types, int64_t *added)
{
	size_t rows = b->n / b->ncolumns;
	/* looking for each key before, and holding its place, costs a quarter of the whole */
	bool plain = b->expect_new && b->db->attempt == 0;
	struct buf sql = { 0 };
	struct query *q;
	enum db_result r;

	buf_printf(&sql, "INSERT INTO %s (", b->table);
	for (size_t i = 0; i < b->ncolumns; i++)
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", b->columns[i]);
	buf_puts(&sql, ") SELECT * FROM unnest(");
	for (size_t i = 0; i < b->ncolumns; i++)
		buf_printf(
		    &sql, "%sCAST($%zu AS %s[])", i > 0 ? ", " : "", i + 1, type_name(types[i]));
	buf_puts(&sql, plain ? ")" : ") ON CONFLICT DO NOTHING");
	q = db_query_joined(b->db, b->table, buf_text(&sql), b->ncolumns, 0);
	buf_free(&sql);
	for (size_t i = 0; i < b->ncolumns; i++) {
		struct value *v = db_query_value(q, i);
		Oid type = types[i] == PG_VARCHAR || types[i] == PG_CHAR ? PG_TEXT : types[i];

		*v = (struct value){ .kind = VALUE_BYTES, .at = q->bytes.n };
		put32(&q->bytes, 1); /* dimensions */
		put32(&q->bytes, 1); /* there may be NULLs */
		put32(&q->bytes, type);
		put32(&q->bytes, (uint32_t)rows);
		put32(&q->bytes, 1); /* the first index */
		for (size_t row = 0; row < rows; row++)
			put_element(&q->bytes, &b->values[row * b->ncolumns + i], type, b->bytes.p);
		v->n = q->bytes.n - v->at;
		buf_putc(&q->bytes, '\0');
	}
	r = db_run(q);
	*added = r == DB_END ? db_changes(b->db) : 0;
	return plain && r == DB_TAKEN ? DB_RETRY : r;
}

enum db_result
pg_bulk(struct bulk *b, int64_t *added)
{
	Oid *types = calloc(b->ncolumns, sizeof(*types));
	enum db_result r;

	*added = 0;
	if (types == NULL)
		arena_exhausted();
	r = find_types(b, types);
	if (r == DB_END)
		r = insert(b, types, added);
	free(types);
	return r;
}
