/*
 * heard.h: what the code under test says on stderr.
 */
#ifndef MERIDIAN_HEARD_H
#define MERIDIAN_HEARD_H

#include <stdio.h>
#include <unistd.h>

#include "base/base.h"

static FILE *heard_file;
static int heard_saved;

/* From here on it is kept. */
static inline void
hear(void)
{
	heard_file = tmpfile();
	assert_non_null(heard_file);
	heard_saved = dup(STDERR_FILENO);
	dup2(fileno(heard_file), STDERR_FILENO);
}

/* Up to here; until the next call. */
static inline const char *
heard(void)
{
	static char text[KIB(64)];
	size_t n;

	fflush(stderr);
	dup2(heard_saved, STDERR_FILENO);
	close(heard_saved);
	rewind(heard_file);
	n = fread(text, 1, sizeof(text) - 1, heard_file);
	fclose(heard_file);
	text[n] = '\0';
	return text;
}

#endif
