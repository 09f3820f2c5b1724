/*
 * lightcurve.h: a light curve as values for the template target-curve.html: an SVG whose plotting
 * area is the element itself, x and y in percent, so that words and marks keep their size.
 *
 * What is brighter stands higher: magnitudes grow downward, fluxes upward, with a line at zero. MJD
 * or days since a moment stand below, the calendar (UTC) above. Every bandpass has a mark and a
 * colour of its own, the table of look/: u g r i z y, c and o (ATLAS), w for G and clear; B is drawn
 * as g, V and R as r, I as i, any other as w, each with its name in the legend. Where several surveys
 * measured, the marks of the second (by name) have an eye, those of the third and further ones a bar.
 * Detections are filled marks, forced photometry hollow ones, upper limits hollow triangles pointing
 * down; a magnitude of what is fainter than the reference image carries a minus sign.
 */
#ifndef MERIDIAN_LIGHTCURVE_H
#define MERIDIAN_LIGHTCURVE_H

#include "http/value.h"

/* At most so many marks are drawn, however many points there are. */
#define LIGHTCURVE_MARKS 480

struct lightcurve_point {
	double mjd; /* UTC */
	/*
	 * AB magnitude, or flux in nJy with its sign: all points of a curve are one or the other. Of a
	 * limit: the faintest that would have been seen.
	 */
	double value;
	double error; /* 1 sigma, as the value; NAN: not known */
	struct str band; /* as the source names it: "g", "zr", "V" */
	struct str source; /* who measured: "ZTF" */
	bool limit; /* an upper limit of brightness, not a measurement */
	bool forced; /* measured at a place given beforehand */
	bool difference; /* it is the difference to a reference image */
	bool negative; /* and that is negative: fainter than the reference image */
};

/* How a curve is looked at. */
struct lightcurve_view {
	struct str name; /* the target's */
	bool flux; /* values are fluxes */
	double zero; /* MJD from which days are counted; NAN: time is told in MJD */
	double from, to; /* MJD: the edges, from < to; NAN: where the points end */
	bool older; /* there are more points of the range, before these */
	double now; /* MJD: drawn where it lies in the range or little after it */
};

/* The letter of the mark and colour for a bandpass: one of "ugrizycow". */
char lightcurve_band(struct str band);

/*
 * The curve of n points in any order. Points whose MJD or value is not a number (or has no calendar
 * date) are counted in the caption and not drawn. Above LIGHTCURVE_MARKS points each series (a
 * colour, a survey, a kind) keeps its first and its last and the brightest and faintest of intervals
 * that are shorter where there are more points, so no extreme is lost and no burst; what few points a
 * series has stay all. The latest measurement always stays. The caption says so.
 *
 * The value, which lives in the arena (texts of points are borrowed):
 *	empty: true			no point can be drawn: only title is set
 *	title, desc, caption		sentences; desc carries the finding
 * (x and y are percents as text; path data stands in a box of 100000 by 10000)
 *	flux: true			of fluxes
 *	values [{ y, label }]		and grid: path data of their lines; zero: of the line at no flux
 *	times, dates [{ x, label, alt }]	and ticks: path data of theirs; alt: every second one,
 *					left out where room is scarce
 *	unit				of time: "MJD", "days"
 *	today { x, dx, late }		the line of now; late: near the right edge
 *	series [{ band, mark, survey, minus, points, forced, limits, points_say ..., bars,
 *		forced_bars }]
 *		points, forced, limits, minus [{ x, y }]; points_say, forced_say, limits_say: a line
 *		for each mark with its numbers; bars: path data; mark: of the symbol, "g" or "g2"
 *	keys [{ band, names [{ name, count }] }] (count null: limits alone), limit_count, forced_count, minus_count
 *	surveys [{ survey, mark, names }]	where there are several, and several: true
 *	from, to			MJD of the left and right edge, for the script; zero_mjd: where
 *					days are counted from
 *	drawn, count			marks, and points where these are more: "480", "5,000"; or null
 *	last, peak { text }		"18.71 ± 0.09 g, MJD 61272.29", and whether that is fainter
 *					than the reference
 */
struct value *lightcurve_value(
    struct arena *, const struct lightcurve_view *, const struct lightcurve_point *, size_t n);

/* A value in its own decimals: "18.71", "1,234"; "> 20.5", "< 230" for a limit; "" for no number. */
struct str lightcurve_amount(struct arena *, const struct lightcurve_point *, bool flux);
/* Its error: "0.09", "56"; "" where it is not known, and for a limit. */
struct str lightcurve_error(struct arena *, const struct lightcurve_point *, bool flux);

#endif
