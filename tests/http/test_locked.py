"""
locked: AUTH_STRATEGY = LOCKED answers visitors the same whatever they ask for, so nothing tells what is
there; OPEN_URLS opens what it names, however that is spelled.
"""
import os
import subprocess

from harness.report import contains, equal, needs
from harness.site import executables
from test_deploy import _routes

METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')
# Beside the pages of accounts: what says who runs this, and what crawlers ask.
OPEN = {'/about/', '/terms/', '/robots.txt', '/api/token-auth/', '/healthz', '/metrics'}


def _rows(site):
    """{path: whether a row of it is ANYONE's} of every executable."""
    found = {}
    for name in executables():
        for _, path, access, _ in _routes(site, name):
            found[path] = found.get(path, False) or access == 'ANYONE'
    return found


def _ask(visitor, method, path):
    body, headers = None, {}
    if method in ('POST', 'PUT', 'PATCH'):
        body, headers = b'name=x', {'Content-Type': 'application/x-www-form-urlencoded'}
    return visitor.request(method, path, body, headers)


def _is_led_to_sign_in(answer, what):
    equal(answer.status, 302, what)
    contains(answer.location, '/accounts/login/?next=')
    equal(answer.header('Allow') or None, None, what)


@needs('nginx')
def a_locked_site_answers_every_route_and_what_is_none_alike(site):
    with site.variant(users=False, AUTH_STRATEGY='LOCKED') as locked:
        visitor = locked.visitor()
        for row, is_open in _rows(locked).items():
            path = row.replace('<id>', '1').replace('<text>', 'x').replace('<rest>', 'x')
            if is_open:
                equal(path.startswith('/accounts/') or path in OPEN, True,
                      row + ' is open on a locked site')
                continue
            for method in METHODS:
                if path == '/accounts/logout/':
                    continue  # who wants to sign out is out: that page is known to all
                _is_led_to_sign_in(_ask(visitor, method, path), '%s %s' % (method, path))
            for other in {path + 'x', path.rstrip('/'), path.upper(), path + '/', '/' + path,
                          path.replace('/', '//'), path + '?next=/', path + '%2e/', path + ';x'}:
                if other not in ('', '/ACCOUNTS/LOGIN/') and other.rstrip('/') not in OPEN:
                    _is_led_to_sign_in(_ask(visitor, 'GET', other), 'GET ' + other)
        for other in ('/nowhere/', '/nowhere', '/.git/config', '/targets/1/x', '/admin/x/', '/static',
                      '/favicon.ico', '/%74argets/1/', '/targets/%31/', '/targets/1/%2e%2e/2/',
                      '/a%2fb', '/targets/1/..;/', '/targets/é/', '/index.php'):
            for method in METHODS:
                _is_led_to_sign_in(_ask(visitor, method, other.replace('é', '%C3%A9')),
                                   '%s %s' % (method, other))
        equal(visitor.get('/robots.txt').status, 200)
        equal(visitor.get('/accounts/login/').status, 200)


def _direct(site, name, path, **settings):
    """An executable asked as CGI, with nothing before it that makes paths plain."""
    keys = {'MERIDIAN_' + k: v for k, v in settings.items()}
    env = site.environment(REQUEST_METHOD='GET', SCRIPT_NAME=path, PATH_INFO='', QUERY_STRING='',
                           HTTP_HOST='127.0.0.1', SERVER_ADDR='127.0.0.1', GATEWAY_INTERFACE='CGI/1.1',
                           **keys)
    out = subprocess.run([os.path.join(site.workshop.libexec, name)], env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode()
    head, _, body = out.partition('\r\n\r\n')
    status = [line for line in head.split('\r\n') if line.startswith('Status: ')]
    place = [line[10:] for line in head.split('\r\n') if line.startswith('Location: ')]
    return int(status[0].split()[1]) if status else 200, place[0] if place else None, body


@needs('nginx')
def open_urls_open_what_they_name_and_nothing_beside_it(site):
    patterns = '/pub/*, /targets/1/photometry.csv, /targets/1/access/, /about/'
    with site.variant(users=False, AUTH_STRATEGY='LOCKED', OPEN_URLS=patterns) as locked:
        locked.sql("INSERT INTO target (id, name, type, permissions, created, modified, ra, \"dec\") "
                   "VALUES (1, 'Locked secret', 'SIDEREAL', 'OPEN', 1, 1, 1, 1)"
                   if locked.database != 'mariadb' else
                   "INSERT INTO target (id, name, type, permissions, created, modified, ra, `dec`) "
                   "VALUES (1, 'Locked secret', 'SIDEREAL', 'OPEN', 1, 1, 1, 1)")
        locked.sql('INSERT INTO rights (principal, target_id, verbs, created) VALUES (1, 1, 1, 1)')
        visitor = locked.visitor()
        equal(visitor.get('/targets/1/photometry.csv').status, 200)
        equal(visitor.get('/targets/1/%70hotometry.csv').status, 200, 'the same path, spelled otherwise')
        contains(visitor.get('/targets/1/access/').words, 'It is open to everyone, without signing in.')
        equal(visitor.get('/pub/a/b/').status, 404, "'*' spans '/'")
        odd = ['/pub/../targets/1/', '/pub/%2e%2e/targets/1/', '/pub%2f..%2ftargets/1/',
               '/pub/..%2ftargets%2f1%2f', '/targets/1/?/pub/', '/targets/1/?x=/targets/1/photometry.csv',
               '/targets/1/;/pub/', '/targets/1/photometry.csv/../', '/PUB/../targets/1/',
               '//pub/../targets/1/', '/about/../targets/1/', '/targets/1/photometry.csv%00/',
               '/targets/1/%0aphotometry.csv', '/targets/01/photometry.csv']
        for path in odd:
            answer = visitor.get(path)
            equal(answer.status in (302, 400, 404), True, '%s: %d' % (path, answer.status))
            equal('Locked secret' in answer.text, False, path)
            if answer.status == 302:
                contains(answer.location, '/accounts/login/')
        for path in odd + ['/pub/../targets/1/', '/pub/\\../targets/1/', 'targets/1/']:
            for raw in (path.partition('?')[0], path.partition('?')[0].replace('%2f', '/')
                        .replace('%2e', '.')):
                if '%00' in raw:
                    continue
                status, _, body = _direct(locked, 'targets', raw)
                equal(status in (302, 400, 404), True, '%s as CGI: %d' % (raw, status))
                equal('Locked secret' in body, False, raw)
        # below a prefix: patterns say nothing of it
        tom = {'URL_PREFIX': '/tom'}
        equal(_direct(locked, 'targets', '/tom/targets/1/photometry.csv', **tom)[0], 200)
        equal(_direct(locked, 'targets', '/tom/targets/1/', **tom)[:2],
              (302, '/tom/accounts/login/?next=%2Ftom%2Ftargets%2F1%2F'))
        equal(_direct(locked, 'targets', '/tom/nowhere', **tom)[:2],
              (302, '/tom/accounts/login/?next=%2Ftom%2Fnowhere'))
        equal(_direct(locked, 'targets', '/targets/1/photometry.csv', **tom)[0], 404)
