/*
 * sandbox.h: what a process gives up before it reads the first byte of a request.
 *
 * sandbox_enter() is for parents and workers alike. A worker then says what it needs, from
 * sandbox_begin() to sandbox_confine(), and has nothing else from there on. All of it is for good, in
 * this process and its children; it asks for no privileges. In a build with sanitizers nothing is
 * given up: they need what is forbidden.
 */
#ifndef MERIDIAN_SANDBOX_H
#define MERIDIAN_SANDBOX_H

#include "base/base.h"

/*
 * No new privileges, no core files, and no system call that none of us has a use for (a forbidden one
 * ends the process: execve, ptrace, mounts, modules, keys, namespaces, raw sockets ...). 0, or -1 with
 * a line in the log.
 */
int sandbox_enter(void);

/* What a worker keeps, as it is said. */
struct sandbox {
	int rules; /* of Landlock; -1: the kernel has none */
	unsigned abi; /* what its Landlock knows; 0: nothing */
	bool local; /* makes sockets of this machine */
	bool remote; /* ... and of the internet */
	bool processes; /* starts some */
};

void sandbox_begin(struct sandbox *);
/* Reads this file, or all below this directory. What is not there is passed over. */
void sandbox_read(struct sandbox *, const char *path);
/* Lists this directory and reads all below it. */
void sandbox_list(struct sandbox *, const char *path);
/* Reads, writes, makes and removes files in this directory; or reads and writes this file. */
void sandbox_write(struct sandbox *, const char *path);
/* Connects to servers by their sockets of this machine. */
void sandbox_local(struct sandbox *);
/*
 * Connects to a server at this TCP port (other ports are closed where the kernel's Landlock knows of
 * ports, Linux 6.7), whose name is looked up.
 */
void sandbox_tcp(struct sandbox *, int port);
/* Starts processes, which have what it has. */
void sandbox_processes(struct sandbox *);
/* Libraries that the C library or a driver of a database loads when it connects, and their settings. */
void sandbox_libraries(struct sandbox *);

/*
 * Gives up the rest: other files, other sockets, processes of its own, memory that is written and run,
 * more open files, more than 1 GiB of memory. What is open stays so. Where the kernel has no Landlock,
 * files are left as they are, which is said in the log. 0, or -1 with a line in the log.
 */
int sandbox_confine(struct sandbox *);

/*
 * For a process that does nothing but compute on files that it has open: no system call is left but
 * those that read, write, end and move memory; `seconds` of processor time, `bytes` of memory. Who forks
 * such processes prepares the filter once, while there is memory to put it together; loading it needs
 * none. 0 or -1, with a line in the log.
 */
struct sandbox_filter {
	void *instructions; /* for as long as the process lives */
	unsigned short n;
};
int sandbox_prepare(struct sandbox_filter *);
int sandbox_compute(const struct sandbox_filter *, unsigned seconds, size_t bytes);

#endif
