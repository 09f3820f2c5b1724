"""
authorization: every route of every executable, with every method, as each kind of visitor, compared with
authorization.txt. A new route has no row there, and this fails until somebody says who may use it.
"""
import base64
import hashlib
import os
import time

from harness.report import equal, needs
from harness.site import PASSWORDS, executables
from harness.stream import audience
from test_csrf import _state
from test_deploy import _routes

HERE = os.path.dirname(os.path.abspath(__file__))
METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')
COLUMNS = ('visitor', 'user', 'staff', 'superuser')
# Who asks: the column that says what they get. A member is one of the group that has all rights on the
# target of the rows; where that makes a difference, the row says "member=...".
WHO = {'visitor': 'visitor', 'ada': 'user', 'carol': 'user', 'ben': 'member', 'staff': 'staff',
       'admin': 'superuser', 'expired': 'visitor', 'revoked': 'revoked'}
PASSWORDS_OF_MORE = {'carol': 'basalt-Heron-5-twilight'}


def _table():
    rows = {}
    with open(os.path.join(HERE, 'authorization.txt')) as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                method, path, *want = line.split()
                row = dict(zip(COLUMNS, map(int, want)))
                row['member'] = row['user']
                row.update((w.split('=')[0], int(w.split('=')[1])) for w in want[len(COLUMNS):])
                rows[method, path] = row
    return rows


def _wanted(table, method, path, column):
    """What the table says, and the rules for what it does not: HEAD is GET, all else is no method."""
    asked = (('GET' if method == 'HEAD' else method), path)
    if column == 'revoked' and path not in ('/robots.txt', '/healthz', '/metrics'):
        return 401
    if asked in table:
        return table[asked]['visitor' if column == 'revoked' else column]
    return 204 if method == 'OPTIONS' else 405


def _fill(site, path, who):
    """The path with an id or text of something that is there: admin's OPEN target, another site."""
    client = site.signed_in('admin')
    if path.startswith('/targets/') and '<' in path:
        name = 'Authorization %s' % site.one('SELECT MAX(id) FROM target')
        group = site.one("SELECT id FROM user_group WHERE name = 'Authorization'") or ''
        answer = client.submit('/targets/create/', {'name': name, 'ra': '10', 'dec': '10',
                                                    'permissions': 'OPEN', 'groups': group})
        number = answer.location.rstrip('/').split('/')[-1]
        return path.replace('<id>', number).replace('<text>', name.replace(' ', '%20')) \
                   .replace('<rest>', name.replace(' ', '%20'))
    if path.startswith('/admin/sites/site/<id>'):
        domain = 'auth-%s.example' % site.one('SELECT COUNT(*) FROM site')
        client.submit('/admin/sites/site/add/', {'domain': domain, 'name': domain})
        return path.replace('<id>', site.one("SELECT id FROM site WHERE domain = '%s'" % domain))
    if path.startswith(('/users/<id>', '/admin/auth/user/<id>')):
        site.sql("DELETE FROM users WHERE username = 'asked-about'")
        site.sql("INSERT INTO users (username, name_key, password, created, password_changed) "
                 "VALUES ('asked-about', 'asked-about', '!', 1, 1)")
        return path.replace('<id>', site.one(
            "SELECT id FROM users WHERE username = 'asked-about'"))
    if path.startswith(('/groups/<id>', '/admin/auth/group/<id>')):
        site.sql("DELETE FROM user_group WHERE name = 'asked about'")
        site.sql("INSERT INTO user_group (name) VALUES ('asked about')")
        return path.replace('<id>', site.one(
            "SELECT id FROM user_group WHERE name = 'asked about'"))
    if path.startswith('/alerts/letters/'):
        place = int(site.one('SELECT COALESCE(MAX(id), 0) FROM dead_letter'))
        site.sql("INSERT INTO dead_letter (stream, topic, part, place, received, reason, size, bytes) "
                 "VALUES ('asked-about', 't', 0, %d, 1, 'unreadable', 1, %s)" % (place, _sql_bytes(site, b'x')))
        return path.replace('<id>', site.one('SELECT MAX(id) FROM dead_letter'))
    if path.startswith('/alerts/objects/<text>'):
        name = 'Private %s' % site.one('SELECT MAX(id) FROM target')
        answer = client.submit('/targets/create/', {'name': name, 'ra': '10', 'dec': '10',
                                                    'permissions': 'PRIVATE'})
        number = answer.location.rstrip('/').split('/')[-1]
        site.sql("INSERT INTO survey_object (survey, name, sight, ra, \"dec\", first_mjd, last_mjd, alerts, "
                 "detections, target_id, created, modified) VALUES ('Asked', 'about%s', %d, 1, 1, 6e4, 6e4, 0, 1, "
                 "%s, 1, 1)" % (number, audience(site, 1), number))
        return '/alerts/objects/Asked/about%s/' % number
    for area in ('tokens', 'approve'):
        path = path.replace('/accounts/%s/<id>/' % area, '/accounts/%s/999999/' % area)
    return path


def _sql_bytes(site, data):
    return ("'\\x%s'" if site.database == 'postgresql' else "x'%s'") % data.hex()


def _token(site, name):
    """An API token of a user, for everything."""
    text = 'mrd_' + base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip('=')
    site.sql("INSERT INTO api_token (user_id, name, token_hash, scopes, created) SELECT id, 'walk', %s, "
             "'read write', %d FROM users WHERE username = '%s'" % (
                 _sql_bytes(site, hashlib.sha256(text.encode()).digest()), time.time() * 1e6, name))
    return text


class Walker:
    """Somebody who asks for everything, with well-formed requests: a form with its token, else empty."""

    def __init__(self, site, who):
        self.site, self.who = site, who
        self.headers, self.tokens = {}, None
        if who in ('visitor', 'revoked'):
            self.client = site.visitor()
        elif who == 'expired':
            self.client = site.visitor()
            self.client.sign_in('ada', PASSWORDS['ada'])
            site.sql('UPDATE session SET last_seen = 1 WHERE created = %s' %
                     site.one('SELECT MAX(created) FROM session'))
        else:
            self.client = site.signed_in(who)
        if who == 'revoked':
            self.headers = {'Authorization': 'Token ' + _token(site, 'admin')}
            equal(self.client.get('/targets/', self.headers).status, 200, 'a token that is good')
            site.sql("DELETE FROM api_token WHERE name = 'walk'")

    def token(self):
        if self.tokens is None:
            visitor = self.who in ('visitor', 'expired', 'revoked')
            self.tokens = self.client.token('/accounts/login/' if visitor else '/accounts/password/')
        return self.tokens

    def ask(self, method, path):
        if method == 'POST' and path == '/accounts/logout/' and self.who in PASSWORDS:
            client = self.site.visitor()  # a session of its own to end
            client.sign_in(self.who, PASSWORDS[self.who])
            return client.post(path, {}, page='/accounts/password/')
        if method == 'POST':
            return self.client.post(path, {}, token=self.token(), headers=self.headers)
        return self.client.request(method, path, None, self.headers)


def _walkers(site):
    """One of each kind. ben is in the group that has rights on the targets of _fill(), carol in another."""
    for group, member in (('Authorization', 'ben'), ('Authorization of others', 'carol')):
        if member not in PASSWORDS:
            PASSWORDS[member] = PASSWORDS_OF_MORE[member]
        if site.one("SELECT id FROM users WHERE username = '%s'" % member) is None:
            site.add_user(member, PASSWORDS[member])
        if site.one("SELECT id FROM user_group WHERE name = '%s'" % group) is None:
            site.meridian('group', 'add', group)
            site.meridian('group', 'join', group, member)
    return {who: Walker(site, who) for who in WHO}


@needs('nginx')
def every_route_answers_each_kind_of_user_as_the_table_says(site):
    table, found, wrong, filled = _table(), set(), [], {}
    walkers = _walkers(site)
    rows = {(method, path) for name in executables() for method, path, _, _ in _routes(site, name)}
    wrong += ['%s %s has no row' % row for row in rows - set(table)]
    wrong += ['%s %s is no route' % row for row in set(table) - rows]
    for path in sorted({path for _, path in rows if not wrong}):
        for method in METHODS:
            for who, column in WHO.items():
                if path == '/accounts/logout/' and method == 'POST' and who in ('ben', 'carol'):
                    continue  # each would sign in for it; as ada
                if path not in filled:
                    filled[path] = _fill(site, path, who)
                answer = walkers[who].ask(method, filled[path])
                want = _wanted(table, method, path, column)
                if answer.status != want:
                    wrong.append('%s %s, %s: %d, not %d' % (method, path, who, answer.status, want))
                if answer.status in (204, 405) and 'OPTIONS' not in answer.header('Allow'):
                    wrong.append('%s %s, %s: without Allow' % (method, path, who))
                if method == 'POST' and answer.status == 302:
                    del filled[path]  # it may be gone
    if wrong:
        raise AssertionError('; '.join(wrong))


@needs('nginx')
def every_post_without_its_token_is_refused(site):
    for name in executables():
        for method, path, access, _ in _routes(site, name):
            if method == 'GET':
                continue
            path = _fill(site, path, 'admin')
            client = site.signed_in('admin')
            got = client.post(path, {'name': 'x'}, token=False).status
            if got != 403:
                raise AssertionError('%s %s without a token: %d' % (method, path, got))
            got = client.post(path, {'name': 'x'}, token='A' * 86).status
            if got != 403:
                raise AssertionError('%s %s with a made up token: %d' % (method, path, got))


@needs('nginx')
def a_private_target_is_not_there_for_others(site):
    client = site.signed_in('ben')
    answer = client.submit('/targets/create/', {'name': 'Private to Ben', 'ra': '20', 'dec': '20',
                                                'permissions': 'PRIVATE'})
    number = answer.location.rstrip('/').split('/')[-1]
    table, walkers, before = _table(), _walkers(site), _state(site)
    rows = [path for _, path, _, _ in _routes(site, 'targets') if '<id>' in path]
    for path in sorted(set(rows)):
        for method in METHODS:
            known = ('GET' if method == 'HEAD' else method, path) in table
            for who in ('visitor', 'expired', 'revoked', 'ada', 'carol', 'staff'):
                got = walkers[who].ask(method, path.replace('<id>', number)).status
                if who == 'revoked':
                    want = (401,)
                elif not known:
                    want = (204 if method == 'OPTIONS' else 405,)
                else:
                    want = (302, 403, 404) if who in ('visitor', 'expired') else (404,)
                if got not in want:
                    raise AssertionError('%s %s, %s: %d' % (method, path, who, got))
    equal(_state(site), before, 'the database')
    if 'Private to Ben' in site.signed_in('ada').get('/targets/?name=Private').words:
        raise AssertionError('it stands in the list')
    ada = site.signed_in('ada')
    there, none = (ada.get('/targets/name/' + n) for n in ('Private%20to%20Ben', 'Private%20to%20Bem'))
    if (there.status, (there.location or '').replace('Ben', 'Bem')) != (none.status,
                                                                        none.location or ''):
        raise AssertionError('its name is answered %d %s, one that is not there %d %s' % (
            there.status, there.location, none.status, none.location))


@needs('nginx')
def what_is_somebody_elses_is_not_there_by_its_number(site):
    """Rows with a number that whoever signs in may use: with the number of another one's record."""
    walkers = _walkers(site)
    _token(site, 'admin')
    numbers = {'/accounts/tokens/': site.one("SELECT id FROM api_token WHERE name = 'walk'"),
               '': site.one("SELECT id FROM users WHERE username = 'admin'")}
    before = _state(site)
    for name in executables():
        for method, path, access, _ in _routes(site, name):
            if '<id>' not in path or path.startswith('/targets/') or access not in ('LOGIN', 'READER'):
                continue
            area = max((a for a in numbers if path.startswith(a)), key=len)
            for who in ('ada', 'carol', 'staff'):
                got = walkers[who].ask(method, path.replace('<id>', numbers[area])).status
                want = (404,) if area else (302, 403, 404) if method == 'POST' else (200, 302, 403, 404)
                if got not in want:
                    raise AssertionError('%s %s, %s: %d' % (method, path, who, got))
    equal(_state(site), before, 'the database')
    site.sql("DELETE FROM api_token WHERE name = 'walk'")
