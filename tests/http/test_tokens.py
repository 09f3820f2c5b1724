"""tokens: what scripts show instead of a session, from the page that makes one to the row it opens."""
import json
import os
import re
import subprocess
import urllib.parse

from harness import process
from harness.report import contains, equal, lacks
from harness.site import PASSWORDS, executables

INVALID = {'detail': 'Invalid token.'}
AREAS = {'targets': 'targets'}  # executable: area; no other is open to tokens


def _make(client, user, name, *scopes, days=None):
    """The text of a new token of the client's user."""
    pairs = [('name', name), ('old_password', PASSWORDS[user])] + [('scope', s) for s in scopes]
    page = client.post('/accounts/tokens/', pairs + ([('days', days)] if days else []))
    equal(page.status, 200, page.words)
    found = re.findall(r'mrd_[A-Za-z0-9_-]{43}', page.words)
    equal(len(set(found)), 1, 'tokens on the page')
    return found[0]


def _ask(site, method, path, token, data=None, word='Token', **headers):
    headers['Authorization'] = '%s %s' % (word, token)
    client = site.visitor()
    if method == 'GET':
        answer = client.get(path, headers)
    else:
        answer = client.post(path, data or {}, token=False, headers=headers)
    equal(answer.headers.get_all('Set-Cookie'), None, 'a cookie for a token')
    return answer


def _once(site, name, method, path, body='', **environment):
    """The status and text of an answer of an executable that is run for it, with other settings."""
    done = subprocess.run(
        [os.path.join(site.workshop.libexec, name)], input=body, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=site.environment(REQUEST_METHOD=method, SCRIPT_NAME=path, SERVER_ADDR='127.0.0.1',
                             REMOTE_ADDR='127.0.0.1', HTTP_HOST='127.0.0.1',
                             CONTENT_LENGTH=str(len(body)) if body else '',
                             CONTENT_TYPE='application/x-www-form-urlencoded', **environment),
        **process.as_user())
    head, _, text = done.stdout.partition('\n\n')
    return int(re.match(r'Status: (\d+)', head)[1]), text


def _id(site, name):
    return site.one("SELECT id FROM api_token WHERE name = '%s'" % name)


def _routes(site):
    for name in executables():
        out = subprocess.run([os.path.join(site.workshop.libexec, name), '-R'], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
        for line in out.splitlines():
            yield [name] + line.split('\t')[:2]


def a_token_is_shown_once_and_is_its_user(site):
    ada = site.signed_in('ada')
    text = _make(ada, 'ada', 'night log', 'read')
    page = ada.get('/accounts/tokens/')
    lacks(page.text, text, text[4:])
    contains(page.words, 'night log', 'read', 'never')
    for word in ('Token', 'Bearer', 'bearer'):
        answer = _ask(site, 'GET', '/targets/', text, word=word)
        equal(answer.status, 200)
        contains(answer.words, 'ada')
    equal(_ask(site, 'GET', '/targets/create/', text).status, 200)
    lacks(ada.get('/accounts/tokens/').words, 'never used')
    equal(site.one("SELECT COUNT(*) FROM api_token WHERE name = 'night log' AND "
                   "last_used IS NOT NULL"), '1')
    # nor is the text anywhere in the database, or in a log
    for row in site.sql('SELECT name, scopes FROM api_token') + site.sql(
            'SELECT detail, username FROM security_event'):
        lacks(' '.join(str(c) for c in row), text[4:])
    lacks(site.all_logs(), text[4:])
    # sending the form again makes no second one
    page = ada.post('/accounts/tokens/', [('name', 'night log'), ('scope', 'read'),
                                          ('old_password', PASSWORDS['ada'])])
    equal(page.status, 400)
    contains(page.words, 'You have a token of this name')


def a_session_alone_makes_no_token(site):
    ada = site.signed_in('ada')
    form = {'name': 'of a stolen session', 'scope': 'read'}
    for more in ({}, {'old_password': ''}, {'old_password': PASSWORDS['ben']}):
        page = ada.post('/accounts/tokens/', dict(form, **more))
        equal(page.status, 400)
        contains(page.words, 'password')
        lacks(page.text, 'mrd_', PASSWORDS['ben'])
    equal(_id(site, 'of a stolen session'), None)


def a_form_without_name_or_scope_says_what_is_missing(site):
    ada = site.signed_in('ada')
    page = ada.post('/accounts/tokens/', {'name': 'no scope'})
    equal(page.status, 400)
    contains(page.words, 'Choose what the token may do')
    page = ada.post('/accounts/tokens/', {'name': 'x', 'scope': 'admin'})
    equal(page.status, 400)
    page = ada.post('/accounts/tokens/', {'scope': 'read', 'days': '366'})
    equal(page.status, 400)
    contains(page.words, 'Name', '365 days at most')
    equal(_id(site, 'no scope'), None)


def a_script_writes_without_a_form_token(site):
    text = _make(site.signed_in('ada'), 'ada', 'writer', 'targets:write')
    answer = _ask(site, 'POST', '/targets/create/', text,
                  {'name': 'By a script', 'type': 'SIDEREAL', 'ra': '10', 'dec': '10'})
    equal(answer.status, 302)
    equal(site.one("SELECT COUNT(*) FROM target WHERE name = 'By a script'"), '1')
    # it may write only; and a cookie beside it changes nothing
    equal(_ask(site, 'GET', '/targets/', text).status, 403)
    cookies = '; '.join('%s=%s' % c for c in site.signed_in('admin').cookies.items())
    equal(_ask(site, 'GET', '/targets/', text, Cookie=cookies).status, 403)


def what_is_no_good_token_is_401_and_never_a_visitor(site):
    ada, ben = site.signed_in('ada'), site.signed_in('ben')
    revoked = _make(ada, 'ada', 'to be revoked', 'read', 'write')
    expired = _make(ada, 'ada', 'to expire', 'read', 'write')
    disabled = _make(ben, 'ben', "of who is out", 'read', 'write')
    for text in (revoked, expired, disabled):
        equal(_ask(site, 'GET', '/targets/', text).status, 200)
    number = _id(site, 'to be revoked')
    # nobody else can revoke it
    equal(ben.post('/accounts/tokens/%s/revoke/' % number, page='/accounts/tokens/').status, 404)
    equal(_ask(site, 'GET', '/targets/', revoked).status, 200)
    answer = ada.post('/accounts/tokens/%s/revoke/' % number, page='/accounts/tokens/')
    equal(answer.location, '/accounts/tokens/')
    contains(ada.follow(answer).words, 'Revoked "to be revoked"')
    site.sql("UPDATE api_token SET expires = 1 WHERE name = 'to expire'")
    site.sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
    cookies = '; '.join('%s=%s' % c for c in site.signed_in('admin').cookies.items())
    try:
        for text in (revoked, expired, disabled, 'mrd_' + 'A' * 43, 'x', '0' * 40, ''):
            for method, path in (('GET', '/targets/'), ('GET', '/'), ('GET', '/accounts/login/'),
                                 ('POST', '/targets/create/'), ('POST', '/api/token-auth/'),
                                 ('GET', '/nowhere/')):
                answer = _ask(site, method, path, text, Cookie=cookies)
                equal((answer.status, json.loads(answer.text)), (401, INVALID),
                      '%s %s with %s' % (method, path, text))
                equal(answer.headers['WWW-Authenticate'], 'Token')
    finally:
        site.sql("UPDATE users SET is_active = 1 WHERE username = 'ben'")
    equal(_ask(site, 'GET', '/targets/', disabled).status, 200, 'once ben is back')
    contains(ada.get('/accounts/tokens/').words, 'Ended')
    # of a flood the first are written one by one, the others as a number
    equal(site.one("SELECT COUNT(*) FROM security_event WHERE kind = 'token_refused'") != '0', True,
          'rows of the security log')


def scopes_hold_at_every_route_of_every_executable(site):
    """A superuser's tokens: what a scope does not name is 403, whatever the row asks for."""
    admin = site.signed_in('admin')
    tokens = {scopes: _make(admin, 'admin', 'matrix ' + scopes, *scopes.split())
              for scopes in ('read', 'write', 'read write', 'targets:read', 'targets:write')}
    revoked = _make(admin, 'admin', 'matrix revoked', 'read', 'write')
    admin.post('/accounts/tokens/%s/revoke/' % _id(site, 'matrix revoked'), page='/accounts/tokens/')
    before = site.one('SELECT COUNT(*) FROM target')
    admin.post('/targets/create/', {'name': 'Matrix', 'type': 'SIDEREAL', 'ra': '1', 'dec': '1'})
    target = site.one("SELECT id FROM target WHERE name = 'Matrix'")
    for name, method, path in _routes(site):
        if name in ('robots', 'metrics'):  # asks nobody
            continue
        path = path.replace('<id>', target).replace('<rest>', 'x').replace('<text>', 'x')
        answer = _ask(site, method, path, revoked)
        equal((answer.status, json.loads(answer.text)), (401, INVALID), 'revoked, ' + path)
        for scopes, text in tokens.items():
            verb = 'read' if method == 'GET' else 'write'
            area = AREAS.get(name)
            may = area is not None and (verb in scopes.split() or
                                        '%s:%s' % (area, verb) in scopes.split())
            if may and method != 'GET':
                continue  # a_script_writes_without_a_form_token
            answer = _ask(site, method, path, text)
            where = '%s %s with "%s": %d' % (method, path, scopes, answer.status)
            equal(answer.status in (401, 403), not may, where)
            if not may:
                equal(answer.headers['Content-Type'], 'application/json', where)
                contains(answer.text, area + ':' + verb if area else 'No token opens this page')
    equal(site.one('SELECT COUNT(*) FROM target'), str(int(before) + 1), 'targets')


# --- /api/token-auth/ ---

def _token_auth(site, data, kind='form', **headers):
    client = site.visitor()
    if kind == 'form':
        answer = client.post('/api/token-auth/', data, token=False,
                             headers=dict({'Origin': None}, **headers))
    else:
        body = data if isinstance(data, str) else json.dumps(data)
        answer = client.request('POST', '/api/token-auth/', body.encode(),
                                dict({'Content-Type': 'application/json'}, **headers))
    equal(answer.headers.get_all('Set-Cookie'), None, 'a cookie')
    equal(answer.headers['Content-Type'], 'application/json')
    return answer.status, json.loads(answer.text)


def a_password_gets_a_token_as_from_django_rest_framework(site):
    for kind in ('form', 'json'):
        status, answer = _token_auth(site, {'username': 'ada', 'password': PASSWORDS['ada']}, kind)
        equal((status, list(answer)), (200, ['token']))
        equal(_ask(site, 'GET', '/targets/create/', answer['token']).status, 200)
    contains(site.signed_in('ada').get('/accounts/tokens/').words, 'token-auth 20', 'read write')


def who_has_no_account_here_is_told_the_same(site):
    site.sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
    try:
        answers = [_token_auth(site, {'username': name, 'password': password}, 'json')
                   for name, password in (('nobody', 'x'), ('ada', 'wrong'),
                                          ('ben', PASSWORDS['ben']), ('a\tb', 'x'))]
    finally:
        site.sql("UPDATE users SET is_active = 1 WHERE username = 'ben'")
    for answer in answers:
        equal(answer, (400, {'non_field_errors': ['Unable to log in with provided credentials.']}))


def what_is_missing_is_named_as_there(site):
    required = ['This field is required.']
    for kind in ('form', 'json'):
        equal(_token_auth(site, {}, kind), (400, {'username': required, 'password': required}))
        equal(_token_auth(site, {'username': 'ada'}, kind), (400, {'password': required}))
        equal(_token_auth(site, {'username': ' ', 'password': 'x'}, kind),
              (400, {'username': ['This field may not be blank.']}))
    equal(_token_auth(site, {'username': None, 'password': ['x']}, 'json'),
          (400, {'username': ['This field may not be null.'],
                 'password': ['Not a valid string.']}))
    for text in ('{', '{"username": "a", "username": "b"}', '[' * 100, '\ufeff{}'):
        status, answer = _token_auth(site, text, 'json')
        equal((status, list(answer)), (400, ['detail']), text)
    equal(_token_auth(site, '[]', 'json')[0], 400)
    equal(_token_auth(site, '{"a":"%s"}' % ('x' * 20000), 'json')[0], 413)


def guessing_is_slowed_down_as_at_the_sign_in_page(site):
    with site.variant(users=False, THROTTLE_FREE_FAILURES=1) as other:
        guess = {'username': 'ada', 'password': 'guess'}
        answers = []
        while len(answers) < 8 and 429 not in [a.status for a in answers]:
            answers.append(other.visitor().post('/api/token-auth/', guess, token=False))
        equal([a.status for a in answers[:1] + answers[-1:]], [400, 429])
        equal(list(json.loads(answers[-1].text)), ['detail'])
        equal(int(answers[-1].headers['Retry-After']) > 0, True)


def a_foreign_page_gets_no_token(site):
    right = {'username': 'ada', 'password': PASSWORDS['ada']}
    for headers in ({'Origin': 'https://evil.example'}, {'Origin': 'null'},
                    {'Sec-Fetch-Site': 'cross-site'}):
        for kind in ('form', 'json'):
            status, answer = _token_auth(site, right, kind, **headers)
            equal((status, list(answer)), (403, ['detail']), str(headers))


def a_password_alone_does_not_do_where_there_is_a_second_factor(site):
    ben = site.one("SELECT id FROM users WHERE username = 'ben'")
    secret = "'\\x00'" if site.database == 'postgresql' else "x'00'"
    site.sql('INSERT INTO factor (user_id, secret, created) VALUES (%s, %s, 1)' %
             (ben, secret))
    try:
        status, answer = _token_auth(site, {'username': 'ben', 'password': PASSWORDS['ben']})
        equal(status, 400)
        contains(answer['non_field_errors'][0], 'second factor', '/accounts/tokens/')
    finally:
        site.sql('DELETE FROM factor WHERE user_id = %s' % ben)


def a_site_may_ask_a_second_factor_of_who_makes_tokens(site):
    yes = {'MERIDIAN_TOM_API_TOKEN_REQUIRES_MFA': 'yes'}
    body = urllib.parse.urlencode({'username': 'ada', 'password': PASSWORDS['ada']})
    status, text = _once(site, 'login', 'POST', '/api/token-auth/', body, **yes)
    equal(status, 403)
    contains(json.loads(text)['detail'], 'second factor', '/accounts/tokens/')
    ada = site.signed_in('ada')
    yes['HTTP_COOKIE'] = '; '.join('%s=%s' % c for c in ada.cookies.items())
    status, text = _once(site, 'login', 'GET', '/accounts/tokens/', **yes)
    equal(status, 200)
    contains(text, 'only to who signed in with a second factor')
    lacks(text, 'Make the token')
    body = urllib.parse.urlencode({'name': 'no factor', 'scope': 'read',
                                   'csrfmiddlewaretoken': ada.token('/accounts/tokens/')})
    equal(_once(site, 'login', 'POST', '/accounts/tokens/', body, **yes)[0], 403)
    equal(_id(site, 'no factor'), None)


def an_expired_password_gets_no_token(site):
    before = site.one("SELECT password_changed FROM users WHERE username = 'ben'")
    site.sql("UPDATE users SET password_changed = 1 WHERE username = 'ben'")
    try:
        body = urllib.parse.urlencode({'username': 'ben', 'password': PASSWORDS['ben']})
        status, text = _once(site, 'login', 'POST', '/api/token-auth/', body,
                             MERIDIAN_TOM_PASSWORD_EXPIRY_DAYS='90')
    finally:
        site.sql("UPDATE users SET password_changed = %s WHERE username = 'ben'" % before)
    equal(status, 400)
    contains(json.loads(text)['non_field_errors'][0], 'has expired')


def a_locked_site_lets_tokens_in_without_open_urls(site):
    text = _make(site.signed_in('ada'), 'ada', 'locked', 'read')
    locked = {'MERIDIAN_AUTH_STRATEGY': 'LOCKED'}
    equal(_once(site, 'targets', 'GET', '/targets/', **locked)[0], 302)
    equal(_once(site, 'targets', 'GET', '/targets/', HTTP_ACCEPT='application/json', **locked)[0], 401)
    status, page = _once(site, 'targets', 'GET', '/targets/',
                         HTTP_AUTHORIZATION='Token ' + text, **locked)
    equal(status, 200)
    contains(page, 'ada')


# --- the operator's command ---

def the_operator_sees_and_revokes_tokens(site):
    admin = site.signed_in('staff')
    texts = [_make(admin, 'staff', 'operator %d' % i, 'read') for i in range(3)]
    rows = json.loads(site.meridian('token', 'list', 'staff', '--json'))
    equal([r['name'] for r in rows], ['operator 2', 'operator 1', 'operator 0'])
    contains(site.meridian('token', 'list', 'staff'), 'operator 1', 'read', 'last used: never')
    site.meridian('token', 'revoke', 'staff', '--name', 'operator 1')
    equal([_ask(site, 'GET', '/targets/', t).status for t in texts], [200, 401, 200])
    contains(site.meridian('token', 'revoke', 'staff'), 'revoked 2 tokens of staff')
    equal([_ask(site, 'GET', '/targets/', t).status for t in texts], [401] * 3)
    contains(site.meridian('token', 'list', 'staff'), 'no tokens')
