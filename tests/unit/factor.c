/*
 * factor: codes of phones, recovery codes, and what is counted, on every engine.
 */
#include "unit.h"

#include "account.h"
#include "auth/auth.h"
#include "auth/factor.h"
#include "auth/password.h"
#include "base/clock.h"
#include "engines.h"
#include "http/qr.h"
#include "race.h"
#include "scratch.h"
#include "tom/user.h"

#define KEY ((const uint8_t *)"12345678901234567890") /* RFC 6238, appendix B */

static struct arena *a;
static struct db *db;
static struct secret *secret;
static struct vault *vault;
static int64_t ada, ben;
static const int64_t start = INT64_C(1790000010) * SECOND;
static struct str codes[FACTOR_CODES];

static struct keyring
ring_of(const char *text)
{
	struct keyring ring;
	char err[200];

	assert_int_equal(keyring_parse(a, str_of(text), &ring, err, sizeof(err)), 0);
	return ring;
}

#define ONE "one-key-of-the-vault-0123456789-abcdef"
#define TWO "two-key-of-the-vault-0123456789-abcdef"

static int
set_up(void **state)
{
	struct keyring ring;

	(void)state;
	a = arena_new();
	secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	ring = ring_of(ONE);
	vault = vault_new(&ring);
	db = scratch_open();
	ada = add_account(db, &(struct account){ .username = STR("ada") }, 1);
	ben = add_account(db,
	    &(struct account){ .username = STR("ben"), .is_staff = true, .is_superuser = true }, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	vault_free(vault);
	secret_free(secret);
	arena_free(a);
	return 0;
}

static struct str
code_at(int64_t now)
{
	char *code = arena_alloc(a, TOTP_DIGITS + 1);

	totp_code(KEY, now / SECOND / TOTP_STEP, code);
	return str_of(code);
}

static enum factor_result
check(struct str code, int64_t now)
{
	return factor_check(db, a, secret, vault, ada, code, now);
}

/* Each test begins with a factor of ada's that was set up at `start`. */
static int
with_factor(void **state)
{
	bool was;

	(void)state;
	if (factor_remove(db, ada, &was) != DB_END || factor_remove(db, ben, &was) != DB_END)
		return -1;
	return factor_add(db, a, secret, vault, ada, KEY, code_at(start), start, codes) ==
	        FACTOR_RIGHT
	    ? 0
	    : -1;
}

static void
codes_are_those_of_rfc_6238(void **state)
{
	/* appendix B, SHA-1: the last six of its eight digits */
	static const struct {
		int64_t seconds;
		const char *code;
	} vectors[] = { { 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" },
		{ 1234567890, "005924" }, { 2000000000, "279037" },
		{ INT64_C(20000000000), "353130" } };

	(void)state;
	for (size_t i = 0; i < NELEM(vectors); i++) {
		char code[TOTP_DIGITS + 1];

		totp_code(KEY, vectors[i].seconds / TOTP_STEP, code);
		assert_string_equal(code, vectors[i].code);
		assert_int_equal(
		    totp_match(KEY, str_of(vectors[i].code), vectors[i].seconds * SECOND),
		    vectors[i].seconds / TOTP_STEP);
	}
	assert_int_equal(totp_match(KEY, STR("28708"), 59 * SECOND), 0);
	assert_int_equal(totp_match(KEY, STR("94287082"), 59 * SECOND), 0);
	assert_int_equal(totp_match(KEY, STR(""), 59 * SECOND), 0);
}

static void
key_is_shown_in_base32_and_as_a_uri(void **state)
{
	struct str uri = totp_uri(a, KEY, STR("Mt. Example: TOM"), STR("ada@obs"));

	(void)state;
	assert_str(totp_key_text(a, KEY), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
	assert_str(uri,
	    "otpauth://totp/Mt.%20Example%3A%20TOM:ada%40obs?secret="
	    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Mt.%20Example%3A%20TOM&digits=6&period=30");
}

static void
qr_code_is_a_path_of_whole_modules(void **state)
{
	struct qr qr;
	struct str uri = totp_uri(a, KEY, STR("Meridian"), STR("ada"));

	(void)state;
	assert_true(qr_draw(a, uri, &qr));
	assert_true(qr.side >= 29 && (qr.side - 8) % 4 == 1);
	/* the finder at the top left: seven dark modules behind the quiet zone */
	assert_true(str_starts(qr.path, "M4 4h7v1h-7z"));
	assert_int_equal(strspn(qr.path.p, "Mhvz- 0123456789"), qr.path.n);
	assert_false(qr_draw(a, STR(""), &qr));
	assert_false(qr_draw(a, (struct str){ arena_alloc(a, 5001), 5000 }, &qr));
}

static void
code_is_good_a_step_early_or_late(void **state)
{
	int64_t now = start + 10 * MINUTE, step = TOTP_STEP * SECOND;

	(void)state;
	assert_int_equal(check(code_at(now - 2 * step), now), FACTOR_WRONG);
	assert_int_equal(check(code_at(now + 2 * step), now), FACTOR_WRONG);
	assert_int_equal(check(code_at(now - step), now), FACTOR_RIGHT);
	assert_int_equal(check(code_at(now), now), FACTOR_RIGHT);
	assert_int_equal(check(code_at(now + step), now), FACTOR_RIGHT);
	assert_int_equal(check(STR_NONE, now), FACTOR_WRONG);
	now += MINUTE * 2;
	/* phones show a blank in the middle */
	assert_int_equal(check(arena_printf(a, "%.3s %s", code_at(now).p, code_at(now).p + 3), now),
	    FACTOR_RIGHT);
}

static void
code_is_good_once(void **state)
{
	int64_t now = start + 10 * MINUTE;

	(void)state;
	/* that of setting up, too */
	assert_int_equal(check(code_at(start), start), FACTOR_USED);
	assert_int_equal(check(code_at(now), now), FACTOR_RIGHT);
	assert_int_equal(check(code_at(now), now), FACTOR_USED);
	/* nor is an earlier one good after a later one */
	assert_int_equal(check(code_at(now - TOTP_STEP * SECOND), now), FACTOR_USED);
}

static int pipe_of_race[2];

static int
race_with_a_code(struct db *own, int which)
{
	struct arena *arena = arena_new();
	int64_t now = start + 20 * MINUTE;
	char right = factor_check(own, arena, secret, vault, ada, code_at(now), now) ==
	    FACTOR_RIGHT;

	(void)which;
	(void)!write(pipe_of_race[1], &right, 1);
	return 0;
}

static int
race_with_a_recovery_code(struct db *own, int which)
{
	struct arena *arena = arena_new();
	char right = factor_check(own, arena, secret, vault, ada, codes[0], start) ==
	    FACTOR_RECOVERY;

	(void)which;
	(void)!write(pipe_of_race[1], &right, 1);
	return 0;
}

/* How many of two that come at once were let in. */
static int
winners(race_fn *run)
{
	char right[2] = { 0 };

	assert_int_equal(pipe(pipe_of_race), 0);
	race_run(scratch_config, run);
	assert_int_equal(read(pipe_of_race[0], right, 2), 2);
	close(pipe_of_race[0]);
	close(pipe_of_race[1]);
	return right[0] + right[1];
}

static void
of_two_with_the_same_code_one_passes(void **state)
{
	(void)state;
	assert_int_equal(winners(race_with_a_code), 1);
	assert_int_equal(winners(race_with_a_recovery_code), 1);
}

static void
guesses_are_slowed_down_wherever_they_come_from(void **state)
{
	int64_t now = start + 10 * MINUTE, looked = 0;
	struct factor f;

	(void)state;
	for (int i = 0; i < FACTOR_FREE; i++)
		assert_int_equal(check(STR("000000"), now), FACTOR_WRONG);
	/* not even the right one is looked at, and nothing is counted for asking */
	for (int i = 0; i < 20; i++)
		assert_int_equal(check(code_at(now), now), FACTOR_WAIT);
	assert_int_equal(factor_get(db, ada, &f), DB_END);
	assert_true(f.there && f.retry_at == now + MINUTE);
	/* in a day of guessing each second some 100 are looked at: one in 3,000 days is right */
	for (int64_t t = now; t < now + DAY; t += 29 * SECOND)
		looked += check(STR("000000"), t) == FACTOR_WRONG;
	assert_true(looked > 80 && looked < 110);
	/* the owner's way in meanwhile, after which all is forgiven */
	now += DAY;
	assert_int_equal(check(codes[3], now), FACTOR_RECOVERY);
	assert_int_equal(check(code_at(now), now), FACTOR_RIGHT);
	assert_int_equal(factor_get(db, ada, &f), DB_END);
	assert_true(f.retry_at == 0);
	assert_int_equal(f.codes_left, FACTOR_CODES - 1);
}

static int
race_with_guesses(struct db *own, int which)
{
	struct arena *arena = arena_new();
	int64_t now = start + 10 * MINUTE;
	char looked = 0;

	(void)which;
	for (int i = 0; i < 20; i++)
		if (factor_check(own, arena, secret, vault, ada, STR("000000"), now) ==
		    FACTOR_WRONG)
			looked++;
	(void)!write(pipe_of_race[1], &looked, 1);
	return 0;
}

static void
guesses_at_once_are_counted_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(winners(race_with_guesses), FACTOR_FREE);
}

static void
recovery_codes_are_good_once_each(void **state)
{
	struct str typed[FACTOR_CODES], fresh[FACTOR_CODES];
	struct factor f;
	char *shout;

	(void)state;
	for (size_t i = 0; i < FACTOR_CODES; i++) {
		assert_int_equal(codes[i].n, FACTOR_CODE_TEXT);
		for (size_t k = 0; k < i; k++)
			assert_false(str_eq(codes[i], codes[k]));
	}
	assert_int_equal(check(codes[0], start), FACTOR_RECOVERY);
	assert_int_equal(check(codes[0], start), FACTOR_WRONG);
	/* in capitals, with blanks, with O for 0 */
	shout = arena_strdup(a, codes[1].p);
	for (size_t i = 0; shout[i] != '\0'; i++)
		shout[i] = (char)(shout[i] == '-' ? ' '
		        : shout[i] == '0'         ? 'O'
		        : shout[i] >= 'a'         ? shout[i] - 'a' + 'A'
		                                  : shout[i]);
	assert_int_equal(check(str_of(shout), start), FACTOR_RECOVERY);
	/* they are of their owner only */
	assert_int_equal(
	    factor_add(db, a, secret, vault, ben, KEY, code_at(start), start, typed), FACTOR_RIGHT);
	assert_int_equal(check(typed[0], start), FACTOR_WRONG);
	assert_int_equal(factor_get(db, ada, &f), DB_END);
	assert_int_equal(f.codes_left, FACTOR_CODES - 2);
	/* new ones end the old ones */
	assert_int_equal(factor_new_codes(db, a, secret, ada, fresh), DB_END);
	assert_int_equal(check(codes[2], start), FACTOR_WRONG);
	assert_int_equal(check(fresh[2], start), FACTOR_RECOVERY);
	/* and they need no vault */
	assert_int_equal(factor_check(db, a, secret, NULL, ada, fresh[3], start), FACTOR_RECOVERY);
	assert_int_equal(
	    factor_check(db, a, secret, NULL, ada, code_at(start), start), FACTOR_LOCKED);
}

static void
factor_is_set_up_once_and_by_its_code(void **state)
{
	uint8_t key[TOTP_KEY], back[TOTP_KEY];
	struct str fresh[FACTOR_CODES], offer;
	char code[TOTP_DIGITS + 1];
	bool was;

	(void)state;
	offer = factor_offer(vault, a, ben, start, key);
	assert_true(factor_offer_read(vault, a, ben, offer, start + HOUR - 1, back));
	assert_memory_equal(key, back, TOTP_KEY);
	assert_false(factor_offer_read(vault, a, ben, offer, start + HOUR, back));
	assert_false(factor_offer_read(vault, a, ada, offer, start, back));
	totp_code(key, start / SECOND / TOTP_STEP, code);
	assert_int_equal(
	    factor_add(db, a, secret, vault, ben, key, code_at(start), start, fresh), FACTOR_WRONG);
	assert_int_equal(factor_check(db, a, secret, vault, ben, str_of(code), start), FACTOR_NONE);
	assert_int_equal(
	    factor_add(db, a, secret, vault, ben, key, str_of(code), start, fresh), FACTOR_RIGHT);
	/* another key does not take its place: that would be a way round it */
	assert_int_equal(
	    factor_add(db, a, secret, vault, ben, KEY, code_at(start), start, fresh), FACTOR_TAKEN);
	assert_int_equal(factor_remove(db, ben, &was), DB_END);
	assert_true(was);
	assert_int_equal(factor_remove(db, ben, &was), DB_END);
	assert_false(was);
	assert_int_equal(factor_check(db, a, secret, vault, ben, fresh[0], start), FACTOR_WRONG);
}

static bool
gets_session(int64_t user, int64_t factor)
{
	static const struct session_limits limits = { HOUR, HOUR, HOUR, HOUR };
	const struct proof proof = { .user = user, .password_changed = 1, .factor = factor };
	struct session s;
	struct str token;
	enum db_result r = session_add(db, a, secret, &limits, &proof,
	    (struct session_origin){ .address = STR_NONE }, start, &token, &s);

	assert_true(r == DB_END || r == DB_REFUSED);
	return r == DB_END;
}

static int64_t
sessions_of(int64_t user)
{
	int64_t n;

	assert_int_equal(session_end_others(db, user, NULL, &n), DB_END);
	return n;
}

static void
factor_that_comes_or_goes_ends_all_sessions(void **state)
{
	struct str fresh[FACTOR_CODES];
	bool was;

	(void)state;
	assert_true(gets_session(ada, start) && gets_session(ben, 0));
	assert_int_equal(factor_remove(db, ada, &was), DB_END);
	assert_int_equal(sessions_of(ada), 0);
	assert_true(gets_session(ada, 0));
	assert_int_equal(
	    factor_add(db, a, secret, vault, ada, KEY, code_at(start), start, fresh), FACTOR_RIGHT);
	assert_int_equal(sessions_of(ada), 0);
	/* nor does one begin by a password that was right just before */
	assert_false(gets_session(ada, 0));
	assert_int_equal(sessions_of(ada), 0);
	assert_true(gets_session(ada, start));
	assert_int_equal(sessions_of(ada), 1);
	assert_int_equal(sessions_of(ben), 1);
}

static struct str
sealed_of(int64_t user)
{
	struct query *q = db_query(db, QUERY_FACTOR_FIND);
	struct str sealed;

	db_int(q, "user", user);
	assert_int_equal(db_step(q), DB_ROW);
	sealed = db_col_copy(q, "secret", a);
	assert_int_equal(db_done(q), DB_END);
	return sealed;
}

/* Who can write the database knows his own key, but cannot make it somebody else's. */
static void
sealed_key_is_of_its_row(void **state)
{
	struct str fresh[FACTOR_CODES], mine = sealed_of(ada), theirs;
	struct query *q;

	(void)state;
	assert_int_equal(
	    factor_add(db, a, secret, vault, ben, KEY, code_at(start), start, fresh), FACTOR_RIGHT);
	theirs = sealed_of(ben);
	assert_null(memmem(mine.p, mine.n, KEY, TOTP_KEY));
	q = db_query(db, QUERY_FACTOR_RESEAL);
	db_int(q, "user", ben);
	db_bytes(q, "old", theirs.p, theirs.n);
	db_bytes(q, "new", mine.p, mine.n);
	assert_int_equal(db_run(q), DB_END);
	assert_int_equal(db_changes(db), 1);
	assert_int_equal(
	    factor_check(db, a, secret, vault, ben, code_at(start + MINUTE), start + MINUTE),
	    FACTOR_LOCKED);
}

static void
keys_are_sealed_anew_however_often(void **state)
{
	struct keyring both = ring_of(ONE "\n" TWO " from 2001-01-01T00:00:00Z"),
	               fresh = ring_of(TWO);
	struct vault *rotating = vault_new(&both), *after = vault_new(&fresh);
	struct str theirs[FACTOR_CODES];
	int64_t resealed, locked, now = start + 10 * MINUTE;

	(void)state;
	assert_int_equal(factor_add(db, a, secret, vault, ben, KEY, code_at(start), start, theirs),
	    FACTOR_RIGHT);
	assert_int_equal(factor_reseal(db, rotating, &resealed, &locked), DB_END);
	assert_true(resealed == 2 && locked == 0);
	assert_int_equal(factor_reseal(db, rotating, &resealed, &locked), DB_END);
	assert_true(resealed == 0 && locked == 0);
	assert_int_equal(factor_check(db, a, secret, after, ada, code_at(now), now), FACTOR_RIGHT);
	assert_int_equal(
	    factor_check(db, a, secret, vault, ada, code_at(now + MINUTE), now + MINUTE),
	    FACTOR_LOCKED);
	/* of a key that is lost nothing is sealed anew, and it is said */
	assert_int_equal(factor_reseal(db, vault, &resealed, &locked), DB_END);
	assert_true(resealed == 0 && locked == 2);
	vault_free(rotating);
	vault_free(after);
}

static void
who_must_have_one_is_configured(void **state)
{
	const struct user user = { .id = 1 }, superuser = { .id = 2, .is_superuser = true };
	static const struct {
		const char *value;
		bool user, superuser;
	} rules[] = { { "none", false, false }, { "superusers", false, true },
		{ "all", true, true } };
	struct str names[4];
	char err[300];
	size_t n;

	(void)state;
	for (size_t i = 0; i < NELEM(rules); i++) {
		struct config *c;

		setenv("MERIDIAN_TOM_MFA_REQUIRED", rules[i].value, 1);
		unsetenv("MERIDIAN_VAULT_KEY_FILE");
		assert_non_null(c = config_load(err, sizeof(err)));
		assert_int_equal(factor_required(c, &user), rules[i].user);
		assert_int_equal(factor_required(c, &superuser), rules[i].superuser);
		assert_int_equal(factor_config_wrong(c) != NULL, i > 0);
		config_free(c);
		setenv("MERIDIAN_VAULT_KEY_FILE", "/nowhere", 1);
		assert_non_null(c = config_load(err, sizeof(err)));
		assert_null(factor_config_wrong(c));
		config_free(c);
	}
	unsetenv("MERIDIAN_TOM_MFA_REQUIRED");
	unsetenv("MERIDIAN_VAULT_KEY_FILE");
	assert_int_equal(factor_missing(db, a, NELEM(names), names, &n), DB_END);
	assert_int_equal(n, 1);
	assert_str(names[0], "ben");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_rfc_6238),
		cmocka_unit_test(key_is_shown_in_base32_and_as_a_uri),
		cmocka_unit_test(qr_code_is_a_path_of_whole_modules),
		cmocka_unit_test_setup(code_is_good_a_step_early_or_late, with_factor),
		cmocka_unit_test_setup(code_is_good_once, with_factor),
		cmocka_unit_test_setup(of_two_with_the_same_code_one_passes, with_factor),
		cmocka_unit_test_setup(
		    guesses_are_slowed_down_wherever_they_come_from, with_factor),
		cmocka_unit_test_setup(guesses_at_once_are_counted_one_by_one, with_factor),
		cmocka_unit_test_setup(recovery_codes_are_good_once_each, with_factor),
		cmocka_unit_test_setup(factor_is_set_up_once_and_by_its_code, with_factor),
		cmocka_unit_test_setup(factor_that_comes_or_goes_ends_all_sessions, with_factor),
		cmocka_unit_test_setup(sealed_key_is_of_its_row, with_factor),
		cmocka_unit_test_setup(keys_are_sealed_anew_however_often, with_factor),
		cmocka_unit_test_setup(who_must_have_one_is_configured, with_factor),
	};

	return engines_run("factor", tests, NELEM(tests), set_up, tear_down);
}
