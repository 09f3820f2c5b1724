/*
 * lightcurve_marks: the marks of a light curve, their numbers and error bars, and the legend.
 */
#include "tom/lightcurve_curve.h"

#define BAR_BYTES 24 /* "M100000 10000V10000" */
#define MARK_BYTES 16 /* "100.000", "100.00", a NUL behind each */
/* A bar shorter than this hides behind its mark. */
#define BAR_MIN (HIGH * 0.008)

/* What the list of marks, their numbers and their bars are called, by role. */
static const struct {
	const char *list, *say, *bars;
} role_names[ROLES] = {
	[DETECTION] = { "points", "points_say", "bars" },
	[FORCED] = { "forced", "forced_say", "forced_bars" },
	[LIMIT] = { "limits", "limits_say", NULL },
};

/* The marks of a colour, survey and role in the making: room for texts, and where the next go. */
struct marks {
	struct value *list, *minus;
	const struct value_form *form; /* x, y */
	char *numbers, *lines, *line, *bars, *bar;
};

/* A number at *w, which moves on behind its NUL. */
static struct str
put_text(char **w, double value, unsigned decimals)
{
	struct str text = { *w, number_fixed(*w, value, decimals) };

	*w += text.n + 1;
	return text;
}

/* One error bar as path data, where it can be seen beside its mark. */
static void
add_bar(const struct curve *c, struct marks *m, const struct lightcurve_point *p, double x)
{
	double a, b;

	if (!(p->error > 0 && p->error < 1e15))
		return;
	a = curve_y(c, p->value - p->error);
	b = curve_y(c, p->value + p->error);
	if (a - b < 2 * BAR_MIN && b - a < 2 * BAR_MIN)
		return;
	m->bar = PUT(m->bar, "M");
	m->bar = put_fixed(m->bar, x, 0);
	m->bar = PUT(m->bar, " ");
	m->bar = put_fixed(m->bar, a < b ? a : b, 0);
	m->bar = PUT(m->bar, "V");
	m->bar = put_fixed(m->bar, a < b ? b : a, 0);
}

static void
add_mark(const struct curve *c, struct marks *m, const struct lightcurve_point *p)
{
	double x = curve_x(c, p->mjd);
	struct str place[2];
	struct value *mark;

	place[0] = put_text(&m->numbers, x / (WIDE / 100), 3);
	place[1] = put_text(&m->numbers, curve_y(c, p->value) / (HIGH / 100), 2);
	mark = value_add_formed(m->list, m->form, place);
	if (m->line > m->lines)
		m->line = PUT(m->line, "\n");
	m->line = curve_put_say(c, m->line, p);
	if (p->limit)
		return;
	/* a flux has its sign by its place */
	if (p->negative && !c->view->flux)
		value_add(m->minus, mark);
	add_bar(c, m, p, x);
}

static void
begin(const struct curve *c, struct marks *m, const struct value_form *form, struct value *series,
    size_t n, enum role role)
{
	m->form = form;
	m->list = value_set_list(series, role_names[role].list);
	m->minus = value_child(series, "minus");
	m->numbers = arena_alloc(c->arena, n * MARK_BYTES + NUMBER_MAX);
	m->lines = m->line = arena_alloc(c->arena, n * SAY_MAX + NUMBER_MAX);
	m->bars = m->bar = arena_alloc(c->arena, n * BAR_BYTES + NUMBER_MAX);
}

static void
end(const struct marks *m, struct value *series, enum role role)
{
	*m->line = '\0';
	value_set_text(
	    series, role_names[role].say, (struct str){ m->lines, (size_t)(m->line - m->lines) });
	*m->bar = '\0';
	if (m->bar > m->bars)
		value_set_text(series, role_names[role].bars,
		    (struct str){ m->bars, (size_t)(m->bar - m->bars) });
}

static struct str
style_text(size_t style)
{
	static const char letters[] = "u\0g\0r\0i\0z\0y\0c\0o\0w";

	return (struct str){ letters + 2 * style, 1 };
}

/* The symbol: "g", and "g2" or "g3" for another survey's. */
static struct str
mark_text(const struct curve *c, size_t style, unsigned look)
{
	if (look == 0)
		return style_text(style);
	return arena_printf(c->arena, "%c%u", STYLES[style], look + 1);
}

static struct value *
add_one_series(const struct curve *c, struct value *list, size_t style, unsigned look)
{
	struct value *series = value_add_object(list);

	value_set_text(series, "band", style_text(style));
	value_set_text(series, "mark", mark_text(c, style, look));
	value_set_int(series, "survey", (int64_t)look + 1);
	value_set_list(series, "minus");
	return series;
}

void
curve_add_series(const struct curve *c, struct value *v)
{
	struct value *list = value_set_list(v, "series"), *series[NSERIES] = { NULL };
	struct marks *marks = arena_array(c->arena, NSERIES, sizeof(*marks));
	const struct value_form *form = value_form(c->arena, 2, (const char *const[]){ "x", "y" });

	for (size_t s = 0; s < NSERIES; s++) {
		size_t first = s - s % ROLES;

		if (c->counts[s] == 0)
			continue;
		if (series[first] == NULL)
			series[first] = add_one_series(
			    c, list, s / ROLES / SURVEYS, (unsigned)(s / ROLES % SURVEYS));
		series[s] = series[first];
		begin(c, &marks[s], form, series[s], c->counts[s], (enum role)(s % ROLES));
	}
	for (size_t i = 0; i < c->n; i++) {
		size_t s = c->places[i].series;

		if (s != NOT_DRAWN)
			add_mark(c, &marks[s], &c->points[i]);
	}
	for (size_t s = 0; s < NSERIES; s++)
		if (c->counts[s] > 0)
			end(&marks[s], series[s], (enum role)(s % ROLES));
}

/* "g 17" or "R 12, V 5" where names share a colour. */
static void
add_key(const struct curve *c, struct value *keys, size_t style)
{
	struct value *key = NULL, *names = NULL;

	for (size_t i = 0; i < c->nbands; i++) {
		const struct band *b = &c->bands[i];
		struct value *name;

		if (b->style != style || b->count + b->limits == 0)
			continue;
		if (key == NULL) {
			key = value_add_object(keys);
			value_set_text(key, "band", style_text(style));
			names = value_set_list(key, "names");
		}
		name = value_add_object(names);
		value_set_text(name, "name", b->name.n > 0 ? b->name : STR("no band"));
		if (b->count > 0)
			value_set_int(name, "count", b->count);
		else
			value_set_null(name, "count");
	}
}

/* A look and whose it is: "ATLAS", or "Lick, Palomar" where more share the last. */
static void
add_look(const struct curve *c, struct value *list, unsigned look)
{
	struct value *one = NULL, *names = NULL;

	for (size_t i = 0; i < c->nsurveys; i++) {
		const struct survey *s = &c->surveys[i];
		struct value *name;

		if (s->look != look)
			continue;
		if (one == NULL) {
			one = value_add_object(list);
			value_set_int(one, "survey", (int64_t)look + 1);
			/* the disc of g stands for all bands */
			value_set_text(one, "mark", mark_text(c, 1, look));
			names = value_set_list(one, "names");
		}
		name = value_add_object(names);
		value_set_text(name, "name", s->name.n > 0 ? s->name : STR("no source"));
		value_set_int(name, "count", s->count);
	}
}

void
curve_add_keys(const struct curve *c, struct value *v)
{
	struct value *keys = value_set_list(v, "keys");

	for (size_t style = 0; style < NSTYLES; style++)
		add_key(c, keys, style);
	if (c->nsurveys > 1) {
		struct value *surveys = value_set_list(v, "surveys");

		value_set_bool(v, "several", true);
		for (unsigned look = 0; look < SURVEYS; look++)
			add_look(c, surveys, look);
	}
	if (c->limits > 0)
		value_set_int(v, "limit_count", (int64_t)c->limits);
	if (c->forced > 0)
		value_set_int(v, "forced_count", (int64_t)c->forced);
	if (c->minus > 0 && !c->view->flux)
		value_set_int(v, "minus_count", (int64_t)c->minus);
}
