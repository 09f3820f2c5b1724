/*
 * letter.h: dead letters, tried again by what reads their stream.
 */
#ifndef MERIDIAN_LETTER_H
#define MERIDIAN_LETTER_H

#include "cmd/stream.h"

enum letter_outcome {
	LETTER_TAKEN,
	LETTER_REFUSED, /* it is none, waits no longer, or cannot be taken yet: err says why */
	LETTER_FAILED /* the database is away or full */
};

/*
 * Tries one of that stream's, and notes what came of it: taken, or the reason why it still cannot be
 * read or stored. One that the database fails over, whatever it is, is noted so, and keeps nobody back.
 */
enum letter_outcome
letter_replay(struct db *, struct arena *, struct stream *, int64_t id, char *err, size_t errsize);

/*
 * Tries those of the stream that somebody asked for, the longest waiting first, for a quarter of a
 * second at most. What the database does not let be done is left for the next time.
 */
void letters_take_asked(struct db *, struct stream *);

/* Deletes those of the stream that are older than it keeps them. True: there may be more. */
bool letters_forget_old(struct db *, const struct stream *);

#endif
