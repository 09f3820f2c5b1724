/*
 * race.h: two processes that do something at the same time, each on a connection of its own.
 */
#ifndef MERIDIAN_RACE_H
#define MERIDIAN_RACE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"

/* What one of them does; its exit status is the child's. */
typedef int race_fn(struct db *, int which);

/* Both begin when both are connected. */
static inline void
race_run(const struct config *config, race_fn *run)
{
	int ready[2], go[2];
	char byte = 0;

	if (pipe(ready) != 0 || pipe(go) != 0)
		abort();
	for (int which = 0; which < 2; which++)
		if (fork() == 0) {
			char err[300];
			struct db *db = db_new(config, err, sizeof(err));

			/* connects */
			if (db == NULL || db_schema_check(db, err, sizeof(err)) != DB_END)
				_exit(9);
			close(go[1]);
			(void)!write(ready[1], &byte, 1);
			(void)!read(go[0], &byte, 1);
			_exit(run(db, which));
		}
	for (int i = 0; i < 2; i++)
		(void)!read(ready[0], &byte, 1);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < 2; i++)
		(void)wait(NULL);
}

#endif
