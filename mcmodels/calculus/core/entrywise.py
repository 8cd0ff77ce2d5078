"""Functions of each entry that have a form of their own: `exp`, `log`, `sigmoid` and others."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.axis_forms import as_logsumexp
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression

__all__ = [
    "abs",
    "cos",
    "exp",
    "log",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "softplus",
    "sqrt",
    "step",
    "tanh",
]


def exp(x: Any) -> Expression:
    """The exponential of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import exp, sum, vector
    >>> x = vector("x", "n")
    >>> sum(exp(x)).gradient(x)
    exp(x)
    """
    return elementwise("exp", as_expression(x))


def log(x: Any) -> Expression:
    """The natural logarithm of each entry, which must be positive.

    Examples
    --------
    >>> from mcmodels.calculus import log, sum, vector
    >>> x = vector("x", "n")
    >>> sum(log(x)).gradient(x)
    1 ⊘ x
    """
    expression = as_expression(x)
    along = as_logsumexp(expression)
    return elementwise("log", expression) if along is None else along


def sqrt(x: Any) -> Expression:
    """The square root of each entry, stored as the power ½.

    Examples
    --------
    >>> from mcmodels.calculus import sqrt, sum, vector
    >>> x = vector("x", "n")
    >>> sum(sqrt(x)).gradient(x)
    ½(1 ⊘ √x)
    """
    return arithmetic.power(as_expression(x), number(Fraction(1, 2)))


def sin(x: Any) -> Expression:
    """The sine of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import sin, sum, vector
    >>> x = vector("x", "n")
    >>> sum(sin(x)).gradient(x)
    cos(x)
    """
    return elementwise("sin", as_expression(x))


def cos(x: Any) -> Expression:
    """The cosine of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import cos, sum, vector
    >>> x = vector("x", "n")
    >>> sum(cos(x)).gradient(x)
    −sin(x)
    """
    return elementwise("cos", as_expression(x))


def tanh(x: Any) -> Expression:
    """The hyperbolic tangent of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import sum, tanh, vector
    >>> x = vector("x", "n")
    >>> sum(tanh(x)).gradient(x)
    1 − tanh(x)^∘2
    """
    return elementwise("tanh", as_expression(x))


def abs(x: Any) -> Expression:
    """The absolute value of each entry; not differentiable at 0, where sign(0) = 0 is used.

    Examples
    --------
    >>> from mcmodels.calculus import abs, sum, vector
    >>> x = vector("x", "n")
    >>> sum(abs(x)).gradient(x)
    sign(x)
    """
    return elementwise("abs", as_expression(x))


def sign(x: Any) -> Expression:
    """The sign of each entry: -1, 0 or 1; its derivative is taken to be 0 everywhere.

    Examples
    --------
    >>> from mcmodels.calculus import sign, vector
    >>> sign(vector("x", "n")).evaluate(x=[-2.0, 3.0, 4.0])
    array([-1.,  1.,  1.])
    """
    return elementwise("sign", as_expression(x))


def sigmoid(x: Any) -> Expression:
    """1 / (1 + exp(-x)) of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import sigmoid, sum, vector
    >>> x = vector("x", "n")
    >>> sum(sigmoid(x)).gradient(x)
    σ(x) ∘ (1 − σ(x))
    """
    return elementwise("sigmoid", as_expression(x))


def softplus(x: Any) -> Expression:
    """log(1 + exp(x)) of each entry.

    Examples
    --------
    >>> from mcmodels.calculus import softplus, sum, vector
    >>> x = vector("x", "n")
    >>> sum(softplus(x)).gradient(x)
    σ(x)
    """
    return elementwise("softplus", as_expression(x))


def relu(x: Any) -> Expression:
    """max(x, 0) of each entry; not differentiable at 0, where step(0) = 0 is used.

    Examples
    --------
    >>> from mcmodels.calculus import relu, sum, vector
    >>> x = vector("x", "n")
    >>> sum(relu(x)).gradient(x)
    step(x)
    """
    return elementwise("relu", as_expression(x))


def step(x: Any) -> Expression:
    """1 where an entry is positive, else 0; its derivative is taken to be 0 everywhere.

    Examples
    --------
    >>> from mcmodels.calculus import step, vector
    >>> step(vector("x", "n")).evaluate(x=[-2.0, 3.0, 4.0])
    array([0., 1., 1.])
    """
    return elementwise("step", as_expression(x))
