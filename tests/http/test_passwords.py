"""passwords: those of an imported site, and every way to a new one."""
import json
import os
import re
import time
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
            tom.sql("INSERT INTO users (username, name_key, password, is_active, created, "
                    "password_changed) VALUES ('%s', '%s', '%s', %d, 1, 1)"
                    % (name, name, encoded, active))
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


def _by_pages_of_users(site):
    client = site.signed_in('admin')
    page = '/users/create/'
    said = client.submit(page, {'username': 'weakling', 'email': 'weakling@tom.example',
                                'password1': WEAK, 'password2': WEAK}).words
    contains(said, *REASONS)
    page = '/users/%s/update/' % site.one("SELECT id FROM users WHERE username = 'ben'")
    return client.submit(page, {'username': 'ben', 'email': 'ben@tom.example',
                                'password1': WEAK, 'password2': WEAK}).words


def _by_changepassword(site):
    client = site.signed_in('admin')
    page = '/users/%s/changepassword/' % site.one("SELECT id FROM users WHERE username = 'ben'")
    return client.post(page, {'change_password_form': '1', 'password': WEAK}, page=page).words


def _by_reset(site):
    with site.variant(MAIL_TRANSPORT='sendmail', MAIL_FROM='tom@tom.example',
                      TOM_PASSWORD_RESET_ENABLED='yes') as tom:
        tom.sql("UPDATE users SET email = 'ben@tom.example', email_verified = 1 WHERE username = 'ben'")
        tom.visitor().submit('/accounts/password/reset/', {'email': 'ben@tom.example'})
        body = tom.one("SELECT REPLACE(body, '\n', ' ') FROM mail ORDER BY id DESC")  # in one line
        path = re.search(r'/accounts/password/reset/[^/\s]+/', body).group(0)
        return tom.visitor().submit(path, {'new_password1': WEAK, 'new_password2': WEAK}).words


def _by_registration(site):
    with site.variant(MAIL_TRANSPORT='sendmail', MAIL_FROM='tom@tom.example',
                      TOM_REGISTRATION_STRATEGY='open') as tom:
        said = tom.visitor().submit('/accounts/register/', {
            'username': 'weakling', 'email': 'weakling@tom.example', 'first_name': 'Weak',
            'last_name': 'Ling', 'password1': WEAK, 'password2': WEAK}).words
        equal(tom.one("SELECT COUNT(*) FROM users WHERE username = 'weakling'"), '0')
        return said


# Every file that sets a password, and how one that breaks the rules is brought to it.
WAYS = {
    'cgi/login_password.c': _by_own_page,
    'cgi/login_reset.c': _by_reset,
    'cgi/users_form.c': _by_pages_of_users,
    'cgi/users_password.c': _by_changepassword,
    'cmd/meridian_users.c': _by_commands,
    'lib/tom/registration.c': _by_registration,
}
# Those whose passwords are made, not chosen.
GENERATED = {'cmd/meridian_setup.c'}


def every_way_to_a_password_keeps_the_one_policy(site):
    """A file that hashes passwords past it, or sets them and is not named here, fails this test."""
    import glob
    hashing, setting = set(), set()
    for path in sorted(glob.glob(TOP + '/cgi/*.c') + glob.glob(TOP + '/cmd/*.c') +
                       glob.glob(TOP + '/lib/*/*.c')):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        name = os.path.relpath(path, TOP)
        if re.search(r'\bpassword_hash\(', text):
            hashing.add(name)
        if re.search(r'\b(user_add|user_hash|user_pass_new|(user|login)_set_password)\(|\bUSER_PASSWORD\b',
                     text):
            setting.add(name)
    # the hash of our own making, of a password that the policy passed; of one that was right already
    equal(hashing, {'lib/auth/password.c', 'lib/tom/user.c', 'lib/auth/signin.c'})
    ways = {name: way for name, way in WAYS.items() if os.path.exists(os.path.join(TOP, name))}
    equal(setting - {'lib/tom/user.c', 'lib/tom/user_change.c'}, set(ways) | GENERATED)
    before = site.sql('SELECT username, password FROM users ORDER BY username')
    for way in ways.values():
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


def _token_of(site, name):
    """A token of the user's that reads, put into the table."""
    import base64
    import hashlib
    token = 'mrd_' + base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip('=')
    digest = hashlib.sha256(token.encode()).hexdigest()
    site.sql("INSERT INTO api_token (user_id, name, token_hash, scopes, created) "
             "SELECT id, 'script', %s, 'read', %d FROM users WHERE username = '%s'" % (
                 "'\\x%s'" % digest if site.database == 'postgresql' else "X'%s'" % digest,
                 time.time() * 1e6, name))
    return token


def an_old_password_is_changed_before_anything_else(site):
    """Superusers too, sessions that were there before, and whoever signs in; not what shows a token."""
    with site.variant(TOM_PASSWORD_EXPIRY_DAYS='90') as tom:
        client = tom.signed_in('admin')
        equal(client.get('/targets/').status, 200)
        token = _token_of(tom, 'admin')
        tom.sql("UPDATE users SET password_changed = password_changed - 91 * CAST(86400000000 AS %s)" %
                ('SIGNED' if tom.database == 'mariadb' else 'BIGINT'))
        # a session is bound to when the password was set: that one has ended
        equal(client.get('/admin/').status, 302)
        client = tom.visitor()
        answer = client.sign_in('admin', PASSWORDS['admin'], '/targets/?page=1')
        equal(answer.location, '/targets/?page=1')
        for path in ('/targets/?page=1', '/', '/admin/', '/targets/create/', '/accounts/login/'):
            where = client.get(path).location
            contains(where, '/accounts/password/?next=')
        where = client.get('/targets/?page=1').location
        page = client.get(where)
        equal(page.status, 200)
        contains(page.words, 'Choose a new password', 'after 90 days')
        equal(client.post('/targets/create/', {'name': 'x'}, token=client.token(where)).status, 403)
        equal(tom.visitor().get('/targets/', {'Authorization': 'Token ' + token}).status, 200)
        new = 'summer-Pelican-8-altitude'
        answer = client.submit(where, {'old_password': PASSWORDS['admin'], 'new_password1': new,
                                       'new_password2': new})
        equal((answer.status, answer.location), (302, '/targets/?page=1'))
        equal(client.get('/targets/?page=1').status, 200)
        equal(client.sign_out('/').status, 302)


def the_owner_is_told_of_a_new_password(site):
    """By own page and by command; never what it is, never of one that was refused."""
    new, newer = 'summer-Pelican-8-altitude', 'autumn-Pelican-8-altitude'
    with site.variant(MAIL_TRANSPORT='sendmail', MAIL_FROM='tom@tom.example', CONTACT='help@tom.example',
                      TOM_NAME='Test TOM') as tom:
        tom.sql("UPDATE users SET email = 'ben@tom.example' WHERE username = 'ben'")
        client = tom.signed_in('ben')
        for password, again in ((new, newer), (new, new)):
            client.submit('/accounts/password/', {'old_password': PASSWORDS['ben'],
                                                  'new_password1': password, 'new_password2': again})
        tom.meridian('user', 'password', 'ben', '--password-file', '-', stdin=newer + '\n')
        tom.meridian('user', 'password', 'ada', '--password-file', '-', stdin=newer + '\n')
        mails = tom.sql('SELECT recipient, subject, REPLACE(body, CHR(10), CHR(32)) FROM mail ORDER BY id'
                        if tom.database == 'postgresql' else
                        'SELECT recipient, subject, REPLACE(body, CHAR(10), CHAR(32)) FROM mail ORDER BY id')
        equal([m[:2] for m in mails],
              2 * [('ben@tom.example', 'Your password at Test TOM was changed')])
        contains(mails[0][2], 'Hello ben', 'help@tom.example')
        for mail in mails:
            equal([word for word in (new, newer) if word in mail[2]], [])
