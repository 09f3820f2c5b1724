/*
 * throttle: what guessing may cost, and that owners are not kept out, on every engine. Time is given
 * by hand: the wall clock and the time since boot.
 */
#include "unit.h"

#include "auth/device.h"
#include "auth/throttle.h"
#include "auth/visit.h"
#include "base/clock.h"
#include "engines.h"
#include "scratch.h"

#define FREE 5

static struct arena *a;
static struct db *db;
static struct secret *secret;
static struct throttle_now now;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	db = scratch_open();
	now = (struct throttle_now){ "here", INT64_C(1790000000) * SECOND, 1000 * SECOND };
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

/* Time passes on both clocks. Far enough, every count is forgotten. */
static void
pass(int64_t us)
{
	now.wall += us;
	now.boot += us;
}

/* A guess: seconds to wait, 0 where it was let through (and failed). */
static int64_t
guess_as(enum throttle_what what, const char *account, const char *address, const uint8_t *device)
{
	struct throttle_visitor v = { str_of(account), str_of(address), device };
	struct throttle t;
	int64_t wait;

	assert_int_equal(throttle_charge(db, secret, FREE, what, &v, &now, &t, &wait), DB_END);
	return (wait + SECOND - 1) / SECOND;
}

static int64_t
guess(const char *account, const char *address)
{
	return guess_as(THROTTLE_SIGN_IN, account, address, NULL);
}

static void
delay_doubles_from_five_seconds_to_fifteen_minutes(void **state)
{
	static const int64_t want[] = { 5, 10, 20, 40, 80, 160, 320, 640, 900, 900 };

	(void)state;
	pass(DAY);
	for (int i = 0; i < FREE; i++)
		assert_int_equal(guess("ada", "192.0.2.1"), 0);
	for (size_t i = 0; i < NELEM(want); i++) {
		assert_int_equal(guess("ada", "192.0.2.1"), want[i]);
		pass(want[i] * SECOND - 1);
		assert_int_equal(guess("ada", "192.0.2.1"), 1);
		pass(1);
		assert_int_equal(guess("ada", "192.0.2.1"), 0);
	}
	/* elsewhere, and of another account here, nothing is delayed */
	assert_int_equal(guess("ada", "192.0.2.2"), 0);
	assert_int_equal(guess("ben", "192.0.2.1"), 0);
	pass(6 * HOUR);
	assert_int_equal(guess("ada", "192.0.2.1"), 0);
	assert_int_equal(guess("ada", "192.0.2.1"), 0);
}

/* Guesses that are let through in an hour, of so many each second from so many addresses in turn. */
static int
hour_of_guesses(const char *account, int addresses, int step_s)
{
	int through = 0, n = 0;

	for (int s = 0; s < 3600; s += step_s, pass(step_s * SECOND)) {
		char address[40];

		snprintf(address, sizeof(address), "10.%d.%d.1", n % addresses / 250,
		    n % addresses % 250);
		through += guess(account, address) == 0;
		n++;
	}
	return through;
}

static void
hour_of_guessing_is_a_hundred_hashes_at_most(void **state)
{
	int from_one, from_many;

	(void)state;
	pass(DAY);
	from_one = hour_of_guesses("carol", 1, 4);
	assert_in_range(from_one, FREE, 20);
	pass(DAY);
	from_many = hour_of_guesses("carol", 1000, 3);
	assert_in_range(from_many, 60, 84);
}

static void
known_device_is_let_in_during_an_attack(void **state)
{
	static const uint8_t device[DEVICE_ID] = { 1, 2, 3 }, other[DEVICE_ID] = { 9 };

	(void)state;
	pass(DAY);
	for (int i = 0; i < 40; i++) {
		char address[40];

		snprintf(address, sizeof(address), "10.9.%d.1", i);
		(void)guess("dora", address);
	}
	assert_in_range(guess("dora", "10.9.200.1"), 1, 60);
	assert_int_equal(guess_as(THROTTLE_SIGN_IN, "dora", "10.9.1.1", device), 0);
	/* it has an allowance too, its own */
	for (int i = 1; i < FREE; i++)
		assert_int_equal(guess_as(THROTTLE_SIGN_IN, "dora", "10.9.1.1", device), 0);
	assert_int_equal(guess_as(THROTTLE_SIGN_IN, "dora", "10.9.1.1", device), 5);
	assert_int_equal(guess_as(THROTTLE_SIGN_IN, "dora", "10.9.1.1", other), 0);
	/* and when the attack ends, the owner on a new machine waits a minute at most */
	pass(MINUTE);
	assert_int_equal(guess("dora", "198.51.100.7"), 0);
}

static void
fresh_address_has_a_part_that_attackers_do_not_reach(void **state)
{
	(void)state;
	pass(DAY);
	/* 15 addresses that guess all the time: each has its free ones and its delays */
	for (int i = 0; i < 300; i++) {
		char address[40];

		snprintf(address, sizeof(address), "10.8.%d.1", i % 15);
		(void)guess("emil", address);
		pass(SECOND / 10);
	}
	assert_int_not_equal(guess("emil", "10.8.3.1"), 0);
	assert_int_equal(guess("emil", "198.51.100.8"), 0);
}

static void
one_address_cannot_try_every_account(void **state)
{
	int through = 0;

	(void)state;
	pass(DAY);
	for (int i = 0; i < 200; i++) {
		char account[40];

		snprintf(account, sizeof(account), "user%d", i);
		through += guess(account, "192.0.2.50") == 0;
	}
	assert_int_equal(through, 12 * FREE);
	/* its network is one address; others are not concerned */
	assert_int_equal(guess("user1", "192.0.2.51"), 0);
	assert_int_equal(guess("six", "2001:db8:0:1::1"), 0);
	for (int i = 0; i < 200; i++) {
		char account[40], address[40];

		snprintf(account, sizeof(account), "v6user%d", i);
		snprintf(address, sizeof(address), "2001:db8:0:1::%x", i + 2);
		through += guess(account, address) == 0;
	}
	assert_int_equal(through, 12 * FREE + 12 * FREE - 1);
	assert_int_equal(guess("v6user1", "2001:db8:0:2::1"), 0);
}

static void
what_passes_is_given_back(void **state)
{
	struct throttle_visitor v = { .account = STR("fay"), .address = STR("192.0.2.60") };
	struct throttle t;
	int64_t wait;

	(void)state;
	pass(DAY);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(
		    throttle_charge(db, secret, FREE, THROTTLE_SIGN_IN, &v, &now, &t, &wait),
		    DB_END);
		assert_int_equal(wait, 0);
		assert_int_equal(throttle_give_back(db, &t, true), DB_END);
		pass(10 * SECOND);
	}
	/* what could not be known is given back, but forgets nothing */
	for (int i = 0; i < FREE; i++)
		assert_int_equal(guess("fay", "192.0.2.60"), 0);
	pass(5 * SECOND);
	assert_int_equal(
	    throttle_charge(db, secret, FREE, THROTTLE_SIGN_IN, &v, &now, &t, &wait), DB_END);
	assert_int_equal(wait, 0);
	assert_int_equal(throttle_give_back(db, &t, false), DB_END);
	assert_int_equal(guess("fay", "192.0.2.60"), 0);
	assert_int_equal(guess("fay", "192.0.2.60"), 10);
}

/* Signing in again and again, with the right password: how often it is let through at once. */
static int
right_ones(enum throttle_what what, const char *account, const uint8_t *device)
{
	struct throttle_visitor v = { str_of(account), STR("192.0.2.61"), device };
	struct throttle t;
	int64_t wait = 0;

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(
		    throttle_charge(db, secret, FREE, what, &v, &now, &t, &wait), DB_END);
		if (wait != 0)
			return i;
		assert_int_equal(throttle_give_back(db, &t, true), DB_END);
	}
	return 1000;
}

static void
who_knows_a_password_does_not_keep_all_turns_busy(void **state)
{
	static const uint8_t device[DEVICE_ID] = { 61 };

	(void)state;
	pass(DAY);
	assert_int_equal(right_ones(THROTTLE_SIGN_IN, "gil", NULL), 6 * FREE);
	assert_int_equal(right_ones(THROTTLE_SIGN_IN, "gil", device), 0);
	pass(10 * SECOND);
	assert_int_equal(right_ones(THROTTLE_SIGN_IN, "gil", device), 1);
	assert_int_equal(right_ones(THROTTLE_PRESENT, "gil", NULL), 6 * FREE);
	assert_int_equal(right_ones(THROTTLE_SIGN_IN, "hal", device), 6 * FREE);
}

static void
names_are_one_in_their_nfkc_form(void **state)
{
	(void)state;
	pass(DAY);
	for (int i = 0; i < FREE; i++)
		assert_int_equal(guess("h\xc3\xa9l", "192.0.2.70"), 0);
	assert_int_equal(guess("he\xcc\x81l", "192.0.2.70"), 5);
}

static void
hosts_with_other_clocks_count_together(void **state)
{
	struct throttle_now there = { "there", now.wall, 5 * SECOND }, here;

	(void)state;
	pass(DAY);
	there.wall = now.wall - 2 * SECOND;
	here = now;
	for (int i = 0; i < FREE; i++) {
		now = i % 2 == 0 ? here : there;
		assert_int_equal(guess("gus", "192.0.2.90"), 0);
	}
	now = there;
	assert_int_not_equal(guess("gus", "192.0.2.90"), 0);
	now = here;
	assert_int_not_equal(guess("gus", "192.0.2.90"), 0);
	/* a host that started anew has its wall clock again */
	now.boot = 1;
	assert_int_not_equal(guess("gus", "192.0.2.90"), 0);
}

static void
clock_that_is_set_resets_nothing_and_locks_nobody(void **state)
{
	static const int64_t steps[] = { HOUR, -HOUR, 3650 * DAY, -3650 * DAY, 30 * 365 * DAY };

	(void)state;
	for (size_t i = 0; i < NELEM(steps); i++) {
		char account[40];

		pass(DAY);
		snprintf(account, sizeof(account), "step%zu", i);
		for (int k = 0; k < FREE + 1; k++)
			(void)guess(account, "192.0.2.80");
		assert_int_equal(guess(account, "192.0.2.80"), 5);
		now.wall += steps[i];
		/* nothing is forgotten */
		assert_int_equal(guess(account, "192.0.2.80"), 5);
		/* and nobody waits longer than they were told, but for a tenth */
		pass(6 * SECOND);
		assert_int_equal(guess(account, "192.0.2.80"), 0);
		assert_int_equal(guess(account, "192.0.2.80"), 10);
		pass(12 * SECOND);
		assert_int_equal(guess(account, "192.0.2.80"), 0);
	}
}

static void
reset_and_registration_have_their_own_rates(void **state)
{
	int through = 0;

	(void)state;
	pass(DAY);
	for (int i = 0; i < 50; i++)
		through += guess_as(THROTTLE_RESET, "hal", "192.0.2.100", NULL) == 0;
	assert_int_equal(through, FREE);
	assert_int_equal(guess("hal", "192.0.2.100"), 0);
	through = 0;
	for (int i = 0; i < 50; i++)
		through += guess_as(THROTTLE_REGISTER, "", "192.0.2.100", NULL) == 0;
	assert_int_equal(through, 2 * FREE);
	/* the present password is asked of who is signed in: wherever they are */
	for (int i = 0; i < FREE; i++)
		assert_int_equal(guess_as(THROTTLE_PRESENT, "hal", "192.0.2.1", NULL), 0);
	assert_int_equal(guess_as(THROTTLE_PRESENT, "hal", "192.0.2.101", NULL), 5);
}

static void
networks_are_32_and_64_bits(void **state)
{
	static const char *const cases[][2] = { { "192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" }, { "unix:", "unix:" }, { "", "" } };

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		assert_str(throttle_network(a, str_of(cases[i][0])), cases[i][1]);
}

static void
device_cookie_is_of_one_account_and_signed(void **state)
{
	struct secret *other = secret_new("another key, as long as the first", 33);
	struct str cookie = device_add(secret, a, STR_NONE, STR("ada")), two, many;
	uint8_t id[DEVICE_ID], again[DEVICE_ID];
	char *bad;

	(void)state;
	assert_true(device_find(secret, a, cookie, STR("ada"), id));
	assert_false(device_find(secret, a, cookie, STR("ben"), again));
	assert_false(device_find(other, a, cookie, STR("ada"), again));
	assert_false(device_find(secret, a, STR_NONE, STR("ada"), again));
	assert_false(device_find(secret, a, STR("...."), STR("ada"), again));
	/* another account comes before it, and it stays what it was */
	two = device_add(secret, a, cookie, STR("ben"));
	assert_true(device_find(secret, a, two, STR("ada"), again));
	assert_memory_equal(id, again, DEVICE_ID);
	assert_int_equal(device_add(secret, a, two, STR("ada")).n, two.n);
	assert_true(str_starts(device_add(secret, a, two, STR("ada")), cookie.p));
	for (size_t i = 0; i < cookie.n; i++) {
		bad = arena_strdup(a, cookie.p);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		assert_false(device_find(secret, a, str_of(bad), STR("ada"), again));
	}
	many = cookie;
	for (int i = 0; i < 20; i++)
		many = device_add(secret, a, many, arena_printf(a, "user%d", i));
	assert_true(many.n <= DEVICE_MOST * 65);
	assert_false(device_find(secret, a, many, STR("ada"), again));
	secret_free(other);
}

/* No password is looked at that would not be counted. */
static void
attempt_that_cannot_be_counted_is_refused(void **state)
{
	struct throttle_visitor v = { STR("ivo"), STR("192.0.2.110"), NULL };
	struct auth auth = { .secret = secret };
	struct app app = { .name = "login" };
	struct app_state state_of = {
		.app = &app, .config = scratch_config, .db = db, .auth = &auth
	};
	struct request r = { .app = &state_of, .arena = a, .remote_addr = v.address };
	struct throttle t;
	int64_t wait = -2;

	(void)state;
	r.now = now.wall;
	pass(DAY);
	assert_int_equal(guess("ivo", "192.0.2.110"), 0);
	scratch_refuse(db, "throttle", true);
	assert_true(
	    throttle_charge(db, secret, FREE, THROTTLE_SIGN_IN, &v, &now, &t, &wait) < DB_END);
	assert_int_equal(throttle_ask(&r, THROTTLE_SIGN_IN, v.account, &t), -1);
	/* nothing was counted by halves */
	scratch_refuse(db, "throttle", false);
	for (int i = 1; i < FREE; i++)
		assert_int_equal(guess("ivo", "192.0.2.110"), 0);
	assert_int_equal(guess("ivo", "192.0.2.110"), 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delay_doubles_from_five_seconds_to_fifteen_minutes),
		cmocka_unit_test(hour_of_guessing_is_a_hundred_hashes_at_most),
		cmocka_unit_test(known_device_is_let_in_during_an_attack),
		cmocka_unit_test(fresh_address_has_a_part_that_attackers_do_not_reach),
		cmocka_unit_test(one_address_cannot_try_every_account),
		cmocka_unit_test(what_passes_is_given_back),
		cmocka_unit_test(who_knows_a_password_does_not_keep_all_turns_busy),
		cmocka_unit_test(names_are_one_in_their_nfkc_form),
		cmocka_unit_test(hosts_with_other_clocks_count_together),
		cmocka_unit_test(clock_that_is_set_resets_nothing_and_locks_nobody),
		cmocka_unit_test(reset_and_registration_have_their_own_rates),
		cmocka_unit_test(networks_are_32_and_64_bits),
		cmocka_unit_test(device_cookie_is_of_one_account_and_signed),
		cmocka_unit_test(attempt_that_cannot_be_counted_is_refused),
	};

	return engines_run("throttle", tests, NELEM(tests), set_up, tear_down);
}
