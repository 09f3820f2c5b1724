/*
 * bulk: many rows into one table. Rows are gathered here and given to the driver some thousand at a
 * time, so that memory stays bounded however many there are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/driver.h"

#define ROWS_AT_ONCE 4096

/* Names of tables and columns are the program's own words: letters, digits and '_'. */
static void
check_name(const char *name)
{
	if (name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0')
		return;
	log_error("this is no name of a table or column", LOG_TEXT("name", name));
	abort();
}

struct bulk *
db_bulk(struct db *db, const char *table, size_t ncolumns, const char *const columns[])
{
	struct bulk *b = calloc(1, sizeof(*b));

	if (b == NULL)
		arena_exhausted();
	check_name(table);
	for (size_t i = 0; i < ncolumns; i++)
		check_name(columns[i]);
	b->db = db;
	b->table = table;
	b->ncolumns = ncolumns;
	b->columns = columns;
	if (db->depth == 0)
		b->failed = db_fail(db, DB_FAILED, table, "a bulk belongs into a transaction");
	return b;
}

void
db_bulk_expect_new(struct bulk *b)
{
	b->expect_new = true;
}

static void
flush(struct bulk *b)
{
	int64_t t = clock_monotonic(), added = 0;

	if (b->failed == DB_END)
		b->failed = b->db->spoiled;
	if (b->failed == DB_END && b->n > 0) {
		b->failed = b->db->driver->bulk(b, &added);
		b->added += added;
		if (b->failed != DB_END)
			b->db->spoiled = b->failed;
	}
	b->db->microseconds += clock_monotonic() - t;
	b->n = 0;
	buf_clear(&b->bytes);
}

static struct value *
next(struct bulk *b)
{
	if (b->n == b->ncolumns * ROWS_AT_ONCE)
		flush(b);
	if (b->n == b->room) {
		b->room = b->room == 0 ? b->ncolumns * 64 : b->room * 2;
		b->values = realloc(b->values, b->room * sizeof(*b->values));
		if (b->values == NULL)
			arena_exhausted();
	}
	return &b->values[b->n++];
}

void
db_bulk_int(struct bulk *b, int64_t i)
{
	*next(b) = (struct value){ .kind = VALUE_INT, .integer = i };
}

void
db_bulk_real(struct bulk *b, double d)
{
	*next(b) = (struct value){ .kind = __builtin_isfinite(d) ? VALUE_REAL : VALUE_NULL,
		.real = d };
}

void
db_bulk_text(struct bulk *b, struct str s)
{
	struct value *v = next(b);

	if (s.n > 0 && (memchr(s.p, '\0', s.n) != NULL || !str_is_utf8(s)) && b->failed == DB_END)
		b->failed = b->db->spoiled = db_fail(
		    b->db, DB_REFUSED, b->table, "the text is not UTF-8");
	*v = (struct value){ .kind = VALUE_NULL };
	db_value_text(&b->bytes, v, s, false);
}

void
db_bulk_null(struct bulk *b)
{
	*next(b) = (struct value){ .kind = VALUE_NULL };
}

enum db_result
db_bulk_end(struct bulk *b, int64_t *added)
{
	enum db_result r;

	if (b->n % b->ncolumns != 0) {
		log_error("a row of a bulk lacks columns", LOG_TEXT("table", b->table));
		abort();
	}
	flush(b);
	r = b->failed;
	*added = r == DB_END ? b->added : 0;
	if (b->st.prepared != NULL)
		b->db->driver->forget(b->db, &b->st);
	for (size_t i = 0; i < b->st.ncolumns; i++)
		free(b->st.columns[i]);
	free(b->st.columns);
	free(b->st.asked);
	buf_free(&b->bytes);
	free(b->values);
	free(b);
	return r;
}
