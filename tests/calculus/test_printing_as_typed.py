"""What is typed is printed, where a simple form of it is kept; and it is read back."""

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import exp, log, parse, scalar, sum, vector

SHAPES = {"t": "n", "x": "n", "c": "n", "w": "k", "A": "m,n", "S": "n,n", "W": "n,k"}


def read(text):
    names = {name for name in SHAPES if name in text}
    return parse(text, **{name: SHAPES[name] for name in names})


@pytest.mark.parametrize(
    "text",
    [
        "(1 + y) ** t",
        "2 ** t",
        "b ** (t + 1)",
        "b ** (-2 * t)",
        "b ** (s * t)",
        "(a * b) ** t",
        "a ** (W @ w)",
        "b ** A",
        "sum(c * (1 + y) ** (-t))",
        "c / b ** t",
        "b ** t[1:]",
        "pi ** t",
        "exp(log(a) * log(b) * t)",  # of which number it is a power, nothing says
        "x - (a + b)",
        "A - (a + 1)",
        "x + (a - b)",
        "x - a - b",
        "exp(x - (a + b))",
        "step(x - (a + b))",
        "where(A > a + b, 1, 0)",
        "where(x > a + b, x, 0)",
        "where(a + b > x, x, 0)",
        "where(x > c + a + b, x, c)",
        "where(abs(x) > 2 * a + b + 1, x, 0)",
        "where(a + b > 1, x, 0)",
        "where(x > a * (b + 1), x, 0)",
    ],
)
def test_it_is_printed_as_it_was_typed(text):
    e = read(text)
    assert str(e) == text
    assert parse(str(e), **{symbol.name: symbol for symbol in e.known}) == e


@pytest.mark.parametrize(
    ("text", "shown", "latex"),
    [
        ("(1 + y)**t", "(1 + y)^∘t", r"(1 + y)^{\circ t}"),
        ("b**(-t)", "b^∘(−t)", r"b^{\circ (-t)}"),
        ("x - (a + b)", "x − (a + b)", "x - (a + b)"),
        ("where(A > a + b, 1, 0)", "where(A > a + b, 1, 0)", None),
    ],
)
def test_mathematics(text, shown, latex):
    e = read(text)
    assert repr(e) == shown
    assert latex is None or e.latex() == latex


def test_powers_of_a_number_have_the_values_of_mpmath():
    y, t, c = scalar("y"), vector("t", "n"), vector("c", "n")
    f = sum(c * (1 + y) ** t)
    assert f == sum(c * exp(t * log(1 + y)))
    at = {"y": 0.07, "t": [0.5, 1.0, 3.0], "c": [1.0, -2.0, 4.0]}

    def value(z):
        return mpmath.fsum(c * (1 + z) ** t for c, t in zip(at["c"], at["t"], strict=True))

    for order, derivative in enumerate((f, f.gradient(y), f.hessian(y))):
        with mpmath.workdps(40):
            right = float(mpmath.diff(value, mpmath.mpf("0.07"), order))
        again = parse(str(derivative), **{symbol.name: symbol for symbol in derivative.known})
        # A few operations on numbers of size 1.
        assert derivative.evaluate(**at) == pytest.approx(right, rel=1e-13)
        assert again.evaluate(**at) == pytest.approx(right, rel=1e-13)


def test_what_fills_an_array_is_compared_as_before():
    """Both ways to write a comparison, at a tie, too."""
    x = np.array([0.5, 3.0, 4.0])
    for text in ("where(x > a + b, x, 0)", "where(x - (a + b) > 0, x, 0)"):
        found = parse(text, x="n").evaluate(x=x, a=1.0, b=2.0)
        np.testing.assert_array_equal(found, [0, 0, 4])
