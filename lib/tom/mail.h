/*
 * mail.h: the queue of mail. Pages and commands put mail into the table in the transaction of what it
 * tells of; `meridian mail send` sends it, never a request.
 *
 * A mail is plain text in UTF-8. Its body may hold a link that is a secret: it is wiped from the
 * table once the mail was sent or given up.
 */
#ifndef MERIDIAN_MAIL_H
#define MERIDIAN_MAIL_H

#include "base/clock.h"
#include "base/config.h"
#include "db/db.h"

#define MAIL_ADDRESS_MAX 254 /* bytes (RFC 5321) */
#define MAIL_SUBJECT_MAX 120 /* code points; what is longer is cut */
#define MAIL_LEASE (10 * MINUTE) /* who took a mail to send it has it for so long */
#define MAIL_GIVE_UP (3 * DAY) /* since it was put in the queue */
#define MAIL_KEPT (30 * DAY) /* what was sent or given up is listed for so long */

/* Does this site send mail at all (MAIL_TRANSPORT)? */
bool mail_is_on(const struct config *);

/*
 * What is wrong with the settings of mail, a sentence, or NULL; also where mail is off. It looks at
 * words only: `meridian check` looks at files.
 */
const char *mail_settings_wrong(const struct config *);

/*
 * Is it an address that mail can be sent to: name@host in ASCII, of the characters that need no
 * quotes, the host a name (xn--... where it is an international one)? Such an address is safe in a
 * header, in an envelope and as an argument of a program.
 */
bool mail_address_is_good(struct str);

/* In lower case, as addresses are counted and looked up. */
struct str mail_address_key(struct arena *, struct str);

/*
 * Puts a mail into the queue, as part of a transaction that is open. DB_END also where there is
 * nothing to do: the site sends no mail, or the account has no address that mail can be sent to.
 * Control characters of the subject become blanks.
 */
enum db_result mail_add(struct db *, const struct config *, struct str to, struct str subject,
    struct str body) MUST_CHECK;

/*
 * The same for mail that a stranger can cause to be sent: nothing is put into the queue where the
 * address got MAIL_FLOOD_HOUR in the last hour or MAIL_FLOOD_DAY in the last day, of any kind. The
 * caller must not tell visitors which it was.
 */
#define MAIL_FLOOD_HOUR 3
#define MAIL_FLOOD_DAY 10
enum db_result mail_add_asked(struct db *, const struct config *, struct str to, struct str subject,
    struct str body) MUST_CHECK;

/*
 * The absolute URL of a path of this site for a mail: scheme, domain of SITE_ID in the Sites table,
 * URL_PREFIX. Nothing of a request goes into it. DB_ROW and *link, in the arena; DB_END: there is no
 * site SITE_ID.
 */
enum db_result mail_link(struct db *, struct arena *, const struct config *, const char *path,
    struct str *link) MUST_CHECK;

/* A mail of the queue. */
enum mail_state { MAIL_WAITING, MAIL_SENT, MAIL_GIVEN_UP };
struct mail {
	int64_t id, created;
	struct str to, subject;
	struct str body; /* of mail_claim only; mail_list does not read it */
	int64_t attempts;
	int64_t next_try; /* 0: none */
	int64_t sent; /* 0: it was not */
	struct str error; /* of the last attempt; "" */
};
enum mail_state mail_state(const struct mail *);

/* Up to `limit` in the order they were added, after the id `after`. */
enum db_result mail_list(
    struct db *, struct arena *, int64_t after, size_t limit, struct mail **, size_t *n) MUST_CHECK;

/*
 * Takes the next mail that is due: it is the caller's for MAIL_LEASE, and nobody else is given it. A
 * caller that ends before it says what became of it leaves it to be sent again. DB_ROW and *m; DB_END:
 * nothing is due.
 */
enum db_result mail_claim(struct db *, struct arena *, int64_t now, struct mail *m) MUST_CHECK;

/* It was sent. */
enum db_result mail_done(struct db *, const struct mail *, int64_t now) MUST_CHECK;

/*
 * It could not be sent: it is tried again later, after a delay that grows from a minute to six hours,
 * unless it is too old or `for_good` (the address is refused).
 */
enum db_result mail_failed(
    struct db *, const struct mail *, int64_t now, struct str error, bool for_good) MUST_CHECK;

/* Due at once. DB_ROW: done; DB_END: no such mail waits (the body of what was given up is gone). */
enum db_result mail_retry(struct db *, int64_t id, int64_t now) MUST_CHECK;

/* Takes it out of the queue. DB_ROW: done; DB_END: there is none such. */
enum db_result mail_drop(struct db *, int64_t id) MUST_CHECK;

/* Removes what was sent or given up long ago. */
enum db_result mail_purge(struct db *, int64_t now) MUST_CHECK;

/*
 * The whole message (RFC 5322) with LF at the ends of lines, in ASCII, from MAIL_FROM under the name
 * TOM_NAME; `domain` names this site in the Message-ID, which is the same at each attempt. Absent
 * where address or sender is no good: nothing that was not checked stands in a header.
 */
struct str mail_message(
    struct arena *, const struct config *, const struct mail *, struct str domain, int64_t now);

#endif
