/*
 * skymap.h: targets on a map of the whole sky, as values for the partial "sky".
 *
 * Mollweide's projection of ICRS, centred on RA 12h, east to the left, drawn in a box 360 wide and
 * 180 high (the svg's units; y grows downward).
 */
#ifndef MERIDIAN_SKYMAP_H
#define MERIDIAN_SKYMAP_H

#include "http/value.h"

struct skymap_point {
	int64_t id; /* target */
	struct str name;
	double ra, dec; /* degrees, ICRS; not finite: left out */
};

/* Where a position falls on the map. RA of any turn; Dec beyond a pole counts as the pole. */
void skymap_project(double ra, double dec, double *x, double *y);

/* The Sun as seen from the Earth's centre, degrees, J2000; good to 0.02 from 1950 to 2050. */
void skymap_sun(int64_t when /* microseconds, UTC */, double *ra, double *dec);

/* Sets page.sky = { points: [{ id, name, x, y }], sun: { x, y } }. */
void skymap_show(
    struct value *page, const struct skymap_point *, size_t n, int64_t when, struct arena *);

#endif
