"""Scalars beside vectors: an entry of a vector is what the same text gives for a scalar."""

import numpy as np
import pytest

from mcmodels.calculus import parse

FUNCTIONS = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "sigmoid",
    "softplus",
    "tanh",
    "sinh",
    "cosh",
    "norm_cdf",
    "erf",
    "erfc",
    "cos",
    "sin",
    "arctan",
    "norm_pdf",
    "abs",
    "relu",
    "gelu",
    "digamma",
    "gammaln",
]
# h is a function; a, b are scalars, x is a vector in one reading and a scalar in the other.
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
POINTS = np.array([1.3, 1.7, 2.4])
VALUES = {"a": 0.8, "b": 1.1}


def value(text, what, x):
    size = {"x": "n"} if np.ndim(x) else {}
    f = parse(text, **size)
    values = {name: VALUES[name] for name in VALUES if name in {str(s) for s in f.symbols}}
    f = f if what == "value" else (parse(f"sum({text})", **size) if size else f).gradient("x")
    values = {s: v for s, v in {**values, "x": x}.items() if s in {str(s) for s in f.symbols}}
    return np.broadcast_to(
        np.ravel(f.evaluate(**values, **({"n": 3} if size else {}))), (np.size(x),)
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("what", ["value", "gradient"])
def test_entries_of_a_vector_are_scalars(shape, what):
    for function in FUNCTIONS:
        text = shape.replace("h(", f"{function}(")
        entries = [value(text, what, point)[0] for point in POINTS]
        # The same steps for each entry; sums of cancelling terms may be taken in another order.
        assert value(text, what, POINTS) == pytest.approx(entries, rel=1e-10, abs=1e-13), text
