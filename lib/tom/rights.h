/*
 * rights.h: who may do what with a target, why, and how that is changed, one principal at a time.
 *
 * Where TARGET_PERMISSIONS_ONLY is no, measurements have rights of their own, for each source of a
 * target; then a `source` says which are meant. An empty one means the target itself. They count
 * for those who may see the target.
 *
 * Nobody gives or takes what they do not have, and who has no right to change has none to give.
 * What "anyone" and "signed in" have on a target follows its OPEN, PUBLIC or PRIVATE
 * (target_change); on measurements it is given here, and is sight.
 */
#ifndef MERIDIAN_RIGHTS_H
#define MERIDIAN_RIGHTS_H

#include "auth/access.h"
#include "db/db.h"

enum right_of { RIGHT_ANYONE, RIGHT_SIGNED_IN, RIGHT_GROUP, RIGHT_USER };

/* A row: what one principal may do. */
struct right {
	int64_t principal;
	enum right_of of;
	int64_t id; /* of the group or user */
	struct str name; /* theirs; of a user only in rights_list() */
	int verbs; /* a sum of enum verb */
	bool is_active; /* a user who may sign in; only in rights_list() */
};

/*
 * Up to `limit` rows in the order of principals, after the principal `after` (0: from the first).
 * In the arena. DB_END or a failure. Reads that target's rows and no others.
 */
enum db_result rights_list(struct db *, struct arena *, int64_t target, struct str source,
    int64_t after, size_t limit, struct right **, size_t *n);

/* The rows that are a user's own, their groups' or everybody's: why they see it. 0: a visitor. */
enum db_result rights_of_user(struct db *, struct arena *, int64_t target, struct str source,
    int64_t user, struct right **, size_t *n);

/* What those rows together let them give: those of everybody do not count. */
int rights_held(const struct right *, size_t n);

/* The sources of a target's measurements, by name. Reads all its measurements. */
enum db_result
rights_sources(struct db *, struct arena *, int64_t target, struct str **, size_t *n);

/* One principal's verbs to become others. */
struct rights_wish {
	int64_t target;
	struct str source;
	int64_t principal;
	int was; /* what who asks has seen; 0: no row */
	int verbs; /* 0: takes the row away; else VIEW is among them */
	bool sure; /* though who asks loses a right of their own by it */
};
enum rights_result {
	RIGHTS_DONE,
	RIGHTS_SAME, /* nothing was to do */
	RIGHTS_DENIED, /* more than who asks may give or take */
	RIGHTS_STRANGER, /* a group that who asks is not a member of, and that has no right yet */
	RIGHTS_STALE, /* it is not any more as they saw it */
	RIGHTS_OWN, /* they would lose a right of their own: ask, then say `sure` */
	RIGHTS_GONE, /* there is no such target, user or group */
	RIGHTS_FAILED /* *r says how */
};
enum rights_result rights_change(struct db *, struct arena *, const struct user *,
    const struct rights_wish *, enum db_result *r);

/*
 * For streams, in the caller's transaction: rights on the measurements of a source of these targets
 * where nobody has any yet: sight by `permissions` (enum target_permissions), all verbs for groups.
 */
enum db_result
rights_share_data(struct db *, struct arena *, struct str source, const int64_t *targets, size_t n,
    int permissions, const int64_t *groups, size_t ngroups) MUST_CHECK;

/*
 * For a command: the same for what is stored already, a source of a target at a time. One call looks at
 * RIGHTS_FILL_TARGETS targets behind `after`, in a transaction of its own, and moves that on. DB_ROW: go
 * on; DB_END: these were the last.
 */
#define RIGHTS_FILL_TARGETS 500
struct rights_fill {
	int permissions; /* enum target_permissions */
	const int64_t *groups;
	size_t ngroups;
	int64_t after; /* id of a target; 0 at first */
	int64_t ntargets, ngiven; /* so far: looked at; sources of targets that got rights */
};
enum db_result rights_fill_data(struct db *, struct arena *, struct rights_fill *) MUST_CHECK;

/* How many sources of the oldest `limit` targets have measurements that nobody has rights on. */
enum db_result
rights_count_missing(struct db *, struct arena *, size_t limit, size_t *n) MUST_CHECK;

/* Before a user or group is deleted, in the same transaction: none of their rows stays. */
enum db_result rights_forget(struct db *, int64_t principal) MUST_CHECK;

#endif
