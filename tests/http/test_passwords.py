"""passwords: those of an imported site, and every way to a new one."""
import json
import os
import unicodedata

from harness.report import Skip, contains, equal, needs
from harness.site import PASSWORDS, TOP

IMPORTED = os.path.join(TOP, '..', 'shared', 'data', 'tomtoolkit')


def _imported_users():
    """(name, password or None, format, is active, hash) of each user of a real database."""
    import sqlite3
    path = os.path.join(IMPORTED, 'expected.json')
    if not os.path.exists(path):
        raise Skip('there is no ../shared/data/tomtoolkit beside the checkout')
    with open(path, encoding='utf-8') as f:
        checks = json.load(f)['versions']['3.1']['checks']
    db = sqlite3.connect('file:%s/tom-3.1.sqlite3?mode=ro' % IMPORTED, uri=True)
    hashes = dict(db.execute('SELECT username, password FROM auth_user'))
    db.close()
    return [(c['username'], c['password'], c['format'], c['is_active'], hashes[c['username']])
            for c in checks if c['check'] == 'user']


def _hash(site, name):
    return site.one("SELECT password FROM users WHERE username = '%s'" % name)


def _try(site, name, password):
    """The status of signing in: 302 where it was right."""
    return site.visitor().post('/accounts/login/', {'username': name, 'password': password}).status


@needs('sqlite')
def users_of_an_imported_site_sign_in_with_their_passwords(site):
    users = _imported_users()
    equal({'pbkdf2_sha256', 'pbkdf2_sha1', 'scrypt', 'argon2', 'bcrypt_sha256', 'bcrypt', 'md5',
           'unusable'}, {form for _, _, form, _, _ in users})
    with site.variant(users=False, PASSWORD_IMPORT_MD5='yes') as tom:
        for name, _, _, active, encoded in users:
            tom.sql("INSERT INTO users (username, password, is_active, created, password_changed) "
                    "VALUES ('%s', '%s', %d, 1, 1)" % (name, encoded, active))
        for name, password, form, active, encoded in users:
            may = active and password is not None
            equal(_try(tom, name, password or encoded), 302 if may else 400, name)
            if may:
                contains(_hash(tom, name), 'scrypt$131072$', '$8$1$')
            else:
                equal(_hash(tom, name), encoded, name)
        # the hash made anew is of one spelling; the other signs in as before
        name, password = [(u[0], u[1]) for u in users if u[2] == 'pbkdf2_sha1'][0]
        other = unicodedata.normalize('NFC', password)
        equal(other != password, True)
        equal(_try(tom, name, other), 302)


def an_md5_hash_needs_leave(site):
    site.add_user('oldest', 'summer-Pelican-8-altitude')
    # of "winter"
    md5 = 'md5$salt$' + __import__('hashlib').md5(b'saltwinter').hexdigest()
    site.sql("UPDATE users SET password = '%s' WHERE username = 'oldest'" % md5)
    equal(_try(site, 'oldest', 'winter'), 400)
    equal(_hash(site, 'oldest'), md5)
    contains(site.logged('login'), 'cannot be read: set the password anew')


WEAK = '12345678'
REASONS = ('too short', 'at least 15', 'too common', 'entirely numeric', 'alphabet or the')
USER = 'winter-Pelican-8-azimuth'


def _by_own_page(site):
    client = site.signed_in('ben')
    return client.post('/accounts/password/', {
        'old_password': PASSWORDS['ben'], 'new_password1': WEAK, 'new_password2': WEAK}).words


def _by_commands(site):
    said = ''
    for words in (('user', 'add', 'weakling'), ('user', 'password', 'ben')):
        site.command('meridian', *words, '--password-file', '-', stdin=WEAK + '\n', check=False)
        equal(site.last.returncode, 1, ' '.join(words))
        said += site.last.stderr
        contains(site.last.stderr, *REASONS)
    return said


# Every file that sets a password, and how one that breaks the rules is brought to it.
WAYS = {
    'cgi/login_password.c': _by_own_page,
    'cmd/meridian_users.c': _by_commands,
}
# Those whose passwords are made, not chosen.
GENERATED = {'cmd/meridian_setup.c'}


def every_way_to_a_password_keeps_the_one_policy(site):
    """A file that hashes passwords past it, or sets them and is not named here, fails this test."""
    import glob
    import re
    hashing, setting = set(), set()
    for path in sorted(glob.glob(TOP + '/cgi/*.c') + glob.glob(TOP + '/cmd/*.c') +
                       glob.glob(TOP + '/lib/*/*.c')):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        name = os.path.relpath(path, TOP)
        if re.search(r'\bpassword_hash\(', text):
            hashing.add(name)
        if re.search(r'\b(user_add|user_set_password)\(', text):
            setting.add(name)
    # the hash of our own making, of a password that the policy passed; of one that was right already
    equal(hashing, {'lib/auth/password.c', 'lib/tom/user.c', 'lib/auth/signin.c'})
    equal(setting - {'lib/tom/user.c'}, set(WAYS) | GENERATED)
    before = site.sql('SELECT username, password FROM users ORDER BY username')
    for name, way in WAYS.items():
        contains(way(site), *REASONS)
    equal(site.sql('SELECT username, password FROM users ORDER BY username'), before)


def a_file_of_breached_passwords_is_asked(site):
    import hashlib
    path = os.path.join(site.directory, 'breaches')
    with open(path, 'w') as f:
        f.write(''.join('%s:3\n' % line for line in sorted(
            hashlib.sha1(text.encode()).hexdigest().upper()
            for text in (USER, *map(str, range(1000))))))
    os.chmod(path, 0o644)
    site.command('meridian', 'user', 'add', 'breached', '--password-file', '-', stdin=USER + '\n',
                 check=False, MERIDIAN_PASSWORD_BREACH_FILE=path)
    equal(site.last.returncode, 1)
    contains(site.last.stderr, 'known from a breach')
    site.command('meridian', 'user', 'add', 'breached', '--generate', MERIDIAN_PASSWORD_BREACH_FILE=path)
    site.command('meridian', 'user', 'password', 'breached', '--generate', check=False,
                 MERIDIAN_PASSWORD_BREACH_FILE='/nonexistent')
    equal(site.last.returncode, 1)
    contains(site.last.stderr, 'cannot be looked up')


def a_short_password_needs_a_word_of_the_operator(site):
    short = 'vkq7zphx'
    site.command('meridian', 'check', check=False, MERIDIAN_PASSWORD_MIN_LENGTH='8')
    equal(site.last.returncode, 78)
    contains(site.last.stderr, 'PASSWORD_MIN_LENGTH is 8: less than 15', 'django-compatible')
    site.command('meridian', 'user', 'add', 'shorty', '--password-file', '-', stdin=short + '\n',
                 MERIDIAN_PASSWORD_MIN_LENGTH='8', MERIDIAN_PASSWORD_POLICY='django-compatible')
    site.visitor().sign_in('shorty', short)
