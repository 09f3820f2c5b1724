/*
 * alerts_objects: the objects of surveys, and one with its alerts.
 *
 *	survey, name	the beginning of a name, in the survey's own letters; then the list is by name
 *	cone, radius	a position, and arcseconds about it
 *	after		where a page begins: a key that the one before gave
 */
#include <inttypes.h>

#include "alert/object.h"
#include "alert/object_list.h"
#include "alerts.h"
#include "base/clock.h"
#include "base/number.h"
#include "http/form.h"
#include "sky/angle.h"
#include "tom/datum.h"
#include "tom/place.h"

#define SURVEYS 100 /* that the filter names */
#define ALERTS ((size_t)50) /* of a page */

enum { SURVEY, NAME, CONE, RADIUS, FILTERS };
static const struct field filter_fields[FILTERS] = {
	[SURVEY] = { "survey", FIELD_TEXT, .max = 100, .label = "Survey" },
	[NAME] = { "name", FIELD_TEXT, .max = OBJECT_NAME_MAX, .label = "Name begins with" },
	[CONE] = { "cone", FIELD_TEXT, .max = 100, .label = "Position" },
	[RADIUS] = { "radius", FIELD_TEXT, .max = 30, .label = "Radius, arcsec" },
};

struct objects {
	struct request *req;
	struct object_query query;
	struct input in[FILTERS];
	struct str *surveys;
	size_t nsurveys;
};

static struct str
text_of(const struct input *in)
{
	return in->state == VALID ? in->text : STR("");
}

/* The cone of the form; what is wrong with it is said at the field. */
static void
read_cone(struct objects *o)
{
	double ra, dec, radius = 5;
	enum position found;
	const char *why;

	if (o->in[CONE].state != VALID)
		return;
	found = position_parse(o->in[CONE].text, &ra, &dec, &why);
	if (found != POSITION) {
		form_wrong(&o->in[CONE],
		    found == POSITION_WRONG
		        ? str_of(why)
		        : STR("Give a position, such as 17 41 22.8 +38 14 07 or 265.345 38.235."));
		return;
	}
	if (o->in[RADIUS].state == VALID &&
	    (!str_to_double(o->in[RADIUS].text, &radius) || !(radius > 0) ||
	        radius > OBJECTS_RADIUS_MAX * 3600)) {
		form_wrong(
		    &o->in[RADIUS], STR("Give a number greater than 0, up to 3600 arcseconds."));
		return;
	}
	if (o->in[NAME].state == VALID) {
		form_wrong(&o->in[NAME], STR("Search by name or about a position, not both."));
		return;
	}
	o->query.by_cone = true;
	o->query.cone = cone_about(ra, dec, radius / 3600);
}

/* The filter of the query string; how many of its fields are wrong. */
static size_t
read_filter(struct objects *o)
{
	struct request *r = o->req;
	struct str after = pairs_get(&r->get, "after");

	form_read(&r->get, filter_fields, FILTERS, o->in, r->arena);
	read_cone(o);
	o->query.survey = text_of(&o->in[SURVEY]);
	o->query.name = text_of(&o->in[NAME]);
	o->query.after = after.p == NULL ? STR("") : after;
	o->query.secret = auth_secret(r);
	return form_count_wrong(o->in, FILTERS);
}

static void
show_surveys(const struct objects *o, struct value *page)
{
	struct value *list = value_set_list(page, "surveys");

	for (size_t i = 0; i < o->nsurveys; i++) {
		struct value *v = value_add_object(list);

		value_set_text(v, "name", o->surveys[i]);
		value_set_bool(v, "selected", str_eq(o->surveys[i], o->query.survey));
	}
}

/*
 * Why it has no target, as a sentence. What targets are near it, or have its name, is for those who see
 * them all.
 */
static const char *
why_none(const struct request *r, const struct object_row *row)
{
	if (str_is(row->note, OBJECT_CUT))
		return "It is outside of what its stream makes targets of: too faint, too "
		       "unreliable, or not in that part of the sky.";
	if (!r->user->is_superuser)
		return "Its stream made none, and found none that it could join.";
	if (str_is(row->note, OBJECT_SEVERAL))
		return "Several targets are near it, none of them much nearer than the others.";
	if (str_is(row->note, OBJECT_TAKEN))
		return "Its name is that of a target that its stream may not use, since others see "
		       "it or not all see it who are to see the object.";
	return "Its stream makes no targets, and none that is known is near it.";
}

static const char *
word_for_none(const struct request *r, const struct object_row *row)
{
	if (str_is(row->note, OBJECT_CUT))
		return "cut";
	if (!r->user->is_superuser)
		return "none";
	return str_is(row->note, OBJECT_SEVERAL) ? "several near"
	    : str_is(row->note, OBJECT_TAKEN)    ? "name taken"
	                                         : "none";
}

static void
add_times(struct request *r, struct value *v, const struct object_row *row)
{
	value_set_text(v, "first", clock_minute(r->arena, clock_from_mjd(row->first_mjd)));
	value_set_text(v, "last", clock_minute(r->arena, clock_from_mjd(row->last_mjd)));
	value_set_text(v, "first_mjd", number_text(r->arena, row->first_mjd, 5, false));
	value_set_text(v, "last_mjd", number_text(r->arena, row->last_mjd, 5, false));
	value_set_text(v, "alerts", number_count(r->arena, row->alerts));
	value_set_text(v, "detections", number_count(r->arena, row->detections));
}

static void
add_target(const struct request *r, struct value *v, const struct object_row *row)
{
	struct value *t;

	if (row->target == 0) {
		value_set_cstr(v, "none", word_for_none(r, row));
		value_set_cstr(v, "why", why_none(r, row));
		return;
	}
	t = value_set_object(v, "target");
	value_set_int(t, "id", row->target);
	value_set_text(t, "name", row->target_name);
}

static void
add_row(struct request *r, struct value *v, const struct object_row *row)
{
	value_set_text(v, "name", row->name);
	value_set_text(v, "survey", row->survey);
	value_set_text(v, "link", object_link(r->arena, row->survey, row->name));
	value_set_text(v, "position", place_text(r->arena, row->ra, row->dec));
	add_times(r, v, row);
	add_target(r, v, row);
}

/* "?survey=...&": the filter as a query string, to which more is added. */
static struct str
query_of(const struct objects *o)
{
	struct arena *a = o->req->arena;
	struct str out = STR("?");

	for (size_t i = 0; i < FILTERS; i++)
		if (o->in[i].state == VALID)
			out = arena_printf(a, "%s%s=%s&", out.p, filter_fields[i].name,
			    url_encode(a, o->in[i].text).p);
	return out;
}

static int
show_page(struct objects *o, struct response *res, const struct object_page *found, size_t wrong)
{
	struct request *r = o->req;
	struct value *page = value_object(r->arena), *list = value_set_list(page, "objects");
	struct str query = query_of(o);
	bool later = o->query.after.n > 0;

	for (size_t i = 0; i < found->n; i++)
		add_row(r, value_add_object(list), &found->rows[i]);
	show_surveys(o, page);
	form_show(page, filter_fields, o->in, FILTERS, r->arena);
	alerts_add_tab(page, "objects");
	value_set_cstr(page, "title", "Objects of surveys");
	value_set_cstr(page, "order", o->query.name.n > 0 ? "by name" : "the newest first");
	value_set_bool(page, "has_objects", found->n > 0);
	value_set_bool(page, "wrong", wrong > 0);
	value_set_bool(page, "filtered", query.n > 1);
	value_set_bool(page, "none_at_all",
	    found->n == 0 && !later && wrong == 0 && query.n == 1 && found->next.p == NULL);
	value_set_bool(page, "partial", found->partial);
	value_set_bool(page, "has_pages", later || found->next.p != NULL);
	if (later)
		value_set_text(page, "first", query);
	if (found->next.p != NULL)
		value_set_text(
		    page, "next", arena_printf(r->arena, "%safter=%s", query.p, found->next.p));
	return respond_page(r, res, wrong > 0 ? 400 : 200, "objects", page);
}

/* For whom measurements are read. */
static const struct user *
reader_of(const struct request *r)
{
	return datum_reader(r->app->config, auth_user(r));
}

int
list_objects(struct request *r, struct response *res)
{
	struct objects o = { .req = r };
	struct object_page found = { .rows = NULL };
	size_t wrong = read_filter(&o);
	enum db_result done;

	done = object_surveys(r->app->db, r->arena, SURVEYS, &o.surveys, &o.nsurveys);
	if (done == DB_END && wrong == 0)
		done = object_find(r->app->db, r->arena, auth_user(r), reader_of(r), &o.query,
		    o.surveys, o.nsurveys, &found);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	return show_page(&o, res, &found, wrong);
}

/* The link of a target's form with the object's name and position filled in. */
static struct str
create_link(struct request *r, const struct object_row *row)
{
	struct str name = url_encode(r->arena, row->name);

	return arena_printf(r->arena, "/targets/create/?type=SIDEREAL&name=%s&ra=%.7f&dec=%.7f",
	    name.p, row->ra, row->dec);
}

/* Which of them is asked for: ?of=, or else the one that was last seen. Links to the others. */
static struct object_row
choose(struct request *r, struct value *page, const struct object_row *rows, size_t n)
{
	struct value *list = value_set_list(page, "others");
	size_t at = 0;
	int64_t id;

	if (str_to_int64(pairs_get(&r->get, "of"), &id))
		for (size_t i = 0; i < n; i++)
			if (rows[i].id == id)
				at = i;
	for (size_t i = 0; i < n; i++) {
		struct value *v;

		if (i == at)
			continue;
		v = value_add_object(list);
		value_set_text(v, "link", arena_printf(r->arena, "?of=%" PRId64, rows[i].id));
		value_set_text(v, "alerts", number_count(r->arena, rows[i].alerts));
	}
	value_set_bool(page, "has_others", n > 1);
	return rows[at];
}

int
show_object(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "list");
	struct str name = r->capture[1], of;
	struct object_row row = { 0 }, *rows;
	struct alert_row *alerts;
	size_t n, nrows;
	bool more;
	enum db_result done;

	if (name.n > 1 && name.p[name.n - 1] == '/')
		name = arena_copy(r->arena, name.p, name.n - 1);
	done = object_get(
	    r->app->db, r->arena, auth_user(r), reader_of(r), r->capture[0], name, &rows, &nrows);
	if (done == DB_END && nrows == 0)
		return respond_error(r, res, 404, NULL);
	if (done == DB_END) {
		row = choose(r, page, rows, nrows);
		done = alerts_of_object(r->app->db, r->arena, row.id,
		    alert_place_read(pairs_get(&r->get, "before")), ALERTS, &alerts, &n, &more);
	}
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_add_object(list);

		value_set_text(v, "alert", arena_printf(r->arena, "%" PRId64, alerts[i].alert_id));
		value_set_text(v, "time", clock_minute(r->arena, clock_from_mjd(alerts[i].mjd)));
		value_set_text(v, "mjd", number_text(r->arena, alerts[i].mjd, 5, false));
		value_set_text(v, "stream", alerts[i].stream);
		value_set_text(v, "received", clock_minute(r->arena, alerts[i].received));
	}
	place_show(page, r->arena, row.ra, row.dec);
	add_row(r, page, &row);
	value_set_text(page, "survey_link", url_encode(r->arena, row.survey));
	value_set_text(page, "title", row.name);
	value_set_text(page, "heard", clock_minute(r->arena, row.created));
	value_set_bool(page, "has_alerts", n > 0);
	if (row.target == 0)
		value_set_text(page, "create", create_link(r, &row));
	of = nrows > 1 ? arena_printf(r->arena, "&of=%" PRId64, row.id) : STR("");
	if (pairs_get(&r->get, "before").p != NULL)
		value_set_text(page, "first_page",
		    of.n > 0 ? arena_printf(r->arena, "?%s", of.p + 1) : STR("?"));
	if (more)
		value_set_text(page, "next_page",
		    arena_printf(
		        r->arena, "%s%s", alert_place_link(r->arena, &alerts[n - 1]).p, of.p));
	return respond_page(r, res, 200, "object", page);
}
