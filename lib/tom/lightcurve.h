/*
 * lightcurve.h: a light curve as values for the template target-curve.html: an SVG whose plotting
 * area is the element itself, x and y in percent, so that words and marks keep their size.
 *
 * Magnitudes grow downward; MJD stands below, the calendar (UTC) above. Every bandpass has a mark
 * and a colour of its own, the table of look/: u g r i z y, c and o (ATLAS), w for G and clear;
 * B is drawn as g, V and R as r, I as i, any other as w, each with its name in the legend.
 * Detections are filled marks, forced photometry hollow ones, upper limits hollow triangles
 * pointing down; a measurement fainter than the reference image carries a minus sign.
 */
#ifndef MERIDIAN_LIGHTCURVE_H
#define MERIDIAN_LIGHTCURVE_H

#include "http/value.h"

/* At most so many marks are drawn, however many points there are. */
#define LIGHTCURVE_MARKS 800

struct lightcurve_point {
	double mjd; /* UTC */
	double magnitude; /* AB; of a limit: the faintest that would have been seen */
	double error; /* 1 sigma in magnitudes; NAN: not known */
	struct str band; /* as the source names it: "g", "zr", "V" */
	struct str source; /* who measured: "ZTF" */
	bool limit; /* an upper limit of brightness, not a measurement */
	bool forced; /* measured at a place given beforehand */
	bool difference; /* the magnitude is that of the difference to a reference image */
	bool negative; /* and that is negative: fainter than the reference image */
};

/* The letter of the mark and colour for a bandpass: one of "ugrizycow". */
char lightcurve_band(struct str band);

/*
 * The curve of n points in any order, for the target of that name. Points whose MJD or magnitude
 * is not a number (or has no calendar date) are counted in the caption and not drawn. Above
 * LIGHTCURVE_MARKS points each series keeps the brightest and the faintest of intervals that are
 * shorter where there are more points, so no extreme is lost and no burst; the caption says so. `older`: the target has more
 * points than these, before them, which the caption says. `now` (MJD) is drawn where it lies in the
 * range or little after it.
 *
 * The value, which lives in the arena (texts of points are borrowed):
 *	empty: true			no point can be drawn: only title is set
 *	title, desc, caption		sentences; desc carries the finding
 * (x and y are percents as text; path data stands in a box of 100000 by 10000)
 *	mags [{ y, label }]		and grid: path data of their lines
 *	mjds, dates [{ x, label, alt }]	and ticks: path data of theirs; alt: every second one, left
 *					out where room is scarce
 *	today { x, dx, late }		the line of now; late: near the right edge
 *	series [{ band, minus, points, forced, limits, points_say ..., bars, forced_bars }]
 *		points, forced, limits, minus [{ x, y }]; points_say, forced_say, limits_say: a line
 *		for each mark with its numbers; bars: path data
 *	keys [{ band, names [{ name, count }] }] (count null: limits alone), limit_count, forced_count, minus_count
 *	from, to			MJD of the left and right edge, for the script
 *	last, peak { text }		"18.71 ± 0.09 g, MJD 61272.29", and whether that is fainter
 *					than the reference
 */
struct value *lightcurve_value(struct arena *, struct str name, const struct lightcurve_point *,
    size_t n, bool older, double now);

/* "18.71 ± 0.09", "> 20.5" for a limit, "" where it is not a number. */
struct str lightcurve_magnitude(struct arena *, double magnitude, double error, bool limit);

#endif
