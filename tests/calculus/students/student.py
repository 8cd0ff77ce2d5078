"""One wrong gradient, and the symbols that all of them share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcmodels.calculus import Expression, matrix, ones, scalar, size, vector


@dataclass(frozen=True)
class Student:
    """A wrong gradient.

    Attributes
    ----------
    slip : str
        What the student did.
    f, x : Expression
        What is differentiated (a Jacobian where it is no scalar), and by what.
    right, wrong : Expression or callable
        Written by hand. A function takes the arrays by name, as NumPy code does.
    names : tuple of str
        The mistakes that are a right diagnosis.
    says : str
        A part of the explanation; empty where the name tells all.
    remedy : str
        A part of the remedy: its direction.
    """

    slip: str
    f: Expression
    x: Expression
    right: Expression
    wrong: Expression | Callable[..., Any]
    names: tuple[str, ...]
    says: str = ""
    remedy: str = ""


X, w, y, v = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n"), vector("v", "n")
b, lam, tau, gamma = scalar("b"), scalar("lam"), scalar("tau"), scalar("gamma")
n, one = size("n"), ones("n")
A, B, C = matrix("A", "n", "n"), matrix("B", "n", "n"), matrix("C", "n", "n")
Z = matrix("Z", "n", "n")
x, c, d = vector("x", "n"), vector("c", "n"), vector("d", "n")
S = matrix("S", "n", "n", positive_definite=True)
Q = matrix("Q", "n", "n", symmetric=True)
