/*
 * avro_write: the binary form of Avro 1.11, the writing side.
 */
#include "tests/tools/avro_write.h"

#include <endian.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"

void
put_long(struct buf *b, int64_t value)
{
	uint64_t v = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);

	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

void
put_float(struct buf *b, float value)
{
	uint32_t v;

	memcpy(&v, &value, sizeof(v));
	v = htole32(v);
	buf_put(b, &v, sizeof(v));
}

void
put_double(struct buf *b, double value)
{
	uint64_t v;

	memcpy(&v, &value, sizeof(v));
	v = htole64(v);
	buf_put(b, &v, sizeof(v));
}

void
put_string(struct buf *b, struct str s)
{
	put_long(b, (int64_t)s.n);
	buf_str(b, s);
}

void
put_header(struct buf *b, struct str schema, const char *codec, const uint8_t sync[16])
{
	buf_put(b, "Obj\1", 4);
	put_long(b, 2);
	put_string(b, STR("avro.codec"));
	put_string(b, str_of(codec));
	put_string(b, STR("avro.schema"));
	put_string(b, schema);
	put_long(b, 0);
	buf_put(b, sync, 16);
}

static void
deflate_all(struct buf *to, struct str records)
{
	z_stream z = { 0 };

	if (deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		arena_exhausted();
	z.next_in = (Bytef *)(uintptr_t)records.p;
	z.avail_in = (uInt)records.n;
	z.avail_out = (uInt)deflateBound(&z, records.n);
	z.next_out = (Bytef *)buf_room(to, z.avail_out);
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		arena_exhausted();
	to->n = z.total_out;
	deflateEnd(&z);
}

static void
put_big_endian(struct buf *b, uint32_t v)
{
	v = htobe32(v);
	buf_put(b, &v, sizeof(v));
}

static void
snap_all(struct buf *to, struct str records)
{
	size_t n = snappy_max_compressed_length(records.n);

	if (snappy_compress(records.p, records.n, buf_room(to, n), &n) != SNAPPY_OK)
		arena_exhausted();
	to->n = n;
	put_big_endian(to, (uint32_t)crc32_z(0, (const Bytef *)records.p, records.n));
}

void
put_block(
    struct buf *b, uint64_t count, struct str records, enum packing packing, const uint8_t sync[16])
{
	struct buf small = { 0 };

	if (packing == DEFLATED)
		deflate_all(&small, records);
	else if (packing == SNAPPED)
		snap_all(&small, records);
	if (packing != PLAIN)
		records = buf_text(&small);
	put_long(b, (int64_t)count);
	put_long(b, (int64_t)records.n);
	buf_str(b, records);
	buf_put(b, sync, 16);
	buf_free(&small);
}

void
put_frame(struct buf *b, uint32_t schema)
{
	buf_putc(b, 0);
	put_big_endian(b, schema);
}
