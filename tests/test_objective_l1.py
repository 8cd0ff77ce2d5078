"""``l1`` of own losses: against peers, brute force over signs, and the conditions of a minimum."""

import itertools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning as PeerConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.model_selection import GridSearchCV

from mcmodels import ObjectiveClassifier, ObjectiveRegressor, RowStream, results
from mcmodels.estimators.pointwise import pointwise
from mcmodels.exceptions import (
    ConvergenceWarning,
    InferenceError,
    NoMinimumWarning,
    NonConvexLossWarning,
    RankDeficiencyWarning,
)
from mcmodels.objectives.absolute_penalty import L1Objective
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import ArrayRows
from mcmodels.solvers import absolute_quadratic
from tests.objective_problems import quietly
from tests.objectives.user_losses import LOSSES

# Largest share by which our objective may exceed that of a peer at tight tolerance.
NO_HIGHER = 1e-10
WELSCH = "1 - exp(-(y - eta)**2/2)"
SQUARED, BINARY, POISSON = "(y - eta)**2 / 2", "softplus(eta) - y*eta", "exp(eta) - y*eta"


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def design(seed, n, p, log_condition=0.0):
    """Rows with singular values over so many powers of ten, and targets from four columns."""
    rng = np.random.default_rng(seed)
    r = min(n, p)
    U, _ = np.linalg.qr(rng.normal(size=(n, r)))
    V, _ = np.linalg.qr(rng.normal(size=(p, r)))
    X = (U * np.sqrt(n) * 10.0 ** -np.linspace(0, log_condition, r)) @ V.T + 0.3
    coef = np.zeros(p)
    coef[:4] = [3.0, -2.0, 1.0, 0.5]
    return X, X @ coef[:p], rng


def subgradient(model, X, y, weights=None, offset=0.0):
    """The shortest subgradient, by products of NumPy and derivatives by the complex step."""
    weights = np.ones(len(y)) if weights is None else weights
    coef = np.ravel(model.coef_)
    eta = X @ coef + np.ravel(model.intercept_)[0] + offset
    slope = DERIVATIVES[model.loss](np.asarray(y, dtype=float), eta)
    g = X.T @ (weights * slope) + model.alpha * coef
    at_zero = np.maximum(np.abs(g) - model.l1, 0.0)
    v = np.where(coef == 0, at_zero, np.abs(g + model.l1 * np.sign(coef)))
    size = np.abs(X).T @ (weights * np.abs(slope)) + model.l1
    rest = abs(weights @ slope) / (weights @ np.abs(slope)) if model.fit_intercept else 0.0
    return float(np.max(v / size, initial=0.0)), float(rest)


def by_complex_step(function):
    """The derivative of an analytic function of η, written here and nowhere else."""
    return lambda y, eta: function(y, eta + 1e-30j).imag / 1e-30


DERIVATIVES = {
    SQUARED: by_complex_step(lambda y, eta: (y - eta) ** 2 / 2),
    BINARY: lambda y, eta: expit(eta) - y,
    POISSON: by_complex_step(lambda y, eta: np.exp(eta) - y * eta),
    "sqrt(1 + (y - eta)**2)": by_complex_step(lambda y, eta: np.sqrt(1 + (y - eta) ** 2)),
    "relu(1 - (2*y - 1)*eta)**2": lambda y, eta: (
        -2 * (2 * y - 1) * np.maximum(1 - (2 * y - 1) * eta, 0)
    ),
    "log(1 + (y - eta)**2)": lambda y, eta: 2 * (eta - y) / (1 + (y - eta) ** 2),
    WELSCH: lambda y, eta: (eta - y) * np.exp(-((y - eta) ** 2) / 2),
}
# Products of a few hundred rows, each rounded, beside the sum of their sizes; ill-conditioned
# columns leave steps of 1e-10 of the parameters.
CONDITIONS = 1e-9


def test_the_check_of_the_conditions_sees_planted_errors():
    X, eta, rng = design(0, 80, 6)
    y = eta + rng.normal(size=80)
    model = ObjectiveRegressor(SQUARED, l1=30.0).fit(X, y)
    assert max(subgradient(model, X, y)) < CONDITIONS
    zero = int(np.flatnonzero(model.coef_ == 0)[0])
    for j, change in ((0, 1e-6), (0, -model.coef_[0]), (zero, 1e-6)):
        planted = clone(model).set_params(l1=30.0).fit(X, y)
        planted.coef_[j] += change
        assert max(subgradient(planted, X, y)) > 10 * CONDITIONS


@pytest.mark.parametrize(
    ("n", "p", "log_condition"), [(200, 10, 0), (100, 40, 3), (100, 40, 6), (50, 200, 0)]
)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_squared_errors_are_the_lasso(n, p, log_condition, share):
    X, eta, rng = design(n + p, n, p, log_condition)
    y = eta + rng.normal(size=n)
    l1 = share * np.abs(X.T @ (y - y.mean())).max()
    model = ObjectiveRegressor(SQUARED, l1=l1).fit(X, y)
    assert model.converged_
    assert model.solver_ == "proximal-newton"
    assert max(subgradient(model, X, y)) < CONDITIONS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PeerConvergenceWarning)  # at tol=1e-14
        peer = Lasso(alpha=l1 / n, tol=1e-14, max_iter=20_000).fit(X, y)
    theirs = np.sum((y - peer.predict(X)) ** 2) / 2 + l1 * np.abs(peer.coef_).sum()
    assert model.objective_ <= theirs + NO_HIGHER * abs(theirs)
    if log_condition == 0 and n > p:
        # Coordinate descent ends with a duality gap of 1e-14 of yᵀy: coefficients to its root.
        np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
        np.testing.assert_array_equal(model.coef_ == 0, peer.coef_ == 0)


def test_both_penalties_are_the_elastic_net():
    X, eta, rng = design(1, 60, 90)
    y = eta + rng.normal(size=60)
    peer = ElasticNet(alpha=0.05, l1_ratio=0.6, tol=1e-14, max_iter=100_000).fit(X, y)
    model = ObjectiveRegressor(SQUARED, l1=60 * 0.05 * 0.6, alpha=60 * 0.05 * 0.4).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    np.testing.assert_array_equal(model.coef_ == 0, peer.coef_ == 0)
    assert max(subgradient(model, X, y)) < CONDITIONS


@pytest.mark.parametrize("C", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("intercept", [True, False])
def test_classes_are_those_of_logistic_regression(C, intercept):
    X, eta, rng = design(2, 300, 12)
    y = (rng.uniform(size=300) < expit(eta)).astype(int)
    model = ObjectiveClassifier(BINARY, l1=1 / C, fit_intercept=intercept).fit(X, y)
    # liblinear penalises the intercept, saga does not.
    solver = {"solver": "saga"} if intercept else {"solver": "liblinear"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the peer: FutureWarning of penalty, convergence
        peer = Peer(
            penalty="l1", C=C, fit_intercept=intercept, tol=1e-12, max_iter=20_000, **solver
        ).fit(X, y)
    eta = peer.decision_function(X)
    theirs = np.sum(np.logaddexp(0, eta) - y * eta) + np.abs(peer.coef_).sum() / C
    assert model.objective_ <= theirs + NO_HIGHER * abs(theirs)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-4)
    assert max(subgradient(model, X, y)) < CONDITIONS


@pytest.mark.parametrize("of", ["classes", "counts"])
def test_likelihoods_are_those_of_statsmodels(of):
    X, eta, rng = design(3, 150, 6)
    if of == "classes":
        y = (rng.uniform(size=150) < expit(eta)).astype(int)
        loss, peer, kind = BINARY, sm.Logit, ObjectiveClassifier
    else:
        y = rng.poisson(np.exp(0.3 * eta))
        loss, peer, kind = POISSON, sm.Poisson, ObjectiveRegressor
    Z = np.column_stack([X, np.ones(150)])
    strengths = np.append(np.full(6, 8.0), 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer's own
        found = peer(y, Z).fit_regularized(alpha=strengths, acc=1e-14, maxiter=2000, disp=0)
    model = kind(loss, l1=8.0).fit(X, y)
    theirs = model.objective(X, y, np.asarray(found.params))
    assert model.objective_ <= theirs + NO_HIGHER * abs(theirs)
    # SLSQP ends at a relative change of the objective of 1e-14: parameters to its root.
    np.testing.assert_allclose(model.params_, found.params, atol=2e-5)


def by_all_signs(value, slope, l1, p, intercept):
    """The least objective over all patterns of signs, each a smooth problem of its own."""
    best, at = np.inf, None
    for signs in itertools.product((-1.0, 0.0, 1.0), repeat=p):
        signs = np.array(signs)
        free = np.append(signs != 0, intercept)

        def spread(part, free=free):
            theta = np.zeros(p + 1)
            theta[free] = part
            return theta

        def objective(part, signs=signs, spread=spread):
            theta = spread(part)
            return value(theta) + l1 * signs @ theta[:p]

        def gradient(part, signs=signs, spread=spread, free=free):
            return (slope(spread(part)) + l1 * np.append(signs, 0.0))[free]

        start = np.zeros(int(free.sum()))
        if start.size:
            found = optimize.minimize(
                objective, start, jac=gradient, method="BFGS", options={"gtol": 1e-10}
            ).x
        else:
            found = start
        theta = spread(found)
        reached = value(theta) + l1 * np.abs(theta[:p]).sum()  # larger with other signs
        if reached < best:
            best, at = reached, theta
    return best, at


@pytest.mark.parametrize("loss", [SQUARED, BINARY, POISSON, "sqrt(1 + (y - eta)**2)"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("p", [1, 3, 4])
def test_no_pattern_of_signs_is_better(loss, intercept, p):
    rng = np.random.default_rng(p)
    X, weights, offset = rng.normal(size=(30, p)), rng.uniform(0.5, 2, 30), rng.normal(size=30)
    y = rng.poisson(1.0, 30) if loss == POISSON else (X[:, 0] > rng.normal(size=30)).astype(int)
    options = {"l1": 3.0, "alpha": 0.5, "fit_intercept": intercept}
    kind = ObjectiveClassifier if loss == BINARY else ObjectiveRegressor
    model = kind(loss, **options).fit(X, y, weights, offset=offset)
    plain = {
        SQUARED: lambda eta: (y - eta) ** 2 / 2,
        BINARY: lambda eta: np.logaddexp(0, eta) - y * eta,
        POISSON: lambda eta: np.exp(eta) - y * eta,
        "sqrt(1 + (y - eta)**2)": lambda eta: np.sqrt(1 + (y - eta) ** 2),
    }[loss]
    Z = np.column_stack([X, np.ones(30)])

    def value(theta):
        return weights @ plain(Z @ theta + offset) + 0.25 * theta[:p] @ theta[:p]

    def slope(theta):
        ridge = np.append(0.5 * theta[:p], 0.0)
        return Z.T @ (weights * DERIVATIVES[loss](y, Z @ theta + offset)) + ridge

    best, at = by_all_signs(value, slope, 3.0, p, intercept)
    assert model.objective_ <= best + 1e-12 * abs(best)
    # BFGS ends with gradients of 1e-10 to 1e-7, where values show no further decrease.
    found = np.append(np.ravel(model.coef_), np.ravel(model.intercept_))
    np.testing.assert_allclose(found, at, atol=1e-6)
    assert max(subgradient(model, X, y, weights, offset)) < CONDITIONS


def hard(seed):
    """Columns of units from 1e-6 to 1e6, one zero, one constant, two equal, one far from zero."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(250, 12))
    X = Z * 10.0 ** rng.integers(-6, 7, 12)
    X[:, 2], X[:, 6], X[:, 7], X[:, 9] = 0.0, 7.0, X[:, 8], Z[:, 9] + 1e4
    return X, Z[:, 0] - 2 * Z[:, 1] + Z[:, 8] + Z[:, 9], rng


@pytest.mark.parametrize("loss", DERIVATIVES)
@pytest.mark.parametrize("l1", [100.0, 1.0, 1e-3, 1e-6])
@pytest.mark.parametrize("seed", range(2))
def test_hard_columns_meet_the_conditions(loss, l1, seed):
    X, eta, rng = hard(seed)
    y = eta + rng.standard_t(3, 250)
    kind = ObjectiveRegressor
    if loss == POISSON:
        y = rng.poisson(np.exp(0.3 * eta))
    elif "y*eta" in loss or "2*y" in loss:
        y, kind = (rng.uniform(size=250) < expit(eta)).astype(int), ObjectiveClassifier
    model = quietly(kind(loss, l1=l1), X, y)
    assert model.converged_
    assert max(subgradient(model, X, y)) < 1e-7  # of columns at 1e4, whose centre is not here
    assert not np.ravel(model.coef_)[[2, 6]].any()  # they do not vary
    assert np.isfinite(model.params_).all()


@pytest.mark.parametrize("l1", [1.0, 0.1, 0.03, 0.01, 1e-3])
@pytest.mark.parametrize("rows", ["generated", "diabetes"])
def test_losses_that_are_flat_at_nearly_all_rows(l1, rows):
    """Targets spread over hundreds of widths of Welsch's loss: few rows have curvature."""
    if rows == "generated":
        X, y = make_regression(200, 20, noise=10.0, random_state=0)
    else:
        X, y = load_diabetes(return_X_y=True)
        X = X / X.std(axis=0)
    model = quietly(ObjectiveRegressor(WELSCH, l1=l1), X, y)
    assert model.converged_
    assert model.n_iter_ < 60
    # Few rows have slopes: tol times the number of rows is 1e-7 of their sum.
    assert max(subgradient(model, X, y)) < 1e-7


def test_separated_classes_have_a_minimum():
    X, eta, _ = hard(0)
    y = (eta > 0).astype(int)
    for l1 in (1.0, 1e-4):
        model = quietly(ObjectiveClassifier(BINARY, l1=l1), X, y)
        assert model.converged_
        assert max(subgradient(model, X, y)) < 1e-7


@pytest.mark.parametrize("loss", [SQUARED, BINARY, POISSON])
@pytest.mark.parametrize("seed", range(3))
def test_the_path_begins_with_zeros_at_the_largest_slope(loss, seed):
    X, eta, rng = design(seed, 90, 15)
    y = rng.poisson(np.exp(0.2 * eta)) if loss == POISSON else (eta > rng.normal(size=90)) * 1
    kind = ObjectiveClassifier if loss == BINARY else ObjectiveRegressor
    null = kind(loss, l1=1e9).fit(X, y)
    largest = float(np.abs(null.gradient_[:-1]).max())
    for l1 in (largest, 1.5 * largest, 1e6 * largest):
        model = kind(loss, l1=l1).fit(X, y)
        assert not model.coef_.any()
        assert model.converged_
        assert abs(model.gradient_[-1]) < 1e-8
    below = kind(loss, l1=0.999 * largest).fit(X, y)
    assert np.count_nonzero(below.coef_) == 1
    sizes = [np.abs(kind(loss, l1=t * largest).fit(X, y).coef_).sum() for t in (0.7, 0.4, 0.1)]
    assert sizes == sorted(sizes)  # ‖coef‖₁ grows as l1 falls


def test_storages_streams_and_weights_are_the_same_fit():
    X, eta, rng = design(5, 120, 9)
    y, weights = rng.poisson(np.exp(0.2 * eta)), rng.integers(0, 3, 120).astype(float)
    offset = rng.uniform(-0.5, 0.5, 120)
    options = {"l1": 6.0}
    model = ObjectiveRegressor(POISSON, **options).fit(X, y, weights, offset=offset)
    rows = np.repeat(np.arange(120), weights.astype(int))
    repeated = ObjectiveRegressor(POISSON, **options).fit(X[rows], y[rows], offset=offset[rows])
    stream = RowStream(
        lambda: (
            (X[k : k + 25], y[k : k + 25], weights[k : k + 25], offset[k : k + 25])
            for k in range(0, 120, 25)
        )
    )
    streamed = ObjectiveRegressor(POISSON, **options).fit(stream)
    for stored in (sparse.csr_matrix(X), np.asfortranarray(X), pd.DataFrame(X)):
        other = ObjectiveRegressor(POISSON, **options).fit(stored, y, weights, offset=offset)
        np.testing.assert_allclose(other.params_, model.params_, rtol=1e-9, atol=1e-12)
    for other in (repeated, streamed):
        # The same sums in another order.
        np.testing.assert_allclose(other.params_, model.params_, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(other.coef_ == 0, model.coef_ == 0)


def test_shifted_columns_change_the_intercept_alone():
    X, eta, rng = design(6, 150, 6)
    y = (rng.uniform(size=150) < expit(eta)).astype(int)
    near = ObjectiveClassifier(BINARY, l1=4.0).fit(X, y)
    far = ObjectiveClassifier(BINARY, l1=4.0).fit(X + 1e6, y)
    # Entries of X are rounded to 1e-10 of their spread when they are shifted.
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-7)
    np.testing.assert_array_equal(far.coef_ == 0, near.coef_ == 0)


def test_a_warm_start_ends_at_the_same_minimum():
    X, eta, rng = design(7, 200, 30)
    y = (rng.uniform(size=200) < expit(eta)).astype(int)
    model = ObjectiveClassifier(BINARY, l1=2.0, warm_start=True).fit(X, y)
    cold = ObjectiveClassifier(BINARY, l1=1.9).fit(X, y)
    warm = model.set_params(l1=1.9).fit(X, y)
    assert warm.n_iter_ < cold.n_iter_
    np.testing.assert_allclose(warm.params_, cold.params_, rtol=1e-9, atol=1e-12)
    assert warm.fit(X, y).n_iter_ == 0


def test_derivatives_are_of_the_smooth_part():
    X, eta, rng = design(8, 80, 5)
    y = rng.poisson(np.exp(0.2 * eta))
    model = ObjectiveRegressor(POISSON, l1=5.0, alpha=0.7).fit(X, y)
    theta = rng.normal(size=6)
    penalty = 5.0 * np.abs(theta[:-1]).sum()
    plain = ObjectiveRegressor(POISSON, alpha=0.7).fit(X, y)
    assert np.isclose(model.objective(X, y, theta), plain.objective(X, y, theta) + penalty)
    np.testing.assert_allclose(model.gradient(X, y, theta), plain.gradient(X, y, theta))
    np.testing.assert_allclose(model.hessian(X, y, theta), plain.hessian(X, y, theta))
    np.testing.assert_allclose(model.gradient_, plain.gradient(X, y, model.params_), atol=1e-9)
    assert np.isclose(model.objective_, model.objective(X, y))


def test_what_ignores_the_choice_of_columns_is_refused():
    X, eta, rng = design(9, 80, 5)
    y = rng.poisson(np.exp(0.2 * eta))
    model = ObjectiveRegressor(POISSON, l1=5.0, inverse_link=np.exp, log_likelihood=True).fit(X, y)
    for asked in (
        lambda: model.standard_errors_,
        lambda: model.summary(),
        lambda: model.summary(X, y, kind="HC1"),
        lambda: model.covariance(X, y, kind="HC0"),
        lambda: model.confidence_intervals(),
        lambda: model.predict_interval(X),
        lambda: model.influence(X, y),
        lambda: results(model).predict_interval(X),
    ):
        with pytest.raises(InferenceError, match=r"l1=5 .*l1=0 to the other part"):
            asked()
    # No declaration of the loss would give it errors, so that none is proposed.
    undeclared = ObjectiveRegressor(POISSON, l1=5.0).fit(X, y)
    with pytest.raises(InferenceError, match=r"l1=5 .*l1=0 to the other part"):
        undeclared.summary()
    losses = np.exp(X @ model.coef_ + model.intercept_)
    losses -= y * np.log(losses)
    assert np.isclose(model.log_likelihood_, -losses.sum())
    assert not hasattr(model, "standard_errors_")
    assert "l1=5" in repr(model)


def test_dependent_columns_are_named_unless_alpha_determines_them():
    X, eta, rng = design(10, 80, 4)
    X = np.column_stack([X, X[:, 0]])
    y = eta + rng.normal(size=80)
    with pytest.warns(RankDeficiencyWarning, match="x0, x4, whose"):
        model = ObjectiveRegressor(SQUARED, l1=2.0).fit(X, y)
    assert model.converged_
    single = ObjectiveRegressor(SQUARED, l1=2.0).fit(X[:, :4], y)
    # Predictions are unique.
    np.testing.assert_allclose(model.predict(X), single.predict(X[:, :4]), rtol=1e-9)
    shared = ObjectiveRegressor(SQUARED, l1=2.0, alpha=1e-3).fit(X, y)
    assert np.isclose(shared.coef_[0], shared.coef_[4])


def test_a_loss_that_bends_downwards_is_left_at_a_local_minimum():
    X, eta, rng = design(11, 150, 8)
    y = eta + rng.standard_cauchy(150)
    with pytest.warns(NonConvexLossWarning, match="is a minimum"):
        model = ObjectiveRegressor("log(1 + (y - eta)**2)", l1=3.0).fit(X, y)
    assert model.converged_
    assert max(subgradient(model, X, y)) < CONDITIONS
    moving = np.append(model.coef_ != 0, True)
    assert np.linalg.eigvalsh(model.hessian_[np.ix_(moving, moving)])[0] > 0
    # No point near it is lower.
    for _ in range(200):
        near = model.params_ + 1e-3 * rng.normal(size=9)
        assert model.objective(X, y, near) > model.objective_


HUBER = "0.5*clip(y - eta, -1, 1)**2 + maximum(abs(y - eta), 1) - 1"


def derivative_of_huber(y, eta):
    return np.clip(eta - y, -1, 1)


@pytest.mark.parametrize("loss", [HUBER, "log(1 + (y - eta)**2)"])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_wide_rows_that_do_not_bend_upwards_take_small_systems(loss, share, monkeypatch):
    """No system is much larger than the number of rows, and no matrix over all columns is solved.

    Where rows without curvature leave a model that is nearly straight, it has its minimum where
    nearly all of the 400 coefficients are not zero.
    """
    sizes = []
    factorised = absolute_quadratic.linalg.cho_factor

    def counted(matrix, **options):
        sizes.append(len(matrix))
        return factorised(matrix, **options)

    monkeypatch.setattr(absolute_quadratic.linalg, "cho_factor", counted)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 400))
    y = X[:, :5] @ [3.0, -2.0, 1.5, 1.0, -1.0] + rng.standard_t(2, size=40)
    monkeypatch.setitem(DERIVATIVES, HUBER, derivative_of_huber)
    empty = quietly(ObjectiveRegressor(loss, l1=1e9), X, y)
    largest = np.abs(empty.gradient_[:-1]).max()
    model = quietly(ObjectiveRegressor(loss, l1=share * largest), X, y)
    assert model.converged_
    assert model.n_iter_ < 40
    assert max(sizes) <= 40 + 200  # and those that are admitted with them, 376 without the bound
    assert max(subgradient(model, X, y)) < 1e-7  # tol is 1e-8 of the rows


@pytest.mark.parametrize("n", [200, 250])
def test_a_loss_that_bends_downwards_converges_with_nearly_as_many_columns_as_rows(n):
    """|λ| in place of negative eigenvalues took more than 100 steps, and ended higher."""
    p = n - 20
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3)
    y = 3 * X[:, :5] @ [3.0, -2.0, 1.5, 1.0, -1.0] + rng.standard_t(2, size=n)
    loss = "log(1 + (y - eta)**2)"
    empty = quietly(ObjectiveRegressor(loss, l1=1e9), X, y)
    model = ObjectiveRegressor(loss, l1=0.3 * np.abs(empty.gradient_[:-1]).max())
    quietly(model, X, y)
    assert model.converged_
    assert max(subgradient(model, X, y)) < 1e-7  # tol is 1e-8 of the rows


@pytest.mark.parametrize("weighted", [False, True])
def test_the_raised_hessian_is_that_of_raised_rows(weighted):
    rng = np.random.default_rng(4)
    X, y, theta = rng.normal(size=(30, 3)), rng.normal(size=30), rng.normal(size=4)
    w = rng.uniform(0, 2, 30) if weighted else None
    loss = UserLoss(pointwise("log(1 + (y - eta)**2)"))
    objective = L1Objective(ArrayRows(X, y, w, intercept=True), loss, 0.7, 2.0)
    Z = np.column_stack([X, np.ones(30)])
    r = Z @ theta - y
    raised = np.maximum(np.abs(2 * (1 - r**2) / (1 + r**2) ** 2), 0.1)
    assert (raised == 0.1).any()
    expected = (Z.T * (raised if w is None else w * raised)) @ Z + np.diag([0.7, 0.7, 0.7, 0])
    # Sums of 30 products.
    np.testing.assert_allclose(objective.raised_hessian(theta, 0.1), expected, rtol=1e-12)


def test_a_saddle_of_the_intercept_is_left():
    """``(η² - 1)²`` has a maximum at zero, and minima at ±1."""
    X = np.zeros((10, 1))
    model = ObjectiveRegressor("(eta**2 - 1)**2 + 0*y", l1=1.0, warm_start=True)
    quietly(model, X, np.zeros(10))
    model.params_ = np.zeros(2)
    model._fit = None
    quietly(model, X, np.zeros(10))
    assert np.isclose(abs(model.intercept_), 1.0)


def test_fits_without_an_end_say_so():
    X = np.random.default_rng(0).normal(size=(40, 3))
    with pytest.warns(NoMinimumWarning, match="the intercept"):
        ObjectiveRegressor(POISSON, l1=1.0).fit(X, np.zeros(40))
    with pytest.warns(NoMinimumWarning, match="x0, x1, x2"):
        ObjectiveRegressor("-y*eta", l1=0.1, fit_intercept=False).fit(X, X.sum(axis=1))
    counts = np.random.default_rng(1).poisson(np.exp(X[:, 0]))
    with pytest.warns(ConvergenceWarning, match="shortest subgradient"):
        ObjectiveRegressor(POISSON, l1=0.1, max_iter=1).fit(X, counts)


@pytest.mark.parametrize("l1", [-1.0, np.nan, np.inf, "1", True])
def test_a_strength_is_a_number_of_at_least_zero(l1):
    with pytest.raises((ValueError, TypeError), match="l1"):
        ObjectiveRegressor(SQUARED, l1=l1).fit([[0.0], [1.0]], [0.0, 1.0])


def test_too_many_columns_are_refused():
    X = sparse.random(20, 9000, 0.01, random_state=0, format="csr")
    with pytest.raises(ValueError, match="9001 parameters"):
        ObjectiveRegressor(SQUARED, l1=1.0).fit(X, np.arange(20.0))


def test_searches_copies_and_pickles():
    X, eta, rng = design(13, 90, 6)
    y = eta + rng.normal(size=90)
    search = GridSearchCV(ObjectiveRegressor(SQUARED), {"l1": [0.0, 1.0, 30.0]}, cv=3).fit(X, y)
    assert search.best_estimator_.l1 in (0.0, 1.0, 30.0)
    model = ObjectiveRegressor(SQUARED, l1=30.0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.params_, model.params_)
    assert again.objective(X, y) == model.objective(X, y)
    assert clone(model).l1 == 30.0


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_as_text_and_as_function(name):
    loss = LOSSES[name]
    X, eta, rng = design(14, 120, 6)
    y = {
        "counts": lambda: rng.poisson(np.exp(0.2 * eta)),
        "classes": lambda: (rng.uniform(size=120) < expit(eta)).astype(int),
    }.get(loss.targets, lambda: np.exp(0.2 * eta) + rng.exponential(size=120))()
    kind = ObjectiveClassifier if loss.targets == "classes" else ObjectiveRegressor
    text, function = (quietly(kind(way, l1=2.0), X, y) for way in (loss.text, loss.function))
    assert text.converged_
    # The same minimum, each to a negligible step.
    np.testing.assert_allclose(text.params_, function.params_, rtol=1e-7, atol=1e-9)
