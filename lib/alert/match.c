/*
 * match: which targets the objects of a batch belong to. Each step asks for all that are left at once.
 */
#include "alert/match.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "sky/cone.h"
#include "tom/target_bulk.h"

#define RADIAN (M_PI / 180)

struct match {
	struct db *db;
	struct arena *arena;
	const struct match_rules *rules;
	struct object *set;
	struct match_wish *wishes;
	size_t *left; /* of the set: without a target yet */
	size_t nleft;
	struct target_wanted *wanted; /* room for all that are left */
};

/* The distance of two directions, in arcseconds (haversine). */
static double
distance(double ra, double dec, double ra2, double dec2)
{
	double s = sin((dec2 - dec) / 2 * RADIAN), t = sin((ra2 - ra) / 2 * RADIAN);
	double h = s * s + cos(dec * RADIAN) * cos(dec2 * RADIAN) * t * t;

	return 2 * asin(sqrt(fmin(1, h))) / RADIAN * 3600;
}

/* Takes those with a target off the list. */
static void
strike_out(struct match *m)
{
	size_t n = 0;

	for (size_t k = 0; k < m->nleft; k++)
		if (m->set[m->left[k]].target_id == 0)
			m->left[n++] = m->left[k];
	m->nleft = n;
}

static void
want(struct match *m, size_t k, const struct object *o)
{
	m->wanted[k] = (struct target_wanted){ .name = o->name, .ra = o->ra, .dec = o->dec };
}

/* Which of some targets may take in what the stream brings, sorted. */
struct permit {
	int64_t target; /* first, for compare_targets() */
	bool takes;
	bool named; /* the names of its objects, too */
};
struct permits {
	struct permit *list;
	size_t n;
};

static int
compare_targets(const void *x, const void *y)
{
	int64_t l = *(const int64_t *)x, r = *(const int64_t *)y;

	return (l > r) - (l < r);
}

static enum db_result
find_permits(struct db *db, struct arena *a, const struct match_rules *rules, const int64_t *ids,
    size_t n, struct permits *out)
{
	const struct audience u = audience_of(a, rules->permissions, rules->groups, rules->ngroups);
	bool all = rules->create == CREATE_ALL;
	struct audience_fit *fits;
	enum db_result r = audience_fits(db, a, &u, rules->source, ids, n, &fits, &out->n);

	out->list = arena_array(a, n + 1, sizeof(*out->list));
	for (size_t i = 0; r == DB_END && i < out->n; i++) {
		const struct audience_fit *f = &fits[i];

		out->list[i] = (struct permit){ .target = f->target,
			.takes = (!all || f->covered) &&
			    (rules->shares_data ? f->source_within && (!all || f->source_covered)
			                        : f->within),
			.named = f->within };
	}
	return r;
}

static const struct permit *
permit_of(const struct permits *p, int64_t target)
{
	static const struct permit none = { 0 };
	const struct permit *found = p->n == 0
	    ? NULL
	    : bsearch(&target, p->list, p->n, sizeof(*p->list), compare_targets);

	return found == NULL ? &none : found;
}

/* Strikes the targets out that may not be taken; those that were made just now may. */
static enum db_result
permit(struct db *db, struct arena *a, const struct match_rules *rules,
    struct target_wanted *wanted, size_t n)
{
	int64_t *ids = arena_array(a, n + 1, sizeof(*ids));
	struct permits permits;
	size_t nids = 0;
	enum db_result r;

	for (size_t i = 0; i < n; i++)
		if (wanted[i].id != 0 && !wanted[i].is_new)
			ids[nids++] = wanted[i].id;
	r = find_permits(db, a, rules, ids, nids, &permits);
	for (size_t i = 0; i < n && r == DB_END; i++)
		if (wanted[i].id != 0 && !wanted[i].is_new &&
		    !permit_of(&permits, wanted[i].id)->takes)
			wanted[i].id = 0;
	return r;
}

enum db_result
match_named(struct db *db, struct arena *a, const struct match_rules *rules,
    struct target_wanted *wanted, size_t n)
{
	enum db_result r = target_find_many(db, a, wanted, n);

	return r == DB_END ? permit(db, a, rules, wanted, n) : r;
}

enum db_result
match_or_make(struct db *db, struct arena *a, const struct match_rules *rules,
    struct target_wanted *wanted, size_t n)
{
	struct target_wanted *others = arena_array(a, n + 1, sizeof(*others));
	size_t *of = arena_array(a, n + 1, sizeof(*of)), nothers = 0;
	enum db_result r = target_find_or_add_many(
	    db, a, wanted, n, rules->permissions, rules->groups, rules->ngroups);

	if (r == DB_END)
		r = permit(db, a, rules, wanted, n);
	for (size_t i = 0; i < n && r == DB_END; i++) {
		struct str name = arena_printf(
		    a, "%.*s (%.*s)", STR_ARG(wanted[i].name), STR_ARG(rules->label));

		if (wanted[i].id != 0 || target_name_wrong(name, a) != NULL)
			continue;
		others[nothers] = wanted[i];
		others[nothers].name = name;
		of[nothers++] = i;
	}
	if (r != DB_END || nothers == 0)
		return r;
	r = target_find_or_add_many(
	    db, a, others, nothers, rules->permissions, rules->groups, rules->ngroups);
	if (r == DB_END)
		r = permit(db, a, rules, others, nothers);
	for (size_t i = 0; i < nothers && r == DB_END; i++) {
		wanted[of[i]].id = others[i].id;
		wanted[of[i]].is_new = others[i].is_new;
	}
	return r;
}

static enum db_result
by_name(struct match *m)
{
	enum db_result r;

	for (size_t k = 0; k < m->nleft; k++)
		want(m, k, &m->set[m->left[k]]);
	r = match_named(m->db, m->arena, m->rules, m->wanted, m->nleft);
	for (size_t k = 0; k < m->nleft && r == DB_END; k++)
		m->set[m->left[k]].target_id = m->wanted[k].id;
	strike_out(m);
	return r;
}

/* A target within the radius of an object. */
struct neighbour {
	size_t object; /* of the set */
	int64_t target;
	double distance; /* arcseconds */
};

/* What is near an object: the nearest target, the next, and how far they are. */
struct near {
	int64_t target, next;
	double distance;
	bool named; /* the nearest gets the object's name */
};

static enum db_result
find_neighbours(struct match *m, const struct buf *strips, struct neighbour **list, size_t *n)
{
	struct query *q = db_query(m->db, QUERY_TARGETS_NEAR);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_text(q, "strips", buf_text(strips));
	while (db_step(q) == DB_ROW) {
		size_t i = (size_t)db_col_int(q, "number");
		const struct object *o = &m->set[i];
		double d = distance(o->ra, o->dec, db_col_real(q, "ra"), db_col_real(q, "decl"));

		if (!(d <= m->rules->radius))
			continue;
		*list = arena_more(m->arena, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = (struct neighbour){ i, db_col_int(q, "id"), d };
	}
	return db_done(q);
}

static enum db_result
find_near(struct match *m, const struct buf *strips, struct near *near)
{
	struct permits permits;
	struct neighbour *list;
	int64_t *ids;
	size_t n;
	enum db_result r = find_neighbours(m, strips, &list, &n);

	if (r != DB_END)
		return r;
	ids = arena_array(m->arena, n + 1, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = list[i].target;
	if ((r = find_permits(m->db, m->arena, m->rules, ids, n, &permits)) != DB_END)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct near *at = &near[list[i].object];
		const struct permit *p = permit_of(&permits, list[i].target);

		if (!p->takes || at->target == list[i].target)
			continue;
		if (at->target == 0 || list[i].distance < at->distance)
			*at = (struct near){ list[i].target, at->target, list[i].distance,
				p->named };
		else
			at->next = list[i].target;
	}
	return DB_END;
}

/* The names of those that joined by their place become aliases. */
static enum db_result
add_aliases(struct match *m, const struct near *near)
{
	struct target_alias *list = arena_array(m->arena, m->nleft, sizeof(*list));
	size_t n = 0;

	for (size_t k = 0; k < m->nleft; k++) {
		const struct object *o = &m->set[m->left[k]];

		if (o->target_id != 0 && near[m->left[k]].target == o->target_id &&
		    near[m->left[k]].named)
			list[n++] = (struct target_alias){ o->target_id, o->name };
	}
	return target_alias_many(m->db, m->arena, list, n);
}

static enum db_result
by_place(struct match *m, size_t n)
{
	struct near *near = arena_array(m->arena, n, sizeof(*near));
	struct cone_strip *strips;
	struct buf text = { 0 };
	enum db_result r = DB_END;

	if (m->rules->radius <= 0 || m->nleft == 0)
		return DB_END;
	strips = arena_array(m->arena, CONE_STRIPS, sizeof(*strips));
	for (size_t k = 0; k < m->nleft; k++) {
		const struct object *o = &m->set[m->left[k]];
		struct cone c = cone_about(o->ra, o->dec, m->rules->radius / 3600);
		size_t count = m->wishes[m->left[k]].moves ? 0 : cone_strips(&c, strips);

		for (size_t s = 0; s < count; s++) {
			buf_printf(&text, "%s[%zu,%d,", text.n == 0 ? "[" : ",", m->left[k],
			    strips[s].zone);
			buf_double(&text, strips[s].from);
			buf_putc(&text, ',');
			buf_double(&text, strips[s].to);
			buf_putc(&text, ']');
		}
	}
	if (text.n > 0) {
		buf_putc(&text, ']');
		r = find_near(m, &text, near);
	}
	buf_free(&text);
	if (r != DB_END)
		return r;
	for (size_t k = 0; k < m->nleft; k++) {
		struct object *o = &m->set[m->left[k]];
		const struct near *found = &near[m->left[k]];

		if (found->target == 0)
			continue;
		if (found->next != 0 && found->distance > m->rules->radius / 2) {
			o->note = OBJECT_SEVERAL;
			continue;
		}
		o->target_id = found->target;
		m->wishes[m->left[k]].joined = true;
	}
	r = add_aliases(m, near);
	strike_out(m);
	return r;
}

/* One that is to be made, to be sorted by declination. */
struct place {
	double ra, dec;
	size_t object; /* of the set */
	size_t
	    leader; /* of the places: the one whose target it shares; itself where it shares none */
};

static int
by_declination(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->dec != b->dec)
		return a->dec < b->dec ? -1 : 1;
	return (a->object > b->object) - (a->object < b->object);
}

/* Those within the radius of one before them, which leads, share its target. */
static void
gather(const struct match *m, struct place *places, size_t n)
{
	double radius = m->rules->radius;

	for (size_t i = 0; i < n; i++) {
		places[i].leader = i;
		for (size_t k = i; radius > 0 && k-- > 0;) {
			if ((places[i].dec - places[k].dec) * 3600 > radius)
				break;
			if (places[k].leader == k &&
			    distance(places[i].ra, places[i].dec, places[k].ra, places[k].dec) <=
			        radius) {
				places[i].leader = k;
				break;
			}
		}
	}
}

static enum db_result
make(struct match *m)
{
	struct place *places = arena_array(m->arena, m->nleft, sizeof(*places));
	struct target_alias *aliases = arena_array(m->arena, m->nleft, sizeof(*aliases));
	size_t *leaders = arena_array(m->arena, m->nleft, sizeof(*leaders));
	size_t n = 0, nleaders = 0, naliases = 0;
	enum db_result r;

	for (size_t k = 0; k < m->nleft; k++) {
		struct object *o = &m->set[m->left[k]];
		const struct match_wish *w = &m->wishes[m->left[k]];

		if (o->note[0] == '\0' && !w->makes)
			o->note = OBJECT_CUT;
		if (o->note[0] != '\0')
			continue;
		if (w->moves)
			leaders[nleaders++] = m->left[k];
		else
			places[n++] = (struct place){ o->ra, o->dec, m->left[k], 0 };
	}
	qsort(places, n, sizeof(*places), by_declination);
	gather(m, places, n);
	for (size_t i = 0; i < n; i++)
		if (places[i].leader == i)
			leaders[nleaders++] = places[i].object;
	for (size_t i = 0; i < nleaders; i++) {
		want(m, i, &m->set[leaders[i]]);
		if (m->wishes[leaders[i]].moves)
			m->wanted[i].ra = m->wanted[i].dec = NAN;
	}
	r = match_or_make(m->db, m->arena, m->rules, m->wanted, nleaders);
	if (r != DB_END)
		return r;
	for (size_t i = 0; i < nleaders; i++) {
		struct object *o = &m->set[leaders[i]];

		o->target_id = m->wanted[i].id;
		if (o->target_id == 0)
			o->note = OBJECT_TAKEN;
		m->wishes[leaders[i]].made = m->wanted[i].is_new;
	}
	for (size_t i = 0; i < n; i++) {
		struct object *o = &m->set[places[i].object];

		if (places[i].leader == i)
			continue;
		o->target_id = m->set[places[places[i].leader].object].target_id;
		if (o->target_id == 0) {
			o->note = OBJECT_TAKEN;
			continue;
		}
		m->wishes[places[i].object].joined = true;
		aliases[naliases++] = (struct target_alias){ o->target_id, o->name };
	}
	return target_alias_many(m->db, m->arena, aliases, naliases);
}

/* Did all that are left pass the cuts? */
static bool
all_made(const struct match *m)
{
	for (size_t k = 0; k < m->nleft; k++)
		if (!m->wishes[m->left[k]].makes)
			return false;
	return true;
}

enum db_result
match_targets(struct db *db, struct arena *a, const struct match_rules *rules, struct object *set,
    struct match_wish *wishes, size_t n)
{
	struct match m = { .db = db, .arena = a, .rules = rules, .set = set, .wishes = wishes };
	enum db_result r;

	m.left = arena_array(a, n, sizeof(*m.left));
	for (size_t i = 0; i < n; i++) {
		set[i].target_id = set[i].known_target;
		set[i].note = "";
		if (set[i].target_id == 0)
			m.left[m.nleft++] = i;
	}
	if (m.nleft == 0 || rules->create == CREATE_NEVER)
		return DB_END;
	m.wanted = arena_array(a, m.nleft, sizeof(*m.wanted));
	/* making looks for names itself: that is enough where nothing stands between */
	if (rules->create != CREATE_ALL || rules->radius > 0 || !all_made(&m)) {
		if ((r = by_name(&m)) != DB_END || (r = by_place(&m, n)) != DB_END)
			return r;
	}
	return rules->create == CREATE_ALL && m.nleft > 0 ? make(&m) : DB_END;
}
