/*
 * cgi: one request from the environment, its body from stdin, its answer to stdout (RFC 3875).
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "http/serve.h"

struct cgi {
	bool failed;
};

static ssize_t
cgi_read(void *state, void *to, size_t n)
{
	ssize_t got;

	(void)state;
	do
		got = read(STDIN_FILENO, to, n);
	while (got < 0 && errno == EINTR);
	return got;
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
	if (write_all(head) != 0 || write_all(body) != 0)
		c->failed = true;
	return c->failed ? -1 : 0;
}

static const struct transport cgi = { cgi_read, cgi_send };

/* Without CONTENT_LENGTH there is no body: stdin may be a terminal, or never end. */
static ssize_t
no_body(void *state, void *to, size_t n)
{
	(void)state;
	(void)to;
	(void)n;
	return 0;
}

static const struct transport cgi_without_body = { no_body, cgi_send };

int
cgi_run(struct server *server, char *const *environment)
{
	struct cgi c = { false };
	bool has_body = false;

	signal(SIGPIPE, SIG_IGN);
	for (char *const *p = environment; *p != NULL; p++)
		if (strncmp(*p, "CONTENT_LENGTH=", 15) == 0 && (*p)[15] != '\0')
			has_body = true;
	serve(server, has_body ? &cgi : &cgi_without_body, &c, environment);
	server_stop(server);
	return c.failed ? 1 : 0;
}
