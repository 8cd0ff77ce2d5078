"""L-BFGS where the objective overflows, where curvature grows fast, and in other units."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from mcmodels import MLPRegressor
from mcmodels.rows import Slope
from mcmodels.solvers import lbfgs
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import UNVERIFIABLE_DECREASE


class Exponential:
    """``Σ e^(cⱼuⱼ) - 2cⱼuⱼ``, with its minimum at ``ln 2/cⱼ``."""

    def __init__(self, *factors):
        self.c = np.array(factors)

    def slope(self, u):
        e = np.exp(self.c * u)
        return Slope(float(np.sum(e - 2 * self.c * u)), self.c * (e - 2))


@pytest.mark.parametrize("c", [1e3, 1e5])
def test_a_first_trial_that_overflows_is_shortened(c):
    """It is of length one, where e^1000 is infinite; SciPy then made NaN of it, and ended."""
    found = lbfgs.minimise_by_lbfgs(
        Exponential(c), np.zeros(1), scale=1.0, gradient_tolerance=1e-6 * c, max_iter=100
    )
    assert found.status is Status.CONVERGED
    assert found.value.params[0] * c == pytest.approx(np.log(2), rel=1e-5)


@pytest.mark.parametrize("c", [1e2, 1e5, 1e6, 3e7])
def test_the_decrease_that_is_left_is_not_hidden_by_exponentials_far_away(c):
    """``e^(cu) + e^(-2cu)`` at zero: 0.11 is left to its minimum, at ``ln 2/3c``."""

    def slope(u):
        with np.errstate(over="ignore"):
            up, down = np.exp(c * u), np.exp(-2 * c * u)
        return float(np.sum(up + down)), c * (up - 2 * down)

    value, g = slope(np.zeros(1))
    left = lbfgs._predicted_decrease(slope, np.zeros(1), value, g)
    # Over the trial step of 1e-5 the curvature is that of e^(2e-5 c), which no rounding survives.
    assert left > UNVERIFIABLE_DECREASE * value


def test_at_a_minimum_nothing_is_left():
    A = np.diag([1e6, 1.0, 1e-2])
    for error in (1e-13, 1e-15, 0.0):
        u = np.full(3, error)

        def slope(u):
            return 1.0 + float(u @ A @ u) / 2, A @ u

        assert lbfgs._predicted_decrease(slope, u, *slope(u)) <= UNVERIFIABLE_DECREASE


UNITS = [[1e3, 1, 1, 1], [1e3, 1e6, 1, 1], [1e4] * 4]


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_counts_do_not_see_the_units_of_columns(units, activation):
    """Descents ended after one step, at 540 to 880, one of them as converged."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(300, 4))
    y = rng.poisson(np.exp(0.5 * Z[:, 0] - 0.3 * Z[:, 1] + 1))
    model = MLPRegressor(
        (2,) if activation == "identity" else (5,),
        activation,
        loss="poisson",
        alpha=1e-6,
        max_iter=2000 if activation == "identity" else 400,
        random_state=0,
    )
    with np.errstate(all="raise", under="ignore", over="ignore"):
        objectives = [_objective(model, X, y) for X in (Z, Z * units)]
    # Identity has one minimum; the kinks of relu end descents at different places.
    assert objectives[1] == pytest.approx(
        objectives[0], rel=1e-4 if activation == "identity" else 0.05
    )


def _objective(model, X, y):

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y).objective_
