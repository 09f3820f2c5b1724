/*
 * access: the principals of a user, and the rule of a row of the route table.
 */
#include "auth/access.h"

#include <fnmatch.h>

const struct user *
access_visitor(void)
{
	static const int64_t anyone[] = { PRINCIPAL_ANYONE };
	static const struct user visitor = { .username = { "", 0 },
		.first_name = { "", 0 },
		.last_name = { "", 0 },
		.email = { "", 0 },
		.nprincipals = 1,
		.principals = anyone };

	return &visitor;
}

void
access_set_groups(struct arena *a, struct user *u, const int64_t *groups, size_t ngroups)
{
	int64_t *p = arena_array(a, ngroups + 3, sizeof(*p));

	p[0] = PRINCIPAL_ANYONE;
	p[1] = PRINCIPAL_SIGNED_IN;
	p[2] = PRINCIPAL_USER(u->id);
	for (size_t i = 0; i < ngroups; i++)
		p[3 + i] = PRINCIPAL_GROUP(groups[i]);
	u->principals = p;
	u->nprincipals = ngroups + 3;
	u->groups = groups;
	u->ngroups = ngroups;
}

enum access_answer
access_decide(enum access row, const struct user *u, bool locked)
{
	if (row == ANYONE || (row == READER && !locked))
		return ACCESS_GRANTED;
	if (u == NULL)
		return ACCESS_SIGN_IN;
	switch (row) {
	case READER:
	case LOGIN:
		return ACCESS_GRANTED;
	case STAFF:
		return u->is_staff || u->is_superuser ? ACCESS_GRANTED : ACCESS_REFUSED;
	case SUPERUSER:
		return u->is_superuser ? ACCESS_GRANTED : ACCESS_REFUSED;
	default:
		return ACCESS_REFUSED;
	}
}

bool
access_is_open(const struct config *c, const char *path)
{
	struct str pattern;

	for (size_t i = 0; (pattern = config_item(c, "OPEN_URLS", i)).p != NULL; i++)
		if (fnmatch(pattern.p, path, FNM_NOESCAPE) == 0)
			return true;
	return false;
}
