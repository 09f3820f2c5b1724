/*
 * alerts: the streams of alerts and what they brought.
 *
 *	GET  /alerts/			to what there is
 *	GET  /alerts/scout/		objects of the NEO Confirmation Page, sorted by ?sort=
 *	GET  /alerts/scout/<text>/	one of them, with its history
 *	GET  /alerts/streams/		each stream with its daemons, for who is signed in
 *	GET  /alerts/streams/<text>/letters/	its dead letters that wait, or ?settled=1
 *	POST /alerts/streams/<text>/replay/	wants all of them tried again
 *	POST /alerts/letters/<id>/replay/	wants one tried again
 *	POST /alerts/letters/<id>/dismiss/	it need not be taken
 *	GET  /alerts/objects/		the objects of surveys: searched, and walked
 *	GET  /alerts/objects/<text>/<rest>	one of a survey, with its alerts
 *
 * What a daemon says of its troubles may name brokers and files: that is for staff, as are dead letters.
 * The files: alerts_streams.c, alerts_letters.c, alerts_objects.c.
 */
#include "alerts.h"

#include "alert/object_list.h"
#include "base/clock.h"

static int begin(struct request *, struct response *);

static const struct route routes[] = {
	ROUTE(GET, "/alerts/", LOGIN, NO_BODY, begin),
	ROUTE(GET, "/alerts/scout/", LOGIN, NO_BODY, show_scout),
	ROUTE(GET, "/alerts/scout/<text>/", LOGIN, NO_BODY, show_scout_object),
	ROUTE(GET, "/alerts/streams/", LOGIN, NO_BODY, show_streams),
	ROUTE(GET, "/alerts/streams/<text>/letters/", STAFF, NO_BODY, list_letters),
	ROUTE(POST, "/alerts/streams/<text>/replay/", STAFF, KIB(4), replay_letters),
	ROUTE(POST, "/alerts/letters/<id>/replay/", STAFF, KIB(4), replay_letter),
	ROUTE(POST, "/alerts/letters/<id>/dismiss/", STAFF, KIB(4), dismiss_letter),
	ROUTE(GET, "/alerts/objects/", LOGIN, NO_BODY, list_objects),
	ROUTE(GET, "/alerts/objects/<text>/<rest>", LOGIN, NO_BODY, show_object),
};

static int
begin(struct request *r, struct response *res)
{
	struct str *surveys;
	size_t n;
	enum db_result done = object_surveys(r->app->db, r->arena, 1, &surveys, &n);

	if (done != DB_END)
		return auth_db_failed(r, res, done);
	return respond_redirect(r, res, n > 0 ? STR("/alerts/objects/") : STR("/alerts/streams/"));
}

void
alerts_add_tab(struct value *page, const char *name)
{
	value_set_bool(value_set_object(page, "tab"), name, true);
}

bool
alerts_is_staff(const struct request *r)
{
	return r->user->is_staff || r->user->is_superuser;
}

struct str
alerts_age(struct request *r, int64_t at)
{
	static const struct {
		int64_t below, unit;
		const char *one, *many;
	} steps[] = {
		{ 2 * MINUTE, SECOND, "second", "seconds" },
		{ 2 * HOUR, MINUTE, "minute", "minutes" },
		{ 2 * DAY, HOUR, "hour", "hours" },
		{ INT64_MAX, DAY, "day", "days" },
	};
	int64_t age = r->now > at ? r->now - at : 0;
	size_t i = 0;

	if (at == 0)
		return STR_NONE;
	while (age >= steps[i].below)
		i++;
	return arena_printf(r->arena, "%lld %s ago", (long long)(age / steps[i].unit),
	    age / steps[i].unit == 1 ? steps[i].one : steps[i].many);
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "alerts",
	        .what = "streams of alerts and what they brought: /alerts/",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks });
}
