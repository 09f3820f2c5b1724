"""
wire: requests as bytes, the same behind every web server and as plain CGI. What a web server refuses
by itself differs between them; what must not happen does not.
"""
import concurrent.futures
import os
import time

from harness.report import Skip, contains, equal, lacks, wait_for
from harness.wire import Wire, ask, head

FORM = 'application/x-www-form-urlencoded'

POISONED_HOSTS = [
    'user@evil.test', '127.0.0.1@evil.test', '127.0.0.1:80@evil.test', '127.0.0.1/evil.test',
    'evil.test#127.0.0.1', '127.0.0.1:80:evil.test', 'evil.test', 'evil.test:80',
    '127.0.0.1.evil.test', 'localhost.evil.test', '127.0.0.1:evil', '127.0.0.1 evil.test',
    '[::1]evil.test', 'evil.test\\127.0.0.1', '127.0.0.1,evil.test', 'evil%2etest', '.', '..evil.test',
    '<evil.test>', "evil.test'", 'evil.test"', '*', 'a' * 300 + '.evil.test',
]


def _status(answer):
    """The status; 0 for a connection that was closed without an answer, which is a refusal too."""
    return answer.status if answer else 0


def _refused(answer, *more):
    status = _status(answer)
    if status not in (0, 400, 404, 405, 411, 413, 414, 431, 501) + more:
        raise AssertionError('status %d, not a refusal' % status)


def _alive(site):
    equal(ask(site, head('GET', '/robots.txt')).status, 200, 'afterwards')


def robots_is_answered(site):
    got = ask(site, head('GET', '/robots.txt'))
    equal(got.status, 200)
    equal(got.header('content-type'), 'text/plain; charset=utf-8')
    contains(got.body.lower(), b'user-agent: *')


def head_answers_as_get_without_the_body(site):
    get = ask(site, head('GET', '/robots.txt'))
    got = ask(site, head('HEAD', '/robots.txt'), 'HEAD')
    equal(got.status, 200)
    for name in ('content-type', 'etag', 'last-modified', 'cache-control'):
        equal(got.header(name), get.header(name), name)
    with Wire(site.port) as wire:
        wire.send(head('HEAD', '/robots.txt') + head('GET', '/robots.txt', Connection='close'))
        wire.answer('HEAD')
        equal(wire.answer().body, get.body, 'what follows a HEAD')


def head_of_a_page_has_no_body(site):
    for path in ('/', '/accounts/login/', '/nowhere/'):
        with Wire(site.port) as wire:
            wire.send(head('HEAD', path, Connection='close'))
            equal(wire.answer('HEAD').status, 404 if 'nowhere' in path else 200, path)
            equal(wire.ended(), True, 'nothing follows the head of ' + path)


def a_connection_serves_many_requests(site):
    with Wire(site.port) as wire:
        for path in ('/robots.txt', '/', '/accounts/login/', '/nowhere/', '/targets/') * 4:
            wire.send(head('GET', path))
            equal(wire.answer().status, 404 if path == '/nowhere/' else 200, path)


def pipelined_requests_are_answered_in_order(site):
    with Wire(site.port) as wire:
        wire.send(head('GET', '/robots.txt') + head('GET', '/accounts/login/') +
                  head('GET', '/robots.txt', Connection='close'))
        contains(wire.answer().body, b'Disallow')
        contains(wire.answer().body, b'<html')
        contains(wire.answer().body, b'Disallow')


def http_1_0_is_answered_and_closed(site):
    with Wire(site.port) as wire:
        wire.send(head('GET', '/robots.txt', version='1.0'))
        equal(wire.answer().status, 200)
        equal(wire.ended(), True, 'the connection ends')


def a_request_without_host_gets_robots_only(site):
    equal(ask(site, head('GET', '/robots.txt', host=None, version='1.0')).status, 200)
    equal(ask(site, head('GET', '/', host=None, version='1.0')).status, 400)
    _refused(ask(site, head('GET', '/robots.txt', host=None)))


def two_hosts_are_refused(site):
    equal(ask(site, b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\r\n').status, 400)


def an_unknown_host_is_refused_and_not_echoed(site):
    for path in ('/', '/accounts/login/', '/targets/', '/admin/', '/nowhere', '/targets'):
        got = ask(site, head('GET', path, host='evil.test'))
        equal(got.status, 400, path)
        lacks(got.whole, b'evil.test')


def robots_answers_any_host_without_echo(site):
    got = ask(site, head('GET', '/robots.txt', host='evil.test'))
    equal(got.status, 200)
    lacks(got.whole, b'evil.test')


def poisoned_hosts_reach_no_page(site):
    for host in POISONED_HOSTS:
        for path in ('/', '/accounts/login/', '/targets'):
            got = ask(site, head('GET', path, host=host))
            _refused(got)
            if got:
                lacks(got.whole, b'evil')


def a_known_host_may_have_any_port_and_case(site):
    for host in ('127.0.0.1', '127.0.0.1:1', 'localhost:65535', 'LOCALHOST', 'localhost'):
        equal(ask(site, head('GET', '/', host=host)).status, 200, host)


def an_absolute_uri_brings_no_foreign_host_in(site):
    got = ask(site, head('GET', 'http://127.0.0.1/robots.txt'))
    equal(got.status, 200)
    for path in ('/', '/targets', '/accounts/login/?next=/x/'):
        got = ask(site, head('GET', 'http://evil.test' + path))
        if got:
            lacks(got.whole, b'evil.test')


def forwarded_headers_change_nothing(site):
    plain = ask(site, head('GET', '/accounts/login'))
    got = ask(site, head('GET', '/accounts/login', X_Forwarded_Host='evil.test',
                         X_Forwarded_Proto='https', Forwarded='host=evil.test;proto=https',
                         X_Host='evil.test', X_Original_URL='/admin/', X_Rewrite_URL='/admin/'))
    equal(got.status, plain.status)
    equal(got.header('location'), plain.header('location'))
    lacks(got.whole, b'evil.test')


def no_header_can_be_injected(site):
    for path in ('/%0d%0aX-Evil:%201', '/targets%0d%0aX-Evil:%201', '/accounts/login%0d%0aX-Evil:1',
                 '/accounts/login/?next=/%0d%0aX-Evil:%201', '/targets/name/a%0d%0aX-Evil:%201',
                 '/targets/name/a%0aX-Evil:%201', '/%0d%0a%0d%0a<html>'):
        got = ask(site, head('GET', path))
        if got:
            equal(got.header('x-evil'), None, path)
            lacks(got.head, b'<html>')
    _alive(site)


def no_path_redirects_off_the_site(site):
    for path in ('//evil.test', '//evil.test/', '//evil.test/targets', '/\\evil.test', '///evil.test',
                 '/%2fevil.test', '/%5cevil.test', '/targets//evil.test', '/accounts//evil.test',
                 '/.//evil.test', '/;@evil.test'):
        got = ask(site, head('GET', path))
        if got and got.header('location'):
            where = got.header('location')
            if where.startswith(('//', '/\\')) or 'evil.test' in where.split('/')[2:3]:
                raise AssertionError('%s leads to %s' % (path, where))


def a_missing_slash_is_added(site):
    for path in ('/targets', '/accounts/login', '/about'):
        got = ask(site, head('GET', path))
        equal(got.status, 301, path)
        where = got.header('location')
        equal(where.replace('http://127.0.0.1', ''), path + '/', path)
    got = ask(site, head('GET', '/targets?page=2&sort=name'))
    equal(got.header('location').replace('http://127.0.0.1', ''), '/targets/?page=2&sort=name')


def robots_has_one_path(site):
    for path in ('/robots.txt/', '/Robots.txt', '/x/robots.txt', '/robots.txtx', '/ROBOTS.TXT'):
        equal(ask(site, head('GET', path)).status, 404, path)


def other_methods_are_refused_with_what_is_allowed(site):
    for method in ('POST', 'PUT', 'DELETE', 'PATCH'):
        got = ask(site, head(method, '/robots.txt', Content_Length='0'), method)
        equal(got.status, 405, method)
        contains(got.header('allow'), 'GET, HEAD')
    got = ask(site, head('DELETE', '/targets/', Content_Length='0'))
    equal(got.status, 405)
    contains(got.header('allow'), 'GET')


def odd_methods_are_refused(site):
    for method in ('TRACE', 'CONNECT', 'BREW', 'get', 'GETT', 'PROPFIND', 'A' * 200):
        _refused(ask(site, head(method, '/robots.txt')))
        _refused(ask(site, head(method, '/')))
    _alive(site)


def odd_paths_are_refused_or_not_found(site):
    for path in ('/..', '/../', '/../../etc/passwd', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/x',
                 '/static/..%2f..%2f..%2fmeridian.conf', '/static/../../meridian.conf',
                 '/static/%2e%2e/%2e%2e/meridian.conf', '/static//etc/passwd', '/static/',
                 '/static/manifest/', '/targets/%00', '/%00', '/targets/name/%ff', '/%c0%af', '/%',
                 '/%zz', '/%u0041', '/targets/%2e%2e/', '/meridian-errors/413.html/x',
                 '/targets/9999999999999999999/', '/targets/0/', '/targets/-1/', '/targets/1e3/',
                 '/targets/1/../', '/.git/config', '/targets/01/', '/%E0%80%80'):
        got = ask(site, head('GET', path))
        if _status(got) not in (0, 200, 301, 302, 400, 403, 404):
            raise AssertionError('%s: %d' % (path, got.status))
        if _status(got) == 200 and b'<html' not in got.body:
            raise AssertionError('%s gives something away' % path)
        if got:
            lacks(got.body, b'DATABASE_URL', b'root:')
    _alive(site)


def bytes_that_are_no_text_are_refused(site):
    for path in ('/targets/name/%ff', '/%c0%af', '/%ed%a0%80'):
        _refused(ask(site, head('GET', path)))
    _refused(ask(site, b'GET /\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'))
    _refused(ask(site, b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: \x00\r\n\r\n'))
    _alive(site)


def long_paths_and_queries_do_no_harm(site):
    for n in (1000, 7000, 20000, 100000):
        for path in ('/' + 'a' * n, '/targets/?name=' + 'a' * n, '/targets/?' + 'a=1&' * (n // 4)):
            got = ask(site, head('GET', path))
            if _status(got) not in (0, 200, 400, 403, 404, 414, 431):  # 403: Apache's "too long"
                raise AssertionError('%d bytes: %d' % (n, got.status))
    _alive(site)


def large_and_many_headers_do_no_harm(site):
    _refused(ask(site, head('GET', '/', X_A='a' * 200000)))
    many = {'X_%d' % i: 'value' for i in range(90)}
    equal(ask(site, head('GET', '/', **many)).status, 200, '90 headers')
    got = ask(site, head('GET', '/', **{'X_%d' % i: 'value' for i in range(5000)}))
    if _status(got) not in (0, 200, 400, 431):
        raise AssertionError('5000 headers: %d' % got.status)
    _alive(site)


def a_proxy_header_does_not_matter(site):
    equal(ask(site, head('GET', '/', Proxy='http://127.0.0.1:1/')).status, 200)


def a_chunked_form_is_read_or_refused(site):
    body = b'username=ada&password=x'
    request = head('POST', '/accounts/login/', Content_Type=FORM, Transfer_Encoding='chunked')
    chunks = b''.join(b'1\r\n%c\r\n' % c for c in body) + b'0\r\n\r\n'
    got = ask(site, request + chunks)
    if got.status not in (403, 411, 400):  # 403: no token
        raise AssertionError('status %d' % got.status)
    _alive(site)


def length_and_chunks_together_smuggle_nothing(site):
    for extra in ('chunked', 'xchunked', 'chunked, identity', ' chunked', 'identity'):
        with Wire(site.port) as wire:
            wire.send(b'POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6\r\n'
                      b'Transfer-Encoding: ' + extra.encode() + b'\r\n\r\n0\r\n\r\nG'
                      b'GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
            first = wire.answer('POST')
            if _status(first) not in (0, 400, 403, 411, 501):
                raise AssertionError('%s: %d' % (extra, first.status))


def lengths_that_are_none_are_refused(site):
    for length in ('-1', '1x', '0x10', '1e3', '99999999999999999999', '', '+5', '5, 5'):
        with Wire(site.port, 5) as wire:
            wire.send(head('POST', '/accounts/login/', Content_Type=FORM, Content_Length=length) +
                      b'a=b&c')
            try:
                _refused(wire.answer('POST'), 403)
            except TimeoutError:
                raise AssertionError('Content-Length: %s waits for a body' % length) from None
    got = ask(site, b'POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n'
              b'Content-Length: 5\r\n\r\na=b&c')
    _refused(got)
    _alive(site)


def broken_chunks_are_refused(site):
    for chunks in (b'zz\r\nabc\r\n0\r\n\r\n', b'5\r\nab', b'ffffffffffffffff\r\na', b'3\r\nabcX\r\n'):
        with Wire(site.port, 5) as wire:
            wire.send(head('POST', '/accounts/login/', Content_Type=FORM,
                           Transfer_Encoding='chunked') + chunks)
            wire.socket.shutdown(1)
            _refused(wire.answer('POST'), 403, 408, *([500] if site.server == 'apache-fcgid' else []))
    _alive(site)


def a_body_that_ends_early_is_dropped(site):
    for n in (1, 100, 5000):
        with Wire(site.port) as wire:
            wire.send(head('POST', '/accounts/login/', Content_Type=FORM, Content_Length='10000') +
                      b'a' * n)
    _alive(site)


def a_form_above_the_limit_gets_413_of_the_site(site):
    body = b'username=' + b'a' * 3000000
    got = ask(site, head('POST', '/accounts/login/', Content_Type=FORM,
                         Content_Length=str(len(body)), Connection='close') + body)
    equal(got.status, 413)
    contains(got.body, b'<html')
    _alive(site)


def a_body_above_any_limit_is_refused_at_once(site):
    with Wire(site.port) as wire:
        wire.send(head('POST', '/targets/import/', Content_Type=FORM,
                       Content_Length=str(1 << 30)) + b'a=b')
        got = wire.answer('POST')
        equal(got.status, 413)
        contains(got.body, b'<html')
    _alive(site)


def a_body_where_none_belongs_is_refused_or_ignored(site):
    with Wire(site.port) as wire:
        wire.send(head('GET', '/robots.txt', Content_Length='5', Content_Type=FORM) + b'a=b&c')
        if wire.answer().status not in (200, 400, 413):
            raise AssertionError('a body of a GET')
    _alive(site)


def expect_continue_is_served(site):
    with Wire(site.port) as wire:
        wire.send(head('POST', '/accounts/login/', Content_Type=FORM, Content_Length='5',
                       Expect='100-continue'))
        time.sleep(0.1)
        wire.send(b'a=b&c')
        equal(wire.answer('POST').status, 403)


def a_slow_client_is_served(site):
    with Wire(site.port) as wire:
        wire.send_slowly(head('GET', '/robots.txt'))
        equal(wire.answer().status, 200)
        body = b'username=ada&password=x'
        wire.send_slowly(head('POST', '/accounts/login/', Content_Type=FORM,
                              Content_Length=str(len(body))) + body)
        equal(wire.answer('POST').status, 403)


def stalled_clients_hold_no_worker(site):
    stalled = []
    try:
        for i in range(24):
            wire = Wire(site.port)
            stalled.append(wire)
            if i % 3 == 0:
                wire.send(b'GET / HTTP/1.1\r\nHos')
            elif i % 3 == 1:
                wire.send(head('POST', '/accounts/login/', Content_Type=FORM,
                               Content_Length='100') + b'username=')
            else:
                wire.send(head('POST', '/accounts/login/', Content_Type=FORM,
                               Transfer_Encoding='chunked') + b'5\r\nab')
        time.sleep(0.2)
        began = time.monotonic()
        for path in ('/robots.txt', '/accounts/login/', '/', '/targets/'):
            equal(ask(site, head('GET', path)).status, 200, path)
        took = time.monotonic() - began
        if took > 3:  # also behind mod_proxy_fcgi, which hands on a body as it comes
            raise AssertionError('four pages took %.1f s' % took)
    finally:
        for wire in stalled:
            wire.close()


def a_reader_that_stalls_holds_no_worker(site):
    stalled = []
    try:
        for _ in range(8):
            wire = Wire(site.port)
            wire.socket.setsockopt(1, 8, 2048)  # SO_RCVBUF
            wire.send(head('GET', '/targets/') * 40)
            stalled.append(wire)
        time.sleep(0.3)
        began = time.monotonic()
        equal(ask(site, head('GET', '/targets/')).status, 200)
        if time.monotonic() - began > 3:
            raise AssertionError('a page took more than 3 s')
    finally:
        for wire in stalled:
            wire.close()


def repeated_headers_of_weight_are_refused(site):
    for name in ('Content-Type', 'Origin', 'Referer', 'Authorization', 'X-CSRFToken'):
        got = ask(site, ('POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n%s: a\r\n%s: b\r\n'
                         'Content-Length: 0\r\n\r\n' % (name, name)).encode())
        # Apache makes one "a, b" of two: of Authorization that is no token
        if got.status not in (400, 403, 415) and (name, got.status) != ('Authorization', 401):
            raise AssertionError('%s twice: %d' % (name, got.status))


def a_session_named_twice_is_no_session(site):
    if not hasattr(site, 'signed_in'):
        raise Skip('needs users')
    client = site.signed_in('ada')
    name, value = [(n, v) for n, v in client.cookies.items() if 'sid' in n][0]
    one = ask(site, head('GET', '/accounts/password/', Cookie='%s=%s' % (name, value)))
    equal(one.status, 200)
    for cookie in ('%s=%s; %s=%s' % (name, value, name, 'x'), '%s=x; %s=%s' % (name, name, value)):
        equal(ask(site, head('GET', '/accounts/password/', Cookie=cookie)).status, 302, cookie)
    two = ('GET /accounts/password/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: %s=x\r\nCookie: %s=%s\r\n'
           '\r\n' % (name, name, value)).encode()
    if ask(site, two).status not in (302, 400):
        raise AssertionError('two Cookie headers')


def odd_cookies_do_no_harm(site):
    for cookie in ('=', ';;;', 'sid', 'sid=', 'a=b' * 2000, 'sid=' + 'A' * 43, '\x80=\xff', 'a="b; c',
                   '__Host-sid=x; sid=y', 'csrftoken=<script>'):
        got = ask(site, head('GET', '/', Cookie=cookie))
        if got.status not in (200, 400):
            raise AssertionError('%r: %d' % (cookie, got.status))
        lacks(got.body, b'<script>alert', b'=<script>')


def a_range_is_ignored_or_right(site):
    whole = ask(site, head('GET', '/robots.txt')).body
    for value in ('bytes=0-3', 'bytes=-4', 'bytes=4-1', 'bytes=0-0,2-3', 'bytes=999999-', 'x=1'):
        got = ask(site, head('GET', '/robots.txt', Range=value))
        if got.status == 200:
            equal(got.body, whole, value)
        elif got.status not in (206, 416):
            raise AssertionError('%s: %d' % (value, got.status))


def conditions_are_answered_304(site):
    got = ask(site, head('GET', '/robots.txt'))
    tag = got.header('etag')
    for value in (tag, '*', '"x", ' + tag, 'W/' + tag):
        again = ask(site, head('GET', '/robots.txt', If_None_Match=value))
        equal(again.status, 304, value)
        equal(again.body, b'')
    equal(ask(site, head('GET', '/robots.txt', If_None_Match='"x"')).status, 200)
    equal(ask(site, head('GET', '/robots.txt', If_None_Match='"x"',
                         If_Modified_Since=got.header('last-modified'))).status, 200)
    equal(ask(site, head('GET', '/robots.txt',
                         If_Modified_Since=got.header('last-modified'))).status, 304)


def every_page_has_the_security_headers(site):
    for path in ('/', '/about/', '/accounts/login/', '/targets/', '/nowhere/', '/targets/999999/'):
        got = ask(site, head('GET', path))
        policy = got.header('content-security-policy') or ''
        contains(policy, "default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'",
                 "form-action 'self'")
        lacks(policy, 'unsafe')
        equal(got.header('x-content-type-options'), 'nosniff', path)
        equal(got.header('referrer-policy'), 'same-origin', path)
        equal(got.header('cross-origin-opener-policy'), 'same-origin', path)
        equal(got.header('cross-origin-resource-policy'), 'same-origin', path)
        equal(got.header('x-frame-options'), 'DENY', path)
        for name in ('content-type', 'content-security-policy', 'x-frame-options', 'cache-control'):
            equal(len(got.all(name)), 1, '%s of %s' % (name, path))
        contains(got.header('content-type'), 'text/html; charset=utf-8')


def no_version_is_told(site):
    for path in ('/', '/robots.txt', '/nowhere/', '/static/nothing.css'):
        got = ask(site, head('GET', path))
        for name in ('server', 'x-powered-by', 'via'):
            value = got.header(name) or ''
            if any(c.isdigit() for c in value):
                raise AssertionError('%s: %s' % (name, value))
        lacks(got.body, b'nginx/', b'Apache/')


def an_error_page_quotes_its_request(site):
    got = ask(site, head('GET', '/nowhere/'))
    equal(got.status, 404)
    contains(got.body, b'<h1', b'</html>')
    if site.server in ('nginx', 'apache-proxy'):
        wait_for(lambda: any((line.get('request') or '-').encode() in got.body
                             for line in site.log_lines('home')), 3, 'a log line with the page\'s id')


def static_files_are_served_for_ever(site):
    with open(os.path.join(site.workshop.share, 'static/manifest')) as f:
        names = [line.split()[1] for line in f]
    if not names:
        raise AssertionError('the manifest names nothing')
    for name in names:
        got = ask(site, head('GET', '/static/' + name))
        equal(got.status, 200, name)
        contains(got.header('cache-control'), 'immutable')
        equal(got.header('x-content-type-options'), 'nosniff', name)
        if name.endswith('.css'):
            contains(got.header('content-type'), 'text/css')
        if name.endswith('.js'):
            contains(got.header('content-type'), 'javascript')
        got = ask(site, head('HEAD', '/static/' + name), 'HEAD')
        equal(got.status, 200, name)
        _refused(ask(site, head('POST', '/static/' + name, Content_Length='0')), 403)
    for path in ('/static/', '/static', '/static/nothing.css', '/static/style.css'):
        got = ask(site, head('GET', path))
        if got.status not in (301, 403, 404):
            raise AssertionError('%s: %d' % (path, got.status))
        lacks(got.body, b'manifest')


def pages_name_only_files_that_are_there(site):
    page = ask(site, head('GET', '/accounts/login/')).body.decode()
    import re
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    if not links:
        raise AssertionError('the page has no style sheet')
    for link in links:
        equal(ask(site, head('GET', link)).status, 200, link)


def many_clients_at_once_are_served(site):
    def some(_):
        with Wire(site.port, 30) as wire:
            for path in ('/robots.txt', '/', '/targets/', '/accounts/login/') * 5:
                wire.send(head('GET', path))
                equal(wire.answer().status, 200, path)
    clients = 4 if site.server == 'apache-cgi' else 16
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(some, range(clients)))
