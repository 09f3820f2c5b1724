"""
A real Apache Kafka in a temporary directory, on free loopback ports: one broker, its own controller. It is
open to who asks in plain text, and by TLS to users with a password (SCRAM) or a token (OAUTHBEARER).
"""
import contextlib
import os
import shutil
import signal
import subprocess
import time

from harness import process

OPTIONS = ['-Xms96m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData',
           '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
START = 90  # seconds a start may take on a busy machine

PROPERTIES = '''
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAIN://127.0.0.1:{plain},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAIN://127.0.0.1:{plain},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAIN
sasl.enabled.mechanisms=SCRAM-SHA-512,OAUTHBEARER
listener.name.secure.scram-sha-512.sasl.jaas.config=\
    org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config=\
    org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
    unsecuredLoginStringClaim_sub="broker";
ssl.keystore.type=PEM
ssl.keystore.location={directory}/server.pem
log.dirs={directory}/data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
'''


def _run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError('%s: %s' % (command[0], done.stdout[-2000:]))


class Kafka:
    """Started on construction. `users` are names and passwords."""

    def __init__(self, jars, directory, build, users):
        self.directory = directory
        self.jars = jars
        self.process = self.feeder = None
        self.feed = [build + '/tests/tools/feed-kafka']
        os.makedirs(directory)
        ports = {name: process.free_port() for name in ('plain', 'secure', 'controller')}
        self.port = ports['plain']
        self.brokers = '127.0.0.1:%d' % ports['plain']
        self.secure = '127.0.0.1:%d' % ports['secure']
        self._certify()
        self.properties = directory + '/properties'
        with open(self.properties, 'w') as f:
            f.write(PROPERTIES.format(directory=directory, **ports))
        scram = ['SCRAM-SHA-512=[name=%s,password=%s]' % user for user in users.items()]
        _run(*self._java(), 'kafka.tools.StorageTool', 'format', '-c', self.properties, '-t',
             'bWVyaWRpYW4tdGVzdC0xMg', *(word for one in scram for word in ('--add-scram', one)))
        self.start()

    def _java(self):
        return ['java', *OPTIONS, '-cp', self.jars + '/*']

    def _certify(self):
        """A certificate of an authority of its own, self.ca."""
        path = self.directory + '/'
        self.ca = path + 'ca.pem'
        _run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '2', '-subj', '/CN=meridian-test-ca', '-keyout', path + 'ca.key',
             '-out', self.ca)
        _run('openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-subj', '/CN=127.0.0.1', '-keyout', path + 'key', '-out', path + 'request')
        with open(path + 'names', 'w') as f:
            f.write('subjectAltName = IP:127.0.0.1\n')
        _run('openssl', 'x509', '-req', '-in', path + 'request', '-CA', self.ca, '-CAkey',
             path + 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', path + 'names', '-out',
             path + 'certificate')
        with open(path + 'server.pem', 'w') as out:
            for name in ('key', 'certificate'):
                with open(path + name) as f:
                    out.write(f.read())

    def start(self):
        with open(self.directory + '/log', 'ab') as log:
            self.process = subprocess.Popen([*self._java(), 'kafka.Kafka', self.properties],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory)
        end = time.monotonic() + START
        while not process.answers(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.directory + '/log') as f:
                    raise RuntimeError('Kafka does not start: ' + f.read()[-2000:])
            time.sleep(0.05)

    def kill(self):
        """As when its machine loses power."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def say(self, line):
        """A command of feed-kafka, and its answer."""
        if self.feeder is None or self.feeder.poll() is not None:
            self.feeder = subprocess.Popen([*self.feed, self.brokers], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, text=True)
        self.feeder.stdin.write(line + '\n')
        self.feeder.stdin.flush()
        answer = self.feeder.stdout.readline().strip()
        if not answer:
            raise AssertionError('feed-kafka cannot: ' + line)
        return answer

    def remove(self):
        if self.feeder is not None:
            with contextlib.suppress(BrokenPipeError):
                self.feeder.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.feeder.wait(5)
            if self.feeder.poll() is None:
                self.feeder.kill()
                self.feeder.wait()
            self.feeder.stdout.close()
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
