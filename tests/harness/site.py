"""
A whole site for tests: installed executables, a migrated database with four users, the handlers, and
a web server before them on a free port. Everything stands in one temporary directory and goes with it.
"""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from harness import process
from harness.client import Client
from harness.mariadb import Mariadb
from harness.postgres import Postgres

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVERS = ('nginx', 'apache-proxy', 'apache-fcgid', 'apache-cgi')
DATABASES = ('sqlite', 'postgresql', 'mariadb')
SERVERS_OF_DATABASES = {'postgresql': Postgres, 'mariadb': Mariadb}

# Not words of any list, and long enough for the policy.
PASSWORDS = {
    'admin': 'orbital-Quince-7-lantern',
    'staff': 'meadow-Tungsten-4-harbour',
    'ada': 'copper-Walrus-9-meridian',
    'ben': 'violet-Anchor-3-perigee',
}

PATHS = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin'


class Failed(Exception):
    """The site could not be made or started; the text says what and shows the log."""


def locations():
    """(prefix, executable) of deploy/locations."""
    with open(os.path.join(TOP, 'deploy/locations')) as f:
        return [tuple(line.split()) for line in f if line.strip() and not line.startswith('#')]


def executables():
    """The names of the executables, each once."""
    return sorted({name for _, name in locations()})


class Workshop:
    """What several sites share: the temporary directory, the installed files, the database servers."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.directory = tempfile.mkdtemp(prefix='meridian-test-')
        os.chmod(self.directory, 0o755)
        self.app = os.path.join(self.directory, 'app')
        self._servers = {}
        self.count = 0
        self.users = {}  # rows of the usual ones, by the database's kind
        self.denied = []
        done = subprocess.run(['make', '-s', '-C', self.build, 'install', 'prefix=' + self.app],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failed('make install: ' + done.stdout[-3000:])

    @property
    def share(self):
        return os.path.join(self.app, 'share/meridian')

    @property
    def libexec(self):
        return os.path.join(self.app, 'libexec/meridian')

    def executables(self):
        """Names of the installed executables, those of deploy/locations."""
        return [name for name in executables() if os.path.exists(self.libexec + '/' + name)]

    def database_server(self, database):
        """The one server of that kind, started when it is first asked for."""
        if database not in self._servers:
            self._servers[database] = SERVERS_OF_DATABASES[database](
                os.path.join(self.directory, database))
        return self._servers[database]

    def close(self):
        for server in self._servers.values():
            server.remove()
        shutil.rmtree(self.directory, ignore_errors=True)


# What stands in a row of users that a command just made.
USER_COLUMNS = 'username, name_key, search_key, password, is_active, is_staff, is_superuser, created, ' \
    'password_changed'


class Site:
    """
    One site. `settings` are keys of meridian.conf beside those that the site needs; `users` may be
    left out where a test wants an empty site.
    """

    def __init__(self, workshop, server='nginx', database='sqlite', settings=None, workers=2,
                 users=True, prefix=''):
        self.workshop = workshop
        self.server = server
        self.database = database
        self.settings = dict(settings or {})
        self.workers = workers
        self.prefix = prefix
        workshop.count += 1
        self.name = 'site%d' % workshop.count
        self.directory = os.path.join(workshop.directory, self.name)
        self.run = os.path.join(self.directory, 'run')
        self.data = os.path.join(self.directory, 'data')
        self.log = os.path.join(self.directory, 'log')
        self.config = os.path.join(self.directory, 'meridian.conf')
        for path in (self.directory, self.run, self.data, self.log):
            os.mkdir(path, 0o755)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), self.directory, self.run, self.data, self.log)
        if database in SERVERS_OF_DATABASES:
            self.database_server = workshop.database_server(database)
            self.database_name = self.name
            self.database_url = self.database_server.create(self.name)
        else:
            self.database_url = self.settings.get('DATABASE_URL') or \
                'sqlite:' + os.path.join(self.data, 'meridian.sqlite3')
            self.sqlite = self.database_url[len('sqlite:'):]
        self.port = process.free_port()
        self.handlers = {}
        self.web = None
        self.write_config()
        try:
            if os.path.exists(workshop.app + '/bin/meridian'):
                self.meridian('init')
                if database in SERVERS_OF_DATABASES:
                    self.meridian('roles')
                if users:
                    self.make_users()
            self.start()
        except BaseException:
            self.close()
            raise

    # Configuration

    def write_config(self):
        keys = {
            'RUN_DIR': self.run,
            'SHARE_DIR': self.workshop.share,
            'DATA_DIR': self.data,
            'DATABASE_URL': self.database_url,
            'SECRET_KEY_FILE': os.path.join(self.data, 'secret_key'),
            'VAULT_KEY_FILE': os.path.join(self.data, 'vault_key'),
            'ALLOWED_HOSTS': '127.0.0.1, localhost',
            'INSECURE_HTTP': 'yes',
            'LOG_LEVEL': 'info',
            'PASSWORD_FLOOR_MS': '0',
            # tests fail to sign in far oftener than people, all from one address
            'THROTTLE_FREE_FAILURES': '1000',
        }
        if self.database in SERVERS_OF_DATABASES:
            keys['DATABASE_ROLES_DIR'] = os.path.join(self.data, 'roles')
        keys.update(self.settings)
        with open(self.config, 'w') as f:
            for key, value in keys.items():
                f.write('%s = %s\n' % (key, value))
        os.chmod(self.config, 0o640)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), self.config)

    def environment(self, **more):
        env = {'PATH': PATHS, 'LC_ALL': 'C.UTF-8', 'MERIDIAN_CONFIG': self.config}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more)
        return env

    # Commands

    def command(self, name, *args, stdin='', check=True, **environment):
        """Runs an installed command as the site's user; its standard output."""
        path = os.path.join(self.workshop.app, 'bin', name)
        done = subprocess.run([path, *args], input=stdin, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd='/', env=self.environment(**environment),
                              **process.as_user())
        self.last = done
        if check and done.returncode:
            raise Failed('%s %s: status %d: %s' % (name, ' '.join(args), done.returncode,
                                                   done.stderr or done.stdout))
        return done.stdout

    def meridian(self, *args, **more):
        return self.command('meridian', *args, **more)

    def add_user(self, name, password, *options):
        self.meridian('user', 'add', name, '--password-file', '-', *options, stdin=password + '\n')

    def make_users(self):
        """By the command for the first site of a workshop; the others get copies of its rows, as hashing costs."""
        known = self.workshop.users.get(self.database)
        if known is None:
            self.add_user('admin', PASSWORDS['admin'], '--superuser')
            self.add_user('staff', PASSWORDS['staff'], '--staff')
            self.add_user('ada', PASSWORDS['ada'])
            self.add_user('ben', PASSWORDS['ben'])
            self.workshop.users[self.database] = self.sql(
                'SELECT %s FROM users ORDER BY id' % USER_COLUMNS)
            return
        for row in known:
            self.sql('INSERT INTO users (%s) VALUES (%s)' % (
                USER_COLUMNS, ', '.join("'%s'" % value for value in row)))

    # Processes

    def start(self):
        if self.server in ('nginx', 'apache-proxy'):
            for name in self.workshop.executables():
                self.start_handler(name)
        self.start_web()

    def start_handler(self, name, *before):
        """Starts one executable; `before` is a command that starts commands, such as prlimit."""
        path = os.path.join(self.run, name + '.sock')
        self.handlers[name] = process.start(
            [*before, os.path.join(self.workshop.libexec, name), '-s', path, '-w', str(self.workers)],
            os.path.join(self.log, name), self.environment())
        if not process.sleep_until(lambda: os.path.exists(path) or
                                   self.handlers[name].poll() is not None, 20) or \
                self.handlers[name].poll() is not None:
            raise Failed('%s does not start: %s' % (name, self.logged(name)[-3000:]))

    def stop_handler(self, name, sig=signal.SIGTERM):
        return process.stop(self.handlers.pop(name), sig)

    def start_web(self):
        web = os.path.join(self.directory, 'web')
        user = [process.unprivileged()] if os.getuid() == 0 else []
        made = subprocess.run([os.path.join(TOP, 'deploy/write-web-config'), self.server, web,
                               str(self.port), self.workshop.share, self.workshop.libexec, self.run,
                               self.config, *user], env=self.environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if made.returncode:
            raise Failed('write-web-config: ' + made.stderr)
        self.start_web_again(made.stdout.split())

    def start_web_again(self, command):
        self.web_command = command
        self.web = process.start(command, os.path.join(self.log, 'web'), self.environment(),
                                 user=False)
        if not process.sleep_until(lambda: process.answers(self.port) or
                                   self.web.poll() is not None, 10) or self.web.poll() is not None:
            raise Failed('%s does not start: %s' % (self.server, self.web_errors()))

    def close(self):
        """Ends everything. Returns what did not end by itself."""
        stuck = []
        if self.web is not None and not process.stop(self.web, signal.SIGTERM):
            stuck.append(self.server)
        self.web = None
        for name in list(self.handlers):
            if not self.stop_handler(name):
                stuck.append(name)
        self.workshop.denied += self.denied()
        return stuck

    def denied(self):
        """What executables wanted of the database that is not theirs (sql/roles), from their logs."""
        wanted = []
        for line in self.all_logs().splitlines():
            if 'sql/roles' in line or 'permission denied for' in line or 'command denied' in line:
                wanted.append(line)
        return wanted

    def handler_workers(self, name):
        """Pids of the workers of an executable that we started."""
        return process.children(self.handlers[name].pid)

    # What there is to see

    @property
    def url(self):
        return 'http://127.0.0.1:%d%s' % (self.port, self.prefix)

    def logged(self, name):
        """The log of a handler."""
        path = os.path.join(self.log, name)
        if os.path.exists(path):
            with open(path, encoding='utf-8', errors='replace') as f:
                return f.read()
        return self.web_errors()  # mod_fcgid and CGI: in the web server's

    def log_lines(self, name):
        """The JSON objects of a handler's log."""
        out = []
        for line in self.logged(name).splitlines():
            start = line.find('{"')
            if start >= 0:
                with contextlib.suppress(ValueError):
                    out.append(json.loads(line[start:]))
        return out

    def web_errors(self):
        text = ''
        for path in (os.path.join(self.directory, 'web', 'error.log'),
                     os.path.join(self.log, 'web')):
            if os.path.exists(path):
                with open(path, encoding='utf-8', errors='replace') as f:
                    text += f.read()
        return text

    def all_logs(self):
        return ''.join(self.logged(name) for name in self.workshop.executables())

    def visitor(self, host=None):
        return Client(self.port, host)

    def signed_in(self, name):
        """A client signed in as one of PASSWORDS. One session each is made and used again."""
        if not hasattr(self, '_jars'):
            self._jars = {}
        client = Client(self.port)
        if name not in self._jars:
            client.sign_in(name, PASSWORDS[name])
            self._jars[name] = dict(client.cookies)
        client.cookies = dict(self._jars[name])
        return client

    def sql(self, text):
        """Rows of a query (SQL that every engine knows), each a tuple of texts."""
        if self.database in SERVERS_OF_DATABASES:
            out = self.database_server.sql(self.database_name, text)
            return [tuple(line.split('|')) for line in out.splitlines()]
        with contextlib.closing(sqlite3.connect(self.sqlite, timeout=10)) as db:
            rows = db.execute(text).fetchall()
            db.commit()
            return [tuple('' if v is None else str(v) for v in row) for row in rows]

    def one(self, text):
        rows = self.sql(text)
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def variant(self, users=True, **settings):
        """Another site of the same kind with other settings, for the time of a `with`."""
        other = Site(self.workshop, self.server, self.database, settings, self.workers, users)
        try:
            yield other
        finally:
            other.close()


def quiet_after(site, began=None):
    """Lines of the logs that tell of a failure of ours: a test may demand that there are none."""
    bad = []
    for name in site.workshop.executables():
        for line in site.log_lines(name):
            if line.get('level') == 'error' and (began is None or line.get('time', '') >= began):
                bad.append((name, line))
    return bad


def settle(seconds=0.05):
    time.sleep(seconds)
