"""robots: the rules for crawlers behind a real web server, and files that change while it runs."""
import os

from harness.report import contains, equal, lacks


def _write(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.chmod(path + '.new', 0o644)
    os.rename(path + '.new', path)


def nobody_may_read_anything_by_default(site):
    got = site.visitor().get('/robots.txt')
    equal(got.status, 200)
    equal(got.text, 'User-Agent: *\nDisallow: /\n')
    equal(got.header('Content-Type'), 'text/plain; charset=utf-8')
    equal(got.header('Set-Cookie'), '')


def a_file_that_changes_is_read_again(site):
    path = os.path.join(site.directory, 'robots-test.txt')
    _write(path, 'User-agent: *\nDisallow: /admin/\n')
    with site.variant(users=False, ROBOTS_TXT_PATH=path) as other:
        visitor = other.visitor()
        first = visitor.get('/robots.txt')
        equal(first.text, 'User-agent: *\nDisallow: /admin/\n')
        _write(path, 'User-agent: *\nDisallow: /api/\n')
        for _ in range(8):
            second = visitor.get('/robots.txt')
            equal(second.text, 'User-agent: *\nDisallow: /api/\n')
        if first.header('ETag') == second.header('ETag'):
            raise AssertionError('another text has the same ETag')
        os.unlink(path)
        for _ in range(8):
            equal(visitor.get('/robots.txt').text, 'User-Agent: *\nDisallow: /\n')
        warnings = [line for line in other.log_lines('robots')
                    if line.get('event') == 'default robots.txt served']
        if not 1 <= len(warnings) <= 2:
            raise AssertionError('%d warnings of two workers' % len(warnings))


def hosts_have_their_own_rules(site):
    directory = os.path.join(site.directory, 'robots.d')
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    _write(os.path.join(directory, 'one.example.txt'), 'User-agent: *\nAllow: /\n')
    with site.variant(users=False, ROBOTS_TXT_DIR=directory) as other:
        contains(other.visitor('one.example').get('/robots.txt').text, 'Allow: /')
        contains(other.visitor('two.example').get('/robots.txt').text, 'Disallow: /\n')
        lacks(other.visitor('two.example').get('/robots.txt').text, 'two.example')


def a_locked_site_answers_crawlers(site):
    with site.variant(users=False, AUTH_STRATEGY='LOCKED') as other:
        equal(other.visitor().get('/robots.txt').status, 200)


# Plain CGI and mod_fcgid start more processes, each with a warning of its own.
a_file_that_changes_is_read_again.servers = ('nginx', 'apache-proxy')
