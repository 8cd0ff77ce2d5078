"""Networks of columns in any unit: what is fitted, and the verdict, do not depend on it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import sparse

from mcmodels import MLPRegressor
from mcmodels.exceptions import ConvergenceWarning, ScaleWarning
from mcmodels.rows import Slope
from mcmodels.solvers import Status
from mcmodels.solvers.lbfgs import minimise_by_lbfgs

X = np.random.default_rng(21).normal(size=(150, 3))
Y = np.tanh(X[:, 0]) + 0.5 * X[:, 1]


def fitted(X, hidden=(20,), **kwargs):
    model = MLPRegressor(hidden, "tanh", random_state=0, max_iter=3000).set_params(**kwargs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y)
    return model, {w.category: str(w.message) for w in caught}


@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e-2, 0.05, 1.0, 9.0, 1e4, 1e8])
def test_without_a_penalty_a_unit_changes_no_verdict(size):
    model, said = fitted(size * X, alpha=0.0)
    assert model.converged_
    assert model.score(size * X, Y) > 0.99
    assert not said


@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e4])
def test_without_a_penalty_columns_in_their_own_units_give_one_fit(size):
    """They are those of a StandardScaler in both: the same steps, to rounding."""
    (one, _), (two, _) = fitted(size * X, alpha=0.0, tol=1e-3), fitted(1e3 * X, alpha=0.0, tol=1e-3)
    # Rounding errors grow from step to step.
    np.testing.assert_allclose(one.predict(size * X), two.predict(1e3 * X), atol=1e-2)


def test_a_penalty_that_can_be_paid_is_paid():
    """Small columns need large coefficients; the same fit with a stricter tolerance is no lower."""
    model, said = fitted(1e-4 * X)
    assert model.converged_
    assert model.objective_ < 3.0
    assert model.score(1e-4 * X, Y) > 0.95
    assert ScaleWarning not in said


def test_a_penalty_that_outweighs_small_columns_is_said():
    model, said = fitted(1e-6 * X)
    assert "x0, x1, x2 are of size 8.4e-07 only" in said[ScaleWarning]
    assert model.score(1e-6 * X, Y) == pytest.approx(0.0, abs=1e-3)
    alpha = float(said[ScaleWarning].split("set alpha to ")[1].split(" ")[0])
    lower, said = fitted(1e-6 * X, alpha=alpha)
    assert ScaleWarning not in said
    assert lower.score(1e-6 * X, Y) > 0.9


@pytest.mark.parametrize("shift", [2.5, 5.0, 9.0, -9.0])
@pytest.mark.parametrize("size", [0.02, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_columns_far_from_zero(shift, size, seed):
    rows = size * X + shift
    model, _ = fitted(rows, (3,), random_state=seed, alpha=1e-4)
    assert model.converged_
    assert model.score(rows, Y) > 0.5


@pytest.mark.parametrize(
    ("rows", "says"), [(1e-4 * X, "as small as given"), (X + 9.0, "as large as given")]
)
def test_partial_fit_says_which_columns_it_leaves(rows, says):
    with pytest.warns(ScaleWarning, match=says):
        MLPRegressor((3,), "tanh", random_state=0).partial_fit(rows, Y)


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0])
def test_small_sparse_columns(size):
    rows = sparse.csr_array(np.where(np.abs(X) > 0.8, X, 0.0) * size)
    model, said = fitted(rows, (5,), alpha=0.0, max_iter=300)
    assert model.n_iter_ > 30
    assert model.score(rows, Y) > 0.7
    assert ScaleWarning not in said


def test_rare_and_constant_columns_stay_as_they_are():
    rare = (np.arange(150) % 30 == 0).astype(float)
    rows = np.column_stack([X, rare, np.zeros(150), np.full(150, 0.004)])
    model, said = fitted(rows, (3,))
    assert model.score(rows, Y) > 0.9
    assert np.isfinite(model.params_).all()
    assert not said


class Plateau:
    """``s(1 - 1/(1 + (x - 5)²/w²))``: flat far from its minimum 0 at 5."""

    def __init__(self, size, width):
        self.size, self.width = size, width

    def slope(self, params):
        u = (params[0] - 5.0) / self.width
        value = self.size * u**2 / (1 + u**2)
        return Slope(value, np.array([self.size * 2 * u / self.width / (1 + u**2) ** 2]))


@pytest.mark.parametrize("width", [0.05, 0.2, 1.0])
def test_a_plateau_is_not_called_converged(width):
    """At 0 the gradient is below the tolerance, for the narrow ones."""
    found = minimise_by_lbfgs(
        Plateau(100.0, width), np.zeros(1), scale=100.0, gradient_tolerance=1.0, max_iter=500
    )
    assert found.status is not Status.CONVERGED or found.value.slope.value < 1.0


def test_an_objective_that_tends_to_zero_converges_all_the_same():
    class Decay:
        def slope(self, params):
            return Slope(float(np.exp(-params[0])), np.array([-np.exp(-params[0])]))

    found = minimise_by_lbfgs(
        Decay(), np.zeros(1), scale=1.0, gradient_tolerance=1e-3, max_iter=500
    )
    assert found.status is Status.CONVERGED
    assert found.value.slope.value <= 1e-3


def test_a_saddle_is_said_where_the_hessian_is_known():
    model, said = fitted(X, (3,), alpha=0.1, compute_hessian=True)
    assert model.critical_point_.kind == "saddle"
    assert "ended at a saddle point" in said[ConvergenceWarning]
    least, *_, largest = np.linalg.eigvalsh(model.hessian_)
    assert f"-{-least / largest:.1e} of the largest" in said[ConvergenceWarning]
    minimum, said = fitted(X, (3,), alpha=0.1, compute_hessian=True, solver="newton-cg")
    assert minimum.critical_point_.kind == "minimum"
    assert not said
