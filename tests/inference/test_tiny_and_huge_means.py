"""Means whose variances overflow or underflow float64: the law of scale of gamma targets."""

import mpmath
import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels.objectives.families import NegativeBinomial, PowerFamily

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
Y = np.exp(X @ [0.5, -0.3]) * RNG.gamma(2.0, 0.5, 40)


@pytest.mark.parametrize("scale", [1e-200, 1e-170, 1e160, 1e200])
@pytest.mark.parametrize("weights", ["frequency", "precision"])
def test_gamma_targets_times_a_number_move_the_intercept_alone(scale, weights):
    """V(μ) = μ² was zero, and the error said that there were too few rows."""
    w = RNG.integers(1, 4, 40)
    small = Glm("gamma", weights=weights, tol=1e-12).fit(X, Y, w)
    large = Glm("gamma", weights=weights, tol=1e-12).fit(X, Y * scale, w)
    # log(scale) has 460 for size, so that η keeps 13 digits.
    moved = large.params_ - small.params_ - [0, 0, np.log(scale)]
    np.testing.assert_allclose(moved, 0.0, atol=1e-10)
    for name in ("dispersion_", "deviance_", "pearson_chi2_", "covariance_"):
        np.testing.assert_allclose(getattr(large, name), getattr(small, name), rtol=1e-8)
    table = large.profile_intervals(X, Y * scale, w, parameters=["x0", "x1"])
    expected = small.profile_intervals(X, Y, w, parameters=["x0", "x1"])
    np.testing.assert_allclose(table, expected, rtol=1e-7)
    for kind in ("pearson", "deviance", "working"):
        found = large.residuals(X, Y * scale, w, kind=kind)
        np.testing.assert_allclose(found, small.residuals(X, Y, w, kind=kind), rtol=1e-7)
    found = large.predict_interval(X[:4], kind="observation") / scale
    # Quantiles are averaged over the error of η to 1e-6 of their size.
    np.testing.assert_allclose(found, small.predict_interval(X[:4], kind="observation"), rtol=1e-6)


def test_residuals_of_anscombe_are_of_no_unit():
    scale = 1e-200
    small, large = Glm("gamma", tol=1e-12).fit(X, Y), Glm("gamma", tol=1e-12).fit(X, Y * scale)
    found = large.residuals(X, Y * scale, kind="anscombe")
    np.testing.assert_allclose(found, small.residuals(X, Y, kind="anscombe"), rtol=1e-7)


@pytest.mark.parametrize("family", [PowerFamily("gamma", 2.0), NegativeBinomial(0.3)], ids=str)
def test_the_root_of_the_variance_is_that_of_high_precision(family):
    mu = np.array([1e-200, 1e-3, 2.0, 1e180])
    theta = getattr(family, "theta", None)
    for m, found in zip(mu, family.deviation(mu), strict=True):
        exact = mpmath.mpf(float(m))
        expected = exact if theta is None else mpmath.sqrt(exact + mpmath.mpf(theta) * exact**2)
        assert found == pytest.approx(float(expected), rel=1e-15)
