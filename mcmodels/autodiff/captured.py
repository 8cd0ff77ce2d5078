"""Plain arrays that a tape keeps, and that the function may overwrite before they are read again.

Reverse mode reads the arguments of a computation once more after the function has returned. Small
arrays are copied when they are kept. Of larger ones a sample of entries is kept and compared, and a
change is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tracing import NoRuleError

__all__ = ["SMALL", "kept_index", "kept_options", "refuse_overwritten", "sample"]

# Up to this many entries a copy takes no more time than a sample.
SMALL = 1024


def sample(array: np.ndarray) -> bytes:
    """Some 16 entries of a large array, at equal distances."""
    return array.flat[:: array.size >> 4].tobytes()


def refuse_overwritten(array: np.ndarray, name: str) -> None:
    """Say that an array has changed since a function took it."""
    raise NoRuleError(
        f"an array of shape {array.shape} was overwritten after {name} had taken it, and reverse "
        "mode reads it again: the derivative would be wrong. Pass a copy (buffer.copy()), or make "
        "a new array in each step. jvp does not read it again."
    )


def kept_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments that later changes of small arrays among them do not reach."""
    return {
        key: x.copy() if isinstance(x, np.ndarray) and x.size <= SMALL else x
        for key, x in kwargs.items()
    }


def kept_index(index: Any) -> Any:
    """An index that later changes of its arrays and lists do not reach."""
    kind = type(index)
    if kind is np.ndarray:
        return index.copy()
    if kind is list:
        return [kept_index(part) for part in index]
    if kind is tuple:
        for part in index:
            if type(part) is np.ndarray or type(part) is list:
                return tuple([kept_index(part) for part in index])
    return index
