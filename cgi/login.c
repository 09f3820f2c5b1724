/*
 * login: in, out, one's own password, tokens and sessions, and the terms of service.
 *
 *	GET  /accounts/login/		the form; `next` is where to go afterwards
 *	POST /accounts/login/		username, password, next
 *	POST /accounts/logout/		ends the session, then to the home page
 *	GET  /accounts/password/	the form
 *	POST /accounts/password/	old_password, new_password1, new_password2
 *	POST /accounts/password/check/	password; username, first_name, last_name, email: what the policy
 *					says to it, as JSON
 *	GET  /accounts/tokens/		one's API tokens, and the form of a new one
 *	POST /accounts/tokens/		name, scope ..., days: makes it and shows it, once
 *	POST /accounts/tokens/<id>/revoke/	revokes it, then to the list
 *	GET  /accounts/sessions/	where one is signed in
 *	POST /accounts/sessions/end/	session: ends it, then to the list
 *	POST /accounts/sessions/end-others/	ends all but this one, then to the list
 *	POST /api/token-auth/		username, password as a form or JSON: a token, as JSON
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
	ROUTE(GET, "/accounts/tokens/", LOGIN, NO_BODY, show_tokens),
	ROUTE(POST, "/accounts/tokens/", LOGIN, KIB(16), make_token),
	ROUTE(POST, "/accounts/tokens/<id>/revoke/", LOGIN, KIB(4), revoke_token),
	ROUTE(GET, "/accounts/sessions/", LOGIN, NO_BODY, show_sessions),
	ROUTE(POST, "/accounts/sessions/end/", LOGIN, KIB(4), end_session),
	ROUTE(POST, "/accounts/sessions/end-others/", LOGIN, KIB(4), end_other_sessions),
	API_ROUTE(POST, "/api/token-auth/", ANYONE, KIB(16), token_auth),
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
