"""Ends of profiles by refits: values, the bounds of a domain, and fits that fail."""

import numpy as np
import pytest

from mcmodels.rows import ArrayRows
from mcmodels.solvers.refits import Held, Refits


def refits(profile):
    """Refits whose least value is a given function of the held parameter."""

    def fit(rows, start):
        return Held(profile(float(rows.reduce(lambda block: block.offset_or_zeros[:1])[0])))

    rows = ArrayRows(np.ones((3, 1)), np.zeros(3), intercept=False)
    return Refits(rows, np.array([2.0]), fit)


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("error", [0.01, 1.0, 50.0])
def test_the_end_is_where_the_profile_has_the_value(side, error):
    found = refits(lambda t: (t - 2.0) ** 2).end(0, side, 9.0, error)
    assert abs(found - (2.0 + 3.0 * side)) < 1e-8 * error


def test_the_bound_of_the_domain_is_an_end():
    found = refits(lambda t: (t - 2.0) ** 2 if t < 4.0 else np.inf).end(0, 1.0, 9.0, 1.0)
    assert abs(found - 4.0) < 1e-8


@pytest.mark.parametrize("lost", [(4.0, 10.0), (4.9, 5.05), (2.5, 3.5)])
def test_a_fit_that_fails_is_no_bound(lost):
    def profile(t):
        return np.nan if lost[0] < t < lost[1] else (t - 2.0) ** 2

    found = refits(profile).end(0, 1.0, 9.0, 1.0)
    assert np.isnan(found) or abs(found - 5.0) < 1e-8
    assert np.isnan(refits(lambda t: np.nan).end(0, 1.0, 9.0, 1.0))


def started(near, is_convex, from_near, from_whole):
    """What refits find that begin at two points, and where they began."""
    begun = []

    def fit(rows, start):
        begun.append(float(start[0]))
        return from_near if start[0] == 7.0 else from_whole

    rows = ArrayRows(np.ones((3, 2)), np.zeros(3), intercept=False)
    near_of = (lambda position, value: np.array([0.0, 7.0])) if near else None
    fits = Refits(rows, np.array([2.0, 3.0]), fit, near_of, is_convex=is_convex)
    return fits.held(0, 5.0), begun


def test_a_fit_begins_near_and_where_that_fails_at_the_whole_fit():
    lost, low = Held(np.nan), Held(1.0, np.array([4.0]))
    held, begun = started(True, True, low, lost)
    assert begun == [7.0]
    assert held.least == 1.0
    np.testing.assert_array_equal(held.params, [5.0, 4.0])
    held, begun = started(True, True, lost, low)
    assert begun == [7.0, 3.0]
    assert held.least == 1.0
    held, begun = started(False, True, lost, low)
    assert begun == [3.0]
    assert held.least == 1.0


def test_of_several_minima_the_lowest_counts_and_what_failed_before_what_is_empty():
    high, low = Held(2.0, np.array([1.0])), Held(1.0, np.array([4.0]))
    for one, other in ((high, low), (low, high)):
        held, begun = started(True, False, one, other)
        assert begun == [7.0, 3.0]
        assert held.least == 1.0
    assert np.isnan(started(True, True, Held(np.inf), Held(np.nan))[0].least)
    assert started(True, True, Held(np.inf), Held(np.inf))[0].least == np.inf
