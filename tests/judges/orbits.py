"""
orbits: where Meridian has bodies on ellipses, parabolas and hyperbolas, judged by an integration of
Newton's law in extended precision, which knows no conic sections, and by astropy, which turns the ecliptic
to ICRS, has the Earth, and says what RA and Dec are.

    orbits.py --build DIR
"""
import argparse
import math
import os
import random
import subprocess
import sys
import warnings

import astropy.units as u
import numpy
from astropy.coordinates import (ICRS, CartesianRepresentation, HeliocentricEclipticIAU76, SkyCoord,
                                 get_body_barycentric)
from astropy.time import Time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

warnings.simplefilter('ignore')  # leap seconds of years to come
REAL = numpy.longdouble
GAUSS = REAL('0.01720209895')
TERMS = 24
LIGHT = 299792.458 * 86400 / 149597870.7  # au a day


def step(r, v, h):
    """One step of Taylor's series of r'' = -k^2 r / |r|^3 (Steffensen's recurrences)."""
    x = [r, v]
    s, w = [], []  # |r|^2, |r|^-3
    for n in range(TERMS):
        s.append(sum((x[i] * x[n - i]).sum() for i in range(n + 1)))
        if n == 0:
            w.append(s[0] ** REAL(-1.5))
        else:
            # w' s = -3/2 w s'
            w.append(sum((REAL(-1.5) * i - (n - i)) * s[i] * w[n - i] for i in range(1, n + 1))
                     / (n * s[0]))
        if n + 2 < TERMS:
            x.append(-GAUSS ** 2 * sum(w[i] * x[n - i] for i in range(n + 1)) / ((n + 1) * (n + 2)))
    r2 = sum(c * h ** i for i, c in enumerate(x))
    v2 = sum(i * c * h ** (i - 1) for i, c in enumerate(x) if i > 0)
    return r2, v2


def integrate(e, q, t):
    """Position in the plane of the orbit, the perihelion on the first axis, t days after it."""
    r = numpy.array([REAL(q), REAL(0)])
    v = numpy.array([REAL(0), GAUSS * numpy.sqrt((1 + REAL(e)) / REAL(q))])
    left = REAL(t)
    while left != 0:
        # well within where the series converges: a part of the time that it needs for such a distance
        distance, speed = numpy.sqrt((r * r).sum()), numpy.sqrt((v * v).sum())
        h = min(distance / speed * REAL(0.15), abs(left)) * (1 if left > 0 else -1)
        r, v = step(r, v, h)
        left -= h
    return float(r[0]), float(r[1])


def ecliptic(case):
    """Heliocentric, ecliptic and equinox of J2000."""
    e, q, tp, node, peri, inc, mjd = case
    x, y = integrate(e, q, REAL(mjd) - REAL(tp))
    node, peri, inc = (math.radians(a) for a in (node, peri, inc))
    along = x * math.cos(peri) - y * math.sin(peri)
    across = x * math.sin(peri) + y * math.cos(peri)
    return numpy.array([along * math.cos(node) - across * math.cos(inc) * math.sin(node),
                        along * math.sin(node) + across * math.cos(inc) * math.cos(node),
                        across * math.sin(inc)])


def cases(n):
    rng = random.Random(6)
    for i in range(n):
        e = [rng.uniform(0, 0.9), rng.uniform(0.9, 0.9999), 1.0, 1 + rng.uniform(0, 1e-6),
             rng.uniform(1, 1.3), rng.uniform(1.3, 6)][i % 6]
        q = 10 ** rng.uniform(-1, 0.7)
        tp = rng.uniform(60000, 62000)
        yield (e, q, tp, rng.uniform(-180, 360), rng.uniform(-180, 360), rng.uniform(0, 180),
               tp + rng.uniform(-400, 400) * min(q, 1) ** 1.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', required=True)
    args = parser.parse_args()
    wanted = list(cases(120))
    out = subprocess.run([args.build + '/tests/tools/dump-orbits'], check=True, text=True,
                         capture_output=True, input=''.join(
                             ' '.join(repr(x) for x in c) + '\n' for c in wanted)).stdout
    got = numpy.array([[float(x) for x in line.split()] for line in out.splitlines()])
    times = Time([c[6] for c in wanted], format='mjd', scale='tt')
    sun = get_body_barycentric('sun', times).xyz.to_value(u.au).T
    earth = get_body_barycentric('earth', times).xyz.to_value(u.au).T - sun
    worst = {'position': 0, 'earth': 0, 'direction': 0}
    for i, case in enumerate(wanted):
        point = SkyCoord(CartesianRepresentation(ecliptic(case) * u.au),
                         frame=HeliocentricEclipticIAU76(obstime=times[i]))
        place = point.transform_to(ICRS()).cartesian.xyz.to_value(u.au) - sun[i]
        scale = max(1, numpy.linalg.norm(place))
        worst['position'] = max(worst['position'], numpy.abs(got[i][0:3] - place).max() / scale)
        worst['earth'] = max(worst['earth'], numpy.abs(got[i][3:6] - earth[i]).max())
        # as the light left, by two rounds
        distance = numpy.linalg.norm(place - earth[i])
        for _ in range(3):
            back = case[:6] + (case[6] - distance / LIGHT,)
            seen = SkyCoord(CartesianRepresentation(ecliptic(back) * u.au),
                            frame=HeliocentricEclipticIAU76(obstime=times[i]))
            line = seen.transform_to(ICRS()).cartesian.xyz.to_value(u.au) - sun[i] - earth[i]
            distance = numpy.linalg.norm(line)
        ours = SkyCoord(got[i][6], got[i][7], unit='deg')
        theirs = SkyCoord(CartesianRepresentation(line), frame='icrs')
        worst['direction'] = max(worst['direction'], ours.separation(theirs).arcsec)
    failed = 0
    for name, limit in (('position', 1e-9), ('earth', 1e-9), ('direction', 1e-3)):
        good = worst[name] < limit
        failed += not good
        print('%s orbits are where Newton and astropy have them: %s within %.2g, %g allowed'
              % ('ok' if good else 'FAIL', name, worst[name], limit))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
