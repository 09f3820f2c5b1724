/*
 * metrics_handlers: what the executables count of themselves (http/counters.h), summed over workers.
 */
#include "http/counters.h"
#include "metrics.h"

/* A number of each executable. */
static const struct series {
	const char *name, *type, *help;
	enum counter at;
	bool is_time; /* microseconds, told in seconds */
} series[] = {
	{ "meridian_http_response_bytes_total", "counter", "Bytes of bodies of answers.",
	    COUNTER_BYTES, false },
	{ "meridian_worker_starts_total", "counter", "Workers that began.", COUNTER_STARTS, false },
	{ "meridian_database_statements_total", "counter", "Statements of requests.",
	    COUNTER_STATEMENTS, false },
	{ "meridian_database_seconds_total", "counter", "What they took.", COUNTER_STATEMENT_US,
	    true },
};

static void
begin_line(struct buf *b, const char *name, struct str program)
{
	buf_printf(b, "%s{", name);
	metrics_put_label(b, "program", program);
}

static void
end_line(struct buf *b, uint64_t n)
{
	buf_printf(b, "} %llu\n", (unsigned long long)n);
}

static void
end_line_in_seconds(struct buf *b, uint64_t microseconds)
{
	buf_printf(b, "} %llu.%06llu\n", (unsigned long long)(microseconds / SECOND),
	    (unsigned long long)(microseconds % SECOND));
}

/* Only of what came: a method by a status has no line before its first request. */
static void
put_requests(struct buf *b, const struct counters_sum *of, size_t n)
{
	static const char *const methods[COUNTERS_METHODS] = { "GET", "POST", "PUT", "PATCH",
		"DELETE", "OPTIONS", "HEAD", "other" };
	static const char *const classes[COUNTERS_CLASSES] = { "other", "1xx", "2xx", "3xx", "4xx",
		"5xx" };

	metrics_put_head(b, "meridian_http_requests_total", "counter", "Requests answered.");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < (size_t)COUNTERS_METHODS * COUNTERS_CLASSES; k++) {
			uint64_t count = of[i].n[COUNTER_REQUESTS + k];

			if (count == 0)
				continue;
			begin_line(b, "meridian_http_requests_total", of[i].program);
			buf_printf(b, ",method=\"%s\",status=\"%s\"", methods[k / COUNTERS_CLASSES],
			    classes[k % COUNTERS_CLASSES]);
			end_line(b, count);
		}
}

static void
put_durations(struct buf *b, const struct counters_sum *of, size_t n)
{
	static const char name[] = "meridian_http_request_duration_seconds";

	metrics_put_head(
	    b, name, "histogram", "From a request's arrival till its answer has left.");
	for (size_t i = 0; i < n; i++) {
		uint64_t count = 0;

		for (size_t k = 0; k < COUNTERS_BUCKETS; k++) {
			count += of[i].n[COUNTER_BUCKETS + k];
			begin_line(
			    b, "meridian_http_request_duration_seconds_bucket", of[i].program);
			buf_puts(b, ",le=\"");
			if (k < COUNTERS_BUCKETS - 1)
				buf_double(b, (double)counters_bounds[k] / SECOND);
			else
				buf_puts(b, "+Inf");
			buf_putc(b, '"');
			end_line(b, count);
		}
		begin_line(b, "meridian_http_request_duration_seconds_sum", of[i].program);
		end_line_in_seconds(b, of[i].n[COUNTER_DURATION]);
		begin_line(b, "meridian_http_request_duration_seconds_count", of[i].program);
		end_line(b, count);
	}
}

static void
put_refusals(struct buf *b, const struct counters_sum *of, size_t n)
{
	static const char *const reasons[REFUSALS] = { [REFUSED_HOST] = "host",
		[REFUSED_ACCESS] = "access",
		[REFUSED_CSRF] = "csrf",
		[REFUSED_THROTTLE] = "throttle",
		[REFUSED_AWAY] = "away" };

	metrics_put_head(b, "meridian_http_refused_total", "counter", "Requests turned away.");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < REFUSALS; k++) {
			begin_line(b, "meridian_http_refused_total", of[i].program);
			buf_printf(b, ",reason=\"%s\"", reasons[k]);
			end_line(b, of[i].n[COUNTER_REFUSED + k]);
		}
}

static void
put_series(struct buf *b, const struct series *s, const struct counters_sum *of, size_t n)
{
	metrics_put_head(b, s->name, s->type, s->help);
	for (size_t i = 0; i < n; i++) {
		begin_line(b, s->name, of[i].program);
		(s->is_time ? end_line_in_seconds : end_line)(b, of[i].n[s->at]);
	}
}

static void
put_workers(struct buf *b, const struct counters_sum *of, size_t n)
{
	metrics_put_head(b, "meridian_workers", "gauge", "Workers that live.");
	for (size_t i = 0; i < n; i++) {
		begin_line(b, "meridian_workers", of[i].program);
		end_line(b, of[i].workers);
	}
	metrics_put_head(b, "meridian_http_requests_in_flight", "gauge",
	    "Workers that are in a request; one of metrics is.");
	for (size_t i = 0; i < n; i++) {
		begin_line(b, "meridian_http_requests_in_flight", of[i].program);
		end_line(b, of[i].busy);
	}
	metrics_put_head(b, "meridian_worker_deaths_total", "counter",
	    "Workers that were killed, crashed or gave up.");
	for (size_t i = 0; i < n; i++) {
		begin_line(b, "meridian_worker_deaths_total", of[i].program);
		end_line(b, of[i].deaths);
	}
}

struct str
metrics_directory(struct arena *a, const struct config *c)
{
	return arena_printf(a, "%s/metrics", config_text(c, "RUN_DIR"));
}

void
metrics_put_handlers(struct request *r, struct buf *b)
{
	size_t n;
	const struct counters_sum *of = counters_read(
	    r->arena, metrics_directory(r->arena, r->app->config).p, &n);

	if (n == 0)
		return;
	put_requests(b, of, n);
	put_durations(b, of, n);
	put_refusals(b, of, n);
	put_workers(b, of, n);
	for (size_t i = 0; i < NELEM(series); i++)
		put_series(b, &series[i], of, n);
}
