/*
 * prefork: the parent of the workers. It opens the socket, keeps so many workers running, and
 * serves nothing itself.
 *
 *	SIGTERM, SIGINT	workers finish what they have begun, then all end
 *	SIGHUP		configuration and templates are read again; where they are right, new workers
 *			start and the old ones finish; where not, all stays as it was
 *
 * To finish they have DRAIN_TIMEOUTS times REQUEST_TIMEOUT_MS; then they are killed, which is logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/serve.h"
#include "http/template.h"

#define BACKLOG 1024
#define WORKERS_MAX 256
/* A worker that lived shorter than this, or was killed from outside before ... */
#define SHORT_LIFE (2 * SECOND)
#define SHORT_LIFE_OF_KILLED (SECOND / 10)
/* ... counts towards a storm. After so many of them in a row each start waits, longer and longer. */
#define STORM 5
#define STORM_PAUSE_MAX (10 * SECOND)
/* A worker that has not left after so many times REQUEST_TIMEOUT_MS is killed. */
#define DRAIN_TIMEOUTS 6

struct worker {
	pid_t pid; /* 0: the place is free */
	bool first; /* began with us, not as a replacement */
	int64_t started,
	    leaving; /* monotonic; leaving: since when it was asked to end, 0: it was not */
	bool killed; /* it did not leave */
};

struct parent {
	struct prefork *setup;
	struct worker workers[2 * WORKERS_MAX]; /* those that serve, and those that leave */
	int short_lives; /* in a row */
	int64_t start_after; /* monotonic */
	sigset_t before; /* the signal mask that workers get */
	int status;
	bool first; /* the first workers are being started */
	bool ending;
	bool again; /* SIGHUP came while workers were still being replaced */
};

/* Is somebody listening there? */
static bool
is_live(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool live = fd >= 0 &&
	    (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	        errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return live;
}

int
listen_at(const char *path, char *err, size_t errsize)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd, failed;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(err, errsize, "%s: the path of a socket is at most %zu bytes", path,
		    sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			snprintf(err, errsize, "%s: is there already and is no socket", path);
			return -1;
		}
		if (is_live(&address)) {
			snprintf(err, errsize, "%s: another server listens there", path);
			return -1;
		}
		(void)unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0117);
	failed = fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, BACKLOG) != 0;
	umask(mask);
	if (!failed)
		return fd;
	snprintf(err, errsize, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- workers --- */

static void
become_worker(struct parent *p, pid_t parent)
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	status = p->setup->work(p->setup);
	free(p);
	exit(status);
}

static void
start_worker(struct parent *p, struct worker *w)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become_worker(p, parent);
	if (pid < 0) {
		log_error("cannot start a worker", LOG_TEXT("error", strerror(errno)));
		p->start_after = clock_monotonic() + SECOND;
		return;
	}
	*w = (struct worker){ .pid = pid, .first = p->first, .started = clock_monotonic() };
}

static size_t
count(const struct parent *p, bool leaving)
{
	size_t n = 0;

	for (size_t i = 0; i < NELEM(p->workers); i++)
		n += p->workers[i].pid != 0 && (p->workers[i].leaving != 0) == leaving;
	return n;
}

/* Starts as many as are missing, unless they die faster than is good. */
static void
fill(struct parent *p)
{
	size_t have = count(p, false);

	if (p->ending || clock_monotonic() < p->start_after)
		return;
	for (size_t i = 0; i < NELEM(p->workers) && have < (size_t)p->setup->workers; i++)
		if (p->workers[i].pid == 0) {
			start_worker(p, &p->workers[i]);
			have++;
			if (p->short_lives >= STORM)
				break;
		}
}

static void
mark_as_leaving(struct parent *p)
{
	for (size_t i = 0; i < NELEM(p->workers); i++)
		if (p->workers[i].pid != 0 && p->workers[i].leaving == 0)
			p->workers[i].leaving = clock_monotonic();
}

/* Those that were asked to leave: SIGTERM to all, SIGKILL to those that do not. */
static void
signal_leaving(struct parent *p, int signal_number)
{
	int64_t limit = config_int(p->setup->config, "REQUEST_TIMEOUT_MS") * 1000 * DRAIN_TIMEOUTS;
	int64_t now = clock_monotonic();
	int64_t since = signal_number == SIGKILL ? now - limit : INT64_MAX;

	for (size_t i = 0; i < NELEM(p->workers); i++) {
		struct worker *w = &p->workers[i];

		if (w->leaving == 0 || w->leaving >= since)
			continue;
		(void)kill(w->pid, signal_number);
		if (signal_number == SIGKILL && !w->killed) {
			w->killed = true;
			log_warn("worker did not leave; killed", LOG_INT("pid", w->pid),
			    LOG_INT("waited_ms", (now - w->leaving) / 1000));
		}
	}
}

/* From here on others may open the socket anew. */
static void
end(struct parent *p)
{
	if (!p->ending && p->setup->path != NULL)
		(void)unlink(p->setup->path);
	if (!p->ending)
		close(p->setup->listener);
	p->ending = true;
	mark_as_leaving(p);
	signal_leaving(p, SIGTERM);
}

/* A worker ended that nobody had asked to. */
static void
note_death(struct parent *p, const struct worker *w, int status)
{
	int64_t now = clock_monotonic(), pause;
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	bool quick = now - w->started < (killed ? SHORT_LIFE_OF_KILLED : SHORT_LIFE);

	log_error("worker ended", LOG_INT("pid", w->pid),
	    LOG_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
	    LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
	p->short_lives = quick ? p->short_lives + 1 : 0;
	if (quick && WIFEXITED(status) && WEXITSTATUS(status) == 78) {
		/* It cannot start. At the beginning whoever started us must know; later others
		 * go on serving, and what is wrong may be mended. */
		if (w->first) {
			p->status = 78;
			end(p);
		}
		if (p->short_lives < STORM)
			p->short_lives = STORM;
	}
	if (p->short_lives >= STORM) {
		pause = (p->short_lives - STORM + 1) * SECOND;
		p->start_after = now + (pause < STORM_PAUSE_MAX ? pause : STORM_PAUSE_MAX);
		log_error("workers die at once; waiting before the next",
		    LOG_INT("in_a_row", p->short_lives));
	}
}

static void
reap(struct parent *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < NELEM(p->workers); i++)
			if (p->workers[i].pid == pid) {
				struct worker was = p->workers[i];

				p->workers[i] = (struct worker){ .pid = 0 };
				if (was.leaving == 0)
					note_death(p, &was, status);
			}
}

/* --- signals --- */

static void
reload(struct parent *p)
{
	struct prefork *s = p->setup;
	struct config *config = s->config;
	struct templates *templates = s->templates;

	/* one generation after the other: this one waits until the last has left */
	p->again = count(p, true) > 0;
	if (p->again)
		return;
	if (s->load(s->app, &s->config, &s->templates) != 0) {
		s->config = config;
		s->templates = templates;
		log_error("configuration not taken; all goes on as before");
		return;
	}
	/* the old workers finish, within the time there is for that; the new ones already listen */
	mark_as_leaving(p);
	p->short_lives = 0;
	p->start_after = 0;
	fill(p);
	signal_leaving(p, SIGTERM);
	templates_free(templates);
	config_free(config);
	log_info("configuration read again");
}

static void
wait_for_signal(struct parent *p, const sigset_t *wanted)
{
	struct timespec limit = { 1, 0 };

	if (p->start_after > clock_monotonic())
		limit = (struct timespec){ 0, 100000000 };
	switch (sigtimedwait(wanted, NULL, &limit)) {
	case SIGTERM:
	case SIGINT:
		end(p);
		break;
	case SIGHUP:
		if (!p->ending)
			reload(p);
		break;
	default:
		break;
	}
}

int
prefork_run(struct prefork *setup)
{
	struct parent *p = calloc(1, sizeof(*p));
	sigset_t wanted;
	int status;

	if (p == NULL)
		return 1;
	p->setup = setup;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, setup->orphans) != 0) {
		log_error("cannot start", LOG_TEXT("error", strerror(errno)));
		free(p);
		return 1;
	}
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, &p->before);
	p->first = true;
	fill(p);
	p->first = false;
	while (!p->ending || count(p, true) + count(p, false) > 0) {
		wait_for_signal(p, &wanted);
		reap(p);
		if (p->again && !p->ending)
			reload(p);
		fill(p);
		signal_leaving(p, SIGKILL);
	}
	status = p->status;
	free(p);
	return status;
}
