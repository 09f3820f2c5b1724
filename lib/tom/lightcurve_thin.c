/*
 * lightcurve_thin: which points stay when there are more than marks.
 *
 * Each series (a colour, a survey, a kind) has a share of the marks. One that has no more points than
 * its share keeps all. The others keep their first and last point, and the brightest and the faintest
 * of intervals that are cut half by time and half by number: so a night of a thousand points has its
 * share, and so has a year of ten. Points are walked through in the order of time twice, whatever
 * their number.
 */
#include "tom/lightcurve_curve.h"

#include <stdlib.h>

/* What is brighter or fainter than the reference image is thinned out apart, too. */
#define NKINDS (NSERIES * 2)

/* A series while it is thinned out. */
struct thinning {
	size_t count; /* points of it */
	size_t quota; /* marks it may have */
	uint32_t head, tail; /* first and last point */
	double first, per_day, per_point; /* MJD; parts of an interval */
	size_t seen; /* points so far */
	size_t interval; /* that is being walked through */
	uint32_t brightest, faintest; /* points of that */
};

static int
compare_times(const void *x, const void *y, void *points)
{
	const struct lightcurve_point *p = points;
	double l = p[*(const uint32_t *)x].mjd, r = p[*(const uint32_t *)y].mjd;

	return (l > r) - (l < r);
}

/* The points that can be drawn in the order of their time. */
static uint32_t *
by_time(const struct curve *c)
{
	uint32_t *order = arena_array(c->arena, c->seen, sizeof(*order));
	size_t n = 0;
	bool sorted = true;

	for (size_t i = 0; i < c->n; i++) {
		if (c->places[i].series == NOT_DRAWN)
			continue;
		order[n++] = (uint32_t)i;
		sorted = sorted && (n < 2 || c->points[order[n - 2]].mjd <= c->points[i].mjd);
	}
	if (!sorted)
		qsort_r(order, n, sizeof(*order), compare_times, (void *)(uintptr_t)c->points);
	return order;
}

/* Small series keep all, the others share what is left. One mark is the latest measurement's. */
static void
share_out(struct thinning all[NKINDS])
{
	size_t left = LIGHTCURVE_MARKS - 1, open = 0;
	bool changed = true;

	for (size_t s = 0; s < NKINDS; s++)
		open += all[s].count > 0;
	while (changed) {
		changed = false;
		for (struct thinning *t = all; t < all + NKINDS; t++)
			if (t->count > 0 && t->quota == 0 && t->count <= left / open) {
				t->quota = t->count;
				left -= t->count;
				open--; /* never to 0: not all have room */
				changed = true;
			}
	}
	for (struct thinning *t = all; t < all + NKINDS; t++)
		if (t->count > 0 && t->quota == 0)
			t->quota = left / open;
}

static struct thinning *
series_of(const struct curve *c, struct thinning all[NKINDS], uint32_t i)
{
	return &all[c->places[i].series * 2 + c->points[i].negative];
}

static bool
is_thinned(const struct thinning *t)
{
	return t->count > t->quota;
}

/* Where room is scarce extremes are worth more than ends. */
static void
cut(struct curve *c, struct thinning *t)
{
	bool scarce = t->quota < 4;
	double span = c->points[t->tail].mjd - c->points[t->head].mjd;
	size_t intervals = scarce ? 1 : (t->quota - 2) / 2;
	double n = (double)intervals;

	t->first = c->points[t->head].mjd;
	t->per_day = span > 0 ? n / 2 / span : 0;
	t->per_point = (span > 0 ? n / 2 : n) / (double)t->count;
	t->brightest = t->faintest = t->head;
	if (!scarce)
		c->places[t->head].kept = c->places[t->tail].kept = true;
}

/* Keeps the extremes of the interval that is walked through. */
static void
end_interval(struct curve *c, const struct thinning *t)
{
	c->places[t->brightest].kept = true;
	c->places[t->faintest].kept = true;
}

/* A point, the next in time of its series. */
static void
walk_on(struct curve *c, struct thinning *t, uint32_t i)
{
	const struct lightcurve_point *p = &c->points[i];
	size_t interval = (size_t)((p->mjd - t->first) * t->per_day +
	    (double)t->seen++ * t->per_point);

	if (interval > t->interval) {
		end_interval(c, t);
		t->interval = interval;
		t->brightest = t->faintest = i;
	} else if (curve_is_brighter(c, p, &c->points[t->brightest])) {
		t->brightest = i;
	} else if (curve_is_brighter(c, &c->points[t->faintest], p)) {
		t->faintest = i;
	}
}

static void
count_series(const struct curve *c, struct thinning all[NKINDS], const uint32_t *order)
{
	for (size_t k = 0; k < c->seen; k++) {
		struct thinning *t = series_of(c, all, order[k]);

		if (t->count++ == 0)
			t->head = order[k];
		t->tail = order[k];
	}
}

void
curve_thin_out(struct curve *c)
{
	struct thinning *all = arena_array(c->arena, NKINDS, sizeof(*all));
	uint32_t *order = by_time(c);

	count_series(c, all, order);
	share_out(all);
	for (struct thinning *t = all; t < all + NKINDS; t++)
		if (is_thinned(t))
			cut(c, t);
	for (size_t k = 0; k < c->seen; k++) {
		struct thinning *t = series_of(c, all, order[k]);

		if (is_thinned(t))
			walk_on(c, t, order[k]);
	}
	for (struct thinning *t = all; t < all + NKINDS; t++)
		if (is_thinned(t))
			end_interval(c, t);
	for (size_t k = 0; k < c->seen; k++) {
		struct place *at = &c->places[order[k]];

		if (at->kept || !is_thinned(series_of(c, all, order[k])) ||
		    &c->points[order[k]] == c->last)
			continue;
		c->counts[at->series]--;
		at->series = NOT_DRAWN;
		c->thinned++;
	}
}
