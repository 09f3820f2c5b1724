"""
timing: what an answer's time and bytes tell of an account that one does not own: whether it is there, whether
it is active, and how its password is kept. Nothing: each leaves no earlier than one common floor.

The floor is asked of every sample; that the medians lie together is for the run by hand, on a quiet machine.
"""
import concurrent.futures
import re
import statistics
import time

from harness.report import contains, equal
from test_login import _same_answer

SIZES = {'samples': 50, 'workers': 2, 'medians': None}
FULL = {'samples': 1000, 'workers': 1, 'medians': 0.05}

FLOOR = 0.6  # PASSWORD_FLOOR_MS
KEY_32 = 'JJtIAJC9KWvQ9WDM4y9WhU2C66Nvmo3lk51VIde/Fkg='
KEY_64 = 'Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=='
SALT = 'Abcdefghij0123456789xy'

# Of names alike in length: how the password is kept, with the costs that Django's versions have.
KEPT = {
    'inactive': None,
    'ours': 'scrypt$131072$%s$8$1$%s' % (SALT, KEY_64),
    'unusable': '!' + 40 * 'x',
    'unreadable': 'sha3$1$salt$abc',
    'pbkdf2-new': 'pbkdf2_sha256$1000000$%s$%s' % (SALT, KEY_32),
    'pbkdf2-old': 'pbkdf2_sha256$150000$%s$%s' % (SALT, KEY_32),
    'pbkdf2-sha1': 'pbkdf2_sha1$260000$%s$3EiDDj/gnJCE6+wPibArerVhyDw=' % SALT,
    'argon2': 'argon2$argon2id$v=19$m=102400,t=2,p=8$QWJjZGVmZ2hpajAxMjM0NTY3ODl4eQ$' + KEY_32[:-1],
    'bcrypt-sha256': 'bcrypt_sha256$$2b$12$qBrOm.NNr4sP2FETwuWr4OzRmHfRBL7mQ9ylOUfTPksyFsjhHXLfO',
    'bcrypt': 'bcrypt$$2b$10$qBrOm.NNr4sP2FETwuWr4OzRmHfRBL7mQ9ylOUfTPksyFsjhHXLfO',
    'scrypt-django': 'scrypt$16384$%s$8$5$%s' % (SALT, KEY_64),
    'md5': 'md5$salt$37c6038bbbf0570ecfad3c54d70181da',
}
PASSWORD = 'winter-Pelican-8-azimuth'  # right for the inactive one, wrong for the others


def _name(kind):
    return kind.ljust(16, 'x')


def _make_accounts(tom):
    tom.add_user(_name('inactive'), PASSWORD)
    tom.meridian('user', 'disable', _name('inactive'))
    for kind, encoded in KEPT.items():
        if encoded is not None:
            tom.sql("INSERT INTO users (username, name_key, password, is_active, created, "
                    "password_changed) VALUES ('%s', '%s', '%s', 1, 1, 1)"
                    % (_name(kind), _name(kind), encoded))


def _ask(tom, kind):
    """(kind, seconds, what came back but for what differs each time)."""
    client = tom.visitor()
    token = client.token('/accounts/login/')
    tom.sql('DELETE FROM throttle')  # who is slowed down is another claim
    began = time.monotonic()
    page = client.post('/accounts/login/', {'username': _name(kind), 'password': PASSWORD, 'next': '/'},
                       token=token)
    took = time.monotonic() - began
    headers = sorted((n, v) for n, v in page.headers.items() if n.lower() not in ('date', 'set-cookie'))
    return kind, took, (page.status, headers, _same_answer(page).replace(_name(kind), 'NAME'))


def no_answer_tells_whose_password_was_wrong(site):
    kinds = ['unknown', *KEPT]
    with site.variant(users=False, PASSWORD_FLOOR_MS='%d' % (FLOOR * 1000), PASSWORD_IMPORT_MD5='yes',
                      PASSWORD_HASHES=str(SIZES['workers']), PASSWORD_HASH_WAIT_MS='60000') as tom:
        _make_accounts(tom)
        times, first = {kind: [] for kind in kinds}, None
        order = [kinds[i % len(kinds)] for i in range(max(SIZES['samples'], len(kinds)))]
        with concurrent.futures.ThreadPoolExecutor(SIZES['workers']) as pool:
            for kind, took, answer in pool.map(lambda kind: _ask(tom, kind), order):
                times[kind].append(took)
                equal(answer[0], 400, kind)
                contains(answer[2], 'The user name or the password is wrong')
                first = first or answer
                equal(answer, first, '%s and %s' % (kind, kinds[0]))
        medians = {kind: statistics.median(t) for kind, t in times.items()}
        for kind in kinds:
            print('%-14s least %.3f s, median %.3f s of %d' % (
                kind, min(times[kind]), medians[kind], len(times[kind])))
        early = {kind: min(t) for kind, t in times.items() if min(t) < FLOOR}
        equal(early, {}, 'answered before the floor')
        if SIZES['medians']:
            least, most = min(medians.values()), max(medians.values())
            if most > least * (1 + SIZES['medians']):
                raise AssertionError('medians differ: %r' % medians)


def throttled_answers_are_alike_for_known_and_unknown_names(site):
    """And they are no hash's: they leave long before the floor."""
    with site.variant(users=False, PASSWORD_FLOOR_MS='%d' % (FLOOR * 1000), PASSWORD_IMPORT_MD5='yes',
                      THROTTLE_FREE_FAILURES='1') as tom:
        _make_accounts(tom)
        seen = {}
        for kind in ('unknown', 'ours', 'inactive', 'md5', 'unusable'):
            tom.sql('DELETE FROM throttle')
            answers = []
            for _ in range(5):
                client = tom.visitor()
                token = client.token('/accounts/login/')
                began = time.monotonic()
                page = client.post('/accounts/login/', {'username': _name(kind), 'password': PASSWORD},
                                   token=token)
                answers.append((page, time.monotonic() - began))
                if page.status == 429:
                    break
            equal(page.status, 429, kind)
            took = [t for page, t in answers if page.status == 400]
            equal(len(took) >= 1 and min(took) >= FLOOR, True, '%s, before: %r' % (kind, took))
            equal(1 <= int(page.headers['Retry-After']) <= 5, True, kind)
            # how many seconds are left, and the number of the request, are all that may differ
            text = re.sub(r'Try again in \d+ seconds?', 'Try again', _same_answer(page))
            text = re.sub(r'class="copy">[^<]*', '', text)
            headers = sorted(n for n in page.headers if n.lower() != 'date')
            seen[kind] = (len(answers), headers, text.replace(_name(kind), 'NAME'))
            least = min(_again(tom, kind) for _ in range(3))
            equal(least < FLOOR, True, '%s: refused in %.3f s' % (kind, least))
        for kind, answer in seen.items():
            equal(answer, seen['unknown'], kind)


def _again(tom, kind):
    """How long a refused attempt takes."""
    client = tom.visitor()
    token = client.token('/accounts/login/')
    began = time.monotonic()
    page = client.post('/accounts/login/', {'username': _name(kind), 'password': PASSWORD}, token=token)
    equal(page.status, 429, kind)
    return time.monotonic() - began
