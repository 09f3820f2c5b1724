/*
 * str: the length-carrying string.
 */
#include "base/base.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct str
str_of(const char *s)
{
	return s == NULL ? STR_NONE : (struct str){ s, strlen(s) };
}

bool
str_eq(struct str a, struct str b)
{
	if (a.p == NULL || b.p == NULL)
		return a.p == b.p;
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

bool
str_is(struct str s, const char *want)
{
	return str_eq(s, str_of(want));
}

bool
str_is_nocase(struct str s, const char *want)
{
	return s.p != NULL && s.n == strlen(want) && strncasecmp(s.p, want, s.n) == 0;
}

bool
str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.p != NULL && s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool
str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.p != NULL && s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

bool
str_empty(struct str s)
{
	return s.n == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t
str_find(struct str s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

struct str
str_cut(struct str *rest, char c)
{
	struct str front = { rest->p, str_find(*rest, c) };
	size_t gone = front.n + (front.n < rest->n);

	if (gone == 0)
		return front;
	rest->p += gone;
	rest->n -= gone;
	return front;
}

bool
str_to_int64(struct str s, int64_t *out)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	int64_t value = 0;

	if (s.n == (negative ? 1U : 0U))
		return false;
	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, s.p[i] - '0', &value))
			return false;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
		return false;
	*out = value;
	return true;
}

/* The C locale, whatever the program set: a decimal point is a point. */
static locale_t
c_locale(void)
{
	static locale_t c;

	if (c == (locale_t)0)
		c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return c;
}

bool
str_to_double(struct str s, double *out)
{
	char text[64], *end;
	double value;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789.eE-+", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	if (s.p[0] == '+')
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	value = strtod_l(text, &end, c_locale());
	if (*end != '\0' || end == text || !isfinite(value))
		return false;
	*out = value;
	return true;
}

size_t
str_code_points(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	const unsigned char *end = s.n == 0 ? p : p + s.n;

	while (p < end) {
		uint32_t point;
		int more;

		if (*p < 0x80) {
			p++;
			continue;
		}
		if (*p >= 0xc2 && *p <= 0xdf)
			more = 1;
		else if ((*p & 0xf0) == 0xe0)
			more = 2;
		else if (*p >= 0xf0 && *p <= 0xf4)
			more = 3;
		else
			return false;
		if (end - p <= more)
			return false;
		point = *p & (0x3fU >> more);
		for (int i = 1; i <= more; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (p[i] & 0x3fU);
		}
		if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) ||
		    point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
		p += more + 1;
	}
	return true;
}

void
str_make_utf8(char *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t length = 1;

		while (
		    length < 4 && at + length < n && !str_is_utf8((struct str){ p + at, length }))
			length++;
		if (str_is_utf8((struct str){ p + at, length }))
			at += length;
		else
			p[at++] = '?';
	}
}
