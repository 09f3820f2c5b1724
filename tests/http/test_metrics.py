"""metrics: what programs that watch a TOM are told, and who is told nothing."""
import os
import re
import signal
import subprocess
import time

from harness import process
from harness.report import contains, equal, lacks, needs, wait_for
from test_alerts import _bury, _say
from test_home import _statements


def streams_are_told_in_the_format_of_prometheus(site):
    now = _say(site, 'watched', host='a"b\\\\c' if site.database == 'mariadb' else 'a"b\\c', behind=17)
    site.sql("UPDATE stream_state SET last_packet = %d WHERE stream = 'watched'" % (now - 5 * 10**6))
    _bury(site, 'watched', 3)
    answer = site.visitor().get('/metrics')
    equal((answer.status, answer.header('Content-Type')), (200, 'text/plain; version=0.0.4; charset=utf-8'))
    mine = '{stream="watched",host="a\\"b\\\\c",pid="4711"} '
    contains(answer.text, '# TYPE meridian_stream_messages_total counter\n',
             '\nmeridian_stream_messages_total%s123456\n' % mine,
             '\nmeridian_stream_messages_per_second%s256.25\n' % mine,
             '\nmeridian_stream_behind_messages%s17\n' % mine,
             '\nmeridian_stream_last_packet_timestamp_seconds%s%.6f\n' % (mine, (now - 5 * 10**6) / 1e6),
             '\nmeridian_dead_letters{stream="watched"} 3\n')
    lacks(answer.text, 'last_error_timestamp_seconds' + mine)
    equal(_number(_parsed(answer.text), 'meridian_workers', 'metrics') > 0, site.server != 'apache-cgi')
    # passed on by a proxy that nobody said to trust
    for name, value in (('X-Forwarded-For', '127.0.0.1'), ('Forwarded', 'for=198.51.100.7'),
                        ('X-Real-IP', '198.51.100.7'), ('Via', '1.1 gate')):
        answer = site.visitor().get('/metrics', {name: value})
        equal(answer.status, 403, name)
        contains(answer.text, 'TRUSTED_PROXIES', 'meridian.conf(5)')
    # the streams and their letters; nobody is asked who they are
    equal(_statements(site, 'metrics', site.signed_in('ada'), '/metrics'), 2)


def a_daemon_that_fell_silent_has_no_rate(site):
    _say(site, 'silent', heartbeat=int((time.time() - 60) * 1e6), behind=17)
    text = site.visitor().get('/metrics').text
    contains(text, '\nmeridian_stream_messages_total{stream="silent"', 'heartbeat_timestamp_seconds{stream="silent"')
    lacks(text, 'per_second{stream="silent"', 'behind_messages{stream="silent"')


def _as_cgi(site, path, TRUSTED_PROXIES, **headers):
    """The status that metrics answers with, run as CGI for an address of this machine."""
    env = site.environment(MERIDIAN_TRUSTED_PROXIES=TRUSTED_PROXIES, REQUEST_METHOD='GET', SCRIPT_NAME='',
                           PATH_INFO=path, HTTP_HOST='127.0.0.1', REMOTE_ADDR='127.0.0.1', QUERY_STRING='')
    env.update({'HTTP_' + name.upper().replace('-', '_'): value for name, value in headers.items()})
    done = subprocess.run([os.path.join(site.workshop.libexec, 'metrics')], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **process.as_user())
    found = re.match(r'Status: (\d+)', done.stdout)
    return int(found.group(1)) if found else 200


@needs('nginx')
def metrics_are_not_there_for_the_world(site):
    token = os.path.join(site.directory, 'metrics-token')
    with open(token, 'w') as f:
        f.write('a token of some length\n')
    os.chmod(token, 0o600)
    if os.getuid() == 0:
        process.give_to(process.unprivileged(), token)
    with site.variant(METRICS_FROM='192.0.2.0/24', METRICS_TOKEN_FILE=token, TRUSTED_PROXIES='127.0.0.1') as own:
        visitor = own.visitor()
        for headers, want in (({'X-Forwarded-For': '192.0.2.7'}, 200),
                              ({'X-Forwarded-For': '192.0.3.7'}, 404),
                              ({'X-Forwarded-For': '192.0.2.7, 198.51.100.1'}, 404),
                              # the proxy names nobody, or nobody whom we can read
                              ({}, 403), ({'X-Forwarded-For': '192.0.2.7, unknown'}, 403),
                              ({'X-Forwarded-For': '192.0.2.7,'}, 403), ({'X-Real-IP': '192.0.2.7'}, 403),
                              ({'X-Forwarded-For': '127.0.0.1'}, 403),
                              ({'Authorization': 'Bearer a token of some length'}, 200),
                              ({'Authorization': 'Bearer a token of some lengtH'}, 403),
                              ({'Authorization': 'Bearer '}, 403), ({'Authorization': 'Token x'}, 403)):
            equal(visitor.get('/metrics', headers).status, want, str(headers))
        equal(visitor.get('/healthz').status, 200)
    # this machine's own address, and a proxy on it that is trusted; one that is not
    for proxies, headers, want in (('127.0.0.1', {}, 403), ('127.0.0.1', {'X-Forwarded-For': 'unknown'}, 403),
                                   ('192.0.2.9', {}, 200), ('192.0.2.9', {'X-Forwarded-For': '127.0.0.1'}, 403)):
        equal(_as_cgi(site, '/metrics', TRUSTED_PROXIES=proxies, **headers), want, '%s %s' % (proxies, headers))


def _parsed(text):
    """
    The series of an exposition, read strictly: {(name, labels): number}. Each metric has its HELP, then its
    TYPE, once; its samples stand together; no series stands twice; a histogram is one.
    """
    kinds, series, ended, name = {}, {}, set(), None
    if not text.endswith('\n'):
        raise AssertionError('no line end at the end')
    lines = text[:-1].split('\n')
    for i, line in enumerate(lines):
        if line.startswith('# HELP '):
            ended.add(name)
            name, _, told = line[len('# HELP '):].partition(' ')
            equal((re.fullmatch('[a-z_]+', name) is not None, told != '', name in kinds), (True, True, False), line)
            kind = re.fullmatch('# TYPE %s (counter|gauge|histogram)' % name, lines[i + 1])
            kinds[name] = kind.group(1)
            equal(name.endswith('_total'), kinds[name] == 'counter' and not name.endswith('_seconds'), line)
        elif not line.startswith('# TYPE '):
            m = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (-?[0-9.e+-]+)', line)
            if m is None:
                raise AssertionError('no sample: ' + line)
            base = re.sub('_(bucket|sum|count)$', '', m.group(1)) if kinds.get(name) == 'histogram' else m.group(1)
            equal(base, name, line)
            labels = tuple(sorted(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', m.group(2) or '')))
            equal((m.group(1), labels) in series, False, line)
            equal(kinds[name] == 'counter' and float(m.group(3)) < 0, False, line)
            series[m.group(1), labels] = float(m.group(3))
    for name in [n for n, kind in kinds.items() if kind == 'histogram']:
        buckets = {}
        for (found, labels), n in series.items():
            if found == name + '_bucket':
                rest = tuple(x for x in labels if x[0] != 'le')
                buckets.setdefault(rest, []).append((float(dict(labels)['le']), n))
        for rest, of in buckets.items():
            equal(of, sorted(of), name)
            equal([n for _, n in of], sorted(n for _, n in of), name)
            equal((of[-1][0], of[-1][1]), (float('inf'), series[name + '_count', rest]), name)
            equal((name + '_sum', rest) in series, True)
    return series


def _metrics(own):
    return _parsed(own.visitor().get('/metrics').text)


def _number(series, name, program, **labels):
    return series.get((name, tuple(sorted(dict(labels, program=program).items()))), 0)


@needs('nginx')
def handlers_count_each_request_once_also_when_a_worker_is_killed(site):
    with site.variant() as own:
        visitor, total = own.visitor(), 'meridian_http_requests_total'
        before = _metrics(own)
        asked = [('GET', '/about/', 200, '2xx')] * 7 + [('GET', '/none/', 404, '4xx')] * 2
        for method, path, status, _ in asked:
            equal(visitor.get(path).status, status)
        equal(own.visitor('elsewhere.example').get('/about/').status, 400)
        equal(visitor.post('/accounts/login/', {'username': 'ada'}, token=False).status, 403)

        def grew(program, **labels):
            return _number(_metrics(own), total, program, **labels) - _number(before, total, program, **labels)
        wait_for(lambda: grew('home', method='GET', status='4xx') == 3, 5, 'the last of them')
        equal([grew('home', method='GET', status=s) for s in ('1xx', '2xx', '3xx', '4xx', '5xx')], [0, 7, 0, 3, 0])
        wait_for(lambda: grew('login', method='POST', status='4xx') == 1, 5, 'the form')
        now = _metrics(own)
        equal(_number(now, 'meridian_http_request_duration_seconds_count', 'home') -
              _number(before, 'meridian_http_request_duration_seconds_count', 'home'), 10)
        for program, reason, want in (('home', 'host', 1), ('login', 'csrf', 1), ('login', 'throttle', 0)):
            equal(_number(now, 'meridian_http_refused_total', program, reason=reason), want, reason)
        for program in site.workshop.executables():
            equal(_number(now, 'meridian_workers', program), 2, program)
            equal(_number(now, 'meridian_worker_starts_total', program), 2, program)
            equal(_number(now, 'meridian_worker_deaths_total', program), 0, program)
        # one; the other worker may just be done with the one before
        wait_for(lambda: _number(_metrics(own), 'meridian_http_requests_in_flight', 'metrics') == 1, 5, 'itself')
        equal(_number(now, 'meridian_http_requests_in_flight', 'home'), 0)
        equal(now['meridian_database_up', ()], 1)
        # one is killed: what it counted stays
        os.kill(own.handler_workers('home')[0], signal.SIGKILL)
        wait_for(lambda: _number(_metrics(own), 'meridian_worker_starts_total', 'home') == 3, 10, 'another worker')
        now = _metrics(own)
        equal((_number(now, 'meridian_workers', 'home'), _number(now, 'meridian_worker_deaths_total', 'home')), (2, 1))
        equal(grew('home', method='GET', status='2xx'), 7)
        equal(visitor.get('/about/').status, 200)
        wait_for(lambda: grew('home', method='GET', status='2xx') == 8, 5, 'one more')
        # the executable is started again
        own.stop_handler('home')
        own.start_handler('home')
        equal(visitor.get('/about/').status, 200)
        wait_for(lambda: grew('home', method='GET', status='2xx') == 9, 5, 'one more')
        equal(_number(_metrics(own), 'meridian_worker_deaths_total', 'home'), 1)


@needs('nginx', 'sqlite')
def no_request_fails_where_nothing_can_be_counted(site):
    with site.variant() as own:
        own.stop_handler('home')
        path = os.path.join(own.run, 'metrics', 'home')
        os.unlink(path)
        os.mkdir(path, 0o755)
        own.start_handler('home')
        equal(own.visitor().get('/about/').status, 200)
        told = [line for line in own.log_lines('home') if line['event'] == 'nothing is counted for /metrics']
        equal(len(told), 2, 'once a worker')
        equal(_number(_metrics(own), 'meridian_workers', 'home'), 0)
        equal(_number(_metrics(own), 'meridian_workers', 'login'), 2)


@needs('nginx')
def health_costs_the_database_a_question_a_second(site):
    began = time.monotonic()
    before = len(_health(site))
    for _ in range(40):
        equal(site.visitor().get('/healthz').status, 200)
    wait_for(lambda: len(_health(site)) >= before + 40, 5, 'the lines')
    asked = [n for n in _health(site)[before:before + 40] if n > 0]
    most = site.workers * (1 + int(time.monotonic() - began + 1))
    equal(0 < len(asked) <= most, True, '%d of 40, %d at most' % (len(asked), most))


def _health(site):
    return [line['statements'] for line in site.log_lines('metrics') if line.get('route') == '/healthz']


def health_is_that_of_the_database(site):
    with site.variant() as own:
        for host in (None, 'anything.example'):
            answer = own.visitor(host).get('/healthz')
            equal((answer.status, answer.text), (200, 'ok\n'))
            equal(answer.header('Set-Cookie'), '')
        own.sql("UPDATE schema_migration SET checksum = 'another'")
        wait_for(lambda: own.visitor().get('/healthz').status == 503, 5, 'the word of it')
        equal(own.visitor().get('/healthz').text, 'away\n')
