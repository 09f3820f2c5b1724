/*
 * ztf: what is wished of a ZTF packet, and its points made measurements.
 */
#include <inttypes.h>
#include <math.h>

#include "alert/packet.h"
#include "base/clock.h"

#define NO_FLUX (-99999.0) /* fp_hists: no measurement */
#define NO_VALUE (-990.0) /* -999 and below stand for "none" among magnitudes */
#define FIRST_JD 2400000.5 /* MJD 0 */
#define LAST_JD 2500000.5

/* A row of prv_candidates, and the part of the candidate that is the same. */
struct detection {
	double jd;
	int64_t fid, candid;
	struct str isdiffpos;
	double magpsf, sigmapsf, diffmaglim;
};

struct forced {
	double jd;
	int64_t fid;
	double flux, flux_error; /* counts */
	double zero_point; /* AB magnitude of one count */
};

struct alert {
	struct str object_id;
	int64_t candid;
	struct candidate {
		struct detection own;
		double ra, dec;
		double rb, drb;
	} candidate;
	struct avro_list previous; /* struct detection */
	struct avro_list forced; /* struct forced */
};

#define DETECTION(in) \
	{ "jd", AVRO_REAL, AVRO_NEEDED, (in) + offsetof(struct detection, jd), NULL }, \
	    { "fid", AVRO_LONG, AVRO_NEEDED, (in) + offsetof(struct detection, fid), NULL }, \
	    { "candid", AVRO_LONG, AVRO_OPTIONAL, (in) + offsetof(struct detection, candid), \
		    NULL }, \
	    { "isdiffpos", AVRO_STRING, AVRO_NULLABLE, \
		    (in) + offsetof(struct detection, isdiffpos), NULL }, \
	    { "magpsf", AVRO_REAL, AVRO_NULLABLE, (in) + offsetof(struct detection, magpsf), \
		    NULL }, \
	    { "sigmapsf", AVRO_REAL, AVRO_OPTIONAL, (in) + offsetof(struct detection, sigmapsf), \
		    NULL }, \
	{ \
		"diffmaglim", AVRO_REAL, AVRO_OPTIONAL, \
		    (in) + offsetof(struct detection, diffmaglim), NULL \
	}

static const struct avro_wish previous_wishes[] = { DETECTION(0) };
static const struct avro_shape previous_shape = { sizeof(struct detection), NELEM(previous_wishes),
	previous_wishes, NULL };

static const struct avro_wish forced_wishes[] = {
	{ "jd", AVRO_REAL, AVRO_NEEDED, offsetof(struct forced, jd), NULL },
	{ "fid", AVRO_LONG, AVRO_NEEDED, offsetof(struct forced, fid), NULL },
	{ "forcediffimflux", AVRO_REAL, AVRO_NULLABLE, offsetof(struct forced, flux), NULL },
	{ "forcediffimfluxunc", AVRO_REAL, AVRO_NULLABLE, offsetof(struct forced, flux_error),
	    NULL },
	{ "magzpsci", AVRO_REAL, AVRO_NULLABLE, offsetof(struct forced, zero_point), NULL },
};
static const struct avro_shape forced_shape = { sizeof(struct forced), NELEM(forced_wishes),
	forced_wishes, NULL };

static const struct avro_wish candidate_wishes[] = {
	DETECTION(offsetof(struct candidate, own)),
	{ "ra", AVRO_REAL, AVRO_NEEDED, offsetof(struct candidate, ra), NULL },
	{ "dec", AVRO_REAL, AVRO_NEEDED, offsetof(struct candidate, dec), NULL },
	{ "rb", AVRO_REAL, AVRO_OPTIONAL, offsetof(struct candidate, rb), NULL },
	{ "drb", AVRO_REAL, AVRO_OPTIONAL, offsetof(struct candidate, drb), NULL },
};
static const struct avro_shape candidate_shape = { sizeof(struct candidate),
	NELEM(candidate_wishes), candidate_wishes, NULL };

static const struct avro_wish alert_wishes[] = {
	{ "objectId", AVRO_STRING, AVRO_NEEDED, offsetof(struct alert, object_id), NULL },
	{ "candid", AVRO_LONG, AVRO_NEEDED, offsetof(struct alert, candid), NULL },
	{ "candidate", AVRO_STRUCT, AVRO_NEEDED, offsetof(struct alert, candidate),
	    &candidate_shape },
	{ "prv_candidates", AVRO_LIST, AVRO_OPTIONAL, offsetof(struct alert, previous),
	    &previous_shape },
	{ "fp_hists", AVRO_LIST, AVRO_OPTIONAL, offsetof(struct alert, forced), &forced_shape },
};
static const struct avro_shape alert_shape = { sizeof(struct alert), NELEM(alert_wishes),
	alert_wishes, "candidate" };

static bool
is_magnitude(double v)
{
	return isfinite(v) && v > NO_VALUE;
}

/* Source, time and band, which every point has. */
static bool
begin_point(struct datum *d, double jd, int64_t fid, int kind, const struct complaint *c)
{
	static const struct str bands[] = { STR("g"), STR("r"), STR("i") };

	if (!(jd >= FIRST_JD && jd <= LAST_JD))
		return packet_wrong(c,
		    "jd is %g: a Julian date between 2400000.5 and 2500000.5 would be "
		    "right",
		    jd);
	if (fid < 1 || fid > (int64_t)NELEM(bands))
		return packet_wrong(
		    c, "fid is %" PRId64 ": 1 (g), 2 (r) or 3 (i) would be right", fid);
	*d = (struct datum){ .source = STR("ZTF"),
		.band = bands[fid - 1],
		.kind = kind,
		.mjd = clock_jd_to_mjd(jd),
		.flux = NAN,
		.flux_error = NAN,
		.magnitude = NAN,
		.magnitude_error = NAN,
		.limit_mag = NAN };
	return true;
}

static bool
take_sign(struct datum *d, struct str isdiffpos, const struct complaint *c)
{
	if (isdiffpos.n == 1 && (isdiffpos.p[0] == 't' || isdiffpos.p[0] == '1'))
		d->sign = 1;
	else if (isdiffpos.n == 1 && (isdiffpos.p[0] == 'f' || isdiffpos.p[0] == '0'))
		d->sign = -1;
	else
		return packet_wrong(c, "isdiffpos is %s%.*s%s: t, 1, f or 0 would be right",
		    isdiffpos.p == NULL ? "null" : "\"", (int)(isdiffpos.n < 20 ? isdiffpos.n : 20),
		    isdiffpos.p == NULL ? "" : isdiffpos.p, isdiffpos.p == NULL ? "" : "\"");
	return true;
}

/*
 * A detection or the limit of a non-detection. True, with *used set where it held a measurement.
 */
static bool
add_detection(struct datum *d, const struct detection *from, bool *used, const struct complaint *c)
{
	bool seen = is_magnitude(from->magpsf);

	*used = seen || is_magnitude(from->diffmaglim);
	if (!begin_point(d, from->jd, from->fid, seen ? DATUM_DETECTION : DATUM_LIMIT, c))
		return false;
	if (!seen) {
		d->limit_mag = from->diffmaglim;
		return true;
	}
	d->survey_id = from->candid == AVRO_NO_LONG ? 0 : from->candid;
	d->magnitude = from->magpsf;
	if (is_magnitude(from->sigmapsf))
		d->magnitude_error = from->sigmapsf;
	return take_sign(d, from->isdiffpos, c);
}

static bool
add_forced(struct datum *d, const struct forced *from, bool *used, const struct complaint *c)
{
	double nanojansky;

	*used = isfinite(from->flux) && from->flux != NO_FLUX && isfinite(from->flux_error) &&
	    from->flux_error >= 0 && is_magnitude(from->zero_point);
	if (!begin_point(d, from->jd, from->fid, DATUM_FORCED, c))
		return false;
	nanojansky = pow(10, -0.4 * (from->zero_point - PACKET_ZERO_POINT));
	d->flux = from->flux * nanojansky;
	d->flux_error = from->flux_error * nanojansky;
	d->sign = from->flux < 0 ? -1 : 1;
	if (!isfinite(d->flux) || !isfinite(d->flux_error))
		*used = false;
	return true;
}

static bool
add_history(struct alert_packet *p, const struct alert *alert, struct complaint c)
{
	const struct detection *previous = alert->previous.items;
	const struct forced *forced = alert->forced.items;
	bool used;

	c.part = "prv_candidates";
	for (c.index = 0; c.index < alert->previous.n; c.index++) {
		if (!add_detection(&p->points[p->npoints], &previous[c.index], &used, &c))
			return false;
		if (used)
			p->npoints++;
		else
			p->empty++;
	}
	c.part = "fp_hists";
	for (c.index = 0; c.index < alert->forced.n; c.index++) {
		if (!add_forced(&p->points[p->npoints], &forced[c.index], &used, &c))
			return false;
		if (used)
			p->npoints++;
		else
			p->empty++;
	}
	return true;
}

static bool
add_candidate(struct alert_packet *p, const struct alert *alert, struct complaint c)
{
	const struct candidate *from = &alert->candidate;
	bool used;

	c.part = "candidate.";
	if (!packet_position(p, from->ra, from->dec, &c))
		return false;
	if (!is_magnitude(from->own.magpsf))
		return packet_wrong(
		    &c, "magpsf is %g: a magnitude would be right", from->own.magpsf);
	if (!add_detection(&p->points[0], &from->own, &used, &c))
		return false;
	p->points[0].survey_id = alert->candid;
	p->npoints = 1;
	return true;
}

static bool
read_alert(
    const void *record, struct arena *arena, struct alert_packet *p, char *err, size_t errsize)
{
	const struct alert *alert = record;
	const struct complaint c = { err, errsize, "", SIZE_MAX };

	p->alert_id = alert->candid;
	/* one more: a point is written in its place before it is known to hold a measurement */
	p->points = arena_array(arena, 2 + alert->previous.n + alert->forced.n, sizeof(*p->points));
	p->reliability = isnan(alert->candidate.drb) ? alert->candidate.rb : alert->candidate.drb;
	if (!packet_name(p, arena, alert->object_id, "objectId", &c) || !add_candidate(p, alert, c))
		return false;
	p->mjd = p->points[0].mjd;
	return add_history(p, alert, c);
}

const struct survey survey_ztf = { STR("ZTF"), &alert_shape, read_alert };
