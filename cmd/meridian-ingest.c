/*
 * meridian-ingest: alert packets into the database.
 *
 *	meridian-ingest file PATH... [--schemas DIR] [--registry URL] [--group NAME]...
 *	    [--permissions OPEN|PUBLIC|PRIVATE]
 *	meridian-ingest run | check [STREAM...]		(ingest_run.c)
 *	meridian-ingest status | replay ...		(ingest_status.c)
 *
 * Says what it does on standard error where that is a terminal, and at the end what was done, on
 * standard output, for people or (--json) for scripts. Exit statuses are in usage_text and the
 * manual page.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/ingest.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/files.h"
#include "cmd/ingest.h"
#include "config.h"
#include "http/value.h"
#include "tom/group.h"

enum status {
	ANSWERED = -1, /* --help or --version: nothing else is wanted, 0 */
	DONE = 0,
	FAILED = 1, /* the database; what was stored before stays */
	USAGE = 2,
	REJECTED = 3, /* done, but packets or files were not taken */
	INTERRUPTED = 4, /* by a signal, after the batch in hand */
	MISCONFIGURED = 78 /* EX_CONFIG: configuration or schema */
};

static const char usage_text[] =
    "usage: meridian-ingest file PATH... [--schemas DIR] [--registry URL] [--group NAME]...\n"
    "                       [--permissions OPEN|PUBLIC|PRIVATE] [--json] [--quiet]\n"
    "       meridian-ingest run | check [STREAM...]\n"
    "       meridian-ingest status [--json]\n"
    "       meridian-ingest replay --all | ID...\n"
    "       meridian-ingest --help | --version\n"
    "\n"
    "Stores the measurements of alert packets of ZTF and LSST (Avro container files and\n"
    "Confluent messages; directories with all below them; \"-\": standard input). Targets are "
    "found\n"
    "by name or made.\n"
    "\n"
    "  --schemas DIR         schemas of Confluent messages: ID.avsc, or a survey's own files\n"
    "  --map FILE            says what the fields of a survey are that is none of these\n"
    "  --registry URL        a registry to ask for those that are not in DIR, where they are kept\n"
    "  --group NAME          this group gets all rights on new targets (may be said again)\n"
    "  --permissions WHICH   who sees new targets: OPEN everyone, PUBLIC who is signed in,\n"
    "                        PRIVATE the groups (default: TARGET_DEFAULT_PERMISSION)\n"
    "  --json                the summary as one JSON object\n"
    "  --quiet               no progress bar\n"
    "\n"
    "exit status: 0 done; 1 the database failed; 2 wrong usage; 3 done, but packets were "
    "rejected;\n"
    "4 stopped by a signal; 78 wrong configuration or schema\n";

static volatile int stopped; /* the signal that asked us to */

struct run {
	struct files files;
	struct ingest_options options;
	struct confluent_options schemas;
	const char *map_path; /* NULL: none */
	struct mapping *map;
	const char **group_names;
	size_t ngroup_names;
	bool json, quiet;
	struct config *config;
	struct db *db;
	struct arena *arena;
	struct ingest *ingest;
	size_t at; /* file of the list being read */
	uint64_t bytes; /* of the files before it */
	int64_t started, shown; /* clock_monotonic */
	bool bar; /* a progress bar stands on the terminal */
	char error[600]; /* why it ended early */
};

static void
on_signal(int number)
{
	/* the second one ends us at once: the database undoes what is open */
	if (stopped != 0)
		_exit(128 + number);
	stopped = number;
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void
wipe_bar(struct run *run)
{
	if (run->bar)
		fputs("\r\033[K", stderr);
	run->bar = false;
}

/* A line for people on standard error, with what came from outside made harmless. */
static void
complain_of(const char *path, const char *why)
{
	char line[1200];
	size_t n = (size_t)snprintf(line, sizeof(line), "%.600s: %.560s", path, why);

	for (size_t i = 0; i < n && line[i] != '\0'; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	fprintf(stderr, "meridian-ingest: %s\n", line);
}

static void
on_reject(void *arg, const char *file, const char *why)
{
	wipe_bar(arg);
	complain_of(file, why);
}

/* "1:02:03" */
static void
print_duration(char *to, size_t size, int64_t seconds)
{
	if (seconds >= 3600)
		snprintf(to, size, "%" PRId64 ":%02d:%02d", seconds / 3600,
		    (int)(seconds / 60 % 60), (int)(seconds % 60));
	else
		snprintf(to, size, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

static void
show_progress(void *arg)
{
	struct run *run = arg;
	const struct ingest_tally *t = ingest_tally(run->ingest);
	int64_t now = clock_monotonic();
	double seconds = (double)(now - run->started) / SECOND, part;
	char left[32] = "?", filled[25];

	if (run->quiet || now - run->shown < SECOND / 5)
		return;
	run->shown = now;
	part = run->files.bytes == 0
	    ? 0
	    : (double)(run->bytes + ingest_offset(run->ingest)) / (double)run->files.bytes;
	if (part > 1)
		part = 1;
	if (part > 0.001)
		print_duration(left, sizeof(left), (int64_t)(seconds / part * (1 - part)));
	memset(filled, '.', sizeof(filled) - 1);
	memset(filled, '#', (size_t)(part * (double)(sizeof(filled) - 1)));
	filled[sizeof(filled) - 1] = '\0';
	fprintf(stderr,
	    "\r\033[K[%s] %3.0f%%  %" PRIu64 " alerts, %.0f/s, %" PRIu64 " rejected, %s left",
	    filled, 100 * part, t->read, seconds > 0 ? (double)t->read / seconds : 0, t->rejected,
	    left);
	fflush(stderr);
	run->bar = true;
}

/* Does the file begin as Avro containers do, or, where schemas are given, as Confluent messages? */
static bool
looks_like_avro(const struct run *run, const char *path, int fd)
{
	char magic[4];
	size_t n = strlen(path);

	if (n > 5 && strcasecmp(path + n - 5, ".avro") == 0)
		return true;
	if (pread(fd, magic, sizeof(magic), 0) != sizeof(magic))
		return false;
	return memcmp(magic, "Obj\1", sizeof(magic)) == 0 ||
	    (magic[0] == 0 && run->options.schemas != NULL);
}

static enum db_result
read_file(struct run *run, const struct file *file)
{
	bool is_stdin = strcmp(file->path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum db_result r = DB_END;

	if (fd < 0)
		ingest_file_failed(run->ingest, file->path, strerror(errno));
	else if (!file->named && !looks_like_avro(run, file->path, fd))
		run->files.passed_over++;
	else
		r = ingest_file(
		    run->ingest, fd, is_stdin ? "standard input" : file->path, &stopped);
	if (fd >= 0 && !is_stdin)
		close(fd);
	run->bytes += file->size;
	return r;
}

/* Why the database did not do what it was asked, for people. */
static void
explain(struct run *run, enum db_result r)
{
	const char *what = "the database failed";

	if (r == DB_AWAY)
		what = "the database cannot be reached";
	else if (r == DB_FULL)
		what = "there is no space left for the database";
	else if (r == DB_SLOW || r == DB_RETRY)
		what = "the database stayed busy";
	snprintf(run->error, sizeof(run->error), "%s: %.300s", what, db_error(run->db));
}

static void
explain_batch(struct run *run, enum db_result r)
{
	size_t n;

	explain(run, r);
	n = strlen(run->error);
	snprintf(run->error + n, sizeof(run->error) - n,
	    ". The last %zu packets were not stored, what came before them is. Run it again when "
	    "that is mended: nothing is stored twice",
	    ingest_pending(run->ingest));
}

static enum status
read_files(struct run *run)
{
	enum db_result r = DB_END;

	run->started = clock_monotonic();
	for (run->at = 0; run->at < run->files.n && r == DB_END && stopped == 0; run->at++) {
		r = read_file(run, &run->files.list[run->at]);
		show_progress(run);
	}
	if (r == DB_END)
		r = ingest_flush(run->ingest);
	wipe_bar(run);
	if (r != DB_END) {
		explain_batch(run, r);
		return FAILED;
	}
	if (stopped != 0) {
		snprintf(run->error, sizeof(run->error),
		    "stopped by signal %d: what was read so far is stored, run it again for the "
		    "rest",
		    (int)stopped);
		return INTERRUPTED;
	}
	return ingest_tally(run->ingest)->rejected + run->files.unseen > 0 ? REJECTED : DONE;
}

static void
print_line(const char *what, uint64_t n)
{
	printf("%-24s%12" PRIu64 "\n", what, n);
}

static void
summary_for_people(const struct run *run, double seconds, double rate)
{
	const struct ingest_tally *t = ingest_tally(run->ingest);

	print_line("files read to the end", t->files);
	print_line("packets read", t->read);
	print_line("packets stored", t->stored);
	print_line("new targets", t->new_targets);
	print_line("new points", t->new_points);
	print_line("duplicate points", t->known_points);
	print_line("without measurement", t->empty);
	print_line("rejected", t->rejected);
	if (run->files.passed_over > 0)
		print_line("other files passed over", run->files.passed_over);
	printf("%-24s%12.2f s, %.0f alerts/s\n", "time", seconds, rate);
}

static void
summary_for_scripts(const struct run *run, enum status status, double seconds, double rate)
{
	const struct ingest_tally *t = ingest_tally(run->ingest);
	struct value *v = value_object(run->arena);
	struct buf b = { 0 };

	value_set_int(v, "files", (int64_t)t->files);
	value_set_int(v, "read", (int64_t)t->read);
	value_set_int(v, "stored", (int64_t)t->stored);
	value_set_int(v, "new_targets", (int64_t)t->new_targets);
	value_set_int(v, "new_points", (int64_t)t->new_points);
	value_set_int(v, "duplicates", (int64_t)t->known_points);
	value_set_int(v, "without_measurement", (int64_t)t->empty);
	value_set_int(v, "rejected", (int64_t)t->rejected);
	value_set_int(v, "passed_over", (int64_t)run->files.passed_over);
	value_set_real(v, "seconds", round(1000 * seconds) / 1000);
	value_set_real(v, "alerts_per_second", round(10 * rate) / 10);
	value_set_int(v, "status", status);
	value_set_text(v, "error", run->error[0] != '\0' ? str_of(run->error) : STR_NONE);
	value_json(v, &b);
	printf("%s\n", b.p);
	buf_free(&b);
}

static void
print_summary(const struct run *run, enum status status)
{
	double seconds = (double)(clock_monotonic() - run->started) / SECOND;
	double rate = seconds > 0 ? (double)ingest_tally(run->ingest)->read / seconds : 0;

	if (run->json)
		summary_for_scripts(run, status, seconds, rate);
	else
		summary_for_people(run, seconds, rate);
	if (run->error[0] != '\0')
		fprintf(stderr, "meridian-ingest: %s\n", run->error);
	if (fflush(stdout) != 0)
		complain_of("standard output", strerror(errno));
}

static enum status
wrong_usage(const char *why, const char *what)
{
	fprintf(stderr, "meridian-ingest: %s%s\n%s", why, what, usage_text);
	return USAGE;
}

static int
permissions_of(const char *word)
{
	static const char *const words[] = {
		[TARGET_OPEN] = "OPEN", [TARGET_PUBLIC] = "PUBLIC", [TARGET_PRIVATE] = "PRIVATE"
	};

	for (size_t i = 0; i < NELEM(words); i++)
		if (strcasecmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

/* The names of --group as ids. */
static enum status
find_groups(struct run *run)
{
	int64_t *ids = arena_array(run->arena, run->ngroup_names + 1, sizeof(*ids));

	for (size_t i = 0; i < run->ngroup_names; i++) {
		struct group g;

		switch (group_find(run->db, run->arena, str_of(run->group_names[i]), &g)) {
		case GROUP_DONE:
			ids[i] = g.id;
			break;
		case GROUP_FAILED:
			explain(run, DB_FAILED);
			fprintf(stderr, "meridian-ingest: %s\n", run->error);
			return FAILED;
		default:
			complain_of(run->group_names[i], "there is no group of that name");
			return USAGE;
		}
	}
	run->options.groups = ids;
	run->options.ngroups = run->ngroup_names;
	return DONE;
}

/* Configuration, database, schema, groups. */
static enum status
prepare(struct run *run)
{
	char err[600];
	enum db_result why = DB_REFUSED;

	run->config = config_load(err, sizeof(err));
	if (run->config != NULL && (run->db = db_new(run->config, err, sizeof(err))) != NULL)
		db_expect_much(run->db);
	if (run->db == NULL || (why = db_schema_check(run->db, err, sizeof(err))) != DB_END) {
		fprintf(stderr, "meridian-ingest: %s\n", err);
		return why == DB_AWAY ? FAILED : MISCONFIGURED;
	}
	run->options.shares_data = !config_bool(run->config, "TARGET_PERMISSIONS_ONLY");
	if (run->options.permissions < 0)
		run->options.permissions = permissions_of(
		    config_text(run->config, "TARGET_DEFAULT_PERMISSION"));
	return find_groups(run);
}

/* What the fields of packets are, and where the schemas of Confluent messages are. */
static enum status
find_schemas(struct run *run)
{
	char err[600];

	if (run->map_path != NULL) {
		run->map = mapping_read(run->map_path, err, sizeof(err));
		if (run->map == NULL) {
			fprintf(stderr, "meridian-ingest: %s\n", err);
			return MISCONFIGURED;
		}
		run->options.map = run->map;
	}
	if (run->schemas.directory == NULL && run->schemas.registry == NULL)
		return DONE;
	run->options.schemas = confluent_new(
	    mapping_shapes(run->map), &run->schemas, err, sizeof(err));
	if (run->options.schemas != NULL)
		return DONE;
	fprintf(stderr, "meridian-ingest: %s\n", err);
	return USAGE;
}

static enum status
ingest_files(struct run *run)
{
	enum status status = find_schemas(run);

	if (status == DONE)
		status = prepare(run);
	if (status != DONE)
		return status;
	catch_signals();
	run->ingest = ingest_new(run->db, &run->options, on_reject, run);
	if (!run->quiet)
		ingest_on_progress(run->ingest, show_progress, run);
	status = read_files(run);
	print_summary(run, status);
	return status;
}

/* Options and paths, which may stand in any order. DONE: go on. */
static enum status
read_arguments(struct run *run, int argc, char **argv)
{
	enum { GROUP = 256, PERMISSIONS, SCHEMAS, REGISTRY, MAP, JSON, QUIET };
	static const struct option options[] = { { "group", required_argument, NULL, GROUP },
		{ "permissions", required_argument, NULL, PERMISSIONS },
		{ "schemas", required_argument, NULL, SCHEMAS },
		{ "registry", required_argument, NULL, REGISTRY },
		{ "map", required_argument, NULL, MAP }, { "json", no_argument, NULL, JSON },
		{ "quiet", no_argument, NULL, QUIET }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	int c;

	run->group_names = arena_array(run->arena, (size_t)argc, sizeof(*run->group_names));
	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		switch (c) {
		case GROUP:
			run->group_names[run->ngroup_names++] = optarg;
			break;
		case PERMISSIONS:
			run->options.permissions = permissions_of(optarg);
			if (run->options.permissions < 0)
				return wrong_usage(
				    "--permissions is OPEN, PUBLIC or PRIVATE, not ", optarg);
			break;
		case SCHEMAS:
			run->schemas.directory = optarg;
			break;
		case REGISTRY:
			run->schemas.registry = optarg;
			break;
		case MAP:
			run->map_path = optarg;
			break;
		case JSON:
			run->json = true;
			break;
		case QUIET:
			run->quiet = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return ANSWERED;
		case 'V':
			puts("meridian-ingest " PACKAGE_VERSION);
			return ANSWERED;
		default:
			fputs(usage_text, stderr);
			return USAGE;
		}
	if (optind == argc || strcmp(argv[optind], "file") != 0)
		return wrong_usage("the first argument is \"file\"", "");
	if (optind + 1 == argc)
		return wrong_usage("which files? Name at least one", "");
	for (int i = optind + 1; i < argc; i++)
		if (!files_add(&run->files, argv[i])) {
			complain_of(argv[i], strerror(errno));
			return USAGE;
		}
	return DONE;
}

/* The commands beside `file`, by their first argument. */
static int (*command_of(int argc, char **argv))(int, char **)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "run", ingest_run },
		{ "check", ingest_check },
		{ "status", ingest_status },
		{ "replay", ingest_replay },
	};

	for (size_t i = 0; argc > 1 && i < NELEM(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run;
	return NULL;
}

int
main(int argc, char **argv)
{
	struct run run = { .options.permissions = -1, .files.complain = complain_of };
	enum status status;

	log_set_program("meridian-ingest");
	if (command_of(argc, argv) != NULL)
		return command_of(argc, argv)(argc - 1, argv + 1);
	run.arena = run.files.arena = arena_new();
	status = read_arguments(&run, argc, argv);
	if (status == DONE) {
		if (!run.json)
			log_set_level(LOG_LEVEL_NONE); /* people are told in words */
		run.quiet = run.quiet || run.json || !isatty(STDERR_FILENO);
		status = ingest_files(&run);
	}
	ingest_free(run.ingest);
	confluent_free(run.options.schemas);
	mapping_free(run.map);
	if (run.db != NULL)
		db_free(run.db);
	if (run.config != NULL)
		config_free(run.config);
	arena_free(run.arena);
	return status == ANSWERED ? 0 : (int)status;
}
