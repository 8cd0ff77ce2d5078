"""Lagrangians: conditions, multipliers and projections against numbers, points against eigh."""

import numpy as np
import pytest

from mcmodels.calculus import (
    DerivativeError,
    ShapeError,
    eye,
    lagrangian,
    log,
    logdet,
    matrix,
    norm,
    scalar,
    sum,
    tangent_projection,
    trace,
    vector,
)

v, u, x, g = (vector(name, "n") for name in ("v", "u", "x", "g"))
S = matrix("S", "n", "n", symmetric=True)
X, G = matrix("X", "n", "p"), matrix("G", "n", "p")
A, b, mu = matrix("A", "m", "n"), vector("b", "m"), scalar("mu")

RNG = np.random.default_rng(0)
SYMMETRIC = RNG.standard_normal((4, 4))
SYMMETRIC = SYMMETRIC + SYMMETRIC.T
EIGENVALUES, EIGENVECTORS = np.linalg.eigh(SYMMETRIC)


def test_the_first_principal_component():
    L = lagrangian(v.T @ S @ v, v.T @ v - 1)
    (multiplier,) = L.multipliers
    assert repr(L) == "vᵀSv − λ(vᵀv − 1)"
    assert repr(L.stationarity(v)) == "2Sv − 2λv"
    assert L.conditions(v) == (L.stationarity(v), v.T @ v - 1)
    assert L.multiplier_formulas(v) == {multiplier: v.T @ S @ v}
    assert repr(L.solved(v)) == "2Sv − 2(vᵀSv)v"
    assert repr(L.expression.hessian(v)) == "2(S − λI)"


def test_the_second_principal_component():
    L = lagrangian(v.T @ S @ v, [v.T @ v - 1, u.T @ v], using={S @ u: mu * u, u.T @ u: 1})
    first, second = L.multipliers
    assert repr(L.stationarity(v)) == "2Sv − 2λ₁v − λ₂u"
    # uᵀSv = (Su)ᵀv = μuᵀv = 0: the multiplier of uᵀv = 0 vanishes, and Sv = λ₁v is left.
    found = L.multiplier_formulas(v)
    assert found[first] == v.T @ S @ v
    assert found[second].evaluate() == 0
    assert repr(L.solved(v)) == "2Sv − 2(vᵀSv)v"
    point = {"S": SYMMETRIC, "u": EIGENVECTORS[:, -1], "v": EIGENVECTORS[:, -2]}
    assert L.critical_point(v, point).kind == ("maximum")


@pytest.mark.parametrize(
    ("column", "kind"), [(0, "minimum"), (1, "saddle"), (2, "saddle"), (3, "maximum")]
)
def test_points_of_the_rayleigh_quotient(column, kind):
    L = lagrangian(v.T @ S @ v, v.T @ v - 1)
    found = L.critical_point(v, {"S": SYMMETRIC, "v": EIGENVECTORS[:, column]})
    assert found.kind == kind
    assert found.value == pytest.approx(EIGENVALUES[column])
    # On the tangent space the Hessian 2(S − λI) has the other eigenvectors. Rounding only.
    others = np.delete(EIGENVALUES, column)
    assert found.eigenvalues == pytest.approx(2 * (others - EIGENVALUES[column]), abs=1e-12)
    given = {"S": SYMMETRIC, "v": EIGENVECTORS[:, column], "lambda_": EIGENVALUES[column]}
    assert L.critical_point(v, given).kind == kind


def test_points_on_the_stiefel_manifold():
    L = lagrangian(trace(X.T @ S @ X), X.T @ X - eye("p"))
    (multiplier,) = L.multipliers
    assert L.multiplier_formulas(X) == {multiplier: X.T @ S @ X}
    rotation = np.linalg.qr(RNG.standard_normal((2, 2)))[0]
    top = L.critical_point(X, {"S": SYMMETRIC, "X": EIGENVECTORS[:, -2:] @ rotation})
    # Rotations within the space leave the value: one direction is flat, the others fall.
    assert top.kind == "degenerate"
    assert top.eigenvalues[-2] < 0
    assert top.value == pytest.approx(EIGENVALUES[-2:].sum())
    assert len(top.eigenvalues) == 4 * 2 - 3
    middle = L.critical_point(X, {"S": SYMMETRIC, "X": EIGENVECTORS[:, 1:3]})
    assert middle.kind == "saddle"


def test_least_norm_and_entropy():
    L = lagrangian(norm(x) ** 2, A @ x - b)
    matrix_, right = RNG.standard_normal((2, 4)), RNG.standard_normal(2)
    solution = np.linalg.pinv(matrix_) @ right
    found = L.critical_point(x, {"A": matrix_, "b": right, "x": solution})
    assert found.kind == "minimum"
    assert found.eigenvalues == pytest.approx([2, 2])
    multiplier = L.multiplier_formulas(x)[L.multipliers[0]]
    left = L.stationarity(x).evaluate(
        A=matrix_, x=solution, b=right, lambda_=multiplier.evaluate(A=matrix_, b=right, x=solution)
    )
    assert left == pytest.approx(np.zeros(4), abs=1e-12)
    entropy = lagrangian(-sum(x * log(x)), sum(x) - 1)
    assert entropy.critical_point(x, np.full(5, 0.2)).kind == "maximum"


@pytest.mark.parametrize("count", [1, 2])
def test_the_bordered_hessian_against_differences_of_the_conditions(count):
    constraints = [v.T @ S @ v - 1, sum(v**3)][:count]
    L = lagrangian(sum(v**4) + u.T @ v, constraints)
    names = [m.name for m in L.multipliers]
    values = {"v": RNG.standard_normal(4), "u": RNG.standard_normal(4), "S": SYMMETRIC}
    values |= {name: RNG.standard_normal() for name in names}
    found = L.bordered_hessian(v).evaluate(**values)

    def conditions(t):
        at = {**values, "v": t[count:], **dict(zip(names, t[:count], strict=True))}
        slope = L.stationarity(v).evaluate(**at)
        given = {"v": t[count:], "S": SYMMETRIC, "u": values["u"]}
        left = [g.evaluate(**{s.name: given[s.name] for s in g.symbols}) for g in constraints]
        return np.concatenate([left, slope])

    start = np.concatenate([[values[name] for name in names], values["v"]])
    h = 1e-6
    numerical = np.column_stack(
        [
            (conditions(start + h * e) - conditions(start - h * e)) / (2 * h)
            for e in np.eye(4 + count)
        ]
    )
    numerical[count:, :count] *= -1  # L has −λg: its mixed derivatives are −J
    # Central differences with h = 1e-6 leave 1e-9 or so of derivatives near 10.
    assert found == pytest.approx(numerical, abs=1e-6)


SETS = {
    "sphere": (x.T @ x - 1, x),
    "sphere of radius 2": (norm(x) ** 2 - 4, x),
    "simplex": (sum(x) - 1, x),
    "ellipsoid": (x.T @ S @ x - 1, x),
    "affine": (A @ x - b, x),
    "Stiefel": (X.T @ X - eye("p"), X),
    "generalised Stiefel": (X.T @ S @ X - eye("p"), X),
    "sphere of matrices": (sum(X**2) - 1, X),
    "two": ([x.T @ x - 1, sum(x)], x),
}


def point_on(name):
    rng = np.random.default_rng(1)
    n, m, p = 5, 2, 2
    at = rng.standard_normal(n)
    values = {"S": np.diag([1.0, 2, 3, 4, 5]), "A": rng.standard_normal((m, n))}
    if name == "sphere":
        values["x"] = at / np.linalg.norm(at)
    elif name == "sphere of radius 2":
        values["x"] = 2 * at / np.linalg.norm(at)
    elif name == "simplex":
        values["x"] = at + (1 - at.sum()) / n
    elif name == "ellipsoid":
        values["x"] = at / np.sqrt(at @ values["S"] @ at)
    elif name == "affine":
        values["x"], values["b"] = at, values["A"] @ at
    elif name == "Stiefel":
        values["X"] = np.linalg.qr(rng.standard_normal((n, p)))[0]
    elif name == "generalised Stiefel":
        orthonormal = np.linalg.qr(rng.standard_normal((n, p)))[0]
        values["X"] = orthonormal / np.sqrt(np.diag(values["S"]))[:, np.newaxis]
    elif name == "sphere of matrices":
        full = rng.standard_normal((n, p))
        values["X"] = full / np.linalg.norm(full)
    else:
        centred = at - at.mean()
        values["x"] = centred / np.linalg.norm(centred)
    return values


@pytest.mark.parametrize("name", SETS)
def test_projections_against_the_null_space_of_the_jacobian(name):
    constraints, variable = SETS[name]
    direction = g if variable == x else G
    found = tangent_projection(constraints, variable, direction)
    values = point_on(name)
    values[direction.name] = np.random.default_rng(2).standard_normal(
        np.shape(values[variable.name])
    )
    projected = found.evaluate(**{s.name: values[s.name] for s in found.symbols})
    rows = []
    for constraint in constraints if isinstance(constraints, list) else [constraints]:
        J = constraint.jacobian(variable)
        rows.append(
            np.atleast_2d(J.evaluate(**{s.name: values[s.name] for s in J.symbols}))
            if J.symbols
            else np.ones((1, 5))
        )
    J = np.vstack(rows)
    expected = values[direction.name].ravel(order="F")
    expected = expected - np.linalg.pinv(J) @ J @ expected
    # Both are exact up to rounding; J has a condition below 10.
    assert projected.ravel(order="F") == pytest.approx(expected, abs=1e-10)


def test_symmetric_variables():
    P = matrix("P", "n", "n", symmetric=True)
    L = lagrangian(trace(S @ P) - trace(P @ P), trace(P) - 1)
    value = SYMMETRIC / 2
    value = value + np.eye(4) * (1 - np.trace(value)) / 4
    found = L.critical_point(P, {"S": SYMMETRIC, "P": value})
    # Ten free entries and one constraint; the Hessian is −2 everywhere.
    assert found.kind == "maximum"
    assert found.eigenvalues == pytest.approx(-2 * np.ones(9))


@pytest.mark.parametrize(
    ("f", "constraints", "names", "text"),
    [
        (v.T @ v, sum(v) - 1, ["lambda_"], "vᵀv − λ(sum(v) − 1)"),
        (v.T @ v, [sum(v) - 1, u.T @ v], ["lambda_1", "lambda_2"], "vᵀv − λ₁(sum(v) − 1) − λ₂uᵀv"),
        (scalar("lambda_") * v.T @ v, sum(v) - 1, ["lambda_1"], "λvᵀv − λ₁(sum(v) − 1)"),
        (scalar("lambda_1") * v.T @ v, [sum(v) - 1, u.T @ v], ["lambda_2", "lambda_3"], None),
        (v.T @ v, {"nu": sum(v) - 1}, ["nu"], "vᵀv − ν(sum(v) − 1)"),
        (v.T @ v, {"b": u.T @ v, "a": sum(v) - 1}, ["b", "a"], None),
        (trace(X.T @ S @ X), X.T @ X - eye("p"), ["Lambda"], None),
        (trace(X.T @ S @ X), [X.T @ X - eye("p"), X.T @ v], ["Lambda_1", "lambda_2"], None),
    ],
    ids=str,
)
def test_names_of_multipliers(f, constraints, names, text):
    """In the order of the constraints; a name that is taken is not given once more."""
    L = lagrangian(f, constraints)
    assert [multiplier.name for multiplier in L.multipliers] == names
    assert len({*names, *(symbol.name for symbol in f.symbols)}) == len(names) + len(f.symbols)
    if text is not None:
        assert repr(L) == text


def test_refusals():
    f = v.T @ S @ v
    L = lagrangian(f, v.T @ v - 1)
    with pytest.raises(DerivativeError, match="scalar"):
        lagrangian(v, v.T @ v - 1)
    with pytest.raises(ShapeError, match=r"found False\. == compares"):
        lagrangian(f, v.T @ v == 1)
    for wrong in (3, "v.T @ v - 1", [v.T @ v - 1, None]):
        with pytest.raises(ShapeError, match="a constraint is an expression that is 0"):
            lagrangian(f, wrong)
    with pytest.raises(ShapeError, match="Python name"):
        lagrangian(f, {"2a": sum(v) - 1})
    with pytest.raises(ShapeError, match="two symbols"):
        lagrangian(f, {"v": sum(v) - 1})
    with pytest.raises(DerivativeError, match="does not contain 'v'"):
        lagrangian(f, mu - 1).multiplier_formulas(v)
    with pytest.raises(ShapeError, match="no constraint"):
        lagrangian(f, [])
    with pytest.raises(ValueError, match="does not satisfy the constraint"):
        L.critical_point(v, {"S": np.eye(2), "v": [1, 1]})
    with pytest.raises(ValueError, match="not a critical point"):
        L.critical_point(v, {"S": SYMMETRIC, "v": [1, 0, 0, 0]})
    with pytest.raises(ValueError, match="no direction"):
        L.critical_point(v, {"S": [[2.0]], "v": [1.0]})
    twice = lagrangian(f, [v.T @ v - 1, 2 * v.T @ v - 2])
    with pytest.raises(ValueError, match="not full rank"):
        twice.critical_point(v, {"S": SYMMETRIC, "v": EIGENVECTORS[:, 0]})
    with pytest.raises(ShapeError, match="has the shape of 'x'"):
        tangent_projection(x.T @ x - 1, x, b)
    with pytest.raises(DerivativeError, match="no symbol 'q'"):
        tangent_projection(x.T @ x - 1, "q", g)


def test_the_maximum_likelihood_of_a_scaled_covariance():
    P = matrix("P", "n", "n", positive_definite=True)
    L = lagrangian(-logdet(P) - trace(S @ P), trace(P) - 1)
    assert repr(L.stationarity(P)) == "−P⁻¹ − S − λI"
