/*
 * targets_scout: what Scout says of a target that is one of its objects, for the target's page.
 */
#include "alert/scout_text.h"
#include "base/clock.h"
#include "targets.h"

/* What is shown of an object's newest analysis, in this order. */
static const char *const shown[] = { "rating", "neo_score", "pha_score", "v_mag", "rate",
	"uncertainty", "uncertainty_later", "ephemeris", "last_run" };
/* ... and in a line of each earlier one. */
static const char *const of_earlier[] = { "v_mag", "uncertainty", "neo_score" };

static void
add_value(struct arena *a, struct value *list, const struct scout_object *o, const char *column)
{
	const struct scout_field *f = scout_field_find(column);
	struct str text = f == NULL ? STR_NONE : scout_value_text(a, o, f);
	struct value *v;

	if (text.p == NULL)
		return;
	v = value_add_object(list);
	value_set_cstr(v, "label", f->label);
	value_set_text(v, "value", text);
	value_set_cstr(v, "unit", f->unit[0] != '\0' ? f->unit : NULL);
}

static void
add_earlier(struct arena *a, struct value *list, const struct scout_object *o)
{
	struct value *v = value_add_object(list), *values = value_set_list(v, "values");

	value_set_text(v, "last_run", clock_minute(a, o->last_run));
	value_set_text(v, "last_run_iso", clock_iso(a, o->last_run));
	for (size_t i = 0; i < NELEM(of_earlier); i++)
		add_value(a, values, o, of_earlier[i]);
}

enum db_result
add_scout(struct request *r, struct value *page, const struct target *t)
{
	struct scout_run *runs;
	struct scout_shown s;
	struct value *v, *list;
	enum db_result done;
	size_t n;

	if (t->type != TARGET_NON_SIDEREAL)
		return DB_END;
	done = scout_list_of_target(r->app->db, r->arena, auth_user(r), t->id, &s, &runs, &n);
	if (done != DB_ROW)
		return done;
	v = value_set_object(page, "scout");
	value_set_text(v, "object", s.object.name);
	value_set_text(v, "state", scout_state_text(r->arena, &s));
	value_set_text(v, "first_seen", clock_minute(r->arena, s.first_seen));
	value_set_text(v, "last_seen", clock_minute(r->arena, s.last_seen));
	if (r->user != NULL)
		value_set_text(v, "link", url_encode(r->arena, s.object.name));
	list = value_set_list(v, "newest");
	for (size_t i = 0; i < NELEM(shown); i++)
		add_value(r->arena, list, &s.object, shown[i]);
	value_set_bool(v, "has_earlier", n > 1);
	list = value_set_list(v, "earlier");
	for (size_t i = 1; i < n; i++)
		add_earlier(r->arena, list, &runs[i].object);
	return DB_END;
}
