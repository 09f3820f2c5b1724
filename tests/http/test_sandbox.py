"""
What an intruder in an executable can do: each executable of cgi/ is run with a handler that was taken
over (tests/attack/evil.c) and tries it. A new executable is a line in Makefile.am, and in ROLES where it
has rights of its own.
"""
import os
import socket
import subprocess
import time

from harness.report import equal, needs
from harness import process

# Tries that the system ends the process for.
KILLED = ('run_a_shell', 'start_a_process', 'watch_the_parent', 'signal_the_parent', 'make_namespace',
          'make_raw_socket', 'open_a_server', 'write_code', 'turn_data_to_code',
          'write_code_to_a_file_in_memory', 'open_a_key_to_others')
# Tries that are answered with an error, in every executable.
REFUSED = ('read_passwd', 'read_configuration', 'read_parent_memory', 'write_home', 'write_template',
           'write_program', 'write_run_dir', 'remove_socket', 'run_a_file', 'take_memory',
           'raise_limits')
# Tries of the database that fail, for those that are not named.
DATABASE = {
    'read_hashes': ('login',),
    'read_factors': ('login',),
    'become_another_role': ('login',),
    'write_hashes': ('login', 'users'),
    'become_superuser': ('login', 'users'),
    'empty_the_log': ('admin-security',),
    'drop_a_table': (),
}
# Who takes turns of hashing, and who writes elsewhere.
TURNS = ('login', 'users')
TEMPORARY = ('targets',)


def _evil(site):
    """The executables that were taken over."""
    names = [name for name in site.workshop.executables()
             if os.path.exists(_path(site, name))]
    equal(names, site.workshop.executables(), 'tests/attack/evil-NAME in Makefile.am')
    return names


def _path(site, name):
    return os.path.join(site.workshop.build, 'tests/attack/evil-' + name)


def _try(site, name, tries):
    """What came of each, and the signal that ended the process."""
    temporary = os.path.join(site.directory, 'tmp')  # not /tmp, below which the whole site lies
    if not os.path.exists(temporary):
        os.mkdir(temporary)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), temporary)
    env = site.environment(TMPDIR=temporary, REQUEST_METHOD='GET', PATH_INFO='/evil/', SCRIPT_NAME='',
                           EVIL=','.join(tries),
                           GATEWAY_INTERFACE='CGI/1.1', SERVER_PROTOCOL='HTTP/1.1',
                           HTTP_HOST='127.0.0.1', SERVER_NAME='127.0.0.1', REMOTE_ADDR='127.0.0.1',
                           SERVER_ADDR='127.0.0.1')

    done = subprocess.run([_path(site, name)], env=env, stdin=subprocess.DEVNULL, text=True, cwd='/',
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **process.as_user())
    words = [line.split() for line in done.stdout.splitlines()]
    came = {w[0]: w[1] for w in words if len(w) == 2 and w[0] in tries}
    if done.returncode >= 0 and set(came) != set(tries):
        raise AssertionError('%s answers %r %r' % (name, done.stdout[-500:], done.stderr[-500:]))
    return came, -done.returncode if done.returncode < 0 else 0


@needs('nginx', 'sqlite')
def an_intruder_runs_nothing_and_opens_nothing(site):
    open_socket = os.path.join(site.run, 'evil.sock')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(open_socket)
    for name in _evil(site):
        for one in KILLED:
            equal(_try(site, name, [one]), ({}, 31), '%s: %s: SIGSYS' % (name, one))
        came, signal = _try(site, name, REFUSED)
        equal(signal, 0)
        for one in REFUSED:
            equal(came[one] in ('EACCES', 'EPERM', 'ENOMEM', 'ETXTBSY'), True,
                  '%s: %s: %s' % (name, one, came[one]))
    os.unlink(open_socket)


@needs('nginx', 'sqlite')
def an_intruder_writes_where_the_executable_must(site):
    for name in _evil(site):
        came, _ = _try(site, name, ['open_lock', 'write_temporary'])
        equal((name, came['open_lock']), (name, 'done' if name in TURNS else 'EACCES'))
        equal((name, came['write_temporary']), (name, 'done' if name in TEMPORARY else 'EACCES'))


@needs('nginx')
def an_intruder_connects_to_the_database_and_nowhere(site):
    """Sockets of this machine where the database is behind one, none at all with SQLite."""
    for name in _evil(site):
        sockets = site.database != 'sqlite' and name != 'robots'
        equal((name, _try(site, name, ['make_tcp_socket'])), (name, ({}, 31)))
        equal((name, _try(site, name, ['make_unix_socket'])),
              (name, ({'make_unix_socket': 'done'}, 0) if sockets else ({}, 31)))


@needs('nginx')
def an_intruder_asks_the_database_what_the_executable_may(site):
    for name in _evil(site):
        came, _ = _try(site, name, [*DATABASE, 'read_database'])
        if name == 'robots':
            equal(set(came.values()) <= {'ENODEV', 'EPERM', 'EACCES', 'ENOENT'}, True, str(came))
            continue
        for one, may in DATABASE.items():
            if one == 'become_another_role' and site.database != 'postgresql':
                continue
            equal((name, one, came[one]), (name, one, 'done' if name in may else 'EPERM'))


@needs('nginx')
def a_file_is_parsed_beside_the_worker(site):
    """Each worker of targets has a process for that, without the worker's descriptors; others have none."""
    for name in site.workshop.executables():
        for worker in site.handler_workers(name):
            beside = process.children(worker)
            equal((name, len(beside)), (name, 1 if name == 'targets' else 0))
            for pid in beside:
                equal(sorted(os.listdir('/proc/%d/fd' % pid)), ['0', '1', '2', '3'])
    ada = site.signed_in('ada')
    before = site.handler_workers('targets')
    rows = ['name,ra,dec'] + ['Beside %d,%.4f,%.4f' % (i, i * 0.03, i * 0.005) for i in range(10000)]
    rows.append('Beside itself,400,0')  # wrong: nothing is kept, and the site stays small
    began = time.monotonic()
    answer = ada.post('/targets/import/', {'mode': 'all'},
                      {'target_csv': ('many.csv', '\n'.join(rows).encode(), 'text/csv')})
    took = time.monotonic() - began
    equal(answer.status, 400, answer.words)
    print('# 10,000 rows: %.2f s' % took)
    equal(site.one("SELECT count(*) FROM target WHERE name LIKE 'Beside %'"), '0')
    equal(site.handler_workers('targets'), before, 'the same workers')
