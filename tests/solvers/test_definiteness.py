"""Definiteness of Hessians, whatever the scales of their columns."""

import numpy as np
import pytest

from mcmodels.solvers.definiteness import (
    decrease_to_critical,
    is_positive,
    least_scaled_eigenvalue,
)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e8])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0, 1.5])
def test_the_least_eigenvalue_does_not_depend_on_scales(scale, correlation):
    D = np.array([scale, 3.0])
    hessian = np.array([[1.0, correlation], [correlation, 1.0]]) * np.outer(D, D)
    least = least_scaled_eigenvalue(hessian)
    np.testing.assert_allclose(least, 1 - correlation, atol=1e-15)
    assert is_positive(least) == (correlation < 1)


def test_a_zero_on_the_diagonal_is_not_divided_by():
    assert least_scaled_eigenvalue(np.diag([0.0, 4.0])) == 0.0
    np.testing.assert_allclose(
        least_scaled_eigenvalue(np.array([[0.0, 2.0], [2.0, 4.0]])), 0.5 - np.sqrt(1.25)
    )


def test_negative_curvature_keeps_its_sign():
    np.testing.assert_allclose(least_scaled_eigenvalue(np.diag([-5.0, 2.0])), -1)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_is_not_judged(odd):
    least = least_scaled_eigenvalue(np.array([[odd, 0.0], [0.0, 1.0]]))
    assert np.isnan(least)
    assert not is_positive(least)


def test_rounding_is_not_taken_for_curvature():
    assert is_positive(least_scaled_eigenvalue(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-10]])))
    assert not is_positive(least_scaled_eigenvalue(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-13]])))


def test_the_decrease_to_a_critical_point_in_closed_form():
    """``exp(-t)`` keeps half of itself; ``c(t - 1)²`` has all of itself left; at 1 nothing is."""
    for t in (1.0, 10.0, 30.0):
        e = np.exp(-t)
        found = decrease_to_critical(np.array([[e]]), np.array([-e]), np.array([t]))
        assert found == pytest.approx(e / 2, rel=1e-14)  # a few operations
    for c in (-3.0, 1e-5):
        H = np.array([[2 * c]])
        found = decrease_to_critical(H, H[0] * 2.0, np.array([3.0]))
        assert found == pytest.approx(4 * abs(c), rel=1e-14)
        assert decrease_to_critical(H, np.zeros(1), np.ones(1)) == 0
    # Along a direction without curvature, the slope times the length of the parameters.
    flat = decrease_to_critical(np.diag([1.0, 0.0]), np.array([0.0, 0.5]), np.array([3.0, 4.0]))
    assert flat == pytest.approx(2.5, rel=1e-14)
