/*
 * group: names of groups, and who is in them.
 */
#include "tom/group.h"

#include "auth/access.h"
#include "auth/unicode.h"
#include "tom/rights.h"

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

static enum group_result
read_one(struct query *q, struct arena *a, struct group *g)
{
	bool found = false;

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
group_find(struct db *db, struct arena *a, struct str name, struct group *g)
{
	struct query *q = db_query(db, QUERY_GROUP_BY_NAME);

	db_text(q, "name", str_trim(name));
	return read_one(q, a, g);
}

enum group_result
group_get(struct db *db, struct arena *a, int64_t id, struct group *g)
{
	struct query *q = db_query(db, QUERY_GROUP_GET);

	db_int(q, "id", id);
	return read_one(q, a, g);
}

static enum group_result
read_list(struct query *q, struct arena *a, size_t limit, struct group **list, size_t *n)
{
	*list = arena_array(a, limit, sizeof(**list));
	*n = 0;
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW)
		if (*n < limit)
			(*list)[(*n)++] = (struct group){ db_col_int(q, "id"),
				db_col_copy(q, "name", a) };
	return answer(db_done(q));
}

enum group_result
group_list(
    struct db *db, struct arena *a, struct str after, size_t limit, struct group **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_GROUP_LIST);

	db_text(q, "after", after);
	return read_list(q, a, limit, list, n);
}

enum group_result
group_list_of(
    struct db *db, struct arena *a, int64_t user, size_t limit, struct group **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_GROUP_LIST_OF);

	db_int(q, "user", user);
	return read_list(q, a, limit, list, n);
}

static enum db_result
run_member(struct db *db, enum query_name query, int64_t group, int64_t user)
{
	struct query *q = db_query(db, query);

	db_int(q, "group", group);
	db_int(q, "user", user);
	return db_run(q);
}

enum group_result
group_join(struct db *db, int64_t group, int64_t user)
{
	return answer(run_member(db, QUERY_GROUP_JOIN, group, user));
}

enum group_result
group_leave(struct db *db, int64_t group, int64_t user)
{
	return answer(run_member(db, QUERY_GROUP_LEAVE, group, user));
}

/* -- all memberships of a user, or of a group -- */

/* Numbers in the arena, as many as come. */
struct ids {
	int64_t *list;
	size_t n, room;
};

static void
add_id(struct arena *a, struct ids *ids, int64_t id)
{
	ids->list = arena_more(a, ids->list, ids->n, &ids->room, sizeof(*ids->list));
	ids->list[ids->n++] = id;
}

static bool
is_among(int64_t id, const int64_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

/*
 * Makes `wanted` all that the query gives of `of`, or adds them to it. A user's are groups, a group's
 * are users: `of_user` says which.
 */
static enum db_result
set_members(struct db *db, struct arena *a, bool of_user, int64_t of, bool all,
    const int64_t *wanted, size_t n, struct group_members *set)
{
	struct query *q = db_query(db, of_user ? QUERY_GROUP_IDS_OF_USER : QUERY_GROUP_USER_IDS);
	struct ids now = { NULL, 0, 0 }, joined = { NULL, 0, 0 }, left = { NULL, 0, 0 };
	enum db_result r;

	db_int(q, "of", of);
	while (db_step(q) == DB_ROW)
		add_id(a, &now, db_col_int(q, "id"));
	r = db_done(q);
	for (size_t i = 0; i < n; i++)
		if (!is_among(wanted[i], now.list, now.n) &&
		    !is_among(wanted[i], joined.list, joined.n))
			add_id(a, &joined, wanted[i]);
	for (size_t i = 0; all && i < now.n; i++)
		if (!is_among(now.list[i], wanted, n))
			add_id(a, &left, now.list[i]);
	for (size_t i = 0; r == DB_END && i < joined.n; i++)
		r = run_member(db, QUERY_GROUP_JOIN, of_user ? joined.list[i] : of,
		    of_user ? of : joined.list[i]);
	for (size_t i = 0; r == DB_END && i < left.n; i++)
		r = run_member(db, QUERY_GROUP_LEAVE, of_user ? left.list[i] : of,
		    of_user ? of : left.list[i]);
	*set = (struct group_members){ joined.list, left.list, joined.n, left.n };
	return r;
}

enum db_result
group_set_of_user(struct db *db, struct arena *a, int64_t user, const int64_t *groups, size_t n,
    struct group_members *set)
{
	return set_members(db, a, true, user, true, groups, n, set);
}

/* -- changing and deleting a group -- */

struct change {
	struct arena *arena;
	struct group_change *ask;
	bool found;
};

/* Nobody else changes it until the transaction ends. */
static enum db_result
lock_group(struct db *db, struct arena *a, int64_t id, struct group *g, bool *found)
{
	struct query *q = db_query(db, QUERY_GROUP_LOCK);

	*found = false;
	db_int(q, "id", id);
	while (db_step(q) == DB_ROW) {
		*found = true;
		*g = (struct group){ db_col_int(q, "id"), db_col_copy(q, "name", a) };
	}
	return db_done(q);
}

static enum db_result
change(struct db *db, void *arg)
{
	struct change *c = arg;
	struct group_change *ask = c->ask;
	enum db_result r = lock_group(db, c->arena, ask->to.id, &ask->was, &c->found);
	struct query *q;

	ask->set = (struct group_members){ .njoined = 0 };
	if (r != DB_END || !c->found)
		return r;
	if (!str_eq(ask->to.name, ask->was.name)) {
		q = db_query(db, QUERY_GROUP_RENAME);
		db_int(q, "id", ask->to.id);
		db_text(q, "name", ask->to.name);
		r = db_run(q);
	}
	if (r == DB_END && (ask->members || ask->nusers > 0))
		r = set_members(db, c->arena, false, ask->to.id, ask->members, ask->users,
		    ask->nusers, &ask->set);
	return r;
}

enum group_result
group_change(struct db *db, struct arena *a, struct group_change *ask)
{
	struct change c = { .arena = a, .ask = ask };
	enum group_result result;

	ask->to.name = str_trim(ask->to.name);
	if (!is_name(a, ask->to.name))
		return GROUP_WRONG;
	result = answer(db_transaction(db, DB_WRITE, change, &c));
	return result == GROUP_DONE && !c.found ? GROUP_UNKNOWN : result;
}

static enum db_result
make(struct db *db, void *arg)
{
	struct change *c = arg;
	struct query *q = db_query(db, QUERY_GROUP_ADD);
	enum db_result r;

	db_text(q, "name", c->ask->to.name);
	r = db_insert(q, &c->ask->to.id);
	if (r == DB_END)
		r = set_members(db, c->arena, false, c->ask->to.id, true, c->ask->users,
		    c->ask->nusers, &c->ask->set);
	return r;
}

enum group_result
group_make(struct db *db, struct arena *a, struct group_change *ask)
{
	struct change c = { .arena = a, .ask = ask };

	ask->to.name = str_trim(ask->to.name);
	if (!is_name(a, ask->to.name))
		return GROUP_WRONG;
	return answer(db_transaction(db, DB_WRITE, make, &c));
}

struct deletion {
	struct arena *arena;
	int64_t id;
	bool found;
};

static enum db_result
delete_group(struct db *db, void *arg)
{
	struct deletion *d = arg;
	struct group was;
	enum db_result r = lock_group(db, d->arena, d->id, &was, &d->found);
	struct query *q;

	if (r != DB_END || !d->found)
		return r;
	if ((r = rights_forget(db, PRINCIPAL_GROUP(d->id))) != DB_END)
		return r;
	q = db_query(db, QUERY_GROUP_DELETE);
	db_int(q, "id", d->id);
	return db_run(q);
}

enum group_result
group_delete(struct db *db, int64_t id)
{
	struct deletion d = { .arena = arena_new(), .id = id };
	enum group_result result = answer(db_transaction(db, DB_WRITE, delete_group, &d));

	arena_free(d.arena);
	return result == GROUP_DONE && !d.found ? GROUP_UNKNOWN : result;
}
