/*
 * cone: which rows of an index on (zone, ra) a cone can touch, and the exact test.
 *
 * The half width in RA of a circle of radius r about declination d is asin(sin r / cos d), reached
 * at declination asin(sin d / cos r), as long as the circle holds no pole (d +- r within +-90). A
 * zone that does not reach that declination needs less: the width at its nearer edge.
 */
#include "sky/cone.h"

#include <math.h>

#include "sky/angle.h"

#define RADIAN (M_PI / 180)
#define MARGIN 1e-9 /* degrees (4 micro-arcsec): what rounding may do */

int
cone_zone(double dec)
{
	double zone = floor((dec + 90) / CONE_ZONE_HEIGHT);

	if (!(zone > 0))
		return 0;
	return zone >= CONE_ZONES ? CONE_ZONES - 1 : (int)zone;
}

struct cone
cone_about(double ra, double dec, double radius)
{
	struct cone c;

	c.ra = fmod(ra, 360);
	if (c.ra < 0)
		c.ra += 360;
	if (c.ra >= 360)
		c.ra = 0;
	c.dec = dec > 90 ? 90 : dec < -90 ? -90 : dec;
	c.radius = radius > 180 ? 180 : radius > 0 ? radius : 0;
	c.first = cone_zone(c.dec - c.radius * (1 + MARGIN) - MARGIN);
	c.last = cone_zone(c.dec + c.radius * (1 + MARGIN) + MARGIN);
	return c;
}

/*
 * Half the width in RA, in degrees, of the cone at one declination: 0 where it does not reach.
 * From cos r = sin d sin d0 + cos d cos d0 cos(half), written with haversines for small angles.
 */
static double
half_width(const struct cone *c, double dec)
{
	double s = sin(c->radius / 2 * RADIAN), t = sin((dec - c->dec) / 2 * RADIAN);
	double room = s * s - t * t, cosines = cos(dec * RADIAN) * cos(c->dec * RADIAN);

	if (room <= 0)
		return 0;
	if (cosines <= 0 || room >= cosines)
		return 180;
	return 2 * asin(sqrt(room / cosines)) / RADIAN;
}

/* The widest the cone is within [low, high]. */
static double
widest(const struct cone *c, double low, double high)
{
	if (c->dec + c->radius >= 90 || c->dec - c->radius <= -90) {
		/* a pole is inside: towards it the cone widens to the full circle */
		double a = half_width(c, low), b = half_width(c, high);
		double mid = c->dec >= low && c->dec <= high ? half_width(c, c->dec) : 0;
		return fmax(fmax(a, b), mid);
	}
	/* where the meridians touch the circle: sin(dec) = sin(dec0) / cos(radius); radius < 90 */
	double touch = asin(fmax(-1, fmin(1, sin(c->dec * RADIAN) / cos(c->radius * RADIAN))));
	touch /= RADIAN;
	if (touch < low)
		return half_width(c, low);
	if (touch > high)
		return half_width(c, high);
	return half_width(c, touch);
}

size_t
cone_strips(const struct cone *cone, struct cone_strip strips[CONE_STRIPS])
{
	struct cone wide = *cone, *c = &wide;
	size_t n = 0;

	wide.radius += cone->radius * MARGIN + MARGIN;

	for (int zone = c->first; zone <= c->last; zone++) {
		double low = zone * CONE_ZONE_HEIGHT - 90, high = low + CONE_ZONE_HEIGHT;
		/* the part of the zone that the cone reaches */
		low = fmax(low, c->dec - c->radius);
		high = fmin(high, c->dec + c->radius);
		double cosine = fmin(cos(low * RADIAN), cos(high * RADIAN));
		double half = 180;
		if (cosine > 1e-7)
			half = widest(c, low, high);
		double from = c->ra - half, to = c->ra + half;

		if (half >= 180 || to - from >= 360) {
			strips[n++] = (struct cone_strip){ zone, 0, 360 };
		} else if (from < 0) {
			strips[n++] = (struct cone_strip){ zone, 0, to };
			strips[n++] = (struct cone_strip){ zone, from + 360, 360 };
		} else if (to > 360) {
			strips[n++] = (struct cone_strip){ zone, from, 360 };
			strips[n++] = (struct cone_strip){ zone, 0, to - 360 };
		} else {
			strips[n++] = (struct cone_strip){ zone, from, to };
		}
	}
	return n;
}

double
cone_limit(const struct cone *c)
{
	double s = sin(c->radius / 2 * RADIAN);

	return c->radius >= 180 ? 2 : s * s * (1 + 1e-12) + 1e-24;
}

const char *
cone_parse(struct str text, struct cone *out)
{
	struct str part[3], rest = text;
	double ra, dec, radius;
	const char *why;

	for (size_t i = 0; i < NELEM(part); i++) {
		size_t comma = str_find(rest, ',');

		if (i < 2 ? comma == rest.n : comma < rest.n)
			return "Write RA, Dec and radius in degrees, divided by commas: "
			       "12.3,-4.5,0.1.";
		part[i] = (struct str){ rest.p, comma };
		if (i < 2)
			rest = (struct str){ rest.p + comma + 1, rest.n - comma - 1 };
	}
	why = angle_parse(part[0], ANGLE_RA, &ra);
	if (why == NULL)
		why = angle_parse(part[1], ANGLE_DEC, &dec);
	if (why != NULL)
		return why;
	if (!str_to_double(str_trim(part[2]), &radius) || !(radius > 0) || radius > 180)
		return "The radius must be degrees, more than 0 and at most 180.";
	*out = cone_about(ra, dec, radius);
	return NULL;
}
