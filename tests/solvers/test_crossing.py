"""Where a function crosses zero: values that are not known, and borders."""

import numpy as np
import pytest

from mcmodels.solvers.crossing import crossing


@pytest.mark.parametrize("step", [0.01, 1.0, -1.0, -30.0])
def test_the_root_of_a_parabola(step):
    found = crossing(lambda t: (t - 2.0) ** 2 - 9.0, 2.0, step)
    # Ends are found to 1e-10 steps.
    assert abs(found - (2.0 + 3.0 * np.sign(step))) <= 1e-9 * max(abs(step), 1.0)


@pytest.mark.parametrize("lost", [3.2, 4.0, 20.0])
def test_nearer_values_are_known_where_farther_ones_are_not(lost):
    """The first distance that is not known was the end of the search."""
    found = crossing(lambda t: t**2 - 9.0 if t < lost else np.nan, 0.0, 1.0)
    assert abs(found - 3.0) < 1e-9
    assert np.isnan(crossing(lambda t: t**2 - 9.0 if t < 2.5 else np.nan, 0.0, 1.0))


@pytest.mark.parametrize("border", [1e-3, 0.7, 2.9])
def test_a_border_before_the_root_is_the_end_and_the_end_is_inside(border):
    seen = []

    def excess(t):
        seen.append(t)
        return t**2 - 9.0 if t <= border else np.inf

    found = crossing(excess, 0.0, 1.0)
    assert border - 1e-9 <= found <= border
    assert len(seen) < 60


def test_a_root_before_the_border_is_the_end():
    found = crossing(lambda t: t**2 - 9.0 if t <= 3.5 else np.inf, 0.0, 1.0)
    assert abs(found - 3.0) < 1e-9


def test_a_function_that_is_not_negative_at_the_centre_has_no_end_there():
    assert np.isnan(crossing(lambda t: 1.0 + t, 0.0, 1.0))
    assert np.isnan(crossing(lambda t: -1.0, 0.0, 1.0))
