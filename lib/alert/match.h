/*
 * match.h: which targets the objects of a batch belong to: those that they have, those of their name,
 * those near them, new ones.
 *
 *  - An object that has a target keeps it, whatever is near.
 *  - A name says more than a place: the target that has the object's name, or it as an alias, is the
 *    object's, wherever it stands and whoever sees it.
 *  - Else the one target within the radius; of several the nearest, if it is within half of the
 *    radius; else none, and the object is noted as OBJECT_SEVERAL. The object's name becomes an alias,
 *    but for a target that has TARGET_ALIASES_MAX: that grows by its measurements alone.
 *    A PRIVATE target is passed over by a stream that makes targets which more people see, so that
 *    its objects are seen and the private target grows no names of theirs.
 *  - Else a new one, if the stream makes any and the object passes its cuts. New ones of a batch
 *    within the radius of each other are one target.
 *
 * What moves (solar system) has no place to be near to: names only, and its target gets none.
 * An object whose target was deleted has none: it is matched anew, and only CREATE_ALL makes it one.
 */
#ifndef MERIDIAN_MATCH_H
#define MERIDIAN_MATCH_H

#include "alert/object.h"

enum create { CREATE_ALL, CREATE_MATCH, CREATE_NEVER };

struct match_rules {
	enum create create;
	double radius; /* arcseconds; 0: names only */
	int permissions; /* enum target_permissions of new targets */
	const int64_t *groups; /* ids of user groups that get all rights on them */
	size_t ngroups;
};

/* An object of the set whose target is wanted. */
struct match_wish {
	bool makes; /* it passed the cuts */
	bool moves;
	bool made; /* out: it got a new target, as the first of those that share it */
	bool joined; /* out: by its place */
};

/*
 * Fills target_id and note of each object of a set that objects_find() has read, in the caller's
 * transaction; wishes[i] is that of set[i].
 */
enum db_result match_targets(struct db *, struct arena *, const struct match_rules *,
    struct object *set, struct match_wish *wishes, size_t n) MUST_CHECK;

#endif
