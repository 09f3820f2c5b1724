/*
 * sky.h: what cones are judged by: the separation of ERFA, and the test as the statements have it.
 */
#ifndef MERIDIAN_TEST_SKY_H
#define MERIDIAN_TEST_SKY_H

#include <erfa.h>
#include <erfam.h>
#include <math.h>

#include "sky/cone.h"

/* The great-circle distance in degrees (Vincenty). */
static inline double
separation(double ra1, double dec1, double ra2, double dec2)
{
	return eraSeps(ra1 * ERFA_DD2R, dec1 * ERFA_DD2R, ra2 * ERFA_DD2R, dec2 * ERFA_DD2R) *
	    ERFA_DR2D;
}

/* targets_in_cone of sql/query/target_list.sql. */
static inline bool
holds(const struct cone *c, double ra, double dec)
{
	double s = sin((dec - c->dec) / 2 * ERFA_DD2R), t = sin((ra - c->ra) / 2 * ERFA_DD2R);

	return s * s + cos(dec * ERFA_DD2R) * cos(c->dec * ERFA_DD2R) * t * t <= cone_limit(c);
}

#endif
