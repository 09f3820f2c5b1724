/*
 * password.h: hashing and policy. The only module that names a hash.
 */
#ifndef MERIDIAN_PASSWORD_H
#define MERIDIAN_PASSWORD_H

#include "base/arena.h"

#define PASSWORD_MAX 1024 /* bytes; longer ones are refused before any work */

/*
 * Django's form "scrypt$N$salt$r$p$base64" with N=2^17, r=8, p=1, of the NFKC form of the password.
 * 0; -1 when memory or a slot for hashing cannot be had (log says which).
 */
int password_hash(struct arena *, struct str password, struct str *encoded);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_BUSY };
/*
 * Constant time in the comparison; *weak says that the hash should be made anew. A hash that cannot
 * be read (or an absent one: no such user) costs a full hash and is WRONG.
 */
enum password_verdict password_check(struct str encoded, struct str password, bool *weak);

/*
 * The policy: every rule that the password breaks, as sentences that say what to do (at most
 * PASSWORD_RULES). Used by pages, commands, everything. Returns how many; 0 means good.
 */
#define PASSWORD_RULES 8
struct password_owner { /* absent strings where unknown */
	struct str username, first_name, last_name, email;
	struct str site_name, host;
};
size_t password_problems(struct arena *, struct str password, const struct password_owner *,
    size_t min_length, struct str why[PASSWORD_RULES]);

/* A generated password without blanks or look-alikes, >= 100 bits. */
struct str password_generate(struct arena *);

#endif
