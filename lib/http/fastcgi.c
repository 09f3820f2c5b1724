/*
 * fastcgi: the loop of a worker, and the one file that names libfcgi.
 *
 * libfcgi alone would read the next request from the connection it has, so that a kept connection
 * holds a worker (spec/libraries.md 3.1). Here epoll watches the listening socket and all kept
 * connections; what arrived is looked at without being taken (MSG_PEEK, records.c), and libfcgi
 * gets a connection only when its request is there. So a peer that sends nothing, half a header, or
 * lengths that are lies, costs one entry of a list. Only a body too long for the look is read while
 * it comes, under a time limit that one worker at most can be held for.
 *
 * The answer does not pass through libfcgi: its records and the end of the request leave in one
 * writev (3.10). This leans on members of FCGX_Request marked "don't use": ipcFd, keepConnection,
 * listen_sock. tests/unit/fastcgi.c pins what they do; FASTCGI_LOOP=plain or -P goes without them.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "http/orphan.h"
#include "http/records.h"
#include "http/serve.h"

#define CONNECTIONS_MAX 1024
#define EVENTS_AT_ONCE 16
/* A body that has not come whole is read while it comes after so long. */
#define BODY_GRACE (50 * SECOND / 1000)
/* With too many open files, nothing is accepted for so long. */
#define ACCEPT_PAUSE (100 * SECOND / 1000)

struct connection {
	struct connection *next, **before;
	int fd;
	bool watched; /* is it known to epoll? */
	bool waiting; /* has it begun a request that is not complete? */
	int64_t since; /* of its last request, or of the beginning of this one; monotonic */
};

struct loop {
	struct server *server;
	FCGX_Request request;
	int listener, epoll;
	int orphans[2]; /* see struct prefork */
	bool listening; /* is the listener known to epoll? */
	int64_t paused; /* accept again after this instant */
	struct connection *connections;
	size_t count, waiting;
	int64_t request_timeout, idle_timeout; /* microseconds */
	int64_t now; /* monotonic, of this round */
	unsigned char *look; /* RECORDS_LOOKED_AT bytes */
};

/* The request under way, for handlers of signals and of memory run out. */
static struct {
	volatile sig_atomic_t fd; /* -1: none */
	volatile sig_atomic_t begun; /* part of the answer has left */
	volatile sig_atomic_t id;
} under_way = { -1, 0, 0 };

static volatile sig_atomic_t stopping;

/* The loop of this process, for the handler of a crash. */
static const struct loop *the_loop;

/* --- the transport --- */

struct exchange {
	FCGX_Request *request;
	bool timed; /* a time limit runs until the body has come whole */
	bool failed; /* the connection is of no more use */
	bool ended; /* the answer was sent to its end */
};

static void
limit_time(int64_t microseconds)
{
	struct itimerval t = { { 0, 0 },
		{ (time_t)(microseconds / SECOND), (suseconds_t)(microseconds % SECOND) } };

	setitimer(ITIMER_REAL, &t, NULL);
}

static ssize_t
fastcgi_read(void *state, void *to, size_t n)
{
	struct exchange *x = state;
	int got = FCGX_GetStr(to, n > 1 << 20 ? 1 << 20 : (int)n, x->request->in);

	if (got > 0)
		return got;
	if (x->timed)
		limit_time(0);
	x->timed = false;
	if (FCGX_GetError(x->request->in) != 0) {
		x->failed = true;
		return -1;
	}
	return 0;
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

static const struct transport fastcgi = { fastcgi_read, fastcgi_send };

/* --- what ends a worker --- */

static void
stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
	FCGX_ShutdownPending();
}

/* The time limit of a request passed: whoever waits for its peer finds the connection ended. */
static void
cut(int signal_number)
{
	(void)signal_number;
	if (under_way.fd >= 0)
		(void)shutdown(under_way.fd, SHUT_RDWR);
}

/* Memory ran out: this visitor gets a short answer, the parent another worker. */
static void
no_memory(void)
{
	if (under_way.fd >= 0 && !under_way.begun)
		(void)send_records(under_way.fd, (uint16_t)under_way.id, str_of(response_no_memory),
		    STR(""), true);
}

/*
 * A mistake of ours ends this process. It must cost the request that met it and no other: requests
 * that wait on the other connections are unread, so siblings can serve them.
 */
static void
crashed(int number)
{
	static const char sorry[] = "Status: 500 Internal Server Error\r\n"
	                            "Content-Type: text/plain; charset=utf-8\r\n"
	                            "Cache-Control: no-store\r\n\r\n"
	                            "Something went wrong here. Please try again later.\r\n";

	if (the_loop != NULL && the_loop->orphans[0] >= 0)
		for (const struct connection *c = the_loop->connections; c != NULL; c = c->next)
			if (c->fd != under_way.fd)
				(void)orphan_give(the_loop->orphans[0], c->fd);
	if (under_way.fd >= 0 && !under_way.begun)
		(void)send_records(under_way.fd, (uint16_t)under_way.id,
		    (struct str){ sorry, sizeof(sorry) - 1 }, STR(""), true);
	(void)raise(number); /* SA_RESETHAND: now as if we had done nothing */
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
on_signal(int number, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* --- one request --- */

/*
 * Serves what libfcgi holds; `timed`: a time limit was set, which ends with the body. True where
 * the connection may be kept.
 */
static bool
answer(struct server *server, FCGX_Request *q, bool timed)
{
	struct exchange x = { .request = q, .timed = timed };

	under_way.fd = q->ipcFd;
	under_way.id = q->requestId;
	under_way.begun = 0;
	serve(server, &fastcgi, &x, q->envp);
	under_way.fd = -1;
	if (x.timed)
		limit_time(0);
	return q->keepConnection && x.ended && FCGX_HasSeenEOF(q->in);
}

static void
drop(struct loop *l, struct connection *c)
{
	if (c->waiting)
		l->waiting--;
	*c->before = c->next;
	if (c->next != NULL)
		c->next->before = c->before;
	l->count--;
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

static void
set_waiting(struct loop *l, struct connection *c, bool waiting)
{
	if (c->waiting == waiting)
		return;
	c->waiting = waiting;
	c->since = l->now;
	l->waiting += waiting ? 1 : (size_t)-1;
}

/* libfcgi takes the request and it is answered. False where the connection is gone. */
static bool
hand_over(struct loop *l, struct connection *c, bool whole)
{
	FCGX_Request *q = &l->request;
	bool keep;

	set_waiting(l, c, false);
	q->ipcFd = c->fd;
	q->keepConnection = 1;
	q->listen_sock = -1;
	under_way.fd = c->fd;
	under_way.begun = 1;
	if (!whole)
		limit_time(l->request_timeout);
	if (FCGX_Accept_r(q) < 0) {
		/* libfcgi has closed it */
		under_way.fd = -1;
		limit_time(0);
		c->fd = -1;
		drop(l, c);
		return false;
	}
	keep = answer(l->server, q, !whole);
	FCGX_Free(q, 0);
	q->ipcFd = -1;
	if (!keep) {
		drop(l, c);
		return false;
	}
	c->since = l->now;
	return true;
}

/* Something may have arrived. False where the connection is gone. */
static bool
look(struct loop *l, struct connection *c)
{
	ssize_t n = recv(c->fd, l->look, RECORDS_LOOKED_AT, MSG_PEEK | MSG_DONTWAIT);
	bool full = n == (ssize_t)RECORDS_LOOKED_AT;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		drop(l, c);
		return false;
	}
	switch (records_look(l->look, (size_t)n)) {
	case RECORDS_WHOLE:
		return hand_over(l, c, true);
	case RECORDS_PARAMS:
		if (full || (c->waiting && l->now - c->since > BODY_GRACE))
			return hand_over(l, c, false);
		set_waiting(l, c, true);
		return true;
	case RECORDS_MORE:
		set_waiting(l, c, true);
		if (!full)
			return true;
		break;
	case RECORDS_BAD:
		break;
	}
	log_warn("connection refused: no FastCGI request", LOG_INT("bytes", n));
	drop(l, c);
	return false;
}

/* --- connections --- */

static void
watch(struct loop *l, struct connection *c)
{
	/* edge triggered: what was looked at and left does not wake us again */
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c };

	if (c->watched)
		return;
	c->watched = epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
	if (!c->watched)
		drop(l, c);
}

static void
adopt(struct loop *l, int fd)
{
	struct timeval limit = { (time_t)(l->request_timeout / SECOND),
		(suseconds_t)(l->request_timeout % SECOND) };
	struct connection *c = fd < 0 ? NULL : malloc(sizeof(*c));

	if (fd < 0)
		return;
	if (c == NULL || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
		close(fd);
		free(c);
		return;
	}
	*c = (struct connection){ .fd = fd, .since = l->now };
	c->next = l->connections;
	c->before = &l->connections;
	if (c->next != NULL)
		c->next->before = &c->next;
	l->connections = c;
	l->count++;
	/* mostly the request is there already */
	if (look(l, c))
		watch(l, c);
}

static void
listen_again(struct loop *l, bool on)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL };

	if (on == l->listening)
		return;
	if (epoll_ctl(l->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->listener, &e) == 0)
		l->listening = on;
}

static void
accept_one(struct loop *l)
{
	int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		adopt(l, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		log_warn("cannot accept", LOG_TEXT("error", strerror(errno)));
		listen_again(l, false);
		l->paused = l->now + ACCEPT_PAUSE;
	}
	if (l->count >= CONNECTIONS_MAX) {
		listen_again(l, false);
		l->paused = l->now + ACCEPT_PAUSE;
	}
}

/* Closes what waited too long, and reads bodies that come slowly. */
static void
sweep(struct loop *l)
{
	struct connection *next;

	for (struct connection *c = l->connections; c != NULL; c = next) {
		int64_t age = l->now - c->since;

		next = c->next;
		if (c->waiting && age > l->request_timeout) {
			log_warn("connection dropped: its request did not come whole");
			drop(l, c);
		} else if (c->waiting && age > BODY_GRACE) {
			(void)look(l, c);
		} else if (!c->waiting && age > l->idle_timeout) {
			drop(l, c);
		}
	}
	if (!l->listening && l->now >= l->paused && l->count < CONNECTIONS_MAX && !stopping)
		listen_again(l, true);
}

/* Milliseconds to sleep at most: short while something waits, then a second, then long. */
static int
patience(const struct loop *l, int quiet_rounds)
{
	if (l->waiting > 0 || !l->listening)
		return 50;
	return quiet_rounds == 0 ? 1000 : 15000;
}

static void
rest(struct loop *l)
{
	const struct hooks *hooks = l->server->app.app->hooks;

	if (hooks != NULL && hooks->idle != NULL)
		hooks->idle(&l->server->app);
}

/* Serves whoever has asked already, and leaves the other connections to the siblings. */
static void
finish(struct loop *l)
{
	struct connection *next;

	listen_again(l, false);
	l->now = clock_monotonic();
	for (struct connection *c = l->connections; c != NULL; c = next) {
		next = c->next;
		if (!look(l, c))
			continue;
		if (l->orphans[0] >= 0)
			(void)orphan_give(l->orphans[0], c->fd);
		drop(l, c);
	}
}

static void
run(struct loop *l, const sigset_t *while_waiting)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t swept = 0;
	int quiet = 0;

	while (!stopping) {
		int n = epoll_pwait(
		    l->epoll, events, EVENTS_AT_ONCE, patience(l, quiet), while_waiting);

		l->now = clock_monotonic();
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (c == NULL)
				accept_one(l);
			else if (events[i].data.ptr == l)
				adopt(l, orphan_take(l->orphans[1]));
			else if (look(l, c) && (events[i].events & (EPOLLRDHUP | EPOLLHUP)) != 0)
				drop(l, c); /* answered, and the peer had said it was the last */
		}
		if (n > 0)
			quiet = 0;
		if (n == 0 || l->now - swept > SECOND) {
			sweep(l);
			swept = l->now;
		}
		if (n == 0 && l->waiting == 0) {
			rest(l);
			quiet++;
		}
	}
	finish(l);
}

static bool
watch_orphans(struct loop *l)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = l };

	return l->orphans[1] < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->orphans[1], &e) == 0;
}

static int
run_epoll(struct server *server, const struct prefork *p)
{
	struct loop l = { .server = server,
		.listener = p->listener,
		.orphans = { p->orphans[0], p->orphans[1] } };
	sigset_t blocked, before;

	l.request_timeout = config_int(server->app.config, "REQUEST_TIMEOUT_MS") * 1000;
	l.idle_timeout = config_int(server->app.config, "CONNECTION_IDLE_SECONDS") * SECOND;
	l.look = malloc(RECORDS_LOOKED_AT);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.look == NULL || l.epoll < 0 ||
	    fcntl(l.listener, F_SETFL, fcntl(l.listener, F_GETFL) | O_NONBLOCK) != 0 ||
	    FCGX_InitRequest(&l.request, l.listener, 0) != 0 || !watch_orphans(&l)) {
		log_error("worker cannot start", LOG_TEXT("error", strerror(errno)));
		return 1;
	}
	l.request.ipcFd = -1;
	/* these come only while we wait: a request under way is finished first */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGINT);
	the_loop = &l;
	listen_again(&l, true);
	run(&l, &before);
	the_loop = NULL;
	close(l.epoll);
	free(l.look);
	return 0;
}

/* The loop that libfcgi's makers meant: one connection at a time. */
static int
run_plain(struct server *server, int listener)
{
	int64_t limit = config_int(server->app.config, "REQUEST_TIMEOUT_MS") * 1000;
	FCGX_Request q;

	/* siblings of an earlier configuration may have made it non-blocking */
	if (fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK) != 0 ||
	    FCGX_InitRequest(&q, listener, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return 1;
	while (!stopping && FCGX_Accept_r(&q) >= 0) {
		limit_time(limit);
		FCGX_Free(&q, !answer(server, &q, true));
	}
	return stopping ? 0 : 1;
}

int
fastcgi_run(struct server *server, const struct prefork *p)
{
	int status;

	/* what libfcgi waits for a peer to close after the last byte: nothing */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 0);
	if (FCGX_Init() != 0) {
		log_error("libfcgi cannot start");
		return 1;
	}
	/* after FCGX_Init, which takes SIGTERM for itself (spec/libraries.md 3.10) */
	on_signal(SIGTERM, stop);
	on_signal(SIGINT, stop);
	on_signal(SIGUSR1, SIG_IGN);
	on_signal(SIGHUP, SIG_IGN);
	on_signal(SIGPIPE, SIG_IGN);
	on_signal(SIGALRM, cut);
	on_crash();
	arena_on_exhaustion(no_memory);
	status = p->plain ? run_plain(server, p->listener) : run_epoll(server, p);
	server_stop(server);
	return status;
}
