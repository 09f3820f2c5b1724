"""terms: the terms of service, which come before everything else."""
import os

from harness.report import contains, equal, lacks, needs
from harness.site import PASSWORDS


def _terms(site, text, version='2026-11'):
    path = os.path.join(site.directory, 'terms.txt')
    with open(path, 'w') as f:
        f.write(text)
    return {'TOM_TERMS_OF_SERVICE_VERSION': version, 'TERMS_FILE': path}


def _signed_in(site, name):
    client = site.visitor()
    client.sign_in(name, PASSWORDS[name], '/targets/?name=x')
    return client


@needs('nginx')
def terms_are_accepted_before_anything_else_and_again_when_they_change(site):
    keys = _terms(site, 'Be kind to <b>telescopes</b>.\n\nThe second\nparagraph.\n')
    with site.variant(**keys) as other:
        page = other.visitor().get('/terms/')
        contains(page.text, '<p>Be kind to &lt;b&gt;telescopes&lt;/b&gt;.</p>', 'Version 2026-11')
        equal(page.text.count('<p>The second\nparagraph.</p>'), 1)
        equal([f for f in page.forms if f['action'].endswith('/terms/')], [])
        equal(other.visitor().get('/targets/').status, 200)
        ada = _signed_in(other, 'ada')
        for path in ('/targets/?name=x', '/', '/about/', '/accounts/password/', '/targets/create/'):
            answer = ada.get(path)
            equal(answer.status, 302, path)
            contains(answer.location, '/terms/?next=')
        answer = ada.post('/targets/create/', {'name': 'Unaccepted'}, page='/terms/')
        equal(answer.status, 403)
        contains(answer.words, 'terms of service')
        equal(other.one("SELECT COUNT(*) FROM target WHERE name = 'Unaccepted'"), '0')
        page = ada.follow(ada.get('/targets/?name=x'))
        equal(page.status, 200)
        stale = ada.post('/terms/', {'version': '2025-01'})
        equal(stale.status, 400)
        equal(ada.get('/targets/').status, 302)
        answer = ada.submit('/terms/?next=/targets/%3Fname%3Dx')
        equal((answer.status, answer.location), (302, '/targets/?name=x'))
        equal(ada.get('/targets/').status, 200)
        lacks(ada.get('/terms/').text, 'I accept these terms')
        equal(other.sql("SELECT terms_version FROM users WHERE username = 'ada'"), [('2026-11',)])
        equal(other.sql("SELECT username, detail FROM security_event WHERE kind = 'terms_accepted'"),
              [('ada', '2026-11')])
        other.settings['TOM_TERMS_OF_SERVICE_VERSION'] = '2026-12'
        other.write_config()
        for name in ('login', 'targets'):
            other.stop_handler(name)
            other.start_handler(name)
        contains(ada.get('/targets/').location, '/terms/?next=')
        answer = ada.post('/accounts/logout/', page='/terms/')
        equal((answer.status, answer.location), (302, '/'))


def without_a_version_there_are_no_terms(site):
    equal(site.visitor().get('/terms/').status, 404)
    equal(site.signed_in('ada').get('/targets/').status, 200)
