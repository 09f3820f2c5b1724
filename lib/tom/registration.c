/*
 * registration: accounts from their form to their first sign-in, and the mail of each step.
 */
#include "tom/registration.h"

#include <string.h>

#include "auth/one_time.h"
#include "tom/mail.h"
#include "tom/user_store.h"

enum registration_strategy
registration_strategy(const struct config *c)
{
	const char *word = config_text(c, "TOM_REGISTRATION_STRATEGY");

	if (strcmp(word, "open") == 0)
		return REGISTRATION_OPEN;
	return strcmp(word, "approval_required") == 0 ? REGISTRATION_APPROVAL : REGISTRATION_NONE;
}

const char *
registration_settings_wrong(const struct config *c)
{
	if (registration_strategy(c) != REGISTRATION_NONE && !mail_is_on(c))
		return "TOM_REGISTRATION_STRATEGY needs MAIL_TRANSPORT: addresses are confirmed by "
		       "mail";
	for (size_t i = 0;; i++) {
		struct str field = config_item(c, "TOM_REQUIRED_USER_FIELDS", i);

		if (field.p == NULL)
			return NULL;
		if (!str_is(field, "first_name") && !str_is(field, "last_name") &&
		    !str_is(field, "affiliation") && !str_is(field, "email"))
			return "TOM_REQUIRED_USER_FIELDS holds a word that is none of first_name, "
			       "last_name, affiliation, email";
	}
}

bool
registration_requires(const struct config *c, const char *field)
{
	for (size_t i = 0;; i++) {
		struct str item = config_item(c, "TOM_REQUIRED_USER_FIELDS", i);

		if (item.p == NULL || str_is(item, field))
			return item.p != NULL;
	}
}

/* -- the form -- */

struct adding {
	struct arena *arena;
	const struct config *config;
	struct secret *secret;
	const struct account *account;
	struct str encoded, terms;
	int64_t now, id;
};

static enum db_result
insert(struct db *db, struct adding *d)
{
	const struct account *u = d->account;
	struct query *q = db_query(db, QUERY_REGISTRATION_ADD);

	user_bind_fields(q, d->arena, u);
	db_text(q, "password", d->encoded);
	db_int(q, "now", d->now);
	db_text(q, "terms", d->terms);
	if (d->terms.n > 0)
		db_int(q, "accepted", d->now);
	else
		db_null(q, "accepted");
	return db_insert(q, &d->id);
}

static enum db_result
send_link(struct db *db, struct adding *d)
{
	const struct account *u = d->account;
	struct one_time one = { .user = d->id, .email = u->email, .password_changed = d->now };
	int64_t days = config_int(d->config, "REGISTRATION_DAYS");
	const char *name = config_text(d->config, "TOM_NAME");
	struct str token, link, body;
	enum db_result r = one_time_add(
	    db, d->arena, d->secret, ONE_TIME_EMAIL, &one, d->now, d->now + days * DAY, &token);

	if (r != DB_END)
		return r;
	r = mail_link(db, d->arena, d->config,
	    arena_printf(d->arena, REGISTRATION_PATH "%s/", token.p).p, &link);
	if (r != DB_ROW)
		return r == DB_END ? DB_FAILED : r;
	body = arena_printf(d->arena,
	    "Somebody, you we hope, asked for the account \"%.*s\" at %s and gave this address.\n\n"
	    "To confirm that the address is yours, open\n\n%s\n\n"
	    "within %lld day%s. %s\n\nIf it was not you, do nothing: the account is forgotten.\n",
	    STR_ARG(u->username), name, link.p, (long long)days, days == 1 ? "" : "s",
	    registration_strategy(d->config) == REGISTRATION_APPROVAL
	        ? "Then those who run the site are asked to let you in, and you hear of it."
	        : "Then you can sign in.");
	return mail_add_asked(db, d->config, u->email,
	    arena_printf(d->arena, "Confirm your address for %s", name), body);
}

static enum db_result
add(struct db *db, void *arg)
{
	struct adding *d = arg;
	enum db_result r = insert(db, d);

	return r == DB_END ? send_link(db, d) : r;
}

enum user_result
registration_add(struct db *db, struct arena *a, const struct config *c, struct secret *secret,
    const struct account *u, struct str password, struct str terms, int64_t *id,
    struct user_problems *why)
{
	struct adding d = {
		.arena = a, .config = c, .secret = secret, .account = u, .terms = terms
	};
	enum user_result result;

	user_check(a, u, why);
	if (!mail_address_is_good(u->email) && why->n < USER_PROBLEMS)
		why->why[why->n++] = STR("The email address is none that mail can be sent to.");
	if ((result = user_pass_new(db, a, c, u, password, &d.encoded, why)) != USER_DONE)
		return result;
	d.now = clock_now();
	switch (db_transaction(db, DB_WRITE, add, &d)) {
	case DB_END:
		*id = d.id;
		return USER_DONE;
	case DB_TAKEN:
		return USER_TAKEN;
	default:
		return USER_FAILED;
	}
}

/* -- the link -- */

static void
read_one_time(const struct one_time *one, struct account *u)
{
	*u = (struct account){ .id = one->user,
		.username = one->username,
		.first_name = one->first_name,
		.last_name = one->last_name,
		.email = one->email,
		.affiliation = one->affiliation,
		.is_active = one->is_active,
		.password_changed = one->password_changed };
}

enum db_result
registration_find(
    struct db *db, struct arena *a, struct secret *secret, struct str token, struct account *u)
{
	struct one_time one;
	enum db_result r = one_time_find(db, a, secret, ONE_TIME_EMAIL, token, clock_now(), &one);

	if (r == DB_ROW)
		read_one_time(&one, u);
	return r == DB_ROW && !one.is_pending ? DB_END : r;
}

struct verifying {
	struct arena *arena;
	const struct config *config;
	struct secret *secret;
	struct str token;
	struct account *account;
	bool done;
};

/* To those who can let them in. */
static enum db_result
tell_staff(struct db *db, struct verifying *v)
{
	const struct account *u = v->account;
	const char *name = config_text(v->config, "TOM_NAME");
	struct str to[20], link, body;
	size_t n = 0;
	struct query *q = db_query(db, QUERY_REGISTRATION_STAFF);
	enum db_result r;

	while (db_step(q) == DB_ROW)
		if (n < NELEM(to))
			to[n++] = db_col_copy(q, "email", v->arena);
	if ((r = db_done(q)) != DB_END)
		return r;
	r = mail_link(db, v->arena, v->config,
	    arena_printf(v->arena, APPROVAL_PATH "%lld/", (long long)u->id).p, &link);
	if (r != DB_ROW)
		return r;
	body = arena_printf(v->arena,
	    "Somebody asks for an account at %s:\n\n"
	    "User name:   %.*s\nName:        %.*s %.*s\nAddress:     %.*s (confirmed)\n"
	    "Affiliation: %.*s\n\nLet them in or refuse them at\n\n%s\n",
	    name, STR_ARG(u->username), STR_ARG(u->first_name), STR_ARG(u->last_name),
	    STR_ARG(u->email), STR_ARG(u->affiliation), link.p);
	r = DB_END;
	for (size_t i = 0; i < n && r == DB_END; i++)
		r = mail_add(db, v->config, to[i],
		    arena_printf(v->arena, "%.*s asks for an account", STR_ARG(u->username)), body);
	return r;
}

static enum db_result
verify(struct db *db, void *arg)
{
	struct verifying *v = arg;
	bool open = registration_strategy(v->config) == REGISTRATION_OPEN;
	int64_t now = clock_now();
	struct query *q;
	enum db_result r;

	v->done = false;
	if ((r = registration_find(db, v->arena, v->secret, v->token, v->account)) != DB_ROW ||
	    (r = one_time_take(db, v->secret, ONE_TIME_EMAIL, v->token, now)) != DB_ROW)
		return r;
	q = db_query(db, QUERY_REGISTRATION_VERIFY);
	db_int(q, "id", v->account->id);
	db_int(q, "now", now);
	db_bool(q, "pending", !open);
	db_bool(q, "active", open);
	if ((r = db_run(q)) != DB_END)
		return r;
	v->done = db_changes(db) > 0;
	v->account->is_active = open;
	return v->done && !open ? tell_staff(db, v) : DB_END;
}

enum db_result
registration_verify(struct db *db, struct arena *a, const struct config *c, struct secret *secret,
    struct str token, struct account *u)
{
	struct verifying v = {
		.arena = a, .config = c, .secret = secret, .token = token, .account = u
	};
	enum db_result r = db_transaction(db, DB_WRITE, verify, &v);

	return r == DB_END && v.done ? DB_ROW : r;
}

/* -- staff -- */

enum db_result
registration_list(struct db *db, struct arena *a, size_t limit, struct account **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_REGISTRATION_LIST);

	*list = arena_array(a, limit, sizeof(**list));
	*n = 0;
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW)
		if (*n < limit)
			user_read_row(q, a, &(*list)[(*n)++]);
	return db_done(q);
}

enum db_result
registration_get(struct db *db, struct arena *a, int64_t id, struct account *u)
{
	struct query *q = db_query(db, QUERY_REGISTRATION_GET);
	bool found = false;
	enum db_result r;

	db_int(q, "id", id);
	while (db_step(q) == DB_ROW) {
		found = true;
		user_read_row(q, a, u);
	}
	r = db_done(q);
	return r == DB_END && found ? DB_ROW : r;
}

struct deciding {
	struct arena *arena;
	const struct config *config;
	struct account *account;
	int64_t id;
	bool approve, done;
};

static enum db_result
tell_applicant(struct db *db, struct deciding *d)
{
	const char *name = config_text(d->config, "TOM_NAME");
	const struct account *u = d->account;
	struct str link;
	enum db_result r = mail_link(db, d->arena, d->config, "/accounts/login/", &link);

	if (r != DB_ROW)
		return r;
	if (d->approve)
		return mail_add(db, d->config, u->email,
		    arena_printf(d->arena, "Your account at %s", name),
		    arena_printf(d->arena,
		        "Your account \"%.*s\" at %s is ready. Sign in at\n\n%s\n",
		        STR_ARG(u->username), name, link.p));
	return mail_add(db, d->config, u->email,
	    arena_printf(d->arena, "Your request for an account at %s", name),
	    arena_printf(d->arena,
	        "Your request for the account \"%.*s\" at %s was not accepted, and what you gave "
	        "was removed.\n",
	        STR_ARG(u->username), name));
}

static enum db_result
decide(struct db *db, void *arg)
{
	struct deciding *d = arg;
	enum db_result r = registration_get(db, d->arena, d->id, d->account);
	struct query *q;

	d->done = false;
	if (r != DB_ROW)
		return r;
	q = db_query(db, d->approve ? QUERY_REGISTRATION_APPROVE : QUERY_REGISTRATION_REFUSE);
	db_int(q, "id", d->id);
	if ((r = db_run(q)) != DB_END)
		return r;
	d->done = db_changes(db) > 0;
	return d->done ? tell_applicant(db, d) : DB_END;
}

enum db_result
registration_decide(struct db *db, struct arena *a, const struct config *c, int64_t id,
    bool approve, struct account *u)
{
	struct deciding d = { .arena = a, .config = c, .account = u, .id = id, .approve = approve };
	enum db_result r = db_transaction(db, DB_WRITE, decide, &d);

	return r == DB_END && d.done ? DB_ROW : r;
}

enum db_result
registration_purge(struct db *db, const struct config *c, int64_t now)
{
	struct query *q = db_query(db, QUERY_REGISTRATION_PURGE);

	db_int(q, "before", now - config_int(c, "REGISTRATION_DAYS") * DAY);
	return db_run(q);
}
