"""A PostgreSQL cluster in a temporary directory, on a unix socket only."""
import os
import pwd
import shutil
import subprocess

from harness.process import give_to, unprivileged

BIN = '/usr/lib/postgresql/15/bin'


class Postgres:
    """Started on construction. `socket` is its directory; anyone on the machine who may enter it is
    trusted, so the directory is the owner's."""

    def __init__(self, directory):
        self.data = os.path.join(directory, 'data')
        self.socket = os.path.join(directory, 'socket')
        self.log = os.path.join(directory, 'log')
        os.makedirs(directory)
        os.makedirs(self.socket)
        self.owner = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            self.owner = unprivileged()
            give_to(self.owner, directory, self.socket)
        self._run('initdb', '-D', self.data, '-U', 'meridian', '-A', 'trust', '-E', 'UTF8',
                  '--locale=C.UTF-8', '-N')
        with open(os.path.join(self.data, 'postgresql.conf'), 'a') as f:
            f.write("listen_addresses = ''\nunix_socket_directories = '%s'\n"
                    "fsync = off\nmax_connections = 60\nshared_buffers = 64MB\n"
                    "logging_collector = off\n" % self.socket)
        self.start()

    def _run(self, program, *args, check=True):
        user = {'user': self.owner, 'extra_groups': []} if os.getuid() == 0 else {}
        done = subprocess.run([os.path.join(BIN, program), *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd='/', **user)
        if check and done.returncode:
            raise RuntimeError('%s: %s' % (program, done.stdout))
        return done.stdout

    def start(self):
        # Its own output must not keep our pipe open: pg_ctl's server writes to the log.
        user = {'user': self.owner, 'extra_groups': []} if os.getuid() == 0 else {}
        done = subprocess.run([BIN + '/pg_ctl', '-D', self.data, '-l', self.log, '-w', '-t', '60',
                               'start'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd='/', **user)
        if done.returncode:
            raise RuntimeError('PostgreSQL does not start: %s' % open(self.log).read()[-2000:])

    def stop(self, mode='fast'):
        self._run('pg_ctl', '-D', self.data, '-m', mode, '-w', 'stop', check=False)

    def create(self, name):
        """A new database, and its URL."""
        self.sql('postgres', 'CREATE DATABASE "%s" TEMPLATE template0' % name)
        return 'postgresql://meridian@/%s?host=%s' % (name, self.socket)

    def sql(self, database, text):
        """What psql prints for `text`: fields divided by '|'."""
        return self._run_psql(database, text)

    def _run_psql(self, database, text):
        user = {'user': self.owner, 'extra_groups': []} if os.getuid() == 0 else {}
        done = subprocess.run([BIN + '/psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h',
                               self.socket, '-U', 'meridian', '-d', database], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd='/',
                              **user)
        if done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout.strip()

    def durable(self):
        """From now on what is committed is on the disk, as a server for real has it."""
        self.sql('postgres', 'ALTER SYSTEM SET fsync = on')
        self.stop()
        self.start()

    def cut(self, name):
        """Ends every connection to the database."""
        self.sql('postgres', 'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity '
                             "WHERE datname = '%s'" % name)

    def connections(self, name):
        return int(self.sql('postgres', 'SELECT count(*) FROM pg_stat_activity '
                                        "WHERE datname = '%s'" % name))

    def analyze(self, name):
        self.sql(name, 'VACUUM ANALYZE')

    def remove(self):
        self.stop('immediate')
        shutil.rmtree(os.path.dirname(self.data), ignore_errors=True)
