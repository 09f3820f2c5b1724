/*
 * sandbox: what a worker may no longer do, and what it still may. Each try is a child of its own.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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

/* -- confined -- */

static char dir[] = "/tmp/meridian-unit-XXXXXX";
static char file[64];

static void
confine(void)
{
	struct sandbox box;

	sandbox_begin(&box);
	sandbox_read(&box, NULL);
	sandbox_read(&box, "/nonexistent");
	sandbox_read(&box, dir);
	if (sandbox_confine(&box) != 0)
		_exit(98);
}

static void
make_a_socket(void)
{
	confine();
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
connect_a_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	confine();
	(void)connect(fd, (const struct sockaddr *)&a, sizeof(a));
}

static void
touch_files(void)
{
	int before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	char byte;

	confine();
	if (read(before, &byte, 1) != 1)
		_exit(1);
	before = open(file, O_RDONLY | O_CLOEXEC);
	if (before < 0 || read(before, &byte, 1) != 1)
		_exit(2);
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		_exit(3);
	if (open(file, O_WRONLY | O_CLOEXEC) >= 0 || unlink(file) == 0)
		_exit(4);
	if (open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) >= 0)
		_exit(5);
}

static void
the_confined_make_no_sockets(void **state)
{
	(void)state;
	assert_int_equal(WTERMSIG(after(make_a_socket)), SIGSYS);
	assert_int_equal(WTERMSIG(after(connect_a_socket)), SIGSYS);
}

static void
signal_a_thread(void)
{
	confine();
	(void)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void
own_a_descriptor_for_the_parent(void)
{
	confine();
	(void)fcntl(STDIN_FILENO, F_SETOWN, getppid());
}

static void
limit_the_parent(void)
{
	struct rlimit limit;

	confine();
	(void)prlimit(getppid(), RLIMIT_CPU, NULL, &limit);
}

static void
open_a_file_to_others(void)
{
	confine();
	(void)chmod(file, 0666);
}

static void
open_a_file_to_others_anew(void)
{
	confine();
	(void)syscall(452, AT_FDCWD, file, 0666, 0); /* fchmodat2 */
}

static void
change_the_times_of_a_file(void)
{
	confine();
	(void)utimensat(AT_FDCWD, file, NULL, 0);
}

static void
make_a_file_in_memory(void)
{
	confine();
	(void)memfd_create("code", MFD_CLOEXEC);
}

/* The program stands for a file that the worker may write. */
static void
run_what_was_written(void)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);

	confine();
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		_exit(1);
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED ||
	    errno != EPERM)
		_exit(2);
}

static void
the_confined_change_no_ones_access_to_a_file(void **state)
{
	(void)state;
	assert_int_equal(WTERMSIG(after(open_a_file_to_others)), SIGSYS);
	assert_int_equal(WTERMSIG(after(open_a_file_to_others_anew)), SIGSYS);
	assert_int_equal(WTERMSIG(after(change_the_times_of_a_file)), SIGSYS);
}

static void
the_confined_run_no_file_that_they_wrote(void **state)
{
	(void)state;
	assert_int_equal(WTERMSIG(after(make_a_file_in_memory)), SIGSYS);
	assert_int_equal(after(run_what_was_written), 0);
}

static void
compute(void)
{
	struct sandbox_filter filter;

	if (sandbox_prepare(&filter) != 0 || sandbox_compute(&filter, 10, MIB(256)) != 0)
		_exit(98);
}

static void
compute_and_signal(void)
{
	compute();
	(void)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void
confine_and_abort(void)
{
	confine();
	abort();
}

static void
compute_and_abort(void)
{
	compute();
	abort();
}

static void
the_confined_signal_nobody_but_themselves(void **state)
{
	void (*const tries[])(void) = { signal_a_thread, own_a_descriptor_for_the_parent,
		limit_the_parent, compute_and_signal };

	(void)state;
	for (size_t i = 0; i < NELEM(tries); i++)
		assert_int_equal(WTERMSIG(after(tries[i])), SIGSYS);
	assert_int_equal(WTERMSIG(after(confine_and_abort)), SIGABRT);
	assert_int_equal(WTERMSIG(after(compute_and_abort)), SIGSYS);
}

static void *volatile taken; /* else a compiler may leave the malloc() out */

/* All that there is of it is taken first. */
static void
compute_without_memory(void)
{
	const struct rlimit none = { 0, 0 };
	struct sandbox_filter filter;

	if (sandbox_prepare(&filter) != 0 || setrlimit(RLIMIT_AS, &none) != 0)
		_exit(98);
	for (size_t n = MIB(1); n > 0; n /= 2)
		while ((taken = malloc(n)) != NULL)
			continue;
	alarm(10);
	if (sandbox_compute(&filter, 1, 0) != 0)
		_exit(97);
	(void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void
who_computes_is_confined_where_memory_has_run_out(void **state)
{
	(void)state;
	assert_int_equal(WTERMSIG(after(compute_without_memory)), SIGSYS);
}

static void
make_a_remote_socket(int protocol)
{
	struct sandbox box;

	sandbox_begin(&box);
	sandbox_tcp(&box, 5432);
	if (sandbox_confine(&box) != 0)
		_exit(98);
	if (socket(AF_INET, SOCK_STREAM, protocol) < 0)
		_exit(1);
}

static void
make_a_tcp_socket(void)
{
	make_a_remote_socket(0);
}

static void
make_a_multipath_socket(void)
{
	make_a_remote_socket(IPPROTO_MPTCP);
}

static void
a_database_elsewhere_is_reached_by_tcp_alone(void **state)
{
	(void)state;
	assert_int_equal(after(make_a_tcp_socket), 0);
	assert_int_equal(WTERMSIG(after(make_a_multipath_socket)), SIGSYS);
}

static void
the_confined_read_below_their_directories_and_write_nowhere(void **state)
{
	FILE *f;

	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1) < 1) {
		print_message("skipped: this kernel has no Landlock\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs("text", f);
	fclose(f);
	assert_int_equal(after(touch_files), 0);
	unlink(file);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_intruder_wants_ends_the_process),
		cmocka_unit_test(what_a_worker_does_is_left),
		cmocka_unit_test(the_confined_make_no_sockets),
		cmocka_unit_test(the_confined_signal_nobody_but_themselves),
		cmocka_unit_test(the_confined_change_no_ones_access_to_a_file),
		cmocka_unit_test(the_confined_run_no_file_that_they_wrote),
		cmocka_unit_test(who_computes_is_confined_where_memory_has_run_out),
		cmocka_unit_test(a_database_elsewhere_is_reached_by_tcp_alone),
		cmocka_unit_test(the_confined_read_below_their_directories_and_write_nowhere),
	};

#ifdef SANITIZED
	puts("a build with sanitizers has no sandbox");
	(void)tests;
	return 77;
#else
	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
#endif
}
