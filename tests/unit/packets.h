/*
 * packets.h: packets of ZTF with no more than they must have, one by one.
 */
#ifndef MERIDIAN_PACKETS_H
#define MERIDIAN_PACKETS_H

#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"

/* A packet, a block of its own, into a container that begins with the first. */
static inline void
put_least(struct buf *b, const char *object, int64_t candid, double jd)
{
	struct buf record = { 0 };

	if (b->n == 0)
		put_header(b,
		    STR("{\"type\":\"record\",\"name\":\"alert\",\"fields\":["
		        "{\"name\":\"objectId\",\"type\":\"string\"},"
		        "{\"name\":\"candid\",\"type\":\"long\"},"
		        "{\"name\":\"candidate\",\"type\":{\"type\":\"record\",\"name\":\"c\","
		        "\"fields\":["
		        "{\"name\":\"jd\",\"type\":\"double\"},{\"name\":\"fid\",\"type\":\"int\"},"
		        "{\"name\":\"isdiffpos\",\"type\":\"string\"},"
		        "{\"name\":\"magpsf\",\"type\":\"float\"},"
		        "{\"name\":\"ra\",\"type\":\"double\"},{\"name\":\"dec\",\"type\":"
		        "\"double\"}]}}]}"),
		    "null", alerts_sync);
	put_string(&record, str_of(object));
	put_long(&record, candid);
	put_double(&record, jd);
	put_long(&record, 1);
	put_string(&record, STR("t"));
	put_float(&record, 18);
	put_double(&record, 150);
	put_double(&record, 20);
	put_block(b, 1, buf_text(&record), false, alerts_sync);
	buf_free(&record);
}

#endif
