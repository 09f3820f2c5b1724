/*
 * helper.h: a process beside each worker that parses what strangers upload, one process a file.
 *
 * The helper is forked before its worker reads a secret or opens a database, and has neither. For each
 * file it forks a process that can do nothing but read this file, compute and write to a pipe
 * (sandbox_compute), for a limited time and in limited memory. Who finds a hole in a parser has that
 * process, and with it the file that they sent themselves.
 */
#ifndef MERIDIAN_HELPER_H
#define MERIDIAN_HELPER_H

#include "base/base.h"

/* Parses `file` and writes what it finds to `out`. Whoever reads the pipe must not believe it. */
typedef void helper_job(int file, int out);

/*
 * Forks the helper of this worker. It ends when the worker does. The descriptor to reach it by, or -1
 * with a line in the log.
 */
int helper_start(helper_job *, bool sandbox);

/*
 * Has a file parsed: what comes of it is read from the descriptor that is returned, up to its end, and
 * the caller closes it. -1: the helper is gone, and the worker had better leave (helper_leave).
 */
int helper_parse(int helper, int file);

/* The helper is gone: this worker finishes what it does, and the next one has a helper again. */
void helper_leave(void);

#endif
