/*
 * mail_sendmail: a message handed to a program of this machine: arguments in a list, no shell, the
 * message on its standard input, its words on standard error kept where it fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "mail.h"

#define WORDS_MAX 500 /* bytes of what the program says */

static void
run_program(const struct delivery *d, int input, int output)
{
	const char *path = config_text(d->config, "SENDMAIL_PATH");
	char *argv[] = { (char *)path, (char *)"-i", (char *)"-f", (char *)d->from.p, (char *)"--",
		(char *)d->to.p, NULL };
	char *environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C",
		NULL };
	int null = open("/dev/null", O_WRONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(input, 0) < 0 || dup2(null, 1) < 0 || dup2(output, 2) < 0)
		_exit(EX_OSERR);
	closefrom(3);
	execve(path, argv, environment);
	_exit(errno == ENOENT ? EX_UNAVAILABLE : EX_OSERR);
}

/* Writes the message and reads what the program says, until it ends both. False: it takes too long. */
static bool
talk(struct str message, int to, int from, struct buf *said)
{
	int64_t end = clock_monotonic() + MAIL_TIME_LIMIT * SECOND, left;
	size_t written = 0;

	while ((left = end - clock_monotonic()) > 0) {
		struct pollfd fds[] = { { from, POLLIN, 0 }, { to, POLLOUT, 0 } };
		char bytes[512];
		ssize_t n;

		if (poll(fds, to >= 0 ? 2 : 1, (int)(left / 1000) + 1) < 0 && errno != EINTR)
			break;
		if (to >= 0 && fds[1].revents != 0) {
			n = write(to, message.p + written, message.n - written);
			written += n > 0 ? (size_t)n : 0;
			if (written == message.n || (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(to);
				to = -1;
			}
		}
		if (fds[0].revents != 0) {
			n = read(from, bytes, sizeof(bytes));
			if (n == 0 || (n < 0 && errno != EINTR)) {
				if (to >= 0)
					close(to);
				return true;
			}
			if (n > 0 && said->n < WORDS_MAX)
				buf_put(said, bytes, (size_t)n);
		}
	}
	if (to >= 0)
		close(to);
	return false;
}

/* What its exit status means. */
static enum delivered
judge(const struct delivery *d, int status, const struct buf *said, struct str *why)
{
	struct str words = str_trim(buf_text(said));

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return DELIVERED;
	*why = arena_printf(d->arena, "%s %s %d%s%.*s", config_text(d->config, "SENDMAIL_PATH"),
	    WIFEXITED(status) ? "ended with status" : "was ended by signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), words.n > 0 ? ": " : "",
	    STR_ARG(words));
	if (WIFEXITED(status) &&
	    (WEXITSTATUS(status) == EX_DATAERR || WEXITSTATUS(status) == EX_NOUSER ||
	        WEXITSTATUS(status) == EX_NOHOST))
		return DELIVERY_REFUSED;
	return DELIVERY_FAILED;
}

enum delivered
sendmail_deliver(const struct delivery *d, struct str *why)
{
	struct buf said = { 0 };
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, status = 0;
	enum delivered done = DELIVERY_FAILED;
	pid_t pid = -1;

	signal(SIGPIPE, SIG_IGN);
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		run_program(d, in[0], out[1]);
	if (pid < 0) {
		*why = arena_printf(d->arena, "sendmail cannot be started: %s", strerror(errno));
		for (size_t i = 0; i < 2; i++) {
			close(in[i]);
			close(out[i]);
		}
		return DELIVERY_FAILED;
	}
	close(in[0]);
	close(out[1]);
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	if (!talk(d->message, in[1], out[0], &said)) {
		kill(pid, SIGKILL);
		buf_puts(&said, "it took too long");
	}
	close(out[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	done = judge(d, status, &said, why);
	buf_free(&said);
	return done;
}
