/*
 * slot: turns of the machine are waited for, and free when who had one is gone.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/slot.h"
#include "base/clock.h"
#include "base/sandbox.h"
#include "config.h"

static char dir[] = "/tmp/meridian-unit-XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/turns", dir);
	unlink(path);
	return rmdir(dir);
}

static void
turn_is_waited_for_and_refused_in_time(void **state)
{
	int one, two, three;
	int64_t start;

	(void)state;
	assert_int_equal(slot_take(dir, "turns", 2, 0, &one), SLOT_MINE);
	assert_int_equal(slot_take(dir, "turns", 2, 0, &two), SLOT_MINE);
	start = clock_monotonic();
	assert_int_equal(slot_take(dir, "turns", 2, 50, &three), SLOT_BUSY);
	assert_true(clock_monotonic() - start >= 50000);
	slot_release(one);
	assert_int_equal(slot_take(dir, "turns", 2, 0, &three), SLOT_MINE);
	slot_release(two);
	slot_release(three);
}

static void
turn_of_a_killed_process_is_free(void **state)
{
	int fd, ready[2], status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (slot_take(dir, "turns", 1, 0, &fd) != SLOT_MINE || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(slot_take(dir, "turns", 1, 0, &fd), SLOT_BUSY);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(slot_take(dir, "turns", 1, 0, &fd), SLOT_MINE);
	slot_release(fd);
	close(ready[0]);
	close(ready[1]);
}

static void
unusable_directory_still_gives_a_turn(void **state)
{
	int fd = 0;

	(void)state;
	assert_int_equal(slot_take("/nonexistent/run", "turns", 1, 0, &fd), SLOT_MINE);
	assert_int_equal(fd, -1);
	slot_release(fd);
}

/* What lies there and is no file is neither waited for nor followed; each process has a turn then. */
static void
what_is_no_file_is_no_lock(void **state)
{
	char path[100], elsewhere[100];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/odd", dir);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(i == 0 ? mkfifo(path, 0600)
		        : i == 1        ? mkdir(path, 0700)
		                        : symlink(elsewhere, path),
		    0);
		assert_int_equal(slot_take(dir, "odd", 1, 0, &fd), SLOT_MINE);
		assert_int_equal(fd, -1);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(access(elsewhere, F_OK), -1);
	/* nor is a directory one that is a file */
	snprintf(path, sizeof(path), "%s/turns", dir);
	assert_int_equal(slot_take(path, "turns", 1, 0, &fd), SLOT_MINE);
	assert_int_equal(fd, -1);
}

static void
file_belongs_to_who_owns_the_directory(void **state)
{
	char path[100], name[100];
	struct stat st;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(name, sizeof(name), "%s/ours", dir);
	snprintf(path, sizeof(path), "%s/linked", dir);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_int_equal(slot_take(dir, "ours", 1, 0, &fd), SLOT_MINE);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65534);
	slot_release(fd);
	/* but not one that has another name elsewhere */
	assert_int_equal(unlink(name), 0);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(link(path, name), 0);
	assert_int_equal(slot_take(dir, "ours", 1, 0, &fd), SLOT_MINE);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, 0);
	slot_release(fd);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chown(dir, 0, 0), 0);
}

static void
confined_process_has_its_turns_and_no_other_file(void **state)
{
	struct sandbox box;
	int status, fd;
	char path[100];
	pid_t pid;

	(void)state;
#ifdef SANITIZED
	skip(); /* nothing is given up there */
#endif
	snprintf(path, sizeof(path), "%s/other", dir);
	pid = fork();
	if (pid == 0) {
		sandbox_begin(&box);
		slot_needs(&box, dir, "turns");
		if (sandbox_confine(&box) != 0)
			_exit(9);
		if (slot_take(dir, "turns", 1, 0, &fd) != SLOT_MINE || fd < 0)
			_exit(1);
		if (box.abi > 0 && open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600) >= 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turn_is_waited_for_and_refused_in_time),
		cmocka_unit_test(turn_of_a_killed_process_is_free),
		cmocka_unit_test(unusable_directory_still_gives_a_turn),
		cmocka_unit_test(what_is_no_file_is_no_lock),
		cmocka_unit_test(file_belongs_to_who_owns_the_directory),
		cmocka_unit_test(confined_process_has_its_turns_and_no_other_file),
	};

	return cmocka_run_group_tests_name("slot", tests, set_up, tear_down);
}
