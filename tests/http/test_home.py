"""home: the first page, what this is, and the answer for what nobody else serves."""
import glob
import os
import re
import subprocess

from harness.report import contains, equal, lacks, wait_for


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, 0o644)


def _add(client, name, permissions):
    answer = client.submit('/targets/create/',
                           {'name': name, 'ra': '83.6', 'dec': '22.0', 'permissions': permissions})
    equal(answer.status, 302, answer.words[:300])
    return answer.location


def _latest(page):
    return re.findall(r'class="name" href="(/targets/\d+/)">([^<]*)</a>', page.text)


def an_empty_site_says_what_to_do_next(site):
    with site.variant() as empty:
        visitor = empty.visitor().get('/')
        equal(visitor.status, 200)
        contains(visitor.words, 'Nothing here is open to visitors', 'Sign in')
        lacks(visitor.words, 'Import a CSV', 'meridian-ingest')
        ada = empty.signed_in('ada').get('/')
        contains(ada.words, 'This site is ready, and empty', 'New target', 'Import a CSV')
        lacks(ada.words, 'meridian user add', 'Set the host name')
        contains(empty.signed_in('admin').get('/').words, 'Set the host name', 'meridian-ingest file',
                 'meridian user add')
        answer = empty.signed_in('admin').post('/targets/seed/', {}, page='/')
        equal(answer.status, 302)
        page = empty.signed_in('admin').get('/')
        lacks(page.words, 'This site is ready, and empty')
        contains(page.words, '110 targets', 'Latest targets')


def the_latest_targets_are_those_one_may_see(site):
    ada = site.signed_in('ada')
    seen = _add(ada, 'Home open', 'OPEN')
    public = _add(ada, 'Home public', 'PUBLIC')
    private = _add(ada, 'Home private', 'PRIVATE')
    equal(_latest(ada.get('/'))[:3],
          [(private, 'Home private'), (public, 'Home public'), (seen, 'Home open')])
    equal(_latest(site.signed_in('admin').get('/'))[0], (private, 'Home private'))
    equal(_latest(site.signed_in('ben').get('/'))[0], (public, 'Home public'))
    equal(_latest(site.visitor().get('/'))[0], (seen, 'Home open'))
    lacks(site.visitor().get('/').text, 'Home private', 'Home public')


def the_map_shows_the_targets_of_the_page(site):
    link = _add(site.signed_in('ada'), 'Home on the map', 'OPEN')
    page = site.visitor().get('/')
    contains(page.text, '<a href="%s" tabindex="-1"><circle class="pt"' % link)


def about_names_version_and_licence(site):
    page = site.visitor().get('/about/')
    equal(page.status, 200)
    contains(page.words, 'Meridian', 'ISC licence')
    with site.variant(CONTACT='tom@example.org', AUTH_STRATEGY='LOCKED') as other:
        page = other.visitor().get('/about/')
        equal(page.status, 200, 'also when the site is locked')
        contains(page.text, 'href="mailto:tom@example.org"')
        contains(page.words, 'Those who sign in')
        equal(other.visitor().get('/').status, 302, 'the rest is for those who sign in')


def what_nobody_serves_is_the_sites_404(site):
    for path in ('/nothing', '/nothing/at/all/', '/index.php', '/%00', '/..%2f..%2fetc%2fpasswd',
                 '/about/x', '/' + 'a' * 2000):
        answer = site.visitor().get(path)
        equal(answer.status in (400, 404), True, path)
        lacks(answer.text, 'nginx', 'Apache')
    page = site.visitor().get('/nothing')
    equal(page.status, 404)
    contains(page.words, 'Not found', 'Quote')
    contains(page.text, 'href="/accounts/login/?next=%2Fnothing"')
    equal(site.visitor().get('/about').location, '/about/')


def the_layout_offers_what_one_may_use(site):
    visitor, ada, staff = site.visitor(), site.signed_in('ada'), site.signed_in('staff')
    contains(visitor.get('/about/?a=b').text, 'href="/accounts/login/?next=%2Fabout%2F%3Fa%3Db"')
    lacks(visitor.get('/').text, 'csrfmiddlewaretoken', '/accounts/logout/')
    contains(ada.get('/').words, 'Sign out', 'ada')
    lacks(ada.get('/').text, 'href="/admin/"')
    contains(staff.get('/').text, 'href="/admin/"')
    contains(staff.get('/admin/').text, 'href="/admin/" aria-current="page"')


def _statements(site, name, client, path):
    """How many the page costs; what is asked once a connection, or once a minute, is no page's cost."""
    def counted():
        return [line['statements'] for line in site.log_lines(name) if 'statements' in line]
    for _ in range(2):
        before = len(counted())
        equal(client.get(path).status, 200, path)
        wait_for(lambda: len(counted()) > before, what='the line of ' + path)
    return counted()[-1]


def a_page_costs_a_fixed_number_of_statements(site):
    site.meridian('site', 'add', 'counted.example.org')
    added = '/admin/sites/site/%s/' % site.one("SELECT id FROM site WHERE domain LIKE 'counted.%'")
    visitor, ada, staff = site.visitor(), site.signed_in('ada'), site.signed_in('staff')
    admin = site.signed_in('admin')
    _add(ada, 'Counted at home', 'OPEN')
    # who asks: 1 for a session; 1 more for a host that ALLOWED_HOSTS lacks
    named = site.visitor('counted.example.org')
    for name, client, path, want in (
            ('home', visitor, '/about/', 0), ('home', ada, '/about/', 1), ('home', named, '/about/', 1),
            ('login', visitor, '/accounts/login/', 0),
            ('login', ada, '/accounts/password/', 1), ('admin-sites', staff, '/admin/', 2),
            ('users', ada, '/users/', 3), ('users', ada, '/users/?name=a', 3),
            ('users', ada, '/users/profile/', 3),
            ('admin-security', staff, '/admin/security/', 3),
            ('admin-security', staff, '/admin/sessions/', 2),
            ('admin-sites', staff, '/admin/sites/site/', 2),
            ('admin-sites', admin, '/admin/sites/site/add/', 1),
            ('admin-sites', admin, added + 'change/', 2), ('admin-sites', admin, added + 'delete/', 3)):
        equal(_statements(site, name, client, path), want, '%s of %s' % (path, name))
    # the list of targets may know its count already
    for client, most in ((visitor, 3), (ada, 4)):
        n = _statements(site, 'home', client, '/')
        equal(n in (most - 1, most), True, '%d statements for /' % n)


def below_a_prefix_all_links_keep_it(site):
    with site.variant(URL_PREFIX='/tom') as below:
        for path in ('/', '/about/', '/nothing'):
            page = below.visitor().get('/tom' + path)
            equal(page.status, 404 if path == '/nothing' else 200, path)
            for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text):
                equal(link[:5], '/tom/', '%s on %s' % (link, path))


def a_connection_that_is_long_idle_is_closed(site):
    """With either loop: the next page opens another."""
    def connections(other):
        if other.database != 'sqlite':
            return other.database_server.connections(other.database_name)
        return sum(os.readlink(link) == other.sqlite for pid in other.handler_workers('home')
                   for link in glob.glob('/proc/%d/fd/*' % pid) if os.path.islink(link))
    with site.variant(DATABASE_IDLE_SECONDS='1', FASTCGI_LOOP='plain') as plain, \
            site.variant(DATABASE_IDLE_SECONDS='1') as epoll:
        for other in (plain, epoll):
            equal(other.visitor().get('/').status, 200)
            equal(connections(other) > 0, True)
        for other in (plain, epoll):  # one that rests looks every 15 s
            wait_for(lambda: connections(other) == 0, 25, 'closing')
            equal(other.visitor().get('/').status, 200)


def an_operator_overrides_a_template(site):
    folder = os.path.join(site.directory, 'own')
    os.mkdir(folder, 0o755)
    _write(folder, 'about.html', '{{> top}}<h1>Our own words</h1>{{> bottom}}')
    with site.variant(TEMPLATES=folder) as own:
        contains(own.visitor().get('/about/').words, 'Our own words', 'Sign in')
        contains(own.visitor().get('/').words, 'Nothing here is open')


def a_template_that_lets_a_value_out_of_its_place_is_named_at_the_start(site):
    folder = os.path.join(site.directory, 'broken')
    os.mkdir(folder, 0o755)
    _write(folder, 'about.html', "{{> top}}\n<p title='{{x}}'>\n{{> bottom}}")
    ran = subprocess.run([os.path.join(site.workshop.libexec, 'home')], stdin=subprocess.DEVNULL,
                         env=site.environment(MERIDIAN_TEMPLATES=folder, REQUEST_METHOD='GET',
                                              GATEWAY_INTERFACE='CGI/1.1'),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    equal(ran.returncode, 78, ran.stderr)
    contains(ran.stderr, folder + '/about.html:2: {{x}}: a tag in a single-quoted attribute')
