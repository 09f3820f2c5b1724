"""
scanned: the scan by hand (tests/attack/scan) leaves no route out.
"""
from harness.report import equal
from scanner.ground import routes_of
from scanner.routes import PAGES, unmatched


def every_route_has_a_row_of_the_scanner(site):
    equal(unmatched(routes_of(site)), '')


def headers_are_tried_at_every_executable(site):
    equal(sorted(PAGES), sorted(site.workshop.executables()))
