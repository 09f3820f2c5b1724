/*
 * sandbox.h: what a worker gives up before it reads the first byte of a request.
 */
#ifndef MERIDIAN_SANDBOX_H
#define MERIDIAN_SANDBOX_H

#include "base/base.h"

/*
 * For good, in this process and its children: no new privileges, no core files, and no system call
 * that a worker has no use for (a forbidden one ends the process: execve, ptrace, mounts, modules,
 * keys, namespaces, raw sockets ...). It asks for nothing and works without privileges. 0, or -1 with
 * a line in the log. In a build with sanitizers it does nothing: they need what it forbids.
 */
int sandbox_enter(void);

/*
 * After that, for good: files are opened below these directories only (NULL and those that are not
 * there are passed over), and only to read; and no socket is made or connected. What is open stays so.
 * Where the kernel has no Landlock, which keeps the first promise, the second stands alone. 0, or -1
 * with a line in the log.
 */
int sandbox_confine(const char *const directories[], size_t n);

#endif
