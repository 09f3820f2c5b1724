/*
 * source_kafka: messages of topics of Apache Kafka, by librdkafka, as one of a consumer group.
 *
 * Where a partition goes on says our table (alert/position.h), read when the group gives us the
 * partition; the broker is told what was written afterwards, for those who look there. When the group
 * takes it away, what was taken is written first. librdkafka's threads fetch; all here is one thread.
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/kafka_settings.h"
#include "cmd/notify.h"
#include "cmd/source.h"

#define ASK_MS 10000 /* what a broker may take for an answer */
#define LOOKS 8 /* at positions, with each report */

struct part {
	struct position position;
	struct part *next;
};

struct source {
	const struct source_host *host;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	int event; /* readable when the queue was empty and is not */
	rd_kafka_topic_partition_list_t *wanted; /* given to us, not begun yet; NULL: none */
	struct part *parts; /* ours */
	struct part *looked; /* at last, by moved(); NULL: at none */
	char *cluster; /* of which the brokers are, and the parts; "": it has no name */
	rd_kafka_message_t *message; /* given out last */
	bool held; /* nothing is to be fetched */
	bool again; /* the assignment is to be taken anew */
	bool begun; /* the partitions that are there when a stream begins were seen */
	char trouble[300]; /* of the brokers; "": none */
};

static void
on_error(rd_kafka_t *rk, int code, const char *reason, void *arg)
{
	struct source *s = arg;

	(void)rk;
	snprintf(s->trouble, sizeof(s->trouble), "%s: %s",
	    rd_kafka_err2str((rd_kafka_resp_err_t)code), reason);
}

static void
drop_parts(struct source *s)
{
	s->looked = NULL;
	while (s->parts != NULL) {
		struct part *p = s->parts;

		s->parts = p->next;
		free((char *)(uintptr_t)p->position.topic.p);
		free(p);
	}
}

static void
give_up_parts(struct source *s)
{
	s->host->flush(s->host->arg);
	drop_parts(s);
	if (s->wanted != NULL)
		rd_kafka_topic_partition_list_destroy(s->wanted);
	s->wanted = NULL;
}

static void
on_rebalance(
    rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *arg)
{
	struct source *s = arg;

	give_up_parts(s);
	rd_kafka_assign(rk, NULL);
	/* begun by next(), where the database may be away for a while */
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
		s->wanted = rd_kafka_topic_partition_list_copy(list);
	log_info(code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "partitions were given to us"
	                                                      : "partitions were taken from us",
	    LOG_TEXT("stream", s->host->stream.p), LOG_INT("partitions", list->cnt));
}

static void
on_token_wanted(rd_kafka_t *rk, const char *unused, void *arg)
{
	const struct source *s = arg;

	(void)unused;
	kafka_fetch_token(rk, s->host->config);
}

/* What librdkafka is told, and whom it tells. */
static rd_kafka_conf_t *
configure(struct source *s, char *err, size_t errsize)
{
	rd_kafka_conf_t *c = kafka_configure(s->host->config, err, errsize);

	if (c == NULL)
		return NULL;
	rd_kafka_conf_set_opaque(c, s);
	if (kafka_wants_token(s->host->config))
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(c, on_token_wanted);
	return c;
}

static void close_source(struct source *);

static int
subscribe(struct source *s, char *err, size_t errsize)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(8);
	rd_kafka_resp_err_t code;
	struct buf b = { 0 };
	struct str item;

	for (size_t i = 0; (item = config_stream_item(s->host->config, "topics", i)).p != NULL;
	     i++) {
		kafka_pattern(&b, item);
		rd_kafka_topic_partition_list_add(topics, b.p, RD_KAFKA_PARTITION_UA);
	}
	buf_free(&b);
	code = rd_kafka_subscribe(s->rk, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	snprintf(err, errsize, "%s", rd_kafka_err2str(code));
	return -1;
}

static struct source *
open_source(const struct source_host *host, char *err, size_t errsize)
{
	static const uint64_t one = 1;
	struct source *s = calloc(1, sizeof(*s));
	rd_kafka_conf_t *c;

	if (s == NULL)
		arena_exhausted();
	s->host = host;
	s->event = -1;
	if ((c = configure(s, err, errsize)) == NULL) {
		free(s);
		return NULL;
	}
	rd_kafka_conf_set_rebalance_cb(c, on_rebalance);
	rd_kafka_conf_set_error_cb(c, on_error);
	if ((s->rk = rd_kafka_new(RD_KAFKA_CONSUMER, c, err, errsize)) == NULL) {
		rd_kafka_conf_destroy(c);
		free(s);
		return NULL;
	}
	rd_kafka_poll_set_consumer(s->rk);
	s->queue = rd_kafka_queue_get_consumer(s->rk);
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event >= 0)
		rd_kafka_queue_io_event_enable(s->queue, s->event, &one, sizeof(one));
	if (subscribe(s, err, errsize) != 0) {
		close_source(s);
		return NULL;
	}
	return s;
}

/* The oldest offset of a partition, or the one behind its newest message. */
static int
ask_offset(struct source *s, const char *topic, int32_t partition, bool newest, int64_t *next)
{
	int64_t low, high;
	rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
	    s->rk, topic, partition, &low, &high, ASK_MS);

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(
		    s->trouble, sizeof(s->trouble), "%.100s: %s", topic, rd_kafka_err2str(code));
		return -1;
	}
	*next = newest ? high : low;
	notify_alive(); /* there may be many partitions */
	return 0;
}

static bool
is_wished(const struct source *s, const char *topic)
{
	struct str item;

	for (size_t i = 0; (item = config_stream_item(s->host->config, "topics", i)).p != NULL; i++)
		if (fnmatch(item.p, topic, 0) == 0)
			return true;
	return false;
}

/*
 * Which cluster the brokers are of now. An offset is one of its cluster: the brokers' names may have become
 * those of another, whose messages have the same numbers. What was read of it is known by its own rows, and
 * where there are none it begins as a stream does.
 */
static enum source_result
know_cluster(struct source *s)
{
	const rd_kafka_metadata_t *some;
	/* it is told with these, and kept: it may be older than the assignment */
	rd_kafka_resp_err_t code = rd_kafka_metadata(s->rk, 0, NULL, &some, ASK_MS);
	struct arena *a;
	struct str latest;
	enum db_result r;
	char *id;

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(s->trouble, sizeof(s->trouble), "%s", rd_kafka_err2str(code));
		return SOURCE_TROUBLE;
	}
	rd_kafka_metadata_destroy(some);
	id = rd_kafka_clusterid(s->rk, ASK_MS);
	if (s->cluster != NULL && strcmp(s->cluster, id != NULL ? id : "") == 0) {
		rd_kafka_mem_free(s->rk, id);
		return SOURCE_NONE;
	}
	a = arena_new();
	r = position_cluster(s->host->db, a, s->host->stream, &latest);
	if (r == DB_END) {
		free(s->cluster);
		s->cluster = strdup(id != NULL ? id : "");
		if (s->cluster == NULL)
			arena_exhausted();
		s->begun = false;
	}
	if (r == DB_END && latest.p != NULL && !str_is(latest, s->cluster)) {
		log_warn("the brokers are of another cluster than before: its own positions count",
		    LOG_TEXT("stream", s->host->stream.p), LOG_STR("before", latest),
		    LOG_TEXT("now", s->cluster));
		snprintf(s->trouble, sizeof(s->trouble),
		    "the brokers are of the cluster %.100s, and were of %.100s: it is read from "
		    "where "
		    "it was left, or begun",
		    s->cluster, latest.p);
	}
	rd_kafka_mem_free(s->rk, id);
	arena_free(a);
	return r != DB_END ? SOURCE_DATABASE : s->trouble[0] != '\0' ? SOURCE_TROUBLE : SOURCE_NONE;
}

/* Makes the rows of all partitions of a topic, behind their newest messages. */
static enum source_result
pass_over(struct source *s, const rd_kafka_metadata_topic_t *topic)
{
	for (int i = 0; i < topic->partition_cnt; i++) {
		struct position p = { .cluster = str_of(s->cluster),
			.topic = str_of(topic->topic),
			.part = topic->partitions[i].id };

		if (ask_offset(s, topic->topic, topic->partitions[i].id, true, &p.next) != 0)
			return SOURCE_TROUBLE;
		if (position_begin(s->host->db, s->host->stream, &p) != DB_END)
			return SOURCE_DATABASE;
	}
	return SOURCE_NONE;
}

/*
 * `start = latest` is about what is there when the stream is first read. Then a row is made for each
 * partition, whoever is given it, and one of no topic, which says that it was done: what comes later, a
 * partition that was added or the topic of another night, is read from its first message.
 */
static enum source_result
begin_stream(struct source *s)
{
	struct position mark = { .cluster = str_of(s->cluster), .topic = STR("") };
	const rd_kafka_metadata_t *all;
	enum source_result r = SOURCE_NONE;
	rd_kafka_resp_err_t code;

	if (s->begun || strcmp(config_stream_text(s->host->config, "start"), "latest") != 0)
		return SOURCE_NONE;
	if (position_read(s->host->db, s->host->stream, &mark) != DB_END)
		return SOURCE_DATABASE;
	if (mark.stored == POSITION_NEW) {
		code = rd_kafka_metadata(s->rk, 1, NULL, &all, ASK_MS);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
			snprintf(s->trouble, sizeof(s->trouble), "%s", rd_kafka_err2str(code));
			return SOURCE_TROUBLE;
		}
		for (int i = 0; i < all->topic_cnt && r == SOURCE_NONE; i++)
			if (is_wished(s, all->topics[i].topic))
				r = pass_over(s, &all->topics[i]);
		rd_kafka_metadata_destroy(all);
		if (r == SOURCE_NONE &&
		    position_begin(s->host->db, s->host->stream, &mark) != DB_END)
			r = SOURCE_DATABASE;
	}
	s->begun = r == SOURCE_NONE;
	return r;
}

/* Reads where the partition goes on. */
static enum source_result
begin_part(struct source *s, rd_kafka_topic_partition_t *tp)
{
	struct part *p = calloc(1, sizeof(*p));
	enum db_result r;

	if (p == NULL || (p->position.topic.p = strdup(tp->topic)) == NULL)
		arena_exhausted();
	p->position.topic.n = strlen(tp->topic);
	p->position.cluster = str_of(s->cluster);
	p->position.part = tp->partition;
	p->next = s->parts;
	s->parts = p;
	r = position_read(s->host->db, s->host->stream, &p->position);
	if (r == DB_END && p->position.stored == POSITION_NEW) {
		if (ask_offset(s, tp->topic, tp->partition, false, &p->position.next) != 0)
			return SOURCE_TROUBLE;
		r = position_begin(s->host->db, s->host->stream, &p->position);
	}
	tp->offset = p->position.next;
	return r == DB_END ? SOURCE_NONE : SOURCE_DATABASE;
}

/* Begins what the group has given us. SOURCE_NONE: done. */
static enum source_result
begin_wanted(struct source *s, char *err, size_t errsize)
{
	rd_kafka_resp_err_t code;
	enum source_result r;

	s->trouble[0] = '\0';
	if ((r = know_cluster(s)) == SOURCE_NONE)
		r = begin_stream(s);
	for (int i = 0; i < s->wanted->cnt && r == SOURCE_NONE; i++)
		r = begin_part(s, &s->wanted->elems[i]);
	if (r != SOURCE_NONE) {
		drop_parts(s);
		snprintf(
		    err, errsize, "%s", r == SOURCE_TROUBLE ? s->trouble : db_error(s->host->db));
		return r;
	}
	code = rd_kafka_assign(s->rk, s->wanted);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR && s->held)
		rd_kafka_pause_partitions(s->rk, s->wanted);
	rd_kafka_topic_partition_list_destroy(s->wanted);
	s->wanted = NULL;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SOURCE_NONE;
	snprintf(err, errsize, "%s", rd_kafka_err2str(code));
	return SOURCE_TROUBLE;
}

/* All that we have is to be begun anew. */
static void
take_anew(struct source *s)
{
	rd_kafka_topic_partition_list_t *list = NULL;

	if (s->wanted != NULL || rd_kafka_assignment(s->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	give_up_parts(s);
	rd_kafka_assign(s->rk, NULL);
	s->wanted = list;
}

static void
hold(struct source *s, bool held)
{
	rd_kafka_topic_partition_list_t *list = NULL;

	if (s->held == held)
		return;
	s->held = held;
	if (rd_kafka_assignment(s->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (held)
		rd_kafka_pause_partitions(s->rk, list);
	else
		rd_kafka_resume_partitions(s->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static struct part *
find_part(struct source *s, const char *topic, int32_t partition)
{
	for (struct part *p = s->parts; p != NULL; p = p->next)
		if (p->position.part == partition && str_is(p->position.topic, topic))
			return p;
	return NULL;
}

/*
 * The broker has no message of our offset: it has thrown away what we did not read, or the topic was
 * made anew. It goes on with the oldest that there is, and what lies between is counted.
 */
static void
skip_to(struct source *s, struct part *p, int64_t low, int64_t high)
{
	struct position *at = &p->position;
	int64_t lost;
	enum db_result r;

	s->host->flush(s->host->arg);
	lost = at->stored < low ? low - at->stored : 0;
	log_error("the broker has no such offset: what lay between is lost to us",
	    LOG_TEXT("stream", s->host->stream.p), LOG_TEXT("topic", at->topic.p),
	    LOG_INT("partition", at->part), LOG_INT("offset", at->stored), LOG_INT("oldest", low),
	    LOG_INT("end", high), LOG_INT("lost", lost));
	r = position_skip(s->host->db, s->host->stream, at, low, lost);
	if (r != DB_END && r != DB_REFUSED)
		snprintf(
		    s->trouble, sizeof(s->trouble), "the database: %.250s", db_error(s->host->db));
}

static void
begin_again(struct source *s, const rd_kafka_message_t *m)
{
	const char *topic = rd_kafka_topic_name(m->rkt);
	struct part *p = find_part(s, topic, m->partition);
	rd_kafka_resp_err_t code;
	int64_t low, high;

	if (p == NULL)
		return; /* of an assignment that is over */
	s->again = true; /* its fetcher has stopped */
	code = rd_kafka_query_watermark_offsets(s->rk, topic, m->partition, &low, &high, ASK_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(
		    s->trouble, sizeof(s->trouble), "%.100s: %s", topic, rd_kafka_err2str(code));
	else if (p->position.next < low || p->position.next > high)
		skip_to(s, p, low, high);
}

static enum source_result
trouble(struct source *s, const rd_kafka_message_t *m, char *err, size_t errsize)
{
	switch (m->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		return SOURCE_NONE;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		begin_again(s, m);
		return SOURCE_NONE;
	default:
		snprintf(err, errsize, "%s", rd_kafka_message_errstr(m));
		return SOURCE_TROUBLE;
	}
}

static enum source_result
next(struct source *s, bool more, struct message *out, char *err, size_t errsize)
{
	enum source_result r = SOURCE_NONE;
	uint64_t events;

	if (s->message != NULL)
		rd_kafka_message_destroy(s->message);
	s->message = NULL;
	(void)!read(s->event, &events, sizeof(events));
	hold(s, !more);
	if (s->again && more) {
		s->again = false;
		take_anew(s);
	}
	if (s->wanted != NULL && more && (r = begin_wanted(s, err, errsize)) != SOURCE_NONE) {
		/* the group wants to hear of us meanwhile */
		s->message = rd_kafka_consumer_poll(s->rk, 0);
		return r;
	}
	while ((s->message = rd_kafka_consumer_poll(s->rk, 0)) != NULL) {
		rd_kafka_message_t *m = s->message;
		struct part *p = NULL;

		if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			r = trouble(s, m, err, errsize);
		else if ((p = find_part(s, rd_kafka_topic_name(m->rkt), m->partition)) != NULL &&
		    m->offset >= p->position.next) {
			if (!more) {
				/* it was fetched before we held: it comes again */
				s->again = true;
				p = NULL;
			}
		} else
			p = NULL; /* of an assignment that is over, or known */
		if (p != NULL) {
			s->trouble[0] = '\0';
			*out = (struct message){ .position = &p->position,
				.place = m->offset,
				.bytes = { m->payload != NULL ? m->payload : "", m->len },
				.fd = -1 };
			return SOURCE_MESSAGE;
		}
		rd_kafka_message_destroy(m);
		s->message = NULL;
		if (r == SOURCE_TROUBLE)
			return r;
	}
	if (s->trouble[0] != '\0') {
		snprintf(err, errsize, "%s", s->trouble);
		s->trouble[0] = '\0';
		return SOURCE_TROUBLE;
	}
	return SOURCE_NONE;
}

static void
settled(struct source *s)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

	for (struct part *p = s->parts; p != NULL; p = p->next)
		if (p->position.stored != POSITION_NEW)
			rd_kafka_topic_partition_list_add(
			    list, p->position.topic.p, (int32_t)p->position.part)
			    ->offset = p->position.stored;
	if (list->cnt > 0)
		(void)rd_kafka_commit(s->rk, list, 1); /* for the broker's own tools */
	rd_kafka_topic_partition_list_destroy(list);
}

static void
go_back(struct source *s)
{
	s->again = true;
}

static bool
moved(struct source *s)
{
	for (int i = 0; i < LOOKS && s->parts != NULL; i++) {
		struct part *p = s->looked != NULL && s->looked->next != NULL ? s->looked->next
		                                                              : s->parts;
		struct position there = { .cluster = p->position.cluster,
			.topic = p->position.topic,
			.part = p->position.part };

		if (position_read(s->host->db, s->host->stream, &there) != DB_END)
			return false;
		s->looked = p;
		if (there.stored != p->position.stored)
			return true;
		if (p->next == NULL)
			break; /* all were looked at */
	}
	return false;
}

static int
descriptor(const struct source *s)
{
	return s->event;
}

static int64_t
behind(const struct source *s)
{
	int64_t sum = 0, low, high;

	for (struct part *p = s->parts; p != NULL; p = p->next) {
		if (rd_kafka_get_watermark_offsets(s->rk, p->position.topic.p,
		        (int32_t)p->position.part, &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
		    high < 0)
			return -1;
		if (high > p->position.next)
			sum += high - p->position.next;
	}
	return sum;
}

static int
check(const struct source_host *host, char *err, size_t errsize)
{
	struct source s = { .host = host };
	rd_kafka_conf_t *c = configure(&s, err, errsize);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code;
	rd_kafka_t *rk;

	if (c == NULL)
		return -1;
	if ((rk = rd_kafka_new(RD_KAFKA_CONSUMER, c, err, errsize)) == NULL) {
		rd_kafka_conf_destroy(c);
		return -1;
	}
	/* a token is asked for here */
	(void)rd_kafka_poll(rk, kafka_wants_token(host->config) ? ASK_MS : 0);
	code = rd_kafka_metadata(rk, 1, NULL, &metadata, ASK_MS);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_metadata_destroy(metadata);
	else {
		(void)rd_kafka_poll(rk, 0); /* why */
		snprintf(err, errsize, "the brokers do not answer: %s%s%s", rd_kafka_err2str(code),
		    s.trouble[0] != '\0' ? ": " : "", s.trouble);
	}
	rd_kafka_destroy(rk);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

static void
close_source(struct source *s)
{
	if (s->message != NULL)
		rd_kafka_message_destroy(s->message);
	if (s->queue != NULL) {
		rd_kafka_queue_io_event_enable(s->queue, -1, NULL, 0);
		rd_kafka_queue_destroy(s->queue);
	}
	rd_kafka_consumer_close(s->rk); /* gives up what is ours, by on_rebalance() */
	drop_parts(s);
	if (s->wanted != NULL)
		rd_kafka_topic_partition_list_destroy(s->wanted);
	rd_kafka_destroy(s->rk);
	if (s->event >= 0)
		close(s->event);
	free(s->cluster);
	free(s);
}

const struct source_kind source_kafka = { .name = "kafka",
	.open = open_source,
	.next = next,
	.settled = settled,
	.rewind = go_back,
	.moved = moved,
	.descriptor = descriptor,
	.behind = behind,
	.check = check,
	.close = close_source };
