/*
 * axis.h: the scales of plots: round steps, and the calendar over a range of MJD.
 */
#ifndef MERIDIAN_AXIS_H
#define MERIDIAN_AXIS_H

#include "base/base.h"

/* The MJD of 0001-01-01 and of 10000-01-01: what a date can be written for. */
#define AXIS_MJD_MIN (-678575.0)
#define AXIS_MJD_MAX 2973484.0

#define AXIS_TICKS_MAX 16

/*
 * The least of 1, 2, 5 times a power of ten that divides a span into no more than `at_most`
 * (1..AXIS_TICKS_MAX - 1) intervals. The span is finite and greater than 0.
 */
double axis_step(double span, unsigned at_most);

/* How many decimals the multiples of a step need (0..9). */
unsigned axis_decimals(double step);

/* The multiples of step from lo to hi, inclusive, at most AXIS_TICKS_MAX of them. */
size_t axis_ticks(double lo, double hi, double step, double ticks[AXIS_TICKS_MAX]);

/*
 * Ticks of a calendar (UTC) from MJD lo to hi, at most `at_most`: whole years, months, days or
 * hours, whichever fits, labelled "2026", "Jun 2026", "24 Jun" or "24 Jun 06h", the first of each
 * year "24 Jun 2026". None where the range leaves the years 1 to 9999.
 */
struct axis_date {
	double mjd;
	char label[24];
};
size_t axis_dates(double lo, double hi, unsigned at_most, struct axis_date dates[AXIS_TICKS_MAX]);

#endif
