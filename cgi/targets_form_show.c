/*
 * targets_form_show: the page of the form: the fields of the type, what was typed in them, and
 * beside each what is wrong with it.
 */
#include <math.h>
#include <string.h>

#include "http/form.h"
#include "targets_form.h"

#define EMPTY_ROWS 3 /* rows for new further fields */
#define ROW_ID "targetextra_set-%zu-key"

static struct str
extra_value(const struct target_form *f, struct str key)
{
	for (size_t i = 0; i < f->nextras; i++)
		if (str_eq(f->extras[i].key, key))
			return f->extras[i].value;
	return STR_NONE;
}

/* form_show() knows how a field is shown: the value it makes for one, moved into a list. */
static void
add_field(struct target_form *f, struct value *list, const struct field *field, struct str text)
{
	struct str why = problem_text(f->arena, &f->problems, field->name);
	struct input in = { .state = why.p ? WRONG : VALID, .text = text, .why = why };
	struct value *page = value_object(f->arena);

	form_show(page, field, &in, 1, f->arena);
	value_add(list, value_child(value_child(page, "form"), field->name));
}

/* "A=Label|B=Label", as struct field has it. */
static const char *
choices_of(struct target_form *f, const struct target_field *field)
{
	struct str s = STR("");

	for (size_t i = 0; field->codes[i]; i++)
		if (field->codes[i][0] != '\0')
			s = arena_printf(f->arena, "%s%s%s=%s", s.p, s.n > 0 ? "|" : "",
			    field->codes[i], field->labels[i]);
	return s.p;
}

static struct str
field_text(struct target_form *f, size_t i)
{
	const struct target_field *field = &target_fields[i];
	const struct target *t = &f->draft.target;
	double x;

	if (f->typed[i].p)
		return f->typed[i];
	if (field->kind == TARGET_TEXT)
		return t->name;
	if (field->kind == TARGET_CHOICE)
		return target_choice(t, field);
	x = target_real(t, field);
	return isfinite(x) ? real_text(f->arena, x) : STR("");
}

/* "Needed by MPC comet.", for what only some schemes ask. */
static const char *
needed_by(struct target_form *f, const struct target_field *t)
{
	static const struct {
		unsigned bit;
		const char *label;
	} schemes[] = {
		{ FOR_MINOR_PLANET, "MPC minor planet" },
		{ FOR_COMET, "MPC comet" },
		{ FOR_MAJOR_PLANET, "JPL major planet" },
	};
	struct str s = STR("");

	for (size_t i = 0; i < NELEM(schemes); i++)
		if (t->needed & schemes[i].bit)
			s = arena_printf(f->arena, "%s%s%s", s.p, s.n > 0 ? " and " : "Needed by ",
			    schemes[i].label);
	if (s.n == 0)
		return t->help[0] == '\0' ? NULL : t->help;
	return arena_printf(f->arena, "%s.%s%s", s.p, t->help[0] == '\0' ? "" : " ", t->help).p;
}

static void
add_target_field(struct target_form *f, struct value *list, size_t i)
{
	const struct target_field *t = &target_fields[i];
	bool sidereal = f->draft.target.type == TARGET_SIDEREAL;
	struct field field = {
		.name = t->name,
		.type = t->kind == TARGET_CHOICE ? FIELD_CHOICE
		    : t->kind == TARGET_REAL     ? FIELD_REAL
		                                 : FIELD_TEXT,
		.required = (t->needed & (sidereal ? FOR_SIDEREAL : FOR_NON_SIDEREAL)) != 0,
		.label = t->unit[0] == '\0'
		    ? t->label
		    : arena_printf(f->arena, "%s (%s)", t->label, t->unit).p,
		.help = needed_by(f, t),
	};

	if (t->kind == TARGET_CHOICE)
		field.choices = choices_of(f, t);
	add_field(f, list, &field, field_text(f, i));
}

/* Is the field of the table one that this form has? */
static bool
is_on_form(const struct target_form *f, const struct target_field *t)
{
	unsigned type = f->draft.target.type == TARGET_SIDEREAL ? FOR_SIDEREAL : FOR_NON_SIDEREAL;

	return (t->used & type) != 0;
}

static bool
is_in_section(const struct target_field *t, bool ephemeris)
{
	return t->kind != TARGET_TEXT && t->kind != TARGET_TIME && strcmp(t->name, "type") != 0 &&
	    strcmp(t->name, "permissions") != 0 &&
	    (strncmp(t->name, "ephemeris_", 10) == 0) == ephemeris;
}

static void
add_section(struct target_form *f, struct value *sections, const char *legend, bool ephemeris)
{
	struct value *section = value_object(f->arena);
	struct value *list = value_set_list(section, "fields");

	value_set_cstr(section, "legend", legend);
	for (size_t i = 0; i < target_nfields; i++)
		if (is_on_form(f, &target_fields[i]) && is_in_section(&target_fields[i], ephemeris))
			add_target_field(f, list, i);
	if (value_count(list) > 0)
		value_add(sections, section);
}

static void
add_identity(struct target_form *f, struct value *page)
{
	static const struct field aliases = { .name = "aliases",
		.type = FIELD_LINES,
		.label = "Other names",
		.help = "One a line. Surveys and search find the target by any of them." };
	struct value *list = value_set_list(page, "identity");
	bool sidereal = f->draft.target.type == TARGET_SIDEREAL;

	add_target_field(f, list, 0); /* name: the first of the table */
	add_field(f, list, &aliases, f->aliases.p ? f->aliases : STR(""));
	value_set_cstr(page, "type", sidereal ? "SIDEREAL" : "NON_SIDEREAL");
	value_set_cstr(page, "type_label", sidereal ? "sidereal" : "non-sidereal");
	value_set_cstr(page, "other_type", sidereal ? "NON_SIDEREAL" : "SIDEREAL");
	value_set_cstr(page, "other_type_label", sidereal ? "non-sidereal" : "sidereal");
	value_set_cstr(page, "type_help",
	    sidereal ? "A sidereal target has a position; a non-sidereal one orbital elements."
	             : "A non-sidereal target has orbital elements; a sidereal one a position.");
}

/* An <input> would lose the ends of its lines. */
static bool
has_lines(struct str value)
{
	return str_find(value, '\n') < value.n;
}

static void
add_extra_row(struct target_form *f, struct value *rows, const struct target_extra *e)
{
	size_t i = value_count(rows);
	struct value *v = value_add_object(rows);
	struct str id = arena_printf(f->arena, ROW_ID, i);

	value_set_text(v, "key_id", id);
	value_set_text(v, "error", problem_text(f->arena, &f->problems, id.p));
	value_set_bool(v, "lines", e && has_lines(e->value));
	value_set_text(v, "value_id", arena_printf(f->arena, "targetextra_set-%zu-value", i));
	value_set_text(v, "key", e ? e->key : STR(""));
	value_set_text(v, "value", e ? e->value : STR(""));
	value_set_cstr(v, "row_label", e ? "Field" : "New field");
	value_set_cstr(v, "row_help", e ? NULL : "A name, such as redshift, and its value.");
}

static void
add_extras(struct target_form *f, struct value *page)
{
	struct value *list = value_set_list(page, "extra_fields");
	struct value *rows = value_set_list(page, "extra_rows");
	struct extra_field e;

	for (size_t i = 0; target_form_extra_at(f, i, &e); i++) {
		bool boolean = str_is(e.type, "boolean");
		struct str value = extra_value(f, e.name);
		struct field field = { .name = e.name.p,
			.type = boolean                ? FIELD_CHOICE
			    : str_is(e.type, "number") ? FIELD_REAL
			    : has_lines(value)         ? FIELD_LINES
			                               : FIELD_TEXT,
			.choices = "True|False",
			.help = str_is(e.type, "datetime") ? "A date, with a time or without (UTC)."
			                                   : NULL };

		if (!target_key_is_own(e.name))
			add_field(f, list, &field, value.p ? value : STR(""));
	}
	for (size_t i = 0; i < f->nextras; i++)
		if (!target_form_is_configured(f, f->extras[i].key))
			add_extra_row(f, rows, &f->extras[i]);
	for (size_t i = 0; i < EMPTY_ROWS; i++)
		add_extra_row(f, rows, NULL);
	value_set_int(page, "nrows", (int64_t)value_count(rows));
}

/* The id of the element that a finding is shown beside; "": of none. */
static const char *
place_of(const struct target_form *f, const struct problem *p)
{
	const struct target_field *t = target_field_find(str_of(p->field));
	size_t row = 0, i;

	if (t)
		return is_on_form(f, t) ? p->field : "";
	if (p->item == 0 || strcmp(p->field, "extras") != 0)
		return p->field;
	i = f->extra_of[p->item - 1];
	if (target_form_is_configured(f, f->extras[i].key))
		return f->extras[i].key.p;
	for (size_t k = 0; k < i; k++)
		row += !target_form_is_configured(f, f->extras[k].key);
	return arena_printf(f->arena, ROW_ID, row).p;
}

/* What stands at the top: each finding, a link to its field; and what stands beside no input. */
static void
add_problems(struct target_form *f, struct value *page)
{
	struct value *list = value_set_list(page, "problems");

	for (size_t i = 0; i < f->problems.n; i++) {
		struct problem *p = &f->problems.list[i];
		struct value *v = value_add_object(list);

		p->field = place_of(f, p);
		value_set_text(v, "field", str_of(p->field));
		value_set_text(v, "why", p->why);
		value_set_null(v, "other");
		if (p->other > 0) {
			value_set_int(v, "other", p->other);
			value_set_text(v, "other_name", p->other_name);
		}
	}
	value_set_bool(page, "has_problems", f->problems.n > 0);
	value_set_text(page, "problems_text",
	    f->problems.n == 1
	        ? STR("one thing needs your attention")
	        : arena_printf(f->arena, "%zu things need your attention", f->problems.n));
	value_set_text(page, "type_error", problem_text(f->arena, &f->problems, "type"));
	value_set_text(page, "extras_error", problem_text(f->arena, &f->problems, "extras"));
	value_set_text(
	    page, "permissions_error", problem_text(f->arena, &f->problems, "permissions"));
	value_set_text(page, "groups_error", problem_text(f->arena, &f->problems, "groups"));
}

int
target_form_show(struct target_form *f, int status)
{
	struct value *page = value_object(f->arena), *sections;
	int64_t id = f->draft.target.id;
	bool sidereal = f->draft.target.type == TARGET_SIDEREAL;

	value_set_cstr(page, "here", id > 0 ? "Edit" : "New");
	if (id > 0) {
		value_set_int(page, "id", id);
		value_set_text(page, "name", f->name);
		value_set_text(page, "title", arena_printf(f->arena, "Edit %s", f->name.p));
		value_set_text(
		    page, "action", arena_printf(f->arena, "/targets/%lld/update/", (long long)id));
		value_set_text(
		    page, "cancel", arena_printf(f->arena, "/targets/%lld/", (long long)id));
	} else {
		value_set_cstr(page, "title", "New target");
		value_set_cstr(page, "action", "/targets/create/");
		value_set_cstr(page, "cancel", "/targets/");
	}
	add_problems(f, page);
	add_identity(f, page);
	sections = value_set_list(page, "sections");
	add_section(f, sections, sidereal ? "Position" : "Orbit", false);
	add_section(f, sections, "Ephemeris", true);
	add_extras(f, page);
	add_sights(page, f->draft.target.permissions);
	if (add_groups(f->req, f->res, page, f->draft.groups, f->draft.ngroups) != 0)
		return 0;
	return respond_page(f->req, f->res, status, "target-form", page);
}
