/*
 * who.h: the user that the rows of a look-up (session_find, token_find) tell of: the same columns in
 * each row, and a group. Only lib/auth/ includes it.
 */
#ifndef MERIDIAN_WHO_H
#define MERIDIAN_WHO_H

#include "auth/access.h"
#include "db/db.h"

struct who {
	struct user *user; /* NULL before the first row */
	int64_t *groups;
	size_t n, room;
};

/* Takes the row stepped to. */
void who_row(struct query *, struct arena *, struct who *);

/* The user with their groups and principals; NULL where there was no row. */
const struct user *who_user(struct arena *, struct who *);

#endif
