"""
rights: who gives which rights on a target to whom, who is told why somebody sees it, and measurements
with rights of their own (TARGET_PERMISSIONS_ONLY = no).
"""
import re

from harness.report import contains, equal, lacks, wait_for
from test_targets import _create


def _user(site, name):
    return site.one("SELECT id FROM users WHERE username = '%s'" % name)


def _principal(site, name):
    """The number of a user in the table of rights (lib/auth/access.h)."""
    return int(_user(site, name)) * 16


def _group(site, name, *members):
    """A group with members, and its principal."""
    if site.one("SELECT id FROM user_group WHERE name = '%s'" % name) is None:
        site.meridian('group', 'add', name)
    for member in members:
        site.meridian('group', 'join', name, member)
    return int(site.one("SELECT id FROM user_group WHERE name = '%s'" % name)) * 16 + 1


def _rights(site, target):
    """{principal: verbs} of a target."""
    return {int(p): int(v) for p, v in
            site.sql('SELECT principal, verbs FROM rights WHERE target_id = %d' % target)}


def _give(client, target, **form):
    """Sends the form of rights; the answer. True is what a ticked box sends."""
    data = {k: 'on' if v is True else str(v) for k, v in form.items()}
    return client.post('/targets/%d/permissions/' % target, data, page='/targets/create/')


def a_creator_gives_each_verb_to_a_user_and_takes_it_away(site):
    ada, ben = site.signed_in('ada'), site.signed_in('ben')
    target = _create(ada, 'Lent to Ben')
    him = _principal(site, 'ben')
    path = '/targets/%d/' % target
    equal(ben.get(path).status, 404)
    equal(_give(ada, target, user='ben').status, 302)
    equal((_rights(site, target)[him], ben.get(path).status, ben.get(path + 'update/').status,
           ben.get(path + 'delete/').status), (1, 200, 403, 403))
    equal(ben.get(path + 'permissions/').status, 403, 'sight gives no rights to give')
    equal(_give(ada, target, principal=him, was=1, change=True).status, 302)
    equal((_rights(site, target)[him], ben.get(path + 'update/').status,
           ben.get(path + 'delete/').status), (3, 200, 403))
    equal(_give(ada, target, principal=him, was=3, change=True, delete=True).status, 302)
    equal((_rights(site, target)[him], ben.get(path + 'delete/').status), (7, 200))
    answer = _give(ada, target, principal=him, was=7, take=1)
    equal((answer.status, answer.location), (302, path + 'permissions/'))
    equal((him in _rights(site, target), ben.get(path).status), (False, 404))
    contains(ada.get(path + 'permissions/').words, 'Rights on Lent', 'ben may nothing Lent to Ben now')


def rights_changed_is_in_the_security_log(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Logged rights')
    _give(ada, target, user='ben', change=True)
    row = site.sql("SELECT user_id, username, actor_id, detail FROM security_event "
                   "WHERE kind = 'rights_changed' ORDER BY id DESC LIMIT 1")[0]
    equal(row[:3], (_user(site, 'ben'), 'ben', _user(site, 'ada')))
    contains(row[3], 'ben may see and change target %d Logged rights' % target, 'before: nothing')
    ada.submit('/targets/%d/update/' % target, {'permissions': 'OPEN'})
    row = site.sql("SELECT actor_id, detail FROM security_event "
                   "WHERE kind = 'rights_changed' ORDER BY id DESC LIMIT 1")[0]
    equal(row[0], _user(site, 'ada'))
    contains(row[1], 'OPEN', 'before: PRIVATE')


def nobody_gives_or_takes_what_they_do_not_have(site):
    ada, ben = site.signed_in('ada'), site.signed_in('ben')
    target = _create(ada, 'Not all of it')
    group = _group(site, 'Rights of Ben', 'ben')
    her, him = _principal(site, 'ada'), _principal(site, 'ben')
    _give(ada, target, user='ben', change=True)
    before = _rights(site, target)
    for what in ({'user': 'staff', 'delete': True}, {'principal': him, 'was': 3, 'change': True,
                                                     'delete': True},
                 {'principal': her, 'was': 7}, {'principal': her, 'was': 7, 'take': 1},
                 {'principal': 1, 'was': 0}, {'principal': 2, 'was': 0, 'change': True},
                 {'principal': 3, 'was': 0}, {'principal': group, 'was': 0, 'delete': True}):
        answer = _give(ben, target, **what)
        equal(answer.status, 400, what)
        contains(answer.words, 'Not saved')
    equal(_rights(site, target), before)
    # with the form of the target: his group gets what he has
    equal(ben.submit('/targets/%d/update/' % target, {'groups': str(group // 16)}).status, 302)
    equal(_rights(site, target)[group], 3)
    # and what he has he may give
    equal(_give(ben, target, user='staff', change=True).status, 302)
    equal(_rights(site, target)[_principal(site, 'staff')], 3)
    # a group that he is not a member of
    other = _group(site, 'Rights of others', 'staff')
    answer = _give(ben, target, group=other // 16)
    equal((answer.status, other in _rights(site, target)), (400, False))
    contains(answer.words, 'groups that you are a member of')
    lacks(answer.words, 'Rights of others')


def a_superuser_gives_everything_to_everybody(site):
    admin = site.signed_in('admin')
    target = _create(site.signed_in('ada'), 'Anyone of it')
    group = _group(site, 'Rights of others', 'staff')
    equal(_give(admin, target, group=group // 16, change=True, delete=True).status, 302)
    equal(_give(admin, target, user='ben', delete=True).status, 302)
    equal(_give(admin, target, principal=_principal(site, 'ada'), was=7, take=1).status, 302)
    equal(_rights(site, target), {group: 7, _principal(site, 'ben'): 5})
    equal(site.signed_in('staff').get('/targets/%d/' % target).status, 200)


def ones_own_last_right_is_asked_for(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Given up')
    her = _principal(site, 'ada')
    answer = _give(ada, target, principal=her, was=7, take=1)
    equal((answer.status, _rights(site, target)), (409, {her: 7}))
    contains(answer.words, 'Give up a right of your own?')
    form = [f for f in answer.forms if 'permissions' in f['action']][0]
    equal(form['fields']['sure'], '1')
    answer = ada.post(form['action'], form['fields'], token=False)
    equal((answer.status, answer.location, _rights(site, target)), (302, '/targets/', {}))
    equal(ada.get('/targets/%d/' % target).status, 404)
    # who has it by a group as well is not asked
    group = _group(site, 'Rights of Ada', 'ada')
    target = _create(ada, 'Kept by a group', groups=str(group // 16))
    equal(_give(ada, target, principal=her, was=7, take=1).status, 302)
    equal(_rights(site, target), {group: 7})


def what_changed_meanwhile_is_shown_and_not_undone(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Two at a time')
    him = _principal(site, 'ben')
    _give(ada, target, user='ben', change=True)
    answer = _give(ada, target, principal=him, was=1, take=1)
    equal((answer.status, _rights(site, target)[him]), (400, 3))
    contains(answer.words, 'meanwhile')
    equal(_give(ada, target, principal=him, was=3, change=True).status, 400, 'the same again')
    equal(_give(ada, target, user='nobody-here').status, 400)
    equal(_give(ada, target, principal=16 * 999999999, was=0).status, 400, 'no such user')
    equal(_give(ada, target).status, 400)
    equal(_give(ada, target, user='ben', group=1).status, 400, 'two at once')


def each_reason_why_someone_sees_a_target_is_listed(site):
    ada, ben, staff = (site.signed_in(n) for n in ('ada', 'ben', 'staff'))
    group = _group(site, 'Readers of why', 'staff', 'admin')
    target = _create(ada, 'Why and who')
    path = '/targets/%d/access/' % target
    _give(ada, target, user='ben')
    site.sql('INSERT INTO rights (principal, target_id, verbs, created) VALUES (%d, %d, 3, 0)'
             % (group, target))
    words = ada.get(path).words
    contains(words, 'ada', 'Made it', 'ben', 'A right of their own', 'Readers of why',
             'A group with rights', 'Superusers')
    contains(ada.get('/targets/%d/' % target).text, path)
    # others get their own reason, and nobody else's
    words = ben.get(path).words
    contains(words, 'By name: may see it.')
    lacks(words, 'Readers of why', 'staff', 'Superusers', 'May somebody')
    lacks(ben.get(path + '?user=staff').words, 'staff may')
    lacks(ben.get(path + '?group=%d' % (group // 16)).words, 'Members of')
    contains(site.signed_in('admin').get(path).words, 'A superuser, who may do everything',
             'A member of Readers of why')
    contains(staff.get(path).words, 'A member of Readers of why, which may see and change it.')
    equal(site.visitor().get(path).status, 404)
    # "may N see it?"
    contains(ada.get(path + '?user=staff').words, 'staff may see it.', 'A member of Readers of why')
    contains(ada.get(path + '?user=admin').words, 'admin may see it.', 'A superuser')
    contains(ada.get(path + '?user=nobody-here').words, 'There is no user of the name nobody-here')
    _give(ada, target, principal=_principal(site, 'ben'), was=1, take=1)
    contains(ada.get(path + '?user=ben').words, 'ben may not see it.')
    # the members, and of no group without rights
    words = ada.get(path + '?group=%d' % (group // 16)).words
    contains(words, 'Members of Readers of why', 'staff', 'admin')
    other = _group(site, 'Rights of others', 'staff')
    lacks(ada.get(path + '?group=%d' % (other // 16)).words, 'Members of')
    # OPEN and PUBLIC
    ada.submit('/targets/%d/update/' % target, {'permissions': 'PUBLIC'})
    contains(ben.get(path).words, 'It is open to everyone who is signed in.')
    ada.submit('/targets/%d/update/' % target, {'permissions': 'OPEN'})
    contains(site.visitor().get(path).words, 'It is open to everyone, without signing in.')
    contains(ada.get(path).words, 'It is OPEN')


def open_and_public_give_change_and_delete_where_the_site_says_so(site):
    with site.variant(TARGET_OPEN_CHANGE='yes') as other:
        ada, ben = other.signed_in('ada'), other.signed_in('ben')
        group = _group(other, 'Of Ben', 'ben')
        for kind in ('OPEN', 'PUBLIC'):
            target = _create(ada, 'TOM Toolkit ' + kind, kind)
            path = '/targets/%d/' % target
            contains(ben.get(path).text, '/update/', '/delete/')
            equal(ben.submit(path + 'update/', {'name': 'Changed ' + kind}).status, 302)
            equal(other.one('SELECT name FROM target WHERE id = %d' % target), 'Changed ' + kind)
            # a right that is everybody's is nobody's to give
            equal(ben.get(path + 'permissions/').status, 403)
            equal(_give(ben, target, user='ben', change=True).status, 403)
            answer = ben.submit(path + 'update/', {'groups': str(group // 16)})
            equal((answer.status, group in _rights(other, target)), (400, False))
            for sight in {'OPEN', 'PUBLIC', 'PRIVATE'} - {kind}:
                answer = ben.submit(path + 'update/', {'permissions': sight, 'name': 'Opened ' + kind})
                equal((answer.status, other.one('SELECT permissions FROM target WHERE id = %d' % target),
                       1 in _rights(other, target)), (400, kind, kind == 'OPEN'))
            visitor = other.visitor()
            equal(visitor.get(path + 'update/').status, 302)
            equal(visitor.get(path).status, 200 if kind == 'OPEN' else 404)
            equal(ben.submit(path + 'delete/', {}).status, 302)
            equal(other.one('SELECT COUNT(*) FROM target WHERE id = %d' % target), '0')
        private = _create(ada, 'TOM Toolkit PRIVATE')
        equal(ben.get('/targets/%d/update/' % private).status, 404)
    # as it comes it is sight only: test_targets.sight_gives_no_right_to_change


def _measure(site, target, source, n=3):
    for i in range(n):
        site.sql('INSERT INTO datum (target_id, source, kind, band, mjd, survey_id, magnitude, '
                 "magnitude_error, sign, created) VALUES (%d, '%s', 1, 'g', %f, %d, %f, 0.1, 1, 0)"
                 % (target, source, 60000 + i, i + 1, 17 + i * 0.25))


def _sources(client, target):
    """The sources of what the page, its curve and the file show; they must agree."""
    page = client.get('/targets/%d/' % target)
    file = client.get('/targets/%d/photometry.csv' % target)
    equal((page.status, file.status), (200, 200))
    lines = file.text.strip().split('\r\n')[1:]
    found = {line.split(',')[-2] for line in lines}
    rows = re.findall(r'<td>([A-Z]+)</tr>', page.text)
    equal(set(rows), found, 'the table beside the file')
    contains(page.words, '%d in all' % len(lines) if lines else 'None yet')
    drawn = page.text.count('<use ') + page.text.count('<circle class')
    return found, len(lines), drawn


def measurements_have_rights_of_their_own_where_the_site_says_so(site):
    with site.variant(TARGET_PERMISSIONS_ONLY='no') as other:
        admin, ada, ben, visitor = (other.signed_in('admin'), other.signed_in('ada'),
                                    other.signed_in('ben'), other.visitor())
        target = _create(ada, 'Data of two', 'OPEN')
        _measure(other, target, 'ZTF')
        _measure(other, target, 'ATLAS', 2)
        form = '/targets/%d/permissions/' % target
        equal(_sources(admin, target)[:2], ({'ZTF', 'ATLAS'}, 5))
        for client in (ada, ben, visitor):
            equal(_sources(client, target)[:2], (set(), 0), 'nobody was given any')
        # the creator of the target has none of them to give
        equal(ada.get(form + '?source=ZTF').status, 200)
        equal(_give(ada, target, source='ZTF', user='ben').status, 400)
        equal(_give(admin, target, source='ZTF', user='ada', change=True, delete=True).status, 302)
        equal(_sources(ada, target)[:2], ({'ZTF'}, 3))
        equal(_give(ada, target, source='ZTF', user='ben').status, 302)
        equal(_give(ada, target, source='ATLAS', user='ben').status, 400)
        equal(_sources(ben, target)[:2], ({'ZTF'}, 3))
        equal(_give(admin, target, source='ATLAS', principal=1, was=0).status, 302)
        equal(_sources(visitor, target)[:2], ({'ATLAS'}, 2))
        equal(_sources(ben, target)[:2], ({'ZTF', 'ATLAS'}, 5))
        equal(_give(ada, target, source='ZTF', principal=1, was=0, change=True).status, 400)
        # why
        words = ada.get('/targets/%d/access/?user=ben' % target).words
        contains(words, 'Measurements of ATLAS: yes.', 'Measurements of ZTF: yes.')
        words = visitor.get('/targets/%d/access/' % target).words
        contains(words, 'Measurements of ATLAS')
        lacks(words, 'By name', 'ZTF')
        equal(_give(ada, target, source='ZTF', principal=_principal(other, 'ben'), was=1,
                    take=1).status, 302)
        equal(_sources(ben, target)[:2], ({'ATLAS'}, 2))
        # a source that is not there is no address
        equal(admin.get(form + '?source=LSST').status, 404)
        # they do not open the target
        ada.submit('/targets/%d/update/' % target, {'permissions': 'PRIVATE'})
        equal(visitor.get('/targets/%d/photometry.csv' % target).status, 404)


def rights_on_measurements_do_not_count_where_the_site_does_not_say_so(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Data of the target', 'PUBLIC')
    _measure(site, target, 'ZTF')
    equal(_sources(site.signed_in('ben'), target)[:2], ({'ZTF'}, 3))
    equal(site.signed_in('admin').get('/targets/%d/permissions/?source=ZTF' % target).status, 404)
    equal(_give(site.signed_in('admin'), target, source='ZTF', user='ben').status, 404)


def rights_cost_a_fixed_number_of_statements(site):
    ada = site.signed_in('ada')
    target = _create(ada, 'Counted rights')
    counts = []
    for path in ('permissions/', 'access/'):
        path = '/targets/%d/%s' % (target, path)
        ada.get(path)
        name = re.search(r'Request <span class="copy">([^<]+)', ada.get(path).text).group(1)
        line = wait_for(lambda: [one for one in site.log_lines('targets') if name in str(one)],
                        what='the line of the request')[-1]
        counts.append(line['statements'])
    # session; target, own rights, all rights, groups; session; target, own rights, all rights
    equal(counts, [5, 4])
