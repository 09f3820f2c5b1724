/*
 * csv: rows come with the line they begin on, whatever ends the lines; a wrong one hinders no
 * other; what is no CSV is refused with its line; nothing that is written makes a spreadsheet compute, and all of it reads back.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
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

static bool why_may_be_anything; /* since it was changed on its way */

static int
note_wrong(void *arg, int64_t line, const char *why)
{
	const int64_t *stop = arg;

	assert_true(why_may_be_anything || strstr(why, "double it") != NULL);
	buf_printf(&seen, "!%d;", (int)line);
	return stop != NULL && line >= *stop;
}

/* Another process reads it, and the same comes of it. */
static void
read_in_two(int fd, const int64_t *stop, enum csv_result want)
{
	struct str before = { strndup(seen.n > 0 ? seen.p : "", seen.n), seen.n };
	struct csv_fault fault = { 0 };
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		csv_send_rows(fd, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	buf_clear(&seen);
	assert_int_equal(
	    csv_receive_rows(ends[0], note, note_wrong, (void *)(uintptr_t)stop, &fault), want);
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(str_eq(before, buf_text(&seen)));
	free((void *)(uintptr_t)before.p);
}

static enum csv_result
read_text(struct str text, const int64_t *stop, struct csv_fault *fault)
{
	int fd = memfd_create("csv", MFD_CLOEXEC);
	enum csv_result r;

	assert_true(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_clear(&seen);
	r = csv_read_fd(fd, note, note_wrong, (void *)(uintptr_t)stop, fault);
	read_in_two(fd, stop, r);
	close(fd);
	return r;
}

static const char *
read_all(struct str text)
{
	struct csv_fault fault = { 0 };

	if (read_text(text, NULL, &fault) == CSV_WRONG)
		buf_printf(&seen, "wrong %d %s", (int)fault.line, fault.why);
	return buf_text(&seen).p;
}

#define READS(text, want) assert_string_equal(read_all(STR(text)), want)

static int ticks[2];

static void
tick(int number)
{
	(void)number;
	if (write(ticks[1], "", 1) != 1)
		_exit(1);
}

static void
a_signal_ends_no_reading(void **state)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = tick }, before;
	struct csv_fault fault = { 0 };
	int fd = memfd_create("csv", MFD_CLOEXEC), ends[2];
	pid_t pid;

	(void)state;
	assert_true(write(fd, "a,b\n", 4) == 4 && lseek(fd, 0, SEEK_SET) == 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(ticks), 0);
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		for (int i = 0; i < 20; i++) /* by then the other one waits */
			if (read(ticks[0], &c, 1) != 1)
				_exit(1);
		csv_send_rows(fd, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	buf_clear(&seen);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(csv_receive_rows(ends[0], note, note_wrong, NULL, &fault), CSV_DONE);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	assert_string_equal(buf_text(&seen).p, "1:a|b;");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	close(ticks[0]);
	close(ticks[1]);
	close(fd);
}

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
a_stray_quote_costs_no_other_line(void **state)
{
	(void)state;
	/* in a cell that is not in quotes it is a character */
	READS("a,b\n1,5\" off\n2,x\"y\"\n3,z", "1:a|b;2:1|5\" off;3:2|x\"y\";4:3|z;");
	READS("a\"\n\"b\"\"\"\n", "1:a\";2:b\";");
	READS("x \" ,\"y\"\n", "1:x \"|y;");
	/* behind one that is, the row is wrong, and the next line is the next row */
	READS("a,b\n\"5\" off\",1\n2,\"z\"\n", "1:a|b;!2;3:2|z;");
	READS("a\r\n\"x\ny\"z,\"\r\nb\r\n", "1:a;!2;4:b;");
	READS("\"a\"b", "!1;");
	READS("\"a\"b\r\"a\" \"\rc", "!1;!2;3:c;");
}

static void
a_wrong_row_spans_chunks(void **state)
{
	struct buf b = { 0 };

	(void)state;
	/* its line goes on in the second piece of what is read at once */
	buf_puts(&b, "\"a\"b");
	for (size_t i = 0; i < KIB(64); i++)
		buf_putc(&b, "x,\" "[i % 4]);
	buf_puts(&b, "\nc\n");
	assert_string_equal(read_all(buf_text(&b)), "!1;2:c;");
	buf_free(&b);
}

static void
what_is_no_csv_is_refused_with_its_line(void **state)
{
	char *big = malloc(CSV_FIELD_MAX * 2);

	(void)state;
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
	assert_int_equal(read_text(STR("a\nb\nc\n"), &stop, &fault), CSV_STOPPED);
	assert_str(buf_text(&seen), "1:a;2:b;");
	assert_int_equal(read_text(STR("a\nb"), &stop, &fault), CSV_STOPPED);
	assert_int_equal(read_text(STR("a\n\"b\"x\nc\n"), &stop, &fault), CSV_STOPPED);
	assert_str(buf_text(&seen), "1:a;!2;");
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
		struct csv_fault fault;
		assert_int_equal(read_text(buf_text(&b), NULL, &fault), CSV_DONE);
		snprintf(want, sizeof(want), "|.;");
		struct str cell = { seen.p + 2, seen.n - 2 - strlen(want) };
		cell = csv_unguard(cell);
		assert_int_equal(cell.n, strlen(rows[i].text));
		assert_memory_equal(cell.p, rows[i].text, cell.n);
	}
	buf_free(&b);
}

/* What the other process wrote, as these bytes. */
static enum csv_result
receive(const char *p, size_t n, struct csv_fault *fault)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);
	enum csv_result r;

	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_clear(&seen);
	r = csv_receive_rows(fd, note, note_wrong, NULL, fault);
	close(fd);
	return r;
}

/* It may have been taken over by what it read. */
static void
rows_of_a_process_that_breaks_off_or_lies_are_refused(void **state)
{
	static const char text[] = "a,bb\n1,\"2\n\"x\"\n3,4\n";
	int file = memfd_create("csv", MFD_CLOEXEC), out = memfd_create("rows", MFD_CLOEXEC);
	char bytes[1000], odd[1000];
	struct csv_fault fault;
	ssize_t n;

	(void)state;
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	csv_send_rows(file, out);
	n = pread(out, bytes, sizeof(bytes), 0);
	close(file);
	close(out);
	assert_in_range(n, 100, sizeof(bytes) - 1);
	assert_int_equal(receive(bytes, (size_t)n, &fault), CSV_DONE);
	assert_string_equal(seen.p, "1:a|bb;!2;4:3|4;");
	for (size_t cut = 0; cut < (size_t)n; cut++) {
		assert_int_equal(receive(bytes, cut, &fault), CSV_WRONG);
		assert_non_null(strstr(fault.why, "broke off"));
	}
	why_may_be_anything = true;
	/* a byte is another: what note() is given is whole, whatever it is; or nothing is */
	for (size_t at = 0; at < (size_t)n; at++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(odd, bytes, (size_t)n);
			odd[at] ^= (char)(1 << bit);
			assert_in_range(receive(odd, (size_t)n, &fault), CSV_DONE, CSV_WRONG);
		}
	/* the head of the first row: kind, cells, line, result, size */
	for (size_t at = 0; at < 24; at++)
		for (int value = 0x7f; value < 0x100; value += 0x80) {
			memcpy(odd, bytes, (size_t)n);
			odd[at] = (char)value;
			if (at < 8 || at >= 16)
				assert_int_equal(receive(odd, (size_t)n, &fault), CSV_WRONG);
			else if (at == 15 && value == 0xff) /* a line below 1 */
				assert_int_equal(receive(odd, (size_t)n, &fault), CSV_WRONG);
			else
				assert_int_equal(receive(odd, (size_t)n, &fault), CSV_DONE);
		}
	why_may_be_anything = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_ends_no_reading),
		cmocka_unit_test(rows_know_their_line),
		cmocka_unit_test(a_stray_quote_costs_no_other_line),
		cmocka_unit_test(a_wrong_row_spans_chunks),
		cmocka_unit_test(what_is_no_csv_is_refused_with_its_line),
		cmocka_unit_test(a_reader_may_be_stopped),
		cmocka_unit_test(rows_of_a_process_that_breaks_off_or_lies_are_refused),
		cmocka_unit_test(spreadsheets_compute_nothing),
	};
	int r = cmocka_run_group_tests_name("csv", tests, NULL, NULL);

	buf_free(&seen);
	return r;
}
