"""login: signing in and out, one's own password, and what a session is."""
import time
import urllib.parse

from harness.client import Client
from harness.report import contains, equal, lacks
from harness.site import PASSWORDS

REFUSED = 'The user name or the password is wrong'


def _session(client):
    """(name, value) of the session cookie."""
    return [(n, v) for n, v in client.cookies.items() if n.endswith('sid')][0]


def _same_answer(page):
    """A page without what must differ from one request to the next."""
    import re
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', '', page.text)
    text = re.sub(r'Request <span class="copy">[^<]*', '', text)
    return re.sub(r'\d\d\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?', '', text)


def the_form_has_the_fields_of_a_tom(site):
    page = site.visitor().get('/accounts/login/?next=/targets/')
    equal(page.status, 200)
    fields = page.forms[0]['fields']
    for name in ('username', 'password', 'next', 'csrfmiddlewaretoken'):
        if name not in fields:
            raise AssertionError('there is no field ' + name)
    equal(fields['next'], '/targets/')
    contains(page.text, 'autocomplete="username"', 'autocomplete="current-password"')


def a_visitor_without_signing_in_writes_no_row(site):
    before = site.one('SELECT COUNT(*) FROM session')
    for path in ('/', '/accounts/login/', '/robots.txt', '/nowhere/'):
        site.visitor().get(path)
    equal(site.one('SELECT COUNT(*) FROM session'), before)


def signing_in_makes_a_session_and_signing_out_ends_it(site):
    client = site.visitor()
    answer = client.sign_in('ben', PASSWORDS['ben'])
    equal(answer.location, '/')
    cookie = [c for c in answer.headers.get_all('Set-Cookie') if 'sid=' in c][0]
    contains(cookie, 'HttpOnly', 'SameSite=Lax', 'Path=/')
    lacks(cookie, 'Domain', 'Secure')  # INSECURE_HTTP on loopback
    equal(client.get('/accounts/password/').status, 200)
    name, value = _session(client)
    page = client.get('/accounts/password/')
    contains(page.words, 'ben')
    answer = client.sign_out('/accounts/password/')
    if answer.status not in (302, 303):
        raise AssertionError('signing out: %d' % answer.status)
    equal(client.get('/accounts/password/').status, 302)
    thief = site.visitor()
    thief.cookies = {name: value}
    equal(thief.get('/accounts/password/').status, 302, 'the ended session')


def the_database_holds_no_usable_token(site):
    client = site.visitor()
    client.sign_in('ben', PASSWORDS['ben'])
    _, value = _session(client)
    rows = site.sql("SELECT encode(token_hash, 'hex') FROM session" if site.database == 'postgresql'
                    else 'SELECT hex(token_hash) FROM session')
    import base64
    import hashlib
    raw = base64.urlsafe_b64decode(value + '=' * (-len(value) % 4))
    for (row,) in rows:
        lacks(row.lower(), raw.hex())
    hashes = {hashlib.sha256(raw).hexdigest(), hashlib.sha256(value.encode()).hexdigest()}
    if not any(row.lower() in hashes for (row,) in rows):
        raise AssertionError('no row is the SHA-256 of the token')


def a_session_of_an_attackers_choice_is_not_taken(site):
    client = site.visitor()
    client.get('/accounts/login/')
    client.cookies['sid'] = 'A' * 43
    client.cookies['__Host-sid'] = 'A' * 43
    client.sign_in('ben', PASSWORDS['ben'])
    values = [v for n, v in client.cookies.items() if n.endswith('sid')]
    if 'A' * 43 in [_session(client)[1]] and len(set(values)) == 1:
        raise AssertionError('the session kept its chosen token')
    other = site.visitor()
    other.cookies = {'sid': 'A' * 43}
    equal(other.get('/accounts/password/').status, 302)


def each_signing_in_has_a_token_of_its_own(site):
    client = site.visitor()
    client.sign_in('ben', PASSWORDS['ben'])
    first = _session(client)[1]
    client.sign_out('/accounts/password/')
    client.sign_in('ben', PASSWORDS['ben'])
    if _session(client)[1] == first:
        raise AssertionError('the same token twice')
    if len(first) < 43:
        raise AssertionError('a token of %d characters' % len(first))


def unknown_wrong_and_inactive_are_answered_alike(site):
    site.add_user('sleeper', 'harvest-Quartz-5-almanac')
    site.meridian('user', 'disable', 'sleeper')
    pages, times = {}, {}
    # One after another in rounds, the best of each counts: hashing waits for its turn on this machine.
    for _ in range(4):
        for who, password in (('nobody-here', 'harvest-Quartz-5-almanac'),
                              ('ben', 'wrong-wrong-wrong-1'),
                              ('sleeper', 'harvest-Quartz-5-almanac')):
            client = site.visitor()
            token = client.token('/accounts/login/')
            began = time.monotonic()
            page = client.post('/accounts/login/', {'username': who, 'password': password,
                                                    'next': '/'}, token=token)
            times.setdefault(who, []).append(time.monotonic() - began)
            contains(page.words, REFUSED)
            pages[who] = (page.status, sorted(n for n in page.headers if n.lower() != 'date'),
                          _same_answer(page).replace(who, 'WHO'))
    equal(pages['nobody-here'], pages['ben'], 'unknown and wrong')
    equal(pages['sleeper'], pages['ben'], 'inactive and wrong')
    least = {who: min(t) for who, t in times.items()}
    if max(least.values()) > 1.5 * min(least.values()):
        raise AssertionError('times differ: %r' % least)


def what_was_typed_comes_back_but_for_the_password(site):
    client = site.visitor()
    page = client.post('/accounts/login/', {'username': '<b>"x', 'password': 'secret-secret-secret-9'})
    equal(page.status, 400)
    equal(page.forms[0]['fields']['username'], '<b>"x')
    lacks(page.text, 'secret-secret-secret-9', '<b>"x')


def an_empty_form_names_both_fields(site):
    page = site.visitor().post('/accounts/login/', {'username': '', 'password': ''})
    equal(page.status, 400)
    equal(page.text.count('aria-invalid="true"'), 2)


def next_leads_to_paths_of_this_site_only(site):
    for where, want in (('/targets/?page=2', '/targets/?page=2'), ('//evil.test/', '/'),
                        ('https://evil.test/', '/'), ('/\\evil.test', '/'), ('\\\\evil.test', '/'),
                        ('/%2f/evil.test', '/'), ('javascript:alert(1)', '/'), ('evil.test', '/'),
                        ('/a\r\nX-Evil: 1', '/'), ('', '/'), ('/%5cevil.test', '/'),
                        (' //evil.test', '/'), ('/\t/evil.test', '/'), ('///evil.test', '/')):
        for way in ('field', 'query'):
            client = site.visitor()
            path = '/accounts/login/'
            data = {'username': 'ben', 'password': PASSWORDS['ben']}
            if way == 'query':
                path += '?' + urllib.parse.urlencode({'next': where})
                data['next'] = client.get(path).forms[0]['fields']['next']
            else:
                data['next'] = where
            if way == 'query' and want == '/':
                equal(data['next'], '/', where)
                continue
            answer = client.post(path, data)
            equal(answer.location, want, '%s in the %s' % (where, way))
        if want == '/' and where not in ('//evil.test/', 'https://evil.test/'):
            continue


def a_page_that_needs_signing_in_asks_for_it_and_returns(site):
    client = site.visitor()
    answer = client.get('/accounts/password/?a=1&b=%20')
    equal(answer.status, 302)
    where = urllib.parse.urlsplit(answer.location)
    equal(where.path, '/accounts/login/')
    next_path = urllib.parse.parse_qs(where.query)['next'][0]
    equal(next_path, '/accounts/password/?a=1&b=%20')
    page = client.get(answer.location)
    fields = page.forms[0]['fields']
    fields.update(username='ben', password=PASSWORDS['ben'])
    token = fields.pop('csrfmiddlewaretoken')
    equal(client.post('/accounts/login/', fields, token=token).location, next_path)


def somebody_signed_in_is_not_asked_again(site):
    answer = site.signed_in('ada').get('/accounts/login/?next=/about/')
    equal((answer.status, answer.location), (302, '/about/'))


def signing_out_takes_a_post(site):
    client = site.signed_in('ada')
    equal(client.get('/accounts/logout/').status, 405)
    equal(client.get('/accounts/password/').status, 200)


def signing_out_of_a_session_that_ended_leads_home(site):
    client, elsewhere = site.visitor(), site.visitor()
    client.sign_in('ben', PASSWORDS['ben'])
    token = client.token('/accounts/password/')
    elsewhere.cookies = dict(client.cookies)
    elsewhere.sign_out('/accounts/password/')
    for who, sent in ((client, token), (site.visitor(), False)):
        answer = who.post('/accounts/logout/', {}, token=sent)
        equal((answer.status, answer.location), (302, '/'))
        # a form of another site comes without the cookie: it must not take it away
        equal(answer.headers['Set-Cookie'], None)


def over_http_the_page_says_that_cookies_are_lost(site):
    lacks(site.visitor().get('/accounts/login/').words, 'came over http')  # INSECURE_HTTP
    with site.variant(users=False, INSECURE_HTTP='no') as other:
        page = other.visitor().get('/accounts/login/')
        equal(page.status, 200)
        contains(page.words, 'This page came over http', 'INSECURE_HTTP')
        token = page.forms[0]['fields']['csrfmiddlewaretoken']
        answer = other.visitor().post('/accounts/login/', {'username': 'a', 'password': 'b'},
                                      token=token)
        equal(answer.status, 403)
        contains(answer.words, 'travel over https only')


def a_dot_at_the_end_of_the_host_is_none(site):
    client = site.visitor('localhost.:%d' % site.port)
    client.sign_in('ben', PASSWORDS['ben'])
    equal(client.get('/accounts/password/').status, 200)
    equal(client.sign_out('/accounts/password/').status, 302)


def next_is_kept_below_a_prefix_that_begins_like_it(site):
    with site.variant(URL_PREFIX='/accounts') as below:
        want = '/accounts/accounts/password/'
        client = below.visitor()
        login = client.get(want).location
        contains(login, '/accounts/accounts/login/?next=')
        equal(client.get(login).forms[0]['fields']['next'], want)
        answer = client.submit(login, {'username': 'ben', 'password': 'wrong'})
        equal(answer.forms[0]['fields']['next'], want, 'after a mistake')
        answer = client.submit(login, {'username': 'ben', 'password': PASSWORDS['ben']})
        equal((answer.status, answer.location), (302, want))


def a_form_needs_its_token(site):
    """The reasons of Django's CSRF tests; none changes anything."""
    client = site.visitor()
    client.sign_in('ben', PASSWORDS['ben'])
    token = client.token('/accounts/password/')
    other = site.visitor()
    other.sign_in('ada', PASSWORDS['ada'])
    others = other.token('/accounts/password/')
    origin = 'http://' + client.host
    cases = [
        ('no token', False, {}), ('an empty token', '', {}), ('another session', others, {}),
        ('cut short', token[:-1], {}), ('one more', token + 'A', {}), ('no base64', '!' * 86, {}),
        ('a foreign Origin', token, {'Origin': 'http://evil.test'}),
        ('Origin null', token, {'Origin': 'null'}),
        ('Origin https', token, {'Origin': origin.replace('http:', 'https:')}),
        ('another port', token, {'Origin': 'http://127.0.0.1:1'}),
        ('a subdomain', token, {'Origin': 'http://evil.127.0.0.1'}),
        ('Origin with a path', token, {'Origin': origin + '/x'}),
        ('cross-site', token, {'Sec-Fetch-Site': 'cross-site'}),
        ('same-site', token, {'Sec-Fetch-Site': 'same-site'}),
    ]
    for what, value, headers in cases:
        answer = client.post('/accounts/logout/', {}, token=value, headers=headers)
        equal(answer.status, 403, what)
        equal(client.get('/accounts/password/').status, 200, 'signed in after ' + what)
    got = client.request('POST', '/accounts/logout/', b'csrfmiddlewaretoken=' + token.encode(),
                         {'Content-Type': 'text/plain', 'Origin': origin})
    if got.status not in (400, 403, 415):
        raise AssertionError('text/plain: %d' % got.status)
    equal(client.get('/accounts/password/').status, 200)
    equal(client.get('/accounts/logout/?csrfmiddlewaretoken=' + token).status, 405)
    equal(client.post('/accounts/logout/', {}, token=token).status in (302, 303), True)


def a_token_of_before_signing_in_is_no_good_after(site):
    client = site.visitor()
    early = client.token('/accounts/login/')
    client.sign_in('ben', PASSWORDS['ben'])
    equal(client.post('/accounts/logout/', {}, token=early).status, 403)


def a_token_is_good_for_every_form_of_its_session(site):
    client = site.visitor()
    client.sign_in('ben', PASSWORDS['ben'])
    one, two = client.token('/accounts/password/'), client.token('/accounts/password/')
    if one == two:
        raise AssertionError('the token is not masked anew')
    equal(client.post('/accounts/logout/', {}, token=one).status in (302, 303), True)


def a_password_is_changed_and_ends_the_other_sessions(site):
    old, new = 'winter-Pelican-8-azimuth', 'summer-Pelican-8-altitude'
    site.add_user('dora', old)
    here, elsewhere = site.visitor(), site.visitor()
    here.sign_in('dora', old)
    elsewhere.sign_in('dora', old)
    fields = {'old_password': old, 'new_password1': new, 'new_password2': new}
    answer = here.post('/accounts/password/', fields)
    if answer.status not in (302, 303):
        raise AssertionError('%d: %s' % (answer.status, answer.words[:400]))
    contains(here.follow(answer).words, 'Password changed')
    equal(here.get('/accounts/password/').status, 200, 'here')
    equal(elsewhere.get('/accounts/password/').status, 302, 'elsewhere')
    site.visitor().sign_in('dora', new)
    page = site.visitor().post('/accounts/login/', {'username': 'dora', 'password': old})
    contains(page.words, REFUSED)


def bad_new_passwords_are_refused_with_the_reason(site):
    site.add_user('dorothea-of-the-observatory', 'winter-Pelican-8-azimuth')
    client = site.visitor()
    client.sign_in('dorothea-of-the-observatory', 'winter-Pelican-8-azimuth')
    for new, again, word in (('short', 'short', '15'), ('123456789012345678', None, 'digit'),
                             ('dorothea-of-the-observatori', None, 'similar'), ('x' * 1025, None, '1'),
                             ('harvest-Quartz-5-almanac', 'harvest-Quartz-5-almanaX', 'same')):
        page = client.post('/accounts/password/', {
            'old_password': 'winter-Pelican-8-azimuth', 'new_password1': new,
            'new_password2': new if again is None else again})
        equal(page.status, 400, new[:40])
        contains(page.words, word)
        lacks(page.text, 'value="' + new)
    page = client.post('/accounts/password/', {
        'old_password': 'wrong', 'new_password1': 'harvest-Quartz-5-almanac',
        'new_password2': 'harvest-Quartz-5-almanac'})
    equal(page.status, 400)
    site.visitor().sign_in('dorothea-of-the-observatory', 'winter-Pelican-8-azimuth')


def a_disabled_user_is_out_at_once(site):
    site.add_user('erin', 'winter-Pelican-8-azimuth')
    client = site.visitor()
    client.sign_in('erin', 'winter-Pelican-8-azimuth')
    site.meridian('user', 'disable', 'erin')
    equal(client.get('/accounts/password/').status, 302)


def pages_of_the_signed_in_are_not_cached(site):
    for path in ('/', '/accounts/password/', '/targets/'):
        control = site.signed_in('ada').get(path).header('Cache-Control')
        contains(control, 'no-store', 'private')


def a_locked_site_shows_visitors_the_way_in_only(site):
    with site.variant(AUTH_STRATEGY='LOCKED', OPEN_URLS='/about/') as locked:
        visitor = locked.visitor()
        for path in ('/', '/targets/', '/targets/1/', '/admin/', '/nowhere/', '/targets/export/'):
            answer = visitor.get(path)
            equal(answer.status, 302, path)
            contains(answer.location, '/accounts/login/?next=')
        equal(visitor.get('/about/').status, 200, 'OPEN_URLS')
        equal(visitor.get('/robots.txt').status, 200)
        equal(visitor.get('/accounts/login/').status, 200)
        client = locked.signed_in('ada')
        equal(client.get('/').status, 200)
        equal(client.get('/targets/').status, 200)


def sessions_end_as_the_configuration_says(site):
    with site.variant(SESSION_IDLE_HOURS='3', SESSION_DAYS='2', STAFF_SESSION_IDLE_HOURS='1',
                      STAFF_SESSION_HOURS='5') as other:
        for name, idle, longest in (('ada', 3, 48), ('staff', 1, 5)):
            client = other.visitor()
            cookie = [c for c in client.sign_in(name, PASSWORDS[name]).headers.get_all('Set-Cookie')
                      if 'sid=' in c][0]
            contains(cookie, 'Max-Age=%d' % (longest * 3600))
            whose = "WHERE user_id = (SELECT id FROM users WHERE username = '%s')" % name
            equal(other.one('SELECT expires - created FROM session ' + whose),
                  str(longest * 3600000000))
            # in this order: a use that counts is noted after its answer, which would undo the next step
            for minutes, status in ((1, 302), (-1, 200)):
                other.sql('UPDATE session SET last_seen = %d %s' % (
                    (time.time() - idle * 3600 - minutes * 60) * 1e6, whose))
                equal(client.get('/accounts/password/').status, status, '%s %d' % (name, minutes))


def many_signing_in_at_once_do_not_stop_other_pages(site):
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def attempt(_):
            client = Client(site.port)
            return client.post('/accounts/login/', {'username': 'ben', 'password': 'no' * 10}).status
        waiting = [pool.submit(attempt, i) for i in range(8)]
        time.sleep(0.3)
        began = time.monotonic()
        equal(site.visitor().get('/robots.txt').status, 200)
        equal(site.visitor().get('/').status, 200)
        took = time.monotonic() - began
        statuses = {w.result() for w in waiting}
    if took > 1:
        raise AssertionError('a page took %.1f s' % took)
    if not statuses <= {400, 503}:
        raise AssertionError('statuses %r' % statuses)


def signing_in_works_where_its_time_cannot_be_written(site):
    # a rule of the database that refuses last_login, as a full or read-only table would
    site.add_user('frida', 'winter-Pelican-8-azimuth')
    if site.database != 'sqlite':
        site.sql("ALTER TABLE users ADD CONSTRAINT no_time CHECK (username <> 'frida' OR "
                 "last_login IS NULL)" + (' NOT VALID' if site.database == 'postgresql' else ''))
        undo = 'ALTER TABLE users DROP CONSTRAINT no_time'
    else:
        site.sql("CREATE TRIGGER no_time BEFORE UPDATE OF last_login ON users "
                 "WHEN new.username = 'frida' BEGIN SELECT RAISE(ABORT, 'no'); END")
        undo = 'DROP TRIGGER no_time'
    try:
        client = site.visitor()
        client.sign_in('frida', 'winter-Pelican-8-azimuth')
        equal(client.get('/accounts/password/').status, 200)
    finally:
        site.sql(undo)
    equal(site.one("SELECT COUNT(*) FROM users WHERE username = 'frida' AND last_login IS NULL"), '1')
    site.visitor().sign_in('frida', 'winter-Pelican-8-azimuth')
    equal(site.one("SELECT COUNT(*) FROM users WHERE username = 'frida' AND last_login IS NULL"), '0')


def a_hash_of_django_signs_in_and_is_made_anew(site):
    # made with Python's hashlib.scrypt as Django does: N=2^14, r=8, p=5, a short salt
    import base64
    import hashlib
    key = hashlib.scrypt(b'winter-Pelican-8-azimuth', salt=b'seasalt', n=16384, r=8, p=5, dklen=64,
                         maxmem=2**28)
    old = 'scrypt$16384$seasalt$8$5$' + base64.b64encode(key).decode()
    site.add_user('gerda', 'summer-Pelican-8-altitude')
    site.sql("UPDATE users SET password = '%s' WHERE username = 'gerda'" % old)
    site.visitor().sign_in('gerda', 'winter-Pelican-8-azimuth')
    new = site.one("SELECT password FROM users WHERE username = 'gerda'")
    contains(new[:14], 'scrypt$131072$')
    site.visitor().sign_in('gerda', 'winter-Pelican-8-azimuth')
    # one that nobody can read lets nobody in
    site.sql("UPDATE users SET password = 'md5$salt$d41d8cd98f00b204e9800998ecf8427e' "
             "WHERE username = 'gerda'")
    page = site.visitor().post('/accounts/login/', {'username': 'gerda', 'password': ''})
    equal(page.status, 400)
    page = site.visitor().post('/accounts/login/', {'username': 'gerda',
                                                    'password': 'winter-Pelican-8-azimuth'})
    contains(page.words, REFUSED)


def twins_of_a_name_and_a_password_sign_in(site):
    """NFKC: what looks the same is the same, however it was typed."""
    site.add_user('h\u00e9l\u00e8ne', 'caf\u00e9-Tungsten-4-harbour')
    client = site.visitor()
    client.sign_in('he\u0301le\u0300ne', 'cafe\u0301-Tungsten-4-harbour')
    contains(client.get('/accounts/password/').words, 'h\u00e9l\u00e8ne')


def a_busy_machine_says_come_again(site):
    with site.variant(PASSWORD_HASHES='1', PASSWORD_HASH_WAIT_MS='0') as busy:
        import fcntl
        import os
        import struct
        busy.visitor().sign_in('ben', PASSWORDS['ben'])  # makes the file
        lock = os.open(os.path.join(busy.run, 'passwords.lock'), os.O_RDWR)
        try:
            # struct flock: l_type, l_whence, l_start, l_len, l_pid; 37 is F_OFD_SETLK
            fcntl.fcntl(lock, 37, struct.pack('hhqqixxxx', fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
            page = busy.visitor().post('/accounts/login/', {'username': 'ben',
                                                            'password': PASSWORDS['ben']})
            equal(page.status, 503)
            equal(page.header('Retry-After').isdigit(), True, 'Retry-After')
            contains(page.words, 'Try again')
        finally:
            os.close(lock)
        busy.visitor().sign_in('ben', PASSWORDS['ben'])


def the_table_of_sessions_forgets_the_ended(site):
    user = site.one("SELECT id FROM users WHERE username = 'ben'")
    blob = ("'\\x%s'" if site.database == 'postgresql' else "X'%s'") % ('ab' * 32)
    site.sql('INSERT INTO session (token_hash, user_id, created, last_seen, expires, auth_hash) '
             'VALUES (%s, %s, 1, 1, 2, %s)' % (blob, user, blob))
    site.visitor().sign_in('ben', PASSWORDS['ben'])
    equal(site.one('SELECT COUNT(*) FROM session WHERE expires = 2'), '0')


def a_password_is_checked_while_it_is_typed(site):
    """The rules of the form that sets it, for visitors and users; never a hash, nothing written."""
    new = 'dorothea-of-the-observatori'
    path = '/accounts/password/check/'
    visitor, user = site.visitor(), site.signed_in('ada')
    token, users_token = visitor.token('/accounts/login/'), user.token('/accounts/password/')
    before = site.sql('SELECT username, password FROM users ORDER BY username')

    def ask(client, value, **owner):
        answer = client.post(path, dict(owner, password=value),
                             token=token if client is visitor else users_token)
        equal(answer.status, 200, value)
        return answer.json

    equal(ask(visitor, 'harvest-Quartz-5-almanac')['problems'], [])
    said = ask(visitor, '12345')
    equal(len(said['problems']), 4, said)
    equal(said['kept'], said['rules'] - 4)
    contains(' '.join(said['problems']), 'at least 15', 'too common', 'numeric', 'alphabet')
    equal(ask(visitor, new)['problems'], [])
    contains(' '.join(ask(visitor, new, username='dorothea-of-the-observatory')['problems']),
             'similar to the username')
    equal(ask(visitor, new, email='dorothea-of-the-observatory@tom.example')['problems'] != [], True)
    # who is signed in need not say who they are, and is not mixed up with whom they add
    site.sql("UPDATE users SET last_name = 'Lovelace-Byron-King' WHERE username = 'ada'")
    contains(' '.join(ask(user, 'lovelace-byron-kino')['problems']), 'similar to the last name')
    equal(ask(user, 'lovelace-byron-kino', username='someone')['problems'], [])
    site.sql("UPDATE users SET last_name = '' WHERE username = 'ada'")
    equal(visitor.post(path, {'password': 'x' * 20000}, token=token).status, 413)
    equal(visitor.post(path, {'password': 'x' * 1025}, token=token).json['problems'][0][:8], 'This pas')
    equal(visitor.post(path, {'password': 'x'}, token=False).status, 403)
    equal(site.sql('SELECT username, password FROM users ORDER BY username'), before)
    lacks(site.logged('login'), new, 'lovelace-byron-kino')
