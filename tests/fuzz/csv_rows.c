/*
 * csv_rows: what a process that was taken over sends in place of rows is rows or a fault, and no cell
 * ends anywhere but at its NUL.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tom/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
look(void *arg, int64_t line, const struct str *cells, size_t n)
{
	int64_t *rows = arg;

	if (line < 1 || n > CSV_COLUMNS_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (cells[i].n > CSV_FIELD_MAX || cells[i].p[cells[i].n] != '\0')
			abort();
	return ++*rows > 10000;
}

static int
hear(void *arg, int64_t line, const char *why)
{
	int64_t *rows = arg;

	if (line < 1 || strlen(why) > CSV_FIELD_MAX)
		abort();
	return ++*rows > 10000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);
	struct csv_fault fault = { 0, NULL };
	int64_t rows = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	if (csv_receive_rows(fd, look, hear, &rows, &fault) == CSV_WRONG &&
	    (fault.line < 1 || fault.why == NULL || strlen(fault.why) > 300))
		abort();
	close(fd);
	return 0;
}
