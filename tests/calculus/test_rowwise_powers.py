"""Third and fourth powers in functions of rows: right, and by products alone."""

import numpy as np
import pytest

from mcmodels.calculus import parse
from mcmodels.calculus.compute import rowwise as room
from mcmodels.calculus.compute.rowwise import rowwise

X = np.array([-1e100, -3.7, -1.0, 0.0, 1e-60, 0.3, 2.0, 1e70])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**3", lambda x: x * x * x),
        ("x**4", lambda x: x * x * x * x),
        ("1 - x**3 + 2*x**4", lambda x: 1 - x * x * x + 2 * (x * x * x * x)),
        ("y/(1 + x**4)", lambda x: 2.0 / (1 + x * x * x * x)),
        ("-x**3*y**2", lambda x: -(x * x * x) * 4.0),
        ("y**x", lambda x: 2.0**x),
        ("(x**3)**2", lambda x: (x * x * x) ** 2),
        ("abs(x)**3.5", lambda x: np.abs(x) ** 3.5),
        ("(x - y)**4", lambda x: (x - 2.0) ** 2 * (x - 2.0) ** 2),
    ],
)
def test_values(text, expected):
    with np.errstate(all="ignore"):
        (found,) = rowwise((parse(text),), ("x", "y"))(X, np.full(X.size, 2.0))
        # Three products, each rounded once.
        np.testing.assert_allclose(found, expected(X), rtol=1e-15)


def test_lines():
    assert room._by_squares("t1 = a ** 3 / b2 ** 4") == "t1 = (a ** 2 * a) / ((b2 ** 2) ** 2)"
    same = "t1 = a ** 2 + b ** 3.5 + c ** 34 + (a + b) ** 3 + 2 ** 3"
    assert room._by_squares(same) == same
