"""
csrf: forms that another site sends for somebody who is signed in here. Every row that changes something, as
the executables name them (-R), in fourteen ways; and not a byte of the database is another one afterwards.
"""
import hashlib
import json
import socket
import struct
import urllib.parse

from harness.fastcgi import record
from harness.report import contains, equal
from harness.site import PASSWORDS
from test_csrf import CSV, FORMS, _unsafe_rows

SIZES = {'compare after each row': False}
FULL = {'compare after each row': True}

# What a request that is refused may write all the same: that it was refused, and when a session was used.
NOTES = {'security_event', 'throttle', 'throttle_device', 'schema_migration'}
NOTED = {'session': {'last_seen'}, 'api_token': {'last_used'}}


def _tables(site):
    """{table: columns} of all that must stay as it is."""
    if site.database == 'sqlite':
        names = [n for n, in site.sql("SELECT name FROM sqlite_master WHERE type = 'table' "
                                      "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'name_part%'")]
        found = {n: [c for c, in site.sql("SELECT name FROM pragma_table_info('%s')" % n)]
                 for n in names}
    else:
        where = "'public'" if site.database == 'postgresql' else 'DATABASE()'
        found = {}
        for table, column in site.sql('SELECT table_name, column_name FROM information_schema.columns '
                                      'WHERE table_schema = %s' % where):
            if not table.startswith('name_part'):
                found.setdefault(table, []).append(column)
    return {table: sorted(set(columns) - NOTED.get(table, set()))
            for table, columns in found.items() if table not in NOTES}


def _hash(site, tables):
    """Of every row of every table."""
    quote = '`%s`' if site.database == 'mariadb' else '"%s"'
    text = ''
    for table, columns in sorted(tables.items()):
        rows = site.sql('SELECT %s FROM %s' % (', '.join(quote % c for c in columns), table))
        text += table + repr(sorted(rows))
    return hashlib.sha256(text.encode()).hexdigest()


class Victim:
    """admin, signed in, with something of every kind that a form may take away."""

    def __init__(self, site):
        self.site = site
        self.client = site.visitor()
        self.early = self.client.token('/accounts/login/')
        self.client.sign_in('admin', PASSWORDS['admin'])
        self.token = self.client.token('/accounts/password/')
        self.client.submit('/targets/create/', {'name': 'Victim of an attack', 'ra': '1', 'dec': '1'})
        self.target = site.one("SELECT id FROM target WHERE name = 'Victim of an attack'")
        self.client.submit('/admin/sites/site/add/', {'domain': 'attacked.example', 'name': 'A'})
        self.other_site = site.one("SELECT id FROM site WHERE domain = 'attacked.example'")
        self.client.post('/accounts/tokens/', {'name': 'Attacked', 'scope': 'read',
                                               'old_password': PASSWORDS['admin']})
        self.api_token = site.one("SELECT id FROM api_token WHERE name = 'Attacked'")
        self.user = site.one("SELECT id FROM users WHERE username = 'ben'")
        self.session = [f['fields']['session'] for f in self.client.get('/accounts/sessions/').forms
                        if f['action'].endswith('/end/')][0]

    def path(self, row):
        return row.replace('<id>', self.other_site if row.startswith('/admin/sites/') else
                           self.api_token if row.startswith('/accounts/') else
                           self.target if row.startswith('/targets/') else self.user)

    def form(self, row):
        """Fields that would do something. A row that nobody has filled in gets one that many take."""
        if row == '/accounts/sessions/end/':
            return {'session': self.session}
        fields = FORMS.get(row, {'name': 'forged', 'username': 'forged', 'confirm': 'yes'})
        return {} if fields is None else fields

    def post(self, row, token, headers=None):
        return self.client.post(self.path(row), self.form(row),
                                CSV if FORMS.get(row, {}) is None else None, headers or {}, token=token)


def _of_expired_session(site):
    """A client whose session has run out, and the token of its forms."""
    client = site.visitor()
    client.sign_in('admin', PASSWORDS['admin'])
    token = client.token('/accounts/password/')
    site.sql('UPDATE session SET last_seen = 1 WHERE created = %s' %
             site.one('SELECT MAX(created) FROM session'))
    return client, token


def _over_https(site, name, path, client, fields, headers):
    """The status of a form that came over TLS: as the web server would pass it on to the handler."""
    body = urllib.parse.urlencode(fields).encode()
    pairs = {'REQUEST_METHOD': 'POST', 'SCRIPT_NAME': path, 'QUERY_STRING': '', 'HTTPS': 'on',
             'SERVER_PROTOCOL': 'HTTP/1.1', 'HTTP_HOST': client.host, 'REMOTE_ADDR': '127.0.0.1',
             'SERVER_ADDR': '127.0.0.1', 'CONTENT_TYPE': 'application/x-www-form-urlencoded',
             'CONTENT_LENGTH': str(len(body)),
             'HTTP_COOKIE': '; '.join('%s=%s' % pair for pair in client.cookies.items())}
    pairs.update(headers)
    params = b''.join(struct.pack('>LL', len(n) | 1 << 31, len(v) | 1 << 31) + n.encode() + v.encode()
                      for n, v in pairs.items())
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect('%s/%s.sock' % (site.run, name))
        s.sendall(record(1, struct.pack('>HBxxxxx', 1, 0)) + record(4, params) + record(4, b'') +
                  record(5, body) + record(5, b''))
        data = b''
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            data += piece
    text = data[data.index(b'Status: '):] if b'Status: ' in data else b'Status: 200'
    return int(text.split()[1])


def _executable_of(site, row):
    from harness.site import locations
    return max(((p, n) for p, n in locations() if row == p or row.startswith(p.rstrip('/') + '/')),
               key=lambda pair: len(pair[0]))[1]


def no_form_of_another_site_changes_anything(site):
    others = {}
    for who, name in (('twin', 'admin'), ('other', 'ada')):
        others[who] = site.visitor()
        others[who].sign_in(name, PASSWORDS[name])
        others[who] = others[who].token('/accounts/password/')
    victim = Victim(site)
    client, token = victim.client, victim.token
    expired, of_expired = _of_expired_session(site)
    origin = 'http://' + client.host
    subdomain = 'http://evil.' + client.host
    https = 'https://' + client.host
    rows = sorted({path for path, _ in _unsafe_rows(site)})
    tables = _tables(site)
    before, sent = _hash(site, tables), 0
    equal({'users', 'session', 'target', 'rights', 'datum_rights', 'site'} <= set(tables), True)

    def refused(answer, row, what, allowed=(403,)):
        status = answer if isinstance(answer, int) else answer.status
        if status not in allowed:
            raise AssertionError('%s, %s: %d' % (row, what, status))

    for row in rows:
        path, form = victim.path(row), victim.form(row)
        pairs = urllib.parse.urlencode(dict(form, csrfmiddlewaretoken=token))
        seen = (200, 302, 400, 404, 405)  # of a GET: what the page is, and no more
        refused(victim.post(row, False), row, '1 no token')
        refused(victim.post(row, others['other']), row, "2 another user's token")
        refused(victim.post(row, others['twin']), row, "3 another session's token")
        refused(victim.post(row, of_expired), row, "4 an expired session's token")
        # sent with the expired session itself it is a visitor's: whose token that is not
        if row != '/api/token-auth/':  # who brings no session brings name and password instead
            refused(expired.post(path, form, token=of_expired), row, '4 an expired session',
                    (302, 403) if row == '/accounts/logout/' else (403,))
        refused(victim.post(row, victim.early), row, '5 a token from before signing in')
        refused(victim.post(row, token[:-1]), row, '6 a token cut short')
        refused(client.get(path + '?' + pairs), row, '7 by GET', seen)
        refused(victim.post(row, token, {'Origin': 'https://evil.example'}), row, '8 a foreign Origin')
        refused(victim.post(row, token, {'Origin': 'null'}), row, '9 Origin null')
        refused(victim.post(row, token, {'Sec-Fetch-Site': 'cross-site'}), row, '10 cross-site')
        refused(victim.post(row, token, {'Sec-Fetch-Site': 'same-site', 'Origin': subdomain}), row,
                '11 a subdomain')
        refused(victim.post(row, token, {'Origin': subdomain}), row, '11 a subdomain, older browser')
        refused(_over_https(site, _executable_of(site, row), path, client,
                            dict(form, csrfmiddlewaretoken=token),
                            {'HTTP_REFERER': origin + path}), row, '12 a Referer of http at https')
        body = json.dumps(dict(form, csrfmiddlewaretoken=token)).encode()
        refused(client.request('POST', path, body, {'Content-Type': 'text/plain', 'Origin': origin}),
                row, '13 JSON as text', (403, 415))
        for headers in ({'X-HTTP-Method-Override': 'POST'}, {'X-HTTP-Method': 'POST'},
                        {'X-Method-Override': 'POST'}):
            refused(client.get(path + '?_method=POST&' + pairs, headers), row, '14 GET made POST', seen)
        for method in ('PUT', 'PATCH', 'DELETE'):
            refused(client.request(method, path, pairs.encode(), {
                'Content-Type': 'application/x-www-form-urlencoded', 'Origin': origin}), row,
                '14 by ' + method, (403, 405))
        sent += 21
        if SIZES['compare after each row']:
            equal(_hash(site, tables), before, 'the database after ' + row)
    equal(_hash(site, tables), before, 'the database after %d requests to %d rows' % (sent, len(rows)))
    # what refuses is what it is about: the same over https from here is a form to fill in
    equal(_over_https(site, 'targets', '/targets/create/', client, {'csrfmiddlewaretoken': token},
                      {'HTTP_REFERER': https + '/targets/create/'}), 400)
    # and the hash sees what a form of this site does
    contains(victim.post('/targets/<id>/permissions/', token).location or '', '/permissions/')
    equal(_hash(site, tables) == before, False, 'a form of this site changes the database')
