/*
 * schema: whose the database is and how far it was brought, on each engine there is. Each test begins
 * with an empty database.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "db/driver.h"
#include "engines.h"

static struct engine *engine;
static struct db *db;
static char err[600];

/* A statement of the test's own. */
static void
run_sql(const char *sql)
{
	struct query *q = db_query_joined(db, "own", str_of(sql), 0, 0);

	assert_int_equal(db_run(q), DB_END);
}

static int
begin(void **state)
{
	(void)state;
	server_empty(engine->url);
	err[0] = '\0';
	return (db = engines_connect(engine)) == NULL;
}

static int
end(void **state)
{
	(void)state;
	db_free(db);
	return 0;
}

/* Makes the file of SQLite, or nothing. */
static void
migrate(void)
{
	if (db_migrate(db, NULL, NULL, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void
expect_refusal(const char *words)
{
	assert_int_equal(db_schema_check(db, err, sizeof(err)), DB_REFUSED);
	if (strstr(err, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err, words);
}

static void
an_empty_database_says_what_to_run(void **state)
{
	(void)state;
	migrate();
	db_free(db);
	server_empty(engine->url);
	db = engines_connect(engine);
	if (db_engine(db) == DB_SQLITE) {
		assert_int_equal(db_schema_check(db, err, sizeof(err)), DB_REFUSED);
		assert_non_null(strstr(err, "there is no such file"));
		assert_non_null(strstr(err, "meridian migrate"));
	} else
		expect_refusal("is empty: run meridian migrate");
}

static void
ours_is_known_and_left_alone(void **state)
{
	(void)state;
	migrate();
	assert_int_equal(db_schema_check(db, err, sizeof(err)), DB_END);
	migrate();
	assert_int_equal(db_schema_check(db, err, sizeof(err)), DB_END);
}

static void
an_older_one_says_what_to_run(void **state)
{
	(void)state;
	migrate();
	run_sql("DELETE FROM schema_migration");
	expect_refusal("is older than this program (migration 0001-foundation is missing): run "
	               "meridian migrate");
}

static void
a_newer_one_is_refused(void **state)
{
	(void)state;
	migrate();
	run_sql("INSERT INTO schema_migration (version, name, checksum, applied) "
	        "VALUES (9999, '9999-future', 'x', 1)");
	expect_refusal("is newer than this program: it has migration 9999-future");
	assert_int_not_equal(db_migrate(db, NULL, NULL, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "9999-future"));
}

static void
one_of_another_program_is_refused(void **state)
{
	(void)state;
	migrate();
	run_sql("DROP TABLE schema_migration");
	expect_refusal("belongs to another program");
	assert_int_not_equal(db_migrate(db, NULL, NULL, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "belongs to another program"));
}

static void
a_changed_migration_is_refused(void **state)
{
	(void)state;
	migrate();
	run_sql("UPDATE schema_migration SET checksum = 'other'");
	expect_refusal("0001-foundation was changed after it was applied");
}

static void
a_migration_that_fails_is_named_with_its_line(void **state)
{
	(void)state;
	migrate();
	run_sql("DELETE FROM schema_migration");
	/* what it would make is there already; MariaDB passes over that, but not over a wrong shape */
	if (db_engine(db) == DB_MARIADB) {
		run_sql("DROP TABLE membership");
		run_sql("ALTER TABLE user_group MODIFY id BIGINT, DROP PRIMARY KEY");
	}
	assert_int_not_equal(db_migrate(db, NULL, NULL, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "migration 0001-foundation.sql, line "));
}

static void
one_half_migrated_is_refused(void **state)
{
	(void)state;
	migrate();
	run_sql("UPDATE schema_migration SET applied = 0 WHERE version = 4");
	expect_refusal("0004-scout was begun and not finished: run meridian migrate");
}

static void
a_table_without_transactions_is_refused(void **state)
{
	(void)state;
	if (db_engine(db) != DB_MARIADB)
		return;
	migrate();
	run_sql("ALTER TABLE schema_migration ENGINE = MyISAM");
	expect_refusal("table schema_migration is of the engine MyISAM");
	assert_non_null(strstr(err, "run ALTER TABLE schema_migration ENGINE = InnoDB"));
}

struct stop {
	size_t at, seen;
};

static void
die_at(void *arg, const char *name, size_t step, size_t nsteps)
{
	struct stop *stop = arg;

	(void)name;
	(void)step;
	(void)nsteps;
	if (stop->seen++ == stop->at)
		_exit(42);
}

/* The child dies before that statement; 0 where there are fewer. */
static bool
migrate_and_die(size_t at)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct db *own = engines_connect(engine);
		struct stop stop = { .at = at };

		_exit(db_migrate(own, die_at, &stop, err, sizeof(err)) != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 1);
	return WEXITSTATUS(status) == 42;
}

static void
one_broken_off_anywhere_is_finished_by_the_next(void **state)
{
	size_t at;

	(void)state;
	for (at = 0; at < 1000; at++) {
		bool died;

		db_free(db);
		server_empty(engine->url);
		died = migrate_and_die(at);
		db = engines_connect(engine);
		if (died) {
			assert_int_not_equal(db_schema_check(db, err, sizeof(err)), DB_END);
			migrate();
		}
		assert_int_equal(db_schema_check(db, err, sizeof(err)), DB_END);
		if (!died)
			break;
	}
	assert_in_range(at, 10, 999);
	/* whole: the last table is there, with its key */
	run_sql("DELETE FROM datum");
}

static void
a_replaced_file_is_opened_anew(void **state)
{
	const char *path = engine->url + 7;
	char copy[700], other[350];
	struct query *q;

	(void)state;
	if (db_engine(db) != DB_SQLITE)
		return;
	migrate();
	snprintf(other, sizeof(other), "%s.other", path);
	snprintf(copy, sizeof(copy), "cp '%s' '%s'", path, other);
	run_sql("INSERT INTO site (domain, name) VALUES ('old.example', 'old')");
	run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(system(copy), 0);
	run_sql("DELETE FROM site");
	run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(rename(other, path), 0);
	nanosleep(
	    &(struct timespec){ .tv_nsec = 30000000 }, NULL); /* it looks fifty times a second */
	/* what is written now is in the file that is there now, beside what it had */
	run_sql("INSERT INTO site (domain, name) VALUES ('new.example', 'new')");
	db_free(db);
	db = engines_connect(engine);
	q = db_query_joined(db, "own", str_of("SELECT count(*) AS n FROM site"), 0, QUERY_IS_READ);
	assert_int_equal(db_step(q), DB_ROW);
	assert_true(db_col_int(q, "n") == 2);
	assert_int_equal(db_done(q), DB_END);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest claims[] = {
	CLAIM(an_empty_database_says_what_to_run),
	CLAIM(ours_is_known_and_left_alone),
	CLAIM(an_older_one_says_what_to_run),
	CLAIM(a_newer_one_is_refused),
	CLAIM(one_of_another_program_is_refused),
	CLAIM(a_changed_migration_is_refused),
	CLAIM(a_migration_that_fails_is_named_with_its_line),
	CLAIM(one_half_migrated_is_refused),
	CLAIM(a_table_without_transactions_is_refused),
	CLAIM(one_broken_off_anywhere_is_finished_by_the_next),
	CLAIM(a_replaced_file_is_opened_anew),
};

int
main(void)
{
	int failed = 0;

	engines_open();
	for (size_t i = 0; i < NELEM(engines); i++) {
		char group[40];

		engine = &engines[i];
		if (engine->config == NULL)
			continue;
		snprintf(group, sizeof(group), "schema, %s", engine->name);
		failed += cmocka_run_group_tests_name(group, claims, NULL, NULL);
	}
	return engines_close(failed);
}
