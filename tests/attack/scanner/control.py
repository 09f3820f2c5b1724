"""
control: a server with the holes that the tools are to find, on a free port of this machine; and the end of the
line for requests that a scanned server would have to make itself.
"""
import contextlib
import http.server
import sqlite3
import threading
import urllib.parse


class _Holes(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = urllib.parse.urlsplit(self.path)
        name = urllib.parse.parse_qs(asked.query).get('name', [''])[0]
        with contextlib.closing(sqlite3.connect(':memory:')) as db:
            db.execute('CREATE TABLE thing (name TEXT)')
            db.execute("INSERT INTO thing VALUES ('one'), ('two')")
            try:
                rows = db.execute("SELECT name FROM thing WHERE name = '%s'" % name).fetchall()
                text, status = ' '.join(str(r[0]) for r in rows), 200
            except (sqlite3.Error, sqlite3.Warning) as why:
                text, status = 'sqlite3.OperationalError: %s' % why, 500
        self._answer(status, '<html><body><h1>%s</h1><p>%s</p><a href="/?name=one">one</a></body></html>' % (
            name, text))

    def _answer(self, status, text):
        body = text.encode('utf-8', 'replace')
        self.send_response(status)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Endpoint(_Holes):
    """Keeps what it was asked for; says that nothing came, as wapiti's own would."""

    def do_GET(self):
        if not urllib.parse.urlsplit(self.path).path.endswith('.php'):
            self.server.asked.append(self.path)
        self._answer(200, '{}')


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A tool that does not wait for its answer is no matter."""


@contextlib.contextmanager
def serving(kind):
    server = _Server(('127.0.0.1', 0), kind)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def holes():
    return serving(_Holes)


def endpoint():
    return serving(_Endpoint)
