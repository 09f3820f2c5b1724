/*
 * lightcurve_text: the words of a light curve: what each mark says, what there is to be seen, the
 * caption. Written into room on the stack that is known to do: pages have many of them.
 */
#include "tom/lightcurve_curve.h"

#include <math.h>

#define BAND_MAX 32 /* bytes of a name that is written */
#define SOURCE_MAX 60
#define SOURCES_MAX 4

/* "18.71 ± 0.09": three decimals where the error is below 0.01. */
static char *
put_magnitude(char *w, double magnitude, double error, bool limit)
{
	unsigned decimals = error < 0.00995 ? 3 : 2;

	if (limit)
		w = PUT(w, "> ");
	w = put_fixed(w, magnitude, limit ? 2 : decimals);
	if (!limit && error >= 0 && error < 100) {
		w = PUT(w, " \xc2\xb1 ");
		w = put_fixed(w, error, decimals);
	}
	*w = '\0';
	return w;
}

struct str
lightcurve_magnitude(struct arena *a, double magnitude, double error, bool limit)
{
	char text[SAY_MAX];

	if (!isfinite(magnitude))
		return STR("");
	return arena_copy(a, text, (size_t)(put_magnitude(text, magnitude, error, limit) - text));
}

/* A bandpass in a sentence; one that is too long to be a name is left out. */
static char *
put_band(char *w, struct str band)
{
	return put(w, band.p ? band.p : "", band.n < BAND_MAX ? band.n : 0);
}

static char *
put_sign(char *w, const struct lightcurve_point *p)
{
	return p->negative ? PUT(w, ", fainter than the reference") : w;
}

char *
curve_put_say(char *w, const struct lightcurve_point *p)
{
	w = put_band(w, p->band);
	w = PUT(w, " ");
	w = put_magnitude(w, p->magnitude, p->error, p->limit);
	w = PUT(w, ", MJD ");
	w = put_fixed(w, p->mjd, 4);
	if (p->forced)
		w = PUT(w, ", forced");
	return put_sign(w, p);
}

static struct str
point_text(const struct curve *c, const struct lightcurve_point *p)
{
	char text[3 * NUMBER_MAX + SAY_MAX], *w;

	w = put_magnitude(text, p->magnitude, p->error, false);
	w = PUT(w, " ");
	w = put_band(w, p->band);
	w = PUT(w, ", MJD ");
	w = put_fixed(w, p->mjd, 2);
	w = put_sign(w, p);
	return arena_copy(c->arena, text, (size_t)(w - text));
}

/* "3 upper limits": the noun takes an s unless there is one. */
static char *
put_count(char *w, size_t n, const char *noun)
{
	w = put_fixed(w, (double)n, 0);
	*w++ = ' ';
	w = put(w, noun, strlen(noun));
	if (n != 1)
		*w++ = 's';
	return w;
}

/* "Brightest 16.33 in r at MJD 61241.2. " */
static char *
put_point(char *w, const char *what, const struct lightcurve_point *p)
{
	if (!p)
		return w;
	w = put(w, what, strlen(what));
	w = put_fixed(w, p->magnitude, 2);
	w = PUT(w, " in ");
	w = put_band(w, p->band);
	if (!p->limit) {
		w = PUT(w, " at MJD ");
		w = put_fixed(w, p->mjd, 1);
	}
	w = put_sign(w, p);
	return PUT(w, ". ");
}

/* What the curve shows, for who cannot see it. */
void
curve_add_finding(const struct curve *c, struct value *v)
{
	char text[12 * NUMBER_MAX + 4 * SAY_MAX], *w = text;
	size_t measured = c->seen - c->limits;

	if (measured > 0) {
		w = put_count(w, measured, "measurement");
		if (c->limits > 0)
			w = PUT(w, " and ");
	}
	if (c->limits > 0)
		w = put_count(w, c->limits, "upper limit");
	w = c->mjd[0] < c->mjd[1] ? PUT(w, " from MJD ") : PUT(w, " at MJD ");
	w = put_fixed(w, c->mjd[0], 1);
	if (c->mjd[0] < c->mjd[1]) {
		w = PUT(w, " to ");
		w = put_fixed(w, c->mjd[1], 1);
	}
	w = PUT(w, ". ");
	w = put_point(w, "Brightest ", c->peak);
	w = put_point(w, "Latest ", c->last);
	w = put_point(w, "Deepest limit ", c->deepest);
	w = PUT(w, "The table below holds the numbers.");
	value_set_text(v, "desc", arena_copy(c->arena, text, (size_t)(w - text)));
	if (c->last)
		value_set_text(value_set_object(v, "last"), "text", point_text(c, c->last));
	if (c->peak)
		value_set_text(value_set_object(v, "peak"), "text", point_text(c, c->peak));
}

/* Who measured, up to SOURCES_MAX of them. */
static char *
put_sources(const struct curve *c, char *w)
{
	struct str seen[SOURCES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->n && n < NELEM(seen); i++) {
		struct str source = c->points[i].source;
		size_t k = 0;

		while (k < n && !str_eq(seen[k], source))
			k++;
		if (k < n || str_empty(source) || source.n > SOURCE_MAX)
			continue;
		w = n == 0 ? PUT(w, " Measured by ") : PUT(w, ", ");
		w = put(w, source.p, source.n);
		seen[n++] = source;
	}
	return n > 0 ? PUT(w, ".") : w;
}

void
curve_add_caption(const struct curve *c, struct value *v)
{
	char text[6 * NUMBER_MAX + SOURCES_MAX * (SOURCE_MAX + 2) + 6 * SAY_MAX], *w = text;

	w = PUT(w, "AB magnitude ");
	if (c->differences > 0 && c->differences == c->seen - c->limits)
		w = PUT(w, "of the difference to the reference image ");
	w = PUT(w, "against MJD; dates above are UTC. Bars are 1\xcf\x83.");
	if (c->differences > 0 && c->differences < c->seen - c->limits) {
		w = PUT(w, " Of the difference to a reference image: ");
		w = put_count(w, c->differences, "magnitude");
		w = PUT(w, ".");
	}
	w = put_sources(c, w);
	if (c->older) {
		w = PUT(w, " These are the newest ");
		w = put_count(w, c->n, "row");
		w = PUT(w, "; older ones are in the CSV alone.");
	}
	if (c->thinned > 0) {
		w = PUT(w, " ");
		w = put_count(w, c->seen, "point");
		w = PUT(w, "; drawn are ");
		w = put_fixed(w, (double)(c->seen - c->thinned), 0);
		w = PUT(w, ", the brightest and the faintest of each interval.");
	}
	if (c->n > c->seen) {
		w = PUT(w, " ");
		w = put_count(w, c->n - c->seen, "row");
		w = PUT(w, " without a magnitude only in the table.");
	}
	value_set_text(v, "caption", arena_copy(c->arena, text, (size_t)(w - text)));
}
