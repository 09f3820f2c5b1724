"""A small browser: http.client, a cookie jar, forms with their token."""
import email.message
import html.parser
import http.client
import json
import urllib.parse
import uuid


class Response:
    """An answer, read whole."""

    def __init__(self, raw, url):
        self.status = raw.status
        self.reason = raw.reason
        self.headers = raw.headers
        self.url = url
        self.body = raw.read()

    @property
    def text(self):
        return self.body.decode('utf-8')

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def location(self):
        return self.headers['Location']

    def header(self, name):
        return self.headers.get(name, '')

    @property
    def forms(self):
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    @property
    def words(self):
        """The text of the page, without its tags, white space folded."""
        parser = _Words()
        parser.feed(self.text)
        return ' '.join(''.join(parser.parts).split())

    @property
    def links(self):
        parser = _Links()
        parser.feed(self.text)
        return parser.links

    def __repr__(self):
        return '<%d %s>' % (self.status, self.url)


class _Words(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts = []
        self.hidden = 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ('style', 'script', 'head')
        self.parts.append(' ')

    def handle_endtag(self, tag):
        self.hidden -= tag in ('style', 'script', 'head')
        self.parts.append(' ')

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)


class _Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ('href', 'src', 'action', 'formaction'):
                self.links.append(value)


class _Forms(html.parser.HTMLParser):
    """The forms of a page: {'action', 'method', 'enctype', 'fields': {name: value}}."""

    def __init__(self):
        super().__init__()
        self.forms = []
        self.select = None
        self.area = None

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == 'form':
            self.forms.append({'action': a.get('action', ''),
                               'method': a.get('method', 'get').lower(),
                               'enctype': a.get('enctype', ''), 'fields': {}, 'id': a.get('id')})
            return
        if not self.forms:
            return
        fields = self.forms[-1]['fields']
        if tag == 'input' and a.get('name'):
            kind = a.get('type', 'text')
            if kind in ('checkbox', 'radio'):
                if 'checked' in a:
                    fields[a['name']] = a.get('value', 'on')
            elif kind not in ('submit', 'button', 'image', 'file', 'reset'):
                fields[a['name']] = a.get('value') or ''
        elif tag == 'select' and a.get('name'):
            self.select = a['name']
        elif tag == 'option' and self.select:
            if 'selected' in a or self.select not in fields:
                fields[self.select] = a.get('value', '')
        elif tag == 'textarea' and a.get('name'):
            self.area = a['name']
            fields[self.area] = ''

    def handle_endtag(self, tag):
        if tag == 'select':
            self.select = None
        elif tag == 'textarea':
            self.area = None

    def handle_data(self, data):
        if self.area:
            self.forms[-1]['fields'][self.area] += data


class Client:
    """
    One visitor. Keeps its connection and cookies, follows no redirect by itself. `host` is what it
    says in Host, by default the address it speaks to.
    """

    def __init__(self, port, host=None, timeout=30):
        self.port = port
        self.host = host or '127.0.0.1:%d' % port
        self.timeout = timeout
        self.cookies = {}
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def request(self, method, path, body=None, headers=None, host=None):
        sent = {'Host': host or self.host}
        if self.cookies:
            sent['Cookie'] = '; '.join('%s=%s' % pair for pair in self.cookies.items())
        for name, value in (headers or {}).items():
            if value is None:
                sent.pop(name, None)
            else:
                sent[name] = value
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection('127.0.0.1', self.port,
                                                             timeout=self.timeout)
            try:
                self.connection.putrequest(method, path, skip_host=True,
                                           skip_accept_encoding=True)
                for name, value in sent.items():
                    for one in value if isinstance(value, list) else [value]:
                        self.connection.putheader(name, one)
                if body is not None and 'Content-Length' not in sent:
                    self.connection.putheader('Content-Length', str(len(body)))
                self.connection.endheaders(body)
                raw = self.connection.getresponse()
                break
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if fresh or attempt == 2:  # only a kept connection may be gone by right
                    raise
        response = Response(raw, path)
        if raw.will_close:
            self.close()
        for line in response.headers.get_all('Set-Cookie') or []:
            self._set_cookie(line)
        return response

    def _set_cookie(self, line):
        pair, _, attributes = line.partition(';')
        name, _, value = pair.strip().partition('=')
        if 'max-age=0' in attributes.lower().replace(' ', '') or not value:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path, headers=None, host=None):
        return self.request('GET', path, headers=headers, host=host)

    def head(self, path, headers=None, host=None):
        return self.request('HEAD', path, headers=headers, host=host)

    def token(self, path):
        """The form token that the page at `path` carries."""
        page = self.get(path)
        for form in page.forms:
            if form['fields'].get('csrfmiddlewaretoken'):
                return form['fields']['csrfmiddlewaretoken']
        raise AssertionError('no form with csrfmiddlewaretoken at %s (%d)' % (path, page.status))

    def post(self, path, data=None, files=None, headers=None, token=True, page=None, host=None):
        """
        Sends a form: `data` pairs, `files` {name: (filename, bytes, type)}. The token is taken from the
        page at `page` (by default the path itself); token=False sends none, token='...' that one.
        """
        pairs = list(data.items() if isinstance(data, dict) else data or [])
        if token is True:
            token = self.token(page or path)
        if token:
            pairs.insert(0, ('csrfmiddlewaretoken', token))
        if files is None:
            body = urllib.parse.urlencode(pairs).encode()
            kind = 'application/x-www-form-urlencoded'
        else:
            body, kind = multipart(pairs, files)
        sent = {'Content-Type': kind, 'Origin': 'http://' + (host or self.host)}
        sent.update(headers or {})
        return self.request('POST', path, body, sent, host)

    def submit(self, path, data=None, files=None, form=None):
        """Opens the page, fills in `data` over what its form says, and sends that form."""
        page = self.get(path)
        if page.status != 200:
            raise AssertionError('GET %s: %d' % (path, page.status))
        forms = [f for f in page.forms if f['method'] == 'post' and
                 (form is None or form in f['action'])]
        forms = [f for f in forms if 'logout' not in f['action']] or forms
        fields = dict(forms[0]['fields'])
        extra = []
        for name, value in (data.items() if isinstance(data, dict) else data or []):
            if name in fields or isinstance(data, dict):
                fields[name] = value
            else:
                extra.append((name, value))
        token = fields.pop('csrfmiddlewaretoken')
        action = urllib.parse.urljoin(path, forms[0]['action'] or path)
        if files is None and 'multipart' in forms[0]['enctype']:
            files = {}
        return self.post(action, list(fields.items()) + extra, files, token=token)

    def follow(self, response):
        """Where a redirect leads."""
        if not response.location:
            raise AssertionError('%r is no redirect' % response)
        url = urllib.parse.urlsplit(urllib.parse.urljoin(response.url, response.location))
        return self.get(url.path + ('?' + url.query if url.query else ''))

    def sign_in(self, username, password, next_path=None):
        path = '/accounts/login/'
        if next_path:
            path += '?next=' + urllib.parse.quote(next_path)
        data = {'username': username, 'password': password}
        if next_path:
            data['next'] = next_path
        response = self.post(path, data)
        if response.status not in (302, 303):
            raise AssertionError('signing in as %s: %d %s' % (username, response.status,
                                                               response.words[:300]))
        return response

    def sign_out(self, page='/'):
        return self.post('/accounts/logout/', page=page)


def multipart(pairs, files):
    """The body of a multipart form, and its Content-Type."""
    boundary = uuid.uuid4().hex
    out = []
    for name, value in pairs:
        out.append(('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' %
                    (boundary, name, value)).encode())
    for name, (filename, content, kind) in files.items():
        if isinstance(content, str):
            content = content.encode()
        out.append(('--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
                    'Content-Type: %s\r\n\r\n' % (boundary, name, filename, kind)).encode() +
                   content + b'\r\n')
    out.append(b'--%s--\r\n' % boundary.encode())
    return b''.join(out), 'multipart/form-data; boundary=' + boundary


def parameter(value, name):
    """A parameter of a header such as Content-Type."""
    message = email.message.Message()
    message['x'] = value
    return message.get_param(name, header='x')
