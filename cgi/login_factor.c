/*
 * login_factor: one's own second factor: set up, taken away, new recovery codes. Each asks for the
 * password again, and for a code where there is a factor: a stolen session is not enough.
 */
#include "auth/event.h"
#include "auth/password.h"
#include "base/clock.h"
#include "login.h"

enum { PASSWORD, CODE, FIELDS };
static const struct field add_fields[] = {
	[PASSWORD] = { "old_password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Your password", .autocomplete = "current-password" },
	[CODE] = { "code", FIELD_TEXT, .required = true, .max = FACTOR_CODE_MAX,
	    .label = "Code of your phone", .autocomplete = "one-time-code",
	    .inputmode = "numeric" },
};
static const struct field ask_fields[] = {
	[PASSWORD] = { "old_password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Your password", .autocomplete = "current-password" },
	[CODE] = { "code", FIELD_TEXT, .required = true, .max = FACTOR_CODE_MAX,
	    .label = "Code of your phone, or a recovery code", .autocomplete = "one-time-code" },
};

/* False with the response filled where the database does not answer, or they have one or none. */
static bool
find_factor(struct request *r, struct response *res, bool wanted, struct factor *f)
{
	enum db_result result = factor_get(r->app->db, r->user->id, f);

	if (result != DB_END) {
		auth_db_failed(r, res, result);
		return false;
	}
	if (f->there == wanted && (wanted || login_vault(r) != NULL))
		return true;
	respond_redirect(r, res, STR("/accounts/factor/"));
	return false;
}

int
show_factor(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct factor f;
	enum db_result result = factor_get(r->app->db, r->user->id, &f);

	if (result != DB_END)
		return auth_db_failed(r, res, result);
	value_set_cstr(page, "title", "Second factor");
	value_set_bool(page, "there", f.there);
	value_set_bool(page, "can", login_vault(r) != NULL);
	value_set_bool(page, "required", factor_required(r->app->config, r->user));
	if (f.there) {
		value_set_text(page, "created", clock_minute(r->arena, f.created));
		value_set_int(page, "left", f.codes_left);
		value_set_bool(page, "few", f.codes_left < 4);
	}
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	return respond_page(r, res, 200, "factor", page);
}

static void
note(struct request *r, enum event_kind kind, const char *detail)
{
	event_note(r,
	    (struct event){ .kind = kind,
	        .user = r->user->id,
	        .username = r->user->username,
	        .detail = str_of(detail) });
}

/* --- setting up --- */

static int
show_add_form(struct request *r, struct response *res, int status, struct input *in)
{
	struct value *page = value_object(r->arena);

	if (in != NULL)
		in[CODE].text = STR("");
	value_set_cstr(page, "title", "Set up a second factor");
	login_show_offer(r, res, page, r->user->id, r->user->username);
	form_show(page, add_fields, in, FIELDS, r->arena);
	return respond_page(r, res, status, "factor-add", page);
}

int
show_add(struct request *r, struct response *res)
{
	struct factor f;

	if (!find_factor(r, res, false, &f))
		return 0;
	return show_add_form(r, res, 200, NULL);
}

int
add_factor(struct request *r, struct response *res)
{
	struct proof proof = { .user = 0 };
	struct input in[FIELDS];
	struct value *page;
	struct factor f;

	if (!find_factor(r, res, false, &f))
		return 0;
	if (form_read(&r->post, add_fields, FIELDS, in, r->arena) > 0)
		return show_add_form(r, res, 400, in);
	if (!login_knows_present(r, res, &in[PASSWORD], &proof))
		return 0;
	if (form_count_wrong(in, FIELDS) > 0)
		return show_add_form(r, res, 400, in);
	switch (login_take_offer(r, res, &in[CODE], r->user->id, r->user->username, &page)) {
	case FACTOR_RIGHT:
		break;
	case FACTOR_WRONG:
		return show_add_form(r, res, 400, in);
	case FACTOR_TAKEN:
		return respond_redirect(r, res, STR("/accounts/factor/"));
	default:
		return respond_error(r, res, 503, NULL);
	}
	note(r, EVENT_FACTOR_ADDED, "");
	login_tell_owner(
	    r, r->user->username, r->user->email, "A second factor was set up for your account.");
	proof.factor = r->now;
	if (auth_sign_in(r, res, &proof) != 0)
		return 0;
	value_set_text(page, "next", request_url(r, "/accounts/factor/"));
	return respond_page(r, res, 200, "recovery", page);
}

/* --- what needs password and code --- */

struct asking {
	const char *template, *title;
};
static const struct asking removal = { "factor-remove", "Remove the second factor" };
static const struct asking renewal = { "factor-codes", "New recovery codes" };

static int
show_asking(struct request *r, struct response *res, int status, const struct asking *what,
    struct input *in)
{
	struct value *page = value_object(r->arena);

	if (in != NULL)
		in[CODE].text = STR("");
	value_set_cstr(page, "title", what->title);
	value_set_bool(page, "required", factor_required(r->app->config, r->user));
	form_show(page, ask_fields, in, FIELDS, r->arena);
	return respond_page(r, res, status, what->template, page);
}

static int
show_page(struct request *r, struct response *res, const struct asking *what)
{
	struct factor f;

	if (!find_factor(r, res, true, &f))
		return 0;
	return show_asking(r, res, 200, what, NULL);
}

int
show_remove(struct request *r, struct response *res)
{
	return show_page(r, res, &removal);
}

int
show_renewal(struct request *r, struct response *res)
{
	return show_page(r, res, &renewal);
}

/*
 * Have they given both? The code is looked at only where the password is right. False with the
 * response filled.
 */
static bool
gave_both(struct request *r, struct response *res, const struct asking *what, struct proof *proof)
{
	struct input in[FIELDS];
	enum factor_result result;
	struct factor f;

	if (!find_factor(r, res, true, &f))
		return false;
	form_read(&r->post, ask_fields, FIELDS, in, r->arena);
	if (form_count_wrong(in, FIELDS) == 0 && !login_knows_present(r, res, &in[PASSWORD], proof))
		return false;
	if (form_count_wrong(in, FIELDS) > 0) {
		show_asking(r, res, 400, what, in);
		return false;
	}
	result = factor_check(r->app->db, r->arena, auth_secret(r), login_vault(r), r->user->id,
	    in[CODE].text, r->now);
	switch (result) {
	case FACTOR_RECOVERY:
		note(r, EVENT_RECOVERY_CODE_USED, "on the pages of the second factor");
		return true;
	case FACTOR_RIGHT:
		return true;
	case FACTOR_FAILED:
		respond_error(r, res, 503, NULL);
		return false;
	default:
		note(r, EVENT_FACTOR_REFUSED, "on the pages of the second factor");
		form_wrong(&in[CODE], login_code_wrong(r, res, result, r->user->id));
		show_asking(r, res, result == FACTOR_WAIT ? 429 : 400, what, in);
		return false;
	}
}

int
remove_factor(struct request *r, struct response *res)
{
	struct proof proof = { .user = 0 };
	enum db_result result;
	bool was;

	if (!gave_both(r, res, &removal, &proof))
		return 0;
	result = factor_remove(r->app->db, r->user->id, &was);
	if (result != DB_END)
		return auth_db_failed(r, res, result);
	note(r, EVENT_FACTOR_REMOVED, "");
	login_tell_owner(
	    r, r->user->username, r->user->email, "The second factor of your account was removed.");
	if (factor_required(r->app->config, r->user)) {
		/* straight to the next one */
		if (auth_sign_out(r, res) != 0)
			return 0;
		auth_half_begin(r, res, login_vault(r), &proof);
		return respond_redirect(r, res, STR("/accounts/login/factor/"));
	}
	if (auth_sign_in(r, res, &proof) != 0)
		return 0;
	respond_message(r, res, "ok",
	    STR("Second factor removed. Wherever else you were signed in, you are signed out "
	        "now."));
	return respond_redirect(r, res, STR("/accounts/factor/"));
}

int
renew_codes(struct request *r, struct response *res)
{
	struct proof proof = { .user = 0 };
	struct str codes[FACTOR_CODES];
	enum db_result result;

	if (!gave_both(r, res, &renewal, &proof))
		return 0;
	result = factor_new_codes(r->app->db, r->arena, auth_secret(r), r->user->id, codes);
	if (result != DB_END)
		return auth_db_failed(r, res, result);
	note(r, EVENT_FACTOR_ADDED, "new recovery codes");
	login_tell_owner(r, r->user->username, r->user->email,
	    "New recovery codes were made for your account; the old ones are good no more.");
	return respond_page(r, res, 200, "recovery",
	    login_recovery_page(r, codes, r->user->username, STR("/accounts/factor/")));
}
