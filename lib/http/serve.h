/*
 * serve.h: what the files of lib/http/ share and handlers never see: the way a request comes in and
 * an answer leaves (transport), the worker's server, and the steps between.
 */
#ifndef MERIDIAN_SERVE_H
#define MERIDIAN_SERVE_H

#include <sys/types.h>

#include "base/buf.h"
#include "http/counters.h"
#include "http/response.h"

/* FastCGI or plain CGI: how the body is read and the answer written. */
struct transport {
	/* Up to n bytes of the body: their number, 0 at its end, -1 when the peer is gone. */
	ssize_t (*read)(void *state, void *to, size_t n);
	/*
	 * Writes head and body, in this order; `last` ends the answer. A stream calls it often, any
	 * other answer once. 0, or -1 when the peer is gone.
	 */
	int (*send)(void *state, struct str head, struct str body, bool last);
	/* Nobody wants what is left of the body: reading it may end soon with -1. NULL: it is all here. */
	void (*hurry)(void *state);
};

/* What a worker has for serving, one request at a time. */
struct server {
	struct app_state app;
	struct arena *arena; /* of the request under way */
	struct buf head, body; /* of its answer; the memory is kept from one to the next */
	struct counters counters;
	uint64_t ids; /* the state that request ids are made from */
	bool log_requests;
};

/* Makes it ready after the fork; calls the start hooks. -1 where one of them failed (it said why). */
int server_start(struct server *, const struct app *, struct config *, struct templates *);
/*
 * With SANDBOX gives up what the worker does not need (base/sandbox.h): it keeps what the hooks and the
 * executable name, and where one of its routes takes files, a directory for temporary ones. 0 or -1.
 */
int server_confine(struct server *);
void server_stop(struct server *);
/* No request came for a second: the idle hook has its turn. */
void server_rest(struct server *);
/* Gives back what server_start() took. */
void server_free(struct server *);

/* Answers one request; params are "NAME=value", ended by NULL, borrowed for the call. */
void serve(struct server *, const struct transport *, void *transport_state, char *const *params);

/* --- request.c, url.c, cookie.c, multipart.c, host.c: the parsers. --- */

/* What a parser found: 0 for all is well, else the status to refuse with and a sentence. */
struct refusal {
	int status;
	const char *why;
};

/* Reads the parameters into the request: method, path below the prefix, host, scheme, cookies. */
struct refusal request_parse(struct request *, char *const *params);

/* Reads query string and body, once the route is known. */
struct refusal request_read_query(struct request *);
struct refusal request_read_body(struct request *);

/* Reads and forgets what is left of the body. -1 where it is too much, or the peer is gone. */
int request_drain(struct request *);

/* "a=1&b=2": decoded pairs added to `to`. */
#define PAIRS_MAX 1000
struct refusal pairs_parse(struct arena *, struct str text, struct pairs *to);
void pairs_add(struct arena *, struct pairs *, struct str name, struct str value);

/* The pairs of one Cookie header; what is no cookie is passed over. */
#define COOKIES_MAX 100
void cookies_parse(struct arena *, struct str header, struct pairs *to);

/*
 * A Host header in lower case without a dot at its end; absent where it is none: a name of letters,
 * digits, '-', '_' and dots, or an address in brackets, then ':' and a port where there is one.
 */
struct str host_parse(struct arena *, struct str header);

/* A multipart/form-data body, fed piece by piece. */
struct multipart;
struct multipart *multipart_new(struct request *, struct str boundary);
struct refusal multipart_feed(struct multipart *, const char *, size_t n);
/* The body ended: refused where it was not complete; then uploads stand in the request. */
struct refusal multipart_end(struct multipart *);
/* The directory of temporary files. */
const char *multipart_directory(void);
/* The boundary parameter of a Content-Type; absent where there is none that is allowed. */
struct str multipart_boundary(struct arena *, struct str content_type);

/* --- route.c --- */

struct match {
	const struct route *route; /* NULL: no row of this path and method */
	unsigned methods; /* what rows of this path take, a sum of enum method */
	bool slash; /* the path with '/' appended is a row of GET */
	enum access access; /* ANYONE where a row of the path is, else READER */
};
struct match route_find(const struct app *, struct request *);
/* "GET, HEAD, POST, OPTIONS" of a sum of methods. */
struct str route_allow(struct arena *, unsigned methods);
/* What is wrong with the table, or NULL. */
const char *route_check(const struct app *);
const char *method_name(enum method);
const char *access_name(enum access);

/* --- response.c, page.c --- */

struct header {
	const char *name;
	struct str value;
};

struct response {
	struct request *request;
	struct server *server;
	int status; /* 0: nothing answered yet */
	struct str type; /* Content-Type; "" for an answer without a body */
	const char *cache;
	struct header *headers;
	size_t nheaders, room;
	bool has_cookie; /* the answer must not be cached */
	bool broken; /* a header with a control byte was given: 500 */
	bool streaming; /* the body leaves in pieces */
	bool left; /* the first of them has, and with it the headers */
	bool gone; /* the peer is */
	int64_t bytes; /* of the body, for the log */
	struct str message; /* the cookie of messages to show next time; absent: unchanged */
};

/* Forgets all a handler said, cookies too. */
void response_reset(struct response *);
/* Serialises head and body and sends them (or ends a stream). */
void response_finish(struct response *);
/* Answers with the body as it stands in the server's buffer. */
int response_body(struct response *, int status, const char *type);
const char *status_reason(int status);

/* Answers that need nothing to make, 503, 503 and 500: CGI headers and a sentence. */
extern const char response_no_memory[], response_too_long[], response_crash[];

/* --- fastcgi.c, cgi.c, prefork.c: how a worker is driven. --- */

struct prefork;

/* Serves p->listener until SIGTERM; the exit status. */
int fastcgi_run(struct server *, const struct prefork *p);
/*
 * The listening socket at `path`, mode 0660; one left over is replaced, one that a live server
 * listens on is not. -1 with a sentence in err.
 */
int listen_at(const char *path, char *err, size_t errsize);

/* What a parent needs to start workers, now and after a SIGHUP. */
struct prefork {
	const struct app *app;
	const char *path; /* of the socket, removed at the end; NULL: it is not ours */
	int listener, workers;
	bool plain;
	/*
	 * Where a worker that leaves puts connections whose next request has not come (as SCM_RIGHTS
	 * into the first) and others take them from (the second); -1, -1 without siblings.
	 */
	int orphans[2];
	struct config *config;
	struct templates *templates;
	/* Loads both anew; -1 having said why on stderr. */
	int (*load)(const struct app *, struct config **, struct templates **);
	/* The life of a worker, in its own process: returns its exit status. Gives all back. */
	int (*work)(struct prefork *);
};

/* Keeps the workers running until SIGTERM; the exit status. */
int prefork_run(struct prefork *);

/* One request from the environment, its answer on stdout; the exit status. */
int cgi_run(struct server *, char *const *environment);

#endif
