/*
 * template.h: Mustache templates, compiled once.
 *
 * Supported: comments, {{name}} and {{a.b}} (HTML-escaped, always), sections, inverted sections,
 * partials {{> name}}, set delimiters. Unescaped output ({{{x}}}, {{&x}}), lambdas and inheritance
 * are refused. A tag may stand in text and inside double-quoted attribute values only: the compiler
 * refuses tags in unquoted or single-quoted values, in tag and attribute names, in script and style
 * elements, in comments, and in event-handler and style attributes. In attributes that hold a URL
 * (href, src, action, formaction, ...) a value at the start of the attribute that carries a scheme
 * other than http, https or mailto is printed as "#".
 * Sections may stand around attributes (<input{{#checked}} checked{{/checked}}>), and each must end
 * in the place of the markup where it began; partials stand in text, and begin and end there. A
 * partial alone on an indented line is not indented: that would change what textarea and pre hold.
 */
#ifndef MERIDIAN_TEMPLATE_H
#define MERIDIAN_TEMPLATE_H

#include "http/value.h"

struct templates;

/*
 * Where templates are looked for: `overrides` (may be NULL) first, then `dir`. Each is a file
 * NAME.html. The caller frees with templates_free().
 */
struct templates *templates_new(const char *dir, const char *overrides);
void templates_free(struct templates *);

/*
 * Compiles NAME and every partial it names, once. 0, or -1 with "file:line: what is wrong" in err.
 * An override that does not compile is an error too: nothing is passed over in silence.
 */
int templates_compile(struct templates *, const char *name, char *err, size_t errsize);

/* Compiles every template there is: what a worker does at start. As templates_compile. */
int templates_compile_all(struct templates *, char *err, size_t errsize);

/*
 * Renders NAME with the value into out. 0, or -1 where there is no such template (err says so).
 * Partials may recurse as deep as 64; deeper is an error.
 */
int templates_render(struct templates *, const char *name, const struct value *, struct buf *out,
    char *err, size_t errsize);

/* For tests and fuzzing: compile and render one text, with partials by name (an unknown one is
 * empty). html false takes away the context rule and indents partials as the specification says. */
int template_render_text(struct str source, bool html, const struct value *,
    const struct value *partials, struct buf *out, char *err, size_t errsize);

#endif
