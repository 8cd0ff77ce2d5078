"""Losses of network outputs: extremes by high precision, and scikit-learn's of the same outputs."""

import mpmath
import numpy as np
import pytest
from scipy.special import expit
from sklearn.neural_network import _base as theirs

from mcmodels.objectives import BinaryCrossEntropy
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from tests.numerics import relative_error


@pytest.mark.parametrize("distance", [-800.0, -30.0, -1e-7, 0.0, 1e-7, 2.0, 600.0])
@pytest.mark.parametrize("y", [1e-6, 1.0, 3e6])
def test_extremes_of_counts(distance, y):
    """Close to its minimum the loss has the digits of the distance, not those of the target."""
    eta = np.log(y) + distance
    loss, target, at = HalfPoissonDeviance(), np.array([y]), np.array([eta])
    with mpmath.workdps(60):
        d = mpmath.mpf(eta) - mpmath.log(mpmath.mpf(y))
        value, slope = float(y * (mpmath.exp(d) - 1 - d)), float(y * (mpmath.exp(d) - 1))
        mean = float(mpmath.exp(mpmath.mpf(eta)))
    pointwise = loss.at(target, at)
    # η and log y are rounded: their difference has an absolute error of a few units of their size,
    # and exp of it carries that as a relative one.
    unit = 8 * np.finfo(float).eps * max(1.0, abs(eta), abs(np.log(y)))
    reach = y * (np.exp(min(distance, 600.0)) + 1.0) * unit
    np.testing.assert_allclose(pointwise.gradient[0], slope, rtol=1e-15, atol=reach)
    # An error of the distance times the slope there, and rounding of exp - 1 - distance.
    here = abs(slope) * unit + y * (abs(distance) + 1e-300) * np.finfo(float).eps * 4 + y * unit**2
    np.testing.assert_allclose(pointwise.value[0], value, rtol=1e-14 * max(1, abs(eta)), atol=here)
    (term,) = pointwise.curvature()
    np.testing.assert_allclose(term.magnitude[0], mean, rtol=unit)


def test_no_count_is_the_mean_alone():
    loss, at = HalfPoissonDeviance(), np.array([-800.0, -3.0, 0.0, 5.0])
    pointwise = loss.at(np.zeros(4), at)
    np.testing.assert_array_equal(pointwise.value, np.exp(at))
    np.testing.assert_array_equal(pointwise.gradient, np.exp(at))


@pytest.mark.parametrize("eta", [710.0, 1e300, np.inf])
def test_what_overflows_is_infinite_and_no_nan(eta):
    pointwise = HalfPoissonDeviance().at(np.array([0.0, 2.0]), np.full(2, eta))
    assert np.isposinf(pointwise.value).all()
    assert np.isposinf(pointwise.gradient).all()


def test_scikit_learns_loss_of_counts():
    rng = np.random.default_rng(0)
    y, eta = rng.poisson(2.0, (50, 2)).astype(float), rng.standard_normal((50, 2))
    expected = 50 * theirs.poisson_loss(y, np.exp(eta))
    assert HalfPoissonDeviance().value(y, eta).sum() == pytest.approx(expected, rel=1e-13)


def test_scikit_learns_loss_of_labels():
    rng = np.random.default_rng(1)
    y, eta = rng.integers(0, 2, (50, 3)).astype(float), 3 * rng.standard_normal((50, 3))
    expected = 50 * theirs.binary_log_loss(y, expit(eta))
    assert LabelCrossEntropy().value(y, eta).sum() == pytest.approx(expected, rel=1e-13)


def test_labels_are_one_binary_loss_for_each():
    rng = np.random.default_rng(2)
    y, eta = rng.integers(0, 2, (50, 3)).astype(float), 30 * rng.standard_normal((50, 3))
    found, one = LabelCrossEntropy().at(y, eta), BinaryCrossEntropy()
    each = [one.at(y[:, k].astype(int), eta[:, k]) for k in range(3)]
    # The same numbers, added in another order.
    assert relative_error(found.value, sum(part.value for part in each)) < 1e-15
    np.testing.assert_array_equal(found.gradient, np.column_stack([p.gradient for p in each]))
    terms = list(found.curvature())
    assert [term.pairs for term in terms] == [[(0, 0)], [(1, 1)], [(2, 2)]]
    for k, term in enumerate(terms):
        (expected,) = one.at(y[:, k].astype(int), eta[:, k]).curvature()
        np.testing.assert_array_equal(term.magnitude, expected.magnitude)
