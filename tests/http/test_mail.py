"""mail: what `meridian mail` sends and how, and the queue as operators see it."""
import base64
import json
import os
import subprocess
import time

from harness import process
from harness.report import contains, equal, lacks, needs
from mailbox import Mailbox, Sink


def _box(site):
    return Mailbox(os.path.join(site.directory, 'mailbox'))


def _put(site, to, subject='Hello', body='The text'):
    now = int(time.time() * 1e6)
    site.sql("INSERT INTO mail (created, recipient, recipient_key, subject, body, next_try) VALUES "
             "(%d, '%s', '%s', '%s', '%s', %d)" % (now, to, to.lower(), subject, body, now))


def _send(site, box, status=0, **more):
    settings = dict({'MERIDIAN_' + key: value for key, value in box.settings.items()}, **more)
    out = site.meridian('mail', 'send', '--json', check=False, **settings)
    equal(site.last.returncode, status, site.last.stderr + out)
    return json.loads(out) if out else None


def _clean(site):
    site.sql('DELETE FROM mail')


@needs('nginx')
def the_queue_goes_to_sendmail_without_a_shell(site):
    box = _box(site)
    _clean(site)
    _put(site, 'o|touch-$x`y`@example.org', 'Gr\u00fc\u00dfe', 'One\n.\nFrom me\nhttp://x/?a=b\n\u00fc')
    _put(site, 'ada@example.org')
    equal(_send(site, box), {'sent': 2, 'failed': 0})
    (args, raw, message), second = sorted(box.take(), key=lambda m: m[0][-1] == 'ada@example.org')
    equal(args, ['-i', '-f', 'tom@example.org', '--', 'o|touch-$x`y`@example.org'])
    equal((message['Subject'], message['From'].addresses[0].addr_spec), ('Gr\u00fc\u00dfe', 'tom@example.org'))
    equal(message.get_content(), 'One\n.\nFrom me\nhttp://x/?a=b\n\u00fc\n')
    equal(raw.isascii(), True)
    equal(second[2].get_content(), 'The text\n')
    equal(_send(site, box), {'sent': 0, 'failed': 0})
    equal(site.sql("SELECT DISTINCT body, error FROM mail"), [('', '')])
    _clean(site)


@needs('nginx')
def what_cannot_be_sent_is_listed_and_comes_again(site):
    box = _box(site)
    _clean(site)
    _put(site, 'ada@example.org', 'Reset', 'https://tom/secret-link')
    box.fail(75)
    equal(_send(site, box, status=1), {'sent': 0, 'failed': 1})
    out = site.meridian('mail', 'list')
    contains(out, 'ada@example.org', 'Reset', 'waiting', '1 attempt', 'not today', 'status 75')
    lacks(out + site.meridian('mail', 'list', '--json'), 'secret-link')
    equal(_send(site, box), {'sent': 0, 'failed': 0})  # not yet
    box.work()
    number = site.one('SELECT id FROM mail')
    contains(site.meridian('mail', 'retry', number), 'is due now')
    equal(_send(site, box), {'sent': 1, 'failed': 0})
    contains(site.meridian('mail', 'list'), 'sent', '2 attempts')
    site.meridian('mail', 'retry', number, check=False)
    equal(site.last.returncode, 1)
    contains(site.last.stderr, 'no mail %s waits' % number)
    contains(site.meridian('mail', 'drop', number), 'dropped')
    site.meridian('mail', 'drop', 'x', check=False)
    equal(site.last.returncode, 2)
    box.take()
    _put(site, 'nobody@example.org')
    box.fail(67)
    equal(_send(site, box, status=1), {'sent': 0, 'failed': 1})
    contains(site.meridian('mail', 'list'), 'given up')
    equal(site.one("SELECT COUNT(*) FROM mail WHERE body = ''"), '1')
    box.work()
    box.settings['SENDMAIL_PATH'] = '/nonexistent'
    _put(site, 'ada@example.org')
    _send(site, box, status=1)
    contains(site.meridian('mail', 'list'), '/nonexistent')
    _clean(site)


@needs('nginx')
def settings_of_mail_that_cannot_work_are_said(site):
    site.meridian('mail', 'send', check=False)
    equal(site.last.returncode, 78)
    contains(site.last.stderr, 'MAIL_TRANSPORT is none')
    site.meridian('mail', 'send', check=False, MERIDIAN_MAIL_TRANSPORT='smtp',
                  MERIDIAN_MAIL_FROM='tom@example.org', MERIDIAN_MAIL_SMTP_URL='http://x')
    equal(site.last.returncode, 78)
    contains(site.last.stderr, 'MAIL_SMTP_URL')
    out = site.meridian('check', check=False, MERIDIAN_TOM_PASSWORD_RESET_ENABLED='yes')
    contains(out, 'TOM_PASSWORD_RESET_ENABLED')
    out = site.meridian('check', check=False, MERIDIAN_TOM_REGISTRATION_STRATEGY='open')
    contains(out, 'TOM_REGISTRATION_STRATEGY needs mail, and MAIL_TRANSPORT is none')


def _certificate(site):
    d = os.path.join(site.directory, 'smtp')
    os.makedirs(d, exist_ok=True)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                    '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext',
                    'subjectAltName=DNS:localhost', '-keyout', d + '/key', '-out', d + '/cert'],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(d, 0o755)
    return d + '/cert', d + '/key'


@needs('nginx')
def the_queue_goes_to_a_mail_server_with_tls_or_not_at_all(site):
    box = _box(site)
    _clean(site)
    certificate = _certificate(site)
    password = os.path.join(site.data, 'smtp_password')
    with open(password, 'w') as f:
        f.write('p@ss word\n')
    os.chmod(password, 0o600)
    if os.getuid() == 0:
        process.give_to(process.unprivileged(), password)

    def send(url, status=0, **more):
        return _send(site, box, status, MERIDIAN_MAIL_TRANSPORT='smtp', MERIDIAN_MAIL_SMTP_URL=url,
                     **{'MERIDIAN_' + key: value for key, value in more.items()})

    login = {'MAIL_USER': 'tom', 'MAIL_PASSWORD_FILE': password}
    with Sink(certificate, auth=True) as sink:
        _put(site, 'ada@example.org', 'Hello', 'One\n.\n..two\nthree')
        # a certificate that nobody vouches for; a proxy of the environment is not asked
        send('smtp://localhost:%d' % sink.port, 1, all_proxy='http://127.0.0.1:1', **login)
        equal(sink.mails, [])
        contains(site.meridian('mail', 'list'), 'certificate')
        site.meridian('mail', 'retry', site.one('SELECT id FROM mail'))
        send('smtp://localhost:%d' % sink.port, MAIL_SMTP_CA_FILE=certificate[0], **login)
        mail = sink.mails.pop()
        equal((mail['tls'], mail['from'], mail['to']), (True, '<tom@example.org>', ['<ada@example.org>']))
        equal(base64.b64decode(mail['auth'].split()[2]), b'\0tom\0p@ss word')
        contains(mail['data'].decode(), '\r\n\r\nOne\r\n.\r\n..two\r\nthree\r\n')
    with Sink() as sink:  # offers no TLS
        _put(site, 'ada@example.org')
        send('smtp://localhost:%d' % sink.port, 1, **login)
        equal(sink.mails, [])
        _clean(site)
        _put(site, 'ada@example.org')
        send('smtp://127.0.0.1:%d' % sink.port, MAIL_SMTP_STARTTLS='no')
        equal(sink.mails.pop()['ehlo'], site.one('SELECT domain FROM site WHERE id = 1').split(':')[0])
    with Sink(certificate, smtps=True) as sink:
        _put(site, 'ada@example.org')
        send('smtps://localhost:%d' % sink.port, MAIL_SMTP_CA_FILE=certificate[0])
        equal(sink.mails.pop()['tls'], True)
    with Sink(refuse='550 no such user here') as sink:
        _put(site, 'ada@example.org')
        send('smtp://127.0.0.1:%d' % sink.port, 1, MAIL_SMTP_STARTTLS='no')
        contains(site.meridian('mail', 'list'), 'given up', '550')
    _clean(site)


@needs('nginx')
def the_one_who_watches_sends_what_comes_and_ends_when_told(site):
    box = _box(site)
    _clean(site)
    _put(site, 'ada@example.org')
    log = os.path.join(site.log, 'mail')
    program = process.start([os.path.join(site.workshop.app, 'bin/meridian'), 'mail', 'send', '--watch'],
                            log, site.environment(**{'MERIDIAN_' + k: v for k, v in box.settings.items()}))
    try:
        equal(process.sleep_until(lambda: site.one("SELECT sent FROM mail"), 20), True)
    finally:
        process.stop(program)
    equal(program.returncode, 0)
    with open(log) as f:
        contains(f.read(), '"event":"mail sent"')
    equal(len(box.take()), 1)
    _clean(site)
