"""
headers: what judges of other houses say of the headers of each page, over TLS: Mozilla's HTTP Observatory
(A+, 130 or more) and Google's CSP Evaluator (nothing found). Both come from npm, by the lock file in
headers/; without npm this is skipped.
"""
import json
import os
import re
import shutil
import subprocess

from harness import process
from harness.report import Skip, equal
from harness.site import PATHS
from hosts import _pages

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'headers')
SIZES = {}


def _judge(site):
    """The folder with judge.js and what it needs, installed once a build."""
    node = shutil.which('node', path=PATHS)
    npm = shutil.which('npm', path=PATHS)
    if node is None or npm is None:
        raise Skip('node and npm are not here')
    to = os.path.join(site.workshop.build, 'tests/attack/headers')
    os.makedirs(to, exist_ok=True)
    for name in ('package.json', 'package-lock.json', 'judge.js'):
        shutil.copy(os.path.join(HERE, name), to)
    if not os.path.exists(to + '/node_modules/.package-lock.json'):
        done = subprocess.run([npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=to, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Skip('npm has not the judges: ' + done.stdout[-300:])
    # the list of hosts that browsers know: its script would fetch it, and ours is not among them
    with open(to + '/node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json', 'w') as f:
        f.write('{}')
    return to


def _with_tls(site):
    """Puts TLS before a site of nginx as deploy/nginx/example-tls.conf does; (port of http, port of https, CA)."""
    web = os.path.join(site.directory, 'web')
    key, cert = web + '/tls.key', web + '/tls.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost', '-addext',
                    'subjectAltName=DNS:localhost'], check=True, stderr=subprocess.DEVNULL)
    plain, tls = process.free_port(), process.free_port()
    with open(web + '/nginx.conf') as f:
        text = f.read()
    text, n = re.subn(r'listen 127\.0\.0\.1:\d+ backlog=1024;', """listen 127.0.0.1:%d;
listen 127.0.0.1:%d ssl;
listen [::1]:%d ssl;
ssl_certificate %s;
ssl_certificate_key %s;""" % (site.port, tls, tls, cert, key), text)
    equal(n, 1)
    text, n = re.subn(r'(\n\s*)(include meridian-upstreams\.conf;)', r"""\1\2
server {
	listen 127.0.0.1:%d;
	listen [::1]:%d;
	return 301 https://localhost:%d$request_uri;
}""" % (plain, plain, tls), text)
    equal(n, 1)
    with open(web + '/nginx.conf', 'w') as f:
        f.write(text)
    process.stop(site.web)
    site.start_web_again(site.web_command)
    return plain, tls, cert


def every_page_gets_the_best_grade(site):
    to = _judge(site)
    with site.variant(INSECURE_HTTP='no', ALLOWED_HOSTS='127.0.0.1, localhost', users=False) as own:
        plain, tls, cert = _with_tls(own)
        # each page for a visitor: itself, an error, or the page to sign in at
        paths = sorted({'/nothing/here/', *_pages(own)})
        done = subprocess.run(['node', to + '/judge.js', str(plain), str(tls), *paths], text=True, cwd=to,
                              env={'PATH': PATHS, 'HOME': to, 'NODE_EXTRA_CA_CERTS': cert},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')]
        equal(len(found), len(paths), done.stderr[-1000:])
        html = [f for f in found if f.get('type', '').startswith('text/html')]
        equal(len(html) > 10, True, str(found)[:1000])
        for f in html:
            if f['score'] < 130 or f['grade'] != 'A+' or f['findings']:
                raise AssertionError(json.dumps(f))
        print('# %d pages, least score %d' % (len(html), min(f['score'] for f in html)))
