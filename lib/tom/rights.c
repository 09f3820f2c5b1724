/*
 * rights: the rows of rights and datum_rights of one target.
 */
#include "tom/rights.h"

#include <string.h>

#include "tom/audience.h"
#include "tom/target_store.h"

#define NOBODY 0 /* the principal of a row that says: settled */
#define SOURCES_MAX 200

static bool
of_data(struct str source)
{
	return !str_empty(source);
}

/* A statement about the target, or the one about its measurements of the source. */
static struct query *
ask(struct db *db, int64_t target, struct str source, enum query_name whole, enum query_name data)
{
	struct query *q = db_query(db, of_data(source) ? data : whole);

	db_int(q, "target", target);
	if (of_data(source))
		db_text(q, "source", source);
	return q;
}

static enum right_of
kind_of(int64_t principal)
{
	if (principal == PRINCIPAL_ANYONE)
		return RIGHT_ANYONE;
	if (principal == PRINCIPAL_SIGNED_IN)
		return RIGHT_SIGNED_IN;
	return principal % 16 == 1 ? RIGHT_GROUP : RIGHT_USER;
}

static struct right
right_of_row(struct query *q, struct arena *a)
{
	int64_t principal = db_col_int(q, "principal");
	enum right_of of = kind_of(principal);

	return (struct right){
		.principal = principal,
		.of = of,
		.id = of == RIGHT_GROUP || of == RIGHT_USER ? principal / 16 : 0,
		.name = of == RIGHT_GROUP ? db_col_copy(q, "group_name", a) : STR(""),
		.verbs = (int)db_col_int(q, "verbs"),
		.is_active = true,
	};
}

enum db_result
rights_list(struct db *db, struct arena *a, int64_t target, struct str source, int64_t after,
    size_t limit, struct right **list, size_t *n)
{
	struct query *q = ask(db, target, source, QUERY_RIGHTS_ROWS, QUERY_DATUM_RIGHTS_ROWS);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_int(q, "after", after);
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW) {
		struct right right = right_of_row(q, a);

		if (right.of == RIGHT_USER) {
			right.name = db_col_copy(q, "username", a);
			right.is_active = db_col_bool(q, "is_active");
		}
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = right;
	}
	return db_done(q);
}

enum db_result
rights_of_user(struct db *db, struct arena *a, int64_t target, struct str source, int64_t user,
    struct right **list, size_t *n)
{
	struct query *q = ask(db, target, source, QUERY_RIGHTS_OF_USER, QUERY_DATUM_RIGHTS_OF_USER);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_int(q, "user", user);
	while (db_step(q) == DB_ROW) {
		struct right right = right_of_row(q, a);

		if (user == 0 && right.of != RIGHT_ANYONE)
			continue;
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = right;
	}
	return db_done(q);
}

int
rights_held(const struct right *list, size_t n)
{
	int verbs = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i].of == RIGHT_GROUP || list[i].of == RIGHT_USER)
			verbs |= list[i].verbs;
	return verbs;
}

enum db_result
rights_sources(struct db *db, struct arena *a, int64_t target, struct str **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_DATUM_SOURCES);

	db_int(q, "target", target);
	*list = arena_array(a, SOURCES_MAX, sizeof(**list));
	for (*n = 0; *n < SOURCES_MAX && db_step(q) == DB_ROW; ++*n)
		(*list)[*n] = db_col_copy(q, "source", a);
	return db_done(q);
}

/* What rights_change() carries into its transaction. */
struct changing {
	struct arena *arena;
	const struct user *user;
	const struct rights_wish *wish;
	enum rights_result result;
};

/* The verbs of a principal among some rows. */
static int
verbs_of(const struct right *list, size_t n, int64_t principal)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].principal == principal)
			return list[i].verbs;
	return 0;
}

static enum db_result
find_present(struct db *db, const struct changing *c, int *verbs)
{
	const struct rights_wish *w = c->wish;
	struct right *row;
	size_t n;
	enum db_result r = rights_list(
	    db, c->arena, w->target, w->source, w->principal - 1, 1, &row, &n);

	*verbs = verbs_of(row, n, w->principal);
	return r;
}

/* Is there somebody of that principal? */
static enum db_result
find_holder(struct db *db, int64_t principal, bool *found)
{
	enum right_of of = kind_of(principal);
	struct query *q;

	*found = of == RIGHT_ANYONE || of == RIGHT_SIGNED_IN;
	if (*found)
		return DB_END;
	q = db_query(db, QUERY_RIGHTS_HOLDER);
	db_int(q, "user", of == RIGHT_USER ? principal / 16 : 0);
	db_int(q, "group", of == RIGHT_GROUP ? principal / 16 : 0);
	if (db_step(q) == DB_ROW)
		*found = db_col_int(q, "n") > 0;
	return db_done(q);
}

static bool
is_member(const struct user *u, int64_t group)
{
	for (size_t i = 0; i < u->ngroups; i++)
		if (u->groups[i] == group)
			return true;
	return false;
}

/* May they make these of those verbs? `own`: their rows. */
static enum rights_result
judge(const struct changing *c, int present, const struct right *own, size_t nown)
{
	const struct rights_wish *w = c->wish;
	const struct user *u = c->user;
	enum right_of of = kind_of(w->principal);
	bool everybody = of == RIGHT_ANYONE || of == RIGHT_SIGNED_IN;
	int held = rights_held(own, nown), kept = 0;

	if (everybody && (!of_data(w->source) || (w->verbs & ~VIEW) != 0))
		return RIGHTS_DENIED;
	if (!u->is_superuser && ((held & CHANGE) == 0 || ((present ^ w->verbs) & ~held) != 0))
		return RIGHTS_DENIED;
	if (present != w->was)
		return RIGHTS_STALE;
	if (present == w->verbs)
		return RIGHTS_SAME;
	if (!u->is_superuser && of == RIGHT_GROUP && present == 0 &&
	    !is_member(u, w->principal / 16))
		return RIGHTS_STRANGER;
	for (size_t i = 0; i < nown; i++)
		if (own[i].of == RIGHT_GROUP || own[i].of == RIGHT_USER)
			kept |= own[i].principal == w->principal ? w->verbs : own[i].verbs;
	return !u->is_superuser && !w->sure && (held & ~kept) != 0 ? RIGHTS_OWN : RIGHTS_DONE;
}

/* A row of a target goes, comes or gets other verbs. */
static enum db_result
write_target(struct db *db, const struct changing *c, int present, int64_t created)
{
	const struct rights_wish *w = c->wish;
	enum query_name name = w->verbs == 0 ? QUERY_RIGHTS_TAKE
	    : present == 0                   ? QUERY_RIGHTS_GIVE
	                                     : QUERY_RIGHTS_SET;
	struct query *q = db_query(db, name);

	db_int(q, "target", w->target);
	db_int(q, "principal", w->principal);
	if (w->verbs != 0)
		db_int(q, "verbs", w->verbs);
	if (name == QUERY_RIGHTS_GIVE)
		db_int(q, "created", created);
	return db_run(q);
}

static enum db_result
write_data_row(
    struct db *db, const struct rights_wish *w, enum query_name name, int64_t principal, int verbs)
{
	struct query *q = db_query(db, name);

	db_int(q, "target", w->target);
	db_text(q, "source", w->source);
	db_int(q, "principal", principal);
	if (name != QUERY_DATUM_RIGHTS_TAKE)
		db_int(q, "verbs", verbs);
	return db_run(q);
}

/* The same for measurements. From now on no stream shares them by itself. */
static enum db_result
write_data(struct db *db, const struct changing *c, int present)
{
	const struct rights_wish *w = c->wish;
	enum db_result r = write_data_row(db, w, QUERY_DATUM_RIGHTS_GIVE, NOBODY, VIEW);

	if (r != DB_END)
		return r;
	return write_data_row(db, w,
	    w->verbs == 0      ? QUERY_DATUM_RIGHTS_TAKE
	        : present == 0 ? QUERY_DATUM_RIGHTS_GIVE
	                       : QUERY_DATUM_RIGHTS_SET,
	    w->principal, w->verbs);
}

static enum db_result
change(struct db *db, void *arg)
{
	struct changing *c = arg;
	const struct rights_wish *w = c->wish;
	struct right *own;
	struct target t;
	int present;
	size_t nown;
	bool found;
	enum db_result r;

	c->result = RIGHTS_GONE;
	struct query *lock = db_query(db, QUERY_TARGET_LOCK);
	db_int(lock, "id", w->target);
	if ((r = db_run(lock)) != DB_END)
		return r;
	r = target_get(db, c->arena, c->user, w->target, VIEW, &t);
	if (r != DB_ROW)
		return r;
	if ((r = find_present(db, c, &present)) != DB_END ||
	    (r = rights_of_user(db, c->arena, w->target, w->source, c->user->id, &own, &nown)) !=
	        DB_END)
		return r;
	c->result = judge(c, present, own, nown);
	if (c->result != RIGHTS_DONE)
		return DB_END;
	if ((r = find_holder(db, w->principal, &found)) != DB_END)
		return r;
	if (!found && w->verbs != 0) {
		c->result = RIGHTS_GONE;
		return DB_END;
	}
	return of_data(w->source) ? write_data(db, c, present)
	                          : write_target(db, c, present, t.created);
}

enum rights_result
rights_change(struct db *db, struct arena *a, const struct user *u, const struct rights_wish *wish,
    enum db_result *r)
{
	struct changing c = { .arena = a, .user = u, .wish = wish };

	*r = db_transaction(db, DB_WRITE, change, &c);
	return *r == DB_END ? c.result : RIGHTS_FAILED;
}

/* Which of the targets nobody has rights on: those stay in fresh[]. */
static enum db_result
strike_out_known(struct db *db, struct str source, int64_t *fresh, size_t *n)
{
	struct query *q = db_query(db, QUERY_DATUM_RIGHTS_KNOWN);
	size_t left = 0;

	db_ints(q, "targets", fresh, *n);
	db_text(q, "source", source);
	while (db_step(q) == DB_ROW) {
		int64_t id = db_col_int(q, "target_id");

		for (size_t i = 0; i < *n; i++)
			if (fresh[i] == id)
				fresh[i] = 0;
	}
	for (size_t i = 0; i < *n; i++)
		if (fresh[i] != 0)
			fresh[left++] = fresh[i];
	*n = left;
	return db_done(q);
}

static void
put_row(struct bulk *b, int64_t target, struct str source, int64_t principal, int verbs)
{
	db_bulk_int(b, target);
	db_bulk_text(b, source);
	db_bulk_int(b, principal);
	db_bulk_int(b, verbs);
}

enum db_result
rights_share_data(struct db *db, struct arena *a, struct str source, const int64_t *targets,
    size_t n, int permissions, const int64_t *groups, size_t ngroups)
{
	static const char *const columns[] = { "target_id", "source", "principal", "verbs" };
	int64_t *fresh = arena_array(a, n + 1, sizeof(*fresh)), added;
	int64_t public = target_public_principal(permissions);
	struct bulk *b;
	enum db_result r;

	if (n > 0)
		memcpy(fresh, targets, n * sizeof(*fresh));
	if ((r = strike_out_known(db, source, fresh, &n)) != DB_END)
		return r;
	if (n == 0 || (ngroups == 0 && public == 0))
		return DB_END;
	b = db_bulk(db, "datum_rights", NELEM(columns), columns);
	for (size_t i = 0; i < n; i++) {
		for (size_t g = 0; g < ngroups; g++)
			put_row(b, fresh[i], source, PRINCIPAL_GROUP(groups[g]), ALL_VERBS);
		if (public != 0)
			put_row(b, fresh[i], source, public, VIEW);
	}
	return db_bulk_end(b, &added);
}

static enum db_result
forget(struct db *db, enum query_name name, int64_t principal)
{
	struct query *q = db_query(db, name);

	db_int(q, "principal", principal);
	return db_run(q);
}

enum db_result
rights_forget(struct db *db, int64_t principal)
{
	enum db_result r = forget(db, QUERY_RIGHTS_FORGET, principal);

	if (r == DB_END)
		r = forget(db, QUERY_DATUM_RIGHTS_FORGET, principal);
	return r == DB_END ? audience_forget(db, principal) : r;
}
