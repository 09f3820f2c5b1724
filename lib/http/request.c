/*
 * request: from the web server's parameters to a struct request, and from its body to pairs and
 * files.
 *
 * Servers divide the path differently (nginx: SCRIPT_NAME holds all of it; Apache: SCRIPT_NAME is
 * what ScriptAlias or ProxyPass named and PATH_INFO the rest), but all of them decode it before
 * they hand it over (security.md A.3 row 10): both put together are the path, and we never decode
 * it again. REQUEST_URI is as the client sent it, may begin with "//evil.test", and is not used.
 */
#include <string.h>
#include <strings.h>

#include "http/proxy.h"
#include "http/serve.h"

#define PATH_LONGEST KIB(8)
/* A form that is not multipart is held in memory (Django: DATA_UPLOAD_MAX_MEMORY_SIZE). */
#define FORM_LONGEST ((size_t)2621440)
/* What we read only to throw it away, so that the peer gets its answer. */
#define DRAIN_MOST ((int64_t)256 << 20)

#define FINE ((struct refusal){ 0, NULL })

static struct refusal
refuse(int status, const char *why)
{
	return (struct refusal){ status, why };
}

/* Parameters that decide something: one that came twice is somebody's trick. */
#define NAME(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
static const struct str singular[] = { NAME("REQUEST_METHOD"), NAME("REQUEST_URI"),
	NAME("SCRIPT_NAME"), NAME("PATH_INFO"), NAME("QUERY_STRING"), NAME("CONTENT_LENGTH"),
	NAME("CONTENT_TYPE"), NAME("HTTP_CONTENT_LENGTH"), NAME("HTTP_CONTENT_TYPE"),
	NAME("HTTP_HOST"), NAME("HTTPS"), NAME("SERVER_ADDR"), NAME("REMOTE_ADDR"),
	NAME("REMOTE_USER"), NAME("HTTP_AUTHORIZATION"), NAME("HTTP_ORIGIN"), NAME("HTTP_REFERER"),
	NAME("HTTP_SEC_FETCH_SITE") };

static bool
same(struct str a, struct str b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Its place in singular[], one place for all X-CSRF headers together, or -1. */
static int
singular_index(struct str name)
{
	for (size_t i = 0; i < NELEM(singular); i++)
		if (same(name, singular[i]))
			return (int)i;
	return str_starts(name, "HTTP_X_CSRF") ? (int)NELEM(singular) : -1;
}

/* The list of parameters, their values borrowed from the server's memory for the request. */
static struct refusal
take_params(struct request *r, char *const *params)
{
	struct refusal no = FINE;
	uint32_t seen = 0;
	size_t n = 0;

	while (params[n] != NULL)
		n++;
	r->params.list = arena_array(r->arena, n + 1, sizeof(*r->params.list));
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(params[i], '=');
		int place;

		if (equals == NULL)
			continue;
		r->params.list[r->params.n++] = (struct pair){
			{ params[i], (size_t)(equals - params[i]) }, str_of(equals + 1)
		};
		place = singular_index(r->params.list[r->params.n - 1].name);
		if (place >= 0 && (seen & UINT32_C(1) << place) != 0)
			no = refuse(400, "A header that may stand once came twice.");
		if (place >= 0)
			seen |= UINT32_C(1) << place;
	}
	return no;
}

struct str
request_header(const struct request *r, const char *cgi_name)
{
	return pairs_get(&r->params, cgi_name);
}

/* As request_header, but what is empty counts as absent: servers pass on what was not sent so. */
static struct str
param(const struct request *r, const char *name)
{
	struct str s = pairs_get(&r->params, name);

	return s.n == 0 ? STR_NONE : s;
}

static enum method
to_method(struct str s)
{
	static const enum method known[] = { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS };

	for (size_t i = 0; i < NELEM(known); i++)
		if (str_is(s, method_name(known[i])))
			return known[i];
	return (enum method)0;
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

static struct refusal
take_path(struct request *r)
{
	struct str script = pairs_get(&r->params, "SCRIPT_NAME");
	struct str info = pairs_get(&r->params, "PATH_INFO");
	struct str prefix = r->app->prefix;
	struct str path;
	char *whole;

	if (script.n + info.n > PATH_LONGEST)
		return refuse(400, "The address is too long.");
	whole = arena_alloc(r->arena, script.n + info.n + 1);
	if (script.n > 0)
		memcpy(whole, script.p, script.n);
	if (info.n > 0)
		memcpy(whole + script.n, info.p, info.n);
	path = (struct str){ whole, script.n + info.n };
	if (path.n == 0 || path.p[0] != '/' || !str_is_utf8(path) || has_control(path))
		return refuse(400, "The address is no path of UTF-8 text.");
	if (prefix.n > 0) {
		if (!str_starts(path, prefix.p) || (path.n > prefix.n && path.p[prefix.n] != '/'))
			return refuse(404, NULL);
		path.p += prefix.n;
		path.n -= prefix.n;
		if (path.n == 0)
			path = STR("/");
	}
	r->path = path;
	return FINE;
}

/* CONTENT_LENGTH, and that no second opinion of it came along. */
static struct refusal
take_length(struct request *r)
{
	struct str length = param(r, "CONTENT_LENGTH");
	struct str other = param(r, "HTTP_CONTENT_LENGTH");
	struct str type = param(r, "CONTENT_TYPE");
	struct str other_type = param(r, "HTTP_CONTENT_TYPE");

	r->content_length = -1;
	if ((other.p != NULL && length.p != NULL && !str_eq(other, length)) ||
	    (other_type.p != NULL && type.p != NULL && !str_eq(other_type, type)))
		return refuse(400, "A header that may stand once came twice.");
	if (length.p != NULL && (length.p[0] == '-' || !str_to_int64(length, &r->content_length)))
		return refuse(400, "Content-Length is no number.");
	return FINE;
}

static struct refusal
take_host(struct request *r)
{
	struct str header = param(r, "HTTP_HOST");

	r->host = host_parse(r->arena, header);
	if (r->host.p != NULL)
		return FINE;
	r->host = STR("");
	if (r->app->app->any_host)
		return FINE;
	return refuse(400, "The Host header names no host.");
}

static bool
is_loopback(struct str address)
{
	return str_starts(address, "127.") || str_is(address, "::1") || str_is(address, "[::1]") ||
	    str_starts(address, "::ffff:127.");
}

/* A header that came twice is one list in two parts (RFC 9110 5.3). */
static void
take_address(struct request *r)
{
	struct str forwarded[8];
	size_t n = 0;

	r->remote_addr = param(r, "REMOTE_ADDR");
	if (r->remote_addr.p == NULL)
		r->remote_addr = STR("");
	if (config_item(r->app->config, "TRUSTED_PROXIES", 0).p == NULL)
		return;
	for (size_t i = 0; i < r->params.n; i++)
		if (str_is(r->params.list[i].name, "HTTP_X_FORWARDED_FOR")) {
			if (n == NELEM(forwarded))
				memmove(forwarded, forwarded + 1, --n * sizeof(forwarded[0]));
			forwarded[n++] = r->params.list[i].value;
		}
	r->remote_addr = proxy_address(r->arena, r->app->config, r->remote_addr, forwarded, n);
}

static struct refusal
take_scheme(struct request *r)
{
	struct str https = param(r, "HTTPS");

	r->https = https.p != NULL && !str_is_nocase(https, "off") && !str_is(https, "0");
	r->scheme = r->https ? STR("https") : STR("http");
	take_address(r);
	if (r->app->insecure_http && !r->app->app->any_host && !r->https &&
	    !is_loopback(param(r, "SERVER_ADDR")))
		return refuse(403,
		    "This site is set to INSECURE_HTTP, which serves a loopback address only.");
	return FINE;
}

struct refusal
request_parse(struct request *r, char *const *params)
{
	struct refusal (*const steps[])(
	    struct request *) = { take_length, take_path, take_scheme, take_host };
	struct refusal no = take_params(r, params);

	r->path = STR("");
	r->query = pairs_get(&r->params, "QUERY_STRING");
	if (r->query.p == NULL)
		r->query = STR("");
	r->method = to_method(pairs_get(&r->params, "REQUEST_METHOD"));
	r->content_type = r->host = r->remote_addr = STR("");
	r->scheme = STR("http");
	for (size_t i = 0; i < NELEM(steps); i++) {
		struct refusal next = steps[i](r);

		/* the first finding answers; the rest is still read, for the error page and the log */
		if (no.status == 0)
			no = next;
	}
	r->cookieless = param(r, "HTTP_AUTHORIZATION").p != NULL;
	for (size_t i = 0; i < r->params.n && !r->cookieless; i++)
		if (str_is(r->params.list[i].name, "HTTP_COOKIE"))
			cookies_parse(r->arena, r->params.list[i].value, &r->cookies);
	return no;
}

struct refusal
request_read_query(struct request *r)
{
	return r->query.n == 0 ? FINE : pairs_parse(r->arena, r->query, &r->get);
}

/* Up to n bytes of the body; 0 at its end; -1 where the peer is gone or the length was a lie. */
static ssize_t
body_read(struct request *r, void *to, size_t n)
{
	ssize_t got;

	if (r->body_ended)
		return 0;
	got = r->transport->read(r->transport_state, to, n);
	if (got <= 0)
		r->body_ended = true;
	if (got > 0)
		r->received += got;
	return got;
}

int
request_drain(struct request *r)
{
	char scrap[4096];
	ssize_t got;

	if (!r->body_ended && r->transport->hurry != NULL)
		r->transport->hurry(r->transport_state);
	while ((got = body_read(r, scrap, sizeof(scrap))) > 0)
		if (r->received > DRAIN_MOST)
			return -1;
	return got < 0 ? -1 : 0;
}

static const char short_body[] = "The body of the request did not come whole.";

/* The body whole, in the arena. */
static struct refusal
read_whole(struct request *r, struct str *out)
{
	size_t want = (size_t)r->content_length, n = 0;
	char *p, extra;
	ssize_t got;

	p = arena_alloc(r->arena, want + 1);
	while (n < want) {
		got = body_read(r, p + n, want - n);
		if (got <= 0)
			return refuse(400, short_body);
		n += (size_t)got;
	}
	if (body_read(r, &extra, 1) != 0)
		return refuse(400, "The body of the request is longer than its Content-Length.");
	*out = (struct str){ p, n };
	return FINE;
}

static struct refusal
read_multipart(struct request *r)
{
	struct str type = param(r, "CONTENT_TYPE");
	struct str boundary = multipart_boundary(r->arena, type);
	struct multipart *m;
	struct refusal no = FINE;
	char *piece;
	ssize_t got;

	if (boundary.p == NULL)
		return refuse(400, "The multipart body names no boundary.");
	m = multipart_new(r, boundary);
	piece = arena_alloc(r->arena, KIB(32));
	while (no.status == 0 && (got = body_read(r, piece, KIB(32))) != 0) {
		if (got < 0)
			return refuse(400, short_body);
		if (r->received > r->content_length)
			return refuse(
			    400, "The body of the request is longer than its Content-Length.");
		no = multipart_feed(m, piece, (size_t)got);
	}
	if (no.status != 0)
		return no;
	if (r->received != r->content_length)
		return refuse(400, short_body);
	return multipart_end(m);
}

/* "Text/HTML; charset=x" -> "text/html" */
static struct str
media_type(struct arena *a, struct str header)
{
	struct str s = str_trim((struct str){ header.p, str_find(header, ';') });
	char *p = arena_alloc(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
	return (struct str){ p, s.n };
}

/* A body without CONTENT_LENGTH: none at all is fine, one byte of it is not. */
static struct refusal
without_length(struct request *r)
{
	char byte;
	ssize_t got = body_read(r, &byte, 1);

	if (got < 0)
		return refuse(400, short_body);
	return got == 0 ? FINE : refuse(411, "The body of the request came without its length.");
}

struct refusal
request_read_body(struct request *r)
{
	struct str text, type = param(r, "CONTENT_TYPE");
	struct refusal no;

	if (r->content_length < 0)
		return without_length(r);
	if ((uint64_t)r->content_length > r->route->body)
		return refuse(413, NULL);
	if (r->content_length == 0)
		return read_whole(r, &text);
	if (type.p != NULL)
		r->content_type = media_type(r->arena, type);
	if (str_is(r->content_type, "multipart/form-data"))
		return read_multipart(r);
	if (r->content_length > (int64_t)FORM_LONGEST)
		return refuse(413, NULL);
	if (str_is(r->content_type, "application/x-www-form-urlencoded")) {
		no = read_whole(r, &text);
		return no.status != 0 ? no : pairs_parse(r->arena, text, &r->post);
	}
	if (r->route->api && str_is(r->content_type, "application/json"))
		return read_whole(r, &r->body);
	return refuse(415, NULL);
}

struct upload *
request_upload(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->nuploads; i++)
		if (str_is(r->uploads[i].name, name))
			return &r->uploads[i];
	return NULL;
}

bool
request_is_safe(const struct request *r)
{
	return r->method == GET || r->method == HEAD;
}

bool
request_wants_json(const struct request *r)
{
	struct str accept = request_header(r, "HTTP_ACCEPT");

	return r->cookieless || (r->route != NULL && r->route->api) ||
	    (accept.n > 0 && strcasestr(accept.p, "application/json") != NULL &&
	        strcasestr(accept.p, "text/html") == NULL);
}

struct str
request_url(const struct request *r, const char *path)
{
	return arena_printf(r->arena, "%s%s", r->app->prefix.p, path);
}
