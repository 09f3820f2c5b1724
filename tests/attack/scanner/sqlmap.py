"""sqlmap: one point of one request, with every payload that the tool has for the engine."""
import json
import os
import re
import subprocess
import urllib.parse

from scanner.ground import CASE

DBMS = {'sqlite': 'SQLite', 'postgresql': 'PostgreSQL', 'mariadb': 'MySQL'}
LEAST = 60  # requests, below which a point cannot have been tried

# No redirect is followed of a form: where it leads would be asked for each payload. Markers are ours.
ANSWERS = 'follow=%s,resend=N,custom injection marker=Y,Multipart-like=Y,anti-CSRF=N,JSON=%s,reduce=Y'
COOKIES = ('sid', 'visitor', 'device', 'half', 'messages', 'offer')


class Point:
    """What is tried: `name` of `where` (query, form, json, cell, path, header) in the request of a row."""

    def __init__(self, route, who, row, where, name):
        self.route, self.who, self.row, self.where, self.name = route, who, row, where, name

    def __str__(self):
        return '%s as %s, %s%s' % (self.route, self.who, self.where, ' ' + self.name if self.name else '')


def points(routes, table, headers, pages):
    """
    Every point of a table; `routes` are {route: access}. An ordinary user comes before a superuser, of whom the
    statements ask less; what is a number in a path last, as it is read before any statement.
    """
    first, second, last = [], [], []
    for route, row in table.items():
        who = {'ANYONE': ('visitor',), 'STAFF': ('admin',), 'SUPERUSER': ('admin',)}.get(
            routes[route], ('ada', 'admin'))
        for one in who:
            to = first if one == who[0] else second
            to += [Point(route, one, row, where, name) for where in ('query', 'form', 'json', 'cell')
                   for name in getattr(row, where)]
            for name in re.findall(r'<(\w+)>', route):
                (last if name == 'id' else to).append(Point(route, one, row, 'path', name))
    of_headers = [Point('GET ' + page, 'ada', table['GET ' + page], 'header', name)
                  for page in pages.values() for name in headers]
    return first + of_headers + second + last


def _sent(ground, point, values):
    """Of a row's values those that go together with what is tried."""
    groups = [group.split() for group in point.row.one_of]
    chosen = next((g for g in groups if point.name in g), groups[0] if groups else [])
    left_out = {name for g in groups if g != chosen for name in g}
    return {n: v.format_map(ground.words) for n, v in values.items() if n not in left_out}


def _multipart(ground, point, fields, token):
    """The body of a form with a file whose cells are row.cell; a cell that is tried is marked with a star."""
    cells = {n: v.format_map(ground.words) + ('*' if (point.where, point.name) == ('cell', n) else '')
             for n, v in point.row.cell.items()}
    text = ','.join(cells) + '\r\n' + ','.join('"%s"' % v for v in cells.values()) + '\r\n'
    out = ''
    for name, value in dict(fields, csrfmiddlewaretoken=token).items():
        out += '--scan\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name, value)
    return out + ('--scan\r\nContent-Disposition: form-data; name="target_csv"; filename="t.csv"\r\n'
                  'Content-Type: text/csv\r\n\r\n%s\r\n--scan--\r\n' % text)


def command(ground, tool, point, case, output):
    """The command line for a point, and what the same request answers without a payload."""
    site, row = ground.site, point.row
    client, method = ground.client(point.who), point.route.split()[0]
    token = ground.token(point.who) if method == 'POST' else None
    pieces = ground.path(point.route, row.path)
    plain = urllib.parse.quote(''.join(pieces))
    path = plain
    if point.where == 'path':
        path = urllib.parse.quote(pieces[0] + pieces[1]) + '*' + urllib.parse.quote(''.join(pieces[2:]))
    query = urllib.parse.urlencode(_sent(ground, point, row.query))
    fields = _sent(ground, point, {**row.form, **row.fixed})
    cookies = dict({name: 'A' * 43 for name in COOKIES[2:]} if point.where == 'header' else {},
                   **client.cookies)
    given = ['-u', site.url + path + ('?' + query if query else ''), '-H', '%s: %s' % (CASE, case)]
    body, kind = None, 'application/x-www-form-urlencoded'
    if row.cell:
        body = _multipart(ground, point, fields, token)
        kind = 'multipart/form-data; boundary=scan'
    elif point.where == 'json':
        body, kind = json.dumps(row.json), 'application/json'
    elif method == 'POST':
        body = urllib.parse.urlencode(dict(fields, csrfmiddlewaretoken=token))
    if body is not None:
        given += ['--method', 'POST', '--data', body, '-H', 'Content-Type: ' + kind]
    if cookies:
        given += ['--cookie', '; '.join('%s=%s' % pair for pair in cookies.items())]
    if point.name == 'Authorization':
        given += ['-H', 'Authorization: Token abcdef*']
    elif point.where == 'header' and point.name not in COOKIES:
        given += ['-H', point.name + ': scanned', '-p', point.name.lower()]
    elif point.where in ('query', 'form', 'json', 'header'):
        given += ['-p', point.name]
    first = client.request(method, plain + ('?' + query if query else ''),
                           body and body.replace('*', '').replace('FRESH', 'F' + case).encode(),
                           {'Content-Type': kind} if body else {})
    return [tool, *given, '--batch', '--level', '5', '--risk', '3', '--dbms', DBMS[site.database], '--threads', '4',
            '--answers', ANSWERS % ('N' if method == 'POST' else 'Y', 'Y' if point.where == 'json' else 'N'), '--ignore-code', '*', '--drop-set-cookie',
            '--time-sec', '15', '--timeout', '60', '--retries', '0', '--flush-session', '--disable-coloring',
            '--preprocess', output + '/hooks/before.py', '--postprocess',
            output + '/hooks/after.py', '--output-dir', output], first.status


# What sqlmap calls before each request, so that names that must be new are; and after it: what differs from one
# answer to the next whatever was sent goes out of the page, and the status comes in.
HOOKS = {'before.py': '''import random
def preprocess(req):
    if req.data and b"FRESH" in req.data:
        word = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=5))
        req.data = req.data.replace(b"FRESH", word.encode())
''', 'after.py': '''import re
def postprocess(page, headers=None, code=None):
    if not isinstance(page, str):
        return page, headers, code
    page = re.sub(r'csrfmiddlewaretoken" value="[^"]*"', "", page)
    page = re.sub(r'<footer.*?</footer>|<p class="small">[0-9]+, .*?</p>', "", page, flags=re.S)
    return "%s %s" % (code, page), headers, code
''', '__init__.py': ''}


def run(line, output):
    """(findings, notes) of a command line of command()."""
    os.makedirs(output + '/hooks', exist_ok=True)
    for name, text in HOOKS.items():
        with open(os.path.join(output, 'hooks', name), 'w') as f:
            f.write(text)
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace',
                          env={'PATH': os.environ['PATH'], 'HOME': output, 'LC_ALL': 'C.UTF-8'})
    with open(os.path.join(output, 'sqlmap.txt'), 'w') as f:
        f.write(done.stdout)
    doubts = done.stdout.count('false positive or unexploitable')
    return findings(done.stdout), '; %d doubts of its own dropped' % doubts if doubts else ''


def findings(text):
    """What sqlmap says it found, or why it did not look."""
    found = re.findall(r'^Parameter: .*$|^ +Type: .*$|.*reported to be vulnerable.*', text, re.M)
    if found:
        return found
    for line in re.findall(r'\[CRITICAL\] (.*)', text):
        if 'do not appear to be injectable' not in line:
            return ['sqlmap ended: ' + line]
    if 'do not appear to be injectable' not in text and 'does not seem to be injectable' not in text:
        return ['sqlmap ended: ' + ' '.join(text.split())[-200:]]
    return []
