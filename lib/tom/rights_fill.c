/*
 * rights_fill: rights on measurements that were stored when measurements had none of their own, some
 * hundred targets at a time. What somebody, or a stream, has settled stays as it is.
 */
#include "tom/rights.h"

/* The id of the last of up to `limit` targets behind one; how many they are. */
static enum db_result
find_window(struct db *db, int64_t after, size_t limit, int64_t *last, int64_t *n)
{
	struct query *q = db_query(db, QUERY_RIGHTS_FILL_WINDOW);

	*last = *n = 0;
	db_int(q, "after", after);
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW) {
		*n = db_col_int(q, "n");
		*last = *n > 0 ? db_col_int(q, "last") : 0;
	}
	return db_done(q);
}

struct missing {
	int64_t target;
	struct str source;
};

/* The sources, in their order, of targets behind one up to another that nobody has rights on. */
static enum db_result
find_missing(
    struct db *db, struct arena *a, int64_t after, int64_t last, struct missing **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_DATUM_RIGHTS_MISSING);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_int(q, "after", after);
	db_int(q, "last", last);
	while (db_step(q) == DB_ROW) {
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[*n].target = db_col_int(q, "target_id");
		(*list)[(*n)++].source = db_col_copy(q, "source", a);
	}
	return db_done(q);
}

struct filling {
	struct arena *arena;
	const struct rights_fill *fill;
	int64_t last, ntargets;
	size_t n;
};

static enum db_result
fill(struct db *db, void *arg)
{
	struct filling *f = arg;
	const struct rights_fill *wish = f->fill;
	struct missing *list;
	int64_t *targets;
	size_t all;
	enum db_result r = find_window(
	    db, wish->after, RIGHTS_FILL_TARGETS, &f->last, &f->ntargets);

	f->n = 0;
	if (r != DB_END || f->ntargets == 0 ||
	    (r = find_missing(db, f->arena, wish->after, f->last, &list, &all)) != DB_END)
		return r;
	f->n = all;
	targets = arena_array(f->arena, all + 1, sizeof(*targets));
	for (size_t i = 0, n; i < all && r == DB_END; i += n) {
		for (n = 0; i + n < all && str_eq(list[i + n].source, list[i].source); n++)
			targets[n] = list[i + n].target;
		r = rights_share_data(db, f->arena, list[i].source, targets, n, wish->permissions,
		    wish->groups, wish->ngroups);
	}
	return r;
}

enum db_result
rights_fill_data(struct db *db, struct arena *a, struct rights_fill *wish)
{
	struct filling f = { .arena = a, .fill = wish };
	enum db_result r = db_transaction(db, DB_WRITE, fill, &f);

	if (r == DB_TAKEN) /* a stream settled one of them at this moment */
		r = db_transaction(db, DB_WRITE, fill, &f);
	if (r != DB_END)
		return r;
	wish->ntargets += f.ntargets;
	wish->ngiven += (int64_t)f.n;
	if (f.ntargets > 0)
		wish->after = f.last;
	return f.ntargets == RIGHTS_FILL_TARGETS ? DB_ROW : DB_END;
}

enum db_result
rights_count_missing(struct db *db, struct arena *a, size_t limit, size_t *n)
{
	struct missing *list;
	int64_t last, ntargets;
	enum db_result r = find_window(db, 0, limit, &last, &ntargets);

	*n = 0;
	return r == DB_END ? find_missing(db, a, 0, last, &list, n) : r;
}
