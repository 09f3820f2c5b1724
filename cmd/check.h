/*
 * check.h: what the files of `meridian check` share.
 */
#ifndef MERIDIAN_CMD_CHECK_H
#define MERIDIAN_CMD_CHECK_H

#include "meridian.h"

struct findings {
	struct run *run;
	struct value *list;
	size_t errors, warnings;
};

/* A finding: what is so, and how to mend it. */
void found(struct findings *, bool is_error, struct str what, const char *mend);
/* The value of a configuration key. */
const char *check_text(const struct findings *, const char *key);

/* meridian_check_files.c */

/* Who can read the files of the site, and could by way of git; with `deploy` the database, too. */
void check_files(struct findings *, bool deploy);
/* A file that others of this machine should not be able to read. */
void check_private(struct findings *, const char *what, const char *path);
/* What lies where it should not: where the web server reads, or beside the database that all write. */
void check_places(struct findings *);

/* meridian_check_settings.c */

/* What needs mail, and whether mail can leave. */
void check_mail(struct findings *, bool deploy);
/* What is unsafe on a network. */
void check_settings(struct findings *);

#endif
