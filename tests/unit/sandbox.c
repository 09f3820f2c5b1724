/*
 * sandbox: what a worker may no longer do, and what it still may. Each try is a child of its own.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "config.h"

/* The wait status of a child that entered and then did this. */
static int
after(void (*act)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter() != 0)
			_exit(99);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
run_a_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void
look_at_the_parent(void)
{
	(void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void
make_a_namespace(void)
{
	(void)syscall(SYS_unshare, 0x10000000);
}

static void
become_somebody(void)
{
	(void)!setuid(0);
}

static void
work(void)
{
	struct rlimit limit;
	FILE *f = tmpfile();
	int status;
	pid_t pid;

	if (f == NULL || fputs("text", f) < 0 || fclose(f) != 0 ||
	    socket(AF_UNIX, SOCK_STREAM, 0) < 0 || socket(AF_INET, SOCK_STREAM, 0) < 0 ||
	    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(1);
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(2);
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0)
		_exit(3);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(4);
}

static void
what_an_intruder_wants_ends_the_process(void **state)
{
	void (*const tries[])(
	    void) = { run_a_program, look_at_the_parent, make_a_namespace, become_somebody };

	(void)state;
	for (size_t i = 0; i < NELEM(tries); i++) {
		int status = after(tries[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

static void
what_a_worker_does_is_left(void **state)
{
	(void)state;
	assert_int_equal(after(work), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_intruder_wants_ends_the_process),
		cmocka_unit_test(what_a_worker_does_is_left),
	};

#ifdef SANITIZED
	puts("a build with sanitizers has no sandbox");
	(void)tests;
	return 77;
#else
	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
#endif
}
