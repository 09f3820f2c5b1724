/*
 * kafka_settings.h: a stream of the configuration as librdkafka wants it.
 */
#ifndef MERIDIAN_KAFKA_SETTINGS_H
#define MERIDIAN_KAFKA_SETTINGS_H

#include <librdkafka/rdkafka.h>

#include "base/buf.h"
#include "base/config.h"

/*
 * Brokers, group, TLS and password of a consumer whose positions are its own to keep. NULL with a sentence
 * in err. The caller gives it to rd_kafka_new(), or destroys it.
 */
rd_kafka_conf_t *kafka_configure(const struct config_stream *, char *err, size_t errsize);

/* The regular expression of a pattern of file names, as librdkafka marks them: with '^'. */
void kafka_pattern(struct buf *, struct str);

/* Does it prove who it is by tokens? Then it asks for one whenever it has none, or an old one. */
bool kafka_wants_token(const struct config_stream *);
/* Asks the provider, and gives librdkafka the token, or what went wrong. */
void kafka_fetch_token(rd_kafka_t *, const struct config_stream *);

#endif
