/*
 * user_add: accounts and groups as they come to be: what they may be called, and each name once.
 */
#include "unit.h"

#include "account.h"
#include "auth/password.h"
#include "engines.h"
#include "race.h"
#include "scratch.h"
#include "tom/group.h"

#define GOOD "kettle-Ostrich-9-brine"

static struct arena *a;
static struct db *db;
static int64_t ada;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	db = scratch_open();
	password_configure(scratch_config);
	ada = add_account(db, &(struct account){ .username = STR("ada") }, 1);
	add_account(db, &(struct account){ .username = STR("staff"), .is_staff = true }, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	arena_free(a);
	return 0;
}

static void
user_names_are_djangos(void **state)
{
	static const char *const good[] = { "ada", "a.b@c+d-e_f", "\xd0\xb0\xd0\xb4\xd0\xb0",
		"\xe5\xa4\xa9\xe6\x96\x87", "\xef\xbd\x81\xef\xbd\x84\xef\xbd\x81" };
	static const char *const bad[] = { "", "two words", "semi;colon", "tab\there", "a/b",
		"\xff", "\xe2\x98\x83" };
	struct user_problems why;
	char longest[152];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		user_check(a, &(struct account){ .username = str_of(good[i]) }, &why);
		assert_int_equal(why.n, 0);
	}
	for (size_t i = 0; i < NELEM(bad); i++) {
		user_check(a, &(struct account){ .username = str_of(bad[i]) }, &why);
		assert_int_equal(why.n, 1);
	}
	memset(longest, 'x', sizeof(longest));
	user_check(a, &(struct account){ .username = { longest, 150 } }, &why);
	assert_int_equal(why.n, 0);
	user_check(a, &(struct account){ .username = { longest, 151 } }, &why);
	assert_int_equal(why.n, 1);
	user_check(a, &(struct account){ .username = STR("x"), .email = STR("nowhere") }, &why);
	assert_int_equal(why.n, 1);
}

static void
user_is_added_whole_or_not_at_all(void **state)
{
	struct account u = { .username = STR("\xef\xbd\x82\xef\xbd\x85n"), /* fullwidth "be" */
		.last_name = STR("Nevis"),
		.is_superuser = true };
	struct account found, *list;
	struct user_problems why;
	int64_t id;
	size_t n;

	(void)state;
	assert_int_equal(user_add(db, a, scratch_config, &u, STR("nevis"), &id, &why), USER_WRONG);
	assert_int_equal(why.n, 3); /* similar, short, common */
	assert_int_equal(user_find(db, a, STR("ben"), &found), USER_UNKNOWN);
	assert_int_equal(user_add(db, a, scratch_config, &u, STR(GOOD), &id, &why), USER_DONE);
	assert_int_equal(user_find(db, a, STR("ben"), &found), USER_DONE);
	assert_true(found.id == id && found.is_staff && found.is_superuser && found.is_active);
	assert_true(found.last_login == 0);
	assert_str(found.username, "ben");
	assert_str(found.last_name, "Nevis");
	assert_str(found.email, "");
	u.username = STR("ben");
	assert_int_equal(user_add(db, a, scratch_config, &u, STR(GOOD), &id, &why), USER_TAKEN);
	assert_int_equal(user_list(db, a, 0, STR(""), 2, &list, &n), USER_DONE);
	assert_int_equal(n, 2);
	assert_str(list[0].username, "ada");
	assert_str(list[1].username, "ben");
	assert_int_equal(user_list(db, a, 0, STR("ben"), 2, &list, &n), USER_DONE);
	assert_int_equal(n, 1);
	assert_str(list[0].username, "staff");
}

static void
groups_have_one_name_each(void **state)
{
	struct group g, *list;
	struct account *members;
	char longest[152];
	int64_t id;
	size_t n;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(group_add(db, STR("  "), &id), GROUP_WRONG);
	assert_int_equal(group_add(db, STR("a\nb"), &id), GROUP_WRONG);
	assert_int_equal(group_add(db, (struct str){ longest, 151 }, &id), GROUP_WRONG);
	assert_int_equal(group_add(db, STR("Zwicky"), &id), GROUP_DONE);
	assert_int_equal(group_add(db, STR("Zwicky "), &id), GROUP_TAKEN);
	assert_int_equal(group_find(db, a, STR("Zwicky"), &g), GROUP_DONE);
	assert_int_equal(group_find(db, a, STR("zwicky"), &g), GROUP_UNKNOWN);
	assert_int_equal(group_join(db, g.id, ada), GROUP_DONE);
	assert_int_equal(group_join(db, g.id, 999), GROUP_UNKNOWN);
	assert_int_equal(group_join(db, 999, ada), GROUP_UNKNOWN);
	assert_int_equal(user_list(db, a, g.id, STR(""), 10, &members, &n), USER_DONE);
	assert_int_equal(n, 1);
	assert_str(members[0].username, "ada");
	assert_int_equal(group_list(db, a, STR(""), 10, &list, &n), GROUP_DONE);
	assert_true(n >= 1);
	assert_str(list[n - 1].name, "Zwicky");
}

static int told[2];

/* One of two who look alike. */
static int
add_twin(struct db *own, int which)
{
	struct arena *arena = arena_new();
	const struct account u = { .username = which == 0 ? STR("Twin") : STR("tWIN") };
	struct user_problems why;
	int64_t id;
	char byte = (char)user_add(own, arena, scratch_config, &u, STR(GOOD), &id, &why);

	arena_free(arena);
	return write(told[1], &byte, 1) != 1;
}

/* Both find the name free: each has a password to hash yet. */
static void
of_two_made_at_once_with_names_alike_one_is_refused(void **state)
{
	char bytes[2];

	(void)state;
	assert_int_equal(pipe(told), 0);
	race_run(scratch_config, add_twin);
	assert_int_equal(read(told[0], bytes, sizeof(bytes)), 2);
	close(told[0]);
	close(told[1]);
	assert_int_equal(bytes[0], USER_DONE);
	assert_int_equal(bytes[1], USER_TAKEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_names_are_djangos),
		cmocka_unit_test(user_is_added_whole_or_not_at_all),
		cmocka_unit_test(groups_have_one_name_each),
		cmocka_unit_test(of_two_made_at_once_with_names_alike_one_is_refused),
	};

	return engines_run("user_add", tests, NELEM(tests), set_up, tear_down);
}
