/*
 * dump-orbits: where orbits are, for another program to judge. A line of standard input is
 *
 *	eccentricity perihelion perihelion_time node peri inclination mjd
 *
 * (lib/sky/orbit.h); one of standard output the heliocentric position, the Earth's, and the direction
 * from there with RA, Dec and distance; or "none".
 */
#include <stdio.h>

#include "sky/orbit.h"

int
main(void)
{
	struct orbit o;
	double mjd, at[3], earth[3], direction[3], distance, ra, dec;

	while (scanf("%lf %lf %lf %lf %lf %lf %lf", &o.eccentricity, &o.perihelion,
	           &o.perihelion_time, &o.node, &o.peri, &o.inclination, &mjd) == 7) {
		orbit_earth(mjd, earth);
		if (!orbit_position(&o, mjd, at) ||
		    !orbit_direction(&o, mjd, earth, direction, &distance)) {
			puts("none");
			continue;
		}
		orbit_ra_dec(direction, &ra, &dec);
		printf("%.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g\n", at[0], at[1],
		    at[2], earth[0], earth[1], earth[2], ra, dec, distance);
	}
	return 0;
}
