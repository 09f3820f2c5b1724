/*
 * session_list.h: sessions as people see them: whose, since when, from where; and ending them.
 *
 * A session is named by the SHA-256 of its token, as it stands in the table: who reads that name on
 * a page cannot sign in with it.
 */
#ifndef MERIDIAN_SESSION_LIST_H
#define MERIDIAN_SESSION_LIST_H

#include "auth/session.h"

#define SESSION_NAME SECRET_TEXT /* characters of a session's name in forms and addresses */

struct session_entry {
	uint8_t token_hash[SECRET_SIZE];
	int64_t user_id;
	struct str username;
	int64_t created, last_seen;
	int64_t factor; /* when the second factor was given; 0: it was not */
	struct str address, agent; /* when it began; "" where that is not known */
};

/* Where a list goes on: behind this one. */
struct session_place {
	int64_t created;
	uint8_t token_hash[SECRET_SIZE];
};

/*
 * The sessions of a user that did not end, the newest first, at most `most`. DB_END with the list in
 * the arena.
 */
enum db_result session_list_user(struct db *, struct arena *, const struct session_limits *,
    int64_t user, int64_t now, size_t most, struct session_entry **list, size_t *n);

/*
 * Everybody's, the newest first, at most `most`, behind a place (NULL: from the newest). `more` says
 * whether there may be others behind those; *next is where they begin.
 */
enum db_result session_list_all(struct db *, struct arena *, const struct session_limits *,
    int64_t now, const struct session_place *after, size_t most, struct session_entry **list,
    size_t *n, bool *more, struct session_place *next);

/* The name as a text of SESSION_NAME characters, and back: false where it is none. */
struct str session_name(struct arena *, const uint8_t token_hash[SECRET_SIZE]);
bool session_of_name(struct str name, uint8_t token_hash[SECRET_SIZE]);

/* Whose it is: DB_ROW with the user's id and name, or DB_END. */
enum db_result session_owner(struct db *, struct arena *, const uint8_t token_hash[SECRET_SIZE],
    int64_t *user, struct str *username);
/* Ends one of a user's (user 0: anybody's). DB_ROW: it ended; DB_END: there was none. */
enum db_result session_end_named(struct db *, int64_t user, const uint8_t token_hash[SECRET_SIZE]);
/* Ends everybody's. */
enum db_result session_end_all(struct db *, int64_t *ended);

/* "Firefox on Linux": what a User-Agent says, in words; "Unknown browser" where it says nothing. */
struct str session_device(struct arena *, struct str agent);

#endif
