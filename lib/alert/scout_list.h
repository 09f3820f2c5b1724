/*
 * scout_list.h: Scout's objects for pages.
 */
#ifndef MERIDIAN_SCOUT_LIST_H
#define MERIDIAN_SCOUT_LIST_H

#include "alert/scout.h"
#include "auth/access.h"
#include "db/db.h"

/* An object as a page shows it; texts in the arena. */
struct scout_shown {
	struct scout_object object; /* its newest values */
	int64_t id;
	struct str state; /* "active", "left", or what mpc_end_word() says */
	struct str designation; /* confirmed: as what; else "" */
	int64_t first_seen, last_seen; /* in a list; microseconds, UTC */
	int64_t missed; /* lists in a row that it was not in */
	int64_t target_id; /* 0: none that the asker may see */
	struct str target_name;
	struct str note; /* "cut": no target was made of it; or "" */
	int64_t orbits, orbit; /* samples read, and which one its target has; -1: none */
};

/* Those that were in a list since then, the last seen first, 2,000 at most. */
enum db_result scout_list_shown(struct db *, struct arena *, const struct user *, int64_t since,
    struct scout_shown **, size_t *n) MUST_CHECK;

/* One by its name, however old. DB_ROW; DB_END: there is none. */
enum db_result scout_list_one(struct db *, struct arena *, const struct user *, struct str name,
    struct scout_shown *) MUST_CHECK;

/* An analysis of its history. */
struct scout_run {
	struct scout_object object; /* without name */
	int64_t received; /* microseconds, UTC */
	int64_t orbits, orbit; /* as above */
};

/* The newest first, 500 at most. */
enum db_result
scout_list_runs(struct db *, struct arena *, int64_t id, struct scout_run **, size_t *n) MUST_CHECK;

/*
 * The object of Scout that a target is, and its analyses, the newest first, 6 at most; of several objects
 * the one last seen. DB_ROW; DB_END: it is none that the asker may see. The note, orbits and target of
 * the object are not read.
 */
enum db_result scout_list_of_target(struct db *, struct arena *, const struct user *,
    int64_t target, struct scout_shown *, struct scout_run **, size_t *n) MUST_CHECK;

/* Reads the values of a row of scout_object or scout_run, the name apart. */
void scout_list_values(struct query *, struct scout_object *);

#endif
