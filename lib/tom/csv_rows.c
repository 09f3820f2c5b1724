/*
 * csv_rows: rows of CSV from the process that parses the file to the one that asked (http/helper.h).
 *
 * Each row is a head, the lengths of its cells, and the cells, each with its NUL. The process that wrote
 * it may be a stranger's: nothing is believed.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tom/csv.h"

#define HELD KIB(64) /* bytes that are written, or read, at once */
#define WAIT_MS 60000 /* for the next of them */

enum kind { ROW = 1, WRONG_ROW, END };

struct head {
	uint32_t kind, ncells;
	int64_t line;
	uint32_t result; /* of the whole, with END */
	uint32_t size; /* of what follows */
};

#define SIZE_MAX_ (CSV_ROW_MAX + CSV_COLUMNS_MAX * (sizeof(uint32_t) + 1))

/* --- the parser's side --- */

struct writer {
	int fd;
	struct buf held;
};

static int
write_held(struct writer *w)
{
	for (size_t at = 0; at < w->held.n;) {
		ssize_t n = write(w->fd, w->held.p + at, w->held.n - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	buf_clear(&w->held);
	return 0;
}

static int
put(struct writer *w, struct head head, const struct str *cells)
{
	for (size_t i = 0; i < head.ncells; i++)
		head.size += (uint32_t)(sizeof(uint32_t) + cells[i].n + 1);
	buf_put(&w->held, &head, sizeof(head));
	for (size_t i = 0; i < head.ncells; i++) {
		uint32_t n = (uint32_t)cells[i].n;

		buf_put(&w->held, &n, sizeof(n));
	}
	for (size_t i = 0; i < head.ncells; i++) {
		buf_put(&w->held, cells[i].p, cells[i].n);
		buf_putc(&w->held, '\0');
	}
	return w->held.n < HELD ? 0 : write_held(w);
}

static int
put_row(void *arg, int64_t line, const struct str *cells, size_t n)
{
	return put(arg, (struct head){ .kind = ROW, .line = line, .ncells = (uint32_t)n }, cells);
}

static int
put_wrong_row(void *arg, int64_t line, const char *why)
{
	const struct str text = str_of(why);

	return put(arg, (struct head){ .kind = WRONG_ROW, .line = line, .ncells = 1 }, &text);
}

void
csv_send_rows(int file, int out)
{
	struct writer w = { .fd = out };
	struct csv_fault fault = { 1, "" };
	enum csv_result result = csv_read_fd(file, put_row, put_wrong_row, &w, &fault);
	const struct str why = str_of(fault.why);

	if (result == CSV_STOPPED) /* nobody listens any more */
		return;
	(void)put(&w,
	    (struct head){
	        .kind = END, .line = fault.line, .ncells = 1, .result = (uint32_t)result },
	    &why);
	(void)write_held(&w);
	buf_free(&w.held);
}

/* --- the side that asked --- */

struct receiver {
	int fd;
	struct buf held; /* bytes from `at` on are not looked at yet */
	size_t at;
};

/* Waits until n bytes are there. -1 where they do not come. */
static int
need(struct receiver *r, size_t n)
{
	while (r->held.n - r->at < n) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };
		char chunk[HELD];
		ssize_t got = -1;
		int ready = poll(&p, 1, WAIT_MS);

		if (ready > 0)
			got = read(r->fd, chunk, sizeof(chunk));
		if (ready == 0 || got == 0 || (got < 0 && errno != EINTR))
			return -1;
		if (r->at > 0) {
			memmove(r->held.p, r->held.p + r->at, r->held.n - r->at);
			r->held.n -= r->at;
			r->at = 0;
		}
		if (got > 0)
			buf_put(&r->held, chunk, (size_t)got);
	}
	return 0;
}

/* The cells of a row: borrowed until the next one. -1 where it is none. */
static int
take_cells(struct receiver *r, const struct head *head, struct str *cells)
{
	const char *lengths = r->held.p + r->at, *p = lengths + head->ncells * sizeof(uint32_t);
	size_t left = head->size;

	if (left < head->ncells * sizeof(uint32_t))
		return -1;
	left -= head->ncells * sizeof(uint32_t);
	for (size_t i = 0; i < head->ncells; i++) {
		uint32_t n;

		memcpy(&n, lengths + i * sizeof(n), sizeof(n));
		if (n > CSV_FIELD_MAX || n >= left || p[n] != '\0')
			return -1;
		cells[i] = (struct str){ p, n };
		p += n + 1;
		left -= n + 1;
	}
	r->at += head->size;
	return left == 0 ? 0 : -1;
}

static int
take(struct receiver *r, struct head *head, struct str *cells)
{
	if (need(r, sizeof(*head)) != 0)
		return -1;
	memcpy(head, r->held.p + r->at, sizeof(*head));
	r->at += sizeof(*head);
	if (head->line < 1 || head->ncells > CSV_COLUMNS_MAX || head->size > SIZE_MAX_ ||
	    need(r, head->size) != 0)
		return -1;
	return take_cells(r, head, cells);
}

static const struct csv_fault broke_off = { 1,
	"The file could not be read: what reads it broke off. Ask the operator of this site, who "
	"finds more in the log." };

enum csv_result
csv_receive_rows(int fd, csv_row *row, csv_wrong_row *wrong, void *arg, struct csv_fault *fault)
{
	static char why[200]; /* of the fault */
	struct receiver r = { .fd = fd };
	struct str cells[CSV_COLUMNS_MAX];
	enum csv_result result = CSV_DONE;
	struct head head;
	int64_t line = 1;
	bool ended = false;

	while (!ended && result == CSV_DONE) {
		if (take(&r, &head, cells) != 0 || (head.kind != ROW && head.ncells != 1) ||
		    head.kind > END || head.result > CSV_WRONG) {
			*fault = broke_off;
			fault->line = line;
			result = CSV_WRONG;
			break;
		}
		line = head.line;
		if (head.kind == ROW && row(arg, line, cells, head.ncells) != 0)
			result = CSV_STOPPED;
		if (head.kind == WRONG_ROW && wrong(arg, line, cells[0].p) != 0)
			result = CSV_STOPPED;
		ended = head.kind == END;
	}
	if (ended && head.result == CSV_WRONG) {
		size_t n = cells[0].n < sizeof(why) ? cells[0].n : sizeof(why) - 1;

		memcpy(why, cells[0].p, n);
		why[n] = '\0';
		*fault = (struct csv_fault){ line, why };
		result = CSV_WRONG;
	}
	buf_free(&r.held);
	return result;
}
