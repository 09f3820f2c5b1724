/*
 * datum.h: measurements of targets: a row for each detection, each limit of a non-detection, each
 * forced point, whichever survey or file it came from.
 *
 * What makes two rows the same measurement: a detection or forced point with a survey_id is that one
 * of its source, whatever its time; everything else is known by target, source, kind, band and MJD.
 */
#ifndef MERIDIAN_DATUM_H
#define MERIDIAN_DATUM_H

#include <float.h>

#include "auth/access.h"
#include "db/db.h"

/* As in the column datum.kind. */
enum datum_kind { DATUM_DETECTION = 1, DATUM_LIMIT = 2, DATUM_FORCED = 3 };

struct datum {
	int64_t target_id;
	struct str source; /* "ZTF" */
	struct str band; /* "g" */
	int kind; /* enum datum_kind */
	int sign; /* of a difference to the reference image: 1, -1; 0 for limits */
	double mjd; /* UTC; of an exposure what its survey tells: ZTF the start, LSST the middle */
	int64_t survey_id; /* the survey's own number of the measurement; 0: none */
	/* NAN where there is none */
	double flux, flux_error; /* nJy, with their sign */
	double magnitude, magnitude_error; /* AB, of the difference's size: see sign */
	double limit_mag; /* AB, 5 sigma: limits, and forced points that say so themselves */
	/* Of one that is to be stored: the alert that tells of it, where its word is the latest. */
	double told; /* MJD of the alert; 0: it corrects nothing */
	int64_t alert_id;
};

/*
 * Stores the rows whose measurement is not there yet, all of one source, within the caller's
 * transaction. Rows may be in any order and come twice. The stored rows of each target in the span
 * of its new ones are asked first, and only what is absent is written: streams repeat the history
 * of an object with every alert (spec/scale.md). *added and *present count rows of the batch.
 *
 * A numbered one that is there with another value or error, or at another time or band, is corrected by a
 * row that was `told`: what is stored goes to datum_correction and the row takes its place. It counts as
 * present. Of two rows of the batch the one of the later alert counts.
 * Fewer than 2^31 rows at once. The rows are sorted in place.
 */
enum db_result datum_store_batch(struct db *, struct arena *, struct datum *rows, size_t n,
    size_t *added, size_t *present) MUST_CHECK;

/*
 * The revision of a target's measurements is a number that says which they are: it changes in the
 * transaction of whatever changes any of them, and never is again what it was. What was read of them
 * under one may be shown as long as the target has it (target_load() tells); 0: none is known.
 *
 * datum_store_batch() sees to it for what it adds and corrects. Who changes rows otherwise calls this in the same
 * transaction, with distinct ids in their order.
 */
enum db_result datum_touch(struct db *, const int64_t *targets, size_t n) MUST_CHECK;
/* Before the target is deleted. */
enum db_result datum_forget(struct db *, int64_t target) MUST_CHECK;

/*
 * For whom measurements of a target that they may see are read: NULL where those are all theirs to
 * see, a superuser's or TARGET_PERMISSIONS_ONLY being yes; else the user: then what they have rights
 * on (tom/rights.h).
 */
const struct user *datum_reader(const struct config *, const struct user *);

/* A span of time, both ends in it: MJD, finite. */
struct datum_span {
	double first, last;
};
#define DATUM_ALL_TIME ((struct datum_span){ -DBL_MAX, DBL_MAX })

/* What is done with a row; its texts are borrowed until it returns. Not 0: no further one. */
typedef int datum_fn(void *arg, const struct datum *);

/* What a reading tells besides the rows. */
struct datum_found {
	bool more; /* there are others in the span, older ones */
	/* of the rows; 0: none is known, or not all of a target's are read: with a reader */
	int64_t revision;
};

/*
 * The measurements of one target in a span, the newest first, at most `limit`, without target_id and
 * survey_id; without `fluxes` a row that has a magnitude has no flux and no limit_mag. In two halves,
 * so that a page's statements travel together: nothing else of the db may be stepped between them but
 * what was started before. DB_END or a failure, DB_REFUSED where the function wanted no further one.
 */
struct query *datum_read_start(
    struct db *, const struct user *reader, int64_t target, struct datum_span, size_t limit);
enum db_result datum_read_end(struct query *, size_t limit, bool fluxes, datum_fn *, void *arg,
    struct datum_found *) MUST_CHECK;

/* MJD of the first detection of a target, NAN where there is none. In two halves, too. */
struct query *datum_first_start(struct db *, const struct user *reader, int64_t target);
enum db_result datum_first_end(struct query *, double *mjd) MUST_CHECK;

/*
 * Calls each() for every measurement of a target in a span, by MJD, no matter how many, until it
 * returns non-zero: DB_REFUSED. Memory does not grow with the number.
 */
enum db_result datum_each(struct db *, const struct user *reader, int64_t target, struct datum_span,
    datum_fn *each, void *arg) MUST_CHECK;

#endif
