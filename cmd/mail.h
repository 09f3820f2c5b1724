/*
 * mail.h (cmd): the ways by which `meridian mail send` hands a message on.
 */
#ifndef MERIDIAN_CMD_MAIL_H
#define MERIDIAN_CMD_MAIL_H

#include "base/arena.h"
#include "base/config.h"

#define MAIL_TIME_LIMIT 120 /* seconds for one message; less than MAIL_LEASE */

struct delivery {
	struct arena *arena;
	const struct config *config;
	struct str from, to; /* good addresses */
	struct str message; /* LF at the ends of lines */
	struct str host; /* what we call ourselves to a server */
};

enum delivered {
	DELIVERED,
	DELIVERY_FAILED, /* for now: try again */
	DELIVERY_REFUSED /* the message, or whom it is to, is refused for good */
};

/* Hands it to the program SENDMAIL_PATH; *why, in the arena, says what failed. */
enum delivered sendmail_deliver(const struct delivery *, struct str *why);

/* Hands it to the server of MAIL_SMTP_URL; *why the same. */
enum delivered smtp_deliver(const struct delivery *, struct str *why);

#endif
