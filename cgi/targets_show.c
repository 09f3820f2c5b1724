/*
 * targets_show: the page of one target.
 *
 * The page's statements (the target, its names, further fields, groups, lists, measurements, how many alerts) are
 * all started before the first is read: one round trip.
 */
#include <math.h>

#include "alert/object_list.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "targets.h"
#include "tom/datum.h"
#include "tom/lightcurve.h"
#include "tom/place.h"

#define CURVE_MAX 20000 /* the newest measurements, of which the curve is drawn */
#define TABLE_ROWS 20

/*
 * A row of datum as a point. A forced measurement that has a limit, or is below 3 sigma, is a limit
 * at 5 sigma, as surveys have it; fluxes are nJy, so AB magnitudes have the zero point 31.4.
 */
static struct lightcurve_point
point_of(const struct datum *d)
{
	struct lightcurve_point p = {
		.mjd = d->mjd,
		.magnitude = d->magnitude,
		.error = d->magnitude_error,
		.band = d->band,
		.source = d->source,
		.forced = d->kind == DATUM_FORCED,
		.difference = d->sign != 0,
		.negative = d->sign < 0 && d->kind != DATUM_LIMIT,
	};

	if (d->kind == DATUM_LIMIT) {
		p.limit = true;
		p.magnitude = d->limit_mag;
	} else if (!isfinite(d->magnitude) && isfinite(d->flux)) {
		double flux = fabs(d->flux);

		p.difference = true;
		p.negative = d->flux < 0;
		if (d->kind == DATUM_DETECTION ||
		    (flux >= 3 * d->flux_error && !isfinite(d->limit_mag))) {
			p.magnitude = 31.4 - 2.5 * log10(flux);
			p.error = 1.0857362 * d->flux_error / flux;
		} else {
			p.limit = true;
			p.negative = false;
			p.magnitude = 31.4 - 2.5 * log10(5 * d->flux_error);
		}
	}
	return p;
}

static const char *
kind_of(const struct lightcurve_point *p)
{
	if (p->limit)
		return p->forced ? "forced, limit" : "limit";
	if (p->negative)
		return p->forced ? "forced, fainter than the reference"
		                 : "detection, fainter than the reference";
	return p->forced ? "forced" : "detection";
}

static void
add_measurements(struct request *req, struct value *page, const struct lightcurve_point *points,
    size_t n, bool more)
{
	struct value *list;
	struct str count = number_count(req->arena, (int64_t)n);

	if (n == 0)
		return;
	list = value_set_list(page, "measurements");
	for (size_t i = n; i > 0 && n - i < TABLE_ROWS; i--) {
		const struct lightcurve_point *p = &points[i - 1];
		struct value *v = value_add_object(list);

		value_set_text(v, "time", clock_minute(req->arena, clock_from_mjd(p->mjd)));
		value_set_text(v, "mjd", number_text(req->arena, p->mjd, 5, false));
		value_set_text(v, "band", p->band);
		value_set_text(v, "magnitude",
		    lightcurve_magnitude(req->arena, p->magnitude, p->error, p->limit));
		value_set_cstr(v, "kind", kind_of(p));
		value_set_text(v, "source", p->source);
	}
	if (n <= TABLE_ROWS)
		value_set_text(
		    page, "rows", arena_printf(req->arena, "%.*s in all.", STR_ARG(count)));
	else
		value_set_text(page, "rows",
		    arena_printf(req->arena, "The latest %d of %s%.*s.", TABLE_ROWS,
		        more ? "more than " : "", STR_ARG(count)));
}

static void
add_curve(struct request *req, struct value *page, struct str name, const struct datum *rows,
    size_t n, bool more)
{
	struct lightcurve_point *points = arena_array(req->arena, n + 1, sizeof(*points));

	for (size_t i = 0; i < n; i++)
		points[i] = point_of(&rows[i]);
	value_set(page, "curve",
	    lightcurve_value(req->arena, name, points, n, more, clock_to_mjd(req->now)));
	add_measurements(req, page, points, n, more);
}

static void
add_pair(struct value *list, const char *label, struct str text)
{
	struct value *v = value_add_object(list);

	value_set_cstr(v, "label", label);
	value_set_text(v, "text", text);
}

/* All fields that have a value and are not shown elsewhere on the page. */
static void
add_facts(struct arena *a, struct value *page, const struct target *t)
{
	struct value *list = value_set_list(page, "facts");
	const struct value *curve = value_get(page, "curve", 5);
	const struct value *last = value_get(value_get(curve, "last", 4), "text", 4);
	const struct value *peak = value_get(value_get(curve, "peak", 4), "text", 4);

	if (last != NULL)
		add_pair(list, "Latest", value_text(last));
	if (peak != NULL)
		add_pair(list, "Brightest", value_text(peak));
	for (size_t i = 0; i < target_nfields; i++) {
		const struct target_field *f = &target_fields[i];
		double x;

		if (f->kind == TARGET_CHOICE && f->offset == offsetof(struct target, scheme) &&
		    t->scheme != SCHEME_NONE)
			add_pair(list, f->label, target_choice_label(t, f));
		if (!target_is_number(f) || f->kind != TARGET_REAL)
			continue;
		x = target_real(t, f);
		if (!isfinite(x))
			continue;
		add_pair(list, f->label,
		    f->unit[0] == '\0' ? real_text(a, x)
		                       : arena_printf(a, "%s %s", real_text(a, x).p, f->unit));
	}
}

static void
add_belongings(struct request *req, struct value *page, const struct target_whole *w)
{
	static const char *const who[] = {
		[TARGET_OPEN] = "Everyone, without signing in.",
		[TARGET_PUBLIC] = "Everyone who is signed in.",
		[TARGET_PRIVATE] = "Its creator and the groups it is shared with.",
	};
	struct value *list;

	if (w->naliases > 0) {
		struct buf b = { 0 };

		for (size_t i = 0; i < w->naliases; i++) {
			buf_puts(&b, i > 0 ? ", " : "");
			buf_str(&b, w->aliases[i].name);
		}
		value_set_text(page, "aliases", arena_str(req->arena, buf_text(&b)));
		buf_free(&b);
	}
	list = value_set_list(page, "extras");
	for (size_t i = 0; i < w->nextras; i++) {
		struct value *v = value_add_object(list);

		value_set_text(v, "label", w->extras[i].key);
		value_set_text(v, "text", w->extras[i].value);
	}
	value_set_bool(page, "has_extras", w->nextras > 0);
	list = value_set_list(page, "lists");
	for (size_t i = 0; i < w->nlists; i++) {
		struct value *v = value_add_object(list);

		value_set_int(v, "id", w->lists[i].id);
		value_set_text(v, "name", w->lists[i].name);
	}
	value_set_bool(page, "has_lists", w->nlists > 0);
	value_set_cstr(page, "who", who[w->target.permissions]);
	list = value_set_list(page, "groups");
	for (size_t i = 0; i < w->ngroups; i++)
		value_add_text(list, w->groups[i].name);
	value_set_bool(page, "has_groups", w->ngroups > 0);
}

static void
add_record(struct request *req, struct value *page, const struct target_whole *w)
{
	const struct target *t = &w->target;
	struct arena *a = req->arena;

	value_set_text(page, "title", t->name);
	value_set_text(page, "name", t->name);
	value_set_int(page, "id", t->id);
	value_set_text(page, "type", target_choice_label(t, target_field_find(STR("type"))));
	value_set_text(page, "permissions", permission_code(t->permissions));
	value_set_text(page, "sight", sight_class(t->permissions));
	value_set_text(page, "created", clock_minute(a, t->created));
	value_set_text(page, "created_iso", clock_iso(a, t->created));
	value_set_text(page, "creator", req->user ? w->creator : STR_NONE);
	if (t->modified > t->created) {
		value_set_text(page, "modified", clock_minute(a, t->modified));
		value_set_text(page, "modified_iso", clock_iso(a, t->modified));
	}
	value_set_bool(page, "may_change", w->may_change);
	value_set_bool(page, "may_delete", w->may_delete);
}

/* "53 alerts of 2 objects", where there are any. */
static void
add_alerts(struct arena *a, struct value *page, int64_t objects, int64_t alerts)
{
	if (objects > 0)
		value_set_text(page, "alerts",
		    arena_printf(a, "%s %s of %s %s", number_count(a, alerts).p,
		        alerts == 1 ? "alert" : "alerts", number_count(a, objects).p,
		        objects == 1 ? "object" : "objects"));
}

int
show_target(struct request *req, struct response *res)
{
	struct value *page = value_object(req->arena);
	struct target_loading *loading;
	struct target_whole w;
	struct query *q, *count;
	struct datum *rows;
	int64_t objects, alerts;
	size_t n;
	bool more;
	enum db_result r, measured, counted;

	/* who works with it is nothing for visitors */
	loading = target_load_start(req->app->db, req->arena, auth_user(req), req->id[0],
	    req->user ? WITH_ALL : WITH_ALIASES | WITH_EXTRAS);
	q = datum_read_start(
	    req->app->db, datum_reader(req->app->config, auth_user(req)), req->id[0], CURVE_MAX);
	count = objects_count_start(req->app->db, req->id[0]);
	r = target_load_end(loading, &w);
	measured = datum_read_end(q, req->arena, CURVE_MAX, &rows, &n, &more);
	counted = objects_count_end(count, &objects, &alerts);
	if (r == DB_END)
		return respond_error(req, res, 404, NULL);
	if (r != DB_ROW || measured != DB_END || counted != DB_END)
		return auth_db_failed(req, res,
		    r != DB_ROW              ? r
		        : measured != DB_END ? measured
		                             : counted);
	add_record(req, page, &w);
	place_show(page, req->arena, w.target.ra, w.target.dec);
	add_curve(req, page, w.target.name, rows, n, more);
	add_facts(req->arena, page, &w.target);
	add_belongings(req, page, &w);
	add_alerts(req->arena, page, objects, alerts);
	return respond_page(req, res, 200, "target", page);
}
