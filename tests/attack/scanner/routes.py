"""
routes: what is tried at each route: its query, its form, its file. A route of an executable that has no row
here is an error, as is a row of no route, so that nobody forgets a new one.

A value is what a good request has; {words} are of ground.py, and FRESH is another word in each request. Each name
of `query`, `form`, `json` (the same request with another body) and `cell` is tried by sqlmap, and <id>, <text> and <rest> of the path. `fixed` is sent and not
tried: what the other fields need, or what would hash a password for nothing but a length. First come the rows that
read most of what is theirs into SQL: a scan that is ended early has done what matters.
"""
import collections

# path: what the captures are filled with. one_of: groups of names of which only one is sent, that of the name
# that is tried; else the first.
Row = collections.namedtuple('Row', 'query form fixed cell path one_of json', defaults=({}, {}, {}, {}, {}, (), {}))

PASSWORD = 'harvest-Quartz-5-almanac'
WRONG = 'mosaic-Falcon-2-ecliptic'  # nobody's
USER = {'username': 'scanned-{n}', 'first_name': 'S', 'last_name': 'C', 'email': 'scanned@example.org',
        'affiliation': 'A'}
PASSWORDS = {'password1': PASSWORD, 'password2': PASSWORD + 'x'}  # not alike: nobody is made
SIDEREAL = {'name': 'Tried FRESH', 'type': 'SIDEREAL', 'ra': '10', 'dec': '10', 'epoch': '2000', 'parallax': '1',
            'pm_ra': '1', 'pm_dec': '1', 'galactic_lng': '1', 'galactic_lat': '1', 'distance': '1',
            'distance_err': '1', 'permissions': 'OPEN', 'groups': '{group}', 'aliases': 'Alias FRESH',
            'redshift': '0.1', 'targetextra_set-0-key': 'note', 'targetextra_set-0-value': 'tried'}
EXTRAS = {'targetextra_set-TOTAL_FORMS': '1', 'groups_shown': '1'}
ABSENT = {'id': '{absent}'}  # what a form would take away is not there, so that it is there for the others
FILTERS = {'query': 'scanned 11', 'name': 'Scanned 11', 'name_fuzzy': 'scanned 11', 'type': 'SIDEREAL', 'key': 'note',
           'value': 'tried', 'targetlist__name': '{list}', 'sort': '-created'}
ONE_FILTER = ('query', 'name', 'name_fuzzy', 'type', 'key value', 'targetlist__name', 'sort')

ROUTES = {
    # lists, searches, filters, and where a page goes on
    'GET /targets/': Row(dict(FILTERS, cone_search='10,10,5', target_cone_search='Scanned 11,5', after='{after}',
                              page='1', cone='10 10', radius='5', unit='arcmin'),
                         one_of=ONE_FILTER + ('cone_search', 'target_cone_search', 'after', 'page',
                                              'cone radius unit')),
    'GET /admin/security/': Row({'kind': '{kind}', 'user': 'admin', 'address': '127.0.0.1',
                                 'from': '2020-01-01', 'to': '2099-01-01', 'before': '{event}'},
                                one_of=('kind', 'user', 'address', 'from to', 'before')),
    'GET /users/': Row({'name': 'sc', 'after': 'ada', 'groups_after': 'a'}),
    'POST /api/token-auth/': Row(form={'username': 'nobody', 'password': WRONG},
                                 json={'username': 'nobody', 'password': WRONG}),
    'GET /targets/<id>/access/': Row({'user': 'ada', 'after': 'a', 'group': '{group}', 'from': '1'},
                                     one_of=('user', 'after group', 'from')),
    'GET /targets/export/': Row(FILTERS, one_of=ONE_FILTER),
    'GET /targets/name/<rest>': Row(),
    'POST /targets/import/': Row(form={'mode': 'rows', 'permissions': 'OPEN', 'groups': '{group}'},
                                 cell={'name': 'Imported FRESH', 'aliases': 'Alias FRESH', 'ra': '10', 'dec': '10',
                                       'note': 'tried', 'redshift': '0.1', 'permissions': 'OPEN'}),
    'GET /admin/sessions/': Row({'user': 'ada', 'after': '{session_place}'}),
    'GET /targets/<id>/permissions/': Row({'source': 'ZTF', 'after': '1'}),
    'POST /targets/<id>/permissions/': Row(form={'source': 'ZTF', 'user': 'ben', 'principal': '{principal}',
                                                 'group': '{group}', 'change': 'on', 'delete': 'on', 'take': '0',
                                                 'was': '7', 'sure': '0'}, one_of=('user', 'group', 'principal was')),
    'GET /admin/auth/user/': Row({'name': 'sc', 'after': 'ada', 'groups_after': 'a'}),
    'GET /admin/auth/group/': Row({'name': 'a', 'after': 'a', 'groups_after': 'a'}),
    'POST /accounts/login/': Row(form={'username': 'nobody', 'password': WRONG, 'next': '/targets/'}),
    'GET /accounts/login/': Row({'next': '/targets/', 'again': '1'}),
    'POST /accounts/password/reset/': Row(form={'email': 'nobody@example.org'}),
    'GET /accounts/password/reset/<text>/': Row(),
    'GET /accounts/register/<text>/': Row(),
    'GET /targets/<id>/': Row({'y': 'flux', 'x': 'days', 'from': '50000', 'to': '70000', 'sort': 'band',
                               'after': '60000_0_r'}),
    'GET /targets/<id>/photometry.csv': Row({'from': '50000', 'to': '70000'}),
    'GET /targets/<id>/alerts/': Row({'before': '60000.5,1'}),
    'GET /targets/<id>/update/': Row(),
    'POST /targets/seed/': Row(),

    # users, groups and sites
    'POST /users/create/': Row(form=dict(USER, groups='{group}'), fixed=dict(PASSWORDS, groups_shown='1')),
    'POST /users/<id>/update/': Row(form=dict(USER, groups='{group}'), fixed={'groups_shown': '1'}),
    'POST /groups/create/': Row(form={'name': 'Tried FRESH', 'add': 'ada', 'users': '{user}'},
                                fixed={'users_shown': '1'}),
    'POST /groups/<id>/update/': Row(form={'name': 'Tried too', 'add': 'ada', 'users': '{user}'},
                                     fixed={'users_shown': '1'}, path={'id': '{other_group}'}),
    'POST /admin/auth/user/add/': Row(form=dict(USER, is_active='on', is_staff='0', is_superuser='0'),
                                      fixed=PASSWORDS),
    'POST /admin/auth/user/<id>/change/': Row(form=dict(USER, is_active='on', is_staff='0', is_superuser='0')),
    'POST /admin/auth/group/add/': Row(form={'name': 'Tried FRESH', 'add': 'ada', 'users': '{user}'}),
    'POST /admin/auth/group/<id>/change/': Row(form={'name': 'Tried too', 'add': 'ada', 'users': '{user}'},
                                               path={'id': '{other_group}'}),
    'POST /admin/sites/site/add/': Row(form={'domain': 'FRESH.example', 'name': 'Tried'}),
    'POST /admin/sites/site/<id>/change/': Row(form={'domain': 'scanned.example', 'name': 'Tried'}),
    'POST /admin/sessions/end/': Row(form={'session': 'A' * 43, 'user': 'nobody'}, one_of=('session', 'user')),
    'POST /admin/sessions/end-all/': Row(form={'all': 'no'}),
    'POST /users/<id>/changepassword/': Row(form={'password': 'short'}, fixed={'change_password_form': '1'}),

    # accounts
    'POST /accounts/register/': Row(form=dict(USER, stamp='{stamp}', website='', terms='on'), fixed=PASSWORDS),
    'GET /accounts/address/<text>/': Row(),
    'POST /accounts/address/<text>/': Row(path={'text': 'A' * 43}),
    'POST /accounts/register/<text>/': Row(path={'text': 'A' * 43}),
    'POST /accounts/password/reset/<text>/': Row(form={'new_password1': 'a', 'new_password2': 'b'}),
    'POST /accounts/password/check/': Row(form={'username': 'ada', 'password': WRONG}),
    'POST /accounts/password/': Row(form={'old_password': WRONG, 'next': '/'},
                                    fixed={'new_password1': PASSWORD, 'new_password2': PASSWORD}),
    'POST /accounts/tokens/': Row(form={'name': 'Tried', 'scope': 'read', 'days': '1', 'old_password': WRONG}),
    'POST /accounts/tokens/<id>/revoke/': Row(path=ABSENT),
    'POST /accounts/sessions/end/': Row(form={'session': 'A' * 43}),
    'POST /accounts/sessions/end-others/': Row(),
    'POST /accounts/login/code/': Row({'how': 'recovery'}, form={'code': '123456', 'next': '/'}),
    'POST /accounts/login/factor/': Row(form={'code': '123456', 'next': '/'}),
    'GET /accounts/login/code/': Row({'how': 'recovery', 'next': '/'}),
    'GET /accounts/login/factor/': Row({'next': '/'}),
    'POST /accounts/factor/add/': Row(form={'code': '123456', 'old_password': WRONG}),
    'POST /accounts/factor/codes/': Row(form={'code': '123456', 'old_password': WRONG}),
    'POST /accounts/factor/remove/': Row(form={'code': '123456', 'old_password': WRONG}),
    'POST /accounts/approve/<id>/': Row(form={'decision': 'later'}),
    'GET /accounts/approve/<id>/': Row(),
    'POST /terms/': Row(form={'version': '7', 'next': '/'}),
    'GET /terms/': Row({'next': '/'}),

    # targets, field by field
    'POST /targets/create/': Row(form=SIDEREAL, fixed=EXTRAS),
    'GET /targets/create/': Row({'type': 'SIDEREAL', 'name': 'Tried', 'names': 'Alias', 'ra': '10', 'dec': '10',
                                 'redshift': '0.1', 'permissions': 'OPEN', 'groups': '{group}'}),
    'POST /targets/<id>/update/': Row(form=SIDEREAL, fixed=EXTRAS, path={'id': '{other_target}'}),

    # streams and objects
    'GET /alerts/objects/': Row({'survey': 'ZTF', 'name': 'ZTF', 'cone': '10 10', 'radius': '5', 'after': 'A' * 86},
                                one_of=('survey', 'name', 'cone radius', 'after')),
    'GET /alerts/objects/<text>/<rest>': Row({'before': '60000,1'}, path={'text': 'ZTF', 'rest': 'ZTF18scanned'}),
    'GET /alerts/streams/<text>/letters/': Row({'settled': '1', 'before': '999999999'}, path={'text': 'scanned'}),
    'POST /alerts/streams/<text>/replay/': Row(path={'text': 'scanned'}),
    'POST /alerts/letters/<id>/replay/': Row(path={'id': '{letter}'}),
    'POST /alerts/letters/<id>/dismiss/': Row(path=ABSENT),

    # pages by number, and what takes away
    'GET /users/<id>/update/': Row(),
    'GET /users/<id>/delete/': Row(),
    'POST /users/<id>/delete/': Row(path=ABSENT),
    'GET /users/<id>/changepassword/': Row(),
    'POST /users/<id>/regenerate-token/': Row(path=ABSENT),
    'GET /groups/<id>/update/': Row(),
    'GET /groups/<id>/delete/': Row(),
    'POST /groups/<id>/delete/': Row(path=ABSENT),
    'GET /admin/auth/user/<id>/change/': Row(),
    'GET /admin/auth/user/<id>/delete/': Row(),
    'POST /admin/auth/user/<id>/delete/': Row(path=ABSENT),
    'GET /admin/auth/group/<id>/change/': Row(),
    'GET /admin/auth/group/<id>/delete/': Row(),
    'POST /admin/auth/group/<id>/delete/': Row(path=ABSENT),
    'GET /admin/sites/site/<id>/change/': Row(),
    'GET /admin/sites/site/<id>/delete/': Row(),
    'POST /admin/sites/site/<id>/delete/': Row(path=ABSENT),
    'GET /targets/<id>/delete/': Row(),
    'POST /targets/<id>/delete/': Row(path=ABSENT),

    # pages that read nothing of the request but who asks: asked once, and by wapiti
    'GET /': Row(),
    'GET /about/': Row(),
    'GET /robots.txt': Row(),
    'GET /admin/': Row(),
    'GET /admin/sites/site/': Row(),
    'GET /admin/sites/site/add/': Row(),
    'GET /admin/auth/user/add/': Row(),
    'GET /admin/auth/group/add/': Row(),
    'GET /admin/sessions/end-all/': Row(),
    'GET /healthz': Row(),
    'GET /metrics': Row(),
    'GET /alerts/': Row(),
    'GET /alerts/scout/': Row(query={'sort': '-rating'}),
    'GET /alerts/scout/<text>/': Row(),
    'GET /alerts/streams/': Row(),
    'GET /users/profile/': Row(),
    'GET /users/create/': Row(),
    'GET /groups/create/': Row(),
    'GET /targets/import/': Row(),
    'GET /targets/seed/': Row(),
    'GET /accounts/factor/': Row(),
    'GET /accounts/factor/add/': Row(),
    'GET /accounts/factor/remove/': Row(),
    'GET /accounts/factor/codes/': Row(),
    'GET /accounts/password/': Row(),
    'GET /accounts/password/reset/': Row(),
    'GET /accounts/password/sent/': Row(),
    'GET /accounts/register/': Row(),
    'GET /accounts/registered/': Row(),
    'GET /accounts/tokens/': Row(),
    'GET /accounts/sessions/': Row(),
    'GET /accounts/approve/': Row(),
    'POST /accounts/logout/': Row(),
}

# Headers are read by the same code before every route: once an executable, at a page that asks who it is.
HEADERS = ('User-Agent', 'Referer', 'Authorization', 'sid', 'visitor', 'device', 'half', 'messages', 'offer')
PAGES = {'login': '/accounts/sessions/', 'users': '/users/', 'targets': '/targets/', 'home': '/',
         'alerts': '/alerts/streams/', 'metrics': '/metrics', 'admin-sites': '/admin/', 'admin-security': '/admin/security/',
         'robots': '/robots.txt'}


def unmatched(routes):
    """What routes and rows do not have of each other, in words; '' where they match."""
    return ', '.join(sorted(['%s has no row' % r for r in set(routes) - set(ROUTES)] +
                            ['%s is no route' % r for r in set(ROUTES) - set(routes)]))
