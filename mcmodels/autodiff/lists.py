"""What NumPy gets that asks for a plain array of a traced one, because it is in a list.

NumPy passes on traced values that are arguments themselves. For lists of them, as in
``np.mean([a, b])`` or ``np.r_[a, b]``, it runs its own code, with an array of the traced entries.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Any

import numpy as np

from mcmodels.autodiff.tracing import Traced, stack_objects, tracing

__all__ = ["array_for_numpy", "as_objects"]

# Functions of NumPy that only move, add and multiply entries, so that these may be objects. Of
# those that compare them, such as max, NumPy would decide ties without a warning.
_COMPUTED_WITH_OBJECTS = frozenset({
    "average", "cumprod", "cumsum", "diff", "mean", "norm", "outer", "polyval", "prod", "std",
    "sum", "trapezoid", "var",
    "atleast_1d", "atleast_2d", "block", "column_stack", "dstack", "flip", "hstack", "ravel",
    "repeat", "reshape", "roll", "stack", "tile", "transpose", "vstack",
})  # fmt: skip
# The classes of np.r_ and np.c_.
_CONCATENATORS = (type(np.r_), type(np.c_))


def as_objects(x: Any) -> np.ndarray:
    """An array of the entries of a traced array, each a traced number."""
    tracing.objects = True
    array = np.empty(x.shape, dtype=object)
    for index in np.ndindex(*x.shape):
        array[index] = x[index] if index else x
    return array


def array_for_numpy(x: Traced) -> np.ndarray | None:
    """An array for the function of NumPy that asks; None if its derivative would be lost or wrong.

    To be called by ``__array__``.
    """
    frame: FrameType | None = sys._getframe(2)
    if frame is not None and isinstance(frame.f_locals.get("self"), _CONCATENATORS):
        return as_objects(x).view(_TracedEntries)
    outermost = None
    while frame is not None and frame.f_globals.get("__name__", "").startswith("numpy."):
        outermost, frame = frame, frame.f_back
    if outermost is None or outermost.f_code.co_name not in _COMPUTED_WITH_OBJECTS:
        return None
    return as_objects(x)


class _TracedEntries(np.ndarray):
    """An array of traced numbers, which np.r_ and np.c_ join: joined it is a traced array again."""

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Iterable[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        if func is np.concatenate:
            parts, *others = args
            arrays = [a if a.dtype != object else stack_objects(a) for a in map(np.asarray, parts)]
            return np.concatenate(arrays, *others, **kwargs)
        return super().__array_function__(func, types, args, kwargs)
