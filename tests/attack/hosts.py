"""
hosts: names of other sites where a request says which site it asks (Host, X-Forwarded-Host, an absolute
request line, a Referer). No byte of them comes back: no link, no redirect, no page built from them.
"""
import socket

from harness.report import equal
from harness.site import locations
from test_deploy import _routes

EVIL = 'evil.example'

# {host} is the site's own name with its port; every one names EVIL or is no name at all.
POISONED = (
    'evil.example', 'EVIL.example', 'evil.example:80', 'evil.example:{port}', '{name}.evil.example',
    '{name}@evil.example', '{host}@evil.example', '{name}:80@evil.example', 'user@evil.example',
    'user:pass@evil.example:{port}', '{name}:{port}@evil.example', 'evil.example/{name}',
    'evil.example#{name}', 'evil.example?{name}', 'evil.example\\{name}', '{name}\\@evil.example',
    '{name}/evil.example', '{name}#@evil.example', '{name}?evil.example', '{name} evil.example',
    '{name}\tevil.example', ' evil.example', '{name},evil.example', '{name};evil.example',
    '{name}:evil.example', '{name}:{port}.evil.example', '{name}:@evil.example', '{name}..evil.example',
    '.evil.example', 'evil.example.', '-evil.example', '_evil.example', '[evil.example]',
    '[::1]evil.example', '[::1].evil.example', '[::1]@evil.example', '[::ffff:evil.example]', '::1evil.example',
    'evil.example%00', '{name}%00.evil.example', '{name}%0d%0aX-Evil: evil.example', '%65vil.example',
    'evil%2eexample', '<script>evil.example</script>', '"evil.example', "'evil.example", '(evil.example)',
    '{{{{evil.example}}}}', '${{evil.example}}', 'evil.example|', 'evil.example\x7f', 'evil.example\xff',
    '\u0435vil.evil.example', 'xn--evil.evil.example', 'a' * 260 + '.evil.example',
    'evil.example:99999', 'evil.example:-1', 'evil.example:0x50', 'evil.example:{port}:{port}',
    '//evil.example', 'http://evil.example', 'https://evil.example/', 'file://evil.example',
    'javascript:evil.example', '127.0.0.1.evil.example', 'localhost.evil.example',
)


# What crawlers, balancers and Prometheus ask for by whatever name or address they know.
ANY_HOST = ('/robots.txt', '/healthz', '/metrics')


def _answer(site, lines):
    """Everything that comes back to these lines of a request."""
    text = ''.join(line + '\r\n' for line in lines) + 'Connection: close\r\n\r\n'
    with socket.create_connection(('127.0.0.1', site.port), 10) as s:
        s.sendall(text.encode('utf-8', 'surrogateescape'))
        data = b''
        while True:
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece


def _pages(site):
    """Every page that a GET reaches: captures are filled with what is not there."""
    for _, name in locations():
        for method, path, _, _ in _routes(site, name):
            if method == 'GET':
                yield path.replace('<id>', '1').replace('<text>', 'x').replace('<rest>', 'x')


def _clean(site, lines, what):
    data = _answer(site, lines)
    if EVIL.encode() in data.lower():
        raise AssertionError('%s comes back: %r' % (what, data[:400]))
    return int(data.split(b' ', 2)[1]) if data.startswith(b'HTTP/') else 0


def no_poisoned_host_comes_back(site):
    """Of every page, for the worst of them; of three pages, for all."""
    own = {'name': '127.0.0.1', 'port': site.port, 'host': '127.0.0.1:%d' % site.port}
    jar = '; '.join('%s=%s' % c for c in site.signed_in('admin').cookies.items())
    count = 0
    pages = list(_pages(site)) + ['/targets', '/nowhere', '/accounts/login']
    for number, template in enumerate(POISONED):
        host = template.format(**own)
        for path in pages if number < 6 else ('/', '/targets', '/accounts/login/?next=/targets/'):
            status = _clean(site, ['GET %s HTTP/1.1' % path, 'Host: ' + host, 'Cookie: ' + jar],
                            'Host: %r of %s' % (host, path))
            if status not in (0, 400) and path not in ANY_HOST:
                raise AssertionError('Host: %r of %s: %d' % (host, path, status))
            count += 1
    print('    %d values, %d requests' % (len(POISONED), count))


def no_other_header_names_the_site(site):
    headers = ['X-Forwarded-Host: evil.example', 'X-Forwarded-Server: evil.example',
               'X-Host: evil.example', 'X-Original-Host: evil.example', 'X-HTTP-Host-Override: evil.example',
               'Forwarded: host=evil.example;proto=https', 'X-Original-URL: //evil.example/',
               'X-Rewrite-URL: //evil.example/', 'Referer: https://evil.example/',
               'X-Forwarded-Proto: https', 'X-Forwarded-Prefix: //evil.example']
    jar = '; '.join('%s=%s' % c for c in site.signed_in('admin').cookies.items())
    for path in list(_pages(site)) + ['/targets', '/nowhere', '/accounts/login']:
        if path == '/admin/security/':
            continue  # the log says which hosts were refused
        status = _clean(site, ['GET %s HTTP/1.1' % path, 'Host: 127.0.0.1:%d' % site.port,
                               'Cookie: ' + jar, *headers], path)
        equal(status in range(200, 500), True, path)


def no_request_line_names_the_site(site):
    host = 'Host: 127.0.0.1:%d' % site.port
    for target in ('http://evil.example/targets', '//evil.example/targets', '//evil.example/%2e%2e',
                   '/\\evil.example/targets', '///evil.example', '/%2f%2fevil.example/targets',
                   '/.//evil.example/targets', '//evil.example:80/accounts/login'):
        data = _answer(site, ['GET %s HTTP/1.1' % target, host])
        head = data.split(b'\r\n\r\n')[0].lower()
        for line in head.split(b'\r\n'):
            if line.startswith(b'location:') and b'evil' in line.split(b'?')[0]:
                where = line[9:].strip()
                if where.startswith((b'//', b'/\\', b'http')):
                    raise AssertionError('%s leads to %r' % (target, where))
