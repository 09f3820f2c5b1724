"""
One TOM whatever the database: the same data gives the same pages, and the same exports, on every engine.
Run with MariaDB, the last of them, beside sites on the others.
"""
import contextlib
import os
import re
import subprocess
import tempfile

from harness import process
from harness.mariadb import Mariadb
from harness.report import contains, equal, needs
from harness.site import DATABASES, Site

# Names in every order that a collation could make of them, and numbers with all their digits.
CSV = r'''name,type,ra,dec,permissions,name2,Colour,redshift,epoch
alpha,SIDEREAL,0,-90,PUBLIC,Z-1,red,0.1,2000
Alpha 2,SIDEREAL,359.99999999999994,90,PUBLIC,a_1,Red,1e-300,2015.5
ALPHA-3,SIDEREAL,0.1234567890123456,12.000000000000002,OPEN,,RED,nan,
älpha,SIDEREAL,10.5,-0.0000000001,PUBLIC,α Ori,blau,3,
Älpha 5,SIDEREAL,10.500001,0,PRIVATE,,,,2100
Straße,SIDEREAL,180,45,PUBLIC,,,,
strasse,SIDEREAL,180.0000001,45,PUBLIC,,,,
星 1,SIDEREAL,200,-45,PUBLIC,,,,
🔭,SIDEREAL,201,-45,PUBLIC,,🔭,,
100% sure,SIDEREAL,202,-45,PUBLIC,a%b,_,,
back\slash,SIDEREAL,203,-45,PUBLIC,it's,"""quoted""",,
trailing,SIDEREAL,204,-45,PUBLIC,,"x ",,
trailing2,SIDEREAL,205,-45,PUBLIC,,x,,
'''

PATHS = [
    '/', '/about/', '/targets/', '/targets/?sort=name', '/targets/?sort=-name', '/targets/?sort=ra',
    '/targets/?sort=-dec', '/targets/?sort=dec', '/targets/?sort=type', '/targets/?sort=created',
    '/targets/?sort=modified', '/targets/?name=alpha', '/targets/?name=ALPHA', '/targets/?name=%C3%84LP',
    '/targets/?name=%25', '/targets/?name=_', '/targets/?name=%5C', '/targets/?name=a%25b',
    '/targets/?name=alp,star', '/targets/?name=strasse', '/targets/?name=%E6%98%9F',
    '/targets/?name_fuzzy=ALPHA2,z1', '/targets/?query=ZTF', '/targets/?name=ZTF&sort=-ra',
    '/targets/?cone_search=0,-90,1', '/targets/?cone_search=0,0,20', '/targets/?cone_search=180,45,0.001',
    '/targets/?cone_search=200,-45,4', '/targets/?key=Colour', '/targets/?key=Colour&value=red',
    '/targets/?key=Colour&value=x', '/targets/?value=RED', '/targets/?type=SIDEREAL&sort=name',
    '/targets/export/', '/targets/export/?sort=name&name=alpha', '/targets/name/alpha',
    '/targets/name/Z1', '/admin/sites/site/', '/targets/create/', '/users/', '/users/profile/',
    '/accounts/tokens/', '/alerts/streams/', '/alerts/objects/', '/alerts/objects/?name=ZTF',
    '/alerts/objects/?survey=ZTF', '/alerts/objects/?cone=180+0&radius=3600',
]


def _load(site):
    client = site.signed_in('admin')
    answer = client.submit('/targets/import/', {'mode': 'all'},
                           {'target_csv': ('t.csv', CSV, 'text/csv')})
    assert answer.status in (302, 303), answer.words + site.logged('targets')[-600:]
    with tempfile.NamedTemporaryFile(suffix='.avro') as f:
        subprocess.run([site.workshop.build + '/tests/tools/make-alerts', '--seed', '7', '--count', '40',
                        '--objects', '25', '--points', '9', '--schema', '4.02', '--single', '--out',
                        f.name], check=True)
        with open(f.name, 'rb') as data:
            path = site.data + '/parity.avro'
            with open(path, 'wb') as out:
                out.write(data.read())
    site.command('meridian-ingest', 'file', path, '--permissions', 'PUBLIC')
    # the same age on every engine: the alerts' targets in one moment, the table's in another
    for name in [r[0] for r in site.sql('SELECT id FROM target ORDER BY id')]:
        site.sql('UPDATE target SET created = 1000000 * id, modified = 1000000 * (100 - id) '
                 'WHERE id = ' + name)
        site.sql('UPDATE rights SET created = 1000000 * target_id WHERE target_id = ' + name)


def _plain(text):
    """Without what differs from request to request, and from site to site."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]*', r'\1', text)
    text = re.sub(r'127\.0\.0\.1:\d+', 'HOST', text)
    text = re.sub(r'<span class="copy">[0-9a-z]{13}</span>|Quote [0-9a-z]{13}', 'REQUEST', text)
    text = re.sub(r'(SQLite|PostgreSQL|MariaDB)', 'ENGINE', text)
    # times of this run
    return re.sub(r'20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?', 'TIME', text)


def _pages(site):
    out = {}
    targets = ['/targets/%s/' % i for (i,) in site.sql('SELECT id FROM target ORDER BY id')]
    objects = ['/alerts/objects/%s/%s/' % o for o in site.sql('SELECT survey, name FROM survey_object')]
    for who in ('admin', 'ada', None):
        client = site.signed_in(who) if who else site.visitor()
        for path in PATHS + targets + [t + 'update/' for t in targets[:12]] + \
                [t + p for t in targets[:4] for p in ('access/', 'access/?user=ada', 'permissions/')] + \
                [t + p for t in targets for p in ('photometry.csv', 'alerts/')] + objects:
            answer = client.get(path)
            out[who, path] = '%d %s\n%s' % (answer.status, answer.location, _plain(answer.text))
    return out


@needs('nginx', 'mariadb')
def every_engine_shows_the_same(site):
    found = {}
    with contextlib.ExitStack() as stack:
        for database in DATABASES:
            other = Site(site.workshop, site.server, database)
            stack.callback(other.close)
            _load(other)
            found[database] = _pages(other)
    want = found['sqlite']
    wrong = []
    for database, pages in found.items():
        assert pages.keys() == want.keys(), (database, pages.keys() ^ want.keys())
        for key, text in pages.items():
            if text != want[key]:
                a, b = want[key].splitlines(), text.splitlines()
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                wrong.append('%s %s: %r, not %r' % (database, key, b[at:at + 1], a[at:at + 1]))
    if wrong:
        raise AssertionError('%d pages differ; %s' % (len(wrong), ' | '.join(wrong[:6])))
    assert len(want) > 150, len(want)


def _certificate(folder, name):
    """An authority and a server's certificate for `name`: options of the server, the authority's file."""
    def openssl(*args):
        subprocess.run(['openssl', *args], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Test CA',
            '-keyout', 'ca.key', '-out', 'ca.pem')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=' + name, '-keyout', 'server.key',
            '-out', 'server.csr')
    with open(folder + '/ext', 'w') as f:
        f.write('subjectAltName = DNS:%s\n' % name)
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
            '-days', '2', '-extfile', 'ext', '-out', 'server.pem')
    os.chmod(folder + '/server.key', 0o644)
    return ('--ssl-ca=%s/ca.pem --ssl-cert=%s/server.pem --ssl-key=%s/server.key' %
            (folder, folder, folder), folder + '/ca.pem')


@needs('nginx', 'mariadb')
def another_machine_must_show_whose_server_it_is(site):
    # 127.0.0.1 in a spelling that does not look like this machine
    elsewhere, mistaken = '2130706433', '0x7f000001'
    port = process.free_port()
    tcp = '--skip-networking=0 --bind-address=127.0.0.1 --port=%d ' % port

    def ask(host, settings, status):
        site.command('meridian', 'user', 'list', check=False,
                     MERIDIAN_DATABASE_URL='mariadb://meridian@%s:%d/tls%s' % (host, port, settings))
        equal(site.last.returncode, status, '%s%s: %s' % (host, settings, site.last.stderr))
        return site.last.stderr

    with tempfile.TemporaryDirectory(prefix='meridian-tls-') as folder:
        os.chmod(folder, 0o755)
        options, authority = _certificate(folder, elsewhere)
        server = Mariadb(folder + '/db', tcp + options)
        try:
            site.command('meridian', 'migrate', MERIDIAN_DATABASE_URL=server.create('tls'))
            ours = '?ssl-ca=' + authority
            ask(elsewhere, ours, 0)
            ask(elsewhere, '', 1)  # no authority that this machine trusts
            ask(mistaken, ours, 1)  # a certificate for another name
            ask(elsewhere, '?ssl-mode=disabled', 0)
            ask('127.0.0.1', '', 0)
            server.stop()
            server.options = tcp + '--skip-ssl'
            server.start()
            contains(ask(elsewhere, ours, 1), 'TLS')
            ask('127.0.0.1', '', 0)
            ask('localhost', '', 0)  # with a port that is TCP, too
        finally:
            server.remove()


@needs('nginx', 'mariadb')
def a_server_whose_log_refuses_our_writes_is_refused(site):
    with tempfile.TemporaryDirectory(prefix='meridian-log-') as folder:
        os.chmod(folder, 0o755)
        server = Mariadb(folder + '/db', '--log-bin --binlog-format=STATEMENT')
        try:
            url = server.create('log')
            for command in ('migrate', 'check'):
                site.command('meridian', command, check=False, MERIDIAN_DATABASE_URL=url)
                contains(site.last.stderr + site.last.stdout, 'set it to ROW or MIXED')
                equal(site.last.returncode == 0, False)
            # an executable does not start
            started = subprocess.run([site.workshop.libexec + '/home', '-s', folder + '/home.sock'],
                                     env=site.environment(MERIDIAN_DATABASE_URL=url,
                                                          MERIDIAN_DATABASE_ROLES_DIR=''),
                                     cwd='/', stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, timeout=20,
                                     **process.as_user())
            equal(started.returncode, 78, started.stdout)
        finally:
            server.remove()
