/*
 * users: people and groups, and one's own account.
 *
 *	GET  /users/				people and groups, for who is signed in
 *	GET  /users/profile/			one's own account
 */
#include "users.h"

static const struct route routes[] = {
	ROUTE(GET, "/users/", LOGIN, NO_BODY, list_users),
	ROUTE(GET, "/users/profile/", LOGIN, NO_BODY, show_profile),
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
