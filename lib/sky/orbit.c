/*
 * orbit: two bodies, any conic section.
 *
 * From the perihelion the universal Kepler equation is short: with alpha = (1 - e) / q, the universal
 * anomaly x and Stumpff's c2 and c3 of alpha x^2,
 *
 *	k t = q x + e x^3 c3,	r = q + e x^2 c2,
 *
 * and in the plane of the orbit the body stands at
 *
 *	(q - x^2 c2, (t - x^3 c3 / k) k sqrt((1 + e) / q)).
 *
 * r, the slope of the first, is never below q: it has one root, and Newton with a bracket finds it.
 */
#include "sky/orbit.h"

#include <erfa.h>
#include <erfam.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RADIAN (M_PI / 180)
#define MJD_ZERO 2400000.5
#define OBLIQUITY (84381.448 / 3600 * RADIAN)
#define LIGHT (ERFA_AULT / ERFA_DAYSEC) /* days an au */
#define ROUNDS 200
#define FARTHEST 1e7 /* au: beyond it nothing is computed */

/* c2 and c3: (1 - cos sqrt(z)) / z and (sqrt(z) - sin sqrt(z)) / sqrt(z)^3, and so on below 0. */
static void
stumpff(double z, double *c2, double *c3)
{
	double s;

	if (fabs(z) < 0.5) {
		/* the series: the closed forms lose all digits near the parabola */
		double term2 = 1 / 2.0, term3 = 1 / 6.0;

		*c2 = *c3 = 0;
		for (int k = 1; k <= 12; k++) {
			*c2 += term2;
			*c3 += term3;
			term2 *= -z / ((2 * k + 1) * (2 * k + 2));
			term3 *= -z / ((2 * k + 2) * (2 * k + 3));
		}
	} else if (z > 0) {
		s = sqrt(z);
		*c2 = (1 - cos(s)) / z;
		*c3 = (s - sin(s)) / (z * s);
	} else {
		s = sqrt(-z);
		*c2 = (cosh(s) - 1) / -z;
		*c3 = (sinh(s) - s) / (-z * s);
	}
}

static bool
is_orbit(const struct orbit *o)
{
	return isfinite(o->eccentricity) && o->eccentricity >= 0 && isfinite(o->perihelion) &&
	    o->perihelion > 0 && isfinite(o->perihelion_time) && isfinite(o->node) &&
	    isfinite(o->peri) && isfinite(o->inclination);
}

/* Days since the perihelion, an ellipse's within half a period. */
static double
since_perihelion(const struct orbit *o, double mjd)
{
	double t = mjd - o->perihelion_time, alpha = (1 - o->eccentricity) / o->perihelion;

	return alpha > 0 ? remainder(t, 2 * M_PI / (ORBIT_GAUSS * alpha * sqrt(alpha))) : t;
}

/* The universal anomaly after t >= 0 days; NAN where it is not found. */
static double
universal_anomaly(const struct orbit *o, double t)
{
	double q = o->perihelion, e = o->eccentricity, alpha = (1 - e) / q;
	double low = 0, high = ORBIT_GAUSS * t / q, x, c2, c3;

	/* r >= q, so x <= k t / q; of a long hyperbola that is far too much: half of it until it is not */
	x = high;
	while (alpha * x * x < -1e4 && x > 0)
		x /= 2;
	for (int i = 0; i < ROUNDS; i++) {
		double f, r, next;

		stumpff(alpha * x * x, &c2, &c3);
		f = q * x + e * x * x * x * c3 - ORBIT_GAUSS * t;
		r = q + e * x * x * c2;
		if (f > 0)
			high = x;
		else
			low = x;
		next = x - f / r;
		if (!(next > low && next < high))
			next = low + (high - low) / 2;
		if (fabs(next - x) <= 1e-15 * fabs(x) || next == x)
			return next;
		x = next;
	}
	return high - low <= 1e-9 * high ? x : NAN;
}

/* From the plane of the orbit into ICRS. */
static void
turn(const struct orbit *o, double x, double y, double out[3])
{
	double node = o->node * RADIAN, peri = o->peri * RADIAN, inc = o->inclination * RADIAN;
	double cn = cos(node), sn = sin(node), cp = cos(peri), sp = sin(peri);
	double ci = cos(inc), si = sin(inc), ce = cos(OBLIQUITY), se = sin(OBLIQUITY);
	double along = x * cp - y * sp, across = x * sp + y * cp;
	double v[3] = { along * cn - across * ci * sn, along * sn + across * ci * cn, across * si };

	out[0] = v[0];
	out[1] = v[1] * ce - v[2] * se;
	out[2] = v[1] * se + v[2] * ce;
}

bool
orbit_position(const struct orbit *o, double mjd, double position[3])
{
	double q, e, t, x, c2, c3, y;

	if (!is_orbit(o) || !isfinite(mjd))
		return false;
	q = o->perihelion;
	e = o->eccentricity;
	t = since_perihelion(o, mjd);
	/* before the perihelion it is where it will be after it, mirrored */
	x = universal_anomaly(o, fabs(t));
	if (!isfinite(x))
		return false;
	stumpff((1 - e) / q * x * x, &c2, &c3);
	y = (fabs(t) - x * x * x * c3 / ORBIT_GAUSS) * ORBIT_GAUSS * sqrt((1 + e) / q);
	turn(o, q - x * x * c2, t < 0 ? -y : y, position);
	return fabs(position[0]) < FARTHEST && fabs(position[1]) < FARTHEST &&
	    fabs(position[2]) < FARTHEST;
}

void
orbit_earth(double mjd, double position[3])
{
	double heliocentric[2][3], barycentric[2][3];

	(void)eraEpv00(MJD_ZERO, mjd, heliocentric, barycentric);
	memcpy(position, heliocentric[0], sizeof(heliocentric[0]));
}

bool
orbit_direction(
    const struct orbit *o, double mjd, const double earth[3], double direction[3], double *distance)
{
	double at[3];

	*distance = 0;
	/* of what moves at 0.001 c the third round is good to the last bit that is told */
	for (int round = 0; round < 3; round++) {
		if (!orbit_position(o, mjd - *distance * LIGHT, at))
			return false;
		for (int i = 0; i < 3; i++)
			direction[i] = at[i] - earth[i];
		*distance = eraPm(direction);
	}
	if (!(*distance > 0))
		return false;
	for (int i = 0; i < 3; i++)
		direction[i] /= *distance;
	return true;
}

void
orbit_ra_dec(const double direction[3], double *ra, double *dec)
{
	double copy[3] = { direction[0], direction[1], direction[2] };

	eraC2s(copy, ra, dec);
	*ra = eraAnp(*ra) / RADIAN;
	*dec /= RADIAN;
}

double
orbit_daily_motion(const struct orbit *o)
{
	double alpha = (1 - o->eccentricity) / o->perihelion;

	return alpha > 0 ? ORBIT_GAUSS * alpha * sqrt(alpha) / RADIAN : (double)NAN;
}

double
orbit_mean_anomaly(const struct orbit *o, double mjd)
{
	double m = fmod(orbit_daily_motion(o) * since_perihelion(o, mjd), 360);

	return m < 0 ? m + 360 : m;
}

/* A sampled orbit's place about the mean direction. */
struct place {
	double direction[3];
	double east, north; /* radians */
	size_t sample;
};

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Of east (0) or north (1). */
static double
median(struct arena *a, const struct place *places, size_t n, int which)
{
	double *values = arena_array(a, n, sizeof(*values));

	for (size_t i = 0; i < n; i++)
		values[i] = which == 0 ? places[i].east : places[i].north;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* East and north of a direction whose RA and Dec are given. */
static void
axes(double ra, double dec, double east[3], double north[3])
{
	east[0] = -sin(ra);
	east[1] = cos(ra);
	east[2] = 0;
	north[0] = -sin(dec) * cos(ra);
	north[1] = -sin(dec) * sin(ra);
	north[2] = cos(dec);
}

/* Projects all about the mean, and finds the median as a direction. */
static void
find_median(struct arena *a, struct place *places, size_t n, double out[3])
{
	double mean[3] = { 0, 0, 0 }, east[3], north[3], ra, dec, x, y, theta;

	for (size_t k = 0; k < n; k++)
		for (int i = 0; i < 3; i++)
			mean[i] += places[k].direction[i];
	/* where they cancel each other, any direction will do */
	if (!(eraPm(mean) > 1e-9 * (double)n))
		memcpy(mean, places[0].direction, sizeof(mean));
	eraC2s(mean, &ra, &dec);
	eraS2c(ra, dec, mean);
	axes(ra, dec, east, north);
	for (size_t k = 0; k < n; k++) {
		struct place *p = &places[k];
		double e = eraPdp(p->direction, east), v = eraPdp(p->direction, north);
		double sine = hypot(e, v);

		theta = atan2(sine, eraPdp(p->direction, mean));
		p->east = sine > 0 ? e / sine * theta : theta;
		p->north = sine > 0 ? v / sine * theta : 0;
	}
	x = median(a, places, n, 0);
	y = median(a, places, n, 1);
	theta = hypot(x, y);
	for (int i = 0; i < 3; i++)
		out[i] = theta > 0
		    ? cos(theta) * mean[i] + sin(theta) * (x * east[i] + y * north[i]) / theta
		    : mean[i];
}

size_t
orbit_central(
    struct arena *a, const struct orbit *orbits, size_t n, double mjd, double median_out[3])
{
	struct place *places = arena_array(a, n + 1, sizeof(*places));
	double earth[3], middle[3], nearest = INFINITY, distance;
	size_t k = 0, best = n;

	orbit_earth(mjd, earth);
	for (size_t i = 0; i < n; i++)
		if (orbit_direction(&orbits[i], mjd, earth, places[k].direction, &distance))
			places[k++].sample = i;
	if (k == 0)
		return n;
	find_median(a, places, k, middle);
	for (size_t i = 0; i < k; i++) {
		distance = eraSepp(middle, places[i].direction);
		if (distance < nearest) {
			nearest = distance;
			best = places[i].sample;
		}
	}
	if (median_out != NULL)
		memcpy(median_out, middle, sizeof(middle));
	return best;
}
