/*
 * letter_list: dead letters, for people.
 */
#include "alert/letter_list.h"

static struct letter_row
read_row(struct query *q, struct arena *a)
{
	return (struct letter_row){
		.id = db_col_int(q, "id"),
		.topic = db_col_copy(q, "topic", a),
		.part = db_col_int(q, "part"),
		.place = db_col_int(q, "place"),
		.received = db_col_int(q, "received"),
		.reason = db_col_copy(q, "reason", a),
		.size = db_col_int(q, "size"),
		.kept = db_col_bool(q, "kept"),
		.asked = db_col_int(q, "asked"),
		.tried = db_col_int(q, "tried"),
		.replayed = db_col_int(q, "replayed"),
		.dismissed = db_col_int(q, "dismissed"),
	};
}

enum db_result
letter_list(struct db *db, struct arena *a, struct str stream, bool waits, int64_t before,
    size_t most, struct letter_row **rows, size_t *n, bool *more)
{
	struct query *q = db_query(db, QUERY_LETTERS_OF_STREAM);

	*rows = arena_array(a, most, sizeof(**rows));
	*n = 0;
	*more = false;
	db_text(q, "stream", stream);
	db_bool(q, "waits", waits);
	db_int(q, "before", before);
	db_int(q, "limit", (int64_t)most + 1);
	while (!*more && db_step(q) == DB_ROW) {
		*more = *n == most;
		if (!*more)
			(*rows)[(*n)++] = read_row(q, a);
	}
	return db_done(q);
}

enum db_result
letter_find(struct db *db, struct arena *a, int64_t id, struct letter_place *found)
{
	struct query *q = db_query(db, QUERY_LETTER_FIND);
	enum db_result r, there;

	*found = (struct letter_place){ .stream = STR_NONE };
	db_int(q, "id", id);
	there = db_step(q);
	if (there == DB_ROW)
		*found = (struct letter_place){ .stream = db_col_copy(q, "stream", a),
			.kept = db_col_bool(q, "kept"),
			.waits = db_col_bool(q, "waits") };
	r = db_done(q);
	return r == DB_END && there == DB_ROW ? DB_ROW : r;
}

static enum db_result
change(struct db *db, enum query_name name, int64_t id, int64_t now)
{
	struct query *q = db_query(db, name);

	db_int(q, "id", id);
	db_int(q, "now", now);
	return db_run(q);
}

enum db_result
letter_ask(struct db *db, int64_t id, int64_t now)
{
	return change(db, QUERY_LETTER_ASK, id, now);
}

enum db_result
letter_dismiss(struct db *db, int64_t id, int64_t now)
{
	return change(db, QUERY_LETTER_DISMISS, id, now);
}

enum db_result
letters_ask(struct db *db, struct str stream, int64_t now, int64_t *n)
{
	struct query *q = db_query(db, QUERY_LETTERS_ASK);
	enum db_result r;

	db_text(q, "stream", stream);
	db_int(q, "now", now);
	r = db_run(q);
	*n = db_changes(db);
	return r;
}
