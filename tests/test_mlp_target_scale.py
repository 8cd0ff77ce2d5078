"""Regressions whose targets are far from zero, or not of size one: fit(a + b y) = a + b fit(y)."""

import warnings

import numpy as np
import pytest

from mcmodels import MLPRegressor, RowStream
from mcmodels.exceptions import ScaleWarning
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.objectives.target_units import WeightedOutputs
from mcmodels.rows import ArrayRows
from mcmodels.solvers.network_start import in_units, units_of_targets
from tests.objectives.networks import network_problem

RNG = np.random.default_rng(0)
N = 300
X = RNG.normal(size=(N, 3))
Y = np.tanh(X[:, 0]) + 0.5 * np.sin(X[:, 1]) + 0.1 * RNG.normal(size=N)
Y = (Y - Y.mean()) / Y.std()
COUNTS = RNG.poisson(np.exp(1 + np.tanh(X[:, 0])))
MOVED = [(100.0, 1.0), (1e6, 1.0), (0.0, 1e-6), (0.0, 1e6), (1e6, 1e6), (-1e3, 1e-4)]


def fitted(y, *, rows=X, weights=None, activation="tanh", **options):
    options = {"random_state": 0, "max_iter": 40, "alpha": 0.0, **options}
    model = MLPRegressor((5,), activation, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, y, weights)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize(("a", "b"), MOVED)
def test_origin_and_unit_of_the_targets_move_the_predictions_alone(a, b, activation, solver):
    plain = fitted(Y, activation=activation, solver=solver, max_iter=15)
    moved = fitted(a + b * Y, activation=activation, solver=solver, max_iter=15)
    # The targets keep |a/b| roundings of their deviations, which 15 steps let grow.
    rounding = np.finfo(float).eps * (1 + abs(a / b))
    np.testing.assert_allclose(
        (moved.predict(X) - a) / b, plain.predict(X), atol=1e-6 + 1e4 * rounding
    )
    assert moved.n_iter_ == plain.n_iter_


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize(("a", "b"), MOVED)
def test_the_score_does_not_depend_on_origin_and_unit(a, b, solver):
    moved = fitted(a + b * Y, solver=solver, max_iter=300)
    # Least squares by a linear function explains 0.90 of the variance, the noise is 0.02 of it.
    assert moved.score(X, a + b * Y) > 0.97


@pytest.mark.parametrize(("a", "b"), [(100.0, 1.0), (1e6, 1.0), (1e6, 1e6)])
def test_with_the_default_penalty_too(a, b):
    assert fitted(a + b * Y, alpha=1e-4, max_iter=300).score(X, a + b * Y) > 0.97


def test_the_verdict_is_that_in_units_of_the_targets():
    plain, moved = fitted(Y, max_iter=1), fitted(1e-6 * Y, max_iter=1)
    assert not plain.converged_
    assert not moved.converged_  # although no entry of the gradient exceeds 1e-4 a row
    assert np.abs(moved.gradient_.ravel()).max() < 1e-4 * N


def test_what_is_published_is_of_the_targets_as_given():
    y = 1e6 + 1e3 * Y
    model = fitted(y, alpha=0.3)
    assert model.objective_ == pytest.approx(model.objective(X, y), rel=1e-12)
    np.testing.assert_allclose(model.gradient_.ravel(), model.gradient(X, y).ravel(), rtol=1e-12)
    residual = model.predict(X) - y
    penalty = 0.15 * sum((W**2).sum() for W in model.coefs_)
    assert model.objective_ == pytest.approx(0.5 * residual @ residual + penalty, rel=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_streams_weights_and_columns_of_a_million(weighted):
    y = 1e6 + Y
    weights = RNG.uniform(0, 2, N) if weighted else None
    arrays = fitted(y, rows=1e6 * X, weights=weights)
    parts = [np.arange(0, 120), np.arange(120, N)]

    def blocks():
        for part in parts:
            block = (1e6 * X[part], y[part])
            yield block if weights is None else (*block, weights[part])

    stream = MLPRegressor((5,), "tanh", random_state=0, max_iter=40, alpha=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream.fit(RowStream(blocks))
    # Sums over other blocks round differently: 1e-10 of deviations that are 1e-6 of the targets.
    np.testing.assert_allclose(stream.predict(1e6 * X), arrays.predict(1e6 * X), atol=1e-3)
    assert arrays.score(1e6 * X, y) > 0.95


def test_rows_of_weight_zero_are_absent():
    weights = np.ones(N)
    weights[:30] = 0.0
    y = 100 + Y
    y[:30] = 1e9
    found = fitted(y, weights=weights)
    np.testing.assert_array_equal(found.predict(X), fitted(y[30:], rows=X[30:]).predict(X))


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_several_targets_each_in_its_unit(solver):
    both = np.column_stack([Y, np.cos(X[:, 2])])
    both /= both.std(axis=0)
    both -= both.mean(axis=0)
    plain = fitted(both, solver=solver)
    a, b = np.array([1e6, -3e3]), 1e3
    moved = fitted(a + b * both, solver=solver)
    np.testing.assert_allclose((moved.predict(X) - a) / b, plain.predict(X), atol=1e-6)
    units = np.array([1e3, 1e-2])  # the second hardly counts in the sum of squares
    found = fitted(a + units * both, solver=solver).predict(X)
    errors = ((found - a) / units - both).var(axis=0)
    assert errors[0] < 0.05
    assert errors[1] < 1.05  # it is not worse than its mean


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("ratio", [1e-4, 10.0, 100.0, 1e3, 1e5])
def test_a_fit_that_has_converged_has_fitted_each_target(ratio, solver):
    """Without hidden layers the fit is least squares, which each target has for itself."""
    rows = X[:80]
    y = rows[:, :3] @ [1.0, 2.0, 3.0] + np.cos(5 * np.arange(80))
    both = np.column_stack([y, ratio * y[::-1]])
    model = MLPRegressor((), alpha=0.0, solver=solver, random_state=0, max_iter=1000)
    model.fit(rows, both)
    right = np.linalg.lstsq(np.column_stack([np.ones(80), rows]), both, rcond=None)[0]
    assert model.converged_
    # The gradient is below 1e-4 of the weight, in units of the smaller target.
    errors = np.abs(model.coefs_[0] - right[1:]).max(axis=0) / both.std(axis=0)
    assert errors.max() < 1e-3


@pytest.mark.parametrize(
    ("ratio", "close"),
    [
        (100, 4e-5),  # gradients are below 1e-6 of the weight, and the Hessian above 0.05 of it
        (100_000, 2e-3),  # the descent ends where it would gain 1e-11 of the sum over both
    ],
)
def test_counts_of_different_size_are_all_fitted(ratio, close):
    counts = np.random.default_rng(3).poisson(np.exp(0.5 * X[:, 0] + 1))
    model = MLPRegressor((), alpha=0.0, loss="poisson", tol=1e-6, random_state=0)
    alone = model.fit(X, counts).coefs_[0][:, 0]
    both = model.fit(X, np.column_stack([counts, ratio * counts]))
    assert both.converged_
    for k in (0, 1):
        np.testing.assert_allclose(both.coefs_[0][:, k], alone, atol=close)


def test_a_constant_target_beside_others():
    both = np.column_stack([1e4 * Y, np.full(N, 7e5)])
    found = fitted(both).predict(X)
    np.testing.assert_allclose(found[:, 1], 7e5, rtol=1e-6)
    only = fitted(np.full(N, 7e5)).predict(X)
    np.testing.assert_allclose(only, 7e5, rtol=1e-4)


@pytest.mark.parametrize("factor", [1e-6, 1e3, 1e9])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_counts_scale_with_their_unit(factor, solver):
    mean = COUNTS / COUNTS.mean()  # of mean one: the link of it is zero
    plain = fitted(mean, loss="poisson", solver=solver)
    moved = fitted(factor * mean, loss="poisson", solver=solver)
    np.testing.assert_allclose(moved.predict(X) / factor, plain.predict(X), rtol=1e-5)


def test_targets_of_size_one_are_as_they_were():
    """Where the random start suits them, it is scikit-learn's, and so is the way."""
    for y in (Y, 3 + Y, 0.5 + 0.2 * Y, np.column_stack([Y, 2 * Y])):
        outputs = 1 if y.ndim == 1 else y.shape[1]
        assert units_of(y, outputs) is None
    assert units_of(8 + 0.01 * Y, 1) is not None
    assert units_of(20 + Y, 1) is not None


def units_of(y, outputs, loss=HalfSquaredError):
    rows = ArrayRows(X, y, None, intercept=False)
    return units_of_targets(NetworkObjective(rows, Network((3, 4, outputs), "tanh"), loss(), 0.1))


def test_classes_have_no_units():
    problem = network_problem("two classes", "tanh")
    assert units_of_targets(problem.objective()) is None
    assert in_units(problem.objective()) is None


@pytest.mark.parametrize("loss", [HalfSquaredError, HalfPoissonDeviance])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("hidden", [(), (4,)])
def test_the_objective_in_units_is_the_same_function(loss, outputs, hidden):
    """Value, gradient and Hessian, by the parameters as given and by finite differences."""
    rng = np.random.default_rng(3)
    y = rng.gamma(2.0, size=(40, outputs)) * 10.0 ** np.arange(2, 2 + outputs)
    y = y[:, 0] if outputs == 1 else y
    network = Network((3, *hidden, outputs), "tanh")
    columns = 50 * (X[:40] + 1)
    rows = ArrayRows(columns, y, rng.uniform(0.5, 2, 40), intercept=False)
    given = NetworkObjective(rows, network, loss(), 0.7)
    inside = in_units(given)
    assert inside.columns is not None
    assert inside.targets is not None
    at = 0.3 * rng.standard_normal(network.n_params)
    params, factor = inside.params(at), inside.targets.factor
    np.testing.assert_allclose(inside.inside(params), at, rtol=1e-9, atol=1e-9)
    assert inside.value(at) * factor == pytest.approx(given.value(params), rel=1e-9)
    slope = inside.slope(at)
    np.testing.assert_allclose(
        inside.gradient_inside(given.gradient(params)),
        slope.gradient,
        atol=1e-9 * np.abs(slope.gradient).max(),
    )
    step = 1e-6
    for unit in np.eye(len(at)):
        ahead, behind = inside.slope(at + step * unit), inside.slope(at - step * unit)
        # Differences of step 1e-6 are right to 1e-9 of the largest entries or so, and to the
        # rounding of values.
        rounding = 4e-16 * abs(slope.value) / step
        assert (ahead.value - behind.value) / (2 * step) == pytest.approx(
            slope.gradient @ unit, abs=1e-7 * max(1, np.abs(slope.gradient).max()) + rounding
        )
        product = inside.hessian_vector_product(at, unit)
        np.testing.assert_allclose(
            (ahead.gradient - behind.gradient) / (2 * step),
            product,
            atol=1e-7 * max(1, np.abs(product).max()) * 10,
        )


def test_shares_of_outputs():
    rng = np.random.default_rng(1)
    y, eta, along = (rng.gamma(2.0, size=(6, 3)) for _ in range(3))
    shares = np.array([1.0, 0.1, 1e-3])
    for each in (HalfSquaredError(), HalfPoissonDeviance()):
        loss = WeightedOutputs(each, shares)
        found = loss.at(y, eta)
        parts = [each.at(y[:, k], eta[:, k]) for k in range(3)]
        expected = sum(c * part.value for c, part in zip(shares, parts, strict=True))
        np.testing.assert_allclose(found.value, expected, rtol=1e-14)
        step = 1e-6
        curved = np.zeros((6, 3))
        for term in found.curvature():
            for k, j in term.pairs:
                assert k == j
                curved[:, k] += term.sign * term.magnitude
        np.testing.assert_allclose(
            loss.curvature_product(y, eta, along), curved * along, rtol=1e-13
        )
        for k in range(3):
            moved = step * np.eye(3)[k]
            ahead, behind = loss.at(y, eta + moved), loss.at(y, eta - moved)
            # Central differences: an error of step², and of rounding over step.
            slope = (ahead.value - behind.value) / (2 * step)
            np.testing.assert_allclose(slope, found.gradient[:, k], atol=1e-7)
            second = (ahead.gradient - behind.gradient)[:, k] / (2 * step)
            np.testing.assert_allclose(second, curved[:, k], atol=1e-7)


def test_warm_starts_go_on():
    y = 1e6 + 1e3 * Y
    model = fitted(y, warm_start=True, max_iter=20)
    before = model.objective_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.set_params(max_iter=1).fit(X, y)
    assert model.objective_ <= before * (1 + 1e-9)


@pytest.mark.parametrize(("a", "b"), MOVED)
def test_partial_fit_moves_with_the_targets(a, b):
    plain = MLPRegressor((5,), "tanh", random_state=0, alpha=0.0)
    moved = MLPRegressor((5,), "tanh", random_state=0, alpha=0.0)
    for _ in range(60):
        plain.partial_fit(X, Y)
        moved.partial_fit(X, a + b * Y)
    # Each call rounds the parameters at the size of the targets.
    rounding = np.finfo(float).eps * (1 + abs(a / b))
    np.testing.assert_allclose(
        (moved.predict(X) - a) / b, plain.predict(X), atol=1e-9 + 1e5 * rounding
    )
    assert moved.loss_ / b**2 == pytest.approx(plain.loss_, rel=1e-6)


def test_partial_fit_goes_on_from_a_fit():
    y = 1e6 + 1e3 * Y
    model = fitted(y)
    before = model.predict(X)
    model.partial_fit(X, y)
    assert np.abs(model.predict(X) - before).max() < 100  # two updates of 0.001 each


def test_partial_fit_says_that_large_columns_are_not_scaled():
    model = MLPRegressor((5,), "tanh", random_state=0)
    with pytest.warns(ScaleWarning, match=r"x1 as large.*1e\+06.*StandardScaler"):
        model.partial_fit(X / X.std(axis=0) * np.array([1.0, 1e6, 1.0]), Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(1e6 * X, Y)  # said once
        MLPRegressor((5,), "tanh", random_state=0).partial_fit(X, Y)


def test_a_penalty_that_outweighs_small_targets_is_said():
    model = MLPRegressor((5,), "tanh", random_state=0)
    with pytest.warns(ScaleWarning, match=r"size 1\.0e-06.*alpha=0\.0001.*TransformedTarget"):
        model.fit(X, 1e-6 * Y)
    assert abs(model.score(X, 1e-6 * Y)) < 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScaleWarning)
        fitted(1e-6 * Y, alpha=1e-16)
