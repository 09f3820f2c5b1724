/*
 * user_change: accounts that are changed and deleted, in one transaction each.
 *
 * What could leave the site without a superuser locks the rows of all active superusers first, then
 * the account's own. Of two who demote, disable or delete each other at the same time one comes
 * second, and sees that they are the last.
 */
#include "auth/access.h"
#include "auth/token.h"
#include "auth/unicode.h"
#include "base/clock.h"
#include "tom/group.h"
#include "tom/rights.h"
#include "tom/user_address.h"
#include "tom/user_store.h"

struct change {
	struct arena *arena;
	const struct config *config;
	struct user_change *ask;
	struct user_problems *why;
	struct str encoded; /* USER_PASSWORD */
	int64_t now;
	size_t superusers; /* active ones */
	enum user_result answer;
};

/* Locks the active superusers, who are counted. */
static enum db_result
lock_superusers(struct db *db, size_t *n)
{
	struct query *q = db_query(db, QUERY_USER_SUPERUSERS_LOCK);

	*n = 0;
	while (db_step(q) == DB_ROW)
		(*n)++;
	return db_done(q);
}

/* Locks an account and reads it: its id is 0 where it is not there. */
static enum db_result
lock_account(struct db *db, struct arena *a, int64_t id, struct account *u)
{
	struct query *q = db_query(db, QUERY_USER_LOCK);

	*u = (struct account){ .id = 0 };
	db_int(q, "id", id);
	while (db_step(q) == DB_ROW)
		user_read_row(q, a, u);
	return db_done(q);
}

static bool
reigns(const struct account *u)
{
	return u->is_active && u->is_superuser;
}

/* The account as it will be; which parts differ. */
static struct account
merge(struct arena *a, struct user_change *c)
{
	const struct account *to = &c->to, *was = &c->was;
	struct account u = *was;

	if (c->parts & USER_NAME)
		u.username = to->username;
	if (c->parts & USER_PROFILE) {
		u.first_name = to->first_name;
		u.last_name = to->last_name;
		u.affiliation = to->affiliation;
	}
	if (c->parts & USER_EMAIL)
		u.email = to->email;
	if (c->parts & USER_ACTIVE)
		u.is_active = to->is_active;
	if (c->parts & USER_RIGHTS) {
		u.is_superuser = to->is_superuser;
		u.is_staff = to->is_staff || to->is_superuser;
	}
	u.username = unicode_nfkc(a, u.username);
	c->changed = (str_eq(u.username, was->username) ? 0U : USER_NAME) |
	    (str_eq(u.email, was->email) ? 0U : USER_EMAIL) |
	    (u.is_active == was->is_active ? 0U : USER_ACTIVE) | (c->parts & USER_PASSWORD);
	if (!str_eq(u.first_name, was->first_name) || !str_eq(u.last_name, was->last_name) ||
	    !str_eq(u.affiliation, was->affiliation))
		c->changed |= USER_PROFILE;
	if (u.is_staff != was->is_staff || u.is_superuser != was->is_superuser)
		c->changed |= USER_RIGHTS;
	return u;
}

static enum db_result
write_fields(struct db *db, struct arena *a, const struct account *u)
{
	struct query *q = db_query(db, QUERY_USER_CHANGE);

	user_bind_fields(q, a, u);
	db_int(q, "id", u->id);
	db_bool(q, "is_active", u->is_active);
	db_bool(q, "is_staff", u->is_staff);
	db_bool(q, "is_superuser", u->is_superuser);
	return db_run(q);
}

static enum db_result
write_password(struct db *db, const struct change *c)
{
	struct query *q = db_query(db, QUERY_USER_SET_PASSWORD);

	db_int(q, "id", c->ask->was.id);
	db_text(q, "password", c->encoded);
	db_int(q, "before", c->ask->was.password_changed);
	db_int(q, "now", c->now);
	return db_run(q);
}

static enum db_result
run_of(struct db *db, enum query_name name, int64_t user)
{
	struct query *q = db_query(db, name);

	db_int(q, "user", user);
	return db_run(q);
}

static enum db_result
write_groups(struct db *db, struct change *c)
{
	struct group_members m = { 0 };
	enum db_result r = group_set_of_user(
	    db, c->arena, c->ask->was.id, c->ask->groups, c->ask->ngroups, &m);

	if (m.njoined + m.nleft > 0)
		c->ask->changed |= USER_GROUPS;
	return r;
}

/* What forbids the change: USER_DONE where nothing does. */
static enum user_result
refusal(struct db *db, struct change *c, const struct account *new)
{
	const struct account *was = &c->ask->was;

	if (was->id == 0)
		return USER_UNKNOWN;
	if (user_is_former(was->username) ||
	    (c->ask->ordinary_only && (was->is_staff || was->is_superuser)))
		return USER_REFUSED;
	if (reigns(was) && !reigns(new) && c->superusers < 2)
		return USER_LAST;
	if (c->ask->changed & USER_NAME)
		return user_find_alike(db, c->arena, was->id, new->username);
	return USER_DONE;
}

static enum db_result
change(struct db *db, void *arg)
{
	struct change *c = arg;
	struct user_change *ask = c->ask;
	struct account new;
	enum db_result r = DB_END;

	if (ask->parts & (USER_ACTIVE | USER_RIGHTS))
		r = lock_superusers(db, &c->superusers);
	if (r == DB_END)
		r = lock_account(db, c->arena, ask->to.id, &ask->was);
	if (r != DB_END)
		return r;
	new = merge(c->arena, ask);
	c->answer = refusal(db, c, &new);
	if (c->answer == USER_DONE && user_address_holds(c->config, ask)) {
		r = user_address_hold(db, c->arena, c->config, ask, &new, c->now, c->why);
		c->answer = c->why->n > 0 ? USER_WRONG : USER_DONE;
	}
	if (r != DB_END || c->answer != USER_DONE)
		return r;
	if (ask->changed & ~(unsigned)USER_PASSWORD)
		r = write_fields(db, c->arena, &new);
	if (r == DB_END && (ask->parts & USER_PASSWORD))
		r = write_password(db, c);
	if (r == DB_END && (ask->changed & USER_EMAIL))
		r = run_of(db, QUERY_USER_VOID_LINKS, new.id);
	if (r == DB_END && (ask->changed & USER_EMAIL))
		r = user_mail_address(db, c->arena, c->config, &ask->was, STR_NONE);
	if (r == DB_END && (ask->parts & USER_GROUPS))
		r = write_groups(db, c);
	if (r == DB_END && (ask->changed & (USER_ACTIVE | USER_RIGHTS | USER_PASSWORD)))
		r = session_end_others(db, new.id, ask->keep, NULL);
	if (r == DB_END && (ask->parts & USER_PASSWORD))
		r = token_end_automatic(db, new.id);
	if (r == DB_END && (ask->parts & USER_PASSWORD)) /* the address that it had till now */
		r = user_mail_password(db, c->arena, c->config, &ask->was);
	return r;
}

/* What a transaction came to. */
static enum user_result
outcome(enum db_result r, struct user_problems *why)
{
	switch (r) {
	case DB_END:
		return USER_DONE;
	case DB_TAKEN:
		return USER_TAKEN;
	case DB_REFUSED: /* a foreign key */
		why->why[why->n++] = STR("One of the groups is not there any more.");
		return USER_WRONG;
	default:
		return USER_FAILED;
	}
}

static enum user_result
apply(struct db *db, struct change *c, struct user_problems *why)
{
	enum user_result result;

	c->why = why;
	result = outcome(db_transaction(db, DB_WRITE, change, c), why);

	return result == USER_DONE ? c->answer : result;
}

enum user_result
user_change(struct db *db, struct arena *a, const struct config *config, struct user_change *ask,
    struct user_problems *why)
{
	struct change c = { .arena = a, .config = config, .ask = ask };
	enum user_result result = USER_DONE;

	user_check(a, &ask->to, why);
	if (ask->parts & USER_PASSWORD)
		result = user_check_password(db, a, config, &ask->to, ask->password, why);
	if (result == USER_FAILED)
		return result;
	if (why->n > 0)
		return USER_WRONG;
	if ((ask->parts & USER_PASSWORD) &&
	    (result = user_hash(a, ask->password, &c.encoded)) != USER_DONE)
		return result;
	c.now = clock_now();
	return apply(db, &c, why);
}

enum user_result
user_set_active(struct db *db, int64_t user, bool active)
{
	struct user_change ask = { .parts = USER_ACTIVE,
		.to = { .id = user, .is_active = active } };
	struct change c = { .arena = arena_new(), .ask = &ask };
	struct user_problems why = { .n = 0 };
	enum user_result result = apply(db, &c, &why);

	arena_free(c.arena);
	return result;
}

/* -- a new one -- */

struct addition {
	struct arena *arena;
	const struct account *account;
	struct str encoded;
	const int64_t *groups;
	size_t ngroups;
	int64_t *id;
};

static enum db_result
add(struct db *db, void *arg)
{
	struct addition *n = arg;
	const struct account *u = n->account;
	struct group_members set;
	struct query *q = db_query(db, QUERY_USER_ADD);
	enum db_result r;

	user_bind_fields(q, n->arena, u);
	db_text(q, "password", n->encoded);
	db_bool(q, "is_staff", u->is_staff || u->is_superuser);
	db_bool(q, "is_superuser", u->is_superuser);
	db_int(q, "now", clock_now());
	r = db_insert(q, n->id);
	if (r == DB_END && n->ngroups > 0)
		r = group_set_of_user(db, n->arena, *n->id, n->groups, n->ngroups, &set);
	return r;
}

enum user_result
user_add_to_groups(struct db *db, struct arena *a, const struct config *c, const struct account *u,
    struct str password, const int64_t *groups, size_t ngroups, int64_t *id,
    struct user_problems *why)
{
	struct addition n = {
		.arena = a, .account = u, .groups = groups, .ngroups = ngroups, .id = id
	};
	enum user_result result;

	user_check(a, u, why);
	if ((result = user_pass_new(db, a, c, u, password, &n.encoded, why)) != USER_DONE)
		return result;
	return outcome(db_transaction(db, DB_WRITE, add, &n), why);
}

enum user_result
user_add(struct db *db, struct arena *a, const struct config *c, const struct account *u,
    struct str password, int64_t *id, struct user_problems *why)
{
	return user_add_to_groups(db, a, c, u, password, NULL, 0, id, why);
}

/* -- deletion -- */

struct deletion {
	struct arena *arena;
	int64_t user, now;
	enum user_result answer;
};

/* The id of the former user, who is made where they are not there yet. */
static enum db_result
former_user(struct db *db, int64_t now, int64_t *id)
{
	struct query *q = db_query(db, QUERY_USER_FORMER_ADD);
	enum db_result r;

	db_int(q, "now", now);
	if ((r = db_run(q)) != DB_END)
		return r;
	q = db_query(db, QUERY_USER_FORMER);
	while (db_step(q) == DB_ROW)
		*id = db_col_int(q, "id");
	return db_done(q);
}

static enum db_result
count_targets(struct db *db, int64_t user, int64_t limit, int64_t *n)
{
	struct query *q = db_query(db, QUERY_USER_COUNT_TARGETS);

	*n = 0;
	db_int(q, "user", user);
	db_int(q, "limit", limit);
	while (db_step(q) == DB_ROW)
		*n = db_col_int(q, "n");
	return db_done(q);
}

/* What they made becomes the former user's. */
static enum db_result
hand_over(struct db *db, int64_t user, int64_t now)
{
	int64_t former = 0, made;
	enum db_result r = count_targets(db, user, 1, &made);
	struct query *q;

	if (r != DB_END || made == 0)
		return r;
	if ((r = former_user(db, now, &former)) != DB_END)
		return r;
	q = db_query(db, QUERY_USER_HAND_OVER_TARGETS);
	db_int(q, "from", user);
	db_int(q, "to", former);
	return db_run(q);
}

static enum db_result
delete_account(struct db *db, void *arg)
{
	struct deletion *d = arg;
	struct account was;
	size_t superusers;
	enum db_result r = lock_superusers(db, &superusers);

	if (r == DB_END)
		r = lock_account(db, d->arena, d->user, &was);
	if (r != DB_END)
		return r;
	d->answer = was.id == 0              ? USER_UNKNOWN
	    : user_is_former(was.username)   ? USER_REFUSED
	    : reigns(&was) && superusers < 2 ? USER_LAST
	                                     : USER_DONE;
	if (d->answer != USER_DONE)
		return DB_END;
	if ((r = hand_over(db, d->user, d->now)) != DB_END)
		return r;
	if ((r = rights_forget(db, PRINCIPAL_USER(d->user))) != DB_END)
		return r;
	return run_of(db, QUERY_USER_DELETE, d->user);
}

enum user_result
user_delete(struct db *db, int64_t user)
{
	struct deletion d = { .arena = arena_new(), .user = user, .now = clock_now() };
	enum db_result r = db_transaction(db, DB_WRITE, delete_account, &d);

	arena_free(d.arena);
	return r == DB_END ? d.answer : USER_FAILED;
}

enum user_result
user_count_targets(struct db *db, int64_t user, int64_t limit, int64_t *n)
{
	return count_targets(db, user, limit, n) == DB_END ? USER_DONE : USER_FAILED;
}
