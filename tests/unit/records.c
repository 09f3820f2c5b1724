/*
 * records: what lies in a socket is judged right, however it is cut, and answers are well-formed.
 */
#include "unit.h"

#include "base/buf.h"
#include "http/records.h"

enum { BEGIN = 1, ABORT = 2, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, GET_VALUES = 9 };

static void
put(struct buf *b, int type, int id, const char *content, size_t n, size_t padding)
{
	const unsigned char h[8] = { 1, (unsigned char)type, (unsigned char)(id >> 8),
		(unsigned char)id, (unsigned char)(n >> 8), (unsigned char)n,
		(unsigned char)padding, 0 };
	static const char nothing[255];

	buf_put(b, h, 8);
	buf_put(b, content, n);
	buf_put(b, nothing, padding);
}

#define BEGIN_KEEP "\0\1\1\0\0\0\0\0"
#define PAIR "\13\4QUERYSTRINGa=12"

static void
whole(struct buf *b)
{
	put(b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(b, PARAMS, 1, PAIR, sizeof(PAIR) - 1, 3);
	put(b, PARAMS, 1, "", 0, 0);
	put(b, STDIN, 1, "body", 4, 4);
	put(b, STDIN, 1, "", 0, 0);
}

static enum records_state
look(struct buf *b)
{
	enum records_state s = records_look((const unsigned char *)b->p, b->n);

	buf_clear(b);
	return s;
}

static void
every_prefix_of_a_request_is_incomplete(void **state)
{
	struct buf b = { 0 };
	size_t params_end;

	(void)state;
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 1, PAIR, sizeof(PAIR) - 1, 3);
	put(&b, PARAMS, 1, "", 0, 0);
	params_end = b.n;
	buf_clear(&b);
	whole(&b);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(records_look((const unsigned char *)b.p, n),
		    n < params_end ? RECORDS_MORE : RECORDS_PARAMS);
	assert_int_equal(look(&b), RECORDS_WHOLE);
	buf_free(&b);
}

static void
params_may_be_cut_anywhere(void **state)
{
	struct buf b = { 0 };

	(void)state;
	put(&b, BEGIN, 258, BEGIN_KEEP, 8, 0);
	for (size_t i = 0; i < sizeof(PAIR) - 1; i++)
		put(&b, PARAMS, 258, &PAIR[i], 1, 0);
	put(&b, PARAMS, 258, "", 0, 0);
	put(&b, STDIN, 258, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_WHOLE);
	buf_free(&b);
}

/* CVE-2025-23016 and what Debian's fix left (spec/libraries.md 3.7). */
static void
lengths_that_lie_are_refused(void **state)
{
	static const char *const lies[] = { "\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xff\xff\xff\xfe\xff\xff\xff\xfe", "\x80\x01\x80\x01\x80\x01\x80\x01" };
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < NELEM(lies); i++) {
		put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
		put(&b, PARAMS, 1, lies[i], 8, 0);
		assert_int_equal(look(&b), RECORDS_BAD);
	}
	/* ends in the middle of a pair */
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 1, PAIR, sizeof(PAIR) - 2, 0);
	put(&b, PARAMS, 1, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	/* a name of no bytes, a NUL */
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 1, "\0\1x", 3, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 1, "\1\3xa\0b", 6, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	buf_free(&b);
}

#define LONG_PAIR "\x80\0\0\1\x80\0\0\2Nxy"

/* Their end is an end of a pair, or bad: in a length of four bytes, between lengths, in name or value. */
static void
params_that_end_inside_a_pair_are_refused(void **state)
{
	static const char pairs[] = LONG_PAIR "\1\x80\0\0\2Mzz";
	const size_t first = sizeof(LONG_PAIR) - 1, all = sizeof(pairs) - 1;
	struct buf b = { 0 };

	(void)state;
	for (size_t n = 0; n <= all; n++) {
		put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
		if (n > 0)
			put(&b, PARAMS, 1, pairs, n, 0);
		put(&b, PARAMS, 1, "", 0, 0);
		assert_int_equal(
		    look(&b), n == 0 || n == first || n == all ? RECORDS_PARAMS : RECORDS_BAD);
	}
	buf_free(&b);
}

/* So many bytes of a name and its value together, as the first record of params says. */
static enum records_state
look_at_pair_of(uint32_t name, uint32_t value)
{
	const uint32_t both[] = { name, value };
	struct buf b = { 0 };
	enum records_state s;
	char lengths[9];

	for (int i = 0; i < 8; i++)
		lengths[i] = (char)((both[i / 4] >> (24 - i % 4 * 8)) | (i % 4 == 0 ? 0x80 : 0));
	lengths[8] = 'N';
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 1, lengths, 9, 0);
	s = look(&b);
	buf_free(&b);
	return s;
}

static void
pairs_are_as_long_as_they_may_be(void **state)
{
	(void)state;
	assert_int_equal(look_at_pair_of(1, RECORDS_LOOKED_AT - 2), RECORDS_MORE);
	assert_int_equal(look_at_pair_of(RECORDS_LOOKED_AT - 2, 1), RECORDS_MORE);
	assert_int_equal(look_at_pair_of(1, RECORDS_LOOKED_AT - 1), RECORDS_BAD);
	assert_int_equal(look_at_pair_of(RECORDS_LOOKED_AT, 0), RECORDS_BAD);
	assert_int_equal(look_at_pair_of(0, 1), RECORDS_BAD);
	assert_int_equal(look_at_pair_of(0x7fffffff, 0x7fffffff), RECORDS_BAD);
}

/* A body in many pieces is to be taken before the socket is full of them. */
static void
bodies_of_many_pieces_are_told(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int pieces = 62; pieces <= 66; pieces++) {
		put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
		put(&b, PARAMS, 1, PAIR, sizeof(PAIR) - 1, 0);
		put(&b, PARAMS, 1, "", 0, 0);
		for (int i = 0; i < pieces; i++)
			put(&b, STDIN, 1, "x", 1, 0);
		assert_int_equal(records_look((const unsigned char *)b.p, b.n),
		    pieces < 64 ? RECORDS_PARAMS : RECORDS_PIECES);
		/* one that is still on its way is none yet */
		assert_int_equal(records_look((const unsigned char *)b.p, b.n - 1),
		    pieces < 65 ? RECORDS_PARAMS : RECORDS_PIECES);
		put(&b, STDIN, 1, "", 0, 0);
		assert_int_equal(look(&b), RECORDS_WHOLE);
	}
	buf_free(&b);
}

static void
long_records_are_read_to_their_end(void **state)
{
	char pair[2 + 127 + 127], body[70000];
	struct buf b = { 0 };

	(void)state;
	memset(pair, 'x', sizeof(pair));
	pair[0] = pair[1] = 127;
	memset(body, 'y', sizeof(body));
	put(&b, BEGIN, 0xff01, BEGIN_KEEP, 8, 255);
	put(&b, PARAMS, 0xff01, pair, sizeof(pair), 200);
	put(&b, PARAMS, 0xff01, "", 0, 1);
	put(&b, STDIN, 0xff01, body, 65535, 0);
	put(&b, STDIN, 0xff01, "", 0, 7);
	assert_int_equal(records_look((const unsigned char *)b.p, b.n - 1), RECORDS_PARAMS);
	assert_int_equal(look(&b), RECORDS_WHOLE);
	buf_free(&b);
}

static void
what_is_no_request_is_refused(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, PARAMS, 1, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 0, BEGIN_KEEP, 8, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, "\0\2\0\0\0\0\0\0", 8, 0); /* authorizer */
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 7, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, GET_VALUES, 0, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, ABORT, 1, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 2, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, STDIN, 1, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, "\1\1\1\0\0\0\0\0", 8, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP "\0", 9, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 257, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_BAD);
	put(&b, BEGIN, 256, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 256, "", 0, 0);
	assert_int_equal(look(&b), RECORDS_PARAMS);
	/* the second record is of another version */
	put(&b, BEGIN, 1, BEGIN_KEEP, 8, 0);
	put(&b, PARAMS, 1, "", 0, 0);
	b.p[16] = 2;
	assert_int_equal(look(&b), RECORDS_BAD);
	buf_free(&b);
}

/* Reads STDOUT records back; -1 where they are not well-formed. */
static ssize_t
read_back(const struct buf *b, struct buf *out, bool *ended)
{
	const unsigned char *p = (const unsigned char *)b->p, *end = p + b->n;

	*ended = false;
	while (p + 8 <= end) {
		size_t n = (size_t)p[4] << 8 | p[5];

		if (*ended || p[0] != 1 || p[2] != 0x12 || p[3] != 0x34 || p[7] != 0 ||
		    (size_t)(end - p) < 8 + n + p[6])
			return -1;
		if (p[1] == STDOUT)
			buf_put(out, p + 8, n);
		else if (p[1] == END && n == 8)
			*ended = true;
		else
			return -1;
		p += 8 + n + p[6];
	}
	return p == end ? (ssize_t)out->n : -1;
}

static void
answers_of_every_size_come_whole(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 65527, 65528, 65529, 70000, 200000, 4193792,
		4193793, 9000000 };
	struct buf text = { 0 }, wire = { 0 }, back = { 0 };
	static struct records r;
	bool ended;

	(void)state;
	while (text.n < 9000000)
		buf_printf(&text, "%zu,", text.n);
	for (size_t i = 0; i < 3 * NELEM(sizes); i++) {
		struct str head = { "Status: 200 OK\r\n\r\n", (size_t[]){ 0, 1, 18 }[i % 3] },
		           body = { text.p, sizes[i / 3] };
		size_t want = head.n + body.n, rounds = 0, full = RECORDS_CHUNKS * (size_t)65528;

		buf_clear(&wire);
		buf_clear(&back);
		do {
			size_t n;

			memset(&r, 0xff, sizeof(r)); /* what is not set is seen */
			n = records_make(&r, 0x1234, &head, &body, true);
			for (size_t k = 0; k < n; k++) {
				assert_true(r.iov[k].iov_len > 0);
				buf_put(&wire, r.iov[k].iov_base, r.iov[k].iov_len);
			}
			assert_true(++rounds < 10);
		} while (head.n + body.n > 0);
		assert_int_equal(rounds, want == 0 ? 1 : (want + full - 1) / full);
		assert_int_equal(read_back(&wire, &back, &ended), want);
		assert_true(ended);
		assert_int_equal(memcmp(wire.p + wire.n - 8, "\0\0\0\0\0\0\0\0", 8), 0);
		if (sizes[i / 3] > 0)
			assert_memory_equal(back.p + want - sizes[i / 3], text.p, sizes[i / 3]);
	}
	buf_free(&text);
	buf_free(&wire);
	buf_free(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_of_a_request_is_incomplete),
		cmocka_unit_test(params_may_be_cut_anywhere),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(params_that_end_inside_a_pair_are_refused),
		cmocka_unit_test(pairs_are_as_long_as_they_may_be),
		cmocka_unit_test(bodies_of_many_pieces_are_told),
		cmocka_unit_test(long_records_are_read_to_their_end),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(answers_of_every_size_come_whole),
	};

	return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
