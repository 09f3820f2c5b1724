/*
 * target_bulk.h: many new targets at once. Not for pages.
 */
#ifndef MERIDIAN_TARGET_BULK_H
#define MERIDIAN_TARGET_BULK_H

#include "tom/target_store.h"

/* A new target, checked, whose names are known to be free. */
struct target_new {
	struct target target; /* in; its id out */
	const struct target_key *keys; /* the primary name first */
	size_t nkeys;
	const struct target_extra *extras;
	size_t nextras;
	const int64_t *groups; /* user groups that get all three verbs */
	size_t ngroups;
	int64_t list; /* target list; 0: none */
};

/*
 * Writes them with all that belongs to them, inside the caller's transaction. DB_RETRY where
 * somebody else has taken a name meanwhile: the transaction is to be run again, from the look-up
 * of the names on.
 */
enum db_result
target_bulk_add(struct db *, struct arena *, struct target_new *, size_t n) MUST_CHECK;

#endif
