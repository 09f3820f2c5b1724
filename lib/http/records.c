/*
 * records: FastCGI's records, read without taking them and written without libfcgi.
 *
 * A record is version, type, request id (2), content length (2), padding length, reserved, then
 * content and padding. A request is BEGIN, PARAMS until an empty one, STDIN until an empty one. The
 * content of all PARAMS together is a row of pairs: length of the name, length of the value (one
 * byte, or four with the high bit set), name, value.
 */
#include "http/records.h"

#include <string.h>

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };
enum { RESPONDER = 1 };

#define HEADER_LEN 8

/*
 * A socket of 208 KiB, which is usual, has room for some 270 messages, however short they are; so a
 * peer that writes a form byte by byte waits for us to take them.
 */
#define PIECES_MAX 64

/* Where we are in the row of pairs, which records cut anywhere. */
struct scan {
	uint32_t length[2]; /* of name and value */
	int which; /* the length being read */
	int more; /* bytes of it still to come */
	size_t left; /* bytes of name and value still to come */
};

static bool
scan_length(struct scan *s, unsigned char c)
{
	uint32_t *length = &s->length[s->which];

	if (s->more > 0) {
		*length = *length << 8 | c;
		s->more--;
	} else if (c & 0x80) {
		*length = c & 0x7f;
		s->more = 3;
	} else {
		*length = c;
	}
	if (s->more > 0 || s->which++ == 0)
		return true;
	s->which = 0;
	s->left = (size_t)s->length[0] + s->length[1];
	return s->length[0] > 0 && s->left < RECORDS_LOOKED_AT;
}

static bool
scan_params(struct scan *s, const unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t run = s->left < n ? s->left : n;

		if (s->left == 0) {
			if (!scan_length(s, *p))
				return false;
			run = 1;
		} else {
			if (memchr(p, '\0', run) != NULL)
				return false;
			s->left -= run;
		}
		p += run;
		n -= run;
	}
	return true;
}

static bool
is_complete(const struct scan *s)
{
	return s->left == 0 && s->which == 0 && s->more == 0;
}

static bool
is_begin(const unsigned char *p, size_t content)
{
	return p[1] == BEGIN_REQUEST && content == 8 && (p[2] | p[3]) != 0;
}

enum records_state
records_look(const unsigned char *p, size_t n)
{
	enum { BEGIN, IN_PARAMS, IN_STDIN } at = BEGIN;
	const unsigned char *id = p + 2;
	struct scan s = { { 0, 0 }, 0, 0, 0 };
	int pieces = 0;

	while (n >= HEADER_LEN) {
		size_t content = (size_t)p[4] << 8 | p[5], size = HEADER_LEN + content + p[6];
		size_t here = n - HEADER_LEN < content ? n - HEADER_LEN : content;

		if (p[0] != 1 || p[2] != id[0] || p[3] != id[1])
			return RECORDS_BAD;
		if (at == BEGIN) {
			if (!is_begin(p, content))
				return RECORDS_BAD;
			if (here == content && (p[8] != 0 || p[9] != RESPONDER))
				return RECORDS_BAD;
		} else if (p[1] != (at == IN_PARAMS ? PARAMS : STDIN)) {
			return RECORDS_BAD;
		} else if (at == IN_PARAMS && !scan_params(&s, p + HEADER_LEN, here)) {
			return RECORDS_BAD;
		}
		if (n < size)
			break;
		p += size;
		n -= size;
		if (at == BEGIN) {
			at = IN_PARAMS;
		} else if (content == 0) {
			if (at == IN_STDIN)
				return RECORDS_WHOLE;
			if (!is_complete(&s))
				return RECORDS_BAD;
			at = IN_STDIN;
		} else {
			pieces += at == IN_STDIN;
		}
	}
	if (at != IN_STDIN)
		return RECORDS_MORE;
	return pieces < PIECES_MAX ? RECORDS_PARAMS : RECORDS_PIECES;
}

/* --- writing --- */

/* The most of one record, a multiple of 8, so that none needs padding. */
#define CHUNK ((size_t)65528)

static void
make_header(unsigned char *h, unsigned char type, uint16_t id, size_t content)
{
	h[0] = 1;
	h[1] = type;
	h[2] = (unsigned char)(id >> 8);
	h[3] = (unsigned char)(id & 0xff);
	h[4] = (unsigned char)(content >> 8);
	h[5] = (unsigned char)(content & 0xff);
	h[6] = h[7] = 0;
}

/* Moves up to n bytes from the front of s into an iovec. */
static size_t
take(struct iovec *iov, struct str *s, size_t n)
{
	size_t some = s->n < n ? s->n : n;

	iov->iov_base = (void *)(uintptr_t)s->p;
	iov->iov_len = some;
	s->p += some;
	s->n -= some;
	return some;
}

size_t
records_make(struct records *r, uint16_t id, struct str *head, struct str *body, bool last)
{
	size_t n = 0, chunks = 0;

	while (chunks < RECORDS_CHUNKS && head->n + body->n > 0) {
		size_t want = head->n + body->n < CHUNK ? head->n + body->n : CHUNK;

		make_header(r->headers[chunks], STDOUT, id, want);
		r->iov[n++] = (struct iovec){ r->headers[chunks++], HEADER_LEN };
		if (head->n > 0)
			want -= take(&r->iov[n++], head, want);
		if (want > 0)
			take(&r->iov[n++], body, want);
	}
	if (last && head->n + body->n == 0) {
		make_header(r->headers[chunks], STDOUT, id, 0);
		make_header(r->headers[chunks + 1], END_REQUEST, id, 8);
		memset(r->headers[chunks + 2], 0, 8); /* status 0, FCGI_REQUEST_COMPLETE */
		r->iov[n++] = (struct iovec){ r->headers[chunks], 3 * HEADER_LEN };
	}
	return n;
}
