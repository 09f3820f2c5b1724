/*
 * avro_codec.h: the blocks of container files, made as long as they were.
 * Shared by avro.c and avro_codec.c only.
 */
#ifndef MERIDIAN_AVRO_CODEC_H
#define MERIDIAN_AVRO_CODEC_H

#include <zlib.h>

#include "alert/avro.h"

enum codec { CODEC_NULL, CODEC_DEFLATE, CODEC_SNAPPY, CODEC_UNKNOWN };

/* What blocks are expanded in. Zeroed is empty and valid; codec_release() gives its memory back. */
struct expander {
	z_stream z;
	bool z_ready;
	char *p;
	size_t n, room; /* bytes of the last block, allocated */
};

enum codec codec_named(struct str name);

/* Expands a block into ->p and ->n. NULL, or what is wrong with it (static). */
const char *codec_expand(struct expander *, enum codec, const char *from, size_t n);
void codec_release(struct expander *);

#endif
