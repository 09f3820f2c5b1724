/*
 * orbit.h: where a body is that only the Sun attracts, and where it stands in the sky.
 *
 * Frames: orbits in the ecliptic and equinox of J2000 (obliquity 84381.448", as JPL and the MPC have
 * it), vectors in the equatorial frame of ICRS. Times are MJD in TT, which differs from TDB by less
 * than two milliseconds.
 */
#ifndef MERIDIAN_ORBIT_H
#define MERIDIAN_ORBIT_H

#include "base/arena.h"

#define ORBIT_GAUSS 0.01720209895 /* k: au^1.5 / day, of a body without mass */

/* Any conic section: the eccentricity may be 0, below, at and above 1. */
struct orbit {
	double eccentricity;
	double perihelion; /* au, above 0 */
	double perihelion_time; /* MJD */
	double node, peri, inclination; /* degrees: ascending node, argument of perihelion */
};

/*
 * The heliocentric position at a time, au. Kepler's equation in universal variables from the
 * perihelion on (Danby, Fundamentals of Celestial Mechanics, 6.9), so that a parabola is nothing
 * special. False where it is no orbit, or so far out that it cannot be computed.
 */
bool orbit_position(const struct orbit *, double mjd, double position[3]);

/* The Earth's centre, heliocentric, au (eraEpv00). */
void orbit_earth(double mjd, double position[3]);

/*
 * The unit vector from the Earth's centre, which stands at `earth` at that time, to where the body
 * was when its light left: astrometric, no aberration. *distance in au. As orbit_position.
 */
bool orbit_direction(
    const struct orbit *, double mjd, const double earth[3], double direction[3], double *distance);

/* RA (0 to 360) and Dec of a direction, degrees. */
void orbit_ra_dec(const double direction[3], double *ra, double *dec);

/*
 * Of sampled orbits the one that stands nearest the median of their positions at a time: the median of
 * each coordinate about the mean direction (zenithal equidistant). *median (may be NULL) is that
 * direction. Orbits that cannot be computed are left out. n, where none is left.
 */
size_t orbit_central(struct arena *, const struct orbit *, size_t n, double mjd, double median[3]);

/* Degrees per day, and degrees (0 to 360) at a time, of an ellipse; NAN for others. */
double orbit_daily_motion(const struct orbit *);
double orbit_mean_anomaly(const struct orbit *, double mjd);

#endif
