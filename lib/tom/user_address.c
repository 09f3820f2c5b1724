/*
 * user_address: the link to another address of one's own, and what it does.
 */
#include "tom/user_address.h"

#include "tom/mail.h"

bool
user_address_holds(const struct config *c, const struct user_change *ask)
{
	return ask->confirm != NULL && (ask->changed & USER_EMAIL) && ask->to.email.n > 0 &&
	    mail_is_on(c);
}

static void
add(struct user_problems *why, const char *sentence)
{
	if (why->n < USER_PROBLEMS)
		why->why[why->n++] = str_of(sentence);
}

static enum db_result
send_link(struct db *db, struct arena *a, const struct config *c, struct secret *secret,
    const struct account *was, struct str email, int64_t now)
{
	const struct one_time one = {
		.user = was->id, .email = email, .password_changed = was->password_changed
	};
	const char *name = config_text(c, "TOM_NAME");
	struct str token, link, body;
	enum db_result r = one_time_add(
	    db, a, secret, ONE_TIME_ADDRESS, &one, now, now + ADDRESS_LIFE, &token);

	if (r != DB_END)
		return r;
	r = mail_link(db, a, c, arena_printf(a, ADDRESS_PATH "%s/", token.p).p, &link);
	if (r != DB_ROW)
		return r == DB_END ? DB_FAILED : r;
	body = arena_printf(a,
	    "Somebody, you we hope, gave this address for the account \"%.*s\" at %s.\n\n"
	    "To have it used from now on, open\n\n%s\n\nwithin a day, and sign in as %.*s.\n\n"
	    "If it was not you, do nothing: the address is forgotten.\n",
	    STR_ARG(was->username), name, link.p, STR_ARG(was->username));
	return mail_add_asked(
	    db, c, email, arena_printf(a, "Confirm your new address for %s", name), body);
}

enum db_result
user_address_hold(struct db *db, struct arena *a, const struct config *c, struct user_change *ask,
    struct account *u, int64_t now, struct user_problems *why)
{
	const struct one_time one = { .user = u->id,
		.password_changed = ask->was.password_changed };
	enum db_result r;
	int64_t good;

	if (!mail_address_is_good(u->email)) {
		add(why, "The email address is none that mail can be sent to.");
		return DB_END;
	}
	if ((r = one_time_count(db, ONE_TIME_ADDRESS, &one, now, &good)) != DB_END)
		return r;
	if (good >= ADDRESS_LINKS) {
		add(why,
		    "The email address cannot be asked for now: three links were sent within a "
		    "day. Open one of them, or come back tomorrow.");
		return DB_END;
	}
	ask->held = u->email;
	ask->changed &= ~(unsigned)USER_EMAIL;
	u->email = ask->was.email;
	r = send_link(db, a, c, ask->confirm, &ask->was, ask->held, now);
	return r == DB_END ? user_mail_address(db, a, c, &ask->was, ask->held) : r;
}

enum db_result
user_address_find(struct db *db, struct arena *a, struct secret *secret, struct str token,
    int64_t user, int64_t now, struct one_time *one)
{
	enum db_result r = one_time_find(db, a, secret, ONE_TIME_ADDRESS, token, now, one);

	return r == DB_ROW && one->user != user ? DB_END : r;
}

struct taking {
	struct arena *arena;
	const struct config *config;
	struct secret *secret;
	struct str token;
	int64_t user, now;
	struct one_time *one;
	bool done;
};

/* Who deletes the link has it; the others of the account are void with the old address. */
static enum db_result
take(struct db *db, void *arg)
{
	struct taking *t = arg;
	struct account was;
	enum db_result r = user_address_find(
	    db, t->arena, t->secret, t->token, t->user, t->now, t->one);
	struct query *q;

	t->done = false;
	if (r != DB_ROW ||
	    (r = one_time_take(db, t->secret, ONE_TIME_ADDRESS, t->token, t->now)) != DB_ROW)
		return r;
	t->done = true;
	q = db_query(db, QUERY_USER_SET_ADDRESS);
	db_int(q, "id", t->user);
	db_text(q, "email", t->one->sent_to);
	db_int(q, "now", t->now);
	if ((r = db_run(q)) != DB_END)
		return r;
	q = db_query(db, QUERY_USER_VOID_LINKS);
	db_int(q, "user", t->user);
	if ((r = db_run(q)) != DB_END)
		return r;
	was = (struct account){ .username = t->one->username, .email = t->one->email };
	return user_mail_address(db, t->arena, t->config, &was, STR_NONE);
}

enum db_result
user_address_take(struct db *db, struct arena *a, const struct config *c, struct secret *secret,
    struct str token, int64_t user, int64_t now, struct one_time *one)
{
	struct taking t = { .arena = a,
		.config = c,
		.secret = secret,
		.token = token,
		.user = user,
		.now = now,
		.one = one };
	enum db_result r = db_transaction(db, DB_WRITE, take, &t);

	return r == DB_END && t.done ? DB_ROW : r;
}
