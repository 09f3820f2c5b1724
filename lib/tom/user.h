/*
 * user.h: accounts, for the commands and the pages that manage them. Signing in is auth.h's.
 */
#ifndef MERIDIAN_USER_H
#define MERIDIAN_USER_H

#include "base/config.h"
#include "db/db.h"
#include "http/value.h"

#define USERNAME_MAX 150 /* code points, as Django's */
#define USER_TEXT_MAX 254 /* code points of an e-mail address; names 150, affiliation 100 */

struct account {
	int64_t id;
	struct str username; /* NFKC; letters and digits of any script, @ . + - _ */
	struct str first_name, last_name, email, affiliation; /* "" where not given */
	bool is_active, is_staff, is_superuser;
	int64_t created, password_changed; /* microseconds UTC */
	int64_t last_login; /* 0: never */
};

enum user_result {
	USER_DONE,
	USER_WRONG, /* the sentences in *why say what: fields or password */
	USER_TAKEN, /* the name is in use */
	USER_UNKNOWN, /* there is no such user */
	USER_CHANGED, /* the password was changed meanwhile: nothing was written */
	USER_BUSY, /* too many passwords are hashed at once: come again */
	USER_FAILED /* the database: db_error() says why */
};

#define USER_PROBLEMS 16
struct user_problems {
	size_t n;
	struct str why[USER_PROBLEMS]; /* sentences, in the arena */
};

/* Every rule that the fields break (password apart), as sentences that name the field. */
void user_check(struct arena *, const struct account *, struct user_problems *why);

/*
 * The whole password policy with this site's settings: PASSWORD_MIN_LENGTH, TOM_NAME, the domain of
 * SITE_ID. The one way to the policy for pages and commands.
 */
enum user_result user_check_password(struct db *, struct arena *, const struct config *,
    const struct account *, struct str password, struct user_problems *why);

/* The rules in advance: sets page.rules, which {{> password-new}} shows. */
void user_show_password_rules(const struct config *, struct arena *, struct value *page);

/*
 * Adds an active user; id and times of `u` are not read, a superuser is staff too. *id is the new
 * one's. Nothing is written unless fields and password pass.
 */
enum user_result user_add(struct db *, struct arena *, const struct config *,
    const struct account *u, struct str password, int64_t *id, struct user_problems *why);

/*
 * A new password that passes the policy; every session of the user ends. Of the account its id, what
 * the policy compares with, and password_changed as it was read: that becomes the new one's.
 */
enum user_result user_set_password(struct db *, struct arena *, const struct config *,
    struct account *, struct str password, struct user_problems *why);

/* Lets a user in or keeps them out; keeping out ends their sessions. */
enum user_result user_set_active(struct db *, int64_t user, bool active);

/* By name (compared in NFKC); what it found is in *u and the arena. */
enum user_result user_find(struct db *, struct arena *, struct str username, struct account *u);

/*
 * Up to `limit` users in the order of their names, after the name `after` ("" from the first); of
 * one group where group is not 0.
 */
enum user_result user_list(struct db *, struct arena *, int64_t group, struct str after,
    size_t limit, struct account **list, size_t *n);

#endif
