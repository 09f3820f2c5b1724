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
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

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

static int
add_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp packets = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_PACKET };

	for (size_t i = 0; i < NELEM(forbidden); i++) {
		int failed = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, forbidden[i], 0);

		/* a call that this machine does not have needs no rule */
		if (failed != 0 && failed != -EDOM && failed != -EEXIST)
			return failed;
	}
	/* packets by hand */
	return seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, &packets);
}

static int
load_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = filter == NULL ? -ENOMEM : add_rules(filter);

	/* a tree instead of a list: every system call pays for its way through */
	if (failed == 0)
		failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	return failed;
}

int
sandbox_enter(void)
{
#ifdef SANITIZED
	(void)load_filter;
	return 0;
#else
	const struct rlimit none = { 0, 0 };
	int failed;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		failed = -errno;
	else
		failed = load_filter();
	if (failed == 0)
		return 0;
	log_error("sandbox failed", LOG_TEXT("error", strerror(-failed)));
	return -1;
#endif
}
