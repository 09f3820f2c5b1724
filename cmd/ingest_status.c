/*
 * ingest_status: how the streams fare, for people and scripts, and dead letters taken once more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alert/letter_list.h"
#include "alert/stream_state.h"
#include "base/clock.h"
#include "cmd/ingest.h"
#include "cmd/letter.h"
#include "http/value.h"

struct work {
	struct config *config;
	struct db *db;
	struct arena *arena;
};

static int
open_work(struct work *w)
{
	enum db_result why = DB_REFUSED;
	char err[600];

	w->arena = arena_new();
	w->config = config_load(err, sizeof(err));
	if (w->config != NULL)
		w->db = db_new(w->config, err, sizeof(err));
	if (w->db != NULL && (why = db_schema_check(w->db, err, sizeof(err))) == DB_END)
		return INGEST_DONE;
	fprintf(stderr, "meridian-ingest: %s\n", err);
	return why == DB_AWAY ? INGEST_FAILED : INGEST_MISCONFIGURED;
}

static int
close_work(struct work *w, int status)
{
	if (status == INGEST_FAILED && w->db != NULL)
		fprintf(stderr, "meridian-ingest: %s\n", db_error(w->db));
	if (w->db != NULL)
		db_free(w->db);
	if (w->config != NULL)
		config_free(w->config);
	arena_free(w->arena);
	return status;
}

static void
set_time(struct value *v, struct query *q, const char *name)
{
	if (db_col_null(q, name))
		value_set_null(v, name);
	else
		value_set_real(v, name, (double)db_col_int(q, name) / SECOND);
}

/* A line of a daemon as an object. Times are seconds of Unix. */
static struct value *
state_of(struct query *q, struct arena *a)
{
	static const char *const numbers[] = { "pid", "messages", "alerts", "new_targets",
		"new_points", "dead" };
	struct value *v = value_object(a);

	value_set_text(v, "stream", db_col_copy(q, "stream", a));
	value_set_text(v, "host", db_col_copy(q, "host", a));
	for (size_t i = 0; i < NELEM(numbers); i++)
		value_set_int(v, numbers[i], db_col_int(q, numbers[i]));
	value_set_bool(v, "alive", clock_now() - db_col_int(q, "heartbeat") < STREAM_SILENT);
	set_time(v, q, "started");
	set_time(v, q, "heartbeat");
	set_time(v, q, "last_packet");
	value_set_real(v, "rate", db_col_real(q, "rate"));
	if (db_col_null(q, "behind"))
		value_set_null(v, "behind");
	else
		value_set_int(v, "behind", db_col_int(q, "behind"));
	value_set_text(v, "error", db_col_copy(q, "error", a));
	set_time(v, q, "error_at");
	return v;
}

static void
show_state(struct query *q)
{
	bool alive = clock_now() - db_col_int(q, "heartbeat") < STREAM_SILENT;
	struct str error = db_col_text(q, "error");

	printf("%.*s on %.*s, process %" PRId64 "%s\n", STR_ARG(db_col_text(q, "stream")),
	    STR_ARG(db_col_text(q, "host")), db_col_int(q, "pid"),
	    alive ? "" : ": nothing was heard of it lately");
	printf("  %-20s%12" PRId64 ", %.1f/s of late\n", "messages", db_col_int(q, "messages"),
	    db_col_real(q, "rate"));
	if (!db_col_null(q, "behind"))
		printf("  %-20s%12" PRId64 "\n", "waiting", db_col_int(q, "behind"));
	printf("  %-20s%12" PRId64 "\n", "alerts", db_col_int(q, "alerts"));
	printf("  %-20s%12" PRId64 "\n", "new targets", db_col_int(q, "new_targets"));
	printf("  %-20s%12" PRId64 "\n", "new points", db_col_int(q, "new_points"));
	printf("  %-20s%12" PRId64 "\n", "dead letters", db_col_int(q, "dead"));
	if (!db_col_null(q, "last_packet"))
		printf("  %-20s%12" PRId64 " s ago\n", "last packet",
		    (clock_now() - db_col_int(q, "last_packet")) / SECOND);
	if (error.n > 0)
		printf("  it waits: %.*s\n", STR_ARG(error));
}

/* A number of each stream that has one: in `to` under a name (NULL: printed with these words). */
static enum db_result
show_numbers(
    struct work *w, enum query_name name, struct value *to, const char *key, const char *what)
{
	struct query *q = db_query(w->db, name);
	struct value *v = value_object(w->arena);

	while (db_step(q) == DB_ROW) {
		struct str stream = db_col_copy(q, "stream", w->arena);

		if (to != NULL)
			value_set_int(v, stream.p, db_col_int(q, "n"));
		else
			printf("%.*s: %" PRId64 " %s\n", STR_ARG(stream), db_col_int(q, "n"), what);
	}
	if (to != NULL)
		value_set(to, key, v);
	return db_done(q);
}

/* The clusters of Kafka that each stream was read from, the latest first. */
static enum db_result
show_clusters(struct work *w, struct value *to)
{
	struct query *q = db_query(w->db, QUERY_OFFSET_CLUSTERS);
	struct value *v = value_object(w->arena), *list = NULL;
	struct str last = STR_NONE;

	while (db_step(q) == DB_ROW) {
		struct str stream = db_col_copy(q, "stream", w->arena);
		struct str cluster = db_col_copy(q, "cluster", w->arena);
		bool is_latest = !str_eq(stream, last);

		last = stream;
		if (to == NULL) {
			printf("%.*s: %s the cluster %.*s\n", STR_ARG(stream),
			    is_latest ? "was read from" : "and before that from", STR_ARG(cluster));
			continue;
		}
		if (is_latest)
			value_set(v, stream.p, list = value_list(w->arena));
		value_add_text(list, cluster);
	}
	if (to != NULL)
		value_set(to, "clusters", v);
	return db_done(q);
}

/* What is of streams, whether a daemon serves them or not. */
static enum db_result
show_streams(struct work *w, struct value *to)
{
	enum db_result r = show_numbers(
	    w, QUERY_LETTERS_COUNT, to, "dead_letters", "dead letters wait to be replayed");

	if (r == DB_END)
		r = show_numbers(w, QUERY_LOSSES, to, "lost",
		    "messages were lost: the broker threw them away before they were read");
	return r == DB_END ? show_clusters(w, to) : r;
}

static enum db_result
show_all(struct work *w, bool json)
{
	struct value *all = value_object(w->arena), *list = value_list(w->arena);
	struct query *q = db_query(w->db, QUERY_STATES);
	struct buf b = { 0 };
	bool any = false;
	enum db_result r;

	for (; db_step(q) == DB_ROW; any = true)
		if (json)
			value_add(list, state_of(q, w->arena));
		else
			show_state(q);
	if ((r = db_done(q)) != DB_END)
		return r;
	if (!json) {
		if (!any)
			puts("no daemon serves any stream");
		return show_streams(w, NULL);
	}
	value_set(all, "streams", list);
	if ((r = show_streams(w, all)) != DB_END)
		return r;
	value_json(all, &b);
	puts(b.p);
	buf_free(&b);
	return DB_END;
}

int
ingest_status(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct work w = { 0 };
	int status;

	if (argc > 1 + json) {
		fputs("usage: meridian-ingest status [--json]\n", stderr);
		return INGEST_USAGE;
	}
	status = open_work(&w);
	if (status == INGEST_DONE && show_all(&w, json) != DB_END)
		status = INGEST_FAILED;
	return close_work(&w, status);
}

/* Takes one letter. INGEST_DONE, _REJECTED (said why) or _FAILED. */
static int
replay_one(struct work *w, int64_t id)
{
	enum letter_outcome outcome = LETTER_REFUSED;
	const struct config_stream *c = NULL;
	struct stream *s;
	struct letter_place letter;
	char err[600] = "";
	enum db_result found = letter_find(w->db, w->arena, id, &letter);

	if (found != DB_ROW && found != DB_END)
		return INGEST_FAILED;
	for (size_t i = 0; (c = config_stream(w->config, i)) != NULL; i++)
		if (str_is(letter.stream, config_stream_name(c)))
			break;
	if (found == DB_END)
		snprintf(err, sizeof(err), "there is no such letter");
	else if (c == NULL)
		snprintf(err, sizeof(err), "there is no stream %s", letter.stream.p);
	else if ((s = stream_new(w->db, w->config, c, err, sizeof(err))) != NULL) {
		outcome = letter_replay(w->db, w->arena, s, id, err, sizeof(err));
		stream_free(s);
	}
	if (outcome == LETTER_REFUSED)
		fprintf(stderr, "meridian-ingest: dead letter %" PRId64 ": %s\n", id, err);
	return outcome == LETTER_TAKEN ? INGEST_DONE
	    : outcome == LETTER_FAILED ? INGEST_FAILED
	                               : INGEST_REJECTED;
}

/* Takes all that wait, in their order. */
static int
replay_all(struct work *w, int64_t *done)
{
	int64_t ids[1000], after = 0;
	int worst = INGEST_DONE;
	size_t n;

	do {
		struct query *q = db_query(w->db, QUERY_LETTERS_AFTER);

		n = 0;
		db_int(q, "after", after);
		while (db_step(q) == DB_ROW)
			ids[n++] = db_col_int(q, "id");
		if (db_done(q) != DB_END)
			return INGEST_FAILED;
		for (size_t i = 0; i < n; i++) {
			int status = replay_one(w, after = ids[i]);

			arena_reset(w->arena);
			if (status == INGEST_FAILED)
				return status;
			*done += status == INGEST_DONE;
			worst = status > worst ? status : worst;
		}
	} while (n == NELEM(ids));
	return worst;
}

int
ingest_replay(int argc, char **argv)
{
	bool all = argc == 2 && strcmp(argv[1], "--all") == 0;
	struct work w = { 0 };
	int64_t id, done = 0;
	int status;

	for (int i = 1; i < argc && !all; i++)
		if (!str_to_int64(str_of(argv[i]), &id))
			argc = 0;
	if (argc < 2) {
		fputs("usage: meridian-ingest replay --all | ID...\n", stderr);
		return INGEST_USAGE;
	}
	status = open_work(&w);
	if (status == INGEST_DONE && all)
		status = replay_all(&w, &done);
	else
		for (int i = 1;
		     i < argc && status != INGEST_FAILED && status < INGEST_MISCONFIGURED; i++) {
			int one;

			(void)str_to_int64(str_of(argv[i]), &id);
			one = replay_one(&w, id);
			done += one == INGEST_DONE;
			status = one == INGEST_FAILED || one > status ? one : status;
		}
	if (status < INGEST_MISCONFIGURED && w.db != NULL)
		printf("%" PRId64 " dead letters were taken\n", done);
	return close_work(&w, status);
}
