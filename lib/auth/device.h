/*
 * device.h: the cookie of a browser that signed in as somebody before. It opens nothing: it gives an
 * allowance of its own for guesses at that one account (throttle.h), so that an attack from elsewhere
 * does not keep its owner out. It outlives sessions and signing out.
 *
 * The cookie "device" holds up to DEVICE_MOST entries divided by dots, the latest first: people with
 * two accounts share a browser. An entry is base64url of a random id and an HMAC under the site's key
 * of the account's name and that id, so it is of one account and nobody can make one. A key that is
 * taken no more makes the browsers of its time unknown.
 */
#ifndef MERIDIAN_DEVICE_H
#define MERIDIAN_DEVICE_H

#include "auth/secret.h"
#include "http/response.h"

#define DEVICE_COOKIE "device"
#define DEVICE_ID 16
#define DEVICE_MOST 5

/* Is there an entry of this account (its name in any form)? Then its id. */
bool device_find(
    struct secret *, struct arena *, struct str cookie, struct str username, uint8_t id[DEVICE_ID]);

/* The cookie with an entry of this account at its head: the one it has, else a new one. */
struct str device_add(struct secret *, struct arena *, struct str cookie, struct str username);

/* They have signed in, wholly: the answer sets the cookie, for 400 days. */
void device_remember(struct request *, struct response *, struct str username);

#endif
