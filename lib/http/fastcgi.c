/*
 * fastcgi: FastCGI as a transport, and the one file that names libfcgi.
 *
 * libfcgi alone would read the next request from the connection it has, so that a kept connection
 * holds a worker (spec/libraries.md 3.1). Here it is only handed a connection in which a request
 * lies (loop.c), and the connection is taken back afterwards.
 *
 * The answer does not pass through libfcgi: its records and the end of the request leave in one
 * writev (3.10). This leans on members of FCGX_Request marked "don't use": ipcFd, keepConnection,
 * listen_sock. tests/unit/fastcgi.c pins what they do; FASTCGI_LOOP=plain or -P goes without them.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "http/loop.h"
#include "http/records.h"
#include "http/serve.h"

/* Of a body that is not here whole, so much must come in REQUEST_TIMEOUT_MS, again and again. */
#define BODY_PIECE KIB(32)
/* What is left of a body that nobody wants must come in this time, or the connection is closed. */
#define UNWANTED_TIME (2 * SECOND)
/* A request may compute for so many times REQUEST_TIMEOUT_MS. */
#define CPU_TICKS 12

/* The request under way, for handlers of signals and of memory run out. */
static struct {
	volatile sig_atomic_t fd; /* -1: none */
	volatile sig_atomic_t begun; /* part of the answer has left, or nobody is there for it */
	volatile sig_atomic_t id;
	volatile sig_atomic_t unwanted; /* the body, not the connection */
	volatile sig_atomic_t ticks; /* of processor time it took */
} under_way = { -1, 0, 0, 0, 0 };

static volatile sig_atomic_t stopping;
static const char *last_words; /* of the app */

/* --- the transport --- */

struct exchange {
	FCGX_Request *request;
	int64_t limit; /* microseconds for each piece of the body; 0: it is here whole */
	size_t piece; /* bytes that came since the limit was set */
	bool failed; /* the connection is of no more use */
	bool ended; /* the answer was sent to its end */
};

static struct timeval
interval(int64_t microseconds)
{
	return (struct timeval){ (time_t)(microseconds / SECOND),
		(suseconds_t)(microseconds % SECOND) };
}

/* After so long, and then each second till 0 is given, cut() is called. */
static void
limit_time(int64_t microseconds)
{
	struct itimerval t = { interval(microseconds > 0 ? SECOND : 0), interval(microseconds) };

	setitimer(ITIMER_REAL, &t, NULL);
}

static ssize_t
fastcgi_read(void *state, void *to, size_t n)
{
	struct exchange *x = state;
	int got = FCGX_GetStr(to, n > BODY_PIECE ? (int)BODY_PIECE : (int)n, x->request->in);

	if (got > 0) {
		x->piece += (size_t)got;
		if (x->limit > 0 && x->piece >= BODY_PIECE && !under_way.unwanted) {
			x->piece = 0;
			limit_time(x->limit);
		}
		return got;
	}
	if (x->limit > 0)
		limit_time(0);
	x->limit = 0;
	if (FCGX_GetError(x->request->in) == 0)
		return 0;
	x->failed = !under_way.unwanted;
	return -1;
}

static void
fastcgi_hurry(void *state)
{
	const struct exchange *x = state;

	if (x->limit > 0 && !under_way.unwanted) {
		under_way.unwanted = 1;
		limit_time(x->limit < UNWANTED_TIME ? x->limit : UNWANTED_TIME);
	}
}

/* All of it, whatever the socket takes at once. */
static int
write_all(int fd, struct iovec *iov, size_t n)
{
	while (n > 0) {
		ssize_t done = writev(fd, iov, (int)n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		while (n > 0 && (size_t)done >= iov->iov_len) {
			done -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

static int
send_records(int fd, uint16_t id, struct str head, struct str body, bool last)
{
	struct records records;
	size_t n;

	do {
		n = records_make(&records, id, &head, &body, last);
		if (write_all(fd, records.iov, n) != 0)
			return -1;
	} while (head.n + body.n > 0);
	return 0;
}

static int
fastcgi_send(void *state, struct str head, struct str body, bool last)
{
	struct exchange *x = state;
	const FCGX_Request *q = x->request;

	under_way.begun = 1;
	if (x->failed || send_records(q->ipcFd, (uint16_t)q->requestId, head, body, last) != 0)
		x->failed = true;
	x->ended = last && !x->failed;
	return x->failed ? -1 : 0;
}

static const struct transport fastcgi = { fastcgi_read, fastcgi_send, fastcgi_hurry };

/* --- what ends a worker --- */

static void
stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
	FCGX_ShutdownPending();
}

/*
 * A time limit passed: whoever waits for the peer finds the connection ended, or where an answer is
 * still to be sent, the wait interrupted.
 */
static void
cut(int signal_number)
{
	(void)signal_number;
	if (under_way.fd >= 0 && !under_way.unwanted)
		(void)shutdown(under_way.fd, SHUT_RDWR);
}

/*
 * This process ends in mid-request, which must cost that request and no other: those that wait on
 * the other connections are unread, so siblings can serve them.
 */
static void
leave_with(const char *words)
{
	loop_abandon(under_way.fd);
	if (under_way.fd >= 0 && !under_way.begun)
		(void)send_records(under_way.fd, (uint16_t)under_way.id,
		    str_of(last_words == NULL ? words : last_words), STR(""), true);
}

static void
no_memory(void)
{
	leave_with(response_no_memory);
}

/* A mistake of ours. */
static void
crashed(int number)
{
	leave_with(response_crash);
	(void)raise(number); /* SA_RESETHAND: now as if we had done nothing */
}

/* So much processor time passed since the last time. */
static void
count_time(int signal_number)
{
	static const char message[] =
	    "{\"level\":\"error\",\"event\":\"a request took too long\"}\n";

	(void)signal_number;
	if (under_way.fd < 0 || under_way.ticks++ < CPU_TICKS)
		return;
	leave_with(response_too_long);
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(71);
	_exit(70);
}

static void
on_crash(void)
{
#ifndef SANITIZED
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char room[KIB(64)]; /* the stack may be what is used up */
	const stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action;

	(void)sigaltstack(&stack, NULL);
	memset(&action, 0, sizeof(action));
	action.sa_handler = crashed;
	action.sa_flags = SA_ONSTACK | (int)SA_RESETHAND;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NELEM(numbers); i++)
		sigaction(numbers[i], &action, NULL);
#else
	(void)crashed;
#endif
}

static void
on_signal(int number, void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* --- one request --- */

/*
 * Serves what libfcgi holds; `limit`: the time limit that was set, for a body that is not here whole;
 * else 0. True where the connection may be kept.
 */
static bool
answer(struct server *server, FCGX_Request *q, int64_t limit)
{
	struct exchange x = { .request = q, .limit = limit };

	under_way.fd = q->ipcFd;
	under_way.id = q->requestId;
	under_way.begun = under_way.unwanted = under_way.ticks = 0;
	serve(server, &fastcgi, &x, q->envp);
	under_way.fd = -1;
	if (x.limit > 0)
		limit_time(0);
	return q->keepConnection && x.ended && FCGX_HasSeenEOF(q->in) && FCGX_GetError(q->in) == 0;
}

struct worker {
	struct server *server;
	FCGX_Request request;
	int64_t limit; /* microseconds, for a body that is not here whole */
};

/* libfcgi takes the connection and its request; it is answered; the connection is taken back. */
static enum loop_fate
serve_connection(void *arg, int fd, bool whole)
{
	struct worker *w = arg;
	FCGX_Request *q = &w->request;
	bool keep;

	q->ipcFd = fd;
	q->keepConnection = 1;
	q->listen_sock = -1;
	under_way.fd = fd;
	under_way.begun = 1;
	under_way.unwanted = 0;
	if (!whole)
		limit_time(w->limit);
	if (FCGX_Accept_r(q) < 0) {
		under_way.fd = -1;
		limit_time(0);
		return LOOP_CLOSED;
	}
	keep = answer(w->server, q, whole ? 0 : w->limit);
	FCGX_Free(q, 0);
	q->ipcFd = -1;
	return keep ? LOOP_KEEP : LOOP_CLOSE;
}

static int
run_epoll(struct server *server, const struct prefork *p)
{
	struct worker w = { .server = server,
		.limit = config_int(server->app.config, "REQUEST_TIMEOUT_MS") * 1000 };

	if (FCGX_InitRequest(&w.request, p->listener, 0) != 0)
		return 1;
	w.request.ipcFd = -1;
	return loop_run(server, p, serve_connection, &w, &stopping);
}

/* Has somebody connected? Signals come here and nowhere else. */
static bool
has_caller(struct server *server, int listener, const sigset_t *while_waiting)
{
	const struct timespec limit = { 1, 0 };
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int n = ppoll(&p, 1, &limit, while_waiting);

	if (n == 0)
		server_rest(server);
	return n > 0;
}

/*
 * libfcgi's own loop: one connection at a time, a request on each, since it could not be told to
 * leave one that is kept. All of a request must come within the time limit.
 */
static int
run_plain(struct server *server, int listener)
{
	int64_t limit = config_int(server->app.config, "REQUEST_TIMEOUT_MS") * 1000;
	const struct timeval t = interval(limit);
	sigset_t while_waiting;
	FCGX_Request q;
	int failed = 0;

	/* else who is slower than a sibling would wait in accept */
	if (fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK) != 0 ||
	    FCGX_InitRequest(&q, listener, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return 1;
	loop_block_signals(&while_waiting);
	while (!stopping && (failed >= 0 || failed == -EAGAIN || failed == -EINTR)) {
		if (!has_caller(server, listener, &while_waiting))
			continue;
		limit_time(limit);
		failed = FCGX_Accept_r(&q);
		/* parameters cut short are none: libfcgi takes the error for their end */
		if (failed >= 0 && FCGX_GetError(q.in) == 0) {
			(void)setsockopt(q.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
			(void)answer(server, &q, limit);
		}
		limit_time(0);
		FCGX_Free(&q, 1);
	}
	return stopping ? 0 : 1;
}

int
fastcgi_run(struct server *server, const struct prefork *p)
{
	int64_t limit = config_int(server->app.config, "REQUEST_TIMEOUT_MS") * 1000;
	const struct itimerval tick = { interval(limit), interval(limit) };
	bool plain;
	int status;

	last_words = server->app.app->last_words;
	/* what libfcgi waits for a peer to close after the last byte: nothing */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 0);
	if (FCGX_Init() != 0) {
		log_error("libfcgi cannot start");
		return 1;
	}
	/* after FCGX_Init, which takes SIGTERM for itself (spec/libraries.md 3.10) */
	on_signal(SIGTERM, stop, 0);
	on_signal(SIGINT, stop, 0);
	on_signal(SIGUSR1, SIG_IGN, 0);
	on_signal(SIGHUP, SIG_IGN, 0);
	on_signal(SIGPIPE, SIG_IGN, 0);
	on_signal(SIGALRM, cut, 0);
	on_signal(SIGPROF, count_time, SA_RESTART);
	setitimer(ITIMER_PROF, &tick, NULL);
	on_crash();
	arena_on_exhaustion(no_memory);
	plain = p->plain || strcmp(config_text(server->app.config, "FASTCGI_LOOP"), "plain") == 0;
	status = plain ? run_plain(server, p->listener) : run_epoll(server, p);
	server_stop(server);
	return status;
}
