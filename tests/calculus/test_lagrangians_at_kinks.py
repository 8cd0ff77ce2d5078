"""Critical points under constraints where the objective has kinks, against all directions."""

import numpy as np
import pytest

from mcmodels.calculus import (
    NonDifferentiableWarning,
    lagrangian,
    matrix,
    maximum,
    norm,
    scalar,
    sum,
    vector,
)

A, b, x = matrix("A", "m", "n"), vector("b", "m"), vector("x", "n")
PURSUIT = lagrangian(norm(x, 1), [A @ x - b])
ON_SPHERE = lagrangian(norm(x, 1), [x.T @ x - 1])


def test_basis_pursuit():
    found = PURSUIT.critical_point(x, at={"A": [[1, 2.0]], "b": [1.0], "x": [0, 0.5]})
    assert (found.kind, found.value) == ("minimum", 0.5)
    assert str(found) == "a strict minimum at a kink; the value is 0.5"


def test_the_other_corner_is_none():
    with pytest.raises(ValueError, match="not a critical point"):
        PURSUIT.critical_point(x, at={"A": [[1, 2.0]], "b": [1.0], "x": [1.0, 0]})


def test_a_flat_side_is_degenerate():
    with pytest.warns(NonDifferentiableWarning, match="flat on one side"):
        found = PURSUIT.critical_point(x, at={"A": [[1, 1.0]], "b": [1.0], "x": [1.0, 0]})
    assert found.kind == "degenerate"


@pytest.mark.parametrize("seed", range(5))
def test_basis_pursuit_agrees_with_linear_programming(seed):
    """At the optimum of a linear program, which has as many zeros as x has free directions."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    rows, target = rng.standard_normal((2, 4)), rng.standard_normal(2)
    solved = linprog(np.ones(8), A_eq=np.hstack([rows, -rows]), b_eq=target, bounds=[(0, None)] * 8)
    best = solved.x[:4] - solved.x[4:]
    found = PURSUIT.critical_point(x, at={"A": rows, "b": target, "x": best})
    assert found.kind == "minimum"
    assert found.value == pytest.approx(solved.fun, rel=1e-9)


@pytest.mark.parametrize(
    ("f", "kind"), [(norm(x, 1), "minimum"), (-norm(x, 1), "maximum"), (sum(maximum(x, 0)), None)]
)
def test_curved_constraints(f, kind):
    """Around (1, 0) on the circle |x₁| + |x₂| rises on both sides."""
    L = lagrangian(f, [x.T @ x - 1])
    if kind is None:
        with pytest.warns(NonDifferentiableWarning):
            assert L.critical_point(x, at={"x": [1.0, 0]}).kind == "degenerate"
        return
    found = L.critical_point(x, at={"x": [1.0, 0]})
    angles = np.array([-1e-3, 1e-3])
    around = np.array([float(f.evaluate(x=[np.cos(t), np.sin(t)])) for t in angles])
    assert (np.sign(around - found.value) == (1 if kind == "minimum" else -1)).all()
    assert found.kind == kind


def test_the_hessian_along_the_kink_has_the_curvature_of_the_constraint():
    """|x₁| + x₃ on the sphere at (0, 0, -1): along x₂ the second derivative is 1, by λ = 1/2."""
    c = scalar("c")
    y = vector("y", 3)
    from mcmodels.calculus import abs

    L = lagrangian(c * abs(y[0]) + y[2], [y.T @ y - 1])
    found = L.critical_point(y, at={"y": [0, 0, -1.0], "c": 1.0})
    np.testing.assert_allclose(found.eigenvalues, [1.0], rtol=1e-12)
    assert found.kind == "minimum"
    lower = L.critical_point(y, at={"y": [0, 0, 1.0], "c": -1.0})
    np.testing.assert_allclose(lower.eigenvalues, [-1.0], rtol=1e-12)
    assert lower.kind == "maximum"


def test_points_without_kinks_are_as_before():
    r = 2**-0.5
    assert ON_SPHERE.critical_point(x, at={"x": [r, r]}).kind == "maximum"


def test_a_constraint_with_a_kink_is_refused():
    L = lagrangian(x.T @ x, [norm(x, 1) - 1])
    assert L.critical_point(x, at={"x": [0.5, 0.5]}).kind == "minimum"
    with pytest.raises(ValueError, match=r"has a kink there, where it has no tangent space"):
        L.critical_point(x, at={"x": [1.0, 0]})
