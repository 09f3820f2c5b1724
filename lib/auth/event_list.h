/*
 * event_list.h: reading the security log: by kind, account, address and period, the newest first.
 */
#ifndef MERIDIAN_EVENT_LIST_H
#define MERIDIAN_EVENT_LIST_H

#include "auth/event.h"

struct event_row {
	int64_t id, at;
	struct str kind; /* a word of event.h */
	int64_t user; /* 0: of nobody */
	struct str username; /* as it was then */
	int64_t actor; /* 0: nobody who was signed in, or a command */
	struct str actor_name; /* of today; absent where there is none (any more) */
	struct str address; /* "" for a command */
	struct str detail, request_id;
	int64_t times; /* more than 1: of a flood, that many alike */
};

/* What is looked for: each that is not "" or 0. */
struct event_filter {
	struct str kind, username, address;
	int64_t from, to; /* from <= at < to */
	int64_t before, before_id; /* the last row of the page before: what is older than it */
};

/*
 * At most `most` rows, in the arena; *more says whether there may be others behind them. Each filter
 * has an index that serves it, so the page costs the same however long the log is.
 */
enum db_result event_list(struct db *, struct arena *, const struct event_filter *, size_t most,
    struct event_row **, size_t *n, bool *more);

#endif
