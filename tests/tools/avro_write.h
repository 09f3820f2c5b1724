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

/* How a block is packed; its codec's name is that in the header. */
enum packing { PLAIN, DEFLATED, SNAPPED };

/* One block: `count` records that stand encoded in `records`. */
void
put_block(struct buf *, uint64_t count, struct str records, enum packing, const uint8_t sync[16]);

/* What stands before a bare record in Confluent framing. */
void put_frame(struct buf *, uint32_t schema);

#endif
