/*
 * totp.h: codes that a phone makes from a key and the time (RFC 6238: HMAC-SHA-1, 6 digits, steps of
 * 30 s since 1970, which is what every authenticator knows).
 */
#ifndef MERIDIAN_TOTP_H
#define MERIDIAN_TOTP_H

#include "base/arena.h"

#define TOTP_KEY 20 /* bytes of a key: as many as SHA-1 gives (RFC 4226, 4) */
#define TOTP_DIGITS 6
#define TOTP_STEP 30 /* seconds */
#define TOTP_WINDOW 1 /* steps that a phone's clock may be early or late */

/*
 * The step whose code this is, of those within the window at `now` (microseconds); 0 where it is none
 * of theirs. All are compared, in constant time.
 */
int64_t totp_match(const uint8_t key[TOTP_KEY], struct str code, int64_t now);

/* The code of a step. */
void totp_code(const uint8_t key[TOTP_KEY], int64_t step, char code[TOTP_DIGITS + 1]);

/* The key as people type it: base32 (RFC 4648) in groups of four. */
struct str totp_key_text(struct arena *, const uint8_t key[TOTP_KEY]);

/* What the QR code says: otpauth://totp/ISSUER:ACCOUNT?secret=..., long names cut short. */
struct str
totp_uri(struct arena *, const uint8_t key[TOTP_KEY], struct str issuer, struct str account);

#endif
