"""metrics: what programs that watch a TOM are told, and who is told nothing."""
import os
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
    # passed on by a proxy that nobody said to trust
    for name, value in (('X-Forwarded-For', '127.0.0.1'), ('Forwarded', 'for=198.51.100.7'),
                        ('X-Real-IP', '198.51.100.7'), ('Via', '1.1 gate')):
        equal(site.visitor().get('/metrics', {name: value}).status, 404, name)
    # the streams and their letters; nobody is asked who they are
    equal(_statements(site, 'metrics', site.signed_in('ada'), '/metrics'), 2)


def a_daemon_that_fell_silent_has_no_rate(site):
    _say(site, 'silent', heartbeat=int((time.time() - 60) * 1e6), behind=17)
    text = site.visitor().get('/metrics').text
    contains(text, '\nmeridian_stream_messages_total{stream="silent"', 'heartbeat_timestamp_seconds{stream="silent"')
    lacks(text, 'per_second{stream="silent"', 'behind_messages{stream="silent"')


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
        for headers, want in (({}, 404), ({'X-Forwarded-For': '192.0.2.7'}, 200),
                              ({'X-Forwarded-For': '192.0.3.7'}, 404),
                              ({'X-Forwarded-For': '192.0.2.7, 198.51.100.1'}, 404),
                              ({'Authorization': 'Bearer a token of some length'}, 200),
                              ({'Authorization': 'Bearer a token of some lengtH'}, 404),
                              ({'Authorization': 'Bearer '}, 404), ({'Authorization': 'Token x'}, 404)):
            equal(visitor.get('/metrics', headers).status, want, str(headers))
        equal(visitor.get('/healthz').status, 200)


def health_is_that_of_the_database(site):
    with site.variant() as own:
        for host in (None, 'anything.example'):
            answer = own.visitor(host).get('/healthz')
            equal((answer.status, answer.text), (200, 'ok\n'))
            equal(answer.header('Set-Cookie'), '')
        own.sql("UPDATE schema_migration SET checksum = 'another'")
        wait_for(lambda: own.visitor().get('/healthz').status == 503, 5, 'the word of it')
        equal(own.visitor().get('/healthz').text, 'away\n')
