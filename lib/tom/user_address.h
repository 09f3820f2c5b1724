/*
 * user_address.h: another e-mail address for one's own account, where the site sends mail. It is held
 * aside: a link is sent there, the old address stays in use and is told, and who opens the link, signed
 * in to the same account, has the new one from then on. So neither a slip of the pen nor a session that
 * was left open gives the account, by a reset of its password, to the owner of another mailbox.
 *
 * What waits is the link itself (one_time.h): it is void when the password or the address changes.
 */
#ifndef MERIDIAN_USER_ADDRESS_H
#define MERIDIAN_USER_ADDRESS_H

#include "auth/one_time.h"
#include "tom/user.h"

#define ADDRESS_PATH "/accounts/address/" /* the token behind it */
#define ADDRESS_LIFE DAY
#define ADDRESS_LINKS 3 /* good ones of an account at a time */

/* Is the address of that change (merged: `changed` is known) one to hold aside? */
bool user_address_holds(const struct config *, const struct user_change *);

/*
 * Within the transaction of the change: sends the link and tells the old address; *account, as it will
 * be, keeps that, and the change says what is held. What is wrong with the address is in *why.
 */
enum db_result user_address_hold(struct db *, struct arena *, const struct config *,
    struct user_change *, struct account *, int64_t now, struct user_problems *why) MUST_CHECK;

/*
 * The link's account and address (sent_to), for the page that asks: DB_ROW; DB_END: the link is no
 * good, or it is not of `user`.
 */
enum db_result user_address_find(struct db *, struct arena *, struct secret *, struct str token,
    int64_t user, int64_t now, struct one_time *) MUST_CHECK;

/* Makes it the account's, once: DB_ROW, and *one is as it was; DB_END as above. */
enum db_result user_address_take(struct db *, struct arena *, const struct config *,
    struct secret *, struct str token, int64_t user, int64_t now, struct one_time *one) MUST_CHECK;

#endif
