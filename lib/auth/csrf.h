/*
 * csrf.h: is a request that changes something sent by a page of ours? Three checks, all of which
 * must pass (spec/security.md F): where the browser says it comes from (Sec-Fetch-Site), its Origin
 * (on https without one its Referer), and a token that only our pages carry.
 */
#ifndef MERIDIAN_CSRF_H
#define MERIDIAN_CSRF_H

#include "auth/secret.h"

#define CSRF_TEXT 86 /* characters of a token */

/*
 * The token of a form: base64url of a random mask and the mask XOR an HMAC of `purpose` and `id`,
 * so that it is another text on every page (BREACH) and good for every form of the same session.
 * purpose is "session" with a session's token hash, or "visitor" with the visitor's cookie.
 */
struct str csrf_token(struct secret *, struct arena *, const char *purpose, struct str id);
/* Constant time. Anything that is no token of ours is false. */
bool csrf_token_is(struct secret *, struct str token, const char *purpose, struct str id);

/*
 * Is it a URL (or an Origin) of this scheme and host? Of a Referer only the origin counts. Port 443
 * of https and 80 of http are the same as none, and so is a dot at the end of the name; hosts compare
 * without regard to case.
 */
bool csrf_same_origin(struct str url, struct str scheme, struct str host);

/*
 * The first two checks from the headers, absent ones absent: NULL where they pass, else a sentence
 * for the page. scheme and host (with the port where one was sent) are the request's own.
 */
const char *csrf_foreign(struct str fetch_site, struct str origin, struct str referer,
    struct str scheme, struct str host);

#endif
