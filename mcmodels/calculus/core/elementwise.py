"""The functions applied to each entry: one line each, with derivative and source."""

from __future__ import annotations

from mcmodels.calculus.core.elementwise_base import ElementwiseFunction, elementwise
from mcmodels.calculus.core.elementwise_special import SPECIAL
from mcmodels.calculus.core.sources import BISHOP, DEEP_LEARNING

__all__ = ["FUNCTIONS", "ElementwiseFunction", "elementwise"]


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
} | SPECIAL
