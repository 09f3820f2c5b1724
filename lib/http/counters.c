/*
 * counters: the file of an executable's workers: a head that says what it is, then a place for each.
 *
 * Places are added as they are needed, and their room is allotted before they are written: on a full
 * disk there are no counters, instead of a signal in the middle of a request.
 */
#include "http/counters.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "config.h"

/* Changed with enum counter or with what one of them means. */
#define LAYOUT 1
#define HEAD 4096 /* bytes before the first place */
#define PLACE 1024 /* bytes a place */
#define PLACES_MAX 1024
#define PROGRAMS_MAX 64
/* The head is locked for a moment, while a worker looks for a place; tried so often, 1 ms apart. */
#define TRIES 2000

_Static_assert(COUNTERS * sizeof(uint64_t) <= PLACE, "a place holds the counters");

const uint32_t counters_bounds[COUNTERS_BUCKETS - 1] = { 1000, 2500, 5000, 10000, 25000, 50000,
	100000, 250000, 500000, 1000000, 2500000, 10000000 };

struct head {
	char magic[16];
	uint32_t layout, counters;
	char version[32];
};

static struct head
our_head(void)
{
	struct head h = { .magic = "meridian metrics", .layout = LAYOUT, .counters = COUNTERS };

	(void)snprintf(h.version, sizeof(h.version), "%s", PACKAGE_VERSION);
	return h;
}

/* One owner writes, so no locked instruction is needed: readers see the old number or the new one. */
static void
add(struct counters *c, size_t index, uint64_t n)
{
	atomic_store_explicit(&c->at[index],
	    atomic_load_explicit(&c->at[index], memory_order_relaxed) + n, memory_order_relaxed);
}

static void
set(struct counters *c, size_t index, uint64_t n)
{
	atomic_store_explicit(&c->at[index], n, memory_order_relaxed);
}

void
counters_init(struct counters *c)
{
	memset(c, 0, sizeof(*c));
	c->at = c->nowhere;
	c->fd = -1;
}

/* --- a place --- */

static off_t
place_at(int place)
{
	return HEAD + (off_t)place * PLACE;
}

/* Locks (F_WRLCK) or frees (F_UNLCK) a byte: 0 is the head's, its first one a place's. */
static int
lock_byte(int fd, off_t at, short kind)
{
	struct flock lock = { .l_type = kind, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock);
}

static int
lock_head(int fd)
{
	for (int i = 0; i < TRIES; i++) {
		if (lock_byte(fd, 0, F_WRLCK) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return -1;
}

static int
open_file(int dirfd, const char *program)
{
	int fd = openat(
	    dirfd, program, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* posix_fallocate() tells its error as no other does. */
static int
allot(int fd, off_t at, off_t n)
{
	errno = posix_fallocate(fd, at, n);
	return errno == 0 ? 0 : -1;
}

/* 1: the file, whose head we hold, is ours; 0: it is of others, and was taken away; -1: no use. */
static int
check_head(int dirfd, const char *program, int fd)
{
	struct head ours = our_head(), head;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if (st.st_nlink == 0)
		return 0; /* taken away while we waited */
	if (st.st_size == 0)
		return allot(fd, 0, HEAD) == 0 && pwrite(fd, &ours, sizeof(ours), 0) == sizeof(ours)
		    ? 1
		    : -1;
	if (pread(fd, &head, sizeof(head), 0) == sizeof(head) &&
	    memcmp(&head, &ours, sizeof(head)) == 0)
		return 1;
	return unlinkat(dirfd, program, 0) == 0 ? 0 : -1;
}

/* The file with its head held by us; -1 with errno. */
static int
open_ours(int dirfd, const char *program)
{
	for (int i = 0; i < 5; i++) {
		int fd = open_file(dirfd, program), is_ours;

		if (fd < 0)
			return -1;
		is_ours = lock_head(fd) == 0 ? check_head(dirfd, program, fd) : -1;
		if (is_ours == 1)
			return fd;
		close(fd);
		if (is_ours < 0)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}

/* Whoever held the place, which we have locked, did not give it back. */
static int
note_death(int fd, int place)
{
	uint64_t n[COUNTERS];
	size_t most = (COUNTER_DEATHS + 1) * sizeof(n[0]);

	if (pread(fd, n, most, place_at(place)) != (ssize_t)most)
		return -1;
	if (n[COUNTER_HELD] == 0)
		return 0;
	n[COUNTER_HELD] = n[COUNTER_BUSY] = 0;
	n[COUNTER_DEATHS]++;
	return pwrite(fd, n, most, place_at(place)) == (ssize_t)most ? 0 : -1;
}

/* Looks at all places, for who was killed there; the first free one is locked. -1: there is none. */
static int
find_place(int fd)
{
	int mine = -1, places;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	places = st.st_size < HEAD ? 0 : (int)((st.st_size - HEAD) / PLACE);
	for (int i = 0; i < places && i < PLACES_MAX; i++) {
		if (lock_byte(fd, place_at(i), F_WRLCK) != 0)
			continue;
		if (note_death(fd, i) == 0 && mine < 0)
			mine = i;
		else
			(void)lock_byte(fd, place_at(i), F_UNLCK);
	}
	if (mine >= 0)
		return mine;
	errno = ENOSPC;
	if (places >= PLACES_MAX || allot(fd, place_at(places), PLACE) != 0 ||
	    lock_byte(fd, place_at(places), F_WRLCK) != 0)
		return -1;
	return places;
}

static int
take_place(struct counters *c, int fd)
{
	off_t page = sysconf(_SC_PAGESIZE), from;
	int place = find_place(fd);
	char *memory;

	if (place < 0)
		return -1;
	from = place_at(place) / page * page;
	memory = mmap(NULL, (size_t)(place_at(place) - from) + PLACE, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, from);
	if (memory == MAP_FAILED || lock_byte(fd, 0, F_UNLCK) != 0)
		return -1;
	c->at = (_Atomic uint64_t *)(void *)(memory + (place_at(place) - from));
	c->fd = fd;
	set(c, COUNTER_HELD, 1);
	add(c, COUNTER_STARTS, 1);
	return 0;
}

void
counters_join(struct counters *c, const char *dir, const char *program)
{
	int dirfd = -1, fd = -1;

	if (mkdir(dir, 0755) == 0 || errno == EEXIST)
		dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd >= 0)
		fd = open_ours(dirfd, program);
	if (fd < 0 || take_place(c, fd) != 0) {
		log_warn("nothing is counted for /metrics", LOG_TEXT("dir", dir),
		    LOG_TEXT("error", strerror(errno)));
		if (fd >= 0)
			close(fd);
	}
	if (dirfd >= 0)
		close(dirfd);
}

void
counters_leave(struct counters *c)
{
	/* closing alone would not do: what is mapped is still open */
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	set(c, COUNTER_HELD, 0);
	set(c, COUNTER_BUSY, 0);
	if (c->fd >= 0) {
		(void)fcntl(c->fd, F_OFD_SETLK, &all);
		close(c->fd);
	}
	c->fd = -1;
	c->at = c->nowhere;
}

/* --- counting --- */

void
counters_begin(struct counters *c)
{
	set(c, COUNTER_BUSY, 1);
}

static size_t
method_index(unsigned method)
{
	static const unsigned char of[] = {
		[1] = 0, [2] = 1, [4] = 2, [8] = 3, [16] = 4, [32] = 5, [64] = 6
	};

	return method == 0 || method >= sizeof(of) ? COUNTERS_METHODS - 1 : of[method];
}

void
counters_end(struct counters *c, const struct counters_request *r)
{
	size_t class = r->status < 0 || r->status > 599 ? 0 : (size_t)r->status / 100, bucket = 0;

	while (
	    bucket < NELEM(counters_bounds) && r->microseconds > (int64_t)counters_bounds[bucket])
		bucket++;
	add(c, COUNTER_REQUESTS + method_index(r->method) * COUNTERS_CLASSES + class, 1);
	add(c, COUNTER_BUCKETS + bucket, 1);
	add(c, COUNTER_DURATION, (uint64_t)r->microseconds);
	add(c, COUNTER_BYTES, (uint64_t)r->bytes);
	add(c, COUNTER_STATEMENTS, r->statements);
	add(c, COUNTER_STATEMENT_US, (uint64_t)r->statement_us);
	if (r->status == 429)
		counters_refuse(c, REFUSED_THROTTLE);
	if (r->status == 503)
		counters_refuse(c, REFUSED_AWAY);
	set(c, COUNTER_BUSY, 0);
}

void
counters_refuse(struct counters *c, enum counters_refusal why)
{
	add(c, COUNTER_REFUSED + why, 1);
}

/* --- reading --- */

static bool
is_locked(int fd, off_t at)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* read(2), not a mapping: a file that somebody cuts off must not end who reads it. */
static bool
sum_file(int fd, struct counters_sum *sum)
{
	struct head ours = our_head(), head;
	uint64_t n[COUNTERS];

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(&head, &ours, sizeof(head)) != 0)
		return false;
	for (int i = 0; i < PLACES_MAX; i++) {
		/* asked before and after: who begins or ends in between was not killed */
		bool lives = is_locked(fd, place_at(i));

		if (pread(fd, n, sizeof(n), place_at(i)) != sizeof(n))
			break;
		lives = lives || is_locked(fd, place_at(i));
		for (size_t k = 0; k < COUNTERS; k++)
			sum->n[k] += n[k];
		sum->workers += lives && n[COUNTER_HELD] != 0;
		sum->busy += lives && n[COUNTER_BUSY] != 0;
		sum->deaths += n[COUNTER_DEATHS] + (!lives && n[COUNTER_HELD] != 0);
	}
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct counters_sum *)a)->program.p,
	    ((const struct counters_sum *)b)->program.p);
}

struct counters_sum *
counters_read(struct arena *a, const char *dir, size_t *n)
{
	DIR *d = opendir(dir);
	struct counters_sum *all;
	struct dirent *e;

	*n = 0;
	if (d == NULL)
		return NULL;
	all = arena_array(a, PROGRAMS_MAX, sizeof(*all));
	while (*n < PROGRAMS_MAX && (e = readdir(d)) != NULL) {
		struct counters_sum *sum = &all[*n];
		int fd = e->d_name[0] == '.'
		    ? -1
		    : openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		if (fd < 0)
			continue;
		*sum = (struct counters_sum){ .program = arena_str(a, str_of(e->d_name)) };
		*n += sum_file(fd, sum);
		close(fd);
	}
	closedir(d);
	qsort(all, *n, sizeof(*all), by_name);
	return all;
}
