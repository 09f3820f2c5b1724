/*
 * postgresql: the driver for PostgreSQL.
 */
#include "db/driver.h"

static enum db_result
pg_open(struct db *db)
{
	return db_fail(db, DB_AWAY, "open", "the driver is being written");
}

const struct driver postgresql_driver = {
	.begin = { [DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
	    [DB_WRITE] = "BEGIN" },
	.open = pg_open,
};
