/*
 * scout_store.h: what Scout says, in the database: objects with their history, and the non-sidereal
 * targets that they belong to or make.
 *
 * A target is found by the object's name, among names and aliases, and made where the stream makes any
 * and the object is within its cuts; match.h has the rules of which targets a stream may use. An object
 * is seen by whom the stream that told of it last lets see it (tom/audience.h). A target's elements are those of one sampled orbit (sky/orbit.h), written
 * anew with each analysis; a sidereal target of that name is left as it is. Scores, uncertainty and
 * the rest stand beside it, in scout_object.
 *
 * Everything can be done twice: an analysis is one row of the history, however often it was told.
 */
#ifndef MERIDIAN_SCOUT_STORE_H
#define MERIDIAN_SCOUT_STORE_H

#include "alert/match.h"
#include "alert/mpc.h"
#include "alert/position.h"
#include "alert/scout.h"

#define SCOUT_LISTS 2 /* an object that so many lists in a row do not have has left the page */

/* A target is made of what is within all of these; NAN: no matter. What is not told fails. */
struct scout_cuts {
	double min_rating, min_neo_score, min_pha_score, max_geocentric_score;
	double max_magnitude; /* V */
	double max_uncertainty; /* arcminutes */
	double max_close_approach; /* lunar distances */
	double min_declination, max_declination; /* degrees */
};

struct scout_rules {
	struct str stream;
	enum create create;
	struct scout_cuts cuts;
	int permissions; /* enum target_permissions of new targets */
	const int64_t *groups; /* ids of user groups that get all rights on them */
	size_t ngroups;
};

/* What a call did. */
struct scout_tally {
	uint64_t new_objects, new_runs, new_targets, dead;
};

/* An object that is in the list, as it is stored. */
struct scout_known {
	int64_t id, target_id, asked_run; /* 0: none */
	struct scout_object object;
};

/*
 * Each of these is a transaction, which begins by moving the position, where one is given: DB_REFUSED
 * says that another daemon did so meanwhile, and then nothing is stored. The position is settled.
 */

/*
 * A list: its objects, the analyses that are new, and who has left; rows that cannot be read become
 * dead letters. Objects whose targets are there join them.
 */
enum db_result scout_store_list(struct db *, struct arena *, const struct scout_rules *,
    struct position *, const struct scout_list *, struct scout_tally *) MUST_CHECK;

/* One object by itself, which was a dead letter: as the list does it, but that nobody else leaves. */
enum db_result scout_store_row(struct db *, struct arena *, const struct scout_rules *,
    const struct scout_object *, struct scout_tally *) MUST_CHECK;

/* One object with its orbits: its target is made, and has its elements. */
enum db_result scout_store_single(struct db *, struct arena *, const struct scout_rules *,
    struct position *, const struct scout_single *, struct scout_tally *) MUST_CHECK;

/*
 * The API does not tell its orbits, or not in a way that can be read (then `why`, which becomes a dead
 * letter with the bytes; NULL: no letter): it is not asked for this analysis again.
 */
enum db_result
scout_store_unknown(struct db *, struct arena *, const struct scout_rules *, struct position *,
    const struct scout_known *, const char *why, struct str bytes, struct scout_tally *) MUST_CHECK;

/* What the MPC says of those that left. `since`: those seen before are not looked at. */
enum db_result scout_store_fates(struct db *, struct arena *, const struct scout_rules *,
    struct position *, const struct mpc_fate *, size_t n, int64_t since) MUST_CHECK;

/* Reads those in the list whose orbits are to be asked for, the most urgent first; in the arena. */
enum db_result scout_due(struct db *, struct arena *, const struct scout_rules *,
    struct scout_known **, size_t *n) MUST_CHECK;

/* How many have left that the MPC may still tell of. */
enum db_result scout_unsettled(struct db *, int64_t since, size_t *n) MUST_CHECK;

/* Is it within the cuts? */
bool scout_passes(const struct scout_cuts *, const struct scout_object *);

#endif
