"""The functions applied to each entry: one line each, with derivative and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcmodels.calculus.core.arithmetic.exponentials import recognised
from mcmodels.calculus.core.nodes import Elementwise, Transpose
from mcmodels.calculus.core.sources import BISHOP, DEEP_LEARNING

if TYPE_CHECKING:
    from mcmodels.calculus.core.expression import Expression

__all__ = ["FUNCTIONS", "ElementwiseFunction", "elementwise"]


@dataclass(frozen=True)
class ElementwiseFunction:
    """What is known of an elementwise function f.

    Attributes
    ----------
    name : str
        In Python text.
    statement : str
        Its derivative, as a formula.
    source : str
        Where that is proved.
    derivative : callable
        f′ as an expression of the argument and of the value f(argument).
    code : str
        NumPy or SciPy, with ``{}`` for the argument.
    kink : str or None
        Where it is not differentiable.
    """

    name: str
    statement: str
    source: str
    derivative: Callable[[Expression, Expression], Expression | int]
    code: str
    kink: str | None = None


def elementwise(name: str, argument: Expression) -> Expression:
    """The function of that name of each entry of the argument."""
    if isinstance(argument, Transpose):
        return Transpose(elementwise(name, argument.argument))
    found = recognised(name, argument)
    return Elementwise(name, argument) if found is None else found


_AT_ZERO = "where its argument is 0"
_ELEMENTARY = "Abramowitz & Stegun (1964), chapter 4"
_PIECEWISE = "from its definition, piece by piece"

FUNCTIONS = {
    function.name: function
    for function in (
        ElementwiseFunction("exp", "exp′ = exp", _ELEMENTARY, lambda z, y: y, "np.exp({})"),
        ElementwiseFunction("log", "log′(z) = 1/z", _ELEMENTARY, lambda z, y: 1 / z, "np.log({})"),
        ElementwiseFunction(
            "sin", "sin′ = cos", _ELEMENTARY, lambda z, y: elementwise("cos", z), "np.sin({})"
        ),
        ElementwiseFunction(
            "cos", "cos′ = −sin", _ELEMENTARY, lambda z, y: -elementwise("sin", z), "np.cos({})"
        ),
        ElementwiseFunction(
            "tanh", "tanh′ = 1 − tanh²", _ELEMENTARY, lambda z, y: 1 - y**2, "np.tanh({})"
        ),
        ElementwiseFunction(
            "sigmoid",
            "σ′ = σ(1 − σ)",
            f"{BISHOP}, (4.88)",
            lambda z, y: y * (1 - y),
            "expit({})",
        ),
        ElementwiseFunction(
            "softplus",
            "softplus′ = σ",
            f"{DEEP_LEARNING}, 3.10",
            lambda z, y: elementwise("sigmoid", z),
            "np.logaddexp(0, {})",
        ),
        ElementwiseFunction(
            "abs",
            "|z|′ = sign(z)",
            _PIECEWISE,
            lambda z, y: elementwise("sign", z),
            "np.abs({})",
            _AT_ZERO,
        ),
        ElementwiseFunction(
            "relu",
            "relu′ = step",
            f"{DEEP_LEARNING}, 6.3.1",
            lambda z, y: elementwise("step", z),
            "np.maximum({}, 0)",
            _AT_ZERO,
        ),
        ElementwiseFunction(
            "sign", "sign′ = 0", _PIECEWISE, lambda z, y: 0, "np.sign({})", _AT_ZERO
        ),
        ElementwiseFunction(
            "step",
            "step′ = 0",
            _PIECEWISE,
            lambda z, y: 0,
            "np.heaviside({}, 0)",
            _AT_ZERO,
        ),
    )
}
