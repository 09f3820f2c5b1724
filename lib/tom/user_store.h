/*
 * user_store.h: what the files that write accounts share. Only lib/tom/ includes it, and tests.
 */
#ifndef MERIDIAN_USER_STORE_H
#define MERIDIAN_USER_STORE_H

#include "tom/user.h"

/* The account of a row of users. */
void user_read_row(struct query *, struct arena *, struct account *);

/* Binds names, keys, e-mail address and affiliation of the account: what adds and changes share. */
void user_bind_fields(struct query *, struct arena *, const struct account *);

/* Has somebody other than `id` the name but for case and look? USER_DONE: nobody; USER_TAKEN. */
enum user_result
user_find_alike(struct db *, struct arena *, int64_t id, struct str username) MUST_CHECK;

/*
 * What a new account has to pass behind user_check(), whose sentences `why` holds: password and name.
 * USER_DONE and the password's hash, or why not.
 */
enum user_result
user_pass_new(struct db *, struct arena *, const struct config *, const struct account *,
    struct str password, struct str *encoded, struct user_problems *why) MUST_CHECK;

/* The password's hash: USER_DONE, USER_BUSY or USER_WRONG. */
enum user_result user_hash(struct arena *, struct str password, struct str *encoded) MUST_CHECK;

#endif
