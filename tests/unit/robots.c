/*
 * robots: security.md D.2, point by point: the executable of this build is asked as plain CGI.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "config.h"
#include "http/robots.h"

#define OURS "User-Agent: *\nDisallow: /\n"

static char dir[] = "/tmp/meridian-unit-XXXXXX";
static char file[64], program[4200];
static struct buf answer, errors;

static void
slurp(int fd, struct buf *b)
{
	char piece[4096];
	ssize_t n;

	buf_clear(b);
	buf_puts(b, "");
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_put(b, piece, (size_t)n);
	close(fd);
}

static int no_openat2; /* what a filter answers to it; 0: there is none */
static rlim_t memory = RLIM_INFINITY; /* bytes of data it may have */

static void
limit_child(void)
{
	const struct rlimit limit = { memory, memory };
	scmp_filter_ctx filter;

	assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
	if (no_openat2 == 0)
		return;
	filter = seccomp_init(SCMP_ACT_ALLOW);
	seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)no_openat2), SCMP_SYS(openat2), 0);
	assert_int_equal(seccomp_load(filter), 0);
}

/* Runs it with these variables ("NAME=value", NULL at the end) and keeps what it wrote. -1: killed. */
static int
ask(const char *variable, ...)
{
	int out[2], err[2], status;
	va_list ap;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	va_start(ap, variable);
	pid = fork();
	if (pid == 0) {
		clearenv();
		setenv("MERIDIAN_CONFIG", "/dev/null", 1);
		setenv("MERIDIAN_LOG_REQUESTS", "no", 1);
		setenv("REQUEST_METHOD", "GET", 1);
		setenv("SCRIPT_NAME", "/robots.txt", 1);
		setenv("HTTP_HOST", "tom.example", 1);
		for (; variable != NULL; variable = va_arg(ap, const char *))
			putenv(strdup(variable));
		dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
		limit_child();
		execl(program, "robots", (char *)NULL);
		_exit(127);
	}
	va_end(ap);
	close(out[1]);
	close(err[1]);
	slurp(out[0], &answer);
	slurp(err[0], &errors);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
status(void)
{
	int n = 0;

	assert_int_equal(sscanf(answer.p, "Status: %d", &n), 1);
	return n;
}

static const char *
body(void)
{
	const char *p = strstr(answer.p, "\r\n\r\n");

	assert_non_null(p);
	return p + 4;
}

static const char *
header(const char *name)
{
	static char value[512];
	char want[64];
	const char *p;

	snprintf(want, sizeof(want), "\r\n%s: ", name);
	p = strstr(answer.p, want);
	if (p == NULL || p >= body())
		return "";
	p += strlen(want);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\r"), p);
	return value;
}

static void
write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

static size_t
warnings(const char *event)
{
	size_t n = 0;

	for (const char *p = errors.p; (p = strstr(p, event)) != NULL; p++)
		n++;
	return n;
}

static void
without_configuration_nobody_may_read_anything(void **state)
{
	(void)state;
	assert_int_equal(ask(NULL), 0);
	assert_int_equal(status(), 200);
	assert_string_equal(body(), OURS);
	assert_string_equal(header("Content-Type"), "text/plain; charset=utf-8");
	assert_string_equal(header("Content-Length"), "26");
	assert_string_equal(header("Cache-Control"), "public, max-age=3600");
	assert_string_not_equal(header("ETag"), "");
	assert_string_not_equal(header("Last-Modified"), "");
	assert_string_equal(header("Set-Cookie"), "");
	assert_string_equal(header("Vary"), "");
	assert_string_equal(errors.p, "");
}

static void
head_is_get_but_for_the_body(void **state)
{
	char get[1024];

	(void)state;
	ask(NULL);
	snprintf(get, sizeof(get), "%.*s", (int)(body() - answer.p), answer.p);
	ask("REQUEST_METHOD=HEAD", NULL);
	assert_string_equal(answer.p, get);
}

static void
other_methods_are_405_and_options_is_204(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW" };
	char variable[64];

	(void)state;
	for (size_t i = 0; i < NELEM(methods); i++) {
		snprintf(variable, sizeof(variable), "REQUEST_METHOD=%s", methods[i]);
		ask(variable, NULL);
		assert_int_equal(status(), 405);
		assert_string_equal(header("Allow"), "GET, HEAD, OPTIONS");
	}
	ask("REQUEST_METHOD=OPTIONS", NULL);
	assert_int_equal(status(), 204);
	assert_string_equal(header("Allow"), "GET, HEAD, OPTIONS");
}

static void
validators_give_304(void **state)
{
	char variable[256];

	(void)state;
	ask(NULL);
	snprintf(variable, sizeof(variable), "HTTP_IF_NONE_MATCH=\"x\", W/%s", header("ETag"));
	ask(variable, NULL);
	assert_int_equal(status(), 304);
	assert_string_equal(body(), "");
	ask("HTTP_IF_NONE_MATCH=*", NULL);
	assert_int_equal(status(), 304);
	ask(NULL);
	snprintf(variable, sizeof(variable), "HTTP_IF_MODIFIED_SINCE=%s", header("Last-Modified"));
	ask(variable, NULL);
	assert_int_equal(status(), 304);
	ask(variable, "HTTP_IF_NONE_MATCH=\"x\"", NULL);
	assert_int_equal(status(), 200);
	ask("HTTP_RANGE=bytes=0-3", NULL);
	assert_int_equal(status(), 200);
	assert_string_equal(body(), OURS);
}

static void
the_path_is_exact(void **state)
{
	static const char *const others[] = { "/robots.txt/", "/Robots.txt", "/x/robots.txt",
		"/robots.txt.bak", "/ROBOTS.TXT", "/", "//robots.txt" };
	char variable[64];

	(void)state;
	for (size_t i = 0; i < NELEM(others); i++) {
		snprintf(variable, sizeof(variable), "SCRIPT_NAME=%s", others[i]);
		ask(variable, NULL);
		assert_int_equal(status(), 404);
	}
}

static void
every_host_is_answered_and_none_is_echoed(void **state)
{
	static const char *const hosts[] = { "evil.test", "evil.test:8080", "evil.test@x", "",
		"../../etc/evil.test", "evil.test\\", "[::1]" };
	char variable[64];

	(void)state;
	for (size_t i = 0; i < NELEM(hosts); i++) {
		snprintf(variable, sizeof(variable), "HTTP_HOST=%s", hosts[i]);
		ask(variable, "MERIDIAN_AUTH_STRATEGY=LOCKED", "MERIDIAN_ROBOTS_TXT_DIR=/tmp",
		    NULL);
		assert_int_equal(status(), 200);
		assert_string_equal(body(), OURS);
		assert_null(strstr(answer.p, "evil"));
	}
}

static void
a_configured_file_is_served_and_mended(void **state)
{
	static const char text[] = "\xef\xbb\xbfUser-agent: *\r\nDisallow: /admin/\r\nAllow: /";
	char variable[128];

	(void)state;
	snprintf(variable, sizeof(variable), "MERIDIAN_ROBOTS_TXT_PATH=%s", file);
	write_file(file, text, sizeof(text) - 1);
	ask(variable, "MERIDIAN_ROBOTS_SITEMAP=https://x/ignored.xml", NULL);
	assert_string_equal(body(), "User-agent: *\r\nDisallow: /admin/\r\nAllow: /\n");
	assert_int_equal(warnings("ROBOTS_SITEMAP is not added"), 1);
	ask(variable, NULL);
	assert_string_equal(errors.p, "");
	/* a filter of system calls that does not know openat2 */
	for (int i = 0; i < 2; i++) {
		no_openat2 = i == 0 ? EPERM : ENOSYS;
		ask(variable, NULL);
		assert_string_equal(body(), "User-agent: *\r\nDisallow: /admin/\r\nAllow: /\n");
	}
	no_openat2 = 0;
	unlink(file);
}

/* "4xx": all may be read; "5xx": the site is gone. */
static void
no_oddity_of_a_request_or_the_site_is_an_error(void **state)
{
	(void)state;
	ask("QUERY_STRING=%zz", NULL);
	assert_int_equal(status(), 200);
	ask("CONTENT_LENGTH=5", "CONTENT_TYPE=text/plain", NULL);
	assert_int_equal(status(), 200);
	ask("SERVER_ADDR=192.0.2.1", "MERIDIAN_INSECURE_HTTP=yes", NULL);
	assert_int_equal(status(), 200);
	assert_string_equal(body(), OURS);
}

/* With ever less memory it answers the file, then the default, then cannot start. */
static void
out_of_memory_the_default_is_served(void **state)
{
#ifdef SANITIZED
	(void)state;
	skip();
#else
	char *large = malloc(ROBOTS_LONGEST), variable[128];
	size_t whole = 0, ours = 0;

	(void)state;
	assert_non_null(large);
	memset(large, '#', ROBOTS_LONGEST);
	write_file(file, large, ROBOTS_LONGEST);
	snprintf(variable, sizeof(variable), "MERIDIAN_ROBOTS_TXT_PATH=%s", file);
	for (memory = MIB(4); memory > 0; memory -= KIB(64)) {
		ask(variable, NULL);
		if (answer.n == 0)
			continue;
		assert_int_equal(status(), 200);
		if (strcmp(body(), OURS) == 0)
			ours++;
		else
			whole++;
	}
	memory = RLIM_INFINITY;
	assert_true(whole > 0 && ours > 0);
	unlink(file);
	free(large);
#endif
}

/* What is wrong with the file: each gives our default and one warning. */
static void
assert_default(void)
{
	char variable[128];

	snprintf(variable, sizeof(variable), "MERIDIAN_ROBOTS_TXT_PATH=%s", file);
	assert_int_equal(ask(variable, NULL), 0);
	assert_int_equal(status(), 200);
	assert_string_equal(body(), OURS);
	assert_int_equal(warnings("default robots.txt served"), 1);
	assert_non_null(strstr(errors.p, file));
}

static void
a_file_that_cannot_be_used_gives_the_default(void **state)
{
	char *large = malloc(ROBOTS_LONGEST + 2);

	(void)state;
	unlink(file);
	assert_default(); /* none there */
	mkdir(file, 0700);
	assert_default();
	rmdir(file);
	mkfifo(file, 0600);
	assert_default();
	unlink(file);
	assert_int_equal(symlink("/etc/hostname", file), 0);
	assert_default();
	unlink(file);
	write_file(file, "", 0);
	assert_default();
	write_file(file, "\xef\xbb\xbf", 3);
	assert_default();
	write_file(file, "User-agent: *\nDisallow: /\xff\n", 26);
	assert_default();
	write_file(file, "User-agent: *\0\n", 15);
	assert_default();
	assert_non_null(large);
	memset(large, '#', ROBOTS_LONGEST + 2);
	write_file(file, large, ROBOTS_LONGEST + 1);
	assert_default();
	write_file(file, "User-agent: *\n", 14);
	if (geteuid() != 0) {
		chmod(file, 0);
		assert_default();
	}
	unlink(file);
	free(large);
}

static void
sitemaps_follow_the_default_rules(void **state)
{
	(void)state;
	ask("MERIDIAN_ROBOTS_SITEMAP=https://tom.example/a.xml https://tom.example/b.xml", NULL);
	assert_string_equal(body(),
	    OURS "\nSitemap: https://tom.example/a.xml\nSitemap: https://tom.example/b.xml\n");
}

static void
a_host_may_have_its_own_file(void **state)
{
	char path[128], variable[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/tom.example.txt", dir);
	snprintf(variable, sizeof(variable), "MERIDIAN_ROBOTS_TXT_DIR=%s", dir);
	write_file(path, "User-agent: a\nAllow: /\n", 23);
	ask(variable, NULL);
	assert_string_equal(body(), "User-agent: a\nAllow: /\n");
	ask(variable, "HTTP_HOST=TOM.example:8080", NULL);
	assert_string_equal(body(), "User-agent: a\nAllow: /\n");
	ask(variable, "HTTP_HOST=other.example", NULL);
	assert_string_equal(body(), OURS);
	assert_string_equal(errors.p, "");
	ask(variable, "HTTP_HOST=../tom.example", NULL);
	assert_string_equal(body(), OURS);
	unlink(path);
	/* a link to what is elsewhere is not followed */
	assert_int_equal(symlink("/etc/passwd", path), 0);
	ask(variable, NULL);
	assert_string_equal(body(), OURS);
	assert_int_equal(warnings("default robots.txt served"), 1);
	unlink(path);
}

struct found {
	size_t n;
	unsigned lines[ROBOTS_FINDINGS + 1];
};

static void
collect(void *arg, unsigned line, const char *what)
{
	struct found *f = arg;

	assert_non_null(what);
	assert_true(f->n < ROBOTS_FINDINGS);
	f->lines[f->n++] = line;
}

static void
odd_lines_are_told_by_number(void **state)
{
	struct found f = { .n = 0 };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(robots_lint(STR("Disallow: /early\n"
	                                 "User-agent: *\r\n"
	                                 "Dissallow: /x\r"
	                                 "no colon # here\n"
	                                 "\n# User-agent: *\n"
	                                 "user-AGENT : GPTBot\n"
	                                 "Allow: relative\n"
	                                 "Allow: *$\nDisallow:\n"
	                                 "User-agent: gptbot\n"
	                                 "Sitemap: https://x/\n"),
	                     collect, &f),
	    5);
	assert_int_equal(f.n, 5);
	assert_int_equal(f.lines[0], 1);
	assert_int_equal(f.lines[1], 3);
	assert_int_equal(f.lines[2], 4);
	assert_int_equal(f.lines[3], 8);
	assert_int_equal(f.lines[4], 11);
	buf_puts(&b, "User-agent: *\nDisallow: /");
	for (size_t i = 0; i < ROBOTS_LINE_LONGEST; i++)
		buf_putc(&b, 'x');
	f.n = 0;
	assert_int_equal(robots_lint(buf_text(&b), collect, &f), 1);
	buf_clear(&b);
	for (int i = 0; i < 100; i++)
		buf_puts(&b, "odd\n");
	f.n = 0;
	assert_int_equal(robots_lint(buf_text(&b), collect, &f), 100);
	assert_int_equal(f.n, ROBOTS_FINDINGS);
	buf_free(&b);
}

static int
open_dir(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 20);
	char *tests;

	(void)state;
	assert_true(n > 0);
	program[n] = '\0';
	tests = strstr(program, "/tests/unit/");
	assert_non_null(tests);
	memcpy(tests, "/robots", 8);
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/robots.txt", dir);
	return 0;
}

static int
close_dir(void **state)
{
	(void)state;
	unlink(file);
	rmdir(dir);
	buf_free(&answer);
	buf_free(&errors);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_configuration_nobody_may_read_anything),
		cmocka_unit_test(head_is_get_but_for_the_body),
		cmocka_unit_test(other_methods_are_405_and_options_is_204),
		cmocka_unit_test(validators_give_304),
		cmocka_unit_test(the_path_is_exact),
		cmocka_unit_test(every_host_is_answered_and_none_is_echoed),
		cmocka_unit_test(a_configured_file_is_served_and_mended),
		cmocka_unit_test(no_oddity_of_a_request_or_the_site_is_an_error),
		cmocka_unit_test(out_of_memory_the_default_is_served),
		cmocka_unit_test(a_file_that_cannot_be_used_gives_the_default),
		cmocka_unit_test(sitemaps_follow_the_default_rules),
		cmocka_unit_test(a_host_may_have_its_own_file),
		cmocka_unit_test(odd_lines_are_told_by_number),
	};

	return cmocka_run_group_tests_name("robots", tests, open_dir, close_dir);
}
