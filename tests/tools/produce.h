/*
 * produce.h: files as messages of a topic, for tests of Kafka.
 */
#ifndef MERIDIAN_TESTS_PRODUCE_H
#define MERIDIAN_TESTS_PRODUCE_H

#include <librdkafka/rdkafka.h>

/*
 * Each file of the directory as a message, in the order of their names, one partition after the other.
 * How many, once the broker has them all; -1, said why.
 */
int produce_directory(rd_kafka_t *, const char *topic, int partitions, const char *directory);

#endif
