"""The doctor tries no change of a term along which a claim does not deviate."""

from __future__ import annotations

import numpy as np
import pytest

from mcmodels.calculus import convexity, diagnose, exp, log, scalar, sigmoid, sqrt, tanh, vector
from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.convexity import witness
from mcmodels.calculus.study.doctor.deviations import deviations
from mcmodels.calculus.study.doctor.factors import ratios_of

x, z = vector("x", "n"), scalar("z")


def of(i, make):
    return make(vector(f"a{i}", "n").T @ x, scalar(f"b{i}"))


KINDS = {
    "logistic": lambda u, b: sigmoid(u) - b * u,
    "square of tanh": lambda u, b: (tanh(u) - b) ** 2,
    "root": lambda u, b: sqrt(1 + u**2),
    "quotient": lambda u, b: u / (1 + u**2),
    "log of a square": lambda u, b: log(1 + u**2),
}

# A wrong gradient of one term u ↦ f(u), as a slope that stands in the place of f′(u).
WRONG = {
    "logistic": (lambda u, b: 1 - sigmoid(u) - b, "wrong derivative"),
    "square of tanh": (lambda u, b: 2 * (tanh(u) - b), "chain rule"),
    "root": (lambda u, b: 1 / sqrt(1 + u**2), "factor of a term"),
    "quotient": (lambda u, b: 1 / (1 + u**2), "dropped term"),
    "log of a square": (lambda u, b: 1 / (1 + u**2), "factor of a term"),
}


def sum_with_one_wrong(name, count, factor=1):
    terms = [of(i, KINDS[name]) for i in range(count)]
    slope, _ = WRONG[name]
    wrong = of(2, slope) * vector("a2", "n")
    rest = [term.gradient(x) for i, term in enumerate(terms) if i != 2]
    return arithmetic.add(terms), factor * arithmetic.add([wrong, *rest])


@pytest.mark.parametrize("count", [4, 30])
@pytest.mark.parametrize("name", KINDS)
def test_a_wrong_slope_in_one_term_is_named_in_sums_of_any_length(name, count):
    """In a long sum few terms are looked at; in a short one the name is the same."""
    f, claimed = sum_with_one_wrong(name, count)
    assert diagnose(f, x, claimed).mistake == WRONG[name][1]


@pytest.mark.parametrize("factor", [2, -1, -0.5])
@pytest.mark.parametrize("name", ["logistic", "square of tanh", "log of a square"])
def test_it_is_named_beside_a_factor_of_the_whole(name, factor):
    f, claimed = sum_with_one_wrong(name, 12, factor)
    found = diagnose(f, x, claimed)
    assert found.mistake == WRONG[name][1]
    assert "and " in found.remedy


def nodes_made(monkeypatch, work):
    made = 0
    identify = Expression._identify

    def counted(self, children, label):
        nonlocal made
        made += 1
        identify(self, children, label)

    with monkeypatch.context() as patched:
        patched.setattr(Expression, "_identify", counted)
        work()
    return made


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_mistake_in_a_long_sum_makes_few_nodes(monkeypatch, name):
    """97 to 129 a term, by kind; 213 to 363 if every change of every term is made."""
    f = arithmetic.add([of(i, KINDS[name]) for i in range(30)])
    claimed = f.gradient(x) + exp(x)
    found = []
    made = nodes_made(monkeypatch, lambda: found.append(diagnose(f, x, claimed)))
    assert found[0].mistake == "unknown"
    assert made < 30 * 170


# -- the filter itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("claimed_is", [1, -1, 2, 0.25])
def test_every_multiple_is_let_through(claimed_is):
    """Off by k times a base, and all of it by a usual factor, to twelve digits."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        right, base, k = rng.standard_normal(4), rng.standard_normal(4), rng.standard_normal()
        claimed = claimed_is * (right + k * base) * (1 + 1e-12 * rng.standard_normal(4))
        assert deviations(claimed, right, 1e-9).may_be_multiple_of(base)


def test_what_is_no_multiple_is_kept_back():
    rng = np.random.default_rng(1)
    for _ in range(50):
        claimed, right, base = rng.standard_normal((3, 4))
        assert not deviations(claimed, right, 1e-9).may_be_multiple_of(base)


def test_entries_that_are_zero_in_the_base_must_be_right():
    right, base = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0])
    off = deviations(right + base, right, 1e-9)
    assert off.may_be_multiple_of(base)
    off = deviations(right + base + np.array([0.1, 0, 0]), right, 1e-9)
    assert not off.may_be_multiple_of(base)


@pytest.mark.parametrize("base", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_a_base_that_tells_nothing_is_let_through(base):
    assert deviations(np.ones(2), np.zeros(2), 1e-9).may_be_multiple_of(np.array(base))


# -- large values, deep functions -----------------------------------------------------------------


def test_ratios_of_values_whose_squares_overflow():
    base = np.array([1e200, -3e200])
    assert ratios_of([(2 * base, base)], [1e190]) == [2.0]
    assert ratios_of([(np.array([1e200, 3e200]), base)], [1e190]) is None


@pytest.mark.parametrize("depth", [12, 16, 20])
def test_a_factor_of_a_deep_function_is_a_factor_of_the_whole(depth):
    """At 16 levels values reach 1e200, whose squares overflow, so that no ratio may use them."""
    f = x[0]
    for _ in range(depth):
        f = f * f + f
    found = diagnose(f, x, 2 * f.gradient(x))
    assert (found.mistake, found.remedy) == ("factor", "divide by 2")


def test_hessians_of_nested_quotients_take_work_in_proportion_to_their_size(monkeypatch):
    """12 levels for 6: the Hessian has 2.7 times as many parts, and 4.1 times as many are made."""
    made = []
    for depth in (6, 12):
        f = z
        for _ in range(depth):
            f = f / (1 + f**2)
        made.append(nodes_made(monkeypatch, lambda f=f: f.hessian(z)))
    assert made[1] < 8 * made[0]


def test_along_a_line_there_is_one_direction(monkeypatch):
    f = z
    for _ in range(6):
        f = sigmoid(f)
    seen = []
    candidates = witness._candidates
    monkeypatch.setattr(
        witness, "_candidates", lambda *given: seen.append([*candidates(*given)]) or seen[-1]
    )
    convexity(f, z)
    assert seen
    assert all(len(found) == 1 for found in seen)
