"""Third derivatives of every loss: against mpmath and the complex step, over all pairs."""

import mpmath as mp
import numpy as np
import pytest

from mcmodels.calculus import parse
from mcmodels.estimators.pointwise import PointwiseCallable, PointwiseExpression
from mcmodels.objectives import BinaryCrossEntropy, SoftmaxCrossEntropy, SquaredError
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LINKS
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.user_loss import UserLoss
from tests.objectives.test_family_losses import FAMILIES, INVERSES, TARGETS, H, cases, parts

# Rounding of the few terms that a third derivative is summed from; the largest seen is 2e-13.
TERMS = 1e-12
# Below it are errors of the differences that prove the derivatives, and underflow.
LEAST = 1e-250


def all_cases():
    """All cases; those of Φ far out take 800 digits, and 14 s."""
    for name, link, etas in cases():
        is_slow = link == "probit" and max(map(abs, etas)) > 100
        yield pytest.param(name, link, etas, marks=[pytest.mark.slow] if is_slow else [])


@pytest.mark.parametrize(("name", "link", "etas"), list(all_cases()))
def test_of_families(name, link, etas):
    loss, inverse = FamilyLoss(FAMILIES[name], LINKS[link]), INVERSES[link]
    for at in map(mp.mpf, etas):
        with mp.workdps(800 if abs(at) > 5 else 120):
            of_part = [
                mp.diff(lambda x, k=k: parts(name, inverse(x))[k], at, 3, h=H) for k in (0, 1)
            ]
        for y in TARGETS.get(name, (0.2, 1.0, 7.0)):
            (found,) = loss(np.array([y]), np.array([float(at)]), (3,))
            b, t = of_part
            terms = ((1 - mp.mpf(y)) * b, -mp.mpf(y) * t) if name == "binomial" else (b, -y * t)
            # Moderate ones sum terms of the size of ℓ″, or of y (μ′/μ)³, which may nearly cancel.
            (second,) = loss(np.array([y]), np.array([float(at)]), (2,))
            cancelled = 5e-13 * abs(second[0]) + 1e-14 * abs(y) if abs(at) < 10 else 0.0
            error = abs(found[0] - sum(terms))
            assert error <= TERMS * sum(map(abs, terms)) + cancelled + LEAST, (y, at)


def test_orders_of_a_family_together_are_those_alone():
    loss = FamilyLoss(FAMILIES["binomial"], LINKS["probit"])
    y, eta = np.array([0.0, 1.0, 0.3]), np.array([-6.0, 0.2, 3.0])
    together = loss(y, eta, (3, 0, 2, 1))
    for order, values in zip((3, 0, 2, 1), together, strict=True):
        np.testing.assert_array_equal(values, loss(y, eta, (order,))[0])


def test_outside_the_domain_of_a_link_it_is_infinite_like_the_loss():
    loss = FamilyLoss(FAMILIES["gamma"], LINKS["inverse"])
    assert loss(np.array([1.0, 1.0]), np.array([-1.0, 2.0]), (3,))[0].tolist()[0] == np.inf


@pytest.mark.parametrize("eta", [-800.0, -40.0, -1e-9, 0.0, 1e-9, 0.3, 37.0, 800.0])
def test_binary_at_extremes(eta):
    with mp.workdps(400):
        s = 1 / (1 + mp.exp(-mp.mpf(eta)))
        exact = float(s * (1 - s) * (1 - 2 * s))
    for y in (0, 1):
        one = np.ones(1)
        found = BinaryCrossEntropy().third_product(np.array([y]), np.array([eta]), one, one)
        assert found[0] == pytest.approx(exact, rel=1e-14, abs=1e-300)


def softmax_third(eta, u, v):
    """By differences of 60 digits, of the second derivatives of log Σ e^η along u and v."""

    def along(k, a, b, c):
        steps = [mp.mpf(x) for x in eta]
        for i in range(len(eta)):
            steps[i] += a * u[i] + b * v[i] + (c if i == k else 0)
        return mp.log(sum(mp.exp(x) for x in steps))

    return [mp.diff(lambda a, b, c, k=k: along(k, a, b, c), (0, 0, 0), (1, 1, 1)) for k in range(3)]


@pytest.mark.parametrize("eta", [(0.3, -0.4, 1.0), (0.0, -40.0, -60.0), (-9.0, 9.0, 2.0)])
def test_softmax(eta):
    rng = np.random.default_rng(3)
    u, v = rng.standard_normal(3), rng.standard_normal(3)
    with mp.workdps(120):
        exact = [float(x) for x in softmax_third(eta, u, v)]
    found = SoftmaxCrossEntropy().third_product(
        np.array([0]), np.array([eta]), u[np.newaxis], v[np.newaxis]
    )
    # Sums of three terms; where one class is nearly certain the digits are kept.
    np.testing.assert_allclose(found[0], exact, rtol=1e-13, atol=1e-16 * np.abs(exact).max())


@pytest.mark.parametrize("loss", [SquaredError(), BinaryCrossEntropy(), SoftmaxCrossEntropy()])
def test_is_the_derivative_of_the_curvature_product(loss):
    rng = np.random.default_rng(5)
    shape = (7, 4) if isinstance(loss, SoftmaxCrossEntropy) else (7,)
    y = np.arange(7) % (4 if len(shape) > 1 else 2)
    eta, u, v = rng.standard_normal((3, *shape))
    h = 1e-5
    above, below = (
        loss.curvature_product(y, eta + h * v, u),
        loss.curvature_product(y, eta - h * v, u),
    )
    # Central differences: h² of truncation, ε/h of rounding.
    np.testing.assert_allclose(
        loss.third_product(y, eta, u, v), (above - below) / (2 * h), atol=3e-10
    )


@pytest.mark.parametrize(
    "pointwise",
    [
        PointwiseExpression(parse("log(1 + exp(eta)) - y * eta + eta^4 / 40")),
        PointwiseCallable(lambda y, eta: np.log1p(np.exp(eta)) - y * eta + eta**4 / 40),
    ],
)
def test_of_losses_of_the_users(pointwise):
    y, eta = np.array([0.0, 1.0, 1.0]), np.array([-2.0, 0.4, 3.0])
    s = 1 / (1 + np.exp(-eta))
    exact = s * (1 - s) * (1 - 2 * s) + 24 * eta / 40
    first, second = np.array([1.0, 2.0, -1.0]), np.array([0.5, 1.0, 3.0])
    found = UserLoss(pointwise).third_product(y, eta, first, second)
    np.testing.assert_allclose(found, exact * first * second, rtol=1e-12)
    together = pointwise(y, eta, (0, 1, 2, 3))
    for order in range(4):
        np.testing.assert_allclose(together[order], pointwise(y, eta, (order,))[0], rtol=1e-13)


def test_a_loss_without_third_derivatives_says_so():
    one = np.ones(1)
    with pytest.raises(NotImplementedError, match="HalfPoissonDeviance has no third"):
        HalfPoissonDeviance().third_product(one, one, one, one)
