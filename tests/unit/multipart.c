/*
 * multipart: however a body is cut, the same fields and files come out; what is not well-formed is
 * refused.
 */
#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *a;

/* What the system says instead of what we ask, where it is not 0; a write that a signal broke off, once. */
static int open_fails, write_fails, seek_fails;
static bool write_is_broken_off, writes_little, no_tmpfile;

int __real_open(const char *, int, ...);
int __wrap_open(const char *, int, ...);
ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
off_t __real_lseek(int, off_t, int);
off_t __wrap_lseek(int, off_t, int);

int
__wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	errno = no_tmpfile ? EOPNOTSUPP : open_fails;
	if (errno != 0 && (flags & O_TMPFILE) == O_TMPFILE)
		return -1;
	return __real_open(path, flags, mode);
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	errno = write_is_broken_off ? EINTR : write_fails;
	write_is_broken_off = false;
	return errno != 0 ? -1 : __real_write(fd, p, writes_little && n > 3 ? 3 : n);
}

off_t
__wrap_lseek(int fd, off_t offset, int whence)
{
	errno = seek_fails;
	return seek_fails != 0 ? -1 : __real_lseek(fd, offset, whence);
}
static struct request r;

static struct refusal
feed(const char *boundary, struct str body, size_t piece)
{
	struct multipart *m;
	struct refusal no = { 0, NULL };

	arena_reset(a);
	memset(&r, 0, sizeof(r));
	r.arena = a;
	m = multipart_new(&r, str_of(boundary));
	while (body.n > 0 && no.status == 0) {
		size_t n = body.n < piece ? body.n : piece;

		no = multipart_feed(m, body.p, n);
		body.p += n;
		body.n -= n;
	}
	return no.status != 0 ? no : multipart_end(m);
}

static void
assert_file(const char *name, struct str want)
{
	struct upload *u = request_upload(&r, name);
	char text[256];

	assert_non_null(u);
	assert_int_equal(u->size, want.n);
	assert_int_equal(read(u->fd, text, sizeof(text)), want.n);
	assert_memory_equal(text, want.p, want.n);
}

#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(name, filename) \
	"content-disposition: form-data; name=\"" name "\"; filename=\"" filename \
	"\"\r\nContent-Type: text/csv\r\n\r\n"

static void
every_cut_gives_the_same(void **state)
{
	const struct str body = STR("--XX\r\n" FIELD("name") "M 31\r\n--X\r\n\r\n--XX\r\n" FIELD(
	    "empty") "\r\n--XX\r\n" FILE_PART("f",
	    "a b;c.csv") "\0\xff\r\n--XY\r\r\n\r\n--XX\r\n" FILE_PART("none", "") "\r\n--XX  \r\n");
	const struct str good = STR("--XX\r\n" FIELD("name") "M 31\r\n--X\r\n\r\n--XX\r\n" FIELD(
	    "empty") "\r\n--XX\r\n" FILE_PART("f",
	    "a b;c.csv") "\0\xff\r\n--XY\r\r\n\r\n--XX\r\n" FILE_PART("none",
	    "") "\r\n--XX--\r\nepilogue");

	(void)state;
	for (size_t piece = 1; piece <= good.n; piece++) {
		assert_int_equal(feed("XX", good, piece).status, 0);
		assert_int_equal(r.post.n, 2);
		assert_str(pairs_get(&r.post, "name"), "M 31\r\n--X\r\n");
		assert_str(pairs_get(&r.post, "empty"), "");
		assert_int_equal(r.nuploads, 1);
		assert_str(r.uploads[0].filename, "a b;c.csv");
		assert_str(r.uploads[0].type, "text/csv");
		assert_file("f", STR("\0\xff\r\n--XY\r\r\n"));
	}
	assert_int_equal(feed("XX", body, 7).status, 400);
}

static void
bodies_that_break_off_are_refused(void **state)
{
	const struct str good = STR("--XX\r\n" FIELD("a") "1\r\n--XX--");

	(void)state;
	assert_int_equal(feed("XX", good, 5).status, 0);
	for (size_t n = 0; n < good.n; n++)
		assert_int_equal(feed("XX", (struct str){ good.p, n }, 100).status, 400);
}

static void
odd_parts_are_refused(void **state)
{
	static const char *const bad[] = {
		"preamble\r\n--XX\r\n" FIELD("a") "1\r\n--XX--",
		"--XX\r\n\r\n1\r\n--XX--",
		"--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n1\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: "
		"form-data; "
		"name=\"b\"\r\n\r\n1\r\n--XX--",
		"--XX\r\nno header\r\n" FIELD("a") "1\r\n--XX--",
		"--XX\r\nContent-Transfer-Encoding: base64\r\n" FIELD("a") "1\r\n--XX--",
		"--XX\r\nX: a\x01\r\n" FIELD("a") "1\r\n--XX--",
		"--XX\r\n" FIELD("a") "\xff\r\n--XX--",
		"--XX\n" FIELD("a") "1\r\n--XX--",
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		if (feed("XX", str_of(bad[i]), 1000).status != 400)
			fail_msg("part %zu was taken", i);
	assert_int_equal(
	    feed("XX", STR("--XX\r\n" FIELD("a") "1\0002\r\n--XX--"), 1000).status, 400);
}

static void
parts_headers_and_fields_are_limited(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_puts(&b, i == 0 ? "--XX\r\n" FIELD("a") "1" : "\r\n--XX\r\n" FIELD("a") "1");
	buf_puts(&b, "\r\n--XX--");
	assert_int_equal(feed("XX", buf_text(&b), 1000).status, 0);
	assert_int_equal(r.post.n, 100);
	b.n -= 2;
	buf_puts(&b, "\r\n" FIELD("a") "1\r\n--XX--");
	assert_int_equal(feed("XX", buf_text(&b), 1000).status, 400);

	buf_clear(&b);
	buf_puts(&b, "--XX\r\nX: ");
	for (int i = 0; i < 9000; i++)
		buf_putc(&b, 'x');
	assert_int_equal(feed("XX", buf_text(&b), 100).status, 400);

	buf_clear(&b);
	buf_puts(&b, "--XX\r\n" FIELD("a"));
	for (int i = 0; i < 300000; i++)
		buf_puts(&b, "0123456789");
	buf_puts(&b, "\r\n--XX--");
	assert_int_equal(feed("XX", buf_text(&b), 65536).status, 413);
	buf_free(&b);
}

/* Each "a=" once took as much memory as the header is long: 2 GB for 768 kB. */
static void
parameters_take_no_memory_but_those_asked_for(void **state)
{
	struct buf line = { 0 }, b = { 0 };

	(void)state;
	buf_puts(&line, "form-data; name=a");
	for (int i = 0; i < 14; i++)
		buf_puts(&line, "; x=\"\\\"\"");
	for (int i = 0; i < 90; i++)
		buf_printf(&b, "--XX\r\nContent-Disposition: %s%s\r\n\r\n1\r\n", line.p,
		    i < 89 ? "" : "; filename= f ");
	buf_puts(&b, "--XX--");
	assert_int_equal(feed("XX", buf_text(&b), 1000).status, 0);
	assert_int_equal(r.post.n, 89);
	assert_str(r.uploads[0].filename, "f");
	assert_true(arena_used(a) < 6 * b.n);
	buf_clear(&b);
	buf_printf(&b, "--XX\r\nContent-Disposition: %s;x=1;x=2;x=3\r\n\r\n1\r\n--XX--", line.p);
	assert_int_equal(feed("XX", buf_text(&b), 1000).status, 400);
	buf_clear(&b);
	buf_puts(&b, "--XX\r\nContent-Disposition: form-data; name=a");
	while (b.n < KIB(7))
		buf_puts(&b, ";x=");
	buf_puts(&b, "\r\n\r\n1\r\n--XX--");
	assert_int_equal(feed("XX", buf_text(&b), 1000).status, 400);
	assert_true(arena_used(a) < KIB(32));
	buf_free(&line);
	buf_free(&b);
}

static void
large_files_need_no_memory(void **state)
{
	struct multipart *m;
	char piece[4096];

	(void)state;
	arena_reset(a);
	memset(&r, 0, sizeof(r));
	r.arena = a;
	memset(piece, '-', sizeof(piece));
	m = multipart_new(&r, STR("XX"));
	assert_int_equal(multipart_feed(m, "--XX\r\n" FILE_PART("f", "f"),
	                     sizeof("--XX\r\n" FILE_PART("f", "f")) - 1)
	                     .status,
	    0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(multipart_feed(m, piece, sizeof(piece)).status, 0);
	assert_true(arena_used(a) < KIB(64));
	assert_int_equal(multipart_feed(m, "\r\n--XX--", 8).status, 0);
	assert_int_equal(multipart_end(m).status, 0);
	assert_int_equal(r.uploads[0].size, 5000 * 4096);
}

static void
boundaries_are_checked(void **state)
{
	(void)state;
	assert_str(multipart_boundary(a, STR("multipart/form-data; boundary=abc")), "abc");
	assert_str(
	    multipart_boundary(a, STR("multipart/form-data; charset=x; Boundary=\"a b\"")), "a b");
	assert_null(multipart_boundary(a, STR("multipart/form-data")).p);
	assert_null(multipart_boundary(a, STR("multipart/form-data; boundary=")).p);
	assert_null(multipart_boundary(a, STR("multipart/form-data; boundary=\"a")).p);
	assert_null(multipart_boundary(a, STR("multipart/form-data; boundary=\"a \"")).p);
	assert_null(multipart_boundary(a, STR("multipart/form-data; boundary=a\\b")).p);
	assert_null(multipart_boundary(a, STR("multipart/form-data; boundary=a; boundary=b")).p);
	assert_null(multipart_boundary(a,
	    STR("multipart/form-data; boundary=0123456789012345678901234567890123456789"
	        "0123456789012345678901234567890"))
	                .p);
}

/* Between whole parts the header of one is read to its last byte. */
static int
header(const char *lines)
{
	struct buf b = { 0 };
	int status;

	buf_printf(&b, "--XX\r\n%s\r\n\r\n1\r\n--XX--", lines);
	status = feed("XX", buf_text(&b), 1000).status;
	buf_free(&b);
	return status;
}

#define DISPOSITION "Content-Disposition: form-data; "

static void
headers_are_read_in_every_form(void **state)
{
	static const char *const good[] = { DISPOSITION "name=a", DISPOSITION "name = a  ",
		DISPOSITION "name= a", DISPOSITION "NAME=\"a\"  ; x=y", DISPOSITION "; ; name=a;",
		"Content-disposition:form-data;name=a",
		DISPOSITION "name=a\r\nContent-Transfer-Encoding: Binary",
		DISPOSITION "name=a\r\nContent-Transfer-Encoding: 8BIT",
		DISPOSITION "name=a\r\nContent-Transfer-Encoding: 7bit",
		DISPOSITION "name=a\r\nContent-Type: text/plain", DISPOSITION "name=a\r\nX-Y:" };
	static const char *const bad[] = { DISPOSITION "name=\"a\"b", DISPOSITION "name=\"a\" b",
		DISPOSITION "name", DISPOSITION "x; name=a",
		DISPOSITION "name=", DISPOSITION "name= ", DISPOSITION "name=\"a",
		DISPOSITION "name=\"a\\\"", DISPOSITION "name=a; x=\"",
		"Content-Disposition: form-dat", "Content-Disposition: form-dato; name=a",
		"Content-Disposition: ", "X: y", DISPOSITION "name=a\r\nX: a\x7f",
		DISPOSITION "name=a\r\nX: a\tb",
		DISPOSITION "name=a\r\nX: a\x1f"
		            "b",
		DISPOSITION "name=a\r\nX: \xff", DISPOSITION "name=a\r\nX",
		DISPOSITION "name=a\r\nContent-Transfer-Encoding: ",
		DISPOSITION "name=a\r\nContent-Transfer-Encoding: quoted-printable",
		DISPOSITION "name=a\r\n" DISPOSITION "name=a" };

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		if (header(good[i]) != 0)
			fail_msg("refused: %s", good[i]);
		assert_str(pairs_get(&r.post, "a"), "1");
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (header(bad[i]) != 400)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(header(DISPOSITION "name=\"a \\\" \\\\ \\b;=\""), 0);
	assert_str(r.post.list[0].name, "a \" \\ \\b;=");
	assert_int_equal(header(DISPOSITION "name=a\\b"), 0);
	assert_str(r.post.list[0].name, "a\\b");
	assert_int_equal(header(DISPOSITION "name=\"\xc3\xa9\"; filename=\"\xc3\xa9.csv\""), 0);
	assert_str(r.uploads[0].name, "\xc3\xa9");
	assert_str(r.uploads[0].filename, "\xc3\xa9.csv");
	assert_str(r.uploads[0].type, "application/octet-stream");
}

static void
names_and_headers_end_somewhere(void **state)
{
	static char line[KIB(8) + 200];
	const size_t frame = sizeof("--XX\r\n") - 1;
	struct buf b = { 0 };

	(void)state;
	for (int n = 255; n <= 256; n++) {
		memset(line, 'a', sizeof(line));
		memcpy(line, DISPOSITION "name=", sizeof(DISPOSITION "name=") - 1);
		line[sizeof(DISPOSITION "name=") - 1 + (size_t)n] = '\0';
		assert_int_equal(header(line), n == 255 ? 0 : 400);
		memset(line, 'a', sizeof(line));
		memcpy(line,
		    DISPOSITION "name=b; filename=", sizeof(DISPOSITION "name=b; filename=") - 1);
		line[sizeof(DISPOSITION "name=b; filename=") - 1 + (size_t)n] = '\0';
		assert_int_equal(header(line), n == 255 ? 0 : 400);
	}
	/* 8 KiB of header, the blank line counted; fed whole and in pieces */
	for (size_t n = KIB(8) - 1; n <= KIB(8) + 1; n++)
		for (size_t piece = 100; piece <= KIB(16); piece += KIB(16) - 100) {
			buf_clear(&b);
			buf_puts(&b, "--XX\r\n" DISPOSITION "name=a\r\nX: ");
			while (b.n < frame + n - 4)
				buf_putc(&b, 'x');
			buf_puts(&b, "\r\n\r\n1\r\n--XX--");
			assert_int_equal(
			    feed("XX", buf_text(&b), piece).status, n <= KIB(8) ? 0 : 400);
		}
	/* what follows a header that is too long is not taken for one */
	buf_clear(&b);
	buf_puts(&b, "--XX\r\nX: ");
	while (b.n < frame + KIB(8) + 1 - 4)
		buf_putc(&b, 'x');
	buf_puts(&b, "\r\n\r\n" DISPOSITION "name=a\r\n\r\n1\r\n--XX--");
	assert_int_equal(feed("XX", buf_text(&b), KIB(16)).status, 400);
	/* no end of it in sight: not more is held than that */
	buf_clear(&b);
	buf_puts(&b, "--XX\r\n");
	while (b.n < frame + KIB(8))
		buf_putc(&b, 'x');
	assert_int_equal(feed("XX", buf_text(&b), 100).status, 400);
	buf_free(&b);
}

/* The bytes of all fields together, and not those of files. */
static void
fields_take_2621440_bytes(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int more = 0; more <= 1; more++) {
		buf_clear(&b);
		buf_puts(&b, "--XX\r\n" FILE_PART("f", "f") "0123456789\r\n--XX\r\n" FIELD("a"));
		for (int i = 0; i < 1310720; i++)
			buf_putc(&b, 'x');
		buf_puts(&b, "\r\n--XX\r\n" FIELD("b"));
		for (int i = 0; i < 1310720 + more; i++)
			buf_putc(&b, 'y');
		buf_puts(&b, "\r\n--XX--");
		assert_int_equal(feed("XX", buf_text(&b), 65536).status, more ? 413 : 0);
	}
	buf_free(&b);
}

static void
names_of_fields_are_text_too(void **state)
{
	(void)state;
	/* the backslash before a quote goes, and leaves half a letter behind it: still no UTF-8 */
	assert_int_equal(header(DISPOSITION "name=\"\xc3\\\"\xa9\""), 400);
	assert_int_equal(feed("XX", STR("--XX\r\n" FIELD("a") "1\0\r\n--XX--"), 100).status, 400);
}

static void
empty_file_fields_are_no_files(void **state)
{
	(void)state;
	assert_int_equal(feed("XX",
	                     STR("--XX\r\n" FILE_PART("f", "") "\r\n--XX\r\n" FILE_PART(
	                         "g", "") "1\r\n--XX\r\n" FILE_PART("h", "x") "\r\n--XX--"),
	                     100)
	                     .status,
	    0);
	assert_int_equal(r.nuploads, 2);
	assert_null(request_upload(&r, "f"));
	assert_file("g", STR("1"));
	assert_file("h", STR(""));
}

static void
what_follows_the_end_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(feed("XX", STR("--XX--"), 100).status, 0);
	assert_int_equal(feed("XX", STR("--XX--\r\n--XX\r\n" FIELD("a") "1"), 100).status, 0);
	assert_int_equal(r.post.n, 0);
	assert_int_equal(feed("XX", STR("--XX-"), 100).status, 400);
	assert_int_equal(feed("XX", STR("--XX-x"), 100).status, 400);
	assert_int_equal(feed("XX", STR("--XXX\r\n"), 100).status, 400);
	assert_int_equal(feed("XX", STR("\r\n--XX--"), 100).status, 400);
	assert_int_equal(feed("XX", STR("\n--XX--"), 100).status, 400);
	assert_int_equal(feed("XX", STR("x--XX--"), 1).status, 400);
}

/* --- what the system may say --- */

static const char one_file[] = "--XX\r\n" FILE_PART("f", "f") "0123456789\r\n--XX--";

static int
file(void)
{
	return feed("XX", str_of(one_file), 1000).status;
}

static void
disks_that_fail_are_told_apart(void **state)
{
	static const struct {
		int error, opened, written;
	} all[] = { { ENOSPC, 507, 507 }, { EDQUOT, 500, 507 }, { EIO, 500, 500 },
		{ EACCES, 415, 500 } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		open_fails = all[i].error;
		assert_int_equal(file(), all[i].opened);
		assert_int_equal(r.nuploads, 0);
		open_fails = 0;
		write_fails = all[i].error;
		assert_int_equal(file(), all[i].written);
		write_fails = 0;
	}
	r.route = &(const struct route){ .path = "/x/" };
	seek_fails = EIO;
	assert_int_equal(file(), 500);
	seek_fails = 0;
	write_is_broken_off = writes_little = true;
	assert_int_equal(file(), 0);
	writes_little = false;
	assert_file("f", STR("0123456789"));
}

/* Where the file system has no O_TMPFILE: a file that is there for a moment. */
static void
a_file_without_a_name_is_made_by_hand(void **state)
{
	char dir[] = "/tmp/meridian-XXXXXX", longest[5000];
	char tmpdir[300];
	const char *was = getenv("TMPDIR");
	struct stat st;

	(void)state;
	snprintf(tmpdir, sizeof(tmpdir), "%s", was == NULL ? "/tmp" : was);
	assert_non_null(mkdtemp(dir));
	setenv("TMPDIR", dir, 1);
	assert_string_equal(multipart_directory(), dir);
	no_tmpfile = true;
	assert_int_equal(file(), 0);
	assert_file("f", STR("0123456789"));
	assert_int_equal(fstat(r.uploads[0].fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true((fcntl(r.uploads[0].fd, F_GETFD) & FD_CLOEXEC) != 0);
	no_tmpfile = false;
	assert_int_equal(file(), 0);
	assert_true((fcntl(r.uploads[0].fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fstat(r.uploads[0].fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* nothing is left in the directory */
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(file(), 500);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("TMPDIR", longest, 1);
	no_tmpfile = true;
	assert_int_equal(file(), 500);
	no_tmpfile = false;
	setenv("TMPDIR", "relative", 1);
	assert_string_equal(multipart_directory(), "/tmp");
	unsetenv("TMPDIR");
	assert_string_equal(multipart_directory(), "/tmp");
	setenv("TMPDIR", tmpdir, 1);
}

/* The list of uploads takes them all, and closes them. */
static void
a_hundred_files_are_kept_and_closed(void **state)
{
	struct buf b = { 0 };
	int fds[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "--XX\r\n" FILE_PART("f%d", "f") "%d\r\n", i, i);
	buf_puts(&b, "--XX--");
	assert_int_equal(feed("XX", buf_text(&b), 777).status, 0);
	assert_int_equal(r.nuploads, 100);
	assert_file("f0", STR("0"));
	assert_file("f99", STR("99"));
	for (int i = 0; i < 100; i++)
		fds[i] = r.uploads[i].fd;
	arena_reset(a);
	for (int i = 0; i < 100; i++)
		assert_int_equal(fcntl(fds[i], F_GETFD), -1);
	buf_free(&b);
}

static void
boundaries_are_of_70_characters_of_some_kinds(void **state)
{
	static const char signs[] = "'()+_,-./:=? ";

	(void)state;
	for (int i = 1; i < 256; i++) {
		char type[80];
		bool letter = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') ||
		    (i >= 'a' && i <= 'z');

		if (i == '"' || i == '\\')
			continue;
		snprintf(type, sizeof(type), "multipart/form-data; boundary=\"a%cb\"", i);
		if ((multipart_boundary(a, str_of(type)).p != NULL) !=
		    (letter || strchr(signs, i) != NULL))
			fail_msg("byte 0x%02x", (unsigned)i);
	}
	assert_null(multipart_boundary(a, STR("m; boundary=\"a\0b\"")).p);
	assert_int_equal(multipart_boundary(a,
	                     STR("m; boundary=0123456789012345678901234567890123"
	                         "456789012345678901234567890123456789"))
	                     .n,
	    70);
	assert_null(multipart_boundary(a,
	    STR("m; boundary=01234567890123456789012345678901234567"
	        "890123456789012345678901234567890"))
	                .p);
	assert_null(multipart_boundary(a, STR("")).p);
	assert_str(multipart_boundary(a, STR("m;\tboundary=\t\"a\"\t;\t")), "a");
	assert_str(multipart_boundary(a, STR("m; boundary=\ta\t")), "a");
	assert_null(multipart_boundary(a, STR("m;")).p);
	assert_null(multipart_boundary(a, (struct str){ "m; boundary=a", 12 }).p);
}

static int
open_arena(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_gives_the_same),
		cmocka_unit_test(bodies_that_break_off_are_refused),
		cmocka_unit_test(odd_parts_are_refused),
		cmocka_unit_test(parts_headers_and_fields_are_limited),
		cmocka_unit_test(parameters_take_no_memory_but_those_asked_for),
		cmocka_unit_test(large_files_need_no_memory),
		cmocka_unit_test(boundaries_are_checked),
		cmocka_unit_test(headers_are_read_in_every_form),
		cmocka_unit_test(names_and_headers_end_somewhere),
		cmocka_unit_test(fields_take_2621440_bytes),
		cmocka_unit_test(names_of_fields_are_text_too),
		cmocka_unit_test(empty_file_fields_are_no_files),
		cmocka_unit_test(what_follows_the_end_is_nothing),
		cmocka_unit_test(disks_that_fail_are_told_apart),
		cmocka_unit_test(a_file_without_a_name_is_made_by_hand),
		cmocka_unit_test(a_hundred_files_are_kept_and_closed),
		cmocka_unit_test(boundaries_are_of_70_characters_of_some_kinds),
	};

	return cmocka_run_group_tests_name("multipart", tests, open_arena, close_arena);
}
