"""Requests as bytes over a socket, and the answers as they come."""
import socket
import time


class Answer:
    def __init__(self, status, headers, body, raw_head):
        self.status = status
        self.headers = headers  # [(lower-case name, value)] in order
        self.body = body
        self.head = raw_head

    def header(self, name):
        values = [v for n, v in self.headers if n == name.lower()]
        return values[0] if values else None

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    @property
    def whole(self):
        return self.head + self.body


class Wire:
    """One connection. `send` bytes, `answer` reads one answer off it."""

    def __init__(self, port, timeout=15):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused early: the answer tells

    def send_slowly(self, data, pause=0.01, piece=7):
        for i in range(0, len(data), piece):
            self.send(data[i:i + piece])
            time.sleep(pause)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b''
        self.buffer += data
        return bool(data)

    def ended(self):
        """Did the peer close (after what was read)?"""
        try:
            return not self.buffer and not self._more()
        except socket.timeout:
            return False

    def answer(self, method='GET'):
        """The next answer; None where the connection ended before one."""
        while b'\r\n\r\n' not in self.buffer:
            if not self._more():
                return None
        head, _, rest = self.buffer.partition(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        status = int(lines[0].split()[1])
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(':')
            headers.append((name.lower(), value.strip()))
        self.buffer = rest
        if status == 100:
            return self.answer(method)
        got = Answer(status, headers, b'', head)
        got.body = self._body(got, method)
        return got

    def _body(self, got, method):
        if method == 'HEAD' or got.status in (204, 304):
            return b''
        if (got.header('transfer-encoding') or '').lower() == 'chunked':
            body = b''
            while True:
                size = int(self._line().split(b';')[0], 16)
                body += self._exactly(size)
                self._line()
                if size == 0:
                    return body
        if got.header('content-length') is not None:
            return self._exactly(int(got.header('content-length')))
        while self._more():
            pass
        body, self.buffer = self.buffer, b''
        return body

    def _line(self):
        while b'\r\n' not in self.buffer:
            if not self._more():
                raise AssertionError('the answer ends in the middle')
        line, _, self.buffer = self.buffer.partition(b'\r\n')
        return line

    def _exactly(self, n):
        while len(self.buffer) < n:
            if not self._more():
                raise AssertionError('the answer ends %d bytes early' % (n - len(self.buffer)))
        body, self.buffer = self.buffer[:n], self.buffer[n:]
        return body


def head(method, path, host='127.0.0.1', version='1.1', **headers):
    """The bytes of a request's head. Header names take '_' for '-'."""
    lines = ['%s %s HTTP/%s' % (method, path, version)]
    if host is not None:
        lines.append('Host: ' + host)
    for name, value in headers.items():
        lines.append('%s: %s' % (name.replace('_', '-'), value))
    return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1')


def ask(site, data, method='GET', timeout=15):
    """One answer to raw bytes on a connection of its own."""
    with Wire(site.port, timeout) as wire:
        wire.send(data)
        return wire.answer(method)
