/*
 * curve_cache.h: the points of light curves that a worker read last, so that a page that is asked for
 * again reads none of them.
 *
 * It is exact without being told of changes: points are known by the revision of their target's
 * measurements (tom/datum.h), which is another one after each change, whoever made it on whichever host.
 * The caller reads that anew for each page, and asks only for who sees all of the target's measurements.
 */
#ifndef MERIDIAN_CURVE_CACHE_H
#define MERIDIAN_CURVE_CACHE_H

#include "tom/lightcurve.h"

struct curve_cache;

/* Which points: all of a target. */
struct curve_key {
	int64_t target;
	int64_t revision; /* 0 (none is known) is never found nor kept */
	bool flux; /* their values are fluxes */
};

struct curve_points {
	const struct lightcurve_point *list;
	size_t n;
	double first; /* MJD of the first detection; NAN: there is none */
};

/* An empty one that holds so many bytes at most. The caller frees it with curve_cache_free(). */
struct curve_cache *curve_cache_new(size_t bytes);
void curve_cache_free(struct curve_cache *);

/* Borrowed until the next curve_cache_keep(). False: they are not there. */
bool curve_cache_find(struct curve_cache *, const struct curve_key *, struct curve_points *);

/*
 * Keeps a copy, with its texts. What was kept of the target under another revision goes, then what was
 * not looked at for longest. More than half of the bytes are not kept, nor what has very many names.
 */
void
curve_cache_keep(struct curve_cache *, const struct curve_key *, const struct curve_points *points);

/* Bytes that it holds. */
size_t curve_cache_size(const struct curve_cache *);

#endif
