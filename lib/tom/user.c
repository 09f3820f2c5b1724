/*
 * user: the rules of an account's fields (Django's), and its statements.
 */
#include "tom/user.h"

#include <string.h>

#include "auth/password.h"
#include "auth/session.h"
#include "auth/token.h"
#include "auth/unicode.h"
#include "base/clock.h"
#include "tom/site.h"
#include "tom/user_store.h"

#define SEARCH_KEY_MAX 1000 /* code points, as the column */

static void
add(struct user_problems *why, struct str sentence)
{
	if (why->n < USER_PROBLEMS)
		why->why[why->n++] = sentence;
}

struct str
user_problems_text(struct arena *a, const struct user_problems *why)
{
	struct str all = STR("");

	for (size_t i = 0; i < why->n; i++)
		all = arena_printf(a, "%s%s%s", all.p, i > 0 ? " " : "", why->why[i].p);
	return all;
}

/* A text field: UTF-8, no control characters, not too long. */
static size_t
check_text(struct arena *a, const char *name, struct str s, size_t max, struct user_problems *why)
{
	int32_t *c;
	size_t n;

	if (!str_is_utf8(s)) {
		add(why, arena_printf(a, "The %s is not text in UTF-8.", name));
		return 0;
	}
	n = unicode_points(a, s, &c);
	for (size_t i = 0; i < n; i++)
		if (c[i] < 0x20 || (c[i] >= 0x7f && c[i] < 0xa0)) {
			add(why, arena_printf(a, "The %s holds a control character.", name));
			break;
		}
	if (n > max)
		add(why, arena_printf(a, "The %s is longer than %zu characters.", name, max));
	return n;
}

/* Django's rule of user names, [\w.@+-]+. */
static void
check_username(struct arena *a, struct str name, struct user_problems *why)
{
	int32_t *c;
	size_t n = check_text(a, "user name", name, USERNAME_MAX, why);

	if (why->n > 0)
		return;
	if (n == 0)
		add(why, STR("The user name is missing."));
	n = unicode_points(a, name, &c);
	for (size_t i = 0; i < n; i++)
		if (!unicode_is_word(c[i]) && (c[i] > 0x7f || strchr(".@+-", (char)c[i]) == NULL)) {
			add(why, STR("The user name may hold letters, digits and @ . + - _ only."));
			return;
		}
}

void
user_check(struct arena *a, const struct account *u, struct user_problems *why)
{
	why->n = 0;
	check_username(a, unicode_nfkc(a, u->username), why);
	check_text(a, "first name", u->first_name, 150, why);
	check_text(a, "last name", u->last_name, 150, why);
	check_text(a, "affiliation", u->affiliation, 100, why);
	check_text(a, "email address", u->email, USER_TEXT_MAX, why);
	if (u->email.n > 0) {
		size_t at = str_find(u->email, '@');

		if (at == 0 || at + 1 >= u->email.n || str_find(u->email, ' ') < u->email.n)
			add(why, STR("The email address is not of the form name@host."));
	}
}

enum user_result
user_check_password(struct db *db, struct arena *a, const struct config *c, const struct account *u,
    struct str password, struct user_problems *why)
{
	struct password_owner owner = { .username = u->username,
		.first_name = u->first_name,
		.last_name = u->last_name,
		.email = u->email,
		.site_name = str_of(config_text(c, "TOM_NAME")) };
	struct site site = { .domain = STR_NONE };
	struct str rules[PASSWORD_RULES];
	enum db_result found;
	size_t n;

	found = site_get(db, a, config_int(c, "SITE_ID"), &site);
	if (found != DB_ROW && found != DB_END)
		return USER_FAILED;
	owner.host = site.domain;
	n = password_problems(
	    a, password, &owner, (size_t)config_int(c, "PASSWORD_MIN_LENGTH"), rules);
	for (size_t i = 0; i < n; i++)
		add(why, rules[i]);
	return n == 0 ? USER_DONE : USER_WRONG;
}

void
user_show_password_rules(const struct config *c, struct arena *a, struct value *page)
{
	struct value *list = value_set_list(page, "rules");
	struct str rule[PASSWORD_RULES];
	size_t n = password_rules(a, (size_t)config_int(c, "PASSWORD_MIN_LENGTH"), rule);

	for (size_t i = 0; i < n; i++)
		value_add_text(list, rule[i]);
}

enum user_result
user_hash(struct arena *a, struct str password, struct str *encoded)
{
	switch (password_hash(a, password, encoded)) {
	case PASSWORD_RIGHT:
		return USER_DONE;
	case PASSWORD_BUSY:
		return USER_BUSY;
	default:
		return USER_WRONG;
	}
}

bool
user_is_former(struct str username)
{
	return str_is(username, USER_FORMER);
}

static struct str
given(struct str s)
{
	return s.p != NULL ? s : STR("");
}

/* All names without case, as the column has room for them. */
static struct str
search_key(struct arena *a, const struct account *u)
{
	struct str key = unicode_fold(a,
	    arena_printf(a, "%.*s %.*s %.*s", STR_ARG(u->username), STR_ARG(u->first_name),
	        STR_ARG(u->last_name)));
	size_t points = 0, n = 0;

	while (n < key.n && points < SEARCH_KEY_MAX) {
		do
			n++;
		while (n < key.n && ((unsigned char)key.p[n] & 0xc0) == 0x80);
		points++;
	}
	return (struct str){ key.p, n };
}

void
user_bind_fields(struct query *q, struct arena *a, const struct account *u)
{
	struct str username = unicode_nfkc(a, u->username);

	db_text(q, "username", username);
	db_text(q, "name_key", unicode_fold(a, username));
	db_text(q, "search_key", search_key(a, u));
	db_text(q, "first_name", given(u->first_name));
	db_text(q, "last_name", given(u->last_name));
	db_text(q, "email", given(u->email));
	db_text(q, "affiliation", given(u->affiliation));
}

enum user_result
user_find_alike(struct db *db, struct arena *a, int64_t id, struct str username)
{
	struct query *q = db_query(db, QUERY_USER_ALIKE);
	bool found = false;

	db_text(q, "name_key", unicode_fold(a, username));
	db_int(q, "id", id);
	while (db_step(q) == DB_ROW)
		found = true;
	if (db_done(q) != DB_END)
		return USER_FAILED;
	return found ? USER_TAKEN : USER_DONE;
}

enum user_result
user_pass_new(struct db *db, struct arena *a, const struct config *c, const struct account *u,
    struct str password, struct str *encoded, struct user_problems *why)
{
	enum user_result result = user_check_password(db, a, c, u, password, why);

	if (result == USER_FAILED)
		return result;
	if (why->n > 0)
		return USER_WRONG;
	if ((result = user_find_alike(db, a, 0, u->username)) != USER_DONE)
		return result;
	return user_hash(a, password, encoded);
}

struct new_password {
	int64_t user;
	struct str password; /* encoded */
	int64_t before, now; /* of password_changed */
	bool found;
	/* who is told of a new password */
	struct arena *arena;
	const struct config *config;
	const struct account *account;
};

static enum db_result
set_password(struct db *db, void *arg)
{
	struct new_password *n = arg;
	enum db_result r;
	struct query *q = db_query(db, QUERY_USER_SET_PASSWORD);

	db_int(q, "id", n->user);
	db_text(q, "password", n->password);
	db_int(q, "before", n->before);
	db_int(q, "now", n->now);
	if ((r = db_run(q)) != DB_END)
		return r;
	n->found = db_changes(db) > 0;
	if (!n->found || (r = session_end_others(db, n->user, NULL, NULL)) != DB_END ||
	    (r = token_end_automatic(db, n->user)) != DB_END)
		return r;
	return user_mail_password(db, n->arena, n->config, n->account);
}

enum user_result
user_set_password(struct db *db, struct arena *a, const struct config *c, struct account *u,
    struct str password, struct user_problems *why)
{
	struct new_password new = {
		.user = u->id, .before = u->password_changed, .arena = a, .config = c, .account = u
	};
	enum user_result result;

	why->n = 0;
	if (user_is_former(u->username))
		return USER_REFUSED;
	if ((result = user_check_password(db, a, c, u, password, why)) != USER_DONE ||
	    (result = user_hash(a, password, &new.password)) != USER_DONE)
		return result;
	new.now = clock_now();
	if (db_transaction(db, DB_WRITE, set_password, &new) != DB_END)
		return USER_FAILED;
	if (!new.found)
		return USER_CHANGED;
	u->password_changed = new.now;
	return USER_DONE;
}

void
user_read_row(struct query *q, struct arena *a, struct account *u)
{
	u->id = db_col_int(q, "id");
	u->username = db_col_copy(q, "username", a);
	u->first_name = db_col_copy(q, "first_name", a);
	u->last_name = db_col_copy(q, "last_name", a);
	u->email = db_col_copy(q, "email", a);
	u->affiliation = db_col_copy(q, "affiliation", a);
	u->is_active = db_col_bool(q, "is_active");
	u->is_staff = db_col_bool(q, "is_staff");
	u->is_superuser = db_col_bool(q, "is_superuser");
	u->created = db_col_int(q, "created");
	u->last_login = db_col_int(q, "last_login");
	u->password_changed = db_col_int(q, "password_changed");
}

static enum user_result
read_one(struct query *q, struct arena *a, struct account *u)
{
	bool found = false;

	while (db_step(q) == DB_ROW) {
		found = true;
		user_read_row(q, a, u);
	}
	if (db_done(q) != DB_END)
		return USER_FAILED;
	return found ? USER_DONE : USER_UNKNOWN;
}

enum user_result
user_get(struct db *db, struct arena *a, int64_t id, struct account *u)
{
	struct query *q = db_query(db, QUERY_USER_GET);

	db_int(q, "id", id);
	return read_one(q, a, u);
}

enum user_result
user_find(struct db *db, struct arena *a, struct str username, struct account *u)
{
	struct query *q = db_query(db, QUERY_USER_BY_NAME);

	db_text(q, "username", unicode_nfkc(a, username));
	return read_one(q, a, u);
}

static enum user_result
read_list(struct query *q, struct arena *a, size_t limit, struct account **list, size_t *n)
{
	*list = arena_array(a, limit, sizeof(**list));
	*n = 0;
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW)
		if (*n < limit)
			user_read_row(q, a, &(*list)[(*n)++]);
	return db_done(q) == DB_END ? USER_DONE : USER_FAILED;
}

enum user_result
user_list(struct db *db, struct arena *a, int64_t group, struct str after, size_t limit,
    struct account **list, size_t *n)
{
	struct query *q = db_query(db, group == 0 ? QUERY_USER_LIST : QUERY_USER_OF_GROUP);

	if (group != 0)
		db_int(q, "group", group);
	db_text(q, "after", after);
	return read_list(q, a, limit, list, n);
}

enum user_result
user_search(struct db *db, struct arena *a, struct str text, struct str after, size_t limit,
    struct account **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_USER_SEARCH);

	db_text(q, "text", unicode_fold(a, text));
	db_text(q, "after", after);
	return read_list(q, a, limit, list, n);
}
