/*
 * users_password: a superuser sets another's password, in two steps, and makes their API token anew.
 *
 *	GET  .../changepassword/	warns
 *	POST without change_password_form	the form
 *	POST with it, and password	sets it
 */
#include "auth/event.h"
#include "auth/password.h"
#include "auth/token.h"
#include "http/form.h"
#include "users.h"

static const struct field password = { "password", FIELD_SECRET, .required = true,
	.label = "New password", .autocomplete = "new-password" };

/* The user whose password it is; one's own has a page that asks for the present one. */
static bool
find(struct request *r, struct response *res, struct account *u)
{
	if (r->id[0] == r->user->id) {
		respond_redirect(r, res, STR("/accounts/password/"));
		return false;
	}
	return users_find(r, res, u);
}

static int
show(struct request *r, struct response *res, int status, const struct account *u, bool form,
    const struct input *in)
{
	struct value *page = value_object(r->arena);

	users_show(r, value_set_object(page, "who"), u);
	if (form)
		form_show(page, &password, in, 1, r->arena);
	user_show_password_rules(r->app->config, r->arena, page);
	value_set_text(page, "title",
	    arena_printf(r->arena, "Set the password of %.*s", STR_ARG(u->username)));
	value_set_bool(page, "asks", form);
	return respond_page(r, res, status, "user-password", page);
}

int
show_set_password(struct request *r, struct response *res)
{
	struct account u;

	if (!find(r, res, &u))
		return 0;
	return show(r, res, 200, &u, false, NULL);
}

int
set_password(struct request *r, struct response *res)
{
	struct user_problems why = { .n = 0 };
	enum user_result result;
	struct account u;
	struct input in;

	if (!find(r, res, &u))
		return 0;
	if (pairs_get(&r->post, "change_password_form").p == NULL)
		return show(r, res, 200, &u, true, NULL);
	if (form_read(&r->post, &password, 1, &in, r->arena) > 0)
		return show(r, res, 400, &u, true, &in);
	result = user_set_password(r->app->db, r->arena, r->app->config, &u, in.text, &why);
	if (result == USER_WRONG) {
		form_wrong(&in, user_problems_text(r->arena, &why));
		return show(r, res, 400, &u, true, &in);
	}
	if (result == USER_CHANGED)
		return respond_error(
		    r, res, 409, "Their password was changed elsewhere at this moment.");
	if (result != USER_DONE)
		return users_failed(r, res, result);
	event_note(r,
	    (struct event){ .kind = EVENT_PASSWORD_CHANGED,
	        .user = u.id,
	        .username = u.username,
	        .detail = STR("by a superuser") });
	respond_message(r, res, "ok", STR("Password successfully changed"));
	return respond_redirect(r, res, STR("/users/"));
}

/* The token is on the page that answers, and nowhere else. */
int
regenerate_token(struct request *r, struct response *res)
{
	int64_t now = r->now;
	struct value *page;
	enum db_result done;
	struct account u;
	struct str text;

	if (r->id[0] != r->user->id && !r->user->is_superuser)
		return respond_redirect(
		    r, res, arena_printf(r->arena, "/users/%lld/update/", (long long)r->user->id));
	if (!users_is_recent(r)) {
		respond_message(r, res, "warn", STR("For a new API token sign in again first."));
		return respond_redirect(r, res,
		    arena_printf(r->arena, "/accounts/login/?again=1&next=%s",
		        url_encode(r->arena,
		            request_url(r,
		                arena_printf(r->arena, "/users/%lld/update/", (long long)r->id[0])
		                    .p))
		            .p));
	}
	if (config_bool(r->app->config, "TOM_API_TOKEN_REQUIRES_MFA") &&
	    auth_session(r)->factor == 0)
		return respond_error(r, res, 403,
		    "This site gives tokens only to who signed in with a second factor.");
	if (!users_find(r, res, &u))
		return 0;
	done = token_regenerate(r->app->db, r->arena, auth_secret(r), u.id, now,
	    token_latest_end(r->app->config, now), &text);
	if (done == DB_REFUSED)
		return respond_error(r, res, 409,
		    "There is no such user any more, or they have as many tokens as one may have.");
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	event_note(r,
	    (struct event){ .kind = EVENT_TOKEN_MADE,
	        .user = u.id,
	        .username = u.username,
	        .detail = STR(TOKEN_REGENERATED ", made anew") });
	page = value_object(r->arena);
	users_show(r, value_set_object(page, "who"), &u);
	value_set_cstr(page, "title", "API token");
	value_set_text(page, "text", text);
	return respond_page(r, res, 200, "user-token", page);
}
