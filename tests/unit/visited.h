/*
 * visited.h: a site with one user, for tests whose requests go through auth_hooks: include web.h,
 * account.h and scratch.h before.
 */
#ifndef MERIDIAN_VISITED_H
#define MERIDIAN_VISITED_H

#include <unistd.h>

#include "tom/site.h"

/* Opens a database, a key and the app; "ada", whose id it is, was added at a time. */
static inline int64_t
visited_open(struct web *w, const struct app *app, int64_t added)
{
	int64_t site, ada;

	scratch_open();
	ada = add_account(scratch_db, &(struct account){ .username = STR("ada") }, added);
	web_key(scratch_dir);
	web_open(w, app);
	assert_int_equal(site_add(scratch_db, STR("tom.example"), STR("Tom"), &site), DB_END);
	return ada;
}

/* The same for who opened these alone. */
static inline void
visited_close(struct web *w)
{
	web_close(w);
	unlink(getenv("MERIDIAN_SECRET_KEY_FILE"));
	scratch_close();
}

#endif
