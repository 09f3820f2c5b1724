/*
 * app: the main of every executable: what was asked for, and who does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "config.h"
#include "http/helper.h"
#include "http/proxy.h"
#include "http/serve.h"
#include "http/template.h"

#define EXIT_USAGE 2
#define EXIT_CONFIG 78 /* EX_CONFIG of sysexits(3) */
#define WORKERS_MAX 256

struct options {
	const char *socket; /* NULL: fd 0 or plain CGI */
	int workers;
	bool plain;
};

static void
usage(FILE *to, const struct app *app)
{
	fprintf(to,
	    "usage: %s [-P] [-s SOCKET [-w WORKERS]]\n"
	    "       %s -h | -R | -V\n"
	    "%s: %s\n"
	    "  -s SOCKET   open this unix socket and serve FastCGI on it\n"
	    "  -w WORKERS  with so many processes (2)\n"
	    "  -P          with libfcgi's own loop\n"
	    "  -R          print the routes: method, path, access, longest body\n"
	    "  -V          print the version\n"
	    "Without -s: FastCGI where standard input is a listening socket, else one request of\n"
	    "plain CGI from the environment. The configuration is $MERIDIAN_CONFIG, else\n"
	    "/etc/meridian/meridian.conf.\n",
	    app->name, app->name, app->name, app->what == NULL ? "" : app->what);
}

static void
print_routes(const struct app *app)
{
	for (size_t i = 0; i < app->nroutes; i++) {
		const struct route *row = &app->routes[i];

		printf("%s\t%s\t%s\t%zu\n", method_name(row->method), row->path,
		    access_name(row->access), row->body);
	}
}

/* -1 to go on; else the exit status. */
static int
read_options(int argc, char **argv, const struct app *app, struct options *o)
{
	int64_t workers;
	int c;

	while ((c = getopt(argc, argv, "hPRs:Vw:")) != -1) {
		switch (c) {
		case 'h':
			usage(stdout, app);
			return 0;
		case 'P':
			o->plain = true;
			break;
		case 'R':
			print_routes(app);
			return 0;
		case 's':
			o->socket = optarg;
			break;
		case 'V':
			printf("%s (%s) %s\n", app->name, PACKAGE_NAME, PACKAGE_VERSION);
			return 0;
		case 'w':
			if (!str_to_int64(str_of(optarg), &workers) || workers < 1 ||
			    workers > WORKERS_MAX) {
				fprintf(stderr, "%s: -w: from 1 to %d workers, not \"%s\"\n",
				    app->name, WORKERS_MAX, optarg);
				return EXIT_USAGE;
			}
			o->workers = (int)workers;
			break;
		default:
			usage(stderr, app);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr, app);
	return EXIT_USAGE;
}

/*
 * Puts right what whoever started us may have left: closed standard streams, whose places our own
 * sockets would take, and signals ignored or blocked.
 */
static void
start_clean(void)
{
	sigset_t none;
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* No library that we link may be sent through a proxy that a request names (httpoxy). */
static void
forget_proxies(void)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "all_proxy", "ftp_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY" };

	for (size_t i = 0; i < NELEM(names); i++)
		unsetenv(names[i]);
}

static void
set_log_level(const struct config *config)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (size_t i = 0; i < NELEM(names); i++)
		if (strcmp(config_text(config, "LOG_LEVEL"), names[i]) == 0)
			log_set_level((enum log_level)i);
}

/* The check hook runs in a process of its own: what it opens must not be shared by workers. */
static int
check(const struct app *app, struct config *config, struct templates *templates)
{
	struct app_state state = { .app = app, .config = config, .templates = templates };
	int status;
	pid_t pid;

	if (app->hooks == NULL || app->hooks->check == NULL)
		return 0;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(app->hooks->check(&state) == 0 ? 0 : EXIT_CONFIG);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* URL_PREFIX is put in front of every address and header: a plain path, or nothing. */
static bool
is_prefix(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/",
		        s.p[i]) == NULL)
			return false;
	return s.n == 0 || url_is_local(s);
}

static int
load(const struct app *app, struct config **config, struct templates **templates)
{
	char err[512] = "";
	struct arena *a;
	struct str wrong;

	*templates = NULL;
	*config = config_load(err, sizeof(err));
	if (*config == NULL) {
		fprintf(stderr, "%s: %s\n", app->name, err);
		return -1;
	}
	set_log_level(*config);
	if (!is_prefix(str_of(config_text(*config, "URL_PREFIX")))) {
		fprintf(stderr, "%s: URL_PREFIX is a path such as /tom, not \"%s\"\n", app->name,
		    config_text(*config, "URL_PREFIX"));
		goto release;
	}
	a = arena_new();
	wrong = proxy_config_wrong(a, *config);
	if (wrong.p != NULL)
		fprintf(stderr, "%s: %s\n", app->name, wrong.p);
	arena_free(a);
	if (wrong.p != NULL)
		goto release;
	if (!app->no_pages) {
		const char *share = config_text(*config, "SHARE_DIR");
		const char *overrides = config_text(*config, "TEMPLATES");
		char dir[4096];

		snprintf(dir, sizeof(dir), "%s/templates", share);
		*templates = templates_new(dir, overrides[0] == '\0' ? NULL : overrides);
		if (templates_compile_all(*templates, err, sizeof(err)) != 0) {
			fprintf(stderr, "%s: %s\n", app->name, err);
			goto release;
		}
	}
	if (check(app, *config, *templates) == 0)
		return 0;
release:
	templates_free(*templates);
	config_free(*config);
	return -1;
}

/* A TCP port that others can reach lets them forge every parameter (security.md A.3 row 4). */
static bool
is_public(int fd)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return true;
	if (a.ss_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)&a)->sin_addr.s_addr) >> 24) != 127;
	if (a.ss_family == AF_INET6)
		return !IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&a)->sin6_addr);
	return false;
}

static bool
is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes != 0;
}

static void
unload(struct prefork *p)
{
	templates_free(p->templates);
	config_free(p->config);
	p->templates = NULL;
	p->config = NULL;
}

static void
join_counters(struct server *server, const struct app *app)
{
	const char *run = config_text(server->app.config, "RUN_DIR");
	char dir[4096];

	if (snprintf(dir, sizeof(dir), "%s/metrics", run) < (int)sizeof(dir))
		counters_join(&server->counters, dir, app->name);
}

/* The helper first, while there is nothing in memory that it should not have. */
static int
start(struct server *server, const struct prefork *p, bool counted)
{
	const struct app *app = p->app;
	int helper = app->parse == NULL
	    ? -1
	    : helper_start(app->parse, config_bool(p->config, "SANDBOX"));

	if (server_start(server, app, p->config, p->templates) != 0)
		return -1;
	server->app.helper = helper;
	if (counted)
		join_counters(server, app);
	return app->parse != NULL && helper < 0 ? -1 : server_confine(server);
}

/* What a worker does with its life. */
static int
work(struct prefork *p)
{
	struct server server;
	int status = EXIT_CONFIG;

	if (start(&server, p, true) == 0)
		status = fastcgi_run(&server, p);
	server_free(&server);
	unload(p);
	return status;
}

static int
serve_socket(const struct options *o, struct prefork *p)
{
	char err[256] = "";

	if (o->socket == NULL) {
		p->listener = STDIN_FILENO;
		if (is_public(STDIN_FILENO)) {
			fprintf(stderr,
			    "%s: standard input listens on a TCP address that others "
			    "reach; use a unix socket\n",
			    p->app->name);
			return EXIT_CONFIG;
		}
		return o->workers > 0 ? prefork_run(p) : work(p);
	}
	p->listener = listen_at(o->socket, err, sizeof(err));
	if (p->listener < 0) {
		fprintf(stderr, "%s: %s\n", p->app->name, err);
		return EXIT_FAILURE;
	}
	p->path = o->socket;
	return prefork_run(p);
}

static int
serve_cgi(struct prefork *p)
{
	extern char **environ;
	struct server server;
	int status = EXIT_CONFIG;

	if (start(&server, p, false) == 0)
		status = cgi_run(&server, environ);
	server_free(&server);
	return status;
}

int
app_main(int argc, char **argv, const struct app *app)
{
	struct options o = { .workers = 0 };
	struct prefork p = { .app = app, .load = load, .work = work, .orphans = { -1, -1 } };
	const char *wrong = route_check(app);
	int status;

	start_clean();
	log_set_program(app->name);
	if (wrong != NULL) {
		fprintf(stderr, "%s: %s\n", app->name, wrong);
		return EXIT_CONFIG;
	}
	status = read_options(argc, argv, app, &o);
	if (status >= 0)
		return status;
	if (o.socket == NULL && !is_listening(STDIN_FILENO) && getenv("REQUEST_METHOD") == NULL &&
	    getenv("GATEWAY_INTERFACE") == NULL) {
		usage(stderr, app);
		return EXIT_USAGE;
	}
	forget_proxies();
	if (load(app, &p.config, &p.templates) != 0)
		return EXIT_CONFIG;
	if (config_bool(p.config, "SANDBOX") && sandbox_enter() != 0) {
		fprintf(stderr,
		    "%s: this machine lets no process give up rights; SANDBOX = no "
		    "goes without\n",
		    app->name);
		unload(&p);
		return EXIT_FAILURE;
	}
	p.workers = o.workers > 0 ? o.workers : o.socket != NULL ? 2 : 1;
	p.plain = o.plain;
	if (o.socket != NULL || is_listening(STDIN_FILENO))
		status = serve_socket(&o, &p);
	else
		status = serve_cgi(&p);
	unload(&p);
	return status;
}
