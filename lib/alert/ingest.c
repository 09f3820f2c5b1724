/*
 * ingest: the batch of packets, and its transaction.
 */
#include "alert/ingest.h"

#include <stdlib.h>

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
	size_t n, npoints;
	struct batch batch; /* what is written of them */
	struct ingest_tally tally;
};

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
	in->file = packet_file_new();
	if (options->schemas != NULL)
		avro_file_numbered(in->file, confluent_find, options->schemas);
	in->arena = arena_new();
	in->batch = (struct batch){ .options = &in->options, .scratch = arena_new() };
	in->packets = calloc(in->options.packets, sizeof(*in->packets));
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
	in->n = in->npoints = 0;
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
}

static enum db_result
write_batch(struct db *db, void *arg)
{
	return batch_write(db, arg);
}

enum db_result
ingest_flush(struct ingest *in)
{
	enum db_result r;

	if (in->n == 0) {
		forget_batch(in); /* what is there was rejected */
		return DB_END;
	}
	in->batch.packets = in->packets;
	in->batch.n = in->n;
	in->batch.npoints = in->npoints;
	r = db_transaction(in->db, DB_WRITE, write_batch, &in->batch);
	if (r != DB_END)
		return r;
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

/* Is the batch to be written? Rejected packets take memory till then, too. */
static bool
is_full(const struct ingest *in)
{
	return in->n == in->options.packets || in->npoints >= in->options.points ||
	    arena_used(in->arena) > INGEST_BYTES;
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
		if (got == AVRO_RECORD) {
			in->packets[in->n++] = p;
			in->npoints += p.npoints;
			in->tally.read++;
		} else {
			reject(in, name, got == AVRO_BAD ? p.lost : 1, err);
			in->tally.read += p.lost;
			whole = whole && got == AVRO_BAD;
		}
		if (is_full(in) && (r = ingest_flush(in)) != DB_END)
			return r;
	}
	in->tally.files += whole;
	return DB_END;
}
