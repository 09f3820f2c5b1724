/*
 * scout_list: Scout's objects and their history, read.
 */
#include "alert/scout_list.h"

#include <math.h>

#include "tom/target_store.h"

void
scout_list_values(struct query *q, struct scout_object *o)
{
	*o = scout_none();
	for (size_t i = 0; i < scout_nfields; i++) {
		const struct scout_field *f = &scout_fields[i];

		if (f->kind == SCOUT_TIME)
			*scout_time_at(o, f) = db_col_int(q, f->column);
		else if (f->kind == SCOUT_WHOLE)
			*scout_real_at(o, f) = db_col_null(q, f->column)
			    ? (double)NAN
			    : (double)db_col_int(q, f->column);
		else if (f->kind != SCOUT_NAME)
			*scout_real_at(o, f) = db_col_real(q, f->column);
	}
}

/* -1 where it is NULL. */
static int64_t
number_of(struct query *q, const char *column)
{
	return db_col_null(q, column) ? -1 : db_col_int(q, column);
}

static struct scout_shown
read_shown(struct query *q, struct arena *a)
{
	struct scout_shown s = { .id = db_col_int(q, "id"),
		.state = db_col_copy(q, "state", a),
		.designation = db_col_copy(q, "designation", a),
		.first_seen = db_col_int(q, "first_seen"),
		.last_seen = db_col_int(q, "last_seen"),
		.missed = db_col_int(q, "missed"),
		.target_id = db_col_int(q, "seen_id"),
		.note = db_col_copy(q, "note", a),
		.orbits = number_of(q, "orbits"),
		.orbit = number_of(q, "orbit") };

	if (s.target_id != 0)
		s.target_name = db_col_copy(q, "seen_name", a);
	scout_list_values(q, &s.object);
	s.object.name = db_col_copy(q, "name", a);
	return s;
}

static struct query *
ask(struct db *db, const struct user *u, struct str name, int64_t since)
{
	struct query *q = db_query(db, QUERY_SCOUT_SHOWN);

	db_int(q, "everything", target_sees_all(u));
	db_ints(q, "principals", u->principals, u->nprincipals);
	db_text(q, "name", name);
	db_int(q, "since", since);
	return q;
}

enum db_result
scout_list_shown(struct db *db, struct arena *a, const struct user *u, int64_t since,
    struct scout_shown **list, size_t *n)
{
	struct query *q = ask(db, u, STR(""), since);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	while (db_step(q) == DB_ROW) {
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = read_shown(q, a);
	}
	return db_done(q);
}

enum db_result
scout_list_one(
    struct db *db, struct arena *a, const struct user *u, struct str name, struct scout_shown *out)
{
	struct query *q = ask(db, u, name, 0);
	bool is_there = db_step(q) == DB_ROW;
	enum db_result r;

	if (is_there)
		*out = read_shown(q, a);
	r = db_done(q);
	return r == DB_END && is_there ? DB_ROW : r;
}

static struct scout_run
read_run(struct query *q)
{
	struct scout_run run = { .received = db_col_int(q, "received"),
		.orbits = number_of(q, "orbits"),
		.orbit = number_of(q, "orbit") };

	scout_list_values(q, &run.object);
	return run;
}

enum db_result
scout_list_runs(struct db *db, struct arena *a, int64_t id, struct scout_run **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_SCOUT_RUNS);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_int(q, "object", id);
	while (db_step(q) == DB_ROW) {
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = read_run(q);
	}
	return db_done(q);
}

enum db_result
scout_list_of_target(struct db *db, struct arena *a, const struct user *u, int64_t target,
    struct scout_shown *out, struct scout_run **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_SCOUT_OF_TARGET);
	size_t room = 0;
	enum db_result r;

	*list = NULL;
	*n = 0;
	db_int(q, "target", target);
	db_int(q, "everything", target_sees_all(u));
	db_ints(q, "principals", u->principals, u->nprincipals);
	while (db_step(q) == DB_ROW) {
		int64_t object = db_col_int(q, "object_id");

		if (*n == 0)
			*out = (struct scout_shown){ .id = object,
				.state = db_col_copy(q, "state", a),
				.designation = db_col_copy(q, "designation", a),
				.first_seen = db_col_int(q, "first_seen"),
				.last_seen = db_col_int(q, "last_seen"),
				.missed = db_col_int(q, "missed") };
		else if (object != out->id)
			continue;
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[*n] = read_run(q);
		if (*n == 0) {
			out->object = (*list)[0].object;
			out->object.name = db_col_copy(q, "name", a);
		}
		(*n)++;
	}
	r = db_done(q);
	return r == DB_END && *n > 0 ? DB_ROW : r;
}
