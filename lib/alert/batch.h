/*
 * batch.h: what ingest gathers and writes in one transaction. For lib/alert/ alone.
 */
#ifndef MERIDIAN_BATCH_H
#define MERIDIAN_BATCH_H

#include "alert/ingest.h"

struct batch {
	const struct ingest_options *options;
	struct arena *scratch; /* of one try to write it */
	const struct alert_packet *packets;
	size_t n, npoints;
	struct position *const *positions; /* that have moved */
	size_t npositions;
	const struct letter *letters;
	size_t nletters;
	unsigned tries; /* to write it, so far */
	struct ingest_tally tally; /* what the last try would add to that of the run */
};

/*
 * One try, the work of a transaction: all that it keeps is in the scratch arena and the tally.
 * *fenced: somebody else has moved a position, and it is DB_REFUSED.
 */
enum db_result batch_write(struct db *, struct batch *, bool *fenced) MUST_CHECK;

#endif
