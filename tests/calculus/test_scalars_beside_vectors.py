"""Scalars beside vectors: each entry is what mpmath computes of that entry and the scalars."""

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from mcmodels.calculus import parse

FUNCTIONS = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "sqrt": mpmath.sqrt,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "norm_cdf": mpmath.ncdf,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "cos": mpmath.cos,
    "sin": mpmath.sin,
    "arctan": mpmath.atan,
    "norm_pdf": mpmath.npdf,
    "abs": abs,
    "relu": lambda z: max(z, 0),
    "gelu": lambda z: z * mpmath.ncdf(z),
    "digamma": mpmath.digamma,
    "gammaln": mpmath.loggamma,
}
# h is a function, a and b are scalars, x is a vector.
SHAPES = [
    "h(a) - h(x)",
    "h(x) - h(a)",
    "h(a) + x",
    "x - h(a)",
    "h(a)*x - x",
    "x - h(a)*x",
    "h(a)*x - h(b)*x",
    "1 - h(a) + x",
    "sqrt(a^2 + b) - x",
    "x*h(a)/(1 + h(a)*x^2)",
    "h(a)/(h(a) + h(x))",
    "h(x)/(h(a) + h(x))",
    "log(h(x)^2 + h(a)^2)",
    "log(1 + exp(h(a) + x)) - x",
    "h(x + a) - h(x - a)",
    "sqrt(h(a)^2 + x^2) - h(a)",
    "(1 - h(a))*x - (1 - h(x))*a",
    "exp(h(a))*x - exp(x)*a",
]
POINTS = [1.3, 1.7, 2.4]
SCALARS = {"a": 0.8, "b": 1.1}


def by_mpmath(text, order):
    """The value at each point, or the derivative there, to 30 digits."""
    code = compile(text.replace("^", "**"), "text", "eval")
    known = FUNCTIONS | {name: mpf(value) for name, value in SCALARS.items()}
    with mpmath.workdps(30):
        return [
            float(mpmath.diff(lambda x: eval(code, known, {"x": x}), mpf(point), order))
            for point in POINTS
        ]


@pytest.mark.parametrize("shape", SHAPES)
def test_entries_and_derivatives_beside_scalars(shape):
    for function in FUNCTIONS:
        text = shape.replace("h(", f"{function}(")
        f, total = parse(text, x="n"), parse(f"sum({text})", x="n")
        for order, e in enumerate((f, total.gradient("x"))):
            known = {s.name: SCALARS[s.name] for s in e.symbols if s.name != "x"}
            found = e.evaluate(**known, x=POINTS)
            # Sums of a few terms of size 10 at most, some of which nearly cancel.
            np.testing.assert_allclose(
                found, by_mpmath(text, order), rtol=1e-10, atol=1e-13, err_msg=text
            )
