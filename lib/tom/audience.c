/*
 * audience: the rows of audience and audience_member, and rights compared with them.
 */
#include "tom/audience.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "tom/target_store.h"

/* Is it among the sorted? */
static bool
has(const int64_t *ids, size_t n, int64_t id)
{
	return n > 0 && bsearch(&id, ids, n, sizeof(*ids), number_compare) != NULL;
}

struct audience
audience_of(struct arena *a, int permissions, const int64_t *groups, size_t ngroups)
{
	bool public = permissions != TARGET_PRIVATE;
	struct audience u = { .principals = arena_array(a, ngroups + 1, sizeof(*u.principals)),
		.groups = groups,
		.ngroups = ngroups };
	struct buf b = { 0 };

	if (public)
		u.principals[u.n++] = PRINCIPAL_ANYONE;
	for (size_t i = 0; i < ngroups && !public; i++)
		u.principals[u.n++] = PRINCIPAL_GROUP(groups[i]);
	if (u.n > 1)
		qsort(u.principals, u.n, sizeof(*u.principals), number_compare);
	ngroups = u.n;
	u.n = 0;
	for (size_t i = 0; i < ngroups; i++) {
		if (u.n > 0 && u.principals[u.n - 1] == u.principals[i])
			continue;
		u.principals[u.n++] = u.principals[i];
		buf_printf(&b, "%s%" PRId64, b.n == 0 ? "" : ",", u.principals[i]);
	}
	u.members = arena_str(a, buf_text(&b));
	buf_free(&b);
	return u;
}

static enum db_result
look_up(struct db *db, struct str members, int64_t *id)
{
	struct query *q = db_query(db, QUERY_AUDIENCE_FIND);

	*id = 0;
	db_text(q, "members", members);
	if (db_step(q) == DB_ROW)
		*id = db_col_int(q, "id");
	return db_done(q);
}

enum db_result
audience_find(struct db *db, const struct audience *u, int64_t *id)
{
	enum db_result r = look_up(db, u->members, id);
	struct query *q;

	if (r != DB_END || *id != 0)
		return r;
	q = db_query(db, QUERY_AUDIENCE_ADD);
	db_text(q, "members", u->members);
	if ((r = db_run(q)) == DB_END)
		r = look_up(db, u->members, id);
	if (r == DB_END && *id == 0)
		return DB_RETRY;
	for (size_t i = 0; i < u->n && r == DB_END; i++) {
		q = db_query(db, QUERY_AUDIENCE_MEMBER_ADD);
		db_int(q, "principal", u->principals[i]);
		db_int(q, "audience", *id);
		r = db_run(q);
	}
	return r;
}

enum db_result
audiences_of(struct db *db, struct arena *a, const struct user *u, int64_t **ids, size_t *n)
{
	struct query *q = db_query(db, QUERY_AUDIENCES_OF);
	size_t room = 0;

	*ids = NULL;
	*n = 0;
	db_ints(q, "principals", u->principals, u->nprincipals);
	while (db_step(q) == DB_ROW) {
		*ids = arena_more(a, *ids, *n, &room, sizeof(**ids));
		(*ids)[(*n)++] = db_col_int(q, "audience_id");
	}
	if (*n > 1)
		qsort(*ids, *n, sizeof(**ids), number_compare);
	return db_done(q);
}

bool
audiences_have(const int64_t *ids, size_t n, int64_t id)
{
	return has(ids, n, id);
}

/* The rights on one thing, a target or its measurements, as they are read. */
struct sight {
	bool is_settled, by_all, by_others;
	size_t nrows, nmembers;
};

static void
look_at(struct sight *s, const struct audience *u, int64_t principal, bool is_of_it)
{
	bool is_member = has(u->principals, u->n, principal);
	bool by_all = principal == PRINCIPAL_ANYONE || principal == PRINCIPAL_SIGNED_IN;

	s->nrows++;
	s->is_settled = s->is_settled || principal == 0;
	s->by_all = s->by_all || by_all;
	s->nmembers += is_member;
	if (principal != 0 && !is_member && !is_of_it &&
	    !has(u->principals, u->n, PRINCIPAL_ANYONE))
		s->by_others = true;
}

static enum db_result
read_sights(struct db *db, const struct audience *u, struct str source, const int64_t *ids,
    size_t n, struct sight (*sights)[2])
{
	struct query *q = db_query(db, QUERY_AUDIENCE_RIGHTS);

	db_ints(q, "targets", ids, n);
	db_ints(q, "groups", u->groups, u->ngroups);
	db_text(q, "source", source);
	while (db_step(q) == DB_ROW) {
		int64_t id = db_col_int(q, "target_id");
		const int64_t *found = bsearch(&id, ids, n, sizeof(*ids), number_compare);

		if (found != NULL)
			look_at(&sights[found - ids][db_col_bool(q, "of_data")], u,
			    db_col_int(q, "principal"), db_col_bool(q, "is_of_it"));
	}
	return db_done(q);
}

enum db_result
audience_fits(struct db *db, struct arena *a, const struct audience *u, struct str source,
    const int64_t *targets, size_t n, struct audience_fit **list, size_t *nlist)
{
	int64_t *ids = arena_array(a, n + 1, sizeof(*ids));
	struct sight(*sights)[2] = arena_array(a, n + 1, sizeof(*sights));
	enum db_result r;

	*list = arena_array(a, n + 1, sizeof(**list));
	*nlist = 0;
	if (n == 0)
		return DB_END;
	memcpy(ids, targets, n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), number_compare);
	for (size_t i = 0; i < n; i++)
		if (*nlist == 0 || ids[*nlist - 1] != ids[i])
			ids[(*nlist)++] = ids[i];
	r = read_sights(db, u, source, ids, *nlist, sights);
	for (size_t i = 0; i < *nlist; i++) {
		const struct sight *whole = &sights[i][0], *data = &sights[i][1];
		bool is_free = data->nrows == 0 || data->is_settled;

		(*list)[i] = (struct audience_fit){ .target = ids[i],
			.within = !whole->by_others,
			.covered = whole->by_all || whole->nmembers == u->n,
			.source_within = is_free || !data->by_others,
			.source_covered = is_free || data->by_all || data->nmembers == u->n };
	}
	return r;
}

enum db_result
audience_forget(struct db *db, int64_t principal)
{
	static const enum query_name names[] = { QUERY_AUDIENCE_LEFT, QUERY_AUDIENCE_FORGET };
	enum db_result r = DB_END;

	for (size_t i = 0; i < NELEM(names) && r == DB_END; i++) {
		struct query *q = db_query(db, names[i]);

		db_int(q, "principal", principal);
		r = db_run(q);
	}
	return r;
}

enum db_result
audience_keep(struct db *db, int64_t target, bool measurements_have_rights)
{
	struct query *q = db_query(db, QUERY_AUDIENCE_KEEP);

	db_int(q, "target", target);
	db_bool(q, "own", measurements_have_rights);
	return db_run(q);
}
