"""
photometry: the light curve of a target's page, how it is looked at by links, the table, the CSV.
"""
import csv
import html
import io
import re
import time

from harness.report import contains, equal, lacks


def _create(client, name, permissions='OPEN'):
    answer = client.submit('/targets/create/', {'name': name, 'ra': '10.5', 'dec': '-20.25',
                                                'permissions': permissions})
    equal(answer.status, 302, answer.words[:600])
    return '/targets/%s/' % re.fullmatch(r'/targets/(\d+)/', answer.location).group(1)


def _store(site, path, rows):
    """Rows of (source, kind, band, mjd, survey_id, flux, flux_error, magnitude, error, limit, sign)."""
    target = path.split('/')[2]
    columns = ('target_id, created, source, kind, band, mjd, survey_id, flux, flux_error, magnitude, '
               'magnitude_error, limit_mag, sign')
    for first in range(0, len(rows), 500):
        site.sql('INSERT INTO datum (%s) VALUES %s' % (columns, ', '.join(
            "(%s, 0, '%s', %d, '%s', %s)" % (target, *row[:3], ', '.join(
                'NULL' if x is None else repr(x) for x in row[3:]))
            for row in rows[first:first + 500])))
    # as who stores measurements does: a worker may keep what it reads now
    site.sql('DELETE FROM datum_revision WHERE target_id = %s' % target)
    site.sql('INSERT INTO datum_revision (target_id, revision) VALUES (%s, %d)' % (
        target, time.time_ns() // 1000))


def _many(n, step=0.25):
    """A year of a variable star in three bands, one outburst of a night, one forced dip."""
    rows = []
    for i in range(n):
        mag = 18 + (i * 7 % 100) / 100
        if i == n // 2:
            mag = 12.5
        rows.append(('ZTF', 1, 'gri'[i % 3], 60000 + i * step, i + 1, None, None, mag, 0.05, None, 1))
    return rows


def _two_surveys():
    return [('ZTF', 1, 'g', 60010.5, 1, 36307.8, 1672.0, 20.0, 0.05, None, 1),
            ('ZTF', 2, 'r', 60000.25, 0, None, None, None, None, 20.5, 0),
            ('ZTF', 1, 'r', 60015.5, 2, -4000.0, 300.0, 22.4, 0.08, None, -1),
            ('LSST', 1, 'g', 60011.5, 11, 40000.0, 100.0, 19.895, 0.003, None, 1),
            ('LSST', 3, 'g', 60005.5, 12, -50.0, 100.0, None, None, None, -1),
            ('LSST', 3, 'g', 60030.5, 13, 900.0, 100.0, None, None, None, 1)]


def _marks(page, letters='[ugrizycow][23]?'):
    return len(re.findall(r'<use href="#m-%s" x="[\d.]+%%" y="[\d.]+%%"/>' % letters, page.text))


def _says(page):
    return [line for text in re.findall(r'data-say="([^"]*)"', page.text)
            for line in html.unescape(text).split('\n')]


def _link(page, label):
    """Where the page's link of that label leads."""
    found = re.search(r'<a[^>]* href="([^"]*)"[^>]*>%s</a>' % re.escape(label), page.text)
    if found is None:
        raise AssertionError('no link %r' % label)
    return html.unescape(found.group(1)).split('#')[0]


def _table(page):
    """Cells of the table's rows."""
    return [[html.unescape(re.sub('<[^>]*>', '', cell)) for cell in re.split('<td[^>]*>', row)[1:]]
            for row in re.findall(r'<tr>(<td class="nb">.*?)</tr>', page.text)]


def surveys_are_told_apart(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'Of two surveys')
    _store(site, path, _two_surveys())
    page = ada.get(path)
    # LSST comes first by name and has the plain marks, ZTF the eye
    equal((_marks(page, 'g'), _marks(page, 'g2'), _marks(page, 'r2'), _marks(page, 'l')), (2, 1, 1, 2))
    contains(page.text, 'id="m-g2"', 'class="k-1"', 'class="k-2"', '−')
    contains(page.words, 'LSST 3', 'ZTF 3', 'limits 2', 'forced 1')
    # in magnitudes a forced point below 3 sigma is a limit, a negative difference a size with a sign
    says = _says(page)
    contains(says, 'g > 24.65, MJD 60005.5000, forced, LSST',
             'r 22.40 \u00b1 0.08, MJD 60015.5000, fainter than the reference, ZTF',
             'r > 20.50, MJD 60000.2500, ZTF')
    one = _create(ada, 'Of one survey')
    _store(site, one, _two_surveys()[:3])
    lacks(ada.get(one).text, 'id="m-g2"', 'class="k-2"')


def a_link_shows_flux_with_its_sign_and_a_line_at_zero(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'In flux')
    _store(site, path, _two_surveys())
    page = ada.get(path)
    lacks(page.text, 'class="zero"')
    page = ada.get(_link(page, 'Flux'))
    contains(page.text, 'class="zero"', 'aria-current="true">Flux</a>')
    contains(page.words, 'Flux (nJy)', 'Error (nJy)', '60005.50000 g -50 100 forced, fainter',
             '60015.50000 r -4000 300 detection, fainter')
    contains(_says(page), 'g -50 \u00b1 100 nJy, MJD 60005.5000, forced, fainter than the reference, LSST',
             'r < 22909 nJy, MJD 60000.2500, ZTF')
    equal(_marks(page, 'l'), 1)  # of the exposure that saw nothing
    lacks(page.text, 'class="mid minus"')
    page = ada.get(_link(page, 'Magnitude'))
    contains(page.words, 'Magnitude (AB)', 'Error (mag)')
    # what has no flux has that of its magnitude
    old = _create(ada, 'In magnitudes alone')
    _store(site, old, [('ZTF', 1, 'g', 60000.5, 1, None, None, 18.9, 0.05, None, -1)])
    contains(ada.get(old + '?y=flux').words, '60000.50000 g -100000 4605')


def a_link_counts_days_from_the_first_detection(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'In days')
    _store(site, path, _two_surveys())
    page = ada.get(_link(ada.get(path), 'Days'))
    contains(page.words, 'days since the first detection, MJD 60010.5000', 'Day')
    contains(_says(page), 'g 19.895 \u00b1 0.003, MJD 60011.5000, day 1.000, LSST')
    equal([row[2] for row in _table(page)],
          ['20.000', '5.000', '1.000', '0.000', '-5.000', '-10.250'])
    # also where the range does not hold it
    page = ada.get(path + '?x=days&from=60012&to=60040')
    equal([row[2] for row in _table(page)], ['20.000', '5.000'])
    contains(page.text, 'data-zero="60010.500000"')
    # without a detection there is none to count from
    none = _create(ada, 'Never detected')
    _store(site, none, [('ZTF', 2, 'r', 60000.25, 0, None, None, None, None, 20.5, 0)])
    page = ada.get(none + '?x=days')
    lacks(page.text, '>Days</a>', 'data-zero')


def many_points_are_few_marks_and_exact_in_a_range(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'With many')
    _store(site, path, _many(5000))
    page = ada.get(path)
    drawn = re.search(r'5,000 points drawn as (\d+) marks: of each band', page.words)
    equal((_marks(page), 300 < int(drawn.group(1)) <= 480), (int(drawn.group(1)), True))
    contains(_says(page), 'r 12.50 \u00b1 0.05, MJD 60625.0000')
    contains(page.words, 'The latest 20 of 5,000.')
    # a range by hand, and by its links
    page = ada.get(path + '?from=60620&to=60630')
    equal(_marks(page), 41)
    lacks(page.words, 'drawn as')
    contains(page.words, 'The latest 20 of 41 in this range.', 'Brightest in the range')
    contains(page.text, 'data-from="60620.000000" data-to="60630.000000"')
    equal(_link(page, 'Earlier'), path + '?from=60610.0000&to=60620.0000')
    equal(_link(page, 'Wider'), path + '?from=60615.0000&to=60635.0000')
    equal(_link(page, 'All'), path + '?')
    wide = ada.get(_link(ada.get(path + '?y=flux'), 'Last 100 days'))
    contains(wide.text, 'data-from="61149.000000"', 'aria-current="true">Flux</a>')
    # half a range, one with nothing in it, and what is none
    equal(_marks(ada.get(path + '?to=60010')), 41)
    contains(ada.get(path + '?from=70000').words, 'Nothing in this range can be drawn.',
             'None in this range.')
    # nor is one that is closer than links can say refused
    for ends in (('60620.5', '60620.50015'), ('60620.5', '60620.50001'), ('60620.49995', '60620.50005')):
        page = ada.get(path + '?from=%s&to=%s' % ends)
        for label in ('Earlier', 'Later', 'Closer', 'Wider'):
            equal(ada.get(_link(page, label)).status, 200, '%s of %s' % (label, ends))
    for wrong in ('from=x', 'to=1e9', 'from=60010&to=60000', 'from=nan', 'from=60000&to=60000'):
        answer = ada.get(path + '?' + wrong)
        equal(answer.status, 400, wrong)
        contains(answer.text, 'role="alert"', 'aria-invalid="true"')
        equal(ada.get(path + 'photometry.csv?' + wrong).status, 400, wrong)


def what_a_worker_kept_is_never_old(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'Kept')
    looks = ('', '?y=flux', '?x=days')
    _store(site, path, _many(200))

    def seen(page):
        return _marks(page), _says(page), _table(page), re.findall('data-zero="([^"]+)', page.text)
    first = [seen(ada.get(path + look)) for look in looks]
    for _ in range(3):
        equal([seen(ada.get(path + look)) for look in looks], first)
    _store(site, path, [('LSST', 1, 'u', 59999.5, 1001, None, None, 21.5, 0.05, None, 1),
                        ('LSST', 1, 'y', 60999.5, 1002, None, None, 20.5, 0.05, None, 1)])
    for _ in range(3):
        for look in looks:
            page = ada.get(path + look)
            contains(page.text, '60999.50000', 'LSST', '202 measurements')
        contains(page.text, 'data-zero="59999.5')
    site.sql('DELETE FROM datum WHERE target_id = %s AND survey_id > 1000' % path.split('/')[2])
    _store(site, path, [])
    equal([seen(ada.get(path + look)) for look in looks], first)


def the_table_is_sorted_and_walked_by_links(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'With a table')
    rows = _many(61, 1.5)
    rows[7] = rows[6][:3] + (rows[6][3], 999) + rows[6][5:]  # two of one moment
    _store(site, path, rows + [('ZTF', 2, 'r', 59990.5, 0, None, None, None, None, 17.0, 0)])
    want = sorted((r[3], r[4]) for r in rows)

    def walk(page):
        found, steps = _table(page), 0
        while 'rel="next"' in page.text:
            page = ada.get(_link(page, 'Next'))
            found += _table(page)
            steps += 1
        equal(steps, 3)
        return found, page
    found, last = walk(ada.get(path))
    equal([row[1] for row in found], ['%.5f' % mjd for mjd, _ in reversed(want)] + ['59990.50000'])
    contains(last.words, '61 to 62 of 62, by time, downwards.')
    # back again
    back = ada.get(_link(last, 'Previous'))
    equal(_table(back), found[40:60])
    equal(_link(back, 'First'), path + '?')
    page = ada.get(_link(ada.get(path), 'Magnitude (AB)'))
    contains(page.text, 'aria-sort="ascending"')
    found, _ = walk(page)
    values = [float(row[3].replace('> ', '')) for row in found]
    equal(values, sorted(values))
    equal(values[:2], [12.5, 17.0])
    found, _ = walk(ada.get(_link(page, 'Magnitude (AB)')))
    equal([float(row[3].replace('> ', '')) for row in found], values[::-1])
    found, _ = walk(ada.get(_link(page, 'Band')))
    equal([row[2] for row in found], sorted(row[2] for row in found))
    # a limit has no error and stands last, whichever way
    for sort in ('error', '-error'):
        found, _ = walk(ada.get(path + '?sort=' + sort))
        equal(found[-1][4], '')
    # a key is a place, be its row there or not
    equal([row[1] for row in _table(ada.get(path + '?after=60001_0'))], ['60000.00000', '59990.50000'])
    equal(len(_table(ada.get(path + '?after=nonsense'))), 20)
    contains(ada.get(path + '?after=0_0').words, 'No more: the table ends before this page.')


def the_file_holds_every_column_and_honours_the_range(site):
    ada = site.signed_in('ada')
    path = _create(ada, 'In a file')
    _store(site, path, _two_surveys())

    def rows(query=''):
        answer = ada.get(path + 'photometry.csv' + query)
        equal(answer.status, 200)
        return list(csv.DictReader(io.StringIO(answer.text)))
    found = rows()
    equal([r['mjd'] for r in found], ['60000.25', '60005.5', '60010.5', '60011.5', '60015.5', '60030.5'])
    equal(found[4], {'mjd': '60015.5', 'time': '2023-03-12T12:00:00Z', 'filter': 'r', 'magnitude': '22.4',
                     'error': '0.08', 'limit': '', 'flux_njy': '-4000', 'flux_error_njy': '300',
                     'sign': '-1', 'kind': 'detection', 'source': 'ZTF', 'survey_id': '2'})
    equal((found[0]['limit'], found[0]['kind'], found[1]['kind'], found[1]['survey_id']),
          ('20.5', 'limit', 'forced', '12'))
    equal([r['mjd'] for r in rows('?from=60005.5&to=60011.5')], ['60005.5', '60010.5', '60011.5'])
    equal([r['mjd'] for r in rows('?to=60001')], ['60000.25'])
    page = ada.get(path + '?from=60005.5&to=60011.5')
    equal(_link(page, 'This range as CSV'), path + 'photometry.csv?from=60005.5&to=60011.5')
    equal(_link(page, 'All of them as CSV'), path + 'photometry.csv')


def ranges_days_and_keys_tell_nothing_of_hidden_measurements(site):
    with site.variant(TARGET_PERMISSIONS_ONLY='no') as other:
        admin, visitor = other.signed_in('admin'), other.visitor()
        path = _create(admin, 'Half hidden')
        _store(other, path, _two_surveys())
        other.sql("INSERT INTO datum_rights (target_id, source, principal, verbs) VALUES "
                  "(%s, 'LSST', 1, 1)" % path.split('/')[2])
        for query in ('', '?y=flux', '?x=days', '?from=60000&to=60020', '?sort=source',
                      '?sort=source&after=60000_0_LSST', '?from=60012&to=60020'):
            page = visitor.get(path + query)
            equal(page.status, 200)
            lacks(page.text, 'ZTF', '60010.5', '60015.5', '60000.25')
            contains(admin.get(path + '?sort=source').text, 'ZTF')
        # the first detection is the first that they may see
        contains(visitor.get(path + '?x=days').text, 'data-zero="60011.500000"')
        lacks(visitor.get(path + 'photometry.csv?from=60000&to=60020').text, 'ZTF')
        equal(len(visitor.get(path + 'photometry.csv').text.splitlines()), 4)
