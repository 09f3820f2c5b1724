/*
 * cone.h: which rows of an index on (zone, ra) a cone can touch, and the exact test.
 *
 * The sky is cut into zones of declination 0.25 degrees high (spec/libraries.md 5). A cone covers
 * a range of zones, and in each one or two intervals of RA: two where it spans RA 0, the full
 * circle where it holds a pole.
 */
#ifndef MERIDIAN_CONE_H
#define MERIDIAN_CONE_H

#include "base/base.h"

#define CONE_ZONE_HEIGHT 0.25 /* degrees */
#define CONE_ZONES 720 /* dec = 90 belongs to the last */

/* The zone of a declination (degrees, -90 to 90): floor((dec + 90) / 0.25), at most 719. */
int cone_zone(double dec);

/* An interval of RA in one zone, ends inclusive, degrees: 0 <= from <= to <= 360. */
struct cone_strip {
	int zone;
	double from, to;
};

struct cone {
	double ra, dec, radius; /* degrees; ra in [0, 360), radius 0 to 180 */
	int first, last; /* zones */
};

/* A cone about (ra, dec); ra of any turn. The radius is taken into 0 to 180. */
struct cone cone_about(double ra, double dec, double radius);

/*
 * The strips of the cone's zones, at most CONE_STRIPS; returns how many. Every point of the cone
 * is in one of them (with a margin for rounding); points outside may be too: test them.
 */
#define CONE_STRIPS ((size_t)CONE_ZONES * 2)
size_t cone_strips(const struct cone *, struct cone_strip strips[CONE_STRIPS]);

/*
 * sin^2(radius / 2), what the haversine of a point's distance is compared with, in SQL too:
 * sin^2((dec - dec0) / 2) + cos(dec) cos(dec0) sin^2((ra - ra0) / 2) <= cone_limit.
 * A margin of rounding is in it: the edge belongs to the cone.
 */
double cone_limit(const struct cone *);

/*
 * Reads "RA,Dec,radius", decimal degrees or sexagesimal for the first two, the radius in degrees
 * (0 < radius <= 180). NULL, or the reason: a sentence for people (static).
 */
const char *cone_parse(struct str, struct cone *);

#endif
