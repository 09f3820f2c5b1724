/*
 * sandbox: a filter of system calls (seccomp_rule_add(3)).
 *
 * It names what is forbidden, not what is allowed: the C library, libpq and SQLite of another
 * release may use other harmless calls, and a TOM must not stop answering for that. What is here is
 * what an intruder in a worker would want next: another program, another process's memory, more
 * rights, the kernel.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/* More of it, for who has no use for files to write nor for other machines. */
static const int forbidden_when_confined[] = { SCMP_SYS(socket), SCMP_SYS(socketpair),
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen) };

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

static int
load_filter(const int calls[], size_t n)
{
	const struct scmp_arg_cmp packets = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_PACKET };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = filter == NULL ? -ENOMEM : forbid(filter, calls, n);

	/* packets by hand */
	if (failed == 0 && calls == forbidden)
		failed = seccomp_rule_add_array(
		    filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, &packets);
	/* a tree instead of a list: every system call pays for its way through */
	if (failed == 0)
		failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	return failed;
}

/*
 * Landlock (landlock(7)), for which Debian 12 has no library. All rights to files that this kernel
 * can take away are taken, and reading is given back below the directories.
 */
static void
read_below(const char *const directories[], size_t n)
{
	long abi = syscall(
	    SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
	/* 13 rights at first; moving, truncating and ioctl of devices came later */
	const uint64_t all = (UINT64_C(1) << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1;
	int rules = abi < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (rules < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct landlock_path_beneath_attr below = { LANDLOCK_ACCESS_FS_READ_FILE, -1 };

		if (directories[i] != NULL)
			below.parent_fd = open(directories[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (below.parent_fd < 0)
			continue;
		(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
		close(below.parent_fd);
	}
	(void)syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
}

int
sandbox_enter(void)
{
#ifdef SANITIZED
	(void)load_filter, (void)forbidden;
	return 0;
#else
	const struct rlimit none = { 0, 0 };
	int failed;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		failed = -errno;
	else
		failed = load_filter(forbidden, NELEM(forbidden));
	if (failed == 0)
		return 0;
	log_error("sandbox failed", LOG_TEXT("error", strerror(-failed)));
	return -1;
#endif
}

int
sandbox_confine(const char *const directories[], size_t n)
{
#ifdef SANITIZED
	(void)directories, (void)n, (void)read_below, (void)forbidden_when_confined;
	return 0;
#else
	int failed;

	read_below(directories, n);
	failed = load_filter(forbidden_when_confined, NELEM(forbidden_when_confined));
	if (failed == 0)
		return 0;
	log_error("sandbox failed", LOG_TEXT("error", strerror(-failed)));
	return -1;
#endif
}
