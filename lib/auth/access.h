/*
 * access.h: who someone is to the database: a list of principals, and what they may do.
 *
 * rights(principal, target_id, verbs, created): one row a principal and target. "Anyone" (OPEN) and
 * "signed in" (PUBLIC) are principals beside users and groups, so one rule serves all
 * (spec/scale.md). A superuser is not looked up in rights at all.
 */
#ifndef MERIDIAN_ACCESS_H
#define MERIDIAN_ACCESS_H

#include "http/app.h"

/* The numbers that stand in rights.principal. */
#define PRINCIPAL_ANYONE INT64_C(1)
#define PRINCIPAL_SIGNED_IN INT64_C(2)
#define PRINCIPAL_USER(id) ((int64_t)(id)*16)
#define PRINCIPAL_GROUP(id) ((int64_t)(id)*16 + 1)

/* rights.verbs, a sum of: */
enum verb { VIEW = 1, CHANGE = 2, REMOVE = 4, ALL_VERBS = 7 };

/* Who asks. The principals of a visitor are { ANYONE }; see access_visitor. */
struct user {
	int64_t id; /* 0: a visitor */
	struct str username;
	struct str first_name, last_name, email;
	bool is_staff, is_superuser;
	struct str terms_version; /* the terms of service they accepted last; "": none */
	int open_verbs; /* what OPEN and PUBLIC give them beside sight (TARGET_OPEN_CHANGE) */
	size_t nprincipals;
	const int64_t *principals; /* ANYONE, SIGNED_IN, the user, their groups */
	size_t ngroups;
	const int64_t *groups; /* ids of their groups */
};

/* What stands for request->user == NULL in calls that want a user. Static. */
const struct user *access_visitor(void);

/* Sets groups and principals of a user whose id is set; the groups are borrowed. */
void access_set_groups(struct arena *, struct user *, const int64_t *groups, size_t ngroups);

/*
 * May they use a row of this access? `locked`: AUTH_STRATEGY is LOCKED and no pattern of OPEN_URLS
 * matches the path. A user is NULL for a visitor.
 */
enum access_answer { ACCESS_GRANTED, ACCESS_SIGN_IN, ACCESS_REFUSED };
enum access_answer access_decide(enum access row, const struct user *, bool locked);

/* Does the path match a shell pattern of OPEN_URLS? '*' spans '/', as TOM Toolkit's does. */
bool access_is_open(const struct config *, const char *path);

#endif
