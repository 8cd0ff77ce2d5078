"""Critical points at kinks of maximum and minimum, and kinks that are refused."""

import numpy as np
import pytest

from mcmodels.calculus import critical_point, parse

AT_ZERO = [
    ("maximum(z, -2*z)", "a strict minimum at a kink"),
    ("minimum(z, -z)", "a strict maximum at a kink"),
    ("maximum(0.3*z, -0.7*z)", "a strict minimum at a kink"),
    ("maximum(z, z**2 - z)", "a strict minimum at a kink"),
    ("maximum(z, 0) + maximum(-z, 0)", "a strict minimum at a kink"),
    ("clip(z, -1, 1)**2", "a minimum"),
]


@pytest.mark.parametrize(("text", "says"), AT_ZERO)
def test_by_values_on_both_sides(text, says):
    f = parse(text, z="scalar")
    found = critical_point(f, "z", at=0.0)
    assert str(found).startswith(says)
    around = np.array([f.evaluate(z=step) for step in (-1e-3, -1e-6, 1e-6, 1e-3)])
    rises = around - f.evaluate(z=0.0)
    assert (rises > 0).all() if "minimum" in says else (rises < 0).all()


def test_a_slope_of_one_sign_is_not_critical():
    with pytest.raises(ValueError, match="slopes do not change sign"):
        critical_point(parse("maximum(z, 2*z)", z="scalar"), "z", at=0.0)


def test_a_quantile_is_where_slopes_change_sign():
    """Of five numbers the third is a median; the second is not."""
    f = parse("sum(maximum(y - q, q - y))", y="n", q="scalar")
    y = [0.0, 1.0, 2.0, 5.0, 9.0]
    assert critical_point(f, "q", at={"y": y, "q": 2.0}).kind == "minimum"
    with pytest.raises(ValueError, match="not a critical point"):
        critical_point(f, "q", at={"y": y, "q": 1.0})


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("amax(x)", [1.0, 1.0], "the largest entry stands twice"),
        ("norm(x, inf)", [0.0, 0.0], "the largest entry stands twice"),
        ("sum(where(x > 0, x, -x))", [0.0, 1.0], "the condition is at its boundary"),
    ],
)
def test_kinks_of_which_nothing_is_known_are_refused(text, at, says):
    with pytest.raises(ValueError, match=says):
        critical_point(parse(text, x="n"), "x", at=at)


def test_no_tie_is_no_kink():
    f = parse("(amax(x) - 1)**2 + (x[1] + 1)**2", x=2)
    assert critical_point(f, "x", at=[1.0, -1.0]).kind == "minimum"
