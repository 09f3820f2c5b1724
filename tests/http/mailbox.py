"""A program that takes mail as sendmail does and keeps it, and a server that does as SMTP wants."""
import email
import email.policy
import os
import re
import socketserver
import ssl
import threading

from harness import process

PROGRAM = '''#!/bin/sh
[ ! -e '%(dir)s/status' ] || { echo 'not today' >&2; exit "$(cat '%(dir)s/status')"; }
file=$(mktemp '%(dir)s/mail.XXXXXX')
printf '%%s\\n' "$@" >"$file.args"
cat >"$file"
mv "$file" "$file.eml"
'''


class Mailbox:
    """The folder of the program; `settings` are the keys that name it."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.program = os.path.join(folder, 'sendmail')
        with open(self.program, 'w') as f:
            f.write(PROGRAM % {'dir': folder})
        os.chmod(self.program, 0o755)
        os.chmod(folder, 0o755)
        if os.getuid() == 0:
            process.give_to(process.unprivileged(), folder)
        self.settings = {'MAIL_TRANSPORT': 'sendmail', 'MAIL_FROM': 'tom@example.org',
                         'SENDMAIL_PATH': self.program}

    def fail(self, status):
        with open(os.path.join(self.folder, 'status'), 'w') as f:
            f.write(str(status))

    def work(self):
        os.unlink(os.path.join(self.folder, 'status'))

    def take(self):
        """What came, by recipient, and away with it: (arguments, raw bytes, message)."""
        found = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith('.eml'):
                path = os.path.join(self.folder, name)
                with open(path, 'rb') as f:
                    raw = f.read()
                with open(path[:-4] + '.args') as f:
                    args = f.read().split('\n')[:-1]
                os.unlink(path)
                os.unlink(path[:-4] + '.args')
                found.append((args, raw, email.message_from_bytes(raw, policy=email.policy.default)))
        return sorted(found, key=lambda m: m[0][-1])


def links(message):
    """The addresses in the text of a message."""
    return re.findall(r'https?://\S+', message.get_content())


class _Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')
        self.wfile.flush()

    def handle(self):
        sink = self.server.sink
        mail = {'to': [], 'tls': sink.smtps}
        if sink.smtps:
            self.secure()
        self.say('220 sink')
        while True:
            line = self.rfile.readline().decode().rstrip('\r\n')
            word = line[:4].upper()
            if word == 'EHLO':
                mail['ehlo'] = line[5:]
                self.say('250-sink')
                if sink.context and not mail['tls']:
                    self.say('250-STARTTLS')
                if sink.auth:
                    self.say('250-AUTH PLAIN')
                self.say('250 8BITMIME')
            elif word == 'STAR':
                self.say('220 go on')
                self.secure()
                mail['tls'] = True
            elif word == 'AUTH':
                if len(line.split()) < 3:
                    self.say('334 ')
                    line += ' ' + self.rfile.readline().decode().strip()
                mail['auth'] = line
                self.say('235 welcome')
            elif word == 'MAIL':
                mail['from'] = line[10:]
                self.say('250 ok')
            elif word == 'RCPT':
                if sink.refuse:
                    self.say(sink.refuse)
                    continue
                mail['to'].append(line[8:])
                self.say('250 ok')
            elif word == 'DATA':
                self.say('354 go on')
                lines = []
                while True:
                    got = self.rfile.readline()
                    if got == b'.\r\n' or not got:
                        break
                    lines.append(got[1:] if got.startswith(b'.') else got)
                mail['data'] = b''.join(lines)
                sink.mails.append(mail)
                self.say('250 taken')
            elif word in ('RSET', 'NOOP'):
                self.say('250 ok')
            else:
                if word == 'QUIT':
                    self.say('221 bye')
                return

    def secure(self):
        self.connection = self.server.sink.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile('rb')
        self.wfile = self.connection.makefile('wb')


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that does not like our certificate


class Sink:
    """A mail server on a port of its own for the time of a `with`; what came is in `mails`."""

    def __init__(self, certificate=None, smtps=False, refuse=None, auth=False):
        self.mails = []
        self.refuse, self.smtps, self.auth = refuse, smtps, auth
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)

    def __enter__(self):
        self.server = _Server(('127.0.0.1', 0), _Session)
        self.server.sink = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
