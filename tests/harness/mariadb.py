"""A MariaDB server in a temporary directory, on a unix socket only: tests/tools/mariadb."""
import os
import shutil
import signal
import subprocess
import time

TOOL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'tools', 'mariadb')


class Mariadb:
    """Started on construction; who can open the socket is let in."""

    def __init__(self, directory, options=''):
        self.directory = directory
        self.options = options
        self.socket = os.path.join(directory, 'socket')
        self.flush = '0'
        self.start()

    def start(self):
        done = subprocess.run([TOOL, 'start', self.directory], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd='/',
                              env=dict(os.environ, MARIADB_FLUSH=self.flush,
                                       MARIADB_OPTIONS=self.options))
        if done.returncode:
            raise RuntimeError('MariaDB does not start: ' + done.stderr)

    def stop(self, mode='fast'):
        """'immediate' is a crash."""
        with open(os.path.join(self.directory, 'pid')) as f:
            pid = int(f.read())
        os.kill(pid, signal.SIGKILL if mode == 'immediate' else signal.SIGTERM)
        while os.path.exists('/proc/%d' % pid) and not self._is_zombie(pid):
            time.sleep(0.02)

    @staticmethod
    def _is_zombie(pid):
        try:
            with open('/proc/%d/stat' % pid) as f:
                return f.read().rpartition(')')[2].split()[0] == 'Z'
        except FileNotFoundError:
            return True

    def durable(self):
        """From now on what is committed is on the disk, as a server for real has it."""
        self.flush = '1'
        self.stop()
        self.start()

    def create(self, name):
        """A new database, and its URL."""
        self.sql('mysql', 'CREATE DATABASE ' + name)
        return 'mariadb://meridian@/%s?socket=%s' % (name, self.socket)

    def sql(self, database, text):
        """What the client prints: fields divided by '|'."""
        done = subprocess.run(['mariadb', '--no-defaults', '--socket', self.socket, '--user',
                               'meridian', '--batch', '--raw', '--skip-column-names',
                               '--default-character-set=utf8mb4', '--init-command',
                               "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES'",
                               database], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd='/')
        if done.returncode:
            raise RuntimeError(done.stdout)
        return '\n'.join(line.replace('\t', '|').replace('NULL', '')
                         for line in done.stdout.splitlines())

    def _ours(self, name):
        return "FROM information_schema.processlist WHERE db = '%s'" % name

    def cut(self, name):
        """Ends every connection to the database."""
        for pid in self.sql('mysql', 'SELECT id ' + self._ours(name)).split():
            try:
                self.sql('mysql', 'KILL ' + pid)
            except RuntimeError:
                pass  # it went by itself

    def connections(self, name):
        return int(self.sql('mysql', 'SELECT COUNT(*) ' + self._ours(name)))

    def analyze(self, name):
        tables = self.sql(name, 'SHOW TABLES').split()
        self.sql(name, 'ANALYZE TABLE ' + ', '.join(tables))

    def remove(self):
        subprocess.run([TOOL, 'stop', self.directory], stdin=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
