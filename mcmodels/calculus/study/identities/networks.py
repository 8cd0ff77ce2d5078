"""Backpropagation: one dense layer, and a network of two."""

from mcmodels.calculus.core.functions import logsumexp, matrix, norm, softmax, tanh, vector
from mcmodels.calculus.core.sources import DEEP_LEARNING
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_LAYER = "Dense layer"
_NETWORK = "Two-layer network"
_SOURCE = f"{DEEP_LEARNING}, 6.5"

_x, _delta, _b = vector("x", "n"), vector("delta", "m"), vector("b", "m")
_W = matrix("W", "m", "n")
_layer = _delta.T @ (_W @ _x + _b)

_W1, _b1 = matrix("W1", "q", "n"), vector("b1", "q")
_W2, _b2 = matrix("W2", "k", "q"), vector("b2", "k")
_y, _one_hot = vector("y", "k"), vector("y", "k", probability=True)
_hidden = tanh(_W1 @ _x + _b1)
_output = _W2 @ _hidden + _b2
_h, _p = ("h", _hidden), ("p", softmax(_output))
_squared = norm(_output - _y) ** 2 / 2
_entropy = logsumexp(_output) - _one_hot.T @ _output

IDENTITIES = (
    Identity(
        "dense layer in W",
        _LAYER,
        _layer,
        _W,
        _SOURCE,
        remark="δ is the gradient of the loss by the output Wx + b.",
    ),
    Identity("dense layer in x", _LAYER, _layer, _x, _SOURCE),
    Identity("dense layer in b", _LAYER, _layer, _b, _SOURCE),
    *(
        Identity(f"{loss} of a network, in {name}", _NETWORK, f, variable, _SOURCE, where=where)
        for loss, f, where in (
            ("squared loss", _squared, (_h,)),
            ("cross-entropy", _entropy, (_p, _h)),
        )
        for name, variable in (("W₂", _W2), ("b₂", _b2), ("W₁", _W1), ("b₁", _b1), ("x", _x))
    ),
)
