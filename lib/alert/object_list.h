/*
 * object_list.h: the objects of surveys for pages: searched, listed, one with its alerts, and those
 * behind a target.
 *
 * An object is seen by who is of its audience: whom the streams that told of it let see it
 * (tom/audience.h). One with a target is seen by those of them who see the target and what its survey
 * measured of it (`reader` is of datum_reader(), tom/datum.h: an alert tells when something was
 * measured); one whose target was deleted, by all of the audience if all of it saw the target, else by
 * superusers alone. For others it is not there. Rights are asked for some hundred objects at once.
 *
 * A page costs the same whatever the table's size: the newest are a run of the key, the beginning of a
 * name a run of an index, a cone some squares of the sky. Where a page is not full because of rights,
 * at most OBJECTS_WALK rows are looked at; then the page says where it goes on.
 */
#ifndef MERIDIAN_OBJECT_LIST_H
#define MERIDIAN_OBJECT_LIST_H

#include "auth/access.h"
#include "auth/secret.h"
#include "db/db.h"
#include "sky/cone.h"

#define OBJECTS_PAGE ((size_t)50) /* rows of a page */
#define OBJECTS_CHUNK ((size_t)1000) /* rows looked at after the first page's */
#define OBJECTS_WALK ((size_t)10000)
#define OBJECTS_RADIUS_MAX 1.0 /* degrees: the squares of a larger cone would be too many */
#define OBJECT_NAME_MAX 100 /* bytes of what is searched for */

/* What is asked for. Zeroed but for `survey` and `name` "", it is everything, newest first. */
struct object_query {
	struct str survey; /* ""; any */
	struct str name; /* its beginning, in the survey's own letters; "": any. Then by name */
	bool by_cone; /* of at most OBJECTS_RADIUS_MAX, about the newest position; with no name */
	struct cone cone;
	struct str after; /* the key of a page, as object_page.next gave it; "": the first */
	struct secret *secret; /* seals keys */
};

struct object_row {
	int64_t id;
	struct str survey, name;
	double ra, dec; /* degrees, ICRS, of the newest detection */
	double first_mjd, last_mjd; /* UTC */
	int64_t alerts, detections;
	int64_t created; /* microseconds: when we heard of it first */
	struct str note; /* why it has no target: OBJECT_SEVERAL, OBJECT_CUT, OBJECT_TAKEN; or "" */
	int64_t sight; /* number of its audience */
	bool closed; /* it had a target that not all of them saw */
	int64_t target; /* 0: none */
	struct str target_name;
};

struct object_page {
	struct object_row *rows;
	size_t n;
	struct str next; /* absent: there is no more */
	bool partial; /* the walk stopped before the page was full */
};

/* The surveys that there are objects of, by name, at most `most`. */
enum db_result
object_surveys(struct db *, struct arena *, size_t most, struct str **, size_t *n) MUST_CHECK;

/* Finds a page. DB_END, or a failure of the database. Rows live in the arena. */
enum db_result object_find(struct db *, struct arena *, const struct user *,
    const struct user *reader, const struct object_query *, const struct str *surveys,
    size_t nsurveys, struct object_page *) MUST_CHECK;

/*
 * The objects of a whole name that the user may see, the last seen first: one, or as many as they are of
 * audiences that were told of it.
 */
enum db_result
object_get(struct db *, struct arena *, const struct user *, const struct user *reader,
    struct str survey, struct str name, struct object_row **, size_t *n) MUST_CHECK;

/* The path of an object's page. */
struct str object_link(struct arena *, struct str survey, struct str name);

/* An alert of an object, or of one of a target's. */
struct alert_row {
	struct str survey, name; /* of alerts_of_target() only, as the next */
	int64_t object;
	int64_t alert_id; /* the survey's number */
	double mjd; /* UTC */
	struct str stream; /* "": meridian-ingest file */
	int64_t received; /* microseconds */
};
struct alert_place {
	double mjd;
	int64_t alert_id;
	int64_t object; /* of alerts_of_target() */
};
/* Where a list of alerts begins, of the query string's `before`: before all where it is none. */
struct alert_place alert_place_read(struct str before);
/* The link to the page behind a row: "?before=...". */
struct str alert_place_link(struct arena *, const struct alert_row *last);

/* The newest alerts before a place, at most `most`, and whether there are more. */
enum db_result alerts_of_object(struct db *, struct arena *, int64_t object,
    struct alert_place before, size_t most, struct alert_row **, size_t *n, bool *more) MUST_CHECK;
enum db_result alerts_of_target(struct db *, struct arena *, const struct user *,
    const struct user *reader, int64_t target, struct alert_place before, size_t most,
    struct alert_row **, size_t *n, bool *more) MUST_CHECK;

/*
 * The objects of a target that the user may see, by survey and name, at most `most`; none where they may
 * not see the target.
 */
enum db_result
objects_of_target(struct db *, struct arena *, const struct user *, const struct user *reader,
    int64_t target, size_t most, struct object_row **, size_t *n) MUST_CHECK;

/*
 * How many such objects and alerts are behind a target, in two halves so that a page's other statements
 * travel with it; the second ends the query.
 */
struct query *
objects_count_start(struct db *, const struct user *, const struct user *reader, int64_t target);
enum db_result objects_count_end(struct query *, int64_t *objects, int64_t *alerts) MUST_CHECK;

#endif
