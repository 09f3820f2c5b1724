/*
 * letter_list.h: the dead letters of a stream, for people: what they are, and what is to become of
 * them. Nothing here reads their bytes: what decodes them is meridian-ingest (cmd/letter.h), at its
 * next round.
 */
#ifndef MERIDIAN_LETTER_LIST_H
#define MERIDIAN_LETTER_LIST_H

#include "db/db.h"

#define LETTERS_AT_ONCE 1000 /* that letters_ask() asks for: as QUERY_LETTERS_ASK has it */

/* Times are microseconds; 0: never. */
struct letter_row {
	int64_t id;
	struct str topic;
	int64_t part, place;
	int64_t received;
	struct str reason; /* of when it was last tried */
	int64_t size; /* bytes */
	bool kept; /* else it was too long, and nobody can try it again */
	int64_t asked; /* since when somebody wants it tried again */
	int64_t tried; /* when it was, in vain */
	int64_t replayed, dismissed;
};

/*
 * Those of a stream that wait, or no longer, the newest first, with ids below `before`; at most `most`,
 * and whether there are more. They live in the arena.
 */
enum db_result letter_list(struct db *, struct arena *, struct str stream, bool waits,
    int64_t before, size_t most, struct letter_row **, size_t *n, bool *more) MUST_CHECK;

/* Whose it is, in the arena. DB_ROW, DB_END where there is none of that id, or a failure. */
struct letter_place {
	struct str stream;
	bool kept, waits;
};
enum db_result
letter_find(struct db *, struct arena *, int64_t id, struct letter_place *) MUST_CHECK;

/* Wants one tried again, or the oldest of a stream that nobody asked for yet; *n: how many these are. */
enum db_result letter_ask(struct db *, int64_t id, int64_t now) MUST_CHECK;
enum db_result letters_ask(struct db *, struct str stream, int64_t now, int64_t *n) MUST_CHECK;

/* It need not be taken. It stays where it is, and waits no longer. */
enum db_result letter_dismiss(struct db *, int64_t id, int64_t now) MUST_CHECK;

#endif
