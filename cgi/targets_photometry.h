/*
 * targets_photometry.h: the measurements on the page of a target: the light curve, how it is looked
 * at, and the table below it.
 *
 * What is looked at stands in the query string and nowhere else:
 *	y=flux		flux in nJy instead of AB magnitude
 *	x=days		days since the first detection instead of MJD
 *	from, to	MJD: nothing else is shown; either may be absent
 *	sort		time, band, value, error or source; '-' before it: downwards. -time
 *	after		the key of the row that the page of the table begins behind
 */
#ifndef MERIDIAN_CGI_TARGETS_PHOTOMETRY_H
#define MERIDIAN_CGI_TARGETS_PHOTOMETRY_H

#include "targets.h"
#include "tom/curve_cache.h"
#include "tom/datum.h"
#include "tom/lightcurve.h"

/* The newest measurements of the range, of which the curve is drawn. */
#define CURVE_MAX 100000

struct photometry {
	struct datum_span span;
	bool ranged; /* the span is not all time */
	const char *wrong; /* why the range that was given is not applied; NULL: nothing is wrong */
	bool flux, days;
	const struct lightcurve_point *points; /* by time */
	size_t n;
	bool more; /* the range has others, before these */
	double first; /* MJD of the first detection; NAN: none is known */
	struct curve_key key; /* under which the points are kept; target 0: they are not to be */
	struct query *reading, *asking; /* while it is read; NULL: not asked */
};

/* The range of the query string: 0; -1 with a sentence in *why, and all time in the span. */
int photometry_span(const struct request *, struct datum_span *, const char **why);

/* How much of what it read a worker keeps. */
#define CURVES_KEPT MIB(1)

/*
 * The measurements of a target as the query string wants them, in two halves as those of datum.h:
 * one statement, and another for days. None where they were kept under their revision: all of a
 * target's, for who may see all.
 */
void photometry_start(struct request *, struct photometry *, int64_t target, int64_t revision);
enum db_result photometry_end(struct request *, struct photometry *) MUST_CHECK;

/* page.curve, and what chooses how it is looked at: page.look_y, page.look_x, page.range. */
void photometry_add_curve(
    struct request *, struct value *page, const struct photometry *, struct str name);

/* targets_measurements.c: page.measurements, a page of the table, and its links. */
void photometry_add_table(struct request *, struct value *page, const struct photometry *);

#endif
