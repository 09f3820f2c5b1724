/*
 * sqlite_role: what sql/roles gives an executable, as SQLite asks for it: action by action, while a
 * statement is prepared. The servers have accounts for that.
 */
#include <stdio.h>
#include <string.h>

#include "db/roles.h"
#include "db/sqlite.h"

/*
 * The name of the table of sql/roles that a table of the file stands for: FTS5 keeps an index in tables
 * NAME_data and so on, which defensive mode keeps from everybody else's hands.
 */
static const char *
table_of_role(const char *table)
{
	static const char index[] = "name_part";
	size_t n = sizeof(index) - 1;

	return strncmp(table, index, n) == 0 && table[n] == '_' ? index : table;
}

int
sqlite_authorize(void *connection, int action, const char *table, const char *column,
    const char *database, const char *within)
{
	static const char schema[] = "sqlite_master", list[] = "json_each";
	struct connection *c = connection;
	const char *role = c->db->role;
	enum role_verb verb;

	(void)database;
	(void)within;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
	case SQLITE_FUNCTION: /* load_extension is switched off */
		return SQLITE_OK;
	case SQLITE_PRAGMA: /* FTS5 asks whether another process has written */
		if (strcmp(table, "data_version") == 0 && column == NULL)
			return SQLITE_OK;
		snprintf(
		    c->denied, sizeof(c->denied), "executable %s may not PRAGMA %s", role, table);
		return SQLITE_DENY;
	case SQLITE_READ:
		if (strcmp(table, schema) == 0 || strcmp(table, list) == 0)
			return SQLITE_OK;
		verb = ROLE_READ;
		break;
	case SQLITE_INSERT:
		verb = ROLE_ADD;
		break;
	case SQLITE_UPDATE: /* a virtual table seems to; in truth the schema is not to be written */
		if (strcmp(table, schema) == 0)
			return SQLITE_OK;
		verb = ROLE_CHANGE;
		break;
	case SQLITE_DELETE:
		verb = ROLE_DELETE;
		break;
	default:
		snprintf(c->denied, sizeof(c->denied),
		    "executable %s may not change the schema or attach a file (SQLite %d)", role,
		    action);
		return SQLITE_DENY;
	}
	/* the columns of INSERT and DELETE are none; ROWID is nobody's secret */
	if ((verb != ROLE_READ && verb != ROLE_CHANGE) || strcmp(column, "ROWID") == 0)
		column = "";
	if (role_may(role, verb, table_of_role(table), column))
		return SQLITE_OK;
	snprintf(c->denied, sizeof(c->denied), "executable %s may not %s %s%s%s: see sql/roles",
	    role, role_verb_name(verb), table, column[0] != '\0' ? "." : "", column);
	return SQLITE_DENY;
}
