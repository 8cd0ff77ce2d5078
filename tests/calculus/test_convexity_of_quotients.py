"""Convexity of quotients, roots of squares, and logarithms of what grows; against chords."""

import warnings

import numpy as np
import pytest

from mcmodels.calculus import convexity, exp, matrix, parse, scalar, sum, vector

x = scalar("x")
REAL, ABOVE, BELOW = (-3.0, 3.0), (0.01, 6.0), (-6.0, -0.01)

CASES = [
    ("sqrt(x^2)", "convex", [], REAL),
    ("sqrt(x^4)", "convex", [], REAL),
    ("sqrt((2*x-1)^2)", "convex", [], REAL),
    ("x/(1+x)", "concave", ["x"], ABOVE),
    ("(2*x+1)/(x+3)", "concave", ["x"], ABOVE),
    ("(x+5)/(x+1)", "convex", ["x"], ABOVE),
    ("log(1+1/x)", "convex", ["x"], ABOVE),
    ("log(2+1/x+exp(x))", "convex", ["x"], ABOVE),
    ("maximum(x^3,0)", "convex", [], REAL),
    ("maximum(0,x^5)", "convex", [], REAL),
    ("relu(x^3)", "convex", [], REAL),
    ("relu(-x^3)", "convex", [], REAL),
    ("maximum(-2*(x-1)^5,0)", "convex", [], REAL),
    ("minimum(x^3,0)", "concave", [], REAL),
    ("minimum(0,-2*x^5)", "concave", [], REAL),
    ("log(exp(x)-1)", "concave", [], ABOVE),
    ("log(expm1(2*x))", "concave", [], ABOVE),
    ("log(sinh(x))", "concave", [], ABOVE),
    ("log(exp(sqrt(x))-1)", "concave", [], ABOVE),
    ("exp(x)/x", "convex", ["x"], ABOVE),
    ("exp(x^2)/sqrt(x)", "convex", ["x"], ABOVE),
]


def middles(f, low, high):
    """How far values in the middle of random chords lie above these."""
    rng = np.random.default_rng(0)
    ends = rng.uniform(low, high, (60, 2))
    value = [[f.evaluate(x=p) for p in (a, b, (a + b) / 2)] for a, b in ends]
    return np.array([m - (a + b) / 2 for a, b, m in value])


@pytest.mark.parametrize(("text", "kind", "nonnegative", "interval"), CASES)
def test_it_is_proved_and_agrees_with_chords(text, kind, nonnegative, interval):
    f = parse(text)
    assert convexity(f, "x", nonnegative=nonnegative).kind == kind
    above = middles(f, *interval)
    # Rounding of values below 1e16.
    assert (above <= 1e-9).all() if kind == "convex" else (above >= -1e-9).all()


@pytest.mark.parametrize(
    ("text", "nonnegative", "kinds"),
    [
        ("x/(1+x)", [], ["neither"]),  # on both sides of the pole
        ("exp(x)/x", [], ["neither"]),
        ("log(exp(x^2)-1)", [], ["neither", "unknown"]),
        ("sqrt(x^3)", [], ["convex", "unknown"]),  # it is defined where x ≥ 0
        (
            "minimum(exp(x)^3-1,0)",
            [],
            ["neither", "unknown"],
        ),  # convex, then 0
        ("relu(x^3)-relu(-x^3)", [], ["neither", "unknown"]),
        ("minimum((x^2)^3,0)+x^3", [], ["neither", "unknown"]),
        ("maximum(x^3,1)", [], ["convex", "unknown"]),  # 1, and x³ where x > 1
        ("maximum(x^3,-1)", [], ["neither", "unknown"]),
        ("maximum(x^2,0)*x", [], ["neither", "unknown"]),
        ("sin(x)/(1+x)", ["x"], ["neither", "unknown"]),
        ("x^2/(1+x)^2", ["x"], ["neither", "unknown"]),
    ],
)
def test_nothing_wrong_is_proved(text, nonnegative, kinds):
    """Planted: what looks alike, and is not convex, or in a part of its domain alone."""
    assert convexity(parse(text), "x", nonnegative=nonnegative).kind in kinds


def test_functions_of_arrays():
    S = matrix("S", "n", "n", positive_definite=True)
    v = vector("v", "n")
    assert convexity(sum(S) * x**2, x).kind == "convex"
    assert convexity(v.T @ exp(S) @ v, v).kind == "convex"
    assert convexity(v.T @ exp(-S) @ v, v).kind != "convex"
    assert convexity(parse("np.std(x)", x="n"), "x").kind == "convex"
    assert convexity(parse("exp(x[0])/x[1]", x="n"), "x", nonnegative=["x"]).kind == "convex"
    assert convexity(parse("exp(x[0])/x[1]", x="n"), "x").kind in ("neither", "unknown")


def test_the_exponential_of_each_entry_of_a_definite_matrix_is_definite():
    """Schur: by the eigenvalues of random ones."""
    rng = np.random.default_rng(1)
    for function in (np.exp, np.expm1, np.sinh, np.cosh):
        for _ in range(20):
            A = rng.standard_normal((4, 4))
            lowest = np.linalg.eigvalsh(function(A @ A.T))[0]
            assert lowest > -1e-9 * np.abs(function(A @ A.T)).max()


def test_witnesses_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert convexity(parse("x/(1+x)"), "x").kind == "neither"
