/*
 * libavro.h: libavro, which has names of its own for what lib/alert/avro.h names: its generic value,
 * filled and looked into, for who measures and who judges.
 */
#ifndef MERIDIAN_BENCH_LIBAVRO_H
#define MERIDIAN_BENCH_LIBAVRO_H

#include "base/buf.h"

/* A generic value under that schema. NULL: it does not take the schema. */
struct libavro;
struct libavro *libavro_new(struct str schema);

/* Reads a bare record into the value. False: it cannot. */
bool libavro_read(struct libavro *, struct str record);

/*
 * Makes a value of bytes, whatever they are: they choose branches, lengths (few items, short texts) and
 * numbers; when they end all is 0.
 */
void libavro_make(struct libavro *, const uint8_t *bytes, size_t n);

/* Appends the value as a bare record. */
void libavro_write(struct libavro *, struct buf *);

/* A place in the value, till it is filled anew. */
struct libavro_at {
	void *iface, *self;
};
struct libavro_at libavro_root(struct libavro *);
/* A record's field, its union opened. False: it has none of that name. */
bool libavro_field(struct libavro_at, const char *name, struct libavro_at *);

enum libavro_kind {
	LIBAVRO_NULL,
	LIBAVRO_LONG, /* int, long, boolean */
	LIBAVRO_REAL, /* float, double */
	LIBAVRO_STRING, /* string, bytes, enum */
	LIBAVRO_LIST,
	LIBAVRO_OTHER
};
enum libavro_kind libavro_kind(struct libavro_at);
int64_t libavro_long(struct libavro_at);
double libavro_real(struct libavro_at); /* of what is LIBAVRO_LONG, too */
struct str libavro_string(struct libavro_at);
size_t libavro_items(struct libavro_at);
struct libavro_at libavro_item(struct libavro_at, size_t index);

#endif
