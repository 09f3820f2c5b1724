/*
 * cookie: the Cookie header, as browsers write it (RFC 6265 5.4), read without trust.
 */
#include <string.h>

#include "http/serve.h"

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f ||
		    strchr("()<>@,;:\\\"/[]?={}", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

static bool
is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

void
cookies_parse(struct arena *a, struct str header, struct pairs *to)
{
	while (header.n > 0 && to->n < COOKIES_MAX) {
		size_t end = str_find(header, ';');
		struct str piece = str_trim((struct str){ header.p, end });
		size_t equals = str_find(piece, '=');
		struct str name = str_trim((struct str){ piece.p, equals });
		struct str value;

		header.p += end + (end < header.n);
		header.n -= end + (end < header.n);
		if (equals == piece.n)
			continue;
		value = str_trim((struct str){ piece.p + equals + 1, piece.n - equals - 1 });
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
			value.p++;
			value.n -= 2;
		}
		if (is_token(name) && is_value(value))
			pairs_add(a, to, arena_str(a, name), arena_str(a, value));
	}
}

struct str
request_cookie(const struct request *r, const char *name)
{
	struct str full = r->app->insecure_http ? str_of(name)
	                                        : arena_printf(r->arena, "__Host-%s", name);

	/* a second one was planted by somebody: neither is believed */
	return pairs_count(&r->cookies, full.p) == 1 ? pairs_get(&r->cookies, full.p) : STR_NONE;
}
