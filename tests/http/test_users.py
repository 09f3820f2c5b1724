"""users: people and groups, and one's own account."""
import os

from harness.report import Skip, contains, equal, lacks, needs

LIBFAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'


def _id(site, name):
    return site.one("SELECT id FROM users WHERE username = '%s'" % name)


def _group(site, name):
    """The id of a group, which is made where it is not there."""
    if not site.sql("SELECT id FROM user_group WHERE name = '%s'" % name):
        site.meridian('group', 'add', name)
    return site.one("SELECT id FROM user_group WHERE name = '%s'" % name)


def addresses_are_seen_by_staff_and_by_their_owner(site):
    site.sql("UPDATE users SET email = 'ada@example.org' WHERE username = 'ada'")
    site.sql("UPDATE users SET email = 'ben@example.org' WHERE username = 'ben'")
    words = site.signed_in('ada').get('/users/').text
    contains(words, 'ada', 'ben', 'admin')
    lacks(words, 'ben@example.org', 'E-mail', 'Last signed in')
    contains(site.signed_in('ada').get('/users/profile/').words, 'ada@example.org')
    contains(site.signed_in('ada').get('/users/?name=example.org').words, 'No user matches')
    for who in ('staff', 'admin'):
        contains(site.signed_in(who).get('/users/').words, 'ada@example.org', 'ben@example.org')


def the_list_is_walked_by_name_and_searched_in_all_names(site):
    site.sql("INSERT INTO users (username, name_key, search_key, password, created, password_changed) "
             "VALUES " + ', '.join("('walk%02d', 'walk%02d', 'walk%02d grace o''hara', '!', 1, 1)"
                                   % (i, i, i) for i in range(60)))
    ada = site.signed_in('ada')
    page = ada.get('/users/?name=O%27HARA')
    contains(page.text, 'walk00', 'walk49', 'rel="next"')
    lacks(page.text, 'walk50', '>ben<')
    following = next(link for link in page.links if 'after=walk49' in link)
    contains(following, 'name=O%27HARA')
    page = ada.get('/users/' + following)
    contains(page.text, 'walk50', 'walk59')
    lacks(page.text, 'walk49<', 'rel="next"')
    contains(ada.get('/users/?name=nobody%25').words, 'No user matches')
    contains(ada.get('/users/?name=%25').words, 'No user matches', )
    site.sql("DELETE FROM users WHERE username LIKE 'walk%'")


def the_profile_is_ones_own(site):
    _group(site, 'profiled')
    site.meridian('group', 'join', 'profiled', 'ada')
    ada = site.signed_in('ada').get('/users/profile/')
    contains(ada.words, 'ada', 'profiled', 'Password')
    contains(ada.links, '/accounts/password/', '/users/%s/update/' % _id(site, 'ada'))
    lacks(site.signed_in('ben').get('/users/profile/').words, 'profiled')


GOOD = 'walnut-Trireme-6-saffron'
OTHER = 'cinnamon-Galleon-8-lattice'


def _add(site, name, **columns):
    """A user who cannot sign in, without the price of a hash; the id."""
    site.sql("INSERT INTO users (username, name_key, search_key, password, email, created, "
             "password_changed) VALUES ('%s', '%s', '%s', '!', '%s@example.org', 1, 1)" % ((name,) * 4))
    for column, value in columns.items():
        site.sql("UPDATE users SET %s = %s WHERE username = '%s'" % (column, value, name))
    return _id(site, name)


def _events(site, kind, name=''):
    """The details of the events of a kind, oldest first, as one text."""
    return '; '.join(d for (d,) in site.sql(
        "SELECT detail FROM security_event WHERE kind = '%s' AND username = '%s' ORDER BY id"
        % (kind, name)))


def _form(answer):
    """The fields of the form of an account, not of that which signs out, without its token."""
    form = next(f for f in answer.forms if f['method'] == 'post' and not f['action'])
    return {k: v for k, v in form['fields'].items() if k != 'csrfmiddlewaretoken'}


def a_superuser_makes_accounts_by_the_whole_policy(site):
    admin, group = site.signed_in('admin'), _group(site, 'made-in')
    fields = {'username': 'maria', 'first_name': 'Maria', 'last_name': 'Mitchell',
              'email': 'maria@example.org', 'affiliation': 'Vassar', 'groups': group,
              'password1': 'short', 'password2': 'other', 'is_superuser': 'on'}
    page = admin.post('/users/create/', fields)
    equal(page.status, 400)
    contains(page.words, 'not the same')
    contains(admin.post('/users/create/', dict(fields, password2='short')).words, '15 characters')
    fields.update(password1=GOOD, password2=GOOD)
    answer = admin.post('/users/create/', fields)
    equal((answer.status, answer.location), (302, '/users/'))
    equal(site.sql("SELECT is_superuser, is_staff, is_active, affiliation FROM users "
                   "WHERE username = 'maria'"), [('0', '0', '1', 'Vassar')], 'no rights in this form')
    equal(site.one('SELECT COUNT(*) FROM membership WHERE group_id = ' + group), '1')
    for taken in ('MARIA', '\uff4d\uff41\uff52\uff49\uff41'):
        page = admin.post('/users/create/', dict(fields, username=taken))
        equal(page.status, 400, taken)
        contains(page.words, 'Somebody else has this user name')
    equal(admin.post('/users/create/', dict(fields, username='former user')).status, 400)


def a_superuser_sets_a_password_in_two_steps(site):
    site.add_user('vera', GOOD)
    admin, vera = site.signed_in('admin'), site.visitor()
    vera.sign_in('vera', GOOD)
    path = '/users/%s/changepassword/' % _id(site, 'vera')
    contains(admin.get(path).words, "another person's")
    page = admin.post(path, {})
    contains(page.text, 'name="change_password_form"', 'name="password"')
    page = admin.post(path, {'change_password_form': '1', 'password': 'vera1'})
    equal(page.status, 400)
    contains(page.words, 'similar', '15 characters')
    equal(vera.get('/users/profile/').status, 200)
    answer = admin.post(path, {'change_password_form': '1', 'password': OTHER})
    equal(answer.status, 302)
    contains(admin.follow(answer).words, 'Password successfully changed')
    equal(vera.get('/users/profile/').status, 302, 'signed out')
    contains(_events(site, 'password_changed', 'vera'), 'by a superuser')
    equal(admin.get('/users/%s/changepassword/' % _id(site, 'admin')).location, '/accounts/password/')


def owners_set_their_profile_and_nothing_else(site):
    owner, number, group = site.signed_in('ada'), _id(site, 'ada'), _group(site, 'not theirs')
    path = '/users/%s/update/' % number
    lacks(owner.get(path).text, 'name="is_superuser"', 'name="groups"', 'name="password1"')
    sent = {'username': 'ada', 'first_name': 'Ada', 'last_name': 'L', 'email': 'ada@example.org',
            'affiliation': 'x', 'is_superuser': 'on', 'is_staff': 'on', 'groups': group,
            'password1': GOOD, 'password2': GOOD}
    answer = owner.post(path, sent)
    equal((answer.status, answer.location), (302, '/users/profile/'))
    contains(owner.follow(answer).words, 'Profile updated', 'Ada L')
    equal(site.sql('SELECT is_superuser, is_staff FROM users WHERE id = ' + number), [('0', '0')])
    equal(site.one('SELECT COUNT(*) FROM membership WHERE group_id = ' + group), '0')
    contains(_events(site, 'change_refused', 'ada'), 'is_superuser', 'groups', 'password1')
    equal(owner.post(path, dict(sent, email='')).status, 400)
    for action in ('update', 'delete'):  # others' pages lead to one's own
        answer = owner.get('/users/%s/%s/' % (_id(site, 'admin'), action))
        equal((answer.status, answer.location), (302, '/users/%s/%s/' % (number, action)))


def another_address_is_not_verified(site):
    ada, number = site.signed_in('ada'), _id(site, 'ada')
    site.sql("UPDATE users SET email = 'ada@example.org', email_verified = 5 WHERE id = " + number)
    path = '/users/%s/update/' % number
    ada.submit(path, {'first_name': 'Ada'})
    equal(site.one('SELECT email_verified FROM users WHERE id = ' + number), '5')
    equal(ada.submit(path, {'email': 'new@example.org'}).status, 302)
    equal(site.one("SELECT COUNT(*) FROM users WHERE email_verified IS NULL AND "
                   "email = 'new@example.org'"), '1')
    contains(_events(site, 'user_changed', 'ada'), 'e-mail address')


def staff_keep_ordinary_users_out_and_no_more(site):
    staff, number = site.signed_in('staff'), _add(site, 'ordinary')
    path = '/admin/auth/user/%s/change/' % number
    page = staff.get(path)
    contains(page.text, 'name="is_active"', 'name="last_name"')
    lacks(page.text, 'name="is_staff"', 'name="is_superuser"', 'name="email"', 'name="groups"',
          'name="username"', 'name="password1"')
    answer = staff.post(path, {'first_name': 'Otto', 'is_superuser': 'on', 'is_staff': 'on',
                               'email': 'evil@example.org', 'groups': _group(site, 'staffs'),
                               'password1': GOOD, 'password2': GOOD})
    equal(answer.status, 302)
    equal(site.sql('SELECT first_name, email, is_active, is_staff, is_superuser, password FROM users '
                   'WHERE id = ' + number), [('Otto', 'ordinary@example.org', '0', '0', '0', '!')])
    contains(_events(site, 'user_changed', 'ordinary'), 'disabled')
    _add(site, 'colleague', is_staff=1)
    for other in ('admin', 'colleague'):
        path = '/admin/auth/user/%s/change/' % _id(site, other)
        lacks(staff.get(path).text, 'name="first_name"')
        equal(staff.post(path, {'first_name': 'Evil'}, page='/accounts/password/').status, 403)
    equal(site.one("SELECT COUNT(*) FROM users WHERE first_name = 'Evil'"), '0')
    equal(staff.get('/admin/auth/user/%s/change/' % _id(site, 'staff')).location,
          '/users/%s/update/' % _id(site, 'staff'))


def superusers_give_rights_which_end_sessions(site):
    site.add_user('riser', GOOD)
    admin, riser, number = site.signed_in('admin'), site.visitor(), _id(site, 'riser')
    riser.sign_in('riser', GOOD)
    path = '/admin/auth/user/%s/change/' % number
    fields = _form(admin.get(path))
    equal((fields.get('is_active'), fields.get('is_staff')), ('on', None))
    equal(admin.post(path, dict(fields, is_staff='on')).status, 302)
    equal(riser.get('/users/profile/').status, 302, 'signed out')
    contains(_events(site, 'user_changed', 'riser'), 'made staff')
    equal(admin.post(path, fields).status, 302)
    equal(site.sql('SELECT is_staff, is_active FROM users WHERE id = ' + number), [('0', '1')])


def the_last_active_superuser_stays(site):
    admin, number = site.signed_in('admin'), _id(site, 'admin')
    path = '/admin/auth/user/%s/' % number
    fields = _form(admin.get(path + 'change/'))
    for without in ('is_superuser', 'is_active'):
        page = admin.post(path + 'change/', {k: v for k, v in fields.items() if k != without})
        equal(page.status, 409, without)
        contains(page.words, 'last active superuser')
    page = admin.post('/users/%s/delete/' % number, {}, page='/accounts/password/')
    equal(page.status, 409)
    contains(page.words, 'last active superuser')
    equal(admin.get('/admin/').status, 200)


def who_is_deleted_leaves_what_they_made(site):
    admin, number = site.signed_in('admin'), _add(site, 'leaver')
    site.sql("INSERT INTO target (name, type, permissions, created, modified, creator_id) "
             "VALUES ('Left behind', 'SIDEREAL', 'OPEN', 1, 1, %s)" % number)
    path = '/users/%s/delete/' % number
    contains(admin.get(path).words, 'Delete leaver?', '1 target', 'former user')
    answer = admin.post(path, {})
    equal((answer.status, answer.location), (302, '/users/'))
    contains(admin.follow(answer).words, 'Deleted leaver.', 'former user')
    equal(site.sql("SELECT u.username, u.is_active, u.password FROM target t "
                   "JOIN users u ON u.id = t.creator_id WHERE t.name = 'Left behind'"),
          [('former user', '0', '!')])
    equal(site.one("SELECT COUNT(*) FROM security_event WHERE kind = 'user_deleted' AND "
                   "username = 'leaver'"), '1')
    former = _id(site, 'former user')
    for action in ('update/', 'delete/', 'changepassword/'):
        equal(admin.get('/users/%s/%s' % (former, action)).status, 403, action)
    equal(admin.get('/admin/auth/user/%s/change/' % former).status, 403)
    equal(admin.get(path).status, 404)
    site.sql("DELETE FROM target WHERE name = 'Left behind'")


@needs('nginx')
def ones_own_account_goes_after_a_new_sign_in(site):
    if not os.path.exists(LIBFAKETIME):
        raise Skip('libfaketime is not installed')
    if 'ASAN_OPTIONS' in os.environ:
        raise Skip('the sanitizers want to be loaded first')
    site.add_user('quitter', GOOD)
    number, client = _id(site, 'quitter'), site.visitor()
    path = '/users/%s/delete/' % number
    client.sign_in('quitter', GOOD)
    contains(client.get(path).words, 'Delete your account?')
    lacks(client.get(path).words, 'Sign in again')
    # ten minutes later: times of a session are signed, so the clock of the executable moves
    site.stop_handler('users')
    site.start_handler('users', 'env', 'LD_PRELOAD=' + LIBFAKETIME, 'FAKETIME=+11m',
                       'DONT_FAKE_MONOTONIC=1')
    try:
        page = client.get(path)
        contains(page.words, 'Sign in again first')
        again = next(link for link in page.links if 'again=1' in link)
        contains(client.get(again).text, 'name="password"')
        equal(client.post(path, {}, page='/accounts/password/').status, 403)
        equal(site.one("SELECT COUNT(*) FROM users WHERE username = 'quitter'"), '1')
        page = client.submit('/users/%s/update/' % number, {'email': 'q@example.org'})
        equal(page.status, 400)
        contains(page.words, 'sign in again first')
        answer = client.post('/users/%s/regenerate-token/' % number, {}, page='/accounts/password/')
        contains(answer.location, '/accounts/login/?again=1&next=')
        equal(site.one('SELECT COUNT(*) FROM api_token WHERE user_id = ' + number), '0')
    finally:
        site.stop_handler('users')
        site.start_handler('users')
    answer = client.submit(path, {})
    equal((answer.status, answer.location), (302, '/'))
    contains(client.follow(answer).words, 'Your account is deleted.')
    equal(client.get('/users/profile/').status, 302)


def a_new_api_token_is_shown_once(site):
    ada, number = site.signed_in('ada'), _id(site, 'ada')
    path = '/users/%s/regenerate-token/' % number
    equal(ada.get(path).status, 405)
    for _ in range(2):
        page = ada.post(path, {}, page='/accounts/password/')
        equal(page.status, 200)
        contains(page.text, 'mrd_')
    equal(site.one("SELECT COUNT(*) FROM api_token WHERE user_id = %s AND name = 'API token'" % number),
          '1')
    lacks(ada.get('/users/profile/').text + ada.get('/users/%s/update/' % number).text, 'mrd_')
    answer = ada.post('/users/%s/regenerate-token/' % _id(site, 'ben'), {}, page='/accounts/password/')
    equal((answer.status, answer.location), (302, '/users/%s/update/' % number))


def groups_are_made_filled_and_deleted(site):
    admin, ada, ben = site.signed_in('admin'), _id(site, 'ada'), _id(site, 'ben')
    answer = admin.post('/groups/create/', [('name', 'Nova watch'), ('users', ada), ('users', ben)])
    equal((answer.status, answer.location), (302, '/users/'))
    number = _group(site, 'Nova watch')
    path = '/groups/%s/update/' % number
    contains(admin.get(path).text, 'value="%s" checked' % ada)
    equal(admin.post('/groups/create/', {'name': 'Nova watch'}).status, 400)
    equal(admin.post(path, [('name', 'Nova watch'), ('users_shown', '1'), ('users', ada)]).status, 302)
    members = 'SELECT user_id FROM membership WHERE group_id = ' + number
    equal(site.sql(members), [(ada,)])
    equal(admin.post(path, {'name': 'Novae', 'add': 'ben, staff'}).status, 302)
    equal(len(site.sql(members)), 3)
    contains(admin.post(path, {'name': 'Novae', 'add': 'nobody'}).words, 'There is no user nobody')
    noted = len(_events(site, 'group_changed'))
    equal(admin.post(path, {'name': 'Novae', 'add': 'ada ben'}).status, 302)
    equal(len(_events(site, 'group_changed')), noted)  # they are members already
    contains(_events(site, 'group_changed'), 'taken out of group Nova watch',
             'group Nova watch is called Novae now')
    contains(admin.get('/groups/%s/delete/' % number).words, 'Delete Novae?')
    equal(admin.post('/groups/%s/delete/' % number, {}).status, 302)
    equal(site.sql(members), [])


def where_there_are_many_people_a_group_shows_its_members_and_takes_others_by_name(site):
    admin, ada, ben = site.signed_in('admin'), _id(site, 'ada'), _id(site, 'ben')
    site.sql('INSERT INTO users (username, name_key, search_key, password, created, password_changed) '
             'VALUES ' + ', '.join("('crowd%03d', 'crowd%03d', 'crowd', '!', 1, 1)" % (i, i)
                                   for i in range(201)))
    admin.post('/groups/create/', [('name', 'Few of many'), ('users', ada)])
    number = _group(site, 'Few of many')
    path = '/groups/%s/update/' % number
    page = admin.get(path)
    contains(page.text, 'value="%s" checked' % ada)
    contains(page.words, 'Further members')
    lacks(page.words, 'crowd000')
    sent = [('name', 'Few of many'), ('users_shown', '1'), ('users', ada)]
    page = admin.post(path, sent + [('add', 'nobody')])
    equal(page.status, 400)
    contains(page.text, 'value="%s" checked' % ada, 'There is no user nobody')
    equal(admin.post(path, sent + [('add', 'ben')]).status, 302)
    equal(site.sql('SELECT user_id FROM membership WHERE group_id = %s ORDER BY user_id' % number),
          sorted([(ada,), (ben,)], key=lambda row: int(row[0])))
    site.sql("DELETE FROM users WHERE search_key = 'crowd'")
