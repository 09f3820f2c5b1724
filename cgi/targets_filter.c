/*
 * targets_filter: the filter bar of the list, and the filters that are applied, as chips.
 *
 * Filters are keys of the query string (tom/target_list.h), so a list can be kept as a link. The
 * bar has friendlier fields for the cone (cone, radius, unit): they are made the key cone_search
 * or target_cone_search, and the visitor is sent there.
 */
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "sky/angle.h"
#include "targets_list.h"

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

static const struct cone_unit {
	const char *value, *label, *mark;
	double degrees;
} units[] = {
	{ "arcmin", "arcmin", "\xe2\x80\xb2", 1.0 / 60 },
	{ "arcsec", "arcsec", "\xe2\x80\xb3", 1.0 / 3600 },
	{ "deg", "deg", "\xc2\xb0", 1 },
};

static const struct cone_unit *
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

	while (str_find(s, '.') < s.n && s.p[s.n - 1] == '0')
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

struct str
targets_link(struct request *req, const char *const without[], const char *name, struct str value)
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

static const char *const cone_keys[] = { "after", "page", "cone", "radius", "unit", "cone_search",
	"target_cone_search", NULL };

/* A size in few digits, however small it is. */
static struct str
size_text(struct arena *a, double value, int digits)
{
	return arena_printf(a, "%.*g", digits, value);
}

bool
targets_filter_redirect(struct targets_list *l, struct response *res)
{
	struct request *req = l->req;
	struct str value, radius = str_trim(pairs_get(&req->get, "radius"));
	enum position found;
	const char *why;
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
	radius = size_text(l->arena, r * l->unit->degrees, 9);
	found = position_parse(l->cone, &ra, &dec, &why);
	if (found == POSITION_WRONG) {
		problem_add(&l->problems, l->arena, "cone", str_of(why));
		return false;
	}
	if (found == POSITION) {
		value = arena_printf(l->arena, "%s,%s,%s", trimmed(l->arena, ra, 7).p,
		    trimmed(l->arena, dec, 7).p, radius.p);
		value = targets_link(req, cone_keys, "cone_search", value);
	} else {
		value = arena_printf(l->arena, "%.*s,%s", STR_ARG(l->cone), radius.p);
		value = targets_link(req, cone_keys, "target_cone_search", value);
	}
	respond_redirect(req, res, arena_printf(l->arena, "/targets/%.*s", STR_ARG(value)));
	return true;
}

/* Is what was given for the key not applied? */
static bool
is_wrong(const struct targets_list *l, const char *key)
{
	for (size_t i = 0; i < l->problems.n; i++)
		if (strcmp(l->problems.list[i].field, key) == 0)
			return true;
	return false;
}

/* The cone that is applied, as the form's fields show it. */
static void
show_cone(struct targets_list *l, double radius, struct str centre)
{
	l->unit = radius < 1.0 / 60 ? &units[1] : radius < 1 ? &units[0] : &units[2];
	l->radius = size_text(l->arena, radius / l->unit->degrees, 6);
	l->cone = centre;
}

static void
fill_cone(struct targets_list *l)
{
	struct str text = pairs_get(&l->req->get, "target_cone_search");
	double radius;

	if (!str_empty(l->cone))
		return;
	/* where both are given only the other is applied */
	if (!str_empty(text) && !(l->query.by_cone && is_wrong(l, "target_cone_search"))) {
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

/* What was not applied, and which of the bar's fields that is about. */
static void
add_problems(const struct targets_list *l, struct value *f)
{
	static const struct {
		const char *key, *mark;
	} fields[] = {
		{ "name", "name_wrong" },
		{ "type", "type_wrong" },
		{ "targetlist__name", "list_wrong" },
		{ "cone", "cone_wrong" },
		{ "cone_search", "cone_wrong" },
		{ "target_cone_search", "cone_wrong" },
		{ "name_fuzzy", "fuzzy_wrong" },
		{ "key", "key_wrong" },
		{ "value", "value_wrong" },
	};
	struct str all = STR_NONE;

	for (size_t i = 0; i < NELEM(fields); i++)
		value_set_bool(f, fields[i].mark, false);
	for (size_t i = 0; i < l->problems.n; i++) {
		const struct problem *p = &l->problems.list[i];

		all = arena_printf(
		    l->arena, "%s%s%s", all.p ? all.p : "", all.p ? " " : "", p->why.p);
		for (size_t k = 0; k < NELEM(fields); k++)
			if (strcmp(p->field, fields[k].key) == 0)
				value_set_bool(f, fields[k].mark, true);
	}
	value_set_text(f, "why", all);
}

/* The filter bar, with what is applied in it. */
void
targets_filter_add(struct targets_list *l, struct value *page)
{
	const struct pairs *get = &l->req->get;
	struct value *f = value_set_object(page, "filter");
	struct value *options = value_set_list(f, "types");
	const struct target_field *type = target_field_find(STR("type"));
	struct str chosen = pairs_get(get, "type");

	/* Each is set, if only to null: a name that is not there would be looked for outside. */
	value_set_text(f, "name", pairs_get(get, "name"));
	/* has no field that it could be taken out of */
	value_set_text(f, "query", is_wrong(l, "query") ? STR_NONE : pairs_get(get, "query"));
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
	value_set_bool(f, "has_lists", l->nlists > 0);
	for (size_t i = 0; i < l->nlists; i++)
		add_option(options, arena_printf(l->arena, "%lld", (long long)l->lists[i].id),
		    l->lists[i].name, l->query.list == l->lists[i].id);
	if (!l->unit)
		l->unit = &units[0];
	fill_cone(l);
	value_set_text(f, "cone", l->cone);
	value_set_text(f, "radius", str_empty(l->cone) ? STR("5") : l->radius);
	options = value_set_list(f, "units");
	for (size_t i = 0; i < NELEM(units); i++)
		add_option(
		    options, str_of(units[i].value), str_of(units[i].label), l->unit == &units[i]);
	add_problems(l, f);
}

static struct str
chip_text(struct targets_list *l, size_t i, struct str value)
{
	const struct target_field *type = target_field_find(STR("type"));

	if (strcmp(filters[i].key, "type") == 0 && l->query.by_type)
		return str_of(type->labels[l->query.type]);
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
void
targets_filter_add_chips(struct targets_list *l, struct value *page)
{
	struct value *chips = value_set_list(page, "chips");

	for (size_t i = 0; i < NELEM(filters); i++) {
		struct str value = pairs_get(&l->req->get, filters[i].key);
		const char *const without[] = { filters[i].key, "after", "page", NULL };
		struct value *v;

		if (str_empty(value) || is_wrong(l, filters[i].key))
			continue;
		v = value_add_object(chips);
		value_set_text(v, "text", chip_text(l, i, value));
		value_set_text(v, "link", targets_link(l->req, without, NULL, STR_NONE));
	}
	value_set_bool(page, "has_chips", value_count(chips) > 0);
}
