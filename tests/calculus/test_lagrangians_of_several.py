"""Lagrangians by one of several variables, and constraints that are lengths."""

import numpy as np
import pytest

from mcmodels.calculus import (
    DerivativeError,
    lagrangian,
    matrix,
    norm,
    scalar,
    tangent_projection,
    vector,
)

x, y, b, g = (vector(name, "n") for name in "xybg")
A = matrix("A", "n", "n")
S, T = (matrix(name, "n", "n", positive_definite=True) for name in "ST")

# Products of a few matrices of size 4.
CLOSE = 1e-12


def test_constraints_without_x_are_left_alone():
    """Canonical correlations: each side has its own constraint."""
    L = lagrangian(x.T @ A @ y, [x.T @ S @ x - 1, y.T @ T @ y - 1])
    first, second = L.multipliers
    assert set(L.multiplier_formulas(x)) == {first}
    assert set(L.multiplier_formulas(y)) == {second}
    rng = np.random.default_rng(0)
    values = {"A": rng.standard_normal((4, 4)), "y": rng.standard_normal(4)}
    G = rng.standard_normal((4, 4))
    values["S"] = G @ G.T + np.eye(4)
    u = rng.standard_normal(4)
    values["x"] = u / np.sqrt(u @ values["S"] @ u)
    found = L.solved(x).evaluate(**values)
    # What is left is orthogonal to the normal Sx of the constraint.
    assert abs(found @ values["S"] @ values["x"]) < CLOSE * np.abs(found).max() * 100


def test_no_constraint_with_x_is_refused():
    with pytest.raises(DerivativeError, match="does not contain 'x'"):
        lagrangian(x.T @ A @ y, y.T @ y - 1).multiplier_formulas(x)


@pytest.mark.parametrize("radius", [1, 2.5])
def test_a_length_is_used_like_its_square(radius):
    r = scalar("r") if radius != 1 else 1
    projected = tangent_projection(norm(x) - r, x, g)
    rng = np.random.default_rng(1)
    at = rng.standard_normal(5)
    at *= radius / np.linalg.norm(at)
    direction = rng.standard_normal(5)
    given = {"x": at, "g": direction, "r": radius}
    values = {s.name: given[s.name] for s in projected.symbols}
    right = direction - at * (at @ direction) / radius**2
    np.testing.assert_allclose(projected.evaluate(**values), right, atol=CLOSE)
    assert repr(projected) == ("g − (xᵀg)x" if radius == 1 else "g − (xᵀg)x/r²")


def test_a_multiplier_of_a_length():
    assert repr(lagrangian(b.T @ x, norm(x) - 1).solved(x)) == "b − (xᵀb)x"
