/*
 * totp: liboath makes the codes.
 */
#include "auth/totp.h"

#include <liboath/oath.h>
#include <string.h>

#include "auth/secret.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"

#define NAME_BYTES 60 /* of issuer and account in a QR code: more modules than a phone reads well */

/* liboath fails here only without memory. */
static void
must(int result)
{
	if (result == OATH_OK)
		return;
	log_error("liboath failed", LOG_TEXT("error", oath_strerror(result)));
	arena_exhausted();
}

void
totp_code(const uint8_t key[TOTP_KEY], int64_t step, char code[TOTP_DIGITS + 1])
{
	static bool ready;

	if (!ready)
		must(oath_init());
	ready = true;
	must(oath_totp_generate((const char *)key, TOTP_KEY, (time_t)(step * TOTP_STEP), TOTP_STEP,
	    OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS, code));
}

int64_t
totp_match(const uint8_t key[TOTP_KEY], struct str code, int64_t now)
{
	int64_t today = now / SECOND / TOTP_STEP, found = 0;
	char want[TOTP_DIGITS + 1];

	if (code.n != TOTP_DIGITS)
		return 0;
	for (int64_t step = today - TOTP_WINDOW; step <= today + TOTP_WINDOW; step++) {
		totp_code(key, step, want);
		if (secret_same(want, code.p, TOTP_DIGITS))
			found = step;
	}
	explicit_bzero(want, sizeof(want));
	return found;
}

/* base32 with a blank after each `group` characters; 0: none. */
static struct str
base32(struct arena *a, const uint8_t key[TOTP_KEY], size_t group)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char *out = arena_alloc(a, TOTP_KEY * 2 + 1);
	size_t n = 0;

	for (size_t i = 0; i < TOTP_KEY * 8 / 5; i++) {
		size_t bit = i * 5, at = bit / 8;
		unsigned pair = (unsigned)key[at] << 8 | (at + 1 < TOTP_KEY ? key[at + 1] : 0U);

		if (group > 0 && i > 0 && i % group == 0)
			out[n++] = ' ';
		out[n++] = alphabet[pair >> (11 - bit % 8) & 31];
	}
	return (struct str){ out, n };
}

struct str
totp_key_text(struct arena *a, const uint8_t key[TOTP_KEY])
{
	return base32(a, key, 4);
}

/* The beginning of a name, whole characters, for a URI. */
static struct str
label(struct arena *a, struct str name)
{
	if (name.n > NAME_BYTES)
		for (name.n = NAME_BYTES; ((unsigned char)name.p[name.n] & 0xc0) == 0x80;)
			name.n--;
	return url_encode(a, arena_str(a, name));
}

struct str
totp_uri(struct arena *a, const uint8_t key[TOTP_KEY], struct str issuer, struct str account)
{
	struct str us = label(a, issuer);

	return arena_printf(a, "otpauth://totp/%s:%s?secret=%s&issuer=%s&digits=%d&period=%d", us.p,
	    label(a, account).p, base32(a, key, 0).p, us.p, TOTP_DIGITS, TOTP_STEP);
}
