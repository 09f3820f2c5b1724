/*
 * login: in, out, and one's own password.
 *
 *	GET  /accounts/login/		the form; `next` is where to go afterwards
 *	POST /accounts/login/		username, password, next
 *	POST /accounts/logout/		ends the session, then to the home page
 *	GET  /accounts/password/	the form
 *	POST /accounts/password/	old_password, new_password1, new_password2
 *
 * The only executable that reads hashes of passwords.
 */
#include <string.h>

#include "auth/auth.h"
#include "auth/password.h"
#include "base/log.h"
#include "http/form.h"
#include "tom/user.h"

#define BUSY "Too many people are signing in at this moment. Try again in a few seconds."

enum { USERNAME, PASSWORD, SIGN_IN_FIELDS };
static const struct field sign_in_fields[] = {
	[USERNAME] = { "username", FIELD_TEXT, .required = true, .max = USERNAME_MAX,
	    .label = "User name", .autocomplete = "username" },
	[PASSWORD] = { "password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Password", .autocomplete = "current-password" },
};

enum { OLD, NEW, AGAIN, PASSWORD_FIELDS };
static const struct field password_fields[] = {
	[OLD] = { "old_password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Present password", .autocomplete = "current-password" },
	[NEW] = { "new_password1", FIELD_SECRET, .required = true, .label = "New password",
	    .autocomplete = "new-password" },
	[AGAIN] = { "new_password2", FIELD_SECRET, .required = true, .label = "New password again",
	    .autocomplete = "new-password" },
};

/* Where to go after signing in: a path of this site, without URL_PREFIX. */
static struct str
where_next(struct request *r)
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
	value_set_text(page, "next", request_url(r, where_next(r).p));
	value_set_bool(page, "refused", refused);
	value_set_bool(page, "no_cookies", auth_cookies_are_lost(r));
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	form_show(page, sign_in_fields, in, SIGN_IN_FIELDS, r->arena);
	return respond_page(r, res, status, "login", page);
}

static int
show_sign_in(struct request *r, struct response *res)
{
	if (r->user != NULL)
		return respond_redirect(r, res, where_next(r));
	return show_sign_in_form(r, res, 200, NULL, false);
}

/* Unknown, wrong and inactive come here alike: the same page, the same status, the same time. */
static int
refuse(struct request *r, struct response *res, const struct input *in)
{
	log_warn("sign-in refused", LOG_STR("address", r->remote_addr));
	return show_sign_in_form(r, res, 400, in, true);
}

static int
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
		return respond_error(r, res, 503, BUSY);
	case AUTH_AWAY:
		return respond_error(r, res, 503, NULL);
	case AUTH_YES:
		break;
	}
	if (auth_sign_in(r, res, &proof) != 0)
		return 0;
	log_info("signed in", LOG_INT("user", proof.user), LOG_STR("address", r->remote_addr));
	return respond_redirect(r, res, where_next(r));
}

static int
sign_out(struct request *r, struct response *res)
{
	int64_t user = r->user->id;

	if (auth_sign_out(r, res) != 0)
		return 0;
	log_info("signed out", LOG_INT("user", user));
	respond_message(r, res, "ok", STR("You are signed out."));
	return respond_redirect(r, res, STR("/"));
}

static int
show_password_form(struct request *r, struct response *res, int status, const struct input *in)
{
	struct value *page = value_object(r->arena), *rules;
	struct str rule[PASSWORD_RULES];
	size_t n = password_rules(
	    r->arena, (size_t)config_int(r->app->config, "PASSWORD_MIN_LENGTH"), rule);

	value_set_cstr(page, "title", "Change password");
	value_set_text(page, "username", r->user->username);
	rules = value_set_list(page, "rules");
	for (size_t i = 0; i < n; i++)
		value_add_text(rules, rule[i]);
	form_show(page, password_fields, in, PASSWORD_FIELDS, r->arena);
	return respond_page(r, res, status, "password", page);
}

static int
show_password(struct request *r, struct response *res)
{
	return show_password_form(r, res, 200, NULL);
}

static struct str
join(struct arena *a, const struct user_problems *why)
{
	struct str all = STR("");

	for (size_t i = 0; i < why->n; i++)
		all = arena_printf(a, "%s%s%s", all.p, i > 0 ? " " : "", why->why[i].p);
	return all;
}

/* What the fields say of each other; the policy has its say when the present password is known. */
static void
compare_fields(struct input *in)
{
	if (in[NEW].state == VALID && in[OLD].state == VALID && str_eq(in[OLD].text, in[NEW].text))
		form_wrong(&in[NEW], STR("This is your present password. Choose another."));
	if (in[AGAIN].state == VALID && !str_eq(in[NEW].text, in[AGAIN].text))
		form_wrong(&in[AGAIN],
		    STR("The two new passwords are not the same. Type the new one again."));
}

/* Ends the handler where it cannot be known whether the present password is right. */
static bool
knows_present(struct request *r, struct response *res, struct input *in, struct proof *proof)
{
	if (in[OLD].state != VALID)
		return true;
	switch (auth_check_password(r->app->db, r->arena, r->user->username, in[OLD].text, proof)) {
	case AUTH_YES:
		return true;
	case AUTH_NO:
		log_warn("change of password refused", LOG_INT("user", r->user->id),
		    LOG_STR("address", r->remote_addr));
		form_wrong(&in[OLD],
		    STR("Your present password was entered incorrectly. Enter it again."));
		return true;
	case AUTH_BUSY:
		respond_error(r, res, 503, BUSY);
		return false;
	case AUTH_AWAY:
		break;
	}
	respond_error(r, res, 503, NULL);
	return false;
}

/* Sets it where nothing is wrong with the form, else says only what the policy thinks of it. */
static enum user_result
set_password(struct request *r, struct input *in, struct proof *proof)
{
	struct account me = { .id = r->user->id,
		.username = r->user->username,
		.first_name = r->user->first_name,
		.last_name = r->user->last_name,
		.email = r->user->email,
		.password_changed = proof->password_changed };
	struct user_problems why = { .n = 0 };
	enum user_result result;

	if (in[NEW].state != VALID)
		return USER_WRONG;
	if (form_count_wrong(in, PASSWORD_FIELDS) == 0) {
		result = user_set_password(
		    r->app->db, r->arena, r->app->config, &me, in[NEW].text, &why);
		proof->password_changed = me.password_changed;
	} else {
		result = user_check_password(
		    r->app->db, r->arena, r->app->config, &me, in[NEW].text, &why);
		result = result == USER_DONE ? USER_WRONG : result;
	}
	if (why.n > 0)
		form_wrong(&in[NEW], join(r->arena, &why));
	return result;
}

static int
change_password(struct request *r, struct response *res)
{
	struct proof proof = { .user = 0 };
	struct input in[PASSWORD_FIELDS];

	form_read(&r->post, password_fields, PASSWORD_FIELDS, in, r->arena);
	compare_fields(in);
	if (!knows_present(r, res, in, &proof))
		return 0;
	switch (set_password(r, in, &proof)) {
	case USER_DONE:
		break;
	case USER_WRONG:
		return show_password_form(r, res, 400, in);
	case USER_CHANGED:
		return respond_error(r, res, 403,
		    "Your password was changed elsewhere at this moment; this form changed "
		    "nothing. "
		    "Sign in with the new password.");
	case USER_BUSY:
		return respond_error(r, res, 503, BUSY);
	default:
		return respond_error(r, res, 503, NULL);
	}
	if (auth_sign_in(r, res, &proof) != 0)
		return 0;
	log_info(
	    "password changed", LOG_INT("user", r->user->id), LOG_STR("address", r->remote_addr));
	respond_message(r, res, "ok",
	    STR("Password changed. Wherever else you were signed in, you are signed out now."));
	return respond_redirect(r, res, STR("/"));
}

static const struct route routes[] = {
	ROUTE(GET, "/accounts/login/", ANYONE, NO_BODY, show_sign_in),
	ROUTE(POST, "/accounts/login/", ANYONE, KIB(16), sign_in),
	ROUTE(POST, "/accounts/logout/", LOGIN, KIB(4), sign_out),
	ROUTE(GET, "/accounts/password/", LOGIN, NO_BODY, show_password),
	ROUTE(POST, "/accounts/password/", LOGIN, KIB(16), change_password),
};

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "login",
	        .what = "signing in and out, and one's own password: /accounts/",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks });
}
