/*
 * target_import: targets from CSV. Rows are read, checked one by one and gathered; some hundred at
 * a time are compared with the names in use and written in bulk. Row by row, each such batch is a
 * transaction; all or nothing, the whole file is one, undone where anything was wrong (and read
 * again from its start where the database asks for that).
 */
#include "tom/target_csv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tom/target_bulk.h"

#define BATCH 500
#define GROUPS_KNOWN 100

/* What a column is. */
enum kind {
	COLUMN_FIELD,
	COLUMN_ALIAS,
	COLUMN_GROUPS,
	COLUMN_EXTRA,
	COLUMN_PASSED,
	COLUMN_NAMELESS
};
struct column {
	enum kind kind;
	const struct target_field *field;
	struct str name; /* as in the header */
};

/* A checked row that waits to be written. */
struct waiting {
	int64_t line;
	struct target_new new;
	struct str conflict; /* why it cannot be, found by the last run; absent: it can */
	const char *conflict_column;
};

struct group {
	struct str name;
	int64_t id; /* 0: none that they may give */
};

struct importing {
	struct db *db;
	const struct user *user;
	const struct csv_options *options;
	struct csv_report *report;
	struct arena *arena; /* the caller's: of the report */
	struct arena *file; /* of the header and groups */
	struct arena *batch; /* of the rows that wait */
	int fd;
	off_t start;
	bool is_again; /* all or nothing, run another time */
	struct column *columns;
	size_t ncolumns;
	bool has_header;
	struct waiting *rows;
	size_t nrows;
	size_t nread; /* rows since the batch began, wrong ones too */
	struct group groups[GROUPS_KNOWN];
	size_t ngroups;
	enum db_result failed;
};

static void
complain(struct importing *im, int64_t line, struct str column, struct str why)
{
	struct csv_report *r = im->report;

	if (r->problems == NULL)
		r->problems = arena_array(im->arena, CSV_PROBLEMS_MAX, sizeof(*r->problems));
	if (r->nproblems < CSV_PROBLEMS_MAX)
		r->problems[r->nproblems++] = (struct csv_problem){ line,
			arena_copy(im->arena, column.p == NULL ? "" : column.p, column.n),
			arena_str(im->arena, why) };
}

static struct str
cell_text(struct str cell)
{
	return str_trim(csv_unguard(str_trim(cell)));
}

/* The field of a header cell: its name in any case. */
static const struct target_field *
field_named(struct str name)
{
	for (size_t i = 0; i < target_nfields; i++)
		if (str_is_nocase(name, target_fields[i].name))
			return &target_fields[i];
	return NULL;
}

static struct column
column_of(struct importing *im, struct str cell)
{
	struct str name = cell_text(cell);
	struct column c = { .kind = COLUMN_EXTRA, .name = arena_copy(im->file, name.p, name.n) };

	c.field = field_named(name);
	if (name.n == 0)
		c.kind = COLUMN_NAMELESS;
	else if (str_is_nocase(name, "id") || str_is_nocase(name, "modified"))
		c.kind = COLUMN_PASSED;
	else if (c.field != NULL)
		c.kind = COLUMN_FIELD;
	else if (str_is_nocase(name, "groups"))
		c.kind = COLUMN_GROUPS;
	else if (name.n > 4 && str_is_nocase((struct str){ name.p, 4 }, "name"))
		c.kind = COLUMN_ALIAS;
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

/* Reads the header; not 0 where it is wrong: nothing of the file is read then. */
static int
read_header(struct importing *im, int64_t line, const struct str *cells, size_t n)
{
	bool named = false, right = true;
	const char *why;

	im->has_header = true;
	im->columns = arena_array(im->file, n, sizeof(*im->columns));
	im->ncolumns = n;
	for (size_t i = 0; i < n; i++) {
		if (!str_is_utf8(cells[i]) || strlen(cells[i].p) != cells[i].n) {
			complain(im, line, STR(""),
			    STR("The file is no UTF-8 text: save it as CSV in UTF-8."));
			return -1;
		}
		im->columns[i] = column_of(im, cells[i]);
		if ((why = column_wrong(im, i)) != NULL) {
			complain(im, line, im->columns[i].name, str_of(why));
			right = false;
		}
		named = named || (im->columns[i].field == &target_fields[0]);
	}
	if (named)
		return right ? 0 : -1;
	if (n == 1 && memchr(cells[0].p, ';', cells[0].n) != NULL)
		complain(im, line, STR(""),
		    STR("The columns are divided by semicolons: save the file with commas."));
	else
		complain(im, line, STR("name"), STR("The header has no column \"name\"."));
	return -1;
}

/* The id of a group that the user may give; 0: there is none such. */
static int64_t
group_named(struct importing *im, struct str name)
{
	const struct user *u = im->user;
	struct group found = { .name = arena_copy(im->file, name.p, name.n) };

	for (size_t i = 0; i < im->ngroups; i++)
		if (str_eq(im->groups[i].name, name))
			return im->groups[i].id;
	struct query *q = db_query(im->db, QUERY_USER_GROUPS_NAMED);
	db_text(q, "names", target_json_texts(im->file, &found.name, 1));
	if (db_step(q) == DB_ROW)
		found.id = db_col_int(q, "id");
	enum db_result r = db_done(q);
	if (r != DB_END)
		im->failed = r;
	if (found.id != 0 && u != NULL && !u->is_superuser) {
		bool member = false;

		for (size_t i = 0; i < u->ngroups; i++)
			member = member || u->groups[i] == found.id;
		found.id = member ? found.id : 0;
	}
	if (im->ngroups < GROUPS_KNOWN)
		im->groups[im->ngroups++] = found;
	return found.id;
}

/* A row on its way from cells to a target. */
struct row {
	struct importing *im;
	int64_t line;
	struct target_draft draft;
	size_t wrong;
	bool is_wrong[TARGET_NFIELDS_MAX]; /* fields whose cell could not be read */
};

static void
row_wrong(struct row *r, struct str column, struct str why)
{
	complain(r->im, r->line, column, why);
	r->wrong++;
}

static void
read_groups(struct row *r, struct str list, struct str column)
{
	struct importing *im = r->im;

	while (list.n > 0) {
		size_t comma = str_find(list, ',');
		struct str name = str_trim((struct str){ list.p, comma });

		comma += comma < list.n;
		list = (struct str){ list.p + comma, list.n - comma };
		if (name.n == 0)
			continue;
		int64_t id = group_named(im, name);
		if (id == 0)
			row_wrong(r, column,
			    arena_printf(
			        im->batch, "There is no group \"%.*s\" of yours.", STR_ARG(name)));
		else
			r->draft.groups[r->draft.ngroups++] = id;
	}
}

static void
read_cell(struct row *r, const struct column *c, struct str cell)
{
	struct arena *a = r->im->batch;
	struct str text = cell_text(cell);
	const char *why;

	if (!str_is_utf8(cell) || memchr(cell.p, '\0', cell.n) != NULL) {
		row_wrong(r, c->name, STR("The cell is no UTF-8 text."));
		return;
	}
	if (text.n == 0)
		return;
	switch (c->kind) {
	case COLUMN_FIELD:
		why = target_set(&r->draft.target, c->field, text, a);
		if (why != NULL) {
			row_wrong(r, c->name, str_of(why));
			r->is_wrong[c->field - target_fields] = true;
		}
		break;
	case COLUMN_ALIAS:
		r->draft.aliases[r->draft.naliases++] = arena_str(a, text);
		break;
	case COLUMN_GROUPS:
		read_groups(r, text, c->name);
		break;
	case COLUMN_EXTRA:
		r->draft.extras[r->draft.nextras++] = (struct target_extra){ .key = c->name,
			.value = arena_str(a, text) };
		break;
	case COLUMN_NAMELESS:
		row_wrong(
		    r, STR(""), STR("A cell stands in a column that has no name in the header."));
		break;
	case COLUMN_PASSED:
		break;
	}
}

/* Groups of the row and of the options, each once. */
static void
join_groups(struct target_draft *d, const struct csv_options *o)
{
	size_t n = 0;

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

/* Checks the draft whole; then it waits to be written. */
static void
let_wait(struct row *r)
{
	struct importing *im = r->im;
	struct target_draft *d = &r->draft;
	struct arena *a = im->batch;
	struct problems ps = { 0 };
	struct waiting *w = &im->rows[im->nrows];
	size_t nkeys;

	d->target.name = str_trim(d->target.name);
	target_check(&d->target, &ps, a);
	struct target_key *keys = target_keys(d, &nkeys, &ps, a);
	target_check_extras(d, &ps, a);
	for (size_t i = 0; i < ps.n; i++) {
		const struct target_field *f = target_field_find(str_of(ps.list[i].field));

		if (f == NULL || !r->is_wrong[f - target_fields])
			row_wrong(r, str_of(ps.list[i].field), ps.list[i].why);
	}
	if (r->wrong > 0)
		return;
	d->target.creator = im->user == NULL ? 0 : im->user->id;
	d->target.modified = clock_now();
	if (d->target.created == 0)
		d->target.created = d->target.modified;
	join_groups(d, im->options);
	*w = (struct waiting){ .line = r->line,
		.new = { .target = d->target,
		    .keys = keys,
		    .nkeys = nkeys,
		    .extras = d->extras,
		    .nextras = d->nextras,
		    .groups = d->groups,
		    .ngroups = d->ngroups,
		    .list = im->options->list } };
	im->nrows++;
}

/* Names that are taken, by key: in the database, or by a row before. */
struct name_slot {
	struct str key;
	int64_t line; /* of the row; 0: in the database */
	struct str other; /* its target's name; absent: not for this user */
};
struct name_table {
	struct name_slot *slots;
	size_t room; /* a power of two */
};

static struct name_slot *
name_slot(const struct name_table *t, struct str key)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < key.n; i++)
		hash = (hash ^ (unsigned char)key.p[i]) * 1099511628211u;
	size_t at = (size_t)hash & (t->room - 1);
	while (t->slots[at].key.p != NULL && !str_eq(t->slots[at].key, key))
		at = (at + 1) & (t->room - 1);
	return &t->slots[at];
}

/* Fills the table with those names of the batch that the database has. */
static enum db_result
read_taken(struct importing *im, struct name_table *t, struct arena *a)
{
	static const struct user superuser = { .is_superuser = true };
	const struct user *u = im->user == NULL ? &superuser : im->user;
	struct str *keys;
	size_t n = 0, total = 0;

	for (size_t i = 0; i < im->nrows; i++)
		total += im->rows[i].new.nkeys;
	for (t->room = 16; t->room < total * 2;)
		t->room *= 2;
	t->slots = arena_array(a, t->room, sizeof(*t->slots));
	keys = arena_array(a, total, sizeof(*keys));
	for (size_t i = 0; i < im->nrows; i++)
		for (size_t k = 0; k < im->rows[i].new.nkeys; k++)
			keys[n++] = im->rows[i].new.keys[k].key;
	struct query *q = db_query(im->db, QUERY_TARGET_NAMES_TAKEN);
	db_text(q, "keys", target_json_texts(a, keys, n));
	db_int(q, "everything", target_sees_all(u));
	db_ints(q, "principals", u->principals, u->nprincipals);
	while (db_step(q) == DB_ROW) {
		struct str key = db_col_copy(q, "match_key", a);
		struct name_slot *slot = name_slot(t, key);

		slot->key = key;
		slot->other = db_col_bool(q, "visible") ? db_col_copy(q, "name", a) : STR_NONE;
	}
	return db_done(q);
}

/* Whether the row's names are free; then they are its. */
static void
take_names(struct waiting *w, const struct name_table *t, struct arena *a)
{
	w->conflict = STR_NONE;
	for (size_t k = 0; k < w->new.nkeys; k++) {
		const struct target_key *name = &w->new.keys[k];
		const struct name_slot *slot = name_slot(t, name->key);

		if (slot->key.p == NULL)
			continue;
		w->conflict_column = k == 0 ? "name" : "aliases";
		if (slot->line != 0)
			w->conflict = arena_printf(a, "The name %.*s stands in line %lld already.",
			    STR_ARG(name->name), (long long)slot->line);
		else if (slot->other.p != NULL)
			w->conflict = arena_printf(a,
			    "A Target matching %.*s already exists. (%.*s)", STR_ARG(name->name),
			    STR_ARG(slot->other));
		else
			w->conflict = arena_printf(
			    a, "The name %.*s is already in use.", STR_ARG(name->name));
		return;
	}
	for (size_t k = 0; k < w->new.nkeys; k++)
		*name_slot(t, w->new.keys[k].key) = (struct name_slot){ .key = w->new.keys[k].key,
			.line = w->line };
}

static enum db_result
write_batch(struct db *db, void *arg)
{
	struct importing *im = arg;
	struct target_new *list = arena_array(im->batch, im->nrows, sizeof(*list));
	struct name_table taken;
	size_t n = 0;
	enum db_result r = read_taken(im, &taken, im->batch);

	if (r != DB_END)
		return r;
	for (size_t i = 0; i < im->nrows; i++) {
		take_names(&im->rows[i], &taken, im->batch);
		if (im->rows[i].conflict.p == NULL)
			list[n++] = im->rows[i].new;
	}
	return target_bulk_add(db, im->batch, list, n);
}

/* Writes what waits, and says which rows could not be. */
static void
flush(struct importing *im)
{
	enum db_result r;

	if (im->failed != DB_END)
		return;
	r = im->nrows == 0                ? DB_END
	    : im->options->all_or_nothing ? write_batch(im->db, im)
	                                  : db_transaction(im->db, DB_WRITE, write_batch, im);
	if (r != DB_END) {
		im->failed = r;
		return;
	}
	for (size_t i = 0; i < im->nrows; i++) {
		const struct waiting *w = &im->rows[i];

		if (w->conflict.p == NULL) {
			im->report->added++;
		} else {
			complain(im, w->line, str_of(w->conflict_column), w->conflict);
			im->report->bad++;
		}
	}
	im->nrows = im->nread = 0;
	arena_reset(im->batch);
}

static bool
is_blank(const struct str *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_empty(str_trim(cells[i])))
			return false;
	return true;
}

static int
read_row(void *arg, int64_t line, const struct str *cells, size_t n)
{
	struct importing *im = arg;
	struct row r = { .im = im, .line = line, .draft = { .target = target_none() } };
	int64_t max = im->options->all_or_nothing ? CSV_ROWS_AT_ONCE : CSV_ROWS_MAX;
	size_t most_groups = im->options->ngroups;

	if (!im->has_header)
		return read_header(im, line, cells, n);
	if (is_blank(cells, n))
		return 0;
	if (im->report->rows == max) {
		complain(im, line, STR(""),
		    arena_printf(
		        im->batch, "The file has more than %lld rows: divide it.", (long long)max));
		im->report->cut = true;
		return -1;
	}
	im->report->rows++;
	for (size_t i = 0; i < n && i < im->ncolumns; i++)
		most_groups += im->columns[i].kind == COLUMN_GROUPS ? cells[i].n / 2 + 1 : 0;
	r.draft.target.type = im->options->type;
	r.draft.target.permissions = im->options->permissions;
	r.draft.aliases = arena_array(im->batch, n, sizeof(*r.draft.aliases));
	r.draft.extras = arena_array(im->batch, n, sizeof(*r.draft.extras));
	r.draft.groups = arena_array(im->batch, most_groups, sizeof(*r.draft.groups));
	for (size_t i = 0; i < n && i < im->ncolumns; i++)
		read_cell(&r, &im->columns[i], cells[i]);
	if (n > im->ncolumns && !is_blank(cells + im->ncolumns, n - im->ncolumns))
		row_wrong(&r, STR(""),
		    arena_printf(
		        im->batch, "The row has %zu cells, the header %zu.", n, im->ncolumns));
	let_wait(&r);
	im->report->bad += r.wrong > 0;
	if (++im->nread == BATCH)
		flush(im);
	return im->failed == DB_END ? 0 : -1;
}

static int
compare_lines(const void *x, const void *y)
{
	const struct csv_problem *l = x, *r = y;

	return (l->line > r->line) - (l->line < r->line);
}

/* Reads the file once, from its start. */
static enum db_result
read_file(struct db *db, void *arg)
{
	struct importing *im = arg;
	struct csv_fault fault;
	struct csv_report *r = im->report;

	(void)db;
	if (im->is_again && (im->start < 0 || lseek(im->fd, im->start, SEEK_SET) < 0))
		return DB_FAILED;
	im->is_again = true;
	*r = (struct csv_report){ .problems = r->problems };
	im->has_header = false;
	im->nrows = im->nread = im->ngroups = 0;
	im->failed = DB_END;
	arena_reset(im->file);
	arena_reset(im->batch);
	im->rows = arena_array(im->file, BATCH, sizeof(*im->rows));
	if (csv_read_fd(im->fd, read_row, im, &fault) == CSV_WRONG) {
		complain(im, fault.line, STR(""), str_of(fault.why));
		r->cut = true;
	}
	flush(im);
	if (im->failed != DB_END)
		return im->failed;
	if (!im->has_header && r->nproblems == 0)
		complain(im, 1, STR(""), STR("The file is empty."));
	if (r->nproblems > 1)
		qsort(r->problems, r->nproblems, sizeof(*r->problems), compare_lines);
	return im->options->all_or_nothing && r->nproblems > 0 ? DB_REFUSED : DB_END;
}

enum db_result
target_import(struct db *db, struct arena *a, const struct user *u, int fd,
    const struct csv_options *options, struct csv_report *report)
{
	struct importing im = {
		.db = db,
		.user = u,
		.options = options,
		.report = report,
		.arena = a,
		.file = arena_new(),
		.batch = arena_new(),
		.fd = fd,
		.start = lseek(fd, 0, SEEK_CUR),
	};
	enum db_result r;

	*report = (struct csv_report){ 0 };
	r = options->all_or_nothing ? db_transaction(db, DB_WRITE, read_file, &im)
	                            : read_file(db, &im);
	if (r == DB_REFUSED && options->all_or_nothing && report->nproblems > 0) {
		report->undone = true;
		report->added = 0;
		r = DB_END;
	}
	arena_free(im.batch);
	arena_free(im.file);
	return r;
}
