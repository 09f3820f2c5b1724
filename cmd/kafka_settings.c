/*
 * kafka_settings: what librdkafka is told of a stream's brokers, how it proves who it is, and tokens.
 */
#include "cmd/kafka_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/bearer.h"
#include "base/clock.h"
#include "base/log.h"

#define TOKEN_SECONDS 10 /* a provider may take */

static void
set(rd_kafka_conf_t *c, const char *name, const char *value, char *err, size_t errsize)
{
	char why[300];

	if (err[0] == '\0' &&
	    rd_kafka_conf_set(c, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
		snprintf(err, errsize, "%s", why);
}

void
kafka_pattern(struct buf *b, struct str p)
{
	buf_clear(b);
	if (str_find(p, '*') == p.n && str_find(p, '?') == p.n && str_find(p, '[') == p.n) {
		buf_str(b, p);
		return;
	}
	buf_putc(b, '^');
	for (size_t i = 0; i < p.n; i++) {
		if (p.p[i] == '*')
			buf_puts(b, ".*");
		else if (p.p[i] == '?')
			buf_putc(b, '.');
		else {
			if (strchr(".+(){}|^$\\", p.p[i]) != NULL)
				buf_putc(b, '\\');
			buf_putc(b, p.p[i]);
		}
	}
	buf_putc(b, '$');
}

static void
join(struct buf *b, const struct config_stream *c, const char *key)
{
	struct str item;

	buf_clear(b);
	buf_puts(b, "");
	for (size_t i = 0; (item = config_stream_item(c, key, i)).p != NULL; i++) {
		if (i > 0)
			buf_putc(b, ',');
		buf_str(b, item);
	}
}

bool
kafka_wants_token(const struct config_stream *c)
{
	return strncmp(config_stream_text(c, "security"), "sasl", 4) == 0 &&
	    strcmp(config_stream_text(c, "sasl_mechanism"), "OAUTHBEARER") == 0;
}

static bool
read_secret(
    struct arena *a, const struct config_stream *c, struct str *secret, char *err, size_t errsize)
{
	return config_secret_at(a, config_stream_text(c, "password_file"), "password_file", secret,
	           err, errsize) == 0;
}

void
kafka_fetch_token(rd_kafka_t *rk, const struct config_stream *config)
{
	const char *client = config_stream_text(config, "user");
	struct arena *a = arena_new();
	struct bearer b;
	struct str secret = STR_NONE;
	char err[500];

	if (!read_secret(a, config, &secret, err, sizeof(err)) ||
	    !bearer_fetch(config_stream_text(config, "token_url"), client, secret.p, TOKEN_SECONDS,
	        clock_now() / (SECOND / 1000), a, &b, err, sizeof(err)) ||
	    rd_kafka_oauthbearer_set_token(rk, b.token, b.expires,
	        b.subject[0] != '\0' ? b.subject : client, NULL, 0, err,
	        sizeof(err)) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_oauthbearer_set_token_failure(rk, err);
	if (secret.p != NULL)
		explicit_bzero((char *)(uintptr_t)secret.p, secret.n);
	arena_free(a);
}

static void
set_security(rd_kafka_conf_t *c, const struct config_stream *config, char *err, size_t errsize)
{
	const char *how = config_stream_text(config, "security");
	const char *mechanism = config_stream_text(config, "sasl_mechanism");
	const char *ca = config_stream_text(config, "ca");
	struct arena *a;
	struct str secret;

	set(c, "security.protocol", how, err, errsize);
	if (ca[0] != '\0')
		set(c, "ssl.ca.location", ca, err, errsize);
	if (strncmp(how, "sasl", 4) != 0 || err[0] != '\0')
		return;
	set(c, "sasl.mechanism", mechanism, err, errsize);
	if (kafka_wants_token(config))
		return;
	a = arena_new();
	if (err[0] == '\0' && read_secret(a, config, &secret, err, errsize)) {
		set(c, "sasl.username", config_stream_text(config, "user"), err, errsize);
		set(c, "sasl.password", secret.p, err, errsize);
		explicit_bzero((char *)(uintptr_t)secret.p, secret.n);
	}
	arena_free(a);
}

static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	if (level <= 4)
		log_warn("kafka", LOG_TEXT("facility", facility), LOG_TEXT("text", text));
	else
		log_debug("kafka", LOG_TEXT("facility", facility), LOG_TEXT("text", text));
}

rd_kafka_conf_t *
kafka_configure(const struct config_stream *config, char *err, size_t errsize)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	const char *mock = getenv("MERIDIAN_TEST_KAFKA");
	struct buf b = { 0 };

	err[0] = '\0';
	join(&b, config, "brokers");
	set(c, "bootstrap.servers", b.p, err, errsize);
	set(c, "client.id", "meridian-ingest", err, errsize);
	set(c, "group.id", config_stream_text(config, "consumer_group"), err, errsize);
	set(c, "enable.auto.commit", "false", err, errsize);
	set(c, "enable.auto.offset.store", "false", err, errsize);
	set(c, "auto.offset.reset", "error", err, errsize);
	set(c, "partition.assignment.strategy", "range,roundrobin", err, errsize);
	set(c, "topic.metadata.refresh.interval.ms", "30000", err, errsize);
	set(c, "queued.max.messages.kbytes", "16384", err, errsize);
	set(c, "fetch.message.max.bytes", "4194304", err, errsize);
	if (mock != NULL) /* "key=value,...", for the tests: shorter waits */
		for (struct str rest = str_of(mock), one; rest.n > 0;) {
			char name[100], value[100];

			one = str_cut(&rest, ',');
			struct str key = str_cut(&one, '=');
			snprintf(name, sizeof(name), "%.*s", STR_ARG(key));
			snprintf(value, sizeof(value), "%.*s", STR_ARG(one));
			set(c, name, value, err, errsize);
		}
	set_security(c, config, err, errsize);
	rd_kafka_conf_set_log_cb(c, on_log);
	buf_free(&b);
	if (err[0] == '\0')
		return c;
	rd_kafka_conf_destroy(c);
	return NULL;
}
