/*
 * evil: an executable of cgi/ whose handler was taken over, for tests/http/test_sandbox.py.
 *
 *	GET /evil/	tries what $EVIL names, and says what came of each
 *
 * It is linked from an executable's own objects: the linker puts this app_main before the library's
 * (--wrap), which adds the route. So what the executable says of its needs is what is tried. Not
 * installed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "db/db.h"
#include "http/response.h"

/* of db/driver.h, which is not for who includes http/value.h */
enum db_result db_enter(struct db *);
enum db_result db_control(struct db *, const char *sql, bool later);

int __real_app_main(int argc, char **argv, const struct app *app);
int __wrap_app_main(int argc, char **argv, const struct app *app);

/* Each returns 0 where it succeeded, else errno or what says the same. */
typedef int try_fn(struct request *);

static int
outcome(long r)
{
	return r < 0 ? errno : 0;
}

static int
try_open(const char *path, int flags)
{
	return outcome(open(path, flags | O_CLOEXEC, 0600));
}

static int
read_passwd(struct request *r)
{
	(void)r;
	return try_open("/etc/passwd", O_RDONLY);
}

/* The file that the configuration names by that key. */
static int
read_key(struct request *r, const char *key)
{
	return try_open(config_text(r->app->config, key), O_RDONLY);
}

static int
read_configuration(struct request *r)
{
	return try_open(config_path(r->app->config), O_RDONLY);
}

static int
read_secret(struct request *r)
{
	return read_key(r, "SECRET_KEY_FILE");
}

static int
read_parent_memory(struct request *r)
{
	char path[64];

	(void)r;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return try_open(path, O_RDONLY);
}

static int
read_database(struct request *r)
{
	const char *url = config_text(r->app->config, "DATABASE_URL");

	return strncmp(url, "sqlite:", 7) == 0 ? try_open(url + 7, O_RDWR) : ENOENT;
}

static int
write_home(struct request *r)
{
	(void)r;
	return try_open("/var/tmp/meridian-evil", O_WRONLY | O_CREAT | O_TRUNC);
}

static int
write_template(struct request *r)
{
	char path[4096];

	snprintf(
	    path, sizeof(path), "%s/templates/evil.html", config_text(r->app->config, "SHARE_DIR"));
	return try_open(path, O_WRONLY | O_CREAT);
}

static int
write_program(struct request *r)
{
	(void)r;
	return try_open("/proc/self/exe", O_WRONLY);
}

static int
write_run_dir(struct request *r)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/evil", config_text(r->app->config, "RUN_DIR"));
	return try_open(path, O_WRONLY | O_CREAT);
}

/* The socket of another executable, as tests/http/test_sandbox.py has it there. */
static int
remove_socket(struct request *r)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/evil.sock", config_text(r->app->config, "RUN_DIR"));
	return outcome(unlink(path));
}

/* What turns of hashing need. */
static int
open_lock(struct request *r)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/passwords.lock", config_text(r->app->config, "RUN_DIR"));
	return try_open(path, O_RDWR);
}

static int
write_temporary(struct request *r)
{
	const char *dir = getenv("TMPDIR");

	(void)r;
	return try_open(dir == NULL ? "/tmp" : dir, O_TMPFILE | O_RDWR);
}

static int
run_a_shell(struct request *r)
{
	(void)r;
	return outcome(execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL));
}

static int
start_a_process(struct request *r)
{
	pid_t pid = fork();

	(void)r;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int
watch_the_parent(struct request *r)
{
	(void)r;
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
signal_the_parent(struct request *r)
{
	(void)r;
	return outcome(kill(getppid(), 0));
}

static int
make_namespace(struct request *r)
{
	(void)r;
	return outcome(syscall(SYS_unshare, 0x10000000));
}

static int
make_unix_socket(struct request *r)
{
	(void)r;
	return outcome(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
make_tcp_socket(struct request *r)
{
	(void)r;
	return outcome(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
make_raw_socket(struct request *r)
{
	(void)r;
	return outcome(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* Where only the database's port is open, this is EACCES, not ECONNREFUSED. */
static int
connect_elsewhere(struct request *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)r;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno : outcome(connect(fd, (const struct sockaddr *)&a, sizeof(a)));
}

static int
open_a_server(struct request *r)
{
	(void)r;
	return outcome(listen(STDIN_FILENO, 1));
}

static int
write_code(struct request *r)
{
	void *p = mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)r;
	return p == MAP_FAILED ? errno : 0;
}

static int
turn_data_to_code(struct request *r)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)r;
	return p == MAP_FAILED ? errno : outcome(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
write_code_to_a_file_in_memory(struct request *r)
{
	(void)r;
	return outcome(memfd_create("code", MFD_CLOEXEC));
}

static int
run_a_file(struct request *r)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir == NULL ? "/tmp" : dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	void *p;

	(void)r;
	if (fd < 0)
		return errno;
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? errno : 0;
}

/* The key that the configuration names. */
static int
open_a_key_to_others(struct request *r)
{
	return outcome(chmod(config_text(r->app->config, "SECRET_KEY_FILE"), 0644));
}

static int
take_memory(struct request *r)
{
	void *p = mmap(NULL, (size_t)2 << 30, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)r;
	return p == MAP_FAILED ? errno : 0;
}

static int
raise_limits(struct request *r)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)r;
	return outcome(setrlimit(RLIMIT_CORE, &all));
}

/* A statement, whatever the driver: EPERM where the database refuses it. */
static int
ask(struct request *r, const char *sql)
{
	enum db_result result;

	if (r->app->db == NULL)
		return ENODEV;
	if (db_enter(r->app->db) != DB_END)
		return EIO;
	result = db_control(r->app->db, sql, false);
	return result == DB_END || result == DB_ROW ? 0 : EPERM;
}

static int
read_hashes(struct request *r)
{
	return ask(r, "SELECT password FROM users");
}

static int
read_factors(struct request *r)
{
	return ask(r, "SELECT secret FROM factor");
}

static int
write_hashes(struct request *r)
{
	return ask(r, "UPDATE users SET password = '!' WHERE id = 0");
}

static int
become_superuser(struct request *r)
{
	return ask(r, "UPDATE users SET is_superuser = 1 WHERE id = 0");
}

static int
become_another_role(struct request *r)
{
	return ask(r, "RESET ROLE") == 0 ? read_hashes(r) : EPERM;
}

static int
drop_a_table(struct request *r)
{
	return ask(r, "DROP TABLE datum");
}

static int
empty_the_log(struct request *r)
{
	return ask(r, "DELETE FROM security_event");
}

#define TRY(name_) \
	{ \
#name_, name_ \
	}
static const struct {
	const char *name;
	try_fn *act;
} tries[] = {
	TRY(read_passwd),
	TRY(read_configuration),
	TRY(read_secret),
	TRY(read_parent_memory),
	TRY(read_database),
	TRY(write_home),
	TRY(write_template),
	TRY(write_program),
	TRY(write_run_dir),
	TRY(remove_socket),
	TRY(open_lock),
	TRY(write_temporary),
	TRY(run_a_shell),
	TRY(start_a_process),
	TRY(watch_the_parent),
	TRY(signal_the_parent),
	TRY(make_namespace),
	TRY(make_unix_socket),
	TRY(make_tcp_socket),
	TRY(make_raw_socket),
	TRY(connect_elsewhere),
	TRY(open_a_server),
	TRY(write_code),
	TRY(turn_data_to_code),
	TRY(write_code_to_a_file_in_memory),
	TRY(run_a_file),
	TRY(open_a_key_to_others),
	TRY(take_memory),
	TRY(raise_limits),
	TRY(read_hashes),
	TRY(read_factors),
	TRY(write_hashes),
	TRY(become_superuser),
	TRY(become_another_role),
	TRY(drop_a_table),
	TRY(empty_the_log),
};

/* All that are named, divided by commas; a line each, written at once: the next may end us. */
static int
evil(struct request *r, struct response *res)
{
	const char *names = getenv("EVIL");

	for (const char *p = names == NULL ? "" : names; *p != '\0';) {
		size_t n = strcspn(p, ",");

		for (size_t i = 0; i < NELEM(tries); i++)
			if (strlen(tries[i].name) == n && memcmp(tries[i].name, p, n) == 0) {
				int result = tries[i].act(r);

				dprintf(STDOUT_FILENO, "%s %s\n", tries[i].name,
				    result == 0 ? "done" : strerrorname_np(result));
			}
		p += n + (p[n] == ',');
	}
	return respond_text(r, res, 200, "text/plain; charset=utf-8", STR("end\n"));
}

int
__wrap_app_main(int argc, char **argv, const struct app *app)
{
	static struct route routes[200];
	struct app taken = *app;

	if (app->nroutes + 1 > NELEM(routes))
		return 1;
	memcpy(routes, app->routes, app->nroutes * sizeof(*routes));
	routes[app->nroutes] = (struct route)ROUTE(GET, "/evil/", ANYONE, NO_BODY, evil);
	taken.routes = routes;
	taken.nroutes = app->nroutes + 1;
	return __real_app_main(argc, argv, &taken);
}
