"""users: people and groups, and one's own account."""
from harness.report import contains, equal, lacks


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
    lacks(site.signed_in('ada').get('/users/?name=example.org').words, 'ben', 'No user matches ben')
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
