"""Convexity of functions of eigenvalues, of norms of rows and of traces: verdicts and chords."""

import warnings

import numpy as np
import pytest

from mcmodels.calculus import convexity, parse

SYMMETRIC = [
    ("trace(Z @ Z)", "convex"),
    ("trace(matrix_power(Z, 4))", "convex"),
    ("norm(Z, 2)", "convex"),
    ("amax(eigvalsh(Z))", "convex"),
    ("amin(eigvalsh(Z))", "concave"),
    ("sum(eigvalsh(Z))", "affine"),
    ("sum(abs(eigvalsh(Z)))", "convex"),
    ("sum(relu(eigvalsh(Z) - 1))", "convex"),
    ("logsumexp(eigvalsh(Z - M))", "convex"),
    ("log(trace(expm(Z)))", "convex"),
    ("sum(exp(eigvalsh(Z)))", "convex"),
]
DEFINITE = [
    ("trace(sqrtm(P))", "concave"),
    ("trace(logm(P + M))", "concave"),
    ("trace(P @ logm(P))", "convex"),
    ("trace(sqrtm(P) @ M)", "concave"),
    ("trace(M @ logm(P))", "concave"),
    ("trace(matrix_power(P, 3))", "convex"),
    ("trace(matrix_power(P, -2))", "convex"),
    ("sum(log(eigvalsh(P)))", "concave"),
    ("sum(sqrt(eigvalsh(P)))", "concave"),
    ("sum(eigvalsh(P) ** 1.5)", "convex"),
    ("sum(1 / eigvalsh(P))", "convex"),
]
RECTANGULAR = [
    ("sum(norm(X, axis=1))", "convex"),
    ("sum(norm(X - Y, axis=0))", "convex"),
    ("amax(norm(X @ Z + Y, axis=1))", "convex"),
    ("norm(X - Y)**2 - norm(X)**2", "affine"),
]
# Each of these looks like one above, and is neither.
NOT = [
    ("trace(matrix_power(Z, 3))", "Z"),
    ("a.T @ eigvalsh(Z)", "Z"),
    ("sum(a * eigvalsh(Z))", "Z"),
    ("eigvalsh(Z)[0] + eigvalsh(Z)[-1]", "Z"),
    ("trace(B @ expm(Z))", "Z"),
    ("b.T @ norm(X, axis=1)", "X"),
]
NAMES = {
    "Z": "n,n:symmetric",
    "M": "n,n:positive_definite",
    "P": "n,n:positive_definite",
    "B": "n,n",
    "X": "m,n",
    "Y": "m,n",
    "a": "n",
    "b": "m",
}


def drawn(name, rng):
    shape = tuple({"n": 3, "m": 4}[size] for size in NAMES[name].partition(":")[0].split(","))
    value = rng.standard_normal(shape)
    if name in "MP":
        return value @ value.T + 0.1 * np.eye(3)
    return value + value.T if name == "Z" else value


@pytest.mark.parametrize(
    ("text", "kind", "x"),
    [
        *((text, kind, "Z") for text, kind in SYMMETRIC),
        *((text, kind, "P") for text, kind in DEFINITE),
        *((text, kind, "X") for text, kind in RECTANGULAR),
    ],
)
def test_verdicts_agree_with_chords(text, kind, x):
    f = parse(text, **NAMES)
    assert convexity(f, x).kind == kind
    rng = np.random.default_rng(0)
    names = {symbol.name for symbol in f.symbols}
    for _ in range(40):
        others = {name: drawn(name, rng) for name in names}
        ends = [drawn(x, rng), drawn(x, rng)]

        def at(value, others=others):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return f.evaluate(**{**others, x: value})

        low, high, middle = at(ends[0]), at(ends[1]), at((ends[0] + ends[1]) / 2)
        above = (low + high) / 2 - middle
        noise = 1e-10 * (abs(low) + abs(high))  # rounding of functions of matrices
        assert above >= -noise or kind == "concave"
        assert above <= noise or kind == "convex"


@pytest.mark.parametrize(("text", "x"), NOT)
def test_what_only_looks_alike_is_not_certified(text, x):
    found = convexity(parse(text, **NAMES), x)
    assert found.kind == "neither"
    assert found.witness.up.difference > 0 > found.witness.down.difference


def test_a_sum_with_no_hessian_is_decided_soon():
    """Each value of logm takes milliseconds, and a search over all points took minutes."""
    f = parse("trace(logm(P) @ B)", **NAMES)
    assert convexity(f, "P").kind in ("neither", "unknown")
