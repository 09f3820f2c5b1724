"""admin-sites: the Sites table, that decides which hosts are answered."""
import re

from harness.report import contains, equal, lacks
from harness.site import PASSWORDS

LIST = '/admin/sites/site/'


def _id(site, domain):
    return site.one("SELECT id FROM site WHERE domain = '%s'" % domain)


def staff_look_and_superusers_change(site):
    for path in ('/admin/', LIST, LIST + 'add/', LIST + '1/change/', LIST + '1/delete/'):
        answer = site.visitor().get(path)
        equal(answer.status, 302, path)
        contains(answer.location, '/accounts/login/?next=')
        equal(site.signed_in('ada').get(path).status, 403, path)
    for name in ('staff', 'admin'):
        equal(site.signed_in(name).get(LIST).status, 200, name)
        equal(site.signed_in(name).get('/admin/').status, 200, name)
    equal(site.signed_in('ada').post(LIST + 'add/', {'domain': 'x.test', 'name': 'x'},
                                     page='/accounts/password/').status, 403)
    equal(_id(site, 'x.test'), None)
    # the links of reset mails are made of this name: who sets it gets a superuser's next one
    before = site.one('SELECT domain FROM site WHERE id = 1')
    staff = site.signed_in('staff')
    for path in (LIST + 'add/', LIST + '1/change/', LIST + '1/delete/'):
        equal(staff.get(path).status, 403, path)
        equal(staff.post(path, {'domain': 'elsewhere.example', 'name': 'x'},
                         page='/accounts/password/').status, 403, path)
        lacks(staff.get(LIST).text, '%s%s' % (LIST, 'add/'), '/change/')
    equal(site.one('SELECT domain FROM site WHERE id = 1'), before)


def a_new_site_is_answered_at_once(site):
    visitor = site.visitor('new.example.org')
    equal(visitor.get('/').status, 400)
    client = site.signed_in('admin')
    answer = client.submit(LIST + 'add/', {'domain': 'new.example.org', 'name': 'New one'})
    if answer.status not in (302, 303):
        raise AssertionError('%d %s' % (answer.status, answer.words[:300]))
    contains(client.follow(answer).words, 'new.example.org')
    for name in ('/', '/accounts/login/', '/targets/', '/nowhere/'):
        equal(visitor.get(name).status, 404 if 'nowhere' in name else 200, name)
    equal(site.visitor('new.example.org:8443').get('/').status, 200, 'any port')
    equal(site.visitor('NEW.EXAMPLE.ORG').get('/').status, 200, 'any case')
    equal(site.visitor('x.new.example.org').get('/').status, 400, 'a subdomain')
    equal(site.visitor('new.example.org.').get('/').status in (200, 400), True)


def a_changed_site_counts_at_once(site):
    client = site.signed_in('admin')
    client.submit(LIST + 'add/', {'domain': 'before.example.org', 'name': 'Before'})
    path = LIST + _id(site, 'before.example.org') + '/change/'
    equal(client.get(path).forms[-1]['fields']['domain'], 'before.example.org')
    answer = client.submit(path, {'domain': 'after.example.org:8443', 'name': 'After'})
    if answer.status not in (302, 303):
        raise AssertionError('%d %s' % (answer.status, answer.words[:300]))
    equal(site.visitor('before.example.org').get('/').status, 400)
    equal(site.visitor('after.example.org:8443').get('/').status, 200)
    equal(site.visitor('after.example.org').get('/').status, 400, 'without the port')
    equal(site.visitor('after.example.org:1').get('/').status, 400, 'another port')


def a_deleted_site_is_refused_at_once(site):
    client = site.signed_in('admin')
    client.submit(LIST + 'add/', {'domain': 'gone.example.org', 'name': 'Gone'})
    path = LIST + _id(site, 'gone.example.org') + '/delete/'
    equal(site.visitor('gone.example.org').get('/').status, 200)
    page = client.get(path)
    contains(page.words, 'gone.example.org')
    equal(site.visitor('gone.example.org').get('/').status, 200, 'asking deletes nothing')
    client.submit(path, {})
    equal(site.visitor('gone.example.org').get('/').status, 400)
    equal(client.get(path).status, 404)


def the_site_in_use_and_the_last_one_stay(site):
    client = site.signed_in('admin')
    answer = client.post(LIST + '1/delete/', {}, page=LIST + 'add/')
    if answer.status not in (400, 403, 409):
        raise AssertionError('deleting SITE_ID: %d' % answer.status)
    equal(site.one('SELECT COUNT(*) FROM site WHERE id = 1'), '1')


def hostnames_are_checked(site):
    client = site.signed_in('admin')
    for domain in ('', 'https://a.example', 'a.example/path', 'a b.example', 'a..example', '-a.example',
                   'a.example:0', 'a.example:99999', 'a.example:x', '.example', 'a' * 64 + '.example',
                   'user@a.example', 'a_b.example?', '*.example', 'a.example#x', '[::1', 'a,b.example',
                   '1.2.3.400', 'a.example:80:80', '<b>.example'):
        page = client.submit(LIST + 'add/', {'domain': domain, 'name': 'Wrong'})
        equal(page.status, 400, domain)
        equal(page.forms[-1]['fields']['domain'], domain, 'what was typed')
        contains(page.text, 'aria-invalid="true"')
    equal(site.one("SELECT COUNT(*) FROM site WHERE name = 'Wrong'"), '0')


def names_of_other_scripts_are_kept_as_ascii(site):
    client = site.signed_in('admin')
    answer = client.submit(LIST + 'add/', {'domain': 'Königstuhl.Example.ORG', 'name': 'Königstuhl'})
    if answer.status not in (302, 303):
        raise AssertionError('%d %s' % (answer.status, answer.words[:300]))
    equal(_id(site, 'xn--knigstuhl-07a.example.org') is not None, True)
    equal(site.visitor('xn--knigstuhl-07a.example.org').get('/').status, 200)
    contains(client.get(LIST).text, 'Königstuhl')


def a_domain_is_given_once(site):
    client = site.signed_in('admin')
    client.submit(LIST + 'add/', {'domain': 'once.example.org', 'name': 'Once'})
    page = client.submit(LIST + 'add/', {'domain': 'ONCE.example.org', 'name': 'Twice'})
    equal(page.status, 400)
    equal(site.one("SELECT COUNT(*) FROM site WHERE domain = 'once.example.org'"), '1')


def names_are_escaped(site):
    client = site.signed_in('admin')
    client.submit(LIST + 'add/', {'domain': 'esc.example.org', 'name': '<script>alert(1)</script>"\'&'})
    page = client.get(LIST)
    lacks(page.text, '<script>alert(1)')
    contains(page.words, '<script>alert(1)</script>"\'&')


def the_page_says_what_a_change_will_affect(site):
    words = site.signed_in('admin').get(LIST + '1/change/').words.lower()
    if not re.search(r'host|answer|link', words):
        raise AssertionError(words[:500])


def a_site_that_is_not_there_is_not_found(site):
    for path in (LIST + '99999/change/', LIST + '99999/delete/', LIST + '0/change/', LIST + 'x/change/'):
        equal(site.signed_in('admin').get(path).status, 404, path)


def absolute_redirects_name_known_hosts_only(site):
    for host in ('127.0.0.1', 'localhost'):
        answer = site.visitor(host).get('/accounts/login')
        equal(answer.status, 301)
        lacks(answer.location.replace('http://' + host, ''), '//')


def who_renames_the_host_they_are_at_is_told_the_new_address(site):
    site.signed_in('admin').submit(LIST + 'add/', {'domain': 'here.example.org', 'name': 'Here'})
    client = site.visitor('here.example.org')
    client.sign_in('admin', PASSWORDS['admin'])
    path = LIST + _id(site, 'here.example.org') + '/change/'
    contains(client.get(path).words, 'you sign in there again')
    answer = client.submit(path, {'domain': 'there.example.org', 'name': 'There'})
    equal(answer.status, 200)
    contains(answer.text, '://there.example.org')
    equal(client.get(LIST).status, 400, 'where they were')
    equal(site.visitor('there.example.org').get('/').status, 200)


def what_cannot_be_deleted_says_why(site):
    client = site.signed_in('admin')
    answer = client.get(LIST + '1/delete/')
    equal(answer.status, 409)
    contains(answer.words, 'cannot be deleted', 'the site in use', 'SITE_ID')
    lacks(answer.text, 'Delete site')
