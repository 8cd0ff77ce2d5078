"""Sums over pairs of rows, masks of triangles, and inverses beside what they hold: joined terms."""

import numpy as np
import pytest

from mcmodels.calculus import matrix, parse, tangent_projection
from mcmodels.calculus.derive.simplification import pairs, resolvents

SHAPES = {
    "x": "n",
    "w": "n",
    "X": "n,k",
    "J": "n,n:symmetric",
    "W": "n,n",
    "A": "n,n:symmetric",
    "B": "n,n:symmetric",
    "D": "n,n:diagonal",
    "L": "n,n:lower_triangular",
    "U": "n,n:upper_triangular",
    "y": "n",
}
# Differences by NumPy of a smooth function, in double precision, with extrapolation.
CLOSE = 1e-7

PAIRS = [
    ("sum(cos(x[i] - x[j]), i, j)", "x", "−2 Σᵢ (Σⱼ sin(xᵢ − xⱼ))eᵢ"),
    ("sum(J[i,j]*(x[i] - x[j])^2, i, j)/2", "x", "2 Σᵢ (Σⱼ J[i,j] (xᵢ − xⱼ))eᵢ"),
    ("sum(J[i,j]*x[i]*x[j], i, j)/2", "x", "Σᵢ (Σⱼ xⱼJ[i,j])eᵢ"),
    ("sum(exp(-norm(X[i] - X[j])^2), i, j)", "X", "−4 Σᵢ eᵢ(Σⱼ exp(−‖xᵢ − xⱼ‖²) (xᵢ − xⱼ))ᵀ"),
    ("sum((X[i].T@X[j] - 1)^2, i, j)", "X", "2 Σᵢ eᵢ(Σⱼ (2xᵢᵀxⱼ − 2)xⱼ)ᵀ"),
    (
        "sum(log(1 + exp(-y[i]*y[j]*(X[i].T@X[j]))), i, j)",
        "X",
        "−2 Σᵢ yᵢeᵢ(Σⱼ yⱼσ(−yⱼyᵢxᵢᵀxⱼ) xⱼ)ᵀ",
    ),
    ("sum(y[i]*where(x[i] > x[j], x[i] - x[j], 0), i, j)", "x", None),
    ("sum(w[i]*w[j]*tanh(x[i] - x[j])*x[i], i, j)", "x", None),
    ("sum(W[i,j]*(x[i] - x[j])^3, i, j)", "x", None),
    ("sum(W[i,j]*exp(x[i] - 2*x[j]), i, j)", "x", None),
    ("sum(abs(x[i] - x[j])^3 + arctan(x[i] - x[j])*x[j], i, j)", "x", None),
    ("sum(x[i]*x[j], i, j, where=i < j)", "x", None),
    ("sum(x[i]*x[j]^2, i, j, where=i != j)", "x", None),
    ("sum(W[i,j]/(1 + norm(X[i] - X[j])^2), i, j, where=i != j)", "X", None),
    ("sum(sum(W[i,j]*x[i]*sum(x[k]*x[j], k), j), i)", "x", None),
    ("sum(X[i].T @ X[j] * sum(X[h].T @ X[i], h), i, j)", "X", None),
    ("sum(log(sum(exp(x[i] - x[j]), j)), i)", "x", None),
]


@pytest.mark.filterwarnings("ignore::mcmodels.calculus.NonDifferentiableWarning")
@pytest.mark.parametrize(("text", "by", "printed"), PAIRS, ids=[text for text, *_ in PAIRS])
def test_a_sum_over_pairs(text, by, printed):
    names = {name: shape for name, shape in SHAPES.items() if name in text}
    f = parse(text, **names)
    assert f.check(by) < CLOSE
    G = f.gradient(by)
    if printed is not None:
        assert repr(G) == printed
    rng, sizes = np.random.default_rng(0), {"n": 4, "k": 3}
    values = {s.name: rng.uniform(0.5, 1, [sizes[str(n)] for n in s.shape]) for s in G.symbols}
    values = {n: (v + v.T) / 2 if n == "J" else v for n, v in values.items()}
    # Two ways to add up the same four numbers.
    np.testing.assert_allclose(G.compile()(**values), G.evaluate(**values), rtol=1e-12, atol=1e-12)


def test_terms_that_cancel_by_an_exchange_are_zero():
    """tanh is odd: each pair is the opposite of its mirror image."""
    f = parse("sum(tanh(x[i] - x[j])*w[i]*w[j], i, j)", x="n", w="n")
    assert repr(f.gradient("x")) == "0"
    rng = np.random.default_rng(0)
    assert abs(f.evaluate(x=rng.standard_normal(5), w=rng.standard_normal(5))) < 1e-13


@pytest.mark.parametrize("name", sorted(pairs._ODD | pairs._EVEN))
def test_parity_is_what_the_tables_say(name):
    sign = -1 if name in pairs._ODD else 1
    low, high = (1.1, 2.0) if name == "arccosh" else (0.1, 0.9)
    for z in np.linspace(low, high, 5):
        there, here = (parse(f"{name}(z)").evaluate(z=v) for v in (-z, z))
        # The same operations on numbers of the other sign.
        assert there == pytest.approx(sign * here, rel=1e-14)


RESOLVENTS = [
    ("x - W@inv(W + A)@x", "A @ inv(W + A) @ x"),
    ("x - A@inv(W + A)@x", "W @ inv(W + A) @ x"),
    ("x.T - x.T@inv(W + A)@W", "x.T @ inv(W + A) @ A"),
    ("X - 3*W@inv(3*W + A)@X", "A @ inv(3 * W + A) @ X"),
    ("2*w + X@X.T@inv(eye(n) + X@X.T)@(x - 2*w) - x", None),
    ("c*x - c*W@inv(W + c*A)@x", "c**2 * A @ inv(W + c * A) @ x"),
    ("W@x - c*A@inv(W + c*A)@W@x", None),
    ("x - W@inv(W + 2*A)@x - A@inv(W + 2*A)@x", None),
]


@pytest.mark.parametrize(("text", "same"), RESOLVENTS)
def test_a_matrix_beside_the_inverse_of_a_sum_with_it(text, same):
    names = {name: shape for name, shape in SHAPES.items() if name in text}
    f = parse(text, **names)
    found = resolvents.resolvent_joined(f)
    rng = np.random.default_rng(1)
    sizes = {"n": 4, "k": 2}
    values = {}
    for symbol in f.used:
        value = rng.uniform(0.5, 1, [sizes.get(str(s), 1) for s in (symbol.rows, symbol.cols)])
        value = value + 4 * np.eye(4) if value.shape == (4, 4) else value
        value = (value + value.T) / 2 if symbol.name in "AB" else value
        value = value[:, 0] if str(symbol.cols) == "1" else value
        values[symbol.name] = float(value[0]) if symbol.is_scalar else value
    if found is None:
        assert same is None
        return
    if same is not None:
        assert found == parse(same, **names)
    given = {s.name: values[s.name] for s in found.symbols}
    # Well-conditioned systems of four equations.
    np.testing.assert_allclose(
        found.evaluate(**given), f.evaluate(**values), rtol=1e-12, atol=1e-12
    )


def test_the_trace_of_a_projection_with_a_ridge():
    f = parse("tr(X'@inv(eye(m) + X@X')@X)", X="m,n")
    assert repr(f.gradient("X")) == "2(I + XXᵀ)⁻²X"


@pytest.mark.parametrize(
    ("text", "by", "printed"),
    [
        ("log(det(L@L'))", "L", "2 diag(1 ⊘ diag(L))"),
        ("logdet(U'@U)", "U", "2 diag(1 ⊘ diag(U))"),
        ("norm(L)^2/2 - sum(log(diag(L)))", "L", "L − diag(1 ⊘ diag(L))"),
        ("norm(U)^2/2 - sum(log(diag(U)))", "U", "U − diag(1 ⊘ diag(U))"),
        ("tr(D@A@D@B)", "D", "2 diag(diag(ADB))"),
        ("tr(L@L@W)", "L", None),
        ("tr(inv(L))", "L", None),
        ("tr(L@D@L)", "L", None),
        ("y.T@inv(L)@inv(L)@y", "L", None),
        ("sum(diag(inv(U)@L))", "U", None),
    ],
)
def test_gradients_by_triangular_matrices(text, by, printed):
    names = {name: shape for name, shape in SHAPES.items() if name in text}
    f = parse(text, **names)
    if printed is not None:
        assert repr(f.gradient(by)) == printed
    # Entries of inverses of random triangular matrices may be large.
    assert f.check(by) < 1e-5


@pytest.mark.parametrize(
    "text", ["diag(inv(L))", "diag(inv(L)@L@D)", "diag(L'@inv(U))", "diag(L@U)"]
)
def test_diagonals_of_triangular_matrices(text):
    names = {name: shape for name, shape in SHAPES.items() if name in text}
    f = parse(text, **names)
    rng = np.random.default_rng(2)
    kept = {"L": np.tril, "U": np.triu, "D": lambda M: np.diag(np.diag(M))}
    values = {s.name: kept[s.name](rng.uniform(0.5, 1, (4, 4)) + np.eye(4)) for s in f.used}
    simple = f.jacobian(next(iter(sorted(values)))).evaluate(**values)
    assert np.isfinite(simple).all()
    assert f.check(next(iter(sorted(values)))) < 1e-5


def test_the_oblique_manifold():
    """Columns of length 1: each loses its part along itself."""
    Z, G = matrix("Z", "n", "k"), matrix("G", "n", "k")
    P = tangent_projection(parse("diag(Z'@Z) - 1", Z=Z), Z, G)
    assert repr(P) == "G − Z diag(diag(ZᵀG))"
    rng = np.random.default_rng(3)
    z, g = rng.standard_normal((2, 5, 3))
    z /= np.linalg.norm(z, axis=0)
    found = P.evaluate(Z=z, G=g)
    # Rounding of sums of five products.
    np.testing.assert_allclose((z * found).sum(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(found, g - z * (z * g).sum(axis=0), atol=1e-14)
