/*
 * login_address: the page behind the link to another e-mail address of one's own. Opening it uses
 * nothing up, for programs that look at mail open links too; the form does. Who opens it is signed in
 * to the account: the mailbox of somebody else is not enough.
 */
#include "auth/event.h"
#include "login.h"
#include "tom/user_address.h"

static int
refuse_link(struct request *r, struct response *res, enum db_result result)
{
	if (result != DB_END)
		return auth_db_failed(r, res, result);
	return respond_error(r, res, 404,
	    "This link is no longer good, or it is of another account: it was used, a day went by, "
	    "or the password or the address was changed since. Sign in to the account it was sent "
	    "for, or ask for the address again.");
}

int
show_address(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct one_time one;
	enum db_result result = user_address_find(
	    r->app->db, r->arena, auth_secret(r), r->capture[0], r->user->id, r->now, &one);

	if (result != DB_ROW)
		return refuse_link(r, res, result);
	value_set_cstr(page, "title", "Use this address");
	value_set_text(page, "username", one.username);
	value_set_text(page, "old", one.email);
	value_set_text(page, "new", one.sent_to);
	value_set_text(page, "token", r->capture[0]);
	return respond_page(r, res, 200, "address", page);
}

int
take_address(struct request *r, struct response *res)
{
	struct one_time one;
	enum db_result result = user_address_take(r->app->db, r->arena, r->app->config,
	    auth_secret(r), r->capture[0], r->user->id, r->now, &one);

	if (result != DB_ROW)
		return refuse_link(r, res, result);
	event_note(r,
	    (struct event){ .kind = EVENT_EMAIL_VERIFIED,
	        .user = one.user,
	        .username = one.username,
	        .detail = STR("another address") });
	respond_message(r, res, "ok",
	    arena_printf(r->arena, "Your e-mail address is %.*s now.", STR_ARG(one.sent_to)));
	return respond_redirect(r, res, STR("/users/profile/"));
}
