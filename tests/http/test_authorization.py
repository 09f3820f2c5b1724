"""
authorization: every route of every executable against visitors and three kinds of users, compared with
authorization.txt. A new route has no row there, and this fails until somebody says who may use it.
"""
import os

from harness.report import needs
from harness.site import executables
from test_deploy import _routes

HERE = os.path.dirname(os.path.abspath(__file__))
WHO = ('visitor', 'ada', 'staff', 'admin')


def _table():
    rows = {}
    with open(os.path.join(HERE, 'authorization.txt')) as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                method, path, *want = line.split()
                rows[method, path] = [int(w) for w in want]
    return rows


def _fill(site, path, who):
    """The path with an id or text of something that is there: admin's OPEN target, another site."""
    client = site.signed_in('admin')
    if path.startswith('/targets/') and '<' in path:
        name = 'Authorization %s' % site.one('SELECT COUNT(*) FROM target')
        answer = client.submit('/targets/create/', {'name': name, 'ra': '10', 'dec': '10',
                                                    'permissions': 'OPEN'})
        number = answer.location.rstrip('/').split('/')[-1]
        return path.replace('<id>', number).replace('<text>', name.replace(' ', '%20')) \
                   .replace('<rest>', name.replace(' ', '%20'))
    if path.startswith('/admin/sites/site/<id>'):
        domain = 'auth-%s.example' % site.one('SELECT COUNT(*) FROM site')
        client.submit('/admin/sites/site/add/', {'domain': domain, 'name': domain})
        return path.replace('<id>', site.one("SELECT id FROM site WHERE domain = '%s'" % domain))
    return path.replace('/accounts/tokens/<id>/', '/accounts/tokens/999999/')


def _ask(site, method, path, who):
    """The status of an empty but well-formed request: a form with its token and nothing else."""
    client = site.visitor() if who == 'visitor' else site.signed_in(who)
    if method == 'GET':
        return client.get(path).status
    if path == '/accounts/logout/' and who != 'visitor':
        client = site.visitor()  # a session of its own to end
        from harness.site import PASSWORDS
        client.sign_in(who, PASSWORDS[who])
    page = '/accounts/login/' if who == 'visitor' else '/accounts/password/'
    return client.post(path, {}, page=page).status


@needs('nginx')
def every_route_answers_each_kind_of_user_as_the_table_says(site):
    table, found, wrong = _table(), set(), []
    for name in executables():
        for method, path, _, _ in _routes(site, name):
            found.add((method, path))
            if (method, path) not in table:
                wrong.append('%s %s has no row' % (method, path))
                continue
            for who, want in zip(WHO, table[method, path]):
                got = _ask(site, method, _fill(site, path, who), who)
                if got != want:
                    wrong.append('%s %s, %s: %d, not %d' % (method, path, who, got, want))
    for method, path in set(table) - found:
        wrong.append('%s %s is no route' % (method, path))
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
    for method, path, _, _ in _routes(site, 'targets'):
        if '<id>' not in path:
            continue
        path = path.replace('<id>', number)
        for who in ('visitor', 'ada', 'staff'):
            got = _ask(site, method, path, who)
            if got not in ((302, 403, 404) if who == 'visitor' else (404,)):
                raise AssertionError('%s %s, %s: %d' % (method, path, who, got))
    if 'Private to Ben' in site.signed_in('ada').get('/targets/?name=Private').words:
        raise AssertionError('it stands in the list')
    ada = site.signed_in('ada')
    there, none = (ada.get('/targets/name/' + n) for n in ('Private%20to%20Ben', 'Private%20to%20Bem'))
    if (there.status, (there.location or '').replace('Ben', 'Bem')) != (none.status,
                                                                        none.location or ''):
        raise AssertionError('its name is answered %d %s, one that is not there %d %s' % (
            there.status, there.location, none.status, none.location))
