/*
 * metrics: how the TOM fares, for programs that watch it.
 *
 *	GET  /healthz		200 where the database answers and its schema is ours, else 503
 *	GET  /metrics		the executables and the streams of alerts, in the text format of Prometheus
 *
 * /healthz says one word to everybody. /metrics answers addresses of METRICS_FROM, the machine itself
 * where nothing else is said, and who sends "Authorization: Bearer" with the text in METRICS_TOKEN_FILE;
 * for others it is not there (404), and where their address is not known it is refused (403). Nobody
 * has a session here, and no cookie is read.
 */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "auth/secret.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "http/proxy.h"

#define FORMAT "text/plain; version=0.0.4; charset=utf-8"
#define BEARER "Bearer "

struct metrics {
	struct arena *arena; /* of what lives as long as the worker */
	struct str token; /* absent: none is taken */
	int64_t asked; /* when the database was asked, monotonic; 0: not yet */
	bool well; /* what it said */
};

void
metrics_put_label(struct buf *b, const char *name, struct str value)
{
	buf_printf(b, "%s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\n')
			buf_puts(b, "\\n");
		else {
			if (c == '\\' || c == '"')
				buf_putc(b, '\\');
			buf_putc(b, c);
		}
	}
	buf_putc(b, '"');
}

void
metrics_put_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Does who asks show the token? */
static bool
has_token(const struct request *r)
{
	const struct metrics *m = r->app->own;
	struct str sent = request_header(r, "HTTP_AUTHORIZATION");

	if (m->token.p == NULL || !str_starts(sent, BEARER))
		return false;
	sent = (struct str){ sent.p + strlen(BEARER), sent.n - strlen(BEARER) };
	return sent.n == m->token.n && secret_same(sent.p, m->token.p, sent.n);
}

/*
 * Is it known where it comes from? Not where a trusted proxy names nobody (it says nothing, or what it
 * says cannot be read), and not where somebody passed it on who is not trusted: both have an address,
 * this machine's perhaps, and whom they speak for may be the world.
 */
static bool
is_known(const struct request *r)
{
	static const char *const passed_on[] = { "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED",
		"HTTP_X_REAL_IP", "HTTP_VIA" };
	const struct config *c = r->app->config;

	if (address_is_listed(c, "TRUSTED_PROXIES", r->remote_addr))
		return false;
	if (address_is_listed(c, "TRUSTED_PROXIES", request_header(r, "REMOTE_ADDR")))
		return true;
	for (size_t i = 0; i < NELEM(passed_on); i++)
		if (request_header(r, passed_on[i]).p != NULL)
			return false;
	return true;
}

static int
show_metrics(struct request *r, struct response *res)
{
	struct buf b = { 0 };
	struct str text;

	if (!has_token(r) && !is_known(r))
		return respond_error(r, res, 403,
		    "Whom a proxy asks for is not known: it must be one of TRUSTED_PROXIES and "
		    "send "
		    "X-Forwarded-For, or the token must be sent; see meridian.conf(5).");
	if (!has_token(r) && !address_is_listed(r->app->config, "METRICS_FROM", r->remote_addr))
		return respond_error(r, res, 404, NULL);
	metrics_put_handlers(r, &b);
	metrics_put_streams(r, &b);
	text = arena_str(r->arena, buf_text(&b));
	buf_free(&b);
	return respond_text(r, res, 200, FORMAT, text);
}

/* What the database said last is the answer for a second, so that asking often costs it nothing. */
static bool
is_well(struct metrics *m, struct db *db)
{
	int64_t now = clock_monotonic();
	char err[600];

	if (m->asked != 0 && now - m->asked < SECOND)
		return m->well;
	m->asked = now;
	m->well = db_schema_check(db, err, sizeof(err)) == DB_END;
	if (!m->well)
		log_warn("not well", LOG_TEXT("why", err));
	return m->well;
}

static int
show_health(struct request *r, struct response *res)
{
	bool well = is_well(r->app->own, r->app->db);

	return respond_text(r, res, well ? 200 : 503, "text/plain; charset=utf-8",
	    well ? STR("ok\n") : STR("away\n"));
}

static int
start(struct app_state *app)
{
	struct metrics *m = calloc(1, sizeof(*m));
	char err[600];

	if (m == NULL)
		arena_exhausted();
	m->arena = arena_new();
	app->own = m;
	if (config_secret(
	        app->config, m->arena, "METRICS_TOKEN_FILE", &m->token, err, sizeof(err)) == 0)
		return 0;
	log_error("cannot start", LOG_TEXT("why", err));
	return -1;
}

static void
stop(struct app_state *app)
{
	struct metrics *m = app->own;

	arena_free(m->arena);
	free(m);
}

static void
needs(const struct app_state *app, struct sandbox *box)
{
	const struct metrics *m = app->own;

	sandbox_list(box, metrics_directory(m->arena, app->config).p);
}

static void
count(struct request *r, unsigned *statements, int64_t *microseconds)
{
	db_count(r->app->db, statements, microseconds);
	db_count_start(r->app->db); /* of the next one */
}

static void
finish(struct request *r)
{
	db_reset(r->app->db);
}

static const struct route routes[] = {
	ROUTE(GET, "/healthz", ANYONE, NO_BODY, show_health),
	ROUTE(GET, "/metrics", ANYONE, NO_BODY, show_metrics),
};

int
main(int argc, char **argv)
{
	/* of the hooks what opens the database: nobody is asked who they are */
	const struct hooks hooks = { .start = auth_hooks.start,
		.check = auth_hooks.check,
		.needs = auth_hooks.needs,
		.idle = auth_hooks.idle,
		.stop = auth_hooks.stop,
		.count = count,
		.finish = finish };

	return app_main(argc, argv,
	    &(struct app){ .name = "metrics",
	        .what = "how the TOM fares, for programs: /healthz, /metrics",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &hooks,
	        .any_host = true,
	        .no_pages = true,
	        .start = start,
	        .needs = needs,
	        .stop = stop });
}
