"""Surfaces of an objective over two parameters: quadratics, and refits with both held."""

import numpy as np
import pytest
from scipy import optimize

from mcmodels import LinearRegression, LogisticRegression
from mcmodels.inference.curvature_surface import curvature_surface


def test_of_a_quadratic_objective_the_surface_is_the_quadratic():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 4)) + 20.0
    y = rng.normal(size=40)
    model = LinearRegression().fit(X, y)
    hessian = model.hessian_
    scale = 2.0 * model.predict_interval(X)["standard_error"].iloc[0] ** 2  # any positive number
    surface = curvature_surface(
        model._objective_on(X, y, None), model.params_, hessian, (3, 1), scale, 2.0, 7
    )
    quadratic = surface.quadratic()
    # Values of the objective are some 40; their differences have lost two digits of 16, and the
    # Hessian has a condition number of about 1e4.
    np.testing.assert_allclose(surface.drop, quadratic, rtol=1e-7, atol=1e-8)
    fine = surface.refined(4)
    assert fine.drop.shape == (25, 25)
    np.testing.assert_allclose(fine.drop, fine.quadratic(), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fine.drop[::4, ::4], surface.drop, atol=1e-10)


@pytest.mark.parametrize("C", [np.inf, 0.3])
def test_values_are_those_of_fits_with_two_parameters_held(C):
    rng = np.random.default_rng(1)
    X = rng.normal([0.0, 5.0, 0.0], size=(60, 3))
    y = (X @ [1.0, -0.7, 0.4] + 3.5 + rng.logistic(size=60) > 0).astype(int)
    model = LogisticRegression(C=C).fit(X, y)
    objective = model._objective_on(X, y, None)
    surface = curvature_surface(objective, model.params_, model.hessian_, (0, 2), 1.0, 2.5, 5)
    assert np.isfinite(surface.drop).all()
    for i in range(5):
        for j in range(5):

            def held(others, i=i, j=j):
                theta = np.array([surface.first[j], others[0], surface.second[i], others[1]])
                return objective.value(theta), objective.gradient(theta)[[1, 3]]

            best = optimize.minimize(held, [0.0, 0.0], jac=True, method="BFGS", tol=1e-9)
            expected = 2.0 * (best.fun - objective.value(model.params_))
            # BFGS stops at gradients of 1e-9: the value is within rounding of about 40.
            assert surface.drop[i, j] == pytest.approx(expected, abs=1e-8)


def test_two_parameters_leave_nothing_to_minimise_over():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(30, 1))
    y = (X[:, 0] + rng.logistic(size=30) > 0).astype(int)
    model = LogisticRegression(C=np.inf).fit(X, y)
    objective = model._objective_on(X, y, None)
    surface = curvature_surface(objective, model.params_, model.hessian_, (0, 1), 0.5, 2.0, 5)
    for i in range(5):
        for j in range(5):
            theta = np.array([surface.first[j], surface.second[i]])
            expected = (objective.value(theta) - objective.value(model.params_)) / 0.25
            assert surface.drop[i, j] == pytest.approx(expected, abs=1e-12)


def test_a_point_without_a_minimum_is_nan():
    class Saddle:
        """Convex in the first two parameters near the start, concave in the third far away."""

        def value(self, t):
            return float(t[0] ** 2 + t[1] ** 2 + (1.0 - t[0] ** 2) * t[2] ** 2)

        def gradient(self, t):
            return np.array(
                [2 * t[0] - 2 * t[0] * t[2] ** 2, 2 * t[1], 2 * (1.0 - t[0] ** 2) * t[2]]
            )

        def hessian(self, t):
            H = np.diag([2.0 - 2 * t[2] ** 2, 2.0, 2.0 * (1.0 - t[0] ** 2)])
            H[0, 2] = H[2, 0] = -4.0 * t[0] * t[2]
            return H

    surface = curvature_surface(Saddle(), np.zeros(3), 2.0 * np.eye(3), (0, 1), 1.0, 2.0, 5)
    inside = np.abs(surface.first) < 1.0
    assert np.isfinite(surface.drop[:, inside]).all()
    assert np.isnan(surface.drop[:, ~inside]).all()
    assert surface.refined(3) is surface
