/*
 * target_list: pages of the list of targets, by keys. The page before one is read backwards. Where
 * rows have to be looked at one by one, an order's segment (target_order.h) is walked through windows
 * of TARGET_WALK rows, and its keys are sealed (target_seal.h).
 */
#include "tom/target_order.h"
#include "tom/target_plan.h"
#include "tom/target_seal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define PAGES_MAX 100 /* that an old link's number reaches */
#define ALIASES_SHOWN 5

struct listing {
	struct target_plan plan;
	const struct target_query *query;
	struct arena *arena;
	struct ordering order;
	struct place from;
	struct target_row *rows; /* as read: backwards where from.back */
	size_t *segment_of; /* of each row */
	size_t n, want, limit;
	size_t windows; /* that held nothing */
	bool partial;
	struct place boundary; /* where a walk stopped */
};

static void
add_limit(struct sql *s, size_t rows)
{
	if (rows == TARGET_PAGE + 1) {
		sql_add(s, QUERY_TARGETS_LIMIT_PAGE);
	} else if (rows == TARGET_NEWEST + 1) {
		sql_add(s, QUERY_TARGETS_LIMIT_NEWEST);
	} else {
		sql_add(s, QUERY_TARGETS_LIMIT);
		sql_int(s, "limit", (int64_t)rows);
	}
}

/* Does this list need its rows looked at one by one while it walks an index? */
static bool
is_walk(const struct listing *l)
{
	return !l->plan.by_ids && target_plan_asks(&l->plan);
}

/*
 * A window begins and ends wherever, at rows that who asks may not see. Its keys are sealed, and none
 * is taken that was not: what a window chosen by hand shows would tell where such rows stand.
 */
static bool
is_sealed(const struct listing *l)
{
	return is_walk(l) && l->plan.ask_rights;
}

/* Where the query's page begins. */
static struct place
place_asked(const struct listing *l)
{
	struct str key = target_unseal(l->query, l->plan.user, l->query->after, l->arena);

	/* a list that is walked no longer takes the keys of when it was */
	if (key.p == NULL && !is_sealed(l))
		key = l->query->after;
	return target_key_read(&l->order, key);
}

static struct query *
segment_query(const struct listing *l, const struct segment *seg, const struct place *after)
{
	struct sql *s = sql_new(l->plan.db, l->arena);
	bool back = l->from.back;

	sql_add(s, QUERY_TARGETS_SELECT);
	if (l->plan.by_ids) {
		sql_add(s, QUERY_TARGETS_FROM_IDS);
		sql_ints(s, "ids", l->plan.ids, l->plan.nids);
		target_plan_filter(&l->plan, s);
		target_run(s, seg, after, back);
		target_run_order(s, seg, back);
	} else if (is_walk(l)) {
		sql_add(s, QUERY_TARGETS_WINDOW_BEGIN);
		target_run(s, seg, after, back);
		target_run_order(s, seg, back);
		sql_add(s, QUERY_TARGETS_WINDOW_END);
		target_plan_filter(&l->plan, s);
		/*
		 * The window's order is the result's where it is read row by row. PostgreSQL may join
		 * it otherwise; asked, it keeps the order and sorts nothing. The others would sort.
		 */
		if (db_engine(l->plan.db) == DB_POSTGRESQL)
			target_run_order(s, seg, back);
	} else {
		sql_add(s, QUERY_TARGETS_FROM_ALL);
		target_run(s, seg, after, back);
		target_run_order(s, seg, back);
	}
	add_limit(s, l->want - l->n);
	return sql_query(s);
}

/* Where the pages of what an ordinary user sees begin. */
static void
add_start(struct sql *s, const struct listing *l, bool down)
{
	const struct place *p = &l->from;
	int64_t end = down ? INT64_MAX : INT64_MIN;

	sql_int(s, "value", p->set ? p->whole : end);
	sql_int(s, "id", p->set ? p->id : end);
	add_limit(s, l->want);
}

/* A union of each principal's newest, written out: MariaDB stops early in no other way. */
static void
add_union(struct sql *s, const struct listing *l, bool down)
{
	const struct user *u = l->plan.user;

	for (size_t i = 0; i < u->nprincipals; i++) {
		sql_add(s,
		    i == 0     ? (down ? QUERY_TARGETS_NEWEST_FIRST : QUERY_TARGETS_OLDEST_FIRST)
		        : down ? QUERY_TARGETS_NEWEST_MORE
		               : QUERY_TARGETS_OLDEST_MORE);
		sql_int(s, "principal", u->principals[i]);
		add_start(s, l, down);
	}
}

/* The newest (or oldest) of what an ordinary user sees, without any filter. */
static struct query *
newest_query(const struct listing *l)
{
	struct sql *s = sql_new(l->plan.db, l->arena);
	enum db_engine engine = db_engine(l->plan.db);
	bool down = l->query->descending != l->from.back;

	sql_add(s, QUERY_TARGETS_SELECT);
	if (engine == DB_MARIADB)
		add_union(s, l, down);
	else {
		sql_add(s, down ? QUERY_TARGETS_NEWEST_FIRST : QUERY_TARGETS_OLDEST_FIRST);
		sql_ints(s, "principals", l->plan.user->principals, l->plan.user->nprincipals);
		add_start(s, l, down);
	}
	if (engine != DB_SQLITE) {
		sql_add(s, down ? QUERY_TARGETS_NEWEST_THEN : QUERY_TARGETS_OLDEST_THEN);
		add_limit(s, l->want);
	}
	sql_add(s, down ? QUERY_TARGETS_NEWEST_END : QUERY_TARGETS_OLDEST_END);
	return sql_query(s);
}

/* The engines join the newest in their order, but promise nothing: almost always a mere look. */
static void
sort_newest(struct listing *l)
{
	bool down = l->query->descending != l->from.back;

	for (size_t i = 1; i < l->n; i++) {
		struct target_row row = l->rows[i];
		size_t k = i;

		for (; k > 0; k--) {
			const struct target *t = &l->rows[k - 1].target;
			bool later = t->created != row.target.created
			    ? t->created > row.target.created
			    : t->id > row.target.id;

			if (later == down)
				break;
			l->rows[k] = l->rows[k - 1];
		}
		l->rows[k] = row;
	}
}

static struct target_row
read_row(struct query *q, struct arena *a)
{
	static const char *const columns[] = { "type", "permissions", "scheme" };
	struct target_row row = { .target = target_none(), .aliases = STR("") };
	struct target *t = &row.target;

	t->id = db_col_int(q, "id");
	t->name = db_col_copy(q, "name", a);
	t->created = db_col_int(q, "created");
	t->modified = db_col_int(q, "modified");
	t->ra = db_col_real(q, "ra");
	t->dec = db_col_real(q, "dec");
	for (size_t i = 0; i < NELEM(columns); i++) {
		const struct target_field *f = target_field_find(str_of(columns[i]));

		target_choice_read(f, db_col_text(q, columns[i]), target_choice_at(t, f));
	}
	return row;
}

static enum db_result
read_rows(struct listing *l, struct query *q, size_t segment)
{
	while (l->n < l->want && db_step(q) == DB_ROW) {
		l->rows[l->n] = read_row(q, l->arena);
		l->segment_of[l->n++] = segment;
	}
	return db_done(q);
}

/* Puts l->boundary at the last row of the window behind a place, whoever may see it, where there is one. */
static enum db_result
find_boundary(struct listing *l, size_t segment, const struct place *after, bool *found)
{
	const struct segment *seg = &l->order.segments[segment];
	struct sql *s = sql_new(l->plan.db, l->arena);
	struct query *q;

	sql_add(s, QUERY_TARGETS_SELECT);
	sql_add(s, QUERY_TARGETS_BOUNDARY_BEGIN);
	target_run(s, seg, after, l->from.back);
	target_run_order(s, seg, l->from.back);
	sql_add(s, QUERY_TARGETS_BOUNDARY_END);
	q = sql_query(s);
	*found = db_step(q) == DB_ROW;
	if (*found) {
		struct target_row row = read_row(q, l->arena);

		l->boundary = target_place(&l->order, &row.target, segment);
	}
	return db_done(q);
}

/*
 * A segment, or a window of it; behind a window that held nothing the next one, too. Are there rows
 * behind the last? Then the walk goes on another time (l->partial).
 */
static enum db_result
read_segment(struct listing *l, size_t segment, struct place after)
{
	for (;;) {
		bool more;
		enum db_result r = read_rows(
		    l, segment_query(l, &l->order.segments[segment], &after), segment);

		if (r != DB_END || l->n == l->want || !is_walk(l))
			return r;
		r = find_boundary(l, segment, &after, &more);
		if (r != DB_END || !more)
			return r;
		l->partial = l->n > 0 || ++l->windows == TARGET_WINDOWS;
		if (l->partial)
			return r;
		after = l->boundary;
	}
}

static enum db_result
read_segments(struct listing *l)
{
	size_t step = l->from.set ? l->from.segment : l->from.back ? l->order.n - 1 : 0;
	enum db_result r = DB_END;

	for (;;) {
		struct place none = { 0 };

		r = read_segment(l, step, l->from.set && step == l->from.segment ? l->from : none);
		if (r != DB_END || l->n == l->want || l->partial ||
		    step == (l->from.back ? 0 : l->order.n - 1))
			return r;
		step += l->from.back ? (size_t)-1 : 1;
	}
}

/* What an ordinary user sees, unfiltered, by time: the case that rights has an index for. */
static bool
is_newest(const struct listing *l)
{
	return l->query->sort == SORT_CREATED && !l->plan.user->is_superuser &&
	    !target_query_filters(l->query);
}

/*
 * Who was found to see more than TARGET_COUNT_MAX targets, lately: that changes slowly, and costs
 * as much to find out as a page. What a worker knows, of no request.
 */
static struct many {
	unsigned db; /* db_number() */
	int64_t user, until; /* clock_monotonic() */
} seen_many[64];

#define MANY_FOR (10 * SECOND)

static struct many *
many_of(const struct listing *l)
{
	return &seen_many[(uint64_t)l->plan.user->id % NELEM(seen_many)];
}

static bool
is_known_many(const struct listing *l)
{
	const struct many *m = many_of(l);

	return !target_query_filters(l->query) && m->db == db_number(l->plan.db) &&
	    m->user == l->plan.user->id && m->until > clock_monotonic();
}

static void
note_many(const struct listing *l, int64_t count)
{
	if (count > TARGET_COUNT_MAX && !target_query_filters(l->query))
		*many_of(l) = (struct many){ db_number(l->plan.db), l->plan.user->id,
			clock_monotonic() + MANY_FOR };
}

static struct query *
count_query(const struct listing *l)
{
	/* one type is a run of its own; else any order will do */
	const struct segment any = { .order = BY_CREATED, .down = true };
	const struct segment *run = l->order.has_type ? &l->order.segments[0] : &any;
	struct place start = { 0 };
	struct sql *s;

	if (!l->plan.user->is_superuser && !target_query_filters(l->query)) {
		struct query *q = db_query(l->plan.db, QUERY_TARGETS_COUNT_VISIBLE);

		db_ints(q, "principals", l->plan.user->principals, l->plan.user->nprincipals);
		return q;
	}
	s = sql_new(l->plan.db, l->arena);
	sql_add(s, QUERY_TARGETS_COUNT);
	if (is_walk(l)) {
		sql_add(s, QUERY_TARGETS_WINDOW_BEGIN);
		target_run(s, run, &start, false);
		target_run_order(s, run, false);
		sql_add(s, QUERY_TARGETS_COUNT_WINDOW_END);
		target_plan_filter(&l->plan, s);
	} else {
		sql_add(s, l->plan.by_ids ? QUERY_TARGETS_FROM_IDS : QUERY_TARGETS_FROM_ALL);
		if (l->plan.by_ids)
			sql_ints(s, "ids", l->plan.ids, l->plan.nids);
		target_plan_filter(&l->plan, s);
		target_run(s, run, &start, false);
	}
	sql_add(s, QUERY_TARGETS_COUNT_END);
	return sql_query(s);
}

static struct query *
start_aliases(struct db *db, struct arena *a, const struct target_page *page)
{
	int64_t *ids = arena_array(a, page->n, sizeof(*ids));
	struct query *q = db_query(db, QUERY_ALIASES_OF);

	for (size_t i = 0; i < page->n; i++)
		ids[i] = page->rows[i].target.id;
	db_ints(q, "ids", ids, page->n);
	db_start(q);
	return q;
}

static enum db_result
read_aliases(struct query *q, struct arena *a, struct target_page *page)
{
	size_t *shown = arena_array(a, page->n, sizeof(*shown));

	while (db_step(q) == DB_ROW) {
		int64_t id = db_col_int(q, "target_id");
		size_t i = 0;

		while (i < page->n && page->rows[i].target.id != id)
			i++;
		if (i == page->n || shown[i] == ALIASES_SHOWN)
			continue;
		struct str old = page->rows[i].aliases, name = db_col_text(q, "name");
		page->rows[i].aliases = arena_printf(
		    a, "%.*s%s%.*s", STR_ARG(old), shown[i] == 0 ? "" : ", ", STR_ARG(name));
		shown[i]++;
	}
	return db_done(q);
}

static void
reverse(struct listing *l)
{
	for (size_t i = 0; i < l->n / 2; i++) {
		struct target_row row = l->rows[i];
		size_t segment = l->segment_of[i];

		l->rows[i] = l->rows[l->n - 1 - i];
		l->segment_of[i] = l->segment_of[l->n - 1 - i];
		l->rows[l->n - 1 - i] = row;
		l->segment_of[l->n - 1 - i] = segment;
	}
}

/* The key of the page after (or before) a place. */
static struct str
key_of(const struct listing *l, struct place p, bool back)
{
	struct str key;

	p.back = back;
	key = target_key_text(&l->order, &p, l->arena);
	return is_sealed(l) ? target_seal(l->query, l->plan.user, key, l->arena) : key;
}

static struct str
key_at(const struct listing *l, size_t row, bool back)
{
	return key_of(l, target_place(&l->order, &l->rows[row].target, l->segment_of[row]), back);
}

/* Cuts what was read to the page, and makes the keys of its neighbours. */
static void
finish_page(struct listing *l, size_t skip, struct target_page *page)
{
	bool more = l->n == l->want;

	if (more)
		l->n--;
	if (l->from.back)
		reverse(l);
	skip = skip < l->n ? skip : l->n;
	page->rows = l->rows + skip;
	page->n = l->n - skip;
	page->partial = l->partial;
	if (l->from.back) {
		if (l->n > 0)
			page->next = key_at(l, l->n - 1, false);
		if (more)
			page->previous = key_at(l, 0, true);
		else if (l->partial)
			page->previous = key_of(l, l->boundary, true);
		return;
	}
	if (more)
		page->next = key_at(l, l->n - 1, false);
	else if (l->partial)
		page->next = key_of(l, l->boundary, false);
	if ((l->from.set || skip > 0) && page->n > 0)
		page->previous = key_at(l, skip, true);
}

/* How many rows an old link's page number passes over. */
static size_t
rows_to_skip(const struct listing *l)
{
	int64_t page = l->query->page;

	if (l->from.set || page <= 1)
		return 0;
	return l->limit * (size_t)((page > PAGES_MAX ? PAGES_MAX : page) - 1);
}

static enum db_result
read_page(struct listing *l, struct target_page *page)
{
	size_t skip = rows_to_skip(l);
	enum db_result r;

	l->n = l->windows = 0;
	l->partial = false;
	l->want = skip + l->limit + 1;
	l->rows = arena_array(l->arena, l->want, sizeof(*l->rows));
	l->segment_of = arena_array(l->arena, l->want, sizeof(*l->segment_of));
	if (is_newest(l)) {
		r = read_rows(l, newest_query(l), 0);
		sort_newest(l);
	} else {
		r = read_segments(l);
	}
	if (r != DB_END)
		return r;
	if (l->from.back && l->n < l->limit && !l->partial) {
		/* the front was reached: the first page, whole */
		l->from = (struct place){ 0 };
		return read_page(l, page);
	}
	finish_page(l, skip, page);
	return DB_END;
}

/* Is this all there is? Then its rows are the count. */
static bool
is_whole(const struct listing *l, const struct target_page *page)
{
	return !l->from.set && l->query->page <= 1 && page->next.p == NULL &&
	    page->previous.p == NULL && !page->partial;
}

/* The count of a list of several pages, and the aliases of this one, in one round trip. */
static enum db_result
read_rest(struct listing *l, struct target_page *page)
{
	bool whole = is_whole(l, page);
	struct query *count = whole || is_known_many(l) ? NULL : count_query(l), *aliases = NULL;
	enum db_result r = DB_END, counted = DB_END;

	page->count = whole ? (int64_t)page->n : TARGET_COUNT_MAX + 1;
	if (count != NULL)
		db_start(count);
	if (page->n > 0)
		aliases = start_aliases(l->plan.db, l->arena, page);
	if (count != NULL) {
		if (db_step(count) == DB_ROW)
			page->count = db_col_int(count, "n");
		counted = db_done(count);
		note_many(l, counted == DB_END ? page->count : 0);
	}
	if (aliases != NULL)
		r = read_aliases(aliases, l->arena, page);
	if (is_walk(l) && target_query_filters(l->query)) {
		page->at_least = !whole && page->count <= TARGET_COUNT_MAX;
		if (page->count < (int64_t)page->n)
			page->count = (int64_t)page->n;
	}
	return r == DB_END ? counted : r;
}

enum db_result
target_find(struct db *db, struct arena *a, const struct user *u, const struct target_query *query,
    struct target_page *page)
{
	struct listing l = { .query = query, .arena = a };
	enum db_result r;

	*page = (struct target_page){ .rows = NULL };
	l.limit = query->limit == 0          ? TARGET_PAGE
	    : query->limit > TARGET_PAGE_MAX ? TARGET_PAGE_MAX
	                                     : query->limit;
	/* an ordinary user's newest need no list of what they see; all else is better with one */
	bool newest = query->sort == SORT_CREATED && !target_query_filters(query);
	if ((r = target_plan(&l.plan, db, a, u, query, !newest)) != DB_END)
		return r;
	page->why = l.plan.why;
	if (l.plan.query.nothing || (l.plan.by_ids && l.plan.nids == 0))
		return DB_END;
	l.order = target_ordering(query);
	if (l.order.has_type)
		l.plan.ask_type = false;
	l.plan.ask_rights = l.plan.ask_rights && !newest;
	l.from = place_asked(&l);

	if ((r = read_page(&l, page)) != DB_END)
		return r;
	return read_rest(&l, page);
}

enum db_result
target_newest(struct db *db, struct arena *a, const struct user *u, struct target_page *page)
{
	struct target_query q = {
		.sort = SORT_CREATED, .descending = true, .limit = TARGET_NEWEST
	};

	return target_find(db, a, u, &q, page);
}

enum db_result
target_find_named(
    struct db *db, struct arena *a, const struct user *u, struct str text, int64_t *id)
{
	struct target_query q = { .sort = SORT_CREATED, .descending = true, .limit = 1 };
	struct target_key key = { .name = text, .key = target_match_key(a, text) };
	struct target_page page;
	bool found = false;
	enum db_result r;

	if (str_empty(str_trim(text)))
		return DB_END;
	struct query *same = target_names_taken(db, u, target_json_keys(a, &key, 1));
	if (db_step(same) == DB_ROW && db_col_bool(same, "visible")) {
		*id = db_col_int(same, "target_id");
		found = true;
	}
	if ((r = db_done(same)) != DB_END || found)
		return r == DB_END ? DB_ROW : r;
	q.query = text;
	if ((r = target_find(db, a, u, &q, &page)) != DB_END)
		return r;
	if (page.n != 1 || page.next.p != NULL || page.partial)
		return DB_END;
	*id = page.rows[0].target.id;
	return DB_ROW;
}
