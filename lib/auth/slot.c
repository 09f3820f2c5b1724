/*
 * slot: locks of open file descriptions (OFD) on the bytes of one file, tried in turn.
 *
 * The file is opened anew for each turn: a descriptor kept over fork() would share its locks with
 * the child, and opening costs nothing beside what a turn is for.
 */
#include "auth/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Between two tries; about a hundredth of what a turn takes. */
#define PAUSE_MS 4

static bool warned;

static int
unusable(const char *dir)
{
	if (!warned)
		log_warn("no machine-wide limit of password hashes: RUN_DIR cannot be used",
		    LOG_TEXT("dir", dir), LOG_TEXT("error", strerror(errno)));
	warned = true;
	return -1;
}

/* A command run by root may be the first to come: the file is for those who own the directory. */
static void
give_to_owner(int dirfd, int fd)
{
	struct stat d, f;

	if (geteuid() != 0 || fstat(dirfd, &d) != 0 || fstat(fd, &f) != 0)
		return;
	if (f.st_nlink == 1 && (f.st_uid != d.st_uid || f.st_gid != d.st_gid) &&
	    fchown(fd, d.st_uid, d.st_gid) != 0)
		log_warn("the lock file of password hashes keeps its owner",
		    LOG_TEXT("error", strerror(errno)));
}

static int
open_file(const char *dir, const char *name)
{
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC); /* a sandbox allows that always */
	struct stat st;
	int fd;

	if (dirfd < 0)
		return unusable(dir);
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0660);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0) {
			close(fd);
			errno = EINVAL;
		}
		fd = unusable(dir);
	} else {
		give_to_owner(dirfd, fd);
	}
	close(dirfd);
	return fd;
}

/* 1: have one; 0: all are taken; -1: the file cannot be locked at all. */
static int
try_all(int fd, unsigned slots)
{
	for (unsigned i = 0; i < slots; i++) {
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1
		};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 1;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
	}
	return 0;
}

enum slot_answer
slot_take(const char *dir, const char *name, unsigned slots, int64_t wait_ms, int *fd)
{
	int64_t end = clock_monotonic() + wait_ms * 1000;
	int got;

	*fd = open_file(dir, name);
	if (*fd < 0)
		return SLOT_MINE;
	while ((got = try_all(*fd, slots)) == 0 && clock_monotonic() < end)
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	if (got == 0) {
		close(*fd);
		*fd = -1;
		return SLOT_BUSY;
	}
	if (got < 0) {
		close(*fd);
		*fd = unusable(dir);
	}
	return SLOT_MINE;
}

void
slot_release(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
slot_needs(struct sandbox *box, const char *dir, const char *name)
{
	char path[4096];

	slot_release(open_file(dir, name));
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		sandbox_write(box, path);
}
