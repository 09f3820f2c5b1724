/*
 * sandbox: filters of system calls (seccomp_rule_add(3)), Landlock (landlock(7)), and limits.
 *
 * The filters name what is forbidden, not what is allowed: the C library, libpq and SQLite of another
 * release may use other harmless calls, and a TOM must not stop answering for that. What is here is
 * what an intruder in a worker would want next: another program, another process's memory, more
 * rights, the kernel, other machines. Only who computes on a file (sandbox_compute) has a list of what
 * is allowed: there all code is ours.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include <config.h> /* configure's: base/config.h stands beside this file */

static const int forbidden[] = {
	/* another program */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(uselib),
	/* other processes */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp),
	SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(perf_event_open),
	/* other rights */
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid),
	SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid), SCMP_SYS(capset), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	/* other views of the machine */
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	/* the kernel and its less trodden ways */
	SCMP_SYS(bpf), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(syslog), SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(iopl),
	SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(personality), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	SCMP_SYS(vmsplice), SCMP_SYS(remap_file_pages), SCMP_SYS(lookup_dcookie),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(vhangup)
};

/* Of Linux 6.6, which this libseccomp does not know by name. */
#define FCHMODAT2 452

/* More of it, for a worker: it opens no server, signals nobody. */
static const int forbidden_to_workers[] = { SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(shmget), SCMP_SYS(shmat),
	SCMP_SYS(msgget), SCMP_SYS(semget), SCMP_SYS(mq_open), SCMP_SYS(fanotify_init),
	SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1), SCMP_SYS(memfd_secret), SCMP_SYS(chroot),
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	/* Landlock does not keep it from whose the files are, who may read them, and their times */
	SCMP_SYS(chmod), SCMP_SYS(fchmodat), FCHMODAT2, SCMP_SYS(chown), SCMP_SYS(lchown),
	SCMP_SYS(fchownat), SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat),
	SCMP_SYS(utimensat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(removexattr),
	SCMP_SYS(lremovexattr),
	/* a file in memory could be written, and then mapped to be run */
	SCMP_SYS(memfd_create) };

static const int forbidden_without_processes[] = { SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone),
	SCMP_SYS(clone3) };

static const int forbidden_without_sockets[] = { SCMP_SYS(socket), SCMP_SYS(socketpair),
	SCMP_SYS(connect) };

/* What is left to who computes. */
static const int left_to_compute[] = { SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group) };

#define MEMORY_MAX ((rlim_t)1 << 30)

static int
forbid(scmp_filter_ctx filter, const int calls[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int failed = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, calls[i], 0);

		/* a call that this machine does not have needs no rule */
		if (failed != 0 && failed != -EDOM && failed != -EEXIST)
			return failed;
	}
	return 0;
}

/* Sockets of other families than these. */
static int
forbid_families(scmp_filter_ctx filter, const struct sandbox *box)
{
	const struct scmp_arg_cmp beyond = { .arg = 0, .op = SCMP_CMP_GE, .datum_a = AF_MAX };
	/* Landlock tells ports of TCP apart, and not those of MPTCP and SCTP */
	const struct scmp_arg_cmp streams = { .arg = 2, .op = SCMP_CMP_GT, .datum_a = IPPROTO_UDP };
	int failed = seccomp_rule_add_array(
	    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, &beyond);

	if (failed == 0)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, &streams);
	for (unsigned family = 0; failed == 0 && family < AF_MAX; family++) {
		const struct scmp_arg_cmp is = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = family };

		/* the C library asks by netlink which addresses this machine has */
		if (family == AF_UNIX ||
		    (box->remote &&
		        (family == AF_INET || family == AF_INET6 || family == AF_NETLINK)))
			continue;
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, &is);
	}
	return failed;
}

/*
 * Other ways to signal somebody than kill(2): as one of their threads, as who owns a descriptor, by a
 * limit of theirs. abort(3) is tgkill(2) to oneself; a helper leaves that to the processes it forks.
 */
static int
forbid_signals(scmp_filter_ctx filter, const struct sandbox *box)
{
	const uint64_t all = UINT32_MAX; /* the kernel looks at no more of a command */
	const struct {
		int call;
		struct scmp_arg_cmp is;
	} ways[] = {
		{ SCMP_SYS(fcntl), { 1, SCMP_CMP_MASKED_EQ, all, F_SETOWN } },
		{ SCMP_SYS(fcntl), { 1, SCMP_CMP_MASKED_EQ, all, F_SETOWN_EX } },
		{ SCMP_SYS(ioctl), { 1, SCMP_CMP_MASKED_EQ, all, FIOSETOWN } },
		{ SCMP_SYS(ioctl), { 1, SCMP_CMP_MASKED_EQ, all, SIOCSPGRP } },
		{ SCMP_SYS(prlimit64), { 0, SCMP_CMP_NE, 0, 0 } },
		{ SCMP_SYS(tgkill), { 0, SCMP_CMP_NE, (scmp_datum_t)getpid(), 0 } },
	};
	size_t n = box->processes ? NELEM(ways) - 1 : NELEM(ways);
	int failed = 0;

	for (size_t i = 0; failed == 0 && i < n; i++)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, ways[i].call, 1, &ways[i].is);
	return failed;
}

/*
 * Memory that is written and run. A file can be written, too, and then mapped to be run: where no library is
 * loaded any more, nothing is mapped so. (An error, not the end: the C library may look for one of its own.)
 */
static int
forbid_code(scmp_filter_ctx filter, const struct sandbox *box)
{
	const struct scmp_arg_cmp both = { .arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_WRITE | PROT_EXEC,
		.datum_b = PROT_WRITE | PROT_EXEC };
	const struct scmp_arg_cmp written = { .arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_WRITE | PROT_EXEC,
		.datum_b = PROT_EXEC };
	const struct scmp_arg_cmp code = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = PROT_EXEC
	};
	int failed = seccomp_rule_add_array(
	    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(mmap), 1, &both);

	if (failed == 0)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(mprotect), 1, &code);
	if (failed == 0)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(pkey_mprotect), 1, &code);
	if (failed == 0 && !box->local && !box->remote)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), 1, &written);
	return failed;
}

/* Loads what was put together (`failed`: was it?) and gives it back. */
static int
load_filter(scmp_filter_ctx filter, int failed)
{
	/* a tree instead of a list: every system call pays for its way through */
	if (failed == 0)
		failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	return failed;
}

static int
filter_for_all(void)
{
	const struct scmp_arg_cmp packets = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_PACKET };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = filter == NULL ? -ENOMEM : forbid(filter, forbidden, NELEM(forbidden));

	/* packets by hand */
	if (failed == 0)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, &packets);
	return load_filter(filter, failed);
}

static int
filter_for_worker(const struct sandbox *box)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = filter == NULL
	    ? -ENOMEM
	    : forbid(filter, forbidden_to_workers, NELEM(forbidden_to_workers));

	if (failed == 0 && !box->processes)
		failed = forbid(
		    filter, forbidden_without_processes, NELEM(forbidden_without_processes));
	if (failed == 0)
		failed = forbid_signals(filter, box);
	if (failed == 0)
		failed = forbid_code(filter, box);
	if (failed == 0 && !box->local && !box->remote)
		failed = forbid(
		    filter, forbidden_without_sockets, NELEM(forbidden_without_sockets));
	else if (failed == 0)
		failed = forbid_families(filter, box);
	return load_filter(filter, failed);
}

/*
 * Writes the program of what was put together to a file of memory, and reads it from there: this
 * libseccomp has no other way to it.
 */
static int
export_filter(scmp_filter_ctx filter, struct sandbox_filter *to)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), failed = fd < 0 ? -errno : 0;
	struct stat st = { .st_size = 0 };
	size_t most = BPF_MAXINSNS * sizeof(struct sock_filter), n = 0;

	if (failed == 0)
		failed = seccomp_export_bpf(filter, fd);
	if (failed == 0 && (fstat(fd, &st) != 0 || (n = (size_t)st.st_size) == 0 || n > most))
		failed = -EINVAL;
	if (failed == 0 && (to->instructions = malloc(n)) == NULL)
		failed = -ENOMEM;
	if (failed == 0 && pread(fd, to->instructions, n, 0) != (ssize_t)n)
		failed = -EIO;
	to->n = (unsigned short)(n / sizeof(struct sock_filter));
	if (fd >= 0)
		close(fd);
	return failed;
}

static int
filter_to_compute(struct sandbox_filter *to)
{
	const struct scmp_arg_cmp memory = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int failed = filter == NULL
	    ? -ENOMEM
	    : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &memory);

	for (size_t i = 0; failed == 0 && i < NELEM(left_to_compute); i++) {
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, left_to_compute[i], 0);
		if (failed == -EDOM)
			failed = 0;
	}
	if (failed == 0)
		failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (failed == 0)
		failed = export_filter(filter, to);
	seccomp_release(filter);
	return failed;
}

/*
 * Landlock, for which Debian 12 has no library, and whose header there is of Linux 6.1: what came
 * later is written out.
 */
struct ruleset {
	uint64_t files, network, scoped;
};
#define NETWORK_BIND UINT64_C(1)
#define NETWORK_CONNECT UINT64_C(2)
#define SCOPED_ABSTRACT_SOCKETS UINT64_C(1)
#define SCOPED_SIGNALS UINT64_C(2)
#define RULE_PORT 2
struct port_rule {
	uint64_t allowed, port;
};

/* All rights to files that Landlock of that version can take away: 13 at first. */
static uint64_t
all_rights(unsigned abi)
{
	return (UINT64_C(1) << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1;
}

void
sandbox_begin(struct sandbox *box)
{
	struct ruleset set = { 0 };
	long abi = syscall(
	    SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	*box = (struct sandbox){ .rules = -1, .abi = abi < 1 ? 0 : (unsigned)abi };
	if (abi < 1)
		return;
	set.files = all_rights(box->abi);
	if (abi >= 4)
		set.network = NETWORK_BIND | NETWORK_CONNECT;
	if (abi >= 6)
		set.scoped = SCOPED_ABSTRACT_SOCKETS | SCOPED_SIGNALS;
	box->rules = (int)syscall(SYS_landlock_create_ruleset, &set,
	    abi >= 6       ? sizeof(set)
	        : abi >= 4 ? sizeof(set) - sizeof(set.scoped)
	                   : sizeof(set.files),
	    0);
}

static void
allow(struct sandbox *box, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr below = { 0, -1 };
	struct stat st;

	if (box->rules < 0 || path == NULL || path[0] == '\0')
		return;
	below.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (below.parent_fd < 0)
		return;
	below.allowed_access = rights & all_rights(box->abi);
	if (fstat(below.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		below.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE;
	(void)syscall(SYS_landlock_add_rule, box->rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	close(below.parent_fd);
}

void
sandbox_read(struct sandbox *box, const char *path)
{
	allow(box, path, LANDLOCK_ACCESS_FS_READ_FILE);
}

void
sandbox_list(struct sandbox *box, const char *path)
{
	allow(box, path, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
}

void
sandbox_write(struct sandbox *box, const char *path)
{
	const uint64_t truncate = UINT64_C(1) << 14;

	allow(box, path,
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
	        LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
	        LANDLOCK_ACCESS_FS_REMOVE_FILE | truncate);
}

void
sandbox_local(struct sandbox *box)
{
	box->local = true;
}

void
sandbox_processes(struct sandbox *box)
{
	box->processes = true;
}

static void
allow_port(struct sandbox *box, unsigned port)
{
	struct port_rule rule = { NETWORK_CONNECT, port };

	if (box->rules >= 0 && box->abi >= 4)
		(void)syscall(SYS_landlock_add_rule, box->rules, RULE_PORT, &rule, 0);
}

void
sandbox_tcp(struct sandbox *box, int port)
{
	box->remote = true;
	if (port > 0 && port <= UINT16_MAX)
		allow_port(box, (unsigned)port);
	/* long answers about names */
	allow_port(box, 53);
}

void
sandbox_libraries(struct sandbox *box)
{
	static const char *const paths[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64",
		"/usr/local/lib", "/etc/ld.so.cache", "/etc/ssl", "/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates", "/etc/hosts", "/etc/host.conf",
		"/etc/resolv.conf", "/run/systemd/resolve", "/etc/nsswitch.conf", "/etc/gai.conf",
		"/etc/services", "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/locale" };

	for (size_t i = 0; i < NELEM(paths); i++)
		sandbox_read(box, paths[i]);
}

#ifndef SANITIZED

/* Sets both limits to this, or to what they are where that is less. */
static int
limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit l;

	if (getrlimit(what, &l) != 0)
		return -1;
	if (l.rlim_cur > most)
		l.rlim_cur = most;
	l.rlim_max = l.rlim_cur;
	return setrlimit(what, &l);
}

static int
limit_all(const struct sandbox *box)
{
	return limit(RLIMIT_NOFILE, RLIM_INFINITY) != 0 ||
	        (!box->processes && limit(RLIMIT_NPROC, 0) != 0) ||
	        limit(RLIMIT_MSGQUEUE, 0) != 0 || limit(RLIMIT_AS, MEMORY_MAX) != 0
	    ? -errno
	    : 0;
}

#endif

static int
explain(int failed)
{
	if (failed == 0)
		return 0;
	log_error("sandbox failed", LOG_TEXT("error", strerror(-failed)));
	return -1;
}

int
sandbox_enter(void)
{
#ifdef SANITIZED
	(void)filter_for_all, (void)forbidden, (void)explain;
	return 0;
#else
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return explain(-errno);
	return explain(filter_for_all());
#endif
}

int
sandbox_confine(struct sandbox *box)
{
	int failed = 0;

#ifdef SANITIZED
	(void)filter_for_worker;
#else
	/* what every program may have */
	allow(box, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
	sandbox_read(box, "/dev/urandom");
	sandbox_read(box, "/sys/devices/system/cpu");
	if (box->rules < 0)
		log_warn("this kernel has no Landlock: files are left as they are");
	else if (syscall(SYS_landlock_restrict_self, box->rules, 0) != 0)
		failed = -errno;
	if (failed == 0)
		failed = limit_all(box);
	if (failed == 0)
		failed = filter_for_worker(box);
#endif
	if (box->rules >= 0)
		close(box->rules);
	box->rules = -1;
	return explain(failed);
}

int
sandbox_prepare(struct sandbox_filter *filter)
{
	*filter = (struct sandbox_filter){ .n = 0 };
	return explain(filter_to_compute(filter));
}

int
sandbox_compute(const struct sandbox_filter *filter, unsigned seconds, size_t bytes)
{
#ifdef SANITIZED
	(void)filter, (void)seconds, (void)bytes;
	return 0;
#else
	const struct sock_fprog program = { .len = filter->n, .filter = filter->instructions };

	if (limit(RLIMIT_CPU, seconds) != 0 || limit(RLIMIT_AS, bytes) != 0 ||
	    limit(RLIMIT_NOFILE, 0) != 0 || limit(RLIMIT_NPROC, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return explain(-errno);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : explain(-errno);
#endif
}
