/*
 * avro_codec: deflate as zlib has it, without its header; snappy with a CRC-32 of what was packed
 * behind each block, as Avro has it.
 */
#include "alert/avro_codec.h"

#include <snappy-c.h>
#include <stdlib.h>

#define CHUNK KIB(128)
#define SNAPPY_MOST 64 /* a byte never becomes more than these: see its format, copies */

enum codec
codec_named(struct str name)
{
	return str_is(name, "null")   ? CODEC_NULL
	    : str_is(name, "deflate") ? CODEC_DEFLATE
	    : str_is(name, "snappy")  ? CODEC_SNAPPY
	                              : CODEC_UNKNOWN;
}

static void
make_room(struct expander *x, size_t want)
{
	size_t size = x->room == 0 ? 2 * CHUNK : x->room;

	while (size < want)
		size *= 2;
	if (size == x->room)
		return;
	x->p = realloc(x->p, size);
	if (x->p == NULL)
		arena_exhausted();
	x->room = size;
}

/* Raw deflate; some writers leave a checksum behind it. */
static const char *
inflate_block(struct expander *x, const char *from, size_t n)
{
	int r = x->z_ready ? inflateReset(&x->z) : inflateInit2(&x->z, -MAX_WBITS);

	if (r != Z_OK)
		arena_exhausted();
	x->z_ready = true;
	x->z.next_in = (Bytef *)(uintptr_t)from;
	x->z.avail_in = (uInt)n;
	x->n = 0;
	do {
		if (x->n >= AVRO_MAX_BLOCK)
			return "a block that inflates to more than 64 MiB";
		make_room(x, x->n + CHUNK);
		x->z.next_out = (Bytef *)x->p + x->n;
		x->z.avail_out = (uInt)(x->room - x->n);
		r = inflate(&x->z, Z_NO_FLUSH);
		x->n = x->room - x->z.avail_out;
	} while (r == Z_OK);
	return r == Z_STREAM_END ? NULL : "the deflated block is damaged";
}

static const char *
unpack_snappy(struct expander *x, const char *from, size_t n)
{
	const uint8_t *crc;
	size_t size;

	if (n < 4 || snappy_uncompressed_length(from, n - 4, &size) != SNAPPY_OK)
		return "the snappy block is damaged";
	if (size > AVRO_MAX_BLOCK || size > SNAPPY_MOST * n)
		return "a snappy block that says it is longer than it can be";
	make_room(x, size);
	x->n = x->room;
	if (snappy_uncompress(from, n - 4, x->p, &x->n) != SNAPPY_OK)
		return "the snappy block is damaged";
	crc = (const uint8_t *)from + n - 4;
	if (crc32_z(0, (const Bytef *)x->p, x->n) !=
	    ((uint32_t)crc[0] << 24 | (uint32_t)crc[1] << 16 | (uint32_t)crc[2] << 8 | crc[3]))
		return "the snappy block does not have its checksum";
	return NULL;
}

const char *
codec_expand(struct expander *x, enum codec codec, const char *from, size_t n)
{
	return codec == CODEC_SNAPPY ? unpack_snappy(x, from, n) : inflate_block(x, from, n);
}

void
codec_release(struct expander *x)
{
	if (x->z_ready)
		inflateEnd(&x->z);
	free(x->p);
}
