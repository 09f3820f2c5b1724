/*
 * csv: libcsv does the parsing, fed line by line, so that a row is known by the line of the file it
 * begins on. An end of line is LF, CRLF or CR.
 */
#include "tom/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <csv.h>

#define CHUNK KIB(64)

struct reader {
	struct csv_parser parser;
	csv_row *row;
	csv_wrong_row *wrong;
	void *arg;
	int64_t line; /* being read */
	int64_t begun; /* where the row began */
	bool after_cr;
	bool skipping; /* the rest of a line whose row is wrong */
	struct buf text; /* the cells of the row, each with its NUL */
	size_t starts[CSV_COLUMNS_MAX + 1];
	size_t n;
	bool stopped, too_wide, too_long;
};

/* NULL says that the cell is too long, and nothing else. */
static void *
limited_realloc(void *p, size_t n)
{
	void *more;

	if (n > CSV_FIELD_MAX + 1)
		return NULL;
	more = realloc(p, n);
	if (more == NULL)
		arena_exhausted();
	return more;
}

static void
on_cell(void *cell, size_t n, void *arg)
{
	struct reader *r = arg;

	if (r->stopped || r->too_wide || r->too_long)
		return;
	if (r->n == CSV_COLUMNS_MAX) {
		r->too_wide = true;
		return;
	}
	if (r->text.n + n + 1 > CSV_ROW_MAX) {
		r->too_long = true;
		return;
	}
	r->starts[r->n++] = r->text.n;
	buf_put(&r->text, cell, n);
	buf_putc(&r->text, '\0');
	r->starts[r->n] = r->text.n;
}

static void
on_row(int end, void *arg)
{
	struct reader *r = arg;
	struct str cells[CSV_COLUMNS_MAX];

	(void)end;
	if (r->stopped || r->too_wide || r->too_long)
		return;
	for (size_t i = 0; i < r->n; i++)
		cells[i] = (struct str){ r->text.p + r->starts[i],
			r->starts[i + 1] - r->starts[i] - 1 };
	if (r->row(r->arg, r->begun, cells, r->n) != 0)
		r->stopped = true;
	r->n = 0;
	buf_clear(&r->text);
}

#define STRICT (CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL)

static void
begin_parser(struct reader *r)
{
	if (csv_init(&r->parser, STRICT) != 0)
		arena_exhausted();
	csv_set_realloc_func(&r->parser, limited_realloc);
	csv_set_blk_size(&r->parser, 256);
}

/* Was something wrong? Then the reason. */
static bool
is_wrong(const struct reader *r, int code, struct csv_fault *fault)
{
	const char *why = NULL;

	if (r->too_wide)
		why = "The row has more than 1,000 cells.";
	else if (r->too_long)
		why = "The row is longer than 1 MiB; is a quote not closed?";
	else if (code != CSV_SUCCESS)
		why = "A cell is longer than 64 KiB; is a quote not closed?";
	if (why != NULL)
		*fault = (struct csv_fault){ r->begun, why };
	return why != NULL;
}

/* What was read of the row is forgotten, and the rest of its line is not read. */
static void
pass_over_row(struct reader *r)
{
	csv_free(&r->parser);
	begin_parser(r);
	r->n = 0;
	buf_clear(&r->text);
	r->skipping = true;
	if (r->wrong(r->arg, r->begun,
	        "A quote stands within a cell in quotes: double it, or take the outer ones "
	        "away.") != 0)
		r->stopped = true;
}

/*
 * Parses the text of a line, or a part of it; the parser's error. A quote in a cell that is not in
 * quotes is a character like any other; behind a cell in quotes only the next one may come.
 */
static int
parse(struct reader *r, const char *p, size_t n)
{
	while (n > 0 && !r->skipping) {
		size_t taken = csv_parse(&r->parser, p, n, on_cell, on_row, r);

		if (taken == n)
			break;
		if (csv_error(&r->parser) != CSV_EPARSE)
			return csv_error(&r->parser);
		p += taken;
		n -= taken;
		if (r->parser.quoted) {
			pass_over_row(r);
			break;
		}
		csv_set_opts(&r->parser, CSV_APPEND_NULL);
		if (csv_parse(&r->parser, p, 1, on_cell, on_row, r) != 1)
			return csv_error(&r->parser);
		csv_set_opts(&r->parser, STRICT);
		p++;
		n--;
	}
	return CSV_SUCCESS;
}

/* Feeds text line by line. */
static enum csv_result
feed(struct reader *r, const char *p, size_t n, struct csv_fault *fault)
{
	while (n > 0) {
		size_t length = 0;
		char end = '\0';

		if (r->after_cr && *p == '\n') { /* the second half of CRLF */
			length = 1;
			r->after_cr = false;
		} else {
			r->after_cr = false;
			while (length < n && end == '\0') {
				end = p[length] == '\n' || p[length] == '\r' ? p[length] : '\0';
				length++;
			}
		}
		if (r->parser.pstate == 0) /* between rows */
			r->begun = r->line;
		if (is_wrong(r, parse(r, p, length), fault))
			return CSV_WRONG;
		if (r->stopped)
			return CSV_STOPPED;
		r->skipping = r->skipping && end == '\0';
		r->line += end != '\0';
		r->after_cr = end == '\r';
		p += length;
		n -= length;
	}
	return CSV_DONE;
}

static enum csv_result
finish(struct reader *r, enum csv_result so_far, struct csv_fault *fault)
{
	if (so_far == CSV_DONE) {
		int code = csv_fini(&r->parser, on_cell, on_row, r);

		if (is_wrong(r, CSV_SUCCESS, fault)) {
			so_far = CSV_WRONG;
		} else if (code != 0) {
			*fault = (struct csv_fault){ r->begun,
				"A quote is opened and not closed." };
			so_far = CSV_WRONG;
		} else if (r->stopped) {
			so_far = CSV_STOPPED;
		}
	}
	csv_free(&r->parser);
	buf_free(&r->text);
	return so_far;
}

/* A byte order mark of UTF-8 is passed over; that of UTF-16 is no UTF-8. */
static size_t
mark_length(const char *p, size_t n, bool *utf16)
{
	*utf16 = n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0);
	return n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static const struct csv_fault is_utf16 = { 1, "The file is UTF-16: save it as CSV in UTF-8." };

/*
 * Fills the chunk, or as much as there is; -1 where it cannot be read. `at`: from there on; another
 * process may have the same file open. -1: it is a pipe.
 */
static ssize_t
fill(int fd, off_t at, char *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = at < 0 ? read(fd, p + got, n - got)
		                   : pread(fd, p + got, n - got, at + (off_t)got);

		if (k == 0)
			break;
		if (k < 0 && errno != EINTR)
			return -1;
		got += k > 0 ? (size_t)k : 0;
	}
	return (ssize_t)got;
}

enum csv_result
csv_read_fd(int fd, csv_row *row, csv_wrong_row *wrong, void *arg, struct csv_fault *fault)
{
	struct reader *r = malloc(sizeof(*r));
	char *chunk = malloc(CHUNK);
	off_t at = lseek(fd, 0, SEEK_CUR);
	enum csv_result result = CSV_DONE;
	bool first = true, utf16 = false;
	ssize_t n;

	if (r == NULL || chunk == NULL)
		arena_exhausted();
	*r = (struct reader){ .row = row, .wrong = wrong, .arg = arg, .line = 1, .begun = 1 };
	begin_parser(r);
	while (result == CSV_DONE && (n = fill(fd, at, chunk, CHUNK)) != 0) {
		size_t mark = first && n > 0 ? mark_length(chunk, (size_t)n, &utf16) : 0;

		first = false;
		at += at < 0 || n < 0 ? 0 : n;
		if (n < 0 || utf16) {
			*fault = utf16 ? is_utf16
			               : (struct csv_fault){ r->line, "The file cannot be read." };
			result = CSV_WRONG;
		} else {
			result = feed(r, chunk + mark, (size_t)n - mark, fault);
		}
	}
	result = finish(r, result, fault);
	free(chunk);
	free(r);
	return result;
}

/* Would a spreadsheet run it, apostrophes in front aside? */
static bool
is_formula(struct str s)
{
	static const char *const starts[] = { "=", "+", "-", "@", "\t", "\r", "\n", "\xef\xbc\x9d",
		"\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0" };
	double number;

	if (str_to_double(s, &number))
		return false;
	while (s.n > 0 && s.p[0] == '\'')
		s = (struct str){ s.p + 1, s.n - 1 };
	for (size_t i = 0; i < NELEM(starts); i++)
		if (str_starts(s, starts[i]))
			return true;
	return false;
}

void
csv_put(struct buf *b, struct str s)
{
	bool guard = is_formula(s);
	bool quote = s.n > 0 &&
	    (memchr(s.p, ',', s.n) != NULL || memchr(s.p, '"', s.n) != NULL ||
	        memchr(s.p, '\n', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL ||
	        strchr(" \t", s.p[0]) != NULL || strchr(" \t", s.p[s.n - 1]) != NULL);

	if (!quote) {
		if (guard)
			buf_putc(b, '\'');
		buf_put(b, s.p, s.n);
		return;
	}
	buf_puts(b, guard ? "\"'" : "\"");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_putc(b, '"');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}

struct str
csv_unguard(struct str s)
{
	if (s.n < 2 || s.p[0] != '\'' || !is_formula(s))
		return s;
	return (struct str){ s.p + 1, s.n - 1 };
}
