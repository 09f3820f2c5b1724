/*
 * targets_list: the list with its filters, the way from a name to its target, and the catalogue to
 * start with.
 *
 * Filters are keys of the query string (tom/target_list.h), so a list can be kept as a link. The
 * form has friendlier fields for the cone (cone, radius, unit): they are made the key cone_search
 * or target_cone_search, and the visitor is sent there.
 */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "sky/angle.h"
#include "targets.h"
#include "tom/skymap.h"
#include "tom/target_list.h"

/* The filters, in the order of their chips. */
static const struct {
	const char *key, *says;
} filters[] = {
	{ "name", "name has" },
	{ "query", "name has" },
	{ "name_fuzzy", "named" },
	{ "type", "" },
	{ "targetlist__name", "list" },
	{ "cone_search", "" },
	{ "target_cone_search", "" },
	{ "key", "field" },
	{ "value", "value" },
};

static const struct unit {
	const char *value, *label, *mark;
	double degrees;
} units[] = {
	{ "arcmin", "arcmin", "\xe2\x80\xb2", 1.0 / 60 },
	{ "arcsec", "arcsec", "\xe2\x80\xb3", 1.0 / 3600 },
	{ "deg", "deg", "\xc2\xb0", 1 },
};

/* What a page is made of. */
struct list {
	struct request *req;
	struct arena *arena;
	struct target_query query;
	struct problems problems;
	struct target_named *lists;
	size_t nlists;
	struct str cone, radius; /* as the form shows them */
	const struct unit *unit;
};

static const struct unit *
unit_named(struct str name)
{
	for (size_t i = 0; i < NELEM(units); i++)
		if (str_is(name, units[i].value))
			return &units[i];
	return &units[0];
}

/* Up to so many decimals, without zeros at the end. */
static struct str
trimmed(struct arena *a, double value, unsigned decimals)
{
	struct str s = number_text(a, value, decimals, false);

	if (str_find(s, '.') == s.n)
		return s;
	while (s.p[s.n - 1] == '0')
		s.n--;
	if (s.p[s.n - 1] == '.')
		s.n--;
	return arena_str(a, s);
}

static bool
is_one_of(struct str name, const char *const names[])
{
	for (; *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

static void
put_pair(struct buf *b, struct arena *a, struct str name, struct str value)
{
	buf_putc(b, b->n == 0 ? '?' : '&');
	buf_str(b, url_encode(a, name));
	buf_putc(b, '=');
	buf_str(b, url_encode(a, value));
}

/*
 * The query string of this page without the pairs named (and empty ones), and with one more where
 * `name` is given. "?" alone where nothing is left, so that a link is never empty.
 */
static struct str
link_without(struct request *req, const char *const without[], const char *name, struct str value)
{
	struct buf b = { 0 };
	struct str s;

	for (size_t i = 0; i < req->get.n; i++) {
		const struct pair *p = &req->get.list[i];

		if (str_empty(p->value) || is_one_of(p->name, without) ||
		    (name && str_is(p->name, name)))
			continue;
		put_pair(&b, req->arena, p->name, p->value);
	}
	if (name)
		put_pair(&b, req->arena, str_of(name), value);
	s = b.n > 0 ? arena_str(req->arena, buf_text(&b)) : STR("?");
	buf_free(&b);
	return s;
}

static const char *const paging[] = { "after", "page", NULL };
static const char *const no_order[] = { "after", "page", "sort", NULL };
static const char *const cone_keys[] = { "after", "page", "cone", "radius", "unit", "cone_search",
	"target_cone_search", NULL };

/*
 * Two angles in one text: divided by a comma, by the sign of the second, or in the middle of an
 * even number of words. False where they are no position.
 */
static bool
read_position(struct str text, double *ra, double *dec)
{
	size_t cut = str_find(text, ','), words = 0, starts[8];
	struct str first, second;

	if (cut == text.n) {
		for (cut = 1; cut < text.n; cut++)
			if (text.p[cut - 1] == ' ' &&
			    (text.p[cut] == '+' || text.p[cut] == '-' ||
			        strncmp(text.p + cut, "\xe2\x88\x92", 3) == 0))
				break;
	}
	if (cut >= text.n) {
		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] != ' ' && (i == 0 || text.p[i - 1] == ' ')) {
				if (words == NELEM(starts))
					return false;
				starts[words++] = i;
			}
		if (words == 0 || words % 2 != 0)
			return false;
		cut = starts[words / 2];
	}
	first = str_trim((struct str){ text.p, cut });
	if (text.p[cut] == ',')
		cut++;
	second = str_trim((struct str){ text.p + cut, text.n - cut });
	return angle_parse(first, ANGLE_RA, ra) == NULL &&
	    angle_parse(second, ANGLE_DEC, dec) == NULL;
}

/*
 * The friendly cone fields. True: the response is a redirect to the list with the cone as TOM
 * Toolkit writes it. False: there is none, or it is wrong (a problem about "cone").
 */
static bool
redirect_cone(struct list *l, struct response *res)
{
	struct request *req = l->req;
	struct str value, radius = str_trim(pairs_get(&req->get, "radius"));
	double ra, dec, r;

	l->cone = str_trim(pairs_get(&req->get, "cone"));
	if (str_empty(l->cone))
		return false;
	l->unit = unit_named(pairs_get(&req->get, "unit"));
	l->radius = radius.p ? radius : STR("");
	if (!str_to_double(radius, &r) || !(r > 0) || r * l->unit->degrees > 180) {
		problem_add(&l->problems, l->arena, "cone",
		    STR("Radius: give a number greater than 0, up to 180 degrees."));
		return false;
	}
	radius = trimmed(l->arena, r * l->unit->degrees, 9);
	if (read_position(l->cone, &ra, &dec)) {
		struct str x = trimmed(l->arena, ra, 7), y = trimmed(l->arena, dec, 7);

		value = arena_printf(
		    l->arena, "%.*s,%.*s,%.*s", STR_ARG(x), STR_ARG(y), STR_ARG(radius));
		value = link_without(req, cone_keys, "cone_search", value);
	} else {
		value = arena_printf(l->arena, "%.*s,%.*s", STR_ARG(l->cone), STR_ARG(radius));
		value = link_without(req, cone_keys, "target_cone_search", value);
	}
	respond_redirect(req, res, arena_printf(l->arena, "/targets/%.*s", STR_ARG(value)));
	return true;
}

/* The cone that is applied, as the form's fields show it. */
static void
show_cone(struct list *l, double radius, struct str centre)
{
	l->unit = radius < 1.0 / 60 ? &units[1] : radius < 1 ? &units[0] : &units[2];
	l->radius = trimmed(l->arena, radius / l->unit->degrees, 4);
	l->cone = centre;
}

static void
fill_cone(struct list *l)
{
	struct str text = pairs_get(&l->req->get, "target_cone_search");
	double radius;

	if (!str_empty(l->cone))
		return;
	if (!str_empty(text)) {
		size_t cut = text.n;

		while (cut > 0 && text.p[cut - 1] != ',')
			cut--;
		if (cut > 0 &&
		    str_to_double(str_trim((struct str){ text.p + cut, text.n - cut }), &radius))
			show_cone(l, radius, str_trim((struct str){ text.p, cut - 1 }));
		else
			l->cone = text;
		return;
	}
	text = pairs_get(&l->req->get, "cone_search");
	if (l->query.by_cone && !str_empty(text)) {
		const struct cone *c = &l->query.cone;
		struct str ra = trimmed(l->arena, c->ra, 7), dec = trimmed(l->arena, c->dec, 7);

		show_cone(
		    l, c->radius, arena_printf(l->arena, "%.*s %.*s", STR_ARG(ra), STR_ARG(dec)));
	} else if (text.p)
		l->cone = text;
}

static void
add_option(struct value *list, struct str value, struct str label, bool selected)
{
	struct value *v = value_add_object(list);

	value_set_text(v, "value", value);
	value_set_text(v, "label", label);
	value_set_bool(v, "selected", selected);
}

/* The filter bar, with what is applied in it. */
static void
add_filter(struct list *l, struct value *page)
{
	const struct pairs *get = &l->req->get;
	struct value *f = value_set_object(page, "filter");
	struct value *options = value_set_list(f, "types");
	const struct target_field *type = target_field_find(STR("type"));
	struct str chosen = pairs_get(get, "type");

	/* Each is set, if only to null: a name that is not there would be looked for outside. */
	value_set_text(f, "name", pairs_get(get, "name"));
	value_set_text(f, "name_fuzzy", pairs_get(get, "name_fuzzy"));
	value_set_text(f, "key", pairs_get(get, "key"));
	value_set_text(f, "value_is", pairs_get(get, "value"));
	value_set_text(f, "sort", pairs_get(get, "sort"));
	value_set_bool(f, "more",
	    !str_empty(pairs_get(get, "name_fuzzy")) || !str_empty(pairs_get(get, "key")) ||
	        !str_empty(pairs_get(get, "value")));
	for (size_t i = 0; type->codes[i]; i++)
		add_option(options, str_of(type->codes[i]), str_of(type->labels[i]),
		    str_is(chosen, type->codes[i]));
	options = value_set_list(f, "lists");
	for (size_t i = 0; i < l->nlists; i++)
		add_option(options, arena_printf(l->arena, "%lld", (long long)l->lists[i].id),
		    l->lists[i].name, l->query.list == l->lists[i].id);
	fill_cone(l);
	value_set_text(f, "cone", l->cone);
	value_set_text(f, "radius", str_empty(l->cone) ? STR("5") : l->radius);
	options = value_set_list(f, "units");
	for (size_t i = 0; i < NELEM(units); i++)
		add_option(
		    options, str_of(units[i].value), str_of(units[i].label), l->unit == &units[i]);
	value_set_null(f, "why");
	if (l->problems.n > 0) {
		const struct problem *p = &l->problems.list[0];

		value_set_text(f, "why", p->why);
		value_set_bool(f, strstr(p->field, "cone") ? "cone_why" : "name_why", true);
	}
}

static struct str
chip_text(struct list *l, size_t i, struct str value)
{
	if (str_is(value, "SIDEREAL") || str_is(value, "NON_SIDEREAL"))
		return str_of(value.p[0] == 'S' ? "Sidereal" : "Non-sidereal");
	if (strcmp(filters[i].key, "targetlist__name") == 0)
		for (size_t k = 0; k < l->nlists; k++)
			if (l->lists[k].id == l->query.list)
				value = l->lists[k].name;
	if (strstr(filters[i].key, "cone"))
		return str_empty(l->radius)
		    ? value
		    : arena_printf(l->arena, "within %.*s%s of %.*s", STR_ARG(l->radius),
		          l->unit->mark, STR_ARG(l->cone));
	return arena_printf(l->arena, "%s %.*s", filters[i].says, STR_ARG(value));
}

/* What is applied, each a link to the list without it. */
static void
add_chips(struct list *l, struct value *page)
{
	struct value *chips = value_set_list(page, "chips");

	for (size_t i = 0; i < NELEM(filters); i++) {
		struct str value = pairs_get(&l->req->get, filters[i].key);
		const char *const without[] = { filters[i].key, "after", "page", NULL };
		struct value *v;

		if (str_empty(value))
			continue;
		v = value_add_object(chips);
		value_set_text(v, "text", chip_text(l, i, value));
		value_set_text(v, "link", link_without(l->req, without, NULL, STR_NONE));
	}
	value_set_bool(page, "has_chips", value_count(chips) > 0);
}

static const struct column {
	const char *label, *sort;
	enum target_sort by;
	bool newest; /* sorts downwards at first */
	const char *up, *down; /* the order in words */
} columns[] = {
	{ "Name", "name", SORT_NAME, false, "by name", "by name, backwards" },
	{ "Type", "type", SORT_TYPE, false, "by type", "by type, backwards" },
	{ "RA, Dec (ICRS)", "ra", SORT_RA, false, "by right ascension",
	    "by right ascension, backwards" },
	{ "Visible", NULL, SORT_CREATED, false, "", "" },
	{ "Created", "created", SORT_CREATED, true, "oldest first", "newest first" },
	{ "Changed", "modified", SORT_MODIFIED, true, "changed longest ago first",
	    "last changed first" },
};

static const char *
order_text(const struct target_query *q)
{
	for (size_t i = 0; i < NELEM(columns); i++)
		if (columns[i].sort && columns[i].by == q->sort)
			return q->descending ? columns[i].down : columns[i].up;
	return q->descending ? "by declination, backwards" : "by declination";
}

/* The heads of the columns: links that sort, and say how it is sorted now. */
static void
add_columns(struct list *l, struct value *page)
{
	struct value *list = value_set_list(page, "columns");

	for (size_t i = 0; i < NELEM(columns); i++) {
		const struct column *c = &columns[i];
		struct value *v = value_add_object(list);
		bool sorted = c->sort && l->query.sort == c->by;
		bool down = sorted ? !l->query.descending : c->newest;

		value_set_cstr(v, "label", c->label);
		value_set_text(v, "link",
		    c->sort ? link_without(l->req, paging, "sort",
		                  arena_printf(l->arena, "%s%s", down ? "-" : "", c->sort))
		            : STR_NONE);
		value_set_cstr(v, "sorted",
		    !sorted                   ? NULL
		        : l->query.descending ? "descending"
		                              : "ascending");
	}
}

/* "17 41 22.84 +38 14 07.3"; absent where there is none. */
static struct str
position(struct arena *a, const struct target *t)
{
	struct str ra = angle_ra_text(a, t->ra), dec = angle_dec_text(a, t->dec);
	char *text;

	if (!ra.p || !dec.p)
		return STR_NONE;
	text = arena_alloc(a, ra.n + dec.n + 2);
	memcpy(text, ra.p, ra.n);
	text[ra.n] = ' ';
	memcpy(text + ra.n + 1, dec.p, dec.n);
	return (struct str){ text, ra.n + 1 + dec.n };
}

static void
add_rows(struct list *l, struct value *page, const struct target_page *found)
{
	struct value *list = value_set_list(page, "targets");
	struct skymap_point *points = arena_array(l->arena, found->n + 1, sizeof(*points));

	for (size_t i = 0; i < found->n; i++) {
		const struct target_row *row = &found->rows[i];
		const struct target *t = &row->target;
		struct value *v = value_add_object(list);

		points[i] = (struct skymap_point){ t->id, t->name, t->ra, t->dec };
		value_set_int(v, "id", t->id);
		value_set_text(v, "name", t->name);
		value_set_text(v, "aliases", row->aliases);
		value_set_cstr(v, "type", t->type == TARGET_SIDEREAL ? "Sidereal" : "Non-sidereal");
		value_set_text(v, "position", position(l->arena, t));
		value_set_text(v, "sight", sight_class(t->permissions));
		value_set_text(v, "permissions", permission_code(t->permissions));
		value_set_text(v, "created", clock_minute(l->arena, t->created));
		value_set_text(v, "modified", clock_minute(l->arena, t->modified));
		value_set_bool(v, "unchanged", t->modified - t->created < MINUTE);
	}
	value_set_bool(page, "has_targets", found->n > 0);
	if (found->n > 0)
		skymap_show(page, points, found->n, l->req->now, l->arena);
}

static struct str
count_text(struct list *l, const struct target_page *found)
{
	const char *match = target_query_filters(&l->query) ? " match" : "";
	struct str n = number_count(l->arena, found->count);

	if (found->count > TARGET_COUNT_MAX)
		return arena_printf(l->arena, "More than 1,000%s", match);
	if (match[0] != '\0')
		return arena_printf(
		    l->arena, "%.*s match%s", STR_ARG(n), found->count == 1 ? "es" : "");
	return arena_printf(l->arena, "%.*s target%s", STR_ARG(n), found->count == 1 ? "" : "s");
}

static void
add_pager(struct list *l, struct value *page, const struct target_page *found)
{
	struct request *req = l->req;
	const char *of = found->count > TARGET_COUNT_MAX ? "more than 1,000"
	                                                 : number_count(l->arena, found->count).p;
	bool later = !str_empty(l->query.after) || l->query.page > 1;

	if (!later && !found->next.p && !found->previous.p)
		return;
	value_set_bool(page, "has_pages", true);
	value_set_text(page, "pager_text",
	    found->partial
	        ? arena_printf(l->arena, "%zu so far, %s. \"Next\" looks further.", found->n,
	              order_text(&l->query))
	        : arena_printf(l->arena, "%zu of %s, %s", found->n, of, order_text(&l->query)));
	if (later)
		value_set_text(page, "first", link_without(req, paging, NULL, STR_NONE));
	if (found->previous.p)
		value_set_text(
		    page, "previous", link_without(req, paging, "after", found->previous));
	if (found->next.p)
		value_set_text(page, "next_page", link_without(req, paging, "after", found->next));
}

static int
show_list(struct list *l, struct response *res, const struct target_page *found)
{
	struct request *req = l->req;
	struct value *page = value_object(l->arena);
	bool asked = target_query_filters(&l->query) || l->problems.n > 0;
	bool none = found->n == 0 && !found->next.p && !found->previous.p;

	value_set_cstr(page, "title", "Targets");
	value_set_bool(page, "none_at_all", none && !asked);
	value_set_text(page, "count_text", count_text(l, found));
	add_filter(l, page);
	add_chips(l, page);
	add_columns(l, page);
	add_rows(l, page, found);
	add_pager(l, page, found);
	value_set_cstr(page, "order", order_text(&l->query));
	if (none && asked) {
		value_set_bool(page, "none_match", true);
		value_set_text(page, "why",
		    !str_empty(found->why)
		        ? found->why
		        : STR("Try a shorter part of the name, or fewer filters."));
	}
	if (may_search_all(req) && found->n > 0) {
		value_set_bool(page, "may_export", true);
		value_set_text(page, "export_query", link_without(req, no_order, NULL, STR_NONE));
	}
	return respond_page(req, res, l->problems.n > 0 ? 400 : 200, "targets", page);
}

int
list_targets(struct request *req, struct response *res)
{
	struct list l = { .req = req, .arena = req->arena, .unit = &units[0] };
	struct target_page found;
	enum db_result r;

	if (redirect_cone(&l, res))
		return 0;
	target_query_read(&l.query, &req->get, &l.problems, req->arena);
	if (!target_query_is_cheap(&l.query) && !may_search_all(req))
		return ask_to_sign_in(req, res);
	r = target_find(req->app->db, req->arena, auth_user(req), &l.query, &found);
	if (r == DB_END)
		r = target_lists(req->app->db, req->arena, 200, &l.lists, &l.nlists);
	if (r != DB_END)
		return auth_db_failed(req, res, r);
	return show_list(&l, res, &found);
}

int
find_by_name(struct request *req, struct response *res)
{
	struct str text = str_trim(req->capture[0]);
	struct target_query q = { .name = text };
	int64_t id;
	enum db_result r;

	if (str_empty(text))
		return respond_redirect(req, res, STR("/targets/"));
	if (!target_query_is_cheap(&q) && !may_search_all(req))
		return ask_to_sign_in(req, res);
	r = target_find_named(req->app->db, req->arena, auth_user(req), text, &id);
	if (r == DB_ROW)
		return respond_redirect(
		    req, res, arena_printf(req->arena, "/targets/%lld/", (long long)id));
	if (r != DB_END)
		return auth_db_failed(req, res, r);
	text = url_encode(req->arena, text);
	return respond_redirect(
	    req, res, arena_printf(req->arena, "/targets/?name=%.*s", STR_ARG(text)));
}

int
seed_form(struct request *req, struct response *res)
{
	return respond_redirect(req, res, STR("/targets/"));
}

int
seed(struct request *req, struct response *res)
{
	struct target_seeded s = { 0 };
	struct str text;
	enum db_result r = target_seed_messier(req->app->db, req->arena, auth_user(req), &s);

	if (r != DB_END)
		return auth_db_failed(req, res, r);
	text = arena_printf(req->arena, "Messier catalogue: %zu added, %zu were there already.",
	    s.added, s.present);
	if (s.unseen > 0)
		text = arena_printf(
		    req->arena, "%s %zu names belong to targets of others.", text.p, s.unseen);
	respond_message(req, res, "ok", text);
	return respond_redirect(req, res,
	    arena_printf(req->arena, "/targets/?targetlist__name=%lld", (long long)s.list));
}
