/*
 * multipart: however a body is cut, the same fields and files come out; what is not well-formed is
 * refused.
 */
#include "web.h"

#include <stdlib.h>
#include <unistd.h>

static struct arena *a;
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
	};

	return cmocka_run_group_tests_name("multipart", tests, open_arena, close_arena);
}
