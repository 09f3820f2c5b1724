/*
 * produce: files as messages of a topic.
 */
#include "tests/tools/produce.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return -1;
}

static int
produce_file(rd_kafka_t *rk, const char *topic, int partition, const char *path)
{
	static char bytes[1 << 22];
	FILE *f = fopen(path, "rb");
	rd_kafka_resp_err_t code;
	size_t n;

	if (f == NULL)
		return fail(path, strerror(errno));
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	do {
		code = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
		    RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		    RD_KAFKA_V_VALUE(bytes, n), RD_KAFKA_V_END);
		if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(rk, 100);
	} while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : fail(path, rd_kafka_err2str(code));
}

int
produce_directory(rd_kafka_t *rk, const char *topic, int partitions, const char *directory)
{
	struct dirent **list;
	int n = scandir(directory, &list, NULL, alphasort), failed = 0, done = 0;
	rd_kafka_resp_err_t code;

	if (n < 0)
		return fail(directory, strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[4500];

		snprintf(path, sizeof(path), "%s/%s", directory, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			failed += produce_file(rk, topic, done++ % partitions, path);
		free(list[i]);
	}
	free(list);
	code = rd_kafka_flush(rk, 30000);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fail("not all was produced", rd_kafka_err2str(code));
	return failed == 0 ? done : -1;
}
