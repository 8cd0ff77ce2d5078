"""Claims at a point where the right derivative is 0, with which each multiple of it agrees."""

import numpy as np
import pytest

from mcmodels.calculus import diagnose, log, matrix, norm, sigmoid, softplus, sum, vector

x, a = vector("x", "n"), vector("a", "n")
X, w, y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
ROWS = np.array([[1, 2.0], [3, 4], [5, 6.5]])
TARGET = np.array([1, 2, 4.0])
BEST = np.linalg.lstsq(ROWS, TARGET, rcond=None)[0]
AT_BEST = {"X": ROWS, "w": BEST, "y": TARGET}
AT_EXACT = {"X": np.array([[1, 0], [0, 1], [1, 1.0]]), "w": [1, 2.0], "y": [1, 2, 3.0]}
AT_ZERO = {"x": [0.0, 0.0]}


@pytest.mark.parametrize(
    ("f", "by", "claimed", "at", "remedy"),
    [
        (x.T @ x, x, 5 * x, AT_ZERO, "multiply by 2/5"),
        (x.T @ x, x, lambda x: x, AT_ZERO, "multiply by 2"),
        (norm(x) ** 4, x, 4 * x, AT_ZERO, "multiply by ‖x‖²"),
        (norm(X @ w - y) ** 2, w, X.T @ (X @ w - y), AT_EXACT, "multiply by 2"),
        (norm(X @ w - y) ** 2, w, lambda X, w, y: X.T @ (X @ w - y), AT_EXACT, "multiply by 2"),
    ],
)
def test_wrong_claims_are_seen_elsewhere(f, by, claimed, at, remedy):
    found = diagnose(f, by, claimed, **at)
    assert not found.correct
    assert found.remedy == remedy
    assert "it agrees where the gradient is 0, as at the point given; elsewhere" in str(found)


@pytest.mark.parametrize(
    ("f", "by", "claimed", "at"),
    [
        (x.T @ x, x, 2 * x, AT_ZERO),
        (x.T @ x, x, lambda x: 2 * np.array([x[0], x[1]]), AT_ZERO),
        (norm(X @ w - y) ** 2, w, 2 * X.T @ X @ w - 2 * X.T @ y, AT_BEST),
        (norm(X @ w - y) ** 2, w, lambda X, w, y: 2 * X.T @ (X @ w - y), AT_BEST),
        (norm(X @ w - y) ** 2, w, lambda w: 2 * ROWS.T @ (ROWS @ w - TARGET), AT_BEST),
    ],
)
def test_right_claims_stay_right(f, by, claimed, at):
    found = diagnose(f, by, claimed, **at)
    assert found.correct, str(found)
    assert "try another point" not in str(found)


def test_numbers_alone_are_told_that_mistakes_cannot_be_seen():
    for f, by, at in ((x.T @ x, x, AT_ZERO), (norm(X @ w - y) ** 2, w, AT_EXACT)):
        found = diagnose(f, by, np.zeros(2), **at)
        assert found.correct
        assert "many mistakes cannot be seen: try another point" in str(found)


def test_a_function_for_the_point_alone_is_not_accused():
    def claimed(x):
        if x.any():
            raise ValueError("made for 0")
        return x

    found = diagnose(x.T @ x, x, claimed, **AT_ZERO)
    assert found.correct
    assert "try another point" in str(found)


def test_a_gradient_that_is_0_everywhere_needs_no_other_point():
    found = diagnose(sum(log(a)), x, 0 * x, a=[1, 2.0], x=[0, 0.0])
    assert found.correct
    assert "try another point" not in str(found)


def test_a_function_that_is_right_but_for_rounding_in_a_tail_is_not_accused():
    """At margins of 1000, 1 - σ is 0 in float64, and the right derivative is 1e-434 or so."""
    loss = sum(softplus(-y * (X @ w)))
    at = {"X": [[1000.0], [-1000.0]], "w": [1.0], "y": [1.0, -1.0]}

    def claimed(X, w, y):
        return -X.T @ (y * (1 - 1 / (1 + np.exp(-np.clip(y * (X @ w), -700, 700)))))

    assert diagnose(loss, w, claimed, **at).correct
    assert not diagnose(loss, w, -2 * X.T @ (y * sigmoid(-y * (X @ w))), **at).correct
