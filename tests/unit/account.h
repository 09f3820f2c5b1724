/*
 * account.h: accounts for tests that do not sign in: without the price of a hash, since no password
 * is theirs.
 */
#ifndef MERIDIAN_ACCOUNT_H
#define MERIDIAN_ACCOUNT_H

#include "tom/user_store.h"

/* Adds one with these names, e-mail address and rights; its id. */
static inline int64_t
add_account(struct db *db, const struct account *u, int64_t now)
{
	struct query *q = db_query(db, QUERY_USER_ADD);
	struct arena *a = arena_new();
	int64_t id;

	user_bind_fields(q, a, u);
	db_text(q, "password", STR("!"));
	db_bool(q, "is_staff", u->is_staff);
	db_bool(q, "is_superuser", u->is_superuser);
	db_int(q, "now", now);
	assert_int_equal(db_insert(q, &id), DB_END);
	arena_free(a);
	return id;
}

#endif
