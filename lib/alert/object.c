/*
 * object: the objects of surveys and the alerts behind them, in sets.
 */
#include "alert/object.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tom/target_store.h"

int
object_compare(struct str a, struct str b)
{
	return target_compare(a, b);
}

static int
compare_name(const void *name, const void *object)
{
	return object_compare(*(const struct str *)name, ((const struct object *)object)->name);
}

/* The index of a name in the set; n where it is not there. */
static size_t
find(const struct object *set, size_t n, struct str name)
{
	const struct object *o = bsearch(&name, set, n, sizeof(*set), compare_name);

	return o == NULL ? n : (size_t)(o - set);
}

static struct query *
named(struct db *db, struct arena *a, struct str survey, const struct audience *who,
    const struct str *names, size_t n)
{
	struct query *q = db_query(db, QUERY_OBJECTS_NAMED);

	db_text(q, "survey", survey);
	db_text(q, "audience", who->members);
	db_text(q, "names", target_json_texts(a, names, n));
	return q;
}

enum db_result
objects_find(struct db *db, struct arena *a, struct str survey, const struct audience *who,
    struct object *set, size_t n)
{
	struct str *names = arena_array(a, n, sizeof(*names));
	struct query *q;

	for (size_t i = 0; i < n; i++)
		names[i] = set[i].name;
	q = named(db, a, survey, who, names, n);
	while (db_step(q) == DB_ROW) {
		size_t i = find(set, n, db_col_text(q, "name"));

		if (i == n)
			continue;
		set[i].id = db_col_int(q, "id");
		set[i].known_first = db_col_real(q, "first_mjd");
		set[i].known_last = db_col_real(q, "last_mjd");
		set[i].known_alerts = db_col_int(q, "alerts");
		set[i].known_detections = db_col_int(q, "detections");
		set[i].known_target = db_col_int(q, "target_id");
		set[i].known_note = db_col_copy(q, "note", a);
	}
	return db_done(q);
}

/* An alert among those sorted by object and number. */
struct by_number {
	size_t object;
	int64_t alert_id;
	size_t index;
};

static int
compare_numbers(const void *left, const void *right)
{
	const struct by_number *a = left, *b = right;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	if (a->alert_id != b->alert_id)
		return a->alert_id < b->alert_id ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* The rows of the pairs (a JSON array) are known. */
static enum db_result
strike_out_stored(struct db *db, struct arena *a, const struct object *set, struct alert *alerts,
    const struct by_number *sorted, size_t n, const struct buf *pairs)
{
	struct query *q = db_query(db, QUERY_ALERTS_STORED);
	struct {
		int64_t object, alert;
	} *stored = arena_array(a, n + 1, sizeof(*stored));
	size_t nstored = 0;
	enum db_result r;

	db_text(q, "pairs", buf_text(pairs));
	while (db_step(q) == DB_ROW) {
		if (nstored == n)
			continue; /* pairs are distinct: there are no more */
		stored[nstored].object = db_col_int(q, "object_id");
		stored[nstored++].alert = db_col_int(q, "alert_id");
	}
	if ((r = db_done(q)) != DB_END)
		return r;
	/* the rows come in the order of the pairs, which is that of the sorted, on every engine that
	 * we know; none promises it */
	for (size_t k = 0, at = 0; k < nstored; k++) {
		size_t tries = 0;

		while (tries++ < n &&
		    (set[sorted[at].object].id != stored[k].object ||
		        sorted[at].alert_id != stored[k].alert))
			at = (at + 1) % n;
		alerts[sorted[at].index].is_new = false;
	}
	return DB_END;
}

enum db_result
alerts_find_new(
    struct db *db, struct arena *a, struct object *set, struct alert *alerts, size_t n, bool all)
{
	struct by_number *sorted = arena_array(a, n, sizeof(*sorted));
	struct buf pairs = { 0 };
	enum db_result r = DB_END;

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct by_number){ alerts[i].object, alerts[i].alert_id, i };
	qsort(sorted, n, sizeof(*sorted), compare_numbers);
	for (size_t i = 0; i < n; i++) {
		struct alert *one = &alerts[sorted[i].index];
		const struct object *o = &set[one->object];

		one->is_new = i == 0 || sorted[i].object != sorted[i - 1].object ||
		    sorted[i].alert_id != sorted[i - 1].alert_id;
		/* what an alert told lies in the object's span: a newer one was not here */
		if (!one->is_new || o->id == 0 || (one->mjd > o->known_last && !all))
			continue;
		buf_printf(&pairs, "%s[%" PRId64 ",%" PRId64 "]", pairs.n == 0 ? "[" : ",", o->id,
		    one->alert_id);
	}
	if (pairs.n > 0) {
		buf_putc(&pairs, ']');
		r = strike_out_stored(db, a, set, alerts, sorted, n, &pairs);
	}
	buf_free(&pairs);
	for (size_t i = 0; i < n; i++)
		set[alerts[i].object].new_alerts += alerts[i].is_new;
	return r;
}

static enum db_result
add(struct db *db, struct str survey, int64_t sight, const struct object *set, size_t n,
    int64_t now, size_t nabsent)
{
	static const char *const columns[] = { "survey", "name", "sight", "ra", "dec", "first_mjd",
		"last_mjd", "alerts", "detections", "target_id", "note", "created", "modified" };
	struct bulk *b = db_bulk(db, "survey_object", NELEM(columns), columns);
	enum db_result r;
	int64_t added;

	for (size_t i = 0; i < n; i++) {
		const struct object *o = &set[i];

		if (o->id != 0)
			continue;
		db_bulk_text(b, survey);
		db_bulk_text(b, o->name);
		db_bulk_int(b, sight);
		db_bulk_real(b, o->ra);
		db_bulk_real(b, o->dec);
		db_bulk_real(b, o->first_mjd);
		db_bulk_real(b, o->last_mjd);
		db_bulk_int(b, o->new_alerts);
		db_bulk_int(b, o->detections);
		if (o->target_id == 0)
			db_bulk_null(b);
		else
			db_bulk_int(b, o->target_id);
		db_bulk_text(b, str_of(o->note));
		db_bulk_int(b, now);
		db_bulk_int(b, now);
	}
	r = db_bulk_end(b, &added);
	return r == DB_END && (size_t)added != nabsent ? DB_RETRY : r;
}

/* Sets the ids of those that add() wrote. */
static enum db_result
read_ids(struct db *db, struct arena *a, struct str survey, const struct audience *who,
    struct object *set, size_t n, size_t nabsent)
{
	struct str *names = arena_array(a, nabsent, sizeof(*names));
	size_t k = 0, found = 0;
	struct query *q;
	enum db_result r;

	for (size_t i = 0; i < n; i++)
		if (set[i].id == 0)
			names[k++] = set[i].name;
	q = named(db, a, survey, who, names, nabsent);
	while (db_step(q) == DB_ROW) {
		size_t i = find(set, n, db_col_text(q, "name"));

		if (i == n)
			continue;
		set[i].id = db_col_int(q, "id");
		found++;
	}
	r = db_done(q);
	return r == DB_END && found != nabsent ? DB_RETRY : r;
}

/* Does the row differ from what is stored? */
static bool
is_changed(const struct object *o)
{
	return o->new_alerts > 0 || o->first_mjd < o->known_first || o->last_mjd > o->known_last ||
	    o->detections > o->known_detections || o->target_id != o->known_target ||
	    !str_is(o->known_note, o->note);
}

static void
put_row(struct buf *rows, const struct object *o)
{
	buf_puts(rows, rows->n == 0 ? "[[" : ",[");
	buf_int64(rows, o->id);
	for (size_t i = 0; i < 4; i++) {
		buf_putc(rows, ',');
		buf_double(rows, (const double[]){ o->ra, o->dec, o->first_mjd, o->last_mjd }[i]);
	}
	buf_printf(rows, ",%" PRId64 ",%" PRId64 ",", o->new_alerts, o->detections);
	if (o->target_id == 0)
		buf_puts(rows, "null");
	else
		buf_int64(rows, o->target_id);
	buf_printf(rows, ",\"%s\"]", o->note);
}

static enum db_result
change(struct db *db, const struct object *set, size_t n, int64_t now)
{
	struct buf rows = { 0 };
	enum db_result r = DB_END;

	for (size_t i = 0; i < n; i++)
		if (set[i].known_note.p != NULL && is_changed(&set[i]))
			put_row(&rows, &set[i]);
	if (rows.n > 0) {
		struct query *q = db_query(db, QUERY_OBJECTS_SEEN);

		buf_putc(&rows, ']');
		db_text(q, "rows", buf_text(&rows));
		db_int(q, "now", now);
		r = db_run(q);
	}
	buf_free(&rows);
	return r;
}

enum db_result
objects_store(struct db *db, struct arena *a, struct str survey, const struct audience *who,
    struct object *set, size_t n)
{
	int64_t now = clock_now(), sight;
	size_t nabsent = 0;
	enum db_result r;

	for (size_t i = 0; i < n; i++)
		nabsent += set[i].id == 0;
	if (nabsent > 0) {
		if ((r = audience_find(db, who, &sight)) != DB_END ||
		    (r = add(db, survey, sight, set, n, now, nabsent)) != DB_END ||
		    (r = read_ids(db, a, survey, who, set, n, nabsent)) != DB_END)
			return r;
	}
	return nabsent < n ? change(db, set, n, now) : DB_END;
}

enum db_result
alerts_store(struct db *db, struct str stream, const struct object *set, const struct alert *alerts,
    size_t n)
{
	static const char *const columns[] = { "object_id", "alert_id", "mjd", "stream",
		"received" };
	struct bulk *b;
	int64_t now = clock_now(), added, wanted = 0;
	enum db_result r;

	for (size_t i = 0; i < n; i++)
		wanted += alerts[i].is_new;
	if (wanted == 0)
		return DB_END;
	b = db_bulk(db, "alert", NELEM(columns), columns);
	for (size_t i = 0; i < n; i++) {
		if (!alerts[i].is_new)
			continue;
		db_bulk_int(b, set[alerts[i].object].id);
		db_bulk_int(b, alerts[i].alert_id);
		db_bulk_real(b, alerts[i].mjd);
		db_bulk_text(b, stream);
		db_bulk_int(b, now);
	}
	r = db_bulk_end(b, &added);
	return r == DB_END && added != wanted ? DB_RETRY : r;
}
