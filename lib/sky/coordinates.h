/*
 * coordinates.h: one direction in several systems. All angles are degrees; longitudes come out in
 * [0, 360). ICRS in: `ra` of any turn, `dec` -90 to 90.
 */
#ifndef MERIDIAN_COORDINATES_H
#define MERIDIAN_COORDINATES_H

/* IAU galactic longitude and latitude (ERFA eraIcrs2g). */
void sky_galactic(double ra, double dec, double *l, double *b);

/* Mean ecliptic and equinox of J2000.0 (IAU 2006, ERFA eraEqec06 at J2000). */
void sky_ecliptic(double ra, double dec, double *lon, double *lat);

#endif
