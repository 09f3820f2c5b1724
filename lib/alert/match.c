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

static enum db_result
by_name(struct match *m)
{
	enum db_result r;

	for (size_t k = 0; k < m->nleft; k++)
		want(m, k, &m->set[m->left[k]]);
	r = target_find_many(m->db, m->arena, m->wanted, m->nleft);
	for (size_t k = 0; k < m->nleft && r == DB_END; k++)
		m->set[m->left[k]].target_id = m->wanted[k].id;
	strike_out(m);
	return r;
}

/* What is near an object: the nearest target, the next, and how far they are. */
struct near {
	int64_t target, next;
	double distance;
};

static enum db_result
find_near(struct match *m, const struct buf *strips, struct near *near)
{
	struct query *q = db_query(m->db, QUERY_TARGETS_NEAR);

	db_text(q, "strips", buf_text(strips));
	db_bool(
	    q, "shown", m->rules->create == CREATE_ALL && m->rules->permissions != TARGET_PRIVATE);
	while (db_step(q) == DB_ROW) {
		size_t i = (size_t)db_col_int(q, "number");
		const struct object *o = &m->set[i];
		int64_t target = db_col_int(q, "id");
		double d = distance(o->ra, o->dec, db_col_real(q, "ra"), db_col_real(q, "decl"));

		if (!(d <= m->rules->radius) || near[i].target == target)
			continue;
		if (near[i].target == 0 || d < near[i].distance) {
			near[i].next = near[i].target;
			near[i].target = target;
			near[i].distance = d;
		} else
			near[i].next = target;
	}
	return db_done(q);
}

/* The names of those that joined by their place become aliases. */
static enum db_result
add_aliases(struct match *m, const struct near *near)
{
	struct target_alias *list = arena_array(m->arena, m->nleft, sizeof(*list));
	size_t n = 0;

	for (size_t k = 0; k < m->nleft; k++) {
		const struct object *o = &m->set[m->left[k]];

		if (o->target_id != 0 && near[m->left[k]].target == o->target_id)
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
	r = target_find_or_add_many(m->db, m->arena, m->wanted, nleaders, m->rules->permissions,
	    m->rules->groups, m->rules->ngroups);
	if (r != DB_END)
		return r;
	for (size_t i = 0; i < nleaders; i++) {
		m->set[leaders[i]].target_id = m->wanted[i].id;
		m->wishes[leaders[i]].made = m->wanted[i].is_new;
	}
	for (size_t i = 0; i < n; i++) {
		struct object *o = &m->set[places[i].object];

		if (places[i].leader == i)
			continue;
		o->target_id = m->set[places[places[i].leader].object].target_id;
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
	/* make() looks for names itself: that is enough where nothing stands between */
	if (rules->create != CREATE_ALL || rules->radius > 0 || !all_made(&m)) {
		if ((r = by_name(&m)) != DB_END || (r = by_place(&m, n)) != DB_END)
			return r;
	}
	return rules->create == CREATE_ALL && m.nleft > 0 ? make(&m) : DB_END;
}
