/*
 * mustache.h: a template's text made into operations, and these run. Only http/template.c, which
 * knows where templates come from, uses it.
 */
#ifndef MERIDIAN_MUSTACHE_H
#define MERIDIAN_MUSTACHE_H

#include "http/value.h"

#define MUSTACHE_NESTING 64 /* sections in sections, and partials in partials */

struct key {
	const char *p;
	size_t n;
	uint32_t hash;
};

struct op {
	enum {
		OP_TEXT, /* text as it is */
		OP_VALUE, /* the value, escaped */
		OP_URL, /* here a URL begins */
		OP_URL_VALUE, /* the value, escaped; then the URL so far is checked */
		OP_SECTION, /* what follows, up to `end`, for each or if true */
		OP_INVERTED, /* what follows, up to `end`, if false */
		OP_PARTIAL,
		OP_INDENT /* a line of a partial begins */
	} kind;
	uint32_t end; /* OP_SECTION, OP_INVERTED: the first operation behind it */
	struct str text; /* OP_TEXT; OP_PARTIAL: the indentation it stands at */
	const struct key *keys; /* the names between dots; none of them: "." */
	size_t nkeys;
	struct program *partial; /* OP_PARTIAL; NULL: renders nothing */
};

struct program {
	const char *name;
	struct op *ops;
	size_t nops;
};

/* Finds (and compiles) a partial: NULL with a sentence in err; *none where it shall be empty. */
typedef struct program *
partial_fn(void *arg, struct str name, bool *none, char *err, size_t errsize);

/*
 * Compiles source into p->ops, which live in `a`, as do copies of all texts. -1 with "line: what
 * is wrong", led by `file`, in err.
 */
int mustache_compile(struct program *p, struct arena *a, const char *file, struct str source,
    bool html, partial_fn *, void *arg, char *err, size_t errsize);

/* Renders; -1 where partials go deeper than MUSTACHE_NESTING, or the page does not end. */
int mustache_render(
    const struct program *, const struct value *, struct buf *, char *err, size_t errsize);

#endif
