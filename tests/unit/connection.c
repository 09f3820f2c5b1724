/*
 * connection: connections that are cut off, idle or a parent's, and statements that take too long, on
 * each engine there is.
 */
#include "unit.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/postgresql.h"
#include "sites.h"

static void
a_statement_has_a_time_limit(void **state)
{
	struct engine *e = *state;
	char err[200];
	struct config *config;
	struct db *slow;
	struct query *q;
	int64_t t;

	setenv("MERIDIAN_DATABASE_URL", e->url, 1);
	setenv("MERIDIAN_DATABASE_TIMEOUT_MS", "100", 1);
	config = config_load(err, sizeof(err));
	unsetenv("MERIDIAN_DATABASE_TIMEOUT_MS");
	assert_non_null(config);
	slow = db_new(config, err, sizeof(err));
	assert_non_null(slow);
	log_set_level(LOG_LEVEL_ERROR + 1);
	t = clock_monotonic();
	q = db_query_joined(slow, "own",
	    str_of(db_engine(db) == DB_MARIADB
	            ? "SELECT sum(a.seq % b.seq) AS n FROM seq_1_to_1000000 a, seq_1_to_1000000 b"
	            : "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
	              "WHERE n < 1000000000) SELECT max(n) AS n FROM c"),
	    0, QUERY_IS_READ);
	assert_int_equal(db_step(q), DB_SLOW);
	assert_int_equal(db_done(q), DB_SLOW);
	log_set_level(LOG_LEVEL_INFO);
	assert_true(clock_monotonic() - t < 3 * SECOND);
	assert_true(count_sites(slow) == 0);
	db_free(slow);
	config_free(config);
}

/* Another process ends our connections when the server works on our statement. */
static pid_t
cut_while_it_runs(const struct engine *e)
{
	pid_t child = fork();
	const char *running = db_engine(db) == DB_POSTGRESQL
	    ? "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
	      "datname = current_database() AND query LIKE '%sleep(3)%' AND pid <> pg_backend_pid()"
	    : "BEGIN NOT ATOMIC FOR p IN (SELECT id FROM information_schema.processlist WHERE "
	      "db = DATABASE() AND info LIKE '%sleep(3)%' AND id <> CONNECTION_ID()) DO "
	      "KILL p.id; END FOR; END";

	for (int tries = 0; child == 0 && tries < 20; tries++) {
		struct timespec t = { .tv_nsec = 50000000 };

		nanosleep(&t, NULL);
		server_run(e->url, running);
	}
	if (child == 0)
		_exit(0);
	return child;
}

static void
a_read_that_is_cut_off_is_repeated(void **state)
{
	int64_t t = clock_monotonic();
	struct query *q;
	pid_t child;

	if (db_engine(db) == DB_SQLITE)
		return;
	child = cut_while_it_runs(*state);
	q = db_query_joined(db, "own",
	    str_of(db_engine(db) == DB_POSTGRESQL ? "SELECT 7 AS n FROM pg_sleep(3)"
	                                          : "SELECT sleep(3) + 7 AS n"),
	    0, QUERY_IS_READ);
	log_set_level(LOG_LEVEL_ERROR + 1);
	/* the second try is cut off too, since the other goes on for a second */
	assert_int_equal(db_step(q), DB_AWAY);
	assert_true(clock_monotonic() - t < 2 * SECOND);
	assert_int_equal(q->again, true);
	assert_int_equal(db_done(q), DB_AWAY);
	log_set_level(LOG_LEVEL_INFO);
	assert_true(waitpid(child, NULL, 0) == child);
	assert_true(count_sites(db) == 0);
}

/* Who is cut off from the server with queries on the way gets both answers, and knows it is back. */
static void
a_cut_under_a_pipeline_is_told_once(void **state)
{
	const struct engine *e = *state;
	struct query *one, *two;

	if (db_engine(db) != DB_POSTGRESQL)
		return;
	assert_true(count_sites(db) == 0);
	one = db_query(db, QUERY_SITE_LIST);
	two = db_query(db, QUERY_GROUP_LIST);
	db_text(two, "after", STR(""));
	db_int(two, "limit", 10);
	db_start(one);
	db_start(two);
	server_run(e->url,
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
	    "WHERE pid <> pg_backend_pid() AND datname = current_database()");
	assert_int_equal(db_step(one), DB_END);
	assert_int_equal(db_done(one), DB_END);
	assert_int_equal(db_step(two), DB_END);
	assert_int_equal(db_done(two), DB_END);
	assert_false(db->away);
}

static void
a_child_never_uses_its_parents_connection(void **state)
{
	struct query *q = db_query(db, QUERY_SITE_LIST);
	int64_t id;
	int status;
	pid_t child;

	(void)state;
	(void)!db_step(q);
	child = fork();
	if (child == 0) {
		bool good = add_site(db, "child.example.org", &id) == DB_END;

		db_free(db);
		_exit(good ? 0 : 1);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(db_done(q), DB_END);
	assert_true(count_sites(db) == 1);
	remove_sites();
}

static void
an_idle_connection_closes_and_comes_back(void **state)
{
	(void)state;
	assert_true(count_sites(db) == 0);
	db_close_idle(db, HOUR);
	db_close_idle(db, 0);
	assert_true(count_sites(db) == 0);
}

int
main(void)
{
	const struct CMUnitTest claims[] = {
		cmocka_unit_test(a_statement_has_a_time_limit),
		cmocka_unit_test(a_read_that_is_cut_off_is_repeated),
		cmocka_unit_test(a_cut_under_a_pipeline_is_told_once),
		cmocka_unit_test(a_child_never_uses_its_parents_connection),
		cmocka_unit_test(an_idle_connection_closes_and_comes_back),
	};

	return run_claims("connection", claims, NELEM(claims));
}
