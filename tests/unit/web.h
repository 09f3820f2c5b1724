/*
 * web.h: a worker without a web server: tests ask it with parameters and read what it would send.
 */
#ifndef MERIDIAN_WEB_H
#define MERIDIAN_WEB_H

#include "unit.h"

#include "http/serve.h"

struct web {
	struct server server;
	struct config *config;
	/* the request's body, and where it breaks off (SIZE_MAX: nowhere) */
	struct str input;
	size_t at, breaks;
	/* the answer */
	struct buf head, body;
	int sends;
	bool ended;
	bool deaf; /* the peer is gone: every sending fails */
};

/* Starts it for the app; the configuration is that of the environment. */
void web_open(struct web *, const struct app *);
void web_close(struct web *);

/* Makes a secret key for what is started from now on, in a file "key" of that folder. */
void web_key(const char *dir);

/*
 * Asks: METHOD PATH[?QUERY], a body (absent: none, and no CONTENT_LENGTH) and further parameters
 * "NAME=value", ended by NULL; a later one replaces an earlier one of the same name, and "+NAME=..."
 * comes beside it. Returns the status.
 */
int web_ask(struct web *, const char *what, struct str body, ...);

/* A header of the answer, "" where there is none. Borrowed until the next call. */
const char *web_header(struct web *, const char *name);
const char *web_text(struct web *);

#endif
