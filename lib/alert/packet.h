/*
 * packet.h: alert packets of whichever survey, read into measurements. A survey is a table of
 * functions; which one a packet is of is told by the fields of its schema. What ingests packets
 * knows none of them.
 *
 * In each: a detection carries the sign of the difference; what has no measurement is counted and
 * left out; a packet that is not as it should be is refused, with the field and the reason.
 */
#ifndef MERIDIAN_PACKET_H
#define MERIDIAN_PACKET_H

#include "alert/avro.h"
#include "tom/datum.h"

/* One packet: an object, and all that the packet says of its brightness. */
struct alert_packet {
	const struct survey *survey;
	struct str object; /* its name, fit to be that of a target; in the arena */
	int64_t alert_id; /* the alert's own number */
	bool moving; /* of the solar system: the position is that of the moment */
	double ra, dec; /* degrees, ICRS, of this detection: 0 <= ra < 360 */
	double mjd; /* of it, as of its point, which may be left out */
	double reliability; /* of it, 0 to 1, by the survey's own judge; NAN: not given */
	struct datum
	    *points; /* of the survey's name, target_id 0; the alert's own detection first */
	size_t npoints;
	size_t empty; /* points without a measurement, left out */
	size_t lost; /* with AVRO_BAD: records that were passed over */
};

struct survey {
	struct str name; /* datum.source */
	const struct avro_shape *shape; /* of its records; its sign tells them */
	/* Makes a record of the shape a packet, all zero before; false with a sentence in err. */
	bool (*read)(
	    const void *record, struct arena *, struct alert_packet *, char *err, size_t errsize);
};

/*
 * Zwicky Transient Facility, schemas 3.3 and 4.x (https://zwickytransientfacility.github.io/ztf-avro-alert/).
 * Detections carry magnitude, error and the sign of isdiffpos; non-detections (magpsf null) are
 * limits of diffmaglim; points of fp_hists are forced, their flux in nJy = counts *
 * 10^(-0.4 (magzpsci - 31.4)) (AB, Oke & Gunn 1983), -99999 meaning none. MJD = jd - 2400000.5,
 * the start of the exposure, UTC.
 */
extern const struct survey survey_ztf;

/*
 * Rubin Observatory (LSST), schemas 7 and later (https://sdm-schemas.lsst.io, github.com/lsst/alert_packet).
 * diaSource and prvDiaSources are detections, prvDiaForcedSources forced points, known by diaSourceId
 * and diaForcedSourceId. Flux is psfFlux in nJy, of the difference; where it is positive the AB
 * magnitude is 31.4 - 2.5 log10(flux), its error 2.5 / ln 10 * error / flux; where it is negative
 * there is none. A forced point within 5 sigma of zero has the limit of 5 sigma instead. Withdrawn
 * points are left out; so are prvDiaNondetectionLimits, where a schema has them: the unit of their noise
 * is documented nowhere. MJD is UTC of midpointMjdTai, the middle of the exposure.
 *
 * The object is LSST-AP-DO-diaObjectId, as the observatory has it reported. Where diaObject is null
 * it is one of the solar system, and named by the first of: designation of mpc_orbits,
 * mpcDesignation of MPCORB (packed), designation of ssSource, LSST-SSO-ssObjectId.
 */
extern const struct survey survey_lsst;

/*
 * One that is described when the program runs (alert/mapping.h): packet_next() finds the survey by the
 * shape before it.
 */
struct packet_described {
	struct avro_shape shape;
	struct survey survey;
};

/* Those known by heart; NULL ends it. */
extern const struct survey *const packet_surveys[];

/* Their shapes, as avro_schema_new() has them. */
const struct avro_shape *const *packet_shapes(void);

/*
 * A reader of packets, for packet_next(); open it with avro_file_open(). The caller frees it with
 * avro_file_free().
 */
struct avro_file *packet_file_new(void);

/*
 * The next packet. AVRO_RECORD; AVRO_BAD: it is no packet as it should be (err names offset, field
 * and reason) and the next call goes on behind it; AVRO_END and AVRO_BROKEN as in avro.h.
 */
enum avro_result
packet_next(struct avro_file *, struct arena *, struct alert_packet *, char *err, size_t errsize);

/* For the surveys: where an error is to be explained. */
struct complaint {
	char *err;
	size_t size;
	const char *part; /* "candidate", "prv_candidates" */
	size_t index; /* of the row; SIZE_MAX: it has none */
};

/* "part[index].", then the sentence; false. */
bool packet_wrong(const struct complaint *, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Times that a packet may have: from 1972 on, when UTC began to have leap seconds. */
#define PACKET_FIRST_MJD 41317.0
#define PACKET_LAST_MJD 100000.0

/* The AB magnitude of 1 nJy (Oke & Gunn 1983). */
#define PACKET_ZERO_POINT 31.4

/* The AB magnitude, and its error, of a flux in nJy; of one that is not above 0 they stay as they are. */
void packet_magnitude(struct datum *);
/* Does a forced point see something: is its flux 5 times its error, or more, whatever its sign? */
bool packet_is_seen(const struct datum *);
/* The AB magnitude of 5 times an error in nJy, above 0. */
double packet_limit(double flux_error);

/* Position and object, checked; false where they cannot be, explained. */
bool packet_position(struct alert_packet *, double ra, double dec, const struct complaint *);
bool packet_name(struct alert_packet *, struct arena *, struct str name, const char *field,
    const struct complaint *);

#endif
