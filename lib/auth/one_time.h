/*
 * one_time.h: links that are sent by mail and good for one use. The link holds 32 random bytes; the
 * table has their SHA-256, so a copy of it opens none.
 *
 * A link is bound to the address it was sent to and to the password of that time: it is void once
 * either is another (ONE_TIME_ADDRESS to the password; who sets an address ends it). It is of an
 * account, and found together with it.
 */
#ifndef MERIDIAN_ONE_TIME_H
#define MERIDIAN_ONE_TIME_H

#include "auth/secret.h"
#include "base/clock.h"
#include "db/db.h"

enum one_time_purpose {
	ONE_TIME_RESET, /* another password */
	ONE_TIME_EMAIL, /* this address is mine */
	ONE_TIME_ADDRESS /* and shall be the account's from now on */
};

/* The account of a link. */
struct one_time {
	int64_t user;
	struct str username, first_name, last_name, email, affiliation;
	struct str sent_to; /* one_time_find: the address that the link went to */
	int64_t password_changed;
	bool is_active, is_pending;
};

/* A new link of an account, good until `expires`: *token, in the arena, is what it holds. */
enum db_result one_time_add(struct db *, struct arena *, struct secret *, enum one_time_purpose,
    const struct one_time *account, int64_t now, int64_t expires, struct str *token) MUST_CHECK;

/* The address that waits for an account's newest ONE_TIME_ADDRESS: DB_ROW and *address, or DB_END. */
enum db_result one_time_address(
    struct db *, struct arena *, int64_t user, int64_t now, struct str *address) MUST_CHECK;

/* How many good links of that purpose the account has. */
enum db_result one_time_count(struct db *, enum one_time_purpose, const struct one_time *account,
    int64_t now, int64_t *n) MUST_CHECK;

/*
 * DB_ROW and *found, in the arena: the link is good. DB_END: it is not (unknown, used, expired, void,
 * for another purpose, no token at all). Nothing is written: looking uses nothing up.
 */
enum db_result one_time_find(struct db *, struct arena *, struct secret *, enum one_time_purpose,
    struct str token, int64_t now, struct one_time *found) MUST_CHECK;

/* Uses it up. DB_ROW: it was there, for nobody else any more; DB_END: it was not. */
enum db_result one_time_take(
    struct db *, struct secret *, enum one_time_purpose, struct str token, int64_t now) MUST_CHECK;

/* Ends all of an account's of that purpose, and all that expired. */
enum db_result
one_time_end(struct db *, enum one_time_purpose, int64_t user, int64_t now) MUST_CHECK;

#endif
