/*
 * stream_state.h: how the streams fare, as their daemons say it (cmd/stream.c), and the dead letters
 * that wait.
 */
#ifndef MERIDIAN_STREAM_STATE_H
#define MERIDIAN_STREAM_STATE_H

#include "base/clock.h"
#include "db/db.h"

#define STREAM_SILENT (15 * SECOND) /* a daemon that said nothing for so long is dead */

#define STREAM_LETTERS_MAX 1000 /* beyond it counts say "more than" */

/* A daemon's word on one stream. Times are microseconds; 0: never. */
struct stream_daemon {
	struct str host;
	int64_t pid;
	int64_t started, heartbeat;
	int64_t messages, alerts, new_targets, new_points, dead; /* since it started */
	double rate; /* messages a second, of the last minute */
	int64_t behind; /* messages that wait; -1: not known */
	int64_t last_packet;
	struct str error; /* why it waits; "": it does not */
	int64_t error_at; /* of the newest error, mended or not */
};

struct stream_state {
	struct str name;
	struct stream_daemon *daemons; /* by host and process */
	size_t ndaemons;
	int64_t letters; /* dead ones that wait, at most STREAM_LETTERS_MAX + 1 */
};

/* Is it heard of? */
bool stream_daemon_lives(const struct stream_daemon *, int64_t now);

/*
 * All streams that a daemon spoke of or that have dead letters, by name. They live in the arena. One
 * round trip.
 */
enum db_result
stream_states(struct db *, struct arena *, struct stream_state **, size_t *n) MUST_CHECK;

#endif
