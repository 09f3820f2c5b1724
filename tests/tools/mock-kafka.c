/*
 * mock-kafka: a cluster of one broker on the loopback address, librdkafka's own for tests.
 *
 *	mock-kafka TOPIC PARTITIONS
 *
 * Says where it listens, a line; then does what the lines of standard input say, and answers each with
 * a line: `produce DIR`, each file of the directory as a message, in the order of their names, one
 * partition after the other; `down`, `up`: the broker. It ends with its input.
 */
#include <dirent.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fail(const char *why)
{
	fprintf(stderr, "mock-kafka: %s\n", why);
	return 1;
}

static int
produce_file(rd_kafka_t *rk, const char *topic, int partition, const char *path)
{
	static char bytes[1 << 22];
	FILE *f = fopen(path, "rb");
	rd_kafka_resp_err_t code;
	size_t n;

	if (f == NULL)
		return fail(path);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	code = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
	    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(bytes, n), RD_KAFKA_V_END);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : fail(rd_kafka_err2str(code));
}

static int
produce(rd_kafka_t *rk, const char *topic, int partitions, const char *directory)
{
	struct dirent **list;
	int n = scandir(directory, &list, NULL, alphasort), failed = 0, done = 0;

	for (int i = 0; i < n; i++) {
		char path[4500];

		snprintf(path, sizeof(path), "%s/%s", directory, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			failed += produce_file(rk, topic, done++ % partitions, path);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	if (n < 0 || failed > 0 || rd_kafka_flush(rk, 20000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fail("not all was produced");
	printf("%d\n", done);
	return 0;
}

int
main(int argc, char **argv)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	int partitions = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0, failed = 0;
	rd_kafka_mock_cluster_t *cluster;
	char why[300], line[4096];
	rd_kafka_t *holder, *rk;

	if (partitions < 1)
		return fail("usage: mock-kafka TOPIC PARTITIONS");
	if ((holder = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why))) == NULL)
		return fail(why);
	if ((cluster = rd_kafka_mock_cluster_new(holder, 1)) == NULL)
		return fail("no cluster");
	rd_kafka_mock_topic_create(cluster, argv[1], partitions, 1);
	c = rd_kafka_conf_new();
	rd_kafka_conf_set(
	    c, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), why, sizeof(why));
	if ((rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why))) == NULL)
		return fail(why);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts(rd_kafka_mock_cluster_bootstraps(cluster));
	while (failed == 0 && fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "produce ", 8) == 0)
			failed = produce(rk, argv[1], partitions, line + 8);
		else if (strcmp(line, "down") == 0 || strcmp(line, "up") == 0) {
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
