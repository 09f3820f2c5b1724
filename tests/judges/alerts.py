"""
alerts: what Meridian reads in alert packets, judged by fastavro and astropy.

    alerts.py --build DIR [--data DIR]

Packets made by tests/tools/make-alerts, and real ones of DIR (ztf, lsst), are read twice: by
tests/tools/dump-alerts and here. What stands in a packet must be the same double, to the last bit; UTC of a
time in TAI the same or its neighbour; magnitudes the same to 1e-13. The rules are written down here once
more, from the surveys' documents.
"""
import argparse
import glob
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import warnings

import astropy.units as u
import fastavro
import fastavro.schema
import numpy
from astropy.time import Time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
from harness.report import equal  # noqa: E402

warnings.simplefilter('ignore')  # leap seconds of years to come
DETECTION, LIMIT, FORCED = 1, 2, 3
SPLIT_SCHEMA = 'lsst/schema-v9.0'


def utc(mjd):
    """MJD in UTC of those in TAI."""
    return Time(numpy.array(mjd, dtype=float), format='mjd', scale='tai').utc.mjd


def ab(flux):
    return (flux * u.nJy).to(u.ABmag).value


def number(v):
    """None where there is no measurement."""
    return v if v is not None and math.isfinite(v) else None


class Point:
    """What a point should be; `exact` to the last bit, `near` to 1e-13, `tai` a time to be made UTC."""

    def __init__(self, kind, sign, band, number_, mjd=None, tai=None, **values):
        self.exact = {'kind': kind, 'sign': sign, 'band': band, 'id': number_, 'flux': None,
                      'flux_error': None, 'magnitude': None, 'magnitude_error': None, 'limit': None}
        self.near = {}
        self.tai = tai
        if mjd is not None:
            self.exact['mjd'] = mjd
        for name, value in values.items():
            if name.startswith('near_'):
                self.near[name[5:]] = value
                del self.exact[name[5:]]
            else:
                self.exact[name] = value


def _ztf_row(row, own=None):
    mjd, band = row['jd'] - 2400000.5, 'gri'[row['fid'] - 1]
    if number(row['magpsf']) is not None:
        sign = {'t': 1, '1': 1, 'f': -1, '0': -1}[row['isdiffpos']]
        return Point(DETECTION, sign, band, own or row['candid'] or 0, mjd, magnitude=row['magpsf'],
                     magnitude_error=number(row['sigmapsf']))
    if number(row['diffmaglim']) is not None:
        return Point(LIMIT, 0, band, 0, mjd, limit=row['diffmaglim'])
    return None


def _ztf_forced(row):
    flux, error, zero = (number(row[k]) for k in ('forcediffimflux', 'forcediffimfluxunc', 'magzpsci'))
    if None in (flux, error, zero) or flux == -99999 or error < 0:
        return None
    unit = (zero * u.ABmag).to(u.nJy).value
    return Point(FORCED, -1 if flux < 0 else 1, 'gri'[row['fid'] - 1], 0, row['jd'] - 2400000.5,
                 near_flux=flux * unit, near_flux_error=error * unit)


def ztf(r):
    own = r['candidate']
    points = [_ztf_row(own, r['candid'])]
    points += [_ztf_row(row) for row in r['prv_candidates'] or []]
    points += [_ztf_forced(row) for row in r.get('fp_hists') or []]
    return {'survey': 'ZTF', 'object': r['objectId'], 'alert': r['candid'], 'moving': False,
            'ra': own['ra'], 'dec': own['dec']}, points


def _lsst_row(row, forced):
    flux, error = number(row['psfFlux']), number(row['psfFluxErr'])
    if flux is None or row['band'] is None or number(row.get('timeWithdrawnMjdTai')) is not None or (
            forced and error is None):
        return None
    values = {'flux': flux, 'flux_error': error}
    if forced and abs(flux) < 5 * error:
        values['near_limit'] = ab(5 * error)
    elif flux > 0:
        values['near_magnitude'] = ab(flux)
        if error is not None:
            values['near_magnitude_error'] = 2.5 / math.log(10) * error / flux
    return Point(FORCED if forced else DETECTION, -1 if flux < 0 else 1, row['band'],
                 row['diaForcedSourceId' if forced else 'diaSourceId'], tai=row['midpointMjdTai'], **values)


def lsst(r):
    own = r['diaSource']
    points = [_lsst_row(own, False)]
    points += [_lsst_row(row, False) for row in r['prvDiaSources'] or []]
    points += [_lsst_row(row, True) for row in r['prvDiaForcedSources'] or []]
    if r['diaObject'] is not None:
        name = 'LSST-AP-DO-%d' % r['diaObject']['diaObjectId']
    else:
        name = r['MPCORB']['mpcDesignation']
    return {'survey': 'LSST', 'object': name, 'alert': r['diaSourceId'],
            'moving': r['diaObject'] is None, 'ra': own['ra'], 'dec': own['dec']}, points


def records(path, schemas):
    """The packets of a file, as fastavro reads them."""
    with open(path, 'rb') as f:
        data = f.read()
    if data[0] != 0:
        return list(fastavro.reader(io.BytesIO(data)))
    f = io.BytesIO(data[5:])
    found = [fastavro.schemaless_reader(f, schemas[int.from_bytes(data[1:5], 'big')])]
    equal(f.read(), b'', 'bytes after the record')
    return found


def compare(got, want, what):
    """One point; its difference in time in units of the last place, or None."""
    for name, value in want.exact.items():
        equal(got[name], value, '%s %s' % (what, name))
    for name, value in want.near.items():
        if not abs(got[name] - value) <= 1e-13 * abs(value):
            raise AssertionError('%s %s: %r, not %r' % (what, name, got[name], value))


def judge(build, files, schemas, directory):
    """Compares every packet of the files: how many packets, points and numbers those were."""
    out = subprocess.run([build + '/tests/tools/dump-alerts', '--schemas', directory, *files],
                         stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    npackets = npoints = nnumbers = 0
    taken = iter(out)
    for path in files:
        got, want = [], []
        for r in records(path, schemas):
            packet, points = (lsst if 'diaSource' in r else ztf)(r)
            line = json.loads(next(taken))
            what = os.path.basename(path)
            for name, value in packet.items():
                equal(line[name], value, '%s %s' % (what, name))
            equal(line['empty'], points.count(None), what + ' empty')
            points = [p for p in points if p is not None]
            equal(len(line['points']), len(points), what + ' points')
            for i, (a, b) in enumerate(zip(line['points'], points)):
                compare(a, b, '%s[%d]' % (what, i))
                nnumbers += len(b.exact) + len(b.near) + (b.tai is not None)
                if b.tai is not None:
                    got.append(a['mjd'])
                    want.append(b.tai)
            npackets += 1
            npoints += len(points)
        if want:
            off = numpy.abs(numpy.array(got) - utc(want)).max()
            if not off <= 7.3e-12:  # a place of the last bit of an MJD of these years
                raise AssertionError('%s: TAI to UTC is %g days off' % (path, off))
    equal(next(taken, None), None, 'more packets than there are')
    return '%d packets, %d points, %d numbers' % (npackets, npoints, nnumbers)


def make(build, out, *options):
    subprocess.run([build + '/tests/tools/make-alerts', '--out', out, *options], check=True)
    return sorted(glob.glob(out + '/*')) if os.path.isdir(out) else [out]


def made(build, directory):
    """Lists of files by what they are."""
    for schema in ('3.3', '4.02', 'lsst'):
        for codec in ('null', 'deflate', 'snappy'):
            yield 'made %s, %s' % (schema, codec), make(
                build, '%s/%s-%s' % (directory, schema, codec), '--schema', schema, '--codec', codec,
                '--count', '60', '--objects', '20', '--points', '60', '--cutout', '100', '--single')
    yield 'made lsst, messages', make(build, directory + '/framed', '--schema', 'lsst', '--framed',
                                      '--count', '30', '--objects', '10', '--points', '160')
    yield 'made lsst, moving', make(build, directory + '/moving', '--schema', 'lsst', '--moving',
                                    '--count', '20', '--single')


def leap_seconds(directory, schema):
    """Packets whose history lies on days around leap seconds, and far from any."""
    days = [41317.6, 41499.2, 50082.5, 53735.9, 53736.0003, 54831.99999, 54832.0002, 56108.5, 56109.0,
            57203.00041, 57203.99, 57204.0004, 57753.0005, 57753.5, 57754.0, 57754.0004282407,
            57754.25, 57755.1, 60961.23309222222, 61041.000428, 66000.123456789, 99999.75]
    source = next(f['type'] for f in schema['fields'] if f['name'] == 'diaSource')
    own = {f['name']: 7 for f in source['fields'] if isinstance(f['type'], str)}  # the others are null
    own.update(band='r', psfFlux=100.0, psfFluxErr=1.0, midpointMjdTai=61000.5)
    r = dict.fromkeys(f['name'] for f in schema['fields'])
    r.update(diaSourceId=1, diaSource=own, diaObject=None,
             MPCORB={'mpcDesignation': 'K25A01B'},
             prvDiaSources=[dict(own, diaSourceId=10 + i, midpointMjdTai=day)
                            for i, day in enumerate(days)])
    path = directory + '/leap.avro'
    with open(path, 'wb') as f:
        fastavro.writer(f, fastavro.schema.parse_schema(schema), [r])
    return [path]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', required=True)
    parser.add_argument('--data')
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix='meridian-judge-') as directory:
        text = subprocess.run([args.build + '/tests/tools/make-alerts', '--schema', 'lsst',
                               '--print-schema'], stdout=subprocess.PIPE, text=True, check=True).stdout
        with open(directory + '/900.avsc', 'w') as f:
            f.write(text)
        schema = json.loads(text)
        groups = [(*group, {900: schema}, directory) for group in made(args.build, directory)]
        groups.append(('made lsst, around leap seconds', leap_seconds(directory, schema),
                       {900: schema}, directory))
        if args.data:
            split = os.path.join(args.data, SPLIT_SCHEMA)
            real = {900: fastavro.schema.load_schema(split + '/lsst.v9_0.alert.avsc')}
            groups += [('real %s' % name, sorted(glob.glob('%s/%s/*avro' % (args.data, name))), real,
                        split) for name in ('ztf', 'lsst')]
        for name, files, schemas, where in groups:
            try:
                print('ok alerts are read as fastavro and astropy do: %s (%s)' % (
                    name, judge(args.build, files, schemas, where)))
            except (AssertionError, KeyError, StopIteration, subprocess.CalledProcessError) as e:
                failed += 1
                print('FAIL alerts are read as fastavro and astropy do: %s: %r' % (name, e))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
