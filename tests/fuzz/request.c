/*
 * request: parameters and body through all steps of serve(), as a web server would send them: lines
 * "NAME=value" up to an empty one, then the body. Every answer must be one that a browser can read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct input {
	struct str body;
	size_t at;
	bool answered;
};

static ssize_t
read_body(void *state, void *to, size_t n)
{
	struct input *in = state;

	if (n > in->body.n - in->at)
		n = in->body.n - in->at;
	if (n > 0)
		memcpy(to, in->body.p + in->at, n);
	in->at += n;
	return (ssize_t)n;
}

/* A head is lines of "Name: value" with no control byte in them, and a blank one. */
static int
check_answer(void *state, struct str head, struct str body, bool last)
{
	struct input *in = state;
	size_t lines = 0;

	(void)body;
	if (in->answered || !last || !str_starts(head, "Status: "))
		abort();
	in->answered = true;
	while (head.n > 0) {
		const char *end = memmem(head.p, head.n, "\r\n", 2);
		size_t n;

		if (end == NULL)
			abort();
		n = (size_t)(end - head.p);
		if (n > 0 && memmem(head.p, n, ": ", 2) == NULL)
			abort();
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)head.p[i] < 0x20 || head.p[i] == 0x7f)
				abort();
		if (n == 0 && head.n != 2)
			abort();
		head.p += n + 2;
		head.n -= n + 2;
		lines++;
	}
	if (lines < 2)
		abort();
	return 0;
}

static const struct transport transport = { .read = read_body, .send = check_answer };

static int
show(struct request *r, struct response *s)
{
	struct str next = pairs_get(&r->post, "next");

	respond_message(r, s, "ok", r->path);
	if (next.p != NULL)
		return respond_redirect(r, s, next);
	response_set(s, "X-Query", url_encode(r->arena, r->query));
	if (response_not_modified(r, s, STR("a"), 1))
		return 0;
	return respond_text(r, s, 200, "text/plain", request_cookie(r, "sid"));
}

static const struct route routes[] = {
	ROUTE(GET, "/a/<text>/<id>/", ANYONE, NO_BODY, show),
	ROUTE(POST, "/a/<rest>", ANYONE, KIB(64), show),
};
static const struct app app = { .name = "fuzz",
	.routes = routes,
	.nroutes = NELEM(routes),
	.any_host = true,
	.no_pages = true };

static struct server *
server(void)
{
	static struct server s;
	char err[200];

	if (s.arena == NULL) {
		setenv("MERIDIAN_CONFIG", "/dev/null", 1);
		setenv("MERIDIAN_LOG_REQUESTS", "no", 1);
		log_set_level(LOG_LEVEL_ERROR + 1);
		if (server_start(&s, &app, config_load(err, sizeof(err)), NULL) != 0)
			abort();
	}
	return &s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .at = 0 };
	char *text = malloc(size + 1), *params[65], *p = text;
	size_t n = 0;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	while (n < 64 && *p != '\0' && *p != '\n') {
		char *end = strchr(p, '\n');

		params[n++] = p;
		if (end == NULL) {
			p += strlen(p);
			break;
		}
		*end = '\0';
		p = end + 1;
	}
	params[n] = NULL;
	if (p < text + size && *p == '\n')
		p++;
	in.body = (struct str){ p, (size_t)(text + size - p) };
	serve(server(), &transport, &in, params);
	if (!in.answered)
		abort();
	free(text);
	return 0;
}
