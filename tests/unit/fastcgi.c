/*
 * fastcgi: the worker's loop, driven with raw records, and the members of libfcgi's request that it
 * leans on. The worker is a child of the test; what it answers tells its process id, so that a
 * restart would be seen.
 */
#include "peer.h"

#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/serve.h"

static char dir[] = "/tmp/meridian-unit-XXXXXX";
static char path[64];
static pid_t worker;
static int idle_calls;

static int
show_pid(struct request *r, struct response *s)
{
	return respond_text(r, s, 200, "text/plain", arena_printf(r->arena, "%d", (int)getpid()));
}

static int
echo(struct request *r, struct response *s)
{
	struct str a = pairs_get(&r->post, "a");

	return respond_text(r, s, 200, "text/plain", a.p == NULL ? STR("") : a);
}

static int
large(struct request *r, struct response *s)
{
	char *p = arena_alloc(r->arena, 1000001);

	memset(p, 'x', 1000000);
	return respond_text(r, s, 200, "text/plain", (struct str){ p, 1000000 });
}

static int
slow(struct request *r, struct response *s)
{
	usleep(300000);
	return show_pid(r, s);
}

static int
starve(struct request *r, struct response *s)
{
	(void)r;
	(void)s;
	arena_exhausted();
}

/* Computes for ever. */
static int
spin(struct request *r, struct response *s)
{
	static volatile bool done;

	(void)r;
	(void)s;
	while (!done)
		continue;
	return 0;
}

static int
half(struct request *r, struct response *s)
{
	(void)response_stream(r, s, 200, "text/plain", STR_NONE);
	for (int i = 0; i < 10000; i++)
		(void)response_write(s, "0123456789", 10);
	arena_exhausted();
}

static int
cut_off(struct request *r, struct response *s)
{
	(void)response_stream(r, s, 200, "text/plain", STR_NONE);
	for (int i = 0; i < 10000; i++)
		(void)response_write(s, "0123456789", 10);
	return -1;
}

static int
show_idle(struct request *r, struct response *s)
{
	return respond_text(r, s, 200, "text/plain", arena_printf(r->arena, "%d", idle_calls));
}

static void
idle(struct app_state *app)
{
	(void)app;
	idle_calls++;
}

static const struct route routes[] = {
	ROUTE(GET, "/pid/", ANYONE, NO_BODY, show_pid),
	ROUTE(POST, "/echo/", ANYONE, MIB(2), echo),
	ROUTE(GET, "/large/", ANYONE, NO_BODY, large),
	ROUTE(GET, "/slow/", ANYONE, NO_BODY, slow),
	ROUTE(GET, "/starve/", ANYONE, NO_BODY, starve),
	ROUTE(GET, "/spin/", ANYONE, NO_BODY, spin),
	ROUTE(GET, "/half/", ANYONE, NO_BODY, half),
	ROUTE(GET, "/cut/", ANYONE, NO_BODY, cut_off),
	ROUTE(GET, "/idle/", ANYONE, NO_BODY, show_idle),
};
static const struct hooks hooks = { .idle = idle };
static const struct app app = { .name = "test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.hooks = &hooks,
	.any_host = true,
	.no_pages = true };

static void
start_worker(bool plain)
{
	struct prefork p = { .app = &app, .plain = plain, .orphans = { -1, -1 } };
	static struct server server;
	char err[200];

	p.listener = listen_at(path, err, sizeof(err));
	assert_true(p.listener >= 0);
	worker = fork();
	if (worker == 0) {
		p.config = config_load(err, sizeof(err));
		if (p.config == NULL || server_start(&server, &app, p.config, NULL) != 0)
			_exit(99);
		_exit(fastcgi_run(&server, &p));
	}
	close(p.listener);
}

static int
stop_worker(void)
{
	int status = -1;

	kill(worker, SIGTERM);
	waitpid(worker, &status, 0);
	return status;
}

static int
open_worker(void **state)
{
	(void)state;
	start_worker(false);
	return 0;
}

static int
open_hasty(void **state)
{
	(void)state;
	setenv("MERIDIAN_REQUEST_TIMEOUT_MS", "100", 1);
	start_worker(false);
	setenv("MERIDIAN_REQUEST_TIMEOUT_MS", "400", 1);
	return 0;
}

static int
open_plain(void **state)
{
	(void)state;
	start_worker(true);
	return 0;
}

static int
close_worker(void **state)
{
	(void)state;
	(void)stop_worker();
	return 0;
}

/* Answers the same worker, at once, on a connection of its own? */
static void
assert_alive(void)
{
	struct buf text = { 0 };
	int fd = peer_connect(path);

	assert_int_equal(peer_ask(fd, false, "/pid/", STR_NONE, &text), 200);
	assert_int_equal(strtol(text.p, NULL, 10), worker);
	close(fd);
	buf_free(&text);
}

/*
 * The loop gives libfcgi a connection by ipcFd and keepConnection, and takes it back by FCGX_Free
 * and ipcFd. Should a release of libfcgi change that, this says so.
 */
static void
libfcgi_takes_a_connection_by_its_members(void **state)
{
	struct buf b = { 0 };
	FCGX_Request q;
	char text[16];
	int ends[2];

	(void)state;
	assert_int_equal(FCGX_Init(), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(FCGX_InitRequest(&q, -1, 0), 0);
	for (int i = 0; i < 3; i++) {
		buf_clear(&b);
		peer_request(&b, i < 2, "/pid/", STR("a=1"));
		peer_send(ends[0], &b);
		q.ipcFd = ends[1];
		q.keepConnection = 1;
		q.listen_sock = -1;
		assert_int_equal(FCGX_Accept_r(&q), 0);
		assert_int_equal(q.requestId, 1);
		assert_int_equal(q.role, 1);
		assert_int_equal(q.keepConnection != 0, i < 2);
		assert_string_equal(FCGX_GetParam("SCRIPT_NAME", q.envp), "/pid/");
		assert_int_equal(FCGX_GetStr(text, sizeof(text), q.in), 3);
		assert_memory_equal(text, "a=1", 3);
		assert_int_equal(FCGX_GetStr(text, sizeof(text), q.in), 0);
		assert_int_not_equal(FCGX_HasSeenEOF(q.in), 0);
		assert_int_equal(FCGX_GetError(q.in), 0);
		FCGX_Free(&q, 0);
		assert_int_equal(q.ipcFd, ends[1]);
		assert_null(q.in);
		q.ipcFd = -1;
		/* nothing was written, nothing closed */
		assert_false(peer_ends(ends[0], 10));
	}
	/* a connection that ends is closed by libfcgi, which then has nothing to accept from */
	close(ends[0]);
	q.ipcFd = ends[1];
	q.keepConnection = 1;
	assert_true(FCGX_Accept_r(&q) < 0);
	assert_int_equal(q.ipcFd, -1);
	assert_int_equal(close(ends[1]), -1);
	buf_free(&b);
}

static void
a_kept_connection_serves_many_requests(void **state)
{
	struct buf text = { 0 };
	int fd = peer_connect(path);

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(peer_ask(fd, true, "/pid/", STR_NONE, &text), 200);
		assert_int_equal(strtol(text.p, NULL, 10), worker);
		assert_int_equal(peer_ask(fd, true, "/echo/", STR("a=b"), &text), 200);
		assert_str(buf_text(&text), "b");
		assert_int_equal(peer_ask(fd, true, "/nowhere/", STR("a=b"), &text), 404);
	}
	assert_int_equal(peer_ask(fd, false, "/pid/", STR_NONE, &text), 200);
	assert_true(peer_ends(fd, 1000));
	close(fd);
	buf_free(&text);
}

static void
kept_connections_hold_no_worker(void **state)
{
	int fds[100];

	(void)state;
	for (size_t i = 0; i < NELEM(fds); i++) {
		fds[i] = peer_connect(path);
		assert_int_equal(peer_ask(fds[i], true, "/pid/", STR_NONE, NULL), 200);
	}
	assert_alive();
	for (size_t i = 0; i < NELEM(fds); i++) {
		assert_int_equal(peer_ask(fds[i], true, "/pid/", STR_NONE, NULL), 200);
		close(fds[i]);
	}
}

static void
requests_may_come_byte_by_byte(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	int fd = peer_connect(path);

	(void)state;
	peer_request(&b, true, "/echo/", STR("a=slowly"));
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(send(fd, b.p + i, 1, MSG_NOSIGNAL), 1);
		if (i % 16 == 0)
			usleep(200);
	}
	assert_int_equal(peer_receive(fd, &text, 3000), 200);
	assert_str(buf_text(&text), "slowly");
	assert_int_equal(peer_ask(fd, true, "/pid/", STR_NONE, NULL), 200);
	close(fd);
	buf_free(&b);
	buf_free(&text);
}

/* Apache sends the end of STDIN by itself; left in the socket it spoilt the next request. */
static void
the_end_of_stdin_may_come_late(void **state)
{
	struct buf b = { 0 };
	int fd = peer_connect(path);

	(void)state;
	for (int i = 0; i < 5; i++) {
		buf_clear(&b);
		peer_head(&b, true, "/pid/", STR_NONE);
		peer_send(fd, &b);
		usleep((useconds_t)i * 20000);
		buf_clear(&b);
		peer_record(&b, PEER_STDIN, STR(""));
		peer_send(fd, &b);
		assert_int_equal(peer_receive(fd, NULL, 2000), 200);
	}
	close(fd);
	buf_free(&b);
}

static void
large_bodies_and_answers_pass_whole(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	int fd = peer_connect(path);

	(void)state;
	buf_puts(&b, "a=");
	while (b.n < 1000002)
		buf_puts(&b, "0123456789");
	assert_int_equal(peer_ask(fd, true, "/echo/", buf_text(&b), &text), 200);
	assert_int_equal(text.n, b.n - 2);
	assert_memory_equal(text.p, b.p + 2, text.n);
	assert_int_equal(peer_ask(fd, true, "/large/", STR_NONE, &text), 200);
	assert_int_equal(text.n, 1000000);
	/* too large for the row: drained, refused, and the connection goes on */
	while (b.n < MIB(2) + 10)
		buf_puts(&b, "0123456789");
	assert_int_equal(peer_ask(fd, true, "/echo/", buf_text(&b), &text), 413);
	assert_int_equal(peer_ask(fd, true, "/pid/", STR_NONE, &text), 200);
	close(fd);
	buf_free(&b);
	buf_free(&text);
}

/* REQUEST_TIMEOUT_MS is 400 here. */
static void
a_peer_that_stalls_is_dropped_and_holds_nobody(void **state)
{
	struct buf b = { 0 };
	int begun[10], started[10];

	(void)state;
	for (size_t i = 0; i < NELEM(begun); i++) {
		int fd = begun[i] = peer_connect(path);

		buf_clear(&b);
		peer_head(&b, true, "/pid/", STR_NONE);
		b.n -= 20;
		peer_send(fd, &b);
		started[i] = peer_connect(path);
	}
	assert_alive();
	for (size_t i = 0; i < NELEM(begun); i++) {
		assert_true(peer_ends(begun[i], 3000));
		/* who has not begun is no offence */
		assert_int_equal(peer_ask(started[i], true, "/pid/", STR_NONE, NULL), 200);
		close(begun[i]);
		close(started[i]);
	}
	buf_free(&b);
}

static void
a_body_that_stalls_or_trickles_is_cut(void **state)
{
	static char half[60000];
	struct buf b = { 0 };
	int64_t began;
	int fd;

	(void)state;
	memset(half, 'a', sizeof(half));
	for (int trickle = 0; trickle < 2; trickle++) {
		fd = peer_connect(path);
		buf_clear(&b);
		peer_head(&b, true, "/echo/", (struct str){ half, 3 * sizeof(half) });
		peer_record(&b, PEER_STDIN, (struct str){ half, sizeof(half) });
		peer_record(&b, PEER_STDIN, (struct str){ half, sizeof(half) });
		peer_send(fd, &b);
		began = clock_monotonic();
		buf_clear(&b);
		peer_record(&b, PEER_STDIN, STR("a"));
		for (int i = 0; trickle && i < 12; i++) {
			usleep(50000);
			peer_send(fd, &b);
		}
		assert_in_range(peer_receive(fd, NULL, 3000), 0, 400);
		assert_true(clock_monotonic() - began < 2 * SECOND);
		close(fd);
		assert_alive();
	}
	buf_free(&b);
}

static void
forms_that_stall_hold_nobody(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	int fds[10];

	(void)state;
	for (size_t i = 0; i < NELEM(fds); i++) {
		fds[i] = peer_connect(path);
		buf_clear(&b);
		peer_head(&b, true, "/echo/", STR("a=slowly"));
		peer_record(&b, PEER_STDIN, STR("a=slo"));
		peer_send(fds[i], &b);
	}
	for (int64_t began = clock_monotonic(); clock_monotonic() - began < 200000;) {
		int64_t asked = clock_monotonic();

		assert_alive();
		assert_true(clock_monotonic() - asked < 100000);
	}
	buf_clear(&b);
	peer_record(&b, PEER_STDIN, STR("wly"));
	peer_record(&b, PEER_STDIN, STR(""));
	peer_send(fds[0], &b);
	assert_int_equal(peer_receive(fds[0], &text, 1000), 200);
	assert_str(buf_text(&text), "slowly");
	for (size_t i = 1; i < NELEM(fds); i++)
		assert_true(peer_ends(fds[i], 3000));
	for (size_t i = 0; i < NELEM(fds); i++)
		close(fds[i]);
	buf_free(&b);
	buf_free(&text);
}

/* A socket holds no more than some 270 records that nobody takes. */
static void
a_form_may_come_in_many_pieces(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	int fd = peer_connect(path);
	char body[402] = "a=";

	(void)state;
	memset(body + 2, 'x', 399);
	peer_head(&b, true, "/echo/", str_of(body));
	peer_send(fd, &b);
	for (size_t i = 0; i <= 401; i++) {
		buf_clear(&b);
		peer_record(&b, PEER_STDIN, (struct str){ body + i, i < 401 });
		peer_send(fd, &b);
	}
	assert_int_equal(peer_receive(fd, &text, 2000), 200);
	assert_str(buf_text(&text), body + 2);
	close(fd);
	buf_free(&b);
	buf_free(&text);
}

static void
a_long_body_may_take_its_time_while_it_comes(void **state)
{
	static char piece[50000];
	struct buf b = { 0 }, text = { 0 }, whole = { 0 };
	int fd = peer_connect(path);
	int64_t began = clock_monotonic();

	(void)state;
	memset(piece, 'a', sizeof(piece));
	memcpy(piece, "a=", 2);
	for (int i = 0; i < 8; i++)
		buf_put(&whole, piece, sizeof(piece));
	peer_head(&b, true, "/echo/", buf_text(&whole));
	peer_send(fd, &b);
	for (int i = 0; i <= 8; i++) {
		buf_clear(&b);
		peer_record(&b, PEER_STDIN, (struct str){ piece, i < 8 ? sizeof(piece) : 0 });
		peer_send(fd, &b);
		usleep(100000);
	}
	assert_true(clock_monotonic() - began > 2 * 400000);
	assert_int_equal(peer_receive(fd, &text, 1000), 200);
	assert_int_equal(text.n, whole.n - 2);
	close(fd);
	buf_free(&b);
	buf_free(&text);
	buf_free(&whole);
}

static void
a_body_that_nobody_wants_is_not_waited_for(void **state)
{
	static char half[50000];
	struct buf b = { 0 };
	int fd = peer_connect(path);

	(void)state;
	memset(half, 'a', sizeof(half));
	peer_head(&b, true, "/nowhere/", (struct str){ half, 4 * sizeof(half) });
	peer_record(&b, PEER_STDIN, (struct str){ half, sizeof(half) });
	peer_send(fd, &b);
	assert_int_equal(peer_receive(fd, NULL, 1000), 404);
	assert_true(peer_ends(fd, 1000));
	close(fd);
	assert_alive();
	buf_free(&b);
}

static void
hostile_records_end_only_their_connection(void **state)
{
	static const char lies[] = "\xff\xff\xff\xfe\xff\xff\xff\xfe";
	struct buf b = { 0 };
	int fd;

	(void)state;
	for (int what = 0; what < 5; what++) {
		buf_clear(&b);
		peer_record(&b, PEER_BEGIN, STR("\0\1\1\0\0\0\0\0"));
		if (what == 0)
			peer_record(&b, PEER_PARAMS, (struct str){ lies, sizeof(lies) - 1 });
		else if (what == 1)
			peer_record(&b, PEER_ABORT, STR(""));
		else if (what == 2)
			peer_record(&b, 9, STR(""));
		else if (what == 3)
			buf_puts(&b, "GET / HTTP/1.0\r\n\r\n");
		else
			peer_record(&b, PEER_BEGIN, STR("\0\1\1\0\0\0\0\0"));
		fd = peer_connect(path);
		peer_send(fd, &b);
		assert_true(peer_ends(fd, 2000));
		close(fd);
		assert_alive();
	}
	buf_free(&b);
}

static void
parameters_beyond_the_look_are_refused(void **state)
{
	struct buf b = { 0 }, params = { 0 };
	int fd = peer_connect(path);

	(void)state;
	for (int i = 0; i < 30; i++) {
		buf_clear(&params);
		buf_put(&params, "\1\x80\0\xf\xa0", 5);
		buf_putc(&params, 'X');
		for (int k = 0; k < 4000; k++)
			buf_putc(&params, 'y');
		if (i == 0)
			peer_record(&b, PEER_BEGIN, STR("\0\1\1\0\0\0\0\0"));
		peer_record(&b, PEER_PARAMS, buf_text(&params));
	}
	peer_send(fd, &b);
	assert_true(peer_ends(fd, 2000));
	close(fd);
	assert_alive();
	buf_free(&b);
	buf_free(&params);
}

static void
a_request_under_way_is_finished_on_sigterm(void **state)
{
	struct buf b = { 0 };
	int fd = peer_connect(path), waiting = peer_connect(path), status;

	(void)state;
	assert_int_equal(peer_ask(waiting, true, "/pid/", STR_NONE, NULL), 200);
	peer_request(&b, true, "/slow/", STR_NONE);
	peer_send(fd, &b);
	usleep(100000);
	kill(worker, SIGTERM);
	buf_clear(&b);
	/* asked before the worker could notice: served too */
	peer_request(&b, true, "/pid/", STR_NONE);
	peer_send(waiting, &b);
	assert_int_equal(peer_receive(fd, NULL, 2000), 200);
	assert_int_equal(peer_receive(waiting, NULL, 2000), 200);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(peer_ends(fd, 1000));
	close(fd);
	close(waiting);
	buf_free(&b);
}

static void
out_of_memory_is_a_503_and_a_new_worker(void **state)
{
	struct buf text = { 0 };
	int fd = peer_connect(path), status;

	(void)state;
	assert_int_equal(peer_ask(fd, true, "/starve/", STR_NONE, &text), 503);
	assert_non_null(strstr(text.p, "short of memory"));
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(WEXITSTATUS(status), 70);
	close(fd);
	buf_free(&text);
}

static void
out_of_memory_in_mid_answer_adds_nothing_to_it(void **state)
{
	char *argv[] = { strdup("test"), NULL };
	int fd = peer_connect(path), ends[2], status;
	char text[4096];
	ssize_t n, sum = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(peer_ask(fd, true, "/half/", STR_NONE, NULL), 0);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		setenv("REQUEST_METHOD", "GET", 1);
		setenv("SCRIPT_NAME", "/half/", 1);
		dup2(ends[1], STDOUT_FILENO);
		exit(app_main(1, argv, &app));
	}
	close(ends[1]);
	while ((n = read(ends[0], text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		sum += n;
		assert_null(strstr(text, "503"));
	}
	assert_true(sum > 60000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 70);
	close(ends[0]);
	free(argv[0]);
}

static void
a_request_that_computes_for_ever_is_ended(void **state)
{
	struct buf text = { 0 };
	int fd = peer_connect(path), status;
	int64_t began = clock_monotonic();

	(void)state;
	assert_int_equal(peer_ask(fd, true, "/spin/", STR_NONE, &text), 503);
	assert_non_null(strstr(text.p, "too long"));
	assert_true(clock_monotonic() - began > 1000000);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(WEXITSTATUS(status), 70);
	close(fd);
	buf_free(&text);
}

static void
last_answers_are_as_long_as_they_say(void **state)
{
	const char *const all[] = { response_no_memory, response_too_long, response_crash };
	size_t n;

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		assert_int_equal(sscanf(strstr(all[i], "Length: "), "Length: %zu", &n), 1);
		assert_int_equal(strlen(strstr(all[i], "\r\n\r\n") + 4), n);
	}
}

static void
a_cut_stream_ends_the_connection_without_an_end(void **state)
{
	int fd = peer_connect(path);

	(void)state;
	assert_int_equal(peer_ask(fd, true, "/cut/", STR_NONE, NULL), 0);
	close(fd);
	assert_alive();
}

static void
a_quiet_second_calls_the_idle_hook(void **state)
{
	struct buf text = { 0 };
	int fd = peer_connect(path);

	(void)state;
	assert_int_equal(peer_ask(fd, true, "/idle/", STR_NONE, &text), 200);
	assert_str(buf_text(&text), "0");
	close(fd);
	usleep(1200000);
	fd = peer_connect(path);
	assert_int_equal(peer_ask(fd, true, "/idle/", STR_NONE, &text), 200);
	assert_str(buf_text(&text), "1");
	close(fd);
	buf_free(&text);
}

static void
the_plain_loop_answers_and_closes(void **state)
{
	struct buf text = { 0 };
	int status;

	(void)state;
	for (int i = 0; i < 3; i++) {
		int fd = peer_connect(path);

		assert_int_equal(peer_ask(fd, i < 2, "/pid/", STR_NONE, &text), 200);
		assert_true(peer_ends(fd, 1000));
		close(fd);
		fd = peer_connect(path);
		assert_int_equal(peer_ask(fd, true, "/echo/", STR("a=1"), &text), 200);
		assert_true(peer_ends(fd, 1000));
		close(fd);
	}
	status = stop_worker();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	buf_free(&text);
}

static void
the_plain_loop_waits_for_nobody_long(void **state)
{
	struct buf b = { 0 };
	int begun = peer_connect(path), half = peer_connect(path);

	(void)state;
	peer_record(&b, PEER_BEGIN, STR("\0\1\1\0\0\0\0\0"));
	peer_send(begun, &b);
	buf_clear(&b);
	peer_head(&b, true, "/echo/", STR("a=slowly"));
	peer_record(&b, PEER_STDIN, STR("a=slo"));
	peer_send(half, &b);
	assert_alive();
	assert_true(peer_ends(begun, 100));
	assert_int_equal(peer_receive(half, NULL, 100), 0);
	close(begun);
	close(half);
	buf_free(&b);
}

static void
the_plain_loop_finishes_what_was_begun(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	int fd = peer_connect(path), status;

	(void)state;
	peer_head(&b, true, "/echo/", STR("a=slowly"));
	peer_record(&b, PEER_STDIN, STR("a=slo"));
	peer_send(fd, &b);
	usleep(100000);
	kill(worker, SIGTERM);
	usleep(50000);
	buf_clear(&b);
	peer_record(&b, PEER_STDIN, STR("wly"));
	peer_record(&b, PEER_STDIN, STR(""));
	peer_send(fd, &b);
	assert_int_equal(peer_receive(fd, &text, 1000), 200);
	assert_str(buf_text(&text), "slowly");
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	buf_free(&b);
	buf_free(&text);
}

static int
open_dir(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_LOG_REQUESTS", "no", 1);
	setenv("MERIDIAN_REQUEST_TIMEOUT_MS", "400", 1);
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

#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, open_worker, close_worker)
#define WITH_PLAIN(test) cmocka_unit_test_setup_teardown(test, open_plain, close_worker)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libfcgi_takes_a_connection_by_its_members),
		WITH_WORKER(a_kept_connection_serves_many_requests),
		WITH_WORKER(kept_connections_hold_no_worker),
		WITH_WORKER(requests_may_come_byte_by_byte),
		WITH_WORKER(the_end_of_stdin_may_come_late),
		WITH_WORKER(large_bodies_and_answers_pass_whole),
		WITH_WORKER(a_peer_that_stalls_is_dropped_and_holds_nobody),
		WITH_WORKER(a_body_that_stalls_or_trickles_is_cut),
		WITH_WORKER(forms_that_stall_hold_nobody),
		WITH_WORKER(a_form_may_come_in_many_pieces),
		WITH_WORKER(a_long_body_may_take_its_time_while_it_comes),
		WITH_WORKER(a_body_that_nobody_wants_is_not_waited_for),
		WITH_WORKER(hostile_records_end_only_their_connection),
		WITH_WORKER(parameters_beyond_the_look_are_refused),
		WITH_WORKER(a_request_under_way_is_finished_on_sigterm),
		WITH_WORKER(out_of_memory_is_a_503_and_a_new_worker),
		WITH_WORKER(out_of_memory_in_mid_answer_adds_nothing_to_it),
		cmocka_unit_test_setup_teardown(
		    a_request_that_computes_for_ever_is_ended, open_hasty, close_worker),
		cmocka_unit_test(last_answers_are_as_long_as_they_say),
		WITH_WORKER(a_cut_stream_ends_the_connection_without_an_end),
		WITH_WORKER(a_quiet_second_calls_the_idle_hook),
		WITH_PLAIN(the_plain_loop_answers_and_closes),
		WITH_PLAIN(the_plain_loop_waits_for_nobody_long),
		WITH_PLAIN(the_plain_loop_finishes_what_was_begun),
		WITH_PLAIN(a_quiet_second_calls_the_idle_hook),
	};

	return cmocka_run_group_tests_name("fastcgi", tests, open_dir, close_dir);
}
