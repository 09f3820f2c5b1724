/*
 * sql: joins fragments of sql/query/ to a statement. The fragments are ours, word for word; each
 * occurrence of a parameter gets a number of its own, and values are only ever bound.
 */
#include "db/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/driver.h"

struct sql {
	struct db *db;
	struct arena *arena;
	struct buf text, bytes;
	struct value *values; /* by number, from 0 */
	size_t n, room;
	unsigned flags;
	const char *params; /* names of the fragment added last */
	size_t first; /* the number of its first parameter */
	const char *name;
};

static void
release(void *arg)
{
	struct sql *s = arg;

	buf_free(&s->text);
	buf_free(&s->bytes);
}

struct sql *
sql_new(struct db *db, struct arena *a)
{
	struct sql *s = arena_alloc(a, sizeof(*s));

	s->db = db;
	s->arena = a;
	s->params = "";
	s->name = "joined";
	s->flags = QUERY_IS_READ;
	arena_defer(a, release, s);
	return s;
}

static size_t
count_params(const char *params)
{
	size_t n = params[0] != '\0';

	for (; *params != '\0'; params++)
		n += *params == ' ';
	return n;
}

void
sql_add(struct sql *s, enum query_name fragment)
{
	const struct query_def *def = &query_defs[fragment];
	enum db_engine engine = s->db->engine;
	size_t n = count_params(def->params[engine]);

	if (!(def->flags & QUERY_IS_FRAGMENT)) {
		log_error("only fragments are joined", LOG_TEXT("statement", def->name));
		abort();
	}
	if (s->text.n > 0)
		buf_putc(&s->text, ' ');
	for (const char *p = def->sql[engine]; *p != '\0'; p++)
		if (*p == QUERY_MARK) {
			const char *letter = strchr(QUERY_LETTERS, *++p);

			buf_printf(&s->text, "%c%zu", engine == DB_POSTGRESQL ? '$' : '?',
			    s->n + (size_t)(letter - QUERY_LETTERS) + 1);
		} else
			buf_putc(&s->text, *p);
	if (s->n + n > s->room) {
		struct value *more = arena_array(s->arena, (s->n + n) * 2, sizeof(*more));

		if (s->n > 0)
			memcpy(more, s->values, s->n * sizeof(*more));
		s->values = more;
		s->room = (s->n + n) * 2;
	}
	s->first = s->n;
	s->n += n;
	s->params = def->params[engine];
	s->name = def->name;
	s->flags |= def->flags & (QUERY_IS_STREAM | QUERY_IS_CUSTOM_PLAN);
}

/* The place of a parameter of the fragment added last; a name that is not there is our mistake. */
static struct value *
place(struct sql *s, const char *name)
{
	size_t n = strlen(name), i = s->first;

	for (const char *p = s->params; *p != '\0'; i++) {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, name, n) == 0)
			return &s->values[i];
		p += len + (p[len] == ' ');
	}
	log_error("the fragment has no such parameter", LOG_TEXT("fragment", s->name),
	    LOG_TEXT("parameter", name));
	abort();
}

void
sql_text(struct sql *s, const char *name, struct str text)
{
	db_value_text(&s->bytes, place(s, name), text, false);
}

void
sql_int(struct sql *s, const char *name, int64_t i)
{
	*place(s, name) = (struct value){ .kind = VALUE_INT, .integer = i };
}

void
sql_real(struct sql *s, const char *name, double d)
{
	*place(s, name) = (struct value){ .kind = __builtin_isfinite(d) ? VALUE_REAL : VALUE_NULL,
		.real = d };
}

void
sql_null(struct sql *s, const char *name)
{
	place(s, name)->kind = VALUE_NULL;
}

void
sql_ints(struct sql *s, const char *name, const int64_t *ints, size_t n)
{
	db_value_ints(&s->bytes, place(s, name), s->db->engine, ints, n);
}

struct query *
sql_query(struct sql *s)
{
	struct query *q = db_query_joined(s->db, s->name, buf_text(&s->text), s->n, s->flags);

	buf_put(&q->bytes, s->bytes.p, s->bytes.n);
	for (size_t i = 0; i < s->n; i++) {
		*db_query_value(q, i) = s->values[i];
		if (s->values[i].kind == VALUE_TEXT &&
		    (memchr(s->bytes.p + s->values[i].at, '\0', s->values[i].n) != NULL ||
		        !str_is_utf8((struct str){ s->bytes.p + s->values[i].at, s->values[i].n })))
			q->failed = db_fail(s->db, DB_REFUSED, s->name, "the text is not UTF-8");
	}
	return q;
}
