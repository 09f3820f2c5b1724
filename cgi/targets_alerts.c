/*
 * targets_alerts: the objects of surveys behind a target, and their alerts, the newest first.
 */
#include <inttypes.h>

#include "alert/object_list.h"
#include "base/clock.h"
#include "base/number.h"
#include "targets.h"
#include "tom/datum.h"

#define OBJECTS ((size_t)100)
#define ALERTS ((size_t)50)

static void
add_object(struct request *req, struct value *v, const struct object_row *o)
{
	struct arena *a = req->arena;

	value_set_text(v, "name", o->name);
	value_set_text(v, "survey", o->survey);
	/* objects are shown to who is signed in */
	if (req->user != NULL)
		value_set_text(v, "link", object_link(a, o->survey, o->name));
	value_set_text(v, "first", clock_minute(a, clock_from_mjd(o->first_mjd)));
	value_set_text(v, "last", clock_minute(a, clock_from_mjd(o->last_mjd)));
	value_set_text(v, "detections", number_count(a, o->detections));
	value_set_text(v, "alerts", number_count(a, o->alerts));
}

static void
add_alert(struct request *req, struct value *v, const struct alert_row *row)
{
	struct arena *a = req->arena;

	value_set_text(v, "alert", arena_printf(a, "%" PRId64, row->alert_id));
	value_set_text(v, "object", row->name);
	value_set_text(v, "survey", row->survey);
	value_set_text(v, "time", clock_minute(a, clock_from_mjd(row->mjd)));
	value_set_text(v, "mjd", number_text(a, row->mjd, 5, false));
	value_set_text(v, "stream", row->stream);
	value_set_text(v, "received", clock_minute(a, row->received));
}

int
show_alerts(struct request *req, struct response *res)
{
	struct value *page = value_object(req->arena), *list;
	struct str before = pairs_get(&req->get, "before");
	const struct user *u = auth_user(req), *reader = datum_reader(req->app->config, u);
	struct object_row *objects;
	struct alert_row *alerts;
	size_t nobjects, nalerts;
	struct target t;
	bool more;
	enum db_result r;

	if (get_target(req, res, VIEW, &t) != 0)
		return 0;
	r = objects_of_target(
	    req->app->db, req->arena, u, reader, t.id, OBJECTS, &objects, &nobjects);
	if (r == DB_END)
		r = alerts_of_target(req->app->db, req->arena, u, reader, t.id,
		    alert_place_read(before), ALERTS, &alerts, &nalerts, &more);
	if (r != DB_END)
		return auth_db_failed(req, res, r);
	list = value_set_list(page, "objects");
	for (size_t i = 0; i < nobjects; i++)
		add_object(req, value_add_object(list), &objects[i]);
	list = value_set_list(page, "alerts");
	for (size_t i = 0; i < nalerts; i++)
		add_alert(req, value_add_object(list), &alerts[i]);
	value_set_int(page, "id", t.id);
	value_set_text(page, "name", t.name);
	value_set_text(page, "title", arena_printf(req->arena, "Alerts of %.*s", STR_ARG(t.name)));
	value_set_bool(page, "has_objects", nobjects > 0);
	value_set_bool(page, "has_alerts", nalerts > 0);
	if (before.p != NULL)
		value_set_cstr(page, "first_page", "?");
	if (more)
		value_set_text(
		    page, "next_page", alert_place_link(req->arena, &alerts[nalerts - 1]));
	return respond_page(req, res, 200, "target-alerts", page);
}
