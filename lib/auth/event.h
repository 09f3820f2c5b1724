/*
 * event.h: the security log: what happened to accounts, and who was refused. Each event is one line
 * of the log and one row of security_event.
 *
 * A row says which account, who did it, from which address, and a sentence; never a password, a
 * token, a code or a cookie. The name that was typed where nobody has it is not kept: it is often a
 * password, typed into the wrong field. What cannot be written to the table is in the log at least:
 * noting an event never fails what it is about.
 *
 * What strangers can cause as often as they like (refusals) would fill the disk. Of these a worker
 * writes EVENT_ROWS rows a kind, address and minute, and EVENT_ROWS_ALL a minute in all; what comes
 * beyond is counted and becomes one row with its number (`times`) when the minute is over: of each
 * kind and address, or of a kind from many addresses. The log has a line of each.
 *
 * Rows are kept for SECURITY_LOG_DAYS: event_purge() removes what is older, some at a time.
 */
#ifndef MERIDIAN_EVENT_H
#define MERIDIAN_EVENT_H

#include "db/db.h"
#include "http/request.h"

enum event_kind {
	EVENT_SIGNED_IN,
	EVENT_SIGN_IN_REFUSED, /* unknown, wrong or inactive: detail says which */
	EVENT_SIGN_IN_THROTTLED,
	EVENT_SIGNED_OUT,
	EVENT_PASSWORD_CHANGED,
	EVENT_PASSWORD_REFUSED, /* the present one, on a page of somebody signed in */
	EVENT_RESET_ASKED,
	EVENT_RESET_DONE,
	EVENT_FACTOR_ADDED,
	EVENT_FACTOR_REMOVED,
	EVENT_FACTOR_REFUSED,
	EVENT_RECOVERY_CODE_USED,
	EVENT_TOKEN_MADE,
	EVENT_TOKEN_REVOKED,
	EVENT_TOKEN_REFUSED,
	EVENT_SESSION_ENDED,
	EVENT_REGISTERED,
	EVENT_EMAIL_VERIFIED,
	EVENT_TERMS_ACCEPTED,
	EVENT_USER_ADDED,
	EVENT_USER_CHANGED, /* detail: which fields; rights of staff and superusers above all */
	EVENT_USER_DELETED,
	EVENT_GROUP_CHANGED,
	EVENT_RIGHTS_CHANGED, /* of a target: detail says whose */
	EVENT_SITE_CHANGED,
	EVENT_ACCESS_REFUSED,
	EVENT_CHANGE_REFUSED, /* of an account: detail names the fields that they may not set */
	EVENT_CSRF_REFUSED,
	EVENT_HOST_REFUSED,
	EVENT_SECRET_ROTATED,
	EVENT_KINDS /* how many */
};

#define EVENT_ROWS 5
#define EVENT_ROWS_ALL 100

struct event {
	enum event_kind kind;
	int64_t user; /* whose account; 0: of nobody */
	struct str username; /* of that account, or as it was given; absent: "" */
	int64_t actor; /* who did it; 0: nobody signed in, or a command */
	struct str address; /* absent for a command */
	struct str detail; /* a sentence for people; absent: "" */
};

/* The word of a kind, as it stands in the table and in the log: "sign_in_refused". */
const char *event_word(enum event_kind);

/*
 * Notes an event of a request: address, request id and, where `actor` is 0, who is signed in are
 * filled in. It is written at once, in a transaction that is open as part of that.
 */
void event_note(struct request *, struct event);

/* The same for a command, which has no request. */
void event_note_command(struct db *, int64_t now, struct event);

/* What a worker counted instead of writing. The hooks make it, flush it at rest, and free it. */
struct event_flood;
struct event_flood *event_flood_new(void);
void event_flood_free(struct event_flood *);
/* Writes the rows of minutes that are over; at the end (`all`) of this one too. */
void event_flood_flush(struct event_flood *, struct db *, int64_t now, bool all);

/* Removes up to `most` rows from before `old`. DB_END and how many there were. */
enum db_result event_purge(struct db *, int64_t old, int64_t most, int64_t *removed);

#endif
