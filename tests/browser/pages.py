"""
The pages in a browser, in the order of a first hour: sign in, change the password, add a target, import
a table, alerts and a light curve, the site's hostname; then every page in both themes and two widths.
"""
import math
import os
import subprocess
import time

from selenium.webdriver.common.actions.action_builder import ActionBuilder

from harness.browser import LARGE, NARROW, WIDE, Browser, By, Keys
from harness.report import contains, equal, lacks, wait_for
from harness.site import PASSWORDS
from test_scout import _scout_objects

CSV = '''name,type,ra,dec,redshift
SN 2011fe,SIDEREAL,14:03:05.76,+54:16:25.2,0.0008
AT2018cow,SIDEREAL,244.000927,22.268031,0.0141
'''


def _no_complaints(browser):
    equal(browser.complaints(), [], 'the console')


def visitors_see_a_site_that_says_what_to_do(site, browser):
    browser.open('/')
    contains(browser.text, 'Sign in')
    _no_complaints(browser)


def a_wrong_password_is_said_and_forgotten(site, browser):
    browser.open('/accounts/login/')
    browser.fill(username='ada', password='not the password at all')
    browser.click('main form button')
    equal(browser.path, '/accounts/login/')
    equal(browser.one('main [name=username]').get_attribute('value'), 'ada')
    equal(browser.one('main [name=password]').get_attribute('value'), '')
    browser.complaints()  # the browser notes the status 400


def signing_in_leads_where_one_was_going(site, browser):
    browser.open('/targets/create/')
    contains(browser.path, '/accounts/login/?next=')
    browser.fill(username='ada', password=PASSWORDS['ada'])
    browser.click('main form button')
    equal(browser.path, '/targets/create/')
    _no_complaints(browser)


def a_target_is_added_by_hand(site, browser):
    browser.open('/targets/create/')
    browser.fill(name='M 1', ra='05:34:31.94', dec='+22:00:52.2')
    browser.press('Save target')
    contains(browser.path, '/targets/')
    equal(browser.one('h1').text, 'M 1')
    contains(browser.text.replace(' ', ':'), '83.63308', '22.0145', '05:34:31.9', '+22:00:52')
    _no_complaints(browser)


def a_wrong_field_keeps_what_was_typed_and_is_named(site, browser):
    browser.open('/targets/create/')
    browser.fill(name='Wrong one', ra='400', dec='+22:00:52.2')
    browser.press('Save target')
    equal(browser.one('main [name=name]').get_attribute('value'), 'Wrong one')
    equal(browser.one('main [name=ra]').get_attribute('value'), '400')
    equal(browser.one('main [name=ra]').get_attribute('aria-invalid'), 'true')
    described = browser.one('main [name=ra]').get_attribute('aria-describedby').split()
    contains(' '.join(browser.one('#' + i).text for i in described), '360')
    contains(browser.one('[role=alert]').text, 'Right ascension')
    browser.complaints()


def a_table_is_imported(site, browser):
    path = os.path.join(site.directory, 'two.csv')
    with open(path, 'w') as f:
        f.write(CSV)
    browser.open('/targets/import/')
    browser.one('main [name=target_csv]').send_keys(path)
    browser.press('Import')
    browser.open('/targets/')
    contains(browser.text, 'SN 2011fe', 'AT2018cow', 'M 1')
    browser.open('/targets/?name=cow')
    contains(browser.text, 'AT2018cow')
    lacks(browser.one('main').text, 'SN 2011fe')
    browser.follow(browser.driver.find_element(By.LINK_TEXT, 'AT2018cow'))
    contains(browser.text, 'redshift', '0.0141')
    _no_complaints(browser)


def a_cone_finds_its_targets(site, browser):
    browser.open('/targets/?cone_search=244.0,22.27,0.1')
    contains(browser.one('main').text, 'AT2018cow')
    lacks(browser.one('main').text, 'SN 2011fe')
    _no_complaints(browser)


def the_sites_hostname_is_changed_and_counts_at_once(site, browser):
    browser.open('/')
    equal(site.visitor('tom.example.org').get('/').status, 400)
    other = Browser(site)
    try:
        other.sign_in('admin', PASSWORDS['admin'])
        other.open('/admin/sites/site/')
        other.click('main table a')
        contains(other.path, '/change/')
        other.fill(domain='tom.example.org', name='Example TOM')
        other.click('main form button.primary')
        contains(other.text, 'tom.example.org')
        equal(other.complaints(), [], 'the console')
    finally:
        other.close()
    equal(site.visitor('tom.example.org').get('/').status, 200)


def _ingest(site):
    """Made alerts, read as targets that the signed in see."""
    tool = os.path.join(site.workshop.build, 'tests/tools/make-alerts')
    path = os.path.join(site.directory, 'alerts.avro')
    made = subprocess.run([tool, '--count', '6', '--objects', '3', '--points', '30', '--single', '--out',
                           path], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(made.returncode, 0, made.stdout)
    os.chmod(path, 0o644)
    site.command('meridian-ingest', 'file', path, '--permissions', 'PUBLIC')


def _streams(site):
    """A stream that runs, one that waits, one that fell silent; dead letters."""
    now = int(time.time() * 1e6)
    if site.one("SELECT COUNT(*) FROM stream_state") != '0':
        return
    for stream, behind, heartbeat, error in (
            ('lsst', 1234, now, ''), ('ztf', 0, now, 'kafka: broker2.example.org:9092: connection refused'),
            ('winter', 'NULL', now - 3 * 3600 * 10**6, '')):
        site.sql("INSERT INTO stream_state (stream, host, pid, started, heartbeat, messages, alerts, new_targets, "
                 "new_points, dead, rate, behind, last_packet, error, error_at) VALUES ('%s', "
                 "'ingest1.example.org', 4711, %d, %d, 1234567, 1230000, 321, 9876543, 2, 256.3, %s, %d, '%s', %s)" %
                 (stream, now - 7200 * 10**6, heartbeat, behind, heartbeat - 10**6, error,
                  now - 600 * 10**6 if error else 'NULL'))
    for place, (more, value) in enumerate((('bytes', "x'00'"), ('bytes, asked', "x'00', %d" % now),
                                           ('bytes, tried', "x'00', %d" % now), ('bytes', 'NULL'))):
        site.sql("INSERT INTO dead_letter (stream, topic, part, place, received, reason, size, %s) VALUES "
                 "('ztf', 'ztf_20261127_programid1', 3, %d, %d, 'schema 900 cannot be had: there is no 900.avsc in "
                 "/etc/meridian/schemas', 139000, %s)" % (more, 1234567 + place, now, value))


def a_light_curve_shows_what_was_measured(site, browser):
    _ingest(site)
    site.curve = site.one('SELECT target_id FROM datum GROUP BY target_id ORDER BY COUNT(*) DESC '
                          'LIMIT 1')
    browser.open('/targets/%s/' % site.curve)
    drawn = len(browser.all('.plot svg g.s use'))
    if drawn < 3:
        raise AssertionError('%d points are drawn' % drawn)
    plot = browser.one('.plot > svg').rect
    for use in browser.all('.plot svg g.s use')[:50]:
        r = use.rect
        x, y = r['x'] + r['width'] / 2, r['y'] + r['height'] / 2
        if not (plot['x'] - 2 <= x <= plot['x'] + plot['width'] + 2 and
                plot['y'] - 2 <= y <= plot['y'] + plot['height'] + 2):
            raise AssertionError('a point lies outside of the plot')
    labels = [(e.location['y'], float(e.text)) for e in browser.all('.plot svg > text.end')
              if e.text.replace('.', '').isdigit()]
    labels.sort()
    equal([m for _, m in labels], sorted(m for _, m in labels), 'magnitudes grow downward')
    contains(browser.one('.plot svg title').get_attribute('textContent').lower(), 'light curve')
    _no_complaints(browser)


def _shown(browser):
    """The marks that are drawn, as (x, y) in the window from left to right."""
    return [tuple(p) for p in browser.script('''
        return [...document.querySelectorAll(".plot g.s use")]
            .filter(e => e.style.display !== "none")
            .map(e => e.getBoundingClientRect())
            .map(r => [r.x + r.width / 2, r.y + r.height / 2])
            .sort((p, q) => p[0] - q[0] || p[1] - q[1])''')]


def _axis(browser):
    return [e.get_attribute('textContent') for e in browser.all('.plot .mjds text, .plot .dates text')]


def _mouse(browser):
    """The mouse, and the middle of the plot with its width."""
    plot = browser.one('.plot > svg').rect
    scroll = browser.script('arguments[0].scrollIntoView({block: "center"}); return scrollY',
                            browser.one('.plot'))
    return (ActionBuilder(browser.driver), plot['x'], plot['y'] - scroll + plot['height'] / 2,
            plot['width'])


def _act(mouse, *steps):
    for step in steps:
        if step in ('press', 'release'):
            (mouse.pointer_action.pointer_down if step == 'press' else
             mouse.pointer_action.pointer_up)()
        else:
            mouse.pointer_action.move_to_location(int(step[0]), int(step[1]))
    mouse.perform()


def hovering_and_arrow_keys_tell_a_measurements_numbers(site, browser):
    browser.open('/targets/%s/' % site.curve)
    says = sorted(line for g in browser.all('[data-say]')
                  for line in g.get_attribute('data-say').split('\n'))
    mouse, x, y, _ = _mouse(browser)
    _act(mouse, (x + 5, y), _shown(browser)[-1])
    tip = browser.one('.plot .tip')
    equal(tip.get_attribute('visibility'), 'visible')
    equal([s for s in says if tip.get_attribute('textContent').startswith(s)] != [], True)
    contains(tip.get_attribute('textContent'), ' MJD ', ', 20')
    _act(mouse, (x - 30, y))
    equal(tip.get_attribute('visibility'), 'hidden')
    browser.script('document.querySelector(".plot > svg").focus()')
    told = []
    for _ in says:
        browser.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        told.append(browser.one('output.vh').get_attribute('textContent'))
    equal(sorted(told), says)
    browser.driver.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    equal(browser.one('output.vh').get_attribute('textContent'), told[-2])
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    equal((browser.one('output.vh').get_attribute('textContent'), tip.get_attribute('visibility')),
          ('', 'hidden'))
    _no_complaints(browser)


def a_light_curve_zooms_by_buttons_and_by_dragging(site, browser):
    browser.open('/targets/%s/' % site.curve)
    marks, axis = _shown(browser), _axis(browser)
    closer, out, every = browser.all('.zoom button')
    equal([b.text for b in (closer, out, every)], ['Zoom in', 'Zoom out', 'All'])
    equal((closer.is_enabled(), out.is_enabled(), every.is_enabled()), (True, False, False))
    mouse, x, y, width = _mouse(browser)
    marks = _shown(browser)
    closer.click()
    equal(out.is_enabled() and every.is_enabled(), True)
    inner = [m for m in marks if x + width / 4 <= m[0] <= x + width * 3 / 4]
    equal(len(_shown(browser)), len(inner))
    for was, now in zip(inner, _shown(browser)):
        if abs((was[0] - x - width / 4) * 2 - (now[0] - x)) > 2 or abs(was[1] - now[1]) > 1:
            raise AssertionError('%s is now at %s' % (was, now))
    equal(_axis(browser) != axis, True, 'the axes say what is seen')
    equal(sum(label.count(' 20') for label in _axis(browser)) >= 1, True, 'with the year')
    out.click()
    equal((_shown(browser), _axis(browser)), (marks, axis))
    _act(mouse, (x + width * 0.1, y), 'press', (x + width * 0.3, y), (x + width * 0.6, y), 'release')
    equal(len(_shown(browser)), len([m for m in marks
                                     if x + width * 0.1 <= m[0] <= x + width * 0.6]))
    every.click()
    equal((_shown(browser), _axis(browser)), (marks, axis))
    # a drag that the browser takes over ends, and moving on chooses nothing
    _act(mouse, (x + width * 0.2, y), 'press', (x + width * 0.4, y))
    shade = browser.one('.plot .shade')
    equal(shade.get_attribute('visibility'), 'visible')
    browser.script('document.querySelector(".plot").dispatchEvent(new PointerEvent("pointercancel"))')
    _act(mouse, (x + width * 0.7, y), 'release')
    equal((shade.get_attribute('visibility'), _shown(browser)), ('hidden', marks))
    _no_complaints(browser)


def _many(site, browser):
    """A target with 5,000 points of two surveys in 2,000 days."""
    browser.open('/targets/create/')
    browser.fill(name='Many points', ra='10', dec='-10')
    browser.press('Save target')
    target = browser.path.split('/')[2]
    rows = []
    for i in range(5000):
        mjd, mag = 60000 + i * 0.4, 17 + 0.8 * math.sin(i / 90) + 0.3 * math.sin(i)
        flux = 10 ** ((31.4 - mag - 4) / 2.5) * (1 if i % 9 else -0.2)
        rows.append("'ZTF', 1, '%s', %f, %d, NULL, NULL, %f, 0.05, 1" % ('gr'[i % 4 > 1], mjd, i + 1, mag)
                    if i % 2 else "'LSST', 3, '%s', %f, %d, %f, 300, NULL, NULL, %d" % (
                        'gri'[i % 3], mjd, i + 1, flux, 1 if flux > 0 else -1))
    for first in range(0, len(rows), 500):
        site.sql('INSERT INTO datum (target_id, created, source, kind, band, mjd, survey_id, flux, '
                 'flux_error, magnitude, magnitude_error, sign) VALUES ' +
                 ', '.join('(%s, 0, %s)' % (target, row) for row in rows[first:first + 500]))
    return target


def zooming_into_many_points_shows_all_of_the_range(site, browser):
    site.many = _many(site, browser)
    browser.open('/targets/%s/?y=flux' % site.many)
    marks = len(_shown(browser))
    equal(marks <= 480 and marks > 300, True, marks)
    contains(browser.one('figcaption').text, '5,000 points drawn as %d marks' % marks)
    browser.one('.key .k-2').click()  # without ZTF
    mouse, x, y, width = _mouse(browser)
    _act(mouse, (x + width * 0.5, y), 'press', (x + width * 0.52, y), (x + width * 0.55, y), 'release')
    wait_for(lambda: 'from=' in browser.path and browser.all('.plot svg[data-ranged]'), 10, 'the range')
    low, high = (float(browser.one('.plot > svg').get_attribute('data-' + end)) for end in ('from', 'to'))
    inside = [60000 + i * 0.4 for i in range(5000) if low <= 60000 + i * 0.4 <= high]
    equal(len(_shown(browser)), len(inside))
    contains(browser.one('.measurements').text, 'of %d in this range' % len(inside))
    contains(browser.path, 'y=flux')
    equal(browser.one('.key .k-2').is_selected(), False, 'what was hidden stays hidden')
    # the script is at work on what came, and goes back as it came
    equal([b.is_enabled() for b in browser.all('.zoom button')], [True, True, True])
    browser.all('.zoom button')[1].click()
    wait_for(lambda: float(browser.one('.plot > svg').get_attribute('data-from')) < low - 20, 10, 'wider')
    # who works it by keys keeps their place
    wait_for(lambda: browser.driver.switch_to.active_element.text == 'Zoom out', 10, 'the same button')
    browser.driver.back()
    wait_for(lambda: float(browser.one('.plot > svg').get_attribute('data-from')) == low, 10, 'back')
    browser.all('.zoom button')[2].click()
    wait_for(lambda: not browser.all('.plot svg[data-ranged]'), 10, 'all')
    equal((len(_shown(browser)), 'from=' in browser.path), (marks, False))
    _no_complaints(browser)


def a_light_curve_is_right_without_script(site, browser):
    plain = Browser(site, script=False)
    try:
        plain.sign_in('ada', PASSWORDS['ada'])
        plain.open('/targets/%s/' % site.curve)
        browser.open('/targets/%s/' % site.curve)
        equal(len(plain.all('.plot svg g.s use')), len(browser.all('.plot svg g.s use')))
        plain.open('/targets/%s/' % site.many)
        plain.press('Flux')
        plain.press('Days')
        plain.fill(**{'from': '60100', 'to': '60140'})
        plain.press('Show')
        contains(plain.path, 'y=flux', 'x=days', 'from=60100', 'to=60140')
        equal(len(plain.all('.plot svg g.s use')), 101)
        plain.open('/targets/create/')
        plain.fill(name='Without script', ra='10', dec='-10')
        plain.press('Save target')
        equal(plain.one('h1').text, 'Without script')
    finally:
        plain.close()


def _walk(browser, path, most):
    """The tab key from stop to stop: a mark on each, and all of the page's."""
    browser.open(path)
    browser.one('body').send_keys(Keys.TAB)
    seen = set()
    for _ in range(most):
        active = browser.driver.switch_to.active_element
        if active.tag_name == 'body' and seen:
            break  # round
        seen.add(active.get_attribute('outerHTML')[:200])
        outline = browser.script('const s = getComputedStyle(arguments[0]);'
                                 'return s.outlineStyle + s.boxShadow + s.textDecorationLine', active)
        if active.tag_name != 'body' and outline.startswith('nonenone') and 'underline' not in outline:
            raise AssertionError('%s: no mark of the focus on %s' % (
                path, active.get_attribute('outerHTML')[:200]))
        active.send_keys(Keys.TAB)
    wanted = len(browser.all('main a[href], main button, main input:not([type=hidden]), main select'))
    if len(seen) < min(wanted, 20):
        raise AssertionError('%s: %d stops for %d things to reach' % (path, len(seen), wanted))


def the_keyboard_reaches_everything(site, browser):
    browser.open('/targets/')
    browser.one('body').send_keys(Keys.TAB)
    first = browser.driver.switch_to.active_element
    equal(first.tag_name, 'a', 'the first stop')
    contains(first.get_attribute('href'), '#')
    _walk(browser, '/targets/', 80)


def the_keyboard_reaches_the_pages_of_an_account(site, browser):
    for path in _account_pages(site):
        if path != '/accounts/approve/':  # of staff
            _walk(browser, path, 24)
    browser.complaints()
    visitor = Browser(site)
    try:
        for path in ('/accounts/login/', '/accounts/register/', '/accounts/password/reset/'):
            _walk(visitor, path, 24)
        _no_complaints(visitor)
    finally:
        visitor.close()


def every_control_has_a_name(site, browser):
    for path in _pages(site):
        browser.open(path)
        bare = browser.script('''
            return [...document.querySelectorAll(
                'input:not([type=hidden]), select, textarea, button, a[href]')].filter(e =>
                !(e.labels && e.labels.length) && !e.getAttribute('aria-label') &&
                !e.getAttribute('aria-labelledby') && !e.textContent.trim() && !e.title &&
                !e.value).map(e => e.outerHTML.slice(0, 150))''')
        equal(bare, [], path)
        equal(len(browser.all('h1')), 1, 'h1 of ' + path)
        equal(len(browser.all('main')), 1, 'main of ' + path)
        if not browser.script('return document.documentElement.lang'):
            raise AssertionError('%s has no language' % path)
        double = browser.script('const n = {}; document.querySelectorAll("[id]").forEach(e => '
                                'n[e.id] = (n[e.id] || 0) + 1);'
                                'return Object.keys(n).filter(k => n[k] > 1)')
        equal(double, [], 'ids that stand twice on ' + path)


VISITORS_PAGES = ['/accounts/login/', '/accounts/register/', '/accounts/registered/',
                  '/accounts/password/reset/', '/accounts/password/sent/']


def _account_pages(site):
    """Second factor, tokens, sessions, who waits for an account, and who can see a target."""
    return ['/accounts/factor/', '/accounts/factor/add/', '/accounts/tokens/', '/accounts/sessions/',
            '/accounts/approve/', '/targets/%s/access/' % site.curve,
            '/targets/%s/permissions/' % site.curve]


def _scout(site):
    """The pages of Scout: its objects, one that has a target, and that target's."""
    if site.one("SELECT COUNT(*) FROM scout_object") == '0':
        _scout_objects(site)
    target = site.one("SELECT target_id FROM scout_object WHERE name = 'P21scou'")
    return ['/alerts/scout/', '/alerts/scout/P21scou/', '/targets/%s/' % target]


def _pages(site):
    _streams(site)
    return _scout(site) + ['/', '/about/', '/targets/', '/targets/create/', '/targets/create/?type=NON_SIDEREAL',
            '/targets/import/', '/targets/?name=nothing-like-it', '/targets/%s/' % site.curve,
            '/targets/%s/' % site.many, '/targets/%s/?y=flux&x=days' % site.many,
            '/targets/%s/?from=60500&to=60540' % site.many,
            '/targets/%s/update/' % site.curve, '/accounts/password/', '/nowhere/', '/admin/',
            '/admin/sites/site/', '/admin/sites/site/add/', '/admin/security/', '/admin/sessions/',
            '/admin/sessions/end-all/', '/alerts/streams/',
            '/alerts/streams/ztf/letters/', '/alerts/objects/',
            '/targets/%s/alerts/' % site.curve, '/users/', '/users/profile/', '/users/create/',
            '/groups/create/'] + \
        _account_pages(site) + \
        ['/alerts/objects/%s/%s/' % site.sql('SELECT survey, name FROM survey_object')[0]] + \
        [p % site.one("SELECT id FROM users WHERE username = 'ada'") for p in (
            '/users/%s/update/', '/users/%s/delete/', '/users/%s/changepassword/',
            '/admin/auth/user/%s/change/')]


def every_page_fits_both_widths_in_both_themes(site, browser):
    """Pictures of all pages; none is wider than its window; the console is silent."""
    with_rights = Browser(site)
    try:
        pages = VISITORS_PAGES + _pages(site)
        large = VISITORS_PAGES + _account_pages(site)
        for number, path in enumerate(pages):
            if number == len(VISITORS_PAGES):
                with_rights.sign_in('admin', PASSWORDS['admin'])
            for theme in ('light', 'dark'):
                with_rights.theme(theme)
                for width, height in (WIDE, NARROW) + ((LARGE,) if path in large else ()):
                    with_rights.size(width, height)
                    with_rights.open(path)
                    wide = with_rights.script('return document.documentElement.scrollWidth')
                    name = '%s-%s-%d.png' % (path.strip('/').replace('/', '-').replace('?', '-')
                                             or 'home', theme, width)
                    with_rights.picture(os.path.join(site.pictures, name))
                    if wide > width:
                        raise AssertionError('%s is %d wide at %d' % (path, wide, width))
            complaints = [c for c in with_rights.complaints() if '404 (' not in c]
            equal(complaints, [], path)
    finally:
        with_rights.close()


def contrast_of_text_is_enough(site, browser):
    """WCAG AA (4.5:1) for the text that is drawn on plain grounds, both themes."""
    for theme in ('light', 'dark'):
        browser.theme(theme)
        for path in ['/', '/targets/', '/targets/create/', '/targets/%s/' % site.curve] + [
                p for p in _account_pages(site) if p != '/accounts/approve/']:
            browser.open(path)
            low = browser.script(r'''
                const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
                const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
                    return canvas.getImageData(0, 0, 1, 1).data; };
                const light = c => { const [r, g, b] = [0, 1, 2].map(i => { const v = c[i] / 255;
                    return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
                    return .2126 * r + .7152 * g + .0722 * b; };
                const ground = e => { for (; e; e = e.parentElement) {
                    const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
                    return rgba('white'); };
                const out = new Set();
                for (const e of document.querySelectorAll('main *, header *')) {
                    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
                    if (!e.checkVisibility() || e.closest('[aria-disabled=true], :disabled, .vh')) continue;
                    const a = light(rgba(getComputedStyle(e).color)), b = light(ground(e));
                    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
                    if (ratio < 4.45) out.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
                }
                return [...out];''')
            equal(low, [], '%s, %s' % (path, theme))


def a_new_password_is_judged_while_it_is_typed(site, browser):
    browser.complaints()  # of the error pages before
    browser.open('/accounts/password/')
    browser.fill(new_password1='12345')
    wait_for(lambda: 'too short' in browser.one('.strength').text, 5, 'the rules')
    contains(browser.one('.strength').text, 'at least 15', 'numeric')
    browser.fill(new_password1='harvest-Quartz-5-almanac')
    wait_for(lambda: 'keeps every rule' in browser.one('.strength').text, 5, 'good')
    equal(browser.script('return [arguments[0].value, arguments[0].max].join()',
                         browser.one('.strength meter')), '5,5')
    _no_complaints(browser)


def signing_out_ends_the_session(site, browser):
    browser.open('/targets/')
    browser.size(*WIDE)
    browser.open('/accounts/password/')
    jar = {c['name']: c['value'] for c in browser.driver.get_cookies()}
    for element in browser.all('form[action$="/accounts/logout/"] button'):
        browser.script('arguments[0].click()', element)
        break
    wait_for(lambda: '/accounts/password/' not in browser.path, 5, 'signing out')
    visitor = site.visitor()
    visitor.cookies = jar
    equal(visitor.get('/accounts/password/').status, 302, 'the old cookie')
