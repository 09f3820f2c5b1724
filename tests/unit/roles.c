/*
 * roles: an executable gets from the database what sql/roles gives it. On SQLite each connection of an
 * executable refuses the rest.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "db/driver.h"
#include "db/roles.h"
#include "scratch.h"

static struct db *
as(const char *executable)
{
	char err[300] = "";
	struct db *db = db_new_as(scratch_config, executable, err, sizeof(err));

	assert_non_null(db);
	return db;
}

/* Runs a statement of one parameter as an executable. */
static enum db_result
run_as(const char *executable, enum query_name name, const char *param, char why[400])
{
	struct db *db = as(executable);
	struct query *q = db_query(db, name);
	enum db_result r;

	db_text(q, param, STR("ada"));
	r = db_run(q);
	snprintf(why, 400, "%s", db_error(db));
	db_free(db);
	return r;
}

static void
login_alone_reads_the_hash_of_a_password(void **state)
{
	char why[400];

	(void)state;
	assert_int_equal(run_as("login", QUERY_USER_PASSWORD, "username", why), DB_END);
	for (size_t i = 0; role_names[i] != NULL; i++) {
		assert_int_equal(role_may(role_names[i], ROLE_READ, "users", "password"),
		    strcmp(role_names[i], "login") == 0);
		if (strcmp(role_names[i], "login") == 0)
			continue;
		assert_int_equal(
		    run_as(role_names[i], QUERY_USER_PASSWORD, "username", why), DB_FAILED);
		assert_non_null(strstr(why, "may not read users.password: see sql/roles"));
	}
}

static void
users_writes_the_hash_that_it_may_not_read(void **state)
{
	struct db *db = as("users");
	struct query *q = db_query(db, QUERY_USER_SET_PASSWORD);

	(void)state;
	db_text(q, "password", STR("scrypt$"));
	db_int(q, "now", 1);
	db_int(q, "before", 0);
	db_int(q, "id", 1);
	assert_int_equal(db_run(q), DB_END);
	db_free(db);
}

static void
who_has_no_line_opens_no_database(void **state)
{
	static const char *const strangers[] = { "robots", "", "all", "logi", "login " };
	char err[300];

	(void)state;
	for (size_t i = 0; i < NELEM(strangers); i++) {
		err[0] = '\0';
		assert_null(db_new_as(scratch_config, strangers[i], err, sizeof(err)));
		assert_non_null(strstr(err, "sql/roles gives"));
	}
}

static void
the_schema_and_other_files_are_nobodys(void **state)
{
	static const char *const tries[] = { "CREATE TABLE mine (x)", "DROP TABLE users",
		"ALTER TABLE users ADD COLUMN x", "ATTACH '/tmp/x' AS x",
		"CREATE TEMP TABLE mine (x)", "PRAGMA writable_schema = 1",
		"PRAGMA journal_mode = OFF", "VACUUM", "DELETE FROM site",
		"UPDATE sqlite_master SET sql = ''", "UPDATE users SET is_superuser = 1",
		"SELECT * FROM users", "SELECT sum(length(password)) FROM users",
		"SELECT id FROM users ORDER BY password", "INSERT INTO users SELECT * FROM users",
		"SELECT * FROM factor", "UPDATE session SET user_id = 1",
		"DELETE FROM security_event" };
	struct db *db = as("home");
	struct query *q = db_query(db, QUERY_SITE_LIST);

	(void)state;
	assert_int_equal(db_run(q), DB_END);
	for (size_t i = 0; i < NELEM(tries); i++)
		assert_int_equal(db_control(db, tries[i], false), DB_FAILED);
	db_free(db);
}

static void
columns_are_told_apart_by_their_whole_names(void **state)
{
	const struct role_row some = { "x", "t", ROLE_READ, " user_id created ", false },
	                      but = { "x", "t", ROLE_READ, " password ", true };

	(void)state;
	assert_true(role_row_covers(&some, "user_id"));
	assert_true(role_row_covers(&some, "created"));
	assert_true(role_row_covers(&some, ""));
	assert_false(role_row_covers(&some, "user"));
	assert_false(role_row_covers(&some, "id"));
	assert_false(role_row_covers(&but, "password"));
	assert_true(role_row_covers(&but, "password_changed"));
	assert_true(role_row_covers(&but, "word"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(login_alone_reads_the_hash_of_a_password),
		cmocka_unit_test(users_writes_the_hash_that_it_may_not_read),
		cmocka_unit_test(who_has_no_line_opens_no_database),
		cmocka_unit_test(the_schema_and_other_files_are_nobodys),
		cmocka_unit_test(columns_are_told_apart_by_their_whole_names),
	};
	int failed;

	unsetenv("MERIDIAN_TEST_DATABASE");
	scratch_open();
	failed = cmocka_run_group_tests_name("roles", tests, NULL, NULL);
	scratch_close();
	return failed;
}
