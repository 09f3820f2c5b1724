/*
 * password.h: hashing and policy. The only module that names a hash.
 *
 * A hash costs a third of a second and 128 MiB, so hashes computed at once are limited for the
 * whole machine (slot.h); who cannot get a turn in time is told to come again.
 */
#ifndef MERIDIAN_PASSWORD_H
#define MERIDIAN_PASSWORD_H

#include "base/arena.h"
#include "base/config.h"
#include "base/sandbox.h"

#define PASSWORD_MAX 1024 /* bytes; longer ones are refused before any work */

/*
 * Takes RUN_DIR, PASSWORD_HASHES, PASSWORD_HASH_WAIT_MS, PASSWORD_FLOOR_MS and PASSWORD_IMPORT_MD5 for
 * all hashing of this process, and opens the lists of the policy (SHARE_DIR, PASSWORD_BREACH_FILE).
 * Once at start; without it the defaults of these keys hold, and there are no lists.
 */
void password_configure(const struct config *);

/* What hashing needs in a sandbox, after password_configure(): the file of turns. */
void password_needs(struct sandbox *);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_BUSY };

/*
 * Django's form "scrypt$N$salt$r$p$base64" with N=2^17, r=8, p=1, of the NFKC form of the password.
 * PASSWORD_RIGHT and *encoded; PASSWORD_BUSY where memory or a turn cannot be had (the log says
 * which: 503, come again); PASSWORD_WRONG for what no policy lets through: longer than PASSWORD_MAX
 * or not UTF-8.
 */
enum password_verdict
password_hash(struct arena *, struct str password, struct str *encoded) MUST_CHECK;

/*
 * Is it the password of this hash? The hash may be any of Django's: scrypt, pbkdf2_sha256 and _sha1,
 * argon2 (id and i), bcrypt_sha256, bcrypt, and md5 where PASSWORD_IMPORT_MD5 allows it. Constant
 * time in the comparison; *weak says that it is right and the hash should be made anew (another form
 * than today's, smaller parameters, or made of a spelling that was not NFKC).
 *
 * A password that Unicode can spell in several ways is tried in up to three: Django hashed what the
 * keyboard sent.
 *
 * A hash that cannot be read (or an absent one: no such user) costs a full hash and is WRONG; a check
 * of a cheaper one is made to cost about the same. WRONG is answered no earlier than PASSWORD_FLOOR_MS
 * after its turn came, for each spelling; the turn has ended by then. PASSWORD_BUSY: nothing is known.
 */
enum password_verdict
password_check(struct str encoded, struct str password, bool *weak) MUST_CHECK;

/* Can password_check read it? What cannot be read (Django's "!...", an unknown form) lets nobody in. */
bool password_readable(struct str encoded);

/*
 * The policy: every rule that the password breaks, as sentences that say what to do (at most
 * PASSWORD_RULES). Used by pages, commands, everything. Returns how many; 0 means good. min_length
 * is in code points of the NFKC form; less than 8 counts as 8. Django's four rules with Django's
 * sentences are among them.
 */
#define PASSWORD_RULES 8
struct password_owner { /* absent strings where unknown */
	struct str username, first_name, last_name, email;
	struct str site_name, host;
};
size_t password_problems(struct arena *, struct str password, const struct password_owner *,
    size_t min_length, struct str why[PASSWORD_RULES]);

/* The rules in advance, for the page: a sentence for each that can be broken. Returns how many. */
size_t password_rules(struct arena *, size_t min_length, struct str rule[PASSWORD_RULES]);

/* A generated password without blanks or look-alikes, 100 bits, which keeps the policy. */
struct str password_generate(struct arena *);

#endif
