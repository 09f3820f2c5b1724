"""Runs test functions and prints a line for each, as tests/run counts them."""
import importlib.util
import inspect
import os
import signal
import sys
import time
import traceback

LIMIT = 120  # seconds a test may take


class Skip(Exception):
    """Raised by a test that cannot run here; its text says why."""


class TooLong(BaseException):
    pass


def needs(*kinds):
    """Marks a test that is about these web servers or databases only."""
    def mark(test):
        test.needs = kinds
        return test
    return mark


def suits(test, *kinds):
    """Is the test about a site of these kinds? Each is (the one we have, all that there are)."""
    needed = set(getattr(test, 'needs', ()))
    return all(have in needed or not needed & set(known) for have, known in kinds)


def equal(got, want, what=''):
    if got != want:
        raise AssertionError('%s%r, not %r' % (what + ': ' if what else '', got, want))


def contains(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError('%r does not stand in %r' % (part, shorten(text)))


def lacks(text, *parts):
    for part in parts:
        if part in text:
            raise AssertionError('%r stands in %r' % (part, shorten(text)))


def shorten(text, longest=3000):
    return text if len(text) <= longest else text[:longest] + type(text)(b'...' if isinstance(
        text, bytes) else '...')


def wait_for(true, seconds=5, what='it'):
    """Asks until true() holds; fails where it does not in that time."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('%s did not happen within %g s' % (what, seconds))
        time.sleep(0.02)


def load(path):
    """The module in the file `path`."""
    name = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def tests_of(module):
    """Its public functions that take a site, in the order they stand in the file."""
    found = [f for name, f in vars(module).items()
             if inspect.isfunction(f) and not name.startswith('_') and
             f.__module__ == module.__name__ and
             list(inspect.signature(f).parameters)[:1] == ['site']]
    return sorted(found, key=lambda f: f.__code__.co_firstlineno)


def _too_long(_signal, _frame):
    raise TooLong()


def _where(trace):
    """The lines of our files that led to a failure."""
    for frame in traceback.extract_tb(trace):
        if '/tests/' in frame.filename and not frame.filename.endswith('report.py'):
            print('    %s:%d: %s' % (os.path.relpath(frame.filename), frame.lineno, frame.line))


class Report:
    def __init__(self, prefix):
        self.prefix = prefix
        self.failed = 0

    def line(self, word, name, why=''):
        print('%s %s: %s%s' % (word, self.prefix, name, ': ' + why if why else ''), flush=True)

    def run(self, test, name, *args):
        """Runs test(*args). Was it passed?"""
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(LIMIT)
        try:
            test(*args)
        except Skip as why:
            self.line('skip', name, str(why))
        except TooLong:
            self.failed += 1
            _where(sys.exc_info()[2])
            self.line('FAIL', name, 'not done after %d s' % LIMIT)
        except Exception as error:  # any failure of a test is a result
            self.failed += 1
            _where(sys.exc_info()[2])
            self.line('FAIL', name, ' '.join(str(error).split())[:300] or type(error).__name__)
            return False
        else:
            self.line('ok', name)
        finally:
            signal.alarm(0)
        return True
