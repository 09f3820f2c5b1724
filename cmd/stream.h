/*
 * stream.h: one stream of the daemon: its source, its batch, and how it fares.
 */
#ifndef MERIDIAN_STREAM_H
#define MERIDIAN_STREAM_H

#include "alert/ingest.h"
#include "cmd/source.h"

struct stream;

/*
 * A stream of the configuration; nothing is opened yet. config and db outlive it. NULL with a sentence
 * in err where it cannot be so: a group that is not there, a directory of schemas. The caller frees it
 * with stream_free().
 */
struct stream *stream_new(
    struct db *, const struct config *, const struct config_stream *, char *err, size_t errsize);
/* Forgets what was not written, closes the source, takes the stream's line out of stream_state. */
void stream_free(struct stream *);

/*
 * Takes what is there, up to a batch or for a second, and writes what is to be written. True: there may be more at
 * once. Failures are waited for, not told: what a stream waits for stands in stream_state and the log.
 */
bool stream_serve(struct stream *, const volatile int *stop);
/* Writes what was taken, before the end. */
void stream_drain(struct stream *);
/* Is there nothing any more? */
bool stream_is_drained(const struct stream *);

const char *stream_name(const struct stream *); /* as the configuration has it */
int stream_descriptor(const struct stream *); /* to wait for; -1: none */
int64_t stream_wakes(const struct stream *); /* clock_monotonic: serve it then in any case */

/* Its dead letters are kept since then (clock_now); 0: since ever. */
int64_t stream_keeps_since(const struct stream *);

/* Says in the database how it fares. */
void stream_report(struct stream *);

/* Is all there that it needs? 0, or -1 with a sentence in err. */
int stream_check(struct stream *, char *err, size_t errsize);

/*
 * Takes a message once more, which was a dead letter, in a transaction of its own: the stream's batch
 * is left alone. 0: it was stored; 1: it cannot be yet, also since the database fails over it; -1: the
 * database is away or full; with a sentence in err.
 */
int stream_replay(struct stream *, struct str topic, struct str bytes, char *err, size_t errsize);

#endif
