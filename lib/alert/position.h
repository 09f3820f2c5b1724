/*
 * position.h: how far the parts of a stream were read, and the messages of it that cannot be, both
 * written with what was read.
 *
 * The table says what is to be read next: a broker's own word of it is behind when a machine dies
 * between the two. The row is a fence, too: it moves only from where we left it, so of two daemons
 * that think a partition theirs one is told so, and writes nothing.
 */
#ifndef MERIDIAN_POSITION_H
#define MERIDIAN_POSITION_H

#include "db/db.h"

struct position {
	struct str cluster; /* Kafka's own name of its brokers; absent: none */
	struct str topic; /* at most POSITION_TOPIC_MAX bytes */
	int64_t part;
	int64_t stored; /* `next` of the row; POSITION_NEW: there is none */
	int64_t next; /* the first message that is not in the batch either */
	bool stored_done, done; /* files: read to the end */
	bool moved; /* it is among those of the batch */
};
#define POSITION_NEW INT64_C(-1)
#define POSITION_TOPIC_MAX 200

/* Reads stored and done of one; next is set to it, to 0 where there is no row. */
enum db_result position_read(struct db *, struct str stream, struct position *) MUST_CHECK;

/* Makes the row of one that is to begin at `next`, and reads it where somebody else was first. */
enum db_result position_begin(struct db *, struct str stream, struct position *) MUST_CHECK;

/*
 * Which cluster a stream was read from latest, in the arena; absent: from none that has a name.
 */
enum db_result
position_cluster(struct db *, struct arena *, struct str stream, struct str *cluster) MUST_CHECK;

/* Takes away the row of one that is no more. */
enum db_result position_forget(struct db *, struct str stream, const struct position *) MUST_CHECK;

/*
 * Moves the row of one that is settled to `next`, a transaction of its own, and counts `lost` messages
 * as thrown away before they were read. DB_REFUSED: it was moved by somebody else.
 */
enum db_result position_skip(
    struct db *, struct str stream, struct position *, int64_t next, int64_t lost) MUST_CHECK;

/*
 * Moves the rows to where the positions are, in the caller's transaction. DB_REFUSED: one was moved
 * by somebody else. The positions stay as they are: the caller says position_settle() to each once
 * the transaction has ended.
 */
enum db_result
positions_store(struct db *, struct str stream, struct position *const *, size_t n) MUST_CHECK;
void position_settle(struct position *, bool committed);

/* A message that cannot be read. */
struct letter {
	const struct position *position;
	int64_t place; /* of the message there */
	struct str bytes; /* absent: they lie elsewhere, or are too many */
	size_t size;
	struct str reason;
};
#define LETTER_MAX MIB(4) /* bytes of a message that are kept */

enum db_result
letters_store(struct db *, struct str stream, const struct letter *, size_t n) MUST_CHECK;

#endif
