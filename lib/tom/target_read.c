/*
 * target_read: one target and what belongs to it, for someone who may see it. The right is asked in
 * the statement that reads; all statements of a page travel together.
 */
#include "tom/target_store.h"

#include <math.h>
#include <stdlib.h>

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
	return t->type == TARGET_SIDEREAL && isfinite(t->ra) && isfinite(t->dec) ? cone_zone(t->dec)
	                                                                         : -1;
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
	db_int(q, "open", u->open_verbs);
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
	struct query *target, *parts; /* parts NULL: not asked */
};

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
	db_int(l->target, "open", u->open_verbs);
	db_start(l->target);
	if (parts == 0)
		return l;
	l->parts = db_query(db, QUERY_TARGET_PARTS);
	db_int(l->parts, "id", id);
	db_int(l->parts, "parts", parts);
	db_start(l->parts);
	return l;
}

/* A row of target_parts: which part it is of, one of WITH_ALIASES ... WITH_LISTS. */
struct part {
	int64_t part, id;
	struct str name, value;
};

/* Aliases the oldest first, all else by name. */
static int
by_part(const void *x, const void *y)
{
	const struct part *a = x, *b = y;
	int r = a->part == WITH_ALIASES ? 0 : target_compare(a->name, b->name);

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return r != 0 ? r : (a->id > b->id) - (a->id < b->id);
}

static enum db_result
read_parts(struct query *q, struct arena *a, struct part **out, size_t *n)
{
	size_t room = 0;

	*out = NULL;
	*n = 0;
	if (q == NULL)
		return DB_END;
	while (db_step(q) == DB_ROW) {
		*out = arena_more(a, *out, *n, &room, sizeof(**out));
		(*out)[(*n)++] = (struct part){
			.part = db_col_int(q, "part"),
			.id = db_col_int(q, "id"),
			.name = db_col_copy(q, "name", a),
			.value = db_col_copy(q, "value", a),
		};
	}
	if (*n > 1)
		qsort(*out, *n, sizeof(**out), by_part);
	return db_done(q);
}

/* The parts of one kind, which stand together; NULL where there is none. */
static struct target_named *
named(const struct part *parts, size_t nparts, int64_t which, struct arena *a, size_t *n)
{
	struct target_named *out = NULL;

	*n = 0;
	for (size_t i = 0; i < nparts; i++) {
		if (parts[i].part != which)
			continue;
		if (out == NULL)
			out = arena_array(a, nparts - i, sizeof(*out));
		out[(*n)++] = (struct target_named){ .id = parts[i].id, .name = parts[i].name };
	}
	return out;
}

static void
give_parts(struct target_whole *out, const struct part *parts, size_t n, struct arena *a)
{
	out->aliases = named(parts, n, WITH_ALIASES, a, &out->naliases);
	out->groups = named(parts, n, WITH_GROUPS, a, &out->ngroups);
	out->lists = named(parts, n, WITH_LISTS, a, &out->nlists);
	for (size_t i = 0; i < n; i++) {
		if (parts[i].part != WITH_EXTRAS)
			continue;
		if (out->extras == NULL)
			out->extras = arena_array(a, n - i, sizeof(*out->extras));
		out->extras[out->nextras++] = (struct target_extra){
			.id = parts[i].id,
			.key = parts[i].name,
			.value = parts[i].value,
		};
	}
}

enum db_result
target_load_end(struct target_loading *l, struct target_whole *out)
{
	enum db_result r, rest;
	struct part *parts;
	size_t nparts;
	bool found = false;

	*out = (struct target_whole){ .target = target_none() };
	r = db_step(l->target);
	if (r == DB_ROW) {
		found = true;
		out->target = target_from_row(l->target, l->arena);
		out->creator = db_col_copy(l->target, "creator", l->arena);
		out->may_change = l->sees_all || db_col_bool(l->target, "may_change");
		out->may_delete = l->sees_all || db_col_bool(l->target, "may_delete");
		out->revision = db_col_int(l->target, "revision");
	}
	r = db_done(l->target);
	/* both are ended, whatever the first one said; what someone may not see is not kept */
	rest = read_parts(l->parts, l->arena, &parts, &nparts);
	if (r == DB_END)
		r = rest;
	if (r != DB_END || !found) {
		*out = (struct target_whole){ .target = target_none() };
		return r;
	}
	give_parts(out, parts, nparts, l->arena);
	return DB_ROW;
}

enum db_result
target_load(struct db *db, struct arena *a, const struct user *u, int64_t id, unsigned parts,
    struct target_whole *out)
{
	return target_load_end(target_load_start(db, a, u, id, parts), out);
}

struct query *
target_lists_start(struct db *db, size_t max)
{
	struct query *q = db_query(db, QUERY_TARGET_LISTS);

	db_int(q, "max", (int64_t)max);
	db_start(q);
	return q;
}

enum db_result
target_lists_end(struct query *q, struct arena *a, size_t max, struct target_named **out, size_t *n)
{
	*out = arena_array(a, max, sizeof(**out));
	for (*n = 0; *n < max && db_step(q) == DB_ROW; ++*n)
		(*out)[*n] = (struct target_named){
			.id = db_col_int(q, "id"),
			.name = db_col_copy(q, "name", a),
		};
	return db_done(q);
}
