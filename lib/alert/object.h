/*
 * object.h: the objects of surveys and the alerts behind them, in sets, within a caller's transaction.
 *
 * All of a set are of one survey and one audience, and sorted by name (object_compare), each name once.
 */
#ifndef MERIDIAN_OBJECT_H
#define MERIDIAN_OBJECT_H

#include "db/db.h"
#include "tom/audience.h"

struct object {
	struct str name; /* the survey's, fit to be the name of a target */
	/* what packets tell of it now: of their detections */
	double ra, dec; /* degrees, ICRS, of the newest */
	double first_mjd, last_mjd; /* UTC */
	int64_t detections; /* the most that one packet told of */
	/* what is stored: filled by objects_find() */
	int64_t id; /* 0: not there yet */
	double known_first, known_last;
	int64_t known_alerts, known_detections, known_target;
	struct str known_note; /* absent: none */
	/* what is to be stored */
	int64_t target_id; /* 0: none */
	const char *note; /* why it has none: OBJECT_SEVERAL, OBJECT_CUT, OBJECT_TAKEN; or "" */
	int64_t new_alerts; /* filled by alerts_find_new() */
};
#define OBJECT_SEVERAL "several" /* targets are within the radius, none much nearer */
#define OBJECT_CUT "cut" /* the stream makes none of what is so faint, or such a place, and so on */
#define OBJECT_TAKEN "taken" /* its names are those of targets that it may not go to (match.h) */

/* One alert of an object of the set. */
struct alert {
	size_t object; /* of the set: its index */
	int64_t alert_id; /* the survey's number */
	double mjd; /* UTC */
	bool is_new; /* filled by alerts_find_new() */
};

/* The order of names, by bytes. */
int object_compare(struct str, struct str);

/* Reads what is stored of the set. Texts live in the arena. */
enum db_result objects_find(struct db *, struct arena *, struct str survey, const struct audience *,
    struct object *, size_t n) MUST_CHECK;

/*
 * Which of the alerts are new, each of a batch once. Asks the database only for those that are no
 * newer than what their object has told: a stream that goes on costs no statement. But for `all`: a
 * survey may tell an alert again with a later time, and then alerts_store() says DB_RETRY.
 */
enum db_result alerts_find_new(
    struct db *, struct arena *, struct object *, struct alert *, size_t n, bool all) MUST_CHECK;

/*
 * Writes the set: adds those that are not there (their ids are filled in), changes those that differ.
 * Then the alerts that are new. DB_RETRY where somebody else wrote one meanwhile.
 */
enum db_result objects_store(struct db *, struct arena *, struct str survey,
    const struct audience *, struct object *, size_t n) MUST_CHECK;
enum db_result alerts_store(struct db *, struct str stream, const struct object *,
    const struct alert *, size_t n) MUST_CHECK;

#endif
