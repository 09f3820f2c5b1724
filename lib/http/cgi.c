/*
 * cgi: one request from the environment, its body from stdin, its answer to stdout (RFC 3875).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "http/serve.h"

/* A body whose length was not said (chunked) may keep us waiting so long for each piece. */
#define PIECE_WAIT_MS 1000

struct cgi {
	int64_t left; /* bytes of the body: a server need not end stdin after them */
	bool open_ended; /* its length is not known; it ends where stdin does */
	bool failed;
};

static ssize_t
cgi_read(void *state, void *to, size_t n)
{
	struct cgi *c = state;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t got;

	if (!c->open_ended && (uint64_t)c->left < n)
		n = (size_t)c->left;
	if (n == 0 || (c->open_ended && poll(&in, 1, PIECE_WAIT_MS) <= 0))
		return 0;
	do
		got = read(STDIN_FILENO, to, n);
	while (got < 0 && errno == EINTR);
	if (got > 0 && !c->open_ended)
		c->left -= got;
	return got;
}

static const char *last_words; /* where memory runs out; NULL: the answer has begun */

/* How much body there is to read: what is left unread may cost the visitor the answer. */
static void
expect_body(struct cgi *c, char *const *environment)
{
	for (char *const *p = environment; *p != NULL; p++) {
		if (strncmp(*p, "CONTENT_LENGTH=", 15) == 0 &&
		    (!str_to_int64(str_of(*p + 15), &c->left) || c->left < 0))
			c->left = 0;
		if (strncmp(*p, "HTTP_TRANSFER_ENCODING=", 23) == 0)
			c->open_ended = true;
	}
	c->open_ended = c->open_ended && c->left == 0;
}

static int
write_all(struct str s)
{
	while (s.n > 0) {
		ssize_t done = write(STDOUT_FILENO, s.p, s.n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		s.p += done;
		s.n -= (size_t)done;
	}
	return 0;
}

static int
cgi_send(void *state, struct str head, struct str body, bool last)
{
	struct cgi *c = state;

	(void)last;
	last_words = NULL;
	if (write_all(head) != 0 || write_all(body) != 0)
		c->failed = true;
	return c->failed ? -1 : 0;
}

static const struct transport cgi = { .read = cgi_read, .send = cgi_send };

static void
no_memory(void)
{
	if (last_words != NULL)
		(void)write_all(str_of(last_words));
}

int
cgi_run(struct server *server, char *const *environment)
{
	struct cgi c = { .left = 0 };

	signal(SIGPIPE, SIG_IGN);
	expect_body(&c, environment);
	last_words = server->app.app->last_words;
	if (last_words == NULL)
		last_words = response_no_memory;
	arena_on_exhaustion(no_memory);
	serve(server, &cgi, &c, environment);
	server_stop(server);
	return c.failed ? 1 : 0;
}
