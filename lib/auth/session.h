/*
 * session.h: the rows of signed-in browsers. Visitors have none and write none.
 *
 * The cookie "sid" holds 32 random bytes; the row is found by their SHA-256, so a copy of the
 * database opens no session. Each row is signed with the secret key over its token, its user, its
 * end, the instant the user's password was set and that of their second factor: a row written by
 * someone else, or left over from an older password, is none.
 */
#ifndef MERIDIAN_SESSION_H
#define MERIDIAN_SESSION_H

#include "auth/access.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "db/db.h"

#define SESSION_COOKIE "sid"
#define SESSION_TOUCH MINUTE /* last_seen is written no more often than that */

#define SESSIONS_MAX 100 /* of one user: a further one ends the oldest */

/* How long, in microseconds: without use, and in any case; less for staff and superusers. */
struct session_limits {
	int64_t idle, absolute, staff_idle, staff_absolute;
};
void session_limits(const struct config *, struct session_limits *);

struct session {
	uint8_t token_hash[SECRET_SIZE];
	int64_t user_id, created, last_seen, expires;
	int64_t password_changed; /* of its user, when it was read */
	int64_t factor; /* when the second factor was given; 0: it was not */
};

/* Whose password was right, and when that was set: what a session is bound to. */
struct proof {
	int64_t user, password_changed;
	int64_t factor; /* when the second factor was given too; 0: it was not */
	const char *refused; /* why there is none, for the security log: never for visitors */
};

/*
 * Is it still so, and is it enough: the user active, the password the same, and the second factor given
 * where they have one? DB_ROW, with *staff; DB_END: no. Within a transaction it stays so till its end.
 */
enum db_result proof_holds(struct db *, const struct proof *, bool *staff) MUST_CHECK;

/* Where a session began, for lists of sessions: nothing is decided by it. */
struct session_origin {
	struct str address, agent; /* REMOTE_ADDR, and what the browser calls itself; absent: "" */
};

/* Has a session with these times ended by itself, or may it go on? */
bool session_has_ended(
    const struct session *, const struct session_limits *, bool is_staff, int64_t now);

/*
 * Asks for the session of a cookie's token (db_start: it travels with other queries), to be read by
 * session_read. NULL where the text is no token of ours (absent, too short ...): nothing is asked.
 */
struct query *session_ask(
    struct db *, struct secret *, struct str token, int64_t now, uint8_t token_hash[SECRET_SIZE]);

/*
 * Reads and ends the query: DB_END with *session and *user in the arena, both NULL where there is
 * no such session (unknown, ended, user disabled, row not of ours); else why it could not be read.
 */
enum db_result session_read(struct query *, struct secret *, const struct session_limits *,
    const uint8_t token_hash[SECRET_SIZE], int64_t now, struct arena *, struct session **,
    const struct user **);

/*
 * A new session of a user: *token is what the cookie gets, *s its row. DB_END; DB_REFUSED where
 * the proof does not hold any more (proof_holds).
 */
enum db_result
session_add(struct db *, struct arena *, struct secret *, const struct session_limits *,
    const struct proof *, struct session_origin, int64_t now, struct str *token, struct session *s);

/*
 * Writes last_seen where the row is still there and it is a minute older. Waits for no other
 * writer: DB_RETRY where one is at it.
 */
enum db_result session_touch(struct db *, const struct session *, int64_t now);

enum db_result session_end(struct db *, const struct session *);

/*
 * Ends every session of a user but `keep` (NULL: all of them), at once and for every process; *n
 * (NULL: nobody asks) is how many there were. What makes the others doubtful calls it in its own
 * transaction: a new password, a factor that came or went, other rights (staff, superuser, disabled).
 */
enum db_result
session_end_others(struct db *, int64_t user, const struct session *keep, int64_t *n);

#endif
