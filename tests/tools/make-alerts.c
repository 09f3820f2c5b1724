/*
 * make-alerts: writes made ZTF-like alert packets, for tests, benches and demonstrations.
 *
 *	make-alerts --count 1000 --objects 100 --points 30 --seed 7 --out DIR
 *
 * Packet i is visit FIRST + i / OBJECTS of object i % OBJECTS, so objects come again with longer
 * histories. One file a packet, DIR/CANDID.avro; with --single one container file.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"

struct job {
	struct alerts alerts;
	int64_t count, objects, first, block;
	bool deflate, single;
	const char *out;
};

static const char usage_text[] =
    "usage: make-alerts --out PATH [--count N] [--objects N] [--points N] [--seed N]\n"
    "                   [--first VISIT] [--schema 3.3|4.02] [--codec null|deflate]\n"
    "                   [--cutout BYTES] [--single] [--block RECORDS]\n"
    "Writes made ZTF-like alert packets: one file each into the directory PATH, or with\n"
    "--single one container file PATH (\"-\": standard output).\n";

static void NORETURN
usage(const char *wrong)
{
	fprintf(stderr, "make-alerts: %s\n%s", wrong, usage_text);
	exit(2);
}

static void NORETURN
failed(const char *path)
{
	fprintf(stderr, "make-alerts: %s: %s\n", path, strerror(errno));
	exit(1);
}

static int64_t
number(const char *name, const char *text, int64_t min, int64_t max)
{
	int64_t n;

	if (str_to_int64(str_of(text), &n) && n >= min && n <= max)
		return n;
	fprintf(stderr,
	    "make-alerts: --%s is a number from %" PRId64 " to %" PRId64 ", not \"%s\"\n", name,
	    min, max, text);
	exit(2);
}

static void
write_all(FILE *f, const char *path, struct buf *b)
{
	if (b->n > 0 && fwrite(b->p, 1, b->n, f) != b->n)
		failed(path);
	buf_clear(b);
}

static FILE *
create(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (f == NULL)
		failed(path);
	return f;
}

static void
finish(FILE *f, const char *path)
{
	if (fclose(f) != 0)
		failed(path);
}

static void
put_packet(const struct job *j, int64_t i, struct buf *b, struct made_alert *made)
{
	alerts_put(
	    &j->alerts, (uint64_t)(i % j->objects), (unsigned)(j->first + i / j->objects), b, made);
}

static void
write_single(const struct job *j)
{
	struct buf records = { 0 }, b = { 0 };
	FILE *f = create(j->out);
	uint64_t n = 0;

	put_header(&b, alerts_schema(&j->alerts), j->deflate ? "deflate" : "null", alerts_sync);
	for (int64_t i = 0; i < j->count; i++) {
		put_packet(j, i, &records, NULL);
		if (++n < (uint64_t)j->block && records.n < MIB(4) && i + 1 < j->count)
			continue;
		put_block(&b, n, buf_text(&records), j->deflate, alerts_sync);
		buf_clear(&records);
		n = 0;
		write_all(f, j->out, &b);
	}
	write_all(f, j->out, &b);
	finish(f, j->out);
	buf_free(&b);
	buf_free(&records);
}

static void
write_files(const struct job *j)
{
	struct buf record = { 0 }, b = { 0 };
	struct made_alert made;
	char path[4096];

	if (mkdir(j->out, 0777) != 0 && errno != EEXIST)
		failed(j->out);
	for (int64_t i = 0; i < j->count; i++) {
		FILE *f;

		put_packet(j, i, &record, &made);
		put_header(
		    &b, alerts_schema(&j->alerts), j->deflate ? "deflate" : "null", alerts_sync);
		put_block(&b, 1, buf_text(&record), j->deflate, alerts_sync);
		buf_clear(&record);
		snprintf(path, sizeof(path), "%s/%" PRId64 ".avro", j->out, made.candid);
		f = create(path);
		write_all(f, path, &b);
		finish(f, path);
	}
	buf_free(&b);
	buf_free(&record);
}

int
main(int argc, char **argv)
{
	enum { COUNT, OBJECTS, POINTS, SEED, FIRST, SCHEMA, CODEC, CUTOUT, SINGLE, BLOCK, OUT };
	static const struct option options[] = { { "count", 1, NULL, COUNT },
		{ "objects", 1, NULL, OBJECTS }, { "points", 1, NULL, POINTS },
		{ "seed", 1, NULL, SEED }, { "first", 1, NULL, FIRST },
		{ "schema", 1, NULL, SCHEMA }, { "codec", 1, NULL, CODEC },
		{ "cutout", 1, NULL, CUTOUT }, { "single", 0, NULL, SINGLE },
		{ "block", 1, NULL, BLOCK }, { "out", 1, NULL, OUT }, { NULL, 0, NULL, 0 } };
	struct job j = {
		.alerts = { .seed = 1, .points = 30, .v4 = true }, .count = 100, .block = 100
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case COUNT:
			j.count = number("count", optarg, 0, INT64_C(1000000000));
			break;
		case OBJECTS:
			j.objects = number("objects", optarg, 1, INT64_C(1000000000));
			break;
		case POINTS:
			j.alerts.points = (unsigned)number("points", optarg, 1, 10000);
			break;
		case SEED:
			j.alerts.seed = (uint64_t)number("seed", optarg, 0, INT64_MAX);
			break;
		case FIRST:
			j.first = number("first", optarg, 0, 80000);
			break;
		case SCHEMA:
			if (strcmp(optarg, "3.3") != 0 && strcmp(optarg, "4.02") != 0)
				usage("--schema is 3.3 or 4.02");
			j.alerts.v4 = optarg[0] == '4';
			break;
		case CODEC:
			if (strcmp(optarg, "null") != 0 && strcmp(optarg, "deflate") != 0)
				usage("--codec is null or deflate");
			j.deflate = optarg[0] == 'd';
			break;
		case CUTOUT:
			j.alerts.cutout = (size_t)number("cutout", optarg, 0, 1 << 24);
			break;
		case SINGLE:
			j.single = true;
			break;
		case BLOCK:
			j.block = number("block", optarg, 1, 100000);
			break;
		case OUT:
			j.out = optarg;
			break;
		default:
			usage("that is no option");
		}
	if (optind < argc || j.out == NULL)
		usage(j.out == NULL ? "--out is needed" : "arguments are not wanted");
	if (j.objects == 0)
		j.objects = j.count > 0 ? j.count : 1;
	if (j.first + j.count / j.objects > 90000)
		usage("that many visits of one object would outgrow its numbers");
	if (j.single)
		write_single(&j);
	else
		write_files(&j);
	return 0;
}
