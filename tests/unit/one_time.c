/*
 * one_time: a link is good for its purpose, once, until it expires or the account changed; of two who
 * use it at the same moment one wins.
 */
#include "unit.h"

#include "account.h"
#include "auth/one_time.h"
#include "engines.h"
#include "race.h"
#include "scratch.h"

static struct arena *a;
static struct db *db;
static struct secret *secret;
static const int64_t start = INT64_C(1790000000) * SECOND;
static struct one_time ada = { .email = STR("ada@example.org"), .password_changed = 5 };

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	ada.password_changed = 5;
	secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	db = scratch_open();
	ada.user = add_account(db,
	    &(struct account){
	        .username = STR("ada"), .first_name = STR("Ada"), .email = ada.email },
	    ada.password_changed);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	secret_free(secret);
	arena_free(a);
	return 0;
}

static struct str
add(enum one_time_purpose purpose)
{
	struct str token;

	assert_int_equal(
	    one_time_add(db, a, secret, purpose, &ada, start, start + HOUR, &token), DB_END);
	assert_int_equal(token.n, SECRET_TEXT);
	return token;
}

static enum db_result
find(struct str token, enum one_time_purpose purpose, int64_t now)
{
	struct one_time found;

	return one_time_find(db, a, secret, purpose, token, now, &found);
}

static void
a_link_finds_its_account_until_it_expires(void **state)
{
	struct str token = add(ONE_TIME_RESET);
	struct one_time found;

	(void)state;
	assert_int_equal(
	    one_time_find(db, a, secret, ONE_TIME_RESET, token, start, &found), DB_ROW);
	assert_true(found.user == ada.user);
	assert_str(found.username, "ada");
	assert_str(found.email, "ada@example.org");
	assert_true(found.password_changed == 5);
	assert_true(found.is_active && !found.is_pending);
	assert_int_equal(find(token, ONE_TIME_RESET, start + HOUR - 1), DB_ROW);
	assert_int_equal(find(token, ONE_TIME_RESET, start + HOUR), DB_END);
	assert_int_equal(one_time_take(db, secret, ONE_TIME_RESET, token, start + HOUR), DB_END);
	assert_int_equal(find(token, ONE_TIME_EMAIL, start), DB_END);
	assert_int_equal(one_time_take(db, secret, ONE_TIME_EMAIL, token, start), DB_END);
}

static void
a_link_is_used_once(void **state)
{
	struct str token = add(ONE_TIME_EMAIL), other = add(ONE_TIME_EMAIL);

	(void)state;
	assert_int_equal(one_time_take(db, secret, ONE_TIME_EMAIL, token, start), DB_ROW);
	assert_int_equal(one_time_take(db, secret, ONE_TIME_EMAIL, token, start), DB_END);
	assert_int_equal(find(token, ONE_TIME_EMAIL, start), DB_END);
	assert_int_equal(find(other, ONE_TIME_EMAIL, start), DB_ROW);
	assert_int_equal(one_time_end(db, ONE_TIME_EMAIL, ada.user, start), DB_END);
	assert_int_equal(find(other, ONE_TIME_EMAIL, start), DB_END);
}

static void
good_ones_are_counted(void **state)
{
	struct one_time other = ada;
	int64_t n;

	(void)state;
	assert_int_equal(one_time_end(db, ONE_TIME_RESET, ada.user, start), DB_END);
	for (int i = 0; i < 2; i++)
		(void)add(ONE_TIME_RESET);
	(void)add(ONE_TIME_EMAIL);
	assert_int_equal(one_time_count(db, ONE_TIME_RESET, &ada, start, &n), DB_END);
	assert_int_equal(n, 2);
	other.password_changed++;
	assert_int_equal(one_time_count(db, ONE_TIME_RESET, &other, start, &n), DB_END);
	assert_int_equal(n, 0);
	assert_int_equal(one_time_count(db, ONE_TIME_RESET, &ada, start + HOUR, &n), DB_END);
	assert_int_equal(n, 0);
	/* who ends nobody's ends what expired */
	assert_int_equal(one_time_end(db, ONE_TIME_RESET, 0, start + HOUR - 1), DB_END);
	assert_int_equal(one_time_count(db, ONE_TIME_RESET, &ada, start, &n), DB_END);
	assert_int_equal(n, 2);
	assert_int_equal(one_time_end(db, ONE_TIME_RESET, 0, start + HOUR), DB_END);
	assert_int_equal(one_time_count(db, ONE_TIME_RESET, &ada, start, &n), DB_END);
	assert_int_equal(n, 0);
}

static void
what_is_no_token_finds_nothing(void **state)
{
	struct str token = add(ONE_TIME_RESET);
	static const char *const bad[] = { "", "A", "sent",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_int_equal(find(str_of(bad[i]), ONE_TIME_RESET, start), DB_END);
	assert_int_equal(find(STR_NONE, ONE_TIME_RESET, start), DB_END);
	assert_int_equal(find((struct str){ token.p, token.n - 1 }, ONE_TIME_RESET, start), DB_END);
}

static void
another_password_or_address_voids_it(void **state)
{
	struct str token = add(ONE_TIME_RESET);
	struct one_time before = ada;
	struct query *q;

	(void)state;
	ada.email = STR("old@example.org");
	assert_int_equal(find(add(ONE_TIME_RESET), ONE_TIME_RESET, start), DB_END);
	ada = before;
	ada.password_changed = 4;
	assert_int_equal(find(add(ONE_TIME_RESET), ONE_TIME_RESET, start), DB_END);
	ada = before;
	assert_int_equal(find(token, ONE_TIME_RESET, start), DB_ROW);
	q = db_query(db, QUERY_USER_SET_PASSWORD);
	db_text(q, "password", STR("!"));
	db_int(q, "now", 6);
	db_int(q, "before", 5);
	db_int(q, "id", ada.user);
	assert_int_equal(db_run(q), DB_END);
	assert_int_equal(find(token, ONE_TIME_RESET, start), DB_END);
	ada.password_changed = 6;
}

static struct str raced;
static int won[2];

static int
take(struct db *mine, int which)
{
	char byte = (char)which;

	if (one_time_take(mine, secret, ONE_TIME_EMAIL, raced, start) == DB_ROW &&
	    write(won[1], &byte, 1) != 1)
		return 1;
	return 0;
}

static void
of_two_at_once_one_wins(void **state)
{
	char bytes[8];
	ssize_t n;

	(void)state;
	raced = add(ONE_TIME_EMAIL);
	assert_int_equal(pipe(won), 0);
	race_run(scratch_config, take);
	close(won[1]);
	n = read(won[0], bytes, sizeof(bytes));
	close(won[0]);
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_finds_its_account_until_it_expires),
		cmocka_unit_test(a_link_is_used_once),
		cmocka_unit_test(good_ones_are_counted),
		cmocka_unit_test(what_is_no_token_finds_nothing),
		cmocka_unit_test(another_password_or_address_voids_it),
		cmocka_unit_test(of_two_at_once_one_wins),
	};

	return engines_run("one_time", tests, NELEM(tests), set_up, tear_down);
}
