/*
 * target_plan.h: how a query for targets is going to be answered. Not for pages.
 */
#ifndef MERIDIAN_TARGET_PLAN_H
#define MERIDIAN_TARGET_PLAN_H

#include "db/sql.h"
#include "tom/target_list.h"
#include "tom/target_store.h"

#define TERMS_MAX 20

/* Match keys, any of which is looked for. */
struct terms {
	size_t n;
	struct str key[TERMS_MAX];
};

struct target_plan {
	struct db *db;
	struct arena *arena;
	const struct user *user;
	struct target_query query; /* a cone about a target is one about its position */
	struct str why; /* a sentence where query.nothing was found out, else absent */
	struct terms names, text; /* parts of names */
	/* what an index gave: then these are all the candidates */
	bool by_ids;
	int64_t *ids;
	size_t nids;
	/* what is still to be asked of each row */
	bool ask_names, ask_text, ask_cone, ask_list, ask_extra, ask_type, ask_rights;
};

/*
 * Finds the target that a cone is about; where there is no such one ->query.nothing is set, and no
 * row is to be read. Asks the filters' own indexes for candidates, the most telling one first, until one gives no more
 * than TARGET_MATCHES. With `wants_ids` the rights count as such a filter.
 */
enum db_result target_plan(struct target_plan *, struct db *, struct arena *, const struct user *,
    const struct target_query *, bool wants_ids);

/* Does any row need to be looked at to know whether it belongs? */
bool target_plan_asks(const struct target_plan *);

/* Adds what is still to be asked of each row (an AND for each). */
void target_plan_filter(const struct target_plan *, struct sql *);

/* Cuts "a, b,c" at the commas: the match keys of what is not empty; false where there are too many. */
bool target_terms(struct arena *, struct str list, struct terms *);

#endif
