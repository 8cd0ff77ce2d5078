"""Lagrangians by one of several variables, and constraints that are lengths."""

import numpy as np
import pytest

from mcmodels.calculus import (
    DerivativeError,
    lagrangian,
    matrix,
    norm,
    ones,
    scalar,
    sum,
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


def _least_squares(L, z, at):
    """Multipliers and the gradient without them, from slopes that are differences of values."""
    point = np.asarray(at[z.name])

    def slope(f):
        given = {s.name: at[s.name] for s in f.symbols}
        steps = 1e-6 * np.eye(point.size)
        ends = [[f.evaluate(**{**given, z.name: point + t * h}) for t in (1, -1)] for h in steps]
        return np.array([(up - down) / 2e-6 for up, down in ends])

    J = np.array([slope(g) for g in L.constraints])
    G = slope(L.objective)
    found = np.linalg.lstsq(J.T, G)[0]
    return found, G - J.T @ found


def test_multipliers_of_orthogonal_constraints_are_told_one_by_one():
    """The third principal component: those of both components before it are 0."""
    C = matrix("C", "n", "n", symmetric=True)
    u, w, gamma, delta = vector("u", "n"), vector("w", "n"), scalar("gamma"), scalar("delta")
    L = lagrangian(
        x.T @ C @ x, [x.T @ x - 1, u.T @ x, w.T @ x], using={C @ u: gamma * u, C @ w: delta * w}
    )
    first, *others = L.multipliers
    assert L.multiplier_formulas(x) == {first: x.T @ C @ x, **dict.fromkeys(others, 0 * gamma)}
    assert repr(L.solved(x)) == "2Cx − 2(xᵀCx)x"
    rng = np.random.default_rng(2)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    values = {"C": Q @ np.diag([5.0, 4, 3, 2, 1]) @ Q.T, "u": Q[:, 0], "w": Q[:, :2] @ [1, 1]}
    values["x"] = Q[:, 2:] @ np.array([2, -1, 2]) / 3
    multipliers, left = _least_squares(L, x, values)
    # Differences of values of size 5 over 1e-6; u and w are not orthogonal.
    np.testing.assert_allclose(multipliers[1:], 0, atol=1e-8)
    np.testing.assert_allclose(L.solved(x).evaluate(C=values["C"], x=values["x"]), left, atol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_multipliers_of_groups_of_constraints(weighted):
    """A sphere and a hyperplane through 0 are orthogonal; a hyperplane elsewhere is not."""
    offset = 0.5 if weighted else 0
    L = lagrangian(b.T @ x + x.T @ A @ x, [x.T @ x - 1, y.T @ x - offset, g.T @ x])
    rng = np.random.default_rng(3)
    values = {name: rng.standard_normal(4) for name in "ybg"} | {"A": rng.standard_normal((4, 4))}
    rows = np.array([values["y"], values["g"]])
    point = np.linalg.pinv(rows) @ [offset, 0]
    free = np.linalg.svd(rows)[2][2]
    values["x"] = point + free * np.sqrt(1 - point @ point)
    multipliers, left = _least_squares(L, x, values)
    formulas = L.multiplier_formulas(x)
    for symbol, expected in zip(L.multipliers, multipliers, strict=True):
        f = formulas[symbol]
        found = f.evaluate(**{s.name: values[s.name] for s in f.symbols})
        assert abs(found - expected) < 1e-7
    solved = L.solved(x)
    found = solved.evaluate(**{s.name: values[s.name] for s in solved.symbols})
    np.testing.assert_allclose(found, left, atol=1e-7)


def test_projections_where_normals_are_orthogonal():
    projected = tangent_projection([x.T @ x - 1, y.T @ x], x, g)
    assert repr(projected) == "g − (xᵀg)x − (yᵀg)y/(yᵀy)"
    rng = np.random.default_rng(4)
    normal, direction = rng.standard_normal((2, 4))
    point = np.linalg.svd(normal[None])[2][1]
    found = projected.evaluate(x=point, y=normal, g=direction)
    J = np.array([2 * point, normal])
    expected = direction - np.linalg.pinv(J) @ J @ direction
    np.testing.assert_allclose(found, expected, atol=CLOSE)


def test_several_variables_are_parts_of_one_vector():
    """Canonical correlations: the first pair is a maximum, the second a saddle."""
    v = vector("v", "p + q")
    P, Q = (matrix(name, name.lower(), name.lower(), positive_definite=True) for name in "PQ")
    R = matrix("R", "p", "q")
    left, right = v[:"p"], v["p":]
    L = lagrangian(left.T @ R @ right, [left.T @ P @ left - 1, right.T @ Q @ right - 1])
    rng = np.random.default_rng(5)
    D = np.cov(rng.standard_normal((5, 40)))
    roots = [np.linalg.inv(np.linalg.cholesky(block)) for block in (D[:3, :3], D[3:, 3:])]
    U, sizes, Vt = np.linalg.svd(roots[0] @ D[:3, 3:] @ roots[1].T)
    for k, kind in enumerate(["maximum", "saddle"]):
        pair = np.r_[roots[0].T @ U[:, k], roots[1].T @ Vt[k]]
        found = L.critical_point(v, at={"P": D[:3, :3], "Q": D[3:, 3:], "R": D[:3, 3:], "v": pair})
        assert found.kind == kind
        assert abs(found.value - sizes[k]) < CLOSE


def test_signs_of_minors_of_the_bordered_hessian():
    """Magnus and Neudecker (2019), 7.13: on the tangents of m constraints the Hessian is positive
    where (−1)ᵐ times each leading minor of more than 2m rows is; negative where signs alternate.
    """
    f = x.T @ A @ x + b.T @ x
    L = lagrangian(f, [x.T @ x - 1, y.T @ x])
    bordered = L.bordered_hessian(x)
    rng = np.random.default_rng(6)
    kinds = set()
    for _ in range(40):
        n, m = 4, 2
        values = {"A": rng.standard_normal((n, n)), "y": rng.standard_normal(n)}
        values["x"] = rng.standard_normal(n)
        values |= {f"lambda_{k}": rng.standard_normal() * 3 for k in (1, 2)}
        M = bordered.evaluate(**{s.name: values[s.name] for s in bordered.symbols})
        J = np.array([2 * values["x"], values["y"]])
        H = values["A"] + values["A"].T - 2 * values["lambda_1"] * np.eye(n)
        np.testing.assert_allclose(M[:m, m:], J, atol=CLOSE)
        np.testing.assert_allclose(M[m:, m:], H, atol=CLOSE)
        minors = [np.linalg.det(M[:k, :k]) for k in range(2 * m + 1, n + m + 1)]
        tangents = np.linalg.svd(J)[2][m:]
        signs = np.sign(np.linalg.eigvalsh(tangents @ H @ tangents.T))
        positive = all((-1) ** m * minor > 0 for minor in minors)
        negative = all((-1) ** (m + r) * minor > 0 for r, minor in enumerate(minors, start=1))
        assert positive == (signs > 0).all()
        assert negative == (signs < 0).all()
        kinds.add((positive, negative))
    assert len(kinds) == 3


def test_projection_on_matrices_whose_rows_have_given_sums():
    X, G = matrix("X", "m", "n"), matrix("G", "m", "n")
    rows = X @ ones("n") - ones("m")
    projected = tangent_projection(rows, X, G)
    assert repr(projected) == "G − G 11ᵀ/n"
    direction = np.random.default_rng(7).standard_normal((2, 3))
    expected = direction - direction.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(projected.evaluate(G=direction), expected, atol=CLOSE)


def test_two_multipliers_are_written_out():
    """Merton's frontier: the least variance of a given mean; both by the 2×2 equations."""
    S, mu, w = matrix("S", "n", "n", positive_definite=True), vector("mu", "n"), vector("w", "n")
    mean = scalar("m")
    problem = lagrangian(w.T @ S @ w / 2, [mu.T @ w - mean, sum(w) - 1])
    first, second = problem.multiplier_formulas(w).values()
    assert repr(first) == "nμᵀSw/(nμᵀμ − sum(μ)²) − sum(μ) 1ₙᵀSw/(nμᵀμ − sum(μ)²)"
    rng = np.random.default_rng(5)
    root = rng.standard_normal((4, 4))
    values = {"S": root @ root.T + np.eye(4), "mu": rng.standard_normal(4)}
    J = np.array([values["mu"], np.ones(4)])
    inverse = np.linalg.inv(values["S"])
    at = {"w": inverse @ J.T @ np.linalg.solve(J @ inverse @ J.T, [0.3, 1.0]), **values}
    expected = np.linalg.lstsq(J.T, at["S"] @ at["w"], rcond=None)[0]
    found = [formula.evaluate(**at) for formula in (first, second)]
    # A 2×2 system with a condition number below 1e3.
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    left = problem.solved(w).evaluate(**at)
    np.testing.assert_allclose(left, np.zeros(4), atol=1e-12)
