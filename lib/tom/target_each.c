/*
 * target_each: all targets that match, some hundred at a time, for exports.
 */
#include "tom/target_plan.h"

#include <string.h>

#define BATCH 500 /* as QUERY_TARGETS_LIMIT_BATCH */

struct batch {
	struct arena *arena;
	struct target_whole *list;
	int64_t ids[BATCH];
	size_t n;
	bool names_only;
};

static struct query *
batch_query(const struct target_plan *p, const struct batch *b, int64_t after)
{
	struct sql *s = sql_new(p->db, b->arena);

	sql_add(s, b->names_only ? QUERY_TARGETS_SELECT : QUERY_TARGETS_SELECT_ALL);
	sql_add(s, p->by_ids ? QUERY_TARGETS_FROM_IDS : QUERY_TARGETS_FROM_ALL);
	if (p->by_ids)
		sql_ints(s, "ids", p->ids, p->nids);
	target_plan_filter(p, s);
	sql_add(s, QUERY_TARGETS_AFTER_ID_UP);
	sql_int(s, "id", after);
	sql_add(s, QUERY_TARGETS_ID_UP);
	sql_add(s, QUERY_TARGETS_LIMIT_BATCH);
	return sql_query(s);
}

static enum db_result
read_targets(const struct target_plan *p, struct batch *b, int64_t after)
{
	struct query *q = batch_query(p, b, after);

	b->n = 0;
	b->list = arena_array(b->arena, BATCH, sizeof(*b->list));
	while (b->n < BATCH && db_step(q) == DB_ROW) {
		struct target *t = &b->list[b->n].target;

		if (b->names_only) {
			*t = target_none();
			t->id = db_col_int(q, "id");
			t->name = db_col_copy(q, "name", b->arena);
		} else {
			*t = target_from_row(q, b->arena);
		}
		b->ids[b->n++] = t->id;
	}
	return db_done(q);
}

/* Rows come by target_id, as the targets do: `at` is the target that the row is of. */
static bool
step_to(const struct batch *b, struct query *q, size_t *at)
{
	int64_t id = db_col_int(q, "target_id");

	while (*at < b->n && b->ids[*at] < id)
		(*at)++;
	return *at < b->n && b->ids[*at] == id;
}

static void *
grown(struct arena *a, const void *old, size_t n, size_t size)
{
	void *more;

	if (n != 0 && (n < 4 || (n & (n - 1)) != 0))
		return NULL; /* there is room: it doubles at 4, 8, 16 ... */
	more = arena_array(a, n == 0 ? 4 : n * 2, size);
	if (n > 0)
		memcpy(more, old, n * size);
	return more;
}

static void
take_alias(struct batch *b, struct target_whole *w, struct query *q)
{
	void *more = grown(b->arena, w->aliases, w->naliases, sizeof(*w->aliases));

	if (more != NULL)
		w->aliases = more;
	w->aliases[w->naliases++] = (struct target_named){ db_col_int(q, "id"),
		db_col_copy(q, "name", b->arena) };
}

static void
take_extra(struct batch *b, struct target_whole *w, struct query *q)
{
	void *more = grown(b->arena, w->extras, w->nextras, sizeof(*w->extras));

	if (more != NULL)
		w->extras = more;
	w->extras[w->nextras++] = (struct target_extra){ db_col_int(q, "id"),
		db_col_copy(q, "key", b->arena), db_col_copy(q, "value", b->arena) };
}

/* Reads what belongs to the batch's targets: rows of ids. */
static enum db_result
read_parts(const struct target_plan *p, struct batch *b, enum query_name name,
    void (*take)(struct batch *, struct target_whole *, struct query *))
{
	struct query *q = db_query(p->db, name);
	size_t at = 0;

	db_ints(q, "ids", b->ids, b->n);
	while (db_step(q) == DB_ROW)
		if (step_to(b, q, &at))
			take(b, &b->list[at], q);
	return db_done(q);
}

enum db_result
target_each(struct db *db, const struct user *u, const struct target_query *query, bool names_only,
    int (*each)(void *arg, const struct target_whole *), void *arg)
{
	struct arena *plan_arena = arena_new();
	struct batch b = { .arena = arena_new(), .names_only = names_only };
	struct target_plan p;
	int64_t after = INT64_MIN;
	enum db_result r;

	r = target_plan(&p, db, plan_arena, u, query, true);
	for (bool more = r == DB_END && !p.query.nothing; more && r == DB_END;) {
		r = read_targets(&p, &b, after);
		if (r == DB_END && b.n > 0)
			r = read_parts(&p, &b, QUERY_ALIASES_OF, take_alias);
		if (r == DB_END && b.n > 0)
			r = read_parts(&p, &b, QUERY_EXTRAS_OF, take_extra);
		for (size_t i = 0; i < b.n && r == DB_END; i++)
			if (each(arg, &b.list[i]) != 0)
				r = DB_REFUSED;
		more = b.n == BATCH;
		if (more)
			after = b.ids[BATCH - 1];
		arena_reset(b.arena);
	}
	arena_free(b.arena);
	arena_free(plan_arena);
	return r;
}
