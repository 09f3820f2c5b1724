/*
 * coordinates: one direction in several systems, by ERFA.
 */
#include "sky/coordinates.h"

#include <erfa.h>
#include <erfam.h>
#include <math.h>

/* [0, 360), also for what rounding makes of a tiny negative angle. */
static double
turn(double radians)
{
	double d = eraAnp(radians) * ERFA_DR2D;

	return d >= 360 ? 0 : d;
}

void
sky_galactic(double ra, double dec, double *l, double *b)
{
	double dl, db;

	eraIcrs2g(ra * ERFA_DD2R, dec * ERFA_DD2R, &dl, &db);
	*l = turn(dl);
	*b = db * ERFA_DR2D;
}

void
sky_ecliptic(double ra, double dec, double *lon, double *lat)
{
	double dl, db;

	eraEqec06(ERFA_DJ00, 0, ra * ERFA_DD2R, dec * ERFA_DD2R, &dl, &db);
	*lon = turn(dl);
	*lat = db * ERFA_DR2D;
}
