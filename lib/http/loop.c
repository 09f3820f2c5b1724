/*
 * loop: whom a worker listens to. epoll watches the listening socket and all kept connections; what
 * arrived is looked at without being taken (MSG_PEEK, records.c), and a connection is served only
 * when its request is there. So a peer that sends nothing, half a header, half a form, or lengths
 * that are lies, costs one entry of a list. Only a long body is read while it comes, which holds this
 * worker: each piece of it must come in time (fastcgi.c).
 */
#include "http/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/orphan.h"
#include "http/records.h"

#define CONNECTIONS_MAX 1024
#define EVENTS_AT_ONCE 16
/* A body is read while it comes where at least so much of its request is here. */
#define BODY_LONG ((ssize_t)KIB(32))
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
	loop_serve *serve;
	void *arg; /* of serve */
	volatile sig_atomic_t *stopping;
	int listener, epoll;
	int orphans[2]; /* see struct prefork */
	bool listening; /* is the listener known to epoll? */
	int64_t paused; /* accept again after this instant */
	struct connection *connections;
	size_t count, waiting;
	int64_t request_timeout, idle_timeout; /* microseconds */
	int64_t tick; /* how often time-outs are looked for while a request is awaited */
	int64_t now; /* monotonic, of this round */
	unsigned char *look; /* RECORDS_LOOKED_AT bytes */
};

/* The loop of this process, for the handler of a crash. */
static const struct loop *the_loop;

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

/* The request is read and answered. False where the connection is gone. */
static bool
serve_it(struct loop *l, struct connection *c, bool whole)
{
	enum loop_fate fate;

	set_waiting(l, c, false);
	fate = l->serve(l->arg, c->fd, whole);
	if (fate == LOOP_CLOSED)
		c->fd = -1;
	if (fate != LOOP_KEEP)
		drop(l, c);
	else
		c->since = l->now;
	return fate == LOOP_KEEP;
}

/* Something may have arrived. False where the connection is gone. */
static bool
look(struct loop *l, struct connection *c)
{
	ssize_t n = recv(c->fd, l->look, RECORDS_LOOKED_AT, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		drop(l, c);
		return false;
	}
	switch (records_look(l->look, (size_t)n)) {
	case RECORDS_WHOLE:
		return serve_it(l, c, true);
	case RECORDS_PIECES:
		return serve_it(l, c, false);
	case RECORDS_PARAMS:
		if (n >= BODY_LONG)
			return serve_it(l, c, false);
		set_waiting(l, c, true);
		return true;
	case RECORDS_MORE:
		set_waiting(l, c, true);
		if (n < (ssize_t)RECORDS_LOOKED_AT)
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

/* Closes what waited too long. */
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
		} else if (!c->waiting && age > l->idle_timeout) {
			drop(l, c);
		}
	}
	if (!l->listening && l->now >= l->paused && l->count < CONNECTIONS_MAX && !*l->stopping)
		listen_again(l, true);
}

/* Milliseconds to sleep at most: short while something waits, then a second, then long. */
static int
patience(const struct loop *l, int quiet_rounds)
{
	if (!l->listening)
		return 50;
	if (l->waiting > 0)
		return (int)(l->tick / 1000);
	return quiet_rounds == 0 ? 1000 : 15000;
}

/* Serves whoever has asked already, and leaves the other connections to the siblings. */
static void
finish(struct loop *l)
{
	struct connection *next;

	listen_again(l, false);
	l->now = clock_monotonic();
	for (struct connection *c = l->connections; c != NULL; c = next) {
		/* drop() took what it freed out of the list by ->before, which clang-tidy does not see */
		next = c->next; /* NOLINT(clang-analyzer-unix.Malloc) */
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

	while (!*l->stopping) {
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
		if (n == 0 || l->now - swept > (l->waiting > 0 ? l->tick : SECOND)) {
			sweep(l);
			swept = l->now;
		}
		if (n == 0 && l->waiting == 0) {
			server_rest(l->server);
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

void
loop_block_signals(sigset_t *while_waiting)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, while_waiting);
	sigdelset(while_waiting, SIGTERM);
	sigdelset(while_waiting, SIGINT);
}

int
loop_run(struct server *server, const struct prefork *p, loop_serve *serve_one, void *arg,
    volatile sig_atomic_t *stopping)
{
	struct loop l = { .server = server,
		.serve = serve_one,
		.arg = arg,
		.stopping = stopping,
		.listener = p->listener,
		.orphans = { p->orphans[0], p->orphans[1] } };
	sigset_t while_waiting;

	l.request_timeout = config_int(server->app.config, "REQUEST_TIMEOUT_MS") * 1000;
	l.tick = l.request_timeout / 4 < SECOND ? l.request_timeout / 4 : SECOND;
	l.idle_timeout = config_int(server->app.config, "CONNECTION_IDLE_SECONDS") * SECOND;
	l.look = malloc(RECORDS_LOOKED_AT);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.look == NULL || l.epoll < 0 ||
	    fcntl(l.listener, F_SETFL, fcntl(l.listener, F_GETFL) | O_NONBLOCK) != 0 ||
	    !watch_orphans(&l)) {
		log_error("worker cannot start", LOG_TEXT("error", strerror(errno)));
		if (l.epoll >= 0)
			close(l.epoll);
		free(l.look);
		return 1;
	}
	loop_block_signals(&while_waiting);
	the_loop = &l;
	listen_again(&l, true);
	run(&l, &while_waiting);
	the_loop = NULL;
	close(l.epoll);
	free(l.look);
	return 0;
}

void
loop_abandon(int except)
{
	if (the_loop == NULL || the_loop->orphans[0] < 0)
		return;
	for (const struct connection *c = the_loop->connections; c != NULL; c = c->next)
		if (c->fd != except)
			(void)orphan_give(the_loop->orphans[0], c->fd);
}
