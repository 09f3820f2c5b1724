/*
 * letter: dead letters, tried again.
 */
#include "cmd/letter.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define LONGEST (SECOND / 4) /* the streams wait meanwhile */
#define AT_ONCE ((size_t)100) /* as QUERY_LETTERS_ASKED has it */

struct dead {
	struct str topic, bytes;
	bool is_there, waits, was_replayed;
};

static enum db_result
read_letter(struct db *db, struct arena *a, int64_t id, struct dead *d)
{
	struct query *q = db_query(db, QUERY_LETTER_READ);

	*d = (struct dead){ .is_there = false };
	db_int(q, "id", id);
	if (db_step(q) == DB_ROW) {
		d->is_there = true;
		d->waits = db_col_bool(q, "waits");
		d->was_replayed = !db_col_null(q, "replayed");
		d->topic = db_col_copy(q, "topic", a);
		if (!db_col_null(q, "bytes"))
			d->bytes = arena_str(a, db_col_bytes(q, "bytes"));
	}
	return db_done(q);
}

/* Notes what came of it. */
static enum db_result
note(struct db *db, int64_t id, bool taken, const char *why)
{
	struct query *q = db_query(db, taken ? QUERY_LETTER_REPLAYED : QUERY_LETTER_TRIED);

	db_int(q, "id", id);
	db_int(q, "now", clock_now());
	if (!taken)
		db_text(q, "reason", str_of(why));
	return db_run(q);
}

enum letter_outcome
letter_replay(
    struct db *db, struct arena *a, struct stream *s, int64_t id, char *err, size_t errsize)
{
	struct dead d;
	int taken;

	if (read_letter(db, a, id, &d) != DB_END)
		return LETTER_FAILED;
	if (!d.is_there || !d.waits || d.bytes.p == NULL) {
		snprintf(err, errsize, "%s",
		    !d.is_there          ? "there is no such letter"
		        : d.was_replayed ? "it was replayed"
		        : !d.waits       ? "it was dismissed"
		                         : "its bytes were not kept");
		return LETTER_REFUSED;
	}
	taken = stream_replay(s, d.topic, d.bytes, err, errsize);
	if (taken != 0)
		str_make_utf8(err, strlen(err)); /* packets are quoted there */
	if (taken < 0 || note(db, id, taken == 0, err) != DB_END)
		return LETTER_FAILED;
	return taken == 0 ? LETTER_TAKEN : LETTER_REFUSED;
}

/* Ids that are asked for; how many. */
static size_t
find_asked(struct db *db, const char *stream, int64_t ids[AT_ONCE])
{
	struct query *q = db_query(db, QUERY_LETTERS_ASKED);
	size_t n = 0;

	db_text(q, "stream", str_of(stream));
	while (n < AT_ONCE && db_step(q) == DB_ROW)
		ids[n++] = db_col_int(q, "id");
	return db_done(q) == DB_END ? n : 0;
}

void
letters_take_asked(struct db *db, struct stream *s)
{
	int64_t until = clock_monotonic() + LONGEST, ids[AT_ONCE];
	size_t n = find_asked(db, stream_name(s), ids), taken = 0, tried = 0;
	struct arena *a;
	char err[600];

	if (n == 0)
		return;
	a = arena_new();
	for (; tried < n && clock_monotonic() < until; tried++) {
		enum letter_outcome outcome = letter_replay(db, a, s, ids[tried], err, sizeof(err));

		arena_reset(a);
		if (outcome == LETTER_FAILED)
			break; /* it would be the same for those behind it */
		taken += outcome == LETTER_TAKEN;
	}
	arena_free(a);
	log_info("dead letters were tried again", LOG_TEXT("stream", stream_name(s)),
	    LOG_INT("tried", (int64_t)tried), LOG_INT("taken", (int64_t)taken));
}

bool
letters_forget_old(struct db *db, const struct stream *s)
{
	int64_t since = stream_keeps_since(s), n;
	struct query *q;

	if (since == 0)
		return false;
	q = db_query(db, QUERY_LETTERS_EXPIRE);
	db_text(q, "stream", str_of(stream_name(s)));
	db_int(q, "before", since);
	if (db_run(q) != DB_END || (n = db_changes(db)) == 0)
		return false;
	log_warn("dead letters were too old and are deleted", LOG_TEXT("stream", stream_name(s)),
	    LOG_INT("letters", n));
	return true;
}
