"""csrf: every row that changes something, as -R names them, against what a foreign page can send."""
import hashlib
import json
import os
import subprocess

from harness.report import contains, equal
from harness.site import PASSWORDS

# What each row needs to change something, were it let through. tests/attack/csrf.py sends the same, in more ways.
GUESSED = 'harvest-Quartz-5-almanac'
FORGED = {'username': 'forged', 'email': 'forged@evil.example', 'password1': GUESSED,
          'password2': GUESSED}
FORMS = {
    '/accounts/login/': {'username': 'ben', 'password': PASSWORDS['ben'], 'next': '/'},
    '/accounts/logout/': {},
    '/accounts/password/': {'old_password': PASSWORDS['admin'],
                            'new_password1': GUESSED,
                            'new_password2': GUESSED},
    '/accounts/approve/<id>/': {'decision': 'approve'},
    '/accounts/password/reset/': {'email': 'ben'},
    '/accounts/password/reset/<text>/': {'new_password1': GUESSED,
                                         'new_password2': GUESSED},
    '/accounts/register/': {'username': 'forged'},
    '/accounts/register/<text>/': {},
    '/accounts/address/<text>/': {},
    '/accounts/password/check/': {'password': 'x'},
    '/accounts/login/code/': {'code': '123456'},
    '/accounts/login/factor/': {'code': '123456'},
    '/accounts/factor/add/': {'code': '123456', 'old_password': PASSWORDS['admin']},
    '/accounts/factor/codes/': {'old_password': PASSWORDS['admin']},
    '/accounts/factor/remove/': {'old_password': PASSWORDS['admin']},
    '/accounts/tokens/': {'name': 'forged', 'scope': 'write', 'old_password': PASSWORDS['admin']},
    '/accounts/tokens/<id>/revoke/': {},
    '/accounts/sessions/end/': {},  # which one is filled in below
    '/accounts/sessions/end-others/': {},
    '/api/token-auth/': {'username': 'ben', 'password': PASSWORDS['ben']},
    '/admin/sessions/end/': {'user': 'ben'},
    '/admin/sessions/end-all/': {},
    '/admin/sites/site/add/': {'domain': 'forged.example', 'name': 'Forged'},
    '/admin/sites/site/<id>/change/': {'domain': 'forged.example', 'name': 'Forged'},
    '/admin/sites/site/<id>/delete/': {},
    '/users/create/': FORGED,
    '/users/<id>/update/': {'username': 'forged', 'email': 'forged@evil.example'},
    '/users/<id>/delete/': {},
    '/users/<id>/changepassword/': {'change_password_form': '1', 'password': GUESSED},
    '/users/<id>/regenerate-token/': {},
    '/admin/auth/user/add/': dict(FORGED, is_active='on', is_superuser='on'),
    '/admin/auth/user/<id>/change/': {'username': 'forged', 'is_active': 'on', 'is_superuser': 'on'},
    '/admin/auth/user/<id>/delete/': {},
    '/groups/create/': {'name': 'forged'},
    '/groups/<id>/update/': {'name': 'forged'},
    '/groups/<id>/delete/': {},
    '/admin/auth/group/add/': {'name': 'forged'},
    '/admin/auth/group/<id>/change/': {'name': 'forged'},
    '/admin/auth/group/<id>/delete/': {},
    '/alerts/streams/<text>/replay/': {},
    '/alerts/letters/<id>/replay/': {},
    '/alerts/letters/<id>/dismiss/': {},
    '/targets/create/': {'name': 'Forged', 'type': 'SIDEREAL', 'ra': '10', 'dec': '10'},
    '/targets/<id>/update/': {'name': 'Forged', 'type': 'SIDEREAL', 'ra': '10', 'dec': '10'},
    '/targets/<id>/delete/': {},
    '/targets/<id>/permissions/': {'user': 'ben', 'change': 'on'},
    '/targets/import/': None,  # a file
    '/targets/seed/': {},
    '/terms/': {'version': ''},
}
CSV = {'target_csv': ('t.csv', b'name,type,ra,dec\nForged,SIDEREAL,10,10\n', 'text/csv')}


def _unsafe_rows(site):
    """(path, access) of every row of every executable that is not GET."""
    rows = []
    for name in site.workshop.executables():
        out = subprocess.run([os.path.join(site.workshop.libexec, name), '-R'], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
        for line in out.splitlines():
            method, path, access, _ = line.split('\t')
            if method != 'GET':
                equal(method, 'POST', path)
                rows.append((path, access))
    return rows


def _state(site):
    """A digest of all that a form may change. The use of a session is not among it."""
    text = ''
    for table, columns in (('users', 'id, username, password, email, is_active, is_superuser'),
                           ('site', 'id, domain, name'), ('user_group', 'id, name'),
                           ('session', 'user_id, created, expires'), ('api_token', 'user_id, name, scopes'),
                           ('target', 'id, name, ra'),
                           ('target_name', 'id, name'), ('rights', 'principal, target_id, verbs'),
                           ('datum_rights', 'target_id, source, principal, verbs'),
                           ('target_list', 'id, name'), ('dead_letter', 'id, asked, waits'), ('target_extra', 'id, "key", value')):
        text += repr(sorted(site.sql('SELECT %s FROM %s' % (columns, table))))
    return hashlib.sha256(text.encode()).hexdigest()


def _signed_in(site, name):
    client = site.visitor()
    client.sign_in(name, PASSWORDS[name])
    return client


def no_row_is_open_to_forged_forms(site):
    """Every unsafe row, 13 ways each: 403 (or what refuses it earlier), and nothing changed."""
    early_client = site.visitor()
    early = early_client.token('/accounts/login/')
    early_client.sign_in('admin', PASSWORDS['admin'])
    client = early_client
    ended = _signed_in(site, 'admin')
    of_ended = ended.token('/accounts/password/')
    ended.sign_out('/accounts/password/')
    token = client.token('/accounts/password/')
    of_twin = _signed_in(site, 'admin').token('/accounts/password/')
    of_other = _signed_in(site, 'ada').token('/accounts/password/')
    client.submit('/targets/create/', {'name': 'Victim of forged forms', 'ra': '1', 'dec': '1'})
    target = site.one("SELECT id FROM target WHERE name = 'Victim of forged forms'")
    client.submit('/admin/sites/site/add/', {'domain': 'victim.example', 'name': 'Victim'})
    other_site = site.one("SELECT id FROM site WHERE domain = 'victim.example'")
    client.post('/accounts/tokens/', {'name': 'Victim', 'scope': 'read',
                                      'old_password': PASSWORDS['admin']})
    own_token = site.one("SELECT id FROM api_token WHERE name = 'Victim'")
    FORMS['/accounts/sessions/end/'] = {'session': [
        f['fields']['session'] for f in client.get('/accounts/sessions/').forms
        if f['action'].endswith('/end/')][0]}
    origin = 'http://' + client.host
    cases = [
        ('no token', False, {}),
        ("another user's", of_other, {}),
        ("another session's of the same user", of_twin, {}),
        ("an ended session's", of_ended, {}),
        ('from before signing in', early, {}),
        ('cut short', token[:-1], {}),
        ('a foreign Origin', token, {'Origin': 'https://evil.example'}),
        ('Origin null', token, {'Origin': 'null'}),
        ('Origin with the other scheme', token, {'Origin': origin.replace('http', 'https')}),
        ('cross-site', token, {'Sec-Fetch-Site': 'cross-site'}),
        ('same-site', token, {'Sec-Fetch-Site': 'same-site'}),
        ('JSON as text', None, {'Content-Type': 'text/plain'}),
        ('the method overridden', False, {'X-HTTP-Method-Override': 'POST'}),
    ]
    ben = site.one("SELECT id FROM users WHERE username = 'ben'")
    site.meridian('group', 'add', 'victims')
    group = site.one("SELECT id FROM user_group WHERE name = 'victims'")
    numbers = (('/admin/sites/', other_site), ('/accounts/', own_token), ('/users/', ben),
               ('/admin/auth/user/', ben), ('/groups/', group), ('/admin/auth/group/', group),
               ('', target))
    rows = _unsafe_rows(site)
    equal(sorted(path for path, _ in rows), sorted(FORMS), 'the rows this test knows')
    before = _state(site)
    for row, _ in rows:
        path = row.replace('<id>', next(n for begin, n in numbers if row.startswith(begin)))
        for what, value, headers in cases:
            where = '%s, %s' % (row, what)
            if what == 'JSON as text':
                body = json.dumps(dict(FORMS[row] or {}, csrfmiddlewaretoken=token)).encode()
                answer = client.request('POST', path, body, dict(headers, Origin=origin))
                equal(answer.status in (403, 415), True, where)
            else:
                answer = client.post(path, FORMS[row] or {}, CSV if FORMS[row] is None else None,
                                     headers, token=value)
                equal(answer.status, 403, where)
                contains(answer.text, '"detail"' if row.startswith('/api/') else '<h1>')
        answer = client.get('%s?csrfmiddlewaretoken=%s' % (path, token),
                            {'X-HTTP-Method-Override': 'POST'})
        equal(answer.status in (200, 302, 404, 405), True, row + ' by GET')
    equal(_state(site), before, 'the database')
    client.post('/accounts/tokens/%s/revoke/' % own_token, {}, token=token)
    # and the digest sees what a true form does
    client.post('/targets/%s/delete/' % target, {}, token=token)
    client.post('/admin/sites/site/%s/delete/' % other_site, {}, token=token)
    equal(_state(site) != before, True, 'a true form changes the database')


def a_refused_form_says_what_to_do(site):
    client = site.signed_in('ada')
    page = client.post('/accounts/logout/', {}, token=False)
    contains(page.words, 'token', 'Open the page again')
    page = client.post('/accounts/logout/', {}, token=False, headers={'Origin': 'http://evil.example'})
    contains(page.words, 'another address', 'Open the page on this site')
    page = site.visitor().post('/targets/seed/', {}, token=False)
    equal(page.status, 403)
    contains(page.words, 'not signed in')


def a_script_may_send_the_token_in_a_header(site):
    client = _signed_in(site, 'ben')
    token = client.token('/accounts/password/')
    answer = client.post('/accounts/logout/', {}, token=False, headers={'X-CSRFToken': token})
    equal(answer.status, 302)
    # as Python scripts of TOMs do: no Origin at all, over http
    client = _signed_in(site, 'ben')
    token = client.token('/accounts/password/')
    equal(client.post('/accounts/logout/', {}, token=token, headers={'Origin': None}).status, 302)


def foreign_hosts_are_in_no_answer(site):
    """Django's poisoned hosts and relatives, at every page that makes addresses."""
    hosts = ['evil.example', 'evil.example:80', '127.0.0.1@evil.example',
             '127.0.0.1:dr.frankenstein@evil.example', '127.0.0.1:80/badpath',
             '127.0.0.1: recovermypassword.com', 'evil.example#127.0.0.1', '127.0.0.1.evil.example']
    for host in hosts:
        for path in ('/', '/targets', '/accounts/login/', '/accounts/password/', '/admin/', '/robots.txt'):
            answer = site.visitor().get(path, {'X-Forwarded-Host': 'evil.example'}, host=host)
            if path == '/robots.txt' and answer.status == 200:
                pass  # answers every host, and names none
            else:
                equal(answer.status, 400, '%s of %s' % (path, host))
            for text in (answer.text, str(answer.headers)):
                equal('evil' in text or 'recover' in text or 'badpath' in text, False,
                      '%s of %s' % (path, host))


def a_hundred_requests_racing_a_sign_out_are_not_let_in_after_it(site):
    import threading
    client = _signed_in(site, 'ben')
    token = client.token('/accounts/password/')
    late, out = [], threading.Event()

    def ask():
        runner = site.visitor()
        runner.cookies = dict(cookies)
        for _ in range(25):
            after = out.is_set()
            if runner.get('/accounts/password/').status == 200 and after:
                late.append(1)
    cookies = dict(client.cookies)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    equal(client.post('/accounts/logout/', {}, token=token).status, 302)
    out.set()
    for thread in threads:
        thread.join()
    equal(late, [], 'requests let in after the answer to signing out')
    runner = site.visitor()
    runner.cookies = cookies
    equal(runner.get('/accounts/password/').status, 302)
