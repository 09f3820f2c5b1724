/*
 * position: how far the parts of a stream were read, and the messages that cannot be.
 */
#include "alert/position.h"

#include "base/clock.h"

static struct str
cluster_of(const struct position *p)
{
	return p->cluster.p != NULL ? p->cluster : STR("");
}

/* Binds which row is meant. */
static struct query *
about(struct db *db, enum query_name name, struct str stream, const struct position *p)
{
	struct query *q = db_query(db, name);

	db_text(q, "stream", stream);
	db_text(q, "cluster", cluster_of(p));
	db_text(q, "topic", p->topic);
	db_int(q, "part", p->part);
	return q;
}

enum db_result
position_read(struct db *db, struct str stream, struct position *p)
{
	struct query *q = about(db, QUERY_OFFSET_READ, stream, p);

	p->stored = POSITION_NEW;
	p->next = 0;
	p->stored_done = p->done = p->moved = false;
	if (db_step(q) == DB_ROW) {
		p->stored = p->next = db_col_int(q, "next");
		p->stored_done = p->done = db_col_bool(q, "done");
	}
	return db_done(q);
}

enum db_result
position_begin(struct db *db, struct str stream, struct position *p)
{
	struct query *q = about(db, QUERY_OFFSET_BEGIN, stream, p);
	enum db_result r;

	db_int(q, "next", p->next);
	db_int(q, "now", clock_now());
	r = db_run(q);
	return r == DB_END ? position_read(db, stream, p) : r;
}

enum db_result
position_cluster(struct db *db, struct arena *a, struct str stream, struct str *cluster)
{
	struct query *q = db_query(db, QUERY_OFFSET_CLUSTERS);

	*cluster = STR_NONE;
	while (db_step(q) == DB_ROW)
		if (cluster->p == NULL && str_eq(db_col_text(q, "stream"), stream))
			*cluster = db_col_copy(q, "cluster", a);
	return db_done(q);
}

enum db_result
position_forget(struct db *db, struct str stream, const struct position *p)
{
	return db_run(about(db, QUERY_OFFSET_FORGET, stream, p));
}

enum db_result
position_skip(struct db *db, struct str stream, struct position *p, int64_t next, int64_t lost)
{
	struct query *q = about(db, QUERY_OFFSET_SKIP, stream, p);
	enum db_result r;

	db_int(q, "next", next);
	db_int(q, "lost", lost);
	db_int(q, "expected", p->stored);
	db_int(q, "now", clock_now());
	r = db_run(q);
	if (r == DB_END && db_changes(db) != 1)
		return DB_REFUSED;
	if (r == DB_END)
		p->stored = p->next = next;
	return r;
}

static enum db_result
add_new(struct db *db, struct str stream, struct position *const *list, size_t n)
{
	static const char *const columns[] = { "stream", "cluster", "topic", "part", "next", "done",
		"modified" };
	int64_t now = clock_now(), added, wanted = 0;
	struct bulk *b;
	enum db_result r;

	for (size_t i = 0; i < n; i++)
		wanted += list[i]->stored == POSITION_NEW;
	if (wanted == 0)
		return DB_END;
	b = db_bulk(db, "stream_offset", NELEM(columns), columns);
	for (size_t i = 0; i < n; i++) {
		if (list[i]->stored != POSITION_NEW)
			continue;
		db_bulk_text(b, stream);
		db_bulk_text(b, cluster_of(list[i]));
		db_bulk_text(b, list[i]->topic);
		db_bulk_int(b, list[i]->part);
		db_bulk_int(b, list[i]->next);
		db_bulk_int(b, list[i]->done);
		db_bulk_int(b, now);
	}
	r = db_bulk_end(b, &added);
	return r == DB_END && added != wanted ? DB_REFUSED : r;
}

static enum db_result
move(struct db *db, struct str stream, const struct position *p)
{
	struct query *q = about(db, QUERY_OFFSET_MOVE, stream, p);
	enum db_result r;

	db_int(q, "next", p->next);
	db_bool(q, "done", p->done);
	db_int(q, "expected", p->stored);
	db_int(q, "now", clock_now());
	r = db_run(q);
	return r == DB_END && db_changes(db) != 1 ? DB_REFUSED : r;
}

enum db_result
positions_store(struct db *db, struct str stream, struct position *const *list, size_t n)
{
	enum db_result r = add_new(db, stream, list, n);

	for (size_t i = 0; i < n && r == DB_END; i++)
		if (list[i]->stored != POSITION_NEW)
			r = move(db, stream, list[i]);
	return r;
}

void
position_settle(struct position *p, bool committed)
{
	if (committed) {
		p->stored = p->next;
		p->stored_done = p->done;
	} else {
		p->next = p->stored == POSITION_NEW ? 0 : p->stored;
		p->done = p->stored_done;
	}
	p->moved = false;
}

enum db_result
letters_store(struct db *db, struct str stream, const struct letter *list, size_t n)
{
	enum db_result r = DB_END;

	for (size_t i = 0; i < n && r == DB_END; i++) {
		struct query *q = about(db, QUERY_LETTER_ADD, stream, list[i].position);

		db_int(q, "place", list[i].place);
		db_int(q, "received", clock_now());
		db_text(q, "reason", list[i].reason);
		db_int(q, "size", (int64_t)list[i].size);
		if (list[i].bytes.p == NULL)
			db_null(q, "bytes");
		else
			db_bytes(q, "bytes", list[i].bytes.p, list[i].bytes.n);
		r = db_run(q);
	}
	return r;
}
