"""
/alerts/: how the streams fare, and their dead letters.
"""
import os
import re
import shutil
import subprocess
import time

from harness.report import contains, equal, lacks, needs, wait_for
from test_home import _statements
from test_stream import _ends, _make, _stream


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


def _bury(site, stream, n=1, bytes_="x'00'"):
    """Dead letters; the ids of all of the stream's."""
    if site.database == 'postgresql' and bytes_ != 'NULL':
        bytes_ = "'\\x00'"
    first = int(site.one("SELECT COALESCE(MAX(place), 0) + 1 FROM dead_letter WHERE stream = '%s'" % stream))
    for place in range(first, first + n):
        site.sql("INSERT INTO dead_letter (stream, topic, part, place, received, reason, size, bytes) VALUES "
                 "('%s', 'ztf_20261127', 3, %d, %d, 'no schema <i>%d</i>', 5000000, %s)" %
                 (stream, place, time.time() * 1e6, place, bytes_))
    return [row[0] for row in site.sql(
        "SELECT id FROM dead_letter WHERE stream = '%s' ORDER BY id" % stream)]


def _act(client, letter, verb):
    return client.post('/alerts/letters/%s/%s/' % (letter, verb), {}, page='/accounts/password/')


def dead_letters_are_for_staff(site):
    letter, = _bury(site, 'for-staff')
    ada, staff = site.signed_in('ada'), site.signed_in('staff')
    link = '/alerts/streams/for-staff/letters/'
    contains(ada.get('/alerts/streams/').words, '1 dead letter')
    lacks(ada.get('/alerts/streams/').text, link)
    contains(staff.get('/alerts/streams/').text, link)
    equal(ada.get(link).status, 403)
    equal(_act(ada, letter, 'dismiss').status, 403)
    page = staff.get(link)
    contains(page.text, 'no schema &lt;i&gt;1&lt;/i&gt;')
    contains(page.words, 'ztf_20261127', 'part 3, place 1', '5,000,000', 'waits')


def a_dead_letter_is_asked_for_and_dismissed(site):
    first, second = _bury(site, 'asked', 2)
    long = _bury(site, 'asked', 1, 'NULL')[-1]
    staff = site.signed_in('staff')
    link = '/alerts/streams/asked/letters/'
    equal(_act(staff, first, 'replay').location.endswith(link), True)
    contains(staff.get(link).words, 'asked for 20', 'too long to be kept')
    equal(_act(staff, long, 'replay').status, 409)
    lacks(staff.get(link).text, '/alerts/letters/%s/replay/' % first, '/alerts/letters/%s/replay/' % long)
    equal(_act(staff, second, 'dismiss').status, 302)
    lacks(staff.get(link).words, 'place 2')
    contains(staff.get(link + '?settled=1').words, 'place 2', 'dismissed 20')
    _act(staff, second, 'replay')
    contains(staff.get(link).words, 'taken or dismissed meanwhile')
    equal(site.sql("SELECT id FROM dead_letter WHERE stream = 'asked' AND asked IS NOT NULL"), [(first,)])
    equal(_act(staff, 999999999, 'replay').status, 404)
    contains(site.logged('alerts'), 'a dead letter was dismissed')


def dead_letters_are_walked_and_asked_for_all_at_once(site):
    ids = _bury(site, 'walked', 53)
    staff = site.signed_in('staff')
    link = '/alerts/streams/walked/letters/'
    page = staff.get(link)
    equal(len(re.findall('/dismiss/"', page.text)), 50)
    after = [one for one in page.links if 'before=' in one][0]
    equal(len(re.findall('/dismiss/"', staff.get(link + after).text)), 3)
    answer = staff.submit(link, form='/alerts/streams/walked/replay/')
    contains(staff.follow(answer).words, 'Asked for 53.')
    equal(int(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'walked' AND asked > 0")), len(ids))
    contains(staff.follow(staff.post('/alerts/streams/walked/replay/', {}, page=link)).words, 'There is none')


@needs('nginx')
def the_daemon_tries_what_was_asked_for(site):
    staff = site.signed_in('staff')
    with _stream(site, 'again') as s:
        s.configure(watch='no')
        _make(site, s.folder + '/packets', 620, '--count', '3', '--objects', '3', '--framed', '--schema', 'lsst')
        for name in os.listdir(s.folder + '/packets'):
            shutil.copy(s.folder + '/packets/' + name, s.inbox + '/' + name.split('.')[0] + '.avro')
        equal(s.start().wait(20), 0, s.log())
        letters = [row[0] for row in site.sql("SELECT id FROM dead_letter WHERE stream = 'again'")]
        equal(len(letters), 3)
        site.sql("UPDATE dead_letter SET reason = 'of long ago' WHERE stream = 'again'")
        equal(_act(staff, letters[0], 'replay').status, 302)
        s.configure()
        daemon = s.start()
        wait_for(lambda: site.one("SELECT tried FROM dead_letter WHERE id = %s" % letters[0]), 10, 'a try')
        page = staff.get('/alerts/streams/again/letters/').words
        contains(page, 'tried again 20')
        equal(page.count('of long ago'), 2)
        _ends(daemon)
        os.mkdir(s.folder + '/schemas')
        with open(s.folder + '/schemas/900.avsc', 'w') as f:
            subprocess.run([site.workshop.build + '/tests/tools/make-alerts', '--print-schema', '--schema',
                            'lsst'], check=True, stdout=f)
        s.configure(schemas=s.folder + '/schemas')
        equal(staff.post('/alerts/streams/again/replay/', {}, page='/accounts/password/').status, 302)
        daemon = s.start()
        wait_for(lambda: site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'again' AND waits = 1") == '0',
                 10, 'all letters')
        equal(s.count(), 3)
        contains(staff.get('/alerts/streams/again/letters/?settled=1').words, 'taken 20')
        _ends(daemon)


def a_page_costs_a_fixed_number_of_statements(site):
    # who asks; what daemons say, dead letters
    equal(_statements(site, 'alerts', site.signed_in('ada'), '/alerts/streams/'), 3)
    # who asks; the letters
    equal(_statements(site, 'alerts', site.signed_in('staff'), '/alerts/streams/walked/letters/'), 2)
