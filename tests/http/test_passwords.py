"""passwords: those of an imported site, and every way to a new one."""
import json
import os
import unicodedata

from harness.report import Skip, contains, equal, needs
from harness.site import TOP

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
