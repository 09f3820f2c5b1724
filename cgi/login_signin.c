/*
 * login_signin: in and out.
 */
#include "auth/device.h"
#include "auth/event.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "login.h"

enum { USERNAME, PASSWORD, SIGN_IN_FIELDS };
static const struct field sign_in_fields[] = {
	[USERNAME] = { "username", FIELD_TEXT, .required = true, .max = USERNAME_MAX,
	    .label = "User name", .autocomplete = "username" },
	[PASSWORD] = { "password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Password", .autocomplete = "current-password" },
};

struct str
login_next(struct request *r)
{
	struct str next = pairs_get(&r->post, "next"), prefix = r->app->prefix;

	if (next.p == NULL)
		next = pairs_get(&r->get, "next");
	if (next.p == NULL || !url_is_local(next))
		return STR("/");
	if (prefix.n > 0 && str_starts(next, prefix.p) &&
	    (next.n == prefix.n || next.p[prefix.n] == '/'))
		next = (struct str){ next.p + prefix.n, next.n - prefix.n };
	return url_is_local(next) ? next : STR("/");
}

static int
show_sign_in_form(
    struct request *r, struct response *res, int status, const struct input *in, bool refused)
{
	struct value *page = value_object(r->arena);

	auth_form_cookie(r, res);
	value_set_cstr(page, "title", "Sign in");
	/* with the prefix, which the next request takes off again */
	value_set_text(page, "next", request_url(r, login_next(r).p));
	value_set_bool(page, "refused", refused);
	value_set_bool(page, "no_cookies", auth_cookies_are_lost(r));
	value_set_bool(page, "resets", config_bool(r->app->config, "TOM_PASSWORD_RESET_ENABLED"));
	value_set_bool(page, "registers", login_registers(r));
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	form_show(page, sign_in_fields, in, SIGN_IN_FIELDS, r->arena);
	return respond_page(r, res, status, "login", page);
}

int
show_sign_in(struct request *r, struct response *res)
{
	/* `again`: what they want asks for somebody who signed in just now */
	if (r->user != NULL && pairs_get(&r->get, "again").p == NULL)
		return respond_redirect(r, res, login_next(r));
	return show_sign_in_form(r, res, 200, NULL, false);
}

/* Unknown, wrong and inactive come here alike: the same page, the same status, the same time. */
static int
refuse(struct request *r, struct response *res, const struct input *in, const struct proof *proof)
{
	event_note(r,
	    (struct event){ .kind = EVENT_SIGN_IN_REFUSED,
	        .user = proof->user,
	        .username = proof->user == 0 ? STR("") : in[USERNAME].text,
	        .detail = str_of(proof->refused) });
	return show_sign_in_form(r, res, 400, in, true);
}

int
sign_in(struct request *r, struct response *res)
{
	struct input in[SIGN_IN_FIELDS];
	struct throttle attempt;
	struct proof proof;
	int64_t wait;

	if (form_read(&r->post, sign_in_fields, SIGN_IN_FIELDS, in, r->arena) > 0)
		return show_sign_in_form(r, res, 400, in, false);
	wait = throttle_ask(r, THROTTLE_SIGN_IN, in[USERNAME].text, &attempt);
	if (wait != 0)
		return throttle_refuse(r, res, wait);
	switch (auth_check_password(
	    r->app->db, r->arena, in[USERNAME].text, in[PASSWORD].text, &proof)) {
	case AUTH_NO:
		return refuse(r, res, in, &proof);
	case AUTH_BUSY:
		throttle_undo(r, &attempt);
		return respond_error(r, res, 503, LOGIN_BUSY);
	case AUTH_AWAY:
		throttle_undo(r, &attempt);
		return respond_error(r, res, 503, NULL);
	case AUTH_YES:
		break;
	}
	throttle_passed(r, &attempt);
	return login_enter(r, res, &proof, in[USERNAME].text);
}

int
login_begin(struct request *r, struct response *res, const struct proof *proof, struct str username)
{
	if (auth_sign_in(r, res, proof) != 0)
		return -1;
	device_remember(r, res, username);
	event_note(r,
	    (struct event){ .kind = EVENT_SIGNED_IN,
	        .user = proof->user,
	        .username = username,
	        .actor = proof->user,
	        .detail = proof->factor != 0 ? STR("with a second factor") : STR("") });
	return 0;
}

int
sign_out(struct request *r, struct response *res)
{
	if (auth_sign_out(r, res) != 0)
		return 0;
	event_note(r,
	    (struct event){
	        .kind = EVENT_SIGNED_OUT, .user = r->user->id, .username = r->user->username });
	respond_message(r, res, "ok", STR("You are signed out."));
	return respond_redirect(r, res, STR("/"));
}
