/*
 * serve: one request, in order. Each step may answer, and the first that does is the last; the end
 * (headers, one write, the log line, the release of everything) is the same for all.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "http/asset.h"
#include "http/serve.h"
#include "http/template.h"

/* Keep this much of an answer's memory for the next one. */
#define BODY_KEPT KIB(256)
/* A route that takes so much takes files. */
#define FILES_BODY MIB(1)

int
server_start(struct server *server, const struct app *app, struct config *config,
    struct templates *templates)
{
	struct app_state *state = &server->app;
	const char *prefix = config_text(config, "URL_PREFIX");
	size_t n = strlen(prefix);

	memset(server, 0, sizeof(*server));
	while (n > 0 && prefix[n - 1] == '/')
		n--;
	server->arena = arena_new();
	counters_init(&server->counters);
	state->app = app;
	state->config = config;
	state->templates = templates;
	state->insecure_http = config_bool(config, "INSECURE_HTTP");
	state->prefix = (struct str){ strndup(prefix, n), n };
	server->log_requests = config_bool(config, "LOG_REQUESTS");
	if (state->prefix.p == NULL)
		arena_exhausted();
	if (getrandom(&server->ids, sizeof(server->ids), 0) != sizeof(server->ids))
		server->ids = (uint64_t)clock_now() ^ (uint64_t)getpid() << 40;
	if (!app->no_pages)
		state->assets = assets_load(config_text(config, "SHARE_DIR"));
	if (app->hooks != NULL && app->hooks->start != NULL && app->hooks->start(state) != 0)
		return -1;
	return app->start != NULL && app->start(state) != 0 ? -1 : 0;
}

int
server_confine(struct server *server)
{
	const struct app *app = server->app.app;
	bool files = false;
	struct sandbox box;

	if (!config_bool(server->app.config, "SANDBOX"))
		return 0;
	sandbox_begin(&box);
	for (size_t i = 0; i < app->nroutes; i++)
		files = files || app->routes[i].body >= FILES_BODY;
	if (files)
		sandbox_write(&box, multipart_directory());
	if (app->hooks != NULL && app->hooks->needs != NULL)
		app->hooks->needs(&server->app, &box);
	if (app->needs != NULL)
		app->needs(&server->app, &box);
	return sandbox_confine(&box);
}

void
server_stop(struct server *server)
{
	const struct app *app = server->app.app;

	if (app->stop != NULL)
		app->stop(&server->app);
	if (app->hooks != NULL && app->hooks->stop != NULL)
		app->hooks->stop(&server->app);
	counters_leave(&server->counters);
}

void
server_rest(struct server *server)
{
	const struct hooks *hooks = server->app.app->hooks;

	if (hooks != NULL && hooks->idle != NULL)
		hooks->idle(&server->app);
	/* what a large request took is the machine's again, not this worker's for ever */
	malloc_trim(KIB(256));
}

void
server_free(struct server *server)
{
	free((void *)(uintptr_t)server->app.prefix.p);
	assets_free(server->app.assets);
	arena_free(server->arena);
	buf_free(&server->head);
	buf_free(&server->body);
}

/* Ids need not be secret, only different: splitmix64 over a random start, in base 32. */
static void
make_id(struct server *server, char id[static 14])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t x = server->ids += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	for (int i = 0; i < 13; i++, x >>= 5)
		id[i] = digits[x & 31];
	id[13] = '\0';
}

/* --- the steps: each returns true to go on, false when the answer stands --- */

static bool
answer(struct request *r, struct response *s, struct refusal no)
{
	if (no.status == 0)
		return true;
	if (no.status >= 400 && no.status != 404)
		log_info("request refused", LOG_INT("status", no.status),
		    LOG_TEXT("why", no.why == NULL ? "" : no.why));
	(void)respond_error(r, s, no.status, no.why);
	return false;
}

static bool
away(struct request *r, struct response *s)
{
	(void)respond_error(r, s, 503, "The database is not available just now.");
	return false;
}

static bool
known_host(struct request *r, struct response *s)
{
	const struct app *app = r->app->app;
	int known = 0;

	if (app->any_host || host_allowed(r->app->config, r->host))
		return true;
	if (app->hooks != NULL && app->hooks->host != NULL)
		known = app->hooks->host(r);
	if (known < 0)
		return away(r, s);
	if (known > 0)
		return true;
	counters_refuse(&s->server->counters, REFUSED_HOST);
	return answer(
	    r, s, (struct refusal){ 400, "This site does not answer to that host name." });
}

static bool
identified(struct request *r, struct response *s)
{
	const struct hooks *hooks = r->app->app->hooks;

	if (hooks == NULL || hooks->identify == NULL || hooks->identify(r) == 0)
		return true;
	return away(r, s);
}

static bool
permitted(struct request *r, struct response *s)
{
	const struct hooks *hooks = r->app->app->hooks;

	if (hooks == NULL || hooks->permit == NULL || hooks->permit(r, s) == 0)
		return true;
	counters_refuse(&s->server->counters, REFUSED_ACCESS);
	return false;
}

static bool
csrf_checked(struct request *r, struct response *s)
{
	const struct hooks *hooks = r->app->app->hooks;

	if (request_is_safe(r) || hooks == NULL || hooks->csrf == NULL || hooks->csrf(r, s) == 0)
		return true;
	counters_refuse(&s->server->counters, REFUSED_CSRF);
	return false;
}

static bool
read_all(struct request *r, struct response *s)
{
	return r->app->app->bare ||
	    (answer(r, s, request_read_query(r)) && answer(r, s, request_read_body(r)));
}

/* The same address with its slash. */
static void
add_slash(struct request *r, struct response *s)
{
	struct str to = arena_printf(r->arena, "%s/", url_path_encode(r->arena, r->path).p);

	if (r->query.n > 0)
		to = arena_printf(r->arena, "%s?%s", to.p, r->query.p);
	(void)respond_moved(r, s, to);
}

/*
 * No row takes the request. A locked site does not tell visitors which addresses exist, so the
 * permit hook is asked first, as for a page that readers may see.
 */
static void
no_row(struct request *r, struct response *s, const struct match *m)
{
	struct route *any = arena_alloc(r->arena, sizeof(*any));

	*any = (struct route){ .method = r->method, .path = "", .access = m->access, .name = "" };
	r->route = any;
	if (!identified(r, s) || !permitted(r, s))
		return;
	if (m->methods != 0 && r->method == OPTIONS) {
		response_set(s, "Allow", route_allow(r->arena, m->methods));
		(void)response_body(s, 204, "");
	} else if (m->methods != 0) {
		(void)respond_error(r, s, 405, NULL);
		response_set(s, "Allow", route_allow(r->arena, m->methods));
	} else if (m->slash && request_is_safe(r)) {
		add_slash(r, s);
	} else {
		(void)respond_error(r, s, 404, NULL);
	}
}

static void
handle(struct request *r, struct response *s)
{
	if (r->route->handler(r, s) == 0 && (s->status != 0 || s->broken))
		return;
	if (s->left) {
		/* half of it has left: the peer must see that it was cut */
		s->gone = true;
		return;
	}
	if (s->status == 0)
		log_error("handler failed", LOG_TEXT("handler", r->route->name));
	response_reset(s);
	(void)respond_error(r, s, 500, NULL);
}

static void
steps(struct request *r, struct response *s, char *const *params)
{
	struct refusal no = request_parse(r, params);
	struct match m;

	if (!answer(r, s, no) || !known_host(r, s))
		return;
	m = route_find(r->app->app, r);
	r->route = m.route;
	if (m.route == NULL) {
		no_row(r, s, &m);
		return;
	}
	/* who may not use the row is told so before anything of theirs is parsed or kept */
	if (identified(r, s) && permitted(r, s) && read_all(r, s) && csrf_checked(r, s))
		handle(r, s);
}

static void
count_request(struct server *server, struct request *r, struct response *s, int64_t took)
{
	const struct hooks *hooks = r->app->app->hooks;
	struct counters_request done = {
		.method = r->method, .status = s->status, .bytes = s->bytes, .microseconds = took
	};

	if (hooks != NULL && hooks->count != NULL)
		hooks->count(r, &done.statements, &done.statement_us);
	counters_end(&server->counters, &done);
	if (server->log_requests)
		log_info("request", LOG_TEXT("route", r->route == NULL ? "" : r->route->path),
		    LOG_TEXT("method", method_name(r->method)), LOG_INT("status", s->status),
		    LOG_INT("bytes", s->bytes), LOG_INT("microseconds", took),
		    LOG_INT("statements", done.statements),
		    LOG_INT("statement_us", done.statement_us));
}

void
serve(struct server *server, const struct transport *transport, void *transport_state,
    char *const *params)
{
	const struct hooks *hooks = server->app.app->hooks;
	int64_t began = clock_monotonic(), took;
	struct request *r = arena_alloc(server->arena, sizeof(*r));
	struct response *s = arena_alloc(server->arena, sizeof(*s));

	r->app = &server->app;
	r->arena = server->arena;
	r->transport = transport;
	r->transport_state = transport_state;
	r->now = clock_now();
	make_id(server, r->request_id);
	s->request = r;
	s->server = server;
	response_reset(s);
	log_set_request(r->request_id);
	counters_begin(&server->counters);

	steps(r, s, params);
	/* what was not read must not stay in a kept connection (spec/libraries.md 3.3) */
	(void)request_drain(r);
	response_finish(s);

	took = clock_monotonic() - began;
	if (hooks != NULL && hooks->finish != NULL)
		hooks->finish(r);
	/* last, so that the statements of the finish hook are counted too */
	count_request(server, r, s, took);
	log_set_request(NULL);
	arena_reset(server->arena);
	if (server->body.room > BODY_KEPT)
		buf_free(&server->body);
}
