"""The quadratic objective from moments equals the one from rows, at any point."""

import numpy as np
import pytest

from mcmodels.objectives import LinearPredictorObjective, QuadraticObjective, SquaredError
from mcmodels.rows import ArrayRows, Moments
from tests.numerics import relative_error


@pytest.mark.parametrize("intercept", [True, False])
def test_gradient_and_hessian_without_rows(intercept):
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((50, 3)) + 5, rng.standard_normal((50, 2)), rng.uniform(0, 2, 50)
    rows = ArrayRows(X, y, w, intercept=intercept)
    moments = Moments.of(rows)
    quadratic = QuadraticObjective(
        moments if intercept else moments.about_origin(), intercept=intercept
    )
    by_rows = LinearPredictorObjective(rows, SquaredError())
    at = rng.standard_normal((2, 3 + intercept))
    assert relative_error(quadratic.gradient(at), by_rows.gradient(at)) < 1e-13
    block = quadratic.hessian_of_one_target()
    assert relative_error(np.kron(np.eye(2), block), by_rows.hessian(at)) < 1e-13
