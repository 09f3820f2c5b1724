/*
 * timescale: TAI to UTC by ERFA. On nearly every day the two differ by one whole number of seconds:
 * days that were asked for are kept with it, because alerts tell of the same nights by the million.
 */
#include "sky/timescale.h"

#include <erfa.h>
#include <erfam.h>
#include <math.h>
#include <stddef.h>

#define MJD_ZERO 2400000.5
#define KEPT 512 /* days: a year's */

enum { SECONDS_VARY = -1 };

static double
ask_erfa(double day, double fraction)
{
	double utc1, utc2;

	if (eraTaiutc(MJD_ZERO + day, fraction, &utc1, &utc2) < 0)
		return NAN;
	return day + (utc1 - (MJD_ZERO + day) + utc2);
}

/* What TAI is ahead all day long, in seconds, or SECONDS_VARY. */
static int
seconds_ahead(double day)
{
	double first = (day - ask_erfa(day, 0)) * ERFA_DAYSEC;
	double last = (day + 0.9999 - ask_erfa(day, 0.9999)) * ERFA_DAYSEC;

	if (!(fabs(first - last) < 1e-5) || !(fabs(first - rint(first)) < 1e-5))
		return SECONDS_VARY;
	return (int)rint(first);
}

double
timescale_tai_to_utc(double mjd)
{
	static _Thread_local struct {
		double day;
		int ahead;
	} kept[KEPT];
	double day = floor(mjd);
	size_t at;

	if (!(fabs(mjd) < 1e6))
		return NAN;
	at = (size_t)((int)day + 1000000) % KEPT;
	if (kept[at].day != day || kept[at].ahead == 0) {
		kept[at].ahead = seconds_ahead(day);
		kept[at].day = day;
	}
	if (kept[at].ahead == SECONDS_VARY)
		return ask_erfa(day, mjd - day);
	return mjd - kept[at].ahead / ERFA_DAYSEC;
}

double
timescale_utc_to_tt(double mjd)
{
	double tai1, tai2, tt1, tt2;

	if (!(fabs(mjd) < 1e6) || eraUtctai(MJD_ZERO, mjd, &tai1, &tai2) < 0)
		return NAN;
	(void)eraTaitt(tai1, tai2, &tt1, &tt2);
	return tt1 - MJD_ZERO + tt2;
}
