/*
 * clock.h: time. Instants are microseconds since 1970-01-01T00:00:00Z (UTC) in an int64_t;
 * observing times are MJD (UTC) in a double.
 */
#ifndef MERIDIAN_CLOCK_H
#define MERIDIAN_CLOCK_H

#include "base/arena.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Now, UTC. Tests may fix it with clock_freeze (0 lets it run again). */
int64_t clock_now(void);
void clock_freeze(int64_t);

/* A clock that never jumps, for durations: microseconds since some start. */
int64_t clock_monotonic(void);

/* The same since the machine started, sleep included: alike in all its processes. */
int64_t clock_boot(void);

double clock_to_mjd(int64_t);
int64_t clock_from_mjd(double mjd);

/* Julian date to MJD without loss: subtracts 2400000.5. */
double clock_jd_to_mjd(double jd);

/* "2026-11-24T03:13:29Z", with ".123456" before the Z where the microseconds are not zero. */
struct str clock_iso(struct arena *, int64_t);
/* The same without an arena; its length. */
#define CLOCK_TEXT 80
size_t clock_text(char text[CLOCK_TEXT], int64_t);

/* "2026-11-24 03:13", as pages show an instant (UTC). */
struct str clock_minute(struct arena *, int64_t);

/* "Tue, 24 Nov 2026 03:13:29 GMT" for HTTP, and back: false where the text is no such date. */
struct str clock_http(struct arena *, int64_t);
bool clock_from_http(struct str, int64_t *out);

/*
 * ISO 8601: "2026-11-24", with a time after 'T' or a blank ("03:13[:29[.5]]") and an optional zone
 * ("Z", "+01:00"; without one UTC). False where it is no such date or out of the years 1 to 9999.
 */
bool clock_from_iso(struct str, int64_t *out);

#endif
