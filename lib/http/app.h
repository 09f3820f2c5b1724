/*
 * app.h: what an executable of cgi/ is made of: its routes, its hooks, and app_main().
 *
 * One request, in order (http/serve.c): read the parameters once; refuse duplicates of
 * security-relevant ones; path and prefix; Host (hook); route and method; who asks (hook); may they
 * (access of the row, hook); read query and body, as long as the row allows; CSRF on unsafe methods
 * (hook); the handler; the headers every answer carries; one write. The first step that refuses
 * answers.
 */
#ifndef MERIDIAN_APP_H
#define MERIDIAN_APP_H

#include "base/arena.h"
#include "base/config.h"
#include "http/value.h"

struct app;
struct app_state;
struct request;
struct response;
struct templates;
struct assets;
struct db;
struct sandbox;

enum method { GET = 1, POST = 2, PUT = 4, PATCH = 8, DELETE = 16, OPTIONS = 32, HEAD = 64 };

/* Who may use a row. */
enum access {
	ACCESS_MISSING, /* what a row without access would have: refused at start */
	ANYONE, /* no question asked, also when the site is LOCKED: sign-in, robots */
	READER, /* visitors where AUTH_STRATEGY lets them, else as LOGIN */
	LOGIN, /* signed in */
	STAFF, /* signed in and staff (or superuser) */
	SUPERUSER /* signed in and superuser */
};

#define NO_BODY ((size_t)0)

typedef int handler_fn(struct request *, struct response *);

/*
 * A row of the table. In a pattern "<id>" matches 1 to 18 digits without a leading zero and
 * "<text>" one or more characters without '/' (after decoding), "<rest>" everything to the end.
 * A row of GET answers HEAD too. No row compiles without its access and body limit.
 */
struct route {
	enum method method;
	const char *path;
	enum access access;
	size_t body; /* the longest body in bytes; 413 above */
	handler_fn *handler;
	const char *name; /* the handler's name, for the log and -R */
	bool api; /* for programs: errors are JSON, and a body of application/json is taken */
};
#define ROUTE(method_, path_, access_, body_, handler_) \
	{ \
		.method = (method_), .path = (path_), .access = (access_), .body = (body_), \
		.handler = (handler_), .name = #handler_ \
	}

/* The same for programs instead of people. Where no session asks, its POST needs no form's token. */
#define API_ROUTE(method_, path_, access_, body_, handler_) \
	{ \
		.method = (method_), .path = (path_), .access = (access_), .body = (body_), \
		.handler = (handler_), .name = #handler_, .api = true \
	}

/* What the layers above supply; any may be NULL: then nothing is asked (robots). */
struct hooks {
	/* Once in each worker, after the fork. -1 (having logged why) ends the worker. */
	int (*start)(struct app_state *);
	/* Before workers are started, in the parent: is the schema ours? -1 having said why on stderr. */
	int (*check)(struct app_state *);
	/* What the worker needs from here on, said to the sandbox (base/sandbox.h): all else is given up. */
	void (*needs)(const struct app_state *, struct sandbox *);
	/* Called when no request came for a second: close what was long idle. */
	void (*idle)(struct app_state *);
	/* The worker ends (SIGTERM, SIGHUP: then another one starts with the new configuration). */
	void (*stop)(struct app_state *);
	/*
	 * Is the request's host (lower case, port apart) one of ours? 1 yes, 0 no, -1 the database is away.
	 * Without it only ALLOWED_HOSTS are.
	 */
	int (*host)(struct request *);
	/* Finds who asks: sets request->user. 0, or -1 when the database is away. */
	int (*identify)(struct request *);
	/* May they use the row? 0 to go on; else the response was filled (302 to sign-in, 403). */
	int (*permit)(struct request *, struct response *);
	/* The CSRF checks of an unsafe method. 0 to go on; else the response was filled (403). */
	int (*csrf)(struct request *, struct response *);
	/* Adds what every page shows: "user", "csrf" (may do nothing). */
	void (*context)(struct request *, struct value *page);
	/* Number and microseconds of the statements of this request so far. */
	void (*count)(struct request *, unsigned *statements, int64_t *microseconds);
	/* Always called once the answer has left, whatever happened: roll back what is open. */
	void (*finish)(struct request *);
};

struct app {
	const char *name; /* the executable's name, as in its log lines */
	const char *what; /* one line for -h */
	/* What scopes of API tokens call it (auth/token.h). NULL: no token opens any of it. */
	const char *area;
	const struct route *routes;
	size_t nroutes;
	const struct hooks *hooks;
	bool any_host; /* answers every Host, and at every address with INSECURE_HTTP (robots) */
	bool bare; /* reads neither query nor body, whatever they are (robots) */
	bool no_pages; /* renders no template: none are loaded (robots) */
	/* What is answered instead of a 500 or 503 where a worker must leave in mid-request: CGI headers
	 * and body (robots). NULL: that. */
	const char *last_words;
	void (*parse)(int file, int out); /* what its helper does with a file (http/helper.h) */
	bool fallback; /* answers what nobody else serves, as 404 (home) */
	int (*start)(struct app_state *); /* the executable's own, after the hooks' */
	void (*needs)(const struct app_state *, struct sandbox *); /* besides the hooks' */
	void (*stop)(struct app_state *); /* gives back what that took, before the hooks' */
};

/* What a worker keeps from request to request. */
struct app_state {
	const struct app *app;
	struct config *config;
	struct templates *templates;
	struct assets *assets;
	struct db *db; /* set by the hooks; lib/http/ never looks inside */
	int helper; /* the process that parses uploads (http/helper.h), with app.parse; else -1 */
	void *own; /* the executable's */
	void *auth; /* the hooks' */
	bool insecure_http; /* INSECURE_HTTP=yes: loopback development without TLS */
	struct str prefix; /* URL_PREFIX without trailing slash: "" or "/tom" */
};

/*
 * The main of every executable. How it was started decides: -h, -V, -R print and end; a listening
 * socket on fd 0 or -s PATH serves FastCGI (-w N workers with -s; -P the plain libfcgi loop); else,
 * with GATEWAY_INTERFACE or REQUEST_METHOD in the environment, one answer on stdout.
 * Returns the exit status: 0; 1 a failure at run time; 2 wrong usage; 78 wrong configuration or
 * schema.
 */
int app_main(int argc, char **argv, const struct app *);

#endif
