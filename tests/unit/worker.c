/*
 * worker: what the hooks do beside requests: they look before workers start, open and close what a
 * worker has, say what it needs, tidy up at rest, and go on where the use of a session cannot be noted.
 */
#include "web.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "account.h"
#include "auth/auth.h"
#include "auth/event_list.h"
#include "auth/password.h"
#include "auth/visit.h"
#include "base/clock.h"
#include "base/sandbox.h"
#include "config.h"
#include "heard.h"
#include "scratch.h"
#include "visited.h"

#define HTTPS "HTTPS=on"
#define ADDED INT64_C(1700000000000000) /* when the users were */

static struct arena *a;
static struct web w;
static int64_t ada;

static int
show(struct request *r, struct response *res)
{
	return respond_text(r, res, 200, "text/plain", auth_user(r)->username);
}

static int
enter(struct request *r, struct response *res)
{
	if (auth_sign_in(r, res, &(struct proof){ .user = ada, .password_changed = ADDED }) != 0)
		return 0;
	return respond_redirect(r, res, STR("/"));
}

static const struct route routes[] = {
	ROUTE(GET, "/enter/", ANYONE, NO_BODY, enter),
	ROUTE(GET, "/mine/", LOGIN, NO_BODY, show),
	ROUTE(POST, "/open/", ANYONE, KIB(4), show),
};
static const struct app app = { .name = "login",
	.what = "test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.no_pages = true,
	.hooks = &auth_hooks };

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	ada = visited_open(&w, &app, ADDED);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	visited_close(&w);
	arena_free(a);
	return 0;
}

/* What the parent finds with this setting beside those of the test, and says of it. */
static int
check_with(const char *key, const char *value, const char **said)
{
	const char *before = getenv(key);
	struct app_state st = { .app = &app };
	char err[300], *kept = before == NULL ? NULL : strdup(before);
	int result;

	setenv(key, value, 1);
	st.config = config_load(err, sizeof(err));
	assert_non_null(st.config);
	hear();
	result = auth_hooks.check(&st);
	*said = heard();
	config_free(st.config);
	if (kept == NULL)
		unsetenv(key);
	else
		setenv(key, kept, 1);
	free(kept);
	return result;
}

static void
parent_says_why_no_worker_could_start(void **state)
{
	const char *said;

	(void)state;
	assert_int_equal(check_with("MERIDIAN_TOM_MFA_REQUIRED", "none", &said), 0);
	assert_string_equal(said, "");
	assert_int_equal(check_with("MERIDIAN_TOM_MFA_REQUIRED", "all", &said), -1);
	assert_int_equal(strncmp(said, "login: TOM_MFA_REQUIRED asks for", 32), 0);
	assert_int_equal(check_with("MERIDIAN_SECRET_KEY_FILE", "", &said), -1);
	assert_int_equal(strncmp(said, "login: SECRET_KEY_FILE is not set", 33), 0);
	assert_int_equal(check_with("MERIDIAN_SECRET_KEY_FILE", "/nonexistent/key", &said), -1);
	assert_non_null(strstr(said, "/nonexistent/key"));
	scratch_hide(scratch_db, "schema_migration", true);
	assert_int_equal(check_with("MERIDIAN_TOM_MFA_REQUIRED", "none", &said), -1);
	assert_int_equal(strncmp(said, "login: ", 7), 0);
	assert_non_null(strstr(said, "called schema_migration"));
	scratch_hide(scratch_db, "schema_migration", false);
	/* a database that is away comes back; nobody listens at this port */
	assert_int_equal(
	    check_with("MERIDIAN_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", &said), 0);
	assert_non_null(strstr(said, "\"event\":\"database is away\""));
}

static void
worker_without_its_key_does_not_start(void **state)
{
	char *key = strdup(getenv("MERIDIAN_SECRET_KEY_FILE")), err[300];
	struct app_state st = { .app = &app };
	const char *said;

	(void)state;
	setenv("MERIDIAN_SECRET_KEY_FILE", "/nonexistent/key", 1);
	st.config = config_load(err, sizeof(err));
	assert_non_null(st.config);
	hear();
	assert_int_equal(auth_hooks.start(&st), -1);
	said = heard();
	assert_non_null(strstr(said, "\"event\":\"cannot start\""));
	assert_non_null(strstr(said, "/nonexistent/key"));
	assert_null(st.db);
	assert_null(st.auth);
	auth_hooks.stop(&st); /* what was never started */
	config_free(st.config);
	setenv("MERIDIAN_SECRET_KEY_FILE", key, 1);
	free(key);
}

/* It would be open to no token, whatever its scopes. */
static void
area_that_no_scope_names_is_a_mistake_of_ours(void **state)
{
	struct app wrong = app;
	struct app_state st = { .app = &wrong, .config = w.config };
	int status;
	pid_t pid;

	(void)state;
	wrong.area = "targetz";
	pid = fork();
	if (pid == 0)
		_exit(auth_hooks.start(&st));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
what_was_not_asked_is_not_counted_nor_shown(void **state)
{
	struct request r = { .app = &w.server.app, .arena = a };
	struct value *page = value_object(a);
	unsigned n = 77;
	int64_t us = 77;

	(void)state;
	auth_hooks.count(&r, &n, &us);
	assert_int_equal(n, 77);
	assert_int_equal(us, 77);
	auth_hooks.context(&r, page);
	assert_int_equal(value_count(page), 0);
	auth_hooks.finish(&r);
}

/* How many rows the log has of refused forms, and how many those stand for. */
static size_t
refused_forms(int64_t *times)
{
	struct event_filter filter = { .kind = STR("csrf_refused") };
	struct event_row *rows;
	size_t n;
	bool more;

	*times = 0;
	assert_int_equal(event_list(scratch_db, a, &filter, 100, &rows, &n, &more), DB_END);
	for (size_t i = 0; i < n; i++)
		*times += rows[i].times;
	return n;
}

static void
flood_becomes_a_row_when_its_minute_is_over(void **state)
{
	int64_t now = clock_now() / MINUTE * MINUTE, times;

	(void)state;
	clock_freeze(now);
	for (int i = 0; i < EVENT_ROWS + 4; i++)
		assert_int_equal(web_ask(&w, "POST /open/", STR("a=1"), HTTPS, NULL), 403);
	assert_int_equal(refused_forms(&times), EVENT_ROWS);
	auth_hooks.idle(&w.server.app);
	assert_int_equal(refused_forms(&times), EVENT_ROWS);
	clock_freeze(now + 2 * MINUTE);
	auth_hooks.idle(&w.server.app);
	assert_int_equal(refused_forms(&times), EVENT_ROWS + 1);
	assert_int_equal(times, EVENT_ROWS + 4);
	/* and at the end, though it is not over */
	for (int i = 0; i < EVENT_ROWS + 4; i++)
		assert_int_equal(web_ask(&w, "POST /open/", STR("a=1"), HTTPS, NULL), 403);
	web_close(&w);
	assert_int_equal(refused_forms(&times), 2 * EVENT_ROWS + 2);
	assert_int_equal(times, 2 * (EVENT_ROWS + 4));
	web_open(&w, &app);
	clock_freeze(0);
}

/* How many files of the database this process has open. */
static int
open_databases(void)
{
	char link[40], name[300];
	ssize_t len;
	int n = 0;

	for (int fd = 0; fd < 100; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, name, sizeof(name) - 1);
		name[len < 0 ? 0 : len] = '\0';
		n += strstr(name, "/test.db") != NULL;
	}
	return n;
}

static void
connection_that_was_long_idle_is_closed(void **state)
{
	struct auth *auth = w.server.app.auth;
	int used;

	(void)state;
	assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS, NULL), 302);
	used = open_databases();
	assert_true(used > 0);
	assert_true(auth->db_idle == 300 * SECOND);
	auth_hooks.idle(&w.server.app);
	assert_int_equal(open_databases(), used);
	auth->db_idle = 0;
	auth_hooks.idle(&w.server.app);
	assert_true(open_databases() < used);
	auth->db_idle = 300 * SECOND;
	assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS, NULL), 302);
	assert_int_equal(open_databases(), used);
}

/* The exit status of a process that keeps only what these say it needs, and then does that. */
static int
confined(void (*needs)(const struct app_state *, struct sandbox *), int (*act)(void))
{
	struct sandbox box;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		db_close_idle(w.server.app.db, 0);
		sandbox_begin(&box);
		needs(&w.server.app, &box);
		if (sandbox_confine(&box) != 0)
			_exit(90);
		if (box.abi > 0 && open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
			_exit(91);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int
ask_the_database(void)
{
	return web_ask(&w, "GET /mine/", STR_NONE, HTTPS, NULL) == 302 ? 0 : 1;
}

static int
hash_a_password(void)
{
	struct str encoded;

	return password_hash(a, STR("letmein"), &encoded) == PASSWORD_RIGHT ? 0 : 1;
}

static void
confined_worker_has_its_database_and_its_turns(void **state)
{
	(void)state;
#ifdef SANITIZED
	skip(); /* nothing is given up there */
#endif
	assert_int_equal(confined(auth_hooks.needs, ask_the_database), 0);
	assert_int_equal(confined(auth_needs_hashes, hash_a_password), 0);
}

/* The table takes no change from here on, or takes them again. */
static void
freeze_sessions(bool freeze)
{
	const char *sql = freeze ? "CREATE TRIGGER frozen BEFORE UPDATE ON session "
	                           "BEGIN SELECT RAISE(ABORT, 'frozen'); END"
	                         : "DROP TRIGGER frozen";

	assert_int_equal(db_run_text(scratch_db, &sql, 1), DB_END);
}

/* A session that was used and cannot say so goes on; the worker leaves it for five seconds. */
static void
use_that_cannot_be_noted_costs_a_line_and_no_page(void **state)
{
	int64_t now = clock_now(), began = clock_monotonic();
	const struct auth *auth = w.server.app.auth;
	char cookie[200];
	const char *said;

	(void)state;
	clock_freeze(now);
	assert_int_equal(web_ask(&w, "GET /enter/", STR_NONE, HTTPS, NULL), 302);
	snprintf(cookie, sizeof(cookie), "HTTP_COOKIE=%.*s",
	    (int)strcspn(web_header(&w, "Set-Cookie"), ";"), web_header(&w, "Set-Cookie"));
	clock_freeze(now + 2 * MINUTE);
	freeze_sessions(true);
	for (int i = 0; i < 2; i++) {
		hear();
		assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS, cookie, NULL), 200);
		said = heard();
		assert_string_equal(web_text(&w), "ada");
		if (i == 0) {
			assert_true(auth->touch_after >= began + 5 * SECOND);
			assert_true(auth->touch_after <= clock_monotonic() + 5 * SECOND);
			assert_non_null(strstr(said, "\"level\":\"warn\""));
			assert_non_null(strstr(said, "the use of a session could not be noted"));
			assert_non_null(strstr(said, "frozen"));
		} else {
			assert_string_equal(said, "");
		}
	}
	freeze_sessions(false);
	clock_freeze(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parent_says_why_no_worker_could_start),
		cmocka_unit_test(worker_without_its_key_does_not_start),
		cmocka_unit_test(area_that_no_scope_names_is_a_mistake_of_ours),
		cmocka_unit_test(what_was_not_asked_is_not_counted_nor_shown),
		cmocka_unit_test(flood_becomes_a_row_when_its_minute_is_over),
		cmocka_unit_test(connection_that_was_long_idle_is_closed),
		cmocka_unit_test(confined_worker_has_its_database_and_its_turns),
		cmocka_unit_test(use_that_cannot_be_noted_costs_a_line_and_no_page),
	};

	return cmocka_run_group_tests_name("worker", tests, set_up, tear_down);
}
