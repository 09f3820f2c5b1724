/*
 * source.h: where the packets of a stream come from. A source is a table of functions; the daemon
 * (ingest_run.c) knows none of them by name.
 *
 * A source says what is next and where it stands; the positions are written with what was read
 * (alert/position.h), and it goes on from what they say, whatever it remembers.
 */
#ifndef MERIDIAN_SOURCE_H
#define MERIDIAN_SOURCE_H

#include "alert/ingest.h"
#include "base/config.h"

/* What a source needs of the daemon. It outlives the source. */
struct source_host {
	struct db *db;
	const struct config_stream *config;
	struct str stream; /* its name */
	const struct ingest_options *options; /* create, groups and permissions of the stream */
	/*
	 * Writes what was taken; what cannot be written is forgotten. Called before a source gives up a
	 * position which has moved.
	 */
	void (*flush)(void *arg);
	void *arg;
};

enum source_result {
	SOURCE_MESSAGE, /* a packet, or a container of them, in memory */
	SOURCE_FILE, /* a container, of any length, to be read from a descriptor */
	SOURCE_END, /* of what the position belongs to: it is done */
	SOURCE_BROKEN, /* the same, but what is left of it cannot be read (err) */
	SOURCE_STORED, /* what came is no packet: the source has written it itself */
	SOURCE_PASSED, /* something that is known: ask again */
	SOURCE_NONE, /* nothing now */
	SOURCE_DRAINED, /* nothing any more */
	SOURCE_UNREADABLE, /* what is being read cannot be now (err): put_off() is wanted */
	SOURCE_TROUBLE, /* not now (err): to be tried again in a while */
	SOURCE_DATABASE /* the same: the database failed */
};

struct message {
	struct position *position; /* the source's; lasts until it is settled */
	int64_t place; /* of the message there */
	struct str bytes; /* borrowed until the next call */
	int fd; /* the source's, until the next call */
};

struct source;
struct source_kind {
	const char *name; /* of the key `source` */
	/* NULL with a sentence in err: not now. */
	struct source *(*open)(const struct source_host *, char *err, size_t errsize);
	/* Without `more` nothing is taken, but what must be done is (what the peer wants to hear). */
	enum source_result (*next)(
	    struct source *, bool more, struct message *, char *err, size_t errsize);
	/* What was taken is written, and its positions settled. */
	void (*settled)(struct source *);
	/* What was taken was forgotten, and its positions settled: back to what the table says. */
	void (*rewind)(struct source *);
	/* Reading has failed: what is being read is read again behind all else. NULL: none reads so. */
	void (*put_off)(struct source *);
	int (*descriptor)(const struct source *); /* readable when something came; -1: none */
	int64_t (*behind)(const struct source *); /* messages that wait; -1: not known */
	/* Is everything there that the stream needs? 0, or -1 with a sentence in err. */
	int (*check)(const struct source_host *, char *err, size_t errsize);
	void (*close)(struct source *);
	/*
	 * Does the table say of a position otherwise than it was left? Looks at some, at others the next
	 * time. NULL: none is kept.
	 */
	bool (*moved)(struct source *);
	/* Of those that write themselves, else NULL: what they wrote, */
	const struct ingest_tally *(*tally)(const struct source *);
	/* and a dead letter taken once more, as stream_replay(). */
	int (*again)(const struct source_host *, struct str topic, struct str bytes, char *err,
	    size_t errsize);
};
extern const struct source_kind source_files, source_kafka, source_scout;

#endif
