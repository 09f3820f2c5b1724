/*
 * mustache_run: the machine that runs what the compiler made. Names are looked for from the
 * innermost section outward; a member that is null hides those of the same name above it.
 */
#include "http/mustache.h"

#include <stdio.h>
#include <string.h>

#include "http/markup.h"

/* What no page needs: a template that repeats itself in itself ends here. */
#define STEPS_MAX 20000000 /* operations */
#define OUTPUT_MAX MIB(64)

struct context {
	const struct value *value;
	const struct context *up;
};

struct machine {
	struct buf *out;
	struct buf indent;
	size_t url; /* where in out the URL begins whose values are being printed */
	unsigned depth, steps;
	char *err;
	size_t errsize;
};

static const struct value *
resolve(const struct op *op, const struct context *in)
{
	const struct value *v = NULL;

	if (op->nkeys == 0)
		return in->value;
	for (; in != NULL && v == NULL; in = in->up)
		v = value_find(in->value, op->keys[0].p, op->keys[0].n, op->keys[0].hash);
	for (size_t i = 1; i < op->nkeys; i++)
		v = value_find(v, op->keys[i].p, op->keys[i].n, op->keys[i].hash);
	return v;
}

#define SHORT 48 /* bytes */
#define ESCAPE_MAX 6 /* bytes that stand for one */

/* What stands for a byte in HTML; 0: itself. */
static const struct str escapes[256] = {
	['\0'] = { "\xef\xbf\xbd", 3 },
	['"'] = { "&quot;", 6 },
	['&'] = { "&amp;", 5 },
	['\''] = { "&#39;", 5 },
	['<'] = { "&lt;", 4 },
	['>'] = { "&gt;", 4 },
};

/* A short text, of a table's cell or a mark: byte by byte into room for the worst. */
static void
escape_short(struct str s, struct buf *out)
{
	char *w = buf_room(out, s.n * ESCAPE_MAX);

	for (size_t i = 0; i < s.n; i++) {
		const struct str *e = &escapes[(unsigned char)s.p[i]];

		if (e->n == 0) {
			*w++ = s.p[i];
		} else {
			memcpy(w, e->p, e->n);
			w += e->n;
		}
	}
	*w = '\0';
	out->n = (size_t)(w - out->p);
}

/* How many of the n bytes from p on need no escape: by the library's vector code, up to a NUL. */
static size_t
plain(const char *p, size_t n)
{
	size_t i = strcspn(p, "&<>\"'");

	return i < n ? i : n;
}

static void
escape(struct str s, struct buf *out)
{
	if (s.n <= SHORT) {
		escape_short(s, out);
		return;
	}
	for (size_t from = 0, n; from < s.n; from += n + 1) {
		n = plain(s.p + from, s.n - from);
		buf_put(out, s.p + from, n);
		if (from + n < s.n)
			buf_str(out, escapes[(unsigned char)s.p[from + n]]);
	}
}

static void
print_value(const struct value *v, struct buf *out)
{
	struct str text = value_text(v);

	if (text.p != NULL)
		escape(text, out);
	else
		value_print(v, out);
}

static int
run(struct machine *, const struct program *, size_t from, size_t to, const struct context *);

static int
run_section(
    struct machine *m, const struct program *p, size_t at, const struct context *in, bool want)
{
	const struct op *op = &p->ops[at];
	const struct value *v = resolve(op, in);
	struct context inner = { v, in };

	if (value_is_true(v) != want)
		return 0;
	if (!want)
		return run(m, p, at + 1, op->end, in);
	if (value_kind(v) != VALUE_LIST)
		return run(m, p, at + 1, op->end, &inner);
	for (size_t i = 0; i < value_count(v); i++) {
		inner.value = value_at(v, i);
		if (run(m, p, at + 1, op->end, &inner) < 0)
			return -1;
	}
	return 0;
}

static int
run_partial(struct machine *m, const struct op *op, const struct context *in)
{
	size_t indent = m->indent.n;
	int r;

	if (op->partial == NULL)
		return 0;
	if (m->depth == MUSTACHE_NESTING) {
		snprintf(m->err, m->errsize, "%s: partials go deeper than %d", op->partial->name,
		    MUSTACHE_NESTING);
		return -1;
	}
	m->depth++;
	if (op->text.n > 0)
		buf_str(&m->indent, op->text);
	r = run(m, op->partial, 0, op->partial->nops, in);
	m->indent.n = indent;
	m->depth--;
	return r;
}

/* What was printed of a URL so far: with a scheme that is none of ours it becomes "#". */
static void
check_url(struct machine *m)
{
	if (m->out->n == m->url ||
	    !markup_bad_scheme((struct str){ m->out->p + m->url, m->out->n - m->url }))
		return;
	m->out->n = m->url;
	buf_putc(m->out, '#');
}

static int
run(struct machine *m, const struct program *p, size_t from, size_t to, const struct context *in)
{
	for (size_t at = from; at < to; at++) {
		const struct op *op = &p->ops[at];

		if (++m->steps > STEPS_MAX || m->out->n > OUTPUT_MAX) {
			snprintf(m->err, m->errsize, "%s: the page grows without end", p->name);
			return -1;
		}
		switch (op->kind) {
		case OP_TEXT:
			buf_str(m->out, op->text);
			break;
		case OP_VALUE:
			print_value(resolve(op, in), m->out);
			break;
		case OP_URL:
			m->url = m->out->n;
			break;
		case OP_URL_VALUE:
			print_value(resolve(op, in), m->out);
			check_url(m);
			break;
		case OP_SECTION:
		case OP_INVERTED:
			if (run_section(m, p, at, in, op->kind == OP_SECTION) < 0)
				return -1;
			at = op->end - 1;
			break;
		case OP_PARTIAL:
			if (run_partial(m, op, in) < 0)
				return -1;
			break;
		case OP_INDENT:
			if (m->indent.n > 0)
				buf_str(m->out, buf_text(&m->indent));
			break;
		}
	}
	return 0;
}

int
mustache_render(
    const struct program *p, const struct value *v, struct buf *out, char *err, size_t errsize)
{
	struct machine m = { .out = out, .err = err, .errsize = errsize };
	struct context root = { v, NULL };
	int r = run(&m, p, 0, p->nops, &root);

	buf_free(&m.indent);
	return r;
}
