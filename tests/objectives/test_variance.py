"""PCA's Lagrangian against its definition, away from the components too."""

import numpy as np
import pytest

from mcmodels.objectives.variance import VarianceLagrangian
from mcmodels.rows import ArrayRows, RowsCovariance
from tests.numerics import complex_step


@pytest.mark.parametrize("scale", [1.0, 1.7])
def test_value_and_derivatives_are_those_of_the_definition(scale):
    """``Σⱼ [vⱼᵀSvⱼ - λⱼ(vⱼᵀvⱼ - 1)]``: the constraint counts away from directions of length 1."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4)) * [3.0, 2.0, 1.0, 0.5]
    S, multipliers = np.cov(X.T), np.array([5.0, 0.3])
    V = scale * np.linalg.qr(rng.standard_normal((4, 2)))[0].T

    def plain(V):
        return sum(v @ S @ v - m * (v @ v - 1) for v, m in zip(V, multipliers, strict=True))

    objective = VarianceLagrangian(RowsCovariance(ArrayRows(X)), multipliers)
    # Products of 4×4 matrices with entries near 10, and 30 rows summed in another order.
    assert objective.value(V) == pytest.approx(plain(V), rel=1e-12)
    gradient = complex_step(plain, V)
    np.testing.assert_allclose(objective.gradient(V), gradient, rtol=0, atol=1e-12)

    def slope(V):
        return 2 * (V @ S - multipliers[:, np.newaxis] * V)

    hessian = complex_step(slope, V).reshape(8, 8)
    np.testing.assert_allclose(objective.hessian(V), hessian, rtol=0, atol=1e-12)
    U = rng.standard_normal((2, 4))
    product = objective.hessian_vector_product(V, U)
    np.testing.assert_allclose(product.ravel(), hessian @ U.ravel(), rtol=0, atol=1e-11)
