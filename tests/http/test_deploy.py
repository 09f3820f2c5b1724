"""
deploy: the committed configurations: their location prefixes are those of the executables' routes, and
the servers' own checkers take them; and deploy/run, which makes a site by one command.
"""
import contextlib
import glob
import os
import re
import shutil
import socket
import subprocess
import sys

from harness import fastcgi, process
from harness.client import Client
from harness.report import Skip, contains, equal, lacks, needs
from harness.site import TOP, PATHS, executables, locations


def _routes(site, name):
    """(method, path, access, body limit) as the executable prints them."""
    out = subprocess.run([os.path.join(site.workshop.libexec, name), '-R'], text=True, check=True,
                         stdout=subprocess.PIPE, env={'PATH': PATHS}).stdout
    return [(m, p, a, int(b)) for m, p, a, b in (line.split('\t') for line in out.splitlines())]


def _owner(path, table):
    """The executable of the longest prefix, whole segments compared."""
    best = max((prefix for prefix, _ in table if path == prefix or
                path.startswith(prefix.rstrip('/') + '/')), key=len)
    return dict(table)[best]


def _read(name):
    with open(os.path.join(TOP, 'deploy', name)) as f:
        return f.read()


@needs('nginx')
def every_route_lies_below_its_executables_prefix(site):
    for name in executables():
        found = _routes(site, name)
        if not found:
            raise AssertionError('%s has no routes' % name)
        for method, path, _, _ in found:
            equal(_owner(path, locations()), name, '%s %s' % (method, path))


@needs('nginx')
def no_executable_is_left_out(site):
    equal(sorted(os.listdir(site.workshop.libexec)), executables())


@needs('nginx')
def the_web_servers_pieces_agree_with_the_prefixes(site):
    want = sorted(locations())
    text = _read('nginx/meridian-site.conf')
    found = re.findall(r'^location (\S+) \{[^}]*?fastcgi_pass\s+meridian_(\w+);', text, re.M | re.S)
    equal(sorted((p, n.replace('_', '-')) for p, n in found), want, 'nginx')
    sockets = re.findall(r'^upstream meridian_(\w+) \{\s+server unix:/run/meridian/([\w-]+)\.sock',
                         _read('nginx/meridian-upstreams.conf'), re.M)
    equal(sorted(n.replace('_', '-') for n, _ in sockets), executables())
    equal([n for n, s in sockets if n.replace('_', '-') != s], [])
    found = re.findall(r'^ProxyPass "([^"]+)" "unix:\$\{MERIDIAN_RUN\}/([\w-]+)\.sock\|fcgi://'
                       r'meridian-([\w-]+?)(/[^"]*)"', _read('apache/meridian-proxy.conf'), re.M)
    equal(sorted((p, n) for p, n, _, _ in found), want, 'mod_proxy_fcgi')
    for path, name, same, below in found:
        equal((same, below), (name, path), 'ProxyPass ' + path)
    found = re.findall(r'^ScriptAlias "([^"]+)" "\$\{MERIDIAN_LIBEXEC\}/([\w-]+)/?"',
                       _read('apache/meridian-fcgid.conf'), re.M)
    equal(sorted(found), want, 'mod_fcgid')
    wanted = re.search(r'^Wants=(.*)', _read('systemd/meridian.target'), re.M).group(1).split()
    equal(sorted(wanted), ['meridian-purge.timer'] + ['meridian@%s.socket' % n for n in executables()],
          'meridian.target')


@needs('nginx')
def the_web_servers_let_our_largest_body_through(site):
    largest = max(body for name in executables() for _, _, _, body in _routes(site, name))
    nginx = int(re.search(r'client_max_body_size\s+(\d+)m;', _read('nginx/meridian-site.conf'))[1])
    apache = int(re.search(r'LimitRequestBody (\d+)', _read('apache/meridian-common.conf'))[1])
    fcgid = int(re.search(r'FcgidMaxRequestLen (\d+)', _read('apache/meridian-fcgid-server.conf'))[1])
    for limit in (nginx << 20, apache, fcgid):
        if limit <= largest:
            raise AssertionError('a route takes %d bytes, a server %d' % (largest, limit))


def _certificate(directory):
    made = subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                           '-subj', '/CN=tom.example.org', '-keyout', directory + '/key.pem', '-out',
                           directory + '/cert.pem'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    equal(made.returncode, 0, made.stdout)


def _scratch(site, name):
    path = os.path.join(site.directory, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


@needs('nginx')
def nginx_takes_the_tls_example(site):
    d = _scratch(site, 'nginx-example')
    _certificate(d)
    for path in glob.glob(os.path.join(TOP, 'deploy/nginx/*.conf')):
        with open(path) as f, open(os.path.join(d, os.path.basename(path)), 'w') as out:
            out.write(f.read()
                      .replace('/etc/ssl/certs/tom.example.org.pem', d + '/cert.pem')
                      .replace('/etc/ssl/private/tom.example.org.key', d + '/key.pem')
                      .replace('listen\t\t80;', 'listen 127.0.0.1:1080;')
                      .replace('listen\t\t[::]:80;', '')
                      .replace('listen\t\t443 ssl http2;', 'listen 127.0.0.1:1443 ssl http2;')
                      .replace('listen\t\t[::]:443 ssl http2;', ''))
    temp = ''.join('%s_temp_path %s/%s;\n' % (n, d, n) for n in
                   ('client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'))
    for uncomment in (False, True):
        if uncomment:  # the limits that stand as comments are right too
            for name in ('example-tls.conf', 'meridian-site.conf'):
                with open(os.path.join(d, name)) as f:
                    text = re.sub(r'^(\s*)#(limit_)', r'\1\2', f.read(), flags=re.M)
                with open(os.path.join(d, name), 'w') as f:
                    f.write(text)
        with open(d + '/nginx.conf', 'w') as f:
            f.write('pid %s/pid;\nerror_log %s/error.log;\nevents {}\nhttp {\naccess_log off;\n%s'
                    'include example-tls.conf;\n}\n' % (d, d, temp))
        done = subprocess.run(['nginx', '-t', '-e', d + '/error.log', '-c', d + '/nginx.conf'],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={'PATH': PATHS})
        equal(done.returncode, 0, done.stdout)
        equal([line for line in done.stdout.splitlines() if '[warn]' in line and
               'user' not in line], [])


@needs('nginx')
def apache_takes_the_tls_example_both_ways(site):
    for piece in ('meridian-proxy.conf', 'meridian-fcgid.conf'):
        d = _scratch(site, 'apache-example')
        _certificate(d)
        for path in glob.glob(os.path.join(TOP, 'deploy/apache/*.conf')):
            with open(path) as f, open(os.path.join(d, os.path.basename(path)), 'w') as out:
                out.write(f.read()
                          .replace('/etc/ssl/certs/tom.example.org.pem', d + '/cert.pem')
                          .replace('/etc/ssl/private/tom.example.org.key', d + '/key.pem')
                          .replace('Include meridian-proxy.conf', 'Include ' + piece)
                          .replace('#Include meridian-fcgid-server', 'Include meridian-fcgid-server'))
        modules = ('mpm_event authz_core alias allowmethods headers mime reqtimeout ssl socache_shmcb proxy '
                   'proxy_fcgi env fcgid').split()
        with open(d + '/apache.conf', 'w') as f:
            f.write('ServerRoot %s\nPidFile %s/pid\nErrorLog %s/error.log\nServerName localhost\n'
                    'DefaultRuntimeDir %s\nTypesConfig /dev/null\n' % (d, d, d, d))
            f.write('Listen 127.0.0.1:1080\nListen 127.0.0.1:1443\n')
            for module in modules:
                f.write('LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' %
                        (module, module))
            for name, value in (('SHARE', site.workshop.share), ('RUN', site.run),
                                ('LIBEXEC', site.workshop.libexec)):
                f.write('Define MERIDIAN_%s %s\n' % (name, value))
            f.write('Include example-tls.conf\n')
        done = subprocess.run(['apache2', '-t', '-d', d, '-f', d + '/apache.conf'], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={'PATH': PATHS})
        equal(done.returncode, 0, piece + ': ' + done.stdout)


@needs('nginx')
def no_web_server_adds_what_the_application_says(site):
    """A header that comes twice counts for neither or the first (RFC 6797 8.1)."""
    said = dict(site.visitor().get('/robots.txt').headers)
    names = [n for n in list(said) + ['Strict-Transport-Security']
             if n.lower() not in ('server', 'date', 'connection', 'content-length', 'content-type')]
    for path in glob.glob(os.path.join(TOP, 'deploy/*/*.conf')):
        with open(path) as f:
            text = re.sub(r'(?s)(location /(static|meridian-errors)/ \{.*?\n\}|<Directory.*?</Directory>)', '',
                          f.read())
        for name in names:
            equal(re.findall(r'(?m)^\s*(?:add_header|Header).*\b%s\b' % name, text), [], path)


def _units(site):
    """The units with our executables' paths, as instances, in a scratch folder."""
    d = _scratch(site, 'systemd')
    for path in glob.glob(os.path.join(TOP, 'deploy/systemd/*')):
        to = os.path.join(d, os.path.basename(path))
        if os.path.isdir(path):
            shutil.copytree(path, to)
            continue
        with open(path) as f, open(to, 'w') as out:
            out.write(f.read().replace('/usr/local/libexec/meridian', site.workshop.libexec)
                      .replace('/usr/local/bin', site.workshop.app + '/bin'))
    names = executables()
    for name in names:
        for kind in ('service', 'socket'):
            shutil.copy('%s/meridian@.%s' % (d, kind), '%s/meridian@%s.%s' % (d, name, kind))
    return d, names


@needs('nginx')
def systemd_takes_the_units(site):
    if not shutil.which('systemd-analyze', path=PATHS):
        raise Skip('systemd-analyze is not here')
    d, names = _units(site)
    units = ['%s/meridian@%s.%s' % (d, n, k) for n in names for k in ('service', 'socket')]
    units += ['%s/meridian-%s' % (d, n) for n in ('mail.service', 'purge.service', 'purge.timer')]
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', d + '/meridian.target', *units],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={'PATH': PATHS, 'SYSTEMD_UNIT_PATH': d + ':'})
    if done.returncode and ('Failed to initialize' in done.stdout or 'cgroup' in done.stdout or
                            'Failed to setup' in done.stdout):
        raise Skip('systemd-analyze cannot run here: ' + done.stdout.strip().splitlines()[-1])
    equal(done.returncode, 0, done.stdout)
    equal([line for line in done.stdout.splitlines() if 'meridian' in line], [])


@needs('nginx')
def systemd_finds_the_units_hardly_exposed(site):
    if not shutil.which('systemd-analyze', path=PATHS):
        raise Skip('systemd-analyze is not here')
    d, names = _units(site)
    most = {'@' + name: 10 for name in names} | {'-purge': 10, '-mail': 12}
    for name, tenths in most.items():
        done = subprocess.run(['systemd-analyze', 'security', '--offline=true',
                               '--threshold=%d' % tenths, '--no-pager',
                               '%s/meridian%s.service' % (d, name)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={'PATH': PATHS, 'SYSTEMD_UNIT_PATH': d + ':'})
        if 'exposure level' not in done.stdout:
            raise Skip('systemd-analyze cannot run here: ' + done.stdout.strip()[:200])
        equal(done.returncode, 0, done.stdout[-400:])


def _calls(group):
    """The system calls of a group of systemd's, and of the groups in it."""
    done = subprocess.run(['systemd-analyze', 'syscall-filter', group], text=True, env={'PATH': PATHS},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Skip('systemd-analyze cannot run here: ' + done.stdout.strip()[:200])
    words = [line.strip() for line in done.stdout.splitlines() if line.startswith(' ')]
    return set().union(*(_calls(w) if w[0] == '@' else {w} for w in words if w[0] != '#'))


# As systemd does it: all else is EPERM; then the program.
FILTERED = '''
import ctypes, os, sys
seccomp = ctypes.CDLL('libseccomp.so.2')
seccomp.seccomp_init.restype = ctypes.c_void_p
seccomp.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
seccomp.seccomp_load.argtypes = [ctypes.c_void_p]
f = seccomp.seccomp_init(0x50000 | 1)
for name in sys.argv[1].split():
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number != -1:
        seccomp.seccomp_rule_add(f, 0x7fff0000, number, 0)
if seccomp.seccomp_load(f):
    sys.exit(77)
os.execv(sys.argv[2], sys.argv[2:])
'''


@needs('nginx')
def executables_run_with_the_system_calls_of_their_unit(site):
    if not shutil.which('systemd-analyze', path=PATHS):
        raise Skip('systemd-analyze is not here')
    allowed = _calls('@default')
    for words in re.findall('^SystemCallFilter=(.*)', _read('systemd/meridian@.service'), re.M):
        calls = set().union(*(_calls(w) if w[0] == '@' else {w} for w in words.strip('~').split()))
        allowed = allowed - calls if words[0] == '~' else allowed | calls
    d = _scratch(site, 'filtered')
    for name, path in {name: path for path, name in locations()}.items():
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind('%s/%s' % (d, name))
            listener.listen()
            log = os.path.join(site.log, 'filtered-' + name)
            program = process.start([sys.executable, '-c', FILTERED, ' '.join(allowed),
                                     os.path.join(site.workshop.libexec, name), '-w', '2'], log,
                                    site.environment(), stdin=listener)
        try:
            answer = fastcgi.ask('%s/%s' % (d, name), path).decode()
            equal(answer[:9] in ('Status: 2', 'Status: 3', 'Status: 4'), True, answer[:200])
        except OSError:
            if program.poll() == 77:
                raise Skip('no filter of system calls can be set here') from None
            with open(log) as f:
                raise AssertionError(f.read()) from None
        finally:
            process.stop(program)


@needs('nginx')
def the_units_give_login_a_folder_for_its_lock(site):
    service, sockets = _read('systemd/meridian@.service'), _read('systemd/meridian@.socket')
    user = re.search('^User=(.*)', service, re.M)[1]
    folder = os.path.dirname(re.search('^ListenStream=(.*)', sockets, re.M)[1])
    contains(sockets, 'install -d -o %s ' % user, ' %s\n' % folder)
    # below it a link of the site's user would lead root, who runs this, elsewhere
    equal(re.findall('^ExecStartPre=/usr/bin/install .*%s/.*' % folder, sockets, re.M), [])
    contains(sockets, 'runuser -u %s -- /usr/bin/mkdir -p %s/' % (user, folder))
    contains(_read('systemd/meridian@login.service.d/login.conf'), 'ReadWritePaths=%s\n' % folder)
    with open(os.path.join(TOP, 'doc/meridian.conf.5')) as f:  # the default of RUN_DIR
        contains(f.read(), '.Pq Pa %s ; Xr login 8' % folder)


@needs('nginx')
def the_units_give_the_key_of_the_vault_to_login_alone(site):
    with open(os.path.join(TOP, 'README.md')) as f:
        key = re.search('VAULT_KEY_FILE = (.*)', f.read())[1]
    hidden = 'InaccessiblePaths=-%s\n' % key
    contains(_read('systemd/meridian@.service'), hidden)
    for path in glob.glob(os.path.join(TOP, 'deploy/systemd/*.d/*.conf')):
        with open(path) as f:
            said = re.findall('^InaccessiblePaths=(.*)', f.read(), re.M)
        if path.endswith('login.conf'):
            equal(said, [''])
        else:
            equal('' in said, False, path)


@needs('nginx')
def the_units_of_programs_hide_both_keys(site):
    with open(os.path.join(TOP, 'README.md')) as f:
        keys = re.findall('^ *(?:SECRET|VAULT)_KEY_FILE = (.*)', f.read(), re.M)
    for unit in ('ingest', 'mail', 'purge'):
        contains(_read('systemd/meridian-%s.service' % unit),
                 'InaccessiblePaths=%s\n' % ' '.join('-' + key for key in keys))


@needs('nginx')
def the_units_outlive_an_outage(site):
    unit = _read('systemd/meridian@.service').split('[Service]')
    contains(unit[0], 'StartLimitIntervalSec=0\n')
    contains(unit[1], 'Restart=on-failure\n')

class _Run:
    """deploy/run on a folder and a port of its own."""

    def __init__(self, site, *options):
        self.dir = os.path.join(site.workshop.directory, 'deployed-' + site.name)
        self.port = process.free_port()
        self.options = options

    def __call__(self, *args, status=0, more=()):
        done = subprocess.run([os.path.join(TOP, 'deploy/run'), '--dir', self.dir, *args, *more],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=600)
        equal(done.returncode, status, done.stderr)
        self.said = done.stderr
        return done.stdout

    def start(self, **more):
        return self('--port', str(self.port), *self.options, **more)


@contextlib.contextmanager
def _run(site, *options):
    run = _Run(site, *options)
    try:
        yield run
    finally:
        run('--stop')


def _database_options(site):
    """--database with a password (the PostgreSQL of tests trusts its socket and does not ask for it)."""
    if site.database == 'sqlite':
        return ()
    url = site.database_server.create('deployed_' + site.name)
    if site.database == 'mariadb':
        site.database_server.sql('mysql', "GRANT ALL ON deployed_%s.* TO deployed@localhost "
                                 "IDENTIFIED BY 's@cret'" % site.name)
        url = url.replace('//meridian@', '//deployed@')
    return ('--database', url.replace('@', ':s%40cret@', 1))


@needs('nginx')
def one_command_makes_a_site_and_a_second_changes_nothing(site):
    with _run(site, *_database_options(site)) as run:
        said = run.start().splitlines()
        equal(said[:2], ['URL http://127.0.0.1:%d/' % run.port, 'USER admin'])
        equal(len(said), 3)
        password = said[2].removeprefix('PASSWORD ')
        equal((len(password) >= 15, ' ' in password), (True, False), password)
        client = Client(run.port)
        client.sign_in('admin', password)
        equal(client.get('/admin/').status, 200)
        equal(Client(run.port, 'localhost').get('/').status, 200)
        with open(run.dir + '/meridian.conf') as f:
            conf = f.read()
        lacks(conf, 's%40cret')
        if site.database != 'sqlite':
            with open(run.dir + '/database_password') as f:
                equal(f.read().strip(), 's@cret')
            equal(os.stat(run.dir + '/database_password').st_mode & 0o777, 0o600)
        equal(run.start().splitlines(), said[:2], 'the password is shown once')
        contains(run.said, 'nothing was changed')
        contains(run('--status'), 'URL http://127.0.0.1:%d/' % run.port)
        run('--stop')
        run('--status', status=3)
        equal(process.answers(run.port), False)
        equal(run.start().splitlines(), said[:2])
        client = Client(run.port)
        client.sign_in('admin', password)
        if site.database == 'sqlite':
            lacks(conf, run.dir + '/data/secret_key', run.dir + '/data/vault_key')
            run('--stop')
            _links_of_an_intruder(site, run)


def _links_of_an_intruder(site, run):
    """What a handler that was taken over left in data/ leads root nowhere."""
    if os.getuid() != 0:
        return
    victim = _scratch(site, 'victim')
    os.chmod(victim, 0o755)
    with open(victim + '/file', 'w') as f:
        f.write('of root\n')
    os.chmod(victim + '/file', 0o600)
    os.symlink(victim, run.dir + '/data/demo')
    os.symlink(victim + '/file', run.dir + '/data/demo.avro')
    run.start(status=1, more=('--demo',))
    contains(run.said, 'the demonstration could not be loaded')
    equal([(s.st_uid, s.st_mode & 0o777) for s in map(os.stat, (victim, victim + '/file'))],
          [(0, 0o755), (0, 0o600)])
    with open(victim + '/file') as f:
        equal(f.read(), 'of root\n')
    os.unlink(run.dir + '/data/demo.avro')
    run.start(more=('--demo',))
    equal((os.stat(victim).st_uid, os.stat(victim).st_mode & 0o777), (0, 0o755))


@needs('nginx', 'sqlite')
def a_busy_port_and_a_wrong_option_are_explained(site):
    run = _Run(site)
    with socket.socket() as s:
        s.bind(('127.0.0.1', run.port))
        s.listen()
        run.start(status=1)
    contains(run.said, 'port %d is in use' % run.port)
    run('--database', 'oracle://a:secret@b/c', status=1)
    contains(run.said, 'mariadb://USER@HOST/NAME')
    lacks(run.said, 'secret')
    run('--stop')
