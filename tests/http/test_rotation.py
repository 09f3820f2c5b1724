"""rotation: new keys for sessions, forms and stored credentials, on a site that goes on serving."""
import fcntl
import os
import signal
import subprocess
import time

from harness import process
from harness.client import Client
from harness.report import contains, equal, lacks, needs
from harness.site import PASSWORDS
from test_factor import CODE, _codes, _key, _set, totp


def _lines(path):
    with open(path) as f:
        return f.read().splitlines()


def _reload(site, *names):
    """SIGHUP, and workers of the new configuration in the place of all the old ones."""
    for name in names:
        before = set(site.handler_workers(name))
        site.handlers[name].send_signal(signal.SIGHUP)
        process.sleep_until(lambda name=name, before=before:
                            not before & set(site.handler_workers(name)) and
                            len(site.handler_workers(name)) >= site.workers, 10)


class _Site:
    """A site with one user, who has a factor: its key, browsers of every stage, and its key files."""

    def __init__(self, site):
        self.site = site
        site.add_user('ada', PASSWORDS['ada'])
        self.secret, self.vault = site.data + '/secret_key', site.data + '/vault_key'
        self.browser = site.visitor()
        self.browser.sign_in('ada', PASSWORDS['ada'])
        self.key = _key(self.browser.get('/accounts/factor/add/'))
        self.codes = _codes(self.browser.post('/accounts/factor/add/', {
            'old_password': PASSWORDS['ada'], 'code': totp(self.key)}))
        half = site.visitor()
        half.sign_in('ada', PASSWORDS['ada'])
        self.jar = dict(half.cookies)

    def sealed(self):
        """Which key the stored one is sealed under: the name in its first bytes."""
        text = "encode(secret, 'hex')" if self.site.database == 'postgresql' else 'hex(secret)'
        return self.site.one('SELECT %s FROM factor' % text)[2:18].lower()

    def code_signs_in(self):
        _set(self.site, 'ada', 'last_step = 0')
        client = Client(self.site.port)
        client.cookies = dict(self.jar)
        answer = client.post(CODE, {'code': totp(self.key)})
        return answer.status == 302 and client.get('/accounts/factor/').status == 200


def _killed(other, own):
    command = [os.path.join(other.workshop.app, 'bin/meridian'), 'secret', 'rotate']
    for i in range(10):
        child = subprocess.Popen(command, env=other.environment(), cwd='/',
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 **process.as_user())
        time.sleep(i * 0.004)  # where it is hit is what is tried
        child.kill()
        child.wait()
        equal(own.code_signs_in(), True, 'killed after %d ms' % (4 * i))
    # one at a time
    held = os.open(other.data, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    other.meridian('secret', 'rotate', check=False)
    os.close(held)
    equal(other.last.returncode, 1)
    contains(other.last.stderr, 'another rotation is at work')
    # run to its end: a key that waits already is not made twice
    said = other.meridian('secret', 'rotate')
    contains(said, own.secret, own.vault, 'in use from', 'sealed anew')
    lacks(said, *[line.split()[0] for line in _lines(own.secret) + _lines(own.vault)])


def _rotated(other, own, old):
    before, secret, vault, form = old
    for path, first in ((own.secret, secret), (own.vault, vault)):
        equal(os.stat(path).st_mode & 0o777, 0o600)
        equal((len(_lines(path)), _lines(path)[0].split()[0]), (2, first), path)
    equal(own.sealed() == before, False)
    # workers that were told nothing: what is sealed anew opens, sessions and forms go on
    equal((own.code_signs_in(), own.browser.get('/accounts/factor/').status), (True, 200))
    _reload(other, 'login', 'targets')
    # the minutes are over: one executable signs with the new key, and the others know it
    for path in (own.secret, own.vault):
        text = '\n'.join(_lines(path)).replace(_lines(path)[1].split(' from ')[1],
                                               '2020-01-01T00:00:00Z')
        with open(path, 'w') as f:
            f.write(text + '\n')
    _reload(other, 'login')
    equal((own.code_signs_in(), own.browser.get('/accounts/factor/').status), (True, 200))
    answer = own.browser.post('/targets/create/', {'name': 'Rotated', 'ra': '1', 'dec': '1'},
                              token=form)
    equal(answer.status, 302, 'a form of before')
    fresh = Client(other.port)
    fresh.cookies = dict(own.jar)
    _set(other, 'ada', 'last_step = 0')
    equal(fresh.post(CODE, {'code': totp(own.key)}).status, 302)
    equal(fresh.get('/targets/create/').status, 200, 'targets, which still signs with the old')
    # the next rotation drops what nothing is sealed under, and takes no old secret for ever
    other.meridian('secret', 'rotate', '--minutes', '1')
    equal((len(_lines(own.vault)), vault in _lines(own.vault)[0]), (2, False))
    contains(_lines(own.secret)[0], secret + ' until 20')
    equal(own.code_signs_in(), True)


def _at_once(other, own):
    old = [line.split()[0] for line in _lines(own.secret)]
    contains(other.meridian('secret', 'rotate', '--now'), 'all sessions have ended')
    lacks('\n'.join(_lines(own.secret)), *old)
    equal(own.browser.get('/accounts/factor/').status, 302)
    _reload(other, 'login')
    half = Client(other.port)
    half.cookies = dict(own.jar)
    equal(half.get(CODE).location, '/accounts/login/', 'the cookie of the old key')
    client = other.visitor()
    client.sign_in('ada', PASSWORDS['ada'])
    _set(other, 'ada', 'last_step = 0')
    equal(client.post(CODE, {'code': totp(own.key)}).status, 302)


@needs('nginx')
def keys_change_while_the_site_serves(site):
    """Killed and run again; then the new keys are in use; then all at once, since others saw a key."""
    with site.variant(users=False) as other:
        own = _Site(other)
        old = (own.sealed(), _lines(own.secret)[0], _lines(own.vault)[0],
               own.browser.token('/targets/create/'))
        _killed(other, own)
        _rotated(other, own, old)
        _at_once(other, own)
        equal(int(other.one("SELECT COUNT(*) FROM security_event WHERE kind = 'secret_rotated'")) >= 3,
              True)
