/*
 * audience.h: who may see what a stream of alerts brings, as a set of principals (auth/access.h): everybody
 * where it is OPEN or PUBLIC (visitors see objects behind targets only, whose rights tell the two apart),
 * else its groups; nobody: superusers alone.
 *
 * Objects of surveys keep the audience of the stream that told of them, whatever becomes of their targets.
 * Streams that have the same one share their objects; what others tell of the same name is an object of its
 * own. So of two streams of one survey neither shows what the other does not.
 */
#ifndef MERIDIAN_AUDIENCE_H
#define MERIDIAN_AUDIENCE_H

#include "auth/access.h"
#include "db/db.h"

struct audience {
	int64_t *principals; /* sorted; everybody needs no groups beside them */
	size_t n;
	const int64_t *groups; /* ids; borrowed */
	size_t ngroups;
	struct str members; /* what tells it from others: audience.members */
};
struct audience audience_of(struct arena *, int permissions, const int64_t *groups, size_t ngroups);

/*
 * Its number, in the caller's transaction; made where it has none. DB_RETRY where somebody else made it
 * meanwhile.
 */
enum db_result audience_find(struct db *, const struct audience *, int64_t *id) MUST_CHECK;

/* The numbers of those that a user is of, sorted. A superuser, who sees all, is not to be asked for. */
enum db_result
audiences_of(struct db *, struct arena *, const struct user *, int64_t **ids, size_t *n) MUST_CHECK;
bool audiences_have(const int64_t *ids, size_t n, int64_t id);

/*
 * How a target is seen, beside an audience: `within`, nobody else sees it but superusers; `covered`, all
 * of the audience do. The same of rights on its measurements of a source: both are true where nobody has
 * any yet, and where people settled them (tom/rights.h).
 */
struct audience_fit {
	int64_t target;
	bool within, covered, source_within, source_covered;
};
/* Of some targets: sorted, each once. In the arena. */
enum db_result
audience_fits(struct db *, struct arena *, const struct audience *, struct str source,
    const int64_t *targets, size_t n, struct audience_fit **, size_t *nfits) MUST_CHECK;

/* Before a user or group is deleted, in the same transaction: none is of any audience then. */
enum db_result audience_forget(struct db *, int64_t principal) MUST_CHECK;

/*
 * Before a target is deleted, in the same transaction: its objects stay with their audience where all of
 * that saw the target (and, where measurements have rights of their own, those of the survey); the others
 * are closed: superusers alone see them until they have a target again.
 */
enum db_result audience_keep(struct db *, int64_t target, bool measurements_have_rights) MUST_CHECK;

#endif
