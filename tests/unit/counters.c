/*
 * counters: places of workers in the file of an executable are kept over their deaths, and what is no
 * file of ours is begun anew.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "http/counters.h"

static char top[] = "/tmp/meridian-unit-XXXXXX";
static char dir[100], file[120];
static struct arena *a;

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/metrics", top);
	snprintf(file, sizeof(file), "%s/robots", dir);
	a = arena_new();
	log_set_level(LOG_LEVEL_NONE);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	unlink(file);
	rmdir(dir);
	return rmdir(top);
}

static int
begin_anew(void **state)
{
	(void)state;
	return unlink(file) == 0 || errno == ENOENT ? 0 : -1;
}

static void
answer(struct counters *c, unsigned method, int status, int64_t microseconds)
{
	counters_begin(c);
	counters_end(c,
	    &(struct counters_request){ .method = method,
	        .status = status,
	        .bytes = 10,
	        .microseconds = microseconds,
	        .statements = 3,
	        .statement_us = 7 });
}

/* What a reader sees of robots; all 0 where there is nothing. */
static struct counters_sum
sum(void)
{
	size_t n;
	struct counters_sum *all = counters_read(a, dir, &n);

	if (n == 0)
		return (struct counters_sum){ .workers = 0 };
	assert_int_equal(n, 1);
	assert_str(all[0].program, "robots");
	return all[0];
}

static uint64_t
requests(size_t method, size_t class)
{
	return sum().n[COUNTER_REQUESTS + method * COUNTERS_CLASSES + class];
}

static void
each_request_is_counted_in_its_places(void **state)
{
	static const struct {
		unsigned method;
		size_t index;
	} methods[] = { { 1, 0 }, { 2, 1 }, { 4, 2 }, { 8, 3 }, { 16, 4 }, { 32, 5 }, { 64, 6 },
		{ 0, 7 }, { 128, 7 } };
	static const struct {
		int status;
		size_t class;
	} statuses[] = { { 100, 1 }, { 200, 2 }, { 299, 2 }, { 302, 3 }, { 404, 4 }, { 599, 5 },
		{ 600, 0 }, { 0, 0 }, { -1, 0 } };
	struct counters c;

	(void)state;
	counters_init(&c);
	counters_join(&c, dir, "robots");
	assert_int_equal(sum().workers, 1);
	for (size_t i = 0; i < NELEM(methods); i++) {
		uint64_t before = requests(methods[i].index, 2);

		answer(&c, methods[i].method, 204, 1);
		assert_int_equal(requests(methods[i].index, 2), before + 1);
	}
	for (size_t i = 0; i < NELEM(statuses); i++) {
		uint64_t before = requests(0, statuses[i].class);

		answer(&c, 1, statuses[i].status, 1);
		assert_int_equal(requests(0, statuses[i].class), before + 1);
	}
	assert_int_equal(sum().n[COUNTER_BYTES], 10 * (NELEM(methods) + NELEM(statuses)));
	assert_int_equal(sum().n[COUNTER_STATEMENTS], 3 * (NELEM(methods) + NELEM(statuses)));
	assert_int_equal(sum().n[COUNTER_STATEMENT_US], 7 * (NELEM(methods) + NELEM(statuses)));
	assert_int_equal(sum().n[COUNTER_REFUSED + REFUSED_THROTTLE], 0);
	answer(&c, 2, 429, 1);
	answer(&c, 1, 503, 1);
	counters_refuse(&c, REFUSED_CSRF);
	assert_int_equal(sum().n[COUNTER_REFUSED + REFUSED_THROTTLE], 1);
	assert_int_equal(sum().n[COUNTER_REFUSED + REFUSED_AWAY], 1);
	assert_int_equal(sum().n[COUNTER_REFUSED + REFUSED_CSRF], 1);
	assert_int_equal(sum().busy, 0);
	counters_begin(&c);
	assert_int_equal(sum().busy, 1);
	counters_leave(&c);
	assert_int_equal(sum().workers, 0);
	assert_int_equal(sum().busy, 0);
	assert_int_equal(sum().deaths, 0);
}

static void
duration_lies_in_the_bucket_that_bounds_it(void **state)
{
	struct counters c;

	(void)state;
	counters_init(&c);
	counters_join(&c, dir, "robots");
	for (size_t i = 0; i < COUNTERS_BUCKETS; i++) {
		int64_t lowest = i == 0 ? 0 : (int64_t)counters_bounds[i - 1] + 1;
		int64_t highest = i == COUNTERS_BUCKETS - 1 ? INT64_C(86400000000)
		                                            : (int64_t)counters_bounds[i];
		uint64_t total = sum().n[COUNTER_DURATION];

		answer(&c, 1, 200, lowest);
		answer(&c, 1, 200, highest);
		assert_int_equal(sum().n[COUNTER_BUCKETS + i], 2);
		assert_int_equal(sum().n[COUNTER_DURATION], total + (uint64_t)(lowest + highest));
	}
	counters_leave(&c);
}

/* A worker of its own, which counts one request and waits. */
static pid_t
start_worker(int fate[2])
{
	struct counters c;
	pid_t pid;
	char byte;

	assert_int_equal(pipe(fate), 0);
	pid = fork();
	if (pid == 0) {
		counters_init(&c);
		counters_join(&c, dir, "robots");
		answer(&c, 1, 200, 1);
		counters_begin(&c);
		if (write(fate[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fate[0], &byte, 1), 1);
	return pid;
}

static void
end_worker(pid_t pid, int fate[2])
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fate[0]);
	close(fate[1]);
}

static void
counts_of_a_killed_worker_are_gone_on_with(void **state)
{
	int fate[2][2];
	pid_t one, two;
	struct counters c, d;
	struct stat before, after;

	(void)state;
	one = start_worker(fate[0]);
	two = start_worker(fate[1]);
	assert_int_equal(sum().workers, 2);
	assert_int_equal(sum().busy, 2);
	end_worker(one, fate[0]);
	/* told before anybody takes the place */
	assert_int_equal(sum().workers, 1);
	assert_int_equal(sum().busy, 1);
	assert_int_equal(sum().deaths, 1);
	assert_int_equal(requests(0, 2), 2);
	end_worker(two, fate[1]);
	assert_int_equal(sum().deaths, 2);
	assert_int_equal(stat(file, &before), 0);
	counters_init(&c);
	counters_join(&c, dir, "robots"); /* sees to both places, takes one */
	assert_int_equal(sum().deaths, 2);
	assert_int_equal(sum().workers, 1);
	assert_int_equal(sum().busy, 0);
	assert_int_equal(sum().n[COUNTER_STARTS], 3);
	answer(&c, 1, 200, 1);
	assert_int_equal(requests(0, 2), 3);
	counters_init(&d);
	counters_join(&d, dir, "robots");
	answer(&d, 1, 200, 1);
	assert_int_equal(requests(0, 2), 4);
	assert_int_equal(sum().workers, 2);
	assert_int_equal(stat(file, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	counters_leave(&c);
	counters_leave(&d);
	counters_init(&c);
	counters_join(&c, dir, "robots"); /* a place that was given back */
	assert_int_equal(stat(file, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	counters_leave(&c);
	assert_int_equal(sum().deaths, 2);
}

static void
file_of_another_version_is_begun_anew(void **state)
{
	struct counters old, new;
	int fd;

	(void)state;
	counters_init(&old);
	counters_join(&old, dir, "robots");
	answer(&old, 1, 200, 1);
	fd = open(file, O_RDWR);
	assert_int_equal(pwrite(fd, "\x7f", 1, 16), 1); /* the layout */
	close(fd);
	assert_int_equal(sum().workers, 0); /* not ours: passed over */
	counters_init(&new);
	counters_join(&new, dir, "robots");
	assert_int_equal(requests(0, 2), 0);
	answer(&new, 1, 200, 1);
	answer(&old, 1, 200, 1); /* goes on, for nobody */
	assert_int_equal(requests(0, 2), 1);
	assert_int_equal(sum().workers, 1);
	counters_leave(&new);
	counters_leave(&old);
	/* half of a head is none */
	assert_int_equal(truncate(file, 10), 0);
	assert_int_equal(sum().n[COUNTER_STARTS], 0);
	counters_init(&new);
	counters_join(&new, dir, "robots");
	assert_int_equal(sum().n[COUNTER_STARTS], 1);
	counters_leave(&new);
}

static void
nothing_fails_where_nothing_can_be_kept(void **state)
{
	struct counters c;
	size_t n;

	(void)state;
	counters_init(&c);
	answer(&c, 1, 200, 1); /* as plain CGI */
	counters_join(&c, "/nonexistent/run/metrics", "robots");
	answer(&c, 1, 200, 1);
	counters_leave(&c);
	assert_null(counters_read(a, "/nonexistent/run/metrics", &n));
	assert_int_equal(n, 0);
	/* what is no file, and what leads elsewhere */
	assert_int_equal(mkdir(file, 0755), 0);
	counters_join(&c, dir, "robots");
	answer(&c, 1, 200, 1);
	assert_int_equal(c.fd, -1);
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(symlink("/dev/null", file), 0);
	counters_join(&c, dir, "robots");
	assert_int_equal(c.fd, -1);
	assert_int_equal(sum().workers, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_request_is_counted_in_its_places, begin_anew),
		cmocka_unit_test_setup(duration_lies_in_the_bucket_that_bounds_it, begin_anew),
		cmocka_unit_test_setup(counts_of_a_killed_worker_are_gone_on_with, begin_anew),
		cmocka_unit_test_setup(file_of_another_version_is_begun_anew, begin_anew),
		cmocka_unit_test_setup(nothing_fails_where_nothing_can_be_kept, begin_anew),
	};

	return cmocka_run_group_tests_name("counters", tests, set_up, tear_down);
}
