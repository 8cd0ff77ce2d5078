"""Constraints and convexity as books state them: typed, derived, and compared with plain NumPy."""

import numpy as np
import pytest

from mcmodels.calculus import convexity, lagrangian, parse, tangent_projection

SHAPES = {
    "w": "n",
    "x": "n",
    "b": "k",
    "A": "k,n",
    "Q": "n,n:positive_definite",
    "C": "n,n:symmetric",
    "mu": "n",
    "a": "n",
    "g": "n",
    "W": "n,k",
    "X": "m,n",
    "y": "m",
    "G": "k,n",
    "h": "k",
    "r": "scalar",
    "t": "scalar",
    "Y": "m,k",
    "T": "m,n",
    "U": "m,k",
    "V": "n,k",
}
SIZES = {"n": 5, "k": 2, "m": 6}


def read(*texts):
    """Expressions that share their declarations, as far as each has the names."""
    return [parse(text, **SHAPES) for text in texts]


def drawn(rng, *expressions):
    """Values of all symbols, as declared."""
    values = {}
    for symbol in sorted({s for e in expressions for s in e.used}, key=lambda s: s.name):
        value = rng.uniform(0.5, 1.5, [SIZES[str(n)] for n in symbol.shape])
        if symbol.name == "Q":
            value = value @ value.T / 5 + np.eye(5)
        values[symbol.name] = (value + value.T) / 2 if symbol.name == "C" else value
    return values


def at(e, values):
    return np.asarray(e.evaluate(**{s.name: values[s.name] for s in e.symbols}))


STATIONARITY = [
    ("w'@Q@w/2", ["sum(w) - 1", "mu'@w - r"], "w", "Qw − λ₁ − λ₂μ"),
    ("norm(x)^2/2", ["A@x - b"], "x", "x − Aᵀλ"),
    ("-sum(x*log(x))", ["sum(x) - 1", "mu'@x - r"], "x", "−log(x) − 1 − λ₁ − λ₂μ"),
    ("norm(X@w - y)^2", ["G@w - h"], "w", "2Xᵀ(Xw − y) − Gᵀλ"),
    ("mu'@x", ["x'@Q@x - 1"], "x", "μ − 2λQx"),
    ("tr(W'@C@W)", ["W'@W - eye(k)"], "W", "2CW − 2WΛ"),
]


@pytest.mark.parametrize(("f", "constraints", "by", "printed"), STATIONARITY)
def test_stationarity(f, constraints, by, printed):
    objective, *given = read(f, *constraints)
    L = lagrangian(objective, given)
    found = L.stationarity(by)
    assert repr(found) == printed
    # By differences along a random direction, the multipliers as drawn.
    rng = np.random.default_rng(0)
    sizes = {str(s.name): [SIZES[str(n)] for n in s.shape] for s in L.expression.used}
    values = drawn(rng, objective, *given)
    for m in L.multipliers:
        values[m.name] = rng.uniform(0.5, 1, sizes[m.name])
        if values[m.name].ndim == 2:
            values[m.name] = (values[m.name] + values[m.name].T) / 2
    v, step = rng.standard_normal(np.shape(values[by])), 1e-5
    up, down = (at(L.expression, {**values, by: values[by] + s * v}) for s in (step, -step))
    # Central differences of order 1e-10, and rounding of 1e-16/1e-5.
    assert (up - down) / (2 * step) == pytest.approx((at(found, values) * v).sum(), rel=1e-7)


MULTIPLIERS = [
    ("w'@C@w", "w'@Q@w - 1", "w", "wᵀCw"),
    ("sum(a*log(x))", "sum(x) - 1", "x", "sum(a)"),
    ("w'@Q@w/2", "sum(w) - 1", "w", "wᵀQw"),
    ("tr(W'@C@W)", "tr(W'@W) - 1", "W", "tr(WᵀCW)"),
    ("w'@C@w", "w'@w - 1", "w", "wᵀCw"),
    ("mu'@w", "mu'@w - 1", "w", "1"),
]


@pytest.mark.parametrize(("f", "constraint", "by", "printed"), MULTIPLIERS)
def test_multipliers(f, constraint, by, printed):
    objective, given = read(f, constraint)
    L = lagrangian(objective, given)
    (formula,) = L.multiplier_formulas(by).values()
    assert repr(formula) == printed


def test_a_multiplier_is_that_of_a_generalised_eigenvalue():
    import scipy.linalg

    objective, given = read("w'@C@w", "w'@Q@w - 1")
    values = drawn(np.random.default_rng(1), objective, given)
    vals, vecs = scipy.linalg.eigh(values["C"], values["Q"])
    L = lagrangian(objective, given)
    (formula,) = L.multiplier_formulas("w").values()
    for value, w in zip(vals, vecs.T, strict=True):
        point = {**values, "w": w}
        # Eigenvalues of a well-conditioned pencil of size five.
        assert at(formula, point) == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(at(L.solved("w"), point), 0, atol=1e-12)


def test_shares_of_a_multinomial():
    objective, given = read("sum(a*log(x))", "sum(x) - 1")
    L = lagrangian(objective, given)
    counts = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    point = {"a": counts, "x": counts / counts.sum()}
    multiplier, formula = next(iter(L.multiplier_formulas("x").items()))
    values = {**point, multiplier.name: float(at(formula, point))}
    # The known solution, up to rounding of the divisions.
    np.testing.assert_allclose(at(L.stationarity("x"), values), 0, atol=1e-13)


PROJECTIONS = [
    ("x'@Q@x - 1", "x", "g", lambda v: [2 * v["Q"] @ v["x"]]),
    ("A@x - b", "x", "g", lambda v: list(v["A"])),
    ("sum(x^4) - 1", "x", "g", lambda v: [4 * v["x"] ** 3]),
    ("mu'@x - r", "x", "g", lambda v: [v["mu"]]),
]


@pytest.mark.parametrize(("constraint", "by", "direction", "normals"), PROJECTIONS)
def test_projections(constraint, by, direction, normals):
    given, g = read(constraint, direction)
    P = tangent_projection(given, by, g)
    values = drawn(np.random.default_rng(2), given, g)
    N = np.column_stack(normals(values))
    expected = values[direction] - N @ np.linalg.lstsq(N, values[direction])[0]
    # Least squares with one or two columns, by another method.
    np.testing.assert_allclose(at(P, values), expected, rtol=1e-10, atol=1e-12)


CONVEXITY = [
    ("log(sum(exp(A@x + b)))", "x", "", "convex"),
    ("norm(x)^2/t", "x", "t", "convex"),
    ("sum(maximum(0, 1 - y*(X@w))) + norm(w)^2", "w", "", "convex"),
    ("norm(X@W - Y)^2 + sum(norm(W, axis=1))", "W", "", "convex"),
    ("-sum(x*log(x))", "x", "", "concave"),
    ("norm(T - U@V')^2", "U", "", "convex"),
    ("norm(C - W@W')^2", "W", "", "neither"),
    ("exp(mean(log(x)))", "x", "", "concave"),
    ("1/sum(1/x)", "x", "x", "concave"),
    ("-log(det(eye(k) + A@diag(x)@A'))", "x", "x", "convex"),
    ("a'@inv(Q)@a", "Q", "", "convex"),
    ("sum(sqrt(1 + (A@x - b)^2))", "x", "", "convex"),
    ("sum(log(1 + (A@x - b)^2))", "x", "", "neither"),
    ("amax(A@x) + norm(x, 1) + norm(x, inf)", "x", "", "convex"),
    ("sum(x*log(x/a))", "x", "a", "convex"),
    ("sum(x*log(x/a))", "a", "x", "convex"),
    ("sqrt(x'@Q@x)", "x", "", "convex"),
    ("sum(exp(X[i]'@w) - y[i]*(X[i]'@w), i)", "w", "", "convex"),
    ("sum(x*log(x) + (1 - x)*log(1 - x))", "x", "", "convex"),
    ("amax(eigvalsh(C))", "C", "", "convex"),
    ("np.sum(np.logaddexp(0, -y*(X @ w)))", "w", "", "convex"),
    ("np.max(A @ x + b)", "x", "", "convex"),
    ("np.sum(np.maximum(0, 1 - y*(X @ w))**2)", "w", "", "convex"),
    ("norm(x)^2/(1 + norm(x)^2)", "x", "", "neither"),
    ("exp(-norm(x)**2)", "x", "", "neither"),
    ("trace(inv(Q))", "Q", "", "convex"),
]


@pytest.mark.parametrize(("text", "by", "nonnegative", "kind"), CONVEXITY)
def test_convexity(text, by, nonnegative, kind):
    (f,) = read(text)
    found = convexity(f, by, nonnegative=nonnegative.split())
    assert found.kind == kind, found
    if kind == "neither":
        return
    # Jensen's inequality at random pairs of points of the domain, by values alone.
    rng = np.random.default_rng(3)
    sign = 1 if kind == "convex" else -1
    for _ in range(20):
        values, other = drawn(rng, f), drawn(rng, f)[by]
        if text.endswith("log(1 - x))"):
            values[by], other = values[by] / 2, other / 2
        ends = [at(f, {**values, by: z}) for z in (values[by], other)]
        middle = at(f, {**values, by: (values[by] + other) / 2})
        # Rounding of values of about 1 to 1000.
        assert sign * (sum(ends) / 2 - middle) >= -1e-10


@pytest.mark.parametrize(
    ("text", "by", "nonnegative"),
    [
        ("sum(log(a/x^2))", "x", "a"),  # defined on both sides of 0
        ("exp(sum(log(x)))", "x", "x"),  # the product of n numbers
        ("exp(2*mean(log(x)))", "x", ""),
        ("sum(log(x/a))", "a", ""),  # defined where x and a are negative, too
        ("1/sum(1/x)", "x", ""),
    ],
)
def test_nothing_is_claimed_of_neighbours(text, by, nonnegative):
    (f,) = read(text)
    assert convexity(f, by, nonnegative=nonnegative.split()).kind in ("neither", "unknown")
