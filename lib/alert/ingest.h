/*
 * ingest.h: alert packets into the database: objects of surveys, the targets that they belong to or
 * make (alert/match.h has the rules), their alerts and their measurements, each stored once.
 *
 * An object without a target keeps its counts and alerts only: its survey's next packet brings its
 * history again once one is there.
 *
 * Packets are gathered and written some hundred at a time, each batch one transaction. What was
 * written stays whatever happens later; what was not is not half there; the same packets offered
 * again add nothing, so a run that stopped is simply run again.
 */
#ifndef MERIDIAN_INGEST_H
#define MERIDIAN_INGEST_H

#include "alert/confluent.h"
#include "alert/mapping.h"
#include "alert/match.h"
#include "alert/packet.h"
#include "alert/position.h"
#include "tom/target.h"

/* A new target is made of what is within all of these; NAN: no matter. */
struct ingest_cuts {
	double
	    max_magnitude; /* of the alert's own detection; a negative difference has none: fails */
	double min_reliability; /* 0 to 1 */
	double min_declination, max_declination; /* degrees */
	double min_galactic_latitude; /* degrees from the plane, either side */
};

struct ingest_options {
	enum create create;
	double match_radius; /* arcseconds; 0: targets are found by name only */
	const struct ingest_cuts *cuts; /* NULL: none */
	struct str stream; /* absent: none */
	int permissions; /* enum target_permissions of new targets */
	const int64_t *groups; /* ids of user groups that get all rights on them */
	size_t ngroups;
	bool shares_data; /* the same rights on the measurements (TARGET_PERMISSIONS_ONLY = no) */
	struct confluent *schemas; /* of bare records; NULL: those are rejected */
	const struct mapping *map; /* of the one survey that is read; NULL: all known by heart */
	size_t packets; /* of a batch; 0: INGEST_PACKETS */
	size_t points; /* of a batch, at most, but for a single packet; 0: INGEST_POINTS */
};
#define INGEST_PACKETS 1000
#define INGEST_POINTS 100000
#define INGEST_BYTES MIB(32) /* of what was decoded, rejected packets too: ends a batch as well */

/* What was done so far; packets of the batch that is not written yet are in `read` alone. */
struct ingest_tally {
	uint64_t files; /* read to their end */
	uint64_t read; /* packets met, those that were rejected too */
	uint64_t stored; /* packets */
	uint64_t new_objects;
	uint64_t new_alerts;
	uint64_t new_targets;
	uint64_t joined; /* objects, to targets near them */
	uint64_t new_points;
	uint64_t known_points; /* stored before, or twice in the packets */
	uint64_t empty; /* points without a measurement, left out */
	uint64_t rejected; /* packets; a file that cannot be read counts as one */
	uint64_t dead; /* messages of a stream that were put aside */
};

struct ingest;

/* Called for each rejection: the file's name as given and a sentence. */
typedef void ingest_reject(void *arg, const char *file, const char *why);

/*
 * db, and what the options and `arg` point to, must outlive it. The caller frees it with
 * ingest_free(), which forgets what was not written.
 */
struct ingest *ingest_new(struct db *, const struct ingest_options *, ingest_reject *, void *arg);
void ingest_free(struct ingest *);

/*
 * Reads a file of packets from a descriptor to its end, writing batches as they fill; *stop (may be
 * set by a signal) ends it after the packet in hand. DB_END, also where packets were rejected; else
 * the batch failed, was undone, and is forgotten: ingest_pending() packets.
 */
enum db_result
ingest_file(struct ingest *, int fd, const char *name, const volatile int *stop) MUST_CHECK;

/* Counts a file as rejected that could not be opened. */
void ingest_file_failed(struct ingest *, const char *name, const char *why);

/* Writes what is pending. As ingest_file. */
enum db_result ingest_flush(struct ingest *) MUST_CHECK;

/*
 * For streams: a message, which holds one packet or a container of them, at that place of the
 * position, is taken into the batch, and the position moved behind it. What cannot be read of it is a
 * dead letter. (Its reason is made UTF-8, whatever the message holds.) The position is the caller's, and must outlive the batch. INGEST_AWAY: nothing was
 * taken, since the schema cannot be had now (*err says why).
 */
enum ingest_taken { INGEST_TAKEN, INGEST_AWAY };
enum ingest_taken ingest_message(struct ingest *, struct position *, int64_t place,
    struct str bytes, char *err, size_t errsize) MUST_CHECK;

/* The same for one that was a dead letter: no position moves, and it does not become one again. */
enum ingest_taken ingest_again(struct ingest *, const struct position *, struct str bytes,
    char *err, size_t errsize) MUST_CHECK;

/*
 * ... or a container file of any length: ingest_begin(), then ingest_next() for each record, until it
 * says INGEST_ENDED: then the position is done. Those that lie before the position are passed over.
 * A record that cannot be read is a dead letter, a container of its own; where the file is cut or spoilt
 * there are no bytes to keep, and the reason says that the file is to be given again.
 * INGEST_UNREADABLE, with a sentence in err: reading failed, whatever the file holds; the position is
 * behind the last record, and it may be begun again from there.
 * The descriptor is borrowed until the end.
 */
enum ingest_step { INGEST_MORE, INGEST_ENDED, INGEST_UNREADABLE };
enum ingest_step
ingest_begin(struct ingest *, struct position *, int fd, char *err, size_t errsize) MUST_CHECK;
enum ingest_step ingest_next(struct ingest *, char *err, size_t errsize) MUST_CHECK;

/*
 * ... or the end of what a position belongs to, an archive: it is done. `why` it could not be read to
 * its end becomes a dead letter; NULL: it was.
 */
void ingest_end(struct ingest *, struct position *, const char *why);

/* Is the batch to be written now? When not, that it is not empty: ingest_flush() may be called. */
bool ingest_is_full(const struct ingest *);
bool ingest_is_empty(const struct ingest *);
/* Messages, records of containers, and ends, that the batch holds. */
size_t ingest_taken(const struct ingest *);
/* After a flush that failed: did somebody else move one of the positions? */
bool ingest_was_fenced(const struct ingest *);
/* Forgets the batch, and that its positions have moved. */
void ingest_forget(struct ingest *);
/*
 * After a flush that was refused, of a batch of one message (or record of a container): its packets are
 * forgotten, and it becomes a dead letter instead, for ingest_flush() to write. `bytes` as they were
 * given to ingest_message(); absent: of a record, which was the last thing that was read.
 */
void ingest_condemn(struct ingest *, struct str bytes, const char *why);

size_t ingest_pending(const struct ingest *);
const struct ingest_tally *ingest_tally(const struct ingest *);

/* How far the file being read was read, in bytes: for a progress bar. */
uint64_t ingest_offset(const struct ingest *);

/* Called now and then while a file is read. NULL takes it away. */
void ingest_on_progress(struct ingest *, void (*fn)(void *arg), void *arg);

#endif
