"""register: accounts that people make for themselves, from the form to the first sign-in."""
import os
import re
import time
import urllib.parse

from harness.report import contains, equal, lacks, needs
from mailbox import Mailbox, links

GOOD = 'winter-Pelican-8-azimuth'
PAGE = '/accounts/register/'
REFUSED = 'The user name or the password is wrong'


def _path(url):
    return urllib.parse.urlsplit(url).path


def _send(other, box):
    other.meridian('mail', 'send', '--json')
    return [(args[-1], message) for args, _, message in box.take()]


class _Form:
    """The form, open for long enough that a person may have filled it in."""

    def __init__(self, other):
        self.other = other
        self.client = other.visitor()
        page = self.client.get(PAGE)
        equal(page.status, 200)
        self.opened = time.monotonic()
        (form,) = [f for f in page.forms if f['action'].endswith(PAGE)]
        self.fields = form['fields']
        self.token = self.fields.pop('csrfmiddlewaretoken')

    def __call__(self, name, **more):
        data = dict(self.fields, username=name, email=name + '@example.org', password1=GOOD,
                    password2=GOOD)
        data.update(more)
        return self.client.post(PAGE, data, token=self.token)

    def wait(self):
        """Until nobody can say that it was too quick."""
        time.sleep(max(0, self.opened + 3.05 - time.monotonic()))


def _restart(other, **settings):
    other.settings.update(settings)
    other.write_config()
    other.stop_handler('login')
    other.start_handler('login')


def _same(answer):
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', '', answer.text)
    return answer.status, answer.location, re.sub(r'Request <span class="copy">[^<]*', '', text)


def _users(other):
    return [u for u, in other.sql('SELECT username FROM users ORDER BY username')]


def _cannot_sign_in(other, name):
    page = other.visitor().post('/accounts/login/', {'username': name, 'password': GOOD, 'next': '/'})
    equal(page.status, 400)
    contains(page.words, REFUSED)


@needs('nginx')
def who_confirms_the_address_has_an_account(site):
    box = Mailbox(os.path.join(site.directory, 'register-mailbox'))
    terms = os.path.join(site.directory, 'register-terms.txt')
    with open(terms, 'w') as f:
        f.write('Be kind.\n')
    keys = dict(box.settings, TOM_REGISTRATION_STRATEGY='open', TOM_REQUIRED_USER_FIELDS='last_name',
                TOM_TERMS_OF_SERVICE_VERSION='7', TERMS_FILE=terms, THROTTLE_FREE_FAILURES='5')
    with site.variant(users=False, **keys) as other:
        other.add_user('boss', GOOD, '--staff', '--email', 'boss@example.org', '--last-name', 'B')
        other.sql("UPDATE users SET terms_version = '7'")
        contains(other.visitor().get('/accounts/login/').text, 'href="/accounts/register/"')
        form = _Form(other)
        _the_form(other, form)
        _programs(other, form)
        _the_link(other, form, box)
        _no_enumeration(other, form, box)
        _forgotten(other, form, box)
        _restart(other, TOM_REGISTRATION_STRATEGY='approval_required')
        _approval(other, form, box)
        _flood(other, form, box)


def _the_form(other, form):
    """Every mistake is said at once, and what was typed comes back but for the passwords."""
    page = form('a b', email='nowhere', password1='short', password2='other')
    equal(page.status, 400)
    contains(page.words, 'Last name', 'not the same', 'Accept the terms')
    lacks(page.text, 'value="short"')
    contains(page.text, 'value="nowhere"')
    equal(page.forms[0]['fields']['stamp'] if 'stamp' in page.forms[0]['fields'] else
          [f for f in page.forms if 'stamp' in f['fields']][0]['fields']['stamp'], form.fields['stamp'])
    equal(_users(other), ['boss'])


def _programs(other, form):
    """Too quick, a made up time, and the field that people do not see."""
    whole = {'last_name': 'Lovelace', 'terms': 'on'}
    if time.monotonic() - form.opened < 2.5:
        page = form('ada', **whole)
        equal(page.status, 400)
        contains(page.words, 'That was quick')
    form.wait()
    for stamp in ('', 'A' * 54, form.fields['stamp'][:-2] + 'AA', 'x'):
        page = form('ada', stamp=stamp, **whole)
        equal(page.status, 400)
        contains(page.words, 'open for too long')
    answer = form('ada', website='http://spam.example', **whole)
    equal(answer.location, '/accounts/registered/')
    equal(_users(other), ['boss'])
    equal(other.one('SELECT COUNT(*) FROM mail'), '0')


def _the_link(other, form, box):
    """One link, once, to the address; nobody signs in before; looking at it confirms nothing."""
    answer = form('ada', last_name='Lovelace', terms='on', first_name='<b>Ada', affiliation='Obs')
    equal((answer.status, answer.location), (302, '/accounts/registered/'))
    contains(form.client.follow(answer).words, 'Look into your mail')
    equal(other.sql("SELECT is_active, is_staff, is_superuser, pending, terms_version, last_name, "
                    "affiliation, email_verified FROM users WHERE username = 'ada'"),
          [('0', '0', '0', '1', '7', 'Lovelace', 'Obs', '')])
    _cannot_sign_in(other, 'ada')
    page = form('ada', last_name='Twin', terms='on', email='other@example.org')
    equal(page.status, 400)
    contains(page.words, 'This user name is taken')
    ((to, message),) = _send(other, box)
    equal(to, 'ada@example.org')
    path = _path(links(message)[0])
    for _ in range(2):
        equal(other.visitor().head(path).status, 200)
        page = other.visitor().get(path)
    contains(page.words, 'ada@example.org')
    _cannot_sign_in(other, 'ada')
    # it is no link to set a password with
    equal(other.visitor().get('/accounts/password/reset/' + path.split('/')[-2] + '/').status, 404)
    answer = other.visitor().submit(path)
    equal((answer.status, answer.location), (302, '/accounts/login/'))
    equal(other.visitor().get(path).status, 404)
    client = other.visitor()
    client.sign_in('ada', GOOD)
    equal(client.get('/targets/create/').status, 200, 'the terms are accepted already')
    equal([k for k, in other.sql("SELECT kind FROM security_event WHERE username = 'ada' AND kind IN "
                                 "('registered', 'email_verified') ORDER BY id")],
          ['registered', 'email_verified'])


def _no_enumeration(other, form, box):
    """An address that has an account is answered as any."""
    whole = {'last_name': 'X', 'terms': 'on'}
    known, unknown = form('eve1', email='ada@example.org', **whole), form('eve2', **whole)
    equal(_same(known), _same(unknown))
    equal(_same(form.client.follow(known)), _same(form.client.follow(unknown)))
    equal([to for to, _ in _send(other, box)], ['ada@example.org', 'eve2@example.org'])
    # and the name is held alike
    equal([form(n, **whole).status for n in ('eve1', 'eve2')], [400, 400])
    other.sql('DELETE FROM throttle')


def _forgotten(other, form, box):
    """What is not confirmed in time is forgotten, and its name is free."""
    other.sql("UPDATE users SET created = created - 259300000000 WHERE username IN ('eve1', 'ada')")
    other.meridian('purge')
    equal(_users(other), ['ada', 'boss', 'eve2'])
    equal(form('eve1', last_name='X', terms='on').status, 302)
    equal(len(_send(other, box)), 1)
    other.sql('DELETE FROM throttle')


def _approval(other, form, box):
    """Staff is asked once the address is confirmed, and tells by one press; the other is told."""
    paths = {}
    for name in ('fay', 'gil'):
        equal(form(name, last_name=name, terms='on', affiliation='<i>Obs').status, 302)
        ((_, message),) = _send(other, box)
        paths[name] = _path(links(message)[0])
    boss = other.visitor()
    boss.sign_in('boss', GOOD)
    contains(boss.get('/accounts/approve/').words, 'Nobody waits')
    contains(boss.get('/admin/').links, '/accounts/approve/')
    number = other.one("SELECT id FROM users WHERE username = 'fay'")
    equal(boss.get('/accounts/approve/%s/' % number).status, 404, 'not confirmed yet')
    for name in ('fay', 'gil'):
        equal(other.visitor().submit(paths[name]).status, 302)
        _cannot_sign_in(other, name)
    sent = _send(other, box)
    equal([to for to, _ in sent], ['boss@example.org', 'boss@example.org'])
    page = boss.get('/accounts/approve/')
    contains(page.words, 'fay', 'gil', '<i>Obs')
    lacks(page.text, '<i>Obs')
    pages = [_path(links(message)[0]) for _, message in sent]
    token = boss.token(pages[0])
    equal(boss.post(pages[0], {'decision': 'maybe'}, token=token).status, 400)
    ada = other.visitor()
    ada.sign_in('ada', GOOD)
    equal(ada.get(pages[0]).status, 403)
    for path, decision in zip(sorted(pages), ('approve', 'refuse')):
        answer = boss.post(path, {'decision': decision}, token=token)
        equal((answer.status, answer.location), (302, '/accounts/approve/'))
        equal(boss.post(path, {'decision': decision}, token=token).status, 404, 'once')
    equal(other.one("SELECT COUNT(*) FROM users WHERE username = 'gil' AND email = ''"), '1')
    sent = dict(_send(other, box))
    equal(sorted(sent), ['fay@example.org', 'gil@example.org'])
    contains(sent['fay@example.org'].get_content(), 'is ready')
    contains(sent['gil@example.org'].get_content(), 'not accepted')
    other.visitor().sign_in('fay', GOOD)
    _cannot_sign_in(other, 'gil')
    other.meridian('purge')
    equal('gil' in _users(other), False)


def _flood(other, form, box):
    """An address is not flooded by registrations either, and an address of ours makes a few at once."""
    other.sql('DELETE FROM throttle')
    other.sql('DELETE FROM mail')
    statuses = [form('zoe%d' % n, last_name='Z', terms='on', email='zoe@example.org').status
                for n in range(12)]
    equal(statuses[:5], [302] * 5)
    equal(statuses[-1], 429)
    equal(len(_send(other, box)), 3)


@needs('nginx')
def registration_without_mail_does_not_start(site):
    done = site.command('../libexec/meridian/login', '-s', os.path.join(site.run, 'none.sock'), check=False,
                        MERIDIAN_TOM_REGISTRATION_STRATEGY='open')
    equal((site.last.returncode, done), (78, ''))
    contains(site.last.stderr, 'TOM_REGISTRATION_STRATEGY needs MAIL_TRANSPORT')


def without_the_setting_nobody_registers(site):
    for path in (PAGE, '/accounts/registered/', PAGE + 'A' * 43 + '/'):
        equal(site.visitor().get(path).status, 404)
    lacks(site.visitor().get('/accounts/login/').text, PAGE)
