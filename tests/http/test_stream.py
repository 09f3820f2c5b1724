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
import time

from harness.report import contains, equal, needs, wait_for
from harness.stream import Registry, ends, kafka, make, schemas, stream


@needs('nginx')
def an_archive_that_the_daemon_dies_over_is_read_on_where_it_was(site):
    with stream(site, 'archive') as s:
        s.configure(batch_packets='10', watch='no')
        make(site, s.folder + '/packets', 601, '--count', '400', '--objects', '100')
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
        # and once more there is nothing to do, but for what is gone for a season
        site.sql("INSERT INTO stream_offset (stream, topic, part, next, done, modified) SELECT stream, "
                 "'gone.avro', 1, 1, 1, modified - 8000000000000 FROM stream_offset WHERE stream = 'archive'")
        site.sql("INSERT INTO stream_offset (stream, topic, part, next, done, modified) SELECT stream, "
                 "'lately.avro', 1, 1, 1, modified - 7000000000000 FROM stream_offset WHERE stream = 'archive' "
                 "AND topic <> 'gone.avro'")
        equal(s.start().wait(10), 0)
        s.expect(400, 100 * 8)
        equal([topic for topic, in site.sql("SELECT topic FROM stream_offset WHERE stream = 'archive' "
                                            'ORDER BY topic')], ['lately.avro', 'night.tar.gz'])


@needs('nginx')
def files_that_come_are_taken_when_they_are_whole(site):
    with stream(site, 'inbox') as s:
        s.configure()
        make(site, s.inbox + '/first.avro', 602, '--count', '30', '--objects', '30', '--single')
        daemon = s.start()
        wait_for(lambda: s.count() == 30, 10, 'what was there')
        make(site, s.folder + '/second', 603, '--count', '30', '--objects', '30', '--single')
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
        ends(daemon)
        equal([line for line in json.loads(s.command('status', '--json'))['streams']
               if line['stream'] == 'inbox'], [])


@needs('nginx')
def a_file_that_is_told_of_twice_is_read_once(site):
    with stream(site, 'twice') as s:
        s.configure(batch_packets='1000', batch_ms='500')
        make(site, s.inbox + '/first.avro', 641, '--count', '3', '--objects', '3', '--single')
        for name, seed in (('a', 642), ('b', 643)):
            make(site, s.folder + '/' + name, seed, '--count', '3', '--objects', '3', '--single')
        daemon = s.start()
        wait_for(lambda: s.count() == 3, 10, 'what was there')
        for name in ('a', 'b'):
            os.rename(s.folder + '/' + name, s.inbox + '/' + name + '.avro')
        with open(s.inbox + '/a.avro', 'ab'):
            pass
        wait_for(lambda: s.count() == 9, 10, 'what came')
        equal('the stream waits' in s.log(), False, s.log())
        ends(daemon)


@needs('nginx')
def a_message_that_waits_for_its_schema_is_there_after_a_database_that_failed(site):
    with stream(site, 'behind') as s:
        with open(schemas(s) + '/900.avsc') as f, \
                contextlib.closing(Registry(f.read())) as registry:
            registry.message = 'not now: ' + 150 * '\u2026'  # it is cut within a character
            s.configure(registry=registry.url)
            make(site, s.inbox + '/a.avro', 644, '--count', '3', '--objects', '3', '--single')
            make(site, s.folder + '/b', 645, '--count', '1', '--objects', '1', '--framed',
                 '--schema', 'lsst')
            os.rename('%s/b/%s' % (s.folder, os.listdir(s.folder + '/b')[0]), s.inbox + '/b.avro')
            site.sql('ALTER TABLE alert RENAME TO alert_away')
            try:
                daemon = s.start()
                wait_for(lambda: 'the stream waits' in s.log(), 10, 'the daemon')
            finally:
                site.sql('ALTER TABLE alert_away RENAME TO alert')
            wait_for(lambda: s.count() == 3, 20, 'what needs no schema')
            wait_for(lambda: 'it waits: http' in s.command('status'), 10, 'the reason')
            registry.away = False
            wait_for(lambda: s.count() == 4, 20, 'what needs one')
            ends(daemon)


@needs('nginx')
def a_database_of_an_earlier_time_is_brought_up_to_date(site):
    with stream(site, 'earlier') as s:
        s.configure()
        make(site, s.inbox + '/a.avro', 646, '--count', '5', '--objects', '5', '--single')
        daemon = s.start()
        wait_for(lambda: s.count() == 5, 10, 'the packets')
        wait_for(lambda: site.one("SELECT COUNT(*) FROM stream_state WHERE stream = 'earlier'") == '1',
                 10, 'the first report')
        # as in a backup of before
        for table in ('alert', 'stream_offset', 'stream_state'):
            site.sql("DELETE FROM %s WHERE stream = 'earlier'" % table)
        wait_for(lambda: s.count() == 5, 10, 'the packets again')
        ends(daemon)


@needs('nginx')
def what_cannot_be_read_is_put_aside_with_its_reason_and_taken_again(site):
    with stream(site, 'poison') as s:
        s.configure(watch='no')
        make(site, s.folder + '/packets', 604, '--count', '20', '--objects', '20', '--framed',
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
        s.configure(watch='no', schemas=schemas(s))
        contains(s.command('replay', '--all'), '20 dead letters were taken')
        equal(site.last.returncode, 3)
        equal(s.count(), 20)
        equal(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'poison' AND replayed IS NULL"),
              '1')


def _refuse(site, candids):
    """The database takes none of these alerts of the stream `refused`."""
    some = '(%s)' % ', '.join(map(str, candids))
    if site.database == 'sqlite':
        site.sql("CREATE TRIGGER poison BEFORE INSERT ON alert WHEN NEW.stream = 'refused' AND "
                 "NEW.alert_id IN %s BEGIN SELECT RAISE(ABORT, 'poison'); END" % some)
    else:
        site.sql("ALTER TABLE alert ADD CONSTRAINT poison CHECK (stream <> 'refused' OR "
                 'alert_id NOT IN %s)' % some)


def _refuse_no_more(site):
    site.sql('DROP TRIGGER poison' if site.database == 'sqlite' else
             'ALTER TABLE alert DROP CONSTRAINT poison')


@needs('nginx')
def what_the_database_refuses_is_put_aside_and_the_rest_is_stored(site):
    with stream(site, 'refused') as s:
        s.configure(watch='no', schemas=schemas(s))
        make(site, s.folder + '/packets', 616, '--count', '60', '--objects', '60', '--framed',
              '--schema', 'lsst')
        names = sorted(os.listdir(s.folder + '/packets'))
        ids = [name.split('.')[0] for name in names]
        for name, candid in zip(names, ids):
            shutil.copy(s.folder + '/packets/' + name, '%s/%s.avro' % (s.inbox, candid))
        os.rename('%s/%s.avro' % (s.inbox, ids[0]),
                  os.fsencode(s.inbox) + b'/a\xe9.avro')  # a name that is no UTF-8
        # a container of others, and one of them
        make(site, s.folder + '/same', 617, '--count', '60', '--objects', '60')
        other = sorted(os.listdir(s.folder + '/same'))[30].split('.')[0]
        make(site, s.inbox + '/zz.avro', 617, '--count', '60', '--objects', '60', '--single')
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
              [*((candid + '.avro', '0', 'kept') for candid in poison), ('zz.avro', '30', 'kept')])
        for letter in letters:
            contains(letter[2], 'the database refuses it: ', 'poison')
        # it takes them now, the record of the container, too
        contains(s.command('replay', '--all'), '4 dead letters were taken')
        equal(s.count(), 120)
        equal(s.start().wait(10), 0)
        equal(s.count(), 120)


# ZTF's packets under another name.
MAPPING = '''[survey]
name = MINE
object = objectId
alert = candid
ra = candidate.ra
dec = candidate.dec
[detection]
time = candidate.jd
time_is = jd utc
band = candidate.fid
id = candid
magnitude = candidate.magpsf
magnitude_error = candidate.sigmapsf
sign = candidate.isdiffpos
[history prv_candidates]
time = jd
band = fid
id = candid
magnitude = magpsf
limit = diffmaglim
sign = isdiffpos
[bands]
1 = green
2 = red
3 = infrared
'''


@needs('nginx')
def a_survey_is_described_by_a_file(site):
    with stream(site, 'mine') as s:
        path = s.folder + '/mine.conf'
        with open(path, 'w') as f:
            f.write(MAPPING)
        s.configure(watch='no', map=path)
        make(site, s.inbox + '/a.avro', 625, '--count', '20', '--objects', '20', '--single')
        contains(s.command('check'), 'mine: all is there')
        equal(s.start().wait(20), 0, s.log())
        s.expect(20, 20 * 5)
        equal(site.one("SELECT COUNT(*) FROM datum WHERE source = 'MINE' AND band IN ('green', 'red', "
                       "'infrared')"), '100')
        make(site, s.folder + '/b.avro', 626, '--count', '5', '--objects', '5', '--single')
        contains(s.command('file', '--quiet', '--map', path, s.folder + '/b.avro'), '5')
        equal(site.one("SELECT COUNT(*) FROM survey_object WHERE survey = 'MINE'"), '25')
        with open(path, 'a') as f:
            f.write('[history fp_hists]\nkind = guessed\n')
        s.command('check')
        equal(site.last.returncode, 78)
        contains(site.last.stderr, path + ':27: kind is one of detection, forced')
        equal(s.start().wait(10), 78)


@needs('nginx')
def a_wrong_stream_stops_the_daemon_and_a_wrong_reread_does_not(site):
    with stream(site, 'wrong') as s:
        s.configure(create='some')
        equal(s.start().wait(10), 78)
        contains(s.log(), 'create is one of all|match|never')
        s.configure(group='nobody-knows-them')
        equal(s.start().wait(10), 78)
        s.configure()
        equal(s.start('elsewhere').wait(10), 78)
        contains(s.log(), 'there is no stream elsewhere')
        daemon = s.start()
        make(site, s.inbox + '/a.avro', 605, '--count', '1', '--objects', '1', '--single')
        wait_for(lambda: s.count() == 1, 10, 'the packet')
        s.configure(create='some')
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: 'all goes on as before' in s.log(), 10, 'the word of it')
        make(site, s.inbox + '/b.avro', 606, '--count', '1', '--objects', '1', '--single')
        wait_for(lambda: s.count() == 2, 10, 'the next packet')
        s.configure(create='never')
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: 'was read again' in s.log(), 10, 'the word of it')
        make(site, s.inbox + '/c.avro', 607, '--count', '1', '--objects', '1', '--single')
        wait_for(lambda: s.count() == 3, 10, 'the last packet')
        equal(s.count('COUNT(*)', 'AND target_id IS NULL'), 1)
        contains(s.command('check'), 'wrong: all is there')
        ends(daemon)


@needs('nginx', 'postgresql', 'mariadb')
def a_database_that_is_away_stops_the_stream_and_not_the_daemon(site):
    with stream(site, 'away') as s:
        s.configure()
        make(site, s.inbox + '/a.avro', 608, '--count', '10', '--objects', '10', '--single')
        daemon = s.start()
        wait_for(lambda: s.count() == 10, 10, 'the packets')
        site.database_server.stop('fast')
        try:
            make(site, s.inbox + '/b.avro', 609, '--count', '10', '--objects', '10', '--single')
            wait_for(lambda: 'the stream waits' in s.log(), 15, 'the stream')
            equal(daemon.poll(), None)
        finally:
            site.database_server.start()
        wait_for(lambda: s.count() == 20, 20, 'the packets')
        s.expect(20, 20 * 5)
        ends(daemon)


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


# Each of these waits some seconds for the mock's group: an engine each, all three by hand.
@needs('nginx', 'postgresql')
def messages_are_stored_once_whoever_of_two_daemons_is_killed(site):
    with stream(site, 'group') as s, _broker(site, 4) as broker:
        kafka(s, broker.address)
        make(site, s.folder + '/packets', 610, '--count', '400', '--objects', '100')
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
            ends(daemon)
        # what the table says is where it goes on, whatever the broker remembers
        make(site, s.folder + '/more', 611, '--count', '40', '--objects', '40')
        equal(broker.say('produce ' + s.folder + '/more'), '40')
        daemon = s.start()
        wait_for(lambda: s.count() == 440, 20, 'the new messages')
        s.expect(440, 100 * 8 + 40 * 5)
        ends(daemon)


@needs('nginx', 'sqlite')
def a_broker_that_is_away_is_waited_for(site):
    with stream(site, 'broker') as s, _broker(site, 1) as broker:
        kafka(s, broker.address)
        contains(s.command('check'), 'broker: all is there')
        daemon = s.start()
        make(site, s.folder + '/a', 612, '--count', '30', '--objects', '30')
        equal(broker.say('produce ' + s.folder + '/a'), '30')
        wait_for(lambda: s.count() == 30, 20, 'the messages')
        equal(broker.say('down'), 'down')
        wait_for(lambda: 'the stream waits' in s.log(), 20, 'the stream')
        equal(daemon.poll(), None)
        equal(broker.say('up'), 'up')
        make(site, s.folder + '/b', 613, '--count', '30', '--objects', '30')
        equal(broker.say('produce ' + s.folder + '/b'), '30')
        wait_for(lambda: s.count() == 60, 20, 'the messages')
        s.expect(60, 60 * 5)
        ends(daemon)


@needs('nginx', 'mariadb')
def a_database_that_is_away_loses_no_message(site):
    with stream(site, 'both') as s, _broker(site, 2) as broker:
        kafka(s, broker.address)
        daemon = s.start()
        make(site, s.folder + '/a', 614, '--count', '30', '--objects', '30')
        equal(broker.say('produce ' + s.folder + '/a'), '30')
        wait_for(lambda: s.count() == 30, 20, 'the messages')
        site.database_server.stop('immediate')
        try:
            make(site, s.folder + '/b', 615, '--count', '30', '--objects', '30')
            equal(broker.say('produce ' + s.folder + '/b'), '30')
            wait_for(lambda: 'the stream waits' in s.log(), 20, 'the stream')
        finally:
            site.database_server.start()
        wait_for(lambda: s.count() == 60, 20, 'the messages')
        s.expect(60, 60 * 5)
        ends(daemon)


@needs('nginx', 'sqlite')
def what_a_broker_threw_away_is_told_and_counted(site):
    with stream(site, 'gap') as s, _broker(site, 1) as broker:
        kafka(s, broker.address)
        make(site, s.folder + '/a', 618, '--count', '20', '--objects', '20')
        equal(broker.say('produce ' + s.folder + '/a'), '20')
        daemon = s.start()
        wait_for(lambda: s.count() == 20, 20, 'the messages')
        ends(daemon)
        # 13 MB: more than it keeps
        make(site, s.folder + '/b', 619, '--count', '110', '--objects', '110', '--cutout', '40000')
        equal(broker.say('produce ' + s.folder + '/b'), '110')
        daemon = s.start()
        wait_for(lambda: site.one("SELECT next FROM stream_offset WHERE stream = 'gap'") == '130', 20,
                 'the messages')
        lost = int(site.one("SELECT lost FROM stream_offset WHERE stream = 'gap'"))
        equal(0 < lost < 110, True, str(lost))
        equal(s.count() + lost, 130)
        contains(s.log(), 'what lay between is lost to us', '"lost":%d' % lost)
        contains(s.command('status'), 'gap: %d messages were lost' % lost)
        equal(json.loads(s.command('status', '--json'))['lost'], {'gap': lost})
        ends(daemon)


@needs('nginx', 'mariadb')
def latest_passes_over_what_is_there_and_nothing_that_comes(site):
    with stream(site, 'latest') as s, _broker(site, 2) as broker:
        kafka(s, broker.address, start='latest')
        make(site, s.folder + '/a', 620, '--count', '20', '--objects', '20')
        equal(broker.say('produce ' + s.folder + '/a'), '20')
        daemon = s.start()
        wait_for(lambda: site.one("SELECT SUM(next) FROM stream_offset WHERE stream = 'latest'") == '20',
                 20, 'the partitions')
        make(site, s.folder + '/b', 621, '--count', '20', '--objects', '20', '--first', '1')
        equal(broker.say('produce ' + s.folder + '/b'), '20')
        wait_for(lambda: s.count() == 20, 20, 'what came')
        # the topic of the next night has messages before anybody knows of it
        equal(broker.say('topic ztf_20261128_programid1 2'), 'ztf_20261128_programid1')
        make(site, s.folder + '/c', 622, '--count', '20', '--objects', '20')
        equal(broker.say('produce ' + s.folder + '/c'), '20')
        wait_for(lambda: s.count() == 40, 20, 'what is in the new topic')
        ends(daemon)
        # and so when nobody looked
        equal(broker.say('topic ztf_20261129_programid2 1'), 'ztf_20261129_programid2')
        make(site, s.folder + '/d', 623, '--count', '20', '--objects', '20')
        equal(broker.say('produce ' + s.folder + '/d'), '20')
        daemon = s.start()
        wait_for(lambda: s.count() == 60, 20, 'what is in the newest topic')
        ends(daemon)


@needs('nginx', 'postgresql')
def a_registry_that_is_away_stops_the_stream_and_not_the_daemon(site):
    with stream(site, 'schemas') as s, _broker(site, 1) as broker:
        with open(schemas(s) + '/900.avsc') as f, \
                contextlib.closing(Registry(f.read())) as registry:
            kafka(s, broker.address, registry=registry.url)
            make(site, s.folder + '/a', 624, '--count', '30', '--objects', '30', '--framed',
                  '--schema', 'lsst')
            equal(broker.say('produce ' + s.folder + '/a'), '30')
            daemon = s.start()
            wait_for(lambda: registry.asked >= 3, 20, 'the daemon')
            equal(daemon.poll(), None)
            contains(s.log(), 'the stream waits', 'not now (status 503)')
            equal(s.count(), 0)
            registry.away = False
            wait_for(lambda: s.count() == 30, 20, 'the messages')
            equal(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'schemas'"), '0')
            ends(daemon)
