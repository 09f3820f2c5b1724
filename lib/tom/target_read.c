/*
 * target_read: one target and what belongs to it, for someone who may see it. The right is asked in
 * the statement that reads; all statements of a page travel together.
 */
#include "tom/target_store.h"

#include <math.h>

#include "sky/cone.h"

int64_t
target_sees_all(const struct user *u)
{
	return u->is_superuser;
}

int64_t
target_public_principal(int permissions)
{
	switch (permissions) {
	case TARGET_OPEN:
		return PRINCIPAL_ANYONE;
	case TARGET_PUBLIC:
		return PRINCIPAL_SIGNED_IN;
	default:
		return 0;
	}
}

int
target_zone(const struct target *t)
{
	return isfinite(t->ra) && isfinite(t->dec) ? cone_zone(t->dec) : -1;
}

struct target
target_from_row(struct query *q, struct arena *a)
{
	struct target t = target_none();

	t.id = db_col_int(q, "id");
	t.creator = db_col_int(q, "creator_id");
	for (size_t i = 0; i < target_nfields; i++) {
		const struct target_field *f = &target_fields[i];

		switch (f->kind) {
		case TARGET_TEXT:
			t.name = db_col_copy(q, f->name, a);
			break;
		case TARGET_CHOICE:
			target_choice_read(f, db_col_text(q, f->name), target_choice_at(&t, f));
			break;
		case TARGET_TIME:
			*target_time_at(&t, f) = db_col_int(q, f->name);
			break;
		case TARGET_REAL:
		case TARGET_RA:
		case TARGET_DEC:
			*target_real_at(&t, f) = db_col_real(q, f->name);
			break;
		}
	}
	return t;
}

enum db_result
target_get(
    struct db *db, struct arena *a, const struct user *u, int64_t id, int verbs, struct target *out)
{
	struct query *q = db_query(db, QUERY_TARGET_GET);
	enum db_result r;

	db_int(q, "id", id);
	db_int(q, "everything", target_sees_all(u));
	db_ints(q, "principals", u->principals, u->nprincipals);
	db_int(q, "verbs", verbs);
	r = db_step(q);
	if (r == DB_ROW) {
		*out = target_from_row(q, a);
		r = db_done(q);
		return r == DB_END ? DB_ROW : r;
	}
	return db_done(q);
}

struct target_loading {
	struct arena *arena;
	bool sees_all;
	struct query *target, *aliases, *extras, *groups, *lists; /* NULL: not asked */
};

static struct query *
start_part(struct db *db, enum query_name name, int64_t id)
{
	struct query *q = db_query(db, name);

	db_int(q, "id", id);
	db_start(q);
	return q;
}

struct target_loading *
target_load_start(struct db *db, struct arena *a, const struct user *u, int64_t id, unsigned parts)
{
	struct target_loading *l = arena_alloc(a, sizeof(*l));

	l->arena = a;
	l->sees_all = u->is_superuser;
	l->target = db_query(db, QUERY_TARGET_LOAD);
	db_int(l->target, "id", id);
	db_int(l->target, "everything", target_sees_all(u));
	db_ints(l->target, "principals", u->principals, u->nprincipals);
	db_start(l->target);
	if (parts & WITH_ALIASES)
		l->aliases = start_part(db, QUERY_TARGET_ALIASES, id);
	if (parts & WITH_EXTRAS)
		l->extras = start_part(db, QUERY_TARGET_EXTRAS, id);
	if (parts & WITH_GROUPS)
		l->groups = start_part(db, QUERY_TARGET_GROUPS, id);
	if (parts & WITH_LISTS)
		l->lists = start_part(db, QUERY_TARGET_LISTS_OF, id);
	return l;
}

/* Reads rows of (id, name), which are given back as an array in the arena. */
static enum db_result
read_named(struct query *q, struct arena *a, struct target_named **out, size_t *n)
{
	size_t room = 0;
	enum db_result r;

	*out = NULL;
	*n = 0;
	if (q == NULL)
		return DB_END;
	while ((r = db_step(q)) == DB_ROW) {
		if (*n == room) {
			struct target_named *more = arena_array(a, room * 2 + 8, sizeof(*more));

			for (size_t i = 0; i < *n; i++)
				more[i] = (*out)[i];
			*out = more;
			room = room * 2 + 8;
		}
		(*out)[(*n)++] = (struct target_named){
			.id = db_col_int(q, "id"),
			.name = db_col_copy(q, "name", a),
		};
	}
	return db_done(q);
}

static enum db_result
read_extras(struct query *q, struct arena *a, struct target_extra **out, size_t *n)
{
	size_t room = 0;
	enum db_result r;

	*out = NULL;
	*n = 0;
	if (q == NULL)
		return DB_END;
	while ((r = db_step(q)) == DB_ROW) {
		if (*n == room) {
			struct target_extra *more = arena_array(a, room * 2 + 8, sizeof(*more));

			for (size_t i = 0; i < *n; i++)
				more[i] = (*out)[i];
			*out = more;
			room = room * 2 + 8;
		}
		(*out)[(*n)++] = (struct target_extra){
			.id = db_col_int(q, "id"),
			.key = db_col_copy(q, "key", a),
			.value = db_col_copy(q, "value", a),
		};
	}
	return db_done(q);
}

enum db_result
target_load_end(struct target_loading *l, struct target_whole *out)
{
	enum db_result r, parts[4];
	bool found = false;

	*out = (struct target_whole){ .target = target_none() };
	r = db_step(l->target);
	if (r == DB_ROW) {
		found = true;
		out->target = target_from_row(l->target, l->arena);
		out->creator = db_col_copy(l->target, "creator", l->arena);
		out->may_change = l->sees_all || db_col_bool(l->target, "may_change");
		out->may_delete = l->sees_all || db_col_bool(l->target, "may_delete");
	}
	r = db_done(l->target);
	/* all are ended, whatever the first one said; what someone may not see is not kept */
	parts[0] = read_named(l->aliases, l->arena, &out->aliases, &out->naliases);
	parts[1] = read_extras(l->extras, l->arena, &out->extras, &out->nextras);
	parts[2] = read_named(l->groups, l->arena, &out->groups, &out->ngroups);
	parts[3] = read_named(l->lists, l->arena, &out->lists, &out->nlists);
	for (size_t i = 0; i < NELEM(parts) && r == DB_END; i++)
		r = parts[i];
	if (r != DB_END || !found) {
		*out = (struct target_whole){ .target = target_none() };
		return r;
	}
	return DB_ROW;
}

enum db_result
target_load(struct db *db, struct arena *a, const struct user *u, int64_t id, unsigned parts,
    struct target_whole *out)
{
	return target_load_end(target_load_start(db, a, u, id, parts), out);
}

enum db_result
target_lists(struct db *db, struct arena *a, size_t max, struct target_named **out, size_t *n)
{
	struct query *q = db_query(db, QUERY_TARGET_LISTS);

	db_int(q, "max", (int64_t)max);
	return read_named(q, a, out, n);
}
