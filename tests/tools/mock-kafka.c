/*
 * mock-kafka: a cluster of one broker on the loopback address, librdkafka's own for tests.
 *
 *	mock-kafka TOPIC PARTITIONS
 *
 * Says where it listens, a line; then does what the lines of standard input say, and answers each with
 * a line: `produce DIR`, each file of the directory as a message, in the order of their names, one
 * partition after the other; `topic NAME PARTITIONS`: another one, which the next are produced to;
 * `down`, `up`: the broker. It ends with its input. A partition keeps some 5 MB, and throws away the oldest.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/produce.h"

static int
fail(const char *why)
{
	fprintf(stderr, "mock-kafka: %s\n", why);
	return 1;
}

/* Does so, and answers. */
static int
produce(rd_kafka_t *rk, const char *topic, int partitions, const char *directory)
{
	int done = produce_directory(rk, topic, partitions, directory);

	if (done >= 0)
		printf("%d\n", done);
	return done < 0;
}

int
main(int argc, char **argv)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	int partitions = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0, failed = 0;
	rd_kafka_mock_cluster_t *cluster;
	char why[300], line[4096], topic[250];
	rd_kafka_t *holder, *rk;

	if (partitions < 1)
		return fail("usage: mock-kafka TOPIC PARTITIONS");
	if ((holder = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why))) == NULL)
		return fail(why);
	if ((cluster = rd_kafka_mock_cluster_new(holder, 1)) == NULL)
		return fail("no cluster");
	snprintf(topic, sizeof(topic), "%s", argv[1]);
	rd_kafka_mock_topic_create(cluster, topic, partitions, 1);
	c = rd_kafka_conf_new();
	rd_kafka_conf_set(
	    c, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), why, sizeof(why));
	if ((rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why))) == NULL)
		return fail(why);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts(rd_kafka_mock_cluster_bootstraps(cluster));
	while (failed == 0 && fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "produce ", 8) == 0) {
			failed = produce(rk, topic, partitions, line + 8);
		} else if (sscanf(line, "topic %249s %d", topic, &partitions) == 2 &&
		    partitions > 0) {
			rd_kafka_mock_topic_create(cluster, topic, partitions, 1);
			puts(topic);
		} else if (strcmp(line, "down") == 0 || strcmp(line, "up") == 0) {
			(void)(strcmp(line, "up") == 0 ? rd_kafka_mock_broker_set_up(cluster, 1)
			                               : rd_kafka_mock_broker_set_down(cluster, 1));
			puts(line);
		} else
			failed = fail("no such command");
	}
	rd_kafka_destroy(rk);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(holder);
	return failed;
}
