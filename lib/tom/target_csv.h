/*
 * target_csv.h: targets from and to CSV (csv.h).
 *
 * Columns: the fields of target_fields (in any case; `id` and `modified` are passed over), `name`
 * required; name2, name3 ... (whatever else begins with "name") are aliases; `groups` user groups,
 * divided by commas; every other column is an extra of that name. RA and Dec in degrees or
 * sexagesimal. An empty cell gives nothing.
 */
#ifndef MERIDIAN_TARGET_CSV_H
#define MERIDIAN_TARGET_CSV_H

#include "tom/csv.h"
#include "tom/target_list.h"

#define CSV_ROWS_MAX 1000000 /* rows of a file, row by row */
#define CSV_ROWS_AT_ONCE 100000 /* rows of a file, all or nothing */
#define CSV_PROBLEMS_MAX 200 /* kept; more are only counted */

struct csv_problem {
	int64_t line; /* of the file, where the row begins; the header is 1 */
	struct str column; /* "" for the row */
	struct str why; /* a sentence */
};

struct csv_report {
	int64_t rows; /* data rows read */
	int64_t added;
	int64_t bad; /* rows refused */
	bool undone; /* all or nothing, and something was wrong: nothing was kept */
	bool groups_refused; /* nothing was read: the options' groups are not theirs to give */
	bool cut; /* the rest of the file was not read: it is no CSV, or too long */
	size_t nproblems;
	struct csv_problem *problems; /* by line */
	int64_t untold; /* findings that were not kept */
};

struct csv_options {
	bool all_or_nothing; /* else each good row is kept */
	int permissions; /* of rows that say nothing */
	int type; /* the same */
	const int64_t
	    *groups; /* user groups that get all three verbs on every row, besides `groups` */
	size_t ngroups;
	const int *helper; /* reads the file (http/helper.h); NULL: this process does */
	int64_t list; /* target list to put them into; 0: none */
};

/*
 * Reads targets from a file (from where fd stands, to its end) and adds them for the user, who gets
 * all three verbs; NULL stands for the operator. People give only groups that they are a member
 * of. The memory used does not grow with the file. The report lives in the arena.
 * DB_END with the report filled, also where rows are bad; DB_REFUSED with groups_refused, and why in
 * the report's one problem; else, also with a DB_REFUSED of the database's own, it failed and (row
 * by row) report->added rows stand.
 */
enum db_result target_import(struct db *, struct arena *, const struct user *, int fd,
    const struct csv_options *, struct csv_report *);

/*
 * Writes the matching targets, in constant memory: a header row, then one row each, oldest first.
 * write() returns -1 to stop. DB_END; DB_REFUSED: write() stopped it; else the database failed.
 */
enum db_result target_export(struct db *, const struct user *, const struct target_query *,
    int (*write)(void *arg, const void *, size_t), void *arg);

#endif
