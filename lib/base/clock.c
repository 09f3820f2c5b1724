/*
 * clock: instants, MJD, and their texts.
 */
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

/* MJD of 1970-01-01. */
#define MJD_OF_EPOCH 40587.0

static int64_t frozen;

int64_t
clock_now(void)
{
	struct timespec t;

	if (frozen != 0)
		return frozen;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

void
clock_freeze(int64_t at)
{
	frozen = at;
}

int64_t
clock_monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

int64_t
clock_boot(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

double
clock_to_mjd(int64_t at)
{
	return MJD_OF_EPOCH + (double)at / (double)DAY;
}

int64_t
clock_from_mjd(double mjd)
{
	return (int64_t)llround((mjd - MJD_OF_EPOCH) * (double)DAY);
}

double
clock_jd_to_mjd(double jd)
{
	return jd - 2400000.5;
}

/* Seconds and the rest, rounded down also before 1970. */
static struct tm
split(int64_t at, long *micros)
{
	int64_t sec = at / SECOND;
	struct tm tm;
	time_t t;

	*micros = (long)(at % SECOND);
	if (*micros < 0) {
		*micros += SECOND;
		sec--;
	}
	t = (time_t)sec;
	memset(&tm, 0, sizeof(tm));
	gmtime_r(&t, &tm);
	return tm;
}

/* "2026-11-24", a divider, "03:13"; pages show them by the dozen. */
static char *
put_minute(char *w, const struct tm *tm, char divider)
{
	w = number_digits(w, (uint64_t)tm->tm_year + 1900, 4);
	*w++ = '-';
	w = number_digits(w, (uint64_t)tm->tm_mon + 1, 2);
	*w++ = '-';
	w = number_digits(w, (uint64_t)tm->tm_mday, 2);
	*w++ = divider;
	w = number_digits(w, (uint64_t)tm->tm_hour, 2);
	*w++ = ':';
	return number_digits(w, (uint64_t)tm->tm_min, 2);
}

size_t
clock_text(char text[CLOCK_TEXT], int64_t at)
{
	long micros;
	struct tm tm = split(at, &micros);
	char *w;

	if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return (size_t)snprintf(text, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	w = put_minute(text, &tm, 'T');
	*w++ = ':';
	w = number_digits(w, (uint64_t)tm.tm_sec, 2);
	if (micros != 0) {
		*w++ = '.';
		w = number_digits(w, (uint64_t)micros, 6);
	}
	*w++ = 'Z';
	return (size_t)(w - text);
}

struct str
clock_iso(struct arena *a, int64_t at)
{
	char text[CLOCK_TEXT];
	size_t n = clock_text(text, at);

	return arena_copy(a, text, n);
}

struct str
clock_minute(struct arena *a, int64_t at)
{
	long micros;
	struct tm tm = split(at, &micros);
	char text[64];

	if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return arena_printf(a, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min);
	return arena_copy(a, text, (size_t)(put_minute(text, &tm, ' ') - text));
}

static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

struct str
clock_http(struct arena *a, int64_t at)
{
	long micros;
	struct tm tm = split(at, &micros);

	return arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
	    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* A reader over text: each take_* moves it on, or says no. */
struct reader {
	const char *p, *end;
};

static bool
take(struct reader *r, char c)
{
	if (r->p >= r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool
take_digits(struct reader *r, int count, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++) {
		if (r->p >= r->end || *r->p < '0' || *r->p > '9')
			return false;
		*out = *out * 10 + (*r->p++ - '0');
	}
	return true;
}

static int
days_in(int year, int month)
{
	static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return n[month - 1] + (month == 2 && leap);
}

static bool
make(int year, int month, int day, int hour, int minute, int second, int64_t *out)
{
	struct tm tm = { .tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second };

	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
	    hour > 23 || minute > 59 || second > 60)
		return false;
	*out = (int64_t)timegm(&tm) * SECOND;
	return true;
}

bool
clock_from_http(struct str s, int64_t *out)
{
	struct reader r = { s.p, s.p + s.n };
	int day, month, year, hour, minute, second;

	/* only the preferred form (RFC 9110 5.6.7): browsers send back what we sent */
	if (s.n != 29 || s.p[3] != ',' || s.p[4] != ' ')
		return false;
	r.p += 5;
	if (!take_digits(&r, 2, &day) || !take(&r, ' '))
		return false;
	for (month = 0; month < 12; month++)
		if (memcmp(r.p, months[month], 3) == 0)
			break;
	r.p += 3;
	return take(&r, ' ') && take_digits(&r, 4, &year) && take(&r, ' ') &&
	    take_digits(&r, 2, &hour) && take(&r, ':') && take_digits(&r, 2, &minute) &&
	    take(&r, ':') && take_digits(&r, 2, &second) && memcmp(r.p, " GMT", 4) == 0 &&
	    make(year, month + 1, day, hour, minute, second, out);
}

/* ".678" or ",678" as microseconds; more digits are cut. */
static bool
take_fraction(struct reader *r, int64_t *micros)
{
	int64_t unit = SECOND / 10;

	*micros = 0;
	if (!take(r, '.') && !take(r, ','))
		return true;
	if (r->p >= r->end || *r->p < '0' || *r->p > '9')
		return false;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++, unit /= 10)
		*micros += (*r->p - '0') * unit;
	return true;
}

static bool
take_zone(struct reader *r, int64_t *offset)
{
	int hours, minutes = 0;
	bool west;

	*offset = 0;
	if (r->p >= r->end || take(r, 'Z') || take(r, 'z'))
		return true;
	west = take(r, '-');
	if ((!west && !take(r, '+')) || !take_digits(r, 2, &hours))
		return false;
	if (r->p < r->end) {
		(void)take(r, ':');
		if (!take_digits(r, 2, &minutes))
			return false;
	}
	*offset = hours * HOUR + minutes * MINUTE;
	if (west)
		*offset = -*offset;
	return hours <= 23 && minutes <= 59;
}

bool
clock_from_iso(struct str s, int64_t *out)
{
	struct reader r = { s.p, s.p + s.n };
	int year, month, day, hour = 0, minute = 0, second = 0;
	int64_t micros = 0, offset = 0;

	if (!take_digits(&r, 4, &year) || !take(&r, '-') || !take_digits(&r, 2, &month) ||
	    !take(&r, '-') || !take_digits(&r, 2, &day))
		return false;
	if (r.p < r.end) {
		if ((!take(&r, 'T') && !take(&r, 't') && !take(&r, ' ')) ||
		    !take_digits(&r, 2, &hour) || !take(&r, ':') || !take_digits(&r, 2, &minute))
			return false;
		if (take(&r, ':') && (!take_digits(&r, 2, &second) || !take_fraction(&r, &micros)))
			return false;
		if (!take_zone(&r, &offset))
			return false;
	}
	if (r.p != r.end || !make(year, month, day, hour, minute, second, out))
		return false;
	*out += micros - offset;
	return true;
}
