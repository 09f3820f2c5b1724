/*
 * memory.h: how much memory something takes at its peak: it is run in a process of its own.
 */
#ifndef MERIDIAN_TEST_MEMORY_H
#define MERIDIAN_TEST_MEMORY_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* AddressSanitizer keeps what was freed: nothing can be told then. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_TELLS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_TELLS false
#endif
#endif
#ifndef MEMORY_TELLS
#define MEMORY_TELLS true
#endif

/* The KiB that work(arg) takes at most, with what the process had; -1 where it says false. */
static inline long
memory_peak(bool (*work)(void *arg), void *arg)
{
	struct rusage used;
	long kib = -1;
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* cmocka's handler would go on with the parent's tests */
		if (!work(arg) || getrusage(RUSAGE_SELF, &used) != 0 ||
		    write(ends[1], &used.ru_maxrss, sizeof(kib)) != sizeof(kib))
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &kib, sizeof(kib)) != sizeof(kib))
		kib = -1;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return kib;
}

#endif
