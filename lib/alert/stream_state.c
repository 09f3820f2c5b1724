/*
 * stream_state: how the streams fare.
 */
#include "alert/stream_state.h"

#include <stdlib.h>

#include "alert/object.h"

struct gathered {
	struct arena *arena;
	struct stream_state *list;
	size_t n, room;
};

bool
stream_daemon_lives(const struct stream_daemon *d, int64_t now)
{
	return now - d->heartbeat < STREAM_SILENT;
}

/* The stream of that name, added where it is not there. */
static struct stream_state *
state_of(struct gathered *g, struct str name)
{
	for (size_t i = 0; i < g->n; i++)
		if (str_eq(g->list[i].name, name))
			return &g->list[i];
	g->list = arena_more(g->arena, g->list, g->n, &g->room, sizeof(*g->list));
	g->list[g->n] = (struct stream_state){ .name = arena_str(g->arena, name) };
	return &g->list[g->n++];
}

static struct stream_daemon
read_daemon(struct query *q, struct arena *a)
{
	return (struct stream_daemon){
		.host = db_col_copy(q, "host", a),
		.pid = db_col_int(q, "pid"),
		.started = db_col_int(q, "started"),
		.heartbeat = db_col_int(q, "heartbeat"),
		.messages = db_col_int(q, "messages"),
		.alerts = db_col_int(q, "alerts"),
		.new_targets = db_col_int(q, "new_targets"),
		.new_points = db_col_int(q, "new_points"),
		.dead = db_col_int(q, "dead"),
		.rate = db_col_real(q, "rate"),
		.behind = db_col_null(q, "behind") ? -1 : db_col_int(q, "behind"),
		.last_packet = db_col_int(q, "last_packet"),
		.error = db_col_copy(q, "error", a),
		.error_at = db_col_int(q, "error_at"),
	};
}

static enum db_result
read_daemons(struct gathered *g, struct query *q)
{
	size_t room = 0;

	while (db_step(q) == DB_ROW) {
		size_t before = g->n;
		struct stream_state *s = state_of(g, db_col_text(q, "stream"));

		/* rows come stream by stream */
		if (g->n > before)
			room = 0;
		s->daemons = arena_more(
		    g->arena, s->daemons, s->ndaemons, &room, sizeof(*s->daemons));
		s->daemons[s->ndaemons++] = read_daemon(q, g->arena);
	}
	return db_done(q);
}

static int
by_name(const void *x, const void *y)
{
	const struct stream_state *a = x, *b = y;

	return object_compare(a->name, b->name);
}

enum db_result
stream_states(struct db *db, struct arena *a, struct stream_state **list, size_t *n)
{
	struct gathered g = { .arena = a };
	struct query *daemons = db_query(db, QUERY_STATES), *letters;
	enum db_result r, counted;

	db_start(daemons);
	letters = db_query(db, QUERY_LETTERS_COUNT);
	db_start(letters);
	r = read_daemons(&g, daemons);
	while (db_step(letters) == DB_ROW)
		state_of(&g, db_col_text(letters, "stream"))->letters = db_col_int(letters, "n");
	counted = db_done(letters);
	if (g.n > 1)
		qsort(g.list, g.n, sizeof(*g.list), by_name);
	*list = g.list;
	*n = g.n;
	return r != DB_END ? r : counted;
}
