/*
 * roles.h: what each executable may do with each table: sql/roles, which is part of the program.
 */
#ifndef MERIDIAN_ROLES_H
#define MERIDIAN_ROLES_H

#include "base/base.h"

enum role_verb { ROLE_READ, ROLE_ADD, ROLE_CHANGE, ROLE_DELETE };

struct role_row {
	const char *role; /* the executable */
	const char *table;
	enum role_verb verb;
	const char *columns; /* " a b ": of these; NULL: of all */
	bool except; /* of all but these */
};

/* Made by roles.awk; each ends with a NULL. */
extern const struct role_row role_rows[];
extern const char *const role_names[];

/* The names of role_names[]'s own text; NULL where sql/roles does not know the executable. */
const char *role_find(const char *executable);

/* Does the row say so of a column? "" (a table of which no column is named) is any. */
bool role_row_covers(const struct role_row *, const char *column);

/* May it? */
bool role_may(const char *role, enum role_verb, const char *table, const char *column);

/* "read", "add", "change", "delete" */
const char *role_verb_name(enum role_verb);

#endif
