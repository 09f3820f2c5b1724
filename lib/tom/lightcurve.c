/*
 * lightcurve: from points to marks. In order: which points can be drawn and their ranges; the
 * scales; which points are kept when there are too many; the series, one for each colour; the
 * legend. The words are lightcurve_text.c's.
 */
#include "tom/lightcurve_curve.h"

#include <math.h>
#include <stdlib.h>

#include "tom/axis.h"

#define BAR_BYTES 24 /* "M100000 10000V10000" */
#define MARK_BYTES 16 /* "100.000", "100.00", a NUL behind each */

/* The box error bars and grid are drawn in; percents of marks come from it too. */
#define WIDE 100000.0
#define HIGH 10000.0
/* A bar shorter than this hides behind its mark. */
#define BAR_MIN (HIGH * 0.008)

#define UNSEEN UINT8_MAX

char
lightcurve_band(struct str band)
{
	static const struct {
		const char *name;
		char style;
	} table[] = {
		{ "zg", 'g' },
		{ "zr", 'r' },
		{ "zi", 'i' },
		{ "orange", 'o' },
		{ "cyan", 'c' },
		{ "zs", 'z' },
		{ "gaia", 'w' },
		{ "clear", 'w' },
		{ "white", 'w' },
		{ "unfiltered", 'w' },
		{ "bessell-b", 'g' },
		{ "bessell-v", 'r' },
		{ "bessell-r", 'r' },
		{ "bessell-i", 'i' },
	};
	struct str s = str_trim(band);

	for (size_t i = 0; i < NELEM(table); i++)
		if (str_is_nocase(s, table[i].name))
			return table[i].style;
	/* "g", "g'", "gp", "g_ps1", "sdss g" are letters with an ornament; "J" or "H" have no mark. */
	if (s.n > 5 && str_is_nocase((struct str){ s.p, 4 }, "sdss"))
		s = (struct str){ s.p + 5, s.n - 5 };
	if (s.n == 0 || (s.n > 2 && s.p[1] != '_' && s.p[1] != '-' && s.p[1] != ' '))
		return 'w';
	if (s.n == 2 && s.p[1] != '\'' && s.p[1] != 'p' && s.p[1] != 's' && s.p[1] != '*')
		return 'w';
	switch (s.p[0]) {
	case 'B':
		return 'g';
	case 'V':
	case 'R':
		return 'r';
	case 'I':
		return 'i';
	case 'U':
		return 'u';
	case 'Y':
		return 'y';
	case 'Z':
		return 'z';
	}
	/* The letter must not be the NUL that ends the list. */
	return s.p[0] != '\0' && strchr(STYLES, s.p[0]) ? s.p[0] : 'w';
}

static unsigned
style_of(struct str band)
{
	return (unsigned)(strchr(STYLES, lightcurve_band(band)) - STYLES);
}

static enum role
role_of(const struct lightcurve_point *p)
{
	return p->limit ? LIMIT : p->forced ? FORCED : DETECTION;
}

static bool
can_be_drawn(const struct lightcurve_point *p)
{
	return p->mjd >= AXIS_MJD_MIN && p->mjd < AXIS_MJD_MAX && p->magnitude > -100 &&
	    p->magnitude < 100;
}

/* The index of a bandpass, met before or new. Few there are: looked through. */
static uint8_t
band_index(struct curve *c, struct str name)
{
	struct band *b;

	for (size_t i = 0; i < c->nbands; i++)
		if (str_eq(c->bands[i].name, name))
			return (uint8_t)i;
	if (c->nbands == NAMES_MAX)
		return NAMES_MAX - 1;
	b = &c->bands[c->nbands];
	b->name = name;
	b->style = style_of(name);
	return (uint8_t)c->nbands++;
}

/* Which points can be drawn, how many of each kind, and the range they span. */
static void
survey(struct curve *c)
{
	c->band = arena_alloc(c->arena, c->n + 1);
	c->mjd[0] = c->magnitude[0] = INFINITY;
	c->mjd[1] = c->magnitude[1] = -INFINITY;
	for (size_t i = 0; i < c->n; i++) {
		const struct lightcurve_point *p = &c->points[i];

		c->band[i] = UNSEEN;
		if (!can_be_drawn(p))
			continue;
		c->band[i] = band_index(c, p->band);
		if (p->limit)
			c->bands[c->band[i]].limits++;
		else
			c->bands[c->band[i]].count++;
		c->counts[c->bands[c->band[i]].style][role_of(p)]++;
		c->seen++;
		c->mjd[0] = fmin(c->mjd[0], p->mjd);
		c->mjd[1] = fmax(c->mjd[1], p->mjd);
		c->magnitude[0] = fmin(c->magnitude[0], p->magnitude);
		c->magnitude[1] = fmax(c->magnitude[1], p->magnitude);
		c->forced += p->forced && !p->limit;
		if (p->limit) {
			c->limits++;
			if (!c->deepest || p->magnitude > c->deepest->magnitude)
				c->deepest = p;
			continue;
		}
		c->differences += p->difference || p->negative;
		if (p->negative)
			c->minus++;
		else if (!c->peak || p->magnitude < c->peak->magnitude)
			c->peak = p;
		if (!c->last || p->mjd > c->last->mjd)
			c->last = p;
	}
}

/*
 * Error bars are to be seen whole: they widen the range, but no bar by more than the points span, or
 * a magnitude.
 */
static void
add_bars(struct curve *c)
{
	double most = fmax(c->magnitude[1] - c->magnitude[0], 1);
	double brightest = c->magnitude[0], faintest = c->magnitude[1];

	for (size_t i = 0; i < c->n; i++) {
		const struct lightcurve_point *p = &c->points[i];
		double bar = p->error > 0 && !p->limit ? fmin(p->error, most) : 0;

		if (c->band[i] == UNSEEN)
			continue;
		brightest = fmin(brightest, p->magnitude - bar);
		faintest = fmax(faintest, p->magnitude + bar);
	}
	c->magnitude[0] = brightest;
	c->magnitude[1] = faintest;
}

/* The edges: magnitudes at whole ticks; time with a margin, and up to now where that is near. */
static double
set_scales(struct curve *c, double now)
{
	double span = c->mjd[1] - c->mjd[0], margin, step;

	margin = span > 0 ? span * 0.03 : 1;
	c->from = c->mjd[0] - margin;
	c->to = c->mjd[1] + margin;
	if (now > c->to && now <= c->mjd[1] + fmax(span * 0.25, 3))
		c->to = now + margin;
	span = c->magnitude[1] - c->magnitude[0];
	if (span < 0.2) {
		c->magnitude[0] -= (0.2 - span) / 2;
		c->magnitude[1] += (0.2 - span) / 2;
		span = 0.2;
	}
	step = axis_step(span, 5);
	c->top = floor(c->magnitude[0] / step + 1e-6) * step;
	c->bottom = ceil(c->magnitude[1] / step - 1e-6) * step;
	return step;
}

static double
x_of(const struct curve *c, double mjd)
{
	return (mjd - c->from) / (c->to - c->from) * WIDE;
}

static double
y_of(const struct curve *c, double magnitude)
{
	double y = (magnitude - c->top) / (c->bottom - c->top) * HIGH;

	return y < 0 ? 0 : y > HIGH ? HIGH : y;
}

/* What is thinned out apart from the rest: a colour, a role, a side of the reference image. */
#define NSERIES (NSTYLES * ROLES * 2)

static size_t
series_of(const struct curve *c, size_t i)
{
	const struct lightcurve_point *p = &c->points[i];

	return (c->bands[c->band[i]].style * ROLES + role_of(p)) * 2 + p->negative;
}

static int
compare_times(const void *x, const void *y, void *points)
{
	const struct lightcurve_point *p = points;
	double l = p[*(const uint32_t *)x].mjd, r = p[*(const uint32_t *)y].mjd;

	return (l > r) - (l < r);
}

/* The points in the order of their time. */
static uint32_t *
by_time(const struct curve *c)
{
	uint32_t *order = arena_array(c->arena, c->n, sizeof(*order));
	bool sorted = true;

	for (size_t i = 0; i < c->n; i++) {
		order[i] = (uint32_t)i;
		sorted = sorted && (i == 0 || c->points[i - 1].mjd <= c->points[i].mjd);
	}
	if (!sorted)
		qsort_r(order, c->n, sizeof(*order), compare_times, (void *)(uintptr_t)c->points);
	return order;
}

/* A series while it is thinned out. */
struct thinning {
	size_t count; /* points of it */
	size_t quota; /* marks it may have */
	size_t intervals; /* half as many */
	size_t seen; /* points so far */
	double first, last; /* MJD */
	uint32_t *brightest, *faintest; /* of each interval: index of the point, plus one */
};

/* Small series keep all, the others share what is left. One mark is the latest's. */
static void
share_out(struct thinning all[NSERIES])
{
	size_t left = LIGHTCURVE_MARKS - 1, open = 0;
	bool changed = true;

	for (size_t s = 0; s < NSERIES; s++)
		open += all[s].count > 0;
	while (changed) {
		changed = false;
		for (struct thinning *t = all; t < all + NSERIES; t++)
			if (t->count > 0 && t->quota == 0 && t->count <= left / open) {
				t->quota = t->count;
				left -= t->count;
				open--; /* never to 0: not all have room */
				changed = true;
			}
	}
	for (struct thinning *t = all; t < all + NSERIES; t++)
		if (t->count > 0 && t->quota == 0)
			t->quota = left / open;
}

/* Intervals are cut half by time and half by number. */
static size_t
interval_of(const struct thinning *t, double mjd)
{
	double number = (double)t->seen / (double)t->count;
	double time = t->last > t->first ? (mjd - t->first) / (t->last - t->first) : 0;

	return (size_t)((time + number) / 2 * (double)t->intervals);
}

/* Notes a point, the next in time of its series, among the extremes of its interval. */
static void
note_extreme(const struct curve *c, struct thinning *t, uint32_t i, size_t interval)
{
	uint32_t *brightest = &t->brightest[interval], *faintest = &t->faintest[interval];

	if (!*brightest || c->points[i].magnitude < c->points[*brightest - 1].magnitude)
		*brightest = i + 1;
	if (!*faintest || c->points[i].magnitude > c->points[*faintest - 1].magnitude)
		*faintest = i + 1;
	t->seen++;
}

/*
 * Too many points: in each series and interval only the brightest and the faintest stay, others
 * become UNSEEN. So a night of a thousand points has its share, and so has a year of ten.
 */
static void
thin_out(struct curve *c)
{
	struct thinning all[NSERIES] = { 0 }, *t;
	uint32_t *order = by_time(c);
	size_t *interval = arena_array(c->arena, c->n, sizeof(*interval));

	for (size_t k = 0; k < c->n; k++)
		if (c->band[order[k]] != UNSEEN) {
			t = &all[series_of(c, order[k])];
			t->last = c->points[order[k]].mjd;
			t->first = t->count++ == 0 ? t->last : t->first;
		}
	share_out(all);
	for (t = all; t < all + NSERIES; t++) {
		t->intervals = t->quota / 2;
		t->brightest = arena_array(c->arena, t->intervals + 1, sizeof(uint32_t));
		t->faintest = arena_array(c->arena, t->intervals + 1, sizeof(uint32_t));
	}
	for (size_t k = 0; k < c->n; k++)
		if (c->band[order[k]] != UNSEEN) {
			t = &all[series_of(c, order[k])];
			interval[order[k]] = interval_of(t, c->points[order[k]].mjd);
			note_extreme(c, t, order[k], interval[order[k]]);
		}
	for (size_t i = 0; i < c->n; i++) {
		if (c->band[i] == UNSEEN || &c->points[i] == c->last)
			continue;
		t = &all[series_of(c, i)];
		if (t->count > t->quota && t->brightest[interval[i]] != i + 1 &&
		    t->faintest[interval[i]] != i + 1) {
			c->band[i] = UNSEEN;
			c->thinned++;
		}
	}
}

/* A number at *w, which moves on behind its NUL. */
static struct str
put_text(char **w, double value, unsigned decimals)
{
	struct str text = { *w, number_fixed(*w, value, decimals) };

	*w += text.n + 1;
	return text;
}

/* Its numbers are put at *w. */
static struct value *
add_mark(struct value *list, char **w, double x, double y)
{
	struct value *mark = value_add_object(list);

	value_set_text(mark, "x", put_text(w, x / (WIDE / 100), 3));
	value_set_text(mark, "y", put_text(w, y / (HIGH / 100), 2));
	return mark;
}

/* One error bar as path data, where it can be seen beside its mark. */
static char *
put_bar(const struct curve *c, char *w, const struct lightcurve_point *p, double x)
{
	double high, low;

	if (!(p->error > 0 && p->error < 100))
		return w;
	high = y_of(c, p->magnitude - p->error);
	low = y_of(c, p->magnitude + p->error);
	if (low - high < 2 * BAR_MIN)
		return w;
	w = PUT(w, "M");
	w = put_fixed(w, x, 0);
	w = PUT(w, " ");
	w = put_fixed(w, high, 0);
	w = PUT(w, "V");
	return put_fixed(w, low, 0);
}

/* What the list of marks, their numbers and their bars are called, by role. */
static const struct {
	const char *list, *say, *bars;
} role_names[ROLES] = {
	[DETECTION] = { "points", "points_say", "bars" },
	[FORCED] = { "forced", "forced_say", "forced_bars" },
	[LIMIT] = { "limits", "limits_say", NULL },
};

/* The marks of one colour and role; numbers, a line each, and bars as one text for all. */
static void
add_marks(
    const struct curve *c, struct value *series, struct value *minus, size_t style, enum role role)
{
	struct value *list;
	size_t n = c->counts[style][role];
	char *bars, *bar, *lines, *line, *numbers;

	if (n == 0)
		return;
	list = value_set_list(series, role_names[role].list);
	bars = bar = arena_alloc(c->arena, n * BAR_BYTES + NUMBER_MAX);
	lines = line = arena_alloc(c->arena, n * SAY_MAX + NUMBER_MAX);
	numbers = arena_alloc(c->arena, n * MARK_BYTES + NUMBER_MAX);
	for (size_t i = 0; i < c->n; i++) {
		const struct lightcurve_point *p = &c->points[i];
		struct value *mark;
		double x, y;

		if (c->band[i] == UNSEEN || c->bands[c->band[i]].style != style ||
		    role_of(p) != role)
			continue;
		x = x_of(c, p->mjd);
		y = y_of(c, p->magnitude);
		mark = add_mark(list, &numbers, x, y);
		if (line > lines)
			line = PUT(line, "\n");
		line = curve_put_say(line, p);
		if (role == LIMIT)
			continue;
		if (p->negative)
			value_add(minus, mark);
		bar = put_bar(c, bar, p, x);
	}
	*line = '\0';
	value_set_text(series, role_names[role].say, (struct str){ lines, (size_t)(line - lines) });
	*bar = '\0';
	if (bar > bars)
		value_set_text(
		    series, role_names[role].bars, (struct str){ bars, (size_t)(bar - bars) });
}

static struct str
style_text(size_t style)
{
	static const char letters[] = "u\0g\0r\0i\0z\0y\0c\0o\0w";

	return (struct str){ letters + 2 * style, 1 };
}

static void
add_series(const struct curve *c, struct value *v)
{
	struct value *list = value_set_list(v, "series");

	for (size_t style = 0; style < NSTYLES; style++) {
		struct value *series, *minus;

		if (c->counts[style][DETECTION] + c->counts[style][FORCED] +
		        c->counts[style][LIMIT] ==
		    0)
			continue;
		series = value_add_object(list);
		value_set_text(series, "band", style_text(style));
		minus = value_set_list(series, "minus");
		for (enum role role = DETECTION; role < ROLES; role++)
			add_marks(c, series, minus, style, role);
	}
}

/* The legend: a key for each colour, "g 17" or "R 12, V 5" where names share one. */
static void
add_keys(const struct curve *c, struct value *v)
{
	struct value *keys = value_set_list(v, "keys");

	for (size_t style = 0; style < NSTYLES; style++) {
		struct value *key = NULL, *names = NULL;

		for (size_t i = 0; i < c->nbands; i++) {
			const struct band *b = &c->bands[i];
			struct value *name;

			if (b->style != style || b->count + b->limits == 0)
				continue;
			if (!key) {
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
	if (c->limits > 0)
		value_set_int(v, "limit_count", (int64_t)c->limits);
	if (c->forced > 0)
		value_set_int(v, "forced_count", (int64_t)c->forced);
	if (c->minus > 0)
		value_set_int(v, "minus_count", (int64_t)c->minus);
}

static void
add_label(const struct curve *c, struct value *list, double mjd, struct str label, bool alt)
{
	struct value *tick = value_add_object(list);

	value_set_text(tick, "x", number_text(c->arena, x_of(c, mjd) / (WIDE / 100), 2, false));
	value_set_text(tick, "label", label);
	if (alt)
		value_set_bool(tick, "alt", true);
}

/* The grid and its words. A tick of a time axis is 2 % of the height. */
static void
add_axes(const struct curve *c, struct value *v, double step)
{
	char path[2 * AXIS_TICKS_MAX * (2 * NUMBER_MAX + 8)], *w = path;
	double ticks[AXIS_TICKS_MAX], mjd_step = axis_step(c->to - c->from, 8);
	struct axis_date dates[AXIS_TICKS_MAX];
	struct value *list = value_set_list(v, "mags");
	size_t n = axis_ticks(c->top, c->bottom, step, ticks);

	for (size_t i = 0; i < n; i++) {
		struct value *tick = value_add_object(list);
		double y = y_of(c, ticks[i]);

		value_set_text(tick, "y", number_text(c->arena, y / (HIGH / 100), 2, false));
		value_set_text(
		    tick, "label", number_text(c->arena, ticks[i], axis_decimals(step), false));
		if (i > 0 && i + 1 < n) {
			w = PUT(w, "M0 ");
			w = put_fixed(w, y, 0);
			w = PUT(w, "H100000");
		}
	}
	value_set_text(v, "grid", arena_copy(c->arena, path, (size_t)(w - path)));
	w = path;
	list = value_set_list(v, "mjds");
	n = axis_ticks(c->from, c->to, mjd_step, ticks);
	for (size_t i = 0; i < n; i++) {
		add_label(c, list, ticks[i],
		    number_text(c->arena, ticks[i], axis_decimals(mjd_step), false), i % 2 == 1);
		w = PUT(w, "M");
		w = put_fixed(w, x_of(c, ticks[i]), 0);
		w = PUT(w, " 10000v-200");
	}
	list = value_set_list(v, "dates");
	n = axis_dates(c->from, c->to, 8, dates);
	for (size_t i = 0; i < n; i++) {
		add_label(c, list, dates[i].mjd,
		    arena_copy(c->arena, dates[i].label, strlen(dates[i].label)), i % 2 == 1);
		w = PUT(w, "M");
		w = put_fixed(w, x_of(c, dates[i].mjd), 0);
		w = PUT(w, " 0v200");
	}
	value_set_text(v, "ticks", arena_copy(c->arena, path, (size_t)(w - path)));
	value_set_text(v, "from", number_text(c->arena, c->from, 6, false));
	value_set_text(v, "to", number_text(c->arena, c->to, 6, false));
}

/* The line of now; near the right edge its word stands to the left of it. */
static void
add_today(const struct curve *c, struct value *v, double now)
{
	struct value *today;
	bool late = x_of(c, now) > WIDE * 0.94;

	if (!(now >= c->from && now <= c->to))
		return;
	today = value_set_object(v, "today");
	value_set_text(today, "x", number_text(c->arena, x_of(c, now) / (WIDE / 100), 2, false));
	value_set_bool(today, "late", late);
	value_set_cstr(today, "dx", late ? "-6" : "6");
}

struct value *
lightcurve_value(struct arena *a, struct str name, const struct lightcurve_point *points, size_t n,
    bool older, double now)
{
	struct curve *c = arena_alloc(a, sizeof(*c));
	struct value *v = value_object(a);
	double step;

	c->arena = a;
	c->points = points;
	c->n = n;
	c->older = older;
	survey(c);
	value_set_text(v, "title", arena_printf(a, "Light curve of %.*s", STR_ARG(name)));
	if (c->seen == 0) {
		value_set_bool(v, "empty", true);
		return v;
	}
	add_bars(c);
	step = set_scales(c, now);
	if (c->seen > LIGHTCURVE_MARKS)
		thin_out(c);
	add_axes(c, v, step);
	add_today(c, v, now);
	add_series(c, v);
	add_keys(c, v);
	curve_add_finding(c, v);
	curve_add_caption(c, v);
	return v;
}
