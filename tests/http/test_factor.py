"""factor: a second factor, from setting it up to losing it, and the ways round it that there are not."""
import base64
import hashlib
import hmac
import json
import re
import struct
import time

from harness.report import contains, equal, lacks
from harness.site import PASSWORDS

CODE = '/accounts/login/code/'
FIRST = '/accounts/login/factor/'


def totp(key, steps=0, now=None):
    """RFC 6238 in five lines of its own: the code of now, so many steps later."""
    step = int((now or time.time()) // 30) + steps
    mac = hmac.new(key, struct.pack('>Q', step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return '%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000)


def _key(page):
    """The key that a page shows."""
    text = re.search(r'<code class="copy">([A-Z2-7 ]+)</code>', page.text).group(1)
    return base64.b32decode(text.replace(' ', ''))


def _codes(page):
    equal(page.status, 200)
    codes = re.findall(r'<li><code>([0-9a-z-]{19})</code></li>', page.text)
    equal((len(codes), len(set(codes))), (10, 10))
    return codes


def _user(site, name):
    """A user of the test's own, cheap: the row of ada with another name, and so ada's password."""
    site.sql("INSERT INTO users (username, name_key, password, first_name, last_name, email, "
             "affiliation, is_active, is_staff, is_superuser, created, password_changed) "
             "SELECT '%s', '%s', password, '', '', '%s@example.org', '', 1, 0, 0, created, "
             "password_changed FROM users WHERE username = 'ada'" % (name, name, name))
    return site.one("SELECT id FROM users WHERE username = '%s'" % name)


def _password(client, name, next_path=None):
    """The first page."""
    return client.sign_in(name, PASSWORDS['ada'], next_path)


class _Owner:
    """
    A user with a factor. A password costs a third of a second, so browsers that gave it, or that are
    signed in, are copies of one.
    """

    def __init__(self, site, name):
        self.site, self.name = site, name
        _user(site, name)
        self.browser = site.visitor()
        _password(self.browser, name)
        self.key = _key(self.browser.get('/accounts/factor/add/'))
        self.codes = _codes(self.browser.post('/accounts/factor/add/', {
            'old_password': PASSWORDS['ada'], 'code': totp(self.key)}))
        gave = site.visitor()
        _password(gave, name)
        self.jar = dict(gave.cookies)

    def half(self):
        """A browser in which the password was given."""
        client = self.site.visitor()
        client.cookies = dict(self.jar)
        return client

    def fresh(self):
        """As if no code was ever used."""
        _set(self.site, self.name, 'last_step = 0, failures = 0, retry_at = 0')
        return self


_owners = {}


def _owner(site, name='totp'):
    if (site, name) not in _owners:
        _owners[site, name] = _Owner(site, name)
    return _owners[site, name].fresh()


def _in(client):
    """Is somebody signed in?"""
    return client.get('/accounts/factor/').status == 200


def _failures(site, name):
    return site.one("SELECT f.failures FROM factor f JOIN users u ON u.id = f.user_id "
                    "WHERE u.username = '%s'" % name)


def _sessions(site, name):
    return site.one("SELECT COUNT(*) FROM session s JOIN users u ON u.id = s.user_id "
                    "WHERE u.username = '%s'" % name)


def _set(site, name, what):
    """Sets columns of the factor, for time that no test waits for."""
    site.sql("UPDATE factor SET %s WHERE user_id = (SELECT id FROM users WHERE username = '%s')"
             % (what, name))


def a_factor_is_set_up_and_asked_for(site):
    name = 'totp1'
    _user(site, name)
    other = site.visitor()
    _password(other, name)
    client = site.visitor()
    _password(client, name)
    contains(client.get('/accounts/factor/').words, 'You have none')
    page = client.get('/accounts/factor/add/')
    key = _key(page)
    contains(page.text, '<svg class="qr" viewBox="0 0 ', 'fill="#fff"', 'd="M4 4h7v1h-7z',
             'inputmode="numeric"', 'autocomplete="one-time-code"')
    equal(page.header('Cache-Control'), 'private, no-store')
    # a phone that comes back to the page finds the same key, and nobody else does
    equal(_key(client.get('/accounts/factor/add/')), key)
    equal(_key(other.get('/accounts/factor/add/')) == key, False)
    # nothing is set up without the password, or by another code
    for wrong in ({'old_password': 'not-the-Password-1', 'code': totp(key)},
                  {'old_password': PASSWORDS['ada'], 'code': totp(b'x' * 20)},
                  {'old_password': '', 'code': totp(key)}):
        page = client.post('/accounts/factor/add/', wrong)
        equal((page.status, _key(page)), (400, key))
        lacks(page.text, wrong['code'])
    contains(client.get('/accounts/factor/').words, 'You have none')
    page = client.post('/accounts/factor/add/', {'old_password': PASSWORDS['ada'],
                                                 'code': totp(key)})
    codes = _codes(page)
    _set(site, name, 'last_step = 0')
    contains(page.words, 'shown this once', name)
    equal((_in(client), _in(other)), (True, False), 'this session goes on, others end')
    contains(client.get('/accounts/factor/').words, 'You have one', '10 of 10 recovery codes')
    equal(client.get('/accounts/factor/add/').location, '/accounts/factor/')
    lacks(client.get('/accounts/factor/').text, codes[0])

    again = site.visitor()
    answer = _password(again, name, '/targets/?page=1')
    equal(answer.location, CODE + '?next=%2Ftargets%2F%3Fpage%3D1')
    page = again.follow(answer)
    contains(page.text, 'autocomplete="one-time-code"', 'inputmode="numeric"')
    lacks(page.words, name)
    equal(_in(again), False)
    answer = again.submit(answer.location, {'code': totp(key)})
    equal((answer.status, answer.location), (302, '/targets/?page=1'))
    equal(_in(again), True)
    equal(site.one("SELECT COUNT(*) FROM session s JOIN users u ON u.id = s.user_id WHERE "
                   "u.username = '%s' AND s.factor IS NOT NULL" % name), '2')
    equal([k for (k,) in site.sql("SELECT kind FROM security_event WHERE username = '%s' AND kind "
                                  "LIKE 'factor%%' ORDER BY id" % name)], ['factor_added'])


def the_database_and_the_logs_have_neither_keys_nor_codes(site):
    owner = _owner(site)
    key, codes = owner.key, owner.codes
    hexed = "encode(%s, 'hex')" if site.database == 'postgresql' else 'hex(%s)'
    sealed = [row.lower() for (row,) in site.sql('SELECT %s FROM factor' % hexed % 'secret')]
    hashes = [row.lower() for (row,) in site.sql('SELECT %s FROM recovery_code' % hexed % 'code_hash')]
    text = base64.b32encode(key).decode()
    lacks(' '.join(sealed), key.hex())
    for code in codes:
        lacks(' '.join(hashes), code.encode().hex(), code.replace('-', '').encode().hex())
    lacks(site.all_logs(), text, *codes)


def a_code_is_good_once_and_only_in_its_time(site):
    owner = _owner(site)
    key, client = owner.key, owner.half()
    code = totp(key)
    _set(site, owner.name, 'last_step = %d' % (time.time() // 30))
    for code, words in ((code, 'used already'), (totp(key, -3), 'wrong'),
                        (totp(key, 3), 'wrong'), ('', 'Code of your phone'), ('12345a', 'wrong')):
        page = client.post(CODE, {'code': code})
        equal(page.status, 400, code)
        contains(page.words, words)
    equal(_in(client), False)
    owner.fresh()
    right = totp(key)
    equal(client.post(CODE, {'code': right[:3] + ' ' + right[3:]}).status, 302)
    equal(_in(client), True)
    thief = owner.half()
    contains(thief.post(CODE, {'code': right}).words, 'used already')
    equal(_in(thief), False)


def the_password_alone_opens_nothing(site):
    """Straight to other pages; the cookie of the first page as a session; the setting up of another."""
    owner = _owner(site)
    key, client = owner.key, owner.half()
    before = _sessions(site, owner.name)
    half = [(n, v) for n, v in client.cookies.items() if n.endswith('half')]
    equal((len(half), [n for n in client.cookies if n.endswith('sid')]), (1, []))
    for path in ('/accounts/factor/', '/accounts/factor/add/', '/accounts/factor/remove/',
                 '/accounts/factor/codes/', '/accounts/password/', '/targets/create/', '/admin/'):
        equal(client.get(path).location.split('?')[0], '/accounts/login/', path)
    equal(client.get(FIRST).location, CODE)
    equal(client.post(FIRST, {'code': totp(key)}, page=CODE).location, CODE)
    for path in ('/accounts/factor/remove/', '/accounts/factor/add/', '/accounts/password/'):
        equal(client.post(path, {'old_password': PASSWORDS['ada'], 'code': totp(key)},
                          page=CODE).status, 403, path)
    client.cookies['sid'] = half[0][1]
    equal(client.get('/accounts/factor/').status, 302)
    equal(_sessions(site, owner.name), before)


def a_half_signed_in_browser_is_one_browser_and_one_user(site):
    victim, own = _owner(site), _owner(site, 'totp-thief')
    key, mine, owner, thief = victim.key, own.key, victim.half(), own.half()
    name = [n for n in owner.cookies if n.endswith('half')][0]
    kept = thief.cookies[name]
    # the cookie of another browser, and a user changed in one's own
    raw = bytearray(base64.urlsafe_b64decode(kept + '=' * (-len(kept) % 4)))
    theirs = site.one("SELECT id FROM users WHERE username = 'totp'")
    raw[:8] = struct.pack('<q', int(theirs))
    forged = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip('=')
    for cookie in (owner.cookies[name], forged, kept[:-1], kept + 'A', 'A' * len(kept), ''):
        thief.cookies[name] = cookie
        equal(thief.get(CODE).location, '/accounts/login/', cookie)
        equal(thief.post(CODE, {'code': totp(key)}, page='/accounts/login/').location,
              '/accounts/login/')
        equal(_in(thief), False)
    equal(_failures(site, 'totp'), '0')
    # of one's own it is good, once a code was given and no longer than the password
    thief.cookies[name] = kept
    equal(thief.get(CODE).status, 200)
    site.sql("UPDATE users SET password_changed = password_changed + 1 WHERE username = 'totp-thief'")
    equal(thief.get(CODE).location, '/accounts/login/')
    site.sql("UPDATE users SET password_changed = password_changed - 1, is_active = 0 "
             "WHERE username = 'totp-thief'")
    equal(thief.get(CODE).location, '/accounts/login/')
    site.sql("UPDATE users SET is_active = 1 WHERE username = 'totp-thief'")
    equal(thief.post(CODE, {'code': totp(mine)}).status, 302)
    lacks(' '.join(thief.cookies), 'half')
    equal(_in(thief), True)


def guessing_codes_is_slowed_down_across_browsers(site):
    owned = _owner(site)
    name, key = owned.name, owned.key
    browsers = [owned.half() for _ in range(2)]
    token = [client.token(CODE) for client in browsers]
    answers = [browsers[i % 2].post(CODE, {'code': '%06d' % i}, token=token[i % 2],
                                    headers={'X-Forwarded-For': '192.0.2.%d' % i})
               for i in range(12)]
    equal([a.status for a in answers], [400] * 5 + [429] * 7)
    equal(all(0 < int(a.header('Retry-After')) <= 60 for a in answers[5:]), True)
    contains(answers[-1].words, 'again in 1 minute;', 'a recovery code is taken')
    equal(browsers[0].post(CODE, {'code': totp(key)}).status, 429, 'the right one, too')
    equal(_failures(site, name), '5')
    # who does not know the password gets nowhere near: the owner is not held up
    stranger = site.visitor()
    equal(stranger.post(CODE, {'code': '000000'}, page='/accounts/login/').location,
          '/accounts/login/')
    # after the wait one more guess, then twice as long
    _set(site, name, 'retry_at = 1')
    equal([browsers[0].post(CODE, {'code': '000000'}, token=token[0]).status for _ in range(2)],
          [400, 429])
    # the owner's way in meanwhile
    owner = owned.half()
    page = owner.get(CODE + '?how=recovery')
    contains(page.words, 'Recovery code')
    lacks(page.text, 'inputmode')
    equal(owner.post(CODE, {'code': owned.codes.pop(), 'how': 'recovery'}).status, 302)
    equal((_in(owner), _failures(site, name)), (True, '0'))
    equal(site.one("SELECT COUNT(*) FROM security_event WHERE username = '%s' AND "
                   "kind = 'factor_refused'" % name) != '0', True)


def a_recovery_code_is_good_once_and_says_how_many_are_left(site):
    owner = _owner(site)
    used = ("SELECT COUNT(*) FROM security_event WHERE username = '%s' AND "
            "kind = 'recovery_code_used'" % owner.name)
    before, client, code = int(site.one(used)), owner.half(), owner.codes.pop()
    answer = client.post(CODE, {'code': code.upper().replace('-', ' '), 'how': 'recovery'})
    equal(answer.status, 302)
    contains(client.follow(answer).words, 'you have %d more' % len(owner.codes))
    page = owner.half().post(CODE, {'code': code, 'how': 'recovery'})
    equal(page.status, 400)
    contains(page.words, 'The code is wrong')
    equal(int(site.one(used)), before + 1)


def a_stolen_session_does_not_take_the_factor_away(site):
    owner = _owner(site)
    name, key, client, other = owner.name, owner.key, owner.half(), owner.half()
    equal(client.post(CODE, {'code': totp(key)}).status, 302)
    owner.fresh()
    equal(other.post(CODE, {'code': totp(key)}).status, 302)
    owner.fresh()
    thief = site.visitor()
    thief.cookies = dict(client.cookies)
    for path in ('/accounts/factor/remove/', '/accounts/factor/codes/'):
        for data in ({'code': totp(key)}, {'old_password': '', 'code': owner.codes[0]}):
            equal(thief.post(path, data).status, 400, path)
    page = thief.post('/accounts/factor/remove/', {'old_password': 'not-the-Password-1',
                                                   'code': totp(key)})
    # no code is looked at before the password is right, nor is the password enough
    equal((page.status, _failures(site, name)), (400, '0'))
    page = thief.post('/accounts/factor/remove/', {'old_password': PASSWORDS['ada'],
                                                   'code': '000000'})
    equal((page.status, _failures(site, name)), (400, '1'))
    contains(client.get('/accounts/factor/').words, 'You have one', '%d of 10' % len(owner.codes))
    # the owner has both
    fresh = _codes(client.post('/accounts/factor/codes/', {'old_password': PASSWORDS['ada'],
                                                           'code': owner.codes.pop()}))
    answer = client.post('/accounts/factor/remove/', {'old_password': PASSWORDS['ada'],
                                                      'code': fresh[0]})
    del _owners[site, name]
    equal((answer.status, answer.location), (302, '/accounts/factor/'))
    contains(client.follow(answer).words, 'Second factor removed', 'You have none')
    equal((_in(client), _in(other), _in(thief)), (True, False, False))
    equal(owner.half().get(CODE).location, '/accounts/login/')
    equal([k for (k,) in site.sql("SELECT kind FROM security_event WHERE username = '%s' AND kind "
                                  "LIKE 'factor_%%' AND kind <> 'factor_refused' ORDER BY id" % name)],
          ['factor_added', 'factor_added', 'factor_removed'])
    # so that the user can be made again
    site.sql("UPDATE users SET username = '%s-before' WHERE username = '%s'" % (name, name))


def an_operator_resets_a_lost_factor(site):
    name = 'totp-thief'
    owner = _owner(site, name)
    client = owner.half()
    equal(client.post(CODE, {'code': totp(owner.key)}).status, 302)
    contains(site.meridian('user', 'reset-factor', name), 'removed the second factor of')
    del _owners[site, name]
    equal(_in(client), False)
    equal(_password(site.visitor(), name).location, '/')
    equal(site.sql("SELECT kind, detail FROM security_event WHERE username = '%s' AND "
                   "kind = 'factor_removed'" % name), [('factor_removed', 'by meridian user reset-factor')])
    site.meridian('user', 'reset-factor', name, check=False)
    equal(site.last.returncode, 1)
    contains(site.last.stderr, 'has no second factor')
    site.meridian('user', 'reset-factor', 'nobody-here', check=False)
    contains(site.last.stderr, 'there is no user')
    site.sql("UPDATE users SET username = '%s-before' WHERE username = '%s'" % (name, name))


def _forged_half(site, name, visitor):
    """What says that the password was given, made with the key that signs it and forms' tokens."""
    with open(site.data + '/secret_key', 'rb') as f:
        key = f.read().strip()
    whose = struct.pack('<qqq', *(int(n) for n in (
        site.one("SELECT id FROM users WHERE username = '%s'" % name),
        site.one("SELECT password_changed FROM users WHERE username = '%s'" % name),
        (time.time() + 300) * 1000000)))
    parts = (b'half signed in', b'visitor', visitor.encode(), whose)
    mac = hmac.new(key, b''.join(struct.pack('<Q', len(p)) + p for p in parts), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(whose + mac).decode().rstrip('=')


def who_must_have_a_factor_sets_it_up_before_anything_else(site):
    with site.variant(users=False, TOM_MFA_REQUIRED='superusers') as strict:
        strict.add_user('admin', PASSWORDS['admin'], '--superuser')
        strict.sql("INSERT INTO users (username, name_key, password, first_name, last_name, email, "
                   "affiliation, is_active, is_staff, is_superuser, created, password_changed) "
                   "SELECT 'ben', 'ben', password, '', '', '', '', 1, 0, 0, created, password_changed "
                   "FROM users")
        # every executable has the key of forms' tokens: it makes no way past the password
        forger = strict.visitor()
        forger.get('/accounts/login/')
        name = [n for n in forger.cookies if n.endswith('visitor')][0]
        forger.cookies[name.replace('visitor', 'half')] = _forged_half(
            strict, 'admin', forger.cookies[name])
        equal(forger.get(FIRST).location, '/accounts/login/')
        boss = strict.visitor()
        answer = boss.sign_in('admin', PASSWORDS['admin'], '/admin/')
        equal(answer.location, FIRST + '?next=%2Fadmin%2F')
        page = boss.follow(answer)
        key = _key(page)
        for path in ('/admin/', '/accounts/factor/', '/accounts/password/'):
            equal(boss.get(path).location.split('?')[0], '/accounts/login/', path)
        equal(boss.get(CODE).location, FIRST)
        equal(boss.post(FIRST, {'code': '000000'}).status, 400)
        page = boss.submit(answer.location, {'code': totp(key)})
        codes = _codes(page)
        _set(strict, 'admin', 'last_step = 0')
        contains(page.links, '/admin/')
        equal(boss.get('/admin/').status, 200)
        # once it is there, the page that sets up is closed, and the code is asked
        again = strict.visitor()
        again.cookies = {n: v for n, v in boss.cookies.items() if not n.endswith('sid')}
        equal(again.get(FIRST).location, '/accounts/login/')
        equal(again.sign_in('admin', PASSWORDS['admin']).location, CODE)
        equal(again.get(FIRST).location, CODE)
        equal(again.post(FIRST, {'code': totp(key)}, page=CODE).location, CODE)
        equal(again.post(CODE, {'code': totp(key)}).status, 302)
        # who takes it away sets up the next, before anything else
        answer = again.post('/accounts/factor/remove/', {
            'old_password': PASSWORDS['admin'], 'code': codes[0]})
        equal(answer.location, FIRST)
        equal((again.get('/admin/').status, boss.get('/admin/').status), (302, 302))
        fresh = _key(again.follow(answer))
        equal(fresh == key, False)
        _codes(again.post(FIRST, {'code': totp(fresh)}))
        equal(again.get('/admin/').status, 200)
        # a session without one ends in the moment that makes its user a superuser
        client = strict.visitor()
        equal(client.sign_in('ben', PASSWORDS['admin']).location, '/')
        equal(client.get('/accounts/password/').status, 200)
        script = strict.visitor()
        answer = script.request('POST', '/api/token-auth/', json.dumps(
            {'username': 'ben', 'password': PASSWORDS['admin']}).encode(),
            {'Content-Type': 'application/json'})
        shown = {'Authorization': 'Token ' + json.loads(answer.text)['token']}
        equal(script.get('/targets/', shown).status, 200)
        strict.sql("UPDATE users SET is_superuser = 1 WHERE username = 'ben'")
        equal(client.get('/accounts/password/').status, 302)
        # nor is a token enough that the password alone got
        equal(script.get('/targets/', shown).status, 401)
        # and one in the table counts for nothing: the row is signed
        strict.sql("UPDATE session SET factor = created")
        equal(client.get('/accounts/password/').status, 302)


def without_a_vault_there_is_no_factor_and_none_can_be_asked_for(site):
    with site.variant(users=False, VAULT_KEY_FILE='') as plain:
        plain.add_user('ada', PASSWORDS['ada'])
        ada = plain.signed_in('ada')
        contains(ada.get('/accounts/factor/').words, 'no second factors yet', 'VAULT_KEY_FILE')
        equal(ada.get('/accounts/factor/add/').location, '/accounts/factor/')
