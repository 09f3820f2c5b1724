"""
ground: the site that is scanned: every area switched on, with something of every kind in it, and a web server
that notes of each request which case sent it and what it was answered.
"""
import base64
import collections
import hashlib
import os
import re
import time
import urllib.parse

from harness import process
from harness.report import equal
from harness.site import PASSWORDS, Failed, Site
from harness.stream import audience
from mailbox import Mailbox
from test_deploy import _routes

USERS = 60  # lists have a second page
TARGETS = 60
CASE = 'X-Scan'  # the header that says which case a request is of

CSV = 'name,type,ra,dec,permissions,aliases,note,redshift\n' + ''.join(
    'Scanned %d,SIDEREAL,%d,10,OPEN,Alias %d,tried,0.1\n' % (i, i, i) for i in range(TARGETS))


def routes_of(site):
    """{'GET /targets/': access} of every route of every executable."""
    return {'%s %s' % (method, path): access for name in site.workshop.executables()
            for method, path, access, _ in _routes(site, name)}


class Ground:
    """The site of a scan; `words` are what values of routes.py name in braces."""

    def __init__(self, workshop, database):
        box = os.path.join(workshop.directory, 'mailbox')
        terms = os.path.join(workshop.directory, 'terms.txt')
        with open(terms, 'w') as f:
            f.write('Be kind.\n')
        settings = dict(Mailbox(box).settings, THROTTLE_FREE_FAILURES='1000', TOM_PASSWORD_RESET_ENABLED='yes',
                        TOM_REGISTRATION_STRATEGY='approval_required', TERMS_FILE=terms,
                        TOM_TERMS_OF_SERVICE_VERSION='7', TARGET_PERMISSIONS_ONLY='no',
                        EXTRA_FIELDS='redshift:number', PASSWORD_HASH_WAIT_MS='60000')
        self.site = Site(workshop, 'nginx', database, settings, workers=4)
        try:
            self.requests = os.path.join(self.site.directory, 'web', 'requests.log')
            self.failures = os.path.join(self.site.directory, 'web', 'failures.log')
            self._note_requests()
            self.site.sql("UPDATE users SET terms_version = '7'")
            self.clients = {'admin': self.site.signed_in('admin'), 'ada': self.site.signed_in('ada'),
                            'visitor': self.site.visitor()}
            self.clients['visitor'].token('/accounts/login/')  # and the cookie that goes with it
            self.words = {}
            self._read, self._counted = 0, {}
            self._fill()
        except BaseException:
            self.site.close()
            raise

    def _note_requests(self):
        path = os.path.join(self.site.directory, 'web', 'nginx.conf')
        with open(path) as f:
            text = f.read()
        log = '''log_format answer '$status $http_x_scan';
			log_format failure '$status $http_x_scan $request [$request_body] [$http_cookie] $http_user_agent';
			map $status $failed { ~^5 1; default 0; }
			access_log %s answer buffer=64k flush=1s;
			access_log %s failure if=$failed;''' % (self.requests, self.failures)
        text, n = re.subn(r'access_log off;', lambda _: log, text)
        equal(n, 1)
        with open(path, 'w') as f:
            f.write(text)
        process.stop(self.site.web)
        self.site.start_web_again(self.site.web_command)

    def _bytes(self, data):
        return ("'\\x%s'" if self.site.database == 'postgresql' else "x'%s'") % data.hex()

    def _link(self, purpose, user):
        """What stands in a link that was sent by mail."""
        secret = os.urandom(32)
        now = int(time.time() * 1e6)
        self.site.sql("INSERT INTO one_time (token_hash, purpose, user_id, email, password_changed, created, "
                      "expires) SELECT %s, '%s', id, email, password_changed, %d, %d FROM users WHERE "
                      "username = '%s'" % (self._bytes(hashlib.sha256(secret).digest()), purpose, now,
                                           now + 36e8, user))
        return base64.urlsafe_b64encode(secret).decode().rstrip('=')

    def _user(self, name, **more):
        row = {'username': name, 'name_key': name, 'search_key': name, 'password': '!', 'created': '1',
               'password_changed': '1', 'email': name + '@example.org', 'terms_version': '7', **more}
        self.site.sql('INSERT INTO users (%s) VALUES (%s)' % (
            ', '.join(row), ', '.join("'%s'" % v for v in row.values())))
        return self.site.one("SELECT id FROM users WHERE username = '%s'" % name)

    def _fill(self):
        site, one = self.site, self.site.one
        admin, ada = self.clients['admin'], self.clients['ada']
        for i in range(USERS):
            self._user('scan%02d' % i)
        waiting = self._user('waiting', pending='1', is_active='0')
        for name in ('scanned', 'scanned too'):
            site.meridian('group', 'add', name)
            site.meridian('group', 'join', name, 'ada')
        group = one("SELECT id FROM user_group WHERE name = 'scanned'")
        answer = ada.submit('/targets/import/', {'mode': 'all', 'groups': group},
                            {'target_csv': ('t.csv', CSV, 'text/csv')})
        equal(answer.status in (200, 302), True, answer.words[:300])
        target = one("SELECT id FROM target WHERE name = 'Scanned 1'")
        now = int(time.time() * 1e6)
        for i in range(5):
            site.sql("INSERT INTO datum (target_id, mjd, source, kind, band, magnitude, magnitude_error, created) "
                     "VALUES (%s, %d, 'ZTF', 1, 'r', 18, 0.1, %d)" % (target, 60000 + i, now))
        site.sql("INSERT INTO datum_rights (target_id, source, principal, verbs) VALUES (%s, 'ZTF', 1, 1)" % target)
        site.sql("INSERT INTO target_list (name, created, modified) VALUES ('scanned', %d, %d)" % (now, now))
        targets = one("SELECT id FROM target_list WHERE name = 'scanned'")
        site.sql('INSERT INTO target_list_member (list_id, target_id) VALUES (%s, %s)' % (targets, target))
        admin.submit('/admin/sites/site/add/', {'domain': 'scanned.example', 'name': 'Scanned'})
        for path in ('/accounts/login/', '/api/token-auth/'):
            self.site.visitor().post(path, {'username': 'nobody', 'password': 'wrong'}, page='/accounts/login/')
        site.sql('INSERT INTO survey_object (survey, name, sight, ra, "dec", first_mjd, last_mjd, alerts, detections, '
                 "target_id, created, modified) VALUES ('ZTF', 'ZTF18scanned', %d, 10, 10, 60000, 60001, 1, 2, %s, "
                 '%d, %d)' % (audience(site, 1), target, now, now))
        site.sql('INSERT INTO alert (object_id, alert_id, mjd, stream, received) SELECT id, 1, 60000, '
                 "'scanned', %d FROM survey_object" % now)
        site.sql("INSERT INTO dead_letter (stream, topic, part, place, received, reason, size, bytes) "
                 "VALUES ('scanned', 't', 0, 1, %d, 'unreadable', 1, %s)" % (now, self._bytes(b'x')))
        self.words = {
            'letter': one('SELECT MAX(id) FROM dead_letter'),
            'principal': str(16 * int(one("SELECT id FROM users WHERE username = 'ben'"))),  # auth/access.h
            'n': '1', 'absent': '999999999', 'target': target, 'group': group, 'waiting': waiting,
            'other_target': one("SELECT id FROM target WHERE name = 'Scanned 2'"),
            'other_group': one("SELECT id FROM user_group WHERE name = 'scanned too'"),
            'user': one("SELECT id FROM users WHERE username = 'scan01'"),
            'site': one("SELECT id FROM site WHERE domain = 'scanned.example'"),
            'list': targets, 'kind': one('SELECT kind FROM security_event'),
            'event': '%s.%s' % site.sql('SELECT at, id FROM security_event ORDER BY id DESC LIMIT 1')[0],
            'reset': self._link('reset', 'scan02'), 'email': self._link('email', 'waiting'),
            'after': self._next(admin.get('/targets/'), 'after'), 'stamp': self._stamp(),
            'session_place': '%d.%s' % (now, 'A' * 43),
        }

    def _next(self, page, key):
        """The value of `key` in the first link that has one: where the next page begins."""
        for link in page.links:
            found = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query).get(key)
            if found:
                return found[0]
        raise Failed('no page after %s' % page.url)

    def _stamp(self):
        forms = self.clients['visitor'].get('/accounts/register/').forms
        return next(f['fields']['stamp'] for f in forms if 'stamp' in f['fields'])

    # What the cases ask for

    def path(self, route, more):
        """The path of a row, with what its captures stand for here."""
        path = route.split()[1]
        area = next((word for begin, word in (
            ('/targets/', 'target'), ('/admin/sites/', 'site'), ('/admin/auth/group/', 'group'),
            ('/groups/', 'group'), ('/accounts/approve/', 'waiting'), ('/accounts/tokens/', 'absent'))
            if path.startswith(begin)), 'user')
        words = {'id': '{%s}' % area, 'rest': 'Scanned 1',
                 'text': '{reset}' if 'password' in path else '{email}', **more}
        return [(name and words[name].format_map(self.words)) or part for part, name in
                ((part, part[1:-1] if part.startswith('<') else '') for part in re.split(r'(<\w+>)', path))]

    def client(self, who):
        """A client of that name whose session is good."""
        client = self.clients[who]
        if who != 'visitor' and client.get('/accounts/sessions/').status != 200:
            client.cookies.clear()
            self.forget_failures()
            client.sign_in(who, PASSWORDS[who])
        return client

    def token(self, who):
        return self.client(who).token('/accounts/login/' if who == 'visitor' else '/accounts/sessions/')

    def forget_failures(self):
        """No attempt has been too many: else everything behind the throttle would be tried on the throttle."""
        self.site.sql('DELETE FROM throttle')

    def answers(self, case):
        """{status: how many} of the requests of a case that the web server has noted by now."""
        with open(self.requests, encoding='utf-8', errors='replace') as f:
            f.seek(self._read)
            for line in iter(f.readline, ''):
                if not line.endswith('\n'):
                    break
                self._read = f.tell()
                status, _, of = line.strip().partition(' ')
                self._counted.setdefault(of, collections.Counter())[status] += 1
        return self._counted.get(case, {})

    def failed(self, case):
        """The lines of a case's requests that were answered with 5xx."""
        with open(self.failures, encoding='utf-8', errors='replace') as f:
            return [line.strip() for line in f if line.split(' ')[1] == case]
