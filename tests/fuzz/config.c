/*
 * config: a file of configuration, whatever is in it: read, or refused with a sentence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[40], err[200];
	struct config *c;
	int fd = memfd_create("meridian.conf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("MERIDIAN_CONFIG", path, 1);
	c = config_load(err, sizeof(err));
	if ((c == NULL) != (err[0] != '\0'))
		abort();
	for (size_t i = 0; c != NULL && config_key(i) != NULL; i++) {
		const char *value = config_text(c, config_key(i)->name);
		struct str s = str_of(value);

		if (str_trim(s).n != s.n || strchr(value, '\n') != NULL)
			abort();
	}
	config_free(c);
	close(fd);
	return 0;
}
