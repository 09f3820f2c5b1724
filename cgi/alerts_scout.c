/*
 * alerts_scout: the objects of the NEO Confirmation Page as JPL's Scout judges them, sorted by whatever
 * column is asked for, and the history of one of them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alert/scout_text.h"
#include "alerts.h"
#include "base/clock.h"
#include "base/number.h"

#define SHOWN_FOR (30 * DAY) /* after an object was in the list */

/* What a column sorts by: a number, of which one that was not told comes last; or a text. */
struct sort_key {
	double number;
	struct str text;
};

static const struct column {
	const char *label, *unit;
	const char *sort; /* as links say it; a field's column, or one of those of key_of() */
	bool most; /* sorts downwards at first */
} columns[] = {
	{ "Object", "", "name", false },
	{ "State", "", "state", false },
	{ "Rating", "of impact", "rating", true },
	{ "NEO", "0-100", "neo_score", true },
	{ "PHA", "0-100", "pha_score", true },
	{ "V", "mag", "v_mag", false },
	{ "Rate", "arcsec/min", "rate", true },
	{ "Uncertainty", "arcmin", "uncertainty", false },
	{ "In a day", "arcmin", "uncertainty_later", false },
	{ "Last run", "UTC", "last_run", true },
	{ "Target", "", "target", false },
};

static struct sort_key
key_of(const struct scout_shown *s, const char *sort)
{
	const struct scout_field *f = scout_field_find(sort);
	struct sort_key k = { .number = NAN, .text = STR("") };

	if (strcmp(sort, "name") == 0)
		k.text = s->object.name;
	else if (strcmp(sort, "state") == 0)
		k.text = s->state;
	else if (strcmp(sort, "target") == 0) {
		k.number = s->target_id == 0 ? (double)NAN : 0;
		k.text = s->target_id == 0 ? STR("") : s->target_name;
	} else if (strcmp(sort, "last_run") == 0)
		k.number = (double)s->object.last_run;
	else if (f != NULL && f->kind >= SCOUT_RA)
		k.number = scout_real(&s->object, f);
	return k;
}

/* An object to be sorted. */
struct sorted {
	struct sort_key key;
	bool descending;
	size_t index; /* what is alike stays in its order */
};

static int
compare_texts(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int
compare(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	int order;

	if (isnan(a->key.number) != isnan(b->key.number))
		return isnan(a->key.number) ? 1 : -1;
	order = (a->key.number > b->key.number) - (a->key.number < b->key.number);
	if (order == 0)
		order = compare_texts(a->key.text, b->key.text);
	if (order != 0)
		return a->descending ? -order : order;
	return (a->index > b->index) - (a->index < b->index);
}

/* The column that is asked for ("-rate": downwards); else the rating, the highest first. */
static const struct column *
asked_column(const struct request *r, bool *descending)
{
	struct str asked = pairs_get(&r->get, "sort");

	*descending = asked.n > 0 && asked.p[0] == '-';
	if (*descending)
		asked = (struct str){ asked.p + 1, asked.n - 1 };
	for (size_t i = 0; i < NELEM(columns); i++)
		if (str_is(asked, columns[i].sort))
			return &columns[i];
	*descending = true;
	return &columns[2];
}

static void
add_columns(struct request *r, struct value *page, const struct column *sorted, bool descending)
{
	struct value *list = value_set_list(page, "columns");

	for (size_t i = 0; i < NELEM(columns); i++) {
		const struct column *c = &columns[i];
		struct value *v = value_add_object(list);
		bool down = c == sorted ? !descending : c->most;

		value_set_cstr(v, "label", c->label);
		value_set_cstr(v, "unit", c->unit[0] != '\0' ? c->unit : NULL);
		value_set_text(
		    v, "link", arena_printf(r->arena, "?sort=%s%s", down ? "-" : "", c->sort));
		value_set_cstr(v, "sorted",
		    c != sorted      ? NULL
		        : descending ? "descending"
		                     : "ascending");
		value_set_bool(v, "number", i >= 2 && i <= 8);
	}
}

static void
set_values(struct request *r, struct value *v, const struct scout_object *o)
{
	for (size_t i = 0; i < scout_nfields; i++)
		if (scout_fields[i].kind != SCOUT_NAME)
			value_set_text(v, scout_fields[i].column,
			    scout_value_text(r->arena, o, &scout_fields[i]));
}

static void
add_object(struct request *r, struct value *v, const struct scout_shown *s)
{
	struct str age = alerts_age(r, s->last_seen);

	set_values(r, v, &s->object);
	value_set_text(v, "name", s->object.name);
	value_set_text(v, "link", url_encode(r->arena, s->object.name));
	value_set_text(v, "state", scout_state_text(r->arena, s));
	value_set_bool(v, "gone", !str_is(s->state, "active"));
	value_set_text(v, "last_run_iso", clock_iso(r->arena, s->object.last_run));
	value_set_text(v, "first_seen", clock_minute(r->arena, s->first_seen));
	value_set_text(v, "last_seen", age);
	value_set_text(v, "last_seen_iso", clock_iso(r->arena, s->last_seen));
	if (s->missed > 0 && age.n > strlen(" ago"))
		value_set_text(v, "unseen", arena_copy(r->arena, age.p, age.n - strlen(" ago")));
	value_set_bool(v, "cut", s->target_id == 0 && str_is(s->note, "cut"));
	if (s->target_id == 0)
		return;
	value_set_int(v, "target_id", s->target_id);
	value_set_text(v, "target_name", s->target_name);
}

int
show_scout(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "objects");
	struct scout_shown *objects;
	struct sorted *order;
	const struct column *by;
	enum db_result done;
	bool descending;
	size_t n, active = 0;

	done = scout_list_shown(r->app->db, r->arena, r->user, r->now - SHOWN_FOR, &objects, &n);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	by = asked_column(r, &descending);
	order = arena_array(r->arena, n + 1, sizeof(*order));
	for (size_t i = 0; i < n; i++) {
		order[i] = (struct sorted){ key_of(&objects[i], by->sort), descending, i };
		/* texts have no number, and are all there */
		if (strcmp(by->sort, "name") == 0 || strcmp(by->sort, "state") == 0)
			order[i].key.number = 0;
		active += str_is(objects[i].state, "active");
	}
	qsort(order, n, sizeof(*order), compare);
	for (size_t i = 0; i < n; i++)
		add_object(r, value_add_object(list), &objects[order[i].index]);
	add_columns(r, page, by, descending);
	value_set_bool(page, "has_objects", n > 0);
	value_set_text(page, "active", number_count(r->arena, (int64_t)active));
	value_set_text(page, "others", number_count(r->arena, (int64_t)(n - active)));
	alerts_add_tab(page, "scout");
	value_set_cstr(page, "title", "Scout");
	return respond_page(r, res, 200, "scout", page);
}

/* All values of an object with their units, for its page. */
static void
add_values(struct request *r, struct value *page, const struct scout_object *o)
{
	struct value *list = value_set_list(page, "values");

	for (size_t i = 0; i < scout_nfields; i++) {
		const struct scout_field *f = &scout_fields[i];
		struct value *v;

		if (f->kind == SCOUT_NAME)
			continue;
		v = value_add_object(list);
		value_set_cstr(v, "label", f->label);
		value_set_text(v, "value", scout_value_text(r->arena, o, f));
		value_set_cstr(v, "unit", f->unit[0] != '\0' ? f->unit : NULL);
	}
}

static void
add_orbits(struct request *r, struct value *v, int64_t orbits, int64_t orbit)
{
	if (orbits >= 0)
		value_set_text(v, "orbits", number_count(r->arena, orbits));
	if (orbit >= 0)
		value_set_int(v, "orbit", orbit);
}

int
show_scout_object(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "runs");
	struct scout_shown s;
	struct scout_run *runs;
	enum db_result done;
	size_t n;

	done = scout_list_one(r->app->db, r->arena, r->user, r->capture[0], &s);
	if (done == DB_END)
		return respond_error(r, res, 404, NULL);
	if (done == DB_ROW)
		done = scout_list_runs(r->app->db, r->arena, s.id, &runs, &n);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	add_object(r, page, &s);
	add_values(r, page, &s.object);
	add_orbits(r, page, s.orbits, s.orbit);
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_add_object(list);

		set_values(r, v, &runs[i].object);
		value_set_text(v, "last_run_iso", clock_iso(r->arena, runs[i].object.last_run));
		add_orbits(r, v, runs[i].orbits, runs[i].orbit);
	}
	alerts_add_tab(page, "scout");
	value_set_text(page, "title", s.object.name);
	return respond_page(r, res, 200, "scout-object", page);
}
