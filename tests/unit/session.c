/*
 * session: rows of signed-in browsers, users and groups, against a scratch database.
 */
#include "unit.h"

#include "account.h"
#include "auth/auth.h"
#include "auth/password.h"
#include "auth/session.h"
#include "auth/session_list.h"
#include "auth/token.h"
#include "engines.h"
#include "scratch.h"
#include "tom/group.h"
#include "tom/user.h"

#define GOOD "kettle-Ostrich-9-brine"
#define OTHER "lantern-Quince-4-harbour"

static struct arena *a;
static struct config *config;
static struct db *db;
static struct secret *secret;
static const struct session_limits limits = { 12 * HOUR, 14 * DAY, 2 * HOUR, 24 * HOUR };
static int64_t ada, staff;
static const struct session_origin origin = { { "192.0.2.7", 9 },
	{ "Mozilla/5.0 \xff (X11)", 19 } };
static const int64_t start = INT64_C(1790000000) * SECOND;

/* Hashes of today's cost for a little of it: that they cost it is what tests/unit/password is for. */
int __real_libscrypt_scrypt(const uint8_t *, size_t, const uint8_t *, size_t, uint64_t, uint32_t,
    uint32_t, uint8_t *, size_t);
int __wrap_libscrypt_scrypt(const uint8_t *, size_t, const uint8_t *, size_t, uint64_t, uint32_t,
    uint32_t, uint8_t *, size_t);
int
__wrap_libscrypt_scrypt(const uint8_t *password, size_t npassword, const uint8_t *salt,
    size_t nsalt, uint64_t n, uint32_t r, uint32_t p, uint8_t *key, size_t nkey)
{
	return __real_libscrypt_scrypt(
	    password, npassword, salt, nsalt, n < 1 << 17 ? n : 2, r, p, key, nkey);
}

static int
set_up(void **state)
{
	struct account u = { .username = STR("ada"), .first_name = STR("Ada") };
	struct user_problems why;

	(void)state;
	a = arena_new();
	secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "0", 1);
	db = scratch_open();
	config = scratch_config;
	password_configure(config);
	if (user_add(db, a, config, &u, STR(GOOD), &ada, &why) != USER_DONE)
		return -1;
	u = (struct account){ .username = STR("staff"), .is_staff = true };
	return user_add(db, a, config, &u, STR(GOOD), &staff, &why) == USER_DONE ? 0 : -1;
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

/* Who the token is at that time, under that key; the row in *s. */
static const struct user *
find_with(struct secret *k, struct str token, int64_t now, struct session **s)
{
	uint8_t hash[SECRET_SIZE];
	const struct user *u;
	struct query *q = session_ask(db, k, token, now, hash);

	*s = NULL;
	if (q == NULL)
		return NULL;
	assert_int_equal(session_read(q, k, &limits, hash, now, a, s, &u), DB_END);
	assert_true((u == NULL) == (*s == NULL));
	return u;
}

static const struct user *
find(struct str token, int64_t now)
{
	struct session *s;

	return find_with(secret, token, now, &s);
}

/* What somebody who just gave the password of today has. */
static struct proof
proof_of(const char *username)
{
	struct account u;

	assert_int_equal(user_find(db, a, str_of(username), &u), USER_DONE);
	return (struct proof){ .user = u.id, .password_changed = u.password_changed };
}

static struct str
sign_in(int64_t user, int64_t now)
{
	struct proof proof = proof_of(user == ada ? "ada" : "staff");
	struct session s;
	struct str token;

	assert_int_equal(
	    session_add(db, a, secret, &limits, &proof, origin, now, &token, &s), DB_END);
	return token;
}

static void
session_finds_its_user_and_groups(void **state)
{
	struct str token = sign_in(ada, start);
	const struct user *u = find(token, start);
	int64_t g1, g2;

	(void)state;
	assert_non_null(u);
	assert_str(u->username, "ada");
	assert_str(u->first_name, "Ada");
	assert_int_equal(u->ngroups, 0);
	assert_int_equal(u->nprincipals, 3);
	assert_int_equal(group_add(db, STR(" ZTF partners "), &g1), GROUP_DONE);
	assert_int_equal(group_add(db, STR("Follow-up"), &g2), GROUP_DONE);
	assert_int_equal(group_join(db, g1, ada), GROUP_DONE);
	assert_int_equal(group_join(db, g2, ada), GROUP_DONE);
	assert_int_equal(group_join(db, g2, ada), GROUP_DONE);
	u = find(token, start);
	assert_int_equal(u->ngroups, 2);
	assert_int_equal(u->nprincipals, 5);
	assert_int_equal(group_leave(db, g1, ada), GROUP_DONE);
	assert_int_equal(find(token, start)->ngroups, 1);
}

static void
unknown_token_is_nobody_and_makes_no_row(void **state)
{
	static const char token[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	(void)state;
	assert_null(find(str_of(token), start));
	assert_null(find(str_of(token), start));
	assert_null(find(STR("AAAA"), start));
	assert_null(find(STR(""), start));
	assert_null(find(STR_NONE, start));
}

static void
tokens_differ_and_the_table_has_none(void **state)
{
	struct str one = sign_in(ada, start), two = sign_in(ada, start);
	uint8_t bytes[SECRET_SIZE];
	struct session *s;

	(void)state;
	assert_int_equal(one.n, SECRET_TEXT);
	assert_false(str_eq(one, two));
	assert_non_null(find_with(secret, one, start, &s));
	assert_true(secret_decode(one, bytes, sizeof(bytes)));
	assert_memory_not_equal(bytes, s->token_hash, SECRET_SIZE);
}

static void
session_ends_when_unused(void **state)
{
	struct str token = sign_in(ada, start), theirs = sign_in(staff, start);

	(void)state;
	assert_non_null(find(token, start + 12 * HOUR - 1));
	assert_null(find(token, start + 12 * HOUR));
	assert_non_null(find(theirs, start + 2 * HOUR - 1));
	assert_null(find(theirs, start + 2 * HOUR));
	/* a clock that was set back ends nothing */
	assert_non_null(find(token, start - 365 * DAY));
}

static void
session_ends_after_its_time_however_used(void **state)
{
	struct str token = sign_in(ada, start), theirs = sign_in(staff, start);
	struct session *s;
	int64_t now;

	(void)state;
	for (now = start; now < start + 14 * DAY; now += 6 * HOUR) {
		assert_non_null(find_with(secret, token, now, &s));
		assert_int_equal(session_touch(db, s, now), DB_END);
	}
	assert_null(find(token, start + 14 * DAY));
	for (now = start; now < start + 24 * HOUR; now += HOUR) {
		assert_non_null(find_with(secret, theirs, now, &s));
		assert_int_equal(session_touch(db, s, now), DB_END);
	}
	assert_null(find(theirs, start + 24 * HOUR));
}

static void
session_of_who_became_staff_ends_as_theirs(void **state)
{
	struct session s = {
		.created = start, .last_seen = start + 23 * HOUR, .expires = start + 14 * DAY
	};

	(void)state;
	assert_false(session_has_ended(&s, &limits, false, start + 24 * HOUR));
	assert_false(session_has_ended(&s, &limits, true, start + 24 * HOUR - 1));
	assert_true(session_has_ended(&s, &limits, true, start + 24 * HOUR));
	s.expires = start + 24 * HOUR; /* and of who is staff no more, as it was given */
	assert_true(session_has_ended(&s, &limits, false, start + 24 * HOUR));
}

static void
use_is_noted_once_a_minute(void **state)
{
	struct str token = sign_in(ada, start);
	struct session *s;

	(void)state;
	find_with(secret, token, start, &s);
	assert_int_equal(session_touch(db, s, start + MINUTE - 1), DB_END);
	find_with(secret, token, start, &s);
	assert_true(s->last_seen == start);
	assert_int_equal(session_touch(db, s, start + MINUTE), DB_END);
	find_with(secret, token, start + MINUTE, &s);
	assert_true(s->last_seen == start + MINUTE);
}

static void
ended_session_does_not_come_back(void **state)
{
	struct str token = sign_in(ada, start);
	struct session *s;

	(void)state;
	assert_non_null(find_with(secret, token, start, &s));
	assert_int_equal(session_end(db, s), DB_END);
	assert_null(find(token, start));
	/* another process, which still holds the row, notes its use */
	assert_int_equal(session_touch(db, s, start + HOUR), DB_END);
	assert_null(find(token, start));
}

static void
others_of_a_user_end_and_the_one_kept_goes_on(void **state)
{
	struct str kept = sign_in(ada, start), other = sign_in(ada, start);
	struct str theirs = sign_in(staff, start);
	struct session *s;
	int64_t n;

	(void)state;
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
	assert_null(find(kept, start));
	kept = sign_in(ada, start);
	sign_in(ada, start);
	other = sign_in(ada, start);
	assert_non_null(find_with(secret, kept, start, &s));
	assert_int_equal(session_end_others(db, ada, s, &n), DB_END);
	assert_int_equal(n, 2);
	assert_null(find(other, start));
	assert_non_null(find(kept, start));
	assert_non_null(find(theirs, start));
}

static void
row_that_was_not_signed_by_us_is_no_session(void **state)
{
	struct secret *other = secret_new("another key of thirty-two bytes!", 32);
	struct str token = sign_in(ada, start);
	struct session *s;

	(void)state;
	assert_non_null(find_with(secret, token, start, &s));
	assert_null(find_with(other, token, start, &s));
	secret_free(other);
	/* nor is one whose signature is cut */
	assert_int_equal(db_run_text(db,
	                     (const char *const[]){ db_engine(db) == DB_POSTGRESQL
	                             ? "UPDATE session SET auth_hash = '\\x00'"
	                             : "UPDATE session SET auth_hash = x'00'" },
	                     1),
	    DB_END);
	assert_null(find(token, start));
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
}

/* Writes a hash of ada's, as one program or another would. */
static void
set_hash(struct str encoded, int64_t changed)
{
	struct query *q = db_query(db, QUERY_USER_SET_PASSWORD);

	db_text(q, "password", encoded);
	db_int(q, "now", changed);
	db_int(q, "before", proof_of("ada").password_changed);
	db_int(q, "id", ada);
	assert_int_equal(db_run(q), DB_END);
}

static void
password_change_ends_every_session(void **state)
{
	struct str token = sign_in(ada, start);
	struct user_problems why;
	struct account u;
	struct proof p;

	(void)state;
	assert_int_equal(user_find(db, a, STR("ada"), &u), USER_DONE);
	assert_int_equal(user_set_password(db, a, config, &u, STR("short"), &why), USER_WRONG);
	assert_int_equal(why.n, 1);
	assert_non_null(find(token, start));
	assert_int_equal(user_set_password(db, a, config, &u, STR(OTHER), &why), USER_DONE);
	assert_true(u.password_changed == proof_of("ada").password_changed);
	assert_null(find(token, start));
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR(GOOD), &p), AUTH_NO);
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR(OTHER), &p), AUTH_YES);
	assert_true(p.user == ada && p.password_changed == u.password_changed);
	/* one that was added meanwhile for the password before is bound to that */
	token = sign_in(ada, start);
	set_hash(STR("!"), u.password_changed + 1);
	assert_null(find(token, start));
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR("!"), &p), AUTH_NO);
	u.password_changed++;
	assert_int_equal(user_set_password(db, a, config, &u, STR(GOOD), &why), USER_DONE);
	u.id = 999;
	assert_int_equal(user_set_password(db, a, config, &u, STR(GOOD), &why), USER_CHANGED);
}

static void
password_changed_meanwhile_lets_nobody_in_with_the_old_one(void **state)
{
	struct user_problems why;
	struct account here, there;
	struct session s;
	struct str token;
	struct proof p;

	(void)state;
	/* the old password was right; then it is changed; only then the session would be made */
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR(GOOD), &p), AUTH_YES);
	assert_int_equal(user_find(db, a, STR("ada"), &here), USER_DONE);
	there = here;
	assert_int_equal(user_set_password(db, a, config, &there, STR(OTHER), &why), USER_DONE);
	assert_int_equal(
	    session_add(db, a, secret, &limits, &p, origin, start, &token, &s), DB_REFUSED);
	/* nor does a change that began with the old one undo the other */
	assert_int_equal(user_set_password(db, a, config, &here, STR(GOOD), &why), USER_CHANGED);
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR(OTHER), &p), AUTH_YES);
	assert_int_equal(user_set_password(db, a, config, &there, STR(GOOD), &why), USER_DONE);
}

/* A token that a password alone got. */
static void
get_token(const char *username)
{
	struct proof p = proof_of(username);
	struct str text;

	assert_int_equal(token_add_automatic(db, a, secret, &p, start, 0, &text), DB_END);
}

static size_t
tokens_of(int64_t user)
{
	struct token *list;
	size_t n;

	assert_int_equal(token_list(db, a, user, &list, &n), DB_END);
	return n;
}

static void
another_password_ends_the_tokens_that_the_one_before_got(void **state)
{
	struct token mine = { .user_id = ada, .name = STR("mine"), .scopes = STR("read") };
	struct user_change c = { .parts = USER_PASSWORD, .password = STR(GOOD) };
	struct user_problems why = { .n = 0 };
	struct account u;
	struct str text;

	(void)state;
	assert_int_equal(token_add(db, a, secret, &mine, &text), DB_END);
	get_token("ada");
	get_token("staff");
	assert_int_equal(user_find(db, a, STR("ada"), &u), USER_DONE);
	assert_int_equal(user_set_password(db, a, config, &u, STR(OTHER), &why), USER_DONE);
	assert_int_equal(tokens_of(ada), 1); /* what was made by hand goes on */
	get_token("ada");
	c.to = u;
	assert_int_equal(user_change(db, a, config, &c, &why), USER_DONE);
	assert_int_equal(tokens_of(ada), 1);
	assert_int_equal(tokens_of(staff), 1);
}

static void
the_oldest_of_very_many_sessions_ends(void **state)
{
	struct str first = sign_in(ada, start), second = sign_in(ada, start + 1), other;

	(void)state;
	other = sign_in(staff, start);
	for (int i = 2; i < SESSIONS_MAX; i++)
		(void)sign_in(ada, start + i);
	assert_non_null(find(first, start + MINUTE));
	(void)sign_in(ada, start + SESSIONS_MAX);
	assert_null(find(first, start + MINUTE));
	assert_non_null(find(second, start + MINUTE));
	assert_non_null(find(other, start + MINUTE));
	/* one that begins by a clock that was set back is not the oldest */
	assert_non_null(find(sign_in(ada, start - DAY), start - DAY + MINUTE));
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
}

static void
lists_tell_whose_and_from_where_the_newest_first(void **state)
{
	int64_t later = start + 100 * DAY;
	struct str first = sign_in(ada, later), second = sign_in(staff, later + 1);
	struct session_entry *list;
	struct session_place next;
	struct session *s;
	size_t n;
	bool more;

	(void)state;
	assert_int_equal(session_list_user(db, a, &limits, ada, later, 10, &list, &n), DB_END);
	assert_int_equal(n, 1);
	assert_str(list[0].username, "ada");
	assert_str(list[0].address, "192.0.2.7");
	assert_str(list[0].agent, "Mozilla/5.0 ? (X11)");
	assert_int_equal(list[0].factor, 0);
	assert_int_equal(
	    session_list_all(db, a, &limits, later, NULL, 1, &list, &n, &more, &next), DB_END);
	assert_int_equal(n, 1);
	assert_true(more && list[0].user_id == staff);
	assert_int_equal(
	    session_list_all(db, a, &limits, later, &next, 1, &list, &n, &more, &next), DB_END);
	assert_true(n == 1 && list[0].user_id == ada);
	/* one that ended by disuse is none, though its row is there */
	assert_int_equal(
	    session_list_user(db, a, &limits, ada, later + 13 * HOUR, 10, &list, &n), DB_END);
	assert_int_equal(n, 0);
	assert_non_null(find_with(secret, first, later, &s));
	assert_non_null(find(second, later));
}

/* A superuser's session ends by disuse as that of staff does, in lists too. */
static void
lists_know_how_long_a_superusers_session_lasts(void **state)
{
	int64_t later = start + 200 * DAY,
	        root = add_account(
	            db, &(struct account){ .username = STR("root"), .is_superuser = true }, start);
	struct proof proof = { .user = root, .password_changed = start };
	struct session_place next;
	struct session_entry *list;
	struct session s;
	struct str token;
	size_t n;
	bool more;

	(void)state;
	assert_int_equal(
	    session_add(db, a, secret, &limits, &proof, origin, later, &token, &s), DB_END);
	assert_true(s.expires == later + 24 * HOUR);
	assert_int_equal(
	    session_list_user(db, a, &limits, root, later + 2 * HOUR - 1, 10, &list, &n), DB_END);
	assert_int_equal(n, 1);
	assert_true(list[0].created == later && list[0].last_seen == later);
	assert_int_equal(
	    session_list_user(db, a, &limits, root, later + 2 * HOUR, 10, &list, &n), DB_END);
	assert_int_equal(n, 0);
	/* and there is no more where a page is not full */
	assert_int_equal(
	    session_list_all(db, a, &limits, later, NULL, 2, &list, &n, &more, &next), DB_END);
	assert_int_equal(n, 1);
	assert_false(more);
	assert_int_equal(
	    session_list_all(db, a, &limits, later, NULL, 1, &list, &n, &more, &next), DB_END);
	assert_true(more);
	assert_true(next.created == later);
	assert_memory_equal(next.token_hash, s.token_hash, SECRET_SIZE);
	assert_int_equal(session_end_others(db, root, NULL, NULL), DB_END);
}

/* Page by page, each once. */
static void
sessions_of_one_moment_are_all_listed(void **state)
{
	int64_t later = start + 300 * DAY;
	struct session_place place = { .created = later + 1 };
	struct session_entry *list;
	uint8_t seen[3][SECRET_SIZE];
	size_t n, pages = 0;
	bool more = true;

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)sign_in(ada, later);
	while (more && pages < 3) {
		assert_int_equal(session_list_all(db, a, &limits, later, pages == 0 ? NULL : &place,
		                     1, &list, &n, &more, &place),
		    DB_END);
		assert_int_equal(n, 1);
		assert_true(list[0].created == later);
		memcpy(seen[pages], list[0].token_hash, SECRET_SIZE);
		assert_true(pages == 0 || memcmp(seen[pages - 1], seen[pages], SECRET_SIZE) > 0);
		pages++;
	}
	assert_int_equal(pages, 3);
	assert_int_equal(
	    session_list_all(db, a, &limits, later, &place, 1, &list, &n, &more, &place), DB_END);
	assert_int_equal(n, 0);
	assert_false(more);
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
}

static void
sessions_are_told_whose_they_are(void **state)
{
	struct str token = sign_in(staff, start), name;
	struct session *s;
	int64_t user = 0;

	(void)state;
	assert_non_null(find_with(secret, token, start, &s));
	assert_int_equal(session_owner(db, a, s->token_hash, &user, &name), DB_ROW);
	assert_true(user == staff);
	assert_str(name, "staff");
	assert_int_equal(session_end(db, s), DB_END);
	assert_int_equal(session_owner(db, a, s->token_hash, &user, &name), DB_END);
}

/* Of one letter a byte that every engine keeps, and no longer than there is use for. */
static void
what_a_browser_says_is_kept_short_and_plain(void **state)
{
	static const char said[] = " ~\x1f\x7f\x80\xff\n\"<";
	struct proof proof = proof_of("ada");
	struct session_entry *list;
	char address[150], agent[400];
	struct session s;
	struct str token;
	size_t n;

	(void)state;
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
	memset(address, '1', sizeof(address));
	memset(agent, 'x', sizeof(agent));
	memcpy(agent, said, strlen(said));
	for (size_t shorter = 0; shorter < 2; shorter++) {
		struct session_origin from = { { address, shorter ? 100 : 150 },
			{ agent, shorter ? 300 : 400 } };

		assert_int_equal(
		    session_add(db, a, secret, &limits, &proof, from, start, &token, &s), DB_END);
		assert_int_equal(
		    session_list_user(db, a, &limits, ada, start, 10, &list, &n), DB_END);
		assert_int_equal(n, 1);
		assert_int_equal(list[0].address.n, 100);
		assert_int_equal(list[0].agent.n, 300);
		assert_int_equal(strncmp(list[0].agent.p, " ~?????\"<xxx", 12), 0);
		assert_int_equal(session_end(db, &s), DB_END);
	}
}

static void
second_factor_is_asked_for_and_kept_with_the_session(void **state)
{
	struct proof proof = proof_of("ada");
	struct session_entry *list;
	struct session s, *found;
	struct str token;
	struct query *q;
	size_t n;

	(void)state;
	assert_int_equal(session_end_others(db, ada, NULL, NULL), DB_END);
	q = db_query(db, QUERY_FACTOR_ADD);
	db_int(q, "user", ada);
	db_bytes(q, "secret", "sealed", 6);
	db_int(q, "now", start);
	db_int(q, "step", 1);
	assert_int_equal(db_run(q), DB_END);
	assert_int_equal(
	    session_add(db, a, secret, &limits, &proof, origin, start, &token, &s), DB_REFUSED);
	proof.factor = start - MINUTE;
	assert_int_equal(
	    session_add(db, a, secret, &limits, &proof, origin, start, &token, &s), DB_END);
	assert_non_null(find_with(secret, token, start, &found));
	assert_true(found->factor == start - MINUTE);
	assert_int_equal(session_list_user(db, a, &limits, ada, start, 10, &list, &n), DB_END);
	assert_true(n == 1 && list[0].factor == start - MINUTE);
	q = db_query(db, QUERY_FACTOR_REMOVE);
	db_int(q, "user", ada);
	assert_int_equal(db_run(q), DB_END);
	assert_int_equal(session_end(db, found), DB_END);
}

static void
sessions_end_by_name_of_their_owner_alone(void **state)
{
	struct str one = sign_in(ada, start), two = sign_in(ada, start), other;
	uint8_t hash[SECRET_SIZE];
	struct session *s;
	int64_t ended;

	(void)state;
	assert_non_null(find_with(secret, one, start, &s));
	assert_true(session_of_name(session_name(a, s->token_hash), hash));
	assert_false(session_of_name(STR("x"), hash));
	assert_int_equal(session_end_named(db, staff, hash), DB_END);
	assert_non_null(find(one, start));
	assert_int_equal(session_end_named(db, ada, hash), DB_ROW);
	assert_int_equal(session_end_named(db, ada, hash), DB_END);
	assert_null(find(one, start));
	other = sign_in(ada, start);
	assert_non_null(find_with(secret, other, start, &s));
	assert_int_equal(session_end_others(db, ada, s, &ended), DB_END);
	assert_true(ended >= 1);
	assert_null(find(two, start));
	assert_non_null(find(other, start));
	two = sign_in(staff, start);
	assert_int_equal(session_end_others(db, ada, NULL, &ended), DB_END);
	assert_int_equal(ended, 1);
	assert_non_null(find(two, start));
	assert_int_equal(session_end_all(db, &ended), DB_END);
	assert_null(find(two, start));
}

static void
agents_are_told_in_words(void **state)
{
	static const char *const cases[][2] = {
		{ "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		    "Firefox on Linux" },
		{ "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 "
		  "Edg/126.0",
		    "Edge on Windows" },
		{ "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36",
		    "Chrome on Android" },
		{ "curl/7.88.1", "curl" },
		{ "Strange (iPhone)", "Unknown browser on iPhone" },
		{ "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) CriOS/126.0 Safari/604.1",
		    "Chrome on iPad" },
		{ "x", "Unknown browser" },
		{ "", "Unknown browser" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		assert_str(session_device(a, str_of(cases[i][0])), cases[i][1]);
}

static void
disabled_user_is_out_at_once(void **state)
{
	struct str token = sign_in(ada, start);
	struct proof p = proof_of("ada");
	struct session s;

	(void)state;
	assert_int_equal(user_set_active(db, ada, false), USER_DONE);
	assert_null(find(token, start));
	assert_int_equal(
	    session_add(db, a, secret, &limits, &p, origin, start, &token, &s), DB_REFUSED);
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR(GOOD), &p), AUTH_NO);
	assert_int_equal(user_set_active(db, ada, true), USER_DONE);
	assert_null(find(token, start));
	assert_int_equal(auth_check_password(db, a, STR("ada"), STR(GOOD), &p), AUTH_YES);
	assert_int_equal(user_set_active(db, 999, true), USER_UNKNOWN);
}

static void
weak_hash_is_made_anew_at_sign_in(void **state)
{
	/* Django's: made with Python's hashlib.scrypt, N=2^14 r=8 p=5, password "l\u00e8tmein" */
	struct str weak = STR("scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet0"
	                      "25q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==");
	struct query *q;
	struct str token, now;
	struct proof p;

	(void)state;
	set_hash(weak, proof_of("ada").password_changed);
	token = sign_in(ada, start);
	assert_int_equal(
	    auth_check_password(db, a, STR("ada"), STR("l\xc3\xa8tmein"), &p), AUTH_YES);
	q = db_query(db, QUERY_USER_PASSWORD);
	db_text(q, "username", STR("ada"));
	assert_int_equal(db_step(q), DB_ROW);
	now = db_col_copy(q, "password", a);
	assert_int_equal(db_done(q), DB_END);
	assert_true(str_starts(now, "scrypt$131072$"));
	assert_int_equal(
	    auth_check_password(db, a, STR("ada"), STR("l\xc3\xa8tmein"), &p), AUTH_YES);
	assert_non_null(find(token, start)); /* the password is the same: nobody is sent away */
}

/* With no table of sessions, or of what else is asked, the answer is an error and never a session. */
static void
what_the_database_does_not_answer_is_no_session(void **state)
{
	struct str token = sign_in(ada, start);
	struct proof proof = proof_of("ada");
	struct session_place next;
	struct session_entry *list;
	uint8_t hash[SECRET_SIZE];
	struct session *s, made;
	const struct user *u;
	struct str name;
	int64_t n = 7, user;
	bool staff_is, more;
	size_t rows;

	(void)state;
	assert_non_null(find_with(secret, token, start, &s));
	made = *s;
	scratch_hide(db, "session", true);
	assert_int_equal(session_read(session_ask(db, secret, token, start, hash), secret, &limits,
	                     hash, start, a, &s, &u),
	    DB_FAILED);
	assert_null(s);
	assert_null(u);
	assert_int_equal(
	    session_add(db, a, secret, &limits, &proof, origin, start, &name, &made), DB_FAILED);
	assert_int_equal(session_touch(db, &made, start + HOUR), DB_FAILED);
	assert_int_equal(session_end_others(db, ada, NULL, &n), DB_FAILED);
	assert_int_equal(n, 0);
	assert_int_equal(
	    session_list_user(db, a, &limits, ada, start, 10, &list, &rows), DB_FAILED);
	assert_int_equal(
	    session_list_all(db, a, &limits, start, NULL, 10, &list, &rows, &more, &next),
	    DB_FAILED);
	assert_int_equal(session_owner(db, a, hash, &user, &name), DB_FAILED);
	assert_int_equal(session_end_named(db, ada, hash), DB_FAILED);
	assert_int_equal(session_end_named(db, 0, hash), DB_FAILED);
	assert_int_equal(session_end_all(db, &n), DB_FAILED);
	assert_int_equal(n, 0);
	scratch_hide(db, "session", false);
	assert_non_null(find(token, start));

	scratch_hide(db, "factor", true);
	assert_int_equal(proof_holds(db, &proof, &staff_is), DB_FAILED);
	scratch_hide(db, "factor", false);
	scratch_hide(db, "users", true);
	assert_int_equal(proof_holds(db, &proof, &staff_is), DB_FAILED);
	scratch_hide(db, "users", false);
	assert_int_equal(proof_holds(db, &proof, &staff_is), DB_ROW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_finds_its_user_and_groups),
		cmocka_unit_test(unknown_token_is_nobody_and_makes_no_row),
		cmocka_unit_test(tokens_differ_and_the_table_has_none),
		cmocka_unit_test(session_ends_when_unused),
		cmocka_unit_test(session_ends_after_its_time_however_used),
		cmocka_unit_test(session_of_who_became_staff_ends_as_theirs),
		cmocka_unit_test(use_is_noted_once_a_minute),
		cmocka_unit_test(ended_session_does_not_come_back),
		cmocka_unit_test(others_of_a_user_end_and_the_one_kept_goes_on),
		cmocka_unit_test(row_that_was_not_signed_by_us_is_no_session),
		cmocka_unit_test(password_change_ends_every_session),
		cmocka_unit_test(password_changed_meanwhile_lets_nobody_in_with_the_old_one),
		cmocka_unit_test(another_password_ends_the_tokens_that_the_one_before_got),
		cmocka_unit_test(the_oldest_of_very_many_sessions_ends),
		cmocka_unit_test(what_the_database_does_not_answer_is_no_session),
		cmocka_unit_test(lists_tell_whose_and_from_where_the_newest_first),
		cmocka_unit_test(lists_know_how_long_a_superusers_session_lasts),
		cmocka_unit_test(sessions_of_one_moment_are_all_listed),
		cmocka_unit_test(sessions_are_told_whose_they_are),
		cmocka_unit_test(what_a_browser_says_is_kept_short_and_plain),
		cmocka_unit_test(second_factor_is_asked_for_and_kept_with_the_session),
		cmocka_unit_test(sessions_end_by_name_of_their_owner_alone),
		cmocka_unit_test(agents_are_told_in_words),
		cmocka_unit_test(disabled_user_is_out_at_once),
		cmocka_unit_test(weak_hash_is_made_anew_at_sign_in),
	};

	return engines_run("session", tests, NELEM(tests), set_up, tear_down);
}
