"""Symbols, and values for them, of the tests of special functions, choices and matrices."""

from __future__ import annotations

import numpy as np

from mcmodels.calculus import matrix, scalar, vector

RNG = np.random.default_rng(7)
x, y = vector("x", "n"), vector("y", "n")
X, A, B = matrix("X", "m", "n"), matrix("A", "n", "n"), matrix("B", "n", "n")
S = matrix("S", "n", "n", symmetric=True)
P = matrix("P", "n", "n", positive_definite=True)
a, t = scalar("a"), scalar("t")

AT = {
    "x": np.array([-1.3, 0.4, 2.1]),
    "y": np.array([0.2, 0.9, -1.1]),
    "X": RNG.standard_normal((4, 3)),
    "A": RNG.standard_normal((3, 3)),
    "B": RNG.standard_normal((3, 3)),
    "a": 0.7,
    "t": 0.3,
}
AT["S"] = AT["A"] + AT["A"].T
AT["P"] = AT["A"] @ AT["A"].T + np.eye(3)


def given(expression):
    return {symbol.name: AT[symbol.name] for symbol in expression.known if symbol.name in AT}
