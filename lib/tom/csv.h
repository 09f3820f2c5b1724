/*
 * csv.h: CSV (RFC 4180) in UTF-8, read row by row and written cell by cell.
 *
 * Reading is forgiving: a byte order mark, CRLF, CR alone, blanks around cells that are not quoted,
 * a quote within one of them (5" off), empty lines. A row that stays wrong is told and passed over.
 */
#ifndef MERIDIAN_CSV_H
#define MERIDIAN_CSV_H

#include "base/arena.h"
#include "base/buf.h"

#define CSV_FIELD_MAX KIB(64) /* bytes of a cell */
#define CSV_ROW_MAX MIB(1) /* bytes of a row */
#define CSV_COLUMNS_MAX 1000

/*
 * Gets a row and the line of the file it begins on (1-based). Cells are NUL-terminated, borrowed
 * until it returns, and may be anything but longer than CSV_FIELD_MAX. Not 0 stops the reading.
 */
typedef int csv_row(void *arg, int64_t line, const struct str *cells, size_t n);

/* Hears of a row that cannot be read, why (a sentence, borrowed), and that the next line is next. */
typedef int csv_wrong_row(void *arg, int64_t line, const char *why);

enum csv_result {
	CSV_DONE, /* read to its end */
	CSV_STOPPED, /* row() or wrong() said so */
	CSV_WRONG /* no CSV from that line on, or it cannot be read */
};
struct csv_fault {
	int64_t line;
	const char *why; /* a sentence, borrowed until the next reading */
};

/* Reads from fd, from where it stands (and is left) to its end, in constant memory. */
enum csv_result
csv_read_fd(int fd, csv_row *row, csv_wrong_row *wrong, void *arg, struct csv_fault *);

/*
 * The same in two processes (a job of http/helper.h): one reads the file and sends its rows, which the
 * other receives and does not trust: where they end in the middle, or are none, that is CSV_WRONG.
 */
void csv_send_rows(int file, int out);
enum csv_result
csv_receive_rows(int fd, csv_row *row, csv_wrong_row *wrong, void *arg, struct csv_fault *);

/*
 * Appends a cell, quoted where it must be. What a spreadsheet would run (= + - @ tab CR LF at its
 * start, full-width forms too, and any of these behind apostrophes) gets an apostrophe in front,
 * numbers apart; csv_unguard takes it off. No comma is written.
 */
void csv_put(struct buf *, struct str);
struct str csv_unguard(struct str);

#endif
