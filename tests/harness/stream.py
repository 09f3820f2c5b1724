"""Streams of alerts for tests: a folder, daemons that serve it, made packets, and a registry of schemas."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import process
from harness.report import equal

# A group's member is missed sooner, and what was away is asked for again sooner.
HASTE = ('session.timeout.ms=4500,heartbeat.interval.ms=200,topic.metadata.refresh.interval.ms=1000,'
         'reconnect.backoff.max.ms=200,fetch.wait.max.ms=50')


def audience(site, *principals):
    """The number of those who may see what a stream brings, as the database knows them (1: everybody)."""
    members = ','.join('%d' % one for one in sorted(principals))
    if not site.sql("SELECT id FROM audience WHERE members = '%s'" % members):
        site.sql("INSERT INTO audience (members) VALUES ('%s')" % members)
        for one in principals:
            site.sql('INSERT INTO audience_member (principal, audience_id) SELECT %d, id FROM audience '
                     "WHERE members = '%s'" % (one, members))
    return int(site.one("SELECT id FROM audience WHERE members = '%s'" % members))


class Stream:
    """A folder, and daemons that serve streams of it."""

    def __init__(self, site, name):
        self.site = site
        self.name = name
        self.folder = tempfile.mkdtemp(prefix='meridian-stream-')
        os.chmod(self.folder, 0o755)
        self.inbox = self.folder + '/inbox'
        os.mkdir(self.inbox)
        self.config = self.folder + '/meridian.conf'
        self.running = []

    def configure(self, **keys):
        lines = {'source': 'files', 'path': self.inbox, 'create': 'all', 'batch_packets': '20',
                 'batch_ms': '20', 'permissions': 'PUBLIC', **keys}
        shutil.copy(self.site.config, self.config)
        with open(self.config, 'a') as f:
            f.write('\n[stream %s]\n' % self.name)
            f.writelines('%s = %s\n' % line for line in lines.items())
        os.chmod(self.config, 0o640)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), self.config)

    def command(self, *args, check=False):
        return self.site.command('meridian-ingest', *args, check=check, MERIDIAN_CONFIG=self.config)

    def start(self, *args, haste=HASTE):
        with open(self.folder + '/log', 'ab') as log:
            daemon = subprocess.Popen(
                [self.site.workshop.app + '/bin/meridian-ingest', 'run', *args], stdout=log,
                stderr=log, cwd='/', env=self.site.environment(
                    MERIDIAN_CONFIG=self.config, MERIDIAN_TEST_KAFKA=haste),
                **process.as_user())
        self.running.append(daemon)
        return daemon

    def log(self):
        with open(self.folder + '/log') as f:
            return f.read()

    def count(self, what='alert', more=''):
        return int(self.site.one("SELECT COUNT(*) FROM alert WHERE stream = '%s'" % self.name)
                   if what == 'alert' else
                   self.site.one("SELECT %s FROM survey_object o WHERE EXISTS (SELECT 1 FROM alert "
                                 "a WHERE a.object_id = o.id AND a.stream = '%s') %s"
                                 % (what, self.name, more)))

    def expect(self, alerts, points):
        """All is there, once."""
        equal(self.count(), alerts, self.log()[-2000:])
        equal(self.count('COALESCE(SUM(alerts), 0)'), alerts)
        equal(int(self.site.one(
            "SELECT COUNT(*) FROM datum d WHERE d.target_id IN (SELECT target_id FROM survey_object o "
            "WHERE EXISTS (SELECT 1 FROM alert a WHERE a.object_id = o.id AND a.stream = '%s'))"
            % self.name)), points)

    def close(self):
        for daemon in self.running:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def stream(site, name):
    one = Stream(site, name)
    try:
        yield one
    finally:
        one.close()


def make(site, out, seed, *options):
    subprocess.run([site.workshop.build + '/tests/tools/make-alerts', '--seed', str(seed),
                    '--out', out, '--points', '5',
                    *([] if '--schema' in options else ['--schema', '3.3']), *options], check=True)


def ends(daemon, status=0):
    daemon.send_signal(signal.SIGTERM)
    equal(daemon.wait(10), status)


def schemas(s):
    """A directory with the schema of what make-alerts frames."""
    path = s.folder + '/schemas'
    os.makedirs(path, exist_ok=True)
    with open(path + '/900.avsc', 'w') as f:
        subprocess.run([s.site.workshop.build + '/tests/tools/make-alerts', '--print-schema',
                        '--schema', 'lsst'], check=True, stdout=f)
    return path


def kafka(s, brokers, **keys):
    """Configures the stream as one of Kafka's."""
    s.configure(**{'source': 'kafka', 'brokers': brokers, 'topics': 'ztf_*_programid?',
                   'consumer_group': 'tom', 'batch_packets': '10', **keys})
    with open(s.config) as f:
        lines = [line for line in f if not line.startswith('path = ')]
    with open(s.config, 'w') as f:
        f.writelines(lines)


class Registry:
    """A registry of schemas, which is away until it is told otherwise."""

    def __init__(self, schema):
        registry = self
        self.away = True
        self.asked = 0
        self.message = 'not now'

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                registry.asked += 1
                body = json.dumps({'schema': schema}).encode()
                if registry.away or self.path != '/schemas/ids/900':
                    body = json.dumps({'message': registry.message}).encode()
                self.send_response(503 if registry.away else 200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d' % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
