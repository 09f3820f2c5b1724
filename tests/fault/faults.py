"""Faults, one a test. `needs` names the databases a test is about."""
import concurrent.futures
import contextlib
import http.client
import os
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from harness import process
from harness.client import Client
from harness.fastcgi import begin, record
from harness.report import Skip, contains, equal, needs, wait_for
from harness.site import Site

LOST = (http.client.HTTPException, ConnectionError, TimeoutError, OSError)


def _healthy(site):
    """The database is whole and every target has its name in both tables."""
    if site.database == 'sqlite':
        equal(site.sql('PRAGMA integrity_check'), [('ok',)])
        equal(site.sql('PRAGMA foreign_key_check'), [])
    half = site.one('SELECT COUNT(*) FROM target t WHERE NOT EXISTS (SELECT 1 FROM target_name n '
                    'WHERE n.target_id = t.id AND n.name = t.name)')
    equal(half, '0', 'targets without their name')
    equal(site.one('SELECT COUNT(*) FROM target_name n WHERE NOT EXISTS '
                   '(SELECT 1 FROM target t WHERE t.id = n.target_id)'), '0', 'names without target')


def _writer(site, jar, prefix, until, done, unknown):
    """Creates targets till `until`; names that were acknowledged go to `done`."""
    client = Client(site.port, timeout=20)
    client.cookies = dict(jar)
    token = None
    number = 0
    while time.monotonic() < until:
        name = '%s-%d' % (prefix, number)
        number += 1
        try:
            if token is None:
                token = client.token('/targets/create/')
            answer = client.post('/targets/create/', {
                'name': name, 'type': 'SIDEREAL', 'ra': '%.4f' % random.uniform(0, 360),
                'dec': '%.4f' % random.uniform(-90, 90), 'permissions': 'PRIVATE'}, token=token)
        except (*LOST, AssertionError):
            client.close()
            unknown.append(name)
            continue
        if answer.status in (302, 303):
            done.append(name)
        elif answer.status in (502, 503, 504, 507):
            unknown.append(name)
        else:
            raise AssertionError('%d: %s' % (answer.status, answer.words[:300]))


def _under_writes(site, seconds, fault, prefix, writers=3):
    """Runs `fault` again and again while clients write; (acknowledged, unknown)."""
    jar = site.signed_in('ada').cookies
    until = time.monotonic() + seconds
    done, unknown = [], []
    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        waiting = [pool.submit(_writer, site, jar, '%s%d' % (prefix, i), until, done, unknown)
                   for i in range(writers)]
        count = 0
        while time.monotonic() < until:
            fault()
            count += 1
        for w in waiting:
            w.result()
    names = {row[0] for row in site.sql("SELECT name FROM target WHERE name LIKE '%s%%'" % prefix)}
    lost = set(done) - names
    equal(lost, set(), 'acknowledged and lost')
    equal(names - set(done) - set(unknown), set(), 'there without having been asked for')
    if len(done) < 10:
        raise AssertionError('only %d of %d writes came through' % (len(done),
                                                                    len(done) + len(unknown)))
    print('    %d faults, %d acknowledged, %d not' % (count, len(done), len(unknown)))
    return done, unknown


def a_killed_worker_is_replaced_within_100_ms(site):
    slowest = 0
    for _ in range(5):
        workers = site.handler_workers('home')
        equal(len(workers), site.workers)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        wait_for(lambda: len(set(site.handler_workers('home')) - set(workers)) == site.workers, 2,
                 'a new worker')
        slowest = max(slowest, time.monotonic() - began)
        equal(site.visitor().get('/about/').status, 200)
        time.sleep(0.3)
    print('    the slowest took %.0f ms' % (slowest * 1000))
    if slowest > 0.15:  # 100 ms and our own looking
        raise AssertionError('%.0f ms' % (slowest * 1000))


def killing_workers_under_writes_loses_nothing_acknowledged(site):
    def kill():
        time.sleep(random.uniform(0.05, 0.15))
        workers = site.handler_workers('targets')
        if workers:  # none where the last kill's successor is still being made
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
    _under_writes(site, 12, kill, 'kill')
    _healthy(site)


def a_reload_under_load_fails_no_request(site):
    stop = threading.Event()
    bad = []

    def read():
        client = Client(site.port)
        while not stop.is_set():
            try:
                status = client.get('/about/').status
            except LOST as why:
                status = repr(why)
            if status != 200:
                bad.append(status)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(read)
        for _ in range(8):
            time.sleep(0.2)
            before = set(site.handler_workers('home'))
            site.handlers['home'].send_signal(signal.SIGHUP)
            wait_for(lambda b=before: not b & set(site.handler_workers('home')), 5, 'new workers')
        stop.set()
    equal(bad, [])


def a_reload_takes_the_new_configuration(site):
    text = open(site.config).read()
    try:
        with open(site.config, 'a') as f:
            f.write('TOM_NAME = Renamed by reload\n')
        site.handlers['home'].send_signal(signal.SIGHUP)
        wait_for(lambda: 'Renamed by reload' in site.visitor().get('/about/').text, 5, 'the new name')
        with open(site.config, 'a') as f:
            f.write('NO_SUCH_KEY = 1\n')
        site.handlers['home'].send_signal(signal.SIGHUP)
        time.sleep(0.5)
        equal(site.visitor().get('/about/').status, 200, 'after a wrong file')
        equal(site.handlers['home'].poll(), None)
        contains(site.logged('home'), 'NO_SUCH_KEY')
    finally:
        with open(site.config, 'w') as f:
            f.write(text)
        site.handlers['home'].send_signal(signal.SIGHUP)
        time.sleep(0.3)


def a_reload_takes_changed_templates(site):
    folder = os.path.join(site.directory, 'templates')
    os.mkdir(folder, 0o755)
    path = os.path.join(folder, 'about.html')

    def put(text):
        with open(path, 'w') as f:
            f.write('{{> top}}<p>%s</p>{{> bottom}}' % text)
        os.chmod(path, 0o644)
        site.handlers['home'].send_signal(signal.SIGHUP)
    text = open(site.config).read()
    try:
        with open(site.config, 'a') as f:
            f.write('TEMPLATES = %s\n' % folder)
        for words in ('the first text', 'the second text'):
            put(words)
            wait_for(lambda w=words: w in site.visitor().get('/about/').text, 5, words)
        put("<b title='{{path}}'>")
        wait_for(lambda: path + ':1: ' in site.logged('home'), 5, 'the line of the mistake')
        contains(site.visitor().get('/about/').text, 'the second text')
    finally:
        with open(site.config, 'w') as f:
            f.write(text)
        site.handlers['home'].send_signal(signal.SIGHUP)
        wait_for(lambda: 'text</p>' not in site.visitor().get('/about/').text, 5, 'our own page')


def a_peer_that_stalls_is_dropped_and_holds_one_worker(site):
    first, params = begin()
    pieces = (first[:4], first, first + params[:20], first + params + record(4, b''),
              first + params + record(4, b'') + record(5, b'half'))
    sockets = []
    try:
        for piece in pieces:  # one after another: each takes what it takes, none for ever
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10)
            s.connect(os.path.join(site.run, 'robots.sock'))
            s.sendall(piece)
            sockets.append(s)
            began = time.monotonic()
            equal(site.visitor().get('/robots.txt').status, 200)
            if time.monotonic() - began > 1:
                raise AssertionError('robots waited %.1f s' % (time.monotonic() - began))
            with contextlib.suppress(ConnectionError):
                while s.recv(4096):
                    pass
            s.close()
        equal(len(site.handler_workers('robots')), site.workers)
    finally:
        for s in sockets:
            s.close()


def garbage_on_the_socket_does_no_harm(site):
    random.seed(11)
    first, params = begin()
    whole = first + params + record(4, b'') + record(5, b'')
    for i in range(150):
        data = bytearray(whole)
        for _ in range(random.randint(1, 6)):
            data[random.randrange(len(data))] = random.randrange(256)
        if i % 5 == 0:
            data = bytes(random.randrange(256) for _ in range(random.randint(1, 300)))
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
            s.settimeout(2)
            s.connect(os.path.join(site.run, 'robots.sock'))
            s.sendall(bytes(data))
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
    wait_for(lambda: site.visitor().get('/robots.txt').status == 200, 5, 'robots')
    equal(site.handlers['robots'].poll(), None)


def many_idle_connections_stop_nobody(site):
    sockets = []
    try:
        for _ in range(300):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(2)
            s.connect(os.path.join(site.run, 'home.sock'))
            sockets.append(s)
        for _ in range(20):
            equal(site.visitor().get('/about/').status, 200)
    finally:
        for s in sockets:
            s.close()
    equal(site.visitor().get('/about/').status, 200)


def few_file_descriptors_are_lived_with(site):
    site.stop_handler('home')
    site.start_handler('home', 'prlimit', '--nofile=24')
    sockets = []
    try:
        for _ in range(80):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(1)
            with contextlib.suppress(OSError):
                s.connect(os.path.join(site.run, 'home.sock'))
            sockets.append(s)
        time.sleep(0.5)
        used = [sum(map(int, open('/proc/%d/stat' % p).read().rsplit(')', 1)[1].split()[11:13]))
                for p in site.handler_workers('home')]
        time.sleep(1)
        spent = [sum(map(int, open('/proc/%d/stat' % p).read().rsplit(')', 1)[1].split()[11:13])) - u
                 for p, u in zip(site.handler_workers('home'), used)]
        if max(spent) > 50:
            raise AssertionError('a worker spins: %d ticks in a second' % max(spent))
    finally:
        for s in sockets:
            s.close()
    wait_for(lambda: site.visitor().get('/about/').status == 200, 3, 'a page')
    site.stop_handler('home')
    site.start_handler('home')


@needs('sqlite')
def a_locked_database_is_waited_for_then_503(site):
    client = site.signed_in('ada')
    token = client.token('/targets/create/')
    fields = {'name': 'Waited for', 'type': 'SIDEREAL', 'ra': '1', 'dec': '1',
              'permissions': 'PRIVATE'}

    @contextlib.contextmanager
    def lock():
        with contextlib.closing(sqlite3.connect(site.sqlite, isolation_level=None,
                                                check_same_thread=False)) as db:
            db.execute('BEGIN IMMEDIATE')
            yield db
            db.execute('ROLLBACK')
    reader = site.signed_in('ben')
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with lock():
            waiting = pool.submit(client.post, '/targets/create/', fields, token=token)
            time.sleep(0.7)
            equal(reader.get('/targets/').status, 200, 'readers go on')
        equal(waiting.result().status, 302, 'the writer that waited')
        with lock():
            answer = client.post('/targets/create/', dict(fields, name='Too long'), token=token)
            equal(answer.status, 503)
            contains(answer.headers, 'Retry-After')
    equal(site.one("SELECT COUNT(*) FROM target WHERE name = 'Too long'"), '0')
    _healthy(site)


@needs('sqlite')
def pages_of_the_signed_in_go_on_while_a_writer_holds_the_database(site):
    client = site.signed_in('ben')
    site.sql('UPDATE session SET last_seen = last_seen - 120000000')  # its use is to be noted
    with contextlib.closing(sqlite3.connect(site.sqlite, isolation_level=None)) as db:
        db.execute('BEGIN IMMEDIATE')
        began = time.monotonic()
        for _ in range(10):
            equal(client.get('/about/').status, 200)
        took = time.monotonic() - began
        db.execute('ROLLBACK')
    if took > 1:
        raise AssertionError('ten pages took %.1f s' % took)

    def noted():
        client.get('/about/')
        return site.one('SELECT COUNT(*) FROM session WHERE user_id = (SELECT id FROM users WHERE '
                        "username = 'ben') AND last_seen > created") != '0'
    site.sql('UPDATE session SET last_seen = created - 120000000')
    wait_for(noted, 10, 'noting the use of the session')


@needs('sqlite')
def a_full_disk_refuses_writes_and_nothing_else(site):
    if os.getuid() != 0:
        raise Skip('mounting a small file system needs root')
    small = os.path.join(site.directory, 'small')
    os.mkdir(small)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=6m,mode=0777', 'meridian-test', small],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip('no file system can be mounted here')
    other = None
    try:
        other = Site(site.workshop, 'nginx', 'sqlite',
                     {'DATABASE_URL': 'sqlite:%s/meridian.sqlite3' % small})
        other.sqlite = small + '/meridian.sqlite3'
        client = other.signed_in('ada')
        token = client.token('/targets/create/')

        def create(name):
            return client.post('/targets/create/', {
                'name': name, 'type': 'SIDEREAL', 'ra': '1', 'dec': '1', 'permissions': 'PRIVATE'},
                token=token).status
        equal(create('before') in (302, 303), True)
        with open(small + '/filler', 'wb', buffering=0) as f, contextlib.suppress(OSError):
            while f.write(b'x' * 4096):
                pass
        statuses = []
        for i in range(60):  # free pages of the log are used up first
            statuses.append(create('full %d' % i))
            if statuses[-1] not in (302, 303):
                break
        if statuses[-1] not in (503, 507):
            raise AssertionError('writes on a full disk: %r' % statuses[-3:])
        refused = 'full %d' % (len(statuses) - 1)
        equal(client.get('/targets/').status, 200, 'reading goes on')
        equal(client.get('/accounts/password/').status, 200, 'the session goes on')
        equal(other.visitor().get('/robots.txt').status, 200)
        os.unlink(small + '/filler')
        equal(create('after') in (302, 303), True, 'after space came back')
        names = [row[0] for row in other.sql('SELECT name FROM target')]
        equal(('before' in names, 'after' in names, refused in names), (True, True, False))
        _healthy(other)
    finally:
        if other is not None:
            other.close()
        subprocess.run(['umount', small])


@needs('postgresql', 'mariadb')
def a_database_that_goes_and_comes_back_is_found_again(site):
    server = site.database_server
    client = site.signed_in('ada')
    for mode in ('fast', 'immediate'):
        equal(client.get('/targets/').status, 200)
        server.stop(mode)
        try:
            for path in ('/targets/', '/'):
                began = time.monotonic()
                answer = client.get(path)
                equal(answer.status, 503, path)
                contains(answer.headers, 'Retry-After')
                if time.monotonic() - began > 2:
                    raise AssertionError('503 took %.1f s' % (time.monotonic() - began))
            equal(client.get('/robots.txt').status, 200, 'robots needs no database')
        finally:
            server.start()
        wait_for(lambda: client.get('/targets/').status == 200, 2.5, 'the page')
        equal(client.get('/').status, 200)


@needs('postgresql', 'mariadb')
def a_service_started_while_the_database_is_away_waits_for_it(site):
    server = site.database_server
    client = site.signed_in('ada')
    server.stop()
    try:
        site.stop_handler('targets')
        site.start_handler('targets')
        answer = client.get('/targets/')
        equal(answer.status, 503)
        contains(answer.headers, 'Retry-After')
    finally:
        server.start()
    wait_for(lambda: client.get('/targets/').status == 200, 2.5, 'the page')


@needs('postgresql', 'mariadb')
def ended_connections_under_writes_lose_nothing(site):
    def cut():
        time.sleep(0.2)
        site.database_server.cut(site.database_name)
    _under_writes(site, 8, cut, 'cut')
    _healthy(site)


@needs('postgresql', 'mariadb')
def a_crash_of_the_database_under_writes_loses_nothing(site):
    def crash():
        time.sleep(1.2)
        site.database_server.stop('immediate')
        site.database_server.start()
    site.database_server.durable()
    _under_writes(site, 8, crash, 'crash')
    _healthy(site)


@needs('postgresql', 'mariadb')
def connections_are_not_leaked(site):
    client = site.signed_in('ada')
    for _ in range(30):
        for path in ('/', '/targets/', '/accounts/password/', '/admin/'):
            client.get(path)
    count = site.database_server.connections(site.database_name)
    most = site.workers * 4
    if count > most:
        raise AssertionError('%d connections of at most %d workers' % (count, most))


def everything_ends_within_two_seconds_of_sigterm(site):
    for name in list(site.handlers):
        handler = site.handlers[name]
        workers = site.handler_workers(name)
        began = time.monotonic()
        handler.terminate()
        handler.wait(5)
        took = time.monotonic() - began
        equal(handler.returncode, 0, name)
        if took > 2:
            raise AssertionError('%s took %.1f s' % (name, took))
        equal([p for p in workers if os.path.exists('/proc/%d' % p)], [], 'workers of ' + name)
        del site.handlers[name]
        equal(os.path.exists(os.path.join(site.run, name + '.sock')), False, 'the socket of ' + name)
        site.start_handler(name)
    equal(process.sleep_until(lambda: site.visitor().get('/').status == 200, 3), True)
