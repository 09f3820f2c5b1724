/*
 * login_register: accounts that people make for themselves, their confirmation, and the queue of those
 * who wait for staff.
 *
 * Whether an address has an account already is told to its owner alone. Programs that fill in forms
 * meet a field that people do not see, and a time before which nobody has read the form.
 */
#include <string.h>

#include "auth/event.h"
#include "auth/throttle.h"
#include "http/form.h"
#include "login.h"
#include "tom/registration.h"

#define FORM_LEAST (3 * SECOND) /* nobody fills it in faster */
#define FORM_MOST DAY
#define WAITING_MAX 200
#define SENT "/accounts/registered/" /* where the form leads */

enum { USERNAME, FIRST_NAME, LAST_NAME, EMAIL, AFFILIATION, PASSWORD1, PASSWORD2, TERMS, FIELDS };
static const struct field fields[] = {
	[USERNAME] = { "username", FIELD_TEXT, .required = true, .max = USERNAME_MAX,
	    .label = "User name", .autocomplete = "username" },
	[FIRST_NAME] = { "first_name", FIELD_TEXT, .max = 150, .label = "First name",
	    .autocomplete = "given-name" },
	[LAST_NAME] = { "last_name", FIELD_TEXT, .max = 150, .label = "Last name",
	    .autocomplete = "family-name" },
	[EMAIL] = { "email", FIELD_TEXT, .required = true, .max = USER_TEXT_MAX,
	    .label = "E-mail address", .autocomplete = "email",
	    .help = "A link to confirm it is sent there." },
	[AFFILIATION] = { "affiliation", FIELD_TEXT, .max = 100, .label = "Affiliation",
	    .autocomplete = "organization" },
	[PASSWORD1] = { "password1", FIELD_SECRET, .required = true, .label = "Password",
	    .autocomplete = "new-password" },
	[PASSWORD2] = { "password2", FIELD_SECRET, .required = true, .label = "Password again",
	    .autocomplete = "new-password" },
	[TERMS] = { "terms", FIELD_BOOL, .label = "I accept the terms of service" },
};

bool
login_registers(const struct request *r)
{
	return registration_strategy(r->app->config) != REGISTRATION_NONE;
}

/* -- when the form was opened -- */

#define STAMP_SIZE (sizeof(int64_t) + SECRET_SIZE)

static struct str
make_stamp(struct request *r, int64_t at)
{
	struct str parts[] = { STR("registration"), { (const char *)&at, sizeof(at) } };
	uint8_t bytes[STAMP_SIZE];

	memcpy(bytes, &at, sizeof(at));
	secret_sign(auth_secret(r), parts, NELEM(parts), bytes + sizeof(at));
	return secret_encode(r->arena, bytes, sizeof(bytes));
}

/* How long ago; negative where the stamp is none of ours. */
static int64_t
age_of(struct request *r, struct str stamp)
{
	uint8_t bytes[STAMP_SIZE];
	int64_t at;
	struct str parts[] = { STR("registration"), { (const char *)&at, sizeof(at) } };

	if (!secret_decode(stamp, bytes, sizeof(bytes)))
		return -1;
	memcpy(&at, bytes, sizeof(at));
	return secret_signed(auth_secret(r), parts, NELEM(parts), bytes + sizeof(at)) ? r->now - at
	                                                                              : -1;
}

/* -- the form -- */

/* The fields as this site wants them. */
static void
wanted_fields(struct request *r, struct field wanted[FIELDS])
{
	memcpy(wanted, fields, sizeof(fields));
	for (size_t i = 0; i < FIELDS; i++)
		if (registration_requires(r->app->config, fields[i].name))
			wanted[i].required = true;
}

static size_t
count_fields(const struct request *r)
{
	return login_terms_version(r).n > 0 ? FIELDS : TERMS;
}

static int
show_form(struct request *r, struct response *res, int status, const struct input *in,
    struct str stamp, const char *hasty)
{
	struct value *page = value_object(r->arena);
	struct field wanted[FIELDS];

	auth_form_cookie(r, res);
	wanted_fields(r, wanted);
	value_set_cstr(page, "title", "Create an account");
	value_set_text(page, "stamp", stamp);
	value_set_cstr(page, "hasty", hasty);
	value_set_bool(
	    page, "approval", registration_strategy(r->app->config) == REGISTRATION_APPROVAL);
	value_set_bool(page, "terms", login_terms_version(r).n > 0);
	user_show_password_rules(r->app->config, r->arena, page);
	form_show(page, wanted, in, count_fields(r), r->arena);
	return respond_page(r, res, status, "register", page);
}

int
show_register(struct request *r, struct response *res)
{
	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	if (r->user != NULL)
		return respond_redirect(r, res, STR("/"));
	return show_form(r, res, 200, NULL, make_stamp(r, r->now), NULL);
}

static struct str
text_of(const struct input *in)
{
	return in->state == VALID ? in->text : STR("");
}

/* What the fields say of each other, and what the rules say before anything is hashed. */
static enum user_result
check_form(struct request *r, struct input *in, const struct account *u)
{
	struct user_problems why = { .n = 0 };
	enum user_result result = USER_DONE;

	if (in[PASSWORD2].state == VALID && !str_eq(in[PASSWORD1].text, in[PASSWORD2].text))
		form_wrong(
		    &in[PASSWORD2], STR("The two passwords are not the same. Type it again."));
	if (count_fields(r) > TERMS && in[TERMS].integer != 1)
		form_wrong(&in[TERMS], STR("Accept the terms of service to have an account."));
	if (in[PASSWORD1].state == VALID) {
		result = user_check_password(
		    r->app->db, r->arena, r->app->config, u, in[PASSWORD1].text, &why);
		if (why.n > 0)
			form_wrong(&in[PASSWORD1], user_problems_text(r->arena, &why));
	}
	return result == USER_FAILED ? result : USER_DONE;
}

static enum user_result
add(struct request *r, struct input *in, const struct account *u)
{
	struct user_problems why = { .n = 0 };
	int64_t id = 0;
	enum user_result result = registration_add(r->app->db, r->arena, r->app->config,
	    auth_secret(r), u, in[PASSWORD1].text, login_terms_version(r), &id, &why);

	if (result == USER_TAKEN)
		form_wrong(&in[USERNAME], STR("This user name is taken. Choose another."));
	if (result == USER_WRONG) {
		bool address = false;

		for (size_t i = 0; i < why.n; i++)
			address = address || str_starts(why.why[i], "The email");
		form_wrong(&in[address ? EMAIL : USERNAME],
		    why.n > 0 ? user_problems_text(r->arena, &why)
		              : STR("This cannot be an account."));
	}
	if (result == USER_DONE)
		event_note(r,
		    (struct event){
		        .kind = EVENT_REGISTERED, .user = id, .username = u->username });
	return result;
}

int
register_account(struct request *r, struct response *res)
{
	struct str stamp = pairs_get(&r->post, "stamp"), bait = pairs_get(&r->post, "website");
	int64_t age, wait;
	struct field wanted[FIELDS];
	struct input in[FIELDS] = { { .state = ABSENT } };
	struct throttle t;
	struct account u;

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	if (r->user != NULL)
		return respond_redirect(r, res, STR("/"));
	wanted_fields(r, wanted);
	form_read(&r->post, wanted, count_fields(r), in, r->arena);
	u = (struct account){ .username = text_of(&in[USERNAME]),
		.first_name = text_of(&in[FIRST_NAME]),
		.last_name = text_of(&in[LAST_NAME]),
		.email = text_of(&in[EMAIL]),
		.affiliation = text_of(&in[AFFILIATION]) };
	age = stamp.p == NULL ? -1 : age_of(r, stamp);
	if (age < 0 || age > FORM_MOST)
		stamp = make_stamp(r, r->now);
	if (check_form(r, in, &u) == USER_FAILED)
		return respond_error(r, res, 503, NULL);
	if (form_count_wrong(in, count_fields(r)) > 0)
		return show_form(r, res, 400, in, stamp, NULL);
	if (!str_empty(bait)) /* a program is told what people are */
		return respond_redirect(r, res, STR(SENT));
	if (age < FORM_LEAST || age > FORM_MOST)
		return show_form(r, res, 400, in, stamp,
		    age < 0 || age > FORM_MOST
		        ? "The form was open for too long. Look it over and send it again."
		        : "That was quick. Look the form over and send it again.");
	if ((wait = throttle_ask(r, THROTTLE_REGISTER, STR(""), &t)) != 0)
		return throttle_refuse(r, res, wait);
	switch (add(r, in, &u)) {
	case USER_DONE:
		return respond_redirect(r, res, STR(SENT));
	case USER_WRONG:
	case USER_TAKEN:
		return show_form(r, res, 400, in, stamp, NULL);
	case USER_BUSY:
		return respond_error(r, res, 503, LOGIN_BUSY);
	default:
		return respond_error(r, res, 503, NULL);
	}
}

int
show_register_sent(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	value_set_cstr(page, "title", "Look into your mail");
	value_set_int(page, "days", config_int(r->app->config, "REGISTRATION_DAYS"));
	value_set_bool(
	    page, "approval", registration_strategy(r->app->config) == REGISTRATION_APPROVAL);
	return respond_page(r, res, 200, "register-sent", page);
}

/* -- the link -- */

static int
refuse_link(struct request *r, struct response *res, enum db_result result)
{
	if (result != DB_END)
		return auth_db_failed(r, res, result);
	return respond_error(r, res, 404,
	    "This link is no longer good: it was used, or the time to confirm the address went by. "
	    "If you cannot sign in, create the account again.");
}

int
show_confirm(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct account u;
	enum db_result result;

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	result = registration_find(r->app->db, r->arena, auth_secret(r), r->capture[0], &u);
	if (result != DB_ROW)
		return refuse_link(r, res, result);
	auth_form_cookie(r, res);
	value_set_cstr(page, "title", "Confirm your address");
	value_set_text(page, "username", u.username);
	value_set_text(page, "email", u.email);
	value_set_text(page, "token", r->capture[0]);
	return respond_page(r, res, 200, "register-confirm", page);
}

int
confirm_address(struct request *r, struct response *res)
{
	struct account u;
	enum db_result result;

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	result = registration_verify(
	    r->app->db, r->arena, r->app->config, auth_secret(r), r->capture[0], &u);
	if (result != DB_ROW)
		return refuse_link(r, res, result);
	event_note(r,
	    (struct event){ .kind = EVENT_EMAIL_VERIFIED, .user = u.id, .username = u.username });
	respond_message(r, res, "ok",
	    u.is_active ? STR("Your address is confirmed. Sign in.")
	                : STR("Your address is confirmed. Those who run this site are asked to let "
	                      "you in; you hear of it by mail."));
	return respond_redirect(r, res, STR("/accounts/login/"));
}

/* -- staff -- */

static void
describe(struct request *r, struct value *v, const struct account *u)
{
	value_set_int(v, "id", u->id);
	value_set_text(v, "username", u->username);
	value_set_text(v, "name",
	    arena_str(r->arena,
	        str_trim(arena_printf(
	            r->arena, "%.*s %.*s", STR_ARG(u->first_name), STR_ARG(u->last_name)))));
	value_set_text(v, "email", u->email);
	value_set_text(v, "affiliation", u->affiliation);
	value_set_text(v, "created", clock_minute(r->arena, u->created));
}

int
show_approvals(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list;
	struct account *who;
	size_t n;
	enum db_result result;

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	if ((result = registration_list(r->app->db, r->arena, WAITING_MAX, &who, &n)) != DB_END)
		return auth_db_failed(r, res, result);
	value_set_cstr(page, "title", "Accounts that wait");
	list = value_set_list(page, "waiting");
	for (size_t i = 0; i < n; i++)
		describe(r, value_add_object(list), &who[i]);
	return respond_page(r, res, 200, "approvals", page);
}

static int
nobody_waits(struct request *r, struct response *res, enum db_result result)
{
	if (result != DB_END)
		return auth_db_failed(r, res, result);
	return respond_error(
	    r, res, 404, "Nobody of this number waits: they were let in or refused already.");
}

int
show_approval(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct account u;
	enum db_result result;

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	if ((result = registration_get(r->app->db, r->arena, r->id[0], &u)) != DB_ROW)
		return nobody_waits(r, res, result);
	value_set_text(page, "title", arena_printf(r->arena, "Let %s in?", u.username.p));
	describe(r, page, &u);
	return respond_page(r, res, 200, "approval", page);
}

int
decide_approval(struct request *r, struct response *res)
{
	struct str decision = pairs_get(&r->post, "decision");
	bool approve = str_is(decision, "approve");
	struct account u;
	enum db_result result;

	if (!login_registers(r))
		return respond_error(r, res, 404, NULL);
	if (!approve && !str_is(decision, "refuse"))
		return respond_error(r, res, 400, "Say whether to let them in or to refuse them.");
	result = registration_decide(r->app->db, r->arena, r->app->config, r->id[0], approve, &u);
	if (result != DB_ROW)
		return nobody_waits(r, res, result);
	event_note(r,
	    (struct event){ .kind = approve ? EVENT_USER_ADDED : EVENT_USER_DELETED,
	        .user = u.id,
	        .username = u.username,
	        .detail = approve ? STR("a registration, approved")
	                          : STR("a registration, refused") });
	respond_message(r, res, "ok",
	    arena_printf(
	        r->arena, approve ? "%s may sign in now." : "%s was refused.", u.username.p));
	return respond_redirect(r, res, STR(APPROVAL_PATH));
}
