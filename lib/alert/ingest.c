/*
 * ingest: the batch of packets, and its transaction.
 */
#include "alert/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/batch.h"

#define PROGRESS_EVERY 64 /* packets */

struct ingest {
	struct db *db;
	struct ingest_options options;
	ingest_reject *reject;
	void *arg;
	void (*progress)(void *arg);
	void *progress_arg;
	struct avro_file *file;
	struct arena *arena; /* of the pending packets */
	struct alert_packet *packets;
	size_t n, room, npoints;
	struct position **positions; /* of a stream, that have moved */
	size_t npositions, positions_room;
	struct letter *letters; /* in the arena, as is their room */
	size_t nletters, letters_room;
	struct position *container; /* the position of the file that is read by ingest_next() */
	int64_t at; /* its next record */
	bool record; /* its last one is what was read last */
	struct position *last; /* whence the last thing came that was taken, and its place there */
	int64_t last_place;
	size_t taken; /* things of the batch */
	bool fenced;
	bool away; /* the schema of what is open cannot be had now */
	struct batch batch; /* what is written of them */
	struct ingest_tally tally;
};

static const struct avro_schema *
find_schema(void *arg, uint32_t id, char *err, size_t errsize)
{
	struct ingest *in = arg;
	const struct avro_schema *found = confluent_find(in->options.schemas, id, err, errsize);

	in->away = found == NULL && confluent_is_away(in->options.schemas);
	return found;
}

struct ingest *
ingest_new(struct db *db, const struct ingest_options *options, ingest_reject *reject, void *arg)
{
	struct ingest *in = calloc(1, sizeof(*in));

	if (in == NULL)
		arena_exhausted();
	in->db = db;
	in->options = *options;
	if (in->options.packets == 0)
		in->options.packets = INGEST_PACKETS;
	if (in->options.points == 0)
		in->options.points = INGEST_POINTS;
	in->reject = reject;
	in->arg = arg;
	in->file = avro_file_new(mapping_shapes(options->map));
	if (options->schemas != NULL)
		avro_file_numbered(in->file, find_schema, in);
	in->arena = arena_new();
	in->batch = (struct batch){ .options = &in->options, .scratch = arena_new() };
	in->room = in->options.packets;
	in->packets = calloc(in->room, sizeof(*in->packets));
	if (in->packets == NULL)
		arena_exhausted();
	return in;
}

void
ingest_free(struct ingest *in)
{
	if (in == NULL)
		return;
	avro_file_free(in->file);
	arena_free(in->arena);
	arena_free(in->batch.scratch);
	free(in->packets);
	free(in->positions);
	free(in);
}

void
ingest_on_progress(struct ingest *in, void (*fn)(void *), void *arg)
{
	in->progress = fn;
	in->progress_arg = arg;
}

size_t
ingest_pending(const struct ingest *in)
{
	return in->n;
}

const struct ingest_tally *
ingest_tally(const struct ingest *in)
{
	return &in->tally;
}

uint64_t
ingest_offset(const struct ingest *in)
{
	return avro_file_offset(in->file);
}

static void
forget_batch(struct ingest *in)
{
	in->n = in->npoints = in->npositions = in->nletters = in->letters_room = in->taken = 0;
	in->letters = NULL;
	in->last = NULL;
	arena_reset(in->arena);
	arena_reset(in->batch.scratch);
}

/* Adds up the fields of a tally, which are all numbers of things. */
static void
add_up(struct ingest_tally *sum, const struct ingest_tally *more)
{
	sum->stored += more->stored;
	sum->new_objects += more->new_objects;
	sum->new_alerts += more->new_alerts;
	sum->new_targets += more->new_targets;
	sum->joined += more->joined;
	sum->new_points += more->new_points;
	sum->known_points += more->known_points;
	sum->empty += more->empty;
	sum->dead += more->dead;
}

static enum db_result
write_batch(struct db *db, void *arg)
{
	struct ingest *in = arg;

	return batch_write(db, &in->batch, &in->fenced);
}

enum db_result
ingest_flush(struct ingest *in)
{
	enum db_result r;

	in->fenced = false;
	if (ingest_is_empty(in)) {
		forget_batch(in); /* what is there was rejected */
		return DB_END;
	}
	in->batch.packets = in->packets;
	in->batch.n = in->n;
	in->batch.npoints = in->npoints;
	in->batch.positions = in->positions;
	in->batch.npositions = in->npositions;
	in->batch.letters = in->letters;
	in->batch.nletters = in->nletters;
	in->batch.tries = 0;
	r = db_transaction(in->db, DB_WRITE, write_batch, in);
	/* a target, or a group, may be gone since it was found: it is matched once more */
	if ((r == DB_REFUSED || r == DB_TAKEN) && !in->fenced)
		r = db_transaction(in->db, DB_WRITE, write_batch, in);
	if (r != DB_END)
		return r;
	for (size_t i = 0; i < in->npositions; i++)
		position_settle(in->positions[i], true);
	add_up(&in->tally, &in->batch.tally);
	forget_batch(in);
	return DB_END;
}

static void
reject(struct ingest *in, const char *file, size_t lost, const char *why)
{
	in->tally.rejected += lost;
	if (in->reject != NULL)
		in->reject(in->arg, file, why);
}

void
ingest_file_failed(struct ingest *in, const char *name, const char *why)
{
	reject(in, name, 1, why);
}

/* Rejected packets take memory till then, too. */
bool
ingest_is_full(const struct ingest *in)
{
	return in->n >= in->options.packets || in->npoints >= in->options.points ||
	    in->npositions == in->options.packets || in->nletters >= in->options.packets ||
	    arena_used(in->arena) > INGEST_BYTES;
}

/* The packet is of the batch now. */
static void
keep(struct ingest *in, const struct alert_packet *p)
{
	if (in->n == in->room) {
		in->room = in->room * 2 + 16;
		in->packets = realloc(in->packets, in->room * sizeof(*in->packets));
		if (in->packets == NULL)
			arena_exhausted();
	}
	in->packets[in->n++] = *p;
	in->npoints += p->npoints;
	in->tally.read++;
}

enum db_result
ingest_file(struct ingest *in, int fd, const char *name, const volatile int *stop)
{
	struct alert_packet p;
	enum avro_result got;
	enum db_result r;
	bool whole = true;
	char err[500];
	unsigned turns = 0;

	avro_file_interrupt(in->file, stop);
	if (avro_file_open(in->file, fd, err, sizeof(err)) != 0) {
		if (stop != NULL && *stop)
			return DB_END;
		reject(in, name, 1, err);
		return DB_END;
	}
	for (;;) {
		if (stop != NULL && *stop)
			return DB_END;
		if (in->progress != NULL && ++turns % PROGRESS_EVERY == 0)
			in->progress(in->progress_arg);
		got = packet_next(in->file, in->arena, &p, err, sizeof(err));
		if (got == AVRO_END)
			break;
		if (got == AVRO_BROKEN && stop != NULL && *stop)
			return DB_END;
		if (got == AVRO_RECORD)
			keep(in, &p);
		else {
			reject(in, name, got == AVRO_BAD ? p.lost : 1, err);
			in->tally.read += p.lost;
			whole = whole && got == AVRO_BAD;
		}
		if (ingest_is_full(in) && (r = ingest_flush(in)) != DB_END)
			return r;
	}
	in->tally.files += whole;
	return DB_END;
}

bool
ingest_is_empty(const struct ingest *in)
{
	return in->n == 0 && in->npositions == 0;
}

size_t
ingest_taken(const struct ingest *in)
{
	return in->taken;
}

bool
ingest_was_fenced(const struct ingest *in)
{
	return in->fenced;
}

void
ingest_forget(struct ingest *in)
{
	for (size_t i = 0; i < in->npositions; i++)
		position_settle(in->positions[i], false);
	forget_batch(in);
}

/* The position stands at `next` now, behind what came from that place. */
static void
move(struct ingest *in, struct position *p, int64_t place, int64_t next)
{
	in->last = p;
	in->last_place = place;
	in->taken++;
	p->next = next;
	if (p->moved)
		return;
	p->moved = true;
	if (in->npositions == in->positions_room) {
		in->positions_room = in->positions_room == 0 ? 64 : 2 * in->positions_room;
		in->positions = realloc(
		    in->positions, in->positions_room * sizeof(struct position *));
		if (in->positions == NULL)
			arena_exhausted();
	}
	in->positions[in->npositions++] = p;
}

/* Puts a message aside; bytes are copied. */
static void
bury(struct ingest *in, const struct position *p, int64_t place, struct str bytes, const char *why)
{
	char *reason = arena_strdup(in->arena, why);

	str_make_utf8(reason, strlen(reason)); /* packets are quoted there */
	in->letters = arena_more(
	    in->arena, in->letters, in->nletters, &in->letters_room, sizeof(*in->letters));
	in->letters[in->nletters++] = (struct letter){ .position = p,
		.place = place,
		.size = bytes.n,
		.bytes = bytes.n > LETTER_MAX || bytes.p == NULL ? STR_NONE
		                                                 : arena_str(in->arena, bytes),
		.reason = str_of(reason) };
	reject(in, p->topic.p, 1, reason);
}

/* The same of what was read last of the container. */
static void
bury_record(struct ingest *in, const struct position *p, int64_t place, const char *why)
{
	struct avro_piece piece = avro_file_piece(in->file);
	struct buf b = { 0 };

	if (piece.count > 0 && piece.schema.n + piece.records.n < LETTER_MAX)
		avro_piece_write(&piece, &b);
	bury(in, p, place, b.n > 0 ? buf_text(&b) : STR_NONE, why);
	buf_free(&b);
}

void
ingest_condemn(struct ingest *in, struct str bytes, const char *why)
{
	in->n = in->npoints = 0;
	if (in->last == NULL)
		return;
	if (bytes.p == NULL && in->record)
		bury_record(in, in->last, in->last_place, why);
	else
		bury(in, in->last, in->last_place, bytes, why);
}

/* Takes the packets of a message; why not all could be read, if so, in why. */
static enum ingest_taken
take(struct ingest *in, struct str bytes, char *why, size_t size)
{
	struct alert_packet p;
	enum avro_result got;
	char err[500];

	why[0] = '\0';
	in->record = false;
	in->away = false; /* what was wrong with another message says nothing of this one */
	if (avro_file_open_memory(in->file, bytes, err, sizeof(err)) != 0) {
		snprintf(why, size, "%s", err);
		return in->away ? INGEST_AWAY : INGEST_TAKEN;
	}
	while ((got = packet_next(in->file, in->arena, &p, err, sizeof(err))) == AVRO_RECORD ||
	    got == AVRO_BAD) {
		if (got == AVRO_RECORD)
			keep(in, &p);
		else if (why[0] == '\0')
			snprintf(why, size, "%s", err);
	}
	if (got == AVRO_BROKEN && why[0] == '\0')
		snprintf(why, size, "%s", err);
	return INGEST_TAKEN;
}

enum ingest_taken
ingest_message(struct ingest *in, struct position *at, int64_t place, struct str bytes, char *err,
    size_t errsize)
{
	if (take(in, bytes, err, errsize) == INGEST_AWAY)
		return INGEST_AWAY;
	if (err[0] != '\0')
		bury(in, at, place, bytes, err);
	move(in, at, place, place + 1);
	return INGEST_TAKEN;
}

enum ingest_taken
ingest_again(
    struct ingest *in, const struct position *at, struct str bytes, char *err, size_t errsize)
{
	if (take(in, bytes, err, errsize) == INGEST_AWAY)
		return INGEST_AWAY;
	if (err[0] != '\0')
		reject(in, at->topic.p, 1, err);
	return INGEST_TAKEN;
}

/* The container has ended, for good or not. */
static enum ingest_step
end_container(struct ingest *in, const char *why)
{
	char reason[600];

	in->record = false;
	if (why != NULL) {
		snprintf(reason, sizeof(reason), "%s (the file itself is to be given again)", why);
		bury(in, in->container, in->at, STR_NONE, reason);
	}
	in->container->done = true;
	move(in, in->container, in->at, in->at + 1);
	return INGEST_ENDED;
}

/* It cannot be read further. */
static enum ingest_step
break_off(struct ingest *in, const char *why, char *err, size_t errsize)
{
	if (!avro_file_unreadable(in->file))
		return end_container(in, why);
	in->record = false;
	snprintf(err, errsize, "%.200s: %s", in->container->topic.p, why);
	return INGEST_UNREADABLE;
}

enum ingest_step
ingest_begin(struct ingest *in, struct position *at, int fd, char *err, size_t errsize)
{
	char why[500];

	in->container = at;
	in->at = 0;
	in->record = false;
	return avro_file_open(in->file, fd, why, sizeof(why)) == 0
	    ? INGEST_MORE
	    : break_off(in, why, err, errsize);
}

enum ingest_step
ingest_next(struct ingest *in, char *err, size_t errsize)
{
	struct alert_packet p;
	char why[500];
	enum avro_result got = packet_next(in->file, in->arena, &p, why, sizeof(why));
	bool is_known = in->at < in->container->next;
	int64_t place;

	if (got == AVRO_END)
		return end_container(in, NULL);
	if (got == AVRO_BROKEN)
		return break_off(in, why, err, errsize);
	in->record = got == AVRO_RECORD && !is_known;
	if (in->record)
		keep(in, &p);
	if (got == AVRO_BAD && !is_known)
		bury_record(in, in->container, in->at, why);
	place = in->at;
	in->at += got == AVRO_BAD ? (int64_t)p.lost : 1;
	if (!is_known)
		move(in, in->container, place, in->at);
	return INGEST_MORE;
}

void
ingest_end(struct ingest *in, struct position *at, const char *why)
{
	in->container = at;
	in->at = at->next;
	(void)end_container(in, why);
}
