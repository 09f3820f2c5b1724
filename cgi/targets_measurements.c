/*
 * targets_measurements: the table of measurements on the page of a target.
 *
 * The points are at hand, since the curve is drawn of them, so the table is sorted here. It is walked
 * by keys all the same: a link names the row that its page begins behind, and what was measured since
 * moves nothing. A key is "MJD_NUMBER" and, but for the order of time, "_VALUE" of the column:
 * NUMBER tells points of one moment apart.
 */
#include "targets_photometry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "targets_list.h"

#define TABLE_ROWS 20

enum column { BY_TIME, BY_BAND, BY_VALUE, BY_ERROR, BY_SOURCE };

static const struct {
	const char *sort, *says;
	bool downward; /* at first */
} columns[] = {
	[BY_TIME] = { "time", "time", true },
	[BY_BAND] = { "band", "band", false },
	[BY_VALUE] = { "value", "brightness", false },
	[BY_ERROR] = { "error", "error", false },
	[BY_SOURCE] = { "source", "source", false },
};

static const char *const no_place[] = { "after", NULL };

struct table {
	const struct photometry *p;
	struct arena *arena;
	enum column by;
	bool down;
	uint32_t *order; /* indexes of points; NULL: by time */
	size_t start; /* rows before the page */
};

/* The row at a place of the table. */
static size_t
row_at(const struct table *t, size_t place)
{
	if (t->order != NULL)
		return t->order[place];
	return t->down ? t->p->n - 1 - place : place;
}

static struct str
text_of(const struct table *t, const struct lightcurve_point *p)
{
	return t->by == BY_BAND ? p->band : p->source;
}

static double
number_of(const struct table *t, const struct lightcurve_point *p)
{
	if (t->by == BY_ERROR)
		return p->limit ? NAN : p->error;
	return p->value;
}

static int
compare_texts(struct str a, struct str b)
{
	int order = memcmp(str_bytes(a), str_bytes(b), a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* What is no number stands last, whichever way. */
static int
compare_numbers(double a, double b, bool down)
{
	if (isnan(a) || isnan(b))
		return (isnan(a) - isnan(b)) * (down ? -1 : 1);
	return (a > b) - (a < b);
}

/* By the column, what is equal by time; down turns both around. */
static int
compare_rows(const void *x, const void *y, void *arg)
{
	const struct table *t = arg;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	const struct lightcurve_point *a = &t->p->points[i], *b = &t->p->points[k];
	int order = 0;

	if (t->by == BY_BAND || t->by == BY_SOURCE)
		order = compare_texts(text_of(t, a), text_of(t, b));
	else if (t->by != BY_TIME)
		order = compare_numbers(number_of(t, a), number_of(t, b), t->down);
	if (order == 0)
		order = (i > k) - (i < k);
	return t->down ? -order : order;
}

/* Which of the points of its moment, from 0. */
static size_t
number_in_moment(const struct photometry *p, size_t i)
{
	size_t first = i;

	while (first > 0 && p->points[first - 1].mjd == p->points[i].mjd)
		first--;
	return i - first;
}

static struct str
key_of(const struct table *t, size_t place)
{
	size_t i = row_at(t, place);
	const struct lightcurve_point *p = &t->p->points[i];
	struct buf b = { 0 };
	struct str s;

	buf_double(&b, p->mjd);
	buf_printf(&b, "_%zu", number_in_moment(t->p, i));
	if (t->by == BY_BAND || t->by == BY_SOURCE) {
		buf_putc(&b, '_');
		buf_str(&b, text_of(t, p));
	} else if (t->by != BY_TIME) {
		buf_putc(&b, '_');
		if (isfinite(number_of(t, p)))
			buf_double(&b, number_of(t, p));
	}
	s = arena_str(t->arena, buf_text(&b));
	buf_free(&b);
	return s;
}

/* A key as it was read. */
struct place {
	double mjd;
	int64_t number;
	double value; /* NAN: none */
	struct str text;
};

static bool
read_key(struct str s, struct place *key)
{
	double number;
	struct str mjd = str_cut(&s, '_'), in_moment = str_cut(&s, '_');

	if (!str_to_double(mjd, &key->mjd) || !str_to_double(in_moment, &number) ||
	    !(number >= 0 && number < 1e6))
		return false;
	key->number = (int64_t)number;
	key->text = s;
	if (!str_to_double(s, &key->value))
		key->value = NAN;
	return true;
}

/* How a row stands to a key, in the order of the table: below 0 before it, 0 the row itself. */
static int
compare_key(const struct table *t, size_t i, const struct place *key)
{
	const struct lightcurve_point *p = &t->p->points[i];
	int order = 0;

	if (t->by == BY_BAND || t->by == BY_SOURCE)
		order = compare_texts(text_of(t, p), key->text);
	else if (t->by != BY_TIME)
		order = compare_numbers(number_of(t, p), key->value, t->down);
	if (order == 0)
		order = (p->mjd > key->mjd) - (p->mjd < key->mjd);
	if (order == 0) {
		int64_t number = (int64_t)number_in_moment(t->p, i);

		order = (number > key->number) - (number < key->number);
	}
	return t->down ? -order : order;
}

/* The order that is asked for, and where its page begins. */
static void
sort_table(struct table *t, const struct request *req)
{
	struct str sort = pairs_get(&req->get, "sort"), after = pairs_get(&req->get, "after");
	struct place key;
	size_t low = 0, high = t->p->n;

	t->by = BY_TIME;
	t->down = str_empty(sort) || sort.p[0] == '-';
	if (!str_empty(sort) && sort.p[0] == '-')
		sort = (struct str){ sort.p + 1, sort.n - 1 };
	for (size_t i = 0; i < NELEM(columns); i++)
		if (str_is(sort, columns[i].sort))
			t->by = (enum column)i;
	if (t->by != BY_TIME) {
		t->order = arena_array(t->arena, t->p->n, sizeof(*t->order));
		for (size_t i = 0; i < t->p->n; i++)
			t->order[i] = (uint32_t)i;
		qsort_r(t->order, t->p->n, sizeof(*t->order), compare_rows, t);
	}
	if (str_empty(after) || !read_key(after, &key))
		return;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_key(t, row_at(t, middle), &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	t->start = low;
}

static void
add_head(struct request *req, struct value *list, const struct table *t, const char *label, int by,
    bool is_number)
{
	struct value *v = value_add_object(list);
	bool sorted = by == (int)t->by, down;

	value_set_cstr(v, "label", label);
	if (is_number)
		value_set_bool(v, "number", true);
	if (by < 0) {
		value_set_null(v, "link");
		return;
	}
	down = sorted ? !t->down : columns[by].downward;
	value_set_text(v, "link",
	    targets_link(req, no_place, "sort",
	        arena_printf(t->arena, "%s%s", down ? "-" : "", columns[by].sort)));
	if (sorted)
		value_set_cstr(v, "sorted", t->down ? "descending" : "ascending");
}

static void
add_heads(struct request *req, struct value *page, const struct table *t)
{
	struct value *list = value_set_list(page, "heads");
	bool flux = t->p->flux;

	add_head(req, list, t, "Time (UTC)", BY_TIME, false);
	add_head(req, list, t, "MJD", -1, true);
	if (isfinite(t->p->first) && t->p->days)
		add_head(req, list, t, "Day", -1, true);
	add_head(req, list, t, "Band", BY_BAND, false);
	add_head(req, list, t, flux ? "Flux (nJy)" : "Magnitude (AB)", BY_VALUE, true);
	add_head(req, list, t, flux ? "Error (nJy)" : "Error (mag)", BY_ERROR, true);
	add_head(req, list, t, "Kind", -1, false);
	add_head(req, list, t, "Source", BY_SOURCE, false);
}

static const char *
kind_of(const struct lightcurve_point *p)
{
	if (p->limit)
		return p->forced ? "forced, limit" : "limit";
	if (p->negative)
		return p->forced ? "forced, fainter than the reference"
		                 : "detection, fainter than the reference";
	return p->forced ? "forced" : "detection";
}

/* Of a row of the page, in the order of their keys. */
enum cell { AT_TIME, AT_MJD, AT_BAND, AT_VALUE, AT_ERROR, AT_KIND, AT_SOURCE, AT_DAY, CELLS };
static const char *const cells[CELLS] = { "time", "mjd", "band", "value", "error", "kind", "source",
	"day" };

static void
add_rows(const struct table *t, struct value *list, size_t n)
{
	struct arena *a = t->arena;
	bool flux = t->p->flux, days = t->p->days && isfinite(t->p->first);
	const struct value_form *form = value_form(a, CELLS, cells);

	for (size_t i = 0; i < n; i++) {
		const struct lightcurve_point *p = &t->p->points[row_at(t, t->start + i)];
		const struct str texts[CELLS] = {
			[AT_TIME] = clock_minute(a, clock_from_mjd(p->mjd)),
			[AT_MJD] = number_text(a, p->mjd, 5, false),
			[AT_BAND] = p->band,
			[AT_VALUE] = lightcurve_amount(a, p, flux),
			[AT_ERROR] = lightcurve_error(a, p, flux),
			[AT_KIND] = str_of(kind_of(p)),
			[AT_SOURCE] = p->source,
			[AT_DAY] = days ? number_text(a, p->mjd - t->p->first, 3, false) : STR_NONE,
		};

		value_add_formed(list, form, texts);
	}
}

/* "The latest 20 of 62.", "21 to 40 of 62, by band." */
static struct str
rows_text(const struct table *t, size_t shown)
{
	struct arena *a = t->arena;
	struct str count = number_count(a, (int64_t)t->p->n);
	const char *more = t->p->more ? "more than " : "";
	const char *where = t->p->ranged ? " in this range" : "";

	if (t->p->n <= TABLE_ROWS && !t->p->more)
		return arena_printf(a, "%s in all%s.", count.p, where);
	if (t->start == 0 && t->by == BY_TIME && t->down)
		return arena_printf(a, "The latest %zu of %s%s%s.", shown, more, count.p, where);
	return arena_printf(a, "%s to %s of %s%s%s, by %s%s.",
	    number_count(a, (int64_t)t->start + 1).p,
	    number_count(a, (int64_t)(t->start + shown)).p, more, count.p, where,
	    columns[t->by].says, t->down ? ", downwards" : "");
}

static void
add_pages(struct request *req, struct value *page, const struct table *t, size_t shown)
{
	struct value *v;

	if (t->start == 0 && shown == t->p->n)
		return;
	v = value_set_object(page, "pages");
	value_set_null(v, "first");
	value_set_null(v, "previous");
	value_set_null(v, "next");
	if (t->start > 0) {
		value_set_text(v, "first", targets_link(req, no_place, NULL, STR_NONE));
		value_set_text(v, "previous",
		    t->start <= TABLE_ROWS ? targets_link(req, no_place, NULL, STR_NONE)
		                           : targets_link(req, no_place, "after",
		                                 key_of(t, t->start - TABLE_ROWS - 1)));
	}
	if (t->start + shown < t->p->n)
		value_set_text(v, "next",
		    targets_link(req, no_place, "after", key_of(t, t->start + shown - 1)));
}

void
photometry_add_table(struct request *req, struct value *page, const struct photometry *p)
{
	struct table t = { .p = p, .arena = req->arena };
	struct value *list;
	size_t shown;

	if (p->n == 0)
		return;
	sort_table(&t, req);
	shown = p->n - t.start < TABLE_ROWS ? p->n - t.start : TABLE_ROWS;
	add_heads(req, page, &t);
	list = value_set_list(page, "measurements");
	add_rows(&t, list, shown);
	value_set_text(page, "rows",
	    shown > 0 ? rows_text(&t, shown) : STR("No more: the table ends before this page."));
	add_pages(req, page, &t, shown);
}
