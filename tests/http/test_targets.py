"""
targets: who sees what, the forms and what they say, lists, CSV, the light curve.
"""
import csv
import io
import os
import re

from harness import process
from harness.report import Skip, contains, equal, lacks, needs, wait_for
from harness.site import PASSWORDS

SUPER = 'admin'


def _create(client, name, permissions='PRIVATE', **more):
    """Adds a sidereal target by its form; its id."""
    data = {'name': name, 'ra': '10.5', 'dec': '-20.25', 'permissions': permissions}
    data.update(more)
    answer = client.submit('/targets/create/', data)
    if answer.status != 302:
        raise AssertionError('creating %s: %d %s' % (name, answer.status, answer.words[:600]))
    return int(re.fullmatch(r'/targets/(\d+)/', answer.location).group(1))


def _names(page):
    """The names in the table of the list."""
    return re.findall(r'class="name" href="[^"]*">([^<]*)</a>', page.text)


def _same_but_for_ids(text):
    text = re.sub(r'<span class="copy">[^<]*</span>', '', text)
    text = re.sub(r'value="[^"]*"', '', text)
    return re.sub(r'/targets/\d+/|%2Ftargets%2F\d+%2F', '/targets/N/', text)


def open_is_seen_by_visitors_and_private_is_not(site):
    ada, visitor = site.signed_in('ada'), site.visitor()
    seen = _create(ada, 'Sight open', 'OPEN')
    public = _create(ada, 'Sight public', 'PUBLIC')
    private = _create(ada, 'Sight private', 'PRIVATE')
    equal([visitor.get('/targets/%d/' % i).status for i in (seen, public, private)],
          [200, 404, 404])
    ben = site.signed_in('ben')
    equal([ben.get('/targets/%d/' % i).status for i in (seen, public, private)], [200, 200, 404])
    admin = site.signed_in(SUPER)
    equal([admin.get('/targets/%d/' % i).status for i in (seen, public, private)],
          [200, 200, 200])
    equal(_names(visitor.get('/targets/?name=Sight')), ['Sight open'])
    equal(_names(ben.get('/targets/?name=Sight')), ['Sight public', 'Sight open'])
    equal(_names(ada.get('/targets/?name=Sight')),
          ['Sight private', 'Sight public', 'Sight open'])


def an_invisible_target_is_answered_like_an_absent_one(site):
    private = _create(site.signed_in('ada'), 'Hidden from Ben')
    ben = site.signed_in('ben')
    for path in ('', 'update/', 'delete/', 'photometry.csv'):
        hidden = ben.get('/targets/%d/%s' % (private, path))
        absent = ben.get('/targets/999999999/%s' % path)
        equal((hidden.status, absent.status), (404, 404), path)
        equal(_same_but_for_ids(hidden.text), _same_but_for_ids(absent.text), path)
    token = ben.token('/targets/create/')
    for path in ('update/', 'delete/'):
        equal(ben.post('/targets/%d/%s' % (private, path), {'name': 'x'}, token=token).status,
              404, path)
    equal(site.one("SELECT name FROM target WHERE id = %d" % private), 'Hidden from Ben')


def sight_gives_no_right_to_change(site):
    target = _create(site.signed_in('ada'), 'Open but hers', 'OPEN')
    ben = site.signed_in('ben')
    page = ben.get('/targets/%d/' % target)
    lacks(page.text, '/update/', '/delete/')
    token = ben.token('/targets/create/')
    for path in ('update/', 'delete/'):
        equal(ben.get('/targets/%d/%s' % (target, path)).status, 403)
        equal(ben.post('/targets/%d/%s' % (target, path), {'name': 'His'}, token=token).status, 403)
    equal(site.one("SELECT name FROM target WHERE id = %d" % target), 'Open but hers')


def visitors_are_asked_to_sign_in_before_they_write(site):
    target = _create(site.signed_in('ada'), 'Open to read', 'OPEN')
    visitor = site.visitor()
    for path in ('/targets/create/', '/targets/import/', '/targets/%d/update/' % target,
                 '/targets/%d/delete/' % target):
        answer = visitor.get(path)
        equal(answer.status, 302, path)
        contains(answer.location, '/accounts/login/?next=')
        answer = visitor.post(path, {'name': 'x'}, token=False)
        if answer.status not in (302, 403):
            raise AssertionError('%s: %d' % (path, answer.status))
    equal(site.one("SELECT count(*) FROM target WHERE id = %d" % target), '1')


def a_target_is_added_with_all_that_belongs_to_it(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Whole thing', 'PUBLIC', ra='17 41 22.84', dec='+38:14:07.3',
                     pm_ra='0', pm_dec='-3.5', distance='12.5', aliases='Whole alias\nOther/alias',
                     **{'targetextra_set-0-key': 'redshift', 'targetextra_set-0-value': '0.031'})
    page = ada.get('/targets/%d/' % target)
    contains(page.words, 'Whole thing', 'Whole alias, Other/alias', '17 41 22.84 +38 14 07.3',
             '265.345167 +38.235361', '63.53', 'redshift', '0.031', 'Proper motion in RA',
             '-3.5 mas/yr', '12.5 pc', 'Everyone who is signed in', 'PUBLIC', 'ada')
    contains(page.text, '<title>Whole thing - ')
    equal(site.one('SELECT pm_ra FROM target WHERE id = %d' % target) in ('0.0', '0'), True)


def zero_is_a_value(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'At the origin', ra='0', dec='0')
    contains(ada.get('/targets/%d/' % target).words, '00 00 00.00 +00 00 00.0')
    target = _create(ada, 'Before the origin', ra='359.99999999', dec='90')
    contains(ada.get('/targets/%d/' % target).words, '00 00 00.00 +90 00 00.0',
             '0.000000 +90.000000')


def wrong_fields_come_back_with_what_was_typed(site):
    ada = site.signed_in('ada')
    answer = ada.submit('/targets/create/', {'name': '  ', 'ra': 'noon', 'dec': '+91 02 19.7',
                                             'parallax': 'x', 'aliases': 'Kept alias',
                                             'targetextra_set-0-key': 'kept key'})
    equal(answer.status, 400)
    contains(answer.text, 'value="noon"', 'value="+91 02 19.7"', 'Kept alias', 'kept key',
             'href="#ra"', 'href="#dec"', 'href="#name"', 'href="#parallax"',
             'id="ra-e"', 'aria-invalid="true"', 'role="alert"')
    fields = [f for f in answer.forms if f['action'] == '/targets/create/'][0]['fields']
    equal(fields['ra'], 'noon')
    equal(ada.submit('/targets/create/', {'name': 'No position'}).status, 400)
    equal(site.one("SELECT count(*) FROM target WHERE name = 'No position'"), '0')


def every_finding_stands_beside_its_field(site):
    ada = site.signed_in('ada')
    extras = {'targetextra_set-0-key': 'fine', 'targetextra_set-0-value': '1',
              'targetextra_set-1-key': 'RA', 'targetextra_set-1-value': '2',
              'targetextra_set-2-key': '', 'targetextra_set-2-value': 'no name'}
    answer = ada.submit('/targets/create/', {
        'name': 'Findings', 'ra': '1', 'dec': '1', 'type': 'STAR', 'permissions': 'SECRET',
        'aliases': 'bad\x01one\nfindings\n' + 'y' * 101, 'groups': 'x', **extras})
    equal(answer.status, 400)

    def beside(name):
        return re.search(r'<p class="err" id="%s-e">([^<]*)</p>' % name, answer.text).group(1)

    contains(beside('aliases'), 'Alias 1: ', 'character 4 is U+0001', 'must be different',
             'Alias 3: The name must have at most 100 characters.')
    contains(beside('targetextra_set-1-key'), 'must not be called as')
    contains(beside('targetextra_set-2-key'), 'needs a field name')
    contains(beside('type'), 'must be one of SIDEREAL, NON_SIDEREAL')
    contains(beside('permissions'), 'must be one of OPEN, PUBLIC, PRIVATE')
    contains(beside('groups'), 'Choose among the groups')
    contains(answer.words, '8 things need your attention')
    for field in ('aliases', 'targetextra_set-1-key', 'targetextra_set-2-key', 'type', 'permissions',
                  'groups'):
        contains(answer.text, '<a href="#%s">' % field, 'id="%s"' % field)
    equal(answer.text.count('aria-invalid="true"'), 5)
    for key in ('fine', 'RA', 'no name'):
        contains(answer.text, 'value="%s"' % key)


def values_keep_their_lines(site):
    ada = site.signed_in('ada')
    files = {'target_csv': ('t.csv', 'name,ra,dec,note\r\nOf lines,1,2,"one\r\ntwo\rthree"\r\n',
                            'text/csv')}
    equal(ada.post('/targets/import/', {'mode': 'all'}, files).status, 302)
    target = int(site.one("SELECT id FROM target WHERE name = 'Of lines'"))
    path = '/targets/%d/update/' % target

    def value():
        return re.search(r'<textarea name="targetextra_set-0-value"[^>]*>\n([^<]*)</textarea>',
                         ada.get(path).text).group(1)

    equal(value(), 'one\ntwo\nthree')
    equal(ada.submit(path, {'parallax': '1'}).status, 302)
    equal(value(), 'one\ntwo\nthree')
    # as browsers send them
    equal(ada.submit(path, {'targetextra_set-0-value': 'one\r\nfour'}).status, 302)
    equal(value(), 'one\nfour')


def a_name_in_use_is_refused_with_the_way_to_it(site):
    ada, ben = site.signed_in('ada'), site.signed_in('ben')
    target = _create(ada, 'SN 2026kqz', aliases='ZTF26abqwzey')
    for name in ('sn-2026_KQZ', 'ztf26ABQWZEY'):
        answer = ada.submit('/targets/create/', {'name': name, 'ra': '1', 'dec': '1'})
        equal(answer.status, 400, name)
        contains(answer.text, 'href="/targets/%d/"' % target, 'id="name-e"')
    # Who may not see the other learns that the name is taken and no more.
    answer = ben.submit('/targets/create/', {'name': 'SN2026kqz', 'ra': '1', 'dec': '1'})
    equal(answer.status, 400)
    lacks(answer.text, '/targets/%d/' % target, 'SN 2026kqz')


def markup_in_names_is_text(site):
    ada = site.signed_in('ada')
    target = _create(ada, '<script>alert(1)</script>"x', aliases='<b>bold</b>',
                     **{'targetextra_set-0-key': '<i>key', 'targetextra_set-0-value': '<i>value'})
    for path in ('/targets/%d/' % target, '/targets/%d/update/' % target,
                 '/targets/%d/delete/' % target, '/targets/?name=%3Cscript%3E'):
        page = ada.get(path)
        equal(page.status, 200, path)
        lacks(page.text, '<script>alert', '<b>bold', '<i>')
        contains(page.text, '&lt;script&gt;alert(1)&lt;/script&gt;&quot;x')


def a_non_sidereal_target_needs_what_its_scheme_says(site):
    ada = site.signed_in('ada')
    page = ada.get('/targets/create/?type=NON_SIDEREAL')
    contains(page.text, 'name="inclination"', 'name="scheme"')
    lacks(page.text, 'name="ra"')
    data = {'name': '2026 PQ7', 'scheme': 'MPC_MINOR_PLANET', 'epoch_of_elements': '61000',
            'inclination': '5.1', 'lng_asc_node': '100', 'arg_of_perihelion': '20',
            'eccentricity': '0.3'}
    answer = ada.submit('/targets/create/?type=NON_SIDEREAL', data)
    equal(answer.status, 400)
    contains(answer.text, 'id="mean_anomaly-e"', 'id="semimajor_axis-e"')
    contains(answer.text, 'name="type" value="NON_SIDEREAL"')
    data.update(mean_anomaly='0', semimajor_axis='1.2')
    answer = ada.submit('/targets/create/?type=NON_SIDEREAL', data)
    equal(answer.status, 302)
    contains(ada.follow(answer).words, 'Non-sidereal', 'Scheme of elements', 'MPC minor planet',
             'Mean anomaly', '61000 MJD')


def links_fill_the_form(site):
    page = site.signed_in('ada').get('/targets/create/?type=SIDEREAL&name=Filled&ra=12.5&dec=x'
                                     '&names=One,Two&permissions=OPEN')
    equal(page.status, 200)
    fields = [f for f in page.forms if 'create' in f['action']][0]['fields']
    equal((fields['name'], fields['ra'], fields['dec'], fields['permissions']),
          ('Filled', '12.5', 'x', 'OPEN'))
    equal(fields['aliases'].split(), ['One', 'Two'])


def a_change_keeps_what_was_not_sent(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'To change', distance='7', aliases='First alias',
                     **{'targetextra_set-0-key': 'class', 'targetextra_set-0-value': 'SN Ia'})
    path = '/targets/%d/update/' % target
    token = ada.token(path)
    equal(ada.post(path, {'parallax': '3.5'}, token=token).status, 302)
    page = ada.get('/targets/%d/' % target)
    contains(page.words, 'First alias', '3.5 mas', '7 pc', 'SN Ia')
    equal(ada.submit(path, {'name': 'Was changed', 'distance': '', 'aliases': 'Second alias',
                            'targetextra_set-0-key': '', 'targetextra_set-0-value': '',
                            'permissions': 'OPEN'}).status, 302)
    page = ada.get('/targets/%d/' % target)
    contains(page.words, 'Was changed', 'Second alias', '3.5 mas', 'OPEN')
    lacks(page.words, 'First alias', '7 pc', 'SN Ia')
    equal(site.visitor().get('/targets/%d/' % target).status, 200)


def the_update_form_shows_what_is_there(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Round trip', 'OPEN', ra='0.1', dec='-0.30000000000000004', epoch='2000')
    page = ada.get('/targets/%d/update/' % target)
    fields = [f for f in page.forms if 'update' in f['action']][0]['fields']
    equal((fields['ra'], fields['dec'], fields['epoch'], fields['permissions']),
          ('0.1', '-0.30000000000000004', '2000', 'OPEN'))
    before = site.one('SELECT t.dec FROM target t WHERE id = %d' % target)
    equal(ada.submit('/targets/%d/update/' % target, {}).status, 302)
    equal(site.one('SELECT t.dec FROM target t WHERE id = %d' % target), before)


def what_is_nobodys_to_set_is_not_set(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Mass assignment', id='77', creator_id='1', created='2001-01-01')
    row = site.sql('SELECT id, created > 1000000000000000 FROM target WHERE name = '
                   "'Mass assignment'")[0]
    equal(int(row[0]), target)
    equal(row[1] in ('1', 't'), True)
    # Ada is in no group: she can give rights to none.
    answer = ada.submit('/targets/create/', [('name', 'Group grab'), ('groups', '1')])
    equal(answer.status, 400)


def deleting_asks_first(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'To be deleted')
    page = ada.get('/targets/%d/delete/' % target)
    equal(page.status, 200)
    contains(page.words, 'Delete To be deleted?', 'cannot be undone')
    equal(ada.get('/targets/%d/' % target).status, 200)
    answer = ada.submit('/targets/%d/delete/' % target)
    equal((answer.status, answer.location), (302, '/targets/'))
    contains(ada.follow(answer).words, 'Deleted To be deleted.')
    equal(ada.get('/targets/%d/' % target).status, 404)


def a_name_leads_to_its_target(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'C/2023 A3', 'OPEN', aliases='Tsuchinshan')
    for text in ('C/2023%20A3', 'c%2F2023a3', 'Tsuchinshan', 'suchinsh', '%20Tsuchinshan%20'):
        answer = site.visitor().get('/targets/name/' + text)
        equal((answer.status, answer.location), (302, '/targets/%d/' % target), text)
    answer = site.visitor().get('/targets/name/no%20such%20one&x')
    equal((answer.status, answer.location), (302, '/targets/?name=no%20such%20one%26x'))


def the_list_sorts_and_pages_by_links(site):
    ada = site.signed_in('ada')
    token = ada.token('/targets/create/')
    for i in range(45):
        equal(ada.post('/targets/create/', {'name': 'Page %02d' % i, 'ra': str(i * 8), 'dec': '1',
                                            'permissions': 'PRIVATE', 'type': 'SIDEREAL'},
                       token=token).status, 302)
    page = ada.get('/targets/?name=Page')
    contains(page.words, '45 match', '20 of 45, newest first')
    contains(page.text, 'aria-sort="descending"')
    seen = []
    for _ in range(3):
        seen += _names(page)
        following = re.search(r'href="([^"]*)" rel="next"', page.text)
        if following:
            page = ada.get(following.group(1).replace('&amp;', '&'))
    equal(seen, ['Page %02d' % i for i in reversed(range(45))])
    lacks(page.text, 'rel="next"')
    back = re.search(r'href="([^"]*)" rel="prev"', page.text).group(1).replace('&amp;', '&')
    equal(_names(ada.get(back)), ['Page %02d' % i for i in reversed(range(5, 25))])
    equal(_names(ada.get('/targets/?name=Page&sort=name'))[:3], ['Page 00', 'Page 01', 'Page 02'])
    equal(_names(ada.get('/targets/?name=Page&sort=-ra'))[:2], ['Page 44', 'Page 43'])
    page = ada.get('/targets/?name=Page&sort=name')
    contains(page.text, '<th aria-sort="ascending"><a href="/targets/?name=Page&amp;sort=-name"')


def filters_are_chips_that_can_be_taken_off(site):
    ada = site.signed_in('ada')
    _create(ada, 'Chip one', **{'targetextra_set-0-key': 'zz', 'targetextra_set-0-value': 'top'})
    page = ada.get('/targets/?name=Chip&type=SIDEREAL&key=zz')
    equal(_names(page), ['Chip one'])
    contains(page.text, 'href="/targets/?type=SIDEREAL&amp;key=zz" title="Remove this filter"',
             'href="/targets/?name=Chip&amp;key=zz"')
    contains(page.words, 'name has Chip', 'Sidereal', 'field zz', 'Clear all')
    page = ada.get('/targets/?name=Chip&type=NON_SIDEREAL')
    equal(page.status, 200)
    contains(page.words, 'No target matches', 'No match ')
    contains(ada.get('/targets/?name=Chip%20one').words, '1 matches')
    # what is not applied is no chip
    for query, says in (('type=COMET', 'The type must be'),
                        ('targetlist__name=abc', 'There is no such list.'),
                        ('cone_search=x', 'Not applied'), ('query=' + 'x' * 2100, 'too long')):
        page = ada.get('/targets/?name=Chip&' + query)
        equal(page.status, 400)
        contains(page.words, 'Not applied.', says, 'name has Chip')
        equal(page.text.count('title="Remove this filter"'), 1, query)
    page = ada.get('/targets/?cone_search=10.5,-20.25,0.1&target_cone_search=M31,2')
    contains(page.words, 'Give one cone', 'of 10.5 -20.25')
    equal(page.text.count('title="Remove this filter"'), 1)


def cones_are_right_at_ra_zero_and_lead_to_toms_keys(site):
    ada = site.signed_in('ada')
    for name, ra in (('Cone west', '359.99'), ('Cone east', '0.01'), ('Cone far', '1')):
        _create(ada, name, ra=ra, dec='-75')
    page = ada.get('/targets/?cone_search=0,-75,0.1&sort=name')
    equal(_names(page), ['Cone east', 'Cone west'])
    answer = ada.get('/targets/?name=&cone=00+00+00+-75+00+00&radius=6&unit=arcmin&sort=name')
    equal((answer.status, answer.location), (302, '/targets/?sort=name&cone_search=0%2C-75%2C0.1'))
    page = ada.follow(answer)
    equal(_names(page), ['Cone east', 'Cone west'])
    fields = [f for f in page.forms if 'cone' in f['fields']][0]['fields']
    equal((fields['cone'], fields['radius'], fields['unit']), ('0 -75', '6', 'arcmin'))
    answer = ada.get('/targets/?cone=Cone+east&radius=0.5&unit=deg')
    equal(answer.location, '/targets/?target_cone_search=Cone%20east%2C0.5')
    equal(sorted(_names(ada.follow(answer))), ['Cone east', 'Cone far', 'Cone west'])
    rows = csv.DictReader(io.StringIO(ada.get(answer.location.replace('?', 'export/?')).text))
    equal([row['name'] for row in rows], ['Cone west', 'Cone east', 'Cone far'])
    equal(ada.get('/targets/?cone=10+-91&radius=3').status, 400)
    equal(ada.get('/targets/?cone=10+Hygiea&radius=3').status, 302)
    answer = ada.get('/targets/?cone=10+10&radius=-3')
    equal(answer.status, 400)
    contains(answer.text, 'value="10 10"', 'value="-3"')
    contains(answer.words, 'Radius: give a number greater than 0')
    equal(ada.get('/targets/?cone_search=nonsense').status, 400)


# Two letters, of which one is two bytes, are no more than two for an index.
UNBOUNDED = ('/targets/?name=ab', '/targets/?name=%C3%A91', '/targets/?query=%E6%98%9F',
             '/targets/?name=abc,d', '/targets/?value=1', '/targets/?cone_search=0,0,90',
             '/targets/?target_cone_search=x,11', '/targets/name/ab')


def visitors_get_no_export_and_no_unbounded_search(site):
    visitor = site.visitor()
    for path in ('/targets/export/',) + UNBOUNDED:
        answer = visitor.get(path)
        equal(answer.status, 302, path)
        contains(answer.location, '/accounts/login/?next=%2Ftargets%2F')
    equal(site.signed_in('ben').get('/targets/?cone_search=0,0,90').status, 200)
    equal(visitor.get('/targets/?name=%C3%A9t%C3%A9').status, 200)


def a_setting_opens_exports_and_searches(site):
    with site.variant(OPEN_SEARCH='yes') as opened:
        ada, visitor = opened.visitor(), opened.visitor()
        ada.sign_in('ada', PASSWORDS['ada'])
        _create(ada, 'Opened ab', 'OPEN')
        for path in UNBOUNDED[:-1]:
            equal(visitor.get(path).status, 200, path)
        equal(_names(visitor.get('/targets/?name=ab')), ['Opened ab'])
        equal(visitor.get('/targets/name/ab').location, '/targets/1/')
        equal(visitor.get('/targets/export/?name=ab').text.count('Opened ab'), 1)
        # what stands in lists is nobody's who did not sign in
        for path in ('/targets/?targetlist__name=1', '/targets/export/?targetlist__name=1'):
            equal(visitor.get(path).status, 302, path)


def visitors_learn_nothing_of_who_works_with_a_target(site):
    ada, visitor = site.signed_in('ada'), site.visitor()
    site.meridian('group', 'add', 'Secret ToO team')
    site.meridian('group', 'join', 'Secret ToO team', 'ada')
    group = site.one("SELECT id FROM user_group WHERE name = 'Secret ToO team'")
    target = int(ada.submit('/targets/create/', [('name', 'Of a team'), ('ra', '1'), ('dec', '2'),
                                                 ('permissions', 'OPEN'), ('groups', group)]
                            ).location.split('/')[2])
    site.meridian('group', 'leave', 'Secret ToO team', 'ada')
    site.sql("INSERT INTO target_list (name, created, modified) VALUES ('Secret list', 0, 0)")
    number = site.one("SELECT id FROM target_list WHERE name = 'Secret list'")
    site.sql('INSERT INTO target_list_member (list_id, target_id) VALUES (%s, %d)' % (number, target))
    page = ada.get('/targets/%d/' % target)
    contains(page.words, 'Secret ToO team', 'Secret list', 'ada')
    contains(ada.get('/targets/').text, 'Secret list</option>')
    for path in ('/targets/%d/' % target, '/targets/', '/targets/?name=Of%20a%20team'):
        page = visitor.get(path)
        contains(page.words, 'Of a team')
        lacks(page.text, 'Secret')
    lacks(visitor.get('/targets/%d/' % target).words, 'ada')
    answer = visitor.get('/targets/?targetlist__name=' + number)
    equal(answer.status, 302)
    contains(answer.location, '/accounts/login/')
    equal(_names(ada.get('/targets/?targetlist__name=' + number)), ['Of a team'])


def a_page_behind_the_end_of_the_list_says_so(site):
    ada = site.signed_in('ada')
    _create(ada, 'On the first page')
    for path in ('/targets/?page=1000', '/targets/?name=first%20page&page=3',
                 '/targets/?after=n0d0.1.0', '/targets/?name=first%20page&after=n0d0.1.0'):
        page = ada.get(path)
        equal(page.status, 200, path)
        contains(page.words, 'No more targets', 'The list ends before this page.')
        lacks(page.words, 'No targets yet', 'No target matches')
        first = re.search(r'href="([^"]*)">First page</a>', page.text).group(1)
        contains(' '.join(_names(ada.get(first.replace('&amp;', '&')))), 'On the first page')


def the_filter_bar_says_which_field_is_wrong(site):
    ada = site.signed_in('ada')
    for query, field in (('sort=foo', None), ('type=COMET', 'type'), ('targetlist__name=x',
                         'targetlist__name'), ('name=' + 'a,' * 30, 'name'),
                         ('cone_search=x', 'cone'), ('cone=25:00:00+%2B10:00:00&radius=5', 'cone'),
                         ('key=' + 'x' * 2100, 'key')):
        page = ada.get('/targets/?' + query)
        equal(page.status, 400, query)
        invalid = re.findall(r'<(?:input|select) name="(\w+)"[^>]* aria-invalid="true"', page.text)
        equal([name for name in invalid if name != 'radius'], [field] if field else [], query)
        contains(page.text, 'id="filter-why"')
    contains(ada.get('/targets/?sort=foo&type=COMET').words, 'cannot be sorted by that',
             'must be SIDEREAL or NON_SIDEREAL')
    # a right ascension that is none is not looked for as a name
    contains(ada.get('/targets/?cone=25:00:00+%2B10:00:00&radius=5').words, '0 to 24 hours')


def the_filter_bar_keeps_what_is_applied(site):
    ada = site.signed_in('ada')
    _create(ada, 'SIDEREAL comma, name', ra='5', dec='5')
    page = ada.get('/targets/?query=comma,%20name')
    equal(_names(page), ['SIDEREAL comma, name'])
    fields = [f for f in page.forms if 'cone' in f['fields']][0]['fields']
    equal(fields['query'], 'comma, name')
    contains(ada.get('/targets/?name=SIDEREAL').words, 'name has SIDEREAL')
    page = ada.get('/targets/?cone_search=5,5,1e-12')
    equal(_names(page), ['SIDEREAL comma, name'])
    fields = [f for f in page.forms if 'cone' in f['fields']][0]['fields']
    equal((fields['radius'], fields['unit']), ('3.6e-09', 'arcsec'))
    again = ada.get('/targets/?cone=%s&radius=%s&unit=arcsec' % (fields['cone'].replace(' ', '+'),
                                                                 fields['radius']))
    equal(again.location, '/targets/?cone_search=5%2C5%2C1e-12')
    for cone in ('5%095', '5;5', '00:20:00%2B05:00:00', '00h20m00s+05d00m00s'):
        equal(ada.get('/targets/?cone=%s&radius=6' % cone).location,
              '/targets/?cone_search=5%2C5%2C0.1', cone)


def an_export_can_be_imported_again(site):
    ada = site.signed_in('ada')
    _create(ada, '=cmd|x', 'OPEN', ra='12.25', dec='-45.5', aliases='@alias',
            **{'targetextra_set-0-key': 'note', 'targetextra_set-0-value': '+1, "quoted"'})
    answer = ada.get('/targets/export/?name_fuzzy=%3Dcmd%7Cx')
    equal(answer.status, 200)
    contains(answer.header('Content-Type'), 'text/csv')
    contains(answer.header('Content-Disposition'), 'attachment', 'targets-2')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    equal(len(rows), 1)
    equal((rows[0]['name'], rows[0]['name2'], rows[0]['note']),
          ("'=cmd|x", "'@alias", "'+1, \"quoted\""))
    equal(float(rows[0]['dec']), -45.5)
    lacks(answer.text, "'-45.5")
    target = int(site.one("SELECT id FROM target WHERE name = '=cmd|x'"))
    equal(ada.submit('/targets/%d/delete/' % target).status, 302)
    again = ada.post('/targets/import/', {'mode': 'all'},
                     {'target_csv': ('t.csv', answer.body, 'text/csv')})
    equal((again.status, again.location), (302, '/targets/'))
    contains(ada.follow(again).words, '1 target imported.')
    answer = ada.get('/targets/export/?name_fuzzy=%3Dcmd%7Cx')
    equal({k: v for k, v in list(csv.DictReader(io.StringIO(answer.text)))[0].items()
           if k not in ('created', 'modified')},
          {k: v for k, v in rows[0].items() if k not in ('created', 'modified')})


def a_bad_line_is_named_and_nothing_kept_if_so_wanted(site):
    ada = site.signed_in('ada')
    text = ('\ufeffname,type,ra,dec,redshift\r\nImport good,SIDEREAL,1,2,0.5\r\n'
            'Import bad,SIDEREAL,400,2,\r\n"Import\r\nlong",SIDEREAL,noon,2,\r\n')
    files = {'target_csv': ('t.csv', text, 'text/csv')}
    answer = ada.post('/targets/import/', {'mode': 'all'}, files)
    equal(answer.status, 400)
    contains(answer.words, 'Nothing was imported', '3 ra', '4 ')
    equal(site.one("SELECT count(*) FROM target WHERE name LIKE 'Import %'"), '0')
    answer = ada.post('/targets/import/', {'mode': 'rows'}, files)
    equal(answer.status, 200)
    contains(answer.words, '1 target imported', '3 ra', '2 lines are wrong. Mend them and')
    text = 'name,ra,dec\r\nImport one,1,2\r\nImport two,400,2\r\n'
    answer = ada.post('/targets/import/', {'mode': 'rows'},
                      {'target_csv': ('t.csv', text, 'text/csv')})
    contains(answer.words, '1 line is wrong. Mend it and')
    site.sql("DELETE FROM target WHERE name = 'Import one'")
    equal(site.one("SELECT count(*) FROM target WHERE name LIKE 'Import %'"), '1')
    target = int(site.one("SELECT id FROM target WHERE name = 'Import good'"))
    contains(ada.get('/targets/%d/' % target).words, 'redshift 0.5')
    equal(site.signed_in('ben').get('/targets/%d/' % target).status, 404)


def an_import_gives_rights_to_no_group_of_others(site):
    ada = site.signed_in('ada')
    site.meridian('group', 'add', 'Import others')
    site.meridian('group', 'add', 'Import own')
    site.meridian('group', 'join', 'Import own', 'ada')
    others, own = (site.one("SELECT id FROM user_group WHERE name = '%s'" % name)
                   for name in ('Import others', 'Import own'))
    files = {'target_csv': ('t.csv', 'name,ra,dec\r\nImport grab,1,2\r\n', 'text/csv')}
    for mode in ('all', 'rows'):
        # 2^60 is principal 1, which is anyone
        for group in (others, '4242', str(2 ** 60), str(2 ** 63 - 1), '-1', 'x', '0'):
            answer = ada.post('/targets/import/', {'mode': mode, 'groups': group}, files)
            equal(answer.status, 400, group)
            contains(answer.text, 'href="#groups"', 'id="groups-e"')
            equal(site.one("SELECT count(*) FROM target WHERE name = 'Import grab'"), '0')
    equal(ada.post('/targets/import/', {'mode': 'all', 'groups': own}, files).status, 302)
    equal(site.one("SELECT count(*) FROM rights r JOIN target t ON t.id = r.target_id "
                   "WHERE t.name = 'Import grab' AND r.principal = %d" % (int(own) * 16 + 1)), '1')
    answer = ada.submit('/targets/create/', [('name', 'Form grab'), ('ra', '1'), ('dec', '2'),
                                             ('groups', str(2 ** 60))])
    equal(answer.status, 400)
    equal(site.one("SELECT count(*) FROM target WHERE name = 'Form grab'"), '0')
    site.meridian('group', 'leave', 'Import own', 'ada')


def an_import_that_is_asked_wrongly_is_not_done(site):
    ada = site.signed_in('ada')
    files = {'target_csv': ('t.csv', 'name,ra,dec\r\nAsked wrongly,1,2\r\n', 'text/csv')}
    answer = ada.post('/targets/import/', {'mode': 'some', 'permissions': 'SECRET'}, files)
    equal(answer.status, 400)
    contains(answer.text, '<a href="#mode">', 'id="mode-e"', '<a href="#permissions">',
             'id="permissions-e"')
    contains(answer.words, 'must be one of OPEN, PUBLIC, PRIVATE')
    lacks(answer.text, 'target_csv-e')
    equal(site.one("SELECT count(*) FROM target WHERE name = 'Asked wrongly'"), '0')


@needs('sqlite')
def an_import_that_the_database_refuses_is_a_failure_of_ours(site):
    with site.variant() as other:
        ada = other.signed_in('ada')
        other.sql("CREATE TRIGGER refuse BEFORE INSERT ON target WHEN NEW.name = 'Refused' "
                  "BEGIN SELECT RAISE(ABORT, 'no'); END")
        files = {'target_csv': ('t.csv', 'name,ra,dec\r\nRefused,1,2\r\n', 'text/csv')}
        for mode in ('all', 'rows'):
            answer = ada.post('/targets/import/', {'mode': mode}, files)
            equal(answer.status, 500)
            contains(answer.words, 'Something went wrong here')
            lacks(answer.text, 'groups-e')
        said = [line['event'] for line in other.log_lines('targets') if line['level'] == 'error']
        equal(said, ['the database did not answer'] * 2)


def what_is_no_csv_file_is_explained(site):
    ada = site.signed_in('ada')
    answer = ada.post('/targets/import/', {}, {'target_csv': ('', b'', 'text/csv')})
    equal(answer.status, 400)
    contains(answer.words, 'Choose a file first.')
    contains(answer.text, 'href="#target_csv"', 'id="target_csv-e"')
    for content in (b'', b'\xff\xfe\x00', b'ra,dec\r\n1,2\r\n', b'name\r\n"never ended',
                    b'name,ra,dec\r\n'):
        answer = ada.post('/targets/import/', {'mode': 'all'},
                          {'target_csv': ('t.csv', content, 'text/csv')})
        equal(answer.status, 400, repr(content))
        contains(answer.text, 'role="alert"')


def the_messier_catalogue_is_loaded_once(site):
    ada = site.signed_in('ada')
    equal(ada.get('/targets/seed/').location, '/targets/')
    answer = ada.post('/targets/seed/', {}, page='/targets/create/')
    equal(answer.status, 302)
    page = ada.follow(answer)
    contains(page.words, '110 match', 'added', 'list Messier Catalog')
    answer = ada.post('/targets/seed/', {}, page='/targets/create/')
    contains(ada.follow(answer).words, '0 added, 110 were there already')


def _measure(site, target, n):
    """n points of a light curve and two limits, put into the table."""
    rows = []
    for i in range(n):
        rows.append("(%d, 'ZTF', 1, '%s', %.4f, %d, %.3f, 0.05, 1, 0)" %
                    (target, 'gri'[i % 3], 60000 + i, i + 1, 18 + (i % 10) / 10))
    site.sql('INSERT INTO datum (target_id, source, kind, band, mjd, survey_id, magnitude, '
             'magnitude_error, sign, created) VALUES ' + ', '.join(rows))
    site.sql('INSERT INTO datum (target_id, source, kind, band, mjd, survey_id, limit_mag, sign, '
             "created) VALUES (%d, 'ZTF', 2, 'g', 59990, 0, 20.5, 0, 0), "
             "(%d, 'ZTF', 2, 'r', 59991, 0, 20.75, 0, 0)" % (target, target))


def a_page_shows_the_light_curve_and_its_numbers(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Curved', 'OPEN')
    page = ada.get('/targets/%d/' % target)
    contains(page.words, 'No measurement with a magnitude yet')
    lacks(page.text, 'photometry.csv')
    _measure(site, target, 60)
    page = ada.get('/targets/%d/' % target)
    equal(len(re.findall(r'<use href="#m-[gri]" x="[\d.]+%" y="[\d.]+%"/>', page.text)), 60)
    equal(len(re.findall(r'<use href="#m-l" x="[\d.]+%" y="[\d.]+%"/>', page.text)), 2)
    contains(page.text, '60 measurements and 2 upper limits from MJD 59990.0 to 60059.0.',
             'Deepest limit 20.75 in r')
    contains(page.words, 'limits 2', 'g 20', 'The latest 20 of 62.', '18.90 0.05 detection')
    equal(page.text.count('<tr><td class="nb">'), 20)
    answer = site.visitor().get('/targets/%d/photometry.csv' % target)
    equal(answer.status, 200)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    equal(len(rows), 62)
    equal((rows[0]['filter'], rows[0]['limit'], rows[0]['magnitude'], rows[0]['kind']),
          ('g', '20.5', '', 'limit'))
    equal((rows[2]['mjd'], rows[2]['magnitude'], rows[2]['error'], rows[2]['survey_id']),
          ('60000', '18', '0.05', '1'))


def a_page_shows_points_that_have_a_flux_alone(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Faded', 'OPEN')
    # nJy: below the reference; forced with the survey's own limit at 4 sigma, without one at 4 and 2
    for kind, mjd, flux, limit in ((1, 61000, -1000, 'NULL'), (3, 61001, 400, '24.65'),
                                   (3, 61002, 400, 'NULL'), (3, 61003, -200, 'NULL')):
        site.sql("INSERT INTO datum (target_id, source, kind, band, mjd, survey_id, flux, flux_error, "
                 "limit_mag, sign, created) VALUES (%d, 'LSST', %d, 'r', %d, %d, %d, 100, %s, %d, 0)" %
                 (target, kind, mjd, mjd, flux, limit, 1 if flux > 0 else -1))
    page = ada.get('/targets/%d/' % target)
    contains(page.words, '61000.00000 r 23.90 0.11 detection, fainter than the reference LSST',
             '61001.00000 r > 24.65 forced, limit LSST', '61002.00000 r 24.89 0.27 forced LSST',
             '61003.00000 r > 24.65 forced, limit LSST')


def a_page_costs_a_fixed_number_of_statements(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Counted', 'OPEN', aliases='Counted alias')
    _measure(site, target, 30)
    paths = ('/targets/%d/' % target, '/targets/%d/update/' % target, '/targets/create/',
             '/targets/%d/access/' % target, '/targets/%d/?y=flux&from=60000&sort=band' % target,
             '/targets/%d/?x=days' % target, '/targets/', '/targets/?name=Counted')

    def statements(path):
        page = ada.get(path)
        equal(page.status, 200, path)
        name = re.search(r'Request <span class="copy">([^<]+)', page.text).group(1)
        line = wait_for(lambda: [one for one in site.log_lines('targets') if name in str(one)],
                        what='the line of the request')[-1]
        return line['statements']
    counts = []
    for path in paths:
        ada.get(path)  # what is asked once a connection is not a page's cost
        counts.append(statements(path))
    # session, target, what belongs to it, measurements, how many alerts; the form asks for groups; who
    # can see it is session, target, one's own rights, all of them; days ask for the first detection, too
    equal(counts[:6], [5, 4, 2, 4, 5, 6])
    # and where a worker kept the measurements, none for them
    site.sql('INSERT INTO datum_revision (target_id, revision) VALUES (%d, 1)' % target)
    kept = [statements(paths[0]) for _ in range(6)]
    equal((min(kept), kept[0]), (4, 5))
    # lists may know their count from a moment ago
    equal([n <= most for n, most in zip(counts[6:], (5, 6))], [True, True], counts)


def head_is_get_without_its_body(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Headed', 'OPEN')
    for path in ('/targets/', '/targets/%d/' % target, '/targets/create/'):
        answer = ada.head(path)
        equal((answer.status, answer.body), (200, b''), path)


def a_locked_site_shows_visitors_nothing(site):
    with site.variant(AUTH_STRATEGY='LOCKED') as locked:
        ada = locked.visitor()
        ada.sign_in('ada', PASSWORDS['ada'])
        target = _create(ada, 'Locked away', 'OPEN')
        visitor = locked.visitor()
        for path in ('/targets/', '/targets/%d/' % target, '/targets/name/Locked',
                     '/targets/export/', '/targets/%d/photometry.csv' % target):
            equal(visitor.get(path).status, 302, path)


def an_empty_site_says_what_to_do(site):
    with site.variant(OPEN_SEARCH='yes', EXTRA_FIELDS='redshift:number, seen:boolean') as empty:
        visitor = empty.visitor()
        contains(visitor.get('/targets/').words, 'Nothing here is open to visitors')
        ada = empty.visitor()
        ada.sign_in('ada', PASSWORDS['ada'])
        page = ada.get('/targets/')
        contains(page.words, 'No targets yet', 'Load the Messier catalogue', 'Import CSV')
        answer = ada.submit('/targets/', form='/targets/seed/')
        equal(answer.status, 302)
        contains(ada.follow(answer).words, '110 match')
        equal(visitor.get('/targets/export/').status, 200)
        answer = ada.submit('/targets/create/', {'name': 'x', 'ra': '1', 'dec': '1',
                                                 'redshift': 'high'})
        equal(answer.status, 400)
        contains(answer.text, 'id="redshift-e"', 'value="high"')
        answer = ada.submit('/targets/create/', {'name': 'x', 'ra': '1', 'dec': '1',
                                                 'redshift': '0.5', 'seen': 'True'})
        equal(answer.status, 302)
        contains(ada.follow(answer).words, 'redshift 0.5', 'seen True')


@needs('nginx')
def a_worker_at_rest_gives_back_what_an_import_took(site):
    if 'ASAN_OPTIONS' in os.environ:
        raise Skip('a sanitizer keeps what was freed')
    rows = ''.join('Rest %d,SIDEREAL,%d,%d\n' % (i, i % 360, i % 90) for i in range(10000))
    with site.variant(LOG_LEVEL='warn') as other:
        client = other.signed_in('admin')
        answer = client.submit('/targets/import/', {'mode': 'all'}, {
            'target_csv': ('rest.csv', 'name,type,ra,dec\n' + rows, 'text/csv')})
        equal(answer.status in (302, 303), True, answer.words)

        def most():
            return max(process.private_dirty(p) for p in other.handler_workers('targets'))
        wait_for(lambda: most() < 3072, 25, '3 MiB of a worker that rests')
