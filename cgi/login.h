/*
 * login.h: what the files of the executable login share.
 */
#ifndef MERIDIAN_LOGIN_H
#define MERIDIAN_LOGIN_H

#include "auth/auth.h"
#include "tom/user.h"

#define TOKENS_PAGE "/accounts/tokens/"
#define LOGIN_BUSY "Too many people are signing in at this moment. Try again in a few seconds."

handler_fn show_sign_in, sign_in, sign_out; /* login_signin.c */
handler_fn show_tokens, make_token, revoke_token; /* login_tokens.c */
handler_fn token_auth; /* login_token_auth.c */
handler_fn show_sessions, end_session, end_other_sessions; /* login_sessions.c */
handler_fn show_terms, accept_terms; /* login_terms.c */
handler_fn show_password, change_password, check_password; /* login_password.c */

/* Where to go after signing in (`next`): a path of this site, without URL_PREFIX. */
struct str login_next(struct request *);

/* Reads TERMS_FILE: what struct app's start and stop are. */
int login_terms_start(struct app_state *);
void login_terms_stop(struct app_state *);

/* The version of the terms of service that is to be accepted; "" where there are none. */
struct str login_terms_version(const struct request *);

/* The sentences as one text. */
struct str login_join(struct arena *, const struct user_problems *);

#endif
