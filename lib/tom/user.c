/*
 * user: the rules of an account's fields (Django's), and its statements.
 */
#include "tom/user.h"

#include <string.h>

#include "auth/password.h"
#include "auth/session.h"
#include "auth/unicode.h"
#include "base/clock.h"
#include "tom/site.h"

static void
add(struct user_problems *why, struct str sentence)
{
	if (why->n < USER_PROBLEMS)
		why->why[why->n++] = sentence;
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

static enum user_result
hash(struct arena *a, struct str password, struct str *encoded)
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

enum user_result
user_add(struct db *db, struct arena *a, const struct config *c, const struct account *u,
    struct str password, int64_t *id, struct user_problems *why)
{
	enum user_result result;
	struct str encoded;
	struct query *q;

	user_check(a, u, why);
	result = user_check_password(db, a, c, u, password, why);
	if (result == USER_FAILED)
		return result;
	if (why->n > 0)
		return USER_WRONG;
	if ((result = hash(a, password, &encoded)) != USER_DONE)
		return result;
	q = db_query(db, QUERY_USER_ADD);
	db_text(q, "username", unicode_nfkc(a, u->username));
	db_text(q, "password", encoded);
	db_text(q, "first_name", u->first_name.p != NULL ? u->first_name : STR(""));
	db_text(q, "last_name", u->last_name.p != NULL ? u->last_name : STR(""));
	db_text(q, "email", u->email.p != NULL ? u->email : STR(""));
	db_text(q, "affiliation", u->affiliation.p != NULL ? u->affiliation : STR(""));
	db_bool(q, "is_staff", u->is_staff || u->is_superuser);
	db_bool(q, "is_superuser", u->is_superuser);
	db_int(q, "now", clock_now());
	switch (db_insert(q, id)) {
	case DB_END:
		return USER_DONE;
	case DB_TAKEN:
		return USER_TAKEN;
	default:
		return USER_FAILED;
	}
}

struct change {
	int64_t user;
	struct str password; /* encoded; absent: is_active changes */
	int64_t before, now; /* of password_changed */
	bool active;
	bool found;
};

static enum db_result
change(struct db *db, void *arg)
{
	struct change *c = arg;
	enum db_result r;
	struct query *q;

	if (c->password.p != NULL) {
		q = db_query(db, QUERY_USER_SET_PASSWORD);
		db_text(q, "password", c->password);
		db_int(q, "before", c->before);
		db_int(q, "now", c->now);
	} else {
		q = db_query(db, QUERY_USER_SET_ACTIVE);
		db_bool(q, "active", c->active);
	}
	db_int(q, "id", c->user);
	if ((r = db_run(q)) != DB_END)
		return r;
	c->found = db_changes(db) > 0;
	if (!c->found)
		return DB_END;
	return c->password.p != NULL || !c->active ? session_end_others(db, c->user, NULL, NULL)
	                                           : DB_END;
}

static enum user_result
apply(struct db *db, struct change *c)
{
	if (db_transaction(db, DB_WRITE, change, c) != DB_END)
		return USER_FAILED;
	return c->found ? USER_DONE : USER_UNKNOWN;
}

enum user_result
user_set_password(struct db *db, struct arena *a, const struct config *c, struct account *u,
    struct str password, struct user_problems *why)
{
	struct change new = { .user = u->id, .before = u->password_changed };
	enum user_result result;

	why->n = 0;
	if ((result = user_check_password(db, a, c, u, password, why)) != USER_DONE ||
	    (result = hash(a, password, &new.password)) != USER_DONE)
		return result;
	new.now = clock_now();
	if ((result = apply(db, &new)) == USER_DONE)
		u->password_changed = new.now;
	return result == USER_UNKNOWN ? USER_CHANGED : result;
}

enum user_result
user_set_active(struct db *db, int64_t user, bool active)
{
	return apply(db, &(struct change){ .user = user, .active = active });
}

static void
read_account(struct query *q, struct arena *a, struct account *u)
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

enum user_result
user_find(struct db *db, struct arena *a, struct str username, struct account *u)
{
	struct query *q = db_query(db, QUERY_USER_BY_NAME);
	bool found = false;

	db_text(q, "username", unicode_nfkc(a, username));
	while (db_step(q) == DB_ROW) {
		found = true;
		read_account(q, a, u);
	}
	if (db_done(q) != DB_END)
		return USER_FAILED;
	return found ? USER_DONE : USER_UNKNOWN;
}

enum user_result
user_list(struct db *db, struct arena *a, int64_t group, struct str after, size_t limit,
    struct account **list, size_t *n)
{
	struct query *q = db_query(db, group == 0 ? QUERY_USER_LIST : QUERY_USER_OF_GROUP);

	*list = arena_array(a, limit, sizeof(**list));
	*n = 0;
	if (group != 0)
		db_int(q, "group", group);
	db_text(q, "after", after);
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW)
		if (*n < limit)
			read_account(q, a, &(*list)[(*n)++]);
	return db_done(q) == DB_END ? USER_DONE : USER_FAILED;
}
