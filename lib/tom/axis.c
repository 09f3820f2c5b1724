/*
 * axis: see axis.h. Calendar arithmetic is timegm's and gmtime_r's; the zone is UTC throughout.
 */
#include "tom/axis.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define MJD_UNIX 40587 /* the MJD of 1970-01-01 */

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

double
axis_step(double span, unsigned at_most)
{
	double raw = span / at_most;
	double power = pow(10, floor(log10(raw)));

	/* A step that is right but for rounding must do. */
	raw *= 1 - 1e-9;
	if (raw <= power)
		return power;
	if (raw <= 2 * power)
		return 2 * power;
	if (raw <= 5 * power)
		return 5 * power;
	return 10 * power;
}

unsigned
axis_decimals(double step)
{
	double n = ceil(-log10(step) - 1e-9);

	return n <= 0 ? 0 : n >= 9 ? 9 : (unsigned)n;
}

size_t
axis_ticks(double lo, double hi, double step, double ticks[AXIS_TICKS_MAX])
{
	double first = ceil(lo / step - 1e-6), last = floor(hi / step + 1e-6);
	size_t n = 0;

	for (double k = first; k <= last && n < AXIS_TICKS_MAX; k++)
		ticks[n++] = k * step;
	return n;
}

static time_t
unix_of(double mjd)
{
	return (time_t)llround((mjd - MJD_UNIX) * 86400);
}

static double
mjd_of(time_t t)
{
	return (double)t / 86400 + MJD_UNIX;
}

/* Every so many months since the year 0; twelve are a year. */
static size_t
monthly(double lo, double hi, int step, struct axis_date *dates)
{
	size_t n = 0;
	time_t t = unix_of(lo);
	struct tm tm;
	int month;

	gmtime_r(&t, &tm);
	month = (tm.tm_year + 1900) * 12 + tm.tm_mon;
	month -= month % step;
	for (; n < AXIS_TICKS_MAX; month += step) {
		struct tm first = {
			.tm_year = month / 12 - 1900, .tm_mon = month % 12, .tm_mday = 1
		};
		double mjd = mjd_of(timegm(&first));

		if (mjd > hi)
			break;
		if (mjd < lo)
			continue;
		dates[n].mjd = mjd;
		if (step % 12 == 0)
			snprintf(dates[n].label, sizeof(dates[n].label), "%d", month / 12);
		else
			snprintf(dates[n].label, sizeof(dates[n].label), "%s %d",
			    months[month % 12], month / 12);
		n++;
	}
	return n;
}

/* Every so many days or parts of a day; the year stands with the first of it. */
static size_t
daily(double lo, double hi, double step, struct axis_date *dates)
{
	double ticks[AXIS_TICKS_MAX];
	size_t n = axis_ticks(lo, hi, step, ticks);
	int year = 0;

	for (size_t i = 0; i < n; i++) {
		time_t t = unix_of(ticks[i]);
		char *w = dates[i].label, *end = w + sizeof(dates[i].label);
		struct tm tm;

		gmtime_r(&t, &tm);
		dates[i].mjd = ticks[i];
		w += snprintf(w, (size_t)(end - w), "%d %s", tm.tm_mday, months[tm.tm_mon]);
		if (i == 0 || tm.tm_year != year)
			w += snprintf(w, (size_t)(end - w), " %d", tm.tm_year + 1900);
		if (step < 1)
			snprintf(w, (size_t)(end - w), " %02dh", tm.tm_hour);
		year = tm.tm_year;
	}
	return n;
}

size_t
axis_dates(double lo, double hi, unsigned at_most, struct axis_date dates[AXIS_TICKS_MAX])
{
	static const double days[] = { 1.0 / 24, 2.0 / 24, 3.0 / 24, 6.0 / 24, 12.0 / 24, 1, 2, 5,
		10 };
	static const int few[] = { 1, 2, 3, 6 };
	double raw = (hi - lo) / at_most;

	if (!(lo >= AXIS_MJD_MIN && hi < AXIS_MJD_MAX && lo < hi))
		return 0;
	for (size_t i = 0; i < NELEM(days); i++)
		if (raw <= days[i])
			return daily(lo, hi, days[i], dates);
	for (size_t i = 0; i < NELEM(few); i++)
		if (raw <= few[i] * 30.4)
			return monthly(lo, hi, few[i], dates);
	raw = axis_step((hi - lo) / 365.25, at_most);
	return monthly(lo, hi, raw < 1 ? 12 : (int)raw * 12, dates);
}
