/*
 * helper: forks, and passes descriptors on (unix(7), SCM_RIGHTS).
 */
#include "http/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"

#define JOB_SECONDS 30 /* of the processor */
#define JOB_MEMORY MIB(256)
#define SOCKET 3 /* of the helper, its only descriptor beside the standard ones */

/* The file, and where to write. */
struct job {
	int file, out;
};

union control {
	struct cmsghdr header; /* aligns it */
	char bytes[CMSG_SPACE(sizeof(struct job))];
};

/* 1 with a job, 0 where the worker is gone, -1 where nothing came of it. */
static int
take_job(struct job *job)
{
	union control control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(SOCKET, &m, 0);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (n == 0 || (n < 0 && errno != EINTR))
		return 0;
	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(*job)))
		return -1;
	memcpy(job, CMSG_DATA(c), sizeof(*job));
	return 1;
}

static void
do_job(const struct job *job, helper_job *act, const struct sandbox_filter *filter)
{
	close(SOCKET);
	signal(SIGPIPE, SIG_DFL);
	if (filter == NULL || sandbox_compute(filter, JOB_SECONDS, JOB_MEMORY) == 0)
		act(job->file, job->out);
	_exit(0);
}

/*
 * Gives up all that it was forked with. The filter of jobs is put together here, once: libseccomp does
 * not end where memory runs out meanwhile, as it may in a job.
 */
static int
retire(int fd, bool sandbox, struct sandbox_filter *filter)
{
	int null = open("/dev/null", O_RDWR);
	struct sandbox box;

	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(fd, SOCKET) < 0 || close_range(SOCKET + 1, ~0U, 0) != 0)
		return -1;
	if (!sandbox)
		return 0;
	if (sandbox_prepare(filter) != 0)
		return -1;
	sandbox_begin(&box);
	sandbox_processes(&box);
	return sandbox_confine(&box);
}

static void
help(int fd, helper_job *act, bool sandbox)
{
	struct sandbox_filter filter;
	struct job job;
	int got;

	if (retire(fd, sandbox, &filter) != 0)
		_exit(1);
	while ((got = take_job(&job)) != 0) {
		if (got < 0)
			continue;
		if (fork() == 0)
			do_job(&job, act, sandbox ? &filter : NULL);
		close(job.file);
		close(job.out);
	}
	_exit(0);
}

int
helper_start(helper_job *act, bool sandbox)
{
	pid_t worker = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		log_error("no helper", LOG_TEXT("error", strerror(errno)));
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == worker)
			help(pair[1], act, sandbox);
		_exit(0);
	}
	close(pair[1]);
	if (pid > 0)
		return pair[0];
	log_error("no helper", LOG_TEXT("error", strerror(errno)));
	close(pair[0]);
	return -1;
}

static int
give_job(int helper, const struct job *job)
{
	union control control = { .bytes = "" };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(*job));
	memcpy(CMSG_DATA(c), job, sizeof(*job));
	return sendmsg(helper, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int
helper_parse(int helper, int file)
{
	int pipe[2];

	if (helper < 0 || pipe2(pipe, O_CLOEXEC) != 0)
		return -1;
	if (give_job(helper, &(struct job){ file, pipe[1] }) != 0) {
		log_error("the helper is gone", LOG_TEXT("error", strerror(errno)));
		close(pipe[0]);
		pipe[0] = -1;
	}
	close(pipe[1]);
	return pipe[0];
}

void
helper_leave(void)
{
	raise(SIGTERM);
}
