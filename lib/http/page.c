/*
 * page: answers that have a form: HTML pages of templates under the context every page shares,
 * JSON, the error pages, and the messages shown once.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/asset.h"
#include "http/serve.h"
#include "http/template.h"

#define MESSAGES_COOKIE "messages"
#define MESSAGES_MAX ((size_t)2000) /* bytes in the cookie */

/* "ok:Saved.&bad:Not%20found." -> [{kind, text}] */
static void
show_messages(struct request *r, struct response *s, struct value *page)
{
	struct str cookie = request_cookie(r, MESSAGES_COOKIE);
	struct value *list;

	if (cookie.n == 0 || cookie.n > MESSAGES_MAX)
		return;
	list = value_set_list(page, "messages");
	while (cookie.n > 0) {
		size_t end = str_find(cookie, '&');
		struct str piece = { cookie.p, end };
		size_t colon = str_find(piece, ':');
		struct str text = url_decode(r->arena,
		    (struct str){ piece.p + colon + (colon < end), end - colon - (colon < end) },
		    false);

		if (text.n > 0 && str_is_utf8(text)) {
			struct value *m = value_add_object(list);
			bool ok = colon == 2 && memcmp(piece.p, "ok", 2) == 0;
			bool warn = colon == 4 && memcmp(piece.p, "warn", 4) == 0;

			value_set_cstr(m, "kind", ok ? "ok" : warn ? "warn" : "bad");
			value_set_text(m, "text", text);
		}
		cookie.p += end + (end < cookie.n);
		cookie.n -= end + (end < cookie.n);
	}
	/* shown: gone, unless the same answer sets new ones */
	if (s->message.p == NULL)
		response_cookie(r, s, MESSAGES_COOKIE, STR(""), 0);
}

void
respond_message(struct request *r, struct response *s, const char *kind, struct str text)
{
	struct str before = s->message.p != NULL ? s->message : request_cookie(r, MESSAGES_COOKIE);
	struct str next = arena_printf(r->arena, "%s%s%s:%s", before.n > 0 ? before.p : "",
	    before.n > 0 ? "&" : "", kind, url_encode(r->arena, text).p);

	/* a cookie holds 4 KiB: of too many messages the last stay */
	if (next.n > MESSAGES_MAX)
		next = arena_printf(r->arena, "%s:%s", kind, url_encode(r->arena, text).p);
	if (next.n > MESSAGES_MAX) {
		log_warn("message too long for its cookie", LOG_STR("text", text));
		return;
	}
	if (s->message.p != NULL)
		for (size_t i = 0; i < s->nheaders; i++)
			if (strcmp(s->headers[i].name, "Set-Cookie") == 0 &&
			    strstr(s->headers[i].value.p, MESSAGES_COOKIE "=") != NULL) {
				memmove(&s->headers[i], &s->headers[i + 1],
				    (s->nheaders - i - 1) * sizeof(s->headers[0]));
				s->nheaders--;
				break;
			}
	s->message = next;
	response_cookie(r, s, MESSAGES_COOKIE, next, 600);
}

/* The area of the site a page is of: "admin" below /admin/, else the executable's. */
static struct str
area(struct request *r)
{
	struct str name = str_of(r->app->app->name);

	if (str_starts(r->path, "/admin/"))
		return STR("admin");
	return arena_copy(r->arena, name.p, str_find(name, '-'));
}

static void
add_context(struct request *r, struct response *s, struct value *page)
{
	struct app_state *app = r->app;

	value_set_cstr(page, "tom_name", config_text(app->config, "TOM_NAME"));
	value_set_text(page, "prefix", app->prefix);
	value_set_cstr(page, "request_id", r->request_id);
	value_set_text(page, "now", clock_minute(r->arena, r->now));
	value_set_text(page, "path", r->path);
	value_set_bool(value_set_object(page, "nav"), area(r).p, true);
	assets_show(page, r);
	show_messages(r, s, page);
	if (app->app->hooks != NULL && app->app->hooks->context != NULL)
		app->app->hooks->context(r, page);
}

static int
render(struct request *r, struct response *s, const char *name, struct value *page)
{
	char err[256] = "no templates are loaded";

	buf_clear(&s->server->body);
	if (r->app->templates == NULL ||
	    templates_render(r->app->templates, name, page, &s->server->body, err, sizeof(err)) !=
	        0) {
		log_error("page failed", LOG_TEXT("template", name), LOG_TEXT("error", err));
		buf_clear(&s->server->body);
		return -1;
	}
	return 0;
}

int
respond_page(
    struct request *r, struct response *s, int status, const char *name, struct value *page)
{
	if (page == NULL)
		page = value_object(r->arena);
	add_context(r, s, page);
	if (render(r, s, name, page) != 0)
		return -1;
	return response_body(s, status, "text/html; charset=utf-8");
}

int
respond_json(struct request *r, struct response *s, int status, const struct value *v)
{
	(void)r;
	buf_clear(&s->server->body);
	value_json(v, &s->server->body);
	return response_body(s, status, "application/json");
}

/* --- error pages --- */

static const struct sentence {
	int status;
	const char *title, *why;
} sentences[] = {
	/* the first stands for what is not here */
	{ 500, "Error", "Something went wrong here, and was logged. Please try again later." },
	{ 400, "Bad request", "The request cannot be understood." },
	{ 401, "Sign-in needed", "Please sign in to see this page." },
	{ 403, "Not allowed", "You may not do this here." },
	{ 404, "Not found", "There is nothing at this address." },
	{ 405, "Method not allowed", "This address cannot be used in this way." },
	{ 409, "Conflict",
	    "Somebody else changed this at the same time. Please look at it again." },
	{ 411, "Length required", "The body of the request came without its length." },
	{ 412, "Precondition failed", "What you asked to change has changed meanwhile." },
	{ 413, "Too large", "What was sent is larger than this address takes." },
	{ 415, "Unsupported type", "What was sent is of a type this address does not take." },
	{ 429, "Too many requests", "Too much was asked in a short time. Please wait a little." },
	{ 503, "Not available", "The site cannot answer just now. Please try again shortly." },
	{ 507, "No space left", "The site has no space left to keep what was sent." },
};

static const struct sentence *
sentence_of(int status)
{
	for (size_t i = 0; i < NELEM(sentences); i++)
		if (sentences[i].status == status)
			return &sentences[i];
	return &sentences[0];
}

static void
put_escaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '<':
			buf_puts(b, "&lt;");
			break;
		case '>':
			buf_puts(b, "&gt;");
			break;
		case '&':
			buf_puts(b, "&amp;");
			break;
		case '"':
			buf_puts(b, "&quot;");
			break;
		default:
			buf_putc(b, *s);
		}
}

/* The page of a site whose templates fail, or of an executable that has none. */
static void
plain_error(struct request *r, struct response *s, const struct sentence *e, const char *why)
{
	struct buf *b = &s->server->body;

	buf_clear(b);
	buf_printf(b,
	    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<title>%s</title></head>\n<body><main><h1>%s</h1>\n<p>",
	    e->title, e->title);
	put_escaped(b, why);
	buf_printf(b, "</p>\n<p>Request %s</p></main></body></html>\n", r->request_id);
}

int
respond_error(struct request *r, struct response *s, int status, const char *why)
{
	const struct sentence *e = sentence_of(status);
	struct value *page;

	status = e->status;
	if (why == NULL)
		why = e->why;
	if (status == 503)
		response_set(s, "Retry-After", STR("5"));
	if (status == 429)
		response_set(s, "Retry-After", STR("60"));
	if (request_wants_json(r)) {
		page = value_object(r->arena);
		value_set_cstr(page, "detail", why);
		s->cache = NULL;
		return respond_json(r, s, status, page);
	}
	if (r->app->templates == NULL) {
		plain_error(r, s, e, why);
	} else {
		page = value_object(r->arena);
		value_set_int(page, "status", status);
		value_set_cstr(page, "title", e->title);
		value_set_cstr(page, "why", why);
		add_context(r, s, page);
		if (render(r, s, "error", page) != 0)
			plain_error(r, s, e, why);
	}
	s->cache = NULL;
	return response_body(s, status, "text/html; charset=utf-8");
}
