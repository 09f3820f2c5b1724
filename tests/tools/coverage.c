/*
 * coverage: what tests/tools/coverage links into each program, so that gcov's counters are written whatever
 * way a process ends: a worker may open the files of counters although it is in its sandbox, _exit(2) writes
 * them as exit(3) does, and who is about to compute without a system call to open a file writes them before.
 * What such a process counts from there on is lost, and so is what one counted that was killed or has no
 * memory left.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sandbox.h"

#pragma weak sandbox_write /* some programs have no sandbox */

void __gcov_dump(void);
void __gcov_reset(void);
int __real_sandbox_confine(struct sandbox *) __attribute__((weak));
int __wrap_sandbox_confine(struct sandbox *);
int __real_sandbox_compute(const struct sandbox_filter *, unsigned, size_t) __attribute__((weak));
int __wrap_sandbox_compute(const struct sandbox_filter *, unsigned, size_t);
void __real__exit(int) __attribute__((noreturn));
void __wrap__exit(int) __attribute__((noreturn));

static bool computes;

int
__wrap_sandbox_confine(struct sandbox *box)
{
	sandbox_write(box, COUNTERS);
	return __real_sandbox_confine(box);
}

int
__wrap_sandbox_compute(const struct sandbox_filter *filter, unsigned seconds, size_t bytes)
{
	__gcov_dump();
	__gcov_reset();
	computes = true;
	return __real_sandbox_compute(filter, seconds, bytes);
}

void
__wrap__exit(int status)
{
	void *memory = malloc(BUFSIZ); /* writing takes some */

	if (!computes && memory != NULL)
		__gcov_dump();
	free(memory);
	__real__exit(status);
}
