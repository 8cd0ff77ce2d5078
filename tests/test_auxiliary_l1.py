"""``l1`` beside auxiliary parameters: conditions of a minimum, brute force over signs, and laws."""

import itertools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse
from sklearn.base import clone

from mcmodels import ObjectiveRegressor, RowStream
from mcmodels.exceptions import (
    InferenceError,
    NoMinimumWarning,
    NonConvexLossWarning,
    RankDeficiencyWarning,
)
from tests.auxiliary_problems import PROBLEMS, data, model, quietly

# Steps of differences of the analytic functions below. Complex ones have no rounding.
TINY = 1e-30


def said(estimator, *args):
    """The fit, and its warnings by class, but for those of a loss that is not convex."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", NonConvexLossWarning)
        estimator.fit(*args)
    return {found.category: str(found.message) for found in caught}


def wide(name, n=90, p=5, seed=0):
    """Data of a problem, with columns of noise beside its own."""
    X, y = data(PROBLEMS[name].targets, n, seed)
    return np.column_stack([X, np.random.default_rng(seed).normal(size=(n, p))])[:, :p], y


def total(name, X, y, weights=None, offset=0.0, alpha=0.0, intercept=True):
    """The smooth part as a function of all parameters, written with NumPy alone."""
    weights = np.ones(len(y)) if weights is None else weights
    sizes = {key: np.size(first) for key, first in PROBLEMS[name].start.items()}

    def value(params):
        p, place = X.shape[1], X.shape[1] + intercept
        eta = X @ params[:p] + offset + (params[p] if intercept else 0.0)
        parts = []
        for key, size in sizes.items():
            part = params[place : place + size]
            parts.append(part if np.ndim(PROBLEMS[name].start[key]) else part[0])
            place += size
        with np.errstate(all="ignore"):  # a line search may go where the loss is not finite
            losses = PROBLEMS[name].function(y, eta, *parts)
        return weights @ losses + alpha / 2 * params[:p] @ params[:p]

    return value


def numerical_gradient(value, params):
    """Central differences of second order at two steps, extrapolated: errors of order h⁴."""

    def at(h):
        moves = h * np.maximum(np.abs(params), 1.0) * np.eye(params.size)
        return np.array([(value(params + m) - value(params - m)) / (2 * m.sum()) for m in moves])

    return (4 * at(5e-4) - at(1e-3)) / 3


def violation(found, value, p):
    """How far the conditions of a minimum are from holding, in units of l1."""
    g, coef = numerical_gradient(value, found.params_), found.params_[:p]
    at_zero = np.maximum(np.abs(g[:p]) - found.l1, 0.0)
    of_coef = np.where(coef == 0, at_zero, np.abs(g[:p] + found.l1 * np.sign(coef)))
    return max(of_coef.max(), np.abs(g[p:]).max()) / found.l1


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("l1", [40.0, 5.0, 0.5])
def test_the_conditions_of_a_minimum_hold(name, l1):
    X, y = wide(name)
    weights, offset = 0.5 + np.arange(len(y)) % 3, 0.2 * np.cos(np.arange(len(y)))
    intercept = PROBLEMS[name].intercept
    for options in ({}, {"alpha": 2.0}):
        found = model(name, l1=l1, **options)
        quietly(found, X, y, weights, offset=offset)
        assert found.status_ == "converged"
        assert found.solver_ == "proximal-newton"
        value = total(name, X, y, weights, offset, found.alpha, intercept)
        # Rounding of sums of 90 numbers of size one to ten, by steps of 1e-3, and fifth
        # derivatives.
        assert violation(found, value, 5) < 1e-7
        absolute = l1 * np.abs(found.coef_).sum()
        assert found.objective_ == pytest.approx(value(found.params_) + absolute, rel=1e-12)
        planted = clone(found).set_params(max_iter=1)
        planted = quietly(planted, X, y, weights, offset=offset)
        assert not planted.converged_
        assert violation(planted, value, 5) > 1e-5  # the check sees what has not converged


def by_all_signs(value, start, l1, p):
    """The least objective over all patterns of signs, each a smooth problem of its own."""
    best, at = np.inf, start
    for signs in itertools.product((-1.0, 0.0, 1.0), repeat=p):
        signs = np.array(signs)
        free = np.append(signs != 0, np.ones(start.size - p, dtype=bool))

        def spread(part, free=free):
            params = np.zeros(free.size, dtype=part.dtype)
            params[free] = part
            return params

        def objective(part, signs=signs, spread=spread):
            params = spread(part)
            return value(params) + l1 * signs @ params[:p]

        def gradient(part, objective=objective):
            moves = TINY * 1j * np.eye(part.size)
            return np.array([objective(part + move).imag for move in moves]) / TINY

        part = optimize.minimize(
            objective, start[free], jac=gradient, method="BFGS", options={"gtol": 1e-10}
        ).x
        params = spread(part)
        reached = value(params) + l1 * np.abs(params[:p]).sum()  # larger with other signs
        if reached < best:
            best, at = reached, params
    return best, at


@pytest.mark.parametrize("name", ["normal", "weibull"])
@pytest.mark.parametrize("l1", [30.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_no_pattern_of_signs_is_better(name, l1, seed):
    X, y = wide(name, 40, 3, seed)
    found = quietly(model(name, l1=l1, alpha=0.5), X, y)
    value = total(name, X, y, alpha=0.5)
    best, at = by_all_signs(value, np.zeros(5), l1, 3)
    assert found.objective_ <= best + 1e-12 * abs(best)
    # BFGS ends with gradients of 1e-10 to 1e-7, where values show no further decrease.
    np.testing.assert_allclose(found.params_, at, atol=1e-6)


@pytest.mark.parametrize("name", ["normal", "student", "negative binomial", "ordinal logit"])
def test_hard_columns(name):
    """Units from 1e-6 to 1e6, a column of zeros, a constant, two equal, one far from zero."""
    X, y = wide(name, 120, 6)
    hard = np.column_stack([X, X[:, 0], np.zeros(120), np.full(120, 7.0)])
    units = 10.0 ** np.array([-6, 3, 6, 0, 2, -3, -6, 0, 0])
    centre = np.zeros(9)
    centre[3] = 1e4 * PROBLEMS[name].intercept
    value = total(name, hard, y, intercept=PROBLEMS[name].intercept)
    hard = hard * units + centre
    for share in (0.3, 0.01):
        null = quietly(model(name, l1=1e12), hard, y)
        l1 = share * np.abs(null.gradient_[:9]).max()
        found = quietly(model(name, l1=l1), hard, y)
        assert found.converged_ or found.status_ == "rank deficient"
        assert not found.coef_[[7, 8]].any() or not PROBLEMS[name].intercept
        rest = found.params_[9:] + 0.0
        rest[0] += centre @ found.coef_
        g = numerical_gradient(value, np.append(found.coef_ * units, rest))
        # About the centre, where the derivative by the intercept is zero.
        assert np.abs(g[9:]).max() < 1e-6
        g = g[:9] * units
        bound = np.maximum(l1, units * np.sqrt(120))
        coef = found.coef_
        at_zero = np.maximum(np.abs(g) - l1, 0.0)
        left = np.where(coef == 0, at_zero, np.abs(g + l1 * np.sign(coef))) / bound
        # As above, and by a column at 1e4, whose products lose four digits.
        assert left.max() < 1e-6


@pytest.mark.parametrize("name", PROBLEMS)
def test_from_the_largest_slope_on_all_coefficients_are_zero(name):
    X, y = wide(name)
    null = quietly(model(name, l1=1e9), X, y)
    without = quietly(model(name), np.zeros((len(y), 1)), y)
    assert not null.coef_.any()
    # That of a fit without columns, by another algorithm.
    np.testing.assert_allclose(null.params_[5:], without.params_[1:], rtol=1e-7, atol=1e-8)
    largest = np.abs(null.gradient_[:5]).max()
    assert not quietly(model(name, l1=largest), X, y).coef_.any()
    assert np.count_nonzero(quietly(model(name, l1=0.999 * largest), X, y).coef_) == 1


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_tiny_penalty_is_a_fit_without_one(name):
    X, y = wide(name)
    found, plain = quietly(model(name, l1=1e-9), X, y), quietly(model(name), X, y)
    # The penalty moves parameters by 1e-9 of a squared standard error.
    np.testing.assert_allclose(found.params_, plain.params_, rtol=1e-7, atol=1e-8)
    assert found.objective_ >= plain.objective_ - 1e-12 * abs(plain.objective_)


def test_storages_streams_and_weights_are_the_same_fit():
    X, y = wide("student", 120)
    weights, offset = np.arange(120) % 3.0, 0.3 * np.sin(np.arange(120))
    found = quietly(model("student", l1=6.0), X, y, weights, offset=offset)
    rows = np.repeat(np.arange(120), weights.astype(int))
    others = [
        quietly(model("student", l1=6.0), X[rows], y[rows], offset=offset[rows]),
        quietly(model("student", l1=6.0), sparse.csr_matrix(X), y, weights, offset=offset),
        quietly(model("student", l1=6.0), pd.DataFrame(X), y, weights, offset=offset),
    ]
    blocks = [(0, 50), (50, 51), (51, 120)]
    stream = RowStream(lambda: ((X[i:j], y[i:j], weights[i:j], offset[i:j]) for i, j in blocks))
    others.append(quietly(model("student", l1=6.0), stream))
    for other in others:
        # The same sums in another order.
        np.testing.assert_allclose(other.params_, found.params_, rtol=1e-9, atol=1e-11)
        np.testing.assert_array_equal(other.coef_ == 0, found.coef_ == 0)


def test_a_function_and_a_text_are_the_same_fit():
    X, y = wide("student")
    text = quietly(ObjectiveRegressor(PROBLEMS["student"].text, l1=5.0, **starts("student")), X, y)
    function = quietly(
        ObjectiveRegressor(PROBLEMS["student"].function, l1=5.0, **starts("student")), X, y
    )
    np.testing.assert_allclose(text.params_, function.params_, rtol=1e-9, atol=1e-11)


def starts(name):
    return {"auxiliary": PROBLEMS[name].start}


def test_a_warm_start_ends_at_the_same_minimum():
    X, y = wide("student")
    found = quietly(model("student", l1=3.0, warm_start=True), X, y)
    found = quietly(found.set_params(l1=2.9), X, y)
    cold = quietly(model("student", l1=2.9), X, y)
    np.testing.assert_allclose(found.params_, cold.params_, rtol=1e-8, atol=1e-10)
    assert found.n_iter_ < cold.n_iter_


def test_errors_are_refused_and_the_rest_is_there():
    X, y = wide("student")
    found = quietly(model("student", l1=8.0), X, y)
    again = pickle.loads(pickle.dumps(found))
    for fit in (found, again):
        with pytest.raises(InferenceError, match="has chosen from these rows"):
            fit.summary()
        with pytest.raises(InferenceError, match="has chosen from these rows"):
            fit.influence(X, y)
        with pytest.raises(InferenceError, match="has chosen from these rows"):
            fit.profile_intervals(X, y)
        np.testing.assert_allclose(fit.gradient(X, y), fit.gradient_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(fit.hessian(X, y), fit.hessian_, rtol=1e-9, atol=1e-9)
        assert fit.objective(X, y) == pytest.approx(fit.objective_, rel=1e-12)
    absolute = 8.0 * np.abs(found.coef_).sum()
    assert found.log_likelihood_ == pytest.approx(-(found.objective_ - absolute), rel=1e-12)
    assert found.residuals(X, y).shape == y.shape


# -- verdicts -------------------------------------------------------------------------------------


def test_equal_columns_are_named():
    X, y = wide("student")
    warned = said(model("student", l1=0.1), np.column_stack([X, X[:, 0]]), y)
    assert "x0, x5" in warned[RankDeficiencyWarning]
    assert "alpha > 0" in warned[RankDeficiencyWarning]


def test_an_intercept_beside_thresholds():
    X, y = wide("ordinal logit")
    found = model("ordinal logit", l1=1.0, fit_intercept=True)
    warned = said(found, X, y)
    assert "the intercept and auxiliary cuts[0], cuts[1]" in warned[RankDeficiencyWarning]
    right = quietly(model("ordinal logit", l1=1.0), X, y)
    assert found.objective_ == pytest.approx(right.objective_, rel=1e-12)


def test_separated_ordered_classes_have_a_minimum():
    X, _ = wide("ordinal logit")
    y = np.digitize(X[:, 0], (-0.5, 0.6)).astype(float)
    found = model("ordinal logit", l1=0.1)
    assert not said(found, X, y)
    assert found.status_ == "converged"


def test_an_absent_class_has_no_minimum():
    X, y = wide("ordinal logit")
    found = model("ordinal logit", l1=1.0)
    assert "cuts" in said(found, X, np.minimum(y, 1.0))[NoMinimumWarning]
    assert found.status_ == "no minimum"


def test_more_columns_than_rows():
    X, y = wide("normal", 60)
    X = np.column_stack([X, np.random.default_rng(1).normal(size=(60, 100))])
    found = quietly(model("normal", l1=15.0), X, y)
    assert found.status_ == "converged"
    assert 0 < np.count_nonzero(found.coef_) < 60
    # A scale goes to zero where the penalty lets the fit be exact.
    assert not quietly(model("normal", l1=1e-3), X, y).converged_


def test_a_start_that_is_not_finite_is_refused():
    X, y = wide("ordinal logit")
    with pytest.raises(ValueError, match=r"cuts\[0\]=1, cuts\[1\]=-1.*auxiliary"):
        model("ordinal logit", l1=1.0).set_params(auxiliary={"cuts": [1.0, -1.0]}).fit(X, y)
