/*
 * sql.h: the one place where SQL is joined: the filters of lists, from fragments that stand in
 * sql/query/. Text of input never becomes part of a statement; it is bound.
 *
 *	struct sql *s = sql_new(db, arena);
 *	sql_add(s, QUERY_TARGETS_SELECT);
 *	sql_add(s, QUERY_TARGETS_WHERE_TYPE);
 *	sql_text(s, "type", type);		binds the parameter of the fragment added last
 *	struct query *q = sql_query(s);		prepared once for each text, then as any query
 *
 * The same parameter name may stand in several fragments; each occurrence is bound after its
 * sql_add.
 */
#ifndef MERIDIAN_SQL_H
#define MERIDIAN_SQL_H

#include "db/db.h"

struct sql;

struct sql *sql_new(struct db *, struct arena *);
void sql_add(struct sql *, enum query_name fragment);
void sql_text(struct sql *, const char *name, struct str);
void sql_int(struct sql *, const char *name, int64_t);
void sql_real(struct sql *, const char *name, double);
void sql_null(struct sql *, const char *name);
void sql_ints(struct sql *, const char *name, const int64_t *, size_t n);
struct query *sql_query(struct sql *);

#endif
