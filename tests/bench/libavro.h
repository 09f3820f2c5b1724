/*
 * libavro.h: libavro, which has names of its own for what lib/alert/avro.h names.
 */
#ifndef MERIDIAN_BENCH_LIBAVRO_H
#define MERIDIAN_BENCH_LIBAVRO_H

#include "base/base.h"

/* A generic value under that schema. NULL: it does not take the schema. */
struct libavro;
struct libavro *libavro_new(struct str schema);

/* Reads a bare record into the value. False: it cannot. */
bool libavro_read(struct libavro *, struct str record);

#endif
