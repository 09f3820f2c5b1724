/*
 * lsst: what is wished of a packet of Rubin Observatory, and its points made measurements. The names
 * of fields are those of schema 7 and later; what only some of them have is optional.
 */
#include <inttypes.h>
#include <math.h>

#include "alert/packet.h"
#include "sky/timescale.h"

/* A row of prvDiaSources or prvDiaForcedSources, and that part of diaSource. */
struct source {
	int64_t id;
	double mjd; /* TAI */
	struct str band;
	double flux, flux_error; /* nJy */
	double withdrawn; /* MJD; NAN: it is valid */
};

struct alert {
	int64_t alert_id; /* 7: alertId, later diaSourceId */
	struct own {
		struct source source;
		double ra, dec;
		int64_t ss_object_id;
		double reliability;
	} own;
	struct avro_list previous, forced; /* struct source */
	struct object {
		int64_t id;
	} object; /* AVRO_NO_LONG: null */
	struct moving {
		int64_t id;
		struct str designation;
	} moving; /* ssSource; 7: ssObject */
	struct orbit {
		struct str designation;
	} orbit, packed_orbit; /* mpc_orbits; 8 and 9: MPCORB */
};

#define SOURCE(name, in) \
	{ name, AVRO_LONG, AVRO_NEEDED, (in) + offsetof(struct source, id), NULL }, \
	    { "midpointMjdTai", AVRO_REAL, AVRO_NEEDED, (in) + offsetof(struct source, mjd), \
		    NULL }, \
	    { "band", AVRO_STRING, AVRO_NULLABLE, (in) + offsetof(struct source, band), NULL }, \
	    { "psfFlux", AVRO_REAL, AVRO_NULLABLE, (in) + offsetof(struct source, flux), NULL }, \
	    { "psfFluxErr", AVRO_REAL, AVRO_NULLABLE, (in) + offsetof(struct source, flux_error), \
		    NULL }, \
	{ \
		"timeWithdrawnMjdTai", AVRO_REAL, AVRO_OPTIONAL, \
		    (in) + offsetof(struct source, withdrawn), NULL \
	}

static const struct avro_wish previous_wishes[] = { SOURCE("diaSourceId", 0) };
static const struct avro_shape previous_shape = { sizeof(struct source), NELEM(previous_wishes),
	previous_wishes, NULL };

static const struct avro_wish forced_wishes[] = { SOURCE("diaForcedSourceId", 0) };
static const struct avro_shape forced_shape = { sizeof(struct source), NELEM(forced_wishes),
	forced_wishes, NULL };

static const struct avro_wish own_wishes[] = {
	SOURCE("diaSourceId", offsetof(struct own, source)),
	{ "ra", AVRO_REAL, AVRO_NEEDED, offsetof(struct own, ra), NULL },
	{ "dec", AVRO_REAL, AVRO_NEEDED, offsetof(struct own, dec), NULL },
	{ "ssObjectId", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct own, ss_object_id), NULL },
	{ "reliability", AVRO_REAL, AVRO_OPTIONAL, offsetof(struct own, reliability), NULL },
};
static const struct avro_shape own_shape = { sizeof(struct own), NELEM(own_wishes), own_wishes,
	NULL };

static const struct avro_wish object_wishes[] = {
	{ "diaObjectId", AVRO_LONG, AVRO_NEEDED, offsetof(struct object, id), NULL },
};
static const struct avro_shape object_shape = { sizeof(struct object), NELEM(object_wishes),
	object_wishes, NULL };

static const struct avro_wish moving_wishes[] = {
	{ "ssObjectId", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct moving, id), NULL },
	{ "designation", AVRO_STRING, AVRO_OPTIONAL, offsetof(struct moving, designation), NULL },
};
static const struct avro_shape moving_shape = { sizeof(struct moving), NELEM(moving_wishes),
	moving_wishes, NULL };

static const struct avro_wish orbit_wishes[] = {
	{ "designation", AVRO_STRING, AVRO_OPTIONAL, offsetof(struct orbit, designation), NULL },
};
static const struct avro_shape orbit_shape = { sizeof(struct orbit), NELEM(orbit_wishes),
	orbit_wishes, NULL };

static const struct avro_wish packed_wishes[] = {
	{ "mpcDesignation", AVRO_STRING, AVRO_OPTIONAL, offsetof(struct orbit, designation), NULL },
};
static const struct avro_shape packed_shape = { sizeof(struct orbit), NELEM(packed_wishes),
	packed_wishes, NULL };

static const struct avro_wish alert_wishes[] = {
	{ "diaSourceId", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct alert, alert_id), NULL },
	{ "alertId", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct alert, alert_id), NULL },
	{ "diaSource", AVRO_STRUCT, AVRO_NEEDED, offsetof(struct alert, own), &own_shape },
	{ "prvDiaSources", AVRO_LIST, AVRO_NULLABLE, offsetof(struct alert, previous),
	    &previous_shape },
	{ "prvDiaForcedSources", AVRO_LIST, AVRO_OPTIONAL, offsetof(struct alert, forced),
	    &forced_shape },
	{ "diaObject", AVRO_STRUCT, AVRO_NULLABLE, offsetof(struct alert, object), &object_shape },
	{ "ssSource", AVRO_STRUCT, AVRO_OPTIONAL, offsetof(struct alert, moving), &moving_shape },
	{ "ssObject", AVRO_STRUCT, AVRO_OPTIONAL, offsetof(struct alert, moving), &moving_shape },
	{ "mpc_orbits", AVRO_STRUCT, AVRO_OPTIONAL, offsetof(struct alert, orbit), &orbit_shape },
	{ "MPCORB", AVRO_STRUCT, AVRO_OPTIONAL, offsetof(struct alert, packed_orbit),
	    &packed_shape },
};
static const struct avro_shape alert_shape = { sizeof(struct alert), NELEM(alert_wishes),
	alert_wishes, "diaSource" };

/* Name and letter of a bandpass. False: there is no such. */
static bool
take_band(struct datum *d, struct str band, const struct complaint *c)
{
	static const struct str bands[] = { STR("u"), STR("g"), STR("r"), STR("i"), STR("z"),
		STR("y") };

	for (size_t i = 0; i < NELEM(bands); i++)
		if (band.n == 1 && band.p[0] == bands[i].p[0]) {
			d->band = bands[i];
			return true;
		}
	return packet_wrong(c, "band is \"%.*s\": u, g, r, i, z or y would be right",
	    (int)(band.n < 20 ? band.n : 20), band.p);
}

/* A detection or forced point. True, with *used set where it held a measurement. */
static bool
add_source(
    struct datum *d, const struct source *from, int kind, bool *used, const struct complaint *c)
{
	double error = from->flux_error >= 0 && isfinite(from->flux_error) ? from->flux_error : NAN;

	*used = isfinite(from->flux) && isnan(from->withdrawn) && from->band.p != NULL &&
	    (kind == DATUM_DETECTION || isfinite(error));
	if (!(from->mjd >= PACKET_FIRST_MJD && from->mjd <= PACKET_LAST_MJD))
		return packet_wrong(c,
		    "midpointMjdTai is %g: a date between 41317 and 100000 would be right",
		    from->mjd);
	*d = (struct datum){ .source = survey_lsst.name,
		.kind = kind,
		.sign = from->flux < 0 ? -1 : 1,
		.mjd = timescale_tai_to_utc(from->mjd),
		.survey_id = from->id,
		.flux = from->flux,
		.flux_error = error,
		.magnitude = NAN,
		.magnitude_error = NAN,
		.limit_mag = NAN };
	if (!*used)
		return true;
	if (kind == DATUM_DETECTION || packet_is_seen(d))
		packet_magnitude(d);
	else
		d->limit_mag = packet_limit(error);
	return take_band(d, from->band, c);
}

static bool
add_sources(struct alert_packet *p, const struct avro_list *list, int kind, struct complaint c)
{
	const struct source *from = list->items;
	bool used;

	for (c.index = 0; c.index < list->n; c.index++) {
		if (!add_source(&p->points[p->npoints], &from[c.index], kind, &used, &c))
			return false;
		if (used)
			p->npoints++;
		else
			p->empty++;
	}
	return true;
}

static bool
is_number(int64_t id)
{
	return id != AVRO_NO_LONG && id != 0; /* 0 stands for none, too */
}

static bool
take_object(
    struct alert_packet *p, struct arena *arena, const struct alert *a, const struct complaint *c)
{
	int64_t id = is_number(a->moving.id) ? a->moving.id : a->own.ss_object_id;

	if (is_number(a->object.id))
		return packet_name(p, arena,
		    arena_printf(arena, "LSST-AP-DO-%" PRId64, a->object.id), "diaObjectId", c);
	p->moving = true;
	if (!str_empty(a->orbit.designation))
		return packet_name(p, arena, a->orbit.designation, "mpc_orbits.designation", c);
	if (!str_empty(a->packed_orbit.designation))
		return packet_name(
		    p, arena, a->packed_orbit.designation, "MPCORB.mpcDesignation", c);
	if (!str_empty(a->moving.designation))
		return packet_name(p, arena, a->moving.designation, "ssSource.designation", c);
	if (is_number(id))
		return packet_name(
		    p, arena, arena_printf(arena, "LSST-SSO-%" PRId64, id), "ssObjectId", c);
	return packet_wrong(
	    c, "diaObject is null, and there is neither designation nor ssObjectId");
}

static bool
read_alert(
    const void *record, struct arena *arena, struct alert_packet *p, char *err, size_t errsize)
{
	const struct alert *a = record;
	struct complaint c = { err, errsize, "", SIZE_MAX };
	bool used;

	p->alert_id = a->alert_id != AVRO_NO_LONG ? a->alert_id : a->own.source.id;
	/* one more: a point is written in its place before it is known to hold a measurement */
	p->points = arena_array(arena, 2 + a->previous.n + a->forced.n, sizeof(*p->points));
	if (!take_object(p, arena, a, &c))
		return false;
	c.part = "diaSource.";
	if (!packet_position(p, a->own.ra, a->own.dec, &c) ||
	    !add_source(&p->points[0], &a->own.source, DATUM_DETECTION, &used, &c))
		return false;
	p->mjd = p->points[0].mjd;
	p->reliability = a->own.reliability;
	p->npoints = used;
	p->empty = !used;
	c.part = "prvDiaSources";
	if (!add_sources(p, &a->previous, DATUM_DETECTION, c))
		return false;
	c.part = "prvDiaForcedSources";
	return add_sources(p, &a->forced, DATUM_FORCED, c);
}

const struct survey survey_lsst = { STR("LSST"), &alert_shape, read_alert };
