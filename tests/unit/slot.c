/*
 * slot: turns of the machine are waited for, and free when who had one is gone.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/slot.h"
#include "base/clock.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turn_is_waited_for_and_refused_in_time),
		cmocka_unit_test(turn_of_a_killed_process_is_free),
		cmocka_unit_test(unusable_directory_still_gives_a_turn),
	};

	return cmocka_run_group_tests_name("slot", tests, set_up, tear_down);
}
