/*
 * registry: one question over HTTP, and its answer.
 */
#include "alert/registry.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "alert/avro.h"
#include "alert/fetch.h"

#define MAX_REPLY (2 * AVRO_MAX_SCHEMA + KIB(64)) /* JSON may write each byte as two */

/* Numbers alone: 127.0.0.1.example.org is somebody else's. */
static bool
is_loopback(const char *host)
{
	struct in_addr address;

	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static bool
has(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool there = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return there;
}

/* NULL: it will do. */
static const char *
url_wrong(CURLU *u, const char *url)
{
	char *scheme = NULL, *host = NULL;
	const char *why = NULL;

	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		why = "it is no URL";
	else if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD))
		why = "a user or a password has no place in it";
	else if (has(u, CURLUPART_QUERY) || has(u, CURLUPART_FRAGMENT))
		why = "it goes on after its path";
	else if (strcmp(scheme, "https") != 0 &&
	    !(strcmp(scheme, "http") == 0 && is_loopback(host)))
		why = "https would be right, or http to this machine";
	curl_free(scheme);
	curl_free(host);
	return why;
}

bool
registry_url_will_do(const char *url, char *err, size_t errsize)
{
	CURLU *u = curl_url();
	const char *why;

	if (u == NULL)
		arena_exhausted();
	why = url_wrong(u, url);
	curl_url_cleanup(u);
	if (why != NULL)
		snprintf(err, errsize, "%.300s: %s", url, why);
	return why == NULL;
}

/* What an answer is. */
enum said { SAID_SCHEMA, SAID_NO, SAID_NOTHING };

/*
 * The numbers of error that a registry gives for what it has not, or will not have: 404xx and 422xx (40403:
 * there is no such schema). Another server's 404 has none of its own, or that of HTTP alone.
 */
static bool
is_refusal(const json_t *code)
{
	json_int_t n = json_integer_value(code);

	return (n >= 40400 && n <= 40499) || (n >= 42200 && n <= 42299);
}

static enum said
read_reply(struct str reply, struct buf *schema, char *err, size_t errsize)
{
	json_t *json = json_loadb(reply.p, reply.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *text = json_object_get(json, "schema"), *type = json_object_get(json, "schemaType");
	const char *message = json_string_value(json_object_get(json, "message"));
	const char *why = NULL;
	enum said said = SAID_NOTHING;

	if (json == NULL)
		why = "its answer is no JSON";
	else if (text == NULL && message != NULL && message[0] != '\0')
		why = message;
	else if (!json_is_string(text))
		why = "its answer holds no schema";
	else if (type != NULL &&
	    strcmp(json_is_string(type) ? json_string_value(type) : "", "AVRO") != 0)
		why = "its schema is none of Avro";
	else if (json_array_size(json_object_get(json, "references")) > 0)
		why = "its schema refers to others, which are not asked for: put it together as a "
		      "file";
	else if (json_string_length(text) > AVRO_MAX_SCHEMA)
		why = "its answer is longer than any schema";
	if (why != NULL)
		snprintf(err, errsize, "%.200s", why);
	else
		buf_put(schema, json_string_value(text), json_string_length(text));
	if (json_is_string(text))
		said = why == NULL ? SAID_SCHEMA : SAID_NO;
	else if (is_refusal(json_object_get(json, "error_code")))
		said = SAID_NO;
	json_decref(json);
	return said;
}

bool
registry_read_reply(struct str reply, struct buf *schema, char *err, size_t errsize)
{
	return read_reply(reply, schema, err, errsize) == SAID_SCHEMA;
}

/* Asks; what the answer is, with a sentence in why where it is no schema. */
static enum said
ask(const struct fetch *f, struct buf *schema, long *status, char *why, size_t size)
{
	struct buf reply = { 0 }, text = { 0 };
	enum said said = SAID_NOTHING;

	if (fetch(f, &reply, status, why, size))
		said = read_reply(buf_text(&reply), &text, why, size);
	if (said == SAID_SCHEMA && *status == 200)
		buf_str(schema, buf_text(&text));
	else if (said == SAID_SCHEMA) {
		snprintf(why, size, "its answer is no success");
		said = SAID_NOTHING;
	} else if (said == SAID_NO && *status != 200 && (*status < 400 || *status > 499))
		said = SAID_NOTHING; /* it is in trouble */
	buf_free(&reply);
	buf_free(&text);
	return said;
}

bool
registry_fetch(const char *url, uint32_t id, long seconds, struct buf *schema, bool *away,
    char *err, size_t errsize)
{
	size_t n = strlen(url);
	char full[2048], why[250];
	long status = 0;
	enum said said;

	*away = false;
	if (id > INT32_MAX) {
		snprintf(err, errsize, "schema %" PRIu32 ": no registry gives such a number", id);
		return false;
	}
	while (n > 0 && url[n - 1] == '/')
		n--;
	snprintf(
	    full, sizeof(full), "%.*s/schemas/ids/%" PRIu32, (int)(n < 2000 ? n : 2000), url, id);
	said = ask(&(struct fetch){ .url = full,
	               .seconds = seconds,
	               .most = MAX_REPLY,
	               .accept = "application/vnd.schemaregistry.v1+json, application/json" },
	    schema, &status, why, sizeof(why));
	*away = said == SAID_NOTHING;
	if (said == SAID_SCHEMA)
		return true;
	if (status != 0 && status != 200)
		snprintf(err, errsize, "%.200s: %s (status %ld)", full, why, status);
	else
		snprintf(err, errsize, "%.200s: %s", full, why);
	return false;
}
