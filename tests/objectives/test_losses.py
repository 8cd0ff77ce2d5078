"""Pointwise losses: derivatives by the complex step, extremes by high precision, planted errors."""

import re
from pathlib import Path

import mpmath
import numpy as np
import pytest

from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy, SquaredError
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from tests.numerics import central_differences, relative_error

N = 12
RNG = np.random.default_rng(0)
CASES = {
    "squared": (SquaredError(), RNG.standard_normal(N), RNG.standard_normal(N)),
    "squared, two outputs": (
        SquaredError(),
        RNG.standard_normal((N, 2)),
        RNG.standard_normal((N, 2)),
    ),
    "binary": (BinaryCrossEntropy(), np.arange(N) % 2, 3 * RNG.standard_normal(N)),
    "softmax": (SoftmaxCrossEntropy(), np.arange(N) % 4, 2 * RNG.standard_normal((N, 4))),
    "counts": (HalfPoissonDeviance(), RNG.integers(0, 4, N) / 2, RNG.standard_normal(N)),
    "two counts": (
        HalfPoissonDeviance(),
        RNG.integers(0, 4, (N, 2)).astype(float),
        RNG.standard_normal((N, 2)),
    ),
    "labels": (
        LabelCrossEntropy(),
        RNG.integers(0, 2, (N, 3)).astype(float),
        3 * RNG.standard_normal((N, 3)),
    ),
}


def full_curvature(loss, y, eta):
    """d²ℓ/dη² of every row as (N, K, K), from the terms."""
    K = 1 if eta.ndim == 1 else eta.shape[1]
    curvature = np.zeros((len(eta), K, K))
    for pairs, sign, magnitude in loss.curvature(y, eta):
        assert np.all(magnitude >= 0)
        for k, j in pairs:
            curvature[:, k, j] = curvature[:, j, k] = sign * magnitude
    return curvature


def test_contributing_names_what_a_loss_must_define():
    guide = Path(__file__).parents[2] / "CONTRIBUTING.md"
    (row,) = re.findall(r"^\| a loss \|.*", guide.read_text(), re.MULTILINE)
    assert all(f"`{name}`" in row for name in Loss.__abstractmethods__)


@pytest.mark.parametrize("case", CASES)
def test_gradient_is_the_derivative_of_the_value(case):
    loss, y, eta = CASES[case]
    numerical = central_differences(lambda e: loss.value(y, e).sum(), eta)
    assert relative_error(loss.gradient(y, eta), numerical) < 1e-10


@pytest.mark.parametrize("case", CASES)
def test_curvature_is_the_derivative_of_the_gradient(case):
    loss, y, eta = CASES[case]
    K = 1 if eta.ndim == 1 else eta.shape[1]
    jacobian = central_differences(lambda e: loss.gradient(y, e), eta).reshape(N, K, N, K)
    rows = np.arange(N)
    assert relative_error(full_curvature(loss, y, eta), jacobian[rows, :, rows, :]) < 1e-10
    direction = np.random.default_rng(1).standard_normal(eta.shape)
    product = np.einsum("nkj,nj->nk", full_curvature(loss, y, eta), direction.reshape(N, K))
    assert relative_error(loss.curvature_product(y, eta, direction).reshape(N, K), product) < 1e-14


@pytest.mark.parametrize("eta", [-800.0, -40.0, -1e-9, 0.0, 1e-9, 37.0, 800.0])
@pytest.mark.parametrize("y", [0, 1])
def test_binary_extremes(eta, y):
    loss, target, at = BinaryCrossEntropy(), np.array([y]), np.array([eta])
    with mpmath.workdps(400):
        e = mpmath.exp(-mpmath.mpf(eta))
        p, q = 1 / (1 + e), e / (1 + e)
        value, gradient, curvature = -mpmath.log(p if y else q), (-q if y else p), p * q
        expected = [float(value), float(gradient), float(curvature)]
    (term,) = loss.curvature(target, at)
    actual = [loss.value(target, at)[0], loss.gradient(target, at)[0], term.magnitude[0]]
    # Each is one or two roundings of exp and log away from exact; below 1e-308 nothing is left.
    np.testing.assert_allclose(actual, expected, rtol=4e-16 * max(1, abs(eta)), atol=1e-307)


@pytest.mark.parametrize("size", [1e-8, 1.0, 30.0, 700.0, 1e4])
@pytest.mark.parametrize("y", [0, 1, 2])
def test_softmax_extremes(size, y):
    loss, target = SoftmaxCrossEntropy(), np.array([y])
    at = size * np.array([[1.0, -0.5, 0.75]])
    with mpmath.workdps(20_000):  # e^17500 beside 1
        e = [mpmath.exp(mpmath.mpf(v)) for v in at[0].tolist()]
        p = [v / sum(e) for v in e]
        value = float(-mpmath.log(p[y]))
        gradient = [float(p[k] - (k == y)) for k in range(3)]
        curvature = [
            [float((p[k] if k == j else 0) - p[k] * p[j]) for j in range(3)] for k in range(3)
        ]
    # exp of a difference of size s carries an error of s·ε.
    tolerance = {"rtol": 1e-15 * max(1, size), "atol": 1e-307}
    np.testing.assert_allclose(loss.value(target, at)[0], value, **tolerance)
    np.testing.assert_allclose(loss.gradient(target, at)[0], gradient, **tolerance)
    np.testing.assert_allclose(full_curvature(loss, target, at)[0], curvature, **tolerance)


def test_a_planted_error_in_a_loss_is_caught():
    class Wrong(BinaryCrossEntropy):
        def gradient(self, y, eta):
            return 1.000001 * super().gradient(y, eta)

    _, y, eta = CASES["binary"]
    numerical = central_differences(lambda e: Wrong().value(y, e).sum(), eta)
    assert relative_error(Wrong().gradient(y, eta), numerical) > 1e-7
