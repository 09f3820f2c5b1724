/*
 * people.h: users and groups for tests of targets: alice and bob share the group "follow-up" (1),
 * bob has "other" (2), carol has none, root is a superuser.
 */
#ifndef MERIDIAN_PEOPLE_H
#define MERIDIAN_PEOPLE_H

#include "auth/access.h"
#include "db/db.h"

static const int64_t alice_groups[] = { 1 }, bob_groups[] = { 1, 2 };
static const int64_t alice_is[] = { PRINCIPAL_ANYONE, PRINCIPAL_SIGNED_IN, PRINCIPAL_USER(1),
	PRINCIPAL_GROUP(1) };
static const int64_t bob_is[] = { PRINCIPAL_ANYONE, PRINCIPAL_SIGNED_IN, PRINCIPAL_USER(2),
	PRINCIPAL_GROUP(1), PRINCIPAL_GROUP(2) };
static const int64_t carol_is[] = { PRINCIPAL_ANYONE, PRINCIPAL_SIGNED_IN, PRINCIPAL_USER(3) };
static const int64_t visitor_is[] = { PRINCIPAL_ANYONE };
static const int64_t root_is[] = { PRINCIPAL_ANYONE, PRINCIPAL_SIGNED_IN, PRINCIPAL_USER(4) };

static const struct user alice = {
	.id = 1, .nprincipals = 4, .principals = alice_is, .ngroups = 1, .groups = alice_groups
};
static const struct user bob = {
	.id = 2, .nprincipals = 5, .principals = bob_is, .ngroups = 2, .groups = bob_groups
};
static const struct user carol = { .id = 3, .nprincipals = 3, .principals = carol_is };
static const struct user visitor = { .nprincipals = 1, .principals = visitor_is };
static const struct user root = {
	.id = 4, .is_superuser = true, .nprincipals = 3, .principals = root_is
};

/* For db_transaction: puts them into an empty database. */
static inline enum db_result
add_people(struct db *db, void *arg)
{
	static const char *const columns[] = { "id", "username", "name_key", "password", "created",
		"password_changed" };
	static const char *const names[] = { "alice", "bob", "carol", "root" };
	static const char *const group_columns[] = { "id", "name" };
	struct bulk *b = db_bulk(db, "users", NELEM(columns), columns);
	enum db_result r;
	int64_t n;

	(void)arg;
	(void)visitor;
	(void)alice;
	(void)bob;
	(void)carol;
	(void)root;
	for (size_t i = 0; i < NELEM(names); i++) {
		db_bulk_int(b, (int64_t)i + 1);
		db_bulk_text(b, str_of(names[i]));
		db_bulk_text(b, str_of(names[i]));
		db_bulk_text(b, STR("x"));
		db_bulk_int(b, 1);
		db_bulk_int(b, 1);
	}
	if ((r = db_bulk_end(b, &n)) != DB_END)
		return r;
	b = db_bulk(db, "user_group", NELEM(group_columns), group_columns);
	db_bulk_int(b, 1);
	db_bulk_text(b, STR("follow-up"));
	db_bulk_int(b, 2);
	db_bulk_text(b, STR("other"));
	return db_bulk_end(b, &n);
}

#endif
