"""MLPRegressor(loss="poisson"): scikit-learn's loss, Poisson regression, intervals, refusals."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from mcmodels import GeneralizedLinearRegressor, MLPRegressor
from mcmodels.exceptions import ConstantTargetWarning
from mcmodels.objectives.network import NetworkParameters
from tests.numerics import central_differences, relative_error

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
Y = RNG.poisson(np.exp(np.tanh(X[:, 0]) + 0.5)).astype(float)
TWO = np.column_stack([Y, RNG.poisson(np.exp(0.5 * X[:, 1]))])
W = RNG.uniform(0.5, 2.0, 80)
# A penalty that leaves one basin near a start.
PENALISED = {"activation": "tanh", "alpha": 1.0, "tol": 1e-10, "max_iter": 5000, "random_state": 3}


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@parametrize_with_checks([MLPRegressor((5,), loss="poisson", max_iter=50)])
def test_scikit_learn_checks(estimator, check):
    if "check_regressor_multioutput" in str(check):
        # It gives negative targets, although the tag positive_only says that they are refused.
        with pytest.raises(ValueError, match="y must not be negative"):
            check(estimator)
        return
    check(estimator)


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_scikit_learns_start_path_and_loss(y):
    model = MLPRegressor((5, 3), "tanh", loss="poisson", alpha=0.1, random_state=7, max_iter=8)
    shared = {k: v for k, v in model.get_params().items() if k != "compute_hessian"}
    theirs = sklearn.neural_network.MLPRegressor(**shared)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.set_params(tol=0.0).fit(X, y, W)
        theirs.set_params(tol=0.0).fit(X, y, W)
    assert model.n_iter_ == theirs.n_iter_ == 8
    assert model.out_activation_ == theirs.out_activation_ == "exp"
    # The same steps; rounding grows with each of them.
    assert relative_error(model.predict(X), theirs.predict(X)) < 1e-6
    at_theirs = NetworkParameters(theirs.coefs_, theirs.intercepts_)
    total = model.objective(X, y, at_theirs, W)
    assert total == pytest.approx(W.sum() * theirs.loss_, rel=1e-12)
    model.coefs_, model.intercepts_ = theirs.coefs_, theirs.intercepts_
    # exp of the same sums in another order.
    assert relative_error(model.predict(X), theirs.predict(X)) < 1e-13
    assert model.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-12)
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)), rel=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_without_hidden_layers_it_is_poisson_regression(solver, alpha):
    options = {**PENALISED, "alpha": alpha, "solver": solver, "loss": "poisson"}
    network = MLPRegressor((), **options).fit(X, Y, W)
    glm = GeneralizedLinearRegressor(family="poisson", alpha=alpha, tol=1e-12).fit(X, Y, W)
    params = np.concatenate([network.coefs_[0].ravel(), network.intercepts_[0]])
    # Both at the same minimum, to a gradient of 1e-10 of the rows.
    assert relative_error(params, glm.params_) < 1e-8
    deviance = network.objective_ - alpha / 2 * (network.coefs_[0] ** 2).sum()
    assert 2 * deviance == pytest.approx(glm.deviance_, rel=1e-10)
    assert relative_error(network.predict(X), glm.predict(X)) < 1e-8
    assert relative_error(network.hessian(X, Y, sample_weight=W), glm.hessian_) < 1e-8
    if alpha == 0:
        found = network.laplace(X, Y, W).predict_interval(X[:9])
        expected = glm.predict_interval(X[:9])
        np.testing.assert_allclose(found[["lower", "upper"]], expected[["lower", "upper"]], 1e-7)


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_derivatives_at_the_fit(y, solver):
    model = MLPRegressor((3,), loss="poisson", solver=solver, compute_hessian=True, **PENALISED)
    model.fit(X, y, W)
    assert model.status_ == "converged"
    assert model.critical_point_.kind == "minimum"
    at = model.params_ + 0.1

    def objective(params):
        return model.objective(X, y, params, W)

    def gradient(params):
        return model.gradient(X, y, params, W)

    # Five-point differences: truncation and rounding near 1e-11 of values of some hundred.
    assert relative_error(gradient(at), central_differences(objective, at)) < 1e-8
    assert relative_error(model.hessian(X, y, at, W), central_differences(gradient, at)) < 1e-8
    v = np.random.default_rng(1).standard_normal(at.size)
    product = model.hessian_vector_product(X, y, at, W, vector=v)
    assert relative_error(product, model.hessian(X, y, at, W) @ v) < 1e-13


def test_weights_are_rows():
    counts = np.random.default_rng(1).integers(0, 3, 80)
    options = {"loss": "poisson", "solver": "newton-cg", **PENALISED}
    weighted = MLPRegressor((3,), **options).fit(X, Y, counts)
    repeated = MLPRegressor((3,), **options).fit(np.repeat(X, counts, 0), np.repeat(Y, counts))
    # Both at one minimum, to a gradient of 1e-10 of the rows over a curvature of 1.
    assert relative_error(weighted.params_, repeated.params_) < 1e-7
    wild = np.where(counts == 0, -1.0, Y)  # a row of weight zero may hold anything
    assert (
        relative_error(MLPRegressor((3,), **options).fit(X, wild, counts).params_, weighted.params_)
        < 1e-7
    )


def test_the_loss_is_that_of_the_fit():
    model = MLPRegressor((3,), loss="poisson", **PENALISED).fit(X, Y)
    expected = model.predict(X), model.objective(X, Y)
    model.set_params(loss="squared_error")
    np.testing.assert_array_equal(model.predict(X), expected[0])
    assert model.objective(X, Y) == expected[1]
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(X), expected[0])
    assert clone(model).loss == "squared_error"
    assert get_tags(MLPRegressor(loss="poisson")).target_tags.positive_only
    assert not get_tags(MLPRegressor()).target_tags.positive_only


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_other_units_of_the_targets_move_the_intercept_alone(unit, solver):
    """Without a penalty the loss of a multiple is that multiple, at outputs that log(unit) adds."""
    options = {"alpha": 0.0, "tol": 1e-9, "max_iter": 5000, "random_state": 0, "solver": solver}
    expected = MLPRegressor((), loss="poisson", **options).fit(X, Y)
    found = MLPRegressor((), loss="poisson", **options).fit(X, unit * Y)
    moved = found.params_ - np.array([0, 0, 0, np.log(unit)])
    # L-BFGS sees values alone: the root of their rounding is left.
    assert relative_error(moved, expected.params_) < (1e-5 if solver == "lbfgs" else 1e-8)
    assert relative_error(found.predict(X), unit * expected.predict(X)) < 1e-5


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("hidden", [(), (5,), (100,)])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_columns_in_other_units(unit, hidden, solver):
    """No start overflows, and no fit is far worse than a constant.

    With columns of 1e3 L-BFGS may stop after its first step, and say so.
    """
    options = {"loss": "poisson", "random_state": 0, "solver": solver, "alpha": 0.0}
    model = MLPRegressor(hidden, max_iter=60, **options).fit(unit * X, Y)
    mean = Y.mean()
    of_constant = np.where(Y > 0, Y * np.log(np.where(Y > 0, Y, 1.0) / mean), 0.0).mean()
    assert model.loss_ < 2 * of_constant
    assert np.isfinite(model.predict(unit * X)).all()
    if solver == "newton-cg" and hidden == ():
        # It does not depend on the units of the columns, but for the tolerance of its gradient.
        exact = MLPRegressor((), max_iter=500, tol=1e-9, **options)
        expected = exact.fit(X, Y).predict(X)
        found = exact.set_params(tol=1e-9 * min(unit, 1.0)).fit(unit * X, Y).predict(unit * X)
        assert relative_error(found, expected) < 1e-5


def test_hard_data():
    constant = np.column_stack([X, np.full(80, 7.0), np.zeros(80)])
    model = MLPRegressor((3,), loss="poisson", **PENALISED).fit(constant, Y)
    assert np.isfinite(model.params_).all()
    with pytest.warns(ConstantTargetWarning, match="y takes a single value"):
        model = MLPRegressor((3,), loss="poisson", **PENALISED).fit(X, np.full(80, 3.0))
    np.testing.assert_allclose(model.predict(X), 3.0, rtol=1e-3)
    with pytest.warns(ConstantTargetWarning):
        model = MLPRegressor((3,), loss="poisson", alpha=1.0, random_state=0).fit(X, np.zeros(80))
    assert (model.predict(X) < 0.01).all()
    few = MLPRegressor((3,), loss="poisson", **PENALISED).fit(X[:3], [0.0, 2.0, 1.0])
    assert np.isfinite(few.predict(X)).all()


def test_refusals():
    model = MLPRegressor((3,), loss="poisson", random_state=0)
    with pytest.raises(
        ValueError,
        match=r"y must not be negative with loss='poisson'; found -2 in "
        r"row 5 .*squared_error",
    ):
        model.fit(X, np.where(np.arange(80) == 5, -2.0, Y))
    assert not hasattr(model, "coefs_")
    with pytest.raises(
        ValueError, match="loss='gamma' is not known; choose one of 'squared_error'"
    ):
        MLPRegressor(loss="gamma").fit(X, Y)
    model.set_params(**PENALISED).fit(X, Y)
    with pytest.raises(ValueError, match="y must not be negative"):
        model.objective(X, -Y - 1)
    with pytest.raises(ValueError, match="kind='observation' is for squared errors"):
        model.laplace(X, Y).predict_interval(X, kind="observation")


def test_intervals_are_those_of_the_outputs_and_have_names():
    frame = pd.DataFrame(TWO, columns=["calls", "visits"])
    model = MLPRegressor((3,), loss="poisson", **PENALISED).fit(X, frame)
    laplace = model.laplace(X, frame)
    assert laplace.posterior.dispersion == 1.0
    table = laplace.predict_interval(X[:5])
    assert list(table.columns.get_level_values(0).unique()) == ["calls", "visits"]
    one = table["visits"]
    np.testing.assert_allclose(one["prediction"], model.predict(X[:5])[:, 1], rtol=1e-13)
    # The ends are as far from the prediction on the scale of logarithms.
    np.testing.assert_allclose(
        np.log(one["upper"] / one["prediction"]), np.log(one["prediction"] / one["lower"]), 1e-10
    )
    error = one["standard_error"] / one["prediction"]
    np.testing.assert_allclose(np.log(one["upper"] / one["prediction"]) / error, 1.959964, 1e-6)
