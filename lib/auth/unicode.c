/*
 * unicode: a few questions to utf8proc.
 */
#include "auth/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static struct str
map(struct arena *a, struct str s, utf8proc_option_t options)
{
	utf8proc_uint8_t *p = NULL;
	utf8proc_ssize_t n;
	struct str out = s;

	if (s.p == NULL)
		return s;
	n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &p, options);
	if (n == UTF8PROC_ERROR_NOMEM)
		arena_exhausted();
	if (n >= 0) {
		out = arena_copy(a, (const char *)p, (size_t)n);
		explicit_bzero(p, (size_t)n);
	}
	free(p);
	return out;
}

struct str
unicode_nfkc(struct arena *a, struct str s)
{
	return map(a, s, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
}

struct str
unicode_fold(struct arena *a, struct str s)
{
	return map(a, s,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
	        UTF8PROC_IGNORE);
}

size_t
unicode_points(struct arena *a, struct str s, int32_t **points)
{
	utf8proc_ssize_t used;
	size_t n = 0;

	*points = arena_array(a, s.n + 1, sizeof(**points));
	for (size_t i = 0; i < s.n; i += (size_t)used, n++) {
		used = utf8proc_iterate(
		    (const utf8proc_uint8_t *)s.p + i, (utf8proc_ssize_t)(s.n - i), &(*points)[n]);
		if (used <= 0)
			break;
	}
	return n;
}

bool
unicode_is_word(int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	return c == '_' || (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
	    (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}
