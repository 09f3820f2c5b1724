/*
 * angle.h: angles as people write them, and as pages show them.
 */
#ifndef MERIDIAN_ANGLE_H
#define MERIDIAN_ANGLE_H

#include "base/arena.h"

enum angle_kind { ANGLE_RA, ANGLE_DEC };

/*
 * Reads an angle into degrees. A plain number is degrees; two or three numbers divided by colons or
 * blanks are sexagesimal: hours of RA, degrees of Dec ("17:41:22.84", "17 41 22.84", "-05 23.5").
 * Units say it outright: "17h41m22.8s", "265.3d", "-5d23'28\"", "-5°23′28″"; the minus may be
 * U+2212. Only the last part may have decimals; minutes and seconds are below 60.
 * RA is 0 to 360 degrees (24h and 360 are read as 0), Dec -90 to 90.
 *
 * NULL and *degrees set; else the reason, a sentence for people (static).
 */
const char *angle_parse(struct str, enum angle_kind, double *degrees);

/*
 * Reads a position, RA and Dec as above: divided by a comma, a semicolon or blanks, or by nothing
 * but the sign of Dec ("17:41:22.8+38:14:07"). People may write a name where a position could stand;
 * one is told from the other by its letters: "2MASS J0042", "2021 S3", "51 Peg", and "433" or
 * "5949-2777" are no positions; "25:00:00 +10" and "10 20 30" are, with something wrong in them.
 */
enum position {
	POSITION, /* *ra and *dec are set, degrees */
	POSITION_WRONG, /* *why is the reason, a sentence for people (static) */
	POSITION_NONE
};
enum position position_parse(struct str, double *ra, double *dec, const char **why);

/*
 * "17 41 22.84" and "+38 14 07.3": hours and degrees with two and one decimals of the second.
 * Rounding carries, so there is never a 60; RA wraps at 24h. Absent where it is not finite.
 */
struct str angle_ra_text(struct arena *, double degrees);
struct str angle_dec_text(struct arena *, double degrees);

#endif
