/*
 * stream: a stream of the daemon, served turn by turn: what the database fails over, what cannot be read
 * now, and dead letters tried again. The clock for pauses is the test's.
 */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/letter.h"
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

int64_t __real_clock_monotonic(void);
int64_t __wrap_clock_monotonic(void);

int64_t
__wrap_clock_monotonic(void)
{
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

/* Serves the stream as the configuration has it, anew. */
static void
open_stream(struct scratch *s)
{
	char err[300] = "";

	s->stream = stream_new(s->db, s->config, config_stream(s->config, 0), err, sizeof(err));
	assert_string_equal(err, "");
}

static int
set_up(void **state)
{
	static struct scratch s;
	struct buf b = { 0 };
	char err[300] = "";

	log_set_level(LOG_LEVEL_NONE);
	s = (struct scratch){ .db = scratch_open() };
	assert_int_equal(mkdir(path_of("in"), 0700), 0);
	buf_printf(&b,
	    "[stream s]\nsource = files\npath = %s\nwatch = yes\ncreate = all\n"
	    "permissions = PUBLIC\nbatch_ms = 1\n",
	    path_of("in"));
	write_file("conf", &b);
	assert_int_equal(chmod(path_of("conf"), 0600), 0);
	buf_free(&b);
	setenv("MERIDIAN_CONFIG", path_of("conf"), 1);
	s.config = config_load(err, sizeof(err));
	assert_string_equal(err, "");
	open_stream(&s);
	passed = 0;
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

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(a_letter_that_the_database_fails_over_keeps_nobody_back),
	TEST(a_letter_that_was_dismissed_is_not_taken),
	TEST(what_the_database_always_fails_over_is_put_aside_in_a_while),
	TEST(what_the_database_fails_over_for_a_while_is_stored),
};

int
main(void)
{
	return engines_run("stream", tests, NELEM(tests), NULL, NULL);
}
