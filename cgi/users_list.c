/*
 * users_list: people and groups in the order of their names, and one's own account.
 *
 * E-mail addresses are seen by staff and by their owner. A page of people goes on behind the last
 * name of the one before (`after`), one of groups likewise (`groups_after`).
 */
#include "base/clock.h"
#include "users.h"

#define ROWS 50
#define PROFILE_GROUPS 500

bool
users_in_admin(const struct request *r)
{
	return str_starts(r->path, "/admin/");
}

bool
users_is_staff(const struct request *r)
{
	return r->user->is_staff || r->user->is_superuser;
}

void
users_add_base(struct request *r, struct value *page)
{
	bool admin = users_in_admin(r);

	value_set_bool(page, "in_admin", admin);
	value_set_cstr(page, "base", admin ? "/admin/auth/user/" : "/users/");
	value_set_cstr(page, "group_base", admin ? "/admin/auth/group/" : "/groups/");
	value_set_cstr(page, "list", admin ? "/admin/auth/user/" : "/users/");
	value_set_cstr(page, "group_list", admin ? "/admin/auth/group/" : "/users/");
	value_set_cstr(page, "verb", admin ? "change" : "update");
}

int
users_failed(struct request *r, struct response *res, enum user_result result)
{
	switch (result) {
	case USER_UNKNOWN:
		return respond_error(
		    r, res, 404, "There is no such user; they may have been deleted.");
	case USER_REFUSED:
		return respond_error(
		    r, res, 403, "This account may be changed by superusers only, or by nobody.");
	case USER_BUSY:
		return respond_error(r, res, 503,
		    "Too many people are signing in at this moment. Try again in a few seconds.");
	default:
		return auth_db_failed(r, res, DB_FAILED);
	}
}

int
groups_failed(struct request *r, struct response *res, enum group_result result)
{
	if (result == GROUP_UNKNOWN)
		return respond_error(
		    r, res, 404, "There is no such group; it may have been deleted.");
	return auth_db_failed(r, res, DB_FAILED);
}

bool
users_find(struct request *r, struct response *res, struct account *u)
{
	enum user_result found = user_get(r->app->db, r->arena, r->id[0], u);

	if (found == USER_DONE && user_is_former(u->username))
		found = USER_REFUSED;
	if (found != USER_DONE)
		users_failed(r, res, found);
	return found == USER_DONE;
}

void
users_show(struct request *r, struct value *v, const struct account *u)
{
	bool own = u->id == r->user->id, staff = users_is_staff(r);
	bool former = user_is_former(u->username);

	value_set_int(v, "id", u->id);
	value_set_text(v, "username", u->username);
	value_set_text(v, "full_name",
	    str_trim(arena_printf(
	        r->arena, "%.*s %.*s", STR_ARG(u->first_name), STR_ARG(u->last_name))));
	value_set_text(v, "affiliation", u->affiliation);
	value_set_text(v, "email", own || staff ? u->email : STR_NONE);
	value_set_bool(v, "own", own);
	value_set_bool(v, "former", former);
	value_set_bool(v, "disabled", !u->is_active && !former);
	value_set_cstr(v, "role", u->is_superuser ? "Superuser" : u->is_staff ? "Staff" : NULL);
	value_set_text(v, "last_login",
	    !staff && !own          ? STR_NONE
	        : u->last_login > 0 ? clock_minute(r->arena, u->last_login)
	                            : STR("never"));
	value_set_bool(v, "changeable",
	    !former && (own || r->user->is_superuser || (staff && users_in_admin(r))));
	value_set_bool(v, "deletable", (own || r->user->is_superuser) && !former);
}

/* "?name=...&after=..." with one of the two marks replaced; what is empty is left out. */
static struct str
link_to(struct request *r, const char *mark, struct str value)
{
	static const char *const keys[] = { "name", "after", "groups_after" };
	struct str link = STR("?");

	for (size_t i = 0; i < NELEM(keys); i++) {
		struct str v = str_is(str_of(keys[i]), mark) ? value : pairs_get(&r->get, keys[i]);

		if (!str_empty(v))
			link = arena_printf(r->arena, "%s%s%s=%s", link.p, link.n > 1 ? "&" : "",
			    keys[i], url_encode(r->arena, v).p);
	}
	return link;
}

/* The links of a pager, where there is more than one page. */
static void
add_pager(struct request *r, struct value *page, const char *key, const char *mark, bool later,
    struct str next)
{
	struct value *v;

	if (!later && next.p == NULL)
		return;
	v = value_set_object(page, key);
	value_set_text(v, "first", later ? link_to(r, mark, STR("")) : STR_NONE);
	value_set_text(v, "next", next.p != NULL ? link_to(r, mark, next) : STR_NONE);
}

/* 0, or -1 with the response filled. */
static int
add_users(struct request *r, struct response *res, struct value *page)
{
	struct str name = str_trim(pairs_get(&r->get, "name")), after = pairs_get(&r->get, "after");
	struct value *list = value_set_list(page, "users");
	enum user_result result;
	struct account *users;
	size_t n;

	if (after.p == NULL)
		after = STR("");
	result = str_empty(name)
	    ? user_list(r->app->db, r->arena, 0, after, ROWS + 1, &users, &n)
	    : user_search(r->app->db, r->arena, name, after, ROWS + 1, &users, &n);
	if (result != USER_DONE) {
		users_failed(r, res, result);
		return -1;
	}
	for (size_t i = 0; i < n && i < ROWS; i++)
		users_show(r, value_add_object(list), &users[i]);
	value_set_text(page, "name", arena_str(r->arena, str_empty(name) ? STR("") : name));
	value_set_bool(page, "has_users", n > 0);
	add_pager(r, page, "users_pager", "after", after.n > 0,
	    n > ROWS ? users[ROWS - 1].username : STR_NONE);
	return 0;
}

/* 0, or -1 with the response filled. */
static int
add_groups(struct request *r, struct response *res, struct value *page)
{
	struct str after = pairs_get(&r->get, "groups_after");
	struct value *list = value_set_list(page, "groups");
	enum group_result result;
	struct group *groups;
	size_t n;

	if (after.p == NULL)
		after = STR("");
	result = group_list(r->app->db, r->arena, after, ROWS + 1, &groups, &n);
	if (result != GROUP_DONE) {
		groups_failed(r, res, result);
		return -1;
	}
	for (size_t i = 0; i < n && i < ROWS; i++) {
		struct value *v = value_add_object(list);

		value_set_int(v, "id", groups[i].id);
		value_set_text(v, "name", groups[i].name);
	}
	value_set_bool(page, "has_groups", n > 0);
	add_pager(r, page, "groups_pager", "groups_after", after.n > 0,
	    n > ROWS ? groups[ROWS - 1].name : STR_NONE);
	return 0;
}

int
list_users(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);

	users_add_base(r, page);
	value_set_cstr(page, "title", "Users");
	value_set_bool(page, "sees_email", users_is_staff(r));
	if (add_users(r, res, page) != 0)
		return 0;
	if (!users_in_admin(r) && add_groups(r, res, page) != 0)
		return 0;
	return respond_page(r, res, 200, users_in_admin(r) ? "admin-users" : "users", page);
}

int
list_groups(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);

	users_add_base(r, page);
	value_set_cstr(page, "title", "Groups");
	if (add_groups(r, res, page) != 0)
		return 0;
	return respond_page(r, res, 200, "admin-groups", page);
}

int
show_profile(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "groups");
	struct account me;
	struct group *groups;
	size_t n;
	enum user_result found = user_get(r->app->db, r->arena, r->user->id, &me);
	enum group_result result;

	if (found != USER_DONE)
		return users_failed(r, res, found);
	result = group_list_of(r->app->db, r->arena, me.id, PROFILE_GROUPS, &groups, &n);
	if (result != GROUP_DONE)
		return groups_failed(r, res, result);
	for (size_t i = 0; i < n; i++)
		value_add_text(list, groups[i].name);
	users_show(r, value_set_object(page, "me"), &me);
	value_set_text(page, "since", clock_minute(r->arena, me.created));
	value_set_text(page, "password_changed", clock_minute(r->arena, me.password_changed));
	value_set_cstr(page, "title", "Profile");
	return respond_page(r, res, 200, "profile", page);
}
