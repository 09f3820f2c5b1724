/*
 * ingest: the batch of packets, and its transaction.
 */
#include "alert/ingest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tom/rights.h"

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
	struct arena *scratch; /* of one try to write them */
	struct alert_packet *packets;
	size_t n, npoints;
	struct ingest_tally tally;
	struct ingest_tally batch; /* what the last try would add to it */
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
	in->scratch = arena_new();
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
	arena_free(in->scratch);
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

/* A packet of the batch among those sorted by name. */
struct by_name {
	struct str name;
	size_t packet;
};

/*
 * By name, so that two ingests take the same new names in the same order and do not wait for each
 * other in a circle; of one name the first that came comes first.
 */
static int
compare_names(const void *left, const void *right)
{
	const struct by_name *a = left, *b = right;
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int order = memcmp(a->name.p, b->name.p, n);

	if (order == 0 && a->name.n != b->name.n)
		return a->name.n < b->name.n ? -1 : 1;
	return order != 0 ? order : a->packet < b->packet ? -1 : 1;
}

/* Finds or makes the targets; ids[i] is that of packet i. */
static enum db_result
find_targets(struct ingest *in, int64_t *ids)
{
	struct by_name *names = arena_array(in->scratch, in->n, sizeof(*names));
	struct target_wanted *wanted = arena_array(in->scratch, in->n, sizeof(*wanted));
	size_t n = 0;
	enum db_result r;

	for (size_t i = 0; i < in->n; i++)
		names[i] = (struct by_name){ in->packets[i].object, i };
	qsort(names, in->n, sizeof(*names), compare_names);
	for (size_t i = 0; i < in->n; i++) {
		const struct alert_packet *p = &in->packets[names[i].packet];

		if (i == 0 || !str_eq(names[i].name, names[i - 1].name))
			wanted[n++] = (struct target_wanted){ .name = p->object,
				.ra = p->moving ? NAN : p->ra,
				.dec = p->moving ? NAN : p->dec };
	}
	r = target_find_or_add_many(in->db, in->scratch, wanted, n, in->options.permissions,
	    in->options.groups, in->options.ngroups);
	if (r != DB_END)
		return r;
	for (size_t i = 0, at = 0; i < in->n; i++) {
		if (i > 0 && !str_eq(names[i].name, names[i - 1].name))
			at++;
		ids[names[i].packet] = wanted[at].id;
	}
	for (size_t i = 0; i < n; i++)
		in->batch.new_targets += wanted[i].is_new;
	return DB_END;
}

/*
 * The measurements of the survey's packets, and rights on them; ids[i] is the target of packet i of
 * the batch.
 */
static enum db_result
store_points(struct ingest *in, const struct survey *survey, const int64_t *ids)
{
	struct datum *rows = arena_array(in->scratch, in->npoints, sizeof(*rows));
	int64_t *targets = arena_array(in->scratch, in->n, sizeof(*targets));
	size_t n = 0, ntargets = 0, added = 0, present = 0;
	enum db_result r = DB_END;

	for (size_t i = 0; i < in->n; i++) {
		const struct alert_packet *p = &in->packets[i];

		if (p->survey != survey)
			continue;
		targets[ntargets++] = ids[i];
		memcpy(rows + n, p->points, p->npoints * sizeof(*rows));
		for (size_t k = 0; k < p->npoints; k++)
			rows[n++].target_id = ids[i];
		in->batch.empty += p->empty;
	}
	if (in->options.shares_data && n > 0)
		r = rights_share_data(in->db, in->scratch, survey->name, targets, ntargets,
		    in->options.permissions, in->options.groups, in->options.ngroups);
	if (r == DB_END)
		r = datum_store_batch(in->db, in->scratch, rows, n, &added, &present);
	in->batch.new_points += added;
	in->batch.known_points += present;
	return r;
}

/* One try to write the batch: all that it keeps is in the scratch arena and in->batch. */
static enum db_result
write_batch(struct db *db, void *arg)
{
	struct ingest *in = arg;
	enum db_result r;
	int64_t *ids;

	(void)db;
	arena_reset(in->scratch);
	in->batch = (struct ingest_tally){ .stored = in->n };
	ids = arena_array(in->scratch, in->n, sizeof(*ids));
	r = find_targets(in, ids);
	for (size_t i = 0; packet_surveys[i] != NULL && r == DB_END; i++)
		r = store_points(in, packet_surveys[i], ids);
	return r;
}

static void
forget_batch(struct ingest *in)
{
	in->n = in->npoints = 0;
	arena_reset(in->arena);
	arena_reset(in->scratch);
}

enum db_result
ingest_flush(struct ingest *in)
{
	enum db_result r;

	if (in->n == 0) {
		forget_batch(in); /* what is there was rejected */
		return DB_END;
	}
	r = db_transaction(in->db, DB_WRITE, write_batch, in);
	if (r != DB_END)
		return r;
	in->tally.stored += in->batch.stored;
	in->tally.new_targets += in->batch.new_targets;
	in->tally.new_points += in->batch.new_points;
	in->tally.known_points += in->batch.known_points;
	in->tally.empty += in->batch.empty;
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
