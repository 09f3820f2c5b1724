/*
 * form_pairs: query strings and urlencoded forms. What was read, written again and read again, is
 * the same; a Cookie header of the same bytes gives clean names and values.
 */
#include <stdlib.h>
#include <string.h>

#include "http/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_again(struct arena *a, const struct pairs *p)
{
	struct pairs again = { NULL, 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		if (i > 0)
			buf_putc(&b, '&');
		buf_str(&b, url_encode(a, p->list[i].name));
		buf_putc(&b, '=');
		buf_str(&b, url_encode(a, p->list[i].value));
	}
	if (pairs_parse(a, buf_text(&b), &again).status != 0 || again.n != p->n)
		abort();
	for (size_t i = 0; i < p->n; i++)
		if (!str_eq(p->list[i].name, again.list[i].name) ||
		    !str_eq(p->list[i].value, again.list[i].value))
			abort();
	buf_free(&b);
}

static void
check_cookies(struct arena *a, struct str text)
{
	struct pairs cookies = { NULL, 0 };

	cookies_parse(a, text, &cookies);
	if (cookies.n > COOKIES_MAX)
		abort();
	for (size_t i = 0; i < cookies.n; i++) {
		struct str name = cookies.list[i].name, value = cookies.list[i].value;

		if (name.n == 0 || strlen(name.p) != name.n || strlen(value.p) != value.n ||
		    memchr(name.p, ';', name.n) != NULL ||
		    (value.n > 0 && memchr(value.p, ';', value.n) != NULL))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = arena_copy(a, (const char *)data, size);
	struct pairs p = { NULL, 0 };

	if (pairs_parse(a, text, &p).status == 0)
		check_again(a, &p);
	check_cookies(a, text);
	arena_free(a);
	return 0;
}
