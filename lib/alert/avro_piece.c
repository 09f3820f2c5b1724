/*
 * avro_piece: some records of a container file as a container of their own.
 */
#include "alert/avro.h"

#include <string.h>

/* Any sixteen bytes will do that the records do not have at their end: nobody looks for them elsewhere. */
static const char marker[16] = "Meridian's piece";

static void
put_long(struct buf *b, uint64_t n)
{
	for (n <<= 1; n >= 0x80; n >>= 7)
		buf_putc(b, (char)(n | 0x80));
	buf_putc(b, (char)n);
}

static void
put_text(struct buf *b, struct str s)
{
	put_long(b, s.n);
	buf_str(b, s);
}

void
avro_piece_write(const struct avro_piece *piece, struct buf *b)
{
	buf_put(b, "Obj\1", 4);
	put_long(b, 1);
	put_text(b, STR("avro.schema"));
	put_text(b, piece->schema);
	put_long(b, 0);
	buf_put(b, marker, sizeof(marker));
	put_long(b, piece->count);
	put_text(b, piece->records);
	buf_put(b, marker, sizeof(marker));
}
