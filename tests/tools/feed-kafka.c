/*
 * feed-kafka: topics of a real Kafka, made and filled.
 *
 *	feed-kafka BROKERS
 *
 * Does what the lines of standard input say, and answers each with a line:
 *
 *	topic NAME PARTITIONS		a new one
 *	partitions NAME PARTITIONS	it has so many from now on
 *	produce NAME PARTITIONS DIR	each file of the directory as a message, in the order of their names,
 *					one partition after the other; the answer is how many
 *	forget NAME PARTITION OFFSET	what lies before is thrown away
 *
 * A line that cannot be done ends it, with status 1.
 */
#include <stdio.h>
#include <string.h>

#include "tests/tools/produce.h"

#define WAIT_MS 30000

static int
fail(const char *why)
{
	fprintf(stderr, "feed-kafka: %s\n", why);
	return 1;
}

/* The error of the first thing that a result is about; none where there is none. */
static const char *
error_of(rd_kafka_event_t *event)
{
	const rd_kafka_topic_result_t **topics = NULL;
	size_t n = 0;

	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return rd_kafka_event_error_string(event);
	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
		topics = rd_kafka_CreateTopics_result_topics(
		    rd_kafka_event_CreateTopics_result(event), &n);
	else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT)
		topics = rd_kafka_CreatePartitions_result_topics(
		    rd_kafka_event_CreatePartitions_result(event), &n);
	if (n > 0 && rd_kafka_topic_result_error(topics[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return rd_kafka_topic_result_error_string(topics[0]);
	return NULL;
}

/* Waits for what was asked. */
static int
wait_for(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
	const char *why = event == NULL ? "no answer" : error_of(event);
	int failed = why != NULL ? fail(why) : 0;

	if (event != NULL)
		rd_kafka_event_destroy(event);
	return failed;
}

static int
make_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name, int partitions)
{
	char why[300];
	rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(name, partitions, 1, why, sizeof(why));

	if (t == NULL)
		return fail(why);
	rd_kafka_CreateTopics(rk, &t, 1, NULL, queue);
	rd_kafka_NewTopic_destroy(t);
	return wait_for(queue);
}

/* We know of them, too: what is produced there is not refused by ourselves. */
static int
see_partitions(rd_kafka_t *rk, const char *name, int partitions)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	const struct rd_kafka_metadata *seen;
	int there = 0;

	for (int tries = 0; topic != NULL && tries < 100 && there < partitions; tries++) {
		rd_kafka_poll(rk, tries == 0 ? 0 : 100);
		if (rd_kafka_metadata(rk, 0, topic, &seen, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
			continue;
		there = seen->topic_cnt == 1 ? seen->topics[0].partition_cnt : 0;
		rd_kafka_metadata_destroy(seen);
	}
	if (topic != NULL)
		rd_kafka_topic_destroy(topic);
	return there < partitions ? fail("the partitions do not come") : 0;
}

static int
make_partitions(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name, int partitions)
{
	char why[300];
	rd_kafka_NewPartitions_t *t = rd_kafka_NewPartitions_new(
	    name, (size_t)partitions, why, sizeof(why));

	if (t == NULL)
		return fail(why);
	rd_kafka_CreatePartitions(rk, &t, 1, NULL, queue);
	rd_kafka_NewPartitions_destroy(t);
	return wait_for(queue) != 0 || see_partitions(rk, name, partitions) != 0;
}

static int
forget(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name, int partition, long offset)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_DeleteRecords_t *d;

	rd_kafka_topic_partition_list_add(list, name, partition)->offset = offset;
	d = rd_kafka_DeleteRecords_new(list);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_DeleteRecords(rk, &d, 1, NULL, queue);
	rd_kafka_DeleteRecords_destroy(d);
	return wait_for(queue);
}

static int
obey(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *line)
{
	char name[250], path[4000];
	int n, done;
	long offset;

	if (sscanf(line, "produce %249s %d %3999s", name, &n, path) == 3 && n > 0) {
		if ((done = produce_directory(rk, name, n, path)) >= 0)
			printf("%d\n", done);
		return done < 0;
	}
	if (sscanf(line, "topic %249s %d", name, &n) == 2)
		done = make_topic(rk, queue, name, n);
	else if (sscanf(line, "partitions %249s %d", name, &n) == 2)
		done = make_partitions(rk, queue, name, n);
	else if (sscanf(line, "forget %249s %d %ld", name, &n, &offset) == 3)
		done = forget(rk, queue, name, n, offset);
	else
		return fail("no such command");
	if (done == 0)
		puts("done");
	return done;
}

int
main(int argc, char **argv)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	char why[300], line[5000];
	rd_kafka_queue_t *queue;
	rd_kafka_t *rk;
	int failed = 0;

	if (argc != 2)
		return fail("usage: feed-kafka BROKERS");
	if (rd_kafka_conf_set(c, "bootstrap.servers", argv[1], why, sizeof(why)) !=
	        RD_KAFKA_CONF_OK ||
	    rd_kafka_conf_set(c, "linger.ms", "0", why, sizeof(why)) != RD_KAFKA_CONF_OK ||
	    (rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why))) == NULL)
		return fail(why);
	queue = rd_kafka_queue_new(rk);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (failed == 0 && fgets(line, sizeof(line), stdin) != NULL)
		failed = obey(rk, queue, line);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
	return failed;
}
