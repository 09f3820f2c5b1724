/*
 * ztf.h: alert packets of the Zwicky Transient Facility: Avro container files of schema 3.3 and
 * 4.x (https://zwickytransientfacility.github.io/ztf-avro-alert/), read into measurements.
 */
#ifndef MERIDIAN_ZTF_H
#define MERIDIAN_ZTF_H

#include "alert/avro.h"
#include "tom/datum.h"

/* One packet: an object, and all that the packet says of its brightness. */
struct ztf_packet {
	struct str object_id; /* fit to be the name of a target; in the arena */
	int64_t candid; /* the alert's own number */
	double ra, dec; /* degrees, ICRS, of this detection: 0 <= ra < 360 */
	struct datum *points; /* source "ZTF", target_id 0; the alert's own detection first */
	size_t npoints;
	size_t empty; /* points of the history without a measurement, left out */
	size_t lost; /* with AVRO_BAD: records that were passed over */
};

/* A reader for ztf_next(); open it with avro_file_open(). The caller frees it with avro_file_free(). */
struct avro_file *ztf_file_new(void);

/*
 * The next packet. AVRO_RECORD; AVRO_BAD: it is no packet as it should be (err names offset, field
 * and reason) and the next call goes on behind it; AVRO_END and AVRO_BROKEN as in avro.h.
 *
 * Detections carry magnitude, error and the sign of isdiffpos; non-detections (magpsf null) are
 * limits of diffmaglim; points of fp_hists are forced, their flux in nJy = counts *
 * 10^(-0.4 (magzpsci - 31.4)) (AB, Oke & Gunn 1983), -99999 meaning none. MJD = jd - 2400000.5,
 * the start of the exposure, UTC.
 */
enum avro_result
ztf_next(struct avro_file *, struct arena *, struct ztf_packet *, char *err, size_t errsize);

#endif
