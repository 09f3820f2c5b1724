"""
meridian-ingest: made ZTF packets become targets with measurements, each once; what is said of those
that do not; who sees them.
"""
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness import process
from harness.report import contains, equal, needs


@contextlib.contextmanager
def _folder():
    """A directory that the site's user may read."""
    path = tempfile.mkdtemp(prefix='meridian-alerts-')
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _make(site, out, seed, *options):
    subprocess.run([site.workshop.build + '/tests/tools/make-alerts', '--seed', str(seed),
                    '--out', out, *options], check=True)


def _ingest(site, *args, status=0, stdin=''):
    """Runs the command on `args`; its summary."""
    out = site.command('meridian-ingest', 'file', *args, '--json', check=False, stdin=stdin)
    equal(site.last.returncode, status, site.last.stderr)
    found = json.loads(out)
    equal(found['status'], status)
    return found


def _a_name(site, after):
    """The name of the first target whose id is above `after`."""
    return site.one('SELECT name FROM target WHERE id > %d ORDER BY id LIMIT 1' % after)


def _last_id(site):
    return int(site.one('SELECT COALESCE(MAX(id), 0) FROM target'))


@needs('nginx')
def alerts_become_targets_with_a_light_curve(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 101, '--count', '6', '--objects', '3', '--points', '12',
              '--schema', '4.02')
        found = _ingest(site, folder, '--permissions', 'PUBLIC')
        equal((found['files'], found['read'], found['new_targets'], found['rejected']),
              (6, 6, 3, 0))
        stored = int(site.one('SELECT COUNT(*) FROM datum WHERE target_id > %d' % before))
        equal(found['new_points'], stored)
        again = _ingest(site, folder, '--permissions', 'PUBLIC')
        equal((again['read'], again['new_targets'], again['new_points']), (6, 0, 0))
        equal(again['duplicates'], found['new_points'] + found['duplicates'])
        equal(int(site.one('SELECT COUNT(*) FROM datum WHERE target_id > %d' % before)), stored)
    name = _a_name(site, before)
    target = site.one("SELECT id FROM target WHERE name = '%s'" % name)
    equal(site.visitor().get('/targets/%s/' % target).status, 404)
    page = site.signed_in('ada').get('/targets/%s/' % target)
    equal(page.status, 200)
    contains(page.text, name)
    contains(page.text, '<svg')
    equal(site.one("SELECT type FROM target WHERE id = %s" % target), 'SIDEREAL')


@needs('nginx')
def deflated_and_older_packets_are_read(site):
    with _folder() as folder:
        _make(site, folder + '/one', 102, '--count', '40', '--objects', '20', '--schema', '3.3',
              '--codec', 'deflate', '--single', '--block', '7', '--cutout', '500')
        found = _ingest(site, folder + '/one')
        equal((found['files'], found['read'], found['new_targets'], found['new_points']),
              (1, 40, 20, 20 * 31))


@needs('nginx')
def new_targets_are_private_unless_said_otherwise(site):
    site.meridian('group', 'add', 'Alert readers')
    site.meridian('group', 'join', 'Alert readers', 'ada')
    with _folder() as folder:
        ids = []
        for seed, options in ((103, ()), (104, ('--group', 'Alert readers')),
                              (105, ('--permissions', 'OPEN'))):
            ids.append(_last_id(site) + 1)
            _make(site, '%s/%d' % (folder, seed), seed, '--count', '1', '--single')
            equal(_ingest(site, '%s/%d' % (folder, seed), *options)['new_targets'], 1)

    def statuses(client):
        return [client.get('/targets/%d/' % i).status for i in ids]

    ids = [int(site.one('SELECT MIN(id) FROM target WHERE id >= %d' % i)) for i in ids]
    equal(statuses(site.visitor()), [404, 404, 200])
    equal(statuses(site.signed_in('ada')), [404, 200, 200])
    equal(statuses(site.signed_in('ben')), [404, 404, 200])
    equal(site.signed_in('ada').get('/targets/%d/update/' % ids[1]).status, 200)
    equal(site.signed_in('ben').get('/targets/%d/update/' % ids[2]).status, 403)
    equal([site.one('SELECT permissions FROM target WHERE id = %d' % i) for i in ids],
          ['PRIVATE', 'PRIVATE', 'OPEN'])


@needs('nginx')
def an_object_that_is_known_under_another_spelling_is_the_same_target(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 106, '--count', '1', '--single')
        _ingest(site, folder + '/a')
        name = _a_name(site, before)
        target = int(site.one("SELECT id FROM target WHERE name = '%s'" % name))
        spelt = name[:3].lower() + ' ' + name[3:5] + '-' + name[5:].upper()
        site.sql("UPDATE target SET name = '%s' WHERE id = %d" % (spelt, target))
        site.sql("UPDATE target_name SET name = '%s' WHERE target_id = %d" % (spelt, target))
        _make(site, folder + '/b', 106, '--count', '1', '--single', '--first', '1')
        found = _ingest(site, folder + '/b')
        equal((found['new_targets'], found['new_points']), (0, found['read']))


@needs('nginx')
def bad_packets_are_named_and_left_and_the_others_stored(site):
    with _folder() as folder:
        _make(site, folder + '/good', 107, '--count', '5')
        os.mkdir(folder + '/bad')
        whole = sorted(os.listdir(folder + '/good'))
        with open(folder + '/good/' + whole[0], 'rb') as f:
            packet = f.read()
        with open(folder + '/bad/cut.avro', 'wb') as f:
            f.write(packet[:len(packet) - 100])
        with open(folder + '/bad/empty.avro', 'wb'):
            pass
        with open(folder + '/bad/note.txt', 'w') as f:
            f.write('no packet')
        for name in ('.hidden.avro', '.other'):
            with open(folder + '/bad/' + name, 'w') as f:
                f.write('looked at by nobody')
        os.symlink(folder + '/good', folder + '/bad/link')
        found = _ingest(site, folder, status=3)
        equal((found['read'], found['stored'], found['files'], found['rejected'],
               found['passed_over']), (5, 5, 5, 2, 4))
        for text in ('cut.avro: offset ', 'the file was cut off',
                     'empty.avro: offset 0: the file is empty'):
            contains(site.last.stderr, text)
        equal(sorted(os.listdir(folder + '/bad')),
              ['.hidden.avro', '.other', 'cut.avro', 'empty.avro', 'link', 'note.txt'])
        os.mkdir(folder + '/good/closed', 0)
        _ingest(site, folder + '/good', status=3)
        contains(site.last.stderr, '/good/closed: Permission denied')
        _ingest(site, folder + '/bad/note.txt', status=3)
        contains(site.last.stderr, 'note.txt: offset 0: this is neither an Avro container file')


def _schema(site, path):
    with open(path, 'w') as f:
        subprocess.run([site.workshop.build + '/tests/tools/make-alerts', '--schema', 'lsst',
                        '--print-schema'], stdout=f, check=True)
    os.chmod(path, 0o644)


@needs('nginx')
def messages_of_rubin_become_targets_by_schemas_of_a_directory(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 120, '--count', '6', '--objects', '3', '--points', '20',
              '--schema', 'lsst', '--framed', '--cutout', '100')
        os.mkdir(folder + '/schemas')
        found = _ingest(site, folder)
        equal((found['read'], found['passed_over']), (0, 6))
        _ingest(site, folder + '/a/' + sorted(os.listdir(folder + '/a'))[0], status=3)
        contains(site.last.stderr, 'this is a Confluent message under the schema 900',
                 '--schemas, --registry')
        _ingest(site, folder + '/a', '--schemas', folder + '/schemas', status=3)
        contains(site.last.stderr, 'there is no schema 900 in %s/schemas' % folder)
        _schema(site, folder + '/schemas/900.avsc')
        options = ('--schemas', folder + '/schemas', '--permissions', 'OPEN')
        found = _ingest(site, folder, *options)
        equal((found['read'], found['new_targets'], found['rejected'], found['passed_over']),
              (6, 3, 0, 1))
        stored = int(site.one('SELECT COUNT(*) FROM datum WHERE target_id > %d' % before))
        equal(found['new_points'], stored)
        again = _ingest(site, folder, *options)
        equal((again['new_targets'], again['new_points']), (0, 0))
    target = before + 1
    page = site.visitor().get('/targets/%s/' % site.one(
        'SELECT MIN(id) FROM target WHERE id >= %d' % target))
    contains(page.text, 'LSST-AP-DO-', '<svg')
    contains(page.words, 'LSST')


class _Registry(http.server.BaseHTTPRequestHandler):
    asked = []
    schema = ''

    def do_GET(self):
        self.asked.append(self.path)
        text = json.dumps({'schema': self.schema}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


@needs('nginx')
def a_registry_is_asked_once_for_the_schema_of_all_messages(site):
    server = http.server.HTTPServer(('127.0.0.1', 0), _Registry)
    url = 'http://127.0.0.1:%d' % server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with _folder() as folder:
            _schema(site, folder + '/text')
            with open(folder + '/text') as f:
                _Registry.schema = f.read()
            os.remove(folder + '/text')
            os.mkdir(folder + '/schemas')
            os.chmod(folder + '/schemas', 0o777)
            _make(site, folder + '/a', 121, '--count', '5', '--schema', 'lsst', '--framed')
            options = ('--registry', url, '--schemas', folder + '/schemas')
            for _ in range(2):
                equal(_ingest(site, folder + '/a', *options)['read'], 5)
            equal(_Registry.asked, ['/schemas/ids/900'])
            equal(os.listdir(folder + '/schemas'), ['900.avsc'])
            site.command('meridian-ingest', 'file', folder + '/a', '--registry',
                         'http://registry.example.org', check=False)
            equal(site.last.returncode, 2)
            contains(site.last.stderr, 'https would be right, or http to this machine')
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@needs('nginx')
def what_moves_becomes_a_target_without_a_position(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 122, '--count', '1', '--schema', 'lsst', '--moving', '--codec', 'snappy')
        equal(_ingest(site, folder, '--permissions', 'OPEN')['new_targets'], 1)
    target = int(site.one('SELECT MIN(id) FROM target WHERE id > %d' % before))
    equal(site.one('SELECT type FROM target WHERE id = %d' % target), 'NON_SIDEREAL')
    page = site.visitor().get('/targets/%d/' % target)
    equal(page.status, 200)
    contains(page.text, 'K25A0X', '<svg')
    equal(site.visitor().get('/targets/').status, 200)


@needs('nginx')
def standard_input_is_read(site):
    with _folder() as folder:
        _make(site, folder + '/a', 108, '--count', '3', '--single')
        path = os.path.join(site.workshop.app, 'bin/meridian-ingest')
        with open(folder + '/a', 'rb') as f:
            done = subprocess.run([path, 'file', '-', '--json'], stdin=f, stdout=subprocess.PIPE,
                                  env=site.environment(), check=True, **process.as_user())
        equal(json.loads(done.stdout)['read'], 3)


@needs('nginx')
def the_summary_says_what_was_done(site):
    with _folder() as folder:
        _make(site, folder + '/a', 109, '--count', '3', '--points', '10', '--schema', '3.3',
              '--single')
        out = site.command('meridian-ingest', 'file', folder + '/a')
    for line in (r'packets read +3\n', r'packets stored +3\n', r'new targets +3\n', r'new points +30\n',
                 r'duplicate points +0\n', r'rejected +0\n', r'alerts/s'):
        if not re.search(line, out):
            raise AssertionError('%r is not in %r' % (line, out))


@needs('nginx')
def wrong_usage_is_told_before_anything_is_read(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 110, '--count', '1', '--single')
        for args, text in (((), 'the first argument is "file"'), (('file',), 'which files?'),
                           (('file', folder + '/none'), 'none: No such file or directory'),
                           (('file', folder + '/a', '--permissions', 'SECRET'),
                            '--permissions is OPEN, PUBLIC or PRIVATE, not SECRET'),
                           (('file', folder + '/a', '--group', 'Nobody'),
                            'Nobody: there is no group of that name'),
                           (('file', folder + '/a', '--nonsense'), 'usage:'),
                           (('stream', folder + '/a'), 'the first argument is "file"')):
            site.command('meridian-ingest', *args, check=False)
            equal(site.last.returncode, 2, args)
            contains(site.last.stderr, text)
    equal(_last_id(site), before)


@needs('nginx')
def an_absent_database_is_told(site):
    with _folder() as folder:
        _make(site, folder + '/a', 110, '--count', '1', '--single')
        site.command('meridian-ingest', 'file', folder + '/a', check=False,
                     MERIDIAN_DATABASE_URL='sqlite:%s/none.sqlite3' % folder)
        equal(site.last.returncode, 78)  # for an operator: waiting does not make it
        contains(site.last.stderr, 'none.sqlite3')
        equal(site.last.stderr.count('\n'), 1, 'one sentence')


@needs('nginx')
def a_signal_ends_it_after_what_was_read_is_stored(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 111, '--count', '3', '--block', '1', '--single')
        path = os.path.join(site.workshop.app, 'bin/meridian-ingest')
        running = subprocess.Popen([path, 'file', '-', '--json'], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=site.environment(), **process.as_user())
        with open(folder + '/a', 'rb') as f:
            running.stdin.write(f.read())
        running.stdin.flush()
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    equal(running.returncode, 4, err)
    found = json.loads(out)
    equal((found['read'], found['rejected']), (3, 0))
    contains(found['error'], 'stopped by signal 2')
    equal(_last_id(site) > before, True)


@needs('nginx')
def several_at_once_store_each_point_once(site):
    before = _last_id(site)
    with _folder() as folder:
        _make(site, folder + '/a', 112, '--count', '1500', '--objects', '300', '--points', '10',
              '--schema', '3.3', '--single')
        path = os.path.join(site.workshop.app, 'bin/meridian-ingest')
        runs = [subprocess.Popen([path, 'file', folder + '/a', '--json'], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=site.environment(), **process.as_user()) for _ in range(4)]
        done = [(run, *run.communicate(timeout=120)) for run in runs]
    for run, _, err in done:
        equal(run.returncode, 0, err)
    found = [json.loads(out) for _, out, _ in done]
    equal(sum(f['new_targets'] for f in found), 300)
    equal(sum(f['new_points'] for f in found), 300 * 14)
    equal(int(site.one('SELECT COUNT(*) FROM datum WHERE target_id > %d' % before)), 300 * 14)

