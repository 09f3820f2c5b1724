/*
 * ingest_run: the daemon. One thread serves the streams in turn and waits for what wakes any of them;
 * it tells systemd that it is there, and the database how each stream fares.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/ingest.h"
#include "cmd/letter.h"
#include "cmd/notify.h"

#define REPORT_EVERY (2 * SECOND)
#define TIDY_EVERY HOUR
#define LONGEST_WAIT (SECOND / 2) /* brokers are spoken to at least so often */
#define STREAMS_MAX 64

static volatile int stopped, rereads;

struct daemon {
	char **names; /* of the streams that are wanted */
	int nnames; /* 0: all */
	struct config *config;
	struct db *db;
	struct stream *streams[STREAMS_MAX];
	size_t n;
};

static void
on_signal(int number)
{
	if (number == SIGHUP)
		rereads = 1;
	else if (stopped != 0)
		_exit(128 + number); /* the second one: the database undoes what is open */
	else
		stopped = number;
}

static bool
is_wanted(const struct daemon *d, const char *name)
{
	for (int i = 0; i < d->nnames; i++)
		if (strcmp(d->names[i], name) == 0)
			return true;
	return d->nnames == 0;
}

static void
close_streams(struct daemon *d)
{
	for (size_t i = 0; i < d->n; i++) {
		stream_drain(d->streams[i]);
		stream_free(d->streams[i]);
	}
	d->n = 0;
}

/* Makes the streams of a configuration. False with a sentence in err. */
static bool
make_streams(struct daemon *d, char *err, size_t errsize)
{
	const struct config_stream *c;

	for (int i = 0; i < d->nnames; i++) {
		size_t k = 0;

		while ((c = config_stream(d->config, k)) != NULL &&
		    strcmp(config_stream_name(c), d->names[i]) != 0)
			k++;
		if (c == NULL) {
			snprintf(err, errsize, "there is no stream %s", d->names[i]);
			return false;
		}
	}
	for (size_t i = 0; (c = config_stream(d->config, i)) != NULL; i++) {
		if (!is_wanted(d, config_stream_name(c)))
			continue;
		if (d->n == STREAMS_MAX) {
			snprintf(err, errsize, "more than %d streams", STREAMS_MAX);
			return false;
		}
		d->streams[d->n] = stream_new(d->db, d->config, c, err, errsize);
		if (d->streams[d->n] == NULL)
			return false;
		d->n++;
	}
	if (d->n == 0)
		snprintf(err, errsize, "there is no [stream NAME] in the configuration");
	return d->n > 0;
}

/* The words of LOG_LEVEL are in the order of enum log_level. */
static void
set_log_level(const struct config *c)
{
	static const char *const words[] = { "debug", "info", "warn", "error" };

	for (size_t i = 0; i < NELEM(words); i++)
		if (strcmp(config_text(c, "LOG_LEVEL"), words[i]) == 0)
			log_set_level((enum log_level)i);
}

/* Configuration, database and streams. INGEST_DONE, else with a sentence in err. */
static int
open_all(struct daemon *d, char *err, size_t errsize)
{
	enum db_result why = DB_REFUSED;

	d->config = config_load(err, errsize);
	if (d->config != NULL && (d->db = db_new(d->config, err, errsize)) != NULL)
		db_expect_much(d->db);
	if (d->db == NULL || (why = db_schema_check(d->db, err, errsize)) != DB_END)
		return why == DB_AWAY ? INGEST_FAILED : INGEST_MISCONFIGURED;
	set_log_level(d->config);
	return make_streams(d, err, errsize) ? INGEST_DONE : INGEST_MISCONFIGURED;
}

static void
close_all(struct daemon *d)
{
	close_streams(d);
	if (d->db != NULL)
		db_free(d->db);
	if (d->config != NULL)
		config_free(d->config);
	d->db = NULL;
	d->config = NULL;
}

/* SIGHUP: the configuration anew, where it is right; else all goes on as before. */
static void
reread(struct daemon *d)
{
	struct daemon fresh = { .names = d->names, .nnames = d->nnames };
	char err[600];

	rereads = 0;
	notify("RELOADING=1");
	if (open_all(&fresh, err, sizeof(err)) == INGEST_DONE) {
		close_all(d);
		*d = fresh;
		log_info("the configuration was read again");
	} else {
		close_all(&fresh);
		log_error(
		    "the configuration is wrong: all goes on as before", LOG_TEXT("error", err));
	}
	notify("READY=1");
}

static void
wait_for_more(const struct daemon *d, int64_t report)
{
	struct pollfd fds[STREAMS_MAX];
	nfds_t n = 0;
	int64_t now = clock_monotonic(), until = now + LONGEST_WAIT;

	if (report < until)
		until = report;
	for (size_t i = 0; i < d->n; i++) {
		int fd = stream_descriptor(d->streams[i]);
		int64_t wakes = stream_wakes(d->streams[i]);

		if (wakes < until)
			until = wakes;
		if (fd >= 0)
			fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	if (until > now)
		(void)poll(fds, n, (int)((until - now) / (SECOND / 1000)) + 1);
}

/* Takes away what is too old; when it is to be looked for again. */
static int64_t
tidy(struct daemon *d)
{
	bool more = false;

	for (size_t i = 0; i < d->n; i++)
		more = letters_forget_old(d->db, d->streams[i]) || more;
	return more ? 0 : clock_monotonic() + TIDY_EVERY;
}

static void
serve(struct daemon *d)
{
	int64_t report = 0, tidies = 0;

	while (stopped == 0) {
		bool more = false, all_drained = true;

		if (rereads != 0)
			reread(d);
		for (size_t i = 0; i < d->n && stopped == 0; i++) {
			more = stream_serve(d->streams[i], &stopped) || more;
			notify_alive();
			all_drained = all_drained && stream_is_drained(d->streams[i]);
		}
		if (all_drained && stopped == 0)
			return;
		if (clock_monotonic() >= report) {
			report = clock_monotonic() + REPORT_EVERY;
			for (size_t i = 0; i < d->n; i++) {
				stream_report(d->streams[i]);
				letters_take_asked(d->db, d->streams[i]);
			}
			if (clock_monotonic() >= tidies)
				tidies = tidy(d);
		}
		if (!more)
			wait_for_more(d, report);
	}
	notify("STOPPING=1");
}

int
ingest_run(int argc, char **argv)
{
	struct daemon d = { .names = argv + 1, .nnames = argc - 1 };
	struct sigaction action = { .sa_handler = on_signal };
	char err[600];
	int status = open_all(&d, err, sizeof(err));

	if (status == INGEST_DONE) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGHUP, &action, NULL);
		signal(SIGPIPE, SIG_IGN);
		srandom((unsigned)(clock_now() ^ getpid()));
		log_info("streams are served", LOG_INT("streams", (int64_t)d.n));
		notify("READY=1");
		serve(&d);
	} else
		fprintf(stderr, "meridian-ingest: %s\n", err);
	close_all(&d);
	return status;
}

int
ingest_check(int argc, char **argv)
{
	struct daemon d = { .names = argv + 1, .nnames = argc - 1 };
	char err[600];
	int status = open_all(&d, err, sizeof(err));

	if (status != INGEST_DONE)
		fprintf(stderr, "meridian-ingest: %s\n", err);
	for (size_t i = 0, k = 0; status != INGEST_MISCONFIGURED && k < d.n; i++) {
		const struct config_stream *c = config_stream(d.config, i);

		if (!is_wanted(&d, config_stream_name(c)))
			continue;
		if (stream_check(d.streams[k++], err, sizeof(err)) == 0)
			printf("%s: all is there\n", config_stream_name(c));
		else {
			printf("%s: %s\n", config_stream_name(c), err);
			status = INGEST_REJECTED;
		}
	}
	close_all(&d);
	return status;
}
