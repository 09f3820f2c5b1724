/*
 * form: reads what was sent by a table of fields, and shows the table again with what was typed
 * and what is wrong with it.
 */
#include "http/form.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *
label_of(const struct field *f)
{
	return f->label != NULL ? f->label : f->name;
}

void
form_wrong(struct input *in, struct str why)
{
	in->state = WRONG;
	in->why = why;
}

void
form_fill(struct input *in, struct str text)
{
	*in = (struct input){ .state = text.n > 0 ? VALID : ABSENT, .text = text };
}

size_t
form_count_wrong(const struct input *in, size_t n)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += in[i].state == WRONG;
	return wrong;
}

/* A control character, other than a line end or tab where those may be. */
static bool
has_control(struct str s, bool lines)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 || c == 0x7f) && !(lines && (c == '\n' || c == '\t')))
			return true;
	}
	return false;
}

/* Line ends of every kind made '\n'. */
static struct str
unify_lines(struct str s, struct arena *a)
{
	char *copy = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		copy[n++] = s.p[i] == '\r' ? '\n' : s.p[i];
	}
	return (struct str){ copy, n };
}

static void
read_text(const struct field *f, struct input *in, struct arena *a)
{
	size_t n;

	if (f->type == FIELD_LINES)
		in->text = unify_lines(in->text, a);
	n = str_code_points(in->text);
	if (f->type != FIELD_SECRET && has_control(in->text, f->type == FIELD_LINES))
		form_wrong(
		    in, arena_printf(a, "%s must not contain control characters.", label_of(f)));
	else if (f->max > 0 && (double)n > f->max)
		form_wrong(in,
		    arena_printf(a, "%s must have at most %.0f characters; this has %zu.",
		        label_of(f), f->max, n));
	else if (f->min > 0 && (double)n < f->min)
		form_wrong(in,
		    arena_printf(a, "%s must have at least %.0f characters; this has %zu.",
		        label_of(f), f->min, n));
}

/* A number's text as C reads it: without a leading '+', a typographic minus made '-'. */
static struct str
number_text_of(struct str s, struct arena *a)
{
	if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-')
		return arena_copy(a, s.p + 1, s.n - 1);
	if (str_starts(s, "\xe2\x88\x92"))
		return arena_printf(a, "-%.*s", (int)(s.n - 3), s.p + 3);
	return s;
}

static bool
is_in_bounds(const struct field *f, double d)
{
	return !(f->min < f->max) || (d >= f->min && d <= f->max);
}

static void
read_number(const struct field *f, struct input *in, struct arena *a)
{
	struct str text = number_text_of(in->text, a);
	bool whole = f->type == FIELD_INT, good;

	if (whole) {
		good = str_to_int64(text, &in->integer);
		in->real = (double)in->integer;
	} else {
		good = str_to_double(text, &in->real);
	}
	if (good && is_in_bounds(f, in->real))
		return;
	if (f->min < f->max)
		form_wrong(in,
		    arena_printf(a, "%s must be a %snumber from %.10g to %.10g.", label_of(f),
		        whole ? "whole " : "", f->min, f->max));
	else
		form_wrong(in,
		    arena_printf(a, "%s must be a %s.", label_of(f),
		        whole ? "whole number, such as 12" : "number, such as -12.5 or 1.5e-3"));
	in->real = NAN;
	in->integer = 0;
}

/* Takes the next "VALUE" or "VALUE=Label" off the front of *rest; false at the end. */
static bool
next_choice(const char **rest, struct str *value, struct str *label)
{
	size_t n = strcspn(*rest, "|"), equals = strcspn(*rest, "=|");

	if (**rest == '\0')
		return false;
	*value = (struct str){ *rest, equals };
	*label = equals < n ? (struct str){ *rest + equals + 1, n - equals - 1 } : *value;
	*rest += n + ((*rest)[n] == '|');
	return true;
}

static void
read_choice(const struct field *f, struct input *in, struct arena *a)
{
	const char *rest = f->choices;
	struct buf list = { NULL, 0, 0 };
	struct str value, label;

	while (next_choice(&rest, &value, &label)) {
		if (str_eq(value, in->text)) {
			buf_free(&list);
			return;
		}
		buf_puts(&list, list.n > 0 ? ", " : "");
		buf_str(&list, label);
	}
	form_wrong(in,
	    arena_printf(
	        a, "%s must be one of these: %.*s.", label_of(f), STR_ARG(buf_text(&list))));
	buf_free(&list);
}

static void
read_bool(const struct field *f, struct input *in, struct arena *a)
{
	static const char *const yes[] = { "on", "true", "True", "1" };
	static const char *const no[] = { "off", "false", "False", "0" };

	for (size_t i = 0; i < NELEM(yes); i++) {
		if (str_is(in->text, no[i]))
			return;
		if (str_is(in->text, yes[i])) {
			in->integer = 1;
			return;
		}
	}
	form_wrong(in, arena_printf(a, "%s must be on or off.", label_of(f)));
}

static void
read_field(const struct pairs *pairs, const struct field *f, struct input *in, struct arena *a)
{
	struct str sent = pairs_get(pairs, f->name);

	*in = (struct input){ .state = ABSENT, .real = NAN };
	if (sent.p != NULL)
		in->text = f->type == FIELD_SECRET ? sent : arena_str(a, str_trim(sent));
	if (pairs_count(pairs, f->name) > 1) {
		form_wrong(
		    in, arena_printf(a, "%s came more than once; give it once.", label_of(f)));
		return;
	}
	if (str_empty(in->text)) {
		if (f->required)
			form_wrong(in, arena_printf(a, "%s is needed.", label_of(f)));
		return;
	}
	in->state = VALID;
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_LINES:
	case FIELD_SECRET:
		read_text(f, in, a);
		break;
	case FIELD_REAL:
	case FIELD_INT:
		read_number(f, in, a);
		break;
	case FIELD_CHOICE:
		read_choice(f, in, a);
		break;
	case FIELD_BOOL:
		read_bool(f, in, a);
		break;
	}
}

size_t
form_read(const struct pairs *pairs, const struct field *fields, size_t n, struct input *in,
    struct arena *a)
{
	for (size_t i = 0; i < n; i++)
		read_field(pairs, &fields[i], &in[i], a);
	return form_count_wrong(in, n);
}

/* -- showing -- */

static void
show_options(struct value *v, const struct field *f, struct str chosen, struct arena *a)
{
	struct value *options = value_set_list(v, "options");
	const char *rest = f->choices;
	struct str value, label;

	while (next_choice(&rest, &value, &label)) {
		struct value *o = value_add_object(options);

		value_set_text(o, "value", arena_str(a, value));
		value_set_text(o, "label", arena_str(a, label));
		value_set_bool(o, "selected", str_eq(value, chosen));
	}
}

/* The ids of what describes the field: its mistake, its help. */
static struct str
described_by(const struct field *f, bool wrong, struct arena *a)
{
	if (wrong && f->help != NULL)
		return arena_printf(a, "%s-e %s-h", f->name, f->name);
	if (wrong || f->help != NULL)
		return arena_printf(a, "%s-%s", f->name, wrong ? "e" : "h");
	return STR_NONE;
}

static void
show_field(struct value *v, const struct field *f, const struct input *in, struct arena *a)
{
	bool number = f->type == FIELD_REAL || f->type == FIELD_INT;

	value_set_cstr(v, "name", f->name);
	value_set_cstr(v, "label", label_of(f));
	value_set_cstr(v, "help", f->help);
	value_set_cstr(v, "placeholder", f->placeholder);
	value_set_cstr(v, "autocomplete", f->autocomplete);
	value_set_cstr(v, "inputmode",
	    f->inputmode != NULL       ? f->inputmode
	        : f->type == FIELD_INT ? "numeric"
	        : number               ? "decimal"
	                               : NULL);
	value_set_bool(v, "required", f->required);
	value_set_text(v, "value", f->type == FIELD_SECRET ? STR_NONE : in->text);
	value_set_text(v, "error", in->state == WRONG ? in->why : STR_NONE);
	value_set_text(v, "described", described_by(f, in->state == WRONG, a));
	value_set_bool(v, "checked", f->type == FIELD_BOOL && in->integer != 0);
	value_set_bool(v, "is_text", f->type == FIELD_TEXT || number);
	value_set_bool(v, "is_lines", f->type == FIELD_LINES);
	value_set_bool(v, "is_secret", f->type == FIELD_SECRET);
	value_set_bool(v, "is_choice", f->type == FIELD_CHOICE);
	value_set_bool(v, "is_bool", f->type == FIELD_BOOL);
	if (f->type == FIELD_CHOICE)
		show_options(v, f, in->text, a);
}

/* A member that is there already, or a new one: a form may be made of several tables. */
static struct value *
member(struct value *page, const char *key, enum value_kind kind)
{
	struct value *v = value_child(page, key);

	if (value_kind(v) == kind)
		return v;
	return kind == VALUE_LIST ? value_set_list(page, key) : value_set_object(page, key);
}

void
form_show(struct value *page, const struct field *fields, const struct input *in, size_t n,
    struct arena *a)
{
	static const struct input nothing = { .state = ABSENT };
	struct value *form = member(page, "form", VALUE_OBJECT);
	struct value *errors = member(page, "errors", VALUE_LIST);

	for (size_t i = 0; i < n; i++) {
		const struct input *it = in != NULL ? &in[i] : &nothing;

		show_field(value_set_object(form, fields[i].name), &fields[i], it, a);
		if (it->state == WRONG) {
			struct value *e = value_add_object(errors);

			value_set_cstr(e, "name", fields[i].name);
			value_set_cstr(e, "label", label_of(&fields[i]));
			value_set_text(e, "error", it->why);
		}
	}
	value_set_bool(page, "has_errors", value_is_true(errors));
}
