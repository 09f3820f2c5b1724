/*
 * stream: a stream of the daemon, served turn by turn: what the database fails over, what cannot be read
 * now, and dead letters tried again. The clock for pauses is the test's.
 */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h> /* wants it */
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/letter.h"
#include "cmd/notify.h"
#include "cmd/stream.h"
#include "engines.h"
#include "packets.h"
#include "scratch.h"

struct scratch {
	struct db *db;
	struct config *config;
	struct stream *stream;
};

static int64_t passed; /* of the clock */
static int64_t tick; /* with each look at it */

int64_t __real_clock_monotonic(void);
int64_t __wrap_clock_monotonic(void);

int64_t
__wrap_clock_monotonic(void)
{
	passed += tick;
	return __real_clock_monotonic() + passed;
}

static const char *
path_of(const char *name)
{
	static char path[500];

	snprintf(path, sizeof(path), "%s/%s", scratch_dir, name);
	return path;
}

static void
write_file(const char *name, const struct buf *b)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, b->p, b->n) == (ssize_t)b->n);
	close(fd);
}

/* Serves the stream as these lines have it. */
static void
open_stream(struct scratch *s, const char *lines)
{
	struct buf b = { 0 };
	char err[300] = "";

	if (s->stream != NULL)
		stream_free(s->stream);
	if (s->config != NULL)
		config_free(s->config);
	buf_printf(&b, "[stream s]\ncreate = all\npermissions = PUBLIC\nbatch_ms = 1\n%s", lines);
	write_file("conf", &b);
	assert_int_equal(chmod(path_of("conf"), 0600), 0);
	buf_free(&b);
	setenv("MERIDIAN_CONFIG", path_of("conf"), 1);
	s->config = config_load(err, sizeof(err));
	assert_string_equal(err, "");
	s->stream = stream_new(s->db, s->config, config_stream(s->config, 0), err, sizeof(err));
	assert_string_equal(err, "");
}

static int
set_up(void **state)
{
	static struct scratch s;
	char lines[600];

	log_set_level(getenv("NOISE") ? LOG_LEVEL_DEBUG : LOG_LEVEL_NONE);
	s = (struct scratch){ .db = scratch_open() };
	passed = tick = 0;
	assert_int_equal(mkdir(path_of("in"), 0700), 0);
	snprintf(lines, sizeof(lines), "source = files\npath = %s\nwatch = yes\n", path_of("in"));
	open_stream(&s, lines);
	*state = &s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scratch *s = *state;
	DIR *d = opendir(path_of("in"));
	struct dirent *e;
	char name[300];

	if (s->stream != NULL)
		stream_free(s->stream);
	config_free(s->config);
	while ((e = readdir(d)) != NULL) {
		snprintf(name, sizeof(name), "in/%s", e->d_name);
		(void)unlink(path_of(name));
	}
	closedir(d);
	rmdir(path_of("in"));
	unlink(path_of("conf"));
	scratch_close();
	return 0;
}

/* The number that a statement gives first. */
static int64_t
ask(const char *sql)
{
	return server_ask(getenv("MERIDIAN_DATABASE_URL"), sql);
}

/* Serves it, and lets the time pass that it waits for, until it has nothing to do; how long it took. */
static int64_t
serve(struct scratch *s)
{
	const volatile int stop = 0;
	int64_t before = passed;

	for (int turn = 0; turn < 200; turn++) {
		bool more = stream_serve(s->stream, &stop);
		int64_t wakes = stream_wakes(s->stream);

		if (more)
			continue;
		if (wakes == INT64_MAX)
			return passed - before;
		passed += SECOND; /* more than any batch waits for, and less than some pauses */
		if (turn % 2 == 0)
			stream_report(s->stream);
	}
	return -1;
}

/* From here on the database fails, in a way of its own, over the alert of that number. */
static void
fail_over(struct scratch *s, int64_t alert, bool fails)
{
	static const char *const ways[DB_ENGINES][4] = {
		[DB_SQLITE] = { "DROP TRIGGER bad",
		    "CREATE TRIGGER bad BEFORE INSERT ON alert WHEN NEW.alert_id = %d "
		    "BEGIN SELECT abs(NEW.alert_id - NEW.alert_id - 9223372036854775807 - 1); "
		    "END" },
		[DB_POSTGRESQL] = { "DROP FUNCTION bad CASCADE",
		    "CREATE FUNCTION bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		    "IF NEW.alert_id = %d THEN RAISE EXCEPTION 'bad'; END IF; RETURN NEW; END $$; "
		    "CREATE TRIGGER bad BEFORE INSERT ON alert FOR EACH ROW EXECUTE FUNCTION "
		    "bad()" },
		[DB_MARIADB] = { "DROP TRIGGER bad",
		    "CREATE TRIGGER bad BEFORE INSERT ON alert FOR EACH ROW "
		    "IF NEW.alert_id = %d THEN SIGNAL SQLSTATE '45000'; END IF" },
	};
	const char *way = ways[db_engine(s->db)][fails], *mark = strstr(way, "%d");
	char sql[500];

	if (mark == NULL)
		snprintf(sql, sizeof(sql), "%s", way);
	else
		snprintf(
		    sql, sizeof(sql), "%.*s%d%s", (int)(mark - way), way, (int)alert, mark + 2);
	(void)ask(sql);
}

/* Dead letters of the stream, a packet each, that somebody wants tried again: alerts 1, 2 ... */
static void
put_letters(struct scratch *s, unsigned n)
{
	const struct position at = { .topic = STR("topic") };

	for (unsigned i = 1; i <= n; i++) {
		char object[40];
		struct buf b = { 0 };
		struct letter letter = { .position = &at, .place = i, .reason = STR("so") };

		snprintf(object, sizeof(object), "ZTF18abcdef%u", i);
		put_least(&b, object, i, 2460000.5 + i);
		letter.bytes = buf_text(&b);
		letter.size = b.n;
		assert_int_equal(letters_store(s->db, STR("s"), &letter, 1), DB_END);
		buf_free(&b);
	}
	(void)ask("UPDATE dead_letter SET asked = id");
}

static void
a_letter_that_the_database_fails_over_keeps_nobody_back(void **state)
{
	struct scratch *s = *state;

	put_letters(s, 3);
	fail_over(s, 1, true);
	letters_take_asked(s->db, s->stream);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter WHERE replayed IS NOT NULL"), 2);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter WHERE place = 1 AND waits = 1 "
	                     "AND tried IS NOT NULL AND asked IS NULL AND reason <> 'so'"),
	    1);
	/* it is taken when it can be */
	fail_over(s, 1, false);
	(void)ask("UPDATE dead_letter SET asked = 1 WHERE place = 1");
	letters_take_asked(s->db, s->stream);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter WHERE replayed IS NOT NULL"), 3);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 3);
}

static void
a_letter_that_was_dismissed_is_not_taken(void **state)
{
	struct scratch *s = *state;
	struct arena *a = arena_new();
	char err[300] = "";

	put_letters(s, 1);
	(void)ask("UPDATE dead_letter SET waits = 0, asked = NULL, dismissed = 1");
	assert_int_equal(letter_replay(s->db, a, s->stream, ask("SELECT MIN(id) FROM dead_letter"),
	                     err, sizeof(err)),
	    LETTER_REFUSED);
	assert_string_equal(err, "it was dismissed");
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 0);
	arena_free(a);
}

static void
letters_that_are_too_old_are_deleted(void **state)
{
	struct scratch *s = *state;
	char lines[600];

	put_letters(s, 3);
	clock_freeze(clock_now() + 364 * DAY);
	assert_false(letters_forget_old(s->db, s->stream));
	clock_freeze(clock_now() + 2 * DAY);
	(void)ask("UPDATE dead_letter SET received = received + 172800000000 WHERE place = 2");
	assert_true(letters_forget_old(s->db, s->stream));
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter"), 1);
	assert_int_equal(ask("SELECT place FROM dead_letter"), 2);
	assert_false(letters_forget_old(s->db, s->stream));
	/* or never */
	snprintf(
	    lines, sizeof(lines), "source = files\npath = %s\nkeep_letters = 0\n", path_of("in"));
	open_stream(s, lines);
	clock_freeze(clock_now() + 1000 * DAY);
	assert_false(letters_forget_old(s->db, s->stream));
	clock_freeze(0);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter"), 1);
}

/* A file of the stream with that many packets: alerts 1, 2 ... */
static void
put_packets(const char *name, unsigned n)
{
	struct buf b = { 0 };

	for (unsigned i = 1; i <= n; i++) {
		char object[40];

		snprintf(object, sizeof(object), "ZTF18abcdef%u", i);
		put_least(&b, object, i, 2460000.5 + i);
	}
	write_file(name, &b);
	buf_free(&b);
}

static void
what_the_database_always_fails_over_is_put_aside_in_a_while(void **state)
{
	struct scratch *s = *state;
	int64_t took;

	put_packets("in/a.avro", 9);
	fail_over(s, 4, true);
	took = serve(s);
	assert_in_range(took, 5 * SECOND, 100 * SECOND);
	assert_int_equal(ask("SELECT COUNT(*) FROM alert"), 8);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter WHERE place = 3 AND reason LIKE "
	                     "'%fails over it%'"),
	    1);
	assert_int_equal(ask("SELECT COUNT(*) FROM stream_offset WHERE done = 1"), 1);
}

static void
what_the_database_fails_over_for_a_while_is_stored(void **state)
{
	struct scratch *s = *state;
	const volatile int stop = 0;

	put_packets("in/a.avro", 9);
	fail_over(s, 4, true);
	for (int i = 0; i < 6; i++) {
		while (stream_serve(s->stream, &stop))
			;
		passed += SECOND;
	}
	fail_over(s, 4, false);
	(void)serve(s);
	assert_int_equal(ask("SELECT COUNT(*) FROM alert"), 9);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter"), 0);
}

static void
a_file_that_cannot_be_read_now_is_read_behind_the_others(void **state)
{
	struct scratch *s = *state;

	/* its bytes are those of this program, where there are none */
	assert_int_equal(symlink("/proc/self/mem", path_of("in/a.avro")), 0);
	put_packets("in/b.avro", 3);
	assert_int_equal(serve(s), -1);
	assert_int_equal(ask("SELECT COUNT(*) FROM alert"), 3);
	assert_int_equal(ask("SELECT COUNT(*) FROM dead_letter"), 0);
	assert_int_equal(
	    ask("SELECT COUNT(*) FROM stream_state WHERE error LIKE 'a.avro: it cannot be read%'"),
	    1);
	assert_int_equal(unlink(path_of("in/a.avro")), 0);
	put_packets("in/a.avro", 5);
	assert_in_range(serve(s), 0, 100 * SECOND);
	assert_int_equal(ask("SELECT COUNT(*) FROM alert"), 5);
	assert_int_equal(ask("SELECT COUNT(*) FROM stream_offset WHERE done = 1"), 2);
}

static void
a_long_file_lets_others_have_their_turn(void **state)
{
	struct scratch *s = *state;
	const volatile int stop = 0;

	put_packets("in/a.avro", 50);
	tick = SECOND / 10;
	/* a second is over before the file is, and there is more */
	assert_true(stream_serve(s->stream, &stop));
	assert_in_range(ask("SELECT COUNT(*) FROM alert"), 0, 20);
	tick = 0;
	(void)serve(s);
	assert_int_equal(ask("SELECT COUNT(*) FROM alert"), 50);
}

static void
systemd_hears_once_a_second_that_all_goes_on(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char heard[100];

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%.80s/notify", scratch_dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	passed = 10 * SECOND;
	notify_alive();
	notify_alive();
	assert_int_equal(recv(fd, heard, sizeof(heard), 0), 10);
	assert_memory_equal(heard, "WATCHDOG=1", 10);
	assert_int_equal(recv(fd, heard, sizeof(heard), 0), -1);
	passed += SECOND;
	notify_alive();
	assert_int_equal(recv(fd, heard, sizeof(heard), 0), 10);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
	unlink(at.sun_path);
}

/* A cluster of one broker, of librdkafka, and a topic of one partition. */
struct cluster {
	rd_kafka_t *holder, *producer;
	rd_kafka_mock_cluster_t *mock;
};

static struct cluster
begin_cluster(void)
{
	struct cluster c;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[300];

	c.holder = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
	assert_non_null(c.holder);
	c.mock = rd_kafka_mock_cluster_new(c.holder, 1);
	rd_kafka_mock_topic_create(c.mock, "topic", 1, 1);
	rd_kafka_conf_set(
	    conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(c.mock), why, sizeof(why));
	c.producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(c.producer);
	return c;
}

static void
end_cluster(struct cluster *c)
{
	rd_kafka_destroy(c->producer);
	rd_kafka_mock_cluster_destroy(c->mock);
	rd_kafka_destroy(c->holder);
}

/* Messages of a packet each: alerts `first` to `last`. */
static void
produce(struct cluster *c, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++) {
		char object[40];
		struct buf b = { 0 };

		snprintf(object, sizeof(object), "ZTF18abcdef%u", i);
		put_least(&b, object, i, 2460000.5 + i);
		assert_int_equal(
		    rd_kafka_producev(c->producer, RD_KAFKA_V_TOPIC("topic"),
		        RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		        RD_KAFKA_V_VALUE(b.p, b.n), RD_KAFKA_V_END),
		    0);
		buf_free(&b);
	}
	assert_int_equal(rd_kafka_flush(c->producer, 10000), 0);
}

static void
open_kafka(struct scratch *s, struct cluster *c)
{
	char lines[600];

	setenv("MERIDIAN_TEST_KAFKA", "fetch.wait.max.ms=20", 1);
	snprintf(lines, sizeof(lines),
	    "source = kafka\nbrokers = %s\ntopics = topic\nconsumer_group = g\n",
	    rd_kafka_mock_cluster_bootstraps(c->mock));
	open_stream(s, lines);
}

/* Serves it until there are so many alerts. */
static void
serve_until(struct scratch *s, int64_t alerts)
{
	const volatile int stop = 0;
	int64_t end = __real_clock_monotonic() + 30 * SECOND;

	while (ask("SELECT COUNT(*) FROM alert") < alerts && __real_clock_monotonic() < end) {
		struct pollfd p = { .fd = stream_descriptor(s->stream), .events = POLLIN };

		if (stream_serve(s->stream, &stop))
			continue;
		if (stream_wakes(s->stream) != INT64_MAX)
			passed += SECOND;
		(void)poll(&p, 1, 20);
	}
	assert_int_equal(ask("SELECT COUNT(*) FROM alert"), alerts);
}

/* As a backup would have it that was taken when the first message was stored. */
static void
go_back_to_the_first(void)
{
	(void)ask("DELETE FROM alert WHERE alert_id > 1");
	(void)ask("DELETE FROM datum WHERE survey_id > 1");
	(void)ask("DELETE FROM survey_object WHERE name <> 'ZTF18abcdef1'");
	(void)ask("UPDATE stream_offset SET next = 1");
}

/* A group of the mock takes three seconds to form, so all of it is one test. */
static void
positions_are_those_of_the_database_and_of_the_cluster(void **state)
{
	struct scratch *s = *state;
	struct cluster one = begin_cluster(), other = begin_cluster();

	produce(&one, 1, 3);
	open_kafka(s, &one);
	serve_until(s, 3);
	stream_report(s->stream);
	/* one that somebody moved: the idle stream reads again, and stores each once */
	go_back_to_the_first();
	stream_report(s->stream);
	serve_until(s, 3);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 3);
	assert_int_equal(ask("SELECT next FROM stream_offset"), 3);
	/* a database that went back has what we said then: all is begun anew */
	stream_report(s->stream);
	assert_int_not_equal(stream_descriptor(s->stream), -1);
	(void)ask("UPDATE stream_state SET heartbeat = heartbeat - 1");
	stream_report(s->stream);
	assert_int_equal(stream_descriptor(s->stream), -1);
	/* the same topic elsewhere: its offsets 0 to 4, of which two lie behind what was read */
	produce(&other, 4, 8);
	open_kafka(s, &other);
	serve_until(s, 8);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 8);
	assert_int_equal(ask("SELECT COUNT(*) FROM stream_offset"), 2);
	assert_int_equal(ask("SELECT SUM(next) FROM stream_offset"), 8);
	stream_report(s->stream);
	assert_int_equal(ask("SELECT COUNT(*) FROM stream_state WHERE error_at IS NOT NULL"), 1);
	stream_free(s->stream);
	s->stream = NULL;
	end_cluster(&one);
	end_cluster(&other);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(a_letter_that_the_database_fails_over_keeps_nobody_back),
	TEST(a_letter_that_was_dismissed_is_not_taken),
	TEST(letters_that_are_too_old_are_deleted),
	TEST(what_the_database_always_fails_over_is_put_aside_in_a_while),
	TEST(what_the_database_fails_over_for_a_while_is_stored),
	TEST(a_file_that_cannot_be_read_now_is_read_behind_the_others),
	TEST(a_long_file_lets_others_have_their_turn),
};

/* What the brokers do is the same whatever the database. */
static const struct CMUnitTest kafka_tests[] = {
	TEST(systemd_hears_once_a_second_that_all_goes_on),
	TEST(positions_are_those_of_the_database_and_of_the_cluster),
};

int
main(void)
{
	int failed = cmocka_run_group_tests_name("stream, kafka", kafka_tests, NULL, NULL);

	return failed + engines_run("stream", tests, NELEM(tests), NULL, NULL);
}
