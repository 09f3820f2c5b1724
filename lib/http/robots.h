/*
 * robots.h: the text of robots.txt (RFC 9309), from a file that is checked, or our own.
 */
#ifndef MERIDIAN_ROBOTS_H
#define MERIDIAN_ROBOTS_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"

/* RFC 9309 2.5: crawlers need not read more. */
#define ROBOTS_LONGEST KIB(500)
#define ROBOTS_LINE_LONGEST KIB(2)

/*
 * What is odd in the text: the line, from 1, and a sentence. Odd are lines above 2 KiB, rules
 * before any User-agent, unknown words, and a second group for the same crawler. It is served all
 * the same. At most ROBOTS_FINDINGS are told.
 */
#define ROBOTS_FINDINGS 20
typedef void robots_finding(void *arg, unsigned line, const char *what);
size_t robots_lint(struct str text, robots_finding *, void *arg);

/*
 * Reads path into out (cleared first): without a byte order mark, with a line end at its end, line
 * ends as they are. NULL, or what is wrong with it: it is no regular file, cannot be read, is longer
 * than ROBOTS_LONGEST, empty, not UTF-8, holds a NUL, or is a symbolic link out of its directory.
 */
const char *robots_read(const char *path, struct buf *out);

/* The directory that path lies in. 0, or -1 with errno where that is too long. */
#define ROBOTS_PATH_LONGEST 4096
int robots_directory(const char *path, char dir[ROBOTS_PATH_LONGEST]);

/* A strong validator of the bytes, in hexadecimal. */
struct str robots_etag(struct arena *, struct str text);

/* A file as it is watched: unchanged where these are. */
struct robots_mark {
	int error; /* errno of looking at it */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};
bool robots_same(const struct robots_mark *, const struct robots_mark *);
void robots_look(const char *path, struct robots_mark *);

#endif
