/*
 * mapping_record: a record of a mapping's shape becomes a packet.
 */
#include "alert/mapping_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "sky/timescale.h"

static double
real_at(const char *base, const struct field *f)
{
	double v;

	if (f->level == NULL)
		return NAN;
	memcpy(&v, base + f->at, sizeof(v));
	return v;
}

/* A number of a point, NAN where there is none, or what stands for none. */
static double
number_at(const char *base, const struct field *f, double none)
{
	double v = real_at(base, f);

	return isfinite(v) && v != none ? v : NAN;
}

static int64_t
long_at(const char *base, const struct field *f)
{
	int64_t v;

	if (f->level == NULL)
		return AVRO_NO_LONG;
	memcpy(&v, base + f->at, sizeof(v));
	return v;
}

static struct str
text_at(const char *base, const struct field *f)
{
	struct str v;

	if (f->level == NULL)
		return STR_NONE;
	memcpy(&v, base + f->at, sizeof(v));
	return v;
}

/* False, told, where the band is not in the table; absent in the datum where there is none at all. */
static bool
read_band(const struct mapping *m, const struct points *p, const char *base, struct arena *a,
    struct datum *d, const struct complaint *c)
{
	bool numbers = m->nbands > 0 && m->bands_are_numbers;
	int64_t number = numbers ? long_at(base, &p->band) : 0;
	struct str text = numbers ? STR_NONE : text_at(base, &p->band);

	d->band = STR_NONE;
	if (numbers ? number == AVRO_NO_LONG : text.p == NULL)
		return true;
	for (size_t i = 0; i < m->nbands; i++)
		if (numbers ? m->bands[i].number == number : str_eq(m->bands[i].from, text)) {
			d->band = m->bands[i].to;
			return true;
		}
	if (numbers)
		return packet_wrong(
		    c, "%s is %" PRId64 ": it is not in [bands]", p->band.path, number);
	if (m->nbands > 0 || !mapping_is_name(text))
		return packet_wrong(c, "%s is \"%.*s\": %s", p->band.path,
		    (int)(text.n < 20 ? text.n : 20), text.p,
		    m->nbands > 0 ? "it is not in [bands]" : "no band is called so");
	d->band = arena_str(a, text);
	return true;
}

static bool
read_time(const struct points *p, const char *base, struct datum *d, const struct complaint *c)
{
	double v = real_at(base, &p->time), mjd = p->is_mjd ? v : clock_jd_to_mjd(v);

	if (!(mjd >= PACKET_FIRST_MJD && mjd <= PACKET_LAST_MJD))
		return packet_wrong(c, "%s is %g: a date (%s) from 1972 on would be right",
		    p->time.path, v, p->is_mjd ? "MJD" : "JD");
	d->mjd = p->is_tai ? timescale_tai_to_utc(mjd) : mjd;
	return true;
}

/* How many nJy one of the unit is; NAN where the zero point is not told. */
static double
nanojansky(const struct points *p, const char *base)
{
	double zero;

	switch (p->unit) {
	case UNIT_UJY:
		return 1e3;
	case UNIT_MJY:
		return 1e6;
	case UNIT_JY:
		return 1e9;
	case UNIT_ADU:
		zero = isnan(p->zero_point_is) ? number_at(base, &p->zero_point, p->none)
		                               : p->zero_point_is;
		return pow(10, -0.4 * (zero - PACKET_ZERO_POINT));
	case UNIT_NJY:
	case UNIT_NONE:
		break;
	}
	return 1;
}

static bool
read_sign(const struct points *p, const char *base, struct datum *d, const struct complaint *c)
{
	struct str text = text_at(base, &p->sign);
	int64_t positive = long_at(base, &p->positive);

	d->sign = d->flux < 0 ? -1 : 1;
	if (positive != AVRO_NO_LONG)
		d->sign = positive != 0 ? 1 : -1;
	if (text.p == NULL)
		return true;
	if (str_is(text, "t") || str_is(text, "1") || str_is(text, "+") || str_is(text, "true"))
		d->sign = 1;
	else if (str_is(text, "f") || str_is(text, "0") || str_is(text, "-") ||
	    str_is(text, "false"))
		d->sign = -1;
	else
		return packet_wrong(c,
		    "%s is \"%.*s\": t, 1, +, true, f, 0, - or false would be right", p->sign.path,
		    (int)(text.n < 20 ? text.n : 20), text.p);
	return true;
}

/* What is measured there; DATUM_LIMIT or nothing where it saw nothing. */
static void
read_brightness(const struct points *p, const char *base, struct datum *d, bool *used)
{
	double unit = nanojansky(p, base), error = number_at(base, &p->flux_error, p->none) * unit;
	bool sees;

	d->flux = number_at(base, &p->flux, p->none) * unit;
	d->flux_error = error >= 0 && isfinite(error) ? error : NAN;
	if (!isfinite(d->flux))
		d->flux = d->flux_error = NAN;
	d->magnitude = number_at(base, &p->magnitude, p->none);
	if (isfinite(d->magnitude))
		d->magnitude_error = number_at(base, &p->magnitude_error, p->none);
	d->limit_mag = NAN;
	*used = true;
	if (p->kind == DATUM_FORCED && p->flux.level != NULL) {
		*used = isfinite(d->flux) && isfinite(d->flux_error);
		sees = packet_is_seen(d);
		if (!sees && *used && d->flux_error > 0)
			d->limit_mag = packet_limit(d->flux_error);
	} else if (p->kind == DATUM_FORCED) {
		sees = isfinite(d->magnitude);
		d->limit_mag = sees ? NAN : number_at(base, &p->limit, p->none);
		*used = sees || isfinite(d->limit_mag);
	} else {
		sees = isfinite(d->flux) || isfinite(d->magnitude);
		if (!sees) {
			d->kind = DATUM_LIMIT;
			d->limit_mag = number_at(base, &p->limit, p->none);
			*used = isfinite(d->limit_mag);
		}
	}
	if (sees && isnan(d->magnitude))
		packet_magnitude(d);
	else if (!sees)
		d->magnitude = d->magnitude_error = NAN;
}

static bool
read_point(const struct mapping *m, const struct points *p, const char *base, struct arena *a,
    struct datum *d, bool *used, const struct complaint *c)
{
	int64_t id = long_at(base, &p->id);

	*d = (struct datum){ .source = m->described.survey.name,
		.kind = p->kind,
		.survey_id = id == AVRO_NO_LONG ? 0 : id,
		.flux = NAN,
		.flux_error = NAN,
		.magnitude = NAN,
		.magnitude_error = NAN,
		.limit_mag = NAN };
	if (!read_time(p, base, d, c) || !read_band(m, p, base, a, d, c))
		return false;
	read_brightness(p, base, d, used);
	if (d->band.p == NULL)
		*used = false;
	if (d->kind == DATUM_LIMIT) {
		d->survey_id = 0;
		return true;
	}
	return read_sign(p, base, d, c);
}

static bool
read_history(const struct mapping *m, const struct points *p, const char *record, struct arena *a,
    struct alert_packet *packet, struct complaint c)
{
	struct avro_list list;
	bool used;

	memcpy(&list, record + p->list.at, sizeof(list));
	c.part = p->part;
	for (c.index = 0; c.index < list.n; c.index++) {
		const char *base = (const char *)list.items + c.index * p->level->shape.size;

		if (!read_point(m, p, base, a, &packet->points[packet->npoints], &used, &c))
			return false;
		if (used)
			packet->npoints++;
		else
			packet->empty++;
	}
	return true;
}

static bool
read_object(const struct mapping *m, const char *record, struct arena *a, struct alert_packet *p,
    const struct complaint *c)
{
	struct str name = m->prefix == NULL
	    ? text_at(record, &m->object)
	    : arena_printf(a, "%s%" PRId64, m->prefix, long_at(record, &m->object));

	return packet_name(p, a, name, m->object.path, c);
}

bool
mapping_read_record(
    const void *record, struct arena *a, struct alert_packet *p, char *err, size_t errsize)
{
	/* the survey stands in the mapping, whose first member is what it stands in */
	const struct mapping *m = (const void *)((const char *)p->survey -
	    offsetof(struct packet_described, survey));
	const struct complaint c = { err, errsize, "", SIZE_MAX };
	size_t most = 2; /* one more: a point is written before it is known to hold a measurement */
	bool used;

	for (size_t i = 1; i < m->npoints; i++) {
		struct avro_list list;

		memcpy(&list, (const char *)record + m->points[i].list.at, sizeof(list));
		most += list.n;
	}
	p->points = arena_array(a, most, sizeof(*p->points));
	p->alert_id = long_at(record, &m->alert);
	p->reliability = real_at(record, &m->reliability);
	if (!read_object(m, record, a, p, &c) ||
	    !packet_position(p, real_at(record, &m->ra), real_at(record, &m->dec), &c) ||
	    !read_point(m, &m->points[0], record, a, &p->points[0], &used, &c))
		return false;
	p->mjd = p->points[0].mjd;
	p->npoints = used;
	p->empty = !used;
	for (size_t i = 1; i < m->npoints; i++)
		if (!read_history(m, &m->points[i], record, a, p, c))
			return false;
	return true;
}
