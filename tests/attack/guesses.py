"""
guesses: passwords guessed at one account, from one address and from many, through a proxy that is
trusted; and signing in by the hundred while others read pages.
"""
import concurrent.futures
import statistics
import time

from harness.client import Client
from harness.report import equal, needs
from harness.site import PASSWORDS

SIZES = {'guesses': 500, 'addresses': 100, 'hour': False, 'flood_s': 2, 'flood_rate': 30}
# an hour: what failed is made older by as much after each guess
FULL = {'guesses': 10000, 'addresses': 1000, 'hour': True, 'flood_s': 30, 'flood_rate': 100}


class Guesser:
    """Sends sign-ins, one after the other, each from an address; counts what was not refused."""

    def __init__(self, site):
        self.client = site.visitor()
        self.token = self.client.token('/accounts/login/')
        self.hashes = 0

    def guess(self, name, password, address):
        answer = self.client.post('/accounts/login/', {'username': name, 'password': password},
                                  headers={'X-Forwarded-For': address}, token=self.token)
        self.hashes += answer.status != 429
        if answer.status not in (302, 400, 429):
            raise AssertionError('%d: %s' % (answer.status, answer.words[:200]))
        return answer


def _age(site, microseconds):
    """As if what failed had been so much longer ago; the rows of hosts stay."""
    site.sql('UPDATE throttle SET last = last - %d, until = until - %d WHERE until > 1000000000000000'
             % (microseconds, microseconds))


def _attack(site, guesser, name, addresses):
    n = SIZES['guesses'] // 2
    for i in range(n):
        guesser.guess(name, 'guess number %d' % i, addresses[i % len(addresses)])
        if SIZES['hour']:
            _age(site, 3600 * 1000000 // n)


def an_attack_costs_few_hashes_and_keeps_no_owner_out(site):
    many = ['10.%d.%d.7' % (i // 250, i % 250) for i in range(SIZES['addresses'])]
    with site.variant(THROTTLE_FREE_FAILURES='5', TRUSTED_PROXIES='127.0.0.1') as other:
        owner = Guesser(other)
        equal(owner.guess('ada', PASSWORDS['ada'], '192.0.2.1').status, 302)
        owner.client.sign_out()
        owner.token = owner.client.token('/accounts/login/')
        one = Guesser(other)
        _attack(other, one, 'ada', ['198.51.100.66'])
        equal(one.hashes <= 20, True, '%d hashes from one address' % one.hashes)
        all_of_them = Guesser(other)
        _attack(other, all_of_them, 'ada', many)
        equal(one.hashes + all_of_them.hashes <= 100 * (2 if SIZES['hour'] else 1), True,
              '%d and %d hashes' % (one.hashes, all_of_them.hashes))
        took = [line['microseconds'] for line in other.log_lines('login')
                if line.get('event') == 'request' and line['status'] == 429]
        print('    hashes: %d from one address, %d from %d; a refused attempt took %.1f ms' % (
            one.hashes, all_of_them.hashes, len(many), statistics.median(took) / 1000))
        equal(statistics.median(took) < 5000, True, '%.1f ms a refusal' % (
            statistics.median(took) / 1000))
        equal(owner.guess('ada', PASSWORDS['ada'], '198.51.100.66').status, 302,
              'the owner, whose browser is known, from where the attack is')
        fresh = Guesser(other)
        answer = fresh.guess('ada', PASSWORDS['ada'], '203.0.113.9')
        equal(answer.status, 429)
        wait = int(answer.header('Retry-After'))
        equal(wait <= 60, True, 'a new machine waits %d s' % wait)
        _age(other, wait * 1000000)
        equal(fresh.guess('ada', PASSWORDS['ada'], '203.0.113.9').status, 302, 'when it has come')


@needs('sqlite')
def pages_are_read_while_sign_ins_are_offered(site):
    """Reported, and bounded loosely here: the machine of a test is busy with other things."""
    reader, took = site.signed_in('ben'), []
    until = time.monotonic() + SIZES['flood_s']

    def attempt(i):
        client = Client(site.port)
        try:
            return client.post('/accounts/login/', {'username': 'nobody%d' % i, 'password': 'x' * 20}
                               ).status
        finally:
            client.close()

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        waiting = []
        while time.monotonic() < until:
            waiting.append(pool.submit(attempt, len(waiting)))
            began = time.monotonic()
            equal(reader.get('/targets/').status, 200)
            took.append(time.monotonic() - began)
            time.sleep(max(0, 1 / SIZES['flood_rate'] - took[-1]))
        for w in waiting:
            w.cancel()
        statuses = {w.result() for w in waiting if not w.cancelled()}
    took.sort()
    print('    pages while %d sign-ins were offered: median %.0f ms, p99 %.0f ms' % (
        len(waiting), statistics.median(took) * 1000, took[int(len(took) * 0.99)] * 1000))
    equal(statuses <= {400, 429, 503}, True, repr(statuses))
