/*
 * Fuzz target: a template's text, compiled with and without the context rule and rendered with a
 * small page. What is compiled as HTML must never put a value's '<' or '"' out unescaped.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What escaping takes apart, behind letters that no text of a template has: see made_of_itself(). */
#define LETTERS "zq"
#define QUOTES "<\"'"
#define MARKER LETTERS QUOTES ">&"

/* Might the template's own text, and the '&' of an escaped value after it, read like the marker? */
static bool
made_of_itself(struct str source)
{
	return memmem(source.p, source.n, LETTERS, sizeof(LETTERS) - 1) != NULL ||
	    memmem(source.p, source.n, QUOTES, sizeof(QUOTES) - 1) != NULL;
}

static struct value *
make_page(struct arena *a)
{
	struct value *page = value_object(a), *list, *row;

	value_set_cstr(page, "x", MARKER);
	value_set_cstr(page, "u", "javascript:x");
	value_set_bool(page, "t", true);
	value_set_bool(page, "f", false);
	value_set_int(page, "i", -7);
	value_set_real(page, "r", 0.5);
	list = value_set_list(page, "l");
	for (int i = 0; i < 3; i++) {
		row = value_add_object(list);
		value_set_int(row, "i", i);
		value_set_cstr(row, "n", "a & b");
	}
	value_set_cstr(value_set_object(page, "o"), "p", "q");
	return page;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *page = make_page(a), *partials = value_object(a);
	struct str source = arena_copy(a, (const char *)data, size);
	struct buf out = { NULL, 0, 0 };
	char err[256];

	value_set_cstr(partials, "p", "<b>{{x}}</b>\n{{> q}}");
	value_set_text(partials, "q", source);
	for (int html = 0; html < 2; html++) {
		buf_clear(&out);
		/* sections over lists in one another, and partials in them, grow without bound */
		if (size > 4096)
			continue;
		if (template_render_text(source, html, page, partials, &out, err, sizeof(err)) ==
		        0 &&
		    html && !made_of_itself(source) && out.n > 0 &&
		    memmem(out.p, out.n, MARKER, sizeof(MARKER) - 1) != NULL)
			abort();
	}
	buf_free(&out);
	arena_free(a);
	return 0;
}
