"""The rule of ``log |Σ b eˣ|``, the form of ``logsumexp`` with weights b.

The sum and its logarithm are those of SciPy; with ``s`` the sign of the sum and y the value, the
terms ``s b e^(x - y)`` sum to one, and a weight of 0 leaves its term out, however large x is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.arrangement import with_axes
from mcmodels.autodiff.tables import Axis, add, broadcast, matrix_function, shape_of, sum_to_shape
from mcmodels.autodiff.tracing import constant

__all__ = ["sign_of_sum"]


def _signed(x: Any, b: Any, axis: Axis, keepdims: bool) -> tuple[Any, Any]:
    return sp.logsumexp(x, axis=axis, b=b, keepdims=keepdims, return_sign=True)


def sign_of_sum(x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sign of ``Σ b eˣ``, a constant."""
    return _signed(constant(x), constant(b), axis, keepdims)[1]


def _weighted(x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.asarray(_signed(x, b, axis, keepdims)[0])


def _shares(y: Any, x: Any, b: Any, axis: Axis, keepdims: bool) -> tuple[Any, Any]:
    """``s e^(x - y)`` and ``s b e^(x - y)``, in the shape of the terms."""
    shape = np.broadcast_shapes(shape_of(x), shape_of(b))
    sign = _signed(constant(x), constant(b), axis, True)[1]
    like = np.empty(shape, bool)
    of_b = sign * np.exp(x - with_axes(y, like, axis, keepdims))
    absent = np.asarray(constant(b)) == 0
    of_x = np.where(absent, -np.inf, x) if np.any(absent) else x
    return of_b, sign * b * np.exp(of_x - with_axes(y, like, axis, keepdims))


def _push(position: int) -> Any:
    def push(t: Any, y: Any, x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        of_b, of_x = _shares(y, x, b, axis, keepdims)
        terms = (of_x if position == 0 else of_b) * t
        return np.sum(broadcast(terms, shape_of(of_x)), axis=axis, keepdims=keepdims)

    return push


def _pull(position: int) -> Any:
    def pull(g: Any, y: Any, x: Any, b: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        of_b, of_x = _shares(y, x, b, axis, keepdims)
        spread = with_axes(g, of_x, axis, keepdims)
        terms = broadcast((of_x if position == 0 else of_b) * spread, shape_of(of_x))
        return sum_to_shape(terms, shape_of(b if position else x))

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
