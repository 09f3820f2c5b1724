/*
 * scout: the API's answers: the list, and the one about an object whose orbits are then computed. What
 * was read is within its bounds; what was not has a reason.
 */
#include <math.h>
#include <stdlib.h>

#include "alert/scout.h"
#include "sky/orbit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
is_within(const struct scout_object *o)
{
	if (o->name.n == 0 || o->name.n > SCOUT_NAME_MAX || o->last_run == 0)
		abort();
	for (size_t i = 0; i < scout_nfields; i++) {
		const struct scout_field *f = &scout_fields[i];
		double value;

		if (f->kind == SCOUT_NAME || f->kind == SCOUT_TIME)
			continue;
		value = scout_real(o, f);
		if (!isnan(value) && !(value >= f->min && value <= f->max))
			abort();
	}
}

static void
compute(struct arena *a, const struct scout_single *s)
{
	struct orbit *orbits = arena_array(a, s->n, sizeof(*orbits));
	double median[3];
	size_t best;

	if (s->n > SCOUT_ORBITS_MAX)
		abort();
	for (size_t i = 0; i < s->n; i++)
		orbits[i] = (struct orbit){ s->orbits[i].eccentricity, s->orbits[i].perihelion,
			s->orbits[i].perihelion_time, s->orbits[i].node, s->orbits[i].peri,
			s->orbits[i].inclination };
	best = orbit_central(a, orbits, s->n, 60000, median);
	if (best < s->n && !(fabs(median[0]) <= 1.0000001))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str body = { (const char *)data, n };
	struct arena *a = arena_new();
	struct scout_list list;
	struct scout_single single;
	struct scout_object again;
	char err[400] = "";

	if (scout_read_list(a, body, &list, err, sizeof(err)) != SCOUT_READ && err[0] == '\0')
		abort();
	for (size_t i = 0; i < list.n; i++)
		if (list.rows[i].why.p == NULL)
			is_within(&list.rows[i].object);
		else if (scout_read_row(a, list.rows[i].bytes, &again, err, sizeof(err)))
			abort();
	err[0] = '\0';
	if (scout_read_single(a, body, STR("v17oct4"), &single, err, sizeof(err)) == SCOUT_READ) {
		is_within(&single.object);
		compute(a, &single);
	} else if (err[0] == '\0')
		abort();
	(void)scout_message(a, body);
	arena_free(a);
	return 0;
}
