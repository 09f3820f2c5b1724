/*
 * statement: the statements of a connection: the named ones, each made when it is first asked for, and
 * those that sql.h joined, of which the last used are kept prepared.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/driver.h"

#define JOINED_MAX 48 /* joined statements kept prepared */

/* Divides "a b c" into names, in one piece of memory with the pointers to them. */
static void
split_params(struct statement *st, const char *list)
{
	size_t n = strlen(list) + 1, count = list[0] != '\0';
	char *p;

	for (size_t i = 0; list[i] != '\0'; i++)
		count += list[i] == ' ';
	st->params = db_need(malloc(count * sizeof(*st->params) + n));
	p = memcpy(st->params + count, list, n);
	while (st->nparams < count) {
		st->params[st->nparams++] = p;
		p += strcspn(p, " ");
		*p++ = '\0';
	}
}

struct statement *
db_statement_named(struct db *db, enum query_name name)
{
	const struct query_def *def = &query_defs[name];
	struct statement *st = db->named[name];

	if (st != NULL)
		return st;
	if (def->flags & QUERY_IS_FRAGMENT) {
		log_error("a fragment is no statement", LOG_TEXT("statement", def->name));
		abort();
	}
	st = db_need(calloc(1, sizeof(*st)));
	st->name = def->name;
	st->flags = def->flags;
	/* never written to: only the sql of joined statements is freed */
	st->sql = (char *)(uintptr_t)def->sql[db->engine];
	split_params(st, def->params[db->engine]);
	db->named[name] = st;
	return st;
}

void
db_statement_columns(struct statement *st, size_t n, const char *(*name)(void *, size_t), void *arg)
{
	st->columns = db_need(calloc(n > 0 ? n : 1, sizeof(*st->columns)));
	st->asked = db_need(calloc(n > 0 ? n : 1, sizeof(*st->asked)));
	for (st->ncolumns = 0; st->ncolumns < n; st->ncolumns++)
		st->columns[st->ncolumns] = db_need(strdup(name(arg, st->ncolumns)));
}

/* Gives up what belongs to a connection. */
static void
statement_release(struct db *db, struct statement *st)
{
	if (st->prepared != NULL)
		db->driver->forget(db, st);
	st->prepared = NULL;
	for (size_t i = 0; i < st->ncolumns; i++)
		free(st->columns[i]);
	free(st->columns);
	free(st->asked);
	st->asked = NULL;
	st->columns = NULL;
	st->ncolumns = 0;
}

static void
joined_free(struct db *db, struct statement *st)
{
	statement_release(db, st);
	free(st->sql);
	free(st);
	db->njoined--;
}

struct statement *
db_statement_joined(struct db *db, const char *name, struct str sql, size_t nparams, unsigned flags)
{
	struct statement *st, **at, *old = NULL, **old_at = NULL;

	for (at = &db->joined; (st = *at) != NULL; at = &st->next) {
		if (strcmp(st->sql, sql.p) == 0) {
			*at = st->next;
			goto front;
		}
		if (st->users == 0) {
			old = st;
			old_at = at;
		}
	}
	if (db->njoined >= JOINED_MAX && old != NULL) {
		*old_at = old->next;
		joined_free(db, old);
	}
	st = db_need(calloc(1, sizeof(*st)));
	st->name = name;
	st->sql = db_need(strdup(sql.p));
	st->nparams = nparams;
	st->flags = flags;
	db->njoined++;
front:
	st->next = db->joined;
	db->joined = st;
	return st;
}

void
db_statements_forget(struct db *db)
{
	for (size_t i = 0; i < QUERY_NAMES; i++)
		if (db->named[i] != NULL)
			statement_release(db, db->named[i]);
	while (db->joined != NULL) {
		struct statement *st = db->joined;

		db->joined = st->next;
		joined_free(db, st);
	}
}

void
db_statements_abandon(struct db *db)
{
	for (size_t i = 0; i < QUERY_NAMES; i++)
		if (db->named[i] != NULL)
			db->named[i]->prepared = NULL;
	for (struct statement *st = db->joined; st != NULL; st = st->next)
		st->prepared = NULL;
}

void
db_statements_free(struct db *db)
{
	for (size_t i = 0; i < QUERY_NAMES; i++) {
		if (db->named[i] != NULL)
			free(db->named[i]->params);
		free(db->named[i]);
	}
}
