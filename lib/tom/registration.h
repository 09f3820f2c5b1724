/*
 * registration.h: accounts that people make for themselves (TOM_REGISTRATION_STRATEGY).
 *
 * Such an account is pending and not active: it may not sign in. Its owner confirms the address by a
 * link that is sent there; with `open` the account is active then, with `approval_required` staff lets
 * it in or refuses it. What is not confirmed in REGISTRATION_DAYS is forgotten when `meridian mail
 * send` comes by, and the name is free again. An address may have several accounts, so nothing tells whether it has one already.
 */
#ifndef MERIDIAN_REGISTRATION_H
#define MERIDIAN_REGISTRATION_H

#include "auth/secret.h"
#include "tom/user.h"

/* Who may make an account here? */
enum registration_strategy { REGISTRATION_NONE, REGISTRATION_OPEN, REGISTRATION_APPROVAL };
enum registration_strategy registration_strategy(const struct config *);

/* Why the strategy cannot work with the other settings, a sentence; NULL where it can. */
const char *registration_settings_wrong(const struct config *);

/* Is the field one of TOM_REQUIRED_USER_FIELDS? */
bool registration_requires(const struct config *, const char *field);

/* Where links lead: a path, with the token behind it. */
#define REGISTRATION_PATH "/accounts/register/"
#define APPROVAL_PATH "/accounts/approve/"

/*
 * Adds a pending account that fields and password pass, and sends the link. `terms` is the version of
 * the terms of service they accepted ("": none). *id is the new one's.
 */
enum user_result registration_add(struct db *, struct arena *, const struct config *,
    struct secret *, const struct account *, struct str password, struct str terms, int64_t *id,
    struct user_problems *why);

/*
 * The link's account, for the page that asks; *account and the arena. DB_ROW, or DB_END: the link is
 * no good.
 */
enum db_result registration_find(
    struct db *, struct arena *, struct secret *, struct str token, struct account *) MUST_CHECK;

/* Confirms the address, once: DB_ROW and *account, active where the strategy is open; DB_END as above. */
enum db_result registration_verify(struct db *, struct arena *, const struct config *,
    struct secret *, struct str token, struct account *) MUST_CHECK;

/* Up to `limit` who wait for staff, the oldest first. */
enum db_result registration_list(
    struct db *, struct arena *, size_t limit, struct account **list, size_t *n) MUST_CHECK;
/* One of them: DB_ROW, or DB_END. */
enum db_result
registration_get(struct db *, struct arena *, int64_t id, struct account *) MUST_CHECK;

/*
 * Lets one in, or refuses and forgets them, and tells them by mail. DB_ROW and *account; DB_END: nobody
 * of that id waits.
 */
enum db_result registration_decide(struct db *, struct arena *, const struct config *, int64_t id,
    bool approve, struct account *) MUST_CHECK;

/* Removes those who did not confirm in time, and the refused. For a command: pages remove nobody. */
enum db_result registration_purge(struct db *, const struct config *, int64_t now) MUST_CHECK;

#endif
