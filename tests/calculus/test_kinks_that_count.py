"""Evaluation warns of a kink exactly where the slopes on both sides differ."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from mcmodels.calculus import NonDifferentiableWarning, parse

CASES = [
    # f of z, and where
    ("abs(z)", 0),
    ("abs(z)**1.5", 0),
    ("abs(z)**1.01", 0),
    ("z*abs(z)", 0),
    ("relu(z)**1.5", 0),
    ("relu(z)", 0),
    ("abs(z)*cos(z)", 0),
    ("abs(z)*sin(z)", 0),
    ("abs(z - 1)**1.2 + abs(z)", 0),
    ("abs(z - 1)**1.2 + abs(z)", 1),
    ("abs(z)**1.5 + abs(z)", 0),
    ("where(abs(z) <= 1, z**2/2, abs(z) - 0.5)", 0),
    ("where(z > 0, abs(z), -z)", 0),
    ("where(z > 0, z**1.5, 0)", 0),
    ("where(z > 0, z*sqrt(z), z)", 0),
    ("abs(z)*where(z > 0, 1, z)", 0),
    ("maximum(z**2, z**3)", 0),
    ("maximum(z**2, z**3)", 1),
    ("relu(z)*abs(z)", 0),
    ("relu(z) - relu(-z)*2", 0),
    ("exp(abs(z)**1.5)", 0),
    ("(abs(z)**1.2 + abs(z - 2)**1.2)**(5/6)", 0),
    ("(abs(z)**1.2 + abs(z - 2)**1.2)**(5/6)", 2),
]


def has_kink(f, at):
    """Whether the slopes on both sides differ, and do not approach each other at smaller steps.

    From steps of 1e-15 to 1e-150 those of |z|^1.01 fall to 0.04 of what they were.
    """
    import mpmath

    gaps = []
    for exponent in (15, 150):
        with mpmath.workdps(2 * exponent + 20):
            h = mpmath.mpf(10) ** -exponent
            low, mid, high = (
                f.evaluate(z=mpmath.mpf(at) + k * h, digits=2 * exponent) for k in (-1, 0, 1)
            )
            gaps.append(abs((high - mid) - (mid - low)) / h)
    return bool(gaps[1] > gaps[0] / 2 and gaps[1] > 1e-4)


def warned(compute):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compute()
    return any(issubclass(w.category, NonDifferentiableWarning) for w in caught)


@pytest.mark.parametrize(("text", "at"), CASES)
def test_a_warning_is_given_where_both_sides_differ_and_nowhere_else(text, at):
    pytest.importorskip("mpmath")
    f = parse(text, z="scalar")
    slope = f.gradient("z")
    expected = has_kink(f, at)
    assert warned(lambda: slope.evaluate(z=at)) == expected
    assert warned(lambda: slope.evaluate(z=at, digits=20)) == expected


@pytest.mark.parametrize("p", [1.2, 1.5, 2.3, 3, math.inf])
def test_p_norms_have_gradients_at_zero_entries(p):
    f = parse(f"norm(x, {'inf' if p == math.inf else p})", x="n")
    x = np.array([1.0, 0.0, -2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = f.gradient("x").evaluate(x=x)
    size = np.linalg.norm(x, p)
    expected = [0, 0, -1] if p == math.inf else np.sign(x) * (np.abs(x) / size) ** (p - 1)
    np.testing.assert_allclose(found, expected, rtol=1e-14)  # a few roundings


def test_a_kink_of_one_entry_counts_beside_others_that_do_not():
    f = parse("sum(abs(x) * y)", x="n", y="n")
    gradient = f.gradient("x")
    assert not warned(lambda: gradient.evaluate(x=[0, 1], y=[0, 2]))
    assert warned(lambda: gradient.evaluate(x=[0, 0], y=[0, 2]))
    scaled = parse("c * sum(abs(x))", x="n", c="scalar").gradient("x")
    assert not warned(lambda: scaled.evaluate(x=[0, 1], c=0))
    assert warned(lambda: scaled.evaluate(x=[0, 1], c=1e-300))
