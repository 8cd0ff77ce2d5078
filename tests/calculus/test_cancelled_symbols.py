"""Symbols that cancel as a text is read: they take values, and derivatives by them are 0."""

import numpy as np
import pytest

from mcmodels.calculus import parse
from mcmodels.calculus.derive.rule import DerivativeError


@pytest.mark.parametrize(
    ("text", "by", "shapes", "values", "value"),
    [
        ("log(exp(x)) - x", "x", {}, {"x": 2.0}, 0.0),
        ("x / x", "x", {}, {"x": 2.0}, 1.0),
        ("0 * x", "x", {}, {"x": 2.0}, 0.0),
        ("tr(X @ inv(X))", "X", {"X": "n,n"}, {"X": [[2.0, 1.0], [0.0, 1.0]]}, 2.0),
        ("sum(x - x)", "x", {"x": "n"}, {"x": [1.0, 2.0]}, 0.0),
        ("norm(w)**2 + 0 * lam", "lam", {"w": "n"}, {"w": [3.0, 4.0], "lam": 1.0}, 25.0),
        ("sum(y[i] - y[i], i) * sum(z)", "y", {"y": "n", "z": "m"}, {"y": [1.0], "z": [1.0]}, 0.0),
    ],
)
def test_derivatives_by_what_has_cancelled_are_zero(text, by, shapes, values, value):
    f = parse(text, **shapes)
    assert f.evaluate(**values) == pytest.approx(value)
    assert f.compile()(**values) == pytest.approx(value)
    count = np.size(values[by])
    for derivative in (f.gradient(by), f.hessian(by), f.derivation(by).result):
        found = np.asarray(derivative.evaluate(**values))
        assert not found.any()
    assert np.size(f.gradient(by).evaluate(**values)) == count
    assert np.size(f.hessian(by).evaluate(**values)) == count**2
    assert f.check(by) == 0


def test_a_name_that_is_nowhere_is_refused_with_those_that_are():
    with pytest.raises(DerivativeError, match="there is no symbol 'z' in 0; its symbols: x"):
        parse("0 * x").gradient("z")
