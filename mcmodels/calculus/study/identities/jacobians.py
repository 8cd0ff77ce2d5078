"""Jacobians of arrays: outputs down the rows, inputs along the columns, matrices by vec."""

from mcmodels.calculus.core.functions import exp, inv, matrix, sigmoid, softmax, tanh, vector
from mcmodels.calculus.core.sources import BISHOP
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Jacobians"

_x, _b, _z = vector("x", "n"), vector("b", "n"), vector("z", "n")
_A = matrix("A", "m", "n")
_X, _square_X = matrix("X", "m", "n"), matrix("X", "n", "n")

IDENTITIES = (
    Identity("Ax", _THEME, _A @ _x, _x, f"{MN}, chapter 9", order=1),
    Identity("shift by b", _THEME, _x + _b, _x, f"{MN}, chapter 9", order=1),
    Identity("elementwise exponential", _THEME, exp(_x), _x, f"{MN}, chapter 9", order=1),
    Identity("elementwise hyperbolic tangent", _THEME, tanh(_x), _x, f"{MN}, chapter 9", order=1),
    Identity("elementwise sigmoid", _THEME, sigmoid(_x), _x, f"{BISHOP}, (4.88)", order=1),
    Identity("softmax", _THEME, softmax(_z), _z, f"{BISHOP}, (4.106)", order=1),
    Identity(
        "composite σ(Ax)",
        _THEME,
        sigmoid(_A @ _x),
        _x,
        f"{MN}, chapter 5",
        order=1,
        remark="The Jacobian of a composite is the product of the Jacobians: the chain rule.",
    ),
    Identity(
        "AXB",
        _THEME,
        matrix("A", "p", "m") @ _X @ matrix("B", "n", "q"),
        _X,
        f"{MN}, chapter 9",
        order=1,
    ),
    Identity("transpose", _THEME, _X.T, _X, f"{MN}, chapter 9", order=1),
    Identity("inverse", _THEME, inv(_square_X), _square_X, f"{MN}, chapter 9", order=1),
    Identity("Gram matrix XᵀX", _THEME, _X.T @ _X, _X, f"{MN}, chapter 9", order=1),
)
