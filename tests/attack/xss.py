"""
xss: markup and script in every field that is kept or given back, opened in headless Chromium. No dialog,
no report of the content security policy, and the page says what was typed, letter by letter.
"""
import csv
import io

from harness.browser import Browser
from harness.report import equal, lacks

SIZES = {'payloads': 40}
FULL = {'payloads': 200}

# What runs calls ran(); a test sees it. Each is of another kind or for another place.
BASE = (
    '<script>ran()</script>', '"><script>ran()</script>', "'><script>ran()</script>",
    '</script><script>ran()</script>', '</title><script>ran()</script>',
    '</textarea><script>ran()</script>', '<img src=x onerror=ran()>', '"><img src=x onerror=ran()>',
    '<svg onload=ran()>', '<svg><script>ran()</script></svg>', '" onfocus=ran() autofocus x="',
    "' onfocus=ran() autofocus x='", '" onmouseover="ran()', '<body onload=ran()>',
    '<iframe srcdoc="<script>parent.ran()</script>">', '<iframe src="javascript:parent.ran()">',
    '<a href="javascript:ran()">x</a>', 'javascript:ran()', 'JaVaScRiPt:ran()',
    'data:text/html,<script>ran()</script>', '<details open ontoggle=ran()>',
    '<input autofocus onfocus=ran()>', '<video><source onerror=ran()></video>',
    '<math><mtext></form><form><mglyph><style></math><img src onerror=ran()>',
    '<noscript><p title="</noscript><img src=x onerror=ran()>">', '<!--><img src=x onerror=ran()>-->',
    '<![CDATA[><img src=x onerror=ran()>]]>', '<style>@import"javascript:ran()"</style>',
    '<link rel=stylesheet href=javascript:ran()>', '<base href="//evil.example/">',
    '<meta http-equiv=refresh content="0;url=javascript:ran()">',
    '<object data="javascript:ran()"></object>', '<embed src="javascript:ran()">',
    '<form action="javascript:ran()"><button>x</button></form>', '<button formaction=javascript:ran()>x',
    '{{ran()}}', '{{{ran()}}}', '{{> top}}', '{{#user}}x{{/user}}', '${ran()}', '<%= ran() %>',
    '`;ran();//', "';ran();//", '";ran();//', '\\";ran();//', '</style><script>ran()</script>',
    '\u2028ran()\u2029', '&lt;script&gt;ran()&lt;/script&gt;', '&#60;script&#62;ran()&#60;/script&#62;',
    '%3Cscript%3Eran()%3C/script%3E', '\uff1cscript\uff1eran()\uff1c/script\uff1e',
    '<scr<script>ipt>ran()</scr</script>ipt>', '<ScRiPt>ran()</sCrIpT>', '<script/x>ran()</script>',
    '<script\n>ran()</script>', '<img/src=x/onerror=ran()>', '<svg/onload=ran()//', '<x onclick=ran()>x',
    '+ADw-script+AD4-ran()+ADw-/script+AD4-', '\u202e<script>ran()</script>', '<\u0131mg src=x onerror=ran()>',
)


def _payloads():
    """As many as the size says: those above, then each in other clothes."""
    clothes = ('%s', 'x%s', '"%s', "'%s", '>%s', '--> %s', '*/%s', ']]>%s')
    every = [c % p for c in clothes for p in BASE]
    step = max(1, len(BASE) // SIZES['payloads'])
    return (every[:len(BASE):step] if SIZES['payloads'] < len(BASE) else every)[:SIZES['payloads']]


class _Watch:
    """A browser that tells whether anything of ours ran, or the policy had to stop something."""

    def __init__(self, site):
        self.browser = Browser(site)
        self.browser.driver.execute_cdp_cmd('Page.enable', {})
        self.browser.driver.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': '''
            window.found = [];
            window.ran = () => found.push('ran');
            window.alert = window.confirm = window.prompt = () => found.push('dialog');
            document.addEventListener('securitypolicyviolation',
                e => found.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI));'''})

    def look(self, path):
        self.browser.open(path)
        equal(self.browser.script('return window.found'), [], path)
        return self.browser.script('return document.documentElement.innerText')

    def sign_in_as(self, client):
        self.browser.open('/robots.txt')
        for name, value in client.cookies.items():
            self.browser.driver.add_cookie({'name': name, 'value': value, 'path': '/'})


def _words(text):
    return ' '.join(text.split())


def nothing_stored_or_given_back_runs(site):
    payloads = _payloads()
    admin = site.signed_in('admin')
    watch = _Watch(site)
    try:
        watch.sign_in_as(admin)
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(['name', 'type', 'ra', 'dec', 'permissions', 'aliases', 'note', 'redshift'])
        for i, payload in enumerate(payloads):
            rows.writerow(['%d %s' % (i, payload), 'SIDEREAL', i % 360, 10, 'OPEN', 'a%d %s' % (i, payload),
                           payload, '0.1'])
        answer = admin.submit('/targets/import/', {'mode': 'rows'}, {
            'target_csv': ('rows.csv', text.getvalue().encode(), 'text/csv')})
        equal(answer.status in (200, 302, 400), True, answer.words[:500])
        ids = {name: number for number, name in site.sql("SELECT id, name FROM target")}
        equal(len(ids) > len(payloads) * 0.9, True, answer.words[:500])
        for i, payload in enumerate(payloads):
            name = _words('%d %s' % (i, payload))
            number = next((ids[n] for n in ids if _words(n) == name), None)
            if number is None:
                continue  # refused on import (a control character, say): nothing is kept
            page = watch.look('/targets/%s/' % number)
            if name not in _words(page):
                raise AssertionError('the page of %r does not say so' % name)
            if i % 8 == 0:
                for path in ('update/', 'delete/'):
                    watch.look('/targets/%s/%s' % (number, path))
        for page in range(1, 2 + len(payloads) // 20):
            watch.look('/targets/?page=%d' % page)
        watch.look('/')
        for payload in payloads:
            from urllib.parse import quote
            watch.look('/targets/?name=' + quote(payload))
            watch.look('/accounts/login/?next=' + quote(payload))
    finally:
        watch.browser.close()


def what_a_form_gives_back_runs_nowhere(site):
    """A form with a wrong field comes back with what was typed: sent by the browser itself."""
    watch = _Watch(site)
    try:
        watch.sign_in_as(site.signed_in('admin'))
        fields = {'/targets/create/': ('name', 'ra', 'epoch', 'parallax'),
                  '/admin/sites/site/add/': ('domain', 'name')}
        for path, names in fields.items():
            for payload in _payloads()[::4]:
                watch.look(path)
                watch.browser.script('''
                    for (const name of arguments[0])
                        document.querySelector('main [name="' + name + '"]').value = arguments[1];
                    document.querySelector('main form[method=post]').noValidate = true;
                    document.querySelector('main form[method=post]').submit();''', list(names), payload)
                watch.browser.script('return document.readyState')
                equal(watch.browser.script('return window.found || []'), [], path + ' ' + payload)
    finally:
        watch.browser.close()


def markup_in_paths_and_files_runs_nowhere(site):
    """The address itself, a file's name, and what an error page quotes."""
    from urllib.parse import quote
    watch = _Watch(site)
    try:
        for payload in _payloads()[::4]:
            watch.look('/' + quote(payload, safe=''))
            watch.look('/targets/name/' + quote(payload, safe=''))
            answer = site.signed_in('ada').submit('/targets/import/', {}, {
                'target_csv': (payload.replace('\n', ' ').replace('\r', ' '),
                               b'name,ra\n' + payload.encode() + b',nonsense\n', 'text/html')})
            equal(answer.status in (200, 400), True)
            lacks(answer.text, '<script>ran', '<img src=x', '<svg onload')
    finally:
        watch.browser.close()
