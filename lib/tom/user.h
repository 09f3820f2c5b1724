/*
 * user.h: accounts, for the commands and the pages that manage them. Signing in is auth.h's.
 */
#ifndef MERIDIAN_USER_H
#define MERIDIAN_USER_H

#include "auth/session.h"
#include "base/config.h"
#include "db/db.h"
#include "http/value.h"

#define USERNAME_MAX 150 /* code points, as Django's */
/*
 * The account that keeps what deleted ones made: nobody can register its name (a blank is in it), let
 * it in, change or delete it. It is made when it is first needed.
 */
#define USER_FORMER "former user"
bool user_is_former(struct str username);

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
	USER_TAKEN, /* the name is in use, or one that differs in case or look only */
	USER_UNKNOWN, /* there is no such user */
	USER_LAST, /* of the last active superuser, who stays one: nothing was written */
	USER_REFUSED, /* not this account: the former user, or see user_change */
	USER_CHANGED, /* the password was changed meanwhile: nothing was written */
	USER_BUSY, /* too many passwords are hashed at once: come again */
	USER_FAILED /* the database: db_error() says why */
};

#define USER_PROBLEMS 16
struct user_problems {
	size_t n;
	struct str why[USER_PROBLEMS]; /* sentences, in the arena */
};

/* The sentences as one text. */
struct str user_problems_text(struct arena *, const struct user_problems *);

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

/* The same with memberships, in one transaction: USER_WRONG also where a group is not there. */
enum user_result user_add_to_groups(struct db *, struct arena *, const struct config *,
    const struct account *u, struct str password, const int64_t *groups, size_t ngroups,
    int64_t *id, struct user_problems *why);

/*
 * A new password that passes the policy; every session of the user ends, and every token that the
 * one before got at /api/token-auth/; the owner is told by mail. Of the account its id, what the policy compares with, and password_changed as it was read: that
 * becomes the new one's.
 */
enum user_result user_set_password(struct db *, struct arena *, const struct config *,
    struct account *, struct str password, struct user_problems *why);

/*
 * Puts the mail that a password was changed into the queue, within the transaction that changes it;
 * DB_END also where the site sends none, or the account has no address.
 */
enum db_result user_mail_password(
    struct db *, struct arena *, const struct config *, const struct account *) MUST_CHECK;

/*
 * The same to the address that the account has or had: it got another one, or somebody asked for that
 * (`asked`; absent: it has it).
 */
enum db_result user_mail_address(struct db *, struct arena *, const struct config *,
    const struct account *was, struct str asked) MUST_CHECK;

/* Parts of an account that a change covers. */
enum user_part {
	USER_NAME = 1, /* username */
	USER_PROFILE = 2, /* first_name, last_name, affiliation */
	/*
	 * Another address is not verified; the old one is told, and links that were sent there are
	 * void. With `confirm` it is held aside first: see user_address.h.
	 */
	USER_EMAIL = 4,
	USER_ACTIVE = 8, /* is_active; who is let in is pending no longer */
	USER_RIGHTS = 16, /* is_staff, is_superuser */
	USER_GROUPS = 32, /* the memberships */
	USER_PASSWORD = 64
};

struct user_change {
	unsigned parts; /* a sum of enum user_part */
	struct account to; /* as it was read, with what is wanted in the parts */
	struct str password; /* USER_PASSWORD */
	const int64_t *groups; /* USER_GROUPS: all that they are in from now on */
	size_t ngroups;
	bool ordinary_only; /* who asks may not touch staff and superusers: USER_REFUSED */
	/* USER_EMAIL, of the asker's own: what signs links; NULL: the address is set at once */
	struct secret *confirm;
	const struct session *keep; /* the asker's own, which goes on; NULL: none does */
	/* what came about, valid after USER_DONE */
	unsigned changed; /* the parts that are not as they were */
	struct str held; /* the address that a link was sent to; absent: none */
	struct account was;
};

/*
 * Changes parts of an account, in one transaction. Nothing is written unless fields and password
 * pass. Other rights, another password and being kept out end every session of the user. The last
 * active superuser is neither demoted nor kept out, whoever else is at it at the same time.
 */
enum user_result user_change(struct db *, struct arena *, const struct config *,
    struct user_change *, struct user_problems *why);

/* Lets a user in or keeps them out, as user_change(). */
enum user_result user_set_active(struct db *, int64_t user, bool active);

/*
 * Deletes an account with its sessions, tokens, second factor, memberships and rights. What it made
 * stays, as the former user's. The last active superuser and the former user stay.
 */
enum user_result user_delete(struct db *, int64_t user);

/* How many targets they made; counts no further than `limit`. */
enum user_result user_count_targets(struct db *, int64_t user, int64_t limit, int64_t *n);

/* By id; what it found is in *u and the arena. */
enum user_result user_get(struct db *, struct arena *, int64_t id, struct account *u);

/* By name (compared in NFKC); what it found is in *u and the arena. */
enum user_result user_find(struct db *, struct arena *, struct str username, struct account *u);

/*
 * Up to `limit` users in the order of their names, after the name `after` ("" from the first); of
 * one group where group is not 0.
 */
enum user_result user_list(struct db *, struct arena *, int64_t group, struct str after,
    size_t limit, struct account **list, size_t *n);

/*
 * The same for those who have the text in one of their names, whatever its case. It walks the
 * accounts in the order of their names till the limit is reached: accounts are few.
 */
enum user_result user_search(struct db *, struct arena *, struct str text, struct str after,
    size_t limit, struct account **list, size_t *n);

#endif
