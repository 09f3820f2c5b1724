/*
 * login_reset: another password for those who lost theirs, by a link that is sent to the address of the
 * account. The answer is the same whether there is such an account or not.
 *
 * Opening the link uses nothing up, for programs that look at mail open links too; the form does. It
 * sets the password and signs nobody in, so a second factor is asked as ever. The address of its page,
 * which is a secret, goes nowhere else: every answer says Referrer-Policy: same-origin, and no-store. (With
 * no-referrer browsers say "Origin: null" when they send the form, as foreign pages do.)
 */
#include "auth/event.h"
#include "auth/one_time.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "auth/unicode.h"
#include "base/log.h"
#include "http/form.h"
#include "login.h"
#include "tom/mail.h"

#define LINK_LIFE HOUR
#define LINKS_MAX 3 /* good ones of an account at a time */
#define PATH "/accounts/password/reset/"
#define SENT "/accounts/password/sent/"

enum { WHO, WHO_FIELDS };
static const struct field who_fields[] = {
	[WHO] = { "email", FIELD_TEXT, .required = true, .max = USER_TEXT_MAX,
	    .label = "E-mail address or user name", .autocomplete = "email" },
};

enum { NEW, AGAIN, NEW_FIELDS };
static const struct field new_fields[] = {
	[NEW] = { "new_password1", FIELD_SECRET, .required = true, .label = "New password",
	    .autocomplete = "new-password" },
	[AGAIN] = { "new_password2", FIELD_SECRET, .required = true, .label = "New password again",
	    .autocomplete = "new-password" },
};

static bool
is_on(const struct request *r)
{
	return config_bool(r->app->config, "TOM_PASSWORD_RESET_ENABLED");
}

/* -- asking for the link -- */

static int
show_ask_form(
    struct request *r, struct response *res, int status, const struct input *in, bool sent)
{
	struct value *page = value_object(r->arena);

	auth_form_cookie(r, res);
	value_set_cstr(page, "title", "Reset your password");
	value_set_bool(page, "sent", sent);
	value_set_bool(page, "no_mail", !mail_is_on(r->app->config));
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	form_show(page, who_fields, in, WHO_FIELDS, r->arena);
	return respond_page(r, res, status, "reset", page);
}

int
show_reset(struct request *r, struct response *res)
{
	if (!is_on(r))
		return respond_error(r, res, 404, NULL);
	return show_ask_form(r, res, 200, NULL, false);
}

#define ACCOUNTS_MAX 10

struct asking {
	struct request *request;
	struct str who;
	struct one_time list[ACCOUNTS_MAX];
	size_t n;
};

/* The accounts that the text names: one of that user name, those of that address. */
static enum db_result
find_accounts(struct db *db, struct asking *ask)
{
	struct arena *a = ask->request->arena;
	struct str key = mail_address_key(a, ask->who);
	struct query *q = db_query(db, QUERY_USER_TO_RESET);

	ask->n = 0;
	db_text(q, "username", unicode_nfkc(a, ask->who));
	db_text(q, "email", mail_address_is_good(ask->who) ? key : STR_NONE);
	while (db_step(q) == DB_ROW)
		if (ask->n < ACCOUNTS_MAX) {
			struct one_time *one = &ask->list[ask->n++];

			*one = (struct one_time){ .user = db_col_int(q, "id"),
				.password_changed = db_col_int(q, "password_changed") };
			one->username = db_col_copy(q, "username", a);
			one->email = db_col_copy(q, "email", a);
		}
	return db_done(q);
}

/*
 * Whose mailbox has LINKS_MAX good links gets no more: however often strangers ask, the owner has one
 * that works. (A limit of mails a day would let them use it up.)
 */
static enum db_result
send_link(struct db *db, struct request *r, const struct one_time *one)
{
	const struct config *c = r->app->config;
	const char *name = config_text(c, "TOM_NAME");
	struct str token, link, body;
	int64_t good;
	enum db_result result = one_time_count(db, ONE_TIME_RESET, one, r->now, &good);

	if (result != DB_END || good >= LINKS_MAX)
		return result;
	result = one_time_add(
	    db, r->arena, auth_secret(r), ONE_TIME_RESET, one, r->now, r->now + LINK_LIFE, &token);

	if (result != DB_END)
		return result;
	result = mail_link(db, r->arena, c, arena_printf(r->arena, PATH "%s/", token.p).p, &link);
	if (result != DB_ROW)
		return result == DB_END ? DB_FAILED : result;
	body = arena_printf(r->arena,
	    "Somebody, you we hope, asked for another password for the account \"%.*s\" at %s.\n\n"
	    "To choose one, open\n\n%s\n\n"
	    "within an hour. It can be used once.\n\n"
	    "If it was not you, do nothing: your password stays as it is.\n",
	    STR_ARG(one->username), name, link.p);
	return mail_add(
	    db, c, one->email, arena_printf(r->arena, "Another password for %s", name), body);
}

/* Known or not, a line of the security log is written in a transaction, so both take that time. */
static enum db_result
ask(struct db *db, void *arg)
{
	struct asking *a = arg;
	struct request *r = a->request;
	enum db_result result = find_accounts(db, a);

	for (size_t i = 0; i < a->n && result == DB_END; i++) {
		result = send_link(db, r, &a->list[i]);
		event_note(r,
		    (struct event){ .kind = EVENT_RESET_ASKED,
		        .user = a->list[i].user,
		        .username = a->list[i].username });
	}
	if (a->n == 0)
		event_note(r,
		    (struct event){ .kind = EVENT_RESET_ASKED,
		        .detail = STR("there is no such account with an address") });
	return result;
}

int
ask_reset(struct request *r, struct response *res)
{
	struct asking a = { .request = r };
	struct input in[WHO_FIELDS];
	struct throttle t;
	enum db_result result;
	int64_t wait;

	if (!is_on(r))
		return respond_error(r, res, 404, NULL);
	if (form_read(&r->post, who_fields, WHO_FIELDS, in, r->arena) > 0)
		return show_ask_form(r, res, 400, in, false);
	if (!mail_is_on(r->app->config))
		return show_ask_form(r, res, 503, in, false);
	a.who = in[WHO].text;
	if ((wait = throttle_ask(r, THROTTLE_RESET, mail_address_key(r->arena, a.who), &t)) != 0)
		return throttle_refuse(r, res, wait);
	if ((result = db_transaction(r->app->db, DB_WRITE, ask, &a)) != DB_END)
		return auth_db_failed(r, res, result);
	return respond_redirect(r, res, STR(SENT));
}

int
show_reset_sent(struct request *r, struct response *res)
{
	if (!is_on(r))
		return respond_error(r, res, 404, NULL);
	return show_ask_form(r, res, 200, NULL, true);
}

/* -- the link -- */

/* DB_ROW, or the answer is given. */
static enum db_result
find_link(struct request *r, struct response *res, struct one_time *one)
{
	enum db_result result = DB_END;

	if (!is_on(r)) {
		respond_error(r, res, 404, NULL);
		return DB_END;
	}
	result = one_time_find(
	    r->app->db, r->arena, auth_secret(r), ONE_TIME_RESET, r->capture[0], r->now, one);
	if (result == DB_ROW && one->is_active && !one->is_pending)
		return DB_ROW;
	if (result != DB_ROW && result != DB_END)
		auth_db_failed(r, res, result);
	else
		respond_error(r, res, 404,
		    "This link is no longer good: it was used, an hour went by, or the password "
		    "was "
		    "changed since. Ask for another one on the page Reset your password.");
	return DB_END;
}

static int
show_new_form(struct request *r, struct response *res, int status, const struct one_time *one,
    const struct input *in)
{
	struct value *page = value_object(r->arena);

	auth_form_cookie(r, res);
	value_set_cstr(page, "title", "Choose another password");
	value_set_text(page, "username", one->username);
	value_set_text(page, "token", r->capture[0]);
	user_show_password_rules(r->app->config, r->arena, page);
	form_show(page, new_fields, in, NEW_FIELDS, r->arena);
	return respond_page(r, res, status, "reset-new", page);
}

int
show_reset_link(struct request *r, struct response *res)
{
	struct one_time one;

	if (find_link(r, res, &one) != DB_ROW)
		return 0;
	return show_new_form(r, res, 200, &one, NULL);
}

/* The link is used up by the password itself, to whose time it is bound: only one form can win. */
static enum user_result
set_password(struct request *r, const struct one_time *one, struct input *in)
{
	struct account u = { .id = one->user,
		.username = one->username,
		.first_name = one->first_name,
		.last_name = one->last_name,
		.email = one->email,
		.password_changed = one->password_changed };

	if (in[AGAIN].state != WRONG && !str_eq(in[NEW].text, in[AGAIN].text))
		form_wrong(&in[AGAIN],
		    STR("The two new passwords are not the same. Type the new one again."));
	return login_set_password(r, &u, &in[NEW], form_count_wrong(in, NEW_FIELDS) == 0);
}

int
reset_password(struct request *r, struct response *res)
{
	struct input in[NEW_FIELDS];
	struct one_time one;

	if (find_link(r, res, &one) != DB_ROW)
		return 0;
	form_read(&r->post, new_fields, NEW_FIELDS, in, r->arena);
	switch (set_password(r, &one, in)) {
	case USER_DONE:
		break;
	case USER_WRONG:
		return show_new_form(r, res, 400, &one, in);
	case USER_CHANGED:
		return respond_error(r, res, 404,
		    "This link was used at this moment, or the password was changed otherwise.");
	case USER_BUSY:
		return respond_error(r, res, 503, LOGIN_BUSY);
	default:
		return respond_error(r, res, 503, NULL);
	}
	if (one_time_end(r->app->db, ONE_TIME_RESET, one.user, r->now) != DB_END)
		log_warn("links that are void could not be removed",
		    LOG_TEXT("error", db_error(r->app->db)));
	event_note(r,
	    (struct event){ .kind = EVENT_RESET_DONE, .user = one.user, .username = one.username });
	respond_message(r, res, "ok",
	    STR("Your password is changed, and wherever you were signed in you are signed out. "
	        "Sign in with the new one."));
	return respond_redirect(r, res, STR("/accounts/login/"));
}
