/*
 * token.h: API tokens: what a script shows instead of a session.
 *
 *	Authorization: Token mrd_Jx0...		(as Django REST framework has it)
 *	Authorization: Bearer mrd_Jx0...
 *
 * The text is "mrd_" and 32 bytes of the kernel in base64url. DRF's keys are 40 hexadecimal digits,
 * but its clients send whatever text they were given, so ours may begin with something that people,
 * and programs that look for secrets in the wrong places, recognise. It is shown once; the table has
 * its SHA-256. Who sends it is its user, with the rights that the user has at that moment, as far as
 * the scopes let: words divided by blanks,
 *
 *	read, write			GET and HEAD; everything else: in every area
 *	AREA:read, AREA:write		the same in one area
 *
 * An area is what struct app names so. What names none (accounts, administration) no token opens.
 */
#ifndef MERIDIAN_TOKEN_H
#define MERIDIAN_TOKEN_H

#include "auth/access.h"
#include "auth/secret.h"
#include "auth/session.h"
#include "db/db.h"

#define TOKEN_PREFIX "mrd_"
#define TOKEN_TEXT (sizeof(TOKEN_PREFIX) - 1 + SECRET_TEXT) /* characters */
#define TOKEN_NAME_MAX 80 /* code points of a name */
#define TOKENS_MAX 100 /* of one user */
#define TOKENS_AUTOMATIC 10 /* of these, made by /api/token-auth/ */
#define TOKEN_TOUCH MINUTE /* last_used is written no more often than that */

struct token {
	int64_t id, user_id;
	struct str name, scopes;
	int64_t created;
	int64_t expires; /* 0: never */
	int64_t last_used; /* 0: never */
	bool automatic; /* made by /api/token-auth/ */
};

/*
 * Reads a header Authorization: true and *text, a part of it, where it is a token of ours by its
 * form. Anything else (other schemes, too) is false.
 */
bool token_parse(struct str header, struct str *text);

/* --- scopes --- */

/* The areas there are, in the order to show them: their word, and what people call them. */
struct token_area {
	const char *word, *label;
};
extern const struct token_area token_areas[];
extern const size_t token_nareas;
bool token_is_area(const char *word);

/* May a request of that kind use a row of this area (NULL: of none)? */
bool token_allows(struct str scopes, const char *area, bool is_safe);

/* The words in their order, without those that others include; absent where one is no scope. */
struct str token_scopes(struct arena *, struct str words);

/* --- use --- */

/* When it ends: its own end, or where max_age is not 0 that much after it was made; 0: never. */
int64_t token_end(const struct token *, int64_t max_age);

/* The latest end of one that is made now (TOM_API_TOKEN_EXPIRY_DAYS); 0: never. */
int64_t token_latest_end(const struct config *, int64_t now);

/* Asks for the token (db_start: it travels with other queries), to be read by token_read. */
struct query *token_ask(struct db *, struct secret *, struct str text);

/*
 * Reads and ends the query: *user, with *token, where it is good at `now`; else NULL, and *why says
 * to the log what it is (unknown, expired, of an inactive user) and *token whose, if anybody's.
 */
enum db_result token_read(struct query *, struct arena *, int64_t max_age, int64_t now,
    struct token **token, const struct user **user, const char **why);

/* Writes last_used where the row is still there, as session_touch does. */
enum db_result token_touch(struct db *, const struct token *, int64_t now);

/* --- the tokens of a user --- */

/*
 * A new one: of *t user, name, scopes (as token_scopes gives them), created and expires. *text is
 * what to show, once; t->id is set. DB_END; DB_TAKEN, the user has one of that name; DB_REFUSED,
 * there is no such user, or they have TOKENS_MAX.
 */
enum db_result
token_add(struct db *, struct arena *, struct secret *, struct token *t, struct str *text);

/*
 * The same for /api/token-auth/, with a name of its own making; DB_TAKEN where the proof does not hold
 * any more. It is of that password: another one, or a second factor, ends it. Of the user's automatic ones at most
 * TOKENS_AUTOMATIC are kept: those that were used or made last. (DRF gives the same key every time,
 * which a table of hashes cannot; but a script that asks at each run neither piles up rows nor ends
 * what other scripts got shortly before.)
 */
enum db_result token_add_automatic(struct db *, struct arena *, struct secret *,
    const struct proof *, int64_t now, int64_t expires, struct str *text);

/* Ends those of a user that a password alone got, in the transaction that makes it another one. */
enum db_result token_end_automatic(struct db *, int64_t user) MUST_CHECK;

/*
 * One token named "API token" of scopes "read write": the one that was is revoked. What
 * /users/<pk>/regenerate-token/ of TOM Toolkit does; *text is to be shown at once.
 */
#define TOKEN_REGENERATED "API token"
enum db_result token_regenerate(struct db *, struct arena *, struct secret *, int64_t user,
    int64_t now, int64_t expires, struct str *text);

/* All of a user's, the newest first. */
enum db_result
token_list(struct db *, struct arena *, int64_t user, struct token **list, size_t *n);

/* One of a user's by its id: DB_END with *name in the arena; DB_REFUSED: they have no such token. */
enum db_result
token_revoke(struct db *, struct arena *, int64_t user, int64_t id, struct str *name);

/* All of a user's; *n is how many there were. */
enum db_result token_revoke_all(struct db *, int64_t user, int64_t *n);

#endif
