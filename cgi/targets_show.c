/*
 * targets_show: the page of one target.
 *
 * The page's statements (the target, its names, further fields, groups, lists, how many alerts) are all
 * started before the first is read: one round trip. Another one reads the measurements, where who asks
 * may see the target and the worker has not kept them; and one what Scout says, of a target that moves.
 */
#include <math.h>

#include "alert/object_list.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "targets_photometry.h"
#include "tom/place.h"

static void
add_pair(struct value *list, const char *label, struct str text)
{
	struct value *v = value_add_object(list);

	value_set_cstr(v, "label", label);
	value_set_text(v, "text", text);
}

/* In a narrow column: 12 digits are more than any element is known to; the form and CSV have all. */
static struct str
fact_text(struct arena *a, double x)
{
	struct str text = real_text(a, x);

	return text.n <= 14 ? text : arena_printf(a, "%.12g", x);
}

/* All fields that have a value and are not shown elsewhere on the page. */
static void
add_facts(struct arena *a, struct value *page, const struct target *t, bool ranged)
{
	struct value *list = value_set_list(page, "facts");
	const struct value *curve = value_get(page, "curve", 5);
	const struct value *last = value_get(value_get(curve, "last", 4), "text", 4);
	const struct value *peak = value_get(value_get(curve, "peak", 4), "text", 4);

	if (last != NULL)
		add_pair(list, ranged ? "Latest in the range" : "Latest", value_text(last));
	if (peak != NULL)
		add_pair(list, ranged ? "Brightest in the range" : "Brightest", value_text(peak));
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
		    f->unit[0] == '\0' ? fact_text(a, x)
		                       : arena_printf(a, "%s %s", fact_text(a, x).p, f->unit));
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
	struct photometry photometry;
	struct query *count;
	int64_t objects, alerts;
	enum db_result r, measured = DB_END, counted, told = DB_END;

	/* who works with it is nothing for visitors */
	loading = target_load_start(req->app->db, req->arena, auth_user(req), req->id[0],
	    req->user ? WITH_ALL : WITH_ALIASES | WITH_EXTRAS);
	count = objects_count_start(req->app->db, auth_user(req),
	    datum_reader(req->app->config, auth_user(req)), req->id[0]);
	r = target_load_end(loading, &w);
	if (r == DB_ROW)
		photometry_start(req, &photometry, w.target.id, w.revision);
	counted = objects_count_end(count, &objects, &alerts);
	if (r == DB_ROW)
		measured = photometry_end(req, &photometry);
	if (r == DB_ROW && measured == DB_END && counted == DB_END)
		told = add_scout(req, page, &w.target);
	if (r == DB_END)
		return respond_error(req, res, 404, NULL);
	if (r != DB_ROW || measured != DB_END || counted != DB_END || told != DB_END)
		return auth_db_failed(req, res,
		    r != DB_ROW              ? r
		        : measured != DB_END ? measured
		        : counted != DB_END  ? counted
		                             : told);
	add_record(req, page, &w);
	place_show(page, req->arena, w.target.ra, w.target.dec);
	photometry_add_curve(req, page, &photometry, w.target.name);
	photometry_add_table(req, page, &photometry);
	add_facts(req->arena, page, &w.target, photometry.ranged);
	add_belongings(req, page, &w);
	add_alerts(req->arena, page, objects, alerts);
	return respond_page(req, res, photometry.wrong != NULL ? 400 : 200, "target", page);
}
