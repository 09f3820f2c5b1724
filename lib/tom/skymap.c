/*
 * skymap: Mollweide's projection and the Sun.
 */
#include "tom/skymap.h"

#include <math.h>

#include "base/clock.h"
#include "base/number.h"

#define RADIANS(degrees) ((degrees) * (M_PI / 180))

/* The auxiliary angle: 2 t + sin 2t = pi sin(dec), by Newton (Snyder 1987, eq. 31-3). */
static double
auxiliary(double dec)
{
	double want = M_PI * sin(RADIANS(dec)), t2 = RADIANS(dec) * 2;

	if (fabs(dec) > 89.99)
		return copysign(M_PI / 2, dec);
	for (int i = 0; i < 50; i++) {
		double step = (t2 + sin(t2) - want) / (1 + cos(t2));

		t2 -= step;
		if (fabs(step) < 1e-9)
			break;
	}
	return t2 / 2;
}

void
skymap_project(double ra, double dec, double *x, double *y)
{
	double t = auxiliary(fmax(-90, fmin(90, dec)));
	double turn = fmod(ra, 360);

	if (turn < 0)
		turn += 360;
	*x = 180 + (180 - turn) * cos(t);
	*y = 90 - 90 * sin(t);
}

/* Astronomical Almanac, section C, "low precision formulas for the Sun"; then back to J2000. */
void
skymap_sun(int64_t when, double *ra, double *dec)
{
	double n = clock_to_mjd(when) - 51544.5; /* days since J2000.0 */
	double anomaly = RADIANS(357.528 + 0.9856003 * n);
	double lon = RADIANS(280.460 + 0.9856474 * n + 1.915 * sin(anomaly) +
	    0.020 * sin(2 * anomaly) - 1.3969713 * n / 36525);
	double obliquity = RADIANS(23.4393);

	*ra = fmod(atan2(cos(obliquity) * sin(lon), cos(lon)) * (180 / M_PI) + 360, 360);
	*dec = asin(sin(obliquity) * sin(lon)) * (180 / M_PI);
}

static void
show_place(struct value *v, double ra, double dec, struct arena *a)
{
	double x, y;

	skymap_project(ra, dec, &x, &y);
	value_set_number(v, "x", x, number_text(a, x, 1, false));
	value_set_number(v, "y", y, number_text(a, y, 1, false));
}

/*
 * The Sun for the map: computed once in ten minutes, in which it moves by 0.007 degrees. (The
 * ephemeris costs as much as a third of a list page.)
 */
static void
sun_for_map(int64_t when, double *ra, double *dec)
{
	static int64_t known = INT64_MIN; /* of the worker, as a clock: nobody's request */
	static double known_ra, known_dec;
	int64_t now = when / (10 * MINUTE);

	if (now != known) {
		skymap_sun(now * 10 * MINUTE, &known_ra, &known_dec);
		known = now;
	}
	*ra = known_ra;
	*dec = known_dec;
}

void
skymap_show(
    struct value *page, const struct skymap_point *p, size_t n, int64_t when, struct arena *a)
{
	struct value *sky = value_set_object(page, "sky"), *points = value_set_list(sky, "points");
	double ra, dec;

	for (size_t i = 0; i < n; i++) {
		struct value *v;

		if (!isfinite(p[i].ra) || !isfinite(p[i].dec))
			continue;
		v = value_add_object(points);
		value_set_int(v, "id", p[i].id);
		value_set_text(v, "name", p[i].name);
		show_place(v, p[i].ra, p[i].dec, a);
	}
	sun_for_map(when, &ra, &dec);
	show_place(value_set_object(sky, "sun"), ra, dec, a);
}
