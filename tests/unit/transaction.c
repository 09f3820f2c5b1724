/*
 * transaction: all or nothing, one within another, again where it is asked for, and what others see and
 * wait for meanwhile, on each engine there is.
 */
#include "unit.h"

#include "base/clock.h"
#include "sites.h"

static int64_t held; /* the row that a transaction holds */

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

int
main(void)
{
	const struct CMUnitTest claims[] = {
		cmocka_unit_test(a_transaction_is_all_or_nothing),
		cmocka_unit_test(a_failure_spoils_its_transaction),
		cmocka_unit_test(a_nested_transaction_undoes_only_itself),
		cmocka_unit_test(a_transaction_is_repeated_where_asked_for),
		cmocka_unit_test(a_reading_transaction_sees_one_moment),
		cmocka_unit_test(who_does_not_wait_gets_an_answer_at_once),
	};

	return run_claims("transaction", claims, NELEM(claims));
}
