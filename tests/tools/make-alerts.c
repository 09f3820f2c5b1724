/*
 * make-alerts: writes made alert packets like ZTF's or LSST's, for tests, benches and demonstrations.
 *
 *	make-alerts --count 1000 --objects 100 --points 30 --seed 7 --out DIR
 *	make-alerts --schema lsst --count 1000 --points 160 --cutout 37700 --framed --out DIR
 *	make-alerts --schema lsst --print-schema >900.avsc
 *
 * Packet i is visit FIRST + i / OBJECTS of object i % OBJECTS, so objects come again with longer
 * histories. One file a packet, DIR/CANDID.avro; with --single one container file. The second line's
 * are as Rubin sends them: 139 kB with a year of history.
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
	enum packing packing;
	bool single, framed, print_schema;
	const char *out;
};

static const char usage_text[] =
    "usage: make-alerts --out PATH [--count N] [--objects N] [--points N] [--seed N]\n"
    "                   [--first VISIT] [--schema 3.3|4.02|lsst] [--codec null|deflate|snappy]\n"
    "                   [--cutout BYTES] [--single | --framed] [--block RECORDS] [--moving]\n"
    "       make-alerts --print-schema [--schema 3.3|4.02|lsst]\n"
    "Writes made alert packets: one file each into the directory PATH, or with --single one\n"
    "container file PATH (\"-\": standard output). --framed: as Confluent messages of schema 900.\n"
    "--moving: LSST's of objects of the solar system.\n";

static const char *const codec_names[] = { "null", "deflate", "snappy" };

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

	put_header(&b, alerts_schema(&j->alerts), codec_names[j->packing], alerts_sync);
	for (int64_t i = 0; i < j->count; i++) {
		put_packet(j, i, &records, NULL);
		if (++n < (uint64_t)j->block && records.n < MIB(4) && i + 1 < j->count)
			continue;
		put_block(&b, n, buf_text(&records), j->packing, alerts_sync);
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
		if (j->framed) {
			put_frame(&b, ALERTS_LSST_ID);
			buf_str(&b, buf_text(&record));
		} else {
			put_header(
			    &b, alerts_schema(&j->alerts), codec_names[j->packing], alerts_sync);
			put_block(&b, 1, buf_text(&record), j->packing, alerts_sync);
		}
		buf_clear(&record);
		snprintf(path, sizeof(path), "%s/%" PRId64 ".%s", j->out, made.candid,
		    j->framed ? "confluent-avro" : "avro");
		f = create(path);
		write_all(f, path, &b);
		finish(f, path);
	}
	buf_free(&b);
	buf_free(&record);
}

static void
choose_codec(struct job *j, const char *name)
{
	for (size_t i = 0; i < NELEM(codec_names); i++)
		if (strcmp(codec_names[i], name) == 0) {
			j->packing = (enum packing)i;
			return;
		}
	usage("--codec is null, deflate or snappy");
}

static void
choose_schema(struct job *j, const char *name)
{
	if (strcmp(name, "3.3") != 0 && strcmp(name, "4.02") != 0 && strcmp(name, "lsst") != 0)
		usage("--schema is 3.3, 4.02 or lsst");
	j->alerts.v4 = name[0] == '4';
	j->alerts.lsst = name[0] == 'l';
}

int
main(int argc, char **argv)
{
	enum {
		COUNT,
		OBJECTS,
		POINTS,
		SEED,
		FIRST,
		SCHEMA,
		CODEC,
		CUTOUT,
		SINGLE,
		FRAMED,
		MOVING,
		BLOCK,
		PRINT_SCHEMA,
		OUT
	};
	static const struct option options[] = { { "count", 1, NULL, COUNT },
		{ "objects", 1, NULL, OBJECTS }, { "points", 1, NULL, POINTS },
		{ "seed", 1, NULL, SEED }, { "first", 1, NULL, FIRST },
		{ "schema", 1, NULL, SCHEMA }, { "codec", 1, NULL, CODEC },
		{ "cutout", 1, NULL, CUTOUT }, { "single", 0, NULL, SINGLE },
		{ "framed", 0, NULL, FRAMED }, { "moving", 0, NULL, MOVING },
		{ "block", 1, NULL, BLOCK }, { "print-schema", 0, NULL, PRINT_SCHEMA },
		{ "out", 1, NULL, OUT }, { NULL, 0, NULL, 0 } };
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
			choose_schema(&j, optarg);
			break;
		case CODEC:
			choose_codec(&j, optarg);
			break;
		case CUTOUT:
			j.alerts.cutout = (size_t)number("cutout", optarg, 0, 1 << 24);
			break;
		case SINGLE:
			j.single = true;
			break;
		case FRAMED:
			j.framed = true;
			break;
		case MOVING:
			j.alerts.moving = true;
			break;
		case PRINT_SCHEMA:
			j.print_schema = true;
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
	if (j.print_schema) {
		struct str text = alerts_schema(&j.alerts);

		printf("%.*s\n", STR_ARG(text));
		return 0;
	}
	if (j.framed && (j.single || !j.alerts.lsst))
		usage("--framed goes with --schema lsst, and without --single");
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
