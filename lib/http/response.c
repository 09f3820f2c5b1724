/*
 * response: headers, conditions, cookies, streams, and the one place that serialises an answer.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/serve.h"

/* A stream leaves in pieces of about this size. */
#define STREAM_PIECE KIB(64)

const char response_no_memory[] = "Status: 503 Service Unavailable\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 58\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Retry-After: 5\r\n\r\n"
                                  "The server is short of memory. Please try again shortly.\r\n";

const char response_too_long[] = "Status: 503 Service Unavailable\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: 59\r\n"
                                 "Cache-Control: no-store\r\n"
                                 "Retry-After: 60\r\n\r\n"
                                 "This took the server too long. Please ask for less of it.\r\n";

const char response_crash[] = "Status: 500 Internal Server Error\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n"
                              "Content-Length: 52\r\n"
                              "Cache-Control: no-store\r\n\r\n"
                              "Something went wrong here. Please try again later.\r\n";

const char *
status_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} all[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < NELEM(all); i++)
		if (all[i].status == status)
			return all[i].reason;
	return "Status";
}

static bool
is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool
is_header_name(const char *name)
{
	return name[0] != '\0' &&
	    strspn(name,
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	        "0123456789-") == strlen(name);
}

void
response_add(struct response *s, const char *name, struct str value)
{
	struct arena *a = s->request->arena;

	if (!is_header_name(name) || !is_clean(value)) {
		/* somebody's input reached a header unchecked: say so, send nothing of it */
		log_error("header refused", LOG_TEXT("name", name), LOG_STR("value", value));
		s->broken = true;
		return;
	}
	if (s->nheaders == s->room) {
		size_t room = s->room == 0 ? 16 : s->room * 2;
		struct header *list = arena_array(a, room, sizeof(*list));

		if (s->nheaders > 0)
			memcpy(list, s->headers, s->nheaders * sizeof(*list));
		s->headers = list;
		s->room = room;
	}
	s->headers[s->nheaders++] = (struct header){ name, arena_str(a, value) };
}

void
response_set(struct response *s, const char *name, struct str value)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nheaders; i++)
		if (strcasecmp(s->headers[i].name, name) != 0)
			s->headers[kept++] = s->headers[i];
	s->nheaders = kept;
	response_add(s, name, value);
}

void
response_reset(struct response *s)
{
	s->status = 0;
	s->type = STR("");
	s->cache = NULL;
	s->nheaders = 0;
	s->has_cookie = false;
	s->broken = s->streaming = false;
	s->bytes = 0;
	s->message = STR_NONE;
	buf_clear(&s->server->body);
}

void
response_cache(struct response *s, const char *cache_control)
{
	s->cache = cache_control;
}

int
response_body(struct response *s, int status, const char *type)
{
	s->status = status;
	s->type = str_of(type);
	return 0;
}

int
respond_text(struct request *r, struct response *s, int status, const char *type, struct str text)
{
	(void)r;
	buf_clear(&s->server->body);
	buf_str(&s->server->body, text);
	return response_body(s, status, type);
}

/* A header value that may hold any path: what is not plain ASCII is percent-encoded. */
static struct str
location(struct request *r, struct str path)
{
	struct buf b = { 0 };
	struct str out;

	buf_str(&b, r->app->prefix);
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL)
			buf_printf(&b, "%%%02X", c);
		else
			buf_putc(&b, (char)c);
	}
	out = arena_copy(r->arena, b.p, b.n);
	buf_free(&b);
	return out;
}

static int
redirect(struct request *r, struct response *s, int status, struct str path)
{
	struct str query = STR_NONE;
	size_t mark;

	if (path.p == NULL)
		path = STR("/");
	/* the query may hold anything once encoded; the path is what must stay here */
	mark = str_find(path, '?');
	if (mark < path.n)
		query = (struct str){ path.p + mark, path.n - mark };
	if (!url_is_local((struct str){ path.p, mark }) || !is_clean(query)) {
		log_warn("redirect refused", LOG_STR("to", path));
		path = STR("/");
	}
	buf_clear(&s->server->body);
	s->status = status;
	s->type = STR("");
	response_set(s, "Location", location(r, path));
	return 0;
}

int
respond_redirect(struct request *r, struct response *s, struct str path)
{
	return redirect(r, s, 302, path);
}

int
respond_moved(struct request *r, struct response *s, struct str path)
{
	return redirect(r, s, 301, path);
}

void
response_cookie(
    struct request *r, struct response *s, const char *name, struct str value, int64_t max_age)
{
	bool insecure = r->app->insecure_http;
	char age[48] = "";

	if (r->cookieless)
		return;
	if (max_age >= 0)
		snprintf(age, sizeof(age), "; Max-Age=%lld", (long long)max_age);
	s->has_cookie = true;
	response_add(s, "Set-Cookie",
	    arena_printf(r->arena, "%s%s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%s",
	        insecure ? "" : "__Host-", name, STR_ARG(value), insecure ? "" : "; Secure", age));
}

/* --- conditions (RFC 9110 13.2.2) --- */

/* Does the list of entity tags hold this one (without quotes)? Weak comparison unless strong. */
static bool
tag_in(struct str list, struct str tag, bool strong)
{
	list = str_trim(list);
	if (list.n == 1 && list.p[0] == '*')
		return true;
	while (list.n > 0) {
		bool weak = list.n > 2 && list.p[0] == 'W' && list.p[1] == '/';
		struct str one = { list.p + (weak ? 2 : 0), list.n - (weak ? 2 : 0) };
		size_t end;

		if (one.n < 2 || one.p[0] != '"')
			return false;
		one.p++;
		one.n--;
		end = str_find(one, '"');
		if (end == one.n)
			return false;
		if (end == tag.n && memcmp(one.p, tag.p, end) == 0 && !(strong && weak))
			return true;
		list = str_trim((struct str){ one.p + end + 1, one.n - end - 1 });
		if (list.n > 0 && list.p[0] != ',')
			return false;
		while (list.n > 0 && (list.p[0] == ',' || list.p[0] == ' ' || list.p[0] == '\t')) {
			list.p++;
			list.n--;
		}
	}
	return false;
}

/* The instant of a date header, in seconds; false where it is absent or no date. */
static bool
date_of(const struct request *r, const char *name, int64_t *seconds)
{
	struct str s = request_header(r, name);
	int64_t at;

	if (s.n == 0 || !clock_from_http(s, &at))
		return false;
	*seconds = at / SECOND;
	return true;
}

bool
response_not_modified(struct request *r, struct response *s, struct str etag, int64_t modified)
{
	struct str match = request_header(r, "HTTP_IF_MATCH");
	struct str none = request_header(r, "HTTP_IF_NONE_MATCH");
	int64_t since, seconds = modified / SECOND;
	bool fails = false, same = false;

	response_set(s, "ETag", arena_printf(r->arena, "\"%.*s\"", STR_ARG(etag)));
	if (modified != 0)
		response_set(s, "Last-Modified", clock_http(r->arena, modified));
	if (match.n > 0)
		fails = !tag_in(match, etag, true);
	else if (modified != 0 && date_of(r, "HTTP_IF_UNMODIFIED_SINCE", &since))
		fails = seconds > since;
	if (!fails && none.n > 0)
		same = tag_in(none, etag, false);
	else if (!fails && modified != 0 && date_of(r, "HTTP_IF_MODIFIED_SINCE", &since))
		same = seconds <= since;
	if (!fails && !same)
		return false;
	buf_clear(&s->server->body);
	s->type = STR("");
	s->status = same ? 304 : 412;
	return true;
}

/* --- serialising --- */

static void
put_header(struct buf *b, const char *name, const char *value)
{
	buf_puts(b, name);
	buf_put(b, ": ", 2);
	buf_puts(b, value);
	buf_put(b, "\r\n", 2);
}

/* What every HTML answer carries, and the shorter set of all others (security.md A.3 row 28). */
static void
put_security(struct buf *b, const struct request *r, bool html)
{
	static const char page[] =
	    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: same-origin\r\n"
	    "Cross-Origin-Opener-Policy: same-origin\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n"
	    "X-Frame-Options: DENY\r\n"
	    "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n";
	static const char other[] =
	    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n";

	if (html)
		buf_put(b, page, sizeof(page) - 1);
	else
		buf_put(b, other, sizeof(other) - 1);
	if (r->https)
		put_header(b, "Strict-Transport-Security", "max-age=63072000; includeSubDomains");
}

/* Decimal, without the price of printf: every answer has two of them. */
static void
put_number(struct buf *b, size_t n)
{
	char digits[24], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_put(b, p, (size_t)(digits + sizeof(digits) - p));
}

static void
put_head(struct response *s, struct buf *b, bool with_length)
{
	bool shared = s->cache != NULL && strncmp(s->cache, "public", 6) == 0 && !s->has_cookie;

	buf_puts(b, "Status: ");
	put_number(b, (size_t)s->status);
	buf_putc(b, ' ');
	buf_puts(b, status_reason(s->status));
	buf_put(b, "\r\n", 2);
	if (s->type.n > 0)
		put_header(b, "Content-Type", s->type.p);
	if (with_length) {
		buf_puts(b, "Content-Length: ");
		put_number(b, s->server->body.n);
		buf_put(b, "\r\n", 2);
	}
	put_header(b, "Cache-Control",
	    s->cache != NULL && !s->has_cookie ? s->cache : "private, no-store");
	if (!shared)
		put_header(b, "Vary", "Cookie");
	put_security(b, s->request, str_starts(s->type, "text/html"));
	if (s->status >= 400)
		put_header(b, "X-Robots-Tag", "noindex");
	for (size_t i = 0; i < s->nheaders; i++)
		put_header(b, s->headers[i].name, s->headers[i].value.p);
	buf_put(b, "\r\n", 2);
}

int
response_stream(
    struct request *r, struct response *s, int status, const char *type, struct str filename)
{
	s->status = status;
	s->type = str_of(type);
	if (filename.p != NULL) {
		struct str ascii = arena_str(r->arena, filename);

		for (char *p = (char *)(uintptr_t)ascii.p; *p != '\0'; p++)
			if (*p < ' ' || *p >= 0x7f || strchr("\"\\/;%", *p) != NULL)
				*p = '_';
		/* both forms of RFC 6266: old programs read the first, all others the second */
		response_set(s, "Content-Disposition",
		    arena_printf(r->arena, "attachment; filename=\"%s\"; filename*=UTF-8''%s",
		        ascii.p, url_encode(r->arena, filename).p));
	}
	if (s->broken)
		return -1;
	s->streaming = true;
	buf_clear(&s->server->body);
	buf_clear(&s->server->head);
	put_head(s, &s->server->head, false);
	return 0;
}

/* Sends what is held; the headers with the first of it. */
static int
flush(struct response *s, bool last)
{
	const struct request *r = s->request;
	struct str head = buf_text(&s->server->head), body = buf_text(&s->server->body);

	s->left = true;
	s->gone = s->gone || r->transport->send(r->transport_state, head, body, last) != 0;
	buf_clear(&s->server->head);
	buf_clear(&s->server->body);
	return s->gone ? -1 : 0;
}

int
response_write(struct response *s, const void *p, size_t n)
{
	if (s->gone)
		return -1;
	s->bytes += (int64_t)n;
	if (s->request->method == HEAD)
		return 0;
	buf_put(&s->server->body, p, n);
	return s->server->body.n < STREAM_PIECE ? 0 : flush(s, false);
}

void
response_finish(struct response *s)
{
	struct request *r = s->request;
	struct server *server = s->server;
	bool bodyless = s->status == 204 || s->status == 304;
	struct str body;

	if (s->streaming) {
		if (!s->gone)
			(void)flush(s, true);
		return;
	}
	if (s->broken) {
		response_reset(s);
		(void)respond_error(r, s, 500, NULL);
	}
	buf_clear(&server->head);
	put_head(s, &server->head, !bodyless);
	body = buf_text(&server->body);
	s->bytes = (int64_t)body.n;
	if (bodyless || r->method == HEAD)
		body = STR("");
	s->gone = r->transport->send(r->transport_state, buf_text(&server->head), body, true) != 0;
}
