/*
 * lightcurve: from points to a picture: which points can be drawn, of whom they are and what range
 * they span. The edges and axes are lightcurve_scale.c's, what stays when there are too many is
 * lightcurve_thin.c's, the marks and the legend are lightcurve_marks.c's, the words lightcurve_text.c's.
 */
#include "tom/lightcurve_curve.h"

#include <math.h>
#include <stdlib.h>

#include "tom/axis.h"

static enum role
role_of(const struct lightcurve_point *p)
{
	return p->limit ? LIMIT : p->forced ? FORCED : DETECTION;
}

static bool
can_be_drawn(const struct curve *c, const struct lightcurve_point *p)
{
	double most = c->view->flux ? 1e15 : 100;

	return p->mjd >= AXIS_MJD_MIN && p->mjd < AXIS_MJD_MAX && p->value > -most &&
	    p->value < most;
}

static bool
is_name(struct str a, struct str b)
{
	return a.n == b.n && (a.p == b.p || str_eq(a, b));
}

/* The index of a bandpass, met before or new. Few there are: looked through. */
static uint8_t
band_index(struct curve *c, struct str name)
{
	struct band *b;

	for (size_t i = 0; i < c->nbands; i++)
		if (is_name(c->bands[i].name, name))
			return (uint8_t)i;
	if (c->nbands == NAMES_MAX)
		return NAMES_MAX - 1;
	b = &c->bands[c->nbands];
	b->name = name;
	b->style = (unsigned)(strchr(STYLES, lightcurve_band(name)) - STYLES);
	return (uint8_t)c->nbands++;
}

static uint8_t
survey_index(struct curve *c, struct str name)
{
	for (size_t i = 0; i < c->nsurveys; i++)
		if (is_name(c->surveys[i].name, name))
			return (uint8_t)i;
	if (c->nsurveys == NAMES_MAX)
		return NAMES_MAX - 1;
	c->surveys[c->nsurveys].name = name;
	return (uint8_t)c->nsurveys++;
}

static void
count_limit(struct curve *c, const struct lightcurve_point *p)
{
	c->limits++;
	/* what is fainter is deeper */
	if (c->deepest == NULL || curve_is_brighter(c, c->deepest, p))
		c->deepest = p;
}

static void
count_measurement(struct curve *c, const struct lightcurve_point *p)
{
	c->forced += p->forced;
	c->differences += p->difference || p->negative;
	c->minus += p->negative;
	if (!p->negative && (c->peak == NULL || curve_is_brighter(c, p, c->peak)))
		c->peak = p;
	if (c->last == NULL || p->mjd > c->last->mjd)
		c->last = p;
}

/* Which points can be drawn, whose they are, how many of each kind, and the range they span. */
static void
survey(struct curve *c)
{
	c->places = arena_array(c->arena, c->n + 1, sizeof(*c->places));
	c->mjd[0] = c->value[0] = INFINITY;
	c->mjd[1] = c->value[1] = -INFINITY;
	for (size_t i = 0; i < c->n; i++) {
		const struct lightcurve_point *p = &c->points[i];
		struct place *at = &c->places[i];

		at->series = NOT_DRAWN;
		if (!can_be_drawn(c, p))
			continue;
		at->series = 0;
		at->band = band_index(c, p->band);
		at->survey = survey_index(c, p->source);
		c->seen++;
		c->mjd[0] = p->mjd < c->mjd[0] ? p->mjd : c->mjd[0];
		c->mjd[1] = p->mjd > c->mjd[1] ? p->mjd : c->mjd[1];
		c->value[0] = p->value < c->value[0] ? p->value : c->value[0];
		c->value[1] = p->value > c->value[1] ? p->value : c->value[1];
		c->surveys[at->survey].count++;
		if (p->limit) {
			c->bands[at->band].limits++;
			count_limit(c, p);
		} else {
			c->bands[at->band].count++;
			count_measurement(c, p);
		}
	}
}

static bool
is_before(struct str a, struct str b)
{
	int order = memcmp(str_bytes(a), str_bytes(b), a.n < b.n ? a.n : b.n);

	return order < 0 || (order == 0 && a.n < b.n);
}

/* Surveys look as their names follow each other, whoever was met first. */
static void
give_looks(struct curve *c)
{
	for (size_t i = 0; i < c->nsurveys; i++) {
		unsigned before = 0;

		for (size_t k = 0; k < c->nsurveys; k++)
			before += is_before(c->surveys[k].name, c->surveys[i].name);
		c->surveys[i].look = before < SURVEYS ? before : SURVEYS - 1;
	}
	for (size_t i = 0; i < c->n; i++) {
		struct place *at = &c->places[i];

		if (at->series == NOT_DRAWN)
			continue;
		at->series = (uint8_t)SERIES(
		    c->bands[at->band].style, c->surveys[at->survey].look, role_of(&c->points[i]));
		c->counts[at->series]++;
	}
}

struct value *
lightcurve_value(struct arena *a, const struct lightcurve_view *view,
    const struct lightcurve_point *points, size_t n)
{
	struct curve *c = arena_alloc(a, sizeof(*c));
	struct value *v = value_object(a);

	c->arena = a;
	c->view = view;
	c->points = points;
	c->n = n;
	survey(c);
	value_set_text(v, "title", arena_printf(a, "Light curve of %.*s", STR_ARG(view->name)));
	if (c->seen == 0) {
		value_set_bool(v, "empty", true);
		return v;
	}
	if (view->flux)
		value_set_bool(v, "flux", true);
	give_looks(c);
	curve_fit(c);
	if (c->seen > LIGHTCURVE_MARKS)
		curve_thin_out(c);
	curve_add_axes(c, v);
	curve_add_series(c, v);
	curve_add_keys(c, v);
	curve_add_finding(c, v);
	curve_add_caption(c, v);
	return v;
}
