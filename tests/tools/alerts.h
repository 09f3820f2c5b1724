/*
 * alerts.h: made alert packets in the manner of ZTF and LSST: consistent objects, each with a history
 * that grows from visit to visit, all of it a function of a seed. The same bytes everywhere.
 *
 * Object k is measured at epochs 0, 1, 2 ...; the packet of its visit v tells of `points` rows: the
 * detection at epoch points-1+v, and what was seen at the epochs before it. (LSST's of `points` at
 * most: at half as many epochs, 4.5 days apart, there is a forced point, and where it is above 5
 * sigma a detection.)
 */
#ifndef MERIDIAN_TEST_ALERTS_H
#define MERIDIAN_TEST_ALERTS_H

#include "base/buf.h"

struct alerts {
	uint64_t seed;
	unsigned points; /* rows of a packet: the detection, its history, its forced points */
	size_t cutout; /* bytes of each of the three pictures; 0: null */
	bool v4; /* schema 4.02 (a third of the rows are forced), else 3.3 */
	bool lsst; /* LSST's schema 9.0 instead */
	bool moving; /* and its objects are of the solar system */
};
#define ALERTS_LSST_ID 900 /* the number that Rubin's registry gives that schema */

/* What a packet tells, to compare with. */
struct made_alert {
	char object_id[40];
	int64_t candid; /* or diaSourceId */
	double ra, dec;
	unsigned detections, limits, forced; /* rows with a measurement; the alert's own included */
	unsigned empty; /* rows without one */
	unsigned negative; /* detections below the reference */
};

/* The schema's text, borrowed until the program ends. */
struct str alerts_schema(const struct alerts *);

/* Appends the record of that object's visit; says in *made what it tells (NULL: not wanted). */
void alerts_put(
    const struct alerts *, uint64_t object, unsigned visit, struct buf *, struct made_alert *made);

/* The sync marker of made files. */
extern const uint8_t alerts_sync[16];

#endif
