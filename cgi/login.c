/*
 * login: in, out, one's own password, and the terms of service.
 *
 *	GET  /accounts/login/		the form; `next` is where to go afterwards
 *	POST /accounts/login/		username, password, next
 *	POST /accounts/logout/		ends the session, then to the home page
 *	GET  /accounts/password/	the form
 *	POST /accounts/password/	old_password, new_password1, new_password2
 *	POST /accounts/password/check/	password; username, first_name, last_name, email: what the policy
 *					says to it, as JSON
 *
 *	GET  /terms/			the terms of service
 *	POST /terms/			accepts them, then to `next`
 *
 * The only executable that reads hashes of passwords.
 */
#include "login.h"

static const struct route routes[] = {
	ROUTE(GET, "/accounts/login/", ANYONE, NO_BODY, show_sign_in),
	ROUTE(POST, "/accounts/login/", ANYONE, KIB(16), sign_in),
	ROUTE(POST, "/accounts/logout/", LOGIN, KIB(4), sign_out),
	ROUTE(GET, "/accounts/password/", LOGIN, NO_BODY, show_password),
	ROUTE(POST, "/accounts/password/", LOGIN, KIB(16), change_password),
	ROUTE(POST, "/accounts/password/check/", ANYONE, KIB(16), check_password),
	ROUTE(GET, "/terms/", ANYONE, NO_BODY, show_terms),
	ROUTE(POST, "/terms/", LOGIN, KIB(4), accept_terms),
};

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "login",
	        .what = "signing in and out, own password, terms: /accounts/ and /terms/",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks,
	        .start = login_terms_start,
	        .needs = auth_needs_hashes,
	        .stop = login_terms_stop });
}
