/*
 * object_list: pages of objects. A cursor reads the rows of a list in its order, a chunk at a time;
 * of each chunk it is asked at once which targets may be seen.
 */
#include "alert/object_list.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alert/object.h"
#include "auth/page_key.h"
#include "base/number.h"
#include "http/request.h"
#include "tom/audience.h"

struct listing {
	struct db *db;
	struct arena *arena;
	const struct user *user, *reader;
	const struct object_query *query;
	const struct str *surveys;
	size_t nsurveys;
	int64_t *cells; /* of a cone */
	size_t ncells;
	struct object_row at; /* the last row looked at; id 0: none yet */
	struct object_row *chunk;
	size_t nchunk;
	bool ended;
};

static struct object_row
read_row(struct query *q, struct arena *a)
{
	return (struct object_row){
		.id = db_col_int(q, "id"),
		.survey = db_col_copy(q, "survey", a),
		.name = db_col_copy(q, "name", a),
		.ra = db_col_real(q, "ra"),
		.dec = db_col_real(q, "decl"),
		.first_mjd = db_col_real(q, "first_mjd"),
		.last_mjd = db_col_real(q, "last_mjd"),
		.alerts = db_col_int(q, "alerts"),
		.detections = db_col_int(q, "detections"),
		.created = db_col_int(q, "created"),
		.note = db_col_copy(q, "note", a),
		.sight = db_col_int(q, "sight"),
		.closed = db_col_bool(q, "closed"),
		.target = db_col_int(q, "target_id"),
	};
}

enum db_result
object_surveys(struct db *db, struct arena *a, size_t most, struct str **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_OBJECT_SURVEYS);

	*list = arena_array(a, most, sizeof(**list));
	*n = 0;
	while (*n < most && db_step(q) == DB_ROW)
		(*list)[(*n)++] = db_col_copy(q, "survey", a);
	return db_done(q);
}

/* The squares that a cone touches (survey_object.cell). */
static void
find_cells(struct listing *l)
{
	struct cone_strip *strips = arena_array(l->arena, CONE_STRIPS, sizeof(*strips));
	size_t n = cone_strips(&l->query->cone, strips), room = 0;

	for (size_t i = 0; i < n; i++) {
		int first = (int)fmin(strips[i].from * 4, 1439), last;

		last = (int)fmin(strips[i].to * 4, 1439);
		for (int k = first; k <= last; k++) {
			l->cells = arena_more(
			    l->arena, l->cells, l->ncells, &room, sizeof(*l->cells));
			l->cells[l->ncells++] = strips[i].zone * 1440 + k;
		}
	}
}

static struct query *
cone_query(const struct listing *l)
{
	const struct cone *c = &l->query->cone;
	struct query *q = db_query(l->db, QUERY_OBJECTS_IN_CONE);

	db_ints(q, "cells", l->cells, l->ncells);
	db_text(q, "survey", l->query->survey);
	db_real(q, "ra", c->ra);
	db_real(q, "dec", c->dec);
	db_real(q, "cosine", cos(c->dec * M_PI / 180));
	db_real(q, "distance", cone_limit(c));
	db_int(q, "before", l->at.id == 0 ? INT64_MAX : l->at.id);
	return q;
}

static struct query *
newest_query(const struct listing *l)
{
	bool any = l->query->survey.n == 0;
	struct query *q = db_query(l->db, any ? QUERY_OBJECTS_NEWEST : QUERY_OBJECTS_NEWEST_OF);

	if (!any)
		db_text(q, "survey", l->query->survey);
	db_int(q, "before", l->at.id == 0 ? INT64_MAX : l->at.id);
	return q;
}

/* The names of one survey that begin so. */
static struct query *
name_query(const struct listing *l, struct str survey)
{
	struct query *q = db_query(l->db, QUERY_OBJECTS_BY_NAME);
	bool here = l->at.id != 0 && str_eq(l->at.survey, survey);

	db_text(q, "survey", survey);
	db_text(q, "from", l->query->name);
	/* no name has the last of all characters */
	db_text(q, "to", arena_printf(l->arena, "%.*s\xf4\x8f\xbf\xbf", STR_ARG(l->query->name)));
	db_text(q, "after", here ? l->at.name : STR(""));
	db_int(q, "after_sight", here ? l->at.sight : 0);
	return q;
}

/* Adds the rows of a query to the chunk, up to `most` in all. */
static enum db_result
read_rows(struct listing *l, struct query *q, size_t most)
{
	db_int(q, "limit", (int64_t)(most - l->nchunk));
	while (l->nchunk < most && db_step(q) == DB_ROW)
		l->chunk[l->nchunk++] = read_row(q, l->arena);
	return db_done(q);
}

/* By name: survey after survey, from the one that the last row was of. */
static enum db_result
read_names(struct listing *l, size_t most)
{
	enum db_result r = DB_END;

	for (size_t i = 0; i < l->nsurveys && l->nchunk < most && r == DB_END; i++) {
		if ((l->query->survey.n > 0 && !str_eq(l->query->survey, l->surveys[i])) ||
		    (l->at.id != 0 && object_compare(l->surveys[i], l->at.survey) < 0))
			continue;
		r = read_rows(l, name_query(l, l->surveys[i]), most);
	}
	return r;
}

/* The next rows of the list, whoever may see them. */
static enum db_result
read_chunk(struct listing *l, size_t most)
{
	enum db_result r;

	l->chunk = arena_array(l->arena, most, sizeof(*l->chunk));
	l->nchunk = 0;
	if (l->query->by_cone)
		r = read_rows(l, cone_query(l), most);
	else if (l->query->name.n > 0)
		r = read_names(l, most);
	else
		r = read_rows(l, newest_query(l), most);
	l->ended = l->nchunk < most;
	return r;
}

struct shown_target {
	int64_t id; /* first, for number_compare() */
	struct str name;
};
struct shown_source {
	int64_t target; /* first, for number_compare() */
	struct str name;
};

/* What a user may see of some rows. */
struct shown {
	bool everything; /* they are a superuser */
	int64_t *audiences; /* that they are of */
	size_t naudiences;
	struct shown_target *targets; /* by id */
	size_t ntargets;
	bool all_sources;
	struct shown_source *sources; /* by target */
	size_t nsources;
};

static enum db_result
find_sources(struct db *db, struct arena *a, const struct user *reader, const int64_t *ids,
    size_t nids, struct shown *s)
{
	struct query *q = db_query(db, QUERY_OBJECT_SOURCES);
	size_t room = 0;

	db_ints(q, "ids", ids, nids);
	db_ints(q, "principals", reader->principals, reader->nprincipals);
	while (db_step(q) == DB_ROW) {
		s->sources = arena_more(a, s->sources, s->nsources, &room, sizeof(*s->sources));
		s->sources[s->nsources++] = (struct shown_source){
			.target = db_col_int(q, "target_id"), .name = db_col_copy(q, "source", a)
		};
	}
	if (s->nsources > 1)
		qsort(s->sources, s->nsources, sizeof(*s->sources), number_compare);
	return db_done(q);
}

/* What the user may see of these rows: of what audiences, which targets, whose measurements of them. */
static enum db_result
find_shown(struct db *db, struct arena *a, const struct user *u, const struct user *reader,
    const struct object_row *rows, size_t n, struct shown *s)
{
	int64_t *ids = arena_array(a, n + 1, sizeof(*ids));
	size_t nids = 0, different = 0;
	struct query *q;
	enum db_result r;

	*s = (struct shown){ .everything = u->is_superuser,
		.targets = arena_array(a, n + 1, sizeof(*s->targets)),
		.all_sources = reader == NULL };
	if (n > 0 && !s->everything &&
	    (r = audiences_of(db, a, u, &s->audiences, &s->naudiences)) != DB_END)
		return r;
	for (size_t i = 0; i < n; i++)
		if (rows[i].target != 0)
			ids[nids++] = rows[i].target;
	if (nids == 0)
		return DB_END;
	qsort(ids, nids, sizeof(*ids), number_compare);
	for (size_t i = 0; i < nids; i++)
		if (different == 0 || ids[different - 1] != ids[i])
			ids[different++] = ids[i];
	q = db_query(db, QUERY_OBJECT_TARGETS);
	db_ints(q, "ids", ids, different);
	db_bool(q, "everything", u->is_superuser);
	db_ints(q, "principals", u->principals, u->nprincipals);
	while (s->ntargets < different && db_step(q) == DB_ROW)
		s->targets[s->ntargets++] = (struct shown_target){ .id = db_col_int(q, "id"),
			.name = db_col_copy(q, "name", a) };
	if (s->ntargets > 1)
		qsort(s->targets, s->ntargets, sizeof(*s->targets), number_compare);
	r = db_done(q);
	return r != DB_END || s->all_sources ? r : find_sources(db, a, reader, ids, different, s);
}

/* May measurements of the row's survey be seen? */
static bool
is_source_shown(const struct shown *s, const struct object_row *row)
{
	size_t low = 0, high = s->nsources;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->sources[middle].target < row->target)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->nsources && s->sources[low].target == row->target; low++)
		if (str_eq(s->sources[low].name, row->survey))
			return true;
	return s->all_sources;
}

/* May the row be seen? Then the name of its target is set. */
static bool
is_shown(const struct shown *s, struct object_row *row)
{
	const struct shown_target *t;

	if (!s->everything &&
	    (!audiences_have(s->audiences, s->naudiences, row->sight) ||
	        (row->target == 0 && row->closed)))
		return false;
	if (row->target == 0)
		return true;
	t = bsearch(&row->target, s->targets, s->ntargets, sizeof(*t), number_compare);
	if (t == NULL || !is_source_shown(s, row))
		return false;
	row->target_name = t->name;
	return true;
}

/* Takes the rows of the chunk that may be seen, until the page is full and one more was seen. */
static enum db_result
take_shown(struct listing *l, struct object_page *page, bool *more)
{
	struct shown shown;
	enum db_result r = find_shown(
	    l->db, l->arena, l->user, l->reader, l->chunk, l->nchunk, &shown);

	for (size_t i = 0; i < l->nchunk && r == DB_END && !*more; i++) {
		struct object_row *row = &l->chunk[i];

		if (!is_shown(&shown, row)) {
			l->at = *row;
			continue;
		}
		*more = page->n == OBJECTS_PAGE;
		if (!*more)
			page->rows[page->n++] = l->at = *row;
	}
	return r;
}

/* What a key of the list is about: it opens in this list alone. */
enum { PARTS = 4 };
static void
about(const struct listing *l, struct str parts[PARTS])
{
	const struct object_query *q = l->query;

	parts[0] = STR("list of objects");
	parts[1] = arena_printf(l->arena, "%" PRId64 " %d %a %a %a", l->user->id, q->by_cone,
	    q->cone.ra, q->cone.dec, q->cone.radius);
	parts[2] = q->survey;
	parts[3] = q->name;
}

/* The key of the page behind the last row that was looked at. */
static struct str
key_of(const struct listing *l)
{
	struct str parts[PARTS];
	struct str key = arena_printf(l->arena, "%" PRId64 "\t%" PRId64 "\t%.*s\t%.*s", l->at.id,
	    l->at.sight, STR_ARG(l->at.survey), STR_ARG(l->at.name));

	about(l, parts);
	return page_key_seal(l->query->secret, parts, PARTS, key, l->arena);
}

/* Where the query's page begins; at the front where its key is none of ours. */
static void
begin(struct listing *l)
{
	struct str parts[PARTS], key;
	int64_t id, sight;

	if (str_empty(l->query->after))
		return;
	about(l, parts);
	key = page_key_open(l->query->secret, parts, PARTS, l->query->after, l->arena);
	if (!str_to_int64(str_cut(&key, '\t'), &id) || !str_to_int64(str_cut(&key, '\t'), &sight))
		return;
	l->at.id = id;
	l->at.sight = sight;
	l->at.survey = arena_str(l->arena, str_cut(&key, '\t'));
	l->at.name = arena_str(l->arena, key);
}

enum db_result
object_find(struct db *db, struct arena *a, const struct user *u, const struct user *reader,
    const struct object_query *query, const struct str *surveys, size_t nsurveys,
    struct object_page *page)
{
	struct listing l = { .db = db,
		.arena = a,
		.user = u,
		.reader = reader,
		.query = query,
		.surveys = surveys,
		.nsurveys = nsurveys };
	size_t looked = 0, most = OBJECTS_PAGE + 1;
	bool more = false;
	enum db_result r;

	*page = (struct object_page){ .rows = arena_array(a, OBJECTS_PAGE, sizeof(*page->rows)) };
	if (query->by_cone)
		find_cells(&l);
	begin(&l);
	do {
		if ((r = read_chunk(&l, most)) != DB_END ||
		    (r = take_shown(&l, page, &more)) != DB_END)
			return r;
		looked += l.nchunk;
		most = OBJECTS_CHUNK;
	} while (!more && !l.ended && looked < OBJECTS_WALK);
	page->partial = !more && !l.ended;
	if (more || page->partial)
		page->next = key_of(&l);
	return DB_END;
}

enum db_result
object_get(struct db *db, struct arena *a, const struct user *u, const struct user *reader,
    struct str survey, struct str name, struct object_row **rows, size_t *n)
{
	struct query *q = db_query(db, QUERY_OBJECT_BY_NAME);
	size_t all = 0, room = 0;
	struct shown shown;
	enum db_result r;

	*rows = NULL;
	*n = 0;
	db_text(q, "survey", survey);
	db_text(q, "name", name);
	while (db_step(q) == DB_ROW) {
		*rows = arena_more(a, *rows, all, &room, sizeof(**rows));
		(*rows)[all++] = read_row(q, a);
	}
	if ((r = db_done(q)) != DB_END || all == 0)
		return r;
	if ((r = find_shown(db, a, u, reader, *rows, all, &shown)) != DB_END)
		return r;
	for (size_t i = 0; i < all; i++)
		if (is_shown(&shown, &(*rows)[i]))
			(*rows)[(*n)++] = (*rows)[i];
	return DB_END;
}

/* A statement about the objects of a target, for somebody. */
static struct query *
target_query(struct db *db, enum query_name name, const struct user *u, const struct user *reader,
    int64_t target)
{
	struct query *q = db_query(db, name);

	db_int(q, "target", target);
	db_bool(q, "superuser", u->is_superuser);
	db_bool(q, "everything", reader == NULL);
	db_ints(q, "principals", u->principals, u->nprincipals);
	return q;
}

enum db_result
objects_of_target(struct db *db, struct arena *a, const struct user *u, const struct user *reader,
    int64_t target, size_t most, struct object_row **rows, size_t *n)
{
	struct query *q = target_query(db, QUERY_OBJECTS_OF_TARGET, u, reader, target);

	*rows = arena_array(a, most, sizeof(**rows));
	*n = 0;
	db_int(q, "limit", (int64_t)most);
	while (*n < most && db_step(q) == DB_ROW)
		(*rows)[(*n)++] = read_row(q, a);
	return db_done(q);
}

struct str
object_link(struct arena *a, struct str survey, struct str name)
{
	return arena_printf(
	    a, "/alerts/objects/%s/%s/", url_encode(a, survey).p, url_encode(a, name).p);
}

struct alert_place
alert_place_read(struct str before)
{
	struct str mjd = str_cut(&before, ','), alert = str_cut(&before, ',');
	struct alert_place place = { .object = 0 };

	if (!str_to_double(mjd, &place.mjd) || !str_to_int64(alert, &place.alert_id) ||
	    (before.n > 0 && !str_to_int64(before, &place.object)))
		return (struct alert_place){ 1e9, INT64_MAX, INT64_MAX };
	return place;
}

struct str
alert_place_link(struct arena *a, const struct alert_row *last)
{
	struct str place = arena_printf(a, "?before=%.17g,%" PRId64, last->mjd, last->alert_id);

	return last->object == 0 ? place : arena_printf(a, "%s,%" PRId64, place.p, last->object);
}

/* Binds the place, and reads up to `most` rows. */
static enum db_result
read_alerts(struct query *q, struct arena *a, struct alert_place before, bool named, size_t most,
    struct alert_row **rows, size_t *n, bool *more)
{
	*rows = arena_array(a, most, sizeof(**rows));
	*n = 0;
	*more = false;
	db_real(q, "mjd", before.mjd);
	db_int(q, "alert", before.alert_id);
	db_int(q, "limit", (int64_t)most + 1);
	while (!*more && db_step(q) == DB_ROW) {
		struct alert_row *row = &(*rows)[*n];

		if ((*more = *n == most))
			break;
		*row = (struct alert_row){ .alert_id = db_col_int(q, "alert_id"),
			.mjd = db_col_real(q, "mjd"),
			.stream = db_col_copy(q, "stream", a),
			.received = db_col_int(q, "received") };
		if (named) {
			row->object = db_col_int(q, "object_id");
			row->survey = db_col_copy(q, "survey", a);
			row->name = db_col_copy(q, "name", a);
		}
		++*n;
	}
	return db_done(q);
}

enum db_result
alerts_of_object(struct db *db, struct arena *a, int64_t object, struct alert_place before,
    size_t most, struct alert_row **rows, size_t *n, bool *more)
{
	struct query *q = db_query(db, QUERY_ALERTS_OF_OBJECT);

	db_int(q, "object", object);
	return read_alerts(q, a, before, false, most, rows, n, more);
}

enum db_result
alerts_of_target(struct db *db, struct arena *a, const struct user *u, const struct user *reader,
    int64_t target, struct alert_place before, size_t most, struct alert_row **rows, size_t *n,
    bool *more)
{
	struct query *q = target_query(db, QUERY_ALERTS_OF_TARGET, u, reader, target);

	db_int(q, "object", before.object);
	return read_alerts(q, a, before, true, most, rows, n, more);
}

struct query *
objects_count_start(struct db *db, const struct user *u, const struct user *reader, int64_t target)
{
	struct query *q = target_query(db, QUERY_OBJECTS_COUNT, u, reader, target);

	db_start(q);
	return q;
}

enum db_result
objects_count_end(struct query *q, int64_t *objects, int64_t *alerts)
{
	*objects = *alerts = 0;
	if (db_step(q) == DB_ROW) {
		*objects = db_col_int(q, "objects");
		*alerts = db_col_int(q, "alerts");
	}
	return db_done(q);
}
