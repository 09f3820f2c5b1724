"""Security: what slows guessing down, the security log, sessions of everybody, and fail2ban."""
import json
import os
import shutil
import subprocess
import tempfile

from harness.report import contains, equal, lacks, needs
from harness.site import PASSWORDS, TOP

FREE = {'THROTTLE_FREE_FAILURES': '2', 'TRUSTED_PROXIES': '127.0.0.1'}


def _attempt(client, name, password, address='192.0.2.1'):
    """A sign-in as if from that address, through the web server that is a trusted proxy here."""
    if not hasattr(client, 'form_token'):
        client.form_token = client.token('/accounts/login/')
    return client.post('/accounts/login/', {'username': name, 'password': password},
                       headers={'X-Forwarded-For': address}, token=client.form_token)


def _age(site, seconds):
    """As if what failed until now had been so long ago; the rows of hosts are left."""
    site.sql('UPDATE throttle SET last = last - %d, until = until - %d WHERE until > 1000000000000000'
             % (seconds * 1000000, seconds * 1000000))


def guesses_are_answered_with_when_to_come_again(site):
    with site.variant(**FREE) as other:
        owner, here, elsewhere = other.visitor(), other.visitor(), other.visitor()
        _attempt(owner, 'ada', PASSWORDS['ada'], '192.0.2.200')
        equal('sid' in owner.cookies and 'device' in owner.cookies, True)
        owner.post('/accounts/logout/', page='/')
        equal('sid' in owner.cookies, False)
        equal('device' in owner.cookies, True, 'it outlives signing out')
        for name in ('ada', 'nobody'):
            for _ in range(2):
                equal(_attempt(here, name, 'no').status, 400)
        # as if it had gone on for a while: a quarter of an hour to wait
        other.sql('UPDATE throttle SET failures = 20, until = until + 900000000 WHERE failures > 0')
        known, unknown = _attempt(here, 'ada', 'no'), _attempt(here, 'nobody', 'no')
        for page in (known, unknown):
            equal(page.status, 429)
            equal(840 < int(page.header('Retry-After')) <= 900, True, page.header('Retry-After'))
            contains(page.words, 'Try again in 15 minutes')
        # the same but for what names the request
        same = [page.text.replace(page.words.split('Quote ')[1].split()[0], '')
                for page in (known, unknown)]
        equal(same[0], same[1])
        # nor is the right password taken before its time, and X-Forwarded-For of a client is nothing
        equal(_attempt(here, 'ada', PASSWORDS['ada']).status, 429)
        equal(_attempt(here, 'ada', PASSWORDS['ada'], '198.51.100.9, 192.0.2.1').status, 429)
        equal(_attempt(elsewhere, 'ada', 'no', '192.0.2.2').status, 400)
        # all that an account may have from addresses that failed before is used up ...
        for i in range(12):
            _attempt(elsewhere, 'ada', 'no', '10.0.0.%d' % i)
        equal(_attempt(elsewhere, 'ada', PASSWORDS['ada'], '10.0.0.99').status, 429)
        # ... but the owner's browser is let in, from the address of the attack too
        del owner.form_token
        equal(_attempt(owner, 'ada', PASSWORDS['ada'], '192.0.2.1').status, 302)
        # restarted processes count on; an owner on a new machine gets in when the time has come
        other.stop_handler('login')
        other.start_handler('login')
        wait = _attempt(elsewhere, 'ada', PASSWORDS['ada'], '10.0.0.99')
        equal(wait.status, 429)
        equal(0 < int(wait.header('Retry-After')) <= 60, True, wait.header('Retry-After'))
        _age(other, int(wait.header('Retry-After')))
        equal(_attempt(elsewhere, 'ada', PASSWORDS['ada'], '10.0.0.99').status, 302)
        # the table tells no names
        if other.database == 'sqlite':
            rows = other.sql('SELECT bucket FROM throttle')
            lacks(repr(rows), 'ada', 'nobody', '192.0.2')
        # what was refused wrote no row of its own for each, and no name that nobody has
        log = other.sql("SELECT kind, username, detail FROM security_event")
        lacks(repr(log), 'nobody')
        equal(any(row[0] == 'sign_in_throttled' for row in log), True)


def present_password_is_no_way_around(site):
    with site.variant(**FREE) as other:
        client = other.signed_in('ben')
        fields = {'old_password': 'wrong', 'new_password1': 'harvest-Quartz-5-almanac',
                  'new_password2': 'harvest-Quartz-5-almanac'}
        equal([client.post('/accounts/password/', fields).status for _ in range(3)], [400, 400, 429])
        # who guesses at the sign-in page does not keep the owner from this one
        equal(_attempt(other.visitor(), 'ben', PASSWORDS['ben']).status, 302)


def addresses_are_of_trusted_proxies_alone(site):
    visitor = site.visitor()
    site.add_user('xavier', 'winter-Pelican-8-azimuth')
    visitor.post('/accounts/login/', {'username': 'xavier', 'password': 'winter-Pelican-8-azimuth'},
                 headers={'X-Forwarded-For': '198.51.100.1'})
    equal(site.one("SELECT address FROM security_event WHERE kind = 'signed_in' AND "
                   "username = 'xavier'"), '127.0.0.1')
    with site.variant(TRUSTED_PROXIES='127.0.0.0/8, 10.0.0.0/8') as other:
        for sent, want in (('198.51.100.1', '198.51.100.1'), ('1.1.1.1, 198.51.100.2', '198.51.100.2'),
                           ('1.1.1.1, 198.51.100.3, 10.1.1.1', '198.51.100.3'),
                           ('2001:DB8::1', '2001:db8::1'), ('[2001:db8::2]:443', '2001:db8::2'),
                           ('198.51.100.4:5000', '198.51.100.4'), ('x, 10.1.1.1', '10.1.1.1'),
                           ('junk', '127.0.0.1'), ('', '127.0.0.1')):
            other.visitor().get('/', headers={'X-Forwarded-For': sent}, host='evil.test')
            equal(other.one('SELECT MAX(address) FROM security_event WHERE id = '
                            '(SELECT MAX(id) FROM security_event)'), want, sent)


def events_are_a_row_each_and_can_be_looked_for(site):
    site.add_user('yvonne', 'winter-Pelican-8-azimuth')
    client = site.visitor()
    client.sign_in('yvonne', 'winter-Pelican-8-azimuth')
    client.get('/admin/')
    client.post('/accounts/logout/', {}, token='x' * 86)
    client.sign_out()
    client.post('/accounts/login/', {'username': 'yvonne', 'password': 'wrong'})
    secret = 'my-Password-In-The-Wrong-Field-1'
    client.post('/accounts/login/', {'username': secret, 'password': 'x'})
    site.visitor().get('/', host='evil.test')
    site.meridian('user', 'disable', 'yvonne')
    rows = site.sql("SELECT kind, detail FROM security_event WHERE username = 'yvonne' ORDER BY id")
    equal([row[0] for row in rows],
          ['user_added', 'signed_in', 'access_refused', 'csrf_refused', 'signed_out',
           'sign_in_refused', 'user_changed'])
    equal(rows[5][1], 'wrong password')
    lacks(repr(site.sql('SELECT * FROM security_event')) + site.all_logs(), secret,
          'winter-Pelican-8-azimuth')
    staff = site.signed_in('staff')
    page = staff.get('/admin/security/?user=yvonne')
    contains(page.words, 'Sign in refused wrong password', 'Access refused GET /admin/', 'Signed out',
             'by meridian user disable')
    lacks(page.words, 'evil.test')
    contains(staff.get('/admin/security/?kind=host_refused').words, 'evil.test', 'Host refused')
    page = staff.get('/admin/security/?user=yvonne&kind=signed_in&from=2020-01-01&to=2020-01-02')
    contains(page.words, 'Nothing in the log is like that')
    equal(staff.get('/admin/security/?from=yesterday').status, 400)
    equal(staff.get('/admin/security/?before=x').status, 200)


def log_pages_go_on_by_keys_and_hide_nothing(site):
    values = ', '.join("(%d, 'terms_accepted', 'walker', 'entry %d \u202e<b>', '')" % (1000 + i // 2, i)
                       for i in range(120))
    site.sql('INSERT INTO security_event (at, kind, username, detail, address) VALUES ' + values)
    staff, seen, link = site.signed_in('staff'), [], '?user=walker&to=2000-01-01'
    # what is a year old goes after each look: the walk is of what was there
    with site.variant(users=True, SECURITY_LOG_DAYS='36500') as other:
        other.sql('INSERT INTO security_event (at, kind, username, detail, address) VALUES ' + values)
        staff = other.signed_in('staff')
        while link:
            page = staff.get('/admin/security/' + link)
            equal(page.status, 200)
            contains(page.text, '\\u202e&lt;b&gt;')
            seen += [w.split()[0] for w in page.words.split('entry ')[1:]]
            older = [x for x in page.links if 'before=' in x]
            link = older[0].split('/admin/security/')[1] if older else ''
        equal(seen, [str(i) for i in range(119, -1, -1)])
    site.signed_in('staff').get('/admin/security/')
    equal(site.one("SELECT COUNT(*) FROM security_event WHERE username = 'walker'"), '0', 'too old')
    site.sql('INSERT INTO security_event (at, kind, username, detail, address) VALUES ' + values)
    contains(site.meridian('purge'), 'removed: 120')


def sessions_of_others_are_ended_by_superusers(site):
    site.add_user('zoe', 'winter-Pelican-8-azimuth')
    one, two, three = site.visitor(), site.visitor(), site.visitor()
    one.sign_in('zoe', 'winter-Pelican-8-azimuth')
    two.sign_in('zoe', 'winter-Pelican-8-azimuth')
    admin, staff = site.signed_in('admin'), site.signed_in('staff')
    page = staff.get('/admin/sessions/?user=zoe')
    equal(page.words.count('127.0.0.1'), 2)
    equal([f for f in page.forms if 'end/' in f['action']], [], 'staff look')
    contains(staff.get('/admin/sessions/').words, 'zoe', 'This session')
    contains(staff.get('/admin/sessions/?user=nobody').words, 'no user of that name')
    forms = [f for f in admin.get('/admin/sessions/?user=zoe').forms if 'end/' in f['action']]
    equal(len(forms), 3)
    fields = forms[0]['fields']
    equal(staff.post('/admin/sessions/end/', {'session': fields['session']}, page='/').status, 403)
    answer = admin.post('/admin/sessions/end/', {'session': fields['session']},
                        page='/admin/sessions/')
    contains(admin.follow(answer).words, 'The session has ended')
    equal(sorted(c.get('/accounts/password/').status for c in (one, two)), [200, 302])
    three.sign_in('zoe', 'winter-Pelican-8-azimuth')
    admin.post('/admin/sessions/end/', {'user': 'zoe'}, page='/admin/sessions/')
    equal([c.get('/accounts/password/').status for c in (one, two, three)], [302] * 3)
    for who, args in (('zoe', ('--user', 'zoe')), (None, ('--all',))):
        one.cookies.clear()
        one.sign_in('zoe', 'winter-Pelican-8-azimuth')
        contains(site.meridian('session', 'end', *args), 'ended: ')
        equal(one.get('/accounts/password/').status, 302, who)
    site._jars = {}
    equal(site.one("SELECT COUNT(*) FROM security_event WHERE kind = 'session_ended' AND "
                   "username = 'zoe'"), '3')
    admin = site.signed_in('admin')
    contains(admin.get('/admin/sessions/end-all/').words, 'End all sessions?')
    equal(admin.post('/admin/sessions/end-all/', {}, page='/admin/sessions/end-all/').status, 400)
    equal(admin.submit('/admin/sessions/end-all/', {}, form='').status, 302)
    equal(admin.get('/admin/').status, 302)
    site._jars = {}


@needs('nginx')
def fail2ban_finds_the_addresses(site):
    if shutil.which('fail2ban-regex') is None:
        raise AssertionError('fail2ban-regex is not here: apt install fail2ban')
    with site.variant(**FREE) as other:
        client = other.visitor()
        for _ in range(4):
            _attempt(client, 'ada" 9.9.9.9 {', 'no', '192.0.2.66')
        _attempt(client, 'ada', PASSWORDS['ada'], '192.0.2.67')
        lines = [line for line in other.logged('login').splitlines() if line.startswith('{')]
    # a name that somebody has, made to look like an address
    lines.append(next(x for x in lines if 'sign_in_refused' in x).replace(
        '"username":""', '"username":"x\\",\\"address\\":\\"9.9.9.9"'))
    with tempfile.NamedTemporaryFile('w', suffix='.log') as f:
        f.write('\n'.join(lines) + '\n')
        f.flush()
        done = subprocess.run(
            ['fail2ban-regex', '--out', 'ip', f.name,
             os.path.join(TOP, 'deploy/fail2ban/filter.d/meridian.conf')],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    refused = sum(json.loads(line)['event'] in ('sign_in_refused', 'sign_in_throttled')
                  for line in lines)
    equal(refused, 5)
    equal(done.stdout.split(), ['192.0.2.66'] * 5)
