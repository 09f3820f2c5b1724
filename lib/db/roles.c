/*
 * roles: looks into the table that is made of sql/roles. The drivers ask it, or `meridian roles` makes
 * the accounts of a server from it.
 */
#include "db/roles.h"

#include <string.h>

const char *
role_find(const char *executable)
{
	for (size_t i = 0; role_names[i] != NULL; i++)
		if (strcmp(role_names[i], executable) == 0)
			return role_names[i];
	return NULL;
}

bool
role_row_covers(const struct role_row *row, const char *column)
{
	size_t n = strlen(column);
	bool named = false;

	if (row->columns == NULL || n == 0)
		return true;
	for (const char *p = row->columns; !named && (p = strstr(p, column)) != NULL; p++)
		named = p[-1] == ' ' && p[n] == ' ';
	return named != row->except;
}

bool
role_may(const char *role, enum role_verb verb, const char *table, const char *column)
{
	for (const struct role_row *row = role_rows; row->role != NULL; row++)
		if (row->verb == verb && strcmp(row->table, table) == 0 &&
		    strcmp(row->role, role) == 0 && role_row_covers(row, column))
			return true;
	return false;
}

const char *
role_verb_name(enum role_verb verb)
{
	static const char *const names[] = { [ROLE_READ] = "read",
		[ROLE_ADD] = "add",
		[ROLE_CHANGE] = "change",
		[ROLE_DELETE] = "delete" };

	return names[verb];
}
