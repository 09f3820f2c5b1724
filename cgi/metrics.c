/*
 * metrics: how the TOM fares, for programs that watch it.
 *
 *	GET  /healthz		200 where the database answers and its schema is ours, else 503
 *	GET  /metrics		the streams of alerts, in the text format of Prometheus
 *
 * /healthz says one word to everybody. /metrics answers addresses of METRICS_FROM, the machine itself
 * where nothing else is said, and who sends "Authorization: Bearer" with the text in METRICS_TOKEN_FILE;
 * for others it is not there (404). Nobody has a session here, and no cookie is read.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/stream_state.h"
#include "auth/auth.h"
#include "auth/secret.h"
#include "base/buf.h"
#include "base/log.h"
#include "http/proxy.h"

#define FORMAT "text/plain; version=0.0.4; charset=utf-8"
#define BEARER "Bearer "

struct metrics {
	struct arena *arena; /* of what lives as long as the worker */
	struct str token; /* absent: none is taken */
};

/* A number of each daemon of each stream. */
static const struct series {
	const char *name, *type, *help;
	size_t at; /* in struct stream_daemon */
	enum { COUNT, RATE, WAITING, TIME } kind;
} series[] = {
	{ "meridian_stream_messages_total", "counter", "Messages read since the daemon began.",
	    offsetof(struct stream_daemon, messages), COUNT },
	{ "meridian_stream_alerts_total", "counter", "New alerts stored since then.",
	    offsetof(struct stream_daemon, alerts), COUNT },
	{ "meridian_stream_new_targets_total", "counter", "Targets made since then.",
	    offsetof(struct stream_daemon, new_targets), COUNT },
	{ "meridian_stream_new_points_total", "counter", "Measurements stored since then.",
	    offsetof(struct stream_daemon, new_points), COUNT },
	{ "meridian_stream_dead_letters_total", "counter", "Messages put aside since then.",
	    offsetof(struct stream_daemon, dead), COUNT },
	{ "meridian_stream_messages_per_second", "gauge", "Messages a second of the last minute.",
	    offsetof(struct stream_daemon, rate), RATE },
	{ "meridian_stream_behind_messages", "gauge", "Messages that wait; absent: not known.",
	    offsetof(struct stream_daemon, behind), WAITING },
	{ "meridian_stream_heartbeat_timestamp_seconds", "gauge", "When the daemon last spoke.",
	    offsetof(struct stream_daemon, heartbeat), TIME },
	{ "meridian_stream_started_timestamp_seconds", "gauge", "When it began.",
	    offsetof(struct stream_daemon, started), TIME },
	{ "meridian_stream_last_packet_timestamp_seconds", "gauge", "When the newest packet came.",
	    offsetof(struct stream_daemon, last_packet), TIME },
	{ "meridian_stream_last_error_timestamp_seconds", "gauge",
	    "When something last failed, mended or not.", offsetof(struct stream_daemon, error_at),
	    TIME },
};

/* A label's value, in quotes. */
static void
put_label(struct buf *b, const char *name, struct str value)
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

static void
put_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One daemon's line, where the number is known: of the moment it is while the daemon lives. */
static void
put_daemon(struct buf *b, const struct series *of, struct str stream, const struct stream_daemon *d,
    int64_t now)
{
	const char *at = (const char *)d + of->at;
	int64_t n = 0;
	double value = 0;

	if (of->kind == RATE)
		memcpy(&value, at, sizeof(value));
	else
		memcpy(&n, at, sizeof(n));
	if (n < 0 || (of->kind == TIME && n == 0) ||
	    ((of->kind == RATE || of->kind == WAITING) && !stream_daemon_lives(d, now)))
		return;
	buf_printf(b, "%s{", of->name);
	put_label(b, "stream", stream);
	buf_putc(b, ',');
	put_label(b, "host", d->host);
	buf_printf(b, ",pid=\"%lld\"} ", (long long)d->pid);
	if (of->kind == RATE)
		buf_double(b, value);
	else if (of->kind == TIME)
		buf_printf(b, "%lld.%06d", (long long)(n / SECOND), (int)(n % SECOND));
	else
		buf_printf(b, "%lld", (long long)n);
	buf_putc(b, '\n');
}

static void
put_streams(struct buf *b, const struct stream_state *states, size_t n, int64_t now)
{
	for (size_t i = 0; i < NELEM(series); i++) {
		put_head(b, series[i].name, series[i].type, series[i].help);
		for (size_t s = 0; s < n; s++)
			for (size_t d = 0; d < states[s].ndaemons; d++)
				put_daemon(
				    b, &series[i], states[s].name, &states[s].daemons[d], now);
	}
	put_head(
	    b, "meridian_dead_letters", "gauge", "Dead letters that wait; 1001: more than 1000.");
	for (size_t s = 0; s < n; s++) {
		buf_puts(b, "meridian_dead_letters{");
		put_label(b, "stream", states[s].name);
		buf_printf(b, "} %lld\n", (long long)states[s].letters);
	}
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
 * Does it come from where we may answer? What somebody passed on while no proxy is trusted has that
 * somebody's address, this machine's perhaps, and may be the world's.
 */
static bool
is_listed(const struct request *r)
{
	static const char *const passed_on[] = { "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED",
		"HTTP_X_REAL_IP", "HTTP_VIA" };
	const struct config *c = r->app->config;

	for (size_t i = 0; i < NELEM(passed_on); i++)
		if (request_header(r, passed_on[i]).p != NULL &&
		    config_item(c, "TRUSTED_PROXIES", 0).p == NULL)
			return false;
	return address_is_listed(c, "METRICS_FROM", r->remote_addr);
}

static int
show_metrics(struct request *r, struct response *res)
{
	struct stream_state *states;
	struct buf b = { 0 };
	struct str text;
	enum db_result done;
	size_t n;

	if (!is_listed(r) && !has_token(r))
		return respond_error(r, res, 404, NULL);
	done = stream_states(r->app->db, r->arena, &states, &n);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	put_streams(&b, states, n, r->now);
	text = arena_str(r->arena, buf_text(&b));
	buf_free(&b);
	return respond_text(r, res, 200, FORMAT, text);
}

static int
show_health(struct request *r, struct response *res)
{
	char err[600];
	bool well = db_schema_check(r->app->db, err, sizeof(err)) == DB_END;

	if (!well)
		log_warn("not well", LOG_TEXT("why", err));
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
	        .stop = stop });
}
