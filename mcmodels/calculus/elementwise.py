"""The functions applied to each entry: one line each, with derivative and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcmodels.calculus.nodes import Elementwise, Transpose

if TYPE_CHECKING:
    from mcmodels.calculus.expression import Expression

__all__ = ["FUNCTIONS", "ElementwiseFunction", "elementwise"]


@dataclass(frozen=True)
class ElementwiseFunction:
    """What is known of an elementwise function f.

    Attributes
    ----------
    name : str
        In Python text.
    statement : str
        Its derivative, in words of mathematics.
    source : str
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
    return Elementwise(name, argument)


def _f(name: str) -> Callable[[Expression], Expression]:
    return lambda z: elementwise(name, z)


_AT_ZERO = "where its argument is 0"
_ELEMENTARY = "Abramowitz & Stegun (1964), 3.3, 4.2–4.5"

FUNCTIONS = {
    function.name: function
    for function in (
        ElementwiseFunction("exp", "exp′ = exp", _ELEMENTARY, lambda z, y: y, "np.exp({})"),
        ElementwiseFunction("log", "log′(z) = 1/z", _ELEMENTARY, lambda z, y: 1 / z, "np.log({})"),
        ElementwiseFunction(
            "sin", "sin′ = cos", _ELEMENTARY, lambda z, y: _f("cos")(z), "np.sin({})"
        ),
        ElementwiseFunction(
            "cos", "cos′ = −sin", _ELEMENTARY, lambda z, y: -_f("sin")(z), "np.cos({})"
        ),
        ElementwiseFunction(
            "tanh", "tanh′ = 1 − tanh²", _ELEMENTARY, lambda z, y: 1 - y**2, "np.tanh({})"
        ),
        ElementwiseFunction(
            "sigmoid",
            "σ′ = σ(1 − σ)",
            "Bishop (2006), (4.88)",
            lambda z, y: y * (1 - y),
            "expit({})",
        ),
        ElementwiseFunction(
            "softplus",
            "softplus′ = σ",
            "Bishop (2006), (4.88), integrated",
            lambda z, y: _f("sigmoid")(z),
            "np.logaddexp(0, {})",
        ),
        ElementwiseFunction(
            "abs",
            "|z|′ = sign(z)",
            _ELEMENTARY,
            lambda z, y: _f("sign")(z),
            "np.abs({})",
            _AT_ZERO,
        ),
        ElementwiseFunction(
            "relu",
            "relu′ = step",
            "Goodfellow, Bengio & Courville (2016), 6.3.1",
            lambda z, y: _f("step")(z),
            "np.maximum({}, 0)",
            _AT_ZERO,
        ),
        ElementwiseFunction(
            "sign", "sign′ = 0", "piecewise constant", lambda z, y: 0, "np.sign({})", _AT_ZERO
        ),
        ElementwiseFunction(
            "step",
            "step′ = 0",
            "piecewise constant",
            lambda z, y: 0,
            "np.heaviside({}, 0)",
            _AT_ZERO,
        ),
    )
}
