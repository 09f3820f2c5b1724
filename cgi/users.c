/*
 * users: people and groups, and one's own account.
 *
 *	GET  /users/				people and groups, for who is signed in
 *	GET  /users/profile/			one's own account
 *	GET, POST /users/create/		a new account (superusers)
 *	GET, POST /users/<id>/update/		one's own, or as a superuser another's
 *	GET, POST /users/<id>/delete/		likewise
 *	GET, POST /users/<id>/changepassword/	another's (superusers)
 *	POST /users/<id>/regenerate-token/	the API token of TOM Toolkit, anew
 *	GET, POST /groups/create/		a new group (superusers)
 *	GET, POST /groups/<id>/update/		its name and members
 *	GET, POST /groups/<id>/delete/
 *
 * The same for staff, at the addresses of Django's admin:
 *
 *	GET  /admin/auth/user/			the list
 *	GET, POST /admin/auth/user/add/		(superusers)
 *	GET, POST /admin/auth/user/<id>/change/	staff: names and access of ordinary users
 *	GET, POST /admin/auth/user/<id>/delete/	(superusers)
 *	GET  /admin/auth/group/			the list
 *	GET, POST /admin/auth/group/add/, <id>/change/, <id>/delete/	(superusers)
 *
 * It writes hashes of passwords and may not read any.
 */
#include "users.h"

#define FORM_MAX KIB(64) /* some thousand ids of groups or members */
#define ADMIN_USER "/admin/auth/user/"
#define ADMIN_GROUP "/admin/auth/group/"

static const struct route routes[] = {
	ROUTE(GET, "/users/", LOGIN, NO_BODY, list_users),
	ROUTE(GET, "/users/profile/", LOGIN, NO_BODY, show_profile),
	ROUTE(GET, "/users/create/", SUPERUSER, NO_BODY, show_new_user),
	ROUTE(POST, "/users/create/", SUPERUSER, FORM_MAX, add_user),
	ROUTE(GET, "/users/<id>/update/", LOGIN, NO_BODY, show_user),
	ROUTE(POST, "/users/<id>/update/", LOGIN, FORM_MAX, change_user),
	ROUTE(GET, "/users/<id>/delete/", LOGIN, NO_BODY, show_delete_user),
	ROUTE(POST, "/users/<id>/delete/", LOGIN, KIB(4), remove_user),
	ROUTE(GET, "/users/<id>/changepassword/", SUPERUSER, NO_BODY, show_set_password),
	ROUTE(POST, "/users/<id>/changepassword/", SUPERUSER, KIB(16), set_password),
	ROUTE(POST, "/users/<id>/regenerate-token/", LOGIN, KIB(4), regenerate_token),
	ROUTE(GET, "/groups/create/", SUPERUSER, NO_BODY, show_new_group),
	ROUTE(POST, "/groups/create/", SUPERUSER, FORM_MAX, add_group),
	ROUTE(GET, "/groups/<id>/update/", SUPERUSER, NO_BODY, show_group),
	ROUTE(POST, "/groups/<id>/update/", SUPERUSER, FORM_MAX, change_group),
	ROUTE(GET, "/groups/<id>/delete/", SUPERUSER, NO_BODY, show_delete_group),
	ROUTE(POST, "/groups/<id>/delete/", SUPERUSER, KIB(4), remove_group),
	ROUTE(GET, ADMIN_USER, STAFF, NO_BODY, list_users),
	ROUTE(GET, ADMIN_USER "add/", SUPERUSER, NO_BODY, show_new_user),
	ROUTE(POST, ADMIN_USER "add/", SUPERUSER, FORM_MAX, add_user),
	ROUTE(GET, ADMIN_USER "<id>/change/", STAFF, NO_BODY, show_user),
	ROUTE(POST, ADMIN_USER "<id>/change/", STAFF, FORM_MAX, change_user),
	ROUTE(GET, ADMIN_USER "<id>/delete/", SUPERUSER, NO_BODY, show_delete_user),
	ROUTE(POST, ADMIN_USER "<id>/delete/", SUPERUSER, KIB(4), remove_user),
	ROUTE(GET, ADMIN_GROUP, STAFF, NO_BODY, list_groups),
	ROUTE(GET, ADMIN_GROUP "add/", SUPERUSER, NO_BODY, show_new_group),
	ROUTE(POST, ADMIN_GROUP "add/", SUPERUSER, FORM_MAX, add_group),
	ROUTE(GET, ADMIN_GROUP "<id>/change/", SUPERUSER, NO_BODY, show_group),
	ROUTE(POST, ADMIN_GROUP "<id>/change/", SUPERUSER, FORM_MAX, change_group),
	ROUTE(GET, ADMIN_GROUP "<id>/delete/", SUPERUSER, NO_BODY, show_delete_group),
	ROUTE(POST, ADMIN_GROUP "<id>/delete/", SUPERUSER, KIB(4), remove_group),
};

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "users",
	        .what = "people and groups: /users/, /groups/, /admin/auth/",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks,
	        .needs = auth_needs_hashes });
}
