/*
 * dump-alerts: what alert packets are read as, for another program to judge: a line of JSON a packet,
 * numbers as the shortest text that reads back as the same double, null where there is none.
 *
 *	dump-alerts [--schemas DIR] FILE...
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/confluent.h"
#include "alert/packet.h"
#include "base/buf.h"

static void NORETURN
failed(const char *path, const char *why)
{
	fprintf(stderr, "dump-alerts: %s: %s\n", path, why);
	exit(1);
}

static void
put_real(struct buf *b, const char *name, double v)
{
	buf_printf(b, ",\"%s\":", name);
	buf_double(b, v);
}

static void
put_point(struct buf *b, const struct datum *d)
{
	buf_printf(b, "{\"kind\":%d,\"sign\":%d,\"band\":\"%.*s\",\"id\":%" PRId64, d->kind,
	    d->sign, STR_ARG(d->band), d->survey_id);
	put_real(b, "mjd", d->mjd);
	put_real(b, "flux", d->flux);
	put_real(b, "flux_error", d->flux_error);
	put_real(b, "magnitude", d->magnitude);
	put_real(b, "magnitude_error", d->magnitude_error);
	put_real(b, "limit", d->limit_mag);
	buf_putc(b, '}');
}

static void
put_packet(struct buf *b, const char *path, const struct alert_packet *p)
{
	buf_printf(b,
	    "{\"file\":\"%s\",\"survey\":\"%s\",\"object\":\"%.*s\",\"alert\":%" PRId64
	    ",\"moving\":%s,\"empty\":%zu",
	    path, p->survey->name.p, STR_ARG(p->object), p->alert_id, p->moving ? "true" : "false",
	    p->empty);
	put_real(b, "ra", p->ra);
	put_real(b, "dec", p->dec);
	buf_puts(b, ",\"points\":[");
	for (size_t i = 0; i < p->npoints; i++) {
		if (i > 0)
			buf_putc(b, ',');
		put_point(b, &p->points[i]);
	}
	buf_puts(b, "]}\n");
}

static void
dump(struct avro_file *f, struct arena *a, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct alert_packet p;
	enum avro_result r;
	struct buf b = { 0 };
	char err[500];

	if (fd < 0 || avro_file_open(f, fd, err, sizeof(err)) != 0)
		failed(path, fd < 0 ? "it cannot be opened" : err);
	while ((r = packet_next(f, a, &p, err, sizeof(err))) == AVRO_RECORD) {
		put_packet(&b, path, &p);
		fwrite(b.p, 1, b.n, stdout);
		buf_clear(&b);
		arena_reset(a);
	}
	if (r != AVRO_END)
		failed(path, err);
	close(fd);
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	struct avro_file *f = packet_file_new();
	struct confluent *schemas = NULL;
	struct arena *a = arena_new();
	int first = 1;

	if (argc > 2 && strcmp(argv[1], "--schemas") == 0) {
		const struct confluent_options o = { .directory = argv[2] };
		char err[500];

		schemas = confluent_new(packet_shapes(), &o, err, sizeof(err));
		if (schemas == NULL)
			failed(argv[2], err);
		avro_file_numbered(f, confluent_find, schemas);
		first = 3;
	}
	for (int i = first; i < argc; i++)
		dump(f, a, argv[i]);
	avro_file_free(f);
	confluent_free(schemas);
	arena_free(a);
	return fflush(stdout) == 0 ? 0 : 1;
}
