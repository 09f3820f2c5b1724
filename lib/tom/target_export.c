/*
 * target_export: targets as CSV. The header needs to know which extras there are and how many
 * aliases, so the matching targets are read twice, both times at one moment of the database.
 */
#include "tom/target_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define KEYS_MAX (CSV_COLUMNS_MAX - TARGET_NFIELDS_MAX - TARGET_ALIASES_MAX)
#define PIECE KIB(32) /* written at a time */

struct exporting {
	const struct user *user;
	const struct target_query *query;
	int (*write)(void *arg, const void *, size_t);
	void *arg;
	struct arena *arena; /* of the columns */
	struct arena *row; /* of a row */
	struct str *keys; /* of extras, sorted */
	size_t nkeys, naliases;
	bool dropped, begun;
	struct buf out;
};

/* Where the key stands or belongs. */
static size_t
key_place(const struct exporting *e, struct str key, bool *found)
{
	size_t low = 0, high = e->nkeys;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(e->keys[mid].p, key.p);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
learn_columns(void *arg, const struct target_whole *w)
{
	struct exporting *e = arg;
	bool found;

	if (w->naliases > e->naliases)
		e->naliases = w->naliases;
	for (size_t i = 0; i < w->nextras; i++) {
		size_t at = key_place(e, w->extras[i].key, &found);

		if (found)
			continue;
		if (e->nkeys == KEYS_MAX) {
			e->dropped = true;
			continue;
		}
		memmove(e->keys + at + 1, e->keys + at, (e->nkeys - at) * sizeof(*e->keys));
		e->keys[at] = arena_str(e->arena, w->extras[i].key);
		e->nkeys++;
	}
	return 0;
}

/* Ends a row; gives what is written on when there is enough of it. */
static int
end_row(struct exporting *e, bool last)
{
	if (!last)
		buf_puts(&e->out, "\r\n");
	if (e->out.n == 0 || (!last && e->out.n < PIECE))
		return 0;
	int r = e->write(e->arg, e->out.p, e->out.n);
	buf_clear(&e->out);
	return r;
}

/*
 * The column of an extra. Its key, but for those that an import would take for something else: they
 * were stored when that was allowed.
 */
static struct str
column_name(const struct exporting *e, struct str key)
{
	bool own = target_key_is_own(key), taken = own;

	while (taken) {
		key = arena_printf(e->arena, "field %.*s", STR_ARG(key));
		key_place(e, key, &taken);
	}
	return key;
}

static int
put_header(struct exporting *e)
{
	for (size_t i = 0; i < target_nfields; i++)
		buf_printf(&e->out, "%s%s", i == 0 ? "" : ",", target_fields[i].name);
	for (size_t i = 0; i < e->nkeys; i++) {
		buf_putc(&e->out, ',');
		csv_put(&e->out, column_name(e, e->keys[i]));
	}
	for (size_t i = 0; i < e->naliases; i++)
		buf_printf(&e->out, ",name%zu", i + 2);
	return end_row(e, false);
}

static void
put_field(struct exporting *e, const struct target *t, const struct target_field *f)
{
	switch (f->kind) {
	case TARGET_TEXT:
		csv_put(&e->out, t->name);
		break;
	case TARGET_CHOICE:
		buf_str(&e->out, target_choice(t, f));
		break;
	case TARGET_TIME:
		buf_str(&e->out,
		    clock_iso(e->row,
		        f->offset == offsetof(struct target, created) ? t->created : t->modified));
		break;
	case TARGET_REAL:
	case TARGET_RA:
	case TARGET_DEC:
		if (isfinite(target_real(t, f)))
			buf_double(&e->out, target_real(t, f));
		break;
	}
}

static int
put_target(void *arg, const struct target_whole *w)
{
	struct exporting *e = arg;
	size_t next = 0;

	for (size_t i = 0; i < target_nfields; i++) {
		if (i > 0)
			buf_putc(&e->out, ',');
		put_field(e, &w->target, &target_fields[i]);
	}
	for (size_t i = 0; i < e->nkeys; i++) {
		buf_putc(&e->out, ',');
		/* both are sorted; keys that were dropped are stepped over */
		while (next < w->nextras && strcmp(w->extras[next].key.p, e->keys[i].p) < 0)
			next++;
		if (next < w->nextras && str_eq(w->extras[next].key, e->keys[i]))
			csv_put(&e->out, w->extras[next++].value);
	}
	for (size_t i = 0; i < e->naliases; i++) {
		buf_putc(&e->out, ',');
		if (i < w->naliases)
			csv_put(&e->out, w->aliases[i].name);
	}
	arena_reset(e->row);
	return end_row(e, false);
}

static enum db_result
export_all(struct db *db, void *arg)
{
	struct exporting *e = arg;
	enum db_result r;

	if (e->begun) /* what was written cannot be taken back */
		return DB_FAILED;
	e->nkeys = e->naliases = 0;
	if ((r = target_each(db, e->user, e->query, true, learn_columns, e)) != DB_END)
		return r;
	if (e->dropped)
		log_warn(
		    "an export has more columns than can be written", LOG_INT("kept", KEYS_MAX));
	e->begun = true;
	if (put_header(e) != 0)
		return DB_REFUSED;
	r = target_each(db, e->user, e->query, false, put_target, e);
	return r == DB_END && end_row(e, true) != 0 ? DB_REFUSED : r;
}

enum db_result
target_export(struct db *db, const struct user *u, const struct target_query *query,
    int (*write)(void *arg, const void *, size_t), void *arg)
{
	struct exporting e = {
		.user = u,
		.query = query,
		.write = write,
		.arg = arg,
		.arena = arena_new(),
		.row = arena_new(),
	};
	enum db_result r;

	e.keys = arena_array(e.arena, KEYS_MAX, sizeof(*e.keys));
	r = db_transaction(db, DB_READ, export_all, &e);
	buf_free(&e.out);
	arena_free(e.row);
	arena_free(e.arena);
	return r;
}
