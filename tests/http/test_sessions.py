"""sessions: where one is signed in, and ending that."""
from harness.report import contains, equal, lacks
from harness.site import PASSWORDS

PAGE = '/accounts/sessions/'


def _forms(page):
    return [f for f in page.forms if f['action'].endswith('/end/')]


def own_sessions_are_listed_and_ended(site):
    here, there, third = site.signed_in('ben'), site.visitor(), site.visitor()
    for client in (there, third):
        client.sign_in('ben', PASSWORDS['ben'])
    page = here.get(PAGE)
    equal(page.words.count('You are here'), 1)
    equal(len(_forms(page)) >= 2, True, 'others')
    contains(page.words, '127.0.0.1')
    # what stands on the page opens nothing
    thief = site.visitor()
    thief.cookies = {'sid': _forms(page)[0]['fields']['session']}
    equal(thief.get(PAGE).status, 302)
    # nobody else can end it
    name = _forms(page)[0]['fields']['session']
    equal(site.signed_in('ada').post(PAGE + 'end/', {'session': name}, page=PAGE).status, 404)
    equal(here.post(PAGE + 'end/', {'session': 'x'}, page=PAGE).status, 404)
    equal(here.get(PAGE).words.count('End '), page.words.count('End '))
    # the newest but this one stands first: the third's
    answer = here.post(PAGE + 'end/', {'session': name}, page=PAGE)
    equal(answer.location, PAGE)
    equal([c.get(PAGE).status for c in (here, there, third)], [200, 200, 302])
    # one's own is ended by signing out
    own = [f['fields']['session'] for f in _forms(there.get(PAGE))]
    mine = [f['fields']['session'] for f in _forms(here.get(PAGE))]
    of_here = [s for s in own if s not in mine][0]
    equal(here.post(PAGE + 'end/', {'session': of_here}, page=PAGE).status, 400)
    answer = here.post(PAGE + 'end-others/', {}, page=PAGE)
    contains(here.follow(answer).words, 'You are signed in here only')
    equal([c.get(PAGE).status for c in (here, there)], [200, 302])
    lacks(here.get(PAGE).words, 'End all others')
    equal(site.one("SELECT COUNT(*) FROM session s JOIN users u ON u.id = s.user_id "
                   "WHERE u.username = 'ben'"), '1')
