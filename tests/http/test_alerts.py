"""
/alerts/: how the streams fare, their dead letters, and the objects that they brought.
"""
import os
import re
import shutil
import subprocess
import time

from harness.report import contains, equal, lacks, needs, wait_for
from harness.stream import audience, ends, make, stream
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
    equal(visitor.get('/alerts/objects/').status, 302)


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
             'last heard of 3 hours ago')


def what_a_stream_waits_for_is_told_to_staff(site):
    why = 'broker3.example.org:9092: <b>refused</b>'
    _say(site, 'waits', error=why, error_at=int(time.time() * 1e6))
    words = site.signed_in('ada').get('/alerts/streams/').words
    contains(words, 'It waits.', 'Staff see why')
    lacks(words, 'broker3')
    contains(site.signed_in('staff').get('/alerts/streams/').text, 'broker3.example.org:9092: &lt;b&gt;')


def a_site_without_streams_says_what_to_do_and_shows_those_of_its_configuration(site):
    with site.variant() as own:
        staff = own.signed_in('staff')
        equal(staff.get('/alerts/').location.endswith('/alerts/streams/'), True)
        contains(staff.get('/alerts/objects/').words, 'No objects yet')
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
    with stream(site, 'again') as s:
        s.configure(watch='no')
        make(site, s.folder + '/packets', 620, '--count', '3', '--objects', '3', '--framed', '--schema', 'lsst')
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
        ends(daemon)
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
        ends(daemon)


def _objects(site, survey, rows):
    """Objects of a survey: names with what is not as usual; newer ones last."""
    columns = ('survey', 'name', 'sight', 'ra', 'dec', 'first_mjd', 'last_mjd', 'alerts', 'detections', 'target_id', 'note',
               'created', 'modified')
    values, everybody = [], audience(site, 1)
    for name, more in rows:
        row = {'sight': everybody, 'ra': 10, 'dec': 20, 'first_mjd': 60000.25, 'last_mjd': 60001.5, 'alerts': 2, 'detections': 3,
               'target_id': None, 'note': '', 'created': int(time.time() * 1e6), 'modified': 1,
               **more}
        row.update(survey=survey, name=name)
        values.append('(%s)' % ', '.join(
            'NULL' if row[c] is None else "'%s'" % row[c] if isinstance(row[c], str) else repr(row[c])
            for c in columns))
    names = ', '.join(columns).replace('dec,', '"dec",')
    site.sql('INSERT INTO survey_object (%s) VALUES %s' % (names, ', '.join(values)))


def _names(page):
    return re.findall(r'class="name" href="[^"]*">([^<]*)</a>', page.text)


def _next(page):
    found = re.search(r'href="([^"]*)" rel="next"', page.text)
    return found and found.group(1).replace('&amp;', '&')


def objects_are_walked_the_newest_first(site):
    _objects(site, 'Walk', [('w%03d' % i, {}) for i in range(120)])
    ada = site.signed_in('ada')
    equal(ada.get('/alerts/').location.endswith('/alerts/objects/'), True)
    page, met = ada.get('/alerts/objects/?survey=Walk'), []
    while True:
        met += _names(page)
        if _next(page) is None:
            break
        page = ada.get('/alerts/objects/' + _next(page))
    equal(met, ['w%03d' % i for i in reversed(range(120))])
    contains(ada.get('/alerts/objects/').words, 'w119', '2023-02-25 06:00')


def objects_are_found_by_the_beginning_of_their_name(site):
    _objects(site, 'Named', [(n, {}) for n in ('ZTF2', 'ZTF1b', 'ztf1', 'ZTF1a', 'ZTF1', '%x', 'Z_F')])
    _objects(site, 'Named too', [('ZTF1c', {})])
    ada = site.signed_in('ada')
    for name, want in (('ZTF1', ['ZTF1', 'ZTF1a', 'ZTF1b', 'ZTF1c']), ('Z_', ['Z_F']), ('%', ['%x']),
                       ('ztf', ['ztf1']), ('none', [])):
        equal([n for n in _names(ada.get('/alerts/objects/?name=' + name.replace('%', '%25')))], want, name)
    equal(_names(ada.get('/alerts/objects/?survey=Named+too&name=ZTF')), ['ZTF1c'])
    _objects(site, 'Many', [('M%03d' % i, {}) for i in range(60)])
    page = ada.get('/alerts/objects/?name=M')
    equal(_names(page) + _names(ada.get('/alerts/objects/' + _next(page))), ['M%03d' % i for i in range(60)])
    # a key is of its list and its user, and tells nothing
    lacks(_next(page), 'M049')
    stolen = _next(page).replace('name=M&', '')
    equal(_names(ada.get('/alerts/objects/' + stolen)), _names(ada.get('/alerts/objects/')))
    equal(_names(site.signed_in('staff').get('/alerts/objects/' + _next(page)))[0], 'M000')


def objects_are_found_about_a_position(site):
    places = {'zero': (0.0001, 30), 'turn': (359.9999, 30), 'pole': (77, 89.9999), 'apole': (257, 89.9999),
              'south': (200, -90), 'edge': (45.25, -0.0001), 'over': (45.2499, 0.0001), 'far': (45.3, 0)}
    _objects(site, 'Sky', [(n, {'ra': ra, 'dec': dec}) for n, (ra, dec) in places.items()])
    ada = site.signed_in('ada')
    for cone, radius, want in (('0 30', 2, 'turn zero'), ('359.9999 30', 0.1, 'turn'), ('0 90', 1, 'apole pole'),
                               ('10 -89.9999', 1, 'south'), ('45.25 0', 1, 'edge over'),
                               ('45.25 0', 180, 'edge over far'), ('120 5', 3600, '')):
        page = ada.get('/alerts/objects/?survey=Sky&cone=%s&radius=%s' % (cone.replace(' ', '+'), radius))
        equal(sorted(_names(page)), sorted(want.split()), cone)
    for query, why in (('cone=nowhere', 'Give a position'), ('cone=1+1&radius=4000', 'up to 3600'),
                       ('cone=1+1&name=x', 'not both'), ('cone=1+100', 'Dec')):
        page = ada.get('/alerts/objects/?' + query)
        equal(page.status, 400, query)
        contains(page.words, why)


def _target(client, name, permissions):
    answer = client.submit('/targets/create/', {'name': name, 'ra': '10', 'dec': '20', 'permissions': permissions})
    return int(answer.location.rstrip('/').split('/')[-1])


def an_object_of_a_target_that_one_may_not_see_is_not_there(site):
    admin, ada = site.signed_in('admin'), site.signed_in('ada')
    own, hidden = _target(ada, 'Seen by ada', 'PRIVATE'), _target(admin, 'Not seen by ada', 'PRIVATE')
    _objects(site, 'Rights', [('r-own', {'target_id': own}), ('r-none', {'note': 'several'})] +
             [('r-hidden%04d' % i, {'target_id': hidden}) for i in range(1100)])
    for query in ('survey=Rights', 'name=r-', 'survey=Rights&cone=10+20'):
        link = '/alerts/objects/?' + query
        equal(sorted(_names(ada.get(link))), ['r-none', 'r-own'], query)
        lacks(ada.get(link).text, 'r-hidden', 'Not seen')
        equal(len(_names(admin.get(link))), 50)
    equal(ada.get('/alerts/objects/Rights/r-hidden0001/').status, 404)
    equal(ada.get('/alerts/objects/Rights/r-nothing/').status, 404)
    equal(admin.get('/alerts/objects/Rights/r-hidden0001/').status, 200)
    contains(ada.get('/alerts/objects/Rights/r-own/').words, 'Seen by ada')
    # what is near it may be hidden from them
    for link in ('/alerts/objects/Rights/r-none/', '/alerts/objects/?survey=Rights'):
        lacks(ada.get(link).text.lower(), 'several')
        contains(admin.get('/alerts/objects/Rights/r-none/').words, 'Several targets are near it')


def what_a_streams_groups_may_see_is_there_for_no_other(site):
    admin, ada, staff = site.signed_in('admin'), site.signed_in('ada'), site.signed_in('staff')
    number = site.one("SELECT id FROM users WHERE username = 'ada'")
    site.sql("INSERT INTO user_group (name) VALUES ('partners')")
    group = int(site.one("SELECT id FROM user_group WHERE name = 'partners'"))
    site.sql('INSERT INTO membership (user_id, group_id) VALUES (%s, %d)' % (number, group))
    partners = audience(site, 16 * group + 1)
    target = _target(ada, 'Of partners', 'PUBLIC')
    _objects(site, 'Partners', [('p-free', {'sight': partners, 'alerts': 7}),
                                ('p-target', {'sight': partners, 'target_id': target})])
    _objects(site, 'Partners', [('p-free', {'alerts': 5})])
    for client, want in ((ada, ['p-free', 'p-free', 'p-target']), (staff, ['p-free']),
                         (admin, ['p-free', 'p-free', 'p-target'])):
        for query in ('survey=Partners', 'name=p-', 'survey=Partners&cone=10+20'):
            equal(sorted(_names(client.get('/alerts/objects/?' + query))), want, query)
        page = client.get('/alerts/objects/Partners/p-free/')
        others = [link for link in page.links if link.startswith('?of=')]
        equal(len(others), len(want) // 3)
        for link in others:
            contains(page.words + client.get('/alerts/objects/Partners/p-free/' + link).words, 'Alerts 7', 'Alerts 5')
    equal(staff.get('/alerts/objects/Partners/p-target/').status, 404)
    contains(ada.get('/targets/%d/alerts/' % target).words, 'p-target')
    for client in (staff, site.visitor()):
        lacks(client.get('/targets/%d/' % target).words, 'of 1 object')
        lacks(client.get('/targets/%d/alerts/' % target).words, 'p-target')


def deleting_a_target_shows_its_object_to_nobody_else(site):
    admin, ada, staff = site.signed_in('admin'), site.signed_in('ada'), site.signed_in('staff')
    secret, known = _target(ada, 'Kept secret', 'PRIVATE'), _target(ada, 'Known to all', 'PUBLIC')
    _objects(site, 'Deleted', [('d-secret', {'target_id': secret}), ('d-known', {'target_id': known})])
    equal(sorted(_names(staff.get('/alerts/objects/?survey=Deleted'))), ['d-known'])
    for target in (secret, known):
        equal(ada.submit('/targets/%d/delete/' % target).status, 302)
    for client, want in ((staff, ['d-known']), (ada, ['d-known']), (admin, ['d-known', 'd-secret'])):
        equal(sorted(_names(client.get('/alerts/objects/?survey=Deleted'))), want)
    equal(staff.get('/alerts/objects/Deleted/d-secret/').status, 404)


def a_page_without_objects_does_not_say_that_there_are_none_where_it_goes_on(site):
    admin, ada = site.signed_in('admin'), site.signed_in('ada')
    _objects(site, 'Deep', [('d', {})])
    hidden = _target(admin, 'Over the deep', 'PRIVATE')
    for part in range(11):
        _objects(site, 'Deep', [('d%d-%d' % (part, i), {'target_id': hidden}) for i in range(1000)])
    page = ada.get('/alerts/objects/?survey=Deep')
    equal(_names(page), [])
    contains(page.words, 'the next one goes on from there')
    lacks(page.words, 'No object matches')
    equal(_names(ada.get('/alerts/objects/' + _next(page))), ['d'])


def an_object_shows_its_place_its_alerts_and_makes_a_target(site):
    _objects(site, 'One', [('one/1', {'ra': 265.34517, 'dec': 38.23536, 'note': 'cut', 'alerts': 53})])
    number = site.one("SELECT id FROM survey_object WHERE name = 'one/1'")
    site.sql('INSERT INTO alert (object_id, alert_id, mjd, stream, received) VALUES ' + ', '.join(
        "(%s, %d, %.5f, 'night', 1)" % (number, 900 + i, 60000 + i // 2) for i in range(53)))
    ada = site.signed_in('ada')
    link = '/alerts/objects/One/one%2F1/'
    page = ada.get(link)
    contains(page.words, '17 41 22.84 +38 14 07.3', '265.345170 +38.235360', 'Galactic', 'MJD 60000.25000',
             '2023-02-25 06:00', 'outside of what its stream makes targets of', '60026.00000', 'night')
    numbers = re.findall('"copy">(9[0-9][0-9])<', page.text)
    equal(numbers, [str(952 - i) for i in range(50)])
    equal(re.findall('"copy">(9[0-9][0-9])<', ada.get(link + _next(page)).text), ['902', '901', '900'])
    create = [one for one in page.links if '/targets/create/' in one][0]
    contains(ada.get(create).text, 'value="one/1"', 'value="265.3451700"', 'value="38.2353600"')


def a_target_leads_to_the_alerts_behind_it(site):
    ada = site.signed_in('ada')
    target = _target(ada, 'Alerted', 'OPEN')
    link = '/targets/%d/alerts/' % target
    lacks(ada.get('/targets/%d/' % target).text, link)
    contains(ada.get(link).words, 'No object of a survey')
    _objects(site, 'Behind', [('b%d' % i, {'target_id': target, 'alerts': 30}) for i in range(2)])
    for (number,) in site.sql('SELECT id FROM survey_object WHERE target_id = %d' % target):
        site.sql('INSERT INTO alert (object_id, alert_id, mjd, stream, received) VALUES ' + ', '.join(
            "(%s, %s, %d, 'night', 1)" % (number, 1000 + 2 * i + int(number) % 2, 60000 + i) for i in range(30)))
    contains(ada.get('/targets/%d/' % target).words, '60 alerts of 2 objects')
    page = ada.get(link)
    numbers = re.findall('"copy">(1[0-9]{3})<', page.text)
    numbers += re.findall('"copy">(1[0-9]{3})<', ada.get(link + _next(page)).text)
    equal(numbers, [str(1059 - i) for i in range(60)])
    contains(page.text, 'href="/alerts/objects/Behind/b0/"')
    visitor = site.visitor()
    contains(visitor.get(link).words, 'b1', '60029.00000')
    lacks(visitor.get(link).text, '/alerts/objects/')
    site.sql("UPDATE target SET permissions = 'PRIVATE' WHERE id = %d" % target)
    site.sql('DELETE FROM rights WHERE target_id = %d' % target)
    equal(ada.get(link).status, 404)


def alerts_of_measurements_that_one_may_not_see_are_not_there(site):
    with site.variant(TARGET_PERMISSIONS_ONLY='no') as other:
        admin, ada, visitor = other.signed_in('admin'), other.signed_in('ada'), other.visitor()
        target = _target(ada, 'Half shown', 'OPEN')
        page, link = '/targets/%d/' % target, '/targets/%d/alerts/' % target
        for survey in ('Shown', 'Held back'):
            _objects(other, survey, [('o-' + survey[:1], {'target_id': target, 'alerts': 3})])
        for number, survey in other.sql('SELECT id, survey FROM survey_object WHERE target_id = %d' % target):
            other.sql('INSERT INTO alert (object_id, alert_id, mjd, stream, received) VALUES ' + ', '.join(
                "(%s, %d, %d, 'night', 1)" % (number, i, 60100 + i + 10 * (survey == 'Shown')) for i in range(3)))
        other.sql("INSERT INTO datum_rights (target_id, source, principal, verbs) VALUES (%d, 'Shown', 1, 1)" % target)
        contains(admin.get(page).words, '6 alerts of 2 objects')
        contains(admin.get(link).words, 'o-S', 'o-H', '60101.00000')
        for client in (ada, visitor):
            contains(client.get(page).words, '3 alerts of 1 object')
            contains(client.get(link).words, 'o-S', '60111.00000')
            lacks(client.get(link).words, 'o-H', 'Held back', '60101.00000')
        for query in ('', '?name=o-', '?cone=10+20'):
            equal((_names(admin.get('/alerts/objects/' + query)), _names(ada.get('/alerts/objects/' + query))),
                  (['o-H', 'o-S'], ['o-S']), query)
        equal([ada.get('/alerts/objects/%s/' % one).status for one in ('Shown/o-S', 'Held%20back/o-H')], [200, 404])


def a_page_costs_a_fixed_number_of_statements(site):
    # who asks; what daemons say, dead letters
    equal(_statements(site, 'alerts', site.signed_in('ada'), '/alerts/streams/'), 3)
    # who asks; the letters
    equal(_statements(site, 'alerts', site.signed_in('staff'), '/alerts/streams/walked/letters/'), 2)
    # who asks; the surveys, a page, of what audiences they are, which of its targets may be seen
    ada = site.signed_in('ada')
    _objects(site, 'Cost', [('c%d' % i, {'target_id': _target(ada, 'Cost %d' % i, 'OPEN')}) for i in range(2)])
    for path, want in (('?survey=Cost', 5), ('?survey=Walk', 4), ('?survey=Cost&name=c', 5),
                       ('?cone=10+20&survey=Cost', 5), ('Cost/c0/', 5)):
        equal(_statements(site, 'alerts', ada, '/alerts/objects/' + path), want, path)
