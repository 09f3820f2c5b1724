/*
 * files.h: the files that arguments name: files as they are, directories with all below them.
 */
#ifndef MERIDIAN_FILES_H
#define MERIDIAN_FILES_H

#include "base/arena.h"

struct files {
	struct arena *arena;
	struct file {
		const char *path;
		uint64_t size; /* bytes, when it was found */
		bool named; /* by an argument, not found in a directory */
	} * list;
	size_t n, room;
	uint64_t bytes; /* of all */
	size_t depth;
	void (*complain)(const char *path, const char *why); /* what cannot be looked at */
	size_t unseen; /* how many that was */
	size_t passed_over; /* what is no such file, in directories */
};

/*
 * Adds what an argument names: a file (or "-"), or, in the order of their names, the files of a
 * directory and those below it. Names that begin with '.' and links to directories are passed over,
 * and counted.
 * False where the argument itself is not there.
 */
bool files_add(struct files *, const char *path);

#endif
