/*
 * source_files: files of packets: containers, packets one by one, and archives of them as ZTF's of a
 * night are; one, or those of a directory, with what comes into it.
 *
 * A file is known by its name, size and time: one that was written anew is read anew. Its position
 * counts its records, or the members of the archive. A file is taken when who wrote it has closed it, or
 * has moved it here whole; one that is being written when the daemon starts is left until then.
 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/source.h"

#define MOST MIB(64) /* bytes of a packet */
#define FORGOTTEN 1000 /* at a start */
#define KEPT (90 * 24 * 3600 * SECOND) /* the position of a file that is gone */

/* A file that is being read, or was, until it is settled. */
struct taken {
	struct position position;
	char *name, *topic;
	struct taken *next;
};

struct source {
	const struct source_host *host;
	char *directory; /* "" and a name, or a directory with '/' */
	bool watches;
	int inotify; /* -1: none */
	char **names; /* that wait, the next last */
	size_t n, room;
	struct taken *taken; /* the newest first */
	struct taken *current; /* being read; NULL: none */
	int fd; /* of it; -1 */
	struct archive *archive; /* of it; NULL: it is none */
	int64_t at; /* next member */
	enum { NOT_YET, AS_FILE, AS_MESSAGE } given; /* the file itself */
	struct buf bytes;
};

static void *
must(void *p)
{
	if (p == NULL)
		arena_exhausted();
	return p;
}

/* ".avro" and what archives are called; what begins with '.' is somebody's half-written file. */
static bool
is_ours(const char *name)
{
	static const char *const endings[] = { ".avro", ".confluent-avro", ".tar", ".tar.gz",
		".tgz" };

	for (size_t i = 0; i < NELEM(endings); i++)
		if (name[0] != '.' && str_ends(str_of(name), endings[i]))
			return true;
	return false;
}

/* A name waits; one that does already is not put there again. */
static void
put(struct source *s, const char *name)
{
	if (s->n > 0 && strcmp(s->names[0], name) == 0)
		return; /* it was written in several goes */
	if (s->n == s->room) {
		s->room = s->room == 0 ? 64 : 2 * s->room;
		s->names = must(realloc(s->names, s->room * sizeof(*s->names)));
	}
	memmove(s->names + 1, s->names, s->n++ * sizeof(*s->names));
	s->names[0] = must(strdup(name));
}

/* The next name waits until the others were taken. */
static void
put_last(struct source *s)
{
	char *name = s->names[s->n - 1];

	memmove(s->names + 1, s->names, (s->n - 1) * sizeof(*s->names));
	s->names[0] = name;
}

/* By name, the first last: they are taken from the end. */
static int
compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)right, *(char *const *)left);
}

static int
scan(struct source *s, char *err, size_t errsize)
{
	DIR *d = opendir(s->directory);
	struct dirent *e;

	if (d == NULL) {
		snprintf(err, errsize, "%s: %s", s->directory, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (!is_ours(e->d_name))
			continue;
		if (s->n == s->room) {
			s->room = s->room == 0 ? 64 : 2 * s->room;
			s->names = must(realloc(s->names, s->room * sizeof(*s->names)));
		}
		s->names[s->n++] = must(strdup(e->d_name));
	}
	closedir(d);
	if (s->n > 1)
		qsort(s->names, s->n, sizeof(*s->names), compare);
	return 0;
}

static void close_source(struct source *);

static struct source *
open_source(const struct source_host *host, char *err, size_t errsize)
{
	const char *path = config_stream_text(host->config, "path"), *slash;
	struct source *s = must(calloc(1, sizeof(*s)));
	struct stat st;

	s->host = host;
	s->inotify = s->fd = -1;
	if (stat(path, &st) != 0) {
		snprintf(err, errsize, "%s: %s", path, strerror(errno));
		close_source(s);
		return NULL;
	}
	if (!S_ISDIR(st.st_mode)) {
		slash = strrchr(path, '/');
		s->directory = must(strndup(path, slash == NULL ? 0 : (size_t)(slash - path) + 1));
		put(s, slash == NULL ? path : slash + 1);
		return s;
	}
	s->directory = must(malloc(strlen(path) + 2));
	snprintf(s->directory, strlen(path) + 2, "%s/", path);
	s->watches = config_stream_bool(host->config, "watch");
	if (s->watches) {
		/* before the files are looked through, so that none comes between */
		s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (s->inotify < 0 ||
		    inotify_add_watch(s->inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
			snprintf(err, errsize, "%s cannot be watched: %s", path, strerror(errno));
			close_source(s);
			return NULL;
		}
	}
	if (scan(s, err, errsize) != 0) {
		close_source(s);
		return NULL;
	}
	return s;
}

/* Files that have come. */
static void
hear(struct source *s)
{
	union {
		struct inotify_event event;
		char bytes[KIB(16)];
	} room;
	ssize_t n;

	while (s->inotify >= 0 && (n = read(s->inotify, room.bytes, sizeof(room.bytes))) > 0)
		for (char *p = room.bytes; p < room.bytes + n;) {
			const struct inotify_event *e = (const void *)p;
			char err[300];

			if (e->mask & IN_Q_OVERFLOW) {
				/* some were not told; those that were read are known */
				if (scan(s, err, sizeof(err)) != 0)
					log_warn(
					    "the directory cannot be read", LOG_TEXT("error", err));
			} else if (e->len > 0 && is_ours(e->name))
				put(s, e->name);
			p += sizeof(*e) + e->len;
		}
}

/* Tells one file from another of its name (FNV-1a). */
static int64_t
identity(const char *name, const struct stat *st)
{
	char text[400];
	uint64_t h = UINT64_C(14695981039346656037);
	int n = snprintf(text, sizeof(text), "%s/%" PRIdMAX "/%" PRIdMAX "/%ld", name,
	    (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);

	for (int i = 0; i < n && i < (int)sizeof(text) - 1; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return (int64_t)(h >> 1);
}

/* Is somebody writing it? Only its owner may ask so; others take it as it is. */
static bool
is_written(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
		return errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

/* What a file is called in the table: the end of its name, made UTF-8. The caller frees it. */
static char *
topic_of(const char *name)
{
	size_t length = strlen(name), skip;
	char *topic;

	skip = length > POSITION_TOPIC_MAX ? length - POSITION_TOPIC_MAX : 0;
	while (skip < length && ((unsigned char)name[skip] & 0xc0) == 0x80)
		skip++; /* not in the midst of a character */
	topic = must(strdup(name + skip));
	str_make_utf8(topic, length - skip);
	return topic;
}

static int
compare_topics(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The positions of files that were read long ago and are not here any more. */
struct gone {
	const struct source_host *host;
	size_t n;
	struct position *positions;
};

static enum db_result
forget(struct db *db, void *arg)
{
	const struct gone *g = arg;
	enum db_result r = DB_END;

	for (size_t i = 0; i < g->n && r == DB_END; i++)
		r = position_forget(db, g->host->stream, &g->positions[i]);
	return r;
}

/* Takes them away; where that fails, the next start does. */
static void
forget_gone(const struct source *s)
{
	struct query *q = db_query(s->host->db, QUERY_OFFSETS_DONE);
	struct arena *a = arena_new();
	struct gone g = { .host = s->host,
		.positions = arena_array(a, FORGOTTEN, sizeof(*g.positions)) };
	char **here = must(calloc(s->n + 1, sizeof(*here)));

	for (size_t i = 0; i < s->n; i++)
		here[i] = topic_of(s->names[i]);
	qsort(here, s->n, sizeof(*here), compare_topics);
	db_text(q, "stream", s->host->stream);
	db_int(q, "before", clock_now() - KEPT);
	while (g.n < FORGOTTEN && db_step(q) == DB_ROW) {
		struct str topic = db_col_copy(q, "topic", a);

		if (bsearch(&topic.p, here, s->n, sizeof(*here), compare_topics) == NULL)
			g.positions[g.n++] = (struct position){ .topic = topic,
				.part = db_col_int(q, "part") };
	}
	if (db_done(q) == DB_END && g.n > 0 &&
	    db_transaction(s->host->db, DB_WRITE, forget, &g) == DB_END)
		log_info("files that are gone were forgotten",
		    LOG_TEXT("stream", s->host->stream.p), LOG_INT("files", (int64_t)g.n));
	for (size_t i = 0; i < s->n; i++)
		free(here[i]);
	free(here);
	arena_free(a);
}

/* Is it the disk's fault, or that of the machine which has it, and not the file's? */
static bool
may_pass(int error)
{
	return error == EIO || error == ESTALE || error == ETIMEDOUT || error == ENXIO ||
	    error == ENODEV || error == EREMOTEIO || error == EMFILE || error == ENFILE;
}

static void
put_away(struct source *s)
{
	if (s->archive != NULL)
		archive_read_free(s->archive);
	if (s->fd >= 0)
		close(s->fd);
	s->archive = NULL;
	s->fd = -1;
	s->current = NULL;
}

static void
drop(struct taken *t)
{
	free(t->name);
	free(t->topic);
	free(t);
}

static bool
begins_as(int fd, const char *bytes, size_t n)
{
	char there[8];

	return pread(fd, there, n, 0) == (ssize_t)n && memcmp(there, bytes, n) == 0;
}

/* Is it among those that were taken and are not settled? It was heard of twice. */
static bool
is_taken(const struct source *s, const struct position *p)
{
	for (const struct taken *t = s->taken; t != NULL; t = t->next)
		if (t->position.part == p->part && str_eq(t->position.topic, p->topic))
			return true;
	return false;
}

/* The next file becomes the current one. SOURCE_MESSAGE: it is; SOURCE_NONE: it needs no reading. */
static enum source_result
take_file(struct source *s, char *err, size_t errsize)
{
	char *name = s->names[s->n - 1], path[4096];
	struct taken *t;
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", s->directory, name);
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (s->fd < 0 && may_pass(errno)) {
		snprintf(err, errsize, "%.200s: %s", name, strerror(errno));
		put_last(s);
		return SOURCE_UNREADABLE;
	}
	if (s->fd < 0 || fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (s->watches && is_written(s->fd))) {
		if (s->fd < 0 && errno != ENOENT)
			log_warn("a file cannot be opened", LOG_TEXT("path", path),
			    LOG_TEXT("error", strerror(errno)));
		put_away(s);
		free(s->names[--s->n]);
		return SOURCE_NONE;
	}
	t = must(calloc(1, sizeof(*t)));
	t->topic = topic_of(name);
	t->position = (struct position){ .topic = str_of(t->topic), .part = identity(name, &st) };
	if (position_read(s->host->db, s->host->stream, &t->position) != DB_END) {
		snprintf(err, errsize, "%s", db_error(s->host->db));
		drop(t);
		put_away(s);
		return SOURCE_DATABASE;
	}
	s->n--;
	t->name = name;
	if (t->position.stored_done || is_taken(s, &t->position)) {
		drop(t);
		put_away(s);
		return SOURCE_NONE;
	}
	t->next = s->taken;
	s->taken = s->current = t;
	s->at = 0;
	s->given = NOT_YET;
	if (str_ends(str_of(name), "avro"))
		return SOURCE_MESSAGE;
	s->archive = must(archive_read_new());
	archive_read_support_filter_gzip(s->archive);
	archive_read_support_format_tar(s->archive);
	if (archive_read_open_fd(s->archive, s->fd, KIB(256)) != ARCHIVE_OK) {
		snprintf(err, errsize, "it is no archive: %s", archive_error_string(s->archive));
		return may_pass(archive_errno(s->archive)) ? SOURCE_UNREADABLE : SOURCE_BROKEN;
	}
	return SOURCE_MESSAGE;
}

/* The current file as a message. */
static enum source_result
give_file(struct source *s, struct message *m, char *err, size_t errsize)
{
	bool is_container = begins_as(s->fd, "Obj\1", 4);
	ssize_t got;

	if (s->given == AS_MESSAGE ||
	    (s->given == NOT_YET && m->position->next > 0 && !is_container))
		return SOURCE_END;
	if (s->given == AS_FILE) {
		put_away(s);
		return SOURCE_NONE;
	}
	s->given = is_container ? AS_FILE : AS_MESSAGE;
	m->fd = s->fd;
	if (is_container)
		return SOURCE_FILE;
	buf_clear(&s->bytes);
	while ((got = read(s->fd, buf_room(&s->bytes, KIB(64)), KIB(64))) > 0 && s->bytes.n < MOST)
		s->bytes.n += (size_t)got;
	if (got < 0) {
		snprintf(err, errsize, "%.200s: it cannot be read: %s", s->current->topic,
		    strerror(errno));
		return SOURCE_UNREADABLE;
	}
	if (got != 0) {
		snprintf(err, errsize, "it is too long");
		return SOURCE_BROKEN;
	}
	m->bytes = buf_text(&s->bytes);
	m->place = 0;
	return SOURCE_MESSAGE;
}

/* The archive cannot be read further. */
static enum source_result
broken_archive(const struct source *s, const char *where, char *err, size_t errsize)
{
	bool passes = may_pass(archive_errno(s->archive));

	snprintf(err, errsize, "%.200s%s%s member %" PRId64 ": %s", passes ? s->current->topic : "",
	    passes ? ": " : "", where, s->at, archive_error_string(s->archive));
	return passes ? SOURCE_UNREADABLE : SOURCE_BROKEN;
}

static enum source_result
read_member(struct source *s, struct archive_entry *e, struct message *m, char *err, size_t errsize)
{
	la_ssize_t got;

	buf_clear(&s->bytes);
	if (archive_entry_size_is_set(e) && archive_entry_size(e) > (la_int64_t)MOST) {
		snprintf(err, errsize, "the member %" PRId64 " is too long", s->at);
		return SOURCE_BROKEN;
	}
	while ((got = archive_read_data(s->archive, buf_room(&s->bytes, KIB(64)), KIB(64))) > 0 &&
	    s->bytes.n < MOST)
		s->bytes.n += (size_t)got;
	if (got < 0)
		return broken_archive(s, "in", err, errsize);
	m->bytes = buf_text(&s->bytes);
	m->place = s->at++;
	return SOURCE_MESSAGE;
}

/* The next member of the archive, where it is a packet and was not taken. */
static enum source_result
give_member(struct source *s, struct message *m, char *err, size_t errsize)
{
	struct archive_entry *e;
	int r = archive_read_next_header(s->archive, &e);
	const char *name;

	if (r == ARCHIVE_EOF)
		return SOURCE_END;
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return broken_archive(s, "behind", err, errsize);
	name = archive_entry_pathname(e);
	if (archive_entry_filetype(e) != AE_IFREG || name == NULL ||
	    !str_ends(str_of(name), "avro"))
		return SOURCE_PASSED;
	if (s->at >= m->position->next)
		return read_member(s, e, m, err, errsize);
	s->at++;
	return SOURCE_PASSED;
}

static enum source_result
next(struct source *s, bool more, struct message *m, char *err, size_t errsize)
{
	enum source_result r;

	hear(s);
	while (more) {
		if (s->current == NULL && s->n == 0)
			return s->watches ? SOURCE_NONE : SOURCE_DRAINED;
		r = s->current == NULL ? take_file(s, err, errsize) : SOURCE_MESSAGE;
		if (r == SOURCE_NONE)
			continue;
		if (r == SOURCE_DATABASE || (r == SOURCE_UNREADABLE && s->current == NULL))
			return r;
		m->position = &s->current->position;
		if (r == SOURCE_MESSAGE)
			r = s->archive != NULL ? give_member(s, m, err, errsize)
			                       : give_file(s, m, err, errsize);
		if (r == SOURCE_END || r == SOURCE_BROKEN)
			put_away(s);
		if (r != SOURCE_NONE)
			return r;
	}
	return SOURCE_NONE;
}

/* Those that are done and written are let go. */
static void
settled(struct source *s)
{
	for (struct taken **t = &s->taken; *t != NULL;) {
		struct taken *one = *t;

		if (one == s->current || !one->position.stored_done) {
			t = &one->next;
			continue;
		}
		*t = one->next;
		drop(one);
	}
}

static void
go_back(struct source *s)
{
	put_away(s);
	/* the newest was taken last: the oldest is put back last and taken first */
	while (s->taken != NULL) {
		struct taken *t = s->taken;

		s->taken = t->next;
		if (s->n == s->room) {
			s->room = s->room == 0 ? 64 : 2 * s->room;
			s->names = must(realloc(s->names, s->room * sizeof(*s->names)));
		}
		s->names[s->n++] = must(strdup(t->name));
		drop(t);
	}
}

/* The current file is read again when its turn comes. */
static void
put_off(struct source *s)
{
	struct taken *t = s->current;

	if (t == NULL)
		return;
	put_away(s);
	for (struct taken **at = &s->taken; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	put(s, t->name);
	drop(t);
}

static int
descriptor(const struct source *s)
{
	return s->inotify;
}

static int64_t
behind(const struct source *s)
{
	return (int64_t)(s->n + (s->current != NULL));
}

static int
check(const struct source_host *host, char *err, size_t errsize)
{
	struct source *s = open_source(host, err, errsize);

	if (s == NULL)
		return -1;
	close_source(s);
	return 0;
}

static void
close_source(struct source *s)
{
	put_away(s);
	while (s->taken != NULL) {
		struct taken *t = s->taken;

		s->taken = t->next;
		drop(t);
	}
	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	free(s->directory);
	if (s->inotify >= 0)
		close(s->inotify);
	buf_free(&s->bytes);
	free(s);
}

static struct source *
begin(const struct source_host *host, char *err, size_t errsize)
{
	struct source *s = open_source(host, err, errsize);

	if (s != NULL)
		forget_gone(s);
	return s;
}

const struct source_kind source_files = { .name = "files",
	.open = begin,
	.next = next,
	.settled = settled,
	.rewind = go_back,
	.put_off = put_off,
	.descriptor = descriptor,
	.behind = behind,
	.check = check,
	.close = close_source };
