/*
 * targets_form_read: what a form, or a link, says of a target.
 *
 * The fields are the table of tom/target.h; their names are TOM Toolkit's. Besides them:
 *	aliases				one a line; TOM's aliases-N-name and ?names=a,b too
 *	targetextra_set-N-key, -value	further fields, rows of a pair; -DELETE takes one away
 *	NAME				each field of EXTRA_FIELDS by its own name
 *	groups				ids of user groups
 * A field that was not sent is left as it is; one that was sent empty is emptied.
 */
#include "targets_form.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

bool
target_form_extra_at(const struct target_form *f, size_t i, struct extra_field *e)
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

bool
target_form_is_configured(const struct target_form *f, struct str key)
{
	struct extra_field e;

	for (size_t i = 0; target_form_extra_at(f, i, &e); i++)
		if (str_eq(e.name, key))
			return true;
	return false;
}

void
target_form_add_extra(struct target_form *f, struct str key, struct str value)
{
	f->extras = arena_more(f->arena, f->extras, f->nextras, &f->room, sizeof(*f->extras));
	f->extras[f->nextras++] = (struct target_extra){ .key = key, .value = value };
}

static void
set_extra(struct target_form *f, struct str key, struct str value)
{
	for (size_t i = 0; i < f->nextras; i++)
		if (str_eq(f->extras[i].key, key)) {
			f->extras[i].value = value;
			return;
		}
	target_form_add_extra(f, key, value);
}

static void
wrong(struct target_form *f, const char *field, struct str why)
{
	problem_add(&f->problems, f->arena, field, why);
}

/* The fields of the table, from a query string (to fill a form) or a form that was sent. */
static void
read_fields(struct target_form *f, const struct pairs *pairs)
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
split_aliases(struct target_form *f, char divider)
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
read_aliases(struct target_form *f, const struct pairs *pairs)
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

#define ROWS_MAX (TARGET_EXTRAS_MAX + 100) /* empty ones too */

/* Rows of key and value. With them all further fields are given anew, but for EXTRA_FIELDS. */
static void
read_extra_rows(struct target_form *f, const struct pairs *pairs)
{
	bool sent = pairs_count(pairs, "targetextra_set-TOTAL_FORMS") > 0;
	struct target_extra *old = f->extras;
	size_t nold = f->nextras, rows = 0;

	for (size_t i = 0; i < pairs->n && !sent; i++)
		sent = is_numbered(pairs->list[i].name, "targetextra_set-", "-key");
	if (!sent)
		return;
	f->parts |= SET_EXTRAS;
	f->extras = NULL;
	f->nextras = f->room = 0;
	for (size_t i = 0; i < nold; i++)
		if (target_form_is_configured(f, old[i].key))
			target_form_add_extra(f, old[i].key, old[i].value);
	for (size_t i = 0; i < pairs->n; i++) {
		struct str name = pairs->list[i].name, key = str_trim(pairs->list[i].value), value;
		struct str row;

		if (!is_numbered(name, "targetextra_set-", "-key"))
			continue;
		if (++rows > ROWS_MAX) {
			wrong(f, "extras", STR("A target has at most 500 further fields."));
			return;
		}
		row = (struct str){ name.p, name.n - strlen("-key") };
		value = pairs_get(pairs, arena_printf(f->arena, "%.*s-DELETE", STR_ARG(row)).p);
		if (!str_empty(value))
			continue;
		value = str_trim(
		    pairs_get(pairs, arena_printf(f->arena, "%.*s-value", STR_ARG(row)).p));
		key = arena_str(f->arena, key);
		if (key.n > 0 || value.n > 0)
			target_form_add_extra(
			    f, key, value.p ? arena_str(f->arena, value) : STR(""));
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
read_extra_fields(struct target_form *f, const struct pairs *pairs)
{
	struct extra_field e;

	for (size_t i = 0; target_form_extra_at(f, i, &e); i++) {
		struct str value;
		const char *why;

		if (target_key_is_own(e.name) || pairs_count(pairs, e.name.p) == 0)
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

void
target_form_read(struct target_form *f)
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

void
target_form_hand_over(struct target_form *f)
{
	size_t n = 0;

	f->draft.extras = arena_array(f->arena, f->nextras + 1, sizeof(*f->draft.extras));
	f->extra_of = arena_array(f->arena, f->nextras + 1, sizeof(*f->extra_of));
	for (size_t i = 0; i < f->nextras; i++)
		if (f->extras[i].value.n > 0 || !target_form_is_configured(f, f->extras[i].key)) {
			f->extra_of[n] = i;
			f->draft.extras[n++] = f->extras[i];
		}
	f->draft.nextras = n;
}

/* A link may fill the form; what is wrong in it is shown when the form is sent. */
void
target_form_prefill(struct target_form *f)
{
	const struct pairs *get = &f->req->get;
	struct extra_field e;

	read_fields(f, get);
	read_aliases(f, get);
	read_extra_rows(f, get);
	for (size_t i = 0; target_form_extra_at(f, i, &e); i++)
		if (pairs_count(get, e.name.p) > 0)
			set_extra(f, e.name, pairs_get(get, e.name.p));
	if (!str_empty(pairs_get(get, "names"))) {
		struct buf b = { 0 };

		buf_str(&b, pairs_get(get, "names"));
		for (size_t i = 0; i < b.n; i++)
			if (b.p[i] == ',')
				b.p[i] = '\n';
		f->aliases = arena_str(f->arena, buf_text(&b));
		buf_free(&b);
	}
	f->problems.n = 0;
}
