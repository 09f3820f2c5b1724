"""wapiti: a crawl of the site as somebody, and what it tries at each page and form that it finds."""
import json
import os
import re
import subprocess

from scanner.ground import CASE

# Those that need nothing of the network but the site and an endpoint of ours.
MODULES = ('sql', 'timesql', 'xss', 'permanentxss', 'file', 'exec', 'crlf', 'redirect', 'ssrf', 'xxe', 'csrf',
           'http_headers', 'cookieflags', 'csp', 'ldap', 'methods', 'htaccess', 'upload', 'shellshock', 'backup')

# What would end the session of the scan, or of all, or lock its account out.
SPARED = ('/accounts/logout/*', '/accounts/sessions/end*', '/admin/sessions/end*', '/accounts/password/',
          '/accounts/factor/*', '/users/*/delete/', '/admin/auth/user/*/delete/', '/users/*/changepassword/',
          '/admin/auth/user/*/change/', '/users/*/update/', '/admin/sites/site/*/delete/', '/static/*')

# (part of a category, part of what is said, why it is none): a site over http on a loopback address.
ALARMS = (
    ('Strict-Transport-Security', '', 'over http the header has no meaning: tests/attack/headers.py asks over TLS'),
    ('HTTP Secure Headers', 'Strict-Transport-Security', 'the same'),
    ('Secure Flag cookie', '', 'INSECURE_HTTP: over TLS every cookie is __Host- and Secure'),
)


def command(ground, tool, who, pages, case, output, endpoint, minutes):
    site = ground.site
    client = ground.client(who)
    line = [tool, '-u', site.url + '/', '--scope', 'domain', '-m', ','.join(MODULES), '-H', '%s: %s' % (CASE, case),
            '-f', 'json', '-o', os.path.join(output, 'wapiti.json'), '--store-session', output, '--store-config',
            output, '--flush-session', '--no-bugreport', '--drop-set-cookie', '--tasks', '4', '-t', '60', '-d', '4',
            '--max-files-per-dir', '30', '--max-links-per-page', '40', '--endpoint', endpoint, '-v', '1']
    if minutes:
        line += ['--max-scan-time', str(minutes * 15), '--max-attack-time', str(minutes * 45 // len(MODULES))]
    if client.cookies:
        line += ['-C', '; '.join('%s=%s' % pair for pair in client.cookies.items())]
    for page in pages:
        line += ['-s', site.url + page]
    for spared in SPARED:
        line += ['-x', site.url + spared]
    return line


def run(line, output):
    """(findings, notes) of a command line of command()."""
    os.makedirs(output, exist_ok=True)
    report = os.path.join(output, 'wapiti.json')
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace',
                          env={'PATH': os.environ['PATH'], 'HOME': output, 'LC_ALL': 'C.UTF-8'})
    with open(os.path.join(output, 'wapiti.txt'), 'w') as f:
        f.write(done.stdout)
    if not os.path.exists(report):
        return ['wapiti ended: ' + ' '.join(done.stdout.split())[-300:]], ''
    found, known = findings(report)
    cut = re.findall(r'Max attack time was reached for module (\w+)', done.stdout)
    return found, '; %d expected alarms%s' % (len(known), '; cut short: ' + ', '.join(cut) if cut else '')


def findings(report):
    """(what it found, what of that is in ALARMS) of a report."""
    with open(report) as f:
        found = json.load(f)
    real, known = [], []
    for kind in ('vulnerabilities', 'anomalies'):
        for category, entries in found[kind].items():
            for e in entries:
                text = '%s: %s %s: %s' % (category, e['method'], e['path'], e['info'])
                why = [w for c, said, w in ALARMS if c in category and said in e['info']]
                (known if why else real).append(' '.join(text.split())[:400])
    return real, known
