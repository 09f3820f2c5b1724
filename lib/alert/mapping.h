/*
 * mapping.h: a survey that is described by a file: which of its fields is what, in which unit. So a
 * survey that Meridian does not know is read without code (the keys stand in doc/meridian-ingest.1).
 *
 *	[survey]
 *	name = DECam
 *	object = objectId
 *	alert = candid
 *	ra = candidate.ra
 *	dec = candidate.dec
 *
 *	[detection]
 *	time = candidate.jd
 *	time_is = jd utc
 *	band = candidate.fid
 *	magnitude = candidate.magpsf
 *
 *	[history prv_candidates]
 *	...
 *
 *	[bands]
 *	1 = g
 */
#ifndef MERIDIAN_MAPPING_H
#define MERIDIAN_MAPPING_H

#include "alert/packet.h"

#define MAPPING_MAX KIB(64) /* bytes of such a file */

/*
 * The mapping of a file, or of its text (then `path` is for sentences). NULL with a sentence in err that
 * names file, line and key. The caller frees it with mapping_free(), after all that reads with it.
 */
struct mapping;
struct mapping *mapping_read(const char *path, char *err, size_t errsize);
struct mapping *mapping_new(struct str text, const char *path, char *err, size_t errsize);
void mapping_free(struct mapping *);

/* What it describes. With a mapping packets are of this survey alone. */
const struct survey *mapping_survey(const struct mapping *);

/* Its shapes, as avro_file_new() and confluent_new() have them; those of packet_shapes() without one. */
const struct avro_shape *const *mapping_shapes(const struct mapping *);

#endif
