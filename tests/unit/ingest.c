/*
 * ingest: packets become targets and measurements; a batch is whole or not there; again adds
 * nothing. Packets are made by tests/tools/alerts.c.
 */
#include "unit.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "alert/ingest.h"
#include "engines.h"
#include "memory.h"
#include "packets.h"
#include "scratch.h"
#include "tests/tools/alerts.h"
#include "tests/tools/avro_write.h"
#include "tom/rights.h"

struct scratch {
	struct db *db;
	unsigned rejections;
	char why[600]; /* of the last one */
};

static int
set_up(void **state)
{
	static struct scratch s;

	s = (struct scratch){ .db = scratch_open() };
	*state = &s;
	return 0;
}

static int
tear_down(void **state)
{
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/packets", scratch_dir);
	unlink(path);
	scratch_close();
	return 0;
}

static void
note_rejection(void *arg, const char *file, const char *why)
{
	struct scratch *s = arg;

	s->rejections++;
	snprintf(s->why, sizeof(s->why), "%s: %s", file, why);
}

/* A container of packets: visits `first` to `last` of `objects` objects. */
static void
make(struct buf *b, const struct alerts *a, unsigned objects, unsigned first, unsigned last)
{
	struct buf record = { 0 };

	if (b->n == 0)
		put_header(b, alerts_schema(a), "null", alerts_sync);
	for (unsigned visit = first; visit <= last; visit++)
		for (unsigned object = 0; object < objects; object++) {
			buf_clear(&record);
			alerts_put(a, object, visit, &record, NULL);
			put_block(b, 1, buf_text(&record), false, alerts_sync);
		}
	buf_free(&record);
}

static int
packets_file(const struct buf *b)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/packets", scratch_dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, b->p, b->n) == (ssize_t)b->n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Takes the packets in, with these options, to the end. */
static struct ingest_tally
run(struct scratch *s, const struct ingest_options *options, const struct buf *b)
{
	struct ingest *in = ingest_new(s->db, options, note_rejection, s);
	int fd = packets_file(b);
	struct ingest_tally t;

	assert_int_equal(ingest_file(in, fd, "packets", NULL), DB_END);
	assert_int_equal(ingest_flush(in), DB_END);
	assert_int_equal(ingest_pending(in), 0);
	t = *ingest_tally(in);
	ingest_free(in);
	close(fd);
	return t;
}

static const struct alerts v3 = { .seed = 5, .points = 12 };
static const struct alerts v4 = { .seed = 5, .points = 12, .v4 = true };
static const struct alerts lsst = { .seed = 5, .points = 20, .lsst = true };
static const struct alerts moving = { .seed = 5, .points = 20, .lsst = true, .moving = true };
static const struct ingest_options usual = { .permissions = TARGET_PRIVATE };

static void
a_second_run_adds_nothing(void **state)
{
	struct scratch *s = *state;
	struct buf b = { 0 };
	struct ingest_tally t;

	make(&b, &v3, 20, 0, 0);
	t = run(s, &usual, &b);
	assert_int_equal(t.stored, 20);
	assert_int_equal(t.files, 1);
	assert_int_equal(t.new_targets, 20);
	assert_int_equal(t.new_points, 240);
	assert_int_equal(t.known_points, 0);
	t = run(s, &usual, &b);
	assert_int_equal(t.stored, 20);
	assert_int_equal(t.new_targets, 0);
	assert_int_equal(t.new_points, 0);
	assert_int_equal(t.known_points, 240);
	assert_int_equal(s->rejections, 0);
	buf_free(&b);
}

static void
each_visit_adds_what_it_brings(void **state)
{
	struct scratch *s = *state;
	struct buf b = { 0 };
	struct ingest_tally t;

	/* whatever the batches are: within one and across */
	for (size_t packets = 1; packets <= 64; packets *= 4) {
		struct ingest_options options = { .permissions = TARGET_PRIVATE,
			.packets = packets };

		buf_clear(&b);
		make(&b, &v3, 5, (unsigned)packets, (unsigned)packets + 2);
		t = run(s, &options, &b);
		assert_int_equal(t.stored, 15);
		assert_int_equal(t.new_points + t.known_points, 15 * 12);
	}
	/* visits 1-3, 4-6, 16-18, 64-66 of each: of the epochs 1-17, 16-29, 64-77 each once */
	buf_clear(&b);
	make(&b, &v3, 5, 1, 6);
	make(&b, &v3, 5, 16, 18);
	make(&b, &v3, 5, 64, 66);
	t = run(s, &usual, &b);
	assert_int_equal(t.new_points, 0);
	assert_int_equal(t.new_targets, 0);
	buf_free(&b);
}

static void
measurements_are_shared_where_they_have_rights_of_their_own(void **state)
{
	struct scratch *s = *state;
	struct ingest_options shared = { .permissions = TARGET_PUBLIC };
	struct arena *a = arena_new();
	struct right *rows;
	struct buf b = { 0 };
	const int64_t target = 2; /* one of them */
	size_t n;

	make(&b, &v3, 3, 0, 0);
	run(s, &shared, &b);
	assert_int_equal(rights_list(s->db, a, target, STR("ZTF"), 0, 10, &rows, &n), DB_END);
	assert_int_equal(n, 0);
	/* packets that come again share what nobody has rights on yet */
	shared.shares_data = true;
	run(s, &shared, &b);
	assert_int_equal(rights_list(s->db, a, target, STR("ZTF"), 0, 10, &rows, &n), DB_END);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].principal, PRINCIPAL_SIGNED_IN);
	assert_int_equal(rows[0].verbs, VIEW);
	/* and leave what somebody has */
	shared.permissions = TARGET_OPEN;
	run(s, &shared, &b);
	assert_int_equal(rights_list(s->db, a, target, STR("ZTF"), 0, 10, &rows, &n), DB_END);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].principal, PRINCIPAL_SIGNED_IN);
	buf_free(&b);
	arena_free(a);
}

static void
a_batch_of_known_packets_is_three_statements(void **state)
{
	struct scratch *s = *state;
	unsigned statements;
	struct buf b = { 0 };
	int64_t us;

	make(&b, &v3, 200, 0, 0);
	assert_int_equal(run(s, &usual, &b).new_targets, 200);
	db_count_start(s->db);
	assert_int_equal(run(s, &usual, &b).new_points, 0);
	db_count(s->db, &statements, &us);
	/* the objects, their alerts, and what is stored of their targets */
	assert_int_equal(statements, 3);
	buf_free(&b);
}

static void
forced_points_are_stored_and_empty_ones_counted(void **state)
{
	struct scratch *s = *state;
	struct buf b = { 0 }, record = { 0 };
	uint64_t points = 0, empty = 0;
	struct ingest_tally t;

	for (unsigned object = 0; object < 50; object++) {
		struct made_alert made;

		buf_clear(&record);
		alerts_put(&v4, object, 0, &record, &made);
		points += made.detections + made.limits + made.forced;
		empty += made.empty;
	}
	assert_true(empty > 0);
	make(&b, &v4, 50, 0, 0);
	t = run(s, &usual, &b);
	assert_int_equal(t.new_points, points);
	assert_int_equal(t.empty, empty);
	buf_free(&b);
	buf_free(&record);
}

/* The sources that somebody has rights on, of a target. */
static size_t
shared(struct scratch *s, struct arena *a, int64_t target, struct str source)
{
	struct right *rows;
	size_t n;

	assert_int_equal(rights_list(s->db, a, target, source, 0, 10, &rows, &n), DB_END);
	return n;
}

static void
packets_of_two_surveys_go_into_one_batch(void **state)
{
	struct scratch *s = *state;
	struct ingest_options options = { .permissions = TARGET_PUBLIC, .shares_data = true };
	struct ingest *in = ingest_new(s->db, &options, note_rejection, s);
	struct arena *a = arena_new();
	struct buf ztf = { 0 }, rubin = { 0 };
	const struct ingest_tally *t = ingest_tally(in);
	uint64_t points = 0;

	make(&ztf, &v3, 3, 0, 0);
	make(&rubin, &lsst, 3, 0, 0);
	for (unsigned object = 0; object < 3; object++) {
		struct buf record = { 0 };
		struct made_alert made;

		alerts_put(&lsst, object, 0, &record, &made);
		points += made.detections + made.forced;
		buf_free(&record);
	}
	for (int again = 0; again < 2; again++) {
		int fd = packets_file(&ztf);

		assert_int_equal(ingest_file(in, fd, "ztf", NULL), DB_END);
		close(fd);
		fd = packets_file(&rubin);
		assert_int_equal(ingest_file(in, fd, "rubin", NULL), DB_END);
		close(fd);
		assert_int_equal(ingest_pending(in), 6);
		assert_int_equal(ingest_flush(in), DB_END);
		assert_int_equal(t->new_targets, 6);
		assert_int_equal(t->new_points, 3 * 12 + points);
	}
	assert_int_equal(t->known_points, 3 * 12 + points);
	for (int64_t target = 1; target <= 6; target++)
		assert_int_equal(
		    shared(s, a, target, STR("ZTF")) + shared(s, a, target, STR("LSST")), 1);
	ingest_free(in);
	buf_free(&ztf);
	buf_free(&rubin);
	arena_free(a);
}

static void
what_moves_becomes_a_target_without_a_position(void **state)
{
	struct scratch *s = *state;
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct target t;

	make(&b, &moving, 1, 0, 1);
	assert_int_equal(run(s, &usual, &b).new_targets, 1);
	assert_int_equal(run(s, &usual, &b).new_points, 0);
	assert_int_equal(
	    target_get(s->db, a, &(struct user){ .id = 1, .is_superuser = true }, 1, VIEW, &t),
	    DB_ROW);
	assert_str(t.name, "K25A0X");
	assert_int_equal(t.type, TARGET_NON_SIDEREAL);
	assert_true(isnan(t.ra) && isnan(t.dec));
	buf_free(&b);
	arena_free(a);
}

static void
a_rejected_packet_does_not_hinder_the_others(void **state)
{
	struct scratch *s = *state;
	struct buf b = { 0 };
	struct ingest_tally t;

	make(&b, &v3, 3, 0, 0);
	put_block(&b, 2,
	    STR("\x08"
	        "3.3 and no more"),
	    false, alerts_sync);
	make(&b, &v3, 3, 1, 1);
	buf_puts(&b, "cut off");
	t = run(s, &usual, &b);
	assert_int_equal(t.stored, 6);
	assert_int_equal(t.read, 8);
	assert_int_equal(t.files, 0); /* it was not read to its end */
	/* the two of the damaged block, and what is behind the last */
	assert_int_equal(t.rejected, 3);
	assert_int_equal(s->rejections, 2);
	assert_true(strncmp(s->why, "packets: offset ", 16) == 0);
	buf_free(&b);
}

static void
a_file_that_is_no_container_is_one_rejection(void **state)
{
	struct scratch *s = *state;
	struct buf b = { 0 };
	struct ingest_tally t;

	buf_puts(&b, "SIMPLE  =                    T");
	t = run(s, &usual, &b);
	assert_int_equal(t.stored, 0);
	assert_int_equal(t.rejected, 1);
	assert_int_equal(t.files, 0);
	assert_non_null(strstr(s->why, "neither an Avro container"));
	buf_free(&b);
}

/* Reads so many long packets whose names cannot be; the first one is as it should be. */
static bool
read_rejected(void *arg)
{
	const unsigned *packets = arg;
	const struct alerts longer = { .seed = 5, .points = 2000 };
	char err[300];
	struct ingest *in = ingest_new(
	    db_new(scratch_config, err, sizeof(err)), &usual, NULL, NULL);
	struct buf b = { 0 }, record = { 0 };
	int fd;

	put_header(&b, alerts_schema(&longer), "null", alerts_sync);
	alerts_put(&longer, 0, 0, &record, NULL);
	fd = packets_file(&b);
	for (unsigned i = 0; i < *packets; i++) {
		char *name = strstr(record.p, i == 0 ? "ZTF" : "\1\1\1");

		buf_clear(&b);
		put_block(&b, 1, buf_text(&record), false, alerts_sync);
		if (name == NULL || pwrite(fd, b.p, b.n, lseek(fd, 0, SEEK_END)) != (ssize_t)b.n)
			return false;
		memcpy(name, "\1\1\1", 3);
	}
	if (lseek(fd, 0, SEEK_SET) != 0)
		return false;
	return ingest_file(in, fd, "packets", NULL) == DB_END && ingest_flush(in) == DB_END &&
	    ingest_tally(in)->stored == 1 && ingest_tally(in)->rejected == *packets - 1;
}

static void
rejected_packets_take_no_more_memory_than_a_batch(void **state)
{
	long few = memory_peak(read_rejected, &(unsigned){ 2 });
	long many = memory_peak(read_rejected, &(unsigned){ 400 });

	(void)state;
	assert_true(few > 0 && many > 0);
	if (MEMORY_TELLS && many > few + 2 * (long)(INGEST_BYTES >> 10))
		fail_msg("%ld KiB more", many - few);
}

static volatile int stop;

static void
stop_now(void *arg)
{
	(void)arg;
	stop = 2;
}

static void
a_signal_leaves_what_was_read_to_be_written(void **state)
{
	struct scratch *s = *state;
	struct ingest *in = ingest_new(s->db, &usual, note_rejection, s);
	struct buf b = { 0 };
	int fd;

	stop = 0;
	make(&b, &v3, 300, 0, 0);
	fd = packets_file(&b);
	ingest_on_progress(in, stop_now, NULL);
	assert_int_equal(ingest_file(in, fd, "packets", &stop), DB_END);
	assert_in_range(ingest_pending(in), 1, 299);
	assert_int_equal(ingest_tally(in)->files, 0);
	assert_int_equal(ingest_flush(in), DB_END);
	assert_in_range(ingest_tally(in)->stored, 1, 299);
	close(fd);
	ingest_free(in);
	buf_free(&b);
}

static void
limit_files_to(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_batch_that_fails_is_not_half_there(void **state)
{
	struct scratch *s = *state;
	struct ingest_options options = { .permissions = TARGET_PRIVATE, .packets = 100 };
	struct ingest *in = ingest_new(s->db, &options, note_rejection, s);
	struct ingest_tally t;
	struct buf b = { 0 };
	int fd;

	make(&b, &v3, 500, 0, 0);
	fd = packets_file(&b);
	/* files may not grow further than a batch or two: the disk is full */
	signal(SIGXFSZ, SIG_IGN);
	limit_files_to(900000);
	assert_true(ingest_file(in, fd, "packets", NULL) < 0);
	limit_files_to(RLIM_INFINITY);
	t = *ingest_tally(in);
	assert_in_range(t.stored, 100, 400);
	assert_int_equal(ingest_pending(in), 100);
	assert_int_equal(t.new_points, 12 * t.stored);
	close(fd);
	ingest_free(in);
	/* the rest, and no more than the rest, is new afterwards */
	{
		struct ingest_tally rest = run(s, &usual, &b);

		assert_int_equal(rest.stored, 500);
		assert_int_equal(rest.new_targets, 500 - t.new_targets);
		assert_int_equal(rest.new_points, 12 * 500 - t.new_points);
	}
	buf_free(&b);
}

/* The child of a fork: its own connection, the same packets; its tally goes into the pipe. */
static void NORETURN
run_apart(int from, int to)
{
	struct ingest_options options = { .permissions = TARGET_PUBLIC, .packets = 7 };
	char err[300];
	struct db *db = db_new(scratch_config, err, sizeof(err));
	struct ingest *in = ingest_new(db, &options, NULL, NULL);
	bool ok = ingest_file(in, from, "packets", NULL) == DB_END && ingest_flush(in) == DB_END;
	const struct ingest_tally *t = ingest_tally(in);

	if (!ok || write(to, t, sizeof(*t)) != sizeof(*t))
		_exit(1);
	db_free(db);
	_exit(0);
}

static void
several_at_once_store_each_point_once(void **state)
{
	struct ingest_tally sum = { 0 };
	struct buf b = { 0 };
	char path[200];
	int ends[2];

	(void)state;
	make(&b, &v3, 40, 0, 2);
	close(packets_file(&b));
	snprintf(path, sizeof(path), "%s/packets", scratch_dir);
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			run_apart(open(path, O_RDONLY | O_CLOEXEC), ends[1]);
	}
	for (int i = 0; i < 4; i++) {
		struct ingest_tally t;
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_int_equal(read(ends[0], &t, sizeof(t)), sizeof(t));
		assert_int_equal(t.stored, 120);
		sum.new_targets += t.new_targets;
		sum.new_points += t.new_points;
		sum.known_points += t.known_points;
	}
	assert_int_equal(sum.new_targets, 40);
	assert_int_equal(sum.new_points, 40 * 14);
	assert_int_equal(sum.known_points, 4 * 120 * 12 - 40 * 14);
	close(ends[0]);
	close(ends[1]);
	buf_free(&b);
}

static void
an_alert_told_again_with_a_later_time_is_no_new_one(void **state)
{
	struct scratch *s = *state;
	struct buf first = { 0 }, again = { 0 };
	struct ingest_tally t;

	put_least(&first, "ZTF18abcdefg", 7, 2460000.5);
	put_least(&again, "ZTF18abcdefg", 7, 2460000.5 + 1e-6);
	put_least(&again, "ZTF18abcdefg", 8, 2460001.5);
	t = run(s, &usual, &first);
	assert_int_equal(t.new_alerts, 1);
	t = run(s, &usual, &again);
	assert_int_equal(t.stored, 2);
	assert_int_equal(t.new_alerts, 1);
	buf_free(&first);
	buf_free(&again);
}

static int64_t
ask(const char *sql)
{
	return server_ask(getenv("MERIDIAN_DATABASE_URL"), sql);
}

static void
the_latest_alert_of_an_object_corrects_and_those_before_it_do_not(void **state)
{
	struct scratch *s = *state;
	struct buf first = { 0 }, before = { 0 }, latest = { 0 };
	struct ingest_tally t;

	put_least(&first, "ZTF18abcdefg", 7, 2460000.5);
	put_least(&first, "ZTF18abcdefg", 8, 2460001.5);
	put_least(&before, "ZTF18abcdefg", 7, 2460000.75);
	put_least(&latest, "ZTF18abcdefg", 8, 2460001.75);
	run(s, &usual, &first);
	t = run(s, &usual, &before);
	assert_int_equal(t.known_points, 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum WHERE survey_id = 7 AND mjd = 60000"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum_correction"), 0);
	t = run(s, &usual, &latest);
	assert_int_equal(t.new_points, 0);
	assert_int_equal(
	    ask("SELECT COUNT(*) FROM datum WHERE survey_id = 8 AND mjd = 60001.25"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM datum"), 2);
	assert_int_equal(
	    ask("SELECT COUNT(*) FROM datum_correction WHERE mjd = 60001 AND alert_id = 8"), 1);
	buf_free(&first);
	buf_free(&before);
	buf_free(&latest);
}

static void
a_schema_that_cannot_be_had_now_is_waited_for_and_nothing_else_is(void **state)
{
	struct scratch *s = *state;
	/* nobody listens there */
	const struct confluent_options away = { .registry = "http://127.0.0.1:1", .seconds = 5 };
	struct ingest_options options = usual;
	struct position at = { .topic = STR("topic"), .stored = POSITION_NEW };
	struct ingest *in;
	char err[500];

	options.stream = STR("stream");
	options.schemas = confluent_new(packet_shapes(), &away, err, sizeof(err));
	assert_non_null(options.schemas);
	in = ingest_new(s->db, &options, note_rejection, s);
	assert_int_equal(
	    ingest_message(in, &at, 0, STR("\0\0\0\0\5packet"), err, sizeof(err)), INGEST_AWAY);
	assert_true(ingest_is_empty(in));
	assert_int_equal(
	    ingest_message(in, &at, 0, STR("no packet"), err, sizeof(err)), INGEST_TAKEN);
	assert_int_equal(s->rejections, 1);
	assert_int_equal(at.next, 1);
	ingest_free(in);
	confluent_free(options.schemas);
}

/*
 * As when somebody deletes a target between the look at it and the first measurement of it: the foreign key
 * refuses that, once. (On SQLite nobody else writes meanwhile.) What counts stays when the try is undone.
 */
static void
refuse_the_first_measurement(void)
{
	const char *url = getenv("MERIDIAN_DATABASE_URL");

	if (url[0] == 'p') {
		server_run(url,
		    "CREATE SEQUENCE tries; CREATE FUNCTION gone() RETURNS trigger "
		    "LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') = 1 THEN RAISE "
		    "foreign_key_violation; END IF; RETURN NEW; END $$; CREATE TRIGGER gone "
		    "BEFORE INSERT ON datum FOR EACH ROW EXECUTE FUNCTION gone()");
		return;
	}
	server_run(url,
	    "CREATE TABLE tries (id INT PRIMARY KEY AUTO_INCREMENT) "
	    "ENGINE = MyISAM");
	server_run(url,
	    "CREATE TRIGGER gone BEFORE INSERT ON datum FOR EACH ROW BEGIN INSERT INTO "
	    "tries VALUES (NULL); IF LAST_INSERT_ID() = 1 THEN SIGNAL SQLSTATE '23000' SET "
	    "MYSQL_ERRNO = 1452; END IF; END");
}

static void
what_a_deleted_target_refuses_is_matched_once_more(void **state)
{
	struct scratch *s = *state;
	struct buf b = { 0 };
	struct ingest_tally t;

	if (db_engine(s->db) == DB_SQLITE)
		return;
	refuse_the_first_measurement();
	put_least(&b, "ZTF18abcdefg", 7, 2460000.5);
	t = run(s, &usual, &b);
	assert_int_equal(t.stored, 1);
	assert_int_equal(t.new_points, 1);
	assert_int_equal(t.new_targets, 1);
	buf_free(&b);
}

static void
messages_that_cannot_be_read_end_a_batch_as_packets_do(void **state)
{
	struct scratch *s = *state;
	struct ingest_options options = { .stream = STR("stream"), .packets = 10 };
	struct ingest *in = ingest_new(s->db, &options, NULL, NULL);
	struct position at = { .topic = STR("topic"), .stored = POSITION_NEW };
	char err[500];
	int64_t n = 0;

	while (n < 100 && !ingest_is_full(in))
		assert_int_equal(
		    ingest_message(in, &at, n++, STR(""), err, sizeof(err)), INGEST_TAKEN);
	assert_int_equal(n, 10);
	assert_int_equal(ingest_flush(in), DB_END);
	assert_int_equal(ingest_tally(in)->dead, 10);
	ingest_free(in);
}

/* What the database has of the letter at that place, taken once more; the tally says what became of it. */
static struct ingest_tally
take_letter(struct scratch *s, int64_t place)
{
	struct ingest *in = ingest_new(s->db, &usual, NULL, NULL);
	const struct position at = { .topic = STR("topic") };
	struct arena *a = arena_new();
	struct query *q;
	struct ingest_tally t;
	struct str bytes = STR_NONE;
	char sql[100], err[500];

	snprintf(sql, sizeof(sql), "SELECT id FROM dead_letter WHERE place = %d", (int)place);
	q = db_query(s->db, QUERY_LETTER_READ);
	db_int(q, "id", server_ask(getenv("MERIDIAN_DATABASE_URL"), sql));
	assert_int_equal(db_step(q), DB_ROW);
	if (!db_col_null(q, "bytes"))
		bytes = arena_str(a, db_col_bytes(q, "bytes"));
	assert_int_equal(db_done(q), DB_END);
	assert_non_null(bytes.p);
	assert_int_equal(ingest_again(in, &at, bytes, err, sizeof(err)), INGEST_TAKEN);
	assert_int_equal(ingest_flush(in), DB_END);
	t = *ingest_tally(in);
	ingest_free(in);
	arena_free(a);
	return t;
}

static void
a_record_of_a_file_that_is_put_aside_can_be_taken_again(void **state)
{
	struct scratch *s = *state;
	struct ingest_options options = { .stream = STR("stream"), .permissions = TARGET_PRIVATE };
	struct ingest *in = ingest_new(s->db, &options, NULL, NULL);
	struct position at = { .topic = STR("topic"), .stored = POSITION_NEW };
	struct ingest_tally t;
	struct buf b = { 0 };
	char err[500];
	int fd;

	put_least(&b, "ZTF18abcdefg", 1, 0); /* of no date */
	put_least(&b, "ZTF18abcdefh", 2, 2460000.5);
	fd = packets_file(&b);
	assert_int_equal(ingest_begin(in, &at, fd, err, sizeof(err)), INGEST_MORE);
	assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_MORE);
	assert_int_equal(ingest_flush(in), DB_END);
	assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_MORE);
	ingest_condemn(in, STR_NONE, "the database refuses it");
	assert_int_equal(ingest_flush(in), DB_END);
	assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_ENDED);
	assert_int_equal(ingest_flush(in), DB_END);
	assert_int_equal(ingest_tally(in)->dead, 2);
	assert_int_equal(ingest_tally(in)->stored, 0);
	ingest_free(in);
	close(fd);
	t = take_letter(s, 0);
	assert_int_equal(t.rejected, 1); /* it is as it was */
	t = take_letter(s, 1);
	assert_int_equal(t.stored, 1);
	assert_int_equal(t.new_points, 1);
	buf_free(&b);
}

/* Memory that ends with a file, read as a file: behind its end reading fails. */
static int
file_that_breaks_off(const struct buf *b, char **map, size_t *size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (b->n + page - 1) / page * page;
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	*size = whole + page;
	*map = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(*map != MAP_FAILED && fd >= 0);
	assert_int_equal(munmap(*map + whole, page), 0);
	*size = whole;
	memcpy(*map + whole - b->n, b->p, b->n);
	assert_true(lseek(fd, (off_t)(uintptr_t)(*map + whole - b->n), SEEK_SET) >= 0);
	return fd;
}

static void
a_file_that_cannot_be_read_now_is_not_done(void **state)
{
	struct scratch *s = *state;
	struct ingest_options options = { .stream = STR("stream"), .permissions = TARGET_PRIVATE };
	struct ingest *in = ingest_new(s->db, &options, NULL, NULL);
	struct position at = { .topic = STR("topic"), .stored = POSITION_NEW };
	struct buf b = { 0 };
	char err[500] = "", *map;
	size_t size;
	int fd;

	put_least(&b, "ZTF18abcdefg", 1, 2460000.5);
	fd = file_that_breaks_off(&b, &map, &size);
	assert_int_equal(ingest_begin(in, &at, fd, err, sizeof(err)), INGEST_MORE);
	assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_MORE);
	assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_UNREADABLE);
	assert_string_equal(err, "topic: it cannot be read: Input/output error");
	assert_int_equal(ingest_flush(in), DB_END);
	assert_int_equal(ingest_begin(in, &at, fd, err, sizeof(err)), INGEST_UNREADABLE);
	assert_false(at.done);
	close(fd);
	/* it can be, and is, from there */
	put_least(&b, "ZTF18abcdefh", 2, 2460000.5);
	fd = packets_file(&b);
	assert_int_equal(ingest_begin(in, &at, fd, err, sizeof(err)), INGEST_MORE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_MORE);
	assert_int_equal(ingest_next(in, err, sizeof(err)), INGEST_ENDED);
	assert_int_equal(ingest_flush(in), DB_END);
	assert_true(at.stored_done);
	assert_int_equal(ingest_tally(in)->stored, 2);
	assert_int_equal(ingest_tally(in)->dead, 0);
	ingest_free(in);
	close(fd);
	munmap(map, size);
	buf_free(&b);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

/* A server's disk is not ours to fill. */
static const struct CMUnitTest sqlite_tests[] = {
	TEST(a_batch_that_fails_is_not_half_there),
};

static const struct CMUnitTest tests[] = {
	TEST(a_second_run_adds_nothing),
	TEST(each_visit_adds_what_it_brings),
	TEST(measurements_are_shared_where_they_have_rights_of_their_own),
	TEST(a_batch_of_known_packets_is_three_statements),
	TEST(forced_points_are_stored_and_empty_ones_counted),
	TEST(packets_of_two_surveys_go_into_one_batch),
	TEST(what_moves_becomes_a_target_without_a_position),
	TEST(a_rejected_packet_does_not_hinder_the_others),
	TEST(a_file_that_is_no_container_is_one_rejection),
	TEST(rejected_packets_take_no_more_memory_than_a_batch),
	TEST(a_signal_leaves_what_was_read_to_be_written),
	TEST(several_at_once_store_each_point_once),
	TEST(an_alert_told_again_with_a_later_time_is_no_new_one),
	TEST(the_latest_alert_of_an_object_corrects_and_those_before_it_do_not),
	TEST(a_schema_that_cannot_be_had_now_is_waited_for_and_nothing_else_is),
	TEST(what_a_deleted_target_refuses_is_matched_once_more),
	TEST(a_record_of_a_file_that_is_put_aside_can_be_taken_again),
	TEST(a_file_that_cannot_be_read_now_is_not_done),
	TEST(messages_that_cannot_be_read_end_a_batch_as_packets_do),
};

int
main(void)
{
	int failed = cmocka_run_group_tests_name("ingest, sqlite's own", sqlite_tests, NULL, NULL);

	return failed + engines_run("ingest", tests, NELEM(tests), NULL, NULL);
}
