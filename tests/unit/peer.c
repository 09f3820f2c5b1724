/*
 * peer: records by hand.
 */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
peer_record(struct buf *b, int type, struct str content)
{
	const unsigned char h[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(content.n >> 8),
		(unsigned char)(content.n & 0xff), 0, 0 };

	buf_put(b, h, sizeof(h));
	buf_put(b, content.p, content.n);
}

static void
pair(struct buf *b, const char *name, const char *value)
{
	size_t n = strlen(value);

	buf_putc(b, (char)strlen(name));
	if (n < 128) {
		buf_putc(b, (char)n);
	} else {
		buf_putc(b, (char)(n >> 24 | 0x80));
		buf_putc(b, (char)(n >> 16));
		buf_putc(b, (char)(n >> 8));
		buf_putc(b, (char)n);
	}
	buf_puts(b, name);
	buf_puts(b, value);
}

void
peer_head(struct buf *b, bool keep, const char *path, struct str body)
{
	struct buf params = { 0 };
	char length[24] = "";

	if (body.p != NULL)
		snprintf(length, sizeof(length), "%zu", body.n);
	pair(&params, "REQUEST_METHOD", body.p == NULL ? "GET" : "POST");
	pair(&params, "SCRIPT_NAME", path);
	pair(&params, "QUERY_STRING", "");
	pair(&params, "CONTENT_LENGTH", length);
	pair(&params, "CONTENT_TYPE", body.p == NULL ? "" : "application/x-www-form-urlencoded");
	pair(&params, "HTTP_HOST", "tom.example");
	pair(&params, "SERVER_ADDR", "127.0.0.1");
	peer_record(b, PEER_BEGIN, keep ? STR("\0\1\1\0\0\0\0\0") : STR("\0\1\0\0\0\0\0\0"));
	peer_record(b, PEER_PARAMS, buf_text(&params));
	peer_record(b, PEER_PARAMS, STR(""));
	buf_free(&params);
}

void
peer_request(struct buf *b, bool keep, const char *path, struct str body)
{
	peer_head(b, keep, path, body);
	while (body.n > 0) {
		size_t n = body.n < 30000 ? body.n : 30000;

		peer_record(b, PEER_STDIN, (struct str){ body.p, n });
		body.p += n;
		body.n -= n;
	}
	peer_record(b, PEER_STDIN, STR(""));
}

int
peer_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path) + 1);
	for (int i = 0; i < 100; i++) {
		if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
		usleep(10000);
	}
	fail_msg("nobody listens at %s", path);
	return -1;
}

void
peer_send(int fd, const struct buf *b)
{
	size_t at = 0;

	while (at < b->n) {
		ssize_t n = send(fd, b->p + at, b->n - at, MSG_NOSIGNAL);

		if (n < 0)
			return; /* the other side has hung up: what it said is still to be read */
		at += (size_t)n;
	}
}

/* n bytes, or fewer where the connection ended; -1 where nothing came for ms. */
static ssize_t
read_all(int fd, unsigned char *to, size_t n, int ms)
{
	size_t at = 0;

	while (at < n) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, ms) <= 0)
			return -1;
		got = read(fd, to + at, n - at);
		if (got <= 0)
			break;
		at += (size_t)got;
	}
	return (ssize_t)at;
}

int
peer_receive(int fd, struct buf *text, int ms)
{
	static unsigned char content[65536 + 256];
	struct buf all = { 0 };
	int status = 0;

	for (;;) {
		unsigned char h[8];
		ssize_t got = read_all(fd, h, sizeof(h), ms);
		size_t n = (size_t)h[4] << 8 | h[5];

		if (got != (ssize_t)sizeof(h)) {
			buf_free(&all);
			return got < 0 ? -1 : 0;
		}
		assert_int_equal(h[0], 1);
		assert_int_equal(h[3], 1);
		assert_int_equal(read_all(fd, content, n + h[6], ms), n + h[6]);
		if (h[1] == PEER_END)
			break;
		assert_int_equal(h[1], 6);
		buf_put(&all, content, n);
	}
	assert_int_equal(sscanf(all.p, "Status: %d", &status), 1);
	if (text != NULL) {
		const char *body = strstr(all.p, "\r\n\r\n");

		assert_non_null(body);
		buf_clear(text);
		buf_put(text, body + 4, all.n - (size_t)(body + 4 - all.p));
	}
	buf_free(&all);
	return status;
}

int
peer_ask(int fd, bool keep, const char *path, struct str body, struct buf *text)
{
	struct buf b = { 0 };

	peer_request(&b, keep, path, body);
	peer_send(fd, &b);
	buf_free(&b);
	return peer_receive(fd, text, 5000);
}

bool
peer_ends(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, ms) > 0 && read(fd, &c, 1) <= 0;
}
