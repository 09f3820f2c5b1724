/*
 * csrf: tokens and origins. Pure: nothing here knows a request or a database.
 */
#include "auth/csrf.h"

#include <string.h>
#include <strings.h>

#include "http/request.h"

struct str
csrf_token(struct secret *s, struct arena *a, const char *purpose, struct str id)
{
	struct str parts[] = { STR("csrf"), str_of(purpose), id };
	uint8_t token[2 * SECRET_SIZE], mac[SECRET_SIZE];

	secret_sign(s, parts, NELEM(parts), mac);
	secret_random(token, SECRET_SIZE);
	for (size_t i = 0; i < SECRET_SIZE; i++)
		token[SECRET_SIZE + i] = token[i] ^ mac[i];
	return secret_encode(a, token, sizeof(token));
}

bool
csrf_token_is(struct secret *s, struct str text, const char *purpose, struct str id)
{
	struct str parts[] = { STR("csrf"), str_of(purpose), id };
	uint8_t token[2 * SECRET_SIZE];

	if (!secret_decode(text, token, sizeof(token)))
		return false;
	for (size_t i = 0; i < SECRET_SIZE; i++)
		token[SECRET_SIZE + i] ^= token[i];
	return secret_signed(s, parts, NELEM(parts), token + SECRET_SIZE);
}

/* The name of "host:port", without the dot of the root; the port, none where it is the scheme's own. */
static struct str
divide(struct str host, bool https, struct str *port)
{
	struct str name = host_name(host);

	*port = (struct str){ host.p + name.n, host.n - name.n };
	if (str_is(*port, https ? ":443" : ":80"))
		port->n = 0;
	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

bool
csrf_same_origin(struct str url, struct str scheme, struct str host)
{
	bool https = str_is(scheme, "https");
	struct str there, port, port_there;

	if (url.n < scheme.n + 3 || scheme.n == 0 || host.n == 0 ||
	    strncasecmp(url.p, scheme.p, scheme.n) != 0 || memcmp(url.p + scheme.n, "://", 3) != 0)
		return false;
	there = (struct str){ url.p + scheme.n + 3, url.n - scheme.n - 3 };
	there.n = str_find(there, '/');
	there = divide(there, https, &port_there);
	host = divide(host, https, &port);
	return there.n == host.n && strncasecmp(there.p, host.p, host.n) == 0 &&
	    str_eq(port, port_there);
}

const char *
csrf_foreign(struct str fetch_site, struct str origin, struct str referer, struct str scheme,
    struct str host)
{
	if (fetch_site.p != NULL && !str_is(fetch_site, "same-origin") &&
	    !str_is(fetch_site, "none"))
		return "Your browser says that another site sent this form. Open the page on this "
		       "site and send it from there.";
	if (origin.p != NULL) /* an origin has no path */
		return csrf_same_origin(origin, scheme, host) &&
		        memchr(origin.p + scheme.n + 3, '/', origin.n - scheme.n - 3) == NULL
		    ? NULL
		    : "This form came from another address than this site's. Open the page on this "
		      "site and send it from there; if a proxy stands between, it must pass Host "
		      "and HTTPS unchanged.";
	if (!str_is(scheme, "https"))
		return NULL;
	if (referer.p == NULL)
		return "Your browser did not say which page this form came from. Let it send the "
		       "Referer header to this site, or send an Origin header.";
	return csrf_same_origin(referer, scheme, host)
	    ? NULL
	    : "This form came from a page of another site. Open the page on this site and send it "
	      "from there.";
}
