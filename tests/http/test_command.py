"""
meridian: the operator's command on sites of its own: what it makes, what it says, what is unsafe, and its
exit codes (0 done, 1 it could not be done, 2 wrong words, 78 configuration or schema).
"""
import contextlib
import glob
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile

from harness import process
from harness.report import Skip, contains, equal, lacks, needs
from harness.site import PATHS

GOOD = 'winter-Pelican-8-azimuth'


class _Own:
    """A configuration and an empty database; `keys` over what they need."""

    def __init__(self, site, folder, keys):
        self.site = site
        self.folder = folder
        self.key = folder + '/secret_key'
        self.vault = folder + '/vault_key'
        self.conf = folder + '/meridian.conf'
        self.sqlite = os.path.join(os.path.dirname(self.put('data/.keep', '')), 'meridian.sqlite3')
        url = 'sqlite:' + self.sqlite
        if site.database != 'sqlite':
            site.workshop.count += 1
            self.name = 'own%d' % site.workshop.count
            url = site.database_server.create(self.name)
        self.keys = {'SHARE_DIR': site.workshop.share, 'RUN_DIR': folder, 'DATABASE_URL': url,
                     'SECRET_KEY_FILE': self.key, 'VAULT_KEY_FILE': self.vault}
        self.write(**keys)

    def write(self, **keys):
        self.keys.update(keys)
        with open(self.conf, 'w') as f:
            f.write(''.join('%s = %s\n' % pair for pair in self.keys.items()))

    def put(self, name, text):
        """A file of the site's user in the folder."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', newline='') as f:
            f.write(text)
        os.chmod(path, 0o600)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), os.path.dirname(path), path)
        return path

    def run(self, *words, status=0, stdin='', **environment):
        """Standard output; standard error is in self.said."""
        out = self.site.command('meridian', *words, stdin=stdin, check=False,
                                **dict({'MERIDIAN_CONFIG': self.conf}, **environment))
        self.said = self.site.last.stderr
        equal(self.site.last.returncode, status, '%s: %s%s' % (' '.join(words), out, self.said))
        return out

    def sql(self, text):
        """Rows of a query, each a tuple of texts."""
        if self.site.database != 'sqlite':
            out = self.site.database_server.sql(self.name, text)
            return [tuple(line.split('|')) for line in out.splitlines()]
        with contextlib.closing(sqlite3.connect(self.sqlite, timeout=10)) as db:
            rows = db.execute(text).fetchall()
            db.commit()
            return [tuple(str(v) for v in row) for row in rows]

    def json(self, *words, **more):
        return json.loads(self.run(*words, '--json', **more))

    def findings(self, *words, status=0, **environment):
        """What `check` finds, as one text."""
        found = self.json('check', *words, status=status, **environment)
        equal(found['errors'] > 0, status == 1)
        return '\n'.join('%s: %s | %s' % (f['level'], f['what'], f['mend'])
                         for f in found['findings'])


@contextlib.contextmanager
def _own(site, **keys):
    folder = tempfile.mkdtemp(prefix='meridian-command-')
    os.chmod(folder, 0o755)
    if os.getuid() == 0:
        process.give_to(process.unprivileged(), folder)
    try:
        yield _Own(site, folder, keys)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@needs('nginx')
def init_makes_what_is_not_there_and_nothing_else(site):
    with _own(site) as own:
        out = own.run('init', '--admin', 'boss')
        contains(out, 'made the secret key', "made the vault's key", 'migrating: ', 'made the site localhost', 'USER boss\n')
        password = out.split('PASSWORD ')[1].strip()
        equal(len(password) >= 15, True, password)
        equal((_mode(own.key), _mode(own.vault)), (0o600, 0o600))
        if site.database == 'sqlite':
            equal(_mode(own.sqlite), 0o600)
        with open(own.key) as f, open(own.vault) as g:
            key = f.read(), g.read()
        equal(key[0] == key[1], False)
        contains(own.run('init'), 'All is there already')
        lacks(own.run('init', '--admin', 'boss'), 'PASSWORD')
        found = own.json('init')
        equal((found['secret_made'], found['applied'], found['site_made'], found['password']),
              (False, [], False, None))
        with open(own.key) as f, open(own.vault) as g:
            equal((f.read(), g.read()), key)
        equal([u['is_superuser'] for u in own.json('user', 'list')], [True])


@needs('nginx')
def measurements_of_before_get_rights_in_bulk(site):
    """As a stream gives them, where nobody has any; what is settled stays, and a second run gives none."""
    with _own(site, TARGET_PERMISSIONS_ONLY='no') as own:
        own.run('init', '--admin', 'boss')
        own.run('group', 'add', 'Follow-up')
        for first in range(1, 1202, 300):  # more than two transactions
            rows = range(first, min(first + 300, 1202))
            own.sql('INSERT INTO target (id, name, type, permissions, created, modified) VALUES '
                    + ', '.join("(%d, 'T%d', 'SIDEREAL', 'PRIVATE', 1, 1)" % (i, i) for i in rows))
            own.sql('INSERT INTO datum (target_id, source, kind, band, mjd, survey_id, magnitude, sign, '
                    'created) VALUES ' + ', '.join("(%d, '%s', 1, 'r', %d, 0, 20, 1, 1)" % (i, s, mjd)
                                                   for i in rows for s, mjd in (
                                                       ('ZTF', 1), ('ZTF', 2), ('LSST', 1))))
        own.sql("INSERT INTO datum_rights (target_id, source, principal, verbs) VALUES "
                "(7, 'ZTF', 0, 1), (1201, 'LSST', 32, 7)")
        contains(own.findings(), 'nobody has rights on', 'meridian rights fill')
        own.run('rights', 'fill', status=2)
        contains(own.said, 'nobody would get rights')
        own.run('rights', 'fill', '--permissions', 'SECRET', status=2)
        own.run('rights', 'fill', '--group', 'None such', status=1)
        words = ('rights', 'fill', '--permissions', 'OPEN', '--group', 'Follow-up')
        equal(own.json(*words), {'targets': 1201, 'given': 2400})
        equal(own.sql('SELECT source, principal, verbs, count(*) FROM datum_rights '
                      'GROUP BY source, principal, verbs ORDER BY 1, 2'),
              [('LSST', '1', '1', '1200'), ('LSST', '17', '7', '1200'), ('LSST', '32', '7', '1'),
               ('ZTF', '0', '1', '1'), ('ZTF', '1', '1', '1200'), ('ZTF', '17', '7', '1200')])
        contains(own.run(*words), 'targets looked at: 1201, sources given: 0')
        lacks(own.findings(), 'nobody has rights on')
        equal(own.sql("SELECT detail FROM security_event WHERE kind = 'rights_changed'"),
              [('rights on measurements of 2400 sources of targets, by meridian rights fill',)])


@needs('nginx')
def init_says_what_to_do_about_a_key_that_is_no_good(site):
    with _own(site) as own:
        for text in ('', '\n', 'too-short\n'):
            own.put('secret_key', text)
            own.run('init', status=78)
            contains(own.said, own.key, 'remove it', '`meridian init` then makes a new key')
            contains(own.findings(status=1), 'remove it: `meridian init` then makes')
        os.unlink(own.key)
        # the vault's key is never made anew by itself: what is sealed would be lost
        own.put('vault_key', 'too-short\n')
        own.run('init', status=78)
        contains(own.said, own.vault, 'restore it from a backup')
        contains(own.findings(status=1), 'restore it from a backup')
        os.unlink(own.vault)
        own.run('init')
        own.run('init', status=78, MERIDIAN_SECRET_KEY_FILE='')
        contains(own.said, 'SECRET_KEY_FILE is not set')


@needs('nginx')
def migrate_brings_the_schema_and_says_so(site):
    with _own(site) as own:
        if site.database != 'sqlite':
            own.run('user', 'list', status=78)
            contains(own.said, 'run meridian migrate')
        contains(own.run('migrate'), 'migrating: 0001-foundation')
        contains(own.run('migrate'), 'up to date')
        equal(own.json('migrate'), {'applied': []})
        contains(own.run('user', 'list'), 'There are no users')


@needs('nginx')
def a_database_that_is_away_is_no_wrong_configuration(site):
    with _own(site) as own:
        gone = 'sqlite:%s/nowhere/x.sqlite3' % own.folder
        if site.database != 'sqlite':
            gone = {'postgresql': 'postgresql://meridian@/x?host=',
                    'mariadb': 'mariadb://meridian@/x?socket='}[site.database] + own.folder
        own.write(DATABASE_URL=gone)
        for words in (('user', 'list'), ('migrate',), ('init',), ('site', 'list')):
            # of SQLite it is the file that is not there, which waiting does not mend
            own.run(*words, status=78 if site.database == 'sqlite' and 'list' in words else 1)
            contains(own.said, 'meridian: ')
            equal(own.said.count('\n'), 1, 'one sentence: ' + own.said)
        contains(own.findings(status=1), 'the database cannot be used')
        own.write(DATABASE_URL='oracle://nobody')
        own.run('user', 'list', status=78)
        contains(own.said, 'DATABASE_URL begins with')


@needs('nginx')
def wrong_words_are_status_2_and_say_what_is_wrong(site):
    with _own(site) as own:
        for words, says in ((('frobnicate',), 'there is no command "frobnicate"'),
                            (('user', 'frob'), 'there is no command "user frob"'),
                            (('user', 'add'), 'usage: meridian user add NAME'),
                            (('user', 'add', 'a', 'b'), 'usage: meridian user add NAME'),
                            (('user', 'add', 'a', '--email'), '--email needs a value'),
                            (('user', 'add', 'a', '--email', '--staff'), '--email needs a value'),
                            (('user', 'add', 'a', '--staff=1'), '--staff=1 does not go with'),
                            (('user', 'list', '--frob'), '--frob does not go with "user list"')):
            own.run(*words, status=2)
            contains(own.said, says)
        contains(own.run('help'), 'usage: meridian COMMAND', 'user add')
        contains(own.run('user', 'add', '--help'), 'usage: meridian user add NAME', '--superuser')


@needs('nginx')
def version_needs_no_configuration(site):
    with _own(site, NO_SUCH_KEY='1') as own:
        version = own.json('version')['version']
        equal(own.run('version'), 'meridian %s\n' % version)
        own.run('user', 'list', status=78)
        contains(own.said, 'meridian.conf:6: there is no key NO_SUCH_KEY')


@needs('nginx')
def users_are_added_listed_changed_and_kept_out(site):
    with _own(site) as own:
        own.run('init')
        contains(own.findings(status=1), 'there is no active superuser')
        made = own.json('user', 'add', 'ann', '--staff', '--email=ann@example.org', '--first-name',
                        'Ann', '--password-file', '-', stdin=GOOD + '\n')
        equal(made['username'], 'ann')
        contains(own.run('user', 'add', 'root', '--superuser', '--generate'), 'PASSWORD ')
        listed = {u['username']: u for u in own.json('user', 'list')}
        equal((listed['ann']['is_staff'], listed['ann']['is_superuser'], listed['ann']['email'],
               listed['ann']['first_name'], listed['ann']['last_login']),
              (True, False, 'ann@example.org', 'Ann', None))
        equal(listed['root']['is_staff'], True)
        contains(own.run('user', 'list'), 'ann', 'superuser', 'never')
        own.run('user', 'add', 'ann', '--password-file', '-', stdin=GOOD + '\n', status=1)
        contains(own.said, 'there is a user "ann" already')
        own.run('user', 'add', 'two words', '--generate', status=1)
        contains(own.said, 'nothing was changed')
        own.run('user', 'add', 'weak', '--password-file', '-', stdin='short\n', status=1)
        contains(own.said, '15 characters')
        own.run('user', 'add', 'none', '--password-file', '-', status=1)
        contains(own.said, 'holds no password')
        own.run('user', 'add', 'none', '--password-file', own.folder + '/gone', status=1)
        own.run('user', 'password', 'nobody', '--generate', status=1)
        contains(own.said, 'there is no user "nobody"')
        contains(own.run('user', 'password', 'ann', '--generate'), 'changed the password of user ann')
        own.run('user', 'disable', 'root', status=1)
        contains(own.said, 'last active superuser')
        for words in (('delete', 'root'), ('superuser', 'root', 'no')):
            own.run('user', *words, status=1)
            contains(own.said, 'last active superuser')
        own.run('user', 'staff', 'root', 'no', status=1)
        contains(own.said, '`meridian user superuser root no` first')
        own.run('user', 'superuser', 'ann', 'perhaps', status=2)
        contains(own.run('user', 'superuser', 'ann', 'yes'), 'made a superuser: user ann')
        contains(own.run('user', 'superuser', 'root', 'no'), 'no longer a superuser: user root')
        own.run('user', 'disable', 'ann', status=1)
        contains(own.run('user', 'superuser', 'root', 'yes'), 'root')
        contains(own.run('user', 'superuser', 'ann', 'no'), 'ann')
        own.run('user', 'staff', 'ann', 'no')
        own.run('user', 'disable', 'ann')
        equal([(u['is_active'], u['is_staff']) for u in own.json('user', 'list')
               if u['username'] == 'ann'], [(False, False)])
        equal(own.json('user', 'delete', 'ann')['username'], 'ann')
        own.run('user', 'delete', 'ann', status=1)
        contains(own.said, 'there is no user "ann"')
        own.run('group', 'add', 'readers')
        contains(own.run('group', 'delete', 'readers'), 'deleted group readers')
        own.run('group', 'delete', 'readers', status=1)


@needs('nginx')
def a_password_file_of_another_system_is_read_as_meant(site):
    with _own(site) as own:
        path = own.put('password', GOOD + '\r\nsecond line\r\n')
        site.meridian('user', 'add', 'crlf', '--password-file', path)
    site.visitor().sign_in('crlf', GOOD)


@needs('nginx')
def sites_are_listed_added_and_changed_by_the_pages_rules(site):
    with _own(site) as own:
        own.run('init')
        equal(own.json('site', 'list'), [{'id': 1, 'domain': 'localhost', 'name': 'Meridian',
                                          'in_use': True}])
        contains(own.run('site', 'list'), 'localhost', '(in use: SITE_ID)')
        equal(own.json('site', 'set', 'TOM.example.org', '--name', ' A TOM ')['domain'],
              'tom.example.org')
        added = own.json('site', 'add', 'other.example.org', '--name', 'x' * 100)
        own.run('site', 'add', 'other.example.org', status=1)
        contains(own.said, 'another site is other.example.org already')
        own.run('site', 'set', 'tom.example.org', '--id', str(added['id']), status=1)
        own.run('site', 'set', 'x.example.org', '--id', '99', status=1)
        contains(own.said, 'there is no site 99')
        for name, says in (('', 'needs a name'), (' ', 'needs a name'), ('a\nb', 'control characters'),
                           ('x' * 101, 'at most 100 characters')):
            own.run('site', 'add', 'bad.example.org', '--name', name, status=2)
            contains(own.said, '--name: ', says)
            own.run('site', 'set', 'bad.example.org', '--name', name, status=2)
        own.run('site', 'add', 'https://bad.example.org/', status=2)
        contains(own.said, 'Leave out http://')
        equal([(s['domain'], s['name']) for s in own.json('site', 'list')],
              [('other.example.org', 'x' * 100), ('tom.example.org', 'A TOM')])


@needs('nginx')
def check_finds_what_is_unsafe_on_a_network_when_asked(site):
    with _own(site, INSECURE_HTTP='yes', ALLOWED_HOSTS='*') as own:
        own.run('init', '--admin', 'boss')
        contains(own.run('check'), '0 errors, 0 warnings. With --deploy more is looked at.')
        found = own.findings('--deploy', status=1)
        contains(found, 'INSECURE_HTTP is on', 'ALLOWED_HOSTS holds a *', 'the site is called localhost')
        own.write(INSECURE_HTTP='no', ALLOWED_HOSTS='')
        if site.database != 'sqlite':
            contains(own.findings('--deploy', status=1), 'one account of the database serves all')
            own.write(DATABASE_ROLES_DIR=own.folder + '/roles')
            os.mkdir(own.folder + '/roles')
            if os.getuid() == 0:
                process.give_to(process.unprivileged(), own.folder + '/roles')
            contains(own.findings('--deploy', status=1), 'admin-sites has no account', 'meridian roles')
            own.run('roles')
            equal({_mode(path) for path in glob.glob(own.folder + '/roles/*')}, {0o600})
            contains(own.findings('--deploy', status=1), 'signs in without a password')
        contains(own.run('check', '--deploy', status=1),
                 '1 error, %s.' % ('1 warning' if site.database == 'sqlite' else '2 warnings'))
        own.run('site', 'set', 'tom.example.org')
        if site.database == 'sqlite':
            os.chmod(own.sqlite, 0o644)
            contains(own.findings('--deploy', status=1), 'can be read or written by every user')
            os.chmod(own.sqlite, 0o600)
        own.write(SESSION_DAYS='60', TOM_PASSWORD_RESET_ENABLED='yes', AUTH_STRATEGY='LOCKED', OPEN_URLS='/**',
                  SANDBOX='no', TRUSTED_PROXIES='::/0')
        contains(own.findings('--deploy', status=1), 'longer than 30 days', 'needs mail', 'is not LOCKED',
                 'SANDBOX is off', 'TRUSTED_PROXIES holds everybody')
        contains(own.findings('--deploy', status=1, MERIDIAN_TRUSTED_PROXIES='0.0.0.0/0'),
                 'TRUSTED_PROXIES holds everybody')
        own.write(SESSION_DAYS='14', TOM_PASSWORD_RESET_ENABLED='no', AUTH_STRATEGY='READ_ONLY', OPEN_URLS='',
                  SANDBOX='yes', TRUSTED_PROXIES='10.0.0.0/8')
        if site.database == 'sqlite':
            beside = own.put('data/key', open(own.key).read())
            contains(own.findings('--deploy', MERIDIAN_SECRET_KEY_FILE=beside), 'lies beside the database')
        only = own.findings('--deploy')
        contains(only, 'warning: superusers without a second factor: boss')
        equal(only.count('\n'), 0 if site.database == 'sqlite' else 1)
        for path in (own.key, own.vault):
            os.chmod(path, 0o644)
            contains(own.findings(status=1), 'can be read or written by every user')
            os.chmod(path, 0o600)
        own.write(TOM_MFA_REQUIRED='all', VAULT_KEY_FILE='')
        contains(own.findings(status=1), 'name a file as VAULT_KEY_FILE')
        own.write(TOM_MFA_REQUIRED='none', VAULT_KEY_FILE=own.vault)
        os.chmod(own.conf, 0o666)
        contains(own.findings(status=1), 'meridian.conf can be written by others')


@needs('nginx')
def check_names_variables_that_are_no_key(site):
    with _own(site) as own:
        own.run('init', '--admin', 'boss')
        found = own.findings(MERIDIAN_AUTH_STRATEGIE='LOCKED', MERIDIAN_AUTH_STRATEGY='LOCKED')
        contains(found, 'warning: the environment holds MERIDIAN_AUTH_STRATEGIE, which is no key')
        equal(found.count('warning'), 1)


@needs('nginx')
def check_finds_a_password_in_the_url_and_stands_any_url(site):
    with _own(site) as own:
        own.run('init')
        for url in ('postgresql://u:secret@h.test/d', 'postgres://u:secret@/d',
                    'mariadb://u:secret@h.test/d', 'mysql://u:sec@ret@h.test/d',
                    'postgresql://u@/d?host=/nowhere&password=secret',
                    'postgresql:///d?password=secret'):
            found = own.findings(status=1, MERIDIAN_DATABASE_URL=url)
            contains(found, 'DATABASE_URL holds a password')
            lacks(found, 'secret@', '=secret')
        for url in ('postgres:foo', 'postgresql', 'postgres', '', 'sqlite:', 'nothing',
                    'postgresql://u@h.test/d?host=a:b@c'):
            lacks(own.findings(status=1, MERIDIAN_DATABASE_URL=url), 'holds a password')


@needs('nginx')
def check_warns_of_secrets_in_a_git_work_tree(site):
    if shutil.which('git', path=PATHS) is None:
        raise Skip('git is not installed')
    with _own(site) as own:
        own.run('init', '--admin', 'boss')
        tree = os.path.join(own.folder, 'tree')
        with open(own.key) as f:
            key = own.put('tree/conf/key', f.read())
        subprocess.run(['git', 'init', '-q', tree], check=True, env={'PATH': PATHS})
        lies = '%s lies in the git work tree %s' % (key, tree)
        contains(own.findings(status=1, MERIDIAN_SECRET_KEY_FILE=key),
                 'error: SECRET_KEY_FILE %s, which does not ignore it' % lies)
        # by a path relative to where it is called (the harness calls from /), and by a link
        contains(own.findings(status=1, MERIDIAN_SECRET_KEY_FILE=key[1:]), lies)
        link = os.path.join(own.folder, 'link')
        os.symlink(key, link)
        contains(own.findings(status=1, MERIDIAN_SECRET_KEY_FILE=link), lies)
        with open(tree + '/.gitignore', 'w') as f:
            f.write('/conf/\n')
        for path in (key, key[1:], link):
            equal(own.findings(MERIDIAN_SECRET_KEY_FILE=path), '')
        git = ['git', '-c', 'safe.directory=*', '-c', 'user.name=x', '-c', 'user.email=x@example.org', '-C', tree]
        for words in (['add', '-f', 'conf/key'], ['commit', '-qm', 'x'], ['rm', '-q', '--cached', 'conf/key'],
                      ['commit', '-qm', 'y']):
            subprocess.run(git + words, check=True, env={'PATH': PATHS})
        contains(own.findings(status=1, MERIDIAN_SECRET_KEY_FILE=key),
                 'SECRET_KEY_FILE %s was committed to the git work tree' % key)
        shutil.rmtree(tree + '/.git')
        subprocess.run(['git', 'init', '-q', tree], check=True, env={'PATH': PATHS})
        contains(own.findings(MERIDIAN_SECRET_KEY_FILE=key, PATH='/nowhere'),
                 'warning: SECRET_KEY_FILE %s, and git could not be asked' % lies)
        if site.database == 'sqlite':
            shutil.copy(own.sqlite, tree + '/db.sqlite3')
            path = own.put('tree/db.sqlite3', '')
            contains(own.findings(status=1, MERIDIAN_DATABASE_URL='sqlite:' + path),
                     'the database %s lies in the git work tree' % path)


@needs('nginx')
def failures_are_one_plain_sentence_unless_for_scripts(site):
    with _own(site) as own:
        own.run('init')
        other = own.put('other.sqlite3', 'this is no database, but long enough to be looked at. ' * 40)
        own.run('user', 'list', status=78, MERIDIAN_DATABASE_URL='sqlite:' + other)
        lacks(own.said, '{"')
        equal(own.said.count('\n'), 1, own.said)
        own.run('user', 'list', '--json', status=78, MERIDIAN_DATABASE_URL='sqlite:' + other)
        contains(own.said, '{"time":', 'meridian: the database cannot be used')


@needs('nginx')
def a_change_by_the_command_counts_at_once_on_the_site(site):
    site.add_user('hanna', GOOD)
    client = site.visitor()
    client.sign_in('hanna', GOOD)
    site.meridian('user', 'disable', 'hanna')
    equal(client.get('/accounts/password/').status, 302)
    site.meridian('site', 'add', 'command.example.org')
    equal(site.visitor('command.example.org').get('/about/').status, 200)


@needs('nginx')
def without_a_name_the_file_in_etc_is_read(site):
    if os.getuid() != 0 or subprocess.run(['unshare', '-m', 'true'],
                                          stderr=subprocess.DEVNULL).returncode:
        raise Skip('laying a folder over /etc needs root and namespaces')
    with _own(site, TOM_NAME='Found in etc') as own:
        os.makedirs(own.folder + '/etc/meridian')
        shutil.copy(own.conf, own.folder + '/etc/meridian/meridian.conf')

        def ask(*words):
            return subprocess.run(
                ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc && exec "$@"',
                 own.folder + '/etc', site.workshop.app + '/bin/meridian', *words],
                env={'PATH': PATHS}, cwd='/', text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
        if site.database == 'sqlite':
            equal(ask('init').returncode, 0)
            equal(json.loads(ask('site', 'list', '--json').stdout)[0]['name'], 'Found in etc')
        with open(own.folder + '/etc/meridian/meridian.conf', 'a') as f:
            f.write('NO_SUCH_KEY = 1\n')
        done = ask('user', 'list')
        equal(done.returncode, 78)
        contains(done.stderr, '/etc/meridian/meridian.conf:7: there is no key NO_SUCH_KEY')


@needs('nginx', 'postgresql')
def check_tells_of_a_missing_index_of_names(site):
    with _own(site) as own:
        own.run('init')
        lacks(own.findings(status=1), 'read all names')
        site.database_server.sql(own.keys['DATABASE_URL'].split('/')[3].split('?')[0],
                                 'DROP INDEX target_name_part')
        contains(own.findings(status=1), 'read all names', 'CREATE EXTENSION pg_trgm')


@needs('nginx', 'postgresql')
def a_database_without_unicode_is_refused(site):
    with _own(site) as own:
        site.database_server.sql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' "
                                 "LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        own.write(DATABASE_URL=site.database_server.create('unused%d' % site.workshop.count)
                  .replace('/unused%d' % site.workshop.count, '/latin'))
        own.run('migrate', status=1)
        contains(own.said, "encoding is LATIN1", "ENCODING 'UTF8'")
        own.run('user', 'list', status=78)
