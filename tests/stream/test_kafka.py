"""
meridian-ingest run and a real Apache Kafka: alerts of ZTF and LSST become targets and measurements, each
once whatever is killed or restarted; who we are is said as brokers want to hear it.
"""
import base64
import contextlib
import json
import os
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import process
from harness.report import contains, equal, needs, wait_for
from harness.stream import Registry, ends, kafka, make, schemas, stream

# A member that was killed is missed after a second.
HASTE = ('session.timeout.ms=1200,heartbeat.interval.ms=200,topic.metadata.refresh.interval.ms=500,'
         'reconnect.backoff.max.ms=200,fetch.wait.max.ms=50')
VISITS = 10
OBJECTS = 60
LSST = 100
LSST_POINTS = 441  # of a detection some are forced, some a limit; what was withdrawn is left out


def _packets(s, seed):
    """Folders of ZTF's packets, a visit each, and one of LSST's in Confluent framing."""
    for visit in range(VISITS):
        make(s.site, '%s/ztf%d' % (s.folder, visit), seed, '--count', str(OBJECTS), '--objects',
             str(OBJECTS), '--first', str(visit))
    make(s.site, s.folder + '/lsst', seed + 1, '--count', str(LSST), '--objects', str(LSST),
         '--framed', '--schema', 'lsst')


def _kill_and_restart(s, daemons, kills):
    for kill in range(kills):
        before = s.count()
        yield kill
        wait_for(lambda: s.count() > before, 30, 'messages ' + s.log()[-1500:])
        time.sleep(random.uniform(0, 0.02))  # in mid-flight, at another moment each time
        victim = kill % len(daemons)
        daemons[victim].kill()
        daemons[victim].wait()
        daemons[victim] = s.start(haste=HASTE)


def alerts_are_stored_once_whoever_dies(site, broker):
    with stream(site, 'once') as s, open(schemas(s) + '/900.avsc') as schema, \
            contextlib.closing(Registry(schema.read())) as registry:
        registry.away = False
        topics = {name: '%s_%s' % (name, site.database) for name in ('ztf', 'lsst')}
        for name in topics.values():
            equal(broker.say('topic %s 4' % name), 'done')
        kafka(s, broker.brokers, topics=', '.join(topics.values()), registry=registry.url,
              consumer_group=site.database)
        _packets(s, 700)
        daemons = [s.start(haste=HASTE), s.start(haste=HASTE)]
        for kill in _kill_and_restart(s, daemons, VISITS):
            if kill == 3 and site.database != 'mariadb':
                broker.kill()
                broker.start()
            if kill == 6 and site.database != 'sqlite':
                site.database_server.stop('immediate')
                site.database_server.start()
            if kill == 7:
                equal(broker.say('produce %s 4 %s/lsst' % (topics['lsst'], s.folder)), str(LSST))
            equal(broker.say('produce %s 4 %s/ztf%d' % (topics['ztf'], s.folder, kill)), str(OBJECTS))
        wait_for(lambda: s.count() == VISITS * OBJECTS + LSST, 30, 'all messages ' + s.log()[-1500:])
        equal(site.one("SELECT COUNT(*) FROM dead_letter WHERE stream = 'once'"), '0')
        equal(site.one("SELECT SUM(next) FROM stream_offset WHERE stream = 'once'"),
              str(VISITS * OBJECTS + LSST))
        equal(site.one("SELECT SUM(lost) FROM stream_offset WHERE stream = 'once'"), '0')
        s.expect(VISITS * OBJECTS + LSST, OBJECTS * (5 + VISITS - 1) + LSST_POINTS)
        name, target = site.sql("SELECT name, target_id FROM survey_object WHERE survey = 'ZTF' "
                                'ORDER BY name LIMIT 1')[0]
        page = site.signed_in('ada').get('/targets/%s/' % target)
        equal(page.status, 200)
        contains(page.text, name)
        for daemon in daemons:
            ends(daemon)


@needs('sqlite')
def partitions_that_are_added_and_messages_that_are_gone(site, broker):
    with stream(site, 'real') as s:
        equal(broker.say('topic real 1'), 'done')
        kafka(s, broker.brokers, topics='real', start='latest')
        make(site, s.folder + '/a', 710, '--count', '20', '--objects', '20')
        equal(broker.say('produce real 1 %s/a' % s.folder), '20')
        daemon = s.start(haste=HASTE)
        wait_for(lambda: site.one("SELECT next FROM stream_offset WHERE topic = 'real'") == '20', 30,
                 'the partition')
        # what comes in a new partition before it is known is no less new
        equal(broker.say('partitions real 3'), 'done')
        make(site, s.folder + '/b', 711, '--count', '30', '--objects', '30')
        equal(broker.say('produce real 3 %s/b' % s.folder), '30')
        wait_for(lambda: s.count() == 30, 30, 'the messages of all partitions')
        ends(daemon)
        make(site, s.folder + '/c', 712, '--count', '30', '--objects', '30')
        equal(broker.say('produce real 3 %s/c' % s.folder), '30')
        equal(broker.say('forget real 1 17'), 'done')
        daemon = s.start(haste=HASTE)
        wait_for(lambda: s.count() == 53, 30, 'what is left ' + s.log()[-1500:])
        equal(site.one("SELECT lost FROM stream_offset WHERE topic = 'real' AND part = 1"), '7')
        contains(s.log(), 'what lay between is lost to us')
        ends(daemon)


class Provider:
    """Gives tokens to who knows the secret: JSON Web Tokens without a signature, which the broker takes."""

    def __init__(self, client, secret):
        provider = self
        self.given = 0
        known = base64.b64encode(('%s:%s' % (client, secret)).encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked = self.rfile.read(int(self.headers['Content-Length']))
                good = self.headers['Authorization'] == 'Basic ' + known and \
                    asked == b'grant_type=client_credentials'
                now = int(time.time())
                parts = [{'alg': 'none'}, {'sub': client, 'iat': now, 'exp': now + 600}]
                token = '.'.join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip('=')
                                 for part in parts) + '.'
                body = json.dumps({'access_token': token} if good else {'error': 'invalid_client'})
                provider.given += good
                self.send_response(200 if good else 401)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d/token' % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def _secret(s, text):
    path = s.folder + '/secret'
    with open(path, 'w') as f:
        f.write(text + '\n')
    os.chmod(path, 0o600)
    if os.getuid() == 0:
        process.give_to(process.unprivileged(), path)
    return path


def _is_let_in(s, broker, number, **keys):
    """First with the wrong word, then with the right one."""
    site = s.site
    authority = s.folder + '/ca.pem'
    with open(broker.ca) as f, open(authority, 'w') as out:
        out.write(f.read())
    name, secret = next(iter(broker.users.items()))
    equal(broker.say('topic %s 1' % s.name), 'done')
    make(site, s.folder + '/a', number, '--count', '10', '--objects', '10')
    equal(broker.say('produce %s 1 %s/a' % (s.name, s.folder)), '10')
    kafka(s, broker.secure, topics=s.name, security='sasl_ssl', ca=authority, user=name,
          password_file=_secret(s, 'wrong-Walrus-7-harbour'), **keys)
    daemon = s.start(haste=HASTE)
    wait_for(lambda: 'the stream waits' in s.log(), 30, 'the stream')
    equal((daemon.poll(), s.count()), (None, 0))
    daemon.kill()
    daemon.wait()
    _secret(s, secret)
    # a broker on a busy machine may take longer for its first TLS than check waits
    wait_for(lambda: s.name + ': all is there' in s.command('check'), 60, 'the check')
    daemon = s.start(haste=HASTE)
    wait_for(lambda: s.count() == 10, 30, 'the messages ' + s.log()[-1500:])
    ends(daemon)


@needs('sqlite')
def a_password_is_proven_over_tls(site, broker):
    with stream(site, 'scram') as s:
        _is_let_in(s, broker, 713)


@needs('sqlite')
def a_token_of_a_provider_opens_the_broker(site, broker):
    name, secret = next(iter(broker.users.items()))
    with stream(site, 'bearer') as s, contextlib.closing(Provider(name, secret)) as provider:
        _is_let_in(s, broker, 714, sasl_mechanism='OAUTHBEARER', token_url=provider.url)
        equal(provider.given > 0, True)
