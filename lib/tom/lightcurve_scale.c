/*
 * lightcurve_scale: the edges of a light curve, and what stands along them.
 */
#include "tom/lightcurve_curve.h"

#include <math.h>

#include "tom/axis.h"

#define VALUE_INTERVALS 5
#define TIME_INTERVALS 8

/*
 * Error bars are to be seen whole: they widen the range, but no bar by more than the points span, or
 * a magnitude.
 */
static void
add_bars(struct curve *c)
{
	double most = c->value[1] - c->value[0];
	double least = c->value[0], greatest = c->value[1];

	if (!c->view->flux)
		most = fmax(most, 1);
	else if (most <= 0)
		most = INFINITY;
	for (size_t i = 0; i < c->n; i++) {
		const struct lightcurve_point *p = &c->points[i];
		double bar;

		/* what has no bar, or one beyond all reason, needs no room */
		if (c->places[i].series == NOT_DRAWN || p->limit ||
		    !(p->error > 0 && p->error < 1e15))
			continue;
		bar = p->error < most ? p->error : most;
		if (p->value - bar < least)
			least = p->value - bar;
		if (p->value + bar > greatest)
			greatest = p->value + bar;
	}
	c->value[0] = least;
	c->value[1] = greatest;
}

/* Where all is one value there is room around it; no flux is in sight where it is near. */
static void
make_room(struct curve *c)
{
	double *v = c->value, span = v[1] - v[0];
	double wanted = c->view->flux ? fmax(fabs(v[0]), fabs(v[1])) * 1e-6 : 0.2;

	if (c->view->flux && wanted <= 0)
		wanted = 1;
	if (span < wanted) {
		v[0] -= (wanted - span) / 2;
		v[1] += (wanted - span) / 2;
		span = wanted;
	}
	if (c->view->flux && v[0] > 0 && v[0] <= span)
		v[0] = 0;
	if (c->view->flux && v[1] < 0 && -v[1] <= span)
		v[1] = 0;
}

/* Magnitudes at whole ticks, fluxes with a margin; time with a margin, and up to now where that is near. */
void
curve_fit(struct curve *c)
{
	const struct lightcurve_view *view = c->view;
	double span = c->mjd[1] - c->mjd[0], margin = span > 0 ? span * 0.03 : 1;

	c->from = c->mjd[0] - margin;
	c->to = c->mjd[1] + margin;
	if (view->now > c->to && view->now <= c->mjd[1] + fmax(span * 0.25, 3))
		c->to = view->now + margin;
	if (isfinite(view->from))
		c->from = view->from;
	if (isfinite(view->to))
		c->to = view->to;
	add_bars(c);
	make_room(c);
	c->step = axis_step(c->value[1] - c->value[0], VALUE_INTERVALS);
	if (view->flux) {
		/* a little below zero is not worth an interval */
		margin = (c->value[1] - c->value[0]) * 0.04;
		c->top = c->value[1] + margin;
		c->bottom = c->value[0] - margin;
	} else {
		c->top = floor(c->value[0] / c->step + 1e-6) * c->step;
		c->bottom = ceil(c->value[1] / c->step - 1e-6) * c->step;
	}
}

static struct str
percent(const struct curve *c, double x, double whole)
{
	return number_text(c->arena, x / (whole / 100), 2, false);
}

static struct value *
add_label(const struct curve *c, struct value *list, double mjd, struct str label, bool alt)
{
	struct value *tick = value_add_object(list);

	value_set_text(tick, "x", percent(c, curve_x(c, mjd), WIDE));
	value_set_text(tick, "label", label);
	if (alt)
		value_set_bool(tick, "alt", true);
	return tick;
}

/* "18.5"; of fluxes "250,000". */
static struct str
value_label(const struct curve *c, double value)
{
	if (c->view->flux && c->step >= 1)
		return number_count(c->arena, llround(value));
	return number_text(c->arena, value, axis_decimals(c->step), false);
}

/* The lines of the grid, and what they are at; that of no flux is another one's. */
static void
add_values(const struct curve *c, struct value *v)
{
	char path[AXIS_TICKS_MAX * (NUMBER_MAX + 16)], *w = path;
	double ticks[AXIS_TICKS_MAX];
	struct value *list = value_set_list(v, "values");
	size_t n = axis_ticks(fmin(c->top, c->bottom), fmax(c->top, c->bottom), c->step, ticks);
	for (size_t i = 0; i < n; i++) {
		struct value *tick = value_add_object(list);
		double y = curve_y(c, ticks[i]);

		value_set_text(tick, "y", percent(c, y, HIGH));
		value_set_text(tick, "label", value_label(c, ticks[i]));
		if (y > 1 && y < HIGH - 1) {
			w = PUT(w, "M0 ");
			w = put_fixed(w, y, 0);
			w = PUT(w, "H100000");
		}
	}
	value_set_text(v, "grid", arena_copy(c->arena, path, (size_t)(w - path)));
	if (!c->view->flux || c->bottom > 0 || c->top < 0)
		return;
	w = PUT(path, "M0 ");
	w = put_fixed(w, curve_y(c, 0), 0);
	w = PUT(w, "H100000");
	value_set_text(v, "zero", arena_copy(c->arena, path, (size_t)(w - path)));
}

/* Time in MJD or days below, the calendar above. A tick is 2 % of the height. */
static void
add_times(const struct curve *c, struct value *v)
{
	char path[2 * AXIS_TICKS_MAX * (NUMBER_MAX + 16)], *w = path;
	double ticks[AXIS_TICKS_MAX], step = axis_step(c->to - c->from, TIME_INTERVALS);
	bool days = isfinite(c->view->zero);
	double zero = days ? c->view->zero : 0;
	struct axis_date dates[AXIS_TICKS_MAX];
	struct value *list = value_set_list(v, "times");
	size_t n = axis_ticks(c->from - zero, c->to - zero, step, ticks);

	for (size_t i = 0; i < n; i++) {
		add_label(c, list, ticks[i] + zero,
		    number_text(c->arena, ticks[i], axis_decimals(step), false), i % 2 == 1);
		w = PUT(w, "M");
		w = put_fixed(w, curve_x(c, ticks[i] + zero), 0);
		w = PUT(w, " 10000v-200");
	}
	list = value_set_list(v, "dates");
	n = axis_dates(c->from, c->to, TIME_INTERVALS, dates);
	for (size_t i = 0; i < n; i++) {
		add_label(c, list, dates[i].mjd,
		    arena_copy(c->arena, dates[i].label, strlen(dates[i].label)), i % 2 == 1);
		w = PUT(w, "M");
		w = put_fixed(w, curve_x(c, dates[i].mjd), 0);
		w = PUT(w, " 0v200");
	}
	value_set_text(v, "ticks", arena_copy(c->arena, path, (size_t)(w - path)));
	value_set_text(v, "from", number_text(c->arena, c->from, 6, false));
	value_set_text(v, "to", number_text(c->arena, c->to, 6, false));
	value_set_cstr(v, "unit", days ? "days" : "MJD");
	if (days)
		value_set_text(v, "zero_mjd", number_text(c->arena, zero, 6, false));
}

/* The line of now; near the right edge its word stands to the left of it. */
static void
add_today(const struct curve *c, struct value *v)
{
	double x = curve_x(c, c->view->now);
	bool late = x > WIDE * 0.94;
	struct value *today;

	if (!(c->view->now >= c->from && c->view->now <= c->to))
		return;
	today = value_set_object(v, "today");
	value_set_text(today, "x", percent(c, x, WIDE));
	value_set_bool(today, "late", late);
	value_set_cstr(today, "dx", late ? "-6" : "6");
}

void
curve_add_axes(const struct curve *c, struct value *v)
{
	add_values(c, v);
	add_times(c, v);
	add_today(c, v);
}
