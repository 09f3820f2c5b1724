/*
 * avro_write.h: writing Avro, for tests and made alerts: the other half of lib/alert/avro.h,
 * written apart from it so that each judges the other.
 */
#ifndef MERIDIAN_AVRO_WRITE_H
#define MERIDIAN_AVRO_WRITE_H

#include "base/buf.h"

void put_long(struct buf *, int64_t);
void put_float(struct buf *, float);
void put_double(struct buf *, double);
void put_string(struct buf *, struct str);

/* The head of a container file; the marker has 16 bytes. */
void put_header(struct buf *, struct str schema, const char *codec, const uint8_t sync[16]);

/* One block: `count` records that stand encoded in `records`; deflated where asked. */
void
put_block(struct buf *, uint64_t count, struct str records, bool deflate, const uint8_t sync[16]);

#endif
