/*
 * avro: files and their schemas, and packets of ZTF and LSST. An input that begins with 3, 4 or 9 is the
 * records of one block under the made schema of that version, so that the decoder is reached past the
 * header; any other is a file. One that begins with 0 is a bare record in Confluent framing: its
 * schema is found where the number is even.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alert/packet.h"
#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What a packet that was taken promises. */
static void
check(const struct alert_packet *p)
{
	if ((p->npoints == 0 && p->empty == 0) || p->object.n == 0 ||
	    !(p->ra >= 0 && p->ra < 360) || !(p->dec >= -90 && p->dec <= 90))
		abort();
	for (size_t i = 0; i < p->npoints; i++) {
		const struct datum *d = &p->points[i];

		if (!isfinite(d->mjd) || d->band.n != 1 ||
		    (d->kind == DATUM_DETECTION && !isfinite(d->magnitude) &&
		        !(isfinite(d->flux) && d->flux <= 0)) ||
		    (d->kind == DATUM_LIMIT && !isfinite(d->limit_mag)) ||
		    (d->kind == DATUM_FORCED && !(isfinite(d->flux) && d->flux_error >= 0)))
			abort();
	}
}

static const struct avro_schema *
find_schema(void *arg, uint32_t id, char *err, size_t errsize)
{
	static const struct avro_shape *shapes[2];
	static struct avro_schema *schema;
	const struct alerts lsst = { .lsst = true };

	(void)arg;
	shapes[0] = survey_lsst.shape;
	if (schema == NULL)
		schema = avro_schema_new(shapes, alerts_schema(&lsst), err, errsize);
	return id % 2 == 0 ? schema : NULL;
}

static void
read_all(struct avro_file *f, struct str bytes)
{
	struct arena *a = arena_new();
	enum avro_result r = AVRO_END;
	struct alert_packet p;
	char err[200] = "";

	avro_file_numbered(f, find_schema, NULL);
	if (avro_file_open_memory(f, bytes, err, sizeof(err)) == 0)
		while ((r = packet_next(f, a, &p, err, sizeof(err))) != AVRO_END) {
			if (r == AVRO_RECORD)
				check(&p);
			arena_reset(a);
		}
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* keeps the made schemas: to compile one takes a hundred times as long as to read a record */
	static struct avro_file *kept;
	struct str bytes = { (const char *)data, n };
	struct avro_file *f;

	if (kept == NULL)
		kept = packet_file_new();
	if (n > 0 && (data[0] == 3 || data[0] == 4 || data[0] == 9)) {
		struct alerts alerts = { .v4 = data[0] == 4, .lsst = data[0] == 9 };
		struct buf b = { 0 };

		put_header(&b, alerts_schema(&alerts), "null", alerts_sync);
		put_block(&b, 1 + (n > 4096 ? 2 : 0), (struct str){ bytes.p + 1, n - 1 }, false,
		    alerts_sync);
		/* a copy of just that size: reading on is seen */
		char *exact = malloc(b.n);

		if (exact != NULL) {
			memcpy(exact, b.p, b.n);
			read_all(kept, (struct str){ exact, b.n });
		}
		free(exact);
		buf_free(&b);
	} else if (n > 0 && data[0] == 0)
		read_all(kept, bytes);
	else {
		f = packet_file_new();
		read_all(f, bytes);
		avro_file_free(f);
	}
	return 0;
}
