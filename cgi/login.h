/*
 * login.h: what the files of the executable login share.
 */
#ifndef MERIDIAN_LOGIN_H
#define MERIDIAN_LOGIN_H

#include "auth/auth.h"
#include "auth/factor.h"
#include "http/form.h"
#include "tom/user.h"

#define TOKENS_PAGE "/accounts/tokens/"
#define LOGIN_BUSY "Too many people are signing in at this moment. Try again in a few seconds."

handler_fn show_sign_in, sign_in, sign_out; /* login_signin.c */
handler_fn show_tokens, make_token, revoke_token; /* login_tokens.c */
handler_fn token_auth; /* login_token_auth.c */
handler_fn show_sessions, end_session, end_other_sessions; /* login_sessions.c */
handler_fn show_reset, ask_reset, show_reset_sent, show_reset_link,
    reset_password; /* login_reset.c */
handler_fn show_register, register_account, show_register_sent, show_confirm, confirm_address,
    show_approvals, show_approval, decide_approval; /* login_register.c */
handler_fn show_address, take_address; /* login_address.c */
handler_fn show_terms, accept_terms; /* login_terms.c */
handler_fn show_code, give_code, show_first_factor, add_first_factor; /* login_code.c */
handler_fn show_factor, show_add, add_factor, show_remove, remove_factor; /* login_factor.c */
handler_fn show_renewal, renew_codes; /* login_factor.c */
handler_fn show_password, change_password, check_password; /* login_password.c */

/* What the workers of login keep: app_state.own. */
struct login_own {
	struct vault *vault; /* NULL: VAULT_KEY_FILE names none, and there are no second factors */
	struct str terms; /* the text of TERMS_FILE; absent: the template has it */
};

static inline struct vault *
login_vault(const struct request *r)
{
	const struct login_own *own = r->app->own;

	return own->vault;
}

/*
 * From a right password to a session, for every way in that asks for one: a page asks for the second
 * factor first, of who has one; who must have one and has none sets it up first; others are signed in
 * and sent to `next`. Ends the handler.
 */
int login_enter(struct request *, struct response *, const struct proof *, struct str username);

/*
 * The session itself, once all was given: 0, and the caller answers; or -1 with the response filled.
 * proof says whether the second factor was given.
 */
int login_begin(struct request *, struct response *, const struct proof *, struct str username);

/* "/accounts/login/code/?next=...": a page on the way to `next`. */
struct str login_with_next(struct request *, const char *path);

/* --- the form of a new second factor, here and there: login_setup.c --- */

/* The code of a phone, as both forms ask for it. */
extern const struct field login_code_field;

/*
 * Adds a key to the page: the one that this browser keeps for this user, else a new one, which it gets
 * to keep.
 */
void login_show_offer(
    struct request *, struct response *, struct value *page, int64_t user, struct str username);

/*
 * Sets up the key that the browser keeps with the code in `in`: FACTOR_RIGHT and the page's list of
 * recovery codes in *page, with title; FACTOR_WRONG, the field says why; else what factor_add says.
 */
enum factor_result login_take_offer(struct request *, struct response *, struct input *in,
    int64_t user, struct str username, struct value **page);

/* The page with recovery codes that are shown once. */
struct value *login_recovery_page(
    struct request *, const struct str codes[FACTOR_CODES], struct str username, struct str next);

/* Why a code was not taken, for its field; absent for FACTOR_RIGHT and FACTOR_RECOVERY. */
struct str login_code_wrong(struct request *, struct response *, enum factor_result, int64_t user);

/* Tells the owner by mail that something about their factor changed; sign-in does not wait for it. */
void login_tell_owner(struct request *, struct str username, struct str email, const char *what);

/* Where to go after signing in (`next`): a path of this site, without URL_PREFIX. */
struct str login_next(struct request *);

/* Reads TERMS_FILE. 0, or -1 having logged why not. The text is malloc'ed. */
int login_read_terms(const struct config *, struct login_own *);

/* The version of the terms of service that is to be accepted; "" where there are none. */
struct str login_terms_version(const struct request *);

/*
 * Is it the password of who is signed in? If not the field says so; nothing is asked where it is wrong
 * already. False with the response filled: it cannot be known now, or was asked too often.
 */
bool
login_knows_present(struct request *, struct response *, struct input *password, struct proof *);

/* May people make accounts for themselves here? */
bool login_registers(const struct request *);

/*
 * Sets the password that a form gave for an account, where the rest of it is right, else only asks the
 * policy; what is wrong with it stands at its field. USER_WRONG: the form comes back.
 */
enum user_result
login_set_password(struct request *, struct account *, struct input *password, bool rest_is_right);

#endif
