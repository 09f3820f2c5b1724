/*
 * form.h: a form is a table of fields; a handler sees each as valid, wrong (why) or absent.
 *
 *	static const struct field fields[] = {
 *		{ "name", FIELD_TEXT, .required = true, .max = 100 },
 *		{ "epoch", FIELD_REAL, .min = 1800, .max = 2100 },
 *	};
 *	struct input in[NELEM(fields)];
 *	if (form_read(&request->post, fields, NELEM(fields), in, arena) > 0) ... come back with 400
 */
#ifndef MERIDIAN_FORM_H
#define MERIDIAN_FORM_H

#include "http/request.h"

enum field_type {
	FIELD_TEXT, /* one line, trimmed, no control characters; min, max: code points */
	FIELD_LINES, /* text with line ends, CRLF made LF; min, max: code points */
	FIELD_SECRET, /* as sent, never trimmed nor given back; min, max: code points */
	FIELD_REAL, /* a finite decimal; min, max inclusive where min < max */
	FIELD_INT, /* the same for whole numbers */
	FIELD_CHOICE, /* one of `choices`, "A|B|C" or "A=Label of A|B=Label of B" */
	FIELD_BOOL /* "on", "true", "True", "1": true; absent, "off", "false", "False", "0": false */
};

struct field {
	const char *name;
	enum field_type type;
	bool required;
	double min, max; /* 0, 0: no bounds */
	const char *choices;
	const char *label; /* what people call it, for messages; NULL: the name */
	const char *help; /* a sentence shown beside the field */
	const char *placeholder, *autocomplete; /* attributes of the input, where given */
	const char *inputmode; /* which keys a phone shows; NULL: as the type has it */
};

struct input {
	enum { ABSENT, VALID, WRONG } state; /* an empty text is ABSENT; a required one WRONG */
	struct str text; /* as typed (trimmed but for secrets), for giving back */
	double real; /* FIELD_REAL */
	int64_t integer; /* FIELD_INT, FIELD_BOOL */
	struct str why; /* a sentence, where WRONG */
};

/* Reads the fields; returns how many are wrong. A field that came twice is wrong. */
size_t form_read(
    const struct pairs *, const struct field *, size_t nfields, struct input *, struct arena *);

/* A handler's own finding: a sentence that names the field and says what would be right. */
void form_wrong(struct input *, struct str why);

/* Fills a field with what is there already, for a form that changes it. */
void form_fill(struct input *, struct str text);

/* How many are wrong now, after a handler's own findings. */
size_t form_count_wrong(const struct input *, size_t nfields);

/*
 * For the template: sets page.form.NAME = { name, value, label, help, error, required, options, ... }
 * for each field (null where there is none), what {{#form.NAME}}{{> field}}{{/form.NAME}} shows;
 * and page.errors = [{ name, label, error }], what {{> errors}} shows. `in` may be NULL: an empty
 * form. May be called for several tables, one after the other.
 */
void form_show(struct value *page, const struct field *, const struct input *in, size_t nfields,
    struct arena *);

#endif
