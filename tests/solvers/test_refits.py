"""Ends of profiles by refits: values, the bounds of a domain, and fits that fail."""

import numpy as np
import pytest

from mcmodels.rows import ArrayRows
from mcmodels.solvers.refits import Refits


def refits(profile):
    """Refits whose least value is a given function of the held parameter."""

    def fit(rows, start):
        return profile(float(rows.reduce(lambda block: block.offset_or_zeros[:1])[0]))

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
