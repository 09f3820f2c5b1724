/*
 * device: entries of the device cookie, found and made.
 */
#include "auth/device.h"

#include <string.h>

#include "auth/unicode.h"
#include "auth/visit.h"

#define ENTRY (DEVICE_ID + SECRET_SIZE)
#define ENTRY_TEXT 64 /* characters of it in base64url */
#define LIFE (INT64_C(400) * 24 * 60 * 60) /* seconds: what browsers keep at most */

static void
sign(struct secret *secret, struct str name, const uint8_t id[DEVICE_ID], uint8_t mac[SECRET_SIZE])
{
	struct str parts[] = { STR("device"), name, { (const char *)id, DEVICE_ID } };

	secret_sign(secret, parts, NELEM(parts), mac);
}

/* Is it an entry of the account whose name, in NFKC, is given? */
static bool
is_of(struct secret *secret, struct str entry, struct str name, uint8_t id[DEVICE_ID])
{
	uint8_t bytes[ENTRY];
	struct str parts[] = { STR("device"), name, { (const char *)bytes, DEVICE_ID } };

	if (!secret_decode(entry, bytes, sizeof(bytes)))
		return false;
	memcpy(id, bytes, DEVICE_ID);
	return secret_signed(secret, parts, NELEM(parts), bytes + DEVICE_ID);
}

bool
device_find(struct secret *secret, struct arena *a, struct str cookie, struct str username,
    uint8_t id[DEVICE_ID])
{
	struct str name = unicode_nfkc(a, username);

	for (size_t i = 0; i < DEVICE_MOST && cookie.n > 0; i++)
		if (is_of(secret, str_cut(&cookie, '.'), name, id))
			return true;
	return false;
}

struct str
device_add(struct secret *secret, struct arena *a, struct str cookie, struct str username)
{
	struct str name = unicode_nfkc(a, username), all, entry;
	uint8_t bytes[ENTRY], id[DEVICE_ID];

	if (!device_find(secret, a, cookie, name, bytes))
		secret_random(bytes, DEVICE_ID);
	sign(secret, name, bytes, bytes + DEVICE_ID);
	all = secret_encode(a, bytes, sizeof(bytes));
	for (size_t i = 1; i < DEVICE_MOST && cookie.n > 0;) {
		entry = str_cut(&cookie, '.');
		if (entry.n != ENTRY_TEXT || is_of(secret, entry, name, id))
			continue;
		all = arena_printf(a, "%s.%.*s", all.p, STR_ARG(entry));
		i++;
	}
	return all;
}

void
device_remember(struct request *r, struct response *res, struct str username)
{
	response_cookie(r, res, DEVICE_COOKIE,
	    device_add(auth_of(r)->secret, r->arena, request_cookie(r, DEVICE_COOKIE), username),
	    LIFE);
}
