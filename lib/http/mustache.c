/*
 * mustache: the compiler. It reads a template once, from the front: text up to the next tag, then
 * the tag. Text goes through the markup automaton (http/markup.h), which says whether a value may
 * stand behind it. A tag of a section, partial, comment or delimiter that has a line for itself
 * takes the line with it, as the Mustache specification says.
 *
 * One thing differs in HTML: a partial alone on an indented line is not indented, for that would
 * change what textarea and pre hold.
 */
#include "http/mustache.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/markup.h"

struct open_section {
	struct str name;
	uint32_t op;
	unsigned line;
	struct markup markup;
};

struct compiler {
	struct arena *arena;
	const char *file;
	struct str source;
	size_t at;
	unsigned line; /* of `at` */
	struct str open, close; /* the delimiters */
	struct op *ops;
	size_t nops, room;
	struct buf text; /* static text not yet made into an operation */
	size_t url_at; /* where in it a URL begins; SIZE_MAX: nowhere */
	bool html, line_start;
	struct markup markup;
	struct open_section sections[MUSTACHE_NESTING];
	size_t nsections;
	partial_fn *partial;
	void *partial_arg;
	char *err;
	size_t errsize;
};

struct tag {
	char kind; /* one of # ^ / > ! = and 'v' for a value */
	struct str name; /* trimmed */
	size_t from, to; /* of the whole tag in the source */
	struct str indent; /* blanks before it, where it stands alone on its line */
	bool alone;
};

static int PRINTF_LIKE(3, 4) fail(struct compiler *c, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(c->err, c->errsize, "%s:%u: ", c->file, line);

	if (n < 0 || (size_t)n >= c->errsize)
		return -1;
	va_start(ap, fmt);
	vsnprintf(c->err + n, c->errsize - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static unsigned
count_lines(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* -- operations -- */

static struct op *
op_add(struct compiler *c, struct op op)
{
	if (c->nops == c->room) {
		size_t room = c->room == 0 ? 32 : c->room * 2;
		struct op *ops = arena_array(c->arena, room, sizeof(*ops));

		if (c->nops > 0)
			memcpy(ops, c->ops, c->nops * sizeof(*ops));
		c->ops = ops;
		c->room = room;
	}
	c->ops[c->nops] = op;
	return &c->ops[c->nops++];
}

static void
text_op(struct compiler *c, size_t from, size_t to)
{
	if (to > from)
		op_add(c,
		    (struct op){ .kind = OP_TEXT,
		        .text = arena_copy(c->arena, c->text.p + from, to - from) });
}

/* Makes the static text so far into operations. */
static void
flush(struct compiler *c)
{
	size_t cut = 0;

	if (c->url_at != SIZE_MAX) {
		cut = c->url_at;
		text_op(c, 0, cut);
		op_add(c, (struct op){ .kind = OP_URL });
		c->url_at = SIZE_MAX;
	}
	text_op(c, cut, c->text.n);
	buf_clear(&c->text);
}

/* Something other than text is put out here: a line of a partial may begin with it. */
static void
begin_line(struct compiler *c)
{
	if (!c->line_start || c->html)
		return;
	c->line_start = false;
	flush(c);
	op_add(c, (struct op){ .kind = OP_INDENT });
}

/* Static text that begins in that line. */
static int
add_text(struct compiler *c, struct str s, unsigned line)
{
	size_t before = c->text.n, at = 0;
	const char *wrong;

	if (c->html) {
		wrong = markup_text(&c->markup, s, &at);
		if (wrong != NULL)
			return fail(c, line + count_lines((struct str){ s.p, at }), "%s", wrong);
		buf_str(&c->text, s);
		if (c->markup.opened_at != SIZE_MAX)
			c->url_at = before + c->markup.opened_at;
		if (c->markup.state != QUOTED)
			c->url_at = SIZE_MAX;
		return 0;
	}
	while (s.n > 0) {
		size_t n = str_find(s, '\n');

		n = n < s.n ? n + 1 : s.n;
		begin_line(c);
		buf_put(&c->text, s.p, n);
		c->line_start = s.p[n - 1] == '\n';
		s = (struct str){ s.p + n, s.n - n };
	}
	return 0;
}

/* -- reading tags -- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t
find_text(struct str s, size_t from, struct str what)
{
	const char *p;

	if (from > s.n)
		return SIZE_MAX;
	p = memmem(s.p + from, s.n - from, what.p, what.n);
	return p == NULL ? SIZE_MAX : (size_t)(p - s.p);
}

/* Does the tag have its line for itself? Then it takes the blanks around and the line's end. */
static void
look_around(struct compiler *c, struct tag *t)
{
	struct str s = c->source;
	size_t from = t->from, to = t->to;

	while (from > 0 && is_blank(s.p[from - 1]))
		from--;
	if (from > 0 && s.p[from - 1] != '\n')
		return;
	while (to < s.n && is_blank(s.p[to]))
		to++;
	if (to < s.n && s.p[to] == '\r' && to + 1 < s.n && s.p[to + 1] == '\n')
		to++;
	if (to < s.n && s.p[to] != '\n')
		return;
	t->alone = true;
	t->indent = (struct str){ s.p + from, t->from - from };
	t->from = from;
	t->to = to < s.n ? to + 1 : to;
}

/* The tag at `from`. */
static int
read_tag(struct compiler *c, size_t from, struct tag *t)
{
	size_t at = from + c->open.n, end;
	char kind = at < c->source.n ? c->source.p[at] : '\0';

	*t = (struct tag){ .kind = 'v', .from = from };
	if (kind == '{' && str_is(c->open, "{{"))
		return fail(c, c->line, "unescaped output is not supported: write {{name}}");
	if (kind != '\0' && strchr("#^/>!=", kind) != NULL) {
		t->kind = kind;
		at++;
	} else if (kind != '\0' && strchr("&$<", kind) != NULL) {
		return fail(c, c->line,
		    kind == '&' ? "unescaped output is not supported: write {{name}}"
		                : "inheritance (\"%c\") is not supported",
		    kind);
	}
	if (t->kind == '=') {
		end = find_text(c->source, at, STR("="));
		if (end != SIZE_MAX && find_text(c->source, end + 1, c->close) != end + 1)
			end = SIZE_MAX;
		else if (end != SIZE_MAX)
			t->to = end + 1 + c->close.n;
	} else {
		end = find_text(c->source, at, c->close);
		if (end != SIZE_MAX)
			t->to = end + c->close.n;
	}
	if (end == SIZE_MAX)
		return fail(c, c->line, "this tag has no end");
	t->name = str_trim((struct str){ c->source.p + at, end - at });
	if (t->kind != 'v')
		look_around(c, t);
	return 0;
}

static int
set_delimiters(struct compiler *c, struct str pair)
{
	size_t n = 0, gap;

	while (n < pair.n && !is_blank(pair.p[n]) && pair.p[n] != '\n' && pair.p[n] != '\r')
		n++;
	gap = n;
	while (
	    gap < pair.n && (is_blank(pair.p[gap]) || pair.p[gap] == '\n' || pair.p[gap] == '\r'))
		gap++;
	if (n == 0 || gap == n || gap == pair.n)
		return fail(
		    c, c->line, "two delimiters divided by a blank are wanted: {{=<%% %%>=}}");
	for (size_t i = gap; i < pair.n; i++)
		if (is_blank(pair.p[i]) || pair.p[i] == '\n' || pair.p[i] == '\r')
			return fail(c, c->line, "more than two delimiters");
	c->open = (struct str){ pair.p, n };
	c->close = (struct str){ pair.p + gap, pair.n - gap };
	return 0;
}

/* "a.b.c" into keys; "." into none. */
static int
read_name(struct compiler *c, struct str name, struct op *op)
{
	struct key *keys;
	size_t n = 1, from = 0;

	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') ||
		        (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		        (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '_' ||
		        name.p[i] == '-' || name.p[i] == '.'))
			return fail(c, c->line,
			    "\"%.*s\" is no name: letters, digits, '_', '-' and dots between names "
			    "are",
			    STR_ARG(name));
	if (str_is(name, "."))
		return 0;
	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '.';
	keys = arena_array(c->arena, n, sizeof(*keys));
	n = 0;
	for (size_t i = 0; i <= name.n; i++) {
		struct str key;

		if (i < name.n && name.p[i] != '.')
			continue;
		if (i == from)
			return fail(c, c->line, "a name is missing in \"%.*s\"", STR_ARG(name));
		key = arena_copy(c->arena, name.p + from, i - from);
		keys[n++] = (struct key){ key.p, key.n, value_hash(key.p, key.n) };
		from = i + 1;
	}
	op->keys = keys;
	op->nkeys = n;
	return 0;
}

/* -- tags into operations -- */

static int
add_value(struct compiler *c, const struct tag *t)
{
	struct op op = { .kind = OP_VALUE };
	const char *wrong;
	bool url;

	if (read_name(c, t->name, &op) < 0)
		return -1;
	if (c->html) {
		wrong = markup_value(&c->markup, &url);
		if (wrong != NULL)
			return fail(c, c->line, "{{%.*s}}: %s", STR_ARG(t->name), wrong);
		if (url)
			op.kind = OP_URL_VALUE;
	}
	begin_line(c);
	flush(c);
	op_add(c, op);
	return 0;
}

static int
open_section(struct compiler *c, const struct tag *t)
{
	struct op op = { .kind = t->kind == '#' ? OP_SECTION : OP_INVERTED };
	struct open_section *s;
	const char *wrong;

	if (c->nsections == NELEM(c->sections))
		return fail(c, c->line, "more than %d sections in one another", MUSTACHE_NESTING);
	if (read_name(c, t->name, &op) < 0)
		return -1;
	wrong = c->html ? markup_section(&c->markup) : NULL;
	if (wrong != NULL)
		return fail(c, c->line, "{{%c%.*s}}: %s", t->kind, STR_ARG(t->name), wrong);
	if (!t->alone)
		begin_line(c);
	flush(c);
	s = &c->sections[c->nsections++];
	*s = (struct open_section){ t->name, (uint32_t)c->nops, c->line, c->markup };
	op_add(c, op);
	return 0;
}

static int
close_section(struct compiler *c, const struct tag *t)
{
	struct open_section *s;
	const char *wrong = NULL;

	if (c->nsections == 0)
		return fail(
		    c, c->line, "{{/%.*s}} ends a section that was not begun", STR_ARG(t->name));
	s = &c->sections[--c->nsections];
	if (!str_eq(s->name, t->name))
		return fail(c, c->line, "{{/%.*s}} where {{/%.*s}} (begun in line %u) should end",
		    STR_ARG(t->name), STR_ARG(s->name), s->line);
	if (c->html) {
		wrong = markup_section(&c->markup);
		if (wrong == NULL)
			wrong = markup_join(&c->markup, &s->markup);
	}
	if (wrong != NULL)
		return fail(c, c->line, "{{/%.*s}}: %s", STR_ARG(t->name), wrong);
	if (!t->alone)
		begin_line(c);
	flush(c);
	c->ops[s->op].end = (uint32_t)c->nops;
	return 0;
}

static int
add_partial(struct compiler *c, const struct tag *t)
{
	struct op op = { .kind = OP_PARTIAL };
	const char *wrong = c->html ? markup_partial(&c->markup) : NULL;
	char why[512] = "";
	bool none = false;

	if (wrong != NULL)
		return fail(c, c->line, "{{>%.*s}}: %s", STR_ARG(t->name), wrong);
	if (t->name.n == 0)
		return fail(c, c->line, "a partial without a name");
	op.partial = c->partial(c->partial_arg, t->name, &none, why, sizeof(why));
	if (op.partial == NULL && !none) {
		/* a mistake inside of the partial names its own file and line */
		if (why[0] != '\0')
			snprintf(c->err, c->errsize, "%s", why);
		else
			fail(c, c->line, "there is no partial \"%.*s\"", STR_ARG(t->name));
		return -1;
	}
	if (t->alone && !c->html)
		op.text = arena_str(c->arena, t->indent);
	else
		begin_line(c);
	flush(c);
	op_add(c, op);
	return 0;
}

static int
add_tag(struct compiler *c, const struct tag *t)
{
	switch (t->kind) {
	case 'v':
		return add_value(c, t);
	case '#':
	case '^':
		return open_section(c, t);
	case '/':
		return close_section(c, t);
	case '>':
		return add_partial(c, t);
	case '=':
		return set_delimiters(c, t->name);
	default:
		return 0;
	}
}

/* All of the source, tag by tag. */
static int
compile(struct compiler *c)
{
	while (c->at < c->source.n) {
		size_t from = find_text(c->source, c->at, c->open);
		size_t end = from == SIZE_MAX ? c->source.n : from;
		struct str before = { c->source.p + c->at, end - c->at };
		unsigned line = c->line;
		struct tag t;

		c->line += count_lines(before);
		if (from == SIZE_MAX) {
			c->at = end;
			return add_text(c, before, line);
		}
		if (read_tag(c, from, &t) < 0)
			return -1;
		before.n = t.from - c->at;
		if (add_text(c, before, line) < 0 || add_tag(c, &t) < 0)
			return -1;
		c->line += count_lines((struct str){ c->source.p + t.from, t.to - t.from });
		c->at = t.to;
		if (t.alone)
			c->line_start = true;
	}
	return 0;
}

int
mustache_compile(struct program *p, struct arena *a, const char *file, struct str source, bool html,
    partial_fn *partial, void *arg, char *err, size_t errsize)
{
	struct compiler *c = calloc(1, sizeof(*c));
	const char *wrong;
	int r;

	if (c == NULL)
		arena_exhausted();
	c->arena = a;
	c->file = file;
	c->source = source;
	c->line = 1;
	c->open = STR("{{");
	c->close = STR("}}");
	c->url_at = SIZE_MAX;
	c->html = html;
	c->line_start = true;
	c->partial = partial;
	c->partial_arg = arg;
	c->err = err;
	c->errsize = errsize;
	markup_init(&c->markup);

	r = compile(c);
	if (r == 0 && c->nsections > 0)
		r = fail(c, c->sections[c->nsections - 1].line, "{{#%.*s}} has no end",
		    STR_ARG(c->sections[c->nsections - 1].name));
	wrong = r == 0 && html ? markup_end(&c->markup) : NULL;
	if (wrong != NULL)
		r = fail(c, c->line, "%s", wrong);
	if (r == 0) {
		flush(c);
		p->ops = c->ops;
		p->nops = c->nops;
	}
	buf_free(&c->text);
	free(c);
	return r;
}
