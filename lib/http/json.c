/*
 * json: a tree of values as strict JSON. What might end a script element or a line of JavaScript is
 * escaped, so the text may stand anywhere.
 */
#include <string.h>

#include "http/value.h"

/* The length of the UTF-8 sequence at p, or 0 where it is none. */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	return str_is_utf8((struct str){ (const char *)p, len }) ? len : 0;
}

static bool
json_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* One character that is not json_plain; returns how many bytes it took. */
static size_t
json_character(const unsigned char *p, size_t n, struct buf *out)
{
	static const char shorthand[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	size_t len;

	if (p[0] < 0x80) {
		for (size_t i = 0; i + 1 < sizeof(shorthand); i += 2)
			if (p[0] == (unsigned char)shorthand[i]) {
				buf_putc(out, '\\');
				buf_putc(out, shorthand[i + 1]);
				return 1;
			}
		buf_printf(out, "\\u%04x", p[0]);
		return 1;
	}
	len = utf8_length(p, n);
	if (len == 0) {
		buf_puts(out, "\\ufffd");
		return 1;
	}
	if (len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		buf_printf(out, "\\u20%02x", p[2] - 0x80);
	else
		buf_put(out, p, len);
	return len;
}

static void
json_text(struct str s, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	buf_putc(out, '"');
	while (i < s.n) {
		size_t from = i;

		while (i < s.n && json_plain(p[i]))
			i++;
		buf_put(out, p + from, i - from);
		if (i < s.n)
			i += json_character(p + i, s.n - i, out);
	}
	buf_putc(out, '"');
}

/* A real stays one for readers that tell 5 from 5.0. */
static void
json_real(double d, struct buf *out)
{
	size_t from = out->n;

	buf_double(out, d);
	if (memchr(out->p + from, '.', out->n - from) == NULL &&
	    memchr(out->p + from, 'e', out->n - from) == NULL)
		buf_puts(out, ".0");
}

void
value_json(const struct value *v, struct buf *out)
{
	struct str key;

	switch (value_kind(v)) {
	case VALUE_NULL:
		buf_puts(out, "null");
		break;
	case VALUE_REAL:
		json_real(value_real(v), out);
		break;
	case VALUE_BOOL:
	case VALUE_INT:
		value_print(v, out);
		break;
	case VALUE_TEXT:
		json_text(value_text(v), out);
		break;
	case VALUE_LIST:
		buf_putc(out, '[');
		for (size_t i = 0; i < value_count(v); i++) {
			if (i > 0)
				buf_putc(out, ',');
			value_json(value_at(v, i), out);
		}
		buf_putc(out, ']');
		break;
	case VALUE_OBJECT:
		buf_putc(out, '{');
		for (size_t i = 0; i < value_count(v); i++) {
			const struct value *m = value_member(v, i, &key);

			if (i > 0)
				buf_putc(out, ',');
			json_text(key, out);
			buf_putc(out, ':');
			value_json(m, out);
		}
		buf_putc(out, '}');
		break;
	}
}
