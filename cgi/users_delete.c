/*
 * users_delete: the page that asks, and the deed. One's own account is deleted by who signed in a
 * short while ago: this executable may not read the hash that a password would be compared with.
 */
#include "auth/event.h"
#include "base/clock.h"
#include "base/number.h"
#include "users.h"

#define RECENT (10 * MINUTE)
#define COUNTED 1000

bool
users_is_recent(const struct request *r)
{
	const struct session *s = auth_session(r);

	return s != NULL && r->now >= s->created && r->now - s->created < RECENT;
}

struct str
users_sign_in_again(struct request *r)
{
	return arena_printf(r->arena, "/accounts/login/?again=1&next=%s",
	    url_encode(r->arena, request_url(r, r->path.p)).p);
}

/* Who may not delete this one is sent to their own page. */
static bool
find(struct request *r, struct response *res, struct account *u)
{
	if (r->id[0] != r->user->id && !r->user->is_superuser) {
		respond_redirect(
		    r, res, arena_printf(r->arena, "/users/%lld/delete/", (long long)r->user->id));
		return false;
	}
	return users_find(r, res, u);
}

/* The page that asks, or says why not. */
static int
ask(struct request *r, struct response *res, int status, const struct account *u, bool last)
{
	struct value *page = value_object(r->arena);
	bool own = u->id == r->user->id;
	int64_t n;

	if (user_count_targets(r->app->db, u->id, COUNTED + 1, &n) != USER_DONE)
		return auth_db_failed(r, res, DB_FAILED);
	users_add_base(r, page);
	users_show(r, value_set_object(page, "who"), u);
	value_set_text(page, "title", arena_printf(r->arena, "Delete %.*s", STR_ARG(u->username)));
	value_set_bool(page, "has_targets", n > 0);
	value_set_text(page, "targets",
	    n > COUNTED ? STR("more than 1,000 targets")
	                : arena_printf(r->arena, "%s target%s", number_count(r->arena, n).p,
	                      n == 1 ? "" : "s"));
	value_set_bool(page, "last", last);
	value_set_bool(page, "late", own && !last && !users_is_recent(r));
	value_set_bool(page, "asks", !last && (!own || users_is_recent(r)));
	value_set_text(page, "again", users_sign_in_again(r));
	return respond_page(r, res, status, "user-delete", page);
}

int
show_delete_user(struct request *r, struct response *res)
{
	struct account u;

	if (!find(r, res, &u))
		return 0;
	return ask(r, res, 200, &u, false);
}

int
remove_user(struct request *r, struct response *res)
{
	enum user_result result;
	struct account u;
	bool own;

	if (!find(r, res, &u))
		return 0;
	own = u.id == r->user->id;
	if (own && !users_is_recent(r))
		return ask(r, res, 403, &u, false);
	result = user_delete(r->app->db, u.id);
	if (result == USER_LAST)
		return ask(r, res, 409, &u, true);
	if (result != USER_DONE)
		return users_failed(r, res, result);
	event_note(r,
	    (struct event){ .kind = EVENT_USER_DELETED,
	        .user = u.id,
	        .username = u.username,
	        .detail = own ? STR("by themselves") : STR("") });
	if (own)
		response_cookie(r, res, SESSION_COOKIE, STR(""), 0);
	respond_message(r, res, "ok",
	    own ? STR("Your account is deleted.")
	        : arena_printf(r->arena, "Deleted %.*s.", STR_ARG(u.username)));
	return respond_redirect(r, res,
	    own                     ? STR("/")
	        : users_in_admin(r) ? STR("/admin/auth/user/")
	                            : STR("/users/"));
}
