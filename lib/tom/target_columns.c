/*
 * target_columns: what the columns of a CSV file mean, and a row of it made into a target.
 */
#include "tom/target_import.h"

#include <string.h>

#include "base/clock.h"
#include "tom/group.h"

#define TEXT_TOLD 400 /* bytes of a text in the report */

/* A copy for the report: not longer than people read. */
static struct str
told(struct arena *a, struct str s)
{
	size_t n = s.n < TEXT_TOLD ? s.n : TEXT_TOLD;

	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n < s.n ? arena_printf(a, "%.*s\xe2\x80\xa6", (int)n, s.p)
	               : arena_copy(a, s.p == NULL ? "" : s.p, n);
}

void
target_import_wrong(struct importing *im, int64_t line, struct str column, struct str why)
{
	struct csv_report *r = im->report;

	if (r->problems == NULL)
		r->problems = arena_array(im->arena, CSV_PROBLEMS_MAX, sizeof(*r->problems));
	if (r->nproblems == CSV_PROBLEMS_MAX)
		r->untold++;
	else
		r->problems[r->nproblems++] = (struct csv_problem){ line, told(im->arena, column),
			told(im->arena, why) };
}

static struct str
cell_text(struct str cell)
{
	return str_trim(csv_unguard(str_trim(cell)));
}

static struct column
column_of(struct importing *im, struct str cell)
{
	struct str name = cell_text(cell);
	struct column c = { .name = arena_copy(im->file, name.p, name.n) };

	c.kind = target_column_kind(name, &c.field);
	return c;
}

/* Do two columns have the same name? */
static bool
is_same_column(const struct column *x, const struct column *y)
{
	if (x->kind == COLUMN_NAMELESS || y->kind == COLUMN_NAMELESS)
		return false;
	if (x->field != NULL || y->field != NULL)
		return x->field == y->field;
	return str_eq(x->name, y->name) || (x->kind == COLUMN_GROUPS && y->kind == COLUMN_GROUPS);
}

static const char *
column_wrong(const struct importing *im, size_t i)
{
	const struct column *c = &im->columns[i];
	struct target_extra e = { .key = c->name, .value = STR("") };

	for (size_t k = 0; k < i; k++)
		if (is_same_column(c, &im->columns[k]))
			return "The header has this column twice.";
	return c->kind == COLUMN_EXTRA ? target_extra_wrong(&e) : NULL;
}

int
target_import_header(struct importing *im, int64_t line, const struct str *cells, size_t n)
{
	bool named = false, right = true;
	const char *why;

	im->has_header = true;
	im->columns = arena_array(im->file, n, sizeof(*im->columns));
	im->ncolumns = n;
	for (size_t i = 0; i < n; i++) {
		if (!str_is_utf8(cells[i]) || strlen(cells[i].p) != cells[i].n) {
			target_import_wrong(im, line, STR(""),
			    STR("The file is no UTF-8 text: save it as CSV in UTF-8."));
			return -1;
		}
		im->columns[i] = column_of(im, cells[i]);
		if ((why = column_wrong(im, i)) != NULL) {
			target_import_wrong(im, line, im->columns[i].name, str_of(why));
			right = false;
		}
		named = named || (im->columns[i].field == &target_fields[0]);
	}
	if (named)
		return right ? 0 : -1;
	if (n == 1 && memchr(cells[0].p, ';', cells[0].n) != NULL)
		target_import_wrong(im, line, STR(""),
		    STR("The columns are divided by semicolons: save the file with commas."));
	else
		target_import_wrong(
		    im, line, STR("name"), STR("The header has no column \"name\"."));
	return -1;
}

/* The id of a group of that name that the user may give; 0: there is none such. */
static int64_t
look_up(struct importing *im, struct str name)
{
	const struct user *u = im->user;
	struct query *q = db_query(im->db, QUERY_USER_GROUPS_NAMED);
	enum db_result r;
	int64_t id = 0;

	db_text(q, "names", target_json_texts(im->batch, &name, 1));
	if (db_step(q) == DB_ROW)
		id = db_col_int(q, "id");
	if ((r = db_done(q)) != DB_END)
		im->failed = r;
	if (u == NULL || u->is_superuser)
		return id;
	for (size_t i = 0; i < u->ngroups; i++)
		if (u->groups[i] == id)
			return id;
	return 0;
}

/* A group that a row names. NULL; else why the row cannot be: a sentence. */
static const char *
group_named(struct importing *im, struct str name, int64_t *id)
{
	struct arena *a = im->batch;
	size_t i = 0;

	while (i < im->ngroups && !str_eq(im->groups[i].name, name))
		i++;
	if (i == GROUPS_KNOWN)
		return "The file names more than 100 groups: divide it.";
	if (i == im->ngroups && str_code_points(name) <= GROUP_NAME_MAX)
		im->groups[im->ngroups++] = (struct known_group){ arena_str(im->file, name),
			look_up(im, name) };
	*id = i < im->ngroups ? im->groups[i].id : 0;
	return *id != 0 ? NULL
	                : arena_printf(a, "There is no group \"%.*s\" of yours.", STR_ARG(name)).p;
}

/* A row on its way from cells to a target. */
struct row {
	struct importing *im;
	int64_t line;
	struct target_draft draft;
	const struct column **extras; /* the columns of draft.extras as they were read */
	struct problems problems; /* about fields, columns, or parts of the draft */
};

static void
cell_wrong(struct row *r, const struct column *c, struct str why)
{
	problem_add(&r->problems, r->im->batch, c->field != NULL ? c->field->name : c->name.p, why);
}

/* The groups of a cell; the first that is wrong ends the reading. */
static void
read_groups(struct row *r, struct str list, const struct column *c)
{
	struct importing *im = r->im;
	const char *why = NULL;

	r->draft.groups = arena_array(
	    im->batch, GROUPS_KNOWN + im->options->ngroups, sizeof(*r->draft.groups));
	while (list.n > 0 && why == NULL) {
		size_t comma = str_find(list, ',');
		struct str name = str_trim((struct str){ list.p, comma });

		comma += comma < list.n;
		list = (struct str){ list.p + comma, list.n - comma };
		if (name.n == 0)
			continue;
		if (r->draft.ngroups == GROUPS_KNOWN)
			why = "A row names at most 100 groups.";
		else
			why = group_named(im, name, &r->draft.groups[r->draft.ngroups++]);
	}
	if (why != NULL)
		cell_wrong(r, c, str_of(why));
}

static void
read_cell(struct row *r, const struct column *c, struct str cell)
{
	struct arena *a = r->im->batch;
	struct str text = cell_text(cell);
	const char *why;

	if (!str_is_utf8(cell) || memchr(cell.p, '\0', cell.n) != NULL) {
		cell_wrong(r, c, STR("The cell is no UTF-8 text."));
		return;
	}
	if (text.n == 0)
		return;
	switch (c->kind) {
	case COLUMN_FIELD:
		why = target_set(&r->draft.target, c->field, text, a);
		if (why == NULL && strcmp(c->field->name, "created") == 0 &&
		    r->draft.target.created > clock_now())
			why = "The date of creation must not lie in the future.";
		if (why != NULL)
			cell_wrong(r, c, str_of(why));
		break;
	case COLUMN_ALIAS:
		r->draft.aliases[r->draft.naliases++] = arena_str(a, text);
		break;
	case COLUMN_GROUPS:
		read_groups(r, text, c);
		break;
	case COLUMN_EXTRA:
		r->extras[r->draft.nextras] = c;
		r->draft.extras[r->draft.nextras++] = (struct target_extra){ .key = c->name,
			.value = arena_str(a, text) };
		break;
	case COLUMN_NAMELESS:
		cell_wrong(r, c, STR("A cell stands in a column that has no name in the header."));
		break;
	case COLUMN_PASSED:
		break;
	}
}

/* Groups of the row and of the options, each once. */
static void
join_groups(struct target_draft *d, const struct csv_options *o, struct arena *a)
{
	size_t n = 0;

	if (d->groups == NULL)
		d->groups = arena_array(a, o->ngroups, sizeof(*d->groups));
	for (size_t i = 0; i < o->ngroups; i++)
		d->groups[d->ngroups++] = o->groups[i];
	for (size_t i = 0; i < d->ngroups; i++) {
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known = known || d->groups[k] == d->groups[i];
		if (!known)
			d->groups[n++] = d->groups[i];
	}
	d->ngroups = n;
}

/* What a finding is about: a column by its name in the header, or a part of the draft. */
static struct str
place_of(const struct row *r, const struct problem *p)
{
	const struct target_field *f = target_field_find(str_of(p->field));

	for (size_t i = 0; f != NULL && i < r->im->ncolumns; i++)
		if (r->im->columns[i].field == f)
			return r->im->columns[i].name;
	return p->item > 0 && strcmp(p->field, "extras") == 0 ? r->extras[p->item - 1]->name
	                                                      : str_of(p->field);
}

/* Checks the draft whole; then it may wait to be written. */
static void
let_wait(struct row *r, struct waiting *w)
{
	struct importing *im = r->im;
	struct target_draft *d = &r->draft;
	struct arena *a = im->batch;
	size_t nkeys;

	d->target.name = str_trim(d->target.name);
	target_check(&d->target, &r->problems, a);
	struct target_key *keys = target_keys(d, &nkeys, &r->problems, a);
	target_check_extras(d, &r->problems, a);
	for (size_t i = 0; i < r->problems.n; i++)
		target_import_wrong(
		    im, r->line, place_of(r, &r->problems.list[i]), r->problems.list[i].why);
	if (r->problems.n > 0)
		return;
	d->target.creator = im->user == NULL ? 0 : im->user->id;
	d->target.modified = clock_now();
	if (d->target.created == 0)
		d->target.created = d->target.modified;
	join_groups(d, im->options, a);
	*w = (struct waiting){ .line = r->line,
		.new = { .target = d->target,
		    .keys = keys,
		    .nkeys = nkeys,
		    .extras = d->extras,
		    .nextras = d->nextras,
		    .groups = d->groups,
		    .ngroups = d->ngroups,
		    .list = im->options->list } };
}

bool
target_import_cells(
    struct importing *im, int64_t line, const struct str *cells, size_t n, struct waiting *w)
{
	struct row r = { .im = im, .line = line, .draft = { .target = target_none() } };

	r.draft.target.type = im->options->type;
	r.draft.target.permissions = im->options->permissions;
	r.draft.aliases = arena_array(im->batch, n, sizeof(*r.draft.aliases));
	r.draft.extras = arena_array(im->batch, n, sizeof(*r.draft.extras));
	r.extras = arena_array(im->batch, n, sizeof(*r.extras));
	for (size_t i = 0; i < n && i < im->ncolumns; i++)
		read_cell(&r, &im->columns[i], cells[i]);
	for (size_t i = im->ncolumns; i < n; i++)
		if (!str_empty(str_trim(cells[i]))) {
			problem_add(&r.problems, im->batch, "",
			    arena_printf(im->batch, "The row has %zu cells, the header %zu.", n,
			        im->ncolumns));
			break;
		}
	let_wait(&r, w);
	return r.problems.n == 0;
}
