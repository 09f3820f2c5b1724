/*
 * metrics_streams: what the daemons of streams of alerts said of themselves.
 */
#include <stddef.h>
#include <string.h>

#include "alert/stream_state.h"
#include "base/log.h"
#include "metrics.h"

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
	metrics_put_label(b, "stream", stream);
	buf_putc(b, ',');
	metrics_put_label(b, "host", d->host);
	buf_printf(b, ",pid=\"%lld\"} ", (long long)d->pid);
	if (of->kind == RATE)
		buf_double(b, value);
	else if (of->kind == TIME)
		buf_printf(b, "%lld.%06d", (long long)(n / SECOND), (int)(n % SECOND));
	else
		buf_printf(b, "%lld", (long long)n);
	buf_putc(b, '\n');
}

void
metrics_put_streams(struct request *r, struct buf *b)
{
	struct stream_state *states;
	size_t n;
	enum db_result done = stream_states(r->app->db, r->arena, &states, &n);

	metrics_put_head(b, "meridian_database_up", "gauge", "1: the database answers; 0: not.");
	buf_printf(b, "meridian_database_up %d\n", done == DB_END);
	if (done != DB_END) {
		log_warn("the database does not tell of streams",
		    LOG_TEXT("error", db_error(r->app->db)));
		return;
	}
	for (size_t i = 0; i < NELEM(series); i++) {
		metrics_put_head(b, series[i].name, series[i].type, series[i].help);
		for (size_t s = 0; s < n; s++)
			for (size_t d = 0; d < states[s].ndaemons; d++)
				put_daemon(
				    b, &series[i], states[s].name, &states[s].daemons[d], r->now);
	}
	metrics_put_head(
	    b, "meridian_dead_letters", "gauge", "Dead letters that wait; 1001: more than 1000.");
	for (size_t s = 0; s < n; s++) {
		buf_puts(b, "meridian_dead_letters{");
		metrics_put_label(b, "stream", states[s].name);
		buf_printf(b, "} %lld\n", (long long)states[s].letters);
	}
}
