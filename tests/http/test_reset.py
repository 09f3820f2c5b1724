"""reset: another password by mail: for its owner only, once, and nothing tells who has an account."""
import base64
import hashlib
import os
import re
import time
import urllib.parse

from harness.report import contains, equal, lacks, needs
from mailbox import Mailbox, links

GOOD = ('winter-Pelican-8-azimuth', 'marble-Heron-5-solstice', 'copper-Walrus-9-meridian')
PAGE = '/accounts/password/reset/'


def _path(url):
    return urllib.parse.urlsplit(url).path


def _send(other, box):
    """What the queue holds, delivered: [(recipient, message)]."""
    other.meridian('mail', 'send', '--json')
    return [(args[-1], message) for args, _, message in box.take()]


def _ask(client, who, token=None):
    return client.post(PAGE, {'email': who}, token=token or True)


def _same(page):
    """A page without what differs from one request to the next."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', '', page.text)
    text = re.sub(r'Request <span class="copy">[^<]*', '', text)
    text = re.sub(r'\d\d\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?', '', text)
    headers = sorted((n, v) for n, v in page.headers.items()
                     if n.lower() not in ('date', 'set-cookie', 'x-request-id', 'content-length'))
    return page.status, headers, text


def _forget_limits(other):
    """As if an hour went by: what throttles, what was mailed, and links that are good."""
    other.sql('DELETE FROM throttle')
    other.sql('DELETE FROM mail')
    other.sql('DELETE FROM one_time')


def _submit(client, path, password, again=None):
    return client.post(path, {'new_password1': password, 'new_password2': again or password})


@needs('nginx')
def who_lost_a_password_sets_another_by_the_link(site):
    box = Mailbox(os.path.join(site.directory, 'reset-mailbox'))
    keys = dict(box.settings, TOM_PASSWORD_RESET_ENABLED='yes', THROTTLE_FREE_FAILURES='5')
    with site.variant(users=False, **keys) as other:
        for name, address in (('ada', 'Ada@Example.org'), ('ada2', 'ada@example.org'),
                              ('ben', 'ben@example.org')):
            other.add_user(name, GOOD[2], '--email', address)
        other.sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
        _alike_for_all(other, box)
        _two_accounts(other, box)
        _the_form(other, box)
        _void_links(other, box)
        _another_address(other, box)
        _not_flooded(other, box)


def _alike_for_all(other, box):
    """Known, unknown, inactive, without address: the same bytes, and a poisoned Host changes nothing."""
    answers = {}
    for who in ('ada@example.org', 'nobody@example.org', 'ben', 'nobody', "x' OR 1=1 --"):
        client = other.visitor()
        answer = _ask(client, who)
        answers[who] = (answer.location, _same(answer), _same(client.follow(answer)))
    for who, found in answers.items():
        equal(found, answers['ada@example.org'], who)
    equal(answers['nobody'][0], '/accounts/password/sent/')
    # what was typed may be anything, a password in the wrong field
    equal(other.one("SELECT COUNT(*) FROM security_event WHERE kind = 'reset_asked' "
                    "AND username LIKE 'nobody%'"), '0')
    _forget_limits(other)
    client = other.visitor()
    token = client.token(PAGE)
    for host in ('evil.example', '127.0.0.1@evil.example', '127.0.0.1:80/badpath'):
        equal(client.post(PAGE, {'email': 'ada'}, token=token, host=host).status, 400)
    equal(client.post(PAGE, {'email': 'ada'}, token=token,
                      headers={'X-Forwarded-Host': 'evil.example',
                               'Forwarded': 'host=evil.example'}).status, 302)
    sent = _send(other, box)
    equal([to for to, _ in sent], ['Ada@Example.org'])
    domain = other.one('SELECT domain FROM site')
    (link,) = links(sent[0][1])
    equal(link.startswith('http://%s%s' % (domain, PAGE)), True, link)
    lacks(sent[0][1].as_string(), 'evil', 'badpath')
    equal(sent[0][1]['Auto-Submitted'], 'auto-generated')


def _two_accounts(other, box):
    """Each account of an address gets its own link; asking by name gets one. Letters' case is no matter."""
    _forget_limits(other)
    equal(_ask(other.visitor(), 'ADA@example.ORG').status, 302)
    sent = _send(other, box)
    equal(sorted(to for to, _ in sent), ['Ada@Example.org', 'ada@example.org'])
    equal(len({links(message)[0] for _, message in sent}), 2)
    contains(' '.join(m.get_content() for _, m in sent), '"ada"', '"ada2"')
    rows = repr(other.sql("SELECT encode(token_hash, 'hex') FROM one_time"
                          if other.database == 'postgresql' else
                          'SELECT hex(token_hash) FROM one_time')).lower()
    for _, message in sent:
        token = _path(links(message)[0]).split('/')[-2]
        equal(len(token), 43)
        raw = base64.urlsafe_b64decode(token + '=')
        lacks(rows, raw.hex())
        contains(rows, hashlib.sha256(raw).hexdigest())
    contains(repr(other.sql("SELECT kind, username FROM security_event WHERE kind = 'reset_asked'")),
             'ada2')
    _forget_limits(other)


def _the_form(other, box):
    """Looking uses nothing up; one form wins; sessions end; nobody is signed in by it."""
    signed_in = other.visitor()
    signed_in.sign_in('ada', GOOD[2])
    thief = other.visitor()
    _ask(other.visitor(), 'ada')
    path = _path(links(_send(other, box)[0][1])[0])
    for _ in range(3):  # programs that look at mail
        equal(other.visitor().head(path).status, 200)
        page = other.visitor().get(path)
    equal(page.status, 200)
    equal(page.header('Referrer-Policy'), 'same-origin')  # the address goes nowhere else
    equal([link for link in page.links if '//' in link], [])
    contains(page.header('Cache-Control'), 'no-store')
    contains(page.words, 'ada')
    client = other.visitor()
    answer = _submit(client, path, 'short')
    equal(answer.status, 400)
    answer = _submit(client, path, GOOD[0], GOOD[1])
    contains(answer.words, 'not the same')
    equal(signed_in.get('/accounts/password/').status, 200)
    token = thief.token(path)
    # a form that is refused leaves no good link in the log, which staff read
    equal(thief.post(path, {'new_password1': GOOD[1]}, token='x').status, 403)
    details = [d for d, in other.sql("SELECT detail FROM security_event WHERE kind = 'csrf_refused'")]
    contains(details[-1], '/accounts/password/reset/<text>/')
    lacks(' '.join(details) + other.all_logs(), path.split('/')[-2])
    answer = _submit(client, path, GOOD[0])
    equal((answer.status, answer.location), (302, '/accounts/login/'))
    equal(client.get('/accounts/password/').status, 302, 'nobody is signed in by a link')
    equal(signed_in.get('/accounts/password/').status, 302, 'sessions end')
    equal(thief.post(path, {'new_password1': GOOD[1], 'new_password2': GOOD[1]}, token=token).status,
          404)
    equal(other.visitor().get(path).status, 404)
    other.visitor().sign_in('ada', GOOD[0])
    equal(other.sql("SELECT username FROM security_event WHERE kind = 'reset_done'"), [('ada',)])
    _forget_limits(other)


def _void_links(other, box):
    """Expired, of another purpose, another address, a later password, an account kept out, none at all."""
    _ask(other.visitor(), 'ada')
    path = _path(links(_send(other, box)[0][1])[0])

    def voided(sql, back):
        other.sql(sql)
        equal(other.visitor().get(path).status, 404, sql)
        client = other.visitor()
        answer = client.post(path, {'new_password1': GOOD[1], 'new_password2': GOOD[1]}, page=PAGE)
        equal(answer.status, 404, sql)
        other.sql(back)
        equal(other.visitor().get(path).status, 200, back)

    now = int(time.time() * 1e6)
    equal(3400e6 < int(other.one('SELECT expires FROM one_time')) - now <= 3600e6, True)
    voided('UPDATE one_time SET expires = expires - 3600000000',
           'UPDATE one_time SET expires = expires + 3600000000')
    voided("UPDATE one_time SET purpose = 'email'", "UPDATE one_time SET purpose = 'reset'")
    voided("UPDATE users SET email = 'new@example.org' WHERE username = 'ada'",
           "UPDATE users SET email = 'Ada@Example.org' WHERE username = 'ada'")
    voided("UPDATE users SET is_active = 0 WHERE username = 'ada'",
           "UPDATE users SET is_active = 1 WHERE username = 'ada'")
    voided("UPDATE users SET pending = 1 WHERE username = 'ada'",
           "UPDATE users SET pending = 0 WHERE username = 'ada'")
    voided("UPDATE users SET password_changed = password_changed + 1 WHERE username = 'ada'",
           "UPDATE users SET password_changed = password_changed - 1 WHERE username = 'ada'")
    token = path.split('/')[-2]
    for bad in ('A' * 43, token[:-1], token + 'A', token.swapcase(), '%00', token + '%00'):
        equal(other.visitor().get(PAGE + bad + '/').status in (400, 404), True, bad)
    equal(other.visitor().get('/accounts/register/%s/' % token).status, 404)
    _forget_limits(other)


def _another_address(other, box):
    """
    Another address is used once its owner, signed in, opens the link that was sent there: till then a new
    password is sent to the old one, which is told. What a superuser sets for somebody is used at once.
    """
    other.add_user('root', GOOD[1], '--superuser', '--email', 'root@example.org')
    (number,) = [n for n, in other.sql("SELECT id FROM users WHERE username = 'ada'")]
    form = '/users/%s/update/' % number
    ada, root, ada2 = other.visitor(), other.visitor(), other.visitor()
    ada.sign_in('ada', GOOD[0])
    ada2.sign_in('ada2', GOOD[2])
    root.sign_in('root', GOOD[1])
    answer = ada.submit(form, {'email': 'new@example.org', 'first_name': 'Ada'})
    contains(ada.follow(answer).words, 'A link was sent to new@example.org')
    contains(ada.get(form).words, 'A link was sent to new@example.org')
    lacks(root.get(form).words, 'A link was sent')
    contains(ada.submit(form, {'email': 'a"b@example.org'}).words, 'none that mail can be sent to')
    equal(_ask(other.visitor(), 'new@example.org').status, 302)
    sent = dict(_send(other, box))
    equal(sorted(sent), ['Ada@Example.org', 'new@example.org'], 'no link to set a password by')
    contains(sent['Ada@Example.org'].get_content(), 'new@example.org', 'change your password')
    (link,) = links(sent['new@example.org'])
    path = _path(link)
    contains(path, '/accounts/address/')
    lacks(sent['Ada@Example.org'].get_content(), path)
    equal(other.visitor().get(path).location.split('?')[0], '/accounts/login/')
    equal(ada2.get(path).status, 404)
    equal(ada2.post(path, {}, page='/users/profile/').status, 404)
    equal(ada.head(path).status, 200)
    contains(ada.get(path).words, 'new@example.org', 'Ada@Example.org')
    kept = "SELECT email, email_verified FROM users WHERE username = 'ada'"
    equal(other.sql(kept), [('Ada@Example.org', '')])
    answer = ada.submit(path)
    equal(answer.location, '/users/profile/')
    contains(ada.follow(answer).words, 'Your e-mail address is new@example.org now')
    ((email, verified),) = other.sql(kept)
    equal((email, verified != ''), ('new@example.org', True))
    equal(ada.get(path).status, 404, 'once')
    equal([to for to, _ in _send(other, box)], ['Ada@Example.org'])
    equal(other.sql("SELECT detail FROM security_event WHERE kind = 'email_verified' AND "
                    "username = 'ada'"), [('another address',)])
    _forget_limits(other)
    equal(_ask(other.visitor(), 'ada').status, 302)
    equal([to for to, _ in _send(other, box)], ['new@example.org'])
    equal(root.submit(form, {'email': 'ada@example.org'}).status, 302)
    equal(other.sql(kept), [('ada@example.org', '')])
    equal([to for to, _ in _send(other, box)], ['new@example.org'])
    _forget_limits(other)


def _not_flooded(other, box):
    """
    However often somebody asks, an account gets three links an hour, and the answer is the same. What
    strangers asked for before leaves the owner one that is good.
    """
    now = int(time.time() * 1e6)
    for i in range(10):
        other.sql('INSERT INTO mail (created, recipient, recipient_key, subject, body, next_try) VALUES '
                  "(%d, 'ada@example.org', 'ada@example.org', 'x', '', NULL)" % (now - i * 10**9))
    for who in ('ada', 'ada@example.org', 'ADA@example.org', 'ada2') * 2:
        answer = _ask(other.visitor(), who)
        equal((answer.status, answer.location), (302, '/accounts/password/sent/'))
        other.sql('DELETE FROM throttle')
    equal(len(_send(other, box)), 6)
    found = [_ask(other.visitor(), 'ada').status for _ in range(12)]
    equal(found[-1], 429)
    equal(found[0], 302)


def without_the_setting_there_is_no_reset(site):
    for path in (PAGE, '/accounts/password/sent/', PAGE + 'A' * 43 + '/'):
        equal(site.visitor().get(path).status, 404)
    lacks(site.visitor().get('/accounts/login/').text, PAGE)
