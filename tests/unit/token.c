/*
 * token: the header that carries one, what scopes let, and the rows of tokens on every engine.
 */
#include "unit.h"

#include <stdio.h>

#include "account.h"
#include "auth/token.h"
#include "base/clock.h"
#include "engines.h"
#include "scratch.h"
#include "tom/group.h"
#include "tom/user.h"

static struct arena *a;
static struct db *db;
static struct secret *secret;
static int64_t ada, ben;
static const int64_t start = INT64_C(1790000000) * SECOND;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	db = scratch_open();
	ada = add_account(db, &(struct account){ .username = STR("ada") }, start);
	ben = add_account(db, &(struct account){ .username = STR("ben") }, start);
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
add(int64_t user, const char *name, const char *scopes, int64_t expires)
{
	struct token t = { .user_id = user,
		.name = str_of(name),
		.scopes = str_of(scopes),
		.created = start,
		.expires = expires };
	struct str text;

	assert_int_equal(token_add(db, a, secret, &t, &text), DB_END);
	assert_true(t.id > 0);
	return text;
}

static struct token *token;
static const char *why;

/* The name of whose it is at that time, "" where it is nobody's. */
static const char *
ask(struct str text, int64_t max_age, int64_t now)
{
	const struct user *u;

	assert_int_equal(
	    token_read(token_ask(db, secret, text), a, max_age, now, &token, &u, &why), DB_END);
	assert_true((u == NULL) == (why != NULL));
	return u == NULL ? "" : u->username.p;
}

static size_t
count(int64_t user)
{
	struct token *list;
	size_t n;

	assert_int_equal(token_list(db, a, user, &list, &n), DB_END);
	for (size_t i = 1; i < n; i++)
		assert_true(list[i - 1].created >= list[i].created);
	return n;
}

#define TEXT "mrd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
header_names_a_token_or_is_refused(void **state)
{
	static const char *const good[] = { "Token " TEXT, "Bearer " TEXT, "token " TEXT,
		"BEARER  " TEXT, "Token " TEXT " " };
	static const char *const bad[] = { "", " ", "Token", "Token ", TEXT, "Basic " TEXT,
		"Token mrd_", "Token " TEXT "A", "Token " TEXT " x", "Token,Bearer " TEXT,
		"Token mrd-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"Token mrd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"Token mrd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A",
		"Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", "Token\t" TEXT, "Tokens " TEXT };
	struct str text;

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		assert_true(token_parse(str_of(good[i]), &text));
		assert_int_equal(text.n, TOKEN_TEXT);
		assert_str(arena_str(a, text), TEXT);
	}
	for (size_t i = 0; i < NELEM(bad); i++) {
		assert_false(token_parse(str_of(bad[i]), &text));
		assert_null(text.p);
	}
	assert_false(token_parse(STR_NONE, &text));
}

static void
scopes_let_what_they_name_and_no_more(void **state)
{
	static const struct {
		const char *scopes;
		bool read, write;
	} rows[] = {
		{ "read", true, false },
		{ "write", false, true },
		{ "read write", true, true },
		{ "targets:read", true, false },
		{ "targets:write", false, true },
		{ "targets:read targets:write", true, true },
		{ "other:read other:write", false, false },
		{ "targets", false, false },
		{ "target:read", false, false },
		{ "targets:reads", false, false },
		{ "xtargets:read", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct str scopes = str_of(rows[i].scopes);

		assert_int_equal(token_allows(scopes, "targets", true), rows[i].read);
		assert_int_equal(token_allows(scopes, "targets", false), rows[i].write);
		assert_false(token_allows(scopes, NULL, true));
		assert_false(token_allows(scopes, NULL, false));
	}
	assert_true(token_allows(STR("read"), "other", true));
	assert_false(token_allows(STR("targets:read"), "other", true));
}

static void
scopes_are_kept_in_their_shortest_form(void **state)
{
	(void)state;
	assert_str(token_scopes(a, STR(" write  read ")), "read write");
	assert_str(
	    token_scopes(a, STR("targets:write targets:read")), "targets:read targets:write");
	assert_str(token_scopes(a, STR("targets:read read targets:write")), "read targets:write");
	assert_null(token_scopes(a, STR("")).p);
	assert_null(token_scopes(a, STR("read admin")).p);
	assert_null(token_scopes(a, STR("targets:delete")).p);
	assert_null(token_scopes(a, STR("accounts:read")).p);
	for (size_t i = 0; i < token_nareas; i++)
		assert_true(token_is_area(token_areas[i].word));
	assert_false(token_is_area("accounts"));
}

static void
token_is_its_user_with_their_groups(void **state)
{
	struct str text = add(ada, "night", "read", 0);
	const struct user *u;
	int64_t group;

	(void)state;
	assert_int_equal(group_add(db, STR("Follow-up"), &group), GROUP_DONE);
	assert_int_equal(group_join(db, group, ada), GROUP_DONE);
	assert_int_equal(
	    token_read(token_ask(db, secret, text), a, 0, start, &token, &u, &why), DB_END);
	assert_str(u->username, "ada");
	assert_int_equal(u->ngroups, 1);
	assert_int_equal(u->nprincipals, 4);
	assert_str(token->scopes, "read");
	assert_str(token->name, "night");
	assert_string_equal(ask(STR(TEXT), 0, start), "");
	assert_string_equal(why, "unknown");
}

static void
texts_differ_and_the_table_has_none(void **state)
{
	struct str one = add(ada, "one", "read", 0), two = add(ada, "two", "read", 0);
	uint8_t hash[SECRET_SIZE];
	struct str text;

	(void)state;
	assert_false(str_eq(one, two));
	assert_true(token_parse(arena_printf(a, "Token %s", one.p), &text));
	secret_hash(secret, one, hash);
	/* what stands in the table opens nothing */
	assert_string_equal(
	    ask(arena_printf(a, TOKEN_PREFIX "%s", secret_encode(a, hash, sizeof(hash)).p), 0,
	        start),
	    "");
}

static void
token_ends_at_its_time_or_at_the_sites(void **state)
{
	struct str never = add(ada, "never", "read", 0);
	struct str soon = add(ada, "soon", "read", start + 2 * DAY);

	(void)state;
	assert_string_equal(ask(soon, 0, start + 2 * DAY - 1), "ada");
	assert_string_equal(ask(soon, 0, start + 2 * DAY), "");
	assert_string_equal(why, "expired");
	assert_int_equal(token->user_id, ada);
	assert_string_equal(ask(never, 0, start + 4000 * DAY), "ada");
	/* the site's limit counts for those made before it was set */
	assert_string_equal(ask(never, DAY, start + DAY - 1), "ada");
	assert_string_equal(ask(never, DAY, start + DAY), "");
	assert_string_equal(ask(soon, DAY, start + DAY), "");
	assert_string_equal(ask(soon, 3 * DAY, start + 2 * DAY), "");
}

static void
token_of_a_disabled_user_is_nobodys(void **state)
{
	struct str text = add(ben, "night", "read", 0);

	(void)state;
	for (int active = 0; active <= 1; active++) {
		assert_int_equal(user_set_active(db, ben, active), USER_DONE);
		assert_string_equal(ask(text, 0, start), active ? "ben" : "");
		if (!active)
			assert_string_equal(why, "of an inactive user");
	}
}

static void
use_is_noted_once_a_minute(void **state)
{
	struct str text = add(ada, "used", "read", 0);

	(void)state;
	ask(text, 0, start);
	assert_true(token->last_used == 0);
	assert_int_equal(token_touch(db, token, start + 1), DB_END);
	ask(text, 0, start);
	assert_true(token->last_used == start + 1);
	assert_int_equal(token_touch(db, token, start + MINUTE), DB_END);
	ask(text, 0, start);
	assert_true(token->last_used == start + 1);
	assert_int_equal(token_touch(db, token, start + 1 + MINUTE), DB_END);
	ask(text, 0, start);
	assert_true(token->last_used == start + 1 + MINUTE);
}

static void
revoked_token_is_gone_for_its_owner_only_by_them(void **state)
{
	struct str text = add(ada, "mine", "read", 0), name;
	int64_t id;

	(void)state;
	ask(text, 0, start);
	id = token->id;
	assert_int_equal(token_revoke(db, a, ben, id, &name), DB_REFUSED);
	assert_string_equal(ask(text, 0, start), "ada");
	assert_int_equal(token_revoke(db, a, ada, id, &name), DB_END);
	assert_str(name, "mine");
	assert_string_equal(ask(text, 0, start), "");
	assert_int_equal(token_revoke(db, a, ada, id, &name), DB_REFUSED);
	/* another process that still holds it notes its use */
	assert_int_equal(token_touch(db, &(struct token){ .id = id }, start + HOUR), DB_END);
	assert_string_equal(ask(text, 0, start), "");
}

static void
names_are_one_users_and_tokens_are_limited(void **state)
{
	struct token t = {
		.user_id = ada, .name = STR("same"), .scopes = STR("read"), .created = 1
	};
	struct str text;
	int64_t n;

	(void)state;
	assert_int_equal(token_revoke_all(db, ada, &n), DB_END);
	assert_true(n > 0);
	assert_int_equal(count(ada), 0);
	add(ada, "same", "read", 0);
	assert_int_equal(token_add(db, a, secret, &t, &text), DB_TAKEN);
	add(ben, "same", "read", 0);
	for (int i = 1; i < TOKENS_MAX; i++)
		add(ada, arena_printf(a, "token %d", i).p, "read", 0);
	t.name = STR("one more");
	assert_int_equal(token_add(db, a, secret, &t, &text), DB_REFUSED);
	assert_int_equal(count(ada), TOKENS_MAX);
	assert_int_equal(token_revoke_all(db, ada, &n), DB_END);
	assert_int_equal(n, TOKENS_MAX);
	t.user_id = 999;
	assert_int_equal(token_add(db, a, secret, &t, &text), DB_REFUSED);
}

static void
automatic_ones_make_room_by_idleness(void **state)
{
	struct str used, text, mine = add(ada, "by hand", "read", 0);
	struct str last = STR_NONE;
	struct proof proof = { .user = ada, .password_changed = start };

	(void)state;
	assert_int_equal(
	    token_add_automatic(db, a, secret, &proof, start, start + DAY, &used), DB_END);
	ask(used, 0, start);
	assert_true(token->automatic);
	assert_str(token->scopes, "read write");
	assert_true(str_starts(token->name, "token-auth 2026-"));
	assert_int_equal(token_touch(db, token, start + HOUR), DB_END);
	for (int i = 1; i <= 3 * TOKENS_AUTOMATIC; i++) {
		assert_int_equal(token_add_automatic(
		                     db, a, secret, &proof, start + i * SECOND, start + DAY, &text),
		    DB_END);
		if (i == 3 * TOKENS_AUTOMATIC - 1)
			last = text;
	}
	assert_int_equal(count(ada), TOKENS_AUTOMATIC + 1);
	assert_string_equal(ask(used, 0, start), "ada");
	assert_string_equal(ask(text, 0, start), "ada");
	assert_string_equal(ask(last, 0, start), "ada");
	assert_string_equal(ask(mine, 0, start), "ada");
}

/* What happens between the check of the password and the token counts. */
static void
automatic_ones_end_with_their_password(void **state)
{
	struct proof proof = { .user = ben, .password_changed = start };
	struct str got, mine = add(ben, "by hand too", "read", 0), text;
	struct query *q;

	(void)state;
	assert_int_equal(token_add_automatic(db, a, secret, &proof, start, 0, &got), DB_END);
	assert_string_equal(ask(got, 0, start), "ben");
	assert_int_equal(token_end_automatic(db, ben), DB_END);
	assert_string_equal(ask(got, 0, start), "");
	assert_string_equal(ask(mine, 0, start), "ben");
	proof.password_changed--;
	assert_int_equal(token_add_automatic(db, a, secret, &proof, start, 0, &text), DB_TAKEN);
	proof.password_changed++;
	q = db_query(db, QUERY_FACTOR_ADD);
	db_int(q, "user", ben);
	db_bytes(q, "secret", "x", 1);
	db_int(q, "now", start);
	db_int(q, "step", 0);
	assert_int_equal(db_run(q), DB_END);
	assert_int_equal(token_add_automatic(db, a, secret, &proof, start, 0, &text), DB_TAKEN);
	q = db_query(db, QUERY_FACTOR_REMOVE);
	db_int(q, "user", ben);
	assert_int_equal(db_run(q), DB_END);
	assert_int_equal(token_add_automatic(db, a, secret, &proof, start, 0, &text), DB_END);
}

static void
regenerating_ends_the_one_before(void **state)
{
	struct str first, second, other = add(ben, "other", "read", 0);

	(void)state;
	assert_int_equal(token_regenerate(db, a, secret, ben, start, 0, &first), DB_END);
	assert_string_equal(ask(first, 0, start), "ben");
	assert_str(token->name, TOKEN_REGENERATED);
	assert_int_equal(token_regenerate(db, a, secret, ben, start, 0, &second), DB_END);
	assert_string_equal(ask(first, 0, start), "");
	assert_string_equal(ask(second, 0, start), "ben");
	assert_string_equal(ask(other, 0, start), "ben");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_names_a_token_or_is_refused),
		cmocka_unit_test(scopes_let_what_they_name_and_no_more),
		cmocka_unit_test(scopes_are_kept_in_their_shortest_form),
		cmocka_unit_test(token_is_its_user_with_their_groups),
		cmocka_unit_test(texts_differ_and_the_table_has_none),
		cmocka_unit_test(token_ends_at_its_time_or_at_the_sites),
		cmocka_unit_test(token_of_a_disabled_user_is_nobodys),
		cmocka_unit_test(use_is_noted_once_a_minute),
		cmocka_unit_test(revoked_token_is_gone_for_its_owner_only_by_them),
		cmocka_unit_test(names_are_one_users_and_tokens_are_limited),
		cmocka_unit_test(automatic_ones_make_room_by_idleness),
		cmocka_unit_test(automatic_ones_end_with_their_password),
		cmocka_unit_test(regenerating_ends_the_one_before),
	};

	return engines_run("token", tests, NELEM(tests), set_up, tear_down);
}
