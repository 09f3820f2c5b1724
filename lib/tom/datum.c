/*
 * datum: storing measurements in bulk, reading those of a target.
 *
 * A batch is put into a hash table under what makes a measurement itself; what the database holds
 * of its targets in its span of time is looked up there and struck out; the rest is written in the
 * order of the key. Counts and newest times would be less to fetch, but do not tell two detections
 * of one exposure from one (spec/scale.md measures both ways).
 */
#include "tom/datum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define APART 60.0 /* days: spans that differ by more are asked for apart */
#define TARGETS_AT_ONCE 2000

struct batch {
	struct datum *rows;
	size_t n, mask;
	uint32_t *table; /* index of a row plus 1; 0: free */
	bool *present;
	size_t npresent;
	bool *corrects; /* the row has a correction, be it present or not */
	struct correction *corrections; /* in the arena, as is their room */
	size_t ncorrections, corrections_room;
};

/* A stored measurement, by its key, that a row of the batch takes the place of. */
struct correction {
	struct datum was;
	size_t row;
};

/* Has the survey given it a number? Then that says which it is, and the time need not be equal. */
static bool
is_numbered(int kind, int64_t survey_id)
{
	return kind != DATUM_LIMIT && survey_id != 0;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

static uint64_t
hash(const struct datum *d)
{
	uint64_t h = mix((uint64_t)d->kind, (uint64_t)d->target_id), bits;
	double mjd = d->mjd + 0.0; /* -0 is 0 */

	if (is_numbered(d->kind, d->survey_id))
		return mix(h, (uint64_t)d->survey_id);
	memcpy(&bits, &mjd, sizeof(bits));
	h = mix(mix(h, bits), d->band.n);
	for (size_t i = 0; i < d->band.n; i++)
		h = mix(h, (unsigned char)d->band.p[i]);
	return h;
}

static bool
is_same(const struct datum *a, const struct datum *b)
{
	if (a->target_id != b->target_id || a->kind != b->kind)
		return false;
	if (is_numbered(a->kind, a->survey_id) || is_numbered(b->kind, b->survey_id))
		return a->survey_id == b->survey_id;
	return a->mjd == b->mjd && str_eq(a->band, b->band);
}

/* The place of that measurement in the table: its row's, or a free one. */
static size_t
place_of(const struct batch *b, const struct datum *d)
{
	size_t at = (size_t)hash(d) & b->mask;

	while (b->table[at] != 0 && !is_same(&b->rows[b->table[at] - 1], d))
		at = (at + 1) & b->mask;
	return at;
}

static void
mark(struct batch *b, size_t row)
{
	b->npresent += !b->present[row];
	b->present[row] = true;
}

static int
by_target_and_time(const void *left, const void *right)
{
	const struct datum *a = left, *b = right;

	if (a->target_id != b->target_id)
		return a->target_id < b->target_id ? -1 : 1;
	if (a->mjd != b->mjd)
		return a->mjd < b->mjd ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind - b->kind;
	return a->survey_id < b->survey_id ? -1 : a->survey_id > b->survey_id;
}

static void
sort_rows(struct datum *rows, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_target_and_time(&rows[i - 1], &rows[i]) > 0) {
			qsort(rows, n, sizeof(*rows), by_target_and_time);
			return;
		}
}

static void
fill_table(struct batch *b, struct arena *arena)
{
	size_t size = 16;

	while (size < 2 * b->n)
		size *= 2;
	b->mask = size - 1;
	b->table = arena_array(arena, size, sizeof(*b->table));
	b->present = arena_array(arena, b->n, sizeof(*b->present));
	b->corrects = arena_array(arena, b->n, sizeof(*b->corrects));
	for (size_t i = 0; i < b->n; i++) {
		size_t at = place_of(b, &b->rows[i]);

		if (b->table[at] == 0)
			b->table[at] = (uint32_t)i + 1;
		else if (b->rows[i].told > b->rows[b->table[at] - 1].told) {
			mark(b, b->table[at] - 1); /* the later word counts */
			b->table[at] = (uint32_t)i + 1;
		} else
			mark(b, i); /* the batch itself holds it already */
	}
}

static bool
differs(double a, double b)
{
	return a != b && !(isnan(a) && isnan(b));
}

/* Is the stored row, which q stands at, what this one says? */
static bool
is_corrected(const struct datum *stored, const struct datum *d, struct query *q)
{
	double value = isnan(d->flux) ? d->magnitude : d->flux;
	double error = isnan(d->flux_error) ? d->magnitude_error : d->flux_error;

	if (d->told <= 0 || !is_numbered(d->kind, d->survey_id))
		return false;
	return differs(db_col_real(q, "value"), value) || differs(db_col_real(q, "error"), error) ||
	    stored->mjd != d->mjd || !str_eq(stored->band, d->band);
}

/* The stored row will go, and this one be written, where it does not stand there as well. */
static void
correct(struct batch *b, struct arena *arena, const struct datum *stored, size_t row)
{
	b->corrections = arena_more(
	    arena, b->corrections, b->ncorrections, &b->corrections_room, sizeof(*b->corrections));
	b->corrections[b->ncorrections] = (struct correction){ *stored, row };
	b->corrections[b->ncorrections++].was.band = arena_str(arena, stored->band);
	b->corrects[row] = true;
}

/* Targets whose rows lie in about the same span of time: one statement asks for all. */
struct span {
	double first, last; /* whole days around the rows; last is not in it */
	double first_of_one, last_of_one; /* of the target that began it */
	size_t ntargets;
	int64_t targets[TARGETS_AT_ONCE];
};

static enum db_result
strike_out_stored(struct db *db, struct arena *arena, struct batch *b, const struct span *s)
{
	struct query *q = db_query(db, QUERY_DATUM_STORED);

	db_ints(q, "targets", s->targets, s->ntargets);
	db_real(q, "first", s->first);
	db_real(q, "last", s->last);
	db_text(q, "source", b->rows[0].source);
	while (db_step(q) == DB_ROW) {
		struct datum d = { .target_id = db_col_int(q, "target_id") };
		size_t at;

		d.kind = (int)db_col_int(q, "kind");
		d.band = db_col_text(q, "band");
		d.mjd = db_col_real(q, "mjd");
		d.survey_id = db_col_int(q, "survey_id");
		at = place_of(b, &d);
		if (b->table[at] == 0)
			continue;
		if (is_corrected(&d, &b->rows[b->table[at] - 1], q))
			correct(b, arena, &d, b->table[at] - 1);
		else
			mark(b, b->table[at] - 1);
	}
	return db_done(q);
}

/* Asks for the stored rows of every target of the batch, which is sorted by target and time. */
static enum db_result
strike_out(struct db *db, struct arena *arena, struct batch *b)
{
	struct span *s = arena_alloc(arena, sizeof(*s));
	enum db_result r = DB_END;

	s->first_of_one = s->last_of_one = -INFINITY; /* far from any */
	for (size_t i = 0, next; i < b->n && r == DB_END; i = next) {
		double first = floor(b->rows[i].mjd), last;

		for (next = i; next < b->n && b->rows[next].target_id == b->rows[i].target_id;)
			next++;
		last = floor(b->rows[next - 1].mjd) + 1;
		if (s->ntargets == TARGETS_AT_ONCE || fabs(first - s->first_of_one) > APART ||
		    fabs(last - s->last_of_one) > APART) {
			if (s->ntargets > 0)
				r = strike_out_stored(db, arena, b, s);
			s->ntargets = 0;
			s->first = s->first_of_one = first;
			s->last = s->last_of_one = last;
		}
		s->first = fmin(s->first, first);
		s->last = fmax(s->last, last);
		s->targets[s->ntargets++] = b->rows[i].target_id;
	}
	if (r == DB_END && s->ntargets > 0)
		r = strike_out_stored(db, arena, b, s);
	return r;
}

static struct query *
about(struct db *db, enum query_name name, const struct datum *stored, struct str source)
{
	struct query *q = db_query(db, name);

	db_int(q, "target", stored->target_id);
	db_real(q, "mjd", stored->mjd);
	db_text(q, "source", source);
	db_int(q, "kind", stored->kind);
	db_text(q, "band", stored->band);
	db_int(q, "survey_id", stored->survey_id);
	return q;
}

/* What is corrected goes, and leaves a trace. */
static enum db_result
take_away(struct db *db, const struct batch *b)
{
	enum db_result r = DB_END;

	for (size_t i = 0; i < b->ncorrections && r == DB_END; i++) {
		const struct correction *c = &b->corrections[i];
		struct query *q = about(
		    db, QUERY_DATUM_KEEP_CORRECTED, &c->was, b->rows[c->row].source);

		db_int(q, "alert", b->rows[c->row].alert_id);
		db_int(q, "now", clock_now());
		r = db_run(q);
		if (r == DB_END)
			r = db_run(
			    about(db, QUERY_DATUM_TAKE_AWAY, &c->was, b->rows[c->row].source));
	}
	if (b->ncorrections > 0 && r == DB_END)
		log_info("measurements were corrected", LOG_STR("source", b->rows[0].source),
		    LOG_INT("rows", (int64_t)b->ncorrections));
	return r;
}

static enum db_result
write_absent(struct db *db, const struct batch *b, int64_t *added)
{
	static const char *const columns[] = { "target_id", "mjd", "source", "kind", "band",
		"survey_id", "flux", "flux_error", "magnitude", "magnitude_error", "limit_mag",
		"sign", "created" };
	struct bulk *bulk = db_bulk(db, "datum", NELEM(columns), columns);
	int64_t now = clock_now();

	db_bulk_expect_new(bulk);
	for (size_t i = 0; i < b->n; i++) {
		const struct datum *d = &b->rows[i];

		if (b->present[i])
			continue;
		db_bulk_int(bulk, d->target_id);
		db_bulk_real(bulk, d->mjd);
		db_bulk_text(bulk, d->source);
		db_bulk_int(bulk, d->kind);
		db_bulk_text(bulk, d->band);
		db_bulk_int(bulk, d->survey_id);
		db_bulk_real(bulk, d->flux);
		db_bulk_real(bulk, d->flux_error);
		db_bulk_real(bulk, d->magnitude);
		db_bulk_real(bulk, d->magnitude_error);
		db_bulk_real(bulk, d->limit_mag);
		db_bulk_int(bulk, d->sign);
		db_bulk_int(bulk, now);
	}
	return db_bulk_end(bulk, added);
}

enum db_result
datum_touch(struct db *db, const int64_t *targets, size_t n)
{
	struct query *q = db_query(db, QUERY_DATUM_TOUCH);

	db_ints(q, "targets", targets, n);
	db_int(q, "now", clock_now());
	return db_run(q);
}

enum db_result
datum_forget(struct db *db, int64_t target)
{
	struct query *q = db_query(db, QUERY_DATUM_REVISION_DELETE);

	db_int(q, "target", target);
	return db_run(q);
}

/* Those of the batch, which is sorted by target, that have rows which were absent, or lost some. */
static enum db_result
touch_changed(struct db *db, struct arena *arena, const struct batch *b)
{
	int64_t *targets = arena_array(arena, b->n, sizeof(*targets));
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if ((!b->present[i] || b->corrects[i]) &&
		    (n == 0 || targets[n - 1] != b->rows[i].target_id))
			targets[n++] = b->rows[i].target_id;
	return datum_touch(db, targets, n);
}

enum db_result
datum_store_batch(struct db *db, struct arena *arena, struct datum *rows, size_t n, size_t *added,
    size_t *present)
{
	struct batch b = { .rows = rows, .n = n };
	int64_t written = 0;
	enum db_result r;

	*added = *present = 0;
	if (n == 0)
		return DB_END;
	sort_rows(rows, n);
	fill_table(&b, arena);
	if ((r = strike_out(db, arena, &b)) != DB_END || (r = take_away(db, &b)) != DB_END)
		return r;
	if (b.npresent < n && (r = write_absent(db, &b, &written)) != DB_END)
		return r;
	if ((b.npresent < n || b.ncorrections > 0) && (r = touch_changed(db, arena, &b)) != DB_END)
		return r;
	*added = (size_t)written > b.ncorrections ? (size_t)written - b.ncorrections : 0;
	*present = n - *added;
	return DB_END;
}

const struct user *
datum_reader(const struct config *c, const struct user *u)
{
	return u->is_superuser || config_bool(c, "TARGET_PERMISSIONS_ONLY") ? NULL : u;
}

/* The statement that reads for somebody. */
static struct query *
read_query(struct db *db, const struct user *reader, enum query_name all, enum query_name shared)
{
	struct query *q = db_query(db, reader == NULL ? all : shared);

	if (reader != NULL)
		db_ints(q, "principals", reader->principals, reader->nprincipals);
	return q;
}

struct query *
datum_read_start(
    struct db *db, const struct user *reader, int64_t target, struct datum_span span, size_t limit)
{
	struct query *q = read_query(db, reader, QUERY_DATUM_READ, QUERY_DATUM_READ_SHARED);

	db_int(q, "target", target);
	db_real(q, "first", span.first);
	db_real(q, "last", span.last);
	db_int(q, "most", (int64_t)limit + 1);
	db_start(q);
	return q;
}

/*
 * A row of datum_read, its columns in their order: that is one look each. What is not wanted is not
 * looked at: of thousands of rows that tells.
 */
static void
datum_of_curve(struct query *q, struct datum *d, bool fluxes)
{
	d->mjd = db_col_real(q, "mjd");
	d->source = db_col_text(q, "source");
	d->kind = (int)db_col_int(q, "kind");
	d->band = db_col_text(q, "band");
	d->sign = (int)db_col_int(q, "sign");
	d->magnitude = db_col_real(q, "magnitude");
	d->magnitude_error = db_col_real(q, "magnitude_error");
	d->limit_mag = d->flux = d->flux_error = NAN;
	if (!fluxes && !isnan(d->magnitude))
		return;
	d->limit_mag = db_col_real(q, "limit_mag");
	d->flux = db_col_real(q, "flux");
	d->flux_error = db_col_real(q, "flux_error");
}

enum db_result
datum_read_end(struct query *q, size_t limit, bool fluxes, datum_fn *each, void *arg,
    struct datum_found *found)
{
	struct datum d = { 0 };
	bool goes_on = true;
	enum db_result r;

	*found = (struct datum_found){ 0 };
	for (size_t n = 0; goes_on && db_step(q) == DB_ROW; n++) {
		if (n == limit) {
			found->more = true;
			break;
		}
		datum_of_curve(q, &d, fluxes);
		if (n == 0)
			found->revision = db_col_int(q, "revision");
		goes_on = each(arg, &d) == 0;
	}
	r = db_done(q);
	return r == DB_END && !goes_on ? DB_REFUSED : r;
}

struct query *
datum_first_start(struct db *db, const struct user *reader, int64_t target)
{
	struct query *q = read_query(db, reader, QUERY_DATUM_FIRST, QUERY_DATUM_FIRST_SHARED);

	db_int(q, "target", target);
	db_start(q);
	return q;
}

enum db_result
datum_first_end(struct query *q, double *mjd)
{
	*mjd = NAN;
	if (db_step(q) == DB_ROW)
		*mjd = db_col_real(q, "mjd");
	return db_done(q);
}

/* The text, or the one of the row before where it is the same: bands and sources repeat. */
static struct str
copy_of(struct str s, struct str before, struct arena *arena)
{
	return str_eq(s, before) ? before : arena_str(arena, s);
}

/* Where a walk along a target's measurements is. */
struct walk {
	struct db *db;
	const struct user *reader;
	struct datum last; /* the row before */
	double end; /* MJD */
	datum_fn *each;
	void *arg;
	bool refused;
};

/* Reads some rows behind the last; how many there were: 0 at the end. */
static enum db_result
read_some(struct walk *w, struct arena *arena, size_t *n)
{
	struct query *q = read_query(w->db, w->reader, QUERY_DATUM_AFTER, QUERY_DATUM_AFTER_SHARED);
	struct datum *last = &w->last;

	db_int(q, "target", last->target_id);
	db_real(q, "mjd", last->mjd);
	db_text(q, "source", last->source);
	db_int(q, "kind", last->kind);
	db_text(q, "band", last->band);
	db_int(q, "survey_id", last->survey_id);
	for (*n = 0; !w->refused && db_step(q) == DB_ROW; ++*n) {
		struct datum d = { .target_id = db_col_int(q, "target_id") };

		d.mjd = db_col_real(q, "mjd");
		if (d.mjd > w->end) {
			*n = 0;
			break;
		}
		d.source = db_col_text(q, "source");
		d.kind = (int)db_col_int(q, "kind");
		d.band = db_col_text(q, "band");
		d.survey_id = db_col_int(q, "survey_id");
		d.flux = db_col_real(q, "flux");
		d.flux_error = db_col_real(q, "flux_error");
		d.magnitude = db_col_real(q, "magnitude");
		d.magnitude_error = db_col_real(q, "magnitude_error");
		d.limit_mag = db_col_real(q, "limit_mag");
		d.sign = (int)db_col_int(q, "sign");
		w->refused = w->each(w->arg, &d) != 0;
		d.source = copy_of(d.source, last->source, arena);
		d.band = copy_of(d.band, last->band, arena);
		*last = d;
	}
	return db_done(q);
}

enum db_result
datum_each(struct db *db, const struct user *reader, int64_t target, struct datum_span span,
    datum_fn *each, void *arg)
{
	struct arena *arenas[2] = { arena_new(),
		arena_new() }; /* of this batch, of the one before */
	/* a row of that time has a source, so it stands behind this one */
	struct walk w = { db, reader,
		{ .target_id = target, .mjd = span.first, .source = STR(""), .band = STR("") },
		span.last, each, arg, false };
	enum db_result r;
	size_t n;

	for (unsigned turn = 0;; turn ^= 1) {
		r = read_some(&w, arenas[turn], &n);
		if (r != DB_END || n == 0 || w.refused)
			break;
		w.last.source = arena_str(arenas[turn], w.last.source);
		w.last.band = arena_str(arenas[turn], w.last.band);
		arena_reset(arenas[turn ^ 1]);
	}
	arena_free(arenas[0]);
	arena_free(arenas[1]);
	return r == DB_END && w.refused ? DB_REFUSED : r;
}
