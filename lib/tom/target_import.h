/*
 * target_import.h: what the files that import CSV share. Not for pages.
 */
#ifndef MERIDIAN_TARGET_IMPORT_H
#define MERIDIAN_TARGET_IMPORT_H

#include <sys/types.h>

#include "tom/target_bulk.h"
#include "tom/target_csv.h"

#define GROUPS_KNOWN 100 /* that a file may name, and a row */

struct column {
	enum column_kind kind;
	const struct target_field *field;
	struct str name; /* as in the header */
};

/* A checked row that waits to be written. */
struct waiting {
	int64_t line;
	struct target_new new;
	struct str conflict; /* why it cannot be, found by the last run; absent: it can */
	const char *conflict_column;
};

struct known_group {
	struct str name;
	int64_t id; /* 0: none that they may give */
};

struct importing {
	struct db *db;
	const struct user *user;
	const struct csv_options *options;
	struct csv_report *report;
	struct arena *arena; /* the caller's: of the report */
	struct arena *file; /* of the header and groups */
	struct arena *batch; /* of the rows that wait */
	int fd;
	off_t start;
	bool is_again; /* all or nothing, run another time */
	struct column *columns;
	size_t ncolumns;
	bool has_header;
	struct waiting *rows;
	size_t nrows;
	size_t nread; /* rows since the batch began, wrong ones too */
	struct known_group groups[GROUPS_KNOWN];
	size_t ngroups;
	enum db_result failed;
};

/* Says what is wrong with a line; the texts are copied. */
void target_import_wrong(struct importing *, int64_t line, struct str column, struct str why);

/* Reads the header; -1 where it is wrong: nothing of the file is read then. */
int target_import_header(struct importing *, int64_t line, const struct str *cells, size_t n);

/* Makes a checked target of a row's cells, in im->batch; false where it is wrong, which is said. */
bool target_import_cells(
    struct importing *, int64_t line, const struct str *cells, size_t n, struct waiting *);

#endif
