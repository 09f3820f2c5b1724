/*
 * scout_text: Scout's values and states in words.
 */
#include "alert/scout_text.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"

const struct scout_field *
scout_field_find(const char *column)
{
	for (size_t i = 0; i < scout_nfields; i++)
		if (strcmp(scout_fields[i].column, column) == 0)
			return &scout_fields[i];
	return NULL;
}

struct str
scout_state_text(struct arena *a, const struct scout_shown *s)
{
	static const struct {
		const char *state, *words;
	} words[] = {
		{ "left", "Left the page" },
		{ "unconfirmed", "Was not confirmed" },
		{ "nonexistent", "Does not exist" },
		{ "artificial", "Suspected artificial" },
		{ "no-minor-planet", "No minor planet" },
	};

	if (str_is(s->state, "confirmed"))
		return arena_printf(a, "Confirmed as %.*s", STR_ARG(s->designation));
	for (size_t i = 0; i < NELEM(words); i++)
		if (str_is(s->state, words[i].state))
			return str_of(words[i].words);
	return s->missed > 0 ? STR("Missing in the newest list") : STR("Active");
}

static struct str
rating_text(struct arena *a, double rating)
{
	static const char *const words[] = { "negligible", "small", "modest", "moderate",
		"elevated" };

	size_t i = rating >= 0 ? (size_t)rating : NELEM(words);

	return i < NELEM(words) ? arena_printf(a, "%zu %s", i, words[i]) : STR_NONE;
}

struct str
scout_value_text(struct arena *a, const struct scout_object *o, const struct scout_field *f)
{
	double number;

	if (f->kind == SCOUT_NAME)
		return o->name;
	if (f->kind == SCOUT_TIME)
		return scout_time(o, f) == 0 ? STR_NONE : clock_minute(a, scout_time(o, f));
	number = scout_real(o, f);
	if (isnan(number))
		return STR_NONE;
	if (strcmp(f->column, "rating") == 0)
		return rating_text(a, number);
	return number_text(a, number, f->decimals, f->kind == SCOUT_DEC);
}
