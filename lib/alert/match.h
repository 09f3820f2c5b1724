/*
 * match.h: which targets the objects of a batch belong to: those that they have, those of their name,
 * those near them, new ones.
 *
 *  - An object that has a target keeps it, whatever is near.
 *  - A name says more than a place: the target that has the object's name, or it as an alias, is the
 *    object's, wherever it stands, if it may take in what the stream brings.
 *  - Else the one such target within the radius; of several the nearest, if it is within half of the
 *    radius; else none, and the object is noted as OBJECT_SEVERAL. The object's name becomes an alias,
 *    but for a target that has TARGET_ALIASES_MAX, or that others see than the stream's audience: that
 *    grows by its measurements alone.
 *  - Else a new one, if the stream makes any and the object passes its cuts. New ones of a batch
 *    within the radius of each other are one target. Where a target that may not take it in has its
 *    name, it is called "NAME (STREAM)"; where one has that, too, the object has none, and is noted
 *    as OBJECT_TAKEN. So nobody gets hold of what a stream brings, or keeps it from those who are to
 *    see it, by a target of their own that has an expected name or stands in an expected place.
 *
 * A target may take in what a stream brings
 *  - if nobody sees the target who is not of the stream's audience (tom/audience.h), since who sees a
 *    target sees its measurements; where those have rights of their own, the same of the rights on the
 *    target's measurements of that source instead. Superusers, and users of the audience's groups, are
 *    nobody else;
 *  - and, for a stream that makes targets itself, if all of the audience see it (or all who are signed
 *    in), so that what it brings is not hidden from them. Who makes none lets a private target grow.
 *
 * What moves (solar system) has no place to be near to: names only, and its target gets none.
 * An object whose target was deleted has none: it is matched anew, and only CREATE_ALL makes it one.
 */
#ifndef MERIDIAN_MATCH_H
#define MERIDIAN_MATCH_H

#include "alert/object.h"
#include "tom/target.h"

enum create { CREATE_ALL, CREATE_MATCH, CREATE_NEVER };

struct match_rules {
	enum create create;
	double radius; /* arcseconds; 0: names only */
	int permissions; /* enum target_permissions of new targets */
	const int64_t *groups; /* ids of user groups that get all rights on them */
	size_t ngroups;
	struct str source; /* of the measurements that are to go there; "": none have rights */
	struct str label; /* of the stream, for names that are taken */
	bool shares_data; /* measurements have rights of their own (TARGET_PERMISSIONS_ONLY = no) */
};

/* An object of the set whose target is wanted. */
struct match_wish {
	bool makes; /* it passed the cuts */
	bool moves;
	bool made; /* out: it got a new target, as the first of those that share it */
	bool joined; /* out: by its place */
};

/*
 * Steps of it, for what is no object of a survey, in the caller's transaction: targets by name, id 0 where
 * there is none that may be taken; and the same with new ones
 * made, id 0 where the name is taken.
 */
enum db_result match_named(struct db *, struct arena *, const struct match_rules *,
    struct target_wanted *, size_t n) MUST_CHECK;
enum db_result match_or_make(struct db *, struct arena *, const struct match_rules *,
    struct target_wanted *, size_t n) MUST_CHECK;

/*
 * Fills target_id and note of each object of a set that objects_find() has read, in the caller's
 * transaction; wishes[i] is that of set[i].
 */
enum db_result match_targets(struct db *, struct arena *, const struct match_rules *,
    struct object *set, struct match_wish *wishes, size_t n) MUST_CHECK;

#endif
