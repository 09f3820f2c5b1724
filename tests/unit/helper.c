/*
 * helper: what is parsed beside a worker has its file, a pipe, and nothing else. A job says "a", does
 * what the first byte of its file asks, and says "b", if it still can.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "config.h"
#include "http/helper.h"

static int helper;
static int secret; /* a descriptor that a worker has open */

static void
job(int file, int out)
{
	char what = '\0';

	if (write(out, "a", 1) != 1 || read(file, &what, 1) != 1)
		return;
	switch (what) {
	case 'o':
		(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		break;
	case 's':
		(void)!socket(AF_UNIX, SOCK_STREAM, 0);
		break;
	case 'f':
		if (fork() == 0)
			_exit(0);
		break;
	case 'x':
		execl("/bin/true", "true", (char *)NULL);
		break;
	case 'k':
		(void)kill(getppid(), SIGKILL);
		break;
	case 'm':
		if (mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		        0) == MAP_FAILED)
			return;
		break;
	case 'd': /* what the worker had open is not here */
		if (lseek(secret, 0, SEEK_CUR) < 0)
			return;
		break;
	case 'c':
		raise(SIGSEGV);
		break;
	default:
		break;
	}
	(void)!write(out, "b", 1);
}

/* What a job says of this file. */
static const char *
said(const char *text)
{
	static char all[10];
	int file = memfd_create("file", MFD_CLOEXEC), rows;
	size_t n = 0;
	ssize_t k;

	assert_true(write(file, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	rows = helper_parse(helper, file);
	assert_true(rows >= 0);
	while ((k = read(rows, all + n, sizeof(all) - 1 - n)) > 0)
		n += (size_t)k;
	all[n] = '\0';
	close(rows);
	close(file);
	return all;
}

static void
a_job_reads_its_file_and_answers(void **state)
{
	(void)state;
	assert_string_equal(said("-"), "ab");
}

static void
a_job_has_nothing_but_its_file(void **state)
{
	static const char *const tries[] = { "o", "s", "f", "x", "k", "m", "d" };

	(void)state;
	for (size_t i = 0; i < NELEM(tries); i++) {
		assert_string_equal(said(tries[i]), "a");
		assert_string_equal(said("-"), "ab");
	}
}

static void
a_job_that_crashes_is_one_file(void **state)
{
	(void)state;
	assert_string_equal(said("c"), "a");
	assert_string_equal(said("-"), "ab");
}

/* Leaves a helper that is gone behind: the last test. */
static void
a_helper_that_is_gone_is_noticed(void **state)
{
	int status, file = memfd_create("file", MFD_CLOEXEC), it = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		it = helper_start(job, true);
		/* it takes what is no job for none, and ends with its worker's end of the line */
		(void)!write(it, "x", 1);
		_exit(it >= 0 && helper_parse(it, file) >= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	shutdown(helper, SHUT_RDWR);
	assert_int_equal(helper_parse(helper, file), -1);
	close(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_reads_its_file_and_answers),
		cmocka_unit_test(a_job_has_nothing_but_its_file),
		cmocka_unit_test(a_job_that_crashes_is_one_file),
		cmocka_unit_test(a_helper_that_is_gone_is_noticed),
	};

#ifdef SANITIZED
	puts("a build with sanitizers has no sandbox");
	(void)tests;
	return 77;
#else
	secret = fcntl(memfd_create("secret", MFD_CLOEXEC), F_DUPFD_CLOEXEC, 50);
	if (sandbox_enter() != 0 || (helper = helper_start(job, true)) < 0)
		return 1;
	return cmocka_run_group_tests_name("helper", tests, NULL, NULL);
#endif
}
