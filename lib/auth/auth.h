/*
 * auth.h: what the executables plug into struct app, and what pages ask about who is there.
 */
#ifndef MERIDIAN_AUTH_H
#define MERIDIAN_AUTH_H

#include "auth/access.h"
#include "auth/session.h"
#include "db/db.h"
#include "http/response.h"

/*
 * The hooks of every executable with a database: opens it (app_state.db), checks the schema, knows
 * the hosts of the Sites table (at once, without restart), finds session or token and user, asks for
 * sign-in or rights of the row, checks CSRF. A request costs one round trip for all of that.
 */
extern const struct hooks auth_hooks;

/*
 * The `needs` (struct app) of an executable that checks or sets passwords: they are hashed in turns that
 * the whole machine shares, by a file in RUN_DIR.
 */
void auth_needs_hashes(const struct app_state *, struct sandbox *);

/* request->user, or the visitor: never NULL. */
const struct user *auth_user(const struct request *);

/* The session that this request belongs to; NULL for a visitor, and for a token's. */
const struct session *auth_session(const struct request *);
/* How long sessions last here. */
const struct session_limits *auth_session_limits(const struct request *);

/* Is the password of who is signed in older than TOM_PASSWORD_EXPIRY_DAYS? Never one of a token. */
bool auth_password_is_old(const struct request *);

/*
 * The error page for a database result that is no answer: 503 where it is away, busy or slow, 507
 * where it is full, else 500. Logs why. Returns 0: `return auth_db_failed(...)`.
 */
int auth_db_failed(struct request *, struct response *, enum db_result);

/*
 * A form that visitors may send (sign-in) needs a cookie for its token: call it before
 * respond_page. Pages of people who are signed in need nothing.
 */
void auth_form_cookie(struct request *, struct response *);

/* Does the request come over http while cookies go over https only? Then nobody can sign in. */
bool auth_cookies_are_lost(const struct request *);

/*
 * Signs in: a new session (the old one, if any, ends) and its cookie; notes the time with the user,
 * if that can be written. 0, or -1 with the response filled. signs out: the row and the cookie go.
 */
int auth_sign_in(struct request *, struct response *, const struct proof *);
int auth_sign_out(struct request *, struct response *);

struct vault;

/*
 * Half signed in: the password was right, the second factor is still to be given. The browser keeps
 * that in a cookie that opens nothing but the pages that ask for it: signed, and sealed by the vault
 * (NULL: there is none), good for ten minutes, for this browser (its session's or forms' cookie) and this
 * password. auth_half gives the proof back; false where there is none. The cookie ends with auth_sign_in.
 */
void auth_half_begin(struct request *, struct response *, struct vault *, const struct proof *);
bool auth_half(struct request *, struct vault *, struct proof *);

/* When the second factor was given to the session in use; 0: it was not. For a proof of who goes on. */
int64_t auth_factor(const struct request *);

/* The secret of this site, for what a handler hashes or signs. */
struct secret *auth_secret(const struct request *);

/*
 * Is it their password? Any outcome costs one hash of full cost. Returns AUTH_YES and *proof,
 * AUTH_NO (unknown, wrong or inactive alike; proof->user and ->refused tell the log which), AUTH_BUSY (too many hashes at once: 503), AUTH_AWAY.
 * A hash below today's cost is written anew. The user name is compared in its NFKC form.
 */
enum auth_answer { AUTH_YES, AUTH_NO, AUTH_BUSY, AUTH_AWAY };
enum auth_answer auth_check_password(
    struct db *, struct arena *, struct str username, struct str password, struct proof *);

#endif
