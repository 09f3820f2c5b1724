/*
 * stream: one stream of the daemon.
 *
 * A batch that cannot be written waits in memory, and nothing more is taken meanwhile: what is away
 * comes back. Only where the fence says that somebody else has our place it is forgotten, and read
 * anew from where the table stands.
 *
 * A batch that the database refuses, and would always, is read again in parts, half as long each time,
 * until the message is found that it refuses: that one is put aside, and the parts grow again. What the
 * database refuses even of a message put aside is not the message's fault: then the stream waits.
 *
 * What fails otherwise (a time limit, a connection that breaks, an error of no known kind) may pass, and is
 * tried again. Where it fails time after time, though the database does other things meanwhile, it is
 * taken for refused: else one message that a server stumbles over would hold up its stream for ever.
 */
#include "cmd/stream.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/stream_options.h"

#define LEAST_PAUSE (SECOND / 4)
#define LONGEST_PAUSE (5 * SECOND) /* what is back is noticed soon: asking costs little */
#define TURN SECOND /* a stream takes no longer, but for one thing, before others have their turn */
#define TRIES 6 /* of a batch that fails, while the database does other things */
#define RATE_OF (60 * SECOND) /* the rate is that of so long, about */
#define EXPIRES (24 * 3600 * SECOND) /* what a killed daemon said */

struct stream {
	struct db *db;
	const struct config_stream *config;
	struct source_host host;
	const struct source_kind *kind;
	struct source *source; /* NULL: not open */
	struct arena *arena; /* of what lives as long as the stream */
	struct confluent *schemas;
	struct mapping *map; /* NULL: the surveys known by heart */
	struct ingest_options options;
	struct ingest_cuts cuts;
	struct ingest *ingest;
	bool in_file; /* ingest_next() is to be called */
	size_t most; /* that a batch may have, since something was refused; 0: as configured */
	bool last_is_there; /* the message taken last: the source was not asked again since */
	struct str last; /* its bytes; absent: they lie elsewhere */
	bool drained;
	bool replays; /* a dead letter is taken: its reason is for the caller */
	int64_t batch_time; /* a packet waits so long */
	int64_t first; /* clock_monotonic: the batch began; 0: it is empty */
	int64_t retry; /* clock_monotonic: nothing before; 0: now */
	unsigned failures; /* in a row */
	unsigned vain; /* tries to write the batch that failed, though the database was there */
	bool answers; /* the database has done something since */
	uint64_t messages, counted; /* taken; at the last report */
	int64_t last_message; /* clock_now; 0: none */
	int64_t reported; /* clock_monotonic */
	double rate;
	char error[400]; /* why it waits; "": it does not */
	int64_t error_at;
	char reason[400]; /* why the last message was rejected */
	char host_name[100];
	bool told; /* it has a line in stream_state */
	int64_t said; /* clock_now: when it last said something there */
};

static void
on_reject(void *arg, const char *file, const char *why)
{
	struct stream *s = arg;

	snprintf(s->reason, sizeof(s->reason), "%s", why);
	if (!s->replays)
		log_warn("a message cannot be read and was put aside",
		    LOG_TEXT("stream", config_stream_name(s->config)), LOG_TEXT("topic", file),
		    LOG_TEXT("reason", why));
}

/* Something is away: all rests for a while, longer each time, and not at the same moment everywhere. */
static void
wait_for(struct stream *s, const char *why)
{
	int64_t pause = LEAST_PAUSE << (s->failures < 8 ? s->failures : 8);

	if (pause > LONGEST_PAUSE)
		pause = LONGEST_PAUSE;
	pause = pause / 2 + random() % (pause / 2 + 1);
	s->last_is_there = false;
	s->retry = clock_monotonic() + pause;
	if (strcmp(s->error, why) != 0)
		log_warn("the stream waits", LOG_TEXT("stream", config_stream_name(s->config)),
		    LOG_TEXT("for", why));
	s->failures++;
	snprintf(s->error, sizeof(s->error), "%s", why);
	str_make_utf8(s->error, strlen(s->error)); /* it may be cut within a character */
	s->error_at = clock_now();
}

static void
goes_on(struct stream *s)
{
	if (s->error[0] != '\0')
		log_info("the stream goes on", LOG_TEXT("stream", config_stream_name(s->config)));
	s->failures = 0;
	s->retry = 0;
	s->error[0] = '\0';
}

/* What was taken is forgotten, and read anew. */
static void
rewind_stream(struct stream *s)
{
	ingest_forget(s->ingest);
	s->in_file = s->drained = s->last_is_there = false;
	s->first = 0;
	if (s->source != NULL)
		s->kind->rewind(s->source);
}

/* The batch was written. */
static void
written(struct stream *s)
{
	s->first = 0;
	s->most = 2 * s->most < s->options.packets ? 2 * s->most : 0;
	if (s->most == 0)
		s->vain = 0; /* what is looked for in parts is not waited for with each */
	goes_on(s);
	if (s->source != NULL)
		s->kind->settled(s->source);
}

/* It failed, and what fails now and then is not the batch's fault. */
static bool
fails_always(struct stream *s, enum db_result r)
{
	if (r == DB_FULL || (r == DB_AWAY && !s->answers))
		return false;
	s->answers = false;
	return ++s->vain >= TRIES;
}

/* The batch was refused, which another try would not change. False: the stream waits. */
static bool
divide(struct stream *s)
{
	size_t taken = ingest_taken(s->ingest);
	char why[400];

	snprintf(why, sizeof(why), "the database %s it: %.300s",
	    s->vain > 0 ? "fails over" : "refuses", db_error(s->db));
	if (taken > 1 || (!s->last_is_there && s->most != 1)) {
		if (s->most == 0)
			log_warn("a batch cannot be stored: it is taken in parts",
			    LOG_TEXT("stream", config_stream_name(s->config)),
			    LOG_INT("messages", (int64_t)taken),
			    LOG_TEXT("error", db_error(s->db)));
		s->most = taken > 1 ? taken / 2 : 1;
		rewind_stream(s);
		return true;
	}
	if (s->last_is_there) {
		ingest_condemn(s->ingest, s->last, why);
		if (ingest_flush(s->ingest) == DB_END) {
			s->vain = 0;
			written(s);
			return true;
		}
	}
	rewind_stream(s);
	wait_for(s, why);
	return false;
}

/* Writes the batch. False: it could not be, and the stream waits. */
static bool
flush(struct stream *s)
{
	enum db_result r = ingest_flush(s->ingest);
	char why[400];

	if (r == DB_END) {
		written(s);
		return true;
	}
	if (ingest_was_fenced(s->ingest)) {
		log_info("another daemon reads what was ours",
		    LOG_TEXT("stream", config_stream_name(s->config)));
		rewind_stream(s);
		wait_for(s, "another daemon has the place that we read from");
		return false;
	}
	if (r == DB_REFUSED || r == DB_TAKEN || fails_always(s, r))
		return divide(s);
	snprintf(why, sizeof(why), "the database: %.300s", db_error(s->db));
	wait_for(s, why);
	return false;
}

/* A source gives up positions: what cannot be written now is somebody else's to read. */
static void
flush_for_source(void *arg)
{
	struct stream *s = arg;
	enum db_result r = ingest_is_empty(s->ingest) ? DB_END : ingest_flush(s->ingest);

	if (r != DB_END)
		ingest_forget(s->ingest);
	s->in_file = false;
	s->first = 0;
}

static const char *
given(const struct config_stream *c, const char *key)
{
	const char *value = config_stream_text(c, key);

	return value[0] != '\0' ? value : NULL;
}

struct stream *
stream_new(struct db *db, const struct config *config, const struct config_stream *c, char *err,
    size_t errsize)
{
	const struct confluent_options schemas = {
		.directory = given(c, "schemas"),
		.registry = given(c, "registry"),
		.seconds = 5,
		.patience = LEAST_PAUSE / 2 /* the stream itself waits */
	};
	static const struct source_kind *const kinds[] = { &source_files, &source_kafka,
		&source_scout };
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		arena_exhausted();
	s->db = db;
	s->config = c;
	s->arena = arena_new();
	for (size_t i = 0; i < NELEM(kinds); i++)
		if (strcmp(config_stream_text(c, "source"), kinds[i]->name) == 0)
			s->kind = kinds[i];
	s->host = (struct source_host){ .db = db,
		.config = c,
		.stream = str_of(config_stream_name(c)),
		.options = &s->options,
		.flush = flush_for_source,
		.arg = s };
	gethostname(s->host_name, sizeof(s->host_name) - 1);
	s->batch_time = (int64_t)config_stream_real(c, "batch_ms") * (SECOND / 1000);
	if (!stream_options_read(db, s->arena, config, c, &s->options, &s->cuts, err, errsize))
		goto free_stream;
	if (given(c, "map") != NULL) {
		s->map = mapping_read(given(c, "map"), err, errsize);
		if (s->map == NULL)
			goto free_stream;
		s->options.map = s->map;
	}
	if (schemas.directory != NULL || schemas.registry != NULL) {
		s->schemas = confluent_new(mapping_shapes(s->map), &schemas, err, errsize);
		if (s->schemas == NULL)
			goto free_stream;
		s->options.schemas = s->schemas;
	}
	s->ingest = ingest_new(db, &s->options, on_reject, s);
	return s;
free_stream:
	stream_free(s);
	return NULL;
}

/* Binds whose line of stream_state it is. */
static struct query *
about(struct stream *s, enum query_name name)
{
	struct query *q = db_query(s->db, name);

	db_text(q, "stream", s->host.stream);
	db_text(q, "host", str_of(s->host_name));
	db_int(q, "pid", getpid());
	return q;
}

void
stream_free(struct stream *s)
{
	if (s->source != NULL) {
		rewind_stream(s);
		s->kind->close(s->source);
	}
	if (s->told)
		(void)!db_run(about(s, QUERY_STATE_REMOVE));
	ingest_free(s->ingest);
	confluent_free(s->schemas);
	mapping_free(s->map);
	arena_free(s->arena);
	free(s);
}

/* A message, or a record of a file, was met; bytes: of the message. */
static void
count(struct stream *s, struct str bytes)
{
	s->messages++;
	s->last_message = clock_now();
	s->last = bytes;
	s->last_is_there = true;
	if (s->first == 0)
		s->first = clock_monotonic();
}

/* Reading has failed (a disk, a file system that is mounted from elsewhere): later, and all else first. */
static bool
put_off(struct stream *s, const char *why)
{
	if (!ingest_is_empty(s->ingest))
		(void)flush(s);
	ingest_forget(s->ingest);
	if (s->kind->put_off != NULL)
		s->kind->put_off(s->source);
	rewind_stream(s);
	wait_for(s, why);
	return false;
}

/* What came of a step into a file. */
static bool
taken_of_file(struct stream *s, enum ingest_step step, const char *why)
{
	if (step == INGEST_UNREADABLE)
		return put_off(s, why);
	s->in_file = step == INGEST_MORE;
	count(s, STR_NONE);
	return true;
}

/* The next thing of the source. False: there is none now. */
static bool
take_next(struct stream *s)
{
	struct message m;
	char err[400] = "";

	if (s->in_file)
		return taken_of_file(s, ingest_next(s->ingest, err, sizeof(err)), err);
	s->last_is_there = false;
	switch (s->kind->next(s->source, true, &m, err, sizeof(err))) {
	case SOURCE_MESSAGE:
		if (ingest_message(s->ingest, m.position, m.place, m.bytes, err, sizeof(err)) ==
		    INGEST_AWAY) {
			/* what came before it is written first; where it cannot be, it is read
			 * again, as the message must be: the source has given it out */
			if (!ingest_is_empty(s->ingest))
				(void)flush(s);
			rewind_stream(s);
			wait_for(s, err);
			return false;
		}
		count(s, m.bytes);
		return true;
	case SOURCE_FILE:
		return taken_of_file(
		    s, ingest_begin(s->ingest, m.position, m.fd, err, sizeof(err)), err);
	case SOURCE_END:
	case SOURCE_BROKEN:
		ingest_end(s->ingest, m.position, err[0] != '\0' ? err : NULL);
		if (s->first == 0)
			s->first = clock_monotonic();
		return true;
	case SOURCE_PASSED:
		return true;
	case SOURCE_STORED:
		s->messages++;
		s->last_message = clock_now();
		goes_on(s);
		return true;
	case SOURCE_DRAINED:
		s->drained = true;
		return false;
	case SOURCE_UNREADABLE:
		return put_off(s, err);
	case SOURCE_TROUBLE:
	case SOURCE_DATABASE:
		wait_for(s, err);
		return false;
	case SOURCE_NONE:
		break;
	}
	return false;
}

static bool
open_stream(struct stream *s)
{
	char err[400] = "";

	if (s->source == NULL && (s->source = s->kind->open(&s->host, err, sizeof(err))) == NULL)
		wait_for(s, err);
	return s->source != NULL;
}

static bool
is_full(const struct stream *s)
{
	return ingest_is_full(s->ingest) || (s->most != 0 && ingest_taken(s->ingest) >= s->most);
}

bool
stream_serve(struct stream *s, const volatile int *stop)
{
	struct message m;
	char err[400];
	bool more = true;
	int64_t until = clock_monotonic() + TURN;

	if (s->retry > clock_monotonic()) {
		/* brokers want to hear of us meanwhile */
		if (s->source != NULL)
			(void)s->kind->next(s->source, false, &m, err, sizeof(err));
		return false;
	}
	if (!open_stream(s))
		return false;
	if (s->retry != 0 && !ingest_is_empty(s->ingest) && !flush(s))
		return false;
	s->retry = 0;
	while (more && *stop == 0 && !is_full(s) && clock_monotonic() < until)
		more = take_next(s);
	if (s->retry != 0)
		return false;
	if (ingest_is_empty(s->ingest)) {
		if (s->error[0] != '\0' && !more)
			goes_on(s);
		/* rejected packets take memory, too */
		return ingest_is_full(s->ingest) ? flush(s) : more;
	}
	if (is_full(s) || s->drained || clock_monotonic() - s->first >= s->batch_time)
		return flush(s) && (more || s->most != 0);
	return more;
}

void
stream_drain(struct stream *s)
{
	if (!ingest_is_empty(s->ingest))
		(void)flush(s);
}

bool
stream_is_drained(const struct stream *s)
{
	return s->drained && ingest_is_empty(s->ingest);
}

const char *
stream_name(const struct stream *s)
{
	return config_stream_name(s->config);
}

int
stream_descriptor(const struct stream *s)
{
	return s->source != NULL && s->retry == 0 ? s->kind->descriptor(s->source) : -1;
}

int64_t
stream_wakes(const struct stream *s)
{
	if (s->retry != 0)
		return s->retry;
	return s->first != 0 ? s->first + s->batch_time : INT64_MAX;
}

int64_t
stream_keeps_since(const struct stream *s)
{
	int64_t days = (int64_t)config_stream_real(s->config, "keep_letters");

	return days > 0 ? clock_now() - days * DAY : 0;
}

static enum db_result
tell(struct stream *s)
{
	const struct ingest_tally *t = s->source != NULL && s->kind->tally != NULL
	    ? s->kind->tally(s->source)
	    : ingest_tally(s->ingest);
	struct query *q = about(s, QUERY_STATE_CHANGE);
	int64_t behind = s->source != NULL ? s->kind->behind(s->source) : -1, now = clock_now();
	enum db_result r;

	db_int(q, "said", s->said);
	db_int(q, "now", now);
	db_int(q, "messages", (int64_t)s->messages);
	db_int(q, "alerts", (int64_t)t->new_alerts);
	db_int(q, "new_targets", (int64_t)t->new_targets);
	db_int(q, "new_points", (int64_t)t->new_points);
	db_int(q, "dead", (int64_t)t->dead);
	db_real(q, "rate", s->rate);
	if (behind < 0)
		db_null(q, "behind");
	else
		db_int(q, "behind", behind);
	if (s->last_message == 0)
		db_null(q, "last_packet");
	else
		db_int(q, "last_packet", s->last_message);
	db_text(q, "error", str_of(s->error));
	if (s->error_at == 0)
		db_null(q, "error_at");
	else
		db_int(q, "error_at", s->error_at);
	r = db_run(q);
	if (r == DB_END)
		s->said = now;
	return r;
}

static enum db_result
begin_telling(struct stream *s)
{
	struct query *q = db_query(s->db, QUERY_STATE_EXPIRE);
	enum db_result r;

	db_text(q, "stream", s->host.stream);
	db_int(q, "before", clock_now() - EXPIRES);
	if ((r = db_run(q)) != DB_END)
		return r;
	/* of an earlier process of this number, or of the time that the database went back to */
	if ((r = db_run(about(s, QUERY_STATE_REMOVE))) != DB_END)
		return r;
	q = about(s, QUERY_STATE_ADD);
	s->said = clock_now();
	db_int(q, "now", s->said);
	r = db_run(q);
	s->told = r == DB_END;
	return r;
}

/*
 * Our line is gone, or says what we said before: the database is that of an earlier time, a backup or a
 * replica that lagged, and so are the positions. What was read since is read again, also where nothing
 * new comes.
 */
static void
begin_anew(struct stream *s)
{
	log_warn("the database has forgotten the stream: it is begun anew",
	    LOG_TEXT("stream", config_stream_name(s->config)));
	s->told = false;
	rewind_stream(s);
	if (s->source != NULL)
		s->kind->close(s->source);
	s->source = NULL;
}

void
stream_report(struct stream *s)
{
	int64_t now = clock_monotonic();
	double seconds = (double)(now - s->reported) / SECOND, share;

	if (s->reported != 0 && seconds > 0) {
		share = 1 - exp(-(double)(now - s->reported) / RATE_OF);
		s->rate += share * ((double)(s->messages - s->counted) / seconds - s->rate);
	}
	s->reported = now;
	s->counted = s->messages;
	if (!s->told && begin_telling(s) != DB_END)
		return;
	if (tell(s) != DB_END)
		return;
	s->answers = true;
	if (db_changes(s->db) == 0)
		begin_anew(s);
	else if (s->source != NULL && s->kind->moved != NULL && ingest_is_empty(s->ingest) &&
	    s->kind->moved(s->source)) {
		log_warn("somebody has moved a position: it is read on from there",
		    LOG_TEXT("stream", config_stream_name(s->config)));
		rewind_stream(s);
	}
}

int
stream_check(struct stream *s, char *err, size_t errsize)
{
	return s->kind->check(&s->host, err, errsize);
}

int
stream_replay(struct stream *s, struct str topic, struct str bytes, char *err, size_t errsize)
{
	struct position none = { .topic = topic };
	struct ingest *in;
	enum db_result r;
	int taken = 0;

	if (s->kind->again != NULL)
		return s->kind->again(&s->host, topic, bytes, err, errsize);
	in = ingest_new(s->db, &s->options, on_reject, s);
	s->replays = true;
	if (ingest_again(in, &none, bytes, err, errsize) == INGEST_AWAY)
		taken = 1;
	else if ((r = ingest_flush(in)) != DB_END) {
		snprintf(err, errsize, "%s", db_error(s->db));
		taken = r == DB_AWAY || r == DB_FULL ? -1 : 1;
	} else if (ingest_tally(in)->rejected > 0) {
		snprintf(err, errsize, "%s", s->reason);
		taken = 1;
	}
	s->replays = false;
	ingest_free(in);
	return taken;
}
