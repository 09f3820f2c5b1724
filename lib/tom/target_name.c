/*
 * target_name: what may be a name, and when two names are the same.
 */
#include "tom/target.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* A blank of any width. */
static bool
is_blank(int32_t point)
{
	return utf8proc_category(point) == UTF8PROC_CATEGORY_ZS;
}

/*
 * What cannot be seen, or does something to the text around it: two names that differ by it alone
 * look the same.
 */
static bool
is_unseen(int32_t point)
{
	switch (utf8proc_category(point)) {
	case UTF8PROC_CATEGORY_CC: /* controls */
	case UTF8PROC_CATEGORY_CF: /* formats: no width, the direction of text */
	case UTF8PROC_CATEGORY_ZL: /* ends of lines and paragraphs */
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CO: /* private: each font has another */
	case UTF8PROC_CATEGORY_CN: /* nobody has said what it is */
		return true;
	default:
		return utf8proc_get_property(point)->ignorable;
	}
}

const char *
target_name_wrong(struct str s, struct arena *a)
{
	size_t points = 0;
	bool seen = false;

	if (s.n > 0 && !str_is_utf8(s))
		return "The name must be UTF-8 text.";
	for (size_t i = 0; i < s.n; points++) {
		utf8proc_int32_t point;

		i += (size_t)utf8proc_iterate(
		    (const utf8proc_uint8_t *)s.p + i, (utf8proc_ssize_t)(s.n - i), &point);
		if (is_unseen(point))
			return arena_printf(a,
			    "The name must not hold control or invisible characters: character %zu "
			    "is "
			    "U+%04X.",
			    points + 1, (unsigned)point)
			    .p;
		seen = seen || !is_blank(point);
	}
	if (!seen)
		return "A name is required.";
	if (points > TARGET_NAME_MAX)
		return "The name must have at most 100 characters.";
	return NULL;
}

/* Blanks and dashes of any kind, and what else tells no names apart. */
static bool
is_passed_over(int32_t point)
{
	if (point < 0x80)
		return point == ' ' || point == '-' || point == '_' || point == '(' || point == ')';
	return is_blank(point) || point == 0x2212 ||
	    utf8proc_category(point) == UTF8PROC_CATEGORY_PD;
}

/* The key of a text of ASCII alone; -1 where there are other bytes. */
static long
ascii_key(struct str s, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x80)
			return -1;
		if (is_passed_over(c))
			continue;
		to[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	return (long)n;
}

/* Composes, then takes each code point to lower case. */
static size_t
unicode_key(struct arena *a, struct str s, char **out)
{
	utf8proc_uint8_t *composed = NULL;
	utf8proc_ssize_t length = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n,
	    &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	utf8proc_ssize_t i = 0;
	char *to;
	size_t n = 0;

	if (length == UTF8PROC_ERROR_NOMEM)
		arena_exhausted();
	if (length < 0) { /* not UTF-8: no name can be so; compared byte by byte */
		*out = arena_alloc(a, s.n + 1);
		memcpy(*out, s.p, s.n);
		return s.n;
	}
	to = arena_alloc(a, (size_t)length * 2 + 1); /* lower case may be a byte longer */
	while (i < length) {
		utf8proc_int32_t point;

		i += utf8proc_iterate(composed + i, length - i, &point);
		if (!is_passed_over(point))
			n += (size_t)utf8proc_encode_char(
			    utf8proc_tolower(point), (utf8proc_uint8_t *)to + n);
	}
	free(composed);
	*out = to;
	return n;
}

struct str
target_match_key(struct arena *a, struct str name)
{
	struct str s = str_trim(name);
	char *to = arena_alloc(a, s.n + 1);
	long n = ascii_key(s, to);

	if (n < 0)
		n = (long)unicode_key(a, s, &to);
	if (n == 0)
		return arena_copy(a, s.p == NULL ? "" : s.p, s.n);
	to[n] = '\0';
	return (struct str){ to, (size_t)n };
}
