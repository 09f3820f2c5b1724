"""
The stream of Scout: a server of this test's own tells what JPL's API tells, and the MPC's page; objects
become targets with elements, each analysis is stored once, errors are waited out.
"""
import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse

from harness import process
from harness.report import contains, equal, lacks, needs, wait_for
from harness.stream import audience
from test_home import _add, _statements

FIELDS = ['idx', 'epoch', 'ec', 'qr', 'tp', 'om', 'w', 'inc', 'H', 'dca', 'tca', 'moid', 'vinf',
          'geoEcc', 'impFlag']
SIGNATURE = {'source': 'NASA/JPL Scout API', 'version': '1.3'}


def _object(name, **more):
    return {'objectName': name, 'lastRun': '2026-11-26 15:31', 'tEphem': '2026-11-27 20:15',
            'ra': '16:54', 'dec': '-19', 'elong': '45', 'Vmag': '20.5', 'rate': '2.2', 'unc': '59',
            'uncP1': '76', 'H': '18.7', 'nObs': 2, 'arc': '0.06', 'rmsN': '0.00', 'moid': '0.1',
            'caDist': None, 'vInf': None, 'rating': None, 'neoScore': 100, 'phaScore': 20,
            'neo1kmScore': 5, 'ieoScore': 47, 'geocentricScore': 0, 'tisserandScore': 15, **more}


def _orbit(number, peri='200.25', ec='0.45'):
    return [number, '2461371.14', ec, '0.9', '2461420.75', '-10.5', peri, '5.5', '18.9', None,
            None, '0.1', '12.5', 1e99, 0]


class Scout:
    """JPL and the MPC."""

    def __init__(self):
        self.objects = {}
        self.orbits = [_orbit(n, peri='%d' % (200 + n)) for n in range(5)]
        self.page = ''
        self.asked = []  # (path, user agent, time)
        self.instead = []  # answers that come first: functions of a handler
        self.turn = threading.Condition()
        self.allowed = 1000  # questions about objects that are answered; the others wait
        scout = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                scout.asked.append((self.path, self.headers['User-Agent'], time.monotonic()))
                if scout.instead:
                    scout.instead.pop(0)(self)
                elif self.path.startswith('/mpc'):
                    self.send(scout.page.encode(), kind='text/html')
                else:
                    self.send(scout.answer(self.path))

            def send(self, body, status=200, kind='application/json', length=None, **headers):
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(length or len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace('_', '-'), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # of those who were killed while they were told
        self.url = 'http://127.0.0.1:%d' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, *objects):
        self.objects = {o['objectName']: o for o in objects}

    def answer(self, path):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        if not query:
            return self.list()
        with self.turn:
            mine = len(self.singles()) - 1
            self.turn.wait_for(lambda: mine < self.allowed, 20)
        found = self.objects.get(query['tdes'][0])
        if found is None:
            return json.dumps({'error': 'specified object was not found'}).encode()
        return json.dumps({'signature': SIGNATURE, **found, 'orbits': {
            'count': str(len(self.orbits)), 'fields': FIELDS, 'data': self.orbits}}).encode()

    def list(self, version='1.3'):
        return json.dumps({'signature': {**SIGNATURE, 'version': version},
                           'count': str(len(self.objects)),
                           'data': list(self.objects.values())}).encode()

    def allow(self, n):
        with self.turn:
            self.allowed = n
            self.turn.notify_all()

    def lists(self):
        return [a for a in self.asked if a[0] == '/scout.api']

    def singles(self):
        return [urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)['tdes'][0]
                for path, _, _ in self.asked if 'tdes=' in path]

    def close(self):
        self.allow(1000)
        self.server.shutdown()
        self.server.server_close()


class Stream:
    """The daemon with a stream of it."""

    def __init__(self, site, scout):
        self.site = site
        self.scout = scout
        self.folder = tempfile.mkdtemp(prefix='meridian-scout-')
        os.chmod(self.folder, 0o755)
        self.config = self.folder + '/meridian.conf'
        self.running = []

    def configure(self, **keys):
        lines = {'source': 'scout', 'url': self.scout.url + '/scout.api',
                 'mpc_url': self.scout.url + '/mpc.html', 'contact': 'tom@example.org',
                 'interval': '0.2', 'pause_ms': '0', 'orbits': '5', 'create': 'all',
                 'permissions': 'PUBLIC', **keys}
        shutil.copy(self.site.config, self.config)
        with open(self.config, 'a') as f:
            f.write('\n[stream scout]\n')
            f.writelines('%s = %s\n' % line for line in lines.items())
        os.chmod(self.config, 0o640)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), self.config)

    def command(self, *args):
        return self.site.command('meridian-ingest', *args, check=False,
                                 MERIDIAN_CONFIG=self.config)

    def start(self):
        with open(self.folder + '/log', 'ab') as log:
            daemon = subprocess.Popen(
                [self.site.workshop.app + '/bin/meridian-ingest', 'run'], stdout=log, stderr=log,
                cwd='/', env=self.site.environment(MERIDIAN_CONFIG=self.config),
                **process.as_user())
        self.running.append(daemon)
        return daemon

    def status(self, daemon):
        said = json.loads(self.command('status', '--json'))['streams']
        return [line for line in said if line['pid'] == daemon.pid][0]

    def tells(self, daemon):
        said = json.loads(self.command('status', '--json'))['streams']
        return any(line['pid'] == daemon.pid for line in said)

    def log(self):
        with open(self.folder + '/log') as f:
            return f.read()

    def one(self, what, name):
        return self.site.one("SELECT %s FROM scout_object WHERE name = '%s'" % (what, name))

    def runs(self, name):
        return int(self.site.one("SELECT COUNT(*) FROM scout_run r JOIN scout_object o ON o.id = "
                                 "r.object_id WHERE o.name = '%s'" % name))

    def stop(self):
        for daemon in self.running:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()

    def close(self):
        self.stop()
        # what this test polled is nobody else's place
        self.site.sql("DELETE FROM stream_offset WHERE stream = 'scout'")
        self.site.sql("UPDATE scout_object SET state = 'left', last_seen = 0")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def _stream(site, **keys):
    scout = Scout()
    stream = Stream(site, scout)
    try:
        stream.configure(**keys)
        yield scout, stream
    finally:
        stream.close()
        scout.close()


def _scout_objects(site):
    """For pictures: objects as Scout tells them, one of them three times, one that left; they stay."""
    scout = Scout()
    s = Stream(site, scout)
    try:
        s.configure(min_neo_score='50')
        others = [_object('P21left', rating=0, unc='3.1'),
                  _object('C8FNRX2', neoScore='12', Vmag='22.1', unc='610', uncP1='1200', rating=None)]
        for run, magnitude, uncertainty in (('15:31', '20.5', '59'), ('17:02', '20.1', '41'),
                                            ('18:40', '19.8', '12.5')):
            scout.put(_object('P21scou', rating=2, lastRun='2026-11-26 ' + run, Vmag=magnitude,
                              unc=uncertainty, caDist='0.8', nObs=9), *others)
            daemon = s.start() if not s.running else daemon
            wait_for(lambda: float(s.one('v_mag', 'P21scou') or 0) == float(magnitude), 20, 'an analysis')
            others = others[-1:]
        wait_for(lambda: s.one('state', 'P21left') == 'left' and
                 s.one('asked_run = last_run', 'P21scou') in ('1', 't'), 20, 'who left')
        _ends(daemon)
    finally:
        s.stop()
        scout.close()


def _ends(daemon):
    daemon.send_signal(signal.SIGTERM)
    equal(daemon.wait(10), 0)


@needs('nginx')
def objects_become_targets_and_each_analysis_is_stored_once(site):
    with _stream(site, min_neo_score='50') as (scout, s):
        scout.put(_object('sc0a1', rating=2), _object('sc0b1', neoScore='10'),
                  _object('sc0c1', unc='much'))
        daemon = s.start()
        wait_for(lambda: s.one('asked_run IS NOT NULL', 'sc0a1') in ('1', 't'), 10, 'the orbits')
        equal(scout.singles(), ['sc0a1'])
        contains(scout.asked[0][1], 'meridian-ingest/', '(tom@example.org)')
        contains(scout.asked[1][0], 'tdes=sc0a1&orbits=1&n-orbits=5')
        equal((s.one('note', 'sc0b1'), s.runs('sc0a1'), s.runs('sc0b1')), ('cut', 1, 1))
        equal(s.one('target_id IS NULL', 'sc0b1') in ('1', 't'), True)
        target = s.one('target_id', 'sc0a1')
        # the elements are those of one of the samples, the middle one
        equal(s.one('orbit', 'sc0a1'), '2')
        equal([site.one('SELECT %s FROM target WHERE id = %s' % (c, target)) for c in
               ('type', 'scheme', 'permissions')], ['NON_SIDEREAL', 'MPC_MINOR_PLANET', 'PUBLIC'])
        for column, value in (('arg_of_perihelion', 202), ('lng_asc_node', 349.5),
                              ('eccentricity', 0.45), ('perihdist', 0.9), ('abs_mag', 18.9),
                              ('semimajor_axis', 0.9 / 0.55), ('epoch_of_elements', 61370.64),
                              ('epoch_of_perihelion', 61420.25)):
            got = float(site.one('SELECT %s FROM target WHERE id = %s' % (column, target)))
            equal(abs(got - value) < 1e-8, True, '%s is %r' % (column, got))
        equal(site.one('SELECT ra IS NULL FROM target WHERE id = ' + target) in ('1', 't'), True)
        equal(site.visitor().get('/targets/%s/' % target).status, 404)
        contains(site.signed_in('ada').get('/targets/%s/' % target).text, 'sc0a1')
        # what cannot be read is put aside once, however often it is told
        polled = len(scout.lists())
        scout.put(_object('sc0a1', rating=2, lastRun='2026-11-26 18:00', Vmag=19),
                  _object('sc0b1', neoScore='10'), _object('sc0c1', unc='much'))
        wait_for(lambda: s.runs('sc0a1') == 2, 10, 'the next analysis')
        wait_for(lambda: len(scout.lists()) > polled + 1, 10, 'another list')
        equal(scout.singles(), ['sc0a1', 'sc0a1'])
        equal(s.runs('sc0b1'), 1)
        equal(float(s.one('v_mag', 'sc0a1')), 19.0)
        equal(site.sql("SELECT topic, reason FROM dead_letter WHERE stream = 'scout'"),
              [('list', 'unc is not what it should be: much')])
        equal(site.one("SELECT COUNT(*) FROM scout_object WHERE name = 'sc0c1'"), '0')
        wait_for(lambda: s.status(daemon)['dead'] == 1, 10, 'the word of it')
        mine = s.status(daemon)
        equal((mine['stream'], mine['new_targets'], mine['alive'], mine['error']),
              ('scout', 1, True, ''))
        ada = site.signed_in('ada')
        contains(ada.get('/alerts/streams/').text, '<a href="/alerts/scout/">Scout</a>')
        page = ada.get('/alerts/scout/').text
        contains(page, '<a href="/alerts/scout/" aria-current="page">Scout</a>')
        contains(page, 'sc0a1', '2 modest', '<td class="n nb" data-label=" V mag">19.0</td>',
                 'href="/targets/%s/"' % target, 'outside the cuts')
        equal(page.index('sc0a1') < page.index('sc0b1'), True)
        page = ada.get('/alerts/scout/?sort=neo_score').text
        equal(page.index('sc0b1') < page.index('sc0a1'), True)
        page = ada.get('/alerts/scout/sc0a1/').text
        contains(page, '<dt>Uncertainty a day later<dd>76.0 arcmin', '<dt>Arc<dd>0.06 h',
                 '2026-11-26 15:31', '2026-11-26 18:00', 'elements of number 2')
        # the target's own page says it, too; who looks pays one statement for it
        page = ada.get('/targets/%s/' % target).text
        contains(page, 'id="h-sc"', '<dt>Impact rating<dd>2 modest', '<dt>NEO<dd>100 %', '<dt>V<dd>19.0 mag',
                 '<dt>Rate<dd>2.2 arcsec/min', '<dt>Uncertainty<dd>59.0 arcmin',
                 '<dt>Uncertainty a day later<dd>76.0 arcmin', '<span class="tag">Active</span>',
                 'href="/alerts/scout/sc0a1/"', '2026-11-26 15:31</time>, V 20.5 mag, Uncertainty 59.0 arcmin')
        fixed = _add(ada, 'sc0 fixed', 'PUBLIC')
        lacks(ada.get(fixed).text, 'h-sc')
        # at least; what a worker keeps is not asked for again
        costs = [min(_statements(site, 'targets', ada, path) for _ in range(3))
                 for path in ('/targets/%s/' % target, fixed)]
        equal(costs[0] - costs[1], 1)
        # they leave, and the MPC tells of one
        scout.page = ('<h2>Previous NEO Confirmation Page Objects</h2><ul>\n<li> 2026 WX<sub>12</sub> '
                      '= sc0a1 (Nov. 26.9 UT)\n</ul>')
        scout.put(_object('sc0d1', rating=0, neoScore=1))
        wait_for(lambda: s.one('state', 'sc0a1') == 'confirmed', 10, 'the word of the MPC')
        equal((s.one('designation', 'sc0a1'), s.one('state', 'sc0b1')), ('2026 WX12', 'left'))
        contains(ada.get('/alerts/scout/?sort=name').text, 'Confirmed as 2026 WX12',
                 'Left the page', 'not seen for')
        equal(site.one('SELECT name FROM target_name WHERE is_primary = 0 AND target_id = '
                       + target), '2026 WX12')
        _ends(daemon)


@needs('nginx')
def run_that_is_killed_in_its_midst_is_gone_on_with(site):
    with _stream(site, permissions='PRIVATE') as (scout, s):
        scout.put(*[_object('sc1k%d' % i) for i in range(6)])
        for answers in range(3):
            known = len(scout.singles())
            scout.allow(known + answers)
            daemon = s.start()
            wait_for(lambda: len(scout.singles()) > known + answers, 10, 'a question')
            daemon.kill()
            daemon.wait()
        scout.allow(1000)
        polled = len(scout.lists())
        daemon = s.start()
        wait_for(lambda: len(scout.lists()) > polled, 10, 'a list')
        wait_for(lambda: site.one("SELECT COUNT(*) FROM scout_object WHERE name LIKE 'sc1k%' AND "
                                  "asked_run IS NOT NULL") == '6', 15, 'all')
        equal(site.one("SELECT COUNT(*) FROM scout_run r JOIN scout_object o ON o.id = r.object_id "
                       "WHERE o.name LIKE 'sc1k%'"), '6')
        equal(site.one("SELECT COUNT(*) FROM target WHERE name LIKE 'sc1k%' AND eccentricity > 0"),
              '6')
        # whom the stream does not let see it sees nothing of it
        admin, ada = site.signed_in('admin'), site.signed_in('ada')
        target = s.one('target_id', 'sc1k3')
        link = 'href="/targets/%s/"' % target
        lacks(ada.get('/alerts/scout/').text, 'sc1k3')
        equal(ada.get('/alerts/scout/sc1k3/').status, 404)
        for path in '/alerts/scout/', '/alerts/scout/sc1k3/':
            contains(admin.get(path).text, 'sc1k3', link)
        # who may see it, but not its target, sees no target
        _ends(daemon)
        site.sql("UPDATE scout_object SET sight = %d WHERE name = 'sc1k3'" % audience(site, 1))
        for path in '/alerts/scout/', '/alerts/scout/sc1k3/':
            page = ada.get(path).text
            contains(page, 'sc1k3')
            lacks(page, link)
        # and who may see a target, but not the object, sees nothing of it there
        other = '/targets/%s/' % s.one('target_id', 'sc1k4')
        equal(admin.submit(other + 'update/', {'permissions': 'PUBLIC'}).status, 302)
        contains(admin.get(other).text, 'id="h-sc"')
        lacks(ada.get(other).text, 'h-sc')
        site.sql("UPDATE scout_object SET sight = %d WHERE name = 'sc1k4'" % audience(site, 1))
        contains(ada.get(other).text, 'id="h-sc"')


def _refuse(status, **headers):
    return lambda h: h.send(b'{"message":"not now"}', status, **headers)


@needs('nginx', 'sqlite')
def each_error_is_told_and_nothing_of_it_is_stored(site):
    with _stream(site) as (scout, s):
        scout.put(_object('sc2e1'))
        half = scout.list()[:-40]
        for answer, word in (
                (_refuse(404), 'status 404: not now'),
                (lambda h: h.send(b'{"error":"specified object was not found"}'),
                 'specified object was not found'),
                (_refuse(429), 'status 429: not now'),
                (_refuse(500), 'status 500'),
                (_refuse(302, Location='/elsewhere'), 'status 302'),
                (lambda h: h.send(scout.list(version='1.4')), 'the API has version 1.4'),
                (lambda h: h.send(b'<html>Bad gateway</html>'), 'cannot be read'),
                (lambda h: h.send(half), 'cannot be read'),
                (lambda h: h.send(half, length=len(half) + 40), 'half of one'),
                (lambda h: h.send(b' ' * (9 << 20)), 'longer than')):
            scout.instead.append(answer)
            contains(s.command('check'), 'scout: ', word)
            equal(site.last.returncode, 3)
        contains(s.command('check'), 'scout: all is there')
        equal(site.one("SELECT COUNT(*) FROM scout_object WHERE name = 'sc2e1'"), '0')
        s.configure(contact='Zürich')
        contains(s.command('check'), 'ASCII')
        s.configure(url='http://example.org/scout.api')
        contains(s.command('check'), 'https would be right')


@needs('nginx', 'sqlite')
def server_that_asks_for_time_gets_it(site):
    with _stream(site) as (scout, s):
        scout.put(_object('sc3r1'))
        # not less: the daemon tells of itself each 2 s, and must do so meanwhile
        scout.instead = [_refuse(429, Retry_After='2')]
        daemon = s.start()
        wait_for(lambda: len(scout.lists()) == 1, 10, 'the list')
        wait_for(lambda: 'the stream waits' in s.log(), 10, 'the word of it')
        contains(s.log(), 'status 429: not now')
        wait_for(lambda: 'status 429' in s.status(daemon)['error'], 10, 'the word of it')
        wait_for(lambda: len(scout.lists()) >= 2, 10, 'the list')
        equal(scout.lists()[1][2] - scout.lists()[0][2] > 2, True)
        wait_for(lambda: s.runs('sc3r1') == 1, 10, 'the object')
        equal(daemon.poll(), None)
        _ends(daemon)


@needs('nginx', 'sqlite')
def object_that_the_api_does_not_tell_is_not_asked_for_again(site):
    with _stream(site) as (scout, s):
        scout.put(_object('sc4n1'), _object('sc4n2'), _object('sc4n3'))
        scout.instead = [
            lambda h: h.send(scout.list()),
            lambda h: h.send(b'{"error":"specified object was not found"}'),
            lambda h: h.send(json.dumps({'signature': SIGNATURE, **_object(
                'sc4n2', rate='fast')}).encode())]
        daemon = s.start()
        wait_for(lambda: s.one('asked_run IS NOT NULL', 'sc4n3') == '1', 10, 'the third')
        polled = len(scout.lists())
        wait_for(lambda: len(scout.lists()) > polled + 1, 10, 'another list')
        equal(scout.singles(), ['sc4n1', 'sc4n2', 'sc4n3'])
        equal(site.sql("SELECT topic, reason FROM dead_letter WHERE topic LIKE 'sc4n%'"),
              [('sc4n2', 'rate is not what it should be: fast')])
        equal(site.one("SELECT COUNT(*) FROM target WHERE name LIKE 'sc4n%'"), '1')
        _ends(daemon)
        lacks(s.log(), '"level":"error"')


def _everything(site):
    """What is stored of objects named sc6*, but for when they were last seen and written."""
    return [site.sql(text) for text in (
        "SELECT name, state, missed, note, last_run, asked_run, orbits, orbit, v_mag FROM scout_object "
        "WHERE name LIKE 'sc6%' ORDER BY id",
        "SELECT r.* FROM scout_run r JOIN scout_object o ON o.id = r.object_id WHERE o.name LIKE 'sc6%' "
        'ORDER BY r.object_id, r.last_run',
        "SELECT id, name, type, scheme, permissions, created, epoch_of_elements, eccentricity, perihdist, "
        "epoch_of_perihelion, arg_of_perihelion, abs_mag FROM target WHERE name LIKE 'sc6%' ORDER BY id",
        "SELECT n.* FROM target_name n JOIN target t ON t.id = n.target_id WHERE t.name LIKE 'sc6%' "
        'ORDER BY n.id')]


@needs('nginx', 'sqlite')
def dead_letter_is_taken_once_and_a_recorded_reply_again_gives_nothing_new(site):
    with _stream(site) as (scout, s):
        scout.put(_object('sc6l1'), _object('sc6l2', unc='much'), _object('sc6l3'))
        wrong = json.dumps({'signature': SIGNATURE, **_object('sc6l1', rate='fast'), 'orbits': {
            'count': '5', 'fields': FIELDS, 'data': scout.orbits}}).encode()
        scout.instead = [lambda h: h.send(scout.list()), lambda h: h.send(wrong)]
        daemon = s.start()
        mine = "FROM dead_letter WHERE topic = 'sc6l1' OR CAST(bytes AS TEXT) LIKE '%sc6l2%'"
        wait_for(lambda: site.one('SELECT COUNT(*) ' + mine) == '2', 10, 'the letters')
        wait_for(lambda: s.one('asked_run IS NOT NULL', 'sc6l3') == '1', 10, 'the third')
        _ends(daemon)
        stored = _everything(site)
        letters = [n for n, in site.sql('SELECT id %s ORDER BY id' % mine)]
        contains(s.command('replay', *letters), '0 dead letters were taken')
        equal((site.last.returncode, _everything(site)), (3, stored))
        equal(sorted(reason for reason, in site.sql('SELECT reason ' + mine)),
              ['rate is not what it should be: fast', 'unc is not what it should be: much'])
        # as if we could read them now
        for bad, good in ('"much"', '"59"'), ('"fast"', '"2.2"'):
            site.sql("UPDATE dead_letter SET bytes = CAST(REPLACE(CAST(bytes AS TEXT), '%s', '%s') AS BLOB) "
                     'WHERE id IN (%s)' % (bad, good, ', '.join(letters)))
        contains(s.command('replay', *letters), '2 dead letters were taken')
        equal([s.runs(name) for name in ('sc6l1', 'sc6l2', 'sc6l3')], [1, 1, 1])
        equal(site.one("SELECT COUNT(*) FROM target WHERE name IN ('sc6l1', 'sc6l3') AND eccentricity = 0.45"), '2')
        stored = _everything(site)
        site.sql('UPDATE dead_letter SET waits = 1, replayed = NULL WHERE id IN (%s)' % ', '.join(letters))
        contains(s.command('replay', *letters), '2 dead letters were taken')
        equal(_everything(site), stored)
        # the same list by a daemon that knows nothing of it: the second was never asked for
        scout.put(_object('sc6l1'), _object('sc6l2'), _object('sc6l3'))
        scout.asked.clear()
        daemon = s.start()
        wait_for(lambda: s.one('asked_run IS NOT NULL', 'sc6l2') == '1', 10, 'the second')
        stored, polled = _everything(site), len(scout.lists())
        wait_for(lambda: len(scout.lists()) > polled + 1, 10, 'another list')
        equal((scout.singles(), _everything(site)), (['sc6l2'], stored))
        _ends(daemon)


@needs('nginx')
def two_daemons_ask_once_and_store_once(site):
    with _stream(site, interval='60') as (scout, s):
        names = ['sc7d%d' % i for i in range(5)]
        scout.put(*[_object(name) for name in names])
        both = [s.start(), s.start()]
        wait_for(lambda: site.one("SELECT COUNT(*) FROM scout_object WHERE name LIKE 'sc7d%' AND asked_run IS "
                                  'NOT NULL') == '5', 15, 'all')
        # who tells of itself has tried to ask
        wait_for(lambda: all(s.tells(daemon) for daemon in both), 10, 'the word of both')
        equal((len(scout.lists()), sorted(scout.singles())), (1, names))
        equal([s.runs(name) for name in names], [1] * 5)
        equal(site.one("SELECT COUNT(*) FROM target WHERE name LIKE 'sc7d%'"), '5')
        for daemon in both:
            _ends(daemon)
        lacks(s.log(), '"level":"error"')


@needs('nginx', 'postgresql', 'mariadb')
def database_that_is_away_stops_the_poll_and_not_the_daemon(site):
    with _stream(site) as (scout, s):
        scout.put(_object('sc5d1'))
        daemon = s.start()
        wait_for(lambda: s.runs('sc5d1') == 1, 10, 'the object')
        scout.put(_object('sc5d1'), _object('sc5d2'))
        site.database_server.stop('fast')
        try:
            wait_for(lambda: 'the stream waits' in s.log(), 15, 'the stream')
            equal(daemon.poll(), None)
        finally:
            site.database_server.start()
        wait_for(lambda: s.runs('sc5d2') == 1, 20, 'the other object')
        equal(s.runs('sc5d1'), 1)
        _ends(daemon)
