/*
 * db: named statements, transactions, failures and the schema, on each engine there is. A claim is
 * one test on both; the state of a test is the connection.
 */
#include "unit.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/postgresql.h"
#include "engines.h"

static struct db *db; /* of the test that runs */
static int64_t held; /* the row that a transaction holds */

/* Adds a site, the smallest table with a unique key. */
static enum db_result
add_site(struct db *to, const char *domain, int64_t *id)
{
	struct query *q = db_query(to, QUERY_SITE_ADD);

	db_text(q, "domain", str_of(domain));
	db_text(q, "name", STR("A name"));
	return db_insert(q, id);
}

static int64_t
count_sites(struct db *from)
{
	struct query *q = db_query(from, QUERY_SITE_LIST);
	int64_t n = 0;

	while (db_step(q) == DB_ROW)
		n++;
	assert_int_equal(db_done(q), DB_END);
	return n;
}

static void
remove_sites(void)
{
	struct query *q;
	int64_t ids[100];
	size_t n = 0;

	q = db_query(db, QUERY_SITE_LIST);
	while (db_step(q) == DB_ROW)
		ids[n++] = db_col_int(q, "id");
	assert_int_equal(db_done(q), DB_END);
	for (size_t i = 0; i < n; i++) {
		q = db_query(db, QUERY_SITE_DELETE);
		db_int(q, "id", ids[i]);
		assert_int_equal(db_run(q), DB_END);
		assert_int_equal(db_changes(db), 1);
	}
}

/* Puts `to` where `from` stands in the text. */
static void
say_otherwise(char *sql, size_t size, const char *from, const char *to)
{
	char *at, rest[1000];

	while ((at = strstr(sql, from)) != NULL) {
		snprintf(rest, sizeof(rest), "%s", at + strlen(from));
		snprintf(at, size - (size_t)(at - sql), "%s%s", to, rest);
	}
}

/* A statement of the test's own in the common dialect, with n values to be bound by number. */
static struct query *
own(const char *text, size_t n, unsigned flags)
{
	char sql[1000];

	snprintf(sql, sizeof(sql), "%s", text);
	/* '?' stands before a number, as SQLite has it */
	if (db_engine(db) == DB_POSTGRESQL)
		say_otherwise(sql, sizeof(sql), "?", "$");
	if (db_engine(db) == DB_MARIADB) {
		say_otherwise(sql, sizeof(sql), " AS BIGINT)", " AS SIGNED)");
		say_otherwise(sql, sizeof(sql), " AS DOUBLE PRECISION)", " AS DOUBLE)");
	}
	return db_query_joined(db, "own", str_of(sql), n, flags);
}

static void
bind_int(struct query *q, size_t i, int64_t v)
{
	*db_query_value(q, i) = (struct value){ .kind = VALUE_INT, .integer = v };
}

/*
 * Claims
 */

static void
a_row_comes_back_as_it_went(void **state)
{
	struct query *q;
	int64_t id;

	(void)state;
	assert_int_equal(add_site(db, "tom.example.org", &id), DB_END);
	assert_true(id > 0);
	assert_int_equal(db_changes(db), 1);
	q = db_query(db, QUERY_SITE_GET);
	db_int(q, "id", id);
	assert_int_equal(db_step(q), DB_ROW);
	assert_str(db_col_text(q, "name"), "A name");
	assert_str(db_col_text(q, "domain"), "tom.example.org");
	assert_true(db_col_int(q, "id") == id);
	assert_int_equal(db_step(q), DB_END);
	assert_int_equal(db_step(q), DB_END);
	assert_int_equal(db_done(q), DB_END);
	remove_sites();
}

static void
a_taken_name_is_an_answer(void **state)
{
	int64_t id;

	(void)state;
	assert_int_equal(add_site(db, "a.example.org", &id), DB_END);
	assert_int_equal(add_site(db, "a.example.org", &id), DB_TAKEN);
	assert_true(id == 0);
	assert_int_equal(add_site(db, "", &id), DB_REFUSED);
	assert_int_equal(add_site(db, NULL, &id), DB_REFUSED);
	assert_int_equal(add_site(db, "b.example.org", &id), DB_END);
	assert_true(count_sites(db) == 2);
	remove_sites();
}

static void
a_foreign_key_is_kept(void **state)
{
	struct query *q = db_query(db, QUERY_GROUP_JOIN);

	(void)state;
	db_int(q, "user", 4711);
	db_int(q, "group", 4712);
	assert_int_equal(db_run(q), DB_REFUSED);
}

static void
text_that_is_not_utf8_is_refused(void **state)
{
	struct query *q;
	int64_t id;

	(void)state;
	assert_int_equal(add_site(db, "\xff", &id), DB_REFUSED);
	q = db_query(db, QUERY_SITE_ADD);
	db_text(q, "domain", STR("a\0b"));
	db_text(q, "name", STR("x"));
	assert_int_equal(db_insert(q, &id), DB_REFUSED);
	assert_int_equal(add_site(db, "\xf0\x9f\x94\xad.example", &id), DB_END);
	remove_sites();
}

static void
an_unbound_parameter_is_a_failure(void **state)
{
	struct query *q;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR + 1);
	q = db_query(db, QUERY_SITE_GET);
	assert_int_equal(db_step(q), DB_FAILED);
	assert_int_equal(db_done(q), DB_FAILED);
	q = db_query(db, QUERY_SITE_GET);
	db_int(q, "no_such", 1);
	db_int(q, "id", 1);
	assert_int_equal(db_run(q), DB_FAILED);
	log_set_level(LOG_LEVEL_INFO);
}

static enum db_result
add_two(struct db *in, void *arg)
{
	enum db_result *end = arg;
	int64_t id;
	enum db_result r = add_site(in, "one.example.org", &id);

	if (r == DB_END)
		r = add_site(in, "two.example.org", &id);
	return r != DB_END ? r : *end;
}

static void
a_transaction_is_all_or_nothing(void **state)
{
	enum db_result end = DB_REFUSED;

	(void)state;
	assert_int_equal(db_transaction(db, DB_WRITE, add_two, &end), DB_REFUSED);
	assert_true(count_sites(db) == 0);
	end = DB_END;
	assert_int_equal(db_transaction(db, DB_WRITE, add_two, &end), DB_END);
	assert_true(count_sites(db) == 2);
	assert_int_equal(db_transaction(db, DB_WRITE, add_two, &end), DB_TAKEN);
	remove_sites();
}

static enum db_result
overlook_a_failure(struct db *in, void *arg)
{
	int64_t id;

	(void)arg;
	assert_int_equal(add_site(in, "x.example.org", &id), DB_END);
	assert_int_equal(add_site(in, "x.example.org", &id), DB_TAKEN);
	assert_int_equal(add_site(in, "y.example.org", &id), DB_TAKEN);
	return DB_END;
}

static void
a_failure_spoils_its_transaction(void **state)
{
	(void)state;
	assert_int_equal(db_transaction(db, DB_WRITE, overlook_a_failure, NULL), DB_TAKEN);
	assert_true(count_sites(db) == 0);
}

static enum db_result
nest(struct db *in, void *arg)
{
	enum db_result end = DB_END;
	int64_t id;

	(void)arg;
	assert_int_equal(add_site(in, "one.example.org", &id), DB_END);
	assert_int_equal(db_transaction(in, DB_WRITE, add_two, &end), DB_TAKEN);
	assert_int_equal(add_site(in, "three.example.org", &id), DB_END);
	end = DB_REFUSED;
	assert_int_equal(db_transaction(in, DB_WRITE, overlook_a_failure, NULL), DB_TAKEN);
	assert_int_equal(add_site(in, "four.example.org", &id), DB_END);
	return DB_END;
}

static void
a_nested_transaction_undoes_only_itself(void **state)
{
	(void)state;
	assert_int_equal(db_transaction(db, DB_WRITE, nest, NULL), DB_END);
	assert_true(count_sites(db) == 3);
	remove_sites();
}

static enum db_result
ask_for_more(struct db *in, void *arg)
{
	int *tries = arg;
	int64_t id;

	assert_int_equal(add_site(in, "again.example.org", &id), DB_END);
	return ++*tries < 3 ? DB_RETRY : DB_END;
}

static void
a_transaction_is_repeated_where_asked_for(void **state)
{
	int tries = 0;

	(void)state;
	assert_int_equal(db_transaction(db, DB_WRITE, ask_for_more, &tries), DB_END);
	assert_int_equal(tries, 3);
	assert_true(count_sites(db) == 1);
	remove_sites();
}

/* Reads while another connection writes in between. */
static enum db_result
read_twice(struct db *in, void *arg)
{
	int64_t id, before = count_sites(in);

	assert_int_equal(add_site(arg, "meanwhile.example.org", &id), DB_END);
	assert_true(count_sites(in) == before);
	return DB_END;
}

static void
a_reading_transaction_sees_one_moment(void **state)
{
	struct db *other = engines_connect(*state);

	assert_int_equal(db_transaction(db, DB_READ, read_twice, other), DB_END);
	assert_true(count_sites(db) == 1);
	remove_sites();
	db_free(other);
}

static void
started_queries_answer_in_any_order(void **state)
{
	struct query *q[4];
	int64_t ids[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char domain[30];

		snprintf(domain, sizeof(domain), "s%zu.example.org", i);
		assert_int_equal(add_site(db, domain, &ids[i]), DB_END);
	}
	for (size_t i = 0; i < 4; i++) {
		q[i] = db_query(db, QUERY_SITE_GET);
		db_int(q[i], "id", ids[i]);
		db_start(q[i]);
	}
	assert_int_equal(db_done(q[1]), DB_END); /* one nobody looks at */
	for (size_t n = 0; n < 3; n++) {
		size_t i = n == 0 ? 2 : n == 1 ? 0 : 3;

		assert_int_equal(db_step(q[i]), DB_ROW);
		assert_true(db_col_int(q[i], "id") == ids[i]);
	}
	for (size_t i = 0; i < 4; i++)
		if (i != 1) {
			assert_int_equal(db_step(q[i]), DB_END);
			assert_int_equal(db_done(q[i]), DB_END);
		}
	remove_sites();
}

static void
a_started_failure_takes_nobody_along(void **state)
{
	struct query *bad, *good;
	int64_t id;

	(void)state;
	assert_int_equal(add_site(db, "s.example.org", &id), DB_END);
	bad = db_query(db, QUERY_SITE_ADD);
	db_text(bad, "domain", STR("s.example.org"));
	db_text(bad, "name", STR(""));
	db_start(bad);
	good = db_query(db, QUERY_SITE_GET);
	db_int(good, "id", id);
	db_start(good);
	assert_int_equal(db_step(good), DB_ROW);
	assert_int_equal(db_done(good), DB_END);
	assert_int_equal(db_done(bad), DB_TAKEN);
	remove_sites();
}

static void
a_statement_may_run_within_itself(void **state)
{
	struct query *outer, *inner;
	int64_t id;
	size_t n = 0;

	(void)state;
	assert_int_equal(add_site(db, "a.example.org", &id), DB_END);
	assert_int_equal(add_site(db, "b.example.org", &id), DB_END);
	outer = db_query(db, QUERY_SITE_LIST);
	while (db_step(outer) == DB_ROW) {
		inner = db_query(db, QUERY_SITE_LIST);
		while (db_step(inner) == DB_ROW)
			n++;
		assert_int_equal(db_done(inner), DB_END);
	}
	assert_int_equal(db_done(outer), DB_END);
	assert_int_equal(n, 4);
	remove_sites();
}

static void
values_of_every_kind_come_back(void **state)
{
	struct query *q;
	unsigned char bytes[32] = { 0, 1, 0xff, 0, 7 };
	const struct engine *e = *state;

	server_run(e->url,
	    "INSERT INTO users (id, username, name_key, search_key, password, is_staff, created, "
	    "password_changed) VALUES (7, 'kinds', 'kinds', 'kinds', '!', 1, 1, 1)");
	q = db_query(db, QUERY_SESSION_ADD);
	db_bytes(q, "token", bytes, sizeof(bytes));
	db_int(q, "user", 7);
	db_int(q, "now", INT64_MAX);
	db_int(q, "expires", INT64_MIN + 1);
	db_bytes(q, "auth_hash", bytes, 32);
	db_null(q, "factor");
	db_text(q, "address", STR(""));
	db_text(q, "agent", STR(""));
	assert_int_equal(db_run(q), DB_END);
	q = own("SELECT s.*, CAST(1 AS DOUBLE PRECISION) / 3 AS third, u.last_login AS none_yet,"
	        " u.is_staff FROM session s JOIN users u ON u.id = s.user_id WHERE user_id = ?1",
	    1, QUERY_IS_READ);
	bind_int(q, 0, 7);
	assert_int_equal(db_step(q), DB_ROW);
	assert_int_equal(db_col_bytes(q, "token_hash").n, 32);
	assert_memory_equal(db_col_bytes(q, "token_hash").p, bytes, 32);
	assert_true(db_col_int(q, "created") == INT64_MAX);
	assert_true(db_col_int(q, "expires") == INT64_MIN + 1);
	assert_true(db_col_real(q, "third") == 1.0 / 3.0);
	assert_true(db_col_null(q, "none_yet"));
	assert_true(isnan(db_col_real(q, "none_yet")));
	assert_true(db_col_int(q, "none_yet") == 0);
	assert_null(db_col_text(q, "none_yet").p);
	assert_true(db_col_bool(q, "is_staff"));
	assert_int_equal(db_done(q), DB_END);
}

static void
lists_of_numbers_are_bound(void **state)
{
	static const char *const lists[] = {
		[DB_SQLITE] = "SELECT id FROM site WHERE id IN (SELECT value FROM json_each(?1))",
		[DB_POSTGRESQL] = "SELECT id FROM site WHERE id = ANY (CAST(?1 AS BIGINT[]))",
		[DB_MARIADB] = "SELECT id FROM site WHERE JSON_CONTAINS(?1, CAST(id AS CHAR))",
	};
	struct query *q;
	int64_t ids[3], n = 0;

	(void)state;
	assert_int_equal(add_site(db, "l1.example.org", &ids[0]), DB_END);
	assert_int_equal(add_site(db, "l2.example.org", &ids[1]), DB_END);
	ids[2] = -5;
	for (size_t len = 0; len <= 3; len += 3) {
		q = own(lists[db_engine(db)], 1, QUERY_IS_READ);
		db_value_ints(&q->bytes, db_query_value(q, 0), db_engine(db), ids, len);
		while (db_step(q) == DB_ROW)
			n++;
		assert_int_equal(db_done(q), DB_END);
		assert_true(n == (len == 0 ? 0 : 2));
	}
	remove_sites();
}

static void
more_texts_come_than_are_kept_prepared(void **state)
{
	struct query *q;
	char sql[200];

	(void)state;
	for (int64_t i = 0; i < 130; i++) {
		struct query *other = own("SELECT CAST(?1 AS BIGINT) AS n", 1, QUERY_IS_READ);

		bind_int(other, 0, i);
		db_start(other);
		snprintf(
		    sql, sizeof(sql), "SELECT CAST(?1 AS BIGINT) + %lld AS n", (long long)i % 70);
		q = own(sql, 1, QUERY_IS_READ);
		bind_int(q, 0, 1000);
		assert_int_equal(db_step(q), DB_ROW);
		assert_true(db_col_int(q, "n") == 1000 + i % 70);
		assert_int_equal(db_done(q), DB_END);
		assert_int_equal(db_step(other), DB_ROW);
		assert_true(db_col_int(other, "n") == i);
		assert_int_equal(db_done(other), DB_END);
	}
}

static const char *const name_columns[] = { "target_id", "name", "match_key", "is_primary",
	"created", "modified" };

struct names {
	int64_t target, added;
	int from, to;
};

static enum db_result
add_names(struct db *to, void *arg)
{
	struct names *n = arg;
	struct bulk *b = db_bulk(to, "target_name", NELEM(name_columns), name_columns);

	for (int i = n->from; i < n->to; i++) {
		char name[40];

		snprintf(name, sizeof(name), "bulk%d", i);
		db_bulk_int(b, n->target);
		db_bulk_text(b, str_of(name));
		db_bulk_text(b, str_of(name));
		db_bulk_int(b, 0);
		db_bulk_int(b, i);
		db_bulk_int(b, i);
	}
	return db_bulk_end(b, &n->added);
}

static enum db_result
add_target(struct db *to, void *arg)
{
	static const char *const columns[] = { "name", "type", "permissions", "created", "modified",
		"ra", "dec", "parallax" };
	struct bulk *b = db_bulk(to, "target", NELEM(columns), columns);
	int64_t *id = arg, added;
	struct query *q;
	enum db_result r;

	db_bulk_text(b, STR("bulk"));
	db_bulk_text(b, STR("SIDEREAL"));
	db_bulk_text(b, STR("OPEN"));
	db_bulk_int(b, 1);
	db_bulk_int(b, 1);
	db_bulk_real(b, 359.5);
	db_bulk_real(b, -90);
	db_bulk_null(b);
	if ((r = db_bulk_end(b, &added)) != DB_END)
		return r;
	q = db_query(to, QUERY_TARGET_IDS_OF_NEW);
	db_text(q, "names", STR("[\"bulk\"]"));
	if (db_step(q) == DB_ROW)
		*id = db_col_int(q, "id");
	return db_done(q);
}

static void
a_bulk_passes_over_what_is_there(void **state)
{
	struct names n = { .from = 0, .to = 10000 };
	struct query *q;

	(void)state;
	assert_int_equal(db_transaction(db, DB_WRITE, add_target, &n.target), DB_END);
	assert_int_equal(db_transaction(db, DB_WRITE, add_names, &n), DB_END);
	assert_true(n.added == 10000);
	n.from = 9990;
	n.to = 10010;
	assert_int_equal(db_transaction(db, DB_WRITE, add_names, &n), DB_END);
	assert_true(n.added == 10);
	n.target = -1;
	n.from = 20000;
	n.to = 20001;
	assert_int_equal(db_transaction(db, DB_WRITE, add_names, &n), DB_REFUSED);
	q = own("SELECT *, (SELECT CAST(count(*) AS BIGINT) FROM target_name) AS names FROM target",
	    0, QUERY_IS_READ);
	assert_int_equal(db_step(q), DB_ROW);
	assert_true(db_col_real(q, "ra") == 359.5);
	assert_true(db_col_real(q, "dec") == -90);
	assert_true(isnan(db_col_real(q, "parallax")));
	assert_true(db_col_int(q, "names") == 10010);
	assert_int_equal(db_done(q), DB_END);
}

static struct query *
long_query(void)
{
	/* (MariaDB ends a recursion after 1,000 rows) */
	return own(db_engine(db) == DB_MARIADB
	        ? "SELECT seq AS n FROM seq_1_to_20000"
	        : "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000)"
	          " SELECT n FROM c",
	    0, QUERY_IS_READ | QUERY_IS_STREAM);
}

static void
a_long_result_streams(void **state)
{
	struct query *q = long_query(), *other;
	int64_t n = 0;

	(void)state;
	while (db_step(q) == DB_ROW) {
		assert_true(db_col_int(q, "n") == ++n);
		if (n == 1000) { /* another statement in between */
			other = db_query(db, QUERY_SITE_LIST);
			assert_int_equal(db_run(other), DB_END);
		}
	}
	assert_int_equal(db_done(q), DB_END);
	assert_true(n == 20000);
	q = long_query();
	assert_int_equal(db_step(q), DB_ROW);
	assert_int_equal(db_done(q), DB_END); /* left in the middle */
	assert_true(count_sites(db) == 0);
}

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

static enum db_result
hold_row_and_note(struct db *to, void *arg)
{
	struct engine *e = arg;
	struct db *other = engines_connect(e);
	int64_t t;
	enum db_result r;
	struct query *q = db_query(to, QUERY_SITE_CHANGE);

	db_int(q, "id", held);
	db_text(q, "domain", STR("held.example.org"));
	db_text(q, "name", STR("held"));
	assert_int_equal(db_run(q), DB_END);
	t = clock_monotonic();
	q = db_query(other, QUERY_SITE_CHANGE);
	db_int(q, "id", held);
	db_text(q, "domain", STR("other.example.org"));
	db_text(q, "name", STR("other"));
	db_no_wait(q);
	r = db_run(q);
	assert_true(clock_monotonic() - t < SECOND);
	db_free(other);
	return r == DB_RETRY ? DB_END : DB_FAILED;
}

static void
who_does_not_wait_gets_an_answer_at_once(void **state)
{
	(void)state;
	if (db_engine(db) == DB_POSTGRESQL)
		return; /* there the statement says so itself */
	assert_int_equal(add_site(db, "hold.example.org", &held), DB_END);
	assert_int_equal(db_transaction(db, DB_WRITE, hold_row_and_note, *state), DB_END);
	remove_sites();
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
	q = own(db_engine(db) == DB_POSTGRESQL ? "SELECT 7 AS n FROM pg_sleep(3)"
	                                       : "SELECT sleep(3) + 7 AS n",
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
statements_are_counted(void **state)
{
	unsigned n;
	int64_t us;

	(void)state;
	db_count_start(db);
	(void)count_sites(db);
	(void)count_sites(db);
	db_count(db, &n, &us);
	assert_int_equal(n, 2);
	assert_true(us > 0 && us < SECOND);
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

static void
reset_ends_what_is_open(void **state)
{
	struct query *q = long_query();

	(void)state;
	assert_int_equal(db_step(q), DB_ROW);
	db_reset(db);
	assert_true(count_sites(db) == 0);
}

/* Prepared by the engine itself, without our driver. */
static void
prepare_on_sqlite(const struct query_def *def, sqlite3 *handle)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(handle, def->sql[DB_SQLITE], -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s, %s: %s", def->where, def->name, sqlite3_errmsg(handle));
	if (!!(def->flags & QUERY_IS_READ) != !!sqlite3_stmt_readonly(stmt))
		fail_msg("%s, %s: does it read or write?", def->where, def->name);
	sqlite3_finalize(stmt);
}

/* The columns of its result must be of types that the driver reads. */
static void
prepare_on_postgresql(const struct query_def *def, PGconn *pg)
{
	PGresult *r = PQprepare(pg, def->name, def->sql[DB_POSTGRESQL], 0, NULL);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s, %s: %s", def->where, def->name, PQerrorMessage(pg));
	PQclear(r);
	r = PQdescribePrepared(pg, def->name);
	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	for (int i = 0; i < PQnfields(r); i++)
		if (!pg_is_known(PQftype(r, i)))
			fail_msg("%s, %s: CAST the column %s (type %u) to one that is read",
			    def->where, def->name, PQfname(r, i), PQftype(r, i));
	PQclear(r);
}

/* "?1" is "?" there. */
static void
prepare_on_mariadb(const struct query_def *def, MYSQL *my)
{
	MYSQL_STMT *stmt = mysql_stmt_init(my);
	const char *from = def->sql[DB_MARIADB];
	char sql[8000], *w = sql;

	for (; *from != '\0' && w < sql + sizeof(sql) - 1; from++) {
		*w++ = *from;
		if (*from == '?')
			from += strspn(from + 1, "0123456789");
	}
	if (mysql_stmt_prepare(stmt, sql, (unsigned long)(w - sql)) != 0)
		fail_msg("%s, %s: %s", def->where, def->name, mysql_stmt_error(stmt));
	mysql_stmt_close(stmt);
}

static void
every_statement_is_prepared(void **state)
{
	const struct engine *e = *state;
	enum db_engine engine = db_engine(db);
	sqlite3 *handle = NULL;
	PGconn *pg = NULL;
	MYSQL *my = NULL;
	size_t n = 0;

	if (engine == DB_SQLITE) {
		assert_int_equal(sqlite3_open(e->url + 7, &handle), SQLITE_OK);
		sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
		sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	} else if (engine == DB_POSTGRESQL)
		pg = server_postgresql(e->url);
	else {
		my = server_mariadb(e->url);
		assert_int_equal(mysql_query(my, "SET SESSION sql_mode = 'ANSI_QUOTES'"), 0);
	}
	for (size_t i = 0; i < QUERY_NAMES; i++) {
		const struct query_def *def = &query_defs[i];

		if (def->flags & QUERY_IS_FRAGMENT || def->sql[engine] == NULL)
			continue;
		if (engine == DB_SQLITE)
			prepare_on_sqlite(def, handle);
		else if (engine == DB_POSTGRESQL)
			prepare_on_postgresql(def, pg);
		else
			prepare_on_mariadb(def, my);
		n++;
	}
	sqlite3_close(handle);
	PQfinish(pg);
	if (my != NULL)
		mysql_close(my);
	print_message("%zu statements were prepared on %s\n", n, e->name);
}

static const struct CMUnitTest claims[] = {
	cmocka_unit_test(every_statement_is_prepared),
	cmocka_unit_test(a_row_comes_back_as_it_went),
	cmocka_unit_test(a_taken_name_is_an_answer),
	cmocka_unit_test(a_foreign_key_is_kept),
	cmocka_unit_test(text_that_is_not_utf8_is_refused),
	cmocka_unit_test(an_unbound_parameter_is_a_failure),
	cmocka_unit_test(a_transaction_is_all_or_nothing),
	cmocka_unit_test(a_failure_spoils_its_transaction),
	cmocka_unit_test(a_nested_transaction_undoes_only_itself),
	cmocka_unit_test(a_transaction_is_repeated_where_asked_for),
	cmocka_unit_test(a_reading_transaction_sees_one_moment),
	cmocka_unit_test(started_queries_answer_in_any_order),
	cmocka_unit_test(a_started_failure_takes_nobody_along),
	cmocka_unit_test(a_statement_may_run_within_itself),
	cmocka_unit_test(values_of_every_kind_come_back),
	cmocka_unit_test(lists_of_numbers_are_bound),
	cmocka_unit_test(more_texts_come_than_are_kept_prepared),
	cmocka_unit_test(a_bulk_passes_over_what_is_there),
	cmocka_unit_test(a_long_result_streams),
	cmocka_unit_test(a_statement_has_a_time_limit),
	cmocka_unit_test(who_does_not_wait_gets_an_answer_at_once),
	cmocka_unit_test(a_read_that_is_cut_off_is_repeated),
	cmocka_unit_test(a_cut_under_a_pipeline_is_told_once),
	cmocka_unit_test(a_child_never_uses_its_parents_connection),
	cmocka_unit_test(statements_are_counted),
	cmocka_unit_test(an_idle_connection_closes_and_comes_back),
	cmocka_unit_test(reset_ends_what_is_open),
};

int
main(void)
{
	int failed = 0;

	engines_open();
	for (size_t i = 0; i < NELEM(engines); i++) {
		struct CMUnitTest tests[NELEM(claims)];
		char err[300], group[40];

		if ((db = engines_connect(&engines[i])) == NULL)
			continue;
		if (db_migrate(db, NULL, NULL, err, sizeof(err)) != 0)
			server_die("db_migrate", err);
		memcpy(tests, claims, sizeof(tests));
		for (size_t t = 0; t < NELEM(tests); t++)
			tests[t].initial_state = &engines[i];
		snprintf(group, sizeof(group), "db, %s", engines[i].name);
		failed += cmocka_run_group_tests_name(group, tests, NULL, NULL);
		db_free(db);
	}
	return engines_close(failed);
}
