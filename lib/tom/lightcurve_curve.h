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
#define NAMES_MAX 64 /* bandpass names told apart; more are one */
#define SAY_MAX 128 /* bytes that say one measurement */

enum role { DETECTION, FORCED, LIMIT, ROLES };

/* A bandpass by name, for the legend and for who is who. */
struct band {
	struct str name;
	unsigned style;
	unsigned count, limits; /* measurements; upper limits */
};

struct curve {
	struct arena *arena;
	const struct lightcurve_point *points;
	size_t n;
	bool older; /* there are points before these */
	uint8_t *band; /* for each point the index of its bandpass; UNSEEN: not drawn */
	struct band bands[NAMES_MAX];
	size_t nbands;
	size_t counts[NSTYLES][ROLES];
	size_t seen, thinned, limits, forced, minus, differences;
	const struct lightcurve_point *peak, *last, *deepest;
	double mjd[2], magnitude[2]; /* of what is drawn: least, greatest */
	double from, to; /* the edges: MJD */
	double top, bottom; /* magnitudes */
};

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

/* What a mark says: "g 18.71 ± 0.09, MJD 61272.2931, forced". SAY_MAX bytes at most, no NUL. */
char *curve_put_say(char *w, const struct lightcurve_point *);

/* Sets desc (what the curve shows, for who cannot see it), last and peak. */
void curve_add_finding(const struct curve *, struct value *);

/* Sets caption. */
void curve_add_caption(const struct curve *, struct value *);

#endif
