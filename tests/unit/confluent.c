/*
 * confluent: schemas by number: from a directory, put together from a survey's own files, from a
 * registry (a server of this program's own that also misbehaves), kept and not asked for again.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/confluent.h"
#include "alert/packet.h"
#include "alert/registry.h"
#include "base/buf.h"

static char err[600];
static char dir[] = "/tmp/meridian-confluent-XXXXXX";

#define assert_says(text) \
	do { \
		if (strstr(err, (text)) == NULL) \
			fail_msg("\"%s\" does not say \"%s\"", err, (text)); \
	} while (0)

/* What is needed of a packet of LSST, as a registry has it and as files, a type each. */
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define LONG(name) FIELD(name, "\"long\"")
#define REAL(name) FIELD(name, "[\"null\",\"double\"]")
#define SOURCE \
	"{\"type\":\"record\",\"namespace\":\"lsst.v9_0\",\"name\":\"diaSource\",\"fields\":" \
	"[" LONG("diaSourceId") "," LONG("midpointMjdTai") "," FIELD("band", "[\"null\",\"string\"]") "," REAL( \
	    "psfFlux") "," REAL("psfFluxErr") "," REAL("ra") "," REAL("dec") "]}"
#define OBJECT \
	"{\"type\":\"record\",\"namespace\":\"lsst.v9_0\",\"name\":\"diaObject\",\"fields\":" \
	"[" LONG("diaObjectId") "]}"
#define ALERT(source, object) \
	"{\"type\":\"record\",\"namespace\":\"lsst.v9_0\",\"name\":\"alert\",\"fields\":[" FIELD( \
	    "diaSource", source) "," FIELD("prvDiaSources", \
	    "[\"null\",{\"type\":\"array\",\"items\":\"lsst.v9_0.diaSource\"}]") "," FIELD("diaOb" \
	                                                                                   "ject", \
	    "[\"null\"," object "]") "]}"

static const char whole[] = ALERT(SOURCE, OBJECT);

static void
empty_directory(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[400];

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.' || strlen(e->d_name) > 2)
			assert_int_equal(unlink(path), 0);
	}
	closedir(d);
}

static void
write_file(const char *name, const char *text)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static struct confluent *
patient_store(const char *directory, const char *url, long seconds)
{
	const struct confluent_options o = { directory, url, seconds, 0 };
	struct confluent *c = confluent_new(packet_shapes(), &o, err, sizeof(err));

	if (c == NULL)
		fail_msg("%s", err);
	return c;
}

static struct confluent *
store(const char *directory, const char *url)
{
	return patient_store(directory, url, 0);
}

/* Is the schema found, and LSST's? Else err says why. */
static bool
finds(struct confluent *c, uint32_t id)
{
	const struct avro_schema *s = confluent_find(c, id, err, sizeof(err));

	if (s != NULL)
		assert_ptr_equal(avro_schema_shape(s), survey_lsst.shape);
	return s != NULL;
}

static void
a_directory_gives_schemas_by_number(void **state)
{
	struct confluent *c = store(dir, NULL);

	(void)state;
	write_file("7.avsc", whole);
	write_file("8.avsc", "{ no JSON");
	write_file("9.avsc", "{\"type\":\"record\",\"name\":\"x\",\"fields\":[]}");
	assert_true(finds(c, 7));
	assert_false(finds(c, 8));
	assert_says("8: ");
	assert_false(finds(c, 9));
	assert_says("schema 9: schema: it is no alert's");
	assert_false(finds(c, 10));
	assert_says("there is no schema 10 in /tmp/");
	/* found is found: the file is not read again */
	write_file("7.avsc", "");
	assert_true(finds(c, 7));
	/* and what was not is not looked for at once */
	write_file("10.avsc", whole);
	assert_false(finds(c, 10));
	assert_says("there is no schema 10 in /tmp/");
	confluent_free(c);
	empty_directory();
}

static void
a_surveys_own_files_are_put_together(void **state)
{
	struct confluent *c = store(dir, NULL);

	(void)state;
	write_file("lsst.v9_0.alert.avsc", ALERT("\"lsst.v9_0.diaSource\"", "\"diaObject\""));
	write_file("lsst.v9_0.diaSource.avsc", SOURCE);
	write_file("lsst.v9_0.diaObject.avsc", OBJECT);
	assert_true(finds(c, 900));
	assert_false(finds(c, 901));
	assert_says("there is no schema 901");
	/* a type that has no file, and one that would lead out of the directory */
	write_file("lsst.v10_2.alert.avsc", ALERT("\"lsst.v9_0.diaSource\"", "\"lsst.gone\""));
	assert_false(finds(c, 1002));
	assert_says("lsst.gone: there is no file of that type");
	write_file("11.avsc", ALERT("\"lsst.v9_0.diaSource\"", "\"/etc/passwd\""));
	assert_false(finds(c, 11));
	assert_says("/etc/passwd: it is no name of a type");
	write_file("12.avsc", ALERT("\"lsst.v9_0.diaSource\"", "\"..lsst.v9_0.diaObject\""));
	assert_false(finds(c, 12));
	assert_says("it is no name of a type");
	/* a file that does not define what it is named after */
	write_file("other.avsc", "\"other\"");
	write_file("13.avsc", ALERT("\"lsst.v9_0.diaSource\"", "\"a.other\""));
	write_file("a.other.avsc", "[\"a.other\"]");
	assert_false(finds(c, 13));
	assert_true(err[0] != '\0');
	confluent_free(c);
	empty_directory();
}

static void
the_real_packet_is_read_by_the_real_schema(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[400], packet[500];
	struct confluent *c;
	struct avro_file *f;
	struct arena *a;
	struct alert_packet p;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/../shared/data/alerts/lsst/schema-v9.0",
	    srcdir != NULL ? srcdir : ".");
	snprintf(packet, sizeof(packet), "%s/../7912941781254298.confluent-avro", path);
	fd = open(packet, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		print_message("%s is not here: the real packet is not read\n", packet);
		skip();
	}
	c = store(path, NULL);
	f = packet_file_new();
	a = arena_new();
	avro_file_numbered(f, confluent_find, c);
	if (avro_file_open(f, fd, err, sizeof(err)) != 0 ||
	    packet_next(f, a, &p, err, sizeof(err)) != AVRO_RECORD)
		fail_msg("%s", err);
	/* found once with fastavro and astropy */
	assert_str(p.object, "LSST-AP-DO-7912941781254298");
	assert_int_equal(p.npoints, 1);
	assert_true(p.ra == 55.75212760972686 && p.dec == -32.26847858422095);
	assert_true(p.points[0].mjd == 60961.23266398148 && p.points[0].sign == -1);
	assert_true(p.points[0].flux == -1230.2757568359375 &&
	    p.points[0].flux_error == 245.93679809570312);
	assert_int_equal(packet_next(f, a, &p, err, sizeof(err)), AVRO_END);
	close(fd);
	avro_file_free(f);
	confluent_free(c);
	arena_free(a);
}

/* The registry: a child that answers one connection after the other; each id asked for goes into `asked`. */
static struct {
	pid_t pid;
	char url[60];
	int asked;
} registry;

enum {
	GOOD = 1,
	ABSENT,
	NO_JSON,
	NO_TEXT,
	HUGE_ONE,
	CUT,
	SILENT,
	ELSEWHERE,
	NO_ALERT,
	PROTOBUF,
	REFERS,
	TWICE,
	ERROR_WITH_SCHEMA,
	NO_WORDS,
	FORBIDDEN,
	SIGN_IN,
	NO_PATH,
	NO_PAGE,
	NO_VERSION
};

static void
answer(struct buf *b, const char *status, const char *body, size_t length)
{
	buf_printf(b, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status,
	    length, body);
}

static void
good_body(struct buf *b, const char *more)
{
	buf_puts(b, "{\"schema\":\"");
	for (const char *p = whole; *p != '\0'; p++) {
		if (*p == '"')
			buf_putc(b, '\\');
		buf_putc(b, *p);
	}
	buf_printf(b, "\"%s}", more);
}

static void
reply(struct buf *b, unsigned id)
{
	struct buf body = { 0 };
	const char *status = "200 OK";
	size_t longer = 0;

	if (id == GOOD || id == CUT || id == ERROR_WITH_SCHEMA)
		good_body(&body, ",\"schemaType\":\"AVRO\"");
	else if (id == PROTOBUF)
		good_body(&body, ",\"schemaType\":\"PROTOBUF\"");
	else if (id == REFERS)
		good_body(&body, ",\"references\":[{\"name\":\"a\"}]");
	else if (id == TWICE)
		good_body(&body, ",\"schema\":\"\"");
	else if (id == ABSENT)
		buf_puts(&body, "{\"error_code\":40403,\"message\":\"Schema 2 not found\"}");
	else if (id == NO_VERSION)
		buf_puts(&body, "{\"error_code\":40402,\"message\":\"Version not found\"}");
	else if (id == NO_PATH)
		buf_puts(&body, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}");
	else if (id == SIGN_IN || id == NO_PAGE)
		buf_puts(&body, "<!DOCTYPE html><title>Sign in</title>");
	else if (id == NO_WORDS)
		buf_puts(&body, "{\"message\":\"\"}");
	else if (id == NO_TEXT)
		buf_puts(&body, "{\"schema\":{}}");
	else if (id == NO_ALERT)
		buf_puts(&body, "{\"schema\":\"\\\"int\\\"\"}");
	else if (id == HUGE_ONE) {
		memset(buf_room(&body, MIB(3)), ' ', MIB(3));
		body.n = MIB(3);
		body.p[body.n] = '\0';
	}
	if (id == ABSENT || id == NO_PATH || id == NO_PAGE || id == NO_VERSION)
		status = "404 Not Found";
	else if (id == ERROR_WITH_SCHEMA)
		status = "500 Internal Server Error";
	else if (id == FORBIDDEN)
		status = "403 Forbidden";
	else if (id == ELSEWHERE)
		status = "302 Found\r\nLocation: /schemas/ids/1";
	if (id == CUT)
		longer = 10;
	answer(b, status, buf_text(&body).p, body.n + longer);
	buf_free(&body);
}

static void NORETURN
serve(int listening, int asked)
{
	for (;;) {
		int c = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		struct buf b = { 0 };
		char request[4096];
		unsigned id;
		ssize_t n = c < 0 ? -1 : read(c, request, sizeof(request) - 1);

		if (n <= 0)
			_exit(0);
		request[n] = '\0';
		if (sscanf(request, "GET /base/schemas/ids/%u HTTP", &id) != 1)
			id = NO_JSON;
		if (write(asked, &id, sizeof(id)) != sizeof(id))
			_exit(1);
		if (id == SILENT) {
			/* until they give up */
			while (read(c, request, sizeof(request)) > 0)
				;
		} else
			reply(&b, id);
		for (size_t at = 0; at < b.n && (n = write(c, b.p + at, b.n - at)) > 0;)
			at += (size_t)n;
		buf_free(&b);
		close(c);
	}
}

static int
start_registry(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(in);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];

	(void)state;
	if (s < 0 || bind(s, (struct sockaddr *)&in, size) != 0 || listen(s, 8) != 0 ||
	    getsockname(s, (struct sockaddr *)&in, &size) != 0 || pipe2(ends, O_CLOEXEC) != 0 ||
	    mkdtemp(dir) == NULL)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	snprintf(
	    registry.url, sizeof(registry.url), "http://127.0.0.1:%u/base/", ntohs(in.sin_port));
	registry.pid = fork();
	if (registry.pid == 0)
		serve(s, ends[1]);
	close(s);
	close(ends[1]);
	registry.asked = ends[0];
	return fcntl(registry.asked, F_SETFL, O_NONBLOCK);
}

static int
stop_registry(void **state)
{
	(void)state;
	kill(registry.pid, SIGTERM);
	waitpid(registry.pid, NULL, 0);
	return rmdir(dir);
}

/* How often the registry was asked since the last call. */
static unsigned
times_asked(void)
{
	unsigned ids[100];
	ssize_t n = read(registry.asked, ids, sizeof(ids));

	return n < 0 ? 0 : (unsigned)n / sizeof(ids[0]);
}

static void
a_registry_is_asked_once_and_its_answer_kept(void **state)
{
	struct confluent *c = store(dir, registry.url);
	char path[400];
	struct stat st;
	DIR *d;

	(void)state;
	times_asked();
	assert_true(finds(c, GOOD));
	assert_true(finds(c, GOOD));
	assert_int_equal(times_asked(), 1);
	confluent_free(c);
	snprintf(path, sizeof(path), "%s/1.avsc", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, strlen(whole));
	assert_int_equal(st.st_mode & 0777, 0644);
	/* nothing else is left there */
	d = opendir(dir);
	for (int i = 0; i < 3; i++)
		assert_non_null(readdir(d));
	assert_null(readdir(d));
	closedir(d);
	/* the next run needs no registry */
	c = store(dir, registry.url);
	assert_true(finds(c, GOOD));
	assert_int_equal(times_asked(), 0);
	confluent_free(c);
	empty_directory();
	/* and without a directory it lasts for the run */
	c = store(NULL, registry.url);
	assert_true(finds(c, GOOD));
	assert_true(finds(c, GOOD));
	assert_int_equal(times_asked(), 1);
	confluent_free(c);
}

static void
what_a_registry_does_wrong_is_told_and_not_kept(void **state)
{
	static const struct {
		unsigned id;
		const char *says;
	} cases[] = {
		{ ABSENT, "/base/schemas/ids/2: Schema 2 not found (status 404)" },
		{ NO_JSON, "its answer is no JSON" },
		{ NO_TEXT, "its answer holds no schema" },
		{ HUGE_ONE, "its answer is longer than it may be" },
		{ CUT, "/base/schemas/ids/6: " },
		{ ELSEWHERE, "its answer is no JSON (status 302)" },
		{ NO_ALERT, "schema 9: schema: it is no alert's" },
		{ PROTOBUF, "its schema is none of Avro" },
		{ REFERS, "its schema refers to others" },
		{ TWICE, "its answer is no JSON" },
		{ ERROR_WITH_SCHEMA, "its answer is no success (status 500)" },
		{ NO_WORDS, "its answer holds no schema" },
	};
	struct confluent *c = store(dir, registry.url);
	char path[400];

	(void)state;
	times_asked();
	for (unsigned i = 0; i < 2 * NELEM(cases); i++) {
		err[0] = '\0';
		assert_false(finds(c, cases[i % NELEM(cases)].id));
		assert_says(cases[i % NELEM(cases)].says);
	}
	/* the second time nobody asked */
	assert_int_equal(times_asked(), NELEM(cases));
	assert_true(finds(c, GOOD));
	confluent_free(c);
	/* that one file is there, and none else */
	snprintf(path, sizeof(path), "%s/1.avsc", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static void
what_tells_nothing_of_a_schema_is_asked_again(void **state)
{
	static const unsigned passing[] = { ELSEWHERE, ERROR_WITH_SCHEMA, FORBIDDEN, SIGN_IN,
		NO_PATH, NO_PAGE, NO_JSON, NO_TEXT, NO_WORDS, CUT, HUGE_ONE };
	static const unsigned lasting[] = { ABSENT, NO_VERSION, PROTOBUF, REFERS,
		UINT32_C(1) << 31 };
	struct buf schema = { 0 };
	bool away;

	(void)state;
	for (size_t i = 0; i < NELEM(passing); i++) {
		assert_false(
		    registry_fetch(registry.url, passing[i], 5, &schema, &away, err, sizeof(err)));
		if (!away)
			fail_msg("%u: %s", passing[i], err);
	}
	for (size_t i = 0; i < NELEM(lasting); i++) {
		assert_false(
		    registry_fetch(registry.url, lasting[i], 5, &schema, &away, err, sizeof(err)));
		if (away)
			fail_msg("%u: %s", lasting[i], err);
	}
	/* a number that none gives, and that would be no number to one */
	assert_says("schema 2147483648: no registry gives such a number");
	assert_int_equal(schema.n, 0);
	buf_free(&schema);
}

static void
a_registry_that_is_away_or_silent_is_told(void **state)
{
	struct confluent *c = patient_store(NULL, registry.url, 1);

	(void)state;
	assert_false(finds(c, SILENT));
	assert_says("/base/schemas/ids/7: Timeout was reached");
	confluent_free(c);
	c = store(NULL, "http://127.0.0.1:1/");
	assert_false(finds(c, GOOD));
	assert_says("http://127.0.0.1:1/schemas/ids/1: Couldn't connect to server");
	confluent_free(c);
}

static void
urls_and_directories_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *directory, *registry, *says;
	} cases[] = {
		{ NULL, "http://registry.example.org",
		    "https would be right, or http to this machine" },
		{ NULL, "http://127.0.0.1.example.org@evil.example/", "has no place in it" },
		{ NULL, "https://me:secret@registry.example.org/",
		    "a user or a password has no place" },
		{ NULL, "https://registry.example.org/?a=b", "it goes on after its path" },
		{ NULL, "file:///etc/passwd", "file:///etc/passwd: " },
		{ NULL, "ftp://localhost/", "https would be right" },
		{ NULL, "http://127.0.0.1.example.org/", "https would be right" },
		{ NULL, "http://127.example.org/", "https would be right" },
		{ NULL, "not a URL", "it is no URL" },
		{ "/nonexistent", NULL, "/nonexistent: No such file or directory" },
		{ "/etc/passwd", NULL, "/etc/passwd: it is no directory" },
		{ "/proc/1", "https://registry.example.org", "/proc/1: " },
	};
	char why[300];

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct confluent_options o = { cases[i].directory, cases[i].registry, 0, 0 };

		if (strcmp("/proc/1", cases[i].directory != NULL ? cases[i].directory : "") == 0 &&
		    geteuid() == 0)
			continue; /* root may write anywhere */
		assert_null(confluent_new(packet_shapes(), &o, err, sizeof(err)));
		assert_says(cases[i].says);
	}
	assert_true(registry_url_will_do("https://usdf-alert-schemas.slac.stanford.edu", why, 300));
	assert_true(registry_url_will_do("http://localhost:8081/", why, 300));
	assert_true(registry_url_will_do("http://[::1]:8081", why, 300));
	assert_true(registry_url_will_do("http://127.0.0.2:8081", why, 300));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_gives_schemas_by_number),
		cmocka_unit_test(a_surveys_own_files_are_put_together),
		cmocka_unit_test(the_real_packet_is_read_by_the_real_schema),
		cmocka_unit_test(a_registry_is_asked_once_and_its_answer_kept),
		cmocka_unit_test(what_a_registry_does_wrong_is_told_and_not_kept),
		cmocka_unit_test(what_tells_nothing_of_a_schema_is_asked_again),
		cmocka_unit_test(a_registry_that_is_away_or_silent_is_told),
		cmocka_unit_test(urls_and_directories_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests_name("confluent", tests, start_registry, stop_registry);
}
