/*
 * throttle.h: guessing is slowed down, whoever guesses and from wherever; owners are not kept out.
 *
 *	struct throttle t;
 *	int64_t wait = throttle_ask(r, THROTTLE_SIGN_IN, username, &t);
 *
 *	if (wait != 0)
 *		return throttle_refuse(r, res, wait);
 *	... compute the hash ...
 *	right:				throttle_passed(r, &t), and device_remember() once signed in
 *	wrong:				nothing: it is counted already
 *	could not be known (503):	throttle_undo(r, &t)
 *
 * An attempt is counted when it is asked for, as a failure, so that a hundred at once are a hundred;
 * who passes gets it back. What is refused computes no hash and writes nothing. Nobody is made to
 * wait inside a request: the answer says when to come again.
 *
 * What is counted, each by an HMAC under the site's key, so that the table tells neither names nor
 * addresses:
 *
 *	an account from an address	some free, then a delay that doubles from 5 s to 15 minutes
 *	an account, from anywhere	4 times as many at once, then one a minute
 *	an address, any account		12 times as many at once, then one each 15 s
 *	everything			40 times as many at once, then one a second
 *	an account's turns, right ones	6 times as many at once, then one each 10 s: a hash is dear, and who
 *	too, and of known browsers	knows a password must not keep all turns busy with it
 *
 * The last quarter of what an account and the site may have is kept for addresses that did not fail
 * lately. With THROTTLE_FREE_FAILURES = 5 at most 80 wrong passwords of an account are hashed in an
 * hour, from however many addresses; that is less than its turns, which no stranger fills. Codes of the
 * second factor are counted apart (factor.h). An account is the name as it was typed, in its NFKC form:
 * names that nobody has are counted and answered alike.
 *
 * A browser that signed in as somebody before shows the device cookie (device.h). It has an
 * allowance of its own for that account, of the first kind, and but for the turns nothing else is asked:
 * an attack from elsewhere never keeps the owner out. (16 hashes an hour more.)
 *
 * Time is the machine's time since boot, drawn towards the wall clock by a tenth of what passes, and
 * kept in the table for each host: a clock that is set forgets no failure and makes nobody wait
 * longer. An address is the network of it: /32 of IPv4, /64 of IPv6.
 */
#ifndef MERIDIAN_THROTTLE_H
#define MERIDIAN_THROTTLE_H

#include "auth/secret.h"
#include "db/db.h"
#include "http/response.h"

enum throttle_what {
	THROTTLE_SIGN_IN, /* a password: the sign-in page and token-auth alike */
	THROTTLE_PRESENT, /* the present password, asked of who is signed in: by account alone */
	THROTTLE_RESET, /* a mail asked for: each counts, none is given back */
	THROTTLE_REGISTER, /* an account made; there is no account to count by */
	THROTTLE_KINDS /* how many */
};

#define THROTTLE_KEY SECRET_SIZE
#define THROTTLE_BUCKETS 5

/* An attempt that was let through. Plain memory of the caller; only this module looks inside. */
struct throttle {
	enum throttle_what what;
	size_t n;
	struct throttle_bucket {
		uint8_t key[THROTTLE_KEY];
		int64_t burst, interval; /* of a rate; burst 0: failures and a growing delay */
		bool reserve; /* a quarter is for those who did not fail lately */
		bool stays; /* a success gives nothing back */
		int64_t failures, last, until; /* as they stand in the table */
	} bucket[THROTTLE_BUCKETS];
	uint8_t clock[THROTTLE_KEY];
};

/*
 * May this attempt be made? account is the name as it was typed (STR("") where there is none). 0: yes,
 * it is counted and *t is what to pass on. More: so many seconds to wait. -1: it could not be counted
 * (the database is away, busy or full): then nothing may be guessed either. A refusal is noted in the
 * security log.
 */
int64_t throttle_ask(struct request *, enum throttle_what, struct str account, struct throttle *);

/* The page for what throttle_ask said when that was not 0: 429 with Retry-After, or 503. Returns 0. */
int throttle_refuse(struct request *, struct response *, int64_t wait);
/* "Too many attempts. Try again in 3 minutes.": for an answer of another form, such as JSON. */
struct str throttle_sentence(struct arena *, int64_t wait);

/* It was right: the attempt is given back, and what failed before from here is forgotten. */
void throttle_passed(struct request *, const struct throttle *);
/* It was neither right nor wrong: the attempt is given back. */
void throttle_undo(struct request *, const struct throttle *);

/* --- the same without a request: for tests, and for what has none --- */

struct throttle_visitor {
	struct str account, address; /* "" where there is none */
	const uint8_t
	    *device; /* the id of a known one of this account (DEVICE_ID bytes), or NULL */
};
struct throttle_now {
	const char *host; /* the machine */
	int64_t wall, boot; /* clock_now(), clock_boot() */
};

/*
 * free: THROTTLE_FREE_FAILURES. DB_END and *wait (microseconds; 0: let through, counted); else why it
 * could not be counted.
 */
enum db_result throttle_charge(struct db *, struct secret *, int64_t free, enum throttle_what,
    const struct throttle_visitor *, const struct throttle_now *, struct throttle *, int64_t *wait);
/* Gives the attempt back; forget: what failed before, too. */
enum db_result throttle_give_back(struct db *, const struct throttle *, bool forget);

/* What an address is counted by: its network as a text, in the arena. */
struct str throttle_network(struct arena *, struct str address);

#endif
