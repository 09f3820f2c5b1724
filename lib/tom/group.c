/*
 * group: names of groups, and who is in them.
 */
#include "tom/group.h"

#include "auth/unicode.h"

static bool
is_name(struct arena *a, struct str name)
{
	int32_t *c;
	size_t n;

	if (name.n == 0 || !str_is_utf8(name))
		return false;
	n = unicode_points(a, name, &c);
	for (size_t i = 0; i < n; i++)
		if (c[i] < 0x20 || (c[i] >= 0x7f && c[i] < 0xa0))
			return false;
	return n <= GROUP_NAME_MAX;
}

static enum group_result
answer(enum db_result r)
{
	switch (r) {
	case DB_END:
		return GROUP_DONE;
	case DB_TAKEN:
		return GROUP_TAKEN;
	case DB_REFUSED:
		return GROUP_UNKNOWN;
	default:
		return GROUP_FAILED;
	}
}

enum group_result
group_add(struct db *db, struct str name, int64_t *id)
{
	struct arena *a = arena_new();
	enum group_result result = GROUP_WRONG;
	struct query *q;

	name = str_trim(name);
	if (is_name(a, name)) {
		q = db_query(db, QUERY_GROUP_ADD);
		db_text(q, "name", name);
		result = answer(db_insert(q, id));
	}
	arena_free(a);
	return result;
}

enum group_result
group_find(struct db *db, struct arena *a, struct str name, struct group *g)
{
	struct query *q = db_query(db, QUERY_GROUP_BY_NAME);
	bool found = false;

	db_text(q, "name", str_trim(name));
	while (db_step(q) == DB_ROW) {
		found = true;
		g->id = db_col_int(q, "id");
		g->name = db_col_copy(q, "name", a);
	}
	if (db_done(q) != DB_END)
		return GROUP_FAILED;
	return found ? GROUP_DONE : GROUP_UNKNOWN;
}

enum group_result
group_list(
    struct db *db, struct arena *a, struct str after, size_t limit, struct group **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_GROUP_LIST);

	*list = arena_array(a, limit, sizeof(**list));
	*n = 0;
	db_text(q, "after", after);
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW)
		if (*n < limit)
			(*list)[(*n)++] = (struct group){ db_col_int(q, "id"),
				db_col_copy(q, "name", a) };
	return answer(db_done(q));
}

static enum group_result
member(struct db *db, enum query_name query, int64_t group, int64_t user)
{
	struct query *q = db_query(db, query);

	db_int(q, "group", group);
	db_int(q, "user", user);
	return answer(db_run(q));
}

enum group_result
group_join(struct db *db, int64_t group, int64_t user)
{
	return member(db, QUERY_GROUP_JOIN, group, user);
}

enum group_result
group_leave(struct db *db, int64_t group, int64_t user)
{
	return member(db, QUERY_GROUP_LEAVE, group, user);
}
