"""
/alerts/: how the streams fare.
"""
import time

from harness.report import contains, equal, lacks
from test_home import _statements


def _say(site, stream, **more):
    """A daemon's line of stream_state."""
    now = int(time.time() * 1e6)
    row = {'stream': stream, 'host': 'ingest7.example.org', 'pid': 4711, 'started': now - 7200 * 10**6,
           'heartbeat': now, 'messages': 123456, 'alerts': 120000, 'new_targets': 321, 'new_points': 98765,
           'dead': 2, 'rate': 256.25, **more}
    site.sql("DELETE FROM stream_state WHERE stream = '%s'" % stream)
    site.sql('INSERT INTO stream_state (%s) VALUES (%s)' % (
        ', '.join(row), ', '.join("'%s'" % v for v in row.values())))
    return now


def streams_are_for_who_is_signed_in(site):
    ada, visitor = site.signed_in('ada'), site.visitor()
    equal(visitor.get('/alerts/streams/').status, 302)
    lacks(visitor.get('/targets/').text, '/alerts/')
    contains(ada.get('/targets/').text, 'href="/alerts/"')
    equal(ada.get('/alerts/').location.endswith('/alerts/streams/'), True)


def a_stream_tells_its_rate_lag_and_counts(site):
    now = _say(site, 'fares-well', behind=17)
    site.sql("UPDATE stream_state SET last_packet = %d WHERE stream = 'fares-well'" % (now - 5 * 10**6))
    words = site.signed_in('ada').get('/alerts/streams/').words
    contains(words, 'fares-well', 'Runs', '256.3', '17', '123,456', '120,000', '98,765', 'began 2 hours ago',
             'seconds ago')
    lacks(words, 'ingest7.example.org')
    contains(site.signed_in('staff').get('/alerts/streams/').words, 'ingest7.example.org, process 4711')


def a_daemon_that_fell_silent_is_not_heard_of(site):
    now = int(time.time() * 1e6)
    _say(site, 'fell-silent', heartbeat=now - 3 * 3600 * 10**6)
    contains(site.signed_in('ada').get('/alerts/streams/').words, 'Not heard of',
             'not heard of since 3 hours ago')


def what_a_stream_waits_for_is_told_to_staff(site):
    why = 'broker3.example.org:9092: <b>refused</b>'
    _say(site, 'waits', error=why, error_at=int(time.time() * 1e6))
    words = site.signed_in('ada').get('/alerts/streams/').words
    contains(words, 'It waits since', 'Staff see why')
    lacks(words, 'broker3')
    contains(site.signed_in('staff').get('/alerts/streams/').text, 'broker3.example.org:9092: &lt;b&gt;')


def a_site_without_streams_says_what_to_do_and_shows_those_of_its_configuration(site):
    with site.variant() as own:
        staff = own.signed_in('staff')
        contains(staff.get('/alerts/streams/').words, 'No streams yet', '[stream NAME]',
                 'meridian-ingest check')
        with open(own.config, 'a') as f:
            f.write('\n[stream not-begun]\nsource = files\npath = /nowhere\n')
        own.stop_handler('alerts')
        own.start_handler('alerts')
        contains(staff.get('/alerts/streams/').words, 'not-begun files', 'No daemon serves it now',
                 'meridian-ingest check not-begun')


def a_page_costs_a_fixed_number_of_statements(site):
    # who asks; what daemons say, dead letters
    equal(_statements(site, 'alerts', site.signed_in('ada'), '/alerts/streams/'), 3)
