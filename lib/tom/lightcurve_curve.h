/*
 * lightcurve_curve.h: a light curve in the making, between the files that draw it and put it into
 * words.
 */
#ifndef MERIDIAN_LIGHTCURVE_CURVE_H
#define MERIDIAN_LIGHTCURVE_CURVE_H

#include <string.h>

#include "base/number.h"
#include "tom/lightcurve.h"

#define STYLES "ugrizycow" /* in the order of the legend */
#define NSTYLES (sizeof(STYLES) - 1)
#define SURVEYS 3 /* looks of surveys told apart */
#define NAMES_MAX 64 /* bandpass names told apart, and surveys; more are one */
#define SAY_MAX 224 /* bytes that say one measurement */

/* The box error bars and grid are drawn in; percents of marks come from it too. */
#define WIDE 100000.0
#define HIGH 10000.0

enum role { DETECTION, FORCED, LIMIT, ROLES };

/* What is drawn, counted and thinned out apart: a colour, a survey's look, a role. */
#define NSERIES (NSTYLES * SURVEYS * ROLES)
#define SERIES(style, survey, role) (((style)*SURVEYS + (survey)) * ROLES + (role))

/* A bandpass by name, for the legend and for who is who. */
struct band {
	struct str name;
	unsigned style;
	unsigned count, limits; /* measurements; upper limits */
};

struct survey {
	struct str name;
	unsigned look; /* below SURVEYS */
	unsigned count;
};

/* What is known of a point besides itself. */
struct place {
	uint8_t band, survey; /* indexes */
	uint8_t series; /* NOT_DRAWN, or its SERIES */
	bool kept; /* where there are too many points */
};
#define NOT_DRAWN UINT8_MAX
_Static_assert(NSERIES < NOT_DRAWN, "a series is a byte");

struct curve {
	struct arena *arena;
	const struct lightcurve_view *view;
	const struct lightcurve_point *points;
	size_t n;
	struct place *places; /* for each point */
	struct band bands[NAMES_MAX];
	struct survey surveys[NAMES_MAX];
	size_t nbands, nsurveys;
	size_t counts[NSERIES]; /* of points that are drawn */
	size_t seen, thinned, limits, forced, minus, differences;
	const struct lightcurve_point *peak, *last, *deepest;
	double mjd[2], value[2]; /* of what is drawn: least, greatest */
	double from, to; /* the edges: MJD */
	double top, bottom, step; /* values; between lines of the grid */
};

/* Is a brighter than b? */
static inline bool
curve_is_brighter(
    const struct curve *c, const struct lightcurve_point *a, const struct lightcurve_point *b)
{
	return c->view->flux ? a->value > b->value : a->value < b->value;
}

static inline double
curve_x(const struct curve *c, double mjd)
{
	return (mjd - c->from) / (c->to - c->from) * WIDE;
}

static inline double
curve_y(const struct curve *c, double value)
{
	double y = (value - c->top) / (c->bottom - c->top) * HIGH;

	return y < 0 ? 0 : y > HIGH ? HIGH : y;
}

/* Writes at *w, which has room; the format is ours. */
static inline char *
put(char *w, const char *s, size_t n)
{
	memcpy(w, s, n);
	return w + n;
}
#define PUT(w, literal) put(w, literal, sizeof(literal) - 1)

static inline char *
put_fixed(char *w, double value, unsigned decimals)
{
	return w + number_fixed(w, value, decimals);
}

/* lightcurve_scale.c: fits the edges to the points; then sets all that is told of the axes. */
void curve_fit(struct curve *);
void curve_add_axes(const struct curve *, struct value *);

/* lightcurve_thin.c: leaves LIGHTCURVE_MARKS points to be drawn at most. */
void curve_thin_out(struct curve *);

/* lightcurve_marks.c: the series and the legend. */
void curve_add_series(const struct curve *, struct value *);
void curve_add_keys(const struct curve *, struct value *);

/* What a mark says: "g 18.71 ± 0.09, MJD 61272.2931, forced". SAY_MAX bytes at most, no NUL. */
char *curve_put_say(const struct curve *, char *w, const struct lightcurve_point *);

/* Sets desc (what the curve shows, for who cannot see it), last and peak. */
void curve_add_finding(const struct curve *, struct value *);

/* Sets caption, drawn and count. */
void curve_add_caption(const struct curve *, struct value *);

#endif
