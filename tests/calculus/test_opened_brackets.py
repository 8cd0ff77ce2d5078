"""Terms in brackets beside sigmoids keep their digits in derivatives, against mpmath."""

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import arctan, exp, log, log1p, matrix, sigmoid, softplus, sqrt, vector
from mcmodels.calculus import sum as total

OURS = {
    f.__name__: f for f in (arctan, exp, log, log1p, sigmoid, softplus, sqrt)
}  # the names that texts are written in
THEIRS = {
    "arctan": mpmath.atan,
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": lambda z: mpmath.log(1 + z),
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "sqrt": mpmath.sqrt,
}
SLOW = ["log(z)", "log1p(z)", "arctan(z)", "softplus(z)", "sqrt(z)", "z", "1/z"]
STEPS = ["sigmoid(z**2)", "sigmoid(z**3)", "sigmoid(z/2)", "(1 - sigmoid(z/2))"]
TEXTS = [f"{g} * {s}" for g in SLOW for s in STEPS] + [
    "z * (1 - sigmoid(z))**2",
    "(z + sqrt(1 + z**2)) * (1 - sigmoid(z))",
]
POINTS = [0.3, 2.0, 5.0, 30.0, 300.0, 1e4]
BELOW = [-0.3, -5.0, -40.0]
A = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [1.0, 0.0, 1.0]])


def exact(text, z, order):
    """By central differences of 1e-100, of which the square is left, in 400 digits."""
    with mpmath.workdps(400):
        z, h = mpmath.mpf(z), mpmath.mpf(10) ** -100
        below, here, above = (eval(text, THEIRS, {"z": z + k * h}) for k in (-1, 0, 1))
        return float([(above - below) / (2 * h), (above - 2 * here + below) / h**2][order - 1])


def points(text):
    has_root = any(name in text for name in ("log", "sqrt(z)"))
    return POINTS if has_root else [*POINTS, *BELOW]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("order", [1, 2])
def test_entries(text, order):
    """Of a plain vector, and of X @ w. Powers of exp(z³) lose z³ roundings: 1e-9."""
    x, X, w = vector("x", "n"), matrix("X", "m", "n"), vector("w", "n")
    for z, by in ((x, x), (X @ w, w)):
        f = total(eval(text, OURS, {"z": z}))
        f = f.gradient(by) if order == 1 else f.hessian(by)
        compiled = f.compile()
        for at in points(text):
            given = {"x": [at]} if by == x else {"X": [[1.0]], "w": [at]}
            right = exact(text, at, order)
            for call in (f.evaluate, compiled):
                found = np.ravel(call(**given))
                assert abs(found[0] - right) <= 1e-9 * abs(right) + 1e-290, (at, call)


@pytest.mark.parametrize("text", TEXTS[:12])
def test_hessians_of_several(text):
    """By XᵀDX with D by mpmath; sums of three: 1e-9 of the sizes of their terms."""
    X, w = matrix("X", "m", "n"), vector("w", "n")
    f = total(eval(text, OURS, {"z": X @ w})).hessian(w)
    for at in ([0.25, 2.0, 5.0], [5.0, 30.0, 300.0]):
        weights = np.rint(np.linalg.solve(A, at) * 64) / 64  # so that X @ w has no rounding
        right = [exact(text, z, 2) for z in A @ weights]
        for call in (f.evaluate, f.compile()):
            found = call(X=A, w=weights)
            off = np.abs(found - A.T @ np.diag(right) @ A)
            assert np.all(off <= 1e-9 * (np.abs(A).T @ np.diag(np.abs(right)) @ np.abs(A)))
