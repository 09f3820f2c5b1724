/*
 * targets_form: one page to add and to change a target of either type.
 *
 * The fields are the table of tom/target.h; their names are TOM Toolkit's. Besides them:
 *	aliases				one a line; TOM's aliases-N-name and ?names=a,b too
 *	targetextra_set-N-key, -value	further fields, rows of a pair; -DELETE takes one away
 *	NAME				each field of EXTRA_FIELDS by its own name
 *	groups				ids of user groups
 * A field that was not sent is left as it is; one that was sent empty is emptied. What is wrong
 * comes back as it was typed, with status 400.
 */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/form.h"
#include "targets.h"

#define EMPTY_ROWS 3 /* rows for new further fields */

struct form {
	struct request *req;
	struct response *res;
	struct arena *arena;
	struct target_draft draft;
	struct str typed[TARGET_NFIELDS_MAX]; /* absent: not sent */
	struct str aliases; /* a line each */
	struct target_extra *extras;
	size_t nextras, room;
	struct str name; /* of the target as it is */
	unsigned parts; /* what the form sent, of target_change() */
	struct problems problems;
};

/* A field of EXTRA_FIELDS, "name:type". */
struct extra_field {
	struct str name, type;
};

static bool
extra_field_at(const struct form *f, size_t i, struct extra_field *e)
{
	struct str item = config_item(f->req->app->config, "EXTRA_FIELDS", i);
	size_t cut;

	if (!item.p)
		return false;
	cut = str_find(item, ':');
	e->name = arena_copy(f->arena, item.p, cut);
	e->type = cut < item.n ? arena_copy(f->arena, item.p + cut + 1, item.n - cut - 1)
	                       : STR("string");
	return true;
}

static bool
is_configured(const struct form *f, struct str key)
{
	struct extra_field e;

	for (size_t i = 0; extra_field_at(f, i, &e); i++)
		if (str_eq(e.name, key))
			return true;
	return false;
}

static void
add_extra(struct form *f, struct str key, struct str value)
{
	if (f->nextras == f->room) {
		size_t room = f->room * 2 + 16;
		struct target_extra *bigger = arena_array(f->arena, room, sizeof(*bigger));

		if (f->nextras > 0)
			memcpy(bigger, f->extras, f->nextras * sizeof(*bigger));
		f->extras = bigger;
		f->room = room;
	}
	f->extras[f->nextras++] = (struct target_extra){ .key = key, .value = value };
}

static struct str
extra_value(const struct form *f, struct str key)
{
	for (size_t i = 0; i < f->nextras; i++)
		if (str_eq(f->extras[i].key, key))
			return f->extras[i].value;
	return STR_NONE;
}

static void
set_extra(struct form *f, struct str key, struct str value)
{
	for (size_t i = 0; i < f->nextras; i++)
		if (str_eq(f->extras[i].key, key)) {
			f->extras[i].value = value;
			return;
		}
	add_extra(f, key, value);
}

static void
wrong(struct form *f, const char *field, struct str why)
{
	problem_add(&f->problems, f->arena, field, why);
}

/* The fields of the table, from a query string (to fill a form) or a form that was sent. */
static void
read_fields(struct form *f, const struct pairs *pairs)
{
	for (size_t i = 0; i < target_nfields; i++) {
		const struct target_field *field = &target_fields[i];
		size_t sent = pairs_count(pairs, field->name);
		const char *why;

		if (sent == 0 || field->kind == TARGET_TIME)
			continue;
		f->typed[i] = pairs_get(pairs, field->name);
		if (sent > 1) {
			wrong(f, field->name,
			    arena_printf(
			        f->arena, "%s was sent twice: send it once.", field->label));
			continue;
		}
		why = target_set(&f->draft.target, field, f->typed[i], f->arena);
		if (why)
			wrong(f, field->name, str_of(why));
	}
}

/* Text with a name a line, or divided by `divider`, as names. */
static void
split_aliases(struct form *f, char divider)
{
	size_t room = 1, n = 0;
	const char *p = f->aliases.p, *end = p + f->aliases.n;

	for (size_t i = 0; i < f->aliases.n; i++)
		room += p[i] == divider;
	f->draft.aliases = arena_array(f->arena, room, sizeof(*f->draft.aliases));
	while (p <= end) {
		const char *stop = memchr(p, divider, (size_t)(end - p));
		size_t length = (size_t)((stop ? stop : end) - p);
		struct str name = str_trim((struct str){ p, length });

		if (name.n > 0)
			f->draft.aliases[n++] = arena_str(f->arena, name);
		p += length + 1;
	}
	f->draft.naliases = n;
}

/* "aliases-0-name", the way of TOM Toolkit, as lines. */
static bool
is_numbered(struct str name, const char *before, const char *after)
{
	size_t from = strlen(before), to = name.n - strlen(after);

	if (name.n <= from + strlen(after) || !str_starts(name, before) || !str_ends(name, after))
		return false;
	for (size_t i = from; i < to; i++)
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
	return true;
}

static void
read_aliases(struct form *f, const struct pairs *pairs)
{
	struct buf b = { 0 };
	bool sent = pairs_count(pairs, "aliases") > 0;

	if (sent)
		buf_str(&b, pairs_get(pairs, "aliases"));
	for (size_t i = 0; i < pairs->n; i++) {
		if (!is_numbered(pairs->list[i].name, "aliases-", "-name"))
			continue;
		sent = true;
		buf_putc(&b, '\n');
		buf_str(&b, pairs->list[i].value);
	}
	if (sent) {
		f->parts |= SET_ALIASES;
		f->aliases = arena_str(f->arena, buf_text(&b));
		split_aliases(f, '\n');
	}
	buf_free(&b);
}

/* Rows of key and value. With them all further fields are given anew, but for EXTRA_FIELDS. */
static void
read_extra_rows(struct form *f, const struct pairs *pairs)
{
	bool sent = pairs_count(pairs, "targetextra_set-TOTAL_FORMS") > 0;
	struct target_extra *old = f->extras;
	size_t nold = f->nextras;

	for (size_t i = 0; i < pairs->n && !sent; i++)
		sent = is_numbered(pairs->list[i].name, "targetextra_set-", "-key");
	if (!sent)
		return;
	f->parts |= SET_EXTRAS;
	f->extras = NULL;
	f->nextras = f->room = 0;
	for (size_t i = 0; i < nold; i++)
		if (is_configured(f, old[i].key))
			add_extra(f, old[i].key, old[i].value);
	for (size_t i = 0; i < pairs->n; i++) {
		struct str name = pairs->list[i].name, key = str_trim(pairs->list[i].value), value;
		struct str row;

		if (!is_numbered(name, "targetextra_set-", "-key"))
			continue;
		row = (struct str){ name.p, name.n - strlen("-key") };
		value = pairs_get(pairs, arena_printf(f->arena, "%.*s-DELETE", STR_ARG(row)).p);
		if (!str_empty(value))
			continue;
		value = str_trim(
		    pairs_get(pairs, arena_printf(f->arena, "%.*s-value", STR_ARG(row)).p));
		key = arena_str(f->arena, key);
		if (key.n > 0 || value.n > 0)
			add_extra(f, key, value.p ? arena_str(f->arena, value) : STR(""));
	}
}

/* NULL, or what is wrong with a value of that type: a sentence. */
static const char *
check_extra(const struct extra_field *e, struct str value)
{
	double number;
	int64_t time;

	if (value.n == 0)
		return NULL;
	if (str_is(e->type, "number") && !str_to_double(value, &number))
		return "Give a number, such as 0.031.";
	if (str_is(e->type, "datetime") && !clock_from_iso(value, &time))
		return "Give a date, such as 2026-11-24 or 2026-11-24 03:13 (UTC).";
	if (str_is(e->type, "boolean") && !str_is_nocase(value, "true") &&
	    !str_is_nocase(value, "false"))
		return "Choose True or False.";
	return NULL;
}

/* The fields of EXTRA_FIELDS. One whose name is a target's own is passed over. */
static void
read_extra_fields(struct form *f, const struct pairs *pairs)
{
	struct extra_field e;

	for (size_t i = 0; extra_field_at(f, i, &e); i++) {
		struct str value;
		const char *why;

		if (target_field_find(e.name) || pairs_count(pairs, e.name.p) == 0)
			continue;
		value = str_trim(pairs_get(pairs, e.name.p));
		value = arena_str(f->arena, value);
		f->parts |= SET_EXTRAS;
		set_extra(f, e.name, value);
		why = check_extra(&e, value);
		if (why)
			wrong(f, e.name.p, str_of(why));
	}
}

static void
read_form(struct form *f)
{
	const struct pairs *post = &f->req->post;

	read_fields(f, post);
	read_aliases(f, post);
	read_extra_rows(f, post);
	read_extra_fields(f, post);
	if (pairs_count(post, "groups") > 0 || pairs_count(post, "groups_shown") > 0) {
		f->parts |= SET_GROUPS;
		f->draft.ngroups = read_groups(f->req, &f->draft.groups, &f->problems);
	}
}

/* A configured field that is empty says nothing: it is not stored. */
static void
hand_over_extras(struct form *f)
{
	size_t n = 0;

	f->draft.extras = arena_array(f->arena, f->nextras + 1, sizeof(*f->draft.extras));
	for (size_t i = 0; i < f->nextras; i++)
		if (f->extras[i].value.n > 0 || !is_configured(f, f->extras[i].key))
			f->draft.extras[n++] = f->extras[i];
	f->draft.nextras = n;
}

/* The page. */

/* form_show() knows how a field is shown: the value it makes for one, moved into a list. */
static void
add_field(struct form *f, struct value *list, const struct field *field, struct str text)
{
	const struct problem *p = problem_about(&f->problems, field->name);
	struct input in = { .state = p ? WRONG : VALID, .text = text };
	struct value *page = value_object(f->arena);

	if (p)
		in.why = p->why;
	form_show(page, field, &in, 1, f->arena);
	value_add(list, value_child(value_child(page, "form"), field->name));
}

/* "A=Label|B=Label", as struct field has it. */
static const char *
choices_of(struct form *f, const struct target_field *field)
{
	struct str s = STR("");

	for (size_t i = 0; field->codes[i]; i++)
		if (field->codes[i][0] != '\0')
			s = arena_printf(f->arena, "%s%s%s=%s", s.p, s.n > 0 ? "|" : "",
			    field->codes[i], field->labels[i]);
	return s.p;
}

static struct str
field_text(struct form *f, size_t i)
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
needed_by(struct form *f, const struct target_field *t)
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
add_target_field(struct form *f, struct value *list, size_t i)
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

static bool
is_in_section(const struct target_field *t, bool ephemeris)
{
	return t->kind != TARGET_TEXT && t->kind != TARGET_TIME && strcmp(t->name, "type") != 0 &&
	    strcmp(t->name, "permissions") != 0 &&
	    (strncmp(t->name, "ephemeris_", 10) == 0) == ephemeris;
}

static void
add_section(struct form *f, struct value *sections, const char *legend, bool ephemeris)
{
	unsigned type = f->draft.target.type == TARGET_SIDEREAL ? FOR_SIDEREAL : FOR_NON_SIDEREAL;
	struct value *section = value_object(f->arena);
	struct value *list = value_set_list(section, "fields");

	value_set_cstr(section, "legend", legend);
	for (size_t i = 0; i < target_nfields; i++)
		if ((target_fields[i].used & type) && is_in_section(&target_fields[i], ephemeris))
			add_target_field(f, list, i);
	if (value_count(list) > 0)
		value_add(sections, section);
}

static void
add_identity(struct form *f, struct value *page)
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

static void
add_extra_row(struct form *f, struct value *rows, const struct target_extra *e)
{
	size_t i = value_count(rows);
	struct value *v = value_add_object(rows);

	value_set_text(v, "key_id", arena_printf(f->arena, "targetextra_set-%zu-key", i));
	value_set_text(v, "value_id", arena_printf(f->arena, "targetextra_set-%zu-value", i));
	value_set_text(v, "key", e ? e->key : STR(""));
	value_set_text(v, "value", e ? e->value : STR(""));
	value_set_cstr(v, "row_label", e ? "Field" : "New field");
	value_set_cstr(v, "row_help", e ? NULL : "A name, such as redshift, and its value.");
}

static void
add_extras(struct form *f, struct value *page)
{
	struct value *list = value_set_list(page, "extra_fields");
	struct value *rows = value_set_list(page, "extra_rows");
	struct extra_field e;

	for (size_t i = 0; extra_field_at(f, i, &e); i++) {
		bool boolean = str_is(e.type, "boolean");
		struct field field = { .name = e.name.p,
			.type = boolean                ? FIELD_CHOICE
			    : str_is(e.type, "number") ? FIELD_REAL
			                               : FIELD_TEXT,
			.choices = "True|False",
			.help = str_is(e.type, "datetime") ? "A date, with a time or without (UTC)."
			                                   : NULL };
		struct str value = extra_value(f, e.name);

		if (!target_field_find(e.name))
			add_field(f, list, &field, value.p ? value : STR(""));
	}
	for (size_t i = 0; i < f->nextras; i++)
		if (!is_configured(f, f->extras[i].key))
			add_extra_row(f, rows, &f->extras[i]);
	for (size_t i = 0; i < EMPTY_ROWS; i++)
		add_extra_row(f, rows, NULL);
	value_set_int(page, "nrows", (int64_t)value_count(rows));
}

/* What stands at the top: each finding once, a link to its field. */
static void
add_problems(struct form *f, struct value *page)
{
	struct value *list = value_set_list(page, "problems");
	size_t n = 0;

	for (size_t i = 0; i < f->problems.n; i++) {
		const struct problem *p = &f->problems.list[i];
		const struct target_field *t = target_field_find(str_of(p->field));
		struct value *v;

		if (p->field[0] != '\0' && problem_about(&f->problems, p->field) != p)
			continue;
		n++;
		v = value_add_object(list);
		value_set_text(v, "field", str_of(p->field));
		value_set_cstr(v, "label",
		    t                                      ? t->label
		        : strcmp(p->field, "aliases") == 0 ? "Other names"
		        : strcmp(p->field, "extras") == 0  ? "Further fields"
		        : strcmp(p->field, "groups") == 0  ? "Groups"
		                                           : p->field);
		value_set_text(v, "why", p->why);
		value_set_null(v, "other");
		if (p->other > 0) {
			value_set_int(v, "other", p->other);
			value_set_text(v, "other_name", p->other_name);
		}
	}
	value_set_bool(page, "has_problems", n > 0);
	value_set_text(page, "problems_text",
	    n == 1 ? STR("one thing needs your attention")
	           : arena_printf(f->arena, "%zu things need your attention", n));
}

static int
show_form(struct form *f, int status)
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

/* A new target as the site's settings want it. */
static struct form
new_form(struct request *req, struct response *res)
{
	struct form f = { .req = req, .res = res, .arena = req->arena };
	struct target *t = &f.draft.target;

	*t = target_none();
	target_choice_read(target_field_find(STR("type")),
	    str_of(config_text(req->app->config, "TARGET_TYPE")), &t->type);
	target_choice_read(target_field_find(STR("permissions")),
	    str_of(config_text(req->app->config, "TARGET_DEFAULT_PERMISSION")), &t->permissions);
	return f;
}

int
create_form(struct request *req, struct response *res)
{
	struct form f = new_form(req, res);
	struct extra_field e;

	/* A link may fill the form; what is wrong in it is shown when the form is sent. */
	read_fields(&f, &req->get);
	read_aliases(&f, &req->get);
	read_extra_rows(&f, &req->get);
	for (size_t i = 0; extra_field_at(&f, i, &e); i++)
		if (pairs_count(&req->get, e.name.p) > 0)
			set_extra(&f, e.name, pairs_get(&req->get, e.name.p));
	if (!str_empty(pairs_get(&req->get, "names"))) {
		struct buf b = { 0 };

		buf_str(&b, pairs_get(&req->get, "names"));
		for (size_t i = 0; i < b.n; i++)
			if (b.p[i] == ',')
				b.p[i] = '\n';
		f.aliases = arena_str(f.arena, buf_text(&b));
		buf_free(&b);
	}
	f.problems.n = 0;
	return show_form(&f, 200);
}

/* The record, or what is wrong with it: the end of POST. */
static int
conclude(struct form *f, enum db_result r, const char *done)
{
	const struct target *t = &f->draft.target;

	if (r == DB_TAKEN || r == DB_REFUSED)
		return show_form(f, 400);
	if (r != DB_END)
		return auth_db_failed(f->req, f->res, r);
	respond_message(
	    f->req, f->res, "ok", arena_printf(f->arena, "%s %.*s.", done, STR_ARG(t->name)));
	return respond_redirect(
	    f->req, f->res, arena_printf(f->arena, "/targets/%lld/", (long long)t->id));
}

int
create(struct request *req, struct response *res)
{
	struct form f = new_form(req, res);

	read_form(&f);
	hand_over_extras(&f);
	if (f.problems.n > 0) {
		target_check(&f.draft.target, &f.problems, f.arena);
		return show_form(&f, 400);
	}
	return conclude(
	    &f, target_add(req->app->db, f.arena, auth_user(req), &f.draft, &f.problems), "Added");
}

/* The target as it is: what the form shows, and what a form that leaves fields out keeps. */
static int
load(struct form *f)
{
	struct request *req = f->req;
	struct target_whole w;
	struct buf b = { 0 };
	enum db_result r = target_load(
	    req->app->db, f->arena, auth_user(req), req->id[0], WITH_ALL & ~WITH_LISTS, &w);

	if (r == DB_END)
		return respond_error(req, f->res, 404, NULL), -1;
	if (r != DB_ROW)
		return auth_db_failed(req, f->res, r), -1;
	if (!w.may_change)
		return respond_error(req, f->res, 403,
		           "You may see this target, but not change it. Its creator, or the groups "
		           "it was shared with, can."),
		       -1;
	f->draft.target = w.target;
	f->name = w.target.name;
	for (size_t i = 0; i < w.naliases; i++) {
		buf_str(&b, w.aliases[i].name);
		buf_putc(&b, '\n');
	}
	f->aliases = arena_str(f->arena, buf_text(&b));
	buf_free(&b);
	for (size_t i = 0; i < w.nextras; i++)
		add_extra(f, w.extras[i].key, w.extras[i].value);
	f->draft.groups = arena_array(f->arena, w.ngroups + 1, sizeof(int64_t));
	for (size_t i = 0; i < w.ngroups; i++)
		f->draft.groups[f->draft.ngroups++] = w.groups[i].id;
	return 0;
}

int
update_form(struct request *req, struct response *res)
{
	struct form f = { .req = req, .res = res, .arena = req->arena };

	if (load(&f) != 0)
		return 0;
	/* The link "Make it non-sidereal" shows the other fields. */
	target_choice_read(
	    target_field_find(STR("type")), pairs_get(&req->get, "type"), &f.draft.target.type);
	return show_form(&f, 200);
}

int
update(struct request *req, struct response *res)
{
	struct form f = { .req = req, .res = res, .arena = req->arena };
	enum db_result r;

	if (load(&f) != 0)
		return 0;
	read_form(&f);
	hand_over_extras(&f);
	if (f.problems.n > 0) {
		target_check(&f.draft.target, &f.problems, f.arena);
		return show_form(&f, 400);
	}
	r = target_change(req->app->db, f.arena, auth_user(req), &f.draft, f.parts, &f.problems);
	/* Gone, or no longer theirs, since it was read. */
	if (r == DB_REFUSED && f.problems.n == 0)
		return respond_error(req, res, 404, NULL);
	return conclude(&f, r, "Saved");
}
