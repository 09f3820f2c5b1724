/*
 * source_scout: JPL's Scout, asked now and then: for the list of all objects, then for the orbits of
 * those whose analysis is a new one and that have a target or are to get one, then the MPC for what
 * became of those that left.
 *
 * What is still to be asked stands in the tables, so a run that was broken off is gone on with. The
 * position "list" says when somebody last worked at it: who finds that it is not long ago waits, so
 * that several daemons, or one that is started often, ask no more than one.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/registry.h"
#include "alert/scout_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/download.h"
#include "cmd/source.h"
#include "config.h"
#include "http/request.h"

#define MOST MIB(8) /* bytes of an answer */
#define SECONDS 60L /* of a question */
#define LEAST_INTERVAL (SECOND / 10)
#define TAKE_OVER (2 * MINUTE) /* a run that nobody has worked at for so long is anybody's */
#define LONGEST_REST (6 * HOUR) /* but for longer intervals, and what the server asks for */
#define LONGEST_ASKED DAY /* by the server */
#define FATES_EVERY 4 /* intervals */
#define FATES_OF (60 * DAY) /* who left before that is not looked up any more */

enum step { RESTING, LIST, CHOOSING, SINGLE, FATES };

struct source {
	const struct source_host *host;
	struct scout_rules rules;
	struct download *download;
	struct arena *run, *reply, *work; /* of a run, of an answer, of one try to store it */
	struct position position;
	int64_t ours; /* `next` of the position, as we left it */
	int64_t interval, pause; /* microseconds */
	enum step step;
	bool asks; /* a question is under way */
	bool holds; /* its answer was read, and waits to be stored */
	int64_t begun; /* clock_monotonic: this run */
	int64_t rests_until; /* clock_monotonic */
	int64_t fates_at; /* clock_monotonic: not before */
	unsigned failures; /* in a row */
	char trouble[400]; /* why it rests; "": it does not, or because all is done */
	struct scout_known *due;
	size_t ndue, at;
	struct scout_list list;
	struct scout_single single;
	struct mpc_fate *fates;
	size_t nfates;
	struct scout_tally done;
	struct ingest_tally tally;
};

static double
cut(const struct source_host *h, const char *key)
{
	return config_stream_real(h->config, key);
}

static struct scout_rules
rules_of(const struct source_host *h)
{
	const struct ingest_options *o = h->options;

	return (struct scout_rules){ .stream = h->stream,
		.create = o->create,
		.permissions = o->permissions,
		.groups = o->groups,
		.ngroups = o->ngroups,
		.cuts = { .min_rating = cut(h, "min_rating"),
		    .min_neo_score = cut(h, "min_neo_score"),
		    .min_pha_score = cut(h, "min_pha_score"),
		    .max_geocentric_score = cut(h, "max_geocentric_score"),
		    .max_magnitude = cut(h, "max_magnitude"),
		    .max_uncertainty = cut(h, "max_uncertainty"),
		    .max_close_approach = cut(h, "max_close_approach"),
		    .min_declination = cut(h, "min_declination"),
		    .max_declination = cut(h, "max_declination") } };
}

static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* Who asks; NULL with a sentence in err where the configuration does not let us. */
static struct download *
open_download(const struct source_host *h, char *err, size_t errsize)
{
	const char *contact = config_stream_text(h->config, "contact");
	char agent[300];

	if (!is_plain(contact) || strlen(contact) > 200) {
		snprintf(err, errsize, "contact is up to 200 characters of ASCII");
		return NULL;
	}
	if (!registry_url_will_do(config_stream_text(h->config, "url"), err, errsize) ||
	    !registry_url_will_do(config_stream_text(h->config, "mpc_url"), err, errsize))
		return NULL;
	snprintf(agent, sizeof(agent), "meridian-ingest/" PACKAGE_VERSION " (%s)", contact);
	return download_new(agent);
}

static void
close_source(struct source *s)
{
	download_free(s->download);
	arena_free(s->run);
	arena_free(s->reply);
	arena_free(s->work);
	free(s);
}

static struct source *
open_source(const struct source_host *host, char *err, size_t errsize)
{
	struct source *s;
	struct download *download = open_download(host, err, errsize);

	if (download == NULL)
		return NULL;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		arena_exhausted();
	s->host = host;
	s->rules = rules_of(host);
	s->download = download;
	s->run = arena_new();
	s->reply = arena_new();
	s->work = arena_new();
	s->position.topic = STR("list");
	s->ours = POSITION_NEW;
	s->interval = (int64_t)(config_stream_real(host->config, "interval") * SECOND);
	if (s->interval < LEAST_INTERVAL)
		s->interval = LEAST_INTERVAL;
	s->pause = (int64_t)config_stream_real(host->config, "pause_ms") * (SECOND / 1000);
	return s;
}

/* The position's next word: now, and later than the one before. */
static struct position *
place(struct source *s)
{
	int64_t now = clock_now();

	arena_reset(s->work);
	s->position.next = now > s->position.stored ? now : s->position.stored + 1;
	s->position.done = false;
	return &s->position;
}

static enum db_result
move(struct db *db, void *arg)
{
	struct source *s = arg;
	struct position *p = &s->position;

	return positions_store(db, s->host->stream, &p, 1);
}

/* The run is over: it is begun anew when its time comes, or when who has it rests. */
static void
rest(struct source *s, int64_t until)
{
	arena_reset(s->run);
	s->due = NULL;
	s->ndue = s->at = 0;
	s->step = RESTING;
	s->asks = s->holds = false;
	s->rests_until = until;
}

/* What the database did with something. SOURCE_STORED: it has it. */
static enum source_result
stored(struct source *s, enum db_result r, char *err, size_t errsize)
{
	if (r == DB_END) {
		s->ours = s->position.stored;
		s->holds = false;
		s->failures = 0;
		s->trouble[0] = '\0';
		return SOURCE_STORED;
	}
	if (r == DB_REFUSED) {
		log_info("another daemon asks Scout", LOG_STR("stream", s->host->stream));
		rest(s, 0);
		return SOURCE_NONE;
	}
	snprintf(err, errsize, "the database: %.300s", db_error(s->host->db));
	return SOURCE_DATABASE;
}

/* An answer is no good: all rests, longer each time, and as long as the server wants. */
static enum source_result
rest_for(struct source *s, const char *why, int64_t retry_after, char *err, size_t errsize)
{
	int64_t wait = s->interval << (s->failures < 6 ? s->failures : 6);
	int64_t most = s->interval > LONGEST_REST ? s->interval : LONGEST_REST;

	if (wait > most)
		wait = most;
	if (retry_after > LONGEST_ASKED / SECOND)
		retry_after = LONGEST_ASKED / SECOND;
	if (retry_after * SECOND > wait)
		wait = retry_after * SECOND;
	s->failures++;
	s->asks = s->holds = false;
	s->rests_until = clock_monotonic() + wait;
	snprintf(s->trouble, sizeof(s->trouble), "%s", why);
	str_make_utf8(s->trouble, strlen(s->trouble)); /* answers are quoted there */
	snprintf(err, errsize, "%s", s->trouble);
	return SOURCE_TROUBLE;
}

/* Why an answer is none: it did not come whole, or says that it is no success. NULL: it is one. */
static const char *
no_answer(struct source *s, const struct downloaded *f, char *why, size_t size)
{
	struct str message;

	if (f->why[0] != '\0')
		snprintf(why, size, "no answer, or half of one: %.200s", f->why);
	else if (f->status != 200) {
		message = scout_message(s->reply, f->body);
		snprintf(why, size, "the answer has status %ld%s%.*s", f->status,
		    message.n > 0 ? ": " : "", (int)(message.n < 200 ? message.n : 200),
		    str_bytes(message));
	} else
		return NULL;
	return why;
}

static void
ask(struct source *s, const char *url)
{
	arena_reset(s->reply);
	download_begin(s->download, url, MOST, SECONDS);
	s->asks = true;
}

/* Is it for us to begin a run? SOURCE_STORED: it is, and the position says so. */
static enum source_result
claim(struct source *s, char *err, size_t errsize)
{
	struct db *db = s->host->db;
	int64_t now = clock_now(), ready;
	enum db_result r = position_read(db, s->host->stream, &s->position);

	if (r == DB_END && s->position.stored == POSITION_NEW) {
		s->position.next = now;
		r = position_begin(db, s->host->stream, &s->position);
		if (r == DB_END && s->position.stored == now)
			s->ours = now;
	}
	if (r == DB_END && s->position.stored != s->ours) {
		ready = s->position.stored +
		    (s->position.stored_done || s->interval < TAKE_OVER ? s->interval : TAKE_OVER);
		/* another's clock may be ahead, by less than that; else the position is none of a clock */
		if (now < ready && s->position.stored - now < TAKE_OVER) {
			s->rests_until = clock_monotonic() + (ready - now);
			return SOURCE_NONE;
		}
	}
	if (r == DB_END) {
		(void)place(s);
		r = db_transaction(db, DB_WRITE, move, s);
		position_settle(&s->position, r == DB_END);
	}
	if (r == DB_END)
		s->ours = s->position.stored;
	if (r == DB_END || r == DB_REFUSED)
		return r == DB_END ? SOURCE_STORED : SOURCE_NONE;
	snprintf(err, errsize, "the database: %.300s", db_error(db));
	return SOURCE_DATABASE;
}

static enum source_result
take_list(struct source *s, char *err, size_t errsize)
{
	char why[400];
	enum source_result r;

	if (!s->asks && !s->holds) {
		ask(s, config_stream_text(s->host->config, "url"));
		return SOURCE_NONE;
	}
	if (s->asks) {
		struct downloaded f = download_result(s->download);

		if (no_answer(s, &f, why, sizeof(why)) != NULL ||
		    scout_read_list(s->reply, f.body, &s->list, why, sizeof(why)) != SCOUT_READ)
			return rest_for(s, why, f.retry_after, err, errsize);
		if (s->list.n == 0)
			return rest_for(
			    s, "the list is empty, which is not believed", -1, err, errsize);
		s->asks = false;
		s->holds = true;
	}
	r = stored(s,
	    scout_store_list(s->host->db, s->work, &s->rules, place(s), &s->list, &s->done), err,
	    errsize);
	if (r == SOURCE_STORED)
		s->step = CHOOSING;
	return r;
}

static enum source_result
choose(struct source *s, char *err, size_t errsize)
{
	enum db_result r;

	arena_reset(s->run);
	s->at = 0;
	r = scout_due(s->host->db, s->run, &s->rules, &s->due, &s->ndue);
	if (r != DB_END)
		return stored(s, r, err, errsize);
	s->step = SINGLE;
	return SOURCE_STORED;
}

static void
ask_for(struct source *s, const struct scout_known *k)
{
	struct str name, url;

	arena_reset(s->reply);
	name = url_encode(s->reply, k->object.name);
	url = arena_printf(s->reply, "%s?tdes=%.*s&orbits=1&n-orbits=%d",
	    config_stream_text(s->host->config, "url"), STR_ARG(name),
	    (int)config_stream_real(s->host->config, "orbits"));
	download_begin(s->download, url.p, MOST, SECONDS);
	s->asks = true;
}

/* One object was dealt with. */
static enum source_result
next_single(struct source *s, enum db_result r, char *err, size_t errsize)
{
	enum source_result result = stored(s, r, err, errsize);

	if (result != SOURCE_STORED)
		return result;
	s->asks = false;
	s->at++;
	s->rests_until = clock_monotonic() + s->pause;
	return result;
}

static enum source_result
take_single(struct source *s, char *err, size_t errsize)
{
	const struct scout_known *k = &s->due[s->at];
	struct downloaded f;
	enum scout_reply reply;
	char why[400];

	if (!s->asks) {
		ask_for(s, k);
		return SOURCE_NONE;
	}
	f = download_result(s->download);
	if (s->holds) /* it could not be stored */
		return next_single(s,
		    scout_store_single(
		        s->host->db, s->work, &s->rules, place(s), &s->single, &s->done),
		    err, errsize);
	if (f.why[0] == '\0' && f.status == 404)
		return next_single(s,
		    scout_store_unknown(
		        s->host->db, s->work, &s->rules, place(s), k, NULL, STR_NONE, &s->done),
		    err, errsize);
	if (no_answer(s, &f, why, sizeof(why)) != NULL)
		return rest_for(s, why, f.retry_after, err, errsize);
	reply = scout_read_single(s->reply, f.body, k->object.name, &s->single, why, sizeof(why));
	switch (reply) {
	case SCOUT_READ:
		s->holds = true;
		return next_single(s,
		    scout_store_single(
		        s->host->db, s->work, &s->rules, place(s), &s->single, &s->done),
		    err, errsize);
	case SCOUT_REFUSED:
	case SCOUT_FIELD:
		return next_single(s,
		    scout_store_unknown(s->host->db, s->work, &s->rules, place(s), k,
		        reply == SCOUT_FIELD ? why : NULL, f.body, &s->done),
		    err, errsize);
	case SCOUT_WRONG:
		break;
	}
	return rest_for(s, why, f.retry_after, err, errsize);
}

/* The run is over, and the position says so. */
static enum source_result
finish(struct source *s, char *err, size_t errsize)
{
	enum db_result r;

	place(s)->done = true;
	r = db_transaction(s->host->db, DB_WRITE, move, s);
	position_settle(&s->position, r == DB_END);
	if (r == DB_END) {
		s->ours = s->position.stored;
		rest(s, s->begun + s->interval);
		return SOURCE_NONE;
	}
	return stored(s, r, err, errsize);
}

/* What the MPC cannot tell now it tells later: the rest does not wait for it. */
static void
put_off(struct source *s, const char *why, int64_t retry_after)
{
	int64_t wait = FATES_EVERY * s->interval;

	if (retry_after > LONGEST_ASKED / SECOND)
		retry_after = LONGEST_ASKED / SECOND;
	if (retry_after * SECOND > wait)
		wait = retry_after * SECOND;
	if (why != NULL)
		log_warn("the MPC does not tell what became of objects",
		    LOG_STR("stream", s->host->stream), LOG_TEXT("why", why));
	s->fates_at = clock_monotonic() + wait;
	s->asks = s->holds = false;
}

static enum source_result
take_fates(struct source *s, char *err, size_t errsize)
{
	int64_t since = clock_now() - FATES_OF;
	size_t unsettled;
	char why[400];
	enum source_result r;

	if (!s->asks && !s->holds) {
		if (!config_stream_bool(s->host->config, "mpc") || clock_monotonic() < s->fates_at)
			return finish(s, err, errsize);
		if (scout_unsettled(s->host->db, since, &unsettled) != DB_END)
			return stored(s, DB_FAILED, err, errsize);
		if (unsettled == 0)
			return finish(s, err, errsize);
		ask(s, config_stream_text(s->host->config, "mpc_url"));
		return SOURCE_NONE;
	}
	if (s->asks) {
		struct downloaded f = download_result(s->download);

		if (no_answer(s, &f, why, sizeof(why)) != NULL ||
		    !mpc_read(s->reply, f.body, &s->fates, &s->nfates, why, sizeof(why))) {
			put_off(s, why, f.retry_after);
			return finish(s, err, errsize);
		}
		s->asks = false;
		s->holds = true;
	}
	r = stored(s,
	    scout_store_fates(
	        s->host->db, s->work, &s->rules, place(s), s->fates, s->nfates, since),
	    err, errsize);
	if (r == SOURCE_STORED)
		put_off(s, NULL, -1);
	return r;
}

static enum source_result
next(struct source *s, bool more, struct message *out, char *err, size_t errsize)
{
	bool answered = download_drive(s->download);
	enum source_result r;

	(void)out;
	if (!more || (s->asks && !answered))
		return SOURCE_NONE;
	if (clock_monotonic() < s->rests_until) {
		if (s->trouble[0] == '\0')
			return SOURCE_NONE;
		snprintf(err, errsize, "%s", s->trouble);
		return SOURCE_TROUBLE;
	}
	switch (s->step) {
	case RESTING:
		s->begun = clock_monotonic();
		if ((r = claim(s, err, errsize)) != SOURCE_STORED)
			return r;
		s->step = LIST;
		return take_list(s, err, errsize);
	case LIST:
		return take_list(s, err, errsize);
	case CHOOSING:
		if ((r = choose(s, err, errsize)) != SOURCE_STORED)
			return r;
		return next(s, more, out, err, errsize);
	case SINGLE:
		if (s->at < s->ndue)
			return take_single(s, err, errsize);
		s->step = FATES;
		return take_fates(s, err, errsize);
	case FATES:
		return take_fates(s, err, errsize);
	}
	return SOURCE_NONE;
}

/* Of packets, which we do not have. */
static void
nothing(struct source *s)
{
	(void)s;
}

static int
descriptor(const struct source *s)
{
	return download_descriptor(s->download);
}

/* Objects whose orbits are to be asked for. */
static int64_t
behind(const struct source *s)
{
	return (int64_t)(s->ndue - s->at);
}

static const struct ingest_tally *
tally(const struct source *s)
{
	struct ingest_tally *t = &((struct source *)(uintptr_t)s)->tally;

	t->new_objects = s->done.new_objects;
	t->new_alerts = s->done.new_runs;
	t->new_targets = s->done.new_targets;
	t->dead = s->done.dead;
	return t;
}

/* Asks for the list, and waits for it. */
static int
check(const struct source_host *host, char *err, size_t errsize)
{
	struct source *s = open_source(host, err, errsize);
	struct downloaded f;
	int r = -1;

	if (s == NULL)
		return -1;
	ask(s, config_stream_text(host->config, "url"));
	while (!download_drive(s->download)) {
		struct pollfd fd = { .fd = download_descriptor(s->download), .events = POLLIN };

		(void)poll(&fd, 1, 1000);
	}
	f = download_result(s->download);
	if (no_answer(s, &f, err, errsize) == NULL &&
	    scout_read_list(s->reply, f.body, &s->list, err, errsize) == SCOUT_READ)
		r = 0;
	close_source(s);
	return r;
}

/* A row of the list, or the answer about one object. */
static int
again(const struct source_host *host, struct str topic, struct str bytes, char *err, size_t errsize)
{
	struct scout_rules rules = rules_of(host);
	struct arena *a = arena_new();
	struct scout_single single;
	struct scout_object object;
	enum db_result r = DB_END;
	bool is_read;

	if (str_is(topic, "list")) {
		is_read = scout_read_row(a, bytes, &object, err, errsize);
		if (is_read)
			r = scout_store_row(host->db, a, &rules, &object, NULL);
	} else {
		is_read = scout_read_single(a, bytes, topic, &single, err, errsize) == SCOUT_READ;
		if (is_read)
			r = scout_store_single(host->db, a, &rules, NULL, &single, NULL);
	}
	if (r != DB_END)
		snprintf(err, errsize, "%s", db_error(host->db));
	arena_free(a);
	return r == DB_AWAY || r == DB_FULL ? -1 : r == DB_END && is_read ? 0 : 1;
}

const struct source_kind source_scout = { .name = "scout",
	.open = open_source,
	.next = next,
	.settled = nothing,
	.rewind = nothing,
	.descriptor = descriptor,
	.behind = behind,
	.check = check,
	.close = close_source,
	.tally = tally,
	.again = again };
