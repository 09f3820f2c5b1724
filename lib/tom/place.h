/*
 * place.h: a place on the sky as pages show it.
 */
#ifndef MERIDIAN_PLACE_H
#define MERIDIAN_PLACE_H

#include "http/value.h"

/*
 * page.coords [{ label, text }] and has_coords: sexagesimal, in degrees, galactic and ecliptic. Nothing
 * where one of the two (degrees, ICRS) is not finite.
 */
void place_show(struct value *page, struct arena *, double ra, double dec);

/* "17 41 22.84 +38 14 07.3" in the arena; absent where there is none. */
struct str place_text(struct arena *, double ra, double dec);

#endif
