/*
 * login_signin: in and out.
 */
#include "auth/password.h"
#include "base/log.h"
#include "http/form.h"
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
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	form_show(page, sign_in_fields, in, SIGN_IN_FIELDS, r->arena);
	return respond_page(r, res, status, "login", page);
}

int
show_sign_in(struct request *r, struct response *res)
{
	if (r->user != NULL)
		return respond_redirect(r, res, login_next(r));
	return show_sign_in_form(r, res, 200, NULL, false);
}

/* Unknown, wrong and inactive come here alike: the same page, the same status, the same time. */
static int
refuse(struct request *r, struct response *res, const struct input *in)
{
	log_warn("sign-in refused", LOG_STR("address", r->remote_addr));
	return show_sign_in_form(r, res, 400, in, true);
}

int
sign_in(struct request *r, struct response *res)
{
	struct input in[SIGN_IN_FIELDS];
	struct proof proof;

	if (form_read(&r->post, sign_in_fields, SIGN_IN_FIELDS, in, r->arena) > 0)
		return show_sign_in_form(r, res, 400, in, false);
	switch (auth_check_password(
	    r->app->db, r->arena, in[USERNAME].text, in[PASSWORD].text, &proof)) {
	case AUTH_NO:
		return refuse(r, res, in);
	case AUTH_BUSY:
		return respond_error(r, res, 503, LOGIN_BUSY);
	case AUTH_AWAY:
		return respond_error(r, res, 503, NULL);
	case AUTH_YES:
		break;
	}
	if (auth_sign_in(r, res, &proof) != 0)
		return 0;
	log_info("signed in", LOG_INT("user", proof.user), LOG_STR("address", r->remote_addr));
	return respond_redirect(r, res, login_next(r));
}

int
sign_out(struct request *r, struct response *res)
{
	int64_t user = r->user->id;

	if (auth_sign_out(r, res) != 0)
		return 0;
	log_info("signed out", LOG_INT("user", user));
	respond_message(r, res, "ok", STR("You are signed out."));
	return respond_redirect(r, res, STR("/"));
}
