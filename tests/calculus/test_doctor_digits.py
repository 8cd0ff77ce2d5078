"""The doctor where float64 cannot tell: margins of 1000, cancellation, terms of unlike sizes."""

from __future__ import annotations

import sys

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import (
    diag,
    diagnose,
    exp,
    log,
    matrix,
    norm,
    ones,
    scalar,
    sigmoid,
    softmax,
    sum,
    vector,
)
from mcmodels.calculus.study.doctor import more_digits

X, w, y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
A, b, x = matrix("A", "m", "n"), vector("b", "m"), vector("x", "n")
z = scalar("z")
loss = sum(log(1 + exp(-y * (X @ w))))
# Both rows are classified rightly by a margin of 1000: the gradient is of the order 1e-432.
SURE = {"X": [[1000.0], [-1000.0]], "w": [1.0], "y": [1.0, -1.0]}
curvature = log(1 + exp(z)).gradient(z)
quotient = (exp(z) - 1) / z
steep = sum(log(1 + exp(500 * x))).gradient(x)
AT_A_MINIMUM = {"A": [[1.0, 0], [0, 1], [0, 0]], "b": [1e8, 1.0, 1.0], "x": [1e8 + 1e-6, 1.0]}

WRONG = [
    ("factor 2 at a margin", loss, w, -2 * X.T @ (y * sigmoid(-y * (X @ w))), SURE, "factor"),
    ("a label at a margin", loss, w, -X.T @ sigmoid(-y * (X @ w)), SURE, "dropped factor"),
    ("the sign at a margin", loss, w, X.T @ (y * sigmoid(-y * (X @ w))), SURE, "factor"),
    ("factor 2 in a tail", curvature, z, 2 * sigmoid(z) * sigmoid(-z), {"z": 40.0}, "factor"),
    ("σ² in a tail", curvature, z, sigmoid(z) ** 2, {"z": 40.0}, "wrong derivative"),
    ("a term that cancels", quotient, z, exp(z) / z, {"z": 1e-9}, "dropped term"),
    ("half of a small slope", norm(A @ x - b) ** 2, x, A.T @ (A @ x - b), AT_A_MINIMUM, "factor"),
    ("at random points that saturate", steep, x,
     diag(500 * sigmoid(500 * x) * sigmoid(-500 * x)), {}, "factor"),
    ("a small term beside a large one", 1e8 * sum(x) + sum(x**2), x, 1e8 * ones("n") + x, {},
     "factor of a term"),
]  # fmt: skip
RIGHT = [
    ("1 − σ", loss, w, -X.T @ (y * (1 - sigmoid(y * (X @ w)))), SURE),
    ("σ − 1", loss, w, X.T @ (y * (sigmoid(y * (X @ w)) - 1)), SURE),
    ("a quotient", loss, w, -X.T @ (y * exp(-y * (X @ w)) / (1 + exp(-y * (X @ w)))), SURE),
    ("σ(z)σ(−z)", curvature, z, sigmoid(z) * sigmoid(-z), {"z": 40.0}),
    ("one fraction", quotient, z, (z * exp(z) - exp(z) + 1) / z**2, {"z": 1e-9}),
    ("a minimum", norm(A @ x - b) ** 2, x, 2 * A.T @ A @ x - 2 * A.T @ b, AT_A_MINIMUM),
    ("random points that saturate", steep, x,
     diag(250000 * sigmoid(500 * x) * sigmoid(-500 * x)), {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("f", "by", "claimed", "at", "name"), [case[1:] for case in WRONG], ids=[c[0] for c in WRONG]
)
def test_what_is_wrong_is_seen_and_named(f, by, claimed, at, name):
    found = diagnose(f, by, claimed, **at)
    assert not found.correct
    assert found.mistake == name, str(found)
    assert found.error > 1e-9


@pytest.mark.parametrize(
    ("f", "by", "claimed", "at"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT]
)
def test_what_is_right_is_not_accused(f, by, claimed, at):
    found = diagnose(f, by, claimed, **at)
    assert found.correct, str(found)
    assert "in more digits" in found.explanation
    assert found.error < 1e-20


def test_what_agrees_in_the_first_digits_only_is_wrong():
    """exp(−z) at 40 differs from σ(z)σ(−z) by a factor (1 + e⁻⁴⁰)²."""
    with mpmath.workdps(40):
        wanted = (1 + mpmath.exp(-40)) ** 2 - 1
    found = diagnose(curvature, z, exp(-z), z=40.0)
    assert not found.correct
    # The error is a float64: it has 15 digits.
    assert found.error == pytest.approx(float(wanted), rel=1e-12)


def test_numbers_of_few_digits_are_right_to_these_digits():
    density = exp(-(z**2) / 2) / 2.50662827
    claimed = -z * exp(-(z**2) / 2) * 0.398942281
    assert diagnose(density, z, claimed, z=30.0).correct


def test_functions_are_compared_with_the_right_one_in_digits():
    def tail(z):
        return np.exp(-z) / (1 + np.exp(-z)) ** 2

    found = diagnose(curvature, z, tail, z=40.0)
    assert found.correct
    assert "the right one in more digits" in found.explanation
    doubled = diagnose(curvature, z, lambda z: 2 * tail(z), z=40.0)
    assert doubled.mistake == "factor"
    assert doubled.remedy == "divide by 2"
    assert diagnose(curvature, z, tail(40.0), z=40.0).correct


def test_a_function_for_the_given_values_only_is_told_that_nothing_can_be_seen():
    def claimed(z):
        if z != 40.0:
            raise ValueError("made for 40")
        return 8e-18

    found = diagnose(curvature, z, claimed, z=40.0)
    assert found.correct
    assert "many mistakes cannot be seen" in found.explanation


def test_without_mpmath_float64_decides(monkeypatch):
    """The right one is 0 in float64 at 40: the claim is compared at other points, too."""
    more_digits.mpmath.cache_clear()
    monkeypatch.setitem(sys.modules, "mpmath", None)
    try:
        found = diagnose(curvature, z, 2 * sigmoid(z) * sigmoid(-z), z=40.0)
        assert not diagnose(curvature, z, sigmoid(z) ** 2, z=40.0).correct
    finally:
        more_digits.mpmath.cache_clear()
    assert (found.mistake, found.remedy) == ("factor", "divide by 2")
    assert "elsewhere" in found.explanation


def test_ordinary_claims_take_no_digits(monkeypatch):
    """Digits cost time: they are for doubt alone."""

    def refused(*arguments):
        raise AssertionError("no doubt")

    monkeypatch.setattr("mcmodels.calculus.study.doctor.diagnosis.compared", refused)
    right = loss.gradient(w)
    for claimed in (right, 2 * right, -right, X.T @ sigmoid(X @ w), -X.T @ y):
        diagnose(loss, w, claimed)


def test_values_of_many_entries_are_compared_in_float64():
    rng = np.random.default_rng(0)
    n = more_digits._MOST_ENTRIES
    at = {"X": 1e3 * rng.standard_normal((n, 1)), "w": [1.0], "y": np.ones(n)}
    assert diagnose(loss, w, X.T @ (y * (sigmoid(y * (X @ w)) - 1)), **at).correct


@pytest.mark.parametrize("margin", [300.0, 700.0, 1000.0, 5000.0])
def test_what_is_left_of_terms_that_cancel_takes_twice_its_digits(margin):
    """One entry of softmax is 1 − e^−margin: the forms of its Jacobian cancel differently."""
    z, a = vector("z", "k"), vector("a", "k")
    f, s = a.T @ softmax(z), softmax(z)
    right = (diag(s) - s @ s.T) @ a
    at = {"z": [0.0, margin, 2.0], "a": [1.0, 2.0, 3.0]}
    assert diagnose(f, z, right, **at).correct
    twice = diagnose(f, z, 2 * right, **at)
    assert (twice.mistake, twice.remedy) == ("factor", "divide by 2")


def test_beyond_all_digits_nobody_is_accused():
    z, a = vector("z", "k"), vector("a", "k")
    s = softmax(z)
    found = diagnose(a.T @ s, z, (diag(s) - s @ s.T) @ a, z=[0.0, 3e4, 2.0], a=[1.0, 2.0, 3.0])
    assert found.correct
    assert "where it is nearly 0, and at random z" in found.explanation
