"""A loss with Jeffreys' prior: value, gradient and Hessian against a determinant in mpmath."""

import mpmath as mp
import numpy as np
import pytest
from scipy import linalg

from mcmodels.estimators.family_choice import chosen_loss
from mcmodels.objectives import BinaryCrossEntropy, SoftmaxCrossEntropy
from mcmodels.objectives import jeffreys as module
from mcmodels.objectives.expected_weights import LOGISTIC, ExpectedWeights
from mcmodels.objectives.jeffreys import JeffreysObjective, Prior
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import ArrayRows
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from tests import jeffreys_in_mpmath as exact
from tests.glm_problems import _BINOMIAL, _SETTINGS, PAIRS, drawn

N = 9
# Values are sums of ten numbers of about one; derivatives have the inverse information, whose
# condition number is about ten.
CLOSE = {"rtol": 1e-11, "atol": 1e-11}


def rows_for(family, link, seed=0):
    """Rows, parameters at which each has a mean, and targets."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(N, 2))
    slope, intercept = (_BINOMIAL if family == "binomial" else {}).get(link, _SETTINGS[link])
    theta = np.array([slope / 2, -slope / 3, intercept])
    loss = chosen_loss(family, link, float(exact.POWER), float(exact.THETA))
    y = drawn(family, loss.link.mean(X @ theta[:2] + theta[2]), rng)
    return X, y, rng.integers(1, 4, N).astype(float), theta, loss


def require_derivatives(objective, params, gradient, hessian):
    found = objective.derivatives(params)
    np.testing.assert_allclose(found.gradient.ravel(), gradient, **CLOSE)
    np.testing.assert_allclose(found.hessian, hessian, **CLOSE)
    np.testing.assert_allclose(objective.gradient(params), found.gradient, rtol=1e-14, atol=1e-13)
    assert objective.value(params) == found.value
    vector = np.cos(np.arange(params.size)).reshape(params.shape)
    np.testing.assert_array_equal(
        objective.hessian_vector_product(params, vector).ravel(), found.hessian @ vector.ravel()
    )
    diagonal = objective.hessian_diagonal(params)
    np.testing.assert_array_equal(diagonal.ravel(), np.diagonal(found.hessian))


def in_mpmath(value, params):
    with mp.workdps(exact.DIGITS):
        theta = [mp.mpf(float(t)) for t in params]
        gradient, hessian = exact.derivatives(value, theta)
        return (
            float(value(theta)),
            np.array([float(g) for g in gradient]),
            np.array(hessian.tolist(), dtype=float),
        )


@pytest.mark.parametrize("kind", [JeffreysObjective, PenalisedByInformation])
@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_families(kind, family, link):
    X, y, weights, theta, loss = rows_for(family, link)
    rows = ArrayRows(X, y, weights, intercept=True)
    objective = kind(rows, UserLoss(loss), Prior(ExpectedWeights(loss), 0.75))
    with mp.workdps(exact.DIGITS):
        value = exact.objective(family, link, np.c_[X, np.ones(N)], y, weights, 0.75)
    expected, gradient, hessian = in_mpmath(value, theta)
    np.testing.assert_allclose(objective.value(theta), expected, rtol=1e-12)
    require_derivatives(objective, theta, gradient, hessian)


@pytest.mark.parametrize("kind", [JeffreysObjective, PenalisedByInformation])
def test_two_classes(kind):
    X, y, weights, theta, _ = rows_for("binomial", "logit", seed=3)
    rows = ArrayRows(X, y.astype(int), weights, intercept=True)
    objective = kind(rows, BinaryCrossEntropy(), Prior(LOGISTIC))
    with mp.workdps(exact.DIGITS):
        value = exact.objective("binomial", "logit", np.c_[X, np.ones(N)], y, weights)
    expected, gradient, hessian = in_mpmath(value, theta)
    np.testing.assert_allclose(objective.value(theta), expected, rtol=1e-12)
    require_derivatives(objective, theta, gradient, hessian)


def classes(K, seed=1):
    rng = np.random.default_rng(seed)
    X, codes = rng.uniform(-1, 1, size=(N, 1)), rng.integers(0, K, N)
    weights = rng.integers(1, 4, N).astype(float)
    params = rng.normal(size=(K, 2))
    return X, codes, weights, params - params.mean(axis=0)


@pytest.mark.parametrize("kind", [JeffreysObjective, PenalisedByInformation])
@pytest.mark.parametrize("K", [3, 4])
def test_several_classes(kind, K):
    X, codes, weights, params = classes(K)
    rows = ArrayRows(X, codes, weights, intercept=True)
    objective = kind(rows, SoftmaxCrossEntropy(), Prior(None))
    with mp.workdps(exact.DIGITS):
        value = exact.objective_of_classes(np.c_[X, np.ones(N)], codes, weights, K)
    contrasts = (params[1:] - params[0]).ravel()
    expected, gradient, hessian = in_mpmath(value, contrasts)
    # The determinants of two parametrisations differ by that of the map between them, squared:
    # differences from the first class D, and orthonormal coordinates C with DC of determinant √K.
    P = params.shape[1]
    D = np.kron(np.eye(K)[1:] - np.eye(K)[0], np.eye(P))
    np.testing.assert_allclose(
        objective.value(params), expected - P * np.log(K) / 2, rtol=1e-12, atol=1e-12
    )
    require_derivatives(objective, params, D.T @ gradient, D.T @ hessian @ D)
    shifted = params + np.array([0.5, -0.25])
    np.testing.assert_allclose(objective.value(shifted), objective.value(params), rtol=1e-13)


def test_the_value_has_the_pseudo_determinant():
    """The product of the eigenvalues that are not zero; of classes and of dependent columns."""
    X, codes, weights, params = classes(3)
    X = np.c_[X, 2 * X + 1, np.zeros(N)]
    params = np.c_[params[:, :1], params[::-1, :1], params[:, 1:] / 3, params[:, 1:]]
    rows = ArrayRows(X, codes, weights, intercept=True)
    objective = PenalisedByInformation(rows, SoftmaxCrossEntropy(), Prior(None))
    eta = np.c_[X, np.ones(N)] @ params.T
    p = np.exp(eta) / np.exp(eta).sum(axis=1)[:, np.newaxis]
    information = sum(
        w * np.kron(np.diag(q) - np.outer(q, q), np.outer(x, x))
        for w, q, x in zip(weights, p, np.c_[X, np.ones(N)], strict=True)
    )
    values = linalg.eigvalsh(information)[-4:]
    loss = -np.log(p[np.arange(N), codes]) @ weights
    expected = loss - np.log(values).sum() / 2
    np.testing.assert_allclose(objective.value(params), expected, rtol=1e-12)
    found = objective.derivatives(params)
    assert found.value == objective.value(params)
    for j in range(params.size):
        moved = np.eye(1, params.size, j).reshape(params.shape) * 1e-5
        change = objective.value(params + moved) - objective.value(params - moved)
        # Central differences of step 1e-5 have an error of about 1e-10.
        np.testing.assert_allclose(found.gradient.ravel()[j], change / 2e-5, atol=1e-8)


def test_a_singular_information_is_infinite():
    """Far from every row, weights underflow: no solver takes such a step."""
    X, y, weights, _, _ = rows_for("binomial", "logit")
    rows = ArrayRows(X, y.astype(int), weights, intercept=True)
    objective = JeffreysObjective(rows, BinaryCrossEntropy(), Prior(LOGISTIC))
    far = np.array([0.0, 0.0, 1e4])
    assert objective.value(far) == objective.derivatives(far).value == np.inf


def test_rows_are_cut_into_parts_where_products_are_large(monkeypatch):
    X, codes, weights, params = classes(3)
    rows = ArrayRows(X, codes, weights, intercept=True)
    objective = JeffreysObjective(rows, SoftmaxCrossEntropy(), Prior(None))
    whole = objective.derivatives(params)
    monkeypatch.setattr(module, "_PRODUCTS", 20)
    parts = objective.derivatives(params)
    np.testing.assert_allclose(parts.hessian, whole.hessian, rtol=1e-13, atol=1e-14)


def test_the_check_finds_a_planted_error(monkeypatch):
    """Without the trace, the Hessian is wrong by what the check must see."""
    X, y, weights, theta, _ = rows_for("binomial", "logit", seed=3)
    rows = ArrayRows(X, y.astype(int), weights, intercept=True)
    objective = JeffreysObjective(rows, BinaryCrossEntropy(), Prior(LOGISTIC))
    right = objective.derivatives(theta)
    of_one = module._sums_of_one

    def wrong(*given):
        total = of_one(*given)
        total.parts[2] = 0 * total.parts[2]
        return total

    monkeypatch.setattr(module, "_sums_of_one", wrong)
    with pytest.raises(AssertionError):
        require_derivatives(objective, theta, right.gradient, right.hessian)
