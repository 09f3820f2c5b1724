/*
 * factor.h: second factors: a phone that makes codes (totp.h), and ten recovery codes for the day it
 * is lost.
 *
 * Six digits can be guessed, so wrong codes are counted with the account, whatever session or address
 * they come from: after FACTOR_FREE of them none is looked at for a minute, then for two, four ... up
 * to FACTOR_WAIT_MAX. Only who has given the password gets so far, so no outsider holds up the owner;
 * and a recovery code, which nobody guesses, is taken at any time.
 */
#ifndef MERIDIAN_FACTOR_H
#define MERIDIAN_FACTOR_H

#include "auth/access.h"
#include "auth/secret.h"
#include "auth/session.h"
#include "auth/totp.h"
#include "auth/vault.h"
#include "db/db.h"

#define FACTOR_FREE 5
#define FACTOR_WAIT_MAX (15 * MINUTE)
#define FACTOR_CODE_MAX 40 /* characters of what is typed: a recovery code with blanks */
#define FACTOR_CODES 10 /* recovery codes of an account */
#define FACTOR_CODE_TEXT 19 /* characters of one: 80 bits as "xxxx-xxxx-xxxx-xxxx" */

/*
 * Must they have a second factor (TOM_MFA_REQUIRED)? A session that began without one is none then
 * (hooks.c), so who has none is led to set one up when they sign in, before anything else.
 */
bool factor_required(const struct config *, const struct user *);

/* What is wrong with the keys about factors, as a sentence; NULL: nothing. */
const char *factor_config_wrong(const struct config *);

struct factor {
	bool there; /* they have one */
	int64_t created; /* since when */
	int64_t codes_left; /* recovery codes */
	int64_t retry_at; /* no code is looked at before */
};
enum db_result factor_get(struct db *, int64_t user, struct factor *) MUST_CHECK;

enum factor_result {
	FACTOR_RIGHT,
	FACTOR_RECOVERY, /* right: a recovery code, which is used up now */
	FACTOR_WRONG, /* also a recovery code that was used */
	FACTOR_USED, /* the right code of a step whose code was used */
	FACTOR_WAIT, /* too many wrong ones: not looked at before factor_get's retry_at */
	FACTOR_NONE, /* they have no factor */
	FACTOR_TAKEN, /* they have one already */
	FACTOR_LOCKED, /* its key does not open: the vault's key is missing, or the row was changed */
	FACTOR_FAILED /* the database: db_error() says why */
};

/*
 * Is it a code of the user's phone, or a recovery code of theirs (blanks, '-' and case do not
 * matter)? Right ones are good once, also where two come at the same moment. vault may be NULL: then
 * only recovery codes are right.
 */
enum factor_result factor_check(struct db *, struct arena *, struct secret *, struct vault *,
    int64_t user, struct str code, int64_t now) MUST_CHECK;

/*
 * A key on offer, for a page that shows it until a code proves it; nothing is stored. The text is for
 * the browser to keep: sealed, of this user, good for an hour.
 */
struct str
factor_offer(struct vault *, struct arena *, int64_t user, int64_t now, uint8_t key[TOTP_KEY]);
bool factor_offer_read(struct vault *, struct arena *, int64_t user, struct str offer, int64_t now,
    uint8_t key[TOTP_KEY]);

/*
 * The user has this key from now on if the code is its: FACTOR_RIGHT and their recovery codes, which
 * are nowhere else; FACTOR_WRONG; FACTOR_TAKEN; FACTOR_FAILED. All their sessions end, and the tokens
 * that a password alone got.
 */
enum factor_result factor_add(struct db *, struct arena *, struct secret *, struct vault *,
    int64_t user, const uint8_t key[TOTP_KEY], struct str code, int64_t now,
    struct str codes[FACTOR_CODES]) MUST_CHECK;

/* New recovery codes; the old ones are good no more. */
enum db_result factor_new_codes(struct db *, struct arena *, struct secret *, int64_t user,
    struct str codes[FACTOR_CODES]) MUST_CHECK;

/* Takes factor and recovery codes away; all sessions of the user end. *was says that they had one. */
enum db_result factor_remove(struct db *, int64_t user, bool *was) MUST_CHECK;

/* Names of up to `limit` active superusers without a factor. */
enum db_result
factor_missing(struct db *, struct arena *, size_t limit, struct str *names, size_t *n) MUST_CHECK;

/*
 * Seals every key anew under the vault's newest key, in steps that may be broken off and repeated.
 * *resealed and *locked say how many were, and how many do not open (they are left as they are).
 */
enum db_result
factor_reseal(struct db *, struct vault *, int64_t *resealed, int64_t *locked) MUST_CHECK;

#endif
