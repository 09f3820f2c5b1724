/*
 * bearer: a token is asked for, and looked into as far as librdkafka wants to know of it.
 */
#include "alert/bearer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "alert/fetch.h"
#include "alert/registry.h"
#include "auth/secret.h"

#define MAX_REPLY KIB(64)
#define LONGEST INT64_C(4102444800000) /* 2100, in milliseconds: no token lives so long */

/* The claims of a JSON Web Token: its second part. NULL: it is none. The caller lets them go. */
static json_t *
claims_of(struct str token, struct arena *a)
{
	struct str rest = token, part;
	size_t n;
	char *text;

	(void)str_cut(&rest, '.');
	part = str_cut(&rest, '.');
	if (part.p == NULL || rest.p == NULL || part.n == 0)
		return NULL;
	n = part.n * 6 / 8;
	text = arena_alloc(a, n + 1);
	if (!secret_decode(part, text, n))
		return NULL;
	return json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
}

static bool
is_sendable(const char *token)
{
	for (const char *p = token; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return token[0] != '\0';
}

/* Seconds as a number; -1: there is none. */
static double
seconds_of(const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);

	return json_is_number(v) ? json_number_value(v) : -1;
}

static const char *
read_token(const json_t *reply, int64_t now, struct arena *a, struct bearer *b)
{
	const char *token = json_string_value(json_object_get(reply, "access_token")), *subject;
	double lives = seconds_of(reply, "expires_in"), until;
	json_t *claims;

	if (token == NULL)
		return "its answer holds no access_token";
	if (!is_sendable(token))
		return "its access_token cannot be sent";
	b->token = arena_strdup(a, token);
	claims = claims_of(str_of(b->token), a);
	subject = json_string_value(json_object_get(claims, "sub"));
	b->subject = arena_strdup(a, subject != NULL ? subject : "");
	until = lives >= 0 ? (double)now + lives * 1000 : seconds_of(claims, "exp") * 1000;
	json_decref(claims);
	if (!(until > (double)now && until < (double)LONGEST))
		return "its answer does not say when the token expires, or it has";
	b->expires = (int64_t)until;
	return NULL;
}

bool
bearer_read_reply(
    struct str reply, int64_t now, struct arena *a, struct bearer *b, char *err, size_t errsize)
{
	json_t *json = json_loadb(reply.p, reply.n, JSON_REJECT_DUPLICATES, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));
	const char *why;

	if (json == NULL)
		why = "its answer is no JSON";
	else if (error != NULL && error[0] != '\0')
		why = error;
	else
		why = read_token(json, now, a, b);
	if (why != NULL)
		snprintf(err, errsize, "%.200s", why);
	json_decref(json);
	return why == NULL;
}

bool
bearer_fetch(const char *url, const char *client, const char *secret, long seconds, int64_t now,
    struct arena *a, struct bearer *b, char *err, size_t errsize)
{
	struct buf reply = { 0 };
	char why[300];
	long status = 0;
	bool ok;

	if (!registry_url_will_do(url, err, errsize))
		return false;
	ok = fetch(&(struct fetch){ .url = url,
	               .seconds = seconds,
	               .most = MAX_REPLY,
	               .accept = "application/json",
	               .user = client,
	               .password = secret,
	               .form = "grant_type=client_credentials" },
	         &reply, &status, why, sizeof(why)) &&
	    bearer_read_reply(buf_text(&reply), now, a, b, why, sizeof(why));
	if (ok && status != 200) {
		snprintf(why, sizeof(why), "its answer is no success");
		ok = false;
	}
	if (reply.p != NULL)
		explicit_bzero(reply.p, reply.n);
	buf_free(&reply);
	if (!ok)
		snprintf(err, errsize, "%.200s: %s (status %ld)", url, why, status);
	return ok;
}
