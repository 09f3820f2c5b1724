/*
 * robots: reading and looking over robots.txt.
 */
#include "http/robots.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Words that stand in robots.txt files today; a line of another word is told. */
static const char *const words[] = { "user-agent", "allow", "disallow", "sitemap", "crawl-delay",
	"host", "content-usage", "content-signal", "clean-param", "request-rate", "visit-time" };

#define AGENTS_MAX 256

struct lint {
	robots_finding *tell;
	void *arg;
	unsigned line;
	size_t told;
	bool in_group;
	struct str agents[AGENTS_MAX];
	size_t nagents;
};

static void
tell(struct lint *l, const char *what)
{
	if (l->told++ < ROBOTS_FINDINGS && l->tell != NULL)
		l->tell(l->arg, l->line, what);
}

static void
lint_agent(struct lint *l, struct str name)
{
	l->in_group = true;
	if (name.n == 0)
		tell(l, "this User-agent names no crawler");
	for (size_t i = 0; i < l->nagents; i++)
		if (l->agents[i].n == name.n && strncasecmp(l->agents[i].p, name.p, name.n) == 0) {
			tell(l, "this crawler has a group already; crawlers join both");
			return;
		}
	if (l->nagents < AGENTS_MAX)
		l->agents[l->nagents++] = name;
}

static void
lint_line(struct lint *l, struct str line)
{
	struct str text = str_trim((struct str){ line.p, str_find(line, '#') });
	size_t colon = str_find(text, ':');
	struct str word = str_trim((struct str){ text.p, colon });
	struct str value;
	size_t known = 0;

	if (line.n > ROBOTS_LINE_LONGEST)
		tell(l, "this line is longer than 2 KiB; some crawlers cut it");
	if (text.n == 0)
		return;
	if (colon == text.n) {
		tell(l, "this line has no \"word: value\"");
		return;
	}
	value = str_trim((struct str){ text.p + colon + 1, text.n - colon - 1 });
	while (known < NELEM(words) && !str_is_nocase(word, words[known]))
		known++;
	if (known == NELEM(words)) {
		tell(l, "crawlers do not know the first word of this line");
	} else if (known == 0) {
		lint_agent(l, value);
	} else if (known <= 2) {
		if (!l->in_group)
			tell(l, "this rule stands before any User-agent and counts for nobody");
		if (value.n > 0 && value.p[0] != '/' && value.p[0] != '*')
			tell(l, "a path begins with '/' or '*'");
	}
}

size_t
robots_lint(struct str text, robots_finding *fn, void *arg)
{
	struct lint l = { .tell = fn, .arg = arg };

	while (text.n > 0) {
		size_t n = 0;

		while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
			n++;
		l.line++;
		lint_line(&l, (struct str){ text.p, n });
		if (n + 1 < text.n && text.p[n] == '\r' && text.p[n + 1] == '\n')
			n++;
		n += n < text.n;
		text.p += n;
		text.n -= n;
	}
	return l.told;
}

int
robots_directory(const char *path, char dir[ROBOTS_PATH_LONGEST])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);

	if (n >= ROBOTS_PATH_LONGEST) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, slash == NULL ? "." : path, n);
	dir[n] = '\0';
	return 0;
}

/* Opens dir/name where it does not lead out of dir. */
static int
open_below(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	char dir[ROBOTS_PATH_LONGEST];
	int at, fd;

	if (robots_directory(path, dir) != 0)
		return -1;
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
	/* an old kernel, or a filter of system calls that does not know it */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(at, name, (int)how.flags | O_NOFOLLOW);
	close(at);
	return fd;
}

static const char *
read_all(int fd, struct buf *out)
{
	ssize_t got;

	do {
		char *room = buf_room(out, KIB(16));

		got = read(fd, room, KIB(16));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		out->n += (size_t)got;
		if (out->n > ROBOTS_LONGEST)
			return "it is longer than 500 KiB";
	} while (got != 0);
	return NULL;
}

/* As crawlers should get it. */
static const char *
mend(struct buf *out)
{
	if (out->n >= 3 && memcmp(out->p, "\xef\xbb\xbf", 3) == 0) {
		out->n -= 3;
		memmove(out->p, out->p + 3, out->n);
	}
	if (out->n == 0)
		return "it is empty, which would allow everything";
	if (!str_is_utf8(buf_text(out)) || memchr(out->p, '\0', out->n) != NULL)
		return "it is not UTF-8 text";
	if (out->p[out->n - 1] != '\n')
		buf_putc(out, '\n');
	out->p[out->n] = '\0';
	return NULL;
}

const char *
robots_read(const char *path, struct buf *out)
{
	const char *wrong;
	struct stat st;
	int fd = open_below(path);

	buf_clear(out);
	if (fd < 0)
		return errno == EXDEV ? "it is a link out of its directory" : strerror(errno);
	if (fstat(fd, &st) != 0)
		wrong = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		wrong = "it is no regular file";
	else
		wrong = read_all(fd, out);
	close(fd);
	return wrong != NULL ? wrong : mend(out);
}

struct str
robots_etag(struct arena *a, struct str text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, 64 bits */

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	return arena_printf(a, "%016" PRIx64 "-%zx", h, text.n);
}

void
robots_look(const char *path, struct robots_mark *mark)
{
	struct stat st;

	memset(mark, 0, sizeof(*mark));
	if (stat(path, &st) != 0) {
		mark->error = errno;
		return;
	}
	mark->device = st.st_dev;
	mark->inode = st.st_ino;
	mark->size = st.st_size;
	mark->modified = st.st_mtim;
	mark->changed = st.st_ctim;
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
robots_same(const struct robots_mark *a, const struct robots_mark *b)
{
	return a->error == b->error && a->device == b->device && a->inode == b->inode &&
	    a->size == b->size && same_time(a->modified, b->modified) &&
	    same_time(a->changed, b->changed);
}
