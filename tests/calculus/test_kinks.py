"""Critical points at kinks: judged by values of the function in many directions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mcmodels.calculus.core.functions import abs, matrix, norm, relu, scalar, sum, trace, vector
from mcmodels.calculus.study.critical_points import critical_point
from mcmodels.user_warnings import NonDifferentiableWarning

x, b, A = vector("x", "n"), vector("b", "m"), matrix("A", "m", "n")
c, s = scalar("c"), scalar("s")


def change(f, at, seed=0):
    """The least and the largest change of the function at random places near the point."""
    rng = np.random.default_rng(seed)
    start = np.asarray(at["x"], dtype=float)
    value = f.evaluate(**at)
    changes = []
    for _ in range(2000):
        step = rng.standard_normal(start.shape)
        if rng.random() < 0.5 and step.size > 1:  # along the coordinates, where kinks are not left
            step *= rng.random(start.shape) < 0.5
        length = np.linalg.norm(step)
        radius = 10 ** rng.uniform(-4, -1)  # far enough out to meet curves along which it falls
        if length:
            changes.append(f.evaluate(**{**at, "x": start + radius * step / length}) - value)
    return min(changes), max(changes)


MATRIX = np.array([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]])
CASES = [
    # f, where, kind, number of eigenvalues
    (sum(abs(x)), {"x": [0.0, 0.0, 0.0]}, "minimum", 0),
    (-sum(abs(x)), {"x": [0.0, 0.0]}, "maximum", 0),
    (sum(abs(x)) + 0.5 * sum(x), {"x": [0.0, 0.0]}, "minimum", 0),
    (sum(abs(x)) - 0.999 * x[0], {"x": [0.0, 0.0]}, "minimum", 0),
    (abs(x[0]) + x[1] ** 2, {"x": [0.0, 0.0]}, "minimum", 1),
    (abs(x[0]) - x[1] ** 2, {"x": [0.0, 0.0]}, "saddle", 1),
    (abs(x[0]) - abs(x[1]), {"x": [0.0, 0.0]}, "saddle", 0),
    (-abs(x[0]) - x[1] ** 2, {"x": [0.0, 0.0]}, "maximum", 1),
    (abs(x[0] - x[1]) + x.T @ x, {"x": [0.0, 0.0]}, "minimum", 1),
    (abs(x[0] - x[1] ** 2) + x[1] ** 2, {"x": [0.0, 0.0]}, "minimum", 1),
    (abs(x[0] - x[1] ** 2) + 0.5 * x[0], {"x": [0.0, 0.0]}, "minimum", 1),
    (abs(x[0] - x[1] ** 2) - 0.5 * x[0], {"x": [0.0, 0.0]}, "saddle", 1),
    (2 * relu(x[0]) + relu(-x[0]) + 0 * x[0], {"x": [0.0]}, "minimum", 0),
    (sum(relu(x)) - 0.5 * sum(x), {"x": [0.0, 0.0]}, "minimum", 0),
    (norm(x), {"x": [0.0, 0.0]}, "minimum", 0),
    (norm(x) + 0.9 * x[0], {"x": [0.0, 0.0]}, "minimum", 0),
    (norm(A @ x - b) ** 2 + c * sum(abs(x)),
     {"x": [0.0, 0.0], "A": MATRIX, "b": [0.1, 0.2, 0.0], "c": 2.0}, "minimum", 0),
    (sum(abs(A @ x)), {"x": [0.0, 0.0], "A": MATRIX}, "minimum", 0),
    # the least-squares multipliers are too large here, the linear program's are not
    (3 * abs(x[0]) + 0.01 * sum(abs(A @ x)) + 2.9 * x[0] + 0.03 * x[1],
     {"x": [0.0, 0.0], "A": MATRIX}, "minimum", 0),
    (norm(x) ** 2 / 2 - x[0] + 2 * sum(abs(x)), {"x": [0.0, 0.0]}, "minimum", 0),
    (norm(x - 1) ** 2 / 2 + norm(x) ** 2 + 4 * norm(x), {"x": [0.0, 0.0, 0.0]}, "minimum", 0),
    (norm(x) ** 2 + 2 * abs(x[1]), {"x": [0.0, 0.0]}, "minimum", 1),
    (sum(abs(x)) ** 2 + sum(abs(x)), {"x": [0.0, 0.0]}, "minimum", 0),
]  # fmt: skip


@pytest.mark.parametrize(("f", "at", "kind", "count"), CASES, ids=lambda value: str(value)[:40])
def test_classified_as_values_say(f, at, kind, count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        point = critical_point(f, "x", at=at)
    least, most = change(f, at)
    assert point.kind == kind
    assert len(point.eigenvalues) == count
    assert {"minimum": least > 0, "maximum": most < 0, "saddle": least < 0 < most}[kind]
    assert point.across is not None
    assert "at a kink" in str(point)
    assert np.abs(point.gradient).max() < 1e-9  # cancelled by the multipliers, up to rounding


def test_a_lasso_solution_with_zeros():
    """A point where some coefficients are zero: by the conditions of Karush, Kuhn and Tucker."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 4)), rng.standard_normal(20)
    from sklearn.linear_model import Lasso

    fitted = Lasso(alpha=0.05, fit_intercept=False, tol=1e-15, max_iter=10**6).fit(X, y)
    zeros = int((fitted.coef_ == 0).sum())
    assert 0 < zeros < 4
    f = norm(A @ x - b) ** 2 / 40 + c * sum(abs(x))
    point = critical_point(f, x, at={"A": X, "b": y, "c": 0.05, "x": fitted.coef_})
    assert point.kind == "minimum"
    assert len(point.eigenvalues) == 4 - zeros
    used = X[:, fitted.coef_ != 0]
    expected = np.linalg.eigvalsh(used.T @ used / 20)
    np.testing.assert_allclose(point.eigenvalues, expected, rtol=1e-10)  # of 3×3 Gram matrices


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (sum(abs(x)) + 2 * x[0], [0.0, 0.0]),
        (abs(x[0]) + x[1], [0.0, 0.0]),
        (sum(relu(x)) - 1.5 * sum(x), [0.0, 0.0]),
        (norm(x) - x[0] - x[1], [0.0, 0.0]),
    ],
)
def test_what_falls_at_a_rate_is_no_critical_point(f, at):
    least, _ = change(f, {"x": at})
    assert least < -1e-5
    with pytest.raises(ValueError, match="not a critical point"):
        critical_point(f, x, at=at)


@pytest.mark.parametrize(
    "f", [sum(relu(x)), sum(abs(x)) + sum(x), norm(x) - x[0], abs(abs(x[0]) - x[1])]
)
def test_where_slopes_are_flat_nothing_is_claimed(f):
    with pytest.warns(NonDifferentiableWarning, match="stands at a kink"):
        point = critical_point(f, x, at=[0.0, 0.0])
    assert point.kind == "degenerate"
    assert point.across in (None, "flat")


def test_away_from_kinks_nothing_changes():
    point = critical_point(sum(abs(x)) * 0 + (x.T @ x) / 2 + abs(s), x, at={"x": [0, 0], "s": 1.0})
    assert point.across is None
    assert "kink" not in str(point)


X, B = matrix("X", "m", "n"), matrix("B", "m", "n")
S, T = matrix("S", "n", "n", symmetric=True), matrix("T", "n", "n")


def test_of_matrices():
    zero, slopes = np.zeros((2, 3)), np.array([[0.5, -0.9, 0.0], [0.2, 0.99, -0.3]])
    f = sum(abs(X)) + sum(B * X)
    assert critical_point(f, X, at={"X": zero, "B": slopes}).kind == "minimum"
    with pytest.raises(ValueError, match="not a critical point"):
        critical_point(f, X, at={"X": zero, "B": 2 * slopes})
    # Soft thresholding by 1: the prox of the 1-norm at B, with two entries that are not zero.
    at = {"X": np.array([[0, 1.0, 0], [2, 0, 0]]), "B": np.array([[0.5, 2, -0.3], [3, 0.2, 0]])}
    point = critical_point(norm(X - B) ** 2 / 2 + sum(abs(X)), X, at=at)
    assert point.kind == "minimum"
    np.testing.assert_allclose(point.eigenvalues, [1, 1], rtol=1e-12)  # some units of rounding


def test_of_a_symmetric_matrix_only_symmetric_directions_count():
    f = trace(S @ T) + sum(abs(S))
    slopes = np.array([[0.5, 3.0], [-2.9, 0.2]])  # the mean of those off the diagonal is 0.05
    assert critical_point(f, S, at={"S": np.zeros((2, 2)), "T": slopes}).kind == "minimum"


def test_of_a_scalar():
    point = critical_point(abs(s) * 2 - s, s, at=0.0)
    assert str(point) == "a strict minimum at a kink; the value is 0"
    peak = critical_point(-sum(abs(x)), x, at=[0.0, 0.0])
    assert str(peak) == "a strict maximum at a kink; the value is 0"
    assert point.gradient == 0
