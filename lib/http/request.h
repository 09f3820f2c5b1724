/*
 * request.h: one request as a handler sees it. Parsed once, checked already; all of it lives in
 * request->arena and is gone when the answer was sent.
 */
#ifndef MERIDIAN_REQUEST_H
#define MERIDIAN_REQUEST_H

#include "http/app.h"

struct user; /* auth/access.h */

/* Pairs of a query string or form, in order, decoded, checked to be UTF-8. */
struct pair {
	struct str name, value;
};
struct pairs {
	struct pair *list;
	size_t n;
};

/* A part of a multipart form that carries a file: its bytes are in a temporary file, unlinked. */
struct upload {
	struct str name; /* the field's */
	struct str filename; /* as the browser said: never a path to open; control bytes refused */
	struct str type; /* as the browser said */
	int fd; /* at offset 0; closed with the arena */
	int64_t size; /* bytes */
};

#define REQUEST_CAPTURES 4

struct request {
	struct app_state *app;
	struct arena *arena;
	const struct route *route;
	enum method method; /* HEAD requests say HEAD; handlers treat it as GET */
	struct str path; /* decoded, below the prefix, begins with '/' */
	struct str query; /* as sent, without '?' */
	struct str capture[REQUEST_CAPTURES]; /* what <id>, <text>, <rest> matched, in order */
	int64_t id[REQUEST_CAPTURES]; /* the value of a capture that was an <id> */
	struct str host; /* lower case, with the port where one was sent */
	struct str scheme; /* "https" or "http" */
	struct str remote_addr;
	char request_id[20]; /* quoted by error pages and log lines */
	struct pairs get, post, cookies;
	struct upload *uploads;
	size_t nuploads;
	struct str content_type; /* lower case, without parameters; "" without a body */
	struct str body; /* of application/json, where the row is API_ROUTE's; else absent */
	/*
	 * It came with Authorization, which says alone who asks: no cookie of it is read, none is
	 * set, and no CSRF check is needed, since browsers add no such header to a foreign form.
	 */
	bool cookieless;
	int64_t now; /* when it arrived */
	const struct user *user; /* who asks; NULL for a visitor */
	void *session; /* the hooks' */
	/* lib/http/ only */
	const struct transport *transport;
	void *transport_state;
	struct pairs params; /* as the web server sent them */
	int64_t content_length; /* -1: none was sent */
	int64_t received; /* bytes of the body read so far */
	bool body_ended; /* nothing more is to be read */
	bool https;
};

/* A header of the request by its CGI name ("HTTP_ORIGIN"); absent where it was not sent. */
struct str request_header(const struct request *, const char *cgi_name);

/* The first pair of that name; absent where there is none. */
struct str pairs_get(const struct pairs *, const char *name);
size_t pairs_count(const struct pairs *, const char *name);
/* The index-th (0-based) value among those of that name. */
struct str pairs_nth(const struct pairs *, const char *name, size_t index);

struct str request_cookie(const struct request *, const char *name);
struct upload *request_upload(const struct request *, const char *name);

/* Is it a GET or HEAD? */
bool request_is_safe(const struct request *);

/*
 * Is it a program's, which reads JSON and not pages: of an API_ROUTE, with Authorization, or with an
 * Accept that names application/json and not text/html? Errors are JSON then.
 */
bool request_wants_json(const struct request *);

/* Is it in ALLOWED_HOSTS? An item without a port matches any port, ".example.org" all below it. */
bool host_allowed(const struct config *, struct str host);
/* A host without its port: a part of it, borrowed. */
struct str host_name(struct str host);
/* PREFIX + path, for links and redirects. */
struct str request_url(const struct request *, const char *path);

/* Percent-encodes all but unreserved characters (RFC 3986). */
struct str url_encode(struct arena *, struct str);
/* The same for a path: '/' and what else may stand in one is left. */
struct str url_path_encode(struct arena *, struct str);
/* Decodes %XX, and '+' as blank where `plus`. Absent where it is not well-formed. */
struct str url_decode(struct arena *, struct str, bool plus);

/*
 * Is it a path on this site to go to: one leading '/', not "//" or "/\", no backslash, no control
 * byte, no scheme, also after one decoding? What `next` may be.
 */
bool url_is_local(struct str);

#endif
