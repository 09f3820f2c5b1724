"""Processes that tests start: as an unprivileged user where we are root, ended by their own pid."""
import grp
import os
import pwd
import signal
import socket
import subprocess
import time


def unprivileged():
    """Whom servers run as where tests are run by root."""
    return 'www-data' if any(p.pw_name == 'www-data' for p in pwd.getpwall()) else 'nobody'


def as_user():
    """Arguments of subprocess that drop root."""
    if os.getuid() != 0:
        return {}
    name = unprivileged()
    return {'user': name, 'group': pwd.getpwnam(name).pw_gid, 'extra_groups': []}


def give_to(name, *paths):
    entry = pwd.getpwnam(name)
    for path in paths:
        os.chown(path, entry.pw_uid, entry.pw_gid)


def group_name(name):
    return grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def answers(port):
    """Does something listen there?"""
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(('127.0.0.1', port)) == 0


def children(pid):
    """The pids of a process's children."""
    try:
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except FileNotFoundError:
        return []


def start(command, log, environment, user=True, stdin=subprocess.DEVNULL, **more):
    """Starts a command in a session of its own, its output appended to the file `log`."""
    with open(log, 'ab') as out:
        return subprocess.Popen(command, stdin=stdin, stdout=out, stderr=out, env=environment,
                                cwd='/', start_new_session=True, **(as_user() if user else {}),
                                **more)


def stop(process, sig=signal.SIGTERM, seconds=10):
    """Ends a process of ours and waits for it; by force where it does not go. Did it go by itself?"""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        left = children(process.pid)
        process.kill()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
        return False


def private_dirty(pid):
    """KiB of memory that are this process's own."""
    with open('/proc/%d/smaps_rollup' % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith('Private_Dirty:'))


def sleep_until(true, seconds, step=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(step)
    return bool(true())
