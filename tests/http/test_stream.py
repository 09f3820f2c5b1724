"""
meridian-ingest run: streams of files become objects, targets and measurements, each alert once whatever
is killed; what cannot be read is put aside, shown and taken again.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

from harness import process
from harness.report import contains, equal, needs, wait_for


class Stream:
    """A folder, and daemons that serve streams of it."""

    def __init__(self, site, name):
        self.site = site
        self.name = name
        self.folder = tempfile.mkdtemp(prefix='meridian-stream-')
        os.chmod(self.folder, 0o755)
        self.inbox = self.folder + '/inbox'
        os.mkdir(self.inbox)
        self.config = self.folder + '/meridian.conf'
        self.running = []

    def configure(self, **keys):
        lines = {'source': 'files', 'path': self.inbox, 'create': 'all', 'batch_packets': '20',
                 'batch_ms': '20', 'permissions': 'PUBLIC', **keys}
        shutil.copy(self.site.config, self.config)
        with open(self.config, 'a') as f:
            f.write('\n[stream %s]\n' % self.name)
            f.writelines('%s = %s\n' % line for line in lines.items())
        os.chmod(self.config, 0o640)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), self.config)

    def command(self, *args, check=False):
        return self.site.command('meridian-ingest', *args, check=check, MERIDIAN_CONFIG=self.config)

    def start(self, *args):
        with open(self.folder + '/log', 'ab') as log:
            daemon = subprocess.Popen(
                [self.site.workshop.app + '/bin/meridian-ingest', 'run', *args], stdout=log,
                stderr=log, cwd='/', env=self.site.environment(
                    MERIDIAN_CONFIG=self.config, MERIDIAN_TEST_KAFKA=HASTE),
                **process.as_user())
        self.running.append(daemon)
        return daemon

    def log(self):
        with open(self.folder + '/log') as f:
            return f.read()

    def count(self, what='alert', more=''):
        return int(self.site.one("SELECT COUNT(*) FROM alert WHERE stream = '%s'" % self.name)
                   if what == 'alert' else
                   self.site.one("SELECT %s FROM survey_object o WHERE EXISTS (SELECT 1 FROM alert "
                                 "a WHERE a.object_id = o.id AND a.stream = '%s') %s"
                                 % (what, self.name, more)))

    def expect(self, alerts, points):
        """All is there, once."""
        equal(self.count(), alerts, self.log()[-2000:])
        equal(self.count('COALESCE(SUM(alerts), 0)'), alerts)
        equal(int(self.site.one(
            "SELECT COUNT(*) FROM datum d WHERE d.target_id IN (SELECT target_id FROM survey_object o "
            "WHERE EXISTS (SELECT 1 FROM alert a WHERE a.object_id = o.id AND a.stream = '%s'))"
            % self.name)), points)

    def close(self):
        for daemon in self.running:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def _stream(site, name):
    stream = Stream(site, name)
    try:
        yield stream
    finally:
        stream.close()


def _make(site, out, seed, *options):
    subprocess.run([site.workshop.build + '/tests/tools/make-alerts', '--seed', str(seed),
                    '--out', out, '--points', '5',
                    *([] if '--schema' in options else ['--schema', '3.3']), *options], check=True)


def _ends(daemon, status=0):
    daemon.send_signal(signal.SIGTERM)
    equal(daemon.wait(10), status)


@needs('nginx')
def an_archive_that_the_daemon_dies_over_is_read_on_where_it_was(site):
    with _stream(site, 'night') as s:
        s.configure(batch_packets='10', watch='no')
        _make(site, s.folder + '/packets', 601, '--count', '400', '--objects', '100')
        with tarfile.open(s.inbox + '/night.tar.gz', 'w:gz') as tar:
            for name in sorted(os.listdir(s.folder + '/packets')):
                tar.add(s.folder + '/packets/' + name, name)
        kills = 0
        while True:
            before = s.count()
            daemon = s.start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                # in mid-flight, at another moment each time
                if kills < 5:
                    wait_for(lambda: s.count() > before or daemon.poll() is not None, 10, 'a batch')
                    time.sleep(random.uniform(0, 0.02))
                    daemon.kill()
                    kills += 1
                # 1: SQLite's files of who was killed are just being made anew by our own look
                equal(daemon.wait(20) in (0, 1, -signal.SIGKILL), True, s.log()[-2000:])
            if daemon.returncode == 0:
                break
        s.expect(400, 100 * 8)
        # and once more there is nothing to do
        equal(s.start().wait(10), 0)
        s.expect(400, 100 * 8)


@needs('nginx')
def files_that_come_are_taken_when_they_are_whole(site):
    with _stream(site, 'inbox') as s:
        s.configure()
        _make(site, s.inbox + '/first.avro', 602, '--count', '30', '--objects', '30', '--single')
        daemon = s.start()
        wait_for(lambda: s.count() == 30, 10, 'what was there')
        _make(site, s.folder + '/second', 603, '--count', '30', '--objects', '30', '--single')
        with open(s.folder + '/second', 'rb') as f:
            whole = f.read()
        with open(s.inbox + '/second.avro', 'wb') as f:
            f.write(whole[:len(whole) // 2])
            f.flush()
            os.rename(s.folder + '/second', s.inbox + '/third.avro')
            wait_for(lambda: s.count() == 60, 10, 'what was moved there')
            f.write(whole[len(whole) // 2:])
        # the same packets again: read, and nothing is new
        wait_for(lambda: site.one("SELECT COUNT(*) FROM stream_offset WHERE stream = 'inbox' AND "
                                  "done = 1") == '3', 10, 'the file that was closed')
        s.expect(60, 60 * 5)
        equal(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'inbox'"), '0')
        said = json.loads(s.command('status', '--json'))['streams']
        mine = [line for line in said if line['stream'] == 'inbox'][0]
        equal((mine['alive'], mine['error'], mine['pid']), (True, '', daemon.pid))
        _ends(daemon)
        equal([line for line in json.loads(s.command('status', '--json'))['streams']
               if line['stream'] == 'inbox'], [])


@needs('nginx')
def what_cannot_be_read_is_put_aside_with_its_reason_and_taken_again(site):
    with _stream(site, 'poison') as s:
        s.configure(watch='no')
        _make(site, s.folder + '/packets', 604, '--count', '20', '--objects', '20', '--framed',
              '--schema', 'lsst')
        names = sorted(os.listdir(s.folder + '/packets'))
        for name in names:
            shutil.copy(s.folder + '/packets/' + name, s.inbox + '/' + name.split('.')[0] + '.avro')
        with open(s.inbox + '/zz.avro', 'wb') as f:
            f.write(b'SIMPLE  =                    T')
        equal(s.start().wait(20), 0, s.log())
        equal(s.count(), 0)
        equal(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'poison'"), '21')
        contains(s.command('status'), 'poison: 21 dead letters')
        # the schemas are there now
        s.configure(watch='no', schemas=_schemas(s))
        contains(s.command('replay', '--all'), '20 dead letters were taken')
        equal(site.last.returncode, 3)
        equal(s.count(), 20)
        equal(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'poison' AND replayed IS NULL"),
              '1')


def _schemas(s):
    """A directory with the schema of what make-alerts frames."""
    path = s.folder + '/schemas'
    os.makedirs(path, exist_ok=True)
    with open(path + '/900.avsc', 'w') as f:
        subprocess.run([s.site.workshop.build + '/tests/tools/make-alerts', '--print-schema',
                        '--schema', 'lsst'], check=True, stdout=f)
    return path


def _refuse(site, candids):
    """The database takes none of these alerts."""
    some = '(%s)' % ', '.join(map(str, candids))
    if site.database == 'sqlite':
        site.sql('CREATE TRIGGER poison BEFORE INSERT ON alert WHEN NEW.alert_id IN %s '
                 "BEGIN SELECT RAISE(ABORT, 'poison'); END" % some)
    else:
        site.sql('ALTER TABLE alert ADD CONSTRAINT poison CHECK (alert_id NOT IN %s)' % some)


def _refuse_no_more(site):
    site.sql('DROP TRIGGER poison' if site.database == 'sqlite' else
             'ALTER TABLE alert DROP CONSTRAINT poison')


@needs('nginx')
def what_the_database_refuses_is_put_aside_and_the_rest_is_stored(site):
    with _stream(site, 'refused') as s:
        s.configure(watch='no', schemas=_schemas(s))
        _make(site, s.folder + '/packets', 616, '--count', '60', '--objects', '60', '--framed',
              '--schema', 'lsst')
        names = sorted(os.listdir(s.folder + '/packets'))
        ids = [name.split('.')[0] for name in names]
        for name, candid in zip(names, ids):
            shutil.copy(s.folder + '/packets/' + name, '%s/%s.avro' % (s.inbox, candid))
        os.rename('%s/%s.avro' % (s.inbox, ids[0]),
                  os.fsencode(s.inbox) + b'/a\xe9.avro')  # a name that is no UTF-8
        # a container of others, and one of them
        _make(site, s.folder + '/same', 617, '--count', '60', '--objects', '60')
        other = sorted(os.listdir(s.folder + '/same'))[30].split('.')[0]
        _make(site, s.inbox + '/zz.avro', 617, '--count', '60', '--objects', '60', '--single')
        poison = [ids[7], ids[41], ids[42]]
        _refuse(site, [*poison, other])
        try:
            equal(s.start().wait(30), 0, s.log()[-2000:])
        finally:
            _refuse_no_more(site)
        equal(s.count(), 116, s.log()[-2000:])
        letters = site.sql("SELECT topic, place, reason, CASE WHEN bytes IS NULL THEN '' ELSE 'kept' "
                           "END FROM dead_letter WHERE stream = 'refused' ORDER BY topic, place")
        equal([(topic, place, kept) for topic, place, _, kept in letters],
              [*((candid + '.avro', '0', 'kept') for candid in poison), ('zz.avro', '30', '')])
        for letter in letters:
            contains(letter[2], 'the database refuses it: ', 'poison')
        # it takes them now
        contains(s.command('replay', '--all'), '3 dead letters were taken')
        equal(s.count(), 119)
        equal(s.start().wait(10), 0)
        equal(s.count(), 119)


@needs('nginx')
def a_wrong_stream_stops_the_daemon_and_a_wrong_reread_does_not(site):
    with _stream(site, 'wrong') as s:
        s.configure(create='some')
        equal(s.start().wait(10), 78)
        contains(s.log(), 'create is one of all|match|never')
        s.configure(group='nobody-knows-them')
        equal(s.start().wait(10), 78)
        s.configure()
        equal(s.start('elsewhere').wait(10), 78)
        contains(s.log(), 'there is no stream elsewhere')
        daemon = s.start()
        _make(site, s.inbox + '/a.avro', 605, '--count', '1', '--objects', '1', '--single')
        wait_for(lambda: s.count() == 1, 10, 'the packet')
        s.configure(create='some')
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: 'all goes on as before' in s.log(), 10, 'the word of it')
        _make(site, s.inbox + '/b.avro', 606, '--count', '1', '--objects', '1', '--single')
        wait_for(lambda: s.count() == 2, 10, 'the next packet')
        s.configure(create='never')
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: 'was read again' in s.log(), 10, 'the word of it')
        _make(site, s.inbox + '/c.avro', 607, '--count', '1', '--objects', '1', '--single')
        wait_for(lambda: s.count() == 3, 10, 'the last packet')
        equal(s.count('COUNT(*)', 'AND target_id IS NULL'), 1)
        contains(s.command('check'), 'wrong: all is there')
        _ends(daemon)


@needs('nginx', 'postgresql', 'mariadb')
def a_database_that_is_away_stops_the_stream_and_not_the_daemon(site):
    with _stream(site, 'away') as s:
        s.configure()
        _make(site, s.inbox + '/a.avro', 608, '--count', '10', '--objects', '10', '--single')
        daemon = s.start()
        wait_for(lambda: s.count() == 10, 10, 'the packets')
        site.database_server.stop('fast')
        try:
            _make(site, s.inbox + '/b.avro', 609, '--count', '10', '--objects', '10', '--single')
            wait_for(lambda: 'the stream waits' in s.log(), 15, 'the stream')
            equal(daemon.poll(), None)
        finally:
            site.database_server.start()
        wait_for(lambda: s.count() == 20, 20, 'the packets')
        s.expect(20, 20 * 5)
        _ends(daemon)


class Broker:
    """librdkafka's own for tests, and what is said to it."""

    def __init__(self, site, partitions):
        self.process = subprocess.Popen(
            [site.workshop.build + '/tests/tools/mock-kafka', 'ztf_20261127_programid1',
             str(partitions)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def say(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def _broker(site, partitions):
    broker = Broker(site, partitions)
    try:
        yield broker
    finally:
        broker.close()


# A group's member is missed sooner, and what was away is asked for again sooner.
HASTE = ('session.timeout.ms=4500,heartbeat.interval.ms=200,topic.metadata.refresh.interval.ms=1000,'
         'reconnect.backoff.max.ms=200,fetch.wait.max.ms=50')


def _kafka(s, broker, **keys):
    s.configure(source='kafka', brokers=broker.address, topics='ztf_*_programid?',
                consumer_group='tom', batch_packets='10', **keys)
    with open(s.config) as f:
        lines = [line for line in f if not line.startswith('path = ')]
    with open(s.config, 'w') as f:
        f.writelines(lines)


# Each of these waits some seconds for the mock's group: an engine each, all three by hand.
@needs('nginx', 'postgresql')
def messages_are_stored_once_whoever_of_two_daemons_is_killed(site):
    with _stream(site, 'group') as s, _broker(site, 4) as broker:
        _kafka(s, broker)
        _make(site, s.folder + '/packets', 610, '--count', '400', '--objects', '100')
        equal(broker.say('produce ' + s.folder + '/packets'), '400')
        daemons = [s.start(), s.start()]
        for kill in range(4):
            before = s.count()
            wait_for(lambda: s.count() > before or s.count() == 400, 20, 'messages')
            daemons[kill % 2].kill()
            daemons[kill % 2].wait()
            daemons[kill % 2] = s.start()
        wait_for(lambda: s.count() == 400, 30, 'all messages')
        s.expect(400, 100 * 8)
        equal(site.one("SELECT SUM(next) FROM stream_offset WHERE stream = 'group'"), '400')
        for daemon in daemons:
            _ends(daemon)
        # what the table says is where it goes on, whatever the broker remembers
        _make(site, s.folder + '/more', 611, '--count', '40', '--objects', '40')
        equal(broker.say('produce ' + s.folder + '/more'), '40')
        daemon = s.start()
        wait_for(lambda: s.count() == 440, 20, 'the new messages')
        s.expect(440, 100 * 8 + 40 * 5)
        _ends(daemon)


@needs('nginx', 'sqlite')
def a_broker_that_is_away_is_waited_for(site):
    with _stream(site, 'broker') as s, _broker(site, 1) as broker:
        _kafka(s, broker)
        contains(s.command('check'), 'broker: all is there')
        daemon = s.start()
        _make(site, s.folder + '/a', 612, '--count', '30', '--objects', '30')
        equal(broker.say('produce ' + s.folder + '/a'), '30')
        wait_for(lambda: s.count() == 30, 20, 'the messages')
        equal(broker.say('down'), 'down')
        wait_for(lambda: 'the stream waits' in s.log(), 20, 'the stream')
        equal(daemon.poll(), None)
        equal(broker.say('up'), 'up')
        _make(site, s.folder + '/b', 613, '--count', '30', '--objects', '30')
        equal(broker.say('produce ' + s.folder + '/b'), '30')
        wait_for(lambda: s.count() == 60, 20, 'the messages')
        s.expect(60, 60 * 5)
        _ends(daemon)


@needs('nginx', 'mariadb')
def a_database_that_is_away_loses_no_message(site):
    with _stream(site, 'both') as s, _broker(site, 2) as broker:
        _kafka(s, broker)
        daemon = s.start()
        _make(site, s.folder + '/a', 614, '--count', '30', '--objects', '30')
        equal(broker.say('produce ' + s.folder + '/a'), '30')
        wait_for(lambda: s.count() == 30, 20, 'the messages')
        site.database_server.stop('immediate')
        try:
            _make(site, s.folder + '/b', 615, '--count', '30', '--objects', '30')
            equal(broker.say('produce ' + s.folder + '/b'), '30')
            wait_for(lambda: 'the stream waits' in s.log(), 20, 'the stream')
        finally:
            site.database_server.start()
        wait_for(lambda: s.count() == 60, 20, 'the messages')
        s.expect(60, 60 * 5)
        _ends(daemon)
