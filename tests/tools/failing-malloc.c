/*
 * failing-malloc: memory that runs out when a test says so.
 *
 * Loaded into a program with LD_PRELOAD. FAILING_MALLOC names a file of five numbers that program and
 * test share: the allocation that fails (0: none), whether all after it fail too, how many there were
 * since the test set it to 0, how many failed, and whether one of these was asked for by libfcgi, which
 * has no answer to that but abort(). Allocations of the C library, of every other library
 * and of ours count alike. Before the file is there nothing fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct plan {
	volatile long at, for_ever, count, failed, by_libfcgi;
};

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static struct plan *plan;

__attribute__((constructor)) static void
open_plan(void)
{
	const char *path = getenv("FAILING_MALLOC");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *shared;

	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared != MAP_FAILED)
		plan = shared;
}

static int
fails(const void *caller)
{
	Dl_info info;
	long n;

	if (plan == NULL)
		return 0;
	n = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);
	if (plan->at == 0 || (plan->for_ever ? n < plan->at : n != plan->at))
		return 0;
	__atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
	if (dladdr(caller, &info) != 0 && strstr(info.dli_fname, "libfcgi") != NULL)
		plan->by_libfcgi = 1;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int
posix_memalign(void **p, size_t alignment, size_t size)
{
	void *got = fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);

	if (got == NULL)
		return ENOMEM;
	*p = got;
	return 0;
}
