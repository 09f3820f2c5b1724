/*
 * login: in, out, one's own password, second factor, tokens and sessions, registration, and the terms
 * of service.
 *
 *	GET  /accounts/login/		the form; `next` is where to go afterwards
 *	POST /accounts/login/		username, password, next
 *	GET  /accounts/login/code/	the second page, of who has a second factor; ?how=recovery
 *	POST /accounts/login/code/	code, next
 *	GET  /accounts/login/factor/	the same for who must set one up first
 *	POST /accounts/login/factor/	code, next: then their recovery codes, once
 *	POST /accounts/logout/		ends the session, then to the home page
 *	GET  /accounts/factor/		one's second factor
 *	GET  /accounts/factor/add/	the form, with a key as a QR code
 *	POST /accounts/factor/add/	old_password, code: then the recovery codes, once
 *	GET  /accounts/factor/remove/	the form
 *	POST /accounts/factor/remove/	old_password, code
 *	GET  /accounts/factor/codes/	the form
 *	POST /accounts/factor/codes/	old_password, code: new recovery codes, once
 *	GET  /accounts/password/	the form
 *	POST /accounts/password/	old_password, new_password1, new_password2
 *	POST /accounts/password/check/	password; username, first_name, last_name, email: what the policy
 *					says to it, as JSON
 *	GET  /accounts/tokens/		one's API tokens, and the form of a new one
 *	POST /accounts/tokens/		name, scope ..., days, old_password: makes it and shows it, once
 *	POST /accounts/tokens/<id>/revoke/	revokes it, then to the list
 *	GET  /accounts/sessions/	where one is signed in
 *	POST /accounts/sessions/end/	session: ends it, then to the list
 *	POST /accounts/sessions/end-others/	ends all but this one, then to the list
 *	POST /api/token-auth/		username, password as a form or JSON: a token, as JSON
 *
 *	GET  /accounts/password/reset/	the form
 *	POST /accounts/password/reset/	email (or a user name): sends a link, or not, and says the same
 *	GET  /accounts/password/sent/	says so
 *	GET  /accounts/password/reset/<token>/	the form behind the link
 *	POST /accounts/password/reset/<token>/	new_password1, new_password2
 *
 *	GET  /accounts/register/	the form
 *	POST /accounts/register/	username, first_name, last_name, email, affiliation, password1,
 *					password2, terms
 *	GET  /accounts/registered/	look into your mail
 *	GET  /accounts/register/<token>/	asks whether the address is theirs
 *	POST /accounts/register/<token>/	it is
 *	GET  /accounts/approve/		staff: who waits
 *	GET  /accounts/approve/<id>/	one of them
 *	POST /accounts/approve/<id>/	decision: approve or refuse
 *
 *	GET  /accounts/address/<token>/	asks whether the account shall have the new address
 *	POST /accounts/address/<token>/	it shall
 *
 *	GET  /terms/			the terms of service
 *	POST /terms/			accepts them, then to `next`
 *
 * The only executable that reads hashes of passwords and keys of second factors.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "login.h"
#include "tom/mail.h"
#include "tom/registration.h"

static const struct route routes[] = {
	ROUTE(GET, "/accounts/login/", ANYONE, NO_BODY, show_sign_in),
	ROUTE(POST, "/accounts/login/", ANYONE, KIB(16), sign_in),
	ROUTE(GET, "/accounts/login/code/", ANYONE, NO_BODY, show_code),
	ROUTE(POST, "/accounts/login/code/", ANYONE, KIB(16), give_code),
	ROUTE(GET, "/accounts/login/factor/", ANYONE, NO_BODY, show_first_factor),
	ROUTE(POST, "/accounts/login/factor/", ANYONE, KIB(16), add_first_factor),
	ROUTE(POST, "/accounts/logout/", LOGIN, KIB(4), sign_out),
	ROUTE(GET, "/accounts/factor/", LOGIN, NO_BODY, show_factor),
	ROUTE(GET, "/accounts/factor/add/", LOGIN, NO_BODY, show_add),
	ROUTE(POST, "/accounts/factor/add/", LOGIN, KIB(16), add_factor),
	ROUTE(GET, "/accounts/factor/remove/", LOGIN, NO_BODY, show_remove),
	ROUTE(POST, "/accounts/factor/remove/", LOGIN, KIB(16), remove_factor),
	ROUTE(GET, "/accounts/factor/codes/", LOGIN, NO_BODY, show_renewal),
	ROUTE(POST, "/accounts/factor/codes/", LOGIN, KIB(16), renew_codes),
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
	ROUTE(GET, "/accounts/password/reset/", ANYONE, NO_BODY, show_reset),
	ROUTE(POST, "/accounts/password/reset/", ANYONE, KIB(4), ask_reset),
	ROUTE(GET, "/accounts/password/sent/", ANYONE, NO_BODY, show_reset_sent),
	ROUTE(GET, "/accounts/password/reset/<text>/", ANYONE, NO_BODY, show_reset_link),
	ROUTE(POST, "/accounts/password/reset/<text>/", ANYONE, KIB(16), reset_password),
	ROUTE(GET, "/accounts/register/", ANYONE, NO_BODY, show_register),
	ROUTE(POST, "/accounts/register/", ANYONE, KIB(16), register_account),
	ROUTE(GET, "/accounts/registered/", ANYONE, NO_BODY, show_register_sent),
	ROUTE(GET, "/accounts/register/<text>/", ANYONE, NO_BODY, show_confirm),
	ROUTE(POST, "/accounts/register/<text>/", ANYONE, KIB(4), confirm_address),
	ROUTE(GET, "/accounts/address/<text>/", LOGIN, NO_BODY, show_address),
	ROUTE(POST, "/accounts/address/<text>/", LOGIN, KIB(4), take_address),
	ROUTE(GET, "/accounts/approve/", STAFF, NO_BODY, show_approvals),
	ROUTE(GET, "/accounts/approve/<id>/", STAFF, NO_BODY, show_approval),
	ROUTE(POST, "/accounts/approve/<id>/", STAFF, KIB(4), decide_approval),
	ROUTE(GET, "/terms/", ANYONE, NO_BODY, show_terms),
	ROUTE(POST, "/terms/", LOGIN, KIB(4), accept_terms),
};

/* What the hooks look at, and that the settings of mail and registration can work. */
static int
check(struct app_state *app)
{
	const char *wrong = mail_settings_wrong(app->config);

	if (wrong == NULL)
		wrong = registration_settings_wrong(app->config);
	if (wrong == NULL)
		return auth_hooks.check(app);
	fprintf(stderr, "login: %s\n", wrong);
	return -1;
}

static int
start(struct app_state *app)
{
	struct login_own *own = calloc(1, sizeof(*own));
	char err[512];

	if (own == NULL)
		arena_exhausted();
	app->own = own;
	own->vault = vault_load(app->config, err, sizeof(err));
	if (own->vault != NULL || err[0] == '\0')
		return login_read_terms(app->config, own);
	log_error("cannot start", LOG_TEXT("why", err));
	return -1;
}

/* The vault's file is read again when keys change: another file by then, in the same directory. */
static void
needs(const struct app_state *app, struct sandbox *box)
{
	char *file = strdup(config_text(app->config, "VAULT_KEY_FILE"));

	if (file == NULL)
		arena_exhausted();
	auth_needs_hashes(app, box);
	if (file[0] != '\0')
		sandbox_read(box, dirname(file));
	free(file);
}

static void
stop(struct app_state *app)
{
	struct login_own *own = app->own;

	if (own == NULL)
		return;
	vault_free(own->vault);
	free((char *)(uintptr_t)own->terms.p);
	free(own);
	app->own = NULL;
}

int
main(int argc, char **argv)
{
	struct hooks hooks = auth_hooks;

	hooks.check = check;
	return app_main(argc, argv,
	    &(struct app){ .name = "login",
	        .what =
	            "signing in and out, own password and factor, terms: /accounts/ and /terms/",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &hooks,
	        .start = start,
	        .needs = needs,
	        .stop = stop });
}
