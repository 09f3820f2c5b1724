/*
 * counters.h: what the workers of an executable did, for who watches a TOM (cgi/metrics.c).
 *
 * Each executable has a file in RUN_DIR/metrics, and each of its workers a place there, which it alone
 * writes: a request costs some additions to memory of its own and no system call. A place is held by a
 * lock (of the open file description), so that of a worker that was killed is free, and its counts are
 * gone on with by the next one. Where there is no such file, a worker counts all the same, for nobody;
 * no request ever fails for it.
 */
#ifndef MERIDIAN_COUNTERS_H
#define MERIDIAN_COUNTERS_H

#include <stdatomic.h>

#include "base/arena.h"

/* Why a request was turned away. */
enum counters_refusal {
	REFUSED_HOST, /* not a host of ours */
	REFUSED_ACCESS, /* they may not use the row, or must sign in first */
	REFUSED_CSRF,
	REFUSED_THROTTLE, /* too many (429) */
	REFUSED_AWAY, /* the database or memory was not to be had (503) */
	REFUSALS
};

#define COUNTERS_METHODS 8 /* GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD, others */
#define COUNTERS_CLASSES 6 /* of status, by its first digit */
#define COUNTERS_BUCKETS 13 /* of durations, the last without bound */

/* Microseconds: what lasted at most so long is in the bucket of that index. */
extern const uint32_t counters_bounds[COUNTERS_BUCKETS - 1];

/* Numbers of a worker, by their index; all but the next three only grow. */
enum counter {
	COUNTER_HELD, /* a worker lives here, or was killed */
	COUNTER_BUSY, /* in a request */
	COUNTER_SPARE,
	COUNTER_STARTS, /* workers that began */
	COUNTER_DEATHS, /* and did not end by themselves */
	COUNTER_BYTES, /* of bodies of answers */
	COUNTER_DURATION, /* of requests, microseconds */
	COUNTER_STATEMENTS, /* of the database */
	COUNTER_STATEMENT_US,
	COUNTER_REFUSED, /* by enum counters_refusal */
	COUNTER_BUCKETS = COUNTER_REFUSED + REFUSALS,
	COUNTER_REQUESTS = COUNTER_BUCKETS + COUNTERS_BUCKETS, /* [method][class] */
	COUNTERS = COUNTER_REQUESTS + COUNTERS_METHODS * COUNTERS_CLASSES
};

/* A worker's place. Belongs to its process. */
struct counters {
	_Atomic uint64_t *at; /* COUNTERS of them, in the file or in `nowhere` */
	_Atomic uint64_t nowhere[COUNTERS];
	int fd; /* holds the place; -1: none */
};

/* From here on it counts for nobody. */
void counters_init(struct counters *);

/*
 * Takes a place in DIR/PROGRAM; makes directory and file. A file of another version of Meridian is
 * begun anew. Where that cannot be done, all stays as it is, and the log says why. Before the sandbox.
 */
void counters_join(struct counters *, const char *dir, const char *program);

/* The worker ends by itself. */
void counters_leave(struct counters *);

/* A request begins; one ends, with `method` (enum method; 0: another) and this status. */
void counters_begin(struct counters *);
struct counters_request {
	unsigned method;
	int status;
	int64_t bytes, microseconds;
	unsigned statements;
	int64_t statement_us;
};
void counters_end(struct counters *, const struct counters_request *);
void counters_refuse(struct counters *, enum counters_refusal);

/* An executable's, as a reader sees them. */
struct counters_sum {
	struct str program;
	uint64_t workers, busy; /* that live; of them in a request */
	uint64_t deaths; /* those too whose place nobody has taken again */
	uint64_t n[COUNTERS];
};

/*
 * Those of all executables whose file in `dir` is of this version, sorted by name, in the arena; NULL
 * with *n = 0 where there are none.
 */
struct counters_sum *counters_read(struct arena *, const char *dir, size_t *n);

#endif
