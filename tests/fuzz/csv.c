/*
 * csv: any bytes are rows or a fault with a line; what rows give can be written and reads back.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tom/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct copy {
	struct buf out; /* the rows, written anew */
	const struct str *cells; /* compared with, in the second reading */
	size_t n;
};

static enum csv_result
read_text(struct str text, csv_row *row, csv_wrong_row *wrong, void *arg, struct csv_fault *fault)
{
	int fd = memfd_create("csv", MFD_CLOEXEC);
	enum csv_result r;

	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	r = csv_read_fd(fd, row, wrong, arg, fault);
	close(fd);
	return r;
}

static int
pass_over(void *arg, int64_t line, const char *why)
{
	(void)arg;
	if (line < 1 || why == NULL)
		abort();
	return 0;
}

static int
refuse(void *arg, int64_t line, const char *why)
{
	(void)arg;
	(void)line;
	(void)why;
	abort();
}

static int
compare(void *arg, int64_t line, const struct str *cells, size_t n)
{
	const struct copy *c = arg;

	(void)line;
	if (n != c->n + 2)
		abort();
	for (size_t i = 0; i < c->n; i++)
		if (!str_eq(csv_unguard(cells[i + 1]), c->cells[i]))
			abort();
	return 0;
}

static int
write_anew(void *arg, int64_t line, const struct str *cells, size_t n)
{
	struct copy c = { .cells = cells, .n = n };
	struct csv_fault fault;

	(void)arg;
	if (line < 1)
		abort();
	/* a cell before, so that none looks like the mark of a file; one after, for empty ones */
	if (n + 2 > CSV_COLUMNS_MAX)
		return 0;
	buf_puts(&c.out, "begin,");
	for (size_t i = 0; i < n; i++) {
		/* an apostrophe more may be one byte too many */
		if (cells[i].n > CSV_FIELD_MAX - 8) {
			buf_free(&c.out);
			return 0;
		}
		csv_put(&c.out, cells[i]);
		buf_putc(&c.out, ',');
	}
	buf_puts(&c.out, "end\n");
	enum csv_result r = read_text(buf_text(&c.out), compare, refuse, &c, &fault);
	if (r != CSV_DONE && c.out.n < CSV_ROW_MAX / 2)
		abort();
	buf_free(&c.out);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct csv_fault fault = { 0 };

	if (size == 0)
		text.p = "";
	if (read_text(text, write_anew, pass_over, NULL, &fault) == CSV_WRONG &&
	    (fault.line < 1 || fault.why == NULL))
		abort();
	return 0;
}
