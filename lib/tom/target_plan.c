/*
 * target_plan: candidates by index first, up to a bound; what is more common than that is asked row
 * by row while the list's own order is walked (spec/scale.md).
 */
#include "tom/target_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"

#define TOO_MANY ((size_t)TARGET_MATCHES + 1)
#define STRIPS_WRITTEN ((size_t)64) /* ranges of a cone in one statement: 8 degrees */

/* Candidates while they are gathered. */
struct found {
	int64_t *ids;
	size_t n, room;
};

static enum db_result
gather(struct query *q, struct found *f, struct arena *a)
{
	while (db_step(q) == DB_ROW) {
		if (f->n == f->room) {
			int64_t *more = arena_array(a, f->room * 2 + 64, sizeof(*more));

			if (f->n > 0)
				memcpy(more, f->ids, f->n * sizeof(*more));
			f->ids = more;
			f->room = f->room * 2 + 64;
		}
		f->ids[f->n++] = db_col_int(q, "id");
	}
	return db_done(q);
}

/* Are these few enough to be all the candidates? Then the plan has them, each once. */
static bool
settle(struct target_plan *p, struct found *f, size_t most)
{
	size_t n = 0;

	if (f->n > 1)
		qsort(f->ids, f->n, sizeof(*f->ids), number_compare);
	for (size_t i = 0; i < f->n; i++)
		if (n == 0 || f->ids[i] != f->ids[n - 1])
			f->ids[n++] = f->ids[i];
	if (n > most)
		return false;
	p->by_ids = true;
	p->ids = f->ids;
	p->nids = n;
	return true;
}

/* Candidates by parts of names; parts of fewer than three letters have no index. */
static enum db_result
try_parts(struct target_plan *p, const struct terms *t, bool *ask)
{
	struct found f = { 0 };
	enum db_result r = DB_END;

	*ask = t->n > 0;
	if (p->by_ids || t->n == 0)
		return DB_END;
	for (size_t i = 0; i < t->n; i++)
		if (str_code_points(t->key[i]) < 3)
			return DB_END;
	for (size_t i = 0; i < t->n && r == DB_END; i++) {
		size_t before = f.n;
		struct query *q = db_query(p->db, QUERY_MATCH_PART);

		db_part(q, "pattern", t->key[i]);
		r = gather(q, &f, p->arena);
		if (f.n - before >= TOO_MANY)
			return r;
	}
	if (r == DB_END && settle(p, &f, TARGET_MATCHES))
		*ask = false;
	return r;
}

/* Runs one look-up; where it gives no more than `most`, its filter need not be asked again. */
static enum db_result
try_index(struct target_plan *p, struct query *q, size_t most, bool *ask)
{
	struct found f = { 0 };
	enum db_result r = gather(q, &f, p->arena);

	if (r == DB_END && f.n <= most && settle(p, &f, most))
		*ask = false;
	return r;
}

/* Whole names are in an index of their own; there are few. */
static enum db_result
try_same(struct target_plan *p, struct str keys)
{
	struct found f = { .ids = arena_array(p->arena, TERMS_MAX, sizeof(*f.ids)) };
	struct query *q = db_query(p->db, QUERY_TARGET_IDS_OF_NAMES);
	enum db_result r;

	db_text(q, "keys", keys);
	while (db_step(q) == DB_ROW && f.n < TERMS_MAX)
		f.ids[f.n++] = db_col_int(q, "target_id");
	r = db_done(q);
	settle(p, &f, TARGET_MATCHES);
	return r;
}

static void
add_cone(struct sql *s, const struct cone *c)
{
	sql_add(s, QUERY_TARGETS_IN_CONE);
	sql_real(s, "ra", c->ra);
	sql_real(s, "dec", c->dec);
	sql_real(s, "cosine", cos(c->dec * M_PI / 180));
	sql_real(s, "limit", cone_limit(c));
}

static struct str
strips_text(const struct cone_strip *strips, size_t n, struct arena *a)
{
	struct buf b = { 0 };
	struct str s;

	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "%s[%d,", i == 0 ? "[" : ",", strips[i].zone);
		buf_double(&b, strips[i].from);
		buf_putc(&b, ',');
		buf_double(&b, strips[i].to);
		buf_putc(&b, ']');
	}
	buf_putc(&b, ']');
	s = arena_copy(a, b.p, b.n);
	buf_free(&b);
	return s;
}

/* The strips written out: MariaDB reads ranges that it is told, but not those of a list. */
static struct query *
written_cone(struct target_plan *p, const struct cone_strip *strips, size_t n)
{
	struct sql *s = sql_new(p->db, p->arena);

	sql_add(s, QUERY_CONE_BEGIN);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			sql_add(s, QUERY_TARGETS_NAMED_OR);
		sql_add(s, QUERY_CONE_STRIP);
		sql_int(s, "zone", strips[i].zone);
		sql_real(s, "first", strips[i].from);
		sql_real(s, "last", strips[i].to);
	}
	sql_add(s, QUERY_CONE_END);
	add_cone(s, &p->query.cone);
	sql_add(s, QUERY_CONE_LIMIT);
	return sql_query(s);
}

static struct query *
cone_query(struct target_plan *p)
{
	const struct cone *c = &p->query.cone;
	struct cone_strip *strips = arena_array(p->arena, CONE_STRIPS, sizeof(*strips));
	size_t n = cone_strips(c, strips);
	struct query *q;

	if (db_engine(p->db) == DB_MARIADB && n <= STRIPS_WRITTEN)
		return written_cone(p, strips, n);
	q = db_query(p->db, QUERY_MATCH_CONE);
	db_text(q, "strips", strips_text(strips, n, p->arena));
	db_real(q, "ra", c->ra);
	db_real(q, "dec", c->dec);
	db_real(q, "cosine", cos(c->dec * M_PI / 180));
	db_real(q, "limit", cone_limit(c));
	return q;
}

static enum db_result
try_cone(struct target_plan *p)
{
	p->ask_cone = p->query.by_cone;
	if (!p->ask_cone || p->by_ids)
		return DB_END;
	return try_index(p, cone_query(p), TARGET_MATCHES, &p->ask_cone);
}

static enum db_result
try_list(struct target_plan *p)
{
	p->ask_list = p->query.list != 0;
	if (!p->ask_list || p->by_ids)
		return DB_END;
	struct query *q = db_query(p->db, QUERY_MATCH_LIST);
	db_int(q, "list", p->query.list);
	return try_index(p, q, TARGET_MATCHES, &p->ask_list);
}

static enum db_result
try_extra(struct target_plan *p)
{
	const struct target_query *want = &p->query;
	struct query *q;

	p->ask_extra = want->key.n > 0 || want->value.n > 0;
	if (want->key.n == 0 || p->by_ids)
		return DB_END;
	q = db_query(p->db, want->value.n > 0 ? QUERY_MATCH_EXTRA_BOTH : QUERY_MATCH_EXTRA_KEY);
	db_text(q, "key", want->key);
	if (want->value.n > 0)
		db_text(q, "value", want->value);
	return try_index(p, q, TARGET_MATCHES, &p->ask_extra);
}

static enum db_result
try_rights(struct target_plan *p, bool wants_ids)
{
	p->ask_rights = !p->user->is_superuser;
	if (!p->ask_rights || p->by_ids || !wants_ids)
		return DB_END;
	struct query *q = db_query(p->db, QUERY_VISIBLE_MANY);
	enum db_result r;
	bool many;

	db_ints(q, "principals", p->user->principals, p->user->nprincipals);
	many = db_step(q) == DB_ROW;
	if ((r = db_done(q)) != DB_END || many)
		return r;
	q = db_query(p->db, QUERY_MATCH_VISIBLE);
	db_ints(q, "principals", p->user->principals, p->user->nprincipals);
	return try_index(p, q, TARGET_VISIBLE, &p->ask_rights);
}

bool
target_terms(struct arena *a, struct str list, struct terms *t)
{
	while (list.n > 0) {
		size_t comma = str_find(list, ',');
		struct str term = str_trim((struct str){ list.p, comma });

		comma += comma < list.n;
		list = (struct str){ list.p + comma, list.n - comma };
		if (term.n == 0)
			continue;
		if (t->n == TERMS_MAX)
			return false;
		t->key[t->n++] = target_match_key(a, term);
	}
	return true;
}

/* The cone about a named target; where there is no such one, the query matches nothing. */
static enum db_result
resolve(struct target_plan *p)
{
	struct target_query *q = &p->query;
	struct target t;
	int64_t id = 0;
	enum db_result r = target_find_named(p->db, p->arena, p->user, q->cone_target, &id);

	if (r == DB_ROW)
		r = target_get(p->db, p->arena, p->user, id, VIEW, &t);
	if (r == DB_ROW && target_zone(&t) >= 0) {
		q->cone = cone_about(t.ra, t.dec, q->cone_radius);
		q->by_cone = true;
		return DB_END;
	}
	q->nothing = true;
	p->why = r == DB_ROW
	    ? arena_printf(p->arena, "The target %.*s has no fixed position.", STR_ARG(t.name))
	    : arena_printf(
	          p->arena, "No single target has the name %.*s.", STR_ARG(q->cone_target));
	return r == DB_ROW ? DB_END : r;
}

enum db_result
target_plan(struct target_plan *p, struct db *db, struct arena *a, const struct user *u,
    const struct target_query *query, bool wants_ids)
{
	struct terms same = { 0 };
	enum db_result r = DB_END;

	*p = (struct target_plan){ .db = db, .arena = a, .user = u, .query = *query };
	if (p->query.cone_target.n > 0 && (r = resolve(p)) != DB_END)
		return r;
	if (p->query.nothing)
		return DB_END;
	target_terms(a, query->name, &p->names);
	target_terms(a, query->name_fuzzy, &same);
	if (!str_empty(str_trim(query->query)))
		p->text.key[p->text.n++] = target_match_key(a, query->query);
	if (same.n > 0)
		r = try_same(p, target_json_texts(a, same.key, same.n));
	p->ask_type = query->by_type;
	if (r != DB_END || (r = try_cone(p)) != DB_END ||
	    (r = try_parts(p, &p->names, &p->ask_names)) != DB_END ||
	    (r = try_parts(p, &p->text, &p->ask_text)) != DB_END || (r = try_extra(p)) != DB_END ||
	    (r = try_list(p)) != DB_END)
		return r;
	return try_rights(p, wants_ids);
}

bool
target_plan_asks(const struct target_plan *p)
{
	return p->ask_names || p->ask_text || p->ask_cone || p->ask_list || p->ask_extra ||
	    p->ask_type || p->ask_rights;
}

static void
add_parts(struct sql *s, const struct terms *t)
{
	sql_add(s, QUERY_TARGETS_NAMED_BEGIN);
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			sql_add(s, QUERY_TARGETS_NAMED_OR);
		sql_add(s, QUERY_TARGETS_NAMED_PART);
		sql_text(s, "part", t->key[i]);
	}
	sql_add(s, QUERY_TARGETS_NAMED_END);
}

static void
add_extra(struct sql *s, const struct target_query *want)
{
	if (want->key.n == 0) {
		sql_add(s, QUERY_TARGETS_EXTRA_VALUE);
	} else {
		sql_add(s, want->value.n > 0 ? QUERY_TARGETS_EXTRA_BOTH : QUERY_TARGETS_EXTRA_KEY);
		sql_text(s, "key", want->key);
	}
	if (want->value.n > 0)
		sql_text(s, "value", want->value);
}

void
target_plan_filter(const struct target_plan *p, struct sql *s)
{
	static const struct target_field *type;

	if (p->ask_type) {
		if (type == NULL)
			type = target_field_find(STR("type"));
		sql_add(s, QUERY_TARGETS_OF_TYPE);
		sql_text(s, "type", str_of(type->codes[p->query.type]));
	}
	if (p->ask_cone)
		add_cone(s, &p->query.cone);
	if (p->ask_rights) {
		sql_add(s, QUERY_TARGETS_VISIBLE);
		sql_ints(s, "principals", p->user->principals, p->user->nprincipals);
	}
	if (p->ask_names)
		add_parts(s, &p->names);
	if (p->ask_text)
		add_parts(s, &p->text);
	if (p->ask_list) {
		sql_add(s, QUERY_TARGETS_IN_LIST);
		sql_int(s, "list", p->query.list);
	}
	if (p->ask_extra)
		add_extra(s, &p->query);
}
