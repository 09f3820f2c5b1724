/*
 * target_import: targets from CSV. Rows are read, checked one by one and gathered; some hundred at
 * a time are compared with the names in use and written in bulk. Row by row, each such batch is a
 * transaction; all or nothing, the whole file is one, undone where anything was wrong (and read
 * again from its start where the database asks for that).
 */
#include "tom/target_import.h"

#include <stdlib.h>
#include <unistd.h>

#include "http/helper.h"

/* Rows that wait: a multiple of what MariaDB is given at once, so that no statement is made for a rest. */
#define BATCH 1024
#define BATCH_BYTES MIB(4) /* of what was read since the last were written */

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
	struct query *q = target_names_taken(im->db, u, target_json_texts(a, keys, n));
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
			target_import_wrong(im, w->line, str_of(w->conflict_column), w->conflict);
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
	int64_t max = im->options->all_or_nothing ? CSV_ROWS_AT_ONCE : CSV_ROWS_MAX;

	if (!im->has_header)
		return target_import_header(im, line, cells, n);
	if (is_blank(cells, n))
		return 0;
	if (im->report->rows >= max) {
		target_import_wrong(im, line, STR(""),
		    arena_printf(
		        im->batch, "The file has more than %lld rows: divide it.", (long long)max));
		im->report->cut = true;
		return -1;
	}
	im->report->rows++;
	if (target_import_cells(im, line, cells, n, &im->rows[im->nrows]))
		im->nrows++;
	else
		im->report->bad++;
	if (++im->nread == BATCH || arena_used(im->batch) > BATCH_BYTES)
		flush(im);
	return im->failed == DB_END ? 0 : -1;
}

static int
note_wrong_row(void *arg, int64_t line, const char *why)
{
	struct importing *im = arg;

	target_import_wrong(im, line, STR(""), str_of(why));
	if (!im->has_header) {
		im->has_header = true;
		return -1;
	}
	im->report->rows++;
	im->report->bad++;
	return 0;
}

static int
compare_lines(const void *x, const void *y)
{
	const struct csv_problem *l = x, *r = y;

	return (l->line > r->line) - (l->line < r->line);
}

/* The rows of the file, read by this process or by one that can do nothing else. */
static enum csv_result
read_rows(struct importing *im, struct csv_fault *fault)
{
	enum csv_result r;
	int rows;

	if (im->options->helper == NULL)
		return csv_read_fd(im->fd, read_row, note_wrong_row, im, fault);
	rows = helper_parse(*im->options->helper, im->fd);
	if (rows < 0) {
		helper_leave();
		im->failed = DB_AWAY;
		return CSV_STOPPED;
	}
	r = csv_receive_rows(rows, read_row, note_wrong_row, im, fault);
	close(rows);
	return r;
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
	if (read_rows(im, &fault) == CSV_WRONG) {
		target_import_wrong(im, fault.line, STR(""), str_of(fault.why));
		r->cut = true;
	}
	flush(im);
	if (im->failed != DB_END)
		return im->failed;
	if (!im->has_header && r->nproblems == 0)
		target_import_wrong(im, 1, STR(""), STR("The file is empty."));
	else if (r->rows == 0 && r->nproblems == 0)
		target_import_wrong(im, 1, STR(""), STR("No row follows the header."));
	if (r->nproblems > 1)
		qsort(r->problems, r->nproblems, sizeof(*r->problems), compare_lines);
	return im->options->all_or_nothing && r->nproblems > 0 ? DB_REFUSED : DB_END;
}

/* Nothing is read where the groups of all rows are not theirs to give. */
static enum db_result
check_groups(struct importing *im)
{
	const struct csv_options *o = im->options;
	struct problems ps = { 0 };
	enum db_result r = target_check_groups(
	    im->db, im->batch, im->user, o->groups, o->ngroups, &ps);

	if (r != DB_END || ps.n == 0)
		return r;
	target_import_wrong(im, 0, STR("groups"), ps.list[0].why);
	im->report->groups_refused = true;
	return DB_REFUSED;
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
	if ((r = check_groups(&im)) != DB_END)
		goto done;
	r = options->all_or_nothing ? db_transaction(db, DB_WRITE, read_file, &im)
	                            : read_file(db, &im);
	/* a refusal of the database's own is no report of bad rows, whatever was bad before it */
	if (r == DB_REFUSED && im.failed == DB_END && report->nproblems > 0) {
		report->undone = true;
		report->added = 0;
		r = DB_END;
	}
done:
	arena_free(im.batch);
	arena_free(im.file);
	return r;
}
