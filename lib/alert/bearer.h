/*
 * bearer.h: tokens for brokers that want OAUTHBEARER, from an OpenID Connect provider, by the grant of
 * client credentials (RFC 6749 4.4). Debian's librdkafka is built without that.
 */
#ifndef MERIDIAN_BEARER_H
#define MERIDIAN_BEARER_H

#include "base/arena.h"

struct bearer {
	const char *token; /* to be sent as it is */
	const char *subject; /* whom it is about: `sub` of a JSON Web Token; else "" */
	int64_t expires; /* milliseconds of Unix */
};

/*
 * Asks the provider; the answer lives in the arena. The URL is https, or http to this machine. False with
 * a sentence in err, which holds no secret.
 */
bool bearer_fetch(const char *url, const char *client, const char *secret, long seconds,
    int64_t now, struct arena *, struct bearer *, char *err, size_t errsize);

/*
 * What a provider answers: {"access_token": ..., "expires_in": seconds}. Without the latter a JSON Web
 * Token says itself when it expires (RFC 7519 4.1.4). now: milliseconds of Unix. False with a sentence.
 */
bool bearer_read_reply(
    struct str reply, int64_t now, struct arena *, struct bearer *, char *err, size_t errsize);

#endif
