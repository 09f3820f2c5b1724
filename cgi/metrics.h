/*
 * metrics.h: what the files of the executable metrics share: the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), as far as we write it.
 */
#ifndef MERIDIAN_CGI_METRICS_H
#define MERIDIAN_CGI_METRICS_H

#include "auth/auth.h"
#include "base/buf.h"

/* The lines before a metric's; `type`: "counter", "gauge" or "histogram". */
void metrics_put_head(struct buf *, const char *name, const char *type, const char *help);
/* name="value", the value escaped. */
void metrics_put_label(struct buf *, const char *name, struct str value);

/* The streams of alerts (metrics_streams.c), and whether the database could tell of them. */
void metrics_put_streams(struct request *, struct buf *);
/* Requests, workers and statements of each executable (metrics_handlers.c). */
void metrics_put_handlers(struct request *, struct buf *);

/* The directory of their counters, in the arena. */
struct str metrics_directory(struct arena *, const struct config *);

#endif
