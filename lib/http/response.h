/*
 * response.h: the answer. A handler builds all of it, or streams an export; nothing is sent before
 * it returns (streams apart), so what fails becomes a clean error page.
 *
 * The respond_* functions return 0, so that a handler may end with `return respond_page(...)`;
 * a handler that returns -1 has failed for a reason it logged: the visitor gets 500.
 */
#ifndef MERIDIAN_RESPONSE_H
#define MERIDIAN_RESPONSE_H

#include "http/request.h"

struct response;

/*
 * An HTML page: the template NAME with `page` (NULL: nothing) under the context every page has:
 * user, csrf, messages, site, tom_name, prefix, request_id, now, asset.*, nav.*, path.
 */
int
respond_page(struct request *, struct response *, int status, const char *name, struct value *page);

int respond_json(struct request *, struct response *, int status, const struct value *);

/* Any body; type is a complete Content-Type. The text is copied. */
int respond_text(struct request *, struct response *, int status, const char *type, struct str);

/*
 * 302 to a path of this site (below the prefix, which is put in front), with its query. What is
 * not local goes to "/".
 */
int respond_redirect(struct request *, struct response *, struct str path);

/* The same with 301: the address itself has moved. */
int respond_moved(struct request *, struct response *, struct str path);

/*
 * The site's error page: 400 401 403 404 405 409 413 415 429 500 503 507. `why` is a sentence for
 * the visitor (NULL: the usual one). 503 carries Retry-After. Where request_wants_json() it is
 * {"detail": why} instead, as Django REST framework has it.
 */
int respond_error(struct request *, struct response *, int status, const char *why);

/* A message shown once, on the next page (kept in a cookie); kind is "ok", "warn" or "bad". */
void respond_message(struct request *, struct response *, const char *kind, struct str text);

/* Sets or adds a header. A value with a control byte is a mistake: the answer becomes 500. */
void response_set(struct response *, const char *name, struct str value);
void response_add(struct response *, const char *name, struct str value);

/*
 * A cookie: Path=/, HttpOnly, SameSite=Lax; "__Host-" and Secure but in INSECURE_HTTP mode. Name
 * without the prefix. max_age in seconds; 0 ends it; negative: until the browser closes. A request
 * that is cookieless gets none.
 */
void response_cookie(
    struct request *, struct response *, const char *name, struct str value, int64_t max_age);

/*
 * Validators of a cacheable answer: sets ETag (quoted by us) and Last-Modified (0: none) and says
 * whether the request's conditions hold (RFC 9110 order). True: the response is complete, a 304 (or
 * a 412, where If-Match or If-Unmodified-Since failed).
 */
bool response_not_modified(struct request *, struct response *, struct str etag, int64_t modified);

/* Overrides "private, no-store", the default of every answer. */
void response_cache(struct response *, const char *cache_control);

/*
 * Streaming, the one mode for exports: what is written leaves in pieces of some 64 KiB, the headers
 * with the first; -1 when the client is gone (stop then). HEAD discards. Content-Length is not sent.
 * A handler that fails (-1) before anything left gives a clean 500; later the connection is cut.
 */
int response_stream(struct request *, struct response *, int status, const char *type,
    struct str filename /* offered as attachment; absent: none */);
int response_write(struct response *, const void *, size_t n);

#endif
