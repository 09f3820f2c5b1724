/*
 * csv: rows come with the line they begin on, whatever ends the lines; what is no CSV is refused
 * with its line; nothing that is written makes a spreadsheet compute, and all of it reads back.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tom/csv.h"

/* Everything a reading gave, as text: "line:cell|cell;" */
static struct buf seen;

static int
note(void *arg, int64_t line, const struct str *cells, size_t n)
{
	const int64_t *stop = arg;

	buf_printf(&seen, "%d:", (int)line);
	for (size_t i = 0; i < n; i++) {
		assert_true(cells[i].p[cells[i].n] == '\0');
		buf_printf(&seen, "%s%.*s", i == 0 ? "" : "|", STR_ARG(cells[i]));
	}
	buf_putc(&seen, ';');
	return stop != NULL && line >= *stop;
}

static const char *
read_all(struct str text)
{
	static char out[1000];
	struct csv_fault fault = { 0 };
	enum csv_result r;
	int fd;
	char path[] = "/tmp/meridian-csv-XXXXXX";

	buf_clear(&seen);
	r = csv_read_text(text, note, NULL, &fault);
	if (r == CSV_WRONG)
		snprintf(out, sizeof(out), "%swrong %d %s", buf_text(&seen).p, (int)fault.line,
		    fault.why);
	else
		snprintf(out, sizeof(out), "%s", buf_text(&seen).p);
	/* a file gives the same */
	buf_clear(&seen);
	fd = mkstemp(path);
	assert_true(fd >= 0 && unlink(path) == 0);
	assert_true(write(fd, text.p, text.n) == (ssize_t)text.n && lseek(fd, 0, SEEK_SET) == 0);
	assert_int_equal(csv_read_fd(fd, note, NULL, &fault), r);
	assert_memory_equal(out, buf_text(&seen).p, buf_text(&seen).n);
	close(fd);
	return out;
}

#define READS(text, want) assert_string_equal(read_all(STR(text)), want)

static void
rows_know_their_line(void **state)
{
	(void)state;
	READS("a,b\n1,2\n", "1:a|b;2:1|2;");
	READS("a,b\r\n1,2\r\n3,4", "1:a|b;2:1|2;3:3|4;");
	READS("a,b\r1,2\r", "1:a|b;2:1|2;");
	READS("\xef\xbb\xbf"
	      "a,b\n1,2\n",
	    "1:a|b;2:1|2;");
	READS("a,\"x\ny\r\nz\"\n1,2\n", "1:a|x\ny\r\nz;4:1|2;");
	READS("a\n\n\n  \nb\n", "1:a;5:b;");
	READS("\n\na\n", "3:a;");
	READS(" a , b c ,\" d \"\n", "1:a|b c| d ;");
	READS(",,\n", "1:||;");
	READS("\"say \"\"hi\"\"\"\n", "1:say \"hi\";");
	READS("", "");
	READS("\xef\xbb\xbf", "");
}

static void
what_is_no_csv_is_refused_with_its_line(void **state)
{
	char *big = malloc(CSV_FIELD_MAX * 2);

	(void)state;
	assert_non_null(strstr(read_all(STR("a,b\n1,x\"y\n")), "1:a|b;wrong 2 A quote stands"));
	assert_non_null(strstr(read_all(STR("a\n\n\"b\nc\n")), "1:a;wrong 3 A quote is opened"));
	assert_non_null(strstr(read_all(STR("\xff\xfe"
	                                    "a\0,\0")),
	    "wrong 1 The file is UTF-16"));
	memset(big, 'x', CSV_FIELD_MAX * 2);
	memcpy(big, "a\n", 2);
	assert_non_null(strstr(
	    read_all((struct str){ big, CSV_FIELD_MAX * 2 }), "1:a;wrong 2 A cell is longer"));
	memset(big, ',', CSV_FIELD_MAX * 2);
	assert_non_null(
	    strstr(read_all((struct str){ big, CSV_FIELD_MAX }), "wrong 1 The row has"));
	free(big);
}

static void
a_reader_may_be_stopped(void **state)
{
	int64_t stop = 2;
	struct csv_fault fault;

	(void)state;
	buf_clear(&seen);
	assert_int_equal(csv_read_text(STR("a\nb\nc\n"), note, &stop, &fault), CSV_STOPPED);
	assert_str(buf_text(&seen), "1:a;2:b;");
	buf_clear(&seen);
	assert_int_equal(csv_read_text(STR("a\nb"), note, &stop, &fault), CSV_STOPPED);
}

static void
spreadsheets_compute_nothing(void **state)
{
	static const struct {
		const char *text, *cell;
	} rows[] = { { "=1+1", "'=1+1" }, { "+x", "'+x" }, { "-x", "'-x" },
		{ "@SUM(A1)", "'@SUM(A1)" }, { "\tx", "\"'\tx\"" }, { "\rx", "\"'\rx\"" },
		{ "\nx", "\"'\nx\"" }, { "'=1", "''=1" },
		{ "\xef\xbc\x9d"
		  "1",
		    "'\xef\xbc\x9d"
		    "1" },
		{ "-12.5", "-12.5" }, { "1e-05", "1e-05" }, { "-1+2", "'-1+2" }, { "'a", "'a" },
		{ "'", "'" }, { "", "" }, { "M 31", "M 31" }, { "a,b", "\"a,b\"" },
		{ "a\"b", "\"a\"\"b\"" }, { " a", "\" a\"" },
		{ "=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"" } };
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char want[100];

		buf_clear(&b);
		csv_put(&b, str_of(rows[i].text));
		assert_str(buf_text(&b), rows[i].cell);
		/* and back; the end of a line is within quotes */
		buf_puts(&b, ",.\n");
		buf_clear(&seen);
		struct csv_fault fault;
		assert_int_equal(csv_read_text(buf_text(&b), note, NULL, &fault), CSV_DONE);
		snprintf(want, sizeof(want), "|.;");
		struct str cell = { seen.p + 2, seen.n - 2 - strlen(want) };
		cell = csv_unguard(cell);
		assert_int_equal(cell.n, strlen(rows[i].text));
		assert_memory_equal(cell.p, rows[i].text, cell.n);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_know_their_line),
		cmocka_unit_test(what_is_no_csv_is_refused_with_its_line),
		cmocka_unit_test(a_reader_may_be_stopped),
		cmocka_unit_test(spreadsheets_compute_nothing),
	};
	int r = cmocka_run_group_tests_name("csv", tests, NULL, NULL);

	buf_free(&seen);
	return r;
}
