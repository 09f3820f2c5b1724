/*
 * stream_options.h: what the keys of a stream say of its packets.
 */
#ifndef MERIDIAN_STREAM_OPTIONS_H
#define MERIDIAN_STREAM_OPTIONS_H

#include "alert/ingest.h"
#include "base/config.h"

/*
 * Fills the options, but for map and schemas, and the cuts that they point to; ids of groups live in the
 * arena. False with a sentence in err where a group is not there.
 */
bool stream_options_read(struct db *, struct arena *, const struct config *,
    const struct config_stream *, struct ingest_options *, struct ingest_cuts *, char *err,
    size_t errsize) MUST_CHECK;

#endif
