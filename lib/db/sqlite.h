/*
 * sqlite.h: what the three files of SQLite's driver share. Nobody else includes it.
 *
 * sqlite.c opens the file, waits for locks, maps errors and has the driver's table; sqlite_statement.c
 * runs statements; sqlite_role.c says what an executable may not.
 */
#ifndef MERIDIAN_SQLITE_H
#define MERIDIAN_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "db/driver.h"

struct connection {
	sqlite3 *handle;
	struct db *db;
	int64_t deadline; /* of the statement that runs; 0: none */
	int64_t waiting; /* since when for a lock */
	dev_t device; /* of the file that was opened */
	ino_t inode;
	int64_t looked; /* at the file, clock_monotonic() */
	bool no_wait; /* of the statement that runs */
	sqlite3_stmt *begin[2], *commit, *rollback;
	char denied[160]; /* what the role may not, of the statement prepared last */
};

/* sqlite.c */

/* Notes why the statement failed, and gives the result that the code stands for. */
enum db_result sqlite_fail(struct connection *, int code, const char *statement);

/* sqlite_role.c */

/*
 * May the role do this? For sqlite3_set_authorizer(3), which asks while a statement is prepared; the
 * connection is its argument, and keeps what was denied.
 */
int sqlite_authorize(void *connection, int action, const char *table, const char *column,
    const char *database, const char *within);

/* sqlite_statement.c: what the driver's table asks for */
void sqlite_forget(struct db *, struct statement *);
enum db_result sqlite_start(struct query *);
enum db_result sqlite_step(struct query *);
void sqlite_finish(struct query *);
bool sqlite_is_null(struct query *, size_t column);
int64_t sqlite_get_int(struct query *, size_t column);
double sqlite_get_real(struct query *, size_t column);
struct str sqlite_get_text(struct query *, size_t column);
int64_t sqlite_last_id(struct db *);
enum db_result sqlite_bulk(struct bulk *, int64_t *added);

#endif
