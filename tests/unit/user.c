/*
 * user: accounts and groups that are changed and deleted, and what stays: the last active superuser,
 * and what the deleted have made.
 */
#include "unit.h"

#include "auth/access.h"
#include "auth/password.h"
#include "base/clock.h"
#include "engines.h"
#include "race.h"
#include "scratch.h"
#include "tom/group.h"
#include "tom/mail.h"
#include "tom/registration.h"
#include "tom/user.h"
#include "tom/user_address.h"

#define GOOD "kettle-Ostrich-9-brine"

static struct arena *a;
static struct db *db;
static struct user_problems why;

/* A user as the tables have them, without the price of a hash; id 0: the next. */
static void
put_user(int64_t id, const char *name, bool superuser)
{
	char sql[400];

	snprintf(sql, sizeof(sql),
	    "INSERT INTO users (%susername, name_key, search_key, password, email, "
	    "email_verified, is_staff, is_superuser, created, password_changed) "
	    "VALUES (%.*s'%s', '%s', '%s', '!', '%s@x.example', 5, %d, %d, 1, 1)",
	    id > 0 ? "id, " : "", id > 0 ? 3 : 0, id == 1 ? "1, " : "2, ", name, name, name, name,
	    superuser, superuser);
	server_run(getenv("MERIDIAN_DATABASE_URL"), sql);
}

static void
put_session(int64_t user, char letter)
{
	struct query *q = db_query(db, QUERY_SESSION_ADD);
	uint8_t token[32];

	memset(token, letter, sizeof(token));
	db_bytes(q, "token", token, sizeof(token));
	db_int(q, "user", user);
	db_int(q, "now", 1);
	db_int(q, "expires", INT64_MAX);
	db_bytes(q, "auth_hash", token, sizeof(token));
	db_null(q, "factor");
	db_text(q, "address", STR(""));
	db_text(q, "agent", STR(""));
	assert_int_equal(db_run(q), DB_END);
}

static void
run_sql(const char *sql)
{
	db_close_idle(db, 0);
	server_run(getenv("MERIDIAN_DATABASE_URL"), sql);
}

static int64_t
number(const char *sql)
{
	db_close_idle(db, 0);
	return server_ask(getenv("MERIDIAN_DATABASE_URL"), sql);
}

/* 1 root (superuser), 2 ada, 3 ben; group 1 "follow-up". */
static int
set_up(void **state)
{
	int64_t id;

	(void)state;
	a = arena_new();
	db = scratch_open();
	password_configure(scratch_config);
	db_close_idle(db, 0);
	put_user(0, "root", true);
	put_user(0, "ada", false);
	put_user(0, "ben", false);
	assert_int_equal(group_add(db, STR("follow-up"), &id), GROUP_DONE);
	assert_int_equal(id, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	arena_free(a);
	return 0;
}

static struct account
get(int64_t id)
{
	struct account u = { .id = 0 };

	assert_int_equal(user_get(db, a, id, &u), USER_DONE);
	return u;
}

static size_t
sessions_of(int64_t user)
{
	int64_t n = -1;

	assert_int_equal(session_end_others(db, user, NULL, &n), DB_END);
	return (size_t)n;
}

static enum user_result
apply(struct user_change *c)
{
	return user_change(db, a, scratch_config, c, &why);
}

static void
only_the_parts_that_were_named_are_written(void **state)
{
	struct user_change c = { .parts = USER_PROFILE, .to = get(2) };
	struct account u;

	(void)state;
	c.to.first_name = STR("Ada");
	c.to.email = STR("other@x.example");
	c.to.is_superuser = true;
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(c.changed, USER_PROFILE);
	u = get(2);
	assert_str(u.first_name, "Ada");
	assert_str(u.email, "ada@x.example");
	assert_false(u.is_superuser || u.is_staff);
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(c.changed, 0);
}

static void
another_address_is_not_verified_and_old_links_are_void(void **state)
{
	static const char verified[] = "SELECT email_verified FROM users WHERE id = 2";
	static const char links[] = "SELECT count(*) FROM one_time";
	struct user_change c = { .parts = USER_EMAIL, .to = get(2) };

	(void)state;
	put_session(2, 'a');
	run_sql("INSERT INTO one_time (token_hash, purpose, user_id, email, password_changed, "
	        "created, expires) SELECT token_hash, 'reset', user_id, 'ada@x.example', 1, 1, 9 "
	        "FROM session");
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(number(verified), 5);
	assert_int_equal(number(links), 1);
	c.to.email = STR("new@x.example");
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(c.changed, USER_EMAIL);
	assert_int_equal(number("SELECT count(*) FROM users WHERE email_verified IS NULL"), 1);
	assert_int_equal(number(links), 0);
	assert_int_equal(sessions_of(2), 1);
}

static struct config *
config_with_mail(void)
{
	struct config *with_mail;
	char err[300];

	setenv("MERIDIAN_MAIL_TRANSPORT", "sendmail", 1);
	setenv("MERIDIAN_MAIL_FROM", "tom@x.example", 1);
	with_mail = config_load(err, sizeof(err));
	unsetenv("MERIDIAN_MAIL_TRANSPORT");
	unsetenv("MERIDIAN_MAIL_FROM");
	assert_non_null(with_mail);
	return with_mail;
}

static void
the_old_address_is_told_of_the_new_one(void **state)
{
	struct user_change c = { .parts = USER_EMAIL, .to = get(2) };
	struct config *with_mail = config_with_mail();

	(void)state;
	c.to.email = STR("new@x.example");
	assert_int_equal(user_change(db, a, with_mail, &c, &why), USER_DONE);
	assert_int_equal(number("SELECT count(*) FROM mail WHERE recipient = 'ada@x.example'"), 1);
	config_free(with_mail);
}

/* Links lead to it. */
static void
add_site(void)
{
	run_sql("INSERT INTO site (id, domain, name) VALUES (1, 'x.example', 'X')");
}

/* Asks for another address of one's own; *token is that of the link, where one was sent. */
static enum user_result
ask_address(const struct config *c, struct secret *secret, struct str email, struct str *token)
{
	static const char path[] = ADDRESS_PATH;
	struct user_change ask = {
		.parts = USER_EMAIL | USER_PROFILE, .to = get(2), .confirm = secret
	};
	enum user_result result;
	struct mail m = { .id = 0 };

	ask.to.email = email;
	result = user_change(db, a, c, &ask, &why);
	if (result != USER_DONE)
		return result;
	assert_int_equal(ask.changed, 0);
	assert_true(str_eq(ask.held, email));
	while (!str_eq(m.to, email))
		assert_int_equal(mail_claim(db, a, clock_now() + SECOND, &m), DB_ROW);
	*token = (struct str){ strstr(m.body.p, path) + strlen(path), SECRET_TEXT };
	return result;
}

static void
another_address_of_ones_own_waits_for_its_link(void **state)
{
	struct secret *secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	struct config *with_mail = config_with_mail();
	int64_t now = clock_now();
	struct str token, other, waiting;
	struct one_time one;

	(void)state;
	add_site();
	assert_int_equal(one_time_address(db, a, 2, now, &waiting), DB_END);
	assert_int_equal(ask_address(with_mail, secret, STR("a\"b@x.example"), &token), USER_WRONG);
	assert_int_equal(ask_address(with_mail, secret, STR("new@x.example"), &token), USER_DONE);
	assert_int_equal(ask_address(with_mail, secret, STR("other@x.example"), &other), USER_DONE);
	assert_str(get(2).email, "ada@x.example");
	assert_int_equal(number("SELECT email_verified FROM users WHERE id = 2"), 5);
	assert_int_equal(number("SELECT count(*) FROM mail WHERE recipient = 'ada@x.example'"), 2);
	assert_int_equal(one_time_address(db, a, 2, now + MINUTE, &waiting), DB_ROW);
	assert_str(waiting, "other@x.example");
	/* three links are out then; the mailbox is not enough: who opens one is the account's owner */
	assert_int_equal(ask_address(with_mail, secret, STR("third@x.example"), &other), USER_DONE);
	assert_int_equal(
	    ask_address(with_mail, secret, STR("fourth@x.example"), &other), USER_WRONG);
	assert_int_equal(user_address_find(db, a, secret, token, 3, now, &one), DB_END);
	assert_int_equal(user_address_take(db, a, with_mail, secret, token, 3, now, &one), DB_END);
	assert_int_equal(user_address_find(db, a, secret, token, 2, now + 2 * DAY, &one), DB_END);
	assert_int_equal(user_address_find(db, a, secret, token, 2, now, &one), DB_ROW);
	assert_str(one.sent_to, "new@x.example");
	assert_int_equal(user_address_take(db, a, with_mail, secret, token, 2, 77, &one), DB_ROW);
	assert_str(get(2).email, "new@x.example");
	assert_int_equal(number("SELECT email_verified FROM users WHERE id = 2"), 77);
	/* used once, and the others are void with the old address, which is told */
	assert_int_equal(user_address_take(db, a, with_mail, secret, token, 2, now, &one), DB_END);
	assert_int_equal(one_time_address(db, a, 2, now, &waiting), DB_END);
	assert_int_equal(number("SELECT count(*) FROM mail WHERE recipient = 'ada@x.example'"), 4);
	config_free(with_mail);
	secret_free(secret);
}

static void
another_password_voids_the_link_to_another_address(void **state)
{
	struct secret *secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	struct config *with_mail = config_with_mail();
	int64_t now = clock_now();
	struct str token, waiting;
	struct one_time one;

	(void)state;
	add_site();
	assert_int_equal(ask_address(with_mail, secret, STR("new@x.example"), &token), USER_DONE);
	run_sql("UPDATE users SET password_changed = 2 WHERE id = 2");
	assert_int_equal(user_address_take(db, a, with_mail, secret, token, 2, now, &one), DB_END);
	assert_int_equal(one_time_address(db, a, 2, now, &waiting), DB_END);
	assert_str(get(2).email, "ada@x.example");
	config_free(with_mail);
	secret_free(secret);
}

static void
who_is_let_in_is_pending_no_longer(void **state)
{
	struct user_change c = { .parts = USER_PROFILE };

	(void)state;
	run_sql("UPDATE users SET pending = 1, is_active = 0 WHERE id = 2");
	c.to = get(2);
	c.to.first_name = STR("Ada");
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(number("SELECT pending FROM users WHERE id = 2"), 1);
	assert_int_equal(user_set_active(db, 2, true), USER_DONE);
	assert_int_equal(number("SELECT pending FROM users WHERE id = 2"), 0);
}

static void
names_differ_in_more_than_case_and_look(void **state)
{
	struct user_change c = { .parts = USER_NAME, .to = get(2) };
	struct account u = { .username = STR("\xef\xbc\xa1\xef\xbc\xa4\xef\xbc\xa1") };
	int64_t id;

	(void)state;
	c.to.username = STR("BEN");
	assert_int_equal(apply(&c), USER_TAKEN);
	c.to.username = STR("Ada");
	assert_int_equal(apply(&c), USER_DONE);
	assert_str(get(2).username, "Ada");
	c.to.username = STR("former user");
	assert_int_equal(apply(&c), USER_WRONG);
	/* fullwidth letters */
	assert_int_equal(user_add(db, a, scratch_config, &u, STR(GOOD), &id, &why), USER_TAKEN);
}

static void
other_rights_end_the_sessions(void **state)
{
	static const unsigned parts[] = { USER_RIGHTS, USER_ACTIVE, USER_PROFILE };

	(void)state;
	for (size_t i = 0; i < NELEM(parts); i++) {
		struct user_change c = { .parts = parts[i], .to = get(2) };

		put_session(2, 'a');
		c.to.is_staff = true;
		c.to.is_active = false;
		c.to.last_name = STR("Lovelace");
		assert_int_equal(apply(&c), USER_DONE);
		assert_int_equal(sessions_of(2), parts[i] == USER_PROFILE);
	}
}

static void
groups_are_set_as_a_whole(void **state)
{
	int64_t second, third, gone = 999, both[2];
	struct user_change c = { .parts = USER_GROUPS, .to = get(2) };
	struct group *list;
	size_t n;

	(void)state;
	assert_int_equal(group_add(db, STR("second"), &second), GROUP_DONE);
	assert_int_equal(group_add(db, STR("third"), &third), GROUP_DONE);
	assert_int_equal(group_join(db, 1, 2), GROUP_DONE);
	both[0] = second;
	both[1] = third;
	c.groups = both;
	c.ngroups = 2;
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(c.changed, USER_GROUPS);
	assert_int_equal(group_list_of(db, a, 2, 10, &list, &n), GROUP_DONE);
	assert_int_equal(n, 2);
	assert_str(list[0].name, "second");
	c.groups = &gone;
	c.ngroups = 1;
	assert_int_equal(apply(&c), USER_WRONG);
	assert_int_equal(group_list_of(db, a, 2, 10, &list, &n), GROUP_DONE);
	assert_int_equal(n, 2);
	c.ngroups = 0;
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(group_list_of(db, a, 2, 10, &list, &n), GROUP_DONE);
	assert_int_equal(n, 0);
}

static void
a_group_gets_its_members_and_loses_its_rights_when_deleted(void **state)
{
	static const int64_t members[] = { 2, 3, 4711 };
	struct group_change c = {
		.to = { 1, STR(" Follow up ") }, .members = true, .users = members, .nusers = 2
	};
	struct account *list;
	struct group g;
	size_t n;

	(void)state;
	assert_int_equal(group_change(db, a, &c), GROUP_DONE);
	assert_int_equal(c.set.njoined, 2);
	assert_str(c.was.name, "follow-up");
	c.users = members + 1;
	c.nusers = 1;
	assert_int_equal(group_change(db, a, &c), GROUP_DONE);
	assert_int_equal(c.set.nleft, 1);
	assert_int_equal(c.set.left[0], 2);
	c.members = false;
	assert_int_equal(group_change(db, a, &c), GROUP_DONE);
	assert_int_equal(c.set.njoined + c.set.nleft, 0);
	assert_int_equal(user_list(db, a, 1, STR(""), 10, &list, &n), USER_DONE);
	assert_int_equal(n, 1);
	/* who is added beside those who are there, or nothing where one of them is not */
	c.users = members;
	c.nusers = 3;
	c.to.name = STR("Another name");
	assert_int_equal(group_change(db, a, &c), GROUP_UNKNOWN);
	assert_int_equal(group_find(db, a, c.to.name, &g), GROUP_UNKNOWN);
	assert_int_equal(user_list(db, a, 1, STR(""), 10, &list, &n), USER_DONE);
	assert_int_equal(n, 1);
	c.nusers = 2;
	assert_int_equal(group_change(db, a, &c), GROUP_DONE);
	assert_int_equal(c.set.njoined, 1);
	assert_int_equal(c.set.joined[0], 2);
	run_sql("INSERT INTO target (id, name, type, permissions, created, modified, creator_id) "
	        "VALUES (1, 'T', 'SIDEREAL', 'PRIVATE', 1, 1, 2)");
	run_sql("INSERT INTO rights (principal, target_id, verbs, created) VALUES (17, 1, 7, 1), "
	        "(32, 1, 7, 1)");
	assert_int_equal(group_delete(db, 1), GROUP_DONE);
	assert_int_equal(group_delete(db, 1), GROUP_UNKNOWN);
	assert_int_equal(group_get(db, a, 1, &g), GROUP_UNKNOWN);
	assert_int_equal(number("SELECT sum(principal) FROM rights"), 32);
}

static void
what_the_deleted_made_stays_as_the_former_users(void **state)
{
	int64_t n;
	struct account former;

	(void)state;
	run_sql("INSERT INTO target (id, name, type, permissions, created, modified, creator_id) "
	        "VALUES (1, 'T', 'SIDEREAL', 'PRIVATE', 1, 1, 2)");
	run_sql("INSERT INTO rights (principal, target_id, verbs, created) VALUES (32, 1, 7, 1), "
	        "(48, 1, 1, 1)");
	put_session(2, 'a');
	assert_int_equal(group_join(db, 1, 2), GROUP_DONE);
	assert_int_equal(user_count_targets(db, 2, 10, &n), USER_DONE);
	assert_int_equal(n, 1);
	assert_int_equal(user_delete(db, 2), USER_DONE);
	assert_int_equal(user_delete(db, 2), USER_UNKNOWN);
	assert_int_equal(user_find(db, a, STR(USER_FORMER), &former), USER_DONE);
	assert_false(former.is_active);
	assert_int_equal(user_count_targets(db, former.id, 10, &n), USER_DONE);
	assert_int_equal(n, 1);
	assert_int_equal(sessions_of(2), 0);
	assert_int_equal(number("SELECT count(*) FROM membership"), 0);
	/* theirs are gone, ben's are not */
	assert_int_equal(number("SELECT sum(principal) FROM rights"), 48);
	/* a second one goes to the same */
	run_sql("UPDATE target SET creator_id = 3");
	assert_int_equal(user_delete(db, 3), USER_DONE);
	assert_int_equal(user_count_targets(db, former.id, 10, &n), USER_DONE);
	assert_int_equal(n, 1);
}

static void
the_former_user_is_nobodys(void **state)
{
	struct account former, u = { .username = STR(USER_FORMER) };
	struct user_change c = { .parts = USER_RIGHTS };
	int64_t id;

	(void)state;
	run_sql("UPDATE users SET username = 'former user', is_active = 0 WHERE id = 3");
	former = get(3);
	c.to = former;
	assert_int_equal(user_set_active(db, 3, true), USER_REFUSED);
	assert_int_equal(user_delete(db, 3), USER_REFUSED);
	assert_int_equal(
	    user_set_password(db, a, scratch_config, &former, STR(GOOD), &why), USER_REFUSED);
	assert_int_not_equal(apply(&c), USER_DONE);
	assert_int_equal(user_add(db, a, scratch_config, &u, STR(GOOD), &id, &why), USER_WRONG);
}

static void
staff_do_not_touch_staff_and_superusers(void **state)
{
	struct user_change c = { .parts = USER_PROFILE, .to = get(1), .ordinary_only = true };

	(void)state;
	c.to.first_name = STR("x");
	assert_int_equal(apply(&c), USER_REFUSED);
	c.to = get(2);
	c.to.first_name = STR("x");
	assert_int_equal(apply(&c), USER_DONE);
}

static void
the_last_active_superuser_stays(void **state)
{
	struct user_change c = { .parts = USER_RIGHTS, .to = get(1) };

	(void)state;
	c.to.is_superuser = false;
	assert_int_equal(apply(&c), USER_LAST);
	assert_int_equal(user_set_active(db, 1, false), USER_LAST);
	assert_int_equal(user_delete(db, 1), USER_LAST);
	/* one who may not sign in is no help */
	run_sql("UPDATE users SET is_superuser = 1, is_active = 0 WHERE id = 2");
	assert_int_equal(user_delete(db, 1), USER_LAST);
	assert_int_equal(user_set_active(db, 2, true), USER_DONE);
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(user_delete(db, 2), USER_LAST);
}

/* Staff let in somebody whose address was not confirmed: the purge of such is not theirs. */
static void
who_was_let_in_is_not_purged_as_a_registration(void **state)
{
	(void)state;
	run_sql("UPDATE users SET pending = 1, is_active = 0, email_verified = NULL WHERE id = 3");
	assert_int_equal(user_set_active(db, 3, true), USER_DONE);
	assert_int_equal(number("SELECT pending FROM users WHERE id = 3"), 0);
	assert_int_equal(user_set_active(db, 3, false), USER_DONE);
	assert_int_equal(registration_purge(db, scratch_config, clock_now()), DB_END);
	assert_true(get(3).id == 3);
	/* nor is one of a version that left the mark */
	run_sql("UPDATE users SET pending = 1, is_active = 1 WHERE id = 3");
	assert_int_equal(registration_purge(db, scratch_config, clock_now()), DB_END);
	assert_true(get(3).id == 3);
	run_sql("UPDATE users SET pending = 0, email_verified = 5 WHERE id = 3");
}

static int
end_a_reign(struct db *own, int which)
{
	struct arena *arena = arena_new();
	struct user_change c = { .parts = USER_RIGHTS, .to = { .id = which + 1 } };
	struct user_problems none;
	enum user_result r;

	/* one demotes, the other deletes, or disables in another round */
	if (which == 0) {
		(void)user_get(own, arena, 1, &c.to);
		c.to.is_superuser = false;
		r = user_change(own, arena, scratch_config, &c, &none);
	} else {
		r = getenv("ROUND_DISABLES") != NULL ? user_set_active(own, 2, false)
		                                     : user_delete(own, 2);
	}
	arena_free(arena);
	return r != USER_DONE && r != USER_LAST;
}

static void
twins_from_elsewhere_keep_their_names(void **state)
{
	struct user_change c = { .to = { .id = 2 } };

	(void)state;
	run_sql("UPDATE users SET username = 'BEN', name_key = 'BEN' WHERE id = 2");
	c.to = get(2);
	c.to.first_name = STR("Ben");
	c.parts = USER_PROFILE;
	assert_int_equal(apply(&c), USER_DONE);
	assert_str(get(2).first_name, "Ben");
	c.parts = USER_NAME;
	c.to.username = STR("Ben");
	assert_int_equal(apply(&c), USER_TAKEN);
}

static int
rename_to_twin(struct db *own, int which)
{
	struct arena *arena = arena_new();
	struct user_change c = { .parts = USER_NAME, .to = { .id = which + 2 } };
	struct user_problems none;
	enum user_result r;

	c.to.username = which == 0 ? STR("Twin") : STR("tWIN");
	r = user_change(own, arena, scratch_config, &c, &none);
	arena_free(arena);
	return r != USER_DONE && r != USER_TAKEN;
}

static void
two_renamed_at_once_do_not_look_alike(void **state)
{
	(void)state;
	for (int round = 0; round < 8; round++) {
		run_sql("UPDATE users SET username = 'ada', name_key = 'ada' WHERE id = 2");
		run_sql("UPDATE users SET username = 'ben', name_key = 'ben' WHERE id = 3");
		race_run(scratch_config, rename_to_twin);
		assert_int_equal(
		    number("SELECT count(*) FROM users WHERE username IN ('Twin', 'tWIN')"), 1);
	}
}

static void
two_at_once_leave_a_superuser(void **state)
{
	(void)state;
	for (int round = 0; round < 16; round++) {
		struct account *list;
		size_t n, superusers = 0;

		run_sql("DELETE FROM users");
		put_user(1, "root", true);
		put_user(2, "second", true);
		if (round % 2)
			setenv("ROUND_DISABLES", "1", 1);
		else
			unsetenv("ROUND_DISABLES");
		race_run(scratch_config, end_a_reign);
		assert_int_equal(user_list(db, a, 0, STR(""), 10, &list, &n), USER_DONE);
		for (size_t i = 0; i < n; i++)
			superusers += list[i].is_superuser && list[i].is_active;
		assert_int_equal(superusers, 1);
	}
}

static void
people_are_found_in_all_their_names(void **state)
{
	struct user_change c = { .parts = USER_PROFILE, .to = get(2) };
	struct account *list;
	size_t n;

	(void)state;
	c.to.last_name = STR("Stra\xc3\x9f"
	                     "e 100%");
	assert_int_equal(apply(&c), USER_DONE);
	assert_int_equal(user_search(db, a, STR("STRASSE"), STR(""), 10, &list, &n), USER_DONE);
	assert_int_equal(n, 1);
	assert_int_equal(user_search(db, a, STR("a_a"), STR(""), 10, &list, &n), USER_DONE);
	assert_int_equal(n, 0);
	assert_int_equal(user_search(db, a, STR("%"), STR("ada"), 10, &list, &n), USER_DONE);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    twins_from_elsewhere_keep_their_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    two_renamed_at_once_do_not_look_alike, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    another_address_of_ones_own_waits_for_its_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    another_password_voids_the_link_to_another_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    only_the_parts_that_were_named_are_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    another_address_is_not_verified_and_old_links_are_void, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_old_address_is_told_of_the_new_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_is_let_in_is_pending_no_longer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    names_differ_in_more_than_case_and_look, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_rights_end_the_sessions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_are_set_as_a_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_group_gets_its_members_and_loses_its_rights_when_deleted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_the_deleted_made_stays_as_the_former_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_former_user_is_nobodys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    staff_do_not_touch_staff_and_superusers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_active_superuser_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_was_let_in_is_not_purged_as_a_registration, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_at_once_leave_a_superuser, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    people_are_found_in_all_their_names, set_up, tear_down),
	};

	return engines_run("user", tests, NELEM(tests), NULL, NULL);
}
