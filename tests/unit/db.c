/*
 * db: rows and values, statements that are started, streamed or many, and failures, on each engine
 * there is.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/postgresql.h"
#include "sites.h"

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
	bool expect_new;
	unsigned tries;
};

static enum db_result
add_names(struct db *to, void *arg)
{
	struct names *n = arg;
	struct bulk *b = db_bulk(to, "target_name", NELEM(name_columns), name_columns);

	n->tries++;
	if (n->expect_new)
		db_bulk_expect_new(b);
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
	/* where all were thought new, too: PostgreSQL notices and tries again */
	n.expect_new = true;
	n.from = 10005;
	n.to = 10015;
	n.tries = 0;
	assert_int_equal(db_transaction(db, DB_WRITE, add_names, &n), DB_END);
	assert_true(n.added == 5);
	assert_int_equal(n.tries, db_engine(db) == DB_POSTGRESQL ? 2 : 1);
	n.from = 10015;
	n.to = 10020;
	n.tries = 0;
	assert_int_equal(db_transaction(db, DB_WRITE, add_names, &n), DB_END);
	assert_true(n.added == 5);
	assert_int_equal(n.tries, 1);
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
	assert_true(db_col_int(q, "names") == 10020);
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
reset_ends_what_is_open(void **state)
{
	struct query *q = long_query();

	(void)state;
	assert_int_equal(db_step(q), DB_ROW);
	db_reset(db);
	assert_true(count_sites(db) == 0);
}

int
main(void)
{
	const struct CMUnitTest claims[] = {
		cmocka_unit_test(a_row_comes_back_as_it_went),
		cmocka_unit_test(a_taken_name_is_an_answer),
		cmocka_unit_test(a_foreign_key_is_kept),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(an_unbound_parameter_is_a_failure),
		cmocka_unit_test(started_queries_answer_in_any_order),
		cmocka_unit_test(a_started_failure_takes_nobody_along),
		cmocka_unit_test(a_statement_may_run_within_itself),
		cmocka_unit_test(values_of_every_kind_come_back),
		cmocka_unit_test(lists_of_numbers_are_bound),
		cmocka_unit_test(more_texts_come_than_are_kept_prepared),
		cmocka_unit_test(a_bulk_passes_over_what_is_there),
		cmocka_unit_test(a_long_result_streams),
		cmocka_unit_test(statements_are_counted),
		cmocka_unit_test(reset_ends_what_is_open),
	};

	return run_claims("db", claims, NELEM(claims));
}
