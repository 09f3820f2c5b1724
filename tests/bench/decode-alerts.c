/*
 * decode-alerts: how fast alert packets are decoded, by Meridian and by libavro, by turns.
 *
 *	decode-alerts SCHEMA RECORDS FILE...
 *
 * FILEs are packets as surveys send them, containers or Confluent messages of SCHEMA: Meridian reads each
 * from memory, whole: header, schema by its text or number, record, measurements. RECORDS holds the bare
 * records of the same packets, each after its length (4 bytes, this machine's): libavro reads them into a
 * generic value under SCHEMA, which it has parsed before. Prints packets a second of
 * processor time, the best of some turns.
 *
 * Wants libavro-dev; see tests/bench/decode, which prepares the arguments.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/packet.h"
#include "base/buf.h"
#include "base/clock.h"
#include "tests/bench/libavro.h"

#define TURNS 7
#define TURN (SECOND / 3)

static void NORETURN
failed(const char *what, const char *why)
{
	fprintf(stderr, "decode-alerts: %s: %s\n", what, why);
	exit(1);
}

static struct str
read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b = { 0 };
	ssize_t n;

	while ((n = read(fd, buf_room(&b, MIB(1)), MIB(1))) > 0)
		b.n += (size_t)n;
	if (n < 0)
		failed(path, "it cannot be read");
	close(fd);
	return buf_text(&b);
}

static struct avro_schema *known;

static const struct avro_schema *
find_schema(void *arg, uint32_t id, char *err, size_t errsize)
{
	(void)arg, (void)id, (void)err, (void)errsize;
	return known;
}

/* Time of a processor that we had, in microseconds: others may be busy here, too. */
static int64_t
spent(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

/* Reads each packet again and again for a turn; packets a second. */
static double
meridian_turn(struct avro_file *f, struct arena *a, const struct str *packets, size_t n)
{
	int64_t began = spent(), now;
	struct alert_packet p;
	size_t done = 0;
	char err[300];

	do {
		for (size_t i = 0; i < n; i++) {
			if (avro_file_open_memory(f, packets[i], err, sizeof(err)) != 0 ||
			    packet_next(f, a, &p, err, sizeof(err)) != AVRO_RECORD)
				failed("Meridian", err);
			arena_reset(a);
		}
		done += n;
		now = spent();
	} while (now - began < TURN);
	return (double)done * SECOND / (double)(now - began);
}

static double
libavro_turn(struct libavro *l, const struct str *records, size_t n)
{
	int64_t began = spent(), now;
	size_t done = 0;

	do {
		for (size_t i = 0; i < n; i++)
			if (!libavro_read(l, records[i]))
				failed("libavro", "a record cannot be read");
		done += n;
		now = spent();
	} while (now - began < TURN);
	return (double)done * SECOND / (double)(now - began);
}

static size_t
split(struct str all, struct str *records, size_t room)
{
	size_t n = 0;
	uint32_t size;

	for (; all.n > sizeof(size) && n < room; n++) {
		memcpy(&size, all.p, sizeof(size));
		records[n] = (struct str){ all.p + sizeof(size), size };
		all.p += sizeof(size) + size;
		all.n -= sizeof(size) + size;
	}
	return n;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct avro_file *f = packet_file_new();
	double ours = 0, theirs = 0;
	struct str schema, *packets, *records;
	size_t n = argc > 3 ? (size_t)argc - 3 : 0;
	struct libavro *l;
	char err[300];

	if (n == 0)
		failed("usage", "decode-alerts SCHEMA RECORDS FILE...");
	schema = read_file(argv[1]);
	known = avro_schema_new(packet_shapes(), schema, err, sizeof(err));
	if (known == NULL)
		failed(argv[1], err);
	avro_file_numbered(f, find_schema, NULL);
	packets = calloc(n, sizeof(*packets));
	records = calloc(n, sizeof(*records));
	for (size_t i = 0; i < n; i++)
		packets[i] = read_file(argv[i + 3]);
	if (split(read_file(argv[2]), records, n) != n)
		failed(argv[2], "not as many records as packets");
	if ((l = libavro_new(schema)) == NULL)
		failed("libavro", "it does not take the schema");
	for (unsigned turn = 0; turn < TURNS; turn++) {
		double rate = meridian_turn(f, a, packets, n);

		ours = rate > ours ? rate : ours;
		rate = libavro_turn(l, records, n);
		theirs = rate > theirs ? rate : theirs;
	}
	printf("%.0f %.0f\n", ours, theirs);
	return 0;
}
