/*
 * url: percent-encoding, the pairs of query strings and forms, and what is a path on this site.
 */
#include <string.h>

#include "http/serve.h"

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

static void
encode_to(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_unreserved(s.p[i]))
			buf_putc(b, s.p[i]);
		else
			buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
}

struct str
url_encode(struct arena *a, struct str s)
{
	struct buf b = { 0 };
	struct str out;

	encode_to(&b, s);
	out = arena_copy(a, b.p, b.n);
	buf_free(&b);
	return out;
}

struct str
url_path_encode(struct arena *a, struct str s)
{
	struct buf b = { 0 };
	struct str out;

	for (size_t i = 0; i < s.n; i++)
		if (is_unreserved(s.p[i]) || (s.p[i] != '\0' && strchr("/:@!$&'()*+,;=", s.p[i])))
			buf_putc(&b, s.p[i]);
		else
			buf_printf(&b, "%%%02X", (unsigned char)s.p[i]);
	out = arena_copy(a, b.p, b.n);
	buf_free(&b);
	return out;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

struct str
url_decode(struct arena *a, struct str s, bool plus)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int high, low;

			if (s.n - i < 3 || (high = hex_value(s.p[i + 1])) < 0 ||
			    (low = hex_value(s.p[i + 2])) < 0)
				return STR_NONE;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	return (struct str){ out, n };
}

/* Text that may go on: UTF-8 without NUL. */
static bool
is_text(struct str s)
{
	return s.p != NULL && str_is_utf8(s) && str_find(s, '\0') == s.n;
}

void
pairs_add(struct arena *a, struct pairs *to, struct str name, struct str value)
{
	/* the list grows at powers of two, from 8 */
	if (to->n == 0 || (to->n >= 8 && (to->n & (to->n - 1)) == 0)) {
		struct pair *list = arena_array(a, to->n == 0 ? 8 : to->n * 2, sizeof(*list));

		if (to->n > 0)
			memcpy(list, to->list, to->n * sizeof(*list));
		to->list = list;
	}
	to->list[to->n++] = (struct pair){ name, value };
}

struct refusal
pairs_parse(struct arena *a, struct str text, struct pairs *to)
{
	while (text.n > 0) {
		size_t end = str_find(text, '&');
		struct str piece = { text.p, end };
		size_t equals = str_find(piece, '=');
		struct str name = { piece.p, equals };
		struct str value = { piece.p + equals + (equals < end),
			end - equals - (equals < end) };

		text.p += end + (end < text.n);
		text.n -= end + (end < text.n);
		if (piece.n == 0)
			continue;
		if (to->n >= PAIRS_MAX)
			return (struct refusal){ 400, "The request has more than 1000 fields." };
		name = url_decode(a, name, true);
		value = url_decode(a, value, true);
		if (!is_text(name) || !is_text(value))
			return (struct refusal){ 400,
				"A field of the request is not percent-encoded UTF-8 text." };
		pairs_add(a, to, name, value);
	}
	return (struct refusal){ 0, NULL };
}

struct str
pairs_nth(const struct pairs *p, const char *name, size_t index)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].name.n == n && memcmp(p->list[i].name.p, name, n) == 0 &&
		    index-- == 0)
			return p->list[i].value;
	return STR_NONE;
}

struct str
pairs_get(const struct pairs *p, const char *name)
{
	return pairs_nth(p, name, 0);
}

size_t
pairs_count(const struct pairs *p, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < p->n; i++)
		count += str_is(p->list[i].name, name);
	return count;
}

static bool
is_local(struct str s)
{
	if (s.n == 0 || s.p[0] != '/' || (s.n > 1 && s.p[1] == '/'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '\\')
			return false;
	return str_is_utf8(s);
}

bool
url_is_local(struct str s)
{
	struct arena *a;
	bool local;

	if (s.p == NULL || s.n > 4096 || !is_local(s))
		return false;
	if (str_find(s, '%') == s.n)
		return true;
	/* a server or proxy that decodes before it looks must come to the same answer */
	a = arena_new();
	s = url_decode(a, s, false);
	local = s.p != NULL && is_local(s);
	arena_free(a);
	return local;
}
