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
from harness.site import PASSWORDS, Site

LOST = (http.client.HTTPException, ConnectionError, TimeoutError, OSError)

# How much of each fault: what tests/run has time for, and what is run by hand (--full).
SIZES = {'kills': 200, 'cut seconds': 10, 'crashes': 3, 'contention seconds': 10}
FULL = {'kills': 2000, 'cut seconds': 60, 'crashes': 50, 'contention seconds': 60}


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


def _writer(site, jar, prefix, over, done, unknown):
    """Creates targets till it is over; names that were acknowledged go to `done`."""
    client = Client(site.port, timeout=20)
    client.cookies = dict(jar)
    token = None
    number = 0
    while not over.is_set():
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


def _under_writes(site, prefix, fault, times=None, seconds=None, writers=3):
    """Runs `fault` so often, or for so long, while clients write."""
    jar = site.signed_in('ada').cookies
    over = threading.Event()
    done, unknown = [], []
    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        waiting = [pool.submit(_writer, site, jar, '%s%d' % (prefix, i), over, done, unknown)
                   for i in range(writers)]
        count = 0
        until = time.monotonic() + (seconds or 0)
        try:
            while count < times if times else time.monotonic() < until:
                fault()
                count += 1
        finally:
            over.set()
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
        # there may be none for a moment, where the last one's successor is being made
        wait_for(lambda: site.handler_workers('targets'), 5, 'a worker')
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(random.choice(site.handler_workers('targets')), signal.SIGKILL)
    _under_writes(site, 'kill', kill, times=SIZES['kills'])
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
    site.start_handler('home', 'prlimit', '--nofile=16')
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


@contextlib.contextmanager
def _small_disk(site, options):
    """A site whose database lies on a file system of its own; the site, a client and a form to send."""
    if os.getuid() != 0:
        raise Skip('mounting a small file system needs root')
    small = os.path.join(site.directory, 'small')
    os.makedirs(small, exist_ok=True)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', options + ',mode=0777', 'meridian-test', small],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip('no file system can be mounted here')
    other = None
    try:
        other = Site(site.workshop, 'nginx', 'sqlite',
                     {'DATABASE_URL': 'sqlite:%s/meridian.sqlite3' % small})
        other.sqlite = small + '/meridian.sqlite3'
        other.small = small
        client = other.signed_in('ada')
        token = client.token('/targets/create/')

        def create(name):
            return client.post('/targets/create/', {
                'name': name, 'type': 'SIDEREAL', 'ra': '1', 'dec': '1', 'permissions': 'PRIVATE'},
                token=token).status
        equal(create('before') in (302, 303), True)
        yield other, client, create
        names = [row[0] for row in other.sql('SELECT name FROM target')]
        equal([n for n in ('before', 'after') if n not in names], [], 'kept')
        equal('refused' in names, False, 'a write that was refused')
        _healthy(other)
    finally:
        if other is not None:
            other.close()
        subprocess.run(['umount', small])


def _all_but_writing_goes_on(site, client):
    equal(client.get('/targets/').status, 200, 'reading goes on')
    equal(client.get('/accounts/password/').status, 200, 'the session goes on')
    equal(site.visitor().get('/robots.txt').status, 200)


@needs('sqlite')
def a_full_disk_refuses_writes_and_nothing_else(site):
    with _small_disk(site, 'size=6m') as (other, client, create):
        with open(other.small + '/filler', 'wb', buffering=0) as f, contextlib.suppress(OSError):
            while f.write(b'x' * 4096):
                pass
        statuses = []
        for i in range(60):  # free pages of the log are used up first
            statuses.append(create('full %d' % i))
            if statuses[-1] not in (302, 303):
                break
        if statuses[-1] not in (503, 507):
            raise AssertionError('writes on a full disk: %r' % statuses[-3:])
        equal(create('refused') in (503, 507), True)
        _all_but_writing_goes_on(other, client)
        os.unlink(other.small + '/filler')
        equal(create('after') in (302, 303), True, 'after space came back')


@needs('sqlite')
def a_disk_without_inodes_stops_nobody(site):
    """The files that SQLite keeps beside the database are there or are not: both are lived with."""
    with _small_disk(site, 'size=16m,nr_inodes=12') as (other, client, create):
        count = 0
        with contextlib.suppress(OSError):
            while True:
                open('%s/filler%d' % (other.small, count), 'x').close()
                count += 1
        _all_but_writing_goes_on(other, client)
        status = create('among many files')
        equal(status in (302, 303, 503, 507), True, str(status))
        for i in range(count):
            os.unlink('%s/filler%d' % (other.small, i))
        equal(create('after') in (302, 303), True, 'after inodes came back')


@needs('sqlite')
def a_disk_that_turns_read_only_refuses_writes_and_nothing_else(site):
    with _small_disk(site, 'size=16m') as (other, client, create):
        if subprocess.run(['mount', '-o', 'remount,ro', other.small]).returncode:
            # a file is open for writing: as an operator does it, services away for a moment
            for name in list(other.handlers):
                other.stop_handler(name)
            equal(subprocess.run(['mount', '-o', 'remount,ro', other.small]).returncode, 0)
            for name in other.workshop.executables():
                other.start_handler(name)
        try:
            status = create('refused')
            equal(status in (500, 503, 507), True, str(status))
            equal(other.visitor().get('/robots.txt').status, 200)
            equal(client.get('/targets/').status in (200, 503), True)
        finally:
            equal(subprocess.run(['mount', '-o', 'remount,rw', other.small]).returncode, 0)
        wait_for(lambda: create('after') in (302, 303), 3, 'a write after the disk came back')


@needs('sqlite')
def writers_and_readers_together_see_no_lock(site):
    """16 who write, 16 who read: every answer is one of success, and no writer is starved."""
    jar = site.signed_in('ada').cookies
    over = threading.Event()
    waits, shares, bad = [], [], []

    def write(number):
        client = Client(site.port, timeout=20)
        client.cookies = dict(jar)
        token = client.token('/targets/create/')
        count = 0
        while not over.is_set():
            began = time.monotonic()
            status = client.post('/targets/create/', {
                'name': 'together %02d %06d' % (number, count), 'type': 'SIDEREAL', 'ra': '1', 'dec': '1',
                'permissions': 'PRIVATE'}, token=token).status
            waits.append(time.monotonic() - began)
            count += 1
            if status not in (302, 303):
                bad.append(('write', status))
        shares.append(count)

    def read():
        client = Client(site.port, timeout=20)
        client.cookies = dict(jar)
        while not over.is_set():
            status = client.get('/targets/').status
            if status != 200:
                bad.append(('read', status))
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        futures = [pool.submit(write, i) for i in range(16)] + [pool.submit(read) for _ in range(16)]
        time.sleep(SIZES['contention seconds'])
        over.set()
        for f in futures:
            f.result()
    equal(bad[:5], [])
    p99 = sorted(waits)[int(len(waits) * 0.99)]
    print('    %d writes, p99 %.0f ms, the slowest writer %d, the mean %d' % (
        len(waits), p99 * 1000, min(shares), sum(shares) / len(shares)))
    if p99 > 2:  # the goal, 0.5 s, is for a machine that does nothing else
        raise AssertionError('p99 of writes: %.2f s' % p99)
    if min(shares) < sum(shares) / len(shares) / 4:
        raise AssertionError('a writer was starved: %r' % shares)
    _healthy(site)


LIBFAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'


@contextlib.contextmanager
def _clock(site):
    """A site whose clock a test sets: a function of seconds to add to the time it is."""
    if not os.path.exists(LIBFAKETIME):
        raise Skip('libfaketime is not installed')
    with site.variant(SANDBOX='no') as other:
        offset = os.path.join(other.directory, 'offset')

        def jump(seconds):
            with open(offset + '.new', 'w') as f:
                f.write('%+d' % seconds)
            os.chmod(offset + '.new', 0o644)
            os.rename(offset + '.new', offset)
        jump(0)
        for name in list(other.handlers):
            other.stop_handler(name)
            other.start_handler(name, 'env', 'LD_PRELOAD=' + LIBFAKETIME, 'FAKETIME_NO_CACHE=1',
                                'FAKETIME_TIMESTAMP_FILE=' + offset, 'DONT_FAKE_MONOTONIC=1')
        yield other, jump


def a_session_ends_when_its_time_is_up_wherever_the_clock_jumps(site):
    with _clock(site) as (other, jump):
        client = other.signed_in('ada')
        page = '/accounts/password/'
        equal(client.get(page).status, 200)
        for back in (-3600, -86400, -10 * 365 * 86400):
            jump(back)
            equal(client.get(page).status, 200, 'a step back of %d s' % -back)
        jump(11 * 3600)
        equal(client.get(page).status, 200, 'within its idle limit')
        jump(15 * 86400)
        equal(client.get(page).status, 302, 'past its end')
        for year in (10 * 365 * 86400, 2 ** 31 - int(time.time()) + 3600):
            jump(year)
            equal(client.get(page).status, 302, 'years past its end')
            equal(other.visitor().get('/').status, 200)


def years_ahead_the_site_works(site):
    with _clock(site) as (other, jump):
        for name, seconds in (('2038', 2 ** 31 - int(time.time()) + 3600),
                              ('in ten years', 10 * 365 * 86400)):
            jump(seconds)
            client = Client(other.port)
            client.sign_in('ada', PASSWORDS['ada'])
            equal(client.submit('/targets/create/', {
                'name': name, 'ra': '1', 'dec': '1', 'permissions': 'OPEN'}).status, 302, name)
            contains(client.get('/targets/').text, name)
            equal(client.get('/robots.txt').status, 200)


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
    _under_writes(site, 'cut', cut, seconds=SIZES['cut seconds'])
    _healthy(site)


@needs('postgresql', 'mariadb')
def a_crash_of_the_database_under_writes_loses_nothing(site):
    reader = site.signed_in('ben')

    def crash():
        """While it is gone a page says so within a second; within two of its return all is well."""
        time.sleep(1.2)
        site.database_server.stop('immediate')
        began = time.monotonic()
        answer = reader.get('/targets/')
        equal(answer.status, 503)
        contains(answer.headers, 'Retry-After')
        if time.monotonic() - began > 1:
            raise AssertionError('503 took %.1f s' % (time.monotonic() - began))
        site.database_server.start()
        wait_for(lambda: reader.get('/targets/').status == 200, 2, 'a page')
    parents = {name: p.pid for name, p in site.handlers.items()}
    site.database_server.durable()
    _under_writes(site, 'crash', crash, times=SIZES['crashes'])
    equal({name: p.pid for name, p in site.handlers.items() if p.poll() is None}, parents)
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
