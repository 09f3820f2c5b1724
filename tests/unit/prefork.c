/*
 * prefork: workers die and come back, configuration is read again, the end is orderly. The parent
 * is a child of the test.
 */
#include "peer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config.h"
#include "http/serve.h"

static char dir[] = "/tmp/meridian-unit-XXXXXX";
static char path[64], flag[64];
static pid_t parent;
static void (*before_start)(void); /* in the process that becomes the parent */

static int
show_pid(struct request *r, struct response *s)
{
	return respond_text(r, s, 200, "text/plain",
	    arena_printf(
	        r->arena, "%d %s", (int)getpid(), config_text(r->app->config, "TOM_NAME")));
}

static int
crash(struct request *r, struct response *s)
{
	(void)r;
	(void)s;
	/* the peer has written to its other connection by now */
	usleep(100000);
#ifdef SANITIZED
	signal(SIGSEGV, SIG_DFL); /* else cmocka's, inherited */
#endif
	(void)raise(SIGSEGV);
	return 0;
}

static int
starve(struct request *r, struct response *s)
{
	(void)r;
	(void)s;
	usleep(100000);
	arena_exhausted();
}

static int
slow(struct request *r, struct response *s)
{
	usleep(400000);
	return show_pid(r, s);
}

static const struct route routes[] = {
	ROUTE(GET, "/pid/", ANYONE, NO_BODY, show_pid),
	ROUTE(GET, "/crash/", ANYONE, NO_BODY, crash),
	ROUTE(GET, "/starve/", ANYONE, NO_BODY, starve),
	ROUTE(GET, "/slow/", ANYONE, NO_BODY, slow),
};

/* Fails where the test left its flag, as a worker of a wrong schema would. */
static int
start(struct app_state *app)
{
	(void)app;
	return access(flag, F_OK) == 0 ? -1 : 0;
}

static const struct app app = { .name = "test",
	.what = "a test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.any_host = true,
	.no_pages = true,
	.start = start };

static void
start_parent(const char *workers)
{
	parent = fork();
	if (parent == 0) {
		if (before_start != NULL)
			before_start();
		char *argv[] = { strdup("test"), strdup("-s"), path, strdup("-w"), strdup(workers),
			NULL };

		exit(app_main(5, argv, &app));
	}
}

static int
end_parent(int signal_number)
{
	int status = -1;

	if (signal_number != 0)
		kill(parent, signal_number);
	waitpid(parent, &status, 0);
	parent = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static pid_t
ask_pid(int fd, char name[32])
{
	struct buf text = { 0 };
	char unused[32];
	int pid = -1;

	if (peer_ask(fd, true, "/pid/", STR_NONE, &text) == 200)
		assert_int_equal(sscanf(text.p, "%d %31s", &pid, name == NULL ? unused : name), 2);
	buf_free(&text);
	return pid;
}

static pid_t
ask_once(void)
{
	int fd = peer_connect(path);
	pid_t pid = ask_pid(fd, NULL);

	close(fd);
	return pid;
}

static void
put(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
stop_parent(void **state)
{
	(void)state;
	if (parent != 0)
		(void)end_parent(SIGTERM);
	unsetenv("MERIDIAN_REQUEST_TIMEOUT_MS");
	setenv("MERIDIAN_LOG_REQUESTS", "no", 1);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	before_start = NULL;
	unlink(flag);
	return 0;
}

static void
the_socket_is_for_its_group_only(void **state)
{
	struct stat st;

	(void)state;
	start_parent("1");
	assert_true(ask_once() > 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(end_parent(SIGTERM), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void
a_socket_left_over_is_replaced_a_live_one_is_not(void **state)
{
	char err[256] = "";
	int fd, file;

	(void)state;
	fd = listen_at(path, err, sizeof(err));
	assert_true(fd >= 0);
	assert_int_equal(listen_at(path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "another server"));
	close(fd);
	fd = listen_at(path, err, sizeof(err));
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(file);
	assert_int_equal(listen_at(path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "no socket"));
	unlink(path);
	assert_int_equal(listen_at("/nonexistent/dir/s", err, sizeof(err)), -1);
}

static void
a_killed_worker_is_replaced_within_100_ms(void **state)
{
	pid_t first, second;
	int64_t began;

	(void)state;
	start_parent("1");
	for (int i = 0; i < 3; i++) {
		first = ask_once();
		assert_true(first > 0 && first != parent);
		kill(first, SIGKILL);
		began = clock_monotonic();
		second = ask_once();
		assert_true(clock_monotonic() - began < 100 * SECOND / 1000);
		assert_true(second > 0 && second != first);
	}
}

/* With one worker, so that the connection that waits is surely the one's that leaves. */
static void
assert_costs_only_its_request(const char *what, int status)
{
	struct buf b = { 0 };
	int waiting, leaving;
	pid_t first;

	start_parent("1");
	waiting = peer_connect(path);
	first = ask_pid(waiting, NULL);
	leaving = peer_connect(path);
	peer_request(&b, true, what, STR_NONE);
	peer_send(leaving, &b);
	usleep(20000);
	buf_clear(&b);
	peer_request(&b, true, "/pid/", STR_NONE);
	peer_send(waiting, &b);
	if (status != 0) {
		assert_int_equal(peer_receive(leaving, NULL, 2000), status);
		assert_int_equal(peer_receive(waiting, NULL, 2000), 200);
		assert_int_not_equal(ask_pid(waiting, NULL), first);
	}
	assert_int_not_equal(ask_once(), first);
	close(waiting);
	close(leaving);
	buf_free(&b);
}

static void
a_crash_costs_only_its_request(void **state)
{
	(void)state;
#ifdef SANITIZED
	assert_costs_only_its_request("/crash/", 0);
#else
	assert_costs_only_its_request("/crash/", 500);
#endif
}

static void
memory_run_out_costs_only_its_request(void **state)
{
	(void)state;
	assert_costs_only_its_request("/starve/", 503);
}

static void
sighup_takes_new_configuration_without_losing_a_connection(void **state)
{
	int kept[5], busy;
	struct buf b = { 0 };
	char name[32] = "";
	char conf[96];

	(void)state;
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	setenv("MERIDIAN_CONFIG", conf, 1);
	put(conf, "TOM_NAME = before\n");
	start_parent("2");
	for (size_t i = 0; i < NELEM(kept); i++) {
		kept[i] = peer_connect(path);
		assert_true(ask_pid(kept[i], name) > 0);
		assert_string_equal(name, "before");
	}
	busy = peer_connect(path);
	peer_request(&b, true, "/slow/", STR_NONE);
	peer_send(busy, &b);
	put(conf, "TOM_NAME = after\n");
	kill(parent, SIGHUP);
	assert_int_equal(peer_receive(busy, NULL, 3000), 200);
	for (size_t i = 0; i < NELEM(kept); i++)
		for (int tries = 0; strcmp(name, "after") != 0 || tries == 0; tries++) {
			assert_true(ask_pid(kept[i], name) > 0);
			assert_true(tries < 300);
			usleep(10000);
		}
	/* a mistake in the file changes nothing */
	put(conf, "TOM_NAME = broken\nNO_SUCH_KEY = 1\n");
	kill(parent, SIGHUP);
	usleep(200000);
	for (size_t i = 0; i < NELEM(kept); i++) {
		assert_true(ask_pid(kept[i], name) > 0);
		assert_string_equal(name, "after");
		close(kept[i]);
	}
	close(busy);
	assert_int_equal(end_parent(SIGTERM), 0);
	unlink(conf);
	buf_free(&b);
}

static void
sigterm_finishes_what_was_begun(void **state)
{
	struct buf b = { 0 };
	int fd;

	(void)state;
	start_parent("2");
	fd = peer_connect(path);
	peer_request(&b, true, "/slow/", STR_NONE);
	peer_send(fd, &b);
	usleep(100000);
	kill(parent, SIGTERM);
	assert_int_equal(peer_receive(fd, NULL, 2000), 200);
	assert_int_equal(end_parent(0), 0);
	close(fd);
	buf_free(&b);
}

static void
workers_that_cannot_start_end_the_parent(void **state)
{
	(void)state;
	put(flag, "");
	start_parent("2");
	assert_int_equal(end_parent(0), 78);
}

static void
a_storm_of_deaths_is_slowed(void **state)
{
	int deaths = 0;

	(void)state;
	start_parent("1");
	for (int64_t end = clock_monotonic() + SECOND; clock_monotonic() < end;) {
		int fd = peer_connect(path);

		if (peer_ask(fd, false, "/crash/", STR_NONE, NULL) >= 0)
			deaths++;
		close(fd);
	}
	assert_in_range(deaths, 2, 7);
}

static void
a_respawn_that_cannot_start_leaves_the_others_alone(void **state)
{
	pid_t killed, other;

	(void)state;
	start_parent("2");
	killed = ask_once();
	assert_true(killed > 0);
	put(flag, "");
	kill(killed, SIGKILL);
	usleep(300000);
	other = ask_once();
	assert_true(other > 0 && other != killed);
	assert_int_equal(waitpid(parent, NULL, WNOHANG), 0);
	/* and another is tried again and again */
	unlink(flag);
	kill(other, SIGKILL);
	killed = other;
	other = ask_once();
	assert_true(other > 0 && other != killed);
}

/* The kernel's OOM killer sends no other signal. */
static void
a_storm_of_kills_is_slowed(void **state)
{
	int deaths = 0;

	(void)state;
	start_parent("1");
	for (int64_t end = clock_monotonic() + SECOND; clock_monotonic() < end; deaths++) {
		pid_t pid = ask_once();

		if (pid > 0)
			kill(pid, SIGKILL);
	}
	assert_in_range(deaths, 2, 7);
}

/* The parent's log goes into a file. */
static void
keep_log(void)
{
	char file[96];

	snprintf(file, sizeof(file), "%s/log", dir);
	if (freopen(file, "a", stderr) == NULL)
		_exit(1);
}

/* How many lines of the kept log hold the text; the log is gone then. */
static size_t
logged(const char *text)
{
	char file[96], line[1024];
	size_t n = 0;
	FILE *f;

	snprintf(file, sizeof(file), "%s/log", dir);
	f = fopen(file, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	fclose(f);
	unlink(file);
	return n;
}

static void
a_worker_that_does_not_leave_is_killed(void **state)
{
	char conf[96], name[32] = "", killed[100];
	pid_t stuck;

	(void)state;
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	setenv("MERIDIAN_CONFIG", conf, 1);
	setenv("MERIDIAN_REQUEST_TIMEOUT_MS", "100", 1);
	put(conf, "TOM_NAME = one\n");
	before_start = keep_log;
	start_parent("1");
	stuck = ask_once();
	kill(stuck, SIGSTOP);
	kill(parent, SIGHUP);
	assert_int_not_equal(ask_once(), stuck);
	put(conf, "TOM_NAME = two\n");
	kill(parent, SIGHUP);
	for (int tries = 0; strcmp(name, "two") != 0; tries++) {
		int fd = peer_connect(path);

		assert_true(ask_pid(fd, name) > 0);
		assert_true(tries < 300);
		close(fd);
		usleep(10000);
	}
	assert_int_equal(kill(stuck, 0), -1);
	snprintf(killed, sizeof(killed),
	    "\"event\":\"worker did not leave; killed\",\"pid\":%d,\"waited_ms\":", (int)stuck);
	assert_int_equal(logged(killed), 1);
	unlink(conf);
}

static void
ignore_children(void)
{
	signal(SIGCHLD, SIG_IGN);
}

static void
an_inherited_disposition_of_sigchld_does_not_matter(void **state)
{
	pid_t first;

	(void)state;
	before_start = ignore_children;
	start_parent("1");
	first = ask_once();
	kill(first, SIGKILL);
	assert_int_not_equal(ask_once(), first);
	assert_int_equal(end_parent(SIGTERM), 0);
}

static void
close_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close(fd);
}

/* The log would go into whatever socket has got number 2. */
static void
closed_standard_streams_do_not_matter(void **state)
{
	int fd;

	(void)state;
	before_start = close_streams;
	setenv("MERIDIAN_LOG_REQUESTS", "yes", 1);
	start_parent("1");
	fd = peer_connect(path);
	for (int i = 0; i < 2000; i++)
		assert_true(ask_pid(fd, NULL) > 0);
	close(fd);
	assert_int_equal(end_parent(SIGTERM), 0);
}

static int
open_dir(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(flag, sizeof(flag), "%s/flag", dir);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_LOG_REQUESTS", "no", 1);
	return 0;
}

static int
close_dir(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	return 0;
}

#define WITH_PARENT(test) cmocka_unit_test_teardown(test, stop_parent)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PARENT(the_socket_is_for_its_group_only),
		WITH_PARENT(a_socket_left_over_is_replaced_a_live_one_is_not),
		WITH_PARENT(a_killed_worker_is_replaced_within_100_ms),
		WITH_PARENT(a_crash_costs_only_its_request),
		WITH_PARENT(memory_run_out_costs_only_its_request),
		WITH_PARENT(sighup_takes_new_configuration_without_losing_a_connection),
		WITH_PARENT(sigterm_finishes_what_was_begun),
		WITH_PARENT(workers_that_cannot_start_end_the_parent),
		WITH_PARENT(a_storm_of_deaths_is_slowed),
		WITH_PARENT(a_storm_of_kills_is_slowed),
		WITH_PARENT(a_respawn_that_cannot_start_leaves_the_others_alone),
		WITH_PARENT(a_worker_that_does_not_leave_is_killed),
		WITH_PARENT(an_inherited_disposition_of_sigchld_does_not_matter),
		WITH_PARENT(closed_standard_streams_do_not_matter),
	};

	return cmocka_run_group_tests_name("prefork", tests, open_dir, close_dir);
}
