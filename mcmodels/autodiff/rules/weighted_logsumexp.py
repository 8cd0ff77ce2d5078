"""The rule of ``log |Σ b eˣ|``, the form of ``logsumexp`` with weights b.

The sum and its logarithm are those of SciPy; with ``s`` the sign of the sum and y the value, the
terms ``s b e^(x - y)`` sum to one, and a weight of 0 leaves its term out, however large x is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.arrangement import with_axes
from mcmodels.autodiff.tables import Axis, add, broadcast, matrix_function, shape_of
from mcmodels.autodiff.tracing import constant

__all__ = ["sign_of_sum"]


def _signed(x: Any, b: Any, axis: Axis, keepdims: bool) -> tuple[Any, Any]:
    return sp.logsumexp(x, axis=axis, b=b, keepdims=keepdims, return_sign=True)


def sign_of_sum(x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sign of ``Σ b eˣ``, a constant."""
    return _signed(constant(x), constant(b), axis, keepdims)[1]


def _weighted(x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.asarray(_signed(x, b, axis, keepdims)[0])


def _slopes(position: int, y: Any, x: Any, b: Any, axis: Axis, keepdims: bool) -> Any:
    """``s b e^(x - y)``, the derivatives by x, or ``s e^(x - y)``, those by b, for each term."""
    shape = np.broadcast_shapes(shape_of(x), shape_of(b))
    sign = _signed(constant(x), constant(b), axis, True)[1]
    like = np.empty(shape, bool)
    absent = np.asarray(constant(b)) == 0
    if position == 0 and np.any(absent):
        x = np.where(absent, -np.inf, x)
    shares = sign * np.exp(x - with_axes(y, like, axis, keepdims))
    return broadcast(shares if position else shares * b, shape)


def _push(position: int) -> Any:
    def push(t: Any, y: Any, x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        terms = _slopes(position, y, x, b, axis, keepdims) * t
        return np.sum(terms, axis=axis, keepdims=keepdims)

    return push


def _pull(position: int) -> Any:
    def pull(g: Any, y: Any, x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        slopes = _slopes(position, y, x, b, axis, keepdims)
        return slopes * with_axes(g, slopes, axis, keepdims)

    return pull


add(
    matrix_function(
        "weighted_logsumexp",
        _weighted,
        "d log |Σ b eˣ| = s Σ e^(x - y)(b dx + db), s the sign of the sum",
        (_push(0), _pull(0)),
        (_push(1), _pull(1)),
    )
)
